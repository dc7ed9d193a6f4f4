//! Folded text for keyword search, with a map back to the original.
//!
//! A range of the folded text maps to whole grapheme clusters of the original, so a match never cuts one.
//!
//! Runs of common characters skip the general path: on calls in English and Chinese it takes about 750 ns a character,
//! as long as parsing the whole result file, against 3–5 ns.

use std::ops::Range;

use unicase::UniCase;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_script::{Script, UnicodeScript};
use unicode_segmentation::UnicodeSegmentation;

use super::class::{ASCII, Class, class};
use super::joining::is_unspaced;

/// How a text is normalised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// NFKC, case-folded, punctuation, signs and white space collapsed: for plain terms.
    Folded,
    /// As `Folded`, but [signs](is_sign) stay, without white space beside them: for terms with signs.
    Signs,
    /// NFKC only: for `/regex/`.
    Nfkc,
}

/// A normalised text, and where each stretch of it comes from.
#[derive(Clone, Debug, Default)]
pub(crate) struct FoldedText {
    bytes: Vec<u8>,
    runs: Vec<Run>,
    /// Separators since the last kept character.
    gap: bool,
    /// The last kept character is [written without spaces](is_unspaced).
    unspaced: bool,
}

/// A stretch of the normalised text: starts at `at`, comes from `from`.
#[derive(Clone, Copy, Debug)]
struct Run {
    at: usize,
    from: usize,
    /// `None`: a byte-for-byte copy. Otherwise one cluster: its length in the original and here.
    whole: Option<(usize, usize)>,
}

impl FoldedText {
    /// Replaces the content by `text`, normalised.
    pub(crate) fn read(&mut self, text: &str, form: Form) {
        self.bytes.clear();
        self.runs.clear();
        self.gap = false;
        self.unspaced = false;
        let mut at = 0;
        while at < text.len() {
            at = self.plain(text, at, form);
            at = self.clusters(text, at, form);
        }
        if form != Form::Nfkc {
            self.bytes.make_ascii_lowercase();
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap_or_default()
    }

    /// The original of exactly this range; `None` if the range cuts a cluster.
    pub(crate) fn exactly(&self, range: Range<usize>) -> Option<Range<usize>> {
        let first = self.run_at(range.start)?;
        let start = match first.whole {
            None => first.from + (range.start - first.at),
            Some(_) if range.start == first.at => first.from,
            Some(_) => return None,
        };
        let last = self.run_at(range.end.checked_sub(1)?)?;
        let end = match last.whole {
            None => last.from + (range.end - last.at),
            Some((there, here)) if range.end == last.at + here => last.from + there,
            Some(_) => return None,
        };
        Some(start..end)
    }

    /// The smallest stretch of the original that contains this range.
    pub(crate) fn around(&self, range: Range<usize>) -> Option<Range<usize>> {
        let first = self.run_at(range.start)?;
        let start = match first.whole {
            None => first.from + (range.start - first.at),
            Some(_) => first.from,
        };
        let last = self.run_at(range.end.checked_sub(1)?)?;
        let end = match last.whole {
            None => last.from + (range.end - last.at),
            Some((there, _)) => last.from + there,
        };
        Some(start..end)
    }

    fn run_at(&self, at: usize) -> Option<Run> {
        let after = self.runs.partition_point(|run| run.at <= at);
        self.runs.get(after.checked_sub(1)?).copied()
    }

    /// Takes common characters, up to a rare one or one that may share its cluster.
    fn plain(&mut self, text: &str, at: usize, form: Form) -> usize {
        let bytes = text.as_bytes();
        let mut at = at;
        while let Some(byte) = bytes.get(at) {
            if byte.is_ascii() {
                let rest = bytes.get(at..).unwrap_or_default();
                let mut end = at + rest.iter().position(|b| !b.is_ascii()).unwrap_or(rest.len());
                let cut = kind_at(text, end) == Some(Kind::Rare);
                end -= usize::from(cut);
                self.ascii(bytes, at..end, form);
                at = end;
                if cut {
                    return at;
                }
                continue;
            }
            let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) else {
                return at;
            };
            let end = at + c.len_utf8();
            let kind = kind(c);
            let follows = kind_at(text, end);
            if kind == Kind::Unspaced && follows == Some(Kind::Unspaced) {
                // A Chinese clause is copied at once, all but its last character: a fifth of the time of one by one.
                let mut last = end;
                let run = text.get(end..).unwrap_or_default().char_indices();
                for (start, _) in run.take_while(|&(_, c)| self::kind(c) == Kind::Unspaced) {
                    last = end + start;
                }
                self.copy(bytes.get(at..last).unwrap_or_default(), at, true);
                at = last;
                continue;
            }
            if kind == Kind::Rare || follows == Some(Kind::Rare) {
                return at;
            }
            let itself = text.get(at..end).unwrap_or_default();
            match (kind, form) {
                (Kind::Separator | Kind::Sign, Form::Folded) => self.gap = true,
                (Kind::Sign, Form::Signs) => self.copy(itself.as_bytes(), at, true),
                // Some normalise to a sign.
                (Kind::Separator, Form::Signs | Form::Nfkc) => self.cluster(itself, at, form),
                (Kind::Cased, Form::Folded | Form::Signs) => match fold_simply(c) {
                    Some(folded) if folded.len_utf8() == c.len_utf8() => {
                        self.copy(folded.encode_utf8(&mut [0; 4]).as_bytes(), at, false);
                    }
                    _ => self.cluster(itself, at, form),
                },
                _ => self.copy(itself.as_bytes(), at, kind == Kind::Unspaced),
            }
            at = end;
        }
        at
    }

