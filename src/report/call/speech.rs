//! Speech in a call and its times: pieces of sentences, turns, bursts.

use crate::metrics::{Basis, EvidenceWord, Interval, cut_sentence, joined};
use crate::tables::{CallRows, SentenceRow};
use crate::text::{Markers, join_into};

use super::LaneSource;

/// Pieces that are skipped together if none of them is near an event: a call may have as many events as pieces.
const BLOCK: usize = 256;

/// A timed text: a piece of a sentence, or a burst inside somebody else's turn.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) participant: usize,
    pub(super) interval: Interval,
    pub(super) text: String,
}

/// The speech of a call. Participants are indices into its labels.
#[derive(Debug, Default)]
pub(super) struct Speech {
    /// By participant and time; `None` where the tables were not written.
    pieces: Option<Vec<Piece>>,
    /// For each participant, the last end in every [`BLOCK`] of its pieces.
    block_ends: Vec<Vec<i64>>,
    /// Turns of each participant, in order of time.
    turns: Vec<Vec<Interval>>,
    /// Sentences without a time.
    pub(super) untimed: Vec<(usize, String)>,
}

impl Speech {
    pub(super) fn new(rows: &CallRows, markers: Markers) -> Self {
        let mut speech = Self { turns: vec![Vec::new(); rows.labels.len()], ..Self::default() };
        for turn in &rows.turns {
            if let Some(turns) = speech.turns.get_mut(turn.participant) {
                turns.push(turn.interval);
            }
        }
        if let Some(sentences) = &rows.sentences {
            let mut pieces = Vec::new();
            sentences.iter().for_each(|sentence| speech.cut(sentence, markers, &mut pieces));
            if rows.bursts.is_some() {
                // A blank sentence can have a time without being speech.
                let (lanes, _) = speech.lanes(rows);
                pieces.retain(|piece| lanes.get(piece.participant).is_some_and(|lane| holds(lane, piece.interval)));
            }
            pieces.sort_by_key(|piece| (piece.participant, piece.interval));
            speech.pieces = Some(pieces);
            let last_end = |block: &[Piece]| block.iter().map(|piece| piece.interval.end).max().unwrap_or(i64::MIN);
            let ends = |participant| speech.pieces_of(participant).chunks(BLOCK).map(last_end).collect();
            speech.block_ends = (0..rows.labels.len()).map(ends).collect();
        }
        speech
    }

    fn cut(&mut self, sentence: &SentenceRow, markers: Markers, pieces: &mut Vec<Piece>) {
        let times: Vec<Option<Interval>> = sentence.words.iter().map(|word| word.interval).collect();
        let mut cuts = Vec::new();
        let basis = cut_sentence(&times, sentence.interval, |words, interval| cuts.push((words, interval)));
        if basis.is_none() && !sentence.text.is_empty() {
            self.untimed.push((sentence.participant, markers.shown(sentence.text.as_str().into()).into_owned()));
        }
        for (words, interval) in cuts {
            let text = if basis == Some(Basis::Words) {
                let words = sentence.words.get(words.start as usize..words.end as usize).unwrap_or_default();
                let mut text = String::new();
                words.iter().for_each(|word| join_into(&mut text, &word.text));
                text
            } else {
                sentence.text.clone()
            };
            // As turns and events show it.
            let text = markers.shown(text.into()).into_owned();
            pieces.push(Piece { participant: sentence.participant, interval, text });
        }
    }

    /// Whether an interval lies in a turn of that participant.
    fn is_in_turn(&self, participant: usize, interval: Interval) -> bool {
        // Turns of one participant do not overlap.
        let Some(turns) = self.turns.get(participant) else { return false };
        let before = turns.partition_point(|turn| turn.begin <= interval.begin).checked_sub(1);
        before.and_then(|before| turns.get(before)).is_some_and(|turn| turn.end >= interval.end)
    }

