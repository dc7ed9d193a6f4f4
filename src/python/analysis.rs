//! `analyze` and `measure`: result files, on disk or in memory → tables and a report.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use pyo3::exceptions::{PyAttributeError, PyKeyError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyDict;

use super::report::{Report, Source};
use super::settings::{self, Document, Measuring, OF_ALL_CALLS};
use super::table::Table;
use super::work::{self, Watch, Watched};
use crate::batch::{Ledgers, NamedRecording};
use crate::error::{Error, Result, reason};
use crate::metrics::catalogue;
use crate::report::Groups;
use crate::tables::{
    self, CallsByRole, Condition, Content, DescribedFrame, FileOutcome, Metadata, Options, Outcome, OwnColumns,
    RecordingNames, Rollup, collect,
};
use crate::transcript::{Inputs, is_own};

/// Measured calls: a table for each name, such as `analysis.calls`, and the report.
#[pyclass(frozen, module = "talkmeter")]
#[derive(Debug)]
pub(super) struct Analysis {
    tables: Vec<Py<Table>>,
    /// Files that could not be measured: path and reason.
    #[pyo3(get)]
    failed: Vec<(String, String)>,
    /// What to know about the run, a line each.
    #[pyo3(get)]
    notes: Vec<String>,
    /// The report; `None` for calls in memory.
    #[pyo3(get)]
    report: Option<Py<Report>>,
}

#[pymethods]
impl Analysis {
    /// The tables by their names.
    #[getter]
    fn tables<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let tables = PyDict::new(py);
        self.tables.iter().try_for_each(|table| tables.set_item(table.get().0.name.as_str(), table))?;
        Ok(tables)
    }

    fn __getattr__(&self, py: Python<'_>, name: &str) -> PyResult<Py<Table>> {
        self.find(py, name).ok_or_else(|| PyAttributeError::new_err(self.missing(name)))
    }

    fn __getitem__(&self, py: Python<'_>, name: &str) -> PyResult<Py<Table>> {
        self.find(py, name).ok_or_else(|| PyKeyError::new_err(self.missing(name)))
    }

    fn __dir__(&self) -> Vec<&str> {
        let own = ["tables", "failed", "notes", "report"];
        self.names().chain(own).collect()
    }

    fn __repr__(&self) -> String {
        let tables: Vec<String> = self
            .tables
            .iter()
            .map(|table| format!("{}: {}", table.get().0.name, table.get().0.frame.height()))
            .collect();
        format!("<talkmeter.Analysis {}; failed: {}>", tables.join(", "), self.failed.len())
    }

    fn _repr_html_(&self, py: Python<'_>) -> PyResult<Option<String>> {
        self.report.as_ref().map(|report| report.get().iframe(py)).transpose()
    }
}

impl Analysis {
    fn names(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().map(|table| &*table.get().0.name)
    }

    fn find(&self, py: Python<'_>, name: &str) -> Option<Py<Table>> {
        self.tables.iter().find(|table| table.get().0.name == name).map(|table| table.clone_ref(py))
    }

    /// Why there is no such table.
    fn missing(&self, name: &str) -> String {
        if catalogue::Table::from_name(name).is_some() || OF_ALL_CALLS.contains(&name) {
            return format!("the table {name} was not made: name it in `tables`, or for `rollup` give `group_by`");
        }
        format!("no table {name}; there are {}", self.names().collect::<Vec<_>>().join(", "))
    }

    fn new(
        py: Python<'_>,
        tables: Vec<DescribedFrame>,
        failed: Vec<(String, String)>,
        notes: Vec<String>,
        report: Option<Report>,
    ) -> PyResult<Self> {
        let tables = tables.into_iter().map(|table| Py::new(py, Table(table))).collect::<PyResult<Vec<_>>>()?;
        Ok(Self { tables, failed, notes, report: report.map(|report| Py::new(py, report)).transpose()? })
    }
}

/// One path, or several.
#[derive(Debug, FromPyObject)]
pub(super) enum Paths {
    #[pyo3(transparent)]
    One(PathBuf),
    #[pyo3(transparent)]
    Several(Vec<PathBuf>),
}

