//! A line of a bill: so much of something, at a price; and their sums.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::prices::{Prices, UnitPrice};
use crate::catalog::{Currency, Region};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Meter {
    /// Whole seconds of speech on one track.
    Speech,
    /// Tokens that go in: audio and context.
    TokensIn,
    /// Tokens that come out: text.
    TokensOut,
}

impl Meter {
    /// `speech`, `tokens_in`, `tokens_out`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Speech => "speech",
            Self::TokensIn => "tokens_in",
            Self::TokensOut => "tokens_out",
        }
    }

    /// What its quantity is in: `seconds` or `tokens`.
    #[must_use]
    pub fn unit(self) -> &'static str {
        if self == Self::Speech { "seconds" } else { "tokens" }
    }
}

/// Where a quantity comes from. Lines of different bases are alternatives: their sums are never added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Basis {
    /// Reckoned from a result file (definitions: billable speech, billed seconds).
    Result,
    /// Reported by the service with the task, as the ledger kept it.
    Usage,
}

impl Basis {
    /// `result`, `usage`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Result => "result",
            Self::Usage => "usage",
        }
    }
}

/// So much of one meter for one recording or track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The result file below the given folder; the recording's name where there is none.
    pub file: String,
    /// The track; `None` where the quantity is of all its tracks.
    pub channel_id: Option<u32>,
    /// Where the quantity comes from.
    pub basis: Basis,
    /// Who transcribed it; `None` = not known (definitions: price).
    pub model: Option<String>,
    /// Where; `None` = not known.
    pub region: Option<Region>,
    /// What is counted.
    pub meter: Meter,
    /// How much, in the meter's unit; `None` = not known.
    pub quantity: Option<i64>,
    /// Of one unit; `None` = not known.
    pub unit: Option<UnitPrice>,
}

impl Line {
    /// The line priced, where model, region and price are known.
    #[must_use]
    pub fn priced(mut self, prices: &Prices) -> Self {
        self.unit =
            self.model.as_deref().zip(self.region).and_then(|(model, region)| prices.unit(model, region, self.meter));
        self
    }

    /// Quantity × price, exactly; `None` when either is not known.
    #[must_use]
    pub fn cost(&self) -> Option<Decimal> {
        Some(self.unit?.cost(self.quantity?))
    }

    /// The currency of the cost; `None` when that is not known.
    #[must_use]
    pub fn currency(&self) -> Option<Currency> {
        self.cost().and(self.unit.map(|unit| unit.currency))
    }

    /// Date of the price; `None` when there is none.
    #[must_use]
    pub fn price_date(&self) -> Option<Date> {
        self.unit.map(|unit| unit.checked)
    }
}

/// The sum of lines of one basis in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// Where the quantities come from.
    pub basis: Basis,
    /// `None` = the lines that are not priced.
    pub currency: Option<Currency>,
    /// How many.
    pub lines: u64,
    /// Seconds of their speech; lines of which the seconds are not known are not in it.
    pub seconds: i64,
    /// Tokens in and out.
    pub tokens: i64,
    /// Of these lines alone; `None` = not priced.
    pub cost: Option<Decimal>,
}

/// Sums by basis and currency, those that are not priced last of each basis.
#[must_use]
pub fn totals<'l>(lines: impl IntoIterator<Item = &'l Line>) -> Vec<Total> {
    let mut sums: BTreeMap<(Basis, bool, Option<Currency>), Total> = BTreeMap::new();
    for line in lines {
        let (basis, currency) = (line.basis, line.currency());
        let total = sums.entry((basis, currency.is_none(), currency)).or_insert(Total {
            basis,
            currency,
            lines: 0,
            seconds: 0,
            tokens: 0,
            cost: currency.map(|_| Decimal::ZERO),
        });
        total.lines += 1;
        let counted = if line.meter == Meter::Speech { &mut total.seconds } else { &mut total.tokens };
        *counted = counted.saturating_add(line.quantity.unwrap_or(0));
        total.cost = total.cost.zip(line.cost()).map(|(sum, cost)| sum + cost);
    }
    sums.into_values().collect()
}
