//! Time of a flash call beside the plainest way to do the same: decoding an hour of events against the bare decoder, a round
//! trip to the emulator against a bare request. `cargo bench --bench flash`; the ratios are printed, every result is asserted.

use std::time::{Duration, Instant};

use bytes::Bytes;
use eventsource_stream::Eventsource as _;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use talkmeter::client::{ApiKey, Client, Clip, Flash, Recognition, sse};
use talkmeter::emulator::{Emulator, Scenario, Settings};

/// Size of chunks as they arrive from a socket, in bytes.
const CHUNK: usize = 16 << 10;
/// One event per second.
const EVENTS: usize = 3600;
const ROUNDS: usize = 7;

/// An hour of speech, one event per second: the sentence so far with its words, as the service writes it.
fn hour() -> Bytes {
    let mut body = String::new();
    for at in 0..EVENTS {
        let words: Vec<Value> = (0..=at % 20)
            .map(|word| json!({"begin_time": at * 1000 + word * 200, "end_time": at * 1000 + word * 200 + 180, "text": " 词word", "punctuation": "", "fixed": true}))
            .collect();
        let sentence = json!({"sentence_id": at / 20, "sentence_end": at % 20 == 19, "begin_time": at * 1000, "text": "word", "words": words});
        let data = json!({"output": {"sentence": sentence, "text": "word ".repeat(at % 400)}, "request_id": "r"});
        body += &format!("id:{}\nevent:result\n:HTTP_STATUS/200\ndata:{data}\n\n", at + 1);
    }
    body.into()
}

fn chunks(body: &Bytes) -> Vec<Bytes> {
    (0..body.len()).step_by(CHUNK).map(|from| body.slice(from..body.len().min(from + CHUNK))).collect()
}

/// The fastest of several rounds.
async fn fastest(mut round: impl AsyncFnMut()) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        round().await;
        best = best.min(begun.elapsed());
    }
    best
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement for the terminal")]
async fn main() {
    let body = hour();
    let bare = fastest(async || {
        let events = stream::iter(chunks(&body).into_iter().map(Ok::<_, std::io::Error>)).boxed().eventsource();
        assert_eq!(events.map(|event| event.unwrap().data.len()).count().await, EVENTS);
    })
    .await;
    let ours = fastest(async || {
        let events = sse::events(stream::iter(chunks(&body).into_iter().map(Ok)).boxed());
        assert_eq!(events.map(|event| event.unwrap().data.len()).count().await, EVENTS);
    })
    .await;
    println!("one hour of events, {} MB: bare decoder {bare:.2?}, ours {ours:.2?}", body.len() >> 20);
    println!("decoding, ratio to the bare decoder: {:.2}", ours.as_secs_f64() / bare.as_secs_f64());

    // No pause between events. Both are paced alike: the emulator counts requests.
    let settings = Settings { scenario: Scenario::parse("frame_ms = 0").unwrap(), ..Settings::default() };
    let emulator = Emulator::start(settings).await.unwrap();
    let client =
        Client::builder().base_url(emulator.base_url()).api_key(ApiKey::new("sk-bench").unwrap()).build().unwrap();
    let flash =
        Flash::new(Recognition::new("fun-asr-flash-2026-06-15"), Clip::url("https://calls.example/clip-65s.wav"));
    let http = reqwest::Client::new();
    let url = format!("{}/services/aigc/multimodal-generation/generation", emulator.base_url());
    let request = flash.body(false);
    let (mut plain, mut typed) = (Vec::new(), Vec::new());
    for _ in 0..40 {
        // A fifth of a second apart, well below ten per second: neither waits.
        tokio::time::sleep(Duration::from_millis(110)).await;
        let begun = Instant::now();
        let answer = http.post(&url).bearer_auth("sk-bench").header("Content-Type", "application/json");
        let answer = answer.body(request.to_string()).send().await.unwrap().bytes().await.unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert!(answer["output"]["text"].is_string());
        plain.push(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(110)).await;
        let begun = Instant::now();
        assert!(!client.flash().recognize(&flash).await.unwrap().text.is_empty());
        typed.push(begun.elapsed());
    }
    let median = |mut times: Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2]
    };
    let (plain, typed) = (median(plain), median(typed));
    println!("flash round trip, median: bare request {plain:.2?}, ours {typed:.2?}");
    println!("round trip, ratio to the bare request: {:.2}", typed.as_secs_f64() / plain.as_secs_f64());
}
