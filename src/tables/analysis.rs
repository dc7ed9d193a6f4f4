//! Measures result files and writes their tables: in parallel, in the order of the files.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use polars::prelude::PolarsResult;

use super::by_role;
use super::condition::Condition;
use super::copies::Copies;
use super::figures::{Figures, Runs};
use super::files::{Output, add, encode_rest};
use super::frame::Rows;
use super::inputs_hash::InputsHash;
use super::join::Joined;
use super::keyword_hits::{HitCounts, KeywordHits};
use super::pipeline::in_order;
use super::row_groups::{Encoded, Group, Pending};
use super::rule_calls::{RuleCalls, RuleCounts, Verdicts};
use crate::billing::{Bill, BillTotal, Line, Prices, result_lines};
use crate::catalog::Region;
use crate::error::Result;
use crate::metrics::catalogue::{CALLS, EVENTS, PARTICIPANTS, TURNS, Table, Use, WINDOWS};
use crate::metrics::{Measured, Settings, Wanted, Warning, measure_wanted};
use crate::rules::Rules;
use crate::transcript::{Code, Input, ParseError, SourceFormat, Transcript, read_as};

/// Most files of a batch, the unit of parallel work.
pub(super) const BATCH_FILES: usize = 16;

/// A batch ends with the file that brings it to this many bytes.
const BATCH_BYTES: u64 = 4 << 20;

/// Bytes of files whose rows are in memory at once, per thread. A larger file is measured while no other is.
const BYTES_PER_THREAD: u64 = 4 << 20;

/// What a file counts beside its bytes.
const FILE_BYTES: u64 = 4 << 10;

/// A read buffer larger than this is freed instead of being reused for the next file.
const MAX_REUSED_BUFFER: usize = 4 << 20;

/// Options of an analysis: default settings, list prices, no ledgers.
///
/// ```
/// use talkmeter::metrics::Settings;
/// use talkmeter::tables::Options;
/// let mut settings = Settings::default();
/// settings.parameters.dead_air_ms = 5000;
/// let options = Options::default().settings(settings);
/// assert!(options.origins.is_empty());
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// How to measure.
    pub settings: Settings,
    /// Rules for the tables `rules` and `hits`.
    pub rules: Option<Rules>,
    /// Prices for the table `costs`.
    pub prices: Prices,
    /// The user's own columns, with roles by file, which take precedence over those of the settings.
    pub joined: Option<Arc<Joined>>,
    /// Which calls the analysis is about; the others are left out of everything.
    pub condition: Option<Condition>,
    /// Model and region from ledgers, by result file or its folder; they take precedence over those of the settings.
    pub origins: HashMap<PathBuf, (String, Option<Region>)>,
    /// Whether [`Analysis::inputs_hash`] is wanted: a twelfth of the time for a few columns.
    pub hash_inputs: bool,
}

impl Default for Options {
    /// Default settings, no rules, list prices, no ledgers, a hash.
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            rules: None,
            prices: Prices::builtin(),
            joined: None,
            condition: None,
            origins: HashMap::new(),
            hash_inputs: true,
        }
    }
}

impl Options {
    /// Sets how to measure.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Sets the rules for the tables `rules` and `hits`.
    #[must_use]
    pub fn rules(mut self, rules: Option<Rules>) -> Self {
        self.rules = rules;
        self
    }

    /// Sets the prices for the table `costs`.
    #[must_use]
    pub fn prices(mut self, prices: Prices) -> Self {
        self.prices = prices;
        self
    }

    /// Sets the user's own columns.
    #[must_use]
    pub fn joined(mut self, joined: Option<Arc<Joined>>) -> Self {
        self.joined = joined;
        self
    }

    /// Sets which calls the analysis is about.
    #[must_use]
    pub fn condition(mut self, condition: Option<Condition>) -> Self {
        self.condition = condition;
        self
    }

    /// Sets model and region of result files, as [`origins`](Options::origins) holds them.
    #[must_use]
    pub fn origins(mut self, origins: HashMap<PathBuf, (String, Option<Region>)>) -> Self {
        self.origins = origins;
        self
    }

