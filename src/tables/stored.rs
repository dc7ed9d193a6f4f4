//! Tables read back from the folders they were written to. Several folders make one set of calls.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::{BufReader, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use polars::prelude::*;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::analysis::{Analysis, LeftOut, columns_of_calls, columns_of_participants};
use super::bill;
use super::call_rows::{CallRows, TABLES_OF_CALL, TABLES_OF_OUTLINE};
use super::condition::Condition;
use super::copies::Copies;
use super::figures::Figures;
use super::files::Format;
use super::frame::Rows;
use super::frame::schema;
use super::join::Joined;
use super::keyword_hits::{HitCounts, are_of_rules};
use super::metadata::Metadata;
use super::rule_calls::{RuleCalls, Verdicts};
use super::shards::Shards;
use super::table_files::{TableFiles, TableFolder, scan_json_lines, sources};
use crate::billing::Bill;
use crate::error::{Check, Error, Result};
use crate::metrics::catalogue::{CALLS, COSTS, HITS, Kind, PARTICIPANTS, RULES, TABLES, Table, WARNINGS};
use crate::metrics::keywords::Keywords;
use crate::metrics::{Settings, TimeBasis};
use crate::transcript::Code;

/// The column with the folder of a call, if there are several folders.
pub const FOLDER: &str = "folder";

/// Bound of times in ms, counts and sums: about 30,000 years. Arithmetic on smaller numbers cannot overflow.
const MAX_INTEGER: u64 = 1_000_000_000_000_000;

/// Number of chunks in which the rows of single calls are read, to bound memory.
const CHUNKS: usize = 16;

/// One folder of tables.
#[derive(Debug, Clone)]
struct Folder {
    tables: TableFolder,
    /// Prefix of each `file` if there are several folders: `may/`; else empty.
    prefix: String,
}

/// Tables on disk.
#[derive(Debug, Clone)]
pub struct Stored {
    folders: Vec<Folder>,
    /// Names of the calls that meet a condition; `None` is all calls.
    kept: Option<HashSet<String>>,
    left_out: LeftOut,
}

impl Stored {
    /// Opens folders that contain at least the table `calls`, in any format. A table is a file, or a folder of part files.
    ///
    /// Calls of several folders are named `folder/file`, with as much of the folder's path as makes it unique.
    ///
    /// # Errors
    /// For a folder without `calls`, for one given twice, and for shards that are not complete or not of one analysis.
    pub fn open(paths: &[PathBuf]) -> Result<Self> {
        let labels = labels(paths)?;
        let folder = |(path, label): (&PathBuf, String)| {
            let prefix = if paths.len() > 1 { format!("{label}/") } else { String::new() };
            Ok(Folder { tables: TableFolder::open(path)?, prefix })
        };
        let mut folders: Vec<Folder> = paths.iter().zip(labels).map(folder).collect::<Result<_>>()?;
        // The report must not depend on the order of the arguments.
        folders.sort_by(|one, two| one.prefix.cmp(&two.prefix));
        for folder in &folders {
            if folder.table(&CALLS).is_none() {
                let message = format!("no table `calls` in {}", folder.path().display());
                return Err(Error::invalid(message).with_check(Check::NoTables));
            }
        }
        Ok(Self { folders, kept: None, left_out: LeftOut::default() })
    }

    /// Leaves out the calls that do not meet a condition: everything read from now on is about the others. Returns the number
    /// of calls that are left out. `joined` has the user's columns.
    ///
    /// # Errors
    /// When the table `calls` cannot be read.
    pub fn keep(&mut self, condition: &Condition, joined: Option<&Joined>) -> Result<u64> {
        let calls = self.frame(&CALLS, &condition.columns_of_calls(), None)?.unwrap_or_default();
        let failed = |error| Error::table("cannot read calls", error);
        let rows =
            joined.map(|joined| joined.rows_of(&calls.clone().into())).transpose().map_err(failed)?.unwrap_or_default();
        let files = calls.column("file").and_then(Column::str).cloned().map_err(failed)?;
        let mut kept = HashSet::new();
        for (at, (holds, file)) in condition.holds(calls, joined)?.into_iter().zip(files.iter()).enumerate() {
            if holds {
                kept.extend(file.map(str::to_owned));
            } else {
                self.left_out.calls += 1;
                self.left_out.rows.extend(rows.get(at).copied().flatten());
            }
        }
        self.kept = Some(kept);
        Ok(self.left_out.calls)
    }

