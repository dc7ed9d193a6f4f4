//! What a manager asks of the page: what it is, what needs a look and why, which group, since when, and whose call it is.

use serde_json::{Value, json};

use super::page;
use crate::scene::{Call, Ran, Scene};

/// Two minutes of two speakers, with a silence of this length between their turns.
fn call(silence: i64) -> Call {
    let at = 20_000 + silence;
    Call::default()
        .say(0, &[(0, 20_000, "good morning how can I help you today")])
        .say(1, &[(at, at + 20_000, "it is about the refund of my order")])
        .say(0, &[(at + 20_500, at + 40_000, "let me see what I can do for you")])
        .url("https://user:secret@calls.example.org/a/b.wav?Signature=secret")
        .lasting(at + 45_000)
}

/// Twelve calls of three weeks: those of Ben have more dead air, and one of Ann's has most.
fn calls() -> Scene {
    let mut meta = "file,agent,queue,started,ticket\n".to_owned();
    let mut scene = Scene::new();
    for at in 0..12_i64 {
        let agent = ["Ann", "Ben", "Cem"][at as usize % 3];
        let silence = match (at, agent) {
            (0, _) => 60_000,
            (_, "Ben") => 5000 + at * 10,
            _ => 1000 + at * 10,
        };
        meta += &format!(
            "{at:02}.json,{agent},{},2026-10-{:02} 09:{at:02}:00,T{at}\n",
            ["a", "b"][at as usize % 2],
            5 + at * 2
        );
        scene = scene.call(&format!("{at:02}"), call(silence));
    }
    scene.write("meta.csv", meta.as_str())
}

const RULES: &str = "[[rule]]\nid = \"asked-refund\"\nname = \"A refund was asked for\"\nseverity = \"serious\"\nwhen = \"asked and not late\"\n\
    [rule.conditions.asked]\nphrases = [\"refund\"]\n[rule.conditions.late]\nmetric = \"calls.longest_silence_ms\"\nat_least = 3000\n\
    [[rule]]\nid = \"no-goodbye\"\nname = \"Nobody said goodbye\"\nseverity = \"notice\"\nwhen = \"silent\"\n\
    [rule.conditions.silent]\nabsent = [\"goodbye\"]\nlast = \"10s\"\n";

fn analysed(more: &str) -> Ran {
    calls().write("rules.toml", RULES).run(&format!("analyze calls -o out --meta meta.csv {more}")).exits(0)
}

#[test]
fn the_page_says_what_it_is() {
    let ran = analysed("--title Autumn --tables csv");
    let html = ran.file("out/report.html");
    let head = page::text(&html[html.find("<header>").unwrap()..html.find("<nav").unwrap()]);
    let lines: Vec<&str> = head.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines[0], "Autumn");
    let source = "12 calls, 14 min 28 s · 2026-10-05 to 2026-10-27 · recordings from calls.example.org";
    assert!(lines[1].starts_with(source), "{}", lines[1]);
    assert!(!html.contains("secret"));
    // The title is kept with the tables, until there is another.
    let ran = ran.then().run("report out -o again.html").exits(0);
    assert!(ran.file("again.html") == html);
    let ran = ran.then().run("report out --title Winter --format md").exits(0);
    assert!(ran.out().starts_with("# Winter\n\n12 calls, 14 min 28 s\n"), "{}", ran.out());
    let html = calls().run("analyze calls -o out").exits(0).file("out/report.html");
    assert!(html.contains("<h1>12 calls, 14 min 28 s</h1>"));
}

#[test]
fn what_needs_a_look_is_named_with_its_reason() {
    let ran = analysed("--group-by agent --rules rules.toml");
    let html = ran.file("out/report.html");
    let needs = page::attention(&html);
    // A serious rule comes first; then the call far above the others.
    assert_eq!(needs.len(), 8, "{needs:?}");
    assert!(needs[0].contains("rule asked-refund: A refund was asked for at 0:2"), "{}", needs[0]);
    let longest = needs.iter().find(|line| line.starts_with("00")).unwrap();
    assert!(longest.contains("agent Ann, queue a"), "{longest}");
    assert!(longest.contains("1:00 of dead air, median 0.0 s at 0:20"), "{longest}");
    assert!(longest.contains("a silence of 1:00, median 1.1 s at 0:20"), "{longest}");
    let section = &html[html.find("<ul class=\"look groups\">").unwrap()..];
    let groups = page::text(&section[..section.find("</ul>").unwrap()]);
    // Each of Ben's four calls has dead air, of the others one of eight.
    assert_eq!(groups, "Ben Dead air: 4 in 4 calls; 1 in 8 others");
    assert_eq!(page::dangling(&html), Vec::<String>::new());
    // Of calls that are alike none needs a look.
    let alike = (0..9).fold(Scene::new(), |scene, at| scene.call(&format!("{at}"), call(1000 + at)));
    let html = alike.run("analyze calls -o out").exits(0).file("out/report.html");
    assert!(page::text(&html).contains("no call is far above the others"));
}

