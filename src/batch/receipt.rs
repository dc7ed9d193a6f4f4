//! What a ledger keeps of the bill: which recordings went to the service, how often, and the usage that it reported.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use serde_json::Value;

use super::event::{AttemptNo, Event, Line, RecordingNo};
use super::ledger::FILE;
use crate::client::Recognition;
use crate::error::{Error, Result};

/// A batch as far as it matters for money.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Receipts {
    /// The model that was asked; empty where the ledger does not say.
    pub model: String,
    /// The name of the region.
    pub region: String,
    /// In the order of the batch.
    pub recordings: Vec<SubmittedRecording>,
    /// Tasks that the service took, in the order in which it did.
    pub tasks: Vec<Receipt>,
    /// Flash calls whose results were kept.
    pub clips: Vec<ClipReceipt>,
}

/// One flash call.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ClipReceipt {
    /// Its result below the folder, with `/`.
    pub file: String,
    /// The model.
    pub model: String,
    /// The name of the region.
    pub region: String,
    /// What the service says that it bills; `None` = it did not say.
    pub usage: Option<Value>,
}

/// One recording of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubmittedRecording {
    /// As given: an address, or a path.
    pub url: String,
    /// What makes it this recording: see [`Recording::key`](super::Recording::key). Not to be printed.
    pub key: String,
    /// Its name in the batch.
    pub name: String,
    /// The tracks that are requested of it.
    pub tracks: Vec<u32>,
    /// Its result below the batch's folder, with `/`; `None` = there is none.
    pub file: Option<String>,
    /// The code of its failure; `None` = it did not fail.
    pub failure: Option<String>,
    /// Submits of it that may have been billed: taken by the service, or never settled.
    pub submits: u32,
}

/// One task.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Receipt {
    /// The service's name for it.
    pub task_id: String,
    /// How it ended; `None` = not known to have ended.
    pub status: Option<String>,
    /// What the service says that it bills; `None` = it did not say.
    pub usage: Option<Value>,
    /// Indices into [`Receipts::recordings`].
    pub recordings: Vec<usize>,
    /// When it was taken, by our clock.
    pub accepted: jiff::Timestamp,
}

/// Reads the ledger of the batch in `dir`; `None` where there is none.
///
/// # Errors
/// It cannot be read. A line that is not understood is left out: this only reports.
pub fn receipts(dir: &Path) -> Result<Option<Receipts>> {
    let path = dir.join(FILE);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", &path, error)),
    };
    let mut fold = Fold::default();
    for line in BufReader::new(file).split(b'\n') {
        let line = line.map_err(|error| Error::io("read", &path, error))?;
        if let Ok(line) = serde_json::from_slice::<Line>(&line) {
            fold.take(line);
        }
    }
    Ok(Some(fold.receipts))
}

#[derive(Default)]
struct Fold {
    receipts: Receipts,
    /// The tracks that are requested where a recording has none of its own.
    tracks: Vec<u32>,
    attempts: HashMap<AttemptNo, Vec<RecordingNo>>,
    tasks: HashMap<String, usize>,
}

impl Fold {
    fn take(&mut self, line: Line) {
        let Line { at, event } = line;
        match event {
            Event::Batch { region, recognition, .. } => {
                self.receipts.region = region;
                if let Ok(recognition) = Recognition::from_json(&recognition) {
                    self.receipts.model = recognition.model().to_owned();
                    self.tracks = recognition.tracks();
                }
            }
            Event::Recording { url, key, name, channels, .. } => {
                let tracks = channels.unwrap_or_else(|| self.tracks.clone());
                self.receipts.recordings.push(SubmittedRecording {
                    url,
                    key,
                    name,
                    tracks,
                    file: None,
                    failure: None,
                    submits: 0,
                });
            }
            Event::Intent { attempt, recordings, .. } => {
                self.attempts.insert(attempt, recordings);
            }
            Event::Accepted { attempt, task_id, .. } => {
                let recordings = self.attempts.remove(&attempt).unwrap_or_default();
                self.count(&recordings);
                let recordings = recordings.iter().filter_map(|n| n.index()).collect();
                self.tasks.insert(task_id.clone(), self.receipts.tasks.len());
                self.receipts.tasks.push(Receipt { task_id, status: None, usage: None, recordings, accepted: at });
            }
            // Nobody knows whether these were billed.
            Event::GivenUp { attempt } => {
                let recordings = self.attempts.remove(&attempt).unwrap_or_default();
                self.count(&recordings);
            }
            Event::Ended { task_id, status, usage } => {
                let task = self.tasks.get(&task_id).and_then(|at| self.receipts.tasks.get_mut(*at));
                if let Some(task) = task {
                    task.status = Some(status);
                    task.usage = usage;
                }
            }
            Event::Stored { n, file, .. } => {
                if let Some(sent) = self.sent(n) {
                    (sent.file, sent.failure) = (Some(file.replace('\\', "/")), None);
                }
            }
            Event::Failed { n, code, .. } => {
                if let Some(sent) = self.sent(n) {
                    (sent.file, sent.failure) = (None, Some(code));
                }
            }
            Event::Recognized { file, model, region, usage, .. } => {
                self.receipts.clips.push(ClipReceipt { file: file.replace('\\', "/"), model, region, usage });
            }
            _ => {}
        }
    }

    fn sent(&mut self, n: RecordingNo) -> Option<&mut SubmittedRecording> {
        self.receipts.recordings.get_mut(n.index()?)
    }

    fn count(&mut self, recordings: &[RecordingNo]) {
        for n in recordings {
            if let Some(sent) = self.sent(*n) {
                sent.submits += 1;
            }
        }
    }
}
