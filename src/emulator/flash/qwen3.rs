//! Qwen3-ASR-Flash in the service's own protocol: `audio` messages, answers in `choices`, no times.

use serde_json::{Map, Value, json};

use super::recognized::Recognized;
use super::{clip, messages, streams};
use crate::emulator::answer::{Answer, Dialect, Refusal};
use crate::emulator::models::Model;
use crate::emulator::parameters::Parameters;
use crate::emulator::routes::Call;
use crate::emulator::state::State;
use crate::emulator::stream::Events;
use crate::emulator::tasks::submit::known;

/// Answers a request; each event holds the text so far or, with `incremental_output`, what is new in it. Silence is an
/// empty text: the service's answer is undocumented.
pub(super) fn answer(state: &State, call: &Call, model: &Model, body: &Value, silent: bool) -> Result<Answer, Refusal> {
    let address = audio(messages::of_input(body)?)?;
    let (parameters, incremental) = parameters(body)?;
    let source = clip::listen(state, call, model, address)?;
    state.hits.recognised("qwen3", source.url());
    let recognized = Recognized::new(model, &source, &parameters);
    let pieces = if silent || source.silent() { Vec::new() } else { recognized.pieces() };
    let words = if pieces.is_empty() { 0 } else { recognized.count() };
    let usage = json!({
        "input_tokens_details": {"text_tokens": 0},
        "output_tokens_details": {"text_tokens": words},
        "seconds": recognized.seconds(),
    });
    let language = parameters.language.as_deref().unwrap_or(recognized.language());
    let answer = |text: &str, usage: Option<&Value>| {
        let reason = if usage.is_some() { "stop" } else { "null" };
        let annotations = json!([{"type": "audio_info", "language": language, "emotion": "neutral"}]);
        let message = json!({"role": "assistant", "content": [{"text": text}], "annotations": annotations});
        let mut answer = json!({
            "request_id": call.request_id,
            "output": {"choices": [{"finish_reason": reason, "message": message}]},
        });
        if let Some(usage) = usage {
            answer["usage"] = usage.clone();
        }
        answer
    };
    if !streams(call, &Value::Null) {
        return Ok(Answer::Json(answer(&pieces.concat(), Some(&usage))));
    }
    let mut said = String::new();
    let mut data: Vec<Value> = Vec::new();
    for piece in &pieces {
        said.push_str(piece);
        data.push(answer(if incremental { piece } else { &said }, None));
    }
    data.push(answer(if incremental { "" } else { &said }, Some(&usage)));
    Ok(Answer::Events(Events { dialect: Dialect::DashScope, data, pause: state.scenario.pause() }))
}

/// One audio of the user. A system message with context precedes it in the reference and follows it in the official
/// client's examples.
fn audio(sent: &[Value]) -> Result<&str, Refusal> {
    let mut audio = None;
    for message in sent {
        let (role, content) = messages::parts(message)?;
        for item in content {
            known(item, "an item of content", &["audio", "text"])?;
            let (said, heard) = (item.get("text"), item.get("audio"));
            match (role, said, heard) {
                ("system", Some(text), None) if text.is_string() => {}
                ("user", None, Some(address)) if audio.is_none() => {
                    let address = address.as_str().filter(|address| !address.is_empty());
                    audio = Some(address.ok_or_else(|| Refusal::format("audio must be a string"))?);
                }
                ("user", None, Some(_)) => return Err(Refusal::format("one audio at a time")),
                _ => return Err(Refusal::format("content holds one audio of the user and text of the system")),
            }
        }
    }
    audio.ok_or_else(|| Refusal::parameter("input must contain audio"))
}

fn parameters(body: &Value) -> Result<(Parameters, bool), Refusal> {
    let sent = body.get("parameters").unwrap_or(&Value::Null);
    if !sent.is_object() && !sent.is_null() {
        return Err(Refusal::format("parameters must be an object"));
    }
    known(sent, "parameters", &["asr_options", "incremental_output", "result_format"])?;
    let incremental = match sent.get("incremental_output") {
        None => false,
        Some(value) => {
            value.as_bool().ok_or_else(|| Refusal::format("parameters.incremental_output must be a boolean"))?
        }
    };
    Ok((options(sent.get("asr_options"))?, incremental))
}

/// `asr_options`, the same in both protocols; `enable_lid` is in older samples.
pub(super) fn options(sent: Option<&Value>) -> Result<Parameters, Refusal> {
    let none = Map::new();
    let options = match sent {
        None => &none,
        Some(sent) => sent.as_object().ok_or_else(|| Refusal::format("asr_options must be an object"))?,
    };
    known(sent.unwrap_or(&Value::Null), "asr_options", &["language", "enable_itn", "enable_lid"])?;
    for key in ["enable_itn", "enable_lid"] {
        if options.get(key).is_some_and(|value| !value.is_boolean()) {
            return Err(Refusal::format(&format!("asr_options.{key} must be a boolean")));
        }
    }
    let language = match options.get("language") {
        None => None,
        Some(language) => {
            Some(language.as_str().ok_or_else(|| Refusal::format("asr_options.language must be a string"))?)
        }
    };
    Ok(Parameters { language: language.map(str::to_owned), ..Parameters::default() })
}
