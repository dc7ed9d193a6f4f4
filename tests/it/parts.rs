//! A table is a file, or a folder of part files.

use std::path::Path;

use serde_json::Value;

use crate::scene::Scene;

const ROLES: &str = "--role ch0=agent,ch1=customer,spk0=agent,spk1=customer --keyword refund";

/// The example calls in `calls`, and a part of them in each of `a` and `b`.
fn copied(folder: &Path) {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    std::fs::copy(examples.join("rules/support.toml"), folder.join("rules.toml")).unwrap();
    for name in ["calls", "a", "b"] {
        std::fs::create_dir(folder.join(name)).unwrap();
    }
    let calls = std::fs::read_dir(examples.join("calls")).unwrap().map(|entry| entry.unwrap().path());
    for call in calls.filter(|path| path.extension().is_some_and(|ending| ending == "json")) {
        let name = call.file_name().unwrap();
        let part = if name.to_str().unwrap() < "price" { "a" } else { "b" };
        std::fs::copy(&call, folder.join("calls").join(name)).unwrap();
        std::fs::copy(&call, folder.join(part).join(name)).unwrap();
    }
}

/// `parts`: for each table of `whole` a folder with those of `one` and `two`, and what Spark leaves beside them.
fn put_together(folder: &Path, format: &str) {
    let parts = folder.join("parts");
    std::fs::create_dir(&parts).unwrap();
    std::fs::copy(folder.join("whole/report.json"), parts.join("report.json")).unwrap();
    for entry in std::fs::read_dir(folder.join("whole")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.ends_with(&format!(".{format}")) {
            continue;
        }
        let table = parts.join(&name);
        std::fs::create_dir(&table).unwrap();
        std::fs::rename(folder.join("two").join(&name), table.join(format!("part-00001-c000.{format}"))).unwrap();
        std::fs::rename(folder.join("one").join(&name), table.join(format!("part-00000-c000.{format}"))).unwrap();
        std::fs::write(table.join("_SUCCESS"), "").unwrap();
        std::fs::write(table.join(format!(".part-00000-c000.{format}")), "not a table").unwrap();
        std::fs::write(table.join(format!("_metadata.{format}")), "not a table").unwrap();
    }
}

#[test]
fn part_files_read_as_one_table() {
    for format in ["parquet", "jsonl", "csv"] {
        let mut scene = Scene::new().with(copied);
        for (from, to) in [("calls", "whole"), ("a", "one"), ("b", "two")] {
            scene = scene.run(&format!("analyze {from} -o {to} --tables {format} {ROLES}")).exits(0).then();
        }
        let scene = scene.with(|folder| put_together(folder, format));
        let mut answers = Vec::new();
        let mut scene = Some(scene);
        for folder in ["whole", "parts"] {
            let mut said = String::new();
            for line in [
                format!("report {folder} --format json"),
                format!("report {folder} --format md --calls 2"),
                format!("query {folder} 'select * from participants order by file, participant' --format jsonl"),
                format!("query {folder} 'select count(*) as n, sum(units) as units from turns' --format jsonl"),
                format!("rules run rules.toml {folder} --format jsonl"),
            ] {
                let ran = scene.take().unwrap().run(&line).exits(0);
                said += &ran.out();
                scene = Some(ran.then());
            }
            answers.push(said);
        }
        assert!(answers[0].len() > 5_000 && answers[0].contains("refund-anna.json"), "{}", answers[0]);
        assert_eq!(answers[0], answers[1], "{format}");
    }
}

/// The parts of each table in the other order, without what the analysis records: as another engine writes them.
fn by_another_engine(folder: &Path) {
    put_together(folder, "parquet");
    let parts = folder.join("parts");
    std::fs::remove_file(parts.join("report.json")).unwrap();
    for table in std::fs::read_dir(&parts).unwrap().map(|entry| entry.unwrap().path()) {
        let part = |number: u32| table.join(format!("part-0000{number}-c000.parquet"));
        std::fs::rename(part(1), part(2)).unwrap();
        std::fs::rename(part(0), part(1)).unwrap();
        std::fs::rename(part(2), part(0)).unwrap();
    }
}

