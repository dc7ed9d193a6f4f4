//! The user's own columns of calls: a file of theirs, or the list that was transcribed.

use std::path::Path;

use polars::prelude::*;

use super::group::GroupKey;
use crate::error::{Error, Result};
use crate::named_file::{FileKind, NamedFile};
use crate::sheet::{self, ID, Layout, Names, Row, Sheet, folded};

/// The columns that name a call by its file, and by its address.
const FILE: sheet::Column = sheet::Column::new(&["file"]);
const ADDRESS: sheet::Column = sheet::Column::new(&["file_url", "url"]);

/// By what a column names calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    /// The id that the list of a batch gives a recording.
    Id,
    /// A path, a name, or a name without extension: of the result file, or of the recording.
    Name,
    /// The address of the recording.
    Address,
}

/// Columns of the user, a row per call. Those of CSV and JSON lines are text; those of Parquet keep their types.
#[derive(Debug, Clone)]
pub struct Metadata {
    pub(super) frame: DataFrame,
    /// Columns that may name calls, in order of preference.
    pub(super) keys: Vec<(PlSmallStr, KeyKind)>,
    notes: Vec<String>,
}

impl Metadata {
    /// Reads a file by its extension: `.parquet`; `.csv`, `.tsv` or `.txt` with a header; `.jsonl` or `.ndjson`.
    ///
    /// Its rows name calls by the first of these columns that fits: `id`, `file`, `file_url` or `url`; or by the column `join`
    /// alone, whose cells may be any of these. Text is never parsed as a number, so `007` keeps its zeros.
    ///
    /// # Errors
    /// When the file cannot be read, or has none of these columns.
    pub fn read(path: &Path, join: Option<&str>) -> Result<Self> {
        let failed = |error| Error::table(format!("cannot read the metadata {}", path.display()), error);
        let file =
            NamedFile::open(path, FileKind::Metadata).map_err(|error| Error::io("open the metadata", path, error))?;
        let extension =
            path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase();
        let wrong = |why: String| Error::invalid(format!("metadata {}: {why}", path.display()));
        let (frame, notes) = match &*extension {
            "parquet" => {
                let (frame, left_out) = with_text(ParquetReader::new(file.into_file()).finish().map_err(failed)?);
                let note = |column: Column| {
                    let (name, dtype) = (column.name(), column.dtype());
                    format!("{}: column `{name}` is left out, as {dtype} is no text", path.display())
                };
                (frame, left_out.into_iter().map(note).collect())
            }
            "csv" | "tsv" | "txt" | "jsonl" | "ndjson" => {
                let needed: &[sheet::Column] = if join.is_some() { &[] } else { &[FILE, ADDRESS, ID] };
                let (columns, height, notes) = columns_of(&path.to_string_lossy(), file, needed).map_err(wrong)?;
                let notes = notes.into_iter().map(|note| format!("{}: {note}", path.display())).collect();
                (DataFrame::new(height, columns).map_err(failed)?, notes)
            }
            _ => return Err(wrong("the extension must be .csv, .tsv, .txt, .jsonl or .parquet".to_owned())),
        };
        let names = Names::new(frame.get_column_names().iter().map(ToString::to_string).collect());
        let mut metadata = Self { frame, keys: Vec::new(), notes };
        metadata.keys = match join {
            Some(join) => {
                let Some(key) = metadata.named(join).map(PlSmallStr::from_str) else {
                    return Err(wrong(metadata.lacks(join, "join by")));
                };
                [KeyKind::Id, KeyKind::Name, KeyKind::Address].map(|kind| (key.clone(), kind)).to_vec()
            }
            None => {
                let kinds = [(ID, KeyKind::Id), (FILE, KeyKind::Name), (ADDRESS, KeyKind::Address)];
                let here = kinds.iter().filter_map(|(column, kind)| Some((names.position(column)?, *kind)));
                let name = |at: usize| metadata.frame.get_column_names().get(at).map(|name| (*name).clone());
                here.filter_map(|(at, kind)| Some((name(at)?, kind))).collect()
            }
        };
        if metadata.keys.is_empty() {
            return Err(wrong(names.missing(&[FILE, ADDRESS, ID])));
        }
        Ok(metadata)
    }

    /// Rows for these calls, by their names in the tables, each with columns of its own; `None` without any column.
    #[must_use]
    pub fn from_rows(rows: Vec<(String, Vec<(String, String)>)>) -> Option<Self> {
        let mut columns = SheetColumns::default();
        for (file, row) in &rows {
            columns.add([(FILE.name(), &**file)].into_iter().chain(row.iter().map(|(name, cell)| (&**name, &**cell))));
        }
        let (columns, height) = columns.into_columns();
        let frame = DataFrame::new(height, columns).ok().filter(|frame| frame.width() > 1)?;
        Some(Self::from_frame(frame))
    }

    /// Rows whose first column is the name of a call in the tables.
    pub(super) fn from_frame(frame: DataFrame) -> Self {
        let key = frame.get_column_names().first().map(|name| ((*name).clone(), KeyKind::Name));
        Self { frame, keys: key.into_iter().collect(), notes: Vec::new() }
    }