    fn ascii(&mut self, bytes: &[u8], range: Range<usize>, form: Form) {
        let bytes = bytes.get(..range.end).unwrap_or_default();
        let mut at = range.start;
        if form == Form::Nfkc {
            if let Some(all) = bytes.get(at..).filter(|all| !all.is_empty()) {
                self.copy(all, at, false);
            }
            return;
        }
        while let Some(&byte) = bytes.get(at) {
            let start = at;
            at += 1;
            if is_ascii_boundary(byte) {
                if form == Form::Signs && is_sign(char::from(byte)) {
                    self.copy(&[byte], start, true);
                } else {
                    self.gap = true;
                }
                continue;
            }
            // A single space between two words stays as it is.
            while let Some(&byte) = bytes.get(at)
                && (!is_ascii_boundary(byte)
                    || byte == b' ' && bytes.get(at + 1).is_some_and(|&next| !is_ascii_boundary(next)))
            {
                at += 1;
            }
            self.copy(bytes.get(start..at).unwrap_or_default(), start, false);
        }
    }

    /// Takes clusters one by one until a common character follows.
    fn clusters(&mut self, text: &str, at: usize, form: Form) -> usize {
        let mut at = at;
        for cluster in text.get(at..).unwrap_or_default().graphemes(true) {
            self.cluster(cluster, at, form);
            at += cluster.len();
            if kind_at(text, at) != Some(Kind::Rare) {
                break;
            }
        }
        at
    }

