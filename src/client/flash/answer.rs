//! The answer of a synchronous model, in one form for all envelopes.

use serde_json::{Map, Value, json};

use crate::transcript::{Transcript, read};

/// The answer to a flash call.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FlashAnswer {
    /// The whole text; empty if there was no speech.
    pub text: String,
    /// Sentences as received, in time order: `text`, `begin_time` and `end_time` in ms, `channel_id`, `sentence_id`, `words`
    /// with their own times, `speaker_id` with diarization. Empty for models without times (Qwen3, Omni).
    pub sentences: Vec<Value>,
    /// The language as a code; null for models that do not report it (Qwen3 does).
    pub language: Option<String>,
    /// The emotion; null for models that do not report it (Qwen3 does).
    pub emotion: Option<String>,
    /// What is billed; null if the service did not say, as for silence.
    pub usage: Option<FlashUsage>,
    /// The service's id of the request.
    pub request_id: Option<String>,
    /// One line each: silence, an answer that the model cut short.
    pub warnings: Vec<String>,
    /// The answer as received. For a stream: its last event if each holds the text so far, otherwise all events, one per line.
    /// For silence reported as an error: its `code`, `message` and `request_id`.
    pub raw: String,
}

/// The billed quantities of a flash call.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FlashUsage {
    /// Length of the audio in seconds, rounded up by the service; null if only tokens are counted.
    pub seconds: Option<f64>,
    /// Input tokens; null if none are counted.
    pub input_tokens: Option<u64>,
    /// Output tokens; null if none are counted.
    pub output_tokens: Option<u64>,
    /// As received.
    pub raw: Value,
}

impl FlashUsage {
    pub(super) fn from_json(raw: Value) -> Self {
        let first = |names: &[&str]| names.iter().find_map(|name| raw.get(name)).cloned().unwrap_or_default();
        Self {
            seconds: first(&["duration", "seconds"]).as_f64(),
            input_tokens: first(&["input_tokens", "prompt_tokens"]).as_u64(),
            output_tokens: first(&["output_tokens", "completion_tokens"]).as_u64(),
            raw,
        }
    }
}

/// The warning on an answer without speech.
const SILENT: &str =
    "no speech was found, so the transcript is empty; if there is speech, check format, sample rate and language";

impl FlashAnswer {
    pub(super) fn new(text: String) -> Self {
        let silent = text.trim().is_empty();
        Self {
            text: if silent { String::new() } else { text },
            sentences: Vec::new(),
            language: None,
            emotion: None,
            usage: None,
            request_id: None,
            warnings: if silent { vec![SILENT.to_owned()] } else { Vec::new() },
            raw: String::new(),
        }
    }

    /// Whether no speech was found.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.text.is_empty()
    }

    /// The answer as a result file. It has no content duration, which the answer does not give. `properties` are those of the
    /// recording, if known from the file itself. Without them the length is the one that the service reports: begun seconds.
    #[must_use]
    pub fn to_result(&self, file_url: Option<&str>, properties: Option<&Map<String, Value>>) -> Value {
        let reported = || {
            let seconds = self.usage.as_ref()?.seconds.filter(|seconds| *seconds > 0.0 && !self.is_silent())?;
            Some(json!({"original_duration_in_milliseconds": (seconds * 1000.0).round() as i64}))
        };
        let mut result = Map::new();
        if let Some(url) = file_url {
            result.insert("file_url".to_owned(), url.into());
        }
        let given = properties.filter(|properties| !properties.is_empty());
        if let Some(properties) = given.map(|given| given.clone().into()).or_else(reported) {
            result.insert("properties".to_owned(), properties);
        }
        result.insert("transcripts".to_owned(), self.transcripts().into());
        result.into()
    }

    /// One entry per channel; none for silence.
    fn transcripts(&self) -> Vec<Value> {
        if self.is_silent() {
            return Vec::new();
        }
        let mut channels: Vec<(u64, Vec<Value>)> = Vec::new();
        for sentence in &self.sentences {
            let id = sentence.get("channel_id").and_then(Value::as_u64).unwrap_or(0);
            let kept = kept(sentence);
            match channels.iter_mut().find(|channel| channel.0 == id) {
                Some(channel) => channel.1.push(kept),
                None => channels.push((id, vec![kept])),
            }
        }
        channels.sort_by_key(|channel| channel.0);
        match &mut channels[..] {
            [] => vec![json!({"channel_id": 0, "text": self.text})],
            [(id, sentences)] => vec![json!({"channel_id": id, "text": self.text, "sentences": sentences})],
            several => {
                several.iter().map(|(id, sentences)| json!({"channel_id": id, "sentences": sentences})).collect()
            }
        }
    }

    /// The answer as a transcript to measure.
    #[must_use]
    pub fn transcript(&self) -> Transcript<'static> {
        let json = self.to_result(None, None).to_string();
        // It has `transcripts`, so it can be read.
        read(json.as_bytes()).map(Transcript::into_owned).unwrap_or_default()
    }
}

/// A sentence as in a result file, without the fields of streams.
fn kept(sentence: &Value) -> Value {
    let mut sentence = sentence.clone();
    if let Some(fields) = sentence.as_object_mut() {
        for passing in ["channel_id", "sentence_begin", "sentence_end"] {
            fields.remove(passing);
        }
        if fields.get("speaker_id").is_some_and(Value::is_null) {
            fields.remove("speaker_id");
        }
        for word in fields.get_mut("words").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(word) = word.as_object_mut() {
                word.remove("fixed");
            }
        }
    }
    sentence
}
