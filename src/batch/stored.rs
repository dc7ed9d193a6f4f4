//! Whether the stored results are still what was stored, before a run resumes.
//!
//! Of every result the length is compared, and the BLAKE3 of a sample, or of all on request. A changed result may be
//! somebody's work, so it is never overwritten: it is reported, and kept aside when the service still has the original.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::event::Event;
use super::identity::content;
use super::results;
use super::run::TASK_LIFE;
use super::state::{Phase, RecordingState, ResultState, State};

/// Results whose hash is compared on every start.
const SAMPLE: usize = 100;
/// Changed results named on every start.
const NAMED: usize = 5;

/// What is on disk in the place of a result.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Unchanged,
    Missing,
    Changed,
}

impl Found {
    fn new(path: &Path, stored: &ResultState, is_hashed: bool) -> Self {
        match std::fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::Missing,
            Ok(metadata) if metadata.is_file() && metadata.len() == stored.bytes => {
                let is_same = !is_hashed || content(path).is_ok_and(|hash| hash == stored.blake3);
                if is_same { Self::Unchanged } else { Self::Changed }
            }
            _ => Self::Changed,
        }
    }
}

/// What was found, and what follows from it.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) events: Vec<Event<'static>>,
    /// One line for each finding that is named.
    pub(super) notes: Vec<String>,
    changed: usize,
}

/// Looks at the stored results below `dir`; at the hashes of all of them where `all`. Writes an empty transcript again that is
/// gone, as it is not the service's.
pub(super) fn look(dir: &Path, state: &State, all: bool, now: Timestamp) -> Findings {
    let mut findings = Findings::default();
    let step = if all { 1 } else { (state.counts.stored + state.counts.silent).div_ceil(SAMPLE).max(1) };
    // Another part each time.
    let first = usize::try_from(now.as_second()).unwrap_or_default() % step;
    let stored = state.recordings.iter().filter_map(|recording| match &recording.phase {
        Phase::Stored(stored) => Some((recording, stored)),
        _ => None,
    });
    for (at, (recording, stored)) in stored.enumerate() {
        let is_hashed = at % step == first;
        match Found::new(&dir.join(recording.result()), stored, is_hashed) {
            Found::Unchanged => {}
            found => findings.add(dir, state, (recording, stored), &found, now),
        }
    }
    if findings.changed > NAMED {
        findings.notes.push(format!("and {} more changed results", findings.changed - NAMED));
    }
    findings
}

impl Findings {
    fn add(
        &mut self,
        dir: &Path,
        state: &State,
        (recording, stored): (&RecordingState, &ResultState),
        found: &Found,
        now: Timestamp,
    ) {
        let file = recording.result();
        let is_missing = *found == Found::Missing;
        // We wrote it ourselves and can write it again.
        if stored.silent && is_missing && results::store(dir, &file, &results::silence(recording.url())).is_ok() {
            return;
        }
        let accepted = state.tasks.get(&stored.task).map(|task| task.accepted);
        let kept = SignedDuration::try_from(TASK_LIFE).unwrap_or(SignedDuration::MAX);
        let is_kept = stored.silent || accepted.is_some_and(|accepted| now.duration_since(accepted) < kept);
        self.changed += usize::from(!is_missing);
        let what = if is_missing { "is missing" } else { "was changed since it was stored" };
        if is_missing || self.changed <= NAMED {
            self.notes.push(match (is_missing, is_kept) {
                (true, _) => format!("{file} {what}: fetching it again"),
                (false, true) => format!("{file} {what}: fetching it again, the changed file is kept beside it"),
                (false, false) => format!("{file} {what}; left as it is, as the service no longer has the original"),
            });
        }
        if is_missing || is_kept {
            let why = format!("the result {what}").into();
            self.events.push(Event::Reopened { n: recording.n, why });
        }
    }
}
