//! The real calls, vendor samples and hostile files beside the repository (`../shared/data`).
//!
//! `cargo test --test it -- --ignored real_data`

mod cases;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::scene::{Ran, Row, Scene, column, has};

fn data(way: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(way);
    assert!(path.exists(), "{} is not there", path.display());
    path
}

/// Analyses what lies there into `out`.
fn analysed(ways: &[&str], more: &str) -> Ran {
    let paths = ways.iter().map(|way| data(way).into_os_string().into_string().unwrap());
    let line = format!("analyze -o out --tables jsonl {more}");
    Scene::new().run_with(line.split_whitespace().map(str::to_owned).chain(paths))
}

fn rounded(row: &Row, column: &str, digits: usize) -> String {
    format!("{:.digits$}", row[column].as_f64().unwrap())
}

/// The events of one file, without dead air unless asked for.
fn events(ran: &Ran, file: &str, kind: &str) -> Vec<Row> {
    ran.table("events").into_iter().filter(|row| row["file"] == file && row["kind"] == kind).collect()
}

#[test]
#[ignore = "needs ../shared/data"]
fn every_real_call_is_measured_and_only_true_warnings_are_given() {
    let ran = analysed(&["calls"], "").exits(0);
    let files = walk(&data("calls"));
    assert_eq!(ran.table("calls").len(), files.len());
    // Words of one speaker that begin up to 40 ms before the last one ends, across sentences.
    let warnings: Vec<Value> = ran.table("warnings").iter().map(|row| json!([row["file"], row["code"]])).collect();
    let overlapping = ["e21-4359732.json", "e21-4360366.json", "e21-4386541.json", "e21-4387383.json"];
    assert_eq!(warnings, overlapping.map(|file| json!([file, "self_overlap_ms"])));
    assert!(ran.table("warnings").iter().all(|row| row["count"].as_i64().unwrap() <= 33 * 40));
    for row in ran.table("calls") {
        let file = row["file"].as_str().unwrap();
        let whole = |name: &str| row[name].as_i64().unwrap();
        assert_eq!(whole("speech_ms") + whole("silence_ms"), whole("span_ms"), "{file}");
        assert_eq!(
            whole("lead_silence_ms") + whole("span_ms") + whole("tail_silence_ms"),
            whole("duration_ms"),
            "{file}"
        );
        // Mono recordings split by diarisation show no overlap, two channels do.
        let mono = file.starts_with("e21-") || file.starts_with("talk-");
        assert_eq!(row["overlap_ms"].is_null(), mono, "{file}");
        assert_eq!(row["reason"], if mono { json!("single_channel_diarised") } else { Value::Null }, "{file}");
        // Every track states what is billed.
        assert_eq!(row["billable_source"], "content_duration", "{file}");
        assert!(whole("billable_ms") <= whole("duration_ms") * whole("channel_count"), "{file}");
    }
    // Human transcripts and the talks have sentence times alone.
    for row in ran.table("participants") {
        let file = row["file"].as_str().unwrap();
        let told = file.starts_with("human/") || file.starts_with("talk-");
        assert_eq!(row["basis"], if told { "sentences" } else { "words" }, "{file}");
    }
    // The content duration of these files is the union of their sentences, by the way they were made.
    for row in ran.table("costs") {
        let seconds = row["billed_seconds"].as_i64().unwrap();
        assert_eq!(seconds, (row["billable_ms"].as_i64().unwrap() + 999) / 1000);
    }
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files
}

