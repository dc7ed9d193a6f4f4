//! The command line: the only place that reads arguments, prints, and decides exit codes.
//!
//! Each command is a module with its `Args` and a `run` that returns an `Exit`.

mod advice;
mod analyze;
mod arguments;
mod audio;
mod budget;
mod captions;
mod check;
mod clip;
mod compare;
mod completions;
mod condition;
mod connection;
mod convert;
mod cost;
mod demo;
mod document;
mod duration;
mod emulate;
mod expected_cost;
mod explain;
mod export;
mod flash;
mod help;
mod inputs;
mod interrupt;
mod limit;
mod max_result;
mod metadata;
mod metrics;
mod models;
mod order;
mod outcomes;
mod output;
mod page;
mod parameters;
mod prices;
mod query;
mod report;
mod report_files;
mod rules;
mod sensitivity;
mod settings;
mod shards;
mod stage;
mod stores;
mod summary;
mod task;
mod token;
mod tracks;
mod transcribe;
mod upload;
mod vocab;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches as _, Parser, Subcommand};

use connection::Connection;
use output::{Color, Console, Format};

/// Exit codes; the numbers are part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// Everything succeeded.
    Done = 0,
    /// The command failed.
    Failed = 1,
    /// The command line is invalid.
    Usage = 2,
    /// Some items failed, or a gate such as `check` was not met.
    Partly = 3,
    /// The service rejected the key, or the account lacks quota or permission.
    Denied = 4,
    /// Ctrl-C or SIGTERM.
    Interrupted = 130,
}

const ABOUT: &str = "Transcribe recorded calls, measure the conversations, and account for what it costs";

const EXIT_CODES: &str = "\
Exit codes: 0 success, 1 failure, 2 usage, 3 some files failed or a check was not met,
4 authentication or quota, 130 interrupted.
Data goes to stdout, everything else to stderr.";

/// talkmeter
#[derive(Debug, Parser)]
#[command(name = "talkmeter", version, about = ABOUT, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

/// The arguments of a command, with the global flags behind its own, and its footer.
///
/// A tree of all commands takes longer to build than a file to measure, so each is built when it is asked for; clap would put
/// its own global flags in front.
#[derive(Debug)]
struct Whole<A>(A);

