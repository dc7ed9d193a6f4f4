//! Random rules on random calls, against the same rules decided as plainly as the definitions say; and single stories.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::metrics::{Interval, Occurrence, Settings, measure};

/// A small generator, so that one number describes a case.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % sides
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.roll(list.len())]
    }
}

const WORDS: [&str; 6] = ["refund", "程序", "offer", "late", "排程序列", "ok"];
const PHRASES: [&str; 12] = [
    "refund",
    "程序 ! 排程序",
    "程序",
    "/(?i)REFUND/",
    "refund offer",
    "late ! late ok",
    "ok",
    "never said",
    "Refund",
    "OK.",
    "Late ! LATE, ok",
    "程序。",
];

/// What a phrase is searched as: case and these marks play no role.
fn form(phrase: &str) -> String {
    if phrase.starts_with('/') { phrase.to_owned() } else { phrase.to_lowercase().replace(['.', ',', '。'], "") }
}

/// A call of two channels and some sentences, with or without word times.
fn random_call(dice: &mut Dice) -> String {
    let sentence = |dice: &mut Dice| {
        let mut at = dice.roll(20_000) as i64;
        let timed = dice.roll(4) > 0;
        let words: Vec<(i64, i64, &str)> = (0..=dice.roll(5))
            .map(|_| {
                let begin = at + dice.roll(300) as i64;
                at = begin + 1 + dice.roll(700) as i64;
                (begin, at, dice.pick(&WORDS))
            })
            .collect();
        let text: Vec<&str> = words.iter().map(|word| word.2).collect();
        let mut json = serde_json::json!({"text": text.join(" ")});
        if dice.roll(10) > 0 {
            json["begin_time"] = words[0].0.into();
            json["end_time"] = at.into();
        }
        if timed {
            let words = words
                .iter()
                .map(|(begin, end, text)| serde_json::json!({"begin_time": begin, "end_time": end, "text": text}));
            json["words"] = words.collect();
        }
        json
    };
    let channels: Vec<serde_json::Value> = (0..=dice.roll(2))
        .map(|id| {
            let sentences: Vec<_> = (0..dice.roll(6)).map(|_| sentence(dice)).collect();
            serde_json::json!({"channel_id": id, "sentences": sentences})
        })
        .collect();
    serde_json::json!({"transcripts": channels}).to_string()
}

#[derive(Debug, Clone)]
enum Plain {
    Said {
        phrases: Vec<&'static str>,
        least: usize,
        times: usize,
        who: Option<&'static str>,
        window: Option<(i64, i64)>,
        run: Run,
    },
    Absent {
        phrases: Vec<&'static str>,
        who: Option<&'static str>,
        window: Option<(i64, i64)>,
    },
    Metric {
        column: &'static str,
        at_least: i64,
        who: Option<&'static str>,
    },
    Near {
        a: usize,
        b: usize,
        within: i64,
        order: &'static str,
    },
}

#[derive(Debug, Clone, Copy)]
enum Run {
    None,
    Ms(i64),
    Turns(usize),
}

#[derive(Debug, Clone)]
enum When {
    Name(usize),
    Not(Box<Self>),
    Both(Box<Self>, Box<Self>),
    Either(Box<Self>, Box<Self>),
}

impl When {
    fn random(dice: &mut Dice, names: usize, depth: usize) -> Self {
        let part = |dice: &mut Dice| Box::new(Self::random(dice, names, depth + 1));
        match if depth > 3 { 0 } else { dice.roll(5) } {
            0 | 1 => Self::Name(dice.roll(names)),
            2 => Self::Not(part(dice)),
            3 => Self::Both(part(dice), part(dice)),
            _ => Self::Either(part(dice), part(dice)),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Name(index) => format!("c{index}"),
            Self::Not(one) => format!("not ({})", one.text()),
            Self::Both(one, two) => format!("({}) and ({})", one.text(), two.text()),
            Self::Either(one, two) => format!("({}) or ({})", one.text(), two.text()),
        }
    }

