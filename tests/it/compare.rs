//! `compare`: two transcripts of one call, by hand and beside the programs that own the measures.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use talkmeter::text::{Markers, tokens};

use crate::scene::{Content, Row, Scene, call, diarised, files_below, has, sentence};

/// A folder of one call on each side.
fn sides(a: impl Content, b: impl Content) -> Scene {
    Scene::new().write("a/x.json", a).write("b/x.json", b)
}

fn compared(a: impl Content, b: impl Content) -> Value {
    sides(a, b).run("compare a b --format json").exits(0).json()
}

fn figure(call: &Value, name: &str) -> Value {
    call["figures"][name].clone()
}

#[test]
fn words_that_differ_are_counted_by_kind_and_by_frequency() {
    let a = call(&[(0, 0, 4000, "I would like a refund"), (1, 5000, 9000, "Sure, no problem!")]);
    let b = call(&[(0, 0, 4000, "I'd like a a refund"), (1, 5000, 9000, "sure no problem")]);
    let found = compared(a, b);
    let own = &found["calls"][0];
    assert_eq!((&own["wer"], &own["reference_words"], &own["matches"]), (&json!(0.375), &json!(8), &json!(6)));
    assert_eq!((&own["substitutions"], &own["deletions"], &own["insertions"]), (&json!(1), &json!(1), &json!(1)));
    assert_eq!(found["total"]["wer"], 0.375);
    let ran = sides(
        call(&[(0, 0, 4000, "harper valley and bank one two harper road")]),
        call(&[(0, 0, 4000, "harbor valley bank one two harbor road the")]),
    )
    .run("compare a b --list words --format csv")
    .exits(0);
    assert_eq!(ran.out(), "reference,word,count\nharper,harbor,2\n,the,1\nand,,1\n");
}

#[test]
fn channels_are_compared_one_by_one_and_one_track_in_order_of_time() {
    // The same words, on one track or two; the second speaker begins before the first has ended.
    let two = call(&[(0, 0, 4000, "one two three"), (1, 3000, 5000, "four five"), (0, 6000, 7000, "six")]);
    let one = diarised(&[
        (Some(0), 0, 4000, "one two three"),
        (Some(1), 3000, 5000, "four five"),
        (Some(0), 6000, 7000, "six"),
    ]);
    let found = compared(two.clone(), one);
    assert_eq!((&found["total"]["wer"], &found["total"]["der"]), (&json!(0.0), &json!(0.0)));
    // Words on the wrong channel are errors.
    let swapped = call(&[(1, 0, 4000, "one two three"), (0, 3000, 5000, "four five"), (1, 6000, 7000, "six")]);
    let found = compared(two, swapped);
    assert!(found["total"]["wer"].as_f64() > Some(0.9), "{}", found["total"]);
    // Speakers are told apart by when they speak, not by their labels.
    assert_eq!(found["total"]["der"], 0.0);
}

#[test]
fn matched_words_say_how_far_apart_they_begin() {
    let own = |words: &[(i64, i64, &str)]| json!({"transcripts": [{"channel_id": 0, "sentences": [sentence(words)]}]});
    let a = own(&[(0, 300, "please"), (400, 700, "wait"), (900, 1200, "here"), (1300, 1500, "now")]);
    let b = own(&[(40, 300, "please"), (300, 700, "wait"), (900, 1200, "there"), (1300, 1500, "now")]);
    let found = compared(a, b);
    has(
        found["total"].as_object().unwrap(),
        json!({"start_error_n": 3, "start_error_ms_p50": 40, "start_error_ms_p90": 88}),
    );
    // A word of two characters has one begin; a sentence without words has none.
    let a = own(&[(0, 500, "退款"), (600, 800, "吧")]);
    let b = own(&[(100, 300, "退"), (300, 500, "款"), (650, 800, "吧")]);
    has(
        compared(a.clone(), b)["total"].as_object().unwrap(),
        json!({"wer": 0, "start_error_n": 2, "start_error_ms_p50": 75}),
    );
    let bare = call(&[]).tell(0, 0, 800, "退款吧");
    has(
        compared(a, bare)["total"].as_object().unwrap(),
        json!({"wer": 0, "start_error_n": 0, "start_error_ms_p50": null}),
    );
}

