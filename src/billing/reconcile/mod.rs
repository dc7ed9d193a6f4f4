//! A batch beside the provider's statement: which rows belong to what, and what each source says of it (definitions:
//! reconciliation).

mod accounts;
mod charges;
mod findings;

pub use accounts::Accounts;
pub use charges::Charge;

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::estimate::{Estimate, Plan, Recording, estimate};
use super::line::Meter;
use super::money::checked_sum;
use super::prices::{Prices, UnitPrice};
use super::statement::{Grain, Period, Statement, StatementRow};
use super::usage::Usage;
use crate::catalog::Region;
use crate::metrics::Measured;
#[cfg(any(feature = "analytics", feature = "client"))]
use crate::recording_id::address_id;

/// A recording of a batch, as far as it matters for its bill.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Submission {
    /// Its result file relative to the batch's results, or its name.
    pub file: String,
    /// What a statement may call it: its address, result file or name, the ids of its own tasks.
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
        Some(self.submitted?.to_zoned(TimeZone::UTC).date())
    }
}

/// A recording with all that is known about its bill, apart from the statement.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct ReconciledRecording {
    /// As the ledger knows it.
    pub submission: Submission,
    /// Speech of each transcribed track in ms; `None` = no result, or not measurable.
    pub tracks_ms: Option<Vec<i64>>,
    /// Its estimate, if the result states its length.
    pub estimate: Vec<Estimate>,
}

/// What a row of the statement stands for.
#[derive(Debug, Clone, Default)]
struct Slot {
    key: String,
    /// Places of the recordings in the batch.
    recordings: Vec<usize>,
    rows: Vec<StatementRow>,
}

