//! The catalogue of models, as people and programs read it.

use serde_json::{Value, json};

use crate::scene::Scene;

#[test]
fn a_table_lists_regions_and_prices_of_models() {
    let ran = Scene::new().run("models -q").exits(0).says_nothing();
    let out = ran.out();
    let line = |name: &str| {
        let mut lines = out.lines().filter(|line| line.split_whitespace().next() == Some(name));
        let line = lines.next().unwrap_or_else(|| panic!("no line of {name}\n{out}"));
        assert!(lines.next().is_none(), "two lines of {name}");
        line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("fun-asr"), "task 600/min 12 h 30 intl 0.000035 USD/s, cn 0.00022 CNY/s");
    assert_eq!(line("paraformer-8k-v2"), "task 1200/min 12 h 1 cn 0.00008 CNY/s");
    assert_eq!(line("fun-asr-mtl"), "task 100/min 12 h 36 intl 0.000035 USD/s, cn 0.00022 CNY/s");
    // An unknown price is not a price of 0.
    assert_eq!(line("qwen-audio-3.1-asr-flash"), "flash ? 5 min 30 intl ?, cn ?");
    assert_eq!(line("fun-asr-flash-2026-06-15"), "flash 600/min 5 min 30 intl 0.000035 USD/s, cn 0.00003 USD/s");
    // An inferred one is marked.
    assert_eq!(line("qwen-audio-3.0-asr-flash"), "flash ? 5 min 30 intl ~0.000035 USD/s, cn 0.00022 CNY/s");
}

#[test]
fn one_protocol_alone() {
    let ran = Scene::new().run("models --protocol qwen_task --format jsonl -q").exits(0);
    let names: Vec<Value> = ran.lines().iter().map(|row| row["model"].clone()).collect();
    assert_eq!(names, [json!("qwen3-asr-flash-filetrans"), json!("qwen3-asr-flash-filetrans-2025-11-17")]);
    Scene::new()
        .run("models --protocol websocket")
        .exits(2)
        .says("the protocols are task, qwen_task, flash, qwen_flash, realtime_flash, omni");
}

#[test]
fn everything_about_one_model() {
    Scene::new()
        .run("models fun-asr -q")
        .exits(0)
        .prints("\n  same as     fun-asr-2025-11-07\n")
        .prints("intl: endpoint Singapore (dashscope-intl.aliyuncs.com), data Singapore, inference\n")
        .prints("anywhere except mainland China\n")
        .prints("  billed by   seconds of speech, in each requested track\n")
        .prints("cn: endpoint Beijing (dashscope.aliyuncs.com), data Beijing, inference mainland China\n")
        .prints("30: zh en ja ko")
        .prints("up to 2 GB, up to 12 h, any sample rate, 1 URL per task (older pages: 100)")
        .prints("speaker_count (--speakers): how many speakers to expect, 2 to 100")
        .prints("  source      page of 20");
}

#[test]
fn in_json_money_is_text_and_every_row_has_its_source() {
    let rows = Scene::new().run("models --format json -q").exits(0).json();
    let rows = rows.as_array().unwrap();
    assert!(rows.len() >= 24);
    for row in rows {
        for fact in
            [&[row.clone()][..], row["prices"].as_array().unwrap(), row["residency"].as_array().unwrap()].concat()
        {
            let (source, checked) = (fact["source"].as_str().unwrap(), fact["checked"].as_str().unwrap());
            assert!(!source.is_empty() && checked.len() == 10, "{fact}");
        }
        assert!(row["parameters"].as_array().is_some_and(|keys| !keys.is_empty()), "{row}");
        let by_tokens = row["prices"].as_array().unwrap().iter().any(|price| !price["million_tokens_in"].is_null());
        assert!(!by_tokens || row["billed_by"] == "tokens", "{row}");
    }
    let fun = rows.iter().find(|row| row["model"] == "fun-asr").unwrap();
    assert_eq!(fun["prices"][0]["second"], json!("0.000035"));
    assert_eq!(fun["diarization_seconds"], json!(7200));
    assert_eq!(fun["regions"], json!(["intl", "cn"]));
    assert_eq!(fun["billed_by"], "speech");
    let flash = rows.iter().find(|row| row["model"] == "fun-asr-flash-2026-06-15").unwrap();
    assert_eq!(flash["billed_by"], "length");
    assert_eq!(fun["max_bytes"], json!(2_147_483_648_u64));
    assert_eq!(fun["max_seconds"], json!(43_200));
    let tokens = rows.iter().find(|row| row["model"] == "qwen-audio-3.1-asr-flash-filetrans").unwrap();
    let price = &tokens["prices"][0];
    assert_eq!((&price["million_tokens_in"], &price["million_tokens_out"]), (&json!("0.15"), &json!("0.47")));
    Scene::new().run("models paraformer-v2 --format csv -q").exits(0).prints(",cn,\"cn 0.00008 CNY/s, ");
}

