//! What a ledger's lines add up to: one fold, for replay and for the run itself.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::Value;

use super::event::{AttemptNo, Event, Line, N, task_id};
use crate::client::TaskId;

/// Everything that is known of a batch.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct State {
    pub(super) terms: Option<BatchConfig>,
    pub(super) items: Vec<Recording>,
    pub(super) attempts: BTreeMap<AttemptNo, Attempt>,
    pub(super) tasks: HashMap<TaskId, Owned>,
    pub(super) uploads: HashMap<String, Upload>,
    /// Results of flash calls, in the order they came.
    pub(super) clips: Vec<Recognized>,
    /// Items in each phase, kept up so that nobody has to count a hundred thousand.
    pub(super) tally: Tally,
}

/// Items by phase.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) waiting: usize,
    pub(super) attempted: usize,
    pub(super) in_task: usize,
    pub(super) stored: usize,
    pub(super) silent: usize,
    pub(super) failed: usize,
}

impl Tally {
    fn of(&mut self, phase: &Phase) -> &mut usize {
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
pub(super) struct Recording {
    pub(super) n: N,
    pub(super) url: String,
    pub(super) key: String,
    pub(super) name: String,
    /// The tracks that are requested of it; `None` = those of the batch.
    pub(super) channels: Option<Vec<u32>>,
    /// Tracks with the same sound as one that is requested.
    pub(super) repeated: Vec<u32>,
    pub(super) phase: Phase,
}

impl Recording {
    /// The path of a local file; `None` for an address.
    pub(super) fn path(&self) -> Option<PathBuf> {
        self.key.starts_with("file:").then(|| url::Url::parse(&self.key).ok()?.to_file_path().ok()).flatten()
    }
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
    pub(super) items: Vec<N>,
    pub(super) urls: Vec<String>,
    pub(super) at: Timestamp,
    pub(super) server_time: Option<Timestamp>,
    pub(super) open: bool,
}

/// A task that is ours.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Owned {
    pub(super) items: Vec<N>,
    pub(super) urls: Vec<String>,
    pub(super) accepted: Timestamp,
    /// How it ended; `None` = it has not, as far as is known.
    pub(super) status: Option<String>,
    /// What the service says that it bills.
    pub(super) usage: Option<Value>,
}

impl Owned {
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
pub(super) struct Recognized {
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
                if self.terms.is_some() {
                    return Err("a second batch in one ledger".to_owned());
                }
                self.terms = Some(BatchConfig { base_url, region, workspace, recognition, files_per_task });
            }
            Event::Item { n, url, key, name, channels, repeated } => {
                if n as usize != self.items.len() + 1 {
                    return Err(format!("item {n} follows item {}", self.items.len()));
                }
                if channels.as_ref().is_some_and(Vec::is_empty) {
                    return Err(format!("no track of item {n} is requested"));
                }
                self.items.push(Recording { n, url, key, name, channels, repeated, phase: Phase::Waiting });
                self.tally.waiting += 1;
            }
            Event::Uploaded { blake3, url, expires } => {
                self.uploads.insert(blake3, Upload { url, expires });
            }
            Event::Intent { attempt, items, urls, server_time } => {
                if self.attempts.contains_key(&attempt) {
                    return Err(format!("attempt {attempt} is made twice"));
                }
                if items.is_empty() || items.len() != urls.len() {
                    return Err(format!("attempt {attempt} names {} items and {} URLs", items.len(), urls.len()));
                }
                for &n in &items {
                    self.set(n, Phase::Attempted(attempt))?;
                }
                self.attempts.insert(attempt, Attempt { items, urls, at, server_time, open: true });
            }
            Event::Accepted { attempt, task_id: id, .. } => {
                let id = task_id(&id).ok_or_else(|| format!("{id:?} is no task id"))?;
                let closed = self.close(attempt)?;
                for &n in &closed.items {
                    self.set(n, Phase::InTask(id.clone()))?;
                }
                let Attempt { items, urls, .. } = closed;
                self.tasks.insert(id, Owned { items, urls, accepted: at, status: None, usage: None });
            }
            Event::Refused { attempt, code, message, request_id, again } => {
                for n in self.close(attempt)?.items {
                    let (code, message, request_id) = (code.clone(), message.clone(), request_id.clone());
                    let failed = Phase::Failed { task: None, code, message, request_id };
                    self.set(n, if again { Phase::Waiting } else { failed })?;
                }
            }
            Event::Absent { attempt } | Event::GivenUp { attempt } => {
                for n in self.close(attempt)?.items {
                    self.set(n, Phase::Waiting)?;
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
                let item = self.get(n).ok_or_else(|| format!("there is no item {n}"))?;
                let phase = match &item.phase {
                    Phase::Stored { task, .. } => Phase::InTask(task.clone()),
                    Phase::Failed { .. } => Phase::Waiting,
                    phase => phase.clone(),
                };
                self.set(n, phase)?;
            }
            Event::Recognized { file, model, region, request_id, usage, .. } => {
                self.clips.push(Recognized { file, model, region, request_id, usage });
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

    fn set(&mut self, n: N, phase: Phase) -> Result<(), String> {
        let found = (n as usize).checked_sub(1).and_then(|at| self.items.get_mut(at));
        let item = found.ok_or_else(|| format!("there is no item {n}"))?;
        *self.tally.of(&item.phase) -= 1;
        *self.tally.of(&phase) += 1;
        item.phase = phase;
        Ok(())
    }

    pub(super) fn get(&self, n: N) -> Option<&Recording> {
        (n as usize).checked_sub(1).and_then(|at| self.items.get(at))
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
