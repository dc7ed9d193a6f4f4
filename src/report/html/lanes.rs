//! Who spoke when, large: segments of the lanes, with the marks of events and hits below them.

use minijinja::Value as Html;
use serde::Serialize;

use super::super::call::{CallView, EventView};
use super::super::number::clock;
use super::call::{in_words, who};
use super::chart::Segment;
use crate::metrics::EventKind;

/// Lengths of a segment in ms. On a narrow screen each segment is a row.
const STEPS_MS: [i64; 7] = [60_000, 30_000, 20_000, 10_000, 5_000, 2_000, 1_000];

/// Fewest segments of a call that is long enough: as many ticks has its axis.
const LEAST_SEGMENTS: i64 = 3;

/// Most segments of a call: longer calls (over 12 hours) get longer segments.
const MOST_SEGMENTS: i64 = 720;

/// Most time labels under unzoomed lanes.
const LABELS: usize = 10;

/// Width of the lanes for which marks are spread, in pixels: those of a desktop.
const TRACK_PX: f64 = 860.0;

/// Width of a mark with the gap behind it, and height of a row of marks.
const MARK_PX: f64 = 14.0;

/// Most rows of marks; what has no place joins the mark before it.
const MOST_ROWS: usize = 4;

/// Most texts of a mark that stands for several.
const MOST_TEXTS: usize = 6;

#[derive(Serialize)]
pub(super) struct SegmentContext {
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
pub(super) struct MarkContext {
    href: String,
    kind: &'static str,
    left: String,
    top: usize,
    title: String,
    /// Number of further events that it stands for.
    more: usize,
}

/// A mark before it has a place.
struct Mark {
    ms: i64,
    href: String,
    kind: &'static str,
    titles: Vec<String>,
    row: usize,
    more: usize,
}

/// The segments of a call, and the number of rows of marks. `id` is the prefix of the ids on the page.
pub(super) fn segments(view: &CallView, dead_air: &[(i64, i64)], id: &str) -> (Vec<SegmentContext>, usize) {
    let whole = view.length_ms();
    let step = step_ms(whole);
    let begins: Vec<i64> = (0..MOST_SEGMENTS).map(|number| number * step).take_while(|begin| *begin < whole).collect();
    let every = begins.len().div_ceil(LABELS).max(1);
    let mut marks: Vec<Vec<MarkContext>> = begins.iter().map(|_| Vec::new()).collect();
    let placed = spread(marks_of(view, id), whole);
    let rows = placed.iter().map(|mark| mark.row + 1).max().unwrap_or(0);
    for mark in placed {
        let place = mark.ms.clamp(0, whole - 1).div_euclid(step);
        let Some(marks) = usize::try_from(place).ok().and_then(|place| marks.get_mut(place)) else { continue };
        let length = step.min(whole - place * step);
        let mut title = mark.titles.join("; ");
        if mark.titles.len() >= MOST_TEXTS {
            title += "; …";
        }
        marks.push(MarkContext {
            left: format!("{:.2}", (mark.ms - place * step) as f64 / length as f64 * 100.0),
            top: mark.row * MARK_PX as usize,
            href: mark.href,
            kind: mark.kind,
            title,
            more: mark.more,
        });
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
    (begins.into_iter().enumerate().zip(marks).map(segment).collect(), rows)
}

/// The longest step with enough segments.
fn step_ms(whole: i64) -> i64 {
    // A last segment of less than a quarter gets no label.
    let step = STEPS_MS.into_iter().find(|step| whole * 4 > step * (4 * LEAST_SEGMENTS - 3)).unwrap_or(1_000);
    step.max(whole.div_euclid(MOST_SEGMENTS) + 1)
}

/// The marks of a call in order of time.
fn marks_of(view: &CallView, id: &str) -> Vec<Mark> {
    let mark = |ms: i64, href: String, kind, title| Mark { ms, href, kind, titles: vec![title], row: 0, more: 0 };
    let is_mark = |event: &&EventView| event.kind != EventKind::DeadAir;
    let mut marks: Vec<Mark> = view
        .events
        .iter()
        .filter(is_mark)
        .map(|event| {
            let title = format!("{} {}", clock(event.begin_ms), in_words(view, event));
            mark(event.begin_ms, format!("#{id}e{}", event.index), event.kind.name(), title)
        })
        .collect();
    for (at, hit) in view.hits.iter().enumerate() {
        let (Some(begin), Some(participant)) = (hit.begin_ms, hit.participant) else { continue };
        let kind = if hit.is_of_rule { "rule" } else { "keyword" };
        let title = format!("{} {kind} {}: {}", clock(begin), hit.rule, who(view, participant));
        marks.push(mark(begin, format!("#{id}{}", view.hit_anchor(at)), "hit", title));
    }
    marks.sort_by_key(|mark| mark.ms);
    // A word that several rules look for is one mark.
    marks.dedup_by(|later, mark| {
        let is_same = (later.ms, later.kind) == (mark.ms, mark.kind);
        if is_same && mark.titles.len() < MOST_TEXTS {
            mark.titles.append(&mut later.titles);
        }
        is_same
    });
    marks
}

/// Gives each mark the first row in which it does not touch the one before; if there is none, it joins the last mark.
fn spread(marks: Vec<Mark>, whole: i64) -> Vec<Mark> {
    let mut ends = [f64::NEG_INFINITY; MOST_ROWS];
    let mut placed: Vec<Mark> = Vec::with_capacity(marks.len());
    for mut mark in marks {
        let x = mark.ms as f64 / whole.max(1) as f64 * TRACK_PX;
        match ends.iter_mut().enumerate().find(|(_, end)| **end <= x) {
            Some((row, end)) => {
                *end = x + MARK_PX;
                mark.row = row;
                placed.push(mark);
            }
            None => {
                let Some(last) = placed.last_mut() else { continue };
                last.more += 1;
                if last.titles.len() < MOST_TEXTS {
                    last.titles.append(&mut mark.titles);
                }
            }
        }
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_do_not_pile_up() {
        let mark = |ms| Mark { ms, href: String::new(), kind: "hit", titles: vec![ms.to_string()], row: 0, more: 0 };
        // 86 s on 860 px: a mark is as wide as 1.4 s.
        let placed = spread([0, 100, 200, 300, 400, 500, 1400, 60_000].map(mark).into(), 86_000);
        let shown: Vec<_> = placed.iter().map(|mark| (mark.ms, mark.row, mark.more)).collect();
        assert_eq!(shown, [(0, 0, 0), (100, 1, 0), (200, 2, 0), (300, 3, 2), (1400, 0, 0), (60_000, 0, 0)]);
        assert_eq!(placed[3].titles, ["300", "400", "500"]);
    }

    #[test]
    fn an_axis_has_three_ticks_at_least() {
        for whole in [2_251, 3_000, 25_000, 51_000, 61_000, 122_000, 180_000, 3_600_000, 50_000_000] {
            let step = step_ms(whole);
            assert!((whole * 4 + step - 1) / (step * 4) >= 2, "{whole} in steps of {step}");
        }
        assert_eq!([step_ms(51_000), step_ms(122_000), step_ms(180_000)], [20_000, 30_000, 60_000]);
    }
}
