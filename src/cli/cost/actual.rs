//! `cost actual`: what transcription has cost, from result files and from the usage in ledgers.
//!
//! Files are read in chunks and added up; lines are written as they come, and not kept.

use std::collections::HashMap;
use std::path::Path;

use jiff::civil::Date;
use rayon::prelude::*;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::super::Exit;
use super::super::document::json as json_of;
use super::super::inputs::Paths;
use super::super::output::{Console, Failure, Format, Listing};
use super::super::prices::{PriceFlags, ledgers, warn_if_old_for};
use super::breakdown::{Summary, TotalFields, VERSION, code, exact, in_words};
use super::document::Object;
use super::groups::{Facts, GroupBy};
use super::lines::LineWriter;
use crate::batch::LedgerReport;
use crate::billing::{AdjustedTotal, Adjustments, CurrencyRate, Line, Prices, Total, Totals, of_usage, result_lines};
use crate::catalog::{Currency, Region};
use crate::error::Error;
use crate::metrics::{Settings, measure};
use crate::report::number::{cents, count, counted, decimal};
use crate::transcript::{Input, Inputs};

const EXAMPLES: &str = "\
Examples:
  talkmeter cost actual out
  talkmeter cost actual a b --group-by month,model --currency-rate CNY=0.14
  talkmeter cost actual out --discount 15% --tax 6%
  talkmeter cost actual may --model fun-asr --region cn --currency usd --details

Each track of a result file is one line: its speech, rounded up to whole seconds. If PATH is an output folder of `transcribe`,
the usage reported by the service is listed too. These are two answers to the same question and are never added. Lines
without a known price are shown as not priced.

A table has the sum of each group, with --details every line; CSV and JSON lines have every line, with --group-by the groups.";

/// Files that are read before their lines are added up.
const CHUNK: usize = 512;

/// Arguments of `cost actual`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    paths: Paths,
    /// Model of the transcripts, if no ledger names it (result files do not)
    #[arg(long)]
    model: Option<String>,
    /// Sum by month or day (UTC, of the submit), model, region, batch, or columns of the transcribed list
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    group_by: Vec<String>,
    /// Print every line, not only sums
    #[arg(long)]
    details: bool,
    /// Sum in one currency at this rate: CNY=0.14 or USD=7.1
    #[arg(long, value_name = "CODE=RATE")]
    currency_rate: Option<CurrencyRate>,
    /// Show the sum less this discount beside the list price: 15%
    #[arg(long, value_name = "PERCENT", value_parser = discount)]
    discount: Option<Decimal>,
    /// Show the sum with this tax beside the list price: 6%
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    tax: Option<Decimal>,
    #[command(flatten)]
    prices: PriceFlags,
}

/// `15%` as a share.
fn percent(text: &str) -> Result<Decimal, String> {
    let number = text.trim().strip_suffix('%').and_then(|number| number.trim().parse::<Decimal>().ok());
    let share = number.filter(|number| (0..=1000).contains(&number.ceil().try_into().unwrap_or(-1)));
    let share = share.and_then(|number: Decimal| number.checked_div(Decimal::ONE_HUNDRED));
    share.filter(|share| !share.is_sign_negative()).ok_or_else(|| "must be a percentage such as 6%".to_owned())
}

fn discount(text: &str) -> Result<Decimal, String> {
    percent(text).and_then(|share| if share > Decimal::ONE { Err("at most 100%".to_owned()) } else { Ok(share) })
}

/// The lines of all inputs.
pub(in crate::cli) struct Bill {
    pub(in crate::cli) lines: Vec<Line>,
}

/// Files by what is known about them, from results alone.
#[derive(Debug, Default)]
struct Counts {
    /// Result files read.
    files: u64,
    /// Files that could not be read.
    failed: u64,
    without_price: u64,
    without_duration: u64,
    /// Transcripts of other recognisers.
    not_billed: u64,
}

/// What all lines add up to.
#[derive(Debug, Default)]
struct Sums {
    all: Totals,
    groups: Vec<(Vec<Option<String>>, Totals)>,
    places: HashMap<Vec<Option<String>>, usize>,
}

