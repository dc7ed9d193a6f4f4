//! The synchronous models.

use serde_json::{Value, json};

use super::{A, SECOND, Service};

const ROUTE: &str = "/services/aigc/multimodal-generation/generation";

fn clip(model: &str, data: &str) -> Value {
    let audio = json!({"type": "input_audio", "input_audio": {"data": data}});
    json!({"model": model, "input": {"messages": [{"role": "user", "content": [audio]}]},
        "parameters": {"format": "wav", "sample_rate": "16000"}})
}

const FLASH: &str = "fun-asr-flash-2026-06-15";
const QWEN_AUDIO: &str = "qwen-audio-3.1-asr-flash";

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

fn data_uri(bytes: &[u8]) -> String {
    use base64::Engine;
    format!("data:audio/wav;base64,{}", base64::engine::general_purpose::STANDARD.encode(bytes))
}

/// `data:` of every frame, after the four lines of each were looked at.
fn frames(text: &str) -> Vec<Value> {
    let frames = text.strip_suffix("\n\n").unwrap().split("\n\n").enumerate();
    frames
        .map(|(at, frame)| {
            let lines: Vec<&str> = frame.lines().collect();
            assert_eq!(lines[..3], [&format!("id:{}", at + 1), "event:result", ":HTTP_STATUS/200"]);
            assert_eq!(lines.len(), 4);
            serde_json::from_str(lines[3].strip_prefix("data:").unwrap()).unwrap()
        })
        .collect()
}

impl Service {
    async fn streamed(&self, body: &Value) -> Vec<Value> {
        let stream = self.send(self.posted(ROUTE, body).header("X-DashScope-SSE", "enable")).await;
        assert!(stream.header("content-type").unwrap().starts_with("text/event-stream"), "{}", stream.text);
        frames(&stream.text)
    }

