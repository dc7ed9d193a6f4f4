//! `talkmeter flash` as its users meet it, and the flash calls of the library, against the emulator.

use serde_json::{Value, json};
use talkmeter::ErrorKind;
use talkmeter::client::{Clip, Conversation, Flash, FlashAnswer, FlashEvent, Message, Recognition};
use talkmeter::emulator::{HostStyle, Scenario, Settings};

use crate::scene::{Ran, Scene, has, wav};
use crate::service::{KEY, Service};

const CALM: &str = "frame_ms = 0\n";
const JARGON: &str = "https://calls.example/jargon.wav";
const WHEN_MISHEARD: &str = "What insider jargon do you know in investment banking? First, the nine top foreign investment \
                             banks, Bird Rock, BB...\n";

fn fault(rest: &str) -> String {
    format!("{CALM}[[fault]]\non = \"flash\"\n{rest}\n")
}

/// A service in `intl` with the faults of this scenario.
fn service(scenario: &str) -> Service {
    let scenario = Scenario::parse(scenario).unwrap();
    Service::start(Settings { scenario, ..Settings::default() }).in_region("intl")
}

fn ask(service: &Service, flash: &Flash) -> talkmeter::Result<FlashAnswer> {
    service.block_on(async { service.client().flash().stream(flash).await?.answer().await })
}

fn heard_rightly() -> String {
    WHEN_MISHEARD.replace("Bird Rock", "Bulge Bracket")
}

#[test]
fn only_the_text_is_on_stdout() {
    let service = service(CALM);
    let ran = service.scene().run(&format!("flash {JARGON}")).exits(0).says_nothing();
    assert_eq!(ran.out(), WHEN_MISHEARD);
    let whole = service.scene().run(&format!("flash {JARGON} --no-stream -v")).exits(0).says("the answer after");
    assert_eq!(whole.out(), WHEN_MISHEARD);
    let ran = service.scene().run(&format!("flash {JARGON} -v")).exits(0);
    ran.says("first text after").says_no(KEY);
}

