//! What recordings will cost: a verdict to plan with, in one screen.

use serde_json::{Value, json};

use crate::scene::{Scene, call, wav};

/// Two calls of known length, one hour and half an hour, and two of unknown length.
const LIST: &str = "url,duration,queue\nhttps://calls.example/a.wav,1:00:00,sales\nhttps://calls.example/b.wav,0:30:00,billing\n\
                    https://calls.example/c.wav,n/a,sales\nhttps://calls.example/d.wav,,billing\n";

fn verdict(out: &str) -> Vec<(String, String)> {
    let split = |line: &str| {
        let (name, figure) = line.split_once("  ").unwrap_or((line, ""));
        (name.trim().to_owned(), figure.trim().to_owned())
    };
    out.lines().map(split).collect()
}

#[test]
fn an_estimate_is_a_verdict_on_stdout() {
    let ran = Scene::new().write("calls.csv", LIST).run("cost estimate calls.csv --region intl").exits(0);
    let out = ran.out();
    let figures = verdict(&out);
    let figure = |name: &str| figures.iter().find(|(known, _)| known == name).map(|(_, figure)| figure.clone());
    // 3600 × 0.86 + 1800 × 0.86 = 4644 s; 1.2816 × √((5400 × 0.08)² + (3600 × 0.08)² + (1800 × 0.08)²) = 690.4 s less and
    // more; × 0.000035.
    for (name, known) in [
        ("recordings", "4"),
        ("length", "1:30:00"),
        ("charges", "4"),
        ("low", "0.14 USD"),
        ("expected", "0.16 USD"),
        ("high", "0.19 USD"),
        ("at most", "0.19 USD"),
        ("per hour", "0.11 USD"),
        ("per call", "0.08 USD"),
    ] {
        assert_eq!(figure(name).as_deref(), Some(known), "{name}\n{out}");
    }
    // Of unknown length: two at the mean of 45 min.
    assert!(out.contains(
        "2 recordings of unknown length not counted: about +0.16 USD at the mean length of the rest (45:00)"
    ));
    // Two tracks of the calls of known length: 5536 s are expected, 10,800 the most.
    assert!(
        out.contains("2 URLs: 1 track of each is assumed, the service's default; two tracks (--channel 0,1) would be"),
        "{out}"
    );
    assert!(out.contains("about 0.19 USD instead of 0.16 USD, at most 0.38 USD"), "{out}");
    // The law that it is by.
    assert!(
        out.contains(
            "2 tracks: the usual share of speech, 0.86 of the length; standard deviation 0.08 between sources, 0.08 between"
        ),
        "{out}"
    );
    assert!(out.contains("four of five such totals lie between low and high"), "{out}");
    assert!(!out.contains("a.wav") && out.lines().count() < 24, "{out}");
    ran.then().run("cost estimate calls.csv --region intl --details").exits(0).prints("https://calls.example/a.wav");

    let scene = || Scene::new().write("calls.csv", LIST);
    let ran = scene().run("cost estimate calls.csv --region intl --group-by queue").exits(0);
    let lines: Vec<String> =
        ran.out().lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    // 1.2816 × 3600 × √(0.08² + 0.08²) = 522 s, 261 s for half of it.
    assert_eq!(
        lines[..4],
        [
            "group low expected high at most recordings length charges per hour per call",
            "billing 0.05 USD 0.05 USD 0.06 USD 0.06 USD 2 30:00 2 0.11 USD 0.05 USD",
            "sales 0.09 USD 0.11 USD 0.13 USD 0.13 USD 2 1:00:00 2 0.11 USD 0.11 USD",
            "all 0.14 USD 0.16 USD 0.19 USD 0.19 USD 4 1:30:00 4 0.11 USD 0.08 USD",
        ]
    );
    // For programs exact.
    let report = scene().run("cost estimate calls.csv --region intl --format json").exits(0).json();
    let total = &report["totals"][0];
    assert_eq!(total["cost"], json!({"low": "0.13839", "expected": "0.16254", "high": "0.186725"}), "{report:#}");
    assert_eq!(
        (&total["most"], &total["per_hour"], &total["per_call"]),
        (&json!("0.189"), &json!("0.10836"), &json!("0.08127"))
    );
    assert_eq!(total["unknown_length"], json!({"recordings": 2, "expected": "0.16254"}));
    assert_eq!(total["one_track_assumed"]["two_tracks_most"], "0.378");
    assert_eq!(report["projects"][0].get("breakdown"), None);
    assert_eq!(report["projects"][0]["most"], "0.189");
}

