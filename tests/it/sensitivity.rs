//! `sensitivity`: the counts of calls under a grid of thresholds and presets.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};
use talkmeter::compare::{Variation, sensitivity};
use talkmeter::metrics::{Counts, Settings};
use talkmeter::transcript::Inputs;

use crate::scene::{Scene, call, files_below, has};

/// The row of the grid with this value of a parameter.
fn point<'v>(found: &'v Value, parameter: &str, value: i64) -> &'v Value {
    let grid = found["grid"].as_array().unwrap().iter();
    grid.clone().find(|row| row["parameter"] == parameter && row["value"] == value).unwrap()
}

#[test]
fn every_threshold_is_halved_and_doubled_and_calls_change_rank() {
    // `a` is silent for 2 s twice, `b` for 4 s once: which has more dead air depends on where it begins.
    let a = call(&[(0, 0, 4000, "one"), (1, 6000, 9000, "two"), (0, 11_000, 14_000, "three")]);
    let b = call(&[(0, 0, 4000, "one"), (1, 8000, 9000, "two"), (0, 9500, 14_000, "three")]);
    let ran = Scene::new().call("a", a).call("b", b).run("sensitivity calls --format json").exits(0);
    let found = ran.json();
    let grid = found["grid"].as_array().unwrap();
    assert_eq!(grid.len(), 1 + 10 * 2 + 3);
    has(grid[0].as_object().unwrap(), json!({"parameter": null, "value": null, "definition": "default"}));
    let sum = |row: &Value| (row["sum"]["dead_air_count"].clone(), row["sum"]["dead_air_ms"].clone());
    assert_eq!(sum(&grid[0]), (json!(1), json!(4000)));
    let half = point(&found, "dead_air_ms", 1500);
    assert_eq!(sum(half), (json!(3), json!(8000)));
    assert_eq!(half["rank_changes"]["dead_air_count"], json!(["a.json", "b.json"]));
    assert_eq!(half["differs"]["dead_air_count"], 1);
    assert_eq!(sum(point(&found, "dead_air_ms", 6000)), (json!(0), json!(0)));
    // What these counts do not depend on.
    let idle = point(&found, "monologue_ms", 120_000);
    assert_eq!((&idle["sum"], &idle["differs"]["turn_count"]), (&grid[0]["sum"], &json!(0)));
    let ran =
        ran.then().run("sensitivity calls").exits(0).prints("2 calls under 24 settings").prints("dead_air_ms 1500");
    let narrow = ran.then().environment("COLUMNS", "80").run("sensitivity calls").exits(0);
    assert!(narrow.out().lines().skip(2).all(|line| line.chars().count() <= 80), "{}", narrow.out());
    assert!(!narrow.out().contains("no room") && narrow.out().contains("\nSilence and turns\n"), "{}", narrow.out());
    let ran = narrow.then().run("sensitivity calls --format csv").exits(0);
    assert_eq!(ran.out().lines().count(), 1 + 2 * 24);
    assert!(ran.out().contains("a.json,dead_air_ms,1500,default,0,0,0,0,0,2,4000,3,1,"), "{}", ran.out());
}

#[test]
fn presets_are_part_of_the_grid_and_null_is_not_zero() {
    let talk = call(&[
        (0, 0, 10_000, "let me explain how this works"),
        (1, 4000, 7000, "no that is wrong"),
        (1, 12_000, 20_000, "I said something else before"),
        (0, 18_500, 24_000, "and I meant it"),
    ]);
    let alone = call(&[(0, 0, 4000, "one")]);
    let scene = Scene::new().call("talk", talk).call("alone", alone).write("calls/bad.json", "{");
    let found = scene.run("sensitivity calls --format json").exits(3).says("bad.json").json();
    let of = |definition: &str| {
        let row = found["grid"].as_array().unwrap().iter().find(|row| row["definition"] == definition).unwrap();
        (row["sum"]["interruption_count"].clone(), row["measured"]["interruption_count"].clone())
    };
    assert_eq!(["default", "strict", "sca", "cam"].map(of), [1, 0, 1, 2].map(|sum| (json!(sum), json!(1))));
    let own = found["calls"].as_array().unwrap().iter().find(|call| call["file"] == "alone.json").unwrap();
    assert_eq!(own["counts"][0]["interruption_count"], Value::Null);
    assert_eq!(own["counts"][0]["turn_count"], 1);
    Scene::new().call("a", "{}").run("sensitivity calls").exits(1).says("no file could be measured");
}