    fn value(&self, conditions: &[Option<bool>]) -> Option<bool> {
        let values = |one: &Self, two: &Self| [one.value(conditions), two.value(conditions)];
        match self {
            Self::Name(index) => conditions[*index],
            Self::Not(one) => one.value(conditions).map(|value| !value),
            Self::Both(one, two) => {
                let both = values(one, two);
                if both.contains(&Some(false)) {
                    Some(false)
                } else if both.contains(&None) {
                    None
                } else {
                    Some(true)
                }
            }
            Self::Either(one, two) => {
                let both = values(one, two);
                if both.contains(&Some(true)) {
                    Some(true)
                } else if both.contains(&None) {
                    None
                } else {
                    Some(false)
                }
            }
        }
    }

    fn speaking(&self, nots: usize, into: &mut Vec<usize>) {
        match self {
            Self::Name(index) if nots.is_multiple_of(2) => into.push(*index),
            Self::Name(_) => {}
            Self::Not(one) => one.speaking(nots + 1, into),
            Self::Both(one, two) | Self::Either(one, two) => {
                [one, two].iter().for_each(|part| part.speaking(nots, into))
            }
        }
    }
}

impl Plain {
    fn random(dice: &mut Dice, before: &[Self]) -> Self {
        let who = dice.pick(&[None, None, Some("agent"), Some("customer")]);
        let window = (dice.roll(2) == 0).then(|| {
            let from = dice.roll(15_000) as i64;
            (from, from + 1 + dice.roll(10_000) as i64)
        });
        let phrases = |dice: &mut Dice| {
            let mut list: Vec<&'static str> = (0..=dice.roll(3)).map(|_| dice.pick(&PHRASES)).collect();
            list.sort_unstable();
            list.dedup();
            list
        };
        let near: Vec<usize> = before
            .iter()
            .enumerate()
            .filter(|(_, one)| matches!(one, Self::Said { .. } | Self::Near { .. }))
            .map(|(index, _)| index)
            .collect();
        match dice.roll(6) {
            0 => Self::Absent { phrases: phrases(dice), who, window },
            1 => {
                let column = dice.pick(&["calls.turn_count", "participants.talk_ms", "participants.turn_count"]);
                let who = if column.starts_with("calls") { None } else { who };
                Self::Metric { column, at_least: dice.pick(&[1, 2, 3, 1000]), who }
            }
            2 | 3 if !near.is_empty() => Self::Near {
                a: dice.pick(&near),
                b: dice.pick(&near),
                within: dice.roll(4000) as i64,
                order: dice.pick(&["before", "after", "any"]),
            },
            4 => Self::Said {
                phrases: phrases(dice),
                least: 1,
                times: 2 + dice.roll(2),
                who,
                window,
                run: if dice.roll(2) == 0 { Run::Ms(dice.roll(6000) as i64) } else { Run::Turns(1 + dice.roll(3)) },
            },
            _ => {
                let phrases = phrases(dice);
                let least = 1 + dice.roll(phrases.len());
                Self::Said { phrases, least, times: 1 + dice.roll(3), who, window, run: Run::None }
            }
        }
    }

    fn toml(&self) -> String {
        let mut text = String::new();
        let mut common = |kind: &str, phrases: &[&str], who: &Option<&str>, window: &Option<(i64, i64)>| {
            writeln!(text, "{kind} = {}", serde_json::to_string(phrases).unwrap()).unwrap();
            who.iter().for_each(|role| writeln!(text, "role = \"{role}\"").unwrap());
            window.iter().for_each(|(from, to)| writeln!(text, "from = {from}\nto = {to}").unwrap());
        };
        match self {
            Self::Said { phrases, least, times, who, window, run } => {
                common(if matches!(run, Run::None) { "phrases" } else { "repeated" }, phrases, who, window);
                writeln!(text, "match = {least}\ntimes = {times}").unwrap();
                match run {
                    Run::None => {}
                    Run::Ms(within) => writeln!(text, "within = {within}").unwrap(),
                    Run::Turns(turns) => writeln!(text, "within_turns = {turns}").unwrap(),
                }
            }
            Self::Absent { phrases, who, window } => common("absent", phrases, who, window),
            Self::Metric { column, at_least, who } => {
                writeln!(text, "metric = \"{column}\"\nat_least = {at_least}").unwrap();
                who.iter().for_each(|role| writeln!(text, "role = \"{role}\"").unwrap());
            }
            Self::Near { a, b, within, order } => {
                writeln!(text, "near = [\"c{a}\", \"c{b}\"]\nwithin = {within}\norder = \"{order}\"").unwrap();
            }
        }
        text
    }
}

