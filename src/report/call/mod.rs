//! One call as a page shows it: who spoke when, what happened, what was said; drawn from its rows in the tables.

mod lines;
mod pieces;

use std::collections::HashMap;

use polars::prelude::*;
use serde::Serialize;
use serde_json::{Map, Value};

pub use lines::{Line, LineKind, Mark};
use pieces::Spoken;

use super::rows;
use crate::error::{Error, Result};
use crate::metrics::catalogue::{CALLS, EVENTS, HITS, PARTICIPANTS, WARNINGS};
use crate::metrics::{EventKind, Evidence, EvidenceWord};
use crate::redact::without_query;
use crate::tables::CallTables;

/// A call for people. Participants are indices into [`CallView::participants`] throughout.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct CallView {
    /// Its name in the tables.
    pub file: String,
    /// The recording without its query; null when the result does not name it.
    pub file_url: Option<String>,
    /// Its row in the table `calls`.
    pub figures: Map<String, Value>,
    /// Its rows in the table `participants`, in order.
    pub participants: Vec<Map<String, Value>>,
    /// What each participant is called: the role, else the label.
    pub names: Vec<String>,
    /// When each participant talked: bursts, `[begin, end)` in ms.
    pub lanes: Vec<Vec<(i64, i64)>>,
    /// What the lanes are drawn from: `words` (with sentences where there are no word times) or, where these tables were
    /// not written, `turns`.
    pub lanes_from: &'static str,
    /// Its rows in the table `events`, with their evidence.
    pub events: Vec<EventView>,
    /// Its rows in the table `hits`.
    pub hits: Vec<HitView>,
    /// What was said, in order of time; what has no time stands last.
    pub lines: Vec<Line>,
    /// Its rows in the table `warnings`.
    pub warnings: Vec<Map<String, Value>>,
}

/// An event and the words behind it.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct EventView {
    /// `event_index`, which `talkmeter explain` takes.
    pub index: i64,
    /// What happened.
    pub kind: EventKind,
    /// Who started; at dead air who spoke before it.
    pub participant: usize,
    /// The incumbent; at dead air who spoke after it.
    pub other: usize,
    /// ms.
    pub begin_ms: i64,
    /// ms.
    pub end_ms: i64,
    /// ms; null at dead air.
    pub overlap_ms: Option<i64>,
    /// ms; null at dead air.
    pub held_ms: Option<i64>,
    /// What both said around it.
    pub evidence: Vec<EvidenceLine>,
    /// The line of [`CallView::lines`] where it shows.
    pub line: Option<usize>,
}

/// A word beside an event, and whose it is.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct EvidenceLine {
    /// Whose word.
    pub participant: usize,
    /// The word.
    #[serde(flatten)]
    pub word: EvidenceWord,
}

/// A keyword hit.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct HitView {
    /// The keyword as given.
    pub rule: String,
    /// Whose it is.
    pub participant: usize,
    /// ms; null where nothing has a time.
    pub begin_ms: Option<i64>,
    /// As it stands in the transcript.
    pub matched: String,
    /// The line of [`CallView::lines`] that holds it.
    pub line: Option<usize>,
}

impl CallView {
    /// Puts one call together. `join_gap_ms` is the parameter its figures were measured with.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Table`] when a table does not have its columns.
    pub fn of(tables: &CallTables, join_gap_ms: i64) -> Result<Self> {
        Self::put_together(tables, join_gap_ms)
            .map_err(|error| Error::table(format!("cannot show the call {}", tables.file), error))
    }

