//! The service limits the rate of requests: everything waits as long as it takes, and nothing is sent twice.

use std::time::{Duration, Instant};

use talkmeter::batch::{Batch, BatchRequest, ManifestBuilder, Progress, RunOptions};
use talkmeter::catalog::Region;
use talkmeter::client::{ApiKey, Client, Recognition, RetryPolicy};

use crate::service::{KEY, Service};

/// Submits are refused this often; healthy queries go on meanwhile.
const REFUSED: &str = "[[fault]]\non = \"submit\"\nskip = 3\ntimes = 8\ndo = \"status\"\nstatus = 429\n\
    code = \"Throttling.RateQuota\"\nmessage = \"Requests rate limit exceeded, please try again later.\"\n";

#[test]
fn ninety_seconds_of_throttled_submits_pass_and_every_file_is_sent_once() {
    let service = Service::with(REFUSED);
    let urls: Vec<String> = (0..12).map(|n| format!("https://calls.example/{n}.wav")).collect();
    let scene = service.scene();
    // Minutes become seconds: pauses of 10 ms to 1.2 s instead of 0.5 s to 60 s.
    let policy = RetryPolicy::default().first_delay(Duration::from_millis(10));
    let policy = policy.throttle_pause(Duration::from_millis(1200)).throttle_total(Duration::from_secs(6));
    let key = ApiKey::new(KEY).unwrap();
    let client = Client::builder().base_url(service.base_url()).api_key(key).retry(policy).build().unwrap();
    let mut builder = ManifestBuilder::default();
    urls.iter().for_each(|url| builder.argument(url.as_ref()));
    let request = BatchRequest::new(Recognition::new("paraformer-v2"), builder.finish().unwrap().recordings);
    let batch = Batch::open(&scene.path("out"), client, request).unwrap();
    let begun = Instant::now();
    let summary = service.block_on(batch.run_to_end()).unwrap();
    assert_eq!((summary.counts.stored, summary.failures.len()), (12, 0), "{summary:?}");
    // Eight refusals in a row double the pause eight times, however many queries succeed in between.
    assert!(
        begun.elapsed() > Duration::from_millis(10 + 20 + 40 + 80 + 160 + 320 + 640 + 1200),
        "{:?}",
        begun.elapsed()
    );
    service.accepted_once(&urls);
    assert_eq!(service.of_kind("submit"), 12 + 8, "a pause holds all submits back, not only the refused one");
}

#[test]
fn submits_that_fail_otherwise_pause_longer_and_longer_while_queries_go_well() {
    // Three tasks take long and are polled meanwhile; then the service is overloaded for submits.
    let service = Service::with(
        "[[fault]]\non = \"recognition\"\ntimes = 3\ndo = \"hold\"\nhold_s = 20\n\
         [[fault]]\non = \"submit\"\nskip = 3\ntimes = 5\ndo = \"status\"\nstatus = 503\ncode = \"ModelServingError\"\n",
    );
    let urls: Vec<String> = (0..4).map(|n| format!("https://calls.example/{n}.wav")).collect();
    let scene = service.scene();
    let key = ApiKey::new(KEY).unwrap();
    let policy = RetryPolicy::default().retries(0);
    let client = Client::builder().base_url(service.base_url()).api_key(key).retry(policy).build().unwrap();
    let mut builder = ManifestBuilder::default();
    urls.iter().for_each(|url| builder.argument(url.as_ref()));
    let request = BatchRequest::new(Recognition::new("paraformer-v2"), builder.finish().unwrap().recordings);
    let batch = Batch::open(&scene.path("out"), client, request.poll_interval(Some(Duration::from_secs(1)))).unwrap();
    let (begun, mut notes) = (Instant::now(), Vec::new());
    let options = RunOptions::new().observer(|progress| {
        if let Progress::Note(line) = progress {
            notes.push(line.to_owned());
        }
    });
    let summary = service.block_on(batch.run(options)).unwrap();
    assert_eq!((summary.counts.stored, summary.failures.len()), (4, 0), "{summary:?}");
    drop(summary);
    // 0.5 + 0.5 + 1 + 2 + 4 s; if each good query shortened the pause, 2.5 s.
    assert!(begun.elapsed() > Duration::from_secs(8), "{:?}", begun.elapsed());
    assert_eq!(notes.iter().filter(|line| line.contains("retrying")).count(), 1, "{notes:?}");
    service.accepted_once(&urls);
}

