//! The report of an analysis: one serialisable value that is rendered as text, HTML, Markdown or JSON.
//!
//! [`Report`] is the summary, the content of `report.json`. [`Page`] adds what a page shows: distributions, a list of calls,
//! single calls. Both are built from an [`Analysis`], fresh or [stored](crate::tables::Stored); rendering computes nothing.
//!
//! ```no_run
//! use talkmeter::report::{self, Links, Page, PageOptions, Report};
//! use talkmeter::tables::{CallSource, Options, analyze};
//! use talkmeter::transcript::Inputs;
//!
//! let inputs = Inputs::find(&["results"], None);
//! let options = Options::default();
//! let analysis = analyze(&inputs.files, &options, None, &mut |outcome| eprintln!("{}", outcome.file))?;
//! let report = Report::build(&analysis, None)?;
//! let calls = CallSource::Results { files: &inputs.files, options: &options };
//! let page = Page::build(&analysis, calls, &PageOptions::default(), None, None)?;
//! std::fs::write("report.html", report::page(&report, &page, &Links::default())?)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod attention;
mod call;
mod comparison;
mod dates;
mod groups;
mod html;
mod index;
mod markdown;
pub mod number;
mod page;
mod quantile;
mod ranking;
mod rates;
mod roles;
mod sensitivity;
mod settings;
mod strip;
mod summary;
#[cfg(feature = "cli")]
mod terminal;
#[cfg(feature = "cli")]
mod text_table;
mod values;

use polars::prelude::*;
use serde::{Deserialize, Serialize};

pub use attention::{CallAttention, Cause, GroupAttention, Place};
pub use call::{CallView, EventView, EvidenceLine, HitView, LaneSource, Line, LineKind, Mark, RuleView};
pub use comparison::comparison_summary;
pub use dates::DateRange;
pub use groups::{GroupRow, Groups};
pub use html::{Links, call_page, call_page_files, page};
pub use page::{CallRow, Page, PageOptions};
pub use ranking::{Ranking, Trend};
pub use rates::{CallSet, Rate};
pub use roles::{RoleFigure, RoleSummary};
pub use sensitivity::sensitivity_summary;
pub use settings::{FigureSettings, Recorded, ReportSettings};
pub use strip::{Dot, Strip, StripScope};
pub use summary::{Summary, SummaryBlock, SummaryCell, SummaryTable};
#[cfg(feature = "cli")]
pub use text_table::{TextTable, hanging, wrapped};

use crate::billing::{BillTotal, CurrencyTotal};
use crate::error::{Error, Result};
use crate::metrics::catalogue::{CALLS, Column, PARTICIPANTS, Table, Unit, Use};
use crate::metrics::{DEFINITIONS_VERSION, Reason};
use crate::tables::{Analysis, Copies, Figures, KeywordHits, RuleCalls};
use crate::transcript::{REPORT_FORMAT, SourceFormat};

/// The version of the report's own shape.
pub const SCHEMA_VERSION: u32 = 1;

/// A report. It contains no clock time and no path: the same inputs and parameters give the same report.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The name of the format, which tells the file from a result file.
    pub format: &'static str,
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// [`DEFINITIONS_VERSION`]; null if unknown, as for tables without a record of their analysis.
    pub definitions_version: Option<u32>,
    /// The version of talkmeter.
    pub version: &'static str,
    /// What the report is called; null if that was not said.
    pub title: Option<String>,
    /// What was read.
    pub inputs: Inputs,
    /// Recordings with several files, which sums count more than once; null if there are none.
    pub copies: Option<Copies>,
    /// The settings behind the figures.
    pub parameters: ReportSettings,
    /// Sums over the calls in which the figure could be measured.
    pub totals: Vec<Total>,
    /// Distributions of figures of calls.
    pub calls: Vec<Distribution>,
    /// Distributions of figures of participants. Without `talk_share` where no call has more than two: theirs add up to 1.
    pub participants: Vec<Distribution>,
    /// Figures of each role; null without roles.
    pub roles: Option<Vec<RoleSummary>>,
    /// Cost by model, region and price; lines without a price come first.
    pub bill: Vec<BillTotal>,
    /// Cost by currency.
    pub cost: Vec<CurrencyTotal>,
    /// Hits by keyword, in the order given; null without keywords.
    pub keywords: Option<Vec<KeywordHits>>,
    /// Calls by rule, in the order of their file; null without rules.
    pub rules: Option<Vec<RuleCalls>>,
    /// Why figures are null, in the order of the codes.
    pub unmeasured: Vec<Unmeasured>,
    /// Warnings, in the order of the codes.
    pub warnings: Vec<WarningTotal>,
    /// Null without a roll-up.
    pub rollup: Option<Groups>,
    /// Tables that were not written; not in `report.json`.
    #[serde(skip)]
    pub missing_tables: Vec<&'static str>,
    /// The calls that need a look, those that need it most first; not in `report.json`.
    #[serde(skip)]
    pub attention: Vec<CallAttention>,
    /// What a page shows besides; not written to `report.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<Page>,
}

