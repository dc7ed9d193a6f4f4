//! Columns of the user's own, joined to calls by `file` or `file_url`: CSV, Parquet or JSON lines.

use std::collections::HashMap;
use std::path::Path;

use polars::prelude::*;

use crate::error::{Error, Result};

/// A metadata file, all columns read as text but for its Parquet types.
#[derive(Debug, Clone)]
pub struct Metadata {
    pub(super) frame: DataFrame,
    /// The column that names the call: `file`, else `file_url`.
    pub(super) key: PlSmallStr,
    /// Rows that name no call, or one that an earlier row has named.
    pub(super) left_out: usize,
}

impl Metadata {
    /// Reads by the file's extension: `.csv`, `.parquet`, `.jsonl` or `.ndjson`.
    ///
    /// Text stays text: `007` is no number. Of several rows for one call the first counts.
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
                return Err(Error::invalid(format!("the metadata {path} is none of .csv, .parquet, .jsonl")));
            }
        }
        .map_err(failed)?;
        Self::from_frame(frame).map_err(|error| match error {
            Keyed::NoKey(columns) => Error::invalid(format!(
                "the metadata {} has no column `file` or `file_url` to join by; it has {columns}",
                path.display()
            )),
            Keyed::Polars(error) => failed(error),
        })
    }

    fn from_frame(frame: DataFrame) -> Result<Self, Keyed> {
        let named = |name: &str| frame.get_column_names().into_iter().find(|column| *column == name).cloned();
        let columns = || frame.get_column_names().iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let key = named("file").or_else(|| named("file_url")).ok_or_else(|| Keyed::NoKey(columns()))?;
        let rows = frame.height();
        let frame = frame
            .lazy()
            .with_column(col(key.clone()).cast(DataType::String))
            .filter(col(key.clone()).is_not_null())
            .unique_stable(Some(by_name([key.clone()], true, false)), UniqueKeepStrategy::First)
            .collect()?;
        let left_out = rows - frame.height();
        Ok(Self { frame, key, left_out })
    }

    /// The column by which calls are joined: `file`, else `file_url`.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Names of the user's columns, the key left out.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.frame.get_column_names().into_iter().map(|name| name.as_str()).filter(|name| *name != self.key.as_str())
    }

    /// Whether all of these are columns to group by.
    ///
    /// # Errors
    /// For the first that is not, naming those there are.
    pub fn check(&self, group_by: &[String]) -> Result<()> {
        let Some(unknown) = group_by.iter().find(|name| !self.columns().any(|column| column == name.as_str())) else {
            return Ok(());
        };
        let there: Vec<String> = self.columns().map(|name| format!("`{name}`")).collect();
        Err(Error::invalid(format!("no column `{unknown}` to group by; there are {}", there.join(", "))))
    }

    /// Some of the columns as text, by the cell that names the call.
    ///
    /// # Errors
    /// For a column that is not there.
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

    /// Rows that name no call, or one that an earlier row has named.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.left_out
    }
}

enum Keyed {
    NoKey(String),
    Polars(PolarsError),
}

impl From<PolarsError> for Keyed {
    fn from(error: PolarsError) -> Self {
        Self::Polars(error)
    }
}
