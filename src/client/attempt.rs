//! One request and the head of its answer, from which errors are made.

use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use super::failure::{self, ErrorBody};
use super::key::ApiKey;
use crate::error::{ApiFailure, Error, ErrorKind};
use crate::redact::without_query;

/// One attempt at a call.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    doing: String,
    /// Method and address, without query.
    pub(super) endpoint: String,
    pub(super) host: String,
    key: ApiKey,
    /// The key is not sent to this host.
    pub(super) keyless: bool,
    pub(super) attempts: u32,
    begun: Instant,
    pub(super) sent_at: Instant,
    pub(super) timeout: Duration,
    /// `None` before the answer.
    pub(super) status: Option<u16>,
    pub(super) request_id: Option<String>,
    pub(super) retry_after: Option<Duration>,
}

impl Attempt {
    pub(super) fn new(
        doing: &str,
        method: &str,
        url: &Url,
        key: &ApiKey,
        attempts: u32,
        begun: Instant,
        timeout: Duration,
    ) -> Self {
        Self {
            doing: doing.to_owned(),
            endpoint: key.masked_in(&format!("{method} {}", without_query(url.as_str()))),
            host: key.masked_in(url.host_str().unwrap_or_default()),
            key: key.clone(),
            keyless: false,
            attempts,
            begun,
            sent_at: Instant::now(),
            timeout,
            status: None,
            request_id: None,
            retry_after: None,
        }
    }

    /// `text` without the key: a server may echo what it was sent.
    pub(super) fn masked(&self, text: &str) -> String {
        self.key.masked_in(text)
    }

    /// The service refused: by status, or by a code under a status of success.
    pub(super) fn refused(&self, body: ErrorBody) -> Error {
        let status = self.status.unwrap_or_default();
        let kind = match failure::kind(status, &body.code, &body.message) {
            // No key was sent, so a signature has expired or does not match.
            ErrorKind::Auth if self.keyless => ErrorKind::InvalidInput,
            kind => kind,
        };
        let refused = failure::refused(status, &body.code, kind);
        self.fail(kind, body, refused, None)
    }

    /// The answer does not have the documented form.
    pub(super) fn failed(&self, kind: ErrorKind, body: ErrorBody) -> Error {
        self.fail(kind, body, false, None)
    }

    /// No answer came, or only part of it.
    pub(super) fn unanswered(
        &self,
        kind: ErrorKind,
        message: String,
        refused: bool,
        source: Box<dyn std::error::Error + Send + Sync>,
    ) -> Error {
        // The head of a broken answer does not count.
        let silent = Self { status: None, request_id: None, retry_after: None, ..self.clone() };
        silent.fail(kind, ErrorBody { message, ..ErrorBody::default() }, refused, Some(source))
    }

    fn fail(
        &self,
        kind: ErrorKind,
        body: ErrorBody,
        refused: bool,
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        let api = ApiFailure {
            endpoint: self.endpoint.clone(),
            status: self.status,
            code: self.key.masked_in(&body.code),
            message: self.key.masked_in(&body.message),
            request_id: body.request_id.map(|id| self.key.masked_in(&id)).or_else(|| self.request_id.clone()),
            attempts: self.attempts,
            elapsed: self.begun.elapsed(),
            retry_after: self.retry_after,
            refused,
        };
        tracing::debug!(endpoint = %api.endpoint, attempt = self.attempts, status = self.status, code = %api.code, request_id = api.request_id.as_deref(), duration_ms = self.sent_at.elapsed().as_millis() as u64, "failed");
        Error::failed(kind, &self.doing, api, source)
    }
}
