//! Atomic file writes: a file appears under its name complete, or not at all.
//!
//! The bytes go to a temporary file in the same folder, are flushed to disk, and the file is renamed. The folder is flushed too, so
//! that the name survives a power cut.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// Temporary files are named `.talkmeter-….tmp`.
const PREFIX: &str = ".talkmeter-";
const SUFFIX: &str = ".tmp";

/// Writes a file atomically.
///
/// # Errors
/// [`crate::ErrorKind::Io`] if the file cannot be written. An existing file is then unchanged.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = create(path)?;
    file.write_all(bytes).map_err(|error| Error::io("write", path, error))?;
    persist(file, path)
}

/// Creates a temporary file next to `path`, with the permissions of a new file. It is removed when dropped.
///
/// # Errors
/// [`crate::ErrorKind::Io`] if the folder is not writable.
pub(crate) fn create(path: &Path) -> Result<NamedTempFile> {
    let folder = folder(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(&folder).map_err(|error| Error::io("write to", &folder, error))
}

/// Flushes a temporary file, gives it its name and flushes the folder.
///
/// # Errors
/// [`crate::ErrorKind::Io`] if the file cannot be flushed or renamed.
pub(crate) fn persist(file: NamedTempFile, path: &Path) -> Result<()> {
    rename(file, path)?;
    flush_folder(&folder(path));
    Ok(())
}

/// The same for several files, whose folders are flushed once at the end.
///
/// # Errors
/// [`crate::ErrorKind::Io`] for the first file that cannot be flushed or renamed; files before it keep their names.
#[cfg(feature = "analytics")]
pub(crate) fn persist_all(files: impl IntoIterator<Item = (NamedTempFile, PathBuf)>) -> Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for (file, path) in files {
        rename(file, &path)?;
        paths.push(path);
    }
    let mut folders: Vec<PathBuf> = paths.iter().map(|path| folder(path)).collect();
    folders.dedup();
    folders.iter().for_each(|folder| flush_folder(folder));
    Ok(paths)
}

/// Removes temporary files that a killed process left in a folder. Other files stay. Only safe while no other process writes
/// there. Earlier versions named them `.NAME.part`: these are removed where `is_written` says that we write NAME there.
///
/// # Errors
/// [`crate::ErrorKind::Io`] if the folder cannot be read or a file cannot be removed.
pub(crate) fn remove_temporary(folder: &Path, is_written: impl Fn(&str) -> bool) -> Result<()> {
    let entries = fs::read_dir(folder).map_err(|error| Error::io("read", folder, error))?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_temporary = |name: &str| {
            let part_of = name.strip_prefix('.').and_then(|name| name.strip_suffix(".part"));
            (name.starts_with(PREFIX) && name.ends_with(SUFFIX)) || part_of.is_some_and(&is_written)
        };
        if name.to_str().is_some_and(is_temporary) {
            fs::remove_file(entry.path()).map_err(|error| Error::io("remove", &entry.path(), error))?;
        }
    }
    Ok(())
}

fn rename(file: NamedTempFile, path: &Path) -> Result<()> {
    let failed = |error| Error::io("write", path, error);
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// The folder of a file; a bare name is in the current one.
fn folder(path: &Path) -> PathBuf {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// Some file systems cannot flush a folder. The file is complete by now, so that this is no failure.
fn flush_folder(folder: &Path) {
    let flush = |folder: &Path| -> io::Result<()> { File::open(folder)?.sync_all() };
    if cfg!(unix) {
        let _ = flush(folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.json");
        write(&path, b"first and longer").unwrap();
        write(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(names(dir.path()), ["report.json"]);
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_temporary_one() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("taken");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("inside"), "").unwrap();
        assert!(write(&folder, b"bytes").is_err());
        assert_eq!(names(dir.path()), ["taken"]);
        assert!(write(&dir.path().join("missing/report.json"), b"bytes").is_err());
    }

    #[test]
    fn only_temporary_files_of_ours_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        for name in [".talkmeter-x1.tmp", ".talkmeter-notes", "mine.tmp", ".a.json.part", ".film.mkv.part"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        remove_temporary(dir.path(), |name| name == "a.json").unwrap();
        assert_eq!(names(dir.path()), [".film.mkv.part", ".talkmeter-notes", "mine.tmp"]);
    }
}
