//! `cost actual`: what transcription has cost, from result files and from the usage in ledgers.

use std::collections::HashMap;
use std::path::Path;

use jiff::civil::Date;
use rayon::prelude::*;
use serde_json::{Value, json};

use super::super::Exit;
use super::super::inputs::Paths;
use super::super::output::{Console, Failure, Format, Listing};
use super::super::prices::{PriceFlags, ledgers, warn_if_old_for};
use super::breakdown::{HEAD, VERSION, cells, in_words, projects, total_json};
use crate::batch::LedgerReport;
use crate::billing::{Basis, Line, Prices, of_usage, result_lines, totals};
use crate::catalog::Region;
use crate::error::Error;
use crate::metrics::{Settings, measure};
use crate::named_file::{self, FileKind};
use crate::report::number::counted;
use crate::transcript::{Input, Inputs, read};

const EXAMPLES: &str = "\
Examples:
  talkmeter cost actual out
  talkmeter cost actual results --model fun-asr --region cn --currency usd
  talkmeter cost actual out --prices contract.toml --format json

Each track of a result file is one line: its speech, rounded up to whole seconds. If PATH is an output folder of `transcribe`,
the usage reported by the service is listed too. These are two answers to the same question and are never added. Lines
without a known price are shown as not priced.";

/// Arguments of `cost actual`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    paths: Paths,
    /// Model of the transcripts, if no ledger names it (result files do not)
    #[arg(long)]
    model: Option<String>,
    #[command(flatten)]
    prices: PriceFlags,
}

/// The lines of all inputs.
pub(in crate::cli) struct Bill {
    pub(in crate::cli) lines: Vec<Line>,
    /// Result files read.
    pub(super) files: u64,
    /// Files that could not be read.
    pub(super) failed: u64,
}

pub(super) fn run(
    args: &Args,
    region: Option<Region>,
    today: Date,
    format: Format,
    console: &Console,
) -> Result<Exit, Failure> {
    let prices = args.prices.prices(None, console)?;
    let bill = bill(&args.paths.find(None, console)?, args.model.as_deref(), region, &prices, console)?;
    if bill.files == 0 {
        console.error(if bill.failed == 0 { "no result files found" } else { "no result file could be read" });
        return Ok(Exit::Failed);
    }
    let used = bill.lines.iter().filter_map(|line| Some((line.model.as_deref()?, line.region?)));
    warn_if_old_for(&prices, used, today, console);
    print(&bill, format, console)?;
    Ok(if bill.failed > 0 { Exit::Partly } else { Exit::Done })
}

/// Reads result files and the ledgers they belong to.
pub(in crate::cli) fn bill(
    inputs: &Inputs,
    model: Option<&str>,
    region: Option<Region>,
    prices: &Prices,
    console: &Console,
) -> Result<Bill, Failure> {
    let mut origins = HashMap::new();
    let mut usage = Vec::new();
    for folder in ledgers(inputs.files.iter().filter_map(|input| input.path.parent())) {
        match LedgerReport::read(folder) {
            Ok(Some(ledger)) => {
                usage.extend(ledger.reported_usage().flat_map(|reported| of_usage(&[reported], prices)));
                origins.extend(ledger.origins());
            }
            Ok(None) => {}
            Err(error) => console.note(&format!("{error}; model, region and usage are unknown")),
        }
    }
    let flags = Settings { model: model.map(str::to_owned), region, ..Settings::default() };
    // Results of flash calls have their own entry, others that of their batch.
    let settings = |input: &Input| {
        let origin = origins.get(&input.path).or_else(|| origins.get(input.path.parent()?));
        origin.map_or_else(
            || flags.clone(),
            |(model, region)| Settings { model: Some(model.clone()), region: *region, ..Settings::default() },
        )
    };
    let lines: Vec<Result<Vec<Line>, String>> =
        inputs.files.par_iter().map(|input| lines_of(input, &settings(input), prices)).collect();
    let mut bill = Bill { lines: Vec::new(), files: 0, failed: inputs.excluded.len() as u64 };
    for lines in lines {
        match lines {
            Ok(lines) => {
                bill.files += 1;
                bill.lines.extend(lines);
            }
            Err(why) => {
                bill.failed += 1;
                console.say(&why);
            }
        }
    }
    bill.lines.extend(usage);
    Ok(bill)
}

/// The lines of one file, or why it could not be read.
fn lines_of(input: &Input, settings: &Settings, prices: &Prices) -> Result<Vec<Line>, String> {
    let failed = |why: &dyn std::fmt::Display| format!("{}: {why}", input.path.display());
    let bytes = named_file::read_bytes(&input.path, FileKind::Transcript)
        .map_err(|error| failed(&Error::io("read", Path::new("it"), error)))?;
    let transcript = read(&bytes).map_err(|refused| failed(&refused))?;
    Ok(result_lines(&measure(&input.file, &transcript, settings), prices))
}

fn print(bill: &Bill, format: Format, console: &Console) -> Result<Exit, Failure> {
    let totals = totals(&bill.lines);
    if format == Format::Json {
        let currencies: Vec<&str> =
            totals.iter().filter_map(|total| total.currency).map(crate::catalog::Currency::code).collect();
        let one = currencies.first().filter(|first| currencies.iter().all(|code| code == *first));
        let report = json!({
            "version": VERSION, "kind": "actual", "currency": one,
            "totals": totals.iter().map(total_json).collect::<Vec<_>>(),
            "projects": projects(&bill.lines), "summary": summary(bill),
        });
        return console.data(format!("{report:#}\n").as_bytes());
    }
    let people = matches!(format, Format::Table | Format::Md);
    let rows = bill.lines.iter().map(|line| cells(line, people)).collect();
    let exit = Listing { head: HEAD.to_vec(), rows }.print(format, console)?;
    let said: Vec<String> = totals.iter().map(in_words).collect();
    if people {
        let bullet = if format == Format::Md { "- " } else { "" };
        let text: String = said.iter().map(|line| format!("{bullet}{line}\n")).collect();
        console.data(format!("\n{text}").as_bytes())?;
    } else {
        said.iter().for_each(|line| console.note(line));
    }
    let summary = summary(bill);
    let number = |name: &str| summary.get(name).and_then(Value::as_u64).unwrap_or(0);
    console.note(&format!(
        "{} found: {} priced, {} without a price, {} without a duration",
        counted(number("totalDetected"), "file"),
        number("totalSupported"),
        number("totalNoPrice"),
        number("totalNoDuration"),
    ));
    Ok(exit)
}

/// Counts files by what is known about them, from results alone.
fn summary(bill: &Bill) -> Value {
    let results: Vec<&Line> = bill.lines.iter().filter(|line| line.basis == Basis::Result).collect();
    let files = || results.chunk_by(|one, two| one.file == two.file);
    let without_duration = files().filter(|lines| lines.iter().any(|line| line.quantity.is_none())).count() as u64;
    let without_price = files()
        .filter(|lines| {
            lines.iter().all(|line| line.quantity.is_some()) && lines.iter().any(|line| line.unit.is_none())
        })
        .count() as u64;
    json!({
        "totalDetected": bill.files + bill.failed, "totalSupported": bill.files - without_price - without_duration,
        "totalNoPrice": without_price, "totalNoDuration": without_duration, "totalUnreadable": bill.failed,
    })
}
