//! Rows of tables: collected from measured calls, turned into polars frames, and read back from them.

use jiff::civil::Date;
use polars::prelude::*;
use rust_decimal::Decimal;

use super::bill;
use crate::billing::{Line, PriceBook, Prices, result_lines};
use crate::error::{Error, Result};
use crate::metrics::Measured;
use crate::metrics::catalogue::{Cells, Column, Kind, Source, Table, TextCells};

/// Ten decimals: a price per token has seven.
const DECIMAL: DataType = DataType::Decimal(DIGITS, DECIMALS);
const DIGITS: usize = 38;
const DECIMALS: usize = 10;

/// The polars schema of a table, in the order of its columns.
#[must_use]
pub fn schema(table: &Table) -> Schema {
    table.columns.iter().map(|column| Field::new(column.name.into(), dtype(column.kind))).collect()
}

fn dtype(kind: Kind) -> DataType {
    match kind {
        Kind::Integer => DataType::Int64,
        Kind::Number => DataType::Float64,
        Kind::Text => DataType::String,
        Kind::Boolean => DataType::Boolean,
        Kind::Decimal => DECIMAL,
        Kind::Date => DataType::Date,
    }
}

/// One table of some measured calls, in the order given; `costs` without prices.
///
/// # Errors
/// [`crate::ErrorKind::Table`] when polars refuses the columns.
///
/// ```
/// use talkmeter::metrics::{Settings, catalogue, measure};
/// let transcript = talkmeter::transcript::read(br#"{"transcripts": [{"channel_id": 0, "sentences": [
///     {"begin_time": 0, "end_time": 1200, "text": "Good morning."}]}]}"#)?;
/// let measured = measure("a.json", &transcript, &Settings::default());
/// let turns = talkmeter::tables::frame(&catalogue::TURNS, [&measured])?;
/// assert_eq!(turns.shape(), (1, 9));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn frame<'m, 't: 'm>(
    table: &'static Table,
    calls: impl IntoIterator<Item = &'m Measured<'t>>,
) -> Result<DataFrame> {
    priced_frame(table, calls, &Prices::new(PriceBook::default(), None, None))
}

/// As [`frame`], with prices for `costs`.
///
/// # Errors
/// [`crate::ErrorKind::Table`] when polars refuses the columns.
pub fn priced_frame<'m, 't: 'm>(
    table: &'static Table,
    calls: impl IntoIterator<Item = &'m Measured<'t>>,
    prices: &Prices,
) -> Result<DataFrame> {
    let mut rows = Rows::new(table);
    for call in calls {
        rows.add(call, &result_lines(call, prices));
    }
    rows.into_frame()
}

/// Rows of one table, or of some of its columns.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) table: &'static Table,
    pub(super) count: usize,
    columns: Vec<(&'static Column, Cells)>,
}

impl Rows {
    pub(super) fn new(table: &'static Table) -> Self {
        Self::with_columns(table, |_| true)
    }

    /// Only the columns with these names.
    pub(super) fn with_columns(table: &'static Table, wanted: impl Fn(&str) -> bool) -> Self {
        let columns = table.columns.iter().filter(|column| wanted(column.name));
        Self { table, count: 0, columns: columns.map(|column| (column, Cells::new(column.kind))).collect() }
    }

    /// The rows of a frame that has all columns of the table.
    pub(super) fn from_frame(table: &'static Table, frame: &DataFrame) -> PolarsResult<Self> {
        let mut rows = Self::new(table);
        rows.count = frame.height();
        for (column, cells) in &mut rows.columns {
            let source = frame.column(column.name)?;
            *cells = match column.kind {
                Kind::Integer => Cells::Integer(source.i64()?.iter().collect()),
                Kind::Number => Cells::Number(source.f64()?.iter().collect()),
                Kind::Text => Cells::Text(source.str()?.iter().collect()),
                Kind::Boolean => Cells::Boolean(source.bool()?.iter().collect()),
                Kind::Decimal => {
                    let amount = |text: Option<&str>| text.and_then(|text| text.parse().ok());
                    Cells::Decimal(source.str()?.iter().map(amount).collect())
                }
                Kind::Date => {
                    let day = |text: Option<&str>| text.and_then(|text| text.parse().ok());
                    Cells::Date(source.str()?.iter().map(day).collect())
                }
            };
        }
        Ok(rows)
    }

