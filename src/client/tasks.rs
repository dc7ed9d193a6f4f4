//! Tasks: asynchronous recognition of whole files.
//!
//! | call | wire |
//! | --- | --- |
//! | [`Tasks::submit`] | `POST /services/audio/asr/transcription` |
//! | [`Tasks::query`], [`Tasks::wait`] | `GET /tasks/{id}` |
//! | [`Tasks::list`] | `GET /tasks` |
//! | [`Tasks::cancel`] | `POST /tasks/{id}/cancel` |
//! | [`Tasks::download`], [`Tasks::download_to`] | `GET` of a signed address on another host, without the key |

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use super::pacing::{Class, Permit};
use super::retry::RetrySafety;
use super::transport::{Answer, Body, Call, Target};
use super::{Client, Recognition};
use crate::error::{Error, Result};
use crate::redact::{without_queries, without_query};

/// The id of a task; cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(Arc<str>);

/// The longest id of a task, in bytes.
const LONGEST_ID: usize = 2000;

impl TaskId {
    /// Takes an id as the service gave it. Its form is not documented, so every text that an address can carry as one segment is
    /// an id; it is percent-encoded there.
    ///
    /// # Errors
    /// Empty, longer than 2,000 bytes, with a segment `.` or `..`, blank at either end, or with control characters.
    pub fn new(id: impl AsRef<str>) -> Result<Self> {
        let id = id.as_ref();
        let is_text = !id.is_empty() && id.len() <= LONGEST_ID && id.trim().len() == id.len();
        if !is_text || id.chars().any(char::is_control) || id.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err(Error::invalid(format!("{:?} is not a task id", id.chars().take(80).collect::<String>())));
        }
        Ok(Self(id.into()))
    }

    /// As the service spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The state of a task or of one of its files.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskStatus {
    /// Queued; only now can it be cancelled.
    Pending,
    /// Being processed.
    Running,
    /// Ended; its files may have failed all the same, see [`Task::outcomes`].
    Succeeded,
    /// Ended; usually every file failed.
    Failed,
    /// Cancelled before it began.
    Canceled,
    /// There is no such task, it ended over 24 hours ago, or the key may not see it.
    Unknown,
    /// A state unknown to this crate, as spelt by the service; treated as unfinished.
    Other(String),
}

impl TaskStatus {
    /// Parses the service's spelling.
    #[must_use]
    pub fn new(status: &str) -> Self {
        match status {
            "PENDING" => Self::Pending,
            "RUNNING" => Self::Running,
            "SUCCEEDED" => Self::Succeeded,
            "FAILED" => Self::Failed,
            "CANCELED" | "CANCELLED" => Self::Canceled,
            "UNKNOWN" => Self::Unknown,
            // Seen in place of a state, though it is a code.
            silence if is_silence(silence) => Self::Failed,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Whether the task has ended.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Canceled | Self::Unknown)
    }
}

impl fmt::Display for TaskStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Canceled => "CANCELED",
            Self::Unknown => "UNKNOWN",
            Self::Other(other) => other,
        })
    }
}

/// Whether a code or message says that there was no speech, which is a result, not a failure.
pub(super) fn is_silence(text: &str) -> bool {
    text.contains("SUCCESS_WITH_NO_VALID_FRAGMENT") || text.contains("ASR_RESPONSE_HAVE_NO_WORDS")
}

/// A task that was accepted.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Submitted {
    /// Its id.
    pub id: TaskId,
    /// The id of the submit request.
    pub request_id: Option<String>,
}

/// A task as the service reports it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Its state. Each file has a state of its own, in `outcomes`.
    pub status: TaskStatus,
    /// The outcome of each file; empty while there is none.
    pub outcomes: Vec<Outcome>,
    /// The code of a failure of the whole task.
    pub code: Option<String>,
    /// Its message.
    pub message: Option<String>,
    /// When the service accepted it.
    pub submitted: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// What is billed, as the service reports it: `{"duration": 9}` in seconds, or tokens.
    pub usage: Option<Value>,
    /// The id of the answer.
    pub request_id: Option<String>,
    /// The answer as received.
    pub raw: Value,
}

/// The outcome of one file of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// As submitted; `None` for Qwen3, which does not repeat it.
    pub file_url: Option<String>,
    /// Its own state.
    pub status: TaskStatus,
    /// The signed address of the result, valid for 24 hours.
    pub transcription_url: Option<String>,
    /// The code of its failure.
    pub code: Option<String>,
    /// Its message; often the code again.
    pub message: Option<String>,
}