#[test]
fn a_batch_says_once_that_it_is_throttled() {
    let service = Service::with(&REFUSED.replace("times = 8", "times = 3"));
    let ran = service.scene().run(
        "transcribe https://calls.example/1.wav https://calls.example/2.wav https://calls.example/3.wav \
         https://calls.example/4.wav -o out --model paraformer-v2",
    );
    let ran = ran.exits(0);
    let line = "the service limits the rate of requests to paraformer-v2 (Throttling.RateQuota)";
    assert_eq!(ran.err().matches(line).count(), 1, "{}", ran.err());
    assert_eq!(ran.err().matches("429").count(), 0, "{}", ran.err());
    assert_eq!(service.balances(&ran).stored.len(), 4);
}

#[test]
fn calls_outside_batches_wait_too() {
    let wait = |on: &str, line: &str| {
        // More refusals than there are retries.
        let service = Service::with(&REFUSED.replace("submit", on).replace("skip = 3\ntimes = 8", "times = 5"));
        let begun = Instant::now();
        let ran = service.scene().run(line).exits(0).says("the service limits the rate of");
        assert_eq!(ran.err().lines().filter(|said| said.contains("limits the rate")).count(), 1, "{}", ran.err());
        assert!(begun.elapsed() > Duration::from_millis(15_500), "{on}: {:?}", begun.elapsed());
    };
    std::thread::scope(|scope| {
        scope.spawn(|| wait("flash", "flash https://calls.example/clip-3s.wav --region intl"));
        scope.spawn(|| wait("vocabulary", "vocab list --region intl"));
        scope.spawn(|| wait("list", "task list --region intl"));
    });
}

#[test]
fn an_unknown_model_halts_a_batch_after_the_first_answers() {
    let service = Service::new();
    let list: String = (0..60).map(|n| format!("https://calls.example/{n}.wav\n")).collect();
    let run = "transcribe --files-from - -o out --model paraformer-v3 --no-check";
    let ran = service.scene().input(list).run(run).exits(1).says("Model not exist.").says("`talkmeter models`");
    service.was_asked("submit", 1);
    assert!(ran.err().matches("Model not exist").count() == 1, "{}", ran.err());
    service.accepted_once::<&str>(&[]);
}

#[test]
fn no_more_tasks_run_at_once_than_the_model_allows() {
    // Tasks take longer than the run lasts.
    let service = Service::with("[[fault]]\non = \"recognition\"\ntimes = 0\ndo = \"hold\"\nhold_s = 600\n");
    let scene = service.scene();
    let key = ApiKey::new(KEY).unwrap();
    let client = Client::builder().base_url(service.base_url()).api_key(key).region(Region::Cn).build().unwrap();
    let mut builder = ManifestBuilder::default();
    (0..110).for_each(|n| builder.argument(format!("https://calls.example/{n}.wav").as_ref()));
    let request = BatchRequest::new(Recognition::new("paraformer-8k-v2"), builder.finish().unwrap().recordings);
    let batch = Batch::open(&scene.path("out"), client, request).unwrap();
    let options = RunOptions::new().cancel(async { tokio::time::sleep(Duration::from_secs(9)).await });
    let summary = service.block_on(batch.run(options)).unwrap();
    assert_eq!((summary.counts.in_flight, summary.counts.waiting), (100, 10), "{summary:?}");
    service.was_asked("submit", 100);
}

#[test]
fn an_account_with_another_quota_has_another_pace() {
    let service = Service::new();
    let begun = Instant::now();
    let ran = service
        .scene()
        .run(
            "transcribe https://calls.example/1.wav https://calls.example/2.wav https://calls.example/3.wav \
             https://calls.example/4.wav -o out --model paraformer-v2 --rate 1 --poll-interval 500ms",
        )
        .exits(2)
        .says("--poll-interval");
    let ran = service.then(ran).run(
        "transcribe https://calls.example/1.wav https://calls.example/2.wav https://calls.example/3.wav \
         https://calls.example/4.wav -o out --model paraformer-v2 --rate 1 --poll-interval 1s",
    );
    assert_eq!(service.balances(&ran.exits(0)).stored.len(), 4);
    // Two at once, then one a second.
    assert!(begun.elapsed() >= Duration::from_secs(2), "{:?}", begun.elapsed());
}
