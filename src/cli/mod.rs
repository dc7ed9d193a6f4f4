//! The command line: the only place that reads arguments, prints, and decides exit codes.
//!
//! Each command is a file with its `Args` and a `run` that returns an `Exit`.

mod analyze;
mod captions;
mod check;
mod clip;
mod connection;
mod cost;
mod demo;
mod duration;
mod emulate;
mod explain;
mod flash;
mod inputs;
mod limit;
mod metrics;
mod models;
mod output;
mod page;
mod parameters;
mod prices;
mod report;
mod settings;
mod tally;
mod task;
mod token;
mod tracks;
mod transcribe;
mod upload;
mod vocab;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use connection::Connection;
use output::{Color, Console, Format};

/// How a command ended; the numbers are part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// Everything was done.
    Done = 0,
    /// Nothing was done.
    Failed = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// Some items failed, or a gate such as `check` was not met.
    Partly = 3,
    /// The service does not take the key, or the account may not.
    Denied = 4,
}

const ABOUT: &str = "Measures recorded calls: who spoke, for how long, how fast, and what the transcription is billed";

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 usage, 3 some files failed or a check found something,
4 authentication or quota.
Data goes to stdout, everything else to stderr.";

/// talkmeter
#[derive(Debug, Parser)]
#[command(name = "talkmeter", version, about = ABOUT, after_help = EXIT_CODES, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// How data is printed
    #[arg(long, value_enum, default_value_t, global = true)]
    format: Format,
    /// Say only what failed
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Say more; twice: every request to the service
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,
    /// When to use colour
    #[arg(long, value_enum, default_value_t, global = true)]
    color: Color,
    /// No progress bar, even on a terminal
    #[arg(long, global = true)]
    no_progress: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The whole pipeline on invented calls: no key, no network, no bill
    Demo(demo::Args),
    /// Recordings → result files, safely
    Transcribe(transcribe::Args),
    /// Short clips → text, now
    Flash(Box<flash::Args>),
    /// Result files → tables, metrics, report
    Analyze(analyze::Args),
    /// Tables → the report again: terminal, HTML, Markdown, JSON
    Report(report::Args),
    /// Result files → SRT and WebVTT; what is wrong with captions that are there
    Captions(captions::Args),
    /// Say what is wrong with result files before anyone trusts figures from them
    Check(check::Args),
    /// What transcription will cost, what it did cost, and whether the bill agrees
    Cost(cost::Args),
    /// Serve a stand-in for the service on 127.0.0.1: no key, no network, no bill
    Emulate(emulate::Args),
    /// Show the words behind an event
    Explain(explain::Args),
    /// The catalogue: every figure with unit, formula, null rule and source
    Metrics(metrics::Args),
    /// The catalogue of models: prices, limits, languages, parameters, and where the work is done
    Models(models::Args),
    /// Tasks of the account: list, show, wait, cancel, fetch their results
    Task(task::Args),
    /// Local files → oss:// addresses that the service can read for 48 hours
    Upload(upload::Args),
    /// A temporary key, for whoever shall not hold the real one
    Token(token::Args),
    /// Hotword lists: create, list, show, update, delete
    Vocab(vocab::Args),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write man pages to a folder
    Man {
        /// The folder; made when it is not there
        dir: std::path::PathBuf,
    },
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let console = Console::new(cli.global.quiet, cli.global.verbose, cli.global.color, cli.global.no_progress);
    console.listen();
    let exit = run(cli, &console).unwrap_or_else(|error| console.failed(&error));
    ExitCode::from(exit as u8)
}

/// Runs what waits for the network.
fn block_on<T>(work: impl Future<Output = Result<T, output::Failure>>) -> Result<T, output::Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime
        .map_err(|error| crate::Error::io("start", std::path::Path::new("the network's threads"), error))?
        .block_on(work)
}

fn run(cli: Cli, console: &Console) -> Result<Exit, output::Failure> {
    let format = cli.global.format;
    match cli.command {
        Command::Demo(args) => demo::run(&args, today(), format, console),
        Command::Transcribe(args) => transcribe::run(args, &cli.connection, format, console),
        Command::Flash(args) => flash::run(&args, &cli.connection, format, console),
        Command::Analyze(args) => analyze::run(args, today(), format, console),
        Command::Report(args) => report::run(&args, format, console),
        Command::Captions(args) => captions::run(args, format, console),
        Command::Check(args) => check::run(&args, format, console),
        Command::Cost(args) => cost::run(args, &cli.connection, today(), format, console),
        Command::Emulate(args) => emulate::run(args, console),
        Command::Explain(args) => explain::run(args, format, console),
        Command::Metrics(args) => metrics::run(&args, format, console),
        Command::Models(args) => models::run(&args, cli.connection.named_region()?, today(), format, console),
        Command::Task(args) => task::run(&args, &cli.connection, format, console),
        Command::Upload(args) => upload::run(args, &cli.connection, format, console),
        Command::Token(args) => token::run(&args, &cli.connection, format, console),
        Command::Vocab(args) => vocab::run(&args, &cli.connection, format, console),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "talkmeter", &mut script);
            console.data(&script)
        }
        Command::Man { dir } => {
            std::fs::create_dir_all(&dir)
                .and_then(|()| clap_mangen::generate_to(Cli::command(), &dir))
                .map_err(|error| crate::Error::io("write man pages to", &dir, error))?;
            Ok(Exit::Done)
        }
    }
}

/// In UTC, for the age of prices.
fn today() -> jiff::civil::Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `region` of `analyze` and its like means the same, but is not taken from the environment.
    const OWN: [&str; 1] = ["region"];

    fn twice(command: &clap::Command, global: &[String], found: &mut Vec<String>) {
        for inner in command.get_subcommands() {
            let own = inner.get_arguments().filter(|arg| !arg.is_global_set()).map(|arg| arg.get_id().to_string());
            found.extend(own.filter(|id| global.contains(id) && !OWN.contains(&id.as_str())));
            twice(inner, global, found);
        }
    }

    #[test]
    fn no_command_gives_a_global_flag_a_meaning_of_its_own() {
        let command = Cli::command();
        command.clone().debug_assert();
        let global: Vec<String> =
            command.get_arguments().filter(|arg| arg.is_global_set()).map(|arg| arg.get_id().to_string()).collect();
        let mut found = Vec::new();
        twice(&command, &global, &mut found);
        assert!(global.contains(&"timeout".to_owned()));
        assert_eq!(found, Vec::<String>::new());
    }
}
