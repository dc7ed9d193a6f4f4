//! Counting words and characters (2.9, F3, F17), and questions (F17).
//!
//! One rule for every language: the UAX #29 words of the text that hold a
//! letter or digit. Without a dictionary these are characters in Chinese and
//! words in English. One invariant: the quick count and the count by the book
//! agree on every text. Which texts are counted is decided elsewhere.

use std::borrow::Cow;
use std::iter::Sum;
use std::ops::AddAssign;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use unicode_script::{Script, UnicodeScript};
use unicode_segmentation::UnicodeSegmentation;

/// What a text holds: words, Han characters, and whether they can be told apart.
///
/// Adding up adds the counts; one text that [needs a
/// dictionary](Self::needs_dictionary) makes the sum need one too (F17).
///
/// ```
/// use talkmeter::text::{Markers, Units, count};
///
/// let call: Units = ["iPhone15多少钱", "OK"].map(|text| count(text, Markers::Drop)).into_iter().sum();
/// assert_eq!((call.words(), call.han_chars, call.units()), (Some(2), 3, Some(5)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Units {
    /// Segments that do not begin with a Han character; without meaning where
    /// [`needs_dictionary`](Self::needs_dictionary) is set, so read
    /// [`words()`](Self::words) instead.
    pub words: u32,
    /// Segments whose first character has Script=Han.
    pub han_chars: u32,
    /// Some letter is Thai, Lao, Khmer or Burmese, which have no spaces: null,
    /// reason `script_needs_dictionary`.
    pub needs_dictionary: bool,
}

impl Units {
    /// All segments, whether or not they could be told apart.
    pub(crate) fn total(self) -> u32 {
        self.words.saturating_add(self.han_chars)
    }

    /// Words and Han characters (F3), or `None` where only a dictionary could tell (F17).
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

    /// Words that are no Han characters (F3), or `None` where only a dictionary could tell (F17).
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

/// What becomes of markers such as `[PII]`, `<unk>` or `<|noise|>` (F17).
///
/// ```
/// use talkmeter::text::{Markers, count};
///
/// assert_eq!(count("call [PII] back", Markers::Drop).units(), Some(2));
/// assert_eq!(count("call [PII] back", Markers::Keep).units(), Some(3));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Markers {
    /// They separate words, and do not count: the rule.
    #[default]
    Drop,
    /// They count as the text they are made of.
    Keep,
}

/// Counts the words and Han characters of a text (2.9, F3, F17).
///
/// The text is NFC normalised, markers and the fullwidth `＇，．：；` become
/// spaces, and of the UAX #29 words of what is left those count that hold a
/// letter or digit.
///
/// ```
/// use talkmeter::text::{Markers, Units, count};
///
/// // iPhone15 · 100 · 块 · 2026 · 年
/// let units = count("iPhone15，100块，2026年", Markers::Drop);
/// assert_eq!(units, Units { words: 3, han_chars: 2, needs_dictionary: false });
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

/// Whether a sentence is a question: its trimmed text ends in `?`, `？` or `؟` (F17).
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

/// The rule as it is written.
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

/// The text with a space for each marker and each fullwidth clause mark.
fn separated(text: &str, markers: Markers) -> Cow<'_, str> {
    let mut out = String::new();
    // Up to here the text has been copied.
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

