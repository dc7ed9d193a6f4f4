//! Inputs rebuilt from what people reported (`../shared/data/cases`), with the values worked out in each `expect.md`. Case 35,
//! which has no file, is told in `kills`.

use serde_json::{Value, json};

use super::data;
use crate::batch::MODEL;
use crate::scene::{Ran, Row, Scene, column, csv, files_below, has};
use crate::service::Service;

/// The files of a case in a folder of their own.
fn case(name: &str) -> Scene {
    with_case(Scene::new(), name)
}

fn with_case(scene: Scene, name: &str) -> Scene {
    let folder = data(&format!("cases/{name}"));
    let below = |path: &str| path.strip_prefix(folder.to_str().unwrap()).unwrap().trim_start_matches('/').to_owned();
    let files = files_below(&folder).into_iter().map(|(path, bytes)| (below(&path), bytes));
    files.filter(|(path, _)| path != "expect.md").fold(scene, |scene, (path, bytes)| scene.write(&path, bytes))
}

/// Rule, cue and value of each violation.
fn violations(ran: &Ran) -> Vec<(i64, String, String)> {
    let cell = |row: &Row, name: &str| row[name].as_str().map_or_else(|| row[name].to_string(), str::to_owned);
    ran.lines().iter().map(|row| (row["cue"].as_i64().unwrap(), cell(row, "rule"), cell(row, "value"))).collect()
}

fn violation(cue: i64, rule: &str, value: &str) -> (i64, String, String) {
    (cue, rule.to_owned(), value.to_owned())
}

#[test]
#[ignore = "needs ../shared/data"]
fn case_01_a_line_of_white_space_belongs_to_its_cue() {
    let ran = case("01-rolling-vtt").run("captions --check rolling.en.vtt --format jsonl").exits(3);
    let expected = [
        (2, "gap_too_small", "0"),
        (2, "too_short", "10"),
        (2, "too_fast", "3900"),
        (3, "gap_too_small", "0"),
        (3, "too_fast", "25.1"),
        (4, "gap_too_small", "0"),
        (4, "too_short", "10"),
        (4, "too_fast", "2400"),
        (5, "gap_too_small", "0"),
        (5, "too_fast", "59"),
        (5, "line_too_long", "59"),
    ];
    assert_eq!(violations(&ran), expected.map(|(cue, rule, value)| violation(cue, rule, value)));
}

#[test]
#[ignore = "needs ../shared/data"]
fn case_02_cues_without_a_blank_line_between_them_are_cues() {
    let name = "02-cues-without-blank-lines";
    case(name)
        .run("captions --check no-blank.vtt no-blank.srt")
        .exits(0)
        .says("2 files, nothing found")
        .prints_nothing();
    let ran = case(name).run("captions --check broken-arrows.srt").exits(1);
    ran.says("broken-arrows.srt: line 6: ").says("is not a time line").says("line 10");
}

#[test]
#[ignore = "needs ../shared/data"]
fn case_04_captions_in_other_encodings_are_read() {
    let ran = case("04-captions-in-other-encodings").run("captions --check gbk.srt utf16.srt").exits(0);
    ran.says("gbk.srt: not UTF-8, read as gb18030").says("2 files, nothing found");
}

#[test]
#[ignore = "needs ../shared/data"]
fn case_06_cues_overlap_that_are_shown_together() {
    let ran = case("06-order-and-overlap").run("captions --check shuffled.srt --format jsonl").exits(3);
    assert_eq!(violations(&ran), [violation(2, "out_of_order", "33830"), violation(4, "overlap", "4920")]);
}

#[test]
#[ignore = "needs ../shared/data"]
fn case_07_a_value_is_above_the_limit_that_it_breaks() {
    let ran = case("07-speed-that-rounds-to-the-limit").run("captions --check rounds.srt --format jsonl").exits(3);
    assert_eq!(violations(&ran), [violation(1, "too_fast", "20.1")]);
}

fn codes(ran: &Ran, file: &str) -> Vec<Value> {
    let rows = ran.lines().into_iter().filter(|row| row["file"] == file);
    rows.map(|row| json!([row["code"], row["severity"]])).collect()
}

