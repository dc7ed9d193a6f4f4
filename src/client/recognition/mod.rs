//! What is asked of a model: its parameters and the context, apart from the recordings.
//!
//! Parameters are kept under their wire names, whatever set them, so that a request, the journal of a batch and a
//! comparison of two all see the same thing. What a parameter is stands in [`crate::catalog::PARAMETERS`]; which model takes
//! it, in the catalogue. Nothing is checked before [`Recognition::check`], which can be left out.

mod check;
mod differences;
mod message;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

pub(super) use check::dropped;
pub use differences::differences;
pub use message::{Author, Message};

use crate::catalog::{Parameter, Protocol};
use crate::error::{Error, Result};

/// What is asked of a model.
///
/// ```
/// use serde_json::json;
/// use talkmeter::catalog::{Catalog, Region};
/// use talkmeter::client::Recognition;
///
/// let asked = Recognition::new("fun-asr").channels(&[0]).diarize(true).speakers(2).language("en");
/// assert_eq!(asked.check(Catalog::builtin(), Region::Intl)?, Vec::<String>::new());
/// assert_eq!(
///     asked.body(&["https://example.org/meeting.mp3"]),
///     json!({
///         "model": "fun-asr",
///         "input": {"file_urls": ["https://example.org/meeting.mp3"]},
///         "parameters": {
///             "channel_id": [0], "diarization_enabled": true, "speaker_count": 2, "language_hints": ["en"],
///         },
///     })
/// );
/// # Ok::<(), talkmeter::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Recognition {
    model: String,
    parameters: BTreeMap<String, Value>,
    context: Vec<Message>,
}

impl Recognition {
    /// The model's own defaults.
    #[must_use]
    pub fn new(model: impl Into<String>) -> Self {
        Self { model: model.into(), parameters: BTreeMap::new(), context: Vec::new() }
    }

    /// Audio tracks to recognise, from 0. Each is billed on its own. Default: the first alone.
    #[must_use]
    pub fn channels(self, channels: &[u32]) -> Self {
        self.parameter("channel_id", channels)
    }

    /// Whether to tell the speakers of one track apart. Default: no.
    #[must_use]
    pub fn diarize(self, on: bool) -> Self {
        match Parameter::for_protocol(&DIARIZATION, self.protocol()) {
            Some(parameter) => self.parameter(parameter.key, on),
            None => self,
        }
    }

    /// How many speakers to expect, 2 to 100; a hint that needs [`Recognition::diarize`].
    #[must_use]
    pub fn speakers(self, count: u32) -> Self {
        self.parameter("speaker_count", count)
    }

    /// A language to expect, as a code such as `zh`; call it again for more. Default: detected.
    #[must_use]
    pub fn language(mut self, code: &str) -> Self {
        let Some(row) = Parameter::for_protocol(&LANGUAGE, self.protocol()) else { return self };
        let many = row.kind == crate::catalog::Kind::Languages;
        match self.parameters.get_mut(row.key) {
            None if !many => return self.parameter(row.key, code),
            None => return self.parameter(row.key, [code].as_slice()),
            Some(Value::Array(codes)) => codes.push(code.into()),
            // A second language where one is taken: kept, so that `check` can say so.
            Some(other) => *other = json!([other, code]),
        }
        self
    }

    /// A hotword list by its id; it must have been made for this very model.
    #[must_use]
    pub fn vocabulary_id(self, id: &str) -> Self {
        self.parameter("vocabulary_id", id)
    }

    /// A hotword sent along, with its weight: 1 to 5, or 50 for a super hotword; call it again for more.
    #[must_use]
    pub fn vocabulary(mut self, word: &str, weight: u32) -> Self {
        let words = self.parameters.entry("vocabulary".to_owned()).or_insert_with(|| json!({}));
        match words.as_object_mut() {
            Some(words) => _ = words.insert(word.to_owned(), weight.into()),
            None => *words = json!({ word: weight }),
        }
        self
    }

    /// A word to mask by asterisks; call it again for more.
    #[must_use]
    pub fn mask_word(self, word: &str) -> Self {
        self.filter(|filter| filter.masked.push(word.to_owned()))
    }

    /// A word to drop; call it again for more.
    #[must_use]
    pub fn drop_word(self, word: &str) -> Self {
        self.filter(|filter| filter.dropped.push(word.to_owned()))
    }

    /// Whether the words of the service's own list are masked. Default: yes.
    #[must_use]
    pub fn system_filter(self, on: bool) -> Self {
        self.filter(|filter| filter.system = Some(on))
    }

