//! `analyze`: result files → tables, metrics, report.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::civil::Date;

use super::Exit;
use super::advice;
use super::audio::Audio;
use super::condition::{ConditionFlag, report_left_out};
use super::inputs::Paths;
use super::metadata::{MetadataFlags, ledgers_of, recordings, report_unmatched};
use super::order::OrderFlags;
use super::output::{Console, Failure, Format};
use super::page::PageFlags;
use super::prices::{PriceFlags, warn_if_old_for};
use super::report_files::ReportFiles;
use super::rules;
use super::settings::SettingsFlags;
use super::shards::{ShardFlag, ShardJob};
use super::stores::Destination;
use super::summary;
use crate::billing::Prices;
use crate::metrics::catalogue::{TABLES, Table};
use crate::metrics::{Roles, Settings};
use crate::report::number::{bytes, counted};
use crate::report::{Groups, Report, ReportSettings};
use crate::rules::Rules;
use crate::tables::{
    self, Analysis, CallSource, FileOutcome, GroupKey, Metadata, MetadataMatch, Options, Outcome, Output, Rollup,
    ShardSummary, shard_terms,
};
use crate::transcript::{Code, Inputs};

const EXAMPLES: &str = "\
Examples:
  talkmeter analyze examples/calls
  talkmeter analyze may -o out --role ch0=agent,ch1=customer --keyword refund
  talkmeter analyze results -o out --tables parquet,xlsx
  talkmeter analyze s3://calls/2026/05 -o s3://figures/2026/05
  talkmeter analyze may -o out --group-by queue
  talkmeter analyze results -o out --meta calls.csv --group-by agent,queue
  talkmeter analyze results --meta calls.csv --group-by agent --format csv
  talkmeter analyze may --group-by agent --sort dead_air_ms_per_call --top 5
  talkmeter analyze may --where \"started >= '2026-05-25'\"
  talkmeter analyze may --group-by started:week --time-format '%d.%m.%Y %H:%M'
  talkmeter analyze may -o out --shard 3/20";

/// Arguments of `analyze`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    paths: Paths,
    /// Write tables, report.html and report.json to this folder, or s3:// prefix [default: print a summary only]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Table formats: parquet, csv, jsonl, xlsx (one workbook)
    #[arg(long, value_name = "FORMATS", value_delimiter = ',', default_value = "parquet")]
    tables: Vec<tables::Format>,
    /// Start CSV files with a byte order mark, so that Excel reads them as UTF-8
    #[arg(long)]
    csv_bom: bool,
    /// Write only these tables; also `rollup`, and `report` for report.html and report.json
    #[arg(long, value_name = "TABLES", value_delimiter = ',', value_parser = only)]
    only: Option<Vec<String>>,
    #[command(flatten)]
    metadata: MetadataFlags,
    /// Add a roll-up by these columns of --meta or of the transcribed list; a time is cut by `:hour`, `:day`, `:week`,
    /// `:month` or `:weekday`
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    group_by: Vec<String>,
    /// Format of times, in strptime notation [default: ISO 8601]
    #[arg(long, value_name = "FORMAT", requires = "group_by")]
    time_format: Option<String>,
    #[command(flatten)]
    condition: ConditionFlag,
    #[command(flatten)]
    order: OrderFlags,
    /// Number of threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    #[command(flatten)]
    settings: SettingsFlags,
    /// Evaluate these rules in every call: adds the table `rules`, and evidence to `hits`
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    #[command(flatten)]
    prices: PriceFlags,
    #[command(flatten)]
    page: PageFlags,
    #[command(flatten)]
    shard: ShardFlag,
}

/// Names that `--tables` accepts.
pub(super) const TABLE_FORMATS: [&str; 4] = ["parquet", "csv", "jsonl", "xlsx"];

/// Names that `--only` accepts besides those of tables.
pub(super) const BESIDE_TABLES: [&str; 3] = ["calls_by_role", "rollup", "report"];

fn only(name: &str) -> Result<String, String> {
    let known = || TABLES.iter().map(|table| table.name).chain(BESIDE_TABLES);
    let choices = || format!("choose from {}", known().collect::<Vec<_>>().join(", "));
    known().find(|known| *known == name).map(str::to_owned).ok_or_else(choices)
}

/// The formats with CSV behind a byte order mark if `--csv-bom` is given.
fn with_mark(formats: Vec<tables::Format>, csv_bom: bool) -> Vec<tables::Format> {
    let marked = |format| if format == tables::Format::Csv && csv_bom { tables::Format::CsvWithMark } else { format };
    formats.into_iter().map(marked).collect()
}

