//! What a ledger's lines say.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::columns::Columns;
use super::identity::FileStamp;
use crate::client::TaskId;

/// Borrowed from a line that was read, owned in one that is written.
pub(super) type Text<'a> = Cow<'a, str>;

/// The number of a recording in its batch: from 1, in the order in which recordings were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordingNo(u32);

impl RecordingNo {
    pub(super) const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number itself, as in the names of result files.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Its index among the recordings of the batch; `None` for 0, which is no number.
    pub(super) fn index(self) -> Option<usize> {
        (self.0 as usize).checked_sub(1)
    }
}

impl fmt::Display for RecordingNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of an attempt to submit, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct AttemptNo(u64);

impl AttemptNo {
    pub(super) const FIRST: Self = Self(1);

    #[cfg(test)]
    pub(super) const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The attempt after this one.
    pub(super) const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Whether there can be an attempt of this number, with others after it.
    pub(super) const fn is_possible(self) -> bool {
        self.0 > 0 && self.0 < 1 << 53
    }
}

impl fmt::Display for AttemptNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Event<'a> {
    /// What is asked of the service; the same for every file of a batch.
    Batch {
        base_url: Text<'a>,
        region: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        workspace: Option<Text<'a>>,
        /// Model, parameters and context, as [`Recognition::to_json`](crate::client::Recognition::to_json) has them.
        recognition: Value,
        files_per_task: usize,
    },
    /// A recording to transcribe.
    #[serde(rename = "item")]
    Recording {
        n: RecordingNo,
        /// As given: an address, or a path.
        url: Text<'a>,
        /// The address as sent, or the real path of a file as a `file://` URL.
        key: Text<'a>,
        /// For the name of its result.
        name: Text<'a>,
        /// The tracks that are requested of it; absent where they are those of the batch.
        #[serde(skip_serializing_if = "Option::is_none")]
        channels: Option<Vec<u32>>,
        /// Tracks with the same sound as one that is requested.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        repeated: Vec<u32>,
        /// The id that its list gives it.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<Text<'a>>,
        /// Of a local file.
        #[serde(skip_serializing_if = "Option::is_none")]
        stamp: Option<FileStamp>,
        /// The other columns of its row in the list.
        #[serde(skip_serializing_if = "Option::is_none")]
        columns: Option<Columns>,
    },
    /// A later list has other columns for a recording.
    Described { n: RecordingNo, columns: Columns },
    /// A recording came under another address or path, or its file was touched.
    Readdressed {
        n: RecordingNo,
        url: Text<'a>,
        key: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        stamp: Option<FileStamp>,
    },
    /// A file is about to be put into an object store. Flushed to disk before, so that what a killed run leaves there is known.
    Staging {
        blake3: Text<'a>,
        /// The object; its name begins with the hash.
        url: Text<'a>,
    },
    /// A file was put into temporary storage, or is in an object store.
    Uploaded {
        blake3: Text<'a>,
        /// Of an object, the address of its links without their signature.
        url: Text<'a>,
        /// Of an object the time of this line: by the address alone it cannot be read. So a version that does not know
        /// objects uploads the file anew.
        expires: Timestamp,
        /// The object.
        #[serde(skip_serializing_if = "Option::is_none")]
        staged: Option<Text<'a>>,
    },
    /// An object was deleted, or could not be put there.
    Unstaged { blake3: Text<'a>, url: Text<'a> },
    /// A submit is about to be sent. Flushed to disk before.
    Intent {
        attempt: AttemptNo,
        #[serde(rename = "items")]
        recordings: Vec<RecordingNo>,
        /// What is sent, in the order of `recordings`.
        urls: Vec<Text<'a>>,
        /// The service's clock; absent while it has not been seen.
        #[serde(skip_serializing_if = "Option::is_none")]
        server_time: Option<Timestamp>,
    },
    /// The service accepted it. Flushed to disk at once.
    Accepted {
        attempt: AttemptNo,
        task_id: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        request_id: Option<Text<'a>>,
        /// Not answered to us: found in the service's list afterwards.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        found: bool,
    },
    /// The service said no, or was never reached; nothing was accepted.
    Refused {
        attempt: AttemptNo,
        code: Text<'a>,
        message: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        request_id: Option<Text<'a>>,
        /// The same may be accepted later: it is submitted again.
        again: bool,
    },
    /// It is unknown whether the service accepted it.
    Uncertain { attempt: AttemptNo, why: Text<'a> },
    /// It is proved that the service did not accept it.
    Absent { attempt: AttemptNo },
    /// Nothing could be proved, and the user chose to submit again.
    GivenUp { attempt: AttemptNo },
    /// A task ended; what the service says it bills.
    Ended {
        task_id: Text<'a>,
        status: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        usage: Option<Value>,
    },
    /// A result is on disk, byte for byte.
    Stored {
        n: RecordingNo,
        task_id: Text<'a>,
        /// Below the batch's folder.
        file: Text<'a>,
        bytes: u64,
        blake3: Text<'a>,
        /// No speech was found: the file is ours, not the service's.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        silent: bool,
        /// Tracks of the recording that have no transcript.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        untranscribed: Vec<i64>,
    },
    /// A file failed for good.
    Failed {
        n: RecordingNo,
        #[serde(skip_serializing_if = "Option::is_none")]
        task_id: Option<Text<'a>>,
        code: Text<'a>,
        message: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        request_id: Option<Text<'a>>,
    },
    /// A recording is reopened: it failed and is tried again, or its result is missing or was changed.
    Reopened { n: RecordingNo, why: Text<'a> },
    /// A clip was recognised by a flash call: no task, no recording of the batch. Its result is on disk.
    Recognized {
        /// As given: an address, a path, or `-`.
        url: Text<'a>,
        model: Text<'a>,
        region: Text<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        request_id: Option<Text<'a>>,
        /// What the service says it bills, as received.
        #[serde(skip_serializing_if = "Option::is_none")]
        usage: Option<Value>,
        /// The result, below the folder.
        file: Text<'a>,
        /// The answer as received, below the folder.
        answer: Text<'a>,
        bytes: u64,
        blake3: Text<'a>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        silent: bool,
    },
    /// Written by a newer talkmeter; ignored.
    Unknown,
}

/// A task's id from a ledger.
pub(super) fn task_id(text: &str) -> Option<TaskId> {
    TaskId::new(text).ok()
}
