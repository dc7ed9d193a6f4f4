//! `POST /api/v1/services/audio/asr/customization`: hotword lists.

use std::sync::{Mutex, PoisonError};

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Refusal};
use super::clock::{Millis, wall_seconds};
use super::models::{Model, Protocol};
use super::routes::Call;
use super::state::State;

/// Most lists per account.
const MOST_LISTS: usize = 10;

/// The lists of the account, newest first.
#[derive(Debug, Default)]
pub(super) struct Vocabularies(Mutex<Vec<List>>);

#[derive(Debug)]
struct List {
    id: String,
    prefix: String,
    model: &'static Model,
    words: Value,
    created: Millis,
    modified: Millis,
}

impl List {
    fn row(&self) -> Value {
        json!({
            "gmt_create": wall_seconds(self.created),
            "gmt_modified": wall_seconds(self.modified),
            "status": "OK",
            "vocabulary_id": self.id,
        })
    }
}

impl Vocabularies {
    fn with<R>(&self, act: impl FnOnce(&mut Vec<List>) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether there is such a list, for any model: with another model it has no effect, which is not an error.
    pub(super) fn holds(&self, id: &str) -> bool {
        self.with(|lists| lists.iter().any(|list| list.id == id))
    }
}

type Act = fn(&State, &Map<String, Value>) -> Result<Value, Refusal>;

/// The service has two answers to an unknown id: this one, and 400 `BadRequest.ResourceNotExist` at recognition.
fn not_found() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "NotFound", "Not found!")
}

/// All five actions.
pub(super) fn customization(state: &State, call: &Call) -> Result<Answer, Refusal> {
    let body = call.json()?;
    match body.get("model").and_then(Value::as_str) {
        Some("speech-biasing") => {}
        Some(_) => return Err(Refusal::parameter("Model not exist.")),
        None => return Err(Refusal::new(StatusCode::BAD_REQUEST, "BadRequest.EmptyModel", "The model is empty.")),
    }
    let input = body.get("input").and_then(Value::as_object).ok_or_else(|| Refusal::format("input is missing"))?;
    let action = input.get("action").and_then(Value::as_str).unwrap_or_default();
    let (known, act): (&[&str], Act) = match action {
        "create_vocabulary" => (&["target_model", "prefix", "vocabulary"], create),
        "list_vocabulary" => (&["prefix", "page_index", "page_size"], list),
        "query_vocabulary" => (&["vocabulary_id"], query),
        "update_vocabulary" => (&["vocabulary_id", "vocabulary"], update),
        "delete_vocabulary" => (&["vocabulary_id"], delete),
        _ => return Err(Refusal::format("input.action names no action")),
    };
    if let Some(other) = input.keys().find(|key| *key != "action" && !known.contains(&key.as_str())) {
        return Err(Refusal::format(&format!("input.{other} is not known to {action}")));
    }
    let output = act(state, input)?;
    Ok(Answer::Json(json!({"output": output, "usage": {"count": 1}, "request_id": call.request_id})))
}

fn create(state: &State, input: &Map<String, Value>) -> Result<Value, Refusal> {
    let name = text(input, "target_model")?;
    let model = Model::named(name).ok_or_else(|| Refusal::parameter("Model not exist."))?;
    if !takes_lists(model) {
        return Err(Refusal::format("input.target_model takes no hotword lists"));
    }
    let prefix = text(input, "prefix")?;
    let plain = prefix.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase());
    if !plain || !(1..=10).contains(&prefix.len()) {
        return Err(Refusal::format("input.prefix has 1 to 10 digits and lower-case letters"));
    }
    let words = words(model, input.get("vocabulary"))?;
    let (id, now) = (format!("vocab-{prefix}-{}", state.seal.hex(24)), state.clock.now());
    state.vocabularies.with(|lists| {
        if lists.len() >= MOST_LISTS {
            let message = "Free allocated quota exceeded.";
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "Throttling.AllocationQuota", message));
        }
        let list = List { id: id.clone(), prefix: prefix.to_owned(), model, words, created: now, modified: now };
        lists.insert(0, list);
        Ok(json!({"vocabulary_id": id}))
    })
}

