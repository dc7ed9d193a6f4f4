//! The demo's folder: only files of an earlier demo are ever removed, and no two demos share a folder.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::super::output::Failure;
use crate::batch;
use crate::disk;
use crate::error::Error;

/// Marks the folder as a demo's; locked while a demo runs.
const MARK: &str = ".talkmeter-demo";
const MEANING: &str = "This folder was created by `talkmeter demo`, which replaces its contents.\n";
/// Folders of batches in the demo's folder.
const BATCHES: [&str; 3] = ["calls", "mono", "flash"];

/// A folder held exclusively by this demo.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Holds the lock.
    _mark: File,
}

impl Folder {
    /// Creates the folder, or removes the batches of an earlier demo; tables and reports are overwritten.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let mark = path.join(MARK);
        match fs::read_dir(path).map(|mut entries| entries.next().is_some()) {
            Ok(true) if !mark.is_file() => {
                return Err(Failure::Usage(format!(
                    "{} is not empty and was not created by a demo; choose another folder with -o",
                    path.display()
                )));
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Failure::Usage(format!("cannot write to the folder {}: {error}", path.display())));
            }
            _ => {}
        }
        fs::create_dir_all(path).map_err(|error| Error::io("create", path, error))?;
        let failed = |error| Error::io("write", &mark, error);
        // Windows locks no file that is open for appending alone.
        let mut file = File::options().read(true).create(true).append(true).open(&mark).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::Usage(format!("another demo is running in {}", path.display())));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error).into()),
        }
        if file.metadata().map_err(failed)?.len() == 0 {
            file.write_all(MEANING.as_bytes()).map_err(failed)?;
        }
        for name in BATCHES {
            clear(&path.join(name))?;
        }
        Ok(Self { path: path.to_owned(), _mark: file })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        disk::write(&self.path.join(name), text.as_bytes())
    }
}

/// Removes the files of a batch, and the folder if it is then empty.
fn clear(folder: &Path) -> Result<(), Error> {
    // A link points outside the demo's folder.
    if !fs::symlink_metadata(folder).is_ok_and(|entry| entry.is_dir()) {
        return Ok(());
    }
    let results = folder.join(batch::RESULTS);
    for entry in fs::read_dir(&results).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(batch::is_result) {
            remove(&entry.path())?;
        }
    }
    for name in [batch::LEDGER, batch::LOCK, batch::FAILURES] {
        remove(&folder.join(name))?;
    }
    for folder in [&results, folder] {
        // Fails, as intended, if anything else is in it.
        let _ = fs::remove_dir(folder);
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path, error)),
        _ => Ok(()),
    }
}
