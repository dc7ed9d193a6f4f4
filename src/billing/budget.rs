//! What a batch may cost: the limit, and what is known beforehand of each recording.

use std::collections::HashMap;

use rust_decimal::Decimal;

use super::line::Meter;
use super::money::Money;
use super::prices::{Prices, UnitPrice};
use super::usage::Usage;
use crate::catalog::Region;
use crate::error::{Error, Result};

/// A limit that a running batch keeps to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    limit: Money,
    units: Vec<(Meter, UnitPrice)>,
    free_seconds: i64,
    /// Most seconds that can be billed of a recording, all its tracks together, by its key in the batch.
    bounds: HashMap<String, i64>,
}

impl Budget {
    /// A limit for one model in one region.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidInput`] where the model has no price in the currency of the limit: nobody could tell when it is
    /// reached.
    pub fn new(limit: Money, model: &str, region: Region, prices: &Prices) -> Result<Self> {
        let priced = |meter: &Meter| {
            let unit = prices.unit(model, region, *meter).filter(|unit| unit.currency == limit.currency)?;
            Some((*meter, unit))
        };
        let units: Option<Vec<_>> = prices.meters(model, region).iter().map(priced).collect();
        let units = units.ok_or_else(|| {
            Error::invalid(format!(
                "{model} has no known price in {region} in {}: when {limit} is reached cannot be told; --prices FILE says \
                 what it costs",
                limit.currency
            ))
        })?;
        Ok(Self { limit, units, free_seconds: 0, bounds: HashMap::new() })
    }

    /// Seconds that are left of a free allowance.
    #[must_use]
    pub fn free_seconds(mut self, seconds: i64) -> Self {
        self.free_seconds = seconds.max(0);
        self
    }

    /// Most seconds that can be billed of a recording.
    pub fn bound(&mut self, key: &str, seconds: i64) {
        self.bounds.insert(key.to_owned(), seconds);
    }

    /// The limit.
    #[must_use]
    pub fn limit(&self) -> Money {
        self.limit
    }

    /// Most that can be reported of a recording; `None` = not known.
    #[must_use]
    pub fn most(&self, key: &str) -> Option<Usage> {
        let by_seconds = self.units.iter().all(|(meter, _)| *meter == Meter::Speech);
        let seconds = self.bounds.get(key).filter(|_| by_seconds).copied()?;
        Some(Usage { seconds: Some(seconds), ..Usage::default() })
    }

    /// What so much costs, less what is free.
    #[must_use]
    pub fn cost(&self, usage: &Usage) -> Decimal {
        let cost = |(meter, unit): &(Meter, UnitPrice)| {
            let quantity = usage.quantity(*meter).unwrap_or(0);
            let free = if *meter == Meter::Speech { self.free_seconds } else { 0 };
            unit.cost(quantity.saturating_sub(free).max(0))
        };
        self.units.iter().map(cost).sum()
    }
}