/// Runs `analyze`.
pub(super) fn run(args: Args, today: Date, format: Format, console: &Console) -> Result<Exit, Failure> {
    if let Some(threads) = args.threads {
        // Fails only if the pool was already built, which it was not.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads.into()).build_global();
    }
    let metadata = args.metadata.read()?;
    // A wrong name is reported before anything is read.
    let time_format = args.time_format.as_deref();
    metadata.as_ref().map(|metadata| metadata.resolve(&args.group_by, time_format)).transpose()?;
    let settings = args.settings.settings(console)?;
    let rules = args.rules.as_deref().map(|path| rules::read(path, console)).transpose()?;
    let prices = args.prices.prices(None, console)?;
    let shard = args.shard.job(args.only.as_deref(), args.rules.as_deref())?;
    let destination = args.output.map(|folder| Destination::new(folder, console)).transpose()?;
    if shard.is_none()
        && let Some(store) = destination.as_ref().filter(|to| to.has_shards())
    {
        let why = "its tables are in shards, which one analysis cannot replace: write to another prefix";
        return Err(Failure::Usage(format!("{}: {why}", store.given().display())));
    }
    if args.csv_bom && !args.tables.contains(&tables::Format::Csv) {
        console.note("--csv-bom is for --tables csv: no CSV file is written");
    }
    let inputs = args.paths.find(destination.as_ref().map(Destination::given), console)?;
    let job = AnalyzeJob {
        inputs,
        destination,
        tables: with_mark(args.tables, args.csv_bom),
        only: args.only,
        metadata,
        group_by: args.group_by,
        time_format: args.time_format,
        condition: args.condition,
        order: args.order,
        settings,
        rules,
        prices,
        page: args.page,
        prints_report: format == Format::Json,
        shard,
    };
    if let Some(shard) = job.shard.clone() {
        return job.measure(today, console)?.finish_shard(shard, console);
    }
    let Some(done) = job.run(today, console)? else { return Ok(Exit::Failed) };
    summary::print(&done.report, format, console)?;
    Ok(if done.failed > 0 { Exit::Partly } else { Exit::Done })
}

/// An analysis to run: inputs, settings, outputs.
#[derive(Debug)]
pub(super) struct AnalyzeJob {
    pub(super) inputs: Inputs,
    /// Where tables and reports go; `None` builds the summary only.
    pub(super) destination: Option<Destination>,
    pub(super) tables: Vec<tables::Format>,
    /// Names of tables, `rollup`, `report`; `None` writes all of them.
    pub(super) only: Option<Vec<String>>,
    /// `None` = the columns of the list that was transcribed.
    pub(super) metadata: Option<Metadata>,
    pub(super) group_by: Vec<String>,
    pub(super) time_format: Option<String>,
    pub(super) condition: ConditionFlag,
    pub(super) order: OrderFlags,
    pub(super) settings: Settings,
    pub(super) rules: Option<Rules>,
    pub(super) prices: Prices,
    /// What the page shows of single calls.
    pub(super) page: PageFlags,
    /// Whether the report is printed whole: it has a hash of the inputs.
    pub(super) prints_report: bool,
    /// Which part of the files is measured; `None` = all of them.
    pub(super) shard: Option<ShardJob>,
}

/// The outcome of an analysis.
#[derive(Debug)]
pub(super) struct AnalyzeResult {
    pub(super) report: Report,
    /// Files that could not be measured.
    pub(super) failed: u64,
}

impl AnalyzeJob {
    /// Measures, writes the files, reports warnings. `None`: nothing could be measured (already reported).
    pub(super) fn run(self, today: Date, console: &Console) -> Result<Option<AnalyzeResult>, Failure> {
        self.measure(today, console)?.report(console)
    }

