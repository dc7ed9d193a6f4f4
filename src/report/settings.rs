//! The settings behind the figures, and what is read back from a `report.json`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Groups, Inputs, totals};
use crate::error::{Error, Result};
use crate::metrics::keywords::Keywords;
use crate::metrics::{DEFINITIONS_VERSION, Parameters, Preset, Roles, Settings};
use crate::named_file::{self, FileKind};
use crate::tables::{Analysis, Figures, InputsHash, RuleCalls, ShardManifest, Shards, Stored};
use crate::text::Markers;
use crate::transcript::REPORT_FORMAT;

/// The settings behind the figures, as written to `report.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReportSettings {
    /// Settings that every figure may depend on; each is null if they are unknown.
    #[serde(flatten, with = "or_nulls")]
    pub figures: Option<FigureSettings>,
    /// Participant labels and their roles; null if unknown.
    pub roles: Option<BTreeMap<String, String>>,
    /// Keywords as given, with exclusions; null without keywords, and if unknown.
    pub keywords: Option<Vec<String>>,
    /// The model that made the transcripts; null if not given.
    pub model: Option<String>,
    /// The region it ran in; null if not given.
    pub region: Option<String>,
    /// The condition that the calls meet, in SQL; left out if all calls are in.
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

/// Settings that every figure may depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FigureSettings {
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
}

/// Members of an object that are all null if the settings are unknown.
mod or_nulls {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::{Map, Value};

    use super::{FigureSettings, Parameters};

    /// A member that no version left out.
    const ALWAYS: &str = "window_ms";

    pub(super) fn serialize<S: Serializer>(settings: &Option<FigureSettings>, to: S) -> Result<S::Ok, S::Error> {
        let Some(settings) = settings else {
            let thresholds = Parameters::LIST.iter().map(|parameter| parameter.name);
            let names = ["definition"].into_iter().chain(thresholds).chain([ALWAYS, "keep_markers"]);
            return to.collect_map(names.map(|name| (name, ())));
        };
        settings.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(object: D) -> Result<Option<FigureSettings>, D::Error> {
        let members = Map::deserialize(object)?;
        if members.get(ALWAYS).is_some_and(Value::is_null) {
            return Ok(None);
        }
        FigureSettings::deserialize(Value::Object(members)).map(Some).map_err(D::Error::custom)
    }
}

impl ReportSettings {
    /// The settings of an analysis, to be written; without any they are unknown.
    #[must_use]
    pub fn new(settings: Option<&Settings>) -> Self {
        let roles = |settings: &Settings| {
            settings.roles.iter().map(|(label, role)| (label.to_owned(), role.to_owned())).collect()
        };
        let keywords = settings.and_then(|settings| settings.keywords.as_ref());
        Self {
            figures: settings.map(|settings| FigureSettings {
                definition: settings.preset,
                thresholds: settings.parameters,
                window_ms: settings.window_ms,
                keep_markers: settings.markers == Markers::Keep,
            }),
            roles: settings.map(roles),
            keywords: keywords.map(|keywords| keywords.lines().to_vec()),
            model: settings.and_then(|settings| settings.model.clone()),
            region: settings.and_then(|settings| settings.region).map(|region| region.name().to_owned()),
            condition: None,
        }
    }

    /// How markers in texts are shown: as they are, where it is unknown whether they count as words.
    #[must_use]
    pub fn markers(&self) -> Markers {
        if self.figures.as_ref().is_none_or(|figures| figures.keep_markers) { Markers::Keep } else { Markers::Drop }
    }

    /// That the settings are unknown, and what is left out for it, in words without a full stop.
    pub(super) fn unknown(&self) -> Option<&'static str> {
        let unknown = "Parameters unknown: the tables do not record them, so unusual silences are not listed";
        self.figures.is_none().then_some(unknown)
    }

