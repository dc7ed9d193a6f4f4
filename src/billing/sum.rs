//! Estimates added up: what is uncertain about all recordings adds up, what is each one's own mostly cancels out (definitions: law
//! of the shares).

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::estimate::{Bounds, Estimate};
use super::line::Meter;
use super::prices::UnitPrice;
use super::share::Spread;
use crate::catalog::Currency;

/// The sum of estimates of one model.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Sum {
    /// Estimates with a cost.
    pub priced: u64,
    /// Estimates without a price.
    pub without_price: u64,
    /// Estimates of recordings of unknown length.
    pub without_duration: u64,
    /// The currency; `None` = nothing is priced.
    pub currency: Option<Currency>,
    /// Seconds of the priced estimates, where seconds are billed.
    pub seconds: Bounds<i64>,
    /// Cost of the priced estimates, unrounded: `expected` and `most` are the sums of theirs, `low` and `high` the 10th and 90th
    /// percentile of the sum. `None` = nothing is priced, or the sum exceeds what a decimal holds.
    pub cost: Option<Bounds<Decimal>>,
    /// Deducted for the free allowance.
    pub free: Bounds<Decimal>,
}

impl Sum {
    /// Cost after the free allowance.
    #[must_use]
    pub fn net(&self) -> Option<Bounds<Decimal>> {
        self.cost?.try_zip(self.free, Decimal::checked_sub)
    }

    /// Whether every estimate has a cost.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.without_price == 0 && self.without_duration == 0
    }
}

/// The estimates of one meter.
struct MeterSum {
    unit: UnitPrice,
    expected: i64,
    most: i64,
    spread: Spread,
}

impl MeterSum {
    fn quantity(&self) -> Bounds<i64> {
        self.spread.bounds(self.expected, self.most)
    }
}

/// Adds up estimates of one model in one region, of which `free_seconds` are covered by the free allowance.
#[must_use]
pub fn sum<'e>(lines: impl IntoIterator<Item = &'e Estimate>, free_seconds: i64) -> Sum {
    let mut sum = Sum::default();
    let mut meters: BTreeMap<Meter, MeterSum> = BTreeMap::new();
    for line in lines {
        let (Some(quantity), Some(spread), Some(unit)) = (line.quantity, line.spread(), line.unit) else {
            let missing = if line.quantity.is_none() { &mut sum.without_duration } else { &mut sum.without_price };
            *missing = missing.saturating_add(1);
            continue;
        };
        sum.priced = sum.priced.saturating_add(1);
        sum.currency = Some(unit.currency);
        let meter =
            meters.entry(line.meter).or_insert(MeterSum { unit, expected: 0, most: 0, spread: Spread::default() });
        meter.expected = meter.expected.saturating_add(quantity.expected);
        meter.most = meter.most.saturating_add(quantity.most);
        meter.spread.add(spread);
    }
    let cost = |meter: &MeterSum| meter.quantity().map(|quantity| meter.unit.cost(quantity)).all();
    sum.cost = meters.values().map(cost).reduce(|sum, cost| sum?.try_zip(cost?, Decimal::checked_add)).flatten();
    if let Some(speech) = meters.get(&Meter::Speech) {
        sum.seconds = speech.quantity();
        // Never more than the cost, which is known: unknown products stand for none.
        let free = |seconds: i64| speech.unit.cost(seconds.min(free_seconds.max(0))).unwrap_or_default();
        sum.free = sum.seconds.map(free);
    }
    sum
}
