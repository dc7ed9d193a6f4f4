//! Atomic file writes: a file appears under its name complete, or not at all.
//!
//! The bytes go to a temporary file in the same folder, are flushed to disk, and the file is renamed. The folder is flushed too, so
//! that the name survives a power cut.
//!
//! A temporary file is removed when its process gives it up or is interrupted. One that a killed process left is removed by the
//! next process that writes to the folder, which it knows by its free lock.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;
#[cfg(feature = "cli")]
use tempfile::TempDir;

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

/// Makes the folder that a file is to be written to.
///
/// # Errors
/// [`crate::ErrorKind::Io`] if it cannot be made.
#[cfg(feature = "cli")]
pub(crate) fn make_folder_of(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.map_or(Ok(()), |folder| {
        fs::create_dir_all(folder).map_err(|error| Error::io("make the folder", folder, error))
    })
}

/// What goes when the process is interrupted.
static UNFINISHED: Mutex<Unfinished> =
    Mutex::new(Unfinished { paths: BTreeSet::new(), folders: BTreeSet::new(), swept: BTreeSet::new() });

#[derive(Debug)]
pub(crate) struct Unfinished {
    /// Temporary files, and folders that go if they are empty.
    paths: BTreeSet<PathBuf>,
    /// Folders that go with all that is in them.
    folders: BTreeSet<PathBuf>,
    /// What temporary files of killed processes begin with, in folders without any.
    swept: BTreeSet<PathBuf>,
}

/// The lock under which files are created and renamed.
fn unfinished() -> MutexGuard<'static, Unfinished> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes what has no name yet. While the answer is held, no file is created or renamed.
#[cfg(feature = "cli")]
pub(crate) fn remove_unfinished() -> MutexGuard<'static, Unfinished> {
    let mut unfinished = unfinished();
    let paths = std::mem::take(&mut unfinished.paths);
    // Files before the folders they are in, and inner folders before outer ones.
    for path in &paths {
        let _ = fs::remove_file(path);
    }
    for path in paths.iter().rev() {
        let _ = fs::remove_dir(path);
    }
    for folder in std::mem::take(&mut unfinished.folders) {
        let _ = fs::remove_dir_all(folder);
    }
    unfinished
}

/// A folder in the system's folder for temporary files that only this user can read. It goes with all that is in it when it is
/// dropped or the process is interrupted.
#[cfg(feature = "cli")]
#[derive(Debug)]
pub(crate) struct TemporaryFolder(TempDir);

#[cfg(feature = "cli")]
impl TemporaryFolder {
    /// # Errors
    /// [`crate::ErrorKind::Io`] if the folder cannot be made.
    pub(crate) fn create() -> Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("talkmeter-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o700));
        }
        let mut unfinished = unfinished();
        let folder = builder.tempdir().map_err(|error| Error::io("write to", &std::env::temp_dir(), error))?;
        unfinished.folders.insert(folder.path().to_owned());
        Ok(Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

#[cfg(feature = "cli")]
impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        unfinished().folders.remove(self.0.path());
    }
}

/// A folder that is about to be made: it goes if it is empty when the process is interrupted.
#[cfg(feature = "analytics")]
pub(crate) fn folder_to_come(folder: &Path) {
    unfinished().paths.insert(folder.to_owned());
}

/// Creates a temporary file next to `path`, with the permissions of a new file. It is removed when dropped.
///
/// # Errors
/// [`crate::ErrorKind::Io`] if the folder is not writable.
pub(crate) fn create(path: &Path) -> Result<NamedTempFile> {
    create_with(path, PREFIX)
}

fn create_with(path: &Path, prefix: &str) -> Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).suffix(SUFFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    create_in(&folder(path), prefix, &builder)
}

/// Creates a temporary file that only this user can read, in the system's folder for such files. It is removed when dropped.
///
/// # Errors
/// [`crate::ErrorKind::Io`] if the folder is not writable.
#[cfg(feature = "cli")]
pub(crate) fn create_private() -> Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    create_in(&std::env::temp_dir(), PREFIX, &builder)
}

/// The same in a folder that processes of several machines write to at once, perhaps without locks that they share: only
/// temporary files of the same `path` are taken for abandoned.
///
/// # Errors
/// [`crate::ErrorKind::Io`] if the folder is not writable.
#[cfg(feature = "analytics")]
pub(crate) fn create_among_others(path: &Path) -> Result<NamedTempFile> {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    create_with(path, &format!("{PREFIX}{name}-"))
}