/// A reason for nulls and how often it applies.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Unmeasured {
    /// The code, as in the columns `reason`.
    pub reason: &'static str,
    /// Calls with a null for this reason.
    pub calls: u64,
    /// Participants with a null for this reason.
    pub participants: u64,
    /// The reason in words.
    pub meaning: &'static str,
}

/// What was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Inputs {
    /// Number of measured files.
    pub measured: u64,
    /// Measured files without speech.
    pub without_speech: u64,
    /// Files that could not be read or are not result files; null if unknown.
    pub failed: Option<u64>,
    /// Calls by `source_format`, most calls first; empty in reports of earlier versions.
    #[serde(default)]
    pub sources: Vec<SourceCount>,
    /// Bytes read; null if unknown.
    pub bytes: Option<u64>,
    /// See [`Analysis::inputs_hash`]; null if unknown.
    pub hash: Option<String>,
}

impl Inputs {
    /// `whisper 12, model_studio 3`; `None` where all are results of the service.
    pub(crate) fn other_sources(&self) -> Option<String> {
        let own = SourceFormat::ModelStudio.name();
        let counts =
            self.sources.iter().map(|source| format!("{} {}", source.format, number::count(source.calls as i64)));
        self.sources.iter().any(|source| source.format != own).then(|| counts.collect::<Vec<_>>().join(", "))
    }
}

/// Calls whose transcripts have one form.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SourceCount {
    /// `source_format` in the table `calls`.
    pub format: String,
    /// Number of calls.
    pub calls: u64,
}

/// A sum over calls.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Total {
    /// A column of `calls`.
    pub metric: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// Number of calls in which it could be measured.
    pub n: u64,
    /// Null if it could not be measured in any.
    pub sum: Option<i64>,
}

/// The distribution of one figure.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Distribution {
    /// A column.
    pub metric: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// Number of values; the others are null.
    pub n: u64,
    /// The smallest.
    pub min: Option<f64>,
    /// 10th percentile, by linear interpolation.
    pub p10: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
}

/// One warning code over all files.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct WarningTotal {
    /// The code, as in the table `warnings`.
    pub code: &'static str,
    /// Number of files with this warning.
    pub files: u64,
    /// Sum of its counts.
    pub count: u64,
    /// The warning in words.
    pub meaning: &'static str,
}

impl Report {
    /// Builds the report of an analysis.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Table`] when an aggregation fails.
    pub fn build(analysis: &Analysis, rollup: Option<Groups>) -> Result<Self> {
        let failed = |error| Error::table("cannot build the report", error);
        let is_known = analysis.knows_inputs;
        Ok(Self {
            format: REPORT_FORMAT,
            schema_version: SCHEMA_VERSION,
            definitions_version: is_known.then_some(DEFINITIONS_VERSION),
            version: env!("CARGO_PKG_VERSION"),
            title: None,
            inputs: Inputs {
                measured: analysis.measured,
                without_speech: analysis.without_speech,
                failed: is_known.then_some(analysis.failed),
                sources: sources(&analysis.calls).map_err(failed)?,
                bytes: is_known.then_some(analysis.bytes),
                hash: Some(analysis.inputs_hash.clone()).filter(|hash| !hash.is_empty()),
            },
            copies: analysis.copies.clone(),
            parameters: ReportSettings::new(analysis.settings.as_ref()),
            totals: totals(&analysis.calls).map_err(failed)?,
            calls: distributions(&analysis.calls, &CALLS).map_err(failed)?,
            participants: of_participants(analysis).map_err(failed)?,
            roles: roles::summaries(analysis)?,
            warnings: analysis
                .warnings
                .iter()
                .map(|&(code, files, count)| WarningTotal { code: code.name(), files, count, meaning: code.meaning() })
                .collect(),
            bill: analysis.bill.clone(),
            cost: CurrencyTotal::from_totals(&analysis.bill),
            keywords: analysis.hits.clone(),
            rules: analysis.rules.clone(),
            unmeasured: unmeasured(analysis).map_err(failed)?,
            rollup,
            missing_tables: analysis.missing_tables.clone(),
            attention: attention::calls(analysis)?,
            page: None,
        })
    }

