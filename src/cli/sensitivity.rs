//! `sensitivity`: what thresholds and presets do to the counts of calls.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::Exit;
use super::check::refusal;
use super::document::{self, Document};
use super::inputs::Paths;
use super::metadata::{MetadataFlags, ledgers_of, recordings};
use super::output::{Console, Failure, Format, Listing};
use super::settings::SettingsFlags;
use crate::compare::{Sensitivity, sensitivity};
use crate::disk;
use crate::metrics::Counts;
use crate::redact::without_query;
use crate::report::number::counted;
use crate::report::sensitivity_summary;

const EXAMPLES: &str = "\
Examples:
  talkmeter sensitivity examples/calls
  talkmeter sensitivity results -o sensitivity.html
  talkmeter sensitivity results --format csv > grid.csv
  talkmeter sensitivity results --meta calls.csv
  talkmeter sensitivity results --definition strict --dead-air-ms 5s";

/// Arguments of `sensitivity`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    paths: Paths,
    /// Write to this file: .html, .md or .json [default: print the table]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    metadata: MetadataFlags,
    #[command(flatten)]
    settings: SettingsFlags,
}

/// Runs `sensitivity`.
pub(super) fn run(args: Args, format: Format, console: &Console) -> Result<Exit, Failure> {
    let document = args.output.as_deref().map(Document::of).transpose()?;
    let metadata = args.metadata.read()?;
    let settings = args.settings.settings(console)?;
    let inputs = args.paths.find(None, console)?;
    let (recordings, of_list) = recordings(&ledgers_of(&inputs, console), &inputs);
    let is_given = metadata.is_some();
    let files = inputs.files.iter().map(|input| input.file());
    let joined = metadata.or(of_list).map(|metadata| metadata.join(files, recordings)).transpose()?;
    let bar = console.progress(inputs.files.len());
    let found = sensitivity(&inputs.files, &settings, joined.as_ref(), &mut |failed| {
        bar.inc(1);
        if let Some((input, outcome)) = failed {
            bar.suspend(|| console.say(&refusal(&input.path, outcome)));
        }
    });
    bar.finish_and_clear();
    let failed = found.failed + inputs.excluded.len() as u64;
    let Some(first) = found.calls.first() else {
        console.error(if failed == 0 { "no result file found" } else { "no file could be measured" });
        return Ok(Exit::Failed);
    };
    if let Some(joined) = joined.as_ref().filter(|_| is_given) {
        if found.without_row == found.calls.len() as u64 {
            let key = joined.first_key().unwrap_or_default();
            let (column, key, file) = (joined.key(), without_query(&key), &first.file);
            console.error(&format!(
                "no row of the metadata matches a call: its column `{column}` has `{key}`, the calls have `{file}`"
            ));
            return Ok(Exit::Failed);
        }
        if found.without_row > 0 {
            console.note(&format!("{} without a row in the metadata", counted(found.without_row, "call")));
        }
    }
    let summary = || sensitivity_summary(&found);
    let text = match (document, format) {
        (Some(Document::Html), _) => summary().to_html()?,
        (Some(Document::Markdown), _) | (None, Format::Md) => summary().to_markdown(),
        (Some(Document::Json), _) | (None, Format::Json) => document::json(&found)?,
        (None, Format::Table) => summary().to_text(console.width()),
        (None, Format::Csv | Format::Jsonl) => {
            listing(&found).print(format, console)?;
            String::new()
        }
    };
    match &args.output {
        Some(path) => {
            disk::write(path, text.as_bytes())?;
            console.note(&format!("{} written: {}", path.display(), counted(found.calls.len() as u64, "call")));
        }
        None => _ = console.data(text.as_bytes())?,
    }
    Ok(if failed > 0 { Exit::Partly } else { Exit::Done })
}

/// The heads of the ranks, beside those of the counts.
const RANKS: [&str; 8] = [
    "interruption_rank",
    "backchannel_rank",
    "side_speech_rank",
    "terminal_overlap_rank",
    "simultaneous_start_rank",
    "dead_air_rank",
    "dead_air_ms_rank",
    "turn_rank",
];

/// One row per call and setting.
fn listing(found: &Sensitivity) -> Listing {
    let head = ["file", "parameter", "value", "definition"].into_iter().chain(Counts::NAMES).chain(RANKS).collect();
    let rows = found.calls.iter().flat_map(|call| {
        let settings = found.grid.iter().zip(&call.counts).zip(&call.ranks);
        settings.map(|((total, counts), ranks)| {
            let variation = &total.variation;
            let mut row =
                vec![json!(call.file), json!(variation.parameter), json!(variation.value), json!(variation.definition)];
            row.extend(counts.values().into_iter().chain(ranks.values()).map(Value::from));
            row
        })
    });
    Listing { head, rows: rows.collect() }
}
