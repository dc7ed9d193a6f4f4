//! Rules over calls: checked, decided while measuring and again from tables, with evidence.

use std::path::Path;

use serde_json::{Value, json};

use crate::scene::{Call, Row, Scene, call, column, has};

/// A customer asks for a refund, the agent offers something else 6 s later.
fn refund() -> Call {
    call(&[
        (0, 1000, 3000, "good morning"),
        (1, 4000, 8000, "I want a refund for this"),
        (0, 14_000, 17_000, "I can offer a voucher"),
        (1, 18_000, 20_000, "no thanks"),
    ])
    .lasting(25_000)
}

const REFUND: &str = r#"
[[rule]]
id = "refund-refused"
name = "A refund was asked for and not offered"
severity = "serious"
when = "asked and not offered"

[rule.conditions.asked]
phrases = ["refund ! refund policy", "退款"]
role = "customer"

[rule.conditions.offered]
near = ["asked", "offer"]
within = "5s"
order = "before"

[rule.conditions.offer]
phrases = ["I can offer"]
role = "agent"

[[rule]]
id = "no-farewell"
severity = "notice"
when = "unsaid"

[rule.conditions.unsaid]
absent = ["goodbye", "再见"]
role = "agent"
last = "50%"

[[rule]]
id = "talkative"
when = "much"

[rule.conditions.much]
metric = "participants.talk_ms"
role = "agent"
above = 5000
"#;

fn scene() -> Scene {
    Scene::new().write("rules.toml", REFUND).call("a", refund())
}

const ANALYZE: &str = "analyze calls -o out --tables jsonl --rules rules.toml --role ch0=agent,ch1=customer";

fn verdict(rows: &[Row]) -> Vec<Value> {
    rows.iter().map(|row| json!([row["rule"], row["matched"], row["count"], row["first_ms"]])).collect()
}

#[test]
fn every_rule_has_a_verdict_and_those_that_match_have_evidence() {
    let ran = scene().run(ANALYZE).exits(0);
    let rows = ran.table("rules");
    assert_eq!(
        verdict(&rows),
        [
            json!(["refund-refused", true, 1, 4000]),
            json!(["no-farewell", true, 0, null]),
            json!(["talkative", false, 0, null])
        ]
    );
    assert_eq!(column(&rows, "severity"), ["serious", "notice", "info"]);
    let hits = ran.table("hits");
    assert_eq!(hits.len(), 2);
    has(
        &hits[0],
        json!({"rule": "refund-refused", "hit_index": 0, "participant": "ch1", "role": "customer", "term": "refund",
            "begin_ms": 4000, "end_ms": 8000, "time_basis": "words", "matched": "refund", "text": "I want a refund for this"}),
    );
    // What was searched: the second half of the span.
    has(
        &hits[1],
        json!({"rule": "no-farewell", "participant": null, "role": null, "term": "goodbye | 再见", "begin_ms": 10_500,
            "end_ms": 20_000, "time_basis": "window", "matched": "", "text": ""}),
    );
    // Rules count no keywords.
    has(&ran.row("calls"), json!({"keyword_hit_count": null}));
}

#[test]
fn what_cannot_be_known_is_null() {
    let ran = scene().run("analyze calls -o out --tables jsonl --rules rules.toml --role ch0=agent").exits(0);
    assert_eq!(
        verdict(&ran.table("rules")),
        [
            json!(["refund-refused", null, 0, null]),
            json!(["no-farewell", true, 0, null]),
            json!(["talkative", false, 0, null])
        ]
    );
}

#[test]
fn keywords_come_before_rules_and_are_counted_alone() {
    let ran = scene().run(&format!("{ANALYZE} --keyword refund")).exits(0);
    assert_eq!(column(&ran.table("hits"), "rule"), ["refund", "refund-refused", "no-farewell"]);
    has(&ran.row("calls"), json!({"keyword_hit_count": 1}));
    let report: Value = serde_json::from_str(&ran.file("out/report.json")).unwrap();
    assert_eq!(report["keywords"].as_array().unwrap().len(), 1);
}

