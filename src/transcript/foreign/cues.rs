//! Captions as transcripts: a cue with text is a sentence; voices are tags, or names before a colon.

use std::collections::HashMap;

use rust_decimal::Decimal;

use super::fields::{decimal, ms};
use super::speech::{Said, Speech};

/// A cue: its times, the voice of its tag, its text.
struct Cue {
    times: (i64, i64),
    voice: Option<String>,
    text: String,
}

pub(super) fn speech(text: &str) -> Speech {
    let mut speech = Speech::default();
    let cues = cues(text, &mut speech);
    let mut said: Vec<(Option<String>, bool)> =
        cues.iter().map(|cue| (cue.voice.clone(), cue.voice.is_some())).collect();
    let mut texts: Vec<String> = cues.iter().map(|cue| cue.text.clone()).collect();
    if said.iter().all(|(voice, _)| voice.is_none()) {
        let mut count: HashMap<&str, usize> = HashMap::new();
        for (name, _) in cues.iter().filter_map(|cue| plain_name(&cue.text)) {
            *count.entry(name).or_default() += 1;
        }
        let mut voice: Option<String> = None;
        for (at, cue) in cues.iter().enumerate() {
            let named = plain_name(&cue.text).filter(|(name, _)| count.get(name).is_some_and(|count| *count > 1));
            if let Some((name, rest)) = bracketed(&cue.text).or(named) {
                voice = Some(name.to_owned());
                if let Some(text) = texts.get_mut(at) {
                    *text = rest.trim().to_owned();
                }
            }
            if let Some(said) = said.get_mut(at) {
                *said = (voice.clone(), voice.is_some());
            }
        }
    }
    let sentences = cues.iter().zip(said).zip(texts).map(|((cue, (speaker, _)), text)| Said {
        speaker,
        begin: Some(cue.times.0),
        end: Some(cue.times.1),
        text,
        ..Said::default()
    });
    speech.sentences = sentences.filter(|said| !said.text.is_empty()).collect();
    speech
}

/// The cues; a time line that cannot be read is counted and no text.
fn cues(text: &str, speech: &mut Speech) -> Vec<Cue> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_vtt = text.starts_with("WEBVTT");
    let mut cues: Vec<Cue> = Vec::new();
    let mut raw: Vec<&str> = Vec::new();
    let mut open: Option<(i64, i64)> = None;
    let close = |open: Option<(i64, i64)>, raw: &mut Vec<&str>, cues: &mut Vec<Cue>| {
        if let Some(times) = open {
            let joined = raw.join(" ");
            let text = unescaped(&without_tags(&joined));
            cues.push(Cue {
                times,
                voice: voice(&joined),
                text: text.split_whitespace().collect::<Vec<_>>().join(" "),
            });
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

/// The name in `<v.loud Ann>`.
fn voice(text: &str) -> Option<String> {
    let tag = text.get(text.find("<v")? + 2..)?;
    let (tag, _) = tag.split_once('>')?;
    let (_, name) = tag.split_once([' ', '\t'])?;
    Some(unescaped(name.trim())).filter(|name| !name.is_empty())
}

fn without_tags(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once('<') {
        shown.push_str(before);
        match tag.split_once('>') {
            Some((_, after)) => rest = after,
            None => {
                shown.push('<');
                rest = tag;
            }
        }
    }
    shown + rest
}

fn unescaped(text: &str) -> String {
    let named =
        [("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", " "), ("&lrm;", ""), ("&rlm;", ""), ("&quot;", "\""), ("&#39;", "'")];
    let text = named.iter().fold(text.to_owned(), |text, (entity, c)| text.replace(entity, c));
    text.replace("&amp;", "&")
}

/// `[NAME]: text`.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.strip_prefix('[')?.split_once("]:")?;
    (!name.trim().is_empty() && !name.contains(['[', ']'])).then_some((name.trim(), rest))
}

/// `Name: text`: one to three capitalised words.
fn plain_name(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once(':')?;
    let words: Vec<&str> = name.split(' ').collect();
    let is_name = |word: &&str| {
        word.starts_with(char::is_uppercase) && word.chars().all(|c| c.is_alphanumeric() || "-'’._".contains(c))
    };
    ((1..=3).contains(&words.len()) && words.iter().all(is_name) && rest.starts_with(' ')).then_some((name, rest))
}
