//! What a ledger's lines add up to: one fold, for replay and for the run itself.
//!
//! Kept small, as a batch may have hundreds of thousands of recordings: texts are shared, what follows from others is not kept.
//! No line is believed that contradicts those before it: a file name that is not ours, an address that is not that of its
//! recording.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::columns::Columns;
use super::compact::{CompactUsage, Name, Sent};
use super::event::{AttemptNo, Event, RecordingNo, Text, task_id};
use super::identity::{self, FileStamp};
use super::ledger::Fold;
use super::line::Line;
use super::source::Source;
use super::{result_name, results};
use crate::client::{TaskId, TaskStatus};

/// Everything that is known of a batch.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct State {
    pub(super) config: Option<BatchConfig>,
    pub(super) recordings: Vec<RecordingState>,
    /// Attempts without an outcome.
    pub(super) attempts: BTreeMap<AttemptNo, Attempt>,
    ended_attempts: HashSet<AttemptNo>,
    pub(super) last_attempt: Option<AttemptNo>,
    pub(super) tasks: HashMap<TaskId, OwnTask>,
    pub(super) uploads: HashMap<blake3::Hash, Upload>,
    /// Objects of stores, by content.
    pub(super) staged: HashMap<blake3::Hash, Vec<StagedObject>>,
    /// Objects that were deleted.
    pub(super) unstaged: usize,
    /// Hashes of contents by the addresses of uploads and objects.
    contents: HashMap<Arc<str>, blake3::Hash>,
    /// Results of flash calls, in the order they came.
    pub(super) clips: Vec<ClipState>,
    /// Recordings in each phase, kept up so that they need not be counted.
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
            Phase::Stored(ResultState { silent: false, .. }) => &mut self.stored,
            Phase::Stored(ResultState { silent: true, .. }) => &mut self.silent,
            Phase::Failed(_) => &mut self.failed,
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
    pub(super) source: Source,
    /// The id that its list gives it.
    pub(super) id: Option<Box<str>>,
    /// The other columns of its row in the list.
    pub(super) columns: Option<Columns>,
    /// Of a local file alone.
    file: Option<Box<LocalFile>>,
    name: Name,
    /// Where they are not those of the batch.
    tracks: Option<Box<RecordingTracks>>,
    pub(super) phase: Phase,
    /// Submits that may have been billed: accepted, or given up as unresolved.
    pub(super) submits: u32,
    /// A submit of it was proved absent once. Such a proof allows another submit one time only.
    pub(super) was_absent: bool,
}

/// The tracks of one recording.
#[derive(Debug, Clone, PartialEq)]
struct RecordingTracks {
    channels: Option<Vec<u32>>,
    repeated: Vec<u32>,
}

/// What is known of a local file.
#[derive(Debug, Clone, PartialEq)]
struct LocalFile {
    /// Its path as given.
    given: Box<str>,
    /// When it was last seen.
    stamp: Option<FileStamp>,
    /// Of the content that was last submitted.
    content: Option<blake3::Hash>,
}

/// How far a recording has come.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    Waiting,
    /// An attempt without an outcome: under way, or uncertain.
    Attempted(AttemptNo),
    InTask(TaskId),
    Stored(ResultState),
    Failed(Box<FailedState>),
}

/// A result on disk.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ResultState {
    pub(super) task: TaskId,
    pub(super) bytes: u64,
    pub(super) blake3: blake3::Hash,
    pub(super) silent: bool,
    pub(super) untranscribed: Box<[i64]>,
}

/// A failure for good.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FailedState {
    pub(super) task: Option<TaskId>,
    pub(super) code: String,
    pub(super) message: String,
    pub(super) request_id: Option<String>,
}

/// One submit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Attempt {
    pub(super) sent: Sent,
    pub(super) at: Timestamp,
    pub(super) server_time: Option<Timestamp>,
}

/// A task that is ours.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OwnTask {
    pub(super) sent: Sent,
    /// When its submit was about to leave.
    pub(super) submitted: Timestamp,
    pub(super) accepted: Timestamp,
    /// How it ended; `None` = it has not, as far as is known.
    pub(super) status: Option<TaskStatus>,
    /// What the service says that it bills.
    usage: Option<CompactUsage>,
    /// How many tasks were accepted before it.
    pub(super) order: u32,
}

impl RecordingState {
    /// The real path of a local file.
    pub(super) fn path(&self) -> Option<&PathBuf> {
        match &self.source {
            Source::File(path) => Some(path),
            Source::Url(_) | Source::Oss(_) => None,
        }
    }

    /// As given: an address, or a path.
    pub(super) fn url(&self) -> &str {
        match (&self.file, &self.source) {
            (Some(file), _) => &file.given,
            (None, Source::Url(address) | Source::Oss(address)) => address.given(),
            (None, Source::File(_)) => "",
        }
    }

