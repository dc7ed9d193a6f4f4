//! Answers: JSON, error bodies, XML of the storage, streams; whole, truncated, or not sent at all.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName, HeaderValue, RETRY_AFTER, SERVER,
};
use axum::http::{Response, StatusCode};
use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::clock;
use super::stream::{End, Events, Shape, Written, own_error};

pub(super) const EVENT_STREAM: &str = "text/event-stream;charset=UTF-8";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Marks a response in place of which the connection is dropped.
#[derive(Debug, Clone, Copy)]
pub(super) struct HangUp;

/// A refused request: HTTP status, code, message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: String,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into() }
    }

    /// 400 `InvalidParameter`.
    pub(super) fn parameter(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidParameter", message)
    }

    /// 400 `InvalidParameter` in the service's general words, and which part of the request is meant.
    pub(super) fn format(which: &str) -> Self {
        Self::parameter(format!(
            "The request is missing required parameters or in a wrong format, please check the parameters that you \
             send: {which}"
        ))
    }

    /// The body is not valid JSON of the expected shape.
    pub(super) fn body() -> Self {
        Self::parameter("Required body invalid, please check the request body format.")
    }

    pub(super) fn key() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "InvalidApiKey", "Invalid API-key provided.")
    }

    pub(super) fn rate() -> Self {
        let message = "Requests rate limit exceeded, please try again later.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "Throttling.RateQuota", message)
    }
}

/// The two dialects of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Everything below `/api/v1`.
    DashScope,
    /// Everything below `/compatible-mode/v1`, as another vendor's clients expect it.
    Compatible,
}

impl Dialect {
    /// The dialect of a route.
    pub(super) fn of(route: &str) -> Self {
        if route.starts_with("/compatible-mode/") { Self::Compatible } else { Self::DashScope }
    }

    /// The body of an error.
    pub(super) fn error(self, refusal: &Refusal, request_id: &str) -> Value {
        match self {
            Self::DashScope => own_error(refusal, request_id),
            Self::Compatible => {
                // Code and type are documented for few errors only; the rest keep their code.
                let (code, kind) = match refusal.code.as_str() {
                    "InvalidApiKey" => ("invalid_api_key", "invalid_request_error"),
                    "InvalidParameter" => ("invalid_parameter_error", "invalid_request_error"),
                    "Throttling.RateQuota" => ("limit_requests", "limit_requests"),
                    other if refusal.status.is_server_error() => (other, "internal_error"),
                    other => (other, "invalid_request_error"),
                };
                json!({"error": {"message": refusal.message, "type": kind, "param": null, "code": code}})
            }
        }
    }
}

/// A successful answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    Json(Value),
    Events(Events),
}

/// An answer before it becomes an HTTP response.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Content,
    pub(super) content_type: &'static str,
    pub(super) retry_after: Option<u64>,
    pub(super) cut: bool,
    /// How an event stream is laid out; ignored otherwise.
    pub(super) shape: Shape,
}

/// The body of a reply.
#[derive(Debug)]
pub(super) enum Content {
    Whole(Bytes),
    Events(Events),
}

impl Reply {
    pub(super) fn whole(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let (body, shape) = (Content::Whole(body.into()), Shape::default());
        Self { status, body, content_type, retry_after: None, cut: false, shape }
    }

    pub(super) fn json(status: StatusCode, value: &Value) -> Self {
        Self::whole(status, "application/json;charset=UTF-8", value.to_string())
    }

    pub(super) fn refusal(dialect: Dialect, refusal: &Refusal, request_id: &str) -> Self {
        Self::json(refusal.status, &dialect.error(refusal, request_id))
    }

    pub(super) fn answer(answer: Answer) -> Self {
        match answer {
            Answer::Json(value) => Self::json(StatusCode::OK, &value),
            Answer::Events(events) => {
                Self { body: Content::Events(events), ..Self::whole(StatusCode::OK, EVENT_STREAM, Bytes::new()) }
            }
        }
    }

    /// An error as the storage writes it.
    pub(super) fn xml(status: StatusCode, code: &str, message: &str, request_id: &str) -> Self {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n  <Code>{code}</Code>\n  <Message>{message}</Message>\n  \
             <RequestId>{request_id}</RequestId>\n</Error>\n"
        );
        Self::whole(status, "application/xml", body)
    }

    /// The HTTP response, dated by the emulator's clock.
    pub(super) fn response(self, request_id: &str, now: clock::Millis) -> Response<Body> {
        let length = match &self.body {
            Content::Whole(bytes) => Some(bytes.len()),
            Content::Events(_) => None,
        };
        let (body, breaks) = match (self.body, self.cut) {
            (Content::Whole(bytes), false) => (Body::from(bytes), false),
            (Content::Whole(bytes), true) => (broken(bytes.slice(..bytes.len() / 2)), true),
            (Content::Events(events), cut) => {
                let mut shape = self.shape;
                if cut {
                    shape.end = End::Cut { frames: events.data.len() / 2, mid_frame: false, abrupt: true };
                }
                let written = events.written(&shape, request_id);
                let breaks = written.broken;
                (stream(written), breaks)
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(SERVER, HeaderValue::from_static("istio-envoy"));
        if let Some(length) = length {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        for (name, text) in [(REQUEST_ID, request_id.to_owned()), (DATE, clock::http_date(now))] {
            if let Ok(value) = HeaderValue::try_from(text) {
                headers.insert(name, value);
            }
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if breaks {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// In place of which nothing is sent.
pub(super) fn hang_up() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(HangUp);
    response
}

/// Parts sent one by one, each frame after a pause.
fn stream(written: Written) -> Body {
    let (pause, mut ended) = (written.pause, false);
    let parts: Vec<(bool, Bytes)> =
        written.parts.into_iter().map(|(part, ends)| (std::mem::replace(&mut ended, ends), part)).collect();
    let parts = futures_util::stream::iter(parts).then(move |(after_frame, part)| async move {
        if after_frame && !pause.is_zero() {
            tokio::time::sleep(pause).await;
        } else {
            tokio::task::yield_now().await;
        }
        Ok::<_, std::io::Error>(part)
    });
    if written.broken { Body::from_stream(parts.chain(broken_end())) } else { Body::from_stream(parts) }
}

/// A part that is sent, followed by a broken connection.
fn broken(part: Bytes) -> Body {
    Body::from_stream(futures_util::stream::iter([Ok(part)]).chain(broken_end()))
}

fn broken_end() -> impl futures_util::Stream<Item = std::io::Result<Bytes>> {
    futures_util::stream::once(async {
        // Let the part before be sent: an error at once would discard it.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(std::io::Error::other("cut by the scenario"))
    })
}
