//! Export: a measured call → the exchange formats of research, and transcripts for people.
//!
//! Times are those that are measured: RTTM has the bursts, the others the sentences, each from its first word with a length
//! to its last, or as the sentence says where it has none. Participants are named by role, else by label. Channels count
//! from 1. Reading a file again gives the same participants and texts, and the same figures as far as the format can say
//! them; a two-channel call stays one in CTM and STM, which alone of these know channels.
//!
//! ```
//! use talkmeter::export::Format;
//! use talkmeter::metrics::{Settings, measure};
//!
//! let json = br#"{"transcripts": [
//!     {"channel_id": 0, "sentences": [{"begin_time": 0, "end_time": 2400, "text": "Thank you for calling."}]},
//!     {"channel_id": 1, "sentences": [{"begin_time": 2600, "end_time": 3600, "text": "R&D, please."}]}]}"#;
//! let transcript = talkmeter::transcript::read(json)?;
//! let measured = measure("call.json", &transcript, &Settings::default());
//! assert_eq!(Format::Stm.write(&measured).content, "\
//! call 1 ch0 0.000 2.400 Thank you for calling.
//! call 2 ch1 2.600 3.600 R&D, please.
//! ");
//! assert_eq!(Format::Text.write(&measured).content, "[0:00] ch0: Thank you for calling.\n[0:02] ch1: R&D, please.\n");
//! # Ok::<(), talkmeter::transcript::ParseError>(())
//! ```

mod eaf;
mod lanes;
mod markdown;
mod plain;
mod research;
mod textgrid;
mod whisper;

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::metrics::{Interval, Measured, Participant};

/// A format to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Format {
    /// Rich Transcription Time Marked: who spoke when. NIST, "RT-09 Evaluation Plan", appendix A.
    Rttm,
    /// Conversation Time Mark: words with times; with speakers (columns 6 to 8) where channels do not tell them. NIST, sclite.
    Ctm,
    /// Segment Time Mark: sentences. NIST, sclite.
    Stm,
    /// Segment-wise long-form speech transcription, JSON, as `meeteval` reads it.
    SegLst,
    /// `TextGrid` of Praat: a tier of sentences and one of words for each participant.
    TextGrid,
    /// EAF 3.0 of ELAN: the same tiers.
    Eaf,
    /// Whisper's `verbose_json` with speakers, as `WhisperX` writes it.
    WhisperJson,
    /// Lines of text with times and speakers.
    Text,
    /// The same as Markdown.
    Markdown,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 9] = [
        Self::Rttm,
        Self::Ctm,
        Self::Stm,
        Self::SegLst,
        Self::TextGrid,
        Self::Eaf,
        Self::WhisperJson,
        Self::Text,
        Self::Markdown,
    ];

    /// Its name: `rttm`, `whisper-json`, `txt`, …
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rttm => "rttm",
            Self::Ctm => "ctm",
            Self::Stm => "stm",
            Self::SegLst => "seglst",
            Self::TextGrid => "textgrid",
            Self::Eaf => "eaf",
            Self::WhisperJson => "whisper-json",
            Self::Text => "txt",
            Self::Markdown => "md",
        }
    }

    /// The ending of its files; two formats that are JSON have one in front of it.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::SegLst => "seglst.json",
            Self::TextGrid => "TextGrid",
            Self::WhisperJson => "whisper.json",
            other => other.name(),
        }
    }

    /// Writes a call.
    #[must_use]
    pub fn write(self, measured: &Measured<'_>) -> Exported {
        let call = Call::new(measured);
        let content = match self {
            Self::Rttm => research::rttm(&call, measured),
            Self::Ctm => research::ctm(&call),
            Self::Stm => research::stm(&call),
            Self::SegLst => research::seglst(&call),
            Self::TextGrid => textgrid::write(&call),
            Self::Eaf => eaf::write(&call),
            Self::WhisperJson => whisper::write(&call),
            Self::Text => plain::write(&call),
            Self::Markdown => markdown::write(&call),
        };
        let spoken = || call.sentences.iter().filter(|sentence| !sentence.text.is_empty());
        let left_out = match self {
            Self::Ctm => spoken().filter(|sentence| !sentence.words.iter().any(Word::is_timed)).count(),
            Self::Rttm | Self::Stm | Self::TextGrid | Self::Eaf => {
                spoken().filter(|sentence| sentence.interval.is_none()).count()
            }
            Self::SegLst | Self::WhisperJson | Self::Text | Self::Markdown => 0,
        };
        Exported { content, left_out: left_out as u64 }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|format| format.name() == text).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.into_iter().map(Self::name).collect();
            Error::invalid(format!("choose from {}", names.join(", ")))
        })
    }
}

/// A call in some format.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exported {
    /// The content of the file: UTF-8, lines ending in LF.
    pub content: String,
    /// Sentences with a text that are not in it, because the format needs times that they do not have: for CTM those of
    /// words.
    pub left_out: u64,
}

