//! Into the service: uploads of local files, then submits, each with its intent on disk before it is sent.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::Instant;

use super::backoff::Endpoint;
use super::event::{AttemptNo, Event, RecordingNo};
use super::identity;
use super::ledger::Writer;
use super::line::Line;
use super::ready::Addressed;
use super::results::Failure;
use super::runner::{Done, Runner, with_cause};
use super::staging::Links;
use crate::catalog::Catalog;
use crate::client::{Client, Recognition, RetrySafety, Submitted};
use crate::error::{Error, ErrorKind, Result};
use crate::recording_id::address_id;
use crate::redact::without_query;

/// Submits in flight at once: a second's worth, while each takes three.
const SUBMITS: usize = 32;
/// How often a submit that waits for its turn checks whether the run is being stopped.
const STOP_CHECK: Duration = Duration::from_millis(200);
const HASHES: usize = 2;
/// Parts of large files in memory at once: an upload to a store has five of 8 MB.
const UPLOADS: usize = 4;
/// An upload with less time left is repeated: the service fetches it only when the task's turn comes.
const UPLOAD_MARGIN: SignedDuration = SignedDuration::from_hours(6);

pub(super) const NOT_READ: &str = "file_not_read";

/// Stands in `failures.csv` for a recording that could exceed the limit of its batch alone …
pub const OVER_LIMIT: &str = "over_limit";
/// … or that of the budget it shares with other runs.
pub const OVER_BUDGET: &str = "over_budget";

/// A recording that is left, and why.
type SetAside = (RecordingNo, Failure);

/// What became of a submit.
pub(super) enum SubmitOutcome {
    /// Told to stop before it left, or no link could be signed.
    NotSent(Option<Error>),
    /// When it left, the lines that were written, and how it went.
    Sent { attempt: AttemptNo, left: Instant, lines: Vec<Line<'static>>, outcome: Result<Submitted> },
}

/// What a failed submit means for its files.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Nothing was accepted; later it may be.
    Again,
    /// Nothing was accepted, and nothing will be until a person acts.
    Halt,
    /// These files are refused.
    Fail,
    /// It is unknown whether anything was accepted.
    Unclear,
}

impl Verdict {
    fn from_error(error: &Error) -> Self {
        // Without an answer to read, only what never left is certain.
        let refused = error.api().map_or(error.kind() == ErrorKind::InvalidInput, |api| api.refused);
        match error.kind() {
            _ if !refused => Self::Unclear,
            // An unknown model, hotword list or path: every further submit would be refused the same way.
            ErrorKind::Auth | ErrorKind::Quota | ErrorKind::NotFound => Self::Halt,
            ErrorKind::RateLimited | ErrorKind::Unavailable | ErrorKind::Timeout => Self::Again,
            _ => Self::Fail,
        }
    }
}

