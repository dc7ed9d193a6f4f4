//! Questions about many calls: agent beside customer, groups of time, conditions, order, and SQL over the tables.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::scene::{Call, Ran, Row, Scene, call, column, csv, diarised, has, row_where};

/// Two parties; the pause before the answer is `gap`.
fn pair(gap: i64) -> Call {
    call(&[(0, 0, 6000, "good morning, what can I do for you today please?"), (1, 6000 + gap, 9000 + gap, "a refund")])
        .lasting(10_000 + gap)
}

/// Calls of two tracks, of two speakers on one track, of one speaker, of none; `agent` is not always on the same track.
fn calls() -> Scene {
    Scene::new()
        .call("a", pair(500))
        .call("b", pair(4000))
        .call("c", pair(9000))
        .call("mono", diarised(&[(Some(0), 0, 4000, "hello there"), (Some(1), 4100, 9000, "and to you")]))
        .call("one", call(&[(0, 0, 9000, "is anybody there?")]))
        .call("silent", json!({"transcripts": []}))
        .write("meta.csv", META)
}

const META: &str = "file,agent,team,started,agent_channel\n\
    a,Ann,red,2026-10-05T09:12:00+02:00,0\n\
    b,Bob,red,2026-10-05T17:59,1\n\
    c,Bob,blue,2026-10-11,ch0\n\
    mono,Ann,blue,2026-10-12 08:00,spk1\n\
    one,,blue,,\n";

const FIGURES: [&str; 10] = [
    "talk_ms",
    "talk_share",
    "units_per_min",
    "response_ms_p50",
    "response_ms_p90",
    "longest_turn_ms",
    "monologue_count",
    "interruption_count",
    "question_count",
    "keyword_hit_count",
];

/// Each cell of `calls_by_role` is that of the participant of this name in `participants`, or null.
fn assert_sides(ran: &Ran, format: &str, by: &str, names: &[&str]) {
    let read = |table: &str| match format {
        // Only tables of the catalogue are typed in CSV by the tests' reader.
        "csv" => csv_of(&ran.file(&format!("out/{table}.csv"))),
        _ => ran.table_as(table, format).iter().map(texts).collect::<Vec<_>>(),
    };
    let (calls, sides, participants) = (read("calls"), read("calls_by_role"), read("participants"));
    assert_eq!(column(&sides, "file"), column(&calls, "file"), "a row for every call");
    for side in &sides {
        for name in names {
            let own = participants.iter().find(|row| row["file"] == side["file"] && row[by] == *name);
            for figure in FIGURES {
                let wanted = own.map_or(json!(""), |own| own[figure].clone());
                assert_eq!(side[&format!("{name}_{figure}")], wanted, "{format}: {name} {figure} of {}", side["file"]);
            }
        }
    }
}

/// Cells as they are written; null is empty.
fn csv_of(text: &str) -> Vec<Row> {
    let mut records = csv(text).into_iter();
    let head = records.next().unwrap();
    let row = |record: Vec<(String, bool)>| head.iter().zip(record).map(|(name, cell)| (name.0.clone(), cell.0.into()));
    records.map(|record| row(record).collect()).collect()
}

