//! The report: shown by notebooks, saved to files.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyAny;

use super::table::escaped;
use super::work;
use crate::disk;
use crate::error::{Error, Result};
use crate::report::{Links, Page, PageOptions, page};
use crate::tables::{Analysis, CallSource, Options, OwnColumns, Rollup};
use crate::transcript::Input;

/// Calls in full on a page inside a notebook.
const SHOWN: usize = 3;

/// What a report is made from. Its pages read the result files of the calls they show once more.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) report: crate::report::Report,
    pub(super) analysis: Analysis,
    pub(super) files: Vec<Input>,
    pub(super) options: Options,
    pub(super) own: Option<OwnColumns>,
    pub(super) rollup: Option<Rollup>,
}

impl Source {
    fn page(&self, calls: Option<usize>) -> Result<Page> {
        let mut shown = PageOptions::default();
        shown.calls = calls.unwrap_or(shown.calls);
        let source = CallSource::Results { files: &self.files, options: &self.options };
        Page::build(&self.analysis, source, &shown, self.own.as_ref(), self.rollup.as_ref())
    }
}

/// The report of an analysis: text when printed, a page in a notebook, and `save("report.html")`.
#[pyclass(frozen, module = "talkmeter")]
#[derive(Debug)]
pub(super) struct Report(Source);

#[pymethods]
impl Report {
    /// The page, with this many calls in full.
    #[pyo3(signature = (calls = None))]
    fn to_html(&self, py: Python<'_>, calls: Option<usize>) -> PyResult<String> {
        work::run(py, None, None, |_| page(&self.0.report, &self.0.page(calls)?, &Links::default()))
    }

    /// The page.
    #[getter]
    fn html(&self, py: Python<'_>) -> PyResult<String> {
        self.to_html(py, None)
    }

    /// The report for a pull request or a chat.
    fn to_markdown(&self) -> String {
        self.0.report.to_markdown()
    }

    /// The content of `report.json`.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("json")?.call_method1("loads", (self.0.report.to_json()?,))
    }

    /// Writes it to a file: .html, .md or .json.
    #[pyo3(signature = (path, *, calls = None))]
    fn save(&self, py: Python<'_>, path: PathBuf, calls: Option<usize>) -> PyResult<()> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let text = match extension.to_ascii_lowercase().as_str() {
            "html" | "htm" => self.to_html(py, calls)?,
            "md" | "markdown" => self.to_markdown(),
            "json" => self.0.report.to_json()?,
            _ => {
                let message = format!("{}: the extension must be .html, .md or .json", path.display());
                return Err(Error::invalid(message).into());
            }
        };
        Ok(disk::write(&path, text.as_bytes())?)
    }

    fn __str__(&self) -> String {
        self.0.report.to_text(Some(100))
    }

    fn _repr_html_(&self, py: Python<'_>) -> PyResult<String> {
        self.iframe(py)
    }
}

impl Report {
    pub(super) fn new(source: Source) -> Self {
        Self(source)
    }

    /// A small page inside a page, so that neither's styles reach the other.
    pub(super) fn iframe(&self, py: Python<'_>) -> PyResult<String> {
        let page = escaped(&self.to_html(py, Some(SHOWN))?);
        Ok(format!("<iframe srcdoc=\"{page}\" width=\"100%\" height=\"600\" style=\"border:0\"></iframe>"))
    }
}
