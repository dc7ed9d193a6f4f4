//! `captions`: result files → SRT and WebVTT, and checks of captions.

mod check;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Exit;
use super::check::refusal;
use super::convert::{self, Converted, all_roles, labels_of};
use super::inputs::Paths;
use super::output::{Console, Failure, Format as Print};
use crate::captions::{self, Captions, Cue, Format, Limits};
use crate::metrics::{Roles, Settings, measure};
use crate::report::number::counted;
use crate::tables::Outcome;
use crate::text::Markers;
use crate::transcript::{Input, IsFile, is_transcript};

const EXAMPLES: &str = "\
Examples:
  talkmeter captions results -o captions --role ch0=agent,ch1=customer
  talkmeter captions call.json --to vtt > call.vtt
  talkmeter captions results --check --reading-speed 17
  talkmeter captions captions --check --format csv

Exit code 3 if --check finds a violation.";

/// Arguments of `captions`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    paths: Paths,
    /// Write captions to this folder; without it, print those of one file
    #[arg(short, long, value_name = "DIR", conflicts_with = "check", value_parser = super::stores::local_path())]
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
    let roles = all_roles(std::mem::take(&mut args.roles)).map_err(Failure::refused)?;
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
    let inputs = args.paths.find_where(is_no_caption, args.output.as_deref(), console)?;
    let convert = |input: &Input| convert(input, &args.to, &limits, &settings);
    match &args.output {
        Some(folder) => convert::write((&inputs, folder), "captions", &settings.roles, console, convert),
        None if args.to.len() > 1 && inputs.files.len() == 1 => Err(Failure::Usage(
            "choose one format to print (--to srt or --to vtt), or write both to a folder (-o DIR)".to_owned(),
        )),
        None => convert::show(&inputs, &settings.roles, console, convert),
    }
}

/// Captions are made of everything but captions.
fn is_no_caption(path: &Path, is_file: IsFile<'_>) -> bool {
    let named = |ending: &std::ffi::OsStr| Format::ALL.iter().any(|one| ending.eq_ignore_ascii_case(one.extension()));
    let is_caption = |path: &Path| path.extension().is_some_and(named);
    !is_caption(path) && is_transcript(path, &|other| is_file(other) && !is_caption(other))
}

/// Makes the captions of a file.
fn convert(input: &Input, formats: &[Format], limits: &Limits, settings: &Settings) -> Result<Converted, String> {
    let read = read_captions(input, limits, settings)?;
    let cues: Vec<_> = formats.iter().map(|&format| (format, read.captions.cues(format))).collect();
    // Apart from names both formats have the same text: notes on one will do.
    let notes = cues.last().map(|(format, cues)| notes(&read.captions, cues, *format, limits));
    let files = cues.iter().map(|(format, cues)| (format.extension(), format.write(cues))).collect();
    Ok(Converted { files, notes: notes.unwrap_or_default(), labels: read.labels })
}

/// The captions of a file, and the labels of roles that occur in it.
struct FileCaptions {
    captions: Captions,
    labels: BTreeSet<String>,
}

/// Makes captions of a result file; the error is a message.
fn read_captions(input: &Input, limits: &Limits, settings: &Settings) -> Result<FileCaptions, String> {
    let refuse = |outcome| refusal(&input.path, &outcome);
    let bytes = input.read().map_err(|error| refuse(Outcome::Unreadable(error)))?;
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
    let transcript = input.parse(bytes).map_err(Outcome::ParseError)?;
    let measured = measure(input.file(), &transcript, settings);
    Ok(FileCaptions { labels: labels_of(settings, &measured), captions: Captions::new(&measured, limits) })
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
