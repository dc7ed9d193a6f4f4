//! Folders that the emulator answers from.

use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The regular files with this extension directly in a folder, in the order of their names. What they contain will be served
/// to other programs, so a link to somewhere else is refused.
pub(super) fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let failed = |error| Error::io("read", folder, error);
    let root = folder.canonicalize().map_err(failed)?;
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|found| found == extension) && path.is_file() {
            let target = path.canonicalize().map_err(|error| Error::io("read", &path, error))?;
            if !target.starts_with(&root) {
                return Err(Error::invalid(format!("{} is a link out of the folder", path.display())));
            }
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