/// Runs rules on stored tables, and compares every byte with those that the analysis wrote.
fn assert_same_from_tables(scene: Scene, settings: &str) {
    let formats = "--tables parquet,csv,jsonl";
    let ran = scene.run(&format!("analyze calls -o out {formats} --rules rules.toml {settings}")).exits(0);
    for gone in ["report.json", "windows.parquet", "costs.csv"] {
        let _ = std::fs::remove_file(ran.path(&format!("out/{gone}")));
    }
    let ran = ran.then().run(&format!("rules run rules.toml out -o again {formats}")).exits(0);
    let mut compared = 0;
    for (name, bytes) in ran.files("again").into_iter().filter(|(name, _)| name != "datapackage.json") {
        assert!(bytes == ran.bytes(&format!("out/{name}")), "{name} differs with {settings}");
        compared += 1;
    }
    assert_eq!(compared, 6);
}

fn examples(scene: Scene) -> Scene {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut scene = scene.write("rules.toml", std::fs::read(root.join("rules/support.toml")).unwrap());
    for entry in std::fs::read_dir(root.join("calls")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            scene = scene.call(&name, std::fs::read(path).unwrap());
        }
    }
    scene
}

#[test]
fn stored_tables_give_the_same_bytes_as_the_analysis() {
    assert_same_from_tables(examples(Scene::new()), "--role ch0=agent,ch1=customer");
    // Whatever the thresholds were, and with the keywords that were searched.
    let settings =
        "--role ch0=agent,ch1=customer,spk0=agent,spk1=customer --turn-pause-ms 400 --join-gap-ms 0 --keyword refund";
    assert_same_from_tables(examples(Scene::new()), settings);
}

#[test]
fn stored_tables_give_the_same_bytes_for_odd_calls() {
    let everything = "[[rule]]\nid = \"any\"\nwhen = \"a or b\"\n[rule.conditions.a]\nphrases = [\"/./\"]\n[rule.conditions.b]\nrepeated = [\"/\\\\w+/\"]\ntimes = 2\nwithin_turns = 2\n";
    let odd = || {
        let spoken = json!({"begin_time": 0, "end_time": 4000, "text": "[PII] one, two (three)", "words": [
            {"begin_time": 0, "end_time": 500, "text": " one"}, {"text": "two ", "punctuation": ","},
            {"begin_time": 3000, "end_time": 4000, "text": "three"}]});
        let wordless = json!({"begin_time": 9000, "end_time": 9000, "text": "no time"});
        let joined = json!({"begin_time": 5000, "end_time": 6000, "words": [
            {"begin_time": 5000, "end_time": 5500, "text": "今天", "punctuation": "，"},
            {"begin_time": 5500, "end_time": 6000, "text": "good"}]});
        let different = json!({"begin_time": 10_000, "end_time": 14_000, "text": "it says this", "words": [
            {"begin_time": 10_000, "end_time": 10_500, "text": "something"},
            {"begin_time": 13_000, "end_time": 14_000, "text": "else"}]});
        let inside = Call::default()
            .sentence(0, spoken.clone())
            .sentence(0, different)
            .tell(1, 1000, 1400, "aside <unk>")
            .sentence(1, joined)
            .sentence(1, wordless)
            .tell(1, 12_000, 12_500, "between")
            .sentence(1, json!({"text": "never timed"}))
            .lasting(13_500);
        // A blank sentence is speech, unless the service heard none on its track.
        let blank =
            Call::default().tell(0, 0, 900, "…").content(0, 0).tell(1, 200, 800, "。").tell(1, 2000, 2900, "yes");
        Scene::new()
            .write("rules.toml", everything)
            .call("inside", inside)
            .call("blank", blank)
            .call("silent", Call::default().silent(0))
            .call(
                "speakers",
                crate::scene::diarised(&[(Some(1), 0, 900, "a b"), (None, 500, 800, "c"), (Some(2), 900, 2000, "d")]),
            )
    };
    assert_same_from_tables(odd(), "");
    assert_same_from_tables(odd(), "--keep-markers --role ch0=agent,spk1=agent,spk2=agent");
    assert_same_from_tables(odd(), "--join-gap-ms 3000 --turn-pause-ms 9000");
}

