//! One analysis in shards: part files, manifests, and the report that completes them.

use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::scene::{Ran, Row, Scene, files_below, rows_of_parquet};

const MEASURED: &str = "--role ch0=agent,ch1=customer,spk0=agent,spk1=customer --keyword refund --rules rules.toml \
                        --model fun-asr --region intl";

/// The example calls, their metadata, rules, and a file that is no result.
fn copied(folder: &Path) {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    std::fs::copy(examples.join("rules/support.toml"), folder.join("rules.toml")).unwrap();
    std::fs::copy(examples.join("calls/calls-meta.csv"), folder.join("meta.csv")).unwrap();
    std::fs::create_dir(folder.join("calls")).unwrap();
    for call in std::fs::read_dir(examples.join("calls")).unwrap().map(|entry| entry.unwrap().path()) {
        if call.extension().is_some_and(|ending| ending == "json") {
            std::fs::copy(&call, folder.join("calls").join(call.file_name().unwrap())).unwrap();
        }
    }
    std::fs::write(folder.join("calls/broken.json"), "{").unwrap();
}

/// The part files of a table, in order.
fn parts(ran: &Ran, table: &str) -> Vec<(String, Vec<u8>)> {
    let parts = ran.files(&format!("out/{table}"));
    assert!(parts.iter().all(|(name, _)| name.starts_with("part-")), "{:?}", parts.iter().map(|(name, _)| name));
    parts
}

/// The rows of a table in a format: of one file, or of its parts.
fn rows(ran: &Ran, folder: &str, table: &str, format: &str) -> Vec<Value> {
    let path = ran.path(&format!("{folder}/{table}.{format}"));
    let files: Vec<_> = if path.is_dir() {
        parts(ran, &format!("{table}.{format}")).into_iter().map(|(name, _)| path.join(name)).collect()
    } else {
        vec![path]
    };
    let text = |path: &Path| std::fs::read_to_string(path).unwrap();
    let mut rows = Vec::new();
    for (at, file) in files.iter().enumerate() {
        match format {
            "parquet" => rows.extend(rows_of_parquet(file).into_iter().map(|row: Row| Value::Object(row))),
            // One header is enough.
            "csv" => rows.extend(text(file).split_inclusive('\n').skip(usize::from(at > 0)).map(|line| json!(line))),
            _ => rows.extend(text(file).split_inclusive('\n').map(|line| json!(line))),
        }
    }
    rows
}

/// Everything in `out` is what is in `whole`, but for the parts of its tables and their manifests.
fn equal(ran: &Ran, formats: &[&str]) {
    let mut compared = 0;
    for entry in std::fs::read_dir(ran.path("whole")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let (table, extension) = name.rsplit_once('.').unwrap();
        if formats.contains(&extension) {
            let (one, other) = (rows(ran, "whole", table, extension), rows(ran, "out", table, extension));
            assert!(one == other, "{name}: {} and {} rows, or other cells", one.len(), other.len());
            compared += one.len();
        } else if name == "datapackage.json" {
            let of = |folder: &str| serde_json::from_str::<Value>(&ran.file(&format!("{folder}/{name}"))).unwrap();
            let (one, mut other) = (of("whole"), of("out"));
            for resource in other["resources"].as_array_mut().unwrap() {
                if let Some(parts) = resource["path"].as_array() {
                    let exists = |part: &Value| ran.path(&format!("out/{}", part.as_str().unwrap())).is_file();
                    assert!(parts.iter().all(exists), "{parts:?}");
                    resource["path"] = resource["name"].clone();
                }
            }
            assert_eq!(one, other, "{name}");
        } else {
            assert_eq!(ran.file(&format!("whole/{name}")), ran.file(&format!("out/{name}")), "{name}");
        }
    }
    assert!(compared > 100, "{compared} rows");
    let left = files_below(&ran.path("out"));
    assert!(!left.iter().any(|(name, _)| name.ends_with(".tmp")), "a temporary file");
}

#[test]
fn shards_are_one_analysis_in_every_cell_and_in_the_report() {
    let measured = format!("{MEASURED} --meta meta.csv --tables parquet,csv,jsonl");
    let whole = Scene::new().with(copied).run(&format!("analyze calls -o whole {measured} --group-by queue")).exits(3);
    let summary = whole.out();
    let mut scene = whole.then();
    for (shard, exit) in [("2/3", 0), ("3/3", 0), ("1/3", 3)] {
        let ran = scene.run(&format!("analyze calls -o out {measured} --shard {shard}")).exits(exit).prints_nothing();
        scene = ran.says(&format!("shard {shard}: ")).then();
    }
    let ran = scene.run("query out 'select count(*) as n from calls' --format csv").exits(0).prints("n\n6\n");
    for not_yet in ["report.json", "report.html", "datapackage.json", "calls_by_role.parquet"] {
        assert!(!ran.path(&format!("out/{not_yet}")).exists(), "{not_yet}");
    }
    let ran = ran.then().run("report out --group-by queue").exits(3).says("broken.json");
    assert_eq!(ran.out(), summary);
    equal(&ran, &["parquet", "csv", "jsonl"]);
    // A shard that is repeated writes the same; a report of what is complete keeps its groups.
    let before = files_below(&ran.path("out"));
    let ran = ran.then().run(&format!("analyze calls -o out {measured} --shard 2/3 --threads 1")).exits(0);
    let ran = ran.then().run("report out").exits(3);
    let without_time = |files: Vec<(String, Vec<u8>)>| {
        files.into_iter().filter(|(name, _)| !name.contains("/shards/")).collect::<std::collections::BTreeMap<_, _>>()
    };
    assert!(without_time(before) == without_time(files_below(&ran.path("out"))));
    // The manifests are no result files.
    ran.then().run("analyze out/shards").exits(1).says("no result file found");
}

