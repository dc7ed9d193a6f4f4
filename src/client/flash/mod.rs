//! Short clips, now: one call, answered at once or bit by bit.
//!
//! | call | wire |
//! | --- | --- |
//! | [`FlashCalls::recognize`] | `POST /services/aigc/multimodal-generation/generation` |
//! | [`FlashCalls::stream`] | the same with `X-DashScope-SSE: enable` |
//! | both, Qwen3 in compatible mode and Qwen-Omni | `POST /compatible-mode/v1/chat/completions` of the same host |
//!
//! A call costs money and cannot be named twice to the service, so it is repeated only where it was certainly refused; a
//! stream that has begun, never.

mod answer;
mod clip;
mod conversation;
mod reading;
mod request;
mod stream;

pub use answer::{FlashAnswer, FlashUsage};
pub use clip::Clip;
pub use conversation::Conversation;
pub use request::Flash;
pub use stream::{FlashEvent, FlashStream};

use serde_json::json;

use super::Client;
use super::pacing::Class;
use super::retry::Repeat;
use super::transport::{Body, Call, Opened};
use crate::error::{Error, Result};

/// The calls about short clips.
#[derive(Debug, Clone, Copy)]
pub struct FlashCalls<'c> {
    pub(super) client: &'c Client,
}

impl FlashCalls<'_> {
    /// The whole answer. No speech is an empty one with a warning. A model that answers by streams alone is listened to.
    ///
    /// `POST /services/aigc/multimodal-generation/generation`
    ///
    /// # Errors
    /// What the service refused; no answer, in which case nobody can tell whether it is billed.
    pub async fn recognize(self, flash: &Flash) -> Result<FlashAnswer> {
        if flash.always_streams() {
            return self.stream(flash).await?.answer().await;
        }
        match self.client.transport().send(call(flash, &flash.headers(false), false)).await {
            Ok(answer) => Ok(stream::read(answer)),
            Err(error) => silent(error),
        }
    }

    /// The answer as it comes. It may come as one event: some models stream from a minute of audio on.
    ///
    /// `POST /services/aigc/multimodal-generation/generation` with `X-DashScope-SSE: enable`
    ///
    /// # Errors
    /// As [`Self::recognize`], as long as no event has come; later ones are in the stream.
    pub async fn stream(self, flash: &Flash) -> Result<FlashStream> {
        match self.client.transport().open(call(flash, &flash.headers(true), true)).await {
            Ok(Opened::Events(exchange, body)) => Ok(FlashStream::events(exchange, body, flash.incremental())),
            Ok(Opened::Whole(answer)) => Ok(FlashStream::whole(stream::read(answer))),
            Err(error) => silent(error).map(FlashStream::whole),
        }
    }
}

fn call<'a>(flash: &Flash, headers: &'a [(&'static str, &'static str)], streamed: bool) -> Call<'a> {
    let model = flash.recognition().model();
    Call {
        doing: format!("recognise a clip with {model}"),
        target: flash.target(),
        body: Body::Json(flash.body(streamed)),
        headers,
        class: Class::Submit(model.to_owned()),
        repeat: Repeat::IfRefused,
    }
}

/// No speech comes as a refusal, its name in the code or in the message.
fn silent(error: Error) -> Result<FlashAnswer> {
    const NAMES: [&str; 2] = ["ASR_RESPONSE_HAVE_NO_WORDS", "SUCCESS_WITH_NO_VALID_FRAGMENT"];
    let Some(api) =
        error.api().filter(|api| NAMES.iter().any(|name| api.code.contains(name) || api.message.contains(name)))
    else {
        return Err(error);
    };
    let mut answer = FlashAnswer::new(String::new());
    answer.request_id = api.request_id.clone();
    answer.raw = json!({"code": api.code, "message": api.message, "request_id": api.request_id}).to_string();
    Ok(answer)
}

#[cfg(test)]
mod tests;
