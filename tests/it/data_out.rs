//! Tables for other programs: what describes them, and that tables of earlier versions are still read.

use std::collections::BTreeSet;
use std::fs::File;
use std::process::Command;

use polars::prelude::{ParquetReader, SerReader};
use serde_json::{Value, json};
use talkmeter::metrics::catalogue::{Table, Unit};

use crate::scene::{Call, Ran, Row, Scene, call, column, csv, has};

/// Two parties with a hit, an interruption and a price.
fn two() -> Call {
    call(&[
        (0, 0, 4000, "good morning what can I do for you"),
        (1, 2000, 7000, "I want my refund, please"),
        (0, 11_000, 12_000, "of course"),
    ])
    .lasting(20_000)
}

const ANALYZE: &str =
    "analyze calls -o out --role ch0=agent,ch1=customer --keyword refund --model fun-asr --region intl";

fn analysed(more: &str) -> Ran {
    let meta = "file,team,price_date\na,red,x\nb,blue,y\n";
    Scene::new()
        .call("a", two())
        .call("b", two())
        .write("meta.csv", meta)
        .run(&format!("{ANALYZE} --meta meta.csv --group-by team {more}"))
        .exits(0)
}

/// The package of `out`: for each name the fields of its table.
fn package(ran: &Ran) -> Vec<(String, Vec<Value>)> {
    let package: Value = serde_json::from_str(&ran.file("out/datapackage.json")).unwrap();
    let fields = |resource: &Value| {
        assert!(resource["name"] == resource["path"] || resource["path"] == "tables.xlsx");
        (resource["name"].as_str().unwrap().to_owned(), resource["schema"]["fields"].as_array().unwrap().clone())
    };
    let resources = package["resources"].as_array().unwrap();
    let is_sheet = |resource: &&Value| resource["path"] == "tables.xlsx";
    assert!(resources.iter().filter(is_sheet).all(|resource| resource["dialect"]["sheetName"].is_string()));
    resources.iter().map(fields).collect()
}

#[test]
fn a_package_describes_every_file_and_column() {
    let ran = analysed("--tables parquet,csv,jsonl");
    let package = package(&ran);
    let described: BTreeSet<String> = package.iter().map(|(path, _)| path.clone()).collect();
    assert_eq!(described.len(), package.len());
    let tables = ran.files("out").into_iter().map(|(name, _)| name);
    let tables = tables.filter(|name| ["parquet", "csv", "jsonl"].iter().any(|ending| name.ends_with(ending)));
    assert_eq!(described, tables.collect());
    for (path, fields) in &package {
        let (table, format) = path.split_once('.').unwrap();
        if format == "csv" {
            let header: Vec<String> =
                csv(&ran.file(&format!("out/{path}"))).remove(0).into_iter().map(|cell| cell.0).collect();
            assert_eq!(fields.iter().map(|field| field["name"].as_str().unwrap()).collect::<Vec<_>>(), header);
        }
        for field in fields {
            let name = field["name"].as_str().unwrap();
            let Some(column) = Table::from_name(table).and_then(|table| table.column(name)) else { continue };
            let kind = match column.kind.name() {
                "text" => "string",
                "decimal" => "number",
                other => other,
            };
            let text = |key: &str| field.get(key).and_then(Value::as_str).unwrap_or_default();
            assert_eq!((text("type"), text("title")), (kind, &*column.label()), "{path} {name}");
            assert_eq!((text("description"), text("unit")), (column.meaning, column.unit.name()), "{path} {name}");
            assert_eq!(text("null_rule"), column.null_rule(), "{path} {name}");
        }
    }
}

#[test]
fn columns_of_the_user_have_a_type_and_figures_of_groups_a_meaning() {
    let ran = analysed("--tables csv");
    let package = package(&ran);
    let field = |path: &str, name: &str| {
        let fields = &package.iter().find(|(known, _)| known == path).unwrap().1;
        fields.iter().find(|field| field["name"] == name).unwrap_or_else(|| panic!("{path} {name}")).clone()
    };
    assert_eq!(field("calls.csv", "team"), json!({"name": "team", "type": "string"}));
    assert_eq!(field("rollup.csv", "team"), json!({"name": "team", "type": "string"}));
    for (path, fields) in &package {
        let own = fields.iter().filter(|field| field.get("description").is_none()).map(|field| &field["name"]);
        let known: &[&str] = match &**path {
            "calls.csv" | "calls_by_role.csv" => &["team", "price_date"],
            "rollup.csv" => &["team"],
            _ => &[],
        };
        assert_eq!(own.collect::<Vec<_>>(), known, "{path}");
    }
    let median = field("rollup.csv", "silence_ratio_p50");
    assert_eq!((&median["type"], &median["unit"]), (&json!("number"), &json!(Unit::Share.name())));
    assert_eq!(median["description"], "median of silence_ratio over the calls in which it could be measured");
}