/// What all formats are made of.
struct Call {
    /// The name of the call: its file without ending, without blanks.
    name: String,
    /// Displayed names, by participant.
    participants: Vec<String>,
    duration_ms: i64,
    /// Whether the participants are channels, without other labels.
    are_channels: bool,
    /// By time; one without times follows the sentence before it on its channel.
    sentences: Vec<Sentence>,
}

struct Sentence {
    participant: usize,
    channel: u32,
    /// From the first word with a length to the last, else as the sentence says.
    interval: Option<Interval>,
    text: String,
    words: Vec<Word>,
    language: Option<String>,
}

struct Word {
    interval: Option<Interval>,
    text: String,
}

impl Word {
    fn is_timed(&self) -> bool {
        self.interval.is_some()
    }
}

impl Call {
    fn new(measured: &Measured<'_>) -> Self {
        let markers = measured.markers();
        let shown = |text: &str| single_line(&markers.shown(text.into()));
        let mut words = measured.words().peekable();
        let mut sentences = Vec::new();
        for row in measured.sentences() {
            let mut own = Vec::new();
            while let Some(word) =
                words.next_if(|word| (word.channel_id, word.sentence_index) == (row.channel_id, row.sentence_index))
            {
                let raw = format!("{}{}", word.text(), word.punctuation());
                let mut text = shown(&raw);
                if !text.contains(char::is_alphanumeric) && word.interval.is_some() {
                    // A marker that has a time is talk.
                    text = single_line(&raw);
                }
                if !text.is_empty() {
                    own.push(Word { interval: word.interval, text });
                }
            }
            let timed = || own.iter().filter_map(|word| word.interval).filter(|interval| interval.end > interval.begin);
            let hull = timed().map(|one| one.begin).min().zip(timed().map(|one| one.end).max());
            sentences.push(Sentence {
                participant: row.participant,
                channel: row.channel_id,
                interval: hull.map(|(begin, end)| Interval { begin, end }).or(row.interval),
                text: shown(&row.text()),
                words: own,
                language: row.language().map(str::to_owned),
            });
        }
        in_time(&mut sentences);
        let name = |at: usize| single_line(measured.role(at).unwrap_or_else(|| measured.label(at)));
        let last = sentences.iter().filter_map(|sentence| sentence.interval).map(|interval| interval.end).max();
        let stem = measured.file.rsplit_once('.').map_or(&*measured.file, |(stem, _)| stem);
        let is_channel = |one: &Participant| one.channel_id.is_some_and(|id| one.participant == format!("ch{id}"));
        Self {
            name: token(if stem.is_empty() { &measured.file } else { stem }),
            participants: (0..measured.participants.len()).map(name).collect(),
            duration_ms: measured.call.duration_ms.unwrap_or(0).max(last.unwrap_or(0)),
            are_channels: measured.participants.iter().all(is_channel),
            sentences,
        }
    }

    fn participant(&self, at: usize) -> &str {
        self.participants.get(at).map_or("", String::as_str)
    }

    /// Consecutive sentences of one participant as one paragraph, without those that are empty.
    fn paragraphs(&self) -> Vec<Paragraph<'_>> {
        let mut paragraphs: Vec<Paragraph<'_>> = Vec::new();
        for sentence in self.sentences.iter().filter(|sentence| !sentence.text.is_empty()) {
            match paragraphs.last_mut().filter(|last| last.participant == sentence.participant) {
                Some(last) => crate::text::join_into(&mut last.text, &sentence.text),
                None => paragraphs.push(Paragraph {
                    participant: sentence.participant,
                    name: self.participant(sentence.participant),
                    begin: sentence.interval.map(|interval| interval.begin),
                    text: sentence.text.clone(),
                }),
            }
        }
        paragraphs
    }
}

struct Paragraph<'c> {
    participant: usize,
    name: &'c str,
    begin: Option<i64>,
    text: String,
}

/// Puts sentences in order.
fn in_time(sentences: &mut Vec<Sentence>) {
    let mut before: HashMap<u32, i64> = HashMap::new();
    let mut keyed: Vec<(i64, Sentence)> = Vec::with_capacity(sentences.len());
    for sentence in sentences.drain(..) {
        let last = before.entry(sentence.channel).or_insert(0);
        *last = sentence.interval.map_or(*last, |interval| interval.begin);
        keyed.push((*last, sentence));
    }
    keyed.sort_by_key(|(at, _)| *at);
    sentences.extend(keyed.into_iter().map(|(_, sentence)| sentence));
}

/// White space and control characters as single blanks.
fn single_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text as one column of a line.
fn token(text: &str) -> String {
    let token = single_line(text).replace(' ', "_");
    if token.is_empty() { "_".to_owned() } else { token }
}

/// `1.500`
fn seconds(ms: i64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// `1:02`, `1:00:02`; rounded down.
fn clock(ms: i64) -> String {
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}
