//! Amazon Transcribe, and its Call Analytics.

use std::collections::HashMap;

use serde_json::Value;

use super::fields::Fields;
use super::fields_of;
use super::speech::{Said, Speech, Spoken};

pub(super) fn speech(root: &Value) -> Speech {
    let results = Fields(root.get("results").unwrap_or(&Value::Null));
    let mut speech = Speech { language: results.label("language_code"), first_channel: Some(0), ..Speech::default() };
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
                language: segment.label("language_code"),
                words: words(items, &speakers),
            });
        }
        return speech;
    }
    let labels = Fields(results.get("channel_labels").unwrap_or(&Value::Null));
    let channels: Vec<Fields<'_>> = labels.list("channels").collect();
    for channel in &channels {
        // The merged items repeat these.
        let said = Said { channel: channel.label("channel_label"), ..Said::default() };
        speech.add_words(said, words(channel.list("items"), &speakers));
    }
    if channels.is_empty() {
        speech.add_words(Said::default(), words(results.list("items"), &speakers));
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

/// Adds a spoken item; punctuation hangs on the word before.
fn add(words: &mut Vec<Spoken>, kind: &str, item: Spoken) {
    if kind == "punctuation" {
        if let Some(word) = words.last_mut() {
            word.text.push_str(&item.text);
        }
    } else {
        words.push(item);
    }
}

fn words<'v>(
    items: impl Iterator<Item = Fields<'v>>,
    speakers: &HashMap<(Option<i64>, Option<i64>), String>,
) -> Vec<Spoken> {
    let mut words = Vec::new();
    for item in items {
        let text = item.list("alternatives").next().map_or("", |best| best.text("content")).to_owned();
        let (begin, end) = (item.seconds("start_time"), item.seconds("end_time"));
        let speaker = item.label("speaker_label").or_else(|| speakers.get(&(begin, end)).cloned());
        add(&mut words, item.text("type"), Spoken { begin, end, text, speaker });
    }
    words
}

pub(super) fn call_analytics(root: &Value) -> Speech {
    let sentences = fields_of(root, "Transcript").map(|said| {
        let mut words = Vec::new();
        for item in said.list("Items") {
            let word = Spoken {
                begin: item.millis("BeginOffsetMillis"),
                end: item.millis("EndOffsetMillis"),
                text: item.text("Content").to_owned(),
                speaker: None,
            };
            add(&mut words, item.text("Type"), word);
        }
        Said {
            speaker: said.label("ParticipantRole"),
            begin: said.millis("BeginOffsetMillis"),
            end: said.millis("EndOffsetMillis"),
            text: said.text("Content").to_owned(),
            words,
            ..Said::default()
        }
    });
    Speech { sentences: sentences.collect(), language: Fields(root).label("LanguageCode"), ..Speech::default() }
}
