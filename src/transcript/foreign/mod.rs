//! Transcripts of other recognisers, read as [`Transcript`]: told apart by their structure, never by their names.
//!
//! Each shape has a file that finds sentences and words in it; `speech` makes channels, speakers and sentences of these, by
//! the same rules for all. What a shape cannot say is null. Shapes as documented by their makers in November 2026; `docs/recognisers.md` names
//! the pages and repositories.

mod assemblyai;
mod aws;
mod azure;
mod cues;
mod deepgram;
mod elevenlabs;
mod entities;
mod fields;
mod funasr;
mod google;
mod lines;
mod speech;
mod whisper;
mod whisper_cpp;

use std::borrow::Cow;
use std::path::Path;

use serde_json::Value;

use super::{Code, ParseError, Place, Transcript};
use crate::sheet::{self, text::has_mark};
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

    /// Whether files of this shape are JSON; the others are lines of text.
    pub(super) const fn is_json(self) -> bool {
        !matches!(self, Self::Rttm | Self::Ctm | Self::Stm | Self::Srt | Self::WebVtt)
    }

    /// The shape of a file; `None` if it has none of these. Results of the service itself have none.
    #[must_use]
    pub fn detect(bytes: &[u8]) -> Option<Self> {
        Document::new(&decoded(bytes).ok()?).format()
    }

    /// Reads a file as one of this shape, even if its structure is that of another.
    ///
    /// # Errors
    /// It is not text or not JSON, nothing of this shape is in it, or it holds several recordings, which the message names.
    pub fn read(self, bytes: &[u8]) -> Result<Transcript<'static>, ParseError> {
        let text = decoded(bytes)?;
        let document = Document::new(&text);
        if self.is_json() && document.values.is_none() {
            let error = serde_json::Deserializer::from_str(&text).into_iter::<Value>().find_map(Result::err);
            return Err(
                error.map_or_else(|| ParseError::no_shape(self, None), |error| ParseError::not_json(&text, &error))
            );
        }
        let transcript = document.transcript(self)?;
        let line =
            transcript.as_ref().and_then(|read| read.notices.summed().iter().find_map(|notice| notice.place.line));
        let is_empty = |transcript: &Transcript<'_>| transcript.channels.iter().all(|one| one.sentences.is_empty());
        let found = transcript.filter(|read| document.format() == Some(self) || !is_empty(read));
        found.map(|transcript| noted(transcript, bytes)).ok_or_else(|| ParseError::no_shape(self, line))
    }
}

/// Larger JSON is not taken for a transcript of another recogniser: as a tree it needs many times its size, and an hour of
/// speech has a few MB.
const MOST_JSON: usize = 128 << 20;

/// A file, parsed once if it is JSON.
struct Document<'t> {
    text: Cow<'t, str>,
    values: Option<Vec<Value>>,
}

impl<'t> Document<'t> {
    fn new(text: &'t str) -> Self {
        // Lines may end as on old Macs.
        let is_old = text.contains('\r') && !text.contains('\n');
        let text = if is_old { Cow::Owned(text.replace('\r', "\n")) } else { Cow::Borrowed(text) };
        Self { values: json(&text), text }
    }

    fn format(&self) -> Option<Format> {
        self.values.as_deref().map_or_else(|| lines::detect(&self.text), of_json)
    }

    /// The transcript, read as this format; `None` if the file holds none of it.
    fn transcript(&self, format: Format) -> Result<Option<Transcript<'static>>, ParseError> {
        let text = &*self.text;
        let values = self.values.as_deref().unwrap_or_default();
        let root = values.first().unwrap_or(&Value::Null);
        if values.len() > 1 && !matches!(format, Format::FunAsr | Format::SegLst) {
            return Err(ParseError::recordings(values.iter().map(|_| "")));
        }
        let speech = match format {
            Format::Whisper => Some(whisper::speech(root)),
            Format::WhisperCpp => Some(whisper_cpp::speech(root)),
            Format::FunAsr => funasr::speech(values)?,
            Format::Aws => Some(aws::speech(root)),
            Format::AwsCallAnalytics => Some(aws::call_analytics(root)),
            Format::Google => google::speech(root)?,
            Format::Deepgram => Some(deepgram::speech(root)),
            Format::AssemblyAi => Some(assemblyai::speech(root)),
            Format::AzureBatch | Format::AzureFast => Some(azure::speech(root)),
            Format::ElevenLabs => Some(elevenlabs::speech(root)),
            Format::Rttm => Some(lines::rttm(text)?),
            Format::Ctm => Some(lines::ctm(text)?),
            Format::Stm => Some(lines::stm(text)?),
            Format::SegLst => Some(lines::seglst(values)?),
            Format::Srt | Format::WebVtt => Some(cues::speech(text)),
        };
        Ok(speech.map(|speech| Transcript { foreign: Some(format), ..speech.transcript() }))
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
    let text = decoded(bytes).ok()?;
    Some(read_text(&text)?.map(|transcript| noted(transcript, bytes)))
}

