//! The report as text for a terminal.

use serde_json::Value;

use super::number::{NOT_MEASURED, NOT_PRICED, cell, cents, count, counted, figure};
use super::roles::RoleRows;
use super::text_table::{TextTable, wrapped};
use super::{Cause, Distribution, Groups, Report};
use crate::tables::RuleCalls;
use crate::time::span;

/// Most calls shown that need a look.
const MOST_ATTENTION: usize = 3;

/// Prose is wrapped to this width where there is no terminal.
const WIDTH: usize = 80;

/// Most groups shown.
const MOST_GROUPS: usize = 20;

impl Report {
    /// A summary: inputs, length, cost, totals, distributions, groups, warnings, for a terminal with this many columns.
    #[must_use]
    pub fn to_text(&self, width: Option<usize>) -> String {
        let headline = self.headline();
        let lines: Vec<String> = headline.lines().map(|line| wrapped(line, width)).collect();
        let mut text = lines.join("\n");
        if let Some(copies) = &self.copies {
            text += &format!("\n{}", wrapped(&copies.to_string(), Some(width.unwrap_or(WIDTH))));
        }
        let mut tables = vec![
            self.totals_table().render(width),
            distribution_table("per call", &self.calls).render(width),
            // Roles tell more than participants without names, and a screen holds one of both.
            match self.roles_as_rows() {
                Some(rows) => role_table(rows, width),
                None => distribution_table("per participant", &self.participants).render(width),
            },
        ];
        tables.extend(self.attention_table(width));
        if self.attention.is_empty() {
            tables.extend(super::attention::summary(0, self));
        }
        tables.extend(self.rollup.as_ref().map(|groups| group_table(groups, width)));
        tables.extend(self.rules.as_ref().map(|rules| rule_table(rules, width)));
        if !self.warnings.is_empty() {
            tables.push(self.warning_table().render(width));
        }
        for table in tables {
            text += "\n\n";
            text += &table;
        }
        text += "\n";
        text
    }

    /// What it is called, how many calls, how long, what they cost.
    fn headline(&self) -> String {
        let inputs = &self.inputs;
        // A title is one line.
        let title = self.title.as_ref().map(|title| title.replace(char::is_control, " ") + "\n").unwrap_or_default();
        let mut line = format!("{title}{} measured", counted(inputs.measured, "call"));
        if inputs.without_speech > 0 {
            line += &format!(", {} of them without speech", count(inputs.without_speech as i64));
        }
        if let Some(failed) = inputs.failed.filter(|failed| *failed > 0) {
            line += &format!(", {} failed", counted(failed, "file"));
        }
        if let Some(sources) = inputs.other_sources() {
            line += &format!("\ntranscripts of {sources}");
        }
        if let Some(unknown) = self.parameters.unknown() {
            line += &format!("\n{unknown}");
        }
        if let Some(condition) = &self.parameters.condition {
            line += &format!("\nonly calls where {condition}");
        }
        let sum = |metric: &str| self.totals.iter().find(|total| total.metric == metric).and_then(|total| total.sum);
        if let Some(length) = sum("duration_ms") {
            line += &format!("\n{} of audio", span(length));
            if let Some(speech) = sum("speech_ms") {
                line += &format!(", {} of speech", span(speech));
            }
        }
        line + &self.cost_line()
    }

    /// `cost: 0.05 USD`, and what has no price.
    fn cost_line(&self) -> String {
        let priced = self.cost.iter().filter_map(|total| total.cost.zip(total.currency));
        let mut parts: Vec<String> = priced.map(|(amount, currency)| format!("{} {currency}", cents(amount))).collect();
        let unpriced: u64 = self.cost.iter().filter(|total| total.cost.is_none()).map(|total| total.tracks).sum();
        if unpriced > 0 && !parts.is_empty() {
            parts.push(format!("{} {NOT_PRICED}", counted(unpriced, "track")));
        }
        if parts.is_empty() { String::new() } else { format!("\ncost: {}", parts.join(", ")) }
    }

