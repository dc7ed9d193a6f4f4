//! A bill as text and as JSON: totals, and files and tracks with quantity, unit price and cost.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::billing::{Line, Total};
use crate::catalog::{Currency, Region};
use crate::report::number::{NOT_PRICED, count, decimal, money};

/// Version of the JSON format.
pub(super) const VERSION: u32 = 1;

/// An exact amount as a decimal string; null if unknown.
pub(super) fn exact(amount: Option<Decimal>) -> Value {
    amount.map_or(Value::Null, |amount| json!(amount.normalize().to_string()))
}

pub(super) fn region(region: Option<Region>) -> Value {
    region.map_or(Value::Null, |region| json!(region.name()))
}

pub(super) fn code(currency: Option<Currency>) -> Value {
    currency.map_or(Value::Null, |currency| json!(currency.code()))
}

/// An amount for people, "not priced" if unknown.
pub(super) fn shown(amount: Option<Decimal>) -> Value {
    json!(amount.map_or_else(|| NOT_PRICED.to_owned(), decimal))
}

/// Columns of a bill line.
pub(super) const HEAD: [&str; 11] = [
    "file",
    "channel_id",
    "basis",
    "model",
    "region",
    "quantity",
    "unit",
    "unit_price",
    "currency",
    "cost",
    "price_date",
];

/// The cells of a line. `people`: unpriced amounts say so instead of being null.
pub(super) fn cells(line: &Line, people: bool) -> Vec<Value> {
    let amount = if people { shown } else { exact };
    let unit = line.meter.unit();
    let unit = if unit == "tokens" { line.meter.name() } else { unit };
    let unit_price = match line.unit.map(|unit| unit.amount.normalize().to_string()) {
        None if people => json!(NOT_PRICED),
        price => json!(price),
    };
    vec![
        json!(line.file),
        json!(line.channel_id),
        json!(line.basis.name()),
        json!(line.model),
        region(line.region),
        json!(line.quantity),
        json!(unit),
        unit_price,
        code(line.unit.map(|unit| unit.currency)),
        amount(line.cost()),
        json!(line.price_date().map(|date| date.to_string())),
    ]
}

/// `by result: 9 s on 2 lines, 0.000315 USD`.
pub(super) fn in_words(total: &Total) -> String {
    let mut counted = Vec::new();
    if total.seconds > 0 || total.tokens == 0 {
        counted.push(format!("{} s", count(total.seconds)));
    }
    if total.tokens > 0 {
        counted.push(format!("{} tokens", count(total.tokens)));
    }
    let amount = total.cost.zip(total.currency);
    let lines = if total.lines == 1 { "line" } else { "lines" };
    let lines = format!("{} {lines}", count(i64::try_from(total.lines).unwrap_or(i64::MAX)));
    format!("by {}: {} on {lines}, {}", total.basis.name(), counted.join(", "), money(amount))
}

/// A total.
#[derive(serde::Serialize)]
pub(super) struct TotalFields {
    basis: &'static str,
    currency: Value,
    lines: u64,
    seconds: i64,
    tokens: i64,
    cost: Value,
}

impl From<&Total> for TotalFields {
    fn from(total: &Total) -> Self {
        let Total { basis, currency, lines, seconds, tokens, cost, .. } = *total;
        Self { basis: basis.name(), currency: code(currency), lines, seconds, tokens, cost: exact(cost) }
    }
}

/// How many files there are.
#[derive(serde::Serialize)]
pub(super) struct Summary {
    #[serde(rename = "totalDetected")]
    pub(super) detected: u64,
    #[serde(rename = "totalSupported")]
    pub(super) supported: u64,
    #[serde(rename = "totalNoPrice")]
    pub(super) no_price: u64,
    #[serde(rename = "totalNoDuration")]
    pub(super) no_duration: u64,
    #[serde(rename = "totalUnreadable")]
    pub(super) unreadable: u64,
    /// Transcripts of other recognisers, among files that were transcribed.
    #[serde(rename = "totalNotBilled", skip_serializing_if = "Option::is_none")]
    pub(super) not_billed: Option<u64>,
}

/// The lines of one file.
#[derive(serde::Serialize)]
pub(super) struct FileFields {
    pub(super) file: String,
    pub(super) meters: Vec<MeterFields>,
}

/// A line of a bill.
#[derive(serde::Serialize)]
pub(super) struct MeterFields {
    channel_id: Option<u32>,
    basis: &'static str,
    meter: &'static str,
    quantity: Option<i64>,
    unit: &'static str,
    unit_price: Value,
    currency: Value,
    cost: Value,
    price_date: Option<String>,
}

impl From<&Line> for MeterFields {
    fn from(line: &Line) -> Self {
        Self {
            channel_id: line.channel_id,
            basis: line.basis.name(),
            meter: line.meter.name(),
            quantity: line.quantity,
            unit: line.meter.unit(),
            unit_price: exact(line.unit.map(|unit| unit.amount)),
            currency: code(line.unit.map(|unit| unit.currency)),
            cost: exact(line.cost()),
            price_date: line.price_date().map(|date| date.to_string()),
        }
    }
}
