//! The one error type of the crate: what failed, on what, by which rule, and its kind, which says what a caller can do.

use std::fmt;
use std::path::Path;
use std::time::Duration;

/// What kind of failure it is, by what a caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request is wrong as given: a value, a column, a file of the caller.
    InvalidInput,
    /// The service rejects the key for this host, workspace or model.
    Auth,
    /// The account is in arrears, or its quota is used up.
    Quota,
    /// Too many requests; the same request may succeed later.
    RateLimited,
    /// The service does not know the model, task or list that was named.
    NotFound,
    /// The service accepted the request but could not complete it.
    TaskFailed,
    /// The service, or the network on the way to it, is down.
    Unavailable,
    /// No answer in time.
    Timeout,
    /// The answer does not have the documented form.
    Protocol,
    /// The ledger of a batch cannot be used.
    Ledger,
    /// Reading or writing failed.
    Io,
    /// A table could not be built, read or written.
    Table,
}

/// A rule that is checked before a request is sent, for callers that tell their users how to comply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Check {
    /// The model is not in the catalogue.
    UnknownModel,
    /// The model takes asynchronous tasks only.
    TaskModel,
    /// The model answers synchronous (flash) calls only.
    FlashModel,
    /// The model is not offered in the region that was chosen, but in this one.
    Region(&'static str),
    /// A request parameter, by its wire name.
    Parameter(&'static str),
    /// Context items before the audio.
    Context,
    /// Assistant turns in the context.
    Dialogue,
    /// The instruction for models that follow instructions.
    Prompt,
    /// The OpenAI-compatible endpoint.
    Compatible,
    /// The number of recordings in a task.
    FilesPerTask,
    /// A data URI where an address is needed.
    DataUri,
    /// The id of a workspace.
    Workspace,
    /// A header that a client sends with every request.
    Header,
    /// A proxy that sees what is sent.
    Proxy,
    /// The prefix of a hotword list.
    Prefix,
    /// The size of a result.
    ResultSize,
    /// No price is known where one is needed.
    Price,
    /// A folder without the tables of an analysis.
    NoTables,
    /// A column that the table `calls` does not have.
    ColumnOfCalls,
    /// Shards of an analysis that are not complete, or not of the same one.
    Shards,
    /// Times that are written in another way.
    TimeFormat,
}

/// The service's answer to a request that failed, or why there is none.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct ApiFailure {
    /// Method and address, without query: `POST https://…/api/v1/tasks/…`.
    pub endpoint: String,
    /// HTTP status; `None` if no answer came.
    pub status: Option<u16>,
    /// The server's error code; empty if it gave none.
    pub code: String,
    /// The server's message, or its body cut to 600 characters; empty if it gave none.
    pub message: String,
    /// The server's id of the request, which the vendor's support asks for.
    pub request_id: Option<String>,
    /// Requests sent, retries included.
    pub attempts: u32,
    /// From the first attempt to the last answer, waits included.
    pub elapsed: Duration,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
    /// The request was refused or never arrived: nothing was accepted, nothing is billed. `false` if that is unknown.
    pub refused: bool,
}

/// `Display` is one line: what failed, on what, then the server's code, message and request id. Causes follow by `source()`.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    what: String,
    api: Option<ApiFailure>,
    check: Option<Check>,
    text_so_far: Option<String>,
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

    /// The service's answer, if a request failed.
    #[must_use]
    pub fn api(&self) -> Option<&ApiFailure> {
        self.0.api.as_ref()
    }

    /// The rule a request broke before it was sent; `None` for every other failure.
    #[must_use]
    pub fn check(&self) -> Option<Check> {
        self.0.check
    }

    /// The text a stream had delivered before it broke off; the service might still have revised it. `None` for every other
    /// failure.
    #[must_use]
    pub fn text_so_far(&self) -> Option<&str> {
        self.0.text_so_far.as_deref()
    }

    /// Whether the same request may succeed later. Whether repeating it is safe is another question: see
    /// [`ApiFailure::refused`].
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::RateLimited | ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Protocol
        )
    }

    /// An invalid request; `what` is one clause.
    #[must_use]
    pub fn invalid(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, what.into(), None)
    }

    /// Reading or writing `path` failed; `doing` is a verb, as in `cannot read FILE`.
    #[must_use]
    pub fn io(doing: &str, path: &Path, source: std::io::Error) -> Self {
        Self::new(ErrorKind::Io, format!("cannot {doing} {}", path.display()), Some(source.into()))
    }

    #[cfg(feature = "cli")]
    pub(crate) fn auth(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Auth, what.into(), None)
    }

    #[cfg(feature = "client")]
    pub(crate) fn ledger(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Ledger, what.into(), None)
    }

    #[cfg(feature = "client")]
    pub(crate) fn protocol(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Protocol, what.into(), None)
    }

    /// A time limit of our own has passed.
    #[cfg(feature = "client")]
    pub(crate) fn timeout(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Timeout, what.into(), None)
    }

    /// A request that failed: `cannot DOING: CODE: MESSAGE (HTTP STATUS, request id ID)`.
    #[cfg(feature = "client")]
    pub(crate) fn failed(
        kind: ErrorKind,
        doing: &str,
        api: ApiFailure,
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        let mut what = format!("cannot {doing}");
        // The message often repeats the code.
        let message = Some(&api.message).filter(|message| **message != api.code);
        for part in [Some(&api.code), message].into_iter().flatten().filter(|part| !part.is_empty()) {
            what += ": ";
            what += part;
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

    #[cfg(feature = "analytics")]
    pub(crate) fn table(what: impl Into<String>, source: polars::error::PolarsError) -> Self {
        Self::new(ErrorKind::Table, what.into(), Some(source.into()))
    }

    pub(crate) fn with_check(mut self, check: Check) -> Self {
        self.0.check = Some(check);
        self
    }

    #[cfg(feature = "client")]
    pub(crate) fn with_text_so_far(mut self, text: String) -> Self {
        self.0.text_so_far = Some(text);
        self
    }

    fn new(kind: ErrorKind, what: String, source: Option<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(Box::new(Inner { kind, what, api: None, check: None, text_so_far: None, source }))
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
            .field("check", &self.0.check)
            .field("text_so_far", &self.0.text_so_far)
            .field("source", &self.0.source)
            .finish()
    }
}

/// An object of `kind`, `message` (the line and its causes), `check` and `api`; the last two null where there is none.
impl serde::Serialize for Error {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut message = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(source) = cause {
            message += &format!(": {source}");
            cause = source.source();
        }
        let mut object = serializer.serialize_struct("Error", 4)?;
        object.serialize_field("kind", &self.kind())?;
        object.serialize_field("message", &message)?;
        object.serialize_field("check", &self.check())?;
        object.serialize_field("api", &self.api())?;
        object.end()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

/// The system's reason in a lowercase clause, without the path.
pub(crate) fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}
