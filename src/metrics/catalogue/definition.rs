//! Sections of `docs/definitions.md` that columns point to.

macro_rules! definitions {
    ($($variant:ident $name:literal;)+) => {
        /// A section of `docs/definitions.md`: formula, null rule, example.
        ///
        /// ```
        /// use talkmeter::metrics::catalogue::Definition;
        /// assert_eq!(Definition::DeadAir.name(), "dead air");
        /// assert_eq!(Definition::DeadAir.anchor(), "dead-air");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Definition {
            $(#[doc = concat!("The section on ", $name, ".")] $variant,)+
        }

        impl Definition {
            /// Every section that some column points to.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its heading in lower case.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

definitions! {
    ArticulationRate "articulation rate";
    Backchannel "backchannel";
    Basis "basis";
    BillableSpeech "billable speech";
    BilledSeconds "billed seconds";
    Burst "burst";
    DeadAir "dead air";
    Duration "duration";
    Event "event";
    Fields "fields";
    Identifiers "identifiers";
    Interruption "interruption";
    KeywordHit "keyword hit";
    LanguageAndEmotion "language and emotion";
    Onset "onset";
    Overlap "overlap";
    Participant "participant";
    Price "price";
    Question "question";
    Reason "reason";
    Response "response";
    ResultFile "result file";
    Rule "rule";
    SideSpeech "side speech";
    Silence "silence";
    SimultaneousStart "simultaneous start";
    Span "span";
    SpeechRate "speech rate";
    Switch "switch";
    TalkShare "talk share";
    TalkTime "talk time";
    TerminalOverlap "terminal overlap";
    Time "time";
    Turn "turn";
    TurnText "turn text";
    Units "units";
    Warning "warning";
    Window "window";
}

impl Definition {
    /// The section's anchor in `docs/definitions.md`.
    #[must_use]
    pub fn anchor(self) -> String {
        self.name().replace(' ', "-")
    }
}
