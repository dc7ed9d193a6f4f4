//! Ends of every kind: killed at any moment, stopped, cut off within a line of the ledger, taken up days later.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use talkmeter::batch::{Batch, BatchRequest, ManifestBuilder, Summary};
use talkmeter::client::{ApiKey, Client, Recognition};
use talkmeter::emulator::Settings;
use talkmeter::time::Clock;

use crate::batch::{MODEL, wav};
use crate::scene::Scene;
use crate::service::{Books, KEY, Service};

/// Chance that falls the same way every time.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

fn urls(n: usize) -> Vec<String> {
    (0..n).map(|n| format!("https://calls.example/call-{n:03}.wav")).collect()
}

#[test]
fn a_batch_that_is_killed_again_and_again_bills_every_file_once_and_loses_no_result() {
    let urls = urls(200);
    let mut scene = Scene::new();
    for n in 0..urls.len() {
        scene =
            scene.write(&format!("recorded/call-{n:03}.json"), format!("{{\"transcripts\":[],\"number\":  {n} }}\n"));
    }
    let recorded = scene.path("recorded");
    let settings = Settings { results: Some(recorded.clone()), clock_speed: Some(10.0), ..Settings::default() };
    let service = Service::start(settings);
    let run = format!("transcribe --files-from list.txt -o out {MODEL}");
    let mut dice = Dice(20_261_121);
    let mut scene = service.scene().write("list.txt", urls.join("\n"));
    let mut kills = 0;
    let ran = loop {
        // So many requests more, and it is dead.
        let last = if kills < 16 { service.requests() + 2 + dice.below(100) } else { u64::MAX };
        let mut ran = scene.run_while(&run, |child| {
            if service.requests() >= last {
                child.kill().unwrap();
            }
        });
        if !ran.was_killed() {
            break ran.exits(0);
        }
        kills += 1;
        scene = service.then(ran);
    };
    assert!(kills >= 8, "killed {kills} times only");
    service.accepted_once(&urls);
    let books = Books::balance(&ran);
    assert_eq!(books.stored.len(), urls.len());
    for (n, _, file) in &books.stored {
        let n = *n - 1;
        assert_eq!(file, &format!("results/{:06}-call-{n:03}.json", n + 1));
        assert_eq!(
            ran.bytes(&format!("out/{file}")),
            std::fs::read(recorded.join(format!("call-{n:03}.json"))).unwrap()
        );
    }
    assert_eq!(ran.files("out/results").len(), urls.len());
    assert_eq!(ran.file("out/failures.csv").lines().count(), 1);
}

#[test]
#[cfg(unix)]
fn a_batch_that_is_told_to_stop_says_how_to_go_on() {
    let urls = urls(60);
    let service = Service::new();
    let run = format!("transcribe --files-from list.txt -o out {MODEL}");
    let mut told = false;
    let ran = service.scene().write("list.txt", urls.join("\n")).run_while(&run, |child| {
        if !told && service.of_kind("submit") > 5 {
            told = true;
            let kill = std::process::Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status();
            assert!(kill.unwrap().success());
        }
    });
    let ran = ran.exits(130).says("stopping: ").says("stopped; run the same command to resume");
    let accepted = service.accepted().len();
    assert!((5..60).contains(&accepted), "{accepted}");
    let books = Books::balance(&ran);
    assert_eq!(books.count("intent"), books.count("accepted"), "a submit was under way");
    let ran = service.then(ran).run(&run).exits(0).says("resuming: ");
    service.accepted_once(&urls).was_asked("submit", 60);
    assert_eq!(Books::balance(&ran).stored.len(), 60);
}

/// A clock that shows one moment.
#[derive(Debug, Clone, Copy)]
struct Still(Timestamp);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        self.0
    }
}

pub(crate) fn client(service: &Service) -> Client {
    let key = ApiKey::new(KEY).unwrap();
    let region = talkmeter::catalog::Region::Cn;
    Client::builder().region(region).base_url(service.base_url()).api_key(key).build().unwrap()
}

fn order(urls: &[&str]) -> BatchRequest {
    let mut draft = ManifestBuilder::default();
    urls.iter().for_each(|url| draft.argument(url.as_ref()));
    let items = if urls.is_empty() { Vec::new() } else { draft.finish().unwrap().recordings };
    BatchRequest::new(Recognition::new("paraformer-v2"), items).list_lag(Duration::from_secs(10))
}

