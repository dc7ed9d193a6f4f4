//! The service's port: routes, the checks of every request, and the hooks of scenarios.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State as Shared};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, Response, StatusCode};
use axum::routing::any;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::answer::{Answer, Dialect, EVENT_STREAM, Refusal, Reply, hang_up};
use super::bodies::Received;
use super::models::MODELS;
use super::operation::Operation;
use super::scenario::{Body as Scripted, Fault};
use super::state::State;
use super::tasks::{list, query, submit};
use super::{flash, stream, tokens, uploads, vocabularies};

/// Rate per second of queries, lists and cancels, each for the whole account.
const TASK_RATE: f64 = 20.0;

/// A request with its body.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) request_id: String,
    /// Path and query.
    target: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Received,
}

impl Call {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(super) fn header_says(&self, name: &str, word: &str) -> bool {
        self.header(name).is_some_and(|value| value.trim().eq_ignore_ascii_case(word))
    }

    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body, which must be a JSON object with the JSON content type.
    pub(super) fn json(&self) -> Result<Value, Refusal> {
        let kind = self.header(CONTENT_TYPE.as_str()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(Refusal::body());
        }
        serde_json::from_slice(&self.body).ok().filter(Value::is_object).ok_or_else(Refusal::body)
    }
}

/// The routes of the service.
pub(super) fn router(state: &Arc<State>) -> Router {
    let table: [(&'static str, &'static [Method], Operation); 11] = [
        ("/api/v1/services/audio/asr/transcription", &[Method::POST], Operation::Submit),
        ("/api/v1/tasks", &[Method::GET], Operation::List),
        ("/api/v1/tasks/", &[Method::GET], Operation::List),
        ("/api/v1/tasks/{task_id}", &[Method::GET, Method::POST], Operation::Query),
        ("/api/v1/tasks/{task_id}/cancel", &[Method::POST], Operation::Cancel),
        ("/api/v1/uploads", &[Method::GET], Operation::Policy),
        ("/api/v1/tokens", &[Method::POST], Operation::Token),
        ("/api/v1/models", &[Method::GET], Operation::Models),
        ("/api/v1/services/audio/asr/customization", &[Method::POST], Operation::Vocabulary),
        ("/api/v1/services/aigc/multimodal-generation/generation", &[Method::POST], Operation::Flash),
        ("/compatible-mode/v1/chat/completions", &[Method::POST], Operation::Flash),
    ];
    let mut router = Router::new();
    for (route, methods, operation) in table {
        let handler = move |Shared(state): Shared<Arc<State>>, id: Option<Path<String>>, request: Request| async move {
            exchange(&state, operation, route, methods, id.map(|id| id.0), request).await
        };
        router = router.route(route, any(handler));
    }
    router.fallback(elsewhere).with_state(Arc::clone(state))
}

async fn elsewhere(Shared(state): Shared<Arc<State>>, request: Request) -> Response<Body> {
    state.hits.elsewhere();
    let (id, now) = (state.seal.uuid(), state.clock.now());
    let refusal = Refusal::new(StatusCode::NOT_FOUND, "NotFound", "Not found!");
    Reply::refusal(Dialect::of(request.uri().path()), &refusal, &id).response(&id, now)
}

async fn exchange(
    state: &State,
    operation: Operation,
    route: &'static str,
    methods: &[Method],
    id: Option<String>,
    request: Request,
) -> Response<Body> {
    state.hits.request(operation, request.method().as_str(), route);
    let dialect = Dialect::of(route);
    let request_id = state.seal.uuid();
    let reply = match read(state, request_id.clone(), methods, request).await {
        Err(refusal) => Some(Reply::refusal(dialect, &refusal, &request_id)),
        Ok(call) => {
            let id = id.unwrap_or_default();
            let fault = fault(state, operation, &call, &id);
            carried_out(state, dialect, &request_id, fault, |fault| {
                if fault == Some(&Fault::Unknown) {
                    return Reply::answer(query::unknown(&call, &id));
                }
                match handle(state, operation, dialect, &call, &id, fault) {
                    Ok(answer) => Reply::answer(answer),
                    Err(refusal) => Reply::refusal(dialect, &refusal, &request_id),
                }
            })
            .await
        }
    };
    reply.map_or_else(hang_up, |reply| reply.response(&request_id, state.clock.now()))
}

/// Makes the checks common to all requests, then reads the body: that of a refused request is not read.
async fn read(state: &State, request_id: String, methods: &[Method], request: Request) -> Result<Call, Refusal> {
    let (head, body) = request.into_parts();
    state.authorize(&head.headers)?;
    if !methods.contains(&head.method) {
        return Err(Refusal::parameter(format!("Request method '{}' is not supported.", head.method)));
    }
    let body = state.bodies.read(body).await?;
    let query = form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let target = head.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    Ok(Call { request_id, target, query, headers: head.headers, body })
}

