//! `AssemblyAI`: utterances where there are some, else the words. Times are in ms.

use serde_json::Value;

use super::fields::Fields;
use super::speech::{Said, Speech, Spoken};

/// Whether there are utterances, or words whose text is `text` and that stand in no segments.
pub(super) fn is_result(root: &Value) -> bool {
    let fields = Fields(root);
    let is_word = |word: Fields<'_>| word.get("text").is_some() && word.get("word").is_none();
    fields.get("utterances").is_some_and(Value::is_array)
        || (fields.get("audio_url").is_some() || fields.get("audio_duration").is_some())
            && (fields.get("words").is_some_and(Value::is_array) || fields.get("text").is_some())
        || fields.get("segments").is_none() && fields.list("words").next().is_some_and(is_word)
}

pub(super) fn speech(root: &Value) -> Speech {
    let fields = Fields(root);
    let utterances = fields.list("utterances").map(|said| Said {
        channel: said.label("channel"),
        speaker: speaker(said),
        begin: said.millis("start"),
        end: said.millis("end"),
        text: said.text("text").to_owned(),
        words: said.list("words").map(word).collect(),
        ..Said::default()
    });
    let mut speech = Speech {
        sentences: utterances.collect(),
        language: fields.label("language_code"),
        first_channel: Some(1),
        ..Speech::default()
    };
    if speech.sentences.is_empty() {
        let mut channels: Vec<Option<String>> = fields.list("words").map(|word| word.label("channel")).collect();
        channels.sort();
        channels.dedup();
        for channel in channels {
            let words = fields.list("words").filter(|word| word.label("channel") == channel).map(word).collect();
            speech.add_words(Said { channel, ..Said::default() }, words);
        }
    }
    // Whole seconds are rounded, and may end before the last word.
    let stated = fields.get("audio_duration");
    let is_whole = stated.is_some_and(|stated| stated.is_i64() || stated.is_u64());
    let words = speech.sentences.iter().flat_map(|said| said.words.iter().map(|word| word.end).chain([said.end]));
    let last = words.flatten().max().unwrap_or(0);
    speech.duration_ms = fields.seconds("audio_duration").filter(|ms| *ms > 0);
    speech.duration_ms = speech.duration_ms.map(|ms| if is_whole { ms.max(last) } else { ms });
    speech
}

fn word(fields: Fields<'_>) -> Spoken {
    Spoken {
        begin: fields.millis("start"),
        end: fields.millis("end"),
        text: fields.text("text").to_owned(),
        speaker: speaker(fields),
    }
}

/// With several channels the speaker is named after the channel.
fn speaker(fields: Fields<'_>) -> Option<String> {
    let channel = fields.label("channel");
    fields.label("speaker").filter(|speaker| channel.as_ref().is_none_or(|channel| channel != speaker))
}
