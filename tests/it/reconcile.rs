//! The bill beside the batch: a verdict, whatever a row of the statement stands for and however seconds are rounded.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::cost::{batch_of_one, done, ledger};
use crate::kills::Dice;
use crate::scene::{Ran, Scene, call};

/// Of fun-asr in cn, in CNY.
const PRICE: &str = "0.00022";
const RULES: [&str; 4] = ["up", "nearest", "up-on-sum", "nearest-on-sum"];

/// Seconds of a task by a rule, written down here once more.
fn rounded(rule: &str, tracks_ms: &[i64]) -> i64 {
    let round = |ms: i64| if rule.starts_with("up") { (ms + 999) / 1000 } else { (ms + 500) / 1000 };
    if rule.ends_with("on-sum") { round(tracks_ms.iter().sum()) } else { tracks_ms.iter().map(|ms| round(*ms)).sum() }
}

/// A batch of recordings with two tracks each, submitted at these times.
struct Batch {
    scene: Scene,
    tracks: Vec<[i64; 2]>,
}

fn batch(dice: &mut Dice, submitted: &[String]) -> Batch {
    let mut events = Vec::new();
    let mut scene = Scene::new();
    let mut tracks = Vec::new();
    for (n, at) in (1..).zip(submitted) {
        let name = format!("call-{n}");
        let own = [5_000 + dice.below(30_000) as i64, 5_000 + dice.below(30_000) as i64];
        let usage = json!({"duration": rounded("up-on-sum", &own)});
        events.extend(done(n, &name, usage).into_iter().map(|mut event| {
            event["at"] = json!(at);
            event
        }));
        let text = call(&[(0, 0, own[0], "one"), (1, 0, own[1], "two")]).content(0, own[0]).content(1, own[1]);
        scene = scene.write(&format!("batch/results/{n:06}-{name}.json"), text);
        tracks.push(own);
    }
    Batch { scene: scene.write("batch/ledger.jsonl", ledger("fun-asr", "cn", &events)), tracks }
}

/// A grain: the columns that say it, when recordings are submitted, and what each row is called.
struct Grain {
    columns: &'static str,
    key: fn(usize) -> String,
    submitted: fn(usize) -> String,
    foreign: &'static str,
}

const GRAINS: [Grain; 3] = [
    Grain {
        columns: "task_id",
        key: |n| format!("task-{}", n + 1),
        submitted: |_| "2026-10-05T08:00:00Z".to_owned(),
        foreign: "task-of-others",
    },
    // Two a day, one at its very end.
    Grain {
        columns: "date",
        key: |n| format!("2026-10-{:02}", n / 2 + 1),
        submitted: |n| {
            format!("2026-10-{:02}T{}Z", n / 2 + 1, if n.is_multiple_of(2) { "00:00:00" } else { "23:59:59" })
        },
        foreign: "2026-11-01",
    },
    // Three a month, by model.
    Grain {
        columns: "账期,实例ID",
        key: |n| format!("{}{:02},fun-asr", 2025 + n / 36, n / 3 % 12 + 1),
        submitted: |n| format!("{}-{:02}-28T12:00:00Z", 2025 + n / 36, n / 3 % 12 + 1),
        foreign: "202501,paraformer-v2",
    },
];

/// Rows of a statement by a rule, in the order of the batch: what they are called, and their seconds.
fn rows(grain: &Grain, rule: &str, tracks: &[[i64; 2]]) -> Vec<(String, i64)> {
    let mut rows: Vec<(String, i64)> = Vec::new();
    for (n, tracks) in tracks.iter().enumerate() {
        let (key, seconds) = ((grain.key)(n), rounded(rule, tracks));
        match rows.last_mut().filter(|(last, _)| *last == key) {
            Some((_, sum)) => *sum += seconds,
            None => rows.push((key, seconds)),
        }
    }
    rows
}

fn cost(seconds: i64) -> Decimal {
    (PRICE.parse::<Decimal>().unwrap() * Decimal::from(seconds)).normalize()
}

