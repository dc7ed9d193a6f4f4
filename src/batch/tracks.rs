//! Which tracks of each recording a batch requests: of a local file all that sound different, of an address those of the
//! request. Each requested track is billed.
//!
//! A recording that the batch already has keeps the tracks it was added with, whatever its file holds now.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::identity::{KnownRecordings, Match};
use super::{BatchRequest, LedgerReport, Recording, Source};
use crate::audio::{self, Tracks};
use crate::catalog::Catalog;
use crate::error::Result;

/// The tracks that were selected for one recording.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct TrackSelection {
    /// The requested tracks, from 0.
    pub tracks: Vec<u32>,
    /// Tracks that sound different, or all tracks if they were not compared; `None` = not known.
    pub distinct_tracks: Option<u32>,
    /// What the selection is based on.
    pub basis: TrackBasis,
}

/// What a selection of tracks is based on.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TrackBasis {
    /// The request names the tracks, or the recording is an address.
    Request,
    /// The batch already has the recording.
    Ledger,
    /// The file's tracks.
    File(Tracks),
    /// The file does not reveal its tracks: those of the request are taken.
    UnknownFile,
}

impl BatchRequest {
    /// Whether the request itself names the tracks of all recordings.
    #[must_use]
    pub fn names_tracks(&self) -> bool {
        self.recognition.get("channel_id").is_some()
    }

    /// Selects tracks unless that was done.
    pub(super) fn with_tracks(mut self, dir: &Path) -> Result<Self> {
        if !self.has_tracks {
            self.select_tracks(dir, false, &|_, _| ())?;
        }
        Ok(self)
    }

    /// Reads local files, in parallel, and selects the tracks to request of each recording; fills in length and sample rate. The
    /// result is in the order of the recordings. [`Batch::open`](super::Batch::open) does this for requests for which it was not
    /// done before.
    ///
    /// `dir` is the folder of the batch. Files of recordings that the batch already has are read only for `all_lengths`.
    /// `observe` gets the number of files that were read and that will be read.
    ///
    /// # Errors
    /// The ledger of the batch cannot be read. A file that cannot be read is no error here: its upload will report it.
    pub fn select_tracks(
        &mut self,
        dir: &Path,
        all_lengths: bool,
        observe: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Vec<TrackSelection>> {
        let named = self.names_tracks();
        let of_all = self.recognition.tracks();
        let known = known_tracks(dir, &self.recordings, &of_all)?;
        let one_track = self.recognition.one_track(Catalog::builtin()).is_some();
        let is_new = |recording: &Recording| recording.channels.is_none() && !known.contains_key(&recording.key);
        let is_read =
            |recording: &Recording| matches!(recording.source, Source::File(_)) && (all_lengths || is_new(recording));
        let (files, done) =
            (self.recordings.iter().filter(|recording| is_read(recording)).count(), AtomicUsize::new(0));
        let select = |recording: &mut Recording| {
            let is_new = is_new(recording);
            let probe = match &recording.source {
                Source::File(path) if is_read(recording) => Some((path.clone(), audio::probe(path).ok().flatten())),
                _ => None,
            };
            let tracks = recording.channels.clone().unwrap_or_else(|| of_all.clone());
            let mut selection = TrackSelection { tracks, distinct_tracks: None, basis: TrackBasis::Request };
            let mut found = None;
            if let Some((path, probe)) = &probe {
                if let Some(probe) = probe {
                    recording.duration_ms = probe.duration_ms.or(recording.duration_ms);
                    recording.sample_rate_hz = probe.sample_rate_hz;
                    recording.extension = Some(probe.extension());
                    recording.problem = probe.problem();
                    recording.shortfall = probe.shortfall();
                    selection.distinct_tracks = probe.channels.map(u32::from);
                }
                if is_new && !named {
                    found = probe.as_ref().and_then(|probe| audio::compare(path, probe).ok().flatten());
                    selection.basis = TrackBasis::UnknownFile;
                }
                observe(done.fetch_add(1, Ordering::Relaxed) + 1, files);
            }
            if let Some(tracks) = found {
                let distinct: Vec<u32> = tracks.distinct.iter().copied().map(u32::from).collect();
                recording.repeated = (0..tracks.channels.into()).filter(|track| !distinct.contains(track)).collect();
                selection.distinct_tracks = u32::try_from(distinct.len()).ok();
                if !one_track {
                    selection.tracks = distinct;
                }
                selection.basis = TrackBasis::File(tracks);
            } else if !named && let Some(tracks) = known.get(&recording.key) {
                selection.tracks.clone_from(tracks);
                selection.basis = TrackBasis::Ledger;
            }
            recording.channels = (selection.tracks != of_all).then(|| selection.tracks.clone());
            selection
        };
        let selected = self.recordings.par_iter_mut().map(select).collect();
        self.has_tracks = true;
        Ok(selected)
    }
}

/// The tracks of the recordings that the batch in `dir` already has, by their keys in the request.
fn known_tracks(dir: &Path, recordings: &[Recording], of_all: &[u32]) -> Result<HashMap<Arc<str>, Vec<u32>>> {
    let Some(ledger) = LedgerReport::read(dir)? else { return Ok(HashMap::new()) };
    let known = KnownRecordings::new(ledger.state());
    let mut tracks = HashMap::new();
    for recording in recordings {
        let own = match known.find(recording)? {
            Match::Known { n, .. } => ledger.state().get(n).and_then(|known| known.channels().map(<[u32]>::to_vec)),
            Match::Several(_) => None,
            Match::New | Match::Replaced => continue,
        };
        tracks.insert(Arc::clone(&recording.key), own.unwrap_or_else(|| of_all.to_vec()));
    }
    Ok(tracks)
}
