//! WebVTT: a cue for each cut, with its voice. Where two speak at once, two cues are shown at once.
//!
//! Format and escapes: W3C, "WebVTT: The Web Video Text Tracks Format".

use super::wrapping::wrap;
use super::{Captions, Cue, time};

pub(super) fn cues(captions: &Captions) -> Vec<Cue> {
    let cue = |cut: &super::Cut| Cue {
        begin_ms: cut.begin,
        end_ms: cut.end,
        voice: Some(captions.name(cut.speaker).to_owned()),
        lines: wrap(&cut.tokens, captions.rules.line_columns(cut.script), 0),
    };
    captions.cuts.iter().map(cue).collect()
}

pub(super) fn write(cues: &[Cue]) -> String {
    let mut file = "WEBVTT\n".to_owned();
    for cue in cues {
        file += &format!("\n{} --> {}\n", time(cue.begin_ms, '.'), time(cue.end_ms, '.'));
        if let Some(voice) = &cue.voice {
            file += &format!("<v {}>", super::name(voice));
        }
        file += &cue.lines.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("\n");
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
