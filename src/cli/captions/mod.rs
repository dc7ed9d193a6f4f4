//! `captions`: result files → SRT and WebVTT, or what is wrong with captions.

mod checking;
mod target;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::Exit;
use super::analyze::unused_roles;
use super::check::refusal;
use super::inputs::Paths;
use super::output::{Console, Failure, Format as Print, printable};
use crate::captions::{Captions, Cue, Format, Limits, check};
use crate::metrics::{Roles, Settings, measure};
use crate::report::number::counted;
use crate::tables::Outcome;
use crate::transcript::{Input, read};
use target::Targets;

const EXAMPLES: &str = "\
Examples:
  talkmeter captions results -o captions --role ch0=agent,ch1=customer
  talkmeter captions call.json --to vtt > call.vtt
  talkmeter captions results --check --reading-speed 17
  talkmeter captions captions --check --format csv

Exit code 3 when --check finds something.";

/// Files that are read together, for each thread.
const FILES_A_THREAD: usize = 16;

/// Arguments of `captions`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    paths: Paths,
    /// Write captions to this folder, named as the result files; without it one file's captions are printed
    #[arg(short, long, value_name = "DIR", conflicts_with = "check")]
    output: Option<PathBuf>,
    /// Kinds of files: srt, vtt
    #[arg(long, value_name = "KINDS", value_delimiter = ',', default_value = "srt,vtt", value_parser = kind)]
    to: Vec<Format>,
    /// List what breaks the limits: in the .srt and .vtt files among PATH, and in what would be made of result files
    #[arg(long)]
    check: bool,
    /// Name participants: ch0=agent,ch1=customer. Two labels with one role become one participant
    #[arg(long = "role", value_name = "PARTICIPANT=ROLE")]
    roles: Vec<Roles>,
    #[command(flatten)]
    limits: LimitFlags,
}

/// Limits in place of the usual ones.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
struct LimitFlags {
    /// Characters a line [default by script: Latin 42, Chinese 16, Japanese 13, Korean 16]
    #[arg(long, value_name = "CHARACTERS", value_parser = clap::value_parser!(u32).range(1..=200))]
    line_length: Option<u32>,
    /// Lines a cue
    #[arg(long, value_name = "LINES", default_value = "2", value_parser = clap::value_parser!(u32).range(1..=4))]
    lines: u32,
    /// Characters a second [default by script: Latin 20, Chinese 9, Japanese 4, Korean 12]
    #[arg(long, value_name = "CHARACTERS", value_parser = clap::value_parser!(u32).range(1..=100))]
    reading_speed: Option<u32>,
    /// A cue is shown at least so long
    #[arg(long, value_name = "MS", default_value = "833", value_parser = clap::value_parser!(i64).range(1..=60_000))]
    min_duration_ms: i64,
    /// A cue is shown at most so long
    #[arg(long, value_name = "MS", default_value = "7000", value_parser = clap::value_parser!(i64).range(1..=60_000))]
    max_duration_ms: i64,
    /// Between two cues of one speaker
    #[arg(long, value_name = "MS", default_value = "83", value_parser = clap::value_parser!(i64).range(0..=10_000))]
    gap_ms: i64,
    /// A cue stays at most so long after its last word, and bridges no longer silence
    #[arg(long, value_name = "MS", default_value = "1500", value_parser = clap::value_parser!(i64).range(0..=60_000))]
    run_on_ms: i64,
    /// A silence at which a cue may well end
    #[arg(long, value_name = "MS", default_value = "250", value_parser = clap::value_parser!(i64).range(1..=60_000))]
    pause_ms: i64,
}

impl LimitFlags {
    fn limits(&self) -> Result<Limits, Failure> {
        if self.max_duration_ms < self.min_duration_ms {
            let (max, min) = (self.max_duration_ms, self.min_duration_ms);
            return Err(Failure::Usage(format!("--max-duration-ms {max} is less than --min-duration-ms {min}")));
        }
        Ok(Limits {
            line_length: self.line_length,
            lines: self.lines,
            reading_speed: self.reading_speed,
            min_duration_ms: self.min_duration_ms,
            max_duration_ms: self.max_duration_ms,
            gap_ms: self.gap_ms,
            run_on_ms: self.run_on_ms,
            pause_ms: self.pause_ms,
        })
    }
}

fn kind(text: &str) -> Result<Format, String> {
    let known = Format::ALL.into_iter().find(|format| format.extension() == text);
    known.ok_or_else(|| "there are srt and vtt".to_owned())
}

/// Runs `captions`.
pub(super) fn run(mut args: Args, print: Print, console: &Console) -> Result<Exit, Failure> {
    let limits = args.limits.limits()?;
    let mut roles = Roles::default();
    std::mem::take(&mut args.roles).into_iter().try_for_each(|more| roles.extend(more)).map_err(Failure::refused)?;
    let settings = Settings { roles, ..Settings::default() };
    args.to.sort_unstable();
    args.to.dedup();
    if args.check {
        return checking::run(&args.paths, &args.to, &limits, &settings, print, console);
    }
    if print != Print::Table {
        let hint = "captions are no rows; --to srt,vtt says which kinds of files, --format is for --check";
        return Err(Failure::Usage(hint.to_owned()));
    }
    match &args.output {
        Some(folder) => write(&args, folder, &limits, &settings, console),
        None => show(&args, &limits, &settings, console),
    }
}