impl Outcome {
    /// Whether no speech was found: an empty transcript, not a failure.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        self.transcription_url.is_none()
            && [&self.code, &self.message].into_iter().flatten().any(|text| is_silence(text))
    }
}

impl Task {
    fn read(answer: Answer, id: &TaskId) -> Result<Self> {
        let raw = answer.json;
        // One documented sample lacks the wrapper.
        let output = raw.get("output").filter(|output| output.is_object()).unwrap_or(&raw);
        let text = |of: &Value, name: &str| {
            of.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let Some(status) = text(output, "task_status") else {
            return Err(Error::protocol(format!("the answer on task {id} has no task_status")));
        };
        let message = |of: &Value| text(of, "message").map(|message| without_queries(&message));
        let (code, reason) = (text(output, "code"), message(output));
        let silent = is_silence(&status).then(|| status.clone());
        let status = TaskStatus::new(&status);
        let outcome = |result: &Value| Outcome {
            file_url: text(result, "file_url"),
            transcription_url: text(result, "transcription_url"),
            status: match text(result, "subtask_status") {
                Some(own) => TaskStatus::new(&own),
                // A single result has no state of its own.
                None => status.clone(),
            },
            code: text(result, "code"),
            message: message(result),
        };
        let mut outcomes: Vec<Outcome> = match (output.get("results"), output.get("result")) {
            (Some(Value::Array(results)), _) => {
                results.iter().filter(|result| result.is_object()).map(outcome).collect()
            }
            (_, Some(result)) if result.is_object() => vec![outcome(result)],
            _ => Vec::new(),
        };
        if outcomes.is_empty() && status == TaskStatus::Failed {
            outcomes.push(Outcome {
                file_url: None,
                status: TaskStatus::Failed,
                transcription_url: None,
                code: code.clone().or(silent),
                message: reason.clone(),
            });
        }
        // The failure of a single file may be reported on the task alone.
        if let [only] = outcomes.as_mut_slice()
            && only.transcription_url.is_none()
        {
            only.code = only.code.take().or_else(|| code.clone());
            only.message = only.message.take().or_else(|| reason.clone());
        }
        let usage = raw.get("usage").filter(|usage| usage.is_object()).cloned();
        let request_id = answer.request_id;
        let time = |name: &str| text(output, name).as_deref().and_then(task_time);
        let (submitted, ended) = (time("submit_time"), time("end_time"));
        Ok(Self { id: id.clone(), status, outcomes, code, message: reason, submitted, ended, usage, request_id, raw })
    }
}

/// `2026-03-02 14:05:11.201` in UTC+8, whatever the region.
fn task_time(text: &str) -> Option<Timestamp> {
    let local: jiff::civil::DateTime = text.parse().ok()?;
    jiff::tz::Offset::constant(8).to_timestamp(local).ok()
}

/// A task in a list, which names no file.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Listed {
    /// Its id.
    pub id: TaskId,
    /// Its state.
    pub status: TaskStatus,
    /// The model; `None` if the list does not say.
    pub model: Option<String>,
    /// When the service accepted it, by the service's clock.
    pub created: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// The row as received.
    pub raw: Value,
}

/// One page of the list.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Page {
    /// In the service's order, which is not documented.
    pub tasks: Vec<Listed>,
    /// Tasks on all pages, if the service says.
    pub total: Option<u64>,
    /// The number of pages, if the service says.
    pub pages: Option<u64>,
    /// Rows of this page, whether they could be read or not.
    rows: u64,
    /// Rows asked for.
    size: u64,
}

impl Page {
    /// Rows of this page that name no task.
    pub(crate) fn unreadable(&self) -> u64 {
        self.rows.saturating_sub(self.tasks.len() as u64)
    }

    /// Whether no page follows this one, which is number `page`.
    #[must_use]
    pub fn is_last(&self, page: u64) -> bool {
        self.rows == 0 || self.pages.map_or(self.rows < self.size, |pages| page >= pages)
    }
}

/// Which tasks to list. The service's filter by time is left out, because its time zone is not documented.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    model: Option<String>,
    status: Option<TaskStatus>,
    page: u64,
    size: u64,
}

impl Filter {
    /// All tasks of the account in the last 24 hours, 100 per page.
    #[must_use]
    pub fn new() -> Self {
        Self { page: 1, size: 100, ..Self::default() }
    }