#[test]
fn every_figure_stands_beside_its_partner() {
    let a =
        diarised(&[(Some(0), 0, 4000, "one two"), (Some(1), 5000, 9000, "three"), (Some(0), 13_000, 14_000, "four")]);
    // Other labels, one sentence less, one speaker more.
    let b = diarised(&[(Some(7), 0, 4000, "one two"), (Some(3), 5000, 8000, "three"), (Some(4), 8200, 9000, "yes")]);
    let found = compared(a, b);
    let own = &found["calls"][0];
    assert_eq!(figure(own, "speech_ms"), json!({"a": 9000, "b": 7800, "difference": -1200}));
    assert_eq!(figure(own, "dead_air_count"), json!({"a": 1, "b": 0, "difference": -1}));
    // Not measurable on one diarised track: null on both sides, and no difference of 0.
    assert_eq!(figure(own, "overlap_ms"), json!({"a": null, "b": null, "difference": null}));
    let pairs: Vec<_> = own["participants"].as_array().unwrap().iter().map(|row| (&row["a"], &row["b"])).collect();
    let (spk0, spk1, spk3, spk4, spk7) = (json!("spk0"), json!("spk1"), json!("spk3"), json!("spk4"), json!("spk7"));
    assert_eq!(pairs, [(&spk0, &spk7), (&spk1, &spk3), (&Value::Null, &spk4)]);
    let talk = &own["participants"][0]["figures"]["talk_ms"];
    assert_eq!(talk, &json!({"a": 5000, "b": 4000, "difference": -1000}));
    let column = |name: &str| {
        let columns = found["columns"].as_array().unwrap().iter();
        columns.clone().find(|row| row["table"] == "calls" && row["column"] == name).unwrap().clone()
    };
    has(
        column("speech_ms").as_object().unwrap(),
        json!({"n": 1, "differs": 1, "of": "sum", "a": 9000, "b": 7800, "difference": -1200, "most_in": "x.json"}),
    );
    has(column("overlap_ms").as_object().unwrap(), json!({"n": 0, "differs": 0, "a": null}));
}

