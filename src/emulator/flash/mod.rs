//! The synchronous models: a short clip is recognised while the caller waits.
//!
//! | route | models | messages |
//! | --- | --- | --- |
//! | `POST /api/v1/services/aigc/multimodal-generation/generation` | Fun-ASR-Flash, Qwen-Audio-3.x | `input_audio`, context as `input_text` and `text` |
//! | the same | Fun-ASR-Realtime | `parameters.audio_address` or `audio` |
//! | the same | Qwen3-ASR-Flash | `audio`, context in a system message; answers in `choices` |
//! | `POST /compatible-mode/v1/chat/completions` | Qwen3-ASR-Flash, Qwen-Omni | `input_audio`; answers as chat completions |
//!
//! Wire formats: the vendor's pages "Fun-ASR-Flash HTTP API", "Qwen-ASR API reference" and "Qwen-Omni" as of November
//! 2026, and measurements against the service since.

mod chat;
mod clip;
mod context;
mod envelope;
mod messages;
mod qwen3;
mod recognized;

use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::answer::{Answer, Dialect, Refusal};
use super::models::{Model, Protocol};
use super::parameters::{Parameters, inline_vocabulary, strings};
use super::routes::Call;
use super::state::State;
use super::stream::Events;
use super::tasks::submit;
pub(super) use chat::completions;
use recognized::Recognized;

/// Shortest clip that models other than 3.1 stream; a shorter one gets its last event only.
const STREAMED_MS: u64 = 60_000;

/// Parameters of the `input_audio` models. One that only another of them has is ignored.
const OF_FLASH: [&str; 7] = [
    "format",
    "keep_dialect",
    "language_hints",
    "sample_rate",
    "speaker_diarization_enabled",
    "vocabulary",
    "vocabulary_id",
];
const OF_REALTIME: [&str; 6] =
    ["audio_address", "format", "language_hints", "sample_rate", "vad_enabled", "vocabulary_id"];

/// The files named in a body, read without validation, for scenarios.
pub(super) fn named_files(body: &Value) -> Vec<&str> {
    let messages = body.pointer("/input/messages").or_else(|| body.get("messages")).and_then(Value::as_array);
    let content = messages.into_iter().flatten().filter_map(|message| message.get("content")?.as_array()).flatten();
    let audio = content.filter_map(|item| item.pointer("/input_audio/data").or_else(|| item.get("audio"))?.as_str());
    audio.chain(body.pointer("/parameters/audio_address").and_then(Value::as_str)).collect()
}

/// Whether a request asks for events.
pub(super) fn streams(call: &Call, body: &Value) -> bool {
    call.header_says("x-dashscope-sse", "enable") || body.get("stream") == Some(&Value::Bool(true))
}

/// Context without audio, as files of Qwen-Audio take it.
pub(super) fn context(messages: &Value) -> Result<(), Refusal> {
    messages::context(messages)
}

/// Recognises a short clip. `silent`: the scenario wants no speech in it.
pub(super) fn generation(state: &State, call: &Call, silent: bool) -> Result<Answer, Refusal> {
    let denied = |message: &str| Refusal::new(StatusCode::FORBIDDEN, "AccessDenied", message);
    if call.header("x-dashscope-async").is_some_and(|value| !value.trim().eq_ignore_ascii_case("disable")) {
        return Err(denied("Current user api does not support asynchronous calls."));
    }
    let body = call.json()?;
    let model = submit::model(&body)?;
    if model.asynchronous() {
        return Err(denied("current user api does not support synchronous calls."));
    }
    if model.protocol == Protocol::Omni {
        return Err(Refusal::parameter("url error, please check url!"));
    }
    state.admit(model)?;
    if call.header("x-dashscope-sse").is_some()
        && !["enable", "disable"].iter().any(|word| call.header_says("x-dashscope-sse", word))
    {
        return Err(Refusal::format("the header X-DashScope-SSE says enable or disable"));
    }
    submit::known(&body, "the body", &["model", "input", "parameters", "resources"])?;
    clip::short_enough(&body)?;
    if model.protocol == Protocol::Chat {
        return qwen3::answer(state, call, model, &body, silent);
    }
    let asked = match model.protocol {
        Protocol::Realtime => messages::realtime(&body)?,
        _ => messages::flash(&body)?,
    };
    let parameters = parameters(state, model, &body)?;
    let source = clip::listen(state, call, model, asked.audio)?;
    state.hits.recognised(model.protocol.name(), source.url());
    if silent || source.silent() {
        return Err(clip::no_words());
    }
    let parameters = Parameters { context: context::kept(&asked.context), ..parameters };
    let recognized = Recognized::new(model, &source, &parameters);
    let enveloped = |part: &recognized::Part| envelope::envelope(state.style, &call.request_id, part);
    if !streams(call, &Value::Null) {
        return Ok(Answer::Json(enveloped(&recognized.whole())));
    }
    let parts = if model.protocol == Protocol::Realtime {
        recognized.sentence_by_sentence()
    } else if model.billed_by_token() || recognized.duration_ms() >= STREAMED_MS {
        recognized.snapshots()
    } else {
        vec![recognized.whole()]
    };
    let data = parts.iter().map(enveloped).collect();
    Ok(Answer::Events(Events { dialect: Dialect::DashScope, data, pause: state.scenario.pause() }))
}

fn parameters(state: &State, model: &Model, body: &Value) -> Result<Parameters, Refusal> {
    let unparsed = || Refusal::parameter("parse parameters failed");
    let sent: &Map<String, Value> = body.get("parameters").and_then(Value::as_object).ok_or_else(unparsed)?;
    let known: &[&str] = if model.protocol == Protocol::Realtime { &OF_REALTIME } else { &OF_FLASH };
    submit::known(body.get("parameters").unwrap_or(&Value::Null), "parameters", known)?;
    // A wrong format is tolerated: the service looks at the bytes.
    sent.get("format").and_then(Value::as_str).filter(|format| !format.is_empty()).ok_or_else(unparsed)?;
    // The reference and nearly every sample use a string, one sample a number.
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if sent.get("sample_rate").is_some_and(|rate| !rate.as_str().is_some_and(digits) && !rate.is_u64()) {
        return Err(Refusal::format("parameters.sample_rate must be a number of hertz in a string"));
    }
    let flag = |key: &str| match sent.get(key) {
        None => Ok(false),
        Some(value) => value.as_bool().ok_or_else(|| Refusal::format(&format!("parameters.{key} must be a boolean"))),
    };
    let hints = strings(sent.get("language_hints"), "parameters.language_hints must be an array of strings")?;
    let diarization = flag("speaker_diarization_enabled")? && model.billed_by_token();
    flag("keep_dialect")?;
    flag("vad_enabled")?;
    if let Some(words) = sent.get("vocabulary").filter(|_| model.qwen_audio()) {
        inline_vocabulary(words)?;
    }
    match sent.get("vocabulary_id") {
        None => {}
        Some(Value::String(id)) if state.vocabularies.holds(id) => {}
        Some(Value::String(_)) => {
            let message = "The Required resource not exist.";
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "BadRequest.ResourceNotExist", message));
        }
        Some(_) => return Err(Refusal::format("parameters.vocabulary_id must be a string")),
    }
    // With diarization the hints are switched off.
    let language = hints.into_iter().next().filter(|_| !diarization);
    Ok(Parameters { diarization, language, ..Parameters::default() })
}
