//! Submits of which it is unknown whether the service accepted them: found in its list, or proved absent.
//!
//! The list names no file. So every task of the model that is not ours and may be as young as the request is asked for its files
//! once it has ended. Absence is proved only by a list that was read whole, is alive, and was begun long enough after the request
//! left, and only if each of its tasks is known to be another's.

mod naming;
#[cfg(test)]
mod simulation;
mod verdict;
mod window;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
pub(super) use naming::{Likeness, is_same_recording};
use tokio::time::Instant;
pub(super) use verdict::{Answer, SearchOutcome};
use verdict::{Candidate, Listing, Lost, Sighting, decide};
pub(super) use window::Now;
use window::{Departure, Timing, Window};

use super::event::AttemptNo;
use super::state::Attempt;
use crate::catalog::Catalog;
use crate::client::{Listed, TaskId};

/// A task appears in the list within this time after the request left; 12 s were seen.
pub(super) const LIST_LAG: Duration = Duration::from_secs(60);
/// How long a list may prove nothing although it should, before the search ends.
const DOUBT: Duration = Duration::from_secs(60);
/// The list goes back a day; a little less is safe.
const LIST_REACH: SignedDuration = SignedDuration::from_mins(24 * 60 - 15);
/// The service ends a task that takes more than three hours.
const TASK_DEADLINE: SignedDuration = SignedDuration::from_hours(4);
/// How long the list may be unreadable before the search ends.
const BLIND: Duration = Duration::from_secs(300);
const FIRST_ROUND: Duration = Duration::from_secs(2);
const MOST: Duration = Duration::from_secs(30);
/// The longest pause after an answer that told nothing.
const AFTER_ODD: Duration = Duration::from_secs(10);

const TOO_OLD: &str = "it is over 24 hours old, which no list shows";
const UNREADABLE_ROWS: &str = "the list of tasks has rows that cannot be read";
const NOT_ALIVE: &str =
    "the list of tasks shows neither a task of this batch nor a newer one, so that it proves nothing";

/// An attempt without an outcome.
#[derive(Debug)]
struct OpenAttempt {
    sent: Vec<String>,
    departure: Departure,
    /// A list that is begun now or later proves absence.
    proof: Instant,
    /// A submit of its files was proved absent before.
    was_absent: bool,
    /// Why nothing can be proved any more.
    stuck: Option<String>,
}

/// A reading of the list.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) begun: Instant,
    pub(super) rows: Vec<Listed>,
    /// Rows that could not be read.
    pub(super) unreadable: u64,
}

/// The open attempts of a batch and the search for their tasks.
#[derive(Debug)]
pub(super) struct Uncertain {
    /// The model under all its names.
    models: Vec<String>,
    list_lag: Duration,
    open: BTreeMap<AttemptNo, OpenAttempt>,
    candidates: HashMap<TaskId, Candidate>,
    round: Option<Reading>,
    listing: bool,
    /// Since when the list could not be read.
    blind: Option<Instant>,
    next: Instant,
    pause: Duration,
}

impl Uncertain {
    /// Tasks of `model` are looked for, which are listed within `list_lag` after their request left.
    pub(super) fn new(model: &str, list_lag: Duration) -> Self {
        Self {
            models: Catalog::builtin().names_of(model),
            list_lag,
            open: BTreeMap::new(),
            candidates: HashMap::new(),
            round: None,
            listing: false,
            blind: None,
            next: Instant::now(),
            pause: FIRST_ROUND,
        }
    }

    /// An attempt of this run, whose request left at `left` and is over now.
    pub(super) fn add(&mut self, no: AttemptNo, attempt: &Attempt, was_absent: bool, left: Instant, now: Instant) {
        self.take(no, attempt, was_absent, Departure::Known { left, over: now }, now);
    }

    /// An attempt of an earlier run, which is dead: its request left before this moment at the latest, and our clock is no proof
    /// that it left long before.
    pub(super) fn inherit(&mut self, no: AttemptNo, attempt: &Attempt, was_absent: bool, now: Instant) {
        let departure = Departure::Inherited { at: attempt.at, server_time: attempt.server_time };
        self.take(no, attempt, was_absent, departure, now);
    }

