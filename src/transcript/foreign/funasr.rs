//! What `FunASR` itself writes: an object, a list or JSON lines; sentences in `sentence_info` or `stamp_sents`, each
//! with a time per Han or Kana character and per run of other letters and digits.

use serde_json::Value;

use super::super::{Code, Place};
use super::ParseError;
use super::fields::{Fields, items, list, ms, number};
use super::speech::{Said, Speech, Spoken};

/// Whether an object is one recording of `FunASR`.
pub(super) fn is_item(value: &Value) -> bool {
    let has = |key: &str| value.get(key).is_some();
    has("sentence_info") || has("stamp_sents") || has("key") && has("text") || has("text") && has("timestamp")
}

pub(super) fn speech(values: &[Value]) -> Result<Option<Speech>, ParseError> {
    let items: Vec<Fields<'_>> = items(values).collect();
    if items.len() > 1 {
        return Err(ParseError::recordings(items.iter().map(|item| item.text("key"))));
    }
    let Some(item) = items.first() else { return Ok(None) };
    let mut speech = Speech::default();
    for said in item.list("sentence_info") {
        let text = if said.get("text").is_some() { said.text("text") } else { said.text("sentence") };
        let times = times(said.get("timestamp"));
        add(&mut speech, said, text.to_owned(), &times);
    }
    if speech.sentences.is_empty() {
        for said in item.list("stamp_sents") {
            let text = format!("{}{}", without_blanks(said.text("text_seg")), said.text("punc"));
            let times = times(said.get("ts_list"));
            add(&mut speech, said, text, &times);
        }
    }
    if speech.sentences.is_empty() {
        let tokens = tokens(item.text("text"));
        let times = times(item.get("timestamp"));
        if times.len() == tokens.len() {
            let words = tokens.into_iter().zip(times);
            speech.add_words(
                Said::default(),
                words.map(|(text, (begin, end))| Spoken { begin, end, text, speaker: None }).collect(),
            );
        } else {
            add(&mut speech, *item, item.text("text").to_owned(), &times);
        }
    }
    Ok(Some(speech))
}

type Times = (Option<i64>, Option<i64>);

/// A list of pairs, or a text that holds one.
fn times(value: Option<&Value>) -> Vec<Times> {
    let parsed = value.and_then(Value::as_str).and_then(|text| serde_json::from_str::<Value>(text).ok());
    let ms = |pair: &Value, at: usize| pair.get(at).and_then(number).and_then(ms);
    list(parsed.as_ref().or(value)).map(|pair| (ms(pair, 0), ms(pair, 1))).collect()
}

/// Adds a sentence that has a letter, and counts times that do not fit.
fn add(speech: &mut Speech, said: Fields<'_>, text: String, times: &[Times]) {
    if !text.chars().any(char::is_alphanumeric) {
        return;
    }
    let place = Place { channel: Some(0), sentence: u32::try_from(speech.sentences.len()).ok(), ..Place::default() };
    let tokens = tokens(&text);
    let mut words = Vec::new();
    let stated = (said.millis("start"), said.millis("end"));
    let (mut begin, mut end) = stated;
    if let (Some(first), Some(last)) = (times.first(), times.last()) {
        (begin, end) = (first.0, last.1);
        let differs = |one: Option<i64>, two| one.is_some() && one != two;
        if differs(stated.0, begin) {
            speech.notices.add(Code::SentenceTimes, place, "start");
        } else if differs(stated.1, end) {
            speech.notices.add(Code::SentenceTimes, place, "end");
        }
        if tokens.len() == times.len() {
            let timed = tokens.into_iter().zip(times);
            words = timed.map(|(text, &(begin, end))| Spoken { begin, end, text, speaker: None }).collect();
        } else {
            speech.notices.add(Code::CharacterTimes, place, "");
        }
    }
    speech.sentences.push(Said { speaker: said.label("spk"), begin, end, text, words, ..Said::default() });
}

fn is_alone(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

/// What has a time each; punctuation hangs on what is before it.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut in_run = false;
    for c in text.chars() {
        if is_alone(c) {
            tokens.push(c.to_string());
            in_run = false;
        } else if c.is_alphanumeric() || c == '\'' && in_run {
            match tokens.last_mut().filter(|_| in_run) {
                Some(token) => token.push(c),
                None => tokens.push(c.to_string()),
            }
            in_run = true;
        } else {
            in_run = false;
            if let Some(token) = tokens.last_mut().filter(|_| !c.is_whitespace()) {
                token.push(c);
            }
        }
    }
    tokens
}

/// Blanks between Han characters are those of the tokens.
fn without_blanks(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let is_between = |at: usize| {
        let beside = [at.checked_sub(1), at.checked_add(1)].map(|at| at.and_then(|at| chars.get(at)).copied());
        beside.iter().all(|c| c.is_some_and(is_alone))
    };
    chars.iter().enumerate().filter(|(at, c)| !(**c == ' ' && is_between(*at))).map(|(_, c)| *c).collect()
}
