//! The ledger of a folder, read without locking or writing it: what was submitted, and what the service reported for the bill.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::columns::Columns;
use super::ledger::{self, FILE};
use super::results::FOLDER;
use super::source::Source;
use super::staging::StagedRecordings;
use super::state::{Phase, State};
use crate::billing::{ReportedUsage, Submission, Usage};
use crate::catalog::Region;
use crate::client::{Recognition, TaskId, TaskStatus};
use crate::error::Result;

/// The ledger of a batch or of flash calls, read once.
///
/// A ledger that a newer talkmeter wrote is read as far as this one understands it.
#[derive(Debug)]
pub struct LedgerReport {
    dir: PathBuf,
    state: State,
}

impl LedgerReport {
    /// Reads the ledger in `dir`; `None` if there is none.
    ///
    /// # Errors
    /// The ledger cannot be read, or one of its lines does not follow from those before.
    pub fn read(dir: &Path) -> Result<Option<Self>> {
        let read = ledger::read::<State>(&dir.join(FILE))?;
        Ok(read.map(|read| Self { dir: dir.to_owned(), state: read.state }))
    }

    #[cfg(feature = "audio")]
    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// Where each result comes from, by its path: model and region. The entry of the folder `results/` is that of the batch,
    /// whose results have none of their own; each result of a flash call has one.
    #[must_use]
    pub fn origins(&self) -> HashMap<PathBuf, (String, Option<Region>)> {
        let clips = self.state.clips.iter();
        let clips = clips.map(|clip| (self.dir.join(&clip.file), (clip.model.clone(), clip.region.parse().ok())));
        let batch = self.state.config.as_ref().and_then(|config| {
            let model = config.recognition.get("model")?.as_str()?;
            Some((self.dir.join(FOLDER), (model.to_owned(), config.region.parse().ok())))
        });
        clips.chain(batch).collect()
    }

