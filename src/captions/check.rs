//! Checks cues against limits.
//!
//! Cues are judged as they are shown, names and dashes included, so that files from other tools and ours are held to the
//! same limits.

use std::collections::HashMap;

use super::limits::Limits;
use super::script::{Script, is_japanese};
use super::{Cue, Format};

/// What can be wrong with a cue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rule {
    /// No text.
    Empty,
    /// Begins before the previous cue of the file.
    OutOfOrder,
    /// Begins while another cue of the same voice is shown; without voices, any other cue.
    Overlap,
    /// Begins too soon after the end of the previous cue of the same voice.
    GapTooSmall,
    /// Shown too briefly, or ends before it begins.
    TooShort,
    /// Shown for too long.
    TooLong,
    /// More characters per second than people can read.
    TooFast,
    /// A line has too many characters.
    LineTooLong,
    /// Too many lines; per speaker if several share the cue, each beginning with `- `.
    TooManyLines,
}

impl Rule {
    /// All rules, in the order in which a cue's violations are listed.
    pub const ALL: [Self; 9] = [
        Self::Empty,
        Self::OutOfOrder,
        Self::Overlap,
        Self::GapTooSmall,
        Self::TooShort,
        Self::TooLong,
        Self::TooFast,
        Self::LineTooLong,
        Self::TooManyLines,
    ];

    /// Name as printed, in `snake_case`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::OutOfOrder => "out_of_order",
            Self::Overlap => "overlap",
            Self::GapTooSmall => "gap_too_small",
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::TooFast => "too_fast",
            Self::LineTooLong => "line_too_long",
            Self::TooManyLines => "too_many_lines",
        }
    }

    /// Unit of [`Violation::value`] and [`Violation::limit`].
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Empty | Self::LineTooLong => "characters",
            Self::OutOfOrder | Self::Overlap | Self::GapTooSmall | Self::TooShort | Self::TooLong => "ms",
            Self::TooFast => "characters/s",
            Self::TooManyLines => "lines",
        }
    }
}

/// A rule that a cue breaks.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Violation {
    /// 1-based position of the cue in its file.
    pub cue: usize,
    /// When the cue begins, in ms.
    pub begin_ms: i64,
    /// When the cue ends, in ms.
    pub end_ms: i64,
    /// The rule.
    pub rule: Rule,
    /// The cue's value in [`Rule::unit`], rounded away from the limit.
    pub value: f64,
    /// The maximum; for `gap_too_small`, `too_short` and `empty` the minimum; 0 for `out_of_order` and `overlap`.
    pub limit: f64,
    /// The cue's text on one line.
    pub text: String,
}

/// Checks cues in the order of their file. Limits go by the script of each line.
///
/// ```
/// use talkmeter::captions::{Cue, Format, Limits, Rule, check};
///
/// let cue = Cue::new(0, 1000, ["Faster than anybody can read it"]);
/// let violations = check(&[cue], Format::Srt, &Limits::default());
/// assert_eq!((violations[0].rule, violations[0].value, violations[0].limit), (Rule::TooFast, 31.0, 20.0));
/// ```
#[must_use]
pub fn check(cues: &[Cue], format: Format, limits: &Limits) -> Vec<Violation> {
    let japanese = is_japanese(cues.iter().flat_map(|cue| &cue.lines).map(|line| &**line));
    let ends_before = ends_before(cues, format);
    let mut violations = Vec::new();
    let mut begin_before = i64::MIN;
    for ((number, cue), end_before) in (1..).zip(cues).zip(ends_before) {
        let text = cue.lines.iter().filter(|line| !line.is_empty()).map(|line| &**line).collect::<Vec<_>>().join(" ");
        let mut add = |rule, value: f64, limit: f64| {
            let (begin_ms, end_ms) = (cue.begin_ms, cue.end_ms);
            violations.push(Violation { cue: number, begin_ms, end_ms, rule, value, limit, text: text.clone() });
        };
        if text.trim().is_empty() {
            add(Rule::Empty, 0.0, 1.0);
        }
        if cue.begin_ms < begin_before {
            add(Rule::OutOfOrder, (begin_before - cue.begin_ms) as f64, 0.0);
        }
        begin_before = cue.begin_ms;
        let gap = cue.begin_ms.saturating_sub(end_before);
        if gap < 0 {
            add(Rule::Overlap, -gap as f64, 0.0);
        } else if gap < limits.gap_ms {
            add(Rule::GapTooSmall, gap as f64, limits.gap_ms as f64);
        }
        let duration = cue.end_ms - cue.begin_ms;
        if duration < limits.min_duration_ms {
            add(Rule::TooShort, duration as f64, limits.min_duration_ms as f64);
        } else if duration > limits.max_duration_ms {
            add(Rule::TooLong, duration as f64, limits.max_duration_ms as f64);
        }
        let lines = measured_lines(cue, &text, japanese);
        if let Some((speed, limit)) = reading_speed(&lines, duration, limits) {
            add(Rule::TooFast, speed, limit);
        }
        if let Some((length, limit)) = longest_line(&lines, limits) {
            add(Rule::LineTooLong, length, limit);
        }
        let speakers = cue.lines.iter().filter(|line| line.starts_with("- ")).count().max(1);
        let limit = limits.lines as usize * speakers;
        if cue.lines.len() > limit {
            add(Rule::TooManyLines, cue.lines.len() as f64, limit as f64);
        }
    }
    violations
}