#[test]
fn files_are_paired_by_name_and_what_is_alone_is_said() {
    let talk = || call(&[(0, 0, 4000, "hello")]);
    let scene = Scene::new()
        .write("a/may/1.json", talk())
        .write("a/2.json", talk())
        .write("a/3.json", talk())
        .write("b/1.json", talk())
        .write("b/2.json", talk())
        .write("b/4.json", "{}");
    let ran = scene
        .run("compare a b --format csv")
        .exits(0)
        .says("1 file of A without one in B, such as 3.json")
        .says("1 file of B without one in A, such as 4.json");
    let rows: Vec<String> =
        ran.out().lines().skip(1).map(|line| line.split(',').take(3).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(rows, ["2.json 2.json 0.0", "may/1.json 1.json 0.0"]);
    ran.then().write("a/4.json", talk()).run("compare a b").exits(3).says("b/4.json: ");
    Scene::new()
        .write("a/1.json", talk())
        .write("b/2.json", talk())
        .run("compare a b")
        .exits(1)
        .says("A has `1.json`, B has `2.json`")
        .then()
        .run("compare a/1.json b/2.json")
        .exits(0)
        .prints("WER 0.0 %");
}

#[test]
fn interruptions_are_compared_where_both_sides_can_measure_them() {
    let two = call(&[(0, 0, 4000, "one two three"), (1, 5000, 6000, "four")]);
    let one = diarised(&[(Some(0), 0, 4000, "one two three"), (Some(1), 5000, 6000, "four")]);
    let ran = sides(two.clone(), one).run("compare a b").exits(0);
    let ran = ran.prints("Interruptions: not measurable in these calls");
    let ran = ran.then().write("a/y.json", two.clone()).write("b/y.json", two).run("compare a b").exits(0);
    ran.prints("Interruptions differ in 0 of 1 call (1 not measurable)");
}

#[test]
fn eighty_columns_show_the_figures_of_both_sides() {
    let a = call(&[(0, 0, 60_000, "one two three"), (1, 70_000, 90_000, "four five")]);
    let b = call(&[(0, 61_455, 121_455, "one two"), (1, 130_000, 150_000, "four five six")]);
    let scene = sides(a, b).with(|folder| {
        for side in ["a", "b"] {
            std::fs::rename(folder.join(side).join("x.json"), folder.join(side).join("call-1.json")).unwrap();
        }
    });
    let ran = scene.environment("COLUMNS", "80").run("compare a b --cost").exits(0).prints("60,728 ms apart");
    let out = ran.out();
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{out}");
    let head = |title: &str| lines.iter().skip_while(|line| **line != title).nth(1).copied().unwrap();
    let calls = head("Calls");
    assert!(["WER", "S/D/I", "DER", "cost A", "cost B"].iter().all(|name| calls.contains(name)), "{out}");
    let figures = head("Figures that differ");
    assert!(figures.split_whitespace().collect::<Vec<_>>().join(" ").starts_with("figure A B B − A"), "{out}");
    assert!(out.contains(" pp"), "{out}");
}

#[test]
fn the_price_of_both_is_compared_where_both_have_one() {
    let a = call(&[(0, 0, 10_000, "one"), (1, 20_000, 40_000, "two")]).content(0, 10_000).content(1, 20_000);
    let b = call(&[(0, 0, 10_000, "one")]).content(0, 10_000);
    let prices = "[[price]]\nmodels = [\"cheap\"]\nregion = \"intl\"\ncurrency = \"USD\"\nsecond = \"0.001\"\n\
        checked = \"2026-10-01\"\nsource = \"https://example.org\"\n\
        [[price]]\nmodels = [\"dear\"]\nregion = \"intl\"\ncurrency = \"USD\"\nsecond = \"0.002\"\n\
        checked = \"2026-10-01\"\nsource = \"https://example.org\"\n";
    let ran = sides(a, b)
        .write("prices.toml", prices)
        .run("compare a b --cost --model-a cheap --model-b dear --region intl --prices prices.toml")
        .exits(0)
        .prints("B is 33.3 % cheaper: 0.02 USD against 0.03 USD for 1 call priced on both sides");
    let ran =
        ran.then().run("compare a b --cost").exits(0).says("--model-a").prints("Cost: A not priced, B not priced");
    let ran = ran.then().run("compare a b --format json").exits(0);
    assert_eq!(ran.json()["cost"], Value::Null);
}

#[test]
fn the_page_works_offline_and_shows_text_as_text() {
    let scene = sides(call(&[(0, 0, 4000, "harper")]), call(&[(0, 0, 4000, "harbor")])).with(|folder| {
        std::fs::rename(folder.join("a/x.json"), folder.join("a/<b>x.json")).unwrap();
        std::fs::rename(folder.join("b/x.json"), folder.join("b/<b>x.json")).unwrap();
    });
    let ran = scene.run("compare a b -o c.html").exits(0).says("c.html written: 1 call").prints_nothing();
    let page = ran.file("c.html");
    assert!(page.contains("&lt;b&gt;x.json") && !page.contains("<b>x.json"), "text as markup");
    assert!(page.contains(">harbor</td>") && page.contains(">100.0 %</td>"), "no substitution");
    assert!(!page.contains("http://") && !page.contains("https://"), "a page that loads something");
    let ran = ran.then().run("compare a b -o c.txt").exits(2).says(".html, .md or .json");
    let md = ran.then().run("compare a b --format md").exits(0);
    assert!(md.out().starts_with("# b against a: 1 call\n\n"), "{}", md.out());
    assert!(md.out().contains("| harper | harbor | 1 |"), "{}", md.out());
}

#[test]
fn a_transcript_differs_from_itself_in_nothing() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/calls");
    let scene = files_below(&examples).into_iter().fold(Scene::new(), |scene, (path, bytes)| {
        let name = Path::new(&path).file_name().unwrap().to_str().unwrap().to_owned();
        scene.write(&format!("a/{name}"), bytes.clone()).write(&format!("b/{name}"), bytes)
    });
    let found = scene.run("compare a b --format json").exits(0).json();
    let calls = found["calls"].as_array().unwrap();
    assert!(calls.len() > 5);
    for own in calls {
        let words = own["reference_words"].as_u64().unwrap();
        assert_eq!(own["wer"], if words == 0 { Value::Null } else { json!(0.0) }, "{}", own["file"]);
        assert!(own["der"].is_null() || own["der"] == 0.0, "{}", own["der"]);
    }
    assert!(found["columns"].as_array().unwrap().iter().all(|column| column["differs"] == 0));
    assert_eq!((&found["total"]["wer"], &found["total"]["start_error_ms_p90"]), (&json!(0.0), &json!(0)));
    assert_eq!(found["edits"], json!([]));
}