    /// Measures the files, or those of the shard, and writes rows to files that have no names yet.
    fn measure(self, today: Date, console: &Console) -> Result<MeasuredJob, Failure> {
        let started = std::time::Instant::now();
        let Self { inputs, destination, tables: formats, only, metadata, group_by, settings, rules, prices, .. } = self;
        let (order, page, shard) = (self.order, self.page, self.shard);
        let wanted = |name: &str| only.as_ref().is_none_or(|only| only.iter().any(|only| only == name));
        let tables: Vec<&'static Table> = TABLES.into_iter().filter(|table| wanted(table.name)).collect();
        let create = |to: &Destination| match &shard {
            Some(job) => Output::create_shard(to.local(), &formats, &tables, job.shard),
            None => Output::create(to.local(), &formats, &tables),
        };
        let mut output = destination.as_ref().map(create).transpose()?;
        let audio = destination.as_ref().map(|to| page.audio(to.given())).transpose()?.flatten();
        let ledgers = ledgers_of(&inputs, console);
        let (recordings, of_list) = recordings(&ledgers, &inputs);
        let is_given = metadata.is_some();
        let metadata = metadata.or(of_list);
        let group_by = match &metadata {
            Some(metadata) => metadata.resolve(&group_by, self.time_format.as_deref())?,
            None if group_by.is_empty() => Vec::new(),
            None => {
                let why = "--group-by needs columns: those of --meta FILE, or of the list that was transcribed";
                return Err(Failure::Usage(why.to_owned()));
            }
        };
        order.check_name(&group_by)?;
        // Of all files, so that every shard joins by the same column.
        let files = inputs.files.iter().map(|input| input.file());
        let notes = metadata.as_ref().map_or_else(Vec::new, |metadata| metadata.notes().to_vec());
        let joined = metadata.map(|metadata| metadata.join(files, recordings)).transpose()?.map(Arc::new);
        if let Some(joined) = &joined {
            output = output.map(|output| output.with_columns(joined)).transpose()?;
        }
        let condition = self.condition.read(joined.as_deref())?;
        let options = Options::default()
            .condition(condition)
            .settings(settings)
            .rules(rules)
            .prices(prices)
            .joined(joined)
            .origins(ledgers.origins())
            .hash_inputs(self.prints_report || destination.is_some() && (wanted("report") || shard.is_some()));
        let asked = options.settings.model.as_deref().zip(options.settings.region);
        let ledgers = options.origins.values().map(|(model, region)| (&model[..], *region));
        let used = ledgers.filter_map(|(model, region)| Some((model, region?))).chain(asked);
        warn_if_old_for(&options.prices, used, today, console);

        let files = shard.as_ref().map_or(&inputs.files[..], |job| job.shard.of(&inputs.files));
        let bar = console.progress(files.len());
        let mut progress = AnalyzeProgress { console, bar: &bar, named: BTreeMap::new(), refusals: Vec::new() };
        let analysis = tables::analyze(files, &options, output.as_mut(), &mut |outcome| progress.record(&outcome))?;
        bar.finish_and_clear();
        progress.note_further();
        let refusals = progress.refusals;
        if console.verbose() {
            let seconds = started.elapsed().as_secs_f64();
            let bytes = bytes(analysis.bytes);
            console.say(&format!("{bytes} in {seconds:.2} s, {:.0} files/s", files.len() as f64 / seconds));
        }
        Ok(MeasuredJob {
            inputs,
            destination,
            only,
            notes,
            is_given,
            group_by,
            order,
            page,
            audio,
            options,
            analysis,
            output,
            refusals,
            started,
        })
    }
}

/// An analysis whose rows are written.
struct MeasuredJob {
    inputs: Inputs,
    destination: Option<Destination>,
    only: Option<Vec<String>>,
    /// What to know about the metadata.
    notes: Vec<String>,
    /// Whether the metadata is a file that was given.
    is_given: bool,
    group_by: Vec<GroupKey>,
    order: OrderFlags,
    page: PageFlags,
    audio: Option<Audio>,
    options: Options,
    analysis: Analysis,
    output: Option<Output>,
    /// A line for each file that could not be measured.
    refusals: Vec<String>,
    started: std::time::Instant,
}

