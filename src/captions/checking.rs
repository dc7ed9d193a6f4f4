//! What is wrong with cues: each rule that one breaks, with its figure and the limit.
//!
//! One invariant: cues are judged as they are shown, names and dashes included, so that a file of anybody's making is
//! held to the same rules as our own.

use std::collections::HashMap;

use super::limits::{Rules, Script, is_japanese};
use super::{Cue, Format};

/// A rule of captions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Rule {
    /// No text.
    Empty,
    /// Begins before the cue in front of it.
    OutOfOrder,
    /// Begins before an earlier cue of the same voice ends; without voices, of any.
    Overlap,
    /// Begins too shortly after the cue of the same voice ended.
    GapTooSmall,
    /// Shown for too short a time, or ends before it begins.
    TooShort,
    /// Shown for too long.
    TooLong,
    /// More characters a second than can be read.
    TooFast,
    /// A line with too many characters.
    LineTooLong,
    /// Too many lines; where each line of speakers begins with `- `, for one of them.
    TooManyLines,
}

impl Rule {
    /// All, in the order of a cue's violations.
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

    /// As it is printed.
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

    /// Of [`Violation::value`] and [`Violation::limit`].
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

/// One rule that one cue breaks.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Violation {
    /// 1-based position of the cue in its file.
    pub cue: usize,
    /// Its begin in ms.
    pub begin_ms: i64,
    /// Its end in ms.
    pub end_ms: i64,
    /// Which.
    pub rule: Rule,
    /// What was found, in [`Rule::unit`].
    pub value: f64,
    /// What is allowed at most; for `gap_too_small`, `too_short` and `empty` at least. How far a cue begins too early has 0.
    pub limit: f64,
    /// The text on one line.
    pub text: String,
}

