//! Submits of which nobody can tell whether the service took them: found in its list, or proved absent.
//!
//! The list names no file. So every task of the model that is not ours and not older than the request is asked for its files
//! once it has ended. Absence is proved only by a listing that began long enough after the request left.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::event::AttemptNo;
use super::state::Attempt;
use crate::catalog::Catalog;
use crate::client::{Listed, TaskId, TaskStatus};
use crate::recording_id::address_id;

/// A task appears in the list within this time after the request left.
const PROOF: Duration = Duration::from_secs(10);
/// Between the service's clock as it was last seen and its own record of a task.
const SLACK: SignedDuration = SignedDuration::from_secs(5);
/// The same where its clock had not been seen yet, and ours must do.
const OWN_CLOCK_SLACK: SignedDuration = SignedDuration::from_mins(10);
/// No task of an attempt is younger than this after its intent: it was accepted within seconds or not at all.
const LATEST: SignedDuration = SignedDuration::from_mins(15);
/// The list goes back a day; a little less is safe.
const LIST_REACH: SignedDuration = SignedDuration::from_mins(24 * 60 - 15);
/// A task that is not done within three hours is ended by the service.
const TASK_DEADLINE: SignedDuration = SignedDuration::from_hours(4);
/// The list cannot be read for so long: what it would show stays open.
const BLIND: Duration = Duration::from_secs(300);
const FIRST_ROUND: Duration = Duration::from_secs(2);
const MOST: Duration = Duration::from_secs(30);

/// An attempt without an outcome.
#[derive(Debug)]
struct OpenAttempt {
    urls: Vec<String>,
    /// No task of it is older, or younger, by the service's clock.
    since: Timestamp,
    until: Timestamp,
    /// A listing that begins now or later proves absence.
    proof: Instant,
    /// Why nothing can be proved any more.
    stuck: Option<String>,
}

/// What became of an uncertain attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SearchOutcome {
    /// The task is ours.
    Task(TaskId),
    /// There is none.
    Absent,
    /// It cannot be told, and why.
    Stuck(String),
}

/// What is known of a task that may be ours.
#[derive(Debug, Clone)]
enum Candidate {
    /// Being asked after.
    Queried,
    /// Its files, as the service names them.
    Files(Vec<String>),
    /// It ended and names no file: it has no result to lose.
    NoFiles,
}

#[derive(Debug)]
struct Round {
    begun: Instant,
    rows: Vec<Listed>,
}

/// The open attempts of a batch and the search for their tasks.
#[derive(Debug)]
pub(super) struct Uncertain {
    /// The model under all its names.
    models: Vec<String>,
    open: BTreeMap<AttemptNo, OpenAttempt>,
    candidates: HashMap<TaskId, Candidate>,
    round: Option<Round>,
    listing: bool,
    /// Since when the list could not be read.
    blind: Option<Instant>,
    next: Instant,
    pause: Duration,
}

impl Uncertain {
    pub(super) fn new(model: &str) -> Self {
        let models = Catalog::builtin().names_of(model);
        let (next, pause) = (Instant::now(), FIRST_ROUND);
        let (open, candidates) = (BTreeMap::new(), HashMap::new());
        Self { models, open, candidates, round: None, listing: false, blind: None, next, pause }
    }

    /// An attempt of this run, whose request is over with now.
    pub(super) fn add(&mut self, no: AttemptNo, attempt: &Attempt) {
        self.take(no, attempt, Instant::now() + PROOF, None);
    }

    /// An attempt of an earlier run, which is dead: its request left before this moment at the latest. `wall` is now.
    pub(super) fn inherit(&mut self, no: AttemptNo, attempt: &Attempt, wall: Timestamp) {
        // A clock that was set back makes the past look like the future.
        let age = wall.duration_since(attempt.at);
        let waited = Duration::try_from(age).unwrap_or_default().min(PROOF);
        let stuck = (age > LIST_REACH).then(|| "it is over 24 hours old, which no list shows".to_owned());
        self.take(no, attempt, Instant::now() + (PROOF - waited), stuck);
    }

