//! `report`: renders stored tables without the result files: terminal, HTML, Markdown, JSON.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::Exit;
use super::condition::{ConditionFlag, report_left_out};
use super::document::Document;
use super::metadata::{MetadataFlags, report_unmatched};
use super::order::OrderFlags;
use super::output::{Console, Failure, Format};
use super::page::{PageFiles, PageFlags};
use super::report_files::ReportFiles;
use super::settings::SettingsFlags;
use super::shards::report_shards;
use super::stores::{Destination, TableFolders, local_path};
use super::summary;
use crate::disk;
use crate::metrics::Settings;
use crate::report::number::counted;
use crate::report::{Groups, Page, Recorded, Report};
use crate::tables::{CallSource, Condition, FOLDER, GroupKey, Metadata, Output, OwnColumns, Rollup, Stored};

const EXAMPLES: &str = "\
Examples:
  talkmeter report out
  talkmeter report out -o report.html --calls 50 --by interruption_count
  talkmeter report may june -o summer.html --meta calls.csv --group-by team
  talkmeter report out --where \"agent = 'Ann'\" --title Ann -o ann.html
  talkmeter report out --format md >> pull-request.md
  talkmeter report spark-tables --dead-air-ms 2s --role ch0=agent,ch1=customer

DIR is a folder written by `talkmeter analyze … -o DIR`. Several folders make one report: calls are
named DIR/call and rolled up by folder by default. All must have been measured with the same parameters.

Tables that another engine wrote have no report.json: their parameters are unknown unless the flags of
`analyze` are repeated. If any is given, those left out have their defaults (`--definition default`: all).";

/// Arguments of `report`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Folders of tables; or s3://, gs://, az://, oss://
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Write to this file: .html, .md or .json [default: print the report]
    #[arg(short, long, value_name = "FILE", value_parser = local_path())]
    output: Option<PathBuf>,
    #[command(flatten)]
    metadata: MetadataFlags,
    /// Roll up by these columns of --meta, or of the table `calls` [default: as before]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    group_by: Vec<String>,
    /// Format of times, in strptime notation [default: ISO 8601]
    #[arg(long, value_name = "FORMAT", requires = "group_by")]
    time_format: Option<String>,
    #[command(flatten)]
    condition: ConditionFlag,
    #[command(flatten)]
    order: OrderFlags,
    #[command(flatten)]
    page: PageFlags,
    #[command(flatten, next_help_heading = "Tables without report.json")]
    settings: SettingsFlags,
}

/// The format a report is rendered in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReportFormat {
    Text,
    Document(Document),
    /// The roll-up, else the summary, for programs.
    Rows,
}

impl ReportFormat {
    /// By the extension of the file to write, else by the format for stdout.
    fn new(output: Option<&Path>, format: Format) -> Result<Self, Failure> {
        let Some(path) = output else {
            return match format {
                Format::Table => Ok(Self::Text),
                Format::Json => Ok(Self::Document(Document::Json)),
                Format::Md => Ok(Self::Document(Document::Markdown)),
                Format::Jsonl | Format::Csv => Ok(Self::Rows),
            };
        };
        Document::of(path).map(Self::Document)
    }
}

