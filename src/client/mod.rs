//! The service over HTTP: tasks, flash calls, uploads, tokens, hotword lists.
//!
//! A [`Client`] is cheap to clone and shared by everything one account does, because the service's limits are the account's.
//!
//! ```no_run
//! # async fn run() -> talkmeter::Result<()> {
//! use talkmeter::client::{ApiKey, Client, PollPolicy, Recognition};
//!
//! let client = Client::builder().api_key(ApiKey::new("sk-…")?).build()?;
//! let recognition = Recognition::new("fun-asr").language("en");
//! let task = client.tasks().submit(&recognition, &["https://example.org/call.wav"]).await?;
//! let task = client.tasks().wait(&task.id, PollPolicy::default()).await?;
//! for (n, outcome) in task.outcomes.iter().enumerate() {
//!     if let Some(url) = &outcome.transcription_url {
//!         let stored = client.tasks().download_to(url, format!("{n}.json").as_ref()).await?;
//!         println!("{n}: {} bytes, tracks {:?}", stored.bytes, stored.outline.transcribed);
//!     }
//! }
//! # Ok(()) }
//! ```

mod attempt;
mod download;
#[cfg(feature = "cli")]
pub(crate) mod environment;
mod failure;
mod flash;
mod key;
mod models;
mod pacing;
mod recognition;
mod retry;
mod service_clock;
#[doc(hidden)]
pub mod sse;
mod tasks;
mod throttle;
mod tokens;
mod transport;
mod uploads;
mod vocabularies;
mod warning;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use pacing::Pacing;
use transport::Transport;

use crate::catalog::{Region, check_workspace, is_service_host};
use crate::error::{Check, Error, Result};
use crate::redact::without_query;

pub(crate) use download::ReceivedResult;
pub use download::StoredResult;
pub use flash::{Clip, Conversation, Flash, FlashAnswer, FlashCalls, FlashEvent, FlashStream, FlashUsage};
pub use key::ApiKey;
pub use models::{ListedModel, ModelPage, Models};
pub use recognition::{Author, Message, Recognition, differences};
#[cfg(feature = "cli")]
pub(crate) use recognition::{DIARIZATION, LANGUAGE};
pub use retry::RetryPolicy;
pub(crate) use retry::RetrySafety;
pub(crate) use service_clock::ServiceClock;
pub use tasks::{Filter, Listed, Outcome, Page, PollPolicy, Submitted, Task, TaskId, TaskStatus, Tasks};
use throttle::ThrottleObserver;
pub use throttle::Throttled;
pub use tokens::{Token, Tokens};
pub use uploads::{Policy, TempUrl, Uploads};
pub use vocabularies::{
    Hotword, ListedVocabulary, Vocabularies, Vocabulary, VocabularyId, VocabularyPage, VocabularyStatus,
    check_vocabulary,
};
pub use warning::Warning;

/// A client of the service for one key. Clones share connections and rate limits.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    transport: Transport,
    region: Region,
    workspace: Option<String>,
}

impl Client {
    /// Starts with region `intl`, its shared host and no key.
    #[must_use]
    pub fn builder() -> ClientBuilder {
        ClientBuilder {
            region: Region::Intl,
            workspace: None,
            base_url: None,
            key: None,
            timeout: Duration::from_secs(60),
            max_result: transport::MAX_RESULT,
            retry: RetryPolicy::default(),
            proxies: true,
            submits_per_second: None,
            headers: Vec::new(),
            on_throttle: None,
        }
    }

