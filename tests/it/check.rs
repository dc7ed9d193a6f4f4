//! `check`: a line per file and code, an exit code for a gate.

use serde_json::{Value, json};

use crate::scene::{Call, Scene, call, column, csv, diarised, has};

fn clean() -> Call {
    call(&[(0, 0, 1000, "hello"), (1, 2000, 3000, "hi")]).lasting(4000)
}

/// Only worth knowing: two sentences out of order, and some of one speaker's time twice.
fn noted() -> Call {
    call(&[(0, 500, 3000, "there"), (0, 0, 1000, "hello"), (1, 2000, 3000, "hi")]).lasting(4000)
}

/// The last 500 ms lie behind the recording: the word's and the sentence's.
fn serious() -> Call {
    noted().say(1, &[(3800, 4500, "bye")])
}

#[test]
fn a_clean_folder_passes() {
    let ran =
        Scene::new().call("a", clean()).call("b", clean()).run("check calls").exits(0).says("2 files, nothing found");
    let ran = ran.then().run("check calls --format json").exits(0);
    assert_eq!(ran.json(), json!([]));
    let ran = ran.then().run("check calls --format jsonl -q").exits(0).prints_nothing().says_nothing();
    let ran = ran.then().run("check calls --format csv").exits(0);
    assert_eq!(ran.out(), "file,severity,code,count,detail,meaning\n");
}

#[test]
fn notices_do_not_fail_the_check() {
    let ran =
        Scene::new().call("a", noted()).run("check calls --format jsonl").exits(0).says("1 file, 0 serious findings");
    let rows = ran.lines();
    assert_eq!(column(&rows, "code"), ["out_of_order", "self_overlap_ms"]);
    has(&rows[0], json!({"file": "a.json", "severity": "note", "count": 1, "detail": "channel 0, sentence_index 1"}));
    has(&rows[1], json!({"count": 500, "detail": null}));
    ran.then().run("check calls --serious --format jsonl").exits(0).prints_nothing();
}

#[test]
fn findings_that_affect_figures_fail_the_check() {
    let ran = Scene::new().call("a", serious()).call("b", clean()).run("check calls --format jsonl").exits(3);
    assert_eq!(column(&ran.lines(), "code"), ["end_after_duration", "out_of_order", "self_overlap_ms"]);
    has(&ran.lines()[0], json!({"severity": "serious", "count": 2, "detail": "channel 1, sentence_index 1"}));
    let ran = ran.then().run("check calls --serious --format jsonl").exits(3);
    assert_eq!(column(&ran.lines(), "code"), ["end_after_duration"]);
}

#[test]
fn a_recording_in_several_files_is_a_serious_finding() {
    let url = |signature: &str| format!("https://calls.example/x.wav?OSSAccessKeyId=a&Expires=1&Signature={signature}");
    let (one, two) = (clean().url(&url("one")), clean().url(&url("two")));
    let scene = Scene::new().call("a", one).call("b", two).call("c", clean().url("https://calls.example/y.wav"));
    let rows = scene.run("check calls --serious --format jsonl").exits(3).lines();
    assert_eq!(column(&rows, "code"), ["copies"]);
    has(&rows[0], json!({"severity": "serious", "count": 1}));
    assert!(rows[0]["detail"].as_str().unwrap().contains("https://calls.example/x.wav"), "{:?}", rows[0]);
}

#[test]
fn a_file_that_is_no_result_is_a_serious_finding() {
    let ran =
        Scene::new().call("a", clean()).call("b", "<html>").run("check calls calls/gone.json --format json").exits(3);
    let rows = ran.json();
    has(
        rows[0].as_object().unwrap(),
        json!({"file": "calls/gone.json", "severity": "serious", "code": "unreadable", "detail": "no such file"}),
    );
    has(rows[1].as_object().unwrap(), json!({"file": "b.json", "severity": "serious", "code": "refused", "count": 1}));
    assert!(rows[1]["detail"].as_str().unwrap().starts_with("this is HTML, not a result file"));
    // Nothing else was given: still a finding, not a failure of the check.
    Scene::new().call("b", "<html>").run("check calls").exits(3).prints("refused");
}

#[test]
fn silence_is_a_notice() {
    let ran = Scene::new().call("a", json!({"transcripts": []})).run("check calls --format jsonl").exits(0);
    assert_eq!(column(&ran.lines(), "code"), ["nothing_to_measure"]);
}

#[test]
fn there_is_one_row_for_each_file_and_code_in_every_format() {
    let story = || Scene::new().call("a", serious()).call("b", noted()).call("c, \"d\"", noted()).call("e", clean());
    let rows = story().run("check calls --format jsonl").exits(3).lines();
    let mut keys: Vec<(Value, Value)> = rows.iter().map(|row| (row["file"].clone(), row["code"].clone())).collect();
    assert_eq!(keys.len(), 7);
    keys.dedup();
    assert_eq!(keys.len(), 7);
    let json = story().run("check calls --format json").exits(3).json();
    let listed: Vec<Value> = rows.iter().cloned().map(Value::Object).collect();
    assert_eq!(json, Value::from(listed));
    let records = csv(&story().run("check calls --format csv").exits(3).out());
    assert_eq!(records.len(), 8);
    assert_eq!(records[6][0].0, "c, \"d\".json");
    for (record, row) in records[1..].iter().zip(&rows) {
        assert_eq!(record[2].0, row["code"].as_str().unwrap());
        assert_eq!(record[3].0, row["count"].to_string());
        assert_eq!(record[5].0, row["meaning"].as_str().unwrap());
    }
    // For people: a header and a line each.
    let table = story().run("check calls").exits(3).prints("severity");
    assert_eq!(table.out().lines().count(), 8);
}

#[test]
fn check_and_analyze_find_the_same() {
    let odd = diarised(&[(Some(0), 0, 1000, "a"), (None, 2000, 5000, "b"), (Some(1), -500, 500, "c")]).lasting(4000);
    let story = || Scene::new().call("a", odd.clone()).call("b", serious());
    let checked = story().run("check calls --format jsonl").exits(3).lines();
    let analysed = story().run("analyze calls -o out").exits(0).table("warnings");
    for name in ["file", "code", "count", "detail"] {
        assert_eq!(column(&checked, name), column(&analysed, name));
    }
}

#[test]
fn only_check_names_masked_words() {
    // Two words of asterisks hold no letter: units and rates are lower bounds here.
    let masked = call(&[(0, 0, 1000, "my number is **** and ***"), (1, 2000, 3000, "2 * 3")]).lasting(4000);
    let rows = Scene::new().call("a", masked.clone()).run("check calls --format jsonl").exits(0).lines();
    assert_eq!(column(&rows, "code"), ["masked_words"]);
    has(&rows[0], json!({"severity": "note", "count": 2, "detail": "channel 0, sentence_index 0"}));
    let ran = Scene::new().call("a", masked).run("analyze calls -o out").exits(0).says_no("masked");
    has(&ran.row("calls"), json!({"warning_count": 0, "units": 6}));
    assert!(ran.table("warnings").is_empty());
}
