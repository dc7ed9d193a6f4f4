//! What a recording is called in the name of its result file.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// In bytes, so that `<n>-<name>.json` fits every file system.
const LONGEST: usize = 80;

/// The name of a recording whose last path segment is `segment`, percent-encoded where `encoded`.
///
/// Without extension, in NFC; what is no letter, mark, digit, `.`, `_` or `-` becomes `_`. No dot at either end, no
/// two in a row, at most 80 bytes, never empty: safe as part of a file name on any system.
///
/// `call%20one.wav` → `call_one`; `..` → `audio`; `客服 3.mp3` → `客服_3`
pub(crate) fn result_name(segment: &str, encoded: bool) -> String {
    let segment: Cow<'_, str> =
        if encoded { percent_encoding::percent_decode_str(segment).decode_utf8_lossy() } else { segment.into() };
    let stem = match segment.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => &segment,
    };
    let mut name = String::with_capacity(stem.len().min(LONGEST));
    for c in stem.nfc() {
        let c = if is_kept(c) { c } else { '_' };
        if c == '.' && (name.is_empty() || name.ends_with('.')) {
            continue;
        }
        if name.len() + c.len_utf8() > LONGEST {
            break;
        }
        name.push(c);
    }
    name.truncate(name.trim_end_matches('.').len());
    if name.is_empty() { "audio".to_owned() } else { name }
}

/// Whether a name from a ledger can be part of a file name: no separator, no way to another folder. Earlier versions may have
/// made it by other rules than [`result_name`].
pub(super) fn is_file_name(name: &str) -> bool {
    let is_odd = |c: char| c.is_control() || matches!(c, '/' | '\\' | ':');
    (1..=240).contains(&name.len()) && !name.contains("..") && !name.contains(is_odd)
}

/// Marks are kept: without its vowel signs a Thai or Hindi word is another word.
fn is_kept(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(c, '.' | '_' | '-')
        || (!c.is_ascii() && c.general_category_group() == GeneralCategoryGroup::Mark)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_says_which_recording_it_was() {
        for (segment, name) in [
            ("call-07.wav", "call-07"),
            ("call%20one%2Fpart.wav", "call_one_part"),
            ("2026.05.01.mp3", "2026.05.01"),
            ("%E5%AE%A2%E6%9C%8D 3.mp3", "客服_3"),
            ("สวัสดี.ogg", "สวัสดี"),
            ("cafe\u{301}.wav", "café"),
            (".hidden", "hidden"),
            (".wav", "wav"),
            ("a...b.wav", "a.b"),
            ("..", "audio"),
            ("%2e%2e%2f%2e%2e", "_"),
            ("%ff%fe.wav", "__"),
            ("", "audio"),
            ("a\u{202E}gpj.wav", "a_gpj"),
        ] {
            assert_eq!(result_name(segment, true), name, "{segment}");
        }
        // A file is called what it is called.
        assert_eq!(result_name("100%25.wav", false), "100_25");
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        assert_eq!(result_name(&"é".repeat(60), false), "é".repeat(40));
        assert_eq!(result_name(&format!("{}.b.wav", "a".repeat(79)), false), "a".repeat(79));
    }

    proptest! {
        #[test]
        fn no_name_leaves_its_folder(segment in "(\\PC|[./\\\\%\0\n]|%2[eEfF]){0,120}", encoded: bool) {
            let name = result_name(&segment, encoded);
            prop_assert!(is_file_name(&name) && name.len() <= LONGEST, "{}", name);
            prop_assert!(!name.contains("..") && !name.starts_with('.') && !name.ends_with('.'), "{}", name);
            prop_assert!(name.chars().all(is_kept), "{}", name);
            prop_assert!(!name.contains(['/', '\\', '\0', ':', ' ']), "{}", name);
            // A name is its own name, extension apart.
            prop_assert_eq!(result_name(&format!("{name}.wav"), false), name);
        }
    }
}
