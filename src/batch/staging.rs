//! Local files in an object store of the user's own: put there once, given to the service as signed links, deleted when done.
//!
//! An object is named after the content of its file, so that a later run finds it by one request. A link is signed when its submit
//! is about to leave, and again for every other submit; the ledger has the object and the address of its links without their
//! signature, which identifies the recording. Only what the ledger says that this batch put there is deleted, once every
//! recording of that content has a result or has failed.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{fmt, io};

use jiff::SignedDuration;
use tokio::sync::watch;
use tokio::time::Instant;

use super::backoff::Endpoint;
use super::event::{Event, RecordingNo};
use super::ledger::Writer;
use super::line::Line;
use super::ready::Addressed;
use super::runner::{Done, Operation, Runner, with_cause};
use super::state::{Phase, StagedObject, State};
use super::submitting::NOT_READ;
use crate::client::TaskId;
use crate::error::{Error, ErrorKind, Result};
use crate::recording_id::address_id;

/// How long a link can be read: the service fetches it when the turn of its task comes.
const LINK_LIFE: Duration = Duration::from_secs(24 * 3600);
/// Files up to this size are uploaded by one request, larger ones in parts.
const PART: u64 = 8 << 20;
const REMOVALS: usize = 4;
/// Codes of the service for an address that it could not read.
const NOT_FETCHED: [&str; 4] = ["DownloadFailed", "DOWNLOAD_FAILED", "FILE_403", "FILE_404"];

/// A request to an object store. When it is dropped, the request may go on.
pub type StorageWork<T> = Pin<Box<dyn Future<Output = Result<T>> + Send>>;
/// Completes when an upload is to be given up.
pub type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What staging needs of object stores. A trait, as a batch can be built without them; with feature `object-stores`,
/// `Stores` has it. Objects are named by their addresses, such as `s3://bucket/prefix/name.wav`.
pub trait ObjectStorage: fmt::Debug + Send + Sync {
    /// Whether an object is there with this length in bytes.
    fn has(&self, object: &str, bytes: u64) -> StorageWork<bool>;
    /// Puts a file there, whole or not at all; when `stop` completes, removes what was sent and fails. An error whose cause is
    /// [`io::ErrorKind::PermissionDenied`] says that nothing was put there.
    fn upload(&self, object: &str, file: &Path, stop: Stop) -> StorageWork<()>;
    /// A link by which the service can read it for so long. Its query is a secret.
    fn link(&self, object: &str, valid_for: Duration) -> StorageWork<String>;
    /// Deletes an object; one that is not there is no error.
    fn delete(&self, object: &str) -> StorageWork<()>;
}

#[cfg(feature = "object-stores")]
impl ObjectStorage for crate::stores::Stores {
    fn has(&self, object: &str, bytes: u64) -> StorageWork<bool> {
        let object = self.object(object);
        Box::pin(async move { object?.has(bytes).await })
    }

    fn upload(&self, object: &str, file: &Path, stop: Stop) -> StorageWork<()> {
        let (object, file) = (self.object(object), file.to_owned());
        Box::pin(async move { object?.upload(&file, stop).await })
    }

    fn link(&self, object: &str, valid_for: Duration) -> StorageWork<String> {
        let object = self.object(object);
        Box::pin(async move { object?.link(valid_for).await })
    }

    fn delete(&self, object: &str) -> StorageWork<()> {
        let object = self.object(object);
        Box::pin(async move { object?.delete().await })
    }
}

/// Where local files are put, and whether what is done is deleted. The default of both is no.
#[derive(Debug, Clone)]
pub struct Staging {
    storage: Arc<dyn ObjectStorage>,
    folder: Option<String>,
    removes: bool,
}

impl Staging {
    /// Access to object stores.
    #[must_use]
    pub fn new(storage: Arc<dyn ObjectStorage>) -> Self {
        Self { storage, folder: None, removes: false }
    }