#[test]
#[ignore = "needs ../shared/data"]
fn case_10_words_without_length_leave_the_sentence_to_be_measured() {
    let name = "10-characters-with-one-begin";
    let ran = case(name).run("analyze one-begin.json all-zero.json -o out --tables jsonl").exits(0);
    for (file, basis) in [("one-begin.json", "words"), ("all-zero.json", "sentences")] {
        let row = ran.row_where("participants", "file", file);
        has(&row, json!({"talk_ms": 1200, "units": 9, "basis": basis}));
    }
    let ran = ran.then().run("check one-begin.json all-zero.json --format jsonl").exits(3);
    assert!(codes(&ran, "all-zero.json").contains(&json!(["words_without_length", "note"])));
    assert!(!ran.out().contains("the words were measured"));
    assert_eq!(codes(&ran, "one-begin.json"), [] as [Value; 0]);
}

#[test]
#[ignore = "needs ../shared/data"]
fn case_12_tags_are_no_words_anywhere() {
    let ran = case("12-sensevoice-tags").run("analyze tags.json -o out --tables jsonl --keyword speech").exits(0);
    has(&ran.row("calls"), json!({"units": 9, "keyword_hit_count": 0}));
    let ran = ran.then().run("captions tags.json -o captions --to srt").exits(0);
    let text = ran.file("captions/tags.srt");
    assert!(!text.contains('|') && text.contains("Good morning, returns desk."), "{text}");
    ran.then().run("check tags.json").exits(0);
}

#[test]
#[ignore = "needs ../shared/data"]
fn case_13_a_blank_sentence_is_no_speech_unless_it_is_billed() {
    let ran = case("13-blank-text").run("check blank.json punctuation.json --format jsonl").exits(3);
    assert_eq!(codes(&ran, "blank.json"), [json!(["nothing_to_measure", "note"]), json!(["blank_sentence", "note"])]);
    assert_eq!(codes(&ran, "punctuation.json"), [json!(["blank_sentence", "note"])]);
    let ran = ran.then().run("analyze blank.json punctuation.json -o out --tables jsonl").exits(0);
    has(&ran.row_where("calls", "file", "blank.json"), json!({"speech_ms": 0, "units": 0, "billable_ms": 0}));
    has(
        &ran.row_where("calls", "file", "punctuation.json"),
        json!({"speech_ms": 2000, "units": 0, "billable_ms": 2000}),
    );
}

/// Hits by term.
fn hits(name: &str, files: &str, terms: &[&str]) -> Vec<usize> {
    let arguments = format!("analyze {files} -o out --tables jsonl");
    let keywords = terms.iter().flat_map(|term| ["--keyword", term]).map(str::to_owned);
    let ran = case(name).run_with(arguments.split(' ').map(str::to_owned).chain(keywords)).exits(0);
    let rows = ran.table("hits");
    terms.iter().map(|term| rows.iter().filter(|row| row["rule"] == *term).count()).collect()
}

#[test]
#[ignore = "needs ../shared/data"]
fn case_14_a_korean_noun_is_found_before_its_particles() {
    assert_eq!(hits("14-keywords-and-particles", "korean.json", &["환불", "/환불/"]), [3, 4]);
}

#[test]
#[ignore = "needs ../shared/data"]
fn case_16_signs_of_a_keyword_count() {
    assert_eq!(hits("16-keywords-with-signs", "signs.json", &["C#", ".NET", "AT&T", "50%"]), [1; 4]);
}

#[test]
#[ignore = "needs ../shared/data"]
fn case_17_recordings_without_sound_are_named_and_not_submitted() {
    let name = "17-recordings-of-44-bytes";
    for more in ["", "--vad"] {
        let ran = case(name).run(&format!("cost estimate . {more}")).exits(3).says("2 files found: 0 priced");
        ran.says("empty.wav: holds no sound")
            .says("header-only.wav: holds no sound, although its header promises 1 min")
            .says_no("ffmpeg");
    }
    let service = Service::new().unasked();
    let ran = with_case(service.scene(), name).run(&format!("transcribe . -o out {MODEL}")).exits(2);
    ran.says("empty.wav: holds no sound").says("header-only.wav: holds no sound");
}

