//! The report as a page, as Markdown and from tables.

mod hostile;
mod manager;
pub(crate) mod page;

use std::path::Path;

use serde_json::{Value, json};

use crate::scene::{Call, Ran, Row, Scene, call, column};

/// The six example calls, with all that a report can show.
fn examples(more: &str) -> Ran {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/calls");
    let line = format!(
        "analyze {0} -o out --meta {0}/calls-meta.csv --group-by queue --role ch0=agent,ch1=customer --keyword refund \
         --keyword 退款 --model fun-asr --region intl --tables jsonl {more}",
        folder.display()
    );
    Scene::new().run(&line).exits(0)
}

/// Every figure on a page is the one in the tables, to the digit that it is sorted by and as people read it.
pub(crate) fn agrees(page: &str, calls: &[Row], participants: &[Row]) {
    let list = page::list(page);
    assert_eq!(list.rows.len(), calls.len());
    for row in &list.rows {
        let file = format!("{}.json", row[0].0);
        let stored = calls.iter().find(|call| call["file"] == file).unwrap_or_else(|| panic!("{file} is in no table"));
        let mut compared = 0;
        for (metric, (sorted, read)) in list.metrics.iter().zip(row) {
            let Some(metric) = metric else { continue };
            let value = &stored[metric];
            let expected = if value.is_null() { String::new() } else { value.to_string() };
            // A float may come back from JSON as its neighbour.
            let same = match (sorted.parse::<f64>(), value.as_f64()) {
                (Ok(sorted), Some(value)) => (sorted - value).abs() <= 1e-12 * value.abs(),
                _ => *sorted == expected,
            };
            assert!(same, "{file} {metric}: sorted by {sorted} instead of {expected}");
            page::assert_reads(read, value, &format!("{file} {metric}"));
            compared += 1;
        }
        assert!(compared >= 6, "{file}: only {compared} figures were compared");
    }
    for (file, call) in page::calls(page) {
        let stored: Vec<&Row> = participants.iter().filter(|row| row["file"] == file).collect();
        let (lanes, air) = page::lanes(call);
        let drawn: Vec<i64> = (0..stored.len() as i64).map(|at| lanes.get(&at).copied().unwrap_or(0)).collect();
        // What has no time has no place on a lane.
        let talk: Vec<i64> = stored.iter().map(|row| row["talk_ms"].as_i64().unwrap_or(0)).collect();
        assert_eq!(drawn, talk, "{file}");
        let call_row = calls.iter().find(|call| call["file"] == file).unwrap();
        assert_eq!(air, call_row["dead_air_ms"].as_i64().unwrap_or(0), "{file}");
        let shown = page::participants(call);
        assert_eq!(shown.len(), stored.len(), "{file}");
        for (row, stored) in shown.iter().zip(stored) {
            let metrics =
                ["talk_ms", "talk_share", "turn_count", "longest_turn_ms", "units_per_min", "response_ms_p50"];
            for (cell, metric) in row[1..7].iter().zip(metrics) {
                page::assert_reads(&cell.1, &stored[metric], &format!("{file} {} {metric}", stored["participant"]));
            }
        }
    }
}

#[test]
fn the_numbers_on_the_page_are_those_of_the_tables() {
    let ran = examples("");
    let html = ran.file("out/report.html");
    agrees(&html, &ran.table("calls"), &ran.table("participants"));
    let whole =
        |column_name: &str| -> i64 { column(&ran.table("calls"), column_name).iter().filter_map(Value::as_i64).sum() };
    assert_eq!(page::tile(&html, "Dead air"), format!("Dead air {} 3 s or longer", whole("dead_air_count")));
    assert_eq!(
        page::tile(&html, "Interruptions"),
        format!("Interruptions {} measurable in 5 of 6 calls", whole("interruption_count"))
    );
    assert_eq!(page::tile(&html, "Keyword hits"), format!("Keyword hits {}", ran.table("hits").len()));
    // 625 begun seconds, each track by itself, at 0.000035 USD.
    let seconds: i64 = column(&ran.table("costs"), "billed_seconds").iter().filter_map(Value::as_i64).sum();
    assert_eq!(seconds, 625);
    assert_eq!(page::tile(&html, "Billable speech"), "Billable speech 10:20 0.021875 USD");
    assert_eq!(page::dangling(&html), Vec::<String>::new());
}

