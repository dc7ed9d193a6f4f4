//! `rules diff`: the calls of stored tables in which two rule files disagree.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::json;

use super::super::Exit;
use super::super::document::json as json_of;
use super::super::output::{Console, Failure, Format, Listing};
use super::read;
use crate::report::number::counted;
use crate::rules::Flip;
use crate::tables::Stored;

/// Arguments of `rules diff`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The rules before the change
    old: PathBuf,
    /// The rules after it
    new: PathBuf,
    /// Folders of tables written by `analyze -o`
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Exit with 3 if a verdict, or the list of rules, changes
    #[arg(long)]
    fail_on_change: bool,
}

/// What changes, as JSON.
#[derive(Serialize)]
struct Changes<'c> {
    flips: &'c [Flip],
    added: &'c [&'c str],
    removed: &'c [&'c str],
}

/// Runs `rules diff`.
pub(super) fn run(args: &Args, format: Format, console: &Console) -> Result<Exit, Failure> {
    // Both, so that all faults are seen at once.
    let (old, new) = match (read(&args.old, console), read(&args.new, console)) {
        (Err(failure), Err(other)) => {
            console.failed(&failure);
            return Err(other);
        }
        (old, new) => (old?, new?),
    };
    let stored = Stored::open(&args.folders)?;
    let mut flips: Vec<Flip> = Vec::new();
    let calls = stored.compare_rules(&old, &new, &mut |flip| flips.push(flip))?;
    let (added, removed) = old.added_and_removed(&new);
    let head = vec!["file", "rule", "before", "after", "because"];
    // An empty cell would be a riddle to people.
    let is_for_people = matches!(format, Format::Table | Format::Md);
    let verdict =
        |verdict: Option<bool>| if verdict.is_none() && is_for_people { json!("unknown") } else { json!(verdict) };
    let rows = flips.iter().map(|flip| {
        vec![json!(flip.file), json!(flip.rule), verdict(flip.before), verdict(flip.after), json!(flip.because)]
    });
    let listing = Listing { head, rows: rows.collect() };
    let list = |ids: &[&str]| if ids.is_empty() { "none".to_owned() } else { ids.join(", ") };
    let summary = format!(
        "{} in {}; rules added: {}; removed: {}",
        counted(flips.len() as u64, "flip"),
        counted(calls, "call"),
        list(&added),
        list(&removed)
    );
    match format {
        Format::Json => {
            console.data(json_of(&Changes { flips: &flips, added: &added, removed: &removed })?.as_bytes())?;
        }
        Format::Md if flips.is_empty() => {
            console.data(format!("{summary}\n").as_bytes())?;
        }
        Format::Md => {
            console.data(format!("{summary}\n\n{}", listing.markdown()).as_bytes())?;
        }
        Format::Table => {
            console.data(format!("{}{summary}\n", listing.table(console)).as_bytes())?;
        }
        Format::Jsonl | Format::Csv => {
            listing.print(format, console)?;
            console.note(&summary);
        }
    }
    let changed = !(flips.is_empty() && added.is_empty() && removed.is_empty());
    Ok(if args.fail_on_change && changed { Exit::Partly } else { Exit::Done })
}
