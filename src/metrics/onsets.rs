//! Overlap onsets with their five classes, and equal starts (definitions: onset, equal start).

use super::Settings;
use super::conversation::{Burst, Conversation};
use super::preset::{Preset, SCA_LEAST_UNITS};

/// The kind of an event. The order is that in which events with the same times are listed (definitions: event).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// Mutual silence of at least `dead_air_ms`.
    DeadAir,
    /// Outlasts the incumbent and overlaps at least `interruption_overlap_ms`, after the incumbent held the floor for at
    /// least `incumbent_ms`.
    Interruption,
    /// Short and inside the incumbent's burst.
    Backchannel,
    /// Inside the incumbent's burst, but not a backchannel.
    SideSpeech,
    /// Outlasts the incumbent after a short overlap: ordinary fast turn-taking.
    TerminalOverlap,
    /// Outlasts an incumbent who held for less than `incumbent_ms`; or both began in the same ms.
    SimultaneousStart,
}

impl EventKind {
    /// Every kind, in order.
    pub const ALL: [Self; 6] = [
        Self::DeadAir,
        Self::Interruption,
        Self::Backchannel,
        Self::SideSpeech,
        Self::TerminalOverlap,
        Self::SimultaneousStart,
    ];

    /// The kind of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Every kind in the order in which readers look for them.
    pub const FOR_READERS: [Self; 6] = [
        Self::Interruption,
        Self::DeadAir,
        Self::SimultaneousStart,
        Self::SideSpeech,
        Self::TerminalOverlap,
        Self::Backchannel,
    ];

    /// One such event, for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::DeadAir => "dead air",
            Self::Interruption => "interruption",
            Self::Backchannel => "backchannel",
            Self::SideSpeech => "side speech",
            Self::TerminalOverlap => "overlap at a turn change",
            Self::SimultaneousStart => "simultaneous start",
        }
    }

    /// A heading for several.
    #[must_use]
    pub fn heading(self) -> &'static str {
        match self {
            Self::DeadAir => "Dead air",
            Self::Interruption => "Interruptions",
            Self::Backchannel => "Backchannels",
            Self::SideSpeech => "Side speech",
            Self::TerminalOverlap => "Overlaps at a turn change",
            Self::SimultaneousStart => "Simultaneous starts",
        }
    }

    /// The column of `calls` that says whether events of this kind could be measured.
    #[must_use]
    pub fn column(self) -> &'static str {
        if self == Self::DeadAir { "dead_air_count" } else { "onset_count" }
    }

    /// The value of the column `kind`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DeadAir => "dead_air",
            Self::Interruption => "interruption",
            Self::Backchannel => "backchannel",
            Self::SideSpeech => "side_speech",
            Self::TerminalOverlap => "terminal_overlap",
            Self::SimultaneousStart => "simultaneous_start",
        }
    }
}

impl serde::Serialize for EventKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A burst that began while another participant was talking, or in the same ms as another's burst.
#[derive(Debug, Clone)]
pub(crate) struct Onset<'c> {
    pub(crate) kind: EventKind,
    pub(crate) burst: &'c Burst,
    /// The incumbent, or the other of an equal start.
    pub(crate) other: u32,
    pub(crate) overlap_ms: i64,
    /// How long the incumbent had been talking; 0 for an equal start, which is not an onset (definitions: equal start).
    pub(crate) held_ms: i64,
}

/// Finds the onsets among the bursts of known participants. `units` returns the units of a burst, `None` where they cannot
/// be counted.
pub(crate) fn onsets<'c>(
    conversation: &'c Conversation<'_>,
    settings: &Settings,
    mut units: impl FnMut(&Burst) -> Option<u32>,
) -> Vec<Onset<'c>> {
    let known = |burst: &&Burst| conversation.is_known(burst.participant);
    let mut bursts: Vec<&Burst> = conversation.bursts.iter().filter(known).collect();
    // A sorted run for each participant, which a stable sort merges.
    bursts.sort_by_key(|burst| (burst.interval.begin, burst.participant));
    let mut found = Vec::new();
    // Bursts that began earlier, in order of begin; the front is dropped once it has ended. `latest_end` over all of
    // them is also the latest end of those still talking.
    let mut earlier = std::collections::VecDeque::new();
    let mut latest_end = i64::MIN;
    for together in bursts.chunk_by(|one, two| one.interval.begin == two.interval.begin) {
        let Some(begin) = together.first().map(|burst| burst.interval.begin) else { continue };
        while earlier.front().is_some_and(|burst: &&Burst| burst.interval.end <= begin) {
            earlier.pop_front();
        }
        if let Some(incumbent) = earlier.front() {
            for burst in together {
                let overlap_ms = burst.interval.end.min(latest_end) - begin;
                let held_ms = begin - incumbent.interval.begin;
                let inside = burst.interval.end <= incumbent.interval.end;
                let kind = classify(burst, inside, overlap_ms, held_ms, settings, &mut units);
                found.push(Onset { kind, burst, other: incumbent.participant, overlap_ms, held_ms });
            }
        }
        if let [first, rest @ ..] = together {
            for other in rest {
                let overlap_ms = first.interval.end.min(other.interval.end) - begin;
                let kind = EventKind::SimultaneousStart;
                found.push(Onset { kind, burst: first, other: other.participant, overlap_ms, held_ms: 0 });
            }
        }
        for burst in together {
            latest_end = latest_end.max(burst.interval.end);
            earlier.push_back(*burst);
        }
    }
    found
}