    /// Whether no call is left out by a condition.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.kept.is_none()
    }

    /// The folders with the names in front of their calls; the name is empty for a single folder.
    pub fn folders(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.folders.iter().map(|folder| (folder.path(), folder.prefix.trim_end_matches('/')))
    }

    /// The shards that wrote each of the folders, if they were written so.
    pub fn shards(&self) -> impl Iterator<Item = Option<&Shards>> {
        self.folders.iter().map(|folder| folder.tables.shards.as_ref())
    }

    /// The user's own columns that stand in `calls`, and [`FOLDER`] if there are several folders; `None` without any.
    ///
    /// # Errors
    /// When the table `calls` cannot be read.
    pub fn own_columns(&self) -> Result<Option<Metadata>> {
        let failed = |error| Error::table("cannot read calls", error);
        let mut parts = Vec::with_capacity(self.folders.len());
        for folder in &self.folders {
            let Some(table) = folder.table(&CALLS) else { continue };
            parts.push(folder.own_columns(table.open()?, table.format, self.folders.len() > 1).map_err(failed)?);
        }
        let mut names: Vec<PlSmallStr> = Vec::new();
        names.extend(parts.iter().flat_map(|part| part.get_column_names_owned()));
        let mut whole = DataFrame::empty_with_schema(&Schema::default());
        for name in super::distinct(&names) {
            // What the folders do not agree on is text.
            let mut types = parts.iter().filter_map(|part| Some(part.column(&name).ok()?.dtype()));
            let first = types.next().unwrap_or(&DataType::String);
            let dtype = if types.all(|other| other == first) { first } else { &DataType::String };
            let mut cells = Column::new_empty(name.clone(), dtype);
            for part in &parts {
                let missing = || Ok(Column::full_null(name.clone(), part.height(), dtype));
                let own = part.column(&name).map_or_else(|_| missing(), |own| own.cast(dtype)).map_err(failed)?;
                cells.append_owned(own).map_err(failed)?;
            }
            whole.with_column(cells).map_err(failed)?;
        }
        Ok((whole.width() > 1).then(|| Metadata::from_frame(whole)))
    }

    /// One table with these columns, of all calls or of `files`. `None` when no folder has the table.
    fn frame(&self, table: &Table, columns: &[&str], files: Option<&[String]>) -> Result<Option<DataFrame>> {
        let mut whole: Option<DataFrame> = None;
        for folder in &self.folders {
            let Some(stored) = folder.table(table) else { continue };
            let failed = |error| Error::table(format!("cannot read {}", stored.path.display()), error);
            let mut read = folder.read(stored.open()?, stored.format, table, columns, files).map_err(failed)?;
            in_bounds(&read).map_err(failed)?;
            if files.is_none() {
                read = by_file(read).map_err(failed)?;
            }
            if let Some(kept) = self.kept.as_ref().filter(|_| files.is_none()) {
                read = of_calls(&read, kept).map_err(failed)?;
            }
            whole = Some(match whole {
                None => read,
                Some(before) => before.vstack(&read).map_err(failed)?,
            });
        }
        Ok(whole)
    }

    /// Single calls, in the order of `files`, in full or without their text; `None` for a call without a row in `calls`.
    pub(super) fn calls(&self, files: &[String], in_full: bool) -> Result<Vec<Option<CallRows>>> {
        // Other tables stand in for some that were not written.
        let suffice = || self.without(&TABLES_OF_OUTLINE).all(|(_, missing)| missing.is_empty());
        let tables: &[&'static Table] = if in_full || !suffice() { &TABLES_OF_CALL } else { &TABLES_OF_OUTLINE };
        let mut sorted = files.to_vec();
        sorted.sort_unstable();
        // Parquet can skip row groups, so that reading in chunks saves memory; other formats are read in full each time.
        let chunk_size = self.together(tables, sorted.len().div_ceil(CHUNKS), sorted.len());
        let mut calls: HashMap<&str, CallRows> = HashMap::new();
        for chunk in sorted.chunks(chunk_size.max(1)) {
            calls.extend(self.read_calls(tables, chunk)?);
        }
        Ok(files.iter().map(|file| calls.remove(&**file)).collect())
    }

    fn read_calls<'f>(&self, tables: &[&'static Table], files: &'f [String]) -> Result<Vec<(&'f str, CallRows)>> {
        let calls = files.iter().zip(self.rows_of_calls(tables, files)?);
        Ok(calls.filter_map(|(file, tables)| Some((&**file, CallRows::from_tables(file.clone(), &tables)?))).collect())
    }

    /// The rows of each of these calls, in those of the tables that there are.
    pub(super) fn rows_of_calls(&self, wanted: &[&'static Table], files: &[String]) -> Result<Vec<Vec<Rows>>> {
        let mut tables: Vec<Vec<Rows>> = files.iter().map(|_| Vec::new()).collect();
        for &table in wanted {
            let failed = |error| Error::table(format!("cannot read {}", table.name), error);
            let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
            let Some(mut frame) = self.frame(table, &columns, Some(files))? else { continue };
            // Slices of many chunks are slow.
            frame.rechunk_mut();
            let ranges = row_ranges(&frame).map_err(failed)?;
            for (file, tables) in files.iter().zip(&mut tables) {
                let (start, length) = ranges.get(file).copied().unwrap_or((0, 0));
                tables.push(Rows::from_frame(table, &frame.slice(start as i64, length)).map_err(failed)?);
            }
        }
        Ok(tables)
    }

    /// How many of `all` calls to read at once: `some`, where all tables are in a format of which parts can be skipped.
    pub(super) fn together(&self, tables: &[&'static Table], some: usize, all: usize) -> usize {
        let formats = self.folders.iter().flat_map(|folder| tables.iter().filter_map(|table| folder.table(table)));
        let skips = formats.into_iter().all(|stored| stored.format == Format::Parquet);
        if skips { some.max(1) } else { all.max(1) }
    }

    /// The names of all calls, in order.
    ///
    /// # Errors
    /// When the table `calls` cannot be read.
    pub fn files(&self) -> Result<Vec<String>> {
        let failed = |error| Error::table("cannot read calls", error);
        let calls = self.frame(&CALLS, &["file"], None)?.unwrap_or_default();
        let files = calls.column("file").and_then(Column::str).map_err(failed)?;
        Ok(files.iter().flatten().map(str::to_owned).collect())
    }

    /// Each folder with those of the tables that it does not have.
    pub(super) fn without(&self, tables: &[&'static Table]) -> impl Iterator<Item = (&Path, Vec<&'static str>)> {
        self.folders.iter().map(move |folder| {
            let missing = tables.iter().filter(|table| folder.table(table).is_none());
            (folder.path(), missing.map(|table| table.name).collect())
        })
    }

    /// The columns of `calls` that an [`Analysis`] keeps, for all calls.
    ///
    /// # Errors
    /// When the table `calls` cannot be read.
    pub fn figures_of_calls(&self) -> Result<Figures> {
        Ok(self.frame(&CALLS, &columns_of_calls(), None)?.unwrap_or_default().into())
    }

    /// The summary that [`analyze`](super::analyze) returned for these calls, measured with `settings`; `None` if these are
    /// unknown: then keywords are left out. What no table contains is 0 or empty: files that failed, bytes, hash; calls
    /// without speech, too, if `warnings` was not written.
    ///
    /// # Errors
    /// When a table cannot be read.
    pub fn analysis(&self, settings: Option<Settings>) -> Result<Analysis> {
        let calls = self.figures_of_calls()?;
        let of_participants = columns_of_participants();
        let empty = || DataFrame::empty_with_schema(&some(&schema(&PARTICIPANTS), &of_participants));
        let participants = self.frame(&PARTICIPANTS, &of_participants, None)?.unwrap_or_else(empty);
        let keywords = settings.as_ref().and_then(|settings| settings.keywords.as_ref()).map(Keywords::lines);
        let verdicts = self.verdicts(&calls)?;
        let places = places(&calls).map_err(|error| Error::table("cannot read calls", error))?;
        let warnings = self.warnings()?;
        let silent = warnings.iter().find(|(code, ..)| *code == Code::NothingToMeasure);
        Ok(Analysis {
            left_out: self.left_out.clone(),
            measured: calls.height() as u64,
            missing_tables: self.missing_tables(),
            copies: Copies::find(&calls),
            without_speech: silent.map_or(0, |(_, files, _)| *files),
            calls,
            participants: participants.into(),
            bill: self.bill()?.into_totals(),
            rules: None,
            verdicts,
            hits: match keywords {
                // Without the table, the number of hits is unknown, not zero.
                Some(keywords) if self.have(&HITS) => Some(self.hits(&places)?.into_list(keywords)),
                _ => None,
            },
            failed: 0,
            bytes: 0,
            warnings,
            labels: std::collections::BTreeSet::new(),
            inputs_hash: String::new(),
            knows_inputs: false,
            settings,
        })
    }

    /// Whether all folders have a table.
    fn have(&self, table: &Table) -> bool {
        self.folders.iter().all(|folder| folder.table(table).is_some())
    }

    /// Tables that some folder does not have.
    fn missing_tables(&self) -> Vec<&'static str> {
        let is_missing = |table: &&Table| !self.have(table);
        TABLES.into_iter().filter(is_missing).map(|table| table.name).collect()
    }

    fn warnings(&self) -> Result<Vec<(Code, u64, u64)>> {
        let Some(frame) = self.frame(&WARNINGS, &["file", "code", "count"], None)? else { return Ok(Vec::new()) };
        let failed = |error| Error::table("cannot read warnings", error);
        let codes = frame.column("code").and_then(Column::str).map_err(failed)?;
        let counts = frame.column("count").and_then(Column::i64).map_err(failed)?;
        let mut sums: BTreeMap<Code, (u64, u64)> = BTreeMap::new();
        for (code, count) in codes.iter().zip(counts.iter()) {
            // Codes of a newer version have no meaning here.
            let Some(code) = Code::ALL.iter().find(|known| Some(known.name()) == code) else { continue };
            let (files, sum) = sums.entry(*code).or_default();
            *files += 1;
            *sum = sum.saturating_add(count.unwrap_or(0).unsigned_abs());
        }
        Ok(sums.into_iter().map(|(code, (files, count))| (code, files, count)).collect())
    }

    /// The rules of the table `rules` in the order of their ids, each with its id for a name; without any count.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub(crate) fn rules(&self) -> Result<Option<Vec<RuleCalls>>> {
        let Some(frame) = self.frame(&RULES, &["file", "rule", "severity"], None)? else { return Ok(None) };
        let text = |name: &str| frame.column(name).and_then(Column::str);
        let failed = |error| Error::table("cannot read rules", error);
        let rows = text("rule").map_err(failed)?.iter().zip(text("severity").map_err(failed)?.iter());
        let rules: BTreeMap<&str, &str> = rows.filter_map(|(rule, severity)| Some((rule?, severity?))).collect();
        Ok(Some(rules.into_iter().map(|(rule, severity)| RuleCalls::new(rule, severity)).collect()))
    }

    fn verdicts(&self, calls: &Figures) -> Result<Verdicts> {
        let frame = self.frame(&RULES, &["file", "rule", "matched", "count"], None)?;
        let Some(frame) = frame.filter(|_| self.have(&RULES)) else { return Ok(Verdicts::default()) };
        let read = || {
            let files = calls.texts("file")?;
            let row_of: HashMap<&str, usize> =
                files.iter().enumerate().filter_map(|(at, file)| Some((file?, at))).collect();
            let rows = frame.column("file")?.str()?.iter().zip(frame.column("rule")?.str()?.iter());
            let verdicts = frame.column("matched")?.bool()?.iter().zip(frame.column("count")?.i64()?.iter());
            let verdict = |((file, rule), (matched, count)): ((Option<&str>, _), (_, Option<i64>))| {
                Some((rule?, *row_of.get(file?)?, matched, count.unwrap_or(0)))
            };
            Ok(Verdicts::new(calls.height(), rows.zip(verdicts).filter_map(verdict)))
        };
        read().map_err(|error| Error::table("cannot read rules", error))
    }

    fn hits(&self, places: &HashMap<String, u32>) -> Result<HitCounts> {
        let mut counts = HitCounts::default();
        let columns = ["file", "rule", "participant", "role", "time_basis"];
        let Some(frame) = self.frame(&HITS, &columns, None)? else { return Ok(counts) };
        let failed = |error| Error::table("cannot read hits", error);
        let rows = row_ranges(&frame).map_err(failed)?;
        let text = |name: &str| frame.column(name).and_then(Column::str);
        let bases = text("time_basis").map_err(failed)?;
        let decided = self.frame(&RULES, &["file", "rule", "count"], None)?;
        let mut counts_of_rules: HashMap<&str, HashMap<&str, i64>> = HashMap::new();
        if let Some(decided) = &decided {
            let text = |name: &str| decided.column(name).and_then(Column::str).map_err(failed);
            let numbers = decided.column("count").and_then(Column::i64).map_err(failed)?;
            for ((file, rule), count) in text("file")?.iter().zip(text("rule")?.iter()).zip(numbers.iter()) {
                if let (Some(file), Some(rule), Some(count)) = (file, rule, count) {
                    counts_of_rules.entry(file).or_default().insert(rule, count);
                }
            }
        }
        let (rules, labels, roles) =
            (text("rule").map_err(failed)?, text("participant").map_err(failed)?, text("role").map_err(failed)?);
        let place = |(file, rows)| Some((*places.get(&file)?, file, rows));
        let mut rows: Vec<(u32, String, (usize, usize))> = rows.into_iter().filter_map(place).collect();
        rows.sort_unstable();
        for (call, file, (start, length)) in rows {
            let own = counts_of_rules.remove(&*file).unwrap_or_default();
            let was_said = |row| bases.get(row) != Some(TimeBasis::Window.name());
            let names = (start..start + length).map(|row| (rules.get(row).unwrap_or_default(), was_said(row)));
            let of_keywords = (start..).zip(are_of_rules(names, own)).filter(|(_, is_of_rule)| !is_of_rule);
            let hit = |(row, _)| Some((rules.get(row)?, roles.get(row).or_else(|| labels.get(row))?));
            counts.add(call, of_keywords.filter_map(hit));
        }
        Ok(counts)
    }

    fn bill(&self) -> Result<Bill> {
        let Some(frame) = self.frame(&COSTS, &bill::COLUMNS, None)? else { return Ok(Bill::default()) };
        let failed = |error| Error::table("cannot read costs", error);
        bill::from_frame(&frame, row_ranges(&frame).map_err(failed)?.into_values()).map_err(failed)
    }
}

