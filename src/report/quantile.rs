//! Quantiles of a figure, as reports show them.

use polars::prelude::*;

use super::rates;
use super::values::numbers;
use crate::metrics::catalogue::Unit;

/// The values of a column in ascending order, without nulls. It comes in parts, of this many rows.
pub(super) fn sorted(parts: impl IntoIterator<Item = PolarsResult<Column>>, rows: usize) -> PolarsResult<Vec<f64>> {
    let mut values = Vec::with_capacity(rows);
    for part in parts {
        values.extend(numbers(&part?)?.iter().flatten());
    }
    values.sort_unstable_by(f64::total_cmp);
    Ok(values)
}

/// The `q`-quantile (0–1) by linear interpolation between closest ranks; ms are whole. `None` without values.
///
/// polars would sort anew for each quantile, and start threads for it.
pub(super) fn quantile(sorted: &[f64], q: f64, unit: Unit) -> Option<f64> {
    let value = rates::quantile(sorted, q)?;
    Some(if unit.is_ms() { value.round_ties_even() } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_between_two_values_is_interpolated_and_ms_are_whole() {
        // Rank 0.9 · 3 = 2.7: seven tenths of the way from 30 to 40.
        assert_eq!(quantile(&[10.0, 20.0, 30.0, 40.0], 0.9, Unit::Units), Some(37.0));
        assert_eq!(quantile(&[0.0, 1.0], 0.5, Unit::Units), Some(0.5));
        // Halves go to even.
        assert_eq!(quantile(&[0.0, 1.0], 0.5, Unit::Ms), Some(0.0));
        assert_eq!(quantile(&[7.0], 1.0, Unit::Ms), Some(7.0));
        assert_eq!(quantile(&[], 0.5, Unit::Ms), None);
        let column = Float64Chunked::from_iter_options("x".into(), [Some(3.0), None, Some(-1.0)].into_iter());
        assert_eq!(sorted([Ok(column.into_column())], 3).unwrap(), [-1.0, 3.0]);
    }
}
