//! A batch beside the provider's statement: which rows belong to which recording, and what each source says of it
//! (definitions: reconciliation).

use std::collections::HashMap;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::account::{Account, Rounding};
use super::estimate::{Bounds, Estimate, Plan, Recording, estimate};
use super::line::{Basis, Line, Meter};
use super::money::checked_sum;
use super::prices::{Prices, UnitPrice};
use super::statement::StatementRow;
use super::tokens::{MeterAccount, TokenAccount};
use super::usage::Usage;
use crate::catalog::{Currency, Region};
use crate::metrics::Measured;

/// A recording of a batch, as far as it matters for its bill.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Submission {
    /// Its result file relative to the batch's results, or its name.
    pub file: String,
    /// What a statement may call it: its address, result file or name, the ids of its tasks.
    pub names: Vec<String>,
    /// The requested tracks.
    pub tracks: Vec<u32>,
    /// The code of its failure; `None` = it did not fail.
    pub failure: Option<String>,
    /// Number of submits that may have been billed.
    pub submits: u32,
    /// As reported by the service for this recording alone: the usage of a task with several recordings cannot be split.
    pub usage: Usage,
    /// When its first task was accepted; `None` = none was.
    pub accepted: Option<Timestamp>,
}

/// A recording with all that is known about its bill.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct ReconciledRecording {
    /// As the ledger knows it.
    pub submission: Submission,
    /// Its rows on the statement.
    pub rows: Vec<StatementRow>,
    /// Speech of each transcribed track in ms; `None` = no result, or not measurable.
    pub tracks_ms: Option<Vec<i64>>,
    /// Its estimate, if the result states its length.
    pub estimate: Vec<Estimate>,
}

/// A line of the bill at list price, beside the amount billed for it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Charge {
    /// Quantity as reported, else as recomputed from the result.
    pub line: Line,
    /// The statement has one amount for input and output tokens: the line has neither quantity nor price.
    pub is_for_both_meters: bool,
    /// The currency of the list price; `None` = unknown.
    pub currency: Option<Currency>,
    /// Amount on the statement; `None` = not listed. Never computed.
    pub billed: Option<Decimal>,
    /// When the recording's first task was accepted.
    pub accepted: Option<Timestamp>,
}

/// The accounts of all recordings, in the order of the batch.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Accounts {
    /// The model is billed by the second.
    Seconds(Vec<Account>),
    /// The model is billed in tokens.
    Tokens(Vec<TokenAccount>),
}

/// A batch of one model beside a statement.
#[derive(Debug, Clone)]
pub struct Reconciliation<'p> {
    model: String,
    region: Option<Region>,
    prices: &'p Prices,
    recordings: Vec<ReconciledRecording>,
    foreign: Vec<StatementRow>,
}

