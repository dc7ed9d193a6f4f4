//! Tables as files: their columns, keys, formats, and that the same inputs give the same bytes.

use std::collections::HashSet;

use polars::prelude::{DataType, ParquetReader, SerReader};
use serde_json::{Value, json};

use crate::scene::{Call, Ran, Row, Scene, call, column, csv, diarised, has};

/// The schema, table by table, column by column.
const SCHEMA: [(&str, &str); 12] = [
    (
        "calls",
        "file, file_url, model, audio_format, sampling_rate_hz, duration_ms, duration_source, span_start_ms, \
         span_end_ms, span_ms, lead_silence_ms, tail_silence_ms, speech_ms, silence_ms, silence_ratio, \
         longest_silence_ms, dead_air_count, dead_air_ms, overlap_ms, overlap_ratio, participant_count, channel_count, \
         sentence_count, turn_count, switch_count, switches_per_min, onset_count, interruption_count, \
         backchannel_count, units, words, han_chars, units_per_min, keyword_hit_count, billable_ms, billable_source, \
         warning_count, reason, source_format",
    ),
    (
        "participants",
        "file, participant, role, channel_id, speaker_id, basis, talk_ms, talk_share, talk_per_span, \
         talk_listen_ratio, turn_count, turn_ms_p50, longest_turn_ms, monologue_count, units, words, han_chars, \
         units_per_min, articulation_units_per_min, response_ms_p50, response_ms_p90, response_n, \
         response_early_ratio, slow_response_count, interruption_count, interrupted_count, backchannel_count, \
         side_speech_count, terminal_overlap_count, simultaneous_start_count, overlap_ms, question_count, \
         keyword_hit_count, first_begin_ms, last_end_ms, reason, emotions",
    ),
    ("bursts", "file, participant, begin_ms, end_ms"),
    ("turns", "file, turn_index, participant, role, begin_ms, end_ms, talk_ms, units, text"),
    ("events", "file, event_index, kind, participant, role, other, begin_ms, end_ms, overlap_ms, held_ms, text"),
    ("hits", "file, rule, hit_index, participant, role, term, begin_ms, end_ms, time_basis, matched, text"),
    ("rules", "file, rule, severity, matched, count, first_ms"),
    ("windows", "file, participant, window_index, begin_ms, end_ms, talk_ms, units, units_per_min"),
    (
        "costs",
        "file, channel_id, model, region, billable_ms, billable_source, billed_seconds, unit_price, currency, cost, \
         price_date",
    ),
    (
        "sentences",
        "file, channel_id, sentence_index, sentence_id, participant, begin_ms, end_ms, text, units, language, emotion",
    ),
    ("words", "file, channel_id, sentence_index, word_index, participant, begin_ms, end_ms, text, punctuation"),
    ("warnings", "file, code, count, detail"),
];

fn columns(table: &str) -> Vec<&'static str> {
    SCHEMA.iter().find(|schema| schema.0 == table).unwrap().1.split(", ").map(str::trim).collect()
}

/// Two parties with something of everything: an interruption, a hit, a warning.
fn ordinary(shift: i64) -> Call {
    call(&[
        (0, 0, 4000, "good morning what can I do for you"),
        (1, 2000, 7000, "I want my refund, please"),
        (0, 11_000, 12_000, "of course"),
        (1, 12_000, 12_000 + shift, "thanks"),
    ])
    .lasting(20_000 + shift)
}

/// Text that breaks a careless writer; the name of the file joins in.
const HOSTILE: [&str; 7] = [
    "say \"hi\", twice",
    "two\nlines",
    "carriage\rreturn and\r\nboth",
    "=1+1",
    "\u{1b}[2J; <b>&amp;</b> | --> `x`",
    "\"",
    "逗号，和 \u{202e}倒",
];

fn hostile() -> Scene {
    let mut call = Call::default();
    for (index, text) in HOSTILE.iter().enumerate() {
        let begin = 5000 * index as i64;
        call = call.say(index as u32 % 2, &[(begin, begin + 1000, text)]);
    }
    // A word without text, a sentence without words, a number that is null.
    let call = call.say(0, &[(60_000, 61_000, "")]).tell(1, 62_000, 63_000, ", ;").lasting(70_000);
    Scene::new()
        .call("with, \"quotes\" and\nbreak", call)
        .call("plain", ordinary(700))
        .call("nothing", json!({"transcripts": []}))
}

