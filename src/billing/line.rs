//! Lines of a bill: a quantity at a unit price, and totals of lines.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::prices::{Prices, UnitPrice};
use crate::catalog::{Currency, Region};

/// What is billed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Meter {
    /// Whole seconds of speech on one track.
    Speech,
    /// Input tokens: audio and context.
    TokensIn,
    /// Output tokens: text.
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

    /// The unit of quantities: `seconds` or `tokens`.
    #[must_use]
    pub fn unit(self) -> &'static str {
        if self == Self::Speech { "seconds" } else { "tokens" }
    }
}

/// Where a quantity comes from. Lines of different bases are alternatives; their totals are never added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Basis {
    /// Computed from a result file (definitions: billed seconds).
    Result,
    /// Reported by the service with the task, kept in the ledger.
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

/// The quantity of one meter for one recording or track, and its price.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Line {
    /// The result file relative to the given folder, or the recording's name if there is none.
    pub file: String,
    /// The track; `None` = all tracks together.
    pub channel_id: Option<u32>,
    /// Where the quantity comes from.
    pub basis: Basis,
    /// The model; `None` = unknown.
    pub model: Option<String>,
    /// The region; `None` = unknown.
    pub region: Option<Region>,
    /// What is billed.
    pub meter: Meter,
    /// Speech behind the quantity, in ms; `None` = unknown, or not by speech.
    pub speech_ms: Option<i64>,
    /// Quantity in the meter's unit; `None` = unknown.
    pub quantity: Option<i64>,
    /// Price of one unit; `None` = unknown.
    pub unit: Option<UnitPrice>,
}

impl Line {
    /// Sets the unit price if model, region and price are known.
    #[must_use]
    pub fn priced(mut self, prices: &Prices) -> Self {
        self.unit =
            self.model.as_deref().zip(self.region).and_then(|(model, region)| prices.unit(model, region, self.meter));
        self
    }

    /// Quantity × price, unrounded; `None` if either is unknown, or the product exceeds what a decimal holds.
    #[must_use]
    pub fn cost(&self) -> Option<Decimal> {
        self.unit?.cost(self.quantity?)
    }

    /// The currency of the cost; `None` if the cost is unknown.
    #[must_use]
    pub fn currency(&self) -> Option<Currency> {
        self.cost().and(self.unit.map(|unit| unit.currency))
    }

    /// When the price was published; `None` if there is none.
    #[must_use]
    pub fn price_date(&self) -> Option<Date> {
        self.unit.map(|unit| unit.checked)
    }
}

/// The total of the lines of one basis in one currency.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Total {
    /// Where the quantities come from.
    pub basis: Basis,
    /// `None` = the total of lines without a price.
    pub currency: Option<Currency>,
    /// Number of lines.
    pub lines: u64,
    /// Seconds of speech, where known.
    pub seconds: i64,
    /// Input and output tokens.
    pub tokens: i64,
    /// Cost of these lines; `None` = not priced.
    pub cost: Option<Decimal>,
}

/// Lines added up by basis and currency, without being kept.
#[derive(Debug, Clone, Default)]
pub struct Totals(BTreeMap<(Basis, bool, Option<Currency>), Total>);

impl Totals {
    /// Adds a line.
    pub fn add(&mut self, line: &Line) {
        let (basis, currency) = (line.basis, line.currency());
        let total = self.0.entry((basis, currency.is_none(), currency)).or_insert(Total {
            basis,
            currency,
            lines: 0,
            seconds: 0,
            tokens: 0,
            cost: currency.map(|_| Decimal::ZERO),
        });
        total.lines = total.lines.saturating_add(1);
        let counted = if line.meter == Meter::Speech { &mut total.seconds } else { &mut total.tokens };
        *counted = counted.saturating_add(line.quantity.unwrap_or(0));
        total.cost = total.cost.zip(line.cost()).and_then(|(sum, cost)| sum.checked_add(cost));
    }

    /// By basis and currency; unpriced lines come last of each basis.
    #[must_use]
    pub fn into_vec(self) -> Vec<Total> {
        self.0.into_values().collect()
    }
}
