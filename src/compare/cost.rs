//! What both sides cost, each by the price of its own model (definitions: comparison).

use rust_decimal::Decimal;
use serde::Serialize;

use crate::billing::{Bill, CurrencyTotal, Line, Prices, result_lines};
use crate::catalog::Currency;
use crate::metrics::Measured;

/// The cost of one call on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CostOfPair {
    /// The currency of both.
    pub currency: Currency,
    /// Of the reference.
    pub a: Decimal,
    /// Of the other side.
    pub b: Decimal,
}

/// The cost of all calls on both sides.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ComparedCost {
    /// Calls that are priced on both sides, in one currency.
    pub priced_calls: u64,
    /// The currency of the two sums; null if no call is priced on both sides, or these calls have several.
    pub currency: Option<Currency>,
    /// What these calls cost on the side of the reference.
    pub cost_a: Option<Decimal>,
    /// What they cost on the other side.
    pub cost_b: Option<Decimal>,
    /// (`cost_b` − `cost_a`) / `cost_a`; null if that is 0.
    pub difference_ratio: Option<f64>,
    /// All calls of the reference by currency; those without a price have none.
    pub a: Vec<CurrencyTotal>,
    /// All calls of the other side.
    pub b: Vec<CurrencyTotal>,
}

/// Costs, call by call.
#[derive(Debug, Default)]
pub(super) struct Costs {
    bills: [Bill; 2],
    pairs: Vec<CostOfPair>,
}

impl Costs {
    pub(super) fn new(sides: [(&Measured<'_>, &Prices); 2]) -> Self {
        let lines = sides.map(|(measured, prices)| result_lines(measured, prices));
        let mut bills = [Bill::default(), Bill::default()];
        bills.iter_mut().zip(&lines).for_each(|(bill, lines)| bill.add(lines));
        let [a, b] = lines.map(|lines| cost(&lines));
        let pair = a.zip(b).filter(|(a, b)| a.1 == b.1).map(|(a, b)| CostOfPair { currency: a.1, a: a.0, b: b.0 });
        Self { bills, pairs: pair.into_iter().collect() }
    }

    /// The cost of the only call.
    pub(super) fn of_pair(&self) -> Option<CostOfPair> {
        self.pairs.first().copied()
    }

    pub(super) fn append(&mut self, other: Self) {
        self.bills.iter_mut().zip(other.bills).for_each(|(bill, other)| bill.append(other));
        self.pairs.extend(other.pairs);
    }

    pub(super) fn compared(self) -> ComparedCost {
        let currency = self.pairs.first().map(|pair| pair.currency);
        let currency = currency.filter(|one| self.pairs.iter().all(|pair| pair.currency == *one));
        let sum = |of: fn(&CostOfPair) -> Decimal| {
            currency?;
            self.pairs.iter().try_fold(Decimal::ZERO, |sum, pair| sum.checked_add(of(pair)))
        };
        let (cost_a, cost_b) = (sum(|pair| pair.a), sum(|pair| pair.b));
        let ratio = cost_a.zip(cost_b).and_then(|(a, b)| b.checked_sub(a)?.checked_div(a));
        let [a, b] = self.bills.map(|bill| CurrencyTotal::from_totals(&bill.into_totals()));
        ComparedCost {
            priced_calls: self.pairs.len() as u64,
            currency,
            cost_a,
            cost_b,
            difference_ratio: ratio.and_then(|ratio| ratio.try_into().ok()),
            a,
            b,
        }
    }
}

/// The cost of a call: known if all its lines have a price in one currency.
fn cost(lines: &[Line]) -> Option<(Decimal, Currency)> {
    let currency = lines.first()?.unit?.currency;
    let amounts =
        lines.iter().map(|line| line.cost().filter(|_| line.unit.is_some_and(|unit| unit.currency == currency)));
    let sum = amounts.into_iter().try_fold(Decimal::ZERO, |sum, amount| sum.checked_add(amount?));
    sum.map(|sum| (sum, currency))
}