/// A file of columns, or a frame of polars or pandas.
fn metadata(meta: &Bound<'_, PyAny>, join: Option<&str>) -> PyResult<Metadata> {
    for writer in ["write_parquet", "to_parquet"] {
        if let Ok(write) = meta.getattr(writer) {
            let file = tempfile::Builder::new().suffix(".parquet").tempfile();
            let file = file.map_err(|error| Error::io("write", &std::env::temp_dir(), error))?;
            write.call1((file.path(),))?;
            return Ok(Metadata::read(file.path(), join)?);
        }
    }
    Ok(Metadata::read(&meta.extract::<PathBuf>()?, join)?)
}

/// The engine of polars starts threads that stay. A fork does not copy them, so that a forked process would wait for ever.
fn engine() -> Result<()> {
    static STARTED_IN: OnceLock<u32> = OnceLock::new();
    let process = std::process::id();
    if *STARTED_IN.get_or_init(|| process) == process {
        return Ok(());
    }
    Err(Error::invalid(
        "`where` and `group_by` do not work in a forked process whose parent has used them: start it with \
         multiprocessing.get_context(\"spawn\")",
    ))
}

/// Collects what became of files that could not be measured.
fn observe(outcome: FileOutcome, failed: &mut Vec<(String, String)>, watch: &Watch) -> Result<()> {
    let why = match outcome.outcome {
        Outcome::Measured(_) | Outcome::LeftOut => None,
        Outcome::Unreadable(error) => Some(reason(&error)),
        Outcome::ParseError(error) => Some(error.to_string()),
    };
    failed.extend(why.map(|why| (outcome.path.to_string_lossy().into_owned(), why)));
    watch.count()
}

/// Measures result files, and folders of them. The tables are those that `talkmeter analyze` writes.
///
/// paths: a path or a list of paths. tables: names; all but `sentences` and `words` unless given. keywords: terms as on the
/// command line. roles: participant → role. rules, prices: a file, or its content as bytes. meta: your columns, as a file or a
/// frame. `group_by`: columns of meta for the table `rollup`. where: an SQL condition on columns of `calls`. model, region:
/// for prices, where no ledger says. currency, `price_date`: of the prices. progress: called with the numbers of files done and
/// of all. Parameters of the figures by name: `dead_air_ms=5000`.
#[pyfunction]
#[pyo3(signature = (paths, *, tables=None, keywords=None, roles=None, rules=None, meta=None, join=None, group_by=None,
    time_format=None, r#where=None, definition=None, window_ms=None, model=None, region=None, prices=None, currency=None,
    price_date=None, title=None, threads=None, progress=None, **parameters))]
#[expect(clippy::too_many_arguments, reason = "they are named where they are given")]
pub(super) fn analyze(
    py: Python<'_>,
    paths: Paths,
    tables: Option<Vec<String>>,
    keywords: Option<Vec<String>>,
    roles: Option<BTreeMap<String, String>>,
    rules: Option<Document>,
    meta: Option<&Bound<'_, PyAny>>,
    join: Option<&str>,
    group_by: Option<Vec<String>>,
    time_format: Option<&str>,
    r#where: Option<&str>,
    definition: Option<String>,
    window_ms: Option<i64>,
    model: Option<String>,
    region: Option<String>,
    prices: Option<Document>,
    currency: Option<String>,
    price_date: Option<&Bound<'_, PyAny>>,
    title: Option<String>,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
    parameters: Option<&Bound<'_, PyDict>>,
) -> PyResult<Analysis> {
    let paths = match paths {
        Paths::One(path) => vec![path],
        Paths::Several(paths) => paths,
    };
    let wants = |name: &str| tables.as_ref().is_none_or(|tables| tables.iter().any(|table| table == name));
    let (wants_roles, wants_rollup) = (wants(OF_ALL_CALLS[0]), wants(OF_ALL_CALLS[1]));
    let list = settings::tables(tables.as_deref())?;
    let price_date = price_date.map(settings::text_of).transpose()?;
    let measuring =
        Measuring { keywords, roles, rules, definition, window_ms, model, region, prices, currency, price_date };
    let options = measuring.options(parameters)?;
    let metadata = meta.map(|meta| metadata(meta, join)).transpose()?;
    let group_by = group_by.unwrap_or_default();
    if r#where.is_some() || !group_by.is_empty() {
        engine()?;
    }
    let inputs = py.detach(|| Inputs::find(&paths, None));
    let mut notes = metadata.as_ref().map_or_else(Vec::new, |metadata| metadata.notes().to_vec());
    let run =
        Run { list, options, metadata, group_by, time_format, condition: r#where, wants_roles, wants_rollup, title };
    let progress = progress.map(|progress| (progress, inputs.files.len()));
    let (frames, failed, source) = work::run(py, threads, progress, |watch| run.measure(inputs, &mut notes, watch))?;
    Analysis::new(py, frames, failed, notes, Some(Report::new(source)))
}

