//! Tables of text that fit a terminal: prose wraps, columns that find no room are named below, and a narrow terminal shows
//! each row as a list of its cells.

use std::ops::Range;

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};
use unicode_width::UnicodeWidthStr as _;

/// A narrower terminal shows the cells of a row one below the other.
const NARROW: usize = 60;

/// The least width to which prose is wrapped.
const LEAST_PROSE: usize = 16;

/// A longer word of prose may be broken.
const LONGEST_WORD: usize = 24;

/// Blanks between columns.
const GAP: usize = 2;

/// A table of text.
///
/// ```
/// use talkmeter::report::TextTable;
/// let mut table = TextTable::new(["call", "dead air"]).numbers(1..2);
/// table.row(["a.json", "1:02"]);
/// assert_eq!(table.render(None), "call    dead air\na.json      1:02");
/// ```
#[derive(Debug, Clone)]
pub struct TextTable {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
    numbers: Range<usize>,
}

impl TextTable {
    /// A table with these headings and no row.
    pub fn new<T: Into<String>>(head: impl IntoIterator<Item = T>) -> Self {
        Self { head: head.into_iter().map(Into::into).collect(), rows: Vec::new(), numbers: 0..0 }
    }

    /// Aligns these columns to the right.
    #[must_use]
    pub fn numbers(self, columns: Range<usize>) -> Self {
        Self { numbers: columns, ..self }
    }

    /// Appends a row, with a cell for each heading. Control characters, which could move the cursor, are escaped.
    pub fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(|cell| escaped(cell.into())).collect());
    }

    /// The table for a terminal of this width, without a final line break; at its full width for `None`.
    #[must_use]
    pub fn render(&self, width: Option<usize>) -> String {
        let columns: Vec<Column> = (0..self.head.len()).map(|at| self.column(at)).collect();
        let all = needed(columns.iter().map(|column| column.width));
        match width {
            Some(width) if all > width && width < NARROW => self.lists(width),
            Some(width) if all > width => self.fitted(&columns, width),
            _ => self.layout(columns.len(), None, &columns),
        }
    }

    fn column(&self, at: usize) -> Column {
        let cells = || self.rows.iter().filter_map(|row| row.get(at));
        let head = self.head.get(at).map_or(0, |head| head.width());
        let width = cells().map(|cell| cell.width()).max().unwrap_or(0).max(head);
        // Names and numbers are not cut in two.
        let is_prose = !self.numbers.contains(&at) && cells().any(|cell| cell.contains(' '));
        let word = cells().flat_map(|cell| cell.split(' ')).map(|word| word.width()).max().unwrap_or(0);
        let least = if is_prose { width.min(LEAST_PROSE.max(head).max(word.min(LONGEST_WORD))) } else { width };
        Column { width, least, is_prose }
    }

    /// The first columns, as many as have room, and the names of the others.
    fn fitted(&self, columns: &[Column], width: usize) -> String {
        let mut shown = columns.len();
        while shown > 1 && needed(columns.iter().take(shown).map(|column| column.least)) > width {
            shown -= 1;
        }
        let mut text = self.layout(shown, Some(width), columns);
        let others = self.head.get(shown..).unwrap_or_default();
        if !others.is_empty() {
            let note = format!("no room for {}", others.join(", "));
            let count = others.len();
            let short = format!("no room for {count} more {}", if count == 1 { "column" } else { "columns" });
            text += "\n";
            text += if note.width() <= width { &note } else { &short };
        }
        text
    }

    fn layout(&self, shown: usize, width: Option<usize>, columns: &[Column]) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(self.head.iter().take(shown));
        let fits = width.is_none_or(|width| needed(columns.iter().take(shown).map(|column| column.width)) <= width);
        match width.and_then(|width| u16::try_from(width + GAP).ok()).filter(|_| !fits) {
            // The gap after the last column is trimmed.
            Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
            None => table.set_content_arrangement(ContentArrangement::Disabled),
        };
        for row in &self.rows {
            table.add_row(row.iter().take(shown));
        }
        for ((at, column), own) in table.column_iter_mut().enumerate().zip(columns) {
            column.set_padding((0, GAP as u16));
            if !own.is_prose {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
            if self.numbers.contains(&at) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.trim_fmt()
    }

    /// Each row as a list: a heading and its cell, whose lines stand one below the other.
    fn lists(&self, width: usize) -> String {
        let begin = self.head.iter().map(|head| head.width()).max().unwrap_or(0) + GAP;
        let room = width.saturating_sub(begin).max(LEAST_PROSE);
        let line = |(head, cell): (&String, &String)| {
            let blanks = " ".repeat(begin.saturating_sub(head.width()));
            let cell = wrapped(cell, Some(room)).replace('\n', &format!("\n{}", " ".repeat(begin)));
            format!("{head}{blanks}{cell}").trim_end().to_owned()
        };
        let list = |row: &Vec<String>| self.head.iter().zip(row).map(line).collect::<Vec<_>>().join("\n");
        self.rows.iter().map(list).collect::<Vec<_>>().join("\n\n")
    }
}

