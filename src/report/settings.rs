//! The settings behind the figures, and what is read back from a `report.json`.

use std::path::Path;

use polars::prelude::DataFrame;
use serde::{Deserialize, Serialize};

use super::{Groups, Inputs, totals};
use crate::error::{Error, Result};
use crate::metrics::keywords::Keywords;
use crate::metrics::{DEFINITIONS_VERSION, Parameters, Preset, Roles, Settings};
use crate::named_file::{self, FileKind};
use crate::tables::{Analysis, RuleCalls, Stored};
use crate::text::Markers;
use crate::transcript::REPORT_FORMAT;

/// The settings behind the figures, as written to `report.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReportSettings {
    /// How overlap onsets were classified.
    #[serde(default)]
    pub definition: Preset,
    /// Thresholds.
    #[serde(flatten)]
    pub thresholds: Parameters,
    /// Length of a window in ms.
    pub window_ms: i64,
    /// Whether markers such as `[PII]` count as words.
    pub keep_markers: bool,
    /// Participant labels and their roles.
    pub roles: std::collections::BTreeMap<String, String>,
    /// Keywords as given, with exclusions; null without keywords.
    pub keywords: Option<Vec<String>>,
    /// The model that made the transcripts; null if not given.
    pub model: Option<String>,
    /// The region it ran in; null if not given.
    pub region: Option<String>,
    /// The condition that the calls meet, in SQL; left out if all calls are in.
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

impl ReportSettings {
    /// The settings of an analysis, to be written.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self {
            definition: settings.preset,
            thresholds: settings.parameters,
            window_ms: settings.window_ms,
            keep_markers: settings.markers == Markers::Keep,
            roles: settings.roles.iter().map(|(label, role)| (label.to_owned(), role.to_owned())).collect(),
            keywords: settings.keywords.as_ref().map(|keywords| keywords.lines().to_vec()),
            model: settings.model.clone(),
            region: settings.region.map(|region| region.name().to_owned()),
            condition: None,
        }
    }

    /// How markers in the texts were treated.
    #[must_use]
    pub fn markers(&self) -> Markers {
        if self.keep_markers { Markers::Keep } else { Markers::Drop }
    }

    /// The settings as the analysis had them.
    fn restore(&self) -> Result<Settings> {
        let keywords = self.keywords.as_ref().map(Keywords::new).transpose();
        let mut roles = Roles::default();
        for (label, role) in &self.roles {
            roles.insert(label, role)?;
        }
        Ok(Settings {
            preset: self.definition,
            parameters: self.thresholds,
            roles,
            keywords: keywords.map_err(|error| Error::invalid(format!("report.json: {error}")))?,
            window_ms: self.window_ms,
            markers: self.markers(),
            model: self.model.clone(),
            region: self.region.as_deref().and_then(|region| region.parse().ok()),
        })
    }

    /// The first parameter that differs: figures measured with different parameters cannot be compared. Model and region
    /// do not count, since only the cost depends on them, and it names them.
    fn difference(&self, other: &Self) -> Option<String> {
        let thresholds = self.thresholds.values().zip(other.thresholds.values());
        let threshold = thresholds
            .filter(|((_, one), (_, two))| one != two)
            .map(|((name, one), (_, two))| format!("{name} {one} and {two}"));
        let rest = [
            (self.window_ms != other.window_ms)
                .then(|| format!("window_ms {} and {}", self.window_ms, other.window_ms)),
            (self.definition != other.definition)
                .then(|| format!("definition {} and {}", self.definition, other.definition)),
            (self.keep_markers != other.keep_markers).then(|| "keep_markers".to_owned()),
            (self.roles != other.roles).then(|| "roles".to_owned()),
            (self.keywords != other.keywords).then(|| "keywords".to_owned()),
        ];
        threshold.chain(rest.into_iter().flatten()).next()
    }
}

