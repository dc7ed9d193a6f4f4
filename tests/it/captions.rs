//! `captions`: SRT and WebVTT from result files, and checks of both.
//!
//! `tests/golden/captions` holds what the example calls come to; `SNAPSHOTS=overwrite` writes it anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use snapbox::Data;
use talkmeter::captions::{Cue, Format};

use crate::scene::{Ran, Scene, call, column, csv, has};

fn root(way: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(way)
}

/// Every file below a folder and its folders, with its bytes.
fn tree(ran: &Ran, way: &str) -> BTreeMap<String, Vec<u8>> {
    let top = ran.path(way);
    let mut folders = vec![top.clone()];
    let mut files = BTreeMap::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&top).unwrap().to_str().unwrap().to_owned();
                files.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    files
}

fn english() -> crate::scene::Call {
    call(&[(0, 0, 2000, "How can I help?"), (1, 2300, 4000, "I want a refund.")]).lasting(5000)
}

#[test]
fn the_example_calls_have_these_captions() {
    for (name, roles) in [("refund-anna", "ch0=agent,ch1=customer"), ("vacuum-liu", "ch0=客服,ch1=客户")] {
        for kind in ["srt", "vtt"] {
            let from = root(&format!("examples/calls/{name}.json"));
            let ran =
                Scene::new().run_with(["captions", from.to_str().unwrap(), "--to", kind, "--role", roles]).exits(0);
            let golden = root(&format!("tests/golden/captions/{name}.{kind}"));
            snapbox::Assert::new().action_env("SNAPSHOTS").eq(ran.out(), Data::read_from(&golden, None).raw());
        }
    }
}

#[test]
fn captions_lie_where_the_results_lay() {
    let ran = Scene::new()
        .call("a", english())
        .call("may/b.2", english())
        .write("calls/notes.txt", "no result")
        .run("captions calls -o out --role ch0=agent")
        .exits(0)
        .says("4 files written to out");
    let names: Vec<String> = tree(&ran, "out").into_keys().collect();
    assert_eq!(names, ["a.srt", "a.vtt", "may/b.2.srt", "may/b.2.vtt"]);
    assert_eq!(
        ran.file("out/a.srt"),
        "1\n00:00:00,000 --> 00:00:02,000\nagent: How can I help?\n\n2\n00:00:02,300 --> 00:00:04,000\nch1: I want a refund.\n"
    );
    assert_eq!(
        ran.file("out/may/b.2.vtt"),
        "WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n<v agent>How can I help?\n\n00:00:02.300 --> 00:00:04.000\n<v ch1>I want a refund.\n"
    );
    let ran =
        ran.then().run("captions calls -o out --role ch0=agent,ch7=boss").exits(0).says("--role ch7=boss: no file has");
    // Again, in one kind: the others stay, the bytes are the same.
    let before = tree(&ran, "out");
    let again = ran.then().run("captions calls -o out --role ch0=agent --to vtt -q").exits(0).says_nothing();
    assert_eq!(tree(&again, "out"), before);
}

#[test]
fn one_file_of_one_kind_is_printed() {
    let ran = Scene::new().call("a", english()).run("captions calls --to vtt").exits(0).says_nothing();
    ran.prints("WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n<v ch0>").exits(0);
    Scene::new().call("a", english()).run("captions calls").exits(2).says("--to srt or --to vtt").prints_nothing();
    let two = || Scene::new().call("a", english()).call("b", english());
    two().run("captions calls --to srt").exits(2).says("2 result files: only one can be printed").prints_nothing();
    two().run("captions calls --to ssa").exits(2).says("expected srt or vtt");
    two().run("captions calls -o out --format json").exits(2).says("--format is for the list of --check");
    two().run("captions calls -o out --check").exits(2);
    two().run("captions calls -o out --min-duration-ms 900 --max-duration-ms 800").exits(2).says("less than");
    Scene::new().call("a", "<html>").run("captions calls --to srt").exits(1).says("HTML").prints_nothing();
}

#[test]
fn paths_come_from_stdin_and_from_the_folder_of_a_batch() {
    let ran = Scene::new()
        .write("batch/ledger.jsonl", "")
        .write("batch/results/000001-a.json", english().json())
        .run("captions batch -o out")
        .exits(0);
    assert_eq!(tree(&ran, "out").len(), 2);
    assert!(ran.path("out/000001-a.srt").is_file());
    let ran = Scene::new().call("a", english()).input("calls/a.json\n").run("captions - --to srt").exits(0);
    ran.prints("ch0: How can I help?").exits(0);
}

