//! `GET` or `POST /api/v1/tasks/{task_id}` and `POST /api/v1/tasks/{task_id}/cancel`.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{Odd, Outcome, Status, Task};
use crate::emulator::answer::{Answer, Refusal};
use crate::emulator::clock::wall;
use crate::emulator::models::Protocol;
use crate::emulator::routes::Call;
use crate::emulator::state::State;
use crate::emulator::storage;

/// The state and results of a task.
pub(in crate::emulator) fn query(state: &State, call: &Call, id: &str) -> Answer {
    let Some(task) = state.tasks.known(id, state.clock.now()) else { return unknown(call, id) };
    let (output, usage) = output(state, &task);
    let mut answer = json!({"request_id": call.request_id, "output": output});
    if let Some(usage) = usage {
        answer["usage"] = usage;
    }
    Answer::Json(answer)
}

/// An id that does not exist, has expired, or belongs to another account.
pub(in crate::emulator) fn unknown(call: &Call, id: &str) -> Answer {
    let output = json!({"task_id": id, "task_status": "UNKNOWN"});
    Answer::Json(json!({"request_id": call.request_id, "output": output}))
}

/// Cancels a pending task.
pub(in crate::emulator) fn cancel(state: &State, call: &Call, id: &str) -> Result<Answer, Refusal> {
    let now = state.clock.now();
    if state.tasks.known(id, now).is_some_and(|task| task.cancel(now)) {
        return Ok(Answer::Json(json!({"request_id": call.request_id})));
    }
    let message = "Failed to cancel the task, please confirm if the task is in PENDING status.";
    Err(Refusal::new(StatusCode::BAD_REQUEST, "UnsupportedOperation", message))
}

fn output(state: &State, task: &Task) -> (Value, Option<Value>) {
    let now = state.clock.now();
    let status = task.status(now);
    let mut output = Map::new();
    let mut put = |key: &str, value: Value| output.insert(key.to_owned(), value);
    put("task_id", json!(task.id));
    put("task_status", json!(status.name()));
    put("submit_time", json!(wall(task.created)));
    let (total, one_file) = (task.subtasks.len(), task.model.protocol == Protocol::OneFile);
    match status {
        Status::Pending => {
            put("task_metrics", json!({"TOTAL": total, "SUCCEEDED": 0, "FAILED": 0}));
        }
        Status::Running => {
            put("scheduled_time", json!(wall(task.scheduled)));
            put("task_metrics", json!({"TOTAL": total, "SUCCEEDED": 0, "FAILED": 0}));
        }
        Status::Canceled => {
            put("end_time", json!(wall(task.end())));
        }
        Status::Succeeded | Status::Failed => {
            put("scheduled_time", json!(wall(task.scheduled)));
            put("end_time", json!(wall(task.end())));
            if status == Status::Failed
                && let Some((code, message)) = first_failure(task)
            {
                put("code", json!(code));
                put("message", json!(message));
            }
            if one_file {
                if let (Some(subtask), Status::Succeeded) = (task.subtasks.first(), status)
                    && !matches!(subtask.outcome, Outcome::Failed { .. })
                {
                    put("result", json!({"transcription_url": storage::link(state, task, 0)}));
                }
            } else if task.odd != Some(Odd::CodeAlone) {
                put("results", results(state, task));
                let succeeded = task.succeeded();
                put("task_metrics", json!({"TOTAL": total, "SUCCEEDED": succeeded, "FAILED": total - succeeded}));
            }
            if status == Status::Succeeded {
                return (Value::Object(output), Some(usage(task)));
            }
        }
    }
    (Value::Object(output), None)
}

fn first_failure(task: &Task) -> Option<(&str, &str)> {
    task.subtasks.iter().find_map(|subtask| match &subtask.outcome {
        Outcome::Failed { code, message } => Some((code.as_str(), message.as_str())),
        _ => None,
    })
}

fn results(state: &State, task: &Task) -> Value {
    let entries = task.subtasks.iter().enumerate().map(|(at, subtask)| match &subtask.outcome {
        Outcome::Failed { code, message } => {
            json!({"file_url": subtask.url, "code": code, "message": message, "subtask_status": "FAILED"})
        }
        _ => json!({
            "file_url": subtask.url,
            "transcription_url": storage::link(state, task, at),
            "subtask_status": "SUCCEEDED",
        }),
    });
    Value::Array(entries.collect())
}

/// Billed seconds; tokens for 3.1, at about the rate of recorded answers.
fn usage(task: &Task) -> Value {
    if task.odd == Some(Odd::Succeeded) {
        return json!({"duration": 9});
    }
    let seconds = task.billed_seconds();
    if task.model.billed_by_token() {
        let (read, written) = (90 + 12 * seconds, 10 + 3 * seconds);
        json!({"input_tokens": read, "output_tokens": written, "total_tokens": read + written})
    } else if task.model.protocol == Protocol::OneFile {
        json!({"seconds": seconds})
    } else {
        json!({"duration": seconds})
    }
}