async fn carried(service: &Service, dir: &Path, order: BatchRequest, clock: Still) -> Summary {
    let batch = Batch::open_at(dir, client(service), order, Arc::new(clock)).unwrap();
    batch.run_to_end().await.unwrap()
}

const FOUR: [&str; 4] = [
    "https://calls.example/plain.wav",
    "https://calls.example/refused.wav",
    "https://calls.example/unanswered.wav",
    "https://calls.example/silent.wav",
];

/// A service, and a finished batch of four: one plain, one refused at first, one found in the list, one silent.
fn finished(dir: &Path, clock: Still) -> Service {
    let service = Service::with(
        "[[fault]]\non = \"submit\"\nurl_contains = \"refused\"\ndo = \"status\"\nstatus = 429\n\
         [[fault]]\non = \"submit\"\nurl_contains = \"unanswered\"\ndo = \"reset_after\"\n\
         [[fault]]\non = \"recognition\"\nurl_contains = \"silent\"\ntimes = 0\ndo = \"silence\"\n",
    );
    let summary = service.block_on(carried(&service, dir, order(&FOUR), clock));
    assert_eq!((summary.counts.stored, summary.counts.silent, summary.counts.total()), (3, 1, 4));
    service.accepted_once(&FOUR);
    let books = Books::of(&std::fs::read_to_string(dir.join("ledger.jsonl")).unwrap(), dir);
    assert_eq!(
        ["refused", "uncertain", "accepted", "ended", "stored"].map(|event| books.count(event)),
        [1, 1, 4, 4, 4]
    );
    service
}

/// The folder of a batch whose ledger ended after some lines, with the results that these name and a half-written one.
fn cut_off(whole: &Path, lines: &[&str]) -> tempfile::TempDir {
    // In memory where possible: a ledger is flushed to disk each time it is opened, thousands of times here.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    std::fs::create_dir(folder.path().join("results")).unwrap();
    std::fs::write(folder.path().join("ledger.jsonl"), lines.concat()).unwrap();
    for line in lines {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        if let Some(file) = line["file"].as_str() {
            std::fs::copy(whole.join(file), folder.path().join(file)).unwrap();
        }
    }
    std::fs::write(folder.path().join("results/.talkmeter-a1b2c3.tmp"), "{\"transcr").unwrap();
    folder
}

/// Whether a submit of this file had left and was not answered by no, after these lines.
fn is_under_way(lines: &[&str], n: u64) -> bool {
    let mut attempts: BTreeMap<u64, bool> = BTreeMap::new();
    let mut under_way = false;
    for line in lines {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let attempt = line["attempt"].as_u64();
        match line["event"].as_str() {
            Some("intent") => {
                let ours = line["items"].as_array().unwrap().iter().any(|item| item == n);
                attempts.insert(attempt.unwrap(), ours);
                under_way |= ours;
            }
            Some("refused" | "absent" | "given_up") if attempts[&attempt.unwrap()] => under_way = false,
            _ => {}
        }
    }
    under_way
}

#[test]
fn whatever_line_was_the_last_the_batch_goes_on_and_bills_nothing_twice() {
    let whole = tempfile::tempdir().unwrap();
    let clock = Still(Timestamp::now());
    let service = finished(whole.path(), clock);
    let ledger = std::fs::read_to_string(whole.path().join("ledger.jsonl")).unwrap();
    let lines: Vec<&str> = ledger.split_inclusive('\n').collect();
    let mut expected: BTreeMap<String, u64> = FOUR.iter().map(|url| ((*url).to_owned(), 1)).collect();
    let mut folders = Vec::new();
    for last in 0..=lines.len() {
        let written = &lines[..last];
        folders.push(cut_off(whole.path(), written));
        // What had left is never sent again. The service has taken it, so it must be found. What had not left goes out.
        for (n, url) in (1..).zip(FOUR) {
            *expected.get_mut(url).unwrap() += u64::from(!is_under_way(written, n));
        }
    }
    let later = Still(clock.0.saturating_add(SignedDuration::from_secs(60)).unwrap());
    let runs = folders.iter().map(|folder| carried(&service, folder.path(), order(&FOUR), later));
    let summaries = service.block_on(futures_util::future::join_all(runs));
    assert_eq!(service.accepted(), expected);
    for (last, (summary, folder)) in summaries.iter().zip(&folders).enumerate() {
        assert_eq!((summary.counts.stored, summary.counts.silent), (3, 1), "after line {last}: {summary:?}");
        let ledger = std::fs::read_to_string(folder.path().join("ledger.jsonl")).unwrap();
        Books::of(&ledger, folder.path());
        assert!(ledger.starts_with(&lines[..last].concat()), "line {last}: what was written was changed");
        for result in ["000001-plain", "000002-refused", "000003-unanswered", "000004-silent"] {
            let file = PathBuf::from(format!("results/{result}.json"));
            let read = |folder: &Path| std::fs::read(folder.join(&file)).unwrap();
            assert!(read(folder.path()) == read(whole.path()), "after line {last}: {result} differs");
        }
    }
}

