//! Captions of a recording: a measured [`Transcript`](crate::transcript::Transcript) → cues → SRT and WebVTT, and what is wrong with
//! captions that are there.
//!
//! [`Captions::of`] cuts what each participant says into cues, [`Captions::cues`] puts them on lines for a [`Format`],
//! [`Format::write`] makes a file of them. [`Format::read`] takes a file apart again, whoever made it, and
//! [`check`] holds cues against [`Rules`].
//!
//! - Times are those of the words, cleaned as for every figure (definitions: time, piece): whole ms from the start. A
//!   sentence without word times shares its own among its characters. A sentence without any time has no cue and is
//!   counted.
//! - The text is the sentence's own, as received; white space becomes one space, control characters are escaped. Every
//!   timed character is in one cue.
//! - A cue has one speaker. It ends, in this order of preference, behind a sentence, behind a clause, at a silence of
//!   [`Rules::pause_ms`], in front of a conjunction, between words; never inside a Latin word or a number. Chinese and
//!   Japanese punctuation that closes begins no line, what opens ends none.
//! - A cue begins with its first word and stays until it can be read, at most [`Rules::run_on_ms`] behind its last word
//!   and not into the next cue of anybody. What cannot be read in time is written all the same: [`check`] names it.
//! - Names are the roles given, else the participant labels. On the first line of a cue that may need the name in SRT
//!   room is left for it; both formats have the same cues.
//!
//! ```
//! use talkmeter::metrics::{Settings, measure};
//! use talkmeter::captions::{Captions, Format, Rules, check};
//!
//! let json = br#"{"transcripts": [
//!     {"channel_id": 0, "sentences": [{"begin_time": 0, "end_time": 2400, "text": "Thank you for calling."}]},
//!     {"channel_id": 1, "sentences": [{"begin_time": 2600, "end_time": 3600, "text": "R&D, please."}]}]}"#;
//! let transcript = talkmeter::transcript::read(json)?;
//! let mut settings = Settings::default();
//! settings.roles.insert("ch0", "agent").unwrap();
//! let captions = Captions::of(&measure("call.json", &transcript, &settings), &Rules::default());
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
//! assert_eq!(check(&cues, Format::WebVtt, &Rules::default()), []);
//! # Ok::<(), talkmeter::transcript::ParseError>(())
//! ```

mod breaks;
mod checking;
mod cutting;
mod limits;
mod reading;
mod saying;
mod srt;
mod vtt;
mod wrapping;

use std::collections::BTreeMap;

pub use checking::{Rule, Violation, check};
pub use limits::{Rules, Script, is_japanese};
pub use reading::NotCaptions;

use crate::metrics::{Measured, SentenceRow, WordRow};
use cutting::{Cut, Spoken, Stream};
use saying::Timed;

/// A name is cut to so many characters: it stands in every cue.
const LONGEST_NAME: usize = 60;

/// A kind of caption file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// SubRip, `.srt`: numbered cues without overlap; a name where the speaker changes, and a line `- Name: …` for each of
    /// several who speak at once.
    Srt,
    /// WebVTT, `.vtt`: a voice on every cue; cues of several speakers overlap.
    WebVtt,
}

impl Format {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Srt, Self::WebVtt];

    /// Of its files: `srt`, `vtt`.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Srt => "srt",
            Self::WebVtt => "vtt",
        }
    }

    /// A file's content: UTF-8 without a byte order mark, lines end in LF. The same cues, the same bytes.
    ///
    /// SRT has no escapes: there `<` and `>` are written `‹` and `›` and the brace of `{\` as `｛`, so that no player takes
    /// text for a tag. In WebVTT `&`, `<` and `>` are escaped.
    #[must_use]
    pub fn write(self, cues: &[Cue]) -> String {
        match self {
            Self::Srt => srt::write(cues),
            Self::WebVtt => vtt::write(cues),
        }
    }

    /// Reads a file of anybody's making, tolerantly: any line ends, a byte order mark, positions and tags are skipped.
    ///
    /// ```
    /// use talkmeter::captions::Format;
    ///
    /// let cues = Format::WebVtt.read(b"WEBVTT - made by hand\r\n\r\n1\r\n00:01.000 --> 00:02.500 line:0\r\n<v Ann>5 &lt; <i>6</i>\r\n")?;
    /// assert_eq!((cues[0].begin_ms, cues[0].end_ms), (1000, 2500));
    /// assert_eq!((cues[0].voice.as_deref(), &cues[0].lines[..]), (Some("Ann"), &["5 < 6".to_owned()][..]));
    /// let error = Format::Srt.read(b"1\n00:00:01,000 --> soon\nHello\n").unwrap_err();
    /// assert_eq!(error.to_string(), "line 2: `00:00:01,000 --> soon` is no time line such as 00:00:01,000 --> 00:00:02,500");
    /// # Ok::<(), talkmeter::captions::NotCaptions>(())
    /// ```
    ///
    /// # Errors
    /// What is no such file: not UTF-8, no `WEBVTT` at the start, a time line that cannot be read.
    pub fn read(self, bytes: &[u8]) -> Result<Vec<Cue>, NotCaptions> {
        reading::read(self, bytes)
    }
}