    /// The first calls that need a look, each with its reasons.
    fn attention_table(&self, width: Option<usize>) -> Option<String> {
        let mut table = TextTable::new(["needs a look", "why"]);
        for call in self.attention.iter().take(MOST_ATTENTION) {
            let reasons: Vec<String> = call.reasons.iter().map(Cause::in_words).collect();
            table.row([call.file.clone(), reasons.join("; ")]);
        }
        let further = self.attention.len().saturating_sub(MOST_ATTENTION);
        let more = if further > 0 { format!("\nand {}", counted(further as u64, "more call")) } else { String::new() };
        (!self.attention.is_empty()).then(|| table.render(width) + &more)
    }

    fn totals_table(&self) -> TextTable {
        let mut table = TextTable::new(["total", "", "calls"]).numbers(1..3);
        for total in &self.totals {
            if total.metric == "keyword_hit_count" && !self.has_keyword_hits() {
                continue;
            }
            let sum = cell(total.sum.map(Value::from).as_ref(), total.unit);
            table.row([total.metric.to_owned(), sum, self.coverage(total.n)]);
        }
        table
    }

    /// The number of calls that a figure covers: `12`, or `11 of 12`.
    fn coverage(&self, n: u64) -> String {
        if n == self.inputs.measured {
            count(n as i64)
        } else {
            format!("{} of {}", count(n as i64), count(self.inputs.measured as i64))
        }
    }

    fn warning_table(&self) -> TextTable {
        let mut table = TextTable::new(["warning", "files", "count", "meaning"]).numbers(1..3);
        for warning in &self.warnings {
            let (files, number) = (count(warning.files as i64), count(warning.count as i64));
            table.row([warning.code, &files, &number, warning.meaning]);
        }
        table
    }
}

fn distribution_table(over: &str, list: &[Distribution]) -> TextTable {
    let mut table = TextTable::new([over, "n", "p10", "median", "p90", "max"]).numbers(1..6);
    for one in list {
        let cell = |value| figure(value, one.unit);
        table.row([
            one.metric.to_owned(),
            count(one.n as i64),
            cell(one.p10),
            cell(one.p50),
            cell(one.p90),
            cell(one.max),
        ]);
    }
    table
}

/// A column for each role.
fn role_table(RoleRows { head, rows }: RoleRows, width: Option<usize>) -> String {
    let columns = head.len();
    let mut table = TextTable::new(head).numbers(1..columns);
    for row in rows {
        table.row(row);
    }
    table.render(width)
}

/// Rules that matched a call; the others are counted.
fn rule_table(rules: &[RuleCalls], width: Option<usize>) -> String {
    let mut table = TextTable::new(["rule", "severity", "calls", "unknown", "hits", "name"]).numbers(2..5);
    let (matched, others): (Vec<_>, Vec<_>) = rules.iter().partition(|rule| rule.calls > 0);
    for rule in &matched {
        let [calls, unknown, hits] = [rule.calls, rule.unknown, rule.hits].map(|number| count(number as i64));
        table.row([&rule.rule, &rule.severity, &calls, &unknown, &hits, &rule.name]);
    }
    let mut text = table.render(width);
    if !others.is_empty() {
        text += &format!("\n{} matched no call", counted(others.len() as u64, "rule"));
    }
    text
}

/// The first groups with a few columns; the table `rollup` has all.
fn group_table(groups: &Groups, width: Option<usize>) -> String {
    let shown = groups.figures();
    let head = groups.by.iter().map(String::as_str).chain(shown.iter().map(|figure| &*figure.name));
    let by_columns = groups.by.len();
    let mut table = TextTable::new(head).numbers(by_columns..by_columns + shown.len());
    // A number of groups that was asked for is shown in full.
    let shown_rows = if groups.further > 0 { groups.rows.len() } else { groups.rows.len().min(MOST_GROUPS) };
    for row in groups.rows.iter().take(shown_rows) {
        let by = groups.by.iter().map(|name| row.get(name).and_then(Value::as_str).unwrap_or(NOT_MEASURED).to_owned());
        table.row(by.chain(shown.iter().map(|figure| cell(row.get(&figure.name), figure.unit))));
    }
    let mut text = table.render(width);
    let further = groups.rows.len() - shown_rows + groups.further;
    if further > 0 {
        text += &format!("\nand {}", counted(further as u64, "more group"));
    }
    text
}
