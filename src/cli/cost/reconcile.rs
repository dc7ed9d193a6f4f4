//! `cost reconcile`: estimate, results, reported usage and a statement side by side, with why they differ. What is known of each
//! recording is gathered here; models that are billed in tokens are compared beside, in `tokens`.

use std::fs::File;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::json;

use super::super::Exit;
use super::super::output::{Console, Failure, Format, Listing};
use super::super::prices::{PriceFlags, doubt_used};
use super::breakdown::exact;
use super::{focus, tokens};
use crate::batch::{LedgerReport, Receipt, Receipts, SubmittedRecording};
use crate::billing::{
    Account, Bounds, Estimate, Meter, Plan, Prices, Recording, Rounding, StatementRow, Usage, estimate, read_statement,
};
use crate::error::Error;
use crate::metrics::{Settings, measure};
use crate::report::number::counted;

const EXAMPLES: &str = "\
Examples:
  talkmeter cost reconcile out
  talkmeter cost reconcile out --statement bill.csv --rounding nearest --format md
  talkmeter cost reconcile out --statement bill.csv --focus > focus.csv

The statement is CSV with a column ResourceId, task_id, file or url, and ConsumedQuantity or seconds, or BilledCost or cost. Of
a model that is billed in tokens: input_tokens and output_tokens, or a quantity whose SkuMeter is tokens_in or tokens_out. A
result counts no tokens, so the tokens that the service reported are compared, and each meter's amount with its price.
Rows that name no recording of the batch are counted and summed on stderr. Exit code 3: figures differ by more than a second,
or by a token.";

/// Arguments of `cost reconcile`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// A folder of `transcribe`
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// The provider's statement
    #[arg(long, value_name = "FILE")]
    statement: Option<PathBuf>,
    /// How parts of a second are counted: up, nearest (each track), up-on-sum (each recording)
    #[arg(long, value_name = "RULE", default_value = "up", value_parser = rule)]
    rounding: Rounding,
    /// Print FOCUS columns as CSV; `BilledCost` is of the statement alone
    #[arg(long)]
    focus: bool,
    #[command(flatten)]
    prices: PriceFlags,
}

fn rule(name: &str) -> Result<Rounding, String> {
    let names = || Rounding::ALL.map(Rounding::name).join(", ");
    Rounding::ALL.into_iter().find(|rule| rule.name() == name).ok_or_else(|| format!("there are {}", names()))
}

pub(super) fn run(args: &Args, today: Date, format: Format, console: &Console) -> Result<Exit, Failure> {
    let prices = args.prices.prices(None)?;
    let receipts = LedgerReport::read(&args.dir)?.map(|ledger| ledger.receipts()).ok_or_else(|| {
        Failure::Usage(format!("{}: no folder of `transcribe`: it has no ledger", args.dir.display()))
    })?;
    let mut statement = match &args.statement {
        None => Vec::new(),
        Some(path) => {
            let file = File::open(path).map_err(|error| Error::io("read", path, error))?;
            read_statement(file).map_err(|why| Failure::Usage(format!("{}: {why}", path.display())))?
        }
    };
    let region = receipts.region;
    doubt_used(&prices, region.map(|region| (&receipts.model[..], region)), today, console);
    let meters = region.map_or(&[Meter::Speech][..], |region| prices.meters(&receipts.model, region));
    let unit = region.and_then(|region| prices.unit(&receipts.model, region, *meters.first()?));
    let currency = |row: &&StatementRow| !row.currency.is_empty() && row.cost.is_some();
    if let (Some(row), Some(unit)) = (statement.iter().find(currency), unit)
        && !row.currency.eq_ignore_ascii_case(unit.currency.code())
    {
        let ours = unit.currency;
        console.say(&format!(
            "warning: the statement is in {}, prices are in {ours}: --currency chooses them",
            row.currency
        ));
    }
    let mut recordings = Vec::new();
    for (at, sent) in receipts.recordings.iter().enumerate() {
        recordings.push(ReconciledRecording::of(args, (at, sent), &receipts, &prices, &mut statement, console));
    }
    if !statement.is_empty() {
        let rows = counted(statement.len() as u64, "row");
        let mut all = Usage::default();
        statement.iter().for_each(|row| all += row.usage);
        let quantities = [(all.seconds, "s"), (all.tokens_in, "tokens in"), (all.tokens_out, "tokens out")];
        let said = quantities.iter().filter_map(|(quantity, unit)| Some(format!("{} {unit}", (*quantity)?)));
        let said = said.collect::<Vec<_>>().join(", ");
        let said = if said.is_empty() { "no quantity".to_owned() } else { said };
        console.note(&format!("{rows} of the statement name no recording of this batch: {said}"));
    }
    let is_by_tokens = meters != [Meter::Speech];
    let (listing, charges, off) = if is_by_tokens {
        tokens::compare(&recordings, &receipts, &prices, console)
    } else {
        seconds(args, &recordings, &receipts, &prices)
    };
    let (listing, format) =
        if args.focus { (focus::listing(&charges, &receipts), Format::Csv) } else { (listing, format) };
    listing.print(format, console)?;
    if off > 0 {
        let than = if is_by_tokens { "the service reported" } else { "their results say" };
        console.say(&format!("warning: {} billed otherwise than {than}", counted(off, "recording")));
        return Ok(Exit::Partly);
    }
    Ok(Exit::Done)
}