    /// Sets whether the hash of the result files is wanted.
    #[must_use]
    pub fn hash_inputs(mut self, hash_inputs: bool) -> Self {
        self.hash_inputs = hash_inputs;
        self
    }

    /// Measures the file at `path`, with its own roles, and model and region where a ledger knows them, and what the rules find.
    pub(crate) fn measure<'t>(
        &self,
        file: &str,
        path: &Path,
        transcript: &'t Transcript<'t>,
        wanted: Wanted,
    ) -> Measured<'t> {
        let own = self.joined.as_ref().and_then(|joined| joined.roles(file, transcript.file_url.as_deref()));
        let roles = own.map_or(Cow::Borrowed(&self.settings.roles), |own| Cow::Owned(own.or(&self.settings.roles)));
        let mut measured = measure_wanted(file, transcript, &self.settings, &roles, wanted);
        self.complete(path, &mut measured);
        measured
    }

    fn complete(&self, path: &Path, measured: &mut Measured<'_>) {
        let of_folder = || path.parent().and_then(|folder| self.origins.get(folder));
        if let Some((model, region)) = self.origins.get(path).or_else(of_folder) {
            measured.set_origin(model, *region);
        }
        if let Some(rules) = &self.rules {
            rules.apply(measured);
        }
    }
}

/// The outcome of one file.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// Measured, perhaps with warnings.
    Measured(Vec<Warning>),
    /// Measured, but the condition does not hold for it.
    LeftOut,
    /// It could not be opened or read.
    Unreadable(std::io::Error),
    /// It is not a result file.
    ParseError(ParseError),
}

/// Something to measure: a result file on disk, or one in memory.
pub trait ResultFile: Sync {
    /// Its name in the tables.
    fn file(&self) -> &str;

    /// Its path, by which a ledger may know it; for one in memory its name.
    fn path(&self) -> &Path;

    /// The format that the user named; `None` = told by its structure.
    fn format(&self) -> Option<SourceFormat> {
        None
    }

    /// Its length in bytes, as far as is known.
    fn size(&self) -> u64;

    /// Its content, which `buffer` may hold.
    ///
    /// # Errors
    /// When it cannot be opened or read.
    fn bytes<'b>(&'b self, buffer: &'b mut Vec<u8>) -> std::io::Result<&'b [u8]>;
}

impl ResultFile for Input {
    fn file(&self) -> &str {
        self.file()
    }

    fn path(&self) -> &Path {
        &self.path
    }

    fn format(&self) -> Option<SourceFormat> {
        self.format
    }

    fn size(&self) -> u64 {
        self.size()
    }

    fn bytes<'b>(&'b self, buffer: &'b mut Vec<u8>) -> std::io::Result<&'b [u8]> {
        self.read_into(buffer)?;
        Ok(buffer)
    }
}

/// A file and its outcome.
#[derive(Debug)]
#[non_exhaustive]
pub struct FileOutcome {
    /// Its name in the tables.
    pub file: String,
    /// Its path.
    pub path: PathBuf,
    /// Its length in bytes; 0 if it could not be read.
    pub bytes: u64,
    /// Its outcome.
    pub outcome: Outcome,
}