    /// Tasks of one model.
    #[must_use]
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }

    /// Tasks in one state.
    #[must_use]
    pub fn status(mut self, status: TaskStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// The page, from 1.
    #[must_use]
    pub fn page(mut self, page: u64) -> Self {
        self.page = page;
        self
    }

    /// Rows per page.
    #[must_use]
    pub fn size(mut self, size: u64) -> Self {
        self.size = size;
        self
    }
}

/// How often [`Tasks::wait`] queries a task, and for how long.
///
/// ```
/// use std::time::Duration;
/// use talkmeter::client::PollPolicy;
///
/// let policy = PollPolicy::default().deadline(Duration::from_secs(600));
/// # let _ = policy;
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PollPolicy {
    first: Duration,
    factor: f64,
    most: Duration,
    deadline: Duration,
}

impl Default for PollPolicy {
    /// After 1 s, then at intervals that grow by half up to 5 s, for up to 4 hours. The service recommends 2 to 5 s, and ends
    /// a task that takes more than 3 hours.
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            factor: 1.5,
            most: Duration::from_secs(5),
            deadline: Duration::from_secs(4 * 3600),
        }
    }
}

impl PollPolicy {
    /// The wait before the first query.
    #[must_use]
    pub fn first_interval(mut self, interval: Duration) -> Self {
        self.first = interval;
        self
    }

    /// By how much each interval exceeds the one before, from 1 to 10.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor.clamp(1.0, 10.0);
        self
    }

    /// The longest interval.
    #[must_use]
    pub fn max_interval(mut self, interval: Duration) -> Self {
        self.most = interval;
        self
    }

    /// How long to wait in all. The task continues at the service when it passes.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }
}

/// The calls about tasks.
#[derive(Debug, Clone, Copy)]
pub struct Tasks<'c> {
    pub(super) client: &'c Client,
}

