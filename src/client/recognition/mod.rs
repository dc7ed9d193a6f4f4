//! A recognition request: model, parameters and context, without the recordings.
//!
//! Parameters are kept under their wire names, so that a request, the ledger of a batch and a comparison of two requests all
//! see the same. [`crate::catalog::PARAMETERS`] declares them, the catalogue says which model takes which. Only
//! [`Recognition::check`] checks a request, and it is optional.

mod check;
mod differences;
mod message;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

pub(super) use check::dropped;
pub use differences::differences;
pub(super) use message::MOST_CONTEXT_ITEMS;
pub use message::{Author, Message};

use crate::catalog::{Parameter, Protocol};
use crate::error::{Error, Result};

/// A recognition request: model, parameters and context.
///
/// ```
/// use serde_json::json;
/// use talkmeter::catalog::{Catalog, Region};
/// use talkmeter::client::Recognition;
///
/// let request = Recognition::new("fun-asr").channels(&[0]).diarize(true).speakers(2).language("en");
/// assert!(request.check(Catalog::builtin(), Region::Intl)?.is_empty());
/// assert_eq!(
///     request.body(&["https://example.org/meeting.mp3"]),
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
    /// A request with the model's defaults.
    #[must_use]
    pub fn new(model: impl Into<String>) -> Self {
        Self { model: model.into(), parameters: BTreeMap::new(), context: Vec::new() }
    }

    /// Audio tracks to transcribe, from 0; each is billed on its own. Default: track 0 only.
    #[must_use]
    pub fn channels(self, channels: &[u32]) -> Self {
        self.parameter("channel_id", channels)
    }

    /// Whether to distinguish the speakers of one track. Default: no.
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

    /// A language to expect, as a code such as `zh`; repeatable. Default: detected.
    #[must_use]
    pub fn language(mut self, code: &str) -> Self {
        let Some(row) = Parameter::for_protocol(&LANGUAGE, self.protocol()) else { return self };
        let many = row.kind == crate::catalog::Kind::Languages;
        match self.parameters.get_mut(row.key) {
            None if !many => return self.parameter(row.key, code),
            None => return self.parameter(row.key, [code].as_slice()),
            Some(Value::Array(codes)) => codes.push(code.into()),
            // A second language for a parameter that takes one: kept for `check` to refuse.
            Some(other) => *other = json!([other, code]),
        }
        self
    }

    /// A hotword list by its id; it must have been created for exactly this model.
    #[must_use]
    pub fn vocabulary_id(self, id: &str) -> Self {
        self.parameter("vocabulary_id", id)
    }

    /// A phrase list of Paraformer v1, by its id.
    #[must_use]
    pub fn phrase_id(self, id: &str) -> Self {
        self.parameter("phrase_id", id)
    }

    /// A hotword with its weight, 1 to 5, or 50 for a super hotword; repeatable.
    #[must_use]
    pub fn vocabulary(mut self, word: &str, weight: u32) -> Self {
        let words = self.parameters.entry("vocabulary".to_owned()).or_insert_with(|| json!({}));
        match words.as_object_mut() {
            Some(words) => _ = words.insert(word.to_owned(), weight.into()),
            None => *words = json!({ word: weight }),
        }
        self
    }

    /// A word to mask with asterisks; repeatable.
    #[must_use]
    pub fn mask_word(self, word: &str) -> Self {
        self.filter(|filter| filter.masked.push(word.to_owned()))
    }

    /// A word to drop; repeatable.
    #[must_use]
    pub fn drop_word(self, word: &str) -> Self {
        self.filter(|filter| filter.dropped.push(word.to_owned()))
    }

    /// Whether to mask the words of the service's own list. Default: yes.
    #[must_use]
    pub fn system_filter(self, on: bool) -> Self {
        self.filter(|filter| filter.system = Some(on))
    }

    /// Towards -1 noise is more easily taken for speech, towards 1 speech for noise. No range is documented.
    #[must_use]
    pub fn noise_threshold(self, threshold: f64) -> Self {
        self.parameter("speech_noise_threshold", threshold)
    }

    /// Whether to drop filler words. Default: no.
    #[must_use]
    pub fn remove_disfluency(self, on: bool) -> Self {
        self.parameter("disfluency_removal_enabled", on)
    }

    /// Whether to align timestamps with the audio in a further pass. Default: no.
    #[must_use]
    pub fn align_timestamps(self, on: bool) -> Self {
        self.parameter("timestamp_alignment_enabled", on)
    }

    /// Whether to keep the wording of a dialect instead of standard Mandarin. Default: no.
    #[must_use]
    pub fn keep_dialect(self, on: bool) -> Self {
        self.parameter("keep_dialect", on)
    }

    /// Whether to write spoken numbers and dates as digits; Qwen3-ASR only. Default: no.
    #[must_use]
    pub fn itn(self, on: bool) -> Self {
        self.parameter("enable_itn", on)
    }

    /// Whether to return times of words; Qwen3-ASR only. Default: no.
    #[must_use]
    pub fn words(self, on: bool) -> Self {
        self.parameter("enable_words", on)
    }

    /// Adds an item of context before the audio: an earlier turn of a dialogue, or a list of terms as the user.
    #[must_use]
    pub fn context(mut self, message: Message) -> Self {
        self.context.push(message);
        self
    }

    /// Sets any parameter by its wire name, including ones newer than the catalogue.
    #[must_use]
    pub fn parameter(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.parameters.insert(key.to_owned(), value.into());
        self
    }

    fn filter(mut self, change: impl FnOnce(&mut WordFilter)) -> Self {
        let set = self.parameters.remove("special_word_filter");
        let mut filter = match set {
            Some(Value::String(text)) => WordFilter::read(&text),
            Some(object) => WordFilter::read(&object.to_string()),
            None => WordFilter::default(),
        };
        change(&mut filter);
        self.parameter("special_word_filter", filter.text())
    }

    /// The model's name.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The protocol, by the model's name. Names of WebSocket models count as flash models over HTTP.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        Protocol::by_name(&self.model).unwrap_or(Protocol::RealtimeFlash)
    }

    /// The context, in order.
    #[must_use]
    pub fn messages(&self) -> &[Message] {
        &self.context
    }

    /// A parameter by its wire name; `None` = the service's default.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.parameters.get(key)
    }

    /// The tracks that are transcribed and billed: those requested, otherwise track 0.
    #[must_use]
    pub fn tracks(&self) -> Vec<u32> {
        let track = |track: &Value| track.as_u64().and_then(|track| u32::try_from(track).ok());
        let requested = self.get("channel_id").and_then(Value::as_array);
        requested.map_or_else(|| vec![0], |tracks| tracks.iter().filter_map(track).collect())
    }

    /// The object `parameters` of a request, keys ascending. Synchronous Qwen3-ASR has some of them in `asr_options`.
    #[must_use]
    pub fn parameters(&self) -> Map<String, Value> {
        let mut parameters = Map::new();
        let mut options = Map::new();
        for (key, value) in self.parameters.iter().filter(|(key, _)| *key != PHRASES) {
            let option = self.protocol() == Protocol::QwenFlash && ASR_OPTIONS.contains(&&key[..]);
            let place = if option { &mut options } else { &mut parameters };
            place.insert(key.clone(), sorted(value));
        }
        if !options.is_empty() {
            parameters.insert("asr_options".to_owned(), options.into());
        }
        parameters
    }

    /// The body of a submit: `model`, `input`, and `parameters` even when empty.
    ///
    /// A task of [`Protocol::QwenTask`] has one URL, the first.
    #[must_use]
    pub fn body(&self, urls: &[&str]) -> Value {
        let mut input = match self.protocol() {
            Protocol::QwenTask => json!({"file_url": urls.first()}),
            _ => json!({ "file_urls": urls }),
        };
        if let (false, Some(input)) = (self.context.is_empty(), input.as_object_mut()) {
            input.insert("context".to_owned(), self.context.iter().map(Message::wire).collect());
        }
        let mut body = json!({"model": self.model, "input": input, "parameters": self.parameters()});
        if let (Some(id), Some(body)) = (self.get(PHRASES), body.as_object_mut()) {
            body.insert("resources".to_owned(), json!([{"resource_id": id, "resource_type": "asr_phrase"}]));
        }
        body
    }

    /// The most tokens that context and parameters can be, beside the audio: a token has at least one byte.
    #[must_use]
    pub fn prompt_bytes(&self) -> usize {
        self.to_json().to_string().len()
    }

    /// The request as a ledger keeps it: `model`, `parameters` by wire name, `context`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let parameters: Map<String, Value> =
            self.parameters.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
        let context: Value = self.context.iter().map(Message::to_json).collect();
        json!({"model": self.model, "parameters": parameters, "context": context})
    }

    /// Reads what [`Recognition::to_json`] wrote; missing parts are empty.
    ///
    /// # Errors
    ///
    /// [`crate::ErrorKind::InvalidInput`] without `model`, or if a part has another type.
    pub fn from_json(value: &Value) -> Result<Self> {
        let wrong = |what: &str| Error::invalid(format!("cannot read a recognition request: {what}"));
        let model = value.get("model").and_then(Value::as_str).ok_or_else(|| wrong("no `model`"))?;
        let parameters = match value.get("parameters") {
            None => BTreeMap::new(),
            Some(Value::Object(map)) => map.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
            Some(_) => return Err(wrong("`parameters` is not an object")),
        };
        let context = match value.get("context") {
            None => Vec::new(),
            Some(Value::Array(items)) => items.iter().map(Message::from_json).collect::<Result<_>>()?,
            Some(_) => return Err(wrong("`context` is not an array")),
        };
        Ok(Self { model: model.to_owned(), parameters, context })
    }

    /// The differences to another request, one line each, this one's value first; empty = none.
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

