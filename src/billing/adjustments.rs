//! What a contract and a tax office make of a sum at list price. The list price itself stays as it is.

use std::str::FromStr;

use rust_decimal::Decimal;

use super::line::{Basis, Total};
use crate::catalog::Currency;
use crate::error::{Error, Result};

/// What one unit of a currency is worth in the other.
///
/// ```
/// use talkmeter::{billing::CurrencyRate, catalog::Currency};
/// let rate: CurrencyRate = "CNY=0.14".parse()?;
/// assert_eq!((rate.from, rate.into), (Currency::Cny, Currency::Usd));
/// assert_eq!(rate.to_string(), "1 CNY = 0.14 USD");
/// assert!("CNY".parse::<CurrencyRate>().is_err() && "CNY=0".parse::<CurrencyRate>().is_err());
/// # Ok::<(), talkmeter::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct CurrencyRate {
    /// The currency that is converted.
    pub from: Currency,
    /// The currency of the sum.
    pub into: Currency,
    /// Units of [`CurrencyRate::into`] for one of [`CurrencyRate::from`].
    pub rate: Decimal,
}

impl FromStr for CurrencyRate {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::invalid(format!("`{text}` is not a rate such as CNY=0.14 or USD=7.1"));
        let (from, rate) = text.split_once('=').ok_or_else(wrong)?;
        let from: Currency = from.trim().parse().map_err(|_| wrong())?;
        let into = if from == Currency::Cny { Currency::Usd } else { Currency::Cny };
        let rate: Decimal = rate.trim().parse().map_err(|_| wrong())?;
        let is_possible = rate > Decimal::ZERO && rate <= Decimal::from(1_000_000);
        is_possible.then_some(Self { from, into, rate }).ok_or_else(wrong)
    }
}

impl std::fmt::Display for CurrencyRate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "1 {} = {} {}", self.from, self.rate.normalize(), self.into)
    }
}

/// How sums at list price are changed: one currency for all, then a discount, then a tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Adjustments {
    /// Converts into one currency; `None` = sums stay apart by currency.
    pub rate: Option<CurrencyRate>,
    /// The share that is deducted, 0 to 1.
    pub discount: Option<Decimal>,
    /// The share that is added after the discount.
    pub tax: Option<Decimal>,
}

/// A sum at list price, and what it becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct AdjustedTotal {
    /// Where the quantities come from.
    pub basis: Basis,
    /// Of all amounts.
    pub currency: Currency,
    /// At list price, converted.
    pub list: Decimal,
    /// After the discount; `None` = there is none.
    pub discounted: Option<Decimal>,
    /// With the tax; `None` = there is none.
    pub taxed: Option<Decimal>,
}

impl Adjustments {
    /// Whether anything is changed.
    #[must_use]
    pub fn is_some(&self) -> bool {
        *self != Self::default()
    }

    /// The sums of what is priced, by basis and currency, in the order of the totals; `None` where one exceeds what a decimal
    /// holds.
    #[must_use]
    pub fn apply(&self, totals: &[Total]) -> Option<Vec<AdjustedTotal>> {
        let mut sums: Vec<(Basis, Currency, Decimal)> = Vec::new();
        for total in totals {
            let Some((currency, cost)) = total.currency.zip(total.cost) else { continue };
            let rate = self.rate.filter(|rate| rate.from == currency);
            let (currency, cost) = match rate {
                Some(rate) => (rate.into, cost.checked_mul(rate.rate)?),
                None => (currency, cost),
            };
            let same =
                |(basis, other, _): &&mut (Basis, Currency, Decimal)| *basis == total.basis && *other == currency;
            match sums.iter_mut().find(same) {
                Some((_, _, sum)) => *sum = sum.checked_add(cost)?,
                None => sums.push((total.basis, currency, cost)),
            }
        }
        let adjusted = |(basis, currency, list): (Basis, Currency, Decimal)| {
            let times = |amount: Decimal, share: Decimal| amount.checked_mul(Decimal::ONE.checked_add(share)?);
            let discounted = match self.discount {
                Some(discount) => Some(list.checked_mul(Decimal::ONE.checked_sub(discount)?)?),
                None => None,
            };
            let taxed = match self.tax {
                Some(tax) => Some(times(discounted.unwrap_or(list), tax)?),
                None => None,
            };
            Some(AdjustedTotal { basis, currency, list, discounted, taxed })
        };
        sums.into_iter().map(adjusted).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_discount_comes_before_the_tax_and_currencies_are_added_at_a_rate() {
        let total = |basis, currency, cost: &str| Total {
            basis,
            currency: Some(currency),
            lines: 1,
            seconds: 1,
            tokens: 0,
            cost: Some(cost.parse().unwrap()),
        };
        let unpriced = Total { currency: None, cost: None, ..total(Basis::Result, Currency::Usd, "0") };
        let totals = [
            total(Basis::Result, Currency::Usd, "10"),
            total(Basis::Result, Currency::Cny, "100"),
            unpriced,
            total(Basis::Usage, Currency::Cny, "50"),
        ];
        let percent = |number: i64| Some(Decimal::new(number, 2));
        let adjustments =
            Adjustments { rate: Some("CNY=0.14".parse().unwrap()), discount: percent(15), tax: percent(6) };
        let sums = adjustments.apply(&totals).unwrap();
        let text = |sum: &AdjustedTotal| {
            let amounts = [Some(sum.list), sum.discounted, sum.taxed];
            amounts.map(|amount| amount.map_or_else(String::new, |amount| amount.normalize().to_string()))
        };
        // 10 + 14 = 24, less 15 % 20.4, and 6 % on it.
        assert_eq!(sums.iter().map(text).collect::<Vec<_>>(), [["24", "20.4", "21.624"], ["7", "5.95", "6.307"]]);
        assert!(sums.iter().all(|sum| sum.currency == Currency::Usd));
        let apart = Adjustments::default().apply(&totals).unwrap();
        assert_eq!(apart.iter().map(text).collect::<Vec<_>>(), [["10", "", ""], ["100", "", ""], ["50", "", ""]]);
    }
}