    /// Put local files below this address, such as `s3://bucket/prefix`.
    #[must_use]
    pub fn folder(mut self, folder: Option<String>) -> Self {
        self.folder = folder.map(|folder| folder.trim_end_matches('/').to_owned());
        self
    }

    /// Delete the objects that this batch put there, in this run or before, as soon as their recordings are done.
    #[must_use]
    pub fn remove_done(mut self, removes: bool) -> Self {
        self.removes = removes;
        self
    }
}

/// Objects in a folder of a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct ObjectCounts {
    /// Those whose recordings have a result or have failed.
    pub done: usize,
    /// Those whose recordings are not done, or may have been submitted.
    pub open: usize,
}

/// The objects of a batch in object stores.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct StagedRecordings {
    /// Those that the batch put there and that are not known to be deleted, by folder.
    pub left: BTreeMap<String, ObjectCounts>,
    /// Those that were there before, by folder; they are used, and never deleted.
    pub found: BTreeMap<String, usize>,
    /// Those that were deleted, in this run and before.
    pub removed: usize,
}

impl StagedRecordings {
    pub(super) fn from_state(state: &State) -> Self {
        let mut staged = Self { removed: state.unstaged, ..Self::default() };
        if state.staged.is_empty() {
            return staged;
        }
        let users = users_in(state);
        for (blake3, objects) in &state.staged {
            for object in objects {
                let folder = folder_of(&object.url).to_owned();
                if object.is_ours {
                    let left = staged.left.entry(folder).or_default();
                    *(if are_done(state, users.get(blake3)) { &mut left.done } else { &mut left.open }) += 1;
                } else {
                    *staged.found.entry(folder).or_default() += 1;
                }
            }
        }
        staged
    }
}

fn folder_of(object: &str) -> &str {
    object.rsplit_once('/').map_or(object, |(folder, _)| folder)
}

/// The recordings by the content that was last submitted.
fn users_in(state: &State) -> HashMap<blake3::Hash, Vec<RecordingNo>> {
    let mut users = HashMap::<_, Vec<_>>::new();
    for recording in &state.recordings {
        if let Some(content) = recording.content() {
            users.entry(content).or_default().push(recording.n);
        }
    }
    users
}

/// Whether there is nothing to be expected of the recordings of an object. Of none, it may be that of one that waits.
fn are_done(state: &State, users: Option<&Vec<RecordingNo>>) -> bool {
    let is_done = |n: &RecordingNo| {
        let phase = state.get(*n).map(|recording| &recording.phase);
        matches!(phase, Some(Phase::Stored(_) | Phase::Failed(_)))
    };
    match users {
        Some(users) => users.iter().all(is_done),
        None => state.counts.waiting == 0,
    }
}

/// An object that is in its place.
#[derive(Debug)]
pub(super) struct Staged {
    object: Arc<str>,
    /// Of its links, without their signature.
    address: Arc<str>,
    /// An upload in parts of an earlier run was not completed.
    was_cut_short: bool,
}

/// What a run knows of the objects of its batch.
#[derive(Debug, Default)]
pub(super) struct RunStaging {
    /// Those that it has seen in their places.
    there: HashMap<blake3::Hash, Staged>,
    /// The same, by address.
    objects: HashMap<Arc<str>, Arc<str>>,
    stop: watch::Sender<bool>,
    /// The recordings of each content, as far as their files were read.
    users: HashMap<blake3::Hash, Vec<RecordingNo>>,
    /// Recordings that were done since objects were last looked for; `None` = they were not yet.
    done: Option<Vec<RecordingNo>>,
    removals: VecDeque<(blake3::Hash, Arc<str>)>,
    /// Folders where the store has refused to delete.
    refused: HashSet<String>,
}

impl RunStaging {
    /// The address of an object with this content.
    pub(super) fn address_of(&self, blake3: &blake3::Hash) -> Option<&str> {
        self.there.get(blake3).map(|staged| &*staged.address)
    }