#[test]
fn a_comparison_fits_a_terminal_and_names_currencies_and_laws() {
    let models = "--region cn --compare fun-asr-flash-2026-06-15,qwen-audio-3.1-asr-flash-filetrans";
    let scene = || Scene::new().write("calls.csv", LIST);
    let ran = scene().environment("COLUMNS", "80").run(&format!("cost estimate calls.csv {models}")).exits(0);
    let out = ran.out();
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    let head = out.lines().next().unwrap();
    assert!(head.contains("model") && head.contains("expected") && head.contains("high"), "{out}");
    let out = scene().run(&format!("cost estimate calls.csv {models}")).exits(0).out();
    for line in [
        "fun-asr: 2 tracks: the usual share of speech, 0.86 of the length",
        "fun-asr-flash-2026-06-15: 2 clips: the length of the audio is billed",
        "qwen-audio-3.1-asr-flash-filetrans: 2 tracks: tokens by the length, from a few published answers; low and high are no",
        "amounts are in CNY and USD: --currency counts all in one",
    ] {
        assert!(out.contains(line), "{line}\n{out}");
    }
    let report = scene().run(&format!("cost estimate calls.csv {models} --format json")).exits(0).json();
    assert_eq!(report["totals"][1]["law"], json!(["2 clips: the length of the audio is billed"]));
    assert_eq!(report["law"], report["totals"][0]["law"]);
    // A single group has its name.
    scene().run("cost estimate calls.csv --group-by url").exits(0).prints("all ");
    let one = Scene::new().write("calls.csv", "url,duration,queue\nhttps://calls.example/a.wav,60,sales\n");
    let out = one.run("cost estimate calls.csv --group-by queue").exits(0).out();
    assert!(out.contains("sales") && !out.contains("all "), "{out}");
}

#[test]
fn what_is_not_known_is_said_to_be_unknown() {
    let list = "url\nhttps://calls.example/a.wav\nhttps://calls.example/b.wav\n";
    let scene = || Scene::new().write("calls.csv", list);
    let out = scene().run("cost estimate calls.csv --region intl").exits(0).out();
    let figures = verdict(&out);
    for name in ["length", "low", "expected", "high", "at most", "per hour", "per call"] {
        assert!(figures.contains(&(name.to_owned(), "unknown".to_owned())), "{name}\n{out}");
    }
    assert!(out.contains("2 recordings of unknown length: a list gives lengths in a column `duration`"), "{out}");
    assert!(
        out.contains("two tracks (--channel 0,1) would be up to twice as much") && !out.contains("not priced"),
        "{out}"
    );
    let why = "cannot tell whether 5 USD is enough: 2 recordings of unknown length";
    scene().run("cost estimate calls.csv --region intl --max-cost 5usd").exits(3).says(why);
    // What is known is enough to exceed it.
    let ran = Scene::new().write("calls.csv", LIST).run("cost estimate calls.csv --region intl --max-cost 0.1usd");
    ran.exits(3).says("the expected cost of 0.16254 USD of the recordings whose cost is known alone exceeds 0.1 USD");
    let ran = Scene::new().run("cost estimate nowhere.wav").exits(3).says("no recording could be read");
    ran.says("1 file found: 0 priced").prints_nothing();
    let us = scene().run("cost estimate calls.csv --region us").exits(0);
    us.says("fun-asr is not offered in us, only in ");
    scene().run("cost estimate calls.csv --channel 0,0").exits(2).says("--channel: track 0 is given twice");
    let ran = Scene::new().write("calls.csv", LIST).run("cost estimate calls.csv --price-date 2020-01-01").exits(0);
    ran.says("no price of fun-asr in ").says(" is known for that date: that of 2026-");
}

#[test]
fn tracks_that_are_known_are_not_assumed() {
    let list = "url,duration,channels\nhttps://calls.example/a.wav,60,1\n";
    let ran = Scene::new().write("calls.csv", list).run("cost estimate calls.csv --region intl").exits(0);
    assert!(!ran.out().contains("is assumed"), "{}", ran.out());
    let list = list.replace(",1\n", ",2\n");
    let run = "cost estimate calls.csv --region intl";
    let ran = Scene::new().write("calls.csv", list).run(run).exits(0).prints("1 URL: 1 track of each is assumed");
    for more in ["--channel 0", "--model fun-asr-flash-2026-06-15"] {
        let ran = ran_again(&ran, &format!("{run} {more}"));
        assert!(!ran.contains("is assumed"), "{ran}");
    }
}

/// The output of another command in a copy of the list.
fn ran_again(ran: &crate::scene::Ran, line: &str) -> String {
    Scene::new().write("calls.csv", ran.file("calls.csv")).run(line).exits(0).out()
}

