//! Cells and tables as text: what is shown, what is sorted by, and why a cell is a dash.

use serde::Serialize;
use serde_json::Value;

use super::super::number::{NOT_MEASURED, cell};
use super::chart::hue;
use crate::metrics::catalogue::{Column, Table, Unit};

/// A cell: its text, its sort key, and why it is a dash.
#[derive(Serialize)]
pub(super) struct Cell {
    text: String,
    sort: String,
    why: String,
}

impl Cell {
    pub(super) fn of(table: &'static Table, row: &serde_json::Map<String, Value>, name: &str) -> Self {
        let value = row.get(name);
        let is_null = value.is_none_or(Value::is_null);
        let column = table.column(name);
        let why = |column: &Column| column.why_null(row.get("reason").and_then(Value::as_str)).to_owned();
        Self {
            text: cell(value, column.map_or(Unit::None, |column| column.unit)),
            sort: value.filter(|_| !is_null).map(ToString::to_string).unwrap_or_default(),
            why: column.filter(|_| is_null).map(why).unwrap_or_default(),
        }
    }

    pub(super) fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { sort: text.clone(), text, why: String::new() }
    }

    pub(super) fn number(text: String, number: impl ToString) -> Self {
        Self { text, sort: number.to_string(), why: String::new() }
    }

    pub(super) fn none(why: &str) -> Self {
        Self::instead(NOT_MEASURED, why)
    }

    /// A text in place of a missing value.
    pub(super) fn instead(text: &str, why: &str) -> Self {
        Self { text: text.to_owned(), sort: String::new(), why: why.to_owned() }
    }
}

/// A sortable table; its first `texts` columns are text, the others numbers.
#[derive(Serialize)]
pub(super) struct Grid {
    pub(super) head: Vec<String>,
    pub(super) texts: usize,
    pub(super) rows: Vec<Vec<Cell>>,
}

impl Grid {
    pub(super) fn of(head: &[&str], texts: usize, rows: Vec<Vec<Cell>>) -> Self {
        Self { head: head.iter().map(|&name| name.to_owned()).collect(), texts, rows }
    }
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
    pub(super) fn of(at: usize, name: &str, label: &str) -> Self {
        let label = if label == name { String::new() } else { label.to_owned() };
        Self { hue: hue(at), name: name.to_owned(), label }
    }
}
