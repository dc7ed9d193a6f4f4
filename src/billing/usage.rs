//! Usage as the service reports it with a task.

use std::ops::AddAssign;

use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::Value;

use super::estimate::Estimate;
use super::line::{Basis, Line, Meter};
use super::prices::Prices;
use crate::catalog::Region;

/// The quantities reported for one task. Seconds are whole numbers, which some models print with a fraction.
///
/// ```
/// use talkmeter::billing::Usage;
/// let usage = Usage::from_json(&serde_json::json!({"duration": 9}));
/// assert_eq!((usage.seconds, usage.tokens_in), (Some(9), None));
/// let usage = Usage::from_json(&serde_json::json!({"duration": 7.0, "input_tokens": 182, "output_tokens": 19}));
/// assert_eq!((usage.seconds, usage.tokens_in, usage.tokens_out), (Some(7), Some(182), Some(19)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Usage {
    /// `duration` or `seconds`, rounded up; all recordings and tracks of the task together.
    pub seconds: Option<i64>,
    /// `input_tokens` or `prompt_tokens`.
    pub tokens_in: Option<i64>,
    /// `output_tokens` or `completion_tokens`.
    pub tokens_out: Option<i64>,
}

impl Usage {
    /// Reads the `usage` object of a task; missing, negative and absurd numbers (over 10¹²) are `None`.
    #[must_use]
    pub fn from_json(usage: &Value) -> Self {
        let number = |names: &[&str]| names.iter().find_map(|name| rounded_up(usage.get(name)?));
        Self {
            seconds: number(&["duration", "seconds"]),
            tokens_in: number(&["input_tokens", "prompt_tokens"]),
            tokens_out: number(&["output_tokens", "completion_tokens"]),
        }
    }

    /// The most of each meter by the estimates of a recording; `None` = its length is unknown.
    #[must_use]
    pub fn most(lines: &[Estimate]) -> Option<Self> {
        let mut most = Self::default();
        for line in lines {
            most.add_assign(Self::of(line.meter, line.quantity?.most));
        }
        Some(most)
    }

    /// Usage of one meter alone.
    fn of(meter: Meter, quantity: i64) -> Self {
        let own = |of: Meter| (meter == of).then_some(quantity);
        let [seconds, tokens_in, tokens_out] = [Meter::Speech, Meter::TokensIn, Meter::TokensOut].map(own);
        Self { seconds, tokens_in, tokens_out }
    }

    /// Each quantity times `n`.
    pub(crate) fn times(self, n: i64) -> Self {
        self.each(|quantity| quantity.saturating_mul(n))
    }

    /// Each quantity divided by `parts`, rounded up.
    pub(crate) fn divided_by(self, parts: i64) -> Self {
        self.each(|quantity| quantity.saturating_add(parts.saturating_sub(1)).checked_div(parts).unwrap_or(quantity))
    }

    fn each(self, change: impl Fn(i64) -> i64) -> Self {
        let Self { seconds, tokens_in, tokens_out } = self;
        Self { seconds: seconds.map(&change), tokens_in: tokens_in.map(&change), tokens_out: tokens_out.map(&change) }
    }

    /// The larger of each quantity.
    pub(crate) fn max(self, other: Self) -> Self {
        Self {
            seconds: self.seconds.max(other.seconds),
            tokens_in: self.tokens_in.max(other.tokens_in),
            tokens_out: self.tokens_out.max(other.tokens_out),
        }
    }

    /// The quantity of a meter.
    #[must_use]
    pub fn quantity(&self, meter: Meter) -> Option<i64> {
        match meter {
            Meter::Speech => self.seconds,
            Meter::TokensIn => self.tokens_in,
            Meter::TokensOut => self.tokens_out,
        }
    }
}

/// No quantity of a bill is larger, in seconds or tokens.
pub(super) const MOST_QUANTITY: i64 = 1_000_000_000_000;

/// A JSON number or numeric string, rounded up.
fn rounded_up(value: &Value) -> Option<i64> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    let number = text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(&text)).ok()?;
    number.ceil().to_i64().filter(|number| (0..=MOST_QUANTITY).contains(number))
}

/// What the service reported of one task or flash call, as a ledger keeps it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct ReportedUsage {
    /// The result file, or what stands for it in a bill.
    pub file: String,
    /// The model; `None` = not known.
    pub model: Option<String>,
    /// The region; `None` = not known.
    pub region: Option<Region>,
    /// It ended without success.
    pub has_failed: bool,
    /// The usage as received; `None` = the service reported none.
    pub usage: Option<Value>,
    /// When it was submitted, or of a flash call recorded.
    pub submitted: Timestamp,
    /// The other columns of the recording's row in its list; none of a task of several.
    pub columns: Vec<(String, String)>,
}

/// The lines of a bill by what the service reported: one per task or flash call and meter. A task that failed and reports
/// nothing has none, as failures are not known to be billed; one that succeeded, or has not ended, and reports nothing has a
/// line without a quantity.
#[must_use]
pub fn of_usage(reported: &[ReportedUsage], prices: &Prices) -> Vec<Line> {
    let reported = reported.iter().filter(|reported| reported.usage.is_some() || !reported.has_failed);
    let lines = reported.flat_map(|reported| {
        let ReportedUsage { file, model, region, usage, .. } = reported;
        let usage = usage.as_ref().map(Usage::from_json).unwrap_or_default();
        let meters = match (model, region) {
            (Some(model), Some(region)) => prices.meters(model, *region),
            _ => &[Meter::Speech],
        };
        meters.iter().map(move |&meter| {
            let line = Line {
                file: file.clone(),
                channel_id: None,
                basis: Basis::Usage,
                model: model.clone(),
                region: *region,
                meter,
                speech_ms: None,
                quantity: usage.quantity(meter),
                unit: None,
            };
            line.priced(prices)
        })
    });
    lines.collect()
}

impl std::iter::Sum for Usage {
    fn sum<I: Iterator<Item = Self>>(usages: I) -> Self {
        let mut total = Self::default();
        usages.for_each(|usage| total.add_assign(usage));
        total
    }
}

impl AddAssign for Usage {
    /// Unknown quantities add nothing.
    fn add_assign(&mut self, other: Self) {
        let add = |one: &mut Option<i64>, two: Option<i64>| {
            *one = one.map_or(two, |one| Some(one.saturating_add(two.unwrap_or(0))));
        };
        add(&mut self.seconds, other.seconds);
        add(&mut self.tokens_in, other.tokens_in);
        add(&mut self.tokens_out, other.tokens_out);
    }
}
