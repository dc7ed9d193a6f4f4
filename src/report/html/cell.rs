//! Cells and tables as text: what is shown, what is sorted by, and why a cell is a dash.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::Value;

use super::super::number::{NOT_MEASURED, cell};
use super::chart::hue;
use crate::metrics::catalogue::{Table, Unit};
use crate::tables::Row;

/// A cell: its text, its sort key, and why it is a dash.
#[derive(Serialize, Default)]
pub(super) struct Cell {
    text: String,
    sort: String,
    why: String,
    /// Where it leads; empty for nowhere.
    href: String,
    /// Length of the bar behind it in per cent; empty without.
    bar: String,
    /// Added to the text in small print.
    note: String,
}

impl Cell {
    pub(super) fn new(table: &'static Table, row: &Row, name: &str) -> Self {
        let value = row.get(name).map(Value::from);
        let column = table.column(name).filter(|_| value.is_none());
        let unit = table.column(name).map_or(Unit::None, |column| column.unit);
        Self {
            text: cell(value.as_ref(), unit),
            sort: value.as_ref().map(ToString::to_string).unwrap_or_default(),
            why: column.map(|column| column.why_null(row.text("reason")).to_owned()).unwrap_or_default(),
            ..Self::default()
        }
    }

    pub(super) fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { sort: text.clone(), text, ..Self::default() }
    }

    pub(super) fn number(text: String, number: impl ToString) -> Self {
        Self { text, sort: number.to_string(), ..Self::default() }
    }

    pub(super) fn none(why: &str) -> Self {
        Self::instead(NOT_MEASURED, why)
    }

    /// A text in place of a missing value.
    pub(super) fn instead(text: &str, why: &str) -> Self {
        Self { text: text.to_owned(), why: why.to_owned(), ..Self::default() }
    }

    /// With a link.
    pub(super) fn linked(self, href: String) -> Self {
        Self { href, ..self }
    }

    /// With a bar of this share of the longest one.
    pub(super) fn barred(self, share: f64) -> Self {
        Self { bar: format!("{:.0}", share.clamp(0.0, 1.0) * 100.0), ..self }
    }

    /// With a note in small print.
    pub(super) fn noted(self, note: String) -> Self {
        Self { note, ..self }
    }
}

/// A sortable table; its first `texts` columns are text, the others numbers.
#[derive(Serialize)]
pub(super) struct Grid {
    pub(super) head: Vec<String>,
    pub(super) texts: usize,
    /// Its last columns are text as well.
    pub(super) notes: usize,
    pub(super) rows: Vec<Vec<Cell>>,
}

impl Grid {
    pub(super) fn new(head: &[&str], texts: usize, rows: Vec<Vec<Cell>>) -> Self {
        Self { head: head.iter().map(|&name| name.to_owned()).collect(), texts, notes: 0, rows }
    }
}

/// The fragment that shows the calls with this property in the list.
pub(super) fn calls_with(pairs: &[(String, &str)]) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pair = |(key, value): &(String, &str)| format!("&{}={}", encoded(key), encoded(value));
    format!("#calls{}", pairs.iter().map(pair).collect::<String>())
}

/// A participant's colour and name, for a legend.
#[derive(Serialize)]
pub(super) struct Name {
    pub(super) hue: String,
    pub(super) name: String,
    /// Its label if the name is a role, else empty.
    pub(super) label: String,
}

impl Name {
    pub(super) fn new(at: usize, name: &str, label: &str) -> Self {
        let label = if label == name { String::new() } else { label.to_owned() };
        Self { hue: hue(at), name: name.to_owned(), label }
    }
}
