//! `rules run`: decides rules in every call of stored tables.

use std::path::PathBuf;

use serde_json::json;

use super::super::Exit;
use super::super::output::{Console, Failure, Format, Listing};
use super::read;
use crate::metrics::catalogue::{HITS, RULES};
use crate::report::number::counted;
use crate::tables::{self, Output, Stored};

/// Arguments of `rules run`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A rule file
    rules: PathBuf,
    /// Folders of tables written by `analyze -o`; needs calls, participants, bursts, turns, sentences and words
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Write the tables `rules` and `hits` to this folder [default: print `rules`]
    #[arg(short, long, value_name = "DIR", value_parser = crate::cli::stores::local_path())]
    output: Option<PathBuf>,
    /// Table formats: parquet, csv, jsonl
    #[arg(long, value_name = "FORMATS", value_delimiter = ',', default_value = "parquet")]
    tables: Vec<tables::Format>,
}

/// Runs `rules run`.
pub(super) fn run(args: &Args, format: Format, console: &Console) -> Result<Exit, Failure> {
    let rules = read(&args.rules, console)?;
    let stored = Stored::open(&args.folders)?;
    stored.check_for_rules()?;
    let Some(folder) = &args.output else {
        let mut rows = Vec::new();
        stored.run_rules(&rules, None, &mut |file, verdicts| {
            rows.extend(verdicts.iter().map(|row| {
                vec![
                    json!(file),
                    json!(&*row.rule),
                    json!(row.severity),
                    json!(row.matched),
                    json!(row.count),
                    json!(row.first_ms),
                ]
            }));
        })?;
        let head = RULES.columns.iter().map(|column| column.name).collect();
        return Listing { head, rows }.print(format, console);
    };
    if args.tables.contains(&tables::Format::Workbook) {
        let why = "rules run writes parquet, csv or jsonl; a workbook holds all tables, which `analyze --rules` writes";
        return Err(Failure::Usage(why.to_owned()));
    }
    let mut output = Output::create(folder, &args.tables, &[&HITS, &RULES])?.beside_others()?;
    stored.run_rules(&rules, Some(&mut output), &mut |_, _| ())?;
    let written = output.finish()?;
    console.note(&format!("{} written to {}", counted(written.files.len() as u64, "file"), folder.display()));
    Ok(Exit::Done)
}
