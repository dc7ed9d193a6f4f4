//! Measures a call: [`Transcript`] → [`Measured`]. Plain Rust over sorted slices, one call at a time.
//!
//! Times are whole ms, half-open. Everything is a function of the *bursts*: per participant, the union of word
//! intervals (of the sentence's own where it has no timed word), gaps up to [`Parameters::join_gap_ms`] closed.
//! A figure that cannot be measured is `None`, and its row says why ([`Reason`]); 0 is a measured zero. What each
//! figure means stands in the [catalogue]. Comments name the sections of [definitions](crate::definitions).
//!
//! The worked example of the definitions, two channels of 15 s:
//!
//! ```
//! use talkmeter::metrics::{Settings, measure};
//! # fn sentence(begin: i64, end: i64, words: usize) -> String {
//! #     let text = vec!["word"; words].join(" ");
//! #     format!(r#"{{"begin_time": {begin}, "end_time": {end}, "text": "{text}",
//! #         "words": [{{"begin_time": {begin}, "end_time": {end}, "text": "{text}", "punctuation": ""}}]}}"#)
//! # }
//! # let channel = |id: u32, sentences: &[(i64, i64, usize)]| {
//! #     let sentences: Vec<String> = sentences.iter().map(|&(b, e, n)| sentence(b, e, n)).collect();
//! #     format!(r#"{{"channel_id": {id}, "sentences": [{}]}}"#, sentences.join(","))
//! # };
//! // (begin, end, words) of each sentence
//! let ch0 = [(500, 900, 1), (900, 1500, 1), (1700, 2000, 1), (3700, 6000, 9), (11200, 14000, 8)];
//! let ch1 = [(2300, 2500, 1), (2900, 3900, 4), (4500, 4800, 1), (9500, 12500, 10), (14000, 14000, 1)];
//! # let json = format!(r#"{{"properties": {{"channels": [0, 1], "original_duration_in_milliseconds": 15000}},
//! #     "transcripts": [{}, {}]}}"#, channel(0, &ch0), channel(1, &ch1));
//! let transcript = talkmeter::transcript::read(json.as_bytes())?;
//! let measured = measure("golden.json", &transcript, &Settings::default());
//! let call = &measured.call;
//! assert_eq!((call.speech_ms, call.overlap_ms, call.silence_ms), (Some(9300), Some(1800), Some(4200)));
//! assert_eq!((call.switch_count, call.longest_silence_ms), (Some(4), Some(3500)));
//! let [agent, customer] = &measured.participants[..] else { unreachable!() };
//! assert_eq!((agent.talk_ms, customer.talk_ms), (Some(6600), Some(4500)));
//! assert_eq!((agent.response_ms_p50, customer.response_ms_p50), (Some(-750), Some(1900)));
//! assert_eq!(format!("{:.1}", agent.units_per_min.unwrap()), "181.8");
//! let kinds: Vec<_> = measured.events.iter().map(|event| (event.begin_ms, event.kind.name())).collect();
//! assert_eq!(kinds, [
//!     (3700, "terminal_overlap"), (4500, "backchannel"), (6000, "dead_air"), (11200, "interruption"),
//! ]);
//! # Ok::<(), talkmeter::transcript::ParseError>(())
//! ```

mod billable;
pub mod catalogue;
mod conversation;
#[cfg(feature = "analytics")]
mod counts;
mod evidence;
mod figures;
mod floor;
mod hits;
mod interval;
pub mod keywords;
mod onsets;
mod parameters;
mod participants;
mod percentile;
mod pieces;
mod preset;
mod quality;
mod reason;
mod rows;
#[cfg(feature = "analytics")]
mod stored;
mod sweep;
mod texts;
mod windows;

pub use conversation::Basis;
#[cfg(feature = "analytics")]
pub use counts::Counts;
#[cfg(feature = "analytics")]
pub(crate) use counts::counts;
pub use evidence::{Evidence, EvidenceWord};
pub(crate) use hits::Occurrence;
pub use interval::Interval;
#[cfg(feature = "analytics")]
pub(crate) use interval::joined;
pub use onsets::EventKind;
pub use parameters::{Parameter, Parameters};
pub use participants::Roles;
pub use percentile::percentile;
#[cfg(feature = "analytics")]
pub(crate) use pieces::cut_sentence;
pub use preset::Preset;
pub use reason::{Reason, Reasons};
pub use rows::{
    BillableTrack, BurstRow, Call, Event, Hit, Measured, Participant, RuleRow, SentenceRow, TimeBasis, Turn, Warning,
    Window, WordRow,
};

#[cfg(feature = "analytics")]
pub(crate) use stored::StoredCall;