    /// The text that is heard in the jargon clip after this context.
    async fn heard_after(&self, context: &[Value]) -> String {
        let mut body = clip(QWEN_AUDIO, "https://example.org/jargon.wav");
        let audio = body["input"]["messages"][0].take();
        body["input"]["messages"] = context.iter().cloned().chain([audio]).collect();
        let answer = self.post(ROUTE, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        self.emulator.advance(SECOND);
        answer.json()["output"]["text"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_stream_begins_empty_grows_revises_and_ends_with_the_final_text() {
    for service in [Service::start().await, Service::workspace().await] {
        let body = clip(QWEN_AUDIO, A);
        let events = service.streamed(&body).await;
        let whole = service.post(ROUTE, &body).await.json();
        assert!(events.len() > 5);
        let first = &events[0]["output"];
        assert_eq!((&first["text"], &first["sentence"]["sentence_begin"]), (&json!(""), &json!(true)));
        assert_eq!((&first["sentence"]["begin_time"], &first["sentence"]["words"]), (&json!(0), &json!([])));
        let end = &events.last().unwrap()["output"]["sentence"];
        let (mut before, mut revised, mut fixed) = (String::new(), 0, 0);
        for (at, event) in events.iter().enumerate() {
            let last = at + 1 == events.len();
            let (text, sentence) = (event["output"]["text"].as_str().unwrap(), &event["output"]["sentence"]);
            assert_eq!(sentence["text"], text);
            assert_eq!(sentence["sentence_end"], last);
            assert_eq!((event["usage"].is_object(), sentence["end_time"].is_u64()), (last, last));
            assert!(text.len() >= before.len());
            revised += usize::from(!text.starts_with(&before));
            before = text.to_owned();
            for (place, word) in sentence["words"].as_array().unwrap().iter().enumerate() {
                if word["fixed"] == true {
                    assert_eq!(*word, end["words"][place], "what is fixed stays");
                    fixed = fixed.max(place);
                }
            }
        }
        assert!(revised > 3 && fixed > 5, "{revised} {fixed}");
        let without_id = |mut event: Value| {
            event["request_id"].take();
            event["output"]["request_id"].take();
            event
        };
        assert_eq!(without_id(events.last().unwrap().clone()), without_id(whole));
        assert!(events.last().unwrap()["usage"]["total_tokens"].is_u64());
    }
}

#[tokio::test]
async fn all_but_the_newest_model_stream_clips_of_a_minute_or_more() {
    let service = Service::start().await;
    for (model, seconds, many) in [
        (FLASH, 59, false),
        (FLASH, 60, true),
        ("qwen-audio-3.0-asr-flash", 59, false),
        ("qwen-audio-3.0-asr-flash", 61, true),
        (QWEN_AUDIO, 3, true),
    ] {
        let events = service.streamed(&clip(model, &format!("https://example.org/talk-{seconds}s.wav"))).await;
        assert_eq!(events.len() > 1, many, "{model} {seconds}: {}", events.len());
        assert_eq!(events.last().unwrap()["usage"]["duration"], seconds);
        assert_eq!(events.last().unwrap()["usage"]["total_tokens"].is_u64(), model == QWEN_AUDIO);
    }
}

#[tokio::test]
async fn realtime_ends_sentence_after_sentence() {
    let service = Service::start().await;
    let body = json!({"model": "fun-asr-realtime", "input": {"messages": []}, "resources": [],
        "parameters": {"audio_address": A, "format": "mp3", "vad_enabled": true}});
    let events = service.streamed(&body).await;
    let ends: Vec<&Value> = events.iter().filter(|event| event["output"]["sentence"]["sentence_end"] == true).collect();
    assert!(ends.len() > 3);
    let mut text = String::new();
    for (at, event) in ends.iter().enumerate() {
        assert_eq!(event["output"]["sentence"]["sentence_id"], at + 1);
        assert!(event["usage"]["duration"].is_u64());
        let longer = event["output"]["text"].as_str().unwrap();
        assert!(longer.starts_with(&text) && longer.len() > text.len());
        assert!(longer.ends_with(event["output"]["sentence"]["text"].as_str().unwrap()));
        text = longer.to_owned();
    }
    assert_eq!(service.post(ROUTE, &body).await.json()["output"]["text"], text);
    let message = json!({"model": "fun-asr-realtime", "parameters": {"format": "mp3"},
        "input": {"messages": [{"role": "user", "content": [{"audio": A}]}]}});
    assert_eq!(service.post(ROUTE, &message).await.json()["output"]["text"], text);
    let recognised = service.emulator.hits().recognised;
    assert_eq!(recognised.into_iter().collect::<Vec<_>>(), [("realtime", 3)]);
}

#[tokio::test]
async fn diarization_brings_sentences_with_speakers() {
    let service = Service::start().await;
    let mut body = clip(QWEN_AUDIO, A);
    body["parameters"]["speaker_diarization_enabled"] = json!(true);
    let answer = service.post(ROUTE, &body).await.json();
    let sentences = answer["output"]["sentences"].as_array().unwrap();
    assert!(sentences.iter().any(|sentence| sentence["speaker_id"] == 1));
    assert_eq!(answer["output"]["sentence"]["speaker_id"], Value::Null);
    let events = service.streamed(&body).await;
    assert_eq!(events[0]["output"]["sentences"], json!([]));
    for event in &events[1..] {
        let so_far = event["output"]["sentences"].as_array().unwrap();
        let ended = so_far.iter().take_while(|sentence| sentence["sentence_end"] == true).count();
        assert_eq!(so_far[..ended], sentences[..ended], "the past stays");
        assert!(so_far.len() - ended <= 1, "one is being spoken");
    }
    assert_eq!(events.last().unwrap()["output"]["sentences"], answer["output"]["sentences"]);
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
async fn qwen3_streams_the_text_so_far_or_what_is_new() {
    let service = Service::with_scenario("frame_ms = 0").await;
    let system = json!({"role": "system", "content": [{"text": "Names: Keiko"}]});
    let user = json!({"role": "user", "content": [{"audio": A}]});
    let mut body = json!({"model": "qwen3-asr-flash-2026-02-10", "input": {"messages": [system, user]}});
    let text =
        |event: &Value| event["output"]["choices"][0]["message"]["content"][0]["text"].as_str().unwrap().to_owned();
    let mut so_far = service.streamed(&body).await;
    let last = so_far.pop().unwrap();
    assert!(so_far.iter().all(|event| event["output"]["choices"][0]["finish_reason"] == "null"));
    assert!(so_far.windows(2).all(|pair| text(&pair[1]).starts_with(&text(&pair[0]))));
    assert_eq!((&last["output"]["choices"][0]["finish_reason"], &last["usage"]["seconds"]).0, "stop");
    assert_eq!(last["output"]["choices"][0]["message"]["annotations"][0]["type"], "audio_info");
    service.emulator.advance(SECOND);
    body["parameters"] = json!({"incremental_output": true, "asr_options": {"enable_itn": false}});
    let pieces = service.streamed(&body).await;
    assert!(pieces.len() > 5);
    assert_eq!(pieces.iter().map(text).collect::<String>(), text(&last));
    // A hundred a minute: one a second and two thirds of the next.
    let mut refused = Vec::new();
    for _ in 0..2 {
        refused.push(service.post(ROUTE, &body).await.status);
    }
    assert!(refused.contains(&429), "{refused:?}");
    assert!(service.emulator.hits().recognised["qwen3"] < 4);
}

#[tokio::test]
async fn qwen3_has_its_own_refusals() {
    let user = |item: Value| json!({"role": "user", "content": [item]});
    let system = json!({"role": "system", "content": [{"text": "etcd"}]});
    let (audio, at) = (user(json!({"audio": A})), |data: &str| json!([user(json!({"audio": data}))]));
    for (messages, code) in [
        (json!([audio, audio]), "InvalidParameter"),
        (json!([system]), "InvalidParameter"),
        (json!([user(json!({"type": "input_audio", "input_audio": {"data": A}}))]), "InvalidParameter"),
        (at("UklGRiQAAABXQVZF"), "InvalidParameter"),
        (at("https://gone.invalid/a.wav"), "InvalidFile.DownloadFailed"),
        (at("https://example.org/talk-301s.wav"), "InvalidFile.AudioLengthError"),
        (at("data:audio/wav;base64,bm8gYXVkaW8gYXQgYWxs"), "InvalidParameter.DataInspection"),
    ] {
        let service = Service::start().await;
        let body = json!({"model": "qwen3-asr-flash", "input": {"messages": messages}});
        assert_eq!(service.post(ROUTE, &body).await.refused().1, code, "{messages}");
    }
    let service = Service::start().await;
    let large = format!("data:audio/wav;base64,{}", "UklG".repeat(2_621_441));
    let body = json!({"model": "qwen3-asr-flash", "input": {"messages": at(&large)}});
    let refused = service.post(ROUTE, &body).await.refused();
    assert_eq!(refused.2, "Exceeded limit on max bytes per data-uri item : 10485760");
}

#[tokio::test]
async fn lengths_and_sizes_have_limits() {
    let service = Service::start().await;
    let url = |seconds: u32| format!("https://example.org/talk-{seconds}s.wav");
    assert_eq!(service.post(ROUTE, &clip(FLASH, &url(300))).await.status, 200);
    let long = service.post(ROUTE, &clip(FLASH, &url(301))).await.refused();
    let message = "audio duration (301000.0ms) over service process (300s)";
    assert_eq!((long.0, long.1.as_str(), long.2.as_str()), (400, "AUDIO_DURATION_TOO_LONG", message));
    // The same from the header of a WAV: 8 bit, 50 samples a second.
    let wav = |seconds: u32| {
        let mut wav = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
        wav.extend([50_u32.to_le_bytes(), 50_u32.to_le_bytes()].concat());
        wav.extend(b"\x01\0\x08\0data");
        wav.extend((50 * seconds).to_le_bytes());
        wav.resize(wav.len() + 50 * seconds as usize, 128);
        data_uri(&wav)
    };
    assert_eq!(service.post(ROUTE, &clip(FLASH, &wav(300))).await.json()["usage"]["duration"], 300);
    assert_eq!(service.post(ROUTE, &clip(FLASH, &wav(301))).await.refused(), long);
    let mut large = b"ID3".to_vec();
    large.resize(20 << 20, 0);
    assert_eq!(service.post(ROUTE, &clip(FLASH, &data_uri(&large))).await.status, 200, "20 MiB pass");
    large.push(0);
    let refused = service.post(ROUTE, &clip(FLASH, &data_uri(&large))).await.refused();
    assert_eq!(refused.1, "BadRequest.TooLarge");
    assert_eq!(refused.2, "Exceeded limit on max bytes per data-uri item : 20971520");
    large.resize(21 << 20, 0);
    let data = data_uri(&large);
    let refused = service.post(ROUTE, &clip(FLASH, &data)).await.refused();
    let begins = format!("String value length ({}) exceeds the maximum allowed (28000000, ", data.len());
    assert!(refused.2.starts_with(&begins), "{}", refused.2);
    assert_eq!(refused.1, "InvalidParameter");
}

#[tokio::test]
async fn numbers_of_requests_have_limits() {
    let service = Service::start().await;
    let mut refused = 0;
    for _ in 0..30 {
        let answer = service.post(ROUTE, &clip(FLASH, "https://example.org/talk-1s.wav")).await;
        refused += u32::from(answer.status == 429);
    }
    assert!(refused > 5, "{refused}");
    let hits = service.emulator.hits();
    assert_eq!((hits.of("flash"), hits.throttled), (30, u64::from(refused)));
    assert_eq!(hits.recognised["input_audio"], 30 - u64::from(refused));
}

#[tokio::test]
async fn its_parameters_are_checked() {
    let service = Service::start().await;
    for (key, wrong) in [
        ("sample_rate", json!("fast")),
        ("sample_rate", json!(16_000.5)),
        ("language_hints", json!("en")),
        ("speaker_diarization_enabled", json!("true")),
        ("vocabulary_id", json!("vocab-none")),
        ("vad_enabled", json!(true)),
        ("sampel_rate", json!("16000")),
    ] {
        let mut body = clip(FLASH, A);
        body["parameters"][key] = wrong;
        assert_eq!(service.post(ROUTE, &body).await.refused().0, 400, "{key}");
    }
    let mut number = clip(FLASH, A);
    number["parameters"]["sample_rate"] = json!(16_000);
    assert_eq!(service.post(ROUTE, &number).await.status, 200, "one sample of the vendor sends a number");
    let header = service.posted(ROUTE, &clip(FLASH, A)).header("X-DashScope-SSE", "true");
    assert_eq!(service.send(header).await.refused().0, 400);
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

/// The vendor's example: the clip is heard as "Bird Rock" without context and as "Bulge Bracket" after any of these.
#[tokio::test]
async fn a_term_in_the_context_is_recognised() {
    const HEARD: &str = "What insider jargon do you know in investment banking? First, the nine top foreign investment \
                         banks, Bulge Bracket, BB...";
    let service = Service::start().await;
    let user = |text: &str| json!({"role": "user", "content": [{"type": "input_text", "text": text}]});
    let assistant = |text: &str| json!({"role": "assistant", "content": [{"type": "text", "text": text}]});
    let prose = "Investment bank classification: a quick guide.\nRecently a few friends in Australia asked me what \
                 investment banks really are. Here is a quick primer. For students studying abroad, investment banks fall \
                 into four broad categories: Bulge Bracket, Boutique, Middle Market, and domestic securities firms.\n";
    let names = "Wang Haoxuan, Li Zihan, Zhang Jingxing, Liu Xinyi, Chen Junjie, Yang Siyuan, Zhao Yutong, ".repeat(10);
    let forms = [
        "Bulge Bracket, Boutique, Middle Market, domestic securities firms".to_owned(),
        "Bulge Bracket Boutique Middle Market domestic securities firms".to_owned(),
        "['Bulge Bracket', 'Boutique', 'Middle Market', 'domestic securities firms']".to_owned(),
        format!("{prose}{}", "They are large in both business scope and scale. ".repeat(20)),
        format!("{prose}{names}"),
    ];
    let misheard = HEARD.replace("Bulge Bracket", "Bird Rock");
    assert_eq!(service.heard_after(&[]).await, misheard);
    for form in &forms {
        assert_eq!(service.heard_after(&[user(form)]).await, HEARD, "{form}");
    }
    assert_eq!(service.heard_after(&[user("What is BB?"), assistant("Bulge Bracket.")]).await, HEARD);
    assert_eq!(service.heard_after(&[user("bulge bracket, BB")]).await, misheard, "the words stand literally");
    // Beyond the limits a term has no effect, without a message.
    let many: Vec<Value> = ["Bulge Bracket", "b", "c", "d", "e", "f"].map(user).into();
    assert_eq!(service.heard_after(&many).await, misheard);
    assert_eq!(service.heard_after(&many[..5]).await, HEARD);
    let long = "x".repeat(390);
    assert_eq!(service.heard_after(&[user(&format!("{long}Bulge Bracket"))]).await, misheard);
    assert_eq!(service.heard_after(&[user(&long), assistant("Bulge Bracket")]).await, misheard);
    assert_eq!(service.heard_after(&[user(&long), user("Bulge Bracket")]).await, HEARD, "another turn");
}
