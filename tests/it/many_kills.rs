//! Batches that are killed again and again until they are done: between requests, at random moments, and at system calls.
//!
//! `TALKMETER_KILLS=1000 cargo test --test it many_kills -- --ignored --nocapture`; 20 kills without it. Printed are kills,
//! and the files that were accepted, stored, lost and billed twice.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "at night the environment says how long, and the counts are what one wants to see"
)]

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use talkmeter::emulator::{Scenario, Settings};

use crate::batch::MODEL;
use crate::kills::Dice;
use crate::scene::{Ran, Scene};
use crate::service::Service;

/// Kills of one batch, then it may end.
const KILLS_A_BATCH: i64 = 20;
const FILES: usize = 60;
/// Batches at the same time: they mostly wait for proof that a lost submit was not accepted.
const AT_ONCE: u64 = 6;

/// The calls at which something is about to become durable, visible or known elsewhere, and how often each is made.
const CALLS: [(&str, u64); 10] = [
    ("fdatasync", 60),
    ("fsync", 40),
    ("rename,renameat,renameat2", 30),
    ("write,pwrite64,writev", 200),
    ("sendto,sendmsg", 200),
    ("recvfrom,recvmsg,read", 200),
    ("openat", 200),
    ("unlink,unlinkat", 10),
    ("ftruncate,flock,fcntl", 10),
    ("mkdir,statx", 60),
];

#[derive(Debug, Default)]
struct Counts {
    batches: u64,
    kills: u64,
    accepted: u64,
    stored: u64,
    lost: u64,
    twice: u64,
}

#[test]
#[ignore = "takes minutes; TALKMETER_KILLS=1000 at night"]
fn batches_killed_at_any_moment_lose_nothing_and_bill_nothing_twice() {
    kill_batches("any moment", |dice, service, scene, run| {
        let last = service.requests() + 1 + dice.below(40);
        let (start, life) = (Instant::now(), Duration::from_millis(dice.below(1500)));
        scene.run_while(run, |child| {
            if service.requests() >= last || start.elapsed() >= life {
                child.kill().unwrap();
            }
        })
    });
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "takes minutes; needs strace that may trace"]
fn batches_killed_at_a_system_call_lose_nothing_and_bill_nothing_twice() {
    let traced = std::process::Command::new("strace").args(["-f", "-qq", "-e", "trace=none", "true"]).output();
    if !traced.is_ok_and(|traced| traced.status.success()) {
        eprintln!("NOT RUN: kills at system calls: no strace that may trace");
        return;
    }
    kill_batches("a system call", |dice, _, scene, run| {
        let (calls, often) = CALLS[dice.below(CALLS.len() as u64) as usize];
        let at = 1 + dice.below(often);
        let inject = format!("inject={calls}:signal=KILL:when={at}");
        scene
            .under(&["strace", "-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={calls}"), "-e", &inject])
            .run(run)
    });
}

/// Kills batches, one after another on several threads, until there were enough kills.
fn kill_batches(at: &str, run: impl Fn(&mut Dice, &Service, Scene, &str) -> Ran + Sync) {
    let wanted = std::env::var("TALKMETER_KILLS").map_or(KILLS_A_BATCH, |kills| kills.parse().unwrap());
    let left = AtomicI64::new(wanted);
    let counts = Mutex::new(Counts::default());
    std::thread::scope(|scope| {
        for thread in 0..AT_ONCE {
            let (left, counts, run) = (&left, &counts, &run);
            scope.spawn(move || {
                let mut dice = Dice(20_261_129 + thread);
                while left.load(Ordering::Relaxed) > 0 {
                    let most = KILLS_A_BATCH.min(left.load(Ordering::Relaxed));
                    left.fetch_sub(kill_batch(&mut dice, most, run, counts), Ordering::Relaxed);
                }
            });
        }
    });
    let counts = counts.into_inner().unwrap();
    println!("killed at {at}: {counts:?}");
    assert!(counts.kills >= wanted as u64);
    assert_eq!((counts.lost, counts.twice), (0, 0), "{counts:?}");
    assert_eq!(counts.stored, counts.batches * FILES as u64);
}

/// Kills one batch until it is done, then compares what was accepted with what lies there. Returns the number of kills.
fn kill_batch(
    dice: &mut Dice,
    kills: i64,
    run: impl Fn(&mut Dice, &Service, Scene, &str) -> Ran,
    counts: &Mutex<Counts>,
) -> i64 {
    let urls: Vec<String> = (0..FILES).map(|n| format!("https://calls.example/call-{n:02}.wav")).collect();
    // Answers get lost on the way, too.
    let scenario = "[[fault]]\non = \"submit\"\nskip = 5\ndo = \"reset_after\"\n\
                    [[fault]]\non = \"result\"\nskip = 3\ntimes = 2\ndo = \"truncate\"\n\
                    [[fault]]\non = \"query\"\nskip = 2\ntimes = 2\ndo = \"status\"\nstatus = 500\n";
    let scenario = Scenario::parse(scenario).unwrap();
    let settings = Settings { scenario, clock_speed: Some(3.0), ..Settings::default() };
    let service = Service::start(settings).optional("");
    let line = format!("transcribe --files-from list.txt -o out {MODEL}");
    let mut scene = service.scene().write("list.txt", urls.join("\n"));
    let mut killed = 0;
    let mut ends = 0;
    let ran = loop {
        if killed >= kills || ends >= 6 {
            break scene.run(&line).exits(0);
        }
        let mut ran = run(dice, &service, scene, &line);
        if ran.was_killed() {
            killed += 1;
        } else {
            // Done before its time. What follows are batches that are opened again.
            ran = ran.exits(0);
            ends += 1;
        }
        scene = service.then(ran);
    };
    let books = service.balances(&ran);
    let accepted = service.accepted();
    let mut counts = counts.lock().unwrap();
    counts.batches += 1;
    counts.kills += killed as u64;
    counts.accepted += accepted.values().sum::<u64>();
    counts.twice += accepted.values().map(|times| times - 1).sum::<u64>();
    counts.stored += books.stored.len() as u64;
    counts.lost += (FILES - books.stored.len()) as u64;
    killed
}
