//! Tables as files: Parquet, CSV, JSON lines, a workbook. A run writes all its files or none, and each file atomically.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use polars::io::parquet::write::BatchedWriter as ParquetBatches;
use polars::prelude::*;
use tempfile::NamedTempFile;

use super::distinct;
use super::frame::{Rows, schema};
use super::join::Joined;
use super::package::{PACKAGE, Package, Resource};
use super::workbook::{ShortSheet, Workbook, has_sheet};
use crate::disk;
use crate::error::{Error, Result};
use crate::metrics::catalogue::{CALLS, Table};

/// Bytes of cells that are written as one row group: some ten thousand rows.
const GROUP_BYTES: usize = 2 << 20;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A file format of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Format {
    /// `.parquet`, zstd-compressed.
    Parquet,
    /// `.csv`, RFC 4180, a header line, null is empty.
    Csv,
    /// The same behind a byte order mark, by which Excel knows UTF-8.
    CsvWithMark,
    /// `.jsonl`, one object per line.
    #[serde(rename = "jsonl")]
    JsonLines,
    /// `tables.xlsx`: one workbook of the tables that people look at, a sheet for each.
    #[serde(rename = "xlsx")]
    Workbook,
}

impl Format {
    /// The ending of its files, and its name.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv | Self::CsvWithMark => "csv",
            Self::JsonLines => "jsonl",
            Self::Workbook => "xlsx",
        }
    }
}

impl std::str::FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let known = [Self::Parquet, Self::Csv, Self::JsonLines, Self::Workbook]
            .into_iter()
            .find(|format| format.extension() == text);
        known.ok_or_else(|| Error::invalid(format!("{text:?} is not a table format; use parquet, csv, jsonl or xlsx")))
    }
}

/// The output files of one run. They appear when [`Output::finish`] is called; dropping it earlier leaves nothing behind.
#[derive(Debug)]
pub struct Output {
    folder: PathBuf,
    /// Whether this run created the folder, and removes it if the run fails.
    made: bool,
    formats: Vec<Format>,
    tables: Vec<Pending>,
    workbook: Option<Workbook>,
    finished: Vec<(NamedTempFile, PathBuf)>,
    /// What the files hold that are not of this run.
    package: Package,
    /// What the finished files hold.
    resources: Vec<Resource>,
}

/// What a run has written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// The files, in the order written.
    pub files: Vec<PathBuf>,
    /// Sheets of the workbook that do not hold all of their tables.
    pub short_sheets: Vec<ShortSheet>,
}

/// A table that is still being written.
#[derive(Debug)]
struct Pending {
    rows: Rows,
    /// Whose columns are added.
    joined: Option<Arc<Joined>>,
    sinks: Vec<Sink>,
}

impl Output {
    /// Creates the folder, and a temporary file for each table and format.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] when the folder cannot be created or written to.
    pub fn create(folder: &Path, formats: &[Format], tables: &[&'static Table]) -> Result<Self> {
        let made = !folder.exists();
        if made {
            disk::folder_to_come(folder);
        }
        fs::create_dir_all(folder).map_err(|error| Error::io("make the folder", folder, error))?;
        let formats = distinct(formats);
        let mut output = Self {
            folder: folder.to_owned(),
            made,
            formats,
            tables: Vec::new(),
            workbook: None,
            finished: Vec::new(),
            package: Package::new(Vec::new()),
            resources: Vec::new(),
        };
        if output.formats.contains(&Format::Workbook) {
            output.workbook = Some(Workbook::create(folder)?);
        }
        for &table in tables {
            let sinks = output.sinks(table, &schema(table))?;
            output.tables.push(Pending { rows: Rows::new(table), joined: None, sinks });
        }
        Ok(output)
    }

    /// Keeps the descriptions of tables in the folder that this run does not write.
    ///
    /// # Errors
    /// When its `datapackage.json` cannot be read.
    pub fn beside_others(mut self) -> Result<Self> {
        self.package = Package::read(&self.folder)?;
        self.package.resources.retain(|resource| self.folder.join(&resource.path).is_file());
        Ok(self)
    }

    fn sinks(&self, table: &'static Table, schema: &Schema) -> Result<Vec<Sink>> {
        let sink = |format| self.sink(Resource::of_table(table, format, schema), format, schema);
        self.file_formats().map(sink).collect()
    }

    /// The formats with a file for each table.
    fn file_formats(&self) -> impl Iterator<Item = Format> + use<> {
        self.formats.clone().into_iter().filter(|format| *format != Format::Workbook)
    }

    fn sink(&self, resource: Resource, format: Format, schema: &Schema) -> Result<Sink> {
        Sink::create(self.folder.join(&resource.path), resource, format, schema)
    }

    /// Adds the user's own columns to the table `calls`.
    ///
    /// # Errors
    /// When its files cannot be made anew.
    pub fn with_columns(mut self, joined: &Arc<Joined>) -> Result<Self> {
        let schema = joined.schema(schema(&CALLS));
        let at = self.tables.iter().position(|pending| pending.rows.table.name == CALLS.name);
        if let Some(at) = at {
            let sinks = self.sinks(&CALLS, &schema)?;
            if let Some(calls) = self.tables.get_mut(at) {
                (calls.sinks, calls.joined) = (sinks, Some(Arc::clone(joined)));
            }
        }
        Ok(self)
    }

    /// The tables to write, in order.
    pub(super) fn tables(&self) -> Vec<&'static Table> {
        self.tables.iter().map(|pending| pending.rows.table).collect()
    }

