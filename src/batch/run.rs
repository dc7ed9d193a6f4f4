//! One run of a batch: what it may be given, what it reports, how it ended.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use serde::Serialize;

use super::state::{Phase, State};
use super::{BatchRequest, Counts, Failure, RecordingNo, StagedRecordings};
use crate::error::Error;

/// How long the service keeps a task and its results after the task ended.
pub const TASK_LIFE: Duration = Duration::from_secs(24 * 3600);

/// Options of one run. The default runs to the end, for at most [`TASK_LIFE`], and reports nothing on the way.
///
/// ```
/// use std::time::Duration;
/// use talkmeter::batch::{Progress, RunOptions};
///
/// let cancel = async { tokio::time::sleep(Duration::from_secs(3600)).await };
/// let options = RunOptions::new().cancel(cancel).observer(|progress| {
///     if let Progress::Counts(counts) = progress {
///         println!("{} of {}", counts.done(), counts.total());
///     }
/// });
/// # drop(options);
/// ```
pub struct RunOptions<'a> {
    pub(super) within: Duration,
    pub(super) cancel: Option<Cancel<'a>>,
    pub(super) observer: Option<Observer<'a>>,
}

/// Ends when the run is to stop.
type Cancel<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
/// Takes each report of progress.
type Observer<'a> = Box<dyn FnMut(Progress<'_>) + Send + 'a>;

impl Default for RunOptions<'_> {
    fn default() -> Self {
        Self { within: TASK_LIFE, cancel: None, observer: None }
    }
}

impl<'a> RunOptions<'a> {
    /// The default options.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the run after this time. Tasks that have not ended stay at the service; a later run collects them.
    #[must_use]
    pub fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// Stops the run once `cancel` completes: nothing more is submitted, and requests in progress are finished.
    #[must_use]
    pub fn cancel(mut self, cancel: impl Future<Output = ()> + Send + 'a) -> Self {
        self.cancel = Some(Box::pin(cancel));
        self
    }

    /// Reports progress while the batch runs.
    #[must_use]
    pub fn observer(mut self, observer: impl FnMut(Progress<'_>) + Send + 'a) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }
}

impl fmt::Debug for RunOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunOptions")
            .field("within", &self.within)
            .field("cancel", &self.cancel.is_some())
            .field("observer", &self.observer.is_some())
            .finish()
    }
}

/// What a running batch reports.
#[derive(Debug)]
#[non_exhaustive]
pub enum Progress<'a> {
    /// How far it is.
    Counts(Counts),
    /// One line for people, without the query of any signed URL.
    Note(&'a str),
}

/// How a run ended.
#[derive(Debug, serde::Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// The folder of the batch.
    pub dir: PathBuf,
    /// All recordings of the batch by state.
    pub counts: Counts,
    /// One entry per recording of the batch, in the order in which they were added.
    pub recordings: Vec<RecordingSummary>,
    /// Recordings without a result: failed for good, or left to the next run.
    pub failures: Vec<Failure>,
    /// Per track that was not requested and has no transcript: the recordings that have it.
    pub untranscribed: BTreeMap<i64, Vec<String>>,
    /// Per track that was requested and has no transcript all the same: the recordings.
    pub unheard: BTreeMap<i64, Vec<String>>,
    /// What the batch has in object stores.
    pub staged: StagedRecordings,
    /// The run was cancelled.
    pub stopped: bool,
    /// The time of [`RunOptions::within`] was over before the batch was done.
    pub timed_out: bool,
    /// Why nothing more was submitted: an error of the key or account. Accepted tasks were collected all the same.
    pub halted: Option<Error>,
    /// Why the next submit does not fit into the budget. Accepted tasks were collected all the same.
    pub over_budget: Option<String>,
    /// Why the next submit does not fit into the budget that is shared with other runs. Accepted tasks were collected all the
    /// same.
    pub over_shared_budget: Option<String>,
}

impl Summary {
    /// The result file of an input, as it was given; `None` = it has none, or is not of this batch.
    #[must_use]
    pub fn result_of(&self, given: &str) -> Option<&Path> {
        self.recordings.iter().find(|recording| recording.url == given)?.result.as_deref()
    }
}

/// What came of one recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RecordingSummary {
    /// Its number in the batch.
    pub recording: RecordingNo,
    /// As given in this run, else in an earlier one: an address, or a path.
    pub url: String,
    /// Its result file, below [`Summary::dir`]; `None` = there is none yet, or it failed.
    pub result: Option<PathBuf>,
    /// The service found no speech: the result is an empty transcript.
    pub silent: bool,
}

impl RecordingSummary {
    pub(super) fn from_state(dir: &Path, state: &State, mut given: HashMap<RecordingNo, String>) -> Vec<Self> {
        let mut summary = |recording: &super::state::RecordingState| {
            let (result, silent) = match &recording.phase {
                Phase::Stored(stored) => (Some(dir.join(recording.result())), stored.silent),
                _ => (None, false),
            };
            let url = given.remove(&recording.n).unwrap_or_else(|| recording.url().to_owned());
            Self { recording: recording.n, url, result, silent }
        };
        state.recordings.iter().map(&mut summary).collect()
    }
}

/// Tracks without a transcript, each with the recordings that have it: not requested, and requested.
pub(super) fn missing_tracks(
    state: &State,
    request: &BatchRequest,
) -> (BTreeMap<i64, Vec<String>>, BTreeMap<i64, Vec<String>>) {
    let (mut untranscribed, mut unheard) = (BTreeMap::<i64, Vec<String>>::new(), BTreeMap::<i64, Vec<String>>::new());
    let of_all = request.recognition.tracks();
    for recording in &state.recordings {
        let Phase::Stored(stored) = &recording.phase else { continue };
        for track in &stored.untranscribed {
            let mut requested = recording.channels().unwrap_or(&of_all).iter();
            let is_requested = requested.any(|requested| i64::from(*requested) == *track);
            let place = if is_requested { &mut unheard } else { &mut untranscribed };
            place.entry(*track).or_default().push(recording.url().to_owned());
        }
    }
    (untranscribed, unheard)
}
