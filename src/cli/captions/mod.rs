//! `captions`: result files → SRT and WebVTT, and checks of captions.

mod check;
mod target;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::Exit;
use super::analyze::unused_roles;
use super::check::refusal;
use super::inputs::Paths;
use super::output::{Console, Failure, Format as Print, printable};
use crate::captions::{self, Captions, Cue, Format, Limits};
use crate::metrics::{Roles, Settings, measure};
use crate::named_file::{self, FileKind};
use crate::report::number::counted;
use crate::tables::Outcome;
use crate::text::Markers;
use crate::transcript::{Input, read};
use target::Targets;

const EXAMPLES: &str = "\
Examples:
  talkmeter captions results -o captions --role ch0=agent,ch1=customer
  talkmeter captions call.json --to vtt > call.vtt
  talkmeter captions results --check --reading-speed 17
  talkmeter captions captions --check --format csv

Exit code 3 if --check finds a violation.";

/// Files read together, per thread.
const FILES_A_THREAD: usize = 16;

/// Arguments of `captions`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    paths: Paths,
    /// Write captions to this folder; without it, print those of one file
    #[arg(short, long, value_name = "DIR", conflicts_with = "check")]
    output: Option<PathBuf>,
    /// Caption formats: srt, vtt
    #[arg(long, value_name = "FORMATS", value_delimiter = ',', default_value = "srt,vtt", value_parser = caption_format)]
    to: Vec<Format>,
    /// List cues that break a limit, in caption files and in the captions of result files
    #[arg(long)]
    check: bool,
    /// Name participants: ch0=agent,ch1=customer. Two labels with one role become one participant
    #[arg(long = "role", value_name = "PARTICIPANT=ROLE")]
    roles: Vec<Roles>,
    // Not as a doc comment: rustdoc would read a link and a tag.
    #[arg(long, help = "Show markers such as [PII] and <unk> as text")]
    keep_markers: bool,
    #[command(flatten)]
    limits: LimitFlags,
}

