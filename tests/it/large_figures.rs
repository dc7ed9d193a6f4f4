//! Figures larger than any bill: whatever a file says, one line names it, and nothing overflows.

use serde_json::json;

use crate::cost::{batch_of_one, done, ledger};
use crate::scene::{Ran, Scene, call, wav};

/// The largest number that a decimal holds.
const LARGEST: &str = "79228162514264337593543950335";

/// A price file with one row.
fn prices(second: &str) -> String {
    format!(
        "# our contract\n[[price]]\nmodels = [\"fun-asr\"]\nregion = \"intl\"\ncurrency = \"USD\"\nsecond = \"{second}\"\n\
         source = \"contract\"\nchecked = \"2026-11-01\"\n"
    )
}

/// The highest price that a file can have.
const HIGHEST: &str = "100000";

#[test]
fn a_price_that_is_none_is_refused_with_its_line() {
    for second in [LARGEST, "100000.1", "0", "-1", "1e9", "0.00000000001", "free"] {
        for line in [
            "cost estimate a.wav --prices prices.toml --region intl",
            "cost actual batch --prices prices.toml",
            "cost reconcile batch --focus --prices prices.toml",
            "analyze batch -o out --prices prices.toml",
            "transcribe a.wav -o out --max-cost 5usd --prices prices.toml --region intl",
        ] {
            let ran = batch_of_one().write("a.wav", wav(1, 8000, 1)).write("prices.toml", prices(second));
            let ran = ran.environment("DASHSCOPE_API_KEY", "sk-none").run(line).exits(2).prints_nothing();
            let why =
                format!("prices.toml: the price file has `{second}` for the price of fun-asr: it must be more than 0");
            assert!(ran.err().contains(&why) && ran.err().contains("(line 2)"), "{line}: {}", ran.err());
        }
    }
}

#[test]
fn a_length_over_a_thousand_hours_is_none() {
    for length in [format!("{LARGEST}:00"), LARGEST.to_owned(), format!("{LARGEST}h"), "1000:00:01".to_owned()] {
        for (name, list) in [
            ("list.csv", format!("url,duration\nhttps://e.org/a.wav,{length}\nhttps://e.org/b.wav,1000h\n")),
            (
                "list.jsonl",
                format!(
                    "{}\n{}\n",
                    json!({"url": "https://e.org/a.wav", "duration": length}),
                    json!({"url": "https://e.org/b.wav", "duration": "1000h"})
                ),
            ),
        ] {
            let ran = Scene::new().write(name, list).run(&format!("cost estimate --files-from {name} --region intl"));
            let line = if name == "list.csv" { 2 } else { 1 };
            ran.exits(0)
                .says(&format!("{name} line {line}: `{length}` for `duration` is not a length"))
                .says("2 files found: 1 priced, 0 without a price, 1 without a duration");
        }
    }
}

#[test]
fn an_amount_or_quantity_too_large_for_a_bill_is_refused_with_its_line() {
    let statement = |row: &str| {
        batch_of_one()
            .write("bill.csv", format!("file,seconds,cost,currency\n000001-a.json,9,0.00198,CNY\n{row}\n"))
            .run("cost reconcile batch --statement bill.csv")
    };
    for (seconds, cost, quoted) in [("9", LARGEST, "cost"), (LARGEST, "1", "seconds"), ("9", "-1000000000001", "cost")]
    {
        let number = if quoted == "cost" { cost } else { seconds };
        statement(&format!("000001-a.json,{seconds},{cost},CNY"))
            .exits(2)
            .prints_nothing()
            .says(&format!("bill.csv: line 3: `{number}` for `{quoted}` is not a number a bill can have"))
            .says_no("panicked");
    }
    // The largest that are read can be added.
    let most = "1000000000000";
    statement(&[&*format!("000001-a.json,{most},{most},CNY"); 3].join("\n")).exits(3).prints("3000000000000");
}

#[test]
fn figures_of_a_ledger_and_of_results_are_bounded() {
    let whole = |ran: Ran| ran.says_no("panicked").says_no("overflow");
    // Over 10¹² seconds are no usage.
    for usage in [json!(9_223_372_036_854_775_807_i64), json!(1e300), json!(LARGEST), json!("1e28")] {
        let ledger = ledger("fun-asr", "intl", &done(1, "a", json!({"duration": usage})));
        let scene = || Scene::new().write("batch/ledger.jsonl", &*ledger).write("prices.toml", prices(HIGHEST));
        let scene = scene().write("batch/results/000001-a.json", call(&[(0, 0, 3720, "one")]));
        let ran = whole(scene.run("cost actual batch --prices prices.toml --format json").exits(0));
        assert_eq!(
            ran.json()["totals"][1],
            json!({
                "basis": "usage", "currency": null, "lines": 1, "seconds": 0, "tokens": 0, "cost": null,
            })
        );
        whole(ran.then().run("cost reconcile batch --prices prices.toml")).exits(0);
    }
    // The longest speech that a result can state, at the highest price, on many tracks.
    let longest = 1_000_000_000_000_i64;
    let long = |channel: u32| {
        json!({
            "channel_id": channel, "content_duration_in_milliseconds": longest,
            "sentences": [{"begin_time": 0, "end_time": longest, "text": "so long"}],
        })
    };
    let result = json!({
        "properties": {"original_duration_in_milliseconds": longest}, "transcripts": (0..200).map(long).collect::<Vec<_>>(),
    });
    let scene = || {
        Scene::new()
            .write(
                "batch/ledger.jsonl",
                ledger("fun-asr", "intl", &done(1, "a", json!({"duration": 1_000_000_000_000_i64}))),
            )
            .write("batch/results/000001-a.json", result.to_string())
            .write("prices.toml", prices(HIGHEST))
    };
    // 10⁹ s × 100,000 × 200 tracks
    let cost = "20000000000000000";
    let ran = whole(scene().run("cost actual batch --prices prices.toml --format json").exits(0));
    assert_eq!(ran.json()["totals"][0]["cost"], cost);
    let ran = whole(scene().run("cost estimate batch --prices prices.toml --region intl --format json").exits(0));
    assert_eq!(ran.json()["totals"][0]["cost"]["expected"], cost);
    whole(scene().run("cost reconcile batch --prices prices.toml")).exits(3);
    whole(scene().run("cost reconcile batch --prices prices.toml --focus")).exits(3);
    let ran = whole(scene().run("analyze batch -o out --prices prices.toml --tables jsonl").exits(0));
    assert_eq!(ran.table("costs").len(), 200);
    whole(ran.then().run("report out")).exits(0);
}
