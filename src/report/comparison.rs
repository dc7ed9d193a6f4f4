//! A [`Comparison`] for people.

use rust_decimal::Decimal;
use serde_json::Value;

use super::number::{NOT_MEASURED, cell, count, counted, difference, error_rate, figure, money};
use super::summary::{Summary, SummaryBlock, SummaryCell, SummaryTable};
use crate::billing::CurrencyTotal;
use crate::compare::{
    ComparedCall, ComparedColumn, ComparedCost, ComparedFigure, ComparedRow, ComparedSide, Comparison, WordEdit,
};
use crate::metrics::catalogue::{Column, Table};
use crate::transcript::SourceFormat;

/// Rows of each table on a terminal and in Markdown.
const SHOWN: usize = 20;

/// Calls of which the page shows all figures.
const CALLS_IN_FULL: usize = 50;

/// Words of a list on the page, which would be too large to open with all of them.
const MOST_WORDS: usize = 2000;

/// The comparison as lines and tables: accuracy, cost, calls by falling error rate, figures that differ, words.
#[must_use]
pub fn comparison_summary(comparison: &Comparison) -> Summary {
    let calls = comparison.calls.len() as u64;
    let (a, b) = (&comparison.a, &comparison.b);
    let mut summary =
        Summary { title: format!("{} against {}: {}", b.name, a.name, counted(calls, "call")), ..Summary::default() };
    summary.line(format!("A, the reference: {}", side(a)));
    summary.line(format!("B: {}", side(b)));
    let (total, words) = (&comparison.total, &comparison.total.words);
    summary.line(format!(
        "WER {}: {}, {} and {} in {} of A",
        error_rate(total.wer),
        counted(words.substitutions, "substitution"),
        counted(words.deletions, "deletion"),
        counted(words.insertions, "insertion"),
        counted(words.reference_words, "word"),
    ));
    if let (Some(median), Some(most)) = (total.start_error_ms_p50, total.start_error_ms_p90) {
        summary.line(format!(
            "Start times: {} ms apart in the median, {} ms at the 90th percentile of {}",
            count(median),
            count(most),
            counted(total.start_error_n, "matched word")
        ));
    }
    if total.der.is_some() {
        let (exact, collar) = (error_rate(total.der), error_rate(total.der_collar_250));
        summary.line(format!("DER {exact}; {collar} with a collar of 250 ms"));
    }
    summary.line(interruptions_line(&comparison.calls));
    if let Some(cost) = &comparison.cost {
        summary.line(cost_line(cost));
    }
    summary.table(calls_table(comparison));
    summary.table(columns_table(comparison));
    let (substitutions, others): (Vec<_>, Vec<_>) =
        comparison.edits.iter().partition(|edit| edit.reference.is_some() && edit.word.is_some());
    summary.table(words_table("Substitutions", &substitutions));
    summary.table(words_table("Missing and added words", &others));
    let mut by_errors: Vec<&ComparedCall> = comparison.calls.iter().collect();
    sort(&mut by_errors);
    let shown = by_errors.iter().take(CALLS_IN_FULL);
    summary.blocks.extend(shown.map(|call| SummaryBlock::Folded(figures_table(call))));
    let more = by_errors.len().saturating_sub(CALLS_IN_FULL);
    if more > 0 {
        let note = "not shown with all figures on the page; JSON, CSV and JSON lines have all";
        summary.line(format!("{} {note}", counted(more as u64, "more call")));
    }
    summary
}

/// Models, and recognisers other than the service.
fn side(side: &ComparedSide) -> String {
    let own = SourceFormat::ModelStudio.name();
    let formats = side.source_formats.iter().copied().filter(|format| *format != own);
    let models: Vec<&str> = side.models.iter().map(String::as_str).chain(formats).collect();
    let models = if models.is_empty() { "model not known".to_owned() } else { models.join(", ") };
    format!("{} ({models})", side.name)
}

/// Of the calls in which both sides can be measured.
fn interruptions_line(calls: &[ComparedCall]) -> String {
    let figures = calls.iter().filter_map(|call| call.figures.get("interruption_count"));
    let measured: Vec<&ComparedFigure> = figures.filter(|own| !own.a.is_null() && !own.b.is_null()).collect();
    if measured.is_empty() {
        return "Interruptions: not measurable in these calls".to_owned();
    }
    let differs = measured.iter().filter(|own| own.differs()).count();
    let line =
        format!("Interruptions differ in {} of {}", count(differs as i64), counted(measured.len() as u64, "call"));
    match calls.len() - measured.len() {
        0 => line,
        others => format!("{line} ({} not measurable)", count(others as i64)),
    }
}

/// By falling word error rate, then as in the reference.
fn sort(calls: &mut [&ComparedCall]) {
    let rate = |call: &&ComparedCall| call.accuracy.wer.unwrap_or(-1.0);
    calls.sort_by(|one, two| rate(two).total_cmp(&rate(one)));
}

fn cost_line(cost: &ComparedCost) -> String {
    let amount = |amount: Option<Decimal>| money(amount.zip(cost.currency));
    match cost.difference_ratio {
        Some(ratio) => {
            let how = match ratio {
                ratio if ratio < 0.0 => format!("B is {:.1} % cheaper", -ratio * 100.0),
                ratio if ratio > 0.0 => format!("B is {:.1} % dearer", ratio * 100.0),
                _ => "B costs as much".to_owned(),
            };
            let priced = counted(cost.priced_calls, "call");
            format!("{how}: {} against {} for {priced} priced on both sides", amount(cost.cost_b), amount(cost.cost_a))
        }
        None => {
            let side = |totals: &[CurrencyTotal]| {
                let each = totals.iter().map(|total| money(total.cost.zip(total.currency)));
                if totals.is_empty() { "nothing billed".to_owned() } else { each.collect::<Vec<_>>().join(" + ") }
            };
            format!("Cost: A {}, B {}", side(&cost.a), side(&cost.b))
        }
    }
}

