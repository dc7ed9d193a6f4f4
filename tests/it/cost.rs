//! Money: what calls cost, before and after, and what is not known of it.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::batch::MODEL;
use crate::scene::{Content, Ran, Scene, call, column, csv, has, wav, wav_of};
use crate::service::Service;

/// A ledger of one batch, in the form that `transcribe` writes.
pub(crate) fn ledger(model: &str, region: &str, events: &[Value]) -> String {
    let mut lines = vec![json!({"talkmeter_ledger": 1, "created": "2026-11-01T00:00:00Z"}).to_string()];
    let batch = json!({
        "event": "batch", "base_url": "http://127.0.0.1/api/v1", "region": region,
        "recognition": {"model": model, "parameters": {"channel_id": [0, 1]}, "context": []}, "files_per_task": 1,
    });
    for event in std::iter::once(&batch).chain(events) {
        let mut line = event.clone();
        if line["at"].is_null() {
            line["at"] = json!("2026-11-01T00:00:01Z");
        }
        lines.push(line.to_string());
    }
    lines.join("\n") + "\n"
}

/// One recording that went through: submitted, taken, ended with this usage, stored.
pub(crate) fn done(n: u32, name: &str, usage: Value) -> Vec<Value> {
    let (url, task) = (format!("https://calls.example/{name}.wav"), format!("task-{n}"));
    vec![
        json!({"event": "item", "n": n, "url": url, "key": url, "name": name}),
        json!({"event": "intent", "attempt": n, "items": [n], "urls": [url]}),
        json!({"event": "accepted", "attempt": n, "task_id": task}),
        json!({"event": "ended", "task_id": task, "status": "SUCCEEDED", "usage": usage}),
        json!({
            "event": "stored", "n": n, "task_id": task, "file": format!("results/{n:06}-{name}.json"), "bytes": 1,
            "blake3": "0".repeat(64),
        }),
    ]
}

/// One recording that the service could not fetch.
fn failed(n: u32, name: &str) -> Vec<Value> {
    let (url, task) = (format!("https://calls.example/{name}.wav"), format!("task-{n}"));
    vec![
        json!({"event": "item", "n": n, "url": url, "key": url, "name": name}),
        json!({"event": "intent", "attempt": n, "items": [n], "urls": [url]}),
        json!({"event": "accepted", "attempt": n, "task_id": task}),
        json!({"event": "ended", "task_id": task, "status": "FAILED"}),
        json!({"event": "failed", "n": n, "task_id": task, "code": "DOWNLOAD_FAILED", "message": "gone"}),
    ]
}

/// The columns of a FOCUS file. Checks rules of its specification: list cost is list price × quantity, quantity and
/// unit are null together, pricing and consumption are one.
fn focus(ran: &Ran) -> impl Fn(&str) -> Vec<String> + use<> {
    let rows = csv(&ran.out());
    let column = move |name: &str| {
        let at = rows[0].iter().position(|(head, _)| head == name).unwrap_or_else(|| panic!("no {name}"));
        rows[1..].iter().map(|row| row[at].0.clone()).collect::<Vec<_>>()
    };
    assert_eq!(column("ConsumedUnit"), column("PricingUnit"));
    assert_eq!(column("ConsumedQuantity"), column("PricingQuantity"));
    let decimal = |text: &String| text.parse::<Decimal>().ok();
    let quantities = column("PricingQuantity");
    for (at, quantity) in quantities.iter().enumerate() {
        assert_eq!(quantity.is_empty(), column("PricingUnit")[at].is_empty(), "{at}");
        let list = decimal(&column("ListUnitPrice")[at]).zip(decimal(quantity)).map(|(unit, quantity)| unit * quantity);
        assert_eq!(list, decimal(&column("ListCost")[at]), "{at}");
    }
    column
}

/// The published pair (definitions: billed seconds): 3.72 s and 4.72 s of speech, for which 9 s were billed.
fn pair() -> impl Content {
    call(&[(0, 0, 3720, "one"), (1, 4000, 8720, "two")]).content(0, 3720).content(1, 4720).json()
}

