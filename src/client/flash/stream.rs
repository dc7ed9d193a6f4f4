//! An answer that comes bit by bit.

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

/// Something that was heard.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum FlashEvent {
    /// The whole text so far. It replaces what came before: the service may have changed its mind.
    Text(String),
    /// The answer. Nothing follows.
    Done(Box<FlashAnswer>),
}

/// The events of one call. The last one is [`FlashEvent::Done`], or an error: a stream that ends without having said so is an
/// error that keeps what was heard ([`Error::text_so_far`]), never an answer.
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

    /// The answer, whatever is said on the way to it.
    ///
    /// # Errors
    /// What the stream ended with.
    pub async fn answer(mut self) -> Result<FlashAnswer> {
        while let Some(event) = self.next().await {
            if let FlashEvent::Done(answer) = event? {
                return Ok(*answer);
            }
        }
        Err(Error::protocol("the stream had ended before"))
    }

    /// An answer that came all at once.
    pub(super) fn whole(answer: FlashAnswer) -> Self {
        let text = (!answer.is_silent()).then(|| FlashEvent::Text(answer.text.clone()));
        let events = text.into_iter().chain([FlashEvent::Done(Box::new(answer))]).map(Ok);
        Self(stream::iter(events.collect::<Vec<_>>()).boxed())
    }

    /// An answer whose events come as these bytes.
    pub(super) fn events(exchange: Attempt, body: BoxStream<'static, Result<Bytes>>, incremental: bool) -> Self {
        let listening = Listening {
            events: sse::events(body),
            exchange,
            hearing: AnswerBuilder::new(incremental),
            waiting: VecDeque::new(),
            over: false,
        };
        Self(stream::unfold(listening, |mut at| async move { at.next().await.map(|event| (event, at)) }).boxed())
    }
}

/// Where a stream is.
struct Listening {
    events: BoxStream<'static, Result<sse::Event>>,
    exchange: Attempt,
    hearing: AnswerBuilder,
    /// Values of an event that held several.
    waiting: VecDeque<(Value, bool)>,
    over: bool,
}

impl Listening {
    async fn next(&mut self) -> Option<Result<FlashEvent>> {
        while !self.over {
            if let Some((value, failed)) = self.waiting.pop_front() {
                let said = ErrorBody::of(&value);
                if failed || !said.code.is_empty() || value.get("error").is_some_and(Value::is_object) {
                    return Some(self.refused(said));
                }
                if self.hearing.take(value) {
                    return Some(Ok(FlashEvent::Text(self.hearing.text().to_owned())));
                }
                continue;
            }
            match self.events.next().await {
                Some(Ok(event)) => {
                    if let Err(error) = self.event(event) {
                        return Some(Err(self.cut(error)));
                    }
                }
                // Everything was said before the connection broke.
                Some(Err(_)) if self.hearing.is_done() => return Some(self.end()),
                Some(Err(error)) => return Some(Err(self.cut(error))),
                None if self.hearing.is_complete() => return Some(self.end()),
                None => {
                    let ended = ErrorBody {
                        message: "the stream ended before its last event".to_owned(),
                        ..ErrorBody::default()
                    };
                    let error = self.exchange.failed(crate::ErrorKind::Protocol, ended);
                    return Some(Err(self.cut(error)));
                }
            }
        }
        None
    }

    /// The values of an event wait to be looked at.
    fn event(&mut self, mut event: sse::Event) -> Result<()> {
        event.data = self.exchange.masked(event.data);
        let failed = event.name == "error";
        match event.values() {
            Ok(values) => self.waiting.extend(values.into_iter().map(|value| (value, failed))),
            // An error need not be JSON.
            Err(_) if failed => {
                self.waiting.push_back((serde_json::json!({"message": event.data}), true));
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        if event.is_done() {
            self.hearing.finish();
        } else if event.name != "done" {
            self.hearing.keep(event.data);
        }
        Ok(())
    }

    /// The service said no, under a status of success; silence is no failure.
    fn refused(&mut self, said: ErrorBody) -> Result<FlashEvent> {
        self.over = true;
        let error = self.exchange.refused(said);
        match silent(error) {
            Ok(answer) if self.hearing.text().trim().is_empty() => Ok(FlashEvent::Done(Box::new(answer))),
            Ok(_) => {
                Err(Error::protocol("the stream ended by saying that nothing was heard").with_text_so_far(self.heard()))
            }
            Err(error) => Err(error.with_text_so_far(self.heard())),
        }
    }

    fn end(&mut self) -> Result<FlashEvent> {
        self.over = true;
        let hearing = std::mem::take(&mut self.hearing);
        let mut answer = hearing.answer();
        answer.request_id = answer.request_id.or_else(|| self.exchange.request_id.clone());
        Ok(FlashEvent::Done(Box::new(answer)))
    }

    /// What was heard is kept, and not taken for all of it.
    fn cut(&mut self, error: Error) -> Error {
        self.over = true;
        error.with_text_so_far(self.heard())
    }

    fn heard(&self) -> String {
        self.hearing.text().to_owned()
    }
}

/// An answer that came all at once.
pub(super) fn read(answer: Answer) -> FlashAnswer {
    let mut hearing = AnswerBuilder::default();
    hearing.keep(String::from_utf8_lossy(&answer.raw).into_owned());
    hearing.take(answer.json);
    let mut heard = hearing.answer();
    heard.request_id = heard.request_id.or(answer.request_id);
    heard
}
