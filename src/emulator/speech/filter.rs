//! `special_word_filter`: words masked by `*` of equal length, words removed, the built-in list.

use super::script::{FILLERS, RESERVED};
use super::{Sentence, Word};
use crate::emulator::parameters::Filter;

enum How {
    Mask,
    Drop,
}

/// The sentences after filtering, without those that lose all their words.
pub(super) fn applied(sentences: &[Sentence], filter: &Filter) -> Vec<Sentence> {
    let kept = sentences.iter().filter_map(|sentence| {
        let mut sentence = sentence.clone();
        for term in &filter.drop {
            apply(&mut sentence.words, term, &How::Drop);
        }
        if filter.fillers {
            for term in FILLERS {
                apply(&mut sentence.words, term, &How::Drop);
            }
        }
        let reserved = if filter.reserved { RESERVED.as_slice() } else { &[] };
        for term in filter.mask.iter().map(String::as_str).chain(reserved.iter().copied()) {
            apply(&mut sentence.words, term, &How::Mask);
        }
        sentence.words.retain(|word| !word.text.trim().is_empty());
        if let Some(first) = sentence.words.first_mut() {
            first.text = first.text.trim_start().to_owned();
        }
        (!sentence.words.is_empty()).then_some(sentence)
    });
    kept.collect()
}

/// Finds a term across words, ignoring case; a term in a script with spaces matches whole words only.
fn apply(words: &mut [Word], term: &str, how: &How) {
    let fold = |c: char| c.to_lowercase().next().unwrap_or(c);
    let term: Vec<char> = term.trim().chars().map(fold).collect();
    let mut text: Vec<(char, usize)> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        text.extend(word.text.chars().map(|c| (c, at)));
    }
    let joins = |c: Option<&char>| c.is_some_and(char::is_ascii_alphanumeric);
    let mut hit = vec![false; text.len()];
    for from in 0..text.len().saturating_sub(term.len().saturating_sub(1)) {
        let Some(part) = text.get(from..from + term.len()) else { break };
        let same = part.iter().zip(&term).all(|((c, _), wanted)| fold(*c) == *wanted);
        let before = from.checked_sub(1).and_then(|at| text.get(at)).map(|(c, _)| c);
        let after = text.get(from + term.len()).map(|(c, _)| c);
        let inside = joins(before) && joins(term.first()) || joins(after) && joins(term.last());
        if same && !inside && !term.is_empty() {
            for hit in hit.iter_mut().skip(from).take(term.len()) {
                *hit = true;
            }
        }
    }
    if !hit.contains(&true) {
        return;
    }
    for word in words.iter_mut() {
        word.text.clear();
    }
    for ((c, at), hit) in text.into_iter().zip(hit) {
        let Some(word) = words.get_mut(at) else { continue };
        match how {
            How::Mask if hit && !c.is_whitespace() => word.text.push('*'),
            How::Drop if hit => {}
            _ => word.text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(words: &[&str]) -> Sentence {
        let word = |text: &&str| Word { begin: 0, end: 1, text: (*text).to_owned(), punctuation: String::new() };
        Sentence { speaker: 0, words: words.iter().map(word).collect() }
    }

    fn text(words: &[&str], mask: &[&str], drop: &[&str]) -> String {
        let owned = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
        let filter = Filter { mask: owned(mask), drop: owned(drop), reserved: true, fillers: false };
        applied(&[sentence(words)], &filter).first().map(Sentence::text).unwrap_or_default()
    }

    #[test]
    fn words_are_masked_or_dropped_as_whole_words() {
        let words = ["A", " full", " refund", " of", " refunds"];
        assert_eq!(text(&words, &["Refund"], &[]), "A full ****** of refunds");
        assert_eq!(text(&words, &["full refund"], &[]), "A **** ****** of refunds");
        assert_eq!(text(&words, &[], &["a full"]), "refund of refunds");
        assert_eq!(text(&["Hello"], &[], &["hello"]), "");
    }

    #[test]
    fn chinese_needs_no_word_boundary_and_the_built_in_list_holds() {
        assert_eq!(text(&["那个", "笨蛋", "公司"], &[], &[]), "那个**公司");
        assert_eq!(text(&["航空", "公司"], &["空公"], &[]), "航**司");
    }
}
