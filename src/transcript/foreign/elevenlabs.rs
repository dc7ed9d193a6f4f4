//! `ElevenLabs` Scribe: words with spacing and audio events between them, which are not spoken.

use serde_json::Value;

use super::fields::{Fields, list};
use super::speech::{Speech, Spoken};

/// Whether the words say what they are.
pub(super) fn is_result(root: &Value) -> bool {
    let typed = |value: &Value| list(value.get("words")).any(|word| word.get("type").is_some());
    typed(root) || list(root.get("transcripts")).any(typed)
}

pub(super) fn speech(root: &Value) -> Speech {
    let mut speech = Speech::default();
    if root.get("transcripts").is_some() {
        for (track, place) in Fields(root).list("transcripts").zip(0..) {
            let stated = track.label("channel_index");
            let channel = stated.or_else(|| track.list("words").find_map(|word| word.label("channel_index")));
            // The speaker is the channel here.
            let words = words(track).into_iter().map(|word| Spoken { speaker: None, ..word });
            speech.add_words(Some(&channel.unwrap_or_else(|| format!("{place}"))), words.collect());
        }
    } else {
        speech.add_words(None, words(Fields(root)));
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