    /// The settings as the analysis had them; `None` if they are unknown.
    fn restore(&self) -> Result<Option<Settings>> {
        let Some(figures) = &self.figures else { return Ok(None) };
        let keywords = self.keywords.as_ref().map(Keywords::new).transpose();
        let mut roles = Roles::default();
        for (label, role) in self.roles.iter().flatten() {
            roles.insert(label, role)?;
        }
        Ok(Some(Settings {
            preset: figures.definition,
            parameters: figures.thresholds,
            roles,
            keywords: keywords.map_err(|error| Error::invalid(format!("report.json: {error}")))?,
            window_ms: figures.window_ms,
            markers: self.markers(),
            model: self.model.clone(),
            region: self.region.as_deref().and_then(|region| region.parse().ok()),
        }))
    }

    /// The first parameter that differs: figures measured with different parameters cannot be compared. Model and region
    /// do not count, since only the cost depends on them, and it names them.
    fn difference(&self, other: &Self) -> Option<String> {
        // What is unknown of one cannot be told apart from the other.
        let (one, two) = self.figures.as_ref().zip(other.figures.as_ref())?;
        one.difference(two).or_else(|| {
            let lists = [("roles", self.roles == other.roles), ("keywords", self.keywords == other.keywords)];
            lists.into_iter().find(|(_, are_same)| !are_same).map(|(name, _)| name.to_owned())
        })
    }
}

impl FigureSettings {
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
        ];
        threshold.chain(rest.into_iter().flatten()).next()
    }
}