#[test]
fn columns_of_parquet_files_carry_their_meaning() {
    let ran = analysed("");
    let schema = |table: &str| {
        let file = File::open(ran.path(&format!("out/{table}.parquet"))).unwrap();
        ParquetReader::new(file).schema().unwrap()
    };
    for table in talkmeter::metrics::catalogue::TABLES {
        let schema = schema(table.name);
        for column in table.columns {
            let field = schema.get(column.name).unwrap();
            assert_eq!(field.is_nullable, column.can_be_null(), "{}.{}", table.name, column.name);
            let metadata = field.metadata.clone().unwrap();
            let entry = |key: &str| metadata.get(key).map(|value| value.as_str()).unwrap_or_default();
            assert_eq!(entry("description"), column.meaning, "{}.{}", table.name, column.name);
            assert_eq!(entry("unit"), column.unit.name());
            assert_eq!(entry("null_rule"), column.null_rule());
        }
    }
    let own = schema("calls").get("team").unwrap().clone();
    assert!(own.metadata.is_none() && own.is_nullable);
    assert!(schema("rollup").get("speech_ms").unwrap().metadata.is_some());
}

#[test]
fn rules_run_keeps_what_describes_the_other_tables() {
    let rules = "[[rule]]\nid = \"r\"\nname = \"R\"\nseverity = \"info\"\nwhen = \"a\"\n\
                 [rule.conditions.a]\nphrases = [\"refund\"]\n";
    let ran = analysed("--tables csv").then().write("rules.toml", rules).run("rules run rules.toml out -o out");
    let ran = ran.exits(0);
    let paths: Vec<String> = package(&ran).into_iter().map(|(path, _)| path).collect();
    assert!(
        ["calls.csv", "hits.csv", "hits.parquet", "rules.parquet"].iter().all(|path| paths.iter().any(|p| p == path))
    );
    // A file that is no longer there is no longer described.
    std::fs::remove_file(ran.path("out/words.csv")).unwrap();
    let ran = ran.then().write("rules.toml", rules).run("rules run rules.toml out -o other").exits(2).says("`words`");
    assert!(!ran.path("other").exists());
}

#[test]
fn csv_begins_with_a_byte_order_mark_where_asked_for() {
    let ran = analysed("--tables csv,jsonl --csv-bom");
    for (name, bytes) in ran.files("out") {
        assert_eq!(bytes.starts_with("\u{feff}".as_bytes()), name.ends_with(".csv"), "{name}");
    }
    let plain = analysed("--tables csv");
    for (name, bytes) in plain.files("out").into_iter().filter(|(name, _)| name.ends_with(".csv")) {
        assert_eq!(ran.bytes(&format!("out/{name}"))[3..], bytes, "{name}");
    }
    // And it is read again.
    let figures = |ran: Ran| ran.then().run("report out --format json").exits(0).json()["totals"].clone();
    assert_eq!(figures(analysed("--tables csv --csv-bom")), figures(plain));
}

/// Rewrites a table of CSV without these columns.
fn drop_columns(ran: &Ran, table: &str, columns: &[&str]) {
    let path = format!("out/{table}.csv");
    let records = csv(&ran.file(&path));
    let kept: Vec<usize> = (0..records[0].len()).filter(|at| !columns.contains(&&*records[0][*at].0)).collect();
    assert_eq!(kept.len() + columns.len(), records[0].len(), "{table}");
    let cell = |(text, quoted): &(String, bool)| {
        if *quoted || text.contains([',', '"', '\n']) { format!("{text:?}") } else { text.clone() }
    };
    let line = |record: &Vec<(String, bool)>| kept.iter().map(|at| cell(&record[*at])).collect::<Vec<_>>().join(",");
    let text: Vec<String> = records.iter().map(line).collect();
    std::fs::write(ran.path(&path), text.join("\n") + "\n").unwrap();
}