/// The fault of the scenario for a request.
fn fault(state: &State, operation: Operation, call: &Call, id: &str) -> Option<Fault> {
    let body: Value;
    let task;
    match operation {
        Operation::Submit | Operation::Flash => {
            if !state.scenario.concerns(operation) {
                return None;
            }
            body = serde_json::from_slice(&call.body).unwrap_or_default();
            if operation == Operation::Submit {
                return state.scenario.fault(operation, || submit::named_files(&body));
            }
            state.scenario.flash_fault(flash::streams(call, &body), || flash::named_files(&body))
        }
        Operation::Query | Operation::Cancel => {
            task = state.tasks.known(id, state.clock.now());
            let files = || task.iter().flat_map(|task| &task.subtasks).map(|file| file.url.as_str()).collect();
            state.scenario.fault(operation, files)
        }
        _ => state.scenario.fault(operation, || vec![call.target.as_str()]),
    }
}

/// Carries out a request with the fault of the scenario; `None` hangs up.
pub(super) async fn carried_out(
    state: &State,
    dialect: Dialect,
    request_id: &str,
    fault: Option<Fault>,
    act: impl FnOnce(Option<&Fault>) -> Reply,
) -> Option<Reply> {
    let Some(fault) = fault else { return Some(act(None)) };
    state.hits.faulted();
    match fault {
        Fault::ResetBefore => None,
        Fault::ResetAfter => {
            act(None);
            None
        }
        Fault::Slow(delay) => {
            let reply = act(None);
            tokio::time::sleep(delay).await;
            Some(reply)
        }
        Fault::SlowBeforeAccept(delay) => {
            tokio::time::sleep(delay).await;
            Some(act(None))
        }
        Fault::Truncate => Some(Reply { cut: true, ..act(None) }),
        Fault::Stream(shape) => Some(Reply { shape, ..act(None) }),
        Fault::Expired | Fault::Unknown | Fault::Silence => Some(act(Some(&fault))),
        Fault::Answer { status, body, retry_after, accepted, event_stream } => {
            if accepted {
                act(None);
            }
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let reply = match body {
                Scripted::Error { code, message } => {
                    let refusal = Refusal { status, code, message };
                    if event_stream {
                        Reply::whole(status, EVENT_STREAM, stream::alone(dialect, &refusal, request_id))
                    } else {
                        Reply::refusal(dialect, &refusal, request_id)
                    }
                }
                Scripted::Verbatim(text) => {
                    let json = text.trim_start().starts_with(['{', '[']);
                    let kind = if json { "application/json;charset=UTF-8" } else { "text/plain;charset=UTF-8" };
                    Reply::whole(status, kind, text)
                }
            };
            Some(Reply { retry_after, ..reply })
        }
    }
}

fn handle(
    state: &State,
    operation: Operation,
    dialect: Dialect,
    call: &Call,
    id: &str,
    fault: Option<&Fault>,
) -> Result<Answer, Refusal> {
    match operation {
        Operation::Submit => submit::submit(state, call),
        Operation::Query => {
            state.admit_at("query", TASK_RATE)?;
            Ok(query::query(state, call, id))
        }
        Operation::List => {
            state.admit_at("list", TASK_RATE)?;
            list::list(state, call)
        }
        Operation::Cancel => {
            state.admit_at("cancel", TASK_RATE)?;
            query::cancel(state, call, id)
        }
        Operation::Policy => uploads::policy(state, call),
        Operation::Token => {
            let permanent = tokens::bearer(&call.headers).is_some_and(|key| key.starts_with("sk-"));
            tokens::issue(state, call, permanent)
        }
        Operation::Vocabulary => vocabularies::customization(state, call),
        Operation::Flash => {
            let silent = fault == Some(&Fault::Silence);
            match dialect {
                Dialect::DashScope => flash::generation(state, call, silent),
                Dialect::Compatible => flash::completions(state, call, silent),
            }
        }
        Operation::Models => Ok(models(call)),
        Operation::Upload | Operation::Result | Operation::Recognition => {
            Err(Refusal::new(StatusCode::NOT_FOUND, "NotFound", "Not found!"))
        }
    }
}

/// The list of models, which clients use to check a key; its shape is undocumented.
fn models(call: &Call) -> Answer {
    let number = |name: &str, default: usize| {
        call.query(name).and_then(|text| text.parse::<usize>().ok()).filter(|n| *n > 0).unwrap_or(default)
    };
    let (page_no, page_size) = (number("page_no", 1), number("page_size", 100));
    let page = MODELS.iter().skip((page_no - 1).saturating_mul(page_size)).take(page_size);
    let models: Vec<Value> = page.map(|model| json!({"model": model.name})).collect();
    let output = json!({"total": MODELS.len(), "page_no": page_no, "page_size": page_size, "models": models});
    Answer::Json(json!({"request_id": call.request_id, "output": output}))
}
