//! `rules`: checks rule files, runs them over stored tables, and compares two of them.

mod check;
mod diff;
mod explain;
mod import;
mod run;

use std::path::Path;

use super::Exit;
use super::inputs::read_text;
use super::output::{Console, Failure, Format};
use crate::named_file::FileKind;
use crate::rules::{self, Rules};
pub(super) use explain::explain;

const EXAMPLES: &str = "\
Examples:
  talkmeter rules check examples/rules/support.toml
  talkmeter rules run examples/rules/support.toml out
  talkmeter rules diff old.toml new.toml out --format md --fail-on-change
  talkmeter analyze results -o out --rules examples/rules/support.toml
  talkmeter rules schema > rules.schema.json";

/// Arguments of `rules`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Check rule files: exit 3 and one line per fault, with file, line, column and rule
    Check(check::Args),
    /// Decide rules in every call of stored tables
    Run(run::Args),
    /// Compare two rule files over stored tables: which calls flip, and by which hit or figure
    Diff(diff::Args),
    /// Convert Amazon Transcribe Call Analytics categories into a rule file
    Import(import::Args),
    /// Print the JSON Schema of rule files, for editors
    Schema,
}

/// Runs `rules`.
pub(super) fn run(args: Args, format: Format, console: &Console) -> Result<Exit, Failure> {
    match args.command {
        Command::Check(args) => check::run(&args, format, console),
        Command::Run(args) => run::run(&args, format, console),
        Command::Diff(args) => diff::run(&args, format, console),
        Command::Import(args) => import::run(&args, console),
        Command::Schema => console.data(format!("{:#}\n", rules::schema()).as_bytes()),
    }
}

/// Reads a rule file; its faults are printed, one per line.
pub(super) fn read(path: &Path, console: &Console) -> Result<Rules, Failure> {
    let text = read_text(path, FileKind::Rules, &|note| console.note(note))?;
    Rules::parse(&text).map_err(|faults| {
        for fault in faults {
            console.say(&format!("{}:{fault}", path.display()));
        }
        Failure::Reported(Exit::Usage)
    })
}
