//! The letters and digits of a text, one by one, to align words with it.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

use super::class::{Class, class};

/// The letters and digits of `text`, folded in case and width, each with the place of its character, counted from `start`.
pub(crate) fn letters(text: &str, start: usize) -> Letters<'_> {
    Letters { text, at: 0, start, place: 0..0, more: Vec::new() }
}

pub(crate) struct Letters<'t> {
    text: &'t str,
    at: usize,
    start: usize,
    /// The place of the latest character.
    place: Range<usize>,
    /// Its other letters, the last one first.
    more: Vec<char>,
}

impl Letters<'_> {
    /// Moves behind the letters of `word`, which come next, and returns their place, inner `None` if it has none; `None` if
    /// others come next.
    pub(crate) fn spell(&mut self, word: &str) -> Option<Option<Range<usize>>> {
        if let Some(place) = self.repeated(word) {
            return Some(Some(place));
        }
        let mut place: Option<Range<usize>> = None;
        for (letter, _) in letters(word, 0) {
            let (same, at) = self.next()?;
            if same != letter {
                return None;
            }
            place = Some(place.map_or(at.start, |place| place.start)..at.end);
        }
        Some(place)
    }

    /// The same where the text repeats the word byte by byte, as it nearly always does: a tenth of the time. `None` says
    /// nothing, and moves nothing.
    fn repeated(&mut self, word: &str) -> Option<Range<usize>> {
        let word = word.trim_ascii();
        let is_letter = |c: char| c.is_ascii_alphanumeric() || class(c) == Class::Han;
        let bounded = word.chars().next().is_some_and(is_letter) && word.chars().next_back().is_some_and(is_letter);
        if !bounded || !self.more.is_empty() {
            return None;
        }
        let rest = self.text.get(self.at..)?;
        let silent = rest.bytes().take_while(|byte| byte.is_ascii() && !byte.is_ascii_alphanumeric()).count();
        rest.get(silent..)?.strip_prefix(word)?;
        let begin = self.at + silent;
        self.at = begin + word.len();
        Some(self.start + begin..self.start + self.at)
    }
}

impl Iterator for Letters<'_> {
    type Item = (char, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(letter) = self.more.pop() {
                return Some((letter, self.place.clone()));
            }
            let c = self.text.get(self.at..)?.chars().next()?;
            self.place = self.start + self.at..self.start + self.at + c.len_utf8();
            self.at += c.len_utf8();
            if c.is_ascii() {
                if c.is_ascii_alphanumeric() {
                    return Some((c.to_ascii_lowercase(), self.place.clone()));
                }
                continue;
            }
            match class(c) {
                Class::Han => return Some((c, self.place.clone())),
                Class::Separator => {}
                _ => {
                    self.more.extend(folded(c));
                    self.more.reverse();
                }
            }
        }
    }
}

/// The definition, for any character.
fn folded(c: char) -> impl Iterator<Item = char> {
    std::iter::once(c).nfkd().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_repeated_word_is_spelt_like_any_other(
            text in "[aAb1 ,，。你好ßℌ㍿\u{301}]{0,8}",
            words in proptest::collection::vec("[aAb1 ,，。你好ßℌ㍿\u{301}]{0,3}", 1..4),
        ) {
            let text = text + &words.concat();
            let (mut quick, mut slow) = (letters(&text, 3), letters(&text, 3));
            for word in &words {
                let mut place: Option<Range<usize>> = None;
                let spelt = letters(word, 0).all(|(letter, _)| {
                    let Some((same, at)) = slow.next() else { return false };
                    place = Some(place.clone().map_or(at.start, |place| place.start)..at.end);
                    same == letter
                });
                prop_assert_eq!(quick.spell(word), spelt.then_some(place));
                if !spelt {
                    return Ok(());
                }
            }
            prop_assert!(quick.eq(slow));
        }
    }

    #[test]
    fn every_character_folds_as_defined() {
        for c in '\0'..=char::MAX {
            let text = c.to_string();
            let expected = folded(c).map(|letter| (letter, 5..5 + c.len_utf8()));
            assert!(letters(&text, 5).eq(expected), "{c:?}");
        }
    }

    #[test]
    fn letters_have_the_places_of_their_characters() {
        let found: Vec<_> = letters("Aß ㍿，ﬁ", 0).collect();
        let spelt: String = found.iter().map(|(letter, _)| letter).collect();
        assert_eq!(spelt, "aß株式会社fi");
        assert_eq!((found[1].1.clone(), found[5].1.clone(), found[7].1.clone()), (1..3, 4..7, 10..13));
    }
}
