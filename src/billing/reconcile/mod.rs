//! A batch and flash calls beside the provider's statement: which rows belong to what, and what each source says of it
//! (definitions: reconciliation).

mod accounts;
mod charges;
mod findings;
mod places;

pub use accounts::Accounts;
pub use charges::Charge;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::estimate::{Estimate, Plan, Recording, estimate};
use super::line::Meter;
use super::money::checked_sum;
use super::prices::{Prices, UnitPrice};
use super::statement::{Grain, Period, Quantities, Statement, StatementRow};
use super::usage::Usage;
use crate::catalog::{BilledBy, Catalog, Currency, Region};
use crate::metrics::Measured;
use places::Places;

/// A recording of a batch, or the clip of a flash call, as far as it matters for its bill.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Submission {
    /// The requested model; empty = unknown.
    pub model: String,
    /// The region; `None` = unknown.
    pub region: Option<Region>,
    /// Its result file relative to the batch's results, or its name.
    pub file: String,
    /// What a statement may call it: its address, result file or name, the ids of its own tasks, that of a flash call's
    /// request.
    pub names: Vec<String>,
    /// Its project, by the column `project` of its list.
    pub project: Option<String>,
    /// The requested tracks.
    pub tracks: Vec<u32>,
    /// The code of its failure; `None` = it did not fail.
    pub failure: Option<String>,
    /// Number of submits that may have been billed.
    pub submits: u32,
    /// As reported by the service for tasks of this recording alone.
    pub usage: Usage,
    /// Tasks that it shares with other recordings, each with what the service reported for all of them together.
    pub shared: Vec<(String, Usage)>,
    /// When the task of its result was submitted, or else its last one; `None` = none was.
    pub submitted: Option<Timestamp>,
}

impl Submission {
    /// The day of its submit, in UTC.
    fn day(&self) -> Option<Date> {
        Some(self.submitted?.to_zoned_datetime(TimeZone::UTC).date())
    }

    fn meters(&self, prices: &Prices) -> &'static [Meter] {
        self.region.map_or(&[Meter::Speech], |region| prices.meters(&self.model, region))
    }

    fn unit(&self, meter: Meter, prices: &Prices) -> Option<UnitPrice> {
        prices.unit(&self.model, self.region?, meter)
    }

    fn is_by_length(&self) -> bool {
        Catalog::builtin().model(&self.model).is_some_and(|model| model.billed_by == BilledBy::Length)
    }
}

/// A recording with all that is known about its bill, apart from the statement.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct ReconciledRecording {
    /// As the ledger knows it.
    pub submission: Submission,
    /// Speech of each transcribed track in ms, of a model that is billed by the length of the audio that length; `None` = no
    /// result, or not measurable.
    pub tracks_ms: Option<Vec<i64>>,
    /// Its estimate, if the result states its length.
    pub estimate: Vec<Estimate>,
}

/// What a row of the statement stands for.
#[derive(Debug, Clone, Default)]
struct Slot {
    key: String,
    /// Whether their models are billed in tokens: all of one slot are, or none.
    is_by_tokens: bool,
    /// Places of the recordings in the batch.
    recordings: Vec<usize>,
    rows: Vec<StatementRow>,
}

/// A batch, or flash calls, or both beside a statement.
#[derive(Debug, Clone)]
pub struct Reconciliation<'p> {
    prices: &'p Prices,
    recordings: Vec<ReconciledRecording>,
    slots: Vec<Slot>,
    /// The statement's own figures; `None` = there is none.
    statement: Option<Statement>,
    /// Rows that name nothing of the batch, by what they name.
    foreign: BTreeMap<String, Vec<StatementRow>>,
}

impl<'p> Reconciliation<'p> {
    /// Gives each row of the statement to what it stands for.
    #[must_use]
    pub fn new(
        submissions: impl IntoIterator<Item = Submission>,
        statement: Option<Statement>,
        prices: &'p Prices,
    ) -> Self {
        let recording = |submission| ReconciledRecording { submission, tracks_ms: None, estimate: Vec::new() };
        let recordings = submissions.into_iter().map(recording).collect();
        let (slots, foreign) = (Vec::new(), BTreeMap::new());
        let mut new = Self { prices, recordings, slots, statement, foreign };
        let has_statement = new.statement.is_some();
        let statement = new.statement.take().unwrap_or_default();
        let places = match statement.grain {
            Grain::Recording => new.slots_by_recording(&statement.rows),
            _ => new.slots_by_period(&statement),
        };
        let by_project = new.projects(&statement);
        let models: BTreeSet<String> = new.recordings.iter().map(|one| one.submission.model.clone()).collect();
        for row in &statement.rows {
            let key = match statement.grain {
                Grain::Recording => row.resource.clone(),
                _ => {
                    let model = (model_of(row, &models), statement.by_model);
                    key(row.period, model, (&row.project, by_project))
                }
            };
            if let Some(unit) = &row.other_unit {
                new.foreign.entry(format!("{key} ({unit})").trim_start().to_owned()).or_default().push(row.clone());
                continue;
            }
            let Quantities { tokens_in, tokens_out, tokens, .. } = row.quantities;
            let counts_tokens = tokens_in.or(tokens_out).or(tokens).is_some();
            // What is billed by the second and what is billed in tokens may have one name: a day, say.
            let own = |by_tokens: bool| match statement.grain {
                Grain::Recording => places.find(by_tokens, &key),
                _ => places.exact(by_tokens, &key),
            };
            let place = own(counts_tokens).or_else(|| own(!counts_tokens));
            match place.and_then(|at| new.slots.get_mut(at)) {
                Some(slot) => slot.rows.push(row.clone()),
                None => new.foreign.entry(key).or_default().push(row.clone()),
            }
        }
        new.statement = has_statement.then_some(statement);
        new
    }

