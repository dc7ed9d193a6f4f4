//! whisper.cpp: `-oj` has segments, `-ojf` their tokens as well.

use serde_json::Value;

use super::fields::Fields;
use super::fields_of;
use super::speech::{Said, Speech, Spoken};

pub(super) fn speech(root: &Value) -> Speech {
    let sentences = fields_of(root, "transcription").map(|segment| {
        let (begin, end) = offsets(segment);
        let speaker = segment.label("speaker").filter(|label| label != "?");
        Said { speaker, begin, end, text: segment.text("text").to_owned(), words: words(segment), ..Said::default() }
    });
    let language = root.get("result").and_then(|result| Fields(result).label("language"));
    let mut speech = Speech { sentences: sentences.collect(), language, ..Speech::default() };
    // Timestamps of the two channels of a stereo recording may come unsorted.
    speech.sentences.retain(|said| !said.text.is_empty());
    speech
}

fn offsets(fields: Fields<'_>) -> (Option<i64>, Option<i64>) {
    fields.get("offsets").map(Fields).map_or((None, None), |offsets| (offsets.millis("from"), offsets.millis("to")))
}

/// A token that begins with a blank begins a word, others continue it.
fn words(segment: Fields<'_>) -> Vec<Spoken> {
    let mut words: Vec<Spoken> = Vec::new();
    for token in segment.list("tokens") {
        let text = token.get("text").and_then(Value::as_str).unwrap_or_default();
        if text.is_empty() || text.starts_with("[_") || text.starts_with("<|") {
            continue;
        }
        let (begin, end) = offsets(token);
        match words.last_mut().filter(|_| !text.starts_with(' ')) {
            Some(word) => {
                word.text.push_str(text);
                word.begin = word.begin.or(begin);
                word.end = end.or(word.end);
            }
            None => words.push(Spoken { begin, end, text: text.trim().to_owned(), speaker: None }),
        }
    }
    words.retain(|word| !word.text.is_empty());
    words
}
