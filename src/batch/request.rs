//! Which recordings to transcribe, how, and under which conditions.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::uncertain::LIST_LAG;
use super::{Failure, Recording, Staging};
use crate::billing::{Budget, SharedBudget};
use crate::client::Recognition;

/// A request for a batch: recordings, the recognition they share, and how to submit them.
#[derive(Debug, Clone)]
pub struct BatchRequest {
    pub(super) recognition: Recognition,
    pub(super) recordings: Vec<Recording>,
    pub(super) files_per_task: usize,
    pub(super) detach: bool,
    pub(super) resubmit_uncertain: bool,
    pub(super) retry_failed: bool,
    pub(super) verify: bool,
    pub(super) budget: Option<Budget>,
    pub(super) shared_budget: Option<SharedBudget>,
    pub(super) hints: Option<fn(&Failure) -> Option<String>>,
    pub(super) poll_interval: Option<Duration>,
    pub(super) staging: Option<Staging>,
    pub(super) list_lag: Duration,
    /// Whether tracks were selected already.
    #[cfg_attr(not(feature = "audio"), expect(dead_code, reason = "nothing reads audio without the feature"))]
    pub(super) has_tracks: bool,
}

impl BatchRequest {
    /// Each recording once, in a task of its own.
    #[must_use]
    pub fn new(recognition: Recognition, recordings: Vec<Recording>) -> Self {
        Self {
            recognition,
            recordings,
            files_per_task: 1,
            detach: false,
            resubmit_uncertain: false,
            retry_failed: false,
            verify: false,
            budget: None,
            shared_budget: None,
            hints: None,
            poll_interval: None,
            staging: None,
            list_lag: LIST_LAG,
            has_tracks: false,
        }
    }

    /// Recordings per task, 1 to 100. Current pages of the service allow one, older ones a hundred.
    #[must_use]
    pub fn files_per_task(mut self, files: usize) -> Self {
        self.files_per_task = files;
        self
    }

    /// Submit only; a later run collects the results.
    #[must_use]
    pub fn detach(mut self, detach: bool) -> Self {
        self.detach = detach;
        self
    }

    /// Resubmit recordings whose last submit may have been accepted. They may be billed twice.
    #[must_use]
    pub fn resubmit_uncertain(mut self, resubmit: bool) -> Self {
        self.resubmit_uncertain = resubmit;
        self
    }

    /// Resubmit what failed in an earlier run.
    #[must_use]
    pub fn retry_failed(mut self, retry: bool) -> Self {
        self.retry_failed = retry;
        self
    }

    /// Compare the hash of every stored result on opening, instead of a sample.
    #[must_use]
    pub fn verify(mut self, verify: bool) -> Self {
        self.verify = verify;
        self
    }

    /// Submit only what fits into a budget, which includes what the batch cost in earlier runs.
    #[must_use]
    pub fn budget(mut self, budget: Option<Budget>) -> Self {
        self.budget = budget;
        self
    }

    /// Submit only what fits into a budget that is shared with other runs: a file in which what each can still be billed for is
    /// reserved before it is sent.
    #[must_use]
    pub fn shared_budget(mut self, budget: Option<SharedBudget>) -> Self {
        self.shared_budget = budget;
        self
    }

    /// What a person can do about a failure, for the column `hint` of `failures.csv` and [`Failure::hint`]. Empty without it.
    #[must_use]
    pub fn hints(mut self, hints: fn(&Failure) -> Option<String>) -> Self {
        self.hints = Some(hints);
        self
    }

    /// The interval between queries of a task, which grows to ten times as much. The service recommends 2 to 5 s.
    #[must_use]
    pub fn poll_interval(mut self, interval: Option<Duration>) -> Self {
        self.poll_interval = interval.map(|interval| interval.max(Duration::from_millis(100)));
        self
    }

    /// Put local files into an object store, and delete there what is done. Without it they are uploaded to the service's
    /// temporary storage.
    #[must_use]
    pub fn staging(mut self, staging: Option<Staging>) -> Self {
        self.staging = staging;
        self
    }

    /// How long after its request left a task may be missing from the service's list: 60 s unless set. A list that is begun
    /// later proves that a lost submit was not accepted. Shorter only for a stand-in of the service: it may bill twice.
    #[must_use]
    pub fn list_lag(mut self, lag: Duration) -> Self {
        self.list_lag = lag;
        self
    }

    /// The recordings, in the order given.
    #[must_use]
    pub fn recordings(&self) -> &[Recording] {
        &self.recordings
    }

    /// The recordings, to set what is requested of each: [`Recording::channels`].
    pub fn recordings_mut(&mut self) -> &mut [Recording] {
        &mut self.recordings
    }

    /// Leaves recordings out, by their keys. What the batch already has of them stays in it.
    #[must_use]
    pub fn without(mut self, keys: &HashSet<Arc<str>>) -> Self {
        self.recordings.retain(|recording| !keys.contains(&recording.key));
        self
    }

    pub(super) fn with_hints(&self, mut failures: Vec<Failure>) -> Vec<Failure> {
        if let Some(hints) = self.hints {
            for failure in &mut failures {
                failure.hint = hints(failure).unwrap_or_default();
            }
        }
        failures
    }
}
