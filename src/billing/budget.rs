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
    /// Upper bound of what is billed, all tracks together, by recording key.
    upper_bounds: HashMap<String, Usage>,
}

impl Budget {
    /// A limit for one model in one region.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidInput`] if the model has no price in the currency of the limit, so that it could not be
    /// enforced.
    pub fn new(limit: Money, model: &str, region: Region, prices: &Prices) -> Result<Self> {
        let tariff = Tariff::new(limit.currency, model, region, prices)?;
        Ok(Self { limit, tariff, free_seconds: 0, upper_bounds: HashMap::new() })
    }

    /// Sets the seconds left of a free allowance.
    #[must_use]
    pub fn free_seconds(mut self, seconds: i64) -> Self {
        self.free_seconds = seconds.max(0);
        self
    }

    /// Sets the most that can be billed for a recording.
    pub fn set_upper_bound(&mut self, key: &str, most: Usage) {
        self.upper_bounds.insert(key.to_owned(), most);
    }

    /// The limit.
    #[must_use]
    pub fn limit(&self) -> Money {
        self.limit
    }

    /// The most usage that can be reported for a recording; `None` = unknown.
    #[must_use]
    pub fn upper_bound(&self, key: &str) -> Option<Usage> {
        self.upper_bounds.get(key).copied()
    }

    /// The cost of `usage` after the free allowance; the largest decimal if it exceeds that.
    #[must_use]
    pub fn cost(&self, usage: &Usage) -> Decimal {
        let free = |meter| if meter == Meter::Speech { self.free_seconds } else { 0 };
        self.tariff.cost(usage, free)
    }
}
