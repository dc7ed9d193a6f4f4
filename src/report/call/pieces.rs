//! What was said with its times, from the tables `sentences` and `words` (definitions: piece); from `turns` where these
//! were not written.

use std::collections::HashMap;

use polars::prelude::*;
use serde_json::{Map, Value};

use crate::metrics::catalogue::{EVENTS, SENTENCES, TURNS, WORDS};
use crate::metrics::{EvidenceWord, Interval, joined};
use crate::tables::CallTables;
use crate::text::join_into;

/// Pieces that are passed over together where none of them is near an event: there may be as many events as pieces.
const BLOCK: usize = 256;

/// A word with what hangs on it, or a sentence without word times.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) party: usize,
    pub(super) interval: Interval,
    pub(super) text: String,
}

/// A row of `turns`.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    pub(super) party: usize,
    pub(super) interval: Interval,
    pub(super) text: String,
}

/// Everything that was said in a call.
#[derive(Debug, Default)]
pub(super) struct Spoken {
    /// Labels of the participants, in order.
    pub(super) labels: Vec<String>,
    party_of: HashMap<String, usize>,
    /// By participant and time; empty where the tables were not written.
    pub(super) pieces: Vec<Piece>,
    /// Of each participant, when the last of every [`BLOCK`] of its pieces ends.
    block_ends: Vec<Vec<i64>>,
    pub(super) turns: Vec<Turn>,
    /// The same by participant.
    turns_of: Vec<Vec<Interval>>,
    /// Texts of bursts that are in no turn, where there are no pieces: those of their events.
    pub(super) insides: Vec<Piece>,
    /// Sentences without any time.
    pub(super) untimed: Vec<(usize, String)>,
    has_pieces: bool,
}

impl Spoken {
    pub(super) fn of(tables: &CallTables, participants: &[Map<String, Value>]) -> PolarsResult<Self> {
        let label = |row: &Map<String, Value>| row.get("participant").and_then(Value::as_str).map(str::to_owned);
        let mut spoken = Self::default();
        participants.iter().filter_map(label).for_each(|label| spoken.know(label));
        // Where the table of participants was not written, they are those who appear.
        for table in [&SENTENCES, &TURNS] {
            if let Some(frame) = tables.get(table).filter(|_| participants.is_empty()) {
                for label in frame.column("participant")?.str()?.iter().flatten() {
                    if spoken.party(label).is_none() {
                        spoken.know(label.to_owned());
                    }
                }
            }
        }
        if let Some(frame) = tables.get(&TURNS) {
            let party = frame.column("participant")?.str()?;
            let (begin, end, text) =
                (frame.column("begin_ms")?.i64()?, frame.column("end_ms")?.i64()?, frame.column("text")?.str()?);
            let turn = |row: usize| {
                let interval = Interval { begin: begin.get(row)?, end: end.get(row)? };
                let party = spoken.party(party.get(row)?)?;
                Some(Turn { party, interval, text: text.get(row)?.to_owned() })
            };
            spoken.turns = (0..frame.height()).filter_map(turn).collect();
            spoken.turns_of = vec![Vec::new(); spoken.labels.len()];
            for turn in &spoken.turns {
                if let Some(turns) = spoken.turns_of.get_mut(turn.party) {
                    turns.push(turn.interval);
                }
            }
        }
        if let (Some(sentences), Some(words)) = (tables.get(&SENTENCES), tables.get(&WORDS)) {
            spoken.cut(sentences, words)?;
            spoken.has_pieces = true;
        } else if let Some(events) = tables.get(&EVENTS) {
            spoken.take_events(events)?;
        }
        Ok(spoken)
    }

    fn know(&mut self, label: String) {
        self.party_of.entry(label.clone()).or_insert(self.labels.len());
        self.labels.push(label);
    }

    /// Which participant bears a label.
    pub(super) fn party(&self, label: &str) -> Option<usize> {
        self.party_of.get(label).copied()
    }

