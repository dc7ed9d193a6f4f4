//! The prices of one model in one region and currency.

use rust_decimal::Decimal;

use super::line::Meter;
use super::money::checked_sum;
use super::prices::{Prices, UnitPrice};
use super::usage::Usage;
use crate::catalog::{Currency, Region};
use crate::error::{Check, Error, Result};

/// A price for each meter of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tariff(Vec<(Meter, UnitPrice)>);

impl Tariff {
    /// The prices by which a limit in a currency is enforced; an error if there are none in it.
    pub(super) fn new(currency: Currency, model: &str, region: Region, prices: &Prices) -> Result<Self> {
        let priced = |meter: &Meter| {
            let unit = prices.unit(model, region, *meter).filter(|unit| unit.currency == currency)?;
            Some((*meter, unit))
        };
        let units: Option<Vec<_>> = prices.meters(model, region).iter().map(priced).collect();
        units.map(Self).ok_or_else(|| {
            Error::invalid(format!(
                "a limit in {currency} cannot be enforced: {model} has no known price in {region} in {currency}"
            ))
            .with_check(Check::Price)
        })
    }

    /// Whether a quantity is reported of every meter.
    pub(super) fn is_reported(&self, usage: &Usage) -> bool {
        self.0.iter().all(|(meter, _)| usage.quantity(*meter).is_some())
    }

    /// The cost of `usage`, so much of each meter being free; the largest decimal if it exceeds that.
    pub(super) fn cost(&self, usage: &Usage, free: impl Fn(Meter) -> i64) -> Decimal {
        let cost = |(meter, unit): &(Meter, UnitPrice)| {
            let quantity = usage.quantity(*meter).unwrap_or(0);
            unit.cost(quantity.saturating_sub(free(*meter)).max(0))
        };
        checked_sum(self.0.iter().map(cost)).unwrap_or(Decimal::MAX)
    }
}