#[test]
fn the_tables_are_those_of_the_design_column_by_column() {
    let ran = Scene::new()
        .call("a", ordinary(700))
        .run("analyze calls -o out --tables csv,parquet,jsonl --keyword refund")
        .exits(0);
    for (table, _) in SCHEMA {
        let wanted = columns(table);
        let header: Vec<String> =
            csv(&ran.file(&format!("out/{table}.csv"))).remove(0).into_iter().map(|cell| cell.0).collect();
        assert_eq!(header, wanted, "{table}.csv");
        let parquet = std::fs::File::open(ran.path(&format!("out/{table}.parquet"))).unwrap();
        let frame = ParquetReader::new(parquet).finish().unwrap();
        let names: Vec<&str> = frame.get_column_names().iter().map(|name| name.as_str()).collect();
        assert_eq!(names, wanted, "{table}.parquet");
        let line = ran.file(&format!("out/{table}.jsonl"));
        if let Some(line) = line.lines().next() {
            let places: Vec<usize> =
                wanted.iter().map(|name| line.find(&format!("\"{name}\":")).expect(name)).collect();
            assert!(places.is_sorted(), "{table}.jsonl");
            assert_eq!(serde_json::from_str::<Row>(line).unwrap().len(), wanted.len());
        }
    }
}

#[test]
fn bursts_add_up_to_the_talk_of_each_participant() {
    let ran = Scene::new().call("a", ordinary(700)).run("analyze calls -o out --tables jsonl").exits(0);
    let bursts = ran.table("bursts");
    for participant in ran.table("participants") {
        let own = bursts.iter().filter(|burst| burst["participant"] == participant["participant"]);
        let lengths = own.map(|burst| burst["end_ms"].as_i64().unwrap() - burst["begin_ms"].as_i64().unwrap());
        assert_eq!(lengths.sum::<i64>(), participant["talk_ms"].as_i64().unwrap());
    }
    // The file, then participants in order, then time.
    let order = |burst: &Row| (burst["participant"].as_str().unwrap().to_owned(), burst["begin_ms"].as_i64());
    assert!(bursts.len() == 4 && bursts.is_sorted_by_key(order), "{bursts:?}");
}

#[test]
fn columns_are_typed_by_their_names() {
    // Times and counts are whole, ratios and rates are not, money is decimal, the rest is text.
    let ran = Scene::new().call("a", ordinary(700)).run("analyze calls -o out").exits(0);
    for (table, _) in SCHEMA {
        let parquet = std::fs::File::open(ran.path(&format!("out/{table}.parquet"))).unwrap();
        let schema = ParquetReader::new(parquet).finish().unwrap().schema().clone();
        for (name, dtype) in schema.iter() {
            let name = name.as_str();
            let whole = ["_ms", "_count", "_id", "_index", "_hz", "_p50", "_p90", "_n", "_chars", "_seconds"];
            let wanted = match name {
                "unit_price" | "cost" => matches!(dtype, DataType::Decimal(..)),
                _ if name.ends_with("_ratio")
                    || name.ends_with("_share")
                    || name.ends_with("_per_min")
                    || name.ends_with("_per_span") =>
                {
                    *dtype == DataType::Float64
                }
                "price_date" => *dtype == DataType::Date,
                "matched" if table == "rules" => *dtype == DataType::Boolean,
                "units" | "words" | "count" => *dtype == DataType::Int64,
                _ if whole.iter().any(|end| name.ends_with(end)) => *dtype == DataType::Int64,
                _ => *dtype == DataType::String,
            };
            assert!(wanted, "{table}.{name} is {dtype:?}");
        }
    }
}