#[test]
fn all_spoken_text_is_in_the_transcript() {
    let ran = examples("");
    let html = ran.file("out/report.html");
    let calls = page::calls(&html);
    assert_eq!(calls.len(), 6);
    for (file, call) in calls {
        let said = page::transcript(call);
        let of_file =
            |table: &str| -> Vec<Row> { ran.table(table).into_iter().filter(|row| row["file"] == file).collect() };
        for turn in of_file("turns") {
            assert!(said.iter().any(|(_, text)| *text == turn["text"].as_str().unwrap()), "{file}: {turn:?}");
        }
        for event in of_file("events").iter().filter(|event| event["kind"] == "backchannel") {
            assert!(said.iter().any(|(_, text)| *text == event["text"].as_str().unwrap()), "{file}: {event:?}");
        }
        let silences = said.iter().filter(|(who, text)| who.is_empty() && text.ends_with("of silence")).count();
        assert_eq!(silences, of_file("events").iter().filter(|event| event["kind"] == "dead_air").count(), "{file}");
        assert_eq!(call.matches("<mark id=").count(), of_file("hits").len(), "{file}");
        assert_eq!(call.matches("<details class=\"event\"").count(), of_file("events").len(), "{file}");
    }
}

#[test]
fn the_page_loads_nothing_from_outside() {
    let html = examples("").file("out/report.html");
    for outside in ["src=", "http-equiv=\"refresh\"", "@import", "url(", "fetch(", "XMLHttpRequest", "<iframe", "<link"]
    {
        assert!(!html.contains(outside), "{outside}");
    }
    assert!(html.contains("default-src 'none'"));
    // Addresses are those of the recordings, as text.
    assert!(!html.contains("href=\"http"));
}

#[test]
fn tables_are_rendered_again_to_the_same_bytes() {
    for format in ["parquet", "csv", "jsonl"] {
        let scene = many(7).call("Straße 4", spoken("so, \"quoted\"\nand more"));
        let line = format!("analyze calls -o out --tables {format} --keyword refund --model fun-asr --region cn");
        let ran = scene.run(&line).exits(0);
        let ran =
            ran.then().run("report out -o again.html").exits(0).says("again.html written: 8 calls").prints_nothing();
        assert!(ran.file("again.html") == ran.file("out/report.html"), "{format}");
        let json = ran.then().run("report out --format json").exits(0);
        assert_eq!(json.out(), json.file("out/report.json"), "{format}");
        let text = json.then().run("report out").exits(0).out();
        let same = many(7)
            .call("Straße 4", spoken("so, \"quoted\"\nand more"))
            .run("analyze calls --keyword refund --model fun-asr --region cn")
            .exits(0);
        assert_eq!(text, same.out(), "{format}");
    }
}

