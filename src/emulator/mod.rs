//! A stand-in for the service on a local port: the documented requests, checked strictly, and the documented answers.
//!
//! It refuses what the service refuses, with the same code, and shares no type with the client, so that a misspelt field
//! cannot pass on both sides. Transcripts are invented from the file's address and the parameters alone, replayed from
//! recorded result files, or taken from a [`Dialogue`]. Its clock can run faster, and a [`Scenario`] injects faults.
//!
//! ```
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
//! # runtime.block_on(async {
//! use talkmeter::emulator::{Emulator, Settings};
//!
//! let emulator = Emulator::start(Settings::default()).await?;
//! assert!(emulator.base_url().ends_with("/api/v1"));
//! assert_eq!(emulator.hits().of("submit"), 0);
//! # Ok::<(), talkmeter::Error>(())
//! # }).unwrap();
//! ```
//!
//! Some file names decide what is in a file, unless the file's own header says otherwise:
//!
//! | in the name | meaning |
//! | --- | --- |
//! | `301s`, `1500ms`, delimited by anything but letters and digits | the length |
//! | `silence` | no speech |
//! | `stereo`, `2ch` | two tracks |
//! | `jargon` | the example of the vendor's page on context |
//!
//! In that example "Bulge Bracket" is spoken and "Bird Rock" recognised, unless the context that the service keeps contains
//! the term literally: the newest five texts each of user and assistant, 400 characters per turn.
//!
//! Two ports: the service under `base_url` (and, beside `/api/v1`, `/compatible-mode/v1`), results and uploads under
//! `storage_url`, as with the real one. The storage port also answers `GET /emulator/hits` (request counts as
//! JSON, with the rules of the scenario that did not occur) and, with a key, `POST /emulator/clock?advance_s=N` (moves the
//! clock forward).
//!
//! Web pages and other programs of this machine get no further than they should: requests for any host but `127.0.0.1` and
//! `localhost` are refused, bodies are read only with a good key, one of at most 40 MiB, all together 256 MiB, and no
//! link leads out of the folders that it answers from.
//!
//! Wire formats: the vendor's help pages as of November 2026. Where they are silent or contradict each other, a
//! comment explains the choice.

mod answer;
mod bodies;
mod clock;
mod fetching;
mod flash;
mod folder;
mod hits;
mod limits;
mod models;
mod operation;
mod parameters;
mod recordings;
mod routes;
pub mod scenario;
mod seal;
mod server;
mod speech;
mod state;
mod storage;
mod stream;
mod tasks;
mod tokens;
mod uploads;
mod vocabularies;
mod wav;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use hits::Hits;
pub use scenario::Scenario;
pub use speech::Dialogue;

use crate::{Error, Result};
use state::State;

/// The service's two kinds of hosts: they differ in the envelopes of synchronous answers and in how they treat a missing
/// `parameters`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HostStyle {
    /// `dashscope.aliyuncs.com` and its regional siblings.
    #[default]
    Shared,
    /// `{workspace}.{region}.maas.aliyuncs.com`.
    Workspace,
}

/// Settings of an emulator.
#[derive(Debug, Default)]
pub struct Settings {
    /// Port of the service; 0 = any free one. The storage always takes any free one.
    pub port: u16,
    /// The kind of host to emulate.
    pub host_style: HostStyle,
    /// How many times faster than real time its clock runs; 1 by default.
    pub clock_speed: Option<f64>,
    /// A folder of recorded result files to answer from, none of them a link out of it.
    pub results: Option<PathBuf>,
    /// Calls with a script: each answers for every address whose file has its name.
    pub dialogues: Vec<Dialogue>,
    /// Faults to inject.
    pub scenario: Scenario,
}

/// A running emulator; it stops when dropped.
#[derive(Debug)]
pub struct Emulator {
    state: Arc<State>,
    service: SocketAddr,
    _serving: [server::Serving; 2],
}

impl Emulator {
    /// Starts on this machine's loopback address, in the tokio runtime that polls this.
    ///
    /// # Errors
    ///
    /// The port is taken, the recorded results cannot be read, or the speed is not a positive number.
    pub async fn start(settings: Settings) -> Result<Self> {
        let speed = settings.clock_speed.unwrap_or(1.0);
        if !(speed.is_finite() && speed > 0.0) {
            return Err(Error::invalid(format!("the clock speed must be a positive number, not {speed}")));
        }
        let recordings = match &settings.results {
            Some(folder) => recordings::Recordings::read(folder)?,
            None => recordings::Recordings::default(),
        };
        let (service_listener, service) = server::bind(settings.port).await?;
        let (storage_listener, storage) = server::bind(0).await?;
        let state = Arc::new(State {
            clock: clock::Clock::new(speed),
            style: settings.host_style,
            storage_url: format!("http://{storage}"),
            scenario: settings.scenario,
            recordings,
            dialogues: speech::Dialogues::new(settings.dialogues),
            seal: seal::Seal::new(),
            bodies: bodies::Bodies::default(),
            hits: hits::Counter::default(),
            limits: limits::Limits::default(),
            tasks: tasks::Tasks::default(),
            tokens: tokens::Tokens::default(),
            uploads: uploads::Uploads::default(),
            revoked: storage::Revoked::default(),
            vocabularies: vocabularies::Vocabularies::default(),
        });
        let serving = [
            server::serve(service_listener, service, routes::router(&state)),
            server::serve(storage_listener, storage, storage::router(&state)),
        ];
        Ok(Self { state, service, _serving: serving })
    }

    /// `http://127.0.0.1:PORT/api/v1`, a value for `DASHSCOPE_HTTP_BASE_URL`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/api/v1", self.service)
    }

    /// `http://127.0.0.1:PORT` of results and uploads.
    #[must_use]
    pub fn storage_url(&self) -> &str {
        &self.state.storage_url
    }

    /// Counts of the requests so far.
    #[must_use]
    pub fn hits(&self) -> Hits {
        self.state.hits.read()
    }

    /// How often each file URL was accepted, and so would be billed; twice when one submit names it twice.
    #[must_use]
    pub fn accepted(&self) -> BTreeMap<String, u64> {
        self.hits().accepted
    }

    /// Rules of the scenario that have not acted as often as they should, one line each.
    #[must_use]
    pub fn unreached(&self) -> Vec<String> {
        self.state.scenario.unreached()
    }

    /// Moves its clock forward: tasks end, links and tokens expire, rate limits refill.
    pub fn advance(&self, by: Duration) {
        self.state.advance(by);
    }
}