/// For each cue, the latest end among the cues of its voice that begin before it; without voices, among all cues.
///
/// Cues are taken by time, not by their order in the file: two overlap only if they are on screen together.
fn ends_before(cues: &[Cue], format: Format) -> Vec<i64> {
    let mut by_time: Vec<usize> = (0..cues.len()).collect();
    by_time.sort_by_key(|&at| cues.get(at).map(|cue| cue.begin_ms));
    let mut ends = vec![i64::MIN; cues.len()];
    let mut latest: HashMap<Option<&str>, i64> = HashMap::new();
    for at in by_time {
        let Some(cue) = cues.get(at) else { continue };
        let voice = cue.voice.as_deref().filter(|_| format == Format::WebVtt);
        let latest = latest.entry(voice).or_insert(i64::MIN);
        if let Some(end) = ends.get_mut(at) {
            *end = *latest;
        }
        *latest = cue.end_ms.max(*latest);
    }
    ends
}

/// Script and columns of each line. A line without letters has the script of the whole cue.
fn measured_lines(cue: &Cue, text: &str, japanese: bool) -> Vec<(Script, u32)> {
    let whole = Script::from_text(text, japanese);
    let measured = |line: &String| {
        let has_letters = line.chars().any(char::is_alphabetic);
        let script = if has_letters { Script::from_text(line, japanese) } else { whole };
        (script, script.columns(line))
    };
    cue.lines.iter().map(measured).collect()
}

/// The reading speed of a cue in characters/s, rounded up to a tenth, and its limit, if it is above that.
///
/// People read the lines of a bilingual cue that are in their own script: each script is judged by itself, and the one
/// furthest above its limit is returned.
fn reading_speed(lines: &[(Script, u32)], duration: i64, limits: &Limits) -> Option<(f64, f64)> {
    let too_fast = |script: Script| {
        let own = lines.iter().filter(|line| line.0 == script);
        let columns = own.map(|line| line.1).fold(0, u32::saturating_add);
        if duration <= 0 || limits.reading_ms_of(columns, script) <= duration {
            return None;
        }
        let time = i128::from(script.columns_per_character()) * i128::from(duration);
        let tenths = (i128::from(columns) * 10_000 + time - 1) / time;
        Some((tenths as f64 / 10.0, f64::from(limits.reading_speed(script))))
    };
    Script::ALL.into_iter().filter_map(too_fast).max_by(|one, two| (one.0 / one.1).total_cmp(&(two.0 / two.1)))
}

