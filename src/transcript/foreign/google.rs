//! Google Speech-to-Text, v1 and v2: an answer, a long-running operation, a batch.

use rust_decimal::Decimal;
use serde_json::Value;

use super::ParseError;
use super::fields::{Fields, decimal, list, ms, number};
use super::speech::{Said, Speech, Spoken};

/// Whether there are results with alternatives, or a batch of files.
pub(super) fn is_result(root: &Value) -> bool {
    let is_answer = |value: &Value| list(value.get("results")).any(|result| result.get("alternatives").is_some());
    let is_batch = |value: &Value| files(value).next().is_some();
    let response = root.get("response");
    is_answer(root) || is_batch(root) || response.is_some_and(|response| is_answer(response) || is_batch(response))
}

/// The files of a v2 batch and their answers.
fn files(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let files = value.get("results").and_then(Value::as_object).into_iter().flatten();
    files.filter_map(|(file, result)| {
        let inline = result.get("inlineResult").unwrap_or(result);
        Some((file, inline.get("transcript")?))
    })
}

pub(super) fn speech(root: &Value) -> Result<Option<Speech>, ParseError> {
    let body = root.get("response").unwrap_or(root);
    let batch: Vec<(&String, &Value)> = files(body).collect();
    if batch.len() > 1 {
        return Err(ParseError::recordings(batch.iter().map(|(file, _)| file.as_str())));
    }
    let answer = batch.first().map_or(body, |(_, answer)| answer);
    let results: Vec<Fields<'_>> = list(answer.get("results")).map(Fields).collect();
    let words = |result: &Fields<'_>| -> Vec<Spoken> {
        result.list("alternatives").next().map(|best| best.list("words").map(word).collect()).unwrap_or_default()
    };
    let mut speech = Speech { first_channel: Some(1), ..Speech::default() };
    let is_diarised = |words: &[Spoken]| words.iter().any(|word| word.speaker.is_some());
    let diarised = results.iter().any(|result| is_diarised(&words(result)));
    for result in &results {
        let channel = result.label("channelTag").filter(|tag| tag != "0");
        let language = result.label("languageCode");
        let words = words(result);
        if diarised {
            // The last result of v1 repeats all words, with speakers.
            if is_diarised(&words) {
                speech.add_words(Said { channel, language, ..Said::default() }, words);
            }
            continue;
        }
        let text = result.list("alternatives").next().map_or("", |best| best.text("transcript"));
        if !text.is_empty() || !words.is_empty() {
            let begin = words.iter().filter_map(|word| word.begin).min();
            let end = words.iter().filter_map(|word| word.end).max();
            let text = text.to_owned();
            speech.sentences.push(Said { channel, begin, end, text, language, words, ..Said::default() });
        }
    }
    Ok(Some(speech))
}

fn word(word: Fields<'_>) -> Spoken {
    let at = |name: &str| word.get(&format!("{name}Time")).or_else(|| word.get(&format!("{name}Offset")));
    // Zeros are left out; a word without both had no times.
    let is_timed = at("start").or_else(|| at("end")).is_some();
    let time = |name: &str| at(name).map_or(is_timed.then_some(0), time);
    let tag = word.label("speakerTag").or_else(|| word.label("speakerLabel"));
    Spoken {
        begin: time("start"),
        end: time("end"),
        text: word.text("word").to_owned(),
        speaker: tag.filter(|tag| tag != "0"),
    }
}

/// `1.200s`, or seconds and nanoseconds.
fn time(value: &Value) -> Option<i64> {
    let seconds = match value {
        Value::String(text) => decimal(text.strip_suffix('s').unwrap_or(text))?,
        Value::Object(_) => {
            let part = |key: &str| value.get(key).map_or(Some(Decimal::ZERO), number);
            part("seconds")?.checked_add(part("nanos")?.checked_mul(Decimal::new(1, 9))?)?
        }
        _ => number(value)?,
    };
    ms(seconds.checked_mul(Decimal::ONE_THOUSAND)?)
}
