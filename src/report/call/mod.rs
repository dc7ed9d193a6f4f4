//! One call as a page shows it: who spoke when, the events, the transcript.

mod lines;
mod speech;

use std::collections::HashMap;

use serde::Serialize;

pub use lines::{Line, LineKind, Mark};
use speech::Speech;

use crate::metrics::{EventKind, Evidence, EvidenceWord, Interval};
use crate::redact::without_query;
use crate::tables::{CallRows, EventRow, HitRow, Row, WarningRow};
use crate::text::Markers;

/// A call for people. Participants are indices into [`CallView::participants`] throughout.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct CallView {
    /// Its name in the tables.
    pub file: String,
    /// The recording without its query; null when the result does not name it.
    pub file_url: Option<String>,
    /// The user's own columns that are not empty: whose call it is.
    pub own: Vec<(String, String)>,
    /// Its row in the table `calls`.
    pub figures: Row,
    /// Its rows in the table `participants`, in order.
    pub participants: Vec<Row>,
    /// What each participant is called: the role, else the label.
    pub names: Vec<String>,
    /// When each participant talked: bursts, `[begin, end)` in ms.
    pub lanes: Vec<Vec<(i64, i64)>>,
    /// Which table the lanes are drawn from.
    pub lanes_from: LaneSource,
    /// Its rows in the table `events`, with their evidence.
    pub events: Vec<EventView>,
    /// Its rows in the table `hits`.
    pub hits: Vec<HitView>,
    /// Its rows in the table `rules`.
    pub rules: Vec<RuleView>,
    /// The transcript in order of time; lines without a time come last.
    pub lines: Vec<Line>,
    /// Its rows in the table `warnings`.
    pub warnings: Vec<WarningRow>,
}

/// The table that lanes are drawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LaneSource {
    /// `bursts`.
    Bursts,
    /// `turns`, where `bursts` was not written: pauses inside turns are drawn as talk, and speech inside a turn of
    /// somebody else is missing.
    Turns,
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

/// A hit of a keyword or of a rule.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct HitView {
    /// The keyword as given, or the id of the rule.
    pub rule: String,
    /// The term that matched; of an absence, all phrases that were searched.
    pub term: String,
    /// Whose it is; null for an absence.
    pub participant: Option<usize>,
    /// ms; null where nothing has a time. Of an absence, the begin of what was searched.
    pub begin_ms: Option<i64>,
    /// ms; null where nothing has a time. Of an absence, the end of what was searched.
    pub end_ms: Option<i64>,
    /// As it stands in the transcript; empty for an absence.
    pub matched: String,
    /// The line of [`CallView::lines`] that holds it.
    pub line: Option<usize>,
    /// Whether it is evidence of a rule, and not the hit of a keyword.
    pub is_of_rule: bool,
}

/// What became of a rule in this call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RuleView {
    /// Its id.
    pub rule: String,
    /// Whether it matched; null if that is not known.
    pub matched: Option<bool>,
}

