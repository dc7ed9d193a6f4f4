//! What several batches have cost together: by month, model and the columns of their lists, in one currency.

use serde_json::{Value, json};

use crate::cost::{done, ledger};
use crate::scene::{Ran, Scene, call};

/// Two batches: `north` in cn, in October and November, for two teams; `south` in intl. 10 s of speech each.
fn batches() -> Scene {
    let mut scene = Scene::new();
    for (folder, region, recordings) in [
        ("north", "cn", &[("2026-10-31T23:59:59Z", "Support"), ("2026-11-01T00:00:00Z", "Sales")][..]),
        ("south", "intl", &[("2026-11-05T08:00:00Z", "Support")]),
    ] {
        let mut events = Vec::new();
        for (n, (at, team)) in (1..).zip(recordings) {
            let mut own = done(n, &format!("c{n}"), json!({"duration": 11}));
            own.iter_mut().for_each(|event| event["at"] = json!(at));
            own[0]["columns"] = json!({"Team": team});
            events.extend(own);
            let text = call(&[(0, 0, 10_000, "one")]).content(0, 10_000);
            scene = scene.write(&format!("{folder}/results/{n:06}-c{n}.json"), text);
        }
        scene = scene.write(&format!("{folder}/ledger.jsonl"), ledger("fun-asr", region, &events));
    }
    scene
}

fn run(more: &str) -> Ran {
    batches().run(&format!("cost actual north south {more}"))
}

