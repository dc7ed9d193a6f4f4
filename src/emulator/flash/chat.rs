//! `POST /compatible-mode/v1/chat/completions`: Qwen3-ASR-Flash and, with a prompt, Qwen-Omni. Requests, answers, chunks
//! and errors are as another vendor's clients expect them.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::recognized::Recognized;
use super::{clip, messages, qwen3};
use crate::emulator::answer::{Answer, Dialect, Refusal};
use crate::emulator::models::{Model, Protocol};
use crate::emulator::parameters::Parameters;
use crate::emulator::routes::Call;
use crate::emulator::state::State;
use crate::emulator::stream::Events;
use crate::emulator::tasks::submit::known;

const OF_ASR: [&str; 5] = ["model", "messages", "stream", "stream_options", "asr_options"];
const OF_OMNI: [&str; 8] =
    ["model", "messages", "stream", "stream_options", "modalities", "temperature", "top_p", "max_tokens"];
const OF_THINKING_OMNI: [&str; 10] = [
    "model",
    "messages",
    "stream",
    "stream_options",
    "modalities",
    "temperature",
    "top_p",
    "max_tokens",
    "reasoning_effort",
    "use_multichannel",
];
/// The reasoning that Omni sends before its answer unless told not to.
const THOUGHTS: [&str; 3] = ["The user wants a transcript. ", "I listen to the recording. ", "Now I write it down."];

/// Options of a completion.
struct Wanted {
    stream: bool,
    /// Whether a last chunk states the usage.
    usage: bool,
    thinks: bool,
}

/// Recognises a short clip and answers as a chat.
pub(in crate::emulator) fn completions(state: &State, call: &Call, silent: bool) -> Result<Answer, Refusal> {
    let body = call.json()?;
    let model = model(&body)?;
    state.admit(model)?;
    let omni = model.protocol == Protocol::Omni;
    let keys: &[&str] = match (omni, model.thinks()) {
        (false, _) => &OF_ASR,
        (true, false) => &OF_OMNI,
        (true, true) => &OF_THINKING_OMNI,
    };
    known(&body, "the body", keys)?;
    clip::short_enough(&body)?;
    let wanted = wanted(model, &body)?;
    let parameters = if omni { Parameters::default() } else { qwen3::options(body.get("asr_options"))? };
    let address = audio(model, &body)?;
    let source = clip::listen(state, call, model, address)?;
    state.hits.recognised(if omni { "omni" } else { "qwen3_compatible" }, source.url());
    let recognized = Recognized::new(model, &source, &parameters);
    let pieces = if silent || source.silent() { Vec::new() } else { recognized.pieces() };
    let answer = Completion {
        id: format!("chatcmpl-{}", call.request_id),
        created: state.clock.now() / 1000,
        model: model.name,
        language: (!omni).then(|| parameters.language.clone().unwrap_or_else(|| recognized.language().to_owned())),
        usage: usage(model, &recognized, if pieces.is_empty() { 0 } else { recognized.count() }, wanted.thinks),
        pieces,
        thinks: wanted.thinks,
    };
    if !wanted.stream {
        return Ok(Answer::Json(answer.whole()));
    }
    let data = answer.chunks(wanted.usage);
    Ok(Answer::Events(Events { dialect: Dialect::Compatible, data, pause: state.scenario.pause() }))
}

/// The model of a body: Qwen3-ASR-Flash, but not its US version, or Omni.
fn model(body: &Value) -> Result<&'static Model, Refusal> {
    let name = body.get("model").and_then(Value::as_str).unwrap_or_default();
    let elsewhere = |code: &str| {
        let message = format!("The model `{name}` does not exist or you do not have access to it.");
        Refusal::new(StatusCode::NOT_FOUND, code, message)
    };
    if name.is_empty() {
        return Err(Refusal::parameter("you must provide a model parameter"));
    }
    let model = Model::named(name).ok_or_else(|| elsewhere("model_not_found"))?;
    let served = matches!(model.protocol, Protocol::Chat | Protocol::Omni) && !name.ends_with("-us");
    if served { Ok(model) } else { Err(elsewhere("model_not_supported")) }
}

fn wanted(model: &Model, body: &Value) -> Result<Wanted, Refusal> {
    let flag = |object: &Value, key: &str| match object.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(value) => value.as_bool().ok_or_else(|| Refusal::format(&format!("{key} must be a boolean"))),
    };
    let stream = flag(body, "stream")?;
    let options = body.get("stream_options").filter(|options| !options.is_null());
    if options.is_some() && !stream {
        return Err(Refusal::parameter("The stream_options parameter is only allowed when stream is true."));
    }
    let options = options.unwrap_or(&Value::Null);
    known(options, "stream_options", &["include_usage"])?;
    let usage = flag(options, "include_usage")?;
    if model.protocol != Protocol::Omni {
        return Ok(Wanted { stream, usage, thinks: false });
    }
    if !stream && !model.thinks() {
        return Err(Refusal::parameter("'audio' output only support with stream=true"));
    }
    if body.get("modalities").is_some_and(|modalities| *modalities != json!(["text"])) {
        return Err(Refusal::format("modalities: a transcript is [\"text\"]"));
    }
    flag(body, "use_multichannel")?;
    let efforts = ["none", "minimal", "low", "medium", "high", "xhigh"];
    let thinks = match body.get("reasoning_effort") {
        None => model.thinks(),
        Some(effort) => {
            let effort = effort.as_str().filter(|effort| efforts.contains(effort));
            effort.ok_or_else(|| Refusal::format("reasoning_effort is none, minimal, low, medium, high or xhigh"))?
                != "none"
        }
    };
    Ok(Wanted { stream, usage, thinks })
}

