//! `rules check`: what is wrong with rule files, and what can hardly be meant.

use std::path::PathBuf;

use serde_json::json;

use super::super::Exit;
use super::super::output::{Console, Failure, Format, Listing};
use super::read;
use crate::report::number::counted;

/// Arguments of `rules check`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Rule files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Runs `rules check`.
pub(super) fn run(args: &Args, format: Format, console: &Console) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    let mut rows = Vec::new();
    for path in &args.files {
        let rules = match read(path, console) {
            Ok(rules) => rules,
            Err(Failure::Reported(_)) => {
                exit = if exit == Exit::Done { Exit::Partly } else { exit };
                continue;
            }
            // The other files are checked all the same.
            Err(failure) => {
                exit = console.failed(&failure);
                continue;
            }
        };
        let warnings = rules.warnings();
        for warning in &warnings {
            console.say(&format!("{}: warning: {warning}", path.display()));
        }
        let counts = [rules.list().len(), rules.condition_count(), rules.phrase_count(), warnings.len()];
        if format == Format::Table {
            let [list, conditions, phrases, warned] = counts.map(|count| count as u64);
            let [list, conditions] = [counted(list, "rule"), counted(conditions, "condition")];
            let [phrases, warned] = [counted(phrases, "phrase"), counted(warned, "warning")];
            console.data(format!("{}: {list}, {conditions}, {phrases}; {warned}\n", path.display()).as_bytes())?;
        }
        rows.push([json!(path.display().to_string())].into_iter().chain(counts.map(|count| json!(count))).collect());
    }
    if format != Format::Table {
        let head = vec!["file", "rules", "conditions", "phrases", "warnings"];
        Listing { head, rows }.print(format, console)?;
    }
    Ok(exit)
}