#[test]
#[ignore = "needs ../shared/data"]
fn case_20_voice_messages_are_told_by_their_bytes() {
    let name = "20-voice-messages-of-chat-apps";
    let ran = case(name).run("cost estimate .").exits(3).says("3 other files (1 .au, 1 .oga, 1 .ulaw) left out");
    ran.says("wechat.amr: holds SILK audio").says("old-wechat.amr: holds SILK audio");
    let ran = case(name).run("cost estimate telegram.oga --details --format jsonl").exits(0);
    has(&ran.lines()[0], json!({"duration_ms": 1000, "high": 1}));
    let service = Service::new().unasked();
    let ran = with_case(service.scene(), name).run(&format!("transcribe wechat.amr -o out {MODEL}")).exits(2);
    let ran =
        service.then(ran.says("holds SILK audio")).run(&format!("transcribe telegram.oga -o out {MODEL}")).exits(2);
    ran.says("rename it to telegram.ogg");
}

#[test]
#[ignore = "needs ../shared/data"]
fn case_21_both_commands_read_lists_alike() {
    let name = "21-lists-with-durations";
    let estimate = |list: &str| case(name).run(&format!("cost estimate {list} --region intl --format json"));
    for (list, recordings, high) in [
        ("upper-case.csv", 2, "0.00945"),
        ("excel-semicolons.csv", 2, "0.014385"),
        ("twice.csv", 2, "0.00945"),
        // Six lengths: 205 or 206 s; `1,205` and an empty cell are unknown.
        ("export.csv", 8, "0.04312"),
    ] {
        let ran = estimate(list).exits(0);
        let report = ran.json();
        assert_eq!(
            (report["summary"]["totalDetected"].as_i64(), &report["totals"][0]["most"]),
            (Some(recordings), &json!(high)),
            "{list}"
        );
        if list == "export.csv" {
            ran.says("line 8: `1,205`").says("2 without a duration");
        }
        let service = Service::new();
        let scene = with_case(service.scene(), name);
        scene.run(&format!("transcribe --files-from {list} -o out --detach {MODEL}")).exits(0);
        assert_eq!(service.accepted().len(), usize::try_from(recordings).unwrap(), "{list}");
    }
    let refusal = "no column `url` (or `file_url`, `file`); the header has `audio_url`, `duration`";
    estimate("other-name.csv").exits(2).says(refusal);
    let service = Service::new().unasked();
    let ran = with_case(service.scene(), name).run(&format!("transcribe --files-from other-name.csv -o out {MODEL}"));
    ran.exits(2).says(refusal);
}

#[test]
#[ignore = "needs ../shared/data"]
fn case_22_links_signed_anew_are_known() {
    let service = Service::new();
    let run = |list: &str| format!("transcribe --files-from {list} -o out {MODEL}");
    let ran = with_case(service.scene(), "22-links-signed-anew").run(&run("monday.txt")).exits(0);
    service.was_asked("submit", 2);
    let ran = service.then(ran).run(&run("tuesday.txt")).exits(0);
    service.was_asked("submit", 3);
    let ran = ran.says("2 recordings known under another signature: not submitted again");
    let ran = ran.then().run("analyze out -o tables --tables jsonl").exits(0);
    assert_eq!(ran.file("tables/calls.jsonl").lines().count(), 3);
}

#[test]
#[ignore = "needs ../shared/data"]
fn case_24_metadata_from_spreadsheets_names_calls() {
    let name = "24-metadata-from-spreadsheets";
    let groups = |results: &str, meta: &str| {
        let ran =
            case(name).run(&format!("analyze {results} --meta {meta} --group-by team -o out --tables csv")).exits(0);
        let rows = csv(&ran.file("out/rollup.csv")).into_iter().skip(1);
        let groups = rows.map(|row| format!("{} {}", row[0].0, row[1].0)).collect::<Vec<_>>().join(", ");
        (groups, ran)
    };
    let both = "Nord 1, Süd 1,  1";
    let (found, ran) = groups("results", "comma-bom.csv");
    assert_eq!(found, both);
    ran.says("1 row of the metadata skipped");
    for meta in ["semicolon.csv", "url-column.csv", "without-ending.csv"] {
        assert_eq!(groups("results", meta).0, both, "{meta}");
    }
    assert_eq!(groups("results", "capital.csv").0, "Nord 1,  2");
    assert_eq!(groups("results", "spaces.csv").0, both);
    let (found, ran) = groups("results", "gbk.csv");
    assert_eq!(found, "华北 1, 华南 1,  1");
    ran.says("gbk.csv: not UTF-8, read as gb18030");
    assert_eq!(groups("results-addresses", "by-address.csv").0, "Nord 2");
}

