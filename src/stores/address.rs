//! Addresses of folders and objects.

use std::fmt;

use crate::error::{Error, Result};

/// The protocol of an object store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Scheme {
    S3,
    Google,
    Azure,
    Oss,
}

const SCHEMES: [(&str, Scheme); 4] =
    [("s3://", Scheme::S3), ("gs://", Scheme::Google), ("az://", Scheme::Azure), ("oss://", Scheme::Oss)];

/// `s3://bucket/prefix`, and the same with `gs`, `az` (a container) or `oss`. Keys are written as they are, not
/// percent-encoded.
///
/// ```
/// use talkmeter::stores::StoreUrl;
///
/// let url: StoreUrl = "s3://calls/2026/may/".parse()?;
/// assert_eq!((url.bucket(), url.key()), ("calls", "2026/may"));
/// assert_eq!(url.to_string(), "s3://calls/2026/may");
/// assert!("calls/2026".parse::<StoreUrl>().is_err() && "s3:///may".parse::<StoreUrl>().is_err());
/// # Ok::<(), talkmeter::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreUrl {
    pub(super) scheme: Scheme,
    bucket: String,
    key: String,
}

impl StoreUrl {
    /// Whether a text is meant to be such an address.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        SCHEMES.iter().any(|(scheme, _)| text.starts_with(scheme))
    }

    /// The bucket, or container.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The key of an object, or what the keys of a folder begin with, without slashes at its ends; empty for the whole bucket.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The same bucket with another key.
    pub(super) fn with_key(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    /// The address of an object below this one.
    #[must_use]
    pub fn join(&self, name: &str) -> String {
        if name.is_empty() { self.to_string() } else { format!("{self}/{name}") }
    }
}

impl std::str::FromStr for StoreUrl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts = SCHEMES.iter().find_map(|(prefix, scheme)| Some((*scheme, text.strip_prefix(prefix)?)));
        let Some((scheme, rest)) = parts else {
            return Err(Error::invalid(format!("{text}: no address of an object store; use s3, gs, az or oss")));
        };
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let begins_well = bucket.starts_with(|first: char| first.is_ascii_alphanumeric());
        if !begins_well || !bucket.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) {
            return Err(Error::invalid(format!("{text}: `{bucket}` is no name of a bucket")));
        }
        Ok(Self { scheme, bucket: bucket.to_owned(), key: key.trim_matches('/').to_owned() })
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = SCHEMES.iter().find(|(_, scheme)| *scheme == self.scheme).map_or("", |(prefix, _)| prefix);
        write!(f, "{scheme}{}", self.bucket)?;
        if self.key.is_empty() { Ok(()) } else { write!(f, "/{}", self.key) }
    }
}
