//! Transcripts of other recognisers, read as [`Transcript`]: told apart by their structure, never by their names.
//!
//! Each shape has a file that finds sentences and words in it; `speech` makes channels, speakers and sentences of these, by
//! the same rules for all. What a shape cannot say is null. Shapes as documented by their makers in November 2026.

mod assemblyai;
mod aws;
mod azure;
mod cues;
mod deepgram;
mod elevenlabs;
mod fields;
mod funasr;
mod google;
mod lines;
mod speech;
mod whisper;
mod whisper_cpp;

use serde_json::Value;

use super::{ParseError, Transcript};
use fields::{Fields, list};

/// A shape of transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// `OpenAI` Whisper `verbose_json` and `diarized_json`, faster-whisper, whisper-timestamped, `WhisperX`.
    Whisper,
    /// whisper.cpp, `-oj` and `-ojf`.
    WhisperCpp,
    /// The output of `FunASR` itself, not of the service.
    FunAsr,
    /// Amazon Transcribe.
    Aws,
    /// Amazon Transcribe Call Analytics.
    AwsCallAnalytics,
    /// Google Speech-to-Text, v1 and v2.
    Google,
    /// Deepgram.
    Deepgram,
    /// `AssemblyAI`.
    AssemblyAi,
    /// Azure batch transcription.
    AzureBatch,
    /// Azure fast transcription.
    AzureFast,
    /// `ElevenLabs` Scribe.
    ElevenLabs,
    /// Rich Transcription Time Marked: who spoke when, without texts.
    Rttm,
    /// Conversation Time Mark: words.
    Ctm,
    /// Segment Time Mark: sentences.
    Stm,
    /// Segment-wise long-form speech transcription, JSON.
    SegLst,
    /// `SubRip` captions.
    Srt,
    /// `WebVTT` captions.
    WebVtt,
}

impl Format {
    /// Every shape.
    pub const ALL: [Self; 17] = [
        Self::Whisper,
        Self::WhisperCpp,
        Self::FunAsr,
        Self::Aws,
        Self::AwsCallAnalytics,
        Self::Google,
        Self::Deepgram,
        Self::AssemblyAi,
        Self::AzureBatch,
        Self::AzureFast,
        Self::ElevenLabs,
        Self::Rttm,
        Self::Ctm,
        Self::Stm,
        Self::SegLst,
        Self::Srt,
        Self::WebVtt,
    ];

    /// Its name: `whisper`, `aws_call_analytics`, `webvtt`, …
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Whisper => "whisper",
            Self::WhisperCpp => "whisper_cpp",
            Self::FunAsr => "funasr",
            Self::Aws => "aws",
            Self::AwsCallAnalytics => "aws_call_analytics",
            Self::Google => "google",
            Self::Deepgram => "deepgram",
            Self::AssemblyAi => "assemblyai",
            Self::AzureBatch => "azure_batch",
            Self::AzureFast => "azure_fast",
            Self::ElevenLabs => "elevenlabs",
            Self::Rttm => "rttm",
            Self::Ctm => "ctm",
            Self::Stm => "stm",
            Self::SegLst => "seglst",
            Self::Srt => "srt",
            Self::WebVtt => "webvtt",
        }
    }

    /// The shape of a file; `None` if it has none of these. Results of the service itself have none.
    #[must_use]
    pub fn detect(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(unmarked(bytes)).ok()?;
        match json(text) {
            Some(values) => of_json(&values),
            None => lines::detect(text),
        }
    }

    /// Reads a file of this shape.
    ///
    /// # Errors
    /// It is not UTF-8, has no such shape, or holds several recordings, which the message names.
    pub fn read(self, bytes: &[u8]) -> Result<Transcript<'static>, ParseError> {
        let bytes = unmarked(bytes);
        let text = std::str::from_utf8(bytes).map_err(|error| ParseError::not_utf8(bytes, error))?;
        let values = json(text).unwrap_or_default();
        let root = values.first().unwrap_or(&Value::Null);
        let speech = match self {
            Self::Whisper => Some(whisper::speech(root)),
            Self::WhisperCpp => Some(whisper_cpp::speech(root)),
            Self::FunAsr => funasr::speech(&values)?,
            Self::Aws => Some(aws::speech(root)),
            Self::AwsCallAnalytics => Some(aws::call_analytics(root)),
            Self::Google => google::speech(root)?,
            Self::Deepgram => Some(deepgram::speech(root)),
            Self::AssemblyAi => Some(assemblyai::speech(root)),
            Self::AzureBatch | Self::AzureFast => Some(azure::speech(root)),
            Self::ElevenLabs => Some(elevenlabs::speech(root)),
            Self::Rttm => Some(lines::rttm(text)?),
            Self::Ctm => Some(lines::ctm(text)?),
            Self::Stm => Some(lines::stm(text)?),
            Self::SegLst => Some(lines::seglst(root)?),
            Self::Srt | Self::WebVtt => Some(cues::speech(text)),
        };
        match speech.filter(|_| Self::detect(bytes) == Some(self)) {
            Some(speech) => Ok(Transcript { foreign: Some(self), ..speech.transcript() }),
            None => Err(ParseError::no_shape(self.name())),
        }
    }
}