#[test]
fn rules_run_needs_the_tables_with_all_text_and_prints_verdicts() {
    let ran = scene().run(&format!("{ANALYZE} --only calls,participants,turns,hits")).exits(0);
    ran.then()
        .run("rules run rules.toml out")
        .exits(2)
        .says("rules need the tables `bursts`, `sentences`, `words`, which are not in out")
        .prints_nothing();
    let ran = scene().run("analyze calls -o out --role ch0=agent,ch1=customer").exits(0);
    let ran = ran.then().run("rules run rules.toml out --format jsonl").exits(0);
    has(
        &ran.lines()[0],
        json!({"file": "a.json", "rule": "refund-refused", "severity": "serious", "matched": true, "count": 1, "first_ms": 4000}),
    );
    assert_eq!(ran.lines().len(), 3);
}

#[test]
fn faults_are_named_by_place_before_anything_is_read() {
    let bad =
        REFUND.replace("role = \"agent\"\nlast", "roll = \"agent\"\nlast").replace("above = 5000", "above = \"much\"");
    let scene = || Scene::new().write("rules.toml", bad.clone()).call("a", "not read");
    let faults = [
        "rules.toml:28:1: rule no-farewell: unknown key `roll`",
        "rules.toml:38:9: rule talkative: `above` must be a number",
    ];
    for (line, code) in
        [("rules check rules.toml", 3), ("analyze calls --rules rules.toml", 2), ("rules run rules.toml gone", 2)]
    {
        let ran = scene().run(line).exits(code).says(faults[0]).says(faults[1]).prints_nothing();
        assert_eq!(ran.err().lines().count(), 2, "{}", ran.err());
    }
    Scene::new().run("rules check gone.toml").exits(1).says("cannot read the rules gone.toml");
}

#[test]
fn check_warns_of_what_can_hardly_be_meant() {
    let odd = r#"
[[rule]]
id = "a"
when = "greets and not greets or never"
[rule.conditions.greets]
phrases = ["hello!"]
[rule.conditions.never]
phrases = ["bye ! Bye"]
first = "0s"
[rule.conditions.spare]
metric = "calls.units"
above = 5
below = 5
[[rule]]
id = "b"
when = "x"
[rule.conditions.x]
phrases = ["one", "two"]
match = 3
[[rule]]
id = "c"
when = "x"
[rule.conditions.x]
phrases = ["one"]
[[rule]]
id = "d"
when = "x"
[rule.conditions.x]
phrases = ["one"]
"#;
    let ran = Scene::new().write("odd.toml", odd).run("rules check odd.toml").exits(0).prints("4 rules, 6 conditions");
    for warning in [
        "rule a: `hello!` of `greets` is searched as `hello`",
        "rule a: `never` can never hold: its window is empty",
        "rule a: `spare` can never hold: no number is within the bounds of `calls.units`",
        "rule a: `spare` is not used in `when`",
        "rule a: no call can match",
        "rule b: `x` can never hold: it wants 3 different phrases and has 2",
        "rule d: the same as rule c",
    ] {
        assert!(ran.err().contains(&format!("odd.toml: warning: {warning}")), "{warning}\n{}", ran.err());
    }
    assert!(!ran.err().contains("warning: rule c"), "{}", ran.err());
    let ran = ran.then().write("x.toml", "[[rule").run("rules check gone.toml x.toml odd.toml --format csv").exits(1);
    ran.says("cannot read the rules gone.toml")
        .says("x.toml:1:")
        .prints("file,rules,conditions,phrases,warnings\nodd.toml,4,6,4,8\n");
}

/// A file of one rule with this condition.
fn one_rule(condition: &str) -> String {
    format!("[[rule]]\nid = \"r\"\nname = \"n\"\nseverity = \"info\"\nwhen = \"a\"\n[rule.conditions.a]\n{condition}\n")
}