impl MeasuredJob {
    fn is_wanted(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.iter().any(|only| only == name))
    }

    /// Writes what is made of all calls, and gives the files their names.
    fn report(mut self, console: &Console) -> Result<Option<AnalyzeResult>, Failure> {
        let (joined, group_by) = (self.options.joined.clone(), std::mem::take(&mut self.group_by));
        self.analysis.failed += self.inputs.excluded.len() as u64;
        let (output, analysis, order) = (self.output.take(), &self.analysis, &self.order);
        let failed = analysis.failed;
        if !report_left_out(analysis.left_out.calls, analysis.measured, console) {
            return Ok(None);
        }
        if analysis.measured == 0 {
            console.error(if failed == 0 { "no result file found" } else { "no file could be measured" });
            return Ok(None);
        }
        unused_roles(&self.options.settings.roles, &analysis.labels, console);
        let codes = analysis.warnings.iter().map(|(code, ..)| *code).collect();
        advice::for_findings(&codes, analysis).for_each(|hint| console.note(&format!("hint: {hint}")));
        let mut rollup = joined.as_ref().map(|joined| Rollup::new(analysis, joined, &group_by)).transpose()?;
        if let (Some(rollup), Some(joined)) = (&rollup, &joined)
            && (self.is_given || !group_by.is_empty())
            && !report_unmatched(rollup, &self.notes, joined, analysis, console)
        {
            return Ok(None);
        }
        rollup = rollup.filter(|_| !group_by.is_empty());
        order.check(rollup.as_ref())?;
        if let Some(rollup) = &mut rollup {
            order.apply(rollup)?;
        }
        let groups = rollup.as_ref().map(|rollup| Groups::new(rollup, order.order(), order.top())).transpose()?;
        let mut report = Report::build(analysis, groups)?;
        report.parameters.condition = self.options.condition.as_ref().map(|condition| condition.text().to_owned());
        report.title = self.page.title();
        if let (Some(output), Some(to)) = (output, &self.destination) {
            let files = ReportFiles {
                to,
                report: &report,
                analysis,
                joined: joined.as_deref(),
                rollup: rollup.as_ref(),
                calls: CallSource::Results { files: &self.inputs.files, options: &self.options },
                page: &self.page,
                order,
                audio: self.audio.as_ref(),
            };
            files.write(output, &|name| self.is_wanted(name), console)?;
        }
        Ok(Some(AnalyzeResult { report, failed }))
    }

    /// Gives the part files of a shard their names. What it takes all calls to know is left to the report.
    fn finish_shard(mut self, job: ShardJob, console: &Console) -> Result<Exit, Failure> {
        let Some(output) = self.output.take() else { return Ok(Exit::Failed) };
        if self.inputs.files.is_empty() {
            console.error("no result file found");
            return Ok(Exit::Failed);
        }
        let mut parameters = ReportSettings::new(Some(&self.options.settings));
        parameters.condition = self.options.condition.as_ref().map(|condition| condition.text().to_owned());
        let parameters = serde_json::to_value(&parameters)
            .map_err(|error| crate::Error::invalid(format!("cannot write the parameters: {error}")))?;
        let mut terms = shard_terms(&self.inputs, &self.options, parameters, job.rules);
        let names = TABLES.into_iter().map(|table| table.name).chain(BESIDE_TABLES);
        terms.insert("tables".to_owned(), names.filter(|name| self.is_wanted(name)).collect());
        let joined = self.options.joined.as_ref().filter(|_| self.is_given);
        let matched = joined.map(|joined| {
            let (column, examples) = (joined.key().to_owned(), joined.examples(&self.analysis.calls));
            Ok::<_, Failure>(MetadataMatch { column, calls: joined.matched(&self.analysis)?, examples })
        });
        let is_partly = !self.refusals.is_empty();
        let seconds = self.started.elapsed().as_secs_f64();
        let summary = ShardSummary::new(&self.analysis, self.refusals, matched.transpose()?, seconds);
        let calls = counted(summary.measured, "call");
        let written = counted(output.finish_shard(terms, summary)?.files.len() as u64, "file");
        if let Some(to) = &self.destination {
            to.upload(console)?;
            let to = to.given().display();
            console.note(&format!("shard {}: {calls} measured, {written} written to {to}", job.shard));
        }
        Ok(if is_partly { Exit::Partly } else { Exit::Done })
    }
}

/// Files that are named for each code of a warning; the table of warnings has all.
const NAMED: u64 = 5;

/// Prints warnings and failures of each file while the analysis runs.
struct AnalyzeProgress<'a> {
    console: &'a Console,
    bar: &'a indicatif::ProgressBar,
    /// A line for each file that could not be measured.
    refusals: Vec<String>,
    /// Files per code of a warning.
    named: BTreeMap<&'static str, u64>,
}

impl AnalyzeProgress<'_> {
    fn record(&mut self, outcome: &FileOutcome) {
        self.bar.inc(1);
        match &outcome.outcome {
            Outcome::LeftOut => {}
            Outcome::Measured(warnings) => {
                let mut texts = Vec::new();
                for warning in warnings.iter().filter(|warning| warning.code != Code::MaskedWords) {
                    let files = self.named.entry(warning.code.name()).or_default();
                    *files += 1;
                    if *files <= NAMED {
                        texts.push(super::check::short(warning));
                    }
                }
                if !texts.is_empty() && !self.console.quiet {
                    let line = texts.join("; ");
                    self.bar.suspend(|| self.console.note(&format!("{}: {line}", outcome.path.display())));
                }
            }
            refused => {
                let line = super::check::refusal(&outcome.path, refused);
                self.bar.suspend(|| self.console.say(&line));
                self.refusals.push(line);
            }
        }
    }

    /// Counts the files that were not named.
    fn note_further(&self) {
        for (code, files) in &self.named {
            if let Some(further) = files.checked_sub(NAMED).filter(|further| *further > 0) {
                self.console.note(&format!("{code}: and {}", counted(further, "more file")));
            }
        }
    }
}

/// A role for a participant that no file has is probably a typo.
pub(super) fn unused_roles(roles: &Roles, labels: &BTreeSet<String>, console: &Console) {
    for (label, role) in roles.iter().filter(|(label, _)| !labels.contains(*label)) {
        console.note(&format!("--role {label}={role}: no file has participant `{label}`"));
    }
}
