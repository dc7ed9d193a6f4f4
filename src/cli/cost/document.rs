//! JSON documents of `cost`. Their fields have a fixed order, which does not depend on how a map keeps its keys.

use rust_decimal::Decimal;
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::Value;

use super::super::output::Listing;
use super::breakdown::exact;
use crate::billing::Bounds;
use crate::error::Error;

/// Names and values as an object, in their order.
pub(super) struct Object<'a, V>(pub(super) Vec<(&'a str, V)>);

impl<V: Serialize> Serialize for Object<'_, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        self.0.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
        map.end()
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

/// A document as text.
pub(super) fn text(document: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string_pretty(document).map_err(|error| Error::invalid(error.to_string()))
}
