//! Money: what calls cost, before and after, and what is not known of it.

use serde_json::{Value, json};

use crate::scene::{Content, Scene, call, column, has};

/// A ledger of one batch, in the form that `transcribe` writes.
fn ledger(model: &str, region: &str, events: &[Value]) -> String {
    let mut lines = vec![json!({"talkmeter_ledger": 1, "created": "2026-11-01T00:00:00Z"}).to_string()];
    let batch = json!({
        "event": "batch", "base_url": "http://127.0.0.1/api/v1", "region": region,
        "recognition": {"model": model, "parameters": {"channel_id": [0, 1]}, "context": []}, "files_per_task": 1,
    });
    for event in std::iter::once(&batch).chain(events) {
        let mut line = event.clone();
        line["at"] = json!("2026-11-01T00:00:01Z");
        lines.push(line.to_string());
    }
    lines.join("\n") + "\n"
}

/// One recording that went through: submitted, taken, ended with this usage, stored.
fn done(n: u32, name: &str, usage: Value) -> Vec<Value> {
    let (url, task) = (format!("https://calls.example/{name}.wav"), format!("task-{n}"));
    vec![
        json!({"event": "item", "n": n, "url": url, "key": url, "name": name}),
        json!({"event": "intent", "attempt": n, "items": [n], "urls": [url]}),
        json!({"event": "accepted", "attempt": n, "task_id": task}),
        json!({"event": "ended", "task_id": task, "status": "SUCCEEDED", "usage": usage}),
        json!({
            "event": "stored", "n": n, "task_id": task, "file": format!("results/{n:06}-{name}.json"), "bytes": 1,
            "blake3": "",
        }),
    ]
}

/// The pair of the definitions, 2.12: 3.72 s and 4.72 s of speech, for which 9 s were billed.
fn pair() -> impl Content {
    call(&[(0, 0, 3720, "one"), (1, 4000, 8720, "two")]).content(0, 3720).content(1, 4720).json()
}

#[test]
fn the_costs_of_a_call_are_priced_by_model_and_region() {
    let ran = Scene::new()
        .call("a", pair())
        .run("analyze calls -o out --tables jsonl,csv,parquet --model fun-asr --region intl")
        .exits(0);
    for format in ["csv", "parquet", "jsonl"] {
        let costs = ran.table_as("costs", format);
        assert_eq!(column(&costs, "billed_seconds"), [4, 5], "{format}");
        assert_eq!(column(&costs, "currency"), ["USD", "USD"], "{format}");
        assert_eq!(column(&costs, "price_date"), ["2026-11-01", "2026-11-01"], "{format}");
        let digits = |name: &str| {
            let amounts = column(&costs, name);
            let text = |cell: &Value| cell.as_str().map_or_else(|| cell.to_string(), str::to_owned);
            amounts.iter().map(|cell| text(cell).trim_end_matches('0').to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(digits("unit_price"), ["0.000035", "0.000035"], "{format}");
        assert_eq!(digits("cost"), ["0.00014", "0.000175"], "{format}");
    }
}

#[test]
fn what_is_not_known_has_no_price() {
    let unknown = json!({"unit_price": null, "currency": null, "cost": null, "price_date": null});
    for more in ["", "--model fun-asr", "--region intl", "--model nobody --region intl", "--model fun-asr --region us"]
    {
        let ran = Scene::new().call("a", pair()).run(&format!("analyze calls -o out --tables jsonl {more}")).exits(0);
        ran.table("costs").iter().for_each(|row| has(row, unknown.clone()));
    }
    // A result file does not count the tokens that this one is billed by.
    let ran = Scene::new()
        .call("a", pair())
        .run("cost actual calls --model qwen-audio-3.1-asr-flash-filetrans --region intl")
        .exits(0)
        .says("1 file found: 0 priced, 1 without a price, 0 without a duration")
        .prints("by result: 9 s on 2 lines, not priced");
    assert!(!ran.out().contains(" 0.00"), "{}", ran.out());
}

#[test]
fn a_ledger_says_the_model_and_what_the_service_billed() {
    let ran = Scene::new()
        .write("batch/ledger.jsonl", ledger("fun-asr", "cn", &done(1, "a", json!({"duration": 9}))))
        .write("batch/results/000001-a.json", pair())
        .run("cost actual batch --model paraformer-v2 --format json -q")
        .exits(0)
        .says_nothing();
    let bill = ran.json();
    assert_eq!(bill["currency"], "CNY");
    let total = |basis: &str| {
        let totals = bill["totals"].as_array().unwrap();
        totals.iter().find(|total| total["basis"] == basis).unwrap().clone()
    };
    // 9 × 0.00022
    has(total("result").as_object().unwrap(), json!({"cost": "0.00198", "seconds": 9, "lines": 2}));
    has(total("usage").as_object().unwrap(), json!({"cost": "0.00198", "seconds": 9, "lines": 1}));
    assert_eq!(bill["summary"]["totalSupported"], 1);
    assert_eq!(bill["projects"][0]["model"], "fun-asr");
}

#[test]
fn tokens_are_priced_from_what_the_service_reported() {
    let usage = json!({"duration": 38, "input_tokens": 530, "output_tokens": 109});
    Scene::new()
        .write("batch/ledger.jsonl", ledger("qwen-audio-3.1-asr-flash-filetrans", "intl", &done(1, "a", usage)))
        .write("batch/results/000001-a.json", pair())
        .run("cost actual batch --format csv")
        .exits(0)
        .prints("000001-a.json,,usage,qwen-audio-3.1-asr-flash-filetrans,intl,530,tokens_in,0.00000015,USD,0.0000795,2026-10-01")
        .prints("000001-a.json,,usage,qwen-audio-3.1-asr-flash-filetrans,intl,109,tokens_out,0.00000047,USD,0.00005123,2026-10-01")
        .says("by usage: 639 tokens on 2 lines, 0.00013073 USD");
}

#[test]
fn prices_of_ones_own_come_before_those_of_the_catalogue() {
    let contract = "[[price]]\nmodels = [\"fun-asr\"]\nregion = \"cn\"\ncurrency = \"CNY\"\nsecond = \"0.00018\"\n\
                    source = \"contract 7\"\nchecked = \"2020-01-01\"\n";
    Scene::new()
        .call("a", pair())
        .write("contract.toml", contract)
        .run("cost actual calls --model fun-asr --region cn --prices contract.toml")
        .exits(0)
        .prints("by result: 9 s on 2 lines, 0.00162 CNY")
        // Old, and said on stderr alone.
        .says("compare it with contract 7 before you rely on it");
    Scene::new()
        .call("a", pair())
        .write("contract.toml", contract.replace("0.00018", "free"))
        .run("cost actual calls --model fun-asr --region cn --prices contract.toml")
        .exits(2)
        .says("contract.toml: the file of prices has `free` for the price of fun-asr");
}
