//! Several items on one command line: one that fails does not stop the others.

use super::Exit;
use super::output::{Console, Failure};
use crate::error::Result;

/// What became of the items so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    done: usize,
    failed: usize,
    denied: bool,
}

impl Tally {
    /// Counts an item; of one that failed it says why.
    pub(super) fn take<T>(&mut self, item: Result<T>, console: &Console) -> Option<T> {
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

    /// Adds what failed before it could be counted in these items.
    pub(super) fn add_failures_of(&mut self, other: &Self) {
        self.failed += other.failed;
        self.denied |= other.denied;
    }

    /// The service does not let us in: it will not for the next item either.
    pub(super) fn denied(&self) -> bool {
        self.denied
    }

    /// The exit code, after the rows were printed; it holds whether or not anybody read them to their end.
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
