//! SubRip: numbered cues, one after the other. Few players show two at once, so those that overlap are brought into line.
//!
//! A cue gives way to the next one where it was readable until then and vanishes no more than the run-on too early.
//! Otherwise the two become one, with a line `- Name: …` for each speaker. Where that would be shown too long, the
//! first one ends early and the second begins late, as far as they must. One invariant: no two cues overlap.

use super::cutting::Cut;
use super::wrapping::wrap;
use super::{Captions, Cue, time};

/// What is shown together.
struct Shown<'a> {
    begin: i64,
    end: i64,
    cuts: Vec<&'a Cut>,
}

pub(super) fn cues(captions: &Captions) -> Vec<Cue> {
    let mut cues = Vec::with_capacity(captions.cuts.len());
    let mut before = None;
    for shown in in_line(captions) {
        let alone = shown.cuts.len() == 1;
        let mut lines = Vec::new();
        for cut in &shown.cuts {
            let label = match alone {
                true if before == Some(cut.speaker) => String::new(),
                true => format!("{}: ", captions.name(cut.speaker)),
                false => format!("- {}: ", captions.name(cut.speaker)),
            };
            let mut wrapped = wrap(&cut.tokens, captions.rules.line_columns(cut.script), cut.script.columns(&label));
            if let Some(first) = wrapped.first_mut() {
                first.insert_str(0, &label);
            }
            lines.append(&mut wrapped);
        }
        // Who has the last line of several goes on without being named again.
        before = shown.cuts.last().map(|cut| cut.speaker);
        cues.push(Cue { begin_ms: shown.begin, end_ms: shown.end, voice: None, lines });
    }
    cues
}

/// The cues one after the other.
fn in_line(captions: &Captions) -> Vec<Shown<'_>> {
    let rules = &captions.rules;
    let mut shown: Vec<Shown<'_>> = Vec::with_capacity(captions.cuts.len());
    for cut in &captions.cuts {
        let mut next = Shown { begin: cut.begin, end: cut.end, cuts: vec![cut] };
        if let Some(last) = shown.last_mut() {
            let early = next.begin.saturating_sub(rules.gap_ms);
            let close = next.begin < last.end.saturating_add(rules.gap_ms);
            let readable = last.cuts.iter().all(|cut| {
                early >= cut.begin.saturating_add(cut.wanted) && early.saturating_add(rules.run_on_ms) >= cut.said
            });
            let apart = next.begin >= last.end && early > last.begin;
            if close && (readable || apart) {
                last.end = early;
            } else if close {
                let alone = last.cuts.iter().all(|shown| shown.speaker != cut.speaker);
                let end = last.end.max(next.end);
                if alone && end - last.begin <= rules.max_duration_ms {
                    last.end = end;
                    last.cuts.append(&mut next.cuts);
                    continue;
                }
                last.end = early.max(last.begin.saturating_add(rules.min_duration_ms)).min(last.end);
                next.begin = next.begin.max(last.end.saturating_add(rules.gap_ms));
                next.end = next.end.max(next.begin + 1);
            }
        }
        shown.push(next);
    }
    shown
}

pub(super) fn write(cues: &[Cue]) -> String {
    let mut file = String::new();
    for (number, cue) in (1..).zip(cues) {
        if number > 1 {
            file.push('\n');
        }
        file += &format!("{number}\n{} --> {}\n", time(cue.begin_ms, ','), time(cue.end_ms, ','));
        for line in &cue.lines {
            file += &plain(line);
            file.push('\n');
        }
    }
    file
}

/// Nothing that a player takes for a tag or an arrow.
fn plain(line: &str) -> String {
    line.replace('<', "‹").replace('>', "›").replace("{\\", "｛\\")
}