/// A hit as plainly as it can be told from others.
type Seen = (i64, i64, usize, String, (usize, usize), String);

/// The rule decided step by step: its value, and the hits that prove it, absences aside.
fn decide(measured: &Measured<'_>, conditions: &[Plain], when: &When) -> (Option<bool>, Vec<Seen>, usize) {
    let span = measured.call.span_start_ms.zip(measured.call.span_end_ms);
    let nobody =
        |who: &Option<&str>| who.is_some() && !measured.participants.iter().any(|party| party.role.as_deref() == *who);
    let search =
        |phrases: &[&str], who: &Option<&str>, window: &Option<(i64, i64)>| -> Vec<(usize, String, Occurrence)> {
            let mut all = Vec::new();
            // Two spellings of a phrase are one.
            let mut once = std::collections::BTreeSet::new();
            let phrases = phrases.iter().filter(|phrase| once.insert(form(phrase)));
            for (number, phrase) in phrases.enumerate() {
                let keywords = Keywords::new([phrase]).unwrap();
                for found in measured.search(&keywords) {
                    let role = measured.participants[found.participant].role.as_deref();
                    let inside = window.is_none_or(|(from, to)| {
                        let begin = span.unwrap_or_default().0;
                        found.interval.is_some_and(|time| (begin + from..begin + to).contains(&time.begin))
                    });
                    if (who.is_none() || role == *who) && inside {
                        all.push((number, keywords.terms()[0].clone(), found));
                    }
                }
            }
            // The same term at the same place, with or without an exclusion, is one hit.
            let key = |one: &(usize, String, Occurrence)| (form(&one.1), one.2.place, one.2.matched.len());
            let mut once: Vec<(usize, String, Occurrence)> = Vec::new();
            for one in &all {
                if !once.iter().any(|known| key(known) == key(one)) {
                    once.push(one.clone());
                }
            }
            // Which phrases were hit is counted before.
            once.iter_mut().for_each(|one| one.0 = 0);
            let hit: std::collections::BTreeSet<usize> = all.iter().map(|one| one.0).collect();
            once.first_mut().into_iter().for_each(|one| one.0 = hit.len());
            once
        };
    let mut values: Vec<Option<bool>> = Vec::new();
    let mut hits: Vec<Vec<(usize, String, Occurrence)>> = Vec::new();
    for condition in conditions {
        let (value, found) = match condition {
            _ if span.is_none() => (None, Vec::new()),
            Plain::Said { who, .. } | Plain::Absent { who, .. } | Plain::Metric { who, .. } if nobody(who) => {
                (None, Vec::new())
            }
            Plain::Said { phrases, least, times, who, window, run } => {
                let found = search(phrases, who, window);
                let different = found.first().map_or(0, |one| one.0);
                let enough = different >= *least && found.len() >= *times;
                let mut list: Vec<&Occurrence> = found.iter().map(|one| &one.2).collect();
                list.sort_by_key(|one| one.order());
                let close = match run {
                    Run::None => true,
                    Run::Ms(within) => {
                        let timed: Vec<Interval> = list.iter().filter_map(|one| one.interval).collect();
                        timed
                            .windows(*times)
                            .any(|run| run.iter().map(|one| one.end).max().unwrap() - run[0].begin <= *within)
                    }
                    Run::Turns(turns) => {
                        let of: Vec<usize> = list.iter().filter_map(|one| one.turn_index).collect();
                        (0..100).any(|first| {
                            of.iter().filter(|turn| (first..first + turns).contains(*turn)).count() >= *times
                        })
                    }
                };
                (Some(enough && close), found)
            }
            Plain::Absent { phrases, who, window } => (Some(search(phrases, who, window).is_empty()), Vec::new()),
            Plain::Metric { column, at_least, who } => {
                let values: Vec<Option<i64>> = match *column {
                    "calls.turn_count" => vec![measured.call.turn_count],
                    _ => measured
                        .participants
                        .iter()
                        .filter(|party| who.is_none() || party.role.as_deref() == *who)
                        .map(|party| if column.ends_with("talk_ms") { party.talk_ms } else { party.turn_count })
                        .collect(),
                };
                let holds = values.iter().any(|value| value.is_some_and(|value| value >= *at_least));
                (
                    if holds {
                        Some(true)
                    } else if values.contains(&None) {
                        None
                    } else {
                        Some(false)
                    },
                    Vec::new(),
                )
            }
            Plain::Near { a, b, within, order } => match (values[*a], values[*b]) {
                (None, _) | (_, None) => (None, Vec::new()),
                (Some(true), Some(true)) => {
                    let mut found: Vec<(usize, String, Occurrence)> = Vec::new();
                    let same = |one: &(usize, String, Occurrence), two: &(usize, String, Occurrence)| {
                        (form(&one.1), one.2.place, one.2.matched.len())
                            == (form(&two.1), two.2.place, two.2.matched.len())
                    };
                    for one in &hits[*a] {
                        for two in &hits[*b] {
                            let (Some(x), Some(y)) = (one.2.interval, two.2.interval) else { continue };
                            let behind = x.end <= y.begin && y.begin - x.end <= *within;
                            let before = y.end <= x.begin && x.begin - y.end <= *within;
                            let overlap = x.end > y.begin && y.end > x.begin;
                            let near = match *order {
                                "before" => behind,
                                "after" => before,
                                _ => behind || before || overlap,
                            };
                            if near && !same(one, two) {
                                found.extend([one.clone(), two.clone()]);
                            }
                        }
                    }
                    (Some(!found.is_empty()), found)
                }
                _ => (Some(false), Vec::new()),
            },
        };
        values.push(value);
        hits.push(if value == Some(true) { found } else { Vec::new() });
    }
    let matched = when.value(&values);
    if matched != Some(true) {
        return (matched, Vec::new(), 0);
    }
    let mut speaking = Vec::new();
    when.speaking(0, &mut speaking);
    speaking.sort_unstable();
    speaking.dedup();
    speaking.retain(|index| values[*index] == Some(true));
    let absences = speaking.iter().filter(|index| matches!(conditions[**index], Plain::Absent { .. })).count();
    let mut seen: Vec<Seen> = speaking
        .iter()
        .flat_map(|index| &hits[*index])
        .map(|(_, term, found)| {
            let (begin, end, participant) = found.order();
            (begin, end, participant, form(term), found.place, found.matched.clone())
        })
        .collect();
    seen.sort();
    seen.dedup();
    (matched, seen, absences)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn rules_are_decided_as_the_definitions_say(seed in any::<u64>()) {
        let dice = &mut Dice(seed);
        let json = random_call(dice);
        let mut conditions: Vec<Plain> = Vec::new();
        for _ in 0..=dice.roll(4) {
            let next = Plain::random(dice, &conditions);
            conditions.push(next);
        }
        let when = When::random(dice, conditions.len(), 0);
        let mut text = format!("[[rule]]\nid = \"r\"\nwhen = \"{}\"\n", when.text());
        for (index, condition) in conditions.iter().enumerate() {
            write!(text, "[rule.conditions.c{index}]\n{}", condition.toml()).unwrap();
        }
        let rules = Rules::parse(&text).map_err(|faults| TestCaseError::fail(format!("{faults:?}\n{text}")))?;
        let transcript = crate::transcript::read(json.as_bytes()).unwrap();
        let roles = dice.pick(&["ch0=agent,ch1=customer", "ch0=agent"]);
        let mut measured = measure("a", &transcript, &Settings { roles: roles.parse().unwrap(), ..Settings::default() });
        let (matched, seen, absences) = decide(&measured, &conditions, &when);
        let facts = rules.facts(&measured);
        let verdict = rules.list[0].decide(&facts);
        prop_assert_eq!(verdict.matched, matched, "{}\n{}", text, json);
        rules.apply(&mut measured);
        let own: Vec<&Hit> = measured.rule_hits.iter().filter(|hit| hit.participant.is_some()).collect();
        let mut found: Vec<(i64, i64, usize, String, String)> = own.iter().map(|hit| {
            let time = |ms: Option<i64>| ms.unwrap_or(i64::MAX);
            (time(hit.begin_ms), time(hit.end_ms), hit.participant.unwrap(), form(&hit.term), hit.matched.clone())
        }).collect();
        prop_assert!(found.is_sorted_by_key(|hit| (hit.0, hit.1, hit.2)));
        found.sort();
        let expected: Vec<_> = seen.into_iter().map(|hit| (hit.0, hit.1, hit.2, hit.3, hit.5)).collect();
        let mut sorted = expected.clone();
        sorted.sort();
        prop_assert_eq!(&found, &sorted, "{}\n{}", text, json);
        prop_assert_eq!(measured.rules[0].count as usize, found.len());
        prop_assert_eq!(measured.rule_hits.len() - found.len(), absences);
        let first = found.iter().map(|hit| hit.0).filter(|begin| *begin < i64::MAX).min();
        prop_assert_eq!(measured.rules[0].first_ms, first);
    }

    #[test]
    fn no_rule_file_panics(text in "\\PC{0,60}", at in 0_usize..400) {
        let whole = "[[rule]]\nid = \"a\"\nwhen = \"b and not c\"\n[rule.conditions.b]\nphrases = [\"x\", \"/y/\"]\nfirst = \"10s\"\n[rule.conditions.c]\nnear = [\"b\", \"b\"]\nwithin = \"2s\"\n";
        let at = whole.floor_char_boundary(at.min(whole.len()));
        let (start, end) = whole.split_at(at);
        let _ = Rules::parse(&format!("{start}{text}{end}"));
        let _ = Rules::parse(&text);
    }
}