    /// A file was read.
    pub(super) fn is_of(&mut self, blake3: blake3::Hash, n: RecordingNo) {
        self.users.entry(blake3).or_default().push(n);
    }

    pub(super) fn finished(&mut self, recordings: Vec<RecordingNo>) {
        if let Some(done) = &mut self.done {
            done.extend(recordings);
        }
    }

    /// Uploads under way are given up.
    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }

    fn stopping(&self) -> Stop {
        let mut stop = self.stop.subscribe();
        Box::pin(async move {
            // Its sender lives as long as the run.
            let _ = stop.wait_for(|stop| *stop).await;
        })
    }
}

/// The links of one submit.
pub(super) struct Links {
    storage: Option<Arc<dyn ObjectStorage>>,
    objects: HashMap<String, Arc<str>>,
}

impl Links {
    /// What is sent for these recordings: a fresh link where there is an object, else the address.
    pub(super) async fn sign(&self, recordings: &[Addressed]) -> Result<Vec<String>> {
        let mut sent = Vec::with_capacity(recordings.len());
        for (_, address) in recordings {
            sent.push(match (&self.storage, self.objects.get(address)) {
                (Some(storage), Some(object)) => storage.link(object, LINK_LIFE).await?,
                _ => address.clone(),
            });
        }
        Ok(sent)
    }
}

impl<'a> Runner<'a> {
    /// Whether local files are put into an object store.
    pub(super) fn stages(&self) -> bool {
        self.request.staging.as_ref().is_some_and(|staging| staging.folder.is_some())
    }

