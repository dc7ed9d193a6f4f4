//! How long a line and a cue may be: the usual limits by script, and what a caller puts in their place.
//!
//! One invariant: widths are counted in columns, a full-width character being two of them. A limit of 16 Chinese
//! characters is 32 columns, so that a Latin letter in Chinese text takes half a place, and everything stays whole
//! numbers.
//!
//! The numbers are those of the Netflix timed text style guides (general requirements; English, Chinese, Japanese,
//! Korean), the run-on that of the BBC subtitle guidelines.

use unicode_script::UnicodeScript;
use unicode_width::UnicodeWidthStr;

/// What limits a text: the way it is written.
///
/// ```
/// use talkmeter::captions::Script;
///
/// assert_eq!(Script::of("这里是Acme Cloud技术支持", false), Script::Chinese);
/// assert_eq!(Script::of("I said 你好 to everybody", false), Script::Latin);
/// // Han alone is Japanese where the recording is.
/// assert_eq!(Script::of("東京", true), Script::Japanese);
/// assert_eq!(Script::of("네, 안녕하세요", false), Script::Korean);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Script {
    /// Latin, and every other one that is none of those below.
    Latin,
    /// Simplified or Traditional.
    Chinese,
    /// Kana and Han.
    Japanese,
    /// Hangul.
    Korean,
}

/// How many characters of each kind a text has.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    han: usize,
    kana: usize,
    hangul: usize,
    /// Words of other letters.
    words: usize,
}

impl Tally {
    fn of(text: &str) -> Self {
        let mut tally = Self::default();
        let mut inside = false;
        for c in text.chars() {
            let word = c.is_alphabetic()
                && match c.script() {
                    unicode_script::Script::Han | unicode_script::Script::Bopomofo => {
                        tally.han += 1;
                        false
                    }
                    unicode_script::Script::Hiragana | unicode_script::Script::Katakana => {
                        tally.kana += 1;
                        false
                    }
                    unicode_script::Script::Hangul => {
                        tally.hangul += 1;
                        false
                    }
                    _ => true,
                };
            tally.words += usize::from(word && !inside);
            inside = word;
        }
        tally
    }
}

impl Script {
    /// The script of most of a text: a Han, Kana or Hangul character weighs as much as a word of other letters.
    ///
    /// `japanese` says that Han characters are Japanese; see [`is_japanese`].
    #[must_use]
    pub fn of(text: &str, japanese: bool) -> Self {
        let tally = Tally::of(text);
        let east = tally.han + tally.kana;
        if east > 0 && east >= tally.words && east >= tally.hangul {
            if japanese { Self::Japanese } else { Self::Chinese }
        } else if tally.hangul > 0 && tally.hangul >= tally.words {
            Self::Korean
        } else {
            Self::Latin
        }
    }

    /// How wide a text is, in columns. What has an ambiguous width (quotes, dashes, the ellipsis) is as wide as a
    /// character in Chinese and Japanese text.
    pub(super) fn columns(self, text: &str) -> u32 {
        let columns = match self {
            Self::Chinese | Self::Japanese => text.width_cjk(),
            Self::Latin | Self::Korean => text.width(),
        };
        u32::try_from(columns).unwrap_or(u32::MAX)
    }

    /// Columns that one character of a limit means.
    pub(super) fn columns_a_character(self) -> u32 {
        if self == Self::Latin { 1 } else { 2 }
    }

    /// Characters a line, characters a second.
    fn usual(self) -> (u32, u32) {
        match self {
            Self::Latin => (42, 20),
            Self::Chinese => (16, 9),
            Self::Japanese => (13, 4),
            Self::Korean => (16, 12),
        }
    }
}

/// Whether Han characters in these texts are Japanese: at least a tenth of all Han and Kana is Kana.
///
/// ```
/// use talkmeter::captions::is_japanese;
///
/// assert!(is_japanese(["東京です", "はい"]));
/// assert!(!is_japanese(["您好，请问有什么可以帮您", "谢谢の"]));
/// ```
pub fn is_japanese<'a>(texts: impl IntoIterator<Item = &'a str>) -> bool {
    let (mut kana, mut all) = (0, 0);
    for tally in texts.into_iter().map(Tally::of) {
        kana += tally.kana;
        all += tally.kana + tally.han;
    }
    kana > 0 && kana * 10 >= all
}