/// An analysis of files, put together.
struct Run<'a> {
    list: Vec<&'static catalogue::Table>,
    options: Options,
    metadata: Option<Metadata>,
    group_by: Vec<String>,
    time_format: Option<&'a str>,
    condition: Option<&'a str>,
    wants_roles: bool,
    wants_rollup: bool,
    title: Option<String>,
}

/// Tables, failed files, and what the report is made from.
type Measured = (Vec<DescribedFrame>, Vec<(String, String)>, Source);

impl Run<'_> {
    fn measure(self, inputs: Inputs, notes: &mut Vec<String>, watch: &Watch) -> Result<Measured> {
        let (ledgers, unreadable) = Ledgers::of(&inputs.files);
        notes.extend(unreadable.iter().map(|error| format!("{error}; model and region are unknown")));
        let (mut names, mut rows) = (std::collections::HashMap::new(), Vec::new());
        for NamedRecording { file, id, locations, columns } in ledgers.recordings(&inputs.files) {
            if !columns.is_empty() {
                rows.push((file.clone(), columns));
            }
            names.insert(file, RecordingNames { id, locations });
        }
        let is_given = self.metadata.is_some();
        let metadata = self.metadata.or_else(|| Metadata::from_rows(rows));
        let group_by = match &metadata {
            Some(metadata) => metadata.resolve(&self.group_by, self.time_format)?,
            None if self.group_by.is_empty() => Vec::new(),
            None => {
                return Err(Error::invalid(
                    "`group_by` needs columns: `meta`, or those of the list that was transcribed",
                ));
            }
        };
        let files = inputs.files.iter().map(|input| input.file());
        let joined = metadata.map(|metadata| metadata.join(files, names)).transpose()?.map(Arc::new);
        let condition = self.condition.map(|text| Condition::read(text, joined.as_deref())).transpose()?;
        let options = self.options.joined(joined.clone()).condition(condition).origins(ledgers.origins());

        let mut failed: Vec<(String, String)> = Vec::new();
        failed.extend(inputs.excluded.iter().map(|path| (path.path.to_string_lossy().into_owned(), path.why.clone())));
        let excluded = failed.len() as u64;
        let watched: Vec<_> = inputs.files.iter().map(|file| Watched { file, watch }).collect();
        let (mut analysis, frames) =
            collect(&watched, &options, &self.list, &mut |outcome| observe(outcome, &mut failed, watch))?;
        analysis.failed += excluded;
        if analysis.measured == 0 {
            let first =
                failed.first().map(|(path, why)| format!("no file could be measured, the first: {path}: {why}"));
            let left_out = (analysis.left_out.calls > 0).then(|| "`where` leaves no call".to_owned());
            return Err(Error::invalid(left_out.or(first).unwrap_or_else(|| "no result file found".to_owned())));
        }
        let mut tables: Vec<DescribedFrame> =
            self.list.iter().zip(frames).map(|(table, frame)| DescribedFrame::of_table(table, frame)).collect();
        if self.wants_roles {
            let by_role = CallsByRole::new(&analysis)?;
            let frame = by_role.with_columns(joined.as_deref(), &analysis.calls)?;
            let is_own = |name: &str| by_role.frame.column(name).is_err();
            tables.push(DescribedFrame::new(OF_ALL_CALLS[0], frame, &is_own));
        }
        let mut rollup = None;
        if let Some(joined) = joined.as_ref().filter(|_| !group_by.is_empty()) {
            let made = Rollup::new(&analysis, joined, &group_by)?;
            if self.wants_rollup {
                let is_own = |name: &str| made.by.iter().any(|by| by == name);
                tables.push(DescribedFrame::new(OF_ALL_CALLS[1], made.frame.clone(), &is_own));
            }
            rollup = Some(made);
        }
        if let Some(joined) = joined.as_ref().filter(|_| is_given) {
            unmatched(joined, &analysis, notes)?;
        }
        let mut report = crate::report::Report::build(
            &analysis,
            rollup.as_ref().map(|rollup| Groups::new(rollup, None, None)).transpose()?,
        )?;
        report.title = self.title;
        report.parameters.condition = options.condition.as_ref().map(|condition| condition.text().to_owned());
        let own = joined.as_ref().map(|joined| OwnColumns::new(joined, &analysis)).transpose()?;
        Ok((tables, failed, Source { report, analysis, files: inputs.files, options, own, rollup }))
    }
}

