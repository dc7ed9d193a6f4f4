//! Rate limits: a bucket of one second's worth that refills at the limit. Clients pace themselves in real time, so the
//! buckets refill in real time, too, however fast the emulator's clock runs; when it is moved forward they refill for that
//! time. A refused request takes nothing out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Buckets by what they limit.
#[derive(Debug, Default)]
pub(super) struct Limits(Mutex<Buckets>);

#[derive(Debug, Default)]
struct Buckets {
    by_name: HashMap<String, Bucket>,
    /// How far the clock was moved forward.
    moved: Duration,
}

#[derive(Debug)]
struct Bucket {
    left: f64,
    filled: Instant,
}

impl Limits {
    /// Whether one more of `what` passes at `rate` per second.
    pub(super) fn admit(&self, what: &str, rate: f64) -> bool {
        self.admit_at(what, rate, Instant::now())
    }

    /// Lets the buckets refill as if this time had passed.
    pub(super) fn advance(&self, by: Duration) {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.moved = buckets.moved.saturating_add(by);
    }

    fn admit_at(&self, what: &str, rate: f64, now: Instant) -> bool {
        let full = rate.max(1.0);
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now.checked_add(buckets.moved).unwrap_or(now);
        let bucket = match buckets.by_name.get_mut(what) {
            Some(bucket) => bucket,
            None => buckets.by_name.entry(what.to_owned()).or_insert(Bucket { left: full, filled: now }),
        };
        bucket.left = full.min(now.duration_since(bucket.filled).as_secs_f64().mul_add(rate, bucket.left));
        bucket.filled = now;
        if bucket.left < 1.0 {
            return false;
        }
        bucket.left -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seconds_worth_then_the_rate_and_refusals_are_free() {
        let limits = Limits::default();
        let start = Instant::now();
        let admitted = |ms: u64| limits.admit_at("fun-asr", 10.0, start + Duration::from_millis(ms));
        assert_eq!((0..30).filter(|_| admitted(0)).count(), 10);
        assert!(!admitted(90));
        assert!(admitted(110), "the refused one at 90 ms took nothing");
        assert_eq!((0..30).filter(|_| admitted(5_000)).count(), 10);
        assert!(limits.admit_at("paraformer-v2", 20.0, start), "each model has its own");
        limits.advance(Duration::from_millis(500));
        assert_eq!((0..30).filter(|_| admitted(5_000)).count(), 5);
    }
}