/// The limits of captions.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
struct LimitFlags {
    /// Maximum characters per line [default by script: Latin 42, Chinese 16, Japanese 13, Korean 16]
    #[arg(long, value_name = "CHARACTERS", value_parser = clap::value_parser!(u32).range(1..=200))]
    line_length: Option<u32>,
    /// Maximum lines per cue
    #[arg(long, value_name = "LINES", default_value = "2", value_parser = clap::value_parser!(u32).range(1..=4))]
    lines: u32,
    /// Maximum characters per second [default by script: Latin 20, Chinese 9, Japanese 4, Korean 12]
    #[arg(long, value_name = "CHARACTERS", value_parser = clap::value_parser!(u32).range(1..=100))]
    reading_speed: Option<u32>,
    /// Minimum time a cue is shown
    #[arg(long, value_name = "MS", default_value = "833", value_parser = clap::value_parser!(i64).range(1..=60_000))]
    min_duration_ms: i64,
    /// Maximum time a cue is shown
    #[arg(long, value_name = "MS", default_value = "7000", value_parser = clap::value_parser!(i64).range(1..=60_000))]
    max_duration_ms: i64,
    /// Minimum gap between two cues of one speaker
    #[arg(long, value_name = "MS", default_value = "83", value_parser = clap::value_parser!(i64).range(0..=10_000))]
    gap_ms: i64,
    /// How long a cue may stay after its last word; also the longest silence it may span
    #[arg(long, value_name = "MS", default_value = "1500", value_parser = clap::value_parser!(i64).range(0..=60_000))]
    run_on_ms: i64,
    /// A silence that is a good place to end a cue
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

fn caption_format(text: &str) -> Result<Format, String> {
    let known = Format::ALL.into_iter().find(|format| format.extension() == text);
    known.ok_or_else(|| "expected srt or vtt".to_owned())
}

/// Runs `captions`.
pub(super) fn run(mut args: Args, print: Print, console: &Console) -> Result<Exit, Failure> {
    let limits = args.limits.limits()?;
    let mut roles = Roles::default();
    std::mem::take(&mut args.roles).into_iter().try_for_each(|more| roles.extend(more)).map_err(Failure::refused)?;
    let markers = if args.keep_markers { Markers::Keep } else { Markers::Drop };
    let settings = Settings { roles, markers, ..Settings::default() };
    args.to.sort_unstable();
    args.to.dedup();
    if args.check {
        return check::run(&args.paths, &args.to, &limits, &settings, print, console);
    }
    if print != Print::Table {
        let hint = "--format is for the list of --check; choose caption formats with --to srt,vtt";
        return Err(Failure::Usage(hint.to_owned()));
    }
    match &args.output {
        Some(folder) => write(&args, folder, &limits, &settings, console),
        None => show(&args, &limits, &settings, console),
    }
}

/// Prints the captions of one file.
fn show(args: &Args, limits: &Limits, settings: &Settings, console: &Console) -> Result<Exit, Failure> {
    let inputs = args.paths.find(None, console)?;
    let (input, format) = match (&inputs.files[..], &args.to[..]) {
        ([], _) => {
            console.error("no result file found");
            return Ok(Exit::Failed);
        }
        ([input], [format]) => (input, *format),
        ([_], _) => {
            return Err(Failure::Usage(
                "choose one format to print (--to srt or --to vtt), or write both to a folder (-o DIR)".to_owned(),
            ));
        }
        (files, _) => {
            let many = counted(files.len() as u64, "result file");
            return Err(Failure::Usage(format!("{many}: only one can be printed; write them to a folder with -o DIR")));
        }
    };
    match read_captions(input, limits, settings) {
        Ok(read) => {
            let cues = read.captions.cues(format);
            for note in notes(&read.captions, &cues, format, limits) {
                console.note(&format!("{}: {note}", input.path.display()));
            }
            unused_roles(&settings.roles, &read.labels, console);
            console.data(format.write(&cues).as_bytes())?;
            Ok(if inputs.excluded.is_empty() { Exit::Done } else { Exit::Partly })
        }
        Err(why) => {
            console.say(&why);
            Ok(Exit::Failed)
        }
    }
}

/// Writes the captions of all files to a folder.
fn write(args: &Args, folder: &Path, limits: &Limits, settings: &Settings, console: &Console) -> Result<Exit, Failure> {
    let inputs = args.paths.find(Some(folder), console)?;
    let mut targets = Targets::new(folder)?;
    let bar = console.progress(inputs.files.len());
    let (mut written, mut failed) = (0_u64, inputs.excluded.len() as u64);
    let mut labels = BTreeSet::new();
    for chunk in inputs.files.chunks(FILES_A_THREAD * rayon::current_num_threads()) {
        let chunk: Vec<(&Input, Result<PathBuf, String>)> =
            chunk.iter().map(|input| (input, targets.path_for(&input.file))).collect();
        let done: Vec<Result<WrittenFile, String>> = chunk
            .par_iter()
            .map(|(input, target)| {
                let target = target.as_ref().map_err(|why| format!("{}: {why}", input.path.display()))?;
                let read = read_captions(input, limits, settings)?;
                let cues: Vec<_> = args.to.iter().map(|&format| (format, read.captions.cues(format))).collect();
                target::write(target, &cues).map_err(|error| super::output::chain(&error))?;
                // Apart from names both formats have the same text: notes on one will do.
                let notes = cues.last().map(|(format, cues)| notes(&read.captions, cues, *format, limits));
                Ok(WrittenFile { notes: notes.unwrap_or_default(), labels: read.labels })
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
        targets.remove_if_empty();
        console.error(if failed == 0 { "no result file found" } else { "no captions could be made" });
        return Ok(Exit::Failed);
    }
    unused_roles(&settings.roles, &labels, console);
    let files = counted(written * args.to.len() as u64, "file");
    console.note(&format!("{files} written to {}", printable(&folder.display().to_string())));
    Ok(if failed > 0 { Exit::Partly } else { Exit::Done })
}

/// What remains to be reported about a file.
struct WrittenFile {
    notes: Vec<String>,
    labels: BTreeSet<String>,
}

/// The captions of one result file.
struct FileCaptions {
    captions: Captions,
    /// Labels of `--role` that occur in the file.
    labels: BTreeSet<String>,
}

/// Makes captions of a result file; the error is a message.
fn read_captions(input: &Input, limits: &Limits, settings: &Settings) -> Result<FileCaptions, String> {
    let refuse = |outcome| refusal(&input.path, &outcome);
    let bytes = named_file::read_bytes(&input.path, FileKind::Transcript)
        .map_err(|error| refuse(Outcome::Unreadable(error)))?;
    if let Some(format) = caption_file(&input.path, &bytes) {
        let format = format.extension().to_ascii_uppercase();
        return Err(format!("{}: captions are made from result files; this is {format} already", input.path.display()));
    }
    measured_captions(input, &bytes, limits, settings).map_err(refuse)
}

fn measured_captions(
    input: &Input,
    bytes: &[u8],
    limits: &Limits,
    settings: &Settings,
) -> Result<FileCaptions, Outcome> {
    let transcript = read(bytes).map_err(Outcome::ParseError)?;
    let measured = measure(&input.file, &transcript, settings);
    let labels = settings.roles.iter().map(|(label, _)| label).filter(|label| measured.has_label(label));
    Ok(FileCaptions { labels: labels.map(str::to_owned).collect(), captions: Captions::new(&measured, limits) })
}

/// The format of a caption file, by its name or else by its content.
fn caption_file(path: &Path, bytes: &[u8]) -> Option<Format> {
    let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
    let named = |format: &Format| extension.as_ref().is_some_and(|extension| extension == format.extension());
    Format::ALL.into_iter().find(named).or_else(|| Format::detect(bytes))
}

/// Notes about a file's captions.
fn notes(captions: &Captions, cues: &[Cue], format: Format, limits: &Limits) -> Vec<String> {
    let mut notes = Vec::new();
    if captions.untimed_sentences() > 0 {
        notes.push(format!("left out {} without times", counted(captions.untimed_sentences(), "sentence")));
    }
    let mut faulty: Vec<usize> = captions::check(cues, format, limits).iter().map(|violation| violation.cue).collect();
    faulty.dedup();
    if !faulty.is_empty() {
        let all = counted(cues.len() as u64, "cue");
        notes.push(format!("{} of {all} break a limit; `captions --check` lists them", faulty.len()));
    }
    notes
}
