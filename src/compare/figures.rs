//! Columns of `calls` and `participants` side by side (definitions: comparison).

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use crate::metrics::Measured;
use crate::metrics::catalogue::{CALLS, Cells, Column, PARTICIPANTS, Table, Unit};

/// A figure of both sides.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ComparedFigure {
    /// Of the reference; null if it could not be measured.
    pub a: Value,
    /// Of the other side.
    pub b: Value,
}

impl ComparedFigure {
    /// `b` − `a`; null unless both are numbers.
    #[must_use]
    pub fn difference(&self) -> Value {
        match (self.a.as_i64(), self.b.as_i64()) {
            (Some(a), Some(b)) => b.saturating_sub(a).into(),
            _ => self.a.as_f64().zip(self.b.as_f64()).map(|(a, b)| b - a).into(),
        }
    }

    /// Whether the two sides differ; a figure that only one side could measure differs.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.a != self.b
    }
}

impl Serialize for ComparedFigure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("a", &self.a)?;
        map.serialize_entry("b", &self.b)?;
        map.serialize_entry("difference", &self.difference())?;
        map.end()
    }
}

/// The figures of one row, in the order of [`compared_columns`]. Serialises as an object by column.
#[derive(Debug, Clone)]
pub struct ComparedRow {
    table: &'static Table,
    figures: Vec<ComparedFigure>,
}

impl ComparedRow {
    /// The figures with their columns.
    pub fn figures(&self) -> impl Iterator<Item = (&'static Column, &ComparedFigure)> {
        compared_columns(self.table).zip(&self.figures)
    }

    /// The figure of a column.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&ComparedFigure> {
        self.figures().find(|(own, _)| own.name == column).map(|(_, figure)| figure)
    }
}

impl Serialize for ComparedRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.figures().map(|(column, figure)| (column.name, figure)))
    }
}

/// The columns of a table that are compared: all but those that name the row.
pub fn compared_columns(table: &'static Table) -> impl Iterator<Item = &'static Column> {
    table.columns.iter().filter(|column| is_compared(column))
}

fn is_compared(column: &Column) -> bool {
    !["file", "participant"].contains(&column.name)
}

/// The values of all rows of one side, row by row.
pub(super) struct Side {
    table: &'static Table,
    rows: Vec<Vec<Value>>,
}

impl Side {
    fn new(table: &'static Table, measured: &Measured<'_>) -> Self {
        let mut columns = table.no_cells(is_compared);
        let mut rows = vec![Vec::new(); (table.fill)(measured, &mut columns)];
        for cells in columns.iter().flatten() {
            rows.iter_mut().zip(values_of(cells)).for_each(|(row, value)| row.push(value));
        }
        Self { table, rows }
    }

    pub(super) fn calls(measured: &Measured<'_>) -> Self {
        Self::new(&CALLS, measured)
    }

    pub(super) fn participants(measured: &Measured<'_>) -> Self {
        Self::new(&PARTICIPANTS, measured)
    }

    /// A row of this side beside one of the other; nulls where there is none.
    pub(super) fn beside(&self, other: &Self, a: Option<usize>, b: Option<usize>) -> ComparedRow {
        let value = |side: &Self, row: Option<usize>, at: usize| {
            row.and_then(|row| side.rows.get(row)?.get(at)).cloned().unwrap_or(Value::Null)
        };
        let figure = |at| ComparedFigure { a: value(self, a, at), b: value(other, b, at) };
        ComparedRow { table: self.table, figures: (0..compared_columns(self.table).count()).map(figure).collect() }
    }
}

/// The cells of a column of kinds that calls and participants have.
fn values_of(cells: &Cells) -> Vec<Value> {
    match cells {
        Cells::Integer(cells) => cells.iter().map(Value::from).collect(),
        Cells::Number(cells) => cells.iter().map(Value::from).collect(),
        Cells::Text(cells) => cells.iter().map(Value::from).collect(),
        Cells::Boolean(cells) => cells.iter().map(Value::from).collect(),
        Cells::Decimal(cells) => cells.iter().map(|cell| cell.map(|cell| cell.to_string()).into()).collect(),
        Cells::Date(cells) => cells.iter().map(|cell| cell.map(|cell| cell.to_string()).into()).collect(),
    }
}

/// A column over all calls or participants.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct ComparedColumn {
    /// `calls` or `participants`.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// Rows in which both sides have a value.
    pub n: u64,
    /// Rows in which the sides differ, in that one has no value, too.
    pub differs: u64,
    /// `sum` for lengths and counts, `median` for others; null for ids and texts.
    pub of: Option<&'static str>,
    /// Sum or median of the reference over these `n` rows.
    pub a: Option<f64>,
    /// The same of the other side.
    pub b: Option<f64>,
    /// `b` − `a`.
    pub difference: Option<f64>,
    /// The row that differs most: its call.
    pub most_in: Option<String>,
}

/// Adds up one column.
pub(super) fn over_rows<'r>(
    column: &'static Column,
    table: &'static Table,
    rows: impl Iterator<Item = (&'r str, &'r ComparedFigure)>,
) -> ComparedColumn {
    let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
    let (mut n, mut differs, mut most) = (0, 0, None::<(f64, &str)>);
    for (file, figure) in rows {
        n += u64::from(!figure.a.is_null() && !figure.b.is_null());
        differs += u64::from(figure.differs());
        if let (Some(a), Some(b)) = (figure.a.as_f64(), figure.b.as_f64()) {
            let distance = (b - a).abs();
            if distance > most.map_or(0.0, |most| most.0) {
                most = Some((distance, file));
            }
            of_a.push(a);
            of_b.push(b);
        }
    }
    let of = aggregate(column);
    let over = |mut values: Vec<f64>| match of {
        Some("sum") if !values.is_empty() => Some(values.iter().sum()),
        Some("median") => median(&mut values),
        _ => None,
    };
    let (a, b) = (over(of_a), over(of_b));
    let difference = a.zip(b).map(|(a, b)| b - a);
    let most_in = most.map(|most| most.1.to_owned());
    ComparedColumn { table: table.name, column: column.name, n, differs, of, a, b, difference, most_in }
}

/// How a column is put into one number: counts and long stretches add up, moments, ratios and rates do not; ids are neither.
fn aggregate(column: &Column) -> Option<&'static str> {
    match column.unit {
        Unit::None | Unit::Hertz => None,
        Unit::Ms | Unit::OffsetMs | Unit::Share | Unit::Ratio | Unit::PerMinute | Unit::UnitsPerMinute => {
            Some("median")
        }
        _ => Some("sum"),
    }
}

/// The middle value, or the mean of the two in the middle.
fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}
