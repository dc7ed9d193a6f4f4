//! What a scenario makes of event streams and of clips, seen from the wire.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Service;

const ROUTE: &str = "/services/aigc/multimodal-generation/generation";
const CLIP: &str = "https://example.org/talk-65s.wav";

fn clip() -> Value {
    let audio = json!({"type": "input_audio", "input_audio": {"data": CLIP}});
    json!({"model": "qwen-audio-3.1-asr-flash", "input": {"messages": [{"role": "user", "content": [audio]}]},
        "parameters": {"format": "wav"}})
}

fn rule(rest: &str) -> String {
    format!("[[fault]]\non = \"flash\"\n{rest}\n")
}

/// A service whose streams do not pause, with these rules in order.
async fn service(rules: &[&str]) -> Service {
    let rules: String = rules.iter().map(|rest| rule(rest)).collect();
    Service::with_scenario(&format!("frame_ms = 0\n{rules}")).await
}

impl Service {
    /// The bytes of a stream in the pieces in which they came, and whether it ended in order.
    async fn raw(&self) -> (Vec<Vec<u8>>, bool) {
        let request = self.posted(ROUTE, &clip()).header("X-DashScope-SSE", "enable");
        let mut response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        let mut pieces = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(piece)) => pieces.push(piece.to_vec()),
                Ok(None) => return (pieces, true),
                Err(_) => return (pieces, false),
            }
        }
    }

    async fn body(&self) -> String {
        let (pieces, in_order) = self.raw().await;
        assert!(in_order);
        String::from_utf8(pieces.concat()).unwrap()
    }
}

/// Without what differs from request to request.
fn anonymous(text: &str) -> String {
    let mut rest = text;
    let mut out = String::new();
    while let Some((before, after)) = rest.split_once("\"request_id\":\"") {
        out.push_str(before);
        rest = after.split_once('"').unwrap().1;
    }
    out + rest
}

#[tokio::test]
async fn lines_and_pieces_change_and_the_events_do_not() {
    let service = service(&[
        "do = \"reshape\"\ncrlf = true",
        "do = \"reshape\"\nno_blank_lines = true",
        "do = \"reshape\"\nchunk_bytes = 7",
        "do = \"reshape\"\nvalues_per_frame = 3",
    ])
    .await;
    let mut bodies = Vec::new();
    for _ in 0..5 {
        let (pieces, in_order) = service.raw().await;
        assert!(in_order);
        bodies.push((anonymous(&String::from_utf8(pieces.concat()).unwrap()), pieces));
    }
    let plain = &bodies[4].0;
    assert_eq!(bodies[0].0.replace("\r\n", "\n"), *plain);
    assert_eq!(bodies[0].0.matches("\r\n").count(), plain.matches('\n').count());
    assert!(!bodies[1].0.contains("\n\n"));
    assert_eq!(bodies[1].0, plain.replace("\n\n", "\n"));
    assert_eq!(bodies[2].0, *plain);
    let small = bodies[2].1.iter().filter(|piece| piece.len() == 7).count();
    assert!(small * 2 > bodies[2].1.len(), "most pieces come alone");
    let lines =
        |text: &str| text.lines().filter(|line| line.starts_with("data:")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&bodies[3].0), lines(plain));
    assert_eq!(bodies[3].0.matches("id:").count(), plain.matches("id:").count().div_ceil(3));
    assert_eq!(service.emulator.unreached(), Vec::<String>::new());
}

