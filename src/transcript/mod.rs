//! A result file as typed values: [`Transcript`] → [`Channel`] → [`Sentence`] → [`Word`].
//!
//! [`read`] takes the bytes of a Fun-ASR, Paraformer or Qwen-ASR file transcription result, or of another recogniser's
//! transcript ([`foreign`]), and is tolerant: odd values are kept or corrected as each field documents and counted in [`Transcript::notices`]; only files that are not results
//! at all are refused. Times are as received, rounded to whole ms; [`crate::metrics`] clips, sorts and measures them.
//!
//! Wire facts: "Fun-ASR recorded speech recognition HTTP API" and "Qwen-ASR API reference", checked in November 2026.

pub mod foreign;
mod notice;
mod other_files;
mod outline;
mod parse;
mod parse_error;
mod paths;
mod remote;
mod source_format;

use std::borrow::Cow;

pub use notice::{Code, Notice, Notices, Place, Severity};
pub use other_files::OtherFiles;
pub use outline::Outline;
pub use parse::read;
pub use parse_error::{ParseError, ParseErrorKind};
#[cfg(feature = "python")]
pub(crate) use paths::is_own;
#[cfg(feature = "cli")]
pub(crate) use paths::is_transcript;
pub use paths::{Excluded, Input, Inputs, IsFile, Wanted};
#[cfg(feature = "analytics")]
pub(crate) use paths::{PACKAGE_NAME, REPORT_FORMAT, SHARD_FORMAT};
pub use remote::{OpenRemote, RemoteFile, RemoteFolder};
pub use source_format::SourceFormat;
pub(crate) use source_format::read_as;

/// One recording's recognition result.
///
/// Texts borrow from the input unless they contain escapes; [`Transcript::into_owned`] detaches them.
///
/// ```
/// let json = br#"{"file_url": "https://example.org/a.wav", "transcripts": [{"channel_id": 0, "sentences": [
///     {"begin_time": 100, "end_time": 900, "text": "Hello.", "words": [
///         {"begin_time": 100, "end_time": 900, "text": "Hello", "punctuation": "."}]}]}]}"#;
/// let transcript = talkmeter::transcript::read(json)?;
/// let word = &transcript.channels[0].sentences[0].words[0];
/// assert_eq!((word.begin_ms, word.end_ms, &*word.text), (Some(100), Some(900), "Hello"));
/// # Ok::<(), talkmeter::transcript::ParseError>(())
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Transcript<'a> {
    /// `file_url` as received: a label, never used as a path.
    pub file_url: Option<Cow<'a, str>>,
    /// `properties.audio_format`, else `audio_info.format` (Qwen3).
    pub audio_format: Option<Cow<'a, str>>,
    /// `properties.original_sampling_rate`, else `audio_info.sample_rate`, in Hz.
    pub sampling_rate_hz: Option<i64>,
    /// `properties.original_duration_in_milliseconds`, in ms; `None` when absent or not positive.
    pub duration_ms: Option<i64>,
    /// The recording's tracks as `properties.channels` lists them, ascending, without repeats; some may not be
    /// transcribed.
    pub stated_channels: Vec<u32>,
    /// The transcribed channels, ascending by id, each id once.
    pub channels: Vec<Channel<'a>>,
    /// The shape of another recogniser's transcript; `None` for results of the service.
    pub foreign: Option<foreign::Format>,
    /// Odd values and their places.
    pub notices: Notices,
    /// No text has a control character other than TAB, LF and CR; false where this is not known.
    pub(crate) is_printable: bool,
}

/// One transcribed track.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Channel<'a> {
    /// `channel_id` 0–255; the entry's position in `transcripts` when that is missing or out of range (definitions:
    /// identifiers).
    pub id: u32,
    /// `content_duration_in_milliseconds` or its alias `content_duration`: the speech that is billed, in ms.
    /// `None` when absent or negative. Summed over several entries of one channel.
    pub content_duration_ms: Option<i64>,
    /// `text` or its alias `transcript`: the whole track's text as received.
    pub text: Option<Cow<'a, str>>,
    /// Sentences as received, not sorted. A track with text but no sentences has one sentence without times.
    pub sentences: Vec<Sentence<'a>>,
}

/// One recognised sentence.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Sentence<'a> {
    /// `begin_time` in ms as received; `None` when missing or not a number.
    pub begin_ms: Option<i64>,
    /// `end_time` in ms as received.
    pub end_ms: Option<i64>,
    /// `text` as received; empty when missing.
    pub text: Cow<'a, str>,
    /// `sentence_id`: from 1 in Fun-ASR and Paraformer, from 0 in Qwen3.
    pub sentence_id: Option<i64>,
    /// `speaker_id`, present if the track was diarised.
    pub speaker: Option<Speaker<'a>>,
    /// `language` (Qwen3 only).
    pub language: Option<Cow<'a, str>>,
    /// `emotion` (Qwen3 only).
    pub emotion: Option<Cow<'a, str>>,
    /// Words as received, not sorted; empty if they were not requested.
    pub words: Vec<Word<'a>>,
}

/// One recognised word: a whole word, a single character or a Latin word with a space at one end, depending on the model.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Word<'a> {
    /// 0-based position in the sentence's `words` as received.
    pub index: u32,
    /// `begin_time` in ms as received; `None` when missing or not a number.
    pub begin_ms: Option<i64>,
    /// `end_time` in ms as received.
    pub end_ms: Option<i64>,
    /// `text` as received, often with a leading or trailing space; empty when missing.
    pub text: Cow<'a, str>,
    /// `punctuation` as received; empty when missing.
    pub punctuation: Cow<'a, str>,
}

/// Who spoke, by diarisation; numbers before names, each ascending (definitions: participant).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Speaker<'a> {
    /// A `speaker_id` of 0 or more.
    Number(i64),
    /// A `speaker_id` that is a string other than a number, trimmed.
    Name(Cow<'a, str>),
}

impl Transcript<'_> {
    /// The same transcript, not borrowing from the input.
    #[must_use]
    pub fn into_owned(self) -> Transcript<'static> {
        Transcript {
            file_url: self.file_url.map(own),
            audio_format: self.audio_format.map(own),
            sampling_rate_hz: self.sampling_rate_hz,
            duration_ms: self.duration_ms,
            stated_channels: self.stated_channels,
            channels: self.channels.into_iter().map(Channel::into_owned).collect(),
            foreign: self.foreign,
            notices: self.notices,
            is_printable: self.is_printable,
        }
    }
}

impl Channel<'_> {
    fn into_owned(self) -> Channel<'static> {
        Channel {
            id: self.id,
            content_duration_ms: self.content_duration_ms,
            text: self.text.map(own),
            sentences: self.sentences.into_iter().map(Sentence::into_owned).collect(),
        }
    }
}

impl Sentence<'_> {
    fn into_owned(self) -> Sentence<'static> {
        Sentence {
            begin_ms: self.begin_ms,
            end_ms: self.end_ms,
            text: own(self.text),
            sentence_id: self.sentence_id,
            speaker: self.speaker.map(|speaker| match speaker {
                Speaker::Number(number) => Speaker::Number(number),
                Speaker::Name(name) => Speaker::Name(own(name)),
            }),
            language: self.language.map(own),
            emotion: self.emotion.map(own),
            words: self
                .words
                .into_iter()
                .map(|word| Word {
                    index: word.index,
                    begin_ms: word.begin_ms,
                    end_ms: word.end_ms,
                    text: own(word.text),
                    punctuation: own(word.punctuation),
                })
                .collect(),
        }
    }
}

fn own(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}