fn csv(grain: &Grain, rows: &[(String, i64, Decimal)]) -> String {
    let lines = rows.iter().map(|(key, seconds, cost)| format!("{key},{seconds},{cost},CNY\n"));
    format!("{},seconds,cost,currency\n{}", grain.columns, lines.collect::<String>())
}

fn reconcile(scene: Scene, statement: String, more: &str) -> Ran {
    scene.write("bill.csv", statement).run(&format!("cost reconcile batch --statement bill.csv {more}"))
}

#[test]
fn a_falsified_statement_is_found_out_in_every_grain_and_by_every_rule() {
    let mut dice = Dice(17);
    for grain in &GRAINS {
        for rule in RULES {
            let submitted: Vec<String> = (0..60).map(grain.submitted).collect();
            let Batch { scene, tracks } = batch(&mut dice, &submitted);
            let honest = rows(grain, rule, &tracks);
            let as_it_should_be: Vec<_> =
                honest.iter().map(|(key, seconds)| (key.clone(), *seconds, cost(*seconds))).collect();
            let ran = reconcile(scene, csv(grain, &as_it_should_be), "--format json").exits(0);
            let report = ran.json();
            let number = honest.len();
            let rounding = json!({"rule": rule, "explains": number, "of": number});
            assert_eq!(report["rounding"], rounding, "{}", grain.columns);
            assert_eq!(report["verdict"]["agrees"], true);
            // Six are missing, of ten some have more seconds and some twice the price, one is another's.
            let mut falsified = as_it_should_be[6..].to_vec();
            falsified[..5].iter_mut().for_each(|row| *row = (row.0.clone(), row.1 + 7, cost(row.1 + 7)));
            falsified[5..10].iter_mut().for_each(|row| row.2 *= Decimal::TWO);
            falsified.push((grain.foreign.to_owned(), 5, cost(5)));
            let ran = reconcile(ran.then(), csv(grain, &falsified), "--format json").exits(3);
            let report = ran.json();
            let verdict = &report["verdict"];
            let counts = ["agrees", "differ", "not_billed", "not_ours"].map(|name| verdict[name].clone());
            assert_eq!(counts, [json!(false), json!(10), json!(6), json!(1)], "{} {rule}: {verdict}", grain.columns);
            assert_eq!(report["rounding"]["rule"], rule, "{}: {}", grain.columns, report["rounding"]);
            let seconds: i64 = falsified.iter().map(|row| row.1).sum();
            let amount: Decimal = falsified.iter().map(|row| row.2).sum();
            assert_eq!(verdict["statement"], json!({"seconds": seconds, "cost": amount.normalize().to_string()}));
            let due: i64 = honest.iter().map(|row| row.1).sum();
            assert_eq!(verdict["results"], json!({"seconds": due, "cost": cost(due).to_string()}));
            let reported: i64 = tracks.iter().map(|tracks| rounded("up-on-sum", tracks)).sum();
            assert_eq!(verdict["service"], json!({"seconds": reported, "cost": cost(reported).to_string()}));
            assert_eq!(report["largest"].as_array().unwrap().len(), 10);
            let ran = ran.then().run("cost reconcile batch --statement bill.csv").exits(3);
            let last = ran.out().lines().last().unwrap().to_owned();
            assert!(last.starts_with(&format!("10 differ, 6 not billed, 1 not ours; rounding `{rule}`")), "{last}");
        }
    }
}

#[test]
fn the_rule_of_rounding_is_inferred_from_what_it_explains() {
    let mut dice = Dice(20);
    for case in 0..20 {
        let (grain, rule) = (&GRAINS[dice.below(3) as usize], RULES[dice.below(4) as usize]);
        let submitted: Vec<String> = (0..60).map(grain.submitted).collect();
        let Batch { scene, tracks } = batch(&mut dice, &submitted);
        let mut statement: Vec<_> =
            rows(grain, rule, &tracks).into_iter().map(|(key, seconds)| (key, seconds, cost(seconds))).collect();
        // A third is off by a second or two, which the tolerance may hide, the rule not.
        for row in &mut statement {
            row.1 += [0, 0, 0, 0, 1, -2][dice.below(6) as usize];
            row.2 = cost(row.1);
        }
        let scene = scene.write("bill.csv", csv(grain, &statement));
        let mut ran = scene.run("cost reconcile batch --statement bill.csv --format json");
        assert!(!ran.was_killed());
        let rounding = &ran.json()["rounding"];
        assert_eq!(rounding["rule"], rule, "case {case}, {}: {rounding}", grain.columns);
    }
}