impl Runner<'_> {
    pub(super) fn start_uploads(&mut self) {
        if self.backoff.paused_until(Endpoint::Upload, Instant::now()).is_some() {
            return;
        }
        while self.under_way.hashes < HASHES
            && let Some(n) = self.unread.pop_front()
        {
            let Some(path) = self.path(n) else { continue };
            self.under_way.hashes += 1;
            self.operations.push(Box::pin(async move {
                let hashing = tokio::task::spawn_blocking(move || identity::content(&path));
                let outcome = hashing.await.unwrap_or_else(|_| Err(Error::ledger("reading was cut short")));
                Done::Hashed { n, outcome }
            }));
        }
        while self.under_way.uploads < UPLOADS
            && let Some((n, blake3)) = self.read.pop_front()
        {
            let Some(path) = self.path(n) else { continue };
            self.under_way.uploads += 1;
            if let Some(staging) = self.stage(&path, blake3) {
                self.operations.push(staging);
                continue;
            }
            let (client, model, writer) = (self.client, self.request.recognition.model(), self.writer.clone());
            self.operations.push(Box::pin(async move {
                let outcome = match client.uploads().upload(model, &path).await {
                    Ok(stored) => {
                        let event = Event::Uploaded {
                            blake3: blake3.to_hex().to_string().into(),
                            url: stored.url.into(),
                            expires: stored.expires,
                            staged: None,
                        };
                        writer.add(vec![event], true).await
                    }
                    Err(error) => Err(error),
                };
                Done::Uploaded { blake3, outcome }
            }));
        }
    }

    fn path(&self, n: RecordingNo) -> Option<PathBuf> {
        self.state.get(n)?.path().cloned()
    }

    /// The content of a local file is known: uploaded once, whatever its names.
    pub(super) async fn hashed(&mut self, n: RecordingNo, outcome: Result<blake3::Hash>) -> Result<()> {
        self.under_way.hashes -= 1;
        match outcome {
            Ok(blake3) => {
                self.staging.is_of(blake3, n);
                let alive = self.writer.now().saturating_add(UPLOAD_MARGIN);
                let there = if self.stages() {
                    self.staging.address_of(&blake3)
                } else {
                    let upload = self.state.uploads.get(&blake3);
                    upload.filter(|upload| alive.is_ok_and(|at| upload.expires > at)).map(|upload| &*upload.url)
                };
                if let Some(url) = there.map(str::to_owned) {
                    self.uploaded_as(n, url);
                } else if let Some(waiting) = self.uploading.get_mut(&blake3) {
                    waiting.push(n);
                } else {
                    self.uploading.insert(blake3, vec![n]);
                    self.read.push_back((n, blake3));
                }
                Ok(())
            }
            Err(error) => self.failed(n, None, NOT_READ, &with_cause(&error), None).await,
        }
    }

    pub(super) async fn uploaded(&mut self, blake3: blake3::Hash, outcome: Result<Vec<Line<'static>>>) -> Result<()> {
        self.under_way.uploads -= 1;
        let waiting = self.uploading.remove(&blake3).unwrap_or_default();
        match outcome {
            Ok(lines) => {
                self.backoff.succeeded(Endpoint::Upload, Instant::now());
                self.apply(lines)?;
                if let Some(url) = self.state.uploads.get(&blake3).map(|upload| upload.url.to_string()) {
                    waiting.into_iter().for_each(|n| self.uploaded_as(n, url.clone()));
                }
                Ok(())
            }
            Err(error) if matches!(error.kind(), ErrorKind::Ledger) => Err(error),
            Err(error) if matches!(error.kind(), ErrorKind::Auth | ErrorKind::Quota | ErrorKind::NotFound) => {
                self.halt(error);
                Ok(())
            }
            Err(error) if error.is_retryable() => {
                // An upload bills nothing: it is begun anew until patience ends.
                self.unread.extend(waiting);
                self.back_off(Endpoint::Upload, error)
            }
            Err(error) => {
                let (code, request_id) = code_and_request_id(&error);
                for n in waiting {
                    self.failed(n, None, &code, &error.to_string(), request_id.clone()).await?;
                }
                Ok(())
            }
        }
    }

    /// A local file has an address now.
    pub(super) fn uploaded_as(&mut self, n: RecordingNo, url: String) {
        let channels = self.state.get(n).and_then(|recording| recording.channels());
        self.ready.push_back(channels, (n, url));
    }

    /// A submit did not leave, or was refused for now: its files are the next again.
    fn put_back(&mut self, recordings: Vec<(RecordingNo, String)>) {
        let channels = recordings.first().and_then(|(n, _)| self.state.get(*n)?.channels());
        self.ready.put_back(channels, recordings);
    }

    pub(super) fn start_submits(&mut self) -> Result<()> {
        if self.backoff.paused_until(Endpoint::Submit, Instant::now()).is_some() {
            return Ok(());
        }
        let size = self.request.files_per_task.max(1);
        // The first answer shows whether the service takes such requests at all: until then one is enough.
        let most = if self.answered { SUBMITS } else { 1 };
        while self.operations_submitting() < most {
            let coming = !self.unread.is_empty() || !self.uploading.is_empty() || self.under_way.hashes > 0;
            // Of two files of one content the second waits: their tasks bear the same address.
            let in_the_way = |url: &str| self.uncertain.holds(url) || self.flying.contains(&address_id(url));
            let Some((channels, recordings)) = self.ready.take(size, coming, in_the_way) else { break };
            let numbers: Vec<RecordingNo> = recordings.iter().map(|(n, _)| *n).collect();
            if self.is_at_task_limit() {
                self.put_back(recordings);
                break;
            }
            self.over_budget = self.reservations.refuses(&self.state, &numbers);
            if self.over_budget.is_none() {
                let now = self.writer.now();
                self.over_shared_budget = match &mut self.shared {
                    Some(shared) => shared.reserve(&self.state, &numbers, now)?,
                    None => None,
                };
            }
            if self.over_budget.is_some() || self.over_shared_budget.is_some() {
                let (never, later) = self.never_fit(recordings)?;
                self.put_back(later);
                if never.is_empty() {
                    // Checked again whenever something has ended.
                    break;
                }
                // They hold up no others.
                (self.over_budget, self.over_shared_budget) = (None, None);
                self.left.extend(never);
                continue;
            }
            numbers.iter().for_each(|n| self.reservations.hold(&self.state, *n));
            let attempt = self.next_attempt;
            self.next_attempt = attempt.next();
            self.under_way.submits += recordings.len();
            self.flying.extend(recordings.iter().map(|(_, url)| address_id(url)));
            let client = self.client;
            let recognition = self.request.recognition_of(channels.as_deref());
            let (writer, no_more) = (self.writer.clone(), self.no_more.clone());
            let links = self.links(&recordings);
            self.operations.push(Box::pin(async move {
                let outcome = submit(client, &recognition, &writer, &no_more, attempt, (&recordings, links)).await;
                Done::Submitted { recordings, outcome }
            }));
        }
        Ok(())
    }

    /// Those of refused recordings that could exceed a limit alone, each with why it is left; and the others.
    fn never_fit(&self, recordings: Vec<Addressed>) -> Result<(Vec<SetAside>, Vec<Addressed>)> {
        let (mut never, mut later) = (Vec::new(), Vec::new());
        let now = self.writer.now();
        for (n, url) in recordings {
            let over_limit = self.reservations.never_fits(&self.state, n).map(|why| (OVER_LIMIT, why));
            let over_budget = || self.shared.as_ref()?.never_fits(&self.state, n, now).transpose();
            let why = match over_limit {
                Some(why) => Some(why),
                None => over_budget().transpose()?.map(|why| (OVER_BUDGET, why)),
            };
            match why.zip(self.state.get(n)) {
                Some(((code, why), recording)) => never.push((n, Failure::new(recording, None, code, &why, None))),
                None => later.push((n, url)),
            }
        }
        Ok((never, later))
    }

    /// Whether as many tasks are at the service as may run at once there. Without collecting nothing would ever end.
    fn is_at_task_limit(&self) -> bool {
        let model = Catalog::builtin().model(self.request.recognition.model());
        let limit = model.and_then(|model| model.rate_limit(self.client.region())?.tasks);
        let at_service = self.polling.len() + self.operations_submitting();
        !self.request.detach && limit.is_some_and(|limit| at_service >= limit as usize)
    }

    fn operations_submitting(&self) -> usize {
        self.under_way.submits.div_ceil(self.request.files_per_task.max(1))
    }

    pub(super) async fn submitted(
        &mut self,
        recordings: Vec<(RecordingNo, String)>,
        outcome: Result<SubmitOutcome>,
    ) -> Result<()> {
        self.under_way.submits -= recordings.len();
        for (_, url) in &recordings {
            self.flying.remove(&address_id(url));
        }
        let (attempt, left, lines, outcome) = match outcome? {
            SubmitOutcome::Sent { attempt, left, lines, outcome } => (attempt, left, lines, outcome),
            SubmitOutcome::NotSent(why) => {
                self.release(recordings.iter().map(|(n, _)| *n));
                self.put_back(recordings);
                why.into_iter().for_each(|error| self.halt(error));
                return Ok(());
            }
        };
        self.apply(lines)?;
        let error = match outcome {
            Ok(submitted) => {
                self.answered = true;
                self.backoff.succeeded(Endpoint::Submit, Instant::now());
                self.polling.add(submitted.id, Instant::now());
                return Ok(());
            }
            Err(error) => error,
        };
        let verdict = Verdict::from_error(&error);
        if verdict != Verdict::Unclear {
            self.release(recordings.iter().map(|(n, _)| *n));
        }
        self.answered |= matches!(verdict, Verdict::Unclear | Verdict::Fail);
        match verdict {
            Verdict::Unclear => {
                let who = if self.request.detach { "the next run will check" } else { "checking" };
                self.note(&format!("{error}; {who} whether the service accepted it"));
                if let Some(open) = self.state.attempts.get(&attempt) {
                    self.uncertain.add(attempt, open, self.state.was_absent(open), left, Instant::now());
                }
                self.back_off(Endpoint::Submit, error)
            }
            Verdict::Again => {
                self.put_back(recordings);
                // The client pauses for as long as it takes, and has reported it.
                if error.kind() == ErrorKind::RateLimited {
                    if let Some(until) = self.client.tasks().submits_paused_until(self.request.recognition.model()) {
                        self.backoff.pause(Endpoint::Submit, until);
                    }
                    return Ok(());
                }
                self.back_off(Endpoint::Submit, error)
            }
            Verdict::Halt => {
                self.put_back(recordings);
                self.halt(error);
                Ok(())
            }
            Verdict::Fail => {
                self.note(&error.to_string());
                Ok(())
            }
        }
    }

    /// No further submit leaves; what was accepted is still collected.
    pub(super) fn halt(&mut self, error: Error) {
        self.no_more.store(true, Ordering::Relaxed);
        if self.halted.is_none() {
            if self.state.counts.in_task > 0 && !self.request.detach {
                let error = with_cause(&error);
                self.note(&format!("{error}; no further file is submitted, what was accepted is still collected"));
            }
            self.halted = Some(error);
        }
    }
}

