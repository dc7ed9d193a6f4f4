//! `report`: renders again from tables, without the result files: terminal, HTML, Markdown, JSON.

use std::path::{Path, PathBuf};

use super::Exit;
use super::analyze::unmatched;
use super::output::{Console, Failure, Format};
use super::page::{PageFlags, Pages, address_of};
use crate::metrics::keywords::Keywords;
use crate::report::number::counted;
use crate::report::{Groups, Page, Recorded, Report, page};
use crate::tables::{Calls, FOLDER, Metadata, Rollup, Stored, write_whole};

const EXAMPLES: &str = "\
Examples:
  talkmeter report out
  talkmeter report out -o report.html --calls 50 --by interruption_count
  talkmeter report may june -o summer.html --meta calls.csv --group-by team
  talkmeter report out --format md >> pull-request.md

DIR is what `talkmeter analyze … -o DIR` has written. Calls of several folders are named DIR/call and
rolled up by folder unless told otherwise; they must have been measured with the same parameters.";

/// Arguments of `report`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Folders of tables, each with its report.json
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Write to this file: .html, .md or .json; without it the report is printed
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Your own columns for the calls: CSV, Parquet or JSON lines with a column `file` or `file_url`
    #[arg(long, value_name = "FILE")]
    meta: Option<PathBuf>,
    /// Roll up by these columns of --meta, rather than as it was when the tables were written
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', requires = "meta")]
    group_by: Vec<String>,
    #[command(flatten)]
    page: PageFlags,
}

/// What the report is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum As {
    Text,
    Html,
    Markdown,
    Json,
}

impl As {
    fn of(output: Option<&Path>, format: Format) -> Result<Self, Failure> {
        let Some(path) = output else {
            return match format {
                Format::Table => Ok(Self::Text),
                Format::Json => Ok(Self::Json),
                Format::Md => Ok(Self::Markdown),
                Format::Jsonl | Format::Csv => {
                    Err(Failure::Usage("a report is a table, json or md; the tables themselves lie in DIR".to_owned()))
                }
            };
        };
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "html" | "htm" => Ok(Self::Html),
            "md" | "markdown" => Ok(Self::Markdown),
            "json" => Ok(Self::Json),
            _ => Err(Failure::Usage(format!("-o {}: a report is .html, .md or .json", path.display()))),
        }
    }
}

/// Runs `report`.
pub(super) fn run(args: &Args, format: Format, console: &Console) -> Result<Exit, Failure> {
    let to = As::of(args.output.as_deref(), format)?;
    let metadata = args.meta.as_deref().map(Metadata::read).transpose()?;
    if let Some(metadata) = &metadata {
        metadata.check(&args.group_by)?;
    }
    let stored = Stored::open(&args.folders)?;
    let recorded = recorded(&stored)?;
    let keywords = recorded.parameters.keywords.as_ref().map(Keywords::new).transpose();
    let keywords = keywords.map_err(|error| crate::Error::invalid(format!("report.json: {error}")))?;
    let key = metadata.as_ref().map(Metadata::key);
    let mut analysis = stored.analysis(key, keywords.as_ref().map(Keywords::terms))?;
    analysis.without_speech = recorded.inputs.without_speech;
    analysis.failed = recorded.inputs.failed;
    analysis.bytes = recorded.inputs.bytes;
    analysis.inputs_hash.clone_from(&recorded.inputs.hash);

    let (metadata, group_by) = match metadata {
        None if args.folders.len() > 1 => (Some(stored.by_folder()?), vec![FOLDER.to_owned()]),
        metadata => (metadata, args.group_by.clone()),
    };
    let mut groups = recorded.rollup.clone();
    if let Some(metadata) = &metadata {
        let rollup = Rollup::of(&analysis.calls, metadata, &group_by)?;
        unmatched(&rollup, metadata, console);
        if !group_by.is_empty() {
            groups = Some(Groups::of(&rollup)?);
        }
    }
    let join_gap_ms = recorded.parameters.thresholds.join_gap_ms;
    let mut report = Report::build(&analysis, recorded.parameters.clone(), groups)?;
    recorded.agrees(&report)?;
    let calls = Calls::Tables(&stored);
    if to == As::Html || to == As::Markdown || args.page.names_calls() {
        let mut shown = args.page.shown();
        if to == As::Markdown && !args.page.names_calls() {
            // Markdown lists calls; it does not show one whole.
            shown.calls = 0;
        }
        let own = metadata.as_ref().filter(|_| !group_by.is_empty()).map(|metadata| (metadata, &group_by[..]));
        report.page = Some(Page::build(&analysis, calls, &shown, join_gap_ms, own)?);
    }
    let name = args.output.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let links = args.page.links(name.as_deref().unwrap_or_default(), &analysis.files());
    let text = match (to, &report.page) {
        (As::Html, Some(shown)) => page(&report, shown, &|file| links.get(file).map(|link| address_of(link)))?,
        (As::Markdown, _) => report.to_markdown(),
        (As::Json, _) => report.to_json()?,
        _ => report.to_text(),
    };
    let Some(output) = &args.output else { return console.data(text.as_bytes()) };
    write_whole(output, text.as_bytes())?;
    if let (As::Html, Some(name)) = (to, &name) {
        let beside = output.parent().unwrap_or(Path::new(""));
        Pages { report: &report, name, beside, links: &links }.write(calls, join_gap_ms, console)?;
    }
    console.note(&format!("{} of {} written", output.display(), counted(report.inputs.measured, "call")));
    Ok(Exit::Done)
}

/// What the folders say of themselves, put together.
fn recorded(stored: &Stored) -> Result<Recorded, Failure> {
    let mut whole: Option<Recorded> = None;
    for (folder, _) in stored.folders() {
        let path = folder.join("report.json");
        let recorded = Recorded::read(&path)?;
        whole = Some(match whole {
            None => recorded,
            Some(before) => before.join(&recorded, &path)?,
        });
    }
    whole.ok_or_else(|| Failure::Usage("no folder was given".to_owned()))
}