#[test]
fn several_folders_are_one_report() {
    let scene = Scene::new()
        .write("may/in/a.json", spoken("one refund"))
        .write("june/in/a.json", spoken("two refund refund"))
        .write("june/in/b.json", spoken("three"));
    let ran =
        scene.run("analyze may/in -o may/out --tables csv --keyword refund --model fun-asr --region intl").exits(0);
    let ran = ran
        .then()
        .run("analyze june/in -o june/out --tables parquet --keyword refund --model fun-asr --region intl")
        .exits(0);
    // Two folders of one name are told apart by more of their paths; the order of the arguments changes nothing.
    let ran = ran.then().run("report june/out may/out --format json").exits(0);
    let report = ran.json();
    assert_eq!(report["inputs"]["measured"], 3);
    assert_eq!(report["keywords"][0], json!({"rule": "refund", "calls": 2, "hits": 3, "by": {"ch0": 3}}));
    assert_eq!(report["bill"][0]["calls"], 3);
    let folders: Vec<Value> = report["rollup"]["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| json!([row["folder"], row["call_count"]]))
        .collect();
    assert_eq!(folders, [json!(["june/out", 2]), json!(["may/out", 1])]);
    let ran = ran.then().run("report may/out june/out --format json").exits(0);
    assert_eq!(ran.json(), report);
    let ran = ran.then().run("report may/out june/out -o both.html").exits(0);
    let names: Vec<String> = page::list(&ran.file("both.html")).rows.iter().map(|row| row[0].0.clone()).collect();
    assert_eq!(names, ["june/out/a", "june/out/b", "may/out/a"]);
    let folders: Vec<String> = page::list(&ran.file("both.html")).rows.iter().map(|row| row[1].1.clone()).collect();
    assert_eq!(folders, ["june/out", "june/out", "may/out"], "what they are rolled up by stands in the list");
    // Columns of the user's own hold for all of them.
    let ran = ran
        .then()
        .write("meta.csv", "file,team\nmay/out/a.json,red\njune/out/b.json,red\n")
        .run("report may/out june/out --meta meta.csv --group-by team --format json")
        .exits(0)
        .says("1 call without a row");
    let teams: Vec<Value> = ran.json()["rollup"]["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| json!([row["team"], row["call_count"]]))
        .collect();
    assert_eq!(teams, [json!(["red", 2]), json!([null, 1])]);
    ran.then().run("report may/out may/out").exits(2).says("may/out is given twice");
}

#[test]
fn figures_measured_differently_are_not_combined() {
    let ran = many(1).run("analyze calls -o one --dead-air-ms 2000").exits(0);
    let ran = ran.then().run("analyze calls -o two").exits(0);
    let ran = ran
        .then()
        .run("report one two")
        .exits(2)
        .says("two/report.json")
        .says("dead_air_ms 2000 and 3000")
        .prints_nothing();
    let ran = ran.then().run("analyze calls -o three --only calls").exits(0);
    let ran = ran.then().run("report three").exits(0).prints("Parameters unknown");
    let ran = ran.then().write("four/report.json", "{}").run("report four").exits(2).says("no table `calls` in four");
    let ran = ran
        .then()
        .write("four/calls.csv", "file\na\n")
        .run("report four")
        .exits(2)
        .says("is not a report.json of talkmeter");
    let ran = ran.then().run("report nowhere").exits(1).says("nowhere");
    let ran = ran.then().run("report one -o page.pdf").exits(2).says(".html, .md or .json");
    let ran = ran.then().run("report one --by agent").exits(2).says("dead_air_ms");
    // Tables of another run than the report beside them.
    let ran = ran.then().call("more", spoken("more")).run("analyze calls -o one --only calls").exits(0);
    let ran = ran.then().run("report one").exits(2).says("disagree in the number of calls").prints_nothing();
    // Parquet is read first, and is what an earlier run left.
    let ran = ran.then().run("analyze calls -o left --dead-air-ms 500").exits(0);
    let ran = ran.then().run("analyze calls -o left --tables csv").exits(0).says("left from an earlier run");
    ran.then().run("report left").exits(2).says("disagree in dead_air_count").says("an empty folder").prints_nothing();
}

#[test]
fn foreign_text_is_escaped() {
    // A bare tag is a marker of a recogniser, which is dropped; these are text.
    let evil = "<script a='1'>alert(1)</script a='1'><img src=x onerror=alert(1)> \" ' & </script a='1'> {{ 7*7 }}";
    let call = Call::default()
        .say(0, &[(0, 900, evil), (1000, 1900, "refund")])
        .say(1, &[(2000, 2900, "well")])
        .url("https://user:pass@example.org/<b>.wav?Signature=c2VjcmV0")
        .lasting(3000);
    let ran = Scene::new()
        .call("<i>a&b", call)
        .write("meta.csv", "file,<u>team\n<i>a&b.json,</td><script>\n")
        .run_with([
            "analyze",
            "calls",
            "-o",
            "out",
            "--meta",
            "meta.csv",
            "--group-by",
            "<u>team",
            "--keyword",
            "<b>refund</b>",
            "--keyword",
            "refund",
            "--role",
            "ch0=<em>agent</em>",
        ])
        .exits(0);
    let html = ran.file("out/report.html");
    assert_eq!(html.matches("<script").count(), 2, "ours alone: data and script");
    page::data(&html);
    for markup in ["<img", "<i>a", "<u>team", "<em>", "<b>refund", "</td><script", "c2VjcmV0", "user:pass"] {
        assert!(!html.contains(markup), "{markup}");
    }
    let said = page::transcript(page::calls(&html)["<i>a&b.json"]);
    assert_eq!(said[0], ("<em>agent</em>".to_owned(), format!("{evil} refund")));
    let markdown = ran.then().run("report out --format md").exits(0).out();
    assert!(!markdown.contains("<b>refund") && markdown.contains("&lt;b\\>refund"), "{markdown}");
}

#[test]
fn without_some_tables_the_page_shows_the_rest() {
    let story = || many(2).call("inside", inside());
    let ran = story().run("analyze calls -o out --only calls,turns,events,report").exits(0);
    let ran = ran.then().run("report out -o page.html").exits(0);
    let html = ran.file("page.html");
    let calls = page::calls(&html);
    let call = calls["inside.json"];
    assert!(call.contains("lanes drawn from turns"));
    let said = page::transcript(call);
    assert_eq!(said[0..2], [("ch0".to_owned(), "a long story".to_owned()), ("ch1".to_owned(), "mm".to_owned())]);
    // Lanes need only the table `bursts`, whether or not turns were written.
    let ran = ran.then().run("analyze calls -o lanes --only calls,participants,bursts,turns,report").exits(0);
    let ran = ran.then().run("report lanes -o page.html").exits(0);
    let (drawn, fresh) = (ran.file("page.html"), ran.file("lanes/report.html"));
    let lane_of_aside =
        |html: &str| page::calls(html)["inside.json"].split("<path class=\"p1\"").nth(1).unwrap()[..40].to_owned();
    assert_eq!(lane_of_aside(&drawn), lane_of_aside(&fresh));
    assert!(!drawn.contains("lanes drawn from turns"));
    let ran = ran.then().run("analyze calls -o few --only calls,report").exits(0);
    let ran = ran.then().run("report few -o page.html").exits(0);
    assert!(ran.file("page.html").contains("The table <code>turns</code> was not written"));
    // The page of `analyze` itself is drawn from the calls, whatever tables are written.
    assert!(!ran.file("few/report.html").contains("The table <code>turns</code> was not written"));
}

#[test]
fn what_no_table_states_is_not_reported_as_zero() {
    let ran = many(2)
        .call("silent", json!({"transcripts": []}))
        .run("analyze calls -o few --only calls,report --keyword refund")
        .exits(0);
    assert_eq!(serde_json::from_str::<Value>(&ran.file("few/report.json")).unwrap()["keywords"][0]["hits"], 2);
    let ran = ran.then().run("report few --format json").exits(0);
    assert_eq!((&ran.json()["keywords"], &ran.json()["inputs"]["without_speech"]), (&Value::Null, &json!(1)));
    ran.then().run("report few").exits(0).prints("1 of them without speech");
}

#[test]
fn recordings_with_several_transcripts_are_named() {
    let at = |url: &str| spoken("hello").url(url);
    let signed = "https://calls.example/a.wav?OSSAccessKeyId=k&Expires=1&Signature=";
    let scene = Scene::new()
        .call("first", at(&format!("{signed}one")))
        .call("second", at(&format!("{signed}two")))
        .call("third", at("https://calls.example/a.wav"))
        .call("other", at("https://calls.example/a.wav?id=7"))
        .call("without", spoken("hello"))
        .call("without-too", spoken("hello"));
    let line = "1 recording has 3 transcripts: https://calls.example/a.wav (3 times)";
    let ran = scene.run("analyze calls -o out").exits(0).says_no(line).prints(line);
    assert!(page::text(&ran.file("out/report.html")).contains(line));
    let copies = &serde_json::from_str::<Value>(&ran.file("out/report.json")).unwrap()["copies"];
    assert_eq!((&copies["recordings"], &copies["files"]), (&json!(1), &json!(3)));
    let ran = ran.then().run("report out --format md").exits(0).prints("1 recording has 3 transcripts");
    ran.then().run("report out").exits(0).prints(line);
    many(3).run("analyze calls").exits(0).says_no("transcripts");
}

#[test]
fn a_figure_that_could_not_be_measured_says_why() {
    let ran = Scene::new()
        .call("alone", call(&[(0, 0, 900, "hello")]))
        .call("silent", json!({"transcripts": []}))
        .run("analyze calls -o out --tables jsonl")
        .exits(0);
    let html = ran.file("out/report.html");
    assert!(html.contains("data-why=\"there is only one participant\""));
    assert!(html.contains("data-why=\"no speech in the call, or by this participant\""));
    assert_eq!(page::tile(&html, "Interruptions"), "Interruptions – measurable in 0 of 2 calls");
    assert_eq!(
        page::tile(&html, "Response"),
        "Response, median – median of the speakers' medians; 90th percentile – known for 0 of 1 speaker"
    );
    assert_eq!(page::tile(&html, "Billable"), "Billable speech 0:01 1 track not priced");
    agrees(&html, &ran.table("calls"), &ran.table("participants"));
}

#[test]
fn with_very_many_calls_the_page_lists_the_extreme_ones() {
    let ran = many(230).run("analyze calls -o out --calls 3 --by longest_silence_ms --tables jsonl").exits(0);
    let html = ran.file("out/report.html");
    let list = page::list(&html);
    assert!((40..230).contains(&list.rows.len()), "{}", list.rows.len());
    assert!(html.contains(&format!("Without scripts showing {} of 230 calls", list.rows.len())));
    let longest = list.metrics.iter().position(|metric| metric.as_deref() == Some("longest_silence_ms")).unwrap();
    let sorted: Vec<i64> = list.rows.iter().map(|row| row[longest].0.parse().unwrap_or(-1)).collect();
    assert!(sorted.is_sorted_by(|one, two| one >= two), "{sorted:?}");
    let calls = ran.table("calls");
    let most = column(&calls, "longest_silence_ms").iter().filter_map(Value::as_i64).max().unwrap();
    assert_eq!(sorted[0], most);
    // Above 300 speakers dots would only hide each other.
    assert!(html.contains("<path class=\"dots\"") && html.contains("<circle class=\"dots\""));
    assert_eq!(page::calls(&html).len(), 3);
    assert_eq!(page::dangling(&html), Vec::<String>::new());
}

#[test]
fn a_page_stays_small_enough_to_open() {
    let long = "word ".repeat(260_000);
    let story = (0..4).fold(Scene::new(), |story, at| story.call(&format!("{at}"), spoken(&long)));
    let ran = story.run("analyze calls -o out --only report").exits(0);
    let html = ran.file("out/report.html");
    assert!(html.len() < 5_000_000, "{}", html.len());
    assert_eq!(page::calls(&html).len(), 2);
    assert!(html.contains("2 more calls left out: the page would be too large to open"));
    assert_eq!(page::dangling(&html), Vec::<String>::new());
}

#[test]
fn every_call_can_have_a_page_of_its_own() {
    let ran =
        many(3).call("deep/客服", spoken("你好 refund")).run("analyze calls -o out --pages --keyword refund").exits(0);
    let ran = ran.says("4 pages in out/report-pages");
    let names: Vec<String> = ran.files("out/report-pages").into_iter().map(|file| file.0).collect();
    assert_eq!(names, ["0.html", "1.html", "2.html", "page.css", "page.js", "客服.html"]);
    let html = ran.file("out/report.html");
    assert!(html.contains("href=\"report-pages&#x2f;%E5%AE%A2%E6%9C%8D.html\""));
    assert!(page::calls(&html).is_empty(), "each has its own");
    let own = ran.file("out/report-pages/客服.html");
    assert!(own.contains("href=\"..&#x2f;report.html\""));
    assert_eq!(page::transcript(page::calls(&own)["deep/客服.json"]), [("ch0".to_owned(), "你好 refund".to_owned())]);
    assert_eq!(page::dangling(&own), Vec::<String>::new());
    assert!(own.contains("<details open>\n<summary><h1>deep&#x2f;客服</h1>"), "what the page is about is open");
    let first = ran.files("out/report-pages");
    let ran = ran.then().run("report out -o out/report.html --pages").exits(0).says("4 pages in out/report-pages");
    assert!(ran.files("out/report-pages") == first);
    // The others keep their names.
    let ran = ran.then().with(|folder| std::fs::remove_file(folder.join("calls/0.json")).unwrap());
    let ran = ran.run("analyze calls -o out --pages --keyword refund").exits(0).says("3 pages in out/report-pages");
    ran.says("1 page in out/report-pages left from an earlier run").exits(0);
}

#[test]
fn markdown_has_the_figures_of_the_terminal() {
    let ran = Scene::new()
        .call("a|b", inside())
        .run("analyze calls -o out --keyword story --model fun-asr --region intl")
        .exits(0);
    let ran = ran.then().run("report out --format md").exits(0);
    let printed = ran.out();
    // As it is: to see what has changed, and to take it over, SNAPSHOTS=overwrite.
    snapbox::assert_data_eq!(printed.clone(), snapbox::file!["markdown.md"].raw());
    let ran = ran.then().run("report out -o page.md --calls 1").exits(0);
    assert_eq!(ran.file("page.md"), printed);
}

#[test]
fn the_page_matches_its_snapshot() {
    let ran = Scene::new()
        .call("one", inside())
        .run("analyze calls -o out --keyword story --role ch0=agent --model fun-asr --region intl --only report")
        .exits(0);
    let html = ran.file("out/report.html");
    let (_, body) = html.split_once("<main id=\"main\">").unwrap();
    let (body, _) = body.split_once("<section id=\"definitions\"").unwrap();
    snapbox::assert_data_eq!(body.to_owned(), snapbox::file!["body.html"].raw());
}

#[test]
fn a_report_as_json_shows_calls_on_request() {
    let ran = many(3).run("analyze calls -o out").exits(0);
    let ran = ran.then().run("report out --format json").exits(0);
    assert!(ran.json().get("page").is_none());
    let ran = ran.then().run("report out --format json --calls 2").exits(0);
    let report = ran.json();
    assert_eq!(report["page"]["views"].as_array().unwrap().len(), 2);
    assert_eq!(report["page"]["listed"].as_array().unwrap().len(), 3);
    assert_eq!(report["page"]["views"][0]["lines"][0]["kind"], "turn");
}

/// One sentence on one channel.
fn spoken(text: &str) -> Call {
    call(&[(0, 0, 2000, text)]).lasting(2500)
}

/// A backchannel inside another participant's turn, and dead air.
fn inside() -> Call {
    Call::default()
        .say(0, &[(0, 1500, "a"), (1500, 3000, "long"), (3000, 6000, "story")])
        .say(1, &[(2000, 2300, "mm")])
        .say(1, &[(10_000, 11_000, "and then")])
        .lasting(12_000)
}

/// Calls that all differ.
fn many(calls: i64) -> Scene {
    (0..calls).fold(Scene::new(), |scene, at| {
        let gap = 500 + at * 37 % 7000;
        let one = Call::default()
            .say(0, &[(0, 3000 + at, "good morning refund how can I help you today then")])
            .say(1, &[(3000 + at + gap, 9000 + at + gap, "well it is about the order that I placed some days ago")])
            .say(0, &[(8000 + at + gap, 12_000 + at + gap, "of course let me see what I can do about that for you")])
            .lasting(13_000 + at + gap);
        scene.call(&format!("{at}"), one)
    })
}
