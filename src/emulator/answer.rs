//! What goes back: JSON, error bodies, XML of the storage, streams; whole, cut short, or not at all.

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

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Marks a response in whose place the connection is dropped.
#[derive(Debug, Clone, Copy)]
pub(super) struct HangUp;

/// A request that is refused: HTTP status, code, message.
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

    /// The body is not the JSON it should be.
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

/// A good answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    Json(Value),
    /// Frames of an event stream, each with its blank line.
    Events(Vec<String>),
}

/// An answer before it becomes an HTTP response.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Content,
    pub(super) content_type: &'static str,
    pub(super) retry_after: Option<u64>,
    pub(super) cut: bool,
}

/// The body of a reply.
#[derive(Debug)]
pub(super) enum Content {
    Whole(Bytes),
    Frames(Vec<String>),
}

impl Reply {
    pub(super) fn whole(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, body: Content::Whole(body.into()), content_type, retry_after: None, cut: false }
    }

    pub(super) fn json(status: StatusCode, value: &Value) -> Self {
        Self::whole(status, "application/json;charset=UTF-8", value.to_string())
    }

    pub(super) fn refusal(refusal: &Refusal, request_id: &str) -> Self {
        let body = json!({"code": refusal.code, "message": refusal.message, "request_id": request_id});
        Self::json(refusal.status, &body)
    }

    pub(super) fn answer(answer: Answer) -> Self {
        match answer {
            Answer::Json(value) => Self::json(StatusCode::OK, &value),
            Answer::Events(frames) => Self {
                status: StatusCode::OK,
                body: Content::Frames(frames),
                content_type: "text/event-stream;charset=UTF-8",
                retry_after: None,
                cut: false,
            },
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
            Content::Frames(_) => None,
        };
        let body = match (self.body, self.cut) {
            (Content::Whole(bytes), false) => Body::from(bytes),
            (Content::Whole(bytes), true) => broken(vec![bytes.slice(..bytes.len() / 2)]),
            (Content::Frames(frames), false) => stream(frames.into_iter().map(Bytes::from).collect()),
            (Content::Frames(mut frames), true) => {
                frames.truncate(frames.len() / 2);
                broken(frames.into_iter().map(Bytes::from).collect())
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
        if self.cut {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// In whose place nothing is sent.
pub(super) fn hang_up() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(HangUp);
    response
}

/// Parts that leave one by one.
fn stream(parts: Vec<Bytes>) -> Body {
    let parts = futures_util::stream::iter(parts).then(async |part| {
        tokio::task::yield_now().await;
        Ok::<_, std::io::Error>(part)
    });
    Body::from_stream(parts)
}

/// Parts that leave, and an end that is none.
fn broken(parts: Vec<Bytes>) -> Body {
    let parts = futures_util::stream::iter(parts.into_iter().map(Ok));
    let end = futures_util::stream::once(async {
        // What stands before is on its way by then; an error at once would take it back.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(std::io::Error::other("cut by the scenario"))
    });
    Body::from_stream(parts.chain(end))
}
