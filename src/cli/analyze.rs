//! `analyze`: result files → tables, metrics, report.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;

use super::Exit;
use super::advice;
use super::condition::{ConditionFlag, report_left_out};
use super::inputs::Paths;
use super::metadata::{MetadataFlags, ledgers_of, recordings, report_unmatched};
use super::order::OrderFlags;
use super::output::{Console, Failure, Format};
use super::page::{PageFiles, PageFlags};
use super::prices::{PriceFlags, warn_if_old_for};
use super::rules;
use super::settings::SettingsFlags;
use super::summary;
use crate::billing::Prices;
use crate::metrics::catalogue::{TABLES, Table};
use crate::metrics::{Roles, Settings};
use crate::report::number::{bytes, counted};
use crate::report::{Groups, Page, Report};
use crate::rules::Rules;
use crate::tables::{
    self, CallSource, CallsByRole, FileOutcome, Metadata, Options, Outcome, Output, OwnColumns, Rollup, ShortSheet,
    WORKBOOK,
};
use crate::transcript::{Code, Inputs};

const EXAMPLES: &str = "\
Examples:
  talkmeter analyze examples/calls
  talkmeter analyze may -o out --role ch0=agent,ch1=customer --keyword refund
  talkmeter analyze results -o out --tables parquet,xlsx
  talkmeter analyze may -o out --group-by queue
  talkmeter analyze results -o out --meta calls.csv --group-by agent,queue
  talkmeter analyze results --meta calls.csv --group-by agent --format csv
  talkmeter analyze may --group-by agent --sort dead_air_ms_per_call --top 5
  talkmeter analyze may --where \"started >= '2026-05-25'\"
  talkmeter analyze may --group-by started:week --time-format '%d.%m.%Y %H:%M'";

/// Arguments of `analyze`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    paths: Paths,
    /// Write tables, report.html and report.json to this folder [default: print a summary only]
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
}

/// Names that `--tables` accepts.
pub(super) const TABLE_FORMATS: [&str; 4] = ["parquet", "csv", "jsonl", "xlsx"];

/// Names that `--only` accepts besides those of tables.
pub(super) const BESIDE_TABLES: [&str; 3] = ["calls_by_role", "rollup", "report"];

/// File name of the report page, in the folder of the tables.
const PAGE: &str = "report.html";

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
    let inputs = args.paths.find(args.output.as_deref(), console)?;
    let job = AnalyzeJob {
        inputs,
        output: args.output,
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
    };
    let Some(done) = job.run(today, console)? else { return Ok(Exit::Failed) };
    summary::print(&done.report, format, console)?;
    Ok(if done.failed > 0 { Exit::Partly } else { Exit::Done })
}

/// An analysis to run: inputs, settings, outputs.
#[derive(Debug)]
pub(super) struct AnalyzeJob {
    pub(super) inputs: Inputs,
    /// Folder for tables and reports; `None` builds the summary only.
    pub(super) output: Option<PathBuf>,
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
        let started = std::time::Instant::now();
        let Self { inputs, output: folder, tables: formats, only, metadata, group_by, settings, rules, prices, .. } =
            self;
        let (order, page) = (self.order, self.page);
        let wanted = |name: &str| only.as_ref().is_none_or(|only| only.iter().any(|only| only == name));
        let tables: Vec<&'static Table> = TABLES.into_iter().filter(|table| wanted(table.name)).collect();
        let mut output = folder.as_deref().map(|folder| Output::create(folder, &formats, &tables)).transpose()?;
        let audio = folder.as_deref().map(|folder| page.audio(folder)).transpose()?.flatten();
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
        let files = inputs.files.iter().map(|input| &*input.file);
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
            .joined(joined.clone())
            .origins(ledgers.origins())
            .hash_inputs(self.prints_report || folder.is_some() && wanted("report"));
        let asked = options.settings.model.as_deref().zip(options.settings.region);
        let ledgers = options.origins.values().map(|(model, region)| (&model[..], *region));
        let used = ledgers.filter_map(|(model, region)| Some((model, region?))).chain(asked);
        warn_if_old_for(&options.prices, used, today, console);

        let bar = console.progress(inputs.files.len());
        let mut progress = AnalyzeProgress { console, bar: &bar, named: BTreeMap::new() };
        let mut analysis =
            tables::analyze(&inputs.files, &options, output.as_mut(), &mut |outcome| progress.record(&outcome))?;
        bar.finish_and_clear();
        progress.note_further();

