//! What the ledgers of batches know of result files.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::receipt::LedgerReport;
use super::source::Source;
use crate::catalog::Region;
use crate::error::Error;
use crate::transcript::Input;

/// The ledgers of the batches that result files are from.
#[derive(Debug)]
pub struct Ledgers(Vec<LedgerReport>);

/// The recording of a result file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NamedRecording {
    /// The name of the result file in the tables.
    pub file: String,
    /// The id that its list gives it.
    pub id: Option<String>,
    /// Its addresses and paths.
    pub locations: Vec<String>,
    /// Its columns in the list that was transcribed, with `id` and `url`; empty if the list had none.
    pub columns: Vec<(String, String)>,
}

impl Ledgers {
    /// Reads them, and says which could not be read.
    #[must_use]
    pub fn of(files: &[Input]) -> (Self, Vec<Error>) {
        let folders: BTreeSet<&Path> = files.iter().filter_map(|input| input.path.parent()).collect();
        let results = folders.into_iter().filter(|folder| folder.ends_with(super::RESULTS));
        let (mut ledgers, mut unreadable) = (Vec::new(), Vec::new());
        for folder in results.filter_map(Path::parent) {
            match LedgerReport::read(folder) {
                Ok(ledger) => ledgers.extend(ledger),
                Err(error) => unreadable.push(error),
            }
        }
        (Self(ledgers), unreadable)
    }

    /// Model and region of each result.
    #[must_use]
    pub fn origins(&self) -> HashMap<PathBuf, (String, Option<Region>)> {
        self.0.iter().flat_map(LedgerReport::origins).collect()
    }

    /// The recording of each of these result files that a ledger knows.
    #[must_use]
    pub fn recordings(&self, files: &[Input]) -> Vec<NamedRecording> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let files: HashMap<&Path, &str> = files.iter().map(|input| (&*input.path, input.file())).collect();
        let named = |result: super::StoredResult<'_>| {
            let file = (*files.get(&*result.path)?).to_owned();
            let mut locations = vec![result.url.to_owned()];
            if let Source::File(path) = result.source {
                locations.push(path.to_string_lossy().into_owned());
            }
            let id = result.id.map(str::to_owned);
            let mut columns = Vec::new();
            if id.is_some() || !result.columns.is_empty() {
                columns.extend(id.clone().map(|id| ("id".to_owned(), id)));
                columns.extend(result.source.sent().map(|_| ("url".to_owned(), result.url.to_owned())));
                columns.extend(result.columns);
            }
            Some(NamedRecording { file, id, locations, columns })
        };
        self.0.iter().flat_map(LedgerReport::results).filter_map(named).collect()
    }
}