    /// Appends rows to all tables, in the order of [`Output::tables`], and writes full row groups.
    pub(super) fn append(&mut self, rows: Vec<Rows>) -> Result<()> {
        for (pending, rows) in self.tables.iter_mut().zip(rows) {
            pending.rows.append(rows);
            if pending.rows.bytes() >= GROUP_BYTES {
                pending.flush(self.workbook.as_mut())?;
            }
        }
        Ok(())
    }

    /// Adds a complete table: `rollup` or `calls_by_role`. `is_own` tells the user's own columns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add_frame(&mut self, table: &str, frame: &DataFrame, is_own: &dyn Fn(&str) -> bool) -> Result<()> {
        let schema = frame.schema();
        for format in self.file_formats() {
            let mut sink = self.sink(Resource::of_frame(table, format, schema, is_own), format, schema)?;
            if frame.height() > 0 {
                sink.write(frame)?;
            }
            let (file, resource) = sink.finish()?;
            self.finished.push(file);
            self.resources.push(resource);
        }
        if let Some(workbook) = &mut self.workbook {
            workbook.append(table, frame)?;
            self.resources.push(Resource::of_frame(table, Format::Workbook, schema, is_own));
        }
        Ok(())
    }

    /// Adds a complete file, such as a report.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add_file(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.folder.join(name);
        let mut file = disk::create(&path)?;
        file.write_all(bytes).map_err(|error| Error::io("write", &path, error))?;
        self.finished.push((file, path));
        Ok(())
    }

    /// Writes the remaining rows and `datapackage.json`, and renames the temporary files.
    ///
    /// # Errors
    /// When a file cannot be written or renamed; files renamed before stay.
    pub fn finish(mut self) -> Result<Written> {
        let (mut files, mut resources) = (Vec::new(), Vec::new());
        for mut pending in std::mem::take(&mut self.tables) {
            pending.flush(self.workbook.as_mut())?;
            for sink in pending.sinks {
                let (file, resource) = sink.finish()?;
                files.push(file);
                resources.push(resource);
            }
            let table = pending.rows.table;
            if let Some(workbook) = self.workbook.as_mut().filter(|_| has_sheet(table.name)) {
                let schema = pending.joined.map_or_else(|| schema(table), |joined| joined.schema(schema(table)));
                workbook.add_sheet(table.name, &schema)?;
                resources.push(Resource::of_table(table, Format::Workbook, &schema));
            }
        }
        let mut short_sheets = Vec::new();
        // A workbook without a sheet is none.
        if let Some(workbook) = self.workbook.take().filter(Workbook::has_sheets) {
            let (file, short) = workbook.finish()?;
            files.push(file);
            short_sheets = short;
        }
        resources.append(&mut self.resources);
        self.package.merge(resources);
        if !self.package.resources.is_empty() {
            let package = self.package.to_json()?;
            self.add_file(PACKAGE, package.as_bytes())?;
        }
        files.append(&mut self.finished);
        Ok(Written { files: disk::persist_all(files)?, short_sheets })
    }
}

/// Writes one frame to a file, in the format of its ending.
///
/// # Errors
/// For another ending, and when the file cannot be written.
pub fn write_frame(path: &Path, frame: &DataFrame) -> Result<()> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let format = ending.parse().ok().filter(|format| *format != Format::Workbook);
    let wrong = || Error::invalid(format!("{}: the ending must be .parquet, .csv or .jsonl", path.display()));
    let format = format.ok_or_else(wrong)?;
    let resource = Resource::of_frame("query", format, frame.schema(), &|_| true);
    let mut sink = Sink::create(path.to_owned(), resource, format, frame.schema())?;
    sink.write(frame)?;
    disk::persist_all([sink.finish()?.0]).map(drop)
}

