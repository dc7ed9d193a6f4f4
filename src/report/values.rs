//! The values of a column.

use polars::prelude::*;

/// A column of numbers, whole or not, as such with fractions.
///
/// Not by a cast alone: of a column of nothing but nulls polars makes one of the zeros that it keeps for good, 8 MiB.
pub(super) fn numbers(column: &Column) -> PolarsResult<Float64Chunked> {
    match column.i64() {
        Ok(whole) => Ok(whole.iter().map(|value| value.map(|value| value as f64)).collect()),
        Err(_) => Ok(column.cast(&DataType::Float64)?.f64()?.clone()),
    }
}
