//! Transcribes many recordings, without billing one twice or losing a paid result.
//!
//! A batch lives in a folder. Its ledger is written before each step that costs money and after each step that returns something,
//! so the same batch, reopened after any exit, resumes where it stopped.
//!
//! ```no_run
//! # async fn run(client: talkmeter::client::Client) -> talkmeter::Result<()> {
//! use talkmeter::batch::{Batch, BatchRequest, ManifestBuilder};
//! use talkmeter::client::Recognition;
//!
//! let mut builder = ManifestBuilder::default();
//! builder.list("calls.txt", &b"https://calls.example/a.wav\nhttps://calls.example/b.wav\n"[..]);
//! let request = BatchRequest::new(Recognition::new("fun-asr"), builder.finish()?.recordings);
//! let batch = Batch::open("out".as_ref(), client, request)?;
//! let summary = batch.run_to_end().await?;
//! for recording in &summary.recordings {
//!     println!("{}: {:?}", recording.url, recording.result);
//! }
//! # Ok(()) }
//! ```

mod backoff;
mod changes;
mod checksum;
mod clips;
mod collecting;
mod columns;
mod compact;
mod counts;
mod event;
mod identity;
mod ledger;
mod ledgers;
mod line;
mod lock;
mod manifest;
mod plan;
mod polling;
mod problems;
mod ready;
mod receipt;
mod request;
mod reservations;
mod result_name;
mod results;
mod run;
mod runner;
mod shared_reservations;
mod source;
mod staging;
mod state;
mod stored;
mod submitting;
#[cfg(feature = "audio")]
mod tracks;
mod uncertain;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use changes::Changes;
pub use clips::{Clips, SavedClip};
pub use counts::{Counts, Waiting};
use event::Event;
pub use event::RecordingNo;
#[cfg(feature = "cli")]
pub(crate) use identity::Identities;
use identity::{KnownRecordings, Match};
pub use ledger::FILE as LEDGER;
use ledger::{Fold as _, Ledger};
pub use ledgers::{Ledgers, NamedRecording};
pub use lock::FILE as LOCK;
pub use manifest::{AUDIO_EXTENSIONS, Manifest, ManifestBuilder, Recording};
pub use problems::{Problem, Problems};
pub use receipt::{ClipReceipt, LedgerReport, Receipt, Receipts, StoredResult, SubmittedRecording};
pub use request::BatchRequest;
#[cfg(feature = "cli")]
pub(crate) use result_name::result_name;
pub use results::{FAILURES, FOLDER as RESULTS, Failure};
#[cfg(feature = "cli")]
pub(crate) use results::{is_result, silence, store};
pub use run::{Progress, RecordingSummary, RunOptions, Summary, TASK_LIFE};
use runner::{Runner, RunnerEnd};
use shared_reservations::SharedReservations;
pub use source::{Address, Source};
pub use staging::{ObjectCounts, ObjectStorage, StagedRecordings, Staging, Stop, StorageWork};
use state::{BatchConfig, Phase, State};
pub use submitting::{OVER_BUDGET, OVER_LIMIT};
#[cfg(feature = "audio")]
pub use tracks::{TrackBasis, TrackSelection};

use crate::client::{Client, Filter, differences};
use crate::error::{Error, ErrorKind, Result};
use crate::time::{Clock, SystemClock};

/// An open batch; its ledger is locked against every other process.
pub struct Batch {
    dir: PathBuf,
    client: Client,
    request: BatchRequest,
    ledger: Ledger,
    state: State,
    /// What was found and done on opening, one line each.
    notes: Vec<String>,
    /// The recordings of the request, as given.
    given: HashMap<RecordingNo, String>,
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("dir", &self.dir).field("counts", &self.counts()).finish_non_exhaustive()
    }
}

