//! Presets: named ways to classify overlap onsets, so that figures can be compared with other products (definitions:
//! preset).

use std::fmt;
use std::str::FromStr;

use super::Parameters;

/// A named way to classify overlap onsets. Talk time, silence, turns and units are the same in all.
///
/// ```
/// use talkmeter::metrics::Preset;
/// let cam: Preset = "cam".parse().unwrap();
/// assert_eq!(cam.parameters().interruption_overlap_ms, 501);
/// assert_eq!(Preset::default().parameters(), talkmeter::metrics::Parameters::default());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Preset {
    /// An interruption takes the floor from somebody who held it, after an overlap of a second.
    #[default]
    Default,
    /// The same after an overlap of two seconds.
    Strict,
    /// As Alibaba's conversation analysis: a sentence of some length that begins two seconds before the other's ends.
    Sca,
    /// As `call-ai-metrics`: an overlap of more than half a second, no matter who keeps the floor.
    Cam,
}

/// The least units of a sentence that can interrupt under [`Preset::Sca`].
pub(super) const SCA_LEAST_UNITS: u32 = 4;

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 4] = [Self::Default, Self::Strict, Self::Sca, Self::Cam];

    /// Its name for people and in `report.json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Strict => "strict",
            Self::Sca => "sca",
            Self::Cam => "cam",
        }
    }

    /// Its thresholds. Each may be changed by itself.
    #[must_use]
    pub fn parameters(self) -> Parameters {
        let (interruption_overlap_ms, incumbent_ms) = match self {
            Self::Default => return Parameters::default(),
            Self::Strict => (2000, 1000),
            Self::Sca => (2000, 0),
            // More than 500.
            Self::Cam => (501, 0),
        };
        Parameters { interruption_overlap_ms, incumbent_ms, ..Parameters::default() }
    }

    /// The same with those that are given by name. Unless it is given, `turn_pause_ms` is `dead_air_ms`: dead air then
    /// always ends a turn.
    ///
    /// ```
    /// use talkmeter::metrics::Preset;
    /// let given = |name: &str| (name == "dead_air_ms").then_some(5000);
    /// assert_eq!(Preset::Strict.parameters_with(given).turn_pause_ms, 5000);
    /// ```
    #[must_use]
    pub fn parameters_with(self, given: impl Fn(&str) -> Option<i64>) -> Parameters {
        let mut parameters = self.parameters();
        for parameter in Parameters::LIST {
            if let Some(value) = given(parameter.name) {
                parameters.set(parameter.name, value);
            }
        }
        if given("turn_pause_ms").is_none() {
            parameters.turn_pause_ms = parameters.dead_air_ms;
        }
        parameters
    }

    /// Whether onsets are begins of sentences, not of bursts.
    pub(super) fn is_of_sentences(self) -> bool {
        self == Self::Sca
    }

    /// Whether an onset is tested for interruption first, no matter who stops first.
    pub(super) fn interrupts_first(self) -> bool {
        matches!(self, Self::Sca | Self::Cam)
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Preset {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|preset| preset.name() == text).ok_or_else(|| format!("choose from {}", names()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::metrics::{Call, EventKind, Measured, Participant, Settings, measure};

    /// Participant, begin, end and units of what onsets are begins of.
    type Stretch = (usize, i64, i64, i64);

    /// `(channel, begin, end, text)`: a sentence of one word.
    fn json_of(rows: &[(usize, i64, i64, &str)]) -> String {
        let channel = |id: usize| {
            let own = rows.iter().filter(|row| row.0 == id).map(|(_, begin, end, text)| {
                json!({"begin_time": begin, "end_time": end, "text": text,
                    "words": [{"begin_time": begin, "end_time": end, "text": text}]})
            });
            json!({"channel_id": id, "sentences": own.collect::<Vec<_>>()})
        };
        json!({"transcripts": [channel(0), channel(1), channel(2)]}).to_string()
    }

    fn settings(preset: Preset) -> Settings {
        Settings { preset, parameters: preset.parameters(), ..Settings::default() }
    }

    fn with<T>(json: &str, settings: &Settings, look: impl FnOnce(&Measured<'_>) -> T) -> T {
        let transcript = crate::transcript::read(json.as_bytes()).unwrap();
        look(&measure("a", &transcript, settings))
    }

    fn kinds(rows: &[(usize, i64, i64, &str)], settings: &Settings) -> Vec<EventKind> {
        with(&json_of(rows), settings, |measured| {
            measured.events.iter().map(|event| event.kind).filter(|kind| *kind != EventKind::DeadAir).collect()
        })
    }

    #[test]
    fn each_preset_names_the_same_onset_in_its_own_way() {
        use EventKind::{Interruption, SideSpeech, SimultaneousStart, TerminalOverlap};
        let aside = [(0, 0, 10_000, "long"), (1, 4000, 7000, "one two three four")];
        let late = [(0, 0, 5000, "long"), (1, 4400, 8000, "one two three four")];
        let short = [(0, 0, 5000, "long"), (1, 2000, 8000, "one two three")];
        let early = [(0, 0, 5000, "long"), (1, 300, 8000, "one two three four")];
        let expected = [
            (&aside, [SideSpeech, SideSpeech, Interruption, Interruption]),
            (&late, [TerminalOverlap, TerminalOverlap, TerminalOverlap, Interruption]),
            (&short, [Interruption, Interruption, TerminalOverlap, Interruption]),
            (&early, [SimultaneousStart, SimultaneousStart, Interruption, Interruption]),
        ];
        for (rows, expected) in expected {
            assert_eq!(Preset::ALL.map(|preset| kinds(rows, &settings(preset))[0]), expected, "{rows:?}");
        }
        // A threshold that is given beside a preset replaces the preset's.
        let mut strict = settings(Preset::Strict);
        let overlaps = [(0, 0, 5000, "long"), (1, 3500, 8000, "one two three four")];
        assert_eq!(kinds(&overlaps, &strict), [TerminalOverlap]);
        strict.parameters.interruption_overlap_ms = 1000;
        assert_eq!(kinds(&overlaps, &strict), [Interruption]);
    }

    /// Kinds by begin, participant and incumbent, by a look at every pair.
    fn by_pairs(stretches: &[Stretch], preset: Preset) -> Vec<(i64, usize, usize, &'static str)> {
        let parameters = preset.parameters();
        let mut found = Vec::new();
        for &(who, begin, end, units) in stretches {
            let incumbents: Vec<&Stretch> =
                stretches.iter().filter(|other| other.0 != who && other.1 < begin && begin < other.2).collect();
            let Some(incumbent) = incumbents.iter().min_by_key(|other| (other.1, other.0)) else { continue };
            // Of sentences of one participant that began together, the one that was first in the file.
            let latest = incumbents.iter().map(|other| other.2).max().unwrap();
            let (overlap, held) = (end.min(latest) - begin, begin - incumbent.1);
            let inside = end <= incumbent.2;
            let few = end - begin <= parameters.backchannel_max_ms && units <= parameters.backchannel_max_units;
            let contained = if few { "backchannel" } else { "side_speech" };
            let long = overlap >= parameters.interruption_overlap_ms;
            let kind = match preset {
                Preset::Default | Preset::Strict if inside => contained,
                Preset::Default | Preset::Strict if !long => "terminal_overlap",
                Preset::Default | Preset::Strict if held < 1000 => "simultaneous_start",
                Preset::Default | Preset::Strict => "interruption",
                Preset::Sca if long && units >= 4 => "interruption",
                Preset::Cam if long => "interruption",
                _ if inside => contained,
                _ => "terminal_overlap",
            };
            found.push((begin, who, incumbent.0, kind));
        }
        found.sort_unstable();
        found
    }

    const TEXTS: [&str; 4] = ["yes", "one two three", "one two three four", "你好吗我"];

    fn rows() -> impl Strategy<Value = Vec<(usize, i64, i64, &'static str)>> {
        let row = (0_usize..3, 0_i64..400, 1_i64..80, 0_usize..4);
        let row = row.prop_map(|(who, begin, length, text)| (who, begin * 50, (begin + length) * 50, TEXTS[text]));
        proptest::collection::vec(row, 0..14)
    }

    /// Begins and ends that no other sentence of the participant shares.
    fn distinct(rows: &[(usize, i64, i64, &str)]) -> bool {
        let mut begins: BTreeMap<(usize, i64), usize> = BTreeMap::new();
        rows.iter().for_each(|row| *begins.entry((row.0, row.1)).or_default() += 1);
        begins.values().all(|count| *count == 1)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn onsets_of_every_preset_match_a_look_at_every_pair(rows in rows()) {
            prop_assume!(distinct(&rows));
            for preset in Preset::ALL {
                let (stretches, found) = with(&json_of(&rows), &settings(preset), |measured| {
                    let units = |who: usize, begin: i64, end: i64| -> i64 {
                        let inside = measured.sentences().filter(|row| row.participant == who);
                        let inside = inside.filter(|row| row.interval.is_some_and(|time| begin <= time.begin && time.end <= end));
                        inside.filter_map(|row| row.units).sum()
                    };
                    let stretches: Vec<Stretch> = if preset == Preset::Sca {
                        let timed = measured.sentences().filter_map(|row| Some((row.participant, row.interval?, row.units?)));
                        timed.map(|(who, time, units)| (who, time.begin, time.end, units)).collect()
                    } else {
                        let bursts = measured.bursts();
                        bursts.map(|burst| {
                            let time = burst.interval;
                            (burst.participant, time.begin, time.end, units(burst.participant, time.begin, time.end))
                        }).collect()
                    };
                    let onsets = measured.events.iter().filter(|event| event.held_ms.is_some_and(|held| held > 0));
                    let mut found: Vec<_> = onsets.map(|event| (event.begin_ms, event.participant, event.other, event.kind.name())).collect();
                    found.sort_unstable();
                    (stretches, found)
                });
                prop_assert_eq!(found, by_pairs(&stretches, preset), "{}", preset);
            }
        }

        #[test]
        fn presets_change_the_counts_of_onsets_alone(rows in rows()) {
            let look = |preset| with(&json_of(&rows), &settings(preset), |measured| {
                let call = Call {
                    onset_count: None, interruption_count: None, backchannel_count: None,
                    ..measured.call.clone()
                };
                let participant = |row: &Participant| Participant {
                    interruption_count: None, interrupted_count: None, backchannel_count: None, side_speech_count: None,
                    terminal_overlap_count: None, simultaneous_start_count: None,
                    ..row.clone()
                };
                let participants: Vec<Participant> = measured.participants.iter().map(participant).collect();
                let silences: Vec<_> = measured.events.iter().filter(|event| event.kind == EventKind::DeadAir)
                    .map(|event| (event.begin_ms, event.end_ms)).collect();
                (call, participants, silences, measured.turns.clone(), measured.windows.clone())
            });
            let default = look(Preset::Default);
            for preset in Preset::ALL {
                prop_assert_eq!(&look(preset), &default, "{}", preset);
            }
        }
    }
}
