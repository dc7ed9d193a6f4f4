//! Out of the service: query, fetch, store; and the search for tasks whose submit was not answered.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::backoff::Endpoint;
use super::event::{Event, RecordingNo};
use super::results::{self, Written};
use super::runner::{Done, Fetch, Runner, with_cause};
use super::state::{OwnTask, Phase};
use super::submitting::message;
use super::uncertain::{Answer, Reading, is_same_recording};
use crate::client::{Client, Filter, Listed, Outcome, Task, TaskId, TaskStatus};
use crate::error::{Check, Error, ErrorKind, Result};
use crate::recording_id::address_id;

const QUERIES: usize = 20;
const FETCHES: usize = 16;
/// How often a result is tried, each time by a fresh link, before it is left to the next run.
const TRIES: u32 = 4;
/// How often a task without an answer is asked after, before it is left to the next run.
const ASKED: u32 = 60;
/// The service keeps a task for a day after its end.
const LIFE: SignedDuration = SignedDuration::from_hours(24);
/// A task accepted this long ago is known everywhere at the service, if it is known at all.
const SETTLED: SignedDuration = SignedDuration::from_mins(10);
/// A task that was just accepted may not be known everywhere yet.
const UNKNOWN_ASKED: u32 = 4;
/// More pages of unfinished tasks than this are not ours alone: asking one by one costs less.
const SWEEP_PAGES: u64 = 20;
const PAGE: u64 = 100;

const TASK_UNKNOWN: &str = "task_unknown";
const NOT_FETCHED: &str = "result_not_fetched";
const TOO_LARGE: &str = "result_too_large";
const NOT_STORED: &str = "result_not_stored";
const NO_RESULT: &str = "result_missing";
const CANCELED: &str = "task_canceled";
const NO_ANSWER: &str = "no_answer";