/// Reads a transcript of any of these shapes; `None` if it has none.
///
/// ```
/// let srt = b"1\n00:00:01,000 --> 00:00:02,500\nAnn: Hello.\n\n2\n00:00:03,000 --> 00:00:04,000\nAnn: Bye.\n";
/// let transcript = talkmeter::transcript::foreign::read(srt).ok_or("no shape")??;
/// let sentences = &transcript.channels[0].sentences;
/// assert_eq!((sentences[0].begin_ms, &*sentences[0].text), (Some(1000), "Hello."));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`Format::read`].
pub fn read(bytes: &[u8]) -> Option<Result<Transcript<'static>, ParseError>> {
    Format::detect(bytes).map(|format| format.read(bytes))
}

fn unmarked(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)
}

/// One JSON value, or several on lines of their own.
fn json(text: &str) -> Option<Vec<Value>> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    serde_json::Deserializer::from_str(text).into_iter().collect::<Result<Vec<Value>, _>>().ok()
}

fn of_json(values: &[Value]) -> Option<Format> {
    let root = values.first()?;
    if root.is_array() || values.len() > 1 {
        let first = root.as_array().map_or(Some(root), |items| items.first())?;
        return if first.get("session_id").is_some() && first.get("words").is_some_and(Value::is_string) {
            Some(Format::SegLst)
        } else if funasr::is_item(first) {
            Some(Format::FunAsr)
        } else if values.len() == 1 && first.get("text").is_some() && first.get("start").is_some() {
            Some(Format::Whisper)
        } else {
            None
        };
    }
    let has = |key: &str| root.get(key).is_some_and(|value| !value.is_null());
    let is_list = |key: &str| root.get(key).is_some_and(Value::is_array);
    let results = root.get("results");
    if has("transcription") && is_list("transcription") {
        Some(Format::WhisperCpp)
    } else if is_list("recognizedPhrases") {
        Some(Format::AzureBatch)
    } else if is_list("phrases") {
        Some(Format::AzureFast)
    } else if is_list("Transcript") {
        Some(Format::AwsCallAnalytics)
    } else if results.is_some_and(|results| results.get("channels").is_some_and(Value::is_array)) {
        Some(Format::Deepgram)
    } else if results.is_some_and(|results| ["items", "audio_segments"].iter().any(|key| results.get(key).is_some())) {
        Some(Format::Aws)
    } else if google::is_result(root) {
        Some(Format::Google)
    } else if elevenlabs::is_result(root) {
        Some(Format::ElevenLabs)
    } else if is_list("utterances") || (has("audio_url") || has("audio_duration")) && (is_list("words") || has("text"))
    {
        Some(Format::AssemblyAi)
    } else if funasr::is_item(root) {
        Some(Format::FunAsr)
    } else if is_list("segments") || is_list("words") && has("text") {
        Some(Format::Whisper)
    } else {
        None
    }
}

/// The fields of an array under a key.
fn fields_of<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = Fields<'v>> {
    list(value.get(key)).map(Fields)
}