#[test]
fn an_unknown_name_suggests_similar_ones() {
    Scene::new()
        .run("models paraformer-v3")
        .exits(2)
        .prints_nothing()
        .says("no model `paraformer-v3` in the catalogue: did you mean paraformer-v1 or paraformer-v2");
    Scene::new()
        .run("models sensevoice-v1")
        .exits(2)
        .says("sensevoice-v1 is being retired by the service: use fun-asr");
    Scene::new().run("models whisper").exits(2).says("`talkmeter models` lists the known ones");
}

#[test]
fn the_printed_prices_are_a_price_file() {
    for format in ["json", "jsonl"] {
        let ran = Scene::new().run(&format!("models --format {format} -q")).exits(0);
        let ours = ran.out().replace("0.000035", "0.00002");
        assert_ne!(ours, ran.out());
        let list = "url,duration\nhttps://calls.example/a.wav,1000\n";
        let estimate = "cost estimate calls.csv --speech-share 1 --region intl --format json";
        let scene = ran.then().write("ours", ours).write("calls.csv", list);
        let ran = scene.run(&format!("{estimate} --prices ours")).exits(0);
        assert_eq!(ran.json()["totals"][0]["cost"]["expected"], "0.02", "{format}");
        // What is not in the file stays as it is.
        let one = ran.then().run("models paraformer-v2 --format json -q").exits(0).out();
        let ran = Scene::new().write("ours.json", one).write("calls.csv", list);
        let ran = ran.run(&format!("{estimate} --prices ours.json")).exits(0);
        assert_eq!(ran.json()["totals"][0]["cost"]["expected"], "0.035", "{format}");
    }
    let wrong = |text: &str, said: &str| {
        let scene = Scene::new().write("ours.json", text).write("a.wav", crate::scene::wav(1, 8000, 1));
        scene.run("cost estimate a.wav --prices ours.json").exits(2).says("ours.json: the price file ").says(said);
    };
    let row = |more: &str| {
        let row =
            r#""models": ["fun-asr"], "region": "intl", "currency": "USD", "source": "us", "checked": "2026-11-01""#;
        format!(r#"[{{"model": "fun-asr", "prices": [{{{row}, {more}}}]}}]"#)
    };
    wrong(&row(r#""second": "-1""#), "has `-1` for the price of fun-asr");
    wrong(&row(r#""second": "0.1", "amount": "0.2""#), "cannot be read: unknown field `amount`");
    wrong("[{", "cannot be read: EOF");
}

#[test]
fn an_old_price_is_a_warning_on_stderr() {
    // Whatever the clock says, the data on stdout are the same.
    let aloud = Scene::new().run("models paraformer-v2 --format json").exits(0);
    let quiet = Scene::new().run("models paraformer-v2 --format json -q").exits(0).says_nothing();
    assert_eq!(aloud.out(), quiet.out());
    aloud.says("the CNY price of paraformer-v2 in cn is ").says(" days old (20").says("): check it against ");
}
