//! What a page shows beside the summary: distributions, the list of calls, and single calls.

use std::collections::BTreeSet;

use polars::prelude::*;
use serde::Serialize;

use super::call::CallView;
use super::strip::{Strip, strips};
use crate::error::{Error, Result};
use crate::metrics::catalogue::{CALLS, Use};
use crate::tables::{Analysis, CallSource, GroupKey, Joined, Row};

/// Up to this many calls, all are listed.
pub(super) const LIST_ALL: usize = 200;

/// Of more calls, this many of the highest by each column with [`Use::Ranked`] are listed.
pub(super) const LISTED_BY_EACH: usize = 20;

/// Which calls a page shows.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct PageOptions {
    /// The column of `calls` to sort by: one with [`Use::Ranked`].
    pub by: &'static str,
    /// Whether the lowest comes first.
    pub ascending: bool,
    /// Number of calls to show in full.
    pub calls: usize,
    /// Most calls to list; `None` is no limit of its own.
    pub top: Option<usize>,
}

impl Default for PageOptions {
    fn default() -> Self {
        Self { by: "dead_air_ms", ascending: false, calls: 20, top: None }
    }
}

/// What a page shows besides the summary.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Page {
    /// The column that calls are sorted by.
    pub by: &'static str,
    /// Whether the lowest comes first.
    pub ascending: bool,
    /// Most calls to list, if there is a limit.
    pub top: Option<usize>,
    /// Distributions of figures.
    pub strips: Vec<Strip>,
    /// Names of the user's own columns in [`CallRow::groups`].
    pub groups: Vec<String>,
    /// Calls in the order of [`Page::by`], those without a value last.
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
        groups: Option<(&Joined, &[GroupKey])>,
    ) -> Result<Self> {
        let order = ranked(&analysis.calls, options.by, options.ascending);
        let mut order = order.map_err(|error| Error::table("cannot rank calls", error))?;
        order.truncate(options.top.unwrap_or(usize::MAX));
        let listed = match options.top {
            Some(_) => order.iter().cloned().collect(),
            None => listed(analysis, &order).map_err(|error| Error::table("cannot rank calls", error))?,
        };
        let in_full: BTreeSet<&str> = order.iter().take(options.calls).map(String::as_str).collect();
        let shown: Vec<String> =
            order.iter().filter(|file| in_full.contains(&***file) || listed.contains(*file)).cloned().collect();
        let group_columns = match groups {
            Some((joined, keys)) => keys.iter().map(|key| joined.column(key)).collect::<Result<Vec<_>>>()?,
            None => Vec::new(),
        };
        let cells = |view: &CallView| {
            let row = groups.and_then(|(joined, _)| joined.row(&view.file, view.figures.text("file_url")));
            group_columns.iter().map(|column| Some(column.get(row?)?.to_owned())).collect()
        };
        let mut page = Self {
            by: options.by,
            ascending: options.ascending,
            top: options.top,
            strips: strips(analysis)?,
            groups: groups.map_or_else(Vec::new, |(_, keys)| keys.iter().map(|key| key.column.clone()).collect()),
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

/// All calls by one column, the highest or the lowest first, those without a value last; equal ones by name.
fn ranked(calls: &DataFrame, by: &str, ascending: bool) -> PolarsResult<Vec<String>> {
    let files = calls.column("file")?.str()?;
    let values = calls.column(by)?.cast(&DataType::Float64)?;
    let values = values.f64()?;
    let place = |value: f64| if ascending { value } else { -value };
    let mut order: Vec<(f64, &str)> = (0..calls.height())
        .filter_map(|row| Some((values.get(row).map_or(f64::INFINITY, place), files.get(row)?)))
        .collect();
    order.sort_by(|one, two| one.0.total_cmp(&two.0).then(one.1.cmp(two.1)));
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
        let highest = ranked(&analysis.calls, column.name, false)?;
        chosen.extend(highest.into_iter().take(LISTED_BY_EACH.min(measured)));
    }
    Ok(chosen)
}