impl Folder {
    fn path(&self) -> &Path {
        &self.tables.path
    }

    /// The files of a table, in the first format that exists.
    fn table(&self, table: &Table) -> Option<&TableFiles> {
        self.tables.get(table.name)
    }

    /// `file` and the columns of `calls` that are not ours; with [`FOLDER`] on request. Those of CSV are text.
    fn own_columns(&self, parts: Vec<File>, format: Format, named: bool) -> PolarsResult<DataFrame> {
        let order = match parts.first() {
            Some(first) if format == Format::JsonLines => first_keys(first)?,
            _ => Keys::default(),
        };
        let mut frame = scan(parts, format, None)?;
        let mut names: Vec<PlSmallStr> = frame.collect_schema()?.iter_names().cloned().collect();
        order.sort(&mut names);
        let text = |name: &str| col(name).cast(DataType::String);
        let mut columns = vec![(lit(self.prefix.clone()) + text("file")).alias("file")];
        if named {
            columns.push(lit(self.prefix.trim_end_matches('/').to_owned()).alias(FOLDER));
        }
        let is_own = |name: &&PlSmallStr| CALLS.column(name).is_none() && !(named && *name == FOLDER);
        columns.extend(names.iter().filter(is_own).map(|name| col(name.clone())));
        frame.select(columns).collect()
    }

