//! One error for the whole crate: what failed, on what, by which rule; what a caller can do about it is its kind.

use std::fmt;
use std::path::Path;
use std::time::Duration;

/// What a caller can do something about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// What was asked for makes no sense as given: a value, a column, a file of the caller's own.
    InvalidInput,
    /// The service does not take the key, for this host, workspace or model.
    Auth,
    /// The account owes money, or has used up what it may use.
    Quota,
    /// Too many requests; the same request may succeed later.
    RateLimited,
    /// The service does not know what was named.
    NotFound,
    /// The service took the request and could not do it.
    TaskFailed,
    /// The service, or the way to it, is down.
    Unavailable,
    /// No answer in time.
    Timeout,
    /// The answer is not what the service documents.
    Protocol,
    /// The journal of a batch cannot be used.
    Ledger,
    /// Reading or writing failed.
    Io,
    /// A table could not be built, read or written.
    Table,
    /// Stopped on request.
    Cancelled,
}

/// What the service said, or why it said nothing.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ApiFailure {
    /// Method and address, without query: `POST https://…/api/v1/tasks/…`.
    pub endpoint: String,
    /// HTTP status; `None` where no answer came.
    pub status: Option<u16>,
    /// The server's code; empty where it gave none.
    pub code: String,
    /// The server's message, or its body cut to a bound; empty where it gave none.
    pub message: String,
    /// The server's name for the request, which its support asks for.
    pub request_id: Option<String>,
    /// Requests sent, repetitions included.
    pub attempts: u32,
    /// From the first attempt to the last answer, waiting included.
    pub elapsed: Duration,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
    /// The service said no or was never reached: nothing was accepted, nothing is billed.
    /// `false` where that cannot be told.
    pub refused: bool,
}

/// `Display` is one clause: what failed, on what, then the server's code, message and request id; causes follow by `source()`.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    what: String,
    api: Option<ApiFailure>,
    heard: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What the service said, where a request failed.
    #[must_use]
    pub fn api(&self) -> Option<&ApiFailure> {
        self.0.api.as_ref()
    }

    /// What a stream had said before it broke off: the beginning of the text, which may still have been revised. `None` for
    /// every other failure.
    #[must_use]
    pub fn text_so_far(&self) -> Option<&str> {
        self.0.heard.as_deref()
    }

    /// Whether the same request may succeed later. It says nothing of whether repeating it is safe.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::RateLimited | ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Protocol
        )
    }

    /// What the person in front of the screen can do next.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        let api = self.0.api.as_ref()?;
        crate::client::hint(&api.code, &api.message).or(match self.0.kind {
            ErrorKind::Auth => {
                Some("a key belongs to one region and one kind of host: check --region, --workspace and the key")
            }
            ErrorKind::Quota => Some("settle the account in the console of the service; nothing is sent until then"),
            ErrorKind::NotFound if api.endpoint.ends_with("/customization") => {
                crate::client::hint("ResourceNotExist", "")
            }
            ErrorKind::Unavailable if api.status.is_none() => {
                Some("check the network, a proxy (HTTPS_PROXY) and --region or --base-url")
            }
            _ => None,
        })
    }

    /// A request that makes no sense, in one clause.
    #[must_use]
    pub fn invalid(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, what.into(), None)
    }

    /// Reading or writing `path` failed.
    #[must_use]
    pub fn io(doing: &str, path: &Path, source: std::io::Error) -> Self {
        Self::new(ErrorKind::Io, format!("cannot {doing} {}", path.display()), Some(source.into()))
    }

    /// The service would not let us in.
    #[cfg(feature = "cli")]
    pub(crate) fn auth(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Auth, what.into(), None)
    }

    /// The journal of a batch cannot be used as it is.
    pub(crate) fn ledger(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Ledger, what.into(), None)
    }

    /// Stopped on request.
    #[cfg(feature = "cli")]
    pub(crate) fn cancelled(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Cancelled, what.into(), None)
    }

    /// An answer that is not what the service documents.
    pub(crate) fn protocol(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Protocol, what.into(), None)
    }

    /// Running out of time, by our own rule.
    pub(crate) fn timeout(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Timeout, what.into(), None)
    }

    /// A request that failed, and what the service said.
    pub(crate) fn failed(
        kind: ErrorKind,
        doing: &str,
        api: ApiFailure,
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        let mut what = format!("cannot {doing}");
        let mut joined = ": ";
        for part in [&api.code, &api.message].into_iter().filter(|part| !part.is_empty()) {
            what += joined;
            what += part;
            joined = if *part == api.code && api.code == api.message { break } else { ": " };
        }
        let status = api.status.map(|status| format!("HTTP {status}"));
        let request = api.request_id.as_ref().map(|id| format!("request id {id}"));
        let attempts =
            (api.attempts > 1).then(|| format!("{} attempts in {:.1} s", api.attempts, api.elapsed.as_secs_f64()));
        let facts: Vec<String> = [status, request, attempts].into_iter().flatten().collect();
        if !facts.is_empty() {
            what += &format!(" ({})", facts.join(", "));
        }
        let mut error = Self::new(kind, what, source);
        error.0.api = Some(api);
        error
    }

    /// The same error, with what had been heard until then.
    pub(crate) fn with_heard(mut self, text: String) -> Self {
        self.0.heard = Some(text);
        self
    }

    #[cfg(feature = "analytics")]
    pub(crate) fn table(what: impl Into<String>, source: polars::error::PolarsError) -> Self {
        Self::new(ErrorKind::Table, what.into(), Some(source.into()))
    }

    fn new(kind: ErrorKind, what: String, source: Option<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(Box::new(Inner { kind, what, api: None, heard: None, source }))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.what)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("what", &self.0.what)
            .field("api", &self.0.api)
            .field("heard", &self.0.heard)
            .field("source", &self.0.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// Why the system refused, in a lowercase clause without the path.
pub(crate) fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}
