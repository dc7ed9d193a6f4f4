//! A bill as text and as JSON: a tree of projects, files and tracks with quantity, unit price and cost, then totals.

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

/// A total as JSON.
pub(super) fn total_json(total: &Total) -> Value {
    json!({
        "basis": total.basis.name(), "currency": code(total.currency), "lines": total.lines, "seconds": total.seconds,
        "tokens": total.tokens, "cost": exact(total.cost),
    })
}

/// Lines as a tree: project (model and region) → file → meter of a track, in line order.
pub(super) fn projects(lines: &[Line]) -> Value {
    let mut projects: Vec<(Option<String>, Option<Region>, Vec<&Line>)> = Vec::new();
    for line in lines {
        match projects.iter_mut().find(|(model, region, _)| *model == line.model && *region == line.region) {
            Some((_, _, own)) => own.push(line),
            None => projects.push((line.model.clone(), line.region, vec![line])),
        }
    }
    let project = |(model, place, lines): (Option<String>, Option<Region>, Vec<&Line>)| {
        let files: Vec<Value> = lines.chunk_by(|one, two| one.file == two.file).map(file).collect();
        json!({"model": model, "region": region(place), "breakdown": files})
    };
    projects.into_iter().map(project).collect()
}

fn file(lines: &[&Line]) -> Value {
    let meter = |line: &&Line| {
        json!({
            "channel_id": line.channel_id, "basis": line.basis.name(), "meter": line.meter.name(),
            "quantity": line.quantity, "unit": line.meter.unit(),
            "unit_price": exact(line.unit.map(|unit| unit.amount)), "currency": code(line.unit.map(|unit| unit.currency)),
            "cost": exact(line.cost()), "price_date": line.price_date().map(|date| date.to_string()),
        })
    };
    let name = lines.first().map(|line| line.file.as_str());
    json!({"file": name, "meters": lines.iter().map(meter).collect::<Vec<_>>()})
}