#[test]
fn hostile_files_give_one_line() {
    let circle: String = (0..1000)
        .map(|at| {
            let (one, two) = ((at + 1) % 1000, (at + 2) % 1000);
            format!("[rule.conditions.c{at}]\nnear = [\"c{one}\", \"c{two}\"]\nwithin = \"5s\"\n")
        })
        .collect();
    let circle = format!("[[rule]]\nid = \"r\"\nname = \"n\"\nseverity = \"info\"\nwhen = \"c0\"\n{circle}");
    let files = [
        (circle, "rules.toml:7:9: rule r: `c0` is near itself, or near conditions that are: a circle"),
        (
            one_rule(&format!("phrases = [\"{}\"]", "word ".repeat(200_000))),
            "rules.toml:7:12: rule r: phrase `word word word word …` is longer than 1000 characters",
        ),
        (one_rule(r#"phrases = ["/(\\w{1000}){1000}/"]"#), "compiled regex exceeds size limit"),
        ("[".repeat(1_000_000), "rules.toml:1:"),
    ];
    for (text, line) in files {
        let ran = Scene::new().write("rules.toml", text).run("rules check rules.toml").exits(3).says(line);
        assert_eq!(ran.err().lines().count(), 1, "{}", ran.err());
    }
}

#[test]
fn large_files_are_read_in_linear_time() {
    let many: String = (0..10_000)
        .map(|at| one_rule(&format!("phrases = [\"word {at}\"]")).replace("\"r\"", &format!("\"r{at}\"")))
        .collect();
    let ran = Scene::new().write("rules.toml", many).run("rules check rules.toml").exits(0);
    ran.prints("10,000 rules, 10,000 conditions, 10,000 phrases; 0 warnings");
    // Very many phrases in one condition, and parentheses in an expression.
    let phrases: Vec<String> = (0..16_000).map(|at| format!("\"some words {at}\"")).collect();
    let phrases = one_rule(&format!("phrases = [{}]", phrases.join(", ")));
    let ran = Scene::new().write("rules.toml", phrases).run("rules check rules.toml").exits(0);
    ran.prints("1 rule, 1 condition, 16,000 phrases");
    let nested = format!("{}a{}", "(".repeat(100_000), ")".repeat(100_000));
    let nested = one_rule("phrases = [\"a\"]").replace("\"a\"\n[", &format!("\"{nested}\"\n["));
    Scene::new().write("rules.toml", nested).run("rules check rules.toml").exits(0);
    // Expressions on which backtracking would take for ever.
    let regexes = r#"phrases = ["/(a+)+$/", "/(a|aa)+b/", "/(x+x+)+y/", "/(.*)*c/"]"#;
    let text = format!("{} {}!", "a".repeat(20_000), "x".repeat(20_000));
    let ran = Scene::new()
        .call("a", call(&[(0, 0, 9000, text.as_str())]))
        .write("rules.toml", one_rule(regexes))
        .run("analyze calls -o out --rules rules.toml --tables jsonl")
        .exits(0);
    assert_eq!(ran.table("rules")[0]["matched"], false);
}

#[test]
fn the_example_rules_are_sound() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/rules/support.toml");
    let ran = Scene::new().run_with(["rules", "check", examples]).exits(0).says_nothing();
    assert!(ran.out().contains(": 40 rules, "), "{}", ran.out());
    assert_valid(&toml_as_json(&std::fs::read_to_string(examples).unwrap())).unwrap();
}

fn toml_as_json(text: &str) -> Value {
    serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap()
}

fn assert_valid(value: &Value) -> Result<(), String> {
    let schema = Scene::new().run("rules schema").exits(0).json();
    valid(&schema, value)
}

/// Validates against the part of JSON Schema that the schema of rules uses; an unknown keyword is refused.
fn valid(schema: &Value, value: &Value) -> Result<(), String> {
    for (keyword, wanted) in schema.as_object().unwrap() {
        let list = || wanted.as_array().unwrap();
        let fits = |schema: &Value| valid(schema, value).is_ok();
        let holds = match (&**keyword, value) {
            ("$schema" | "title" | "description", _) => true,
            ("type", _) => match wanted.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "integer" => value.is_i64(),
                _ => value.is_number(),
            },
            ("enum", _) => list().contains(value),
            ("oneOf", _) => list().iter().filter(|schema| fits(schema)).count() == 1,
            ("anyOf", _) => list().iter().any(fits),
            ("not", _) => !fits(wanted),
            ("minimum", Value::Number(number)) => number.as_f64() >= wanted.as_f64(),
            ("minLength", Value::String(text)) => text.len() as u64 >= wanted.as_u64().unwrap(),
            ("pattern", Value::String(text)) => regex_matches(wanted.as_str().unwrap(), text),
            ("minItems", Value::Array(items)) => items.len() as u64 >= wanted.as_u64().unwrap(),
            ("maxItems", Value::Array(items)) => items.len() as u64 <= wanted.as_u64().unwrap(),
            ("items", Value::Array(items)) => items.iter().try_for_each(|item| valid(wanted, item)).map(|()| true)?,
            ("minProperties", Value::Object(map)) => map.len() as u64 >= wanted.as_u64().unwrap(),
            ("propertyNames", Value::Object(map)) => {
                map.keys().try_for_each(|name| valid(wanted, &json!(name))).map(|()| true)?
            }
            ("required", Value::Object(map)) => list().iter().all(|name| map.contains_key(name.as_str().unwrap())),
            ("properties", Value::Object(map)) => map
                .iter()
                .filter_map(|(name, value)| Some((wanted.get(name)?, value)))
                .try_for_each(|(schema, value)| valid(schema, value))
                .map(|()| true)?,
            ("additionalProperties", Value::Object(map)) => {
                let known = schema.get("properties").and_then(Value::as_object);
                let others = || map.iter().filter(|(name, _)| !known.is_some_and(|known| known.contains_key(*name)));
                match wanted {
                    Value::Bool(false) => others().next().is_none(),
                    wanted => others().try_for_each(|(_, value)| valid(wanted, value)).map(|()| true)?,
                }
            }
            ("minimum" | "minLength" | "pattern" | "minItems" | "maxItems" | "items", _) => true,
            ("minProperties" | "propertyNames" | "required" | "properties" | "additionalProperties", _) => true,
            (other, _) => panic!("the schema uses {other}, which this test does not know"),
        };
        if !holds {
            return Err(format!("{value} breaks {keyword}: {wanted}"));
        }
    }
    Ok(())
}

