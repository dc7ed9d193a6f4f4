//! The user's own columns, joined to calls by `file` or `file_url`: CSV, Parquet or JSON lines.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::Path;

use polars::prelude::*;

use crate::error::{Error, Result};
use crate::recording_id::address_id;
use crate::sheet::{self, Layout, Names, Row, Sheet, folded};

/// The column that names a call by its file, and the one that names it by its address.
const FILE: sheet::Column = sheet::Column::new(&["file"]);
const ADDRESS: sheet::Column = sheet::Column::new(&["file_url", "url"]);

/// A metadata file. Columns of CSV and JSON lines are text; those of Parquet keep their types.
#[derive(Debug, Clone)]
pub struct Metadata {
    pub(super) frame: DataFrame,
    /// The column that calls are joined by: `file`, else `file_url`.
    key: PlSmallStr,
    /// The cells of that column, those of addresses as ids.
    keys: HashSet<String>,
    /// Rows without a key, or with the key of an earlier row.
    skipped_rows: usize,
    notes: Vec<String>,
}

impl Metadata {
    /// Reads a file by its extension: `.parquet`; `.csv`, `.tsv` or `.txt` with a header; `.jsonl` or `.ndjson`.
    ///
    /// Text is never parsed as a number, so `007` keeps its zeros. If several rows have the same key, the first one counts.
    ///
    /// # Errors
    /// When the file cannot be read, or has no column `file`, `file_url` or `url`.
    pub fn read(path: &Path) -> Result<Self> {
        let failed = |error| Error::table(format!("cannot read the metadata {}", path.display()), error);
        let file = std::fs::File::open(path).map_err(|error| Error::io("open the metadata", path, error))?;
        let extension =
            path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase();
        let wrong = |why: String| Error::invalid(format!("metadata {}: {why}", path.display()));
        let (frame, notes) = match &*extension {
            "parquet" => (ParquetReader::new(file).finish().map_err(failed)?, Vec::new()),
            "csv" | "tsv" | "txt" | "jsonl" | "ndjson" => {
                let (columns, height, notes) = columns_of(&path.to_string_lossy(), file).map_err(wrong)?;
                let notes = notes.into_iter().map(|note| format!("{}: {note}", path.display())).collect();
                (DataFrame::new(height, columns).map_err(failed)?, notes)
            }
            _ => return Err(wrong("the extension must be .csv, .tsv, .txt, .jsonl or .parquet".to_owned())),
        };
        let names = Names::new(frame.get_column_names().iter().map(ToString::to_string).collect());
        let (column, key) = match (names.position(&FILE), names.position(&ADDRESS)) {
            (Some(at), _) => (at, "file"),
            (None, Some(at)) => (at, "file_url"),
            (None, None) => return Err(wrong(names.missing(&[FILE, ADDRESS]))),
        };
        Ok(Self { notes, ..Self::new(frame, column, key).map_err(failed)? })
    }

    /// Metadata whose column at an index is the key: `file`, or `file_url`.
    pub(super) fn new(mut frame: DataFrame, column: usize, key: &'static str) -> PolarsResult<Self> {
        let cells = frame.columns().get(column).map(|column| column.cast(&DataType::String)).transpose()?;
        let cells = cells.unwrap_or_else(|| Column::new_empty(key.into(), &DataType::String));
        let mut keys = HashSet::new();
        let mut kept = Vec::with_capacity(frame.height());
        let ids: StringChunked = cells
            .str()?
            .iter()
            .map(|cell| {
                let id = cell.filter(|cell| !cell.is_empty()).map(|cell| id(key, cell).into_owned());
                kept.push(id.as_ref().is_some_and(|id| keys.insert(id.clone())));
                id
            })
            .collect();
        let kept = BooleanChunked::new(PlSmallStr::EMPTY, &kept);
        let rows = frame.height();
        frame.replace_column(column, ids.with_name(key.into()).into_column())?;
        let frame = frame.filter(&kept)?;
        let skipped_rows = rows - frame.height();
        Ok(Self { frame, key: key.into(), keys, skipped_rows, notes: Vec::new() })
    }