/// Captions of one file to stdout.
fn show(args: &Args, limits: &Limits, settings: &Settings, console: &Console) -> Result<Exit, Failure> {
    let inputs = args.paths.find(None, console)?;
    let (input, format) = match (&inputs.files[..], &args.to[..]) {
        ([], _) => {
            console.error("no result file found");
            return Ok(Exit::Failed);
        }
        ([input], [format]) => (input, *format),
        ([_], _) => {
            return Err(Failure::Usage("give -o DIR to write files, or --to srt or --to vtt to print one".to_owned()));
        }
        (files, _) => {
            let many = counted(files.len() as u64, "result file");
            return Err(Failure::Usage(format!("{many}: give -o DIR to write captions of more than one")));
        }
    };
    match made(input, limits, settings) {
        Ok(made) => {
            let cues = made.captions.cues(format);
            for note in notes(&made.captions, &cues, format, limits) {
                console.note(&format!("{}: {note}", input.path.display()));
            }
            unused_roles(&settings.roles, &made.labels, console);
            console.data(format.write(&cues).as_bytes())?;
            Ok(if inputs.excluded.is_empty() { Exit::Done } else { Exit::Partly })
        }
        Err(outcome) => {
            console.say(&refusal(&input.path, &outcome));
            Ok(Exit::Failed)
        }
    }
}

/// Captions of all files to a folder.
fn write(args: &Args, folder: &Path, limits: &Limits, settings: &Settings, console: &Console) -> Result<Exit, Failure> {
    let inputs = args.paths.find(Some(folder), console)?;
    let mut targets = Targets::below(folder)?;
    let bar = console.progress(inputs.files.len());
    let (mut written, mut failed) = (0_u64, inputs.excluded.len() as u64);
    let mut labels = BTreeSet::new();
    for chunk in inputs.files.chunks(FILES_A_THREAD * rayon::current_num_threads()) {
        let chunk: Vec<(&Input, Result<PathBuf, String>)> =
            chunk.iter().map(|input| (input, targets.of(&input.file))).collect();
        let done: Vec<Result<Done, String>> = chunk
            .par_iter()
            .map(|(input, target)| {
                let target = target.as_ref().map_err(|why| format!("{}: {why}", input.path.display()))?;
                let made = made(input, limits, settings).map_err(|outcome| refusal(&input.path, &outcome))?;
                let cues: Vec<_> = args.to.iter().map(|&format| (format, made.captions.cues(format))).collect();
                target::write(target, &cues).map_err(|error| super::output::chain(&error))?;
                // One kind speaks for the other: names and dashes apart they are the same.
                let notes = cues.last().map(|(format, cues)| notes(&made.captions, cues, *format, limits));
                Ok(Done { notes: notes.unwrap_or_default(), labels: made.labels })
            })
            .collect();
        for ((input, _), done) in chunk.iter().zip(done) {
            bar.inc(1);
            match done {
                Ok(mut done) => {
                    written += 1;
                    labels.append(&mut done.labels);
                    let notes = done.notes.into_iter().map(|note| format!("{}: {note}", input.path.display()));
                    bar.suspend(|| notes.for_each(|note| console.note(&note)));
                }
                Err(why) => {
                    failed += 1;
                    bar.suspend(|| console.say(&why));
                }
            }
        }
    }
    bar.finish_and_clear();
    if written == 0 {
        targets.forget();
        console.error(if failed == 0 { "no result file found" } else { "no captions could be made" });
        return Ok(Exit::Failed);
    }
    unused_roles(&settings.roles, &labels, console);
    let files = counted(written * args.to.len() as u64, "file");
    console.note(&format!("{files} written to {}", printable(&folder.display().to_string())));
    Ok(if failed > 0 { Exit::Partly } else { Exit::Done })
}

/// What is left to say of a file that is written.
struct Done {
    notes: Vec<String>,
    labels: BTreeSet<String>,
}

/// Captions of one result file.
struct Made {
    captions: Captions,
    /// Of the labels that have a role those that the file has.
    labels: BTreeSet<String>,
}

fn made(input: &Input, limits: &Limits, settings: &Settings) -> Result<Made, Outcome> {
    let bytes = fs::read(&input.path).map_err(Outcome::Unreadable)?;
    let transcript = read(&bytes).map_err(Outcome::ParseError)?;
    let measured = measure(&input.file, &transcript, settings);
    let labels = settings.roles.iter().map(|(label, _)| label).filter(|label| measured.has_label(label));
    Ok(Made { labels: labels.map(str::to_owned).collect(), captions: Captions::new(&measured, limits) })
}

/// What is worth saying of a file's captions.
fn notes(captions: &Captions, cues: &[Cue], format: Format, limits: &Limits) -> Vec<String> {
    let mut notes = Vec::new();
    if captions.untimed_sentences() > 0 {
        notes.push(format!("{} without times left out", counted(captions.untimed_sentences(), "sentence")));
    }
    let mut faulty: Vec<usize> = check(cues, format, limits).iter().map(|violation| violation.cue).collect();
    faulty.dedup();
    if !faulty.is_empty() {
        let all = counted(cues.len() as u64, "cue");
        notes.push(format!("{} of {all} beyond a limit; `captions --check` lists them", faulty.len()));
    }
    notes
}
