//! A service with every oddity, and clocks that leap, against which the search is driven in all combinations: no file is accepted
//! twice unless the service forgot it.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::batch::RecordingNo;
use crate::client::{ServiceClock, TaskStatus};

/// How the service spells the file of a task.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Spelling {
    Verbatim,
    LowerCaseEscapes,
    Http,
    WithoutQuery,
    Unescaped,
    NoName,
}

impl Spelling {
    fn of(self, url: &str) -> Option<String> {
        match self {
            Self::Verbatim => Some(url.to_owned()),
            Self::LowerCaseEscapes => Some(url.replace("%E5", "%e5")),
            Self::Http => Some(url.replacen("https:", "http:", 1)),
            Self::WithoutQuery => url.split('?').next().map(str::to_owned),
            Self::Unescaped => Some(url.replace("%E5%AE%A2", "客")),
            Self::NoName => None,
        }
    }
}

/// How a task is answered before its answer is right.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Odd {
    Denied,
    Unreadable,
}

/// What became of a submit at the service, in seconds.
#[derive(Debug, Clone)]
struct Accepted {
    /// After it left.
    after: i64,
    /// Until the list has it.
    listed: i64,
    ends: i64,
    spelling: Spelling,
    odd: Option<Odd>,
    /// How often it is answered so.
    times: usize,
    id: &'static str,
    has_time: bool,
}

/// A submit whose answer was lost.
#[derive(Debug, Clone)]
struct Submit {
    file: u8,
    accepted: Option<Accepted>,
    was_absent: bool,
}

#[derive(Debug, Clone)]
struct World {
    submits: Vec<Submit>,
    /// They were sent by an earlier run, which ended this long before.
    inherited: Option<i64>,
    /// By how much the clock is set, and when, relative to the submits.
    service_leap: (i64, i64),
    wall_leap: (i64, i64),
    has_dates: bool,
    /// Until when the list has rows that cannot be read.
    unreadable: i64,
    /// Other tasks of the account are created all the time.
    is_alive: bool,
    /// Another batch's task of the first file, this long before.
    older: Option<i64>,
}

fn accepted() -> impl Strategy<Value = Accepted> {
    use Spelling::{Http, LowerCaseEscapes, NoName, Unescaped, Verbatim, WithoutQuery};
    let spelling = prop_oneof![
        4 => Just(Verbatim),
        1 => Just(LowerCaseEscapes),
        1 => Just(Http),
        1 => Just(WithoutQuery),
        1 => Just(Unescaped),
        1 => Just(NoName),
    ];
    let odd = prop_oneof![2 => Just(None), 1 => Just(Some(Odd::Denied)), 1 => Just(Some(Odd::Unreadable))];
    let times = prop_oneof![Just(1), Just(3), Just(usize::MAX)];
    let id = prop_oneof![Just("task"), Just("job/2026/11 a%2F?#"), Just("long")];
    (0..30i64, 0..25i64, 0..200i64, spelling, odd, times, id, proptest::bool::weighted(0.9)).prop_map(
        |(after, listed, ends, spelling, odd, times, id, has_time)| Accepted {
            after,
            listed,
            ends,
            spelling,
            odd,
            times,
            id,
            has_time,
        },
    )
}

fn leap() -> impl Strategy<Value = (i64, i64)> {
    let by = prop_oneof![4 => Just(0), 1 => Just(20 * 60), 1 => Just(-20 * 60), 1 => Just(3 * 3600), 1 => Just(-3 * 3600), 1 => Just(26 * 3600)];
    (by, -30..100i64)
}