    /// What identifies it.
    pub(super) fn key(&self) -> String {
        let location = match &self.source {
            Source::Url(address) | Source::Oss(address) => Cow::Borrowed(address.sent()),
            Source::File(path) => url::Url::from_file_path(path).map(String::from).unwrap_or_default().into(),
        };
        identity::key(self.id.as_deref(), &location)
    }

    /// Of a local file, when it was last seen.
    pub(super) fn stamp(&self) -> Option<FileStamp> {
        self.file.as_ref()?.stamp
    }

    /// Of a local file: the content that was last submitted.
    pub(super) fn content(&self) -> Option<blake3::Hash> {
        self.file.as_ref()?.content
    }

    pub(super) fn name(&self) -> &str {
        self.name.get(self.source.sent())
    }

    /// The tracks that are requested of it; `None` = those of the batch.
    pub(super) fn channels(&self) -> Option<&[u32]> {
        self.tracks.as_ref()?.channels.as_deref()
    }

    /// Tracks with the same sound as one that is requested.
    pub(super) fn repeated(&self) -> &[u32] {
        self.tracks.as_ref().map(|tracks| tracks.repeated.as_slice()).unwrap_or_default()
    }

    /// Its result, below the folder of the batch.
    pub(super) fn result(&self) -> String {
        results::place(self.n, self.name())
    }
}

impl Attempt {
    pub(super) fn recordings(&self) -> impl Iterator<Item = RecordingNo> {
        self.sent.iter().map(|(n, _)| *n)
    }
}

impl OwnTask {
    /// Whether it is known what it is billed: by its usage, or as a failure, which is not said to be billed.
    pub(super) fn is_settled(&self) -> bool {
        self.usage.is_some() || self.status.as_ref().is_some_and(|status| *status != TaskStatus::Succeeded)
    }

    /// What the service says that it bills.
    pub(super) fn usage(&self) -> Option<Value> {
        self.usage.as_ref()?.to_json()
    }

    pub(super) fn recordings(&self) -> impl Iterator<Item = RecordingNo> {
        self.sent.iter().map(|(n, _)| *n)
    }
}

/// A file in temporary storage.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Upload {
    pub(super) url: Arc<str>,
    pub(super) expires: Timestamp,
}

/// A file in an object store.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StagedObject {
    pub(super) url: Arc<str>,
    /// The address of its links, without their signature; `None` = its upload was begun and not completed, as far as is known.
    pub(super) address: Option<Arc<str>>,
    /// Whether this batch put it there.
    pub(super) is_ours: bool,
}

/// A clip that a flash call recognised.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ClipState {
    /// When its result was stored.
    pub(super) at: Timestamp,
    /// As given: an address, a path, or `-`.
    pub(super) url: String,
    pub(super) request_id: Option<String>,
    pub(super) file: String,
    pub(super) model: String,
    pub(super) region: String,
    pub(super) usage: Option<Value>,
}

