//! `cost reconcile`: estimate, results, reported usage and a statement side by side, with why they differ.

use std::fs::File;
use std::path::PathBuf;

use jiff::civil::Date;
use serde_json::{Value, json};

use super::super::Exit;
use super::super::output::{Failure, Format, Listing, Talk};
use super::super::prices::{PriceFlags, doubt_used};
use super::breakdown::{code, exact};
use crate::batch::{Receipts, Sent, receipts};
use crate::billing::{
    Account, Meter, Plan, Prices, Recording, Rounding, StatementRow, Usage, estimate, read_statement,
};
use crate::catalog::Region;
use crate::error::Error;
use crate::metrics::{Settings, measure};
use crate::report::number::counted;

const EXAMPLES: &str = "\
Examples:
  talkmeter cost reconcile out
  talkmeter cost reconcile out --statement bill.csv --rounding nearest --format md
  talkmeter cost reconcile out --statement bill.csv --focus > focus.csv

The statement is CSV with a column ResourceId, task_id, file or url, and ConsumedQuantity or seconds, or BilledCost or cost.
Rows that name no recording of the batch are counted and summed on stderr. Exit code 3: figures differ by more than a second.";

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

pub(super) fn run(args: &Args, today: Date, format: Format, talk: &Talk) -> Result<Exit, Failure> {
    let prices = args.prices.prices(None)?;
    let receipts = receipts(&args.dir)?.ok_or_else(|| {
        Failure::Usage(format!("{}: no folder of `transcribe`: it has no ledger", args.dir.display()))
    })?;
    let mut statement = match &args.statement {
        None => Vec::new(),
        Some(path) => {
            let file = File::open(path).map_err(|error| Error::io("read", path, error))?;
            read_statement(file).map_err(|why| Failure::Usage(format!("{}: {why}", path.display())))?
        }
    };
    let region = receipts.region.parse::<Region>().ok();
    doubt_used(&prices, region.map(|region| (&receipts.model[..], region)), today, talk);
    let mut accounts = Vec::new();
    for (at, sent) in receipts.recordings.iter().enumerate() {
        accounts.push(account(args, (at, sent), &receipts, &prices, &mut statement, talk));
    }
    if !statement.is_empty() {
        let seconds: i64 = statement.iter().filter_map(|row| row.seconds).sum();
        let rows = counted(statement.len() as u64, "row");
        talk.note(&format!("{rows} of the statement name no recording of this batch: {seconds} s"));
    }
    let listing = if args.focus { focus(args, &accounts, &receipts, &prices) } else { side_by_side(args, &accounts) };
    listing.print(if args.focus { Format::Csv } else { format }, talk)?;
    let far = |account: &&Account| {
        let billed = account.statement.or(account.usage).zip(account.actual(args.rounding));
        billed.is_some_and(|(billed, actual)| (billed - actual).abs() > 1) || account.submits > 1
    };
    let far = accounts.iter().filter(far).count() as u64;
    if far > 0 {
        talk.say(&format!("warning: {} billed otherwise than their results say", counted(far, "recording")));
        return Ok(Exit::Partly);
    }
    Ok(Exit::Done)
}

