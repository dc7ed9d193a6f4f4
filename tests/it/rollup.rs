//! Calls by the user's own columns: joins, groups, sums and percentiles worked out by hand.

use polars::prelude::{
    Column, DataFrame, DataType, NamedFrom as _, ParquetReader, ParquetWriter, SerReader as _, Series, df,
};
use serde_json::{Value, json};

use crate::scene::{Call, Ran, Row, Scene, call, column, csv, has};

/// Two seconds of talk, a silence of `gap` between them: `silence_ratio` is gap / (2000 + gap).
fn paused(gap: i64) -> Call {
    call(&[(0, 0, 1000, "hello there"), (1, 1000 + gap, 2000 + gap, "hello")])
        .lasting(3000 + gap)
        .url(&format!("https://example.org/{gap}.wav"))
}

/// Four calls with speech, one without, one in a folder.
fn calls() -> Scene {
    Scene::new()
        .call("a", paused(500))
        .call("b", paused(2000))
        .call("c", paused(501))
        .call("d", paused(500))
        .call("deep/e", paused(0))
        .call("silent", json!({"transcripts": []}))
}

const META: &str = "file,queue,team\na.json,Z,blue\nb.json,Z,blue\nc.json,007,red\nd.json,007,red\ndeep/e.json,10,\nsilent.json,a,blue\n";

fn by(scene: Scene, more: &str) -> Ran {
    scene.run(&format!("analyze calls -o out --tables jsonl {more}")).exits(0)
}

fn group(rows: &[Row], column: &str, value: impl Into<Value>) -> Row {
    let value = value.into();
    rows.iter().find(|row| row[column] == value).unwrap_or_else(|| panic!("no group {value}: {rows:?}")).clone()
}

#[test]
fn a_group_has_sums_and_percentiles_of_its_calls() {
    let ran =
        by(calls().write("meta.csv", META), "--meta meta.csv --group-by queue --keyword hello").says_no("without a");
    let rows = ran.table("rollup");
    has(
        &group(&rows, "queue", "Z"),
        json!({
            "call_count": 2, "duration_ms": 3500 + 5000, "speech_ms": 4000, "silence_ms": 2500, "dead_air_count": 0,
            "interruption_count": 0, "units": 6, "keyword_hit_count": 4, "billable_ms": 4000,
            // 0.2 and 0.5; the 90th lies nine tenths of the way up.
            "silence_ratio_p50": 0.35, "silence_ratio_p90": 0.47, "silence_ratio_n": 2,
            "overlap_ratio_p50": 0.0, "overlap_ratio_n": 2,
            // One switch in 2.5 s and in 4 s: 24 and 15 a minute.
            "switches_per_min_p50": 19.5, "switches_per_min_p90": 23.1,
            // 500 and 2000 ms.
            "longest_silence_ms_p50": 1250, "longest_silence_ms_p90": 1850, "longest_silence_ms_n": 2,
            // Two seconds and three units are too little for a rate.
            "units_per_min_p50": null, "units_per_min_p90": null, "units_per_min_n": 0,
        }),
    );
    // 500 and 501: 500.5 goes to the even 500; 500 + 0.9 × 1 to 501.
    has(
        &group(&rows, "queue", "007"),
        json!({"longest_silence_ms_p50": 500, "longest_silence_ms_p90": 501, "call_count": 2}),
    );
    has(
        &group(&rows, "queue", "a"),
        json!({
            "call_count": 1, "duration_ms": null, "speech_ms": 0, "silence_ms": null, "interruption_count": null, "units": 0,
            "keyword_hit_count": 0, "silence_ratio_p50": null, "silence_ratio_n": 0, "longest_silence_ms_p50": null,
        }),
    );
}

#[test]
fn groups_are_ordered_by_bytes_and_keep_their_zeros() {
    let ran = by(calls().write("meta.csv", META), "--meta meta.csv --group-by queue");
    assert_eq!(column(&ran.table("rollup"), "queue"), ["007", "10", "Z", "a"]);
    let ran = by(calls().write("meta.csv", META), "--meta meta.csv --group-by team,queue");
    let groups: Vec<Value> = ran.table("rollup").iter().map(|row| json!([row["team"], row["queue"]])).collect();
    // A cell without a value is a null, and nulls come last.
    assert_eq!(groups, [json!(["blue", "Z"]), json!(["blue", "a"]), json!(["red", "007"]), json!([null, "10"])]);
}

