//! What a scenario makes go wrong, seen from the wire.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{A, Service, fun_asr};

fn rule(on: &str, rest: &str) -> String {
    format!("[[fault]]\non = \"{on}\"\n{rest}\n")
}

#[tokio::test]
async fn a_scripted_refusal_accepts_nothing_unless_told_so() {
    let refusal = "do = \"status\"\nstatus = 429\nretry_after = 2\n";
    let plain = "do = \"status\"\nstatus = 503\nbody = \"upstream connect error\"\n";
    let taken = "do = \"status\"\nstatus = 500\naccepted = true\n";
    let scenario = [rule("submit", refusal), rule("submit", plain), rule("submit", taken)].concat();
    let service = Service::with_scenario(&scenario).await;
    let first = service.submit(&fun_asr(&[A])).await;
    assert_eq!((first.refused().1.as_str(), first.header("retry-after")), ("Throttling.RateQuota", Some("2")));
    let second = service.submit(&fun_asr(&[A])).await;
    assert_eq!((second.status, second.text.as_str()), (503, "upstream connect error"));
    assert_eq!(service.emulator.hits().accepted_submits, 0);
    assert_eq!(service.submit(&fun_asr(&[A])).await.refused().1, "InternalError");
    let hits = service.emulator.hits();
    assert_eq!((hits.accepted_submits, hits.throttled, hits.faulted), (1, 0, 3));
    assert_eq!(service.emulator.unreached(), Vec::<String>::new());
}

#[tokio::test]
async fn a_connection_can_break_before_and_after_acceptance() {
    let scenario = rule("submit", "do = \"reset_before\"") + &rule("submit", "do = \"reset_after\"");
    let service = Service::with_scenario(&scenario).await;
    assert!(service.try_send(service.submitted(&fun_asr(&[A]))).await.is_err());
    assert_eq!(service.emulator.hits().accepted_submits, 0);
    assert!(service.try_send(service.submitted(&fun_asr(&[A]))).await.is_err());
    assert_eq!(service.emulator.accepted().get(A), Some(&1));
    assert_eq!(service.get("/tasks").await.json()["total"], 1);
}

