//! One ordinary call, damaged in every way seen so far: each is refused with a reason or measured with warnings, and none stops
//! the others. The same holds for the files of `real_data`, which are not part of the repository.

use serde_json::{Value, json};

use crate::scene::{Content, Row, Scene, column, has, measured, sentence};

/// Two diarised speakers, 11 s, 14 words.
fn ordinary() -> Value {
    let spoken = |speaker: i64, words: &[(i64, i64, &str)]| {
        let mut sentence = sentence(words);
        sentence["speaker_id"] = json!(speaker);
        sentence
    };
    json!({
        "file_url": "https://calls.example/a.wav",
        "properties": {"channels": [0], "original_duration_in_milliseconds": 11_000},
        "transcripts": [{"channel_id": 0, "content_duration_in_milliseconds": 8000, "sentences": [
            spoken(0, &[(500, 900, "good"), (900, 1500, "morning")]),
            spoken(1, &[(1800, 2300, "morning"), (2300, 2500, "this"), (2500, 2600, "is"), (2600, 3000, "Ann")]),
            spoken(0, &[(3400, 3700, "shall"), (3700, 3900, "we"), (3900, 4600, "start")]),
            spoken(1, &[(5000, 5500, "yes"), (5500, 6000, "please"), (9000, 10_050, "now")]),
        ]}],
    })
}

/// The ordinary call after a change.
fn changed(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut call = ordinary();
    change(&mut call);
    call.bytes()
}

/// The ordinary call with a text replaced in its JSON.
fn edited(from: &str, to: &str) -> Vec<u8> {
    let text = ordinary().to_string();
    assert!(text.contains(from), "no {from} in the call");
    text.replace(from, to).into_bytes()
}

/// Files that are refused, and why.
fn refused() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let text = ordinary().to_string();
    vec![
        ("cut.json", text[..text.len() / 2].into(), "incomplete JSON: the file ends at line 1 column"),
        ("empty.json", Vec::new(), "the file is empty"),
        ("array.json", b"[1, 2]".to_vec(), "expected an object, found an array"),
        ("string.json", b"\"text\"".to_vec(), "found a string"),
        ("deep.json", [vec![b'['; 100_000], vec![b']'; 100_000]].concat(), "nested too deeply"),
        ("exponent.json", edited("11000", "1e999"), "number out of range at line 1 column"),
        ("nan.json", edited("11000", "NaN"), "invalid JSON: expected value at line 1 column"),
        ("surrogate.json", edited("\"Ann\"", "\"\\ud800\""), "invalid JSON"),
        (
            "utf8.json",
            text.replace("Ann", "A\u{1}n").into_bytes().into_iter().map(|b| if b == 1 { 0xFF } else { b }).collect(),
            "not valid UTF-8",
        ),
        ("page.json", b"<!DOCTYPE html><html><body>502</body></html>".to_vec(), "this is HTML, not a result file"),
        ("gzip.json", b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec(), "gzip data"),
        ("two.json", format!("{text}\n{text}\n").into_bytes(), "more than one JSON value"),
        (
            "task.json",
            br#"{"request_id": "r", "output": {"task_id": "t", "task_status": "SUCCEEDED", "results": []}}"#.to_vec(),
            "this is a task answer",
        ),
    ]
}

/// A file, its bytes, and the warnings it gets with their counts.
type Warned = (&'static str, Vec<u8>, Vec<(&'static str, i64)>);

