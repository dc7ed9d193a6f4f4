//! When a request is sent again, and how long to wait before.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

use crate::error::{Error, ErrorKind};

/// How long a call goes on trying. The waits are drawn between a doubling delay and twice that; what the server asks for
/// with `Retry-After` wins over them. Whatever happens, no wait begins that would end after [`RetryPolicy::total`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Requests beyond the first.
    pub retries: usize,
    /// Before the first repetition.
    pub first: Duration,
    /// No delay of our own is longer.
    pub most: Duration,
    /// From the first request to the last repetition.
    pub total: Duration,
    /// Seeds the jitter; `None` draws a seed.
    pub seed: Option<u64>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            retries: 4,
            first: Duration::from_millis(500),
            most: Duration::from_secs(20),
            total: Duration::from_secs(120),
            seed: None,
        }
    }
}

impl RetryPolicy {
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

/// What a call allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetrySafety {
    /// Asking twice does no harm.
    Always,
    /// It costs money or makes something: only when it was certainly not accepted.
    IfRefused,
    /// Whoever calls decides.
    Never,
}

/// Whether this failure of such a call is followed by another attempt.
pub(super) fn again(repeat: RetrySafety, error: &Error) -> bool {
    let refused = error.api().is_some_and(|api| api.refused);
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
    fn the_same_seed_waits_the_same_and_never_beyond_its_bounds() {
        let policy = RetryPolicy { seed: Some(7), ..RetryPolicy::default() };
        let delays: Vec<Duration> = policy.delays().collect();
        assert_eq!(delays.len(), policy.retries);
        assert_eq!(delays, policy.delays().collect::<Vec<_>>());
        assert!(delays.iter().all(|delay| *delay >= policy.first && *delay <= policy.most * 2), "{delays:?}");
    }
}
