//! One error for the whole crate: what failed, on what, by which rule; what a caller can do about it is its kind.

use std::fmt;
use std::path::Path;

/// What a caller can do something about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// What was asked for makes no sense as given: a value, a column, a file of the caller's own.
    InvalidInput,
    /// Reading or writing failed.
    Io,
    /// A table could not be built, read or written.
    Table,
}

/// `Display` is one lowercase clause; causes follow by `source()`.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    what: String,
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

    #[cfg(feature = "analytics")]
    pub(crate) fn table(what: impl Into<String>, source: polars::error::PolarsError) -> Self {
        Self::new(ErrorKind::Table, what.into(), Some(source.into()))
    }

    fn new(kind: ErrorKind, what: String, source: Option<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(Box::new(Inner { kind, what, source }))
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