#[test]
#[ignore = "needs ../shared/data"]
fn the_aws_call_has_the_figures_of_the_definitions() {
    let file = "aws-example-call.json";
    let ran = analysed(&[&format!("calls/{file}")], "--role ch0=agent,ch1=customer").exits(0);
    let (agent, customer) = (ran.participant("ch0"), ran.participant("ch1"));
    has(&agent, json!({"role": "agent", "talk_ms": 92_880, "units": 317, "response_ms_p50": 580}));
    has(&customer, json!({"role": "customer", "talk_ms": 52_081, "units": 133, "response_ms_p50": 890}));
    assert_eq!(rounded(&agent, "talk_share", 3), "0.641");
    // Markers are left out (definitions: markers).
    assert_eq!([rounded(&agent, "units_per_min", 1), rounded(&customer, "units_per_min", 1)], ["204.8", "153.2"]);
    has(
        &ran.row("calls"),
        json!({"silence_ms": 40_959, "longest_silence_ms": 1780, "dead_air_count": 0, "overlap_ms": 3070, "switch_count": 38,
            "backchannel_count": 6, "interruption_count": 0, "onset_count": 9, "units": 450}),
    );
    assert_eq!(events(&ran, file, "terminal_overlap").len(), 3);
    let together = events(&ran, file, "simultaneous_start");
    assert_eq!(together.len(), 1);
    has(&together[0], json!({"begin_ms": 18_740, "held_ms": 0}));
}

#[test]
#[ignore = "needs ../shared/data"]
fn with_markers_the_aws_call_has_twelve_units_more() {
    let ran = analysed(&["calls/aws-example-call.json"], "--keep-markers").exits(0);
    let (agent, customer) = (ran.participant("ch0"), ran.participant("ch1"));
    has(&agent, json!({"units": 323, "talk_ms": 92_880}));
    has(&customer, json!({"units": 139, "talk_ms": 52_081}));
    assert_eq!([rounded(&agent, "units_per_min", 1), rounded(&customer, "units_per_min", 1)], ["208.7", "160.1"]);
}

#[test]
#[ignore = "needs ../shared/data"]
fn the_hand_written_calls_have_the_figures_written_into_them() {
    let ran = analysed(&["calls/synthetic-zh-broadband.json", "calls/synthetic-zh-en-saas.json"], "").exits(0);
    let seconds = |row: &Row, name: &str| format!("{:.1}", row[name].as_f64().unwrap() / 1000.0);
    // Provenance: backchannel, interruption with its overlap, dead air.
    for (file, backchannel, interruption, overlap, dead_air) in [
        ("synthetic-zh-broadband.json", "12.1", "46.4", "3.2", ["31.2", "36.9"]),
        ("synthetic-zh-en-saas.json", "11.8", "58.9", "2.2", ["37.2", "48.9"]),
    ] {
        let one = |kind: &str| {
            let mut found = events(&ran, file, kind);
            assert_eq!(found.len(), 1, "{kind} in {file}");
            found.remove(0)
        };
        assert_eq!(seconds(&one("backchannel"), "begin_ms"), backchannel);
        let cut = one("interruption");
        assert_eq!([seconds(&cut, "begin_ms"), seconds(&cut, "overlap_ms")], [interruption, overlap]);
        let silences: Vec<_> = events(&ran, file, "dead_air")
            .iter()
            .map(|row| [seconds(row, "begin_ms"), seconds(row, "end_ms")])
            .collect();
        assert!(silences.contains(&dead_air.map(str::to_owned)), "{silences:?}");
    }
    // The last agent turn of the second starts 24 ms early.
    let early = events(&ran, "synthetic-zh-en-saas.json", "terminal_overlap");
    has(early.last().unwrap(), json!({"overlap_ms": 24}));
    // Chinese is counted by characters.
    has(&ran.row_where("calls", "file", "synthetic-zh-broadband.json"), json!({"reason": null}));
    assert!(ran.table("calls").iter().all(|row| row["han_chars"].as_i64() > row["words"].as_i64()));
}

#[test]
#[ignore = "needs ../shared/data"]
fn noise_markers_count_only_when_asked_for() {
    // The same call with the recogniser's [noise] and <unk> kept as words: the same units, other talk.
    let units = |way: &str, more: &str| analysed(&[way], more).exits(0).row("calls")["units"].as_i64().unwrap();
    let (with, without) = ("calls/markers/hv-035edd1d09c1433e.json", "calls/hv-035edd1d09c1433e.json");
    assert_eq!(units(with, ""), units(without, ""));
    assert!(units(with, "--keep-markers") > units(with, ""));
    assert_eq!(units(without, "--keep-markers"), units(without, ""));
}

