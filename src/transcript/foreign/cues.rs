//! Captions as transcripts: a cue with text is a sentence; voices are tags, or names before a colon.

use std::collections::HashMap;

use rust_decimal::Decimal;

use super::entities;
use super::fields::{decimal, ms};
use super::speech::{Said, Speech};

/// A cue, or what one voice says in it: the voice of its tag, the text.
struct Cue {
    times: (i64, i64),
    voice: Option<String>,
    text: String,
    /// It is one of several lines `- Name: text`.
    is_line: bool,
}

pub(super) fn speech(text: &str) -> Speech {
    let mut speech = Speech::default();
    let mut cues = cues(text, &mut speech);
    if cues.iter().all(|cue| cue.voice.is_none()) {
        name_voices(&mut cues);
    }
    let sentences = cues.into_iter().filter(|cue| !cue.text.is_empty()).map(|cue| Said {
        speaker: cue.voice,
        begin: Some(cue.times.0),
        end: Some(cue.times.1),
        text: cue.text,
        ..Said::default()
    });
    speech.sentences = sentences.collect();
    speech
}

/// Takes names before a colon for voices; a cue without one continues with the voice before.
fn name_voices(cues: &mut [Cue]) {
    let mut count: HashMap<String, usize> = HashMap::new();
    for (cue, (name, _)) in cues.iter().filter_map(|cue| Some((cue, plain_name(&cue.text)?))) {
        // Lines that begin with a dash tell voices apart even once.
        *count.entry(name.to_owned()).or_default() += if cue.is_line { 2 } else { 1 };
    }
    let mut voice: Option<String> = None;
    for cue in cues {
        let named = || plain_name(&cue.text).filter(|(name, _)| count.get(*name).is_some_and(|count| *count > 1));
        if let Some((name, rest)) = bracketed(&cue.text).or_else(|| own_label(&cue.text)).or_else(named) {
            voice = Some(name.to_owned());
            cue.text = rest.trim().to_owned();
        }
        cue.voice.clone_from(&voice);
    }
}

/// The cues; a time line that cannot be read is counted and no text.
fn cues(text: &str, speech: &mut Speech) -> Vec<Cue> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_vtt = text.starts_with("WEBVTT");
    let mut cues: Vec<Cue> = Vec::new();
    let mut raw: Vec<&str> = Vec::new();
    let mut open: Option<(i64, i64)> = None;
    let close = |open: Option<(i64, i64)>, raw: &mut Vec<&str>, cues: &mut Vec<Cue>| {
        let parts = lines_of_voices(raw).unwrap_or_else(|| vec![raw.join(" ")]);
        if let Some(times) = open {
            for part in &parts {
                cues.extend(voices(part).map(|part| Cue {
                    times,
                    voice: voice(part),
                    text: shown(part),
                    is_line: parts.len() > 1,
                }));
            }
        }
        raw.clear();
    };
    for ((at, line), number) in lines.iter().enumerate().zip(1..) {
        let next_is_time = lines.get(at + 1).is_some_and(|next| times(next).is_some());
        if let Some(found) = times(line) {
            close(open.take(), &mut raw, &mut cues);
            open = Some(found);
        } else if line.starts_with(|c: char| c.is_ascii_digit()) && line.contains("-->") {
            speech.note_line(number, "time line");
        } else if line.is_empty() && is_vtt {
            close(open.take(), &mut raw, &mut cues);
        } else if open.is_some()
            && !line.is_empty()
            && !(next_is_time && line.bytes().all(|byte| byte.is_ascii_digit()))
        {
            raw.push(line);
        }
    }
    close(open, &mut raw, &mut cues);
    cues
}

/// `00:00:01,000 --> 00:00:02,500`, with settings behind.
pub(super) fn times(line: &str) -> Option<(i64, i64)> {
    let (begin, rest) = line.split_once("-->")?;
    Some((time(begin)?, time(rest.split_whitespace().next()?)?))
}

