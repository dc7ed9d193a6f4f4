//! The words that transcripts are compared by (definitions: word errors).

use std::borrow::Cow;

use unicase::UniCase;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_script::{Script, UnicodeScript};
use unicode_segmentation::UnicodeSegmentation;

use super::fold::is_separator;
use super::units::{Markers, separated};

/// The tokens of a text: words without case, width and punctuation; of Han and Kana each character.
///
/// ```
/// use talkmeter::text::{Markers, tokens};
///
/// assert_eq!(tokens("Don’t say [PII], ＯＫ?", Markers::Drop), ["dont", "say", "ok"]);
/// assert_eq!(tokens("iPhone15，100块", Markers::Drop), ["iphone15", "100", "块"]);
/// ```
#[must_use]
pub fn tokens(text: &str, markers: Markers) -> Vec<String> {
    let normal: String = text.nfc().collect();
    let shown = separated(&normal, markers);
    let compatible: Cow<'_, str> = if shown.is_ascii() { shown } else { Cow::Owned(shown.nfkc().collect()) };
    let folded = UniCase::unicode(compatible).to_folded_case();
    let mut tokens = Vec::new();
    for segment in folded.split_word_bounds().filter(|segment| segment.contains(char::is_alphanumeric)) {
        let mut is_open = false;
        for c in segment.chars().filter(|&c| !is_separator(c)) {
            let is_alone = stands_alone(c);
            let joins = is_open && !is_alone || c.general_category_group() == GeneralCategoryGroup::Mark;
            match tokens.last_mut().filter(|_| joins) {
                Some(token) => String::push(token, c),
                None => tokens.push(c.to_string()),
            }
            is_open = !is_alone;
        }
    }
    tokens
}

/// Whether a character is a token by itself: Han, Kana, and the length mark of Katakana.
fn stands_alone(c: char) -> bool {
    c >= '\u{2E80}' && (matches!(c.script(), Script::Han | Script::Hiragana | Script::Katakana) || c == 'ー')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn joined(text: &str) -> String {
        tokens(text, Markers::Drop).join(" ")
    }

    #[test]
    fn words_lose_case_width_and_punctuation() {
        assert_eq!(joined("Hello, World! It’s 3.14 % of 1,000."), "hello world its 314 of 1000");
        assert_eq!(joined("AI-driven e_mail (C++)"), "ai driven email c");
        assert_eq!(joined("ＡＢＣ Straße ﬁne CAFE\u{301}"), "abc strasse fine café");
        assert_eq!(joined("， … – ?!"), "");
        assert_eq!(joined(""), "");
    }

    #[test]
    fn han_and_kana_are_taken_one_by_one() {
        assert_eq!(joined("你好，我要退款OK吗"), "你 好 我 要 退 款 ok 吗");
        assert_eq!(joined("サーバーが落ちた"), "サ ー バ ー が 落 ち た");
        assert_eq!(joined("ｶﾞｽ"), "ガ ス");
        assert_eq!(joined("안녕하세요 여러분"), "안녕하세요 여러분");
    }

    #[test]
    fn markers_are_left_out_unless_kept() {
        assert_eq!(joined("call [PII] <unk> back"), "call back");
        assert_eq!(tokens("call [PII]", Markers::Keep), ["call", "pii"]);
    }

    proptest! {
        #[test]
        fn a_token_is_its_own_token(text in "\\PC{0,30}") {
            for token in tokens(&text, Markers::Drop) {
                prop_assert!(!token.is_empty() && !token.contains(is_separator), "{:?}", token);
            }
        }

        #[test]
        fn case_and_marks_between_words_do_not_matter(words in proptest::collection::vec("[a-z]{1,5}|[你好世界]", 0..8)) {
            let plain = words.join(" ");
            prop_assert_eq!(tokens(&words.join(" – ").to_uppercase(), Markers::Drop), tokens(&plain, Markers::Drop));
        }
    }
}
