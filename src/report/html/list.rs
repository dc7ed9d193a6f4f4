//! The list of calls: rows with their lanes for those that were read, and all calls as data for the script.

use std::collections::HashMap;

use minijinja::Value as Html;
use serde::Serialize;
use serde_json::{Value, json};

use super::super::index::{CallIndex, IndexedCall};
use super::super::number::{NOT_MEASURED, cell, count, counted, figure};
use super::super::page::LISTED_BY_EACH;
use super::super::{CallRow, Page, Report};
use super::cell::Cell;
use super::chart::{shares, small_lanes};
use super::short;
use crate::metrics::catalogue::{CALLS, Unit};

/// Most participants of a call whose shares are written out.
const MOST_SHARES: usize = 20;

/// Most bytes of data for the search over all calls.
const MOST_BYTES_OF_INDEX: usize = 2_500_000;

/// Own columns in the list if calls are not grouped.
const OWN_LISTED: usize = 3;

/// Most bytes of a cell of the user's in the search over all calls.
const MOST_BYTES_OF_CELL: usize = 120;

/// The list of calls.
#[derive(Serialize)]
pub(super) struct List {
    note: String,
    /// Whether no more calls than these were asked for.
    top: bool,
    groups: Vec<String>,
    columns: Vec<Head>,
    length: Head,
    rows: Vec<Row>,
    /// All calls for the script, as JSON without `<`.
    data: Html,
}

#[derive(Serialize)]
struct Head {
    metric: &'static str,
    label: String,
    sorted: bool,
}

#[derive(Serialize)]
struct Row {
    id: String,
    name: String,
    href: String,
    groups: Vec<String>,
    length: Cell,
    lanes: Html,
    shares: Html,
    shares_in_words: String,
    cells: Vec<Cell>,
}

/// The list of calls; `address` gives where a call is shown in full.
pub(super) fn list(report: &Report, page: &Page, address: &dyn Fn(&str) -> String) -> List {
    let index = &page.index;
    let listed_own = if index.groups > 0 { index.groups } else { index.own.len().min(OWN_LISTED) };
    let own_of: HashMap<&str, &[Option<String>]> =
        index.calls.iter().map(|call| (&*call.file, call.own.get(..listed_own).unwrap_or_default())).collect();
    let metrics: Vec<&'static str> = index.columns.iter().skip(1).map(|column| column.name).collect();
    let head = |metric: &'static str| Head { metric, label: CALLS.label(metric), sorted: metric == page.by };
    let row = |(at, row): (usize, &CallRow)| {
        let shared = row.names.iter().zip(&row.shares).take(MOST_SHARES);
        let in_words = shared.map(|(name, share)| format!("{name} {}", figure(*share, Unit::Share)));
        let more = row.names.len().saturating_sub(MOST_SHARES);
        let more = (more > 0).then(|| format!("{} more", count(more as i64)));
        let own = own_of.get(&*row.file).copied().unwrap_or_default();
        Row {
            id: format!("r{at}"),
            name: short(&row.file).to_owned(),
            href: address(&row.file),
            groups: own.iter().map(|cell| cell.clone().unwrap_or_else(|| NOT_MEASURED.to_owned())).collect(),
            length: Cell::new(&CALLS, &row.figures, "duration_ms"),
            lanes: Html::from_safe_string(small_lanes(&row.lanes, &row.dead_air, row.length_ms)),
            shares: Html::from_safe_string(shares(&row.shares)),
            shares_in_words: in_words.chain(more).collect::<Vec<_>>().join(", "),
            cells: metrics.iter().map(|metric| Cell::new(&CALLS, &row.figures, metric)).collect(),
        }
    };
    let (data, held) = data(report, page, listed_own, address);
    let (listed, all) = (page.listed.len() as u64, report.inputs.measured);
    let mut note = String::new();
    if listed + (page.unreadable.len() as u64) < all {
        let which = match page.top {
            Some(_) => format!("the first by {}", CALLS.label(page.by).to_lowercase()),
            None => format!("those that need a look, and the {LISTED_BY_EACH} highest by each column"),
        };
        let (listed, all) = (count(listed as i64), count(all as i64));
        let without = if page.top.is_some() { "Showing" } else { "Without scripts showing" };
        note = format!("{without} {listed} of {all} calls: {which}.");
    }
    if (held as u64) < report.inputs.measured && page.top.is_none() {
        note += &format!(" The page holds {}; the table calls has all of them.", counted(held as u64, "call"));
    }
    if !page.unreadable.is_empty() {
        note += &format!(" {} could no longer be read.", counted(page.unreadable.len() as u64, "call"));
    }
    List {
        note: note.trim().to_owned(),
        top: page.top.is_some(),
        groups: index.own.get(..listed_own).unwrap_or_default().to_vec(),
        columns: metrics.iter().map(|metric| head(metric)).collect(),
        length: head("duration_ms"),
        rows: page.listed.iter().enumerate().map(row).collect(),
        data: Html::from_safe_string(data),
    }
}

