//! Counts of requests, for tests to compare with what they expect.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::operation::Operation;

/// Counts since the start. A request is counted when its header has arrived, whatever becomes of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Hits {
    /// Requests by operation: `submit`, `query`, `list`, `cancel`, `policy`, `upload`, `result`, `flash`,
    /// `vocabulary`, `token`, `models`.
    pub operations: BTreeMap<&'static str, u64>,
    /// Requests by method and path, without ids: `GET /api/v1/tasks/{task_id}`.
    pub routes: BTreeMap<String, u64>,
    /// Submits that created a task.
    pub accepted_submits: u64,
    /// Clips that synchronous models have recognised, by protocol: `input_audio`, `realtime`, `qwen3`,
    /// `qwen3_compatible`, `omni`.
    pub recognised: BTreeMap<&'static str, u64>,
    /// How often a file URL was accepted, and so would be billed; twice when one submit names it twice. A data URI is listed
    /// as `data:` and the start of its content's hash.
    pub accepted: BTreeMap<String, u64>,
    /// Requests refused because of the rate limit.
    pub throttled: u64,
    /// Requests answered by a fault of the scenario.
    pub faulted: u64,
    /// Requests to the storage that carried an `Authorization` header.
    pub key_leaks: u64,
    /// Requests refused with 401.
    pub unauthorized: u64,
}

impl Hits {
    /// Requests of one operation, see [`Hits::operations`].
    #[must_use]
    pub fn of(&self, operation: &str) -> u64 {
        self.operations.get(operation).copied().unwrap_or(0)
    }

    pub(super) fn json(&self) -> Value {
        let mut object = json!({
            "routes": self.routes,
            "accepted_submits": self.accepted_submits,
            "recognised": self.recognised,
            "accepted": self.accepted,
            "throttled": self.throttled,
            "faulted": self.faulted,
            "key_leaks": self.key_leaks,
            "unauthorized": self.unauthorized,
        });
        for operation in Operation::ALL {
            object[operation.name()] = json!(self.of(operation.name()));
        }
        object
    }
}

/// Counts requests.
#[derive(Debug, Default)]
pub(super) struct Counter(Mutex<Hits>);

impl Counter {
    fn with<R>(&self, act: impl FnOnce(&mut Hits) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn read(&self) -> Hits {
        self.with(|hits| hits.clone())
    }

    pub(super) fn request(&self, operation: Operation, method: &str, route: &str) {
        self.with(|hits| {
            *hits.operations.entry(operation.name()).or_default() += 1;
            *hits.routes.entry(format!("{method} {route}")).or_default() += 1;
        });
    }

    pub(super) fn elsewhere(&self) {
        self.with(|hits| *hits.routes.entry("other".to_owned()).or_default() += 1);
    }

    pub(super) fn accepted<'u>(&self, urls: impl Iterator<Item = &'u str>) {
        self.with(|hits| {
            hits.accepted_submits += 1;
            for url in urls {
                *hits.accepted.entry(url.to_owned()).or_default() += 1;
            }
        });
    }

    pub(super) fn recognised(&self, protocol: &'static str, url: &str) {
        self.with(|hits| {
            *hits.recognised.entry(protocol).or_default() += 1;
            *hits.accepted.entry(url.to_owned()).or_default() += 1;
        });
    }

    pub(super) fn throttled(&self) {
        self.with(|hits| hits.throttled += 1);
    }

    pub(super) fn faulted(&self) {
        self.with(|hits| hits.faulted += 1);
    }

    pub(super) fn key_leaked(&self) {
        self.with(|hits| hits.key_leaks += 1);
    }

    pub(super) fn unauthorized(&self) {
        self.with(|hits| hits.unauthorized += 1);
    }
}
