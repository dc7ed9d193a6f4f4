//! Figures that compare sets of calls of different sizes: per call, or the median. Of groups and of periods.

use polars::prelude::*;
use serde::Serialize;

use super::values::numbers;
use crate::metrics::catalogue::{CALLS, Unit, Use};
use crate::tables::Figures;

/// A figure of a set of calls.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Rate {
    /// A column of `calls` with [`Use::Group`].
    pub metric: &'static str,
    /// The column's unit.
    pub unit: Unit,
    /// Whether it is the mean per call, of a column that is summed; else it is the median.
    pub per_call: bool,
}

impl Rate {
    /// The figures, in the order in which they are shown.
    pub(super) fn all() -> Vec<Self> {
        let columns = CALLS.columns_for(Use::Group).into_iter();
        let rate = |column: &crate::metrics::catalogue::Column| Self {
            metric: column.name,
            unit: column.unit,
            per_call: column.is_for(Use::Summed),
        };
        let (means, medians): (Vec<Self>, Vec<Self>) = columns.map(rate).partition(|rate| rate.per_call);
        means.into_iter().chain(medians).collect()
    }

    /// `Dead air per call`, `Silence, median`.
    pub(super) fn label(&self) -> String {
        let label = CALLS.label(self.metric);
        if self.per_call { format!("{label} per call") } else { format!("{label}, median") }
    }
}

/// A set of calls.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct CallSet {
    /// What the calls have in common: a cell of each group column, or a period.
    pub labels: Vec<Option<String>>,
    /// Number of calls.
    pub calls: u64,
    /// One value for each rate; null where it could be measured in none of them.
    pub rates: Vec<Option<f64>>,
}

/// The values of all calls that rates are made of.
pub(super) struct RateValues(Vec<(bool, Vec<Option<f64>>)>);

impl RateValues {
    pub(super) fn new(calls: &Figures, rates: &[Rate]) -> PolarsResult<Self> {
        let values = |rate: &Rate| Ok((rate.per_call, numbers(&calls.column(rate.metric)?)?.iter().collect()));
        Ok(Self(rates.iter().map(values).collect::<PolarsResult<_>>()?))
    }

    /// In how many of these calls each rate could be measured.
    pub(super) fn measured(&self, calls: &[usize]) -> Vec<u64> {
        let is_measured = |values: &[Option<f64>], call: &usize| values.get(*call).is_some_and(Option::is_some);
        let measured = |values: &[Option<f64>]| calls.iter().filter(|call| is_measured(values, call)).count() as u64;
        self.0.iter().map(|(_, values)| measured(values)).collect()
    }

    #[cfg(test)]
    pub(super) fn of_values(per_call: bool, values: Vec<Option<f64>>) -> Self {
        Self(vec![(per_call, values)])
    }

    /// One value for each rate, over the calls in which it could be measured.
    pub(super) fn of(&self, calls: &[usize]) -> Vec<Option<f64>> {
        let rate = |(per_call, values): &(bool, Vec<Option<f64>>)| {
            let mut found: Vec<f64> = calls.iter().filter_map(|call| *values.get(*call)?).collect();
            if *per_call {
                return (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64);
            }
            found.sort_by(f64::total_cmp);
            median(&found)
        };
        self.0.iter().map(rate).collect()
    }
}

/// The median of ascending values.
pub(super) fn median(sorted: &[f64]) -> Option<f64> {
    quantile(sorted, 0.5)
}

/// A quantile of ascending values, by linear interpolation between closest ranks.
pub(super) fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let rank = q * sorted.len().checked_sub(1)? as f64;
    let low = *sorted.get(rank.floor() as usize)?;
    let high = *sorted.get(rank.ceil() as usize)?;
    Some(low + (high - low) * rank.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_over_the_calls_in_which_it_could_be_measured() {
        let values = RateValues(vec![
            (true, vec![Some(2.0), None, Some(4.0), Some(90.0)]),
            (false, vec![Some(1.0), None, Some(5.0), Some(2.0)]),
        ]);
        assert_eq!(values.of(&[0, 1, 2]), [Some(3.0), Some(3.0)]);
        assert_eq!(values.of(&[0, 2, 3]), [Some(32.0), Some(2.0)]);
        assert_eq!(values.of(&[1]), [None, None]);
    }

    #[test]
    fn a_quantile_lies_between_the_closest_ranks() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0, 8.0], 0.75), Some(5.0));
        assert_eq!((quantile(&[7.0], 0.25), quantile(&[], 0.5)), (Some(7.0), None));
    }
}