    /// The recordings that have a result.
    pub fn results(&self) -> impl Iterator<Item = StoredResult<'_>> {
        self.state.recordings.iter().filter_map(|recording| {
            let Phase::Stored(stored) = &recording.phase else { return None };
            Some(StoredResult {
                path: self.dir.join(recording.result()),
                submitted: self.state.tasks.get(&stored.task)?.submitted,
                id: recording.id.as_deref(),
                url: recording.url(),
                source: &recording.source,
                columns: recording.columns.as_ref().map(Columns::pairs).unwrap_or_default(),
            })
        })
    }

    /// The results of flash calls, and when they were stored.
    pub fn clips(&self) -> impl Iterator<Item = (PathBuf, jiff::Timestamp)> {
        self.state.clips.iter().map(|clip| (self.dir.join(&clip.file), clip.at))
    }

    /// What the batch has in object stores.
    #[must_use]
    pub fn staged(&self) -> StagedRecordings {
        StagedRecordings::from_state(&self.state)
    }

    /// Accepted tasks that are not known to have ended, in the order of acceptance.
    #[must_use]
    pub fn open_tasks(&self) -> Vec<TaskId> {
        let mut open: Vec<_> = self.state.tasks.iter().filter(|(_, task)| task.status.is_none()).collect();
        open.sort_unstable_by_key(|(_, task)| task.order);
        open.into_iter().map(|(id, _)| id.clone()).collect()
    }

    /// What the service reported, one entry per task and flash call, tasks in the order of their acceptance. Files are named below
    /// the folder of results; a task of several recordings is named after itself.
    pub fn reported_usage(&self) -> impl Iterator<Item = ReportedUsage> {
        let State { config, tasks, clips, .. } = &self.state;
        let below = |file: &str| file.strip_prefix(FOLDER).unwrap_or(file).trim_start_matches(['/', '\\']).to_owned();
        let model = config.as_ref().and_then(|config| config.recognition.get("model")?.as_str());
        let region = config.as_ref().and_then(|config| config.region.parse().ok());
        let mut tasks: Vec<_> = tasks.iter().collect();
        tasks.sort_unstable_by_key(|(_, task)| task.order);
        let tasks = tasks.into_iter().map(move |(id, task)| ReportedUsage {
            file: match &task.sent[..] {
                [(one, _)] => self.state.get(*one).map_or_else(String::new, |recording| match &recording.phase {
                    Phase::Stored(_) => below(&recording.result()),
                    _ => recording.name().to_owned(),
                }),
                many => format!("task {id} ({} files)", many.len()),
            },
            model: model.map(str::to_owned),
            region,
            has_failed: task.status.as_ref().is_some_and(|status| *status != TaskStatus::Succeeded),
            usage: task.usage(),
            submitted: task.submitted,
            columns: match &task.sent[..] {
                [(one, _)] => self.state.get(*one).and_then(|recording| recording.columns.as_ref()),
                _ => None,
            }
            .map(Columns::pairs)
            .unwrap_or_default(),
        });
        let clips = clips.iter().map(move |clip| ReportedUsage {
            submitted: clip.at,
            columns: Vec::new(),
            file: below(&clip.file),
            model: Some(clip.model.clone()),
            region: clip.region.parse().ok(),
            has_failed: false,
            usage: clip.usage.clone(),
        });
        tasks.chain(clips)
    }

    /// What matters for the bill.
    #[must_use]
    pub fn receipts(&self) -> Receipts {
        let State { config, recordings, tasks, clips, .. } = &self.state;
        let recognition = config.as_ref().and_then(|config| Recognition::from_json(&config.recognition).ok());
        let tracks = recognition.as_ref().map(Recognition::tracks).unwrap_or_default();
        let with_slash = |file: &str| file.replace('\\', "/");
        let recordings = recordings.iter().map(|recording| SubmittedRecording {
            url: recording.url().to_owned(),
            source: recording.source.clone(),
            key: recording.key(),
            name: recording.name().to_owned(),
            tracks: recording.channels().unwrap_or(&tracks).to_vec(),
            file: match &recording.phase {
                Phase::Stored(_) => Some(recording.result()),
                _ => None,
            },
            failure: match &recording.phase {
                Phase::Failed(failed) => Some(failed.code.clone()),
                _ => None,
            },
            submits: recording.submits,
            columns: recording.columns.as_ref().map(Columns::pairs).unwrap_or_default(),
        });
        let mut tasks: Vec<_> = tasks.iter().collect();
        tasks.sort_unstable_by_key(|(_, task)| task.order);
        let tasks = tasks.into_iter().map(|(id, task)| Receipt {
            task_id: id.to_string(),
            status: task.status.as_ref().map(ToString::to_string),
            usage: task.usage(),
            recordings: task.recordings().filter_map(|n| n.index()).collect(),
            submitted: task.submitted,
            accepted: task.accepted,
        });
        let clips = clips.iter().map(|clip| ClipReceipt {
            url: clip.url.clone(),
            request_id: clip.request_id.clone(),
            file: with_slash(&clip.file),
            model: clip.model.clone(),
            region: clip.region.parse().ok(),
            usage: clip.usage.clone(),
            recorded: clip.at,
        });
        Receipts {
            model: recognition.map(|recognition| recognition.model().to_owned()).unwrap_or_default(),
            region: config.as_ref().and_then(|config| config.region.parse().ok()),
            recordings: recordings.collect(),
            tasks: tasks.collect(),
            clips: clips.collect(),
        }
    }
}

/// A result on disk, and the recording it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredResult<'l> {
    /// The result file, below the batch's folder as it was given.
    pub path: PathBuf,
    /// When the submit of its task was about to leave.
    pub submitted: jiff::Timestamp,
    /// The id that the list gives the recording.
    pub id: Option<&'l str>,
    /// The recording as given: an address, or a path.
    pub url: &'l str,
    /// Where the recording is.
    pub source: &'l Source,
    /// The other columns of its row in the list, by name; empty cells are left out.
    pub columns: Vec<(String, String)>,
}

/// A batch as far as it matters for the bill.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Receipts {
    /// The requested model; empty if the ledger does not say.
    pub model: String,
    /// `None` = the ledger does not say, or names one that this talkmeter does not know.
    pub region: Option<Region>,
    /// In the order of the batch.
    pub recordings: Vec<SubmittedRecording>,
    /// Accepted tasks, in the order of acceptance.
    pub tasks: Vec<Receipt>,
    /// Flash calls whose results were saved.
    pub clips: Vec<ClipReceipt>,
}

