//! Inputs: files, folders, lists; what is refused, with which message and exit code.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::scene::{Ran, Scene, call, column, has};

const FINE: &str = r#"{"properties": {"original_duration_in_milliseconds": 5000}, "transcripts": [{"channel_id": 0, "sentences": [
    {"begin_time": 0, "end_time": 1000, "text": "hello"}]}]}"#;

/// Measured, with a warning: the recording has a track that was not transcribed.
const ODD: &str = r#"{"properties": {"channels": [0, 1], "original_duration_in_milliseconds": 5000}, "transcripts": [{"channel_id": 0,
    "sentences": [{"begin_time": 0, "end_time": 1000, "text": "hello"}]}]}"#;

fn files(ran: &Ran) -> Vec<String> {
    ran.table("calls").iter().map(|row| row["file"].as_str().unwrap().to_owned()).collect()
}

#[cfg(unix)]
fn link(scene: Scene, to: &str, way: &str) -> Scene {
    scene.with(|folder| std::os::unix::fs::symlink(to, folder.join(way)).unwrap())
}

#[test]
fn a_folder_is_searched_for_json_files_and_a_file_is_read_whatever_its_name() {
    let scene = Scene::new().call("b", FINE).call("deep/deeper/a", FINE).call(".hidden", FINE);
    let scene = scene
        .write("calls/UPPER.JSON", FINE)
        .write("calls/notes.txt", "no result")
        .write("calls/a.json.bak", "no result");
    let ran = scene.run("analyze calls -o out").exits(0).says_no("notes");
    assert_eq!(files(&ran), [".hidden.json", "b.json", "deep/deeper/a.json"]);
    let ran = ran.then().run("analyze calls/UPPER.JSON calls/deep -o out").exits(0);
    assert_eq!(files(&ran), ["UPPER.json".to_uppercase(), "deeper/a.json".to_owned()]);
    has(&ran.row_where("calls", "file", "deeper/a.json"), json!({"speech_ms": 1000}));
}

#[test]
fn a_list_of_paths_may_come_from_stdin() {
    let scene = Scene::new().call("a", FINE).call("b c", FINE).call("more/d", FINE);
    let ran = scene.input("calls/b c.json\n\ncalls/more\r\ncalls/a.json").run("analyze - -o out").exits(0);
    assert_eq!(files(&ran), ["a.json", "b c.json", "d.json"]);
    ran.then().input("").run("analyze -").exits(1).says("no result file found").prints_nothing();
}

#[test]
fn other_files_of_a_folder_are_counted_by_ending() {
    let scene = Scene::new().call("a", FINE);
    let others = ["more/a.wav", "b.wav", "c.JSON", "notes", ".hidden"];
    let scene = others.iter().fold(scene, |scene, name| scene.write(&format!("calls/{name}"), "other"));
    let line = "not read: 4 other files (2 .wav, 1 without an ending, 1 .JSON)";
    let ran = scene.run("analyze calls").exits(0).says(line);
    let ran = ran.then().run("check calls").exits(0).says(line);
    let ran = ran.then().run("cost actual calls").exits(0).says(line);
    let ran = ran.then().run("captions calls -o out").exits(0).says(line);
    let ran = ran.then().run("cost estimate calls").exits(0).says("calls: 3 other files");
    // Quiet is quiet, and a file that is given by its name is read.
    ran.then().run("analyze calls/a.json calls/c.JSON").exits(3).says_no("not read");
}

#[cfg(unix)]
#[test]
fn a_name_on_stdin_that_is_not_utf8_does_not_stop_the_run() {
    use std::os::unix::ffi::OsStrExt;
    let name = std::ffi::OsStr::from_bytes(b"calls/not-\xFF.json");
    let scene = Scene::new().call("a", FINE).with(|folder| std::fs::write(folder.join(name), FINE).unwrap());
    let ran = scene.input(b"calls/a.json\ncalls/not-\xFF.json\n".as_slice()).run("analyze - -o out").exits(0);
    assert_eq!(files(&ran), ["a.json", "not-\u{FFFD}.json"]);
}

#[test]
fn a_missing_path_is_named_and_the_rest_is_measured() {
    let scene = Scene::new().call("a", FINE);
    let ran = scene.run("analyze calls nowhere.json -o out").exits(3).says("nowhere.json: no such file");
    assert_eq!(files(&ran), ["a.json"]);
    ran.then()
        .run("analyze nowhere.json")
        .exits(1)
        .says("no such file")
        .says("no file could be measured")
        .prints_nothing();
}

