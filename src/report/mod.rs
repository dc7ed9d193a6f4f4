//! What an analysis says as a whole: one serialisable value that terminal, HTML, Markdown and JSON render; none computes.
//!
//! [`Report`] is the summary, the content of `report.json`. [`Page`] is what a page shows beside it: how figures spread,
//! which calls need a look, single calls. Both are drawn from tables, fresh ones or [stored](crate::tables::Stored) ones.

mod call;
mod html;
mod markdown;
pub mod number;
mod page;
mod settings;
mod strip;
#[cfg(feature = "cli")]
mod terminal;

use polars::prelude::*;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use call::{CallView, EventView, EvidenceLine, HitView, Line, LineKind, Mark};
pub use html::{Links, MOST_BYTES_OF_CALLS, call_page, page};
pub use page::{CallRow, LIST_ALL, LISTED_BY_EACH, Page, PageOptions};
pub use settings::{Recorded, ReportSettings};
pub use strip::{Dot, MOST_DOTS, Over, Strip};

use crate::catalog::Currency;
use crate::error::{Error, Result};
use crate::metrics::catalogue::{CALLS, Column, PARTICIPANTS, Table, Unit, Use};
use crate::metrics::{DEFINITIONS_VERSION, Reason};
use crate::tables::{Analysis, BillLine, KeywordHits, Rollup};
use crate::transcript::REPORT_FORMAT;

/// The version of the report's own shape.
pub const SCHEMA_VERSION: u32 = 1;

/// A report. Holds no clock time, no path of this machine and nothing of how the work was done: the same inputs and
/// parameters give the same report.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Names the format, so that a walk over folders can tell it from a result file.
    pub format: &'static str,
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// [`DEFINITIONS_VERSION`].
    pub definitions_version: u32,
    /// Of talkmeter.
    pub version: &'static str,
    /// What was read.
    pub inputs: Inputs,
    /// What the figures depend on.
    pub parameters: ReportSettings,
    /// Sums over calls, each over those in which it could be measured.
    pub totals: Vec<Total>,
    /// How figures of calls are distributed.
    pub calls: Vec<Distribution>,
    /// How figures of participants are distributed.
    pub participants: Vec<Distribution>,
    /// What the transcription came to, by model, region and price; what is not priced stands first.
    pub bill: Vec<BillLine>,
    /// The same by currency.
    pub cost: Vec<CostTotal>,
    /// Hits by keyword, in the order given; null when none was given.
    pub keywords: Option<Vec<KeywordHits>>,
    /// Why figures are null, in the order of the codes.
    pub unmeasured: Vec<Unmeasured>,
    /// What was odd, in the order of the codes.
    pub warnings: Vec<WarningTotal>,
    /// Null where no roll-up was asked for.
    pub rollup: Option<Groups>,
    /// What a page shows beside it; not in `report.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<Page>,
}

/// What came to be paid in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CostTotal {
    /// USD or CNY; null for what is not priced, which is not free.
    pub currency: Option<Currency>,
    /// Transcribed tracks.
    pub tracks: u64,
    /// Begun seconds of their speech, counted for each track.
    pub billed_seconds: i64,
    /// The exact sum; null where nothing is priced.
    pub cost: Option<Decimal>,
}

/// A reason for nulls and how often it holds.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Unmeasured {
    /// As in the columns `reason`.
    pub reason: &'static str,
    /// Calls of which some figure is null for it.
    pub calls: u64,
    /// Participants of which some figure is null for it.
    pub participants: u64,
    /// In words.
    pub meaning: &'static str,
}

/// What was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Inputs {
    /// Files measured.
    pub measured: u64,
    /// Of these, without anything to measure.
    pub without_speech: u64,
    /// Files that could not be read or are no result.
    pub failed: u64,
    /// Bytes read.
    pub bytes: u64,
    /// See [`Analysis::inputs_hash`].
    pub hash: String,
}

/// A sum over calls.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Total {
    /// A column of `calls`.
    pub metric: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// Calls in which it could be measured.
    pub n: u64,
    /// Null when it could be in none.
    pub sum: Option<i64>,
}

/// How one figure is distributed.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Distribution {
    /// A column.
    pub metric: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// How many values there are; the others are null.
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

/// A roll-up.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Groups {
    /// The group columns as they stand in the rows.
    pub by: Vec<String>,
    /// One object a group, in order; keys are the columns of the table `rollup`.
    pub rows: Vec<serde_json::Map<String, serde_json::Value>>,
}

/// One warning code over all files.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct WarningTotal {
    /// As in the table `warnings`.
    pub code: &'static str,
    /// Files that have it.
    pub files: u64,
    /// Its counts added up.
    pub count: u64,
    /// In words.
    pub meaning: &'static str,
}