impl Fold for State {
    /// A line that does not follow from those before is an error: guessing could bill twice.
    fn apply(&mut self, line: Line<'_>) -> Result<(), String> {
        let at = line.at;
        match line.event {
            Event::Batch { base_url, region, workspace, recognition, files_per_task } => {
                if self.config.is_some() {
                    return Err("a second batch in one ledger".to_owned());
                }
                let [base_url, region] = [base_url, region].map(Cow::into_owned);
                let workspace = workspace.map(Cow::into_owned);
                self.config = Some(BatchConfig { base_url, region, workspace, recognition, files_per_task });
            }
            Event::Recording { n, url, key, name, channels, repeated, id, stamp, columns } => {
                if n.index() != Some(self.recordings.len()) {
                    return Err(format!("item {n} follows recording {}", self.recordings.len()));
                }
                if channels.as_ref().is_some_and(Vec::is_empty) {
                    return Err(format!("no track of recording {n} is requested"));
                }
                if !result_name::is_file_name(&name) {
                    return Err(format!("recording {n} cannot have a result of the name {name:?}"));
                }
                let source = Source::from_ledger(&url, &key).map_err(|why| format!("recording {n}: {why}"))?;
                let file = LocalFile::new(&source, &url, stamp);
                let has_tracks = channels.is_some() || !repeated.is_empty();
                let tracks = has_tracks.then(|| Box::new(RecordingTracks { channels, repeated }));
                let (id, name) = (id.map(|id| id.into_owned().into()), Name::new(&name, source.sent()));
                self.recordings.push(RecordingState {
                    n,
                    source,
                    id,
                    columns,
                    file,
                    name,
                    tracks,
                    phase: Phase::Waiting,
                    submits: 0,
                    was_absent: false,
                });
                self.counts.waiting += 1;
            }
            Event::Described { n, columns } => self.get_mut(n)?.columns = Some(columns),
            Event::Readdressed { n, url, key, stamp } => {
                let source = Source::from_ledger(&url, &key).map_err(|why| format!("recording {n}: {why}"))?;
                let recording = self.get_mut(n)?;
                recording.name = Name::new(recording.name(), source.sent());
                let content = recording.content();
                recording.file = LocalFile::new(&source, &url, stamp);
                if let Some(file) = &mut recording.file {
                    file.content = content;
                }
                recording.source = source;
            }
            Event::Staging { blake3, url } => _ = self.staged_object(&blake3, &url, true)?,
            Event::Uploaded { blake3, url, expires, staged } => {
                let (content, url) = (hash(&blake3)?, Arc::<str>::from(url));
                self.contents.insert(Arc::clone(&url), content);
                match staged {
                    Some(object) => self.staged_object(&blake3, &object, false)?.address = Some(url),
                    None => _ = self.uploads.insert(content, Upload { url, expires }),
                }
            }
            Event::Unstaged { blake3, url } => {
                if let Some(objects) = self.staged.get_mut(&hash(&blake3)?) {
                    let was_there = |object: &StagedObject| *object.url == *url && object.address.is_some();
                    self.unstaged += usize::from(objects.iter().any(was_there));
                    objects.retain(|object| *object.url != *url);
                }
            }
            Event::Intent { attempt, recordings, urls, server_time } => {
                if !attempt.is_possible() || !self.is_new(attempt) {
                    return Err(format!("attempt {attempt} is made twice"));
                }
                if recordings.is_empty() || recordings.len() != urls.len() {
                    return Err(format!(
                        "attempt {attempt} names {} recordings and {} URLs",
                        recordings.len(),
                        urls.len()
                    ));
                }
                let sent = recordings.into_iter().zip(urls).map(|(n, url)| self.attempted(n, url, attempt));
                let sent = sent.collect::<Result<Sent, _>>()?;
                self.last_attempt = self.last_attempt.max(Some(attempt));
                self.attempts.insert(attempt, Attempt { sent, at, server_time });
            }
            Event::Accepted { attempt, task_id: id, .. } => {
                let id = task_id(&id).ok_or_else(|| format!("{id:?} is no task id"))?;
                let Attempt { mut sent, at: submitted, .. } = self.close(attempt)?;
                for (n, _) in sent.iter() {
                    self.set(*n, Phase::InTask(id.clone()))?.submits += 1;
                }
                let order = u32::try_from(self.tasks.len()).unwrap_or(u32::MAX);
                // A service that gives one id twice means one task.
                if let Some(other) = self.tasks.get(&id) {
                    sent = other.sent.iter().chain(sent.iter()).cloned().collect();
                }
                self.tasks.insert(id, OwnTask { sent, submitted, accepted: at, status: None, usage: None, order });
            }
            Event::Refused { attempt, code, message, request_id, again } => {
                let [code, message] = [code, message].map(Cow::into_owned);
                let failed = FailedState { task: None, code, message, request_id: request_id.map(Cow::into_owned) };
                for n in self.close(attempt)?.recordings() {
                    let phase = if again { Phase::Waiting } else { Phase::Failed(Box::new(failed.clone())) };
                    self.set(n, phase)?;
                }
            }
            Event::Absent { attempt } => {
                for n in self.close(attempt)?.recordings() {
                    self.set(n, Phase::Waiting)?.was_absent = true;
                }
            }
            Event::GivenUp { attempt } => {
                for n in self.close(attempt)?.recordings() {
                    self.set(n, Phase::Waiting)?.submits += 1;
                }
            }
            Event::Stored { n, task_id: id, file, bytes, blake3, silent, untranscribed } => {
                let task = self.own(&id)?;
                let recording = self.get(n).ok_or_else(|| format!("there is no recording {n}"))?;
                // Earlier versions may have written it with the separator of another system.
                if file.replace('\\', "/") != recording.result() {
                    return Err(format!(
                        "{file:?} is not the result of recording {n}, which is {}",
                        recording.result()
                    ));
                }
                let (blake3, untranscribed) = (hash(&blake3)?, untranscribed.into());
                self.set(n, Phase::Stored(ResultState { task, bytes, blake3, silent, untranscribed }))?;
            }
            Event::Failed { n, task_id: id, code, message, request_id } => {
                let task = id.as_deref().and_then(task_id);
                let [code, message] = [code, message].map(Cow::into_owned);
                let request_id = request_id.map(Cow::into_owned);
                self.set(n, Phase::Failed(Box::new(FailedState { task, code, message, request_id })))?;
            }
            Event::Reopened { n, .. } => {
                let recording = self.get(n).ok_or_else(|| format!("there is no recording {n}"))?;
                let phase = match &recording.phase {
                    Phase::Stored(stored) => Phase::InTask(stored.task.clone()),
                    Phase::Failed(_) => Phase::Waiting,
                    phase => phase.clone(),
                };
                self.set(n, phase)?;
            }
            event @ Event::Recognized { .. } => self.clips.extend(ClipState::from_event(event, at)?),
            Event::Ended { task_id: id, status, usage } => {
                if let Some(owned) = task_id(&id).and_then(|id| self.tasks.get_mut(&id)) {
                    owned.status = Some(TaskStatus::new(&status));
                    owned.usage = usage.map(CompactUsage::from);
                }
            }
            Event::Uncertain { .. } | Event::Unknown => {}
        }
        Ok(())
    }
}