#[test]
fn a_file_that_is_no_result_does_not_stop_the_others() {
    let ran = Scene::new()
        .call("a", english())
        .call("b", "<html>")
        .run("captions calls calls/gone.json -o out")
        .exits(3)
        .says("calls/b.json: this is HTML")
        .says("calls/gone.json: no such file");
    assert_eq!(tree(&ran, "out").len(), 2);
    let ran = Scene::new().call("b", "<html>").run("captions calls -o out").exits(1).says("no captions could be made");
    assert!(!ran.path("out").exists());
    let ran = Scene::new().call("a", english()).write("file", "").run("captions calls -o file/out").exits(1);
    assert_eq!(ran.err(), "error: cannot make the folder file/out: Not a directory (os error 20)\n");
    Scene::new().write("empty/x", "").run("captions empty -o out").exits(1).says("no result file found");
}

#[test]
fn no_name_leads_out_of_the_folder_and_none_is_written_twice() {
    // Two inputs with one name: each is the path as given, which here leads upwards.
    let ran = Scene::new()
        .write("calls/x/a.json", english().json())
        .write("calls/y/a.json", english().json())
        .write("in/.keep", "")
        .run("captions in/../calls/x/a.json in/../calls/y/a.json -o in/out")
        .exits(0);
    let names: Vec<String> = tree(&ran, "in").into_keys().collect();
    assert_eq!(
        names,
        [".keep", "out/in/calls/x/a.srt", "out/in/calls/x/a.vtt", "out/in/calls/y/a.srt", "out/in/calls/y/a.vtt"]
    );
    let ran = Scene::new()
        .write("a.json", english().json())
        .write("a", english().json())
        .run("captions a a.json -o out --to srt")
        .exits(3)
        .says("the captions of another file are out/a already");
    assert_eq!(tree(&ran, "out").len(), 1);
}

#[test]
fn silence_gives_captions_without_cues_and_untimed_text_is_counted() {
    let silence = json!({"transcripts": []});
    let untimed = english().sentence(0, json!({"text": "When was that?"}));
    let ran = Scene::new()
        .call("a", silence)
        .call("b", untimed)
        .run("captions calls -o out")
        .exits(0)
        .says("calls/b.json: left out 1 sentence without times");
    assert_eq!((ran.file("out/a.srt").as_str(), ran.file("out/a.vtt").as_str()), ("", "WEBVTT\n"));
    assert_eq!(ran.file("out/b.vtt").matches("-->").count(), 2);
}

#[test]
fn what_cannot_be_read_in_time_is_written_and_said() {
    let fast = call(&[(0, 0, 1000, "All of this is said much faster than anybody reads"), (1, 1083, 3000, "What?")]);
    let ran = Scene::new()
        .call("a", fast)
        .run("captions calls -o out")
        .exits(0)
        .says("calls/a.json: 1 of 2 cues break a limit; `captions --check` lists them");
    assert!(ran.file("out/a.vtt").contains("<v ch0>All of this is said much\nfaster than anybody reads\n"));
    let ran = ran.then().run("captions calls --check --to vtt --format jsonl").exits(3).says("1 file, 1 violation");
    let rows = ran.lines();
    assert_eq!(rows.len(), 1);
    has(
        &rows[0],
        json!({"file": "a.vtt", "cue": 1, "begin_ms": 0, "end_ms": 1000, "rule": "too_fast", "value": 49, "limit": 20,
            "unit": "characters/s", "text": "All of this is said much faster than anybody reads"}),
    );
    // The written files are found to be the same.
    let ran = ran.then().run("captions --check out/a.vtt --format jsonl").exits(3);
    assert_eq!(ran.lines(), rows);
    ran.then().run("captions --check out --reading-speed 80").exits(0).says("2 files, nothing found").prints_nothing();
}

