//! A table in memory, which any program that reads Arrow takes as it is.

use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyList};

use super::arrow;
use crate::tables::{DescribedFrame, Figure, cells};

/// Rows that a notebook shows.
const SHOWN: usize = 10;

/// A table of an analysis. It is an Arrow stream: `polars.DataFrame(table)`, `pyarrow.table(table)`, and `DuckDB` by its name.
#[pyclass(frozen, module = "talkmeter")]
#[derive(Debug)]
pub(super) struct Table(pub(super) DescribedFrame);

#[pymethods]
impl Table {
    /// Its name.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// The names of its columns.
    #[getter]
    fn columns(&self) -> Vec<&str> {
        self.0.fields().iter().map(|field| &*field.name).collect()
    }

    /// What each column is: `type`, and for columns of talkmeter `unit`, `meaning` and `null_rule`.
    #[getter]
    fn schema<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let schema = PyDict::new(py);
        for field in self.0.fields() {
            let column = PyDict::new(py);
            column.set_item("type", &*field.kind)?;
            let facts = [("unit", &field.unit), ("meaning", &field.description), ("null_rule", &field.null_rule)];
            for (name, text) in facts {
                column.set_item(name, &**text)?;
            }
            schema.set_item(&*field.name, column)?;
        }
        Ok(schema)
    }

    /// Number of rows and of columns.
    #[getter]
    fn shape(&self) -> (usize, usize) {
        self.0.frame.shape()
    }

    /// The rows as a `polars.DataFrame`.
    fn to_polars<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("polars")?.getattr("DataFrame")?.call1((slf,))
    }

    /// The rows as a `pyarrow.Table`.
    fn to_pyarrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("pyarrow")?.getattr("table")?.call1((slf,))
    }

    /// The rows as a `pandas.DataFrame`, through pyarrow.
    fn to_pandas<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Self::to_pyarrow(slf)?.call_method0("to_pandas")
    }

    /// The rows as dictionaries; money, dates and times as text.
    fn to_dicts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let rows = PyList::empty(py);
        for cells in cells(&self.0.frame)? {
            let row = PyDict::new(py);
            for (name, cell) in self.columns().into_iter().zip(cells) {
                match cell {
                    None => row.set_item(name, py.None())?,
                    Some(Figure::Integer(number)) => row.set_item(name, number)?,
                    Some(Figure::Number(number)) => row.set_item(name, number)?,
                    Some(Figure::Boolean(truth)) => row.set_item(name, truth)?,
                    Some(Figure::Text(text)) => row.set_item(name, text)?,
                }
            }
            rows.append(row)?;
        }
        Ok(rows)
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // A schema that is asked for may be left aside: the consumer casts.
        let _ = requested_schema;
        arrow::stream(py, &self.0)
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        arrow::schema(py, &self.0)
    }

    fn __len__(&self) -> usize {
        self.0.frame.height()
    }

    fn __repr__(&self) -> String {
        let (rows, columns) = self.shape();
        format!("<talkmeter.Table {}: {rows} rows, {columns} columns>", self.0.name)
    }

    fn _repr_html_(&self) -> PyResult<String> {
        let mut html = "<table><thead><tr>".to_owned();
        for field in self.0.fields() {
            html += &format!("<th title=\"{}\">{}</th>", escaped(&field.description), escaped(&field.name));
        }
        html += "</tr></thead><tbody>";
        for row in cells(&self.0.frame.head(Some(SHOWN)))? {
            html += "<tr>";
            for cell in row {
                html += &format!("<td>{}</td>", cell.map(|cell| escaped(&text(&cell))).unwrap_or_default());
            }
            html += "</tr>";
        }
        let (rows, columns) = self.shape();
        Ok(html + &format!("</tbody></table><p>{}: {rows} rows, {columns} columns</p>", escaped(&self.0.name)))
    }
}

fn text(cell: &Figure) -> String {
    match cell {
        Figure::Integer(number) => number.to_string(),
        // People need no more digits.
        Figure::Number(number) => ((number * 1000.0).round() / 1000.0).to_string(),
        Figure::Boolean(truth) => truth.to_string(),
        Figure::Text(text) => text.clone(),
    }
}

/// Text for HTML, also in quotes.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
