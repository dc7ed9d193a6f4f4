//! Reports that the service limits the rate of requests.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The service has begun to refuse calls because of their rate. The client pauses all calls of the kind and retries.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Throttled {
    /// Which calls, as in `requests to fun-asr`.
    pub calls: String,
    /// The service's code, such as `Throttling.RateQuota`; may be empty.
    pub code: String,
    /// The first pause. Later ones double, up to [`RetryPolicy::throttle_pause`](super::RetryPolicy::throttle_pause).
    pub pause: Duration,
}

/// Called once when throttling of a kind of calls begins.
#[derive(Clone)]
pub(super) struct ThrottleObserver(pub(super) Arc<dyn Fn(&Throttled) + Send + Sync>);

impl fmt::Debug for ThrottleObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ThrottleObserver")
    }
}
