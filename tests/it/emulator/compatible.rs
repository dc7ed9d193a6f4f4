//! Chat completions: Qwen3-ASR-Flash and Qwen-Omni in compatible mode.

use serde_json::{Value, json};

use super::{A, Answer, SECOND, Service};

impl Service {
    fn completion(&self, key: &str, body: &Value) -> reqwest::RequestBuilder {
        let host = self.emulator.base_url();
        let url = format!("{}/compatible-mode/v1/chat/completions", host.strip_suffix("/api/v1").unwrap());
        self.http.post(url).bearer_auth(key).header("Content-Type", "application/json").body(body.to_string())
    }

    async fn complete(&self, body: &Value) -> Answer {
        self.send(self.completion("sk-test", body)).await
    }

    /// The chunks of a stream, which ends as it should.
    async fn chunks(&self, body: &Value) -> Vec<Value> {
        let answer = self.complete(body).await;
        assert!(answer.header("content-type").unwrap().starts_with("text/event-stream"), "{}", answer.text);
        let data = answer.text.strip_suffix("data: [DONE]\n\n").unwrap();
        let lines = data.split_terminator("\n\n").map(|frame| frame.strip_prefix("data: ").unwrap());
        let chunks: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(
            chunks.iter().all(|chunk| chunk["object"] == "chat.completion.chunk" && chunk["id"] == chunks[0]["id"])
        );
        chunks
    }
}

/// Status, code and type of an error in this dialect.
#[track_caller]
fn refused(answer: &Answer) -> (u16, String, String) {
    let body = answer.json();
    let error = body["error"].as_object().unwrap();
    let mut keys: Vec<&String> = error.keys().collect();
    keys.sort();
    assert_eq!(keys, ["code", "message", "param", "type"]);
    (answer.status, error["code"].as_str().unwrap().to_owned(), error["message"].as_str().unwrap().to_owned())
}

fn asr(data: &str) -> Value {
    let audio = json!({"type": "input_audio", "input_audio": {"data": data}});
    json!({"model": "qwen3-asr-flash", "messages": [{"role": "user", "content": [audio]}]})
}

fn omni(model: &str) -> Value {
    let audio = json!({"type": "input_audio", "input_audio": {"data": A, "format": "mp3"}});
    let prompt = json!({"type": "text", "text": "Transcribe the audio. Answer with the transcript alone."});
    json!({"model": model, "messages": [{"role": "user", "content": [audio, prompt]}], "modalities": ["text"],
        "stream": true, "stream_options": {"include_usage": true}})
}

fn delta<'c>(chunks: &'c [Value], key: &str) -> Vec<&'c str> {
    chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"][key].as_str()).collect()
}

#[tokio::test]
async fn speech_recognition_answers_as_a_chat() {
    let service = Service::start().await;
    let mut body = asr("https://example.org/talk-61s.wav");
    let system = json!({"role": "system", "content": [{"text": "Names: Keiko, Anselm"}]});
    body["messages"].as_array_mut().unwrap().insert(0, system);
    body["asr_options"] = json!({"language": "en", "enable_itn": false});
    let whole = service.complete(&body).await.json();
    assert_eq!(whole["object"], "chat.completion");
    let message = &whole["choices"][0]["message"];
    assert_eq!((&message["role"], &whole["choices"][0]["finish_reason"]), (&json!("assistant"), &json!("stop")));
    let annotations = json!([{"type": "audio_info", "language": "en", "emotion": "neutral"}]);
    assert_eq!(message["annotations"], annotations);
    let usage = &whole["usage"];
    assert_eq!((&usage["seconds"], &usage["prompt_tokens_details"]["audio_tokens"]), (&json!(61), &json!(1525)));
    body["stream"] = json!(true);
    body["stream_options"] = json!({"include_usage": true});
    service.emulator.advance(SECOND);
    let chunks = service.chunks(&body).await;
    assert_eq!(chunks[0]["choices"][0]["delta"], json!({"role": "assistant", "content": ""}));
    assert!(chunks.len() > 5 && chunks[1]["choices"][0]["delta"]["annotations"] == annotations);
    assert_eq!(delta(&chunks, "content").concat(), message["content"].as_str().unwrap(), "each brings what is new");
    let (cost, others) = chunks.split_last().unwrap();
    assert_eq!((&cost["choices"], &cost["usage"]), (&json!([]), usage));
    let stop = others.last().unwrap();
    assert_eq!(stop["choices"][0]["delta"], json!({"role": null}));
    assert_eq!(stop["choices"][0]["finish_reason"], "stop");
    assert!(others.iter().all(|chunk| chunk["usage"].is_null()));
    assert!(others[..others.len() - 1].iter().all(|chunk| chunk["choices"][0]["finish_reason"].is_null()));
    assert_eq!(service.emulator.hits().recognised.get("qwen3_compatible"), Some(&2));
    let route = "POST /compatible-mode/v1/chat/completions";
    assert_eq!(service.emulator.hits().routes.get(route), Some(&2));
}