    fn take(&mut self, no: AttemptNo, attempt: &Attempt, proof: Instant, stuck: Option<String>) {
        let (time, slack) = match attempt.server_time {
            Some(time) => (time, SLACK),
            None => (attempt.at, OWN_CLOCK_SLACK),
        };
        let since = time.saturating_sub(slack).unwrap_or(time);
        let until = time.saturating_add(LATEST + slack).unwrap_or(time);
        self.open.insert(
            no,
            OpenAttempt {
                urls: attempt.sent.iter().map(|(_, url)| url.to_string()).collect(),
                since,
                until,
                proof,
                stuck,
            },
        );
        self.next = self.next.min(Instant::now() + FIRST_ROUND);
        self.pause = FIRST_ROUND;
    }

    /// Whether a submit with this address is being looked for: a second one would be mistaken for it.
    pub(super) fn holds(&self, url: &str) -> bool {
        self.active().any(|(_, open)| open.urls.iter().any(|held| same_recording(held, url)))
    }

    fn active(&self) -> impl Iterator<Item = (AttemptNo, &OpenAttempt)> {
        self.open.iter().filter(|(_, open)| open.stuck.is_none()).map(|(no, open)| (*no, open))
    }

    /// No task that is sought is older.
    pub(super) fn since(&self) -> Timestamp {
        self.active().map(|(_, open)| open.since).min().unwrap_or(Timestamp::MAX)
    }

    /// Attempts that stay open, and why.
    pub(super) fn stuck(&self) -> impl Iterator<Item = (AttemptNo, &str)> {
        self.open.iter().filter_map(|(no, open)| Some((*no, open.stuck.as_deref()?)))
    }

    pub(super) fn list_due(&self, now: Instant) -> bool {
        !self.listing && self.round.is_none() && now >= self.next && self.active().next().is_some()
    }

    pub(super) fn wake(&self) -> Option<Instant> {
        (!self.listing && self.round.is_none() && self.active().next().is_some()).then_some(self.next)
    }

    pub(super) fn list_begun(&mut self) {
        self.listing = true;
    }

    /// The whole list, read from `begun` on.
    pub(super) fn listed(&mut self, begun: Instant, rows: Vec<Listed>) {
        self.listing = false;
        self.blind = None;
        self.round = Some(Round { begun, rows });
    }

    /// The list could not be read; `refused`: it will not be later either. Whether the search has ended with that.
    pub(super) fn list_failed(&mut self, why: &str, refused: bool, now: Instant) -> bool {
        self.listing = false;
        self.pause = (self.pause * 2).min(MOST);
        self.next = now + self.pause;
        let given_up = refused || now - *self.blind.get_or_insert(now) > BLIND;
        if given_up {
            let active = self.open.values_mut().filter(|open| open.stuck.is_none());
            active.for_each(|open| open.stuck = Some(format!("the list of tasks is not to be had: {why}")));
        }
        given_up
    }

    /// Candidates that have ended and are to be asked for their files. `owned`: whether a task is one of ours.
    pub(super) fn examine(&mut self, owned: impl Fn(&TaskId) -> bool) -> Vec<TaskId> {
        let Some(round) = &self.round else { return Vec::new() };
        let mut ask = Vec::new();
        for row in &round.rows {
            let wanted = self.active().any(|(_, open)| self.may_be(row, open));
            if wanted && row.status.is_final() && !owned(&row.id) && !self.candidates.contains_key(&row.id) {
                ask.push(row.id.clone());
            }
        }
        ask.iter().for_each(|id| drop(self.candidates.insert(id.clone(), Candidate::Queried)));
        ask
    }

    /// The answer on a candidate: the files it names, `None` where none came.
    pub(super) fn examined(&mut self, id: TaskId, names: Option<Vec<String>>) {
        match names {
            Some(names) if names.is_empty() => self.candidates.insert(id, Candidate::NoFiles),
            Some(names) => self.candidates.insert(id, Candidate::Files(names)),
            None => self.candidates.remove(&id),
        };
    }

