//! Row groups: rows are gathered in order until they make a group, and groups are encoded on any thread.

use std::sync::Arc;

use polars::io::csv::write::{CsvSerializer, SerializeOptions};
use polars::prelude::*;

use super::files::Format;
use super::frame::Rows;
use super::join::Joined;
use super::package::Resource;
use super::parquet::{Layout, RowGroup};
use crate::metrics::catalogue::Table;

/// Bytes of cells that make a group: some ten thousand rows.
pub(super) const GROUP_BYTES: usize = 2 << 20;

/// The same where all files of a table are of lines: these are no smaller and no faster to read for larger groups.
const TEXT_BYTES: usize = 256 << 10;

/// How the rows of a file are encoded.
pub(super) enum Encoder {
    Parquet(Box<Layout>),
    Csv {
        has_mark: bool,
    },
    JsonLines,
    /// The sheet of this table.
    Sheet(&'static str),
    /// Not at all: the rows are kept.
    Frame,
}

/// Encoded rows of one file.
pub(super) enum Encoded {
    RowGroup(RowGroup),
    Text(Vec<u8>),
    /// For the sheet of this table.
    Sheet(&'static str, DataFrame),
    Frame(DataFrame),
}

impl Encoder {
    /// Of a file with this description.
    pub(super) fn new(resource: &Resource, format: Format, schema: &Schema) -> PolarsResult<Self> {
        Ok(match format {
            Format::Parquet => Self::Parquet(Box::new(Layout::new(resource.arrow_schema(schema))?)),
            Format::Csv | Format::CsvWithMark => Self::Csv { has_mark: format == Format::CsvWithMark },
            // A workbook has no file for each table: see `Output::file_formats`.
            Format::JsonLines | Format::Workbook => Self::JsonLines,
        })
    }

    /// Rows that follow each other, and further columns of theirs.
    fn rows(&self, rows: Vec<Rows>, further: Vec<Column>) -> PolarsResult<Encoded> {
        if let Self::Parquet(layout) = self {
            return layout.rows(rows, further).map(Encoded::RowGroup);
        }
        let mut frame = Rows::frame_of(rows)?;
        for column in further {
            frame.with_column(column)?;
        }
        self.frame(&frame)
    }

    pub(super) fn frame(&self, frame: &DataFrame) -> PolarsResult<Encoded> {
        let mut text = Vec::new();
        match self {
            Self::Parquet(layout) => return layout.frame(frame).map(Encoded::RowGroup),
            Self::Csv { .. } => {
                // Polars quotes cells with a line feed, but not those with only a carriage return, as RFC 4180 requires.
                let quote_style =
                    if has_carriage_return(frame) { QuoteStyle::NonNumeric } else { QuoteStyle::default() };
                let options = SerializeOptions { quote_style, ..SerializeOptions::default() };
                let mut frame = with_dates_as_text(frame)?;
                frame.rechunk_mut();
                // The writer of polars would start threads of its own.
                CsvSerializer::new(Arc::clone(frame.schema()), Arc::new(options))?
                    .serialize_to_csv(&frame, &mut text)?;
            }
            Self::JsonLines => {
                JsonWriter::new(&mut text).with_json_format(JsonFormat::JsonLines).finish(&mut frame.clone())?;
            }
            Self::Sheet(table) => return Ok(Encoded::Sheet(table, frame.clone())),
            Self::Frame => return Ok(Encoded::Frame(frame.clone())),
        }
        Ok(Encoded::Text(text))
    }
}

/// polars writes dates to CSV only with a feature that nothing else here needs.
fn with_dates_as_text(frame: &DataFrame) -> PolarsResult<DataFrame> {
    let mut frame = frame.clone();
    let dates: Vec<Column> =
        frame.columns().iter().filter(|column| *column.dtype() == DataType::Date).cloned().collect();
    for dates in dates {
        frame.with_column(dates.cast(&DataType::String)?)?;
    }
    Ok(frame)
}

fn has_carriage_return(frame: &DataFrame) -> bool {
    let texts = frame.columns().iter().filter_map(|column| column.str().ok());
    texts.into_iter().any(|texts| texts.iter().flatten().any(|text| text.contains('\r')))
}

/// The rows of a table that are yet to be written.
pub(super) struct Pending {
    pub(super) table: &'static Table,
    /// Its columns, with those that are added.
    pub(super) schema: Schema,
    files: Arc<Files>,
    rows: Vec<Rows>,
    pub(super) bytes: usize,
}

/// The files of a table.
struct Files {
    encoders: Vec<Encoder>,
    /// Whose columns are added.
    joined: Option<Arc<Joined>>,
}

impl Files {
    fn group_bytes(&self) -> usize {
        let is_text = |encoder: &Encoder| matches!(encoder, Encoder::Csv { .. } | Encoder::JsonLines);
        if self.encoders.iter().all(is_text) { TEXT_BYTES } else { GROUP_BYTES }
    }
}

/// Rows to be written together.
pub(super) struct Group {
    /// The place of the table among those that are written.
    pub(super) table: usize,
    files: Arc<Files>,
    rows: Vec<Rows>,
}

impl Pending {
    /// `encoders`: of each file, then of the sheet.
    pub(super) fn new(
        table: &'static Table,
        schema: Schema,
        encoders: Vec<Encoder>,
        joined: Option<Arc<Joined>>,
    ) -> Self {
        Self { table, schema, files: Arc::new(Files { encoders, joined }), rows: Vec::new(), bytes: 0 }
    }

    /// Adds rows. Once there are enough, they make a group.
    pub(super) fn add(&mut self, table: usize, rows: Rows) -> Option<Group> {
        self.bytes += rows.bytes();
        if rows.count > 0 {
            self.rows.push(rows);
        }
        if self.bytes >= self.files.group_bytes() { self.rest(table) } else { None }
    }

    /// The rows that have not made a group yet.
    pub(super) fn rest(&mut self, table: usize) -> Option<Group> {
        self.bytes = 0;
        let rows = std::mem::take(&mut self.rows);
        (!rows.is_empty()).then(|| Group { table, files: Arc::clone(&self.files), rows })
    }
}

impl Group {
    /// The rows for each file of the table.
    pub(super) fn encode(self) -> Vec<PolarsResult<Encoded>> {
        let Self { files, mut rows, .. } = self;
        let calls = rows.iter().flat_map(|rows| rows.texts("file").into_iter().zip(rows.texts("file_url")));
        let further = match files.joined.as_ref().map(|joined| joined.columns_for(calls)).transpose() {
            Ok(further) => further.unwrap_or_default(),
            Err(error) => return vec![Err(error)],
        };
        let last = files.encoders.len().saturating_sub(1);
        let encode = |(at, encoder): (usize, &Encoder)| {
            let rows = if at == last { std::mem::take(&mut rows) } else { rows.clone() };
            encoder.rows(rows, further.clone())
        };
        files.encoders.iter().enumerate().map(encode).collect()
    }
}