    /// The cells of one column.
    pub(super) fn column(&self, name: &str) -> Option<&Cells> {
        self.columns.iter().find(|(column, _)| column.name == name).map(|(_, cells)| cells)
    }

    /// The cells of every column, in order.
    pub(super) fn cells(&self) -> impl Iterator<Item = &Cells> {
        self.columns.iter().map(|(_, cells)| cells)
    }

    /// Appends the rows of one call, whose bill has these lines.
    pub(super) fn add(&mut self, call: &Measured<'_>, lines: &[Line]) {
        self.count += (self.table.rows)(call);
        for (column, cells) in &mut self.columns {
            match column.source {
                Source::Call(fill) => fill(call, cells),
                Source::Bill(column) => bill::fill(column, lines, cells),
            }
        }
    }

    pub(super) fn append(&mut self, other: Self) {
        if self.count == 0 {
            // The same columns, without a copy.
            *self = other;
            return;
        }
        self.count += other.count;
        for ((_, cells), (_, other)) in self.columns.iter_mut().zip(other.columns) {
            cells.append(other);
        }
    }

    /// Memory taken by the cells, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.columns.iter().map(|(_, cells)| cells.bytes()).sum()
    }

    pub(super) fn into_frame(self) -> Result<DataFrame> {
        let column = |(column, cells): (&Column, Cells)| {
            let name = PlSmallStr::from_static(column.name);
            Ok(match cells {
                Cells::Integer(cells) => Int64Chunked::from_iter_options(name, cells.into_iter()).into_column(),
                Cells::Number(cells) => Float64Chunked::from_iter_options(name, cells.into_iter()).into_column(),
                Cells::Text(cells) => text_column(name, &cells)?,
                Cells::Boolean(cells) => BooleanChunked::from_iter_options(name, cells.into_iter()).into_column(),
                Cells::Decimal(cells) => money_column(name, &cells)?,
                Cells::Date(cells) => date_column(name, &cells),
            })
        };
        let columns: PolarsResult<Vec<_>> = self.columns.into_iter().map(column).collect();
        let failed = |error| Error::table(format!("cannot build the table {}", self.table.name), error);
        columns.and_then(|columns| DataFrame::new(self.count, columns)).map_err(failed)
    }
}

/// Decimals in polars are integers of the smallest unit.
fn money_column(name: PlSmallStr, cells: &[Option<Decimal>]) -> PolarsResult<polars::prelude::Column> {
    let smallest = |cell: &Option<Decimal>| {
        let mut amount = (*cell)?;
        amount.rescale(DECIMALS as u32);
        // An amount too large for ten decimals keeps fewer.
        (amount.scale() == DECIMALS as u32).then(|| amount.mantissa())
    };
    let units = Int128Chunked::from_iter_options(name, cells.iter().map(smallest));
    Ok(units.into_decimal(DIGITS, DECIMALS)?.into_column())
}

/// Dates in polars are days since 1970.
fn date_column(name: PlSmallStr, cells: &[Option<Date>]) -> polars::prelude::Column {
    const FIRST: Date = Date::constant(1970, 1, 1);
    let days = cells.iter().map(|cell| cell.map(|day| (day - FIRST).get_days()));
    Int32Chunked::from_iter_options(name, days).into_date().into_column()
}

/// Repeated texts, such as file names, are stored once and gathered by index.
fn text_column(name: PlSmallStr, cells: &TextCells) -> PolarsResult<polars::prelude::Column> {
    let (texts, places) = cells.runs();
    if texts.len() * 2 > places.len() {
        return Ok(StringChunked::from_iter_options(name, cells.iter()).into_column());
    }
    let texts = StringChunked::from_iter_values(name, texts.into_iter());
    let places = IdxCa::from_iter_options(PlSmallStr::EMPTY, places.into_iter());
    Ok(texts.take(&places)?.into_column())
}