    fn put_together(tables: &CallTables, join_gap_ms: i64) -> PolarsResult<Self> {
        let objects = |table| tables.get(table).map_or_else(|| Ok(Vec::new()), rows);
        let figures = objects(&CALLS)?.into_iter().next().unwrap_or_default();
        let participants = objects(&PARTICIPANTS)?;
        let spoken = Spoken::of(tables, &participants)?;
        let (lanes, lanes_from) = spoken.lanes(join_gap_ms);
        let mut events = events(tables, &spoken)?;
        let hits = hits(tables, &spoken)?;
        let (lines, places) = lines::lines(&spoken, &lanes, &mut events, &hits);
        let hits = hits.into_iter().zip(places).map(|(hit, line)| HitView { line, ..hit }).collect();
        let role = |row: &Map<String, Value>| {
            Some((row.get("participant")?.as_str()?.to_owned(), row.get("role")?.as_str()?.to_owned()))
        };
        let roles: HashMap<String, String> = participants.iter().filter_map(role).collect();
        let name = |label: &String| roles.get(label).unwrap_or(label).clone();
        Ok(Self {
            file: tables.file.clone(),
            file_url: figures.get("file_url").and_then(Value::as_str).map(without_query),
            names: spoken.labels.iter().map(name).collect(),
            figures,
            participants,
            lanes,
            lanes_from,
            events,
            hits,
            lines,
            warnings: objects(&WARNINGS)?,
        })
    }

    /// A whole number of its row in `calls`.
    #[must_use]
    pub fn figure(&self, name: &str) -> Option<i64> {
        self.figures.get(name)?.as_i64()
    }

    /// Where its time ends: its duration, else the end of what was heard.
    #[must_use]
    pub fn length_ms(&self) -> i64 {
        let heard = self.lanes.iter().flatten().map(|burst| burst.1).max().unwrap_or(0);
        self.figure("duration_ms").unwrap_or(0).max(heard)
    }
}

fn events(tables: &CallTables, spoken: &Spoken) -> PolarsResult<Vec<EventView>> {
    let Some(frame) = tables.get(&EVENTS) else { return Ok(Vec::new()) };
    let (index, kind) = (frame.column("event_index")?.i64()?, frame.column("kind")?.str()?);
    let (participant, other) = (frame.column("participant")?.str()?, frame.column("other")?.str()?);
    let (begin, end) = (frame.column("begin_ms")?.i64()?, frame.column("end_ms")?.i64()?);
    let (overlap, held) = (frame.column("overlap_ms")?.i64()?, frame.column("held_ms")?.i64()?);
    let event = |row: usize| {
        let kind = EventKind::from_name(kind.get(row)?)?;
        let (participant, other) = (spoken.party(participant.get(row)?)?, spoken.party(other.get(row)?)?);
        let (begin_ms, end_ms) = (begin.get(row)?, end.get(row)?);
        let evidence = Evidence::new(
            kind,
            (begin_ms, end_ms),
            spoken.near(participant, begin_ms, end_ms),
            spoken.near(other, begin_ms, end_ms),
        );
        let mut words: Vec<EvidenceLine> = Vec::new();
        let sides = [(participant, evidence.participant), (other, evidence.other)];
        for (participant, side) in sides {
            words.extend(side.into_iter().map(|word| EvidenceLine { participant, word }));
        }
        words.sort_by_key(|line| (line.word.begin_ms, line.word.end_ms));
        Some(EventView {
            index: index.get(row)?,
            kind,
            participant,
            other,
            begin_ms,
            end_ms,
            overlap_ms: overlap.get(row),
            held_ms: held.get(row),
            evidence: words,
            line: None,
        })
    };
    Ok((0..frame.height()).filter_map(event).collect())
}

fn hits(tables: &CallTables, spoken: &Spoken) -> PolarsResult<Vec<HitView>> {
    let Some(frame) = tables.get(&HITS) else { return Ok(Vec::new()) };
    let (rule, participant) = (frame.column("rule")?.str()?, frame.column("participant")?.str()?);
    let (begin, matched) = (frame.column("begin_ms")?.i64()?, frame.column("matched")?.str()?);
    let hit = |row: usize| {
        Some(HitView {
            rule: rule.get(row)?.to_owned(),
            participant: spoken.party(participant.get(row)?)?,
            begin_ms: begin.get(row),
            matched: matched.get(row)?.to_owned(),
            line: None,
        })
    };
    Ok((0..frame.height()).filter_map(hit).collect())
}
