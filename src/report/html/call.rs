//! A call as the template wants it: whose it is, facts, lanes, participants, transcript, events, keywords and rules with their
//! evidence.

use minijinja::Value as Html;
use serde::Serialize;

use super::super::Report;
use super::super::call::{CallView, EventView, EvidenceLine, HitView, LaneSource, Line, LineKind};
use super::super::number::{clock, count, length, moment};
use super::cell::{Cell, Name};
use super::chart::{hue, small_lanes};
use super::lanes::{SegmentContext, segments};
use super::short;
use crate::metrics::EventKind;
use crate::metrics::catalogue::{CALLS, Column, PARTICIPANTS, Table, Use};
use crate::tables::{Row, WarningRow};
use crate::time::span;

#[derive(Serialize)]
pub(super) struct CallContext {
    id: String,
    /// Whether the page shows only this call, which is then expanded.
    own: bool,
    /// Whether the table `turns` was not written.
    no_turns: bool,
    file: String,
    name: String,
    url: Option<String>,
    /// Name and cell of the user's own columns.
    own_columns: Vec<(String, String)>,
    /// Address of the recording, to play it; empty without.
    audio: String,
    head: Vec<String>,
    facts: Vec<Fact>,
    names: Vec<Name>,
    overview: Html,
    segments: Vec<SegmentContext>,
    /// Number of rows of marks below the lanes.
    mark_rows: usize,
    length_ms: i64,
    columns: Vec<String>,
    participants: Vec<ParticipantRow>,
    emotions: Vec<Emotions>,
    lines: Vec<LineContext>,
    kinds: Vec<Kind>,
    hits: Vec<Keyword>,
    rules: Vec<MatchedRule>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Fact {
    label: String,
    metric: &'static str,
    cell: Cell,
}

#[derive(Serialize)]
struct ParticipantRow {
    name: Name,
    cells: Vec<Cell>,
}

/// What the recogniser judged somebody's emotions to be.
#[derive(Serialize)]
struct Emotions {
    name: String,
    shares: String,
}

#[derive(Serialize)]
struct LineContext {
    id: String,
    kind: LineKind,
    hue: String,
    who: String,
    begin_ms: Option<i64>,
    end_ms: Option<i64>,
    time: String,
    pieces: Vec<Piece>,
    badges: Vec<Badge>,
}

/// A stretch of text; `hit` is the id of its keyword hit, or empty.
#[derive(Serialize)]
struct Piece {
    text: String,
    hit: String,
    rule: String,
}

#[derive(Serialize)]
struct Badge {
    href: String,
    kind: &'static str,
    text: String,
}

/// All events of one kind.
#[derive(Serialize)]
struct Kind {
    kind: &'static str,
    label: &'static str,
    count: String,
    /// Why they could not be measured; empty where they could.
    why: &'static str,
    events: Vec<EventContext>,
}

#[derive(Serialize)]
struct EventContext {
    id: String,
    index: i64,
    begin_ms: i64,
    time: String,
    text: String,
    line: String,
    words: Vec<Word>,
}

#[derive(Serialize)]
struct Word {
    /// How many words of this speaker follow each other, on the first of them; else 0.
    rows: usize,
    hue: String,
    who: String,
    begin_ms: i64,
    begin: String,
    end: String,
    text: String,
    inside: bool,
}

/// The hits of one keyword.
#[derive(Serialize)]
struct Keyword {
    rule: String,
    count: String,
    hits: Vec<HitContext>,
}

/// A rule that matched, and its evidence.
#[derive(Serialize)]
struct MatchedRule {
    rule: String,
    name: String,
    severity: String,
    hits: Vec<HitContext>,
}

#[derive(Serialize)]
struct HitContext {
    href: String,
    text: String,
}

impl CallContext {
    /// `id` is the prefix of the ids on the page, `audio` the address of the recording.
    pub(super) fn new(report: &Report, view: &CallView, id: &str, own: bool, audio: Option<String>) -> Self {
        let wanted = |column: &&Column| column.name != "keyword_hit_count" || report.has_keyword_hits();
        let facts = |table: &'static Table| table.columns_for(Use::Fact).into_iter().filter(wanted);
        let columns: Vec<&Column> = facts(&PARTICIPANTS).collect();
        let label_of = |at: usize| {
            let label = view.participants.get(at).and_then(|row| row.text("participant"));
            label.unwrap_or_default().to_owned()
        };
        let name = |(at, name): (usize, &String)| Name::new(at, name, &label_of(at));
        let row = |(at, row): (usize, &Row)| ParticipantRow {
            name: Name::new(at, view.names.get(at).map_or("", String::as_str), &label_of(at)),
            cells: columns.iter().map(|column| Cell::new(&PARTICIPANTS, row, column.name)).collect(),
        };
        let dead_air = view.dead_air();
        let (segments, mark_rows) = segments(view, &dead_air, id);
        Self {
            id: id.to_owned(),
            own,
            no_turns: report.missing_tables.contains(&"turns"),
            file: view.file.clone(),
            name: short(&view.file).to_owned(),
            url: view.file_url.clone(),
            own_columns: view.own.clone(),
            audio: audio.unwrap_or_default(),
            head: head(view),
            facts: facts(&CALLS)
                .map(|column| Fact {
                    label: column.label().into_owned(),
                    metric: column.name,
                    cell: Cell::new(&CALLS, &view.figures, column.name),
                })
                .collect(),
            names: view.names.iter().enumerate().map(name).collect(),
            overview: Html::from_safe_string(small_lanes(&view.lanes, &dead_air, view.length_ms())),
            segments,
            mark_rows,
            length_ms: view.length_ms(),
            columns: columns.iter().map(|column| column.label().into_owned()).collect(),
            participants: view.participants.iter().enumerate().map(row).collect(),
            emotions: emotions(view),
            lines: view.lines.iter().enumerate().map(|(at, line)| line_context(view, line, at, id)).collect(),
            kinds: kinds(view, id),
            hits: keywords(view, id),
            rules: rules(report, view, id),
            warnings: view.warnings.iter().map(warning).collect(),
        }
    }
}

/// Length, tracks, basis of the times, model.
fn head(view: &CallView) -> Vec<String> {
    let tracks = view.figures.integer("channel_count").filter(|tracks| *tracks > 0).map(|tracks| match tracks {
        1 => "one track".to_owned(),
        2 => "two tracks".to_owned(),
        more => format!("{} tracks", count(more)),
    });
    let bases: Vec<&str> = view.participants.iter().filter_map(|row| row.text("basis")).collect();
    let basis = bases.first().map(|first| {
        let basis = if bases.iter().all(|basis| basis == first) { first } else { "mixed" };
        match basis {
            "words" => "measured on word times".to_owned(),
            "sentences" => "measured on sentence times: pauses inside sentences count as talk".to_owned(),
            _ => "measured on word times, or on sentence times where a sentence has none".to_owned(),
        }
    });
    let lanes = (view.lanes_from == LaneSource::Turns && !view.lines.is_empty())
        .then(|| "lanes drawn from turns: the table bursts was not written".to_owned());
    let model = view.figures.text("model").map(str::to_owned);
    [Some(length(view.length_ms())), tracks, basis, lanes, model].into_iter().flatten().collect()
}

fn line_context(view: &CallView, line: &Line, at: usize, id: &str) -> LineContext {
    let participant = line.participant.unwrap_or_default();
    let mut pieces = Vec::new();
    let mut from = 0;
    let plain = |from: usize, to: usize| {
        let text = line.text.get(from..to).unwrap_or_default().to_owned();
        (!text.is_empty()).then(|| Piece { text, hit: String::new(), rule: String::new() })
    };
    for mark in &line.marks {
        pieces.extend(plain(from, mark.start));
        pieces.push(Piece {
            text: line.text.get(mark.start..mark.end).unwrap_or_default().to_owned(),
            hit: format!("{id}h{}", mark.hit),
            rule: view.hits.get(mark.hit).map(|hit| hit.rule.clone()).unwrap_or_default(),
        });
        from = mark.end;
    }
    pieces.extend(plain(from, line.text.len()));
    if line.kind == LineKind::Silence {
        let length = line.end_ms.unwrap_or(0) - line.begin_ms.unwrap_or(0);
        pieces.push(Piece { text: format!("{} of silence", span(length)), hit: String::new(), rule: String::new() });
    }
    let badges = line.events.iter().filter_map(|event| view.events.get(*event)).map(|event| Badge {
        href: format!("#{id}e{}", event.index),
        kind: event.kind.name(),
        text: if event.kind == EventKind::DeadAir { "evidence".to_owned() } else { in_words(view, event) },
    });
    LineContext {
        id: format!("{id}l{at}"),
        kind: line.kind,
        hue: line.participant.map_or_else(String::new, hue),
        who: match line.participant {
            Some(_) => who(view, participant).to_owned(),
            None => String::new(),
        },
        begin_ms: line.begin_ms,
        end_ms: line.end_ms,
        time: line.begin_ms.map_or_else(|| "–:––".to_owned(), clock),
        pieces,
        badges: badges.collect(),
    }
}

pub(super) fn who(view: &CallView, participant: usize) -> &str {
    view.names.get(participant).map_or("", String::as_str)
}

/// One clause on what happened.
pub(super) fn in_words(view: &CallView, event: &EventView) -> String {
    let (one, other) = (who(view, event.participant), who(view, event.other));
    let kind = event.kind.label();
    match (event.overlap_ms, event.held_ms) {
        (Some(overlap), Some(0)) => format!("{kind}: {one} and {other} overlapped for {}", span(overlap)),
        (Some(overlap), Some(held)) if matches!(event.kind, EventKind::Interruption | EventKind::SideSpeech) => {
            format!("{kind}: {one} cut in after {}, talked over {other} for {}", span(held), span(overlap))
        }
        (Some(overlap), Some(held)) => {
            format!("{kind}: {one} overlapped {other} for {} after {}", span(overlap), span(held))
        }
        _ if one == other => {
            format!("{} of silence; {one} spoke before and after", span(event.end_ms - event.begin_ms))
        }
        _ => format!("{} of silence; {one} spoke before, {other} after", span(event.end_ms - event.begin_ms)),
    }
}

fn kinds(view: &CallView, id: &str) -> Vec<Kind> {
    let reasons = view.figures.text("reason");
    let measured = |column: &str| view.figures.get(column).is_some();
    let kind = |kind: EventKind| {
        let column = kind.column();
        let events: Vec<EventContext> = view
            .events
            .iter()
            .filter(|event| event.kind == kind)
            .map(|event| EventContext {
                id: format!("{id}e{}", event.index),
                index: event.index,
                begin_ms: event.begin_ms,
                time: clock(event.begin_ms),
                text: in_words(view, event),
                line: event.line.map_or_else(String::new, |line| format!("#{id}l{line}")),
                words: words(view, event),
            })
            .collect();
        let why = CALLS.column(column).filter(|_| !measured(column)).map_or("", |column| column.why_null(reasons));
        Kind { kind: kind.name(), label: kind.heading(), count: count(events.len() as i64), why, events }
    };
    EventKind::FOR_READERS.into_iter().map(kind).collect()
}

/// The words behind an event; one cell names the speaker of those that follow each other.
fn words(view: &CallView, event: &EventView) -> Vec<Word> {
    let runs = event.evidence.chunk_by(|one, two| one.participant == two.participant);
    let word = |(at, line): (usize, &EvidenceLine), run: usize| Word {
        rows: if at == 0 { run } else { 0 },
        hue: hue(line.participant),
        who: who(view, line.participant).to_owned(),
        begin_ms: line.word.begin_ms,
        begin: moment(line.word.begin_ms),
        end: moment(line.word.end_ms),
        text: line.word.text.clone(),
        inside: line.word.inside,
    };
    runs.flat_map(|run| run.iter().enumerate().map(move |line| word(line, run.len()))).collect()
}

fn keywords(view: &CallView, id: &str) -> Vec<Keyword> {
    let mut keywords: Vec<Keyword> = Vec::new();
    for (at, hit) in view.hits.iter().enumerate().filter(|(_, hit)| !hit.is_of_rule) {
        let place = keywords.iter().position(|keyword| keyword.rule == hit.rule).unwrap_or_else(|| {
            keywords.push(Keyword { rule: hit.rule.clone(), count: String::new(), hits: Vec::new() });
            keywords.len() - 1
        });
        if let Some(keyword) = keywords.get_mut(place) {
            keyword.hits.push(hit_context(view, at, hit, id));
            keyword.count = count(keyword.hits.len() as i64);
        }
    }
    keywords
}

/// The rules that matched, in the order of their file.
fn rules(report: &Report, view: &CallView, id: &str) -> Vec<MatchedRule> {
    let matched = view.rules.iter().filter(|rule| rule.matched == Some(true));
    let rule = |rule: &super::super::RuleView| {
        let known = report.rules.iter().flatten().find(|known| known.rule == rule.rule);
        let hits = view.hits.iter().enumerate().filter(|(_, hit)| hit.is_of_rule && hit.rule == rule.rule);
        MatchedRule {
            rule: rule.rule.clone(),
            name: known.map(|known| known.name.clone()).unwrap_or_default(),
            severity: known.map(|known| known.severity.clone()).unwrap_or_default(),
            hits: hits.map(|(at, hit)| hit_context(view, at, hit, id)).collect(),
        }
    };
    matched.map(rule).collect()
}

fn hit_context(view: &CallView, at: usize, hit: &HitView, id: &str) -> HitContext {
    let time = |ms: Option<i64>| ms.map_or_else(|| "–:––".to_owned(), clock);
    let text = match hit.participant {
        Some(participant) if hit.term == hit.rule && !hit.is_of_rule => {
            format!("{} {}", time(hit.begin_ms), who(view, participant))
        }
        Some(participant) => format!("{} {}: “{}”", time(hit.begin_ms), who(view, participant), hit.matched),
        None => {
            let (begin, end) = (time(hit.begin_ms), time(hit.end_ms));
            format!("no hit from {begin} to {end} in the speech that the rule is about: {}", hit.term)
        }
    };
    let href = if hit.participant.is_some() { format!("#{id}{}", view.hit_anchor(at)) } else { String::new() };
    HitContext { href, text }
}

fn warning(row: &WarningRow) -> String {
    let code = crate::transcript::Code::ALL.iter().find(|code| code.name() == row.code);
    let detail = row.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    format!("{} {}: {}{detail}", row.code, count(row.count), code.map_or("", |code| code.meaning()))
}

/// Emotions by share of talk, of the participants that have any.
fn emotions(view: &CallView) -> Vec<Emotions> {
    let share = |cell: &str| {
        let (name, share) = cell.rsplit_once(':')?;
        Some(format!("{name} {:.0} %", share.parse::<f64>().ok()? * 100.0))
    };
    let names = view.names.iter().zip(&view.participants);
    let emotions = names.filter_map(|(name, row)| {
        let cells = row.text("emotions")?.split(';');
        let shares: Vec<String> = cells.map(|cell| share(cell).unwrap_or_else(|| cell.to_owned())).collect();
        Some(Emotions { name: name.clone(), shares: shares.join(", ") })
    });
    emotions.collect()
}
