//! Groups of calls side by side, and the calls of one period beside those of the period before.

use std::collections::BTreeMap;

use serde::Serialize;

use super::attention::{self, GroupAttention};
use super::dates::CallTimes;
use super::rates::{CallSet, Rate, RateValues};
use crate::error::{Error, Result};
use crate::tables::{Analysis, Period, Rollup};

/// The groups of a roll-up by their rates.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Ranking {
    /// The group columns.
    pub by: Vec<String>,
    /// The figures.
    pub rates: Vec<Rate>,
    /// The groups, those with most dead air per call first; the group without a label comes last.
    pub groups: Vec<CallSet>,
    /// The groups that need a look.
    pub attention: Vec<GroupAttention>,
}

/// The calls by period.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Trend {
    /// The user's column of times.
    pub column: String,
    /// The length of a period.
    pub bucket: Period,
    /// The figures.
    pub rates: Vec<Rate>,
    /// The periods with calls, in order of time.
    pub periods: Vec<CallSet>,
}

impl Ranking {
    /// `None` without a group column.
    pub(super) fn build(analysis: &Analysis, rollup: &Rollup) -> Result<Option<Self>> {
        if rollup.by.is_empty() {
            return Ok(None);
        }
        let rates = Rate::all();
        let values = values(analysis, &rates)?;
        let mut groups: BTreeMap<Vec<Option<String>>, Vec<usize>> = BTreeMap::new();
        for call in 0..analysis.calls.height() {
            let labels = rollup.labels.iter().map(|cells| cells.get(call).map(str::to_owned)).collect();
            groups.entry(labels).or_default().push(call);
        }
        let set = |(labels, calls): (Vec<Option<String>>, Vec<usize>)| {
            (CallSet { labels, calls: calls.len() as u64, rates: values.of(&calls) }, calls)
        };
        let mut sets: Vec<(CallSet, Vec<usize>)> = groups.into_iter().map(set).collect();
        let first = rates.iter().position(|rate| rate.metric == "dead_air_count").unwrap_or(0);
        let value = |set: &CallSet| set.rates.get(first).copied().flatten().unwrap_or(f64::NEG_INFINITY);
        let is_null = |set: &CallSet| set.labels.iter().all(Option::is_none);
        sets.sort_by(|(one, _), (two, _)| is_null(one).cmp(&is_null(two)).then(value(two).total_cmp(&value(one))));
        let (groups, members): (Vec<CallSet>, Vec<Vec<usize>>) = sets.into_iter().unzip();
        let attention = attention::groups(&groups, &members, &rates, &values);
        Ok(Some(Self { by: rollup.by.clone(), rates, groups, attention }))
    }
}

impl Trend {
    /// `None` if all calls fall into one period.
    pub(super) fn build(analysis: &Analysis, times: &CallTimes) -> Result<Option<Self>> {
        let rates = Rate::all();
        let values = values(analysis, &rates)?;
        let mut periods: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (call, label) in times.labels().into_iter().enumerate() {
            if let Some(label) = label {
                periods.entry(label).or_default().push(call);
            }
        }
        let set = |(label, calls): (String, Vec<usize>)| CallSet {
            labels: vec![Some(label)],
            calls: calls.len() as u64,
            rates: values.of(&calls),
        };
        let periods: Vec<CallSet> = periods.into_iter().map(set).collect();
        let (column, bucket) = (times.column().to_owned(), times.bucket());
        Ok((periods.len() > 1).then_some(Self { column, bucket, rates, periods }))
    }

    /// What calls are filtered by to see those of a period: `started:week`.
    pub(super) fn filter(&self) -> String {
        format!("{}:{}", self.column, self.bucket.name())
    }
}

fn values(analysis: &Analysis, rates: &[Rate]) -> Result<RateValues> {
    RateValues::new(&analysis.calls, rates).map_err(|error| Error::table("cannot compare groups", error))
}