fn calls_table(comparison: &Comparison) -> SummaryTable {
    let mut head = vec!["call", "words of A", "WER", "S/D/I", "DER"];
    if comparison.cost.is_some() {
        head.extend(["cost A", "cost B"]);
    }
    head.extend(["start p50", "p90", "DER 250 ms"]);
    let mut table = SummaryTable::new("Calls", &head, 1);
    table.shown = SHOWN;
    let mut calls: Vec<&ComparedCall> = comparison.calls.iter().collect();
    sort(&mut calls);
    let whole = |number: u64| SummaryCell::whole(i64::try_from(number).ok());
    let rate = |rate: Option<f64>| SummaryCell::number(error_rate(rate), rate);
    let ms = |ms: Option<i64>| {
        let text = ms.map_or_else(|| NOT_MEASURED.to_owned(), |ms| format!("{} ms", count(ms)));
        SummaryCell::number(text, ms.map(|ms| ms as f64))
    };
    for call in calls {
        let (accuracy, words) = (&call.accuracy, &call.accuracy.words);
        let errors = [words.substitutions, words.deletions, words.insertions];
        let each = errors.map(|errors| count(errors as i64)).join("/");
        let mut row = vec![
            SummaryCell::text(call.file.clone()),
            whole(words.reference_words),
            rate(accuracy.wer),
            SummaryCell::number(each, Some(errors.iter().sum::<u64>() as f64)),
            rate(accuracy.der),
        ];
        if comparison.cost.is_some() {
            for amount in [call.cost.map(|cost| cost.a), call.cost.map(|cost| cost.b)] {
                let number = amount.and_then(|amount| amount.try_into().ok());
                row.push(SummaryCell::number(money(amount.zip(call.cost.map(|cost| cost.currency))), number));
            }
        }
        row.extend([ms(accuracy.start_error_ms_p50), ms(accuracy.start_error_ms_p90), rate(accuracy.der_collar_250)]);
        table.rows.push(row);
    }
    table
}

/// A number of a column as people read it: whole ones without a decimal.
fn shown(value: Option<f64>, column: &Column) -> SummaryCell {
    let text = match value.filter(|value| value.fract() == 0.0 && value.abs() < 1e15) {
        Some(whole) => cell(Some(&Value::from(whole as i64)), column.unit),
        None => figure(value, column.unit),
    };
    SummaryCell::number(text, value)
}

fn columns_table(comparison: &Comparison) -> SummaryTable {
    let head = ["figure", "A", "B", "B − A", "differ", "of", "over all", "most in"];
    let mut table = SummaryTable::new("Figures that differ", &head, 1);
    table.notes = 2;
    let differing = comparison.columns.iter().filter(|column| column.differs > 0 && column.of.is_some());
    for own in differing {
        let Some(column) = Table::from_name(own.table).and_then(|table| table.column(own.column)) else { continue };
        table.rows.push(columns_row(own, column));
    }
    table
}

fn columns_row(own: &ComparedColumn, column: &Column) -> Vec<SummaryCell> {
    vec![
        SummaryCell::text(format!("{}.{}", own.table, own.column)),
        shown(own.a, column),
        shown(own.b, column),
        SummaryCell::number(difference(own.difference, column.unit), own.difference),
        SummaryCell::whole(i64::try_from(own.differs).ok()),
        SummaryCell::whole(i64::try_from(own.n).ok()),
        SummaryCell::text(own.of.unwrap_or_default()),
        SummaryCell::text(own.most_in.as_deref().unwrap_or(NOT_MEASURED)),
    ]
}

fn words_table(title: &str, edits: &[&WordEdit]) -> SummaryTable {
    let mut table = SummaryTable::new(title, &["in A", "in B", "times"], 2);
    table.shown = SHOWN;
    let word = |word: &Option<String>| SummaryCell::text(word.as_deref().unwrap_or(NOT_MEASURED));
    for edit in edits.iter().take(MOST_WORDS) {
        let times = SummaryCell::whole(i64::try_from(edit.count).ok());
        table.rows.push(vec![word(&edit.reference), word(&edit.word), times]);
    }
    table
}

fn figures_table(call: &ComparedCall) -> SummaryTable {
    let title = format!("{}: WER {}", call.file, error_rate(call.accuracy.wer));
    let mut table = SummaryTable::new(title, &["of", "figure", "A", "B", "B − A"], 2);
    let mut add = |of: &str, row: &ComparedRow| {
        for (column, own) in row.figures().filter(|(_, own)| !(own.a.is_null() && own.b.is_null())) {
            let side = |value: &Value| SummaryCell::number(cell(Some(value), column.unit), value.as_f64());
            let apart = own.difference().as_f64();
            let text = if own.a.is_string() { String::new() } else { difference(apart, column.unit) };
            table.rows.push(vec![
                SummaryCell::text(of),
                SummaryCell::text(column.name),
                side(&own.a),
                side(&own.b),
                SummaryCell::number(text, apart),
            ]);
        }
    };
    add("call", &call.figures);
    for participant in &call.participants {
        let label = |label: &Option<String>| label.clone().unwrap_or_else(|| NOT_MEASURED.to_owned());
        let (a, b) = (label(&participant.a), label(&participant.b));
        add(&if a == b { a } else { format!("{a} / {b}") }, &participant.figures);
    }
    table
}