/// The summary of an analysis, with a few numbers per call.
#[derive(Debug)]
#[non_exhaustive]
pub struct Analysis {
    /// How the calls were measured; `None` for stored tables that do not say.
    pub settings: Option<Settings>,
    /// One row per measured call: `file`, `file_url`, `channel_count`, those with [`Use::Ranked`], `reason`,
    /// `source_format`.
    pub calls: Figures,
    /// One row per participant: `file`, `participant`, `role`, those with [`Use::Spread`], [`Use::ByRole`] or a strip,
    /// `reason`.
    pub participants: Figures,
    /// Cost by model, region and price.
    pub bill: Vec<BillTotal>,
    /// Hits by keyword; `None` without keywords.
    pub hits: Option<Vec<KeywordHits>>,
    /// Calls by rule; `None` without rules.
    pub rules: Option<Vec<RuleCalls>>,
    /// What became of each rule in each of `calls`; empty without rules.
    pub(crate) verdicts: Verdicts,
    /// Tables that were not written, of those that a stored analysis is read from.
    pub missing_tables: Vec<&'static str>,
    /// Recordings with several files; `None` if there are none.
    pub copies: Option<Copies>,
    /// Calls that the condition leaves out.
    pub left_out: LeftOut,
    /// Number of measured files.
    pub measured: u64,
    /// Measured files without speech.
    pub without_speech: u64,
    /// Files that could not be read or are not result files.
    pub failed: u64,
    /// Bytes read.
    pub bytes: u64,
    /// For each warning code in order: files and count.
    pub warnings: Vec<(Code, u64, u64)>,
    /// Labels of [`Settings::roles`] that occur in some file.
    pub labels: BTreeSet<String>,
    /// [`InputsHash`] of the result files that were read, left out or not; empty without [`Options::hash_inputs`], and for
    /// stored tables that do not say.
    pub inputs_hash: String,
    /// Whether it is known how many files failed, and how many bytes were read.
    pub(crate) knows_inputs: bool,
}

/// Calls that a condition leaves out.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct LeftOut {
    /// Their number.
    pub calls: u64,
    /// Their rows of the metadata.
    pub(super) rows: HashSet<usize>,
}

impl LeftOut {
    fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.rows.extend(other.rows);
    }

    /// Whether the metadata knows none of them.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.rows.is_empty()
    }
}

impl Analysis {
    /// Whether keywords were searched for: then their hits are not null.
    pub(crate) fn has_keywords(&self) -> bool {
        match &self.settings {
            Some(settings) => settings.keywords.is_some(),
            None => self.calls.column("keyword_hit_count").is_ok_and(|hits| hits.null_count() < hits.len()),
        }
    }

    /// Names of the measured calls, in order.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        self.calls.texts("file").map(|files| files.iter().flatten().map(str::to_owned).collect()).unwrap_or_default()
    }
}

/// Reads, measures and writes. `observe` is called for each file, in the order of `files`.
///
/// # Errors
/// When a table cannot be written. A file that cannot be measured is not an error: it is passed to `observe`.
pub fn analyze(
    files: &[Input],
    options: &Options,
    output: Option<&mut Output>,
    observe: &mut (dyn FnMut(FileOutcome) + Send),
) -> Result<Analysis> {
    let (pending, mut sinks) = output.map(Output::parts).unzip();
    let write = |(table, rows)| sinks.as_mut().map_or(Ok(()), |sinks| sinks.write(table, rows));
    let mut observe = |outcome| {
        observe(outcome);
        Ok(())
    };
    measure_all(files, options, pending.unwrap_or_default(), write, &mut observe)
}

/// Adds the rows of all files to tables, and passes them to `write` in row groups, in order.
pub(super) fn measure_all<F: ResultFile>(
    files: &[F],
    options: &Options,
    pending: &mut [Pending],
    mut write: impl FnMut((usize, Vec<PolarsResult<Encoded>>)) -> Result<()> + Send,
    observe: &mut (dyn FnMut(FileOutcome) -> Result<()> + Send),
) -> Result<Analysis> {
    let tables: Vec<_> = pending.iter().map(|pending| pending.table).collect();
    let encode = |group: Group| (group.table, group.encode());
    let kept = SummaryRows::new();
    let mut collected = Collector {
        calls: Runs::new(kept.calls),
        participants: Runs::new(kept.participants),
        counts: kept.counts,
        settings: &options.settings,
        rules: options.rules.as_ref(),
        pending,
        observe,
        inputs_hash: options.hash_inputs.then(InputsHash::default),
        left_out: LeftOut::default(),
        measured: 0,
        without_speech: 0,
        failed: 0,
        bytes: 0,
        warnings: BTreeMap::new(),
        labels: BTreeSet::new(),
    };
    let measure = |files: &[F], buffer: &mut Vec<u8>| Batch::measure(files, options, &tables, buffer);
    if let Some((all, _)) = (Batches { files }).next().filter(|(batch, _)| batch.len() == files.len()) {
        // Threads take longer to start than one batch to measure.
        let groups = collected.take(measure(all, &mut Vec::new()))?;
        groups.into_iter().map(encode).try_for_each(&mut write)?;
    } else {
        let most = BYTES_PER_THREAD * rayon::current_num_threads() as u64;
        let gather = |batch| collected.take(batch);
        in_order(Batches { files }, most, Vec::new, measure, gather, encode, &mut write)?;
    }
    // Before anything is made of all calls, so that these rows are not in memory beside it.
    encode_rest(collected.pending).into_iter().try_for_each(write)?;
    collected.finish()
}

