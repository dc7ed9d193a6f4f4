//! The headline figures of the page, each with its definition one click away.

use serde::Serialize;
use serde_json::Value;

use super::super::number::{NOT_MEASURED, NOT_PRICED, cell, count, counted, figure, money};
use super::super::{Distribution, Page, Report};
use super::coverage;
use crate::billing::CurrencyTotal;
use crate::metrics::catalogue::{CALLS, Column, Definition, PARTICIPANTS, Table, Unit, Use};
use crate::time::span;

/// A headline figure, and what it means one click away.
#[derive(Serialize)]
pub(super) struct Tile {
    label: String,
    value: String,
    notes: Vec<String>,
    table: &'static str,
    metric: &'static str,
    meaning: &'static str,
    null: String,
    source: &'static str,
    parameters: Vec<String>,
    covers: String,
    /// The column by which the list of calls shows what is behind it; empty where it does not.
    sort: &'static str,
}

pub(super) fn tiles(report: &Report, page: &Page) -> Vec<Tile> {
    let measured = report.inputs.measured;
    let total = |metric: &str| report.totals.iter().find(|total| total.metric == metric);
    let covers = |metric: &str| total(metric).map(|total| coverage(total.n, measured, "call")).unwrap_or_default();
    let spread = |list: &[Distribution], metric: &str, q: fn(&Distribution) -> Option<f64>| {
        let one = list.iter().find(|one| one.metric == metric);
        one.map_or_else(|| NOT_MEASURED.to_owned(), |one| figure(q(one), one.unit))
    };
    let tile = |label: &str, metric: &'static str, table: &'static Table, value: String, notes: Vec<String>| {
        let row = table.column(metric);
        let meaning = row.map_or("", |column| column.meaning);
        Tile {
            label: label.to_owned(),
            value,
            notes: notes.into_iter().filter(|note| !note.is_empty()).collect(),
            table: table.name,
            metric,
            meaning,
            null: row.map(Column::null_in_words).unwrap_or_default(),
            source: row.and_then(|column| column.definition).map_or("", Definition::name),
            parameters: row
                .into_iter()
                .zip(&report.parameters.figures)
                .flat_map(|(column, figures)| column.parameters_of(&figures.thresholds))
                .map(|(name, value)| format!("{name} {value}"))
                .collect(),
            covers: covers(metric),
            sort: if row.is_some_and(|column| column.is_for(Use::Listed)) { metric } else { "" },
        }
    };
    let sum = |metric: &str| {
        let total = total(metric);
        let unit = total.map_or(Unit::None, |total| total.unit);
        cell(total.and_then(|total| total.sum).map(Value::from).as_ref(), unit)
    };
    let measurable = |metric: &str| match covers(metric) {
        covers if covers.is_empty() => covers,
        covers => format!("measurable in {covers}"),
    };
    let inputs = &report.inputs;
    let dead_air = report.parameters.figures.as_ref().map(|figures| figures.thresholds.dead_air_ms);
    let dead_air = dead_air.map_or_else(String::new, |shortest| format!("{} or longer", span(shortest)));
    let mut tiles = vec![
        tile(
            "Calls",
            "duration_ms",
            &CALLS,
            count(measured as i64),
            vec![
                match covers("duration_ms") {
                    covers if covers.is_empty() => format!("{} of audio", sum("duration_ms")),
                    covers => format!("{} of audio, known for {covers}", sum("duration_ms")),
                },
                if inputs.without_speech > 0 {
                    format!("{} without speech", count(inputs.without_speech as i64))
                } else {
                    String::new()
                },
                inputs.other_sources().map_or_else(String::new, |sources| format!("transcripts of {sources}")),
                match inputs.failed {
                    Some(failed) if failed > 0 => format!("{} unreadable", counted(failed, "file")),
                    _ => String::new(),
                },
            ],
        ),
        tile(
            "Speech",
            "speech_ms",
            &CALLS,
            sum("speech_ms"),
            vec![
                format!("median silence: {} of a call", spread(&report.calls, "silence_ratio", |one| one.p50)),
                measurable("speech_ms"),
            ],
        ),
        tile("Dead air", "dead_air_count", &CALLS, sum("dead_air_count"), vec![dead_air, measurable("dead_air_count")]),
        tile(
            "Response, median",
            "response_ms_p50",
            &PARTICIPANTS,
            spread(&report.participants, "response_ms_p50", |one| one.p50),
            vec![
                format!(
                    "median of the speakers' medians; 90th percentile {}",
                    spread(&report.participants, "response_ms_p50", |one| one.p90)
                ),
                responses(page),
            ],
        ),
        tile(
            "Interruptions",
            "interruption_count",
            &CALLS,
            sum("interruption_count"),
            vec![measurable("interruption_count")],
        ),
        tile("Billable speech", "billable_ms", &CALLS, sum("billable_ms"), sums(report)),
    ];
    if let Some(calls) = tiles.first_mut() {
        // The number of rows is not a column.
        calls.metric = "";
        calls.source = "";
        calls.null.clear();
        calls.covers.clear();
        calls.meaning = "result files that were measured; files that could not be read are in no figure";
    }
    if report.has_keyword_hits() {
        tiles.push(tile("Keyword hits", "keyword_hit_count", &CALLS, sum("keyword_hit_count"), Vec::new()));
    }
    tiles
}

/// For how many speakers a median response is known: on a diarised track it often is not.
fn responses(page: &Page) -> String {
    let strip = page.strips.iter().find(|strip| strip.metric == "response_ms_p50");
    match strip.map(|strip| coverage(strip.n as u64, (strip.n + strip.nulls) as u64, "speaker")) {
        Some(covers) if !covers.is_empty() => format!("known for {covers}"),
        _ => String::new(),
    }
}

/// Costs by currency, and what has none.
pub(super) fn sums(report: &Report) -> Vec<String> {
    let sum = |total: &CurrencyTotal| match total.cost.zip(total.currency) {
        None => format!("{} {NOT_PRICED}", counted(total.tracks, "track")),
        cost => money(cost),
    };
    report.cost.iter().map(sum).collect()
}