fn regex_matches(pattern: &str, text: &str) -> bool {
    // Searched as a keyword would be, by the same engine.
    let line = format!("/{pattern}/");
    let keywords = talkmeter::metrics::keywords::Keywords::new([line]).unwrap();
    !keywords.find(text).is_empty()
}

#[test]
fn the_schema_takes_what_check_takes() {
    let rule = |lines: &str| format!("[[rule]]\nid = \"a\"\nwhen = \"b\"\n[rule.conditions.b]\n{lines}\n");
    let takes = |text: &str| assert_valid(&toml_as_json(text));
    takes(REFUND).unwrap();
    let good = [
        "phrases = [\"x\"]\nmatch = \"all\"\ntimes = 3\nfirst = 500",
        "absent = [\"x\"]\nfrom = \"1.5s\"\nto = \"25%\"\nparticipant = \"ch1\"",
        "metric = \"calls.units\"\nabove = 1\nat_most = 2.5",
        "repeated = [\"x\"]\ntimes = 2\nwithin_turns = 3",
    ];
    let bad = [
        "phrases = []",
        "phrases = [\"x\"]\nabsent = [\"y\"]",
        "phrases = [\"x\"]\nfirst = \"9x\"",
        "phrases = [\"x\"]\nfirst = 5\nlast = 5",
        "phrases = [\"x\"]\ntimes = 0",
        "phrases = [\"x\"]\nmatch = \"most\"",
        "phrases = [\"x\"]\nfirst = \"101%\"",
        "metric = \"calls.units\"",
        "metric = \"calls.units\"\nabove = \"1\"",
        "repeated = [\"x\"]\ntimes = 2",
        "repeated = [\"x\"]\nwithin = 5",
        "near = [\"x\"]\nwithin = 5",
        "near = [\"b\", \"b\"]\nwithin = \"5%\"",
        "role = \"agent\"",
    ];
    for lines in good {
        takes(&rule(lines)).unwrap();
        Scene::new().write("r.toml", rule(lines)).run("rules check r.toml").exits(0);
    }
    for lines in bad {
        assert!(takes(&rule(lines)).is_err(), "{lines}");
        Scene::new().write("r.toml", rule(lines)).run("rules check r.toml").exits(3);
    }
    for text in [
        "a = 1",
        "rule = []",
        "[[rule]]\nid = \"a\"\n[rule.conditions.b]\nphrases = [\"x\"]",
        &rule("phrases = [\"x\"]").replace(".b]", ".and]"),
    ] {
        assert!(takes(text).is_err(), "{text}");
        Scene::new().write("r.toml", text).run("rules check r.toml").exits(3);
    }
}