/// Cuts the files into batches, each with its bytes.
struct Batches<'f, F> {
    files: &'f [F],
}

impl<'f, F: ResultFile> Iterator for Batches<'f, F> {
    type Item = (&'f [F], u64);

    fn next(&mut self) -> Option<Self::Item> {
        let (mut count, mut bytes) = (0, 0);
        while count < BATCH_FILES
            && bytes < BATCH_BYTES
            && let Some(input) = self.files.get(count)
        {
            bytes += input.size() + FILE_BYTES;
            count += 1;
        }
        let (batch, rest) = self.files.split_at_checked(count).filter(|_| count > 0)?;
        self.files = rest;
        Some((batch, bytes))
    }
}

/// Some measured files: rows for the tables and the summary.
struct Batch {
    rows: Vec<Rows>,
    summary: SummaryRows,
    outcomes: Vec<(FileOutcome, Option<blake3::Hash>)>,
    labels: BTreeSet<String>,
    left_out: LeftOut,
}

impl Batch {
    fn new(tables: &[&'static Table]) -> Self {
        Self {
            rows: tables.iter().map(|table| Rows::new(table)).collect(),
            summary: SummaryRows::new(),
            outcomes: Vec::new(),
            labels: BTreeSet::new(),
            left_out: LeftOut::default(),
        }
    }

    fn measure<F: ResultFile>(
        files: &[F],
        options: &Options,
        tables: &[&'static Table],
        buffer: &mut Vec<u8>,
    ) -> Result<Self> {
        let mut batch = Self::new(tables);
        let Some(condition) = &options.condition else {
            for (at, input) in files.iter().enumerate() {
                if at == 1 {
                    batch.rows.iter_mut().for_each(|rows| rows.reserve(files.len() - 1));
                }
                batch.read(input, options, None, buffer);
            }
            return Ok(batch);
        };
        // Each call apart, until the condition is decided for all of them.
        let mut decided = condition.rows();
        let mut calls = Vec::with_capacity(files.len());
        for input in files {
            let before = decided.count;
            let mut call = Self::new(tables);
            call.read(input, options, Some(&mut decided), buffer);
            calls.push((call, decided.count > before));
        }
        let joined = options.joined.as_deref();
        let keys = decided.texts("file").into_iter().zip(decided.texts("file_url"));
        let row = |(file, url): (Option<&str>, _)| joined.and_then(|joined| joined.row(file?, url));
        let rows: Vec<Option<usize>> = keys.map(row).collect();
        let mut holds = condition.holds(decided.into_frame()?, joined)?.into_iter().zip(rows);
        for (mut call, is_measured) in calls {
            if is_measured && let Some((false, row)) = holds.next() {
                call = call.without_call(tables);
                call.left_out.rows.extend(row);
            }
            batch.append(call);
        }
        Ok(batch)
    }

    /// What remains of a call that is left out.
    fn without_call(self, tables: &[&'static Table]) -> Self {
        let left_out = |(outcome, hash): (FileOutcome, _)| (FileOutcome { outcome: Outcome::LeftOut, ..outcome }, hash);
        let outcomes: Vec<_> = self.outcomes.into_iter().map(left_out).collect();
        let calls = outcomes.len() as u64;
        Self { outcomes, left_out: LeftOut { calls, ..LeftOut::default() }, ..Self::new(tables) }
    }

    fn append(&mut self, other: Self) {
        self.rows.iter_mut().zip(other.rows).for_each(|(rows, other)| rows.append(vec![other]));
        self.summary.append(other.summary);
        self.outcomes.extend(other.outcomes);
        self.labels.extend(other.labels);
        self.left_out.add(other.left_out);
    }

    fn read(&mut self, input: &impl ResultFile, options: &Options, decided: Option<&mut Rows>, buffer: &mut Vec<u8>) {
        let (bytes, outcome, hash) = match input.bytes(buffer) {
            Ok(bytes) => {
                let (outcome, hash) = self.add(input, bytes, options, decided);
                (bytes.len() as u64, outcome, hash)
            }
            Err(error) => (0, Outcome::Unreadable(error), None),
        };
        let (file, path) = (input.file().to_owned(), input.path().to_owned());
        self.outcomes.push((FileOutcome { file, path, bytes, outcome }, hash));
        if buffer.capacity() > MAX_REUSED_BUFFER {
            *buffer = Vec::new();
        }
    }

    fn add(
        &mut self,
        input: &impl ResultFile,
        bytes: &[u8],
        options: &Options,
        decided: Option<&mut Rows>,
    ) -> (Outcome, Option<blake3::Hash>) {
        let transcript = match read_as(input.format(), input.path(), bytes) {
            Ok(transcript) => transcript,
            Err(error) => return (Outcome::ParseError(error), None),
        };
        let wants = |table: &Table| self.rows.iter().any(|rows| std::ptr::eq(rows.table, table));
        let wanted = Wanted { turns: wants(&TURNS), event_texts: wants(&EVENTS), windows: wants(&WINDOWS) };
        let measured = options.measure(input.file(), input.path(), &transcript, wanted);
        let lines = result_lines(&measured, &options.prices);
        for rows in &mut self.rows {
            rows.add(&measured, &lines);
        }
        self.summary.add(&measured, &lines);
        if let Some(decided) = decided {
            decided.add(&measured, &lines);
        }
        for (label, _) in options.settings.roles.iter() {
            // Used to report roles for participants that do not exist.
            if measured.has_label(label) {
                self.labels.insert(label.to_owned());
            }
        }
        (Outcome::Measured(measured.warnings), options.hash_inputs.then(|| blake3::hash(bytes)))
    }
}

impl Analysis {
    /// Whether a call is a result of the service, not another recogniser's.
    #[cfg(feature = "cli")]
    pub(crate) fn has_results_of_service(&self) -> bool {
        let formats = self.calls.texts("source_format");
        let own = SourceFormat::ModelStudio.name();
        formats.is_ok_and(|formats| formats.iter().any(|format| format.is_none_or(|format| format == own)))
    }
}

/// What is kept of each call.
struct SummaryRows {
    calls: Rows,
    participants: Rows,
    counts: Counts,
}

/// What is counted over the calls.
#[derive(Default)]
struct Counts {
    bill: Bill,
    hits: HitCounts,
    rules: RuleCounts,
}

/// Columns kept of every call: keys, and those that calls are ranked by.
pub(super) fn columns_of_calls() -> Vec<&'static str> {
    let ranked = CALLS.columns_for(Use::Ranked);
    ["file", "file_url", "channel_count", "reason", "source_format"]
        .into_iter()
        .chain(ranked.into_iter().map(|column| column.name))
        .collect()
}

/// Columns kept of every participant: keys, and those whose distribution is shown or that `calls_by_role` has.
pub(super) fn columns_of_participants() -> Vec<&'static str> {
    let shown = [Use::Spread, Use::Strip, Use::StripOfFirst].map(|wanted| PARTICIPANTS.columns_for(wanted));
    let mut columns = vec!["file", "participant", "role", "reason"];
    columns.extend(shown.into_iter().flatten().map(|column| column.name).chain(by_role::columns()));
    super::distinct(&columns)
}

impl SummaryRows {
    fn new() -> Self {
        let (calls, participants) = (columns_of_calls(), columns_of_participants());
        Self {
            calls: Rows::with_columns(&CALLS, |name| calls.contains(&name)),
            participants: Rows::with_columns(&PARTICIPANTS, |name| participants.contains(&name)),
            counts: Counts::default(),
        }
    }