#[test]
fn rows_are_keyed_and_children_have_parents() {
    let ran = hostile()
        .call("other", diarised(&[(Some(1), 0, 900, "refund"), (None, 2000, 9000, "a b")]))
        .run("analyze calls -o out --keyword refund")
        .exits(0);
    let keys = [
        ("calls", "file"),
        ("participants", "file, participant"),
        ("bursts", "file, participant, begin_ms, end_ms"),
        ("turns", "file, turn_index"),
        ("events", "file, event_index"),
        ("hits", "file, rule, hit_index"),
        ("windows", "file, participant, window_index"),
        ("costs", "file, channel_id"),
        ("sentences", "file, channel_id, sentence_index"),
        ("words", "file, channel_id, sentence_index, word_index"),
        ("warnings", "file, code"),
    ];
    let cells = |row: &Row, names: &str| names.split(", ").map(|name| row[name].to_string()).collect::<Vec<_>>();
    let set = |table: &str, names: &str| ran.table(table).iter().map(|row| cells(row, names)).collect::<HashSet<_>>();
    for (table, key) in keys {
        let rows = ran.table(table);
        assert!(!rows.is_empty(), "{table} has no row, so this shows nothing");
        assert_eq!(set(table, key).len(), rows.len(), "{key} is a key of {table}");
        let files: Vec<&str> = rows.iter().map(|row| row["file"].as_str().unwrap()).collect();
        assert!(files.is_sorted(), "{table} is in the order of the files' bytes");
        assert!(set(table, "file").is_subset(&set("calls", "file")), "{table}");
    }
    for table in ["turns", "events", "hits", "windows", "sentences", "words"] {
        assert!(set(table, "file, participant").is_subset(&set("participants", "file, participant")), "{table}");
    }
    let others = ran.table("events").iter().map(|row| cells(row, "file, other")).collect::<HashSet<_>>();
    assert!(others.is_subset(&set("participants", "file, participant")));
    let sentence = "file, channel_id, sentence_index";
    assert!(set("words", sentence).is_subset(&set("sentences", sentence)));
    assert!(set("sentences", "file, channel_id").is_subset(&set("costs", "file, channel_id")));
    let counted = |table: &str, file: &Value| ran.table(table).iter().filter(|row| row["file"] == *file).count();
    for row in ran.table("calls") {
        let file = &row["file"];
        for (column, table) in [
            ("turn_count", "turns"),
            ("warning_count", "warnings"),
            ("participant_count", "participants"),
            ("channel_count", "costs"),
            ("sentence_count", "sentences"),
            ("keyword_hit_count", "hits"),
        ] {
            assert_eq!(row[column], counted(table, file), "{column} of {file}");
        }
    }
}

#[test]
fn a_table_without_a_row_is_its_header() {
    let ran = Scene::new()
        .call("nothing", json!({"transcripts": []}))
        .run("analyze calls -o out --tables csv,jsonl,parquet")
        .exits(0);
    for (table, _) in SCHEMA.into_iter().filter(|schema| !["calls", "warnings"].contains(&schema.0)) {
        assert_eq!(ran.file(&format!("out/{table}.csv")), columns(table).join(",") + "\n");
        assert_eq!(ran.file(&format!("out/{table}.jsonl")), "");
        assert_eq!(ran.table_as(table, "parquet"), Vec::<Row>::new());
    }
    assert_eq!(ran.table_as("calls", "csv").len(), 1);
}

#[test]
fn every_format_holds_the_same_values() {
    let ran = hostile().run("analyze calls -o out --tables jsonl,csv,parquet --keyword hi").exits(0);
    for (table, _) in SCHEMA {
        let rows = ran.table_as(table, "jsonl");
        // To twelve digits, as serde_json may read the last bit of a number differently.
        for other in ["parquet", "csv"] {
            let others = ran.table_as(table, other);
            assert_eq!(rows.len(), others.len(), "{table}.{other}");
            for (row, other) in rows.iter().zip(others) {
                has(row, Value::Object(other));
            }
        }
    }
}

#[test]
fn text_is_in_the_tables_as_received() {
    let ran = hostile().run("analyze calls -o out --tables csv").exits(0);
    let sentences = ran.table("sentences");
    for text in HOSTILE {
        assert!(column(&sentences, "text").contains(&json!(text)), "{text:?}");
    }
    // The bytes, by RFC 4180: quotes around what needs them, quotes inside doubled, line breaks as they are.
    let bytes = ran.file("out/sentences.csv");
    assert!(bytes.contains(",\"say \"\"hi\"\", twice\","));
    assert!(bytes.contains(",\"two\nlines\","));
    assert!(bytes.contains(",\"carriage\rreturn and\r\nboth\","));
    assert!(bytes.contains(",\"\"\"\","));
    assert!(bytes.contains("\"with, \"\"quotes\"\" and\nbreak.json\","));
    // A sentence without text is no null.
    let empty = sentences.iter().find(|row| row["begin_ms"] == 60_000).unwrap();
    assert_eq!(empty["text"], "");
    let words = ran.table("words");
    assert!(words.iter().all(|row| row["punctuation"] == ""));
}

