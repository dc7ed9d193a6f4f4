//! What a page shows beside the summary: distributions, the list of calls, and single calls.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::*;
use serde::Serialize;
use url::Url;

use super::ReportSettings;
use super::attention::{self, CallAttention};
use super::call::CallView;
use super::dates::{CallTimes, DateRange};
use super::index::{CallIndex, listed_columns};
use super::ranking::{Ranking, Trend};
use super::strip::{Strip, strips};
use super::values::numbers;
use crate::error::{Error, Result};
use crate::metrics::catalogue::{CALLS, Use};
use crate::tables::{Analysis, CallSource, Figures, OwnColumns, Rollup, Row};

/// Up to this many calls, all are listed.
pub(super) const LIST_ALL: usize = 200;

/// Of more calls, this many of the highest by each column with [`Use::Ranked`] are listed.
pub(super) const LISTED_BY_EACH: usize = 20;

/// Of more calls, only these and the listed ones are made ready for the search over all calls: the data of as many, at least
/// 58 bytes each, are more than it holds.
const MOST_INDEXED: usize = 45_000;

/// Most calls that need a look, on a page.
const MOST_ATTENTION: usize = 10;

/// Most hosts that are named.
const MOST_HOSTS: usize = 3;

/// Which calls a page shows.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct PageOptions {
    /// The column of `calls` to sort by: one with [`Use::Ranked`].
    pub by: &'static str,
    /// Whether the lowest comes first.
    pub ascending: bool,
    /// Number of calls to show in full: those that need a look, then the highest by `by`.
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
    /// The hosts that the recordings came from, at most three.
    pub hosts: Vec<String>,
    /// When the calls were; null without a column of times.
    pub period: Option<DateRange>,
    /// The calls that need a look, at most 10.
    pub attention: Vec<CallAttention>,
    /// Number of calls that need a look.
    pub attention_calls: usize,
    /// The groups; null without a roll-up.
    pub ranking: Option<Ranking>,
    /// The calls by period; null without a column of times, and if all are of one period.
    pub trend: Option<Trend>,
    /// Distributions of figures.
    pub strips: Vec<Strip>,
    /// Calls in the order of [`Page::by`], those without a value last.
    pub listed: Vec<CallRow>,
    /// The first of them in full.
    pub views: Vec<CallView>,
    /// Calls to show that could no longer be read.
    #[serde(rename = "gone")]
    pub unreadable: Vec<String>,
    #[serde(skip)]
    pub(super) index: CallIndex,
}

/// A call in a list.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct CallRow {
    /// Its name in the tables.
    pub file: String,
    /// The user's own columns that are not empty.
    pub own: Vec<(String, String)>,
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
    /// Selects and reads the calls to show, with the user's own columns and their groups.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Table`] when a table cannot be read.
    pub fn build(
        analysis: &Analysis,
        calls: CallSource<'_>,
        options: &PageOptions,
        own: Option<&OwnColumns>,
        rollup: Option<&Rollup>,
    ) -> Result<Self> {
        let failed = |error| Error::table("cannot rank calls", error);
        let files = analysis.calls.texts("file").map_err(failed)?;
        let by = analysis.calls.column(options.by);
        let mut places = by.and_then(|by| ranked(&files, &by, options.ascending)).map_err(failed)?;
        let top = options.top.unwrap_or(usize::MAX);
        let attention = attention::calls(analysis)?;
        let first: Vec<usize> = attention.iter().take(MOST_ATTENTION.min(top)).map(|call| call.place).collect();
        places.truncate(top);
        let file = |place: &usize| files.get(*place).unwrap_or_default();
        let mut in_full: BTreeSet<&str> = BTreeSet::new();
        for place in first.iter().chain(&places) {
            if in_full.len() < options.calls {
                in_full.insert(file(place));
            }
        }
        let mut chosen = match options.top {
            Some(_) => places.iter().copied().collect(),
            None => listed(analysis, &files, &places).map_err(failed)?,
        };
        chosen.extend(places.iter().filter(|place| in_full.contains(file(place))));
        // What needs a look is read even if it is not listed.
        let unlisted = first.iter().filter(|place| !places.contains(place));
        chosen.extend(first.iter().filter(|place| places.contains(place)));
        let shown = places.iter().filter(|place| chosen.contains(place)).chain(unlisted);
        let shown: Vec<(usize, String)> = shown.map(|place| (*place, file(place).to_owned())).collect();
        let is_indexed = |(at, place): &(usize, &usize)| *at < MOST_INDEXED || chosen.contains(*place);
        let indexed: Vec<usize> = places.iter().enumerate().filter(is_indexed).map(|(_, place)| *place).collect();
        let times = own.and_then(|own| CallTimes::find(own, analysis.calls.height()));
        let columns = CALLS.column("duration_ms").into_iter().chain(listed_columns(analysis, options.by)).collect();
        let mut page = Self {
            by: options.by,
            ascending: options.ascending,
            top: options.top,
            hosts: hosts(&analysis.calls).map_err(failed)?,
            period: times.as_ref().map(CallTimes::range),
            attention_calls: attention.len(),
            ranking: rollup.map(|rollup| Ranking::build(analysis, rollup)).transpose()?.flatten(),
            trend: times.as_ref().map(|times| Trend::build(analysis, times)).transpose()?.flatten(),
            strips: strips(analysis)?,
            listed: Vec::new(),
            views: Vec::new(),
            unreadable: Vec::new(),
            index: CallIndex::build(analysis, &indexed, columns, own, rollup, times.as_ref())?,
            attention: attention.iter().take(MOST_ATTENTION.min(top)).cloned().collect(),
        };
        let markers = ReportSettings::new(analysis.settings.as_ref()).markers();
        for chunk in shown.chunks(calls.batch_size()) {
            // Of the others no text is shown.
            let is_full = |place: &usize, file: &str| in_full.contains(file) || first.contains(place);
            let (full, listed): (Vec<_>, Vec<_>) = chunk.iter().partition(|(place, file)| is_full(place, file));
            let names =
                |calls: Vec<&(usize, String)>| calls.into_iter().map(|(_, file)| file.clone()).collect::<Vec<_>>();
            let mut full = calls.get(&names(full))?.into_iter();
            let mut listed = calls.outlines(&names(listed))?.into_iter();
            for (place, file) in chunk {
                let rows = if is_full(place, file) { full.next() } else { listed.next() };
                let Some(rows) = rows.flatten() else {
                    page.unreadable.push(file.clone());
                    continue;
                };
                let mut view = CallView::new(&rows, markers);
                view.own = own.map(|own| own.of_call(*place)).unwrap_or_default();
                if places.contains(place) {
                    page.listed.push(CallRow::new(&view));
                }
                page.attention.iter_mut().filter(|call| call.file == *file).for_each(|call| call.complete(&view));
                if in_full.contains(&**file) {
                    page.views.push(view);
                }
            }
        }
        Ok(page)
    }
}

