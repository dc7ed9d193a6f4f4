//! Tables as files: Parquet, CSV, JSON lines. A run writes all its files or none, and each file atomically.

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
use crate::disk;
use crate::error::{Error, Result};
use crate::metrics::catalogue::{CALLS, Table};

/// Bytes of cells that are written as one row group: some ten thousand rows.
const GROUP_BYTES: usize = 2 << 20;

/// A file format of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Format {
    /// `.parquet`, zstd-compressed.
    Parquet,
    /// `.csv`, RFC 4180, a header line, null is empty.
    Csv,
    /// `.jsonl`, one object per line.
    #[serde(rename = "jsonl")]
    JsonLines,
}

impl Format {
    /// The ending of its files, and its name.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }
}

impl std::str::FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let known = [Self::Parquet, Self::Csv, Self::JsonLines].into_iter().find(|format| format.extension() == text);
        known.ok_or_else(|| Error::invalid(format!("{text:?} is not a table format; use parquet, csv or jsonl")))
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
    finished: Vec<(NamedTempFile, PathBuf)>,
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
        let mut output = Self { folder: folder.to_owned(), made, formats, tables: Vec::new(), finished: Vec::new() };
        for &table in tables {
            let schema = schema(table);
            let sinks =
                output.formats.iter().map(|&format| output.sink(table.name, format, &schema)).collect::<Result<_>>()?;
            output.tables.push(Pending { rows: Rows::new(table), joined: None, sinks });
        }
        Ok(output)
    }

    fn sink(&self, name: &str, format: Format, schema: &Schema) -> Result<Sink> {
        let path = self.folder.join(format!("{name}.{}", format.extension()));
        Sink::create(path, format, schema)
    }

    /// Adds the user's own columns to the table `calls`.
    ///
    /// # Errors
    /// When its files cannot be made anew.
    pub fn with_columns(mut self, joined: &Arc<Joined>) -> Result<Self> {
        let schema = joined.schema(schema(&CALLS));
        let at = self.tables.iter().position(|pending| pending.rows.table.name == CALLS.name);
        if let Some(at) = at {
            let sinks = self.formats.iter().map(|&format| self.sink(CALLS.name, format, &schema));
            let sinks = sinks.collect::<Result<_>>()?;
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
                pending.flush()?;
            }
        }
        Ok(())
    }

    /// Adds a complete table, such as a roll-up.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add_frame(&mut self, name: &str, frame: &DataFrame) -> Result<()> {
        for format in self.formats.clone() {
            let mut sink = self.sink(name, format, frame.schema())?;
            if frame.height() > 0 {
                sink.write(frame)?;
            }
            self.finished.push(sink.finish()?);
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

    /// Writes the remaining rows and renames the temporary files. Returns the paths in the order written.
    ///
    /// # Errors
    /// When a file cannot be written or renamed; files renamed before stay.
    pub fn finish(mut self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for mut pending in self.tables.drain(..) {
            pending.flush()?;
            for sink in pending.sinks {
                files.push(sink.finish()?);
            }
        }
        files.append(&mut self.finished);
        disk::persist_all(files)
    }
}

/// Writes one frame to a file, in the format of its ending.
///
/// # Errors
/// For another ending, and when the file cannot be written.
pub fn write_frame(path: &Path, frame: &DataFrame) -> Result<()> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let format = ending
        .parse()
        .map_err(|_| Error::invalid(format!("{}: the ending must be .parquet, .csv or .jsonl", path.display())))?;
    let mut sink = Sink::create(path.to_owned(), format, frame.schema())?;
    sink.write(frame)?;
    disk::persist_all([sink.finish()?]).map(drop)
}

impl Drop for Output {
    fn drop(&mut self) {
        // Temporary files first, so that the folder is empty unless the run has finished.
        self.tables.clear();
        self.finished.clear();
        if self.made {
            let _ = fs::remove_dir(&self.folder);
        }
    }
}

impl Pending {
    fn flush(&mut self) -> Result<()> {
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
        self.sinks.iter_mut().try_for_each(|sink| sink.write(&frame))
    }
}

/// A file being written.
struct Sink {
    file: NamedTempFile,
    path: PathBuf,
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
    fn create(path: PathBuf, format: Format, schema: &Schema) -> Result<Self> {
        let file = disk::create(&path)?;
        let opened = file.reopen().map_err(|error| Error::io("write", &path, error))?;
        let handle = Handle(Arc::new(Mutex::new(BufWriter::with_capacity(1 << 16, opened))));
        let to = handle.clone();
        let failed = |error| Error::table(format!("cannot write {}", path.display()), error);
        let writer = match format {
            // In parallel, the row groups would depend on the number of threads.
            Format::Parquet => {
                let writer = ParquetWriter::new(to).set_parallel(false).batched(schema).map_err(failed)?;
                Writer::Parquet(Box::new(writer))
            }
            Format::Csv => {
                // polars would make a null array of 8 MiB to write a header alone.
                let header = csv::Writer::from_writer(to).write_record(schema.iter_names());
                header.map_err(|error| Error::io("write", &path, error.into()))?;
                Writer::Csv
            }
            Format::JsonLines => Writer::JsonLines,
        };
        Ok(Self { file, path, handle, writer })
    }

    fn write(&mut self, frame: &DataFrame) -> Result<()> {
        match &mut self.writer {
            Writer::Parquet(writer) => writer.write_batch(frame),
            Writer::Csv => {
                let mut writer = CsvWriter::new(&mut self.handle).include_header(false);
                if has_carriage_return(frame) {
                    writer = writer.with_quote_style(QuoteStyle::NonNumeric);
                }
                writer.finish(&mut frame.clone())
            }
            Writer::JsonLines => {
                JsonWriter::new(&mut self.handle).with_json_format(JsonFormat::JsonLines).finish(&mut frame.clone())
            }
        }
        .map_err(|error| self.failed(error))
    }

    fn finish(mut self) -> Result<(NamedTempFile, PathBuf)> {
        if let Writer::Parquet(writer) = &mut self.writer {
            writer.finish().map_err(|error| self.failed(error))?;
        }
        self.handle.flush().map_err(|error| Error::io("write", &self.path, error))?;
        Ok((self.file, self.path))
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

/// Polars quotes cells with a line feed, but not those with only a carriage return, as RFC 4180 requires.
fn has_carriage_return(frame: &DataFrame) -> bool {
    let texts = frame.columns().iter().filter_map(|column| column.str().ok());
    texts.into_iter().any(|texts| texts.iter().flatten().any(|text| text.contains('\r')))
}