#[test]
fn nothing_to_read_is_a_failure() {
    Scene::new()
        .write("calls/notes.txt", "none")
        .run("analyze calls")
        .exits(1)
        .says("no result file found")
        .prints_nothing();
    Scene::new().write("calls/notes.txt", "none").run("check calls").exits(1).says("no result file found");
}

#[cfg(unix)]
#[test]
fn what_is_not_a_regular_file_is_refused_unopened() {
    let scene = Scene::new().call("a", FINE).with(|folder| {
        assert!(Command::new("mkfifo").arg(folder.join("calls/pipe.json")).status().unwrap().success());
    });
    let scene = link(scene, "nowhere.json", "calls/dangling.json");
    let scene = link(link(scene, "loop-b.json", "calls/loop-a.json"), "loop-a.json", "calls/loop-b.json");
    let scene = link(scene, "pipe.json", "calls/to-pipe.json");
    let ran = scene.run("analyze calls -o out").exits(3);
    let ran = ran.says("calls/pipe.json: not a regular file").says("calls/to-pipe.json: not a regular file");
    let ran = ran.says("calls/dangling.json: no such file").says("calls/loop-a.json: ").says("calls/loop-b.json: ");
    assert_eq!(files(&ran), ["a.json"]);
    ran.then()
        .run("analyze calls/pipe.json /dev/null")
        .exits(1)
        .says("calls/pipe.json: not a regular file")
        .says("/dev/null: not a regular file");
}

#[cfg(unix)]
#[test]
fn links_to_folders_are_not_followed_and_links_to_files_are() {
    let scene = Scene::new().call("tree/a", FINE).write("elsewhere/b.json", FINE);
    let scene = link(link(scene, ".", "calls/tree/again"), "../elsewhere", "calls/folder.json");
    let ran = link(scene, "../elsewhere/b.json", "calls/linked.json").run("analyze calls -o out").exits(0);
    assert_eq!(files(&ran), ["linked.json", "tree/a.json"]);
    // A folder that bears a file's name is a folder.
    let ran = Scene::new().call("x.json/a", FINE).run("analyze calls -o out").exits(0);
    assert_eq!(files(&ran), ["x.json/a.json"]);
}

#[cfg(unix)]
#[test]
fn one_file_counts_once_under_the_smallest_of_its_names() {
    let scene = link(Scene::new().call("b", FINE).call("deep/c", FINE), "b.json", "calls/a.json");
    let ran = scene.run("analyze calls calls/b.json calls/deep calls/../calls -o out").exits(0);
    assert_eq!(files(&ran), ["a.json", "c.json"]);
}

#[test]
fn files_of_the_same_name_are_listed_by_their_paths() {
    let scene = Scene::new().write("one/a.json", FINE).write("two/a.json", FINE).write("two/b.json", FINE);
    let ran = scene.run("analyze two one -o out").exits(0);
    assert_eq!(files(&ran), ["b.json", "one/a.json", "two/a.json"]);
}

#[test]
fn a_transcribe_folder_is_read_as_its_results() {
    let scene = Scene::new()
        .write("run/ledger.jsonl", "{}\n")
        .write("run/results/1-a.json", FINE)
        .write("run/other.json", FINE);
    assert_eq!(files(&scene.run("analyze run -o out").exits(0)), ["1-a.json"]);
}

#[cfg(unix)]
#[test]
fn unusual_names_are_accepted_and_printed_safely() {
    use std::os::unix::ffi::OsStrExt;
    let not_utf8 = std::ffi::OsStr::from_bytes(b"calls/not-utf8-\xFF.json");
    let scene =
        Scene::new().call("-o", ODD).call("with space", ODD).call("通话 记录", ODD).call("line\nbreak\u{1b}[31m", ODD);
    let scene = scene.with(|folder| std::fs::write(folder.join(not_utf8), ODD).unwrap());
    let ran = scene.run("analyze calls -o out --tables csv").exits(0);
    let names =
        ["-o.json", "line\nbreak\u{1b}[31m.json", "not-utf8-\u{FFFD}.json", "with space.json", "通话 记录.json"];
    assert_eq!(files(&ran), names);
    let ran = ran
        .says("with space.json: missing_channel")
        .says(r"line\nbreak\u{1b}[31m.json: missing_channel")
        .says("通话 记录.json");
    assert!(!ran.err().contains('\u{1b}'));
    // On the terminal, too; a machine gets the name itself.
    let ran = ran.then().run("check calls").exits(3).prints(r"line\nbreak\u{1b}[31m.json");
    assert!(!ran.out().contains('\u{1b}'));
    let rows = ran.then().run("check calls --format jsonl").exits(3).lines();
    assert_eq!(column(&rows, "file"), names);
    Scene::new().write("-o.json", FINE).run("analyze -o out -- -o.json").exits(0).prints("1 call measured");
}

