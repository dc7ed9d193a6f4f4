//! Text and units of a stretch of pieces, such as a burst or a turn (definitions: turn text).

use std::borrow::Cow;
use std::ops::Range;

use super::conversation::{Conversation, join_words};
use crate::text::join_into;
use crate::text::{Markers, Units, count};

/// The part of a sentence inside a stretch.
#[derive(Debug)]
pub(crate) struct Contribution<'t> {
    /// Index into the conversation's sentences.
    pub(crate) sentence: u32,
    /// The whole sentence's own text, or the joined words of the pieces inside.
    pub(crate) text: Cow<'t, str>,
    /// The word ranges inside, in word order; `None` when the whole sentence is inside.
    pub(crate) cut: Option<Vec<Range<u32>>>,
    pub(crate) units: Units,
}

/// Groups pieces by sentence; reuses its buffers for every stretch.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    /// For each sentence its index in `met`, valid if the entry there is of that sentence.
    places: Vec<u32>,
    /// Sentences of the stretch and the number of their pieces inside, ordered by their earliest piece.
    met: Vec<(u32, u32)>,
}

impl Texts {
    /// The contributions in order. `pieces` is a range of the conversation's pieces of one participant.
    pub(crate) fn contributions<'t>(
        &mut self,
        conversation: &Conversation<'t>,
        pieces: &Range<u32>,
        markers: Markers,
    ) -> Vec<Contribution<'t>> {
        self.group(conversation, pieces);
        let cut = self.cut(conversation, pieces);
        let mut cut = cut.chunk_by(|one, two| one.0 == two.0).peekable();
        let contribution = |(place, &(number, inside)): (u32, &(u32, u32))| {
            let sentence = conversation.sentences.get(number as usize)?;
            let own = cut.next_if(|words| words.first().is_some_and(|first| first.0 == place)).unwrap_or(&[]);
            let undivided = conversation.undivided.get(&number).filter(|_| inside < sentence.pieces);
            if undivided.is_some_and(|longest| !pieces.contains(longest)) {
                return None;
            }
            if inside == sentence.pieces || undivided.is_some() {
                let text = markers.shown(conversation.text(sentence));
                return Some(Contribution { sentence: number, text, cut: None, units: sentence.units });
            }
            let words: Vec<Range<u32>> = own.iter().map(|&(_, first, end)| first..end).collect();
            let mut text = String::new();
            for words in &words {
                join_words(&mut text, conversation.words_of(sentence, words.clone()));
            }
            let units = count(&text, markers);
            let text = markers.shown(Cow::Owned(text));
            Some(Contribution { sentence: number, text, cut: Some(words), units })
        };
        (0..).zip(&self.met).filter_map(contribution).collect()
    }

    /// The word ranges of sentences that are only partly inside, as (index in `met`, first word, end), sorted.
    fn cut(&self, conversation: &Conversation<'_>, pieces: &Range<u32>) -> Vec<(u32, u32, u32)> {
        let is_cut = |&(number, inside): &(u32, u32)| {
            conversation.sentences.get(number as usize).is_some_and(|sentence| inside < sentence.pieces)
        };
        if !self.met.iter().any(is_cut) {
            return Vec::new();
        }
        let mut cut: Vec<(u32, u32, u32)> = conversation
            .pieces_in(pieces)
            .iter()
            .filter_map(|piece| {
                let place = *self.places.get(piece.sentence as usize)?;
                let met = self.met.get(place as usize)?;
                is_cut(met).then_some((place, piece.first_word, piece.end_word))
            })
            .collect();
        cut.sort_unstable();
        cut
    }

    /// Text and units of the whole stretch.
    pub(crate) fn text(
        &mut self,
        conversation: &Conversation<'_>,
        pieces: &Range<u32>,
        markers: Markers,
    ) -> (String, Units) {
        let contributions = self.contributions(conversation, pieces, markers);
        let mut text = String::with_capacity(contributions.iter().map(|part| part.text.len() + 1).sum());
        let mut units = Units::default();
        for part in &contributions {
            join_into(&mut text, &part.text);
            units += part.units;
        }
        (text, units)
    }

    fn group(&mut self, conversation: &Conversation<'_>, pieces: &Range<u32>) {
        self.met.clear();
        self.places.resize(conversation.sentences.len().max(self.places.len()), 0);
        for piece in conversation.pieces_in(pieces) {
            let Some(place) = self.places.get_mut(piece.sentence as usize) else { continue };
            match self.met.get_mut(*place as usize) {
                Some((sentence, inside)) if *sentence == piece.sentence => *inside += 1,
                _ => {
                    *place = self.met.len() as u32;
                    self.met.push((piece.sentence, 1));
                }
            }
        }
    }
}
