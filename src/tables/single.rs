//! One call's rows in the tables: measured again, or read back. What pages about single calls are made of.

use std::path::Path;

use polars::prelude::DataFrame;
use rayon::prelude::*;

use super::analysis::Options;
use super::frame::frame;
use super::stored::Stored;
use crate::error::Result;
use crate::metrics::catalogue::{CALLS, EVENTS, HITS, PARTICIPANTS, SENTENCES, TURNS, Table, WARNINGS, WORDS};
use crate::metrics::measure;
use crate::transcript::{Input, read};

/// What a page about a single call is made of.
pub(super) const TABLES_OF_CALL: [&Table; 8] =
    [&CALLS, &PARTICIPANTS, &TURNS, &EVENTS, &HITS, &SENTENCES, &WORDS, &WARNINGS];

/// The rows of one call.
#[derive(Debug, Clone)]
pub struct CallTables {
    /// Its name: the column `file`.
    pub file: String,
    pub(super) frames: Vec<(&'static str, DataFrame)>,
}

impl CallTables {
    /// Its rows in one table, every column; `None` when that table was not written, and for `costs` and `windows`, of which
    /// no page is made.
    #[must_use]
    pub fn get(&self, table: &Table) -> Option<&DataFrame> {
        self.frames.iter().find(|(name, _)| *name == table.name).map(|(_, frame)| frame)
    }

    /// Reads and measures one result file; `None` when it is none, or none any more.
    fn measured(file: &str, path: &Path, options: &Options) -> Result<Option<Self>> {
        let Ok(bytes) = std::fs::read(path) else { return Ok(None) };
        let Ok(transcript) = read(&bytes) else { return Ok(None) };
        let mut measured = measure(file, &transcript, &options.settings);
        options.charge(path, &mut measured);
        let frames = TABLES_OF_CALL.into_iter().map(|table| Ok((table.name, frame(table, [&measured])?)));
        Ok(Some(Self { file: file.to_owned(), frames: frames.collect::<Result<_>>()? }))
    }
}

/// Where single calls can be had from, after all of them have been measured together.
#[derive(Debug, Clone, Copy)]
pub enum Calls<'a> {
    /// From their result files.
    Results {
        /// Ascending by the bytes of `file`.
        files: &'a [Input],
        /// How they were measured.
        options: &'a Options,
    },
    /// From tables on disk.
    Tables(&'a Stored),
}

impl Calls<'_> {
    /// So many are asked for together: what is in memory does not grow with their number, and tables, which are read
    /// through for each question, are not asked too often.
    #[must_use]
    pub fn at_a_time(&self) -> usize {
        match self {
            Self::Results { .. } => 32,
            Self::Tables(_) => 512,
        }
    }

    /// The calls of these names, in this order; `None` for one that is not there, or not there any more.
    ///
    /// # Errors
    /// When a table cannot be read or built.
    pub fn get(&self, files: &[String]) -> Result<Vec<Option<CallTables>>> {
        match self {
            Self::Results { files: inputs, options } => files
                .par_iter()
                .map(|file| {
                    let at = inputs.binary_search_by(|input| input.file.as_bytes().cmp(file.as_bytes()));
                    let input = at.ok().and_then(|at| inputs.get(at));
                    input.map_or(Ok(None), |input| CallTables::measured(file, &input.path, options))
                })
                .collect(),
            Self::Tables(stored) => stored.calls(files),
        }
    }
}
