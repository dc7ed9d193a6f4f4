//! When a request is sent again, and how long to wait before.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::error::{Error, ErrorKind};

/// How often and how long a failed call is retried.
///
/// The delay doubles with each retry and is drawn between that and twice as much; a server's `Retry-After` wins over it. No
/// wait begins that would end after [`RetryPolicy::total`].
///
/// ```
/// use std::time::Duration;
/// use talkmeter::client::RetryPolicy;
///
/// let policy = RetryPolicy::default().retries(2).max_delay(Duration::from_secs(5));
/// # let _ = policy;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    retries: usize,
    pub(super) first: Duration,
    most: Duration,
    pub(super) total: Duration,
    seed: Option<u64>,
    pub(super) throttle_most: Duration,
    pub(super) throttle_total: Duration,
}

impl Default for RetryPolicy {
    /// Four retries with delays from 0.5 s to 20 s, within two minutes. Pauses of up to a minute after refusals for the rate of
    /// requests, within five minutes.
    fn default() -> Self {
        Self {
            retries: 4,
            first: Duration::from_millis(500),
            most: Duration::from_secs(20),
            total: Duration::from_secs(120),
            seed: None,
            throttle_most: Duration::from_secs(60),
            throttle_total: Duration::from_secs(300),
        }
    }
}

impl RetryPolicy {
    /// Requests beyond the first.
    #[must_use]
    pub fn retries(mut self, retries: usize) -> Self {
        self.retries = retries;
        self
    }

    /// The delay before the first retry.
    #[must_use]
    pub fn first_delay(mut self, delay: Duration) -> Self {
        self.first = delay;
        self
    }

    /// The longest delay between two attempts, except where the server asks for more.
    #[must_use]
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.most = delay;
        self
    }

    /// The time from the first request to the last retry.
    #[must_use]
    pub fn total(mut self, total: Duration) -> Self {
        self.total = total;
        self
    }

    /// The longest pause after the service has refused a request because of its rate; quotas per minute need a minute.
    #[must_use]
    pub fn throttle_pause(mut self, pause: Duration) -> Self {
        self.throttle_most = pause;
        self
    }

    /// How long a call waits in all while the service refuses it because of its rate. These waits are no retries: neither
    /// their number nor [`RetryPolicy::total`] limits them.
    #[must_use]
    pub fn throttle_total(mut self, total: Duration) -> Self {
        self.throttle_total = total;
        self
    }

    /// Makes the jitter reproducible.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    pub(super) fn delays(&self) -> impl Iterator<Item = Duration> + Send + Sync + use<> {
        let builder = ExponentialBuilder::new()
            .with_min_delay(self.first)
            .with_max_delay(self.most)
            .with_factor(2.0)
            .with_max_times(self.retries)
            .with_jitter();
        match self.seed {
            Some(seed) => builder.with_jitter_seed(seed),
            None => builder,
        }
        .build()
    }
}

/// Whether a call may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetrySafety {
    /// A repetition does no harm.
    Always,
    /// It costs money or creates something: only when it was certainly not accepted.
    IfRefused,
    /// The caller decides.
    Never,
}

/// Whether another attempt follows this failure.
pub(super) fn retries(repeat: RetrySafety, error: &Error) -> bool {
    // What was not sent would not be sent the next time either.
    let Some(refused) = error.api().map(|api| api.refused) else { return false };
    match repeat {
        RetrySafety::Never => false,
        RetrySafety::IfRefused => refused && matches!(error.kind(), ErrorKind::RateLimited | ErrorKind::Unavailable),
        RetrySafety::Always => error.is_retryable(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_reproducible_by_seed_and_bounded() {
        let policy = RetryPolicy::default().seed(7);
        let delays: Vec<Duration> = policy.delays().collect();
        assert_eq!(delays.len(), policy.retries);
        assert_eq!(delays, policy.delays().collect::<Vec<_>>());
        assert!(delays.iter().all(|delay| *delay >= policy.first && *delay <= policy.most * 2), "{delays:?}");
    }
}