impl Report {
    /// Draws the report from what an analysis kept.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Table`] when an aggregation fails.
    pub fn build(analysis: &Analysis, parameters: ReportSettings, rollup: Option<Groups>) -> Result<Self> {
        let failed = |error| Error::table("cannot build the report", error);
        Ok(Self {
            format: REPORT_FORMAT,
            schema_version: SCHEMA_VERSION,
            definitions_version: DEFINITIONS_VERSION,
            version: env!("CARGO_PKG_VERSION"),
            inputs: Inputs {
                measured: analysis.measured,
                without_speech: analysis.without_speech,
                failed: analysis.failed,
                bytes: analysis.bytes,
                hash: analysis.inputs_hash.clone(),
            },
            parameters,
            totals: totals(&analysis.calls).map_err(failed)?,
            calls: distributions(&analysis.calls, &CALLS).map_err(failed)?,
            participants: distributions(&analysis.participants, &PARTICIPANTS).map_err(failed)?,
            warnings: analysis
                .warnings
                .iter()
                .map(|&(code, files, count)| WarningTotal { code: code.name(), files, count, meaning: code.meaning() })
                .collect(),
            bill: analysis.bill.clone(),
            cost: cost(&analysis.bill),
            keywords: analysis.hits.clone(),
            unmeasured: unmeasured(analysis).map_err(failed)?,
            rollup,
            page: None,
        })
    }

    /// The content of `report.json`: indented, a line break at the end.
    ///
    /// # Errors
    /// When it cannot be serialised.
    pub fn to_json(&self) -> Result<String> {
        let json = serde_json::to_string_pretty(self);
        Ok(json.map_err(|error| Error::invalid(format!("cannot write the report: {error}")))? + "\n")
    }
}

impl Groups {
    /// A roll-up as the report holds it.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Table`] when the frame cannot be read.
    pub fn of(rollup: &Rollup) -> Result<Self> {
        let rows = rows(&rollup.frame).map_err(|error| Error::table("cannot build the report", error))?;
        Ok(Self { by: rollup.by.clone(), rows })
    }
}

fn cost(bill: &[BillLine]) -> Vec<CostTotal> {
    let mut totals: Vec<CostTotal> = Vec::new();
    for line in bill {
        let place = totals.iter().position(|total| total.currency == line.currency).unwrap_or(totals.len());
        if place == totals.len() {
            let cost = line.currency.map(|_| Decimal::ZERO);
            totals.push(CostTotal { currency: line.currency, tracks: 0, billed_seconds: 0, cost });
        }
        if let Some(total) = totals.get_mut(place) {
            total.tracks += line.tracks;
            total.billed_seconds = total.billed_seconds.saturating_add(line.billed_seconds);
            total.cost = total.cost.zip(line.cost).and_then(|(sum, cost)| sum.checked_add(cost));
        }
    }
    totals
}

/// Counts the codes of the two columns `reason`.
fn unmeasured(analysis: &Analysis) -> PolarsResult<Vec<Unmeasured>> {
    let count = |frame: &DataFrame| {
        let mut counts = vec![0; Reason::ALL.len()];
        for cell in frame.column("reason")?.str()?.iter().flatten() {
            for (count, reason) in counts.iter_mut().zip(Reason::ALL) {
                *count += u64::from(cell.split(';').any(|code| code == reason.name()));
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

fn totals(calls: &DataFrame) -> PolarsResult<Vec<Total>> {
    let columns = CALLS.columns_for(Use::Summed);
    let expressions: Vec<Expr> = columns
        .iter()
        .map(|column| column.name)
        .flat_map(|name| [col(name).sum(), col(name).count().cast(DataType::Int64).alias(format!("{name}_n"))])
        .collect();
    let sums = calls.clone().lazy().select(expressions).collect()?;
    let integer = |name: &str| Ok::<_, PolarsError>(sums.column(name)?.i64()?.get(0));
    let total = |column: &&'static Column| {
        let metric = column.name;
        let n = integer(&format!("{metric}_n"))?.unwrap_or(0);
        let sum = integer(metric)?.filter(|_| n > 0);
        Ok(Total { metric, unit: column.unit, n: n.unsigned_abs(), sum })
    };
    columns.iter().map(total).collect()
}

fn distributions(frame: &DataFrame, table: &'static Table) -> PolarsResult<Vec<Distribution>> {
    let quantile =
        |name: &'static str, q: f64| col(name).cast(DataType::Float64).quantile(lit(q), QuantileMethod::Linear);
    let distribution = |column: &'static Column| {
        let metric = column.name;
        let figures = [("min", 0.0), ("p10", 0.1), ("p50", 0.5), ("p90", 0.9), ("max", 1.0)];
        let mut expressions: Vec<Expr> = figures.iter().map(|&(name, q)| quantile(metric, q).alias(name)).collect();
        expressions.push(col(metric).count().cast(DataType::Int64).alias("n"));
        let row = frame.clone().lazy().select(expressions).collect()?;
        let whole = column.unit.is_ms();
        let figure = |name: &str| {
            let value = row.column(name)?.f64()?.get(0);
            Ok::<_, PolarsError>(value.map(|value| if whole { value.round_ties_even() } else { value }))
        };
        Ok(Distribution {
            metric,
            unit: column.unit,
            n: row.column("n")?.i64()?.get(0).unwrap_or(0).unsigned_abs(),
            min: figure("min")?,
            p10: figure("p10")?,
            p50: figure("p50")?,
            p90: figure("p90")?,
            max: figure("max")?,
        })
    };
    table.columns_for(Use::Spread).into_iter().map(distribution).collect()
}

/// A frame as objects.
fn rows(frame: &DataFrame) -> PolarsResult<Vec<serde_json::Map<String, serde_json::Value>>> {
    let mut json = Vec::new();
    JsonWriter::new(&mut json).with_json_format(JsonFormat::Json).finish(&mut frame.clone())?;
    serde_json::from_slice(&json).map_err(|error| polars_err!(ComputeError: "{error}"))
}
