//! The lock that keeps a folder to one run at a time.
//!
//! It is an operating-system lock on `ledger.lock`, a file of its own, so that the ledger can be read meanwhile on every system.
//! It dies with its process: a killed run blocks no other. Earlier versions locked the ledger itself; that lock is respected, and
//! held as well where a locked file can still be read.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::error::{Error, Result};

/// The file's name in the folder of a batch.
pub const FILE: &str = "ledger.lock";

/// Held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock(Vec<File>);

impl Lock {
    /// Locks the folder `dir`.
    pub(super) fn take(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut lock = Self(Vec::new());
        lock.add(dir, &path, file.map_err(|error| Error::io("open", &path, error))?)?;
        Ok(lock)
    }

    /// Locks the ledger too, against earlier versions.
    pub(super) fn add_ledger(&mut self, dir: &Path, path: &Path, ledger: &File) -> Result<()> {
        let ledger = ledger.try_clone().map_err(|error| Error::io("lock", path, error))?;
        self.add(dir, path, ledger)?;
        if !cfg!(unix) {
            // Elsewhere a locked file cannot be read.
            self.0.pop().into_iter().for_each(|ledger| drop(ledger.unlock()));
        }
        Ok(())
    }

    fn add(&mut self, dir: &Path, path: &Path, file: File) -> Result<()> {
        match file.try_lock() {
            Ok(()) => {
                self.0.push(file);
                Ok(())
            }
            Err(TryLockError::WouldBlock) => {
                Err(Error::ledger(format!("{} is in use by another talkmeter", dir.display())))
            }
            Err(TryLockError::Error(error)) => Err(Error::io("lock", path, error)),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Explicitly: a child process that is just being started shares the lock until its own program runs.
        self.0.iter().for_each(|file| drop(file.unlock()));
    }
}
