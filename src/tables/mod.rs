//! Many measured calls as data frames: files, joins, roll-ups. The columns are declared in [`crate::metrics::catalogue`].
//!
//! [`analyze`] reads and measures files and encodes their rows in parallel, and writes row groups in the order of the
//! files. The bytes written do not depend on the number of threads.

mod analysis;
mod bill;
mod by_role;
mod call_rows;
mod collect;
mod condition;
mod copies;
mod figures;
mod files;
mod frame;
mod group;
mod inputs_hash;
mod join;
mod keyword_hits;
mod metadata;
mod own_columns;
mod package;
mod parquet;
mod pipeline;
#[cfg(feature = "sql")]
mod query;
mod rollup;
mod row_groups;
mod rule_calls;
#[cfg(feature = "sql")]
mod select;
mod shards;
mod stored;
mod stored_rules;
mod table_files;
mod workbook;

pub use analysis::{Analysis, FileOutcome, LeftOut, Options, Outcome, ResultFile, analyze};
pub use by_role::CallsByRole;
pub use call_rows::{CallRows, CallSource, Figure, Row, WarningRow};
pub(crate) use call_rows::{EventRow, HitRow, SentenceRow};
pub use collect::{Content, collect};
pub use condition::Condition;
pub use copies::{CopiedRecording, Copies};
pub use figures::Figures;
pub use files::{Format, Output, Written, write_frame};
pub use frame::{frame, priced_frame, schema};
pub(crate) use group::Moment;
pub use group::{GroupKey, Period, UnreadableTimes};
pub use inputs_hash::InputsHash;
pub use join::{Joined, RecordingNames};
pub use keyword_hits::{CallPlaces, KeywordHits};
pub use metadata::Metadata;
pub use own_columns::OwnColumns;
#[cfg(feature = "python")]
pub(crate) use package::DescribedFrame;
#[cfg(feature = "sql")]
pub use query::{Query, cells};
pub use rollup::{Order, Rollup};
pub use rule_calls::RuleCalls;
pub use shards::{MetadataMatch, Shard, ShardManifest, ShardSummary, Shards, shard_terms};
#[cfg(feature = "cli")]
pub(crate) use stored::tail;
pub use stored::{FOLDER, Stored};
pub use workbook::{ShortSheet, WORKBOOK};

/// Sends what the engine of data frames would print on stderr to the traces, in the whole process.
#[cfg(feature = "client")]
pub fn trace_engine_warnings() {
    polars::error::set_warning_function(|text, kind| tracing::debug!(?kind, "polars: {text}"));
}

/// The list without repetitions, in order of first occurrence.
fn distinct<T: Clone + PartialEq>(list: &[T]) -> Vec<T> {
    let mut once: Vec<T> = Vec::with_capacity(list.len());
    for one in list {
        if !once.contains(one) {
            once.push(one.clone());
        }
    }
    once
}
