//! `cost`: what transcription will cost, what it has cost, and whether the bill agrees.

mod actual;
mod breakdown;
mod document;
mod estimate;
mod focus;
mod groups;
mod lines;
mod reconcile;
mod recordings;
mod tokens;
mod vad;
mod verdict;

pub(super) use actual::bill;
pub(super) use estimate::free_seconds;

use clap::Subcommand;
use jiff::civil::Date;

use super::Exit;
use super::connection::RegionFlag;
use super::output::{Console, Failure, Format};

/// Arguments of `cost`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    region: RegionFlag,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Estimate the cost of recordings before sending anything
    Estimate(estimate::Args),
    /// Compute what transcription has cost, from result files and ledgers
    Actual(actual::Args),
    /// Compare the provider's statement with the results, and explain differences
    Reconcile(reconcile::Args),
}

/// Runs `cost …`.
pub(super) fn run(args: Args, today: Date, format: Format, console: &Console) -> Result<Exit, Failure> {
    let region = args.region.named_region()?;
    match args.command {
        Command::Estimate(args) => estimate::run(&args, region.unwrap_or_default(), today, format, console),
        Command::Actual(args) => actual::run(&args, region, today, format, console),
        Command::Reconcile(args) => reconcile::run(&args, today, format, console),
    }
}