/// The parts of a `report.json` that no table contains.
#[derive(Debug, Clone, Deserialize)]
#[non_exhaustive]
pub struct Recorded {
    format: String,
    definitions_version: Option<u32>,
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
    /// Whether some tables have no `report.json` that knows their settings.
    #[serde(skip)]
    is_partial: bool,
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
        let mut recorded: Self = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if recorded.format != REPORT_FORMAT {
            return Err(wrong(format!("the format is {:?}", recorded.format)));
        }
        if let Some(theirs) = recorded.definitions_version.filter(|version| *version != DEFINITIONS_VERSION) {
            let ours = DEFINITIONS_VERSION;
            return Err(Error::invalid(format!(
                "{}: measured by version {theirs} of the definitions, but this talkmeter has version {ours}; analyse again",
                path.display()
            )));
        }
        recorded.is_partial = recorded.parameters.figures.is_none();
        Ok(recorded)
    }

    /// Tables without a `report.json`, as other engines write them: nothing is known but the settings, if somebody says them.
    #[must_use]
    pub fn without_report(settings: Option<&Settings>) -> Self {
        let inputs =
            Inputs { measured: 0, without_speech: 0, failed: None, sources: Vec::new(), bytes: None, hash: None };
        Self {
            format: REPORT_FORMAT.to_owned(),
            definitions_version: None,
            title: None,
            inputs,
            parameters: ReportSettings::new(settings),
            totals: Vec::new(),
            rules: None,
            rollup: None,
            is_partial: true,
        }
    }

    /// What all shards of an analysis record. Title and roll-up are those of the `report.json` at `path`, if it is theirs.
    ///
    /// # Errors
    /// When a manifest does not hold what it should.
    pub fn of_shards(shards: &Shards, path: &Path) -> Result<Self> {
        let parameters: serde_json::Result<ReportSettings> =
            serde_json::from_value(shards.common("parameters").clone());
        let parameters = parameters.map_err(|error| Error::invalid(format!("parameters of the shards: {error}")))?;
        let mut recorded = Self::without_report(None);
        let (mut inputs_hash, mut bytes) = (InputsHash::default(), 0);
        let mut failed = shards.common("excluded").as_u64().unwrap_or_default();
        for ShardManifest { summary, .. } in shards.manifests() {
            inputs_hash.add(summary.hash.parse()?);
            recorded.inputs.measured += summary.measured;
            recorded.inputs.without_speech += summary.without_speech;
            failed += summary.failed.len() as u64;
            bytes += summary.bytes;
            match (&mut recorded.rules, &summary.rules) {
                (Some(rules), Some(more)) => rules.iter_mut().zip(more).for_each(|(sum, other)| sum.add(other)),
                (rules, more) => rules.clone_from(more),
            }
        }
        recorded.inputs.failed = Some(failed);
        recorded.inputs.bytes = Some(bytes);
        recorded.inputs.hash = Some(inputs_hash.to_string());
        recorded.definitions_version = Some(DEFINITIONS_VERSION);
        recorded.parameters = parameters;
        recorded.is_partial = false;
        if let Ok(earlier) = Self::read(path)
            && earlier.inputs.hash == recorded.inputs.hash
            && earlier.parameters == recorded.parameters
        {
            recorded.title = earlier.title;
            recorded.rollup = earlier.rollup;
        }
        Ok(recorded)
    }

    /// Whether an analysis recorded it, in each of several folders.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        !self.is_partial
    }

    /// The summary of the analysis that wrote this report and the tables, of the calls that are kept.
    ///
    /// # Errors
    /// When a table cannot be read, or the settings are invalid.
    pub fn analysis(&self, stored: &Stored) -> Result<Analysis> {
        let mut analysis = stored.analysis(self.parameters.restore()?)?;
        if stored.is_whole() && !self.is_partial {
            analysis.without_speech = self.inputs.without_speech;
        }
        analysis.knows_inputs = self.inputs.failed.is_some();
        analysis.failed = self.inputs.failed.unwrap_or_default();
        analysis.bytes = self.inputs.bytes.unwrap_or_default();
        analysis.inputs_hash = self.inputs.hash.clone().unwrap_or_default();
        let of_table = if self.is_partial { stored.rules()? } else { None };
        let rules = self.rules.as_ref().or(of_table.as_ref());
        analysis.rules = rules.cloned();
        if let Some(rules) = rules.filter(|_| self.is_partial || !stored.is_whole()) {
            // Without the table nothing is known of some of the calls.
            let counted = analysis.verdicts.count(rules);
            analysis.rules = Some(counted).filter(|counted| counted.len() == rules.len());
        }
        // The table `hits` has those of rules too.
        let keywords = self.parameters.keywords.as_deref().unwrap_or_default();
        let is_rule = |id: &String| rules.into_iter().flatten().any(|rule| rule.rule == *id);
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
    pub fn agrees(&self, calls: &Figures) -> Result<()> {
        let totals = totals(calls).map_err(|error| Error::table("cannot read calls", error))?;
        let same = |total: &RecordedTotal| {
            let drawn = totals.iter().find(|drawn| drawn.metric == total.metric);
            drawn.is_none_or(|drawn| (drawn.n, drawn.sum) == (total.n, total.sum))
        };
        let disagrees = |what: &str| {
            let hint = "they are from different runs; analyse again into an empty folder";
            Err(Error::invalid(format!("report.json and the table `calls` beside it disagree in {what}: {hint}")))
        };
        if self.is_partial {
            return Ok(());
        }
        if self.inputs.measured != calls.height() as u64 {
            return disagrees("the number of calls");
        }
        self.totals.iter().find(|total| !same(total)).map_or(Ok(()), |total| disagrees(&total.metric))
    }

    /// Joins the report of another folder with other calls. What one of them does not know is unknown of both.
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
        let sum = |one: Option<u64>, two: Option<u64>| Some(one?.saturating_add(two?));
        self.inputs.failed = sum(self.inputs.failed, other.inputs.failed);
        self.inputs.bytes = sum(self.inputs.bytes, other.inputs.bytes);
        let hashes = self.inputs.hash.zip(other.inputs.hash.as_ref());
        self.inputs.hash = hashes.map(|(one, two)| blake3::hash(format!("{one}{two}").as_bytes()).to_hex().to_string());
        self.is_partial |= other.is_partial;
        if self.parameters.figures.is_none() || other.parameters.figures.is_none() {
            let condition = self.parameters.condition.take();
            self.parameters = ReportSettings { condition, ..ReportSettings::new(None) };
        }
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