#[test]
#[ignore = "needs ../shared/data"]
fn real_metadata_rolls_up() {
    let meta = data("calls/calls-meta.csv");
    let text = std::fs::read_to_string(&meta).unwrap();
    let names: Vec<&str> = text.lines().skip(1).filter_map(|row| row.split(',').next()).collect();
    let ran = analysed(&["calls"], &format!("--meta {} --group-by task_type", meta.display())).exits(0);
    let groups = ran.table("rollup");
    let all: i64 = groups.iter().map(|row| row["call_count"].as_i64().unwrap()).sum();
    let calls = ran.table("calls");
    assert_eq!(all as usize, calls.len());
    // The metadata has bare names: other transcripts of the same calls, in folders below, belong to the same rows.
    let bare = |row: &Row| row["file"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let without = calls.iter().filter(|row| !names.contains(&&*bare(row))).count();
    let last = groups.last().unwrap();
    assert_eq!((&last["task_type"], last["call_count"].as_i64()), (&Value::Null, Some(without as i64)));
    let billed: i64 = groups.iter().map(|row| row["billable_ms"].as_i64().unwrap()).sum();
    assert_eq!(billed, ran.table("calls").iter().map(|row| row["billable_ms"].as_i64().unwrap()).sum::<i64>());
    ran.says("without a row in the metadata").exits(0);
}

#[test]
#[ignore = "needs ../shared/data"]
fn the_bytes_of_the_real_calls_do_not_depend_on_threads() {
    let one = analysed(&["calls", "vendor-samples"], "--threads 1 --keyword refund --keyword 你好").exits(0);
    let two = analysed(&["vendor-samples", "calls"], "--threads 2 --keyword refund --keyword 你好").exits(0);
    assert!(one.files("out") == two.files("out"));
}

#[test]
#[ignore = "needs ../shared/data"]
fn the_vendors_own_samples_are_read() {
    let ran = analysed(&["vendor-samples"], "").exits(0);
    let rows = ran.table("calls");
    assert_eq!(rows.len(), 5);
    // `Hello world, this is Alibaba Speech Lab.` is seven words however they are cut.
    assert_eq!(column(&rows, "units"), [7, 7, 7, 7, 7]);
    // Half of the samples' words do not spell the text, in no way that changes a letter; of the last two words are printed.
    let last = "paraformer-hello-world-female2-speaker.json";
    let warnings: Vec<Value> = ran.table("warnings").iter().map(|row| json!([row["file"], row["code"]])).collect();
    assert_eq!(warnings, [json!([last, "sentence_longer_than_words"]), json!([last, "words_differ_from_text"])]);
    has(
        &ran.row_where("calls", "file", "fun-asr-hello-world-female-en.json"),
        json!({"duration_ms": 3280, "billable_ms": 3000}),
    );
    has(&ran.row_where("participants", "file", last), json!({"participant": "spk0", "speaker_id": 0}));
    has(&ran.row_where("calls", "file", last), json!({"duration_ms": 3834, "billable_ms": 3720}));
}

// --- hostile files ---------------------------------------------------------------------------------------------------------

/// What is to become of a hostile file.
enum Fate {
    /// Refused, with this in the message.
    ParseError(&'static str),
    /// Measured, with these warnings and counts.
    Warned(&'static [(&'static str, i64)]),
}
use Fate::{ParseError, Warned};

const CLEAN: Fate = Warned(&[]);

