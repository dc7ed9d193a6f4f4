//! What a page shows beside the summary: how figures spread, which calls need a look, and single calls.

use std::collections::{BTreeSet, HashMap};

use polars::prelude::*;
use serde::Serialize;
use serde_json::{Map, Value};

use super::call::CallView;
use super::strip::{Strip, strips};
use crate::error::{Error, Result};
use crate::metrics::EventKind;
use crate::metrics::catalogue::{CALLS, Use};
use crate::tables::{Analysis, Calls, Metadata};

/// Up to so many calls all are listed.
pub const LIST_ALL: usize = 200;

/// Of more calls these are listed: so many of the highest by each column with [`Use::Ranked`].
pub const LISTED_BY_EACH: usize = 20;

/// What to show of single calls.
#[derive(Debug, Clone)]
pub struct PageOptions {
    /// By this column of `calls`, the highest first: one with [`Use::Ranked`].
    pub by: &'static str,
    /// So many calls are shown whole.
    pub calls: usize,
}

impl Default for PageOptions {
    fn default() -> Self {
        Self { by: "dead_air_ms", calls: 20 }
    }
}

/// What a page shows beside the summary.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Page {
    /// The column by which calls are in order.
    pub by: &'static str,
    /// How figures spread.
    pub strips: Vec<Strip>,
    /// Names of the user's own columns that stand in [`CallRow::groups`].
    pub groups: Vec<String>,
    /// Calls, the highest by [`Page::by`] first, those without the figure last.
    pub listed: Vec<CallRow>,
    /// The first of them, whole.
    pub views: Vec<CallView>,
    /// Calls that were to be shown and could not be read again.
    pub gone: Vec<String>,
}

/// A call in a list.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct CallRow {
    /// Its name in the tables.
    pub file: String,
    /// The user's own columns.
    pub groups: Vec<Option<String>>,
    /// Its row in the table `calls`.
    pub figures: Map<String, Value>,
    /// What each participant is called.
    pub names: Vec<String>,
    /// Each participant's share of the talk; null where it could not be measured.
    pub shares: Vec<Option<f64>>,
    /// When each participant talked: bursts, `[begin, end)` in ms.
    pub lanes: Vec<Vec<(i64, i64)>>,
    /// Dead air, `[begin, end)` in ms.
    pub dead_air: Vec<(i64, i64)>,
    /// Where its lanes end, in ms.
    pub length_ms: i64,
}

impl Page {
    /// Reads the calls that are worth a look. `metadata` brings the columns `group_by`, `join_gap_ms` is the parameter
    /// the figures were measured with.
    ///
    /// # Errors
    /// When a table cannot be read.
    pub fn build(
        analysis: &Analysis,
        calls: Calls<'_>,
        shown: &PageOptions,
        join_gap_ms: i64,
        groups: Option<(&Metadata, &[String])>,
    ) -> Result<Self> {
        let order = in_order(&analysis.calls, shown.by).map_err(|error| Error::table("cannot rank calls", error))?;
        let chosen = listed(analysis, &order).map_err(|error| Error::table("cannot rank calls", error))?;
        let whole: BTreeSet<&str> = order.iter().take(shown.calls).map(String::as_str).collect();
        let wanted: Vec<String> =
            order.iter().filter(|file| whole.contains(&***file) || chosen.contains(*file)).cloned().collect();
        let (groups, own) = match groups {
            Some((metadata, names)) => (names.to_vec(), Own { key: metadata.key(), rows: metadata.by_key(names)? }),
            None => (Vec::new(), Own { key: "file", rows: HashMap::new() }),
        };
        let mut page = Self {
            by: shown.by,
            strips: strips(analysis)?,
            groups,
            listed: Vec::new(),
            views: Vec::new(),
            gone: Vec::new(),
        };
        for files in wanted.chunks(calls.at_a_time()) {
            for (file, tables) in files.iter().zip(calls.get(files)?) {
                let Some(tables) = tables else {
                    page.gone.push(file.clone());
                    continue;
                };
                let view = CallView::of(&tables, join_gap_ms)?;
                page.listed.push(CallRow::of(&view, own.of(&view, page.groups.len())));
                if whole.contains(&**file) {
                    page.views.push(view);
                }
            }
        }
        Ok(page)
    }
}

/// The user's own columns by the column that names the call.
struct Own<'m> {
    key: &'m str,
    rows: HashMap<String, Vec<Option<String>>>,
}

impl Own<'_> {
    fn of(&self, view: &CallView, columns: usize) -> Vec<Option<String>> {
        let row = view.figures.get(self.key).and_then(Value::as_str).and_then(|key| self.rows.get(key));
        row.cloned().unwrap_or_else(|| vec![None; columns])
    }
}

impl CallRow {
    fn of(view: &CallView, groups: Vec<Option<String>>) -> Self {
        let share = |row: &Map<String, Value>| row.get("talk_share").and_then(Value::as_f64);
        let silences = view.events.iter().filter(|event| event.kind == EventKind::DeadAir);
        Self {
            file: view.file.clone(),
            groups,
            figures: view.figures.clone(),
            names: view.names.clone(),
            shares: view.participants.iter().map(share).collect(),
            lanes: view.lanes.clone(),
            dead_air: silences.map(|event| (event.begin_ms, event.end_ms)).collect(),
            length_ms: view.length_ms(),
        }
    }
}

/// Every call by one of its figures, the highest first; those without it last, equals by name.
fn in_order(calls: &DataFrame, by: &str) -> PolarsResult<Vec<String>> {
    let files = calls.column("file")?.str()?;
    let values = calls.column(by)?.cast(&DataType::Float64)?;
    let values = values.f64()?;
    let mut order: Vec<(Option<f64>, &str)> =
        (0..calls.height()).filter_map(|row| Some((values.get(row), files.get(row)?))).collect();
    order.sort_by(|one, two| {
        let (high, low) = (two.0.unwrap_or(f64::NEG_INFINITY), one.0.unwrap_or(f64::NEG_INFINITY));
        high.total_cmp(&low).then(one.1.cmp(two.1))
    });
    Ok(order.into_iter().map(|(_, file)| file.to_owned()).collect())
}

/// The calls that a list shows.
fn listed(analysis: &Analysis, order: &[String]) -> PolarsResult<BTreeSet<String>> {
    if order.len() <= LIST_ALL {
        return Ok(order.iter().cloned().collect());
    }
    let mut chosen = BTreeSet::new();
    for column in CALLS.columns_for(Use::Ranked) {
        let values = analysis.calls.column(column.name)?;
        let measured = values.len() - values.null_count();
        chosen.extend(in_order(&analysis.calls, column.name)?.into_iter().take(LISTED_BY_EACH.min(measured)));
    }
    Ok(chosen)
}