#[test]
fn the_vendors_five_contexts_are_all_understood() {
    let service = service(CALM);
    let fixture = |name: &str| {
        std::fs::read_to_string(format!("{}/tests/fixtures/context/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    };
    for list in [
        "Bulge Bracket, Boutique, Middle Market, domestic securities firms",
        "Bulge Bracket Boutique Middle Market domestic securities firms",
        "['Bulge Bracket', 'Boutique', 'Middle Market', 'domestic securities firms']",
    ] {
        let ran = service.scene().run_with(["flash", JARGON, "--context", list]).exits(0).says_nothing();
        assert_eq!(ran.out(), heard_rightly(), "{list}");
    }
    for name in ["prose.txt", "prose_with_names.txt"] {
        let ran =
            service.scene().write("terms.txt", fixture(name)).run(&format!("flash {JARGON} --context @terms.txt"));
        // Older pages allow any length: it is sent whole, with a warning that it may be cut.
        let ran = ran.exits(0).says("turn 1 of the context has").says("the service cuts it at 400");
        assert_eq!(ran.out(), heard_rightly(), "{name}");
    }
}

#[test]
fn turns_of_a_dialogue_go_before_the_audio() {
    let service = service(CALM);
    let turns =
        json!([{"role": "user", "text": "which banks"}, {"role": "assistant", "text": "The Bulge Bracket ones."}]);
    let ran = service.scene().write("turns.json", turns).run(&format!("flash {JARGON} --dialog turns.json")).exits(0);
    assert_eq!(ran.out(), heard_rightly());
    let many: Vec<Value> = (0..6).map(|at| json!({"role": "user", "text": format!("turn {at}")})).collect();
    let ran =
        service.scene().write("turns.json", Value::from(many)).run(&format!("flash {JARGON} --dialog turns.json"));
    ran.exits(0).says("6 user items of context: the service keeps the last 5");
    service
        .scene()
        .write("turns.json", "{}")
        .run(&format!("flash {JARGON} --dialog turns.json"))
        .exits(2)
        .says("not a JSON array");
    let mut conversation = Conversation::new();
    conversation.heard("which banks");
    conversation.replied("The Bulge Bracket ones.");
    let asked = conversation.add_to(Recognition::new("fun-asr-flash-2026-06-15"));
    assert_eq!(ask(&service, &Flash::new(asked, Clip::url(JARGON))).unwrap().text + "\n", heard_rightly());
}

#[test]
fn every_protocol_and_envelope_gives_the_same_text() {
    let shared = service(CALM);
    let workspace =
        Service::start(Settings { host_style: HostStyle::Workspace, ..Settings::default() }).in_region("intl");
    for (model, more) in [
        ("fun-asr-flash-2026-06-15", ""),
        ("qwen-audio-3.1-asr-flash", ""),
        ("qwen-audio-3.0-asr-flash", ""),
        ("qwen3-asr-flash", ""),
        ("qwen3-asr-flash", " --param incremental_output=true"),
        ("qwen3-asr-flash", " --compatible"),
        ("fun-asr-realtime", " --region cn"),
        ("qwen3.8-omni-flash", ""),
        ("qwen3.5-omni-flash", " --prompt 'Write it down.'"),
    ] {
        for (service, stream) in [(&shared, ""), (&shared, " --no-stream"), (&workspace, "")] {
            let line = format!("flash {JARGON} --model {model}{more}{stream}");
            let ran = service.scene().run(&line).exits(0);
            assert_eq!(ran.out(), WHEN_MISHEARD, "{line}");
        }
    }
}

#[test]
fn broken_frames_change_nothing_and_cut_streams_are_errors() {
    // A short clip: its answer is sent byte by byte, too.
    let line = format!("flash {JARGON} --model qwen-audio-3.1-asr-flash");
    let expected = service(CALM).scene().run(&line).exits(0).out();
    for shape in [
        "no_blank_lines = true",
        "crlf = true",
        "values_per_frame = 3",
        "chunk_bytes = 1",
        "crlf = true\nno_blank_lines = true\nchunk_bytes = 7",
    ] {
        let service = service(&fault(&format!("do = \"reshape\"\n{shape}")));
        assert_eq!(service.scene().run(&line).exits(0).out(), expected, "{shape}");
    }
    let line = "flash https://calls.example/talk-65s.wav --model qwen-audio-3.1-asr-flash";
    for cut in
        ["frames = 4", "frames = 4\nmid_frame = true", "frames = 4\nabrupt = true", "frames = 4\nno_blank_lines = true"]
    {
        let service = service(&fault(&format!("do = \"cut\"\n{cut}")));
        let ran = service.scene().run(line).exits(1).prints_nothing();
        ran.says("incomplete, heard until then: ");
        assert_eq!(service.of_kind("flash"), 1, "a stream that has begun is not repeated");
    }
}

#[test]
fn an_error_under_status_200_keeps_the_text_so_far() {
    let service =
        service(&fault("do = \"error_event\"\nframes = 3\ncode = \"Throttling.RateQuota\"\nmessage = \"slow down\""));
    let line = "flash https://calls.example/talk-65s.wav --model qwen-audio-3.1-asr-flash --format json";
    let ran = service.scene().run(line).exits(1).says("Throttling.RateQuota: slow down").says("request id");
    let row = &ran.json()[0];
    assert!(!row["text_so_far"].as_str().unwrap().is_empty() && row.get("text").is_none());
}

#[test]
fn a_refusal_is_retried_and_an_unclear_end_is_not() {
    let busy = service(&fault("do = \"status\"\nstatus = 429\ntimes = 2"));
    busy.scene().run(&format!("flash {JARGON}")).exits(0).prints("Bird Rock");
    assert_eq!(busy.of_kind("flash"), 3);
    for act in ["do = \"reset_after\"", "do = \"status\"\nstatus = 500"] {
        let service = service(&fault(act));
        service.scene().run(&format!("flash {JARGON} --no-stream")).exits(1);
        assert_eq!(service.of_kind("flash"), 1, "{act}");
    }
}

#[test]
fn silence_is_an_empty_text_with_a_warning() {
    for (model, more) in
        [("fun-asr-flash-2026-06-15", ""), ("fun-asr-flash-2026-06-15", " --no-stream"), ("qwen3-asr-flash", "")]
    {
        let service = service(&fault("do = \"silence\""));
        let line = format!("flash {JARGON} --model {model}{more} --save out");
        let ran = service.scene().run(&line).exits(0).prints_nothing().says("no speech was found");
        let result: Value = serde_json::from_slice(&ran.bytes("out/results/flash-000001-jargon.json")).unwrap();
        assert_eq!(result, json!({"file_url": JARGON, "transcripts": []}));
    }
}

#[test]
fn local_files_are_recognised_by_their_bytes() {
    let service = service(CALM);
    let scene = service.scene().write("clip.bin", wav(2, 8000, 3));
    let ran = scene.run("flash clip.bin --save out --format json").exits(0);
    assert!(ran.json()[0]["sentences"][0]["words"][0]["begin_time"].is_u64());
    let result: Value = serde_json::from_slice(&ran.bytes("out/results/flash-000001-clip.json")).unwrap();
    assert_eq!(
        result["properties"],
        json!({"audio_format": "pcm_s16le", "channels": [0, 1], "original_sampling_rate": 8000, "original_duration_in_milliseconds": 3000})
    );
    assert!(result["transcripts"][0].get("content_duration_in_milliseconds").is_none());
    // The same bytes on stdin, the same text.
    let text = service.scene().write("clip.bin", wav(2, 8000, 3)).run("flash clip.bin").exits(0).out();
    assert_eq!(service.scene().input(wav(2, 8000, 3)).run("flash -").exits(0).out(), text);
    service.scene().run("flash -").exits(2).says("- is empty");
}

#[test]
fn clips_too_large_for_a_request_are_uploaded() {
    let service = service(CALM);
    let ran = service.scene().write("large.wav", wav(2, 48_000, 50)).run("flash large.wav").exits(0);
    ran.says("temporary storage for 48 hours").prints(" ");
    assert_eq!(service.of_kind("upload"), 1);
    service.scene().write("small.wav", wav(1, 8000, 5)).run("flash small.wav").exits(0).says_no("48 hours");
    assert_eq!(service.of_kind("upload"), 1);
}

#[test]
fn clips_that_are_too_long_are_refused_before_sending() {
    let service = service(CALM).unasked();
    let ran =
        service.scene().write("my call.wav", wav(1, 8000, 301)).run("flash 'my call.wav'").exits(2).prints_nothing();
    ran.says("my call.wav lasts 5 min 1 s, fun-asr-flash-2026-06-15 takes up to 5 min: talkmeter transcribe 'my call.wav' -o DIR");
    service.scene().run("flash https://calls.example/a.wav --model fun-asr").exits(2).says("talkmeter transcribe");
    service.scene().run("flash https://calls.example/a.wav --channel 0").exits(2).says("does not take channel_id");
}

#[test]
fn several_clips_are_printed_in_order_and_one_failure_is_one() {
    let service = service(CALM);
    let ran = service
        .scene()
        .run(&format!("flash {JARGON} https://gone.invalid/b.wav https://calls.example/c-20s.wav --save out"));
    let ran = ran.exits(3).says("https://gone.invalid/b.wav: ").says("FILE_DOWNLOAD_FAILED");
    let out = ran.out();
    assert!(
        out.starts_with(&format!("==> {JARGON} <==\n{WHEN_MISHEARD}\n==> https://calls.example/c-20s.wav <==\n")),
        "{out}"
    );
    assert_eq!(ran.file("out/ledger.jsonl").lines().count(), 3);
    let rows = service.scene().run(&format!("flash {JARGON} {JARGON} --format jsonl")).exits(0).lines();
    assert_eq!(rows.len(), 2);
    let denied = Scene::new().environment("DASHSCOPE_HTTP_BASE_URL", &service.base_url());
    denied.environment("DASHSCOPE_API_KEY", "bad").run(&format!("flash {JARGON}")).exits(4);
}

#[test]
fn saved_clips_are_read_by_analyze_with_their_model_and_region() {
    let service = service(CALM);
    let first: Ran = service
        .scene()
        .run("flash https://calls.example/a-70s.wav --model qwen-audio-3.1-asr-flash --diarize --save out1")
        .exits(0);
    let second = service.then(first).run(&format!("flash {JARGON} --save out1")).exits(0);
    let ledger = second.file("out1/ledger.jsonl");
    let lines: Vec<Value> = ledger.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[1]["event"], "recognized");
    assert_eq!((&lines[1]["model"], &lines[1]["region"]), (&json!("fun-asr-flash-2026-06-15"), &json!("intl")));
    assert_eq!(lines[1]["usage"], json!({"duration": 15}));
    assert!(lines[1]["request_id"].is_string());
    let raw: Value = serde_json::from_slice(&second.bytes("out1/results/flash-000002-jargon.answer")).unwrap();
    assert_eq!(raw["request_id"], lines[1]["request_id"]);
    let analysed = second.then().run("analyze out1 -o out --tables jsonl").exits(0);
    let calls = analysed.table("calls");
    assert_eq!(calls.len(), 2);
    has(&calls[0], json!({"file": "flash-000001-a-70s.json", "model": "qwen-audio-3.1-asr-flash"}));
    has(
        &calls[1],
        json!({"file": "flash-000002-jargon.json", "model": "fun-asr-flash-2026-06-15", "file_url": JARGON}),
    );
    assert!(analysed.table("costs").iter().all(|row| row["region"] == "intl"));
    assert!(analysed.table("participants").len() >= 3, "two speakers in the first, one in the second");
    // A batch in the same folder goes its own way.
    let both = service.then(analysed).run("transcribe https://calls.example/b.wav -o out1 -q").exits(0);
    let calls = both.then().run("analyze out1 -o out --tables jsonl").exits(0).table("calls");
    let models: Vec<&Value> = calls.iter().map(|row| &row["model"]).collect();
    assert_eq!(models, ["fun-asr", "qwen-audio-3.1-asr-flash", "fun-asr-flash-2026-06-15"]);
}

#[test]
fn qwen3_files_go_through_a_batch() {
    let service = Service::start(Settings { clock_speed: Some(20.0), ..Settings::default() }).in_region("intl");
    let line = "transcribe https://calls.example/a.wav https://calls.example/b.wav --model qwen3-asr-flash-filetrans --words -o out1 -q";
    let ran = service.scene().run(line).exits(0);
    let results = ran.files("out1/results");
    assert_eq!(results.len(), 2);
    let result: Value = serde_json::from_slice(&results[0].1).unwrap();
    assert!(result["audio_info"].is_object() && result["transcripts"][0]["sentences"][0]["language"].is_string());
    let calls = ran.then().run("analyze out1 -o out --tables jsonl").exits(0).table("calls");
    assert!(calls.iter().all(|row| row["model"] == "qwen3-asr-flash-filetrans" && row["speech_ms"].as_i64() > Some(0)));
}

#[test]
fn the_library_streams_text_and_gives_a_transcript_without_a_file() {
    let service = service(CALM);
    let asked = Recognition::new("qwen-audio-3.1-asr-flash").diarize(true);
    let flash = Flash::new(asked, Clip::url("https://calls.example/talk-65s.wav"));
    service.block_on(async {
        let client = service.client();
        let mut stream = client.flash().stream(&flash).await.unwrap();
        let (mut texts, mut answer) = (Vec::new(), None);
        while let Some(event) = stream.next().await {
            match event.unwrap() {
                FlashEvent::Text(text) => texts.push(text),
                FlashEvent::Done(done) => answer = Some(*done),
                other => panic!("{other:?}"),
            }
        }
        let answer = answer.unwrap();
        assert!(texts.len() > 3 && texts.last() == Some(&answer.text));
        let transcript = answer.transcript();
        assert!(transcript.channels[0].sentences.iter().any(|sentence| sentence.speaker.is_some()));
        assert!(transcript.channels[0].sentences[0].words[0].begin_ms.is_some());
        let bare = Flash::new(Recognition::new("fun-asr-flash-2026-06-15"), Clip::url("UklGRiQAAABXQVZF"));
        let error = client.flash().recognize(&bare).await.unwrap_err();
        assert_eq!(error.api().unwrap().code, "FILE_DOWNLOAD_FAILED");
        let tones = Flash::new(
            Recognition::new("qwen3-asr-flash").context(Message::user("Keiko")),
            Clip::bytes(&wav(1, 16_000, 2)),
        );
        assert!(client.flash().recognize(&tones).await.unwrap().usage.is_some());
        let long = Flash::new(Recognition::new("fun-asr-flash-2026-06-15"), Clip::bytes(&wav(1, 8000, 301)));
        let error = client.flash().recognize(&long).await.unwrap_err();
        assert_eq!((error.kind(), &*error.api().unwrap().code), (ErrorKind::InvalidInput, "AUDIO_DURATION_TOO_LONG"));
    });
}
