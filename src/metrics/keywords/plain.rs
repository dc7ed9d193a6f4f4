//! Terms without a regex: found with one automaton, then checked at their edges.

use aho_corasick::AhoCorasick;
use unicode_normalization::UnicodeNormalization;

use super::Match;
use crate::text::{FoldedText, Form, begins_with_word, ends_in_word};

/// Plain terms and exclusions that are searched in one form of the text.
#[derive(Clone)]
pub(super) struct PlainTerms {
    pub(super) form: Form,
    pub(super) list: Vec<Plain>,
    /// Over `list`; `None` when it is empty.
    pub(super) automaton: Option<AhoCorasick>,
}

/// A plain term or exclusion.
#[derive(Clone, Debug)]
pub(super) struct Plain {
    pub(super) folded: String,
    pub(super) role: Role,
    /// Its first character must not follow a letter or digit.
    pub(super) begins_at_boundary: bool,
    /// Its last character must not be followed by a letter or digit.
    pub(super) ends_at_boundary: bool,
    /// It begins with a dot directly before a letter, which must be in the text: `.NET`.
    pub(super) has_dot: bool,
    pub(super) dulled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Term(usize),
    /// Of the term with this index.
    Exclusion(usize),
}

impl PlainTerms {
    pub(super) fn new(form: Form) -> Self {
        Self { form, list: Vec::new(), automaton: None }
    }

    /// `folded` is `text` in this form.
    pub(super) fn find(
        &self,
        automaton: &AhoCorasick,
        text: &str,
        folded: &FoldedText,
        mut found: impl FnMut(Role, Match),
    ) {
        let bytes = folded.as_bytes();
        // Most texts hold no term, which is faster to find out than which term.
        if !automaton.is_match(bytes) {
            return;
        }
        for place in automaton.try_find_overlapping_iter(bytes).into_iter().flatten() {
            let Some(plain) = self.list.get(place.pattern().as_usize()) else {
                continue;
            };
            let (before, after) = (bytes.get(..place.start()), bytes.get(place.end()..));
            if plain.begins_at_boundary && ends_in_word(before.unwrap_or_default())
                || plain.ends_at_boundary && begins_with_word(after.unwrap_or_default())
            {
                continue;
            }
            let Some(range) = folded.exactly(place.range()) else { continue };
            let dot = if plain.has_dot { dot_before(text, range.start) } else { Some(range.start) };
            if let Some(start) = dot {
                let (Role::Term(term) | Role::Exclusion(term)) = plain.role;
                found(plain.role, Match { term, start, end: range.end });
            }
        }
    }
}

/// Where the dot directly before a place begins.
fn dot_before(text: &str, at: usize) -> Option<usize> {
    let last = text.get(..at)?.chars().next_back()?;
    std::iter::once(last).nfkc().eq(['.']).then(|| at - last.len_utf8())
}