#[test]
fn groups_are_ranked_by_rates_and_lead_to_their_calls() {
    let ran = analysed("--group-by agent");
    let html = ran.file("out/report.html");
    let read = |id: &str| -> Vec<Vec<String>> {
        page::section(&html, id).iter().map(|row| row.iter().map(|(_, text)| text.clone()).collect()).collect()
    };
    let groups = read("groups");
    assert_eq!(groups.iter().map(|row| &*row[0]).collect::<Vec<_>>(), ["Ben", "Ann", "Cem"]);
    assert_eq!(groups[0][1], "4");
    let dead_air: Vec<&str> = groups.iter().map(|row| &*row[3]).collect();
    assert_eq!(dead_air, ["1.0", "0.2", "0.0"], "per call: of Ann's four calls one has dead air");
    assert!(html.contains("href=\"#calls&amp;is%2Eagent=Ben\""));
    // From 5 to 27 October: weeks, with the change against the week before.
    let weeks = read("trend");
    assert_eq!(weeks.iter().map(|row| &*row[0]).collect::<Vec<_>>(), ["2026-W41", "2026-W42", "2026-W43", "2026-W44"]);
    assert_eq!(weeks.iter().map(|row| &*row[1]).collect::<Vec<_>>(), ["4", "3", "4", "1"]);
    let dead_air: Vec<&str> = weeks.iter().map(|row| &*row[3]).collect();
    assert_eq!(dead_air, ["0.5", "0.3 -33 %", "0.5 +50 %", "0.0 -100 %"], "nothing came before the first");
    assert!(html.contains("href=\"#calls&amp;is%2Estarted%3Aweek=2026%2DW43\""));
}

#[test]
fn roles_stand_side_by_side() {
    let ran = analysed("--role ch0=agent,ch1=customer --keyword refund --format json");
    let html = ran.file("out/report.html");
    let rows: Vec<Vec<String>> =
        page::section(&html, "roles").iter().map(|row| row.iter().map(|(_, text)| text.clone()).collect()).collect();
    let row = |label: &str| rows.iter().find(|row| row[0].starts_with(label)).unwrap_or_else(|| panic!("{rows:?}"));
    // Two turns of 20 s and one of 19.5 s; the agent has the first and the last.
    assert_eq!(row("Talk")[1..], ["0:40", "0:20"]);
    assert!(row("Share of talk")[0].ends_with("median") && row("Keyword hits")[0].ends_with("total"));
    assert_eq!(row("Keyword hits")[1..], ["0", "12"]);
    assert_eq!(rows.len(), 10, "{rows:?}");
    assert!(html.contains("<a href=\"#roles\">Roles</a>"));
    let without = analysed("").file("out/report.html");
    assert!(!without.contains("id=\"roles\""), "tracks are no roles");
}

