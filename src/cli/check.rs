//! `check`: problems of result files, one line per file and code.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::Exit;
use super::advice;
use super::inputs::Paths;
use super::output::{Console, Failure, Format, Listing};
use crate::metrics::Warning;
use crate::report::number::counted;
use crate::tables::{self, Options, Outcome};
use crate::transcript::Severity;

const EXAMPLES: &str = "\
Examples:
  talkmeter check results
  talkmeter check results --format json
  find . -name '*.json' | talkmeter check - --serious

Exit code 3 if anything serious is found: a file that is not a result, or figures that are less reliable than they look.";

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    paths: Paths,
    /// List serious findings only
    #[arg(long)]
    serious: bool,
}

/// A warning in one clause: `end_after_duration 2 (channel 1, sentence_index 4)`.
pub(super) fn short(warning: &Warning) -> String {
    let mut text = warning.code.name().to_owned();
    if warning.count != 1 || warning.code.unit() != "file" {
        text += &format!(" {}", warning.count);
    }
    if let Some(detail) = &warning.detail {
        text += &format!(" ({detail})");
    }
    text
}

/// The message for a file that could not be measured.
pub(super) fn refusal(path: &Path, outcome: &Outcome) -> String {
    format!("{}: {}", path.display(), reason(path, outcome))
}

fn reason(path: &Path, outcome: &Outcome) -> String {
    match outcome {
        Outcome::ParseError(error) => match advice::for_parse_error(path, error.kind()) {
            Some(hint) => format!("{error} (hint: {hint})"),
            None => error.to_string(),
        },
        Outcome::Unreadable(error) => format!("cannot be read: {error}"),
        Outcome::Measured(_) | Outcome::LeftOut => String::new(),
    }
}

/// Runs `check`.
pub(super) fn run(args: &Args, format: Format, console: &Console) -> Result<Exit, Failure> {
    let inputs = args.paths.find(None, console)?;
    let mut rows: Vec<Vec<Value>> = Vec::new();
    let mut serious = inputs.excluded.len();
    let mut codes = BTreeSet::new();
    for excluded in &inputs.excluded {
        let path = excluded.path.to_string_lossy();
        rows.push(vec![
            json!(path),
            json!("serious"),
            json!("unreadable"),
            json!(1),
            json!(excluded.why),
            json!("cannot be opened"),
        ]);
    }
    let bar = console.progress(inputs.files.len());
    let options = Options::default();
    let analysis = tables::analyze(&inputs.files, &options, None, &mut |file| {
        bar.inc(1);
        let Outcome::Measured(warnings) = &file.outcome else {
            serious += 1;
            let code = if matches!(file.outcome, Outcome::ParseError(_)) { "refused" } else { "unreadable" };
            let why = reason(&file.path, &file.outcome);
            rows.push(vec![
                json!(file.file),
                json!("serious"),
                json!(code),
                json!(1),
                json!(why),
                json!("not measured"),
            ]);
            return;
        };
        for warning in warnings {
            codes.insert(warning.code);
            let severity = warning.severity;
            serious += usize::from(severity == Severity::Serious);
            if severity == Severity::Serious || !args.serious {
                rows.push(vec![
                    json!(file.file),
                    json!(severity),
                    json!(warning.code.name()),
                    json!(warning.count),
                    json!(warning.detail),
                    json!(warning.code.meaning()),
                ]);
            }
        }
    })?;
    bar.finish_and_clear();
    if let Some(copies) = &analysis.copies {
        serious += 1;
        rows.push(vec![
            json!(null),
            json!("serious"),
            json!("copies"),
            json!(copies.recordings),
            json!(copies.to_string()),
            json!("the same recording in several files; each was measured, so sums count it more than once"),
        ]);
    }
    let head = vec!["file", "severity", "code", "count", "detail", "meaning"];
    let clean = rows.is_empty();
    match (Listing { head, rows }).print(format, console) {
        // The exit code counts even if the list is not read to its end.
        Ok(_) | Err(Failure::BrokenPipe) => {}
        Err(failure) => return Err(failure),
    }
    let files = (inputs.files.len() + inputs.excluded.len()) as u64;
    match (files, clean) {
        (0, _) => console.error("no result file found"),
        (_, true) => console.note(&format!("{}, nothing found", counted(files, "file"))),
        (_, false) => {
            console.note(&format!("{}, {}", counted(files, "file"), counted(serious as u64, "serious finding")))
        }
    }
    advice::for_findings(&codes, &analysis).for_each(|hint| console.note(&format!("hint: {hint}")));
    Ok(match (serious, files) {
        (_, 0) => Exit::Failed,
        (0, _) => Exit::Done,
        _ => Exit::Partly,
    })
}