impl CallRow {
    fn new(view: &CallView) -> Self {
        Self {
            file: view.file.clone(),
            own: view.own.clone(),
            figures: view.figures.clone(),
            names: view.names.clone(),
            shares: view.participants.iter().map(|row| row.number("talk_share")).collect(),
            lanes: view.lanes.clone(),
            dead_air: view.dead_air(),
            length_ms: view.length_ms(),
        }
    }
}

/// The places of all calls by one column, the highest or the lowest first, those without a value last; equal ones by name.
fn ranked(files: &StringChunked, by: &Column, ascending: bool) -> PolarsResult<Vec<usize>> {
    let values = numbers(by)?;
    let rank = |value: f64| if ascending { value } else { -value };
    let mut order: Vec<(f64, &str, usize)> = (0..files.len())
        .filter_map(|row| Some((values.get(row).map_or(f64::INFINITY, rank), files.get(row)?, row)))
        .collect();
    order.sort_by(|one, two| one.0.total_cmp(&two.0).then(one.1.cmp(two.1)));
    Ok(order.into_iter().map(|(.., place)| place).collect())
}

/// The places of the calls to list.
fn listed(analysis: &Analysis, files: &StringChunked, order: &[usize]) -> PolarsResult<BTreeSet<usize>> {
    if order.len() <= LIST_ALL {
        return Ok(order.iter().copied().collect());
    }
    let mut chosen = BTreeSet::new();
    for column in CALLS.columns_for(Use::Ranked) {
        let values = analysis.calls.column(column.name)?;
        let measured = values.len() - values.null_count();
        let highest = ranked(files, &values, false)?;
        chosen.extend(highest.into_iter().take(LISTED_BY_EACH.min(measured)));
    }
    Ok(chosen)
}

/// The hosts of the recordings, the most frequent first.
fn hosts(calls: &Figures) -> PolarsResult<Vec<String>> {
    let mut hosts: BTreeMap<String, usize> = BTreeMap::new();
    for address in calls.texts("file_url")?.iter().flatten() {
        let host = Url::parse(address).ok().and_then(|url| Some(url.host_str()?.to_owned()));
        if let Some(host) = host.filter(|host| !host.is_empty()) {
            *hosts.entry(host).or_default() += 1;
        }
    }
    let mut hosts: Vec<(String, usize)> = hosts.into_iter().collect();
    hosts.sort_by_key(|(_, calls)| std::cmp::Reverse(*calls));
    Ok(hosts.into_iter().take(MOST_HOSTS).map(|(host, _)| host).collect())
}
