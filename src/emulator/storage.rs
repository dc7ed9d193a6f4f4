//! The storage's port: result files behind signed links, uploads by form, and the counts for tests. A request that carries
//! an API key is refused and counted.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::multipart::{Field, Multipart};
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Request, State as Shared};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Method, Response, StatusCode};
use axum::routing::{any, get, post};
use serde_json::json;
use url::form_urlencoded;

use super::answer::{Dialect, Refusal, Reply, hang_up};
use super::clock::{HOUR, wall};
use super::models::Protocol;
use super::operation::Operation;
use super::routes::carried_out;
use super::scenario::Fault;
use super::speech;
use super::state::State;
use super::tasks::{Outcome, Task};
use super::uploads::{ACCESS_KEY_ID, Allowed, Denied, Form, Object};
use super::wav;

/// A link is valid for a day.
const LINK_LIFE: i64 = 24 * HOUR;
/// Bytes kept to read the header of a recording.
const HEAD: usize = 64 << 10;
/// Most bytes of the fields before the file.
const FIELDS: usize = 64 << 10;

/// Links that a scenario expired early, by signature.
#[derive(Debug, Default)]
pub(super) struct Revoked(Mutex<HashSet<String>>);

impl Revoked {
    fn add(&self, signature: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(signature.to_owned());
    }

    fn holds(&self, signature: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(signature)
    }
}

/// A new link to the result of a task's file.
pub(super) fn link(state: &State, task: &Task, at: usize) -> String {
    let now = state.clock.now();
    let (day, minute) = {
        let wall = wall(now);
        (wall.get(..10).unwrap_or_default().replace('-', ""), wall.get(11..16).unwrap_or_default().replace(':', "%3A"))
    };
    let expires = (now + LINK_LIFE) / 1000;
    let name = format!("{}-{}.json", task.id, at + 1);
    let signature = state.seal.sign(&format!("{name}\n{expires}"));
    let signature: String = form_urlencoded::byte_serialize(signature.as_bytes()).collect();
    let mut link = format!(
        "{}/prod/{}/{day}/{minute}/{name}?Expires={expires}&OSSAccessKeyId={ACCESS_KEY_ID}&Signature={signature}",
        state.storage_url, task.model.name
    );
    if task.model.protocol == Protocol::OneFile {
        link += &format!("&response-content-disposition=attachment%3Bfilename%3D{name}");
    }
    link
}

/// The routes of the storage.
pub(super) fn router(state: &Arc<State>) -> Router {
    Router::new()
        .route("/prod/{*path}", any(result))
        .route("/", any(upload))
        .route("/emulator/hits", get(hits))
        .route("/emulator/clock", post(clock))
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::clone(state))
}

async fn hits(Shared(state): Shared<Arc<State>>) -> Response<Body> {
    let mut object = state.hits.read().json();
    object["unreached"] = json!(state.scenario.unreached());
    Reply::json(StatusCode::OK, &object).response("", state.clock.now())
}

/// Moves the clock for clients that hold a key: a web page can send a `POST` here, but no key with it.
async fn clock(Shared(state): Shared<Arc<State>>, request: Request) -> Response<Body> {
    let moved = state.authorize(request.headers()).and_then(|()| {
        let seconds = query(&request).get("advance_s").and_then(|text| text.parse::<u64>().ok());
        let seconds = seconds.ok_or_else(|| Refusal::format("advance_s is a whole number of seconds"))?;
        state.advance(Duration::from_secs(seconds));
        Ok(json!({"now": wall(state.clock.now())}))
    });
    let reply = match moved {
        Ok(now) => Reply::json(StatusCode::OK, &now),
        Err(refusal) => Reply::refusal(Dialect::DashScope, &refusal, ""),
    };
    reply.response("", state.clock.now())
}

fn query(request: &Request) -> HashMap<String, String> {
    form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect()
}

