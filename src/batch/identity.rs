//! Which recordings of a request a batch already has.
//!
//! A recording is identified by the id that its list gives it, else by its address ([`address_id`]). A local file is identified by
//! its path as long as its size and times of change are the same, else by its content.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Recording;
use super::event::RecordingNo;
use super::source::Source;
use super::state::{Phase, RecordingState, State};
use crate::error::{Error, Result};
use crate::recording_id::address_id;

/// Of an id in a message, in characters.
const LONGEST_ID: usize = 1000;

/// What shows without reading it that a file is unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileStamp {
    bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    modified: Option<Timestamp>,
    /// Changes with the name, too, and no program sets it: files of one length that were unpacked or written within one
    /// tick of the clock differ in nothing else when one takes another's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    changed: Option<Timestamp>,
}

impl FileStamp {
    pub(super) fn new(metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
        Self { bytes: metadata.len(), modified, changed: changed(metadata) }
    }

    /// Whether size and times are the same, as far as both are known.
    fn is_same(self, other: Self) -> bool {
        self.is_as_long_and_old(other)
            && (self.changed.is_none() || other.changed.is_none() || self.changed == other.changed)
    }

    fn is_as_long_and_old(self, other: Self) -> bool {
        (self.bytes, self.modified) == (other.bytes, other.modified)
    }
}

#[cfg(unix)]
fn changed(metadata: &Metadata) -> Option<Timestamp> {
    use std::os::unix::fs::MetadataExt;
    Timestamp::new(metadata.ctime(), metadata.ctime_nsec().try_into().ok()?).ok()
}

/// Not known without opening the file.
#[cfg(not(unix))]
fn changed(_: &Metadata) -> Option<Timestamp> {
    None
}

/// The key of a recording: `location` is its address as sent, or the real path of a file as a `file://` URL.
pub(super) fn key(id: Option<&str>, location: &str) -> String {
    id.map_or_else(|| address_id(location), |id| format!("id:{id}"))
}

/// The recordings of one request, each once.
#[derive(Debug, Default)]
pub(crate) struct Identities {
    /// By location without id; two ids for one address are two rows of one recording.
    known: HashMap<Arc<str>, usize>,
    /// The location of each recording that has an id.
    ids: HashMap<Arc<str>, Arc<str>>,
}

impl Identities {
    /// Takes a recording in: the index of the one that it is, if it was given before; a new one has the next index.
    ///
    /// # Errors
    /// Its id names another recording.
    pub(crate) fn add(&mut self, id: Option<&str>, location: &str) -> std::result::Result<Option<usize>, String> {
        let own: Arc<str> = key(None, location).into();
        if let Some(id) = id {
            let other = self.ids.entry(id.into()).or_insert_with(|| Arc::clone(&own));
            if *other != own {
                let id: String = id.chars().take(LONGEST_ID).collect();
                return Err(format!("the id {id} names another recording before"));
            }
        }
        let next = self.known.len();
        Ok(match self.known.entry(own) {
            Entry::Occupied(known) => Some(*known.get()),
            Entry::Vacant(vacant) => {
                vacant.insert(next);
                None
            }
        })
    }
}

/// Whether two addresses name the same recording.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    one == other || address_id(one) == address_id(other)
}

/// The content of a file, as a hash.
pub(super) fn content(path: &Path) -> Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    let read = File::open(path).and_then(|file| hasher.update_reader(file).map(drop));
    read.map(|()| hasher.finalize()).map_err(|error| Error::io("read", path, error))
}

/// What a batch has of a recording.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// Nothing.
    New,
    /// Nothing: the file at its path had another content when it was submitted.
    Replaced,
    /// The recording; `changed`: a file with another content, of which nothing was billed.
    Known { n: RecordingNo, changed: bool },
    /// Several recordings, which an earlier version told apart.
    Several(usize),
}

/// The recordings of a batch by what identifies them.
#[derive(Debug)]
pub(super) struct KnownRecordings<'s> {
    state: &'s State,
    /// Those that have an id of their list.
    by_key: HashMap<String, Vec<&'s RecordingState>>,
    /// By address, whatever their id.
    by_address: HashMap<String, Vec<&'s RecordingState>>,
    /// The latest at each path.
    by_path: HashMap<&'s Path, &'s RecordingState>,
    by_content: HashMap<blake3::Hash, Vec<&'s RecordingState>>,
}

