//! The account's rate limits: one queue per class of calls, shared by all calls of a client.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::catalog::{Catalog, Region};

/// Calls that share a limit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// Submits of one model, and its flash calls.
    Submit(String),
    /// Queries of tasks.
    Query,
    /// Lists of tasks.
    List,
    /// Cancellations of tasks.
    Cancel,
    /// Upload policies of one model.
    Policy(String),
    /// Tokens and hotword lists, for which no limit is documented.
    Manage,
    /// Results and uploads: other hosts, no documented limit.
    Storage,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Submit(model) => write!(f, "requests to {model}"),
            Self::Query => f.write_str("queries of tasks"),
            Self::List => f.write_str("lists of tasks"),
            Self::Cancel => f.write_str("cancellations"),
            Self::Policy(model) => write!(f, "uploads for {model}"),
            Self::Manage => f.write_str("requests about tokens, models and hotword lists"),
            Self::Storage => f.write_str("transfers"),
        }
    }
}

/// Concurrent requests of one class; more would only queue at the service.
const AT_ONCE: usize = 32;

/// One request ahead of the steady pace makes up for timers that fire late. The service's own bucket holds a second's worth.
const BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);

/// The limit of calls without a documented one, which are rare.
const MANAGED_PER_SECOND: f64 = 5.0;

#[derive(Debug)]
struct Lane {
    limiter: Option<DefaultDirectRateLimiter>,
    /// Its holder is next: first come, first served.
    turn: tokio::sync::Mutex<()>,
    throttle: Mutex<Throttle>,
    slots: Arc<Semaphore>,
}

/// Permission to send one request, held until its answer has been read.
#[derive(Debug)]
pub(crate) struct Permit {
    _slot: Option<OwnedSemaphorePermit>,
}

/// The pause of a class after the service has refused a request as one too many.
#[derive(Debug, Default)]
struct Throttle {
    /// No request leaves before.
    until: Option<Instant>,
    /// When `until` was set: answers to requests that left before do not count again.
    set_at: Option<Instant>,
    /// Refusals in a row, each after a pause.
    strikes: u32,
}

/// How long a class pauses after a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pause {
    /// After the first refusal; it doubles with each one that follows.
    pub(super) first: Duration,
    /// At most, unless the server asks for more.
    pub(super) most: Duration,
    /// What the server asks for.
    pub(super) asked: Option<Duration>,
}

/// The lanes of one client.
#[derive(Debug)]
pub(super) struct Pacing {
    region: Region,
    /// Submits per second, in place of the catalogue's limits.
    submits_per_second: Option<f64>,
    lanes: Mutex<HashMap<Class, Arc<Lane>>>,
}

impl Pacing {
    pub(super) fn new(region: Region, submits_per_second: Option<f64>) -> Self {
        Self { region, submits_per_second, lanes: Mutex::default() }
    }

    /// Waits for a turn in the lane of `class`.
    pub(super) async fn permit(&self, class: &Class) -> Permit {
        let lane = self.lane(class);
        // The semaphore is never closed; without it the request would merely not be counted.
        let slot = lane.slots.clone().acquire_owned().await.ok();
        let _turn = lane.turn.lock().await;
        loop {
            if let Some(until) = lane.paused_until() {
                tokio::time::sleep_until(until).await;
                continue;
            }
            match lane.limiter.as_ref().map(|limiter| limiter.check()) {
                Some(Err(not_yet)) => tokio::time::sleep(not_yet.wait_time_from(DefaultClock::default().now())).await,
                Some(Ok(())) | None => return Permit { _slot: slot },
            }
        }
    }

    /// Pauses a class after the service has refused a request that left at `sent_at`. Returns when the pause ends, and whether
    /// it is the first since the last success.
    pub(super) fn throttled(&self, class: &Class, sent_at: Instant, pause: Pause) -> (Instant, bool) {
        let lane = self.lane(class);
        let now = Instant::now();
        let mut throttle = lane.throttle.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = pause.asked.map(|asked| now + asked);
        // Requests that left together are refused together: one refusal.
        let begins = throttle.set_at.is_none_or(|set_at| sent_at >= set_at);
        let mut until = asked.max(throttle.until.filter(|_| !begins));
        if begins {
            let doubled = pause.first.saturating_mul(2u32.saturating_pow(throttle.strikes.min(20)));
            until = Some(asked.unwrap_or(now + doubled.min(pause.most)));
            throttle.strikes += 1;
            throttle.set_at = Some(now);
        }
        let until = until.unwrap_or(now);
        throttle.until = Some(until);
        (until, begins && throttle.strikes == 1)
    }