    /// The work that puts a file into the object store; `None` = temporary storage is used.
    pub(super) fn stage(&self, path: &Path, blake3: blake3::Hash) -> Option<Operation<'a>> {
        let staging = self.request.staging.as_ref()?;
        let folder = staging.folder.as_deref()?;
        // The same content may have come under another extension before.
        let known = self.state.staged.get(&blake3).into_iter().flatten();
        let known = known.rev().find(|object| folder_of(&object.url) == folder).cloned();
        let known = known.unwrap_or_else(|| StagedObject {
            url: format!("{folder}/{}", object_name(&blake3, path)).into(),
            address: None,
            is_ours: false,
        });
        let (storage, writer) = (Arc::clone(&staging.storage), self.writer.clone());
        let (path, stop, no_more) = (path.to_owned(), self.staging.stopping(), Arc::clone(&self.no_more));
        Some(Box::pin(async move {
            let mut lines = Vec::new();
            let outcome = stage(&*storage, (&writer, &mut lines), (blake3, &path), known, (stop, &no_more)).await;
            Done::Staged { blake3, lines, outcome }
        }))
    }

    pub(super) async fn staged(
        &mut self,
        blake3: blake3::Hash,
        lines: Vec<Line<'static>>,
        outcome: Result<Staged>,
    ) -> Result<()> {
        self.under_way.uploads -= 1;
        self.apply(lines)?;
        let waiting = self.uploading.remove(&blake3).unwrap_or_default();
        match outcome {
            Ok(staged) => {
                if staged.was_cut_short {
                    self.note(&format!(
                        "an earlier upload of {} was cut short: parts of it may stay in the bucket until a lifecycle rule removes them",
                        staged.object
                    ));
                }
                self.backoff.succeeded(Endpoint::Upload, Instant::now());
                let address = staged.address.to_string();
                self.staging.objects.insert(Arc::clone(&staged.address), Arc::clone(&staged.object));
                self.staging.there.insert(blake3, staged);
                waiting.into_iter().for_each(|n| self.uploaded_as(n, address.clone()));
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::Ledger => Err(error),
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                for n in waiting {
                    self.failed(n, None, NOT_READ, &error.to_string(), None).await?;
                }
                Ok(())
            }
            // What a store refuses it refuses for all files; its client has repeated what may pass.
            Err(error) => {
                self.unread.extend(waiting);
                if !*self.staging.stop.borrow() {
                    self.halt(error);
                }
                Ok(())
            }
        }
    }

    /// What is needed to sign the links of these recordings.
    pub(super) fn links(&self, recordings: &[Addressed]) -> Links {
        let storage = self.request.staging.as_ref().map(|staging| Arc::clone(&staging.storage));
        let object =
            |(_, address): &Addressed| Some((address.clone(), Arc::clone(self.staging.objects.get(&**address)?)));
        Links { storage, objects: recordings.iter().filter_map(object).collect() }
    }

    /// Whether a recording failed because its link had expired when the service came to read it: a fresh link names the same
    /// recording.
    pub(super) fn has_lapsed(&self, n: RecordingNo, task: &TaskId, code: &str) -> bool {
        let Some(owned) = self.state.tasks.get(task).filter(|_| self.stages()) else { return false };
        let is_link = |address: &str| !address.starts_with("oss://");
        let is_staged = self.state.get(n).is_some_and(|recording| recording.path().is_some())
            && owned.sent.iter().any(|(sent, address)| *sent == n && is_link(address));
        let age = self.writer.now().duration_since(owned.submitted);
        is_staged
            && NOT_FETCHED.iter().any(|part| code.contains(part))
            && age >= SignedDuration::from_secs(LINK_LIFE.as_secs() as i64)
    }

    /// Recordings of which nothing more is expected after an event.
    pub(super) fn finished_by(&self, event: &Event<'_>) -> Vec<RecordingNo> {
        match event {
            _ if self.staging.done.is_none() => Vec::new(),
            Event::Stored { n, .. } | Event::Failed { n, .. } => vec![*n],
            Event::Refused { attempt, again: false, .. } => self.recordings_of(*attempt),
            _ => Vec::new(),
        }
    }

    /// Deletes the objects of recordings that are done.
    pub(super) fn start_unstaging(&mut self) {
        let Some(staging) = self.request.staging.as_ref().filter(|staging| staging.removes) else { return };
        // A file that was not read yet may have the content of an object.
        if self.halted.is_none() && (!self.unread.is_empty() || self.under_way.hashes > 0) {
            return;
        }
        // Each once, though several recordings of it may be done.
        let contents: HashSet<blake3::Hash> = match self.staging.done.replace(Vec::new()) {
            Some(done) => done.into_iter().filter_map(|n| self.state.get(n)?.content()).collect(),
            None => {
                for (content, recordings) in users_in(&self.state) {
                    self.staging.users.entry(content).or_default().extend(recordings);
                }
                self.state.staged.keys().copied().collect()
            }
        };
        for blake3 in contents {
            if are_done(&self.state, self.staging.users.get(&blake3)) {
                let ours = self.state.staged.get(&blake3).into_iter().flatten().filter(|object| object.is_ours);
                self.staging.removals.extend(ours.map(|object| (blake3, Arc::clone(&object.url))));
            }
        }
        while self.under_way.removals < REMOVALS
            && let Some((blake3, object)) = self.staging.removals.pop_front()
        {
            if self.staging.refused.contains(folder_of(&object)) {
                continue;
            }
            self.under_way.removals += 1;
            let deleted = staging.storage.delete(&object);
            self.operations.push(Box::pin(async move { Done::Unstaged { blake3, object, outcome: deleted.await } }));
        }
    }

    pub(super) async fn unstaged(&mut self, blake3: blake3::Hash, object: Arc<str>, outcome: Result<()>) -> Result<()> {
        self.under_way.removals -= 1;
        match outcome {
            Ok(()) => {
                if let Some(staged) = self.staging.there.remove(&blake3) {
                    self.staging.objects.remove(&staged.address);
                }
                let blake3 = blake3.to_hex().to_string().into();
                self.record(vec![Event::Unstaged { blake3, url: object.to_string().into() }], false).await
            }
            Err(error) => {
                if self.staging.refused.insert(folder_of(&object).to_owned()) {
                    self.note(&format!("{}; nothing more is deleted there", with_cause(&error)));
                }
                Ok(())
            }
        }
    }
}

