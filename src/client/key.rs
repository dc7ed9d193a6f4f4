//! The API key. It is sent to the service's host and nowhere else.

use std::fmt;

use crate::error::{Error, Result};

/// An API key (`sk-…`) or temporary token (`st-…`). It has no `Display`, and its `Debug` is masked.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

/// Printed in place of the key.
const MASK: &str = "[key]";
/// The same in an address.
const ENCODED_MASK: &str = "%5Bkey%5D";

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

    /// `text` without the key, however it is escaped: a server may echo what it was sent.
    pub(super) fn masked_in(&self, text: &str) -> String {
        // The key is ASCII, so what is left is UTF-8.
        self.masked_body(text.as_bytes())
            .map_or_else(|| text.to_owned(), |masked| String::from_utf8_lossy(&masked).into_owned())
    }

    /// The same for a body; `None` if the key is not in it.
    pub(super) fn masked_body(&self, body: &[u8]) -> Option<Vec<u8>> {
        let mut masked = Vec::new();
        let (mut kept, mut at) = (0, 0);
        while at < body.len() {
            let Some(length) = self.spelled_at(body, at) else {
                at += 1;
                continue;
            };
            masked.extend_from_slice(body.get(kept..at).unwrap_or_default());
            masked.extend_from_slice(MASK.as_bytes());
            at += length;
            kept = at;
        }
        (kept > 0).then(|| {
            masked.extend_from_slice(body.get(kept..).unwrap_or_default());
            masked
        })
    }

    /// Whether the key is in `text`, or was before it was masked.
    pub(super) fn is_in(&self, text: &str) -> bool {
        text.contains(MASK) || text.contains(ENCODED_MASK) || self.masked_body(text.as_bytes()).is_some()
    }

    /// The length of the key in `text` at a position, in any mixture of spellings.
    fn spelled_at(&self, text: &[u8], at: usize) -> Option<usize> {
        let mut end = at;
        for c in self.0.bytes() {
            end += spelling(text.get(end..)?, c)?;
        }
        Some(end - at)
    }
}

/// The length of `c` at the beginning of `text`: as it is (in any case, as hosts are lowercased), or as JSON, JSON within JSON,
/// addresses and markup escape it.
fn spelling(text: &[u8], c: u8) -> Option<usize> {
    /// The deepest nesting of escapes that is followed.
    const DEEPEST: usize = 16;
    let first = *text.first()?;
    if first.eq_ignore_ascii_case(&c) {
        return Some(1);
    }
    let is = |digits: &[u8], radix: u32| {
        let digits =
            std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|b| b.is_ascii_alphanumeric()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, radix).ok());
        code.and_then(|code| u8::try_from(code).ok()).is_some_and(|code| code.eq_ignore_ascii_case(&c))
    };
    match first {
        b'\\' => {
            let slashes = text.iter().take(DEEPEST).take_while(|&&byte| byte == b'\\').count();
            let rest = text.get(slashes..)?;
            match rest.first()? {
                b'u' if is(rest.get(1..5)?, 16) => Some(slashes + 5),
                escaped @ (b'/' | b'"') if *escaped == c => Some(slashes + 1),
                _ => None,
            }
        }
        b'%' => {
            let mut at = 1;
            while at < DEEPEST && text.get(at..at + 2) == Some(b"25") {
                at += 2;
            }
            is(text.get(at..at + 2)?, 16).then_some(at + 2)
        }
        b'&' => {
            let body = text.get(2..).filter(|_| text.get(1) == Some(&b'#'))?;
            let length = body.iter().take(DEEPEST).position(|&byte| byte == b';')?;
            let reference = body.get(..length)?;
            let is_same = match reference.strip_prefix(b"x").or(reference.strip_prefix(b"X")) {
                Some(digits) => is(digits, 16),
                None => is(reference, 10),
            };
            is_same.then_some(length + 3)
        }
        _ => None,
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

    #[test]
    fn a_key_is_masked_however_it_is_escaped() {
        let key = ApiKey::new("sk-A1/b").unwrap();
        for (text, masked) in [
            (r#"{"id":"sk-A1/b"}"#, r#"{"id":"[key]"}"#),
            (r#"{"id":"\u0073k-\u0041\u0031\/b","n":1}"#, r#"{"id":"[key]","n":1}"#),
            (r#""{\"m\":\"\\u0073\\u006B-A1\\\/b\"}""#, r#""{\"m\":\"[key]\"}""#),
            ("https://h/%73k-%41%31%2fb?x and %2573k-A1%252Fb", "https://h/[key]?x and [key]"),
            ("https://SK-a1/B", "https://[key]"),
            ("&#115;&#x6b;-A1&#X2F;b", "[key]"),
            ("sk-A1/sk-A1/b sk-A1/", "sk-A1/[key] sk-A1/"),
            ("\u{e9}sk-A1/b\u{e9}", "\u{e9}[key]\u{e9}"),
        ] {
            assert_eq!(key.masked_in(text), masked);
            assert!(key.is_in(text) && key.is_in(masked));
        }
        for other in [r"\u0073k-", "%73k-A1%2", "&#115", "sk-A2/b", r"\\\\", "%25%25", r"\u00é"] {
            assert_eq!(key.masked_in(other), other);
            assert!(!key.is_in(other));
        }
    }

    #[test]
    fn a_body_of_escapes_is_searched_in_linear_time() {
        let key = ApiKey::new("sk-secret").unwrap();
        for of in ["\\", "%25", "&#", "sk-secre"] {
            assert_eq!(key.masked_body(of.repeat(1 << 20).as_bytes()), None);
        }
    }
}
