//! A call as the template wants it: facts, lanes, participants, transcript, events with their evidence.

use minijinja::Value as Html;
use serde::Serialize;

use super::super::Report;
use super::super::call::{CallView, EventView, LaneSource, Line, LineKind};
use super::super::number::{clock, count, length, moment};
use super::cell::{Cell, Name};
use super::chart::{Segment, hue, small_lanes};
use super::short;
use crate::metrics::EventKind;
use crate::metrics::catalogue::{CALLS, Column, PARTICIPANTS, Table, Use};
use crate::tables::{Row, WarningRow};
use crate::time::span;

/// Length of a segment of the large lanes. On a narrow screen each segment is a row.
const SEGMENT_MS: i64 = 60_000;

/// Most segments of a call: longer calls (over 12 hours) get longer segments.
const MOST_SEGMENTS: i64 = 720;

/// Most time labels under unzoomed lanes.
const LABELS: usize = 10;

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
    head: Vec<String>,
    facts: Vec<Fact>,
    names: Vec<Name>,
    overview: Html,
    segments: Vec<SegmentContext>,
    length_ms: i64,
    columns: Vec<String>,
    participants: Vec<ParticipantRow>,
    emotions: Vec<Emotions>,
    lines: Vec<LineContext>,
    kinds: Vec<Kind>,
    hits: Vec<Rule>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct Fact {
    label: String,
    metric: &'static str,
    cell: Cell,
}

#[derive(Serialize)]
struct SegmentContext {
    svg: Html,
    length_ms: i64,
    /// Per cent of a full segment.
    width: String,
    time: String,
    /// Whether the time is shown under unzoomed lanes.
    major: bool,
    marks: Vec<MarkContext>,
}

#[derive(Serialize)]
struct MarkContext {
    href: String,
    kind: &'static str,
    left: String,
    title: String,
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
    time: String,
    text: String,
    line: String,
    words: Vec<Word>,
}

#[derive(Serialize)]
struct Word {
    hue: String,
    who: String,
    begin: String,
    end: String,
    text: String,
    inside: bool,
}

/// The hits of one keyword.
#[derive(Serialize)]
struct Rule {
    rule: String,
    count: String,
    hits: Vec<HitContext>,
}

#[derive(Serialize)]
struct HitContext {
    href: String,
    time: String,
    who: String,
}

