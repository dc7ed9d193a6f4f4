//! Flash calls on the bill: kept with `flash --save`, billed by the length of the clip, held against a statement.

use serde_json::{Value, json};

use crate::cost::{done, ledger};
use crate::scene::{Ran, Scene, call, wav};
use crate::service::Service;

const FLASH: &str = "fun-asr-flash-2026-06-15";

/// A flash call that was recorded.
fn recognized(n: u32, model: &str, usage: &Value) -> Value {
    json!({
        "event": "recognized", "url": format!("clip-{n}.wav"), "model": model, "region": "cn",
        "request_id": format!("req-{n}"), "usage": usage, "file": format!("results/flash-{n:06}-clip.json"),
        "answer": format!("results/flash-{n:06}-clip.answer"), "bytes": 1, "blake3": "0".repeat(64),
    })
}

/// A batch of one call with 9 s of speech, and a clip of 60.4 s with 3.2 s of it: 9 s × 0.00008 + 61 s × 0.00022 CNY
/// (the first price of the clip is in USD; the one in the currency of the batch counts).
fn both() -> Scene {
    let mut events = done(1, "a", json!({"duration": 9}));
    events.push(recognized(1, FLASH, &json!({"duration": 61})));
    Scene::new()
        .write("out/ledger.jsonl", ledger("paraformer-v2", "cn", &events))
        .write("out/results/000001-a.json", call(&[(0, 0, 9_000, "one")]).content(0, 9_000))
        .write("out/results/flash-000001-clip.json", call(&[(0, 1000, 4200, "one")]).lasting(60_400))
}

fn reconcile(scene: Scene, statement: &str) -> Ran {
    scene.write("bill.csv", statement).run("cost reconcile out --statement bill.csv")
}

#[test]
fn a_statement_is_held_against_the_length_of_clips() {
    for clip in ["req-1", "clip-1.wav", "flash-000001-clip.json", "results/flash-000001-clip.json"] {
        let ran = reconcile(both(), &format!("ResourceId,seconds,cost\ntask-1,9,0.00072\n{clip},61,0.01342\n"));
        let ran = ran.exits(0).prints("0 differ, 0 not billed, 0 not ours; rounding `up` explains 2 of 2 exactly");
        ran.prints("statement 0.01, service 0.01, results 0.01 CNY\nstatement 70, service 70, results 70 s\n");
    }
    // Billed by the speech in it; at the price of the batch; not at all; twice.
    let clip = |row: &str| reconcile(both(), &format!("ResourceId,seconds,cost\ntask-1,9,0.00072\n{row}"));
    clip("req-1,4,0.00088\n").exits(3).prints("1 differ, 0 not billed").prints("unexplained: 4 s are billed");
    clip("req-1,61,0.00488\n").exits(3).prints("price: 0.00488 billed for 61 s, 0.01342 at list price");
    clip("").exits(3).prints("0 differ, 1 not billed, 0 not ours").prints("flash-000001-clip.json");
    clip("req-1,61,0.01342\nreq-1,61,0.01342\n").exits(3).prints("1 differ");
    clip("req-1,61,0.01342\nreq-2,5,0.0011\n").exits(3).prints("0 differ, 0 not billed, 1 not ours");
    // Without a statement what the service reported stands for one.
    both().run("cost reconcile out").exits(0).prints("service 70, results 70 s");
}

#[test]
fn clips_and_recordings_share_a_day_and_have_months_of_their_own_by_model() {
    // One day for both, whose amount is that of two prices.
    reconcile(both(), "date,seconds,cost\n2026-11-01,70,0.01414\n").exits(0).prints("explains 1 of 1");
    reconcile(both(), "date,seconds,cost\n2026-11-01,70,0.02828\n").exits(3).prints("1 differ");
    reconcile(both(), "date,cost\n2026-11-01,0.01414\n").exits(0);
    let by_model = |seconds: i64| format!("月份,模型,用量\n2026-11,paraformer-v2,9\n2026-11,asr;{FLASH},{seconds}\n");
    let ran = reconcile(both(), &by_model(61)).exits(0);
    let ran = reconcile(ran.then(), &by_model(63)).exits(3).prints(&format!("2026-11 {FLASH}")).prints("1 differ");
    let ran = ran.then().run("cost reconcile out --statement bill.csv --focus -q").exits(3);
    let out = ran.out();
    let rows: Vec<&str> = out.lines().skip(1).collect();
    assert_eq!(rows.len(), 2, "{out}");
    for (row, model, seconds, price) in
        [(rows[0], FLASH, "61", "0.00022,0.01342"), (rows[1], "paraformer-v2", "9", "0.00008,0.00072")]
    {
        let period = "CNY,2026-11-01T00:00:00Z,2026-12-01T00:00:00Z,Usage,speech transcribed,2026-11-01T00:00:00Z,2026-12-01T00:00:00Z";
        assert!(row.starts_with(&format!("{period},{seconds},Seconds,{seconds},Seconds,{price},")), "{row}");
        assert!(row.contains(&format!(",{model},speech,")), "{row}");
    }
}