/// `HASH.wav`: the extension in lower case, if it is one.
fn object_name(blake3: &blake3::Hash, path: &Path) -> String {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let extension = extension.filter(|name| name.len() <= 10 && name.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let extension = extension.map(|name| format!(".{}", name.to_ascii_lowercase())).unwrap_or_default();
    format!("{}{extension}", blake3.to_hex())
}

/// Puts a file into its place, unless it is there, and returns that place and its address. Lines that were written are added to
/// `lines`, whatever happens.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] when the file cannot be read; another kind when the store or the ledger fails.
async fn stage(
    storage: &dyn ObjectStorage,
    (writer, lines): (&Writer, &mut Vec<Line<'static>>),
    (blake3, path): (blake3::Hash, &PathBuf),
    known: StagedObject,
    (stop, no_more): (Stop, &AtomicBool),
) -> Result<Staged> {
    let length = || std::fs::metadata(path).map(|metadata| metadata.len());
    let bytes = length().map_err(|error| Error::invalid(format!("cannot read {}: {error}", path.display())))?;
    let StagedObject { url: object, address: before, is_ours } = known;
    let hex = || blake3.to_hex().to_string().into();
    let is_there = storage.has(&object, bytes).await?;
    let was_cut_short = !is_there && is_ours && before.is_none() && bytes > PART;
    if !is_there {
        if no_more.load(Ordering::Relaxed) {
            return Err(Error::timeout(format!("{object} was not uploaded: the run is ending")));
        }
        lines.extend(writer.add(vec![Event::Staging { blake3: hex(), url: object.to_string().into() }], true).await?);
        let uploaded = storage.upload(&object, path, stop).await;
        if !length().is_ok_and(|now| now == bytes) {
            return Err(Error::invalid(format!("{} changed while it was uploaded", path.display())));
        }
        if let Err(error) = uploaded {
            if is_refusal(&error) {
                let withdrawn = Event::Unstaged { blake3: hex(), url: object.to_string().into() };
                lines.extend(writer.add(vec![withdrawn], false).await?);
            }
            return Err(error);
        }
    }
    let address: Arc<str> = without_signature(&storage.link(&object, LINK_LIFE).await?).into();
    if before.as_ref() != Some(&address) {
        let staged = Some(object.to_string().into());
        let (url, expires) = (address.to_string().into(), writer.now());
        lines.extend(writer.add(vec![Event::Uploaded { blake3: hex(), url, expires, staged }], true).await?);
    }
    Ok(Staged { object, address, was_cut_short })
}

/// Whether a store has said no, so that there is nothing.
fn is_refusal(error: &Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::PermissionDenied)
}

/// The address of a link that identifies its recording: nothing of its query is kept, all of which is about the signature.
fn without_signature(link: &str) -> String {
    let id = address_id(link);
    id.split('?').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_named_after_its_content_and_its_address_has_no_signature() {
        let blake3 = blake3::hash(b"hello");
        for (path, ending) in [("a.WAV", ".wav"), ("a.tar.mp3", ".mp3"), ("a", ""), ("a.客", ""), ("a.b c", "")] {
            assert_eq!(object_name(&blake3, Path::new(path)), format!("{}{ending}", blake3.to_hex()));
        }
        let at = "https://b.s3.amazonaws.com/p%20q/00.wav";
        for query in ["X-Amz-Date=1&X-Amz-Signature=aa", "sv=1&sig=aa&new=1", "X-Goog-Signature=aa"] {
            assert_eq!(without_signature(&format!("{at}?{query}")), at);
        }
    }
}