impl CallView {
    /// Builds the view of one call, whose markers were treated like this when it was measured.
    ///
    /// ```
    /// use talkmeter::metrics::{Settings, measure};
    /// use talkmeter::{report::CallView, tables::CallRows, text::Markers};
    /// let transcript = talkmeter::transcript::read(br#"{"transcripts": [{"channel_id": 0, "sentences": [
    ///     {"begin_time": 200, "end_time": 1200, "text": "Good morning."}]}]}"#)?;
    /// let measured = measure("a.json", &transcript, &Settings::default());
    /// let view = CallView::new(&CallRows::new(&measured).unwrap(), Markers::Drop);
    /// assert_eq!((&*view.names[0], &view.lanes[0][..]), ("ch0", &[(200, 1200)][..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn new(rows: &CallRows, markers: Markers) -> Self {
        let speech = Speech::new(rows, markers);
        let (lanes, lanes_from) = speech.lanes(rows);
        let mut events: Vec<EventView> = rows.events.iter().map(|event| EventView::new(event, &speech)).collect();
        let mut hits: Vec<HitView> = rows.hits.iter().map(HitView::new).collect();
        let lines = lines::lines(rows, &speech, &lanes, &mut events, &mut hits);
        let mut roles: HashMap<&str, &str> = HashMap::new();
        for row in &rows.participants {
            roles.extend(row.text("participant").zip(row.text("role")));
        }
        let name = |label: &String| roles.get(&**label).map_or_else(|| label.clone(), |role| (*role).to_owned());
        Self {
            file: rows.file.clone(),
            file_url: rows.call.text("file_url").map(without_query),
            own: Vec::new(),
            names: rows.labels.iter().map(name).collect(),
            figures: rows.call.clone(),
            participants: rows.participants.clone(),
            lanes,
            lanes_from,
            events,
            hits,
            rules: rows
                .rules
                .iter()
                .map(|(rule, matched)| RuleView { rule: rule.clone(), matched: *matched })
                .collect(),
            lines,
            warnings: rows.warnings.clone(),
        }
    }

    /// Dead air, `[begin, end)` in ms.
    pub(super) fn dead_air(&self) -> Vec<(i64, i64)> {
        let silences = self.events.iter().filter(|event| event.kind == EventKind::DeadAir);
        silences.map(|event| (event.begin_ms, event.end_ms)).collect()
    }

    /// The anchor of a hit behind the call's own: its mark in the text, else the mark of another hit that covers its words, else
    /// its line, else the call.
    pub(super) fn hit_anchor(&self, at: usize) -> String {
        let Some((hit, place)) = self.hits.get(at).and_then(|hit| Some((hit, hit.line?))) else { return String::new() };
        let marks = self.lines.get(place).map(|line| &*line.marks).unwrap_or_default();
        let covers = |other: &HitView| {
            let (Some(begin), Some(end), Some(own)) = (other.begin_ms, other.end_ms, hit.begin_ms) else {
                return false;
            };
            begin <= own && own < end
        };
        let own = marks.iter().find(|mark| mark.hit == at);
        match own.or_else(|| marks.iter().find(|mark| self.hits.get(mark.hit).is_some_and(covers))) {
            Some(mark) => format!("h{}", mark.hit),
            None => format!("l{place}"),
        }
    }

    /// Where its time ends: its duration, else the end of what was heard.
    #[must_use]
    pub fn length_ms(&self) -> i64 {
        let heard = self.lanes.iter().flatten().map(|burst| burst.1).max().unwrap_or(0);
        self.figures.integer("duration_ms").unwrap_or(0).max(heard)
    }
}

impl EventView {
    fn new(event: &EventRow, speech: &Speech) -> Self {
        let Interval { begin, end } = event.interval;
        let sides = [event.participant, event.other];
        let [one, other] = sides.map(|participant| speech.near(participant, event.interval));
        let evidence = Evidence::new(event.kind, (begin, end), one, other);
        let mut words: Vec<EvidenceLine> = Vec::new();
        for (participant, side) in sides.into_iter().zip([evidence.participant, evidence.other]) {
            words.extend(side.into_iter().map(|word| EvidenceLine { participant, word }));
        }
        words.sort_by_key(|line| (line.word.begin_ms, line.word.end_ms));
        Self {
            index: event.index,
            kind: event.kind,
            participant: event.participant,
            other: event.other,
            begin_ms: begin,
            end_ms: end,
            overlap_ms: event.overlap_ms,
            held_ms: event.held_ms,
            evidence: words,
            line: None,
        }
    }
}

impl HitView {
    fn new(hit: &HitRow) -> Self {
        Self {
            rule: hit.rule.clone(),
            term: hit.term.clone(),
            participant: hit.participant,
            begin_ms: hit.begin_ms,
            end_ms: hit.end_ms,
            matched: hit.matched.clone(),
            line: None,
            is_of_rule: hit.is_of_rule,
        }
    }
}