impl<A: clap::Args> clap::Args for Whole<A> {
    fn augment_args(command: clap::Command) -> clap::Command {
        // The comment on the type would replace what the list of commands says.
        let about = command.get_about().cloned().unwrap_or_default();
        let command = Global::augment_args(A::augment_args(command));
        help::with_footers(command.about(about).long_about(None::<&str>))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl<A: clap::FromArgMatches> clap::FromArgMatches for Whole<A> {
    fn from_arg_matches(matches: &clap::ArgMatches) -> Result<Self, clap::Error> {
        A::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &clap::ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

/// A command that contacts the service, with the flags that say which and how.
#[derive(Debug, clap::Args)]
struct Online<A: clap::Args> {
    #[command(flatten)]
    args: A,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// Format of the data on stdout
    #[arg(long, value_enum, default_value_t, global = true)]
    format: Format,
    /// Print only errors
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Print more detail; repeat to log every request
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,
    /// When to use colour
    #[arg(long, value_enum, default_value_t, global = true)]
    color: Color,
    /// Hide progress bars
    #[arg(long, global = true)]
    no_progress: bool,
}

#[derive(Debug, clap::Args)]
struct Completions {
    /// The shell
    shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
struct Man {
    /// Folder to write to; created if missing
    dir: std::path::PathBuf,
}

#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Command {
    /// Run the whole pipeline on built-in calls: no key, no network, no bill
    Demo(Whole<demo::Args>),
    /// Transcribe recordings as a batch that can be resumed
    Transcribe(Whole<Online<transcribe::Args>>),
    /// Transcribe short clips and print the text as it arrives
    Flash(Whole<Box<Online<flash::Args>>>),
    /// Measure result files: tables, metrics, report
    Analyze(Whole<analyze::Args>),
    /// Render a report from stored tables: terminal, HTML, Markdown, JSON
    Report(Whole<report::Args>),
    /// Answer questions about stored tables, in SQL
    Query(Whole<query::Args>),
    /// Check rule files, run them over stored tables, compare them
    Rules(Whole<rules::Args>),
    /// Compare two sets of transcripts of the same calls: word errors, speakers, figures, cost
    Compare(Whole<compare::Args>),
    /// Count interruptions, dead air and turns under other thresholds and presets
    Sensitivity(Whole<sensitivity::Args>),
    /// Write SRT and WebVTT captions, or check existing ones
    Captions(Whole<captions::Args>),
    /// Write transcripts in the formats of research (RTTM, CTM, STM, EAF, …), as text or Markdown
    Export(Whole<export::Args>),
    /// Check result files for problems that would affect their figures
    Check(Whole<check::Args>),
    /// Estimate transcription costs, total them, reconcile them with the bill
    Cost(Whole<cost::Args>),
    /// Serve an emulator of the service on 127.0.0.1: no key, no network, no bill
    Emulate(Whole<emulate::Args>),
    /// Show the words behind an event
    Explain(Whole<explain::Args>),
    /// List every metric with its unit, formula, null rule and source
    Metrics(Whole<metrics::Args>),
    /// List the models: prices, limits, languages, parameters, regions
    Models(Whole<Online<models::Args>>),
    /// List, show, await and cancel tasks, and download their results
    Task(Whole<Online<task::Args>>),
    /// Upload local files; prints oss:// URLs that are valid for 48 hours
    Upload(Whole<Online<upload::Args>>),
    /// Create a short-lived API key to hand out
    Token(Whole<Online<token::Args>>),
    /// Create, list, show, update and delete hotword lists
    Vocab(Whole<Online<vocab::Args>>),
    /// Print a shell completion script
    Completions(Whole<Completions>),
    /// Write man pages to a folder
    Man(Whole<Man>),
}

impl Command {
    /// How to go on after an interruption.
    fn when_interrupted(&self) -> &'static str {
        match self {
            Self::Transcribe(_) => "progress is saved; run the same command to resume",
            Self::Flash(_) => "a call that had no answer yet may be billed",
            Self::Emulate(_) => "the emulator has stopped",
            Self::Upload(_) => "run the same command again; what was uploaded is deleted after 48 hours",
            Self::Task(_) | Self::Token(_) | Self::Vocab(_) => "a request without an answer may have been carried out",
            _ => "nothing is half-written; run the same command again",
        }
    }
}

fn command() -> clap::Command {
    // Each command has these flags itself, and takes what stands in front of it.
    Cli::command().mut_args(|flag| flag.global(false)).after_help(help::joined(EXIT_CODES))
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    ExitCode::from(main_from(std::env::args_os()))
}

/// Runs a command line, the program first, and returns its exit code. Ctrl-C ends the process.
pub fn main_from(arguments: impl Iterator<Item = std::ffi::OsString>) -> u8 {
    let parsed = command().try_get_matches_from(arguments::reordered(arguments)).and_then(|matches| {
        let global = matches.subcommand().map_or(&matches, |(_, command)| command);
        Ok(Cli { command: Command::from_arg_matches(&matches)?, global: Global::from_arg_matches(global)? })
    });
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return Console::new(false, 0, Color::Auto, true).refused(&error) as u8,
    };
    let console = Console::new(cli.global.quiet, cli.global.verbose, cli.global.color, cli.global.no_progress);
    console.listen();
    crate::tables::trace_engine_warnings();
    interrupt::watch(cli.command.when_interrupted(), &console);
    let exit = run(cli, &console).unwrap_or_else(|error| console.failed(&error));
    exit as u8
}

/// Runs async work to completion.
fn block_on<T>(work: impl Future<Output = Result<T, output::Failure>>) -> Result<T, output::Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime
        .map_err(|error| crate::Error::io("start", std::path::Path::new("the network's threads"), error))?
        .block_on(work)
}

fn run(cli: Cli, console: &Console) -> Result<Exit, output::Failure> {
    let format = cli.global.format;
    match cli.command {
        Command::Demo(Whole(args)) => demo::run(&args, today(), format, console),
        Command::Transcribe(Whole(args)) => transcribe::run(args.args, &args.connection, format, console),
        Command::Flash(Whole(args)) => flash::run(&args.args, &args.connection, format, console),
        Command::Analyze(Whole(args)) => analyze::run(args, today(), format, console),
        Command::Report(Whole(args)) => report::run(args, format, console),
        Command::Query(Whole(args)) => query::run(&args, format, console),
        Command::Rules(Whole(args)) => rules::run(args, format, console),
        Command::Compare(Whole(args)) => compare::run(args, today(), format, console),
        Command::Sensitivity(Whole(args)) => sensitivity::run(args, format, console),
        Command::Captions(Whole(args)) => captions::run(args, format, console),
        Command::Export(Whole(args)) => export::run(args, format, console),
        Command::Check(Whole(args)) => check::run(&args, format, console),
        Command::Cost(Whole(args)) => cost::run(args, today(), format, console),
        Command::Emulate(Whole(args)) => emulate::run(args, console),
        Command::Explain(Whole(args)) => explain::run(args, format, console),
        Command::Metrics(Whole(args)) => metrics::run(&args, format, console),
        Command::Models(Whole(args)) => models::run(&args.args, &args.connection, today(), format, console),
        Command::Task(Whole(args)) => task::run(&args.args, &args.connection, format, console),
        Command::Upload(Whole(args)) => upload::run(args.args, &args.connection, format, console),
        Command::Token(Whole(args)) => token::run(&args.args, &args.connection, format, console),
        Command::Vocab(Whole(args)) => vocab::run(&args.args, &args.connection, format, console),
        Command::Completions(Whole(Completions { shell })) => completions::run(shell, command(), console),
        Command::Man(Whole(Man { dir })) => {
            std::fs::create_dir_all(&dir)
                .and_then(|()| clap_mangen::generate_to(command(), &dir))
                .map_err(|error| crate::Error::io("write man pages to", &dir, error))?;
            Ok(Exit::Done)
        }
    }
}

/// Today's date in UTC, which the age of prices is measured against.
fn today() -> jiff::civil::Date {
    jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `region` of `analyze` and others has the same meaning, but is not read from the environment.
    const OWN: [&str; 1] = ["region"];

    fn globals(command: &clap::Command) -> Vec<String> {
        command.get_arguments().filter(|arg| arg.is_global_set()).map(|arg| arg.get_id().to_string()).collect()
    }

    fn redefined(command: &clap::Command, above: &[String], found: &mut Vec<String>) {
        let global = [above, &globals(command)].concat();
        for inner in command.get_subcommands() {
            let own = inner.get_arguments().filter(|arg| !arg.is_global_set()).map(|arg| arg.get_id().to_string());
            found.extend(own.filter(|id| global.contains(id) && !OWN.contains(&id.as_str())));
            redefined(inner, &global, found);
        }
    }

    #[test]
    fn no_command_gives_a_global_flag_a_meaning_of_its_own() {
        command().debug_assert();
        let mut command = command();
        command.build();
        let mut found = Vec::new();
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            assert!(globals(inner).contains(&"format".to_owned()), "{}", inner.get_name());
            redefined(inner, &[], &mut found);
        }
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn only_commands_that_contact_the_service_say_how() {
        let mut command = command();
        command.build();
        let with = |id: &str| -> Vec<&str> {
            let has = |command: &&clap::Command| command.get_arguments().any(|arg| arg.get_id() == id);
            command.get_subcommands().filter(has).map(clap::Command::get_name).collect()
        };
        let online = ["transcribe", "flash", "models", "task", "upload", "token", "vocab"];
        for id in ["base_url", "api_key_file", "timeout", "rate"] {
            assert_eq!(with(id), online, "{id}");
        }
        assert!(
            command
                .find_subcommand("task")
                .and_then(|task| task.find_subcommand("list"))
                .is_some_and(|list| { list.get_arguments().any(|arg| arg.get_id() == "timeout") })
        );
    }
}
