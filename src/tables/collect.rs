//! Tables in memory: the same rows that [`analyze`](super::analyze) writes, as frames.

use std::path::Path;
use std::sync::Arc;

use polars::prelude::*;

use super::analysis::{Analysis, FileOutcome, Options, ResultFile, measure_all};
use super::join::Joined;
use super::row_groups::{Encoded, Encoder, Pending};
use crate::error::{Error, Result};
use crate::metrics::catalogue::{CALLS, Table};

/// A result file in memory.
#[derive(Debug, Clone, Copy)]
pub struct Content<'c> {
    /// Its name in the tables.
    pub file: &'c str,
    /// Its bytes.
    pub bytes: &'c [u8],
}

impl ResultFile for Content<'_> {
    fn file(&self) -> &str {
        self.file
    }

    fn path(&self) -> &Path {
        Path::new(self.file)
    }

    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn bytes<'b>(&'b self, _: &'b mut Vec<u8>) -> std::io::Result<&'b [u8]> {
        Ok(self.bytes)
    }
}

/// Measures files and returns the rows of some tables, each a frame with a chunk per row group; `calls` with the user's own
/// columns. The rows are in the order of the files, on the threads of the current rayon pool; nothing of it runs on the
/// threads of polars, unless the options have a condition. `observe` is called for each file in order; an error ends the work.
///
/// # Errors
/// What `observe` returns, and when polars refuses the columns. A file that cannot be measured is no error.
///
/// ```
/// use talkmeter::metrics::catalogue::{CALLS, TURNS};
/// use talkmeter::tables::{Content, Options, collect};
/// let bytes = br#"{"transcripts": [{"channel_id": 0, "sentences": [
///     {"begin_time": 0, "end_time": 1200, "text": "Good morning."}]}]}"#;
/// let files = [Content { file: "a.json", bytes }];
/// let (analysis, frames) = collect(&files, &Options::default(), &[&CALLS, &TURNS], &mut |_| Ok(()))?;
/// assert_eq!((analysis.measured, frames[0].height(), frames[1].height()), (1, 1, 1));
/// # Ok::<(), talkmeter::Error>(())
/// ```
pub fn collect<F: ResultFile>(
    files: &[F],
    options: &Options,
    tables: &[&'static Table],
    observe: &mut (dyn FnMut(FileOutcome) -> Result<()> + Send),
) -> Result<(Analysis, Vec<DataFrame>)> {
    let pending = |&table: &&'static Table| {
        let joined = options.joined.clone().filter(|_| table.name == CALLS.name);
        let schema = Joined::schema_of(table, joined.as_deref());
        Pending::new(table, schema, vec![Encoder::Frame], joined)
    };
    let mut pending: Vec<Pending> = tables.iter().map(pending).collect();
    let mut frames: Vec<DataFrame> =
        pending.iter().map(|pending| DataFrame::empty_with_arc_schema(Arc::new(pending.schema.clone()))).collect();
    let append = |(table, groups): (usize, Vec<PolarsResult<Encoded>>)| {
        let Some(whole) = frames.get_mut(table) else { return Ok(()) };
        for group in groups {
            let appended = group.and_then(|group| match group {
                Encoded::Frame(rows) if whole.height() > 0 => whole.vstack_mut(&rows).map(drop),
                Encoded::Frame(rows) => {
                    *whole = rows;
                    Ok(())
                }
                _ => Ok(()),
            });
            appended.map_err(|error| Error::table("cannot build a table", error))?;
        }
        Ok(())
    };
    let analysis = measure_all(files, options, &mut pending, append, observe)?;
    Ok((analysis, frames))
}