#[test]
fn shards_that_are_missing_or_of_another_analysis_are_refused_by_name() {
    let shard = |shard: &str, more: &str| format!("analyze calls -o out --shard {shard} {MEASURED} {more}");
    let mut scene = Scene::new().with(copied).run("report out").exits(1).then();
    for one in ["1/4", "4/4"] {
        scene = scene.run(&shard(one, "-q")).exits(0).then();
    }
    for command in
        ["report out", "query out 'select file from calls'", "rules run rules.toml out", "report out -o a.md"]
    {
        let ran = scene.run(command).exits(2).prints_nothing().says("out: shards are missing: 2-3 of 4");
        scene = ran.says("--shard I/N").then();
    }
    scene = scene.run(&shard("2/4", "--dead-air-ms 2s")).exits(3).then();
    scene = scene.run(&shard("3/4", "")).exits(0).then();
    let differs = "out: shards 1 and 2 are of different analyses: parameters.dead_air_ms 3000 and 2000";
    scene = scene.run("report out").exits(2).says(differs).then();
    scene = scene.run(&shard("2/4", "")).exits(3).then().run("report out").exits(3).then();

    // Other files, other rules, another number of shards.
    let more = |folder: &Path| drop(std::fs::copy(folder.join("calls/refund-anna.json"), folder.join("calls/a.json")));
    scene = scene.with(more).run(&shard("2/4", "")).exits(3).then();
    scene = scene.run("report out").exits(2).says("shards 1 and 2 are of different analyses: files 7 and 8").then();
    let fewer = |folder: &Path| std::fs::remove_file(folder.join("calls/a.json")).unwrap();
    let longer = |folder: &Path| std::fs::write(folder.join("calls/broken.json"), "{ ").unwrap();
    scene = scene.with(fewer).with(longer).run(&shard("2/4", "")).exits(3).then();
    scene = scene.run("report out").exits(2).says("shards 1 and 2 are of different analyses: listing ").then();
    scene = scene.write("calls/broken.json", "{").run(&shard("2/4", "--price-date 2026-01-01")).exits(3).then();
    scene = scene.run("query out 'select file from calls'").exits(2).says("different analyses: prices ").then();
    scene = scene.run(&shard("2/5", "")).exits(3).then();
    scene = scene.run("report out").exits(2).says("shards 1 and 2 are one of 4 and one of 5").then();
    scene = scene.run(&shard("2/4", "")).exits(3).then().run("report out").exits(3).then();

    // What is not theirs, and what they lack.
    let part = |folder: &Path| folder.join("out/turns.parquet/part-00003.parquet");
    let stray = |folder: &Path| drop(std::fs::copy(part(folder), folder.join("out/turns.parquet/part-00009.parquet")));
    scene = scene.with(stray).run("report out").exits(2).says("part-00009.parquet is of no shard").then();
    let gone = |folder: &Path| {
        std::fs::remove_file(folder.join("out/turns.parquet/part-00009.parquet")).unwrap();
        std::fs::write(part(folder), "PAR1").unwrap();
    };
    let says = "of shard 3, turns.parquet/part-00003.parquet is not the one it wrote";
    scene = scene.with(gone).run("report out").exits(2).says(says).then();
    let gone = |folder: &Path| std::fs::remove_file(part(folder)).unwrap();
    scene = scene.with(gone).run("report out").exits(2).says("part-00003.parquet is missing").then();

    scene = scene.run("analyze calls -o out").exits(2).says("its tables are in shards").then();
    scene = scene.run(&shard("1/2", "--tables xlsx")).exits(2).says("a workbook cannot be written in parts").then();
    scene = scene.run(&shard("1/2", "--only turns")).exits(2).says("--shard needs the table calls").then();
    scene = scene.run(&shard("1/2", "--group-by queue")).exits(2).says("cannot be used with").then();
    scene = scene.run(&shard("0/2", "")).exits(2).says("0/2 is no shard").then();
    scene.run("analyze calls --shard 1/2").exits(2).says("--output");
}

