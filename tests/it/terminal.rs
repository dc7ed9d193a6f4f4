//! The summary as people and programs read it on a terminal.

use std::collections::BTreeSet;

use serde_json::json;
use unicode_width::UnicodeWidthStr as _;

use crate::scene::{Call, Ran, Scene, call, csv, has, rows_of_lines};

/// Two parties, one of whom is slow to answer.
fn two(pause: i64) -> Call {
    call(&[
        (0, 0, 4000, "good morning what can I do for you"),
        (1, 5000, 9000, "I want my refund, please"),
        (0, 9000 + pause, 13_000 + pause, "of course, here it is"),
        (1, 13_500 + pause, 15_000 + pause, "thanks a lot"),
    ])
    .lasting(20_000 + pause)
}

fn scene() -> Scene {
    (0..12).fold(Scene::new(), |scene, at| scene.call(&format!("call-{at:02}"), two(at * 200)))
}

const ROLES: &str = "--role ch0=agent,ch1=customer --model fun-asr --region intl";

fn widest(text: &str) -> usize {
    text.lines().map(|line| line.width()).max().unwrap_or(0)
}

fn at(columns: u32, line: &str) -> Ran {
    scene().environment("COLUMNS", &columns.to_string()).run(line).exits(0)
}

#[test]
fn a_summary_answers_on_one_screen() {
    let out = at(80, &format!("analyze calls {ROLES}")).out();
    let lines = out.lines().count();
    assert!((24..=40).contains(&lines) && widest(&out) <= 80, "{lines} lines\n{out}");
    // How many, how long, what it cost.
    assert!(out.starts_with("12 calls measured\n4 min 13 s of audio, 2 min 42 s of speech\ncost: "), "{out}");
    assert!(out.contains(" USD\n"), "{out}");
}

#[test]
fn a_summary_says_that_no_call_needs_a_look() {
    let calls = |count: i64| (0..count).fold(Scene::new(), |scene, at| scene.call(&format!("call-{at}"), two(at)));
    calls(9).run("analyze calls").exits(0).prints("0 of 9 calls need a look");
    // One call has nothing to be compared with.
    assert!(!calls(1).run("analyze calls").exits(0).out().contains("a look"));
}

#[test]
fn without_a_price_no_cost_is_shown_as_free() {
    let out = scene().run("analyze calls").exits(0).out();
    assert!(!out.contains("cost: 0"), "{out}");
}

#[test]
fn tables_fit_the_terminal() {
    let groups = "file,team,queue\ncall-00,red,north-american-mortgages\ncall-01,blue,x\n";
    let grouped = |columns: &str| {
        let scene = scene().write("meta.csv", groups).environment("COLUMNS", columns);
        scene.run("analyze calls --meta meta.csv --group-by team,queue").exits(0).out()
    };
    let out = grouped("80");
    assert!(widest(&out) <= 80 && out.contains("no room for "), "{out}");
    let whole = grouped("300");
    assert!(!whole.contains("no room for ") && widest(&whole) > 80, "{whole}");
    // In a file or pipe a table is as wide as it is.
    let ran = scene().write("meta.csv", groups).run("analyze calls --meta meta.csv --group-by team,queue").exits(0);
    assert_eq!(ran.out(), whole);
    // Lists on a narrow one.
    let out = grouped("50");
    assert!(out.contains("\nteam ") && out.contains("blue\n"), "{out}");
    // Other commands, too.
    for line in ["metrics --all", "models", "check calls"] {
        let out = at(80, line).out();
        assert!(widest(&out) <= 80, "{line}: {}\n{out}", widest(&out));
    }
    let metrics = at(80, "metrics").out();
    assert!(metrics.contains("calls.silence_ratio") && metrics.contains("no room for "), "{metrics}");
}

#[test]
fn programs_get_the_roll_up_or_the_summary() {
    let meta = "file,team\ncall-00,red\ncall-01,blue\ncall-02,\"re,d\"\n";
    let scene = || scene().write("meta.csv", meta);
    let ran = scene().run("analyze calls -o out --tables csv --meta meta.csv --group-by team --format csv -q").exits(0);
    let (printed, written) = (csv(&ran.out()), csv(&ran.file("out/rollup.csv")));
    let names = |rows: &[Vec<(String, bool)>]| rows[0].iter().map(|cell| cell.0.clone()).collect::<BTreeSet<_>>();
    assert!(printed[0][0].0 == "team" && names(&printed) == names(&written));
    assert_eq!(printed.len(), written.len());
    let teams = |rows: &[Vec<(String, bool)>]| rows.iter().map(|row| row[0].0.clone()).collect::<Vec<_>>();
    assert_eq!(teams(&printed), teams(&written));
    let again = ran.then().run("report out --format jsonl").exits(0).lines();
    let direct = scene().run("analyze calls --meta meta.csv --group-by team --format jsonl -q").exits(0).lines();
    assert_eq!(again, direct);
    let markdown = scene().run("analyze calls --meta meta.csv --group-by team --format md -q").exits(0);
    markdown.prints("| team | ");
    // Without groups the summary, exact.
    let rows = rows_of_lines(&scene().run(&format!("analyze calls {ROLES} --format jsonl -q")).exits(0).out());
    let row = |table: &str, metric: &str| {
        rows.iter().find(|row| row["table"] == table && row["metric"] == metric).unwrap_or_else(|| panic!("{metric}"))
    };
    has(row("calls", "duration_ms"), json!({"unit": "ms", "n": 12, "sum": 253_200, "p50": null}));
    has(row("participants", "turn_ms_p50"), json!({"n": 24, "sum": null}));
    assert_eq!(row("costs", "cost")["unit"], "USD");
    scene().run("analyze calls --format md -q").exits(0).prints("| duration_ms | 4:13 | 12 |");
}

#[test]
fn metrics_are_named_by_table_or_column_and_keys_have_no_blanks() {
    let rows = Scene::new().run("metrics dead_air_ms --format json").exits(0).json();
    assert_eq!(rows.as_array().unwrap().len(), 1);
    assert!(rows[0].as_object().unwrap().keys().all(|key| !key.contains(' ')), "{rows}");
    assert_eq!(rows[0]["id"], "calls.dead_air_ms");
    let two = Scene::new().run("metrics units --format jsonl").exits(0).lines();
    assert!(two.len() > 2 && two.iter().all(|row| row["id"].as_str().unwrap().ends_with(".units")));
    assert_eq!(Scene::new().run("metrics participants.units --format jsonl").exits(0).lines().len(), 1);
}

#[test]
fn completions_know_the_catalogues() {
    let script = Scene::new().run("completions bash").exits(0).out();
    for value in ["paraformer-v2", "rollup", "participants.response_ms_p50", "xlsx", "interruption_count"] {
        assert!(script.contains(value), "{value}");
    }
}