pub(super) fn run(
    args: &Args,
    region: Option<Region>,
    today: Date,
    format: Format,
    console: &Console,
) -> Result<Exit, Failure> {
    let prices = args.prices.prices(None, console)?;
    let group_by = GroupBy::new(&args.group_by);
    let source = Source { model: args.model.as_deref(), region, prices: &prices, group_by: &group_by };
    let inputs = args.paths.find(None, console)?;
    let mut writer = LineWriter::new(format, args.details, !args.group_by.is_empty(), console);
    let mut sums = Sums::default();
    let mut used: Vec<(String, Region)> = Vec::new();
    let counts = source.read(&inputs, console, &mut |lines, facts| {
        for line in &lines {
            sums.add(line, group_by.key(facts, line));
            if let Some((model, region)) = line.model.as_deref().zip(line.region)
                && !used.iter().any(|(known, place)| known == model && *place == region)
            {
                used.push((model.to_owned(), region));
            }
        }
        writer.add(&lines)
    })?;
    if counts.files + counts.not_billed == 0 {
        console.error(if counts.failed == 0 { "no result files found" } else { "no result file could be read" });
        return Ok(Exit::Failed);
    }
    group_by.check()?;
    warn_if_old_for(&prices, used.iter().map(|(model, region)| (&**model, *region)), today, console);
    writer.end_rows()?;
    let adjustments = Adjustments { rate: args.currency_rate, discount: args.discount, tax: args.tax };
    print(args, &counts, sums, writer, &adjustments, format, console)?;
    Ok(if counts.failed > 0 { Exit::Partly } else { Exit::Done })
}

/// The lines of result files and of the ledgers they belong to.
pub(in crate::cli) fn bill(inputs: &Inputs, prices: &Prices, console: &Console) -> Result<Bill, Failure> {
    let group_by = GroupBy::new(&[]);
    let mut lines = Vec::new();
    let source = Source { model: None, region: None, prices, group_by: &group_by };
    source.read(inputs, console, &mut |more, _| {
        lines.extend(more);
        Ok(())
    })?;
    Ok(Bill { lines })
}

/// How result files and ledgers become lines.
struct Source<'a> {
    /// Where no ledger names them.
    model: Option<&'a str>,
    region: Option<Region>,
    prices: &'a Prices,
    group_by: &'a GroupBy,
}

/// Takes the lines of one file, task or flash call.
type Sink<'a> = &'a mut dyn FnMut(Vec<Line>, &Facts) -> Result<(), Failure>;

impl Source<'_> {
    /// Reads result files in their order, then the usage in their ledgers.
    fn read(&self, inputs: &Inputs, console: &Console, sink: Sink<'_>) -> Result<Counts, Failure> {
        let mut origins = HashMap::new();
        let mut facts: HashMap<_, Facts> = HashMap::new();
        let mut reports = Vec::new();
        for folder in ledgers(inputs.files.iter().filter_map(|input| input.path.parent())) {
            match LedgerReport::read(folder) {
                Ok(Some(ledger)) => {
                    origins.extend(ledger.origins());
                    if self.group_by.needs_ledger() {
                        let batch = folder.display().to_string();
                        let own = |at, columns: &[_]| self.group_by.facts(&batch, Some(at), columns);
                        facts.extend(ledger.results().map(|one| {
                            let known = own(one.submitted, &one.columns);
                            (one.path, known)
                        }));
                        facts.extend(ledger.clips().map(|(path, at)| (path, own(at, &[]))));
                    }
                    reports.push((folder, ledger));
                }
                Ok(None) => {}
                Err(error) => console.note(&format!("{error}; model, region and usage are unknown")),
            }
        }
        let flags = Settings { model: self.model.map(str::to_owned), region: self.region, ..Settings::default() };
        // Results of flash calls have their own entry, others that of their batch.
        let settings = |input: &Input| {
            let origin = origins.get(&*input.path).or_else(|| origins.get(input.path.parent()?));
            origin.map_or_else(
                || flags.clone(),
                |(model, region)| Settings { model: Some(model.clone()), region: *region, ..Settings::default() },
            )
        };
        let mut counts = Counts { failed: inputs.excluded.len() as u64, ..Counts::default() };
        for chunk in inputs.files.chunks(CHUNK) {
            let lines: Vec<Result<Option<Vec<Line>>, String>> =
                chunk.par_iter().map(|input| lines_of(input, &settings(input), self.prices)).collect();
            for (input, lines) in chunk.iter().zip(lines) {
                match lines {
                    Ok(None) => counts.not_billed += 1,
                    Ok(Some(lines)) => {
                        counts.add(&lines);
                        let own = facts.remove(&*input.path).unwrap_or_else(|| {
                            let folder = input.path.parent().map(|folder| folder.display().to_string());
                            self.group_by.facts(&folder.unwrap_or_default(), None, &[])
                        });
                        sink(lines, &own)?;
                    }
                    Err(why) => {
                        counts.failed += 1;
                        console.say(&why);
                    }
                }
            }
        }
        let named = inputs.files.iter().filter(|_| reports.len() > 1);
        let names: HashMap<&Path, &str> = named.map(|input| (&*input.path, input.file())).collect();
        for (folder, ledger) in reports {
            let batch = folder.display().to_string();
            let results = folder.join(crate::batch::RESULTS);
            for mut reported in ledger.reported_usage() {
                // Of several batches results are named so that they can be told apart.
                if let Some(name) = names.get(&*results.join(&reported.file)) {
                    reported.file = (*name).to_owned();
                }
                let own = self.group_by.facts(&batch, Some(reported.submitted), &reported.columns);
                sink(of_usage(&[reported], self.prices), &own)?;
            }
        }
        Ok(counts)
    }
}