    /// A request of this class that left at `sent_at` was accepted: the next pause is a short one again.
    pub(super) fn succeeded(&self, class: &Class, sent_at: Instant) {
        let lane = self.lane(class);
        let mut throttle = lane.throttle.lock().unwrap_or_else(PoisonError::into_inner);
        if throttle.set_at.is_some_and(|set_at| sent_at >= set_at) {
            *throttle = Throttle::default();
        }
    }

    /// When the pause of a class ends, if there is one.
    pub(super) fn paused_until(&self, class: &Class) -> Option<Instant> {
        self.lane(class).paused_until()
    }

    fn lane(&self, class: &Class) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get(class) {
            return lane.clone();
        }
        let quota = self
            .per_second(class)
            .filter(|rate| *rate > 0.0)
            .and_then(|rate| Quota::with_period(Duration::from_secs_f64(1.0 / rate)))
            .map(|quota| quota.allow_burst(BURST));
        let lane = Arc::new(Lane {
            limiter: quota.map(DefaultDirectRateLimiter::direct),
            turn: tokio::sync::Mutex::new(()),
            throttle: Mutex::default(),
            slots: Arc::new(Semaphore::new(AT_ONCE)),
        });
        lanes.insert(class.clone(), lane.clone());
        lane
    }

    /// The catalogue's limit; `None` where none is documented.
    fn per_second(&self, class: &Class) -> Option<f64> {
        let catalog = Catalog::builtin();
        let service = catalog.service();
        match class {
            Class::Submit(model) => self
                .submits_per_second
                .or_else(|| catalog.model(model).and_then(|model| model.submits_per_second(self.region))),
            Class::Query => Some(f64::from(service.queries_per_second)),
            Class::List => Some(f64::from(service.lists_per_second)),
            Class::Cancel => Some(f64::from(service.cancels_per_second)),
            Class::Policy(_) => Some(f64::from(service.policies_per_second)),
            Class::Manage => Some(MANAGED_PER_SECOND),
            Class::Storage => None,
        }
    }
}

impl Lane {
    fn paused_until(&self) -> Option<Instant> {
        let throttle = self.throttle.lock().unwrap_or_else(PoisonError::into_inner);
        throttle.until.filter(|until| *until > Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_lane_moves_at_its_pace_and_no_faster() {
        let pacing = Pacing::new(Region::Intl, None);
        let begun = std::time::Instant::now();
        for _ in 0..12 {
            pacing.permit(&Class::Policy("fun-asr".into())).await;
        }
        // Two at once, then ten at a hundredth of a second each.
        assert!(begun.elapsed() >= Duration::from_millis(99), "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn a_pause_holds_for_all_of_a_class_and_for_no_other() {
        let pacing = Pacing::new(Region::Intl, None);
        pacing.throttled(&Class::List, Instant::now(), pause(80));
        assert!(pacing.permit(&Class::List).now_or_never().is_none());
        assert!(pacing.permit(&Class::Storage).now_or_never().is_some());
        pacing.permit(&Class::List).await;
    }

    fn pause(ms: u64) -> Pause {
        Pause { first: Duration::from_millis(ms), most: Duration::from_secs(60), asked: None }
    }

    #[tokio::test]
    async fn pauses_double_until_a_request_of_the_same_class_succeeds() {
        let pacing = Pacing::new(Region::Intl, None);
        let class = Class::Submit("fun-asr".into());
        let length = |until: Instant| (until - Instant::now()).as_secs_f64();
        let mut lengths = Vec::new();
        for _ in 0..9 {
            let (until, _) = pacing.throttled(&class, Instant::now(), pause(500));
            lengths.push(length(until).round());
        }
        // Half a second rounds to zero or one.
        assert_eq!(lengths[1..], [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]);
        pacing.succeeded(&Class::Query, Instant::now());
        assert!(length(pacing.throttled(&class, Instant::now(), pause(500)).0) > 59.0, "a query is another class");
        pacing.succeeded(&class, Instant::now());
        let (until, first) = pacing.throttled(&class, Instant::now(), pause(500));
        assert!(first && length(until) <= 0.5);
    }

    #[tokio::test]
    async fn requests_that_left_together_are_refused_once() {
        let pacing = Pacing::new(Region::Intl, None);
        let class = Class::Query;
        let sent_at = Instant::now();
        let (until, first) = pacing.throttled(&class, sent_at, pause(500));
        assert!(first);
        let later = tokio::time::sleep(Duration::from_millis(2));
        later.await;
        for _ in 0..20 {
            assert_eq!(pacing.throttled(&class, sent_at, pause(500)), (until, false));
        }
        let asked = Pause { asked: Some(Duration::from_secs(90)), ..pause(500) };
        assert!(
            pacing.throttled(&class, sent_at, asked).0 > until + Duration::from_secs(80),
            "the server asks for more"
        );
        pacing.succeeded(&class, sent_at);
        assert!(pacing.paused_until(&class).is_some(), "an answer to an older request ends no pause");
    }
}
