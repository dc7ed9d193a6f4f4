//! Many recordings, safely: what is to be transcribed, what was sent, what came back.
//!
//! A batch lives in a folder. Its ledger is written before each step that costs money and after each that brings something, so
//! that the same batch, opened again after any end whatever, goes on where it was: nothing is billed twice, no paid
//! result is lost.
//!
//! ```no_run
//! # async fn run(client: talkmeter::client::Client) -> talkmeter::Result<()> {
//! use talkmeter::batch::{Batch, ManifestBuilder, BatchRequest};
//! use talkmeter::client::Recognition;
//!
//! let mut builder = ManifestBuilder::default();
//! builder.list("calls.txt", &b"https://calls.example/a.wav\nhttps://calls.example/b.wav\n"[..]);
//! let request = BatchRequest::new(Recognition::new("fun-asr"), builder.finish()?.recordings);
//! let batch = Batch::open("out".as_ref(), client, request)?;
//! let (_stop, never) = tokio::sync::watch::channel(false);
//! let summary = batch.run(never, &mut |_| ()).await?;
//! assert_eq!(summary.counts.failed, 0);
//! # Ok(()) }
//! ```

mod clips;
mod collecting;
mod counts;
mod event;
mod ledger;
mod list;
mod manifest;
mod plan;
mod polling;
mod problems;
mod ready;
mod receipt;
mod reservations;
mod result_name;
mod results;
mod runner;
mod source;
mod state;
mod submitting;
mod uncertain;

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;

pub use clips::{Clips, SavedClip};
pub use counts::{Counts, Waiting};
use event::Event;
pub use event::RecordingNo;
pub use ledger::FILE as LEDGER;
use ledger::Ledger;
pub use manifest::{AUDIO_EXTENSIONS, Manifest, ManifestBuilder, Recording};
pub use problems::{Problem, Problems};
pub use receipt::{ClipReceipt, LedgerReport, Receipt, Receipts, SubmittedRecording};
#[cfg(feature = "cli")]
pub(crate) use result_name::result_name;
pub use results::{FAILURES, FOLDER as RESULTS, Failure};
#[cfg(feature = "cli")]
pub(crate) use results::{silence, store};
use runner::Runner;
pub use source::{Address, Source};
use state::{BatchConfig, Phase, State};

use crate::billing::Budget;
use crate::client::{Client, Filter, Recognition, differences};
use crate::error::{Error, ErrorKind, Result};
use crate::time::{Clock, SystemClock};

/// What is to be done with which recordings.
#[derive(Debug, Clone)]
pub struct BatchRequest {
    recognition: Recognition,
    recordings: Vec<Recording>,
    files_per_task: usize,
    detach: bool,
    resubmit_uncertain: bool,
    retry_failed: bool,
    budget: Option<Budget>,
    hints: Option<fn(&Failure) -> Option<String>>,
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
            budget: None,
            hints: None,
        }
    }

    /// Recordings in one task, 1 to 100. Newer pages of the service allow one, older ones a hundred.
    #[must_use]
    pub fn files_per_task(mut self, files: usize) -> Self {
        self.files_per_task = files;
        self
    }

    /// Submit only; a later run collects.
    #[must_use]
    pub fn detach(mut self, detach: bool) -> Self {
        self.detach = detach;
        self
    }

    /// Submit again what nobody can tell whether it was accepted. It may be billed twice.
    #[must_use]
    pub fn resubmit_uncertain(mut self, resubmit: bool) -> Self {
        self.resubmit_uncertain = resubmit;
        self
    }

    /// What a person can do about a failure, for the column `hint` of `failures.csv` and [`Failure::hint`]. Empty without it.
    #[must_use]
    pub fn hints(mut self, hints: fn(&Failure) -> Option<String>) -> Self {
        self.hints = Some(hints);
        self
    }

    /// Submit only what fits into a budget, with everything that the batch has cost in earlier runs.
    #[must_use]
    pub fn budget(mut self, budget: Option<Budget>) -> Self {
        self.budget = budget;
        self
    }

    fn with_hints(&self, mut failures: Vec<Failure>) -> Vec<Failure> {
        if let Some(hints) = self.hints {
            for failure in &mut failures {
                failure.hint = hints(failure).unwrap_or_default();
            }
        }
        failures
    }

    /// The recordings, so that each can be given the tracks that are requested of it: [`Recording::channels`].
    pub fn recordings_mut(&mut self) -> &mut [Recording] {
        &mut self.recordings
    }

    /// Submit again what failed in an earlier run.
    #[must_use]
    pub fn retry_failed(mut self, retry: bool) -> Self {
        self.retry_failed = retry;
        self
    }
}