/// A file without lines or segments, which is all that some formats have of a call without speech.
pub(super) fn without_speech(path: &Path, bytes: &[u8]) -> Option<Transcript<'static>> {
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    let endings: &[(&str, Format)] = match bytes.trim_ascii() {
        b"" => &[(".rttm", Format::Rttm), (".ctm", Format::Ctm), (".stm", Format::Stm)],
        b"[]" => &[(".seglst.json", Format::SegLst)],
        _ => return None,
    };
    let (_, format) = endings.iter().find(|(ending, _)| name.ends_with(ending))?;
    Some(Transcript { foreign: Some(*format), ..Transcript::default() })
}

/// The same of a text without a byte order mark.
pub(super) fn read_text(text: &str) -> Option<Result<Transcript<'static>, ParseError>> {
    let document = Document::new(text);
    let format = document.format()?;
    let transcript = document.transcript(format).transpose();
    Some(transcript.unwrap_or_else(|| Err(ParseError::no_shape(format, None))))
}

/// The text of a file. JSON and `WebVTT` are UTF-8 by their standards; other lines may have any encoding.
fn decoded(bytes: &[u8]) -> Result<Cow<'_, str>, ParseError> {
    let unmarked = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(unmarked).map(Cow::Borrowed).or_else(|error| {
        let refused = || ParseError::not_utf8(unmarked, error);
        // Guessing takes time: not for what is no text.
        let head = bytes.get(..512).unwrap_or(bytes);
        let is_binary = head.contains(&0) && !has_mark(bytes);
        if is_binary || matches!(head.trim_ascii_start().first(), Some(b'{' | b'[' | 0x1F)) {
            return Err(refused());
        }
        let text = sheet::decode(bytes).0;
        let is_lines = !text.contains('\0') && lines::detect(&text).is_some_and(|format| format != Format::WebVtt);
        if is_lines { Ok(text) } else { Err(refused()) }
    })
}

/// Counts an encoding that had to be guessed.
fn noted(mut transcript: Transcript<'static>, bytes: &[u8]) -> Transcript<'static> {
    if !has_mark(bytes) && std::str::from_utf8(bytes).is_err() {
        transcript.notices.add(Code::GuessedEncoding, Place::default(), "");
    }
    transcript
}

/// Why no tree can be made of JSON that is otherwise well-formed, such as a number beyond all bounds.
pub(super) fn syntax_error(text: &str) -> Option<serde_json::Error> {
    let is_json = text.len() <= MOST_JSON && text.trim_start().starts_with(['{', '[']);
    let error = is_json.then(|| serde_json::from_str::<Value>(text).err()).flatten()?;
    Some(error).filter(|error| error.to_string().contains("out of range"))
}

/// One JSON value, or several on lines of their own.
fn json(text: &str) -> Option<Vec<Value>> {
    if text.len() > MOST_JSON || !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    serde_json::Deserializer::from_str(text).into_iter().collect::<Result<Vec<Value>, _>>().ok()
}

fn of_json(values: &[Value]) -> Option<Format> {
    let root = values.first()?;
    if root.get("transcripts").is_some_and(Value::is_array) {
        // The service has an array of that name; in that of ElevenLabs words say what they are.
        return elevenlabs::is_result(root).then_some(Format::ElevenLabs);
    }
    let first = root.as_array().map_or(Some(root), |items| items.first())?;
    if first.get("session_id").is_some() && first.get("words").is_some_and(Value::is_string) {
        return Some(Format::SegLst);
    }
    if root.is_array() || values.len() > 1 {
        return if funasr::is_item(first) {
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
    } else if assemblyai::is_result(root) {
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
