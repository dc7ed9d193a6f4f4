//! The life of a task.

use std::time::Duration;

use serde_json::{Value, json};
use talkmeter::emulator::Settings;

use super::{A, Service, fun_asr};

#[tokio::test]
async fn a_task_waits_runs_and_ends_with_a_result() {
    let service = Service::start().await;
    let submitted = service.submit(&fun_asr(&[A])).await;
    assert_eq!(submitted.status, 200);
    assert!(submitted.header("date").unwrap().ends_with(" GMT"));
    let body = submitted.json();
    assert_eq!(body["output"]["task_status"], "PENDING");
    assert_eq!(body["request_id"].as_str(), submitted.header("x-request-id"));
    let id = body["output"]["task_id"].as_str().unwrap();

    let pending = service.query(id).await;
    assert_eq!(pending["output"]["task_status"], "PENDING");
    assert_eq!(pending["usage"], Value::Null);
    service.emulator.advance(Duration::from_millis(400));
    assert_eq!(service.query(id).await["output"]["task_status"], "PENDING", "half a second at least");
    service.emulator.advance(Duration::from_millis(600));
    let running = service.query(id).await;
    if running["output"]["task_status"] == "RUNNING" {
        assert_eq!(running["output"]["task_metrics"], json!({"TOTAL": 1, "SUCCEEDED": 0, "FAILED": 0}));
    }
    service.emulator.advance(Duration::from_secs(2));
    let ended = service.query(id).await;
    let output = &ended["output"];
    assert_eq!(output["task_status"], "SUCCEEDED");
    assert_eq!(output["task_metrics"], json!({"TOTAL": 1, "SUCCEEDED": 1, "FAILED": 0}));
    for time in ["submit_time", "scheduled_time", "end_time"] {
        assert_eq!(output[time].as_str().unwrap().len(), "2026-03-02 14:05:11.201".len());
    }
    assert!(output["submit_time"].as_str() < output["scheduled_time"].as_str());
    let result = &output["results"][0];
    assert_eq!((&result["file_url"], &result["subtask_status"]), (&json!(A), &json!("SUCCEEDED")));

    let file = service.fetch(result["transcription_url"].as_str().unwrap()).await;
    assert_eq!(file.status, 200);
    let file = file.json();
    assert_eq!(file["file_url"], A);
    assert_eq!(file["properties"]["channels"], json!([0]));
    let billed = file["transcripts"][0]["content_duration_in_milliseconds"].as_u64().unwrap();
    assert_eq!(ended["usage"], json!({"duration": billed.div_ceil(1000)}));
    assert_eq!(service.emulator.accepted().get(A), Some(&1));
}

/// The base page's sample queries by POST, with the headers of a submit.
#[tokio::test]
async fn a_query_may_be_a_post_with_headers_it_does_not_need() {
    let service = Service::start().await;
    let id = service.accepted(&fun_asr(&[A, "https://example.org/b.mp3"])).await;
    let query = service.http.post(service.url(&format!("/tasks/{id}"))).bearer_auth("sk-test");
    let query = query.header("Content-Type", "application/json").header("X-DashScope-Async", "enable");
    assert_eq!(service.send(query).await.json()["output"]["task_id"], *id);
}

#[tokio::test]
async fn a_task_succeeds_with_one_good_file_and_fails_without_any() {
    let service = Service::start().await;
    let mixed = service.ended(&fun_asr(&["https://gone.invalid/b.mp3", A])).await;
    let output = &mixed["output"];
    assert_eq!(output["task_status"], "SUCCEEDED");
    assert_eq!(output["task_metrics"], json!({"TOTAL": 2, "SUCCEEDED": 1, "FAILED": 1}));
    let failed = json!({"file_url": "https://gone.invalid/b.mp3", "code": "FILE_DOWNLOAD_FAILED",
        "message": "FILE_DOWNLOAD_FAILED", "subtask_status": "FAILED"});
    assert_eq!(output["results"][0], failed);
    assert_eq!(output["results"][1]["subtask_status"], "SUCCEEDED");

    let none = service.ended(&fun_asr(&["https://gone.invalid/b.mp3"])).await;
    assert_eq!(none["output"]["task_status"], "FAILED");
    assert_eq!(none["output"]["code"], "FILE_DOWNLOAD_FAILED");
    assert_eq!(none["output"]["results"][0], failed);
    assert_eq!(none["usage"], Value::Null);
}