    /// Asynchronous tasks.
    #[must_use]
    pub fn tasks(&self) -> Tasks<'_> {
        Tasks { client: self }
    }

    /// Synchronous recognition of short clips.
    #[must_use]
    pub fn flash(&self) -> FlashCalls<'_> {
        FlashCalls { client: self }
    }

    /// Temporary storage for local files.
    #[must_use]
    pub fn uploads(&self) -> Uploads<'_> {
        Uploads { client: self }
    }

    /// The models this key may use.
    #[must_use]
    pub fn models(&self) -> Models<'_> {
        Models { client: self }
    }

    /// Short-lived keys.
    #[must_use]
    pub fn tokens(&self) -> Tokens<'_> {
        Tokens { client: self }
    }

    /// Hotword lists.
    #[must_use]
    pub fn vocabularies(&self) -> Vocabularies<'_> {
        Vocabularies { client: self }
    }

    /// The region whose limits and prices apply.
    #[must_use]
    pub fn region(&self) -> Region {
        self.0.region
    }

    /// The workspace, if one was named.
    #[must_use]
    pub fn workspace(&self) -> Option<&str> {
        self.0.workspace.as_deref()
    }

    /// The base URL of all calls, such as `https://dashscope-intl.aliyuncs.com/api/v1`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.0.transport.base().as_str()
    }

    /// What the caller should know before the first call: a proxy that would read the key.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let warned = |proxy| {
            let message =
                format!("the base URL is http, so the proxy {proxy} reads the API key and everything that is sent");
            Warning::about(Check::Proxy, message)
        };
        self.0.transport.proxy_that_sees_the_key().map(warned).into_iter().collect()
    }

    /// The time on the service's clock; `None` before its first answer.
    #[must_use]
    pub fn server_time(&self) -> Option<Timestamp> {
        self.service_clock().map(|clock| clock.last(tokio::time::Instant::now()))
    }

    /// The service's clock; `None` before an answer has told its time.
    pub(crate) fn service_clock(&self) -> Option<ServiceClock> {
        self.0.transport.clock()
    }

    fn transport(&self) -> &Transport {
        &self.0.transport
    }
}

/// Builds a [`Client`].
#[derive(Debug, Clone)]
pub struct ClientBuilder {
    region: Region,
    workspace: Option<String>,
    base_url: Option<String>,
    key: Option<ApiKey>,
    timeout: Duration,
    max_result: u64,
    retry: RetryPolicy,
    proxies: bool,
    submits_per_second: Option<f64>,
    headers: Vec<(String, String)>,
    on_throttle: Option<ThrottleObserver>,
}

impl ClientBuilder {
    /// The region whose host, limits and prices apply; default `intl`.
    #[must_use]
    pub fn region(mut self, region: Region) -> Self {
        self.region = region;
        self
    }

    /// The workspace. It has a host of its own; with a base URL it is sent as a header instead.
    #[must_use]
    pub fn workspace(mut self, workspace: impl Into<String>) -> Self {
        self.workspace = Some(workspace.into());
        self
    }

    /// Another host, including `/api/v1`, as in the official SDK. It may be `http`, unless it is a host of the service itself,
    /// where the key would travel unencrypted.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// The key, which is required.
    #[must_use]
    pub fn api_key(mut self, key: ApiKey) -> Self {
        self.key = Some(key);
        self
    }

    /// The time limit for one answer of the service; default 60 s. A flash call has twice the length of its audio besides; a
    /// transfer of a file may last longer if it is not slower than 64 KiB/s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The largest result that is downloaded, in bytes; default 256 MB.
    #[must_use]
    pub fn max_result(mut self, bytes: u64) -> Self {
        self.max_result = bytes;
        self
    }

    /// When failed calls are retried.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Submits and flash calls per second and model, for accounts whose quota differs from the documented one.
    #[must_use]
    pub fn submits_per_second(mut self, rate: f64) -> Self {
        self.submits_per_second = Some(rate).filter(|rate| *rate > 0.0 && rate.is_finite());
        self
    }

    /// A header to send with every call to the service, for gateways of one's own. It is not sent to storage hosts.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Calls `observer` once whenever the service begins to refuse a kind of calls because of their rate.
    #[must_use]
    pub fn on_throttle(mut self, observer: impl Fn(&Throttled) + Send + Sync + 'static) -> Self {
        self.on_throttle = Some(ThrottleObserver(Arc::new(observer)));
        self
    }

    /// Ignores the proxies of the environment: for a service on this machine.
    #[must_use]
    pub fn no_proxy(mut self) -> Self {
        self.proxies = false;
        self
    }

