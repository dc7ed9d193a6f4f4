//! `report`: renders stored tables without the result files: terminal, HTML, Markdown, JSON.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::Exit;
use super::metadata::{MetadataFlags, report_unmatched};
use super::order::OrderFlags;
use super::output::{Console, Failure, Format};
use super::page::{PageFiles, PageFlags};
use super::summary;
use crate::disk;
use crate::report::number::counted;
use crate::report::{Groups, Page, Recorded, Report};
use crate::tables::{CallSource, FOLDER, GroupKey, Joined, Metadata, OwnColumns, Period, Rollup, Stored};

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
    /// Roll up by these columns of --meta, or of the table `calls` [default: as before]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
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
    let beside = args.output.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    let audio = args.page.audio(beside)?;
    let given = args.metadata.read()?;
    let resolve = |metadata: &Metadata| metadata.resolve(&args.group_by, args.time_format.as_deref());
    // A wrong name is reported before anything is read.
    given.as_ref().map(resolve).transpose()?;
    let stored = Stored::open(&args.folders)?;
    let recorded = recorded(&stored)?;
    let analysis = recorded.analysis(&stored)?;

    let is_given = given.is_some();
    let metadata = given.map_or_else(|| stored.own_columns(), |given| Ok(Some(given)))?;
    let asked = match &metadata {
        Some(metadata) if !args.group_by.is_empty() => resolve(metadata)?,
        Some(_) if args.folders.len() > 1 && !is_given => vec![GroupKey::new(FOLDER)],
        None if !args.group_by.is_empty() => {
            return Err(Failure::Usage("--group-by needs columns: --meta FILE, or tables with yours".to_owned()));
        }
        _ => Vec::new(),
    };
    let as_before = metadata.as_ref().zip(recorded.rollup.as_ref()).filter(|_| asked.is_empty() && !is_given);
    let as_before = as_before.map(|(metadata, groups)| candidates(metadata, groups)).unwrap_or_default();
    let files = analysis.files();
    let notes = metadata.as_ref().map_or_else(Vec::new, |metadata| metadata.notes().to_vec());
    let joined =
        metadata.map(|metadata| metadata.join(files.iter().map(String::as_str), HashMap::new())).transpose()?;
    let mut rollup = None;
    if let Some(joined) = &joined {
        let before = recorded.rollup.as_ref().and_then(|groups| same_keys(&as_before, joined, groups));
        let group_by = before.unwrap_or(asked);
        let mut grouped = Rollup::new(&analysis, joined, &group_by)?;
        if is_given && !report_unmatched(&grouped, &notes, joined, &analysis, console) {
            return Ok(Exit::Failed);
        }
        if !group_by.is_empty() {
            args.order.apply(&mut grouped)?;
            rollup = Some(grouped);
        }
    }
    let (order, top) = (args.order.order(), args.order.top());
    let is_new = is_given || !args.group_by.is_empty() || args.folders.len() > 1;
    let groups = match (&rollup, &recorded.rollup) {
        (rollup, Some(stored)) if rollup.is_none() || !is_new => {
            let mut stored = stored.clone();
            if !stored.reorder(order, top) {
                args.order.check(None)?;
            }
            Some(stored)
        }
        (rollup, _) => {
            args.order.check(rollup.as_ref())?;
            rollup.as_ref().map(|rollup| Groups::new(rollup, order, top)).transpose()?
        }
    };
    let mut report = Report::build(&analysis, groups)?;
    report.title = args.page.title().or_else(|| recorded.title.clone());
    recorded.agrees(&report)?;
    report.parameters.condition.clone_from(&recorded.parameters.condition);
    let calls = CallSource::Tables(&stored);
    let own = joined.as_ref().map(|joined| OwnColumns::new(joined, &analysis)).transpose()?;
    if to == ReportFormat::Html || to == ReportFormat::Markdown || args.page.has_calls() {
        let mut shown = args.page.options(&args.order);
        if to == ReportFormat::Markdown && !args.page.has_calls() {
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
        links: args.page.links(name, &files),
        own: own.as_ref(),
        audio: audio.as_ref(),
    };
    let text = match (to, &report.page) {
        (ReportFormat::Html, Some(shown)) => pages.html(shown)?,
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
    if to == ReportFormat::Html {
        pages.write_calls(&files, calls, console)?;
    }
    console.note(&format!("{} written: {}", output.display(), counted(report.inputs.measured, "call")));
    Ok(Exit::Done)
}

/// What each column of a recorded roll-up may have been: itself, or its times cut to periods. Empty if one is not there.
fn candidates(metadata: &Metadata, groups: &Groups) -> Vec<Vec<GroupKey>> {
    let of_column = |name: &String| {
        let periods = Period::ALL.map(|(period, _)| format!("{name}:{period}"));
        let keys = std::iter::once(name.clone()).chain(periods);
        keys.filter_map(|key| metadata.resolve(&[key], None).ok()).flatten().collect()
    };
    groups.by.iter().map(of_column).collect()
}

/// The keys that give the groups of a recorded roll-up; `None` if there are none.
fn same_keys(candidates: &[Vec<GroupKey>], joined: &Joined, groups: &Groups) -> Option<Vec<GroupKey>> {
    let key = |(name, keys): (&String, &Vec<GroupKey>)| {
        let labels: HashSet<&str> = groups.rows.iter().filter_map(|row| row.get(name)?.as_str()).collect();
        let has_all = |key: &&GroupKey| {
            let cells = joined.column(key);
            cells.is_ok_and(|cells| {
                let cells: HashSet<&str> = cells.iter().flatten().collect();
                labels.is_subset(&cells)
            })
        };
        keys.iter().find(has_all).cloned()
    };
    groups.by.iter().zip(candidates).map(key).collect::<Option<Vec<_>>>().filter(|keys| !keys.is_empty())
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