/// The length of the marker a text begins with, 0 when it begins with none:
/// `\[[A-Za-z][A-Za-z0-9 _-]*\]|<\|?[A-Za-z][A-Za-z0-9 _-]*\|?>`.
fn marker_len(text: &[u8]) -> usize {
    let angle = text.first() == Some(&b'<');
    let name = if angle && text.get(1) == Some(&b'|') { 2 } else { 1 };
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

/// Thai, Lao, Khmer and Burmese letters (F17).
fn needs_dictionary(c: char) -> bool {
    c >= '\u{E00}'
        && matches!(c.script(), Script::Thai | Script::Lao | Script::Khmer | Script::Myanmar)
        && c.is_alphabetic()
}

/// What a character does to the words around it. Only characters that NFC
/// leaves alone whatever stands beside them have a class other than `Slow`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// Between words.
    Break,
    /// UAX #29 `ALetter`, and a letter.
    Letter,
    /// UAX #29 Numeric, and a digit.
    Digit,
    /// UAX #29 Katakana, and a letter.
    Katakana,
    /// UAX #29 `ExtendNumLet`: joins, but is no word.
    Joiner,
    /// Joins two letters: UAX #29 `MidLetter`.
    MidLetter,
    /// Joins two digits: UAX #29 `MidNum`.
    MidNum,
    /// Joins either: UAX #29 `MidNumLet`, `Single_Quote`.
    MidNumLet,
    /// May begin a marker; between words otherwise.
    Open,
    /// A Han character: a word by itself.
    Han,
    /// A word by itself that is no Han character: Hiragana.
    Alone,
    /// Anything else: the text is counted by the book.
    Slow,
}

const ASCII: [Class; 128] = {
    let mut table = [Class::Break; 128];
    let mut b = 0;
    while b < table.len() {
        table[b] = match b as u8 {
            b'A'..=b'Z' | b'a'..=b'z' => Class::Letter,
            b'0'..=b'9' => Class::Digit,
            b'_' => Class::Joiner,
            b':' => Class::MidLetter,
            b',' | b';' => Class::MidNum,
            b'.' | b'\'' => Class::MidNumLet,
            b'[' | b'<' => Class::Open,
            _ => Class::Break,
        };
        b += 1;
    }
    table
};

#[inline]
fn class(c: char) -> Class {
    match c {
        '\0'..='\x7F' => ASCII[c as usize & 0x7F],
        '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}' => Class::Han,
        // The fullwidth clause marks are here because they become spaces.
        '、' | '。' | '〈'..='】' | '〔'..='〛' | '\u{3000}' | '！' | '（' | '）' | '？' | '～' | '％' | '￥' => {
            Class::Break
        }
        '＇' | '，' | '．' | '：' | '；' => Class::Break,
        '‐'..='―' | '“' | '”' | '…' | '€' => Class::Break,
        '\u{A0}' | '¡' | '£' | '¥' | '«' | '°' | '»' | '¿' | '×' | '÷' => Class::Break,
        '·' => Class::MidLetter,
        '‘' | '’' => Class::MidNumLet,
        'À'..='ɏ' | 'Ѐ'..='ҁ' | 'Ҋ'..='ԯ' | '가'..='힣' => Class::Letter,
        'ぁ'..='ゖ' => Class::Alone,
        'ァ'..='ヺ' | 'ー'..='ヿ' => Class::Katakana,
        _ => Class::Slow,
    }
}

const LETTER: u8 = 0b1;
const DIGIT: u8 = 0b10;
const JOINS_LETTERS: u8 = LETTER << 2;
const JOINS_DIGITS: u8 = DIGIT << 2;
const NOT_PLAIN: u8 = 0b1_0000;

/// The classes of ASCII as sets of bits, so that no branch is needed.
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
            Class::Break => 0,
            _ => NOT_PLAIN,
        };
        b += 1;
    }
    table
};

