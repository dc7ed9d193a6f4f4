//! What the figures depend on, and what a `report.json` says of itself.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Groups, Inputs, Report};
use crate::error::{Error, Result};
use crate::metrics::{DEFINITIONS_VERSION, Parameters, Settings};
use crate::text::Markers;
use crate::transcript::REPORT_FORMAT;

/// The settings behind the figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReportSettings {
    /// Thresholds.
    #[serde(flatten)]
    pub thresholds: Parameters,
    /// Length of a window in ms.
    pub window_ms: i64,
    /// Whether markers such as `[PII]` count as words.
    pub keep_markers: bool,
    /// Participant labels and their roles.
    pub roles: std::collections::BTreeMap<String, String>,
    /// Keywords as given, exclusions too; null when none were.
    pub keywords: Option<Vec<String>>,
    /// The model that made the transcripts; null when not said.
    pub model: Option<String>,
    /// The region it ran in; null when not said.
    pub region: Option<String>,
}

impl ReportSettings {
    /// Those of an analysis.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self {
            thresholds: settings.parameters,
            window_ms: settings.window_ms,
            keep_markers: settings.markers == Markers::Keep,
            roles: settings.roles.iter().map(|(label, role)| (label.to_owned(), role.to_owned())).collect(),
            keywords: settings.keywords.as_ref().map(|keywords| keywords.lines().to_vec()),
            model: settings.model.clone(),
            region: settings.region.clone(),
        }
    }

    /// The first parameter in which two differ; figures made with different ones do not compare. Model and region are
    /// none: they change no figure but the cost, which names them.
    fn difference(&self, other: &Self) -> Option<String> {
        let thresholds = self.thresholds.values().zip(other.thresholds.values());
        let threshold = thresholds
            .filter(|((_, one), (_, two))| one != two)
            .map(|((name, one), (_, two))| format!("{name} {one} and {two}"));
        let rest = [
            (self.window_ms != other.window_ms)
                .then(|| format!("window_ms {} and {}", self.window_ms, other.window_ms)),
            (self.keep_markers != other.keep_markers).then(|| "keep_markers".to_owned()),
            (self.roles != other.roles).then(|| "roles".to_owned()),
            (self.keywords != other.keywords).then(|| "keywords".to_owned()),
        ];
        threshold.chain(rest.into_iter().flatten()).next()
    }
}

/// What a `report.json` says that stands in no table.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct Recorded {
    format: String,
    definitions_version: u32,
    /// What was read.
    pub inputs: Inputs,
    /// What the figures depend on.
    pub parameters: ReportSettings,
    totals: Vec<RecordedTotal>,
    /// Null where no roll-up was asked for.
    pub rollup: Option<Groups>,
}

/// A [`Total`](super::Total) as recorded.
#[derive(Debug, Clone, Deserialize)]
struct RecordedTotal {
    metric: String,
    n: u64,
    sum: Option<i64>,
}

impl Recorded {
    /// Reads a `report.json` of [`Report::to_json`](super::Report::to_json).
    ///
    /// # Errors
    /// When it cannot be read, is none, or is of other definitions than this version's.
    pub fn read(path: &Path) -> Result<Self> {
        let kind = std::fs::metadata(path).map_err(|error| Error::io("read", path, error))?;
        if !kind.is_file() {
            return Err(Error::invalid(format!("{} is no file", path.display())));
        }
        let bytes = std::fs::read(path).map_err(|error| Error::io("read", path, error))?;
        let wrong = |why: String| Error::invalid(format!("{} is no report.json of talkmeter: {why}", path.display()));
        let recorded: Self = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if recorded.format != REPORT_FORMAT {
            return Err(wrong(format!("its format is {:?}", recorded.format)));
        }
        if recorded.definitions_version != DEFINITIONS_VERSION {
            let (theirs, ours) = (recorded.definitions_version, DEFINITIONS_VERSION);
            return Err(Error::invalid(format!(
                "{}: its figures are of version {theirs} of the definitions, this talkmeter has version {ours}; analyse again",
                path.display()
            )));
        }
        Ok(recorded)
    }

    /// Whether a report drawn from the tables beside it comes to the same sums.
    ///
    /// # Errors
    /// When it does not: the tables, or some of them, are another run's.
    pub fn agrees(&self, report: &Report) -> Result<()> {
        let same = |total: &RecordedTotal| {
            let drawn = report.totals.iter().find(|drawn| drawn.metric == total.metric);
            drawn.is_none_or(|drawn| (drawn.n, drawn.sum) == (total.n, total.sum))
        };
        let disagrees = |what: &str| {
            let hint = "they are of different runs; analyse again into an empty folder";
            Err(Error::invalid(format!("report.json and the table `calls` beside it disagree in {what}: {hint}")))
        };
        if self.inputs.measured != report.inputs.measured {
            return disagrees("the number of calls");
        }
        self.totals.iter().find(|total| !same(total)).map_or(Ok(()), |total| disagrees(&total.metric))
    }

    /// Adds what another folder says, of calls that are another folder's.
    ///
    /// # Errors
    /// When the two were measured differently; names the first difference.
    pub fn join(mut self, other: &Self, path: &Path) -> Result<Self> {
        if let Some(difference) = self.parameters.difference(&other.parameters) {
            return Err(Error::invalid(format!(
                "{}: measured with other parameters than the folder before it ({difference}); analyse them alike",
                path.display()
            )));
        }
        self.inputs.measured += other.inputs.measured;
        self.inputs.without_speech += other.inputs.without_speech;
        self.inputs.failed += other.inputs.failed;
        self.inputs.bytes += other.inputs.bytes;
        let both = format!("{}{}", self.inputs.hash, other.inputs.hash);
        self.inputs.hash = blake3::hash(both.as_bytes()).to_hex().to_string();
        if self.parameters.model != other.parameters.model {
            self.parameters.model = None;
        }
        if self.parameters.region != other.parameters.region {
            self.parameters.region = None;
        }
        for total in &mut self.totals {
            let Some(other) = other.totals.iter().find(|other| other.metric == total.metric) else { continue };
            total.n += other.n;
            total.sum = total.sum.map_or(other.sum, |sum| Some(sum.saturating_add(other.sum.unwrap_or(0))));
        }
        // Medians of groups cannot be added.
        self.rollup = None;
        Ok(self)
    }
}