#[tokio::test]
async fn usage_is_sent_only_on_request() {
    let service = Service::start().await;
    let mut body = asr(A);
    body["stream"] = json!(true);
    let chunks = service.chunks(&body).await;
    assert!(chunks.iter().all(|chunk| chunk["usage"].is_null()));
    assert_eq!(chunks.last().unwrap()["choices"][0]["finish_reason"], "stop");
    service.emulator.advance(SECOND);
    let mut silent = asr("https://example.org/silence.wav");
    silent["stream"] = json!(true);
    assert_eq!(delta(&service.chunks(&silent).await, "content"), [""]);
}

#[tokio::test]
async fn omni_transcribes_on_request_and_thinks_unless_told_not_to() {
    let service = Service::start().await;
    let plain = service.chunks(&omni("qwen3.5-omni-flash")).await;
    let text = delta(&plain, "content").concat();
    assert!(text.len() > 100 && delta(&plain, "reasoning_content").is_empty());
    let details = &plain.last().unwrap()["usage"]["prompt_tokens_details"];
    assert!(details["audio_tokens"].is_u64());
    let mut body = omni("qwen3.8-omni-flash");
    let thinking = service.chunks(&body).await;
    assert_eq!(delta(&thinking, "content").concat(), text);
    assert!(delta(&thinking, "reasoning_content").len() > 1);
    body["reasoning_effort"] = json!("none");
    assert!(delta(&service.chunks(&body).await, "reasoning_content").is_empty());
    let map = body.as_object_mut().unwrap();
    map.remove("stream_options");
    map["stream"] = json!(false);
    let whole = service.complete(&body).await.json();
    assert_eq!(whole["choices"][0]["message"]["content"], text);
    assert_eq!(whole["choices"][0]["message"]["reasoning_content"], Value::Null);
    assert_eq!(service.emulator.hits().recognised.get("omni"), Some(&4));
}