/// How captions are cut and what a check holds them against.
///
/// `None` is the script's own limit.
///
/// | script | characters a line | characters a second |
/// | --- | --- | --- |
/// | Latin and others | 42 | 20 |
/// | Chinese | 16 | 9 |
/// | Japanese | 13 | 4 |
/// | Korean | 16 | 12 |
///
/// In the last three a full-width character counts 1 and a half-width one (a Latin letter, a digit, a space) 0.5; in
/// the first a full-width one counts 2.
///
/// ```
/// use talkmeter::captions::{Rules, Script};
///
/// let slower = Rules { reading_speed: Some(17), ..Rules::default() };
/// assert_eq!((slower.line_length(Script::Latin), slower.reading_speed(Script::Latin)), (42, 17));
/// // 32 columns at 18 columns a second.
/// assert_eq!(Rules::default().reading_ms("您好，请问有什么可以帮您的吗？？", Script::Chinese), 1778);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Characters a line at most.
    pub line_length: Option<u32>,
    /// Lines a cue at most; for each speaker where several share one.
    pub lines: u32,
    /// Characters a second at most.
    pub reading_speed: Option<u32>,
    /// A cue is shown at least so long, in ms.
    pub min_duration_ms: i64,
    /// A cue is shown at most so long, in ms.
    pub max_duration_ms: i64,
    /// Between two cues of one speaker, in ms.
    pub gap_ms: i64,
    /// A cue stays at most so long after what it says was said, in ms, and bridges no longer silence.
    pub run_on_ms: i64,
    /// A silence inside a sentence at which a cue may well end, in ms.
    pub pause_ms: i64,
}

impl Default for Rules {
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

impl Rules {
    /// Characters a line.
    #[must_use]
    pub fn line_length(&self, script: Script) -> u32 {
        self.line_length.unwrap_or(script.usual().0).max(1)
    }

    /// Characters a second.
    #[must_use]
    pub fn reading_speed(&self, script: Script) -> u32 {
        self.reading_speed.unwrap_or(script.usual().1).max(1)
    }

    /// How long a text takes to read, in ms, rounded up.
    #[must_use]
    pub fn reading_ms(&self, text: &str, script: Script) -> i64 {
        self.reading_ms_of(script.columns(text), script)
    }

    /// Columns a line.
    pub(super) fn line_columns(&self, script: Script) -> u32 {
        self.line_length(script).saturating_mul(script.columns_a_character())
    }

    pub(super) fn reading_ms_of(&self, columns: u32, script: Script) -> i64 {
        let speed = i64::from(self.reading_speed(script)) * i64::from(script.columns_a_character());
        (i64::from(columns) * 1000 + speed - 1) / speed
    }

    /// How long a cue of so many columns wants to be shown, in ms.
    pub(super) fn wanted_ms(&self, columns: u32, script: Script) -> i64 {
        self.reading_ms_of(columns, script).max(self.min_duration_ms).min(self.max_duration_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latin_letter_takes_half_a_place_in_chinese() {
        assert_eq!(Script::Chinese.columns("我叫David，您好"), 2 * 2 + 5 + 3 * 2);
        assert_eq!(Script::Chinese.columns("“好”…"), 8);
        assert_eq!(Script::Latin.columns("“well”…"), 7);
        assert_eq!(Script::Korean.columns("네 네"), 5);
        assert_eq!(Script::Latin.columns("cafe\u{301}"), 4);
    }

    #[test]
    fn reading_takes_as_long_as_the_slowest_who_must_follow() {
        let rules = Rules::default();
        assert_eq!(rules.reading_ms(&"a".repeat(40), Script::Latin), 2000);
        assert_eq!(rules.reading_ms(&"好".repeat(9), Script::Chinese), 1000);
        assert_eq!(rules.reading_ms("はいはい", Script::Japanese), 1000);
        assert_eq!(rules.reading_ms(&"네".repeat(12), Script::Korean), 1000);
        assert_eq!(rules.wanted_ms(1, Script::Latin), 833);
        assert_eq!(rules.wanted_ms(400, Script::Latin), 7000);
    }

    #[test]
    fn numbers_and_marks_are_of_no_script() {
        assert_eq!(Script::of("2026 … !", false), Script::Latin);
        assert_eq!(Script::of("100块", false), Script::Chinese);
        assert_eq!(Script::of("KT 고객센터", false), Script::Korean);
        assert_eq!(Script::of("", true), Script::Latin);
    }
}
