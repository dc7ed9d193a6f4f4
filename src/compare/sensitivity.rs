//! How much figures depend on their definitions: the same calls under a grid of thresholds and presets (definitions:
//! sensitivity).

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use super::{CHUNK, Failed};
use crate::metrics::{Counts, DEFINITIONS_VERSION, Parameters, Preset, Settings, counts};
use crate::tables::{Joined, Outcome};
use crate::transcript::Input;

/// One point of the grid: what differs from the settings in use.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Variation {
    /// The threshold that differs; null for the settings in use and for a preset.
    pub parameter: Option<&'static str>,
    /// Its value.
    pub value: Option<i64>,
    /// How onsets are classified.
    pub definition: Preset,
    /// All settings.
    #[serde(skip)]
    settings: Settings,
}

impl Variation {
    /// The settings in use, each threshold at half and twice its value, and the other presets.
    ///
    /// A half is rounded down. `dead_air_ms` takes `turn_pause_ms` along where the two are equal: it is one number unless told
    /// otherwise. A preset brings its own thresholds where they differ from the default ones.
    #[must_use]
    pub fn grid(settings: &Settings) -> Vec<Self> {
        let settings = Settings { keywords: None, ..settings.clone() };
        let own =
            |parameter, value, settings: Settings| Self { parameter, value, definition: settings.preset, settings };
        let mut grid = vec![own(None, None, settings.clone())];
        for (name, value) in settings.parameters.values() {
            let mut values = vec![value / 2, value.saturating_mul(2)];
            // Of 0 both are 0.
            values.dedup();
            for value in values {
                let mut varied = settings.clone();
                if name == "dead_air_ms" && varied.parameters.turn_pause_ms == varied.parameters.dead_air_ms {
                    varied.parameters.turn_pause_ms = value;
                }
                varied.parameters.set(name, value);
                grid.push(own(Some(name), Some(value), varied));
            }
        }
        for preset in Preset::ALL.into_iter().filter(|preset| *preset != settings.preset) {
            let mut varied = Settings { preset, ..settings.clone() };
            let from = settings.preset.parameters();
            for ((name, value), (_, before)) in preset.parameters().values().zip(from.values()) {
                if value != before {
                    varied.parameters.set(name, value);
                }
            }
            grid.push(own(None, None, varied));
        }
        grid
    }

    /// `join_gap_ms 125`, `sca`; of the settings in use `as set`.
    #[must_use]
    pub fn name(&self, is_first: bool) -> String {
        match self.parameter.zip(self.value) {
            Some((parameter, value)) => format!("{parameter} {value}"),
            None if is_first => "as set".to_owned(),
            None => format!("definition {}", self.definition),
        }
    }
}

/// What one variation does to all calls. Each list is in the order of [`Counts::NAMES`].
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct VariationTotal {
    /// What differs.
    #[serde(flatten)]
    pub variation: Variation,
    /// Sums over the calls in which each could be measured; null if there is none.
    pub sum: Counts,
    /// Calls in which each could be measured.
    pub measured: BTreeMap<&'static str, u64>,
    /// Calls in which each differs from the settings in use.
    pub differs: BTreeMap<&'static str, u64>,
    /// Calls whose rank changes, by name. A call's rank is 1 + the number of calls with a greater value.
    pub rank_changes: BTreeMap<&'static str, Vec<String>>,
}

/// One call under all variations.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct VariedCall {
    /// Its name.
    pub file: String,
    /// Its counts, in the order of the grid.
    pub counts: Vec<Counts>,
    /// Its ranks by each count, in the order of the grid; null where the count is.
    pub ranks: Vec<Counts>,
}

/// Calls under a grid of settings.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Sensitivity {
    /// [`DEFINITIONS_VERSION`].
    pub definitions_version: u32,
    /// The version of talkmeter.
    pub version: &'static str,
    /// The thresholds in use, which the grid departs from.
    pub parameters: Parameters,
    /// The settings in use, then the variations.
    pub grid: Vec<VariationTotal>,
    /// In the order of the files.
    pub calls: Vec<VariedCall>,
    /// Files that could not be read or are no transcripts.
    pub failed: u64,
    /// Calls without a row in the metadata; 0 without metadata.
    #[serde(skip)]
    pub without_row: u64,
}