    /// Whether keywords were searched for: then their hits are not null.
    fn has_keyword_hits(&self) -> bool {
        let is_measured = |total: &Total| total.metric == "keyword_hit_count" && total.n > 0;
        self.parameters.keywords.is_some() || self.totals.iter().any(is_measured)
    }

    /// The content of `report.json`: indented, with a final line break.
    ///
    /// # Errors
    /// When it cannot be serialised.
    pub fn to_json(&self) -> Result<String> {
        let json = serde_json::to_string_pretty(self);
        Ok(json.map_err(|error| Error::invalid(format!("cannot write the report: {error}")))? + "\n")
    }
}

/// Counts the codes in both columns `reason`.
fn unmeasured(analysis: &Analysis) -> PolarsResult<Vec<Unmeasured>> {
    let count = |figures: &Figures| {
        let mut counts = vec![0; Reason::ALL.len()];
        for part in figures.parts("reason") {
            for cell in part?.str()?.iter().flatten() {
                for (count, reason) in counts.iter_mut().zip(Reason::ALL) {
                    *count += u64::from(cell.split(';').any(|code| code == reason.name()));
                }
            }
        }
        Ok::<_, PolarsError>(counts)
    };
    let (calls, participants) = (count(&analysis.calls)?, count(&analysis.participants)?);
    let rows = Reason::ALL.iter().zip(calls.into_iter().zip(participants)).map(|(reason, (calls, participants))| {
        Unmeasured { reason: reason.name(), calls, participants, meaning: reason.meaning() }
    });
    Ok(rows.filter(|row| row.calls + row.participants > 0).collect())
}

/// Calls by the form of their transcripts.
fn sources(calls: &Figures) -> PolarsResult<Vec<SourceCount>> {
    let mut sources: Vec<SourceCount> = Vec::new();
    for part in calls.parts("source_format") {
        for format in part?.str()?.iter().flatten() {
            match sources.iter_mut().find(|source| source.format == format) {
                Some(source) => source.calls += 1,
                None => sources.push(SourceCount { format: format.to_owned(), calls: 1 }),
            }
        }
    }
    sources.sort_unstable_by(|one, two| one.format.cmp(&two.format));
    sources.sort_by_key(|source| std::cmp::Reverse(source.calls));
    Ok(sources)
}

// Columns are summed and spread one by one: for a few rows the lazy engine takes longer than everything else together.

fn totals(calls: &Figures) -> PolarsResult<Vec<Total>> {
    let total = |column: &'static Column| {
        let mut total = Total { metric: column.name, unit: column.unit, n: 0, sum: None };
        for part in calls.parts(column.name) {
            let part = part?;
            let values = part.i64()?;
            let measured = (values.len() - values.null_count()) as u64;
            let sum = values.sum().filter(|_| measured > 0);
            total.n += measured;
            total.sum = [total.sum, sum].into_iter().flatten().reduce(i64::wrapping_add);
        }
        Ok(total)
    };
    CALLS.columns_for(Use::Summed).into_iter().map(total).collect()
}

/// Shares of talk say nothing over the participants of calls of two: their median is 50 % by construction.
fn of_participants(analysis: &Analysis) -> PolarsResult<Vec<Distribution>> {
    let mut figures = distributions(&analysis.participants, &PARTICIPANTS)?;
    if !has_third(&analysis.participants)? {
        figures.retain(|figure| figure.metric != "talk_share");
    }
    Ok(figures)
}

/// Whether some call has a third participant.
fn has_third(participants: &Figures) -> PolarsResult<bool> {
    let (mut call, mut count) = (None, 0);
    for part in participants.parts("file") {
        for file in part?.str()?.iter() {
            if file != call.as_deref() {
                (call, count) = (file.map(str::to_owned), 0);
            }
            count += 1;
            if count > 2 {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn distributions(figures: &Figures, table: &'static Table) -> PolarsResult<Vec<Distribution>> {
    let distribution = |column: &'static Column| {
        let values = quantile::sorted(figures.parts(column.name), figures.height())?;
        let figure = |q| quantile::quantile(&values, q, column.unit);
        Ok(Distribution {
            metric: column.name,
            unit: column.unit,
            n: values.len() as u64,
            min: figure(0.0),
            p10: figure(0.1),
            p50: figure(0.5),
            p90: figure(0.9),
            max: figure(1.0),
        })
    };
    table.columns_for(Use::Spread).into_iter().map(distribution).collect()
}