#[test]
fn earlier_results_of_the_same_source_narrow_the_range() {
    // Two tracks, of which the first holds speech for 0.2 and 0.3 of the length, the second for 0.1 of it.
    let earlier = |first: i64| call(&[(0, 0, first, "one"), (1, 0, 10_000, "two")]).lasting(100_000);
    let scene = || {
        (0..20)
            .fold(Scene::new(), |scene, at| {
                scene.call(&format!("earlier-{at}"), earlier(if at % 2 == 0 { 20_000 } else { 30_000 }))
            })
            .write("audio/a.wav", wav(2, 8000, 1000))
            .write("audio/mono.wav", wav(1, 8000, 100))
    };
    let cost = |report: &Value| {
        let amount = |cell: &Value| cell.as_str().unwrap().parse::<f64>().unwrap() / 0.000_035;
        let cost = &report["totals"][0]["cost"];
        [amount(&cost["low"]), amount(&cost["expected"]), amount(&cost["high"])].map(f64::round)
    };
    let run = "cost estimate audio/a.wav --region intl --format json";
    assert_eq!(cost(&scene().run(run).exits(0).json()), [601.0, 1026.0, 1452.0]);
    // By hand: 250 and 100 s. Of track 0 the standard deviation is 0.0513, that of its mean 0.0513 / √20 = 0.0115; of track 1
    // both are 0: 1.2816 × √(11.5² + 51.3²) = 67.4.
    let ran = scene().run(&format!("{run} --like calls --details")).exits(0);
    assert_eq!(cost(&ran.json()), [283.0, 350.0, 418.0]);
    let meters = ran.json()["projects"][0]["breakdown"][0]["meters"].clone();
    assert_eq!((&meters[0]["speech_source"], &meters[0]["quantity"]["expected"]), (&json!("earlier"), &json!(250)));
    // Tracks that they do not have keep the usual share.
    let ran = scene().run("cost estimate audio --region intl --like calls").exits(0);
    let ran = ran
        .prints("1 track: the share of speech in earlier results, 0.25 of the length")
        .prints("1 track: the usual share");
    ran.then().run("cost estimate audio --like audio").exits(1).says("--like: no result that states its length");
    scene().run("cost estimate audio --like calls --speech-share 0.5").exits(2).says("cannot be used with");
}

#[test]
fn recordings_that_are_too_long_for_the_model_are_named_before() {
    let list = "url,duration\nhttps://calls.example/a.wav,13h\nhttps://calls.example/b.wav,301\nhttps://calls.example/c.wav,60\n";
    let run = "cost estimate calls.csv --compare fun-asr-flash-2026-06-15 --region intl";
    let ran = Scene::new().write("calls.csv", list).run(run).exits(0);
    let ran = ran.says("1 recording longer than fun-asr takes (12 h): split them");
    ran.says("2 recordings longer than fun-asr-flash-2026-06-15 takes (5 min): split them");
    let ran = Scene::new().write("calls.csv", list).run("cost estimate calls.csv --model sensevoice-v1").exits(0);
    ran.says("sensevoice-v1 is being retired by the service: use fun-asr");
}

#[test]
fn a_folder_of_many_recordings_is_one_screen() {
    let header = wav(1, 8000, 0);
    let scene = Scene::new().with(|folder| {
        std::fs::create_dir(folder.join("audio")).unwrap();
        for at in 0..2000_u32 {
            // Five minutes, of which nothing is written: files with a hole.
            let mut bytes = header.clone();
            let data = (300 * 16_000_u32).to_le_bytes();
            bytes[40..44].copy_from_slice(&data);
            let path = folder.join(format!("audio/{at:04}.wav"));
            std::fs::write(&path, bytes).unwrap();
            std::fs::File::options().write(true).open(path).unwrap().set_len(44 + 300 * 16_000).unwrap();
        }
    });
    let ran = scene.run("cost estimate audio --region intl").exits(0).says("2,000 files found: 2,000 priced");
    // 2000 × 258 s × 0.000035, and 166:40:00 h.
    let out = ran.out();
    assert!(out.contains("18.06 USD") && out.contains("166:40:00") && out.contains("21.00 USD"), "{out}");
    assert!(out.lines().count() < 24, "{out}");
}

#[test]
fn thousands_of_recordings_alike_are_no_thousand_lines() {
    // Each states a minute and holds a second.
    let mut bytes = wav(1, 8000, 60);
    bytes.truncate(44 + 16_000);
    let scene = (0..9).fold(Scene::new(), |scene, at| scene.write(&format!("audio/{at}.wav"), bytes.clone()));
    let ran = scene.run("cost estimate audio --region intl").exits(0);
    let ran = ran.says("and 4 more that hold less than their headers state");
    assert_eq!(ran.err().matches("audio/").count(), 5, "{}", ran.err());
}