#[test]
fn costs_are_summed_by_month_model_and_columns_of_the_list() {
    let ran = run("--group-by month,team --format csv").exits(0);
    assert_eq!(
        ran.out(),
        // 10 s by the results and 11 as reported, × 0.00022 CNY and × 0.000035 USD.
        "month,team,basis,lines,seconds,tokens,currency,cost\n\
         2026-10,Support,result,1,10,0,CNY,0.0022\n\
         2026-10,Support,usage,1,11,0,CNY,0.00242\n\
         2026-11,Sales,result,1,10,0,CNY,0.0022\n\
         2026-11,Sales,usage,1,11,0,CNY,0.00242\n\
         2026-11,Support,result,1,10,0,USD,0.00035\n\
         2026-11,Support,usage,1,11,0,USD,0.000385\n"
    );
    let ran = run("--group-by batch,day,model --format json").exits(0);
    let groups = ran.json()["groups"].clone();
    let keys: Vec<Value> = groups
        .as_array()
        .unwrap()
        .iter()
        .map(|group| json!([group["batch"], group["day"], group["model"], group["totals"][0]["cost"]]))
        .collect();
    assert_eq!(
        keys,
        [
            json!(["north", "2026-10-31", "fun-asr", "0.0022"]),
            json!(["north", "2026-11-01", "fun-asr", "0.0022"]),
            json!(["south", "2026-11-05", "fun-asr", "0.00035"]),
        ]
    );
    run("--group-by floor")
        .exits(2)
        .says("--group-by floor: no input has this column; there are `month`, ")
        .says("`Team`");
    // For people, sums alone; lines are asked for.
    let ran = run("").exits(0).prints("by result: 20 s on 2 lines, 0.0044 CNY");
    assert!(!ran.out().contains("000001-c1.json"), "{}", ran.out());
    run("--details").exits(0).prints("000001-c1.json");
    let lines = run("--format jsonl").exits(0).lines();
    assert_eq!(lines.len(), 6, "{lines:?}");
    // What was reported is named as the result.
    let named = |basis: &str| -> Vec<String> {
        let own = lines.iter().filter(|line| line["basis"] == basis);
        let mut names: Vec<_> = own.map(|line| line["file"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(named("usage"), named("result"));
}

#[test]
fn a_rate_a_discount_and_a_tax_stand_beside_the_list_price() {
    let ran = run("--currency-rate CNY=0.14 --discount 15% --tax 6%").exits(0);
    // 0.0044 CNY × 0.14 + 0.00035 USD = 0.000966; less 15 % 0.0008211; and 6 % on it 0.000870366.
    let ran = ran
        .prints("by result: 20 s on 2 lines, 0.0044 CNY\n")
        .prints("by result: 10 s on 1 line, 0.00035 USD\n")
        .prints("at 1 CNY = 0.14 USD\n")
        .prints("by result: 0.00097 USD at list price, 0.00082 less 15 %, 0.00087 with 6 % tax\n");
    drop(ran);
    // Cents that do not tell amounts apart give way to digits.
    let ran = run("--currency-rate CNY=4.2 --discount 1%").exits(0);
    // 0.0044 × 4.2 + 0.00035 = 0.01883; less 1 % 0.0186417.
    drop(ran.prints("by result: 0.01883 USD at list price, 0.0186417 less 1 %\n"));
    // What has no price is not in the sum.
    let scene = batches().write("others/x.json", call(&[(0, 0, 10_000, "one")]).content(0, 10_000));
    let ran = scene.run("cost actual north others --tax 6%").exits(0);
    drop(ran.prints("by result: 0.0044 CNY at list price, 0.0047 with 6 % tax; 1 line without a price is not in it\n"));
    let report = run("--currency-rate CNY=0.14 --discount 15% --tax 6% --format json").exits(0).json();
    assert_eq!(
        report["adjusted"][0],
        json!({
            "basis": "result", "currency": "USD", "list": "0.000966", "discounted": "0.0008211", "taxed": "0.000870366",
        })
    );
    let printed = ["currency_rate", "discount", "tax"].map(|name| report[name].clone());
    assert_eq!(printed, ["1 CNY = 0.14 USD", "0.15", "0.06"]);
    for wrong in ["--discount 15", "--discount 101%", "--tax -6%", "--currency-rate CNY", "--currency-rate CNY=0"] {
        run(wrong).exits(2).prints_nothing();
    }
}

/// Two-track calls, 9 s each.
fn many(number: u32) -> Scene {
    let mut events = Vec::new();
    let mut scene = Scene::new();
    let text = call(&[(0, 0, 4_200, "one"), (1, 4_200, 8_900, "two")]).content(0, 4_200).content(1, 4_700);
    let text = text.lasting(10_000);
    for n in 1..=number {
        events.extend(done(n, &format!("c{n}"), json!({"duration": 9})));
        scene = scene.write(&format!("out/results/{n:06}-c{n}.json"), text.clone());
    }
    scene.write("out/ledger.jsonl", ledger("fun-asr", "cn", &events))
}

#[test]
fn lines_are_printed_as_they_come_and_all_of_them() {
    // Two lines by the result and one as reported of each; tables come in parts.
    let ran = many(700).run("cost actual out --details").exits(0);
    let out = ran.out();
    let heads = out.lines().filter(|line| line.starts_with("file ")).count();
    assert!(heads > 1, "{heads}");
    assert_eq!(out.lines().filter(|line| line.contains("-c")).count(), 2100, "{out}");
    assert!(out.contains("by result: 7,000 s on 1,400 lines, 1.54 CNY"), "{out}");
    let ran = ran.then().run("cost actual out --details --format md").exits(0);
    assert_eq!(ran.out().lines().filter(|line| line.starts_with("| file ")).count(), 1);
    let ran = ran.then().run("cost actual out --format csv").exits(0);
    assert_eq!(ran.out().lines().count(), 2101);
    let ran = ran.then().run("cost actual out --format json --details").exits(0);
    let report = ran.json();
    let [project] = &report["projects"].as_array().unwrap()[..] else { panic!("one project") };
    assert_eq!((&project["model"], &project["region"]), (&json!("fun-asr"), &json!("cn")));
    let files = project["breakdown"].as_array().unwrap();
    assert_eq!(files.len(), 1400);
    assert_eq!(files[0]["meters"].as_array().unwrap().len(), 2);
    assert_eq!(files[1399]["meters"][0]["basis"], "usage");
    let ran = ran.then().run("cost actual out --format json").exits(0);
    assert_eq!(ran.json().get("projects"), None);
}

/// The names of a document's own members, in their order.
fn members(text: &str) -> Vec<&str> {
    let own = text.lines().filter_map(|line| line.strip_prefix("  \""));
    own.filter_map(|line| line.split_once('"').map(|(name, _)| name)).collect()
}

#[test]
fn documents_have_their_members_in_a_fixed_order() {
    let ran = many(1).run("cost actual out --format json --details").exits(0);
    let kept =
        ["version", "kind", "currency", "totals", "groups", "summary", "adjusted", "currency_rate", "discount", "tax"];
    assert_eq!(members(&ran.out()), [&kept[..], &["projects"]].concat());
    // A file's lines by its result and as reported are together where one follows the other.
    assert_eq!(ran.json()["projects"][0]["breakdown"][0]["meters"].as_array().unwrap().len(), 3);
    let ran = ran.then().run("cost estimate out --format json --details").exits(0);
    assert_eq!(members(&ran.out()), ["version", "kind", "currency", "totals", "projects", "law", "summary"]);
    let project = ran.json()["projects"][0].clone();
    assert!(project["breakdown"][0]["meters"][0]["quantity"]["expected"].is_i64(), "{project:#}");
    let ran = ran.then().run("cost reconcile out --format json").exits(0);
    assert_eq!(members(&ran.out()), ["verdict", "rounding", "largest", "rows", "not_ours"]);
    let first = ran.out().lines().find(|line| line.contains("\"key\"")).unwrap().to_owned();
    assert!(first.contains("000001-c1.json"), "{first}");
}
