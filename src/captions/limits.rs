//! How long a line and a cue may be: the usual limits for each script, and the caller's own.
//!
//! Line lengths and reading speeds follow the Netflix timed text style guides (general requirements; English, Chinese,
//! Japanese, Korean), the run-on the BBC subtitle guidelines.

use super::script::Script;

/// Limits for cutting and checking captions. `None` means the usual limit of the script:
///
/// | script | characters per line | characters per second |
/// | --- | --- | --- |
/// | Latin and others | 42 | 20 |
/// | Chinese | 16 | 9 |
/// | Japanese | 13 | 4 |
/// | Korean | 16 | 12 |
///
/// In Chinese, Japanese and Korean a full-width character counts 1 and a half-width one (a Latin letter, a digit, a space)
/// 0.5; otherwise a full-width character counts 2.
///
/// ```
/// use talkmeter::captions::{Limits, Script};
///
/// let mut slower = Limits::default();
/// slower.reading_speed = Some(17);
/// assert_eq!((slower.line_length(Script::Latin), slower.reading_speed(Script::Latin)), (42, 17));
/// // 32 columns at 18 columns a second.
/// assert_eq!(Limits::default().reading_ms("您好，请问有什么可以帮您的吗？？", Script::Chinese), 1778);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Limits {
    /// Maximum characters per line.
    pub line_length: Option<u32>,
    /// Maximum lines per cue; per speaker if several share one.
    pub lines: u32,
    /// Maximum characters per second.
    pub reading_speed: Option<u32>,
    /// Minimum time a cue is shown, in ms.
    pub min_duration_ms: i64,
    /// Maximum time a cue is shown, in ms.
    pub max_duration_ms: i64,
    /// Minimum gap between two cues of one speaker, in ms.
    pub gap_ms: i64,
    /// How long a cue may stay after its last word, in ms; also the longest silence it may span.
    pub run_on_ms: i64,
    /// A silence inside a sentence that makes a good place to end a cue, in ms.
    pub pause_ms: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line_length: None,
            lines: 2,
            reading_speed: None,
            min_duration_ms: 833,
            max_duration_ms: 7000,
            gap_ms: 83,
            run_on_ms: 1500,
            pause_ms: 250,
        }
    }
}

impl Limits {
    /// Maximum characters per line in this script.
    #[must_use]
    pub fn line_length(&self, script: Script) -> u32 {
        self.line_length.unwrap_or(script.usual_limits().0).max(1)
    }

    /// Maximum characters per second in this script.
    #[must_use]
    pub fn reading_speed(&self, script: Script) -> u32 {
        self.reading_speed.unwrap_or(script.usual_limits().1).max(1)
    }

    /// Reading time of a text in ms, rounded up.
    #[must_use]
    pub fn reading_ms(&self, text: &str, script: Script) -> i64 {
        self.reading_ms_of(script.columns(text), script)
    }

    /// Maximum columns per line.
    pub(super) fn line_columns(&self, script: Script) -> u32 {
        self.line_length(script).saturating_mul(script.columns_per_character())
    }

    pub(super) fn reading_ms_of(&self, columns: u32, script: Script) -> i64 {
        let speed = i64::from(self.reading_speed(script)) * i64::from(script.columns_per_character());
        (i64::from(columns) * 1000 + speed - 1) / speed
    }

    /// Target time to show a cue of this width, in ms.
    pub(super) fn display_ms(&self, columns: u32, script: Script) -> i64 {
        self.reading_ms_of(columns, script).max(self.min_duration_ms).min(self.max_duration_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_time_is_bounded_by_the_durations() {
        let limits = Limits::default();
        assert_eq!(limits.reading_ms(&"a".repeat(40), Script::Latin), 2000);
        assert_eq!(limits.reading_ms(&"好".repeat(9), Script::Chinese), 1000);
        assert_eq!(limits.reading_ms("はいはい", Script::Japanese), 1000);
        assert_eq!(limits.reading_ms(&"네".repeat(12), Script::Korean), 1000);
        assert_eq!(limits.display_ms(1, Script::Latin), 833);
        assert_eq!(limits.display_ms(400, Script::Latin), 7000);
    }
}