/// The parts of a `report.json` that no table contains.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct Recorded {
    format: String,
    definitions_version: u32,
    /// What the report is called.
    #[serde(default)]
    pub title: Option<String>,
    /// What was read.
    pub inputs: Inputs,
    /// What the figures depend on.
    pub parameters: ReportSettings,
    totals: Vec<RecordedTotal>,
    #[serde(default)]
    rules: Option<Vec<RuleCalls>>,
    /// Null without a roll-up.
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
    /// Reads a file written by [`Report::to_json`](super::Report::to_json).
    ///
    /// # Errors
    /// When it cannot be read, is not a report, or uses another version of the definitions.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = named_file::read(path, FileKind::Report)?;
        let wrong =
            |why: String| Error::invalid(format!("{} is not a report.json of talkmeter: {why}", path.display()));
        let recorded: Self = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if recorded.format != REPORT_FORMAT {
            return Err(wrong(format!("the format is {:?}", recorded.format)));
        }
        if recorded.definitions_version != DEFINITIONS_VERSION {
            let (theirs, ours) = (recorded.definitions_version, DEFINITIONS_VERSION);
            return Err(Error::invalid(format!(
                "{}: measured by version {theirs} of the definitions, but this talkmeter has version {ours}; analyse again",
                path.display()
            )));
        }
        Ok(recorded)
    }

    /// The summary of the analysis that wrote this report and the tables, of the calls that are kept.
    ///
    /// # Errors
    /// When a table cannot be read, or the settings are invalid.
    pub fn analysis(&self, stored: &Stored) -> Result<Analysis> {
        let mut analysis = stored.analysis(self.parameters.restore()?)?;
        if stored.is_whole() {
            analysis.without_speech = self.inputs.without_speech;
        }
        analysis.failed = self.inputs.failed;
        analysis.bytes = self.inputs.bytes;
        analysis.inputs_hash.clone_from(&self.inputs.hash);
        analysis.rules.clone_from(&self.rules);
        if let Some(rules) = self.rules.as_ref().filter(|_| !stored.is_whole()) {
            // Without the table nothing is known of some of the calls.
            let counted = analysis.verdicts.count(rules);
            analysis.rules = Some(counted).filter(|counted| counted.len() == rules.len());
        }
        // The table `hits` has those of rules too.
        let keywords = self.parameters.keywords.as_deref().unwrap_or_default();
        let is_rule = |id: &String| self.rules.iter().flatten().any(|rule| rule.rule == *id);
        if let Some(hits) = &mut analysis.hits {
            hits.retain(|hits| keywords.contains(&hits.rule) || !is_rule(&hits.rule));
        }
        Ok(analysis)
    }

    /// Checks that the calls in the tables beside it have the same totals. They are those of
    /// [`Stored::figures_of_calls`] before any is left out.
    ///
    /// # Errors
    /// When it has not: some of the tables are from another run.
    pub fn agrees(&self, calls: &DataFrame) -> Result<()> {
        let totals = totals(calls).map_err(|error| Error::table("cannot read calls", error))?;
        let same = |total: &RecordedTotal| {
            let drawn = totals.iter().find(|drawn| drawn.metric == total.metric);
            drawn.is_none_or(|drawn| (drawn.n, drawn.sum) == (total.n, total.sum))
        };
        let disagrees = |what: &str| {
            let hint = "they are from different runs; analyse again into an empty folder";
            Err(Error::invalid(format!("report.json and the table `calls` beside it disagree in {what}: {hint}")))
        };
        if self.inputs.measured != calls.height() as u64 {
            return disagrees("the number of calls");
        }
        self.totals.iter().find(|total| !same(total)).map_or(Ok(()), |total| disagrees(&total.metric))
    }

    /// Joins the report of another folder with other calls.
    ///
    /// # Errors
    /// When the two were measured with different parameters; names the first difference.
    pub fn join(mut self, other: &Self, path: &Path) -> Result<Self> {
        if let Some(difference) = self.parameters.difference(&other.parameters) {
            return Err(Error::invalid(format!(
                "{}: measured with other parameters than the previous folder ({difference})",
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
        if self.parameters.condition != other.parameters.condition {
            let both =
                [&self.parameters.condition, &other.parameters.condition].map(|one| one.as_deref().unwrap_or("true"));
            self.parameters.condition = Some(both.join("; "));
        }
        for total in &mut self.totals {
            let Some(other) = other.totals.iter().find(|other| other.metric == total.metric) else { continue };
            total.n += other.n;
            total.sum = total.sum.map_or(other.sum, |sum| Some(sum.saturating_add(other.sum.unwrap_or(0))));
        }
        self.rules = match (self.rules, &other.rules) {
            (Some(mut rules), Some(others))
                if rules.iter().map(|rule| &rule.rule).eq(others.iter().map(|rule| &rule.rule)) =>
            {
                rules.iter_mut().zip(others).for_each(|(sum, other)| sum.add(other));
                Some(rules)
            }
            // Other rules in each folder are no sum.
            _ => None,
        };
        if self.title != other.title {
            self.title = None;
        }
        // Medians of groups cannot be combined.
        self.rollup = None;
        Ok(self)
    }
}