/// Hours and minutes may be missing.
fn time(text: &str) -> Option<i64> {
    let mut total = Decimal::ZERO;
    let text = text.trim().replace(',', ".");
    if !text.starts_with(|c: char| c.is_ascii_digit()) || text.matches(':').count() > 2 {
        return None;
    }
    for part in text.split(':') {
        total = total.checked_mul(Decimal::from(60))?.checked_add(decimal(part)?)?;
    }
    ms(total.checked_mul(Decimal::ONE_THOUSAND)?)
}

/// The parts of a cue in which lines begin with `- Name:`, without the dashes; `None` for other cues.
fn lines_of_voices(lines: &[&str]) -> Option<Vec<String>> {
    let mut parts: Vec<String> = Vec::new();
    for line in lines {
        let named = line.strip_prefix('-').map(str::trim_start).filter(|line| {
            let line = shown(line);
            bracketed(&line).or_else(|| own_label(&line)).or_else(|| plain_name(&line)).is_some()
        });
        match (named, parts.last_mut()) {
            (Some(line), _) => parts.push(line.to_owned()),
            (None, Some(part)) => {
                part.push(' ');
                part.push_str(line);
            }
            (None, None) => return None,
        }
    }
    (parts.len() > 1).then_some(parts)
}

/// The text before the first tag of a voice, and from each of these tags to the next.
fn voices(text: &str) -> impl Iterator<Item = &str> {
    let is_tag = |at: &usize| text.get(at + 2..).is_some_and(|rest| rest.starts_with(['.', ' ', '\t']));
    let tags: Vec<usize> = text.match_indices("<v").map(|(at, _)| at).filter(is_tag).collect();
    let ends = tags.clone().into_iter().chain([text.len()]);
    std::iter::once(0).chain(tags).zip(ends).filter_map(|(begin, end)| text.get(begin..end))
}

/// The name in `<v.loud Ann>`, with which a part begins.
fn voice(part: &str) -> Option<String> {
    let (tag, _) = part.strip_prefix("<v")?.split_once('>')?;
    let (_, name) = tag.split_once([' ', '\t'])?;
    Some(entities::decoded(name.trim())).filter(|name| !name.is_empty())
}

/// A text as a player shows it, on one line.
fn shown(text: &str) -> String {
    let decoded = entities::decoded(&without_tags(text));
    decoded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A tag begins with a letter, a digit or `/`: other angle brackets are text.
fn without_tags(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once('<') {
        kept.push_str(before);
        let is_tag = tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/');
        match tag.split_once('>').filter(|_| is_tag) {
            Some((_, after)) => rest = after,
            None => {
                kept.push('<');
                rest = tag;
            }
        }
    }
    kept + rest
}

/// `[NAME]: text`.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.strip_prefix('[')?.split_once("]:")?;
    (!name.trim().is_empty() && !name.contains(['[', ']'])).then_some((name.trim(), rest))
}

/// `ch0: text`, `spk1: text`, `ch0:spk1: text`: labels of participants without roles.
fn own_label(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once(": ")?;
    let is_numbered = |part: &str, of: &str| {
        part.strip_prefix(of).is_some_and(|number| !number.is_empty() && number.bytes().all(|c| c.is_ascii_digit()))
    };
    let is_speaker = |part: &str| is_numbered(part, "spk") || part == "unknown";
    let is_label = match name.split_once(':') {
        Some((channel, speaker)) => is_numbered(channel, "ch") && is_speaker(speaker),
        None => is_numbered(name, "ch") || is_numbered(name, "spk"),
    };
    is_label.then_some((name, rest))
}

/// `Name: text`: one to three capitalised words; words behind the first may be numbers.
fn plain_name(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once(':')?;
    let mut words = name.split(' ');
    let is_name = |word: &str| {
        word.starts_with(char::is_uppercase) && word.chars().all(|c| c.is_alphanumeric() || "-'’._".contains(c))
    };
    let is_further = |word: &str| is_name(word) || !word.is_empty() && word.bytes().all(|c| c.is_ascii_digit());
    let is_voice = words.next().is_some_and(is_name) && words.clone().count() < 3 && words.all(is_further);
    (is_voice && rest.starts_with(' ')).then_some((name, rest))
}