impl Runner<'_> {
    pub(super) fn start_queries(&mut self) {
        let now = Instant::now();
        if self.polling.sweep_due(now) {
            self.polling.sweep_begun();
            let client = self.client;
            self.operations.push(Box::pin(async move {
                let begun = Instant::now();
                Done::Swept { begun, outcome: unfinished(client).await }
            }));
        }
        let paused = self.backoff.paused_until(Endpoint::Query, now).is_some();
        while !paused
            && self.under_way.queries < QUERIES
            && let Some(id) = self.polling.take(now)
        {
            self.under_way.queries += 1;
            let client = self.client;
            self.operations.push(Box::pin(async move {
                let outcome = client.tasks().query(&id).await;
                Done::Queried { id, outcome }
            }));
        }
    }

    pub(super) fn swept(&mut self, begun: Instant, outcome: Result<HashSet<TaskId>>) -> Result<()> {
        match outcome {
            Ok(unfinished) => {
                self.backoff.succeeded(Endpoint::List, Instant::now());
                self.polling.swept(begun, &unfinished, Instant::now());
                Ok(())
            }
            // Tasks can still be asked after one by one.
            Err(error) => {
                tracing::info!(%error, "cannot list tasks");
                self.polling.sweep_failed(Instant::now());
                Ok(())
            }
        }
    }

    pub(super) async fn queried(&mut self, id: TaskId, outcome: Result<Task>) -> Result<()> {
        self.under_way.queries -= 1;
        let now = Instant::now();
        let task = match outcome {
            Ok(task) => task,
            // Not a task of this key, or not any more.
            Err(error)
                if error.kind() == ErrorKind::NotFound || error.api().is_some_and(|api| api.status == Some(403)) =>
            {
                let request_id = error.api().and_then(|api| api.request_id.clone());
                return self.unknown(&id, request_id).await;
            }
            Err(error) => {
                let asked = self.polling.later(&id, now);
                if error.kind() == ErrorKind::InvalidInput || asked >= ASKED {
                    self.leave_task(&id, NO_ANSWER, &error.to_string(), None);
                    return Ok(());
                }
                return self.back_off(Endpoint::Query, error);
            }
        };
        self.backoff.succeeded(Endpoint::Query, now);
        match task.status {
            TaskStatus::Unknown => self.unknown(&id, task.request_id).await,
            _ if task.status.is_final() => self.settle(task).await,
            _ => {
                self.polling.later(&id, now);
                Ok(())
            }
        }
    }

    /// The service does not know the task: for good a day after its acceptance, before that perhaps only for this key.
    async fn unknown(&mut self, id: &TaskId, request_id: Option<String>) -> Result<()> {
        let Some(owned) = self.state.tasks.get(id) else {
            self.polling.drop(id, Instant::now());
            return Ok(());
        };
        let age = self.writer.now().duration_since(owned.accepted);
        let is_given_up = self.request.retry_failed && age > SETTLED;
        if age > LIFE || (is_given_up && self.polling.later(id, Instant::now()) >= UNKNOWN_ASKED) {
            let message = format!("the service no longer knows task {id}: its results are lost");
            self.polling.drop(id, Instant::now());
            for n in self.open_recordings(id) {
                self.failed(n, Some(id), TASK_UNKNOWN, &message, request_id.clone()).await?;
                if is_given_up {
                    let why = "its task is unknown to the service".into();
                    self.record(vec![Event::Reopened { n, why }], false).await?;
                    self.reservations.release(&self.state, n);
                    if let Some(shared) = &mut self.shared {
                        shared.give_up(n);
                    }
                    self.wait(n);
                }
            }
        } else if !is_given_up && self.polling.later(id, Instant::now()) >= UNKNOWN_ASKED {
            self.leave_task(id, TASK_UNKNOWN, &format!("the service does not know task {id}"), request_id);
        }
        Ok(())
    }

    fn leave_task(&mut self, id: &TaskId, code: &str, message: &str, request_id: Option<String>) {
        self.polling.drop(id, Instant::now());
        for n in self.open_recordings(id) {
            self.leave(n, Some(id), code, message, request_id.clone());
        }
    }

    /// Files of a task that have neither a result nor a failure yet.
    fn open_recordings(&self, id: &TaskId) -> Vec<RecordingNo> {
        let recordings = self.state.tasks.get(id).into_iter().flat_map(OwnTask::recordings);
        let open =
            |n: &RecordingNo| self.state.get(*n).is_some_and(|recording| recording.phase == Phase::InTask(id.clone()));
        recordings.filter(open).collect()
    }

    /// A task has ended: each of its files for itself, whatever the task is called.
    async fn settle(&mut self, task: Task) -> Result<()> {
        let id = &task.id;
        self.polling.drop(id, Instant::now());
        let Some(owned) = self.state.tasks.get(id) else { return Ok(()) };
        let mut outcomes: Vec<&Outcome> = task.outcomes.iter().collect();
        let mut matched: Vec<(RecordingNo, Option<Outcome>)> = Vec::new();
        for (n, url) in owned.sent.iter() {
            let named = |one: &&Outcome| one.file_url.as_deref().is_some_and(|name| is_same_recording(name, url));
            // What is alone on both sides belongs together, named or not.
            let alone = (owned.sent.len() == 1 && outcomes.len() == 1).then_some(0);
            let at = alone.or_else(|| outcomes.iter().position(named));
            matched.push((*n, at.map(|at| outcomes.swap_remove(at).clone())));
        }
        let unclaimed = outcomes.iter().any(|outcome| outcome.transcription_url.is_some());
        let ended = Event::Ended {
            task_id: id.to_string().into(),
            status: task.status.to_string().into(),
            usage: task.usage.clone(),
        };
        self.record(vec![ended], false).await?;
        let open: HashSet<RecordingNo> = self.open_recordings(id).into_iter().collect();
        for (n, outcome) in matched.into_iter().filter(|(n, _)| open.contains(n)) {
            let request_id = task.request_id.clone();
            match outcome {
                Some(Outcome { transcription_url: Some(url), .. }) => self.fetch_later(n, id, Some(url)),
                Some(outcome) if outcome.is_silence() => self.fetch_later(n, id, None),
                Some(Outcome { status: TaskStatus::Failed, code, message, .. }) => {
                    let message = message.or_else(|| task.message.clone()).unwrap_or_default();
                    let code = code.or_else(|| task.code.clone()).unwrap_or_else(|| "FAILED".to_owned());
                    let is_lapsed = self.has_lapsed(n, id, &code);
                    self.failed(n, Some(id), &code, &message, request_id).await?;
                    if is_lapsed {
                        self.record(vec![Event::Reopened { n, why: "its link had expired".into() }], false).await?;
                        self.wait(n);
                    }
                }
                // Ended without a word on this file, and without a result that names none of ours.
                None if task.status == TaskStatus::Failed && !unclaimed => {
                    let code = task.code.as_deref().unwrap_or("FAILED");
                    let message = task.message.as_deref().unwrap_or("the task failed");
                    self.failed(n, Some(id), code, message, request_id).await?;
                }
                _ if task.status == TaskStatus::Canceled => {
                    self.failed(n, Some(id), CANCELED, "the task was cancelled", request_id).await?;
                }
                _ => {
                    let message = format!("task {id} is {} and has no result for this file", task.status);
                    self.leave(n, Some(id), NO_RESULT, &message, request_id);
                }
            }
        }
        Ok(())
    }

    fn fetch_later(&mut self, n: RecordingNo, id: &TaskId, from: Option<String>) {
        if self.fetching.insert(n) {
            self.fetches.push_back(Fetch { n, task: id.clone(), from });
        }
    }

    pub(super) fn start_fetches(&mut self) {
        while self.under_way.fetches < FETCHES
            && let Some(fetch) = self.fetches.pop_front()
        {
            let Some(recording) = self.state.get(fetch.n) else { continue };
            let (client, dir, file, url) =
                (self.client, self.dir.clone(), recording.result(), recording.url().to_owned());
            self.under_way.fetches += 1;
            self.operations.push(Box::pin(async move {
                let received = match &fetch.from {
                    Some(address) => client.tasks().receive(address, &dir.join(&file)).await.map(Some),
                    None => Ok(None),
                };
                let store = move |received| match received {
                    Some(received) => results::replace(&dir, file, received),
                    None => results::replace_by_silence(&dir, file, &results::silence(&url)),
                };
                let outcome = match received {
                    Ok(received) => tokio::task::spawn_blocking(move || store(received))
                        .await
                        .unwrap_or_else(|_| Err(Error::ledger("storing a result was cut short"))),
                    Err(error) => Err(error),
                };
                Done::Fetched { fetch, outcome }
            }));
        }
    }

    pub(super) async fn fetched(&mut self, fetch: Fetch, outcome: Result<Written>) -> Result<()> {
        self.under_way.fetches -= 1;
        self.fetching.remove(&fetch.n);
        match outcome {
            Ok(Written { file, bytes, blake3, mut untranscribed, aside }) => {
                self.backoff.succeeded(Endpoint::Download, Instant::now());
                if let Some(aside) = aside {
                    self.note(&format!("{file} was not what was stored: it is kept as {aside}"));
                }
                self.left.remove(&fetch.n);
                // What has the same sound is there.
                untranscribed.retain(|track| !self.is_repeated(fetch.n, *track));
                let (n, silent) = (fetch.n, fetch.from.is_none());
                let (task_id, file) = (fetch.task.to_string().into(), file.into());
                let blake3 = blake3.to_hex().to_string().into();
                self.record(vec![Event::Stored { n, task_id, file, bytes, blake3, silent, untranscribed }], false).await
            }
            // The service keeps the result: this one waits for somebody to make room, the others are stored.
            Err(error) if error.kind() == ErrorKind::Io && !results::takes_no_more(&self.dir, &error) => {
                self.leave(fetch.n, Some(&fetch.task), NOT_STORED, &with_cause(&error), None);
                Ok(())
            }
            Err(error) if matches!(error.kind(), ErrorKind::Io | ErrorKind::Ledger) => Err(error),
            // It does not become smaller.
            Err(error) if error.check() == Some(Check::ResultSize) => {
                self.leave(fetch.n, Some(&fetch.task), TOO_LARGE, &message(&error), None);
                Ok(())
            }
            Err(error) => {
                let misses = self.misses.entry(fetch.n).or_default();
                *misses += 1;
                if *misses < TRIES {
                    // A link lives for a day, and an answer brings a fresh one.
                    tracing::info!(%error, task = %fetch.task, "asking for a fresh link");
                    self.polling.again(fetch.task, Instant::now());
                } else {
                    let text = message(&error);
                    self.leave(fetch.n, Some(&fetch.task), NOT_FETCHED, &text, None);
                }
                Ok(())
            }
        }
    }

    fn is_repeated(&self, n: RecordingNo, track: i64) -> bool {
        self.state
            .get(n)
            .is_some_and(|recording| recording.repeated().iter().any(|repeated| i64::from(*repeated) == track))
    }

    pub(super) async fn start_search(&mut self) -> Result<()> {
        if self.request.resubmit_uncertain {
            let stuck: Vec<_> = self.uncertain.stuck().map(|(no, why)| (no, why.to_owned())).collect();
            for (no, why) in stuck {
                self.give_up(no, &why).await?;
            }
        }
        if self.uncertain.list_due(Instant::now()) {
            self.uncertain.list_begun();
            let (client, since) = (self.client, self.uncertain.since(self.now()));
            self.operations.push(Box::pin(async move { Done::Listed(recent(client, since).await) }));
        }
        let now = self.now();
        let tasks = &self.state.tasks;
        for id in self.uncertain.examine(|id| tasks.contains_key(id), now) {
            let client = self.client;
            self.operations.push(Box::pin(async move {
                let outcome = examine(client, &id).await;
                Done::Examined { id, outcome }
            }));
        }
        let tasks = &self.state.tasks;
        let findings =
            self.uncertain.judge(|id| tasks.contains_key(id), |url| self.flying.contains(&address_id(url)), now);
        self.search_ended(findings).await
    }

    pub(super) fn listed(&mut self, outcome: Result<Reading>) -> Result<()> {
        match outcome {
            Ok(reading) => self.uncertain.listed(reading),
            Err(error) => {
                if self.uncertain.list_failed(&error.to_string(), !error.is_retryable(), Instant::now()) {
                    self.note(&format!("{error}; uncertain submits stay open"));
                }
            }
        }
        Ok(())
    }

    pub(super) fn examined(&mut self, id: TaskId, outcome: Result<Answer>) -> Result<()> {
        let answer = match outcome {
            Ok(answer) => answer,
            // A key or an account that is refused everything proves nothing.
            Err(error)
                if error.kind() == ErrorKind::Quota || error.api().is_some_and(|api| api.status == Some(401)) =>
            {
                return Err(error);
            }
            Err(error) if matches!(error.kind(), ErrorKind::Auth | ErrorKind::NotFound) => {
                Answer::Denied(error.to_string())
            }
            Err(error) => Answer::Unreadable(error.to_string()),
        };
        self.uncertain.examined(id, answer, Instant::now());
        Ok(())
    }
}

