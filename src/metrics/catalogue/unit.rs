//! Units of columns: what tables call them, and how people read them.

/// What a column counts or measures. Lengths differ in how people read them, not in what the tables hold: whole ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// Names, texts, keys.
    None,
    /// A short length: a pause, a turn.
    Ms,
    /// The length of something long: a recording, all the talk in it.
    LongMs,
    /// A signed distance between two moments: negative when they overlap.
    OffsetMs,
    /// Seconds, as billed.
    Seconds,
    /// Samples per second.
    Hertz,
    /// A part of a whole, 0 to 1.
    Share,
    /// One length over another; may exceed 1.
    Ratio,
    /// Events per minute.
    PerMinute,
    /// Units per minute: words, of which a Han character counts as one.
    UnitsPerMinute,
    /// Calls.
    Calls,
    /// Channels.
    Channels,
    /// Participants.
    Participants,
    /// Sentences.
    Sentences,
    /// Turns.
    Turns,
    /// Changes of turn.
    Switches,
    /// Dead air, overlap onsets.
    Events,
    /// Words, of which a Han character counts as one.
    Units,
    /// Words that do not begin with a Han character.
    Words,
    /// Han characters.
    Characters,
    /// Keyword hits.
    Hits,
    /// Warnings.
    Warnings,
    /// An amount of money.
    Currency,
    /// A price.
    CurrencyPerSecond,
    /// Differs from row to row.
    ByCode,
}

impl Unit {
    /// As in `report.json` and the catalogue; empty for [`Unit::None`].
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Ms | Self::LongMs | Self::OffsetMs => "ms",
            Self::Seconds => "s",
            Self::Hertz => "Hz",
            Self::Share => "0–1",
            Self::Ratio => "ratio",
            Self::PerMinute => "1/min",
            Self::UnitsPerMinute => "units/min",
            Self::Calls => "calls",
            Self::Channels => "channels",
            Self::Participants => "participants",
            Self::Sentences => "sentences",
            Self::Turns => "turns",
            Self::Switches => "switches",
            Self::Events => "events",
            Self::Units => "units",
            Self::Words => "words",
            Self::Characters => "characters",
            Self::Hits => "hits",
            Self::Warnings => "warnings",
            Self::Currency => "currency",
            Self::CurrencyPerSecond => "currency/s",
            Self::ByCode => "by code",
        }
    }

    /// Whether values are times or lengths in ms.
    #[must_use]
    pub fn is_ms(self) -> bool {
        matches!(self, Self::Ms | Self::LongMs | Self::OffsetMs)
    }
}

impl serde::Serialize for Unit {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
