//! The estimates of recordings by model and by columns of the list.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::output::Failure;
use super::super::recordings::EstimateInput;
use super::{Args, requested};
use crate::billing::{Estimate, Plan, Prices, Recording, Shares, estimate};
use crate::catalog::{BilledBy, Catalog, Region};
use crate::sheet::folded;

/// The estimates of one model and group.
#[derive(Debug)]
pub(super) struct Group {
    /// The columns of the group and their cells.
    pub(super) columns: Vec<(String, String)>,
    pub(super) model: String,
    /// The estimates of each recording; several recordings may share a name.
    pub(super) recordings: Vec<Vec<Estimate>>,
    /// What those of unknown length would cost at the mean length of the others.
    pub(super) unknown: Vec<Vec<Estimate>>,
    /// Addresses whose first track alone is assumed, with it and with two tracks.
    pub(super) addresses: Vec<[Vec<Estimate>; 2]>,
}

impl Group {
    pub(super) fn lines(&self) -> impl Iterator<Item = &Estimate> {
        self.recordings.iter().flatten()
    }
}

/// The groups of each model, in the order of their cells.
pub(super) fn groups(
    args: &Args,
    inputs: &[EstimateInput],
    (models, region): (&[String], Region),
    shares: &Shares,
    prices: &Prices,
) -> Result<Vec<Group>, Failure> {
    for column in &args.group_by {
        if !inputs.iter().any(|input| input.columns.contains_key(&folded(column))) {
            let there: BTreeSet<&String> = inputs.iter().flat_map(|input| input.columns.keys()).collect();
            let there: Vec<String> = there.into_iter().map(|name| format!("`{name}`")).collect();
            let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
            return Err(Failure::Usage(format!(
                "--group-by {column}: no input has this column; the columns are {there}"
            )));
        }
    }
    let mean_ms = mean_length(inputs);
    let mut groups: BTreeMap<(usize, Vec<String>), Group> = BTreeMap::new();
    for (at, model) in models.iter().enumerate() {
        let by_length = Catalog::builtin().model(model).is_some_and(|model| model.billed_by == BilledBy::Length);
        for input in inputs {
            let cells: Vec<String> = args
                .group_by
                .iter()
                .map(|column| input.columns.get(&folded(column)).cloned().unwrap_or_default())
                .collect();
            let group = groups.entry((at, cells.clone())).or_insert_with(|| Group {
                columns: args.group_by.iter().cloned().zip(cells).collect(),
                model: model.clone(),
                recordings: Vec::new(),
                unknown: Vec::new(),
                addresses: Vec::new(),
            });
            let plan = |tracks: Vec<u32>| Plan::new(&**model, region, tracks).shares(shares.clone());
            let tracks = requested(args, input);
            let own = estimate(&input.recording, &plan(tracks.clone()), prices);
            if let (None, Some(mean), false) = (input.recording.duration_ms, mean_ms, input.is_unreadable) {
                let known = Recording { duration_ms: Some(mean), ..input.recording.clone() };
                group.unknown.push(estimate(&known, &plan(tracks), prices));
            } else if input.is_address && args.channel.is_none() && !by_length && input.recording.channels != Some(1) {
                let two = estimate(&input.recording, &plan(vec![0, 1]), prices);
                group.addresses.push([own.clone(), two]);
            }
            group.recordings.push(own);
        }
    }
    Ok(groups.into_values().collect())
}

/// The mean of the known lengths, in ms.
fn mean_length(inputs: &[EstimateInput]) -> Option<i64> {
    let known: Vec<i64> = inputs.iter().filter_map(|input| input.recording.duration_ms).collect();
    let sum: i128 = known.iter().copied().map(i128::from).sum();
    i64::try_from(sum.checked_div(known.len() as i128)?).ok()
}
