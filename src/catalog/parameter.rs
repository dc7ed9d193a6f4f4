//! The parameters of a recognition request, each declared once: wire name, kind of value, meaning.
//!
//! `models.toml` says which model takes which. Source: the vendor's HTTP references of Fun-ASR, Paraformer, Qwen-Audio-ASR
//! and Qwen-ASR, checked 2026-10.

use serde_json::Value;

use super::Protocol;

/// One parameter of a request.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Parameter {
    /// Its name on the wire, below `parameters` (`parameters.asr_options` for synchronous Qwen3-ASR).
    pub key: &'static str,
    /// The kind of its value.
    pub kind: Kind,
    /// Protocols that have it; empty = every one.
    #[serde(skip)]
    only: &'static [Protocol],
    /// Its effect, in one clause.
    pub meaning: &'static str,
}

/// The kind of value a parameter holds.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// `true` or `false`.
    Switch,
    /// A whole number between two, both included.
    Whole(i64, i64),
    /// Any number.
    Number,
    /// A string that is not empty.
    Text,
    /// One language code.
    Language,
    /// Language codes, at least one.
    Languages,
    /// Indexes of audio tracks from 0, at least one, none twice.
    Tracks,
    /// An object of words and weights.
    Weights,
    /// A JSON object, written as a string or not: the filter of sensitive words.
    Filter,
}

macro_rules! parameters {
    ($($key:ident : $kind:expr $(, only $($protocol:ident)+)?; $meaning:literal;)+) => {
        /// All known parameters, in the order they are listed.
        pub const PARAMETERS: &[Parameter] = &[$(Parameter {
            key: stringify!($key),
            kind: $kind,
            only: &[$($(Protocol::$protocol,)+)?],
            meaning: $meaning,
        },)+];
    };
}

parameters! {
    channel_id: Kind::Tracks;
        "audio tracks to transcribe, from 0; each is billed on its own; default: track 0";
    diarization_enabled: Kind::Switch, only Task QwenTask;
        "distinguish the speakers of one track; not for several tracks";
    speaker_diarization_enabled: Kind::Switch, only Flash QwenFlash RealtimeFlash;
        "distinguish the speakers of one track; dialect and language settings then have no effect";
    speaker_count: Kind::Whole(2, 100);
        "how many speakers to expect, 2 to 100; a hint that needs diarization";
    language_hints: Kind::Languages, only Task Flash RealtimeFlash;
        "languages to expect, as codes such as zh and en; default: detected";
    language: Kind::Language, only QwenTask QwenFlash;
        "the language of the recording, as a code such as zh; default: detected";
    vocabulary_id: Kind::Text;
        "a hotword list by its id; it must have been created for exactly this model";
    phrase_id: Kind::Text;
        "a phrase list of Paraformer v1 by its id";
    vocabulary: Kind::Weights;
        "hotwords with weights";
    special_word_filter: Kind::Filter;
        "words to mask with asterisks and words to drop; the service's own list is masked by default";
    speech_noise_threshold: Kind::Number;
        "towards -1 noise is more easily taken for speech, towards 1 speech for noise; no range is documented";
    disfluency_removal_enabled: Kind::Switch;
        "drop filler words";
    timestamp_alignment_enabled: Kind::Switch;
        "align timestamps with the audio in a further pass";
    audio_event_detection_enabled: Kind::Switch;
        "detect audio events such as applause; known from the vendor's SDK only";
    keep_dialect: Kind::Switch;
        "keep the wording of a dialect instead of standard Mandarin";
    enable_itn: Kind::Switch;
        "write spoken numbers, dates and units as digits and signs, in zh and en";
    enable_words: Kind::Switch;
        "return times of words, and split sentences at pauses and punctuation";
    format: Kind::Text;
        "container or codec of the audio of a flash call, such as wav or mp3";
    sample_rate: Kind::Text;
        "sample rate of the audio of a flash call in Hz, as a string";
    incremental_output: Kind::Switch;
        "events of a stream hold only the new text rather than the text so far";
    vad_enabled: Kind::Switch;
        "split at pauses; false is ignored for audio over a minute";
}

impl Parameter {
    /// The parameter of this wire name.
    #[must_use]
    pub fn named(key: &str) -> Option<&'static Self> {
        PARAMETERS.iter().find(|parameter| parameter.key == key)
    }

    /// Whether calls of this protocol have it.
    #[must_use]
    pub fn is_of(&self, protocol: Protocol) -> bool {
        self.only.is_empty() || self.only.contains(&protocol)
    }

    /// The one of several wire names for one setting that calls of this protocol have.
    #[must_use]
    pub fn for_protocol(keys: &[&str], protocol: Protocol) -> Option<&'static Self> {
        keys.iter().filter_map(|key| Self::named(key)).find(|parameter| parameter.is_of(protocol))
    }
}

