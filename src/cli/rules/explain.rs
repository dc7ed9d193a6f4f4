//! `explain --rules --rule`: why a rule has its verdict in a call.

use serde_json::{Value, json};

use super::super::Exit;
use super::super::output::{Console, Failure, Format, Listing, number, printable};
use crate::metrics::{Measured, Settings};
use crate::report::TextTable;
use crate::report::number::moment;
use crate::rules::{ConditionEvidence, EvidenceLine, Explanation, Rule, Rules};

/// Characters of a turn that people are shown on each side of a hit.
const AROUND: usize = 60;

/// Prints the verdict, and for each condition what it found or where it looked.
pub(in crate::cli) fn explain(
    rules: &Rules,
    id: &str,
    measured: &Measured<'_>,
    settings: &Settings,
    format: Format,
    console: &Console,
) -> Result<Exit, Failure> {
    let rule = rules.list().iter().find(|rule| rule.id() == id);
    let explained = rules.explain(measured, id, &settings.parameters);
    let Some((rule, explained)) = rule.zip(explained) else {
        let known: Vec<&str> = rules.list().iter().map(|rule| rule.id()).collect();
        return Err(Failure::Usage(format!("no rule `{id}`: the file has {}", known.join(", "))));
    };
    if format != Format::Table {
        return listing(rule, &explained, measured).print(format, console);
    }
    let verdict = match explained.matched {
        Some(true) => "matched",
        Some(false) => "not matched",
        None => "not known",
    };
    let head = format!("rule {id} ({}): {verdict}", rule.severity());
    let mut lines = [&*head, rule.name(), &*format!("when = {}", explained.when)].map(printable).join("\n") + "\n";
    for condition in &explained.conditions {
        lines += &block(condition, measured, console.width());
    }
    console.data(lines.as_bytes())
}

fn name<'m>(measured: &'m Measured<'_>, participant: usize) -> &'m str {
    measured.role(participant).unwrap_or_else(|| measured.label(participant))
}

/// One row per line of evidence, with everything that is known of it.
fn listing(rule: &Rule, explained: &Explanation, measured: &Measured<'_>) -> Listing {
    let head = vec![
        "rule",
        "name",
        "severity",
        "when",
        "verdict",
        "condition",
        "kind",
        "holds",
        "participant",
        "begin_ms",
        "end_ms",
        "term",
        "matched",
        "value",
        "wanted",
        "note",
        "text",
        "other",
        "other_begin_ms",
        "other_end_ms",
        "other_text",
    ];
    let row = |condition: &ConditionEvidence, line: &EvidenceLine| {
        let other = line.other.as_ref();
        vec![
            json!(rule.id()),
            json!(rule.name()),
            json!(rule.severity().name()),
            json!(explained.when),
            json!(explained.matched),
            json!(condition.condition),
            json!(condition.kind),
            json!(condition.holds),
            json!(line.participant.map(|index| name(measured, index))),
            json!(line.begin_ms),
            json!(line.end_ms),
            json!(line.term),
            json!(line.matched),
            line.value.map_or(Value::Null, number),
            json!(line.wanted),
            json!(line.note),
            json!(line.text.as_deref()),
            json!(other.map(|other| name(measured, other.participant))),
            json!(other.and_then(|other| other.begin_ms)),
            json!(other.and_then(|other| other.end_ms)),
            json!(other.map(|other| &*other.text)),
        ]
    };
    let conditions = explained.conditions.iter();
    let rows = conditions.flat_map(|condition| condition.lines.iter().map(move |line| row(condition, line)));
    Listing { head, rows: rows.collect() }
}

/// A condition for people: what it asks, then a table of what it found.
fn block(condition: &ConditionEvidence, measured: &Measured<'_>, width: Option<usize>) -> String {
    let holds = match condition.holds {
        Some(true) => "true",
        Some(false) => "false",
        None => "not known",
    };
    let wanted = condition.lines.first().map_or(&condition.wanted, |line| &line.wanted);
    let head = printable(&format!("{} is {holds} ({}: {wanted})", condition.condition, condition.kind));
    let mut table = TextTable::new(["time", "who", "found", "text"]);
    for line in &condition.lines {
        table.row(cells(line, measured).map(|cell| printable(&cell)));
    }
    format!("\n{head}\n{}\n", table.render(width))
}

fn cells(line: &EvidenceLine, measured: &Measured<'_>) -> [String; 4] {
    let both = [line.participant, line.other.as_ref().map(|other| other.participant)].into_iter().flatten();
    let who = both.map(|participant| name(measured, participant)).collect::<Vec<_>>().join("/");
    let time = line.begin_ms.map_or_else(|| "–".to_owned(), moment);
    let note = line.note.clone().unwrap_or_default();
    let around = |text: &str, matched: &str| excerpt(text, matched, AROUND);
    match (&line.matched, line.value, &line.other) {
        (Some(matched), Some(apart), Some(other)) => {
            let far = if line.meets == Some(true) { "" } else { ", too far" };
            let (one, two) = matched.split_once(" … ").unwrap_or((matched, ""));
            let texts = [line.text.as_deref().map(|text| around(text, one)), Some(around(&other.text, two))];
            let texts: Vec<String> = texts.into_iter().flatten().collect();
            [time, who, format!("{matched}: {apart} ms apart{far}"), texts.join(" / ")]
        }
        (Some(matched), ..) => {
            let text = line.text.as_deref().map(|text| around(text, matched));
            [time, who, matched.clone(), text.unwrap_or_default()]
        }
        (None, Some(value), _) => [time, who, format!("{} is {value}", line.term), note],
        (None, None, _) => {
            let searched = [line.begin_ms, line.end_ms].map(|ms| ms.map(moment));
            let time = if let [Some(begin), Some(end)] = searched { format!("{begin}–{end}") } else { time };
            let found = if line.begin_ms.is_some() { "nothing of " } else { "" };
            [time, who, format!("{found}{}", line.term), note]
        }
    }
}

/// The words around a hit: at most this many characters on each side.
fn excerpt(text: &str, matched: &str, most: usize) -> String {
    let at = text.find(matched).unwrap_or(0);
    let (before, rest) = text.split_at_checked(at).unwrap_or(("", text));
    let (hit, after) = rest.split_at_checked(matched.len()).unwrap_or((rest, ""));
    let cut_before = before.char_indices().rev().nth(most).map_or(0, |(at, c)| at + c.len_utf8());
    let cut_after = after.char_indices().nth(most).map_or(after.len(), |(at, _)| at);
    let [left, right] = [cut_before > 0, cut_after < after.len()].map(|is_cut| if is_cut { "…" } else { "" });
    let [before, after] = [before.get(cut_before..), after.get(..cut_after)].map(Option::unwrap_or_default);
    format!("{left}{before}{hit}{after}{right}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_has_the_hit_and_a_few_characters_on_each_side() {
        assert_eq!(excerpt("I want a refund for this", "refund", 3), "… a refund fo…");
        assert_eq!(excerpt("我要退款，谢谢", "退款", 2), "我要退款，谢…");
        assert_eq!(excerpt("退款", "退款", 0), "退款");
        assert_eq!(excerpt("other words", "refund", 6), "other words");
    }
}
