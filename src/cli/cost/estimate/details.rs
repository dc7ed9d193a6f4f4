//! The rows behind an estimate: each track of each recording.

use serde_json::{Value, json};

use super::super::super::output::Listing;
use super::super::breakdown::{code, exact, shown};
use super::super::document::Range;
use super::group::Group;
use crate::billing::{Estimate, SpeechSource};

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

/// A recording with its tracks.
#[derive(serde::Serialize)]
pub(super) struct File<'g> {
    file: Option<&'g str>,
    duration_ms: Option<i64>,
    meters: Vec<Meter>,
}

/// What one track is billed by.
#[derive(serde::Serialize)]
struct Meter {
    channel_id: u32,
    meter: &'static str,
    unit: &'static str,
    quantity: Range,
    most: Option<i64>,
    cost: Range,
    cost_most: Value,
    unit_price: Value,
    currency: Value,
    price_date: Option<String>,
    speech_source: Option<&'static str>,
}

/// The recordings of a group with their tracks.
pub(super) fn breakdown(group: &Group) -> Vec<File<'_>> {
    let meter = |line: &Estimate| Meter {
        channel_id: line.channel_id,
        meter: line.meter.name(),
        unit: line.meter.unit(),
        quantity: Range::new(line.quantity, |quantity| json!(quantity)),
        most: line.quantity.map(|quantity| quantity.most),
        cost: Range::of_cost(line.cost()),
        cost_most: exact(line.cost().map(|cost| cost.most)),
        unit_price: exact(line.unit.map(|unit| unit.amount)),
        currency: code(line.unit.map(|unit| unit.currency)),
        price_date: line.unit.map(|unit| unit.checked.to_string()),
        speech_source: line.source.map(SpeechSource::name),
    };
    let file = |lines: &'_ Vec<Estimate>| -> (Option<i64>, Vec<Meter>) {
        (lines.first().and_then(|line| line.duration_ms), lines.iter().map(meter).collect())
    };
    let recordings = group.recordings.iter();
    let files = recordings.map(|lines| (lines.first().map(|line| &*line.file), file(lines)));
    files.map(|(file, (duration_ms, meters))| File { file, duration_ms, meters }).collect()
}
