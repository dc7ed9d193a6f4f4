//! A call put together again from its stored tables, so that its text can be searched as when it was measured.
//!
//! Times in tables are clean already, and cleaning them again changes nothing. Bursts and turns are taken as stored,
//! for any thresholds.

use std::borrow::Cow;

use super::conversation::{Burst, Conversation, Piece};
use super::floor::{Floor, FloorTurn};
use super::interval::Interval;
use super::participants::Identity;
use super::rows::{Call, Measured, Participant};
use crate::text::{Markers, count};
use crate::transcript::{Sentence, Transcript};

/// What the tables have of one call. Participants are indices into `participants`.
#[derive(Debug)]
pub(crate) struct StoredCall<'t> {
    pub(crate) file: String,
    /// Label and role.
    pub(crate) participants: Vec<(String, Option<String>)>,
    /// The tables `sentences` and `words`, by channel.
    pub(crate) transcript: &'t Transcript<'t>,
    /// Of each sentence, in order.
    pub(crate) speakers: Vec<u32>,
    /// By participant, then time.
    pub(crate) bursts: Vec<(usize, Interval)>,
    /// By time.
    pub(crate) turns: Vec<(usize, Interval)>,
    /// Of each sentence, in order; null as in the table.
    pub(crate) units: Vec<Option<i64>>,
}

impl<'t> StoredCall<'t> {
    /// The call, to be searched: of its figures only labels, roles and the span are there.
    pub(crate) fn rebuild(self) -> Measured<'t> {
        let identity = |(label, role): &(String, Option<String>)| Identity {
            label: label.clone(),
            role: role.clone(),
            channel_id: None,
            speaker_id: None,
            known: true,
        };
        let identities = self.participants.iter().map(identity).collect();
        let markers = self.markers();
        let mut speakers = self.speakers.into_iter();
        let mut conversation =
            Conversation::without_bursts(self.transcript, identities, |_, _| speakers.next().unwrap_or(0), markers);
        conversation.take_bursts(&self.bursts);
        let floor = Floor::from_turns(&conversation, &self.turns);
        let row = |(participant, role)| Participant { participant, role, ..Participant::default() };
        Measured {
            file: self.file,
            call: Call {
                span_start_ms: self.bursts.iter().map(|(_, interval)| interval.begin).min(),
                span_end_ms: self.bursts.iter().map(|(_, interval)| interval.end).max(),
                ..Call::default()
            },
            participants: self.participants.into_iter().map(row).collect(),
            turns: Vec::new(),
            events: Vec::new(),
            hits: Vec::new(),
            rules: Vec::new(),
            rule_hits: Vec::new(),
            windows: Vec::new(),
            billable: Vec::new(),
            warnings: Vec::new(),
            region: None,
            conversation,
            floor,
        }
    }
}

impl StoredCall<'_> {
    /// Whether markers were counted as words: a sentence with one tells.
    fn markers(&self) -> Markers {
        let sentences = self.transcript.channels.iter().flat_map(|channel| &channel.sentences);
        let tells = |(sentence, units): (&Sentence<'_>, &Option<i64>)| {
            let units = (*units)?;
            let has_marker = matches!(Markers::Drop.shown(Cow::Borrowed(&sentence.text)), Cow::Owned(_));
            let [dropped, kept] =
                [Markers::Drop, Markers::Keep].map(|markers| count(&sentence.text, markers).units().map(i64::from));
            (has_marker && dropped != kept).then_some(kept == Some(units))
        };
        let kept = sentences.zip(&self.units).find_map(tells);
        if kept == Some(true) { Markers::Keep } else { Markers::Drop }
    }
}

impl Conversation<'_> {
    /// Assigns each piece to the burst that holds it. A piece in none is of a blank sentence, which is no speech.
    fn take_bursts(&mut self, bursts: &[(usize, Interval)]) {
        let mut pieces = (0_u32..).zip(&self.pieces).peekable();
        for &(participant, interval) in bursts {
            let participant = participant as u32;
            let is_before = |piece: &Piece| (piece.participant, piece.interval.begin) < (participant, interval.begin);
            while pieces.next_if(|(_, piece)| is_before(piece)).is_some() {}
            let Some(start) = pieces.peek().map(|(number, _)| *number) else { break };
            let mut after = start;
            while let Some((number, _)) =
                pieces.next_if(|(_, piece)| piece.participant == participant && piece.interval.begin < interval.end)
            {
                after = number + 1;
            }
            self.bursts.push(Burst { participant, interval, pieces: start..after });
        }
    }
}

impl Floor {
    /// The floor as stored: a burst within a turn of its participant is part of it, any other is inside another's.
    fn from_turns(conversation: &Conversation<'_>, turns: &[(usize, Interval)]) -> Self {
        let mut floor = Self::default();
        // Turns of one participant do not overlap, so that each is found by its begin.
        let mut by_begin: Vec<(u32, Interval, usize)> =
            turns.iter().enumerate().map(|(index, (who, interval))| (*who as u32, *interval, index)).collect();
        by_begin.sort_unstable();
        floor.turns = turns
            .iter()
            .map(|&(participant, interval)| FloorTurn {
                participant: participant as u32,
                interval,
                talk_ms: 0,
                pieces: 0..0,
            })
            .collect();
        for burst in conversation.bursts_in_time() {
            let begin = burst.interval.begin;
            let behind = by_begin.partition_point(|(who, turn, _)| (*who, turn.begin) <= (burst.participant, begin));
            let own = behind.checked_sub(1).and_then(|last| by_begin.get(last));
            let own = own.filter(|(who, turn, _)| *who == burst.participant && begin < turn.end);
            match own.and_then(|(_, _, index)| floor.turns.get_mut(*index)) {
                Some(turn) => {
                    turn.talk_ms += burst.interval.length();
                    if turn.pieces.is_empty() {
                        turn.pieces = burst.pieces.clone();
                    }
                    turn.pieces.end = burst.pieces.end;
                }
                None => floor.contained.push(burst.pieces.clone()),
            }
        }
        floor
    }
}