impl Batch {
    /// Opens the batch in `dir`, or creates it. Recordings that it already has are not added again. Sends nothing.
    ///
    /// With feature `audio`, local files are read to select their tracks, unless
    /// [`BatchRequest::select_tracks`] did so before.
    ///
    /// # Errors
    /// Another talkmeter has it open; its ledger cannot be read; it was created with other parameters, which the message lists;
    /// no track of a recording is requested.
    pub fn open(dir: &Path, client: Client, request: BatchRequest) -> Result<Self> {
        Self::open_at(dir, client, request, Arc::new(SystemClock))
    }

    /// Like [`Batch::open`], with another clock.
    ///
    /// # Errors
    /// As [`Batch::open`].
    pub fn open_at(dir: &Path, client: Client, request: BatchRequest, clock: Arc<dyn Clock>) -> Result<Self> {
        if !plan::FILES_PER_TASK.contains(&request.files_per_task) {
            return Err(Error::invalid(format!("{} files per task: 1 to 100 are possible", request.files_per_task)));
        }
        // The ledger could not be read again.
        if let Some(recording) =
            request.recordings.iter().find(|recording| recording.channels.as_ref().is_some_and(Vec::is_empty))
        {
            return Err(Error::invalid(format!("{}: no track is requested", recording.source.printable())));
        }
        #[cfg(feature = "audio")]
        let request = request.with_tracks(dir)?;
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
                    "{} was created with other parameters: {}; use another folder, or the same parameters",
                    dir.display(),
                    differences.join("; ")
                )));
            }
        }
        results::prepare(dir)?;
        let given = HashMap::new();
        let mut batch = Self { dir: dir.to_owned(), client, request, ledger, state, notes, given };
        let events = batch.opening_events(config)?;
        for line in batch.ledger.add(events)? {
            batch.state.apply(line).map_err(Error::ledger)?;
        }
        let failures = batch.request.with_hints(Failure::from_state(&batch.state));
        results::write_failures(&batch.dir, &failures)?;
        Ok(batch)
    }

    /// The events that opening adds to the ledger.
    fn opening_events(&mut self, config: BatchConfig) -> Result<Vec<Event<'static>>> {
        let mut events = Vec::new();
        if self.state.config.is_none() {
            let BatchConfig { base_url, region, workspace, recognition, files_per_task } = config;
            let [base_url, region] = [base_url, region].map(Cow::from);
            let workspace = workspace.map(Cow::from);
            events.push(Event::Batch { base_url, region, workspace, recognition, files_per_task });
        }
        let mut changes = Changes::default();
        let known = KnownRecordings::new(&self.state);
        let mut next = (self.state.recordings.len() as u32 + 1..).map(RecordingNo::new);
        for recording in &self.request.recordings {
            let found = known.find(recording)?;
            if let Match::Known { n, changed } = found {
                self.given.insert(n, recording.source.given().into_owned());
                events.extend(self.state.get(n).into_iter().flat_map(|known| changes.known(known, recording, changed)));
                continue;
            }
            if changes.is_left_alone(&found, recording) {
                continue;
            }
            let Some(n) = next.next() else { break };
            self.given.insert(n, recording.source.given().into_owned());
            events.push(Event::Recording {
                n,
                url: recording.source.given().into_owned().into(),
                key: recording.location.to_string().into(),
                name: recording.name.clone().into(),
                channels: recording.channels.clone(),
                repeated: recording.repeated.clone(),
                id: recording.id.as_deref().map(|id| id.to_owned().into()),
                stamp: recording.stamp,
                columns: recording.columns.clone(),
            });
        }
        self.notes.extend(changes.notes());
        let failed = self.state.recordings.iter().filter(|recording| matches!(recording.phase, Phase::Failed(_)));
        if self.request.retry_failed {
            events.extend(failed.map(|failed| Event::Reopened { n: failed.n, why: "to be tried again".into() }));
        }
        let stored = stored::look(&self.dir, &self.state, self.request.verify, self.ledger.now());
        events.extend(stored.events);
        self.notes.extend(stored.notes);
        Ok(events)
    }

    /// The recordings by state.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts::from_state(&self.state)
    }

    /// What was found and done on opening, one line each.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What is still to be submitted.
    #[must_use]
    pub fn waiting(&self) -> Waiting {
        Waiting::from_state(&self.state, &self.request.recognition.tracks())
    }

    /// What is still to be submitted, each with the tracks to request; without the recording if this request does not name it.
    pub fn waiting_recordings(&self) -> impl Iterator<Item = (Option<&Recording>, Vec<u32>)> {
        let named: HashMap<&str, &Recording> =
            self.request.recordings.iter().map(|recording| (&*recording.key, recording)).collect();
        let of_all = self.request.recognition.tracks();
        let waiting = self.state.recordings.iter().filter(|recording| recording.phase == Phase::Waiting);
        waiting.map(move |recording| {
            let tracks = recording.channels().map_or_else(|| of_all.clone(), <[u32]>::to_vec);
            (named.get(&*recording.key()).copied(), tracks)
        })
    }

    /// Runs the batch to its end: see [`Batch::run`].
    ///
    /// # Errors
    /// As [`Batch::run`].
    pub async fn run_to_end(self) -> Result<Summary> {
        self.run(RunOptions::new()).await
    }

    /// Runs the batch to its end, or until it is cancelled. The same batch can be opened and run again: it resumes.
    ///
    /// # Errors
    /// The service refuses the key at the start, or cannot be reached for minutes; a disk is full. Everything achieved so far
    /// is kept.
    pub async fn run(self, options: RunOptions<'_>) -> Result<Summary> {
        let Self { dir, client, request, ledger, state, given, .. } = self;
        let shared = request.shared_budget.clone().map(|budget| {
            let name = std::fs::canonicalize(&dir).unwrap_or_else(|_| dir.clone());
            let name = name.file_name().unwrap_or_default().to_string_lossy();
            let run = format!("{name} {}", ledger.created());
            SharedReservations::new(&state, budget, run, request.recognition.tracks().len(), ledger.now())
        });
        let (writer, thread) = ledger.start()?;
        let mut runner = Runner::new(&client, &request, dir.clone(), (writer, state), (options, shared));
        let mut outcome = runner.write_shared();
        if outcome.is_ok() && runner.has_work() {
            outcome = greet(&client).await;
        }
        if outcome.is_ok() {
            outcome = runner.run().await;
        }
        let RunnerEnd { state, left, halted, over_budget, over_shared_budget, stopped, timed_out } = runner.end();
        thread.join();
        let mut failures = Failure::from_state(&state);
        failures.extend(left);
        failures.sort_by_key(|failure| failure.recording);
        let failures = request.with_hints(failures);
        results::write_failures(&dir, &failures)?;
        outcome?;
        let (untranscribed, unheard) = run::missing_tracks(&state, &request);
        let recordings = RecordingSummary::from_state(&dir, &state, given);
        let counts = Counts::from_state(&state);
        let staged = StagedRecordings::from_state(&state);
        Ok(Summary {
            dir,
            counts,
            recordings,
            failures,
            untranscribed,
            unheard,
            staged,
            stopped,
            timed_out,
            halted,
            over_budget,
            over_shared_budget,
        })
    }
}

/// A first call that costs nothing. It shows whether key, host and region match, and tells the service's clock.
async fn greet(client: &Client) -> Result<()> {
    match client.tasks().list(&Filter::new().size(1)).await {
        // A key that may not list tasks may still submit; a refused submit costs nothing either.
        Err(error)
            if error.api().is_some_and(|api| api.status == Some(403)) && error.kind() == ErrorKind::Auth
                // A host without a list of tasks cannot look up lost submits, which then wait for a person.
                || !matches!(error.kind(), ErrorKind::Auth | ErrorKind::Quota | ErrorKind::Unavailable) =>
        {
            tracing::info!(%error, "cannot list tasks");
            Ok(())
        }
        answered => answered.map(drop),
    }
}

impl BatchConfig {
    /// The differences, as lines `name: before → now`. Files per task do not count: they may change between runs.
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