/// Everything that is known of one recording; takes its rows out of the statement.
fn account(
    args: &Args,
    (at, sent): (usize, &Sent),
    receipts: &Receipts,
    prices: &Prices,
    statement: &mut Vec<StatementRow>,
    talk: &Talk,
) -> Account {
    let mut account = Account {
        file: sent
            .file
            .as_deref()
            .map_or_else(|| sent.name.clone(), |file| file.trim_start_matches("results/").to_owned()),
        tracks_asked: sent.tracks.len(),
        failure: sent.failure.clone(),
        submits: sent.submits,
        ..Account::default()
    };
    let tasks: Vec<_> = receipts.tasks.iter().filter(|task| task.recordings.contains(&at)).collect();
    for task in &tasks {
        // Of a task of several recordings nobody says which part is whose.
        if let Some(seconds) =
            task.usage.as_ref().and_then(|u| Usage::of(u).seconds).filter(|_| task.recordings.len() == 1)
        {
            account.usage = Some(account.usage.unwrap_or(0) + seconds);
        }
    }
    let own = |row: &StatementRow| {
        let name = &row.resource;
        !name.is_empty()
            && (*name == sent.url
                || *name == account.file
                || *name == sent.name
                || tasks.iter().any(|t| t.task_id == *name))
    };
    let (mine, others): (Vec<_>, Vec<_>) = std::mem::take(statement).into_iter().partition(own);
    *statement = others;
    for row in mine {
        account.statement = row.seconds.map(|s| s + account.statement.unwrap_or(0)).or(account.statement);
        account.statement_cost =
            row.cost.map(|c| c + account.statement_cost.unwrap_or_default()).or(account.statement_cost);
    }
    let Some(file) = &sent.file else { return account };
    let path = args.dir.join(file);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => {
            talk.say(&format!("{}: {error}", path.display()));
            return account;
        }
    };
    match crate::transcript::read(&bytes) {
        Ok(transcript) => {
            let measured = measure(file, &transcript, &Settings::default());
            account.has_result = measured.costs.iter().all(|cost| cost.billable_ms.is_some());
            account.tracks_ms = measured.costs.iter().filter_map(|cost| cost.billable_ms).collect();
            let stated = measured.call.duration_ms.filter(|_| measured.call.duration_source == Some("properties"));
            let recording = Recording { duration_ms: stated, ..Recording::default() };
            let plan = Plan {
                model: receipts.model.clone(),
                region: receipts.region.parse().unwrap_or_default(),
                tracks: sent.tracks.clone(),
                speech_share: None,
            };
            let lines = estimate(&recording, &plan, prices);
            let lines = || lines.iter().filter(|line| line.meter == Meter::Speech).map(|line| line.quantity);
            account.estimate =
                lines().map(|quantity| quantity.map(|q| q.expected)).sum::<Option<i64>>().filter(|_| stated.is_some());
            account.estimate_high =
                lines().map(|quantity| quantity.map(|q| q.high)).sum::<Option<i64>>().filter(|_| stated.is_some());
        }
        Err(refused) => talk.say(&format!("{}: {refused}", path.display())),
    }
    account
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

/// FOCUS columns (3.4): what was used at list price; `BilledCost` is the statement's or empty, never of our own reckoning.
fn focus(args: &Args, accounts: &[Account], receipts: &Receipts, prices: &Prices) -> Listing {
    let head = vec![
        "BillingCurrency",
        "ChargeCategory",
        "ChargeDescription",
        "ChargePeriodStart",
        "ChargePeriodEnd",
        "ConsumedQuantity",
        "ConsumedUnit",
        "PricingQuantity",
        "PricingUnit",
        "ListUnitPrice",
        "ListCost",
        "EffectiveCost",
        "BilledCost",
        "ServiceName",
        "ServiceCategory",
        "SkuId",
        "SkuMeter",
        "ResourceId",
    ];
    let unit = receipts.region.parse().ok().and_then(|region| prices.unit(&receipts.model, region, Meter::Speech));
    let row = |(at, account): (usize, &Account)| {
        let seconds = account.usage.or_else(|| account.actual(args.rounding));
        let in_seconds = if seconds.is_some() { json!("Seconds") } else { Value::Null };
        let day = receipts
            .tasks
            .iter()
            .find(|task| task.recordings.contains(&at))
            .map(|task| task.accepted.to_zoned(jiff::tz::TimeZone::UTC).date());
        let period = |date: Option<Date>| json!(date.map(|date| format!("{date}T00:00:00Z")));
        let list = unit.zip(seconds).map(|(unit, seconds)| unit.cost(seconds));
        vec![
            code(unit.map(|unit| unit.currency)),
            json!("Usage"),
            json!("speech transcribed"),
            period(day),
            period(day.and_then(|day| day.tomorrow().ok())),
            json!(seconds),
            in_seconds.clone(),
            json!(seconds),
            in_seconds,
            exact(unit.map(|unit| unit.amount)),
            exact(list),
            exact(account.statement_cost),
            exact(account.statement_cost),
            json!("Model Studio"),
            json!("AI and Machine Learning"),
            json!(receipts.model),
            json!("speech"),
            json!(account.file),
        ]
    };
    Listing { head, rows: accounts.iter().enumerate().map(row).collect() }
}
