//! Streamed answers.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, Stream, StreamExt as _};
use serde_json::Value;

use super::answer::FlashAnswer;
use super::reading::AnswerBuilder;
use super::silent;
use crate::client::attempt::Attempt;
use crate::client::failure::ErrorBody;
use crate::client::sse;
use crate::client::transport::Answer;
use crate::error::{Error, Result};

/// An event of a flash call.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum FlashEvent {
    /// The whole text so far. It replaces the previous one, which the service may have revised.
    Text(String),
    /// The answer, the last event.
    Done(Box<FlashAnswer>),
}

/// The events of one call. The last one is [`FlashEvent::Done`] or an error: a stream that ends without a final event is an
/// error with the text received so far ([`Error::text_so_far`]), never an answer.
pub struct FlashStream(BoxStream<'static, Result<FlashEvent>>);

impl fmt::Debug for FlashStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FlashStream")
    }
}

impl Stream for FlashStream {
    type Item = Result<FlashEvent>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(context)
    }
}

impl FlashStream {
    /// The next event; `None` after the last.
    pub async fn next(&mut self) -> Option<Result<FlashEvent>> {
        self.0.next().await
    }

    /// The answer, without the events before it.
    ///
    /// # Errors
    /// The error that ended the stream.
    pub async fn answer(mut self) -> Result<FlashAnswer> {
        while let Some(event) = self.next().await {
            if let FlashEvent::Done(answer) = event? {
                return Ok(*answer);
            }
        }
        Err(Error::protocol("the stream had already ended"))
    }

    /// A stream of a complete answer.
    pub(super) fn whole(answer: FlashAnswer) -> Self {
        let text = (!answer.is_silent()).then(|| FlashEvent::Text(answer.text.clone()));
        let events = text.into_iter().chain([FlashEvent::Done(Box::new(answer))]).map(Ok);
        Self(stream::iter(events.collect::<Vec<_>>()).boxed())
    }

    /// A stream of the events in a body.
    pub(super) fn events(attempt: Attempt, body: BoxStream<'static, Result<Bytes>>, incremental: bool) -> Self {
        let reader = Reader {
            events: sse::events(body),
            attempt,
            builder: AnswerBuilder::new(incremental),
            queue: VecDeque::new(),
            over: false,
        };
        Self(
            stream::unfold(reader, |mut reader| async move { reader.next().await.map(|event| (event, reader)) })
                .boxed(),
        )
    }
}

/// The state of a stream.
struct Reader {
    events: BoxStream<'static, Result<sse::Event>>,
    attempt: Attempt,
    builder: AnswerBuilder,
    /// Values of the last event that were not read yet, and whether it is an error.
    queue: VecDeque<(Value, bool)>,
    over: bool,
}

impl Reader {
    async fn next(&mut self) -> Option<Result<FlashEvent>> {
        while !self.over {
            if let Some((value, failed)) = self.queue.pop_front() {
                let body = ErrorBody::from_json(&value);
                if failed || !body.code.is_empty() || value.get("error").is_some_and(Value::is_object) {
                    return Some(self.refused(body));
                }
                if self.builder.take(value) {
                    return Some(Ok(FlashEvent::Text(self.text_so_far())));
                }
                continue;
            }
            match self.events.next().await {
                Some(Ok(event)) => {
                    if let Err(error) = self.event(event) {
                        return Some(Err(self.cut(error)));
                    }
                }
                // The answer was complete before the connection broke.
                Some(Err(_)) if self.builder.is_done() => return Some(self.end()),
                Some(Err(error)) => return Some(Err(self.cut(error))),
                None if self.builder.is_complete() => return Some(self.end()),
                None => {
                    let ended = ErrorBody {
                        message: "the stream ended before its last event".to_owned(),
                        ..ErrorBody::default()
                    };
                    let error = self.attempt.failed(crate::ErrorKind::Protocol, ended);
                    return Some(Err(self.cut(error)));
                }
            }
        }
        None
    }

    /// Queues the values of an event.
    fn event(&mut self, mut event: sse::Event) -> Result<()> {
        event.data = self.attempt.masked(&event.data);
        let failed = event.name == "error";
        match event.values() {
            Ok(values) => self.queue.extend(values.into_iter().map(|value| (value, failed))),
            // An error may be plain text.
            Err(_) if failed => {
                self.queue.push_back((serde_json::json!({"message": event.data}), true));
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        if event.is_done() {
            self.builder.finish();
        } else if event.name != "done" {
            self.builder.keep(event.data);
        }
        Ok(())
    }

    /// The service refused after the stream had begun; silence is not a failure.
    fn refused(&mut self, body: ErrorBody) -> Result<FlashEvent> {
        self.over = true;
        let error = self.attempt.refused(body);
        match silent(error) {
            Ok(answer) if self.builder.text().trim().is_empty() => Ok(FlashEvent::Done(Box::new(answer))),
            Ok(_) => Err(Error::protocol("the stream had text but ended with the code for silence")
                .with_text_so_far(self.text_so_far())),
            Err(error) => Err(error.with_text_so_far(self.text_so_far())),
        }
    }

    fn end(&mut self) -> Result<FlashEvent> {
        self.over = true;
        let builder = std::mem::take(&mut self.builder);
        let mut answer = builder.answer();
        answer.text = self.attempt.masked(&answer.text);
        answer.request_id = answer.request_id.or_else(|| self.attempt.request_id.clone());
        Ok(FlashEvent::Done(Box::new(answer)))
    }

    /// Attaches the text so far to the error that ended the stream.
    fn cut(&mut self, error: Error) -> Error {
        self.over = true;
        error.with_text_so_far(self.text_so_far())
    }

    /// The text without the key, which may have come in parts.
    fn text_so_far(&self) -> String {
        self.attempt.masked(self.builder.text())
    }
}

/// Reads a complete answer.
pub(super) fn read(answer: Answer) -> FlashAnswer {
    let mut builder = AnswerBuilder::default();
    builder.keep(String::from_utf8_lossy(&answer.raw).into_owned());
    builder.take(answer.json);
    let mut read = builder.answer();
    read.request_id = read.request_id.or(answer.request_id);
    read
}