/// Runs `report`.
pub(super) fn run(args: Args, format: Format, console: &Console) -> Result<Exit, Failure> {
    let to = ReportFormat::new(args.output.as_deref(), format)?;
    let beside = args.output.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    let audio = args.page.audio(beside)?;
    let given = args.metadata.read()?;
    let resolve = |metadata: &Metadata| metadata.resolve(&args.group_by, args.time_format.as_deref());
    // A wrong name is reported before anything is read.
    given.as_ref().map(resolve).transpose()?;
    let folders = TableFolders::new(&args.folders, console)?;
    let mut stored = Stored::open(&folders.paths)?;
    let are_given = args.settings.are_given();
    let settings = args.settings.settings(console)?;
    let recorded = recorded(&stored, Some(&settings).filter(|_| are_given))?;

    let is_given = given.is_some();
    let shards = stored.shards().next().flatten().cloned().filter(|_| args.folders.len() == 1);
    let metadata = given.map_or_else(|| stored.own_columns(), |given| Ok(Some(given)))?;
    let asked = match &metadata {
        Some(metadata) if !args.group_by.is_empty() => resolve(metadata)?,
        Some(_) if args.folders.len() > 1 && !is_given => vec![GroupKey::new(FOLDER)],
        None if !args.group_by.is_empty() => {
            return Err(Failure::Usage("--group-by needs columns: --meta FILE, or tables with yours".to_owned()));
        }
        _ => Vec::new(),
    };
    let before = recorded.rollup.as_ref().filter(|_| asked.is_empty());
    let is_here = |key: &GroupKey| metadata.iter().any(|own| own.columns().any(|column| column == key.column));
    // Groups by columns that are not here can only be shown as they were.
    let keys = before.filter(|_| !is_given).map_or(asked, |groups| groups.keys.clone());
    let keys = if keys.iter().all(is_here) { keys } else { Vec::new() };
    let notes = metadata.as_ref().map_or_else(Vec::new, |metadata| metadata.notes().to_vec());
    let files = stored.files()?;
    let joined =
        metadata.map(|metadata| metadata.join(files.iter().map(String::as_str), HashMap::new())).transpose()?;
    let condition = args.condition.read(joined.as_ref())?;
    if let Some(condition) = &condition {
        recorded.agrees(&stored.figures_of_calls()?)?;
        stored.keep(condition, joined.as_ref())?;
    }
    let analysis = recorded.analysis(&stored)?;
    if condition.is_none() {
        recorded.agrees(&analysis.calls)?;
    }
    // Tables in shards are completed by their first report.
    let completes = args.output.is_none() && condition.is_none() && !is_given;
    let shards = shards.filter(|_| completes);
    if let Some(shards) = &shards
        && !report_shards(shards, analysis.measured, console)
    {
        return Ok(Exit::Failed);
    }
    if !report_left_out(analysis.left_out.calls, analysis.measured, console) {
        return Ok(Exit::Failed);
    }
    let mut rollup = joined.as_ref().map(|joined| Rollup::new(&analysis, joined, &keys)).transpose()?;
    if let (Some(rollup), Some(joined)) = (&rollup, &joined)
        && is_given
        && !report_unmatched(rollup, &notes, joined, &analysis, console)
    {
        return Ok(Exit::Failed);
    }
    rollup = rollup.filter(|_| !keys.is_empty());
    let (order, top) = (args.order.order(), args.order.top());
    // Some figures are recorded though their tables were not written.
    let is_enough = |groups: &&Groups| groups.further == 0 || rollup.is_none() || (order.is_none() && top.is_none());
    let stored_groups = before.filter(|_| condition.is_none()).filter(is_enough);
    let groups = match (&mut rollup, stored_groups) {
        (_, Some(groups)) => {
            let mut groups = groups.clone();
            if !groups.reorder(order, top) {
                args.order.check(None)?;
            }
            Some(groups)
        }
        (Some(rollup), None) => {
            args.order.check(Some(rollup))?;
            args.order.apply(rollup)?;
            Some(Groups::new(rollup, order, top)?)
        }
        (None, None) => {
            args.order.check(None)?;
            None
        }
    };
    let mut report = Report::build(&analysis, groups)?;
    report.title = args.page.title().or_else(|| recorded.title.clone());
    report.parameters.condition = both(recorded.parameters.condition.clone(), condition.as_ref().map(Condition::text));
    let (calls, files) = (CallSource::Tables(&stored), analysis.files());
    let own = joined.as_ref().map(|joined| OwnColumns::new(joined, &analysis)).transpose()?;
    if let (Some(shards), [folder]) = (&shards, &args.folders[..]) {
        let audio = args.page.audio(folder)?;
        let to = Destination::new(folder.clone(), console)?;
        let files = ReportFiles {
            to: &to,
            report: &report,
            analysis: &analysis,
            joined: joined.as_ref(),
            rollup: rollup.as_ref(),
            calls,
            page: &args.page,
            order: &args.order,
            audio: audio.as_ref(),
        };
        let output = Output::beside_shards(to.local(), shards, joined.as_ref())?;
        files.write(output, &|name| shards.has(name) || name == "report", console)?;
    }
    let document = |wanted| to == ReportFormat::Document(wanted);
    if document(Document::Html) || document(Document::Markdown) || args.page.has_calls() {
        let mut shown = args.page.options(&args.order);
        if document(Document::Markdown) && !args.page.has_calls() {
            // Markdown lists calls, but shows none in full.
            shown.calls = 0;
        }
        report.page = Some(Page::build(&analysis, calls, &shown, own.as_ref(), rollup.as_ref())?);
    }
    let name = args.output.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let name = name.as_deref().unwrap_or_default();
    let pages = PageFiles {
        report: &report,
        name,
        beside,
        shown: beside,
        links: args.page.links(name, &files),
        own: own.as_ref(),
        audio: audio.as_ref(),
    };
    let text = match (to, &report.page) {
        (ReportFormat::Document(Document::Html), Some(shown)) => pages.html(shown)?,
        (ReportFormat::Document(Document::Markdown), _) => report.to_markdown(),
        (ReportFormat::Document(Document::Json), _) => report.to_json()?,
        _ => report.to_text(console.width()),
    };
    let Some(output) = &args.output else {
        let exit = if to == ReportFormat::Rows {
            summary::print(&report, format, console)?
        } else {
            console.data(text.as_bytes())?
        };
        // As the analysis of all files at once would.
        let is_partly = exit == Exit::Done && shards.is_some() && report.inputs.failed > Some(0);
        return Ok(if is_partly { Exit::Partly } else { exit });
    };
    disk::make_folder_of(output)?;
    disk::write(output, text.as_bytes())?;
    if document(Document::Html) {
        pages.write_calls(&files, calls, console)?;
    }
    console.note(&format!("{} written: {}", output.display(), counted(report.inputs.measured, "call")));
    Ok(Exit::Done)
}

/// The condition of the calls in the tables, and that of the report.
fn both(stored: Option<String>, asked: Option<&str>) -> Option<String> {
    match (stored, asked) {
        (Some(stored), Some(asked)) => Some(format!("({stored}) AND ({asked})")),
        (stored, asked) => stored.or_else(|| asked.map(str::to_owned)),
    }
}

/// What is recorded of all folders, joined. The settings that were given are those of folders without a `report.json`.
fn recorded(stored: &Stored, given: Option<&Settings>) -> Result<Recorded, Failure> {
    let (mut joined, mut is_needed): (Option<Recorded>, bool) = (None, given.is_none());
    for ((folder, _), shards) in stored.folders().zip(stored.shards()) {
        let path = folder.join("report.json");
        let recorded = match shards {
            Some(shards) => Some(Recorded::of_shards(shards, &path)?),
            None if path.exists() => Some(Recorded::read(&path)?),
            None => None,
        };
        let recorded = recorded.filter(Recorded::is_complete).unwrap_or_else(|| Recorded::without_report(given));
        is_needed |= !recorded.is_complete();
        joined = Some(match joined {
            None => recorded,
            Some(before) => before.join(&recorded, &path)?,
        });
    }
    if !is_needed {
        let why = "report.json says how the calls were measured: leave out the flags that say so";
        return Err(Failure::Usage(why.to_owned()));
    }
    joined.ok_or_else(|| Failure::Usage("no folder given".to_owned()))
}