    /// Sentences into pieces: timed words, else the sentence; a word without a time hangs on the one before it.
    fn cut(&mut self, sentences: &DataFrame, words: &DataFrame) -> PolarsResult<()> {
        let keys = |frame: &DataFrame| {
            let (channel, index) =
                (frame.column("channel_id")?.i64()?.clone(), frame.column("sentence_index")?.i64()?.clone());
            Ok::<_, PolarsError>(move |row| Some((channel.get(row)?, index.get(row)?)))
        };
        let mut of_sentence: HashMap<(i64, i64), (usize, usize)> = HashMap::new();
        let key = keys(words)?;
        for row in 0..words.height() {
            if let Some(key) = key(row) {
                of_sentence.entry(key).or_insert((row, 0)).1 += 1;
            }
        }
        let (begins, ends) = (words.column("begin_ms")?.i64()?, words.column("end_ms")?.i64()?);
        let (texts, marks) = (words.column("text")?.str()?, words.column("punctuation")?.str()?);
        let (own_begins, own_ends) = (sentences.column("begin_ms")?.i64()?, sentences.column("end_ms")?.i64()?);
        let (own_texts, parties) = (sentences.column("text")?.str()?, sentences.column("participant")?.str()?);
        let key = keys(sentences)?;
        for row in 0..sentences.height() {
            let (Some(key), Some(party)) = (key(row), parties.get(row).and_then(|label| self.party(label))) else {
                continue;
            };
            let (start, count) = of_sentence.get(&key).copied().unwrap_or_default();
            let first = self.pieces.len();
            let mut before = String::new();
            for word in start..start + count {
                let text = format!("{}{}", texts.get(word).unwrap_or_default(), marks.get(word).unwrap_or_default());
                match interval(begins.get(word), ends.get(word)) {
                    Some(interval) => {
                        let mut whole = std::mem::take(&mut before);
                        join_into(&mut whole, &text);
                        self.pieces.push(Piece { party, interval, text: whole });
                    }
                    None => match self.pieces.get_mut(first..).and_then(<[Piece]>::last_mut) {
                        Some(piece) => join_into(&mut piece.text, &text),
                        None => join_into(&mut before, &text),
                    },
                }
            }
            if self.pieces.len() > first {
                continue;
            }
            let text = own_texts.get(row).unwrap_or_default().to_owned();
            match interval(own_begins.get(row), own_ends.get(row)) {
                Some(interval) => self.pieces.push(Piece { party, interval, text }),
                None if !text.is_empty() => self.untimed.push((party, text)),
                None => {}
            }
        }
        self.pieces.sort_by_key(|piece| (piece.party, piece.interval));
        let last_end = |block: &[Piece]| block.iter().map(|piece| piece.interval.end).max().unwrap_or(i64::MIN);
        self.block_ends =
            (0..self.labels.len()).map(|party| self.pieces_of(party).chunks(BLOCK).map(last_end).collect()).collect();
        Ok(())
    }

    /// What is inside somebody else's turn, from the events that name it.
    fn take_events(&mut self, events: &DataFrame) -> PolarsResult<()> {
        let (party, text) = (events.column("participant")?.str()?, events.column("text")?.str()?);
        let (begin, end) = (events.column("begin_ms")?.i64()?, events.column("end_ms")?.i64()?);
        let inside = |row: usize| {
            let interval = interval(begin.get(row), end.get(row))?;
            Some(Piece { party: self.party(party.get(row)?)?, interval, text: text.get(row)?.to_owned() })
        };
        let insides: Vec<Piece> = (0..events.height()).filter_map(inside).collect();
        self.insides = insides.into_iter().filter(|piece| !self.is_in_turn(piece.party, piece.interval)).collect();
        Ok(())
    }

    /// Whether an interval lies in a turn of that participant.
    pub(super) fn is_in_turn(&self, party: usize, interval: Interval) -> bool {
        // Turns of one participant follow each other.
        let Some(turns) = self.turns_of.get(party) else { return false };
        let before = turns.partition_point(|turn| turn.begin <= interval.begin).checked_sub(1);
        before.and_then(|before| turns.get(before)).is_some_and(|turn| turn.end >= interval.end)
    }

    /// When each participant talked, and what that was drawn from.
    pub(super) fn lanes(&self, join_gap_ms: i64) -> (Vec<Vec<(i64, i64)>>, &'static str) {
        let lane = |intervals: Vec<Interval>, gap| {
            joined(intervals.into_iter(), gap).iter().map(|burst| (burst.begin, burst.end)).collect()
        };
        if self.has_pieces {
            let intervals = |party| self.pieces_of(party).iter().map(|piece| piece.interval).collect();
            return ((0..self.labels.len()).map(|party| lane(intervals(party), join_gap_ms)).collect(), "words");
        }
        let mut intervals = self.turns_of.clone();
        intervals.resize(self.labels.len(), Vec::new());
        for piece in &self.insides {
            if let Some(intervals) = intervals.get_mut(piece.party) {
                intervals.push(piece.interval);
            }
        }
        intervals.iter_mut().for_each(|intervals| intervals.sort_unstable());
        (intervals.into_iter().map(|intervals| lane(intervals, 0)).collect(), "turns")
    }

    /// The pieces of one participant in order of time.
    pub(super) fn pieces_of(&self, party: usize) -> &[Piece] {
        let start = self.pieces.partition_point(|piece| piece.party < party);
        let end = self.pieces.partition_point(|piece| piece.party <= party);
        self.pieces.get(start..end).unwrap_or_default()
    }

    /// What a participant said near an event of `[begin, end)`.
    pub(super) fn near(&self, party: usize, begin_ms: i64, end_ms: i64) -> Vec<EvidenceWord> {
        let is_near = |interval| EvidenceWord::is_near(begin_ms, end_ms, interval);
        let pieces = self.pieces_of(party);
        let until = pieces.partition_point(|piece| is_near(Interval { end: i64::MAX, ..piece.interval }));
        let blocks = pieces.get(..until).unwrap_or_default().chunks(BLOCK);
        let ends = self.block_ends.get(party).map_or(&[][..], Vec::as_slice);
        let near = blocks.zip(ends).filter(|(_, end)| is_near(Interval { begin: i64::MIN, end: **end }));
        let near = near.flat_map(|(block, _)| block).filter(|piece| is_near(piece.interval));
        near.map(|piece| EvidenceWord::beside(begin_ms, end_ms, piece.interval, piece.text.clone())).collect()
    }
}

/// Both times, in order and with something between them.
fn interval(begin: Option<i64>, end: Option<i64>) -> Option<Interval> {
    let (begin, end) = (begin?, end?);
    (end > begin).then_some(Interval { begin, end })
}
