//! Whisper's `verbose_json`, with the fields of `WhisperX`: `speaker` of a segment, words without times where there are none.

use serde_json::{Map, Value, json};

use super::{Call, Interval, Sentence};

/// Seconds as a number.
pub(super) fn seconds(ms: i64) -> Value {
    json!(ms as f64 / 1000.0)
}

fn add_times(object: &mut Map<String, Value>, interval: Option<Interval>) {
    if let Some(interval) = interval {
        object.insert("start".to_owned(), seconds(interval.begin));
        object.insert("end".to_owned(), seconds(interval.end));
    }
}

pub(super) fn write(call: &Call) -> String {
    let mut text = String::new();
    let spoken = || call.sentences.iter().filter(|one| !one.text.is_empty() || one.interval.is_some());
    spoken().for_each(|sentence| crate::text::join_into(&mut text, &sentence.text));
    let segments: Vec<Value> = spoken().enumerate().map(|(id, sentence)| segment(call, id, sentence)).collect();
    let mut languages = spoken().filter_map(|sentence| sentence.language.as_deref());
    let language = languages.next().filter(|first| languages.all(|other| other == *first));
    let mut whole = json!({"task": "transcribe", "text": text, "segments": segments});
    if let Some(language) = language {
        whole["language"] = json!(language);
    }
    if call.duration_ms > 0 {
        whole["duration"] = seconds(call.duration_ms);
    }
    format!("{whole:#}\n")
}

fn segment(call: &Call, id: usize, sentence: &Sentence) -> Value {
    let mut segment = Map::new();
    segment.insert("id".to_owned(), json!(id));
    add_times(&mut segment, sentence.interval);
    segment.insert("text".to_owned(), json!(sentence.text));
    segment.insert("speaker".to_owned(), json!(call.participant(sentence.participant)));
    if !sentence.words.is_empty() {
        let words = sentence.words.iter().map(|word| {
            let mut entry = Map::new();
            entry.insert("word".to_owned(), json!(word.text));
            add_times(&mut entry, word.interval);
            Value::Object(entry)
        });
        segment.insert("words".to_owned(), words.collect());
    }
    Value::Object(segment)
}
