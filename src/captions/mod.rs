//! Captions: a measured call → cues → SRT or WebVTT, and checks of caption files.
//!
//! [`Captions::new`] cuts what each participant says into cues, [`Captions::cues`] breaks them into lines for a
//! [`Format`], and [`Format::write`] makes a file of them. [`Format::read`] reads any tool's file, and [`check()`] compares
//! cues with [`Limits`].
//!
//! - Times come from the words, cleaned as for all metrics (definitions: time, piece): whole ms from the start of the recording. A sentence without
//!   word times divides its own time among its characters. A sentence without any time gets no cue and is counted.
//! - The text is the sentence's own, without markers such as `<|Speech|>` unless they count as text; white space becomes one space, control
//!   characters are escaped. Every timed character is in one cue.
//! - A cue has one speaker. It ends, in order of preference, after a sentence, after a clause, at a silence of
//!   [`Limits::pause_ms`], before a conjunction, or between words, but never inside a Latin word or a number. Closing
//!   Chinese and Japanese punctuation never begins a line, opening punctuation never ends one.
//! - A cue begins with its first word and stays long enough to read, at most [`Limits::run_on_ms`] past its last word, and
//!   never overlaps the next cue. Text too fast to read is written all the same; [`check()`] reports it.
//! - Speakers are named by role, or else by participant label. Room for the name is kept on the first line of cues that may
//!   need it in SRT, so both formats have the same cues.
//!
//! ```
//! use talkmeter::captions::{Captions, Format, Limits, check};
//! use talkmeter::metrics::{Settings, measure};
//!
//! let json = br#"{"transcripts": [
//!     {"channel_id": 0, "sentences": [{"begin_time": 0, "end_time": 2400, "text": "Thank you for calling."}]},
//!     {"channel_id": 1, "sentences": [{"begin_time": 2600, "end_time": 3600, "text": "R&D, please."}]}]}"#;
//! let transcript = talkmeter::transcript::read(json)?;
//! let mut settings = Settings::default();
//! settings.roles.insert("ch0", "agent").unwrap();
//! let captions = Captions::new(&measure("call.json", &transcript, &settings), &Limits::default());
//! let cues = captions.cues(Format::WebVtt);
//! assert_eq!(Format::WebVtt.write(&cues), "WEBVTT
//!
//! 00:00:00.000 --> 00:00:02.400
//! <v agent>Thank you for calling.
//!
//! 00:00:02.600 --> 00:00:03.600
//! <v ch1>R&amp;D, please.
//! ");
//! assert_eq!(Format::Srt.write(&captions.cues(Format::Srt)), "1
//! 00:00:00,000 --> 00:00:02,400
//! agent: Thank you for calling.
//!
//! 2
//! 00:00:02,600 --> 00:00:03,600
//! ch1: R&D, please.
//! ");
//! assert_eq!(check(&cues, Format::WebVtt, &Limits::default()), []);
//! # Ok::<(), talkmeter::transcript::ParseError>(())
//! ```

mod char_times;
mod check;
mod limits;
mod parse;
mod script;
mod segment;
mod srt;
mod tokens;
mod vtt;
mod wrap;

use std::collections::BTreeMap;

pub use check::{Rule, Violation, check};
pub use limits::Limits;
pub use parse::ParseError;
pub use script::{Script, is_japanese};

use crate::metrics::{Measured, SentenceRow, WordRow};
use crate::text::Markers;
use char_times::TimedWord;
use segment::{DraftCue, Stream, TokenizedSentence};

/// Longer names are cut: every cue of the speaker carries the name.
const LONGEST_NAME: usize = 60;

/// A caption file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Format {
    /// SubRip, `.srt`: numbered cues without overlap. The name appears when the speaker changes; people who speak at once
    /// share a cue, with a line `- Name: …` each.
    Srt,
    /// WebVTT, `.vtt`: every cue has a voice; cues of different speakers may overlap.
    WebVtt,
}

impl Format {
    /// Both formats.
    pub const ALL: [Self; 2] = [Self::Srt, Self::WebVtt];