fn faults(text: &str) -> Vec<String> {
    Rules::parse(text).unwrap_err().iter().map(ToString::to_string).collect()
}

/// A rule `a` with these lines behind `[rule.conditions.b]`, which is line 4.
fn condition(lines: &str) -> String {
    format!("[[rule]]\nid = \"a\"\nwhen = \"b\"\n[rule.conditions.b]\n{lines}\n")
}

#[test]
fn faults_name_line_column_and_rule() {
    let cases = [
        (condition("phrases = [\"x\", \"/(/\"]"), "5:17: rule a: phrase `/(/` is not a valid regex: unclosed group"),
        (
            condition("phrases = [\"x\"]\ntims = 2"),
            "6:1: rule a: unknown key `tims`: a condition of the kind `phrases` has phrases, match, times, role, participant, first, last, from, to",
        ),
        (
            condition("phrases = [\"x\"]\nmetric = \"calls.units\""),
            "6:1: rule a: condition `b` is both `phrases` and `metric`: only one of them",
        ),
        (
            condition("role = \"agent\""),
            "4:1: rule a: condition `b` has no kind: give it phrases, absent, metric, near or repeated",
        ),
        (condition("phrases = []"), "5:11: rule a: `phrases` must be a list of texts"),
        (
            condition("phrases = [\"x\"]\nfirst = \"9x\""),
            "6:9: rule a: `first` must be a length: ms as a number, \"500ms\", \"10s\" or \"2m\", or a share such as \"25%\"",
        ),
        (
            condition("phrases = [\"x\"]\nfirst = 5\nlast = 5"),
            "7:1: rule a: two windows: only one of `first`, `last`, and `from` with `to`",
        ),
        (
            condition("metric = \"calls.mood\"\nabove = 1"),
            "5:10: rule a: `calls.mood`: the table calls has no column `mood`",
        ),
        (
            condition("metric = \"calls.reason\"\nabove = 1"),
            "5:10: rule a: `calls.reason` is a text, which no number can be compared with",
        ),
        (
            condition("metric = \"calls.units\""),
            "4:1: rule a: a metric needs a bound: above, below, at_least or at_most",
        ),
        (
            condition("metric = \"calls.units\"\nabove = 1\nrole = \"agent\""),
            "7:1: rule a: `role` does not go with `calls.units`, which is one figure a call",
        ),
        (
            condition("repeated = [\"x\"]\ntimes = 1\nwithin = 5"),
            "6:9: rule a: `times` must be a whole number of at least 2",
        ),
        (condition("repeated = [\"x\"]\ntimes = 2"), "4:1: rule a: `repeated` needs `within` or `within_turns`"),
        (
            condition("near = [\"b\", \"b\"]\nwithin = 5"),
            "5:9: rule a: `b` is near itself, or near conditions that are: a circle",
        ),
        (
            condition("near = [\"c\", \"c\"]\nwithin = 5\n[rule.conditions.c]\nnear = [\"b\", \"b\"]\nwithin = 5"),
            "5:9: rule a: `b` is near itself, or near conditions that are: a circle",
        ),
        (
            condition("near = [\"c\", \"d\"]\nwithin = 5\n[rule.conditions.c]\nabsent = [\"x\"]"),
            "5:9: rule a: `c` has no hits: near takes phrases, repeated or near",
        ),
        (
            "[[rule]]\nid = \"a\"\nwhen = \"名 and\"\n[rule.conditions.b]\nphrases = [\"x\"]\n".to_owned(),
            "3:9: rule a: `名` is neither the name of a condition nor `and`, `or`, `not`, `(`, `)`",
        ),
        (
            "[[rule]]\nid = \"a\"\nwhen = \"b or  c\"\n[rule.conditions.b]\nphrases = [\"x\"]\n".to_owned(),
            "3:15: rule a: `c` is no condition of this rule",
        ),
        (
            "[[rule]]\nid = \"a\"\nwhen = '''\nb or\n c'''\n[rule.conditions.b]\nphrases = [\"x\"]\n".to_owned(),
            "5:2: rule a: `c` is no condition of this rule",
        ),
        (
            condition("metric = \"calls.turn_cout\"\nabove = 1"),
            "5:10: rule a: `calls.turn_cout`: the table calls has no column `turn_cout`; did you mean turn_count?",
        ),
        (
            condition("phrases = [\"x\"]").replace("when = \"b\"", "when = \"b AND b\""),
            "3:11: rule a: expected `and`, `or` or the end, found `AND`; write `and`",
        ),
        (
            "[[rule]]\nid = \"a\"\n[rule.conditions.b]\nphrases = [\"x\"]\n".to_owned(),
            "1:1: rule a: `when` is missing: names of conditions with `and`, `or`, `not` and parentheses: the rule matches when it is true",
        ),
        (
            "[[rule]]\nwhen = \"b\"\n[rule.conditions.b]\nphrases = [\"x\"]\n".to_owned(),
            "1:1: rule #1: `id` is missing: unique in the file; the column `rule` of the tables",
        ),
        (condition("phrases = [\"x\"]").repeat(2), "7:6: rule a: another rule has this id"),
        (
            "[[rule]]\nid = \"a\"\nseverity = \"bad\"\nwhen = \"b\"\n[rule.conditions.b]\nphrases = [\"x\"]\n"
                .to_owned(),
            "3:12: rule a: `severity` is `bad`, not one of info, notice, serious",
        ),
        (String::new(), "1:1: no [[rule]] in the file"),
        ("rule = 1".to_owned(), "1:1: `rule` must be a list of tables: [[rule]]"),
        ("[[rules]]".to_owned(), "1:3: unknown key `rules`: a file holds [[rule]] alone"),
        ("[[rule]\n".to_owned(), "1:8: not TOML: "),
    ];
    for (text, fault) in cases {
        let found = faults(&text);
        assert!(found[0].starts_with(fault), "{text}\n{found:#?}\n{fault}");
    }
}