use crate::catalog::{BilledBy, Catalog, Region};
use crate::text::Markers;
use conversation::Conversation;
use figures::Figures;
use floor::Floor;
use keywords::Keywords;
use sweep::Sweep;
use texts::Texts;

use crate::transcript::{Code, Severity, Transcript};

/// The version of the definitions behind the figures: two reports of different versions do not compare.
pub const DEFINITIONS_VERSION: u32 = 2;

/// What a measurement depends on besides the transcript.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct Settings {
    /// How overlap onsets are classified.
    pub preset: Preset,
    /// Thresholds.
    pub parameters: Parameters,
    /// Roles by participant label.
    pub roles: Roles,
    /// Keywords to search for; with `None` there are no hits, and their counts are null.
    pub keywords: Option<Keywords>,
    /// Length of a window in ms, at least 1.
    pub window_ms: i64,
    /// Whether `[PII]`, `<unk>` and the like count as words.
    pub markers: Markers,
    /// The model that made the transcripts, if known.
    pub model: Option<String>,
    /// The region it ran in, if known.
    pub region: Option<Region>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            preset: Preset::Default,
            parameters: Parameters::default(),
            roles: Roles::default(),
            keywords: None,
            window_ms: 60_000,
            markers: Markers::Drop,
            model: None,
            region: None,
        }
    }
}

/// The longest window in ms: a day.
pub const LONGEST_WINDOW_MS: i64 = 86_400_000;

/// Rows and texts that no figure of a call or participant depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// The rows of `turns`.
    pub(crate) turns: bool,
    /// The column `text` of `events`.
    pub(crate) event_texts: bool,
    /// The rows of `windows`.
    pub(crate) windows: bool,
}

impl Wanted {
    pub(crate) const ALL: Self = Self { turns: true, event_texts: true, windows: true };
    #[cfg(feature = "analytics")]
    pub(crate) const NONE: Self = Self { turns: false, event_texts: false, windows: false };
}

/// Measures one call. `file` is its name in the tables.
#[must_use]
pub fn measure<'t>(file: &str, transcript: &'t Transcript<'t>, settings: &Settings) -> Measured<'t> {
    measure_wanted(file, transcript, settings, &settings.roles, Wanted::ALL)
}

/// The same with roles of its own, and without the rows and texts that are not wanted.
pub(crate) fn measure_wanted<'t>(
    file: &str,
    transcript: &'t Transcript<'t>,
    settings: &Settings,
    roles: &Roles,
    wanted: Wanted,
) -> Measured<'t> {
    let parameters = &settings.parameters;
    let mut conversation = Conversation::new(transcript, roles, parameters.join_gap_ms, settings.markers);
    let sweep = Sweep::new(&conversation);
    let floor = Floor::new(&conversation, parameters.turn_pause_ms);
    let mut texts = Texts::default();
    let model = settings.model.as_deref().and_then(|model| Catalog::builtin().model(model));
    let by_length = model.is_some_and(|model| model.billed_by == BilledBy::Length);
    let billable = billable::tracks(&conversation, by_length);
    let hits = settings
        .keywords
        .as_ref()
        .map(|keywords| hits::of_keywords(hits::search(&conversation, &floor, &mut texts, keywords), keywords));
    let figures = figures::measure(&mut conversation, &sweep, &floor, &mut texts, settings, wanted);
    let Figures { mut call, mut participants, turns, events, windows } = figures;
    if let Some(hits) = &hits {
        call.keyword_hit_count = Some(hits.len() as i64);
        for participant in &mut participants {
            participant.keyword_hit_count = Some(0);
        }
        for hit in hits {
            if let Some(participant) = hit.participant.and_then(|index| participants.get_mut(index)) {
                participant.keyword_hit_count = participant.keyword_hit_count.map(|count| count + 1);
            }
        }
    }
    billable::sum(&mut call, &conversation, by_length, &billable);
    let warnings: Vec<Warning> = conversation
        .notices
        .summed()
        .into_iter()
        .map(|notice| Warning {
            code: notice.code,
            severity: match notice.code {
                Code::SelfOverlapMs if conversation.is_stitched => Severity::Serious,
                code => code.severity(),
            },
            count: notice.count,
            detail: notice.detail(),
        })
        .collect();
    call.warning_count = warnings.iter().filter(|warning| warning.code.is_tabled()).count() as i64;
    let (file, region) = (file.to_owned(), settings.region);
    let hits = hits.unwrap_or_default();
    Measured {
        file,
        call,
        participants,
        turns,
        events,
        hits,
        windows,
        billable,
        warnings,
        region,
        conversation,
        floor,
        rules: Vec::new(),
        rule_hits: Vec::new(),
    }
}
