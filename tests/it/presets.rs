//! `--definition`: onsets classified as other products do, and named beside the figures.

use serde_json::{Value, json};

use crate::scene::{Scene, call, column, has};

fn scene() -> Scene {
    // ch1 says four words inside ch0's burst, and ch0 returns while ch1 still talks.
    let talk = call(&[
        (0, 0, 10_000, "let me explain how this works"),
        (1, 4000, 7000, "no that is wrong"),
        (1, 12_000, 20_000, "I said something else before"),
        (0, 18_500, 24_000, "and I meant it"),
    ]);
    Scene::new().call("a", talk.lasting(30_000))
}

#[test]
fn a_preset_changes_what_onsets_are_called_and_is_named_in_the_report() {
    let kinds = |definition: &str| {
        let ran = scene().run(&format!("analyze calls -o out --tables jsonl {definition}")).exits(0);
        let report: Value = serde_json::from_str(&ran.file("out/report.json")).unwrap();
        let parameters = &report["parameters"];
        let events = ran.table("events");
        (column(&events, "kind"), parameters["definition"].clone(), parameters["interruption_overlap_ms"].clone())
    };
    let named = |kinds: [&str; 2]| kinds.map(Value::from).to_vec();
    assert_eq!(kinds(""), (named(["side_speech", "interruption"]), json!("default"), json!(1000)));
    let strict = (named(["side_speech", "terminal_overlap"]), json!("strict"), json!(2000));
    assert_eq!(kinds("--definition strict"), strict);
    assert_eq!(
        kinds("--definition strict --interruption-overlap-ms 1000"),
        (named(["side_speech", "interruption"]), json!("strict"), json!(1000))
    );
    assert_eq!(kinds("--definition sca"), (named(["interruption", "terminal_overlap"]), json!("sca"), json!(2000)));
    assert_eq!(kinds("--definition cam"), (named(["interruption", "interruption"]), json!("cam"), json!(501)));
}

#[test]
fn explain_and_report_follow_the_preset() {
    let ran = scene().run("explain calls/a.json --definition sca --format jsonl").exits(0);
    has(&ran.lines()[0], json!({"kind": "interruption", "participant": "ch1", "begin_ms": 4000, "overlap_ms": 3000}));
    let ran = scene().run("analyze calls -o out --definition cam").exits(0);
    let page = ran.file("out/report.html");
    assert!(page.contains("<code>definition</code> cam"), "the page does not name the preset");
    let ran = ran.then().run("report out --format json").exits(0);
    assert_eq!(ran.json()["parameters"]["definition"], "cam");
    scene().run("analyze calls --definition loose").exits(2).says("default, strict, sca, cam");
}