#[test]
fn all_faults_of_a_file_are_listed_in_order_and_at_most_a_hundred() {
    let two = format!(
        "{}{}",
        condition("phrases = []\ntimes = 0"),
        condition("near = [\"x\", \"y\"]").replace("\"a\"", "\"c\"")
    );
    let places: Vec<String> = faults(&two).iter().map(|fault| fault.split(": ").next().unwrap().to_owned()).collect();
    assert_eq!(places, ["5:11", "10:1", "11:9", "11:14"]);
    let many: String = (0..10_000).map(|number| format!("[[rule]]\nid = \"{number}\"\n")).collect();
    let listed = faults(&many);
    // Each rule lacks `when` and `conditions`.
    assert_eq!((listed.len(), &*listed[100]), (101, "101:1: 19900 more faults from here on"));
}

fn matched(rules: &str, json: &str, roles: &str) -> (Option<bool>, Vec<Hit>) {
    let rules = Rules::parse(rules).unwrap();
    let transcript = crate::transcript::read(json.as_bytes()).unwrap();
    let roles = if roles.is_empty() { Default::default() } else { roles.parse().unwrap() };
    let mut measured = measure("a", &transcript, &Settings { roles, ..Settings::default() });
    rules.apply(&mut measured);
    (measured.rules[0].matched, measured.rule_hits)
}