    /// Towards −1 noise is more easily taken for speech, towards 1 speech for noise. Documented without a range.
    #[must_use]
    pub fn noise_threshold(self, threshold: f64) -> Self {
        self.parameter("speech_noise_threshold", threshold)
    }

    /// Whether filler words are dropped. Default: no.
    #[must_use]
    pub fn remove_disfluency(self, on: bool) -> Self {
        self.parameter("disfluency_removal_enabled", on)
    }

    /// Whether timestamps are aligned with the audio once more. Default: no.
    #[must_use]
    pub fn align_timestamps(self, on: bool) -> Self {
        self.parameter("timestamp_alignment_enabled", on)
    }

    /// Whether the wording of a dialect is kept instead of standard Mandarin. Default: no.
    #[must_use]
    pub fn keep_dialect(self, on: bool) -> Self {
        self.parameter("keep_dialect", on)
    }

    /// Whether spoken numbers and dates are written as digits; Qwen3-ASR. Default: no.
    #[must_use]
    pub fn itn(self, on: bool) -> Self {
        self.parameter("enable_itn", on)
    }

    /// Whether words get times; Qwen3-ASR. Default: no.
    #[must_use]
    pub fn words(self, on: bool) -> Self {
        self.parameter("enable_words", on)
    }

    /// One more item of context before the audio: an earlier turn of a dialogue, or a word list as said by the user.
    #[must_use]
    pub fn context(mut self, message: Message) -> Self {
        self.context.push(message);
        self
    }

    /// Any parameter by its wire name, for what is newer than the catalogue. Replaces what was set before.
    #[must_use]
    pub fn parameter(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.parameters.insert(key.to_owned(), value.into());
        self
    }

    fn filter(mut self, change: impl FnOnce(&mut WordFilter)) -> Self {
        let set = self.parameters.remove("special_word_filter");
        let mut filter = set.as_ref().and_then(Value::as_str).map(WordFilter::read).unwrap_or_default();
        change(&mut filter);
        self.parameter("special_word_filter", filter.text())
    }

    /// The model's name.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// How the model is called, by its name; a name that says WebSocket counts as a flash model over HTTP.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        Protocol::by_name(&self.model).unwrap_or(Protocol::RealtimeFlash)
    }

    /// The context, first item first.
    #[must_use]
    pub fn messages(&self) -> &[Message] {
        &self.context
    }

    /// A parameter as set; null = the service's default.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.parameters.get(key)
    }

    /// The tracks that are recognised, and billed: those asked for, or the first.
    #[must_use]
    pub fn tracks(&self) -> Vec<u32> {
        let track = |track: &Value| track.as_u64().and_then(|track| u32::try_from(track).ok());
        let asked = self.get("channel_id").and_then(Value::as_array);
        asked.map_or_else(|| vec![0], |tracks| tracks.iter().filter_map(track).collect())
    }

    /// What stands below `parameters` of a request, keys ascending. Synchronous Qwen3-ASR has its own in `asr_options`.
    #[must_use]
    pub fn parameters(&self) -> Map<String, Value> {
        let mut parameters = Map::new();
        let mut options = Map::new();
        for (key, value) in &self.parameters {
            let option = self.protocol() == Protocol::QwenFlash && ASR_OPTIONS.contains(&&key[..]);
            let place = if option { &mut options } else { &mut parameters };
            place.insert(key.clone(), sorted(value));
        }
        if !options.is_empty() {
            parameters.insert("asr_options".to_owned(), options.into());
        }
        parameters
    }

    /// The whole body of a task's submission: `model`, `input`, and `parameters`, which is there even when empty.
    ///
    /// A model of [`Protocol::QwenTask`] gets the first URL alone: a task of it has one.
    #[must_use]
    pub fn body(&self, urls: &[&str]) -> Value {
        let mut input = match self.protocol() {
            Protocol::QwenTask => json!({"file_url": urls.first()}),
            _ => json!({ "file_urls": urls }),
        };
        if let (false, Some(input)) = (self.context.is_empty(), input.as_object_mut()) {
            input.insert("context".to_owned(), self.context.iter().map(Message::wire).collect());
        }
        json!({"model": self.model, "input": input, "parameters": self.parameters()})
    }

    /// What a journal keeps to know the same request again: `model`, `parameters` by wire name, `context`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let parameters: Map<String, Value> =
            self.parameters.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
        let context: Value = self.context.iter().map(Message::to_json).collect();
        json!({"model": self.model, "parameters": parameters, "context": context})
    }

    /// Reads what [`Recognition::to_json`] wrote; what is missing is empty.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::InvalidInput`] when there is no `model`, or a part is of another kind.
    pub fn from_json(value: &Value) -> Result<Self> {
        let wrong = |what: &str| Error::invalid(format!("what was asked of a model cannot be read: {what}"));
        let model = value.get("model").and_then(Value::as_str).ok_or_else(|| wrong("no `model`"))?;
        let parameters = match value.get("parameters") {
            None => BTreeMap::new(),
            Some(Value::Object(map)) => map.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
            Some(_) => return Err(wrong("`parameters` is no object")),
        };
        let context = match value.get("context") {
            None => Vec::new(),
            Some(Value::Array(items)) => items.iter().map(Message::from_json).collect::<Result<_>>()?,
            Some(_) => return Err(wrong("`context` is no array")),
        };
        Ok(Self { model: model.to_owned(), parameters, context })
    }

    /// How another request differs from this one, a line each, this one's value first; empty = the same.
    ///
    /// ```
    /// use talkmeter::client::Recognition;
    ///
    /// let (before, now) = (Recognition::new("fun-asr").language("en"), Recognition::new("fun-asr").language("zh"));
    /// assert_eq!(before.differences(&now), [r#"parameters.language_hints: ["en"] → ["zh"]"#]);
    /// ```
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        differences(&self.to_json(), &other.to_json())
    }
}