/// Files that are measured, with their warnings.
fn warned() -> Vec<Warned> {
    let sentences = |call: &mut Value, change: &dyn Fn(&mut Vec<Value>)| {
        change(call["transcripts"][0]["sentences"].as_array_mut().unwrap());
    };
    let mut marked = b"\xEF\xBB\xBF".to_vec();
    marked.extend(ordinary().bytes());
    vec![
        ("mark.json", marked, vec![]),
        ("backwards.json", changed(|call| sentences(call, &|all| all.reverse())), vec![("out_of_order", 3)]),
        ("strings.json", edited("\"begin_time\":500,", "\"begin_time\":\"500\","), vec![("invalid_value", 2)]),
        (
            "huge.json",
            edited("\"end_time\":10050,", "\"end_time\":9223372036854775808,"),
            vec![("invalid_value", 2), ("untimed_words", 1)],
        ),
        ("negative.json", edited("\"begin_time\":500,", "\"begin_time\":-500,"), vec![("negative_time", 2)]),
        ("past.json", edited("10050", "12050"), vec![("end_after_duration", 2)]),
        (
            "nobody.json",
            changed(|call| sentences(call, &|all| all[1]["speaker_id"] = Value::Null)),
            vec![("unknown_speaker", 1)],
        ),
        (
            "repeated.json",
            edited("\"transcripts\":", "\"transcripts\":[],\"transcripts\":"),
            vec![("duplicate_key", 1)],
        ),
        (
            "wordless.json",
            changed(|call| sentences(call, &|all| all[0]["words"] = Value::Null)),
            vec![("mixed_basis", 1)],
        ),
        ("channel.json", edited("\"channel_id\":0", "\"channel_id\":4294967296"), vec![("invalid_value", 1)]),
        (
            "escape.json",
            edited("\"Ann\"", "\"\\u001b[2J\\u0000Ann\""),
            vec![("control_characters", 1), ("words_differ_from_text", 1)],
        ),
        ("traversal.json", edited("https://calls.example/a.wav", "file:///../../etc/passwd"), vec![]),
    ]
}

#[test]
fn every_damage_is_refused_or_counted_and_none_stops_the_others() {
    let (refused, warned) = (refused(), warned());
    let write = |scene: Scene, name: &str, bytes: &[u8]| scene.write(&format!("calls/{name}"), bytes);
    let scene = refused.iter().fold(Scene::new(), |scene, (name, bytes, _)| write(scene, name, bytes));
    let scene = warned.iter().fold(scene, |scene, (name, bytes, _)| write(scene, name, bytes));
    let ran = scene.run("analyze calls -o out --tables jsonl --keyword Ann --pages --calls 100").exits(3);
    for (name, _, why) in &refused {
        let line =
            ran.err().lines().find(|line| line.contains(&format!("calls/{name}: "))).unwrap_or_default().to_owned();
        assert!(line.contains(why), "{name} is not refused because {why}: {line:?}");
    }
    for line in ran.err().lines() {
        assert!(line.chars().count() <= 2000 && !line.chars().any(char::is_control), "{line:?}");
    }
    let mut names: Vec<&str> = warned.iter().map(|(name, ..)| *name).collect();
    names.sort_unstable();
    assert_eq!(column(&ran.table("calls"), "file"), names);
    for (name, bytes, expected) in &warned {
        let expected: Vec<(String, i64)> = expected.iter().map(|(code, count)| ((*code).to_owned(), *count)).collect();
        let alone = measured(&bytes[..]);
        assert_eq!(alone.warnings(), expected, "{name}");
        // Among others it has the figures that it has alone.
        let figures = |mut row: Row| {
            ["file", "keyword_hit_count"].into_iter().for_each(|column| drop(row.remove(column)));
            row
        };
        assert_eq!(figures(ran.row_where("calls", "file", *name)), figures(alone.row("calls")), "{name}");
    }
    // Text from the files does not become markup, and every page is complete.
    let html = ran.file("out/report.html");
    crate::report::agrees(&html, &ran.table("calls"), &ran.table("participants"));
    let pages = ran.files("out/report-pages").into_iter().filter(|(name, _)| name.ends_with(".html"));
    for (name, page) in pages {
        let page = String::from_utf8(page).unwrap();
        assert_eq!(page.matches("<script").count(), 1, "{name}");
        assert_eq!(crate::report::page::dangling(&page), Vec::<String>::new(), "{name}");
    }
    let ran = ran.then().run("check calls --format jsonl").exits(3);
    assert_eq!(ran.lines().iter().filter(|row| row["code"] == "refused").count(), refused.len());
}

#[test]
fn damage_that_keeps_the_words_keeps_the_figures() {
    let participants = |call: &[u8]| measured(call).table("participants");
    let usual = participants(&ordinary().bytes());
    has(&usual[0], json!({"participant": "spk0", "units": 5}));
    let kept = ["mark.json", "backwards.json", "strings.json", "repeated.json", "traversal.json"];
    for (name, bytes, _) in warned().into_iter().filter(|(name, ..)| kept.contains(name)) {
        assert_eq!(participants(&bytes), usual, "{name}");
    }
    // The name of the field in the vendor's table.
    let alias = edited("content_duration_in_milliseconds", "content_duration");
    has(&measured(&alias[..]).row("calls"), json!({"billable_ms": 8000, "billable_source": "content_duration"}));
    assert_eq!(participants(&alias), usual);
}