fn list(state: &State, input: &Map<String, Value>) -> Result<Value, Refusal> {
    let number = |key: &str, default: u64| match input.get(key) {
        None => Ok(default),
        Some(value) => value.as_u64().ok_or_else(|| Refusal::format(&format!("input.{key} must be an integer"))),
    };
    let (page, size) = (number("page_index", 0)?, number("page_size", 10)?);
    let prefix = match input.get("prefix") {
        None | Some(Value::Null) => None,
        Some(_) => Some(text(input, "prefix")?),
    };
    let (page, size) = (usize::try_from(page).unwrap_or(usize::MAX), usize::try_from(size).unwrap_or(usize::MAX));
    Ok(state.vocabularies.with(|lists| {
        let wanted = lists.iter().filter(|list| prefix.is_none_or(|prefix| list.prefix == prefix));
        let rows: Vec<Value> = wanted.skip(page.saturating_mul(size)).take(size).map(List::row).collect();
        json!({"vocabulary_list": rows})
    }))
}

fn query(state: &State, input: &Map<String, Value>) -> Result<Value, Refusal> {
    let id = text(input, "vocabulary_id")?;
    state.vocabularies.with(|lists| {
        let list = lists.iter().find(|list| list.id == id).ok_or_else(not_found)?;
        Ok(json!({
            "gmt_create": wall_seconds(list.created),
            "gmt_modified": wall_seconds(list.modified),
            "status": "OK",
            "target_model": list.model.name,
            "vocabulary": list.words,
        }))
    })
}

fn update(state: &State, input: &Map<String, Value>) -> Result<Value, Refusal> {
    let id = text(input, "vocabulary_id")?;
    let now = state.clock.now();
    state.vocabularies.with(|lists| {
        let list = lists.iter_mut().find(|list| list.id == id).ok_or_else(not_found)?;
        list.words = words(list.model, input.get("vocabulary"))?;
        list.modified = now;
        Ok(json!({}))
    })
}

fn delete(state: &State, input: &Map<String, Value>) -> Result<Value, Refusal> {
    let id = text(input, "vocabulary_id")?;
    state.vocabularies.with(|lists| {
        let at = lists.iter().position(|list| list.id == id).ok_or_else(not_found)?;
        lists.remove(at);
        Ok(json!({}))
    })
}

fn text<'i>(input: &'i Map<String, Value>, key: &str) -> Result<&'i str, Refusal> {
    let value = input.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    value.ok_or_else(|| Refusal::format(&format!("input.{key} must be a string")))
}

/// Paraformer v1 has an interface of its own for lists, Qwen3 takes none.
fn takes_lists(model: &Model) -> bool {
    !matches!(model.protocol, Protocol::OneFile | Protocol::Chat) && !model.name.ends_with("-v1")
}

/// Checks the words of a list.
fn words(model: &Model, sent: Option<&Value>) -> Result<Value, Refusal> {
    let paraformer = model.name.starts_with("paraformer");
    let most = if paraformer { 500 } else { 2000 };
    let words = sent.and_then(Value::as_array).ok_or_else(|| Refusal::format("input.vocabulary must be an array"))?;
    if words.is_empty() || words.len() > most {
        return Err(Refusal::format(&format!("input.vocabulary has 1 to {most} words")));
    }
    let languages: &[&str] = if paraformer {
        &["zh", "en", "ja", "yue", "ko", "de", "fr", "ru"]
    } else if model.qwen_audio() {
        &[
            "zh", "en", "ja", "ko", "vi", "th", "id", "ms", "tl", "hi", "ar", "fr", "de", "es", "pt", "ru", "it", "nl",
            "sv", "da", "fi", "no", "el", "pl", "cs", "hu", "ro", "bg", "hr", "sk",
        ]
    } else {
        &["zh", "en", "ja"]
    };
    let mut stars = 0;
    for word in words {
        let word = word.as_object().ok_or_else(|| Refusal::format("a word is an object"))?;
        if let Some(key) = word.keys().find(|key| !["text", "weight", "lang"].contains(&key.as_str())) {
            return Err(Refusal::format(&format!("a word has text, weight and lang, not {key}")));
        }
        let text = text(word, "text")?;
        let fits = if text.is_ascii() { text.split_whitespace().count() <= 7 } else { text.chars().count() <= 15 };
        if !fits || text.trim().is_empty() {
            return Err(Refusal::format("text has up to 15 characters, or up to 7 words of ASCII"));
        }
        match word.get("weight").and_then(Value::as_u64) {
            Some(1..=5) => {}
            Some(50) if model.qwen_audio() && stars < 50 => stars += 1,
            _ => return Err(Refusal::format("weight is an integer from 1 to 5, or 50 for 50 words of Qwen-Audio-3.x")),
        }
        match word.get("lang") {
            None | Some(Value::Null) => {}
            Some(Value::String(lang)) if languages.contains(&lang.as_str()) => {}
            Some(_) => return Err(Refusal::format(&format!("lang is one of {}", languages.join(" ")))),
        }
    }
    Ok(Value::Array(words.clone()))
}