#[tokio::test]
async fn a_client_that_gives_up_is_billed_anyway() {
    let service = Service::with_scenario(&rule("submit", "do = \"slow_before_accept\"\ndelay_ms = 300")).await;
    let impatient = service.submitted(&fun_asr(&[A])).timeout(Duration::from_millis(100));
    assert!(service.try_send(impatient).await.unwrap_err().is_timeout());
    assert_eq!(service.emulator.hits().accepted_submits, 0);
    while service.emulator.hits().accepted_submits == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_body_can_be_cut_and_its_length_says_so() {
    let service = Service::with_scenario(&rule("result", "do = \"truncate\"")).await;
    let ended = service.ended(&fun_asr(&[A])).await;
    let link = ended["output"]["results"][0]["transcription_url"].as_str().unwrap();
    let mut response = service.http.get(link).send().await.unwrap();
    let promised = response.content_length().unwrap();
    let mut came = 0;
    let end = loop {
        match response.chunk().await {
            Ok(Some(part)) => came += part.len() as u64,
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    assert!(end.is_err());
    assert_eq!(came, promised / 2);
    assert_eq!(service.fetch(link).await.text.len() as u64, promised);
}

#[tokio::test]
async fn a_link_that_expired_stays_expired_and_a_fresh_one_works() {
    let service = Service::with_scenario(&rule("result", "do = \"expired\"")).await;
    let ended = service.ended(&fun_asr(&[A])).await;
    let link = |ended: &Value| ended["output"]["results"][0]["transcription_url"].as_str().unwrap().to_owned();
    let first = link(&ended);
    for _ in 0..2 {
        let expired = service.fetch(&first).await;
        assert_eq!(expired.status, 403);
        assert!(expired.text.contains("Request has expired."));
    }
    let fresh = link(&service.query(ended["output"]["task_id"].as_str().unwrap()).await);
    assert_eq!(service.fetch(&fresh).await.status, 200);
}

#[tokio::test]
async fn answers_can_be_late_empty_or_errors_under_status_200() {
    let scenario = [
        rule("query", "do = \"slow\"\ndelay_ms = 150"),
        rule("query", "do = \"empty\""),
        rule("query", "do = \"empty\"\nstatus = 502"),
        rule("query", "do = \"ok_with_code\"\ncode = \"Throttling.RateQuota\"\nmessage = \"later\""),
        rule("query", "do = \"unknown\""),
    ];
    let service = Service::with_scenario(&scenario.concat()).await;
    let id = service.accepted(&fun_asr(&[A])).await;
    let start = Instant::now();
    assert_eq!(service.query(&id).await["output"]["task_status"], "PENDING");
    assert!(start.elapsed() >= Duration::from_millis(150));
    let path = format!("/tasks/{id}");
    let empty = service.get(&path).await;
    assert_eq!((empty.status, empty.text.as_str()), (200, ""));
    assert_eq!(service.get(&path).await.status, 502);
    let hollow = service.get(&path).await;
    assert_eq!(hollow.refused(), (200, "Throttling.RateQuota".to_owned(), "later".to_owned()));
    assert_eq!(service.query(&id).await["output"]["task_status"], "UNKNOWN");
    assert_eq!(service.query(&id).await["output"]["task_status"], "PENDING");
}

#[tokio::test]
async fn recognition_fails_as_observed() {
    let scenario = [
        rule("recognition", "url_contains = \"bad\"\ndo = \"fail\"\ncode = \"DECODE_ERROR\""),
        rule("recognition", "url_contains = \"odd\"\ndo = \"succeeded_with_failed\""),
        rule("recognition", "url_contains = \"none\"\ndo = \"all_failed\"\ncode = \"FILE_403_FORBIDDEN\""),
        rule("recognition", "url_contains = \"silent\"\ndo = \"silence\""),
        rule("recognition", "url_contains = \"wordless\"\ndo = \"silence\"\ncode = \"ASR_RESPONSE_HAVE_NO_WORDS\""),
        rule("recognition", "url_contains = \"long\"\ndo = \"hold\"\npending_s = 10\nhold_s = 100"),
    ];
    let service = Service::with_scenario(&scenario.concat()).await;
    let bad = service.ended(&fun_asr(&[A, "https://example.org/bad.mp3"])).await;
    assert_eq!(bad["output"]["task_status"], "SUCCEEDED");
    assert_eq!(
        (&bad["output"]["results"][1]["code"], &bad["output"]["results"][1]["message"]),
        (&json!("DECODE_ERROR"), &json!("DECODE_ERROR"))
    );
    let odd = service.ended(&fun_asr(&["https://example.org/odd.mp3"])).await;
    assert_eq!(odd["output"]["task_status"], "SUCCEEDED");
    assert_eq!(odd["output"]["task_metrics"], json!({"TOTAL": 1, "SUCCEEDED": 0, "FAILED": 1}));
    assert_eq!(odd["usage"], json!({"duration": 9}));
    let none = service.ended(&fun_asr(&[A, "https://example.org/none.mp3"])).await;
    assert_eq!(none["output"]["task_status"], "FAILED");
    assert_eq!(none["output"]["results"][0]["code"], "FILE_403_FORBIDDEN");
    let silent = service.ended(&fun_asr(&["https://example.org/silent.mp3"])).await;
    assert_eq!(silent["output"]["results"][0]["code"], "SUCCESS_WITH_NO_VALID_FRAGMENT");
    let wordless = service.ended(&fun_asr(&["https://example.org/wordless.mp3"])).await;
    assert_eq!(wordless["output"]["code"], "ASR_RESPONSE_HAVE_NO_WORDS");
    assert_eq!(wordless["output"]["results"], Value::Null);
    let long = service.accepted(&fun_asr(&["https://example.org/long.mp3"])).await;
    for (after, status) in [(5, "PENDING"), (10, "RUNNING"), (80, "RUNNING"), (20, "SUCCEEDED")] {
        service.emulator.advance(Duration::from_secs(after));
        assert_eq!(service.query(&long).await["output"]["task_status"], status);
    }
    assert_eq!(service.emulator.unreached(), Vec::<String>::new());
}

#[tokio::test]
async fn faults_can_be_aimed_at_a_file() {
    let scenario = rule("submit", "url_contains = \"/b.mp3\"\nskip = 1\ndo = \"status\"\nstatus = 400");
    let service = Service::with_scenario(&scenario).await;
    assert_eq!(service.submit(&fun_asr(&[A])).await.status, 200);
    assert_eq!(service.submit(&fun_asr(&["https://example.org/b.mp3"])).await.status, 200);
    assert!(service.emulator.unreached()[0].contains("acted 0 of 1 times, met 1"));
    assert_eq!(service.submit(&fun_asr(&["https://example.org/b.mp3"])).await.status, 400);
    assert_eq!(service.submit(&fun_asr(&["https://example.org/b.mp3"])).await.status, 200);
}
