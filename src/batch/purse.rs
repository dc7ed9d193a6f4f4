//! What a batch has cost so far, what is under way, and whether another submit fits into its budget.

use std::collections::HashSet;

use super::event::N;
use super::state::{Owned, Phase, State};
use crate::billing::{Budget, Usage};

/// Kept up with the state; does nothing where there is no budget.
#[derive(Debug, Default)]
pub(super) struct Purse {
    budget: Option<Budget>,
    /// By the usage of tasks that have ended.
    spent: Usage,
    /// Items whose bill is still to come.
    open: HashSet<N>,
    /// Most that can come of those of which it is known …
    bound: Usage,
    /// … and how many others there are.
    unknown: i64,
    /// The dearest recording so far stands for those of which nothing is known.
    dearest: Option<Usage>,
}

impl Purse {
    pub(super) fn of(state: &State, budget: Option<Budget>) -> Self {
        let mut purse = Self { budget, ..Self::default() };
        if purse.budget.is_some() {
            for owned in state.tasks.values() {
                purse.spend(owned);
            }
            let open = |phase: &Phase| match phase {
                Phase::Attempted(_) => true,
                Phase::InTask(task) => state.tasks.get(task).is_none_or(|owned| !owned.is_settled()),
                _ => false,
            };
            for item in state.items.iter().filter(|item| open(&item.phase)) {
                purse.hold(state, item.n);
            }
        }
        purse
    }

    /// The bill of an item is to come.
    pub(super) fn hold(&mut self, state: &State, n: N) {
        if let Some(budget) = self.budget.as_ref().filter(|_| self.open.insert(n)) {
            match state.get(n).and_then(|item| budget.most(&item.key)) {
                Some(most) => self.bound += most,
                None => self.unknown += 1,
            }
        }
    }

    /// It came, or will not come.
    pub(super) fn release(&mut self, state: &State, n: N) {
        if let Some(budget) = self.budget.as_ref().filter(|_| self.open.remove(&n)) {
            match state.get(n).and_then(|item| budget.most(&item.key)) {
                Some(most) => self.bound += Usage::seconds(-most.seconds.unwrap_or(0)),
                None => self.unknown -= 1,
            }
        }
    }

    /// A task has ended.
    pub(super) fn settle(&mut self, state: &State, owned: &Owned) {
        // The end of a task is told again when a fresh link is asked for; it is billed once.
        let due = owned.items.iter().any(|n| self.open.contains(n));
        if self.budget.is_some() && due && owned.is_settled() {
            self.spend(owned);
            owned.items.iter().for_each(|n| self.release(state, *n));
        }
    }

    fn spend(&mut self, owned: &Owned) {
        if let Some(usage) = owned.usage.as_ref().map(Usage::of) {
            self.spent += usage;
            self.dearest = Some(self.dearest.map_or(usage, |dearest| dearest.most(usage)));
        }
    }

    /// Why these may not be submitted now; `None` = they may.
    ///
    /// Nothing is known of the first recording of a batch of unknown lengths: it goes alone, and shows what others may cost.
    pub(super) fn refuses(&self, state: &State, items: &[N]) -> Option<String> {
        let budget = self.budget.as_ref()?;
        let mut total = self.spent;
        total += self.bound;
        let mut unknown = self.unknown;
        for n in items {
            match state.get(*n).and_then(|item| budget.most(&item.key)) {
                Some(most) => total += most,
                None => unknown += 1,
            }
        }
        let alone = unknown > 0 && self.dearest.is_none();
        (0..unknown).for_each(|_| total += self.dearest.unwrap_or_default());
        let (spent, cost, limit) = (budget.cost(&self.spent), budget.cost(&total), budget.limit());
        let fits = if alone { self.open.is_empty() && cost < limit.amount } else { cost <= limit.amount };
        (!fits).then(|| {
            format!(
                "the budget of {limit} is reached: {} {} spent, the next submit could pass it",
                spent.normalize(),
                limit.currency
            )
        })
    }
}