/// A batch of one model beside a statement.
#[derive(Debug, Clone)]
pub struct Reconciliation<'p> {
    model: String,
    region: Option<Region>,
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
        model: &str,
        region: Option<Region>,
        submissions: impl IntoIterator<Item = Submission>,
        statement: Option<Statement>,
        prices: &'p Prices,
    ) -> Self {
        let recording = |submission| ReconciledRecording { submission, tracks_ms: None, estimate: Vec::new() };
        let recordings = submissions.into_iter().map(recording).collect();
        let (slots, foreign) = (Vec::new(), BTreeMap::new());
        let mut new = Self { model: model.to_owned(), region, prices, recordings, slots, statement, foreign };
        let has_statement = new.statement.is_some();
        let statement = new.statement.take().unwrap_or_default();
        let places = match statement.grain {
            Grain::Recording => new.slots_by_recording(&statement.rows),
            _ => new.slots_by_period(&statement),
        };
        let by_project = new.projects(&statement);
        for row in &statement.rows {
            let key = match statement.grain {
                Grain::Recording => row.resource.clone(),
                _ => new.key(row.period, (&row.model, statement.by_model), (&row.project, by_project)),
            };
            let place = places.get(&key).or_else(|| places.get(&address_id(&key)));
            match place.and_then(|at| new.slots.get_mut(*at)) {
                Some(slot) => slot.rows.push(row.clone()),
                None => new.foreign.entry(key).or_default().push(row.clone()),
            }
        }
        new.statement = has_statement.then_some(statement);
        new
    }

    /// A slot for each recording, or for each task of several that the statement names; and where each name leads.
    fn slots_by_recording(&mut self, rows: &[StatementRow]) -> HashMap<String, usize> {
        let named: HashSet<&str> = rows.iter().map(|row| &*row.resource).collect();
        let mut places: HashMap<String, usize> = HashMap::new();
        for (at, ReconciledRecording { submission, .. }) in self.recordings.iter().enumerate() {
            let task = submission.shared.iter().map(|(task, _)| task).find(|task| named.contains(&***task));
            let key = task.unwrap_or(&submission.file);
            let place = task.and_then(|task| places.get(task).copied()).unwrap_or_else(|| {
                self.slots.push(Slot { key: key.clone(), ..Slot::default() });
                self.slots.len().saturating_sub(1)
            });
            if let Some(slot) = self.slots.get_mut(place) {
                slot.recordings.push(at);
            }
            for name in task.into_iter().chain(&submission.names).filter(|name| !name.is_empty()) {
                places.entry(name.clone()).or_insert(place);
                places.entry(address_id(name)).or_insert(place);
            }
        }
        places
    }

    /// A slot for each day or month in which something was submitted.
    fn slots_by_period(&mut self, statement: &Statement) -> HashMap<String, usize> {
        let by_project = self.projects(statement);
        let mut slots: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, ReconciledRecording { submission, .. }) in self.recordings.iter().enumerate() {
            let Some(day) = submission.day() else { continue };
            let period = match statement.grain {
                Grain::Day => Some(Period::Day(day)),
                Grain::Month => Some(Period::Month(day.first_of_month())),
                Grain::Recording | Grain::Whole => None,
            };
            let project = submission.project.as_deref().unwrap_or_default();
            let key = self.key(period, (&self.model, statement.by_model), (project, by_project));
            slots.entry(key).or_default().push(at);
        }
        let slot = |(key, recordings)| Slot { key, recordings, rows: Vec::new() };
        self.slots = slots.into_iter().map(slot).collect();
        self.slots.iter().enumerate().map(|(at, slot)| (slot.key.clone(), at)).collect()
    }

    /// Whether projects are told apart: by both sides.
    fn projects(&self, statement: &Statement) -> bool {
        statement.by_project && self.recordings.iter().any(|recording| recording.submission.project.is_some())
    }

    /// `2026-10 fun-asr support`; a part that does not tell rows apart is left out. A cell that names the model among other
    /// things, separated by `;`, names the model.
    fn key(&self, period: Option<Period>, model: (&str, bool), project: (&str, bool)) -> String {
        let is_ours = model.0.split(';').any(|part| part.trim() == self.model);
        let model = model.1.then(|| if is_ours { self.model.clone() } else { model.0.to_owned() });
        let parts = [period.map(|period| period.to_string()), model, project.1.then(|| project.0.to_owned())];
        parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// Adds the measured result of a recording, by its place in the batch.
    pub fn add_result(&mut self, at: usize, measured: &Measured<'_>) {
        let Some(recording) = self.recordings.get_mut(at) else { return };
        recording.tracks_ms = measured.billable.iter().map(|track| track.billable_ms).collect();
        if measured.call.duration_source == Some("properties") {
            let known = Recording { duration_ms: measured.call.duration_ms, ..Recording::default() };
            let plan = Plan::new(&*self.model, self.region.unwrap_or_default(), recording.submission.tracks.clone());
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

    /// The list price of the first meter; `None` = unknown.
    #[must_use]
    pub fn unit(&self) -> Option<UnitPrice> {
        self.unit_of(*self.meters().first()?)
    }

    /// Matching rows that do not say which tokens they count, if the model is billed in tokens; they are not compared.
    #[must_use]
    pub fn rows_without_meter(&self) -> u64 {
        let rows = self.slots.iter().filter(|_| self.is_by_tokens()).flat_map(|slot| &slot.rows);
        rows.filter(|row| row.usage.seconds.is_some()).count() as u64
    }

    /// The recordings that a slot stands for.
    fn in_slot<'s>(&'s self, slot: &'s Slot) -> impl Iterator<Item = &'s ReconciledRecording> {
        slot.recordings.iter().filter_map(|at| self.recordings.get(*at))
    }

    fn unit_of(&self, meter: Meter) -> Option<UnitPrice> {
        self.prices.unit(&self.model, self.region?, meter)
    }

    fn meters(&self) -> &'static [Meter] {
        self.region.map_or(&[Meter::Speech], |region| self.prices.meters(&self.model, region))
    }

    fn is_by_tokens(&self) -> bool {
        self.meters() != [Meter::Speech]
    }
}

impl Slot {
    /// The sum of the quantities on its rows of the statement.
    fn statement(&self) -> Usage {
        self.rows.iter().map(|row| row.usage).sum()
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

/// Without what else knows addresses, each is its own identity.
#[cfg(not(any(feature = "analytics", feature = "client")))]
fn address_id(address: &str) -> String {
    address.to_owned()
}