    fn cluster(&mut self, cluster: &str, from: usize, form: Form) {
        if form == Form::Nfkc {
            let normal: String = cluster.nfkc().collect();
            if normal == cluster {
                self.copy(normal.as_bytes(), from, false);
            } else if !normal.is_empty() {
                let whole = Some((cluster.len(), normal.len()));
                self.runs.push(Run { at: self.bytes.len(), from, whole });
                self.bytes.extend_from_slice(normal.as_bytes());
            }
            return;
        }
        let mut begun = None;
        for c in folded_cluster(cluster).chars() {
            let sign = is_sign(c);
            if if sign { form == Form::Folded } else { is_separator(c) } {
                self.gap = true;
                continue;
            }
            self.close_gap(sign || is_unspaced(c));
            begun.get_or_insert(self.bytes.len());
            self.bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        if let Some(at) = begun {
            let whole = Some((cluster.len(), self.bytes.len() - at));
            self.runs.push(Run { at, from, whole });
        }
    }

    /// Appends characters that are as long as in the original.
    fn copy(&mut self, bytes: &[u8], from: usize, unspaced: bool) {
        self.close_gap(unspaced);
        let at = self.bytes.len();
        let goes_on = self.runs.last().is_some_and(|run| run.whole.is_none() && from - run.from == at - run.at);
        if !goes_on {
            self.runs.push(Run { at, from, whole: None });
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes the space that separators collapse to.
    fn close_gap(&mut self, unspaced: bool) {
        if self.gap && !self.unspaced && !unspaced && !self.bytes.is_empty() {
            self.bytes.push(b' ');
        }
        self.gap = false;
        self.unspaced = unspaced;
    }
}

/// Whether a character is punctuation or white space; symbols such as `+` and `€` are neither.
pub(crate) fn is_separator(c: char) -> bool {
    match u8::try_from(c) {
        Ok(byte) if byte.is_ascii() => is_ascii_separator(byte),
        _ => c.is_whitespace() || c.general_category_group() == GeneralCategoryGroup::Punctuation,
    }
}

/// Whether a character is a sign that a term may require: `C#`, `AT&T`, `50%` (definitions: keyword hit).
pub(crate) fn is_sign(c: char) -> bool {
    matches!(c, '#' | '&' | '@' | '%' | '+' | '=' | '$' | '€' | '£' | '¥' | '°')
}

/// Whether a byte separates words when signs are ignored.
#[inline]
fn is_ascii_boundary(byte: u8) -> bool {
    is_ascii_separator(byte) || matches!(byte, b'+' | b'=' | b'$')
}

#[inline]
fn is_ascii_separator(byte: u8) -> bool {
    const SEPARATORS: [bool; 256] = {
        let mut table = [false; 256];
        let mut b = 0;
        while b < ASCII.len() {
            table[b] = match ASCII[b] {
                Class::Separator | Class::Joiner | Class::MidLetter | Class::MidNum | Class::MidNumLet => true,
                Class::Open => b as u8 == b'[',
                _ => false,
            };
            b += 1;
        }
        table
    };
    SEPARATORS[usize::from(byte)]
}

/// Whether a text ends in a letter or digit (with or without accents) of a script with spaces.
pub(crate) fn ends_in_word(text: &[u8]) -> bool {
    let mut text = text;
    while let Some(&last) = text.last() {
        if last.is_ascii() {
            return last.is_ascii_alphanumeric();
        }
        let start = text.iter().rposition(|&b| b & 0xC0 != 0x80).unwrap_or_default();
        let (before, last) = text.split_at_checked(start).unwrap_or_default();
        let c = std::str::from_utf8(last).ok().and_then(|last| last.chars().next());
        match c {
            Some(c) if is_unspaced(c) => return false,
            Some(c) if c.is_alphanumeric() => return true,
            Some(c) if c.general_category_group() == GeneralCategoryGroup::Mark => text = before,
            _ => return false,
        }
    }
    false
}

/// Whether a term must not be followed by a letter or digit: it ends in one, of a script with spaces. Hangul may be
/// followed by one, as Korean writes particles onto nouns.
pub(crate) fn ends_at_boundary(term: &str) -> bool {
    let is_mark = |c: &char| c.general_category_group() == GeneralCategoryGroup::Mark;
    let last = term.chars().rev().find(|c| !is_mark(c));
    ends_in_word(term.as_bytes()) && last.is_none_or(|c| c.script() != Script::Hangul)
}

/// Whether a text begins with a letter or digit of a script with spaces.
pub(crate) fn begins_with_word(text: &[u8]) -> bool {
    let Some(&first) = text.first() else {
        return false;
    };
    if first.is_ascii() {
        return first.is_ascii_alphanumeric();
    }
    let len = text.iter().skip(1).take_while(|&&b| b & 0xC0 == 0x80).count() + 1;
    ends_in_word(text.get(..len).unwrap_or_default())
}

/// How a character is folded. All but `Rare` are in NFKC or become a separator, and form a cluster of their own next to
/// others of these kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Separator,
    /// See [`is_sign`].
    Sign,
    /// Without case, of a script with spaces.
    Spaced,
    /// Without case, of a script without spaces.
    Unspaced,
    Cased,
    Rare,
}

fn kind_at(text: &str, at: usize) -> Option<Kind> {
    text.get(at..)?.chars().next().map(kind)
}

#[inline]
fn kind(c: char) -> Kind {
    if is_sign(c) {
        return Kind::Sign;
    }
    match class(c) {
        Class::Separator | Class::Joiner | Class::MidLetter | Class::MidNum | Class::MidNumLet => Kind::Separator,
        Class::Open if c == '[' => Kind::Separator,
        Class::Han | Class::Hiragana | Class::Katakana => Kind::Unspaced,
        Class::Letter => Kind::Cased,
        Class::Symbol | Class::Open | Class::Caseless | Class::Digit => Kind::Spaced,
        Class::Rare => Kind::Rare,
    }
}

/// The full case folding of a character, if it is its lower-case counterpart (the usual case).
fn fold_simply(c: char) -> Option<char> {
    // Cherokee folds to capitals; later characters use the table, too.
    if c >= '\u{13A0}' {
        return None;
    }
    let small = only(c.to_lowercase())?;
    let capital = only(small.to_uppercase())?;
    (only(capital.to_lowercase())? == small).then_some(small)
}

fn only(mut chars: impl Iterator<Item = char>) -> Option<char> {
    let first = chars.next();
    if chars.next().is_none() { first } else { None }
}

/// NFKC and full case folding of one cluster, then NFKC again because folding decomposes some characters.
pub(crate) fn folded_cluster(cluster: &str) -> String {
    let normal: String = cluster.nfkc().collect();
    UniCase::unicode(normal).to_folded_case().nfkc().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_normalization::{IsNormalized, is_nfkc_quick};

    use super::*;

    fn fold_as(text: &str, form: Form) -> String {
        let mut folded = FoldedText::default();
        folded.read(text, form);
        folded.as_str().to_owned()
    }

    fn fold(text: &str) -> String {
        fold_as(text, Form::Folded)
    }

    /// The definition, without shortcuts.
    fn fold_slowly(text: &str, form: Form) -> String {
        let folded: String = text.graphemes(true).map(folded_cluster).collect();
        let mut out = String::new();
        let separates = |c| if is_sign(c) { form == Form::Folded } else { is_separator(c) };
        let tight = |c| is_unspaced(c) || is_sign(c);
        for piece in folded.split(separates).filter(|piece| !piece.is_empty()) {
            let (left, right) = (out.chars().next_back(), piece.chars().next());
            if let (Some(left), Some(right)) = (left, right)
                && !tight(left)
                && !tight(right)
            {
                out.push(' ');
            }
            out.push_str(piece);
        }
        out
    }

    #[test]
    fn folding() {
        for (text, expected) in [
            ("", ""),
            (" -- ", ""),
            ("Hello, World!", "hello world"),
            ("don't stop", "don t stop"),
            ("C++ & C#", "c c"),
            ("取消。服务", "取消服务"),
            ("取消, 服务", "取消服务"),
            ("买 iPhone 15 吗", "买iphone 15吗"),
            ("ＡＢＣ，１２３", "abc 123"),
            ("Straße", "strasse"),
            ("ﬁne", "fine"),
            ("İ", "i\u{307}"),
            ("ΣΊΣΥΦΟΣ", "σίσυφοσ"),
            ("ΐ", "ΐ"),
            ("CAFE\u{301} É", "café é"),
            ("ｶﾞｯ", "ガッ"),
            ("㈱", "株"),
            ("안녕, 여러분", "안녕 여러분"),
            ("“a”\r\n\t…b", "a b"),
            ("5€ $20 50% ＄20", "5 20 50 20"),
            ("'\u{301}a", "\u{301}a"),
        ] {
            assert_eq!(fold(text), expected, "{text:?}");
            assert_eq!(fold_slowly(text, Form::Folded), expected, "{text:?}");
        }
    }

    #[test]
    fn separators_are_punctuation_and_white_space() {
        for c in '\0'..='\x7F' {
            let expected = c.is_whitespace() || c.general_category_group() == GeneralCategoryGroup::Punctuation;
            assert_eq!(is_separator(c), expected, "{c:?}");
        }
    }

    #[test]
    fn simple_folding_is_full_folding() {
        for c in '\0'..'\u{13A0}' {
            if let Some(folded) = fold_simply(c) {
                assert_eq!(UniCase::unicode(c.to_string()).to_folded_case(), folded.to_string(), "{c:?}");
            }
        }
        assert_eq!(fold_simply('É'), Some('é'));
        assert_eq!(fold_simply('ß'), None);
    }

    #[test]
    fn signs_stay_for_terms_that_have_them() {
        for (text, expected) in [
            ("C++ & C#.", "c++&c#"),
            ("AT & T, 50 % of", "at&t 50%of"),
            ("＃１ ＠ℂ €5 20 ℃", "#1@c€5 20°c"),
            ("a-b", "a b"),
        ] {
            assert_eq!(fold_as(text, Form::Signs), expected, "{text:?}");
        }
    }

    #[test]
    fn kinds_hold_what_they_promise() {
        for c in ('\0'..=char::MAX).filter(|&c| kind(c) != Kind::Rare) {
            let text = c.to_string();
            if matches!(kind(c), Kind::Separator | Kind::Sign) {
                assert!(fold_slowly(&text, Form::Folded).is_empty(), "{c:?}");
            } else {
                assert_eq!(is_nfkc_quick(std::iter::once(c)), IsNormalized::Yes, "{c:?}");
                assert_eq!(kind(c) == Kind::Unspaced, is_unspaced(c), "{c:?}");
                assert!(!is_separator(c), "{c:?}");
            }
            if matches!(kind(c), Kind::Spaced | Kind::Unspaced) {
                assert_eq!(folded_cluster(&text), text, "{c:?}");
            }
            // A cluster by itself, whatever plain character stands beside it.
            for other in ["a", "你", "가", "。", "é"] {
                assert_eq!(format!("{c}{other}").graphemes(true).count(), 2, "{c:?}");
                assert_eq!(format!("{other}{c}").graphemes(true).count(), 2, "{c:?}");
            }
        }
    }

    #[test]
    fn word_edges() {
        for (text, begins, ends) in [
            ("", false, false),
            ("a", true, true),
            ("+1", false, true),
            ("c++", true, false),
            ("你a", false, true),
            ("éx\u{304}", true, true),
            ("ครับ", false, false),
            ("한", true, true),
            ("€\u{304}", false, false),
        ] {
            assert_eq!(begins_with_word(text.as_bytes()), begins, "{text:?}");
            assert_eq!(ends_in_word(text.as_bytes()), ends, "{text:?}");
        }
    }

    #[test]
    fn the_way_back() {
        let mut folded = FoldedText::default();
        let text = "Aß, ㍿！ﬁ";
        folded.read(text, Form::Folded);
        assert_eq!(folded.as_str(), "ass株式会社fi");
        assert_eq!(folded.exactly(0..3).map(|range| &text[range]), Some("Aß"));
        assert_eq!(folded.exactly(3..15).map(|range| &text[range]), Some("㍿"));
        assert_eq!(folded.exactly(0..17).map(|range| &text[range]), Some(text));
        assert_eq!(folded.exactly(0..2), None);
        assert_eq!(folded.exactly(6..15), None);
        assert_eq!(folded.around(6..9).map(|range| &text[range]), Some("㍿"));
        assert_eq!(folded.exactly(0..0), None);
    }

    const TRICKY: &str = "[#%＃＋℃€aBſßİıΣςΐéÉЖ1 ,.'_+\\-\n你。，！ＡﬁﬀａがｶﾞかガーกำHe㈱℀№¨ᄀ\u{1161}한\u{301}\u{307}\u{345}\u{FE0F}\u{200D}🇩🇪👍\u{600}Ꭰꭰᏸ\u{3000}क्षि]{0,16}";

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn shortcuts_change_nothing(text in TRICKY, any in "\\PC{0,16}") {
            for form in [Form::Folded, Form::Signs] {
                prop_assert_eq!(fold_as(&text, form), fold_slowly(&text, form));
                prop_assert_eq!(fold_as(&any, form), fold_slowly(&any, form));
            }
        }

        #[test]
        fn nfkc_is_that_of_the_clusters(text in TRICKY) {
            let mut normal = FoldedText::default();
            normal.read(&text, Form::Nfkc);
            let expected: String = text.graphemes(true).flat_map(|cluster| cluster.nfkc()).collect();
            prop_assert_eq!(normal.as_str(), expected);
        }

        #[test]
        fn what_comes_back_folds_to_the_same(text in TRICKY, start in 0_usize..40, len in 1_usize..20) {
            let mut folded = FoldedText::default();
            folded.read(&text, Form::Folded);
            let range = start..start + len;
            let place = folded.as_str().get(range.clone()).filter(|place| place.trim() == *place);
            if let Some(place) = place
                && let Some(range) = folded.exactly(range)
            {
                prop_assert_eq!(fold(&text[range]), place);
            }
        }
    }
}