    /// Reads money and dates as text: their types differ between formats and versions. A column that can be null and is not
    /// there was added by a later version than the one that wrote the table: it is null.
    fn read(
        &self,
        parts: Vec<File>,
        format: Format,
        table: &Table,
        columns: &[&str],
        files: Option<&[String]>,
    ) -> PolarsResult<DataFrame> {
        let whole = as_text(table);
        let mut frame = scan(parts, format, Some(&whole))?;
        let present = frame.collect_schema()?;
        let frame = match files {
            None => frame,
            Some(files) => {
                let own: Vec<&str> = files.iter().filter_map(|file| file.strip_prefix(&*self.prefix)).collect();
                let (Some(first), Some(last)) = (own.iter().min(), own.iter().max()) else {
                    return Ok(DataFrame::empty_with_schema(&some(&whole, columns)));
                };
                // Rows are sorted by file, so row groups outside the range are skipped.
                let within = col("file").gt_eq(lit(*first)).and(col("file").lt_eq(lit(*last)));
                let asked = df!("file" => &own)?.lazy();
                let how = JoinArgs { maintain_order: MaintainOrderJoin::Left, ..JoinArgs::new(JoinType::Inner) };
                frame.filter(within).join(asked, [col("file")], [col("file")], how)
            }
        };
        let selected: Vec<Expr> = columns
            .iter()
            .map(|&name| match (name, table.column(name)) {
                ("file", _) if !self.prefix.is_empty() => (lit(self.prefix.clone()) + col(name)).alias(name),
                (_, Some(column)) if !present.contains(name) && column.can_be_null() => {
                    let dtype = whole.get(name).cloned().unwrap_or(DataType::String);
                    lit(NULL).cast(dtype).alias(name)
                }
                (_, Some(column)) if is_read_as_text(column.kind) => col(name).cast(DataType::String),
                // Other programs have types of their own: pandas makes numbers with nulls floats.
                _ => match whole.get(name).filter(|dtype| present.get(name).is_some_and(|own| own != *dtype)) {
                    Some(dtype) => col(name).strict_cast(dtype.clone()),
                    None => col(name),
                },
            })
            .collect();
        frame.select(selected).collect()
    }
}

