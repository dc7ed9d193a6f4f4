//! Results on disk: whole or not at all, byte for byte as received.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use serde_json::json;

use super::event::RecordingNo;
use super::identity::content;
use super::result_name::is_file_name;
use super::state::{FailedState, Phase, RecordingState, State};
use crate::client::{ReceivedResult, TaskId};
use crate::disk;
use crate::error::{Error, Result};

/// The folder of results below that of a batch.
pub const FOLDER: &str = "results";
/// The list of failed files below the folder of a batch.
pub const FAILURES: &str = "failures.csv";

/// What was written.
#[derive(Debug)]
pub(crate) struct Written {
    pub(super) file: String,
    pub(super) bytes: u64,
    pub(super) blake3: blake3::Hash,
    pub(super) untranscribed: Vec<i64>,
    /// Where another file is kept that was in its place.
    pub(super) aside: Option<String>,
}

/// Makes the folders and clears away what a killed run left half-written.
pub(super) fn prepare(dir: &Path) -> Result<()> {
    let folder = dir.join(FOLDER);
    fs::create_dir_all(&folder).map_err(|error| Error::io("make", &folder, error))?;
    disk::remove_temporary(dir, |name| name == FAILURES)?;
    disk::remove_temporary(&folder, is_result)
}

/// Whether this is the name of a file in the folder of results: `000001-name.json`, `flash-000001-name.json` and its answer.
pub(crate) fn is_result(name: &str) -> bool {
    let name = name.strip_prefix("flash-").unwrap_or(name);
    let Some((number, rest)) = name.split_once('-') else { return false };
    number.len() >= 6
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && (rest.ends_with(".json") || rest.ends_with(".answer"))
}

/// Where the result of a recording lies, below the folder of the batch.
pub(super) fn place(n: RecordingNo, name: &str) -> String {
    format!("{FOLDER}/{:06}-{name}.json", n.get())
}

/// Whether a file of a ledger is one of a flash call, `results/flash-<n>-<name>` with this extension.
pub(super) fn is_clip(file: &str, extension: &str) -> bool {
    let file = file.replace('\\', "/");
    let name = file.strip_prefix(FOLDER).and_then(|file| file.strip_prefix('/')).unwrap_or_default();
    name.starts_with("flash-") && is_result(name) && is_file_name(name) && name.ends_with(extension)
}

/// The result of a recording without speech, which the service does not write.
pub(crate) fn silence(url: &str) -> Bytes {
    Bytes::from(format!("{}\n", json!({"file_url": url, "transcripts": []})))
}

/// Writes an empty transcript in its place.
pub(crate) fn store(dir: &Path, file: &str, silence: &Bytes) -> Result<blake3::Hash> {
    disk::write(&dir.join(file), silence)?;
    Ok(blake3::hash(silence))
}

/// Puts an empty transcript in the place of a result, and keeps aside what is there with other content.
pub(super) fn replace_by_silence(dir: &Path, file: String, silence: &Bytes) -> Result<Written> {
    let aside = set_aside(dir, &file, silence.len() as u64, &blake3::hash(silence))?;
    let blake3 = store(dir, &file, silence)?;
    Ok(Written { file, bytes: silence.len() as u64, blake3, untranscribed: Vec::new(), aside })
}

/// The same for a result that was received.
pub(super) fn replace(dir: &Path, file: String, received: ReceivedResult) -> Result<Written> {
    let aside = set_aside(dir, &file, received.stored.bytes, &received.stored.hash)?;
    let stored = received.keep()?;
    let untranscribed = stored.outline.untranscribed().collect();
    Ok(Written { file, bytes: stored.bytes, blake3: stored.hash, untranscribed, aside })
}

