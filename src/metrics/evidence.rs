//! The words behind an event, so that a person can disagree with it.

use super::rows::{Event, Measured};
use crate::metrics::{EventKind, Interval};

/// Most words shown on each side of an event.
const CONTEXT_WORDS: usize = 8;

/// Words further away than this are not shown.
const CONTEXT_MS: i64 = 5_000;

/// The word rows of both participants of an event.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Evidence {
    /// Who started, or spoke before a silence.
    pub participant: Vec<EvidenceWord>,
    /// The incumbent, or who spoke after a silence.
    pub other: Vec<EvidenceWord>,
}

/// One word, or one sentence where it has no timed words.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct EvidenceWord {
    /// ms, cleaned.
    pub begin_ms: i64,
    /// ms, cleaned.
    pub end_ms: i64,
    /// With its punctuation.
    pub text: String,
    /// Whether it overlaps the event; other words are context.
    pub inside: bool,
}

impl EvidenceWord {
    /// A word, or a sentence, beside an event of `[begin, end)`.
    pub(crate) fn beside(begin_ms: i64, end_ms: i64, interval: Interval, text: String) -> Self {
        let inside = interval.length_within(begin_ms, end_ms) > 0;
        Self { begin_ms: interval.begin, end_ms: interval.end, text, inside }
    }

    /// Whether `interval` is near enough to an event of `[begin, end)` to be shown with it.
    pub(crate) fn is_near(begin_ms: i64, end_ms: i64, interval: Interval) -> bool {
        interval.end >= begin_ms - CONTEXT_MS && interval.begin <= end_ms + CONTEXT_MS
    }
}

impl Evidence {
    /// Selects the words to show from all that both participants said near an event, each in time order.
    pub(crate) fn new(
        kind: EventKind,
        (begin_ms, end_ms): (i64, i64),
        mut participant: Vec<EvidenceWord>,
        mut other: Vec<EvidenceWord>,
    ) -> Self {
        if kind == EventKind::DeadAir {
            // The last words before the silence and the first ones after it.
            participant.retain(|word| word.end_ms <= begin_ms);
            participant.drain(..participant.len().saturating_sub(CONTEXT_WORDS));
            other.retain(|word| word.begin_ms >= end_ms);
            other.truncate(CONTEXT_WORDS);
        } else {
            for words in [&mut participant, &mut other] {
                let first = words.iter().position(|word| word.inside).unwrap_or(words.len());
                let last = words.iter().rposition(|word| word.inside).map_or(first, |last| last + 1);
                words.truncate(last + CONTEXT_WORDS / 4);
                words.drain(..first.saturating_sub(CONTEXT_WORDS));
            }
        }
        Self { participant, other }
    }
}

impl Measured<'_> {
    /// The words of both participants around an event.
    #[must_use]
    pub fn evidence(&self, event: &Event) -> Evidence {
        let (participant, other) = (self.spoken(event.participant, event), self.spoken(event.other, event));
        Evidence::new(event.kind, (event.begin_ms, event.end_ms), participant, other)
    }

    /// The pieces of one participant near an event, in time order.
    fn spoken(&self, participant: usize, event: &Event) -> Vec<EvidenceWord> {
        let conversation = &self.conversation;
        let near = conversation.pieces.iter().filter(|piece| {
            piece.participant as usize == participant
                && EvidenceWord::is_near(event.begin_ms, event.end_ms, piece.interval)
        });
        near.filter_map(|piece| {
            let sentence = conversation.sentences.get(piece.sentence as usize)?;
            let mut text = String::new();
            if sentence.basis == Some(super::Basis::Words) {
                super::conversation::join_words(
                    &mut text,
                    conversation.words_of(sentence, piece.first_word..piece.end_word),
                );
            } else {
                text.push_str(&conversation.text(sentence));
            }
            // The words of a marker are not spoken, unless it counts as text.
            let text = conversation.markers.shown(text.into());
            let shown = !text.is_empty();
            shown.then(|| EvidenceWord::beside(event.begin_ms, event.end_ms, piece.interval, text.into_owned()))
        })
        .collect()
    }
}