/// Checks cues in the order of their file. Limits go by the script of each cue.
///
/// ```
/// use talkmeter::captions::{Cue, Format, Rule, Rules, check};
///
/// let cue = Cue { begin_ms: 0, end_ms: 1000, voice: None, lines: vec!["Faster than anybody can read it".into()] };
/// let found = check(&[cue], Format::Srt, &Rules::default());
/// assert_eq!((found[0].rule, found[0].value, found[0].limit), (Rule::TooFast, 31.0, 20.0));
/// ```
#[must_use]
pub fn check(cues: &[Cue], format: Format, rules: &Rules) -> Vec<Violation> {
    let japanese = is_japanese(cues.iter().flat_map(|cue| &cue.lines).map(|line| &**line));
    let mut violations = Vec::new();
    // By voice: the latest end so far.
    let mut ends: HashMap<Option<&str>, i64> = HashMap::new();
    let mut begin_before = i64::MIN;
    for (number, cue) in (1..).zip(cues) {
        let text = cue.lines.iter().filter(|line| !line.is_empty()).map(|line| &**line).collect::<Vec<_>>().join(" ");
        let mut found = |rule, value: f64, limit: f64| {
            let (begin_ms, end_ms) = (cue.begin_ms, cue.end_ms);
            violations.push(Violation { cue: number, begin_ms, end_ms, rule, value, limit, text: text.clone() });
        };
        let script = Script::of(&text, japanese);
        if text.trim().is_empty() {
            found(Rule::Empty, 0.0, 1.0);
        }
        if cue.begin_ms < begin_before {
            found(Rule::OutOfOrder, (begin_before - cue.begin_ms) as f64, 0.0);
        }
        begin_before = cue.begin_ms;
        let voice = cue.voice.as_deref().filter(|_| format == Format::WebVtt);
        let end_before = ends.entry(voice).or_insert(i64::MIN);
        let gap = cue.begin_ms.saturating_sub(*end_before);
        if gap < 0 {
            found(Rule::Overlap, -gap as f64, 0.0);
        } else if gap < rules.gap_ms {
            found(Rule::GapTooSmall, gap as f64, rules.gap_ms as f64);
        }
        *end_before = cue.end_ms.max(*end_before);
        let duration = cue.end_ms - cue.begin_ms;
        if duration < rules.min_duration_ms {
            found(Rule::TooShort, duration as f64, rules.min_duration_ms as f64);
        } else if duration > rules.max_duration_ms {
            found(Rule::TooLong, duration as f64, rules.max_duration_ms as f64);
        }
        let character = f64::from(script.columns_a_character());
        let columns: u32 = cue.lines.iter().map(|line| script.columns(line)).fold(0, u32::saturating_add);
        if duration > 0 && rules.reading_ms_of(columns, script) > duration {
            let speed = f64::from(columns) / character * 1000.0 / duration as f64;
            found(Rule::TooFast, (speed * 10.0).round() / 10.0, f64::from(rules.reading_speed(script)));
        }
        let widest = cue.lines.iter().map(|line| script.columns(line)).max().unwrap_or(0);
        if widest > rules.line_columns(script) {
            found(Rule::LineTooLong, f64::from(widest) / character, f64::from(rules.line_length(script)));
        }
        let speakers = cue.lines.iter().filter(|line| line.starts_with("- ")).count().max(1);
        let limit = rules.lines as usize * speakers;
        if cue.lines.len() > limit {
            found(Rule::TooManyLines, cue.lines.len() as f64, limit as f64);
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cue(begin_ms: i64, end_ms: i64, voice: &str, lines: &[&str]) -> Cue {
        let voice = (!voice.is_empty()).then(|| voice.to_owned());
        Cue { begin_ms, end_ms, voice, lines: lines.iter().map(|&line| line.to_owned()).collect() }
    }

    fn found(cues: &[Cue]) -> Vec<(usize, &'static str, f64, f64)> {
        let all = check(cues, Format::WebVtt, &Rules::default());
        all.into_iter().map(|one| (one.cue, one.rule.name(), one.value, one.limit)).collect()
    }

    #[test]
    fn a_cue_at_its_limits_breaks_no_rule() {
        let line = "a".repeat(42);
        assert_eq!(found(&[cue(0, 4200, "", &[&line, &line]), cue(4283, 5116, "", &["ok"])]), []);
        // One more of each.
        assert_eq!(found(&[cue(0, 4199, "", &[&line, &line])]), [(1, "too_fast", 20.0, 20.0)]);
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
            [(2, "empty", 0.0, 1.0), (2, "out_of_order", 500.0, 0.0), (2, "overlap", 1500.0, 0.0)]
        );
    }

    #[test]
    fn limits_go_by_the_script() {
        let chinese = "您好请问有什么可以帮您的吗好的"; // 15
        assert_eq!(found(&[cue(0, 1667, "", &[chinese])]), []);
        assert_eq!(found(&[cue(0, 1600, "", &[chinese])]), [(1, "too_fast", 9.4, 9.0)]);
        assert_eq!(
            found(&[cue(0, 7000, "", &["您好，我叫David，请问有什么可以帮您"])]),
            [(1, "line_too_long", 17.5, 16.0)]
        );
        assert_eq!(found(&[cue(0, 7000, "", &["お電話ありがとうございますね"])]), [(1, "line_too_long", 14.0, 13.0)]);
        assert_eq!(found(&[cue(0, 1000, "", &["안녕하세요안녕하세요안녕하"])]), [(1, "too_fast", 13.0, 12.0)]);
    }

    #[test]
    fn voices_may_speak_at_once_and_each_has_its_lines() {
        let both = [cue(0, 2000, "a", &["x"]), cue(1000, 3000, "b", &["y"]), cue(2500, 4000, "b", &["z"])];
        assert_eq!(found(&both), [(3, "overlap", 500.0, 0.0)]);
        let srt = check(&both, Format::Srt, &Rules::default());
        assert_eq!(srt.len(), 2);
        assert_eq!(found(&[cue(0, 3000, "", &["- a: x", "y", "- b: z", "w"])]), []);
    }
}