/// What a running batch tells.
#[derive(Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// How far it is.
    Counts(Counts),
    /// A line for people. No query of a signed URL is in it.
    Note(&'a str),
}

/// How a run ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct Summary {
    /// Where everything lies.
    pub dir: PathBuf,
    /// What has become of the recordings.
    pub counts: Counts,
    /// Files without a result: failed for good, or left to the next run.
    pub failures: Vec<Failure>,
    /// For each track that recordings have, nobody requested and no result transcribes: which recordings.
    pub untranscribed: BTreeMap<i64, Vec<String>>,
    /// For each track that was requested and of which the result has no transcript all the same: which recordings.
    pub unheard: BTreeMap<i64, Vec<String>>,
    /// The run was told to stop.
    pub stopped: bool,
    /// Why nothing further was submitted: the key or the account. What had been accepted was collected all the same.
    pub halted: Option<Error>,
    /// Why no further submit fits into the budget; what had been accepted was collected all the same.
    pub over_budget: Option<String>,
}

/// A batch that nobody else has open.
pub struct Batch {
    dir: PathBuf,
    client: Client,
    request: BatchRequest,
    ledger: Ledger,
    state: State,
    /// What was found and done on opening, for people.
    notes: Vec<String>,
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("dir", &self.dir).field("counts", &self.counts()).finish_non_exhaustive()
    }
}

impl Batch {
    /// Opens the batch in `dir`, or begins one. Recordings that it has already are not added again. Nothing is sent.
    ///
    /// # Errors
    /// Another talkmeter has it open; its ledger cannot be read; it was begun with other parameters, which the message shows; an
    /// recording requests no track.
    pub fn open(dir: &Path, client: Client, request: BatchRequest) -> Result<Self> {
        Self::open_at(dir, client, request, Arc::new(SystemClock))
    }

    /// Like [`Batch::open`], by another clock.
    ///
    /// # Errors
    /// As [`Batch::open`].
    pub fn open_at(dir: &Path, client: Client, request: BatchRequest, clock: Arc<dyn Clock>) -> Result<Self> {
        if !plan::FILES_PER_TASK.contains(&request.files_per_task) {
            return Err(Error::invalid(format!("{} files a task: 1 to 100 are possible", request.files_per_task)));
        }
        // A ledger that names none could not be read again.
        if let Some(recording) =
            request.recordings.iter().find(|recording| recording.channels.as_ref().is_some_and(Vec::is_empty))
        {
            return Err(Error::invalid(format!("{}: no track is requested", recording.source.printable())));
        }
        std::fs::create_dir_all(dir).map_err(|error| Error::io("make", dir, error))?;
        let (ledger, state, mended) = Ledger::open(dir, clock)?;
        let notes = mended.into_iter().map(|mended| format!("{}: {mended}", dir.join(LEDGER).display())).collect();
        let config = BatchConfig {
            base_url: client.base_url().to_owned(),
            region: client.region().to_string(),
            workspace: client.workspace().map(str::to_owned),
            recognition: request.recognition.to_json(),
            files_per_task: request.files_per_task,
        };
        if let Some(begun) = &state.config {
            let differences = begun.differences(&config);
            if !differences.is_empty() {
                return Err(Error::invalid(format!(
                    "{} was begun otherwise: {}; use another folder, or the same parameters",
                    dir.display(),
                    differences.join("; ")
                )));
            }
        }
        results::prepare(dir)?;
        let mut batch = Self { dir: dir.to_owned(), client, request, ledger, state, notes };
        let events = batch.begin(config)?;
        for line in batch.ledger.add(events)? {
            batch.state.apply(line).map_err(Error::ledger)?;
        }
        let failures = batch.request.with_hints(Failure::from_state(&batch.state));
        results::write_failures(&batch.dir, &failures)?;
        Ok(batch)
    }

