//! When the task of a lost submit was created, by the service's clock.
//!
//! The clocks are not trusted: the service's is read with every answer, and where its readings disagree, or disagree with our own
//! clock, the window holds what each of them says. Without a reading any time is possible, and our own clock tells which is
//! likely.

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::client::ServiceClock;

/// Between a reading of the service's clock and its record of a task; a reading has whole seconds.
const SLACK: SignedDuration = SignedDuration::from_secs(5);
/// The same by our own clock, where the service's is not known.
const OWN_CLOCK_SLACK: SignedDuration = SignedDuration::from_mins(10);
/// No task is created later than this after its request left: it was accepted within seconds or not at all.
const LATEST: SignedDuration = SignedDuration::from_mins(15);

/// Two clocks that disagree by more than this about an earlier run tell nothing.
const DISAGREEMENT: SignedDuration = SignedDuration::from_mins(30);

/// When a request left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Departure {
    /// In this run, and when it was over.
    Known { left: Instant, over: Instant },
    /// In an earlier run, by our clock and by what was known of the service's.
    Inherited { at: Timestamp, server_time: Option<Timestamp> },
}

/// The clocks now.
#[derive(Debug, Clone, Copy)]
pub(in crate::batch) struct Now {
    pub(in crate::batch) instant: Instant,
    /// Our clock.
    pub(in crate::batch) wall: Timestamp,
    /// The service's; `None` while no answer has told its time.
    pub(in crate::batch) service: Option<ServiceClock>,
}

/// A span of the service's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    since: Timestamp,
    until: Timestamp,
    /// When the request left, at the latest.
    left: Timestamp,
    /// Another time is possible.
    is_open: bool,
    /// The clocks contradict each other, so that no time is likely.
    is_contradictory: bool,
}

/// Whether a task can be that of a submit, by the time it was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Timing {
    Within,
    /// Nothing is known about its time, or about the clocks.
    Unknown,
    Outside,
}

impl Window {
    pub(super) fn new(departure: Departure, now: Now) -> Self {
        let mut times = Vec::with_capacity(3);
        let (mut is_contradictory, mut is_open) = (false, now.service.is_none());
        match departure {
            Departure::Known { left, over } => match now.service {
                Some(service) => times.extend([service.earliest(left), service.latest(over)]),
                None => times.extend(now.wall.checked_sub(now.instant - left)),
            },
            Departure::Inherited { at, server_time } => {
                let age = now.wall.duration_since(at);
                let then = |time: Timestamp| time.saturating_sub(age).unwrap_or(time);
                if let Some((service, time)) = now.service.zip(server_time) {
                    let (earliest, latest) = (service.earliest(now.instant), service.latest(now.instant));
                    times.extend([time, then(earliest), then(latest)]);
                    let is_apart = |other: &Timestamp| time.duration_since(*other).abs() > DISAGREEMENT;
                    // It cannot have become earlier since.
                    is_contradictory =
                        times.iter().any(is_apart) || earliest.saturating_add(SLACK).is_ok_and(|at| at < time);
                } else {
                    is_open = true;
                    times.push(now.service.map_or(at, |service| then(service.last(now.instant))));
                }
            }
        }
        let first = times.iter().min().copied().unwrap_or(Timestamp::MIN);
        let last = times.iter().max().copied().unwrap_or(Timestamp::MAX);
        let slack = if is_open { OWN_CLOCK_SLACK } else { SLACK };
        Self {
            since: first.saturating_sub(slack).unwrap_or(Timestamp::MIN),
            until: last.saturating_add(LATEST + slack).unwrap_or(Timestamp::MAX),
            left: last,
            is_open: is_open || is_contradictory,
            is_contradictory,
        }
    }

    /// No task that is looked for is older.
    pub(super) fn since(&self) -> Timestamp {
        if self.is_open { Timestamp::MIN } else { self.since }
    }

    pub(super) fn timing(&self, created: Option<Timestamp>) -> Timing {
        match created {
            Some(created) if (self.since..=self.until).contains(&created) && !self.is_contradictory => Timing::Within,
            Some(_) if !self.is_open => Timing::Outside,
            _ => Timing::Unknown,
        }
    }

    /// Whether a task was certainly created after the request had left.
    pub(super) fn is_after(&self, created: Option<Timestamp>) -> bool {
        !self.is_open && created.is_some_and(|created| created >= self.left)
    }
}

impl Departure {
    /// How long ago it was, by the clock that says longest.
    pub(super) fn age(self, now: Now) -> SignedDuration {
        match self {
            Self::Known { left, .. } => SignedDuration::try_from(now.instant - left).unwrap_or(SignedDuration::MAX),
            Self::Inherited { at, server_time } => {
                let by_service = now.service.zip(server_time);
                let by_service = by_service.map(|(service, then)| service.latest(now.instant).duration_since(then));
                now.wall.duration_since(at).max(by_service.unwrap_or(SignedDuration::MIN))
            }
        }
    }
}