#[test]
fn a_scheduler_says_which_shard() {
    let line = "analyze calls -o out --shard auto/3";
    let ran = Scene::new().with(copied).environment("JOB_COMPLETION_INDEX", "1").run(line).exits(0);
    assert!(ran.says("shard 2/3: ").path("out/calls.parquet/part-00002.parquet").is_file());
    let scene = Scene::new().with(copied).run(line).exits(2).says("JOB_COMPLETION_INDEX").then();
    scene.environment("JOB_COMPLETION_INDEX", "3").run(line).exits(2).says("4/3 is no shard");
}

#[test]
fn there_may_be_more_shards_than_files() {
    // The user's columns are null in some parts, and other parts have no row.
    let meta = "file,queue,note\nsofa-grace.json,chat,\nvacuum-liu.json,phone,late\n";
    let measured = format!("{MEASURED} --meta meta.csv --tables jsonl,csv");
    let mut scene = Scene::new().with(copied).write("meta.csv", meta);
    scene = scene.run(&format!("analyze calls -o whole {measured}")).exits(3).then();
    for shard in 1..=11 {
        let ran = scene.run(&format!("analyze calls -o out {measured} --shard {shard}/11 -q"));
        // `broken.json` is the second of seven.
        scene = ran.exits(if shard == 4 { 3 } else { 0 }).then();
    }
    let ran = scene.run("report out").exits(3).says("4 calls without a row in the metadata");
    equal(&ran, &["jsonl", "csv"]);
    let sql = "select queue, note, count(*) as n from calls group by queue, note order by n desc, queue";
    let ran = ran.then().run(&format!("query whole '{sql}' --format csv")).exits(0);
    let whole = ran.out();
    let ran = ran.then().run(&format!("query out '{sql}' --format csv")).exits(0);
    assert_eq!(ran.out(), whole);
}

#[test]
fn metadata_may_have_no_row_for_a_shard_but_must_have_one_for_a_call() {
    let line = |shard: u32| format!("analyze calls -o out --meta meta.csv --shard {shard}/2 -q");
    let mut scene = Scene::new().with(copied).write("meta.csv", "file,team\nvacuum-liu.json,red\n");
    for shard in [1, 2] {
        scene = scene.run(&line(shard)).exits(if shard == 1 { 3 } else { 0 }).then();
    }
    scene = scene.run("report out --group-by team").exits(3).says("5 calls without a row in the metadata").then();
    scene = scene.write("meta.csv", "file,team\nother.json,red\n");
    for shard in [1, 2] {
        scene = scene.run(&line(shard)).exits(if shard == 1 { 3 } else { 0 }).then();
    }
    let says = "no row of the metadata matches a call: its column `file` has `other.json`, the calls have ";
    scene.run("report out").exits(1).says(says).prints_nothing();
}

/// Many copies of the example calls.
fn many(folder: &Path) {
    copied(folder);
    let calls = folder.join("calls");
    std::fs::remove_file(calls.join("broken.json")).unwrap();
    let texts: Vec<(String, Vec<u8>)> = files_below(&calls);
    for copy in 0..60 {
        for (at, (_, text)) in texts.iter().enumerate() {
            std::fs::write(calls.join(format!("{copy:02}-{at}.json")), text).unwrap();
        }
    }
}

/// Whether some temporary file is in the folder of a table.
fn is_writing(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder.join("out/calls.parquet"));
    entries.into_iter().flatten().flatten().any(|entry| entry.file_name().to_string_lossy().ends_with(".tmp"))
}

#[test]
fn a_shard_that_is_killed_and_repeated_leaves_nothing_of_the_first() {
    let line = |shard: u32| format!("analyze calls -o out {MEASURED} --shard {shard}/3 -q");
    let mut scene = Scene::new().with(many).run(&format!("analyze calls -o whole {MEASURED} -q")).exits(0).then();
    scene = scene.run(&line(3)).exits(0).then();
    let mut killed = 0;
    for wait in [0, 10, 30, 90] {
        let (folder, mut begun) = (scene.path(""), None);
        let mut ran = scene.run_while(&line(2), |child: &mut Child| {
            if begun.is_none() && is_writing(&folder) {
                begun = Some(Instant::now());
            }
            if begun.is_some_and(|begun| begun.elapsed() >= Duration::from_millis(wait)) {
                child.kill().unwrap();
            }
        });
        killed += u32::from(ran.was_killed());
        scene = ran.then();
        if killed == 1 && wait == 0 {
            assert!(is_writing(&folder), "nothing is left of a shard that was killed early");
            scene = scene.run("report out").exits(2).says("shards are missing: 1-2 of 3").then();
        }
    }
    assert!(killed >= 1, "no shard was killed");
    // All at once, each in the same folder.
    let folder = scene.path("");
    let start = |shard: u32| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_talkmeter"));
        command.args(line(shard).split(' ').filter(|word| !word.is_empty())).current_dir(&folder).env_clear();
        command.spawn().unwrap()
    };
    let running: Vec<Child> = (1..=3).map(start).collect();
    for mut child in running {
        assert!(child.wait().unwrap().success());
    }
    let ran = scene.run("report out -q").exits(0);
    equal(&ran, &["parquet"]);
}