#[test]
fn tables_of_earlier_versions_are_read() {
    let rules = "[[rule]]\nid = \"r\"\nname = \"R\"\nseverity = \"info\"\nwhen = \"a\"\n\
                 [rule.conditions.a]\nphrases = [\"refund\"]\n";
    let results = |ran: Ran| {
        let ran = ran.then().write("rules.toml", rules).run("rules run rules.toml out --format json").exits(0);
        let verdicts = ran.json();
        let ran = ran.then().run("report out -o page.html --calls 2").exits(0);
        let page = ran.file("page.html");
        let ran = ran.then().run("report out --format json").exits(0);
        (verdicts, page, ran.json()["bill"].clone())
    };
    let old = analysed("--tables csv");
    for (table, columns) in
        [("events", &["role"][..]), ("sentences", &["language", "emotion"]), ("participants", &["emotions"])]
    {
        drop_columns(&old, table, columns);
    }
    let new = results(analysed("--tables csv"));
    assert_eq!(new.2[0]["price_date"], json!("2026-11-01"));
    assert_eq!(results(old), new);
    assert_eq!(results(analysed("--tables parquet")), new);
    assert_eq!(results(analysed("--tables jsonl")), new);
    // What no version leaves out is missed.
    let broken = analysed("--tables csv");
    drop_columns(&broken, "events", &["begin_ms"]);
    broken.then().run("report out -o page.html").exits(1).says("begin_ms");
}

#[test]
fn events_name_roles_and_the_date_of_a_price_is_a_date() {
    let ran = analysed("--tables parquet,csv,jsonl");
    for format in ["parquet", "csv", "jsonl"] {
        let events = ran.table_as("events", format);
        let roles: Vec<&Row> = events.iter().filter(|event| event["participant"] == "ch1").collect();
        assert!(!roles.is_empty() && roles.iter().all(|event| event["role"] == "customer"), "{format}");
        has(&ran.table_as("costs", format)[0], json!({"price_date": "2026-11-01"}));
    }
    // A user's dates are dates, too.
    assert_eq!(column(&ran.table_as("calls", "csv"), "price_date")[0], "x");
}

#[test]
fn a_workbook_holds_the_tables_that_people_look_at() {
    let ran = analysed("--tables xlsx,csv");
    let sheets: Vec<String> =
        package(&ran).into_iter().map(|(name, _)| name).filter(|name| name.ends_with(".xlsx")).collect();
    let tables = ["calls", "participants", "events", "hits", "costs", "warnings", "rollup", "calls_by_role"];
    assert_eq!(sheets, tables.map(|table| format!("{table}.xlsx")));
    // The same inputs, the same bytes; no file beside it is left.
    let line = ANALYZE.replace("-o out", "-o again --tables xlsx --threads 1");
    let again = ran.then().run(&format!("{line} --meta meta.csv --group-by team")).exits(0);
    assert!(again.bytes("out/tables.xlsx") == again.bytes("again/tables.xlsx"));
    let names: Vec<String> = again.files("again").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["datapackage.json", "report.html", "report.json", "tables.xlsx"]);
    // Only tables that have a sheet make a workbook.
    let ran = again.then().run("analyze calls -o words --tables xlsx --only words").exits(0);
    assert!(!ran.path("words").exists());
    let ran = ran.then().run("analyze calls -o again --tables csv").exits(0).says("again/tables.xlsx is left");
    let rules = "[[rule]]\nid = \"r\"\nname = \"R\"\nseverity = \"info\"\nwhen = \"a\"\n\
                 [rule.conditions.a]\nphrases = [\"refund\"]\n";
    let ran = ran.then().write("rules.toml", rules).run("rules run rules.toml out -o out --tables xlsx");
    ran.exits(2).says("a workbook holds all tables");
}

#[test]
#[ignore = "needs python3 with frictionless, openpyxl and pyarrow"]
fn python_programs_read_the_tables_and_what_describes_them() {
    let ran = analysed("--tables parquet,csv,jsonl,xlsx");
    let marked = analysed("--tables csv --csv-bom");
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data_out/read_back.py");
    for folder in [ran.path("out"), marked.path("out")] {
        let output = Command::new("python3").arg(&script).arg(folder).output().expect("python3 is installed");
        println!("{}", String::from_utf8_lossy(&output.stdout));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