#[test]
fn diff_names_the_calls_that_flip_and_the_hit_that_flips_them() {
    let new = REFUND
        .replace("within = \"5s\"", "within = \"10s\"")
        .replace("above = 5000", "above = 4000")
        .replace("id = \"no-farewell\"", "id = \"farewell\"");
    let other = call(&[(0, 0, 2000, "hello"), (1, 3000, 5000, "nothing to see")]).lasting(6000);
    let ran = scene()
        .call("b", other)
        .write("new.toml", new)
        .run("analyze calls -o out --role ch0=agent,ch1=customer")
        .exits(0);
    let ran = ran.then().run("rules diff rules.toml new.toml out --format json --fail-on-change").exits(3);
    let diff = ran.json();
    assert_eq!((&diff["added"], &diff["removed"]), (&json!(["farewell"]), &json!(["no-farewell"])));
    let flips = diff["flips"].as_array().unwrap();
    let brief: Vec<Value> =
        flips.iter().map(|flip| json!([flip["file"], flip["rule"], flip["before"], flip["after"]])).collect();
    assert_eq!(brief, [json!(["a.json", "refund-refused", true, false]), json!(["a.json", "talkative", false, true])]);
    let because = |at: usize| flips[at]["because"].as_str().unwrap();
    assert!(because(0).contains("refund … I can offer"), "{}", because(0));
    assert!(because(0).contains("at most 10000 ms between"), "{}", because(0));
    assert!(because(1).contains("participants.talk_ms is 5000 for agent (above 4000)"), "{}", because(1));
    let ran = ran.then().run("rules diff rules.toml new.toml out --format md").exits(0);
    assert!(
        ran.out().starts_with("2 flips in 2 calls; rules added: farewell; removed: no-farewell\n\n| file | rule |")
    );
    let ran = ran.then().run("rules diff rules.toml rules.toml out --fail-on-change").exits(0);
    assert_eq!(ran.out(), "0 flips in 2 calls; rules added: none; removed: none\n");
}

#[test]
fn diff_names_what_changed_in_the_rule_or_in_whom_it_is_about() {
    let call =
        call(&[(0, 0, 6000, "hello refund refund"), (1, 8000, 15_500, "hello there"), (0, 16_000, 17_000, "goodbye")]);
    let because = |old: &str, new: &str| {
        let file = |rule: &str| format!("[[rule]]\nid = \"r\"\nwhen = \"a\"\n[rule.conditions.a]\n{rule}\n");
        let ran = Scene::new().call("a", call.clone()).run("analyze calls -o out").exits(0);
        let ran = ran.then().write("old.toml", file(old)).write("new.toml", file(new));
        let diff = ran.run("rules diff old.toml new.toml out --format json").exits(0).json();
        diff["flips"][0]["because"].as_str().unwrap().to_owned()
    };
    // The participant whose figure is no longer within the bounds.
    assert_eq!(
        because("metric = \"participants.talk_ms\"\nabove = 7200", "metric = \"participants.talk_ms\"\nabove = 7600"),
        "a participants.talk_ms is 7500 for ch1 (above 7200) → participants.talk_ms is 7500 for ch1 (above 7600)"
    );
    assert_eq!(
        because("phrases = [\"hello\"]", "phrases = [\"hello\"]\nrole = \"agent\""),
        "a \"hello\" at 0 ms by ch0 (term `hello`) → unknown: no participant has the role agent"
    );
    let refunds = "2 hits (at least 1 hit → at least 9 hits), the first \"refund\" at 0 ms by ch0 (term `refund`)";
    assert_eq!(because("phrases = [\"refund\"]", "phrases = [\"refund\"]\ntimes = 9"), format!("a {refunds}"));
    let other = because("phrases = [\"refund\", \"gone\"]", "phrases = [\"refund\", \"gone\"]\nmatch = \"all\"");
    assert!(other.starts_with("a 2 hits (at least 1 hit → 2 different phrases, at least 1 hit)"), "{other}");
    let within = |turns: usize| format!("repeated = [\"hello\"]\ntimes = 2\nwithin_turns = {turns}");
    let other = because(&within(2), &within(1));
    assert!(other.contains("(at least 2 hits within 2 turns → at least 2 hits within 1 turn)"), "{other}");
    let ran = Scene::new().call("a", call).run("analyze calls -o out").exits(0);
    let old = "[[rule]]\nid = \"r\"\nwhen = \"a\"\n[rule.conditions.a]\nphrases = [\"goodbye\"]\n";
    let ran = ran.then().write("old.toml", old).write("new.toml", old.replace("\"a\"", "\"not a\""));
    ran.run("rules diff old.toml new.toml out")
        .exits(0)
        .prints("when = \"a\" → \"not a\"; a: \"goodbye\" at 16000 ms by ch0 (term `goodbye`)");
}