impl CallContext {
    /// `id` is the prefix of the ids on the page.
    pub(super) fn new(report: &Report, view: &CallView, id: &str, own: bool) -> Self {
        let wanted = |column: &&Column| column.name != "keyword_hit_count" || report.parameters.keywords.is_some();
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
        Self {
            id: id.to_owned(),
            own,
            no_turns: report.missing_tables.contains(&"turns"),
            file: view.file.clone(),
            name: short(&view.file).to_owned(),
            url: view.file_url.clone(),
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
            segments: segments(view, &dead_air, id),
            length_ms: view.length_ms(),
            columns: columns.iter().map(|column| column.label().into_owned()).collect(),
            participants: view.participants.iter().enumerate().map(row).collect(),
            emotions: emotions(view),
            lines: view.lines.iter().enumerate().map(|(at, line)| line_context(view, line, at, id)).collect(),
            kinds: kinds(view, id),
            hits: rules(view, id),
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

fn segments(view: &CallView, dead_air: &[(i64, i64)], id: &str) -> Vec<SegmentContext> {
    let whole = view.length_ms();
    let step = SEGMENT_MS.max(whole.div_euclid(MOST_SEGMENTS) + 1);
    let begins: Vec<i64> = (0..MOST_SEGMENTS).map(|number| number * step).take_while(|begin| *begin < whole).collect();
    let every = begins.len().div_ceil(LABELS).max(1);
    let mut marks: Vec<Vec<MarkContext>> = begins.iter().map(|_| Vec::new()).collect();
    let mut mark = |ms: i64, href: String, kind: &'static str, title: String| {
        let place = ms.clamp(0, whole - 1).div_euclid(step);
        if let Some(marks) = usize::try_from(place).ok().and_then(|place| marks.get_mut(place)) {
            let length = step.min(whole - place * step);
            let left = format!("{:.2}", (ms - place * step) as f64 / length as f64 * 100.0);
            marks.push(MarkContext { href, kind, left, title });
        }
    };
    for event in view.events.iter().filter(|event| event.kind != EventKind::DeadAir) {
        let title = format!("{} {}", clock(event.begin_ms), in_words(view, event));
        mark(event.begin_ms, format!("#{id}e{}", event.index), event.kind.name(), title);
    }
    for (at, hit) in view.hits.iter().enumerate() {
        if let Some(begin) = hit.begin_ms {
            mark(begin, hit_address(view, at, id), "hit", format!("{} keyword {}", clock(begin), hit.rule));
        }
    }
    let segment = |((number, begin_ms), marks): ((usize, i64), Vec<MarkContext>)| {
        let end_ms = (begin_ms + step).min(whole);
        let segment = Segment { begin_ms, end_ms, lanes: &view.lanes, dead_air };
        SegmentContext {
            svg: Html::from_safe_string(segment.svg()),
            length_ms: end_ms - begin_ms,
            width: format!("{:.2}", (end_ms - begin_ms) as f64 / step as f64 * 100.0),
            time: clock(begin_ms),
            // A short last segment has no room for a label.
            major: number % every == 0 && (number == 0 || (end_ms - begin_ms) * 4 > step),
            marks,
        }
    };
    begins.into_iter().enumerate().zip(marks).map(segment).collect()
}

/// The anchor of a hit: its mark in the text, else its line.
fn hit_address(view: &CallView, at: usize, id: &str) -> String {
    let line = view.hits.get(at).and_then(|hit| hit.line);
    let marked =
        line.and_then(|line| view.lines.get(line)).is_some_and(|line| line.marks.iter().any(|mark| mark.hit == at));
    match line {
        _ if marked => format!("#{id}h{at}"),
        Some(line) => format!("#{id}l{line}"),
        None => format!("#{id}"),
    }
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
        time: line.begin_ms.map_or_else(|| "–:––".to_owned(), clock),
        pieces,
        badges: badges.collect(),
    }
}

fn who(view: &CallView, participant: usize) -> &str {
    view.names.get(participant).map_or("", String::as_str)
}

/// One clause on what happened.
fn in_words(view: &CallView, event: &EventView) -> String {
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
                time: clock(event.begin_ms),
                text: in_words(view, event),
                line: event.line.map_or_else(String::new, |line| format!("#{id}l{line}")),
                words: event
                    .evidence
                    .iter()
                    .map(|line| Word {
                        hue: hue(line.participant),
                        who: who(view, line.participant).to_owned(),
                        begin: moment(line.word.begin_ms),
                        end: moment(line.word.end_ms),
                        text: line.word.text.clone(),
                        inside: line.word.inside,
                    })
                    .collect(),
            })
            .collect();
        let why = CALLS.column(column).filter(|_| !measured(column)).map_or("", |column| column.why_null(reasons));
        Kind { kind: kind.name(), label: kind.heading(), count: count(events.len() as i64), why, events }
    };
    EventKind::FOR_READERS.into_iter().map(kind).collect()
}

fn rules(view: &CallView, id: &str) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for (at, hit) in view.hits.iter().enumerate() {
        let place = rules.iter().position(|rule| rule.rule == hit.rule).unwrap_or_else(|| {
            rules.push(Rule { rule: hit.rule.clone(), count: String::new(), hits: Vec::new() });
            rules.len() - 1
        });
        if let Some(rule) = rules.get_mut(place) {
            rule.hits.push(HitContext {
                href: hit_address(view, at, id),
                time: hit.begin_ms.map_or_else(|| "–:––".to_owned(), clock),
                who: who(view, hit.participant).to_owned(),
            });
            rule.count = count(rule.hits.len() as i64);
        }
    }
    rules
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