/// The table of hostile/README.md, with what the definitions make of each.
const HOSTILE: [(&str, Fate); 36] = [
    ("truncated-in-string.json", ParseError("incomplete JSON: the file ends at line 16 column 29")),
    ("empty.json", ParseError("the file is empty")),
    ("top-level-number-array.json", ParseError("expected an object, found an array")),
    ("top-level-string.json", ParseError("found a string")),
    ("deep-arrays.json", ParseError("nested too deeply")),
    // 2^63 is no time; the word goes with the next one.
    ("huge-times.json", Warned(&[("invalid_value", 1), ("untimed_words", 1)])),
    ("huge-exponent.json", ParseError("number out of range at line 19 column 24")),
    // The word and its sentence.
    ("negative-begin.json", Warned(&[("negative_time", 2)])),
    ("end-before-begin.json", Warned(&[("negative_interval", 1)])),
    ("words-null.json", Warned(&[("mixed_basis", 1)])),
    ("speaker-missing.json", Warned(&[("unknown_speaker", 1)])),
    // Three sentences of channel 0, backwards.
    ("out-of-order-sentences.json", Warned(&[("out_of_order", 2)])),
    ("zero-length-words.json", Warned(&[("mixed_basis", 1)])),
    ("nul-escape.json", Warned(&[("control_characters", 1)])),
    ("lone-high-surrogate.json", ParseError("invalid JSON")),
    ("invalid-utf8.json", ParseError("not valid UTF-8 at byte")),
    ("bom-utf8.json", CLEAN),
    ("duplicate-transcripts.json", Warned(&[("duplicate_key", 1)])),
    ("alias-fields.json", CLEAN),
    ("qwen3-filetrans.json", CLEAN),
    ("duplicate-channels.json", Warned(&[("duplicate_channels", 1)])),
    ("seconds-float.json", Warned(&[("fractional_time", 50), ("suspicious_time_unit", 1)])),
    ("error-page.json", ParseError("this is HTML, not a result file")),
    ("gzip.json", ParseError("gzip data")),
    ("results.jsonl", ParseError("more than one JSON value")),
    ("task-response.json", ParseError("this is a task answer")),
    // 54 times between quotes.
    ("times-as-strings.json", Warned(&[("invalid_value", 54)])),
    // The recording has two tracks, and neither is there.
    ("no-transcripts.json", Warned(&[("nothing_to_measure", 1), ("missing_channel", 2)])),
    ("sentences-missing.json", Warned(&[("text_without_sentences", 1), ("untimed_sentences", 1)])),
    // Of 21 words in six sentences all but the last of each.
    ("sentence-is-last-word.json", Warned(&[("word_outside_sentence", 15)])),
    ("words-do-not-spell-text.json", Warned(&[("words_differ_from_text", 1)])),
    ("past-the-end.json", Warned(&[("end_after_duration", 2)])),
    ("nan.json", ParseError("invalid JSON: expected value at line 19 column 20")),
    // The escape in the first sentence and in its word; the second sentence is another text than its words.
    ("output-injection.json", Warned(&[("control_characters", 2), ("words_differ_from_text", 1)])),
    ("file-url-traversal.json", CLEAN),
    ("channel-id-huge.json", Warned(&[("invalid_value", 1)])),
];