    /// What the round has shown, once every candidate that has ended was asked; ends the round.
    /// `flying`: whether a submit with this address is under way, whose task may be the candidate.
    pub(super) fn judge(
        &mut self,
        owned: impl Fn(&TaskId) -> bool,
        flying: impl Fn(&str) -> bool,
        wall: Timestamp,
    ) -> Vec<(AttemptNo, SearchOutcome)> {
        if self.candidates.values().any(|candidate| matches!(candidate, Candidate::Queried)) {
            return Vec::new();
        }
        let Some(round) = self.round.take() else { return Vec::new() };
        let mut found = Vec::new();
        let mut taken: Vec<TaskId> = Vec::new();
        for (no, open) in self.open.iter().filter(|(_, open)| open.stuck.is_none()) {
            let mut undecided = None;
            let mut ours = None;
            // The same recording under another signature: perhaps of another batch, so an exact match is preferred.
            let mut resigned = None;
            for row in
                round.rows.iter().filter(|row| self.may_be(row, open) && !owned(&row.id) && !taken.contains(&row.id))
            {
                match self.candidates.get(&row.id) {
                    Some(Candidate::Files(names)) if names_all(names, &open.urls, same_recording) => {
                        if open.urls.iter().any(|url| flying(url)) {
                            undecided = Some(row);
                            continue;
                        }
                        if names_all(names, &open.urls, same_address) {
                            ours = Some(row.id.clone());
                            break;
                        }
                        resigned.get_or_insert_with(|| row.id.clone());
                    }
                    Some(Candidate::Files(_) | Candidate::NoFiles) => {}
                    // Not ended yet, or no answer came.
                    Some(Candidate::Queried) | None => undecided = Some(row),
                }
            }
            if undecided.is_none() && round.begun >= open.proof {
                ours = ours.or(resigned);
            }
            match (ours, undecided) {
                (Some(id), _) => {
                    taken.push(id.clone());
                    found.push((*no, SearchOutcome::Task(id)));
                }
                (None, None) if round.begun >= open.proof => found.push((*no, SearchOutcome::Absent)),
                (None, Some(row))
                    if row.created.is_some_and(|created| wall.duration_since(created) > TASK_DEADLINE) =>
                {
                    found.push((*no, SearchOutcome::Stuck(format!("task {} may be it and has not ended", row.id))));
                }
                _ => {}
            }
        }
        for (no, outcome) in &found {
            match outcome {
                SearchOutcome::Stuck(why) => {
                    self.open.entry(*no).and_modify(|open| open.stuck = Some(why.clone()));
                }
                SearchOutcome::Task(_) | SearchOutcome::Absent => drop(self.open.remove(no)),
            }
        }
        let now = Instant::now();
        self.next = self
            .active()
            .map(|(_, open)| open.proof)
            .filter(|proof| *proof > now)
            .min()
            .map_or(now + self.pause, |proof| proof.min(now + self.pause));
        self.pause = self.pause.mul_f64(1.5).min(MOST);
        found
    }

    /// The user gave up on an attempt.
    pub(super) fn forget(&mut self, no: AttemptNo) {
        self.open.remove(&no);
    }

    fn may_be(&self, row: &Listed, open: &OpenAttempt) -> bool {
        row.created.is_none_or(|created| (open.since..=open.until).contains(&created))
            // A name that the catalogue does not know may be a new one for the same.
            && row.model.as_ref().is_none_or(|model| self.models.contains(model) || Catalog::builtin().model(model).is_none())
    }
}

/// Whether a task's files are those that were sent, and no others.
fn names_all(names: &[String], sent: &[String], is_same: impl Fn(&str, &str) -> bool) -> bool {
    names.len() == sent.len() && sent.iter().all(|url| names.iter().any(|name| is_same(name, url)))
}

/// Whether a file that the service names is the one that was sent, perhaps under another signature.
pub(super) fn same_recording(named: &str, sent: &str) -> bool {
    same_address(named, sent) || address_id(named) == address_id(sent)
}

/// Whether the service means the address that was sent: it may spell it its own way, and shows a file of temporary storage by
/// its address there.
fn same_address(named: &str, sent: &str) -> bool {
    named == sent
        || match sent.strip_prefix("oss://") {
            Some(key) => named.split('?').next().is_some_and(|path| path.ends_with(key)),
            None => match (url::Url::parse(named), url::Url::parse(sent)) {
                (Ok(named), Ok(sent)) => named == sent,
                _ => false,
            },
        }
}

