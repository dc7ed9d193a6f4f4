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
    use super::*;

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