/// Notes the calls without a row in the metadata.
///
/// # Errors
/// When no call has one, with a key of each side.
fn unmatched(joined: &tables::Joined, analysis: &tables::Analysis, notes: &mut Vec<String>) -> Result<()> {
    let text = |name: &str| analysis.calls.texts(name);
    let keys = text("file").and_then(|files| Ok((files, text("file_url")?)));
    let (files, urls) = keys.map_err(|error| Error::table("cannot read calls", error))?;
    let calls = files.iter().zip(urls.iter());
    let without = calls.filter(|(file, url)| file.is_none_or(|file| joined.row(file, *url).is_none())).count();
    if without == files.len()
        && analysis.left_out.is_unknown()
        && let (Some(key), Some(call)) = joined.examples(&analysis.calls)
    {
        return Err(Error::invalid(format!(
            "no row of the metadata matches a call: its column `{}` has `{key}`, the calls have `{call}`",
            joined.key()
        )));
    }
    if without > 0 {
        notes.push(format!("calls without a row in the metadata: {without}"));
    }
    Ok(())
}

/// Measures result files in memory: a name and the bytes of each. As `analyze`, without what needs all calls or a disk. What an
/// analysis wrote itself, such as `report.json`, is left out here as well.
#[pyfunction]
#[pyo3(signature = (names, contents, *, tables=None, keywords=None, roles=None, rules=None, definition=None,
    window_ms=None, model=None, region=None, prices=None, currency=None, price_date=None, threads=1, **parameters))]
#[expect(clippy::too_many_arguments, reason = "they are named where they are given")]
pub(super) fn measure(
    py: Python<'_>,
    names: Vec<String>,
    contents: Vec<PyBackedBytes>,
    tables: Option<Vec<String>>,
    keywords: Option<Vec<String>>,
    roles: Option<BTreeMap<String, String>>,
    rules: Option<Document>,
    definition: Option<String>,
    window_ms: Option<i64>,
    model: Option<String>,
    region: Option<String>,
    prices: Option<Document>,
    currency: Option<String>,
    price_date: Option<&Bound<'_, PyAny>>,
    threads: usize,
    parameters: Option<&Bound<'_, PyDict>>,
) -> PyResult<Analysis> {
    if names.len() != contents.len() {
        let message = format!("{} names for {} contents", names.len(), contents.len());
        return Err(Error::invalid(message).into());
    }
    let list = settings::tables(tables.as_deref())?;
    let price_date = price_date.map(settings::text_of).transpose()?;
    let measuring =
        Measuring { keywords, roles, rules, definition, window_ms, model, region, prices, currency, price_date };
    let options = measuring.options(parameters)?;
    let files: Vec<Content<'_>> = names
        .iter()
        .zip(&contents)
        .filter(|(file, bytes)| !is_own(Path::new(file), || Ok(&bytes[..])))
        .map(|(file, bytes)| Content { file, bytes })
        .collect();
    let (frames, failed) = work::run(py, Some(threads), None, |watch| {
        let mut failed = Vec::new();
        let watched: Vec<_> = files.iter().map(|file| Watched { file, watch }).collect();
        let (_, frames) = collect(&watched, &options, &list, &mut |outcome| observe(outcome, &mut failed, watch))?;
        Ok((frames, failed))
    })?;
    let tables = list.iter().zip(frames).map(|(table, frame)| DescribedFrame::of_table(table, frame)).collect();
    Analysis::new(py, tables, failed, Vec::new(), None)
}