impl<'s> KnownRecordings<'s> {
    pub(super) fn new(state: &'s State) -> Self {
        let (mut by_key, mut by_address, mut by_path, mut by_content) =
            (HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new(), HashMap::new(), HashMap::<_, Vec<_>>::new());
        for recording in &state.recordings {
            match &recording.source {
                Source::Url(address) | Source::Oss(address) if recording.id.is_some() => {
                    by_address.entry(address_id(address.sent())).or_default().push(recording);
                }
                Source::Url(_) | Source::Oss(_) => by_address.entry(recording.key()).or_default().push(recording),
                Source::File(path) => _ = by_path.insert(path.as_path(), recording),
            }
            if recording.id.is_some() {
                by_key.entry(recording.key()).or_default().push(recording);
            }
            if let Some(content) = recording.content() {
                by_content.entry(content).or_default().push(recording);
            }
        }
        Self { state, by_key, by_address, by_path, by_content }
    }

    /// What the batch has of `recording`. Reads a local file only if its size or time of change differ from what is known.
    pub(super) fn find(&self, recording: &Recording) -> Result<Match> {
        if self.state.recordings.is_empty() {
            return Ok(Match::New);
        }
        if recording.id.is_some()
            && let Some(found) = self.by_key.get(&*recording.key)
            && let [one, ..] = found[..]
        {
            return match recording.path() {
                Some(path) => self.at_path(path, recording, one),
                None => Ok(Match::Known { n: one.n, changed: false }),
            };
        }
        match (recording.path(), recording.source.sent()) {
            (Some(path), _) => match self.by_path.get(path.as_path()) {
                Some(known) if recording.id.is_none() || known.id.is_none() => self.at_path(path, recording, known),
                _ => self.moved(&path, recording),
            },
            (None, sent) => {
                let address = sent.map(address_id).unwrap_or_default();
                let found = self.by_address.get(&address).map(Vec::as_slice).unwrap_or_default();
                let found: Vec<_> = found.iter().filter(|known| recording.id.is_none() || known.id.is_none()).collect();
                Ok(match found[..] {
                    [] => Match::New,
                    [one] => Match::Known { n: one.n, changed: false },
                    _ => match found.iter().find(|known| known.source.sent() == sent) {
                        Some(one) => Match::Known { n: one.n, changed: false },
                        None => Match::Several(found.len()),
                    },
                })
            }
        }
    }

    /// `known` was at this path when it was last seen.
    fn at_path(&self, path: PathBuf, recording: &Recording, known: &RecordingState) -> Result<Match> {
        let same = Match::Known { n: known.n, changed: false };
        let stamps = known.stamp().zip(recording.stamp).filter(|_| known.path() == Some(&path));
        if stamps.is_some_and(|(before, now)| before.is_same(now)) {
            return Ok(same);
        }
        let Some(before) = known.content() else {
            // Not submitted yet, or with a content that was not recorded.
            let is_new =
                stamps.is_some_and(|(before, now)| !before.is_as_long_and_old(now)) && !is_unbilled(&known.phase);
            return Ok(if is_new { Match::Replaced } else { same });
        };
        let now = content(&path)?;
        if now == before {
            return Ok(same);
        }
        Ok(match self.by_content.get(&now).and_then(|found| found.first()) {
            Some(other) => Match::Known { n: other.n, changed: false },
            None if is_unbilled(&known.phase) => Match::Known { n: known.n, changed: true },
            None => Match::Replaced,
        })
    }

    /// The recording whose file is now at `path`, where the batch has none; its own path is gone.
    fn moved(&self, path: &Path, recording: &Recording) -> Result<Match> {
        let is_gone = |known: &RecordingState| known.path().is_some_and(|path| !path.exists());
        let may_be = |known: &RecordingState| {
            (known.stamp().is_none()
                || known.stamp().map(|stamp| stamp.bytes) == recording.stamp.map(|stamp| stamp.bytes))
                && is_gone(known)
        };
        if !self.by_content.values().flatten().any(|known| may_be(known)) {
            return Ok(Match::New);
        }
        let now = content(path)?;
        let found = self.by_content.get(&now).into_iter().flatten().find(|known| is_gone(known));
        Ok(found.map_or(Match::New, |known| Match::Known { n: known.n, changed: false }))
    }
}

/// Whether nothing of a recording was billed or may have been.
fn is_unbilled(phase: &Phase) -> bool {
    matches!(phase, Phase::Waiting | Phase::Failed(_))
}