#[test]
fn tables_of_another_engine_make_a_report_that_says_what_it_does_not_know() {
    let flags = format!("{ROLES} --dead-air-ms 2s --rules rules.toml");
    let mut scene = Scene::new().with(copied);
    for (from, to) in [("calls", "whole"), ("a", "one"), ("b", "two")] {
        scene = scene.run(&format!("analyze {from} -o {to} {flags}")).exits(0).then();
    }
    let ran = scene.run("report whole --format json").exits(0);
    let whole = ran.json();
    let ran = ran.then().with(by_another_engine).run("report parts --format json").exits(0);
    let mut parts = ran.json();
    for name in ["definition", "join_gap_ms", "dead_air_ms", "window_ms", "keep_markers", "roles", "keywords"] {
        assert_eq!(parts["parameters"].get(name), Some(&Value::Null), "{name}");
    }
    for unknown in [&parts["definitions_version"], &parts["inputs"]["failed"], &parts["inputs"]["hash"]] {
        assert!(unknown.is_null(), "{parts}");
    }
    for known in ["totals", "calls", "participants", "bill", "cost", "unmeasured", "warnings", "copies"] {
        assert_eq!(parts[known], whole[known], "{known}");
    }
    assert_eq!(
        (&parts["keywords"], parts["inputs"]["measured"].as_u64()),
        (&Value::Null, whole["inputs"]["measured"].as_u64())
    );
    let names = |report: &Value| report["rules"].as_array().unwrap().len();
    assert_eq!(names(&parts), names(&whole));

    let unknown = "Parameters unknown: the tables do not record them";
    let mut scene = ran.then();
    for format in ["table", "md"] {
        scene = scene.run(&format!("report parts --format {format}")).exits(0).prints(unknown).then();
    }
    let ran = scene.run("report parts -o parts.html").exits(0);
    let page = ran.file("parts.html");
    assert!(page.contains(unknown) && !page.contains("or longer"), "a threshold that is not known");
    // What it said of itself is read back as it was.
    let ran = ran.then().run("report parts -o parts/report.json").exits(0);
    let ran = ran.then().run("report parts --format json").exits(0);
    assert_eq!(ran.json(), parts);
    let ran = ran.then().run("query parts 'select count(*) as n from calls' --format csv").exits(0);
    assert_eq!(ran.out(), format!("n\n{}\n", whole["inputs"]["measured"]));

    // The flags of the analysis say what the tables do not.
    let settings = format!("{ROLES} --dead-air-ms 2s");
    let forget = |folder: &Path| std::fs::remove_file(folder.join("parts/report.json")).unwrap();
    let ran = ran.then().with(forget).run(&format!("report parts --format json {settings}")).exits(0);
    parts = ran.json();
    for known in ["parameters", "totals", "calls", "participants", "roles", "keywords", "unmeasured"] {
        assert_eq!(parts[known], whole[known], "{known}");
    }
    ran.then().run(&format!("report whole {settings}")).exits(2).says("report.json says how");

    let mut scene = Scene::new().with(copied).run(&format!("analyze a -o a-out {flags}")).exits(0).then();
    scene = scene.run(&format!("analyze b -o b-out {flags}")).exits(0).then();
    let forget = |folder: &Path| std::fs::remove_file(folder.join("a-out/report.json")).unwrap();
    let ran = scene.with(forget).run("report a-out b-out").exits(0).prints(unknown);
    let ran = ran.then().run("report a-out b-out --dead-air-ms 3s").exits(2).says("dead_air_ms 3000 and 2000");
    ran.then().run(&format!("report a-out b-out {settings}")).exits(0).prints("calls measured");
}

#[test]
fn without_parameters_there_is_no_verdict_on_silences() {
    let forget = |folder: &Path| std::fs::remove_file(folder.join("out/report.json")).unwrap();
    let ran = Scene::new().with(copied).run("analyze calls -o out").exits(0).prints("needs a look");
    let ran = ran.then().with(forget).run("report out -o page.html").exits(0);
    let page = ran.file("page.html");
    assert!(page.contains("Silences are not compared") && !page.contains("no call is far above"));
    for text in [page, ran.then().run("report out").exits(0).out()] {
        assert!(!text.contains("need a look"), "{text}");
    }
}