/// A hash in hexadecimal.
fn hash(hex: &str) -> Result<blake3::Hash, String> {
    blake3::Hash::from_hex(hex).map_err(|_| format!("{hex:?} is no BLAKE3 hash"))
}

impl LocalFile {
    fn new(source: &Source, given: &str, stamp: Option<FileStamp>) -> Option<Box<Self>> {
        matches!(source, Source::File(_)).then(|| Box::new(Self { given: given.into(), stamp, content: None }))
    }
}

impl ClipState {
    /// From the event of a flash call; `None` for others.
    pub(super) fn from_event(event: Event<'_>, at: Timestamp) -> Result<Option<Self>, String> {
        let Event::Recognized { url, request_id, file, answer, model, region, usage, .. } = event else {
            return Ok(None);
        };
        for (file, extension) in [(&file, ".json"), (&answer, ".answer")] {
            if !results::is_clip(file, extension) {
                return Err(format!("{file:?} is not the result of a flash call"));
            }
        }
        let [url, file, model, region] = [url, file, model, region].map(Cow::into_owned);
        let request_id = request_id.map(Cow::into_owned);
        Ok(Some(Self { at, url, request_id, file, model, region, usage }))
    }
}

impl State {
    /// A recording is sent by an address, which must be its own.
    fn attempted(
        &mut self,
        n: RecordingNo,
        url: Text<'_>,
        attempt: AttemptNo,
    ) -> Result<(RecordingNo, Arc<str>), String> {
        let content = self.contents.get_key_value(&*url).map(|(url, hash)| (Arc::clone(url), *hash));
        let recording = self.set(n, Phase::Attempted(attempt))?;
        let address = match (&recording.source, content) {
            (Source::Url(address) | Source::Oss(address), _) if *address.sent() == *url => address.shared(),
            (Source::Url(address) | Source::Oss(address), _) if identity::is_same(address.sent(), &url) => url.into(),
            (Source::File(_), Some((url, content))) => {
                if let Some(file) = &mut recording.file {
                    file.content = Some(content);
                }
                url
            }
            _ => return Err(format!("attempt {attempt} sends recording {n} by an address that is not its own")),
        };
        Ok((n, address))
    }

    /// An object of a store. Only one that is named after its content is believed to be ours: it may be deleted.
    fn staged_object(&mut self, blake3: &str, url: &str, is_ours: bool) -> Result<&mut StagedObject, String> {
        let name = url.rsplit('/').next().unwrap_or_default();
        if !name.starts_with(blake3) {
            return Err(format!("{url:?} is not named after its content"));
        }
        let objects = self.staged.entry(hash(blake3)?).or_default();
        let at = objects.iter().position(|object| *object.url == *url).unwrap_or(objects.len());
        if at == objects.len() {
            objects.push(StagedObject { url: url.into(), address: None, is_ours });
        }
        let object = objects.get_mut(at).ok_or_else(|| format!("{url:?} is not known"))?;
        object.is_ours |= is_ours;
        Ok(object)
    }

    fn is_new(&self, attempt: AttemptNo) -> bool {
        !self.attempts.contains_key(&attempt) && !self.ended_attempts.contains(&attempt)
    }

    /// Whether a recording of an attempt was resubmitted after a proof of absence.
    pub(super) fn was_absent(&self, attempt: &Attempt) -> bool {
        attempt.recordings().any(|n| self.get(n).is_some_and(|recording| recording.was_absent))
    }

    /// A task of this batch, by its id.
    fn own(&self, id: &str) -> Result<TaskId, String> {
        let own = task_id(id).and_then(|id| self.tasks.get_key_value(&id).map(|(id, _)| id.clone()));
        own.ok_or_else(|| format!("task {id:?} is none of this batch"))
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
        let Some(open) = self.attempts.remove(&attempt) else {
            let why = if self.ended_attempts.contains(&attempt) { "has ended before" } else { "was never made" };
            return Err(format!("attempt {attempt} {why}"));
        };
        self.ended_attempts.insert(attempt);
        Ok(open)
    }
}
