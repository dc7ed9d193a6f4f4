//! Recordings of a batch by state, and what is still to be submitted.

use std::collections::BTreeMap;

use super::state::{Phase, State};

/// Recordings by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// Not submitted yet.
    pub waiting: usize,
    /// Uploads under way.
    pub uploading: usize,
    /// Submits under way.
    pub submitting: usize,
    /// Accepted by the service, no result yet.
    pub in_flight: usize,
    /// Not known yet whether they were accepted.
    pub uncertain: usize,
    /// With a result on disk.
    pub stored: usize,
    /// Without speech, which is a result too.
    pub silent: usize,
    /// Failed for good.
    pub failed: usize,
}

impl Counts {
    pub(super) fn from_state(state: &State) -> Self {
        let counts = state.counts;
        Self {
            waiting: counts.waiting,
            in_flight: counts.in_task,
            uncertain: counts.attempted,
            stored: counts.stored,
            silent: counts.silent,
            failed: counts.failed,
            ..Self::default()
        }
    }

    /// All recordings.
    #[must_use]
    pub fn total(&self) -> usize {
        self.open() + self.done()
    }

    /// Those that have ended.
    #[must_use]
    pub fn done(&self) -> usize {
        self.stored + self.silent + self.failed
    }

    /// Those that have not.
    #[must_use]
    pub fn open(&self) -> usize {
        self.waiting + self.submitting + self.in_flight + self.uncertain
    }
}

impl std::iter::Sum for Counts {
    /// Those of several batches together.
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |one, two| Self {
            waiting: one.waiting + two.waiting,
            uploading: one.uploading + two.uploading,
            submitting: one.submitting + two.submitting,
            in_flight: one.in_flight + two.in_flight,
            uncertain: one.uncertain + two.uncertain,
            stored: one.stored + two.stored,
            silent: one.silent + two.silent,
            failed: one.failed + two.failed,
        })
    }
}

/// What is still to be submitted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// Local files, which are uploaded.
    pub files: usize,
    /// Addresses.
    pub addresses: usize,
    /// How many there are of each set of requested tracks.
    pub by_tracks: BTreeMap<Vec<u32>, usize>,
}

impl Waiting {
    /// `of_all` are the tracks that are requested where a recording has none of its own.
    pub(super) fn from_state(state: &State, of_all: &[u32]) -> Self {
        let mut waiting = Self::default();
        for recording in state.recordings.iter().filter(|recording| recording.phase == Phase::Waiting) {
            *if recording.source.sent().is_none() { &mut waiting.files } else { &mut waiting.addresses } += 1;
            let tracks = recording.channels().unwrap_or(of_all);
            match waiting.by_tracks.get_mut(tracks) {
                Some(recordings) => *recordings += 1,
                None => _ = waiting.by_tracks.insert(tracks.to_vec(), 1),
            }
        }
        waiting
    }

    /// Tracks of all of them together, each of which is billed.
    #[must_use]
    pub fn charges(&self) -> usize {
        self.by_tracks.iter().map(|(tracks, recordings)| tracks.len() * recordings).sum()
    }
}