/// A folder `batch` of one recording, `task-1`, 9 s by its result and as reported.
pub(crate) fn batch_of_one() -> Scene {
    Scene::new()
        .write("batch/ledger.jsonl", ledger("fun-asr", "cn", &done(1, "a", json!({"duration": 9}))))
        .write("batch/results/000001-a.json", pair())
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
fn what_is_unknown_has_no_price() {
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
        .run("cost actual batch --model paraformer-v2 --details --format json -q")
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
fn a_price_file_overrides_the_catalogue() {
    let contract = "[[price]]\nmodels = [\"fun-asr\"]\nregion = \"cn\"\ncurrency = \"CNY\"\nsecond = \"0.00018\"\n\
                    source = \"contract 7\"\nchecked = \"2020-01-01\"\n";
    Scene::new()
        .call("a", pair())
        .write("contract.toml", contract)
        .run("cost actual calls --model fun-asr --region cn --prices contract.toml")
        .exits(0)
        .prints("by result: 9 s on 2 lines, 0.00162 CNY")
        // Old, and said on stderr alone.
        .says("check it against contract 7");
    Scene::new()
        .call("a", pair())
        .write("contract.toml", contract.replace("0.00018", "free"))
        .run("cost actual calls --model fun-asr --region cn --prices contract.toml")
        .exits(2)
        .says("contract.toml: the price file has `free` for the price of fun-asr");
    let priced = |contract: &str, said: &str, exit: i32| {
        let run = "cost actual calls --model fun-asr --region cn --prices contract.toml";
        let ran = Scene::new().call("a", pair()).write("contract.toml", contract).run(run).exits(exit);
        ran.says(said)
    };
    // A number without quotes, and no source.
    let bare = contract.replace("\"0.00018\"", "0.00018").replace("source = \"contract 7\"\n", "");
    priced(&bare, "check it against price file", 0).prints("by result: 9 s on 2 lines, 0.00162 CNY");
    let misspelt = contract.replace("fun-asr", "fun-ars");
    priced(
        &misspelt,
        "contract.toml: a price of fun-ars: no model `fun-ars` in the catalogue: did you mean fun-asr",
        0,
    );
    let wrong = contract.replace("region = \"cn\"", "region = 7");
    let ran = priced(&wrong, "contract.toml: the price file cannot be read: ", 2);
    assert!(ran.err().contains("(line 3)") && !ran.err().contains("\\n"), "{}", ran.err());
}

#[test]
fn an_estimate_counts_every_requested_track_and_nothing_unknown() {
    let ran = Scene::new()
        .write("audio/a-stereo.wav", wav(2, 8000, 60))
        .write("audio/b-mono.wav", wav(1, 8000, 10))
        .write("audio/c-damaged.mp3", "this is no recording")
        .write("audio/notes.txt", "not looked at")
        .run("cost estimate audio --channel 0,1 --details --format json --region intl")
        .exits(0)
        .says("c-damaged.mp3: unknown length: the headers do not state it")
        .says("1 recording with fewer tracks than requested")
        .says("3 files found: 2 priced, 0 without a price, 1 without a duration");
    let report = ran.json();
    // Of 60 s and 10 s: 31 + 31 + 6 + 6 expected, 60 + 60 + 10 + 10 at most, × 0.000035. Low and high:
    // 1.2816 × √((140 × 0.15)² + 2 × (60 × 0.1)² + 2 × (10 × 0.1)²) = 29.1 s less and more.
    let cost = json!({"low": "0.001575", "expected": "0.00259", "high": "0.00364"});
    assert_eq!((&report["totals"][0]["cost"], &report["totals"][0]["most"]), (&cost, &json!("0.0049")), "{report:#}");
    let meter = &report["projects"][0]["breakdown"][0]["meters"][1];
    assert_eq!((&meter["quantity"], &meter["most"]), (&json!({"low": 18, "expected": 31, "high": 45}), &json!(60)));
    let unknown = &report["projects"][0]["breakdown"][2];
    assert_eq!((&unknown["duration_ms"], &unknown["meters"][0]["cost"]["high"]), (&Value::Null, &Value::Null));
    assert_eq!(report["summary"]["totalNoDuration"], 1);
}

#[test]
fn an_estimate_counts_the_tracks_that_transcribe_requests() {
    // 60 s: two parties, one of whom is silent; the same tone twice; one track.
    let two =
        wav_of(8000, &(0..480_000_u32).map(|at| [if at % 8 < 4 { 6000_i16 } else { -6000 }, 0]).collect::<Vec<_>>());
    let ran = Scene::new()
        .write("audio/same.wav", wav(2, 8000, 60))
        .write("audio/single.wav", wav(1, 8000, 60))
        .write("audio/two.wav", two)
        .run("cost estimate audio --details --format json --region intl")
        .exits(0)
        .says("2 recordings with several tracks: all of them are counted");
    let tracks = |ran: &crate::scene::Ran| -> Vec<Value> {
        let report = ran.json();
        let files = report["projects"][0]["breakdown"].as_array().unwrap();
        let channels = |file: &Value| -> Vec<Value> {
            file["meters"].as_array().unwrap().iter().map(|meter| meter["channel_id"].clone()).collect()
        };
        files.iter().map(|file| json!([file["file"], channels(file)])).collect()
    };
    let all = [json!(["same.wav", [0, 1]]), json!(["single.wav", [0]]), json!(["two.wav", [0, 1]])];
    assert_eq!(tracks(&ran), all);
    // Since they are decoded anyway, tracks are compared, and identical ones are requested once.
    let ran = ran.then().run("cost estimate audio --vad --details --format json --region intl").exits(0);
    let once = [json!(["same.wav", [0]]), json!(["single.wav", [0]]), json!(["two.wav", [0, 1]])];
    assert_eq!(tracks(&ran), once);
    let ran = ran.says_no("more tracks than counted").says("3 files found: 3 priced");
    // Of an address nothing is known: the service's default is its first track.
    let ran = ran.then().write("calls.csv", "url,duration,channels\nhttps://calls.example/a.wav,60,2\n");
    let ran = ran.run("cost estimate calls.csv --details --format json --region intl").exits(0);
    assert_eq!(tracks(&ran), [json!(["https://calls.example/a.wav", [0]])]);
    let ran = ran.says("1 recording with more tracks than counted");
    // Of a result, the tracks that it has.
    let call = crate::scene::call(&[(0, 0, 900, "hello"), (1, 1000, 1900, "hello")]).lasting(2000);
    let ran = ran.then().call("a", call).run("cost estimate calls --details --format json --region intl").exits(0);
    assert_eq!(tracks(&ran), [json!(["a.json", [0, 1]])]);
}

#[cfg(unix)]
#[test]
fn a_mixed_folder_is_estimated_line_by_line() {
    let silent = wav_of(8000, &vec![[0_i16]; 160_000]);
    let mut truncated = wav(1, 8000, 60);
    truncated.truncate(44 + 12_300 * 16);
    // A header of four hours, and nothing written after it.
    let mut huge = wav(1, 8000, 0);
    huge[40..44].copy_from_slice(&(4 * 3600 * 16_000_u32).to_le_bytes());
    let ran = Scene::new()
        .write("audio/huge.wav", huge)
        .write("audio/mono.wav", wav(1, 8000, 10))
        .write("audio/named.mp3", wav(1, 8000, 10))
        .write("audio/silent.wav", silent)
        .write("audio/stereo.wav", wav(2, 16_000, 60))
        .write("audio/truncated.wav", truncated)
        .with(|folder| {
            let huge = std::fs::File::options().write(true).open(folder.join("audio/huge.wav")).unwrap();
            huge.set_len(44 + 4 * 3600 * 16_000).unwrap();
            std::os::unix::fs::symlink("nowhere.wav", folder.join("audio/gone.wav")).unwrap();
        })
        .run("cost estimate audio --channel 0,1 --details --format json --region intl")
        .exits(3)
        .says("cannot read audio/gone.wav")
        .says("audio/named.mp3: contains wav, despite its name")
        .says("7 files found: 6 priced, 0 without a price, 1 without a duration");
    let report = ran.json();
    let files = report["projects"][0]["breakdown"].as_array().unwrap();
    let meters = || files.iter().flat_map(|file| file["meters"].as_array().unwrap());
    let seconds: Vec<(&str, &Value, &Value)> = files
        .iter()
        .map(|file| {
            let quantity = &file["meters"][1]["quantity"];
            (file["file"].as_str().unwrap(), &quantity["expected"], &file["meters"][1]["most"])
        })
        .collect();
    // By hand: 0.5125 of 14400, 10, 20, 60 and 12.3 s, begun seconds counted.
    let known = [
        ("gone.wav", json!(null), json!(null)),
        ("huge.wav", json!(7380), json!(14_400)),
        ("mono.wav", json!(6), json!(10)),
        ("named.mp3", json!(6), json!(10)),
        ("silent.wav", json!(11), json!(20)),
        ("stereo.wav", json!(31), json!(60)),
        ("truncated.wav", json!(7), json!(13)),
    ];
    assert_eq!(seconds, known.each_ref().map(|(file, expected, high)| (*file, expected, high)));
    // Two tracks of 7441 s and of 14513 s, × 0.000035.
    let cost = &report["totals"][0]["cost"];
    assert_eq!(cost, &json!({"low": "0.30527", "expected": "0.52087", "high": "0.736505"}));
    assert_eq!(report["totals"][0]["most"], "1.01591");
    let amount = |cell: &Value| cell.as_str().map(|text| text.parse::<Decimal>().unwrap());
    let added = |amounts: &dyn Fn(&Value) -> Value| -> Option<Decimal> {
        Some(meters().filter_map(|meter| amount(&amounts(meter))).sum())
    };
    assert_eq!(added(&|meter| meter["cost"]["expected"].clone()), amount(&cost["expected"]));
    assert_eq!(added(&|meter| meter["cost_most"].clone()), amount(&report["totals"][0]["most"]));
    // What is each recording's own cancels out in part.
    assert!(added(&|meter| meter["cost"]["low"].clone()) < amount(&cost["low"]));
    assert!(added(&|meter| meter["cost"]["high"].clone()) > amount(&cost["high"]));
    assert!(
        meters()
            .all(|meter| meter["speech_source"] == if meter["most"].is_null() { Value::Null } else { json!("usual") })
    );
    assert_eq!(report["summary"]["totalUnreadable"], 1);
}

#[test]
fn a_list_with_lengths_is_estimated_by_group_and_model() {
    let list = "url,duration,channels,queue\nhttps://calls.example/a.wav?sig=secret,60,1,billing\n\
                https://calls.example/b.wav,0:01:40,1,sales\nhttps://calls.example/c.wav,,1,sales\n";
    let ran = Scene::new()
        .write("calls.csv", list)
        .run(
            "cost estimate calls.csv --group-by queue --compare paraformer-v2,qwen-audio-3.1-asr-flash --region cn \
             --format csv",
        )
        .exits(0)
        .says("3 files found: 2 priced, 0 without a price, 1 without a duration")
        .says(
            "qwen-audio-3.1-asr-flash in cn: low not priced, expected not priced, high not priced, at most not priced",
        );
    assert_eq!(
        ran.out(),
        // 52 s × 0.00022 and 86 s × 0.00022; the third has no length, the last model no price.
        // Low: 1.2816 × 60 × √(0.08² + 0.08²) = 8.7 s less. The third is as long as the mean of the others: 80 s, 69 expected.
        "group,model,files,lines_without_cost,currency,low,expected,high,most,duration_ms,charges,unknown_length,\
         unknown_expected,per_hour,per_call\n\
         billing,fun-asr,1,0,CNY,0.00968,0.01144,0.0132,0.0132,60000,1,0,,0.6864,0.01144\n\
         sales,fun-asr,2,1,CNY,0.01584,0.01892,0.022,0.022,100000,2,1,0.01518,0.68112,0.01892\n\
         billing,paraformer-v2,1,0,CNY,0.00352,0.00416,0.0048,0.0048,60000,1,0,,0.2496,0.00416\n\
         sales,paraformer-v2,2,1,CNY,0.00576,0.00688,0.008,0.008,100000,2,1,0.00552,0.24768,0.00688\n\
         billing,qwen-audio-3.1-asr-flash,1,2,,,,,,60000,1,0,,,\n\
         sales,qwen-audio-3.1-asr-flash,2,4,,,,,,100000,2,1,,,\n"
    );
    Scene::new()
        .write("calls.csv", list)
        .run("cost estimate calls.csv --group-by team")
        .exits(2)
        .says("--group-by team: no input has this column");
}

#[test]
fn an_estimate_is_a_gate() {
    let list = |seconds: u32| format!("url,duration_s\nhttps://calls.example/a.wav,{seconds}\n");
    let run = |more: &str, list: String| {
        Scene::new().write("calls.csv", list).run(&format!("cost estimate calls.csv {more} -q --region intl"))
    };
    // 3600 s × 0.86 × 0.000035 = 0.10836
    run("--max-cost 0.10836usd", list(3600)).exits(0);
    run("--max-cost 0.10835usd", list(3600)).exits(3).says("the expected cost of 0.10836 USD exceeds 0.10835 USD");
    run("--max-cost 5cny --model qwen3-asr-flash", list(3600)).exits(3).says("cannot tell");
    run("--max-cost 5usd", "url\nhttps://calls.example/a.wav\n".to_owned()).exits(3).says("cannot tell");
    run("--max-cost 5", list(1)).exits(2).says("is not an amount such as 5usd");
    // 36000 − 35000 seconds are left of the allowance: 2096 of 3096 are paid.
    run("--max-cost 0.07336usd --quota-used 35000", list(3600)).exits(0);
    run("--max-cost 0.07335usd --quota-used 35000", list(3600)).exits(3);
}

#[test]
fn results_are_estimated_with_the_speech_that_was_found_in_them() {
    let ran = Scene::new()
        .call(
            "a",
            call(&[(0, 0, 3720, "one"), (1, 4000, 8720, "two")]).content(0, 3720).content(1, 4720).lasting(20_000),
        )
        .run("cost estimate calls --channel 0,1 --details --format csv --region intl")
        .exits(0);
    // 3.72 s, 5 % less and more: in each case the fourth second has begun.
    let row =
        "a.json,0,fun-asr,intl,20000,seconds,4,4,4,0.000035,USD,0.00014,0.00014,0.00014,2026-11-01,result,20,0.0007";
    assert!(ran.out().contains(row), "{}", ran.out());
}

const A: &str = "https://calls.example/a.wav";
const B: &str = "https://calls.example/b.wav";
const C: &str = "https://calls.example/c.wav";

#[test]
fn a_batch_stopped_by_its_budget_resumes_with_a_higher_one_and_submits_nothing_twice() {
    let service = Service::new();
    let command = |limit: &str| format!("transcribe {A} {B} {C} -o out {MODEL} --max-cost {limit} --format json");
    // Of unknown length: the first goes alone, and what it cost leaves no room for a second like it.
    let ran = service
        .scene()
        .run(&command("0.0001cny"))
        .exits(3)
        .says("3 recordings of unknown length")
        .says("the budget of 0.0001 CNY is reached")
        .says("to continue, run again with a higher --max-cost");
    has(ran.json()[0].as_object().unwrap(), json!({"transcribed": 1, "waiting": 2, "at_service": 0}));
    service.was_asked("submit", 1);
    let ran = service.then(ran).run(&command("5cny")).exits(0);
    has(ran.json()[0].as_object().unwrap(), json!({"transcribed": 3, "waiting": 0}));
    service.accepted_once(&[A, B, C]).was_asked("submit", 3);
    // What the ledger says of the bill is below the budget, and the results agree with it.
    let ran = service.then(ran).run("cost actual out --format json").exits(0);
    let totals = ran.json()["totals"].as_array().unwrap().clone();
    assert!(totals.iter().all(|total| total["currency"] == "CNY"), "{totals:?}");
}

#[test]
fn a_batch_that_is_expected_to_cost_more_is_refused_before_the_first_submit() {
    let service = Service::new().unasked();
    // 60 s × 0.86 = 51.6, 52 × 0.00008
    service
        .scene()
        .write("a.wav", wav(1, 8000, 60))
        .run(&format!("transcribe a.wav -o out {MODEL} --max-cost 0.0041cny"))
        .exits(3)
        .says("the expected cost of 0.00416 CNY exceeds 0.0041 CNY: nothing was sent")
        .prints_nothing();
    // Without a price in that currency nothing tells when the limit is reached.
    service
        .scene()
        .run(&format!("transcribe {A} -o out {MODEL} --max-cost 5usd"))
        .exits(3)
        .says("paraformer-v2 has no known price in cn in USD");
}

#[test]
fn lengths_of_a_list_count_for_a_limit() {
    let service = Service::new().unasked();
    // 10 h × 0.86 × 0.00008 = 2.4768 are expected.
    let list = |length: &str| format!("url,duration\n{A}?sig=c2Vj,{length}\n{B},1:00\n");
    let run = format!("transcribe --files-from calls.csv -o out {MODEL} --max-cost");
    let ran = service.scene().write("calls.csv", list("10h")).run(&format!("{run} 2cny")).exits(3).prints_nothing();
    let ran = ran.says("the expected cost of 2.48096 CNY exceeds 2 CNY: nothing was sent");
    // The whole is expected to fit, but one recording may cost 2.88 alone.
    let alone = "https://calls.example/a.wav?…: may cost up to 2.88 CNY alone, more than 2.5 CNY: not sent";
    let only = format!("url,duration\n{A}?sig=c2Vj,10h\n");
    let ran = service.then(ran).write("calls.csv", only).run(&format!("{run} 2.5cny")).exits(3).prints_nothing();
    let ran = ran.says(alone).says_no("c2Vj");
    assert!(!ran.path("out").exists());
    // The others are sent; with a higher limit it is, too.
    let service = Service::new();
    let ran = service.then(ran).write("calls.csv", list("10h")).run(&format!("{run} 2.5cny")).exits(3).says(alone);
    service.accepted_once(&[B]);
    let ran = service.then(ran).run(&format!("{run} 2.5cny")).exits(3).says(alone);
    service.then(ran).run(&format!("{run} 3cny")).exits(0);
    service.accepted_once(&[B.to_owned(), format!("{A}?sig=c2Vj")]);
}

#[test]
fn a_clip_is_billed_by_its_length_whatever_was_said_in_it() {
    // 3.2 s of speech in 60.4 s.
    let clip = call(&[(0, 1000, 4200, "one")]);
    for (model, seconds, source) in [("fun-asr-flash-2026-06-15", 61, "duration"), ("fun-asr", 4, "sentences")] {
        let run = format!("--model {model} --region intl");
        let scene = Scene::new().call("a", clip.clone().lasting(60_400));
        let ran = scene.run(&format!("analyze calls -o out --tables jsonl {run}")).exits(0);
        has(&ran.row("costs"), json!({"billed_seconds": seconds, "billable_source": source, "channel_id": 0}));
        let ran = ran.then().run(&format!("cost actual calls --format csv {run}")).exits(0);
        assert!(ran.out().contains(&format!("a.json,0,result,{model},intl,{seconds},seconds,")), "{}", ran.out());
    }
    // One charge a clip, on its first track.
    let two = call(&[(0, 1000, 4200, "one"), (1, 5000, 6000, "two")]).lasting(60_400);
    let run = "analyze calls -o out --tables jsonl --model fun-asr-flash-2026-06-15 --region intl";
    let ran = Scene::new().call("a", two).run(run).exits(0);
    assert_eq!(column(&ran.table("costs"), "billed_seconds"), [61, 0]);
    has(&ran.row("calls"), json!({"billable_ms": 60_400, "billable_source": "duration"}));
    // Of unknown length.
    let ran = Scene::new().call("a", clip).run(run).exits(0);
    has(&ran.row("costs"), json!({"billable_ms": null, "billed_seconds": null, "cost": null}));
    let reason = ran.row("calls")["reason"].as_str().unwrap().to_owned();
    assert!(reason.split(';').any(|reason| reason == "duration_unknown"), "{reason}");
}

#[test]
fn a_budget_counts_the_free_allowance_only_if_told_how_much_is_used() {
    let service = Service::new();
    service
        .scene()
        .run(&format!("transcribe {A} {B} -o out {MODEL} --max-cost 0.0001cny --quota-used 0"))
        .exits(0)
        .says("36,000 s of the free allowance of paraformer-v2 in cn are left");
    service.accepted_once(&[A, B]);
}

#[test]
fn a_bill_is_compared_with_usage() {
    let events: Vec<Value> =
        [done(1, "a", json!({"duration": 9})), done(2, "b", json!({"duration": 30}))].into_iter().flatten().collect();
    let scene = Scene::new()
        .write("batch/ledger.jsonl", ledger("fun-asr", "cn", &events))
        .write("batch/results/000001-a.json", pair())
        .write("batch/results/000002-b.json", pair())
        .write("bill.csv", "task_id,seconds,cost\ntask-1,9,0.00198\ntask-2,30,0.0066\ntask-of-others,5,0.0011\n");
    let ran = scene
        .run("cost reconcile batch --statement bill.csv --format csv")
        .exits(3)
        .says("1 statement row names no recording of this batch: 5 s")
        .says("1 differ, 0 not billed, 1 not ours")
        .prints("000001-a.json,agrees,,,9,9,9,0.00198,\n")
        .prints("000002-b.json,differs,,,9,30,30,0.0066,\"unexplained: 30 s are billed, the result has 9 s\"\n");
    // A row of the statement without a word of the amount, and a recording that failed.
    let failed = failed(3, "c");
    let ran = ran
        .then()
        .write("batch/ledger.jsonl", ledger("fun-asr", "cn", &[&events[..], &failed[..]].concat()))
        .write("bill.csv", "task_id,seconds,cost\ntask-1,9,\ntask-2,30,0.0066\n")
        .run("cost reconcile batch --statement bill.csv --focus -q")
        .exits(3);
    let column = focus(&ran);
    assert_eq!(column("ConsumedQuantity"), ["9", "30", ""]);
    assert_eq!(column("ConsumedUnit"), ["Seconds", "Seconds", ""]);
    assert_eq!(column("BilledCost"), ["", "0.0066", ""]);
    // Without a statement, what was billed is unknown.
    let ran = ran.then().run("cost reconcile batch --focus -q").exits(3);
    let line = ran.out().lines().nth(1).unwrap().to_owned();
    assert_eq!(
        line,
        "CNY,2026-11-01T00:00:00Z,2026-12-01T00:00:00Z,Usage,speech transcribed,2026-11-01T00:00:00Z,2026-11-02T00:00:00Z,9,Seconds,9,Seconds,0.00022,0.00198,,,\
         Model Studio,AI and Machine Learning,fun-asr,speech,000001-a.json"
    );
}

/// A batch of a model that is billed in tokens: one recording with a result, one that failed.
fn tokens_batch() -> Scene {
    let mut events = done(1, "a", json!({"duration": 38, "input_tokens": 530, "output_tokens": 109}));
    events.extend(failed(2, "b"));
    let model = "qwen-audio-3.1-asr-flash-filetrans";
    Scene::new()
        .write("batch/ledger.jsonl", ledger(model, "intl", &events))
        .write("batch/results/000001-a.json", call(&[(0, 0, 3720, "one")]).content(0, 3720).lasting(38_000))
}

#[test]
fn a_bill_in_tokens_is_compared_with_what_the_service_reported() {
    let ran = tokens_batch().run("cost reconcile batch --format csv").exits(0);
    assert_eq!(
        ran.out(),
        // Of 38 s the line of known answers, 530 in and 132 out, for each of two tracks.
        "key,verdict,meter,estimate,estimate_high,usage,unit_price,currency,usage_cost,statement,statement_cost,why\n\
         000001-a.json,agrees,tokens_in,1060,2264,530,0.00000015,USD,0.0000795,,,\n\
         000001-a.json,agrees,tokens_out,264,608,109,0.00000047,USD,0.00005123,,,\n\
         b,agrees,tokens_in,,,,0.00000015,USD,,,,\"failed subtask: DOWNLOAD_FAILED, no charge known\"\n\
         b,agrees,tokens_out,,,,0.00000047,USD,,,,\n"
    );
    // Each meter by itself: the tokens agree, the price of those that came out does not.
    let split = "task_id,quantity,meter,cost,currency\ntask-1,530,input_tokens,0.0000795,USD\n\
                 task-1,109,output_tokens,0.0001635,USD\nothers,5,input_tokens,,\n";
    let ran = tokens_batch()
        .write("bill.csv", split)
        .run("cost reconcile batch --statement bill.csv --format json")
        .exits(3)
        .says("1 statement row names no recording of this batch: 5 input tokens")
        .says_no("nothing in bill.csv");
    let report = ran.json();
    assert_eq!(report["verdict"]["service"], json!({"seconds": null, "tokens": 639, "cost": "0.00013073"}));
    assert_eq!((&report["verdict"]["differ"], &report["verdict"]["not_ours"]), (&json!(1), &json!(1)));
    assert_eq!(report["rounding"], Value::Null);
    let rows = &report["rows"];
    has(rows[0].as_object().unwrap(), json!({"statement": 530, "statement_cost": "0.0000795", "why": ""}));
    has(
        rows[1].as_object().unwrap(),
        json!({"statement": 109, "why": "price: 0.0001635 billed for 109 tokens, 0.00005123 at list price"}),
    );
    // Both in one row, with one amount that the statement does not split.
    let both = "url,input_tokens,output_tokens,amount\nhttps://calls.example/a.wav,530,110,0.0001307\n";
    let ran = tokens_batch()
        .write("bill.csv", both)
        .run("cost reconcile batch --statement bill.csv --format csv")
        .exits(3)
        .prints("109,0.00000047,USD,0.00005123,110,,\"statement: 110 tokens, 109 reported by the service\"\n")
        .prints("000001-a.json,differs,both,,,,,USD,0.00013073,,0.0001307,\n");
    let ran = ran.then().run("cost reconcile batch --statement bill.csv --focus -q").exits(3);
    let column = focus(&ran);
    assert_eq!(column("PricingQuantity"), ["530", "109", "", "", ""]);
    assert_eq!(column("PricingUnit"), ["Tokens", "Tokens", "", "", ""]);
    assert_eq!(column("BilledCost"), ["", "", "0.0001307", "", ""]);
    // A quantity without a meter, and another currency.
    tokens_batch()
        .write("bill.csv", "url,quantity,cost,currency\nhttps://calls.example/a.wav,639,0.00013,CNY\n")
        .run("cost reconcile batch --statement bill.csv")
        .exits(3)
        .says("1 statement row does not say which tokens it counts")
        .says("the statement is in CNY, the prices are in USD");
}
