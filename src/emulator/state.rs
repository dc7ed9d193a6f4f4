//! The state of one emulator.

use std::time::Duration;

use super::HostStyle;
use super::answer::Refusal;
use super::bodies::Bodies;
use super::clock::Clock;
use super::hits::Counter;
use super::limits::Limits;
use super::models::Model;
use super::recordings::Recordings;
use super::scenario::Scenario;
use super::seal::Seal;
use super::speech::Dialogues;
use super::storage::Revoked;
use super::tasks::Tasks;
use super::tokens::Tokens;
use super::uploads::Uploads;
use super::vocabularies::Vocabularies;

/// Shared by all requests.
#[derive(Debug)]
pub(super) struct State {
    pub(super) clock: Clock,
    pub(super) style: HostStyle,
    /// `http://127.0.0.1:PORT` of results and uploads.
    pub(super) storage_url: String,
    pub(super) scenario: Scenario,
    pub(super) recordings: Recordings,
    pub(super) dialogues: Dialogues,
    pub(super) seal: Seal,
    pub(super) bodies: Bodies,
    pub(super) hits: Counter,
    pub(super) limits: Limits,
    pub(super) tasks: Tasks,
    pub(super) tokens: Tokens,
    pub(super) uploads: Uploads,
    pub(super) revoked: Revoked,
    pub(super) vocabularies: Vocabularies,
}

impl State {
    /// Moves the clock forward.
    pub(super) fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.limits.advance(by);
    }

    /// One call of a model, within its rate.
    pub(super) fn admit(&self, model: &Model) -> Result<(), Refusal> {
        self.admit_at(model.name, model.rate)
    }

    /// One request of a kind, `rate` per second.
    pub(super) fn admit_at(&self, what: &str, rate: f64) -> Result<(), Refusal> {
        if self.limits.admit(what, rate) {
            return Ok(());
        }
        self.hits.throttled();
        Err(Refusal::rate())
    }
}