#[tokio::test]
async fn unreachable_addresses_fail_in_the_task() {
    let service = Service::start().await;
    for (url, code) in [
        ("https://example.org/two words.mp3", "InvalidFile.DownloadFailed"),
        ("https://example.org/会议.mp3", "InvalidFile.DownloadFailed"),
        ("https://example.org/a%2520b.mp3", "InvalidFile.DownloadFailed"),
        ("data:audio/wav;base64,UklGRg==", "REQUEST_INVALID_FILE_URL_VALUE"),
        ("ftp://example.org/a.mp3", "REQUEST_INVALID_FILE_URL_VALUE"),
        ("a.mp3", "REQUEST_INVALID_FILE_URL_VALUE"),
        ("oss://dashscope-instant/x/2026-03-02/y/a.mp3", "FILE_DOWNLOAD_FAILED"),
    ] {
        let ended = service.ended(&fun_asr(&[url])).await;
        assert_eq!(ended["output"]["results"][0]["code"], code, "{url}");
        assert_eq!(ended["output"]["task_status"], "FAILED");
    }
    let ended = service.ended(&fun_asr(&["https://example.org/two%20words.mp3?a=b c"])).await;
    assert_eq!(ended["output"]["task_status"], "SUCCEEDED");
}

#[tokio::test]
async fn a_misspelt_parameter_is_accepted_and_fails_the_task() {
    let service = Service::start().await;
    let body = json!({"model": "fun-asr", "input": {"file_urls": [A]}, "parameters": {"channel_ids": [0]}});
    let ended = service.ended(&body).await;
    assert_eq!(ended["output"]["task_status"], "FAILED");
    assert_eq!(ended["output"]["message"], "Invalid backend response received (missing status name)");
}

#[tokio::test]
async fn only_workspace_hosts_and_qwen_audio_require_parameters() {
    let bare = |model: &str| json!({"model": model, "input": {"file_urls": [A]}});
    let (shared, workspace) = (Service::start().await, Service::workspace().await);
    assert_eq!(shared.ended(&bare("fun-asr")).await["output"]["task_status"], "SUCCEEDED");
    let qwen = "qwen-audio-3.0-asr-flash-filetrans";
    assert_eq!(shared.ended(&bare(qwen)).await["output"]["task_status"], "FAILED");
    assert_eq!(workspace.ended(&bare("fun-asr")).await["output"]["task_status"], "FAILED");
    assert_eq!(workspace.ended(&fun_asr(&[A])).await["output"]["task_status"], "SUCCEEDED");
}

#[tokio::test]
async fn qwen3_takes_one_file_and_answers_in_its_own_shape() {
    let service = Service::start().await;
    let body = json!({"model": "qwen3-asr-flash-filetrans", "input": {"file_url": A},
        "parameters": {"channel_id": [0], "language": "en", "enable_words": true}});
    let ended = service.ended(&body).await;
    assert_eq!(ended["output"]["results"], Value::Null);
    assert_eq!(ended["output"]["task_metrics"], Value::Null);
    assert!(ended["usage"]["seconds"].as_u64().unwrap() > 0);
    let link = ended["output"]["result"]["transcription_url"].as_str().unwrap();
    assert!(link.starts_with("http://") && link.contains("&response-content-disposition=attachment%3Bfilename%3D"));
    let file = service.fetch(link).await.json();
    assert_eq!(file["audio_info"]["format"], "mp3");
    let sentence = &file["transcripts"][0]["sentences"][0];
    assert_eq!((&sentence["sentence_id"], &sentence["language"]), (&json!(0), &json!("en")));
    assert!(sentence["words"][0]["begin_time"].is_u64());

    // 100 per minute: one, and the next 600 ms later, which have passed.
    let plain = json!({"model": "qwen3-asr-flash-filetrans", "input": {"file_url": "https://gone.invalid/a.mp3"}});
    let failed = service.ended(&plain).await;
    assert_eq!(failed["output"]["code"], "FILE_DOWNLOAD_FAILED");
    assert_eq!(failed["output"]["result"], Value::Null);
}