    /// What this run adds to the ledger before anything is sent.
    fn begin(&mut self, config: BatchConfig) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        if self.state.config.is_none() {
            let BatchConfig { base_url, region, workspace, recognition, files_per_task } = config;
            events.push(Event::Batch { base_url, region, workspace, recognition, files_per_task });
        }
        let known: HashSet<&str> = self.state.recordings.iter().map(|recording| recording.key.as_str()).collect();
        let new = self.request.recordings.iter().filter(|recording| !known.contains(&*recording.key));
        for (n, recording) in (self.state.recordings.len() as u32 + 1..).map(RecordingNo::new).zip(new) {
            let (url, key, name) =
                (recording.source.given().into_owned(), recording.key.to_string(), recording.name.clone());
            let (channels, repeated) = (recording.channels.clone(), recording.repeated.clone());
            events.push(Event::Recording { n, url, key, name, channels, repeated });
        }
        for recording in &self.state.recordings {
            match &recording.phase {
                Phase::Failed { .. } if self.request.retry_failed => {
                    events.push(Event::Reopened { n: recording.n, why: "to be tried again".to_owned() });
                }
                Phase::Stored { file, bytes, silent, .. } => {
                    let there = std::fs::metadata(self.dir.join(file)).is_ok_and(|file| file.len() == *bytes);
                    if !there && *silent {
                        // Ours, so it can be written again at any time.
                        results::store(&self.dir, file.clone(), &results::silence(&recording.url))?;
                    } else if !there {
                        self.notes.push(format!("{file} is not there any more as it was stored: fetched again"));
                        events.push(Event::Reopened {
                            n: recording.n,
                            why: "the result is gone from the disk".to_owned(),
                        });
                    }
                }
                _ => {}
            }
        }
        Ok(events)
    }

    /// What has become of the recordings so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts::from_state(&self.state)
    }

    /// What was found on opening, a line each.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What is still to be submitted.
    #[must_use]
    pub fn waiting(&self) -> Waiting {
        Waiting::from_state(&self.state, &self.request.recognition.tracks())
    }

    /// Carries the batch to its end, or until `stop` turns true: then nothing further is submitted, and what is under way is
    /// brought to its end. The same batch can be opened and run again.
    ///
    /// # Errors
    /// The service does not take the key from the start, or cannot be reached for minutes; the disk takes no more.
    /// Everything that was reached is kept.
    pub async fn run(
        self,
        stop: watch::Receiver<bool>,
        observe: &mut (dyn FnMut(Progress<'_>) + Send),
    ) -> Result<Summary> {
        let Self { dir, client, request, ledger, state, .. } = self;
        let stopped = stop.clone();
        let (writer, thread) = ledger.start()?;
        let mut runner = Runner::new(&client, &request, dir.clone(), (writer, state), stop, observe);
        let greeted = if runner.has_work() { greet(&client).await } else { Ok(()) };
        let outcome = match greeted {
            Ok(()) => runner.run().await,
            Err(error) => Err(error),
        };
        let over_budget = runner.over_budget.take();
        let (state, left, halted) = runner.end();
        thread.join();
        let mut failures = Failure::from_state(&state);
        failures.extend(left);
        failures.sort_by_key(|failure| failure.recording);
        let failures = request.with_hints(failures);
        results::write_failures(&dir, &failures)?;
        outcome?;
        let (mut untranscribed, mut unheard) =
            (BTreeMap::<i64, Vec<String>>::new(), BTreeMap::<i64, Vec<String>>::new());
        let of_all = request.recognition.tracks();
        for recording in &state.recordings {
            let Phase::Stored { untranscribed: tracks, .. } = &recording.phase else { continue };
            for track in tracks {
                let mut requested = recording.channels.as_ref().unwrap_or(&of_all).iter();
                let is_requested = requested.any(|requested| i64::from(*requested) == *track);
                let place = if is_requested { &mut unheard } else { &mut untranscribed };
                place.entry(*track).or_default().push(recording.url.clone());
            }
        }
        let stopped = *stopped.borrow();
        let counts = Counts::from_state(&state);
        Ok(Summary { counts, dir, failures, untranscribed, unheard, stopped, halted, over_budget })
    }
}

/// A first call that costs nothing: it shows that key, host and region fit together, and what the service's clock says.
async fn greet(client: &Client) -> Result<()> {
    match client.tasks().list(&Filter::new().size(1)).await {
        // A key that may not list can perhaps submit: a submit that is refused costs nothing either.
        Err(error)
            if error.api().is_some_and(|api| api.status == Some(403)) && error.kind() == ErrorKind::Auth
                || !matches!(
                    error.kind(),
                    ErrorKind::Auth | ErrorKind::Quota | ErrorKind::Unavailable | ErrorKind::NotFound
                ) =>
        {
            tracing::info!(%error, "the list of tasks is not to be had");
            Ok(())
        }
        answered => answered.map(drop),
    }
}

impl BatchConfig {
    /// What differs, as lines `name: before → now`. Files a task do not count: nothing depends on them afterwards.
    fn differences(&self, now: &Self) -> Vec<String> {
        let workspace = |of: &Self| of.workspace.clone().unwrap_or_else(|| "none".to_owned());
        let named = [
            ("base URL", self.base_url.clone(), now.base_url.clone()),
            ("region", self.region.clone(), now.region.clone()),
            ("workspace", workspace(self), workspace(now)),
        ];
        let lines = named.into_iter().filter(|(_, before, now)| before != now);
        let lines = lines.map(|(name, before, now)| format!("{name}: {before} → {now}"));
        lines.chain(differences(&self.recognition, &now.recognition)).collect()
    }
}