    /// Bursts of each participant in order of time, from the table `bursts`; from `turns` where that was not written.
    pub(super) fn lanes(&self, rows: &CallRows) -> (Vec<Vec<(i64, i64)>>, LaneSource) {
        let (mut intervals, source) = match &rows.bursts {
            None => (self.turns.clone(), LaneSource::Turns),
            Some(bursts) => {
                let mut intervals = vec![Vec::new(); rows.labels.len()];
                for burst in bursts {
                    if let Some(intervals) = intervals.get_mut(burst.participant) {
                        intervals.push(burst.interval);
                    }
                }
                (intervals, LaneSource::Bursts)
            }
        };
        // Charts rely on intervals that are in order and disjoint; a file on disk need not be.
        intervals.iter_mut().for_each(|intervals| intervals.sort_unstable());
        let lane = |intervals: Vec<Interval>| {
            joined(intervals.into_iter(), 0).iter().map(|burst| (burst.begin, burst.end)).collect()
        };
        (intervals.into_iter().map(lane).collect(), source)
    }

    /// Bursts that belong to no turn, with their text: from the pieces, else from the events that name them.
    pub(super) fn asides(&self, rows: &CallRows, lanes: &[Vec<(i64, i64)>]) -> Vec<Piece> {
        if self.pieces.is_none() || rows.bursts.is_none() {
            let events = rows.events.iter().filter_map(|event| {
                let (participant, interval) = (event.participant, event.interval);
                let inside = interval.length() > 0 && !self.is_in_turn(participant, interval);
                inside.then_some(Piece { participant, interval, text: event.text.clone()? })
            });
            return events.collect();
        }
        let mut asides = Vec::new();
        for (participant, lane) in lanes.iter().enumerate() {
            let pieces = self.pieces_of(participant);
            for &(begin, end) in lane {
                let interval = Interval { begin, end };
                if self.is_in_turn(participant, interval) {
                    continue;
                }
                let from = pieces.partition_point(|piece| piece.interval.begin < begin);
                let mut text = String::new();
                for piece in pieces.iter().skip(from).take_while(|piece| piece.interval.begin < end) {
                    join_into(&mut text, &piece.text);
                }
                asides.push(Piece { participant, interval, text });
            }
        }
        asides
    }

    /// The pieces of one participant in order of time.
    fn pieces_of(&self, participant: usize) -> &[Piece] {
        let pieces = self.pieces.as_deref().unwrap_or_default();
        let start = pieces.partition_point(|piece| piece.participant < participant);
        let end = pieces.partition_point(|piece| piece.participant <= participant);
        pieces.get(start..end).unwrap_or_default()
    }

    /// What a participant said near an event.
    pub(super) fn near(&self, participant: usize, event: Interval) -> Vec<EvidenceWord> {
        let is_near = |interval| EvidenceWord::is_near(event.begin, event.end, interval);
        let pieces = self.pieces_of(participant);
        let until = pieces.partition_point(|piece| is_near(Interval { end: i64::MAX, ..piece.interval }));
        let blocks = pieces.get(..until).unwrap_or_default().chunks(BLOCK);
        let ends = self.block_ends.get(participant).map_or(&[][..], Vec::as_slice);
        let near = blocks.zip(ends).filter(|(_, end)| is_near(Interval { begin: i64::MIN, end: **end }));
        let near = near.flat_map(|(block, _)| block).filter(|piece| is_near(piece.interval));
        near.map(|piece| EvidenceWord::beside(event.begin, event.end, piece.interval, piece.text.clone())).collect()
    }
}

/// Whether an interval lies in one of these, which are in order and disjoint.
fn holds(lane: &[(i64, i64)], interval: Interval) -> bool {
    let before = lane.partition_point(|burst| burst.0 <= interval.begin).checked_sub(1);
    before.and_then(|before| lane.get(before)).is_some_and(|burst| burst.1 >= interval.end)
}