/// Counts the words of plain English: ASCII without `_` and what may begin a marker.
fn count_plain_ascii(text: &[u8]) -> Option<u32> {
    let mut words = 0;
    let (mut before, mut left) = (0, 0);
    // In pieces, so that other texts are soon left to others.
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

/// Counts without allocating or looking anything up; `None` when a character
/// is met whose effect depends on more than its [`Class`].
fn count_quickly(text: &str, markers: Markers) -> Option<Units> {
    let bytes = text.as_bytes();
    let mut units = Units::default();
    let mut at = 0;
    // The class of the character in front, `Break` where a segment has ended.
    let mut left = Class::Break;
    // Whether the current segment has been counted.
    let mut counted = false;
    while let Some(&byte) = bytes.get(at) {
        let (class, len) = class_at(text, at, byte);
        at += len;
        match class {
            Class::Letter | Class::Digit => {
                if matches!(left, Class::Break | Class::Katakana) || !counted {
                    units.words += 1;
                    counted = true;
                }
                left = class;
                // The rest of a word changes nothing.
                if class == Class::Letter {
                    while bytes.get(at).is_some_and(u8::is_ascii_alphabetic) {
                        at += 1;
                    }
                }
            }
            Class::Break => left = Class::Break,
            Class::Han => {
                units.han_chars += 1;
                left = Class::Break;
            }
            Class::Alone => {
                units.words += 1;
                left = Class::Break;
            }
            Class::MidLetter | Class::MidNum | Class::MidNumLet => {
                let joins = (left == Class::Letter && class != Class::MidNum)
                    || (left == Class::Digit && class != Class::MidLetter);
                // In front of its like the segment goes on as if nothing were between.
                if !joins || bytes.get(at).is_none_or(|&next| class_at(text, at, next).0 != left) {
                    left = Class::Break;
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
                if left == Class::Break {
                    counted = false;
                }
                left = class;
            }
            Class::Open => {
                if markers == Markers::Drop {
                    let marker = marker_len(bytes.get(at - 1..).unwrap_or_default());
                    at += marker.saturating_sub(1);
                }
                left = Class::Break;
            }
            Class::Slow => return None,
        }
    }
    Some(units)
}

/// The class and length of the character at `at`, whose first byte is `byte`.
#[inline]
fn class_at(text: &str, at: usize, byte: u8) -> (Class, usize) {
    if let Some(&class) = ASCII.get(usize::from(byte)) {
        return (class, 1);
    }
    match text.get(at..).and_then(|rest| rest.chars().next()) {
        Some(c) => (class(c), c.len_utf8()),
        None => (Class::Slow, 1),
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

    /// The rule once more, with the pattern of F17 itself.
    fn by_the_book(text: &str, markers: Markers) -> Units {
        let text: String = text.nfc().collect();
        let text = match markers {
            Markers::Drop => {
                let pattern = r"\[[A-Za-z][A-Za-z0-9 _-]*\]|<\|?[A-Za-z][A-Za-z0-9 _-]*\|?>";
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
        // Undecidable words leave the Han characters alone (F17).
        let units = count("你好 ครับ", Markers::Drop);
        assert_eq!((units.words(), units.han_chars), (None, 2));
        // A Thai sign that is no letter decides nothing.
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
    fn normalised_before_anything() {
        // `>` with a stroke through it closes no marker.
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
        for c in ('\0'..=char::MAX).filter(|&c| class(c) != Class::Slow) {
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

    #[test]
    fn every_quick_character_is_alone_in_its_normal_form() {
        for c in ('\0'..=char::MAX).filter(|&c| class(c) != Class::Slow) {
            assert_eq!(is_nfc_quick(std::iter::once(c)), IsNormalized::Yes, "{c:?}");
            let letter = matches!(class(c), Class::Letter | Class::Digit | Class::Katakana | Class::Han | Class::Alone);
            assert_eq!(c.is_alphanumeric(), letter, "{c:?}");
            assert_eq!(c.script() == Script::Han && letter, class(c) == Class::Han, "{c:?}");
        }
    }

    /// Characters at which the rules of UAX #29, NFC and F17 disagree most.
    const TRICKY: &str = "[ab1２_.,;:'\"\\-\\[\\]<>| \n你々〇，．：；＇。、！“’·\u{301}\u{338}\u{3099}ｶアー・゛はかﾞ한ᄀ\u{1161}\u{11A8}กะ\u{200D}\u{AD}אéＡ😀🇩🇪\u{F900}]{0,14}";

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
