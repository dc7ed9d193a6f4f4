//! The user's own columns beside the calls of an analysis.

use polars::prelude::*;

use super::analysis::Analysis;
use super::join::Joined;
use crate::error::{Error, Result};
use crate::redact::without_queries;

/// The user's own columns as text: one cell per call of an analysis, in the order of its calls.
#[derive(Debug, Clone, Default)]
pub struct OwnColumns {
    columns: Vec<(String, StringChunked)>,
}

impl OwnColumns {
    /// The columns of the metadata, named as in the table `calls`, without those of addresses, which only name the recordings.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Table`] when a column cannot be read as text.
    pub fn new(joined: &Joined, analysis: &Analysis) -> Result<Self> {
        let columns = || {
            let taken = joined.columns_of(&analysis.calls)?;
            let text = |column: Column| {
                let cells = column.cast(&DataType::String)?.str()?.clone();
                Ok((column.name().to_string(), cells))
            };
            let mut columns: Vec<(String, StringChunked)> = taken.into_iter().map(text).collect::<PolarsResult<_>>()?;
            columns.retain(|(_, cells)| !cells.iter().flatten().next().is_some_and(|cell| cell.contains("://")));
            Ok::<_, PolarsError>(columns)
        };
        Ok(Self { columns: columns().map_err(|error| Error::table("cannot read the metadata", error))? })
    }

    /// The names of the columns.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| &**name)
    }

    /// The cell of a call, by its place in the analysis; addresses without their queries. `None` where there is none.
    #[must_use]
    pub fn cell(&self, column: usize, call: usize) -> Option<String> {
        let cell = self.columns.get(column)?.1.get(call)?.trim();
        (!cell.is_empty()).then(|| without_queries(cell))
    }

    /// All cells of a call with the names of their columns, without those that are empty.
    #[must_use]
    pub fn of_call(&self, call: usize) -> Vec<(String, String)> {
        let cells = self.names().enumerate().map(|(column, name)| Some((name.to_owned(), self.cell(column, call)?)));
        cells.flatten().collect()
    }
}