/// A line in as many lines as a terminal of this width needs, broken at blanks.
#[must_use]
pub fn wrapped(line: &str, width: Option<usize>) -> String {
    hanging(line, width, 0)
}

/// The same, with every line after the first indented by `indent` columns.
#[must_use]
pub fn hanging(line: &str, width: Option<usize>, indent: usize) -> String {
    let Some(width) = width else { return line.to_owned() };
    let (mut text, mut used) = (String::with_capacity(line.len()), 0);
    for word in line.split(' ') {
        let more = word.width();
        if used > 0 && used + 1 + more > width {
            text.push('\n');
            text.extend(std::iter::repeat_n(' ', indent));
            used = indent;
        } else if !text.is_empty() {
            text.push(' ');
            used += 1;
        }
        text.push_str(word);
        used += more;
    }
    text
}

fn escaped(cell: String) -> String {
    let is_unsafe = |c: char| c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    if !cell.contains(is_unsafe) {
        return cell;
    }
    let escape = |c: char| if is_unsafe(c) { c.escape_default().to_string() } else { c.to_string() };
    cell.chars().map(escape).collect()
}

/// What a column takes.
struct Column {
    width: usize,
    /// With its prose wrapped.
    least: usize,
    is_prose: bool,
}

/// The width of columns side by side.
fn needed(widths: impl ExactSizeIterator<Item = usize>) -> usize {
    let gaps = widths.len().saturating_sub(1) * GAP;
    widths.sum::<usize>() + gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> TextTable {
        let mut table = TextTable::new(["call", "length", "dead_air_ms", "why"]).numbers(1..3);
        table.row([
            "a.json",
            "1:02",
            "12.0 s",
            "Dead air is far above that of the other calls, which have two seconds",
        ]);
        table.row(["客服.json", "17:45", "0.0 s", "nothing"]);
        table
    }

    fn widths(text: &str) -> Vec<usize> {
        text.lines().map(|line| line.width()).collect()
    }

    #[test]
    fn a_cell_moves_no_cursor() {
        let mut table = TextTable::new(["a"]);
        table.row(["x\u{1b}[2J\ny\u{202e}"]);
        assert_eq!(table.render(None), "a\nx\\u{1b}[2J\\ny\\u{202e}");
    }

    #[test]
    fn prose_wraps_and_names_and_numbers_do_not() {
        let text = table().render(Some(64));
        assert!(widths(&text).iter().all(|width| *width <= 64), "{text}");
        assert!(text.lines().count() > 3 && text.contains("客服.json   17:45"), "{text}");
        assert!(text.lines().nth(1).unwrap().starts_with("a.json       1:02       12.0 s  Dead air"), "{text}");
    }

    #[test]
    fn words_of_prose_are_not_broken() {
        let mut table = TextTable::new(["setting", "n", "m"]).numbers(1..3);
        table.row(["interruption_overlap_ms 400", &"1".repeat(20), &"2".repeat(15)]);
        assert!(table.render(Some(62)).contains("interruption_overlap_ms "), "{}", table.render(Some(62)));
        assert!(table.render(Some(61)).ends_with("no room for m"));
    }

    #[test]
    fn columns_without_room_are_named() {
        let mut wide = TextTable::new(["queue".to_owned()].into_iter().chain((0..20).map(|at| format!("column_{at}"))));
        wide = wide.numbers(1..21);
        wide.row((0..21).map(|at| at.to_string()));
        let text = wide.render(Some(80));
        assert!(widths(&text).iter().all(|width| *width <= 80), "{text}");
        assert!(text.ends_with("no room for 13 more columns"), "{text}");
        let mut two = TextTable::new(["a", "b", "c"]).numbers(0..3);
        two.row(["1".repeat(30), "2".repeat(30), "3".repeat(30)]);
        assert!(two.render(Some(70)).ends_with("\nno room for c"));
        assert_eq!(two.render(Some(94)).lines().count(), 2);
    }

    #[test]
    fn lines_break_at_blanks() {
        let line = "transcripts of whisper 10, 文字 5, a-word-that-is-too-long";
        assert_eq!(wrapped(line, Some(18)), "transcripts of\nwhisper 10, 文字\n5,\na-word-that-is-too-long");
        assert_eq!(wrapped(line, None), line);
    }

    #[test]
    fn a_narrow_terminal_shows_lists() {
        let text = table().render(Some(40));
        assert!(
            text.starts_with("call         a.json\nlength       1:02\ndead_air_ms  12.0 s\nwhy          Dead air"),
            "{text}"
        );
        assert!(widths(&text).iter().all(|width| *width <= 40), "{text}");
        assert!(text.contains("\n             of the other calls"), "{text}");
        assert_eq!(text.matches("\n\n").count(), 1);
        // What fits stays a table.
        let mut small = TextTable::new(["a", "b"]);
        small.row(["1", "2"]);
        assert_eq!(small.render(Some(20)), small.render(None));
    }
}
