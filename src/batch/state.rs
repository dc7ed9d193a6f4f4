//! What a ledger's lines add up to: one fold, for replay and for the run itself.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::Value;

use super::columns::Columns;
use super::event::{AttemptNo, Event, Line, RecordingNo, task_id};
use super::identity::{self, FileStamp};
use super::source::Source;
use crate::client::TaskId;

/// Everything that is known of a batch.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct State {
    pub(super) config: Option<BatchConfig>,
    pub(super) recordings: Vec<RecordingState>,
    pub(super) attempts: BTreeMap<AttemptNo, Attempt>,
    pub(super) tasks: HashMap<TaskId, OwnTask>,
    pub(super) uploads: HashMap<String, Upload>,
    /// Hashes of contents by their addresses in temporary storage.
    contents: HashMap<String, String>,
    /// Results of flash calls, in the order they came.
    pub(super) clips: Vec<ClipState>,
    /// Recordings in each phase, kept up so that nobody has to count a hundred thousand.
    pub(super) counts: PhaseCounts,
}

/// Recordings by phase.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct PhaseCounts {
    pub(super) waiting: usize,
    pub(super) attempted: usize,
    pub(super) in_task: usize,
    pub(super) stored: usize,
    pub(super) silent: usize,
    pub(super) failed: usize,
}

impl PhaseCounts {
    fn slot(&mut self, phase: &Phase) -> &mut usize {
        match phase {
            Phase::Waiting => &mut self.waiting,
            Phase::Attempted(_) => &mut self.attempted,
            Phase::InTask(_) => &mut self.in_task,
            Phase::Stored { silent: false, .. } => &mut self.stored,
            Phase::Stored { silent: true, .. } => &mut self.silent,
            Phase::Failed { .. } => &mut self.failed,
        }
    }
}

/// What every file of the batch is asked with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct BatchConfig {
    pub(super) base_url: String,
    pub(super) region: String,
    pub(super) workspace: Option<String>,
    pub(super) recognition: Value,
    pub(super) files_per_task: usize,
}

/// A recording.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RecordingState {
    pub(super) n: RecordingNo,
    /// As given.
    pub(super) url: String,
    pub(super) source: Source,
    /// What identifies it.
    pub(super) key: String,
    /// The id that its list gives it.
    pub(super) id: Option<String>,
    /// The other columns of its row in the list.
    pub(super) columns: Option<Columns>,
    /// Of a local file, when it was last seen.
    pub(super) stamp: Option<FileStamp>,
    /// Hash of the content that was last submitted, of a local file.
    pub(super) content: Option<String>,
    pub(super) name: String,
    /// The tracks that are requested of it; `None` = those of the batch.
    pub(super) channels: Option<Vec<u32>>,
    /// Tracks with the same sound as one that is requested.
    pub(super) repeated: Vec<u32>,
    pub(super) phase: Phase,
    /// Submits that may have been billed: accepted, or given up as unresolved.
    pub(super) submits: u32,
}

/// How far a recording has come.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    Waiting,
    /// An attempt without an outcome: under way, or uncertain.
    Attempted(AttemptNo),
    InTask(TaskId),
    Stored {
        task: TaskId,
        file: String,
        bytes: u64,
        silent: bool,
        untranscribed: Vec<i64>,
    },
    Failed {
        task: Option<TaskId>,
        code: String,
        message: String,
        request_id: Option<String>,
    },
}

/// One submit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Attempt {
    pub(super) recordings: Vec<RecordingNo>,
    pub(super) urls: Vec<String>,
    pub(super) at: Timestamp,
    pub(super) server_time: Option<Timestamp>,
    pub(super) open: bool,
}

/// A task that is ours.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OwnTask {
    pub(super) recordings: Vec<RecordingNo>,
    pub(super) urls: Vec<String>,
    pub(super) accepted: Timestamp,
    /// How it ended; `None` = it has not, as far as is known.
    pub(super) status: Option<String>,
    /// What the service says that it bills.
    pub(super) usage: Option<Value>,
    /// How many tasks were accepted before it.
    pub(super) order: usize,
}

impl RecordingState {
    /// The real path of a local file.
    pub(super) fn path(&self) -> Option<&PathBuf> {
        match &self.source {
            Source::File(path) => Some(path),
            Source::Url(_) | Source::Oss(_) => None,
        }
    }
}

impl OwnTask {
    /// Whether it is known what it is billed: by its usage, or as a failure, which is not said to be billed.
    pub(super) fn is_settled(&self) -> bool {
        self.usage.is_some() || self.status.as_deref().is_some_and(|status| status != "SUCCEEDED")
    }
}

/// A file in temporary storage.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Upload {
    pub(super) url: String,
    pub(super) expires: Timestamp,
}

/// A clip that a flash call recognised.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ClipState {
    pub(super) file: String,
    pub(super) model: String,
    pub(super) region: String,
    pub(super) request_id: Option<String>,
    pub(super) usage: Option<Value>,
}