    /// A slot for each recording, or for each task of several that the statement names; and where each name leads.
    fn slots_by_recording(&mut self, rows: &[StatementRow]) -> Places {
        let named: HashSet<&str> = rows.iter().map(|row| &*row.resource).collect();
        let mut places = Places::default();
        for (at, ReconciledRecording { submission, .. }) in self.recordings.iter().enumerate() {
            let is_by_tokens = submission.meters(self.prices) != [Meter::Speech];
            let task = submission.shared.iter().map(|(task, _)| task).find(|task| named.contains(&***task));
            let key = task.unwrap_or(&submission.file);
            let known = task.and_then(|task| places.exact(is_by_tokens, task));
            let place = known.unwrap_or_else(|| {
                self.slots.push(Slot { key: key.clone(), is_by_tokens, ..Slot::default() });
                self.slots.len().saturating_sub(1)
            });
            if let Some(slot) = self.slots.get_mut(place) {
                slot.recordings.push(at);
            }
            for name in task.into_iter().chain(&submission.names).filter(|name| !name.is_empty()) {
                places.add(is_by_tokens, name, place);
            }
        }
        places
    }

    /// A slot for each day or month in which something was submitted.
    fn slots_by_period(&mut self, statement: &Statement) -> Places {
        let by_project = self.projects(statement);
        let mut slots: BTreeMap<(String, bool), Vec<usize>> = BTreeMap::new();
        for (at, ReconciledRecording { submission, .. }) in self.recordings.iter().enumerate() {
            let Some(day) = submission.day() else { continue };
            let period = match statement.grain {
                Grain::Day => Some(Period::Day(day)),
                Grain::Month => Some(Period::Month(day.first_of_month())),
                Grain::Recording | Grain::Whole => None,
            };
            let project = submission.project.as_deref().unwrap_or_default();
            let key = key(period, (&submission.model, statement.by_model), (project, by_project));
            slots.entry((key, submission.meters(self.prices) != [Meter::Speech])).or_default().push(at);
        }
        let slot = |((key, is_by_tokens), recordings)| Slot { key, is_by_tokens, recordings, rows: Vec::new() };
        self.slots = slots.into_iter().map(slot).collect();
        let mut places = Places::default();
        for (at, slot) in self.slots.iter().enumerate() {
            places.add(slot.is_by_tokens, &slot.key, at);
        }
        places
    }

    /// Whether projects are told apart: by both sides.
    fn projects(&self, statement: &Statement) -> bool {
        statement.by_project && self.recordings.iter().any(|recording| recording.submission.project.is_some())
    }

    /// Adds the measured result of a recording, by its place in the batch.
    pub fn add_result(&mut self, at: usize, measured: &Measured<'_>) {
        let Some(recording) = self.recordings.get_mut(at) else { return };
        let submission = &recording.submission;
        let length = measured.call.duration_ms.filter(|_| measured.call.duration_source == Some("properties"));
        recording.tracks_ms = if submission.is_by_length() {
            // The length of a clip that is not at hand, or in which nothing was recognised, is the one that is reported.
            let reported = submission.usage.seconds.map(|seconds| seconds.saturating_mul(1000));
            let length = length.filter(|_| !measured.billable.is_empty()).or(reported);
            length.map_or_else(|| measured.billable.is_empty().then(Vec::new), |length| Some(vec![length]))
        } else {
            measured.billable.iter().map(|track| track.billable_ms).collect()
        };
        if length.is_some() {
            let known = Recording { duration_ms: length, ..Recording::default() };
            let region = submission.region.unwrap_or_default();
            let plan = Plan::new(&*submission.model, region, submission.tracks.clone());
            recording.estimate = estimate(&known, &plan, self.prices);
        }
    }

    /// The recordings in the order of the batch.
    #[must_use]
    pub fn recordings(&self) -> &[ReconciledRecording] {
        &self.recordings
    }

    /// What the rows of the statement stand for.
    #[must_use]
    pub fn grain(&self) -> Grain {
        self.statement.as_ref().map_or(Grain::Recording, |statement| statement.grain)
    }

