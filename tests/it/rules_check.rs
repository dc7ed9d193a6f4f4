//! What `rules check` and `rules import` find in files that can be read, but can hardly be meant.

use serde_json::{Value, json};

use crate::scene::Scene;

/// What `rules check` warns of in a file with these rules, each given as `when` and conditions.
fn warnings(rules: &[(&str, &str)]) -> Vec<String> {
    let rule = |(at, (when, conditions)): (usize, &(&str, &str))| {
        let conditions = conditions.replace('<', "[rule.conditions.").replace('>', "]\n");
        format!("[[rule]]\nid = \"r{at}\"\nwhen = \"{when}\"\n{conditions}\n")
    };
    let text: String = rules.iter().enumerate().map(rule).collect();
    let ran = Scene::new().write("r.toml", text).run("rules check r.toml").exits(0);
    ran.err().lines().map(|line| line.replace("r.toml: warning: rule ", "")).collect()
}

#[test]
fn check_finds_conditions_that_exclude_each_other() {
    let never = |when: &str, conditions: &str| {
        let found = warnings(&[(when, conditions)]);
        assert!(found.iter().all(|warning| warning.starts_with("r0: no call can match")), "{found:?}");
        !found.is_empty()
    };
    let figures = |table: &str, more: &str| {
        let line = |name: &str, bound: &str| format!("<{name}>metric = \"{table}_ms\"\n{bound}\n{more}\n");
        line("long", "above = 5000") + &line("short", "below = 4000")
    };
    assert!(never("long and short", &figures("calls.duration", "")));
    assert!(!never("long or short", &figures("calls.duration", "")));
    // Of two participants one may talk much and the other little; a role is one participant.
    assert!(!never("long and short", &figures("participants.talk", "")));
    assert!(never("long and short", &figures("participants.talk", "role = \"agent\"")));
    let said = "<said>phrases = [\"refund\"]\nrole = \"agent\"\n";
    let unsaid = |lines: &str| format!("{said}<unsaid>absent = [\"money back\", \"Refund\"]\n{lines}");
    assert!(never("said and unsaid", &unsaid("")));
    assert!(!never("said and not unsaid", &unsaid("")));
    assert!(!never("said and unsaid", &unsaid("role = \"customer\"")));
    assert!(!never("said and unsaid", &unsaid("times = 2")));
    let near = format!("{said}<b>phrases = [\"offer\"]\n<close>near = [\"said\", \"b\"]\nwithin = 5\n");
    assert!(never("close and not said", &near));
    // Whatever the number of conditions.
    let (mut many, mut names) = (said.to_owned(), vec!["said".to_owned()]);
    for at in 0..40 {
        many += &format!("<c{at}>phrases = [\"word {at}\"]\n");
        names.push(format!("c{at}"));
    }
    assert!(!never(&names.join(" and "), &many));
    assert!(never(&format!("{} and not said", names.join(" and ")), &many));
}

#[test]
fn check_finds_phrases_that_find_nothing_and_what_is_there_twice() {
    let found = warnings(&[
        ("a", "<a>phrases = [\"refund policy ! Refund policy\", \"ok\", \"OK!\", \"/２０/\", \"[PII]\"]"),
        ("n", "<x>phrases = [\"hi\"]\nfirst = 0\n<y>phrases = [\"ho\"]\n<n>near = [\"x\", \"y\"]\nwithin = 5"),
    ]);
    assert_eq!(
        found,
        [
            "r0: `OK!` of `a` is the same as a phrase before it",
            "r0: `refund policy ! Refund policy` of `a` can never be hit: its exclusion leaves out every hit",
            "r0: `/２０/` of `a` is matched against NFKC text: write `/20/`",
            "r0: `[PII]` of `a` holds a marker, which is no part of the text unless markers are kept",
            "r1: `x` can never hold: its window is empty",
            "r1: `n` can never hold: `x` never does",
            "r1: no call can match: `when` is never true",
        ]
    );
    // The same with other names, spellings and orders.
    let one = "<a>phrases = [\"one\", \"two\"]\n<b>absent = [\"three\"]\n";
    let two = "<c>phrases = [\"Three\"]\n<d>phrases = [\"Two\", \"ONE\"]\n";
    let found = warnings(&[("a and b", one), ("not c and d", two), ("not c or d", two)]);
    assert_eq!(found, ["r1: the same as rule r0"]);
    // Thousands of rules of many conditions are checked in one go.
    let conditions: String = (0..12).map(|at| format!("<c{at}>phrases = [\"w{at}\"]\n")).collect();
    let when = (0..12).map(|at| format!("c{at}")).collect::<Vec<_>>().join(" and ");
    let many: Vec<(&str, &str)> = vec![(&when, &conditions); 300];
    assert_eq!(warnings(&many).len(), 299);
}

#[test]
fn two_files_that_cannot_be_read_are_both_named() {
    let ran = Scene::new().write("x.toml", "[[rule").run("rules diff x.toml gone.toml out").exits(1);
    ran.says("x.toml:1:").says("cannot read the rules gone.toml");
    Scene::new().run("rules diff gone.toml away.toml out").exits(1).says("gone.toml").says("away.toml");
}

#[test]
fn what_no_rule_file_can_hold_is_left_out_of_an_import() {
    let said =
        |targets: Value, range: Value| json!({"TranscriptFilter": {"Targets": targets, "AbsoluteTimeRange": range}});
    let relative = json!({"TranscriptFilter": {"Targets": ["a"], "RelativeTimeRange": {"StartPercentage": 150}}});
    let category = |name: &str, rules: Vec<Value>| json!({"CategoryName": name, "Rules": rules});
    let categories = json!({"Categories": [
        category("odd", vec![
            said(json!(["?"]), Value::Null),
            said(json!(["! b"]), Value::Null),
            said(json!(["a"]), json!({"First": 5, "Last": 5})),
            said(json!(["a"]), json!({"StartTime": -5})),
            relative,
            said(json!(["kept"]), json!({"First": 5000})),
        ]),
        category("odd", vec![said(json!(["again"]), Value::Null)]),
        category("nothing", vec![said(json!(["。"]), Value::Null)]),
    ]});
    let ran = Scene::new().write("aws.json", categories).run("rules import aws.json").exits(0);
    for what in [
        "left out: odd: phrase `?` holds nothing but punctuation",
        "left out: odd: phrase `! b` has nothing in front of its exclusion",
        "left out: odd: two windows",
        "left out: odd: `from` must be a length",
        "left out: odd: another category has this name",
        "left out: nothing: phrase `。`",
        "different: odd: time ranges count from the first word, and not from the begin of the recording",
        "1 rule imported",
    ] {
        assert!(ran.err().contains(what), "{what}\n{}", ran.err());
    }
    assert!(ran.out().contains("# Different: time ranges count from the first word"), "{}", ran.out());
    let text = ran.out();
    let ran = ran.then().write("imported.toml", text).run("rules check imported.toml").exits(0);
    let ran = ran.prints("1 rule, 1 condition, 1 phrase; 0 warnings").then();
    let ran = ran.write("none.json", json!({"Categories": []})).run("rules import none.json").exits(2);
    ran.says("none.json: no category in the list").prints_nothing();
}