impl Counts {
    fn add(&mut self, lines: &[Line]) {
        self.files += 1;
        if lines.iter().any(|line| line.quantity.is_none()) {
            self.without_duration += 1;
        } else if lines.iter().any(|line| line.unit.is_none()) {
            self.without_price += 1;
        }
    }

    fn summary(&self) -> Summary {
        Summary {
            detected: self.files + self.failed + self.not_billed,
            supported: self.priced(),
            no_price: self.without_price,
            no_duration: self.without_duration,
            unreadable: self.failed,
            not_billed: Some(self.not_billed),
        }
    }

    fn priced(&self) -> u64 {
        self.files - self.without_price - self.without_duration
    }
}

impl Sums {
    fn add(&mut self, line: &Line, key: Vec<Option<String>>) {
        self.all.add(line);
        let place = *self.places.entry(key).or_insert_with_key(|key| {
            self.groups.push((key.clone(), Totals::default()));
            self.groups.len() - 1
        });
        if let Some((_, totals)) = self.groups.get_mut(place) {
            totals.add(line);
        }
    }
}

/// The lines of one file, or why it could not be read; `None` for another recogniser's, which the service does not bill.
fn lines_of(input: &Input, settings: &Settings, prices: &Prices) -> Result<Option<Vec<Line>>, String> {
    let failed = |why: &dyn std::fmt::Display| format!("{}: {why}", input.path.display());
    let bytes = input.read().map_err(|error| failed(&Error::io("read", Path::new("it"), error)))?;
    let transcript = input.parse(&bytes).map_err(|refused| failed(&refused))?;
    let is_billed = transcript.foreign.is_none();
    Ok(is_billed.then(|| result_lines(&measure(input.file(), &transcript, settings), prices)))
}

fn print(
    args: &Args,
    counts: &Counts,
    sums: Sums,
    writer: LineWriter<'_>,
    adjustments: &Adjustments,
    format: Format,
    console: &Console,
) -> Result<(), Failure> {
    let totals = sums.all.into_vec();
    let adjusted = adjustments.apply(&totals).filter(|_| adjustments.is_some()).unwrap_or_default();
    let mut groups: Vec<_> = sums.groups.into_iter().map(|(key, totals)| (key, totals.into_vec())).collect();
    groups.sort_by(|(one, _), (two, _)| one.cmp(two));
    let names = GroupBy::names(&args.group_by);
    if format == Format::Json {
        let currencies: Vec<&str> = totals.iter().filter_map(|total| total.currency).map(Currency::code).collect();
        let one = currencies.first().filter(|first| currencies.iter().all(|code| code == *first));
        let group = |(key, totals): &(Vec<Option<String>>, Vec<Total>)| Group {
            cells: Object(names.iter().copied().zip(key.clone()).collect()),
            totals: totals.iter().map(TotalFields::from).collect(),
        };
        let document = Document {
            version: VERSION,
            kind: "actual",
            currency: one.copied(),
            totals: totals.iter().map(TotalFields::from).collect(),
            groups: groups.iter().map(group).collect(),
            summary: counts.summary(),
            adjusted: adjusted.iter().map(AdjustedFields::from).collect(),
            currency_rate: args.currency_rate.map(|rate| rate.to_string()),
            discount: exact(args.discount),
            tax: exact(args.tax),
        };
        return writer.end_document(&json_of(&document)?, console);
    }
    let people = matches!(format, Format::Table | Format::Md);
    if !writer.has_rows() {
        let head = names.iter().copied().chain(["basis", "lines", "seconds", "tokens", "currency", "cost"]).collect();
        let row = |key: &[Option<String>], total: &Total| {
            let cost = match total.cost {
                Some(cost) if people => json!(cents(cost)),
                None if people => json!(crate::report::number::NOT_PRICED),
                cost => exact(cost),
            };
            let own = [
                json!(total.basis.name()),
                json!(total.lines),
                json!(total.seconds),
                json!(total.tokens),
                code(total.currency),
                cost,
            ];
            key.iter().map(|cell| json!(cell)).chain(own).collect::<Vec<_>>()
        };
        let mut rows = Vec::new();
        for (key, totals) in &groups {
            rows.extend(totals.iter().map(|total| row(key, total)));
        }
        Listing { head, rows }.print(format, console)?;
    }
    let mut said: Vec<String> = totals.iter().map(in_words).collect();
    said.extend(args.currency_rate.map(|rate| format!("at {rate}")));
    said.extend(adjusted.iter().map(|sum| adjusted_in_words(sum, adjustments, &totals)));
    if people {
        let bullet = if format == Format::Md { "- " } else { "" };
        let text: String = said.iter().map(|line| format!("{bullet}{line}\n")).collect();
        console.data(format!("\n{text}").as_bytes())?;
    } else {
        said.iter().for_each(|line| console.note(line));
    }
    let others = match counts.not_billed {
        0 => String::new(),
        others => format!(", {} of other recognisers, which the service does not bill", count(others as i64)),
    };
    console.note(&format!(
        "{} found: {} priced, {} without a price, {} without a duration{others}",
        counted(counts.files + counts.failed + counts.not_billed, "file"),
        counts.priced(),
        counts.without_price,
        counts.without_duration,
    ));
    Ok(())
}