    /// File name extension: `srt` or `vtt`.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Srt => "srt",
            Self::WebVtt => "vtt",
        }
    }

    /// The format of a file by its content; `None` if it does not look like captions.
    ///
    /// ```
    /// use talkmeter::captions::Format;
    ///
    /// assert_eq!(Format::detect(b"1\n00:00:01,000 --> 00:00:02,500\nHello\n"), Some(Format::Srt));
    /// assert_eq!(Format::detect(b"{}"), None);
    /// ```
    #[must_use]
    pub fn detect(bytes: &[u8]) -> Option<Self> {
        parse::detect(bytes)
    }

    /// The name of a file's encoding if it is neither UTF-8 nor marked, so that it had to be guessed.
    #[must_use]
    pub fn guessed_encoding(bytes: &[u8]) -> Option<&'static str> {
        parse::guessed_encoding(bytes)
    }

    /// The content of a file: UTF-8 without a byte order mark, lines ending in LF.
    ///
    /// SRT has no escapes: `<` and `>` become `‹` and `›`, and the brace of `{\` becomes `｛`, so that no player takes text
    /// for a tag. WebVTT escapes `&`, `<` and `>`.
    #[must_use]
    pub fn write(self, cues: &[Cue]) -> String {
        match self {
            Self::Srt => srt::write(cues),
            Self::WebVtt => vtt::write(cues),
        }
    }

    /// Reads a caption file. Any line ending will do; a byte order mark, cue settings and tags are skipped. SRT may have any
    /// encoding: see [`Format::guessed_encoding`].
    ///
    /// In WebVTT an empty line or the next time line ends a cue. In SRT a cue ends at the next time line, since many tools
    /// write blank lines inside a text.
    ///
    /// ```
    /// use talkmeter::captions::Format;
    ///
    /// let cues = Format::WebVtt.read(b"WEBVTT - made by hand\r\n\r\n1\r\n00:01.000 --> 00:02.500 line:0\r\n<v Ann>5 &lt; <i>6</i>\r\n")?;
    /// assert_eq!((cues[0].begin_ms, cues[0].end_ms), (1000, 2500));
    /// assert_eq!((cues[0].voice.as_deref(), &cues[0].lines[..]), (Some("Ann"), &["5 < 6".to_owned()][..]));
    /// let error = Format::Srt.read(b"1\n00:00:01,000 --> soon\nHello\n").unwrap_err();
    /// assert_eq!(error.to_string(), "line 2: `00:00:01,000 --> soon` is not a time line such as 00:00:01,000 --> 00:00:02,500");
    /// # Ok::<(), talkmeter::captions::ParseError>(())
    /// ```
    ///
    /// # Errors
    /// The bytes are not text, a WebVTT file is not UTF-8 or does not begin with `WEBVTT`, or a time line cannot be read.
    pub fn read(self, bytes: &[u8]) -> Result<Vec<Cue>, ParseError> {
        parse::parse(self, &parse::decode(self, bytes)?)
    }
}

/// Lines of text and when they are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Cue {
    /// First ms, from the start of the recording.
    pub begin_ms: i64,
    /// End in ms (exclusive).
    pub end_ms: i64,
    /// The speaker in WebVTT; `None` in SRT, where names are part of the text.
    pub voice: Option<String>,
    /// The text, without escapes and tags.
    pub lines: Vec<String>,
}

impl Cue {
    /// A cue without a voice, shown from `begin_ms` to `end_ms`.
    pub fn new<S: Into<String>>(begin_ms: i64, end_ms: i64, lines: impl IntoIterator<Item = S>) -> Self {
        Self { begin_ms, end_ms, voice: None, lines: lines.into_iter().map(Into::into).collect() }
    }
}

/// The captions of one call.
#[derive(Debug, Clone)]
pub struct Captions {
    /// Sorted by begin, end and participant.
    drafts: Vec<DraftCue>,
    /// Displayed names by participant.
    names: Vec<String>,
    limits: Limits,
    untimed_sentences: u64,
}

