//! What a run draws on a budget file: the most that each recording can cost before it is sent, what it came to afterwards.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rust_decimal::Decimal;

use super::budget_file::{BudgetFile, Drawn, DrawnByMonth};
use super::prices::Prices;
use super::statement::Period;
use super::tariff::Tariff;
use super::usage::Usage;
use crate::catalog::Region;
use crate::error::Result;

/// How often what was settled is written, so that other runs can draw on what is free again.
const WRITTEN_EVERY: Duration = Duration::from_secs(1);

/// A budget file, with the prices of one model and the most that recordings can cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedBudget {
    file: BudgetFile,
    tariff: Tariff,
    /// By recording key.
    most: HashMap<String, Decimal>,
    most_of_unknown_track: Decimal,
}

impl SharedBudget {
    /// For one model in one region. `most_of_unknown_track` is reserved for each track of a recording of unknown length.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidInput`] if the model has no price in the currency of the file.
    pub fn new(
        file: BudgetFile,
        (model, region): (&str, Region),
        prices: &Prices,
        most_of_unknown_track: Decimal,
    ) -> Result<Self> {
        let tariff = Tariff::new(file.currency(), model, region, prices)?;
        Ok(Self { file, tariff, most: HashMap::new(), most_of_unknown_track })
    }

    /// Sets the most that a recording can cost.
    pub fn set_most(&mut self, key: &str, cost: Decimal) {
        self.most.insert(key.to_owned(), cost);
    }

    /// The most that a recording can cost, by its key and the number of its tracks.
    pub(crate) fn most(&self, key: &str, tracks: i64) -> Decimal {
        let unknown = || self.most_of_unknown_track.saturating_mul(tracks.max(1).into());
        self.most.get(key).copied().unwrap_or_else(unknown)
    }

    /// Why an amount exceeds a limit of the month alone.
    pub(crate) fn never_fits(&self, month: Period, amount: Decimal) -> Result<Option<String>> {
        self.file.never_fits(month, amount)
    }

    /// The cost of what the service reported; `None` = it reported nothing that the model is billed by.
    pub(crate) fn cost(&self, usage: &Usage) -> Option<Decimal> {
        self.tariff.is_reported(usage).then(|| self.tariff.cost(usage, |_| 0))
    }

    /// An account of what a run draws, which has drawn so much before.
    pub(crate) fn account(&self, run: String, drawn: DrawnByMonth) -> BudgetAccount {
        BudgetAccount { file: self.file.clone(), run, drawn, is_written: false, written: None }
    }
}

/// What one run draws on a budget file. Reservations are on disk before anything is sent; what was settled follows within a
/// second, at the next reservation or at the end, so that the file never has less than may be billed.
#[derive(Debug)]
pub(crate) struct BudgetAccount {
    file: BudgetFile,
    run: String,
    drawn: DrawnByMonth,
    is_written: bool,
    written: Option<Instant>,
}

impl BudgetAccount {
    /// Reserves an amount; why not, if a limit does not allow it.
    pub(crate) fn reserve(&mut self, month: Period, amount: Decimal) -> Result<Option<String>> {
        let mut drawn = self.drawn.clone();
        let own = drawn.entry(month).or_default();
        own.reserved = own.reserved.saturating_add(amount);
        let refused = self.file.set(&self.run, &drawn, Some(month))?;
        if refused.is_none() {
            self.drawn = drawn;
            self.note_written();
        }
        Ok(refused)
    }

    /// Gives back what was reserved, of which so much was spent.
    pub(crate) fn settle(&mut self, month: Period, reserved: Decimal, spent: Decimal) {
        let Drawn { spent: all, reserved: open } = self.drawn.entry(month).or_default();
        *open = open.saturating_sub(reserved).max(Decimal::ZERO);
        *all = all.saturating_add(spent);
        self.is_written = false;
    }

    /// Whether something was settled a while ago and is not on disk.
    pub(crate) fn is_due(&self) -> bool {
        !self.is_written && self.written.is_none_or(|written| written.elapsed() > WRITTEN_EVERY)
    }

    /// Writes what was settled.
    pub(crate) fn write(&mut self) -> Result<()> {
        if !self.is_written {
            self.file.set(&self.run, &self.drawn, None)?;
            self.note_written();
        }
        Ok(())
    }

    /// Ends the account: what it has drawn is added to another.
    #[cfg(feature = "cli")]
    pub(crate) fn fold_into(self, name: &str) -> Result<()> {
        self.file.fold(&self.run, &self.drawn, name)
    }

    fn note_written(&mut self) {
        self.is_written = true;
        self.written = Some(Instant::now());
    }
}