/// The document, to which the lines are added.
#[derive(serde::Serialize)]
struct Document<'d> {
    version: u32,
    kind: &'static str,
    currency: Option<&'static str>,
    totals: Vec<TotalFields>,
    groups: Vec<Group<'d>>,
    summary: Summary,
    adjusted: Vec<AdjustedFields>,
    currency_rate: Option<String>,
    discount: Value,
    tax: Value,
}

#[derive(serde::Serialize)]
struct Group<'d> {
    #[serde(flatten)]
    cells: Object<'d, Option<String>>,
    totals: Vec<TotalFields>,
}

#[derive(serde::Serialize)]
struct AdjustedFields {
    basis: &'static str,
    currency: &'static str,
    list: Value,
    discounted: Value,
    taxed: Value,
}

impl From<&AdjustedTotal> for AdjustedFields {
    fn from(sum: &AdjustedTotal) -> Self {
        Self {
            basis: sum.basis.name(),
            currency: sum.currency.code(),
            list: exact(Some(sum.list)),
            discounted: exact(sum.discounted),
            taxed: exact(sum.taxed),
        }
    }
}

/// `by result: 24.00 USD at list price, 20.40 less 15 %, 21.62 with 6 % tax`; to the last digit where cents do not tell the
/// amounts apart.
fn adjusted_in_words(sum: &AdjustedTotal, adjustments: &Adjustments, totals: &[Total]) -> String {
    let percent = |share: Option<Decimal>| {
        let percent = share.and_then(|share| share.checked_mul(Decimal::ONE_HUNDRED)).unwrap_or_default();
        percent.normalize()
    };
    let amounts: Vec<Decimal> = [Some(sum.list), sum.discounted, sum.taxed].into_iter().flatten().collect();
    let is_alike = |(at, one): (usize, &Decimal)| {
        amounts.iter().skip(at + 1).any(|other| other != one && cents(*other) == cents(*one))
    };
    let shown: fn(Decimal) -> String = if amounts.iter().enumerate().any(is_alike) { decimal } else { cents };
    let mut text = format!("by {}: {} {} at list price", sum.basis.name(), shown(sum.list), sum.currency);
    if let Some(discounted) = sum.discounted {
        text += &format!(", {} less {} %", shown(discounted), percent(adjustments.discount));
    }
    if let Some(taxed) = sum.taxed {
        text += &format!(", {} with {} % tax", shown(taxed), percent(adjustments.tax));
    }
    let unpriced = totals.iter().filter(|total| total.basis == sum.basis && total.cost.is_none());
    let unpriced = unpriced.fold(0_u64, |all, total| all.saturating_add(total.lines));
    if unpriced > 0 {
        text += &format!(
            "; {} not in it",
            match unpriced {
                1 => "1 line without a price is".to_owned(),
                _ => format!("{} without a price are", counted(unpriced, "line")),
            }
        );
    }
    text
}
