//! The API key. It is sent to the service's host and nowhere else.

use std::fmt;

use crate::error::{Error, Result};

/// An API key (`sk-…`) or temporary token (`st-…`). It has no `Display`, and its `Debug` is masked.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

/// Printed in place of the key.
const MASK: &str = "[key]";

impl ApiKey {
    /// Takes a key as read from a file or variable; surrounding white space is removed.
    ///
    /// # Errors
    /// The key is empty, or has characters that are not printable ASCII.
    pub fn new(key: impl AsRef<str>) -> Result<Self> {
        let key = key.as_ref().trim();
        if key.is_empty() {
            return Err(Error::invalid("the API key is empty"));
        }
        // Only the position: the message must not show any of the key.
        if let Some(at) = key.chars().position(|c| !c.is_ascii_graphic()) {
            return Err(Error::invalid(format!("character {} of the API key is not printable ASCII", at + 1)));
        }
        Ok(Self(key.to_owned()))
    }

    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    pub(super) fn bearer(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// `text` without the key: a server may echo what it was sent.
    pub(super) fn masked_in(&self, text: &str) -> String {
        text.replace(&self.0, MASK)
    }

    /// The same for a body; `None` if the key is not in it.
    pub(super) fn masked_body(&self, body: &[u8]) -> Option<Vec<u8>> {
        let text = String::from_utf8_lossy(body);
        text.contains(&self.0).then(|| self.masked_in(&text).into_bytes())
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({MASK})")
    }
}

#[cfg(test)]
mod tests {
    use super::ApiKey;

    #[test]
    fn a_key_is_never_printed() {
        let key = ApiKey::new(" sk-secret\n").unwrap();
        assert_eq!(key.bearer(), "Bearer sk-secret");
        assert!(!format!("{key:?} {:#?}", key).contains("secret"));
        assert_eq!(key.masked_in("Incorrect API key: sk-secret."), "Incorrect API key: [key].");
        for illegal in ["", " ", "sk secret", "sk-\u{e9}", "sk-\u{1b}"] {
            let error = ApiKey::new(illegal).unwrap_err();
            assert!(!error.to_string().contains("sk"), "{error}");
        }
    }
}
