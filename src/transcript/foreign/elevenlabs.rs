//! `ElevenLabs` Scribe: words with spacing and audio events between them, which are not spoken.

use serde_json::Value;

use super::fields::{Fields, list};
use super::speech::{Said, Speech, Spoken};

/// Whether the words say what they are; if there are none, what stands beside them, and the service has no such fields.
pub(super) fn is_result(root: &Value) -> bool {
    let typed = |value: &Value| list(value.get("words")).any(|word| word.get("type").is_some());
    let has = |value: &Value, keys: &[&str]| keys.iter().any(|key| value.get(key).is_some());
    let is_track = |value: &Value| {
        has(value, &["language_code", "channel_index"]) && !has(value, &["sentences", "channel_id"]) || typed(value)
    };
    let is_single = || has(root, &["language_code"]) && has(root, &["language_probability"]) && has(root, &["words"]);
    typed(root) || is_single() || list(root.get("transcripts")).any(is_track)
}

pub(super) fn speech(root: &Value) -> Speech {
    let mut speech =
        Speech { language: Fields(root).label("language_code"), first_channel: Some(0), ..Speech::default() };
    if root.get("transcripts").is_some() {
        for (track, place) in Fields(root).list("transcripts").zip(0..) {
            let stated = track.label("channel_index");
            let channel = stated.or_else(|| track.list("words").find_map(|word| word.label("channel_index")));
            // The speaker is the channel here.
            let words = words(track).into_iter().map(|word| Spoken { speaker: None, ..word });
            let said = Said {
                channel: channel.or_else(|| Some(format!("{place}"))),
                language: track.label("language_code"),
                ..Said::default()
            };
            speech.add_words(said, words.collect());
        }
    } else {
        speech.add_words(Said::default(), words(Fields(root)));
    }
    speech
}

fn words(track: Fields<'_>) -> Vec<Spoken> {
    let spoken = track.list("words").filter(|word| word.text("type") == "word");
    let word = |word: Fields<'_>| Spoken {
        begin: word.seconds("start"),
        end: word.seconds("end"),
        text: word.text("text").to_owned(),
        speaker: word.label("speaker_id"),
    };
    spoken.map(word).collect()
}