/// What is known of one recording.
pub(super) struct ReconciledRecording<'r> {
    /// Where it stands in the batch.
    pub(super) at: usize,
    pub(super) sent: &'r SubmittedRecording,
    /// Its result file below the batch's results, or its name.
    pub(super) file: String,
    /// As the service reported.
    pub(super) usage: Usage,
    /// Its rows of the statement.
    pub(super) rows: Vec<StatementRow>,
    /// Speech of each transcribed track in ms; `None` = there is no result, or it does not say.
    tracks_ms: Option<Vec<i64>>,
    /// Its estimate, where the result states its length.
    pub(super) estimate: Vec<Estimate>,
}

impl<'r> ReconciledRecording<'r> {
    /// Takes the recording's rows out of the statement.
    fn of(
        args: &Args,
        (at, sent): (usize, &'r SubmittedRecording),
        receipts: &Receipts,
        prices: &Prices,
        statement: &mut Vec<StatementRow>,
        console: &Console,
    ) -> Self {
        let file = sent.file.as_deref().unwrap_or(&sent.name).trim_start_matches("results/").to_owned();
        let tasks: Vec<&Receipt> = receipts.tasks.iter().filter(|task| task.recordings.contains(&at)).collect();
        let mut usage = Usage::default();
        // Of a task of several recordings nobody says which part is whose.
        for task in tasks.iter().filter(|task| task.recordings.len() == 1) {
            usage += task.usage.as_ref().map(Usage::of).unwrap_or_default();
        }
        let own = |row: &mut StatementRow| {
            let name = &row.resource;
            !name.is_empty()
                && (*name == sent.url
                    || *name == file
                    || *name == sent.name
                    || tasks.iter().any(|task| task.task_id == *name))
        };
        let rows = statement.extract_if(.., own).collect();
        let mut known = Self { at, sent, file, usage, rows, tracks_ms: None, estimate: Vec::new() };
        if let Some(result) = &sent.file
            && let Err(why) = known.read(result, &args.dir.join(result), receipts, prices)
        {
            console.say(&format!("{}: {why}", args.dir.join(result).display()));
        }
        known
    }

    fn read(&mut self, file: &str, path: &Path, receipts: &Receipts, prices: &Prices) -> Result<(), String> {
        let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
        let transcript = crate::transcript::read(&bytes).map_err(|refused| refused.to_string())?;
        let measured = measure(file, &transcript, &Settings::default());
        self.tracks_ms = measured.costs.iter().map(|cost| cost.billable_ms).collect();
        if measured.call.duration_source == Some("properties") {
            let recording = Recording { duration_ms: measured.call.duration_ms, ..Recording::default() };
            let plan = Plan {
                model: receipts.model.clone(),
                region: receipts.region.unwrap_or_default(),
                tracks: self.sent.tracks.clone(),
                speech_share: None,
            };
            self.estimate = estimate(&recording, &plan, prices);
        }
        Ok(())
    }

    /// The estimate of a meter over all tracks.
    pub(super) fn estimated(&self, meter: Meter) -> Option<Bounds<i64>> {
        let lines = self.estimate.iter().filter(|line| line.meter == meter);
        lines.map(|line| line.quantity).reduce(|one, two| {
            let (one, two) = (one?, two?);
            Some(Bounds { low: one.low + two.low, expected: one.expected + two.expected, high: one.high + two.high })
        })?
    }

    /// The sum of the amounts of those rows of the statement.
    pub(super) fn billed(&self, of: impl Fn(&StatementRow) -> bool) -> Option<Decimal> {
        self.rows.iter().filter(|row| of(row)).filter_map(|row| row.cost).reduce(|one, two| one + two)
    }
}

/// Models that are billed by the second: the table, what was charged, and how many are billed otherwise than their results say.
fn seconds(
    args: &Args,
    recordings: &[ReconciledRecording<'_>],
    receipts: &Receipts,
    prices: &Prices,
) -> (Listing, Vec<focus::Charge>, u64) {
    let accounts: Vec<Account> = recordings.iter().map(account).collect();
    let unit = receipts.region.and_then(|region| prices.unit(&receipts.model, region, Meter::Speech));
    let charge = |(known, account): (&ReconciledRecording<'_>, &Account)| focus::Charge {
        at: known.at,
        file: account.file.clone(),
        meter: Some(Meter::Speech),
        quantity: account.usage.or_else(|| account.actual(args.rounding)),
        unit,
        currency: unit.map(|unit| unit.currency),
        billed: account.statement_cost,
    };
    let charges = recordings.iter().zip(&accounts).map(charge).collect();
    let off = |account: &&Account| {
        let billed = account.statement.or(account.usage).zip(account.actual(args.rounding));
        billed.is_some_and(|(billed, actual)| (billed - actual).abs() > 1) || account.submits > 1
    };
    let off = accounts.iter().filter(off).count() as u64;
    (side_by_side(args, &accounts), charges, off)
}

fn account(known: &ReconciledRecording<'_>) -> Account {
    let estimate = known.estimated(Meter::Speech);
    let mut statement = Usage::default();
    known.rows.iter().for_each(|row| statement += row.usage);
    Account {
        file: known.file.clone(),
        estimate_high: estimate.map(|seconds| seconds.high),
        estimate: estimate.map(|seconds| seconds.expected),
        has_result: known.tracks_ms.is_some(),
        tracks_ms: known.tracks_ms.clone().unwrap_or_default(),
        tracks_asked: known.sent.tracks.len(),
        usage: known.usage.seconds,
        statement: statement.seconds,
        statement_cost: known.billed(|_| true),
        failure: known.sent.failure.clone(),
        submits: known.sent.submits,
    }
}

fn side_by_side(args: &Args, accounts: &[Account]) -> Listing {
    let head =
        vec!["file", "estimate_s", "estimate_high_s", "actual_s", "usage_s", "statement_s", "statement_cost", "why"];
    let row = |account: &Account| {
        vec![
            json!(account.file),
            json!(account.estimate),
            json!(account.estimate_high),
            json!(account.actual(args.rounding)),
            json!(account.usage),
            json!(account.statement),
            exact(account.statement_cost),
            json!(account.differences(args.rounding).join("; ")),
        ]
    };
    Listing { head, rows: accounts.iter().map(row).collect() }
}
