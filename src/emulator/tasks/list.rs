//! `GET /api/v1/tasks`: the tasks of the whole account, newest first.

use serde_json::{Value, json};

use super::Task;
use crate::emulator::answer::{Answer, Refusal};
use crate::emulator::clock::{HOUR, Millis, compact};
use crate::emulator::routes::Call;
use crate::emulator::state::State;

/// Region of the emulator in its answers.
const REGION: &str = "cn-beijing";
const KEY_ID: &str = "1000001";
const ACCOUNT: &str = "1200000000000001";
const DAY: Millis = 24 * HOUR;
const LARGEST_PAGE: usize = 100;
const STATUSES: [&str; 5] = ["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELED"];

/// Lists tasks.
pub(in crate::emulator) fn list(state: &State, call: &Call) -> Result<Answer, Refusal> {
    let now = state.clock.now();
    let time = |name: &str| match call.query(name) {
        None => Ok(None),
        Some(text) => compact(text).map(Some).ok_or_else(|| Refusal::format(&format!("{name} is YYYYMMDDhhmmss"))),
    };
    let (from, to) = match (time("start_time")?, time("end_time")?) {
        (None, None) => (now - DAY, now),
        (Some(from), None) => (from, from + DAY),
        (None, Some(to)) => (to - DAY, to),
        (Some(from), Some(to)) => (from, to),
    };
    if to - from > DAY {
        return Err(Refusal::format("start_time and end_time are at most 24 hours apart"));
    }
    let number = |name: &str, default: usize| match call.query(name) {
        None => Ok(default),
        Some(text) => match text.parse::<usize>() {
            Ok(number) if number > 0 => Ok(number),
            _ => Err(Refusal::format(&format!("{name} is a number from 1"))),
        },
    };
    let (page_no, page_size) = (number("page_no", 1)?, number("page_size", 10)?.min(LARGEST_PAGE));
    let status = call.query("status");
    if status.is_some_and(|status| !STATUSES.contains(&status)) {
        return Err(Refusal::format("status is PENDING, RUNNING, SUCCEEDED, FAILED or CANCELED"));
    }
    let is = |name: &str, value: &str| call.query(name).is_none_or(|wanted| wanted == value);
    let mut tasks =
        if is("region", REGION) && is("api_key_id", KEY_ID) { state.tasks.made(from, to) } else { Vec::new() };
    tasks.retain(|task| {
        is("task_id", &task.id) && is("model_name", task.model.name) && is("status", task.status(now).name())
    });
    let page = tasks.iter().skip((page_no - 1).saturating_mul(page_size)).take(page_size);
    let data: Vec<Value> = page.map(|task| row(task, now)).collect();
    Ok(Answer::Json(json!({
        "request_id": call.request_id,
        "data": data,
        "total": tasks.len(),
        "total_page": tasks.len().div_ceil(page_size),
        "page_no": page_no,
        "page_size": page_size,
    })))
}

fn row(task: &Task, now: Millis) -> Value {
    let mut row = json!({
        "api_key_id": KEY_ID,
        "caller_parent_id": ACCOUNT,
        "caller_uid": ACCOUNT,
        "gmt_create": task.created,
        "region": REGION,
        "request_id": task.request_id,
        "status": task.status(now).name(),
        "task_id": task.id,
        "model_name": task.model.name,
        "user_api_unique_key": format!("apikey:v1:audio:asr:transcription:{}", task.model.name),
    });
    // A cancelled task never started.
    if now >= task.scheduled && task.end() >= task.scheduled {
        row["start_time"] = json!(task.scheduled);
    }
    if now >= task.end() {
        row["end_time"] = json!(task.end());
    }
    row
}