/// A batch of one recording: 9 s by `up`, by `nearest` and by `up-on-sum`, 8 s by `nearest-on-sum`.
fn of_one(statement: &str, more: &str) -> Ran {
    reconcile(batch_of_one(), statement.to_owned(), more)
}

#[test]
fn a_verdict_names_what_the_statement_is_held_against() {
    of_one("task_id,seconds,cost\ntask-1,9,0.00198\n", "")
        .exits(0)
        .prints("statement 0.002, service 0.002, results 0.002 CNY\nstatement 9, service 9, results 9 s\nthe statement equals the results\n")
        .prints("0 differ, 0 not billed, 0 not ours; rounding `up` explains 1 of 1 exactly\n");
    // Twice the price, though the seconds agree.
    let twice = "task_id,seconds,cost\ntask-1,9,0.00396\n";
    of_one(twice, "")
        .exits(3)
        .prints("price: 0.00396 billed for 9 s, 0.00198 at list price")
        .prints("the statement is 100 % above the results\n")
        .prints("1 differ, 0 not billed, 0 not ours");
    of_one(twice, "--tolerance 9s").exits(0);
    of_one(twice, "--tolerance 8s").exits(3);
    // Seconds within the tolerance, or not.
    of_one("task_id,seconds\ntask-1,10\n", "").exits(0);
    of_one("task_id,seconds\ntask-1,10\n", "--tolerance 0s").exits(3);
    of_one("task_id,seconds\ntask-1,12\n", "--tolerance 2s").exits(3);
    of_one("task_id,seconds\ntask-1,8\n", "--tolerance 0s").exits(0).prints("rounding `nearest-on-sum`");
    of_one("task_id,seconds\ntask-1,8\n", "--tolerance 0s --rounding up")
        .exits(3)
        .prints("rounding: 8 s by rule `nearest-on-sum`");
    // An amount alone.
    of_one("task_id,cost\ntask-1,0.00198\n", "").exits(0).prints("explains 1 of 1");
    of_one("task_id,cost\ntask-1,0.0044\n", "").exits(3);
    // Called by its address without a signature, its file or its name; several rows are added.
    for name in [
        "https://calls.example/a.wav?Signature=x&Expires=1",
        "000001-a.json",
        "results/000001-a.json",
        "a",
        "a.wav",
        "./a.wav",
        "calls.example/a.wav",
    ] {
        of_one(&format!("ResourceId,seconds\n{name},4\n{name},5\n"), "").exits(0);
    }
}

#[test]
fn a_statement_that_matches_nothing_or_says_nothing_is_no_agreement() {
    of_one("task_id,seconds\ntask-9,9\ntask-8,9\n", "")
        .exits(3)
        .says("nothing in bill.csv matches this batch: it has `task-9`, the batch has `task-1`")
        .prints("0 differ, 1 not billed, 2 not ours");
    of_one("date,seconds\n2026-12-24,9\n", "").exits(3).says("it has `2026-12-24`, the batch has `2026-11-01`");
    of_one("task_id,seconds\n", "").exits(3).says("bill.csv has a header and no row").prints("0 differ, 1 not billed");
    of_one("", "").exits(2).says("bill.csv: empty");
    of_one("task_id,seconds,cost\ntask-1,,\n", "").exits(3).prints("1 differ");
    of_one("task_id,seconds\ntask-1,-9\n", "").exits(2).says("bill.csv: line 2: `-9`");
    of_one("task_id,seconds\ntask-1,9\ntask-2,1e15\n", "").exits(2).says("bill.csv: line 3: `1e15`");
    of_one("product,seconds\nASR,9\n", "")
        .exits(2)
        .says("no column `ResourceId` (or `task_id`, ")
        .says("the header has `product`, `seconds`");
    of_one("task_id,seconds\ntask-1,n/a\n", "").exits(3).prints("statement: neither seconds nor an amount");
    of_one("task_id,seconds,seconds\ntask-1,1,2\n", "").exits(2).says("two columns `seconds`");
    batch_of_one().run("cost reconcile batch --statement gone.csv").exits(2).says("gone.csv");
    of_one("task_id,cost,currency\ntask-1,0.00198,EUR\n", "")
        .exits(3)
        .says("the statement is in EUR, the prices are in CNY: amounts are not compared\n")
        .prints("price: 0.00198 billed, no price to compare it with");
}

