//! Joining texts, and comparing a sentence's text with its words (definitions: joined text).
//!
//! No space is ever put next to a character of a script written without spaces.

use unicase::UniCase;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_script::{Script, UnicodeScript};

/// Appends `part`, trimmed, to the text joined so far.
///
/// The two are separated by one space unless either neighbour [is written without spaces](is_unspaced). A part that is
/// empty once trimmed changes nothing.
#[inline]
pub(crate) fn join_into(out: &mut String, part: &str) {
    let part = trim(part);
    let Some(right) = part.chars().next() else {
        return;
    };
    if let Some(left) = out.chars().next_back()
        && needs_space(left, right)
    {
        out.push(' ');
    }
    out.push_str(part);
}

/// Same as [`str::trim`], with a fast path for texts that need no trimming.
#[inline]
pub(crate) fn trim(text: &str) -> &str {
    let plain = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_graphic());
    let bytes = text.as_bytes();
    if plain(bytes.first()) && plain(bytes.last()) {
        return text;
    }
    // Most words come with a single leading space.
    match text.strip_prefix(' ') {
        Some(rest) if plain(rest.as_bytes().first()) && plain(rest.as_bytes().last()) => rest,
        _ if text.is_empty() => text,
        _ => text.trim(),
    }
}

/// Whether a space separates two parts, the first ending in `left`, the second beginning with `right`.
#[inline]
pub(crate) fn needs_space(left: char, right: char) -> bool {
    !is_unspaced(left) && !is_unspaced(right)
}

/// Whether a character belongs to a script written without spaces:
/// `[\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\u3000-\u30FF\uFF00-\uFFEF]`,
/// (CJK punctuation and fullwidth forms included).
#[inline]
pub(crate) fn is_unspaced(c: char) -> bool {
    match c {
        // Nothing below the Bopomofo tone marks is in the class.
        '\0'..'\u{2EA}' => false,
        '\u{3000}'..='\u{30FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{FF00}'..='\u{FFEF}' => true,
        // Greek up to Sinhala, and Hangul: the other common letters need no look-up.
        '\u{370}'..'\u{E00}' | '\u{AC00}'..='\u{D7A3}' => false,
        _ => matches!(
            c.script(),
            Script::Han
                | Script::Hiragana
                | Script::Katakana
                | Script::Bopomofo
                | Script::Thai
                | Script::Lao
                | Script::Khmer
                | Script::Myanmar
        ),
    }
}

/// Whether a sentence's text and its words spell the same: both NFKC normalised, case-folded and reduced to letters and
/// digits.
///
/// `words` yields each word's text and punctuation as consecutive parts; part boundaries do not matter.
pub(crate) fn same_alphanumerics<'a>(text: &str, words: impl Iterator<Item = &'a str> + Clone) -> bool {
    same_verbatim(text, words.clone()) || spelling(text.chars()) == spelling(words.flat_map(str::chars))
}

/// Fast path: `true` is certain, `false` is not.
fn same_verbatim<'a>(text: &str, words: impl Iterator<Item = &'a str>) -> bool {
    let mut text = text;
    // The two just differed in something that is not a letter or digit.
    let mut apart = false;
    for word in words {
        let mut word = word;
        while let Some(left) = word.chars().next() {
            if apart && !is_stable(left) {
                return false;
            }
            // Nearly always the text continues with the word.
            if let Some(rest) = text.strip_prefix(word) {
                text = rest;
                apart = false;
                break;
            }
            let right = text.chars().next();
            if right == Some(left) {
                text = after_first(text);
                word = after_first(word);
                apart = false;
            } else if is_silent(left) {
                word = after_first(word);
                apart = true;
            } else if right.is_some_and(is_silent) {
                text = after_first(text);
                apart = true;
            } else {
                return false;
            }
        }
    }
    text.chars().all(is_silent)
}

fn after_first(text: &str) -> &str {
    let mut chars = text.chars();
    chars.next();
    chars.as_str()
}

/// Neither a letter or digit nor part of one after normalisation, unlike `℃`, `㈱` and accents.
#[inline]
fn is_silent(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_alphanumeric();
    }
    !c.is_alphanumeric() && is_stable(c)
}

/// Normalisation does not affect its letters, whatever precedes it.
fn is_stable(c: char) -> bool {
    match c {
        '\0'..='\x7F' => true,
        // These change, but into punctuation and spaces.
        '\u{A0}' | '…' | '\u{3000}' | '！'..='／' | '：'..='＠' => true,
        _ => {
            is_nfkc_quick(std::iter::once(c)) == IsNormalized::Yes
                && c.general_category_group() != GeneralCategoryGroup::Mark
        }
    }
}

