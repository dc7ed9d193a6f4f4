//! What was odd about a result file: a code, how often, and the first place.
//!
//! Nothing here is a failure. The reader adds what it met on the way, [`crate::metrics::measure`]
//! adds what the times and texts show, and both end up as rows of the table `warnings`.

use std::fmt;

/// How much a finding matters to somebody who is about to trust figures from the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; the figures stand.
    Note,
    /// Some figures of this file mean less than they seem to.
    Serious,
}

macro_rules! codes {
    ($($variant:ident $name:literal $severity:ident $unit:literal $meaning:literal;)+) => {
        /// What can be odd about a file, in the order of the table `warnings` (definitions: warning).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = $meaning] $variant,)+
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code as it stands in tables: `snake_case`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Whether figures suffer.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)+ }
            }

            /// What is counted: `sentences`, `words`, `ms`, …
            #[must_use]
            pub fn unit(self) -> &'static str {
                match self { $(Self::$variant => $unit,)+ }
            }

            /// Whether it is a row of the table `warnings`; the others are for `check` alone.
            #[must_use]
            pub fn is_tabled(self) -> bool {
                !matches!(self, Self::MaskedWords | Self::WindowsLeftOut)
            }

            /// What it means and what was done about it, in one clause.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)+ }
            }
        }
    };
}

codes! {
    NothingToMeasure "nothing_to_measure" Note "file" "no speech was found in this recording; its figures are null";
    InvalidValue "invalid_value" Serious "values" "values of a wrong type or range; numbers spelt as strings were read, the others left out";
    DuplicateKey "duplicate_key" Serious "keys" "a key stands twice in one object; the last value was taken";
    ConflictingFields "conflicting_fields" Serious "transcripts" "the two names of one field differ; the documented one was taken";
    FractionalTime "fractional_time" Note "times" "times with a fraction of a millisecond, rounded half to even";
    ControlCharacters "control_characters" Note "texts" "control characters in the text; tables carry them as received";
    MissingChannel "missing_channel" Serious "channels" "the recording has a track that was not transcribed";
    MissingChannelId "missing_channel_id" Serious "transcripts" "transcripts without a channel id; their position was taken";
    DuplicateChannelId "duplicate_channel_id" Serious "transcripts" "transcripts that share a channel id; they were read as one channel";
    TextWithoutSentences "text_without_sentences" Serious "transcripts" "text but no sentences, so no times";
    UntimedSentences "untimed_sentences" Serious "sentences" "sentences without times; their text counts, their time cannot";
    UntimedWords "untimed_words" Note "words" "words without times; they go with the timed word before them";
    NegativeInterval "negative_interval" Serious "words and sentences" "end lies before begin; these times were ignored, the text counts";
    NegativeTime "negative_time" Note "words and sentences" "begin lies before the recording; clipped at 0";
    EndAfterDuration "end_after_duration" Serious "words and sentences" "end lies after the recording; clipped at its duration";
    OutOfOrder "out_of_order" Note "words and sentences" "not in time order; sorted before measuring";
    WordOutsideSentence "word_outside_sentence" Serious "words" "words lie outside their sentence; the words were measured";
    SentenceLongerThanWords "sentence_longer_than_words" Note "sentences" "sentences over 2 s longer than their words; the words were measured";
    WordsDifferFromText "words_differ_from_text" Note "sentences" "the words do not spell the sentence; counts are taken from the text";
    MixedBasis "mixed_basis" Note "sentences" "sentences measured by their own times among others measured by words";
    SelfOverlapMs "self_overlap_ms" Note "ms" "sentences of one speaker overlap; that time was counted once";
    UnknownSpeaker "unknown_speaker" Serious "sentences" "over 5 % of the talk has no speaker; it stands under `unknown`";
    DuplicateChannels "duplicate_channels" Serious "file" "two channels carry the same speech; overlap and interruptions mean nothing here";
    PossibleChannelSkew "possible_channel_skew" Serious "file" "the clocks of the two channels seem to differ; nothing was corrected";
    SuspiciousTimeUnit "suspicious_time_unit" Serious "file" "the typical word is shorter than 20 ms or longer than 2 s: these do not look like milliseconds";
    InterpolatedWords "interpolated_words" Note "sentences" "evenly spaced word times were interpolated by the recogniser";
    WindowsLeftOut "windows_left_out" Note "file" "the call would have over a million rows of windows; it has none";
    MaskedWords "masked_words" Note "words" "words masked by the service count no unit: units and rates are lower bounds";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where in a result file, positions counted from 0; `None` where a level does not apply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// Position in `transcripts`, where the channel is not known yet.
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

/// One finding, at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What it is.
    pub code: Code,
    /// How often, or how many ms for [`Code::SelfOverlapMs`].
    pub count: u64,
    /// Where it was met first.
    pub place: Place,
    /// The field or the value concerned; empty where the code says it all.
    pub what: &'static str,
}

impl Notice {
    /// The first place in words: `channel 0, sentence_index 3, word_index 5: begin_time`; `None` when there is none to tell.
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

/// Findings of one file in the order they were met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notices {
    list: Vec<Notice>,
    /// Where the last mark stands: what came before it is not added to any more.
    marked: usize,
}

impl Notices {
    /// Adds one finding.
    pub(crate) fn add(&mut self, code: Code, place: Place, what: &'static str) {
        self.add_many(code, 1, place, what);
    }

    /// Adds `count` findings whose first is at `place`; none at all when `count` is 0.
    pub(crate) fn add_many(&mut self, code: Code, count: u64, place: Place, what: &'static str) {
        match self.list.get_mut(self.marked..).and_then(<[Notice]>::last_mut) {
            // A file of a million odd values makes one notice, not a million.
            Some(last) if last.code == code && last.what == what => last.count += count,
            _ if count > 0 => self.list.push(Notice { code, count, place, what }),
            _ => {}
        }
    }

    /// How many have been met so far: a mark for [`Notices::forget`].
    pub(crate) fn mark(&mut self) -> usize {
        self.marked = self.list.len();
        self.marked
    }

    /// Takes back what was added between two marks: it concerned a value that a repeated key replaced.
    pub(crate) fn forget(&mut self, range: std::ops::Range<usize>) {
        for notice in self.list.iter_mut().take(range.end).skip(range.start) {
            notice.count = 0;
        }
    }

    /// One notice a code, counts added up, in the order of the table.
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
