//! The demo's folder: only what an earlier demo made is ever taken away, and no two demos share one.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::super::output::Failure;
use crate::batch;
use crate::error::Error;

/// Says that the folder is a demo's; locked while one runs.
const MARK: &str = ".talkmeter-demo";
const MEANING: &str = "`talkmeter demo` made this folder and makes it anew.\n";
/// Folders of batches in it.
const BATCHES: [&str; 3] = ["calls", "mono", "flash"];

/// A folder that is this demo's alone.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// The lock ends with it.
    _mark: File,
}

impl Folder {
    /// Makes the folder, or empties that of an earlier demo of its batches; tables and reports are written over.
    pub(super) fn take(path: &Path) -> Result<Self, Failure> {
        let mark = path.join(MARK);
        match fs::read_dir(path).map(|mut entries| entries.next().is_some()) {
            Ok(true) if !mark.is_file() => {
                return Err(Failure::Usage(format!(
                    "{} is not empty and no earlier demo made it: name another folder with -o",
                    path.display()
                )));
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Failure::Usage(format!("{} is no folder to write to: {error}", path.display())));
            }
            _ => {}
        }
        fs::create_dir_all(path).map_err(|error| Error::io("make", path, error))?;
        let failed = |error| Error::io("write", &mark, error);
        let mut file = File::options().create(true).append(true).open(&mark).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::Usage(format!("another demo is writing to {}", path.display())));
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
        let path = self.path.join(name);
        fs::write(&path, text).map_err(|error| Error::io("write", &path, error))
    }
}

/// Takes away what a batch writes, and the folder if nothing else is in it.
fn clear(folder: &Path) -> Result<(), Error> {
    // Behind a link lies something of somebody else.
    if !fs::symlink_metadata(folder).is_ok_and(|entry| entry.is_dir()) {
        return Ok(());
    }
    let results = folder.join(batch::RESULTS);
    for entry in fs::read_dir(&results).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(is_result) {
            remove(&entry.path())?;
        }
    }
    for name in [batch::LEDGER, batch::FAILURES] {
        remove(&folder.join(name))?;
    }
    for folder in [&results, folder] {
        // It stays where something else is in it.
        let _ = fs::remove_dir(folder);
    }
    Ok(())
}

/// `000001-name.json`, `flash-000001-name.json` and its answer.
fn is_result(name: &str) -> bool {
    let name = name.strip_prefix("flash-").unwrap_or(name);
    let Some((number, rest)) = name.split_once('-') else { return false };
    number.len() == 6
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && (rest.ends_with(".json") || rest.ends_with(".answer"))
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path, error)),
        _ => Ok(()),
    }
}
