//! Calls of a page in a few cells each: what it searches, filters and sorts.

use polars::prelude::*;

use super::dates::CallTimes;
use super::values::numbers;
use crate::error::{Error, Result};
use crate::metrics::catalogue::{CALLS, Column, Kind, Use};
use crate::tables::{Analysis, Figures, OwnColumns, Rollup};

/// Most of the user's columns, beside those that calls are grouped by.
const MOST_COLUMNS: usize = 12;

/// The calls that a page searches, in few cells.
#[derive(Debug, Clone, Default)]
pub(super) struct CallIndex {
    /// Names of the user's columns in [`IndexedCall::own`].
    pub(super) own: Vec<String>,
    /// How many of them calls are grouped by: the first.
    pub(super) groups: usize,
    /// The columns of [`IndexedCall::figures`].
    pub(super) columns: Vec<&'static Column>,
    /// In the order of the page.
    pub(super) calls: Vec<IndexedCall>,
}

/// A call in few cells.
#[derive(Debug, Clone)]
pub(super) struct IndexedCall {
    pub(super) file: String,
    pub(super) own: Vec<Option<String>>,
    pub(super) figures: Vec<Option<serde_json::Value>>,
    /// The cell `reason` of the table `calls`.
    pub(super) reason: Option<String>,
    /// Places of the keywords that were found in it.
    pub(super) keywords: Vec<usize>,
    /// Places of the rules that matched it.
    pub(super) rules: Vec<usize>,
}

impl CallIndex {
    /// Calls of an analysis in the order of `places`, with the figures that a list shows.
    pub(super) fn build(
        analysis: &Analysis,
        places: &[usize],
        columns: Vec<&'static Column>,
        own: Option<&OwnColumns>,
        rollup: Option<&Rollup>,
        times: Option<&CallTimes>,
    ) -> Result<Self> {
        let by = rollup.map_or(&[][..], |rollup| &rollup.by);
        let names: Vec<&str> = own.into_iter().flat_map(OwnColumns::names).collect();
        let others: Vec<usize> = (0..names.len())
            .filter(|at| !by.iter().any(|by| names.get(*at) == Some(&&**by)))
            .take(MOST_COLUMNS)
            .collect();
        let mut keywords = Memberships::new(analysis.calls.height());
        for (at, hits) in analysis.hits.iter().flatten().enumerate() {
            keywords.add(at, hits.found_in.iter().map(|call| call as usize));
        }
        let mut rules = Memberships::new(analysis.calls.height());
        for (at, rule) in analysis.rules.iter().flatten().enumerate() {
            let verdicts =
                analysis.verdicts.iter().filter(|(id, _)| *id == rule.rule).flat_map(|(_, verdicts)| verdicts);
            rules.add(at, verdicts.enumerate().filter(|(_, verdict)| **verdict == Some(true)).map(|(call, _)| call));
        }
        let cells = Cells::new(&analysis.calls, &columns).map_err(|error| Error::table("cannot list calls", error))?;
        let periods = times.map(CallTimes::labels);
        let call = |place: &usize| {
            let groups =
                rollup.into_iter().flat_map(|rollup| &rollup.labels).map(|cells| cells.get(*place).map(str::to_owned));
            let others = others.iter().map(|column| own?.cell(*column, *place));
            let period = periods.iter().map(|periods| periods.get(*place).cloned().flatten());
            Some(IndexedCall {
                file: cells.files.get(*place)?.to_owned(),
                own: groups.chain(others).chain(period).collect(),
                figures: cells.row(*place),
                reason: cells.reasons.get(*place).map(str::to_owned),
                keywords: keywords.take(*place),
                rules: rules.take(*place),
            })
        };
        let calls = places.iter().filter_map(call).collect();
        let others = others.iter().filter_map(|at| names.get(*at)).map(|name| (*name).to_owned());
        let period = times.map(CallTimes::filter);
        Ok(Self { groups: by.len(), own: by.iter().cloned().chain(others).chain(period).collect(), columns, calls })
    }
}

/// The columns of the list of calls: those with [`Use::Listed`] that say something here, and the one it is sorted by.
pub(super) fn listed_columns(analysis: &Analysis, by: &str) -> Vec<&'static Column> {
    let says = |column: &&'static Column| match column.name {
        "keyword_hit_count" => analysis.has_keywords(),
        "warning_count" => !analysis.warnings.is_empty(),
        _ => true,
    };
    let mut columns: Vec<&'static Column> = CALLS.columns_for(Use::Listed).into_iter().filter(says).collect();
    if by != "duration_ms" && !columns.iter().any(|column| column.name == by) {
        columns.extend(CALLS.column(by));
        columns.rotate_right(1);
    }
    columns
}

/// What each call belongs to.
struct Memberships(Vec<Vec<usize>>);

impl Memberships {
    fn new(calls: usize) -> Self {
        Self(vec![Vec::new(); calls])
    }

    fn add(&mut self, to: usize, calls: impl Iterator<Item = usize>) {
        for call in calls {
            if let Some(list) = self.0.get_mut(call) {
                list.push(to);
            }
        }
    }

    fn take(&self, call: usize) -> Vec<usize> {
        self.0.get(call).cloned().unwrap_or_default()
    }
}

/// Some columns of `calls`.
struct Cells {
    files: StringChunked,
    reasons: StringChunked,
    figures: Vec<(bool, Float64Chunked)>,
}

impl Cells {
    fn new(calls: &Figures, columns: &[&'static Column]) -> PolarsResult<Self> {
        let figure =
            |column: &&'static Column| Ok((column.kind == Kind::Integer, numbers(&calls.column(column.name)?)?));
        Ok(Self {
            files: calls.texts("file")?,
            reasons: calls.texts("reason")?,
            figures: columns.iter().map(figure).collect::<PolarsResult<_>>()?,
        })
    }

    fn row(&self, call: usize) -> Vec<Option<serde_json::Value>> {
        let value = |(whole, values): &(bool, Float64Chunked)| {
            let value = values.get(call)?;
            Some(if *whole { (value as i64).into() } else { value.into() })
        };
        self.figures.iter().map(value).collect()
    }
}
