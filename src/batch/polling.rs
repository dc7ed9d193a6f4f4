//! When to poll which task, so that a thousand tasks cost about a thousand queries.
//!
//! A few tasks are queried one by one. Many are followed through the list of what the account has pending and running, up to a
//! hundred per page; only a task that is missing from it is queried, because it has ended.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::client::TaskId;

/// Up to this number, tasks are queried one by one.
const FEW: usize = 10;
/// The service recommends 2 to 5 s between queries.
const FIRST: Duration = Duration::from_secs(2);
const MOST: Duration = Duration::from_secs(20);
/// A task that a sweep has seen unfinished, should no further sweep come.
const SWEPT: Duration = Duration::from_secs(30);
const SWEEP: Duration = Duration::from_secs(2);
const SWEEP_MOST: Duration = Duration::from_secs(10);
/// A task younger than this may not be in the list yet.
const VISIBLE: Duration = Duration::from_secs(1);
/// How long tasks are queried one by one after a sweep that failed.
const BLIND: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct Flight {
    accepted: Instant,
    next: Instant,
    /// Not asked again before, whatever a sweep says: it was, and had not ended.
    hold: Instant,
    asked: u32,
    under_way: bool,
}

/// Tasks in flight.
#[derive(Debug)]
pub(super) struct Polling {
    flights: HashMap<TaskId, Flight>,
    /// The same, by when they are due; without those being asked after now.
    due: BTreeSet<(Instant, TaskId)>,
    sweeping: bool,
    sweep_at: Instant,
    pause: Duration,
    /// Between the first queries of a task, and at least between lists.
    interval: Duration,
}

impl Default for Polling {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Polling {
    /// With another interval than the recommended one.
    pub(super) fn new(interval: Option<Duration>) -> Self {
        let interval = interval.unwrap_or(FIRST);
        let pause = SWEEP.max(interval);
        Self {
            flights: HashMap::new(),
            due: BTreeSet::new(),
            sweeping: false,
            sweep_at: Instant::now() + pause,
            pause,
            interval,
        }
    }

    /// Tasks that have not ended.
    pub(super) fn len(&self) -> usize {
        self.flights.len()
    }

    /// A task was accepted, by this run or an earlier one.
    pub(super) fn add(&mut self, id: TaskId, now: Instant) {
        if self.flights.contains_key(&id) {
            return;
        }
        let many = self.flights.len() >= FEW;
        let next = now + if many { SWEPT } else { self.interval };
        let flight = Flight { accepted: now, next, hold: now, asked: 0, under_way: false };
        self.flights.insert(id.clone(), flight);
        self.due.insert((next, id));
    }

    /// Queries it again soon, for something that only a new answer brings.
    pub(super) fn again(&mut self, id: TaskId, now: Instant) {
        self.add(id.clone(), now);
        self.move_to(&id, now + VISIBLE);
    }

    /// Nothing more is expected of the task.
    pub(super) fn drop(&mut self, id: &TaskId, now: Instant) {
        if let Some(flight) = self.flights.remove(id) {
            self.due.remove(&(flight.next, id.clone()));
            if self.flights.len() == FEW {
                self.one_by_one(now);
            }
        }
    }

    /// A task to query now; it is under way until [`Self::later`] or [`Self::drop`].
    pub(super) fn take(&mut self, now: Instant) -> Option<TaskId> {
        let (at, _) = self.due.first()?;
        if *at > now {
            return None;
        }
        let (_, id) = self.due.pop_first()?;
        if let Some(flight) = self.flights.get_mut(&id) {
            flight.under_way = true;
            flight.asked += 1;
        }
        Some(id)
    }

    /// The task has not ended, or no answer came: query it again, at growing intervals. Returns the number of queries so far.
    pub(super) fn later(&mut self, id: &TaskId, now: Instant) -> u32 {
        // With thousands of tasks, each has to wait for its turn.
        let crowd = Duration::from_millis(100).saturating_mul(self.flights.len() as u32);
        let Some(flight) = self.flights.get_mut(id) else { return 0 };
        flight.under_way = false;
        let pause = self.interval.mul_f64(1.5f64.powi(flight.asked.min(10) as i32 - 1));
        let pause = pause.min(MOST.max(self.interval)).max(crowd);
        flight.next = now + pause;
        flight.hold = flight.next;
        self.due.insert((flight.next, id.clone()));
        flight.asked
    }

    /// Whether to read the list now.
    pub(super) fn sweep_due(&self, now: Instant) -> bool {
        !self.sweeping && self.flights.len() > FEW && now >= self.sweep_at
    }

    pub(super) fn sweep_begun(&mut self) {
        self.sweeping = true;
    }

