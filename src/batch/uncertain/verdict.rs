//! What is known about a lost submit, and what follows from it: pure, so that every combination can be tried.
//!
//! Absence follows from knowledge alone. A task about which nothing can be told keeps the submit uncertain.

use std::time::Duration;

use tokio::time::Instant;

use super::TASK_DEADLINE;
use super::naming::Likeness;
use super::window::{Now, Timing};
use crate::client::{Listed, TaskId};

/// How long a task is asked after that the service denies knowing, before it stays a riddle.
const DENIED: Duration = Duration::from_secs(60);
/// The same where no readable answer came.
const UNREADABLE: Duration = Duration::from_secs(300);

/// An answer on a task, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::batch) enum Answer {
    /// It has ended: its files by the names that the service gives them, and how many have none.
    Ended { names: Vec<String>, unnamed: usize },
    /// It failed or was cancelled and names no file: there is no result to lose and, as far as is known, no bill.
    Void,
    /// UNKNOWN, 404 or 403; why in words.
    Denied(String),
    /// None that can be read; why in words.
    Unreadable(String),
}

/// What is known of a task that may be the lost one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Candidate {
    /// Its answer is awaited; since when there was none that tells anything.
    Queried(Option<Instant>),
    /// It was answered oddly, at last `asked`, and is asked after again until then.
    Odd {
        since: Instant,
        asked: Instant,
        until: Instant,
        why: String,
    },
    Ended {
        names: Vec<String>,
        unnamed: usize,
    },
    Void,
}

impl Candidate {
    /// By an answer that came now.
    pub(super) fn new(answer: Answer, before: Option<&Self>, now: Instant) -> Self {
        let since = match before {
            Some(Self::Queried(Some(since)) | Self::Odd { since, .. }) => *since,
            _ => now,
        };
        match answer {
            Answer::Ended { names, unnamed } => Self::Ended { names, unnamed },
            Answer::Void => Self::Void,
            Answer::Denied(why) => Self::Odd { since, asked: now, until: since + DENIED, why },
            Answer::Unreadable(why) => Self::Odd { since, asked: now, until: since + UNREADABLE, why },
        }
    }
}

/// A task in the list that may be the lost one.
#[derive(Debug)]
pub(super) struct Sighting<'s> {
    pub(super) id: &'s TaskId,
    pub(super) timing: Timing,
    /// `None` while it has not ended.
    pub(super) candidate: Option<&'s Candidate>,
    /// It should have ended long ago.
    pub(super) is_overdue: bool,
}

impl<'s> Sighting<'s> {
    /// `None` for a task whose time is another.
    pub(super) fn new(row: &'s Listed, timing: Timing, candidate: Option<&'s Candidate>, now: Now) -> Option<Self> {
        let time = now.service.map_or(now.wall, |service| service.earliest(now.instant));
        let is_overdue = row.created.is_some_and(|created| time.duration_since(created) > TASK_DEADLINE);
        (timing != Timing::Outside).then_some(Self { id: &row.id, timing, candidate, is_overdue })
    }
}

/// What a reading of the list is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listing {
    /// It began too early.
    Early,
    /// It could prove absence, but for this, which may be otherwise next time.
    Doubtful(&'static str),
    /// The same, for too long.
    Useless(&'static str),
    /// Read whole, alive, and begun long enough after the request left.
    Proof,
}

/// What is known of a submit itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lost<'s> {
    /// The addresses that were sent.
    pub(super) sent: &'s [String],
    /// One of them is being sent again at this moment, by a submit whose task may be the one that is seen.
    pub(super) is_flying: bool,
    /// An earlier proof of absence allowed a submit of one of them before.
    pub(super) was_absent: bool,
}

/// What became of an uncertain submit.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::batch) enum SearchOutcome {
    /// The task is ours.
    Task(TaskId),
    /// There is none.
    Absent,
    /// It cannot be told, and why.
    Stuck(String),
}

/// What follows; `None`: not enough is known yet.
pub(super) fn decide(
    lost: Lost<'_>,
    sightings: &[Sighting<'_>],
    listing: Listing,
    now: Instant,
) -> Option<SearchOutcome> {
    let mut same_recording = None;
    let mut is_open = false;
    let mut riddle = None;
    for sighting in sightings {
        let id = sighting.id;
        match sighting.candidate {
            Some(Candidate::Void) => {}
            Some(Candidate::Ended { names, unnamed }) => {
                match (Likeness::of_all(names, *unnamed, lost.sent), sighting.timing) {
                    (Likeness::Different, _) => {}
                    _ if lost.is_flying => is_open = true,
                    (Likeness::Same, Timing::Within) => return Some(SearchOutcome::Task(id.clone())),
                    // Perhaps of another batch: only where nothing else is ours.
                    (Likeness::SameRecording, Timing::Within) => _ = same_recording.get_or_insert(id),
                    (Likeness::Alike, _) if names.is_empty() => riddle = Some((id, "it names no file")),
                    (Likeness::Alike, _) => riddle = Some((id, "it names its files otherwise")),
                    (_, _) => riddle = Some((id, "when it was created is not known")),
                }
            }
            Some(Candidate::Odd { until, why, .. }) if now >= *until => riddle = Some((id, why)),
            None if sighting.is_overdue => riddle = Some((id, "it has not ended")),
            Some(Candidate::Odd { .. } | Candidate::Queried(_)) | None => is_open = true,
        }
    }
    let is_late = listing != Listing::Early;
    match (same_recording, riddle, listing) {
        _ if is_open => None,
        (Some(id), _, _) if is_late => Some(SearchOutcome::Task(id.clone())),
        (_, Some((id, why)), _) if is_late => Some(SearchOutcome::Stuck(format!("task {id} may be it: {why}"))),
        (_, _, Listing::Proof) if lost.was_absent => {
            Some(SearchOutcome::Stuck("its submit was lost before, and is repeated only once".to_owned()))
        }
        (_, _, Listing::Proof) => Some(SearchOutcome::Absent),
        (_, _, Listing::Useless(why)) => Some(SearchOutcome::Stuck(why.to_owned())),
        (_, _, Listing::Early | Listing::Doubtful(_)) => None,
    }
}
