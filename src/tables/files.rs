//! Tables as files: Parquet, CSV, JSON lines, a workbook. A run writes all its files or none, and each file atomically.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use polars::prelude::*;
use polars_parquet::write::FileWriter;
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use tempfile::NamedTempFile;

use super::distinct;
use super::frame::Rows;
use super::join::Joined;
use super::package::{PACKAGE, Package, Resource};
use super::row_groups::{Encoded, Encoder, GROUP_BYTES, Group, Pending};
use super::shards::{Shard, ShardManifest, ShardSummary, Shards};
use super::workbook::{ShortSheet, Workbook, has_sheet};
use crate::disk;
use crate::error::{Error, Result};
use crate::metrics::catalogue::{CALLS, TABLES, Table};

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A file format of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
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

    /// The name of the file of a table, or of the folder of its parts.
    pub(super) fn file_of(self, table: &str) -> String {
        format!("{table}.{}", self.extension())
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
pub struct Output {
    folder: PathBuf,
    /// Whether this run created the folder, and removes it if the run fails.
    made: bool,
    /// Which part of the tables is written.
    shard: Option<Shard>,
    formats: Vec<Format>,
    pending: Vec<Pending>,
    sinks: Sinks,
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

/// What row groups are written to.
#[derive(Default)]
pub(super) struct Sinks {
    /// The files of each table.
    tables: Vec<Vec<Sink>>,
    workbook: Option<Workbook>,
}

impl Output {
    /// Creates the folder, and a temporary file for each table and format.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] when the folder cannot be created or written to.
    pub fn create(folder: &Path, formats: &[Format], tables: &[&'static Table]) -> Result<Self> {
        if Shards::are_in(folder) {
            let why = "its tables are in shards, which one analysis cannot replace: write to another folder";
            return Err(Error::invalid(format!("{}: {why}", folder.display())));
        }
        let made = !folder.exists();
        if made {
            disk::folder_to_come(folder);
        }
        make_folder(folder)?;
        Self::empty(folder, formats, made).with_tables(tables)
    }

    /// The same for one of several analyses that write parts of the same tables, perhaps at the same time: a part file in the
    /// folder of each table. [`Output::finish_shard`] writes them.
    ///
    /// # Errors
    /// When a folder cannot be made or written to, and for a workbook, which has no parts.
    pub fn create_shard(folder: &Path, formats: &[Format], tables: &[&'static Table], shard: Shard) -> Result<Self> {
        if formats.contains(&Format::Workbook) {
            return Err(Error::invalid("a workbook cannot be written in parts: use parquet, csv or jsonl"));
        }
        // Other shards may be about to write there: the folders stay, even if this shard fails.
        shard.manifest(folder).parent().map_or(Ok(()), make_folder)?;
        for format in formats {
            tables.iter().try_for_each(|table| make_folder(&folder.join(format.file_of(table.name))))?;
        }
        let mut output = Self::empty(folder, formats, false);
        output.shard = Some(shard);
        output.with_tables(tables)
    }

    /// What is beside the tables of shards that are complete: `calls_by_role`, a roll-up, the report. `joined` has the user's
    /// columns.
    ///
    /// # Errors
    /// For formats that are not known.
    pub fn beside_shards(folder: &Path, shards: &Shards, joined: Option<&Joined>) -> Result<Self> {
        let formats: Vec<Format> = serde_json::from_value(shards.common("formats").clone())
            .map_err(|error| Error::invalid(format!("formats of the shards: {error}")))?;
        let mut output = Self::empty(folder, &formats, false);
        let mut resources = Vec::new();
        for table in TABLES.into_iter().filter(|table| shards.has(table.name)) {
            let schema = Joined::schema_of(table, joined.filter(|_| table.name == CALLS.name));
            for format in output.file_formats() {
                let resource = Resource::of_table(table, format, &schema);
                resources.push(resource.in_parts(shards.parts(table.name, format)));
            }
        }
        output.package = Package::new(resources);
        Ok(output)
    }

    fn empty(folder: &Path, formats: &[Format], made: bool) -> Self {
        Self {
            folder: folder.to_owned(),
            made,
            shard: None,
            formats: distinct(formats),
            pending: Vec::new(),
            sinks: Sinks::default(),
            finished: Vec::new(),
            package: Package::new(Vec::new()),
            resources: Vec::new(),
        }
    }

    fn with_tables(mut self, tables: &[&'static Table]) -> Result<Self> {
        if self.formats.contains(&Format::Workbook) {
            self.sinks.workbook = Some(Workbook::create(&self.folder)?);
        }
        for &table in tables {
            let (pending, sinks) = self.table(table, None)?;
            self.pending.push(pending);
            self.sinks.tables.push(sinks);
        }
        Ok(self)
    }

    /// Keeps the descriptions of tables in the folder that this run does not write.
    ///
    /// # Errors
    /// When its `datapackage.json` cannot be read.
    pub fn beside_others(mut self) -> Result<Self> {
        self.package = Package::read(&self.folder)?;
        self.package.resources.retain(|resource| resource.is_in(&self.folder));
        Ok(self)
    }

    fn table(&self, table: &'static Table, joined: Option<Arc<Joined>>) -> Result<(Pending, Vec<Sink>)> {
        let schema = Joined::schema_of(table, joined.as_deref());
        let file = |format| self.file(Resource::of_table(table, format, &schema), format, &schema);
        let files = self.file_formats().map(file).collect::<Result<Vec<_>>>()?;
        let (mut encoders, sinks): (Vec<_>, Vec<_>) = files.into_iter().unzip();
        if self.sinks.workbook.is_some() && has_sheet(table.name) {
            encoders.push(Encoder::Sheet(table.name));
        }
        Ok((Pending::new(table, schema, encoders, joined), sinks))
    }

    /// The formats with a file for each table.
    fn file_formats(&self) -> impl Iterator<Item = Format> + use<> {
        self.formats.clone().into_iter().filter(|format| *format != Format::Workbook)
    }

    fn file(&self, resource: Resource, format: Format, schema: &Schema) -> Result<(Encoder, Sink)> {
        let path = self.folder.join(&resource.name);
        match self.shard {
            Some(shard) => {
                Sink::create(path.join(shard.part(format)), disk::create_among_others, resource, format, schema)
            }
            None => Sink::create(path, disk::create, resource, format, schema),
        }
    }

    /// Adds the user's own columns to the table `calls`.
    ///
    /// # Errors
    /// When its files cannot be made anew.
    pub fn with_columns(mut self, joined: &Arc<Joined>) -> Result<Self> {
        let (pending, sinks) = self.table(&CALLS, Some(Arc::clone(joined)))?;
        let mut tables = self.pending.iter_mut().zip(&mut self.sinks.tables);
        if let Some(calls) = tables.find(|(pending, _)| pending.table.name == CALLS.name) {
            (*calls.0, *calls.1) = (pending, sinks);
        }
        Ok(self)
    }

    /// The tables to write, in order.
    pub(super) fn tables(&self) -> Vec<&'static Table> {
        self.pending.iter().map(|pending| pending.table).collect()
    }

    /// What rows are added to, and where row groups are written to.
    pub(super) fn parts(&mut self) -> (&mut [Pending], &mut Sinks) {
        (&mut self.pending, &mut self.sinks)
    }

    /// Appends rows to all tables, in the order of [`Output::tables`], and writes full row groups.
    pub(super) fn append(&mut self, rows: Vec<Rows>) -> Result<()> {
        let (pending, sinks) = self.parts();
        add(pending, rows).into_iter().try_for_each(|group| sinks.write(group.table, group.encode()))
    }

    /// Adds a complete table: `rollup` or `calls_by_role`. `is_own` tells the user's own columns.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add_frame(&mut self, table: &str, frame: &DataFrame, is_own: &dyn Fn(&str) -> bool) -> Result<()> {
        let schema = frame.schema();
        for format in self.file_formats() {
            let (encoder, mut sink) = self.file(Resource::of_frame(table, format, schema, is_own), format, schema)?;
            if frame.height() > 0 {
                sink.write(encoder.frame(frame))?;
            }
            let (file, resource) = sink.finish()?;
            self.finished.push(file);
            self.resources.push(resource);
        }
        if let Some(workbook) = &mut self.sinks.workbook {
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
        let Finished { mut files, mut resources, short_sheets } = self.finish_tables()?;
        resources.append(&mut self.resources);
        self.package.merge(resources);
        if !self.package.resources.is_empty() {
            let package = self.package.to_json()?;
            self.add_file(PACKAGE, package.as_bytes())?;
        }
        files.append(&mut self.finished);
        Ok(Written { files: disk::persist_all(files)?, short_sheets })
    }

    /// Writes the remaining rows of a shard, puts its part files in the place of earlier ones, and then its manifest. In
    /// between there is none, so that parts of two runs are never taken for one.
    ///
    /// # Errors
    /// When a file cannot be written or renamed; when it is not the output of a shard.
    pub fn finish_shard(mut self, mut common: Map<String, Value>, summary: ShardSummary) -> Result<Written> {
        let Some(shard) = self.shard else { return Err(Error::invalid("not the output of a shard")) };
        let tables: Vec<_> = self.pending.iter().map(|pending| pending.table.name).collect();
        common.entry("tables").or_insert(json!(tables));
        common.insert("formats".to_owned(), json!(self.formats));
        let files = self.finish_tables()?.files;
        let mut parts = BTreeMap::new();
        for (file, path) in &files {
            let length = file.as_file().metadata().map_err(|error| Error::io("read", path, error))?.len();
            let name = path.strip_prefix(&self.folder).unwrap_or(path);
            let name: Vec<_> = name.iter().map(|part| part.to_string_lossy()).collect();
            parts.insert(name.join("/"), length);
        }
        let path = shard.manifest(&self.folder);
        let manifest = serde_json::to_vec_pretty(&ShardManifest::new(shard, common, summary, parts));
        let manifest = manifest.map_err(|error| Error::invalid(format!("cannot write {}: {error}", path.display())))?;
        let mut file = disk::create_among_others(&path)?;
        file.write_all(&manifest).map_err(|error| Error::io("write", &path, error))?;
        disk::remove(&path)?;
        let mut written = disk::persist_all(files)?;
        disk::persist(file, &path)?;
        written.push(path);
        Ok(Written { files: written, short_sheets: Vec::new() })
    }

    /// Writes the remaining rows of all tables.
    fn finish_tables(&mut self) -> Result<Finished> {
        let (mut pending, mut sinks) = (std::mem::take(&mut self.pending), std::mem::take(&mut self.sinks));
        encode_rest(&mut pending).into_iter().try_for_each(|(table, rows)| sinks.write(table, rows))?;
        let (mut files, mut resources) = (Vec::new(), Vec::new());
        for (Pending { table, schema, .. }, of_table) in pending.into_iter().zip(sinks.tables) {
            for sink in of_table {
                let (file, resource) = sink.finish()?;
                files.push(file);
                resources.push(resource);
            }
            if let Some(workbook) = sinks.workbook.as_mut().filter(|_| has_sheet(table.name)) {
                workbook.add_sheet(table.name, &schema)?;
                resources.push(Resource::of_table(table, Format::Workbook, &schema));
            }
        }
        let mut short_sheets = Vec::new();
        // A workbook without a sheet is none.
        if let Some(workbook) = sinks.workbook.filter(Workbook::has_sheets) {
            let (file, short) = workbook.finish()?;
            files.push(file);
            short_sheets = short;
        }
        Ok(Finished { files, resources, short_sheets })
    }
}

/// Tables whose rows are all written, before their files have their names.
struct Finished {
    files: Vec<(NamedTempFile, PathBuf)>,
    resources: Vec<Resource>,
    short_sheets: Vec<ShortSheet>,
}

fn make_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| Error::io("make the folder", folder, error))
}

/// Adds rows to all tables; returns the groups that are full.
pub(super) fn add(pending: &mut [Pending], rows: Vec<Rows>) -> Vec<Group> {
    let tables = pending.iter_mut().zip(rows).enumerate();
    tables.filter_map(|(at, (pending, rows))| pending.add(at, rows)).collect()
}

/// Encodes the groups that are not full, each with the place of its table.
pub(super) fn encode_rest(pending: &mut [Pending]) -> Vec<(usize, Vec<PolarsResult<Encoded>>)> {
    let bytes: usize = pending.iter().map(|pending| pending.bytes).sum();
    let rest: Vec<Group> = pending.iter_mut().enumerate().filter_map(|(at, pending)| pending.rest(at)).collect();
    let encode = |group: Group| (group.table, group.encode());
    // Threads take longer to start than a few rows to encode.
    if bytes < GROUP_BYTES {
        return rest.into_iter().map(encode).collect();
    }
    rest.into_par_iter().map(encode).collect()
}

impl Sinks {
    /// Writes the rows of a group to each file of its table, and to its sheet.
    pub(super) fn write(&mut self, table: usize, rows: Vec<PolarsResult<Encoded>>) -> Result<()> {
        let mut files = self.tables.get_mut(table).into_iter().flatten();
        rows.into_iter().try_for_each(|rows| match (rows, &mut self.workbook) {
            (Ok(Encoded::Sheet(table, frame)), Some(workbook)) => workbook.append(table, &frame),
            (rows, _) => match files.next() {
                Some(sink) => sink.write(rows),
                None => rows.map(drop).map_err(|error| Error::table("cannot write the workbook", error)),
            },
        })
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
    let (encoder, mut sink) = Sink::create(path.to_owned(), disk::create, resource, format, frame.schema())?;
    sink.write(encoder.frame(frame))?;
    disk::persist_all([sink.finish()?.0]).map(drop)
}

impl Drop for Output {
    fn drop(&mut self) {
        // Temporary files first, so that the folder is empty unless the run has finished.
        self.sinks = Sinks::default();
        self.finished.clear();
        if self.made {
            let _ = fs::remove_dir(&self.folder);
        }
    }
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// A file being written.
struct Sink {
    file: NamedTempFile,
    path: PathBuf,
    resource: Resource,
    handle: Handle,
    /// Of a Parquet file.
    row_groups: Option<Box<FileWriter<Handle>>>,
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
    fn create(
        path: PathBuf,
        create: impl FnOnce(&Path) -> Result<NamedTempFile>,
        resource: Resource,
        format: Format,
        schema: &Schema,
    ) -> Result<(Encoder, Self)> {
        let encoder = Encoder::new(&resource, format, schema).map_err(|error| cannot_write(&path, error))?;
        let file = create(&path)?;
        let opened = file.reopen().map_err(|error| Error::io("write", &path, error))?;
        let handle = Handle(Arc::new(Mutex::new(BufWriter::with_capacity(1 << 16, opened))));
        let mut to = handle.clone();
        let mut row_groups = None;
        match &encoder {
            Encoder::Parquet(layout) => {
                let writer = layout.writer(to).map_err(|error| cannot_write(&path, error))?;
                row_groups = Some(Box::new(writer));
            }
            Encoder::Csv { has_mark } => {
                if *has_mark {
                    to.write_all(BYTE_ORDER_MARK).map_err(|error| Error::io("write", &path, error))?;
                }
                // polars would make a null array of 8 MiB to write a header alone.
                let header = csv::Writer::from_writer(to).write_record(schema.iter_names());
                header.map_err(|error| Error::io("write", &path, error.into()))?;
            }
            Encoder::JsonLines | Encoder::Sheet(_) | Encoder::Frame => {}
        }
        Ok((encoder, Self { file, path, resource, handle, row_groups }))
    }

    fn write(&mut self, rows: PolarsResult<Encoded>) -> Result<()> {
        let written = rows.and_then(|rows| match (rows, &mut self.row_groups) {
            (Encoded::RowGroup(group), Some(writer)) => group.write(writer),
            (Encoded::Text(text), _) => Ok(self.handle.write_all(&text)?),
            (Encoded::RowGroup(_) | Encoded::Sheet(..) | Encoded::Frame(_), _) => Ok(()),
        });
        written.map_err(|error| cannot_write(&self.path, error))
    }

    fn finish(mut self) -> Result<((NamedTempFile, PathBuf), Resource)> {
        if let Some(writer) = &mut self.row_groups {
            writer.end(None).map_err(|error| cannot_write(&self.path, error))?;
        }
        self.handle.flush().map_err(|error| Error::io("write", &self.path, error))?;
        Ok(((self.file, self.path), self.resource))
    }
}

fn cannot_write(path: &Path, error: PolarsError) -> Error {
    Error::table(format!("cannot write {}", path.display()), error)
}