/// A table of which columns and rows can be asked for. Columns of CSV that the schema does not have are text.
fn scan(parts: Vec<File>, format: Format, schema: Option<&Schema>) -> PolarsResult<LazyFrame> {
    let of_csv = match (format, parts.first()) {
        (Format::Csv | Format::CsvWithMark, Some(first)) => {
            Some(csv_schema(first, schema.unwrap_or(&Schema::default()))?)
        }
        _ => None,
    };
    if let (Format::JsonLines, None) = (format, schema) {
        return scan_json_lines(parts, None);
    }
    let sources = sources(parts);
    match format {
        Format::Parquet => {
            let hive_options = polars::io::HiveOptions::new_disabled();
            LazyFrame::scan_parquet_sources(sources, ScanArgsParquet { hive_options, ..Default::default() })
        }
        Format::Csv | Format::CsvWithMark => LazyCsvReader::new_with_sources(sources)
            .with_schema(of_csv.map(Arc::new))
            .with_truncate_ragged_lines(true)
            .finish(),
        Format::JsonLines | Format::Workbook => LazyJsonLineReader::new_with_sources(sources)
            .with_infer_schema_length(None)
            .with_schema(schema.map(|schema| Arc::new(schema.clone())))
            .finish(),
    }
}

/// Refuses integers so large that arithmetic on times could overflow; tables that we wrote have none.
fn in_bounds(frame: &DataFrame) -> PolarsResult<()> {
    for column in frame.columns() {
        let Ok(numbers) = column.i64() else { continue };
        let ends = [numbers.min(), numbers.max()].into_iter().flatten();
        if let Some(number) = ends.into_iter().find(|number| number.unsigned_abs() > MAX_INTEGER) {
            polars_bail!(ComputeError: "{number} in column {} is out of range", column.name());
        }
    }
    Ok(())
}