impl Drop for Output {
    fn drop(&mut self) {
        // Temporary files first, so that the folder is empty unless the run has finished.
        self.tables.clear();
        self.workbook = None;
        self.finished.clear();
        if self.made {
            let _ = fs::remove_dir(&self.folder);
        }
    }
}

impl Pending {
    fn flush(&mut self, workbook: Option<&mut Workbook>) -> Result<()> {
        if self.rows.count == 0 {
            return Ok(());
        }
        let empty = Rows::new(self.rows.table);
        let mut frame = std::mem::replace(&mut self.rows, empty).into_frame()?;
        if let Some(joined) = &self.joined {
            joined
                .add_columns(&mut frame)
                .map_err(|error| Error::table("cannot add the columns of the metadata", error))?;
        }
        if let Some(workbook) = workbook.filter(|_| has_sheet(self.rows.table.name)) {
            workbook.append(self.rows.table.name, &frame)?;
        }
        self.sinks.iter_mut().try_for_each(|sink| sink.write(&frame))
    }
}

/// A file being written.
struct Sink {
    file: NamedTempFile,
    path: PathBuf,
    resource: Resource,
    handle: Handle,
    writer: Writer,
}

enum Writer {
    Parquet(Box<ParquetBatches<Handle>>),
    Csv,
    JsonLines,
}

/// A file that polars writes to. We flush it ourselves: an error on drop, such as a full disk, would be lost.
#[derive(Clone)]
struct Handle(Arc<Mutex<BufWriter<File>>>);

impl Write for Handle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().map_err(|_| io::ErrorKind::Other)?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().map_err(|_| io::ErrorKind::Other)?.flush()
    }
}

impl Sink {
    fn create(path: PathBuf, resource: Resource, format: Format, schema: &Schema) -> Result<Self> {
        let file = disk::create(&path)?;
        let opened = file.reopen().map_err(|error| Error::io("write", &path, error))?;
        let handle = Handle(Arc::new(Mutex::new(BufWriter::with_capacity(1 << 16, opened))));
        let mut to = handle.clone();
        let failed = |error| Error::table(format!("cannot write {}", path.display()), error);
        let writer = match format {
            // In parallel, the row groups would depend on the number of threads.
            Format::Parquet => {
                let writer = ParquetWriter::new(to)
                    .set_parallel(false)
                    .with_key_value_metadata(Some(resource.arrow_metadata(schema)))
                    .batched(schema)
                    .map_err(failed)?;
                Writer::Parquet(Box::new(writer))
            }
            Format::Csv | Format::CsvWithMark => {
                if format == Format::CsvWithMark {
                    to.write_all(BYTE_ORDER_MARK).map_err(|error| Error::io("write", &path, error))?;
                }
                // polars would make a null array of 8 MiB to write a header alone.
                let header = csv::Writer::from_writer(to).write_record(schema.iter_names());
                header.map_err(|error| Error::io("write", &path, error.into()))?;
                Writer::Csv
            }
            // A workbook has no file for each table: see `file_formats`.
            Format::JsonLines | Format::Workbook => Writer::JsonLines,
        };
        Ok(Self { file, path, resource, handle, writer })
    }

    fn write(&mut self, frame: &DataFrame) -> Result<()> {
        match &mut self.writer {
            Writer::Parquet(writer) => writer.write_batch(frame),
            Writer::Csv => {
                let mut frame = with_dates_as_text(frame).map_err(|error| self.failed(error))?;
                let mut writer = CsvWriter::new(&mut self.handle).include_header(false);
                if has_carriage_return(&frame) {
                    writer = writer.with_quote_style(QuoteStyle::NonNumeric);
                }
                writer.finish(&mut frame)
            }
            Writer::JsonLines => {
                JsonWriter::new(&mut self.handle).with_json_format(JsonFormat::JsonLines).finish(&mut frame.clone())
            }
        }
        .map_err(|error| self.failed(error))
    }

    fn finish(mut self) -> Result<((NamedTempFile, PathBuf), Resource)> {
        if let Writer::Parquet(writer) = &mut self.writer {
            writer.finish().map_err(|error| self.failed(error))?;
        }
        self.handle.flush().map_err(|error| Error::io("write", &self.path, error))?;
        Ok(((self.file, self.path), self.resource))
    }

    fn failed(&self, error: PolarsError) -> Error {
        Error::table(format!("cannot write {}", self.path.display()), error)
    }
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sink").field("path", &self.path).finish_non_exhaustive()
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

/// Polars quotes cells with a line feed, but not those with only a carriage return, as RFC 4180 requires.
fn has_carriage_return(frame: &DataFrame) -> bool {
    let texts = frame.columns().iter().filter_map(|column| column.str().ok());
    texts.into_iter().any(|texts| texts.iter().flatten().any(|text| text.contains('\r')))
}