/// The length in characters of the line furthest above its limit, and the limit.
fn longest_line(lines: &[(Script, u32)], limits: &Limits) -> Option<(f64, f64)> {
    let too_long = lines.iter().filter(|(script, columns)| *columns > limits.line_columns(*script));
    let characters = too_long.map(|(script, columns)| {
        (f64::from(*columns) / f64::from(script.columns_per_character()), f64::from(limits.line_length(*script)))
    });
    characters.max_by(|one, two| (one.0 / one.1).total_cmp(&(two.0 / two.1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cue(begin_ms: i64, end_ms: i64, voice: &str, lines: &[&str]) -> Cue {
        let voice = (!voice.is_empty()).then(|| voice.to_owned());
        Cue { begin_ms, end_ms, voice, lines: lines.iter().map(|&line| line.to_owned()).collect() }
    }

    fn found(cues: &[Cue]) -> Vec<(usize, &'static str, f64, f64)> {
        let all = check(cues, Format::WebVtt, &Limits::default());
        all.into_iter().map(|one| (one.cue, one.rule.name(), one.value, one.limit)).collect()
    }

    #[test]
    fn a_cue_at_its_limits_breaks_no_rule() {
        let line = "a".repeat(42);
        assert_eq!(found(&[cue(0, 4200, "", &[&line, &line]), cue(4283, 5116, "", &["ok"])]), []);
        // One more of each.
        assert_eq!(found(&[cue(0, 4199, "", &[&line, &line])]), [(1, "too_fast", 20.1, 20.0)]);
        assert_eq!(found(&[cue(0, 7000, "", &[&"a".repeat(43)])]), [(1, "line_too_long", 43.0, 42.0)]);
        assert_eq!(
            found(&[cue(0, 7001, "", &["a", "b", "c"])]),
            [(1, "too_long", 7001.0, 7000.0), (1, "too_many_lines", 3.0, 2.0)]
        );
        assert_eq!(
            found(&[cue(0, 1000, "", &["a"]), cue(1082, 1914, "", &["b"])]),
            [(2, "gap_too_small", 82.0, 83.0), (2, "too_short", 832.0, 833.0)]
        );
        assert_eq!(
            found(&[cue(1000, 2000, "", &["a"]), cue(500, 1400, "", &["", " "])]),
            [(1, "overlap", 400.0, 0.0), (2, "empty", 0.0, 1.0), (2, "out_of_order", 500.0, 0.0)]
        );
    }

    #[test]
    fn limits_go_by_the_script_of_each_line() {
        let chinese = "您好请问有什么可以帮您的吗好的"; // 15
        assert_eq!(found(&[cue(0, 1667, "", &[chinese])]), []);
        assert_eq!(found(&[cue(0, 1600, "", &[chinese])]), [(1, "too_fast", 9.4, 9.0)]);
        assert_eq!(
            found(&[cue(0, 7000, "", &["您好，我叫David，请问有什么可以帮您"])]),
            [(1, "line_too_long", 17.5, 16.0)]
        );
        assert_eq!(found(&[cue(0, 7000, "", &["お電話ありがとうございますね"])]), [(1, "line_too_long", 14.0, 13.0)]);
        assert_eq!(found(&[cue(0, 1000, "", &["안녕하세요안녕하세요안녕하"])]), [(1, "too_fast", 13.0, 12.0)]);
        // Bilingual: 15 Han characters and 34 Latin ones are each read in time, and fit their lines.
        let english = "How may I help you today, madam?!?";
        assert_eq!(found(&[cue(0, 1700, "", &[chinese, english])]), []);
        assert_eq!(found(&[cue(0, 1690, "", &[chinese, english])]), [(1, "too_fast", 20.2, 20.0)]);
        let long = "您好请问有什么可以帮您的吗好的再见";
        assert_eq!(found(&[cue(0, 4000, "", &[long, &"a ".repeat(20)])]), [(1, "line_too_long", 17.0, 16.0)]);
        assert_eq!(found(&[cue(0, 4000, "", &[chinese, &"a".repeat(43)])]), [(1, "line_too_long", 43.0, 42.0)]);
    }

    #[test]
    fn voices_may_speak_at_once_and_each_has_its_lines() {
        let both = [cue(0, 2000, "a", &["x"]), cue(1000, 3000, "b", &["y"]), cue(2500, 4000, "b", &["z"])];
        assert_eq!(found(&both), [(3, "overlap", 500.0, 0.0)]);
        let srt = check(&both, Format::Srt, &Limits::default());
        assert_eq!(srt.len(), 2);
        assert_eq!(found(&[cue(0, 3000, "", &["- a: x", "y", "- b: z", "w"])]), []);
    }
}
