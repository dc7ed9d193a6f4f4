//! Why a figure is null (definitions: reason). A figure that cannot be measured is never 0.

macro_rules! reasons {
    ($($variant:ident $name:literal $meaning:literal;)+) => {
        /// Why a figure could not be measured, in the order in which a row lists them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $(#[doc = $meaning] $variant,)+
        }

        impl Reason {
            /// Every reason, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code in the column `reason`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The reason in words.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)+ }
            }
        }
    };
}

reasons! {
    NoSpeech "no_speech" "no speech in the call, or by this participant";
    NoTimes "no_times" "there is text but no time";
    DurationUnknown "duration_unknown" "the file does not state the recording's duration";
    SingleParticipant "single_participant" "there is only one participant";
    SingleChannelDiarised "single_channel_diarised" "one track, split by diarisation, cannot show overlap";
    DuplicateChannels "duplicate_channels" "two channels carry the same speech";
    UnknownParticipant "unknown_participant" "the speaker of these sentences is not known";
    NoOtherSpeech "no_other_speech" "no other participant spoke";
    NoTurns "no_turns" "the participant spoke, but never held the floor";
    NoResponses "no_responses" "the participant never took the floor from another";
    NoWordTimes "no_word_times" "not all of the speech has word times";
    InterpolatedWords "interpolated_words" "the word times are interpolated";
    ScriptNeedsDictionary "script_needs_dictionary" "Thai, Lao, Khmer and Burmese words cannot be counted without a dictionary";
    UntimedText "untimed_text" "over 10 % of the units have no time";
    TooLittleSpeech "too_little_speech" "too little speech for a rate";
    ForeignResult "foreign_result" "the transcript of another recogniser, which the service does not bill";
}

/// A figure, or why there is none.
pub(crate) type Figure<T> = Result<T, Reason>;

/// The distinct reasons of one row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reasons(u16);

impl Reasons {
    /// The value of a figure; records the reason where there is none.
    pub(crate) fn take<T>(&mut self, figure: Figure<T>) -> Option<T> {
        figure.map_err(|reason| self.0 |= 1 << reason as u16).ok()
    }

    /// The reasons in order.
    pub fn iter(self) -> impl Iterator<Item = Reason> {
        Reason::ALL.iter().copied().filter(move |&reason| self.0 & (1 << reason as u16) != 0)
    }

    /// The value of the column `reason`: codes joined by `;`, `None` when nothing is null.
    #[must_use]
    pub fn cell(self) -> Option<String> {
        (self.0 != 0).then(|| self.iter().map(Reason::name).collect::<Vec<_>>().join(";"))
    }
}

impl serde::Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl serde::Serialize for Reasons {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.cell().serialize(serializer)
    }
}