/// Letters and digits only, NFKC normalised and case-folded.
pub(crate) fn spelling(chars: impl Iterator<Item = char>) -> String {
    let normal: String = chars.nfkc().collect();
    let mut folded = UniCase::unicode(normal).to_folded_case();
    folded.retain(char::is_alphanumeric);
    folded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    fn joined(parts: &[&str]) -> String {
        let mut out = String::new();
        for part in parts {
            join_into(&mut out, part);
        }
        out
    }

    #[test]
    fn parts_are_trimmed_and_spaced() {
        assert_eq!(joined(&["Hello ", " World"]), "Hello World");
        assert_eq!(joined(&["", "  ", "\u{3000}a\u{A0}", "\n", "b"]), "a b");
        assert_eq!(joined(&["Hello,", "你好。", "OK"]), "Hello,你好。OK");
        assert_eq!(joined(&["アイス", "クリーム", "ー"]), "アイスクリームー");
        assert_eq!(joined(&["안녕", "여러분"]), "안녕 여러분");
        assert_eq!(joined(&["สวัสดี", "ครับ", "ok"]), "สวัสดีครับok");
        assert_eq!(joined(&["“a”", "b"]), "“a” b");
        assert_eq!(joined(&[]), "");
    }

    #[test]
    fn class_is_the_rules_regex() {
        let class = Regex::new(
            r"^[\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\x{3000}-\x{30FF}\x{FF00}-\x{FFEF}]$",
        )
        .unwrap();
        // The two crates may follow different versions of Unicode.
        let unassigned = Regex::new(r"^\p{Cn}$").unwrap();
        let mut buffer = [0; 4];
        for c in '\0'..=char::MAX {
            let text: &str = c.encode_utf8(&mut buffer);
            if !unassigned.is_match(text) {
                assert_eq!(is_unspaced(c), class.is_match(text), "{c:?}");
            }
        }
    }

    #[test]
    fn spelling_ignores_case_width_and_marks() {
        let same = |text: &str, words: &[&str]| same_alphanumerics(text, words.iter().copied());
        assert!(same("", &[]));
        assert!(same("…！", &["", "。"]));
        assert!(same("Hello, world.", &["Hello", ", ", "world", "."]));
        assert!(same("Hello, world.", &["hel", "lo WOR", "ld"]));
        assert!(same("Straße", &["STRASSE"]));
        assert!(same("ＡＢＣ，１２３", &["abc", "123"]));
        assert!(same("caf\u{E9}", &["cafe\u{301}"]));
        assert!(same("ﬁne", &["fine"]));
        assert!(same("你好，世界。", &["你", "好", "，", "世界", "。"]));
        assert!(!same("你好世界", &["你好", "世"]));
        assert!(!same("你好世", &["你好", "世界"]));
        assert!(!same("cafe", &["cafe\u{301}"]));
        assert!(!same("s\u{301}", &["s", ",", "\u{301}"]));
        assert!(!same("5", &["5℃"]));
        assert!(!same("a", &[]));
        assert!(!same("", &["a"]));
    }

    proptest! {
        #[test]
        fn quick_answer_is_the_slow_one(
            text in "[aAbé1 ,，。你好ßS℃ﬁ\u{301}<\u{338}]{0,8}",
            words in proptest::collection::vec("[aAbé1 ,，。你好ßS℃ﬁ\u{301}<\u{338}]{0,3}", 0..4),
        ) {
            let parts = words.iter().map(String::as_str);
            let slow = spelling(text.chars()) == spelling(words.concat().chars());
            prop_assert_eq!(same_alphanumerics(&text, parts), slow);
        }

        #[test]
        fn text_cut_anywhere_spells_itself(text in "\\PC{0,30}", cuts in proptest::collection::vec(0_usize..90, 0..5)) {
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|&cut| text.is_char_boundary(cut)).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let parts = cuts.windows(2).map(|pair| &text[pair[0]..pair[1]]);
            prop_assert!(same_alphanumerics(&text, parts));
        }

        #[test]
        fn join_leaves_no_space_at_the_edges(parts in proptest::collection::vec("[ a你，\u{3000}]{0,3}", 0..6)) {
            let mut out = String::new();
            for part in &parts {
                join_into(&mut out, part);
            }
            prop_assert_eq!(out.trim(), &out);
        }
    }
}