    fn add(&mut self, measured: &Measured<'_>, lines: &[Line]) {
        let name = |participant| measured.role(participant).unwrap_or_else(|| measured.label(participant));
        let hits = measured.hits.iter().filter_map(|hit| Some((&*hit.rule, name(hit.participant?))));
        self.counts.hits.add(place(self.calls.count), hits);
        self.counts.bill.add(lines);
        self.counts.rules.add(&measured.rules);
        self.calls.add(measured, lines);
        self.participants.add(measured, lines);
    }

    fn append(&mut self, other: Self) {
        self.counts.append(other.counts, self.calls.count);
        self.calls.append(vec![other.calls]);
        self.participants.append(vec![other.participants]);
    }
}

impl Counts {
    /// Appends those of further calls, behind this many.
    fn append(&mut self, other: Self, calls: usize) {
        self.bill.append(other.bill);
        self.hits.append(other.hits, place(calls));
        self.rules.append(other.rules);
    }
}

/// The place of the call behind this many.
fn place(calls: usize) -> u32 {
    u32::try_from(calls).unwrap_or(u32::MAX)
}

/// Collects batches in order.
struct Collector<'a> {
    calls: Runs,
    participants: Runs,
    counts: Counts,
    settings: &'a Settings,
    rules: Option<&'a Rules>,
    pending: &'a mut [Pending],
    observe: &'a mut (dyn FnMut(FileOutcome) -> Result<()> + Send),
    inputs_hash: Option<InputsHash>,
    left_out: LeftOut,
    measured: u64,
    without_speech: u64,
    failed: u64,
    bytes: u64,
    warnings: BTreeMap<Code, (u64, u64)>,
    labels: BTreeSet<String>,
}

impl Collector<'_> {
    /// Returns the row groups that are full.
    fn take(&mut self, batch: Result<Batch>) -> Result<Vec<Group>> {
        let batch = batch?;
        for (outcome, hash) in batch.outcomes {
            self.count(&outcome);
            if let (Some(hash), Some(sum)) = (hash, &mut self.inputs_hash) {
                sum.add_hashed(&outcome.file, &hash);
            }
            (self.observe)(outcome)?;
        }
        let SummaryRows { calls, participants, counts } = batch.summary;
        self.counts.append(counts, self.calls.count());
        self.calls.append(calls);
        self.participants.append(participants);
        self.labels.extend(batch.labels);
        self.left_out.add(batch.left_out);
        Ok(add(self.pending, batch.rows))
    }