/// The files that the answer on a candidate names; `None` while it has not ended.
pub(super) fn files_of(task: &crate::client::Task) -> Option<Vec<String>> {
    let ended = task.status.is_final() || matches!(task.status, TaskStatus::Unknown);
    ended.then(|| task.outcomes.iter().filter_map(|outcome| outcome.file_url.clone()).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::batch::RecordingNo;

    fn attempt(urls: &[String], at: Timestamp) -> Attempt {
        Attempt {
            sent: (1..).map(RecordingNo::new).zip(urls.iter().map(|url| url.as_str().into())).collect(),
            at,
            server_time: Some(at),
        }
    }

    fn later(at: Timestamp, seconds: i64) -> Timestamp {
        at.saturating_add(SignedDuration::from_secs(seconds)).unwrap()
    }

    /// A task as the service has it.
    #[derive(Debug, Clone)]
    struct Made {
        urls: Vec<String>,
        /// Seconds after the intent, by the service's clock.
        created: i64,
        model: Option<&'static str>,
        /// Rounds before it has ended; before it is asked after with success; before the list has it.
        ends: usize,
        answers: usize,
        listed: usize,
    }

    fn made(urls: Vec<String>, within: std::ops::Range<i64>) -> impl Strategy<Value = Made> {
        let model = prop_oneof![Just(Some("paraformer-v2")), Just(None), Just(Some("newer-than-the-catalogue"))];
        (within, model, 0..4usize, 0..3usize, 0..3usize).prop_map(move |(created, model, ends, answers, listed)| Made {
            urls: urls.clone(),
            created,
            model,
            ends,
            answers,
            listed,
        })
    }

    /// Attempts of one or two files, some of the same file; what the service took of them; what else the account does.
    #[derive(Debug, Clone)]
    struct World {
        attempts: Vec<(Vec<String>, Option<Made>)>,
        others: Vec<Made>,
    }

    fn world() -> impl Strategy<Value = World> {
        let attempt = (0..4u8, any::<bool>()).prop_flat_map(|(n, two)| {
            let mut urls = vec![format!("https://h/{n}.wav")];
            // A task of two is another task than one of its first file alone.
            urls.extend(two.then(|| format!("https://h/{n}-second.wav")));
            (Just(urls.clone()), proptest::option::of(made(urls, -4..60)))
        });
        let other = prop_oneof![
            made(vec!["https://h/other.wav".to_owned()], -4000..4000),
            made(vec!["https://h/0.wav".to_owned(), "https://h/other.wav".to_owned()], -4..60),
            // The same file, an hour before.
            made(vec!["https://h/0.wav".to_owned()], -4000..-60),
            made(Vec::new(), -4..60),
        ];
        (proptest::collection::vec(attempt, 1..5), proptest::collection::vec(other, 0..4))
            .prop_map(|(attempts, others)| World { attempts, others })
    }

    proptest! {
        /// Whatever comes late, in whichever order: what was taken is found, each task once; what was not is proved absent,
        /// and nothing is before its time.
        #[test]
        fn what_was_taken_is_found_and_nothing_else(world in world()) {
            let at = Timestamp::from_second(1_790_000_000).unwrap();
            let mut uncertain = Uncertain::new("paraformer-v2");
            let attempts: BTreeMap<AttemptNo, _> = (1..).map(AttemptNo::new).zip(&world.attempts).collect();
            for (no, (urls, _)) in (1..).map(AttemptNo::new).zip(&world.attempts) {
                uncertain.add(no, &attempt(urls, at));
            }
            let taken = world.attempts.iter().filter_map(|(_, made)| made.clone());
            let tasks: Vec<(TaskId, Made)> = (0..)
                .zip(taken.chain(world.others.clone()))
                .map(|(n, made)| (TaskId::new(format!("task-{n}")).unwrap(), made))
                .collect();
            let start = Instant::now();
            let mut owned: Vec<TaskId> = Vec::new();
            let mut found: BTreeMap<AttemptNo, SearchOutcome> = BTreeMap::new();
            for round in 0..12 {
                // The first three begin too early to prove anything; a task is in the list by then.
                let proves = round >= 3;
                let begun = if proves { start + PROOF + Duration::from_secs(5) } else { start };
                let rows = tasks.iter().filter(|(_, made)| round >= made.listed).map(|(id, made)| Listed {
                    id: id.clone(),
                    status: if round >= made.ends { TaskStatus::Succeeded } else { TaskStatus::Running },
                    model: made.model.map(str::to_owned),
                    created: Some(later(at, made.created)),
                    ended: None,
                    raw: serde_json::Value::Null,
                });
                uncertain.listed(begun, rows.collect());
                for id in uncertain.examine(|id| owned.contains(id)) {
                    let (_, made) = tasks.iter().find(|(known, _)| *known == id).unwrap();
                    prop_assert!(round >= made.ends, "asked after a task that has not ended");
                    uncertain.examined(id, (round >= made.ends + made.answers).then(|| made.urls.clone()));
                }
                for (no, outcome) in uncertain.judge(|id| owned.contains(id), |_| false, later(at, 60)) {
                    if let SearchOutcome::Task(id) = &outcome {
                        prop_assert!(!owned.contains(id), "{} is given twice", id);
                        let (_, made) = tasks.iter().find(|(known, _)| known == id).unwrap();
                        prop_assert_eq!(&made.urls, &attempts[&no].0);
                        owned.push(id.clone());
                    }
                    prop_assert!(outcome != SearchOutcome::Absent || proves, "absent before its time");
                    prop_assert!(found.insert(no, outcome).is_none(), "two outcomes of attempt {}", no);
                }
            }
            // Of several attempts at the same files nobody can say which was taken; how many were is certain.
            for (urls, _) in &world.attempts {
                let of = || (1..).map(AttemptNo::new).zip(&world.attempts).filter(|(_, (others, _))| others == urls);
                let taken = of().filter(|(_, (_, made))| made.is_some()).count();
                let given = of().filter(|(no, _)| matches!(found.get(no), Some(SearchOutcome::Task(_)))).count();
                let absent = of().filter(|(no, _)| found.get(no) == Some(&SearchOutcome::Absent)).count();
                prop_assert_eq!((given, absent), (taken, of().count() - taken));
            }
        }
    }

    #[test]
    fn a_submit_over_a_day_old_is_looked_for_no_more() {
        let at = Timestamp::from_second(1_790_000_000).unwrap();
        let mut uncertain = Uncertain::new("fun-asr");
        let urls = ["https://h/a.wav".to_owned()];
        uncertain.inherit(AttemptNo::new(1), &attempt(&urls, at), later(at, 24 * 3600));
        uncertain.inherit(AttemptNo::new(2), &attempt(&urls, at), later(at, 3600));
        assert_eq!(uncertain.stuck().map(|(no, _)| no).collect::<Vec<_>>(), [AttemptNo::new(1)]);
        assert!(uncertain.holds("https://h/a.wav"));
        // A list that is refused ends the search for the others, too.
        assert!(uncertain.list_failed("Access denied.", true, Instant::now()));
        assert_eq!(uncertain.stuck().count(), 2);
        assert!(!uncertain.holds("https://h/a.wav") && uncertain.wake().is_none());
    }

    #[test]
    fn a_list_that_is_down_for_minutes_ends_the_search_and_one_that_hiccups_does_not() {
        let at = Timestamp::from_second(1_790_000_000).unwrap();
        let mut uncertain = Uncertain::new("fun-asr");
        uncertain.add(AttemptNo::new(1), &attempt(&["https://h/a.wav".to_owned()], at));
        let start = Instant::now();
        assert!(!uncertain.list_failed("busy", false, start));
        assert!(!uncertain.list_failed("busy", false, start + BLIND));
        uncertain.listed(start, Vec::new());
        assert_eq!(uncertain.judge(|_| false, |_| false, at), [], "too early to prove anything");
        assert!(!uncertain.list_failed("busy", false, start + BLIND * 2));
        assert!(uncertain.list_failed("busy", false, start + BLIND * 4));
    }
}
