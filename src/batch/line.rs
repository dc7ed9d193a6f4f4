//! One line of a ledger, as JSON.
//!
//! It is written from [`Event`] by serde, and read through [`Fields`], which borrows its texts: a ledger may have millions of
//! lines.

use std::borrow::Cow;

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

/// A text that is borrowed where no escape is in it, in an option as well. Serde must see the name `Cow` for that.
#[derive(Deserialize)]
#[serde(transparent)]
struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members of all events; each event has some of them.
#[derive(Deserialize)]
struct Fields<'a> {
    at: Timestamp,
    #[serde(borrow)]
    event: Cow<'a, str>,
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
    staged: Option<Borrowed<'a>>,
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
                staged: optional(of.staged),
            },
            "staging" => Self::Staging { blake3: text(of.blake3, "blake3")?, url: text(of.url, "url")? },
            "unstaged" => Self::Unstaged { blake3: text(of.blake3, "blake3")?, url: text(of.url, "url")? },
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Every event with all of its members, as it is written.
    fn events() -> Vec<Value> {
        vec![
            json!({"event": "batch", "base_url": "https://h/api/v1", "region": "cn", "workspace": "w", "recognition": {"model": "m"}, "files_per_task": 2}),
            json!({"event": "item", "n": 1, "url": "https://h/客\"1.wav", "key": "https://h/%E5%AE%A2%221.wav", "name": "客_1", "channels": [0, 1], "repeated": [2], "id": "7", "stamp": {"bytes": 5, "modified": "2026-11-01T00:00:00Z"}, "columns": {"b": "2", "a": "1"}}),
            json!({"event": "described", "n": 1, "columns": {"team": "Süd"}}),
            json!({"event": "readdressed", "n": 1, "url": "u", "key": "k", "stamp": {"bytes": 5}}),
            json!({"event": "uploaded", "blake3": "00", "url": "oss://b/k", "expires": "2026-11-03T00:00:00Z"}),
            json!({"event": "uploaded", "blake3": "00", "url": "https://h/00.wav", "expires": "2026-11-03T00:00:00Z", "staged": "s3://b/00.wav"}),
            json!({"event": "staging", "blake3": "00", "url": "s3://b/00.wav"}),
            json!({"event": "unstaged", "blake3": "00", "url": "s3://b/00.wav"}),
            json!({"event": "intent", "attempt": 1, "items": [1, 2], "urls": ["u", "v"], "server_time": "2026-11-01T00:00:00.5Z"}),
            json!({"event": "accepted", "attempt": 1, "task_id": "job/1", "request_id": "r", "found": true}),
            json!({"event": "refused", "attempt": 1, "code": "c", "message": "line\nbreak \u{1F600}", "request_id": "r", "again": false}),
            json!({"event": "uncertain", "attempt": 1, "why": "w"}),
            json!({"event": "absent", "attempt": 1}),
            json!({"event": "given_up", "attempt": 1}),
            json!({"event": "ended", "task_id": "t", "status": "SUCCEEDED", "usage": {"duration": 9, "x": [1.5, null]}}),
            json!({"event": "stored", "n": 1, "task_id": "t", "file": "results/000001-a.json", "bytes": 9, "blake3": "00", "silent": true, "untranscribed": [1]}),
            json!({"event": "failed", "n": 1, "task_id": "t", "code": "c", "message": "m", "request_id": "r"}),
            json!({"event": "reopened", "n": 1, "why": "w"}),
            json!({"event": "recognized", "url": "u", "model": "m", "region": "intl", "request_id": "r", "usage": {"seconds": 1}, "file": "f", "answer": "a", "bytes": 2, "blake3": "00", "silent": true}),
        ]
    }

    fn with_time(mut event: Value) -> Value {
        event["at"] = json!("2026-11-01T00:00:00.123456789Z");
        event
    }

    #[test]
    fn every_event_is_read_as_it_was_written() {
        for event in events() {
            let json = with_time(event).to_string();
            let line = Line::read(json.as_bytes()).unwrap();
            assert_ne!(line.event, Event::Unknown, "{json}");
            let written = serde_json::to_string(&line).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), serde_json::from_str::<Value>(&json).unwrap());
            assert_eq!(Line::read(written.as_bytes()).unwrap(), line, "{written}");
        }
    }

    #[test]
    fn without_an_optional_member_a_line_is_read_and_without_another_it_is_refused() {
        let optional = [
            "workspace",
            "channels",
            "repeated",
            "id",
            "stamp",
            "columns",
            "server_time",
            "request_id",
            "found",
            "usage",
            "silent",
            "untranscribed",
            "task_id",
            "staged",
        ];
        for event in events() {
            let whole = with_time(event);
            for name in whole.as_object().unwrap().keys().filter(|name| *name != "event") {
                let mut cut = whole.clone();
                cut.as_object_mut().unwrap().remove(name);
                let json = cut.to_string();
                let is_read = Line::read(json.as_bytes()).is_ok();
                let is_optional = optional.contains(&name.as_str())
                    && !matches!(
                        (whole["event"].as_str(), name.as_str()),
                        (Some("accepted" | "ended" | "stored"), "task_id") | (Some("described"), "columns")
                    );
                assert_eq!(is_read, is_optional, "{json}");
                // An optional one that is read keeps what else there is.
                if let Ok(line) = Line::read(json.as_bytes()) {
                    assert_eq!(serde_json::to_value(&line).unwrap(), cut);
                }
            }
        }
        let unknown = with_time(json!({"event": "from a later version", "n": "another type"}));
        assert!(Line::read(unknown.to_string().as_bytes()).is_err());
        let unknown = with_time(json!({"event": "from a later version", "more": 1}));
        assert_eq!(Line::read(unknown.to_string().as_bytes()).unwrap().event, Event::Unknown);
    }

    #[test]
    fn texts_without_escapes_are_borrowed() {
        let json =
            br#"{"at":"2026-11-01T00:00:00Z","event":"intent","attempt":1,"items":[1],"urls":["https://h/a.wav"]}"#;
        let Event::Intent { urls, .. } = Line::read(json).unwrap().event else { panic!("another event") };
        assert!(matches!(urls[0], Text::Borrowed(_)));
    }
}