#[tokio::test]
async fn a_stream_can_be_cut_between_frames_within_one_and_without_an_end() {
    let service = service(&[
        "do = \"cut\"\nframes = 3",
        "do = \"cut\"\nframes = 3\nmid_frame = true\ncrlf = true",
        "do = \"cut\"\nframes = 3\nabrupt = true",
        "do = \"cut\"\nframes = 99",
        "do = \"truncate\"",
    ])
    .await;
    let three = service.body().await;
    assert_eq!(three.matches("data:").count(), 3);
    assert!(three.ends_with("\n\n") && !three.contains("\"sentence_end\":true"));
    let half = service.body().await;
    assert!(half.contains("id:4\r\n") && !half.ends_with("\r\n"));
    let (pieces, in_order) = service.raw().await;
    assert!(!in_order);
    assert_eq!(String::from_utf8(pieces.concat()).unwrap().matches("data:").count(), 3, "they came before it broke");
    let most = service.body().await;
    assert!(most.matches("data:").count() > 5 && !most.contains("\"usage\""), "the last one is missing");
    assert!(!service.raw().await.1);
    assert!(service.body().await.contains("\"sentence_end\":true"));
    assert_eq!(service.emulator.accepted().get(CLIP), Some(&6), "heard all the same");
}

#[tokio::test]
async fn an_error_can_come_as_an_event() {
    let service = service(&[
        "do = \"error_event\"\nframes = 2",
        "do = \"error_event\"\nframes = 2\nevent = \"result\"\ncode = \"Throttling.RateQuota\"\nmessage = \"later\"",
        "do = \"status\"\nstatus = 429\nevent_stream = true",
        "do = \"ok_with_code\"\ncode = \"InternalError.Algo\"",
    ])
    .await;
    let error = service.body().await;
    let last = error.trim_end().split("\n\n").last().unwrap();
    assert!(last.starts_with("id:3\nevent:error\n:HTTP_STATUS/400\ndata:{\"code\":\"InvalidParameter\""), "{last}");
    let error = service.body().await;
    let last = error.trim_end().split("\n\n").last().unwrap();
    let begins = "id:3\nevent:result\n:HTTP_STATUS/200\ndata:{\"code\":\"Throttling.RateQuota\",\"message\":\"later\"";
    assert!(last.starts_with(begins), "{last}");
    let refused = service.send(service.posted(ROUTE, &clip()).header("X-DashScope-SSE", "enable")).await;
    assert_eq!(refused.status, 429);
    assert!(refused.header("content-type").unwrap().starts_with("text/event-stream"));
    assert!(refused.text.starts_with("id:1\nevent:error\n:HTTP_STATUS/429\ndata:{\"code\":\"Throttling.RateQuota\""));
    assert_eq!(service.post(ROUTE, &clip()).await.refused().1, "InternalError.Algo");
}

#[tokio::test]
async fn a_rule_about_streams_applies_to_streams_only() {
    let service = service(&["do = \"cut\"\nframes = 1", "do = \"empty\"\nstatus = 400"]).await;
    let empty = service.post(ROUTE, &clip()).await;
    assert_eq!((empty.status, empty.text.as_str()), (400, ""));
    assert_eq!(service.post(ROUTE, &clip()).await.status, 200);
    assert_eq!(service.emulator.unreached().len(), 1);
    assert_eq!(service.body().await.matches("data:").count(), 1);
}

#[tokio::test]
async fn frames_take_their_time() {
    let service = service(&["do = \"reshape\"\nframe_ms = 20"]).await;
    let start = Instant::now();
    let frames = service.body().await.matches("data:").count();
    let slow = start.elapsed();
    assert!(slow >= Duration::from_millis(20) * u32::try_from(frames - 1).unwrap(), "{slow:?} for {frames}");
}

#[tokio::test]
async fn a_clip_can_be_silent() {
    let service = service(&["do = \"silence\""]).await;
    let silent = (400, "CLIENT_ERROR".to_owned(), "ASR_RESPONSE_HAVE_NO_WORDS".to_owned());
    assert_eq!(service.post(ROUTE, &clip()).await.refused(), silent);
    assert_eq!(service.post(ROUTE, &clip()).await.status, 200);
    let mut quiet = clip();
    quiet["input"]["messages"][0]["content"][0]["input_audio"]["data"] = json!("https://example.org/Silence-9s.wav");
    assert_eq!(service.post(ROUTE, &quiet).await.refused(), silent);
}
