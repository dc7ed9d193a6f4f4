//! Counting words and Han characters, and recognising questions (definitions: units).
//!
//! One rule for every language: UAX #29 words that contain a letter or digit. Without a dictionary that means
//! characters in Chinese and words in English. The fast counts must agree with [`count_general`] on every text.

use std::borrow::Cow;
use std::iter::Sum;
use std::ops::AddAssign;

use memchr::memchr2;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use unicode_script::{Script, UnicodeScript};
use unicode_segmentation::UnicodeSegmentation;

use super::class::{ASCII, Class, class};
use super::joining::join_into;

/// Words and Han characters of a text, and whether they can be counted at all.
///
/// Sums add the counts; one text that [needs a dictionary](Self::needs_dictionary()) makes the sum need one too.
///
/// ```
/// use talkmeter::text::{Markers, Units, count};
///
/// let call: Units = ["iPhone15多少钱", "OK"].map(|text| count(text, Markers::Drop)).into_iter().sum();
/// assert_eq!((call.words(), call.han_chars(), call.units()), (Some(2), 3, Some(5)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Units {
    /// Words that do not begin with a Han character. Meaningless if
    /// [`needs_dictionary()`](Self::needs_dictionary()) is set: use [`words()`](Self::words) instead.
    pub(crate) words: u32,
    /// Words whose first character has Script=Han: single characters.
    pub(crate) han_chars: u32,
    /// The text contains Thai, Lao, Khmer or Burmese letters, which are written without spaces: counts are null,
    /// reason `script_needs_dictionary`.
    pub(crate) needs_dictionary: bool,
}

impl Units {
    /// All words, even if the script needs a dictionary.
    pub(crate) fn total(self) -> u32 {
        self.words.saturating_add(self.han_chars)
    }

    /// Words plus Han characters, or `None` if the script needs a dictionary.
    ///
    /// ```
    /// use talkmeter::text::{Markers, count};
    ///
    /// assert_eq!(count("Hello world, 这里是阿里巴巴语音实验室。", Markers::Drop).units(), Some(2 + 12));
    /// assert_eq!(count("สวัสดีครับ", Markers::Drop).units(), None);
    /// ```
    #[inline]
    #[must_use]
    pub fn units(self) -> Option<u32> {
        (!self.needs_dictionary).then(|| self.words.saturating_add(self.han_chars))
    }

    /// Han characters; known for every script.
    #[inline]
    #[must_use]
    pub fn han_chars(self) -> u32 {
        self.han_chars
    }

    /// Whether only a dictionary could count the words: Thai, Lao, Khmer and Burmese are written without spaces.
    #[inline]
    #[must_use]
    pub fn needs_dictionary(self) -> bool {
        self.needs_dictionary
    }

    /// Words that are not Han characters, or `None` if the script needs a dictionary.
    ///
    /// ```
    /// use talkmeter::text::{Markers, count};
    ///
    /// assert_eq!(count("2020年3月1日", Markers::Drop).words(), Some(3));
    /// ```
    #[inline]
    #[must_use]
    pub fn words(self) -> Option<u32> {
        (!self.needs_dictionary).then_some(self.words)
    }
}

impl AddAssign for Units {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        self.words = self.words.saturating_add(other.words);
        self.han_chars = self.han_chars.saturating_add(other.han_chars);
        self.needs_dictionary = self.needs_dictionary || other.needs_dictionary;
    }
}

impl Sum for Units {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::default(), |mut total, units| {
            total += units;
            total
        })
    }
}

/// How markers such as `[PII]`, `<unk>` or `<|noise|>` are treated.
///
/// ```
/// use talkmeter::text::{Markers, count};
///
/// assert_eq!(count("call [PII] back", Markers::Drop).units(), Some(2));
/// assert_eq!(count("call [PII] back", Markers::Keep).units(), Some(3));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Markers {
    /// They separate words and are not text themselves (the definition).
    #[default]
    Drop,
    /// They count as ordinary text.
    Keep,
}