    /// The column that calls are joined by: `file`, else `file_url`.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The key of the row that belongs to a call, by the call's own cell in the column [`Metadata::key`]: the same address, or the
    /// same file by its path, its name, or its name without extension.
    #[must_use]
    pub fn key_of<'c>(&self, cell: &'c str) -> Option<Cow<'c, str>> {
        if self.key == "file_url" {
            return Some(id("file_url", cell)).filter(|id| self.keys.contains(&**id));
        }
        let name = cell.rsplit('/').next().unwrap_or(cell);
        let stem = |path: &'c str| path.rsplit_once('.').map_or(path, |(stem, _)| stem);
        let names = [cell, name, stem(cell), stem(name)];
        names.into_iter().find(|name| self.keys.contains(*name)).map(Cow::Borrowed)
    }

    /// The key of the first row, as an example.
    #[must_use]
    pub fn first_key(&self) -> Option<&str> {
        self.frame.column(&self.key).ok()?.str().ok()?.get(0)
    }

    /// What to know about the file as a whole, a line each: a guessed encoding, empty rows.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Names of the user's columns, without the key.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.frame.get_column_names().into_iter().map(|name| name.as_str()).filter(|name| *name != self.key.as_str())
    }

    /// The names of columns as the file writes them; case, blanks, `_` and `-` do not matter.
    ///
    /// # Errors
    /// Names the first missing column and those there are.
    pub fn resolve(&self, group_by: &[String]) -> Result<Vec<String>> {
        let named = |name: &String| {
            let same = |column: &&str| *column == name.as_str() || folded(column) == folded(name);
            self.columns().find(|column| column == name).or_else(|| self.columns().find(same)).map(str::to_owned)
        };
        group_by
            .iter()
            .map(|name| {
                named(name).ok_or_else(|| {
                    let columns: Vec<String> = self.columns().map(|name| format!("`{name}`")).collect();
                    Error::invalid(format!("no column `{name}` to group by; the columns are {}", columns.join(", ")))
                })
            })
            .collect()
    }

    /// These columns as text, by key.
    ///
    /// # Errors
    /// When a column does not exist.
    pub fn by_key(&self, columns: &[String]) -> Result<HashMap<String, Vec<Option<String>>>> {
        let failed = |error| Error::table("cannot read the metadata", error);
        let text = |name: &str| self.frame.column(name)?.cast(&DataType::String);
        let keys = text(&self.key).map_err(failed)?;
        let cells: Vec<Column> = columns.iter().map(|name| text(name)).collect::<PolarsResult<_>>().map_err(failed)?;
        let cells: Vec<&StringChunked> = cells.iter().map(Column::str).collect::<PolarsResult<_>>().map_err(failed)?;
        let keys = keys.str().map_err(failed)?.iter().enumerate();
        let row = |row: usize| cells.iter().map(|cells| cells.get(row).map(str::to_owned)).collect();
        Ok(keys.filter_map(|(at, key)| Some((key?.to_owned(), row(at)))).collect())
    }

    /// Rows that were skipped: without a key, or with the key of an earlier row.
    #[must_use]
    pub fn skipped_rows(&self) -> usize {
        self.skipped_rows
    }
}

/// The id behind a key: of an address without its signature; a file is its own.
fn id<'c>(key: &str, cell: &'c str) -> Cow<'c, str> {
    if key == "file_url" { Cow::Owned(address_id(cell)) } else { Cow::Borrowed(cell) }
}

/// The columns of a sheet, their height, and notes on the sheet. Rows of JSON lines may each have columns of their own.
fn columns_of(name: &str, file: std::fs::File) -> Result<(Vec<Column>, usize, Vec<String>), String> {
    let layout = Layout { needed: &[FILE, ADDRESS], plain: false, least_columns: 1 };
    let mut sheet = Sheet::new(name, file, &layout);
    let mut columns: Vec<(String, Vec<Option<String>>)> = Vec::new();
    let mut height = 0;
    while let Some(row) = sheet.next_row() {
        let (line, row) = row.map_err(|fault| fault.to_string())?;
        let Row::Cells(cells) = row else { return Err(format!("line {line}: not a JSON object")) };
        for (at, (name, cell)) in cells.iter().enumerate() {
            let is_here = |column: Option<&(String, _)>| column.is_some_and(|(known, _)| known == name);
            let known = if is_here(columns.get(at)) {
                Some(at)
            } else {
                columns.iter().position(|column| is_here(Some(column)))
            };
            let at = known.unwrap_or(columns.len());
            if known.is_none() {
                columns.push((name.to_owned(), Vec::new()));
            }
            if let Some((_, column)) = columns.get_mut(at) {
                column.resize(height, None);
                column.push(Some(cell).filter(|cell| !cell.is_empty()).map(str::to_owned));
            }
        }
        height += 1;
    }
    let columns = columns.into_iter().map(|(name, mut cells)| {
        cells.resize(height, None);
        Column::new(name.into(), cells)
    });
    Ok((columns.collect(), height, sheet.notes()))
}
