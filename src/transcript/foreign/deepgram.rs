//! Deepgram: utterances where there are some, else the words of each channel's first alternative.

use rust_decimal::prelude::ToPrimitive;
use serde_json::Value;

use super::fields::Fields;
use super::speech::{Said, Speech, Spoken};

pub(super) fn speech(root: &Value) -> Speech {
    let results = Fields(root.get("results").unwrap_or(&Value::Null));
    let metadata = Fields(root.get("metadata").unwrap_or(&Value::Null));
    let duration_ms = metadata.seconds("duration").filter(|ms| *ms > 0);
    let mut speech = Speech { duration_ms, first_channel: Some(0), ..Speech::default() };
    let languages: Vec<Option<String>> =
        results.list("channels").map(|channel| channel.label("detected_language")).collect();
    let language = |channel: Option<usize>| channel.and_then(|channel| languages.get(channel)).cloned().flatten();
    speech.sentences = results
        .list("utterances")
        .map(|said| Said {
            channel: said.label("channel"),
            speaker: said.label("speaker"),
            begin: said.seconds("start"),
            end: said.seconds("end"),
            text: said.text("transcript").to_owned(),
            language: language(said.number("channel").map_or(Some(0), |channel| channel.to_usize())),
            words: said.list("words").map(word).collect(),
        })
        .collect();
    if speech.sentences.is_empty() {
        for (channel, at) in results.list("channels").zip(0..) {
            let words = channel.list("alternatives").next().map(|best| best.list("words").map(word).collect());
            let said = Said { channel: Some(at.to_string()), language: language(Some(at)), ..Said::default() };
            speech.add_words(said, words.unwrap_or_default());
        }
    }
    speech
}

fn word(word: Fields<'_>) -> Spoken {
    let shown = word.text("punctuated_word");
    let text = if shown.is_empty() { word.text("word") } else { shown };
    Spoken {
        begin: word.seconds("start"),
        end: word.seconds("end"),
        text: text.to_owned(),
        speaker: word.label("speaker"),
    }
}
