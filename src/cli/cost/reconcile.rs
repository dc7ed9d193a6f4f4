//! `cost reconcile`: estimate, results, reported usage and statement side by side, with why they differ, and a verdict.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::json;

use super::super::Exit;
use super::super::duration::duration;
use super::super::output::{Console, Failure, Format, Listing, chain};
use super::super::prices::{PriceFlags, warn_if_old_for};
use super::breakdown::exact;
use super::{focus, tokens, verdict};
use crate::batch::LedgerReport;
use crate::billing::{Account, Grain, Prices, Quantities, Reconciliation, Rounding, Statement, Terms};
use crate::catalog::{Currency, Region};
use crate::error::Error;
use crate::metrics::{Settings, measure};
use crate::named_file::{self, FileKind, NamedFile};
use crate::report::number::{count, counted};

const EXAMPLES: &str = "\
Examples:
  talkmeter cost reconcile out
  talkmeter cost reconcile out --statement bill.csv --tolerance 2s
  talkmeter cost reconcile out --statement bill.csv --rounding nearest --details
  talkmeter cost reconcile out --statement bill.csv --focus > focus.csv

The statement is CSV or JSON lines. A column ResourceId, task_id, url, file or name compares recordings; else date compares
days, month compares months (in UTC, by the submit), each by model and project if there are such columns. Quantities are in
ConsumedQuantity or seconds (for a model billed in tokens: input_tokens and output_tokens, or a quantity whose SkuMeter is
tokens_in or tokens_out), counted in ConsumedUnit (ms, seconds, minutes, hours, tokens, thousands of tokens); amounts are in
BilledCost or cost, in BillingCurrency.

Seconds are compared with the results, amounts with the statement's own seconds at list price. For a model billed in tokens,
which results do not count, the reported tokens take the place of the results; for flash calls the length of the clip does.
Without --statement the usage that the service reported is taken as the statement.

Exit code 3: something differs by more than the tolerance, cannot be compared, is not billed, or is not of this batch.";

/// Arguments of `cost reconcile`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Output folder of `transcribe` or `flash --save`
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Read the provider's statement from this file
    #[arg(long, value_name = "FILE")]
    statement: Option<PathBuf>,
    /// How to round seconds: up, nearest (per track), up-on-sum, nearest-on-sum (per task) [default: what explains most rows]
    #[arg(long, value_name = "RULE", value_parser = rule)]
    rounding: Option<Rounding>,
    /// Seconds that a row may differ by; its amount may differ by their price
    #[arg(long, value_name = "LENGTH", default_value = "1s", value_parser = duration)]
    tolerance: Duration,
    /// Print every row, not only the largest differences
    #[arg(long)]
    details: bool,
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
    let receipts = LedgerReport::read(&args.dir)?.map(|ledger| ledger.receipts()).ok_or_else(|| {
        Failure::Usage(format!(
            "{}: not an output folder of `transcribe` or `flash --save` (it has no ledger)",
            args.dir.display()
        ))
    })?;
    let statement = args.statement.as_deref().map(|path| statement(path, console)).transpose()?;
    let stated = statement.as_ref().and_then(Statement::currency).map(str::to_owned);
    let submissions = receipts.submissions();
    let mut models: Vec<(String, Option<Region>)> = Vec::new();
    for one in &submissions {
        if !models.iter().any(|(model, region)| *model == one.model && *region == one.region) {
            models.push((one.model.clone(), one.region));
        }
    }
    let prices = prices(args, stated.as_deref(), &models, console)?;
    let priced = models.iter().filter_map(|(model, region)| Some((&**model, (*region)?)));
    warn_if_old_for(&prices, priced, today, console);
    let settings: Vec<Settings> = submissions
        .iter()
        .map(|one| Settings { model: Some(one.model.clone()), region: one.region, ..Settings::default() })
        .collect();
    let mut reconciliation = Reconciliation::new(submissions, statement, &prices);
    let ours = reconciliation.currency().map(Currency::code);
    if let Some((stated, ours)) = stated.as_deref().zip(ours)
        && !stated.eq_ignore_ascii_case(ours)
    {
        // A price in its currency would have been taken, but for the flag.
        let known: Option<Currency> = stated.parse().ok();
        let other = match known {
            Some(currency) => Some(args.prices.prices_in(currency, console)?),
            None => None,
        };
        let advice = match known.filter(|_| other.is_some_and(|other| has_price(&other, &models))) {
            Some(currency) => format!(" (use --currency {})", currency.code().to_lowercase()),
            None => String::new(),
        };
        console.say(&format!(
            "warning: the statement is in {stated}, the prices are in {ours}: amounts are not compared{advice}"
        ));
    }
    for (at, (file, settings)) in receipts.results().zip(&settings).enumerate() {
        let Some(file) = file else { continue };
        let path = args.dir.join(file);
        if let Err(why) = add_result(&mut reconciliation, at, (file, &path), settings) {
            console.say(&format!("{}: {why}", path.display()));
        }
    }
    note_foreign(&reconciliation, console);
    let accounts = reconciliation.accounts();
    note_without_meter(reconciliation.rows_without_meter(), console);
    let tolerance = Decimal::from(args.tolerance.as_secs());
    let terms = reconciliation.terms(&accounts, args.rounding, tolerance);
    let verdict = reconciliation.verdict(&accounts, &terms);
    // Amounts in another currency than the statement's are not compared, and not summed.
    let currency = stated.as_deref().or(ours);
    if args.focus {
        focus::listing(&reconciliation.charges(&accounts, terms.rounding)).print(Format::Csv, console)?;
        verdict::lines(&verdict, currency).iter().for_each(|line| console.note(line));
    } else {
        let rows = [
            Some(seconds(&accounts.seconds, &terms)).filter(|_| verdict.rounding.is_some()),
            Some(tokens::listing(&accounts.tokens, &terms)).filter(|_| !accounts.tokens.is_empty()),
        ];
        verdict::print(
            &verdict,
            &rows.into_iter().flatten().collect::<Vec<_>>(),
            args.details,
            currency,
            format,
            console,
        )?;
    }
    if let Some(path) = args.statement.as_deref().map(Path::display) {
        if verdict.is_empty {
            console.error(&format!("{path} has a header and no row"));
        } else if !reconciliation.has_match() {
            let (stated, own) = reconciliation.first_keys();
            console.error(&format!("nothing in {path} matches this batch: it has `{stated}`, the batch has `{own}`"));
        }
    }
    Ok(if verdict.agrees() { Exit::Done } else { Exit::Partly })
}

