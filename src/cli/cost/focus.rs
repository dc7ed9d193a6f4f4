//! `cost reconcile --focus`: rows in FOCUS columns, the FinOps billing format. Usage is at list price; `BilledCost` comes from
//! the statement or is empty, never computed. Quantity and unit are null together.

use jiff::civil::Date;
use serde_json::{Value, json};

use super::super::output::Listing;
use super::breakdown::{code, exact};
use crate::billing::{Charge, Meter};

const HEAD: [&str; 20] = [
    "BillingCurrency",
    "BillingPeriodStart",
    "BillingPeriodEnd",
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

pub(super) fn listing(charges: &[Charge]) -> Listing {
    let row = |charge: &Charge| {
        let line = &charge.line;
        let meter = Some(line.meter).filter(|_| !charge.is_for_both_meters);
        let quantity = json!(line.quantity);
        let measured_in = line.quantity.and(meter).map_or(Value::Null, |meter| match meter {
            Meter::Speech => json!("Seconds"),
            _ => json!("Tokens"),
        });
        let (first, end) = charge.period;
        let at = |date: Date| json!(format!("{date}T00:00:00Z"));
        let last = end.yesterday().unwrap_or(first);
        vec![
            code(charge.currency),
            at(first.first_of_month()),
            at(last.last_of_month().tomorrow().unwrap_or(last)),
            json!("Usage"),
            json!(match meter {
                Some(Meter::Speech) => "speech transcribed",
                Some(Meter::TokensIn) => "tokens in",
                Some(Meter::TokensOut) => "tokens out",
                None => "tokens in and out",
            }),
            at(first),
            at(end),
            quantity.clone(),
            measured_in.clone(),
            quantity,
            measured_in,
            exact(line.unit.map(|unit| unit.amount)),
            exact(line.cost()),
            exact(charge.billed),
            exact(charge.billed),
            json!("Model Studio"),
            json!("AI and Machine Learning"),
            json!(line.model),
            json!(meter.map(Meter::name)),
            json!(charge.is_resource.then_some(&line.file)),
        ]
    };
    Listing { head: HEAD.to_vec(), rows: charges.iter().map(row).collect() }
}