#[test]
fn a_clip_of_unknown_length_or_without_speech_is_held_against_what_was_reported() {
    let events = [
        recognized(1, FLASH, &json!({"duration": 15})),
        recognized(2, FLASH, &json!({"duration": 8})),
        recognized(3, FLASH, &Value::Null),
    ];
    let silent =
        json!({"file_url": "clip.wav", "properties": {"original_duration_in_milliseconds": 8000}, "transcripts": []});
    let lines: String = [json!({"talkmeter_ledger": 1, "created": "2026-11-01T00:00:00Z"})]
        .into_iter()
        .chain(events.into_iter().map(|mut event| {
            event["at"] = json!("2026-11-02T00:00:00Z");
            event
        }))
        .map(|line| format!("{line}\n"))
        .collect();
    let scene = || {
        Scene::new()
            .write("out/ledger.jsonl", &*lines)
            .write("out/results/flash-000001-clip.json", call(&[(0, 1000, 4200, "one")]))
            .write("out/results/flash-000002-clip.json", silent.to_string())
            .write("out/results/flash-000003-clip.json", silent.to_string())
    };
    // What was answered by silence, and without a bill, is due nothing.
    let ran = reconcile(scene(), "task_id,seconds\nreq-1,15\nreq-2,8\n").exits(0);
    ran.prints("0 differ, 0 not billed, 0 not ours");
    let ran = reconcile(scene(), "task_id,seconds\nreq-1,17\nreq-3,8\n").exits(3);
    ran.prints("2 differ, 1 not billed, 0 not ours");
    reconcile(scene(), "date,seconds\n2026-11-02,23\n").exits(0);
}

#[test]
fn calls_billed_in_tokens_stand_beside_those_by_the_second() {
    let tokens = "qwen-audio-3.1-asr-flash";
    let mut events = done(1, "a", json!({"duration": 9}));
    events.push(recognized(1, tokens, &json!({"duration": 7, "input_tokens": 182, "output_tokens": 19})));
    let prices = format!(
        "[[price]]\nmodels = [\"{tokens}\"]\nregion = \"cn\"\ncurrency = \"CNY\"\nmillion_tokens_in = \"1\"\n\
         million_tokens_out = \"3\"\nsource = \"contract\"\nchecked = \"2026-10-01\"\n"
    );
    let scene = || {
        Scene::new()
            .write("out/ledger.jsonl", ledger("paraformer-v2", "cn", &events))
            .write("out/results/000001-a.json", call(&[(0, 0, 9_000, "one")]).content(0, 9_000))
            .write("out/results/flash-000001-clip.json", call(&[(0, 1000, 4200, "one")]).lasting(7_000))
            .write("prices.toml", &*prices)
    };
    let run = |statement: &str, more: &str| {
        scene().write("bill.csv", statement).run(&format!("cost reconcile out --statement bill.csv {more}"))
    };
    // 182 × 1 + 19 × 3 by the million.
    let head = "task_id,seconds,input_tokens,output_tokens,cost\n";
    let ours = format!("{head}task-1,9,,,0.00072\nreq-1,,182,19,0.000239\n");
    let report = run(&ours, "--prices prices.toml --format json").exits(0).json();
    assert_eq!(report["verdict"]["service"], json!({"seconds": 9, "tokens": 201, "cost": "0.000959"}));
    // The call, input and output of the clip, and the amount for both.
    assert_eq!(report["rows"].as_array().unwrap().len(), 4);
    run(&ours.replace(",19,", ",91,"), "--prices prices.toml").exits(3).prints("91 tokens, 19 reported by the service");
    run(&ours.replace("task-1,9", "task-1,90"), "--prices prices.toml").exits(3).prints("1 differ");
    // One day, of which each row counts its own.
    let day = "date,seconds,input_tokens,output_tokens\n2026-11-01,9,,\n2026-11-01,,182,19\n";
    run(day, "").exits(0).prints("0 differ, 0 not billed, 0 not ours");
    run(day, "--format csv").exits(0).says("2 rows in tokens have other columns and are not in the CSV");
}

#[test]
fn what_the_service_reports_of_a_saved_clip_agrees_with_its_length() {
    let service = Service::new();
    let scene = service.scene().write("clip.wav", wav(1, 8000, 10));
    let ran = scene.run("flash clip.wav https://calls.example/a.wav --save out").exits(0);
    let ran = service.then(ran).run("transcribe https://calls.example/b.wav -o out --model fun-asr").exits(0);
    let ran = ran.then().run("cost reconcile out --format json").exits(0);
    let rows = ran.json()["rows"].clone();
    assert_eq!(rows.as_array().unwrap().len(), 3, "{rows}");
    assert_eq!((&rows[1]["key"], &rows[1]["actual_s"]), (&json!("flash-000001-clip.json"), &json!(10)));
    // The same seconds in what it cost.
    let ran = ran.then().run(&format!("cost actual out --model {FLASH} --format csv")).exits(0);
    let out = ran.out();
    for basis in ["0,result", ",usage"] {
        let line = format!("flash-000001-clip.json,{basis},{FLASH},cn,10,seconds,0.00003,USD,0.0003,");
        assert!(out.lines().any(|own| own.starts_with(&line)), "{line}\n{out}");
    }
}
