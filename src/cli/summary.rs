//! What `analyze` and `report` print: the summary for people, or rows for programs.

use serde_json::{Value, json};

use super::Exit;
use super::output::{Console, Failure, Format, Listing};
use crate::report::{GroupRow, Groups, Report};

/// Prints a report. As CSV, JSON lines or Markdown: its roll-up, else its summary.
pub(super) fn print(report: &Report, format: Format, console: &Console) -> Result<Exit, Failure> {
    match (format, &report.rollup) {
        (Format::Table, _) => console.data(report.to_text(console.width()).as_bytes()),
        (Format::Json, _) => console.data(report.to_json()?.as_bytes()),
        (_, Some(groups)) => of_groups(groups).print(format, console),
        (Format::Md, None) => console.data(report.to_markdown().as_bytes()),
        (_, None) => of_report(report).print(format, console),
    }
}

/// The table `rollup`, with all its columns.
fn of_groups(groups: &Groups) -> Listing<String> {
    let others = groups.rows.first().into_iter().flat_map(GroupRow::columns);
    let others = others.filter(|name| !groups.by.contains(name));
    let head: Vec<String> = groups.by.iter().chain(others).cloned().collect();
    let row = |row: &GroupRow| head.iter().map(|name| row.get(name).cloned().unwrap_or_default()).collect();
    let rows = groups.rows.iter().map(row).collect();
    Listing { head, rows }
}

/// A row for each figure of the summary: sums over calls, distributions over calls and participants, cost by currency.
fn of_report(report: &Report) -> Listing {
    let head = vec!["table", "metric", "unit", "n", "sum", "min", "p10", "p50", "p90", "max"];
    let mut rows = Vec::new();
    for total in &report.totals {
        let Some(sum) = total.sum else { continue };
        let mut row = vec![json!("calls"), json!(total.metric), json!(total.unit), json!(total.n), json!(sum)];
        row.resize(head.len(), Value::Null);
        rows.push(row);
    }
    for (table, figures) in [("calls", &report.calls), ("participants", &report.participants)] {
        for one in figures {
            let figures = [one.min, one.p10, one.p50, one.p90, one.max];
            let mut row = vec![json!(table), json!(one.metric), json!(one.unit), json!(one.n), Value::Null];
            // Lengths are whole ms.
            let whole = |figure: f64| if one.unit.is_ms() { json!(figure as i64) } else { json!(figure) };
            row.extend(figures.map(|figure| figure.map_or(Value::Null, whole)));
            rows.push(row);
        }
    }
    for total in &report.cost {
        let unit = total.currency.map(|currency| currency.code());
        let mut row = vec![json!("costs"), json!("cost"), json!(unit), json!(total.tracks), json!(total.cost)];
        row.resize(head.len(), Value::Null);
        rows.push(row);
    }
    Listing { head, rows }
}
