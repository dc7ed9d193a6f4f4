//! Many measured calls as data frames: files, joins, roll-ups. The columns are declared in [`crate::metrics::catalogue`].
//!
//! [`analyze`] reads and measures files in parallel and passes their rows, in the order of the files, to writers that
//! append row groups. Memory does not grow with the number of files, and the bytes written do not depend on the number
//! of threads.

mod analysis;
mod bill;
mod call_rows;
mod copies;
mod files;
mod frame;
mod join;
mod keyword_hits;
mod metadata;
mod pipeline;
mod rollup;
mod rule_calls;

mod stored;
mod stored_rules;

pub(crate) use analysis::read_into;
pub use analysis::{Analysis, FileOutcome, Options, Outcome, analyze};
pub use call_rows::{CallRows, CallSource, Figure, Row, WarningRow};
pub(crate) use call_rows::{EventRow, HitRow, SentenceRow};
pub use copies::{CopiedRecording, Copies};
pub use files::{Format, Output};
pub use frame::{frame, priced_frame, schema};
pub use join::{Joined, RecordingNames};
pub use keyword_hits::KeywordHits;
pub use metadata::Metadata;
pub use rollup::Rollup;
pub use rule_calls::RuleCalls;
pub use stored::{FOLDER, Stored};

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
