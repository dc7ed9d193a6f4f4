//! `explain`: shows the words behind an event.

use std::path::PathBuf;

use serde_json::json;

use super::Exit;
use super::inputs::FromFlag;
use super::output::{Console, Failure, Format, Listing, printable};
use super::rules;
use super::settings::SettingsFlags;
use crate::metrics::{EvidenceWord, measure};
use crate::named_file::{self, FileKind};
use crate::report::number::count;
use crate::report::wrapped;
use crate::transcript::read_as;

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  talkmeter explain examples/calls/refund-anna.json --event 3\n  talkmeter explain examples/calls/refund-anna.json --role ch0=agent \\\n    --rules examples/rules/support.toml --rule refund-asked\n\nWithout --event, lists all events of the call."
)]
pub(super) struct Args {
    /// A result file
    path: PathBuf,
    /// Number of the event (column `event_index` of the table `events`)
    #[arg(long, value_name = "N")]
    event: Option<usize>,
    /// A rule file; with --rule explains a verdict
    #[arg(long, value_name = "FILE", requires = "rule", conflicts_with = "event")]
    rules: Option<PathBuf>,
    /// The id of the rule to explain: what each condition found, or where it looked
    #[arg(long, value_name = "ID", requires = "rules")]
    rule: Option<String>,
    #[command(flatten)]
    from: FromFlag,
    #[command(flatten)]
    settings: SettingsFlags,
}

/// Runs `explain`.
pub(super) fn run(args: Args, format: Format, console: &Console) -> Result<Exit, Failure> {
    let settings = args.settings.settings(console)?;
    let rules = args.rules.as_deref().map(|path| rules::read(path, console)).transpose()?;
    let bytes = named_file::read(&args.path, FileKind::Transcript)?;
    let transcript = match read_as(args.from.from, &args.path, &bytes) {
        Ok(transcript) => transcript,
        Err(refused) => {
            console.error(&format!("{}: {refused}", args.path.display()));
            return Ok(Exit::Failed);
        }
    };
    let measured = measure("", &transcript, &settings);
    if let Some((rules, id)) = rules.zip(args.rule) {
        return rules::explain(&rules, &id, &measured, &settings, format, console);
    }
    let Some(number) = args.event else {
        let head = vec!["event", "kind", "participant", "other", "begin_ms", "end_ms", "overlap_ms", "held_ms", "text"];
        let rows = measured.events.iter().map(|event| {
            vec![
                json!(event.event_index),
                json!(event.kind.name()),
                json!(measured.label(event.participant)),
                json!(measured.label(event.other)),
                json!(event.begin_ms),
                json!(event.end_ms),
                json!(event.overlap_ms),
                json!(event.held_ms),
                json!(event.text),
            ]
        });
        return Listing { head, rows: rows.collect() }.print(format, console);
    };
    let Some(event) = measured.events.get(number) else {
        let there = match measured.events.len() {
            0 => "this call has no events".to_owned(),
            count => format!("events of this call are numbered 0 to {}", count - 1),
        };
        return Err(Failure::Usage(format!("no event {number}: {there}")));
    };
    let evidence = measured.evidence(event);
    let (participant, other) = (measured.label(event.participant), measured.label(event.other));
    if format == Format::Table {
        let length = event.end_ms - event.begin_ms;
        let [length, begin, end] = [length, event.begin_ms, event.end_ms].map(count);
        let what = format!("event {number}: {} of {length} ms, {begin}–{end} ms", event.kind.name());
        let who = match (event.overlap_ms.map(count), event.held_ms) {
            (Some(overlap), Some(0)) => {
                format!("{participant} and {other} began together and overlapped for {overlap} ms")
            }
            (Some(overlap), Some(held)) => {
                let held = count(held);
                format!("{participant} began after {other} had talked for {held} ms, overlapping {overlap} ms")
            }
            _ => format!("{participant} spoke before it, {other} after it"),
        };
        let thresholds: Vec<String> =
            settings.parameters.values().map(|(name, value)| format!("{name}\u{a0}{value}")).collect();
        // A value stays beside its name.
        let thresholds = wrapped(&thresholds.join(", "), Some(console.width().unwrap_or(80))).replace('\u{a0}', " ");
        let text = format!("{}\n{}\n{thresholds}\n\n", printable(&what), printable(&who));
        console.data(text.as_bytes())?;
    }
    let mut rows: Vec<(&str, &EvidenceWord)> = evidence.participant.iter().map(|word| (participant, word)).collect();
    if event.other != event.participant {
        rows.extend(evidence.other.iter().map(|word| (other, word)));
    } else {
        rows.extend(
            evidence.other.iter().filter(|word| !evidence.participant.contains(word)).map(|word| (other, word)),
        );
    }
    rows.sort_by_key(|(_, word)| (word.begin_ms, word.end_ms));
    let cells = rows.into_iter().map(|(participant, word)| {
        vec![json!(participant), json!(word.begin_ms), json!(word.end_ms), json!(word.inside), json!(word.text)]
    });
    Listing { head: vec!["participant", "begin_ms", "end_ms", "inside", "text"], rows: cells.collect() }
        .print(format, console)
}
