//! The synchronous models.

use serde_json::{Value, json};

use super::{A, Service};

const ROUTE: &str = "/services/aigc/multimodal-generation/generation";

fn clip(model: &str, data: &str) -> Value {
    let audio = json!({"type": "input_audio", "input_audio": {"data": data}});
    json!({"model": model, "input": {"messages": [{"role": "user", "content": [audio]}]},
        "parameters": {"format": "wav", "sample_rate": "16000"}})
}

const FLASH: &str = "fun-asr-flash-2026-06-15";

#[tokio::test]
async fn the_two_kinds_of_hosts_have_their_envelopes() {
    let (shared, workspace) = (Service::start().await, Service::workspace().await);
    let one = shared.post(ROUTE, &clip(FLASH, A)).await.json();
    assert_eq!(one["output"]["sentence"]["sentence_end"], true);
    assert_eq!(one["output"]["output"]["text"], one["output"]["text"]);
    assert_eq!(one["usage"], one["output"]["usage"]);
    assert_eq!((&one["text"], &one["sentence"]), (&Value::Null, &Value::Null));
    let two = workspace.post(ROUTE, &clip(FLASH, A)).await.json();
    assert_eq!(two["sentence"], one["output"]["sentence"]);
    assert_eq!(two["output"]["text"], two["text"]);
    assert_eq!(two["output"]["output"], Value::Null);
    assert_eq!(two["usage"], one["usage"]);
    let words = one["output"]["sentence"]["words"].as_array().unwrap();
    let text: String =
        words.iter().flat_map(|word| [word["text"].as_str().unwrap(), word["punctuation"].as_str().unwrap()]).collect();
    assert_eq!(one["output"]["text"], text);
}

#[tokio::test]
async fn a_stream_holds_snapshots_and_ends_with_the_whole() {
    let service = Service::start().await;
    let request = service.posted(ROUTE, &clip("qwen-audio-3.1-asr-flash", A)).header("X-DashScope-SSE", "enable");
    let stream = service.send(request).await;
    assert!(stream.header("content-type").unwrap().starts_with("text/event-stream"));
    let frames: Vec<&str> = stream.text.split("\n\n").filter(|frame| !frame.is_empty()).collect();
    assert!(frames.len() > 5);
    let mut before = String::new();
    for (at, frame) in frames.iter().enumerate() {
        let lines: Vec<&str> = frame.lines().collect();
        assert_eq!(lines[..3], [&format!("id:{}", at + 1), "event:result", ":HTTP_STATUS/200"]);
        let data: Value = serde_json::from_str(lines[3].strip_prefix("data:").unwrap()).unwrap();
        let text = data["output"]["text"].as_str().unwrap();
        assert!(text.starts_with(&before), "each event begins at the start of the text");
        before = text.to_owned();
        let last = at + 1 == frames.len();
        assert_eq!(data["output"]["sentence"]["sentence_end"], last);
        assert_eq!(data["usage"].is_object(), last);
    }
    let whole = service.post(ROUTE, &clip("qwen-audio-3.1-asr-flash", A)).await.json();
    assert_eq!(whole["output"]["text"], before);
    assert!(whole["usage"]["total_tokens"].is_u64());
}

#[tokio::test]
async fn diarization_brings_sentences_with_speakers() {
    let service = Service::start().await;
    let mut body = clip("qwen-audio-3.1-asr-flash", A);
    body["parameters"]["speaker_diarization_enabled"] = json!(true);
    let answer = service.post(ROUTE, &body).await.json();
    let sentences = answer["output"]["sentences"].as_array().unwrap();
    assert!(sentences.iter().any(|sentence| sentence["speaker_id"] == 1));
}

#[tokio::test]
async fn qwen3_answers_in_choices() {
    let service = Service::start().await;
    let body = json!({"model": "qwen3-asr-flash", "input": {"messages": [{"role": "user", "content": [{"audio": A}]}]},
        "parameters": {"asr_options": {"language": "en"}}});
    let answer = service.post(ROUTE, &body).await.json();
    assert_eq!(answer["output"]["choices"][0]["finish_reason"], "stop");
    assert!(answer["output"]["choices"][0]["message"]["content"][0]["text"].is_string());
    assert!(answer["usage"]["seconds"].is_u64());
}

#[tokio::test]
async fn a_clip_is_checked() {
    let service = Service::start().await;
    let asynchronous = service.posted(ROUTE, &clip(FLASH, A)).header("X-DashScope-Async", "enable");
    let refused = service.send(asynchronous).await.refused();
    assert_eq!((refused.0, refused.2.as_str()), (403, "Current user api does not support asynchronous calls."));
    assert_eq!(service.post(ROUTE, &clip("fun-asr", A)).await.refused().0, 403);
    let mut bare = clip(FLASH, A);
    bare["parameters"] = Value::Null;
    assert_eq!(service.post(ROUTE, &bare).await.refused().2, "parse parameters failed");
    bare["parameters"] = json!({"sample_rate": "16000"});
    assert_eq!(service.post(ROUTE, &bare).await.refused().2, "parse parameters failed");
    let text = json!({"model": FLASH, "parameters": {"format": "wav"}, "input": {"messages": [
        {"role": "user", "content": [{"type": "input_text", "text": "etcd"}]}]}});
    assert_eq!(service.post(ROUTE, &text).await.refused().0, 400, "nothing to hear");
    for (data, code) in [
        ("UklGRiQAAABXQVZF", "FILE_DOWNLOAD_FAILED"),
        ("https://gone.invalid/a.wav", "FILE_DOWNLOAD_FAILED"),
        ("data:audio/wav;base64,bm8gYXVkaW8gYXQgYWxs", "DECODE_ERROR"),
        ("oss://a/b.wav", "InvalidParameter.DataInspection"),
    ] {
        assert_eq!(service.post(ROUTE, &clip(FLASH, data)).await.refused().1, code, "{data}");
    }
}
