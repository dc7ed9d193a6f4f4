//! `cost reconcile`: estimate, results, reported usage and statement side by side, with why they differ.

use std::fs::File;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::json;

use super::super::Exit;
use super::super::output::{Console, Failure, Format, Listing};
use super::super::prices::{PriceFlags, warn_if_old_for};
use super::breakdown::exact;
use super::{focus, tokens};
use crate::batch::{LedgerReport, Receipt, Receipts, SubmittedRecording};
use crate::billing::{
    Account, Bounds, Estimate, Meter, Plan, Prices, Recording, Rounding, Statement, StatementRow, Usage, estimate,
};
use crate::error::Error;
use crate::metrics::{Settings, measure};
use crate::report::number::counted;

const EXAMPLES: &str = "\
Examples:
  talkmeter cost reconcile out
  talkmeter cost reconcile out --statement bill.csv --rounding nearest --format md
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
    let prices = args.prices.prices(None)?;
    let receipts = LedgerReport::read(&args.dir)?.map(|ledger| ledger.receipts()).ok_or_else(|| {
        Failure::Usage(format!("{}: not an output folder of `transcribe` (it has no ledger)", args.dir.display()))
    })?;
    let mut statement = match &args.statement {
        None => Vec::new(),
        Some(path) => {
            let file = File::open(path).map_err(|error| Error::io("read", path, error))?;
            let statement = Statement::read(&path.to_string_lossy(), file)
                .map_err(|why| Failure::Usage(format!("{}: {why}", path.display())))?;
            statement.notes.iter().for_each(|note| console.note(&format!("{}: {note}", path.display())));
            statement.rows
        }
    };
    let region = receipts.region;
    warn_if_old_for(&prices, region.map(|region| (&receipts.model[..], region)), today, console);
    let meters = region.map_or(&[Meter::Speech][..], |region| prices.meters(&receipts.model, region));
    let unit = region.and_then(|region| prices.unit(&receipts.model, region, *meters.first()?));
    let currency = |row: &&StatementRow| !row.currency.is_empty() && row.cost.is_some();
    if let (Some(row), Some(unit)) = (statement.iter().find(currency), unit)
        && !row.currency.eq_ignore_ascii_case(unit.currency.code())
    {
        let ours = unit.currency;
        console
            .say(&format!("warning: the statement is in {}, the prices are in {ours} (use --currency)", row.currency));
    }
    let mut recordings = Vec::new();
    for (at, sent) in receipts.recordings.iter().enumerate() {
        recordings.push(ReconciledRecording::of(args, (at, sent), &receipts, &prices, &mut statement, console));
    }
    if !statement.is_empty() {
        let rows = counted(statement.len() as u64, "statement row");
        let rows = if statement.len() == 1 { format!("{rows} names") } else { format!("{rows} name") };
        let mut all = Usage::default();
        statement.iter().for_each(|row| all += row.usage);
        let quantities = [(all.seconds, "s"), (all.tokens_in, "input tokens"), (all.tokens_out, "output tokens")];
        let said = quantities.iter().filter_map(|(quantity, unit)| Some(format!("{} {unit}", (*quantity)?)));
        let said = said.collect::<Vec<_>>().join(", ");
        let said = if said.is_empty() { "no quantity".to_owned() } else { said };
        console.note(&format!("{rows} no recording of this batch: {said}"));
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
        let than = match (is_by_tokens, off) {
            (true, _) => "the reported usage",
            (false, 1) => "its result",
            (false, _) => "their results",
        };
        console.say(&format!("warning: {} billed differently from {than}", counted(off, "recording")));
        return Ok(Exit::Partly);
    }
    Ok(Exit::Done)
}

/// What is known about one recording of the batch.
pub(super) struct ReconciledRecording<'r> {
    /// Its index in the batch.
    pub(super) at: usize,
    pub(super) sent: &'r SubmittedRecording,
    /// Its result file relative to the batch's results, or its name.
    pub(super) file: String,
    /// As reported by the service.
    pub(super) usage: Usage,
    /// Its rows on the statement.
    pub(super) rows: Vec<StatementRow>,
    /// Speech of each transcribed track in ms; `None` = no result, or not measurable.
    tracks_ms: Option<Vec<i64>>,
    /// Its estimate, if the result states its length.
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
        // The usage of a task with several recordings cannot be split.
        for task in tasks.iter().filter(|task| task.recordings.len() == 1) {
            usage += task.usage.as_ref().map(Usage::from_json).unwrap_or_default();
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
        self.tracks_ms = measured.billable.iter().map(|track| track.billable_ms).collect();
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

    /// The sum of the amounts on matching statement rows.
    pub(super) fn billed(&self, of: impl Fn(&StatementRow) -> bool) -> Option<Decimal> {
        self.rows.iter().filter(|row| of(row)).filter_map(|row| row.cost).reduce(|one, two| one + two)
    }
}

/// For models billed by the second: the table, the charges, and how many recordings are billed differently.
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
