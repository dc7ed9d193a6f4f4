//! Answers that never end, or are larger than anything: each costs a bounded time and memory.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Hostile, Part, answer, json};
use crate::batch::MODEL;
use crate::scene::{Ran, files_below};
use crate::service::Service;

/// A task whose result is at `/result`.
fn task(base: &str) -> Vec<Part> {
    json(
        json!({"output": {"task_id": "t-1", "task_status": "SUCCEEDED", "results": [{"subtask_status": "SUCCEEDED",
            "file_url": "https://calls.example/1.wav", "transcription_url": format!("{base}/result")}]}})
        .to_string(),
    )
}

/// A service whose result this is.
fn with_result(result: impl Fn() -> Vec<Part> + Send + Sync + 'static) -> Hostile {
    Hostile::new(move |head, base| if head.starts_with("GET /result") { result() } else { task(base) })
}

fn open_ended() -> Part {
    Part::Bytes(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec())
}

/// Ever more parts, with waits between them.
fn drip(part: &[u8], times: usize, every: Duration) -> impl Iterator<Item = Part> {
    (0..times).flat_map(move |_| [Part::Bytes(part.to_vec()), Part::Wait(every)]).collect::<Vec<_>>().into_iter()
}

#[track_caller]
fn leaves_nothing(ran: &Ran) {
    let left = files_below(&ran.path("out"));
    assert!(left.is_empty(), "{:?}", left.iter().map(|(name, _)| name).collect::<Vec<_>>());
}

#[test]
fn a_result_that_is_too_large_is_refused_before_or_while_it_arrives() {
    let stated = with_result(|| {
        let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 999999999999\r\n\r\n{";
        vec![Part::Bytes(head.into()), Part::Wait(Duration::from_secs(30))]
    });
    let begun = Instant::now();
    let ran = stated.scene().run("task download t-1 -o out").exits(1);
    leaves_nothing(&ran.says("the answer is longer than 268435456 bytes").says("(--max-result)"));
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());

    let text = "x".repeat(1 << 20);
    let unstated = with_result(move || vec![open_ended(), Part::Bytes(format!(r#"{{"text":"{text}"}}"#).into())]);
    let ran = unstated.scene().run("task download t-1 -o out --max-result 64KB").exits(1);
    leaves_nothing(&ran.says("the answer is longer than 65536 bytes"));
    let ran = unstated.scene().run("task download t-1 -o out --max-result 2MB").exits(0);
    assert_eq!(ran.bytes("out/t-1-1.json").len(), (1 << 20) + 11);
    assert_eq!(unstated.heads().iter().filter(|head| head.starts_with("GET /result")).count(), 2, "asked once each");
}

#[test]
fn a_batch_leaves_what_is_too_large_to_a_run_that_takes_it() {
    let service = Service::new();
    let run = format!("transcribe https://calls.example/a.wav -o out {MODEL}");
    let ran = service.scene().run(&format!("{run} --max-result 100B")).exits(3);
    let ran = ran.says("longer than 100 bytes").says("--max-result");
    assert!(ran.file("out/failures.csv").contains(",result_too_large,"));
    service.was_asked("result", 1);
    let ran = service.then(ran).run(&run).exits(0);
    service.was_asked("submit", 1);
    assert_eq!(service.balances(&ran).stored.len(), 1);
}

#[test]
fn a_result_that_is_not_whole_is_not_stored() {
    let service = with_result(|| answer("200 OK", "", r#"{"transcripts": [{"channel_id": 0"#));
    let ran = service.scene().run("task download t-1 -o out").exits(1).says("the result is not JSON as a whole");
    leaves_nothing(&ran);
}

#[test]
fn a_result_that_drips_ends_with_its_time() {
    let service = with_result(|| {
        let parts = drip(b"  ", 600, Duration::from_millis(100));
        [open_ended()].into_iter().chain(parts).collect()
    });
    let begun = Instant::now();
    // Each of five attempts has two seconds.
    let ran = service.scene().run("task download t-1 -o out --timeout 2").exits(1).says("bytes came in 2 s: too slow");
    assert!(begun.elapsed() < Duration::from_secs(50), "{:?}", begun.elapsed());
    leaves_nothing(&ran);
}

#[test]
fn a_stream_that_never_ends_ends_with_its_clip() {
    let service = Hostile::new(|_, _| {
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n".to_vec();
        let comments = drip(b": still here\n\n", 600, Duration::from_millis(100));
        [Part::Bytes(head)].into_iter().chain(comments).collect()
    });
    let scene = service.scene().write("a.wav", crate::scene::wav(1, 8000, 1));
    let begun = Instant::now();
    scene.run("flash a.wav --timeout 2").exits(1).says("no answer within 4 s");
    assert!((4..15).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[test]
fn a_refusal_that_never_ends_is_read_as_far_as_it_matters() {
    let service = Hostile::new(|_, _| {
        let head = b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n<p>no</p>".to_vec();
        [Part::Bytes(head)].into_iter().chain(drip(&[b'x'; 32 << 10], 600, Duration::from_millis(20))).collect()
    });
    let begun = Instant::now();
    service.scene().run("task show t-1").exits(4).says("403");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}