const CALL: &str = r#"{"transcripts": [
    {"channel_id": 0, "sentences": [{"begin_time": 1000, "end_time": 2000, "text": "Good morning."},
        {"begin_time": 9000, "end_time": 11000, "text": "A refund, of course."}]},
    {"channel_id": 1, "sentences": [{"begin_time": 3000, "end_time": 5000, "text": "I want a refund."}]}]}"#;

#[test]
fn an_absence_says_what_was_searched() {
    let rule = condition("absent = [\"hello ! hello again\", \"hi\"]\nfirst = \"50%\"\nrole = \"agent\"");
    let (holds, hits) = matched(&rule, CALL, "ch0=agent");
    assert_eq!(holds, Some(true));
    let [hit] = &hits[..] else { panic!("{hits:?}") };
    assert_eq!((&*hit.term, hit.begin_ms, hit.end_ms), ("hello ! hello again | hi", Some(1000), Some(6000)));
    assert_eq!((hit.participant, hit.time_basis.name(), &*hit.matched, &*hit.text), (None, "window", "", ""));
}

#[test]
fn what_cannot_be_known_is_neither_yes_nor_no() {
    let by = |role: &str| condition(&format!("absent = [\"hello\"]\nrole = \"{role}\""));
    assert_eq!(matched(&by("agent"), CALL, "").0, None);
    assert_eq!(matched(&by("agent"), CALL, "ch0=agent").0, Some(true));
    let silent = r#"{"transcripts": [{"channel_id": 0, "sentences": []}]}"#;
    assert_eq!(matched(&condition("absent = [\"hello\"]"), silent, "").0, None);
    assert_eq!(matched(&condition("metric = \"calls.channel_count\"\nat_least = 1"), silent, "").0, None);
    // One track: interruptions cannot be measured.
    let mono =
        r#"{"transcripts": [{"channel_id": 0, "sentences": [{"begin_time": 0, "end_time": 900, "text": "a"}]}]}"#;
    assert_eq!(matched(&condition("metric = \"calls.interruption_count\"\nat_most = 0"), mono, "").0, None);
}

