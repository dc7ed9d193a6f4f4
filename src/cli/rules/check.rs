//! `rules check`: what is wrong with rule files, and what can hardly be meant.

use std::path::PathBuf;

use super::super::Exit;
use super::super::output::{Console, Failure};
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
pub(super) fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    for path in &args.files {
        let rules = match read(path, console) {
            Ok(rules) => rules,
            Err(Failure::Reported(_)) => {
                exit = Exit::Partly;
                continue;
            }
            Err(failure) => return Err(failure),
        };
        let warnings = rules.warnings();
        for warning in &warnings {
            console.say(&format!("{}: warning: {warning}", path.display()));
        }
        let [list, conditions, phrases] =
            [(rules.list().len(), "rule"), (rules.condition_count(), "condition"), (rules.phrase_count(), "phrase")]
                .map(|(count, what)| counted(count as u64, what));
        let warned = counted(warnings.len() as u64, "warning");
        console.data(format!("{}: {list}, {conditions}, {phrases}; {warned}\n", path.display()).as_bytes())?;
    }
    Ok(exit)
}
