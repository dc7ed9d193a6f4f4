//! The list of calls, one row per call.

use minijinja::Value as Html;
use serde::Serialize;

use super::super::number::{NOT_MEASURED, count, counted, figure};
use super::super::page::LISTED_BY_EACH;
use super::super::{CallRow, Page, Report};
use super::cell::Cell;
use super::chart::{shares, small_lanes};
use super::short;
use crate::metrics::catalogue::{CALLS, Unit, Use};

/// Most participants of a call whose shares are written out.
const MOST_SHARES: usize = 20;

/// The list of calls.
#[derive(Serialize)]
pub(super) struct List {
    note: String,
    groups: Vec<String>,
    columns: Vec<Head>,
    length: Head,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Head {
    metric: &'static str,
    label: String,
    sorted: bool,
}

#[derive(Serialize)]
struct Row {
    id: String,
    name: String,
    href: String,
    groups: Vec<String>,
    length: Cell,
    lanes: Html,
    shares: Html,
    shares_in_words: String,
    cells: Vec<Cell>,
}

pub(super) fn list(report: &Report, page: &Page, address: &dyn Fn(&str) -> String) -> List {
    let mut metrics: Vec<&'static str> = CALLS.columns_for(Use::Listed).iter().map(|column| column.name).collect();
    metrics.retain(|metric| match *metric {
        "keyword_hit_count" => report.keywords.is_some(),
        "warning_count" => !report.warnings.is_empty(),
        _ => true,
    });
    if !metrics.contains(&page.by) && page.by != "duration_ms" {
        metrics.insert(0, page.by);
    }
    let head = |metric: &'static str| Head { metric, label: CALLS.label(metric), sorted: metric == page.by };
    let row = |(at, row): (usize, &CallRow)| {
        let shared = row.names.iter().zip(&row.shares).take(MOST_SHARES);
        let in_words = shared.map(|(name, share)| format!("{name} {}", figure(*share, Unit::Share)));
        let more = row.names.len().saturating_sub(MOST_SHARES);
        let more = (more > 0).then(|| format!("{} more", count(more as i64)));
        Row {
            id: format!("r{at}"),
            name: short(&row.file).to_owned(),
            href: address(&row.file),
            groups: row.groups.iter().map(|group| group.clone().unwrap_or_else(|| NOT_MEASURED.to_owned())).collect(),
            length: Cell::new(&CALLS, &row.figures, "duration_ms"),
            lanes: Html::from_safe_string(small_lanes(&row.lanes, &row.dead_air, row.length_ms)),
            shares: Html::from_safe_string(shares(&row.shares)),
            shares_in_words: in_words.chain(more).collect::<Vec<_>>().join(", "),
            cells: metrics.iter().map(|metric| Cell::new(&CALLS, &row.figures, metric)).collect(),
        }
    };
    let (listed, all) = (page.listed.len() as u64, report.inputs.measured);
    let mut note = String::new();
    if listed + (page.unreadable.len() as u64) < all {
        let which = match page.top {
            Some(_) => format!("the first by {}", CALLS.label(page.by).to_lowercase()),
            None => format!("the {LISTED_BY_EACH} highest by each column"),
        };
        let (listed, all) = (count(listed as i64), count(all as i64));
        note = format!("Showing {listed} of {all} calls: {which}. The table calls has all of them.");
    }
    if !page.unreadable.is_empty() {
        note += &format!(" {} could no longer be read.", counted(page.unreadable.len() as u64, "call"));
    }
    List {
        note,
        groups: page.groups.clone(),
        columns: metrics.iter().map(|metric| head(metric)).collect(),
        length: head("duration_ms"),
        rows: page.listed.iter().enumerate().map(row).collect(),
    }
}