#[test]
fn spellings_of_a_phrase_are_one_phrase_and_their_hit_is_one_hit() {
    let verdict = |lines: &str| matched(&condition(lines), CALL, "").0;
    let (holds, hits) =
        matched(&condition("phrases = [\"refund\", \"Refund\", \"REFUND!\"]\nmatch = \"all\""), CALL, "");
    let terms: Vec<&str> = hits.iter().map(|hit| &*hit.term).collect();
    assert_eq!((holds, &terms[..]), (Some(true), &["refund", "refund"][..]));
    assert_eq!(verdict("phrases = [\"morning\", \"Morning.\"]\nmatch = 2"), Some(false));
    assert_eq!(verdict("phrases = [\"morning\", \"Ｍorning\"]\ntimes = 2"), Some(false));
    assert_eq!(verdict("repeated = [\"morning\", \"MORNING\"]\ntimes = 2\nwithin = \"9s\""), Some(false));
    // Exclusions too, in any order; a term with another exclusion is another phrase.
    let excluding = |second: &str| verdict(&format!("phrases = [\"morning ! a ! b\", \"{second}\"]\nmatch = 2"));
    assert_eq!(excluding("Morning ! B ! A"), Some(false));
    assert_eq!(excluding("morning ! c"), Some(true));
    // A hit is not near itself, whoever found it.
    let near = |other: &str| {
        let lines = "near = [\"c\", \"d\"]\nwithin = 0\n[rule.conditions.c]\nphrases = [\"good morning\"]";
        verdict(&format!("{lines}\n[rule.conditions.d]\nphrases = [\"{other}\"]"))
    };
    assert_eq!((near("Good MORNING"), near("morning")), (Some(false), Some(true)));
    // Each rule shows its own spelling, and signs and dots before a letter are no spelling.
    let two = format!(
        "{}{}",
        condition("phrases = [\"Refund\"]"),
        condition("phrases = [\"refund\"]").replace("\"a\"", "\"c\"")
    );
    let hits = matched(&two, CALL, "").1;
    assert_eq!(
        hits.iter().map(|hit| (&*hit.rule, &*hit.term)).collect::<Vec<_>>()[1..3],
        [("a", "Refund"), ("c", "refund")]
    );
    let net = CALL.replace("Good morning", "The NET in .NET");
    assert_eq!(matched(&condition("phrases = [\"net\", \".NET\"]\nmatch = \"all\""), &net, "").1.len(), 3);
}

