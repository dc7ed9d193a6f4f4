//! One budget for several runs: batches and flash calls that draw on it at once, are killed, and never pass it.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rust_decimal::Decimal;
use serde_json::Value;

use crate::batch::MODEL;
use crate::kills::Dice;
use crate::scene::{Ran, Scene, wav};
use crate::service::{Books, KEY, Service};

fn amount(text: &str) -> Decimal {
    text.split(' ').next().unwrap().parse().unwrap()
}

/// What all runs have spent, and what is reserved.
fn drawn(budget: &Path) -> (Decimal, Decimal) {
    let text = std::fs::read_to_string(budget).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["limit"].is_null()).fold((Decimal::ZERO, Decimal::ZERO), |(spent, reserved), line| {
        (spent + amount(line["spent"].as_str().unwrap()), reserved + amount(line["reserved"].as_str().unwrap()))
    })
}

/// By what the service reported.
fn billed(ran: Ran) -> (Ran, Decimal) {
    // The other may have drawn all of it.
    if ran.files("out/results").is_empty() {
        return (ran, Decimal::ZERO);
    }
    let ran = ran.then().run("cost actual out --format json -q").exits(0);
    let totals = ran.json()["totals"].as_array().unwrap().clone();
    let usage = totals.iter().find(|total| total["basis"] == "usage").map(|total| total["cost"].clone());
    let cost = usage.map_or(Decimal::ZERO, |cost| amount(cost.as_str().unwrap()));
    (ran, cost)
}

const CALLS: usize = 24;
const KILLS: usize = 3;

/// Runs a batch that is killed whenever its ledger has grown by a random length, until it ends by itself.
fn killed_until_it_ends(mut scene: Scene, base_url: &str, line: &str, dice: &mut Dice) -> Ran {
    let ledger = scene.path("out/ledger.jsonl");
    let length = || std::fs::metadata(&ledger).map_or(0, |metadata| metadata.len());
    let mut kills = 0;
    loop {
        let end = if kills < KILLS { length() + 300 + dice.below(3000) } else { u64::MAX };
        scene = scene
            .environment("DASHSCOPE_API_KEY", KEY)
            .environment("DASHSCOPE_HTTP_BASE_URL", base_url)
            .environment("DASHSCOPE_REGION", "cn")
            .environment("NO_PROXY", "127.0.0.1");
        let mut ran = scene.run_while(line, |child| {
            if length() >= end {
                child.kill().unwrap();
            }
        });
        if !ran.was_killed() {
            return ran;
        }
        kills += 1;
        scene = ran.then();
    }
}

#[test]
fn two_batches_that_are_killed_never_pass_the_budget_they_share() {
    let service = Service::new();
    let folder = tempfile::tempdir().unwrap();
    let budget = folder.path().join("budget.jsonl");
    // 0.00008 CNY a second: a recording is 240 s at most, about half of which is speech, and half of 48 do not fit.
    std::fs::write(&budget, "{\"limit\": \"0.16 CNY\"}\n").unwrap();
    let limit = amount("0.16");
    let list = |name: &str| -> String {
        let calls = (0..CALLS).map(|n| format!("https://calls.example/{name}-{n}.wav,240\n"));
        format!("url,duration\n{}", calls.collect::<String>())
    };
    let line = format!("transcribe --files-from list.csv -o out {MODEL} --budget {}", budget.display());
    let base_url = service.base_url();
    let scenes = ["north", "south"].map(|name| (name, Scene::new().write("list.csv", list(name))));
    let done = AtomicBool::new(false);
    let ran = std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let (spent, reserved) = drawn(&budget);
                assert!(spent + reserved <= limit, "{spent} spent, {reserved} reserved");
                std::thread::park_timeout(Duration::from_millis(3));
            }
        });
        let (line, base_url) = (&line, &base_url);
        let runs = scenes.map(|(name, scene)| {
            let mut dice = Dice(name.len() as u64 + u64::from(name.as_bytes()[0]));
            scope.spawn(move || killed_until_it_ends(scene, base_url, line, &mut dice))
        });
        let ran = runs.map(|run| run.join().unwrap());
        done.store(true, Ordering::Relaxed);
        watch.join().unwrap();
        ran
    });
    // Both were stopped by the budget, and what the service bills is within it, to the last call.
    let [north, south] = ran.map(|ran| ran.exits(3).says("the budget of 0.16 CNY for "));
    let ([(north, one), (south, two)], accepted) = ([billed(north), billed(south)], service.accepted());
    assert!(one + two <= limit, "{one} + {two}");
    assert!(accepted.len() > 8 && accepted.len() < 2 * CALLS, "{}", accepted.len());
    assert!(accepted.values().all(|times| *times == 1), "{accepted:?}");
    assert_eq!(drawn(&budget), (one + two, Decimal::ZERO));
    // With a higher limit the rest follows, and the file has what both cost.
    let raised = std::fs::read_to_string(&budget).unwrap().replace("0.16 CNY", "5 CNY");
    std::fs::write(&budget, raised).unwrap();
    let [north, south] = [north, south].map(|ran| service.then(ran).run(&line).exits(0));
    assert_eq!(service.accepted().len(), 2 * CALLS);
    let [(north, one), (_, two)] = [billed(north), billed(south)];
    assert_eq!(drawn(&budget), (one + two, Decimal::ZERO));
    assert_eq!(Books::balance(&north).stored.len(), CALLS);
}

