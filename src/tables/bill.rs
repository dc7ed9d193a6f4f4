//! Lines of a bill in the table `costs`: written beside what was measured, and read back.

use std::str::FromStr as _;

use polars::prelude::{Column, DataFrame, PolarsResult};
use rust_decimal::Decimal;

use crate::billing::{Basis, Bill, Line, Meter, UnitPrice};
use crate::catalog::Currency;
use crate::metrics::catalogue::{self, Cells};

/// The columns that [`from_frame`] reads.
pub(super) const COLUMNS: [&str; 8] =
    ["file", "model", "region", "billable_ms", "billed_seconds", "unit_price", "currency", "price_date"];

/// Appends the cells of one column, one per line; null without a price.
pub(super) fn fill(column: catalogue::Bill, lines: &[Line], cells: &mut Cells) {
    for line in lines {
        let priced = line.unit.zip(line.cost());
        match column {
            catalogue::Bill::UnitPrice => cells.push(priced.map(|(unit, _)| unit.amount)),
            catalogue::Bill::Currency => cells.push(priced.map(|(unit, _)| unit.currency.code())),
            catalogue::Bill::Cost => cells.push(priced.map(|(_, cost)| cost)),
            catalogue::Bill::PriceDate => cells.push(priced.map(|(unit, _)| unit.checked)),
        }
    }
}

/// The bill of stored rows, with money and dates as text. `calls`: first row and number of rows of each call.
pub(super) fn from_frame(frame: &DataFrame, calls: impl Iterator<Item = (usize, usize)>) -> PolarsResult<Bill> {
    let text = |name: &str| frame.column(name).and_then(Column::str);
    let integer = |name: &str| frame.column(name).and_then(Column::i64);
    let (models, regions) = (text("model")?, text("region")?);
    let (prices, currencies, dates) = (text("unit_price")?, text("currency")?, text("price_date")?);
    let (speech, seconds) = (integer("billable_ms")?, integer("billed_seconds")?);
    let unit = |row| {
        Some(UnitPrice {
            amount: Decimal::from_str(prices.get(row)?).ok()?.normalize(),
            currency: Currency::from_str(currencies.get(row)?).ok()?,
            checked: dates.get(row)?.parse().ok()?,
        })
    };
    let line = |row| Line {
        file: String::new(),
        channel_id: None,
        basis: Basis::Result,
        model: models.get(row).map(str::to_owned),
        region: regions.get(row).and_then(|region| region.parse().ok()),
        meter: Meter::Speech,
        speech_ms: speech.get(row),
        quantity: seconds.get(row),
        unit: unit(row),
    };
    let mut bill = Bill::default();
    for (start, length) in calls {
        bill.add(&(start..start + length).map(line).collect::<Vec<_>>());
    }
    Ok(bill)
}