impl<'p> Reconciliation<'p> {
    /// Gives each row of the statement to the first recording that it names.
    #[must_use]
    pub fn new(
        model: &str,
        region: Option<Region>,
        submissions: impl IntoIterator<Item = Submission>,
        statement: Vec<StatementRow>,
        prices: &'p Prices,
    ) -> Self {
        let recording =
            |submission| ReconciledRecording { submission, rows: Vec::new(), tracks_ms: None, estimate: Vec::new() };
        let mut recordings: Vec<_> = submissions.into_iter().map(recording).collect();
        let mut places: HashMap<String, usize> = HashMap::new();
        for (at, recording) in recordings.iter().enumerate() {
            for name in recording.submission.names.iter().filter(|name| !name.is_empty()) {
                places.entry(name.clone()).or_insert(at);
            }
        }
        let mut foreign = Vec::new();
        for row in statement {
            match places.get(&row.resource).and_then(|at| recordings.get_mut(*at)) {
                Some(recording) => recording.rows.push(row),
                None => foreign.push(row),
            }
        }
        Self { model: model.to_owned(), region, prices, recordings, foreign }
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

    /// Rows of the statement that name no recording of the batch.
    #[must_use]
    pub fn foreign_rows(&self) -> &[StatementRow] {
        &self.foreign
    }

    /// The list price of the first meter; `None` = unknown.
    #[must_use]
    pub fn unit(&self) -> Option<UnitPrice> {
        self.unit_of(*self.meters().first()?)
    }

    /// Matching rows that do not say which tokens they count, if the model is billed in tokens; they are not compared.
    #[must_use]
    pub fn rows_without_meter(&self) -> u64 {
        let rows = self.recordings.iter().filter(|_| self.is_by_tokens()).flat_map(|recording| &recording.rows);
        rows.filter(|row| row.usage.seconds.is_some()).count() as u64
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

    /// What each source says of each recording.
    #[must_use]
    pub fn accounts(&self) -> Accounts {
        if self.is_by_tokens() {
            Accounts::Tokens(self.recordings.iter().map(|recording| self.token_account(recording)).collect())
        } else {
            Accounts::Seconds(self.recordings.iter().map(ReconciledRecording::account).collect())
        }
    }

    fn token_account(&self, recording: &ReconciledRecording) -> TokenAccount {
        let statement = recording.statement();
        let meter = |meter: &Meter| MeterAccount {
            meter: *meter,
            estimate: recording.estimated(*meter),
            usage: recording.submission.usage.quantity(*meter),
            unit: self.unit_of(*meter),
            statement: statement.quantity(*meter),
            statement_cost: recording.billed(|row| row.meter == Some(*meter)),
        };
        TokenAccount {
            file: recording.submission.file.clone(),
            meters: self.meters().iter().map(meter).collect(),
            both_cost: recording.billed(|row| row.meter.is_none_or(|meter| meter == Meter::Speech)),
            failure: recording.submission.failure.clone(),
            submits: recording.submission.submits,
        }
    }

    /// The accounts as charges: one per recording, or one per meter and one for what is billed for both.
    #[must_use]
    pub fn charges(&self, accounts: &Accounts, rounding: Rounding) -> Vec<Charge> {
        let charge = |recording: &ReconciledRecording, meter, (basis, quantity), billed| {
            let unit = self.unit_of(meter);
            let line = Line {
                file: recording.submission.file.clone(),
                channel_id: None,
                basis,
                model: Some(self.model.clone()),
                region: self.region,
                meter,
                speech_ms: None,
                quantity,
                unit,
            };
            let (currency, accepted) = (unit.map(|unit| unit.currency), recording.submission.accepted);
            Charge { line, is_for_both_meters: false, currency, billed, accepted }
        };
        let mut charges = Vec::new();
        match accounts {
            Accounts::Seconds(accounts) => {
                for (recording, account) in self.recordings.iter().zip(accounts) {
                    let quantity = match account.usage {
                        Some(usage) => (Basis::Usage, Some(usage)),
                        None => (Basis::Result, account.actual(rounding)),
                    };
                    charges.push(charge(recording, Meter::Speech, quantity, account.statement_cost));
                }
            }
            Accounts::Tokens(accounts) => {
                for (recording, account) in self.recordings.iter().zip(accounts) {
                    for meter in &account.meters {
                        let usage = (Basis::Usage, meter.usage);
                        charges.push(charge(recording, meter.meter, usage, meter.statement_cost));
                    }
                    // An amount for both meters is not split: that would be computed, not billed.
                    if account.both_cost.is_some() {
                        let both = charge(recording, Meter::TokensIn, (Basis::Usage, None), account.both_cost);
                        let line = Line { unit: None, ..both.line };
                        charges.push(Charge { line, is_for_both_meters: true, ..both });
                    }
                }
            }
        }
        charges
    }
}

impl ReconciledRecording {
    /// The sum of the quantities on its rows of the statement.
    fn statement(&self) -> Usage {
        self.rows.iter().map(|row| row.usage).sum()
    }

    /// The estimate of a meter over all tracks.
    fn estimated(&self, meter: Meter) -> Option<Bounds<i64>> {
        let lines = self.estimate.iter().filter(|line| line.meter == meter);
        let add = |one: i64, two: i64| Some(one.saturating_add(two));
        lines.map(|line| line.quantity).reduce(|one, two| one?.try_zip(two?, add))?
    }

    /// The sum of the amounts on its rows of the statement that `counts` selects; `None` if there are none.
    fn billed(&self, counts: impl Fn(&StatementRow) -> bool) -> Option<Decimal> {
        let mut amounts = self.rows.iter().filter(|row| counts(row)).filter_map(|row| row.cost).peekable();
        amounts.peek()?;
        checked_sum(amounts.map(Some))
    }

    fn account(&self) -> Account {
        let Submission { file, tracks, failure, submits, usage, .. } = &self.submission;
        let estimate = self.estimated(Meter::Speech);
        Account {
            file: file.clone(),
            estimate_high: estimate.map(|seconds| seconds.most),
            estimate: estimate.map(|seconds| seconds.expected),
            has_result: self.tracks_ms.is_some(),
            tracks_ms: self.tracks_ms.clone().unwrap_or_default(),
            tracks_asked: tracks.len(),
            usage: usage.seconds,
            statement: self.statement().seconds,
            statement_cost: self.billed(|_| true),
            failure: failure.clone(),
            submits: *submits,
        }
    }
}

impl Accounts {
    /// Number of recordings that are billed differently from their results or the reported usage, or twice.
    #[must_use]
    pub fn different(&self, rounding: Rounding) -> u64 {
        let different = match self {
            Self::Seconds(accounts) => accounts.iter().filter(|account| account.is_different(rounding)).count(),
            Self::Tokens(accounts) => accounts.iter().filter(|account| account.is_different()).count(),
        };
        different as u64
    }
}