fn world() -> impl Strategy<Value = World> {
    let submit = (0..3u8, proptest::option::of(accepted()), proptest::bool::weighted(0.1))
        .prop_map(|(file, accepted, was_absent)| Submit { file, accepted, was_absent });
    (
        proptest::collection::vec(submit, 1..4),
        proptest::option::of(1..100i64),
        leap(),
        leap(),
        proptest::bool::weighted(0.8),
        prop_oneof![3 => Just(0), 1 => Just(90), 1 => Just(i64::MAX)],
        proptest::bool::weighted(0.8),
        proptest::option::of(60..7200i64),
    )
        .prop_map(|(submits, inherited, service_leap, wall_leap, has_dates, unreadable, is_alive, older)| World {
            submits,
            inherited,
            service_leap,
            wall_leap,
            has_dates,
            unreadable,
            is_alive,
            older,
        })
        // What cannot be seen: between two runs both clocks leap together.
        .prop_filter("equal leaps", |world| {
            world.inherited.is_none()
                || world.service_leap.0 == 0
                || (world.service_leap.0 - world.wall_leap.0).abs() > 30 * 60
        })
}

fn url(file: u8) -> String {
    format!("https://h/%E5%AE%A2/{file}.wav?key={file}")
}

/// A task at the service; times in seconds since the submits.
struct Made {
    id: TaskId,
    gmt_create: Option<Timestamp>,
    listed: i64,
    ends: i64,
    names: Vec<String>,
    unnamed: usize,
    odd: Option<Odd>,
    odd_left: usize,
}

impl World {
    fn service_time(&self, second: i64) -> Timestamp {
        let (by, at) = self.service_leap;
        Timestamp::from_second(1_790_000_000 + second + if second >= at { by } else { 0 }).unwrap()
    }

    fn wall(&self, second: i64) -> Timestamp {
        let (by, at) = self.wall_leap;
        Timestamp::from_second(1_789_999_900 + second + if second >= at { by } else { 0 }).unwrap()
    }

    fn made(&self) -> Vec<(Option<usize>, Made)> {
        let task = |id: String, created: i64| Made {
            id: TaskId::new(id).unwrap(),
            gmt_create: Some(self.service_time(created)),
            listed: created,
            ends: created,
            names: Vec::new(),
            unnamed: 0,
            odd: None,
            odd_left: 0,
        };
        let mut made = Vec::new();
        for (n, submit) in self.submits.iter().enumerate() {
            let Some(accepted) = &submit.accepted else { continue };
            let id =
                if accepted.id == "long" { format!("{n}-{}", "x".repeat(210)) } else { format!("{}-{n}", accepted.id) };
            let name = accepted.spelling.of(&url(submit.file));
            let task = task(id, accepted.after);
            made.push((
                Some(n),
                Made {
                    gmt_create: task.gmt_create.filter(|_| accepted.has_time),
                    listed: accepted.after + accepted.listed,
                    ends: accepted.after + accepted.ends,
                    unnamed: usize::from(name.is_none()),
                    names: name.into_iter().collect(),
                    odd: accepted.odd,
                    odd_left: accepted.times,
                    ..task
                },
            ));
        }
        if let Some(before) = self.older {
            made.push((None, Made { names: vec![url(self.submits[0].file)], ..task("older".to_owned(), -before) }));
        }
        if self.is_alive {
            made.extend((0..30).map(|n| {
                (
                    None,
                    Made { names: vec!["https://h/other.wav".to_owned()], ..task(format!("other-{n}"), n * 40 - 100) },
                )
            }));
        }
        made
    }

    /// Whether the search can tell everything.
    fn is_plain(&self) -> bool {
        let is_plain = |accepted: &Accepted| {
            accepted.odd.is_none_or(|_| accepted.times <= 3)
                && accepted.spelling == Spelling::Verbatim
                && accepted.has_time
        };
        self.service_leap.0 == 0
            && self.wall_leap.0 == 0
            && self.has_dates
            && self.unreadable < 100
            && self.is_alive
            && self.submits.iter().all(|submit| !submit.was_absent && submit.accepted.as_ref().is_none_or(is_plain))
    }

