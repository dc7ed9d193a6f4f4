//! Rules for hotwords, inline or in a list. Source: the vendor's page `vocabulary-http-api`, checked 2026-10.

use crate::error::{Error, Result};

/// The most words the service uses, list and inline words together; it picks as many at random from more.
pub(crate) const MOST_HOTWORDS: usize = 2000;
/// The weight of a super hotword.
pub(crate) const SUPER_WEIGHT: u32 = 50;

/// Checks a hotword and its weight. `super_hotwords`: whether the model has weight 50
/// ([`super::Model::super_hotwords`]).
///
/// # Errors
///
/// [`crate::ErrorKind::InvalidInput`] for a blank word, a word of more than 15 characters that are not all ASCII, an ASCII
/// word of more than 7 parts, or an unknown weight.
pub(crate) fn check_hotword(word: &str, weight: u64, super_hotwords: bool) -> Result<()> {
    let shown: String = word.chars().take(60).collect();
    let refuse = |why: String| Err(Error::invalid(format!("hotword `{shown}` {why}")));
    if word.trim().is_empty() {
        return refuse("is blank".to_owned());
    }
    let (length, parts) = (word.chars().count(), word.split_whitespace().count());
    if !word.is_ascii() && length > 15 {
        return refuse(format!("has {length} characters: at most 15 unless all are ASCII; shorten it"));
    }
    if word.is_ascii() && parts > 7 {
        return refuse(format!("has {parts} words: at most 7; shorten it"));
    }
    match weight {
        1..=5 => Ok(()),
        _ if weight == u64::from(SUPER_WEIGHT) && super_hotwords => Ok(()),
        _ if weight == u64::from(SUPER_WEIGHT) => {
            refuse("has weight 50, which only Qwen-Audio-3.x models support: use 1 to 5".to_owned())
        }
        _ if super_hotwords => refuse(format!("has weight {weight}: use 1 to 5, or 50 for a super hotword")),
        _ => refuse(format!("has weight {weight}: use 1 to 5")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hotword_keeps_the_rules_of_its_script() {
        for (word, weight, super_hotwords) in [
            ("metformin", 4, false),
            ("a b c d e f g", 1, false),
            ("averyveryverylongword", 5, false),
            ("二甲双胍二甲双胍二甲双胍二甲双", 4, false),
            ("Kubernetes", 50, true),
        ] {
            assert!(check_hotword(word, weight, super_hotwords).is_ok(), "{word}");
        }
        for (word, weight, super_hotwords, said) in [
            (" ", 4, false, "is blank"),
            ("a b c d e f g h", 4, false, "has 8 words: at most 7"),
            ("二甲双胍二甲双胍二甲双胍二甲双胍", 4, false, "has 16 characters: at most 15"),
            ("etcd", 0, false, "has weight 0: use 1 to 5"),
            ("etcd", 6, true, "use 1 to 5, or 50 for a super hotword"),
            ("etcd", 50, false, "which only Qwen-Audio-3.x models support: use 1 to 5"),
        ] {
            let error = check_hotword(word, weight, super_hotwords).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
