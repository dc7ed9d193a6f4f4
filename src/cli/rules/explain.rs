//! `explain --rules --rule`: why a rule has its verdict in a call.

use serde_json::json;

use super::super::Exit;
use super::super::output::{Console, Failure, Format, Listing, printable};
use crate::metrics::{Measured, Settings};
use crate::rules::Rules;

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
    if format == Format::Table {
        let verdict = match explained.matched {
            Some(true) => "matched",
            Some(false) => "not matched",
            None => "not known",
        };
        let head = format!("rule {id} ({}): {verdict}", rule.severity());
        let lines = [&*head, rule.name(), &*format!("when = {}", explained.when)].map(printable);
        console.data(format!("{}\n\n", lines.join("\n")).as_bytes())?;
    }
    let head = vec![
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
        "text",
    ];
    let mut rows = Vec::new();
    for condition in &explained.conditions {
        for line in &condition.lines {
            rows.push(vec![
                json!(condition.condition),
                json!(condition.kind),
                json!(condition.holds),
                json!(line.participant.map(|index| measured.role(index).unwrap_or_else(|| measured.label(index)))),
                json!(line.begin_ms),
                json!(line.end_ms),
                json!(line.term),
                json!(line.matched),
                json!(line.value),
                json!(line.wanted),
                json!(line.text.as_deref()),
            ]);
        }
    }
    Listing { head, rows }.print(format, console)
}