fn texts(row: &Row) -> Row {
    let text = |cell: &Value| match cell {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    row.iter().map(|(name, cell)| (name.clone(), text(cell).into())).collect()
}

#[test]
fn the_sides_of_a_call_are_its_participants_cell_by_cell() {
    let run = "analyze calls -o out --tables parquet,csv,jsonl --meta meta.csv --keyword refund";
    let ran = calls().run(run).exits(0);
    for format in ["parquet", "csv", "jsonl"] {
        assert_sides(&ran, format, "role", &["agent", "customer"]);
    }
    let header = ran.file("out/calls_by_role.csv").lines().next().unwrap().to_owned();
    let sides = |role: &str| FIGURES.map(|figure| format!("{role}_{figure}")).join(",");
    let own = "file,agent,team,started,agent_channel";
    assert_eq!(header, format!("{own},{},{}", sides("agent"), sides("customer")));
    let rows = ran.table("calls_by_role");
    // The agent of `b` is on its second track.
    has(&row_where(&rows, "file", "a.json"), json!({"agent": "Ann", "agent_talk_ms": 6000, "customer_talk_ms": 3000}));
    has(&row_where(&rows, "file", "b.json"), json!({"agent_talk_ms": 3000, "customer_keyword_hit_count": 0}));
    has(&row_where(&rows, "file", "mono.json"), json!({"agent_talk_ms": 4900, "customer_talk_ms": 4000}));
    has(&row_where(&rows, "file", "silent.json"), json!({"agent": null, "agent_talk_ms": null}));
    // Only that table, and from the stored tables the same report.
    let only = calls().run("analyze calls -o out --meta meta.csv --only calls_by_role").exits(0);
    let names: Vec<_> = only.files("out").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["calls_by_role.parquet", "datapackage.json"]);
    let shown = ran.out();
    let again = ran.then().run("report out").exits(0);
    assert_eq!(again.out(), shown);
}

#[test]
fn without_roles_the_sides_are_the_tracks() {
    let ran = calls().run("analyze calls -o out --tables csv,jsonl --keyword refund").exits(0);
    assert_sides(&ran, "jsonl", "participant", &["ch0", "ch1"]);
    let header = ran.file("out/calls_by_role.csv").lines().next().unwrap().to_owned();
    assert!(header.starts_with("file,ch0_talk_ms,") && header.ends_with(",ch1_keyword_hit_count"), "{header}");
    assert!(!header.contains("spk"), "speakers of one track are no sides: {header}");
    // Roles that are asked for are columns whether or not somebody has them.
    let ran = calls().run("analyze calls -o out --tables csv,jsonl --role ch1=customer,ch0=agent,spk7=guest").exits(0);
    assert_sides(&ran, "jsonl", "role", &["agent", "customer", "guest"]);
    let none =
        Scene::new().call("one", call(&[(0, 0, 9000, "hello")])).run("analyze calls -o out --tables csv").exits(0);
    assert_eq!(none.file("out/calls_by_role.csv"), "file\none.json\n");
}

#[test]
fn the_summary_has_a_column_for_each_role() {
    let ran = calls().run("analyze calls --meta meta.csv").exits(0);
    let line = |text: &str, name: &str| -> Vec<String> {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}: {text}"));
        line.trim_start_matches(name).split_whitespace().map(str::to_owned).collect()
    };
    assert_eq!(line(&ran.out(), "median, or total of counts"), ["agent", "customer"]);
    assert_eq!(line(&ran.out(), "question_count"), ["2", "1"]);
    // Of two parties, shares are 50 % in the middle by construction.
    assert!(
        !ran.out().contains("per participant") || !line_after(&ran.out(), "per participant").contains("talk_share")
    );
    let json = calls().run("analyze calls --meta meta.csv --format json").exits(0).json();
    assert_eq!(json["roles"][0]["role"], "agent");
    // With three there is something to say.
    let three = diarised(&[(Some(0), 0, 4000, "a"), (Some(1), 4100, 9000, "b"), (Some(2), 9100, 9900, "c")]);
    Scene::new().call("a", three).run("analyze calls").exits(0).prints("talk_share");
}

fn line_after<'t>(text: &'t str, head: &str) -> &'t str {
    text.split(head).nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap_or_default()
}

fn rollup(more: &str) -> Ran {
    calls().run(&format!("analyze calls -o out --tables jsonl --meta meta.csv {more}")).exits(0)
}

#[test]
fn a_group_has_means_and_the_figures_of_its_roles() {
    let ran = rollup("--group-by team --keyword refund");
    let rows = ran.table("rollup");
    has(
        &row_where(&rows, "team", "red"),
        json!({
            "call_count": 2, "dead_air_count": 1, "dead_air_ms": 4000, "dead_air_count_per_call": 0.5,
            "dead_air_ms_per_call": 2000.0, "keyword_hit_count_per_call": 1.0, "agent_talk_ms_p50": 4500,
            "customer_talk_ms_p50": 4500, "agent_question_count": 1, "customer_question_count": 1,
            "agent_question_count_p50": 0.5, "agent_keyword_hit_count": 1, "customer_keyword_hit_count": 1,
        }),
    );
    // No call of the group of nulls could be measured.
    has(&row_where(&rows, "team", Value::Null), json!({"dead_air_ms_per_call": 0.0, "agent_talk_ms_p50": null}));
}

