//! How long each kind of call pauses after failures that may pass. A good answer to one kind says nothing about another.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// Nothing but failures for this long: the service is unreachable, and somebody should know.
const PATIENCE: Duration = Duration::from_secs(300);

const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(20);

/// Calls that fail and recover together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Endpoint {
    Submit,
    Upload,
    Query,
    List,
    Download,
}

/// What follows from a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failed {
    /// The kind of call pauses; `first` = it was going well before.
    Pause { first: bool },
    /// Patience is at its end.
    GiveUp,
}

/// The pauses of one run.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    /// Since when each kind of call has failed.
    failing: HashMap<Endpoint, Instant>,
    paused: HashMap<Endpoint, Instant>,
    /// When a call of any kind went well last.
    succeeded: Option<Instant>,
}

impl Backoff {
    pub(super) fn succeeded(&mut self, endpoint: Endpoint, now: Instant) {
        self.failing.remove(&endpoint);
        self.succeeded = Some(now);
    }

    /// The pause is as long as the failures have lasted, or as long as the service asks for.
    pub(super) fn failed(&mut self, endpoint: Endpoint, asked: Option<Duration>, now: Instant) -> Failed {
        let first = !self.failing.contains_key(&endpoint);
        let since = *self.failing.entry(endpoint).or_insert(now);
        if now - self.succeeded.map_or(since, |succeeded| succeeded.max(since)) > PATIENCE {
            return Failed::GiveUp;
        }
        let pause = asked.unwrap_or_else(|| (now - since).clamp(SHORTEST, LONGEST));
        self.pause(endpoint, now + pause);
        Failed::Pause { first }
    }

    /// No call of this kind before.
    pub(super) fn pause(&mut self, endpoint: Endpoint, until: Instant) {
        self.paused.insert(endpoint, until);
    }

    /// When the pause of a kind of call ends, if there is one.
    pub(super) fn paused_until(&self, endpoint: Endpoint, now: Instant) -> Option<Instant> {
        self.paused.get(&endpoint).copied().filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seconds that a call pauses which fails again after each pause, while another goes well or not.
    fn pauses(other: Option<Endpoint>, failures: usize) -> Vec<f64> {
        let (mut backoff, mut now) = (Backoff::default(), Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..failures {
            if let Some(other) = other {
                backoff.succeeded(other, now);
            }
            if backoff.failed(Endpoint::Submit, None, now) == Failed::GiveUp {
                break;
            }
            let until = backoff.paused_until(Endpoint::Submit, now).unwrap();
            pauses.push((until - now).as_secs_f64());
            now = until;
        }
        pauses
    }

    #[test]
    fn a_pause_grows_whatever_else_goes_well() {
        let alone = pauses(None, 9);
        assert_eq!(alone, [0.5, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0]);
        for other in [Endpoint::Query, Endpoint::Upload, Endpoint::List, Endpoint::Download] {
            assert_eq!(pauses(Some(other), 9), alone);
        }
        assert_eq!(pauses(Some(Endpoint::Submit), 9), [0.5; 9]);
    }

    #[test]
    fn patience_ends_only_where_nothing_goes_well() {
        assert_eq!(pauses(None, 100).len(), 21);
        assert_eq!(pauses(Some(Endpoint::Query), 100).len(), 100);
    }

    #[test]
    fn what_the_service_asks_for_is_the_pause_of_that_call_alone() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        let asked = Duration::from_secs(90);
        assert_eq!(backoff.failed(Endpoint::Submit, Some(asked), now), Failed::Pause { first: true });
        assert_eq!(backoff.paused_until(Endpoint::Submit, now), Some(now + asked));
        assert_eq!(backoff.paused_until(Endpoint::Query, now), None);
        assert_eq!(backoff.failed(Endpoint::Submit, None, now + asked), Failed::Pause { first: false });
        assert_eq!(backoff.paused_until(Endpoint::Submit, now + asked * 2), None);
    }
}
