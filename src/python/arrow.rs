//! Frames by the Arrow C stream interface, as Python passes it on: capsules.

use polars::prelude::*;
use polars_arrow::array::StructArray;
use polars_arrow::datatypes::{ArrowDataType, Field};
use polars_arrow::ffi::{export_field_to_c, export_iterator};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::tables::DescribedFrame;

/// The columns as one struct, which is how a table is streamed.
fn rows_of(table: &DescribedFrame) -> Field {
    let fields = table.arrow_schema().iter_values().cloned().collect();
    Field::new(PlSmallStr::EMPTY, ArrowDataType::Struct(fields), false)
}

/// The capsule `arrow_schema`.
pub(super) fn schema<'py>(py: Python<'py>, table: &DescribedFrame) -> PyResult<Bound<'py, PyCapsule>> {
    PyCapsule::new_with_value(py, export_field_to_c(&rows_of(table)), c"arrow_schema")
}

/// The capsule `arrow_array_stream`: a batch for each chunk, without a copy.
pub(super) fn stream<'py>(py: Python<'py>, table: &DescribedFrame) -> PyResult<Bound<'py, PyCapsule>> {
    let field = rows_of(table);
    let mut columns: Vec<Series> =
        table.frame.columns().iter().map(|column| column.as_materialized_series().clone()).collect();
    let lengths = |column: &Series| column.chunk_lengths().collect::<Vec<_>>();
    let first = columns.first().map(lengths).unwrap_or_default();
    if columns.iter().any(|column| lengths(column) != first) {
        columns = columns.iter().map(|column| column.rechunk()).collect();
    }
    let chunks = columns.first().map_or(0, |column| column.n_chunks());
    let dtype = field.dtype.clone();
    let batch = move |chunk: usize| {
        let arrays: Vec<_> = columns.iter().map(|column| column.to_arrow(chunk, CompatLevel::newest())).collect();
        let length = arrays.first().map_or(0, |array| array.len());
        StructArray::try_new(dtype.clone(), length, arrays, None).map(|rows| rows.boxed())
    };
    let stream = export_iterator(Box::new((0..chunks).map(batch)), field);
    PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
}