    fn take(&mut self, no: AttemptNo, attempt: &Attempt, was_absent: bool, departure: Departure, now: Instant) {
        let sent = attempt.sent.iter().map(|(_, url)| url.to_string()).collect();
        self.open.insert(no, OpenAttempt { sent, departure, proof: now + self.list_lag, was_absent, stuck: None });
        self.next = self.next.min(now + FIRST_ROUND);
        self.pause = FIRST_ROUND;
    }

    /// Whether a submit with this address is being looked for: a second one would be mistaken for it.
    pub(super) fn holds(&self, url: &str) -> bool {
        self.active().any(|(_, open)| open.sent.iter().any(|held| Likeness::new(held, url) != Likeness::Different))
    }

    fn active(&self) -> impl Iterator<Item = (AttemptNo, &OpenAttempt)> {
        self.open.iter().filter(|(_, open)| open.stuck.is_none()).map(|(no, open)| (*no, open))
    }

    /// No task that is looked for is older, by the service's clock.
    pub(super) fn since(&self, now: Now) -> Timestamp {
        self.active().map(|(_, open)| Window::new(open.departure, now).since()).min().unwrap_or(Timestamp::MAX)
    }

    /// Attempts that stay open, and why.
    pub(super) fn stuck(&self) -> impl Iterator<Item = (AttemptNo, &str)> {
        self.open.iter().filter_map(|(no, open)| Some((*no, open.stuck.as_deref()?)))
    }

    pub(super) fn list_due(&self, now: Instant) -> bool {
        !self.listing && self.round.is_none() && now >= self.next && self.active().next().is_some()
    }

    pub(super) fn wake(&self) -> Option<Instant> {
        (!self.listing && self.round.is_none() && self.active().next().is_some()).then_some(self.next)
    }

    pub(super) fn list_begun(&mut self) {
        self.listing = true;
    }

    /// The whole list.
    pub(super) fn listed(&mut self, reading: Reading) {
        self.listing = false;
        self.blind = None;
        self.round = Some(reading);
    }

    /// The list could not be read; `refused`: it will not be later either. Returns whether the search has ended with that.
    pub(super) fn list_failed(&mut self, why: &str, refused: bool, now: Instant) -> bool {
        self.listing = false;
        self.pause = (self.pause * 2).min(MOST);
        self.next = now + self.pause;
        let given_up = refused || now - *self.blind.get_or_insert(now) > BLIND;
        if given_up {
            let active = self.open.values_mut().filter(|open| open.stuck.is_none());
            active.for_each(|open| open.stuck = Some(format!("cannot list tasks: {why}")));
        }
        given_up
    }

    /// Candidates that have ended and are to be asked for their files. `is_owned`: whether a task is one of ours.
    pub(super) fn examine(&mut self, is_owned: impl Fn(&TaskId) -> bool, now: Now) -> Vec<TaskId> {
        let Some(round) = &self.round else { return Vec::new() };
        let windows: Vec<Window> = self.active().map(|(_, open)| Window::new(open.departure, now)).collect();
        let mut asked = Vec::new();
        for row in round.rows.iter().filter(|row| row.status.is_final() && self.is_of_model(row) && !is_owned(&row.id))
        {
            let is_wanted = windows.iter().any(|window| window.timing(row.created) != Timing::Outside);
            let is_asked = self.candidates.get(&row.id).is_none_or(|known| {
                // Once a round.
                matches!(known, Candidate::Odd { asked, .. } if *asked < round.begun)
            });
            if is_wanted && is_asked {
                asked.push(row.id.clone());
            }
        }
        for id in &asked {
            let since = match self.candidates.get(id) {
                Some(Candidate::Odd { since, .. }) => Some(*since),
                _ => None,
            };
            self.candidates.insert(id.clone(), Candidate::Queried(since));
        }
        asked
    }

