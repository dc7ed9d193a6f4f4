//! `cost reconcile`: estimate, results, reported usage and statement side by side, with why they differ.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde_json::json;

use super::super::Exit;
use super::super::output::{Console, Failure, Format, Listing};
use super::super::prices::{PriceFlags, warn_if_old_for};
use super::breakdown::exact;
use super::{focus, tokens};
use crate::batch::{LedgerReport, Receipts};
use crate::billing::{Account, Accounts, Reconciliation, Rounding, Statement, StatementRow, Usage};
use crate::error::Error;
use crate::metrics::{Settings, measure};
use crate::named_file::{self, FileKind, NamedFile};
use crate::report::number::counted;

const EXAMPLES: &str = "\
Examples:
  talkmeter cost reconcile out
  talkmeter cost reconcile out --statement bill.csv --rounding nearest
  talkmeter cost reconcile out --statement bill.csv --focus > focus.csv

The statement is a CSV file with a column ResourceId, task_id, file or url, and ConsumedQuantity or seconds, or BilledCost or
cost. For a model billed in tokens: input_tokens and output_tokens, or a quantity whose SkuMeter is tokens_in or tokens_out.
Result files have no token counts, so the reported tokens are compared with the statement, and amounts with list prices.
Rows that name no recording of the batch are counted and summed on stderr. Exit code 3: figures differ by more than a second,
or by a token.";

/// Arguments of `cost reconcile`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Output folder of `transcribe`
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Read the provider's statement from this file
    #[arg(long, value_name = "FILE")]
    statement: Option<PathBuf>,
    /// How to round seconds: up, nearest (per track), up-on-sum (per recording)
    #[arg(long, value_name = "RULE", default_value = "up", value_parser = rule)]
    rounding: Rounding,
    /// Print FOCUS columns as CSV; `BilledCost` is filled from the statement only
    #[arg(long)]
    focus: bool,
    #[command(flatten)]
    prices: PriceFlags,
}

fn rule(name: &str) -> Result<Rounding, String> {
    let names = || Rounding::ALL.map(Rounding::name).join(", ");
    Rounding::ALL.into_iter().find(|rule| rule.name() == name).ok_or_else(|| format!("use one of {}", names()))
}

pub(super) fn run(args: &Args, today: Date, format: Format, console: &Console) -> Result<Exit, Failure> {
    let prices = args.prices.prices(None, console)?;
    let receipts = LedgerReport::read(&args.dir)?.map(|ledger| ledger.receipts()).ok_or_else(|| {
        Failure::Usage(format!("{}: not an output folder of `transcribe` (it has no ledger)", args.dir.display()))
    })?;
    let statement = args.statement.as_deref().map_or_else(|| Ok(Vec::new()), |path| statement(path, console))?;
    let Receipts { model, region, .. } = &receipts;
    warn_if_old_for(&prices, region.map(|region| (&model[..], region)), today, console);
    let stated = statement.iter().find(|row| !row.currency.is_empty() && row.cost.is_some());
    let stated = stated.map(|row| row.currency.clone());
    let mut reconciliation = Reconciliation::new(model, *region, receipts.submissions(), statement, &prices);
    if let Some((stated, unit)) = stated.zip(reconciliation.unit())
        && !stated.eq_ignore_ascii_case(unit.currency.code())
    {
        let ours = unit.currency;
        console.say(&format!("warning: the statement is in {stated}, the prices are in {ours} (use --currency)"));
    }
    for (at, recording) in receipts.recordings.iter().enumerate() {
        let Some(file) = &recording.file else { continue };
        let path = args.dir.join(file);
        if let Err(why) = add_result(&mut reconciliation, at, file, &path) {
            console.say(&format!("{}: {why}", path.display()));
        }
    }
    note_foreign(reconciliation.foreign_rows(), console);
    let accounts = reconciliation.accounts();
    let listing = match &accounts {
        Accounts::Tokens(accounts) => {
            note_without_meter(reconciliation.rows_without_meter(), console);
            tokens::listing(accounts)
        }
        Accounts::Seconds(accounts) => seconds(args.rounding, accounts),
    };
    let (listing, format) = if args.focus {
        (focus::listing(&reconciliation.charges(&accounts, args.rounding)), Format::Csv)
    } else {
        (listing, format)
    };
    listing.print(format, console)?;
    let different = accounts.different(args.rounding);
    if different == 0 {
        return Ok(Exit::Done);
    }
    let than = match (&accounts, different) {
        (Accounts::Tokens(_), _) => "the reported usage",
        (_, 1) => "its result",
        _ => "their results",
    };
    console.say(&format!("warning: {} billed differently from {than}", counted(different, "recording")));
    Ok(Exit::Partly)
}

fn statement(path: &Path, console: &Console) -> Result<Vec<StatementRow>, Failure> {
    let file = NamedFile::open(path, FileKind::Statement).map_err(|error| Error::io("read", path, error))?;
    let statement = Statement::read(&path.to_string_lossy(), file)?;
    statement.notes.iter().for_each(|note| console.note(&format!("{}: {note}", path.display())));
    Ok(statement.rows)
}

fn add_result(reconciliation: &mut Reconciliation<'_>, at: usize, file: &str, path: &Path) -> Result<(), String> {
    let bytes = named_file::read_bytes(path, FileKind::Transcript).map_err(|error| error.to_string())?;
    let transcript = crate::transcript::read(&bytes).map_err(|refused| refused.to_string())?;
    reconciliation.add_result(at, &measure(file, &transcript, &Settings::default()));
    Ok(())
}

/// Notes the rows of the statement that name no recording of the batch, with the sum of their quantities.
fn note_foreign(foreign: &[StatementRow], console: &Console) {
    if foreign.is_empty() {
        return;
    }
    let rows = counted(foreign.len() as u64, "statement row");
    let name = if foreign.len() == 1 { "names" } else { "name" };
    let all: Usage = foreign.iter().map(|row| row.usage).sum();
    let quantities = [(all.seconds, "s"), (all.tokens_in, "input tokens"), (all.tokens_out, "output tokens")];
    let quantities = quantities.iter().filter_map(|(quantity, unit)| Some(format!("{} {unit}", (*quantity)?)));
    let quantities = quantities.collect::<Vec<_>>().join(", ");
    let quantities = if quantities.is_empty() { "no quantity".to_owned() } else { quantities };
    console.note(&format!("{rows} {name} no recording of this batch: {quantities}"));
}

fn note_without_meter(rows: u64, console: &Console) {
    match rows {
        0 => {}
        1 => {
            console.say("warning: 1 statement row does not say which tokens it counts (input or output): not compared")
        }
        _ => console.say(&format!(
            "warning: {} do not say which tokens they count (input or output): not compared",
            counted(rows, "statement row")
        )),
    }
}

/// For models billed by the second.
fn seconds(rounding: Rounding, accounts: &[Account]) -> Listing {
    let head =
        vec!["file", "estimate_s", "estimate_high_s", "actual_s", "usage_s", "statement_s", "statement_cost", "why"];
    let row = |account: &Account| {
        vec![
            json!(account.file),
            json!(account.estimate),
            json!(account.estimate_high),
            json!(account.actual(rounding)),
            json!(account.usage),
            json!(account.statement),
            exact(account.statement_cost),
            json!(account.differences(rounding).join("; ")),
        ]
    };
    Listing { head, rows: accounts.iter().map(row).collect() }
}