#[test]
fn a_ledger_cut_off_at_any_byte_is_one_cut_off_at_a_line() {
    let whole = tempfile::tempdir().unwrap();
    let clock = Still(Timestamp::now());
    let service = finished(whole.path(), clock);
    let ledger = std::fs::read_to_string(whole.path().join("ledger.jsonl")).unwrap();
    let lines: Vec<&str> = ledger.split_inclusive('\n').collect();
    let client = client(&service);
    // What lies in the folder after the batch was opened, and nothing else done.
    let opened = |folder: &Path, bytes: &str| {
        std::fs::write(folder.join("ledger.jsonl"), bytes).unwrap();
        // Other stories start commands all the while, which for a moment share every file that is open here.
        let batch = Batch::open_at(folder, client.clone(), order(&FOUR), Arc::new(clock)).unwrap();
        (std::fs::read_to_string(folder.join("ledger.jsonl")).unwrap(), batch.counts())
    };
    let folder = cut_off(whole.path(), &lines);
    let at_lines: Vec<_> = (0..=lines.len()).map(|last| opened(folder.path(), &lines[..last].concat())).collect();
    for (ledger, _) in &at_lines {
        Books::of(ledger, folder.path());
    }
    for at in 0..ledger.len() {
        let written = ledger.get(..at).unwrap();
        // A line that lacks its break alone is whole.
        let last = written.matches('\n').count() + usize::from(ledger.as_bytes()[at] == b'\n');
        assert!(opened(folder.path(), written) == at_lines[last], "cut off at byte {at}, in line {}", last + 1);
    }
}

fn hours_later(hours: i64) -> Still {
    Still(Timestamp::now().saturating_add(SignedDuration::from_hours(hours)).unwrap())
}

#[test]
fn after_a_day_an_uncertain_submit_stays_open_until_somebody_decides() {
    let service = Service::with(
        "[[fault]]\non = \"submit\"\ndo = \"reset_after\"\n\
         [[fault]]\non = \"list\"\nskip = 1\ndo = \"status\"\nstatus = 403\n",
    );
    let ran = service.scene().run(&format!("transcribe {} -o out {MODEL}", FOUR[0])).exits(3);
    let out = ran.path("out");
    let summary = service.block_on(carried(&service, &out, order(&[]), hours_later(25)));
    assert_eq!((summary.counts.uncertain, summary.failures[0].code.as_str()), (1, "submit_uncertain"));
    assert!(summary.failures[0].message.contains("over 24 hours old"), "{summary:?}");
    service.accepted_once(&FOUR[..1]);
    let again = order(&[]).resubmit_uncertain(true);
    let summary = service.block_on(carried(&service, &out, again, hours_later(25)));
    assert_eq!((summary.counts.stored, service.accepted()[FOUR[0]]), (1, 2));
}

#[test]
fn a_task_that_nobody_collected_for_a_day_has_failed_and_is_not_submitted_again() {
    let service = Service::new();
    let ran = service.scene().run(&format!("transcribe {} -o out {MODEL} --detach", FOUR[0])).exits(0);
    service.advance(Duration::from_secs(25 * 3600));
    let out = ran.path("out");
    let summary = service.block_on(carried(&service, &out, order(&[]), hours_later(25)));
    assert_eq!((summary.counts.failed, summary.failures[0].code.as_str()), (1, "task_unknown"));
    service.accepted_once(&FOUR[..1]);
    let summary = service.block_on(carried(&service, &out, order(&[]).retry_failed(true), hours_later(25)));
    assert_eq!((summary.counts.stored, service.accepted()[FOUR[0]]), (1, 2));
}