/// Some lines and when they are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cue {
    /// ms from the start of the recording.
    pub begin_ms: i64,
    /// The first ms at which it is gone.
    pub end_ms: i64,
    /// Who speaks, in WebVTT; `None` in SRT, where names are text.
    pub voice: Option<String>,
    /// Without escapes.
    pub lines: Vec<String>,
}

/// What a call comes to as captions.
#[derive(Debug, Clone)]
pub struct Captions {
    /// By begin, end and participant.
    cuts: Vec<Cut>,
    /// By participant.
    names: Vec<String>,
    rules: Rules,
    /// Sentences with text that have no cue, because neither they nor their words have a time.
    pub untimed_sentences: u64,
}

impl Captions {
    /// Cuts a measured call.
    #[must_use]
    pub fn of(measured: &Measured<'_>, rules: &Rules) -> Self {
        let names: Vec<String> = (0..measured.participants.len())
            .map(|index| name(measured.role(index).unwrap_or_else(|| measured.label(index))))
            .collect();
        let texts: Vec<String> = measured.sentences().map(|sentence| clean(&sentence.text())).collect();
        let japanese = is_japanese(texts.iter().map(|text| &**text));
        let mut words = measured.words().peekable();
        let mut untimed_sentences = 0;
        // Two channels are two streams, even where one role makes them one participant: they may speak at once.
        let mut streams: BTreeMap<(usize, u32), Vec<Spoken>> = BTreeMap::new();
        for (sentence, text) in measured.sentences().zip(texts) {
            let mut own = Vec::new();
            while let Some(word) = words.next_if(|word| is_of(word, &sentence)) {
                own.push(word);
            }
            if text.is_empty() {
                continue;
            }
            match spoken(&sentence, &text, &own, japanese, rules) {
                Some(spoken) => streams.entry((sentence.participant, sentence.channel_id)).or_default().push(spoken),
                None => untimed_sentences += 1,
            }
        }
        let streams: Vec<Stream> = streams
            .into_iter()
            .map(|((speaker, _), mut sentences)| {
                sentences.sort_by_key(|sentence| sentence.tokens.first().map_or(0, |token| token.begin));
                // As wide as it can be, with `- ` and `: `.
                let width = |name: &String| Script::Chinese.columns(name).saturating_add(4);
                Stream { speaker, label: names.get(speaker).map_or(0, width), sentences }
            })
            .collect();
        let cuts = cutting::cut(streams, rules);
        Self { cuts, names, rules: *rules, untimed_sentences }
    }

    /// The cues of a file, in order.
    #[must_use]
    pub fn cues(&self, format: Format) -> Vec<Cue> {
        match format {
            Format::Srt => srt::cues(self),
            Format::WebVtt => vtt::cues(self),
        }
    }

    fn name(&self, speaker: usize) -> &str {
        self.names.get(speaker).map_or("", |name| name)
    }
}

fn is_of(word: &WordRow<'_>, sentence: &SentenceRow<'_>) -> bool {
    (word.channel_id, word.sentence_index) == (sentence.channel_id, sentence.sentence_index)
}

/// A sentence as tokens; `None` without a time.
fn spoken(
    sentence: &SentenceRow<'_>,
    text: &str,
    words: &[WordRow<'_>],
    japanese: bool,
    rules: &Rules,
) -> Option<Spoken> {
    let words: Vec<Timed> = words
        .iter()
        .map(|word| Timed {
            text: clean(&format!("{}{}", word.text(), word.punctuation())),
            interval: word.interval.filter(|interval| interval.end > interval.begin),
        })
        .collect();
    let said = saying::said(text, &words, sentence.interval)?;
    let script = Script::of(text, japanese);
    let tokens = breaks::tokens(text, &said, script, rules.pause_ms);
    (!tokens.is_empty()).then_some(Spoken { script, tokens })
}

/// One line of text: white space becomes one space, control characters are escaped. Spaces that hold words together stay.
fn clean(text: &str) -> String {
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

/// A name that ends no tag and looks like none.
fn name(name: &str) -> String {
    let plain = |c| match c {
        '<' => '‹',
        '>' => '›',
        '&' => '＆',
        c => c,
    };
    let name = clean(name);
    if name.chars().nth(LONGEST_NAME).is_some() {
        return name.chars().take(LONGEST_NAME - 1).map(plain).chain(['…']).collect();
    }
    name.chars().map(plain).collect()
}

/// `00:00:01.500`, hours with as many digits as they need.
fn time(ms: i64, decimal: char) -> String {
    let ms = ms.max(0);
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}{decimal}{:03}", ms % 1000)
}

#[cfg(test)]
mod tests;
