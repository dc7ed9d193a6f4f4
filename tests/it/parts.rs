//! A table is a file, or a folder of part files.

use std::path::Path;

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