#[test]
fn a_bad_file_among_good_ones_is_named_and_left_out() {
    let scene = Scene::new().call("good", FINE).call("bad", "<html><body>404</body></html>").call("odd", ODD);
    let ran = scene.run("analyze calls -o out --tables jsonl").exits(3).prints("2 calls measured, 1 file failed");
    let ran = ran
        .says("calls/bad.json: this is HTML, not a result file")
        .says("calls/odd.json: missing_channel 1 (channel 1)");
    assert_eq!(files(&ran), ["good.json", "odd.json"]);
    for table in ["participants", "turns", "warnings", "costs", "sentences"] {
        assert!(column(&ran.table(table), "file").iter().all(|file| file != "bad.json"), "{table}");
    }
    let report: serde_json::Value = serde_json::from_str(&ran.file("out/report.json")).unwrap();
    assert_eq!((&report["inputs"]["failed"], &report["inputs"]["measured"]), (&json!(1), &json!(2)));
    // Quiet leaves out warnings, not failures.
    let ran = ran.then().run("analyze calls -q").exits(3).prints("2 calls measured, 1 file failed");
    ran.says("bad.json: this is HTML").says_no("odd.json");
}

#[test]
fn only_bad_files_are_a_failure() {
    let ran = Scene::new().call("bad", "[1, 2]").call("worse", "").run("analyze calls").exits(1).prints_nothing();
    ran.says("expected an object, found an array")
        .says("worse.json: the file is empty")
        .says("no file could be measured")
        .exits(1);
}

#[test]
fn silence_is_no_failure() {
    let ran = Scene::new().call("silence", json!({"transcripts": []})).run("analyze calls").exits(0);
    ran.says("silence.json: nothing_to_measure").prints("1 call measured, 1 of them without speech").exits(0);
}

#[test]
fn refusals_name_file_and_position() {
    let refusals: [(&[u8], &str); 15] = [
        (b"", "the file is empty"),
        (b" \n", "the file is empty"),
        (b"\"text\"", "expected an object, found a string"),
        (b"17", "expected an object, found a number"),
        (b"null", "expected an object, found null"),
        (b"true", "expected an object, found a boolean"),
        (b"{}", "no array `transcripts`"),
        (b"{\"transcripts\": {}}", "`transcripts` is not an array"),
        (b"{\"transcripts\": [", "incomplete JSON: the file ends at line 1 column 17"),
        (b"{\"transcripts\": []}\n{\"transcripts\": []}", "another begins at line 2 column 1"),
        (b"{\"transcripts\": [NaN]}", "invalid JSON"),
        (b"{\"transcripts\": [], \"file_url\": \"\xFF\"}", "not valid UTF-8 at byte 33"),
        (b"\x1F\x8B\x08\x00", "gzip"),
        (b"\xFF\xFE{\x00}\x00", "UTF-16"),
        (b"{\"output\": {\"task_id\": \"x\", \"task_status\": \"SUCCEEDED\"}}", "this is a task answer"),
    ];
    for (bytes, why) in refusals {
        Scene::new()
            .call("bad", bytes)
            .run("analyze calls")
            .exits(1)
            .says("calls/bad.json: ")
            .says(why)
            .prints_nothing();
    }
}

#[test]
fn a_byte_order_mark_is_skipped() {
    let ran = Scene::new().call("bom", format!("\u{FEFF}{FINE}")).run("analyze calls -o out").exits(0).says_no("bom");
    has(&ran.row("calls"), json!({"speech_ms": 1000, "warning_count": 0}));
}

#[test]
fn deep_nesting_overflows_no_stack() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    // Where nothing is read, syntax alone is judged; a hundred levels must pass, more may.
    for levels in [98, 100_000] {
        let extra = FINE.replacen('{', &format!("{{\"extra\": {},", nested(levels)), 1);
        Scene::new().call("deep", extra).run("analyze calls").exits(0).prints("1 call measured");
        let words =
            FINE.replace("\"text\": \"hello\"", &format!("\"text\": \"hello\", \"words\": [{}]", nested(levels)));
        Scene::new().call("deep", words).run("analyze calls").exits(0).says("invalid_value 1");
    }
    Scene::new()
        .call("deep", nested(20_000))
        .run("analyze calls")
        .exits(1)
        .says("deep.json: ")
        .says("nested too deeply");
}