impl Tasks<'_> {
    /// Submits `urls` (http, https, oss) as one task. A submit costs money and cannot be repeated safely, so it is retried only
    /// if the service certainly accepted nothing. After any other failure [`ApiFailure::refused`](crate::ApiFailure) is
    /// `false` and the task may exist; a [`Batch`](crate::batch::Batch) finds out.
    ///
    /// The request is not checked: see [`Recognition::check`].
    ///
    /// `POST /services/audio/asr/transcription`
    ///
    /// # Errors
    /// The service refused, or did not answer.
    pub async fn submit(self, recognition: &Recognition, urls: &[&str]) -> Result<Submitted> {
        let permit = self.submit_permit(recognition.model()).await;
        self.submit_by(permit, recognition, urls, RetrySafety::IfRefused).await
    }

    /// Waits for a turn to submit.
    pub(crate) async fn submit_permit(self, model: &str) -> Permit {
        self.client.transport().permit(&Class::Submit(model.to_owned())).await
    }

    /// When the pause of submits ends that the service has asked for, if there is one.
    pub(crate) fn submits_paused_until(self, model: &str) -> Option<Instant> {
        self.client.transport().paused_until(&Class::Submit(model.to_owned()))
    }

    pub(crate) async fn submit_by(
        self,
        permit: Permit,
        recognition: &Recognition,
        urls: &[&str],
        repeat: RetrySafety,
    ) -> Result<Submitted> {
        let headers: &[_] = if urls.iter().any(|url| url.starts_with("oss://")) {
            &[("X-DashScope-Async", "enable"), ("X-DashScope-OssResourceResolve", "enable")]
        } else {
            &[("X-DashScope-Async", "enable")]
        };
        let of = match urls {
            [one] => without_query(one),
            many => format!("{} files", many.len()),
        };
        let doing = format!("submit {of} to {}", recognition.model());
        let answer = self.client.transport().send_with(
            permit,
            Call {
                doing: doing.clone(),
                target: Target::Service(&["services", "audio", "asr", "transcription"], Vec::new()),
                body: Body::Json(recognition.body(urls)),
                headers,
                class: Class::Submit(recognition.model().to_owned()),
                repeat,
            },
        );
        let answer = answer.await?;
        let id = answer.json.pointer("/output/task_id").or_else(|| answer.json.get("task_id")).and_then(Value::as_str);
        match id.map(TaskId::new) {
            Some(Ok(id)) => Ok(Submitted { id, request_id: answer.request_id }),
            _ => Err(Error::protocol(format!("cannot {doing}: the answer has no task id"))),
        }
    }

    /// The present state of a task.
    ///
    /// `GET /tasks/{id}`
    ///
    /// # Errors
    /// The service refused, or did not answer. A task it does not know is no error: its state is [`TaskStatus::Unknown`].
    pub async fn query(self, id: &TaskId) -> Result<Task> {
        let path = ["tasks", id.as_str()];
        let answer = self.client.transport().send(Call {
            doing: format!("query task {id}"),
            target: Target::Service(&path, Vec::new()),
            body: Body::Get,
            headers: &[],
            class: Class::Query,
            repeat: RetrySafety::Always,
        });
        Task::read(answer.await?, id)
    }

    /// Queries a task until it has ended.
    ///
    /// # Errors
    /// As [`Self::query`]; [`ErrorKind::Timeout`](crate::ErrorKind) when the deadline passes. The task continues.
    pub async fn wait(self, id: &TaskId, policy: PollPolicy) -> Result<Task> {
        let begun = Instant::now();
        let mut pause = policy.first;
        loop {
            tokio::time::sleep(pause).await;
            let task = self.query(id).await?;
            if task.status.is_final() {
                return Ok(task);
            }
            if begun.elapsed() + pause > policy.deadline {
                let status = task.status;
                let waited = policy.deadline.as_secs();
                return Err(Error::timeout(format!(
                    "task {id} is still {status} after {waited} s; it continues at the service"
                )));
            }
            pause = pause.mul_f64(policy.factor).min(policy.most);
        }
    }

    /// One page of the account's tasks of the last 24 hours.
    ///
    /// `GET /tasks`
    ///
    /// # Errors
    /// The service refused, or did not answer.
    pub async fn list(self, filter: &Filter) -> Result<Page> {
        let mut query =
            vec![("page_no", filter.page.max(1).to_string()), ("page_size", filter.size.max(1).to_string())];
        if let Some(model) = &filter.model {
            query.push(("model_name", model.clone()));
        }
        if let Some(status) = &filter.status {
            query.push(("status", status.to_string()));
        }
        let answer = self.client.transport().send(Call {
            doing: "list tasks".to_owned(),
            target: Target::Service(&["tasks"], query),
            body: Body::Get,
            headers: &[],
            class: Class::List,
            repeat: RetrySafety::Always,
        });
        let json = answer.await?.json;
        let number = |name: &str| json.get(name).and_then(Value::as_u64);
        let Some(rows) = json.get("data").and_then(Value::as_array) else {
            return Err(Error::protocol("the list of tasks has no data"));
        };
        let (total, pages, size) = (number("total"), number("total_page"), number("page_size").unwrap_or(filter.size));
        Ok(Page { tasks: rows.iter().filter_map(listed).collect(), total, pages, rows: rows.len() as u64, size })
    }

    /// Cancels a task that is still pending.
    ///
    /// `POST /tasks/{id}/cancel`
    ///
    /// # Errors
    /// The task is no longer pending, or unknown.
    pub async fn cancel(self, id: &TaskId) -> Result<()> {
        let path = ["tasks", id.as_str(), "cancel"];
        let answer = self.client.transport().send(Call {
            doing: format!("cancel task {id}"),
            target: Target::Service(&path, Vec::new()),
            body: Body::Empty,
            headers: &[],
            class: Class::Cancel,
            repeat: RetrySafety::Always,
        });
        answer.await.map(drop)
    }
}

fn listed(row: &Value) -> Option<Listed> {
    let text = |name: &str| row.get(name).and_then(Value::as_str);
    let time = |name: &str| row.get(name).and_then(Value::as_i64).and_then(|ms| Timestamp::from_millisecond(ms).ok());
    Some(Listed {
        id: TaskId::new(text("task_id")?).ok()?,
        status: TaskStatus::new(text("status").unwrap_or_default()),
        model: text("model_name").filter(|name| !name.is_empty()).map(str::to_owned),
        created: time("gmt_create"),
        ended: time("end_time"),
        raw: row.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn task_times_are_utc_plus_8() {
        let utc = |text| task_time(text).map(|time| time.to_string());
        assert_eq!(utc("2026-03-02 14:05:11.201").as_deref(), Some("2026-03-02T06:05:11.201Z"));
        assert_eq!(utc("2026-01-01 07:59:59").as_deref(), Some("2025-12-31T23:59:59Z"));
        for odd in ["", "soon", "1772431511201", "2026-13-01 00:00:00"] {
            assert_eq!(utc(odd), None, "{odd}");
        }
    }
}