#[test]
fn a_group_counts_the_calls_that_a_rule_matched() {
    let rules =
        "[[rule]]\nid = \"asked\"\nwhen = \"a\"\n[rule.conditions.a]\nphrases = [\"refund\"]\nrole = \"customer\"\n";
    let ran = calls()
        .write("rules.toml", rules)
        .run("analyze calls -o out --tables jsonl --meta meta.csv --group-by team --rules rules.toml")
        .exits(0);
    // In `b` the agent says it. Nobody is a customer in `one`: it does not count.
    let rows = ran.table("rollup");
    assert_eq!(column(&rows, "team"), [json!("blue"), json!("red"), Value::Null]);
    assert_eq!(column(&rows, "asked_calls"), [json!(1), json!(1), Value::Null]);
    // From stored tables the same.
    let again = ran.then().run("report out --meta meta.csv --group-by team --format json").exits(0).json();
    assert_eq!(again["rollup"]["rows"][0]["asked_calls"], 1);
}

#[test]
fn times_are_grouped_as_they_are_written() {
    let groups = |key: &str, count: [i64; 5]| {
        let rows = rollup(&format!("--group-by started:{key}")).table("rollup");
        let found: Vec<(Value, Value)> =
            rows.iter().map(|row| (row["started"].clone(), row["call_count"].clone())).collect();
        assert_eq!(found.iter().map(|group| group.1.as_i64().unwrap()).collect::<Vec<_>>(), count[..found.len()]);
        found.into_iter().map(|group| group.0).collect::<Vec<_>>()
    };
    // A day has no hour; `one` has no time, `silent` no row.
    assert_eq!(
        groups("hour", [1, 1, 1, 3, 0]),
        [json!("2026-10-05T09"), json!("2026-10-05T17"), json!("2026-10-12T08"), Value::Null]
    );
    assert_eq!(
        groups("day", [2, 1, 1, 2, 0]),
        [json!("2026-10-05"), json!("2026-10-11"), json!("2026-10-12"), Value::Null]
    );
    assert_eq!(groups("week", [3, 1, 2, 0, 0]), [json!("2026-W41"), json!("2026-W42"), Value::Null]);
    assert_eq!(groups("month", [4, 2, 0, 0, 0]), [json!("2026-10"), Value::Null]);
    assert_eq!(groups("weekday", [3, 1, 2, 0, 0]), [json!("1"), json!("7"), Value::Null]);
}

#[test]
fn times_may_be_written_in_another_way() {
    let meta = "file,started\na,05.10.2026 9:12\nb,06.10.2026 17:00\nc,never\n";
    let run = |more: &str| calls().write("meta.csv", meta).run(&format!("analyze calls --meta meta.csv {more}"));
    run("--group-by started:day")
        .exits(2)
        .says("column `started` has no time, but `05.10.2026 9:12`")
        .says("--time-format")
        .prints_nothing();
    run("--group-by started:day --time-format '%d.%m.%Y %H:%M'")
        .exits(0)
        .says("1 cell of `started` without a time, such as `never`")
        .prints("2026-10-06");
    run("--group-by started:year").exits(2).says("hour, day, week, month, weekday");
    run("--group-by begun:day").exits(2).says("no column `begun:day` to group by; the columns are `started`");
    // A column may have a colon in its name.
    let ran = calls().write("meta.csv", "file,x:day\na,1\n").run("analyze calls --meta meta.csv --group-by x:day");
    ran.exits(0).prints("x:day");
}

/// All files of an analysis but the reports, which name the condition.
fn tables(ran: &Ran) -> Vec<(String, Vec<u8>)> {
    ran.files("out").into_iter().filter(|(name, _)| !name.starts_with("report.")).collect()
}