    /// The answer on a candidate.
    pub(super) fn examined(&mut self, id: TaskId, answer: Answer, now: Instant) {
        let known = Candidate::new(answer, self.candidates.get(&id), now);
        self.candidates.insert(id, known);
    }

    /// What the round has shown, once every candidate that has ended was asked; ends the round.
    /// `is_flying`: whether a submit with this address is under way, whose task may be the candidate.
    pub(super) fn judge(
        &mut self,
        is_owned: impl Fn(&TaskId) -> bool,
        is_flying: impl Fn(&str) -> bool,
        now: Now,
    ) -> Vec<(AttemptNo, SearchOutcome)> {
        if self.candidates.values().any(|candidate| matches!(candidate, Candidate::Queried(_))) {
            return Vec::new();
        }
        let Some(round) = self.round.take() else { return Vec::new() };
        let mut found: Vec<(AttemptNo, SearchOutcome)> = Vec::new();
        let mut taken: Vec<TaskId> = Vec::new();
        for (no, open) in self.open.iter().filter(|(_, open)| open.stuck.is_none()) {
            let window = Window::new(open.departure, now);
            let is_free = |row: &&Listed| self.is_of_model(row) && !is_owned(&row.id) && !taken.contains(&row.id);
            let sightings: Vec<Sighting<'_>> = round
                .rows
                .iter()
                .filter(is_free)
                .filter_map(|row| Sighting::new(row, window.timing(row.created), self.candidates.get(&row.id), now))
                .collect();
            let lost = Lost {
                sent: &open.sent,
                is_flying: open.sent.iter().any(|url| is_flying(url)),
                was_absent: open.was_absent,
            };
            let is_alive = round.rows.iter().any(|row| is_owned(&row.id) || window.is_after(row.created));
            let outcome = if open.departure.age(now) > LIST_REACH {
                Some(SearchOutcome::Stuck(TOO_OLD.to_owned()))
            } else {
                decide(lost, &sightings, open.worth_of(&round, is_alive), now.instant)
            };
            if let Some(SearchOutcome::Task(id)) = &outcome {
                taken.push(id.clone());
            }
            found.extend(outcome.map(|outcome| (*no, outcome)));
        }
        for (no, outcome) in &found {
            match outcome {
                SearchOutcome::Stuck(why) => {
                    self.open.entry(*no).and_modify(|open| open.stuck = Some(why.clone()));
                }
                SearchOutcome::Task(_) | SearchOutcome::Absent => drop(self.open.remove(no)),
            }
        }
        if self.candidates.values().any(|candidate| matches!(candidate, Candidate::Odd { .. })) {
            self.pause = self.pause.min(AFTER_ODD);
        }
        let soon = now.instant + self.pause;
        let proofs = self.active().map(|(_, open)| open.proof).filter(|proof| *proof > now.instant);
        self.next = proofs.min().map_or(soon, |proof| proof.min(soon));
        self.pause = self.pause.mul_f64(1.5).min(MOST);
        found
    }

    /// The user gave up on an attempt.
    pub(super) fn forget(&mut self, no: AttemptNo) {
        self.open.remove(&no);
    }

    fn is_of_model(&self, row: &Listed) -> bool {
        // A name that the catalogue does not know may be a new one for the same.
        let is_it = |model: &String| self.models.contains(model) || Catalog::builtin().model(model).is_none();
        row.model.as_ref().is_none_or(is_it)
    }
}

impl OpenAttempt {
    /// What a reading of the list proves about it.
    fn worth_of(&self, round: &Reading, is_alive: bool) -> Listing {
        let doubt = match () {
            () if round.begun < self.proof => return Listing::Early,
            () if round.unreadable > 0 => UNREADABLE_ROWS,
            () if !is_alive => NOT_ALIVE,
            () => return Listing::Proof,
        };
        if round.begun < self.proof + DOUBT { Listing::Doubtful(doubt) } else { Listing::Useless(doubt) }
    }
}