#[test]
fn only_the_requested_tables_are_written() {
    let names = |ran: &Ran| ran.files("out").into_iter().map(|file| file.0).collect::<Vec<_>>();
    let story = || Scene::new().call("a", ordinary(700));
    let ran = story().run("analyze calls -o out --only participants,calls --tables csv,jsonl").exits(0);
    let wanted = ["calls.csv", "calls.jsonl", "datapackage.json", "participants.csv", "participants.jsonl"];
    assert_eq!(names(&ran), wanted);
    let ran = story().run("analyze calls -o out --only report").exits(0);
    assert_eq!(names(&ran), ["report.html", "report.json"]);
    let ran = story().run("analyze calls -o out").exits(0);
    let mut all: Vec<String> = SCHEMA
        .iter()
        .map(|schema| format!("{}.parquet", schema.0))
        .chain(["calls_by_role.parquet", "datapackage.json", "report.html", "report.json"].map(str::to_owned))
        .collect();
    all.sort();
    assert_eq!(names(&ran), all);
    story().run("analyze calls -o out --only calls,word").exits(2).says("'word'").says("windows").prints_nothing();
    story().run("analyze calls -o out --tables ods").exits(2).says("parquet, csv, jsonl or xlsx");
}

#[test]
fn a_table_written_alone_is_as_with_all_others() {
    let story = || Scene::new().call("a", ordinary(700)).call("b", ordinary(0));
    let all = story().run("analyze calls -o out --tables csv --keyword /[a-z]+/").exits(0).files("out");
    for name in SCHEMA.iter().map(|schema| schema.0) {
        let ran = story().run(&format!("analyze calls -o out --tables csv --keyword /[a-z]+/ --only {name}")).exits(0);
        let files = ran.files("out");
        let [alone] = &files.iter().filter(|file| file.0 != "datapackage.json").collect::<Vec<_>>()[..] else {
            panic!("more than {name}")
        };
        assert!(all.contains(alone), "{name}");
    }
}

#[test]
fn without_a_folder_nothing_is_written_and_the_summary_is_printed() {
    let ran = Scene::new()
        .call("a", ordinary(700))
        .run("analyze calls")
        .exits(0)
        .prints("1 call measured")
        .prints("interruption_count");
    assert_eq!(std::fs::read_dir(ran.path(".")).unwrap().count(), 1, "calls, and nothing else");
    let report = ran.then().run("analyze calls --format json").exits(0).json();
    assert_eq!(report["inputs"]["measured"], 1);
    let total = |metric: &str| {
        report["totals"].as_array().unwrap().iter().find(|total| total["metric"] == metric).unwrap()["sum"].clone()
    };
    assert_eq!(total("interruption_count"), 1);
    assert_eq!(total("keyword_hit_count"), Value::Null);
    assert_eq!(report["parameters"]["join_gap_ms"], 250);
}

#[test]
fn what_is_printed_as_json_is_what_is_written() {
    let ran = Scene::new().call("a", ordinary(700)).run("analyze calls -o out --format json").exits(0);
    assert_eq!(ran.out(), ran.file("out/report.json"));
}

// --- the same bytes --------------------------------------------------------------------------------------------------------

fn many(files: i64) -> Scene {
    (0..files).fold(Scene::new(), |scene, index| {
        // Some in a folder of their own, some with a warning, some without speech.
        let name = if index % 7 == 0 { format!("deep/{index}") } else { format!("{index}") };
        match index % 10 {
            3 => scene.call(&name, json!({"transcripts": []})),
            4 => scene.call(&name, ordinary(9000 + index)),
            _ => scene.call(&name, ordinary(index)),
        }
    })
}

#[test]
fn the_bytes_do_not_depend_on_threads_or_the_order_of_arguments() {
    // A round is 64 files for each thread: three rounds with one thread, one with three.
    let line = "-o out --tables parquet,csv,jsonl --keyword refund";
    let one = many(150).run(&format!("analyze calls {line} --threads 1")).exits(0);
    let three = many(150).environment("POLARS_MAX_THREADS", "7");
    let three = three.run(&format!("analyze {line} --threads 3 calls/1.json calls calls/2.json calls")).exits(0);
    let (files, others) = (one.files("out"), three.files("out"));
    assert_eq!((files.len(), others.len()), (42, 42));
    for ((name, bytes), (other, other_bytes)) in files.iter().zip(&others) {
        assert!(name == other && bytes == other_bytes, "{name} differs");
    }
    // Nothing of this machine, or the folders of the two runs would show.
    let folder = one.path("");
    assert!(!one.file("out/report.json").contains(folder.to_str().unwrap().trim_end_matches('/')));
    assert_eq!(one.table("calls").len(), 150);
    has(&one.row_where("calls", "file", "deep/7.json"), json!({"participant_count": 2}));
}

