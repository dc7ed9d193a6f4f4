//! Rows of tables: collected from measured calls, turned into polars frames, and read back from them.

use jiff::civil::Date;
use polars::prelude::*;
use polars_arrow::bitmap::Bitmap;
use rust_decimal::Decimal;

use super::bill;
use crate::billing::{Line, PriceBook, Prices, result_lines};
use crate::error::{Error, Result};
use crate::metrics::Measured;
use crate::metrics::catalogue::{Cells, Column, Kind, Table, TextCells, ValueCells};

/// Ten decimals: a price per token has seven.
const DECIMAL: DataType = DataType::Decimal(DIGITS, DECIMALS);
pub(super) const DIGITS: usize = 38;
pub(super) const DECIMALS: usize = 10;

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
#[derive(Debug, Clone)]
pub(super) struct Rows {
    pub(super) table: &'static Table,
    pub(super) count: usize,
    /// Of each column of the table; `None` for one that is not wanted.
    columns: Vec<Option<Cells>>,
}

impl Rows {
    pub(super) fn new(table: &'static Table) -> Self {
        Self::with_columns(table, |_| true)
    }

    /// Only the columns with these names.
    pub(super) fn with_columns(table: &'static Table, wanted: impl Fn(&str) -> bool) -> Self {
        Self { table, count: 0, columns: table.no_cells(|column| wanted(column.name)) }
    }

    /// The rows of a frame that has all columns of the table.
    pub(super) fn from_frame(table: &'static Table, frame: &DataFrame) -> PolarsResult<Self> {
        let mut rows = Self::new(table);
        rows.count = frame.height();
        for (column, cells) in rows.wanted_mut() {
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
        let at = self.table.columns.iter().position(|column| column.name == name)?;
        self.columns.get(at)?.as_ref()
    }

    /// The cells of every column, in order.
    pub(super) fn cells(&self) -> impl Iterator<Item = &Cells> {
        self.columns.iter().flatten()
    }

    /// The names of its columns, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        let columns = self.table.columns.iter().zip(&self.columns);
        columns.filter_map(|(column, cells)| cells.as_ref().map(|_| column.name))
    }

    fn wanted_mut(&mut self) -> impl Iterator<Item = (&'static Column, &mut Cells)> {
        let columns = self.table.columns.iter().zip(&mut self.columns);
        columns.filter_map(|(column, cells)| Some((column, cells.as_mut()?)))
    }

    /// Appends the rows of one call, whose bill has these lines.
    pub(super) fn add(&mut self, call: &Measured<'_>, lines: &[Line]) {
        self.count += (self.table.fill)(call, &mut self.columns);
        for (column, cells) in self.wanted_mut() {
            if let Some(column) = column.bill {
                bill::fill(column, lines, cells);
            }
        }
    }

    /// Gives back memory that no cell takes.
    pub(super) fn shrink(&mut self) {
        self.columns.iter_mut().flatten().for_each(Cells::shrink);
    }

    /// No rows, of the same columns.
    pub(super) fn none(&self) -> Self {
        let columns = self.table.columns.iter().zip(&self.columns);
        let columns = columns.map(|(column, cells)| cells.is_some().then(|| Cells::new(column.kind))).collect();
        Self { table: self.table, count: 0, columns }
    }

    /// Makes room for `times` as many rows as there are.
    pub(super) fn reserve(&mut self, times: usize) {
        self.columns.iter_mut().flatten().for_each(|cells| cells.reserve(times));
    }

    /// Appends rows with the same columns.
    pub(super) fn append(&mut self, others: Vec<Self>) {
        self.count += others.iter().map(|other| other.count).sum::<usize>();
        let mut others: Vec<_> = others.into_iter().map(|other| other.columns.into_iter().flatten()).collect();
        for cells in self.columns.iter_mut().flatten() {
            cells.append(others.iter_mut().filter_map(Iterator::next).collect());
        }
    }

