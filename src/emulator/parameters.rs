//! `parameters` of a submit: known keys, their types and ranges.

use serde_json::{Map, Value};

use super::answer::Refusal;
use super::models::{Model, Protocol};

/// The parameters of a recognition.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parameters {
    /// Whether `parameters` was missing.
    pub(super) missing: bool,
    /// A key that no model knows.
    pub(super) misspelt: Option<String>,
    /// Requested tracks in the order sent, each once.
    pub(super) channels: Vec<u32>,
    pub(super) diarization: bool,
    /// The requested language.
    pub(super) language: Option<String>,
    pub(super) filter: Filter,
    pub(super) words: bool,
    pub(super) vocabulary_id: Option<String>,
    /// The kept text of the context; its terms are recognised.
    pub(super) context: String,
}

/// Words that are masked or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) mask: Vec<String>,
    pub(super) drop: Vec<String>,
    /// Whether the built-in list is masked as well.
    pub(super) reserved: bool,
    /// Whether hesitations are removed.
    pub(super) fillers: bool,
}

impl Default for Filter {
    fn default() -> Self {
        Self { mask: Vec::new(), drop: Vec::new(), reserved: true, fillers: false }
    }
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            missing: false,
            misspelt: None,
            channels: vec![0],
            diarization: false,
            language: None,
            filter: Filter::default(),
            words: true,
            vocabulary_id: None,
            context: String::new(),
        }
    }
}

/// Parameters of any model: one that only another model has is ignored, an unknown one fails the task.
const KNOWN: [&str; 17] = [
    "audio_event_detection_enabled",
    "channel_id",
    "corpus",
    "diarization_enabled",
    "disfluency_removal_enabled",
    "enable_itn",
    "enable_words",
    "keep_dialect",
    "language",
    "language_hints",
    "speaker_count",
    "special_word_filter",
    "speech_noise_threshold",
    "timestamp_alignment_enabled",
    "vocabulary",
    "vocabulary_id",
    "resources",
];

impl Parameters {
    /// Reads `parameters` as sent for a model; `None` if the body has none.
    pub(super) fn read(model: &Model, sent: Option<&Value>) -> Result<Self, Refusal> {
        let mut read = Self { words: model.protocol != Protocol::OneFile, ..Self::default() };
        let sent = match sent {
            None | Some(Value::Null) => return Ok(Self { missing: true, ..read }),
            Some(Value::Object(sent)) => sent,
            Some(_) => return Err(Refusal::format("parameters must be an object")),
        };
        read.misspelt = sent.keys().find(|key| !KNOWN.contains(&key.as_str())).cloned();
        read.channels(sent)?;
        for key in [
            "audio_event_detection_enabled",
            "diarization_enabled",
            "disfluency_removal_enabled",
            "enable_itn",
            "enable_words",
            "keep_dialect",
            "timestamp_alignment_enabled",
        ] {
            boolean(sent, key)?;
        }
        let hints = strings(sent.get("language_hints"), "parameters.language_hints must be an array of strings")?;
        let language = string(sent, "language")?;
        read.language = if model.protocol == Protocol::OneFile { language } else { hints.into_iter().next() };
        if sent.get("speaker_count").is_some_and(|count| !count.as_u64().is_some_and(|n| (2..=100).contains(&n))) {
            return Err(Refusal::format("parameters.speaker_count must be an integer from 2 to 100"));
        }
        if sent.get("speech_noise_threshold").is_some_and(|threshold| !threshold.is_number()) {
            return Err(Refusal::format("parameters.speech_noise_threshold must be a number"));
        }
        if let Some(words) = sent.get("vocabulary") {
            inline_vocabulary(words)?;
        }
        read.vocabulary_id = string(sent, "vocabulary_id")?;
        if model.protocol == Protocol::OneFile {
            read.words = boolean(sent, "enable_words")?;
            return Ok(read);
        }
        read.diarization = boolean(sent, "diarization_enabled")?;
        if read.diarization && read.channels.len() > 1 {
            return Err(Refusal::format("parameters.diarization_enabled works on one channel, not on several"));
        }
        if let Some(filter) = sent.get("special_word_filter") {
            read.special_words(filter)?;
        }
        read.filter.fillers = model.name.starts_with("paraformer") && boolean(sent, "disfluency_removal_enabled")?;
        Ok(read)
    }

    fn channels(&mut self, sent: &Map<String, Value>) -> Result<(), Refusal> {
        let Some(value) = sent.get("channel_id") else { return Ok(()) };
        let wrong = || Refusal::format("parameters.channel_id must be an array of integers");
        let list = value.as_array().filter(|list| !list.is_empty()).ok_or_else(wrong)?;
        self.channels.clear();
        for channel in list {
            let channel = channel.as_u64().filter(|n| *n < 64).ok_or_else(wrong)?;
            let channel = u32::try_from(channel).map_err(|_| wrong())?;
            if !self.channels.contains(&channel) {
                self.channels.push(channel);
            }
        }
        Ok(())
    }