    fn count(&mut self, outcome: &FileOutcome) {
        self.bytes += outcome.bytes;
        let warnings = match &outcome.outcome {
            Outcome::Measured(warnings) => warnings,
            Outcome::LeftOut => return,
            Outcome::Unreadable(_) | Outcome::ParseError(_) => {
                self.failed += 1;
                return;
            }
        };
        self.measured += 1;
        for warning in warnings.iter().filter(|warning| warning.code.is_tabled()) {
            self.without_speech += u64::from(warning.code == Code::NothingToMeasure);
            let (files, count) = self.warnings.entry(warning.code).or_default();
            *files += 1;
            *count += warning.count;
        }
    }

    fn finish(self) -> Result<Analysis> {
        let Counts { bill, hits, rules } = self.counts;
        let rules = self.rules.map(|list| rules.into_list(list)).unzip();
        let calls = self.calls.into_figures()?;
        Ok(Analysis {
            settings: Some(self.settings.clone()),
            missing_tables: Vec::new(),
            copies: Copies::find(&calls),
            calls,
            participants: self.participants.into_figures()?,
            bill: bill.into_totals(),
            rules: rules.0,
            verdicts: rules.1.unwrap_or_default(),
            hits: self.settings.keywords.as_ref().map(|keywords| hits.into_list(keywords.lines())),
            left_out: self.left_out,
            measured: self.measured,
            without_speech: self.without_speech,
            failed: self.failed,
            bytes: self.bytes,
            warnings: self.warnings.into_iter().map(|(code, (files, count))| (code, files, count)).collect(),
            labels: self.labels,
            knows_inputs: true,
            inputs_hash: self.inputs_hash.map(|hash| hash.to_string()).unwrap_or_default(),
        })
    }
}
