//! The transcript: turns, what was said inside somebody else's turn, silences; with the keyword hits in it.

use std::collections::HashMap;

use serde::Serialize;

use super::pieces::{Piece, Spoken};
use super::{EventView, HitView};
use crate::metrics::{EventKind, Interval};
use crate::text::{is_unspaced, join_into};

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LineKind {
    /// Nobody spoke for so long that it is dead air.
    Silence,
    /// A turn.
    Turn,
    /// Said inside somebody else's turn.
    Inside,
    /// Said at no known time.
    Untimed,
}

/// A line of the transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Line {
    /// What it is.
    pub kind: LineKind,
    /// Whose; null at a silence.
    pub participant: Option<usize>,
    /// ms; null where there is no time.
    pub begin_ms: Option<i64>,
    /// ms; null where there is no time.
    pub end_ms: Option<i64>,
    /// What was said; empty at a silence.
    pub text: String,
    /// The keyword hits in `text`, in order, not overlapping.
    pub marks: Vec<Mark>,
    /// Places in [`CallView::events`](super::CallView::events) of what happened here.
    pub events: Vec<usize>,
}

/// A keyword hit in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Mark {
    /// Byte in the text.
    pub start: usize,
    /// The byte after it.
    pub end: usize,
    /// Its place in [`CallView::hits`](super::CallView::hits).
    pub hit: usize,
}

impl Line {
    fn new(kind: LineKind, participant: Option<usize>, interval: Option<Interval>, text: String) -> Self {
        Self {
            kind,
            participant,
            begin_ms: interval.map(|interval| interval.begin),
            end_ms: interval.map(|interval| interval.end),
            text,
            marks: Vec::new(),
            events: Vec::new(),
        }
    }
}

/// Lines by participant and time, to be found by a moment: those of one participant do not overlap.
struct Places(Vec<Vec<(i64, i64, usize)>>);

impl Places {
    fn of(lines: &[Line], participants: usize) -> Self {
        let mut places = vec![Vec::new(); participants];
        for (at, line) in lines.iter().enumerate() {
            let of_party = line.participant.and_then(|party| places.get_mut(party));
            if let (Some(of_party), Some(begin), Some(end)) = (of_party, line.begin_ms, line.end_ms) {
                of_party.push((begin, end, at));
            }
        }
        Self(places)
    }

    /// The line in which a participant speaks at this moment.
    fn at(&self, participant: usize, ms: i64) -> Option<usize> {
        let lines = self.0.get(participant)?;
        let (_, end, line) = lines.get(lines.partition_point(|line| line.0 <= ms).checked_sub(1)?)?;
        (ms < *end).then_some(*line)
    }
}