impl Receipts {
    /// The recordings, then the flash calls, as they are compared with a statement.
    #[must_use]
    pub fn submissions(&self) -> Vec<Submission> {
        let mut tasks: Vec<Vec<&Receipt>> = vec![Vec::new(); self.recordings.len()];
        for task in &self.tasks {
            for &at in &task.recordings {
                if let Some(tasks) = tasks.get_mut(at) {
                    tasks.push(task);
                }
            }
        }
        let submission = |(recording, tasks): (&SubmittedRecording, Vec<&Receipt>)| {
            let below = recording.file.as_deref().and_then(|file| file.strip_prefix(FOLDER)?.strip_prefix('/'));
            let file = below.unwrap_or_else(|| recording.file.as_deref().unwrap_or(&recording.name)).to_owned();
            let names = [Some(&recording.url), recording.file.as_ref(), Some(&file), Some(&recording.name)];
            let mut names: Vec<String> = names.into_iter().flatten().cloned().collect();
            let usage = |task: &Receipt| task.usage.as_ref().map(Usage::from_json).unwrap_or_default();
            let (own, shared): (Vec<&Receipt>, Vec<&Receipt>) =
                tasks.iter().partition(|task| task.recordings.len() == 1);
            names.extend(own.iter().map(|task| task.task_id.clone()));
            // A failed task may be followed by one that succeeded.
            let has_result = |task: &&&Receipt| task.status.as_deref() == Some("SUCCEEDED");
            let submitted = tasks.iter().rfind(has_result).or(tasks.last()).map(|task| task.submitted);
            let project = recording.columns.iter().find(|(name, _)| name.trim().eq_ignore_ascii_case("project"));
            Submission {
                model: self.model.clone(),
                region: self.region,
                file,
                names,
                project: project.map(|(_, cell)| cell.clone()),
                tracks: recording.tracks.clone(),
                failure: recording.failure.clone(),
                submits: recording.submits,
                usage: own.iter().map(|task| usage(task)).sum(),
                shared: shared.iter().map(|task| (task.task_id.clone(), usage(task))).collect(),
                submitted,
            }
        };
        let recordings = self.recordings.iter().zip(tasks).map(submission);
        recordings.chain(self.clips.iter().map(ClipReceipt::submission)).collect()
    }

    /// The result of each of [`Receipts::submissions`], below the folder, with `/`; `None` = there is none.
    pub fn results(&self) -> impl Iterator<Item = Option<&str>> {
        let recordings = self.recordings.iter().map(|recording| recording.file.as_deref());
        recordings.chain(self.clips.iter().map(|clip| Some(&*clip.file)))
    }
}

/// One flash call.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ClipReceipt {
    /// As given: an address, a path, or `-`.
    pub url: String,
    /// The service's id of the request.
    pub request_id: Option<String>,
    /// Its result below the folder, with `/`.
    pub file: String,
    /// The model.
    pub model: String,
    /// `None` = not known to this talkmeter.
    pub region: Option<Region>,
    /// The usage that the service reported; `None` = it reported none.
    pub usage: Option<Value>,
    /// When its result was stored, by our clock.
    pub recorded: jiff::Timestamp,
}

impl ClipReceipt {
    fn submission(&self) -> Submission {
        let file = self.file.strip_prefix(FOLDER).map_or(&*self.file, |below| below.trim_start_matches('/'));
        // Two clips may come from stdin.
        let given = Some(&self.url).filter(|url| *url != "-");
        let names = [given, Some(&self.file), self.request_id.as_ref()].into_iter().flatten().cloned();
        Submission {
            model: self.model.clone(),
            region: self.region,
            file: file.to_owned(),
            names: names.chain([file.to_owned()]).collect(),
            project: None,
            tracks: vec![0],
            failure: None,
            submits: 1,
            usage: self.usage.as_ref().map(Usage::from_json).unwrap_or_default(),
            shared: Vec::new(),
            submitted: Some(self.recorded),
        }
    }
}

/// One recording of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubmittedRecording {
    /// As given: an address, or a path.
    pub url: String,
    /// Where it is.
    pub source: Source,
    /// What identifies it: see [`Recording::key`](super::Recording::key). Not to be printed.
    pub key: String,
    /// Its name in the batch.
    pub name: String,
    /// The requested tracks.
    pub tracks: Vec<u32>,
    /// Its result below the batch's folder, with `/`; `None` = there is none.
    pub file: Option<String>,
    /// The code of its failure; `None` = it did not fail.
    pub failure: Option<String>,
    /// Submits that may have been billed: accepted by the service, or never resolved.
    pub submits: u32,
    /// The other columns of its row in the list, by name; empty cells are left out.
    pub columns: Vec<(String, String)>,
}

/// One task.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Receipt {
    /// The service's id of the task.
    pub task_id: String,
    /// The final status; `None` = not known to have ended.
    pub status: Option<String>,
    /// The usage that the service reported; `None` = it reported none.
    pub usage: Option<Value>,
    /// Indices into [`Receipts::recordings`].
    pub recordings: Vec<usize>,
    /// When its submit was about to leave, by our clock.
    pub submitted: jiff::Timestamp,
    /// When it was accepted, by our clock.
    pub accepted: jiff::Timestamp,
}
