//! Breaks tokens into lines. No line is wider than the limit unless it is a single token.

use super::tokens::Token;

/// Counts the lines that tokens take up. The first line is shortened by a label.
#[derive(Debug, Clone, Copy)]
pub(super) struct LineFill {
    limit: u32,
    pub(super) lines: u32,
    used: u32,
    empty: bool,
    /// Total columns, with spaces.
    pub(super) columns: u32,
}

impl LineFill {
    pub(super) fn new(limit: u32, label: u32) -> Self {
        Self { limit, lines: 1, used: label, empty: true, columns: label }
    }

    /// Puts a token on the current line if it fits, else on the next.
    pub(super) fn add(&mut self, token: &Token) {
        let space = u32::from(token.spaced && !self.empty);
        let used = self.used.saturating_add(space).saturating_add(token.columns);
        self.columns = self.columns.saturating_add(space).saturating_add(token.columns);
        if used <= self.limit || self.empty {
            self.used = used;
        } else {
            self.lines += 1;
            self.used = token.columns;
        }
        self.empty = false;
    }
}

/// Breaks tokens into as few lines as possible, at good breaks, of similar lengths.
pub(super) fn wrap(tokens: &[Token], limit: u32, label: u32) -> Vec<String> {
    let mut filling = LineFill::new(limit, label);
    tokens.iter().for_each(|token| filling.add(token));
    let lines = filling.lines as usize;
    if lines == 1 {
        return vec![joined(tokens)];
    }
    let count = tokens.len();
    let target = i64::from(filling.columns) / lines as i64;
    // best[lines][end]: the cost of putting tokens ..end on this many lines, and where the last line begins.
    let mut best: Vec<Vec<Option<(i64, usize)>>> = vec![vec![None; count + 1]; lines + 1];
    if let Some(none) = best.first_mut().and_then(|row| row.first_mut()) {
        *none = Some((0, 0));
    }
    for line in 1..=lines {
        for begin in 0..count {
            let Some((so_far, _)) = best.get(line - 1).and_then(|row| row.get(begin)).copied().flatten() else {
                continue;
            };
            let mut width = if line == 1 { label } else { 0 };
            for (end, token) in tokens.iter().enumerate().skip(begin) {
                let space = u32::from(token.spaced && end > begin);
                width = width.saturating_add(space).saturating_add(token.columns);
                if width > limit && end > begin {
                    break;
                }
                let off = i64::from(width) - target;
                let broken = tokens.get(end + 1).map_or(0, |next| next.before.cost() / 40);
                let cost = so_far.saturating_add(off.saturating_mul(off)).saturating_add(broken);
                if let Some(place) = best.get_mut(line).and_then(|row| row.get_mut(end + 1))
                    && place.is_none_or(|known| cost < known.0)
                {
                    *place = Some((cost, begin));
                }
            }
        }
    }
    let mut wrapped = Vec::with_capacity(lines);
    let mut end = count;
    for line in (1..=lines).rev() {
        let begin = best.get(line).and_then(|row| row.get(end)).copied().flatten().map_or(0, |known| known.1);
        wrapped.push(joined(tokens.get(begin..end).unwrap_or(&[])));
        end = begin;
    }
    wrapped.reverse();
    wrapped
}

/// Joins tokens into one line.
pub(super) fn joined(tokens: &[Token]) -> String {
    let mut line = String::with_capacity(tokens.iter().map(|token| token.text.len() + 1).sum());
    for token in tokens {
        if token.spaced && !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&token.text);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::super::char_times::char_times;
    use super::super::limits::Limits;
    use super::super::script::Script;
    use super::super::tokens::tokens;
    use super::*;
    use crate::metrics::Interval;

    fn lines(text: &str, limit: u32, label: u32) -> Vec<String> {
        let script = Script::from_text(text, text.contains(['の', 'に', 'て']));
        let times = char_times(text, &[], Some(Interval { begin: 0, end: 9000 })).unwrap();
        let limit = if limit == 0 { Limits::default().line_columns(script) } else { limit };
        wrap(&tokens(text, &times, script, 250), limit, label)
    }

    #[test]
    fn what_fits_on_one_line_stays_there() {
        assert_eq!(lines("Thank you for calling, how can I help you?", 0, 0).len(), 1); // 42 columns
        assert_eq!(lines("Thank you for calling, how can we help you?", 0, 0).len(), 2);
        assert_eq!(lines("您好，欢迎致电云帆家电我是客服", 0, 0).len(), 1);
    }

    #[test]
    fn two_lines_are_of_like_lengths_and_break_where_it_reads_best() {
        // After the comma, though `for` would still fit.
        assert_eq!(
            lines("Thank you for calling, this is Priya at Hartwell Home", 0, 0),
            ["Thank you for calling,", "this is Priya at Hartwell Home"]
        );
        // No last word alone: 43 columns would leave `one` behind.
        assert_eq!(
            lines("I would really rather just have the new one", 42, 0),
            ["I would really rather", "just have the new one"]
        );
        assert_eq!(
            lines("您好，欢迎致电云帆家电，我是客服林悦，请问有什么", 0, 0),
            ["您好，欢迎致电云帆家电，", "我是客服林悦，请问有什么"]
        );
        assert_eq!(
            lines("お電話ありがとうございます、田中にて承ります", 28, 0),
            ["お電話ありがとうございます、", "田中にて承ります"]
        );
        assert_eq!(
            lines("네 안녕하세요 고객님, 무엇을 도와드릴까요 말씀하세요", 0, 0),
            ["네 안녕하세요 고객님,", "무엇을 도와드릴까요 말씀하세요"]
        );
    }

    #[test]
    fn a_label_takes_its_room_on_the_first_line() {
        assert_eq!(lines("one two three four", 10, 0), ["one two", "three four"]);
        assert_eq!(lines("one two three four", 10, 4), ["one", "two three", "four"]);
    }

    #[test]
    fn a_word_longer_than_a_line_has_one_of_its_own() {
        let long = "a".repeat(60);
        assert_eq!(lines(&format!("see {long} there"), 42, 0), ["see", &long, "there"]);
        assert_eq!(lines(&long, 42, 30), [long]);
    }
}
