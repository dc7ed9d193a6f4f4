//! The accounts of a reconciliation: what each source says of each recording, day or month.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{ReconciledRecording, Reconciliation, Slot};
use crate::billing::account::{Account, TaskSpeech, Terms};
use crate::billing::estimate::Bounds;
use crate::billing::line::Meter;
use crate::billing::prices::UnitPrice;
use crate::billing::rounding::Rounding;
use crate::billing::tokens::{MeterAccount, TokenAccount};
use crate::billing::usage::Usage;
use crate::billing::verdict::{Explained, half_decimal};

/// The accounts of all that rows of a statement can stand for: recordings in the order of the batch, or days or months.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Accounts {
    /// Of models that are billed by the second.
    pub seconds: Vec<Account>,
    /// Of models that are billed in tokens.
    pub tokens: Vec<TokenAccount>,
}

impl Reconciliation<'_> {
    /// What each source says of each recording, day or month.
    #[must_use]
    pub fn accounts(&self) -> Accounts {
        Accounts {
            seconds: self.slots_billed(false).map(|slot| self.account(slot)).collect(),
            tokens: self.slots_billed(true).map(|slot| self.token_account(slot)).collect(),
        }
    }

    /// The slots of models that are billed in tokens, or of the others.
    pub(super) fn slots_billed(&self, in_tokens: bool) -> impl Iterator<Item = &Slot> {
        self.slots.iter().filter(move |slot| slot.is_by_tokens == in_tokens)
    }

    /// By what the accounts are compared: the rule of rounding that is given, else the one that explains most rows exactly.
    #[must_use]
    pub fn terms(&self, accounts: &Accounts, rounding: Option<Rounding>, tolerance_seconds: Decimal) -> Terms {
        let mut terms = Terms {
            rounding: rounding.unwrap_or_default(),
            tolerance_seconds,
            half_decimal: half_decimal(self.statement.as_ref().map_or(0, |statement| statement.decimals)),
            has_statement: self.statement.is_some(),
        };
        if rounding.is_none() {
            terms.rounding = Explained::best(&accounts.seconds, &terms).rule;
        }
        terms
    }

    /// What the service reported, shared tasks once, if all their recordings are in the slot.
    fn reported(&self, slot: &Slot) -> Usage {
        let own = self.in_slot(slot).map(|recording| recording.submission.usage);
        let is_one = slot.recordings.len() == 1;
        let shared: BTreeMap<&str, Usage> = self
            .in_slot(slot)
            .filter(|_| !is_one)
            .flat_map(|recording| &recording.submission.shared)
            .map(|(task, usage)| (&**task, *usage))
            .collect();
        own.chain(shared.into_values()).sum()
    }

    fn token_account(&self, slot: &Slot) -> TokenAccount {
        let (statement, usage) = (slot.statement(), self.reported(slot));
        let meter = |meter: &Meter| MeterAccount {
            meter: *meter,
            estimate: self.estimated(slot, *meter),
            usage: usage.quantity(*meter),
            unit: self.unit_of(slot, *meter),
            statement: statement.quantity(*meter),
            statement_cost: slot.billed(|row| row.meter == Some(*meter)),
        };
        let meters: Vec<MeterAccount> = [Meter::TokensIn, Meter::TokensOut].iter().map(meter).collect();
        TokenAccount {
            key: slot.key.clone(),
            is_stated: !slot.rows.is_empty(),
            compares_amounts: meters
                .iter()
                .all(|meter| meter.unit.is_some_and(|unit| self.is_comparable(unit.currency))),
            meters,
            both_cost: slot.billed(|row| row.meter.is_none_or(|meter| meter == Meter::Speech)),
            recordings: slot.recordings.len(),
            failures: self.in_slot(slot).filter_map(|recording| recording.submission.failure.clone()).collect(),
            submits: self.in_slot(slot).fold(0, |all, one| all.saturating_add(one.submission.submits)),
        }
    }

    fn account(&self, slot: &Slot) -> Account {
        let estimate = self.estimated(slot, Meter::Speech);
        let mut tasks: BTreeMap<(&str, usize), TaskSpeech> = BTreeMap::new();
        let unit = |unit: Option<UnitPrice>| unit.filter(|unit| self.is_comparable(unit.currency));
        let mut results = 0_usize;
        for (at, recording) in self.in_slot(slot).enumerate() {
            let Some(tracks) = &recording.tracks_ms else { continue };
            results = results.saturating_add(1);
            // A recording of a task that the statement does not name is on its own.
            let shared = recording.submission.shared.last().filter(|_| slot.recordings.len() > 1);
            let task = shared.map_or(("", at), |(task, _)| (&**task, 0));
            let own = recording.submission.unit(Meter::Speech, self.prices);
            let new = || TaskSpeech { tracks_ms: Vec::new(), unit: unit(own) };
            tasks.entry(task).or_insert_with(new).tracks_ms.extend(tracks);
        }
        Account {
            key: slot.key.clone(),
            recordings: slot.recordings.len(),
            estimate_high: estimate.map(|seconds| seconds.most),
            estimate: estimate.map(|seconds| seconds.expected),
            unit: unit(self.unit_of(slot, Meter::Speech)),
            tasks: tasks.into_values().collect(),
            results,
            tracks_asked: self.in_slot(slot).map(|recording| recording.submission.tracks.len()).sum(),
            usage: self.reported(slot).seconds,
            is_stated: !slot.rows.is_empty(),
            statement: slot.statement().seconds,
            statement_cost: slot.billed(|_| true),
            failures: self.in_slot(slot).filter_map(|recording| recording.submission.failure.clone()).collect(),
            submits: self.in_slot(slot).fold(0, |all, one| all.saturating_add(one.submission.submits)),
        }
    }

    /// The estimate of a meter over all tracks; `None` if that of a recording is not known.
    fn estimated(&self, slot: &Slot, meter: Meter) -> Option<Bounds<i64>> {
        let add = |one: i64, two: i64| Some(one.saturating_add(two));
        let own = |recording: &ReconciledRecording| {
            let lines = recording.estimate.iter().filter(|line| line.meter == meter);
            lines.map(|line| line.quantity).reduce(|one, two| one?.try_zip(two?, add))?
        };
        self.in_slot(slot).map(own).reduce(|one, two| one?.try_zip(two?, add))?
    }
}
