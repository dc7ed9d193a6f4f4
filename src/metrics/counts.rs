//! What thresholds and presets decide about a call, for many settings at once (definitions: sensitivity).
//!
//! The transcript is cleaned and cut once. Bursts are made anew for each join gap, turns for each turn pause; only the
//! classes of onsets are decided for every setting.

use std::collections::HashMap;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::conversation::{Burst, Conversation};
use super::figures::{overlap_cause, timed};
use super::floor::Floor;
use super::onsets::{EventKind, Onset, onsets, onsets_of_sentences};
use super::participants::Roles;
use super::quality;
use super::sweep::Sweep;
use super::texts::Texts;
use super::{Preset, Settings};
use crate::transcript::Transcript;

/// The five classes of onsets, dead air, and turns of a call; `None` where one cannot be measured.
///
/// Serialises as an object by [name](Counts::NAMES).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts([Option<i64>; 8]);

impl Counts {
    /// The counts in order. All but three classes of onsets are columns of `calls`; these are sums over `participants`.
    pub const NAMES: [&str; 8] = [
        "interruption_count",
        "backchannel_count",
        "side_speech_count",
        "terminal_overlap_count",
        "simultaneous_start_count",
        "dead_air_count",
        "dead_air_ms",
        "turn_count",
    ];

    /// Values in the order of [`Counts::NAMES`].
    pub(crate) fn new(values: [Option<i64>; 8]) -> Self {
        Self(values)
    }

    /// The counts, in the order of [`Counts::NAMES`].
    #[must_use]
    pub fn values(&self) -> [Option<i64>; 8] {
        self.0
    }
}

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in Self::NAMES.iter().zip(&self.0) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// The counts of one call under each of these settings, which differ in preset and thresholds alone.
pub(crate) fn counts(transcript: &Transcript<'_>, roles: &Roles, settings: &[Settings]) -> Vec<Counts> {
    let Some(first) = settings.first() else { return Vec::new() };
    let mut found = vec![Counts::default(); settings.len()];
    let mut conversation = Conversation::new(transcript, roles, first.parameters.join_gap_ms, first.markers);
    let duplicates = quality::duplicate_channels(&conversation);
    let mut gaps: Vec<i64> = settings.iter().map(|settings| settings.parameters.join_gap_ms).collect();
    gaps.sort_unstable();
    gaps.dedup();
    for gap in gaps {
        conversation.join_bursts(gap);
        let mut bursts = OfBursts::new(&conversation, duplicates);
        for (settings, found) in settings.iter().zip(&mut found) {
            if settings.parameters.join_gap_ms == gap {
                *found = bursts.counts(settings);
            }
        }
    }
    found
}

/// The bursts of one join gap, and what has been found about them.
struct OfBursts<'c, 't> {
    conversation: &'c Conversation<'t>,
    sweep: Sweep,
    is_timed: bool,
    has_overlap: bool,
    texts: Texts,
    /// By the first piece of a burst.
    units: HashMap<u32, Option<u32>>,
    /// By turn pause.
    turns: HashMap<i64, i64>,
    /// What `sca` takes for bursts.
    sentences: Option<Vec<Burst>>,
    /// The number of onsets of each class, by what decides it.
    kinds: HashMap<(&'static str, [i64; 4]), Kinds>,
}

/// By [`EventKind`].
type Kinds = [i64; EventKind::ALL.len()];

impl<'c, 't> OfBursts<'c, 't> {
    fn new(conversation: &'c Conversation<'t>, duplicates: bool) -> Self {
        let sweep = Sweep::new(conversation);
        Self {
            is_timed: timed(conversation, &sweep).is_ok(),
            has_overlap: overlap_cause(conversation, &sweep, duplicates).is_ok(),
            conversation,
            sweep,
            texts: Texts::default(),
            units: HashMap::new(),
            turns: HashMap::new(),
            sentences: None,
            kinds: HashMap::new(),
        }
    }

    fn counts(&mut self, settings: &Settings) -> Counts {
        let parameters = &settings.parameters;
        let thresholds = [
            parameters.interruption_overlap_ms,
            parameters.incumbent_ms,
            parameters.backchannel_max_ms,
            parameters.backchannel_max_units,
        ];
        let key = (settings.preset.name(), thresholds);
        let known = self.kinds.get(&key).copied();
        let kinds = self.has_overlap.then(|| known.unwrap_or_else(|| self.kinds(settings)));
        self.kinds.extend(kinds.map(|kinds| (key, kinds)));
        let of = |kind: EventKind| kinds.map(|kinds| kinds.get(kind as usize).copied().unwrap_or(0));
        let lengths = self.sweep.gaps.iter().map(|gap| gap.interval.length());
        let dead_air: Vec<i64> = lengths.filter(|length| *length >= settings.parameters.dead_air_ms).collect();
        let pause = settings.parameters.turn_pause_ms;
        let conversation = self.conversation;
        let turns = self.turns.entry(pause).or_insert_with(|| Floor::new(conversation, pause).turns.len() as i64);
        let timed = |count: i64| self.is_timed.then_some(count);
        Counts::new([
            of(EventKind::Interruption),
            of(EventKind::Backchannel),
            of(EventKind::SideSpeech),
            of(EventKind::TerminalOverlap),
            of(EventKind::SimultaneousStart),
            timed(dead_air.len() as i64),
            timed(dead_air.iter().sum()),
            timed(*turns),
        ])
    }

    /// The number of onsets of each class. Equal starts are none (definitions: equal start).
    fn kinds(&mut self, settings: &Settings) -> Kinds {
        let Self { conversation, texts, units, sentences, .. } = self;
        let conversation = *conversation;
        let found: Vec<Onset<'_>> = if settings.preset == Preset::Sca {
            let sentences = sentences.get_or_insert_with(|| conversation.sentences_in_time());
            onsets_of_sentences(conversation, sentences, settings, |sentence| {
                conversation.sentences.get(sentence.pieces.start as usize)?.units.units()
            })
        } else {
            onsets(conversation, settings, |burst| {
                let measured = || texts.text(conversation, &burst.pieces, settings.markers).1.units();
                *units.entry(burst.pieces.start).or_insert_with(measured)
            })
        };
        let mut kinds = [0; EventKind::ALL.len()];
        for onset in found.iter().filter(|onset| onset.held_ms > 0) {
            if let Some(count) = kinds.get_mut(onset.kind as usize) {
                *count += 1;
            }
        }
        kinds
    }
}
