//! `report`: renders stored tables without the result files: terminal, HTML, Markdown, JSON.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::Exit;
use super::metadata::{MetadataFlags, report_unmatched};
use super::order::OrderFlags;
use super::output::{Console, Failure, Format};
use super::page::{PageFlags, Pages, address_of};
use super::summary;
use crate::disk;
use crate::report::number::counted;
use crate::report::{Groups, Page, Recorded, Report, page};
use crate::tables::{CallSource, FOLDER, GroupKey, Metadata, Rollup, Stored};

const EXAMPLES: &str = "\
Examples:
  talkmeter report out
  talkmeter report out -o report.html --calls 50 --by interruption_count
  talkmeter report may june -o summer.html --meta calls.csv --group-by team
  talkmeter report out --format md >> pull-request.md

DIR is a folder written by `talkmeter analyze … -o DIR`. Several folders make one report: calls are
named DIR/call and rolled up by folder by default. All must have been measured with the same parameters.";

/// Arguments of `report`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Folders of tables, each with a report.json
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Write to this file: .html, .md or .json [default: print the report]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    metadata: MetadataFlags,
    /// Roll up by these columns of --meta [default: the roll-up stored with the tables]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', requires = "meta")]
    group_by: Vec<String>,
    /// How times are written, as strptime has it [default: ISO 8601]
    #[arg(long, value_name = "FORMAT", requires = "group_by")]
    time_format: Option<String>,
    #[command(flatten)]
    order: OrderFlags,
    #[command(flatten)]
    page: PageFlags,
}

/// The format a report is rendered in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReportFormat {
    Text,
    Html,
    Markdown,
    Json,
    /// The roll-up, else the summary, for programs.
    Rows,
}

impl ReportFormat {
    /// By the extension of the file to write, else by the format for stdout.
    fn new(output: Option<&Path>, format: Format) -> Result<Self, Failure> {
        let Some(path) = output else {
            return match format {
                Format::Table => Ok(Self::Text),
                Format::Json => Ok(Self::Json),
                Format::Md => Ok(Self::Markdown),
                Format::Jsonl | Format::Csv => Ok(Self::Rows),
            };
        };
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "html" | "htm" => Ok(Self::Html),
            "md" | "markdown" => Ok(Self::Markdown),
            "json" => Ok(Self::Json),
            _ => Err(Failure::Usage(format!("-o {}: the extension must be .html, .md or .json", path.display()))),
        }
    }
}

/// Runs `report`.
pub(super) fn run(args: &Args, format: Format, console: &Console) -> Result<Exit, Failure> {
    let to = ReportFormat::new(args.output.as_deref(), format)?;
    let metadata = args.metadata.read()?;
    let resolve = |metadata: &Metadata| metadata.resolve(&args.group_by, args.time_format.as_deref());
    let group_by = metadata.as_ref().map(resolve).transpose()?;
    let stored = Stored::open(&args.folders)?;
    let recorded = recorded(&stored)?;
    let analysis = recorded.analysis(&stored)?;

    let (metadata, group_by) = match metadata {
        None if args.folders.len() > 1 => (Some(stored.by_folder()?), vec![GroupKey::new(FOLDER)]),
        metadata => (metadata, group_by.unwrap_or_default()),
    };
    let mut groups = None;
    let files = analysis.files();
    let files = files.iter().map(String::as_str);
    let notes = metadata.as_ref().map_or_else(Vec::new, |metadata| metadata.notes().to_vec());
    let joined = metadata.map(|metadata| metadata.join(files, HashMap::new())).transpose()?;
    if let Some(joined) = &joined {
        let mut rollup = Rollup::new(&analysis, joined, &group_by)?;
        if !report_unmatched(&rollup, &notes, joined, &analysis, console) {
            return Ok(Exit::Failed);
        }
        if !group_by.is_empty() {
            args.order.apply(&mut rollup)?;
            groups = Some(rollup);
        }
    }
    let (order, top) = (args.order.order(), args.order.top());
    let groups = match (groups, &recorded.rollup) {
        (None, Some(stored)) => {
            let mut stored = stored.clone();
            if !stored.reorder(order, top) {
                args.order.check(None)?;
            }
            Some(stored)
        }
        (rollup, _) => {
            args.order.check(rollup.as_ref())?;
            rollup.map(|rollup| Groups::new(&rollup, order, top)).transpose()?
        }
    };
    let mut report = Report::build(&analysis, groups)?;
    recorded.agrees(&report)?;
    report.parameters.condition.clone_from(&recorded.parameters.condition);
    let calls = CallSource::Tables(&stored);
    if to == ReportFormat::Html || to == ReportFormat::Markdown || args.page.has_calls() {
        let mut shown = args.page.options(&args.order);
        if to == ReportFormat::Markdown && !args.page.has_calls() {
            // Markdown lists calls, but shows none in full.
            shown.calls = 0;
        }
        let own = joined.as_ref().filter(|_| !group_by.is_empty()).map(|joined| (joined, &group_by[..]));
        report.page = Some(Page::build(&analysis, calls, &shown, own)?);
    }
    let name = args.output.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let links = args.page.links(name.as_deref().unwrap_or_default(), &analysis.files());
    let text = match (to, &report.page) {
        (ReportFormat::Html, Some(shown)) => {
            page(&report, shown, &|file| links.get(file).map(|link| address_of(link)))?
        }
        (ReportFormat::Markdown, _) => report.to_markdown(),
        (ReportFormat::Json, _) => report.to_json()?,
        _ => report.to_text(console.width()),
    };
    let Some(output) = &args.output else {
        return if to == ReportFormat::Rows {
            summary::print(&report, format, console)
        } else {
            console.data(text.as_bytes())
        };
    };
    disk::write(output, text.as_bytes())?;
    if let (ReportFormat::Html, Some(name)) = (to, &name) {
        let beside = output.parent().unwrap_or(Path::new(""));
        Pages { report: &report, name, beside, links: &links }.write(calls, console)?;
    }
    console.note(&format!("{} written: {}", output.display(), counted(report.inputs.measured, "call")));
    Ok(Exit::Done)
}

/// The `report.json` of all folders, joined.
fn recorded(stored: &Stored) -> Result<Recorded, Failure> {
    let mut joined: Option<Recorded> = None;
    for (folder, _) in stored.folders() {
        let path = folder.join("report.json");
        let recorded = Recorded::read(&path)?;
        joined = Some(match joined {
            None => recorded,
            Some(before) => before.join(&recorded, &path)?,
        });
    }
    joined.ok_or_else(|| Failure::Usage("no folder given".to_owned()))
}
