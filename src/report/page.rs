//! What a page shows beside the summary: distributions, the list of calls, and single calls.

use std::collections::BTreeSet;

use polars::prelude::*;
use serde::Serialize;

use super::call::CallView;
use super::strip::{Strip, strips};
use crate::error::{Error, Result};
use crate::metrics::catalogue::{CALLS, Use};
use crate::tables::{Analysis, CallSource, Joined, Row};

/// Up to this many calls, all are listed.
pub(super) const LIST_ALL: usize = 200;

/// Of more calls, this many of the highest by each column with [`Use::Ranked`] are listed.
pub(super) const LISTED_BY_EACH: usize = 20;

/// Which calls a page shows.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct PageOptions {
    /// The column of `calls` to sort by, highest first: one with [`Use::Ranked`].
    pub by: &'static str,
    /// Number of calls to show in full.
    pub calls: usize,
}

impl Default for PageOptions {
    fn default() -> Self {
        Self { by: "dead_air_ms", calls: 20 }
    }
}

/// What a page shows besides the summary.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Page {
    /// The column that calls are sorted by.
    pub by: &'static str,
    /// Distributions of figures.
    pub strips: Vec<Strip>,
    /// Names of the user's own columns in [`CallRow::groups`].
    pub groups: Vec<String>,
    /// Calls, the highest by [`Page::by`] first, those without a value last.
    pub listed: Vec<CallRow>,
    /// The first of them in full.
    pub views: Vec<CallView>,
    /// Calls to show that could no longer be read.
    #[serde(rename = "gone")]
    pub unreadable: Vec<String>,
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
    pub figures: Row,
    /// The name of each participant.
    pub names: Vec<String>,
    /// Each participant's share of the talk; null if it could not be measured.
    pub shares: Vec<Option<f64>>,
    /// Bursts of each participant, `[begin, end)` in ms.
    pub lanes: Vec<Vec<(i64, i64)>>,
    /// Dead air, `[begin, end)` in ms.
    pub dead_air: Vec<(i64, i64)>,
    /// Where the lanes end, in ms.
    pub length_ms: i64,
}

impl Page {
    /// Selects and reads the calls to show. `groups` adds columns of the metadata to the list.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Table`] when a table cannot be read.
    pub fn build(
        analysis: &Analysis,
        calls: CallSource<'_>,
        options: &PageOptions,
        groups: Option<(&Joined, &[String])>,
    ) -> Result<Self> {
        let order = ranked(&analysis.calls, options.by).map_err(|error| Error::table("cannot rank calls", error))?;
        let listed = listed(analysis, &order).map_err(|error| Error::table("cannot rank calls", error))?;
        let in_full: BTreeSet<&str> = order.iter().take(options.calls).map(String::as_str).collect();
        let shown: Vec<String> =
            order.iter().filter(|file| in_full.contains(&***file) || listed.contains(*file)).cloned().collect();
        let group_columns = match groups {
            Some((joined, names)) => names.iter().map(|name| joined.column(name)).collect::<Result<Vec<_>>>()?,
            None => Vec::new(),
        };
        let cells = |view: &CallView| {
            let row = groups.and_then(|(joined, _)| joined.row(&view.file, view.figures.text("file_url")));
            group_columns.iter().map(|column| Some(column.get(row?)?.to_owned())).collect()
        };
        let mut page = Self {
            by: options.by,
            strips: strips(analysis)?,
            groups: groups.map_or_else(Vec::new, |(_, names)| names.to_vec()),
            listed: Vec::new(),
            views: Vec::new(),
            unreadable: Vec::new(),
        };
        for files in shown.chunks(calls.batch_size()) {
            for (file, rows) in files.iter().zip(calls.get(files)?) {
                let Some(rows) = rows else {
                    page.unreadable.push(file.clone());
                    continue;
                };
                let view = CallView::new(&rows, analysis.settings.markers);
                page.listed.push(CallRow::new(&view, cells(&view)));
                if in_full.contains(&**file) {
                    page.views.push(view);
                }
            }
        }
        Ok(page)
    }
}

impl CallRow {
    fn new(view: &CallView, groups: Vec<Option<String>>) -> Self {
        Self {
            file: view.file.clone(),
            groups,
            figures: view.figures.clone(),
            names: view.names.clone(),
            shares: view.participants.iter().map(|row| row.number("talk_share")).collect(),
            lanes: view.lanes.clone(),
            dead_air: view.dead_air(),
            length_ms: view.length_ms(),
        }
    }
}

/// All calls by one column, the highest first, those without a value last; equal ones by name.
fn ranked(calls: &DataFrame, by: &str) -> PolarsResult<Vec<String>> {
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

/// The calls to list.
fn listed(analysis: &Analysis, order: &[String]) -> PolarsResult<BTreeSet<String>> {
    if order.len() <= LIST_ALL {
        return Ok(order.iter().cloned().collect());
    }
    let mut chosen = BTreeSet::new();
    for column in CALLS.columns_for(Use::Ranked) {
        let values = analysis.calls.column(column.name)?;
        let measured = values.len() - values.null_count();
        chosen.extend(ranked(&analysis.calls, column.name)?.into_iter().take(LISTED_BY_EACH.min(measured)));
    }
    Ok(chosen)
}
