//! The loop that runs a batch: submit, query, fetch, store. The only writer of the ledger.
//!
//! Each step is one operation in a set of futures; the loop starts what can be started and takes in what has ended. Only lines
//! that were written change the state.

use std::collections::{HashMap, HashSet, VecDeque};
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use super::backoff::{Backoff, Endpoint, Failed};
use super::event::{AttemptNo, Event, RecordingNo, task_id};
use super::ledger::{Fold as _, Writer};
use super::line::Line;
use super::polling::Polling;
use super::ready::Ready;
use super::reservations::Reservations;
use super::results::{Failure, Written};
use super::shared_reservations::SharedReservations;
use super::staging::{RunStaging, Staged};
use super::state::{Phase, State};
use super::submitting::SubmitOutcome;
use super::uncertain::{Answer, Now, Reading, SearchOutcome, Uncertain};
use super::{BatchRequest, Counts, Progress, RunOptions};
use crate::client::{Client, Task, TaskId};
use crate::error::{Error, ErrorKind, Result};

/// Stands in `failures.csv` where no code of the service says why.
pub(super) const UNCERTAIN: &str = "submit_uncertain";

pub(super) type Operation<'a> = Pin<Box<dyn Future<Output = Done> + Send + 'a>>;

/// An operation that has ended.
pub(super) enum Done {
    Submitted { recordings: Vec<(RecordingNo, String)>, outcome: Result<SubmitOutcome> },
    Hashed { n: RecordingNo, outcome: Result<blake3::Hash> },
    Uploaded { blake3: blake3::Hash, outcome: Result<Vec<Line<'static>>> },
    Staged { blake3: blake3::Hash, lines: Vec<Line<'static>>, outcome: Result<Staged> },
    Unstaged { blake3: blake3::Hash, object: Arc<str>, outcome: Result<()> },
    Queried { id: TaskId, outcome: Result<Task> },
    Swept { begun: Instant, outcome: Result<HashSet<TaskId>> },
    Fetched { fetch: Fetch, outcome: Result<Written> },
    Listed(Result<Reading>),
    Examined { id: TaskId, outcome: Result<Answer> },
}

/// A result to fetch.
#[derive(Debug, Clone)]
pub(super) struct Fetch {
    pub(super) n: RecordingNo,
    pub(super) task: TaskId,
    /// Its address; `None` where there is nothing to fetch: silence.
    pub(super) from: Option<String>,
}

/// Operations under way.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    pub(super) submits: usize,
    pub(super) hashes: usize,
    pub(super) uploads: usize,
    pub(super) queries: usize,
    pub(super) fetches: usize,
    pub(super) removals: usize,
}

/// What a run leaves behind.
pub(super) struct RunnerEnd {
    pub(super) state: State,
    /// Recordings that are left to the next run.
    pub(super) left: Vec<Failure>,
    /// Why nothing more was submitted.
    pub(super) halted: Option<Error>,
    /// Why the next submit does not fit into the budget.
    pub(super) over_budget: Option<String>,
    /// Why the next submit does not fit into the shared budget.
    pub(super) over_shared_budget: Option<String>,
    pub(super) stopped: bool,
    pub(super) timed_out: bool,
}

pub(super) struct Runner<'a> {
    pub(super) client: &'a Client,
    pub(super) request: &'a BatchRequest,
    pub(super) dir: PathBuf,
    pub(super) writer: Writer,
    pub(super) state: State,
    options: RunOptions<'a>,
    /// The run was cancelled.
    stopped: bool,
    /// The run's time is over.
    timed_out: bool,

    /// Local files on their way into temporary storage: not yet read, read, waiting for the upload of their content.
    pub(super) unread: VecDeque<RecordingNo>,
    pub(super) read: VecDeque<(RecordingNo, blake3::Hash)>,
    pub(super) uploading: HashMap<blake3::Hash, Vec<RecordingNo>>,
    pub(super) staging: RunStaging,
    pub(super) ready: Ready,
    pub(super) next_attempt: AttemptNo,
    /// The service has answered a submit of this batch, other than by refusing all of its kind.
    pub(super) answered: bool,
    pub(super) backoff: Backoff,
    /// Set when no further submit may leave, for those that wait for their turn.
    pub(super) no_more: Arc<AtomicBool>,

    pub(super) polling: Polling,
    pub(super) fetches: VecDeque<Fetch>,
    pub(super) fetching: HashSet<RecordingNo>,
    /// How often the result of a recording could not be fetched.
    pub(super) misses: HashMap<RecordingNo, u32>,
    pub(super) uncertain: Uncertain,
    /// Addresses of the submits under way.
    pub(super) flying: HashSet<String>,

