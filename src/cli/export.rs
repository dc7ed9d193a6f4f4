//! `export`: transcripts → the exchange formats of research, and text for people.

use std::path::{Path, PathBuf};

use super::Exit;
use super::check::refusal;
use super::convert::{self, Converted, all_roles, labels_of};
use super::inputs::Paths;
use super::output::{Console, Failure, Format as Print};
use crate::error::Error;
use crate::export::Format;
use crate::metrics::{Roles, Settings, measure};
use crate::report::number::counted;
use crate::tables::Outcome;
use crate::text::Markers;
use crate::transcript::{Input, Inputs};

const EXAMPLES: &str = "\
Examples:
  talkmeter export results --to rttm,stm -o research
  talkmeter export results --to md -o texts --role ch0=agent,ch1=customer
  talkmeter export call.json --to txt
  talkmeter export whisper.json --to seglst > hypothesis.json

Formats: rttm, ctm, stm, seglst, textgrid, eaf, whisper-json, txt, md.";

/// Arguments of `export`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    paths: Paths,
    /// Write to this folder; without it, print what is made of one file
    #[arg(short, long, value_name = "DIR", value_parser = super::stores::local_path())]
    output: Option<PathBuf>,
    /// Formats to write
    #[arg(long, required = true, value_name = "FORMATS", value_delimiter = ',', value_parser = format)]
    to: Vec<Format>,
    /// Name participants: ch0=agent,ch1=customer. Two labels with one role become one participant
    #[arg(long = "role", value_name = "PARTICIPANT=ROLE")]
    roles: Vec<Roles>,
    // Not as a doc comment: rustdoc would read a link and a tag.
    #[arg(long, help = "Keep markers such as [PII] and <unk> in texts")]
    keep_markers: bool,
}

fn format(name: &str) -> Result<Format, String> {
    name.parse().map_err(|error: Error| error.to_string())
}

/// Runs `export`.
pub(super) fn run(mut args: Args, print: Print, console: &Console) -> Result<Exit, Failure> {
    if print != Print::Table {
        return Err(Failure::Usage("choose formats of transcripts with --to; --format is for tables".to_owned()));
    }
    let roles = all_roles(std::mem::take(&mut args.roles)).map_err(Failure::refused)?;
    let markers = if args.keep_markers { Markers::Keep } else { Markers::Drop };
    let settings = Settings { roles, markers, ..Settings::default() };
    args.to.sort_unstable();
    args.to.dedup();
    let inputs = args.paths.find(args.output.as_deref(), console)?;
    let export = |input: &Input| exported(input, &args.to, &settings);
    match &args.output {
        Some(folder) => convert::write((&inputs, folder), "transcripts", &settings.roles, console, export),
        None if args.to.len() > 1 => {
            Err(Failure::Usage("choose one format to print, or write them to a folder (-o DIR)".to_owned()))
        }
        None => convert::show(&inputs, &settings.roles, console, export),
    }
}

/// Writes the results below a folder as text, into `text` beside them.
pub(super) fn write_texts(folder: &Path, console: &Console) -> Result<Exit, Failure> {
    let inputs = Inputs::find(&[folder], None);
    let settings = Settings::default();
    let export = |input: &Input| exported(input, &[Format::Text], &settings);
    convert::write((&inputs, &folder.join("text")), "texts", &settings.roles, console, export)
}

fn exported(input: &Input, formats: &[Format], settings: &Settings) -> Result<Converted, String> {
    let refuse = |outcome| refusal(&input.path, &outcome);
    let bytes = input.read().map_err(|error| refuse(Outcome::Unreadable(error)))?;
    let transcript = input.parse(&bytes).map_err(|error| refuse(Outcome::ParseError(error)))?;
    let measured = measure(input.file(), &transcript, settings);
    let mut made = Converted { labels: labels_of(settings, &measured), ..Converted::default() };
    for format in formats {
        let exported = format.write(&measured);
        if exported.left_out > 0 {
            let sentences = counted(exported.left_out, "sentence");
            let times = if *format == Format::Ctm { "word times" } else { "times" };
            let rest = if exported.content.is_empty() { ": nothing is left" } else { "" };
            made.notes.push(format!("{format} leaves out {sentences} without {times}{rest}"));
        }
        made.files.push((format.extension(), exported.content));
    }
    Ok(made)
}