    /// What the list has unfinished; a task that is not among them has ended.
    pub(super) fn swept(&mut self, begun: Instant, unfinished: &HashSet<TaskId>, now: Instant) {
        self.sweeping = false;
        let mut ended = Vec::new();
        let mut alive = Vec::new();
        for (id, flight) in self.flights.iter().filter(|(_, flight)| !flight.under_way) {
            if unfinished.contains(id) {
                alive.push(id.clone());
            } else if flight.accepted + VISIBLE <= begun {
                ended.push((id.clone(), flight.hold.max(now)));
            }
        }
        self.pause = if ended.is_empty() { self.pause.mul_f64(1.5).min(SWEEP_MOST) } else { SWEEP };
        self.pause = self.pause.max(self.interval);
        // A long list is read more seldom.
        self.sweep_at = now + self.pause.max(begun.elapsed() * 4);
        alive.into_iter().for_each(|id| self.move_to(&id, now + SWEPT));
        ended.into_iter().for_each(|(id, at)| self.move_to(&id, at));
    }

    /// The list could not be read.
    pub(super) fn sweep_failed(&mut self, now: Instant) {
        self.sweeping = false;
        self.sweep_at = now + BLIND;
        self.one_by_one(now);
    }

    /// Without sweeps each is due soon by itself.
    fn one_by_one(&mut self, now: Instant) {
        let all: Vec<TaskId> = self.due.iter().map(|(_, id)| id.clone()).collect();
        for id in all {
            let soon =
                self.flights.get(&id).map_or(now, |flight| flight.next.min((now + self.interval).max(flight.hold)));
            self.move_to(&id, soon);
        }
    }

    /// When there is something to do, unless an operation ends before.
    pub(super) fn wake(&self) -> Option<Instant> {
        let next = self.due.first().map(|(at, _)| *at);
        let sweep = (!self.sweeping && self.flights.len() > FEW).then_some(self.sweep_at);
        next.into_iter().chain(sweep).min()
    }

    fn move_to(&mut self, id: &TaskId, at: Instant) {
        if let Some(flight) = self.flights.get_mut(id).filter(|flight| !flight.under_way) {
            self.due.remove(&(flight.next, id.clone()));
            flight.next = at;
            self.due.insert((at, id.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> TaskId {
        TaskId::new(format!("task-{n}")).unwrap()
    }

    #[test]
    fn a_few_tasks_are_asked_after_one_by_one_and_ever_more_seldom() {
        let start = Instant::now();
        let mut polling = Polling::default();
        polling.add(id(1), start);
        assert_eq!(polling.take(start + Duration::from_millis(1999)), None);
        let (mut now, mut pauses) = (start, Vec::new());
        for _ in 0..12 {
            let wake = polling.wake().unwrap();
            pauses.push((wake - now).as_secs_f64());
            now = wake;
            assert_eq!(polling.take(now), Some(id(1)));
            assert_eq!(polling.take(now), None, "one question at a time");
            polling.later(&id(1), now);
        }
        assert_eq!(&pauses[..4], [2.0, 2.0, 3.0, 4.5]);
        assert!(pauses.iter().all(|pause| *pause <= 20.0), "{pauses:?}");
        assert!(!polling.sweep_due(now + BLIND));
    }

    #[test]
    fn many_tasks_are_asked_after_only_when_the_list_has_them_no_more() {
        let start = Instant::now();
        let mut polling = Polling::default();
        (0..50).for_each(|n| polling.add(id(n), start));
        let now = start + Duration::from_secs(3);
        polling.add(id(50), now);
        // The first few were added when they were few.
        while let Some(asked) = polling.take(now) {
            polling.later(&asked, now);
        }
        assert!(polling.sweep_due(now));
        polling.sweep_begun();
        polling.swept(now, &(20..50).map(id).collect(), now);
        let mut asked: Vec<TaskId> = std::iter::from_fn(|| polling.take(now)).collect();
        asked.sort();
        // 0..=9 were just asked and wait; 50 is too young to be missed.
        assert_eq!(asked, (10..20).map(id).collect::<Vec<_>>());
        asked.iter().for_each(|id| polling.drop(id, now));
        assert!(!polling.sweep_due(now + Duration::from_secs(1)));
        assert!(polling.sweep_due(now + SWEEP_MOST));
    }

    #[test]
    fn without_the_list_nothing_is_forgotten() {
        let start = Instant::now();
        let mut polling = Polling::default();
        (0..50).for_each(|n| polling.add(id(n), start));
        polling.sweep_begun();
        polling.sweep_failed(start);
        let now = start + FIRST;
        assert_eq!(std::iter::from_fn(|| polling.take(now)).count(), 50);
    }
}