#[test]
#[ignore = "needs ../shared/data"]
fn case_25_statements_are_read_as_consoles_export_them() {
    let reconcile = |statement: &str| {
        let path = data(&format!("cases/25-statement-as-exported/{statement}"));
        let text = std::fs::read_to_string(path).unwrap().replace("t-1", "task-1");
        let scene = crate::cost::batch_of_one().write("bill.csv", text);
        scene.run("cost reconcile batch --statement bill.csv --format csv")
    };
    for statement in ["thousands.csv", "semicolons.csv"] {
        reconcile(statement).exits(3).prints("000001-a.json,differs,,,9,9,1205,0.042175,");
    }
    reconcile("console-zh.csv").exits(3).prints("2026-11 fun-asr,differs,,,9,9,1205,0.042175,");
}

#[test]
#[ignore = "needs ../shared/data"]
fn case_28_a_number_is_found_as_the_sentence_writes_it() {
    let name = "28-numbers-written-otherwise";
    assert_eq!(hits(name, "itn.json", &["120块", "一百二十"]), [1, 0]);
    let ran = case(name).run("analyze itn.json -o out --tables jsonl").exits(0);
    has(&ran.participant("ch0"), json!({"units": 9}));
    let turns: i64 = column(&ran.table("turns"), "units").iter().filter_map(Value::as_i64).sum();
    assert!(turns <= 9, "{turns}");
}

#[test]
#[ignore = "needs ../shared/data"]
fn case_29_files_saved_on_windows_are_read() {
    let name = "29-files-saved-on-windows";
    let paths = std::fs::read(data(&format!("cases/{name}/paths-bom.txt"))).unwrap();
    case(name).input(paths).run("analyze -").exits(0).prints("2 calls measured");
    for (file, hits) in [("keywords-bom.txt", 3), ("keywords-gbk.txt", 2), ("keywords-utf16.txt", 2)] {
        let ran = case(name).run(&format!("analyze refund.json -o out --tables jsonl --keywords {file}")).exits(0);
        has(&ran.row("calls"), json!({"keyword_hit_count": hits}));
    }
    let service = Service::new();
    let ran =
        with_case(service.scene(), name).run("flash https://calls.example/a.wav --dialog dialog-bom.json").exits(0);
    let mut ran = service.then(ran).run("models").exits(0);
    for (file, words) in [
        ("hotwords-bom.csv", json!([["Bulge Bracket", 5], ["退款", 4]])),
        ("hotwords-bom.json", json!([["退款", 4]])),
        ("hotwords-semicolons.csv", json!([["Bulge Bracket", 5]])),
    ] {
        ran = service.then(ran).run(&format!("vocab create --model fun-asr --prefix t1 {file}")).exits(0);
        let id = ran.out().trim().to_owned();
        ran = service.then(ran).run(&format!("vocab show {id} --format jsonl")).exits(0);
        let shown: Vec<Value> = ran.lines().iter().map(|row| json!([row["text"], row["weight"]])).collect();
        assert_eq!(json!(shown), words, "{file}");
    }
}

#[test]
#[ignore = "needs ../shared/data"]
fn case_32_parts_that_both_begin_at_zero_are_serious() {
    let ran = case("32-parts-that-begin-at-zero").run("check stitched.json --format jsonl").exits(3);
    let found = codes(&ran, "stitched.json");
    assert_eq!(found, [json!(["out_of_order", "note"]), json!(["self_overlap_ms", "serious"])]);
}

#[test]
#[ignore = "needs ../shared/data"]
fn case_33_a_recording_that_is_overwritten_is_a_new_one() {
    let service = Service::new();
    let run = format!("transcribe spool -o out {MODEL}");
    let recording =
        |folder: &str| std::fs::read(data(&format!("cases/33-recording-overwritten/{folder}/msg0000.wav"))).unwrap();
    let ran = service.scene().write("spool/msg0000.wav", recording("first")).run(&run).exits(0);
    let ran = service.then(ran).write("spool/msg0000.wav", recording("second")).run(&run).exits(0);
    ran.says("spool/msg0000.wav: the file was replaced since it was submitted: a new recording");
    service.was_asked("submit", 2);
}

#[test]
#[ignore = "needs ../shared/data"]
fn case_34_a_result_on_stdin_is_told_from_a_list_of_paths() {
    let result = std::fs::read(data("cases/34-result-on-stdin/call.json")).unwrap();
    let ran = Scene::new().input(result).run("analyze -").exits(2).says("stdin holds JSON, not a list of paths");
    assert_eq!(ran.err().lines().count(), 1);
}
