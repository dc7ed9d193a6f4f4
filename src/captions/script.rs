//! Which script a text is written in, and how wide it is.
//!
//! Widths are in columns: a full-width character takes two. A limit of 16 Chinese characters is 32 columns, so a Latin
//! letter in Chinese text takes half a place and all arithmetic is in integers.

use unicode_script::UnicodeScript;
use unicode_width::UnicodeWidthStr;

/// The script of a text, which decides its limits.
///
/// ```
/// use talkmeter::captions::Script;
///
/// assert_eq!(Script::from_text("这里是Acme Cloud技术支持", false), Script::Chinese);
/// assert_eq!(Script::from_text("I said 你好 to everybody", false), Script::Latin);
/// // Han alone is Japanese if the recording is.
/// assert_eq!(Script::from_text("東京", true), Script::Japanese);
/// assert_eq!(Script::from_text("네, 안녕하세요", false), Script::Korean);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Script {
    /// Latin, and all scripts not listed below.
    Latin,
    /// Simplified or traditional Han.
    Chinese,
    /// Kana and Han.
    Japanese,
    /// Hangul.
    Korean,
}

/// Letters of a text by script.
#[derive(Debug, Clone, Copy, Default)]
struct LetterCounts {
    han: usize,
    kana: usize,
    hangul: usize,
    /// Words of other letters.
    words: usize,
}

impl LetterCounts {
    fn new(text: &str) -> Self {
        let mut counts = Self::default();
        let mut inside = false;
        for c in text.chars() {
            let word = c.is_alphabetic()
                && match c.script() {
                    unicode_script::Script::Han | unicode_script::Script::Bopomofo => {
                        counts.han += 1;
                        false
                    }
                    unicode_script::Script::Hiragana | unicode_script::Script::Katakana => {
                        counts.kana += 1;
                        false
                    }
                    unicode_script::Script::Hangul => {
                        counts.hangul += 1;
                        false
                    }
                    _ => true,
                };
            counts.words += usize::from(word && !inside);
            inside = word;
        }
        counts
    }
}

impl Script {
    /// All scripts.
    pub const ALL: [Self; 4] = [Self::Latin, Self::Chinese, Self::Japanese, Self::Korean];

    /// The predominant script of a text. A Han, Kana or Hangul character weighs as much as a word of other letters.
    ///
    /// `japanese`: Han characters are Japanese; see [`is_japanese`].
    #[must_use]
    pub fn from_text(text: &str, japanese: bool) -> Self {
        let counts = LetterCounts::new(text);
        let east = counts.han + counts.kana;
        if east > 0 && east >= counts.words && east >= counts.hangul {
            if japanese { Self::Japanese } else { Self::Chinese }
        } else if counts.hangul > 0 && counts.hangul >= counts.words {
            Self::Korean
        } else {
            Self::Latin
        }
    }

    /// Width of a text in columns. Characters of ambiguous width (quotes, dashes, the ellipsis) take two columns in Chinese
    /// and Japanese text.
    pub(super) fn columns(self, text: &str) -> u32 {
        let columns = match self {
            Self::Chinese | Self::Japanese => text.width_cjk(),
            Self::Latin | Self::Korean => text.width(),
        };
        u32::try_from(columns).unwrap_or(u32::MAX)
    }

    /// Columns per character of a limit.
    pub(super) fn columns_per_character(self) -> u32 {
        if self == Self::Latin { 1 } else { 2 }
    }

    /// Usual limits: characters per line, characters per second.
    pub(super) fn usual_limits(self) -> (u32, u32) {
        match self {
            Self::Latin => (42, 20),
            Self::Chinese => (16, 9),
            Self::Japanese => (13, 4),
            Self::Korean => (16, 12),
        }
    }
}

/// Whether the Han characters of these texts are Japanese: Kana make up at least a tenth of all Han and Kana.
///
/// ```
/// use talkmeter::captions::is_japanese;
///
/// assert!(is_japanese(["東京です", "はい"]));
/// assert!(!is_japanese(["您好，请问有什么可以帮您", "谢谢の"]));
/// ```
pub fn is_japanese<'a>(texts: impl IntoIterator<Item = &'a str>) -> bool {
    let (mut kana, mut all) = (0, 0);
    for counts in texts.into_iter().map(LetterCounts::new) {
        kana += counts.kana;
        all += counts.kana + counts.han;
    }
    kana > 0 && kana * 10 >= all
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
    fn numbers_and_marks_are_of_no_script() {
        assert_eq!(Script::from_text("2026 … !", false), Script::Latin);
        assert_eq!(Script::from_text("100块", false), Script::Chinese);
        assert_eq!(Script::from_text("KT 고객센터", false), Script::Korean);
        assert_eq!(Script::from_text("", true), Script::Latin);
    }
}
