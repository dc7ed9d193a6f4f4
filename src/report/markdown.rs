//! The report as Markdown, for a pull request or a wiki: the summary, and the list of calls.

use serde_json::Value;

use super::number::{NOT_MEASURED, cell, count, figure, money};
use super::{Distribution, GroupRow, Report};
use crate::metrics::catalogue::{CALLS, Unit, Use};
use crate::text::markdown::escaped;

impl Report {
    /// Headings and tables in GitHub's Markdown. Text from outside is escaped.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let measured = self.inputs.measured;
        let mut text = format!("# {}\n\n", escaped(&super::html::title(self)));
        if self.title.is_some() {
            text += &format!("{}\n\n", super::html::extent(self));
        }
        let thresholds = self.parameters.figures.iter().flat_map(|figures| figures.thresholds.values());
        let thresholds: Vec<String> = thresholds.map(|(name, value)| format!("`{name}` {value}")).collect();
        let unknown = self.parameters.unknown().map(|unknown| unknown.to_string());
        text += &format!("{}\n\n", unknown.unwrap_or_else(|| thresholds.join(", ")));
        if let Some(sources) = self.inputs.other_sources() {
            text += &format!("Transcripts of {sources}\n\n");
        }
        if let Some(condition) = &self.parameters.condition {
            text += &format!("Only calls where {}\n\n", escaped(condition));
        }
        if let Some(copies) = &self.copies {
            text += &format!("{}\n\n", escaped(&copies.to_string()));
        }
        let has_hits = self.has_keyword_hits();
        let rows = self.totals.iter().filter(|total| total.metric != "keyword_hit_count" || has_hits);
        text += &table(
            &["total", "", "calls"],
            rows.map(|total| {
                let sum = total.sum.map(Value::from);
                let covers =
                    if total.n == measured { count(total.n as i64) } else { format!("{} of {}", total.n, measured) };
                vec![total.metric.to_owned(), cell(sum.as_ref(), total.unit), covers]
            }),
        );
        for (over, list) in [("per call", &self.calls), ("per participant", &self.participants)] {
            text += &table(&[over, "n", "p10", "median", "p90", "max"], list.iter().map(distribution));
        }
        if let Some(roles) = self.roles_as_rows() {
            let head: Vec<&str> = roles.head.iter().map(String::as_str).collect();
            text += &table(&head, roles.rows.into_iter());
        }
        if let Some(groups) = &self.rollup {
            let shown = groups.figures();
            let names = shown.iter().map(|figure| &*figure.name);
            let head: Vec<&str> = groups.by.iter().map(String::as_str).chain(names).collect();
            let row = |row: &GroupRow| {
                let by = groups
                    .by
                    .iter()
                    .map(|name| row.get(name).and_then(Value::as_str).unwrap_or(NOT_MEASURED).to_owned());
                by.chain(shown.iter().map(|figure| cell(row.get(&figure.name), figure.unit))).collect()
            };
            text += &table(&head, groups.rows.iter().map(row));
        }
        if let Some(keywords) = &self.keywords {
            let row = |hits: &crate::tables::KeywordHits| {
                vec![hits.rule.clone(), count(hits.hits as i64), count(hits.calls as i64)]
            };
            text += &table(&["keyword", "hits", "calls"], keywords.iter().map(row));
        }
        if let Some(rules) = &self.rules {
            let row = |rule: &crate::tables::RuleCalls| {
                let numbers = [rule.calls, rule.unknown, rule.hits].map(|number| count(number as i64));
                let [calls, unknown, hits] = numbers;
                vec![rule.rule.clone(), rule.severity.clone(), calls, unknown, hits, rule.name.clone()]
            };
            text += &table(&["rule", "severity", "calls", "unknown", "hits", "name"], rules.iter().map(row));
        }
        let cost = self.cost.iter().map(|total| {
            let cost = money(total.cost.zip(total.currency));
            vec![cost, count(total.tracks as i64), count(total.billed_seconds)]
        });
        text += &table(&["cost", "tracks", "billed seconds"], cost);
        if let Some(page) = &self.page {
            let mut shown: Vec<&str> = CALLS.columns_for(Use::ListedBriefly).iter().map(|column| column.name).collect();
            if !shown.contains(&page.by) {
                shown.insert(0, page.by);
            }
            let mut head = vec!["call".to_owned()];
            head.extend(shown.iter().map(|metric| CALLS.label(metric)));
            let row = |row: &super::CallRow| {
                let unit = |metric: &str| CALLS.column(metric).map_or(Unit::None, |column| column.unit);
                let figures =
                    shown.iter().map(|metric| cell(row.figures.get(metric).map(Value::from).as_ref(), unit(metric)));
                std::iter::once(row.file.clone()).chain(figures).collect()
            };
            text += &table(&head.iter().map(String::as_str).collect::<Vec<_>>(), page.listed.iter().map(row));
        }
        let warnings = self.warnings.iter().map(|warning| {
            let (files, number) = (count(warning.files as i64), count(warning.count as i64));
            vec![warning.code.to_owned(), files, number, warning.meaning.to_owned()]
        });
        text += &table(&["warning", "files", "count", "meaning"], warnings);
        text.truncate(text.trim_end().len());
        text + "\n"
    }
}

fn distribution(one: &Distribution) -> Vec<String> {
    let shown = |value| figure(value, one.unit);
    vec![one.metric.to_owned(), count(one.n as i64), shown(one.p10), shown(one.p50), shown(one.p90), shown(one.max)]
}

/// A table and a blank line; empty without rows.
pub(super) fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let row = |cells: &mut dyn Iterator<Item = String>| format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "));
    let mut body = String::new();
    for cells in rows {
        body += &row(&mut cells.iter().map(|cell| escaped(cell)));
    }
    if body.is_empty() {
        return body;
    }
    let rule = head.iter().enumerate().map(|(at, _)| if at == 0 { "---" } else { "---:" }.to_owned());
    let mut text = row(&mut head.iter().map(|name| escaped(name)));
    text += &row(&mut rule.into_iter());
    text + &body + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_ends_no_row_and_begins_no_markup() {
        let rows = [vec!["a|b\n<img>".to_owned(), "1".to_owned()]];
        assert_eq!(table(&["x", "n"], rows.into_iter()), "| x | n |\n| --- | ---: |\n| a\\|b &lt;img\\> | 1 |\n\n");
        assert_eq!(table(&["x"], std::iter::empty()), "");
    }
}