impl Kind {
    /// Checks a value.
    ///
    /// # Errors
    ///
    /// What is expected instead, as in `must be true or false`.
    pub fn check(self, value: &Value) -> Result<(), String> {
        let fits = match self {
            Self::Switch => value.is_boolean(),
            Self::Whole(from, to) => value.as_i64().is_some_and(|number| (from..=to).contains(&number)),
            Self::Number => value.is_number(),
            Self::Text | Self::Language => value.as_str().is_some_and(|text| !text.trim().is_empty()),
            Self::Languages => {
                let code = |code: &Value| code.as_str().is_some_and(|code| !code.trim().is_empty());
                value.as_array().is_some_and(|codes| !codes.is_empty() && codes.iter().all(code))
            }
            Self::Tracks => value.as_array().is_some_and(|tracks| {
                let index = |track: &Value| track.as_u64().is_some_and(|track| u32::try_from(track).is_ok());
                let twice = |at: usize, track: &Value| tracks.iter().take(at).any(|other| other == track);
                !tracks.is_empty()
                    && tracks.iter().all(index)
                    && !tracks.iter().enumerate().any(|(at, track)| twice(at, track))
            }),
            Self::Weights => value.as_object().is_some_and(|words| words.values().all(Value::is_u64)),
            Self::Filter => {
                let object = |text: &str| serde_json::from_str::<Value>(text).is_ok_and(|filter| filter.is_object());
                // A JSON string by the reference, an object in one sample.
                value.is_object() || value.as_str().is_some_and(object)
            }
        };
        if fits { Ok(()) } else { Err(format!("must be {}", self.wanted())) }
    }

    fn wanted(self) -> String {
        match self {
            Self::Switch => "true or false".to_owned(),
            Self::Whole(from, to) => format!("a whole number from {from} to {to}"),
            Self::Number => "a number".to_owned(),
            Self::Text => "a non-empty text".to_owned(),
            Self::Language => "one language code such as zh".to_owned(),
            Self::Languages => "language codes such as zh,en".to_owned(),
            Self::Tracks => "one or more track numbers from 0 such as 0,1, none twice".to_owned(),
            Self::Weights => "words with whole weights such as {\"metformin\": 4}".to_owned(),
            Self::Filter => "a JSON object, or one written as a string".to_owned(),
        }
    }

    /// Parses a value as people type it: `0,1`, `zh,en`, `3`, `-0.2`.
    ///
    /// # Errors
    ///
    /// What is expected instead, as in `must be a number`.
    pub fn read(self, text: &str) -> Result<Value, String> {
        let parts = || text.split(',').map(str::trim);
        let value = match self {
            Self::Switch | Self::Whole(..) | Self::Number | Self::Weights => {
                serde_json::from_str(text.trim()).unwrap_or(Value::Null)
            }
            Self::Text | Self::Language => Value::from(text.trim()),
            Self::Filter => Value::from(text),
            Self::Languages => parts().map(Value::from).collect(),
            Self::Tracks => parts().map(|part| part.parse::<u32>().map_or(Value::Null, Value::from)).collect(),
        };
        self.check(&value)?;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_parsed_as_people_type_them() {
        assert_eq!(Kind::Tracks.read("0, 1"), Ok(json!([0, 1])));
        assert_eq!(Kind::Languages.read("zh,en"), Ok(json!(["zh", "en"])));
        assert_eq!(Kind::Number.read("-0.2"), Ok(json!(-0.2)));
        assert_eq!(Kind::Whole(2, 100).read("2"), Ok(json!(2)));
        assert_eq!(Kind::Whole(2, 100).read("101").unwrap_err(), "must be a whole number from 2 to 100");
        for wrong in ["", "0,0", "-1", "a", "0,", "4294967296"] {
            let refused = Kind::Tracks.read(wrong).unwrap_err();
            assert_eq!(refused, "must be one or more track numbers from 0 such as 0,1, none twice");
        }
        assert!(Kind::Languages.read("zh,,en").is_err());
        assert!(Kind::Number.read("NaN").is_err());
    }

    #[test]
    fn a_setting_with_two_names_has_one_per_protocol() {
        let key = |keys: &[&str], protocol| Parameter::for_protocol(keys, protocol).map(|parameter| parameter.key);
        let diarization = ["diarization_enabled", "speaker_diarization_enabled"];
        assert_eq!(key(&diarization, Protocol::Task), Some("diarization_enabled"));
        assert_eq!(key(&diarization, Protocol::Flash), Some("speaker_diarization_enabled"));
        assert_eq!(key(&["language_hints", "language"], Protocol::QwenTask), Some("language"));
        assert_eq!(key(&["language_hints", "language"], Protocol::Omni), None);
    }
}
