//! What is refused, with which code.

use std::time::Duration;

use serde_json::{Value, json};

use super::{A, SECOND, Service, fun_asr};

#[tokio::test]
async fn a_key_begins_with_sk() {
    let service = Service::start().await;
    let refused = (401, "InvalidApiKey".to_owned(), "Invalid API-key provided.".to_owned());
    let bare = service.http.get(service.url("/tasks"));
    assert_eq!(service.send(bare).await.refused(), refused);
    for key in ["", "sk-", "pk-1234", "st-1234"] {
        let request = service.http.get(service.url("/tasks")).bearer_auth(key);
        assert_eq!(service.send(request).await.refused(), refused, "{key}");
    }
    assert_eq!(service.emulator.hits().unauthorized, 5);
    assert_eq!(service.get("/tasks").await.status, 200);
}

#[tokio::test]
async fn a_token_is_valid_for_its_lifetime() {
    let service = Service::start().await;
    let issue = async |query: &str| {
        service.send(service.http.post(service.url(&format!("/tokens{query}"))).bearer_auth("sk-test")).await
    };
    let answer = issue("?expire_in_seconds=1800").await.json();
    let token = answer["token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("st-") && answer["expires_at"].is_u64());
    let with =
        async |token: &str| service.send(service.http.get(service.url("/tasks")).bearer_auth(token)).await.status;
    service.emulator.advance(Duration::from_secs(1790));
    assert_eq!(with(&token).await, 200);
    service.emulator.advance(Duration::from_secs(11));
    assert_eq!(with(&token).await, 401);
    for wrong in ["?expire_in_seconds=0", "?expire_in_seconds=1801", "?expire_in_seconds=x"] {
        assert_eq!(issue(wrong).await.refused().1, "InvalidParameter");
    }
    let short = issue("").await.json()["token"].as_str().unwrap().to_owned();
    let with_token = service.http.post(service.url("/tokens")).bearer_auth(&short);
    assert_eq!(service.send(with_token).await.status, 401, "only a permanent key issues tokens");
    service.emulator.advance(Duration::from_secs(61));
    assert_eq!(with(&short).await, 401);
}

#[tokio::test]
async fn a_submit_is_checked() {
    let service = Service::start().await;
    let synchronous = service.post("/services/audio/asr/transcription", &fun_asr(&[A])).await;
    let message = "current user api does not support synchronous calls.".to_owned();
    assert_eq!(synchronous.refused(), (403, "AccessDenied".to_owned(), message));
    let many: Vec<&str> = vec![A; 101];
    let qwen = "qwen-audio-3.1-asr-flash-filetrans";
    for (body, code, message) in [
        (json!({"model": "fun-asr-9", "input": {"file_urls": [A]}}), "InvalidParameter", "Model not exist."),
        (json!({"input": {"file_urls": [A]}}), "BadRequest.EmptyModel", ""),
        (
            json!({"model": "fun-asr-flash-2026-06-15", "input": {"file_urls": [A]}}),
            "InvalidParameter",
            "url error, please check url!",
        ),
        (json!({"model": "fun-asr"}), "InvalidParameter", "input must contain file_urls"),
        (json!({"model": "fun-asr", "input": {"file_url": A}}), "InvalidParameter", "input must contain file_urls"),
        (json!({"model": "fun-asr", "input": {"file_urls": []}}), "InvalidParameter", "input must contain file_urls"),
        (json!({"model": "fun-asr", "input": {"file_urls": A}}), "InvalidParameter", "The request is missing"),
        (json!({"model": "fun-asr", "input": {"file_urls": [1]}}), "InvalidParameter", "The request is missing"),
        (fun_asr(&many), "InvalidParameter", "The request is missing"),
        (json!({"model": qwen, "input": {"file_urls": [A, A]}, "parameters": {}}), "InvalidParameter", "The request"),
        (
            json!({"model": "qwen3-asr-flash-filetrans", "input": {"file_urls": [A]}, "parameters": {}}),
            "InvalidParameter",
            "input must contain file_url",
        ),
        (
            json!({"model": "fun-asr", "input": {"file_urls": [A]}, "parameters": {"vocabulary_id": "vocab-a-1"}}),
            "BadRequest.ResourceNotExist",
            "The Required resource not exist.",
        ),
        (
            json!({"model": "fun-asr", "input": {"file_urls": [A]}, "paramters": {}}),
            "InvalidParameter",
            "The request is",
        ),
        (
            json!({"model": "fun-asr", "input": {"file_urls": [A], "context": []}, "parameters": {}}),
            "InvalidParameter",
            "The request is",
        ),
        (json!([]), "InvalidParameter", "Required body invalid, please check the request body format."),
    ] {
        let (status, said, words) = service.submit(&body).await.refused();
        assert_eq!((status, said.as_str()), (400, code), "{body}");
        assert!(words.starts_with(message), "{words}");
        // Within the rate of the model.
        service.emulator.advance(SECOND);
    }
    let request = service.http.post(service.url("/services/audio/asr/transcription")).bearer_auth("sk-test");
    let request = request.header("X-DashScope-Async", "enable").body(fun_asr(&[A]).to_string());
    assert_eq!(service.send(request).await.refused().1, "InvalidParameter", "no Content-Type");
    let got = service.get("/services/audio/asr/transcription").await.refused();
    assert_eq!(got.2, "Request method 'GET' is not supported.");
    assert_eq!(service.get("/nothing").await.refused().0, 404);
    assert_eq!(service.emulator.hits().accepted_submits, 0);
    assert_eq!(service.accepted(&fun_asr(&many[..100])).await.len(), 36);
}

#[tokio::test]
async fn rates_are_those_of_the_documents() {
    let service = Service::start().await;
    let burst = async |model: &str| {
        let body: Value = json!({"model": model, "input": {"file_urls": [A]}, "parameters": {}});
        let all = futures_util::future::join_all((0..40).map(|_| service.submit(&body))).await;
        let (good, bad): (Vec<_>, Vec<_>) = all.into_iter().partition(|answer| answer.status == 200);
        let words = "Requests rate limit exceeded, please try again later.".to_owned();
        let refused = (429, "Throttling.RateQuota".to_owned(), words);
        assert!(bad.iter().all(|answer| answer.refused() == refused));
        good.len()
    };
    // A slow machine refills a little on the way.
    assert!((10..=20).contains(&burst("fun-asr").await));
    assert!((20..=40).contains(&burst("paraformer-v2").await), "each model has its own");
    let hits = service.emulator.hits();
    assert_eq!(hits.throttled + hits.accepted_submits, 80);
    let queries = futures_util::future::join_all((0..60).map(|_| service.get("/tasks/x"))).await;
    let passed = queries.iter().filter(|answer| answer.status == 200).count();
    assert!((20..=40).contains(&passed), "{passed}");
    service.emulator.advance(SECOND);
    assert_eq!(service.submit(&fun_asr(&[A])).await.status, 200, "refusals take nothing out");
}