/// The same among sentences, of which those of one participant may overlap (definitions: preset). They are in order of
/// begin.
pub(crate) fn onsets_of_sentences<'c>(
    conversation: &Conversation<'_>,
    sentences: &'c [Burst],
    settings: &Settings,
    mut units: impl FnMut(&Burst) -> Option<u32>,
) -> Vec<Onset<'c>> {
    let mut found = Vec::new();
    // For each participant the sentences that began earlier, of which the front is dropped once it has ended, and their
    // latest end.
    let mut earlier: Vec<(std::collections::VecDeque<&Burst>, i64)> =
        conversation.participants.iter().map(|_| (std::collections::VecDeque::new(), i64::MIN)).collect();
    for together in sentences.chunk_by(|one, two| one.interval.begin == two.interval.begin) {
        let Some(first) = together.first() else { continue };
        let begin = first.interval.begin;
        for (queue, _) in &mut earlier {
            while queue.pop_front_if(|sentence| sentence.interval.end <= begin).is_some() {}
        }
        for burst in together {
            let others = || {
                let numbered = (0_u32..).zip(&earlier);
                numbered.filter(|(participant, _)| *participant != burst.participant).map(|(_, others)| others)
            };
            let fronts = others().filter_map(|(queue, _)| queue.front());
            let Some(incumbent) = fronts.min_by_key(|front| (front.interval.begin, front.participant)) else {
                continue;
            };
            let latest_end = others().map(|(_, end)| *end).max().unwrap_or(begin);
            let overlap_ms = burst.interval.end.min(latest_end) - begin;
            let held_ms = begin - incumbent.interval.begin;
            let inside = burst.interval.end <= incumbent.interval.end;
            let kind = classify(burst, inside, overlap_ms, held_ms, settings, &mut units);
            found.push(Onset { kind, burst, other: incumbent.participant, overlap_ms, held_ms });
        }
        let others = together.iter().filter(|other| other.participant != first.participant);
        let mut named = None;
        for other in others.filter(|other| named.replace(other.participant) != Some(other.participant)) {
            let overlap_ms = first.interval.end.min(other.interval.end) - begin;
            let kind = EventKind::SimultaneousStart;
            found.push(Onset { kind, burst: first, other: other.participant, overlap_ms, held_ms: 0 });
        }
        for burst in together {
            if let Some((queue, latest_end)) = earlier.get_mut(burst.participant as usize) {
                *latest_end = (*latest_end).max(burst.interval.end);
                queue.push_back(burst);
            }
        }
    }
    found
}

fn classify(
    burst: &Burst,
    inside: bool,
    overlap_ms: i64,
    held_ms: i64,
    settings: &Settings,
    mut units: impl FnMut(&Burst) -> Option<u32>,
) -> EventKind {
    let parameters = &settings.parameters;
    let is_long = overlap_ms >= parameters.interruption_overlap_ms;
    if settings.preset.interrupts_first() && is_long && held_ms >= parameters.incumbent_ms {
        // Where words cannot be counted, length alone decides, as below.
        let mut is_short = || units(burst).is_some_and(|units| units < SCA_LEAST_UNITS);
        if !(settings.preset == Preset::Sca && is_short()) {
            return EventKind::Interruption;
        }
    }
    if inside {
        let short = burst.interval.length() <= parameters.backchannel_max_ms;
        // Where words cannot be counted, length alone decides (definitions: backchannel).
        let mut few = || units(burst).is_none_or(|units| i64::from(units) <= parameters.backchannel_max_units);
        return if short && few() { EventKind::Backchannel } else { EventKind::SideSpeech };
    }
    if !is_long || settings.preset.interrupts_first() {
        EventKind::TerminalOverlap
    } else if held_ms < parameters.incumbent_ms {
        EventKind::SimultaneousStart
    } else {
        EventKind::Interruption
    }
}
