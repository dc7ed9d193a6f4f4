//! Temporary keys to hand out, to a browser or a phone for example, in place of the real one.
//!
//! | call | wire |
//! | --- | --- |
//! | [`Tokens::create`] | `POST /tokens?expire_in_seconds=…` |
//!
//! A token has all rights of the key it was made with, cannot be revoked, and is valid in the region it was made in. Source:
//! the vendor's page `generate-temporary-api-key`, checked 2026-10.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::pacing::Class;
use super::retry::RetrySafety;
use super::transport::{Body, Call, Target};
use super::{ApiKey, Client};
use crate::error::{Error, Result};

/// A temporary key. Its `Debug` is masked and it has no `Display`: see [`Token::expose`].
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Token {
    key: ApiKey,
    /// When it expires, by the service's clock.
    pub expires: Timestamp,
}

impl Token {
    /// The longest lifetime.
    pub const LONGEST: Duration = Duration::from_secs(1800);
    /// The service's default lifetime.
    pub const DEFAULT: Duration = Duration::from_secs(60);

    /// The token as a key for [`ClientBuilder::api_key`](super::ClientBuilder::api_key).
    #[must_use]
    pub fn into_key(self) -> ApiKey {
        self.key
    }

    /// The secret itself, `st-…`.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.key.expose()
    }

    fn read(json: &Value) -> Result<Self> {
        let secret = json.get("token").and_then(Value::as_str).unwrap_or_default();
        let key = ApiKey::new(secret).map_err(|_| Error::protocol("the answer has no usable token"))?;
        // Documented as whole seconds; other numbers of this service have come with a fraction.
        let seconds = json.get("expires_at").and_then(|at| at.as_i64().or_else(|| at.as_f64().map(|at| at as i64)));
        let expires = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
        let expires = expires.ok_or_else(|| Error::protocol("the token does not say when it expires"))?;
        Ok(Self { key, expires })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("key", &self.key).field("expires", &self.expires).finish()
    }
}

/// Calls about temporary keys.
#[derive(Debug, Clone, Copy)]
pub struct Tokens<'c> {
    pub(super) client: &'c Client,
}

impl Tokens<'_> {
    /// Creates a token that is valid for `lifetime`, in whole seconds, rounded down.
    ///
    /// `POST /tokens?expire_in_seconds=…`
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind) before anything is sent for less than a second or more than
    /// [`Token::LONGEST`]; the service refused, or did not answer.
    pub async fn create(self, lifetime: Duration) -> Result<Token> {
        if lifetime < Duration::from_secs(1) || lifetime > Token::LONGEST {
            let longest = Token::LONGEST.as_secs();
            return Err(Error::invalid(format!(
                "a token is valid for 1 to {longest} s, not {} s",
                lifetime.as_secs_f64()
            )));
        }
        let answer = self.client.transport().send(Call {
            doing: "create a token".to_owned(),
            target: Target::Service(&["tokens"], vec![("expire_in_seconds", lifetime.as_secs().to_string())]),
            body: Body::Empty,
            headers: &[],
            class: Class::Manage,
            // A token that was lost on the way expires within half an hour.
            repeat: RetrySafety::Always,
        });
        Token::read(&answer.await?.json)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_is_shown_only_on_request() {
        let token = Token::read(&json!({"token": "st-secret", "expires_at": 1_744_080_369})).unwrap();
        assert_eq!(token.expires.to_string(), "2025-04-08T02:46:09Z");
        assert!(!format!("{token:?} {token:#?}").contains("secret"));
        assert_eq!(token.expose(), "st-secret");
        assert_eq!(token.into_key(), ApiKey::new("st-secret").unwrap());
    }

    #[test]
    fn an_answer_without_token_or_expiry_is_refused_without_echo() {
        for answer in [
            json!({}),
            json!({"token": "", "expires_at": 1}),
            json!({"token": "st secret", "expires_at": 1}),
            json!({"token": "st-secret"}),
            json!({"token": "st-secret", "expires_at": "soon"}),
            json!({"token": "st-secret", "expires_at": i64::MAX}),
        ] {
            let error = Token::read(&answer).unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        let fraction = Token::read(&json!({"token": "st-x", "expires_at": 1_744_080_369.0})).unwrap();
        assert_eq!(fraction.expires.as_second(), 1_744_080_369);
    }

    #[tokio::test]
    async fn an_impossible_lifetime_is_not_requested() {
        // No server listens there: a request would fail in another way.
        let client = Client::builder().api_key(ApiKey::new("sk-x").unwrap()).base_url("http://127.0.0.1:9");
        let client = client.build().unwrap();
        for lifetime in [Duration::ZERO, Duration::from_millis(999), Duration::from_secs(1801), Duration::MAX] {
            let error = client.tokens().create(lifetime).await.unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::InvalidInput, "{error}");
        }
    }
}
