//! The account's rate limits: one queue per kind of call, shared by everything that one client does.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::catalog::{Catalog, Region};

/// What is limited together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// Submits of one model, and its flash calls.
    Submit(String),
    /// Asking after a task.
    Query,
    /// Listing tasks.
    List,
    /// Cancelling tasks.
    Cancel,
    /// Upload policies of one model.
    Policy(String),
    /// Tokens and hotword lists, for which no limit is documented.
    Manage,
    /// Results and uploads: other hosts, no documented limit.
    Storage,
}

/// Requests of one class that may be under way at once; more would only queue at the service.
const AT_ONCE: usize = 32;

/// A burst of one more than the steady pace makes good for a timer that fires late. The service's own bucket holds a second's worth.
const BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);

/// Where the service documents no limit, and nobody is in a hurry.
const MANAGED_PER_SECOND: f64 = 5.0;

#[derive(Debug)]
struct Lane {
    limiter: Option<DefaultDirectRateLimiter>,
    /// Whoever holds it is next: first come, first served.
    turn: tokio::sync::Mutex<()>,
    /// Nobody goes before: the service has asked to wait.
    not_before: Mutex<Option<Instant>>,
    slots: Arc<Semaphore>,
}

/// Leave to send one request; kept until its answer has been read.
#[derive(Debug)]
pub(crate) struct Permit {
    _slot: Option<OwnedSemaphorePermit>,
}

/// The lanes of one client.
#[derive(Debug)]
pub(super) struct Pacing {
    region: Region,
    lanes: Mutex<HashMap<Class, Arc<Lane>>>,
}

impl Pacing {
    pub(super) fn new(region: Region) -> Self {
        Self { region, lanes: Mutex::default() }
    }

    /// Waits for a turn in the lane of `class`.
    pub(super) async fn permit(&self, class: &Class) -> Permit {
        let lane = self.lane(class);
        // The semaphore is never closed; without it the request would merely not be counted.
        let slot = lane.slots.clone().acquire_owned().await.ok();
        let _turn = lane.turn.lock().await;
        loop {
            let held = lane.not_before.lock().unwrap_or_else(PoisonError::into_inner).filter(|at| *at > Instant::now());
            if let Some(until) = held {
                tokio::time::sleep_until(until).await;
                continue;
            }
            match lane.limiter.as_ref().map(|limiter| limiter.check()) {
                Some(Err(not_yet)) => tokio::time::sleep(not_yet.wait_time_from(DefaultClock::default().now())).await,
                Some(Ok(())) | None => return Permit { _slot: slot },
            }
        }
    }

    /// The service asked for a pause: it holds for all of this class.
    pub(super) fn hold(&self, class: &Class, pause: Duration) {
        let lane = self.lane(class);
        let until = Instant::now() + pause;
        let mut held = lane.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Some(held.map_or(until, |already| already.max(until)));
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
            not_before: Mutex::new(None),
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
            Class::Submit(model) => catalog.model(model).and_then(|model| model.submits_per_second(self.region)),
            Class::Query => Some(f64::from(service.queries_per_second)),
            Class::List => Some(f64::from(service.lists_per_second)),
            Class::Cancel => Some(f64::from(service.cancels_per_second)),
            Class::Policy(_) => Some(f64::from(service.policies_per_second)),
            Class::Manage => Some(MANAGED_PER_SECOND),
            Class::Storage => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_lane_moves_at_its_pace_and_no_faster() {
        let pacing = Pacing::new(Region::Intl);
        let begun = std::time::Instant::now();
        for _ in 0..12 {
            pacing.permit(&Class::Policy("fun-asr".into())).await;
        }
        // Two at once, then ten at a hundredth of a second each.
        assert!(begun.elapsed() >= Duration::from_millis(99), "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn a_pause_holds_for_all_of_a_class_and_for_no_other() {
        let pacing = Pacing::new(Region::Intl);
        pacing.hold(&Class::List, Duration::from_millis(80));
        assert!(pacing.permit(&Class::List).now_or_never().is_none());
        assert!(pacing.permit(&Class::Storage).now_or_never().is_some());
        pacing.permit(&Class::List).await;
    }
}