/// One submit, from its turn to its line in the ledger.
async fn submit(
    client: &Client,
    recognition: &Recognition,
    writer: &Writer,
    no_more: &Arc<AtomicBool>,
    attempt: AttemptNo,
    (recordings, links): (&[Addressed], Links),
) -> Result<SubmitOutcome> {
    let mut permit = std::pin::pin!(client.tasks().submit_permit(recognition.model()));
    let permit = loop {
        let waited = tokio::time::timeout(STOP_CHECK, permit.as_mut()).await;
        if no_more.load(Ordering::Relaxed) {
            return Ok(SubmitOutcome::NotSent(None));
        }
        if let Ok(permit) = waited {
            break permit;
        }
    };
    let urls: Vec<&str> = recordings.iter().map(|(_, url)| url.as_str()).collect();
    // Signed now, when its turn has come; the ledger has the address alone.
    let sent = match links.sign(recordings).await {
        Ok(sent) => sent,
        Err(error) => return Ok(SubmitOutcome::NotSent(Some(error))),
    };
    let sent: Vec<&str> = sent.iter().map(String::as_str).collect();
    let intent = Event::Intent {
        attempt,
        recordings: recordings.iter().map(|(n, _)| *n).collect(),
        urls: urls.iter().map(|url| (*url).to_owned().into()).collect(),
        server_time: client.server_time(),
    };
    let mut lines = writer.add(vec![intent], true).await?;
    let left = Instant::now();
    let outcome = client.tasks().submit_by(permit, recognition, &sent, RetrySafety::Never).await;
    let event = match &outcome {
        Ok(submitted) => Event::Accepted {
            attempt,
            task_id: submitted.id.to_string().into(),
            request_id: submitted.request_id.clone().map(Into::into),
            found: false,
        },
        Err(error) => match Verdict::from_error(error) {
            Verdict::Unclear => Event::Uncertain { attempt, why: error.to_string().into() },
            verdict => {
                let (code, request_id) = code_and_request_id(error);
                let again = verdict != Verdict::Fail;
                let request_id = request_id.map(Into::into);
                Event::Refused { attempt, code: code.into(), message: message(error).into(), request_id, again }
            }
        },
    };
    // The outcome is on disk before the next step depends on it.
    let written = writer.add(vec![event], true).await;
    match (written, &outcome) {
        (Ok(written), _) => lines.extend(written),
        (Err(error), Ok(submitted)) => {
            let id = &submitted.id;
            let of = urls.first().map(|url| without_query(url)).unwrap_or_default();
            return Err(Error::ledger(format!("task {id} for {of} was accepted, but {error}")));
        }
        (Err(error), Err(_)) => return Err(error),
    }
    Ok(SubmitOutcome::Sent { attempt, left, lines, outcome })
}

/// The service's code for a failure, or our kind of it.
pub(super) fn code_and_request_id(error: &Error) -> (String, Option<String>) {
    match error.api() {
        Some(api) if !api.code.is_empty() => (api.code.clone(), api.request_id.clone()),
        Some(api) => (
            api.status.map_or_else(|| "no_answer".to_owned(), |status| format!("http_{status}")),
            api.request_id.clone(),
        ),
        None => ("refused".to_owned(), None),
    }
}

/// What the service said, or what we say.
pub(super) fn message(error: &Error) -> String {
    match error.api() {
        Some(api) if !api.message.is_empty() => api.message.clone(),
        _ => error.to_string(),
    }
}