    /// Runs the search for 20 minutes and returns what it found.
    fn run(&self) -> BTreeMap<usize, (i64, SearchOutcome)> {
        let begun = Instant::now() + Duration::from_secs(10_000);
        let instant = |second: i64| {
            let distance = Duration::from_secs(second.unsigned_abs());
            if second < 0 { begun - distance } else { begun + distance }
        };
        let first = self.inherited.unwrap_or(2);
        let mut clock: Option<ServiceClock> = None;
        let read = |clock: &mut Option<ServiceClock>, second: i64| {
            if self.has_dates {
                let time = self.service_time(second);
                match clock {
                    Some(clock) => clock.read(time, instant(second)),
                    None => *clock = Some(ServiceClock::new(time, instant(second))),
                }
            }
        };
        // The greeting of the run that submitted.
        read(&mut clock, -1);
        let server_time = clock.map(|clock| clock.last(instant(0)));
        if self.inherited.is_some() {
            clock = None;
            read(&mut clock, first);
        }
        let mut uncertain = Uncertain::new("paraformer-v2", LIST_LAG);
        uncertain.next = instant(first);
        for (n, submit) in self.submits.iter().enumerate() {
            let sent = std::iter::once((RecordingNo::new(n as u32 + 1), url(submit.file).into())).collect();
            let attempt = Attempt { sent, at: self.wall(0), server_time };
            let no = AttemptNo::new(n as u64 + 1);
            if self.inherited.is_some() {
                uncertain.inherit(no, &attempt, submit.was_absent, instant(first));
            } else {
                uncertain.add(no, &attempt, submit.was_absent, instant(0), instant(first));
            }
        }
        let mut tasks = self.made();
        let mut owned: Vec<TaskId> = Vec::new();
        let mut found = BTreeMap::new();
        for second in first..first + 1200 {
            if !uncertain.list_due(instant(second)) {
                continue;
            }
            uncertain.list_begun();
            read(&mut clock, second);
            let now = Now { instant: instant(second), wall: self.wall(second), service: clock };
            let since = uncertain.since(now);
            let rows =
                tasks.iter().filter(|(_, made)| made.listed <= second && made.gmt_create.is_none_or(|at| at >= since));
            let rows = rows.map(|(_, made)| Listed {
                id: made.id.clone(),
                status: if made.ends <= second { TaskStatus::Succeeded } else { TaskStatus::Running },
                model: Some("paraformer-v2".to_owned()),
                created: made.gmt_create,
                ended: None,
                raw: serde_json::Value::Null,
            });
            let unreadable = u64::from(second < self.unreadable);
            uncertain.listed(Reading { begun: instant(second), rows: rows.collect(), unreadable });
            for id in uncertain.examine(|id| owned.contains(id), now) {
                let (_, made) = tasks.iter_mut().find(|(_, made)| made.id == id).unwrap();
                let answer = match made.odd.filter(|_| made.odd_left > 0) {
                    Some(Odd::Denied) => Answer::Denied("UNKNOWN".to_owned()),
                    Some(Odd::Unreadable) => Answer::Unreadable("500".to_owned()),
                    None => Answer::Ended { names: made.names.clone(), unnamed: made.unnamed },
                };
                made.odd_left = made.odd_left.saturating_sub(1);
                uncertain.examined(id, answer, instant(second));
            }
            for (no, outcome) in uncertain.judge(|id| owned.contains(id), |_| false, now) {
                if let SearchOutcome::Task(id) = &outcome {
                    assert!(!owned.contains(id), "{id} is given twice");
                    owned.push(id.clone());
                }
                let n = (0..self.submits.len()).find(|n| AttemptNo::new(*n as u64 + 1) == no).unwrap();
                assert!(found.insert(n, (second, outcome)).is_none(), "two outcomes of submit {n}");
            }
        }
        found
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn what_was_accepted_is_never_absent(world in world()) {
        let made = world.made();
        let found = world.run();
        let file_of = |id: &TaskId| {
            let (submit, _) = made.iter().find(|(_, made)| made.id == *id)?;
            Some(submit.map_or(world.submits[0].file, |n| world.submits[n].file))
        };
        for (n, submit) in world.submits.iter().enumerate() {
            match found.get(&n) {
                Some((second, SearchOutcome::Absent)) => {
                    prop_assert!(*second >= LIST_LAG.as_secs() as i64, "absent after {} s", second);
                    prop_assert!(!submit.was_absent, "repeated twice");
                }
                Some((_, SearchOutcome::Task(id))) => prop_assert_eq!(file_of(id), Some(submit.file), "{}", id),
                Some((_, SearchOutcome::Stuck(_))) | None => {}
            }
        }
        // Of several submits of one file it cannot be told which was accepted, but how many were.
        for file in 0..3 {
            let of_file = || (0..).zip(&world.submits).filter(|(_, submit)| submit.file == file);
            let accepted = of_file().filter(|(_, submit)| submit.accepted.is_some()).count();
            let absent = of_file().filter(|(n, _)| matches!(found.get(n), Some((_, SearchOutcome::Absent)))).count();
            prop_assert!(absent + accepted <= of_file().count(), "{} of file {} absent: {:?}", absent, file, found);
            if world.is_plain() && world.older.is_none_or(|before| before > 120) {
                let taken = of_file().filter(|(n, _)| matches!(found.get(n), Some((_, SearchOutcome::Task(_))))).count();
                prop_assert_eq!((taken, absent), (accepted, of_file().count() - accepted), "{:?}", found);
            }
        }
        // Whatever happens, the search ends.
        prop_assert_eq!(found.len(), world.submits.len(), "{:?}", found);
    }
}

/// A search for one submit, without any task at the service.
fn one(departed: Departure, begun: Instant) -> Uncertain {
    let mut uncertain = Uncertain::new("fun-asr", LIST_LAG);
    let sent = ["https://h/a.wav".to_owned()].into();
    let attempt = OpenAttempt { sent, departure: departed, proof: begun + LIST_LAG, was_absent: false, stuck: None };
    uncertain.open.insert(AttemptNo::new(1), attempt);
    uncertain
}

#[test]
fn a_submit_over_a_day_old_is_looked_for_no_more() {
    let begun = Instant::now();
    let at = Timestamp::from_second(1_790_000_000).unwrap();
    let mut uncertain = one(Departure::Inherited { at, server_time: Some(at) }, begun);
    let later = at.saturating_add(SignedDuration::from_hours(24)).unwrap();
    // Our clock was set back meanwhile.
    let now = Now { instant: begun, wall: at, service: Some(ServiceClock::new(later, begun)) };
    uncertain.listed(Reading { begun: begun + LIST_LAG * 2, rows: Vec::new(), unreadable: 0 });
    let found = uncertain.judge(|_| false, |_| false, now);
    assert_eq!(found, [(AttemptNo::new(1), SearchOutcome::Stuck(TOO_OLD.to_owned()))]);
    assert!(!uncertain.holds("https://h/a.wav") && uncertain.wake().is_none());
    assert_eq!(uncertain.stuck().count(), 1);
}

#[test]
fn a_list_that_is_down_for_minutes_ends_the_search_and_one_that_hiccups_does_not() {
    let start = Instant::now();
    let at = Timestamp::from_second(1_790_000_000).unwrap();
    let now = Now { instant: start, wall: at, service: None };
    let mut uncertain = one(Departure::Known { left: start, over: start }, start);
    assert!(uncertain.holds("https://h/a.wav"));
    assert!(!uncertain.list_failed("busy", false, start));
    assert!(!uncertain.list_failed("busy", false, start + BLIND));
    uncertain.listed(Reading { begun: start, rows: Vec::new(), unreadable: 0 });
    assert_eq!(uncertain.judge(|_| false, |_| false, now), [], "too early to prove anything");
    assert!(!uncertain.list_failed("busy", false, start + BLIND * 2));
    assert!(uncertain.list_failed("busy", false, start + BLIND * 4));
    // A list that is refused ends it at once.
    let mut uncertain = one(Departure::Known { left: start, over: start }, start);
    assert!(uncertain.list_failed("Access denied.", true, start));
    assert!(uncertain.stuck().all(|(_, why)| why == "cannot list tasks: Access denied."));
}
