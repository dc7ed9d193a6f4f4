//! `POST /api/v1/services/audio/asr/transcription`: checks a submit and decides its outcome.

use std::sync::OnceLock;
use std::sync::atomic::AtomicI64;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{Odd, Outcome, Subtask, Task};
use crate::emulator::HostStyle;
use crate::emulator::answer::{Answer, Refusal};
use crate::emulator::clock::Millis;
use crate::emulator::models::{Model, Protocol, is_websocket_only};
use crate::emulator::parameters::{self, Parameters};
use crate::emulator::routes::Call;
use crate::emulator::scenario::Trouble;
use crate::emulator::state::State;
use crate::emulator::{fetching, flash};

/// The documented message for an unknown parameter.
const MISSPELT: &str = "Invalid backend response received (missing status name)";

/// The files named in a body, read without validation, for scenarios.
pub(in crate::emulator) fn named_files(body: &Value) -> Vec<&str> {
    let input = body.get("input");
    let many = input.and_then(|input| input.get("file_urls")).and_then(Value::as_array);
    let one = input.and_then(|input| input.get("file_url"));
    many.into_iter().flatten().chain(one).filter_map(Value::as_str).collect()
}

/// Checks a submit and creates its task.
pub(in crate::emulator) fn submit(state: &State, call: &Call) -> Result<Answer, Refusal> {
    if !call.header_says("x-dashscope-async", "enable") {
        let message = "current user api does not support synchronous calls.";
        return Err(Refusal::new(StatusCode::FORBIDDEN, "AccessDenied", message));
    }
    let body = call.json()?;
    let model = model(&body)?;
    if !model.asynchronous() {
        return Err(Refusal::parameter("url error, please check url!"));
    }
    state.admit(model)?;
    known(&body, "the body", &["model", "input", "parameters", "resources"])?;
    let urls = urls(model, body.get("input"))?;
    resources(model, body.get("resources"))?;
    let parameters = Parameters::read(model, body.get("parameters"))?;
    if let Some(id) = &parameters.vocabulary_id
        && model.protocol != Protocol::OneFile
        && !state.vocabularies.holds(id)
    {
        let message = "The Required resource not exist.";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "BadRequest.ResourceNotExist", message));
    }
    let resolves = call.header_says("x-dashscope-ossresourceresolve", "enable");
    let task = accept(state, call, model, parameters, &urls, resolves);
    let answer = json!({"output": {"task_status": "PENDING", "task_id": task.id}, "request_id": call.request_id});
    state.hits.accepted(urls.iter().map(String::as_str));
    state.tasks.add(task);
    Ok(Answer::Json(answer))
}

/// Hotwords of Paraformer v1: `[{"resource_id": …, "resource_type": "asr_phrase"}]`; other models take an empty list.
fn resources(model: &Model, resources: Option<&Value>) -> Result<(), Refusal> {
    let Some(resources) = resources else { return Ok(()) };
    let list = resources.as_array().ok_or_else(|| Refusal::format("resources must be an array"))?;
    if !list.is_empty() && !model.takes_phrases() {
        return Err(Refusal::format("resources are for paraformer v1"));
    }
    for resource in list {
        known(resource, "a resource", &["resource_id", "resource_type"])?;
        let text = |key: &str| resource.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        if text("resource_id").is_none() || text("resource_type") != Some("asr_phrase") {
            return Err(Refusal::format("a resource needs a resource_id and the resource_type asr_phrase"));
        }
    }
    Ok(())
}

/// Refuses undocumented keys, so that a misspelling is found where the service would ignore it.
pub(in crate::emulator) fn known(object: &Value, place: &str, keys: &[&str]) -> Result<(), Refusal> {
    let mut there = object.as_object().into_iter().flat_map(Map::keys);
    match there.find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(Refusal::format(&format!("{place} knows no `{key}`"))),
        None => Ok(()),
    }
}

/// The model of a body. An unknown one is answered as in the service's table of parameter errors; its other table has 404
/// `ModelNotFound`, without a message.
pub(in crate::emulator) fn model(body: &Value) -> Result<&'static Model, Refusal> {
    match body.get("model") {
        Some(Value::String(name)) if !name.is_empty() => {
            // The service's words for a model without HTTP were seen in reports, the code was not.
            let refusal =
                if is_websocket_only(name) { "The model does not support http call." } else { "Model not exist." };
            Model::named(name).ok_or_else(|| Refusal::parameter(refusal))
        }
        _ => Err(Refusal::new(StatusCode::BAD_REQUEST, "BadRequest.EmptyModel", "The model is empty.")),
    }
}

