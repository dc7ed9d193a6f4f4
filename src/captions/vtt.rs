//! WebVTT: one cue per draft, with its voice. People who speak at once have cues that overlap.
//!
//! Format and escapes: W3C, "WebVTT: The Web Video Text Tracks Format".

use super::wrap::wrap;
use super::{Captions, Cue, time};

pub(super) fn cues(captions: &Captions) -> Vec<Cue> {
    let cue = |draft: &super::DraftCue| Cue {
        begin_ms: draft.begin,
        end_ms: draft.end,
        voice: Some(captions.name(draft.speaker).to_owned()),
        lines: wrap(&draft.tokens, captions.limits.line_columns(draft.script), 0),
    };
    captions.drafts.iter().map(cue).collect()
}

pub(super) fn write(cues: &[Cue]) -> String {
    let mut file = "WEBVTT\n".to_owned();
    for cue in cues {
        file += &format!("\n{} --> {}\n", time(cue.begin_ms, '.'), time(cue.end_ms, '.'));
        if let Some(voice) = &cue.voice {
            file += &format!("<v {}>", super::display_name(voice));
        }
        // An empty line would end the cue.
        let lines = cue.lines.iter().filter(|line| !line.trim().is_empty());
        file += &lines.map(|line| escaped(line)).collect::<Vec<_>>().join("\n");
        file.push('\n');
    }
    file
}

fn escaped(line: &str) -> String {
    let mut escaped = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            c => escaped.push(c),
        }
    }
    escaped
}