#[test]
#[ignore = "needs ../shared/data"]
fn every_hostile_file_is_refused_or_measured_as_documented() {
    let mut known: Vec<&str> = HOSTILE.iter().map(|row| row.0).collect();
    known.sort_unstable();
    let mut there: Vec<String> = std::fs::read_dir(data("hostile"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    there.retain(|name| name.ends_with(".json") || name.ends_with(".jsonl"));
    there.sort();
    assert_eq!(there, known, "a file that this table does not know");
    for (file, fate) in &HOSTILE {
        let hostile = format!("hostile/{file}");
        let good = "calls/hv-0002f70f7386445b.json";
        match fate {
            ParseError(why) => {
                let alone = analysed(&[&hostile], "").exits(1).says(&format!("{file}: ")).says(why).prints_nothing();
                assert!(!alone.path("out").exists());
                let among = analysed(&[&hostile, good], "").exits(3).says(why);
                assert_eq!(column(&among.table("calls"), "file"), ["hv-0002f70f7386445b.json"]);
            }
            Warned(warnings) => {
                let wanted: Vec<(String, i64)> =
                    warnings.iter().map(|(code, count)| ((*code).to_owned(), *count)).collect();
                let alone = analysed(&[&hostile], "").exits(0);
                assert_eq!(alone.warnings(), wanted, "{file}");
                for (code, _) in *warnings {
                    assert!(alone.err().contains(code), "{file}: {code} is not said");
                }
                let among = analysed(&[&hostile, good], "").exits(0);
                assert_eq!(among.table("calls").len(), 2, "{file}");
                // The file among others has the figures it has alone.
                assert_eq!(among.row_where("calls", "file", *file), alone.row("calls"));
            }
        }
    }
}

#[test]
#[ignore = "needs ../shared/data"]
fn hostile_files_do_not_stop_the_run() {
    let refused = HOSTILE.iter().filter(|row| matches!(row.1, ParseError(_)) && row.0.ends_with(".json")).count();
    let measured = HOSTILE.len() - refused - 1;
    let ran = analysed(&["hostile"], "--keyword card").exits(3);
    assert_eq!(ran.table("calls").len(), measured);
    for line in ran.err().lines() {
        assert!(line.chars().count() <= 2000 && !line.chars().any(char::is_control), "{line:?}");
    }
    let paths = [data("hostile").into_os_string().into_string().unwrap()];
    let check =
        Scene::new().run_with(["check", "--format", "jsonl"].map(str::to_owned).into_iter().chain(paths)).exits(3);
    assert_eq!(check.lines().iter().filter(|row| row["code"] == "refused").count(), refused);
}

#[test]
#[ignore = "needs ../shared/data"]
fn hostile_files_have_the_figures_their_readme_asks_for() {
    let of = |file: &str| analysed(&[&format!("hostile/{file}")], "").exits(0);
    // 12 000–12 500 lies behind the end as a whole, so nothing is left of it: the last word ends at 10 050.
    has(
        &of("past-the-end.json").row("calls"),
        json!({"tail_silence_ms": 950, "duration_ms": 11_000, "span_end_ms": 10_050}),
    );
    // The same figures as in time order.
    let (order, usual) = (of("out-of-order-sentences.json"), of("bom-utf8.json"));
    let figures = |ran: &Ran| {
        let mut rows = ran.table("participants");
        rows.iter_mut().for_each(|row| drop(row.remove("file")));
        rows
    };
    assert_eq!(figures(&order), figures(&usual));
    // Names of fields as in the vendor's table give the same figures, too.
    assert_eq!(figures(&of("alias-fields.json")), figures(&usual));
    has(&of("alias-fields.json").row("calls"), json!({"billable_source": "content_duration"}));
    // Strings that spell numbers are read.
    assert_eq!(figures(&of("times-as-strings.json")), figures(&usual));
    // The second of two keys, not the empty first one.
    assert_eq!(figures(&of("duplicate-transcripts.json")), figures(&usual));
    let qwen = of("qwen3-filetrans.json");
    has(&qwen.row("calls"), json!({"duration_source": "last_end", "billable_source": "sentences"}));
    assert_eq!(qwen.table("sentences")[0]["sentence_id"], 0);
    has(
        &of("no-transcripts.json").row("calls"),
        json!({"participant_count": 0, "speech_ms": 0, "units": 0, "silence_ratio": null}),
    );
    has(
        &of("duplicate-channels.json").row("calls"),
        json!({"overlap_ms": null, "interruption_count": null, "reason": "duplicate_channels"}),
    );
    let unknown = of("speaker-missing.json");
    assert_eq!(column(&unknown.table("participants"), "participant"), ["spk0", "spk1", "unknown"]);
    // 2^32 is no channel; the second entry is channel 1.
    assert_eq!(column(&of("channel-id-huge.json").table("participants"), "channel_id"), [0, 1]);
    // As received, and in one file.
    let injected = of("output-injection.json");
    let texts = column(&injected.table("sentences"), "text");
    assert_eq!(texts[1], "line one\nline two, \"quoted\"\r\nline three.");
    assert!(texts[0].as_str().unwrap().starts_with("\u{1b}[2J\u{1b}[31mred -->"));
    assert!(!injected.err().contains('\u{1b}') && !injected.out().contains('\u{1b}'));
    // A label, never a path.
    let url = of("file-url-traversal.json");
    assert!(url.row("calls")["file_url"].as_str().unwrap().contains(".."));
}

#[test]
#[ignore = "needs ../shared/data"]
fn special_files_do_not_stop_the_run() {
    let script = data("hostile/make-special.sh");
    let scene = Scene::new().with(|folder| {
        assert!(Command::new("sh").arg(&script).arg(folder.join("calls")).status().unwrap().success());
    });
    let ran = scene.run("analyze calls -o out --only calls,participants").exits(3);
    let ran = ran.says("calls/dangling.json: no such file").says("calls/pipe.json: not a regular file");
    let ran = ran.says("calls/loop-a.json: ").says("calls/loop-b.json: ");
    let names = [
        "-o.json",
        "line\nbreak.json",
        "not-utf8-\u{FFFD}.json",
        "tree/call.json",
        "with space.json",
        "words-200k.json",
        "通话 记录.json",
    ];
    assert_eq!(column(&ran.table("calls"), "file"), names);
    // One sentence of 200 000 words, 300 ms apart, 240 ms long: the gaps of 60 ms are talk.
    has(
        &ran.row_where("calls", "file", "words-200k.json"),
        json!({"units": 200_000, "speech_ms": 200_000 * 300 - 60, "silence_ms": 0}),
    );
    // Good morning. / Shall we start. by the first speaker, Morning this is Ann. / Yes. by the second.
    has(
        &ran.row_where("calls", "file", "tree/call.json"),
        json!({"units": 10, "participant_count": 2, "switch_count": 3}),
    );
    // Each of them alone: nothing to measure.
    for entry in ["loop-a.json", "dangling.json", "pipe.json"] {
        let script = script.clone();
        let scene = Scene::new().with(|folder| {
            assert!(Command::new("sh").arg(&script).arg(folder.join("calls")).status().unwrap().success());
        });
        scene.run(&format!("analyze calls/{entry}")).exits(1).says(&format!("calls/{entry}: ")).prints_nothing();
    }
    ran.then().run("analyze calls/folder.json").exits(1).says("no result file found");
}

#[test]
#[ignore = "needs ../shared/data"]
fn the_page_of_the_real_calls_agrees_with_their_tables() {
    let ran = analysed(&["calls"], "--keyword charge --calls 100").exits(0);
    let html = ran.file("out/report.html");
    crate::report::agrees(&html, &ran.table("calls"), &ran.table("participants"));
    assert_eq!(crate::report::page::calls(&html).len(), walk(&data("calls")).len());
    assert_eq!(crate::report::page::dangling(&html), Vec::<String>::new());
    assert!(html.len() < 5_000_000);
    let ran = ran.then().run("report out -o again.html --calls 100").exits(0);
    assert!(ran.file("again.html") == ran.file("out/report.html"));
}

#[test]
#[ignore = "needs ../shared/data"]
fn hostile_files_do_not_make_a_hostile_page() {
    let ran = analysed(&["hostile"], "--keyword refund --pages --calls 100").exits(3);
    let html = ran.file("out/report.html");
    crate::report::agrees(&html, &ran.table("calls"), &ran.table("participants"));
    assert_eq!(html.matches("<script").count(), 2, "data and script");
    assert_eq!(crate::report::page::dangling(&html), Vec::<String>::new());
    let mut pages = ran.files("out/report-pages");
    pages.retain(|(name, _)| name.ends_with(".html"));
    assert_eq!(pages.len(), ran.table("calls").len());
    for (name, page) in pages {
        assert_eq!(String::from_utf8(page).unwrap().matches("<script").count(), 1, "{name}");
    }
    let ran = ran.then().run("report out -o again.html --pages --calls 100").exits(0);
    assert!(ran.file("again.html").replace("again-pages", "report-pages") == ran.file("out/report.html"));
}