/// The only audio. For Qwen3 a system message may precede it; Omni requires a text that says what to do with it.
fn audio<'b>(model: &Model, body: &'b Value) -> Result<&'b str, Refusal> {
    let omni = model.protocol == Protocol::Omni;
    let sent = body.get("messages").and_then(Value::as_array).filter(|sent| !sent.is_empty());
    let sent = sent.ok_or_else(|| Refusal::format("messages must be an array with a message"))?;
    let (mut audio, mut prompt) = (None, false);
    for (at, message) in sent.iter().enumerate() {
        if let (Some("system"), Some(Value::String(_))) =
            (message.get("role").and_then(Value::as_str), message.get("content"))
            && at == 0
        {
            known(message, "a message", &["role", "content"])?;
            continue;
        }
        let (role, content) = messages::parts(message)?;
        for item in content {
            let kind = item.get("type").and_then(Value::as_str);
            let text = item.get("text").is_some_and(Value::is_string);
            match (role, kind) {
                ("system", None | Some("text")) if at == 0 && text => {
                    known(item, "an item of content", &["type", "text"])?;
                }
                ("user", Some("text")) if omni && text => {
                    known(item, "an item of content", &["type", "text"])?;
                    prompt = true;
                }
                ("user", Some("input_audio")) if audio.is_none() => {
                    known(item, "an item of content", &["type", "input_audio"])?;
                    let sound = item.get("input_audio").unwrap_or(&Value::Null);
                    known(sound, "input_audio", &["data", "format"])?;
                    if omni && !sound.get("format").is_some_and(Value::is_string) {
                        return Err(Refusal::format("input_audio.format must be a string"));
                    }
                    let data = sound.get("data").and_then(Value::as_str).filter(|data| !data.is_empty());
                    audio = Some(data.ok_or_else(|| Refusal::format("input_audio.data must be a string"))?);
                }
                _ => {
                    return Err(Refusal::format(
                        "messages hold text of the system first, then one input_audio of the user, of Omni with a text",
                    ));
                }
            }
        }
    }
    if omni && !prompt {
        return Err(Refusal::format("a text that says what to do with the audio is missing"));
    }
    audio.ok_or_else(|| Refusal::format("messages must contain input_audio"))
}

/// Tokens of the audio by its length, and one per word of the text.
fn usage(model: &Model, recognized: &Recognized, words: usize, thinks: bool) -> Value {
    let words = words as u64;
    let per_second = model.audio_tokens_per_ten_seconds();
    let audio = (recognized.duration_ms().max(1000) * per_second).div_ceil(10_000);
    if model.protocol != Protocol::Omni {
        return json!({
            "prompt_tokens": audio, "completion_tokens": words, "total_tokens": audio + words,
            "seconds": recognized.seconds(),
            "prompt_tokens_details": {"audio_tokens": audio, "text_tokens": 0},
            "completion_tokens_details": {"text_tokens": words},
        });
    }
    let (prompt, thoughts) = (20, if thinks { 18 } else { 0 });
    let mut usage = json!({
        "prompt_tokens": audio + prompt, "completion_tokens": words + thoughts,
        "total_tokens": audio + prompt + words + thoughts,
        "prompt_tokens_details": {"audio_tokens": audio, "text_tokens": prompt},
        "completion_tokens_details": {"text_tokens": words},
    });
    if thinks {
        usage["completion_tokens_details"]["reasoning_tokens"] = json!(thoughts);
    }
    usage
}

/// An answer before it is laid out whole or in chunks.
struct Completion {
    id: String,
    created: i64,
    model: &'static str,
    /// Of speech recognition, which states the language in `annotations`.
    language: Option<String>,
    usage: Value,
    pieces: Vec<String>,
    thinks: bool,
}

impl Completion {
    fn annotations(&self) -> Option<Value> {
        let language = self.language.as_ref()?;
        Some(json!([{"type": "audio_info", "language": language, "emotion": "neutral"}]))
    }

    fn whole(&self) -> Value {
        let mut message = json!({"role": "assistant", "content": self.pieces.concat()});
        if let Some(annotations) = self.annotations() {
            message["annotations"] = annotations;
        }
        if self.thinks {
            message["reasoning_content"] = json!(THOUGHTS.concat());
        }
        json!({
            "id": self.id, "object": "chat.completion", "created": self.created, "model": self.model,
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}], "usage": self.usage,
        })
    }

    /// Each chunk holds what is new; the role comes first, the finish reason last, then the usage if requested.
    fn chunks(&self, usage: bool) -> Vec<Value> {
        let chunk = |choices: Value, usage: &Value| {
            json!({
                "id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": self.model,
                "system_fingerprint": null, "choices": choices, "usage": usage,
            })
        };
        let one = |delta: Value, reason: Option<&str>| {
            chunk(json!([{"index": 0, "delta": delta, "finish_reason": reason, "logprobs": null}]), &Value::Null)
        };
        let mut chunks = vec![one(json!({"role": "assistant", "content": ""}), None)];
        for thought in THOUGHTS.iter().filter(|_| self.thinks) {
            chunks.push(one(json!({"content": null, "reasoning_content": thought}), None));
        }
        for piece in &self.pieces {
            let mut delta = json!({"content": piece});
            if let Some(annotations) = self.annotations() {
                delta["annotations"] = annotations;
            }
            chunks.push(one(delta, None));
        }
        chunks.push(one(json!({"role": null}), Some("stop")));
        if usage {
            chunks.push(chunk(json!([]), &self.usage));
        }
        chunks
    }
}