#[test]
fn an_amount_in_another_currency_is_no_agreement() {
    for (cost, currency) in [("99.9", "EUR"), ("€99.9", ""), ("0.00028", "USD")] {
        of_one(&format!("task_id,seconds,cost,currency\ntask-1,9,{cost},{currency}\n"), "--currency cny")
            .exits(3)
            .prints("price: ")
            .prints("in seconds the statement equals the results\n")
            .prints("0 differ, 0 not billed, 0 not ours, 1 amount not compared: no price in this currency");
    }
    let ran = of_one("task_id,seconds,cost,currency\ntask-1,9,99.9,EUR\n", "--format json").exits(3);
    let verdict = &ran.json()["verdict"];
    assert_eq!(
        [&verdict["agrees"], &verdict["differ"], &verdict["not_compared"]],
        [&json!(false), &json!(0), &json!(1)]
    );
    for (cost, currency) in [("0.00198", "人民币"), ("0.00198", "RMB"), ("¥0.00198", ""), ("0.00198元", "cny")] {
        of_one(&format!("task_id,seconds,cost,currency\ntask-1,9,{cost},{currency}\n"), "").exits(0);
        let twice = cost.replace("0.00198", "0.00396");
        of_one(&format!("task_id,seconds,cost,currency\ntask-1,9,{twice},{currency}\n"), "")
            .exits(3)
            .prints("1 differ");
    }
    of_one("task_id,seconds,cost,currency\ntask-1,9,¥0.00198,USD\n", "")
        .exits(2)
        .says("bill.csv: line 2: `¥` for `cost`");
}

#[test]
fn fractions_and_units_of_rows_are_added_before_they_are_rounded() {
    // Ninety rows of a tenth of a second are nine seconds, not ninety.
    let rows = "2026-11-01,0.1\n".repeat(90);
    of_one(&format!("date,seconds\n{rows}"), "--tolerance 0s").exits(0).prints("statement 9, service 9, results 9 s");
    for (quantity, unit) in [("9000", "ms"), ("0.15", "Mins"), ("0.0025", "hrs"), ("0.009", "千秒")] {
        let csv = format!("date,quantity,unit\n2026-11-01,{quantity},{unit}\n");
        of_one(&csv, "--tolerance 0s").exits(0).prints("statement 9, service 9");
    }
    // Another product on the same day.
    of_one("date,quantity,unit\n2026-11-01,9,s\n2026-11-01,777,GB\n", "")
        .exits(3)
        .says("bill.csv: line 3: `GB` is neither time nor tokens: the row is not compared")
        .prints("2026-11-01 (GB)")
        .prints("statement 9, service 9, results 9 s")
        .prints("0 differ, 0 not billed, 1 not ours");
}