/// Error rates of `jiwer` and `pyannote.metrics`, call by call.
fn elsewhere(calls: &Value) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compare/errors.py");
    let mut python = Command::new("python3").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    python.stdin.take().unwrap().write_all(calls.to_string().as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The tokens of each channel, sentence by sentence in order of time.
fn clean(path: &Path) -> Vec<String> {
    let result: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let channel = |channel: &Value| {
        let mut sentences = channel["sentences"].as_array().unwrap().clone();
        sentences.sort_by_key(|sentence| sentence["begin_time"].as_i64());
        let words = sentences.iter().flat_map(|sentence| tokens(sentence["text"].as_str().unwrap(), Markers::Drop));
        words.collect::<Vec<_>>().join(" ")
    };
    result["transcripts"].as_array().unwrap().iter().map(channel).collect()
}

#[test]
#[ignore = "needs ../shared/data and python3 with jiwer and pyannote.metrics"]
fn jiwer_and_pyannote_find_the_same_errors() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/calls");
    let mut scene = Scene::new();
    let mut names = Vec::new();
    for (path, bytes) in files_below(&data.join("human")) {
        let name = Path::new(&path).file_name().unwrap().to_str().unwrap().to_owned();
        scene = scene.write(&format!("human/{name}"), bytes);
        scene = scene.write(&format!("machine/{name}"), std::fs::read(data.join(&name)).unwrap());
        names.push(name);
    }
    names.sort();
    let ran = scene.run("compare human machine --format json").exits(0);
    let found = ran.json();
    let ran = ran.then().run("analyze human -o out/human --tables csv --only bursts").exits(0);
    let ran = ran.then().run("analyze machine -o out/machine --tables csv --only bursts").exits(0);
    let bursts = |side: &str, name: &str| -> Vec<Value> {
        let rows: Vec<Row> = ran.table_as(&format!("{side}/bursts"), "csv");
        rows.into_iter().filter(|row| row["file"] == name).map(Value::Object).collect()
    };
    let calls: Vec<Value> = names
        .iter()
        .map(|name| {
            let texts = ["human", "machine"].map(|side| clean(&ran.path(&format!("{side}/{name}"))));
            let bursts = ["human", "machine"].map(|side| bursts(side, name));
            json!({"texts": texts, "bursts": bursts})
        })
        .collect();
    let theirs = elsewhere(&json!(calls));
    let ours = found["calls"].as_array().unwrap().iter().chain([&found["total"]]);
    let mut seen = 0;
    for (own, their) in ours.zip(theirs.as_array().unwrap()) {
        for measure in ["wer", "der", "der_collar_250"] {
            let (own, their) = (own[measure].as_f64().unwrap(), their[measure].as_f64().unwrap());
            println!("{measure}: ours {own:.6}, theirs {their:.6}");
            assert!((own - their).abs() < 1e-9, "{measure}: {own} instead of {their}");
            seen += 1;
        }
    }
    assert_eq!(seen, 3 * (names.len() + 1));
}