#[test]
fn a_command_line_that_makes_no_sense_is_a_usage_error() {
    let scene = || Scene::new().call("a", FINE).write("meta.csv", "file,team,queue\na.json,blue,1\n");
    scene().run("").exits(2).prints_nothing();
    scene().run("analyze").exits(2).says("PATH");
    scene().run("analyse calls").exits(2).says("analyze");
    scene().run("analyze calls --keywrod refund").exits(2).says("--keyword").prints_nothing();
    scene().run("analyze calls --join-gap-ms -1").exits(2);
    scene().run("analyze calls --window 0s").exits(2).says("60s, 5m, 1h or 1500ms");
    scene().run("analyze calls --role agent").exits(2).says("ch0=agent");
    scene().run("analyze calls --threads 0").exits(2);
    scene().run("analyze calls --region mars").exits(2).says("intl");
    scene().run("analyze calls --group-by team").exits(2).says("--meta");
    let ran = scene().run("analyze calls --meta meta.csv --group-by teem").exits(2);
    ran.says("no column `teem` to group by; the columns are `team`, `queue`").prints_nothing().exits(2);
    scene().run("analyze calls -q -v").exits(2);
}

#[test]
fn lines_of_stderr_are_bounded_and_escaped() {
    // A path of over 3000 characters, and a list that names it.
    let folder = vec!["x\u{1b}[2J".repeat(30); 18].join("/");
    let scene =
        Scene::new().call("a", FINE).input(format!("{folder}/gone.json\ncalls/a.json\n{}\n", "y".repeat(100_000)));
    let ran = scene.run("analyze - --keyword 'no\u{7}such'").exits(3);
    assert!(ran.err().lines().count() >= 2);
    for line in ran.err().lines() {
        assert!(line.chars().count() <= 2000, "{} characters", line.chars().count());
        assert!(!line.chars().any(char::is_control), "{line}");
    }
    // What the file itself says is escaped, too.
    let error = "{\"code\": \"\\u001b[31mInvalid\\nApiKey\", \"message\": \"x\"}";
    let ran = Scene::new().call("error", error).run("analyze calls").exits(1).says("Invalid");
    assert!(!ran.err().contains('\u{1b}'));
    assert_eq!(ran.err().lines().filter(|line| line.contains("ApiKey")).count(), 1);
}

#[test]
fn all_warnings_of_a_file_are_on_one_line() {
    let many: Vec<String> = (0..300)
        .map(|index| {
            format!(r#"{{"begin_time": {}, "end_time": {}, "text": "a\u0007"}}"#, 5000 - 10 * index, 3000 - 10 * index)
        })
        .collect();
    let text = format!(r#"{{"transcripts": [{{"sentences": [{}]}}]}}"#, many.join(","));
    let ran = Scene::new().call("odd", text).run("analyze calls").exits(0);
    assert_eq!(ran.err().lines().filter(|line| line.contains("odd.json")).count(), 1);
    ran.says("negative_interval 300 (channel 0, sentence_index 0)")
        .says("control_characters 300")
        .says("missing_channel_id")
        .exits(0);
}

#[test]
fn data_goes_to_stdout_and_everything_else_to_stderr() {
    let scene = || Scene::new().call("odd", ODD).call("bad", "x");
    let json = scene().run("analyze calls --format json").exits(3).says("odd.json").says("bad.json").json();
    assert_eq!(json["inputs"]["measured"], 1);
    let rows = scene().run("check calls --format jsonl -v").exits(3).lines();
    assert_eq!(rows.len(), 2);
    // No colour and no progress bar without a terminal.
    let ran = scene().environment("TERM", "xterm-256color").run("analyze calls").exits(3);
    assert!(!ran.out().contains('\u{1b}') && !ran.err().contains('\u{1b}') && !ran.err().contains('\r'));
}

#[test]
fn a_closed_pipe_is_not_a_failure() {
    let scene = Scene::new().call("odd", ODD);
    let mut child = Command::new(env!("CARGO_BIN_EXE_talkmeter"))
        .args(["analyze", "-"])
        .current_dir(scene.path("."))
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It waits for its list; by the time it gets one, stdout is closed.
    drop(child.stdout.take());
    child.stdin.take().unwrap().write_all(b"calls/odd.json\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let is_ours = |line: &str| line.starts_with("calls/odd.json: ") || line.starts_with("hint: ");
    assert!(said.lines().all(is_ours), "{said}");
}

#[test]
fn a_call_of_many_hours_is_measured() {
    let ran = Scene::new()
        .call("long", call(&[(0, 0, 1000, "a"), (1, 999_999_999_000, 1_000_000_000_000, "b")]))
        .run("analyze calls -o out")
        .exits(0);
    has(&ran.row("calls"), json!({"span_ms": 1_000_000_000_000_i64, "dead_air_ms": 999_999_998_000_i64}));
    assert!(ran.table("windows").is_empty(), "sixteen million windows of a minute help nobody");
}
