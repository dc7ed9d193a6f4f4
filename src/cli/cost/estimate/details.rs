//! The rows behind an estimate: each track of each recording.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::super::super::output::Listing;
use super::super::breakdown::{code, exact, shown};
use super::group::Group;
use crate::billing::{Bounds, Estimate, SpeechSource};

/// One row per track and meter.
pub(super) fn rows(groups: &[Group], people: bool) -> Listing {
    let head = vec![
        "file",
        "channel_id",
        "model",
        "region",
        "duration_ms",
        "unit",
        "low",
        "expected",
        "high",
        "unit_price",
        "currency",
        "cost_low",
        "cost_expected",
        "cost_high",
        "price_date",
        "speech_source",
        "most",
        "cost_most",
    ];
    let amount = if people { shown } else { exact };
    let row = |line: &Estimate| {
        let unit = if line.meter.unit() == "tokens" { line.meter.name() } else { "seconds" };
        let (quantity, cost) = (line.quantity, line.cost());
        let mut row = vec![
            json!(line.file),
            json!(line.channel_id),
            json!(line.model),
            json!(line.region.name()),
            json!(line.duration_ms),
            json!(unit),
            json!(quantity.map(|quantity| quantity.low)),
            json!(quantity.map(|quantity| quantity.expected)),
            json!(quantity.map(|quantity| quantity.high)),
            exact(line.unit.map(|unit| unit.amount)),
            code(line.unit.map(|unit| unit.currency)),
        ];
        row.extend([cost.map(|cost| cost.low), cost.map(|cost| cost.expected), cost.map(|cost| cost.high)].map(amount));
        row.extend([
            json!(line.unit.map(|unit| unit.checked.to_string())),
            json!(line.source.map(SpeechSource::name)),
            json!(quantity.map(|quantity| quantity.most)),
            amount(cost.map(|cost| cost.most)),
        ]);
        row
    };
    Listing { head, rows: groups.iter().flat_map(Group::lines).map(row).collect() }
}

/// Low, expected and high of an amount.
pub(super) fn bounds(bounds: Option<Bounds<Decimal>>) -> Value {
    let amount = |of: fn(Bounds<Decimal>) -> Decimal| exact(bounds.map(of));
    json!({
        "low": amount(|bounds| bounds.low), "expected": amount(|bounds| bounds.expected),
        "high": amount(|bounds| bounds.high),
    })
}

/// The recordings of a group with their tracks.
pub(super) fn breakdown(group: &Group) -> Vec<Value> {
    let meter = |line: &Estimate| {
        let quantity = |of: fn(Bounds<i64>) -> i64| json!(line.quantity.map(of));
        json!({
            "channel_id": line.channel_id, "meter": line.meter.name(), "unit": line.meter.unit(),
            "quantity": {
                "low": quantity(|quantity| quantity.low), "expected": quantity(|quantity| quantity.expected),
                "high": quantity(|quantity| quantity.high),
            },
            "most": quantity(|quantity| quantity.most), "cost": bounds(line.cost()),
            "cost_most": exact(line.cost().map(|cost| cost.most)),
            "unit_price": exact(line.unit.map(|unit| unit.amount)), "currency": code(line.unit.map(|unit| unit.currency)),
            "price_date": line.unit.map(|unit| unit.checked.to_string()),
            "speech_source": line.source.map(SpeechSource::name),
        })
    };
    let file = |lines: &Vec<Estimate>| {
        let first = lines.first();
        json!({
            "file": first.map(|line| &line.file), "duration_ms": first.and_then(|line| line.duration_ms),
            "meters": lines.iter().map(meter).collect::<Vec<_>>(),
        })
    };
    group.recordings.iter().map(file).collect()
}
