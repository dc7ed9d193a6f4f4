//! The lines of the transcript: turns, speech inside turns of others, silences; with the keyword hits in them.

use std::collections::HashMap;

use serde::Serialize;

use super::speech::Speech;
use super::{EventView, HitView};
use crate::metrics::{EventKind, Interval};
use crate::tables::CallRows;
use crate::text::{ends_at_boundary, is_unspaced};

/// The kind of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LineKind {
    /// Dead air.
    Silence,
    /// A turn.
    Turn,
    /// Speech inside somebody else's turn, which belongs to no turn of its own.
    Inside,
    /// A sentence without a time.
    Untimed,
}

/// A line of the transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Line {
    /// Its kind.
    pub kind: LineKind,
    /// Who spoke; null for a silence.
    pub participant: Option<usize>,
    /// ms; null without a time.
    pub begin_ms: Option<i64>,
    /// ms; null without a time.
    pub end_ms: Option<i64>,
    /// Its text; empty for a silence.
    pub text: String,
    /// The keyword hits in `text`, in order and without overlap.
    pub marks: Vec<Mark>,
    /// Events on this line, as indices into [`CallView::events`](super::CallView::events).
    pub events: Vec<usize>,
}

/// A keyword hit in the text of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Mark {
    /// Its first byte.
    pub start: usize,
    /// The byte behind its last.
    pub end: usize,
    /// Index into [`CallView::hits`](super::CallView::hits).
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

/// Finds the line in which a participant speaks at a moment. Lines of one participant do not overlap.
struct LineIndex(Vec<Vec<(i64, i64, usize)>>);

impl LineIndex {
    fn new(lines: &[Line], participants: usize) -> Self {
        let mut index = vec![Vec::new(); participants];
        for (at, line) in lines.iter().enumerate() {
            let own = line.participant.and_then(|participant| index.get_mut(participant));
            if let (Some(own), Some(begin), Some(end)) = (own, line.begin_ms, line.end_ms) {
                own.push((begin, end, at));
            }
        }
        Self(index)
    }

    fn find(&self, participant: usize, ms: i64) -> Option<usize> {
        let lines = self.0.get(participant)?;
        let (_, end, line) = lines.get(lines.partition_point(|line| line.0 <= ms).checked_sub(1)?)?;
        (ms < *end).then_some(*line)
    }
}

/// The lines in order of time, those without a time last. Sets the lines of events and hits.
pub(super) fn lines(
    rows: &CallRows,
    speech: &Speech,
    lanes: &[Vec<(i64, i64)>],
    events: &mut [EventView],
    hits: &mut [HitView],
) -> Vec<Line> {
    let mut lines: Vec<Line> = rows
        .turns
        .iter()
        .map(|turn| Line::new(LineKind::Turn, Some(turn.participant), Some(turn.interval), turn.text.clone()))
        .collect();
    let asides = speech.asides(rows, lanes).into_iter();
    lines.extend(
        asides.map(|piece| Line::new(LineKind::Inside, Some(piece.participant), Some(piece.interval), piece.text)),
    );
    let silences = events.iter().filter(|event| event.kind == EventKind::DeadAir);
    lines.extend(silences.map(|event| {
        let interval = Interval { begin: event.begin_ms, end: event.end_ms };
        Line::new(LineKind::Silence, None, Some(interval), String::new())
    }));
    lines.sort_by_key(|line| (line.begin_ms, line.kind, line.end_ms, line.participant));
    let untimed = speech.untimed.iter();
    lines.extend(
        untimed.map(|(participant, text)| Line::new(LineKind::Untimed, Some(*participant), None, text.clone())),
    );
    let index = LineIndex::new(&lines, rows.labels.len());
    place_events(&mut lines, &index, events);
    mark_hits(&mut lines, &index, hits);
    lines
}

fn place_events(lines: &mut [Line], index: &LineIndex, events: &mut [EventView]) {
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
            index.find(event.participant, event.begin_ms)
        };
        if let Some(line) = event.line.and_then(|line| lines.get_mut(line)) {
            line.events.push(at);
        }
    }
}

fn mark_hits(lines: &mut [Line], index: &LineIndex, hits: &mut [HitView]) {
    let mut untimed: HashMap<usize, Vec<usize>> = HashMap::new();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.kind == LineKind::Untimed) {
        untimed.entry(line.participant.unwrap_or_default()).or_default().push(at);
    }
    // Where to look for the next hit of the same words: each hit marks an occurrence of its own.
    let mut timed_from: HashMap<(usize, String, String), usize> = HashMap::new();
    let mut untimed_from: HashMap<(usize, String, String), (usize, usize)> = HashMap::new();
    for (at, hit) in hits.iter_mut().enumerate() {
        let Some(participant) = hit.participant else { continue };
        let key = |place: usize| (place, hit.rule.clone(), hit.matched.clone());
        hit.line = match hit.begin_ms {
            Some(begin) => index.find(participant, begin).inspect(|&place| {
                if let Some(line) = lines.get_mut(place) {
                    mark(line, at, hit, timed_from.entry(key(place)).or_default());
                }
            }),
            None => {
                let own = untimed.get(&participant).map_or(&[][..], Vec::as_slice);
                let (line, from) = untimed_from.entry(key(participant)).or_default();
                let mut found = None;
                while let Some(&place) = own.get(*line).filter(|_| found.is_none()) {
                    if lines.get_mut(place).is_some_and(|line| mark(line, at, hit, from)) {
                        found = Some(place);
                    } else {
                        (*line, *from) = (*line + 1, 0);
                    }
                }
                found
            }
        };
    }
    for line in lines {
        line.marks.sort_by_key(|mark| (mark.start, std::cmp::Reverse(mark.end)));
        let mut reached = 0;
        line.marks.retain(|mark| {
            let apart = mark.start >= reached;
            reached = if apart { mark.end } else { reached };
            apart
        });
    }
}

/// Marks the next occurrence of a hit's words in a line, from byte `from` on, and moves `from` behind it.
fn mark(line: &mut Line, at: usize, hit: &HitView, from: &mut usize) -> bool {
    let (text, length) = (&*line.text, hit.matched.len());
    let rest = text.get(*from..).filter(|_| length > 0).unwrap_or_default();
    let mut places = rest.match_indices(&*hit.matched).map(|(start, _)| *from + start);
    // A pattern may match inside a word.
    let Some(start) = places.find(|start| hit.term.starts_with('/') || stands_alone(text, *start, start + length))
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
    !(is_part(before) && is_part(inner.chars().next()) || ends_at_boundary(inner) && is_part(after))
}
