//! Amazon Transcribe, and its Call Analytics.

use std::collections::HashMap;

use serde_json::Value;

use super::fields::Fields;
use super::fields_of;
use super::speech::{Said, Speech, Spoken};

pub(super) fn speech(root: &Value) -> Speech {
    let results = Fields(root.get("results").unwrap_or(&Value::Null));
    let mut speech = Speech::default();
    let speakers = speakers(results);
    let segments: Vec<Fields<'_>> = results.list("audio_segments").collect();
    if !segments.is_empty() {
        let mut by_id: HashMap<String, Fields<'_>> = HashMap::new();
        by_id.extend(results.list("items").filter_map(|item| Some((item.label("id")?, item))));
        for segment in segments {
            let ids = segment.list("items").filter_map(|id| super::fields::number(id.0));
            let items = ids.filter_map(|id| by_id.get(&id.to_string()).copied());
            speech.sentences.push(Said {
                channel: segment.label("channel_label"),
                speaker: segment.label("speaker_label"),
                begin: segment.seconds("start_time"),
                end: segment.seconds("end_time"),
                text: segment.text("transcript").to_owned(),
                words: words(items, &speakers),
            });
        }
        return speech;
    }
    let labels = Fields(results.get("channel_labels").unwrap_or(&Value::Null));
    let channels: Vec<Fields<'_>> = labels.list("channels").collect();
    for channel in &channels {
        // The merged items repeat these.
        let label = channel.label("channel_label");
        speech.add_words(label.as_deref(), words(channel.list("items"), &speakers));
    }
    if channels.is_empty() {
        speech.add_words(None, words(results.list("items"), &speakers));
    }
    speech
}

/// Speakers by begin and end of a word, where the words do not name them.
fn speakers(results: Fields<'_>) -> HashMap<(Option<i64>, Option<i64>), String> {
    let labels = Fields(results.get("speaker_labels").unwrap_or(&Value::Null));
    let items = labels.list("segments").flat_map(|segment| segment.list("items"));
    items
        .filter_map(|item| Some(((item.seconds("start_time"), item.seconds("end_time")), item.label("speaker_label")?)))
        .collect()
}

/// Spoken items; punctuation hangs on the word before.
fn words<'v>(
    items: impl Iterator<Item = Fields<'v>>,
    speakers: &HashMap<(Option<i64>, Option<i64>), String>,
) -> Vec<Spoken> {
    let mut words: Vec<Spoken> = Vec::new();
    for item in items {
        let text = item.list("alternatives").next().map_or("", |best| best.text("content"));
        if item.text("type") == "punctuation" {
            if let Some(word) = words.last_mut() {
                word.text.push_str(text);
            }
            continue;
        }
        let (begin, end) = (item.seconds("start_time"), item.seconds("end_time"));
        let speaker = item.label("speaker_label").or_else(|| speakers.get(&(begin, end)).cloned());
        words.push(Spoken { begin, end, text: text.to_owned(), speaker });
    }
    words
}

pub(super) fn call_analytics(root: &Value) -> Speech {
    let sentences = fields_of(root, "Transcript").map(|said| {
        let mut words: Vec<Spoken> = Vec::new();
        for item in said.list("Items") {
            let text = item.text("Content");
            match words.last_mut().filter(|_| item.text("Type") == "punctuation") {
                Some(word) => word.text.push_str(text),
                None => words.push(Spoken {
                    begin: item.millis("BeginOffsetMillis"),
                    end: item.millis("EndOffsetMillis"),
                    text: text.to_owned(),
                    speaker: None,
                }),
            }
        }
        Said {
            channel: None,
            speaker: said.label("ParticipantRole"),
            begin: said.millis("BeginOffsetMillis"),
            end: said.millis("EndOffsetMillis"),
            text: said.text("Content").to_owned(),
            words,
        }
    });
    Speech { sentences: sentences.collect(), ..Speech::default() }
}