    /// Memory taken by the cells, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.cells().map(Cells::bytes).sum()
    }

    /// The columns of rows that follow each other. A column is put together when its turn comes, so that no second copy of
    /// all of them is in memory.
    pub(super) fn into_columns(rows: Vec<Self>) -> impl Iterator<Item = (&'static Column, Cells)> {
        let columns = |rows: Self| {
            let columns = rows.table.columns.iter().zip(rows.columns);
            columns.filter_map(|(column, cells)| Some((column, cells?)))
        };
        let mut columns: Vec<_> = rows.into_iter().map(columns).collect();
        std::iter::from_fn(move || {
            let (first, others) = columns.split_first_mut()?;
            let (column, mut cells) = first.next()?;
            cells.append(others.iter_mut().filter_map(Iterator::next).map(|(_, cells)| cells).collect());
            Some((column, cells))
        })
    }

    pub(super) fn into_frame(self) -> Result<DataFrame> {
        let name = self.table.name;
        Self::frame_of(vec![self]).map_err(|error| Error::table(format!("cannot build the table {name}"), error))
    }

    /// The frame of rows that follow each other.
    pub(super) fn frame_of(rows: Vec<Self>) -> PolarsResult<DataFrame> {
        let count = rows.iter().map(|rows| rows.count).sum();
        let column = |(column, cells): (&Column, Cells)| column_of(PlSmallStr::from_static(column.name), cells);
        let columns: PolarsResult<Vec<_>> = Self::into_columns(rows).map(column).collect();
        DataFrame::new(count, columns?)
    }
}

/// The cells of a column as polars holds them.
pub(super) fn column_of(name: PlSmallStr, cells: Cells) -> PolarsResult<polars::prelude::Column> {
    Ok(match cells {
        Cells::Integer(cells) => {
            let (values, valid) = cells.into_parts();
            Int64Chunked::from_vec_validity(name, values, validity(valid)).into_column()
        }
        Cells::Number(cells) => {
            let (values, valid) = cells.into_parts();
            Float64Chunked::from_vec_validity(name, values, validity(valid)).into_column()
        }
        Cells::Text(cells) => text_column(name, &cells)?,
        Cells::Boolean(cells) => BooleanChunked::from_iter_options(name, cells.iter()).into_column(),
        Cells::Decimal(cells) => {
            let units = Int128Chunked::from_iter_options(name, smallest_units(&cells));
            units.into_decimal(DIGITS, DECIMALS)?.into_column()
        }
        Cells::Date(cells) => Int32Chunked::from_iter_options(name, days(&cells)).into_date().into_column(),
    })
}

/// Which cells are no nulls; `None` if there are none.
pub(super) fn validity(valid: Vec<bool>) -> Option<Bitmap> {
    (!valid.is_empty()).then(|| Bitmap::from(valid))
}

/// Decimals in polars are integers of the smallest unit.
pub(super) fn smallest_units(cells: &ValueCells<Decimal>) -> impl Iterator<Item = Option<i128>> {
    cells.iter().map(|cell| {
        let mut amount = cell?;
        amount.rescale(DECIMALS as u32);
        // An amount too large for ten decimals keeps fewer.
        (amount.scale() == DECIMALS as u32).then(|| amount.mantissa())
    })
}

/// Dates in polars are days since 1970.
pub(super) fn days(cells: &ValueCells<Date>) -> impl Iterator<Item = Option<i32>> {
    const FIRST: Date = Date::constant(1970, 1, 1);
    cells.iter().map(|cell| cell.map(|day| (day - FIRST).get_days()))
}

/// Repeated texts, such as file names, are stored once and gathered by index.
fn text_column(name: PlSmallStr, cells: &TextCells) -> PolarsResult<polars::prelude::Column> {
    let (texts, places) = (cells.stored(), cells.places());
    if texts.len() * 2 > places.len() {
        return Ok(StringChunked::from_iter_options(name, cells.iter()).into_column());
    }
    let texts = StringChunked::from_iter_values(name, texts);
    let places = IdxCa::from_iter_options(PlSmallStr::EMPTY, places);
    Ok(texts.take(&places)?.into_column())
}