/// Refuses a request that carries a key.
fn leak(state: &State, headers: &HeaderMap, request_id: &str) -> Option<Reply> {
    headers.contains_key(AUTHORIZATION).then(|| {
        state.hits.key_leaked();
        let message = "Only one auth mechanism allowed; a signed request takes no Authorization header.";
        Reply::xml(StatusCode::BAD_REQUEST, "InvalidArgument", message, request_id)
    })
}

fn denied((status, code, message): &Denied, request_id: &str) -> Reply {
    Reply::xml(*status, code, message, request_id)
}

async fn result(Shared(state): Shared<Arc<State>>, Path(path): Path<String>, request: Request) -> Response<Body> {
    let (query, (head, _)) = (query(&request), request.into_parts());
    state.hits.request(Operation::Result, head.method.as_str(), "/prod/{path}");
    let request_id = state.seal.hex(24).to_uppercase();
    let name = path.rsplit('/').next().unwrap_or(&path);
    let file = name.strip_suffix(".json").and_then(|stem| stem.rsplit_once('-'));
    let (id, number) = file.map_or(("", 0), |(id, number)| (id, number.parse::<usize>().unwrap_or(0)));
    let task = state.tasks.kept(id);
    let subtask = task.as_deref().and_then(|task| Some((task, task.subtasks.get(number.checked_sub(1)?)?)));
    let url = subtask.map(|(_, subtask)| subtask.url.as_str());
    let reply = if let Some(leak) = leak(&state, &head.headers, &request_id) {
        Some(leak)
    } else {
        let fault = state.scenario.fault(Operation::Result, || url.into_iter().collect());
        carried_out(&state, Dialect::DashScope, &request_id, fault, |fault| {
            if fault == Some(&Fault::Expired) {
                state.revoked.add(query.get("Signature").map_or("", String::as_str));
            }
            if let Err(refused) = signed(&state, &head.method, name, &query) {
                return denied(&refused, &request_id);
            }
            match subtask {
                Some((task, subtask)) => file_of(task, &subtask.outcome, &request_id),
                None => gone(&request_id),
            }
        })
        .await
    };
    reply.map_or_else(hang_up, |reply| reply.response(&request_id, state.clock.now()))
}

/// Checks the signature first, then the time: the expiry of a changed link cannot be trusted.
fn signed(state: &State, method: &Method, name: &str, query: &HashMap<String, String>) -> Result<(), Denied> {
    let denied = |code: &'static str, message: &str| Err((StatusCode::FORBIDDEN, code, message.to_owned()));
    let (Some(expires), Some(signature)) = (query.get("Expires"), query.get("Signature")) else {
        return denied("AccessDenied", "You have no right to access this object because of bucket acl.");
    };
    let good = method == Method::GET
        && query.get("OSSAccessKeyId").is_some_and(|id| id == ACCESS_KEY_ID)
        && state.seal.signed(&format!("{name}\n{expires}"), signature);
    if !good {
        let message = "The request signature we calculated does not match the signature you provided.";
        return denied("SignatureDoesNotMatch", message);
    }
    let in_time = expires.parse::<i64>().is_ok_and(|expires| state.clock.now() / 1000 <= expires);
    if !in_time || state.revoked.holds(signature) {
        return denied("AccessDenied", "Request has expired.");
    }
    Ok(())
}

