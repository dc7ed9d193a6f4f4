//! Notices about a result file: a code, a count, and the first place.
//!
//! None of them is a failure. [`read`](super::read) adds those about values, [`crate::metrics::measure`] those about times
//! and texts; both become rows of the table `warnings`.

use std::fmt;

/// How much a notice matters to anyone who relies on the file's figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; the figures hold.
    Note,
    /// Some figures of this file are less reliable than they look.
    Serious,
}

macro_rules! codes {
    ($($variant:ident $name:literal $severity:ident $unit:literal $meaning:literal;)+) => {
        /// What can be odd about a file, in the order of the table `warnings` (definitions: warning).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $meaning] $variant,)+
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code in tables: `snake_case`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Whether it affects figures.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)+ }
            }

            /// The unit of the count: `sentences`, `words`, `ms`, …
            #[must_use]
            pub fn unit(self) -> &'static str {
                match self { $(Self::$variant => $unit,)+ }
            }

            /// Whether it is a row of the table `warnings`.
            #[must_use]
            pub fn is_tabled(self) -> bool {
                !matches!(self, Self::MaskedWords | Self::WindowsLeftOut | Self::WordsWithoutLength)
            }

            /// What it means and how it was handled, in one clause.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)+ }
            }
        }
    };
}

codes! {
    NothingToMeasure "nothing_to_measure" Note "file" "no speech was found in this recording; its figures are null";
    InvalidValue "invalid_value" Serious "values" "values of a wrong type or range; numbers in strings were read, others ignored";
    DuplicateKey "duplicate_key" Serious "keys" "a key appears twice in one object; the last value was used";
    ConflictingFields "conflicting_fields" Serious "transcripts" "the two names of one field have different values; the documented name was used";
    FractionalTime "fractional_time" Note "times" "times with a fraction of a millisecond, rounded half to even";
    ControlCharacters "control_characters" Note "texts" "control characters in the text; tables carry them as received";
    MissingChannel "missing_channel" Serious "channels" "the recording has a track that was not transcribed";
    MissingChannelId "missing_channel_id" Serious "transcripts" "transcripts without a channel id; their position was used";
    DuplicateChannelId "duplicate_channel_id" Serious "transcripts" "transcripts with the same channel id, read as one channel";
    TextWithoutSentences "text_without_sentences" Serious "transcripts" "text but no sentences, so no times";
    UntimedSentences "untimed_sentences" Serious "sentences" "sentences without times; only their text was counted";
    UntimedWords "untimed_words" Note "words" "words without times, kept with the previous timed word";
    NegativeInterval "negative_interval" Serious "words and sentences" "end before begin; the times were ignored, the text was counted";
    NegativeTime "negative_time" Note "words and sentences" "begin before the recording; clipped to 0";
    EndAfterDuration "end_after_duration" Serious "words and sentences" "end after the recording; clipped to its duration";
    OutOfOrder "out_of_order" Note "words and sentences" "not in time order; sorted before measuring";
    WordOutsideSentence "word_outside_sentence" Serious "words" "words outside their sentence; words that have a length were measured";
    SentenceLongerThanWords "sentence_longer_than_words" Note "sentences" "sentences over 2 s longer than their words; the words were measured";
    WordsDifferFromText "words_differ_from_text" Note "sentences" "the words do not spell the sentence; the text was counted";
    MixedBasis "mixed_basis" Note "sentences" "sentences measured by their own times in a file that has word times";
    BlankSentence "blank_sentence" Note "sentences" "sentences without a letter or digit; not speech if their track has no billed speech";
    SelfOverlapMs "self_overlap_ms" Note "ms" "sentences of one speaker overlap; the time was counted once";
    UnknownSpeaker "unknown_speaker" Serious "sentences" "over 5 % of the talk has no speaker; it is listed as `unknown`";
    DuplicateChannels "duplicate_channels" Serious "file" "two channels have the same speech; overlap and interruptions are null";
    PossibleChannelSkew "possible_channel_skew" Serious "file" "the clocks of the two channels seem to differ; not corrected";
    SuspiciousTimeUnit "suspicious_time_unit" Serious "file" "the typical word is shorter than 20 ms or longer than 2 s: these do not look like milliseconds";
    InterpolatedWords "interpolated_words" Note "sentences" "evenly spaced word times were interpolated by the recogniser";
    WordsWithoutLength "words_without_length" Note "sentences" "none of the words has a length; the sentence was measured";
    WindowsLeftOut "windows_left_out" Note "file" "the call would have over a million rows of windows; none were written";
    GuessedEncoding "guessed_encoding" Note "file" "not UTF-8; the encoding was guessed";
    CharacterTimes "character_times" Note "sentences" "fewer or more times than characters; measured from the first time to the last";
    SentenceTimes "sentence_times" Note "sentences" "begin or end differs from that of the characters, which were measured";
    MaskedWords "masked_words" Note "words" "words masked by the service count as no words: units and rates are lower bounds";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A place in a transcript, positions counted from 0; `None` if a level does not apply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Place {
    /// Line of a file of lines, counted from 1.
    pub line: Option<u32>,
    /// Position in `transcripts`, while the channel is not known yet.
    pub entry: Option<u32>,
    /// Channel id.
    pub channel: Option<u32>,
    /// Position in `sentences`: `sentence_index` in the tables.
    pub sentence: Option<u32>,
    /// Position in `words`: `word_index` in the tables.
    pub word: Option<u32>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let levels = [
            ("line", self.line),
            ("transcript", self.entry),
            ("channel", self.channel),
            ("sentence_index", self.sentence),
            ("word_index", self.word),
        ];
        let mut separator = "";
        for (level, position) in levels {
            if let Some(position) = position {
                write!(f, "{separator}{level} {position}")?;
                separator = ", ";
            }
        }
        Ok(())
    }
}

