//! The user's own columns, joined to calls by `file` or `file_url`: CSV, Parquet or JSON lines.

use std::collections::HashMap;
use std::path::Path;

use polars::prelude::*;

use crate::error::{Error, Result};

/// A metadata file. Columns of CSV and JSON lines are text; those of Parquet keep their types.
#[derive(Debug, Clone)]
pub struct Metadata {
    pub(super) frame: DataFrame,
    /// The column that calls are joined by: `file`, else `file_url`.
    pub(super) key: PlSmallStr,
    /// Rows without a key, or with the key of an earlier row.
    pub(super) skipped_rows: usize,
}

impl Metadata {
    /// Reads a file by its extension: `.csv`, `.parquet`, `.jsonl` or `.ndjson`.
    ///
    /// Text is never parsed as a number, so `007` keeps its zeros. If several rows have the same key, the first one counts.
    ///
    /// # Errors
    /// When the file cannot be read, or has neither a column `file` nor `file_url`.
    pub fn read(path: &Path) -> Result<Self> {
        let failed = |error| Error::table(format!("cannot read the metadata {}", path.display()), error);
        let file = std::fs::File::open(path).map_err(|error| Error::io("open the metadata", path, error))?;
        let extension =
            path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase();
        let frame = match &*extension {
            "csv" => {
                CsvReadOptions::default().with_infer_schema_length(Some(0)).into_reader_with_file_handle(file).finish()
            }
            "parquet" => ParquetReader::new(file).finish(),
            "jsonl" | "ndjson" => JsonReader::new(file).with_json_format(JsonFormat::JsonLines).finish(),
            _ => {
                let path = path.display();
                return Err(Error::invalid(format!("metadata {path}: the extension must be .csv, .parquet or .jsonl")));
            }
        }
        .map_err(failed)?;
        Self::from_frame(frame).map_err(|error| match error {
            KeyError::Missing(columns) => Error::invalid(format!(
                "metadata {}: no column `file` or `file_url` to join by; the columns are {columns}",
                path.display()
            )),
            KeyError::Polars(error) => failed(error),
        })
    }

    fn from_frame(frame: DataFrame) -> Result<Self, KeyError> {
        let column = |name: &str| frame.get_column_names().into_iter().find(|column| *column == name).cloned();
        let columns = || frame.get_column_names().iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let key = column("file").or_else(|| column("file_url")).ok_or_else(|| KeyError::Missing(columns()))?;
        let rows = frame.height();
        let frame = frame
            .lazy()
            .with_column(col(key.clone()).cast(DataType::String))
            .filter(col(key.clone()).is_not_null())
            .unique_stable(Some(by_name([key.clone()], true, false)), UniqueKeepStrategy::First)
            .collect()?;
        let skipped_rows = rows - frame.height();
        Ok(Self { frame, key, skipped_rows })
    }

    /// The column that calls are joined by: `file`, else `file_url`.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Names of the user's columns, without the key.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.frame.get_column_names().into_iter().map(|name| name.as_str()).filter(|name| *name != self.key.as_str())
    }

    /// Checks that all of these columns exist.
    ///
    /// # Errors
    /// Names the first missing column and those there are.
    pub fn check(&self, group_by: &[String]) -> Result<()> {
        let Some(unknown) = group_by.iter().find(|name| !self.columns().any(|column| column == name.as_str())) else {
            return Ok(());
        };
        let columns: Vec<String> = self.columns().map(|name| format!("`{name}`")).collect();
        Err(Error::invalid(format!("no column `{unknown}` to group by; the columns are {}", columns.join(", "))))
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

enum KeyError {
    Missing(String),
    Polars(PolarsError),
}

impl From<PolarsError> for KeyError {
    fn from(error: PolarsError) -> Self {
        Self::Polars(error)
    }
}