/// The wire names of two settings, which differ by protocol.
pub(crate) const DIARIZATION: [&str; 2] = ["diarization_enabled", "speaker_diarization_enabled"];
pub(crate) const LANGUAGE: [&str; 2] = ["language_hints", "language"];

/// Parameters that synchronous Qwen3-ASR has in `asr_options`.
const ASR_OPTIONS: [&str; 2] = ["language", "enable_itn"];

/// Keys ascending at every level, whatever order the JSON crate keeps.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let keys: BTreeMap<&String, &Value> = map.iter().collect();
            keys.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// What happens to sensitive words: the content of `special_word_filter`.
#[derive(Default)]
struct WordFilter {
    masked: Vec<String>,
    dropped: Vec<String>,
    system: Option<bool>,
}

impl WordFilter {
    fn read(text: &str) -> Self {
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        let words = |key: &str| {
            let list = value.get(key).and_then(|part| part.get("word_list")).and_then(Value::as_array);
            list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Self {
            masked: words("filter_with_signed"),
            dropped: words("filter_with_empty"),
            system: value.get("system_reserved_filter").and_then(Value::as_bool),
        }
    }

    /// The documented shape, keys in the documented order; what is not asked for is left out.
    fn text(&self) -> String {
        let list = |key: &str, words: &[String]| {
            (!words.is_empty()).then(|| format!("\"{key}\":{{\"word_list\":{}}}", Value::from(words)))
        };
        let system = self.system.map(|on| format!("\"system_reserved_filter\":{on}"));
        let parts = [list("filter_with_signed", &self.masked), list("filter_with_empty", &self.dropped), system];
        format!("{{{}}}", parts.into_iter().flatten().collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://example.org/meeting.mp3";

    fn asked(model: &str) -> Recognition {
        Recognition::new(model)
    }

    #[test]
    fn bodies_are_those_of_the_pages() {
        let cases = [
            (asked("fun-asr"), json!({"model": "fun-asr", "input": {"file_urls": [URL]}, "parameters": {}})),
            (
                asked("paraformer-v2").channels(&[0, 1]).language("zh").language("en").vocabulary_id("vocab-Xxxx"),
                json!({"model": "paraformer-v2", "input": {"file_urls": [URL]}, "parameters": {
                    "channel_id": [0, 1], "language_hints": ["zh", "en"], "vocabulary_id": "vocab-Xxxx"}}),
            ),
            (
                asked("paraformer-v2").remove_disfluency(true).align_timestamps(true).diarize(true).speakers(2),
                json!({"model": "paraformer-v2", "input": {"file_urls": [URL]}, "parameters": {
                    "disfluency_removal_enabled": true, "timestamp_alignment_enabled": true, "diarization_enabled": true,
                    "speaker_count": 2}}),
            ),
            (
                asked("qwen3-asr-flash-filetrans").channels(&[0]).language("en").itn(false).words(true),
                json!({"model": "qwen3-asr-flash-filetrans", "input": {"file_url": URL}, "parameters": {
                    "channel_id": [0], "language": "en", "enable_itn": false, "enable_words": true}}),
            ),
            (
                asked("qwen-audio-3.1-asr-flash-filetrans")
                    .vocabulary("Kubernetes", 50)
                    .vocabulary("etcd", 4)
                    .keep_dialect(true)
                    .context(Message::user("kubelet, etcd"))
                    .context(Message::assistant("It is a key-value store.")),
                json!({"model": "qwen-audio-3.1-asr-flash-filetrans",
                    "input": {"file_urls": [URL], "context": [
                        {"role": "user", "content": [{"type": "input_text", "text": "kubelet, etcd"}]},
                        {"role": "assistant", "content": [{"type": "text", "text": "It is a key-value store."}]}]},
                    "parameters": {"vocabulary": {"Kubernetes": 50, "etcd": 4}, "keep_dialect": true}}),
            ),
            (
                asked("fun-asr").noise_threshold(-0.2).parameter("brand_new", json!({"a": 1})),
                json!({"model": "fun-asr", "input": {"file_urls": [URL]}, "parameters": {
                    "speech_noise_threshold": -0.2, "brand_new": {"a": 1}}}),
            ),
        ];
        for (asked, body) in cases {
            assert_eq!(asked.body(&[URL]), body);
        }
        let two = asked("fun-asr").body(&["https://a.example/1.wav", "https://a.example/2.wav"]);
        assert_eq!(two["input"], json!({"file_urls": ["https://a.example/1.wav", "https://a.example/2.wav"]}));
    }

    #[test]
    fn words_to_filter_are_json_in_a_string_as_the_pages_have_it() {
        let asked = asked("paraformer-v2").drop_word("start").mask_word("test").drop_word("happen").system_filter(true);
        let text = asked.get("special_word_filter").and_then(Value::as_str).unwrap();
        assert_eq!(
            text,
            r#"{"filter_with_signed":{"word_list":["test"]},"filter_with_empty":{"word_list":["start","happen"]},"system_reserved_filter":true}"#
        );
        let only = Recognition::new("fun-asr").system_filter(false);
        assert_eq!(only.get("special_word_filter"), Some(&json!(r#"{"system_reserved_filter":false}"#)));
        let quoted = Recognition::new("fun-asr").mask_word("a\"b");
        assert_eq!(quoted.get("special_word_filter"), Some(&json!(r#"{"filter_with_signed":{"word_list":["a\"b"]}}"#)));
    }

    #[test]
    fn synchronous_qwen_has_its_options_apart() {
        let asked = asked("qwen3-asr-flash").language("en").itn(false);
        assert_eq!(Value::from(asked.parameters()), json!({"asr_options": {"language": "en", "enable_itn": false}}));
        let diarized =
            Recognition::new("qwen-audio-3.1-asr-flash").diarize(true).language("zh").parameter("format", "wav");
        assert_eq!(
            Value::from(diarized.parameters()),
            json!({"format": "wav", "speaker_diarization_enabled": true, "language_hints": ["zh"]})
        );
    }

    #[test]
    fn the_order_of_setting_plays_no_role_in_the_text() {
        let one = asked("qwen-audio-3.0-asr-flash-filetrans").vocabulary("b", 1).vocabulary("a", 2).channels(&[1]);
        let two = asked("qwen-audio-3.0-asr-flash-filetrans").channels(&[1]).vocabulary("a", 2).vocabulary("b", 1);
        assert_eq!(Value::from(one.parameters()).to_string(), Value::from(two.parameters()).to_string());
        assert_eq!(one.to_json().to_string(), two.to_json().to_string());
        assert_eq!(one.tracks(), [1]);
        assert_eq!(asked("fun-asr").tracks(), [0]);
    }

    #[test]
    fn a_journal_gives_back_what_was_asked() {
        let asked = asked("qwen-audio-3.1-asr-flash-filetrans")
            .language("zh")
            .mask_word("test")
            .noise_threshold(0.5)
            .context(Message::user("a"))
            .context(Message::assistant("b"));
        let kept: Value = serde_json::from_str(&asked.to_json().to_string()).unwrap();
        let back = Recognition::from_json(&kept).unwrap();
        assert_eq!(back, asked);
        assert_eq!(asked.differences(&back), Vec::<String>::new());
        assert_eq!(kept["context"], json!([{"role": "user", "text": "a"}, {"role": "assistant", "text": "b"}]));
        let more = back.drop_word("x");
        assert_eq!(asked.differences(&more).len(), 1);
        for wrong in [
            json!({}),
            json!({"model": 1}),
            json!({"model": "m", "parameters": []}),
            json!({"model": "m", "context": [1]}),
        ] {
            assert!(Recognition::from_json(&wrong).is_err(), "{wrong}");
        }
    }
}