#[test]
fn a_table_of_several_row_groups_is_whole() {
    // 66 000 words are more than one row group of 65 536.
    let long = |text: &str| {
        let words: Vec<(i64, i64, &str)> = (0..22_000).map(|index| (index * 300, index * 300 + 200, text)).collect();
        Call::default().say(0, &words).lasting(6_600_000)
    };
    let story = || Scene::new().call("a", long("one")).call("b", long("two")).call("c", long("three"));
    let ran = story().run("analyze calls -o out --only words,calls --tables parquet,csv --threads 1").exits(0);
    let words = ran.table_as("words", "csv");
    assert_eq!(words.len(), 66_000);
    has(&words[65_999], json!({"file": "c.json", "word_index": 21_999, "begin_ms": 21_999 * 300, "text": "three"}));
    assert_eq!(words, ran.table_as("words", "parquet"));
    let two = story().run("analyze calls -o out --only words,calls --tables parquet,csv --threads 2").exits(0);
    assert!(ran.files("out") == two.files("out"));
}

#[test]
fn a_run_that_measures_nothing_leaves_nothing() {
    let ran = Scene::new().call("bad", "<html>").run("analyze calls -o out").exits(1);
    assert!(!ran.path("out").exists(), "the folder was made for nothing");
    // A folder that was there before stays, with what was in it.
    let ran = ran.then().write("out/mine.txt", "mine").run("analyze calls/missing -o out").exits(1);
    assert_eq!(ran.files("out"), [("mine.txt".to_owned(), b"mine".to_vec())]);
}

#[test]
fn a_folder_that_cannot_be_written_is_reported() {
    Scene::new()
        .call("a", ordinary(0))
        .write("out", "a file")
        .run("analyze calls -o out")
        .exits(1)
        .says("cannot make the folder")
        .prints_nothing();
}

#[test]
fn tables_of_an_earlier_run_are_named() {
    let ran = Scene::new()
        .call("a", ordinary(0))
        .run("analyze calls -o out --tables csv,jsonl")
        .exits(0)
        .says_no("earlier run");
    let ran = ran.then().run("analyze calls -o out --tables csv --only calls").exits(0);
    let ran = ran
        .says("out/calls.jsonl is left from an earlier run")
        .says("out/report.json is left")
        .says_no("out/calls.csv is left");
    // The same run again writes over its own.
    let ran = ran.then().run("analyze calls -o out --tables csv,jsonl").exits(0).says_no("earlier run");
    ran.then().run("analyze calls -o out --tables csv -q").exits(0).says_nothing();
}

#[test]
fn an_analysis_of_its_own_folder_reads_no_table() {
    let ran = Scene::new().call("a", ordinary(0)).run("analyze . -o out --tables jsonl").exits(0);
    let first = ran.files("out");
    let ran = ran.then().run("analyze . -o out --tables jsonl").exits(0).says_no("report.json");
    assert_eq!(ran.files("out"), first);
    // A report that lies elsewhere is known by its content, a result that bears its name is read.
    let ran = ran.then().run("analyze . -o elsewhere --tables jsonl").exits(0);
    assert!(ran.files("elsewhere") == first);
    let ran = ran
        .then()
        .write("calls/report.json", crate::scene::Content::bytes(&ordinary(5)).as_slice())
        .run("analyze calls -o out --tables jsonl")
        .exits(0);
    assert_eq!(column(&ran.table("calls"), "file"), ["a.json", "report.json"]);
}

#[test]
fn the_folder_that_is_read_may_be_written_to() {
    let ran = Scene::new().call("a", ordinary(0)).run("analyze calls -o calls --tables jsonl").exits(0);
    let first = ran.files("calls");
    assert_eq!(first.len(), 17, "the call, thirteen tables, what describes them, and the report twice");
    let ran = ran.then().run("analyze calls -o calls --tables jsonl").exits(0).says_no("report.json");
    assert!(ran.files("calls") == first);
}

#[test]
fn a_format_or_table_named_twice_is_written_once() {
    let ran =
        Scene::new().call("a", ordinary(0)).run("analyze calls -o out --tables csv,csv --only calls,calls").exits(0);
    assert_eq!(ran.files("out").len(), 2, "the table and what describes it");
    assert_eq!(ran.table("calls").len(), 1);
    ran.says("2 files written").exits(0);
}

#[test]
fn a_carriage_return_alone_is_quoted_in_csv() {
    let call = Call::default().say(0, &[(0, 1000, "one\rtwo")]).lasting(5000);
    let ran = Scene::new().call("a", call).run("analyze calls -o out --tables csv --only turns").exits(0);
    assert!(ran.file("out/turns.csv").contains("\"one\rtwo\""), "{:?}", ran.file("out/turns.csv"));
    assert_eq!(ran.table_as("turns", "csv")[0]["text"], json!("one\rtwo"));
}