/// A code with its count and the first place.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Notice {
    /// What is odd.
    pub code: Code,
    /// Count, or ms for [`Code::SelfOverlapMs`].
    pub count: u64,
    /// The first place.
    pub place: Place,
    /// The field or value concerned; may be empty.
    pub what: &'static str,
}

impl Notice {
    /// The first place: `channel 0, sentence_index 3, word_index 5: begin_time`; `None` if there is none.
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        let place = self.place.to_string();
        match (place.is_empty(), self.what.is_empty()) {
            (true, true) => None,
            (true, false) => Some(self.what.to_owned()),
            (false, true) => Some(place),
            (false, false) => Some(format!("{place}: {}", self.what)),
        }
    }
}

/// Notices of one file, in the order they were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notices {
    list: Vec<Notice>,
    /// Position of the last mark; notices before it are not merged with new ones.
    marked: usize,
}

impl Notices {
    /// Adds one notice.
    pub(crate) fn add(&mut self, code: Code, place: Place, what: &'static str) {
        self.add_many(code, 1, place, what);
    }

    /// Adds `count` notices, the first of which is at `place`.
    pub(crate) fn add_many(&mut self, code: Code, count: u64, place: Place, what: &'static str) {
        match self.list.get_mut(self.marked..).and_then(<[Notice]>::last_mut) {
            // A million odd values are one notice, not a million.
            Some(last) if last.code == code && last.what == what => last.count += count,
            _ if count > 0 => self.list.push(Notice { code, count, place, what }),
            _ => {}
        }
    }

    /// Sets a mark for [`Notices::forget`] and returns it.
    pub(crate) fn mark(&mut self) -> usize {
        self.marked = self.list.len();
        self.marked
    }

    /// Removes the notices between two marks: they were about a value that a repeated key replaced.
    pub(crate) fn forget(&mut self, range: std::ops::Range<usize>) {
        for notice in self.list.iter_mut().take(range.end).skip(range.start) {
            notice.count = 0;
        }
    }

    /// One notice per code with the summed count, in the order of the table.
    #[must_use]
    pub fn summed(&self) -> Vec<Notice> {
        let mut rows: Vec<Notice> = Vec::new();
        for notice in self.list.iter().filter(|notice| notice.count > 0) {
            match rows.iter_mut().find(|row| row.code == notice.code) {
                Some(row) => row.count += notice.count,
                None => rows.push(notice.clone()),
            }
        }
        rows.sort_by_key(|row| row.code);
        rows
    }
}