    /// Builds the client. Proxies are taken from `HTTPS_PROXY` and `NO_PROXY`, unless [`Self::no_proxy`].
    ///
    /// # Errors
    /// No key; an invalid base URL, workspace id or header; a region that has no shared host without a workspace.
    pub fn build(self) -> Result<Client> {
        let Some(key) = self.key else {
            return Err(Error::invalid("no API key"));
        };
        self.workspace.as_deref().map_or(Ok(()), check_workspace)?;
        let (base, header) = match (&self.base_url, &self.workspace) {
            (Some(given), workspace) => (base_url(given)?, workspace.clone()),
            (None, Some(workspace)) => {
                (base_url(&format!("https://{}", self.region.workspace_host(workspace)?))?, None)
            }
            (None, None) => {
                let region = self.region;
                let host = region.shared_host().ok_or_else(|| {
                    Error::invalid(format!("region {region} has workspace hosts only: name a workspace"))
                        .with_check(Check::Workspace)
                })?;
                (base_url(&format!("https://{host}"))?, None)
            }
        };
        let pacing = Pacing::new(self.region, self.submits_per_second);
        let transport = Transport::new(
            base,
            key,
            header,
            (self.timeout, self.max_result, self.proxies),
            self.retry,
            (pacing, self.on_throttle),
            &self.headers,
        )?;
        Ok(Client(Arc::new(Inner { transport, region: self.region, workspace: self.workspace })))
    }
}

/// A base URL as people give it: the host alone, or with the path of the API.
fn base_url(given: &str) -> Result<Url> {
    let unusable = |why: &str| Error::invalid(format!("{:?} is not a base URL: {why}", without_query(given)));
    let mut url = Url::parse(given.trim()).map_err(|_| unusable("it needs scheme, host and /api/v1"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(unusable("it must begin with https://, or http:// for your own host"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(unusable("it must have no user, query or fragment"));
    }
    if url.scheme() == "http" && url.host_str().is_some_and(is_service_host) {
        return Err(unusable(
            "the API key would travel unencrypted to a host of the service, which also answers https",
        ));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(if path.is_empty() { "/api/v1" } else { &path });
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_depends_on_region_and_workspace_unless_given() {
        let built = |with: &dyn Fn(ClientBuilder) -> ClientBuilder| {
            let builder = with(Client::builder().api_key(ApiKey::new("sk-x").unwrap()));
            builder.build().map(|client| client.base_url().to_owned()).map_err(|error| error.to_string())
        };
        assert_eq!(built(&|b| b).unwrap(), "https://dashscope-intl.aliyuncs.com/api/v1");
        assert_eq!(built(&|b| b.region(Region::Cn)).unwrap(), "https://dashscope.aliyuncs.com/api/v1");
        assert_eq!(built(&|b| b.workspace("ws-1")).unwrap(), "https://ws-1.ap-southeast-1.maas.aliyuncs.com/api/v1");
        assert_eq!(built(&|b| b.base_url("http://127.0.0.1:9/")).unwrap(), "http://127.0.0.1:9/api/v1");
        assert_eq!(built(&|b| b.base_url("https://h/x/api/v1/")).unwrap(), "https://h/x/api/v1");
        for wrong in ["", "host", "ftp://h", "https://user:secret@h/", "https://h/?key=secret"] {
            let error = built(&|b| b.base_url(wrong)).unwrap_err();
            assert!(error.contains("not a base URL") && !error.contains("secret"), "{error}");
        }
        assert!(built(&|b| b.workspace("a.evil.example/")).is_err());
        for host in ["dashscope.aliyuncs.com", "WS-1.cn-beijing.maas.aliyuncs.com:80", "maas.qwencloudapi.com."] {
            let error = built(&|b| b.base_url(format!("http://{host}/api/v1"))).unwrap_err();
            assert!(error.contains("unencrypted"), "{error}");
            assert!(built(&|b| b.base_url(format!("https://{host}"))).is_ok());
        }
        for host in ["myaliyuncs.com", "aliyuncs.com.gateway.example", "10.0.0.7:8080"] {
            assert!(built(&|b| b.base_url(format!("http://{host}"))).is_ok(), "{host}");
        }
    }

    #[test]
    fn debug_output_has_no_key() {
        let client = Client::builder().api_key(ApiKey::new("sk-very-secret").unwrap()).build().unwrap();
        assert!(!format!("{client:#?}").contains("very-secret"));
    }
}