    pub(super) operations: FuturesUnordered<Operation<'a>>,
    pub(super) under_way: UnderWay,
    /// Files that this run leaves to the next, and why.
    pub(super) left: HashMap<RecordingNo, Failure>,
    /// Why no further submit leaves.
    pub(super) halted: Option<Error>,
    pub(super) reservations: Reservations,
    /// Why the next submit does not fit into the budget.
    pub(super) over_budget: Option<String>,
    /// What is drawn on a budget that is shared with other runs.
    pub(super) shared: Option<SharedReservations>,
    /// Why the next submit does not fit into it.
    pub(super) over_shared_budget: Option<String>,
}

impl<'a> Runner<'a> {
    pub(super) fn new(
        client: &'a Client,
        request: &'a BatchRequest,
        dir: PathBuf,
        (writer, state): (Writer, State),
        (options, shared): (RunOptions<'a>, Option<SharedReservations>),
    ) -> Self {
        let mut runner = Self {
            client,
            request,
            dir,
            next_attempt: state.last_attempt.map_or(AttemptNo::FIRST, AttemptNo::next),
            writer,
            reservations: Reservations::new(&state, request.budget.clone(), request.recognition.tracks().len()),
            over_budget: None,
            shared,
            over_shared_budget: None,
            state,
            options,
            stopped: false,
            timed_out: false,
            unread: VecDeque::new(),
            read: VecDeque::new(),
            uploading: HashMap::new(),
            staging: RunStaging::default(),
            ready: Ready::default(),
            backoff: Backoff::default(),
            no_more: Arc::default(),
            polling: Polling::new(request.poll_interval),
            answered: false,
            fetches: VecDeque::new(),
            fetching: HashSet::new(),
            misses: HashMap::new(),
            uncertain: Uncertain::new(request.recognition.model(), request.list_lag),
            flying: HashSet::new(),
            operations: FuturesUnordered::new(),
            under_way: UnderWay::default(),
            left: HashMap::new(),
            halted: None,
        };
        runner.take_up();
        runner
    }

    /// Whether anything is left that needs the service.
    pub(super) fn has_work(&self) -> bool {
        self.state.counts.waiting + self.state.counts.attempted + self.state.counts.in_task > 0
    }

    pub(super) fn end(self) -> RunnerEnd {
        let Self { state, left, halted, over_budget, over_shared_budget, stopped, timed_out, .. } = self;
        let left = left.into_values().collect();
        RunnerEnd { state, left, halted, over_budget, over_shared_budget, stopped, timed_out }
    }

    /// Derives from the ledger what is to be done.
    fn take_up(&mut self) {
        let now = Instant::now();
        let mut waiting = Vec::new();
        for recording in &self.state.recordings {
            match &recording.phase {
                Phase::Waiting => waiting.push(recording.n),
                Phase::InTask(task) => self.polling.add(task.clone(), now),
                Phase::Attempted(_) | Phase::Stored(_) | Phase::Failed(_) => {}
            }
        }
        waiting.into_iter().for_each(|n| self.wait(n));
        // The run that sent these is dead, or the lock would be held.
        for (no, attempt) in &self.state.attempts {
            self.uncertain.inherit(*no, attempt, self.state.was_absent(attempt), now);
        }
    }

    /// All clocks.
    pub(super) fn now(&self) -> Now {
        Now { instant: Instant::now(), wall: self.writer.now(), service: self.client.service_clock() }
    }

    /// A recording is to be submitted: at once, or after its upload.
    pub(super) fn wait(&mut self, n: RecordingNo) {
        if let Some(recording) = self.state.get(n) {
            match recording.source.sent() {
                None => self.unread.push_back(n),
                Some(address) => self.ready.push_back(recording.channels(), (n, address.to_owned())),
            }
        }
    }

    /// Runs the batch as far as possible. On return no operation is under way.
    pub(super) async fn run(&mut self) -> Result<()> {
        let mut outcome = self.run_until_done().await;
        // Submits and downloads in flight are finished, whatever has happened; uploads to a store remove what they have sent.
        self.no_more.store(true, Ordering::Relaxed);
        self.staging.stop();
        let stages = self.stages();
        while self.under_way.submits > 0 || self.under_way.fetches > 0 || (stages && self.under_way.uploads > 0) {
            let Some(done) = self.operations.next().await else { break };
            let taken = self.take(done).await;
            outcome = outcome.and(taken);
        }
        self.operations.clear();
        self.leave_uncertain();
        self.notify();
        outcome.and(self.write_shared())
    }

    /// Writes what is drawn on the shared budget.
    pub(super) fn write_shared(&mut self) -> Result<()> {
        self.shared.as_mut().map_or(Ok(()), SharedReservations::write)
    }

    /// The bill of recordings will not come: nothing of them was accepted.
    pub(super) fn release(&mut self, recordings: impl IntoIterator<Item = RecordingNo>) {
        for n in recordings {
            self.reservations.release(&self.state, n);
            if let Some(shared) = &mut self.shared {
                shared.release(n);
            }
        }
    }

    async fn run_until_done(&mut self) -> Result<()> {
        let mut cancel = self.options.cancel.take();
        let end = Instant::now() + self.options.within;
        while !self.stopped && !self.timed_out {
            self.start().await?;
            self.notify();
            let wake = self.wake();
            if self.operations.is_empty() && wake.is_none() {
                break;
            }
            tokio::select! {
                biased;
                () = completed(&mut cancel) => self.stopped = true,
                Some(done) = self.operations.next(), if !self.operations.is_empty() => self.take(done).await?,
                () = tokio::time::sleep_until(end) => self.timed_out = true,
                () = sleep_until(wake), if wake.is_some() => {}
            }
        }
        Ok(())
    }

    async fn start(&mut self) -> Result<()> {
        if !self.request.detach {
            // First: what it proves absent is submitted below.
            self.start_search().await?;
            self.start_queries();
            self.start_fetches();
        }
        if self.halted.is_none() {
            self.start_uploads();
            self.start_submits()?;
        }
        self.start_unstaging();
        self.shared.as_mut().map_or(Ok(()), SharedReservations::write_if_due)
    }

    fn wake(&self) -> Option<Instant> {
        let now = Instant::now();
        let paused = |endpoint| self.backoff.paused_until(endpoint, now);
        let submit = paused(Endpoint::Submit).filter(|_| self.halted.is_none() && !self.ready.is_empty());
        let upload = paused(Endpoint::Upload).filter(|_| self.halted.is_none() && !self.unread.is_empty());
        let query = self.polling.wake().map(|wake| paused(Endpoint::Query).map_or(wake, |until| wake.max(until)));
        let collect = (!self.request.detach).then(|| [query, self.uncertain.wake()]);
        collect.into_iter().flatten().flatten().chain(submit).chain(upload).min()
    }

    async fn take(&mut self, done: Done) -> Result<()> {
        match done {
            Done::Hashed { n, outcome } => self.hashed(n, outcome).await,
            Done::Uploaded { blake3, outcome } => self.uploaded(blake3, outcome).await,
            Done::Staged { blake3, lines, outcome } => self.staged(blake3, lines, outcome).await,
            Done::Unstaged { blake3, object, outcome } => self.unstaged(blake3, object, outcome).await,
            Done::Submitted { recordings, outcome } => self.submitted(recordings, outcome).await,
            Done::Queried { id, outcome } => self.queried(id, outcome).await,
            Done::Swept { begun, outcome } => self.swept(begun, outcome),
            Done::Fetched { fetch, outcome } => self.fetched(fetch, outcome).await,
            Done::Listed(outcome) => self.listed(outcome),
            Done::Examined { id, outcome } => self.examined(id, outcome),
        }
    }

    /// Writes lines and takes them into the state.
    pub(super) async fn record(&mut self, events: Vec<Event<'static>>, durable: bool) -> Result<()> {
        let lines = self.writer.add(events, durable).await?;
        self.apply(lines)
    }

    /// Takes lines that were written into the state.
    pub(super) fn apply(&mut self, lines: Vec<Line<'static>>) -> Result<()> {
        for line in lines {
            let ended = match &line.event {
                Event::Ended { task_id: id, .. } => task_id(id),
                _ => None,
            };
            let finished = self.finished_by(&line.event);
            self.state.apply(line).map_err(Error::ledger)?;
            self.staging.finished(finished);
            if let Some(owned) = ended.and_then(|id| self.state.tasks.get(&id)) {
                self.reservations.settle(&self.state, owned);
                if let Some(shared) = &mut self.shared {
                    shared.settle(owned);
                }
            }
        }
        Ok(())
    }

    pub(super) fn note(&mut self, line: &str) {
        if let Some(observer) = &mut self.options.observer {
            observer(Progress::Note(line));
        }
    }

    pub(super) fn notify(&mut self) {
        let UnderWay { submits, uploads, .. } = self.under_way;
        let counts = Counts::from_state(&self.state);
        // A submit under way is in the state as waiting: its lines are taken in when it has ended.
        let waiting = counts.waiting.saturating_sub(submits);
        if let Some(observer) = &mut self.options.observer {
            observer(Progress::Counts(Counts { waiting, submitting: submits, uploading: uploads, ..counts }));
        }
    }

    /// A call failed that may go well later: its kind pauses, until patience is at its end.
    pub(super) fn back_off(&mut self, endpoint: Endpoint, error: Error) -> Result<()> {
        if matches!(error.kind(), ErrorKind::Auth | ErrorKind::Quota) {
            return Err(error);
        }
        let asked = error.api().and_then(|api| api.retry_after);
        match self.backoff.failed(endpoint, asked, Instant::now()) {
            Failed::GiveUp => return Err(error),
            Failed::Pause { first: true } if error.api().is_none_or(|api| api.refused) => {
                self.note(&format!("{error}; retrying"));
            }
            Failed::Pause { .. } => {}
        }
        Ok(())
    }

    /// A recording has failed for good.
    pub(super) async fn failed(
        &mut self,
        n: RecordingNo,
        task: Option<&TaskId>,
        code: &str,
        message: &str,
        request_id: Option<String>,
    ) -> Result<()> {
        let (code, message) = (code.to_owned().into(), message.to_owned().into());
        let (task_id, request_id) = (task.map(|id| id.to_string().into()), request_id.map(Into::into));
        self.record(vec![Event::Failed { n, task_id, code, message, request_id }], false).await
    }

    /// This run cannot complete a recording; the next may.
    pub(super) fn leave(
        &mut self,
        n: RecordingNo,
        task: Option<&TaskId>,
        code: &str,
        message: &str,
        request_id: Option<String>,
    ) {
        let Some(recording) = self.state.get(n) else { return };
        let failure = Failure::new(recording, task, code, message, request_id);
        self.left.insert(n, failure);
    }

    fn leave_uncertain(&mut self) {
        let stuck: Vec<(AttemptNo, String)> = self.uncertain.stuck().map(|(no, why)| (no, why.to_owned())).collect();
        for (no, why) in stuck {
            for n in self.recordings_of(no) {
                let message = format!("it is unknown whether the service accepted it: {why}");
                self.leave(n, None, UNCERTAIN, &message, None);
            }
        }
    }

    /// What the search for a lost task has shown.
    pub(super) async fn search_ended(&mut self, findings: Vec<(AttemptNo, SearchOutcome)>) -> Result<()> {
        for (no, found) in findings {
            let recordings = self.recordings_of(no);
            match found {
                SearchOutcome::Task(id) => {
                    let taken =
                        Event::Accepted { attempt: no, task_id: id.to_string().into(), request_id: None, found: true };
                    self.record(vec![taken], true).await?;
                    self.note(&format!("the service had accepted {}: it is task {id}", self.named(&recordings)));
                    self.polling.again(id, Instant::now());
                }
                SearchOutcome::Absent => {
                    self.record(vec![Event::Absent { attempt: no }], true).await?;
                    self.release(recordings.iter().copied());
                    self.note(&format!("the service had not accepted {}: submitting again", self.named(&recordings)));
                    recordings.into_iter().for_each(|n| self.wait(n));
                }
                SearchOutcome::Stuck(why) if self.request.resubmit_uncertain => self.give_up(no, &why).await?,
                SearchOutcome::Stuck(why) => self.note(&format!(
                    "cannot tell whether the service accepted {}: {why}; it is not submitted again, as that may bill twice",
                    self.named(&recordings)
                )),
            }
        }
        Ok(())
    }

    /// The user chose to submit again, although it may be billed twice.
    pub(super) async fn give_up(&mut self, no: AttemptNo, why: &str) -> Result<()> {
        let recordings = self.recordings_of(no);
        self.record(vec![Event::GivenUp { attempt: no }], true).await?;
        if let Some(shared) = &mut self.shared {
            recordings.iter().for_each(|n| shared.give_up(*n));
        }
        self.uncertain.forget(no);
        self.note(&format!("submitting {} again, though {why}: this may bill twice", self.named(&recordings)));
        recordings.into_iter().for_each(|n| self.wait(n));
        Ok(())
    }

    /// The files of an attempt.
    pub(super) fn recordings_of(&self, no: AttemptNo) -> Vec<RecordingNo> {
        self.state.attempts.get(&no).map(|attempt| attempt.recordings().collect()).unwrap_or_default()
    }

    /// Recordings in words.
    pub(super) fn named(&self, recordings: &[RecordingNo]) -> String {
        match recordings {
            [n] => {
                self.state.get(*n).map_or_else(String::new, |recording| crate::redact::without_query(recording.url()))
            }
            many => format!("{} files", many.len()),
        }
    }
}

/// An error with its cause, in one clause.
pub(super) fn with_cause(error: &Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

async fn completed(cancel: &mut Option<Pin<Box<dyn Future<Output = ()> + Send + '_>>>) {
    match cancel {
        Some(cancel) => cancel.await,
        None => std::future::pending().await,
    }
}

async fn sleep_until(wake: Option<Instant>) {
    if let Some(wake) = wake {
        tokio::time::sleep_until(wake).await;
    }
}
