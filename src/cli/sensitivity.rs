//! `sensitivity`: what thresholds and presets do to the counts of calls.

use serde_json::{Value, json};

use super::Exit;
use super::check::refusal;
use super::inputs::Paths;
use super::output::{Console, Failure, Format, Listing};
use super::settings::SettingsFlags;
use crate::compare::{Sensitivity, sensitivity};
use crate::metrics::Counts;
use crate::report::sensitivity_summary;

const EXAMPLES: &str = "\
Examples:
  talkmeter sensitivity examples/calls
  talkmeter sensitivity results --format csv > grid.csv
  talkmeter sensitivity results --definition strict --dead-air-ms 5s";

/// Arguments of `sensitivity`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    paths: Paths,
    #[command(flatten)]
    settings: SettingsFlags,
}

/// Runs `sensitivity`.
pub(super) fn run(args: Args, format: Format, console: &Console) -> Result<Exit, Failure> {
    let settings = args.settings.settings(console)?;
    let inputs = args.paths.find(None, console)?;
    let bar = console.progress(inputs.files.len());
    let found = sensitivity(&inputs.files, &settings, &mut |failed| {
        bar.inc(1);
        if let Some((input, outcome)) = failed {
            bar.suspend(|| console.say(&refusal(&input.path, outcome)));
        }
    });
    bar.finish_and_clear();
    let failed = found.failed + inputs.excluded.len() as u64;
    if found.calls.is_empty() {
        console.error(if failed == 0 { "no result file found" } else { "no file could be measured" });
        return Ok(Exit::Failed);
    }
    match format {
        Format::Table => console.data(sensitivity_summary(&found).to_text(console.width()).as_bytes())?,
        Format::Md => console.data(sensitivity_summary(&found).to_markdown().as_bytes())?,
        Format::Json => console.data(format!("{:#}\n", json!(found)).as_bytes())?,
        Format::Csv | Format::Jsonl => listing(&found).print(format, console)?,
    };
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