#[test]
fn the_page_holds_every_call_with_what_it_is_found_by() {
    let ran = analysed("--group-by agent --keyword refund --rules rules.toml");
    let data = page::data(&ran.file("out/report.html"));
    assert_eq!(data["calls"].as_array().unwrap().len(), 12);
    let names: Vec<&str> = data["own"].as_array().unwrap().iter().map(|own| own["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["agent", "queue", "started", "ticket", "started:week"]);
    let first = &data["calls"][0];
    assert_eq!((&first[0], &first[2]), (&json!("00"), &json!("#c1")), "most dead air first");
    let own = |call: &Value, at: usize| data["own"][at]["values"][call[3][at].as_u64().unwrap() as usize].clone();
    assert_eq!([own(first, 0), own(first, 3), own(first, 4)], [json!("Ann"), json!("T0"), json!("2026-W41")]);
    // Length and dead air, as people read them and as they are sorted.
    assert_eq!(first[4][0], json!(["2:05", 125_000]));
    assert_eq!(data["columns"][1], "dead_air_count");
    assert_eq!(first[4][1], 1);
    assert_eq!(
        (&first[5], &first[6]),
        (&json!([0]), &json!([1])),
        "the keyword was found; of the rules the second matched"
    );
    assert_eq!((&data["keywords"], &data["rules"]), (&json!(["refund"]), &json!(["asked-refund", "no-goodbye"])));
}

#[test]
fn a_call_says_whose_it_is_and_which_rules_it_met() {
    let ran = analysed("--group-by agent --rules rules.toml --pages --tables jsonl");
    let own = ran.file("out/report-pages/01.html");
    let call = page::calls(&own)["01.json"];
    let shown = page::text(call);
    assert!(shown.contains("agent Ben · queue b · started 2026-10-07 09:01:00 · "), "{shown}");
    assert!(call.contains("<dt>ticket</dt><dd>T1</dd>"));
    assert!(!shown.contains("Rule asked-refund"), "it did not match");
    assert!(shown.contains("Rule no-goodbye (notice): Nobody said goodbye"));
    assert!(shown.contains("no hit from 0:55 to 1:05 in the speech that the rule is about: goodbye"), "{shown}");
    let other = ran.file("out/report-pages/02.html");
    let call = page::calls(&other)["02.json"];
    assert!(call.contains("Rule asked-refund (serious): A refund was asked for"));
    assert!(
        call.contains("ch1: “refund”</a>") && call.contains("<mark id=\"c1h0\" title=\"asked-refund\">refund</mark>")
    );
    for page in [&own, &other] {
        assert_eq!(page::dangling(page), Vec::<String>::new());
    }
    // From the tables alone, too.
    let ran = ran.then().run("report out -o out/report.html --pages").exits(0);
    assert_eq!(ran.file("out/report-pages/01.html"), own);
    assert_eq!(ran.file("out/report-pages/02.html"), other);
}

#[test]
fn stored_columns_can_be_grouped_by_without_the_metadata() {
    for format in ["parquet", "csv", "jsonl"] {
        let ran = analysed(&format!("--tables {format} --group-by agent --rules rules.toml --keyword refund"));
        let ran = ran.then().run("report out -o again.html").exits(0);
        assert!(ran.file("again.html") == ran.file("out/report.html"), "{format}");
        let ran = ran.then().run("report out --group-by queue --format json").exits(0);
        let rows = ran.json()["rollup"]["rows"].clone();
        assert_eq!((&rows[0]["queue"], &rows[0]["call_count"]), (&json!("a"), &json!(6)), "{format}");
        ran.then().run("report out --group-by team").exits(2).says("no column `team` to group by").says("`agent`");
    }
    let ran = Scene::new().call("one", call(0)).run("analyze calls -o out").exits(0);
    ran.then().run("report out --group-by team").exits(2).says("--group-by needs columns");
}

#[test]
fn recordings_are_played_from_a_folder_or_an_address() {
    let scene = || calls().write("audio/a/b.wav", "RIFF").write("audio/07.mp3", "ID3");
    let ran = scene().run("analyze calls -o out/deep --audio audio --pages --calls 12").exits(0);
    let html = ran.file("out/deep/report.html");
    // By the name of the recording that the result names.
    let source = "src=\"..&#x2f;..&#x2f;audio&#x2f;a&#x2f;b.wav\"";
    assert_eq!(html.matches(source).count(), 12);
    assert!(html.contains("preload=\"none\"") && html.contains("; media-src &#x27;self&#x27; file:; "));
    assert!(
        ran.file("out/deep/report-pages/03.html").contains("src=\"..&#x2f;..&#x2f;..&#x2f;audio&#x2f;a&#x2f;b.wav\"")
    );
    let ran = ran.then().run("report out/deep -o page.html --audio https://media.example.org/calls").exits(0);
    let html = ran.file("page.html");
    assert!(html.contains("src=\"https:&#x2f;&#x2f;media.example.org&#x2f;calls&#x2f;b.wav\""));
    assert!(html.contains("; media-src https:&#x2f;&#x2f;media.example.org; "), "only that origin");
    let without = ran.then().run("report out/deep -o page.html").exits(0).file("page.html");
    assert!(!without.contains("media-src") && !without.contains("<audio"));
    scene().run("analyze calls -o out --audio nowhere").exits(2).says("--audio nowhere");
    scene().run("analyze calls -o out --audio ftp://a/b").exits(2).says("https://");
    scene().run("analyze calls -o out --audio https://me:secret@a/b").exits(2).says_no("secret");
}

#[test]
fn a_reason_is_given_in_words() {
    let ran =
        Scene::new().call("one", crate::scene::call(&[(0, 0, 900, "hello")])).run("analyze calls -o out").exits(0);
    let html = ran.file("out/report.html");
    let warnings = &html[html.find("<section id=\"warnings\"").unwrap()..];
    assert!(page::text(warnings).contains("there is only one participant"));
    assert!(!html.contains("single_participant"));
}

#[test]
fn speakers_are_told_apart_by_colour_and_then_by_stripes() {
    let said: Vec<_> = (0..12)
        .map(|at| json!({"speaker_id": at, "begin_time": at * 2000, "end_time": at * 2000 + 900, "text": "well"}))
        .collect();
    let ran = Scene::new()
        .call("all", json!({"transcripts": [{"channel_id": 0, "sentences": said}]}))
        .run("analyze calls -o out --tables jsonl")
        .exits(0);
    let html = ran.file("out/report.html");
    let call = page::calls(&html)["all.json"];
    for (class, times) in [("<i class=\"p7\">", 3), ("<i class=\"p0 striped\">", 3), ("<i class=\"p3 striped\">", 3)] {
        assert_eq!(call.matches(class).count(), times, "{class}");
    }
    super::agrees(&html, &ran.table("calls"), &ran.table("participants"));
}

#[test]
fn a_page_of_one_call_is_small() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/calls");
    let ran = Scene::new()
        .run(&format!("analyze {} -o out --pages --role ch0=agent,ch1=customer", folder.display()))
        .exits(0);
    let pages = ran.files("out/report-pages");
    let sizes: Vec<usize> =
        pages.iter().filter(|(name, _)| name.ends_with(".html")).map(|(_, page)| page.len()).collect();
    assert_eq!(sizes.len(), 6);
    let mean = sizes.iter().sum::<usize>() / sizes.len();
    assert!(mean <= 30_000, "{mean} bytes: {sizes:?}");
}
