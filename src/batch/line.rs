//! One line of a ledger, as JSON.
//!
//! It is written from [`Event`] by serde, and read through [`Fields`], which borrows its texts: a ledger may have millions of
//! lines.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::columns::Columns;
use super::event::{AttemptNo, Event, RecordingNo, Text};
use super::identity::FileStamp;

/// A line: when, and what.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Line<'a> {
    pub(super) at: Timestamp,
    #[serde(flatten)]
    pub(super) event: Event<'a>,
}

/// A text that is borrowed where no escape is in it, in an option as well.
#[derive(Deserialize)]
#[serde(transparent)]
struct Borrowed<'a>(#[serde(borrow)] Text<'a>);

/// The members of all events; each event has some of them.
#[derive(Deserialize)]
struct Fields<'a> {
    at: Timestamp,
    #[serde(borrow)]
    event: Text<'a>,
    n: Option<RecordingNo>,
    #[serde(borrow)]
    url: Option<Borrowed<'a>>,
    #[serde(borrow)]
    key: Option<Borrowed<'a>>,
    #[serde(borrow)]
    name: Option<Borrowed<'a>>,
    channels: Option<Vec<u32>>,
    #[serde(default)]
    repeated: Vec<u32>,
    #[serde(borrow)]
    id: Option<Borrowed<'a>>,
    stamp: Option<FileStamp>,
    columns: Option<Columns>,
    attempt: Option<AttemptNo>,
    items: Option<Vec<RecordingNo>>,
    #[serde(borrow)]
    urls: Option<Vec<Borrowed<'a>>>,
    server_time: Option<Timestamp>,
    #[serde(borrow)]
    task_id: Option<Borrowed<'a>>,
    #[serde(borrow)]
    request_id: Option<Borrowed<'a>>,
    #[serde(default)]
    found: bool,
    #[serde(borrow)]
    code: Option<Borrowed<'a>>,
    #[serde(borrow)]
    message: Option<Borrowed<'a>>,
    again: Option<bool>,
    #[serde(borrow)]
    why: Option<Borrowed<'a>>,
    #[serde(borrow)]
    status: Option<Borrowed<'a>>,
    usage: Option<Value>,
    #[serde(borrow)]
    file: Option<Borrowed<'a>>,
    #[serde(borrow)]
    answer: Option<Borrowed<'a>>,
    bytes: Option<u64>,
    #[serde(borrow)]
    blake3: Option<Borrowed<'a>>,
    #[serde(default)]
    silent: bool,
    #[serde(default)]
    untranscribed: Vec<i64>,
    expires: Option<Timestamp>,
    #[serde(borrow)]
    base_url: Option<Borrowed<'a>>,
    #[serde(borrow)]
    region: Option<Borrowed<'a>>,
    #[serde(borrow)]
    workspace: Option<Borrowed<'a>>,
    #[serde(borrow)]
    model: Option<Borrowed<'a>>,
    recognition: Option<Value>,
    files_per_task: Option<usize>,
}

/// A member that an event must have.
fn needed<T>(value: Option<T>, name: &str) -> Result<T, String> {
    value.ok_or_else(|| format!("it has no `{name}`"))
}

fn text<'a>(value: Option<Borrowed<'a>>, name: &str) -> Result<Text<'a>, String> {
    needed(value, name).map(|text| text.0)
}

fn optional(value: Option<Borrowed<'_>>) -> Option<Text<'_>> {
    value.map(|text| text.0)
}

impl<'a> Line<'a> {
    /// Reads a line.
    ///
    /// # Errors
    /// It is no JSON object, or a member is missing or of another type.
    pub(super) fn read(json: &'a [u8]) -> Result<Self, String> {
        let fields: Fields<'a> =
            serde_json::from_slice(json).map_err(|error| format!("not a line of a ledger: {error}"))?;
        let (at, kind) = (fields.at, fields.event.clone());
        let event =
            Event::of(fields).map_err(|why| format!("not a line of a ledger: {why}, as event `{kind}` must"))?;
        Ok(Self { at, event })
    }
}

impl<'a> Event<'a> {
    fn of(of: Fields<'a>) -> Result<Self, String> {
        Ok(match &*of.event {
            "batch" => Self::Batch {
                base_url: text(of.base_url, "base_url")?,
                region: text(of.region, "region")?,
                workspace: optional(of.workspace),
                recognition: needed(of.recognition, "recognition")?,
                files_per_task: needed(of.files_per_task, "files_per_task")?,
            },
            "item" => Self::Recording {
                n: needed(of.n, "n")?,
                url: text(of.url, "url")?,
                key: text(of.key, "key")?,
                name: text(of.name, "name")?,
                channels: of.channels,
                repeated: of.repeated,
                id: optional(of.id),
                stamp: of.stamp,
                columns: of.columns,
            },
            "described" => Self::Described { n: needed(of.n, "n")?, columns: needed(of.columns, "columns")? },
            "readdressed" => Self::Readdressed {
                n: needed(of.n, "n")?,
                url: text(of.url, "url")?,
                key: text(of.key, "key")?,
                stamp: of.stamp,
            },
            "uploaded" => Self::Uploaded {
                blake3: text(of.blake3, "blake3")?,
                url: text(of.url, "url")?,
                expires: needed(of.expires, "expires")?,
            },
            "intent" => Self::Intent {
                attempt: needed(of.attempt, "attempt")?,
                recordings: needed(of.items, "items")?,
                urls: needed(of.urls, "urls")?.into_iter().map(|url| url.0).collect(),
                server_time: of.server_time,
            },
            "accepted" => Self::Accepted {
                attempt: needed(of.attempt, "attempt")?,
                task_id: text(of.task_id, "task_id")?,
                request_id: optional(of.request_id),
                found: of.found,
            },
            "refused" => Self::Refused {
                attempt: needed(of.attempt, "attempt")?,
                code: text(of.code, "code")?,
                message: text(of.message, "message")?,
                request_id: optional(of.request_id),
                again: needed(of.again, "again")?,
            },
            "uncertain" => Self::Uncertain { attempt: needed(of.attempt, "attempt")?, why: text(of.why, "why")? },
            "absent" => Self::Absent { attempt: needed(of.attempt, "attempt")? },
            "given_up" => Self::GivenUp { attempt: needed(of.attempt, "attempt")? },
            "ended" => Self::Ended {
                task_id: text(of.task_id, "task_id")?,
                status: text(of.status, "status")?,
                usage: of.usage,
            },
            "stored" => Self::Stored {
                n: needed(of.n, "n")?,
                task_id: text(of.task_id, "task_id")?,
                file: text(of.file, "file")?,
                bytes: needed(of.bytes, "bytes")?,
                blake3: text(of.blake3, "blake3")?,
                silent: of.silent,
                untranscribed: of.untranscribed,
            },
            "failed" => Self::Failed {
                n: needed(of.n, "n")?,
                task_id: optional(of.task_id),
                code: text(of.code, "code")?,
                message: text(of.message, "message")?,
                request_id: optional(of.request_id),
            },
            "reopened" => Self::Reopened { n: needed(of.n, "n")?, why: text(of.why, "why")? },
            "recognized" => Self::Recognized {
                url: text(of.url, "url")?,
                model: text(of.model, "model")?,
                region: text(of.region, "region")?,
                request_id: optional(of.request_id),
                usage: of.usage,
                file: text(of.file, "file")?,
                answer: text(of.answer, "answer")?,
                bytes: needed(of.bytes, "bytes")?,
                blake3: text(of.blake3, "blake3")?,
                silent: of.silent,
            },
            _ => Self::Unknown,
        })
    }
}