#[tokio::test]
async fn qwen_audio_3_1_is_counted_in_tokens() {
    let service = Service::start().await;
    let body = json!({"model": "qwen-audio-3.1-asr-flash-filetrans", "input": {"file_urls": [A]}, "parameters": {}});
    let usage = service.ended(&body).await["usage"].clone();
    let number = |key: &str| usage[key].as_u64().unwrap();
    assert_eq!(number("total_tokens"), number("input_tokens") + number("output_tokens"));
}

#[tokio::test]
async fn only_a_pending_task_can_be_cancelled() {
    let service = Service::start().await;
    let id = service.accepted(&fun_asr(&[A])).await;
    let cancel = async |id: &str| {
        let path = service.url(&format!("/tasks/{id}/cancel"));
        service.send(service.http.post(path).bearer_auth("sk-test")).await
    };
    let cancelled = cancel(&id).await;
    assert_eq!(cancelled.status, 200);
    assert_eq!(cancelled.json(), json!({"request_id": cancelled.header("x-request-id")}));
    let after = service.query(&id).await;
    assert_eq!(after["output"]["task_status"], "CANCELED");
    assert_eq!(after["output"]["results"], Value::Null);
    let message = "Failed to cancel the task, please confirm if the task is in PENDING status.".to_owned();
    let refused = (400, "UnsupportedOperation".to_owned(), message);
    assert_eq!(cancel(&id).await.refused(), refused);
    let running = service.accepted(&fun_asr(&[A])).await;
    service.emulator.advance(Duration::from_secs(3));
    assert_eq!(cancel(&running).await.refused(), refused);
    assert_eq!(cancel("no-such-task").await.refused(), refused);
}

#[tokio::test]
async fn an_unknown_task_is_answered_with_status_200() {
    let service = Service::start().await;
    let id = "7d0c1f6e-3b0a-4d1c-9a58-0f3f7c1b2e44";
    assert_eq!(service.query(id).await["output"], json!({"task_id": id, "task_status": "UNKNOWN"}));
    let ended = service.ended(&fun_asr(&[A])).await;
    let id = ended["output"]["task_id"].as_str().unwrap();
    let link = ended["output"]["results"][0]["transcription_url"].as_str().unwrap();
    service.emulator.advance(Duration::from_secs(24 * 3600 + 5));
    assert_eq!(service.query(id).await["output"], json!({"task_id": id, "task_status": "UNKNOWN"}));
    let expired = service.fetch(link).await;
    assert_eq!(expired.status, 403);
    assert!(expired.text.contains("<Code>AccessDenied</Code>") && expired.text.contains("Request has expired."));
}