/// The account's tasks that have not ended. Pending ones are listed first: a task that begins meanwhile is seen twice, not never.
async fn unfinished(client: &Client) -> Result<HashSet<TaskId>> {
    let mut found = HashSet::new();
    for status in [TaskStatus::Pending, TaskStatus::Running] {
        let mut page = 1;
        loop {
            let listed = client.tasks().list(&Filter::new().status(status.clone()).page(page).size(PAGE)).await?;
            let last = listed.is_last(page);
            found.extend(listed.tasks.into_iter().filter(|task| !task.status.is_final()).map(|task| task.id));
            if last {
                break;
            }
            page += 1;
            if page > SWEEP_PAGES {
                return Err(Error::protocol("the account has too many unfinished tasks to list"));
            }
        }
    }
    Ok(found)
}

/// The account's tasks from `since` on, whatever their model: an alias may be listed under another name.
///
/// The order of the list is not documented. Where it is seen to be newest first, tasks that come meanwhile only push others back,
/// so that nothing is missed, and what is older need not be read. Otherwise rows may slip by between two pages, and a reading
/// counts only if it has as many as the service says there are.
async fn recent(client: &Client, since: Timestamp) -> Result<Reading> {
    for _ in 0..5 {
        let begun = Instant::now();
        let mut rows: Vec<Listed> = Vec::new();
        let mut seen = HashSet::new();
        let (mut page, mut first_total, mut newest_first, mut oldest, mut unreadable) = (1, None, true, None, 0);
        let total = loop {
            let listed = client.tasks().list(&Filter::new().page(page).size(PAGE)).await?;
            let last = listed.is_last(page);
            first_total = first_total.or(listed.total);
            unreadable += listed.unreadable();
            let before = rows.len();
            for task in listed.tasks {
                // A row that was pushed back is seen twice; the order is that of the others.
                if seen.insert(task.id.clone()) {
                    newest_first &= task.created.is_some_and(|created| oldest.is_none_or(|oldest| created <= oldest));
                    oldest = task.created;
                    rows.push(task);
                }
            }
            if rows.len() == before && !last {
                return Err(Error::protocol("the list of tasks repeats itself"));
            }
            if last || (newest_first && oldest.is_some_and(|oldest| oldest < since)) {
                break listed.total.min(first_total);
            }
            page += 1;
        };
        if newest_first || total.is_none_or(|total| rows.len() as u64 + unreadable >= total) {
            return Ok(Reading { begun, rows, unreadable });
        }
    }
    Err(Error::protocol("the list of tasks changes faster than it can be read"))
}

/// What a candidate that is listed as ended says of its files.
async fn examine(client: &Client, id: &TaskId) -> Result<Answer> {
    let task = client.tasks().query(id).await?;
    if task.status == TaskStatus::Unknown {
        return Ok(Answer::Denied("the service does not know it".to_owned()));
    }
    if !task.status.is_final() {
        return Ok(Answer::Unreadable(format!("it is listed as ended, and is {}", task.status)));
    }
    let (mut names, mut unnamed) = (Vec::new(), 0);
    for outcome in &task.outcomes {
        let mut name = outcome.file_url.clone();
        if let (None, Some(address)) = (&name, &outcome.transcription_url) {
            // Qwen3 names the file in the result only.
            name = client.tasks().outline(address).await?.file_url;
        }
        match name {
            Some(name) => names.push(name),
            None => unnamed += 1,
        }
    }
    let has_result = task.outcomes.iter().any(|outcome| outcome.transcription_url.is_some());
    let is_void = names.is_empty() && !has_result && task.status != TaskStatus::Succeeded;
    Ok(if is_void { Answer::Void } else { Answer::Ended { names, unnamed } })
}
