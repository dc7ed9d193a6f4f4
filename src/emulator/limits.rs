//! Rate limits, in real time whatever the emulator's clock does: a bucket of one second's worth that refills at the
//! limit. A refused request takes nothing out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Buckets by what they limit.
#[derive(Debug, Default)]
pub(super) struct Limits(Mutex<HashMap<String, Bucket>>);

#[derive(Debug)]
struct Bucket {
    left: f64,
    filled: Instant,
}

impl Limits {
    /// Whether one more of `what` passes at `rate` a second.
    pub(super) fn admit(&self, what: &str, rate: f64) -> bool {
        self.admit_at(what, rate, Instant::now())
    }

    fn admit_at(&self, what: &str, rate: f64, now: Instant) -> bool {
        let full = rate.max(1.0);
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = match buckets.get_mut(what) {
            Some(bucket) => bucket,
            None => buckets.entry(what.to_owned()).or_insert(Bucket { left: full, filled: now }),
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
    use std::time::Duration;

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
    }
}