#[test]
fn flash_calls_and_batches_draw_on_one_budget_by_project() {
    let service = Service::new();
    let clip = wav(1, 8000, 10);
    let scene = service.scene().write("clip.wav", &clip[..]).write("call.wav", wav(1, 8000, 60));
    let limits =
        "# of November and after\n{\"limit\": \"0.02 CNY\"}\n{\"project\": \"support\", \"limit\": \"0.0049 CNY\"}\n";
    // 10 s × 0.00022 a clip, 60 s × 0.00008 a call, whose silence is not billed.
    let flash = "flash clip.wav --budget budget.jsonl";
    let ran = scene.write("budget.jsonl", limits).run(&format!("{flash} --project support")).exits(0);
    let text = ran.file("budget.jsonl");
    assert!(text.starts_with(limits), "{text}");
    assert!(
        text.contains("\"project\":\"support\",\"run\":\"flash\",\"spent\":\"0.0022 CNY\",\"reserved\":\"0 CNY\""),
        "{text}"
    );
    let ran = service.then(ran).run(&format!("{flash} --project support")).exits(0);
    let before = service.of_kind("flash");
    let ran = service
        .then(ran)
        .run(&format!("{flash} --project support"))
        .exits(3)
        .says("the budget of 0.0049 CNY of support for ")
        .says("0.0044 spent, 0.0022 reserved with this submit");
    assert_eq!(service.of_kind("flash"), before);
    let transcribe = |project: &str| {
        format!("transcribe call.wav -o out-{project} {MODEL} --budget budget.jsonl --project {project}")
    };
    let ran = service.then(ran).run(&transcribe("support")).exits(3).says("the budget of 0.0049 CNY of support");
    service.was_asked("submit", 0);
    // Another project has no limit of its own.
    let ran = service.then(ran).run(&transcribe("sales")).exits(0);
    service.was_asked("submit", 1);
    let (spent, reserved) = drawn_below(&ran);
    assert_eq!(reserved, Decimal::ZERO);
    assert!(spent > amount("0.0044") && spent <= amount("0.0092"), "{spent}");
    // A clip of unknown length is reserved as the longest, which does not fit into the rest.
    let ran = service.then(ran).run("flash https://calls.example/a.wav --budget budget.jsonl").exits(3);
    let ran = ran.says("the budget of 0.02 CNY for ");
    let address = "transcribe https://calls.example/a.wav -o out-a";
    let ran = service.then(ran).run(&format!("{address} {MODEL} --budget budget.jsonl")).exits(3);
    let ran = ran.says("1 recording of unknown length: each track is reserved in the budget as 12 h long");
    // A budget that cannot be held, or is none.
    let ran = service.then(ran).write("dollars.jsonl", "{\"limit\": \"5usd\"}\n");
    let ran = ran.run(&format!("{address} {MODEL} --budget dollars.jsonl")).exits(3);
    let ran = ran.says("paraformer-v2 has no known price in cn in USD");
    let ran = service.then(ran).write("past.jsonl", "{\"month\": \"2020-01\", \"limit\": \"5cny\"}\n");
    let ran =
        ran.run(&format!("{address} {MODEL} --budget past.jsonl")).exits(3).says("past.jsonl has no limit for 20");
    let ran = service.then(ran).write("wrong.jsonl", "{\"limit\": 5}\n");
    let ran = ran.run(&format!("{address} {MODEL} --budget wrong.jsonl")).exits(2).says("wrong.jsonl: line 1: ");
    service.then(ran).run(&format!("{address} {MODEL} --budget none.jsonl")).exits(1).says("cannot read none.jsonl");
    service.was_asked("submit", 1);
}