#[test]
fn the_columns_are_the_groups_and_those_of_the_design() {
    let scene = calls().write("meta.csv", META);
    let ran =
        scene.run("analyze calls -o out --tables csv --meta meta.csv --group-by team,queue --only rollup").exits(0);
    assert_eq!(ran.files("out").len(), 2, "the table and what describes it");
    let header: Vec<String> = csv(&ran.file("out/rollup.csv")).remove(0).into_iter().map(|cell| cell.0).collect();
    let mut wanted = vec!["team", "queue", "call_count"];
    wanted.extend([
        "duration_ms",
        "speech_ms",
        "silence_ms",
        "dead_air_count",
        "dead_air_ms",
        "interruption_count",
        "units",
        "keyword_hit_count",
        "billable_ms",
    ]);
    let mut wanted: Vec<String> = wanted.into_iter().map(str::to_owned).collect();
    let per_call = ["dead_air_count", "dead_air_ms", "interruption_count", "keyword_hit_count"];
    wanted.extend(per_call.map(|name| format!("{name}_per_call")));
    for name in ["silence_ratio", "overlap_ratio", "switches_per_min", "units_per_min", "longest_silence_ms"] {
        wanted.extend(["p50", "p90", "n"].map(|suffix| format!("{name}_{suffix}")));
    }
    let counts = ["monologue_count", "interruption_count", "question_count", "keyword_hit_count"];
    let times = ["talk_ms", "talk_share", "units_per_min", "response_ms_p50", "response_ms_p90", "longest_turn_ms"];
    // Without roles the tracks stand for them.
    for track in ["ch0", "ch1"] {
        wanted.extend(times.iter().chain(&counts).map(|name| format!("{track}_{name}_p50")));
        wanted.extend(counts.map(|name| format!("{track}_{name}")));
    }
    assert_eq!(header, wanted);
}

#[test]
fn unmatched_calls_and_rows_are_counted() {
    let meta = "file,queue\na.json,x\ngone.json,x\nlost.json,y\na.json,z\n,w\n";
    let ran = by(calls().write("meta.csv", meta), "--meta meta.csv --group-by queue");
    let ran = ran.says("5 calls without a row in the metadata").says("2 rows of the metadata without a call");
    // The second row for a.json, and the row without a call.
    let ran = ran
        .says("1 row of the metadata skipped: no call is named")
        .says("1 row of the metadata skipped: an earlier row names the call");
    let rows = ran.table("rollup");
    // A group without a call is no group; calls without a row are the last one.
    assert_eq!(column(&rows, "queue"), [json!("x"), Value::Null]);
    assert_eq!(column(&rows, "call_count"), [1, 5]);
    // Also when nothing is grouped.
    let ran = by(calls().write("meta.csv", meta), "--meta meta.csv").says("5 calls without a row");
    assert!(!ran.path("out/rollup.jsonl").exists());
    // Quiet is quiet.
    by(calls().write("meta.csv", meta), "--meta meta.csv --group-by queue -q").says_nothing();
}

#[test]
fn calls_are_joined_by_url_where_there_is_no_file() {
    let meta = "team,file_url\nblue,https://example.org/500.wav\nred,https://example.org/2000.wav\n";
    let ran = by(calls().write("meta.csv", meta), "--meta meta.csv --group-by team");
    // a and d are the same recording.
    assert_eq!(column(&ran.table("rollup"), "call_count"), [json!(2), json!(1), json!(3)]);
    assert_eq!(column(&ran.table("rollup"), "team"), [json!("blue"), json!("red"), Value::Null]);
    // The file wins where there are both.
    let meta = "file_url,file,team\nhttps://example.org/500.wav,b.json,blue\n";
    let ran = by(calls().write("meta.csv", meta), "--meta meta.csv --group-by team");
    has(&group(&ran.table("rollup"), "team", "blue"), json!({"call_count": 1, "silence_ms": 2000}));
}

#[test]
fn metadata_may_be_json_lines_or_parquet() {
    let lines = "{\"file\": \"a.json\", \"queue\": \"007\"}\n{\"file\": \"b.json\", \"queue\": \"007\"}\n{\"file\": \"c.json\"}\n";
    let ran = by(calls().write("meta.jsonl", lines), "--meta meta.jsonl --group-by queue");
    assert_eq!(column(&ran.table("rollup"), "call_count"), [2, 4]);
    assert_eq!(column(&ran.table("rollup"), "queue"), [json!("007"), Value::Null]);
    let scene = calls().with(|folder| {
        let mut frame = df!("file" => ["a.json", "b.json", "c.json"], "queue" => [Some(7_i64), Some(-1), None], "vip" => [true, false, true]).unwrap();
        ParquetWriter::new(std::fs::File::create(folder.join("meta.parquet")).unwrap()).finish(&mut frame).unwrap();
    });
    let ran = by(scene, "--meta meta.parquet --group-by queue,vip");
    // Numbers become text, and text has the order of its bytes.
    let groups: Vec<Value> =
        ran.table("rollup").iter().map(|row| json!([row["queue"], row["vip"], row["call_count"]])).collect();
    assert_eq!(
        groups,
        [json!(["-1", "false", 1]), json!(["7", "true", 1]), json!([null, "true", 1]), json!([null, null, 3])]
    );
}

