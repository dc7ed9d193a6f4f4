//! Many measured calls as data frames: files, joins, roll-ups. The columns stand in [`crate::metrics::catalogue`].
//!
//! [`analyze`] reads and measures files in parallel and hands their rows, in the order of the files, to writers that
//! append row groups: memory does not grow with the number of files, and the bytes do not depend on the threads.

mod analysis;
mod bill;
mod files;
mod frame;
mod keyword_hits;
mod metadata;
mod rollup;
mod single;
mod stored;

pub use analysis::{Analysis, FileOutcome, Options, Outcome, analyze};
pub use bill::BillLine;
#[cfg(feature = "cli")]
pub use files::{Format, Output};
pub use frame::{frame, schema};
pub use keyword_hits::KeywordHits;
pub use metadata::Metadata;
pub use rollup::Rollup;
pub use single::{CallTables, Calls};
pub use stored::{FOLDER, Stored};

/// What a list names, each once, where it stands first.
fn distinct<T: Clone + PartialEq>(list: &[T]) -> Vec<T> {
    let mut once: Vec<T> = Vec::with_capacity(list.len());
    for one in list {
        if !once.contains(one) {
            once.push(one.clone());
        }
    }
    once
}