/// Whether a model has a price.
fn has_price(prices: &Prices, models: &[(String, Option<Region>)]) -> bool {
    models.iter().any(|(model, region)| region.is_some_and(|region| prices.row(model, region).is_some()))
}

/// Prices in the currency of the statement where there are such; else of the several currencies that the models have, in that
/// of the first.
fn prices(
    args: &Args,
    stated: Option<&str>,
    models: &[(String, Option<Region>)],
    console: &Console,
) -> Result<Prices, Failure> {
    let listed = args.prices.prices(None, console)?;
    let price = |prices: &Prices, (model, region): &(String, Option<Region>)| {
        region.and_then(|region| prices.row(model, region).map(|row| row.currency))
    };
    let mut currencies = models.iter().filter_map(|model| price(&listed, model));
    let first = currencies.next();
    let of_first = first.filter(|first| currencies.any(|other| other != *first));
    for currency in [stated.and_then(|code| code.parse().ok()), of_first].into_iter().flatten() {
        let prices = args.prices.prices(Some(currency), console)?;
        if has_price(&prices, models) {
            return Ok(prices);
        }
    }
    Ok(listed)
}

fn statement(path: &Path, console: &Console) -> Result<Statement, Failure> {
    let file = NamedFile::open(path, FileKind::Statement)
        .map_err(|error| Failure::Usage(chain(&Error::io("read", path, error))))?;
    let statement = Statement::read(&path.to_string_lossy(), file)?;
    statement.notes.iter().for_each(|note| console.note(&format!("{}: {note}", path.display())));
    Ok(statement)
}

fn add_result(
    reconciliation: &mut Reconciliation<'_>,
    at: usize,
    (file, path): (&str, &Path),
    settings: &Settings,
) -> Result<(), String> {
    let bytes = named_file::read_bytes(path, FileKind::Transcript).map_err(|error| error.to_string())?;
    let transcript = crate::transcript::read(&bytes).map_err(|refused| refused.to_string())?;
    reconciliation.add_result(at, &measure(file, &transcript, settings));
    Ok(())
}

/// Notes the rows of the statement that name no recording of the batch, with the sum of their quantities.
fn note_foreign(reconciliation: &Reconciliation<'_>, console: &Console) {
    let number = reconciliation.foreign_rows().count();
    if number == 0 {
        return;
    }
    let rows = counted(number as u64, "statement row");
    let name = if number == 1 { "names" } else { "name" };
    let all = reconciliation.foreign_rows().map(|row| row.quantities).sum::<Quantities>().rounded_up();
    let quantities = [(all.seconds, "s"), (all.tokens_in, "input tokens"), (all.tokens_out, "output tokens")];
    let quantities = quantities.iter().filter_map(|(quantity, unit)| Some(format!("{} {unit}", count((*quantity)?))));
    let quantities = quantities.collect::<Vec<_>>().join(", ");
    let quantities = if quantities.is_empty() { "no quantity".to_owned() } else { quantities };
    let what = if reconciliation.grain() == Grain::Recording { "no recording" } else { "nothing" };
    console.note(&format!("{rows} {name} {what} of this batch: {quantities}"));
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
fn seconds(accounts: &[Account], terms: &Terms) -> Listing {
    let head = vec![
        "key",
        "verdict",
        "estimate_s",
        "estimate_high_s",
        "actual_s",
        "usage_s",
        "statement_s",
        "statement_cost",
        "why",
    ];
    let row = |account: &Account| {
        vec![
            json!(account.key),
            json!(account.standing(terms).name()),
            json!(account.estimate),
            json!(account.estimate_high),
            json!(account.actual(terms.rounding)),
            json!(account.usage),
            json!(account.statement),
            exact(account.statement_cost),
            json!(account.differences(terms).join("; ")),
        ]
    };
    Listing { head, rows: accounts.iter().map(row).collect() }
}
