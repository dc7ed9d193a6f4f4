//! `explain`, `metrics` and what the command says about itself.

use serde_json::{Value, json};

use crate::scene::{Call, Scene, call, column, has};

/// ch1 talks over ch0 from 3000 on; then 4 s of silence.
fn heated() -> Call {
    Call::default()
        .say(0, &[(0, 1000, "let"), (1000, 2000, "me"), (2000, 4200, "finish"), (4200, 4500, "please")])
        .say(1, &[(500, 700, "mhm")])
        .say(1, &[(3000, 4000, "no"), (4000, 5000, "listen"), (5000, 6000, "now")])
        .say(0, &[(10_000, 11_000, "well")])
        .lasting(12_000)
}

#[test]
fn the_events_of_a_call_are_listed_with_their_numbers() {
    let rows =
        Scene::new().call("a", heated()).run("explain calls/a.json --format jsonl").exits(0).says_nothing().lines();
    assert_eq!(column(&rows, "event"), [0, 1, 2]);
    assert_eq!(column(&rows, "kind"), ["backchannel", "interruption", "dead_air"]);
    // Outlasts ch0's burst, which began at 0, and overlaps it until 4500.
    has(
        &rows[1],
        json!({"participant": "ch1", "other": "ch0", "begin_ms": 3000, "end_ms": 6000, "overlap_ms": 1500, "held_ms": 3000, "text": "no listen now"}),
    );
    has(&rows[2], json!({"participant": "ch1", "other": "ch0", "overlap_ms": null, "text": null}));
    // The same numbers as in the table.
    let events = Scene::new().call("a", heated()).run("analyze calls -o out").exits(0).table("events");
    for name in ["kind", "begin_ms", "end_ms", "text"] {
        assert_eq!(column(&events, name), column(&rows, name));
    }
    let none = Scene::new().call("a", call(&[(0, 0, 1000, "a")])).run("explain calls/a.json --format json").exits(0);
    assert_eq!(none.json(), json!([]));
}