/// Kinds whose types differ between formats.
fn is_read_as_text(kind: Kind) -> bool {
    matches!(kind, Kind::Decimal | Kind::Date)
}

/// The schema used for reading a table: money and dates as text.
fn as_text(table: &Table) -> Schema {
    let mut schema = schema(table);
    for column in table.columns.iter().filter(|column| is_read_as_text(column.kind)) {
        schema.insert(column.name.into(), DataType::String);
    }
    schema
}

/// The columns that a CSV file has, with the types of ours; other columns are text.
fn csv_schema(mut file: &File, ours: &Schema) -> PolarsResult<Schema> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(file);
    let header = reader.records().next().transpose().map_err(|error| polars_err!(ComputeError: "{error}"))?;
    file.rewind()?;
    let dtype = |name: &str| ours.get(name).cloned().unwrap_or(DataType::String);
    Ok(header.iter().flatten().map(|name| Field::new(name.into(), dtype(name))).collect())
}

/// The keys of an object, in order.
#[derive(Default)]
pub(super) struct Keys(Vec<String>);

impl Keys {
    /// Sorts columns as the keys are.
    pub(super) fn sort(&self, names: &mut [PlSmallStr]) {
        names.sort_by_key(|name| self.0.iter().position(|key| *key == **name));
    }
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(object: D) -> std::result::Result<Self, D::Error> {
        struct OfObject;
        impl<'de> Visitor<'de> for OfObject {
            type Value = Keys;

            fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                to.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> std::result::Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, IgnoredAny)) = object.next_entry()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }
        object.deserialize_map(OfObject)
    }
}