impl Markers {
    /// A text as it is shown and searched.
    pub(crate) fn shown(self, text: Cow<'_, str>) -> Cow<'_, str> {
        match (self, text) {
            (Self::Keep, text) => text,
            (Self::Drop, Cow::Borrowed(text)) => without_markers(text),
            (Self::Drop, Cow::Owned(text)) => match without_markers(&text) {
                Cow::Borrowed(_) => Cow::Owned(text),
                Cow::Owned(shown) => Cow::Owned(shown),
            },
        }
    }
}

/// Counts the words and Han characters of a text.
///
/// The text is NFC normalised, markers and the fullwidth marks `＇，．：；` become spaces, and every UAX #29 word of the
/// rest that contains a letter or digit counts (definitions: units).
///
/// ```
/// use talkmeter::text::{Markers, count};
///
/// // iPhone15 · 100 · 块 · 2026 · 年
/// let units = count("iPhone15，100块，2026年", Markers::Drop);
/// assert_eq!((units.words(), units.han_chars()), (Some(3), 2));
/// // don't · stop · e · mail · AI · driven
/// assert_eq!(count("don't stop e-mail AI-driven", Markers::Drop).units(), Some(6));
/// ```
#[must_use]
pub fn count(text: &str, markers: Markers) -> Units {
    if let Some(words) = count_plain_ascii(text.as_bytes()) {
        return Units { words, ..Units::default() };
    }
    count_quickly(text, markers).unwrap_or_else(|| count_general(text, markers))
}

/// Whether a sentence is a question: its trimmed text ends in `?`, `？` or `؟`.
///
/// ```
/// use talkmeter::text::is_question;
///
/// assert!(is_question("Who is it? "));
/// assert!(is_question("你好吗？"));
/// assert!(!is_question("你好吗"));
/// ```
#[inline]
#[must_use]
pub fn is_question(text: &str) -> bool {
    text.trim_end().ends_with(['?', '？', '؟'])
}

/// The definition, word by word.
fn count_general(text: &str, markers: Markers) -> Units {
    let normal = match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(text.nfc().collect()),
    };
    let mut units = Units::default();
    for segment in separated(&normal, markers).split_word_bounds() {
        let mut counts = false;
        for c in segment.chars() {
            counts |= c.is_alphanumeric();
            units.needs_dictionary |= needs_dictionary(c);
        }
        if counts {
            if segment.chars().next().is_some_and(|first| first.script() == Script::Han) {
                units.han_chars += 1;
            } else {
                units.words += 1;
            }
        }
    }
    units
}

/// The text with a space in place of each marker and each fullwidth clause mark.
pub(super) fn separated(text: &str, markers: Markers) -> Cow<'_, str> {
    let mut out = String::new();
    // The text is copied up to here.
    let mut done = 0;
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let Some(c) = rest.chars().next() else { break };
        let drop = match c {
            '＇' | '，' | '．' | '：' | '；' => c.len_utf8(),
            '[' | '<' if markers == Markers::Drop => marker_len(rest.as_bytes()),
            _ => 0,
        };
        if drop == 0 {
            at += c.len_utf8();
            continue;
        }
        out.push_str(text.get(done..at).unwrap_or_default());
        out.push(' ');
        at += drop;
        done = at;
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(out)
}

/// Length of the marker at the start of a text, 0 if there is none:
/// `\[[A-Za-z][A-Za-z0-9 _-]*\]|<\|?/?[A-Za-z][A-Za-z0-9 _-]*\|?>`.
fn marker_len(text: &[u8]) -> usize {
    let angle = text.first() == Some(&b'<');
    let mut name = 1;
    if angle {
        name += usize::from(text.get(name) == Some(&b'|'));
        name += usize::from(text.get(name) == Some(&b'/'));
    }
    if !text.get(name).is_some_and(u8::is_ascii_alphabetic) {
        return 0;
    }
    let in_name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'_' | b'-');
    let mut end = name + text.iter().skip(name).take_while(|&b| in_name(b)).count();
    if angle && text.get(end) == Some(&b'|') {
        end += 1;
    }
    let close = if angle { b'>' } else { b']' };
    if text.get(end) == Some(&close) { end + 1 } else { 0 }
}

