//! The report as text for a terminal: no arithmetic, no colour.

use std::ops::Range;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::number::{NOT_MEASURED, count, counted, figure, length};
use super::{Distribution, Report};

impl Report {
    /// A screenful: what was read, sums, distributions, what was odd.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = self.headline();
        text += "\n\n";
        text += &self.totals_table();
        text += "\n\n";
        text += &self.distribution_table();
        if let Some(rollup) = &self.rollup {
            text += &format!("\n\nroll-up: {}", counted(rollup.len() as u64, "group"));
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
        line
    }

    fn totals_table(&self) -> String {
        let mut table = plain(["total", "", "calls"]);
        for total in &self.totals {
            if total.metric == "keyword_hit_count" && self.parameters.keywords.is_none() {
                continue;
            }
            let sum = total.sum.map_or_else(
                || NOT_MEASURED.to_owned(),
                |sum| if total.unit == "ms" { length(sum) } else { count(sum) },
            );
            table.add_row([total.metric.to_owned(), sum, self.coverage(total.n)]);
        }
        aligned(table, 1..3)
    }

    /// How many calls a figure covers, where these are not all.
    fn coverage(&self, n: u64) -> String {
        if n == self.inputs.measured {
            count(n as i64)
        } else {
            format!("{} of {}", count(n as i64), count(self.inputs.measured as i64))
        }
    }

    fn distribution_table(&self) -> String {
        let mut table = plain(["distribution", "n", "p10", "median", "p90", "max"]);
        let mut add = |over: &str, list: &[Distribution]| {
            for one in list {
                let cell = |value| figure(value, one.metric, one.unit);
                let name = format!("{} a {over}", one.metric);
                table.add_row([name, count(one.n as i64), cell(one.p10), cell(one.p50), cell(one.p90), cell(one.max)]);
            }
        };
        add("call", &self.calls);
        add("participant", &self.participants);
        aligned(table, 1..6)
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

fn plain<const N: usize>(head: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(head);
    table
}

/// Columns of numbers stand to the right.
fn aligned(mut table: Table, numbers: Range<usize>) -> String {
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if numbers.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}