#[tokio::test]
async fn undocumented_requests_are_refused_in_this_dialect() {
    let with = |mut body: Value, key: &str, value: Value| {
        body[key] = value;
        body
    };
    let stream = |model: &str| with(omni(model), "stream", json!(false));
    let mut no_prompt = omni("qwen3.5-omni-plus");
    no_prompt["messages"][0]["content"].as_array_mut().unwrap().pop();
    let mut no_format = omni("qwen3.5-omni-plus");
    no_format["messages"][0]["content"][0]["input_audio"].as_object_mut().unwrap().remove("format");
    let mut not_streamed = stream("qwen3.5-omni-plus");
    not_streamed.as_object_mut().unwrap().remove("stream_options");
    let mut two = asr(A);
    let again = two["messages"][0].clone();
    two["messages"].as_array_mut().unwrap().push(again);
    let mut late = asr(A);
    late["messages"].as_array_mut().unwrap().push(json!({"role": "system", "content": [{"text": "etcd"}]}));
    let parameter = (400, "invalid_parameter_error");
    for (body, (status, code)) in [
        (with(asr(A), "stream_options", json!({"include_usage": true})), parameter),
        (with(asr(A), "asr_option", json!({})), parameter),
        (with(asr(A), "asr_options", json!({"itn": true})), parameter),
        (with(asr(A), "parameters", json!({})), parameter),
        (with(asr(A), "messages", json!([])), parameter),
        (with(asr(A), "reasoning_effort", json!("none")), parameter),
        (with(asr(A), "model", json!("qwen9-asr")), (404, "model_not_found")),
        (with(asr(A), "model", json!("fun-asr-flash-2026-06-15")), (404, "model_not_supported")),
        (with(asr(A), "model", json!("qwen3-asr-flash-us")), (404, "model_not_supported")),
        (with(omni("qwen3.5-omni-plus"), "reasoning_effort", json!("none")), parameter),
        (with(omni("qwen3.8-omni-flash"), "reasoning_effort", json!("no")), parameter),
        (with(omni("qwen3.5-omni-plus"), "modalities", json!(["text", "audio"])), parameter),
        (with(omni("qwen3.5-omni-plus"), "asr_options", json!({})), parameter),
        (stream("qwen3.8-omni-flash"), parameter),
        (not_streamed, parameter),
        (no_prompt, parameter),
        (no_format, parameter),
        (two, parameter),
        (late, parameter),
        (asr("UklGRiQAAABXQVZF"), parameter),
        (asr("https://example.org/talk-301s.wav"), (400, "InvalidFile.AudioLengthError")),
    ] {
        let service = Service::start().await;
        let refused = refused(&service.complete(&body).await);
        assert_eq!((refused.0, refused.1.as_str()), (status, code), "{body} {}", refused.2);
        assert!(service.emulator.hits().recognised.is_empty());
    }
    let service = Service::start().await;
    let nowhere = service.completion("sk-test", &asr(A)).build().unwrap();
    let url = nowhere.url().as_str().replace("chat/completions", "audio/transcriptions");
    assert_eq!(refused(&service.send(service.http.post(url).bearer_auth("sk-test")).await).0, 404);
    let stranger = service.send(service.completion("no-key", &asr(A))).await;
    assert_eq!(refused(&stranger).1, "invalid_api_key");
    let body = json!({"model": "qwen3.5-omni-plus", "input": {"messages": []}});
    let wrong = service.post("/services/aigc/multimodal-generation/generation", &body).await.refused();
    assert_eq!(wrong.2, "url error, please check url!");
}

#[tokio::test]
async fn faults_use_this_dialect() {
    let rules = [
        "do = \"status\"\nstatus = 429\nretry_after = 1",
        "do = \"error_event\"\nframes = 2\nstatus = 500",
        "do = \"cut\"\nframes = 3\nmid_frame = true",
        "do = \"reshape\"\nno_blank_lines = true\ncrlf = true",
    ];
    let rules: String = rules.iter().map(|rest| format!("[[fault]]\non = \"flash\"\n{rest}\n")).collect();
    let service = Service::with_scenario(&format!("frame_ms = 0\n{rules}")).await;
    let body = omni("qwen3.5-omni-flash");
    let throttled = service.complete(&body).await;
    assert_eq!((refused(&throttled).1.as_str(), throttled.header("retry-after")), ("limit_requests", Some("1")));
    let error = service.complete(&body).await;
    assert_eq!((error.status, error.text.matches("data: ").count()), (200, 3));
    let last = error.text.lines().rev().nth(1).unwrap();
    assert!(last.starts_with("data: {\"error\":{") && last.contains("\"code\":\"InternalError\""), "{last}");
    let cut = service.complete(&body).await.text;
    assert!(cut.matches("data: ").count() == 4 && !cut.ends_with('\n') && !cut.contains("[DONE]"));
    let text = service.complete(&body).await.text;
    assert!(!text.contains("\r\n\r\n") && text.ends_with("data: [DONE]\r\n"));
}