/// A parameter of Paraformer v1 that is sent as a resource, beside `parameters`.
const PHRASES: &str = "phrase_id";

/// Parameters in `asr_options` for synchronous Qwen3-ASR.
const ASR_OPTIONS: [&str; 2] = ["language", "enable_itn"];

/// Keys ascending at every level.
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

/// The content of `special_word_filter`: what happens to sensitive words.
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

    /// The documented form, keys in the documented order; unset parts are left out.
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

    fn request(model: &str) -> Recognition {
        Recognition::new(model)
    }

    #[test]
    fn bodies_match_the_documentation() {
        let cases = [
            (request("fun-asr"), json!({"model": "fun-asr", "input": {"file_urls": [URL]}, "parameters": {}})),
            (
                request("paraformer-v2").channels(&[0, 1]).language("zh").language("en").vocabulary_id("vocab-Xxxx"),
                json!({"model": "paraformer-v2", "input": {"file_urls": [URL]}, "parameters": {
                    "channel_id": [0, 1], "language_hints": ["zh", "en"], "vocabulary_id": "vocab-Xxxx"}}),
            ),
            (
                request("paraformer-v2").remove_disfluency(true).align_timestamps(true).diarize(true).speakers(2),
                json!({"model": "paraformer-v2", "input": {"file_urls": [URL]}, "parameters": {
                    "disfluency_removal_enabled": true, "timestamp_alignment_enabled": true, "diarization_enabled": true,
                    "speaker_count": 2}}),
            ),
            (
                request("qwen3-asr-flash-filetrans").channels(&[0]).language("en").itn(false).words(true),
                json!({"model": "qwen3-asr-flash-filetrans", "input": {"file_url": URL}, "parameters": {
                    "channel_id": [0], "language": "en", "enable_itn": false, "enable_words": true}}),
            ),
            (
                request("qwen-audio-3.1-asr-flash-filetrans")
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
                request("fun-asr").noise_threshold(-0.2).parameter("brand_new", json!({"a": 1})),
                json!({"model": "fun-asr", "input": {"file_urls": [URL]}, "parameters": {
                    "speech_noise_threshold": -0.2, "brand_new": {"a": 1}}}),
            ),
            (
                request("paraformer-v1").phrase_id("phrase-1"),
                json!({"model": "paraformer-v1", "input": {"file_urls": [URL]}, "parameters": {},
                    "resources": [{"resource_id": "phrase-1", "resource_type": "asr_phrase"}]}),
            ),
        ];
        for (request, body) in cases {
            assert_eq!(request.body(&[URL]), body);
        }
        let two = request("fun-asr").body(&["https://a.example/1.wav", "https://a.example/2.wav"]);
        assert_eq!(two["input"], json!({"file_urls": ["https://a.example/1.wav", "https://a.example/2.wav"]}));
    }

    #[test]
    fn the_word_filter_is_json_in_a_string() {
        let request =
            request("paraformer-v2").drop_word("start").mask_word("test").drop_word("happen").system_filter(true);
        let text = request.get("special_word_filter").and_then(Value::as_str).unwrap();
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
    fn synchronous_qwen_has_its_own_options() {
        let request = request("qwen3-asr-flash").language("en").itn(false);
        assert_eq!(Value::from(request.parameters()), json!({"asr_options": {"language": "en", "enable_itn": false}}));
        let diarized =
            Recognition::new("qwen-audio-3.1-asr-flash").diarize(true).language("zh").parameter("format", "wav");
        assert_eq!(
            Value::from(diarized.parameters()),
            json!({"format": "wav", "speaker_diarization_enabled": true, "language_hints": ["zh"]})
        );
    }

    #[test]
    fn the_order_of_calls_does_not_matter() {
        let one = request("qwen-audio-3.0-asr-flash-filetrans").vocabulary("b", 1).vocabulary("a", 2).channels(&[1]);
        let two = request("qwen-audio-3.0-asr-flash-filetrans").channels(&[1]).vocabulary("a", 2).vocabulary("b", 1);
        assert_eq!(Value::from(one.parameters()).to_string(), Value::from(two.parameters()).to_string());
        assert_eq!(one.to_json().to_string(), two.to_json().to_string());
        assert_eq!(one.tracks(), [1]);
        assert_eq!(request("fun-asr").tracks(), [0]);
    }

    #[test]
    fn a_request_survives_the_ledger() {
        let request = request("qwen-audio-3.1-asr-flash-filetrans")
            .language("zh")
            .mask_word("test")
            .noise_threshold(0.5)
            .context(Message::user("a"))
            .context(Message::assistant("b"));
        let kept: Value = serde_json::from_str(&request.to_json().to_string()).unwrap();
        let back = Recognition::from_json(&kept).unwrap();
        assert_eq!(back, request);
        assert_eq!(request.differences(&back), Vec::<String>::new());
        assert_eq!(kept["context"], json!([{"role": "user", "text": "a"}, {"role": "assistant", "text": "b"}]));
        let more = back.drop_word("x");
        assert_eq!(request.differences(&more).len(), 1);
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