#[test]
fn limits_are_options() {
    let long = call(&[(0, 0, 6000, "one two three four five six seven eight nine ten")]);
    let lines = |more: &str| {
        let ran = Scene::new().call("a", long.clone()).run(&format!("captions calls --to vtt {more}")).exits(0);
        let out = ran.out();
        out.lines()
            .skip(2)
            .filter(|line| !line.is_empty() && !line.contains("-->"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(lines("").len(), 2);
    assert!(lines("--line-length 20").iter().all(|line| line.trim_start_matches("<v ch0>").len() <= 20));
    assert_eq!(lines("--line-length 30 --lines 1").len(), 2);
    assert_eq!(lines("--line-length 60 --lines 1").len(), 1);
    // A cue of at most two seconds: at least three.
    let ran = Scene::new().call("a", long.clone()).run("captions calls --to vtt --max-duration-ms 2000").exits(0);
    assert!(ran.out().matches("-->").count() >= 3);
}

#[test]
fn captions_of_anybody_are_checked() {
    let srt = "1\r\n00:00:01,000 --> 00:00:01,500\r\n<i>Short.</i>\r\n\r\n2\r\n00:00:01,400 --> 00:00:03,000\r\n\
        This line is a good deal longer than forty-two characters\r\n\r\n3\r\n00:00:02,000 --> 00:00:12,000\r\n\r\n";
    let ran = Scene::new().write("subs/x.srt", srt).run("captions subs --check --format csv").exits(3);
    let rules: Vec<String> = csv(&ran.out()).iter().skip(1).map(|row| format!("{} {}", row[1].0, row[4].0)).collect();
    assert_eq!(
        rules,
        ["1 too_short", "2 overlap", "2 too_fast", "2 line_too_long", "3 empty", "3 overlap", "3 too_long"]
    );
    // For people: a header and a line each.
    let ran = ran.then().run("captions subs --check").exits(3).prints("line_too_long").says("1 file, 7 violations");
    assert_eq!(ran.out().lines().count(), 8);
    let hostile = Scene::new()
        .write("a.vtt", "hello")
        .write("b.srt", "1\n00:00:01,000 --> \u{1b}[2J\nx\n")
        .write("c.srt", &b"\xFF\xFE1"[..])
        .write("d.srt", "1\n00:00:00,000 --> 00:00:02,000\nfine\n")
        .run("captions --check a.vtt b.srt c.srt d.srt --format json")
        .exits(3)
        .says("a.vtt: line 1: a WebVTT file begins with WEBVTT")
        .says("b.srt: line 2: `00:00:01,000 --> \\u{1b}[2J` is not a time line")
        .says("c.srt: line 1: expected a cue")
        .says("1 file, nothing found");
    assert_eq!(hostile.json(), json!([]));
    Scene::new().write("a.vtt", "").run("captions --check a.vtt").exits(1).says("no file could be checked");
}

// --- other people's readers and real calls --------------------------------------------------------------------------------

fn written(ways: &[&str]) -> Ran {
    let paths = ways.iter().map(|way| root(way).into_os_string().into_string().unwrap());
    let line = "captions -o out --role ch0=agent,ch1=customer";
    Scene::new().run_with(line.split(' ').map(str::to_owned).chain(paths))
}

fn read(ran: &Ran, name: &str, format: Format) -> Vec<Cue> {
    format.read(ran.file(&format!("out/{name}.{}", format.extension())).as_bytes()).unwrap()
}

#[test]
#[ignore = "needs ffmpeg"]
fn ffmpeg_reads_the_captions_as_they_were_meant() {
    let hostile = call(&[(0, 0, 3000, "5 < 6 & 7 > 2 --> <i>not a tag</i> {\\an8}"), (1, 3500, 5000, "<unk> R&D")]);
    let ran = written(&["examples/calls"]).exits(0).then().call("odd", hostile).run("captions calls -o out").exits(0);
    for name in ["refund-anna", "vacuum-liu", "booking-sofia", "odd"] {
        for format in Format::ALL {
            let ours = read(&ran, name, format);
            let file = ran.path(&format!("out/{name}.{}", format.extension()));
            let args = ["-v", "error", "-i", file.to_str().unwrap(), "-f", "srt", "-"];
            let output = Command::new("ffmpeg").args(args).output().expect("ffmpeg is installed");
            assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
            // What ffmpeg writes is SRT again, without the voices; it takes no `<` for a tag there.
            let text = String::from_utf8(output.stdout).unwrap();
            let blocks: Vec<Vec<&str>> = text.split("\n\n").map(|block| block.lines().collect()).collect();
            let theirs: Vec<String> =
                blocks.iter().filter(|block| block.len() > 1).map(|block| block[1..].join("\n")).collect();
            let own: Vec<String> = ours
                .iter()
                .map(|cue| {
                    let one = Cue::new(cue.begin_ms, cue.end_ms, cue.lines.clone());
                    let written = Format::Srt.write(&[one]);
                    let (_, rest) = written.split_once('\n').unwrap();
                    rest.trim_end().to_owned()
                })
                .collect();
            let plain = |texts: Vec<String>| -> Vec<String> {
                texts.iter().map(|text| text.replace('<', "‹").replace('>', "›").replace("\\{", "｛")).collect()
            };
            assert_eq!(plain(theirs), plain(own), "{name} {format:?}");
        }
    }
}

#[test]
#[ignore = "needs python3 with webvtt-py and srt"]
fn python_readers_read_the_captions_as_they_were_meant() {
    let hostile = call(&[(0, 0, 3000, "5 < 6 & 7 > 2 --> <i>not a tag</i>"), (1, 3500, 5000, "<unk> R&D")]);
    let ran = written(&["examples/calls"]).exits(0).then().call("odd", hostile).run("captions calls -o out").exits(0);
    let script = root("tests/captions/read_back.py");
    for name in ["refund-anna", "vacuum-liu", "booking-sofia", "odd"] {
        for format in Format::ALL {
            let file = ran.path(&format!("out/{name}.{}", format.extension()));
            let output = Command::new("python3").arg(&script).arg(&file).output().expect("python3 is installed");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let theirs: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
            let ours: Vec<serde_json::Value> = read(&ran, name, format)
                .iter()
                .map(|cue| json!([cue.begin_ms, cue.end_ms, cue.voice, cue.lines.join("\n")]))
                .collect();
            assert_eq!(theirs, ours, "{name} {format:?}");
        }
    }
}

#[test]
#[ignore = "needs ../shared/data"]
fn real_data_has_captions_that_hold_what_was_said() {
    let ran = written(&["../shared/data/calls", "../shared/data/vendor-samples"]).exits(0);
    let marker = regex::Regex::new(r"\[[A-Za-z][A-Za-z0-9 _-]*\]|<\|?/?[A-Za-z][A-Za-z0-9 _-]*\|?>").unwrap();
    let bare = |text: &str| marker.replace_all(text, "").chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let paths = ["../shared/data/calls", "../shared/data/vendor-samples"].map(|way| root(way).display().to_string());
    let line = format!("analyze {} {} -o tables --tables jsonl --only sentences", paths[0], paths[1]);
    let tables = Scene::new().run(&line).exits(0);
    let mut said: BTreeMap<String, Vec<(i64, String)>> = BTreeMap::new();
    for line in tables.file("tables/sentences.jsonl").lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        if let Some(begin) = row["begin_ms"].as_i64() {
            let sentences = said.entry(row["file"].as_str().unwrap().to_owned()).or_default();
            sentences.push((begin, bare(row["text"].as_str().unwrap())));
        }
    }
    let (mut files, mut cues_in_all) = (0, 0);
    for (file, sentences) in said {
        let name = file.strip_suffix(".json").unwrap();
        let cues = read(&ran, name, Format::WebVtt);
        let shown: usize = cues.iter().flat_map(|cue| &cue.lines).map(|line| bare(line).chars().count()).sum();
        let spoken: usize = sentences.iter().map(|sentence| sentence.1.chars().count()).sum();
        // One sentence of `talk-kp8` has a time without a length.
        let untimed =
            if name == "talk-kp8" { ran.err().matches("left out 1 sentence without times").count() } else { 0 };
        if untimed == 0 {
            assert_eq!(shown, spoken, "{file}");
        } else {
            assert!(shown < spoken && spoken - shown < 40, "{file}: {shown} of {spoken}");
        }
        let two = read(&ran, name, Format::Srt);
        assert!(two.windows(2).all(|pair| pair[0].end_ms < pair[1].begin_ms), "{file}: SRT cues overlap");
        files += 1;
        cues_in_all += cues.len();
    }
    assert!(files >= 30 && cues_in_all > 7000, "{files} files, {cues_in_all} cues");
    let ran = ran.then().run("captions --check out --format jsonl").exits(3);
    let rows = ran.lines();
    let mut rules: Vec<String> = column(&rows, "rule").iter().map(|rule| rule.as_str().unwrap().to_owned()).collect();
    rules.sort_unstable();
    rules.dedup();
    // People speak faster than others read, and shortly; nothing else is wrong.
    assert_eq!(rules, ["too_fast", "too_short"]);
}

#[test]
#[ignore = "needs ../shared/data"]
fn real_data_that_is_hostile_is_refused_in_one_line_or_captioned_safely() {
    let ran = written(&["../shared/data/hostile"]).exits(3);
    for line in ran.err().lines() {
        assert!(line.chars().count() <= 2000 && !line.contains('\u{1b}'), "{line}");
    }
    for (name, text) in tree(&ran, "out") {
        let text = String::from_utf8(text).unwrap();
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{name}");
        let format = if name.ends_with("srt") { Format::Srt } else { Format::WebVtt };
        let cues = format.read(text.as_bytes()).unwrap();
        assert_eq!(text.matches("-->").count(), cues.len(), "{name}");
    }
    let injected = ran.file("out/output-injection.vtt");
    // Its tags have the form of markers.
    assert!(injected.contains("alert") && !injected.contains("script"), "{injected}");
}