/// The columns of a file of JSON lines in the order in which they were written, which the reader of polars does not keep.
pub(super) fn first_keys(mut file: &File) -> PolarsResult<Keys> {
    let first = serde_json::Deserializer::from_reader(BufReader::new(file)).into_iter().next();
    file.rewind()?;
    // What is no object is reported by that reader.
    Ok(first.and_then(std::result::Result::ok).unwrap_or_default())
}

/// The rows in the order of their calls, in which we write them; other engines write parts in any order.
fn by_file(frame: DataFrame) -> PolarsResult<DataFrame> {
    if frame.column("file")?.str()?.iter().is_sorted() {
        return Ok(frame);
    }
    frame.sort(["file"], SortMultipleOptions::default().with_maintain_order(true))
}

/// The rows of these calls.
fn of_calls(frame: &DataFrame, calls: &HashSet<String>) -> PolarsResult<DataFrame> {
    let is_kept = |file: Option<&str>| file.is_some_and(|file| calls.contains(file));
    let kept: BooleanChunked = frame.column("file")?.str()?.iter().map(|file| Some(is_kept(file))).collect();
    frame.filter(&kept)
}

/// Some columns of a schema.
fn some(whole: &Schema, columns: &[&str]) -> Schema {
    columns.iter().filter_map(|&name| Some(Field::new(name.into(), whole.get(name)?.clone()))).collect()
}

/// The first row and the number of rows of each call, whose rows are contiguous.
fn row_ranges(frame: &DataFrame) -> PolarsResult<HashMap<String, (usize, usize)>> {
    let mut ranges: HashMap<String, (usize, usize)> = HashMap::new();
    let mut last: Option<&str> = None;
    for (row, file) in frame.column("file")?.str()?.iter().enumerate() {
        let file = file.unwrap_or_default();
        match ranges.get_mut(file) {
            Some((_, length)) if last == Some(file) => *length += 1,
            _ => {
                ranges.insert(file.to_owned(), (row, 1));
            }
        }
        last = Some(file);
    }
    Ok(ranges)
}

/// The place of each call in `calls`.
fn places(calls: &Figures) -> PolarsResult<HashMap<String, u32>> {
    let files = calls.texts("file")?;
    Ok((0..).zip(files.iter()).filter_map(|(at, file)| Some((file?.to_owned(), at))).collect())
}

/// The last components of a path, `/`-separated.
pub(crate) fn tail(path: &Path, length: usize) -> String {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    let from = parts.len().saturating_sub(length);
    // The root is a component `/`.
    parts.get(from..).unwrap_or_default().join("/").replacen("//", "/", 1)
}

/// A unique name for each path: the shortest tail of components that differs from all others.
pub(super) fn labels(paths: &[PathBuf]) -> Result<Vec<String>> {
    let mut real = Vec::with_capacity(paths.len());
    for path in paths {
        let path = path.canonicalize().map_err(|error| Error::io("read the folder", path, error))?;
        if real.contains(&path) {
            return Err(Error::invalid(format!("{} is given twice", path.display())));
        }
        real.push(path);
    }
    let longest = real.iter().map(|path| path.components().count()).max().unwrap_or(1);
    let mut labels: Vec<String> = Vec::new();
    for length in 1..=longest {
        labels = real.iter().map(|path| tail(path, length)).collect();
        let mut distinct = labels.clone();
        distinct.sort();
        distinct.dedup();
        if distinct.len() == labels.len() {
            break;
        }
    }
    Ok(labels)
}