/// The lines in order of time, and for each hit the line that holds it. Events learn where they show.
pub(super) fn lines(
    spoken: &Spoken,
    lanes: &[Vec<(i64, i64)>],
    events: &mut [EventView],
    hits: &[HitView],
) -> (Vec<Line>, Vec<Option<usize>>) {
    let mut lines: Vec<Line> = spoken
        .turns
        .iter()
        .map(|turn| Line::new(LineKind::Turn, Some(turn.party), Some(turn.interval), turn.text.clone()))
        .collect();
    lines.extend(insides(spoken, lanes));
    let silences = events.iter().filter(|event| event.kind == EventKind::DeadAir);
    lines.extend(silences.map(|event| {
        let interval = Interval { begin: event.begin_ms, end: event.end_ms };
        Line::new(LineKind::Silence, None, Some(interval), String::new())
    }));
    lines.sort_by_key(|line| (line.begin_ms, line.kind, line.end_ms, line.participant));
    let untimed = spoken.untimed.iter();
    lines.extend(untimed.map(|(party, text)| Line::new(LineKind::Untimed, Some(*party), None, text.clone())));
    let places = Places::of(&lines, spoken.labels.len());
    let silences: Vec<(i64, usize)> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.kind == LineKind::Silence)
        .filter_map(|(at, line)| Some((line.begin_ms?, at)))
        .collect();
    for (at, event) in events.iter_mut().enumerate() {
        event.line = if event.kind == EventKind::DeadAir {
            let silence = silences.binary_search_by_key(&event.begin_ms, |silence| silence.0);
            silence.ok().and_then(|silence| Some(silences.get(silence)?.1))
        } else {
            places.at(event.participant, event.begin_ms)
        };
        if let Some(line) = event.line.and_then(|line| lines.get_mut(line)) {
            line.events.push(at);
        }
    }
    let mut untimed: HashMap<usize, Vec<usize>> = HashMap::new();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.kind == LineKind::Untimed) {
        untimed.entry(line.participant.unwrap_or_default()).or_default().push(at);
    }
    // Where the next hit of these words is looked for: the same words a second time are the next hit's.
    let mut timed_from: HashMap<(usize, &str, &str), usize> = HashMap::new();
    let mut untimed_from: HashMap<(usize, &str, &str), (usize, usize)> = HashMap::new();
    let held = hits
        .iter()
        .enumerate()
        .map(|(at, hit)| match hit.begin_ms {
            Some(begin) => {
                let place = places.at(hit.participant, begin)?;
                mark(lines.get_mut(place)?, at, hit, timed_from.entry((place, &hit.rule, &hit.matched)).or_default());
                Some(place)
            }
            None => {
                let own = untimed.get(&hit.participant)?;
                let (line, from) = untimed_from.entry((hit.participant, &hit.rule, &hit.matched)).or_default();
                while let Some(&place) = own.get(*line) {
                    if mark(lines.get_mut(place)?, at, hit, from) {
                        return Some(place);
                    }
                    (*line, *from) = (*line + 1, 0);
                }
                None
            }
        })
        .collect();
    for line in &mut lines {
        line.marks.sort_by_key(|mark| (mark.start, std::cmp::Reverse(mark.end)));
        let mut reached = 0;
        line.marks.retain(|mark| {
            let apart = mark.start >= reached;
            reached = if apart { mark.end } else { reached };
            apart
        });
    }
    (lines, held)
}

/// Bursts that belong to no turn.
fn insides(spoken: &Spoken, lanes: &[Vec<(i64, i64)>]) -> Vec<Line> {
    let line = |party, interval, text| Line::new(LineKind::Inside, Some(party), Some(interval), text);
    if spoken.pieces.is_empty() {
        return spoken.insides.iter().map(|piece| line(piece.party, piece.interval, piece.text.clone())).collect();
    }
    let mut insides = Vec::new();
    for (party, lane) in lanes.iter().enumerate() {
        let pieces = spoken.pieces_of(party);
        for &(begin, end) in lane {
            let interval = Interval { begin, end };
            if spoken.is_in_turn(party, interval) {
                continue;
            }
            let from = pieces.partition_point(|piece| piece.interval.begin < begin);
            let said = pieces.get(from..).unwrap_or_default().iter().take_while(|piece| piece.interval.begin < end);
            let mut text = String::new();
            said.for_each(|Piece { text: part, .. }| join_into(&mut text, part));
            insides.push(line(party, interval, text));
        }
    }
    insides
}

/// Marks a hit where its words stand in a line from a byte on, which becomes the one after them.
fn mark(line: &mut Line, at: usize, hit: &HitView, from: &mut usize) -> bool {
    let (text, length) = (&*line.text, hit.matched.len());
    let rest = text.get(*from..).filter(|_| length > 0).unwrap_or_default();
    let mut places = rest.match_indices(&*hit.matched).map(|(start, _)| *from + start);
    // A pattern may match inside a word.
    let Some(start) = places.find(|start| hit.rule.starts_with('/') || stands_alone(text, *start, start + length))
    else {
        *from = text.len();
        return false;
    };
    *from = start + length;
    line.marks.push(Mark { start, end: start + length, hit: at });
    true
}

/// Whether neither end of a stretch of text lies inside a word (definitions: keyword hit).
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() && !is_unspaced(c));
    let (before, inner, after) = (text.get(..start), text.get(start..end), text.get(end..));
    let (before, after) =
        (before.and_then(|text| text.chars().next_back()), after.and_then(|text| text.chars().next()));
    let inner = inner.unwrap_or_default();
    !(is_part(before) && is_part(inner.chars().next()) || is_part(inner.chars().next_back()) && is_part(after))
}