#[test]
fn calls_that_do_not_meet_a_condition_are_as_if_they_were_not_there() {
    let all = "--tables parquet,csv,jsonl --meta meta.csv --group-by team --keyword refund";
    let ran = calls().run_with(["analyze", "calls", "-o", "out"].into_iter().chain(all.split(' ')).chain([
        "--where",
        "dead_air_ms >= 4000 AND agent IN ('Bob') OR agent = 'Ann' AND participant_count = 2 AND file <> 'a.json'",
    ]));
    // Rows of calls that are left out are not rows without a call.
    let ran = ran.exits(0).says("--where leaves out 3 calls").says_no("without a call");
    let kept = calls().with(|folder| {
        for name in ["a", "one", "silent"] {
            std::fs::remove_file(folder.join(format!("calls/{name}.json"))).unwrap();
        }
    });
    let alone = kept.run(&format!("analyze calls -o out {all}")).exits(0);
    assert!(tables(&ran) == tables(&alone), "other tables than of these calls alone");
    let report = |ran: &Ran| {
        let mut report = serde_json::from_str::<Map<String, Value>>(&ran.file("out/report.json")).unwrap();
        // What was read is more than what was kept.
        let inputs = report["inputs"].as_object_mut().unwrap();
        assert!(inputs.remove("bytes").is_some() && inputs.remove("hash").is_some());
        report
    };
    let (mut filtered, whole) = (report(&ran), report(&alone));
    let condition = filtered["parameters"].as_object_mut().unwrap().remove("where").unwrap();
    assert!(condition.as_str().unwrap().starts_with("dead_air_ms >= 4000"));
    assert_eq!(filtered, whole);
    assert!(ran.file("out/report.html").contains("dead_air_ms &gt;= 4000"), "the page says what it is about");
}

/// A rule with the name of the keyword.
const RULES: &str = "[[rule]]\nid = \"refund\"\nname = \"Good morning\"\nseverity = \"serious\"\nwhen = \"greeted or hello or late\"\n\
    [rule.conditions.greeted]\nphrases = [\"good morning\", \"today\"]\n[rule.conditions.hello]\nphrases = [\"hello\"]\n\
    [rule.conditions.late]\nabsent = [\"refund\"]\nfirst = \"1s\"\n\
    [[rule]]\nid = \"never\"\nname = \"Never\"\nseverity = \"info\"\nwhen = \"not_there\"\n\
    [rule.conditions.not_there]\nphrases = [\"zeppelin\"]\n";