#[test]
fn an_upload_that_will_soon_be_forgotten_is_made_anew() {
    let service = Service::with("[[fault]]\non = \"submit\"\ndo = \"status\"\nstatus = 400\ncode = \"Arrearage\"\n");
    let scene = service.scene().write("a.wav", wav(1, 16_000, 1));
    let ran = scene.run(&format!("transcribe a.wav -o out {MODEL}")).exits(4);
    service.was_asked("upload", 1);
    let out = ran.path("out");
    let summary = service.block_on(carried(&service, &out, order(&[]), hours_later(43)));
    assert_eq!(summary.counts.stored, 1);
    service.was_asked("upload", 2);
    assert_eq!(Books::balance(&ran).count("uploaded"), 2);
}

#[test]
fn a_run_whose_time_is_up_leaves_its_tasks_at_the_service() {
    let service = Service::with("[[fault]]\non = \"recognition\"\ntimes = 0\ndo = \"hold\"\nhold_s = 3600\n");
    let run = format!("transcribe {} {} -o out {MODEL}", FOUR[0], FOUR[3]);
    let ran = service.scene().run(&format!("{run} --within 3s --format json")).exits(3);
    assert_eq!(ran.json()[0]["at_service"], 2);
    let ran =
        ran.says("time is up (--within): 2 files not done, 2 of them at the service; run the same command to resume");
    service.advance(Duration::from_secs(4000));
    let ran = service.then(ran).run(&run).exits(0);
    service.accepted_once(&[FOUR[0], FOUR[3]]);
    assert_eq!(service.balances(&ran).stored.len(), 2);
}

#[test]
fn the_open_tasks_of_a_batch_can_be_cancelled() {
    let service = Service::with("[[fault]]\non = \"recognition\"\ntimes = 0\ndo = \"hold\"\npending_s = 3600\n");
    let run = format!("transcribe {} {} -o out {MODEL}", FOUR[0], FOUR[3]);
    let ran = service.scene().run(&format!("{run} --detach")).exits(0);
    let ran = service.then(ran).run("task cancel --batch out --format jsonl").exits(0);
    assert_eq!(ran.lines().iter().filter(|row| row["status"] == "CANCELED").count(), 2);
    let ran = service.then(ran).run(&run).exits(3);
    assert_eq!(ran.file("out/failures.csv").matches("task_canceled").count(), 2);
    // Nothing is open any more.
    let ran = service.then(ran).run("task cancel --batch out").exits(0).says("no task of this batch is open");
    service.then(ran).run("task cancel --batch nowhere").exits(2).says("nowhere: no folder of `transcribe`");
}

#[test]
fn a_task_that_is_gone_early_is_submitted_again_only_when_told_so() {
    let service = Service::with("[[fault]]\non = \"query\"\ntimes = 8\ndo = \"unknown\"\n");
    let ran = service.scene().run(&format!("transcribe {} -o out {MODEL} --detach", FOUR[0])).exits(0);
    let out = ran.path("out");
    let summary = service.block_on(carried(&service, &out, order(&[]), hours_later(1)));
    assert_eq!((summary.counts.in_flight, summary.failures[0].code.as_str()), (1, "task_unknown"));
    let summary = service.block_on(carried(&service, &out, order(&[]).retry_failed(true), hours_later(1)));
    assert_eq!((summary.counts.stored, service.accepted()[FOUR[0]]), (1, 2));
}

#[test]
fn a_host_without_a_list_of_tasks_leaves_lost_submits_to_a_person() {
    let service = Service::with(
        "[[fault]]\non = \"list\"\ntimes = 0\ndo = \"status\"\nstatus = 404\n\
         [[fault]]\non = \"submit\"\nurl_contains = \"plain\"\ndo = \"reset_after\"\n",
    );
    let run = format!("transcribe {} {} -o out {MODEL}", FOUR[0], FOUR[3]);
    let ran = service.scene().run(&run).exits(3);
    let ran = ran.says("--resubmit-uncertain submits it again, and may bill twice");
    assert_eq!(service.balances(&ran).stored.len(), 1);
    service.accepted_once(&[FOUR[0], FOUR[3]]);
    service.then(ran).run(&format!("{run} --resubmit-uncertain")).exits(0);
    assert_eq!((service.accepted()[FOUR[0]], service.accepted()[FOUR[3]]), (2, 1));
}
