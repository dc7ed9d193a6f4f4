//! The service's clock, as the `Date` of its answers shows it.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Readings of the service's clock against our monotonic one. They differ where its clock was set, where its hosts disagree, or
/// where this machine slept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ServiceClock {
    /// The moment to which the readings are referred.
    epoch: Instant,
    last: Timestamp,
    /// By the reading that makes it earliest, and latest.
    earliest: Timestamp,
    latest: Timestamp,
}

impl ServiceClock {
    /// The first reading: `time` was shown at `instant`.
    pub(crate) fn new(time: Timestamp, instant: Instant) -> Self {
        Self { epoch: instant, last: time, earliest: time, latest: time }
    }

    /// Another reading.
    pub(crate) fn read(&mut self, time: Timestamp, instant: Instant) {
        let at_epoch = time.saturating_sub(between(self.epoch, instant)).unwrap_or(time);
        self.last = at_epoch;
        self.earliest = self.earliest.min(at_epoch);
        self.latest = self.latest.max(at_epoch);
    }

    /// The time at `instant` by the last reading.
    pub(crate) fn last(&self, instant: Instant) -> Timestamp {
        self.referred(self.last, instant)
    }

    /// The time at `instant` by the reading that makes it earliest.
    pub(crate) fn earliest(&self, instant: Instant) -> Timestamp {
        self.referred(self.earliest, instant)
    }

    /// The time at `instant` by the reading that makes it latest.
    pub(crate) fn latest(&self, instant: Instant) -> Timestamp {
        self.referred(self.latest, instant)
    }

    fn referred(&self, time: Timestamp, instant: Instant) -> Timestamp {
        time.saturating_add(between(self.epoch, instant)).unwrap_or(time)
    }
}

fn between(from: Instant, to: Instant) -> SignedDuration {
    let signed = |duration| SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
    if to >= from { signed(to - from) } else { -signed(from - to) }
}

/// The clock of the service that one client talks to; none before its first answer.
#[derive(Debug, Default)]
pub(super) struct SharedClock(Mutex<Option<ServiceClock>>);

impl SharedClock {
    pub(super) fn read(&self, time: Timestamp) {
        let now = Instant::now();
        let mut clock = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *clock {
            Some(clock) => clock.read(time, now),
            None => *clock = Some(ServiceClock::new(time, now)),
        }
    }

    pub(super) fn get(&self) -> Option<ServiceClock> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_clock_that_was_set_is_early_and_late() {
        let time = |seconds: i64| Timestamp::from_second(1_790_000_000 + seconds).unwrap();
        let begun = Instant::now();
        let at = |seconds: u64| begun + Duration::from_secs(seconds);
        let mut clock = ServiceClock::new(time(0), at(0));
        clock.read(time(60), at(60));
        assert_eq!((clock.earliest(at(90)), clock.last(at(90)), clock.latest(at(90))), (time(90), time(90), time(90)));
        // Set forward by an hour, and back by two.
        clock.read(time(3700), at(100));
        clock.read(time(-3490), at(110));
        assert_eq!(
            (clock.earliest(at(0)), clock.last(at(120)), clock.latest(at(0))),
            (time(-3600), time(-3480), time(3600))
        );
    }
}