#[test]
fn an_event_is_explained_by_the_words_of_both() {
    let run = |more: &str| Scene::new().call("a", heated()).run(&format!("explain calls/a.json {more}")).exits(0);
    let rows = run("--event 1 --format jsonl").lines();
    let inside: Vec<Value> =
        rows.iter().filter(|row| row["inside"] == true).map(|row| json!([row["participant"], row["text"]])).collect();
    // 3000–6000: `finish` (2000–4200) reaches into it.
    assert_eq!(
        inside,
        [
            json!(["ch0", "finish"]),
            json!(["ch1", "no"]),
            json!(["ch1", "listen"]),
            json!(["ch0", "please"]),
            json!(["ch1", "now"])
        ]
    );
    // The turns before are shown for context.
    has(&rows[0], json!({"participant": "ch0", "text": "let", "inside": false, "begin_ms": 0, "end_ms": 1000}));
    let begins: Vec<i64> = rows.iter().map(|row| row["begin_ms"].as_i64().unwrap()).collect();
    assert!(begins.is_sorted());
    let said = run("--event 1").out();
    for part in [
        "event 1: interruption of 3,000 ms, 3,000–6,000 ms",
        "ch1 began after ch0 had talked for 3,000 ms, overlapping 1,500 ms",
        "interruption_overlap_ms 1000",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
}

#[test]
fn dead_air_is_explained_by_what_was_said_before_and_after() {
    let run =
        |more: &str| Scene::new().call("a", heated()).run(&format!("explain calls/a.json --event 2 {more}")).exits(0);
    let rows = run("--format jsonl").lines();
    let last: Vec<Value> =
        rows.iter().rev().take(2).map(|row| json!([row["participant"], row["text"], row["inside"]])).collect();
    assert_eq!(last, [json!(["ch0", "well", false]), json!(["ch1", "now", false])]);
    run("").prints("dead_air of 4,000 ms, 6,000–10,000 ms").prints("ch1 spoke before it, ch0 after it").exits(0);
}

#[test]
fn explain_measures_by_the_same_flags_as_analyze() {
    let rows = Scene::new()
        .call("a", heated())
        .run("explain calls/a.json --format jsonl --interruption-overlap-ms 1501 --dead-air-ms 4001")
        .exits(0)
        .lines();
    assert_eq!(column(&rows, "kind"), ["backchannel", "terminal_overlap"]);
}

#[test]
fn a_missing_event_is_a_usage_error() {
    let run = |more: &str| {
        Scene::new().call("a", heated()).call("quiet", call(&[(0, 0, 1, "a")])).call("bad", "{}").run(more)
    };
    run("explain calls/a.json --event 3")
        .exits(2)
        .says("no event 3: events of this call are numbered 0 to 2")
        .prints_nothing();
    run("explain calls/quiet.json --event 0").exits(2).says("this call has no event");
    run("explain calls/a.json --event -1").exits(2);
    run("explain calls/bad.json").exits(1).says("calls/bad.json: ").says("no array `transcripts`").prints_nothing();
    run("explain calls/gone.json").exits(1).says("cannot read calls/gone.json").prints_nothing();
    run("explain calls").exits(1).prints_nothing();
}

#[test]
fn spoken_text_cannot_move_the_cursor() {
    let rude = heated()
        .say(1, &[(20_000, 21_000, "\u{1b}[2J\u{202e}\nnext")])
        .say(0, &[(20_500, 22_000, "a")])
        .lasting(30_000);
    let ran =
        Scene::new().call("a", rude).run("explain calls/a.json --event 4").exits(0).prints(r"\u{1b}[2J\u{202e}\nnext");
    assert!(!ran.out().contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn every_figure_is_in_the_catalogue_with_its_formula() {
    let rows = Scene::new().run("metrics --all --format jsonl").exits(0).says_nothing().lines();
    let ids: Vec<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    // 39 columns of calls and 37 of participants, beside those of the others.
    assert_eq!(ids.iter().filter(|id| id.starts_with("calls.")).count(), 39);
    assert_eq!(ids.iter().filter(|id| id.starts_with("participants.")).count(), 37);
    assert!(rows.iter().all(|row| !row["formula"].as_str().unwrap().is_empty()));
    let rate = rows.iter().find(|row| row["id"] == "participants.units_per_min").unwrap();
    has(rate, json!({"unit": "units/min", "type": "number"}));
    for name in ["definition", "null_rule"] {
        assert!(!rate[name].as_str().unwrap().is_empty());
    }
    let figures = Scene::new().run("metrics --format jsonl").exits(0).lines();
    assert!(figures.len() < rows.len() && figures.iter().all(|row| row["definition"] != ""));
    let events = Scene::new().run("metrics events --all --format json").exits(0).json();
    assert_eq!(events.as_array().unwrap().len(), 11);
    Scene::new().run("metrics").exits(0).prints("calls.silence_ratio").prints("silence_ms / span_ms");
    Scene::new().run("metrics moods").exits(2).says("participants").says("rollup").prints_nothing();
}

#[test]
fn columns_made_of_others_are_in_the_catalogue_as_they_are_written() {
    let rules = "[[rule]]\nid = \"asked\"\nname = \"asked\"\nseverity = \"info\"\nwhen = \"a\"\n[rule.conditions.a]\nphrases = [\"refund\"]\n";
    let ran = Scene::new()
        .call("a", call(&[(0, 0, 6000, "hello"), (1, 6500, 9000, "a refund")]))
        .call("b", call(&[(0, 0, 6000, "hello"), (1, 6500, 9000, "good morning")]))
        .write("meta.csv", "file,team\na,red\nb,red\n")
        .write("rules.toml", rules)
        .run("analyze calls -o out --meta meta.csv --group-by team --role ch0=agent --rules rules.toml")
        .exits(0);
    let package: Value = serde_json::from_str(&ran.file("out/datapackage.json")).unwrap();
    let rows = Scene::new().run("metrics --all --format jsonl").exits(0).lines();
    let mut seen = 0;
    for resource in package["resources"].as_array().unwrap() {
        let table = resource["name"].as_str().unwrap().trim_end_matches(".parquet");
        for field in resource["schema"]["fields"].as_array().unwrap().iter().filter(|field| field["name"] != "team") {
            let name = field["name"].as_str().unwrap();
            let name = name.replace("agent_", "<role>_").replace("asked_calls", "<rule>_calls");
            let id = format!("{table}.{name}");
            let row = rows.iter().find(|row| row["id"] == *id).unwrap_or_else(|| panic!("{id} is not listed"));
            let kind = match row["type"].as_str().unwrap() {
                "text" => "string",
                "decimal" => "number",
                kind => kind,
            };
            assert_eq!(field["type"], kind, "{id}");
            let meaning = |text: &Value| text.as_str().unwrap_or_default().replace("agent_", "<role>_");
            assert_eq!(meaning(&field["description"]).replace("rule asked", "rule <rule>"), row["formula"], "{id}");
            assert_eq!(field.get("unit").unwrap_or(&json!("")), &row["unit"], "{id}");
            assert_eq!(meaning(field.get("null_rule").unwrap_or(&json!(""))), row["null_rule"], "{id}");
            seen += usize::from(["rollup", "calls_by_role"].contains(&table));
        }
    }
    assert_eq!(seen, rows.iter().filter(|row| row["id"].as_str().unwrap().starts_with("rollup.")).count() + 11);
    let asked = |name: &str| Scene::new().run(&format!("metrics {name} --format jsonl")).exits(0).lines();
    assert_eq!(asked("calls_by_role").len(), 11);
    for (name, id) in [
        ("agent_talk_ms", "calls_by_role.agent_talk_ms"),
        ("calls_by_role.agent_talk_ms", "calls_by_role.agent_talk_ms"),
        ("dead_air_ms_per_call", "rollup.dead_air_ms_per_call"),
        ("customer_talk_share_p50", "rollup.customer_talk_share_p50"),
    ] {
        let rows = asked(name);
        assert_eq!((rows.len(), &rows[0]["id"]), (1, &json!(id)));
    }
}

#[test]
fn every_parameter_is_a_flag_with_its_default() {
    let help = Scene::new().run("analyze --help").exits(0).out();
    let defaults = [
        ("join-gap-ms", "250 ms"),
        ("dead-air-ms", "3000 ms"),
        ("turn-pause-ms", "dead-air-ms"),
        ("interruption-overlap-ms", "1000 ms"),
        ("incumbent-ms", "1000 ms"),
        ("backchannel-max-ms", "1000 ms"),
        ("backchannel-max-units", "3 units"),
        ("rate-min-talk-ms", "5000 ms"),
        ("rate-min-units", "10 units"),
        ("monologue-ms", "60000 ms"),
    ];
    let unbroken = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for (flag, default) in defaults {
        let from = unbroken.find(&format!("--{flag} <")).unwrap_or_else(|| panic!("no --{flag}"));
        let rest = &unbroken[from..];
        let end = rest[2..].find(" --").map_or(rest.len(), |end| end + 2);
        assert!(rest[..end].contains(&format!("[default: {default}]")), "--{flag}: {}", &rest[..end]);
    }
}

#[test]
fn help_and_version_name_the_command() {
    Scene::new().run("--version").exits(0).prints(&format!("talkmeter {}", env!("CARGO_PKG_VERSION"))).says_nothing();
    let help = Scene::new().run("--help").exits(0).prints("Exit codes:");
    for command in ["analyze", "check", "explain", "metrics", "completions", "man"] {
        assert!(help.out().contains(&format!("  {command} ")), "{command}");
    }
    Scene::new().run("completions bash").exits(0).prints("--keywords");
    let ran = Scene::new().run("man pages").exits(0);
    let names: Vec<String> = ran.files("pages").into_iter().map(|file| file.0).collect();
    assert!(names.contains(&"talkmeter-analyze.1".to_owned()), "{names:?}");
}
