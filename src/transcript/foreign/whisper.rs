//! Whisper's `verbose_json` and what is written in its form: faster-whisper, whisper-timestamped, `WhisperX`, `OpenAI`'s
//! `diarized_json`. Segments are sentences; `word_segments` repeats them.

use serde_json::Value;

use super::fields::{Fields, list};
use super::speech::{Said, Speech, Spoken};

pub(super) fn speech(root: &Value) -> Speech {
    let fields = Fields(root);
    let segments = if root.is_array() { Some(root) } else { root.get("segments") };
    let mut sentences: Vec<Said> = list(segments)
        .map(Fields)
        .map(|segment| Said {
            speaker: segment.label("speaker"),
            begin: segment.seconds("start"),
            end: segment.seconds("end"),
            text: segment.text("text").to_owned(),
            words: segment.list("words").map(word).collect(),
            ..Said::default()
        })
        .collect();
    let loose: Vec<Spoken> = fields.list("words").map(word).collect();
    if sentences.is_empty() && !loose.is_empty() {
        // The words have no punctuation; the text has.
        let begin = loose.iter().filter_map(|word| word.begin).min();
        let end = loose.iter().filter_map(|word| word.end).max();
        sentences.push(Said { begin, end, text: fields.text("text").to_owned(), words: loose, ..Said::default() });
    } else if sentences.iter().all(|said| said.words.is_empty()) {
        // The least begin of each sentence and those behind it: it rises, whatever the order of the sentences.
        let mut least = i64::MAX;
        let mut begins: Vec<i64> = Vec::with_capacity(sentences.len());
        for said in sentences.iter().rev() {
            least = least.min(said.begin.unwrap_or(i64::MAX));
            begins.push(least);
        }
        begins.reverse();
        for word in loose {
            // Without a time: the first.
            let at = begins.partition_point(|begin| word.begin.is_some_and(|at| *begin <= at));
            if let Some(said) = sentences.get_mut(at.saturating_sub(1)) {
                said.words.push(word);
            }
        }
    }
    Speech {
        duration_ms: fields.seconds("duration").filter(|ms| *ms > 0),
        language: fields.label("language"),
        sentences,
        ..Speech::default()
    }
}

fn word(word: Fields<'_>) -> Spoken {
    let text = if word.get("word").is_some() { word.text("word") } else { word.text("text") };
    Spoken {
        begin: word.seconds("start"),
        end: word.seconds("end"),
        text: text.to_owned(),
        speaker: word.label("speaker"),
    }
}