#[test]
fn of_parquet_columns_of_nulls_alone_are_kept_and_those_of_lists_are_left_out() {
    let scene = calls().with(|folder| {
        let names = Column::new("file".into(), ["a.json", "b.json", "c.json"]);
        let nulls = Column::full_null("nothing".into(), 3, &DataType::Int64);
        let lists = Column::new("tags".into(), vec![Series::new("".into(), [1_i64, 2]); 3]);
        let mut frame = DataFrame::new(3, vec![names, nulls, lists]).unwrap();
        ParquetWriter::new(std::fs::File::create(folder.join("meta.parquet")).unwrap()).finish(&mut frame).unwrap();
    });
    let ran = scene.run("analyze calls -o out --meta meta.parquet").exits(0);
    let ran = ran.says("meta.parquet: column `tags` is left out, as list[i64] is no text");
    let calls = ParquetReader::new(std::fs::File::open(ran.path("out/calls.parquet")).unwrap()).finish().unwrap();
    assert_eq!(calls.column("nothing").unwrap().null_count(), calls.height());
    assert!(calls.column("tags").is_err());
}

#[test]
fn a_csv_from_a_spreadsheet_is_read() {
    let meta = "\u{FEFF}file,\"the, team\"\r\na.json,\"blue \"\"one\"\"\"\r\n\"b.json\",\"two\nlines\"\r\n";
    let scene = calls().write("meta.csv", meta);
    let ran = scene.run_with([
        "analyze",
        "calls",
        "-o",
        "out",
        "--tables",
        "jsonl,csv",
        "--meta",
        "meta.csv",
        "--group-by",
        "the, team",
    ]);
    // A comma in a name of a column cannot be said on the command line.
    let ran = ran.exits(2).says("the columns are `the, team`");
    let meta = "\u{FEFF}file,team\r\na.json,\"blue \"\"one\"\"\"\r\n\"b.json\",\"two\nlines\"\r\n";
    let ran = ran
        .then()
        .write("meta.csv", meta)
        .run("analyze calls -o out --tables jsonl,csv --meta meta.csv --group-by team")
        .exits(0);
    assert_eq!(
        column(&ran.table_as("rollup", "jsonl"), "team"),
        [json!("blue \"one\""), json!("two\nlines"), Value::Null]
    );
    assert_eq!(
        column(&ran.table_as("rollup", "csv"), "team"),
        [json!("blue \"one\""), json!("two\nlines"), Value::Null]
    );
}

#[test]
fn a_group_column_may_have_the_name_of_a_built_in_column() {
    let meta = "file,units,call_count,reason\na.json,x,1,r\nb.json,y,2,r\n";
    let ran = by(calls().write("meta.csv", meta), "--meta meta.csv --group-by units,call_count,reason");
    let row = group(&ran.table("rollup"), "units_group", "x");
    has(&row, json!({"call_count_group": "1", "call_count": 1, "units": 3, "reason": "r"}));
}

#[test]
fn metadata_that_cannot_be_used_is_a_usage_error() {
    let run =
        |name: &str, meta: &str| calls().write(name, meta).run(&format!("analyze calls --meta {name} --group-by team"));
    run("meta.csv", "call,team\na.json,blue\n")
        .exits(2)
        .says("no column `file` (or `file_url`, `url`, `id`)")
        .says("`call`, `team`")
        .prints_nothing();
    run("meta.xlsx", "PK").exits(2).says("the extension must be .csv, .tsv, .txt, .jsonl or .parquet");
    run("meta.parquet", "no parquet").exits(1).says("cannot read the metadata meta.parquet");
    calls().run("analyze calls --meta gone.csv").exits(1).says("gone.csv");
}

#[test]
fn the_roll_up_is_in_the_report_too() {
    let ran = by(calls().write("meta.csv", META), "--meta meta.csv --group-by queue");
    let report: Value = serde_json::from_str(&ran.file("out/report.json")).unwrap();
    let rows: Vec<Value> = ran.table("rollup").into_iter().map(Value::Object).collect();
    assert_eq!(report["rollup"], json!({"by": ["queue"], "keys": [{"column": "queue"}], "rows": rows}));
    // The column of each call, too.
    assert_eq!(column(&ran.table("calls"), "queue")[..2], ["Z", "Z"]);
}

#[test]
fn the_roll_up_does_not_depend_on_threads_or_order() {
    let story = |threads: &str, meta: &str| {
        let scene = calls().write("meta.csv", meta).environment("POLARS_MAX_THREADS", threads);
        scene.run("analyze calls -o out --tables parquet,csv,jsonl --meta meta.csv --group-by team,queue").exits(0)
    };
    let one = story("1", META);
    let mut lines: Vec<&str> = META.lines().collect();
    lines[1..].reverse();
    let other = story("4", &(lines.join("\n") + "\n"));
    assert!(one.files("out") == other.files("out"));
}

#[test]
fn group_columns_may_have_any_name() {
    let meta = "file,units,units_group,silence_ratio_p50\na.json,x,y,z\n";
    let scene = Scene::new().call("a", Call::default().say(0, &[(0, 9000, "hello")])).write("meta.csv", meta);
    let ran = scene.run(
        "analyze calls -o out --tables csv --only rollup --meta meta.csv --group-by units,units,units_group,silence_ratio_p50",
    );
    let ran = ran.exits(0);
    // A name that is one of ours, or was taken by one before it, has `_group` behind it.
    assert!(
        ran.file("out/rollup.csv").starts_with("units_group,units_group_group,silence_ratio_p50_group,call_count,")
    );
}
