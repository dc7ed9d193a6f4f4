//! Calls grouped by the user's own columns: counts, sums, medians and 90th percentiles per group.

use std::collections::HashSet;

use polars::prelude::*;

use super::distinct;
use super::join::Joined;
use crate::error::{Error, Result};
use crate::metrics::catalogue::{CALLS, Kind, Use};

/// A roll-up, and how many rows could not be joined.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Rollup {
    /// The group columns as text, `call_count`, the sums, then three columns for each with [`Use::Spread`]. Groups in byte
    /// order, nulls last.
    pub frame: DataFrame,
    /// Names of the group columns in `frame`.
    pub by: Vec<String>,
    /// Calls without a row in the metadata, which are in the group of nulls.
    pub calls_without_row: usize,
    /// Rows of the metadata without a call.
    pub rows_without_call: usize,
}

impl Rollup {
    /// Groups calls by columns of the metadata. `calls` has `file`, `file_url` and the columns with [`Use::Ranked`].
    ///
    /// A group column with the name of one of our columns becomes `NAME_group`. Without group columns the frame is one row
    /// for all calls.
    ///
    /// # Errors
    /// For a group column that the metadata does not have.
    pub fn new(calls: &DataFrame, joined: &Joined, group_by: &[String]) -> Result<Self> {
        let group_by = distinct(group_by);
        let columns = group_by.iter().map(|name| joined.column(name)).collect::<Result<Vec<_>>>()?;
        Self::group(calls, joined, &group_by, &columns).map_err(|error| Error::table("cannot roll up", error))
    }

    fn group(calls: &DataFrame, joined: &Joined, group_by: &[String], columns: &[StringChunked]) -> PolarsResult<Self> {
        let rows = joined.rows_of(calls)?;
        let named: HashSet<usize> = rows.iter().flatten().copied().collect();
        // Internal names avoid clashes between the user's columns and ours.
        let inner: Vec<PlSmallStr> = (0..columns.len()).map(|index| format!("__group{index}").into()).collect();
        let mut grouped = calls.clone();
        for (name, column) in inner.iter().zip(columns) {
            let cells: StringChunked = rows.iter().map(|row| column.get((*row)?)).collect();
            grouped.with_column(cells.with_name(name.clone()).into_column())?;
        }
        let mut frame = if inner.is_empty() {
            grouped.lazy().select(figures()).collect()?
        } else {
            let keys: Vec<Expr> = inner.iter().map(|name| col(name.clone())).collect();
            let order = SortMultipleOptions::default().with_nulls_last(true).with_maintain_order(true);
            grouped.lazy().group_by_stable(keys).agg(figures()).sort(inner.clone(), order).collect()?
        };
        let mut by = Vec::with_capacity(group_by.len());
        for (name, inner) in group_by.iter().zip(inner) {
            let outer = free_name(name, &frame);
            frame.rename(&inner, outer.clone().into())?;
            by.push(outer);
        }
        let calls_without_row = rows.iter().filter(|row| row.is_none()).count();
        Ok(Self { frame, by, calls_without_row, rows_without_call: joined.height() - named.len() })
    }
}

/// The name, with `_group` appended until it is unique.
fn free_name(name: &str, frame: &DataFrame) -> String {
    let mut free = name.to_owned();
    while frame.get_column_names().iter().any(|taken| taken.as_str() == free) {
        free += "_group";
    }
    free
}

/// The aggregates of each group.
fn figures() -> Vec<Expr> {
    let mut figures = vec![len().cast(DataType::Int64).alias("call_count")];
    // A sum over calls in which nothing could be measured is null, not 0.
    figures.extend(CALLS.columns_for(Use::Summed).into_iter().map(|column| {
        let name = column.name;
        when(col(name).count().gt(lit(0))).then(col(name).sum()).otherwise(lit(NULL)).alias(name)
    }));
    for column in CALLS.columns_for(Use::Spread) {
        let name = column.name;
        for (suffix, q) in [("p50", 0.5), ("p90", 0.9)] {
            let quantile = col(name).quantile(lit(q), QuantileMethod::Linear);
            let figure = if column.kind == Kind::Integer {
                quantile.map(whole_ms, |_, field| Ok(Field::new(field.name().clone(), DataType::Int64)))
            } else {
                quantile
            };
            figures.push(figure.alias(format!("{name}_{suffix}")));
        }
        figures.push(col(name).count().cast(DataType::Int64).alias(format!("{name}_n")));
    }
    figures
}

/// Rounds to whole ms, half to even (definitions: percentile).
fn whole_ms(column: Column) -> PolarsResult<Column> {
    let rounded = column.f64()?.apply_values(f64::round_ties_even).cast(&DataType::Int64)?;
    Ok(rounded.into_column())
}