#[test]
fn tables_answer_as_the_results_do() {
    let asked = ["--where", "dead_air_ms >= 4000 OR agent = 'Ann'", "--group-by", "team,started:day"];
    let asked = asked.into_iter().chain(["--sort", "dead_air_ms_per_call", "--top", "2", "--title", "Dead air"]);
    let asked: Vec<&str> = asked.collect();
    let analyze = "analyze calls -o out --meta meta.csv --keyword refund --rules rules.toml --tables";
    let analyze = |format: &'static str| analyze.split(' ').chain([format]);
    let scene = || calls().write("rules.toml", RULES);
    let wanted = scene().run_with(analyze("parquet").chain(asked.clone())).exits(0).says("leaves out 2 calls");
    assert!(wanted.out().starts_with("Dead air\n4 calls measured"), "{}", wanted.out());
    for format in ["parquet", "csv", "jsonl"] {
        let ran = scene().run_with(analyze(format)).exits(0);
        let report = |more: &[&'static str]| ["report", "out"].into_iter().chain(more.to_vec()).chain(asked.clone());
        let ran = ran.then().run_with(report(&["-o", "out/again.html"])).exits(0).says("--where leaves out 2 calls");
        assert!(ran.file("out/again.html") == wanted.file("out/report.html"), "{format}: another page");
        let ran = ran.then().run_with(report(&["--format", "json"])).exits(0);
        assert_eq!(ran.out(), wanted.file("out/report.json"), "{format}");
        let ran = ran.then().run_with(report(&[])).exits(0);
        assert_eq!(ran.out(), wanted.out(), "{format}");
        let none = ["report", "out", "--where", "dead_air_ms > 1000000"];
        let ran = ran.then().run_with(none).exits(1).says("--where leaves no call: 6 calls left out");
        ran.then().run("report out --where 'dead_air > 3'").exits(2).says("--where").says("no column `dead_air`");
    }
    // What is kept of the first condition, and what is asked of the rest.
    let again =
        wanted.then().run_with(["report", "out", "--where", "team = 'red'", "--format", "json"]).exits(0).json();
    assert_eq!(again["inputs"]["measured"], 2);
    assert_eq!(again["title"], "Dead air");
    assert_eq!(again["parameters"]["where"], "(dead_air_ms >= 4000 OR agent = 'Ann') AND (team = 'red')");
    assert_eq!(again["rollup"]["by"], json!(["team", "started"]), "grouped as before");
    let groups = again["rollup"]["rows"].as_array().unwrap();
    assert_eq!(groups.len(), 1);
    has(groups[0].as_object().unwrap(), json!({"team": "red", "started": "2026-10-05", "call_count": 2}));
}

#[test]
fn numbers_of_the_user_stay_numbers_in_tables() {
    let scored = "select file, speech_ms / 1000.0 as score from calls where file <> 'one.json'";
    for format in ["parquet", "jsonl"] {
        let ran = calls().run("analyze calls -o out").exits(0).then();
        let ran = ran.run_with(["query", "out", scored, "-o", "scores.parquet"]).exits(0).then();
        let ran = ran.run(&format!("analyze calls -o scored --meta scores.parquet --tables {format}")).exits(0);
        let kept = |ran: Ran| ran.exits(0).says("leaves out 3 calls").json()["inputs"]["measured"].clone();
        let ran = ran.then();
        assert_eq!(kept(ran.run("report scored --where 'score > 8.95' --format json")), 3, "{format}");
    }
}

#[test]
fn a_keyword_with_the_name_of_a_rule_has_counts_of_its_own() {
    for format in ["parquet", "csv", "jsonl"] {
        let scene = calls().write("rules.toml", RULES);
        let run = format!("analyze calls -o out --keyword refund --keyword hello --rules rules.toml --tables {format}");
        let ran = scene.run(&run).exits(0);
        let (report, page) = (ran.file("out/report.json"), ran.file("out/report.html"));
        let counted: Value = serde_json::from_str(&report).unwrap();
        has(counted["keywords"][0].as_object().unwrap(), json!({"rule": "refund", "hits": 3, "calls": 3}));
        // Of `a`, `b` and `c` two phrases each, of `mono` a third; in `one` and in all others nothing is said of refunds.
        has(counted["rules"][0].as_object().unwrap(), json!({"rule": "refund", "hits": 7, "calls": 5}));
        assert!(page.contains("Keyword “refund”: 1") && page.contains("Rule refund (serious)"));
        let ran = ran.then().run("report out -o out/again.html").exits(0);
        assert!(ran.file("out/again.html") == page, "{format}");
        let ran = ran.then().run("report out --format json").exits(0);
        assert_eq!(ran.out(), report, "{format}");
        // Rules that run again leave the hits of keywords as they are.
        let ran = ran.then().run(&format!("rules run rules.toml out -o again --tables {format}")).exits(0);
        let hits = format!("hits.{format}");
        assert!(ran.bytes(&format!("again/{hits}")) == ran.bytes(&format!("out/{hits}")), "{format}");
    }
}

#[test]
fn many_calls_are_decided_in_chunks() {
    let mut scene = Scene::new();
    for at in 0..50 {
        scene = scene.call(&format!("{at:02}"), pair(1000 + 100 * at));
    }
    let run = |threads: u8| format!("analyze calls -o out --where 'dead_air_ms > 4900' --threads {threads}");
    let ran = scene.run(&run(1)).exits(0).says("--where leaves out 40 calls");
    assert_eq!(ran.table("calls").len(), 10);
    let one = ran.files("out");
    assert!(ran.then().run(&run(4)).exits(0).files("out") == one);
}

#[test]
fn a_condition_that_says_nothing_is_refused() {
    let run = |condition: &str| calls().run_with(["analyze", "calls", "--meta", "meta.csv", "--where", condition]);
    for (condition, why) in [
        ("dead_air >", "--where `dead_air >`"),
        ("", "--where"),
        (
            "dead_air > 3",
            "`calls` has no column `dead_air`, but dead_air_count, dead_air_ms; `talkmeter metrics calls`",
        ),
        ("queue = 'a'", "`calls` has no column `queue`; yours are agent, team, started, agent_channel; `talkmeter"),
        ("1 = 1", "names no column"),
        ("file", "is a text, not true or false"),
        ("dead_air_ms", "not true or false"),
        ("dead_air_ms > avg(dead_air_ms)", "depends on other calls"),
        ("sum(dead_air_ms) OVER (PARTITION BY agent) > 1", "depends on other calls"),
        ("file > 3", "--where"),
        ("dead_air_ms > (select 1)", "--where"),
    ] {
        run(condition).exits(2).says(why).prints_nothing();
    }
    run("dead_air_ms > 1000000").exits(1).says("--where leaves no call: 6 calls left out").prints_nothing();
    // Nothing known is not true.
    run("units_per_min IS NULL").exits(0).prints("1 call");
    run("NOT units_per_min > 0").exits(1).says("leaves no call");
    run("agent = 'Nobody'").exits(1).says("leaves no call");
}

#[test]
fn what_is_unusual_is_said_once() {
    let meta = "file,started\na,2026-10-05\nb,soon\nc,later\n";
    let run = "analyze calls --meta meta.csv --group-by started:day,started:hour --csv-bom";
    let ran = calls().write("meta.csv", meta).run(run).exits(0).says("--csv-bom is for --tables csv");
    assert_eq!(ran.err().matches("2 cells of `started` without a time").count(), 1, "{}", ran.err());
    let ran = calls().run("analyze calls -o out").exits(0).then().run("report out -o new/folder/report.html").exits(0);
    assert!(ran.path("new/folder/report.html").exists());
}

#[test]
fn groups_and_calls_are_ordered_and_cut_for_people() {
    let ran = rollup("--group-by agent --sort dead_air_ms_per_call --top 2");
    // Bob 6500, Ann 0; calls without an agent last, whatever the order.
    assert_eq!(column(&ran.table("rollup"), "agent"), [json!("Bob"), json!("Ann"), Value::Null]);
    let ran = ran.prints("dead_air_ms_per_call").prints("and 1 more group");
    let report: Value = serde_json::from_str(&ran.file("out/report.json")).unwrap();
    assert_eq!(report["rollup"]["rows"].as_array().unwrap().len(), 2);
    assert_eq!(ran.table("calls").len(), 6, "tables have all calls, in order");
    assert_eq!(ran.table("calls")[0]["file"], "a.json");
    let ascending = rollup("--group-by agent --sort dead_air_ms_per_call:asc");
    assert_eq!(column(&ascending.table("rollup"), "agent"), [json!("Ann"), json!("Bob"), Value::Null]);
    let page = calls().run("analyze calls -o out --sort longest_silence_ms --top 2 --calls 1").exits(0);
    assert!(page.file("out/report.html").contains("Showing 2 of 6 calls"));
    let listed = page.then().run("report out --sort longest_silence_ms --top 2 --format md").exits(0).out();
    let at = |name: &str| listed.find(&format!("| {name}.json |"));
    assert!(at("c") < at("b") && at("c").is_some() && at("a").is_none(), "c, b, and no other: {listed}");
    calls().run("analyze calls --sort loudness").exits(2).says("--sort loudness: calls are ordered by ");
    // A column of `rollup` orders groups; what is no figure of either is refused with what there is.
    rollup("--group-by agent --sort longest_silence_ms_p90");
    let of_groups = "; groups by agent and the columns of the table `rollup`";
    let by_file = calls().run("analyze calls --meta meta.csv --group-by agent --sort file_url");
    by_file.exits(2).says("--sort file_url: calls are ordered by ").says(of_groups).prints_nothing();
    calls().run("analyze calls --top 0").exits(2);
    // A stored roll-up is ordered anew.
    let again =
        rollup("--group-by agent").then().run("report out --sort call_count:asc --top 1 --format json").exits(0);
    assert_eq!(again.json()["rollup"]["rows"][0]["agent"], "Ann");
    assert_eq!(again.json()["rollup"]["further"], 2);
}

#[test]
fn a_question_is_answered_in_sql() {
    let stored = |formats: &str| {
        let run = format!("analyze calls -o out --tables {formats} --meta meta.csv --keyword refund --model fun-asr");
        calls().run(&run).exits(0).then()
    };
    for format in ["parquet", "csv", "jsonl"] {
        let query = |sql: &str| stored(format).run_with(["query", "out", sql, "--format", "jsonl"]).exits(0).lines();
        let rows = query(
            "SELECT agent, count(*) AS n, sum(dead_air_ms) / count(*) AS per_call FROM calls \
             WHERE agent IS NOT NULL GROUP BY agent ORDER BY per_call DESC",
        );
        assert_eq!(column(&rows, "agent"), ["Bob", "Ann"], "{format}");
        assert_eq!(column(&rows, "n"), [2, 2]);
        let rows = query(
            "SELECT c.file, p.role, e.kind FROM events e JOIN calls c ON c.file = e.file \
             JOIN participants p ON p.file = e.file AND p.participant = e.participant ORDER BY c.file",
        );
        assert_eq!(column(&rows, "file"), ["b.json", "c.json"], "{format}");
        assert_eq!(column(&rows, "role"), ["customer", "agent"]);
        let rows = query("SELECT sum(cost) AS cost, max(currency) AS currency FROM costs");
        assert!(rows[0]["cost"].is_null() || rows[0]["cost"].is_string(), "money is exact: {rows:?}");
        assert_eq!(query("SELECT count(*) AS n FROM calls_by_role WHERE agent_talk_ms > 5000")[0]["n"], 2);
    }
}

#[test]
fn questions_are_asked_as_in_other_engines() {
    let mut scene = Some(calls().run("analyze calls -o out --meta meta.csv").exits(0).then());
    let mut ask = |sql: &str| {
        let ran = scene.take().unwrap().run_with(["query", "out", sql, "--format", "csv"]).exits(0);
        let said = ran.out();
        scene = Some(ran.then());
        said
    };
    // Results without a name are called by their text, and groups ordered by any of them, or by none.
    assert_eq!(
        ask("select sum(units), avg(units), count(*) from calls").lines().next(),
        Some("sum(units),avg(units),count(*)")
    );
    let groups = "select team, count(*) from calls group by team";
    let by_count = "team,count(*)\nblue,3\nred,2\n,1\n";
    assert_eq!(ask(&format!("{groups} order by count(*) desc, team")), by_count);
    assert_eq!(ask(&format!("{groups} having COUNT(*) > 2")), "team,count(*)\nblue,3\n");
    assert_eq!(ask("select team from calls group by team order by count(*) desc, team"), "team\nblue\nred\n\n");
    let pairs = "select a.file, b.file from calls a join calls b on a.agent = b.agent where a.file < b.file order by 1";
    assert_eq!(ask(pairs).lines().next(), Some("a.file,b.file"));
    // Nulls are last, whatever the order.
    for order in ["asc", "desc"] {
        let sorted = ask(&format!("select team, file from calls order by team {order}, file"));
        assert!(sorted.lines().last().unwrap().starts_with(','), "{order}: {sorted}");
        let ranked = format!("select team, row_number() over (order by team {order}) as n from calls order by n");
        assert!(ask(&ranked).lines().last().unwrap().starts_with(','), "{order}: {}", ask(&ranked));
    }
    let first = ask("select team, file from calls order by team desc nulls first, file");
    assert!(first.lines().nth(1).unwrap().starts_with(','), "{first}");
}

#[test]
fn an_answer_comes_in_every_format_and_into_files() {
    let stored = || calls().run("analyze calls -o out --meta meta.csv").exits(0).then();
    let sql = "select team, avg(speech_ms) as speech, max(agent) as agent from calls group by team order by team";
    let ran = stored().run_with(["query", "out", sql]).exits(0);
    assert_eq!(ran.out(), "team  speech    agent\nblue  8966.667  Bob\nred   9000.0    Bob\n      0.0\n".to_owned());
    let ran = stored().run_with(["query", "out", sql, "--format", "csv"]).exits(0);
    assert!(ran.out().starts_with("team,speech,agent\nblue,8966.66666"), "{}", ran.out());
    let ran = stored().run_with(["query", "out", sql, "--format", "json"]).exits(0);
    assert_eq!(ran.json()[1], json!({"team": "red", "speech": 9000.0, "agent": "Bob"}));
    for format in ["parquet", "csv", "jsonl"] {
        let file = format!("out/answer.{format}");
        let ran = stored().run_with(["query", "out", sql, "-o", &file]).exits(0).says("3 rows").prints_nothing();
        has(&ran.table_as("answer", format)[1], json!({"team": "red", "agent": "Bob"}));
        ran.then().run_with(["query", "out", sql, "-o", &format!("new/folder/{format}.{format}")]).exits(0);
    }
    stored().run_with(["query", "out", sql, "-o", "answer.xls"]).exits(2).says(".parquet, .csv or .jsonl");
}

#[test]
fn the_engine_says_nothing_of_its_own() {
    let stored = calls().run("analyze calls -o out --meta meta.csv").exits(0).then();
    let sql = "select cast('2026-10-05T09:00:00Z' as timestamp) as at, min(file) as first from calls";
    let ran = stored.run_with(["query", "out", sql, "--format", "csv"]).exits(0).says_nothing();
    assert!(ran.out().contains("a.json"), "{}", ran.out());
}

#[test]
fn several_folders_stand_one_under_the_other() {
    let scene = calls().run("analyze calls/a.json -o may").exits(0).then();
    let scene = scene.run("analyze calls/b.json calls/c.json -o june --tables csv").exits(0).then();
    let sql = "select dir, count(*) as n from calls group by dir order by dir";
    let rows = scene.run_with(["query", "may", "june", sql, "--format", "jsonl"]).exits(0).lines();
    assert_eq!(
        rows,
        [json!({"dir": "june", "n": 2}), json!({"dir": "may", "n": 1})].map(|row| row.as_object().unwrap().clone())
    );
}

#[test]
fn what_cannot_be_asked_is_said_in_one_line() {
    let ask = |sql: &str| {
        let stored = calls().run("analyze calls -o out --only calls,participants").exits(0).then();
        let ran = stored.run_with(["query", "out", sql]).prints_nothing();
        assert_eq!(ran.err().lines().count(), 1, "{}", ran.err());
        ran
    };
    ask("select * from call").exits(2).says("call").says("the tables are calls, participants");
    ask("select dead_air from calls").exits(2).says("dead_air").says("dead_air_ms");
    ask("select from").exits(2).says("cannot run the query");
    for sql in [
        "drop table calls",
        "create table x as select 1",
        "delete from calls",
        "truncate table calls",
        "show tables",
        "",
    ] {
        ask(sql).exits(2).says("only a SELECT can be run");
    }
    ask("select 1; select 2").exits(2).says("only one");
    ask("select file as f, units as f from calls").exits(2).says("several results are called `f`; name them with AS");
    ask("select * from turns").exits(2).says("no table `turns` in out: `talkmeter analyze … -o DIR` writes them");
    Scene::new().call("a", pair(0)).run_with(["query", "calls", "select 1"]).exits(2).says("no table in calls");
    Scene::new().run_with(["query", "gone", "select 1"]).exits(1).says("gone");
}

// The same questions to DuckDB, polars and pandas on the same Parquet files; `docs/queries.md` has them.
#[test]
#[ignore = "needs duckdb, polars and pandas for Python"]
fn queries_answer_as_duckdb_polars_and_pandas_do() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let drive = root.join("tests/queries/compare.py");
    let ran = std::process::Command::new("python3")
        .args([drive.as_os_str(), env!("CARGO_BIN_EXE_talkmeter").as_ref(), root.as_os_str()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains("10 questions, the same answers; 14 more"), "{said}");
}
