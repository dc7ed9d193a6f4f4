//! Results on disk: whole or not at all, byte for byte as received.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::event::RecordingNo;
use super::identity::content;
use super::result_name::is_file_name;
use super::state::{FailedState, Phase, RecordingState, State};
use crate::client::TaskId;
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

/// Puts a result in its place. `Err` with `InvalidData` where the bytes are no JSON: the transfer was cut short.
pub(crate) fn store(dir: &Path, file: String, bytes: &Bytes) -> Result<Written> {
    let untranscribed = untranscribed(bytes)
        .map_err(|error| Error::protocol(format!("the result for {file} is no JSON, so not whole: {error}")))?;
    disk::write(&dir.join(&file), bytes)?;
    let blake3 = blake3::hash(bytes);
    Ok(Written { file, bytes: bytes.len() as u64, blake3, untranscribed, aside: None })
}

/// Puts a result in its place, and keeps aside what is there with other content.
pub(super) fn replace(dir: &Path, file: String, bytes: &Bytes) -> Result<Written> {
    let aside = set_aside(dir, &file, bytes)?;
    Ok(Written { aside, ..store(dir, file, bytes)? })
}

/// Keeps a file that has other content than `bytes` from being overwritten: it gets the extension `changed`, and a number where
/// that is taken. Returns its new name.
fn set_aside(dir: &Path, file: &str, bytes: &[u8]) -> Result<Option<String>> {
    let path = dir.join(file);
    let is_other = fs::symlink_metadata(&path).is_ok_and(|found| {
        let may_be_same = found.is_file() && found.len() == bytes.len() as u64;
        let is_same = may_be_same && content(&path).is_ok_and(|hash| hash == blake3::hash(bytes));
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

/// Tracks that the recording has and the result has no transcript of.
fn untranscribed(bytes: &[u8]) -> serde_json::Result<Vec<i64>> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Tracks {
        properties: serde_json::Value,
        transcripts: serde_json::Value,
    }
    // Only that it is whole must hold; what it says is for `transcript` to judge.
    let tracks: Tracks = match serde_json::from_slice(bytes) {
        Ok(tracks) => tracks,
        Err(_) => {
            serde_json::from_slice::<serde::de::IgnoredAny>(bytes)?;
            Tracks::default()
        }
    };
    let numbers = |of: &serde_json::Value| of.as_i64();
    let there: Vec<i64> = tracks
        .properties
        .get("channels")
        .and_then(serde_json::Value::as_array)
        .map(|channels| channels.iter().filter_map(numbers).collect())
        .unwrap_or_default();
    let heard: Vec<i64> = tracks
        .transcripts
        .as_array()
        .map(|all| all.iter().filter_map(|one| one.get("channel_id").and_then(numbers)).collect())
        .unwrap_or_default();
    Ok(there.into_iter().filter(|track| !heard.is_empty() && !heard.contains(track)).collect())
}

/// A file that has no result, for `failures.csv` and for whoever asks.
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
    fn a_result_is_stored_as_it_came_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        prepare(dir.path()).unwrap();
        let bytes =
            Bytes::from_static(b" {\"properties\":{\"channels\":[0,1]},\"transcripts\":[{\"channel_id\":0}]}\n");
        let written = store(dir.path(), place(RecordingNo::new(7), "call"), &bytes).unwrap();
        assert_eq!((written.file.as_str(), &written.untranscribed[..]), ("results/000007-call.json", &[1][..]));
        assert_eq!(fs::read(dir.path().join(&written.file)).unwrap(), bytes);
        let cut = bytes.slice(..20);
        assert!(store(dir.path(), place(RecordingNo::new(8), "cut"), &cut).is_err());
        assert_eq!(fs::read_dir(dir.path().join(FOLDER)).unwrap().count(), 1);
    }

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

    #[test]
    fn tracks_without_a_transcript_are_named() {
        let of = |json: &str| untranscribed(json.as_bytes()).unwrap();
        assert_eq!(of(r#"{"properties":{"channels":[0,1,2]},"transcripts":[{"channel_id":1}]}"#), [0, 2]);
        assert_eq!(of(r#"{"properties":{"channels":[0,1]},"transcripts":[]}"#), Vec::<i64>::new(), "silence");
        assert_eq!(of("[1, 2]"), Vec::<i64>::new());
        assert_eq!(of(r#"{"properties": 7, "transcripts": "x"}"#), Vec::<i64>::new());
    }
}
