//! The budget of a batch: its limit, and an upper bound for each recording.

use std::collections::HashMap;

use rust_decimal::Decimal;

use super::line::Meter;
use super::money::Money;
use super::prices::Prices;
use super::tariff::Tariff;
use super::usage::Usage;
use crate::catalog::Region;
use crate::error::Result;

/// A cost limit for a running batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    limit: Money,
    tariff: Tariff,
    free_seconds: i64,
    /// Upper bound of billed seconds, all tracks together, by recording key.
    upper_bounds: HashMap<String, i64>,
}

impl Budget {
    /// A limit for one model in one region.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidInput`] if the model has no price in the currency of the limit, so that it could not be
    /// enforced.
    pub fn new(limit: Money, model: &str, region: Region, prices: &Prices) -> Result<Self> {
        let tariff = Tariff::new(limit, model, region, prices)?;
        Ok(Self { limit, tariff, free_seconds: 0, upper_bounds: HashMap::new() })
    }

    /// Sets the seconds left of a free allowance.
    #[must_use]
    pub fn free_seconds(mut self, seconds: i64) -> Self {
        self.free_seconds = seconds.max(0);
        self
    }

    /// Sets the most seconds that can be billed for a recording.
    pub fn set_upper_bound(&mut self, key: &str, seconds: i64) {
        self.upper_bounds.insert(key.to_owned(), seconds);
    }

    /// The limit.
    #[must_use]
    pub fn limit(&self) -> Money {
        self.limit
    }

    /// The most usage that can be reported for a recording; `None` = unknown.
    #[must_use]
    pub fn upper_bound(&self, key: &str) -> Option<Usage> {
        let seconds = self.upper_bounds.get(key).filter(|_| self.tariff.is_by_seconds()).copied()?;
        Some(Usage { seconds: Some(seconds), ..Usage::default() })
    }

    /// The cost of `usage` after the free allowance; the largest decimal if it exceeds that.
    #[must_use]
    pub fn cost(&self, usage: &Usage) -> Decimal {
        let free = |meter| if meter == Meter::Speech { self.free_seconds } else { 0 };
        self.tariff.cost(usage, free)
    }
}