    /// A hash of the columns, by which two analyses see that they have the same.
    pub(super) fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let mut add = |text: Option<&str>| {
            // The length separates a cell from the next, and no cell from an empty one.
            hasher.update(&text.map_or(u64::MAX, |text| text.len() as u64).to_le_bytes());
            hasher.update(text.unwrap_or_default().as_bytes());
        };
        for (key, kind) in &self.keys {
            add(Some(key));
            add(Some(&format!("{kind:?}")));
        }
        for column in self.frame.columns() {
            add(Some(column.name()));
            add(Some(&column.dtype().to_string()));
            let text = column.cast(&DataType::String).ok();
            text.iter().filter_map(|text| text.str().ok()).flat_map(|cells| cells.iter()).for_each(&mut add);
        }
        hasher.finalize().to_hex().to_string()
    }

    /// What to know about the file as a whole, a line each: a guessed encoding, empty rows.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Names of the user's columns; `file` is not one if it names the calls.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        let is_file = |name: &str| folded(name) == FILE.name() && self.keys.iter().any(|(key, _)| key == name);
        self.frame.get_column_names().into_iter().map(|name| name.as_str()).filter(move |name| !is_file(name))
    }

    fn named(&self, name: &str) -> Option<&str> {
        let names = || self.frame.get_column_names().into_iter().map(|column| column.as_str());
        names().find(|column| *column == name).or_else(|| names().find(|column| folded(column) == folded(name)))
    }

    fn lacks(&self, name: &str, to: &str) -> String {
        let columns: Vec<String> = self.columns().map(|name| format!("`{name}`")).collect();
        format!("no column `{name}` to {to}; the columns are {}", columns.join(", "))
    }

    /// What to group by: columns, each perhaps followed by `:` and a [`Period`](super::Period). Names as the file writes them;
    /// case, blanks, `_` and `-` do not matter. Times are read by `time_format`, else by ISO 8601.
    ///
    /// # Errors
    /// Names the first missing column and those there are.
    pub fn resolve(&self, group_by: &[String], time_format: Option<&str>) -> Result<Vec<GroupKey>> {
        let own = |name: &str| {
            let named = self.named(name)?;
            self.columns().any(|column| column == named).then(|| named.to_owned())
        };
        let key = |name: &String| {
            if let Some(column) = own(name) {
                return Ok(GroupKey::new(column));
            }
            let (column, period) = name.rsplit_once(':').unzip();
            let column = column.and_then(own).ok_or_else(|| Error::invalid(self.lacks(name, "group by")))?;
            let (period, time_format) = (period.map(str::parse).transpose()?, time_format.map(str::to_owned));
            Ok(GroupKey { column, period, time_format })
        };
        group_by.iter().map(key).collect()
    }
}

/// The columns whose cells can be shown as text, and those of lists and the like.
fn with_text(frame: DataFrame) -> (DataFrame, Vec<Column>) {
    let height = frame.height();
    let has_text = |column: &Column| column.cast(&DataType::String).is_ok();
    let (kept, left_out) = frame.into_columns().into_iter().partition(has_text);
    (DataFrame::new(height, kept).unwrap_or_default(), left_out)
}

/// The columns of a sheet, their height, and notes on the sheet.
fn columns_of(
    name: &str,
    file: NamedFile,
    needed: &[sheet::Column],
) -> Result<(Vec<Column>, usize, Vec<String>), String> {
    let layout = Layout { needed, plain: false, least_columns: 1 };
    let mut sheet = Sheet::new(name, file, &layout);
    let mut columns = SheetColumns::default();
    while let Some(row) = sheet.next_row() {
        let (line, row) = row.map_err(|fault| fault.to_string())?;
        let Row::Cells(cells) = row else { return Err(format!("line {line}: not a JSON object")) };
        columns.add(cells.iter());
    }
    let (columns, height) = columns.into_columns();
    Ok((columns, height, sheet.notes()))
}

/// Columns of text, filled row by row; rows may each have columns of their own.
#[derive(Default)]
struct SheetColumns {
    columns: Vec<(String, Vec<Option<String>>)>,
    height: usize,
}

impl SheetColumns {
    fn add<'c>(&mut self, cells: impl Iterator<Item = (&'c str, &'c str)>) {
        for (at, (name, cell)) in cells.enumerate() {
            let is_here = |column: Option<&(String, _)>| column.is_some_and(|(known, _)| known == name);
            let known = if is_here(self.columns.get(at)) {
                Some(at)
            } else {
                self.columns.iter().position(|column| is_here(Some(column)))
            };
            let at = known.unwrap_or(self.columns.len());
            if known.is_none() {
                self.columns.push((name.to_owned(), Vec::new()));
            }
            if let Some((_, column)) = self.columns.get_mut(at)
                && column.len() <= self.height
            {
                column.resize(self.height, None);
                column.push(Some(cell).filter(|cell| !cell.is_empty()).map(str::to_owned));
            }
        }
        self.height += 1;
    }

    fn into_columns(self) -> (Vec<Column>, usize) {
        let columns = self.columns.into_iter().map(|(name, mut cells)| {
            cells.resize(self.height, None);
            Column::new(name.into(), cells)
        });
        (columns.collect(), self.height)
    }
}