#[test]
fn a_month_is_compared_by_model_and_project() {
    let mut events = Vec::new();
    let mut scene = Scene::new();
    for (n, project) in [(1, "support"), (2, "sales"), (3, "support")] {
        let mut own = done(n, &format!("c{n}"), json!({"duration": 9}));
        own[0]["columns"] = json!({"project": project});
        events.extend(own);
        let text = call(&[(0, 0, 9_000, "one")]).content(0, 9_000);
        scene = scene.write(&format!("batch/results/{n:06}-c{n}.json"), text);
    }
    let scene = scene.write("batch/ledger.jsonl", ledger("fun-asr", "cn", &events));
    let statement = "Month,Model,Project,Seconds\n2026-11,audio;fun-asr,support,18\n2026-11,fun-asr,sales,9\n";
    let mut ran = reconcile(scene, statement.to_owned(), "--format json").exits(0);
    let rows = ran.json()["rows"].clone();
    let keys: Vec<&Value> = rows.as_array().unwrap().iter().map(|row| &row["key"]).collect();
    assert_eq!(keys, ["2026-11 fun-asr sales", "2026-11 fun-asr support"]);
    // A model by another of its names, in any case.
    for model in ["Fun-ASR", "fun-asr-2025-11-07"] {
        let statement = format!("month,model,seconds\n2026-11,{model},27\n");
        ran = reconcile(ran.then(), statement, "").exits(0);
    }
    // The month's charges for all projects are those of the two.
    let ran = reconcile(ran.then(), "month,quantity,unit\n2026-11,0.0075,Hours\n".to_owned(), "").exits(0);
    let ran = reconcile(ran.then(), "project,seconds\nsupport,18\nsales,20\n".to_owned(), "").exits(3);
    let ran = ran.prints("sales").prints("1 differ, 0 not billed, 0 not ours");
    // FOCUS rows are those of the statement, with both periods.
    let ran = reconcile(ran.then(), "month,cost,currency\n2026-11,0.00594,CNY\n".to_owned(), "--focus -q").exits(0);
    let out = ran.out().to_owned();
    let line = out.lines().nth(1).unwrap();
    assert!(line.starts_with("CNY,2026-11-01T00:00:00Z,2026-12-01T00:00:00Z,Usage,speech transcribed,2026-11-01T00:00:00Z,2026-12-01T00:00:00Z,27,"), "{line}");
    assert!(line.ends_with(",0.00594,0.00594,Model Studio,AI and Machine Learning,fun-asr,speech,"), "{line}");
    // They can be read as a statement.
    reconcile(ran.then(), out.to_owned(), "").exits(0).prints("0 differ, 0 not billed, 0 not ours");
}

#[test]
fn a_task_of_several_recordings_is_compared_as_one() {
    let url = |n: u32| format!("https://calls.example/c{n}.wav");
    let mut events: Vec<Value> = (1..=2)
        .map(|n| json!({"event": "item", "n": n, "url": url(n), "key": url(n), "name": format!("c{n}")}))
        .collect();
    events.push(json!({"event": "intent", "attempt": 1, "items": [1, 2], "urls": [url(1), url(2)]}));
    events.push(json!({"event": "accepted", "attempt": 1, "task_id": "both"}));
    events.push(json!({"event": "ended", "task_id": "both", "status": "SUCCEEDED", "usage": {"duration": 7}}));
    let mut scene = Scene::new();
    for n in 1..=2 {
        events.push(json!({
            "event": "stored", "n": n, "task_id": "both", "file": format!("results/{n:06}-c{n}.json"), "bytes": 1,
            "blake3": "0".repeat(64),
        }));
        let text = call(&[(0, 0, 3_300, "one")]).content(0, 3_300);
        scene = scene.write(&format!("batch/results/{n:06}-c{n}.json"), text);
    }
    let scene = scene.write("batch/ledger.jsonl", ledger("fun-asr", "cn", &events));
    // 3.3 s twice: 8 by track, 7 on the sum of the task, 4 each for the files.
    let ran = reconcile(scene, "task_id,seconds\nboth,7\n".to_owned(), "--tolerance 0s").exits(0);
    let ran = ran.prints("rounding `up-on-sum` explains 1 of 1");
    let by_file = "file,seconds\n000001-c1.json,4\n000002-c2.json,4\n".to_owned();
    let ran = reconcile(ran.then(), by_file, "--tolerance 0s").exits(0).prints("rounding `up` explains 2 of 2");
    reconcile(ran.then(), "date,seconds\n2026-11-01,7\n".to_owned(), "--tolerance 0s").exits(0).prints("`up-on-sum`");
}
