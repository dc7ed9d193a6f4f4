//! The user's own columns of calls: `--meta`, or the list that was transcribed.

use std::collections::HashMap;
use std::path::PathBuf;

use super::output::{Console, Failure};
use crate::batch::{Ledgers, NamedRecording};
use crate::redact::without_query;
use crate::report::number::counted;
use crate::tables::{Analysis, Joined, Metadata, RecordingNames, Rollup};
use crate::transcript::Inputs;

/// Flags for a file of the user's columns.
#[derive(Debug, clap::Args)]
pub(super) struct MetadataFlags {
    /// Your own columns for the calls: CSV, Parquet or JSON lines with a column `id`, `file` or `url`
    #[arg(long, value_name = "FILE")]
    meta: Option<PathBuf>,
    /// Column of --meta that names the calls by id, file or address
    #[arg(long, value_name = "COLUMN", requires = "meta")]
    join: Option<String>,
}

impl MetadataFlags {
    pub(super) fn read(&self) -> Result<Option<Metadata>, Failure> {
        let metadata = self.meta.as_deref().map(|path| Metadata::read(path, self.join.as_deref()));
        metadata.transpose().map_err(Failure::from)
    }
}

/// The ledgers of the batches whose results are read; one that cannot be read is noted.
pub(super) fn ledgers_of(inputs: &Inputs, console: &Console) -> Ledgers {
    let (ledgers, unreadable) = Ledgers::of(&inputs.files);
    unreadable.iter().for_each(|error| console.note(&format!("{error}; model and region are unknown")));
    ledgers
}

/// The recording of each result, and the columns of the lists that were transcribed, if they had any.
pub(super) fn recordings(ledgers: &Ledgers, inputs: &Inputs) -> (HashMap<String, RecordingNames>, Option<Metadata>) {
    let (mut names, mut rows) = (HashMap::new(), Vec::new());
    for NamedRecording { file, id, locations, columns, .. } in ledgers.recordings(&inputs.files) {
        if !columns.is_empty() {
            rows.push((file.clone(), columns));
        }
        names.insert(file, RecordingNames { id, locations });
    }
    (names, Metadata::from_rows(rows))
}

/// Reports what the metadata and the calls do not have in common; false, with an error, if that is everything.
pub(super) fn report_unmatched(
    rollup: &Rollup,
    notes: &[String],
    joined: &Joined,
    analysis: &Analysis,
    console: &Console,
) -> bool {
    notes.iter().for_each(|note| console.note(note));
    let calls = &analysis.calls;
    if rollup.calls_without_row == calls.height()
        && analysis.left_out.is_unknown()
        && let (Some(key), Some(call)) = joined.examples(calls)
    {
        console.error(&format!(
            "no row of the metadata matches a call: its column `{}` has `{}`, the calls have `{}`",
            joined.key(),
            without_query(&key),
            without_query(&call)
        ));
        return false;
    }
    for times in &rollup.unreadable_times {
        let cells = counted(times.count as u64, "cell");
        console.note(&format!("{cells} of `{}` without a time, such as `{}`", times.column, times.example));
    }
    if rollup.calls_without_row > 0 {
        console.note(&format!("{} without a row in the metadata", counted(rollup.calls_without_row as u64, "call")));
    }
    if rollup.rows_without_call > 0 {
        console.note(&format!("{} of the metadata without a call", counted(rollup.rows_without_call as u64, "row")));
    }
    let (unnamed, repeated) = joined.skipped_rows();
    for (rows, why) in [(unnamed, "no call is named"), (repeated, "an earlier row names the call")] {
        if rows > 0 {
            console.note(&format!("{} of the metadata skipped: {why}", counted(rows as u64, "row")));
        }
    }
    match joined.unused_role_columns(analysis) {
        Ok(columns) => columns.iter().for_each(|column| {
            console.note(&format!("`{column}` of the metadata: no call has such a participant"));
        }),
        Err(error) => console.note(&error.to_string()),
    }
    true
}
