//! JSON documents of `cost`. Their fields have a fixed order, which does not depend on how a map keeps its keys.

use rust_decimal::Decimal;
use serde::ser::{Serialize, Serializer};
use serde_json::Value;

use super::super::output::Listing;
use super::breakdown::exact;
use crate::billing::Bounds;

/// Names and values as an object, in their order.
pub(super) struct Object<'a, V>(pub(super) Vec<(&'a str, V)>);

impl<V: Serialize> Serialize for Object<'_, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The rows of listings as objects.
pub(super) fn rows(listings: &[Listing]) -> Vec<Object<'_, &Value>> {
    let row = |(listing, row)| {
        let (listing, row): (&Listing, &Vec<Value>) = (listing, row);
        Object(listing.head.iter().copied().zip(row).collect())
    };
    listings.iter().flat_map(|listing| listing.rows.iter().map(move |row| (listing, row))).map(row).collect()
}

/// Low, expected and high of a quantity or an amount.
#[derive(serde::Serialize)]
pub(super) struct Range {
    low: Value,
    expected: Value,
    high: Value,
}

impl Range {
    /// Of an amount; nulls if it is unknown.
    pub(super) fn of_cost(bounds: Option<Bounds<Decimal>>) -> Self {
        Self::new(bounds, |amount| exact(Some(amount)))
    }

    pub(super) fn new<T>(bounds: Option<Bounds<T>>, cell: impl Fn(T) -> Value) -> Self {
        let cells = bounds.map(|bounds| bounds.map(cell));
        let Bounds { low, expected, high, .. } = cells.unwrap_or_default();
        Self { low, expected, high }
    }
}