impl Captions {
    /// Cuts a measured call into cues.
    #[must_use]
    pub fn new(measured: &Measured<'_>, limits: &Limits) -> Self {
        let names: Vec<String> = (0..measured.participants.len())
            .map(|index| display_name(measured.role(index).unwrap_or_else(|| measured.label(index))))
            .collect();
        let markers = measured.markers();
        let texts: Vec<String> = measured.sentences().map(|sentence| shown_text(&sentence.text(), markers)).collect();
        let japanese = is_japanese(texts.iter().map(|text| &**text));
        let mut words = measured.words().peekable();
        let mut untimed_sentences = 0;
        // Two channels are two streams even if a role makes them one participant, since they may speak at once.
        let mut streams: BTreeMap<(usize, u32), Vec<TokenizedSentence>> = BTreeMap::new();
        for (sentence, text) in measured.sentences().zip(texts) {
            let mut own = Vec::new();
            while let Some(word) = words.next_if(|word| belongs_to(word, &sentence)) {
                own.push(word);
            }
            if text.is_empty() {
                continue;
            }
            match tokenize(&sentence, &text, (&own, markers), japanese, limits) {
                Some(tokens) => streams.entry((sentence.participant, sentence.channel_id)).or_default().push(tokens),
                None => untimed_sentences += 1,
            }
        }
        let streams: Vec<Stream> = streams
            .into_iter()
            .map(|((speaker, _), mut sentences)| {
                sentences.sort_by_key(|sentence| sentence.tokens.first().map_or(0, |token| token.begin));
                // The widest it can be, with `- ` and `: `.
                let width = |name: &String| Script::Chinese.columns(name).saturating_add(4);
                Stream { speaker, label: names.get(speaker).map_or(0, width), sentences }
            })
            .collect();
        let drafts = segment::cut(streams, limits);
        Self { drafts, names, limits: *limits, untimed_sentences }
    }

    /// The cues of a file, in order.
    ///
    /// Both formats have the same texts; SRT has names in them and joins cues that overlap.
    #[must_use]
    pub fn cues(&self, format: Format) -> Vec<Cue> {
        match format {
            Format::Srt => srt::cues(self),
            Format::WebVtt => vtt::cues(self),
        }
    }

    /// Number of sentences that have text but no cue, because neither they nor their words have a time.
    #[must_use]
    pub fn untimed_sentences(&self) -> u64 {
        self.untimed_sentences
    }

    fn name(&self, speaker: usize) -> &str {
        self.names.get(speaker).map_or("", |name| name)
    }
}

fn belongs_to(word: &WordRow<'_>, sentence: &SentenceRow<'_>) -> bool {
    (word.channel_id, word.sentence_index) == (sentence.channel_id, sentence.sentence_index)
}

/// The tokens of a sentence; `None` without a time.
fn tokenize(
    sentence: &SentenceRow<'_>,
    text: &str,
    (words, markers): (&[WordRow<'_>], Markers),
    japanese: bool,
    limits: &Limits,
) -> Option<TokenizedSentence> {
    let words: Vec<TimedWord> = words
        .iter()
        .map(|word| TimedWord {
            text: shown_text(&format!("{}{}", word.text(), word.punctuation()), markers),
            interval: word.interval.filter(|interval| interval.end > interval.begin),
        })
        .collect();
    let times = char_times::char_times(text, &words, sentence.interval)?;
    let script = Script::from_text(text, japanese);
    let tokens = tokens::tokens(text, &times, script, limits.pause_ms);
    (!tokens.is_empty()).then_some(TokenizedSentence { script, tokens })
}

/// The text of a sentence as captions show it: on one line, without markers unless they count as text.
fn shown_text(text: &str, markers: Markers) -> String {
    single_line(&markers.shown(text.into()))
}

/// Collapses white space to single spaces and escapes control characters. No-break spaces are kept.
fn single_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\u{A0}' | '\u{202F}' | '\u{2007}') {
            line.push(c);
        } else if c.is_whitespace() {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
        } else if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// A name that neither closes a tag nor looks like one.
fn display_name(name: &str) -> String {
    let plain = |c| match c {
        '<' => '‹',
        '>' => '›',
        '&' => '＆',
        c => c,
    };
    let name = single_line(name);
    if name.chars().nth(LONGEST_NAME).is_some() {
        return name.chars().take(LONGEST_NAME - 1).map(plain).chain(['…']).collect();
    }
    // A dash before the `>` that ends a tag would be an arrow.
    name.trim_end_matches('-').chars().map(plain).collect()
}

/// `00:00:01.500`; at least two digits of hours.
fn time(ms: i64, decimal: char) -> String {
    let ms = ms.max(0);
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}{decimal}{:03}", ms % 1000)
}

#[cfg(test)]
mod tests;
