//! The report as text for a terminal.

use std::ops::Range;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::Value;

use super::number::{NOT_MEASURED, cell, count, counted, figure};
use super::roles::RoleRows;
use super::{Distribution, Groups, Report};
use crate::tables::RuleCalls;

/// Most groups shown.
const MOST_GROUPS: usize = 20;

impl Report {
    /// A summary: inputs, totals, distributions, groups, warnings.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = self.headline();
        if let Some(copies) = &self.copies {
            text += &format!("\n{copies}");
        }
        text += "\n\n";
        text += &self.totals_table();
        text += "\n\n";
        text += &distribution_table("per call", &self.calls);
        text += "\n\n";
        text += &distribution_table("per participant", &self.participants);
        if let Some(RoleRows { head, rows }) = self.roles_as_rows() {
            text += "\n\n";
            let mut table = plain(head.iter().map(String::as_str));
            for row in rows {
                table.add_row(row);
            }
            text += &aligned(table, 1..head.len());
        }
        if let Some(groups) = &self.rollup {
            text += "\n\n";
            text += &group_table(groups);
        }
        if let Some(rules) = &self.rules {
            text += "\n\n";
            text += &rule_table(rules);
        }
        if !self.warnings.is_empty() {
            text += "\n\n";
            text += &self.warning_table();
        }
        text += "\n";
        text
    }

    fn headline(&self) -> String {
        let inputs = &self.inputs;
        let mut line = format!("{} measured", counted(inputs.measured, "call"));
        if inputs.without_speech > 0 {
            line += &format!(", {} of them without speech", count(inputs.without_speech as i64));
        }
        if inputs.failed > 0 {
            line += &format!(", {} failed", counted(inputs.failed, "file"));
        }
        if let Some(condition) = &self.parameters.condition {
            line += &format!("\nonly calls where {condition}");
        }
        line
    }

    fn totals_table(&self) -> String {
        let mut table = plain(["total", "", "calls"]);
        for total in &self.totals {
            if total.metric == "keyword_hit_count" && self.parameters.keywords.is_none() {
                continue;
            }
            let sum = cell(total.sum.map(Value::from).as_ref(), total.unit);
            table.add_row([total.metric.to_owned(), sum, self.coverage(total.n)]);
        }
        aligned(table, 1..3)
    }

    /// The number of calls that a figure covers: `12`, or `11 of 12`.
    fn coverage(&self, n: u64) -> String {
        if n == self.inputs.measured {
            count(n as i64)
        } else {
            format!("{} of {}", count(n as i64), count(self.inputs.measured as i64))
        }
    }

    fn warning_table(&self) -> String {
        let mut table = plain(["warning", "files", "count", "meaning"]);
        for warning in &self.warnings {
            let (files, number) = (count(warning.files as i64), count(warning.count as i64));
            table.add_row([warning.code, &files, &number, warning.meaning]);
        }
        aligned(table, 1..3)
    }
}

fn distribution_table(over: &str, list: &[Distribution]) -> String {
    let mut table = plain([over, "n", "p10", "median", "p90", "max"]);
    for one in list {
        let cell = |value| figure(value, one.unit);
        table.add_row([
            one.metric.to_owned(),
            count(one.n as i64),
            cell(one.p10),
            cell(one.p50),
            cell(one.p90),
            cell(one.max),
        ]);
    }
    aligned(table, 1..6)
}

/// Rules that matched a call; the others are counted.
fn rule_table(rules: &[RuleCalls]) -> String {
    let mut table = plain(["rule", "severity", "calls", "unknown", "hits", "name"]);
    let (matched, others): (Vec<_>, Vec<_>) = rules.iter().partition(|rule| rule.calls > 0);
    for rule in &matched {
        let [calls, unknown, hits] = [rule.calls, rule.unknown, rule.hits].map(|number| count(number as i64));
        table.add_row([&rule.rule, &rule.severity, &calls, &unknown, &hits, &rule.name]);
    }
    let mut text = aligned(table, 2..5);
    if !others.is_empty() {
        text += &format!("\n{} matched no call", counted(others.len() as u64, "rule"));
    }
    text
}

/// The first groups with a few columns; the table `rollup` has all.
fn group_table(groups: &Groups) -> String {
    let shown = groups.figures();
    let head = groups.by.iter().map(String::as_str).chain(shown.iter().map(|figure| &*figure.name));
    let mut table = plain(head);
    // Whoever asks for a number of groups gets it.
    let shown_rows = if groups.further > 0 { groups.rows.len() } else { groups.rows.len().min(MOST_GROUPS) };
    for row in groups.rows.iter().take(shown_rows) {
        let by = groups.by.iter().map(|name| row.get(name).and_then(Value::as_str).unwrap_or(NOT_MEASURED).to_owned());
        table.add_row(by.chain(shown.iter().map(|figure| cell(row.get(&figure.name), figure.unit))));
    }
    let width = groups.by.len();
    let mut text = aligned(table, width..width + shown.len());
    let further = groups.rows.len() - shown_rows + groups.further;
    if further > 0 {
        text += &format!("\nand {}", counted(further as u64, "more group"));
    }
    text
}

pub(super) fn plain<'h>(head: impl IntoIterator<Item = &'h str>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(head);
    table
}

/// Aligns the columns of numbers to the right.
pub(super) fn aligned(mut table: Table, numbers: Range<usize>) -> String {
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if numbers.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}
