//! `POST /api/v1/tokens`: temporary keys; which keys are good.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use serde_json::json;

use super::answer::{Answer, Refusal};
use super::clock::Millis;
use super::routes::Call;
use super::state::State;

/// Tokens and their expiry.
#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<HashMap<String, Millis>>);

impl Tokens {
    /// Whether it was issued here and has not expired.
    pub(super) fn valid(&self, token: &str, now: Millis) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(token).is_some_and(|expires| now < *expires)
    }
}

/// The key or token of a request.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then_some(key.trim())
}

impl State {
    /// Refuses and counts a request without a good key.
    pub(super) fn authorize(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let good = |key: &str| key.len() > 3 && key.starts_with("sk-") || self.tokens.valid(key, self.clock.now());
        if bearer(headers).is_some_and(good) {
            return Ok(());
        }
        self.hits.unauthorized();
        Err(Refusal::key())
    }
}

/// Issues a token; this requires a permanent key.
pub(super) fn issue(state: &State, call: &Call, permanent: bool) -> Result<Answer, Refusal> {
    if !permanent {
        state.hits.unauthorized();
        return Err(Refusal::key());
    }
    let seconds = match call.query("expire_in_seconds") {
        None => 60,
        Some(text) => text
            .parse::<i64>()
            .ok()
            .filter(|seconds| (1..=1800).contains(seconds))
            .ok_or_else(|| Refusal::format("expire_in_seconds goes from 1 to 1800"))?,
    };
    let now = state.clock.now();
    let expires = (now / 1000 + seconds) * 1000;
    let token = format!("st-{}", state.seal.hex(48));
    let mut tokens = state.tokens.0.lock().unwrap_or_else(PoisonError::into_inner);
    tokens.retain(|_, expires| now < *expires);
    tokens.insert(token.clone(), expires);
    Ok(Answer::Json(json!({"token": token, "expires_at": expires / 1000})))
}