/// Keeps a file that has other content from being overwritten: it gets the extension `changed`, and a number where that is taken.
/// Returns its new name.
fn set_aside(dir: &Path, file: &str, bytes: u64, blake3: &blake3::Hash) -> Result<Option<String>> {
    let path = dir.join(file);
    let is_other = fs::symlink_metadata(&path).is_ok_and(|found| {
        let may_be_same = found.is_file() && found.len() == bytes;
        let is_same = may_be_same && content(&path).is_ok_and(|hash| hash == *blake3);
        !found.is_dir() && !is_same
    });
    if !is_other {
        return Ok(None);
    }
    let names = std::iter::once(format!("{file}.changed")).chain((2..).map(|n| format!("{file}.changed-{n}")));
    let free = names.take(1000).find(|name| fs::symlink_metadata(dir.join(name)).is_err());
    let free = free.ok_or_else(|| Error::ledger(format!("{} was changed too often", path.display())))?;
    fs::rename(&path, dir.join(&free)).map_err(|error| Error::io("keep aside", &path, error))?;
    Ok(Some(free))
}

/// Whether results can no longer be written at all, after one could not be: the disk is full, or the folder is not writable.
pub(super) fn takes_no_more(dir: &Path, error: &Error) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<std::io::Error>());
    cause.is_some_and(|cause| matches!(cause.kind(), QuotaExceeded | ReadOnlyFilesystem | StorageFull))
        || disk::create(&dir.join(FOLDER).join("probe")).is_err()
}

/// A file that has no result, for `failures.csv` and callers.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Failure {
    /// The number of the recording.
    pub recording: RecordingNo,
    /// As given.
    pub url: String,
    /// The task it was in, if it came so far.
    pub task_id: String,
    /// The service's code, or ours in `snake_case`.
    pub code: String,
    /// In words.
    pub message: String,
    /// The service's name for the request that brought the news.
    pub request_id: String,
    /// What can be done, by the caller's [`BatchRequest::hints`](super::BatchRequest::hints); may be empty.
    pub hint: String,
}

impl Failure {
    pub(super) fn new(
        recording: &RecordingState,
        task: Option<&TaskId>,
        code: &str,
        message: &str,
        request_id: Option<String>,
    ) -> Self {
        Self {
            recording: recording.n,
            url: recording.url().to_owned(),
            task_id: task.map(ToString::to_string).unwrap_or_default(),
            code: code.to_owned(),
            message: message.to_owned(),
            request_id: request_id.unwrap_or_default(),
            hint: String::new(),
        }
    }

    /// What failed for good.
    pub(super) fn from_state(state: &State) -> Vec<Self> {
        let failed = state.recordings.iter().filter_map(|recording| match &recording.phase {
            Phase::Failed(failed) => {
                let FailedState { task, code, message, request_id } = &**failed;
                Some(Self::new(recording, task.as_ref(), code, message, request_id.clone()))
            }
            _ => None,
        });
        failed.collect()
    }
}

/// Writes `failures.csv`, header only where nothing failed.
pub(super) fn write_failures(dir: &Path, failures: &[Failure]) -> Result<()> {
    let path = dir.join(FAILURES);
    let mut csv = csv::Writer::from_writer(Vec::new());
    let written =
        csv.write_record(["item", "url", "task_id", "code", "message", "request_id", "hint"]).and_then(|()| {
            failures.iter().try_for_each(|failure| {
                let Failure { recording, url, task_id, code, message, request_id, hint } = failure;
                csv.write_record([&recording.to_string(), url, task_id, code, message, request_id, hint])
            })
        });
    let bytes = written.map_err(|error| Error::io("write", &path, std::io::Error::other(error))).and_then(|()| {
        csv.into_inner().map_err(|error| Error::io("write", &path, std::io::Error::other(error.to_string())))
    })?;
    disk::write(&path, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_run_left_half_written_is_cleared_away() {
        let dir = tempfile::tempdir().unwrap();
        prepare(dir.path()).unwrap();
        fs::write(dir.path().join("results/.talkmeter-a1.tmp"), "{").unwrap();
        fs::write(dir.path().join("results/mine.txt"), "").unwrap();
        prepare(dir.path()).unwrap();
        let left: Vec<_> =
            fs::read_dir(dir.path().join("results")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["mine.txt"]);
    }
}
