//! Several items on one command line: a failed item does not stop the others.

use super::Exit;
use super::output::{Console, Failure};
use crate::error::Result;

/// How the items processed so far ended.
#[derive(Debug, Default)]
pub(super) struct ItemOutcomes {
    done: usize,
    failed: usize,
    denied: bool,
}

impl ItemOutcomes {
    /// Counts an item; prints the error of one that failed.
    pub(super) fn record<T>(&mut self, item: Result<T>, console: &Console) -> Option<T> {
        match item {
            Ok(item) => {
                self.done += 1;
                Some(item)
            }
            Err(error) => {
                self.denied |= console.failed(&error.into()) == Exit::Denied;
                self.failed += 1;
                None
            }
        }
    }

    /// Adds the failures of an earlier step on the same items.
    pub(super) fn add_failures_of(&mut self, other: &Self) {
        self.failed += other.failed;
        self.denied |= other.denied;
    }

    /// Whether the service denied access: further items would fail alike.
    pub(super) fn denied(&self) -> bool {
        self.denied
    }

    /// The exit code after printing the rows; a closed stdout does not change it.
    pub(super) fn exit(&self, printed: Result<Exit, Failure>) -> Result<Exit, Failure> {
        match printed {
            Err(Failure::BrokenPipe) | Ok(_) => {}
            Err(failure) => return Err(failure),
        }
        Ok(match (self.done, self.failed) {
            _ if self.denied => Exit::Denied,
            (_, 0) => Exit::Done,
            (0, _) => Exit::Failed,
            _ => Exit::Partly,
        })
    }
}
