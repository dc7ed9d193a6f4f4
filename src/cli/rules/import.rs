//! `rules import`: categories of Amazon Transcribe Call Analytics as a rule file.

use std::path::PathBuf;

use super::super::Exit;
use super::super::inputs::read_text;
use super::super::output::{Console, Failure};
use crate::named_file::FileKind;
use crate::report::number::counted;
use crate::rules;

/// Arguments of `rules import`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The JSON of `aws transcribe list-call-analytics-categories`, or of one category
    file: PathBuf,
}

/// Runs `rules import`: the rule file goes to stdout, what is left out or different to stderr.
pub(super) fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let text = read_text(&args.file, FileKind::Categories, &|note| console.note(note))?;
    let path = args.file.display();
    let imported = rules::from_amazon_categories(&text).map_err(|why| Failure::Usage(format!("{path}: {why}")))?;
    for what in &imported.left_out {
        console.say(&format!("{path}: left out: {what}"));
    }
    for what in &imported.different {
        console.say(&format!("{path}: different: {what}"));
    }
    console.note(&format!("{} imported", counted(imported.rules as u64, "rule")));
    console.data(imported.text.as_bytes())?;
    Ok(if imported.rules == 0 { Exit::Failed } else { Exit::Done })
}