#[test]
fn a_figure_holds_of_anybody_or_of_the_role() {
    let rule = |more: &str| condition(&format!("metric = \"participants.talk_ms\"\n{more}"));
    assert_eq!(matched(&rule("above = 2500"), CALL, "ch0=agent").0, Some(true));
    assert_eq!(matched(&rule("above = 2500\nparticipant = \"ch1\""), CALL, "").0, Some(false));
    assert_eq!(matched(&rule("above = 1999.5\nbelow = 2000.5\nparticipant = \"ch1\""), CALL, "").0, Some(true));
    let by_role = |name: &str| condition(&format!("metric = \"calls_by_role.{name}\"\nat_least = 3000"));
    assert_eq!(matched(&by_role("agent_talk_ms"), CALL, "ch0=agent").0, Some(true));
    assert_eq!(matched(&by_role("ch1_talk_ms"), CALL, "").0, Some(false));
    assert_eq!(matched(&by_role("boss_talk_ms"), CALL, "").0, None);
}

#[test]
fn many_rules_long_chains_and_large_patterns_take_linear_time_or_one_line() {
    let rule = |number: usize| {
        let extra = format!(
            "[rule.conditions.c]\nnear = [\"b\", \"b\"]\nwithin = 5\n[rule.conditions.d]\nrepeated = [\"/x{number}y+/\"]\ntimes = 2\nwithin = 5"
        );
        condition(&format!("phrases = [\"term {number}\", \"refund\"]\n{extra}"))
            .replace("\"a\"", &format!("\"r{number}\""))
    };
    let many: String = (0..500).map(rule).collect();
    let (holds, hits) = matched(&many, CALL, "");
    assert_eq!((holds, hits.len()), (Some(true), 1000));
    // A chain of `near`, each behind the next.
    let mut chain = condition("phrases = [\"refund\"]");
    for number in 0..5_000 {
        let before = if number == 0 { "b".to_owned() } else { format!("n{}", number - 1) };
        write!(chain, "[rule.conditions.n{number}]\nnear = [\"{before}\", \"{before}\"]\nwithin = \"9s\"\n").unwrap();
    }
    let chain = chain.replace("when = \"b\"", "when = \"n4999\"");
    assert_eq!(matched(&chain, CALL, "").1.len(), 2);
    let long = condition(&format!("phrases = [\"{}\"]", "x".repeat(1 << 20)));
    assert_eq!(faults(&long), ["5:12: rule a: phrase `xxxxxxxxxxxxxxxxxxxx…` is longer than 1000 characters"]);
    let regex = condition("phrases = [\"/(a*)*b|(x+x+)+y/\"]");
    assert_eq!(matched(&regex, &CALL.replace("morning", &"ax".repeat(20_000)), "").0, Some(false));
    let huge = condition("phrases = [\"/(\\\\w{500}){500}/\"]");
    assert!(
        faults(&huge)[0].contains("5:12: rule a: phrase `/(\\w{500}){500}/` is not a valid regex"),
        "{:?}",
        faults(&huge)
    );
}

#[test]
fn written_rules_read_back_as_the_same_rules() {
    let example = include_str!("../../examples/rules/support.toml");
    let odd = condition(
        "repeated = ['/\\d\"/', \"tab\\there\", \"程序 ! 排程序\"]\ntimes = 4\nmatch = \"all\"\nwithin_turns = 2\nparticipant = \"ch1\"\nfrom = \"12.5%\"\nto = \"3m\"",
    );
    for text in [example, &odd, &condition("metric = \"calls.units\"\nabove = 1.5\nat_most = 1_000_000")] {
        let rules = Rules::parse(text).unwrap();
        let again = Rules::parse(&rules.to_toml()).unwrap();
        assert_eq!(format!("{:?}", again.list), format!("{:?}", rules.list));
        assert_eq!(again.phrases.lines(), rules.phrases.lines());
        assert_eq!(again.to_toml(), rules.to_toml());
    }
}
