//! SubRip: numbered cues that never overlap, since few players show two at once.
//!
//! A cue ends early for the next one if it was readable by then and loses at most the run-on. Otherwise the two become
//! one, with a line `- Name: …` for each speaker. If that would be shown too long, the first ends early and the second
//! begins late, as far as necessary.

use super::segment::DraftCue;
use super::wrap::wrap;
use super::{Captions, Cue, time};

/// Drafts that share a cue.
struct CueGroup<'a> {
    begin: i64,
    end: i64,
    drafts: Vec<&'a DraftCue>,
}

pub(super) fn cues(captions: &Captions) -> Vec<Cue> {
    let mut cues = Vec::with_capacity(captions.drafts.len());
    let mut before = None;
    for group in sequence(captions) {
        let alone = group.drafts.len() == 1;
        let mut lines = Vec::new();
        for cut in &group.drafts {
            let label = match alone {
                true if before == Some(cut.speaker) => String::new(),
                true => format!("{}: ", captions.name(cut.speaker)),
                false => format!("- {}: ", captions.name(cut.speaker)),
            };
            let mut wrapped = wrap(&cut.tokens, captions.limits.line_columns(cut.script), cut.script.columns(&label));
            if let Some(first) = wrapped.first_mut() {
                first.insert_str(0, &label);
            }
            lines.append(&mut wrapped);
        }
        // The speaker of the last line continues without a name.
        before = group.drafts.last().map(|cut| cut.speaker);
        cues.push(Cue { begin_ms: group.begin, end_ms: group.end, voice: None, lines });
    }
    cues
}

/// The drafts as cues that follow each other.
fn sequence(captions: &Captions) -> Vec<CueGroup<'_>> {
    let limits = &captions.limits;
    let mut groups: Vec<CueGroup<'_>> = Vec::with_capacity(captions.drafts.len());
    for cut in &captions.drafts {
        let mut next = CueGroup { begin: cut.begin, end: cut.end, drafts: vec![cut] };
        if let Some(last) = groups.last_mut() {
            let early = next.begin.saturating_sub(limits.gap_ms);
            let close = next.begin < last.end.saturating_add(limits.gap_ms);
            let readable = last.drafts.iter().all(|cut| {
                early >= cut.begin.saturating_add(cut.target_ms)
                    && early.saturating_add(limits.run_on_ms) >= cut.speech_end
            });
            let apart = next.begin >= last.end && early > last.begin;
            if close && (readable || apart) {
                last.end = early;
            } else if close {
                let alone = last.drafts.iter().all(|shown| shown.speaker != cut.speaker);
                let end = last.end.max(next.end);
                if alone && end - last.begin <= limits.max_duration_ms {
                    last.end = end;
                    last.drafts.append(&mut next.drafts);
                    continue;
                }
                last.end = early.max(last.begin.saturating_add(limits.min_duration_ms)).min(last.end);
                next.begin = next.begin.max(last.end.saturating_add(limits.gap_ms));
                next.end = next.end.max(next.begin + 1);
            }
        }
        groups.push(next);
    }
    groups
}

pub(super) fn write(cues: &[Cue]) -> String {
    let mut file = String::new();
    for (number, cue) in (1..).zip(cues) {
        if number > 1 {
            file.push('\n');
        }
        file += &format!("{number}\n{} --> {}\n", time(cue.begin_ms, ','), time(cue.end_ms, ','));
        // Many players end a cue at an empty line.
        for line in cue.lines.iter().filter(|line| !line.trim().is_empty()) {
            file += &plain(line);
            file.push('\n');
        }
    }
    file
}

/// Replaces what a player could take for a tag or an arrow.
fn plain(line: &str) -> String {
    line.replace('<', "‹").replace('>', "›").replace("{\\", "｛\\")
}