#[test]
fn explain_shows_what_each_condition_found_or_where_it_looked() {
    let explain = |rule: &str, more: &str| {
        let roles = "--role ch0=agent,ch1=customer";
        scene().run(&format!("explain calls/a.json --rules rules.toml --rule {rule} {roles} {more}"))
    };
    let rows = explain("refund-refused", "--format jsonl").exits(0).lines();
    assert_eq!(column(&rows, "condition"), ["asked", "offered", "offer"]);
    has(
        &rows[0],
        json!({"kind": "phrases", "holds": true, "participant": "customer", "begin_ms": 4000, "matched": "refund",
            "wanted": "at least 1 hit, by the role customer", "text": "I want a refund for this", "verdict": true,
            "severity": "serious", "when": "asked and not offered", "other": null}),
    );
    // Both hits, and the time between.
    has(
        &rows[1],
        json!({"kind": "near", "holds": false, "begin_ms": 4000, "end_ms": 17_000, "value": 6000,
            "matched": "refund … I can offer", "wanted": "at most 5000 ms between, order before",
            "other": "agent", "other_begin_ms": 14_000, "other_text": "I can offer a voucher"}),
    );
    let rows = explain("no-farewell", "--format jsonl").exits(0).lines();
    has(
        &rows[0],
        json!({"kind": "absent", "holds": true, "participant": null, "begin_ms": 10_500, "end_ms": 20_000,
            "term": "goodbye | 再见", "matched": null, "wanted": "no hit, by the role agent", "note": "1 turn searched"}),
    );
    let rows = explain("talkative", "--format jsonl").exits(0).lines();
    has(
        &rows[0],
        json!({"holds": false, "value": 5000, "term": "participants.talk_ms",
            "wanted": "above 5000; join_gap_ms 250"}),
    );
    // For people: a block for each condition, which fits a terminal.
    let ran = scene()
        .environment("COLUMNS", "80")
        .run("explain calls/a.json --rules rules.toml --rule refund-refused --role ch0=agent,ch1=customer");
    let text = ran.exits(0).out();
    assert!(text.lines().all(|line| line.chars().count() <= 80) && !text.contains("no room"), "{text}");
    for part in ["asked is true (phrases: at least 1 hit, by the role customer)\n", "0:04.000  customer  refund"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(text.contains(": 6000") && text.contains("ms apart, too far"), "{text}");
    explain("refund-refused", "")
        .exits(0)
        .prints("rule refund-refused (serious): matched\nA refund was asked for and not offered\nwhen = asked and not offered\n");
    // What was not searched is not said to have been.
    let nobody =
        scene().run("explain calls/a.json --rules rules.toml --rule refund-refused --format jsonl").exits(0).lines();
    has(
        &nobody[0],
        json!({"holds": null, "begin_ms": null, "end_ms": null, "note": "no participant has the role customer"}),
    );
    has(&nobody[1], json!({"holds": null, "note": "asked is not known, offer is not known"}));
    let silent = scene().call("s", Call::default().silent(0));
    let silent =
        silent.run("explain calls/s.json --rules rules.toml --rule no-farewell --format jsonl").exits(0).lines();
    has(&silent[0], json!({"holds": null, "begin_ms": null, "note": "the call has no speech"}));
    explain("gone", "").exits(2).says("no rule `gone`: the file has refund-refused, no-farewell, talkative");
    scene().run("explain calls/a.json --rule gone").exits(2);
}

#[test]
fn categories_of_amazon_become_rules_and_what_is_left_out_is_said() {
    let categories = json!({"Categories": [
        {"CategoryName": "asks-for-a-refund", "InputType": "POST_CALL", "Rules": [
            {"TranscriptFilter": {"TranscriptFilterType": "EXACT", "Targets": ["refund", "say \"now\" ! no"],
                "ParticipantRole": "CUSTOMER", "AbsoluteTimeRange": {"First": 60_000}}},
            {"TranscriptFilter": {"TranscriptFilterType": "EXACT", "Targets": ["goodbye"], "Negate": true,
                "RelativeTimeRange": {"StartPercentage": 50, "EndPercentage": 100}}},
            {"SentimentFilter": {"Sentiments": ["NEGATIVE"]}},
        ]},
        {"CategoryName": "silent", "Rules": [{"NonTalkTimeFilter": {"Threshold": 6000, "Negate": false}}]},
        {"CategoryName": "interrupts", "Rules": [
            {"InterruptionFilter": {"Threshold": 2000, "ParticipantRole": "AGENT", "Negate": true}}]},
        {"CategoryName": "moods", "Rules": [{"SentimentFilter": {"Sentiments": ["NEGATIVE"]}}]},
    ]});
    let ran = scene().write("aws.json", categories).run("rules import aws.json").exits(0);
    for left_out in [
        "aws.json: left out: asks-for-a-refund: SentimentFilter, which has no counterpart",
        "left out: interrupts: the threshold of 2000 ms of InterruptionFilter",
        "left out: moods: SentimentFilter",
        "3 rules imported",
    ] {
        assert!(ran.err().contains(left_out), "{left_out}\n{}", ran.err());
    }
    let text = ran.out();
    assert!(
        text.contains("# Left out: SentimentFilter, which has no counterpart\n# Different: time ranges")
            && text.contains("\n[[rule]]\nid = \"asks-for-a-refund\""),
        "{text}"
    );
    let ran = ran
        .then()
        .write("imported.toml", text)
        .run("rules check imported.toml")
        .exits(0)
        .prints("3 rules, 4 conditions");
    let ran = ran.then().run(&ANALYZE.replace("rules.toml", "imported.toml")).exits(0);
    assert_eq!(
        verdict(&ran.table("rules")),
        [
            json!(["asks-for-a-refund", true, 1, 4000]),
            json!(["silent", true, 0, null]),
            json!(["interrupts", true, 0, null])
        ]
    );
    ran.then()
        .write("no.json", "{}")
        .run("rules import no.json")
        .exits(2)
        .says("no.json: not the JSON of call analytics");
}

#[test]
fn the_report_counts_calls_by_rule_when_measuring_and_from_tables() {
    let other = call(&[(0, 0, 2000, "hello"), (1, 3000, 5000, "nothing to see")]).lasting(6000);
    let single = call(&[(0, 0, 2000, "a refund")]).lasting(2000);
    let analyze = format!("{ANALYZE} --keyword refund").replace("jsonl", "parquet");
    let ran = scene().call("b", other).call("c", single).run(&analyze).exits(0);
    let report = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let rules = report(&ran.file("out/report.json"))["rules"].clone();
    assert_eq!(
        rules,
        json!([
            {"rule": "refund-refused", "name": "A refund was asked for and not offered", "severity": "serious", "calls": 1, "unknown": 1, "hits": 1},
            {"rule": "no-farewell", "name": "no-farewell", "severity": "notice", "calls": 3, "unknown": 0, "hits": 0},
            {"rule": "talkative", "name": "talkative", "severity": "info", "calls": 0, "unknown": 0, "hits": 0},
        ])
    );
    assert!(ran.out().contains("refund-refused  serious       1        1     1"), "{}", ran.out());
    assert!(ran.out().contains("1 rule matched no call"));
    assert!(ran.file("out/report.html").contains("<section id=\"rules\""));
    let written = ran.file("out/report.json");
    let ran = ran.then().run("report out --format json").exits(0);
    let again = report(&ran.out());
    assert_eq!(again["rules"], rules);
    // Hits of rules are no hits of keywords.
    assert_eq!(again["keywords"], report(&written)["keywords"]);
    assert_eq!(again["keywords"].as_array().unwrap().len(), 1);
    ran.then().run("report out --format md").exits(0).prints("| rule | severity | calls | unknown | hits | name |");
}