impl State {
    /// Takes a line in. A line that does not follow from those before is an error: guessing could bill twice.
    pub(super) fn apply(&mut self, line: Line) -> Result<(), String> {
        let at = line.at;
        match line.event {
            Event::Batch { base_url, region, workspace, recognition, files_per_task } => {
                if self.config.is_some() {
                    return Err("a second batch in one ledger".to_owned());
                }
                self.config = Some(BatchConfig { base_url, region, workspace, recognition, files_per_task });
            }
            Event::Recording { n, url, key, name, channels, repeated, id, stamp, columns } => {
                if n.index() != Some(self.recordings.len()) {
                    return Err(format!("item {n} follows recording {}", self.recordings.len()));
                }
                if channels.as_ref().is_some_and(Vec::is_empty) {
                    return Err(format!("no track of recording {n} is requested"));
                }
                let (source, phase) = (Source::from_ledger(&url, &key), Phase::Waiting);
                let (key, content) = (identity::key(id.as_deref(), &key), None);
                self.recordings.push(RecordingState {
                    n,
                    url,
                    source,
                    key,
                    id,
                    columns,
                    stamp,
                    content,
                    name,
                    channels,
                    repeated,
                    phase,
                    submits: 0,
                });
                self.counts.waiting += 1;
            }
            Event::Described { n, columns } => self.get_mut(n)?.columns = Some(columns),
            Event::Readdressed { n, url, key, stamp } => {
                let recording = self.get_mut(n)?;
                recording.source = Source::from_ledger(&url, &key);
                recording.key = identity::key(recording.id.as_deref(), &key);
                (recording.url, recording.stamp) = (url, stamp);
            }
            Event::Uploaded { blake3, url, expires } => {
                self.contents.insert(url.clone(), blake3.clone());
                self.uploads.insert(blake3, Upload { url, expires });
            }
            Event::Intent { attempt, recordings, urls, server_time } => {
                if self.attempts.contains_key(&attempt) {
                    return Err(format!("attempt {attempt} is made twice"));
                }
                if recordings.is_empty() || recordings.len() != urls.len() {
                    return Err(format!(
                        "attempt {attempt} names {} recordings and {} URLs",
                        recordings.len(),
                        urls.len()
                    ));
                }
                for (&n, url) in recordings.iter().zip(&urls) {
                    let content = self.contents.get(url).cloned();
                    self.set(n, Phase::Attempted(attempt))?.content = content;
                }
                self.attempts.insert(attempt, Attempt { recordings, urls, at, server_time, open: true });
            }
            Event::Accepted { attempt, task_id: id, .. } => {
                let id = task_id(&id).ok_or_else(|| format!("{id:?} is no task id"))?;
                let closed = self.close(attempt)?;
                for &n in &closed.recordings {
                    self.set(n, Phase::InTask(id.clone()))?.submits += 1;
                }
                let order = self.tasks.len();
                let Attempt { recordings, urls, .. } = closed;
                self.tasks.insert(id, OwnTask { recordings, urls, accepted: at, status: None, usage: None, order });
            }
            Event::Refused { attempt, code, message, request_id, again } => {
                for n in self.close(attempt)?.recordings {
                    let (code, message, request_id) = (code.clone(), message.clone(), request_id.clone());
                    let failed = Phase::Failed { task: None, code, message, request_id };
                    self.set(n, if again { Phase::Waiting } else { failed })?;
                }
            }
            Event::Absent { attempt } => {
                for n in self.close(attempt)?.recordings {
                    self.set(n, Phase::Waiting)?;
                }
            }
            Event::GivenUp { attempt } => {
                for n in self.close(attempt)?.recordings {
                    self.set(n, Phase::Waiting)?.submits += 1;
                }
            }
            Event::Stored { n, task_id: id, file, bytes, silent, untranscribed, .. } => {
                let task = task_id(&id).ok_or_else(|| format!("{id:?} is no task id"))?;
                self.set(n, Phase::Stored { task, file, bytes, silent, untranscribed })?;
            }
            Event::Failed { n, task_id: id, code, message, request_id } => {
                let task = id.as_deref().and_then(task_id);
                self.set(n, Phase::Failed { task, code, message, request_id })?;
            }
            Event::Reopened { n, .. } => {
                let recording = self.get(n).ok_or_else(|| format!("there is no recording {n}"))?;
                let phase = match &recording.phase {
                    Phase::Stored { task, .. } => Phase::InTask(task.clone()),
                    Phase::Failed { .. } => Phase::Waiting,
                    phase => phase.clone(),
                };
                self.set(n, phase)?;
            }
            Event::Recognized { file, model, region, request_id, usage, .. } => {
                self.clips.push(ClipState { file, model, region, request_id, usage });
            }
            Event::Ended { task_id: id, status, usage } => {
                if let Some(owned) = task_id(&id).and_then(|id| self.tasks.get_mut(&id)) {
                    (owned.status, owned.usage) = (Some(status), usage);
                }
            }
            Event::Uncertain { .. } | Event::Unknown => {}
        }
        Ok(())
    }

    fn set(&mut self, n: RecordingNo, phase: Phase) -> Result<&mut RecordingState, String> {
        let found = n.index().and_then(|at| self.recordings.get_mut(at));
        let recording = found.ok_or_else(|| format!("there is no recording {n}"))?;
        *self.counts.slot(&recording.phase) -= 1;
        *self.counts.slot(&phase) += 1;
        recording.phase = phase;
        Ok(recording)
    }

    fn get_mut(&mut self, n: RecordingNo) -> Result<&mut RecordingState, String> {
        let found = n.index().and_then(|at| self.recordings.get_mut(at));
        found.ok_or_else(|| format!("there is no recording {n}"))
    }

    pub(super) fn get(&self, n: RecordingNo) -> Option<&RecordingState> {
        n.index().and_then(|at| self.recordings.get(at))
    }

    fn close(&mut self, attempt: AttemptNo) -> Result<Attempt, String> {
        let found = self.attempts.get_mut(&attempt).ok_or_else(|| format!("there is no attempt {attempt}"))?;
        if !found.open {
            return Err(format!("attempt {attempt} has ended before"));
        }
        found.open = false;
        Ok(found.clone())
    }

    /// Attempts without an outcome.
    pub(super) fn open_attempts(&self) -> impl Iterator<Item = (AttemptNo, &Attempt)> {
        self.attempts.iter().filter(|(_, attempt)| attempt.open).map(|(no, attempt)| (*no, attempt))
    }
}
