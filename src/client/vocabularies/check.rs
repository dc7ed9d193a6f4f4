//! Checks a hotword list against the catalogue before it is sent.

use std::collections::{BTreeMap, HashSet};

use super::Hotword;
use crate::catalog::{Catalog, MOST_HOTWORDS, Region, SUPER_WEIGHT, check_hotword};
use crate::client::warning::Warning;
use crate::error::{Check, Error, Result};

/// The longest prefix, in characters.
const LONGEST_PREFIX: usize = 10;

/// Checks `words` as a list for `target_model`, with `prefix` if a list is to be created.
///
/// # Errors
/// [`ErrorKind::InvalidInput`](crate::ErrorKind) for a model that is unknown, takes no list or is not offered in the region; a
/// prefix other than 1 to 10 digits and lower-case letters; no words, more than the model takes, or a word that is blank, too
/// long or of an unknown weight.
pub fn check_vocabulary(
    catalog: &Catalog,
    region: Region,
    target_model: &str,
    prefix: Option<&str>,
    words: &[Hotword],
) -> Result<Vec<Warning>> {
    let model = catalog.require(target_model)?;
    let name = &model.name;
    if !model.takes("vocabulary_id") {
        let others = catalog.models().iter().filter(|other| other.takes("vocabulary_id"));
        let others: Vec<&str> = others.map(|other| &other.name[..]).collect();
        return refuse(format!("{name} takes no hotword list; these do: {}", others.join(", ")));
    }
    model.check_region(region)?;
    prefix.map_or(Ok(()), check_prefix)?;
    let most = model.hotwords.unwrap_or(MOST_HOTWORDS);
    if words.is_empty() {
        return refuse("a hotword list needs at least one word; to remove a list, delete it".to_owned());
    }
    if words.len() > most {
        return refuse(format!("{} words exceed the {most} of a list for {name}: leave some out", words.len()));
    }
    let broken = |word: &Hotword| check_hotword(&word.text, word.weight.into(), model.super_hotwords > 0).err();
    let mut broken = words.iter().filter_map(broken);
    if let Some(first) = broken.next() {
        return match broken.count() {
            0 => Err(first),
            more => refuse(format!("{first} ({more} more words are invalid)")),
        };
    }
    let supers = words.iter().filter(|word| word.weight == SUPER_WEIGHT).count();
    if supers > model.super_hotwords {
        return refuse(format!(
            "{supers} words have weight {SUPER_WEIGHT}, {name} takes {}: give the others 1 to 5",
            model.super_hotwords
        ));
    }
    let mut warnings = Vec::new();
    let listed = if model.hotword_languages.is_empty() { &model.languages } else { &model.hotword_languages };
    let mut unlisted: BTreeMap<&str, usize> = BTreeMap::new();
    for code in words.iter().filter_map(|word| word.lang.as_deref()) {
        if !listed.is_empty() && !listed.iter().any(|known| known == code) {
            *unlisted.entry(code).or_default() += 1;
        }
    }
    for (code, count) in unlisted {
        let words = if count == 1 { "1 word".to_owned() } else { format!("{count} words") };
        let shown: String = code.chars().take(20).collect();
        let known = listed.join(", ");
        let message = format!("`{shown}` ({words}) is not among the languages of hotwords for {name}: {known}");
        warnings.push(Warning::new(message));
    }
    let mut seen = HashSet::new();
    let twice = words.iter().filter(|word| !seen.insert((&word.text, &word.lang)));
    let twice: Vec<&str> = twice.map(|word| &word.text[..]).collect();
    if let Some(first) = twice.first() {
        let more = if twice.len() > 1 { format!(", as are {} more", twice.len() - 1) } else { String::new() };
        let message = format!("`{first}` is listed twice{more}: which weight applies is not documented");
        warnings.push(Warning::new(message));
    }
    Ok(warnings)
}

fn check_prefix(prefix: &str) -> Result<()> {
    let legal = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
    if (1..=LONGEST_PREFIX).contains(&prefix.len()) && prefix.bytes().all(legal) {
        return Ok(());
    }
    let shown: String = prefix.chars().take(40).collect();
    let message = format!("`{shown}` is no prefix of a hotword list: 1 to {LONGEST_PREFIX} digits and letters a to z");
    Err(Error::invalid(message).with_check(Check::Prefix))
}

fn refuse<T>(why: String) -> Result<T> {
    Err(Error::invalid(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(model: &str, prefix: &str, words: &[Hotword]) -> Result<Vec<String>, String> {
        let warnings = check_vocabulary(Catalog::builtin(), Region::Cn, model, Some(prefix), words);
        let warnings = warnings.map_err(|error| error.to_string())?;
        Ok(warnings.iter().map(ToString::to_string).collect())
    }

    fn words(count: usize) -> Vec<Hotword> {
        (0..count).map(|n| Hotword::new(format!("word{n}"))).collect()
    }

    #[test]
    fn what_the_service_would_refuse_is_refused_before() {
        let long = Hotword::new("a b c d e f g h");
        let fifty = || words(51).into_iter().map(|word| word.weight(50)).collect::<Vec<_>>();
        for (model, prefix, words, said) in [
            ("fun-ars", "p", words(1), "did you mean fun-asr"),
            ("paraformer-v1", "p", words(1), "takes no hotword list; these do: fun-asr,"),
            ("fun-asr", "", words(1), "is no prefix"),
            ("fun-asr", "elevenchars", words(1), "is no prefix"),
            ("fun-asr", "Clinic", words(1), "is no prefix"),
            ("fun-asr", "p", words(0), "needs at least one word"),
            ("paraformer-v2", "p", words(501), "501 words exceed the 500 of a list for paraformer-v2"),
            ("fun-asr", "p", words(2001), "exceed the 2000"),
            ("fun-asr-flash-2026-06-15", "p", words(2001), "exceed the 2000"),
            ("fun-asr", "p", vec![long.clone()], "has 8 words"),
            ("fun-asr", "p", vec![long.clone(), long.clone(), long], "(2 more words are invalid)"),
            ("fun-asr", "p", vec![Hotword::new("a").weight(50)], "only Qwen-Audio-3.x models"),
            ("qwen-audio-3.1-asr-flash-filetrans", "p", fifty(), "takes 50: give"),
        ] {
            let error = check(model, prefix, &words).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
        let error = check_vocabulary(Catalog::builtin(), Region::Intl, "paraformer-v2", None, &words(1)).unwrap_err();
        assert!(error.to_string().contains("it is in cn"), "{error}");
    }

    #[test]
    fn what_is_not_documented_is_a_warning() {
        assert_eq!(check("fun-asr", "clinic2026", &words(2000)), Ok(vec![]));
        let tagged = |code: &str| Hotword::new("word").lang(code);
        let odd = [tagged("en"), tagged("de"), Hotword::new("other").lang("de"), tagged("en"), tagged("de")];
        assert_eq!(
            check("fun-asr", "p", &odd).unwrap(),
            [
                "`de` (3 words) is not among the languages of hotwords for fun-asr: zh, en, ja",
                "`word` is listed twice, as are 1 more: which weight applies is not documented",
            ]
        );
        assert_eq!(check("paraformer-v2", "p", &[tagged("de")]), Ok(vec![]));
        assert_eq!(check("qwen-audio-3.1-asr-flash", "p", &[tagged("xx")]).unwrap().len(), 1);
    }
}