    /// The reference documents JSON in a string; a sample of the user guide sends the object itself.
    fn special_words(&mut self, sent: &Value) -> Result<(), Refusal> {
        let wrong = || Refusal::format("parameters.special_word_filter must be JSON in a string");
        let parsed;
        let object = match sent {
            Value::String(text) => {
                parsed = serde_json::from_str::<Value>(text).map_err(|_| wrong())?;
                &parsed
            }
            other => other,
        };
        for (key, value) in object.as_object().ok_or_else(wrong)? {
            match key.as_str() {
                "system_reserved_filter" => self.filter.reserved = value.as_bool().ok_or_else(wrong)?,
                "filter_with_signed" => self.filter.mask = word_list(value)?,
                "filter_with_empty" => self.filter.drop = word_list(value)?,
                _ => self.misspelt = Some(format!("special_word_filter.{key}")),
            }
        }
        Ok(())
    }
}

fn word_list(value: &Value) -> Result<Vec<String>, Refusal> {
    const WRONG: &str = "special_word_filter: word_list must be an array of strings";
    let list = value.get("word_list").ok_or_else(|| Refusal::format(WRONG))?;
    let mut words = strings(Some(list), WRONG)?;
    words.retain(|word| !word.trim().is_empty());
    Ok(words)
}

fn boolean(sent: &Map<String, Value>, key: &str) -> Result<bool, Refusal> {
    match sent.get(key) {
        None => Ok(false),
        Some(value) => value.as_bool().ok_or_else(|| Refusal::format(&format!("parameters.{key} must be a boolean"))),
    }
}

fn string(sent: &Map<String, Value>, key: &str) -> Result<Option<String>, Refusal> {
    match sent.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Refusal::format(&format!("parameters.{key} must be a string"))),
    }
}

/// An array of strings; absent, none.
pub(super) fn strings(value: Option<&Value>, wrong: &str) -> Result<Vec<String>, Refusal> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let list = value.as_array().and_then(|list| list.iter().map(|item| item.as_str().map(str::to_owned)).collect());
    list.ok_or_else(|| Refusal::format(wrong))
}

/// `{"word": weight}`: 1 to 5, or 50 for at most fifty of them.
pub(super) fn inline_vocabulary(words: &Value) -> Result<(), Refusal> {
    let words = words.as_object().ok_or_else(|| Refusal::format("parameters.vocabulary must be an object"))?;
    let weight = |value: &Value| value.as_u64().filter(|weight| matches!(weight, 1..=5 | 50));
    if words.values().any(|value| weight(value).is_none()) {
        return Err(Refusal::format("parameters.vocabulary: a weight is an integer from 1 to 5, or 50"));
    }
    if words.values().filter(|value| value.as_u64() == Some(50)).count() > 50 {
        return Err(Refusal::format("parameters.vocabulary: at most 50 words have weight 50"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(sent: Value) -> Result<Parameters, Refusal> {
        Parameters::read(Model::named("fun-asr").unwrap(), Some(&sent))
    }

    #[test]
    fn types_and_ranges_are_checked() {
        for wrong in [
            json!([]),
            json!({"channel_id": 0}),
            json!({"channel_id": ["0"]}),
            json!({"channel_id": []}),
            json!({"diarization_enabled": "true"}),
            json!({"speaker_count": 1}),
            json!({"speaker_count": 101}),
            json!({"language_hints": "en"}),
            json!({"special_word_filter": "{"}),
            json!({"special_word_filter": {"filter_with_signed": ["a"]}}),
            json!({"diarization_enabled": true, "channel_id": [0, 1]}),
            json!({"vocabulary": {"a": 6}}),
            json!({"vocabulary": {"a": "4"}}),
            json!({"vocabulary_id": 7}),
        ] {
            let refusal = read(wrong.clone()).unwrap_err();
            assert_eq!((refusal.status.as_u16(), refusal.code.as_str()), (400, "InvalidParameter"), "{wrong}");
        }
    }

    #[test]
    fn the_word_filter_comes_as_text_or_as_an_object() {
        let filter = json!({"filter_with_signed": {"word_list": ["refund"]}, "system_reserved_filter": false});
        let text = read(json!({"special_word_filter": filter.to_string()})).unwrap();
        assert_eq!(text, read(json!({"special_word_filter": filter})).unwrap());
        assert_eq!(text.filter.mask, ["refund"]);
        assert!(!text.filter.reserved);
    }

    #[test]
    fn a_misspelling_is_noticed_and_a_missing_object_too() {
        assert_eq!(read(json!({"channel_ids": [0]})).unwrap().misspelt.as_deref(), Some("channel_ids"));
        assert_eq!(read(json!({"language": "en"})).unwrap().misspelt, None);
        assert!(Parameters::read(Model::named("fun-asr").unwrap(), None).unwrap().missing);
        assert_eq!(read(json!({"channel_id": [1, 0, 1]})).unwrap().channels, [1, 0]);
    }
}