/// A text without its markers; the rest is joined as separate parts.
///
/// This is the text that captions, keywords and evidence use.
fn without_markers(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let (mut done, mut at) = (0, 0);
    while let Some(found) = text.as_bytes().get(at..).and_then(|rest| memchr2(b'[', b'<', rest)) {
        at += found;
        let marker = marker_len(text.as_bytes().get(at..).unwrap_or_default());
        if marker > 0 {
            join_into(&mut out, text.get(done..at).unwrap_or_default());
            done = at + marker;
        }
        at += marker.max(1);
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    join_into(&mut out, text.get(done..).unwrap_or_default());
    Cow::Owned(out)
}

/// Thai, Lao, Khmer and Burmese letters.
fn needs_dictionary(c: char) -> bool {
    c >= '\u{E00}'
        && matches!(c.script(), Script::Thai | Script::Lao | Script::Khmer | Script::Myanmar)
        && c.is_alphabetic()
}

/// No word is open.
const ENDED: Class = Class::Separator;

const LETTER: u8 = 0b1;
const DIGIT: u8 = 0b10;
const JOINS_LETTERS: u8 = LETTER << 2;
const JOINS_DIGITS: u8 = DIGIT << 2;
const NOT_PLAIN: u8 = 0b1_0000;

/// The ASCII classes as bit sets, for counting without branches.
const PLAIN: [u8; 256] = {
    let mut table = [NOT_PLAIN; 256];
    let mut b = 0;
    while b < ASCII.len() {
        table[b] = match ASCII[b] {
            Class::Letter => LETTER,
            Class::Digit => DIGIT,
            Class::MidLetter => JOINS_LETTERS,
            Class::MidNum => JOINS_DIGITS,
            Class::MidNumLet => JOINS_LETTERS | JOINS_DIGITS,
            Class::Separator | Class::Symbol => 0,
            _ => NOT_PLAIN,
        };
        b += 1;
    }
    table
};

/// Counts plain English: ASCII without `_`, `[` and `<`. `None` for other texts.
fn count_plain_ascii(text: &[u8]) -> Option<u32> {
    let mut words = 0;
    let (mut before, mut left) = (0, 0);
    // In chunks, to give up early on other texts.
    for piece in text.chunks(16) {
        let mut seen = 0;
        for &byte in piece {
            let right = PLAIN[usize::from(byte)];
            let begins = right & (LETTER | DIGIT) != 0 && left & (LETTER | DIGIT) == 0;
            let joined = before & (left >> 2) & right != 0;
            words += u32::from(begins & !joined);
            seen |= right;
            (before, left) = (left, right);
        }
        if seen & NOT_PLAIN != 0 {
            return None;
        }
    }
    Some(words)
}

/// Counts without allocation or table look-ups; `None` if a character's effect depends on more than its [`Class`].
fn count_quickly(text: &str, markers: Markers) -> Option<Units> {
    let bytes = text.as_bytes();
    let mut units = Units::default();
    let mut at = 0;
    // Class of the previous character, [`ENDED`] after the end of a word.
    let mut left = ENDED;
    // Whether the current word is counted already.
    let mut counted = false;
    while let Some(&byte) = bytes.get(at) {
        let (class, len) = class_at(text, at, byte);
        at += len;
        match class {
            Class::Letter | Class::Digit => {
                if matches!(left, ENDED | Class::Katakana) || !counted {
                    units.words += 1;
                    counted = true;
                }
                left = class;
                // Skip the rest of the word.
                if class == Class::Letter {
                    while bytes.get(at).is_some_and(u8::is_ascii_alphabetic) {
                        at += 1;
                    }
                }
            }
            Class::Separator | Class::Symbol => left = ENDED,
            Class::Han => {
                units.han_chars += 1;
                left = ENDED;
            }
            Class::Hiragana => {
                units.words += 1;
                left = ENDED;
            }
            Class::MidLetter | Class::MidNum | Class::MidNumLet => {
                let joins = (left == Class::Letter && class != Class::MidNum)
                    || (left == Class::Digit && class != Class::MidLetter);
                // The word continues if the next character is of the same class.
                if !joins || bytes.get(at).is_none_or(|&next| class_at(text, at, next).0 != left) {
                    left = ENDED;
                }
            }
            Class::Katakana => {
                if !matches!(left, Class::Katakana | Class::Joiner) || !counted {
                    units.words += 1;
                    counted = true;
                }
                left = class;
            }
            Class::Joiner => {
                if left == ENDED {
                    counted = false;
                }
                left = class;
            }
            Class::Open => {
                if markers == Markers::Drop {
                    let marker = marker_len(bytes.get(at - 1..).unwrap_or_default());
                    at += marker.saturating_sub(1);
                }
                left = ENDED;
            }
            Class::Caseless | Class::Rare => return None,
        }
    }
    Some(units)
}

/// Class and length of the character at `at`, whose first byte is `byte`.
#[inline]
fn class_at(text: &str, at: usize, byte: u8) -> (Class, usize) {
    if byte.is_ascii() {
        return (ASCII[usize::from(byte)], 1);
    }
    match text.get(at..).and_then(|rest| rest.chars().next()) {
        // Case does not matter for counting.
        Some(c) if class(c) == Class::Caseless => (Class::Letter, c.len_utf8()),
        Some(c) => (class(c), c.len_utf8()),
        None => (Class::Rare, 1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    fn units(text: &str) -> Option<u32> {
        count(text, Markers::Drop).units()
    }

    /// The definition again, with a regex for the markers.
    fn by_the_book(text: &str, markers: Markers) -> Units {
        let text: String = text.nfc().collect();
        let text = match markers {
            Markers::Drop => {
                let pattern = r"\[[A-Za-z][A-Za-z0-9 _-]*\]|<\|?/?[A-Za-z][A-Za-z0-9 _-]*\|?>";
                Regex::new(pattern).unwrap().replace_all(&text, " ").into_owned()
            }
            Markers::Keep => text,
        };
        let text = text.replace(['＇', '，', '．', '：', '；'], " ");
        let (han, words): (Vec<&str>, Vec<&str>) = text
            .split_word_bounds()
            .filter(|segment| segment.chars().any(char::is_alphanumeric))
            .partition(|segment| segment.chars().next().unwrap().script() == Script::Han);
        let undecidable = Regex::new(r"[\p{Alphabetic}&&[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]]").unwrap();
        Units {
            words: u32::try_from(words.len()).unwrap(),
            han_chars: u32::try_from(han.len()).unwrap(),
            needs_dictionary: undecidable.is_match(&text),
        }
    }

    fn agree(text: &str) {
        for markers in [Markers::Drop, Markers::Keep] {
            let general = count_general(text, markers);
            if let Some(quick) = count_quickly(text, markers) {
                assert_eq!(quick, general, "{text:?} {markers:?}");
            }
            if let Some(words) = count_plain_ascii(text.as_bytes()) {
                assert_eq!(Units { words, ..Units::default() }, general, "{text:?} {markers:?}");
            }
        }
    }

    #[test]
    fn vectors_of_the_definition() {
        for (text, expected) in [
            ("Hello world, 这里是阿里巴巴语音实验室。", 14),
            ("iPhone15多少钱", 4),
            ("iPhone15，100块，2026年", 5),
            ("WiFi密码是abc123", 5),
            ("2020年3月1日", 6),
            ("今日はアイスクリームを食べた", 8),
            ("안녕하세요 여러분", 2),
            ("don't stop e-mail AI-driven", 6),
            ("3.14 12:30 1,000 50% $20", 6),
            ("C++ & C#", 2),
            ("，", 0),
            ("", 0),
            ("[PII]", 0),
            ("<unk>", 0),
            ("****", 0),
        ] {
            assert_eq!(units(text), Some(expected), "{text}");
            assert_eq!(count_general(text, Markers::Drop).units(), Some(expected), "{text}");
        }
        assert_eq!(count("[PII]", Markers::Keep).units(), Some(1));
        assert_eq!(count("<unk>", Markers::Keep).units(), Some(1));
        let thai = count("สวัสดีครับ", Markers::Drop);
        assert_eq!((thai.units(), thai.words(), thai.han_chars), (None, None, 0));
    }

    #[test]
    fn vectors_are_quick() {
        for text in [
            "Hello world, 这里是阿里巴巴语音实验室。",
            "今日はアイスクリームを食べた",
            "안녕하세요 여러분",
            "don’t — “où ça?” £20",
            "阿里·巴巴：《你好》？",
            "Привет, мир",
        ] {
            assert!(count_quickly(text, Markers::Drop).is_some(), "{text}");
            agree(text);
        }
    }

    #[test]
    fn words_and_han() {
        let units = count("今日はアイスクリームを食べた", Markers::Drop);
        assert_eq!((units.words(), units.han_chars), (Some(5), 3));
        // Han characters are counted even if the words cannot be.
        let units = count("你好 ครับ", Markers::Drop);
        assert_eq!((units.words(), units.han_chars), (None, 2));
        // Thai signs and digits need no dictionary.
        assert_eq!(count("฿20 ๑๒", Markers::Drop).units(), Some(2));
    }

    #[test]
    fn sums_keep_what_is_undecidable() {
        let some = Units { words: 2, han_chars: 1, needs_dictionary: false };
        let none = Units { words: 1, han_chars: 3, needs_dictionary: true };
        assert_eq!([some, some].into_iter().sum::<Units>().units(), Some(6));
        let both: Units = [some, none].into_iter().sum();
        assert_eq!((both.units(), both.words(), both.han_chars), (None, None, 4));
        assert_eq!([].into_iter().sum::<Units>(), Units::default());
        let mut full = Units { words: u32::MAX, han_chars: u32::MAX, needs_dictionary: false };
        full += some;
        assert_eq!(full.units(), Some(u32::MAX));
    }

    #[test]
    fn markers_separate() {
        for (text, expected) in [
            ("a[PII]b", 2),
            ("[a b_c-9]x", 1),
            ("<|noise|> <noise|> <|noise>", 0),
            ("<|Speech|>a b<|/Speech|><|ANGRY|></i>", 2),
            ("</|a> [/a] <//a>", 3),
            ("[1a]", 1),
            ("[ a]", 1),
            ("[a", 1),
            ("[a>", 1),
            ("<a]", 1),
            ("<||a>", 1),
            ("[a|]", 1),
            ("[[a]]", 0),
            ("[é]", 1),
            ("[unk][unk]你", 1),
            ("3[a].14", 2),
            ("[e\u{301}]", 1),
        ] {
            assert_eq!(units(text), Some(expected), "{text}");
            assert_eq!(by_the_book(text, Markers::Drop).units(), Some(expected), "{text}");
        }
    }

    #[test]
    fn text_without_markers_joins_what_they_separate() {
        for (text, expected) in [
            ("<|Speech|>Where is my order?<|/Speech|><|ANGRY|>", "Where is my order?"),
            ("call[PII]back", "call back"),
            ("你<unk>好", "你好"),
            ("[noise]", ""),
            ("a [1] b <", "a [1] b <"),
            ("[[a]]", "[ ]"),
        ] {
            assert_eq!(without_markers(text), expected, "{text}");
        }
    }

    #[test]
    fn normalised_before_anything() {
        // `>` with a combining stroke closes no marker.
        assert_eq!(units("<unk>\u{338}"), Some(1));
        // A compatibility ideograph becomes a Han character.
        assert_eq!(count("\u{F900}", Markers::Drop).han_chars, 1);
        assert_eq!(units("cafe\u{301}s"), Some(1));
    }

    #[test]
    fn questions() {
        for text in ["?", "a? ", "好吗？\n", "كيف؟", "really?\u{3000}"] {
            assert!(is_question(text), "{text}");
        }
        for text in ["", "a?!", "好吗", "?a", "“a?”"] {
            assert!(!is_question(text), "{text}");
        }
    }

    #[test]
    fn every_quick_character_beside_every_kind() {
        let kinds = ["", "a", "1", "_", "'", ":", ",", ".", "ア", "は", "你", " ", "\"", "a_", "1,", "a:"];
        let mut quick = 0;
        for c in ('\0'..=char::MAX).filter(|&c| class(c) != Class::Rare) {
            // The long blocks of one class are sampled.
            if c > '\u{3400}' && c < '\u{FF00}' && u32::from(c) % 97 != 0 {
                continue;
            }
            quick += 1;
            for left in kinds {
                for right in ["", "a", "1", "_", "ア", "你", "'a", ",1", "\n", "가"] {
                    agree(&format!("{left}{c}{right}"));
                }
            }
            agree(&format!("{c}{c}a{c}a1{c}1"));
        }
        assert!(quick > 1000);
    }

    /// Characters on which UAX #29, NFC and the marker rule interact most.
    const TRICKY: &str = "[ab1２_.,;:'\"\\-\\[\\]<>|/ \n你々〇，．：；＇。、！“’·\u{301}\u{338}\u{3099}ｶアー・゛はかﾞ한ᄀ\u{1161}\u{11A8}กะ\u{200D}\u{AD}אéＡ😀🇩🇪\u{F900}]{0,14}";

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn quick_count_is_the_general_one(text in TRICKY) {
            agree(&text);
        }

        #[test]
        fn quick_count_is_the_general_one_for_ascii(text in "[ab12.,;:'\" \n-]{0,20}", any in "[ -~\n]{0,80}") {
            prop_assert!(count_plain_ascii(text.as_bytes()).is_some());
            agree(&text);
            agree(&any);
        }

        #[test]
        fn quick_count_is_the_general_one_without_slow_characters(
            text in "[ab1_.,;:'\"\\-\\[\\]<>| \n你，．：；＇。！“’·éжアーは한]{0,20}",
        ) {
            prop_assert!(count_quickly(&text, Markers::Drop).is_some());
            agree(&text);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn general_count_is_the_definition(text in TRICKY, any in "\\PC{0,20}") {
            for markers in [Markers::Drop, Markers::Keep] {
                prop_assert_eq!(count(&text, markers), by_the_book(&text, markers));
                prop_assert_eq!(count(&any, markers), by_the_book(&any, markers));
            }
        }
    }
}