#[test]
fn a_recording_over_a_limit_holds_up_no_others() {
    let service = Service::new();
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| format!("https://calls.example/{name}.wav"));
    // Ten hours × 0.00008 are 2.88, 240 s are 0.0192.
    let list = format!("url,duration\n{a}?sig=c2Vj,10h\n{b},240\n{c},240\n");
    let run = format!("transcribe --files-from list.csv -o out {MODEL}");
    let scene = service.scene().write("list.csv", &*list).write("budget.jsonl", "{\"limit\": \"0.1 CNY\"}\n");
    let ran = scene.run(&format!("{run} --budget budget.jsonl --files-per-task 2")).exits(3).says_no("c2Vj");
    let ran = ran.says("a.wav?…: over_budget: may cost up to 2.88 CNY alone, more than the budget of 0.1 CNY for ");
    service.accepted_once(&[b.clone(), c.clone()]);
    let failures = |ran: &Ran| ran.file("out/failures.csv").lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert!(failures(&ran)[0].contains("over_budget") && failures(&ran).len() == 1, "{:?}", failures(&ran));
    let (spent, reserved) = drawn_below(&ran);
    assert!(spent > Decimal::ZERO && spent <= amount("0.0384") && reserved == Decimal::ZERO, "{spent} {reserved}");
    // It waits in the batch, and a lower limit of the batch itself lets the next one pass, too.
    let ran = service.then(ran).write("list.csv", format!("{list}{d},240\n"));
    let ran = ran.run(&format!("{run} --max-cost 2.6cny --format json")).exits(3);
    let ran = ran.says("a.wav?…: may cost up to 2.88 CNY alone, more than 2.6 CNY: not sent");
    assert_eq!((&ran.json()[0]["transcribed"], &ran.json()[0]["waiting"]), (&Value::from(3), &Value::from(1)));
    assert!(failures(&ran)[0].contains("over_limit") && failures(&ran).len() == 1, "{:?}", failures(&ran));
    service.accepted_once(&[b.clone(), c.clone(), d.clone()]);
    let ran = service.then(ran).run(&format!("{run} --max-cost 4cny")).exits(0);
    assert!(failures(&ran).is_empty());
    service.accepted_once(&[b, c, d, format!("{a}?sig=c2Vj")]);
}

#[test]
fn lengths_belong_to_their_recordings_where_a_limit_leaves_one_out() {
    let service = Service::new();
    // Without the first, the second is still 240 s of one track: both budgets allow it.
    let list = "url,duration\nhttps://calls.example/a.wav,10h\nhttps://calls.example/b.wav,240\n";
    let scene = service.scene().write("list.csv", list).write("budget.jsonl", "{\"limit\": \"0.0192 CNY\"}\n");
    let run = format!("transcribe --files-from list.csv -o out {MODEL}");
    let ran = scene.run(&format!("{run} --max-cost 2.5cny --budget budget.jsonl")).exits(3);
    service.accepted_once(&["https://calls.example/b.wav"]);
    ran.says("a.wav: may cost up to 2.88 CNY alone, more than 2.5 CNY: not sent").says_no("over_budget");
}

#[test]
fn a_budget_counts_what_is_free_for_a_limit() {
    let service = Service::new();
    let list = "url,duration\nhttps://calls.example/b.wav,240\n";
    let run = format!("transcribe --files-from list.csv -o out {MODEL} --max-cost 0.0001cny --quota-used 0");
    let scene = service.scene().write("list.csv", list).write("budget.jsonl", "{\"limit\": \"0.0191 CNY\"}\n");
    let ran = scene.run(&format!("{run} --budget budget.jsonl")).exits(3);
    service.was_asked("submit", 0);
    let ran = service.then(ran).write("budget.jsonl", "{\"limit\": \"0.0192 CNY\"}\n");
    let ran = ran.run(&format!("{run} --budget budget.jsonl")).exits(0);
    let (spent, reserved) = drawn_below(&ran);
    assert!(spent > Decimal::ZERO && reserved == Decimal::ZERO, "{spent}");
}

#[test]
fn runs_of_a_model_billed_in_tokens_never_pass_the_budget_they_share() {
    let service = Service::new().in_region("intl");
    let list = |name: &str| {
        let calls = (0..8).map(|n| format!("https://calls.example/{name}-{n}.wav,600\n"));
        format!("url,duration\n{}", calls.collect::<String>())
    };
    let run = |name: &str| {
        format!(
            "transcribe --files-from {name}.csv -o out --model qwen-audio-3.1-asr-flash-filetrans --budget budget.jsonl -q"
        )
    };
    // 600 s: 15,182 tokens in × 0.15 and 15,182 out × 0.47 by the million are 0.0094, so that two are never under way at once.
    let limit = "0.011 USD";
    let scene = service.scene().write("north.csv", list("north")).write("south.csv", list("south"));
    let scene = scene.write("budget.jsonl", format!("{{\"limit\": \"{limit}\"}}\n"));
    let ran = scene.run(&run("north")).exits(3).says("the budget of 0.011 USD for ");
    let (spent, reserved) = drawn_below(&ran);
    assert!(spent > Decimal::ZERO && spent <= amount(limit) && reserved == Decimal::ZERO, "{spent} {reserved}");
    let (ran, cost) = billed(ran);
    assert_eq!(spent, cost);
    let ran = service.then(ran).run(&run("south").replace("-o out", "-o other")).exits(3);
    let (all, _) = drawn_below(&ran);
    assert!(all >= spent && all <= amount(limit), "{all}");
    assert!((1..16).contains(&service.accepted().len()), "{}", service.accepted().len());
}

fn drawn_below(ran: &Ran) -> (Decimal, Decimal) {
    let text = ran.file("budget.jsonl");
    let path = ran.path("drawn.jsonl");
    let lines = text.lines().filter(|line| line.starts_with('{'));
    std::fs::write(&path, lines.map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    drawn(&path)
}
