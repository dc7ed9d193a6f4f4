//! Fields of JSON objects: texts, labels, and times from the digits as they are written.

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value;

/// Longest time that is believed: 10¹² ms, as in results of the service.
const MOST_MS: i64 = 1_000_000_000_000;

/// The elements of an array; none of anything else.
pub(super) fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

/// The elements of arrays, and values beside them.
pub(super) fn items(values: &[Value]) -> impl Iterator<Item = Fields<'_>> {
    let own = |value| Value::as_array(value).map_or(std::slice::from_ref(value), Vec::as_slice);
    values.iter().flat_map(own).map(Fields)
}

/// An object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'v>(pub(super) &'v Value);

impl<'v> Fields<'v> {
    pub(super) fn get(self, key: &str) -> Option<&'v Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn list(self, key: &str) -> impl Iterator<Item = Fields<'v>> {
        list(self.0.get(key)).map(Fields)
    }

    /// A text, trimmed; empty if it is missing.
    pub(super) fn text(self, key: &str) -> &'v str {
        self.get(key).and_then(Value::as_str).unwrap_or_default().trim()
    }

    /// A number, or a text that spells one.
    pub(super) fn number(self, key: &str) -> Option<Decimal> {
        number(self.get(key)?)
    }

    /// Seconds as ms.
    pub(super) fn seconds(self, key: &str) -> Option<i64> {
        ms(self.number(key)?.checked_mul(Decimal::ONE_THOUSAND)?)
    }

    /// Milliseconds as such.
    pub(super) fn millis(self, key: &str) -> Option<i64> {
        ms(self.number(key)?)
    }

    /// A label of a speaker or channel: a text that is not empty, or a number.
    pub(super) fn label(self, key: &str) -> Option<String> {
        match self.get(key)? {
            Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

pub(super) fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => decimal(&number.to_string()),
        Value::String(text) => decimal(text),
        _ => None,
    }
}

/// A decimal number from its digits.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    text.parse().ok().or_else(|| Decimal::from_scientific(text).ok())
}

/// Whole milliseconds, half to even.
pub(super) fn ms(exact: Decimal) -> Option<i64> {
    let rounded = exact.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven).to_i64()?;
    (-MOST_MS..=MOST_MS).contains(&rounded).then_some(rounded)
}

/// Begin and end of a begin and a length, the sum rounded once.
pub(super) fn span(begin: Option<Decimal>, length: Option<Decimal>, unit: Decimal) -> (Option<i64>, Option<i64>) {
    let in_ms = |exact: Decimal| exact.checked_mul(unit).and_then(ms);
    let end = begin.zip(length).and_then(|(begin, length)| begin.checked_add(length));
    (begin.and_then(in_ms), end.and_then(in_ms))
}