/// Reads each file once and counts under all settings of the grid. `observe` is called for each file, in order, with the
/// outcome of one that could not be read. Roles that the metadata gives a call precede those of the settings.
pub fn sensitivity(
    files: &[Input],
    settings: &Settings,
    metadata: Option<&Joined>,
    observe: &mut dyn FnMut(Failed<'_>),
) -> Sensitivity {
    let grid = Variation::grid(settings);
    let varied: Vec<Settings> = grid.iter().map(|variation| variation.settings.clone()).collect();
    let (mut calls, mut failed, mut without_row) = (Vec::new(), 0, 0);
    for chunk in files.chunks(CHUNK) {
        let counted: Vec<_> =
            chunk.par_iter().map_init(Vec::new, |buffer, input| of_file(input, &varied, metadata, buffer)).collect();
        for (input, counts) in chunk.iter().zip(counted) {
            match counts {
                Ok((counts, has_row)) => {
                    without_row += u64::from(metadata.is_some() && !has_row);
                    calls.push(VariedCall { file: input.file().to_owned(), counts, ranks: Vec::new() });
                    observe(None);
                }
                Err(outcome) => {
                    failed += 1;
                    observe(Some((input, &outcome)));
                }
            }
        }
    }
    rank(&mut calls, grid.len());
    let totals = grid.into_iter().enumerate().map(|(at, variation)| total(at, variation, &calls)).collect();
    Sensitivity {
        definitions_version: DEFINITIONS_VERSION,
        version: env!("CARGO_PKG_VERSION"),
        parameters: settings.parameters,
        grid: totals,
        calls,
        failed,
        without_row,
    }
}

/// The counts under each of the settings, and whether the metadata has a row for the call.
fn of_file(
    input: &Input,
    settings: &[Settings],
    metadata: Option<&Joined>,
    buffer: &mut Vec<u8>,
) -> Result<(Vec<Counts>, bool), Outcome> {
    input.read_into(buffer).map_err(Outcome::Unreadable)?;
    let transcript = input.parse(buffer).map_err(Outcome::ParseError)?;
    let roles = settings.first().map(|settings| settings.roles.clone()).unwrap_or_default();
    let (file, file_url) = (input.file(), transcript.file_url.as_deref());
    let roles = match metadata.and_then(|metadata| metadata.roles(file, file_url)) {
        Some(own) => own.or(&roles),
        None => roles,
    };
    let has_row = metadata.is_some_and(|metadata| metadata.row(file, file_url).is_some());
    Ok((counts(&transcript, &roles, settings), has_row))
}

/// Ranks the calls by each count under each variation.
fn rank(calls: &mut [VariedCall], variations: usize) {
    for at in 0..variations {
        let values = |call: &VariedCall| call.counts.get(at).copied().unwrap_or_default().values();
        let mut columns: [Vec<i64>; Counts::NAMES.len()] = Default::default();
        for call in &*calls {
            columns.iter_mut().zip(values(call)).for_each(|(column, value)| column.extend(value));
        }
        columns.iter_mut().for_each(|column| column.sort_unstable());
        for call in &mut *calls {
            let mut columns = columns.iter();
            let ranks = values(call).map(|value| {
                let column = columns.next()?;
                value.map(|value| 1 + (column.len() - column.partition_point(|other| *other <= value)) as i64)
            });
            call.ranks.push(Counts::new(ranks));
        }
    }
}

fn total(at: usize, variation: Variation, calls: &[VariedCall]) -> VariationTotal {
    let mut sum = [None::<i64>; Counts::NAMES.len()];
    let (mut measured, mut differs) = (BTreeMap::new(), BTreeMap::new());
    let mut rank_changes: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for (place, (name, sum)) in Counts::NAMES.into_iter().zip(&mut sum).enumerate() {
        let (mut with, mut other, mut moved) = (0, 0, Vec::new());
        for call in calls {
            let of = |list: &[Counts], at: usize| {
                list.get(at).and_then(|counts| counts.values().get(place).copied().flatten())
            };
            let value = of(&call.counts, at);
            if let Some(value) = value {
                with += 1;
                *sum = Some(sum.unwrap_or(0).saturating_add(value));
            }
            other += u64::from(value != of(&call.counts, 0));
            if of(&call.ranks, at) != of(&call.ranks, 0) {
                moved.push(call.file.clone());
            }
        }
        measured.insert(name, with);
        differs.insert(name, other);
        rank_changes.insert(name, moved);
    }
    VariationTotal { variation, sum: Counts::new(sum), measured, differs, rank_changes }
}