#[tokio::test]
async fn the_list_is_paged_filtered_and_newest_first() {
    let service = Service::start().await;
    let mut ids = Vec::new();
    for n in 0..12 {
        let model = if n < 3 { "paraformer-v2" } else { "fun-asr" };
        let body = json!({"model": model, "input": {"file_urls": [A]}, "parameters": {}});
        ids.insert(0, service.accepted(&body).await);
        service.emulator.advance(Duration::from_millis(30));
    }
    let list = async |query: &str| service.get(&format!("/tasks{query}")).await.json();
    let of = |page: &Value| -> Vec<String> {
        let rows = page["data"].as_array().unwrap().iter();
        rows.map(|row| row["task_id"].as_str().unwrap().to_owned()).collect()
    };
    let first = list("").await;
    assert_eq!(of(&first), ids[..10]);
    assert_eq!((&first["total"], &first["total_page"]), (&json!(12), &json!(2)));
    assert_eq!(of(&list("/?page_no=2").await), ids[10..]);
    assert_eq!(list("?page_size=500").await["page_size"], 100);
    assert_eq!(of(&list("?model_name=paraformer-v2&page_size=2&page_no=2").await), ids[11..]);
    assert_eq!(of(&list(&format!("?task_id={}", ids[4])).await), ids[4..5]);
    assert_eq!(list("?status=SUCCEEDED").await["total"], 0);
    let row = &first["data"][0];
    for key in ["api_key_id", "caller_parent_id", "caller_uid", "region", "request_id", "user_api_unique_key"] {
        assert!(row[key].is_string(), "{key}");
    }
    assert_eq!(row["model_name"], "fun-asr");
    assert!(row["gmt_create"].as_i64().unwrap() > 1_772_431_511_201);
    service.emulator.advance(Duration::from_secs(3));
    assert_eq!(list("?status=SUCCEEDED").await["total"], 12);
    service.emulator.advance(Duration::from_secs(24 * 3600));
    assert_eq!(list("").await["total"], 0, "of the last 24 hours, unless told otherwise");
    for wrong in ["?page_no=0", "?page_size=x", "?status=DONE", "?start_time=2026"] {
        assert_eq!(service.get(&format!("/tasks{wrong}")).await.status, 400, "{wrong}");
    }
    let apart = "?start_time=20260301000000&end_time=20260303000000";
    assert_eq!(service.get(&format!("/tasks{apart}")).await.status, 400);
}

#[tokio::test]
async fn recorded_results_come_back_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let recorded = b"{ \"transcripts\": [{\"channel_id\": 0, \"content_duration_in_milliseconds\": 1500.0}] }\n\n";
    std::fs::write(folder.path().join("call-7.json"), recorded).unwrap();
    let settings = Settings { results: Some(folder.path().to_owned()), ..Settings::default() };
    let service = Service::with(settings).await;
    for url in ["https://example.org/recordings/call-7.wav?sign=1", "https://example.org/other.mp3"] {
        let ended = service.ended(&fun_asr(&[url])).await;
        assert_eq!(ended["usage"], json!({"duration": 2}));
        let link = ended["output"]["results"][0]["transcription_url"].as_str().unwrap();
        assert_eq!(service.fetch(link).await.text.as_bytes(), recorded);
    }
}

#[tokio::test]
async fn phrases_of_paraformer_v1_are_a_resource() {
    let service = Service::start().await;
    let body = |model: &str, resources: Value, parameters: Value| json!({"model": model, "input": {"file_urls": [A]}, "parameters": parameters, "resources": resources});
    let phrase = json!([{"resource_id": "phrase-1", "resource_type": "asr_phrase"}]);
    service.accepted(&body("paraformer-v1", phrase.clone(), json!({}))).await;
    service.accepted(&body("fun-asr", json!([]), json!({}))).await;
    for refused in [
        body("fun-asr", phrase, json!({})),
        body("paraformer-v1", json!([{"resource_id": "phrase-1"}]), json!({})),
        body("paraformer-v1", json!([{"phrase_id": "phrase-1"}]), json!({})),
    ] {
        assert_eq!(service.submit(&refused).await.refused().1, "InvalidParameter", "{refused}");
    }
    // Among the parameters it is a misspelling, which fails the task.
    let ended = service.ended(&body("paraformer-v1", json!([]), json!({"phrase_id": "phrase-1"}))).await;
    assert_eq!(ended["output"]["task_status"], "FAILED");
}

#[tokio::test]
async fn models_without_http_are_refused_by_name() {
    let service = Service::start().await;
    for model in ["qwen-audio-3.1-asr-flash-message", "qwen3-asr-flash-streaming", "paraformer-realtime-v2"] {
        let body = json!({"model": model, "input": {"file_urls": [A]}, "parameters": {}});
        assert_eq!(service.submit(&body).await.refused().2, "The model does not support http call.");
    }
}
