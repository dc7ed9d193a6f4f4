//! `cost reconcile --focus`: rows in FOCUS columns, the FinOps billing format. Usage is at list price; `BilledCost` comes from
//! the statement or is empty, never computed. Quantity and unit are null together.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::super::output::Listing;
use super::breakdown::{code, exact};
use crate::batch::Receipts;
use crate::billing::{Meter, UnitPrice};
use crate::catalog::Currency;

const HEAD: [&str; 18] = [
    "BillingCurrency",
    "ChargeCategory",
    "ChargeDescription",
    "ChargePeriodStart",
    "ChargePeriodEnd",
    "ConsumedQuantity",
    "ConsumedUnit",
    "PricingQuantity",
    "PricingUnit",
    "ListUnitPrice",
    "ListCost",
    "EffectiveCost",
    "BilledCost",
    "ServiceName",
    "ServiceCategory",
    "SkuId",
    "SkuMeter",
    "ResourceId",
];

/// A row.
pub(super) struct Charge {
    /// Where the recording stands in the batch.
    pub(super) at: usize,
    pub(super) file: String,
    /// `None` = the amount is of several meters.
    pub(super) meter: Option<Meter>,
    /// As reported, else as recomputed from the result; `None` = not known.
    pub(super) quantity: Option<i64>,
    /// List price of one; `None` = not known, or of several meters.
    pub(super) unit: Option<UnitPrice>,
    pub(super) currency: Option<Currency>,
    /// Of the statement.
    pub(super) billed: Option<Decimal>,
}

pub(super) fn listing(charges: &[Charge], receipts: &Receipts) -> Listing {
    let row = |charge: &Charge| {
        let quantity = json!(charge.quantity);
        let measured_in = charge.quantity.and(charge.meter).map_or(Value::Null, |meter| match meter {
            Meter::Speech => json!("Seconds"),
            Meter::TokensIn | Meter::TokensOut => json!("Tokens"),
        });
        let day = receipts
            .tasks
            .iter()
            .find(|task| task.recordings.contains(&charge.at))
            .map(|task| task.accepted.to_zoned(jiff::tz::TimeZone::UTC).date());
        let period = |date: Option<Date>| json!(date.map(|date| format!("{date}T00:00:00Z")));
        let list = charge.unit.zip(charge.quantity).map(|(unit, quantity)| unit.cost(quantity));
        vec![
            code(charge.currency),
            json!("Usage"),
            json!(match charge.meter {
                Some(Meter::Speech) => "speech transcribed",
                Some(Meter::TokensIn) => "tokens in",
                Some(Meter::TokensOut) => "tokens out",
                None => "tokens in and out",
            }),
            period(day),
            period(day.and_then(|day| day.tomorrow().ok())),
            quantity.clone(),
            measured_in.clone(),
            quantity,
            measured_in,
            exact(charge.unit.map(|unit| unit.amount)),
            exact(list),
            exact(charge.billed),
            exact(charge.billed),
            json!("Model Studio"),
            json!("AI and Machine Learning"),
            json!(receipts.model),
            json!(charge.meter.map(Meter::name)),
            json!(charge.file),
        ]
    };
    Listing { head: HEAD.to_vec(), rows: charges.iter().map(row).collect() }
}