/// Texts that are repeated, by number.
#[derive(Default)]
struct Texts(Vec<String>, HashMap<String, usize>);

impl Texts {
    fn number(&mut self, text: &str) -> usize {
        if let Some(number) = self.1.get(text) {
            return *number;
        }
        self.0.push(text.to_owned());
        self.1.insert(text.to_owned(), self.0.len() - 1);
        self.0.len() - 1
    }
}

/// All calls, as many as there is room for, and their number.
///
/// A call is `[name, id of its row or 0, address, [own…], [figures…], [keywords…], [rules…]]`. An own cell is the number of its
/// text in `own`, or -1. A figure is a number, `[text, number]` where people read it otherwise, or `[why]`, the number of a
/// text in `why`, where it could not be measured.
fn data(report: &Report, page: &Page, listed_own: usize, address: &dyn Fn(&str) -> String) -> (String, usize) {
    let index = &page.index;
    let rows: HashMap<&str, usize> = page.listed.iter().enumerate().map(|(at, row)| (&*row.file, at)).collect();
    let mut own: Vec<Texts> = index.own.iter().map(|_| Texts::default()).collect();
    let mut why = Texts::default();
    let (mut calls, mut bytes, mut held) = (String::new(), 0, 0);
    for call in &index.calls {
        let cells = own.iter_mut().zip(&call.own);
        let cells: Vec<i64> =
            cells.map(|(texts, cell)| cell.as_ref().map_or(-1, |cell| texts.number(shortened(cell)) as i64)).collect();
        let row = rows.get(&*call.file).map_or_else(|| json!(0), |at| json!(format!("r{at}")));
        let figures = figures(index, call, &mut why);
        let call = json!([short(&call.file), row, address(&call.file), cells, figures, call.keywords, call.rules]);
        let call = call.to_string();
        bytes += call.len() + 1;
        if bytes > MOST_BYTES_OF_INDEX {
            break;
        }
        calls += if held > 0 { ",\n" } else { "" };
        calls += &call;
        held += 1;
    }
    let own: Vec<Value> =
        index.own.iter().zip(&own).map(|(name, texts)| json!({"name": name, "values": texts.0})).collect();
    let columns: Vec<&str> = index.columns.iter().map(|column| column.name).collect();
    let keywords: Vec<&str> = report.keywords.iter().flatten().map(|hits| &*hits.rule).collect();
    let rules: Vec<&str> = report.rules.iter().flatten().map(|rule| &*rule.rule).collect();
    let head = json!({
        "measured": report.inputs.measured, "listed": listed_own, "own": own, "columns": columns, "why": why.0,
        "keywords": keywords, "rules": rules,
    });
    let head = head.to_string();
    let text = format!("{},\"calls\":[\n{calls}]}}", head.strip_suffix('}').unwrap_or(&head));
    // Neither `</script>` nor `<!--` may stand in it.
    (text.replace('<', "\\u003c"), held)
}

fn figures(index: &CallIndex, call: &IndexedCall, why: &mut Texts) -> Vec<Value> {
    let figure = |(column, value): (&&'static crate::metrics::catalogue::Column, &Option<Value>)| match value {
        None => json!([why.number(column.why_null(call.reason.as_deref()))]),
        Some(value) => {
            let text = cell(Some(value), column.unit);
            if value.as_i64().is_some_and(|number| text == number.to_string()) {
                value.clone()
            } else {
                json!([text, value])
            }
        }
    };
    index.columns.iter().zip(&call.figures).map(figure).collect()
}

/// A cell, cut off where it is very long.
fn shortened(cell: &str) -> &str {
    cell.get(..cell.floor_char_boundary(MOST_BYTES_OF_CELL)).unwrap_or(cell)
}