        analysis.failed += inputs.excluded.len() as u64;
        let failed = analysis.failed;
        let left_out = analysis.left_out.calls;
        if !report_left_out(left_out, analysis.measured, console) {
            return Ok(None);
        }
        if analysis.measured == 0 {
            console.error(if failed == 0 { "no result file found" } else { "no file could be measured" });
            return Ok(None);
        }
        unused_roles(&options.settings.roles, &analysis.labels, console);
        let codes = analysis.warnings.iter().map(|(code, ..)| *code).collect();
        advice::for_findings(&codes).for_each(|hint| console.note(&format!("hint: {hint}")));
        let mut rollup = joined.as_ref().map(|joined| Rollup::new(&analysis, joined, &group_by)).transpose()?;
        if let (Some(rollup), Some(joined)) = (&rollup, &joined)
            && (is_given || !group_by.is_empty())
            && !report_unmatched(rollup, &notes, joined, &analysis, console)
        {
            return Ok(None);
        }
        rollup = rollup.filter(|_| !group_by.is_empty());
        order.check(rollup.as_ref())?;
        if let Some(rollup) = &mut rollup {
            order.apply(rollup)?;
        }
        let groups = rollup.as_ref().map(|rollup| Groups::new(rollup, order.order(), order.top())).transpose()?;
        let mut report = Report::build(&analysis, groups)?;
        report.parameters.condition = options.condition.as_ref().map(|condition| condition.text().to_owned());
        report.title = page.title();
        if let (Some(mut output), Some(folder)) = (output, folder) {
            if let Some(rollup) = rollup.as_ref().filter(|_| wanted("rollup")) {
                output.add_frame("rollup", &rollup.frame, &|name| rollup.by.iter().any(|by| by == name))?;
            }
            if wanted("calls_by_role") {
                let by_role = CallsByRole::new(&analysis)?;
                let frame = by_role.with_columns(joined.as_deref(), &analysis.calls)?;
                let is_own = |name: &str| by_role.frame.column(name).is_err();
                output.add_frame("calls_by_role", &frame, &is_own)?;
            }
            if wanted("report") {
                output.add_file("report.json", report.to_json()?.as_bytes())?;
                let calls = CallSource::Results { files: &inputs.files, options: &options };
                let own = joined.as_ref().map(|joined| OwnColumns::new(joined, &analysis)).transpose()?;
                let files = analysis.files();
                let links = page.links(PAGE, &files);
                let (own, audio) = (own.as_ref(), audio.as_ref());
                let pages = PageFiles { report: &report, name: PAGE, beside: &folder, links, own, audio };
                let shown = Page::build(&analysis, calls, &page.options(&order), own, rollup.as_ref())?;
                output.add_file(PAGE, pages.html(&shown)?.as_bytes())?;
                pages.write_calls(&files, calls, console)?;
            }
            let written = output.finish()?;
            report_leftovers(&folder, &written.files, console);
            written.short_sheets.iter().for_each(|sheet| report_short(sheet, console));
            console.note(&format!("{} written to {}", counted(written.files.len() as u64, "file"), folder.display()));
        }
        if console.verbose() {
            let seconds = started.elapsed().as_secs_f64();
            let bytes = bytes(analysis.bytes);
            console.say(&format!("{bytes} in {seconds:.2} s, {:.0} files/s", inputs.files.len() as f64 / seconds));
        }
        Ok(Some(AnalyzeResult { report, failed }))
    }
}

/// Files that are named for each code of a warning; the table of warnings has all.
const NAMED: u64 = 5;

/// Prints warnings and failures of each file while the analysis runs.
struct AnalyzeProgress<'a> {
    console: &'a Console,
    bar: &'a indicatif::ProgressBar,
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
            refused => self.bar.suspend(|| self.console.say(&super::check::refusal(&outcome.path, refused))),
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

/// A sheet of the workbook that does not hold all of its table.
fn report_short(sheet: &ShortSheet, console: &Console) {
    let ShortSheet { sheet: name, rows_left_out, texts_cut, .. } = sheet;
    if *rows_left_out > 0 {
        let rows = counted(*rows_left_out, "row");
        console.note(&format!("{WORKBOOK}: the sheet {name} is full; {rows} left out"));
    }
    if *texts_cut > 0 {
        let texts = counted(*texts_cut, "text");
        console.note(&format!("{WORKBOOK}: the sheet {name} has {texts} cut to the length of a cell"));
    }
}

/// Names tables of an earlier run that this run did not write: they do not match the report beside them.
fn report_leftovers(folder: &Path, written: &[PathBuf], console: &Console) {
    let names = || TABLES.iter().map(|table| table.name).chain(BESIDE_TABLES);
    let with = |extension| names().map(move |name| format!("{name}.{extension}"));
    let files = ["parquet", "csv", "jsonl", "json", "html"].into_iter().flat_map(with);
    for file in files.chain([WORKBOOK.to_owned()]) {
        let path = folder.join(file);
        if !written.contains(&path) && path.is_file() {
            console.note(&format!("{} is left from an earlier run", path.display()));
        }
    }
}