    /// Whether a row of the statement names something of the batch.
    #[must_use]
    pub fn has_match(&self) -> bool {
        self.slots.iter().any(|slot| !slot.rows.is_empty())
    }

    /// What the first row of the statement names, and what the batch has first; empty where there is none.
    #[must_use]
    pub fn first_keys(&self) -> (String, String) {
        let stated = self.statement.iter().flat_map(|statement| &statement.rows).next();
        let by_resource = stated.map(|row| row.resource.clone()).filter(|resource| !resource.is_empty());
        let by_period = || self.foreign.keys().next().cloned().unwrap_or_default();
        let own = self.slots.first().map(|slot| match (self.grain(), slot.recordings.first()) {
            (Grain::Recording, Some(at)) => {
                let names = self.recordings.get(*at).map(|recording| &recording.submission.names);
                names.and_then(|names| names.last()).unwrap_or(&slot.key).clone()
            }
            _ => slot.key.clone(),
        });
        (by_resource.unwrap_or_else(by_period), own.unwrap_or_default())
    }

    /// Rows of the statement that name nothing of the batch.
    pub fn foreign_rows(&self) -> impl Iterator<Item = &StatementRow> {
        self.foreign.values().flatten()
    }

    /// The currency of all list prices; `None` = none is known, or they have several.
    #[must_use]
    pub fn currency(&self) -> Option<Currency> {
        let units = self.recordings.iter().flat_map(|ReconciledRecording { submission, .. }| {
            let meters = submission.meters(self.prices).iter();
            meters.filter_map(|meter| Some(submission.unit(*meter, self.prices)?.currency))
        });
        same(units)
    }

    /// Matching rows that do not say which tokens they count, if the model is billed in tokens; they are not compared.
    #[must_use]
    pub fn rows_without_meter(&self) -> u64 {
        let rows = self.slots.iter().filter(|slot| slot.is_by_tokens).flat_map(|slot| &slot.rows);
        rows.filter(|row| row.quantities.seconds.or(row.quantities.tokens).is_some()).count() as u64
    }

    /// The recordings that a slot stands for.
    fn in_slot<'s>(&'s self, slot: &'s Slot) -> impl Iterator<Item = &'s ReconciledRecording> {
        slot.recordings.iter().filter_map(|at| self.recordings.get(*at))
    }

    /// The list price of a meter for all recordings of a slot; `None` = unknown, or not one.
    fn unit_of(&self, slot: &Slot, meter: Meter) -> Option<UnitPrice> {
        let units = self.in_slot(slot).map(|recording| recording.submission.unit(meter, self.prices));
        same(units)?
    }

    /// Whether amounts of the statement are in the currency of a price; they are taken to be if it states none.
    fn is_comparable(&self, currency: Currency) -> bool {
        let stated = self.statement.as_ref().and_then(Statement::currency);
        stated.is_none_or(|stated| stated.eq_ignore_ascii_case(currency.code()))
    }
}

/// The model of the batch that a row names, whatever its case, by any of its names; else the cell. A cell may name other things
/// beside it, separated by `;`.
fn model_of<'r>(row: &'r StatementRow, models: &'r BTreeSet<String>) -> &'r str {
    let parts = || row.model.split(';').map(str::trim);
    let named = |model: &str, part: &str| model.eq_ignore_ascii_case(part);
    let exact = parts().find_map(|part| models.iter().find(|model| named(model, part)));
    let other = || {
        models.iter().find(|model| {
            let names = Catalog::builtin().names_of(model);
            parts().any(|part| names.iter().any(|name| named(name, part)))
        })
    };
    exact.or_else(other).map_or(&row.model, |model| model)
}

/// `2026-10 fun-asr support`; a part that does not tell rows apart is left out.
fn key(period: Option<Period>, model: (&str, bool), project: (&str, bool)) -> String {
    let parts = [
        period.map(|period| period.to_string()),
        model.1.then(|| model.0.to_owned()),
        project.1.then(|| project.0.to_owned()),
    ];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The one value that all have; `None` = there is none, or several.
fn same<T: PartialEq>(mut values: impl Iterator<Item = T>) -> Option<T> {
    let first = values.next()?;
    values.all(|value| value == first).then_some(first)
}

impl Slot {
    /// The sum of the quantities on its rows of the statement.
    fn statement(&self) -> Usage {
        self.rows.iter().map(|row| row.quantities).sum::<Quantities>().rounded_up()
    }

    /// The sum of the amounts on its rows of the statement that `counts` selects; `None` if there are none.
    fn billed(&self, counts: impl Fn(&StatementRow) -> bool) -> Option<Decimal> {
        amounts(self.rows.iter().filter(|row| counts(row)))
    }
}

/// The sum of the amounts of rows; `None` if there are none.
fn amounts<'r>(rows: impl Iterator<Item = &'r StatementRow>) -> Option<Decimal> {
    let mut amounts = rows.filter_map(|row| row.cost).peekable();
    amounts.peek()?;
    checked_sum(amounts.map(Some))
}