fn create_in(folder: &Path, prefix: &str, builder: &tempfile::Builder<'_, '_>) -> Result<NamedTempFile> {
    let mut unfinished = unfinished();
    if cfg!(unix) && unfinished.swept.insert(folder.join(prefix)) {
        remove_abandoned(folder, prefix);
    }
    let file = builder.tempfile_in(folder).map_err(|error| Error::io("write to", folder, error))?;
    // The lock tells a file in use from one that was left. Elsewhere it would keep others from writing: what was left stays.
    if cfg!(unix) {
        let _ = file.as_file().try_lock();
    }
    unfinished.paths.insert(file.path().to_owned());
    Ok(file)
}

/// Whether a file name is that of a temporary file of ours.
fn is_temporary(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// Removes temporary files whose process has ended, if their names begin with `prefix`. A file that cannot be removed stays.
fn remove_abandoned(folder: &Path, prefix: &str) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_ours = name.to_str().is_some_and(|name| is_temporary(name) && name.starts_with(prefix));
        if is_ours && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            let is_abandoned = File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok());
            if is_abandoned {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Flushes a temporary file, gives it its name and flushes the folder.
///
/// # Errors
/// [`crate::ErrorKind::Io`] if the file cannot be flushed or renamed.
pub(crate) fn persist(file: NamedTempFile, path: &Path) -> Result<()> {
    rename([(file, path.to_owned())])?;
    flush_folder(&folder(path));
    Ok(())
}

/// The same for several files, whose folders are flushed once at the end.
///
/// # Errors
/// [`crate::ErrorKind::Io`] for the first file that cannot be flushed or renamed; files before it keep their names.
#[cfg(feature = "analytics")]
pub(crate) fn persist_all(files: impl IntoIterator<Item = (NamedTempFile, PathBuf)>) -> Result<Vec<PathBuf>> {
    let paths = rename(files)?;
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
        let is_ours = |name: &str| {
            let part_of = name.strip_prefix('.').and_then(|name| name.strip_suffix(".part"));
            is_temporary(name) || part_of.is_some_and(&is_written)
        };
        if name.to_str().is_some_and(is_ours) {
            fs::remove_file(entry.path()).map_err(|error| Error::io("remove", &entry.path(), error))?;
        }
    }
    Ok(())
}

/// Flushes files and gives them their names, all before the process can be interrupted.
fn rename(files: impl IntoIterator<Item = (NamedTempFile, PathBuf)>) -> Result<Vec<PathBuf>> {
    let failed = |path: &Path, error| Error::io("write", path, error);
    let files: Vec<(NamedTempFile, PathBuf)> = files.into_iter().collect();
    for (file, path) in &files {
        file.as_file().sync_all().map_err(|error| failed(path, error))?;
    }
    let mut unfinished = unfinished();
    let mut paths = Vec::new();
    for (file, path) in files {
        unfinished.paths.remove(file.path());
        file.persist(&path).map_err(|error| failed(&path, error.error))?;
        paths.push(path);
    }
    Ok(paths)
}

/// The folder of a file; a bare name is in the current one.
fn folder(path: &Path) -> PathBuf {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// Removes a file, if it is there, and flushes the folder.
///
/// # Errors
/// [`crate::ErrorKind::Io`] if it cannot be removed.
#[cfg(feature = "analytics")]
pub(crate) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::io("remove", path, error)),
        _ => flush_folder(&folder(path)),
    }
    Ok(())
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

    #[cfg(unix)]
    #[test]
    fn what_a_killed_process_left_goes_with_the_next_file() {
        let dir = tempfile::tempdir().unwrap();
        let held = create(&dir.path().join("held")).unwrap();
        fs::write(dir.path().join(".talkmeter-left.tmp"), "").unwrap();
        fs::write(dir.path().join("mine.tmp"), "").unwrap();
        // As another process would.
        unfinished().swept.remove(&dir.path().join(PREFIX));
        write(&dir.path().join("report.json"), b"{}").unwrap();
        let held_name = held.path().file_name().unwrap().to_str().unwrap();
        assert_eq!(names(dir.path()), [held_name, "mine.tmp", "report.json"]);
    }

    #[cfg(unix)]
    #[test]
    fn among_others_only_what_is_of_the_same_file_is_abandoned() {
        let dir = tempfile::tempdir().unwrap();
        for name in [".talkmeter-part-1-x.tmp", ".talkmeter-part-2-x.tmp", ".talkmeter-x.tmp"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let file = create_among_others(&dir.path().join("part-1")).unwrap();
        persist(file, &dir.path().join("part-1")).unwrap();
        assert_eq!(names(dir.path()), [".talkmeter-part-2-x.tmp", ".talkmeter-x.tmp", "part-1"]);
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