fn gone(request_id: &str) -> Reply {
    Reply::xml(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist.", request_id)
}

fn file_of(task: &Task, outcome: &Outcome, request_id: &str) -> Reply {
    match outcome {
        Outcome::Failed { .. } => gone(request_id),
        Outcome::Recorded(recorded) => Reply::whole(StatusCode::OK, "application/json", recorded.bytes.clone()),
        Outcome::Speech(source) => {
            let call = speech::Call::new(source, &task.parameters);
            let one_file = task.model.protocol == Protocol::OneFile;
            let value = if one_file { call.qwen3_result() } else { call.result() };
            Reply::whole(StatusCode::OK, "application/json", value.to_string())
        }
    }
}

async fn upload(Shared(state): Shared<Arc<State>>, request: Request) -> Response<Body> {
    state.hits.request(Operation::Upload, request.method().as_str(), "/");
    let request_id = state.seal.hex(24).to_uppercase();
    let reply = if let Some(leak) = leak(&state, request.headers(), &request_id) {
        Some(leak)
    } else if request.method() != Method::POST {
        let not_allowed = (StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", "Only POST is allowed.".to_owned());
        Some(denied(&not_allowed, &request_id))
    } else {
        match form(&state, request).await {
            Err(refused) => Some(denied(&refused, &request_id)),
            Ok((form, allowed, object)) => {
                let fault = state.scenario.fault(Operation::Upload, || vec![form.key()]);
                carried_out(&state, Dialect::DashScope, &request_id, fault, |_| {
                    match state.uploads.put(form.key(), &allowed, object, state.clock.now()) {
                        Ok(()) => Reply::whole(form.success(), "application/xml", ""),
                        Err(refused) => denied(&refused, &request_id),
                    }
                })
                .await
            }
        }
    };
    reply.map_or_else(hang_up, |reply| reply.response(&request_id, state.clock.now()))
}

/// Reads an upload. One that is refused is read no further: a wrong signature before the file, a file that is too large
/// at its limit.
async fn form(state: &State, request: Request) -> Result<(Form, Allowed, Object), Denied> {
    let malformed = |message: &str| (StatusCode::BAD_REQUEST, "MalformedPOSTRequest", message.to_owned());
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| malformed("This is no multipart form."))?;
    let (mut form, mut left) = (Form::default(), FIELDS);
    let mut file = None;
    while let Some(field) = parts.next_field().await.map_err(|_| malformed("The body is not well-formed."))? {
        let name = field.name().unwrap_or_default().to_ascii_lowercase();
        if file.is_some() {
            let message = format!("The field {name} comes after the file, which must be the last.");
            return Err((StatusCode::BAD_REQUEST, "InvalidArgument", message));
        }
        if name == "file" {
            let allowed = form.check(state)?;
            let object = object(field, allowed.most_bytes).await?;
            file = Some((allowed, object));
        } else {
            let mut value = Vec::new();
            let mut take = |bytes: usize| {
                left = left.checked_sub(bytes).ok_or_else(|| malformed("The fields are too large."))?;
                Ok(())
            };
            take(name.len() + 1)?;
            read(field, &mut |part| {
                take(part.len())?;
                value.extend_from_slice(part);
                Ok(())
            })
            .await?;
            form.0.insert(name, String::from_utf8_lossy(&value).into_owned());
        }
    }
    let missing = || (StatusCode::BAD_REQUEST, "IncorrectNumberOfFilesInPOSTRequest", "There is no file.".to_owned());
    let (allowed, object) = file.ok_or_else(missing)?;
    Ok((form, allowed, object))
}

async fn read(mut field: Field<'_>, take: &mut impl FnMut(&[u8]) -> Result<(), Denied>) -> Result<(), Denied> {
    let broken = |_| (StatusCode::BAD_REQUEST, "IncompleteBody", "The body ended before its end.".to_owned());
    while let Some(part) = field.chunk().await.map_err(broken)? {
        take(&part)?;
    }
    Ok(())
}

/// Hash, length and header of a file, which is not kept.
async fn object(field: Field<'_>, most_bytes: u64) -> Result<Object, Denied> {
    let (mut hasher, mut head, mut length) = (blake3::Hasher::new(), Vec::new(), 0_u64);
    read(field, &mut |part| {
        length += part.len() as u64;
        if length > most_bytes {
            let message = "Your proposed upload exceeds the maximum allowed size.".to_owned();
            return Err((StatusCode::BAD_REQUEST, "EntityTooLarge", message));
        }
        hasher.update(part);
        let missing = HEAD.saturating_sub(head.len()).min(part.len());
        head.extend_from_slice(part.get(..missing).unwrap_or_default());
        Ok(())
    })
    .await?;
    Ok(Object { length, hash: *hasher.finalize().as_bytes(), audio: wav::read(&head, length) })
}