#[test]
fn the_grid_is_a_page_and_roles_come_by_file() {
    // Two labels of one person: `spk1` does not interrupt `spk0`.
    let talk = crate::scene::diarised(&[
        (Some(0), 0, 10_000, "let me explain how this works"),
        (Some(1), 4000, 12_000, "and this is how it goes on"),
        (Some(2), 13_000, 15_000, "I see"),
    ]);
    let meta = "file,spk0_role,spk1_role,spk2_role\ntalk,agent,agent,customer\n";
    let scene = || Scene::new().call("talk", talk.clone()).call("other", talk.clone()).write("meta.csv", meta);
    let sum = |ran: crate::scene::Ran| ran.exits(0).json()["grid"][0]["sum"]["interruption_count"].clone();
    assert_eq!(sum(scene().run("sensitivity calls --format json")), 2);
    let ran = scene().run("sensitivity calls --meta meta.csv --format json");
    assert_eq!(sum(ran.says("1 call without a row in the metadata")), 1);
    let ran =
        scene().run("sensitivity calls -o grid.html").exits(0).says("grid.html written: 2 calls").prints_nothing();
    let html = ran.file("grid.html");
    assert!(html.contains("<h1>2 calls under 24 settings</h1>") && html.contains("dead_air_ms 1500"));
    let ran = ran.then().run("sensitivity calls -o grid.md").exits(0);
    assert!(ran.file("grid.md").contains("1500 | "));
    let ran = ran.then().run("sensitivity calls -o grid.json").exits(0);
    let ran = ran.then().run("sensitivity calls --format json").exits(0);
    assert_eq!(ran.file("grid.json"), ran.out());
    // Members are in the order of their meaning, not of their names.
    let order = ["definitions_version", "version", "parameters", "join_gap_ms", "grid", "calls", "failed"];
    let places: Vec<usize> = order.iter().map(|name| ran.out().find(&format!("\"{name}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
    ran.then().run("sensitivity calls -o grid.xls").exits(2).says(".html, .md or .json");
    let ran = scene().write("meta.csv", "file,spk0_role\nmine,agent\n").run("sensitivity calls --meta meta.csv");
    ran.exits(1).says("its column `file` has `mine`, the calls have `other.json`").prints_nothing();
}

/// The counts of each call as an analysis with these flags has them.
fn analysed(folder: &Path, flags: &str) -> Vec<Vec<Value>> {
    let line = format!("analyze -o out --tables jsonl --only calls,participants {flags}");
    let arguments = line.split_whitespace().map(str::to_owned).chain([folder.to_str().unwrap().to_owned()]);
    let ran = Scene::new().run_with(arguments).exits(0);
    let participants = ran.table("participants");
    let row = |call: crate::scene::Row| {
        let own = |name: &str| {
            let mut cells = participants.iter().filter(|row| row["file"] == call["file"]).map(|row| &row[name]);
            if call["interruption_count"].is_null() {
                return Value::Null;
            }
            json!(cells.by_ref().filter_map(Value::as_i64).sum::<i64>())
        };
        Counts::NAMES.map(|name| call.get(name).cloned().unwrap_or_else(|| own(name))).to_vec()
    };
    ran.table("calls").into_iter().map(row).collect()
}

#[test]
fn each_point_of_the_grid_is_what_an_analysis_with_these_flags_counts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/calls");
    let inputs = Inputs::find(&[&folder], None);
    let found = sensitivity(&inputs.files, &Settings::default(), None, &mut |failed| assert!(failed.is_none()));
    let counted = |at: usize| -> Vec<Vec<Value>> {
        let counts = found.calls.iter().map(|call| call.counts[at].values());
        counts.map(|counts| counts.map(Value::from).to_vec()).collect()
    };
    let mut seen = 0;
    for (at, total) in found.grid.iter().enumerate() {
        let variation = &total.variation;
        let flags = match (variation.parameter, variation.value) {
            (Some("rate_min_talk_ms" | "rate_min_units" | "monologue_ms"), _) => continue,
            (Some(parameter), Some(value)) => format!("--{} {value}", parameter.replace('_', "-")),
            _ => format!("--definition {}", variation.definition),
        };
        assert_eq!(counted(at), analysed(&folder, &flags), "{flags}");
        seen += 1;
    }
    assert_eq!(seen, 1 + 7 * 2 + 3);
    let files = files_below(&folder).into_iter().filter(|(path, _)| path.ends_with(".json")).count();
    assert_eq!(files, found.calls.len());
}

proptest! {
    #[test]
    fn a_grid_departs_from_the_settings_in_use(value in 0_i64..100_000) {
        let mut settings = Settings::default();
        settings.parameters.incumbent_ms = value;
        let grid = Variation::grid(&settings);
        let own: Vec<_> = grid.iter().filter(|one| one.parameter == Some("incumbent_ms")).map(|one| one.value).collect();
        let expected = if value == 0 { vec![Some(0)] } else { vec![Some(value / 2), Some(value * 2)] };
        prop_assert_eq!(own, expected);
    }
}
