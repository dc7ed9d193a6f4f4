//! What a batch draws on a budget that other runs share.
//!
//! The ledger is the truth: what the batch has drawn is derived from it on every start, and replaces what a killed run left in
//! the budget file. A reservation is on disk before the submit that it is for.

use std::collections::HashMap;

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::event::RecordingNo;
use super::state::{OwnTask, Phase, State};
use crate::billing::{BudgetAccount, Drawn, DrawnByMonth, Period, SharedBudget, Usage, month_of};
use crate::error::Result;

/// Kept up with the state.
#[derive(Debug)]
pub(super) struct SharedReservations {
    budget: SharedBudget,
    account: BudgetAccount,
    /// What is reserved for recordings whose bill is still to come, and in which month.
    open: HashMap<RecordingNo, (Period, Decimal)>,
    /// Tracks that are requested where a recording has none of its own.
    tracks: usize,
}

impl SharedReservations {
    /// What `run` has drawn by its ledger. `tracks` are requested where a recording has none of its own.
    pub(super) fn new(state: &State, budget: SharedBudget, run: String, tracks: usize, now: Timestamp) -> Self {
        let mut open = HashMap::new();
        let mut drawn = DrawnByMonth::new();
        let most = |n: RecordingNo| most(state, &budget, tracks, n);
        let mut submits: HashMap<RecordingNo, u32> = HashMap::new();
        for (id, task) in &state.tasks {
            let month = month_of(task.submitted);
            let mut reserved = Decimal::ZERO;
            for n in task.recordings() {
                *submits.entry(n).or_default() += 1;
                reserved = reserved.saturating_add(most(n));
                let is_open = state.get(n).is_some_and(|recording| recording.phase == Phase::InTask(id.clone()));
                if is_open && !task.is_settled() {
                    open.insert(n, (month, most(n)));
                    reserved = reserved.saturating_sub(most(n));
                }
            }
            // What ended without a bill that can be read may have cost what was reserved.
            let spent = spent(&budget, task).unwrap_or(reserved);
            add(&mut drawn, month, Drawn { spent, ..Drawn::default() });
        }
        for attempt in state.attempts.values() {
            open.extend(attempt.recordings().map(|n| (n, (month_of(attempt.at), most(n)))));
        }
        for (month, reserved) in open.values() {
            add(&mut drawn, *month, Drawn { reserved: *reserved, ..Drawn::default() });
        }
        // A submit that was given up as unresolved may have been billed, and nothing will tell.
        for recording in &state.recordings {
            let unresolved = recording.submits.saturating_sub(submits.get(&recording.n).copied().unwrap_or(0));
            if unresolved > 0 {
                let spent = most(recording.n).saturating_mul(unresolved.into());
                add(&mut drawn, month_of(now), Drawn { spent, ..Drawn::default() });
            }
        }
        let account = budget.account(run, drawn);
        Self { budget, account, open, tracks }
    }

    /// Reserves the most that recordings can cost; why not, if the budget does not allow it.
    pub(super) fn reserve(
        &mut self,
        state: &State,
        recordings: &[RecordingNo],
        now: Timestamp,
    ) -> Result<Option<String>> {
        let month = month_of(now);
        let most: Vec<(RecordingNo, Decimal)> =
            recordings.iter().map(|n| (*n, most(state, &self.budget, self.tracks, *n))).collect();
        let all = most.iter().fold(Decimal::ZERO, |sum, (_, most)| sum.saturating_add(*most));
        let refused = self.account.reserve(month, all)?;
        if refused.is_none() {
            self.open.extend(most.into_iter().map(|(n, most)| (n, (month, most))));
        }
        Ok(refused)
    }

    /// Why a recording can never be submitted under the limits of this month; `None` = it may fit, now or later.
    pub(super) fn never_fits(&self, state: &State, n: RecordingNo, now: Timestamp) -> Result<Option<String>> {
        self.budget.never_fits(month_of(now), most(state, &self.budget, self.tracks, n))
    }

    /// The bill of a recording will not come.
    pub(super) fn release(&mut self, n: RecordingNo) {
        if let Some((month, reserved)) = self.open.remove(&n) {
            self.account.settle(month, reserved, Decimal::ZERO);
        }
    }

    /// A submit or task is given up as unresolved: what was reserved may have been billed.
    pub(super) fn give_up(&mut self, n: RecordingNo) {
        if let Some((month, reserved)) = self.open.remove(&n) {
            self.account.settle(month, reserved, reserved);
        }
    }

    /// A task has ended.
    pub(super) fn settle(&mut self, task: &OwnTask) {
        if !task.is_settled() {
            return;
        }
        let due: Vec<(Period, Decimal)> = task.recordings().filter_map(|n| self.open.remove(&n)).collect();
        // The end of a task is reported again with a fresh link; it is billed once.
        if due.is_empty() {
            return;
        }
        let reserved = due.iter().fold(Decimal::ZERO, |sum, (_, reserved)| sum.saturating_add(*reserved));
        due.into_iter().for_each(|(month, reserved)| self.account.settle(month, reserved, Decimal::ZERO));
        let spent = spent(&self.budget, task).unwrap_or(reserved);
        self.account.settle(month_of(task.submitted), Decimal::ZERO, spent);
    }

    /// Writes what was settled a while ago.
    pub(super) fn write_if_due(&mut self) -> Result<()> {
        if self.account.is_due() { self.account.write() } else { Ok(()) }
    }

    /// Writes what was settled.
    pub(super) fn write(&mut self) -> Result<()> {
        self.account.write()
    }
}

/// The cost of a task, nothing if it failed without a bill; `None` = it is still to come, or cannot be read.
fn spent(budget: &SharedBudget, task: &OwnTask) -> Option<Decimal> {
    match task.usage() {
        Some(usage) => budget.cost(&Usage::from_json(&usage)),
        None => task.is_settled().then_some(Decimal::ZERO),
    }
}

/// The most that a recording can cost.
fn most(state: &State, budget: &SharedBudget, tracks: usize, n: RecordingNo) -> Decimal {
    let Some(recording) = state.get(n) else { return Decimal::ZERO };
    let tracks = recording.channels().map_or(tracks, <[u32]>::len);
    budget.most(&recording.key(), i64::try_from(tracks).unwrap_or(i64::MAX))
}

fn add(drawn: &mut DrawnByMonth, month: Period, more: Drawn) {
    let own = drawn.entry(month).or_default();
    own.spent = own.spent.saturating_add(more.spent);
    own.reserved = own.reserved.saturating_add(more.reserved);
}