fn urls(model: &Model, input: Option<&Value>) -> Result<Vec<String>, Refusal> {
    let Protocol::Files(most) = model.protocol else {
        let missing = || Refusal::parameter("input must contain file_url");
        let input = input.ok_or_else(missing)?;
        let url = input.get("file_url").ok_or_else(missing)?;
        known(input, "input", &["file_url"])?;
        return match url {
            Value::String(url) if !url.is_empty() => Ok(vec![url.clone()]),
            _ => Err(Refusal::format("input.file_url must be a string")),
        };
    };
    let missing = || Refusal::parameter("input must contain file_urls");
    let input = input.ok_or_else(missing)?;
    let list = input.get("file_urls").ok_or_else(missing)?;
    known(input, "input", if model.qwen_audio() { &["file_urls", "context"] } else { &["file_urls"] })?;
    if let Some(context) = input.get("context") {
        flash::context(context)?;
    }
    let urls = parameters::strings(Some(list), "input.file_urls must be an array of strings")?;
    match urls.len() {
        0 => Err(missing()),
        n if n > most => Err(Refusal::format(&format!("input.file_urls holds {n} URLs, the limit is {most}"))),
        _ => Ok(urls),
    }
}

fn accept(
    state: &State,
    call: &Call,
    model: &'static Model,
    parameters: Parameters,
    urls: &[String],
    resolves: bool,
) -> Task {
    let now = state.clock.now();
    let id = state.seal.uuid();
    // Between half a second and one second in the queue, and less than three to the end; the id decides.
    let dice = blake3::hash(id.as_bytes());
    let [waits, takes, ..] = *dice.as_bytes();
    let (mut waits, mut takes) = (550 + Millis::from(waits) * 400 / 255, 300 + Millis::from(takes) * 1500 / 255);
    let spoilt = spoilt(state, model, &parameters);
    let mut odd = None;
    let mut everywhere = None;
    let mut subtasks = Vec::with_capacity(urls.len());
    for url in urls {
        let mut outcome = match &spoilt {
            Some((code, message)) => Outcome::Failed { code: code.clone(), message: message.clone() },
            None => fetching::outcome(state, model, url, resolves, &parameters),
        };
        match state.scenario.trouble(url) {
            None => {}
            Some(Trouble::Fail { code, message }) => outcome = Outcome::Failed { code, message },
            Some(Trouble::AllFailed { code, message }) => everywhere = Some((code, message)),
            Some(Trouble::SucceededWithFailed { code, message }) => {
                everywhere = Some((code, message));
                odd = Some(Odd::Succeeded);
            }
            Some(Trouble::Silence { code }) => {
                if code == "ASR_RESPONSE_HAVE_NO_WORDS" && urls.len() == 1 {
                    odd = Some(Odd::CodeAlone);
                }
                outcome = Outcome::Failed { message: code.clone(), code };
            }
            Some(Trouble::Hold { pending_ms, hold_ms }) => {
                waits = pending_ms.unwrap_or(waits);
                takes = hold_ms.unwrap_or(takes);
            }
        }
        subtasks.push(Subtask { url: url.clone(), outcome });
    }
    if let Some((code, message)) = everywhere {
        for subtask in &mut subtasks {
            subtask.outcome = Outcome::Failed { code: code.clone(), message: message.clone() };
        }
    }
    Task {
        id,
        request_id: call.request_id.clone(),
        model,
        parameters,
        subtasks,
        odd,
        created: now,
        scheduled: now + waits,
        ended: now + waits + takes,
        cancelled: AtomicI64::new(0),
        billed_seconds: OnceLock::new(),
    }
}

/// Why the whole task fails although it was accepted. The message for a misspelt parameter is documented, the codes are not.
fn spoilt(state: &State, model: &Model, parameters: &Parameters) -> Option<(String, String)> {
    let why = |code: &str, message: &str| Some((code.to_owned(), message.to_owned()));
    let demanded = state.style == HostStyle::Workspace || (model.qwen_audio() && model.asynchronous());
    if parameters.missing && demanded {
        return why("InvalidParameter", "parse parameters failed");
    }
    if parameters.misspelt.is_some() {
        return why("InternalError.Algo", MISSPELT);
    }
    None
}
