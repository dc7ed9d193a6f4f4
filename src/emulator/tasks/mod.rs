//! Accepted tasks, their outcomes, and when they end. The submit decides everything; the clock does the rest.

pub(super) mod list;
pub(super) mod query;
pub(super) mod submit;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::clock::{HOUR, Millis};
use super::models::Model;
use super::parameters::Parameters;
use super::recordings::Recorded;
use super::speech::{self, Source};

/// How long a task is known after its end.
const KEPT: Millis = 24 * HOUR;

/// One accepted submit.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) id: String,
    pub(super) request_id: String,
    pub(super) model: &'static Model,
    pub(super) parameters: Parameters,
    pub(super) subtasks: Vec<Subtask>,
    pub(super) odd: Option<Odd>,
    created: Millis,
    scheduled: Millis,
    ended: Millis,
    /// When it was cancelled; 0 = never.
    cancelled: AtomicI64,
    billed_seconds: OnceLock<u64>,
}

/// One file of a task.
#[derive(Debug)]
pub(super) struct Subtask {
    pub(super) url: String,
    pub(super) outcome: Outcome,
}

/// The outcome of recognising a file.
#[derive(Debug)]
pub(super) enum Outcome {
    Speech(Source),
    Recorded(Arc<Recorded>),
    Failed { code: String, message: String },
}

/// Answers that contradict the documentation but have been observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Odd {
    /// SUCCEEDED although every file failed.
    Succeeded,
    /// The code is in `output`, without `results`.
    CodeAlone,
}

/// The state of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Pending,
    Running,
    Succeeded,
    Failed,
    Canceled,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Canceled => "CANCELED",
        }
    }
}

impl Task {
    /// Its state at `now`.
    pub(super) fn status(&self, now: Millis) -> Status {
        if self.cancelled.load(Ordering::Acquire) != 0 {
            Status::Canceled
        } else if now < self.scheduled {
            Status::Pending
        } else if now < self.ended {
            Status::Running
        } else if self.odd == Some(Odd::Succeeded) || self.succeeded() > 0 {
            Status::Succeeded
        } else {
            Status::Failed
        }
    }

    /// Cancels it if it is still pending.
    fn cancel(&self, now: Millis) -> bool {
        // Zero means "not cancelled"; the emulator's clock is far from 1970.
        now < self.scheduled && self.cancelled.compare_exchange(0, now, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    fn end(&self) -> Millis {
        match self.cancelled.load(Ordering::Acquire) {
            0 => self.ended,
            at => at,
        }
    }

    fn succeeded(&self) -> usize {
        self.subtasks.iter().filter(|subtask| !matches!(subtask.outcome, Outcome::Failed { .. })).count()
    }

    /// Seconds of speech in every requested track of every file, those of each track rounded up.
    pub(super) fn billed_seconds(&self) -> u64 {
        *self.billed_seconds.get_or_init(|| {
            let billed = |subtask: &Subtask| match &subtask.outcome {
                Outcome::Speech(source) => speech::Call::new(source, &self.parameters).billed_seconds(),
                Outcome::Recorded(recorded) => recorded.billed_seconds,
                Outcome::Failed { .. } => 0,
            };
            self.subtasks.iter().map(billed).sum()
        })
    }
}

/// The tasks of the account.
#[derive(Debug, Default)]
pub(super) struct Tasks(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    by_id: HashMap<String, Arc<Task>>,
    /// Oldest first; the number separates tasks of the same millisecond.
    by_age: BTreeMap<(Millis, u64), Arc<Task>>,
    number: u64,
}

impl Tasks {
    fn with<R>(&self, act: impl FnOnce(&mut Book) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, task: Task) {
        self.with(|book| {
            book.number += 1;
            while let Some(oldest) = book.by_age.first_entry() {
                // It cannot be queried any more; one extra day for clocks that are moved.
                if oldest.get().end() + 2 * KEPT > task.created {
                    break;
                }
                let gone = oldest.remove();
                book.by_id.remove(&gone.id);
            }
            let task = Arc::new(task);
            book.by_id.insert(task.id.clone(), Arc::clone(&task));
            book.by_age.insert((task.created, book.number), task);
        });
    }

    /// A task that has not expired at `now`.
    pub(super) fn known(&self, id: &str, now: Millis) -> Option<Arc<Task>> {
        self.kept(id).filter(|task| now < task.end() + KEPT)
    }

    /// A task whose results may still exist.
    pub(super) fn kept(&self, id: &str) -> Option<Arc<Task>> {
        self.with(|book| book.by_id.get(id).cloned())
    }

    /// Tasks created in a time range, newest first.
    fn made(&self, from: Millis, to: Millis) -> Vec<Arc<Task>> {
        if from > to {
            return Vec::new();
        }
        self.with(|book| {
            book.by_age.range((from, 0)..=(to, u64::MAX)).rev().map(|(_, task)| Arc::clone(task)).collect()
        })
    }
}
