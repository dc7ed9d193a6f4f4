//! `cost estimate`: the expected cost of recordings, before anything is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::super::Exit;
use super::super::output::{Console, Failure, Format, Listing};
use super::super::prices::{PriceFlags, warn_if_old_for};
use super::breakdown::{VERSION, code, exact, shown};
use super::recordings::{EstimateInput, Inputs};
use super::vad;
use crate::billing::{Bounds, Estimate, Meter, Money, Plan, Prices, SpeechSource, Sum, estimate, sum};
use crate::catalog::{AllowanceUnit, Catalog, Currency, Region};
use crate::named_file::{FileKind, NamedFile};
use crate::report::number::{count, counted, money};
use crate::sheet::folded;

const EXAMPLES: &str = "\
Examples:
  talkmeter cost estimate recordings
  talkmeter cost estimate recordings --channel 0,1 --vad
  talkmeter cost estimate calls.csv --group-by queue --format csv
  talkmeter cost estimate recordings --compare fun-asr,qwen3-asr-flash-filetrans
  talkmeter cost estimate calls.csv --max-cost 5usd || exit 1

Low: the recording is silent, which is not billed. High: every second of every requested track is speech. Expected: the usual
share of speech (0.86 for a track that holds all participants, 0.5125 each for one track per participant), --speech-share, or
the speech input in an earlier result. The column speech_source says which: usual, given, result, measured. Flash models are
billed by the length of the clip, silence included, once whatever its tracks: length.

--vad decodes local recordings and measures the speech in each track: expected is the measured speech, low is 5 % less, high is
10 % more and includes tones. The upper bound is printed too. Ringing, busy and dial tones are told apart from speech; music,
loud noise and dialled digits are not, so a call with long hold music may cost less than low. AMR, AVI, FLV, MPEG, WMA and WMV
need ffmpeg on PATH. A recording that cannot be decoded keeps the usual share and is reported.

A list may have the columns duration (205, 205.5, 3:25, 0:03:25 or 3m25s), duration_s or duration_ms, and channels. Recordings of
unknown length are counted on stderr and never priced. Exit code 3: --max-cost is exceeded, or cannot be determined.";

/// Arguments of `cost estimate`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Audio files, folders, URLs, lists (.csv .tsv .jsonl .txt), or results
    #[arg(value_name = "INPUT")]
    inputs: Vec<OsString>,
    /// Read a list of recordings, whatever its name; `-` for stdin
    #[arg(long, value_name = "FILE|-")]
    files_from: Vec<PathBuf>,
    /// Model to transcribe with
    #[arg(long, default_value = "fun-asr")]
    model: String,
    /// Tracks to request of every recording; each is billed. Default: those `transcribe` requests (all tracks of a local
    /// file, those of an earlier result, the first track of a URL)
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    channel: Option<Vec<u32>>,
    /// Share of speech in each track, 0 to 1 [default: the usual share]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    speech_share: Option<Decimal>,
    /// Decode local recordings and measure the speech in each requested track
    #[arg(long)]
    vad: bool,
    /// Compare with these models
    #[arg(long, value_name = "MODELS", value_delimiter = ',')]
    compare: Vec<String>,
    /// Group by columns of the list; `folder` for local files
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    group_by: Vec<String>,
    /// Exit with 3 if the expected cost exceeds this: 5usd, 12.50cny
    #[arg(long, value_name = "AMOUNT")]
    max_cost: Option<Money>,
    /// Deduct the free allowance, of which SECONDS are already used
    #[arg(long, value_name = "SECONDS")]
    quota_used: Option<u32>,
    #[command(flatten)]
    prices: PriceFlags,
}

fn share(text: &str) -> Result<Decimal, String> {
    let share: Option<Decimal> = text.parse().ok();
    share
        .filter(|share| (Decimal::ZERO..=Decimal::ONE).contains(share))
        .ok_or("must be a number from 0 to 1".to_owned())
}

/// The estimates of one model and group.
struct Group {
    group: Vec<String>,
    model: String,
    /// The estimates of each recording; several recordings may share a name.
    recordings: Vec<Vec<Estimate>>,
}

impl Group {
    fn lines(&self) -> impl Iterator<Item = &Estimate> {
        self.recordings.iter().flatten()
    }
}

/// The requested tracks of a recording, in order.
fn requested(args: &Args, input: &EstimateInput) -> Vec<u32> {
    let first = || vec![0];
    match (&args.channel, &input.path) {
        (Some(channels), _) => channels.clone(),
        (None, Some(_)) if !input.distinct.is_empty() => input.distinct.clone(),
        (None, Some(_)) => input.recording.channels.map_or_else(first, |channels| (0..channels).collect()),
        (None, None) if !input.recording.speech_ms.is_empty() => input.recording.speech_ms.keys().copied().collect(),
        (None, None) => first(),
    }
}

pub(super) fn run(
    args: &Args,
    region: Region,
    today: Date,
    format: Format,
    console: &Console,
) -> Result<Exit, Failure> {
    let prices = args.prices.prices(args.max_cost.map(|budget| budget.currency), console)?;
    let mut recordings = Inputs::default();
    args.inputs.iter().try_for_each(|input| recordings.argument(input, console))?;
    for list in &args.files_from {
        if list.as_os_str() == "-" {
            recordings.list("stdin", std::io::stdin().lock(), console)?;
        } else {
            let file = NamedFile::open(list, FileKind::List).map_err(|error| crate::Error::io("read", list, error))?;
            recordings.list(&list.to_string_lossy(), file, console)?;
        }
    }
    if recordings.inputs.is_empty() {
        console.error("nothing to estimate: give recordings, a list or results");
        return Ok(if recordings.unreadable > 0 { Exit::Failed } else { Exit::Usage });
    }
    if args.vad {
        let otherwise =
            args.speech_share.map_or("assuming the usual share of speech", |_| "assuming the given share of speech");
        vad::measure(&mut recordings.inputs, std::env::var_os("PATH").as_deref(), otherwise, console);
    }
    let mut models = vec![args.model.clone()];
    models.extend(args.compare.iter().filter(|model| **model != args.model).cloned());
    for model in models.iter().filter(|model| Catalog::builtin().model(model).is_none()) {
        console.note(&format!("{model} is not in the catalogue of models"));
    }
    let groups = groups(args, &recordings.inputs, &models, region, &prices)?;
    warn_if_old_for(&prices, models.iter().map(|model| (&model[..], region)), today, console);
    match recordings.repeated {
        0 => {}
        1 => console.note("1 recording given twice is counted once"),
        times => console.note(&format!("recordings were given again {times} times: each is counted once")),
    }
    tracks(args, &recordings.inputs, console);
    let sums: Vec<Sum> = models
        .iter()
        .map(|model| {
            let lines = groups.iter().filter(|group| group.model == *model).flat_map(Group::lines);
            sum(lines, free(args, model, region, &prices, console))
        })
        .collect();
    print(args, &groups, (&models, &sums), (region, &recordings), format, console)?;
    let gate = sums.first().map_or(Exit::Done, |sum| gate(args.max_cost, sum, console));
    Ok(if recordings.unreadable > 0 && gate == Exit::Done { Exit::Partly } else { gate })
}

fn groups(
    args: &Args,
    inputs: &[EstimateInput],
    models: &[String],
    region: Region,
    prices: &Prices,
) -> Result<Vec<Group>, Failure> {
    for column in &args.group_by {
        if !inputs.iter().any(|input| input.columns.contains_key(&folded(column))) {
            let there: BTreeSet<&String> = inputs.iter().flat_map(|input| input.columns.keys()).collect();
            let there: Vec<String> = there.into_iter().map(|name| format!("`{name}`")).collect();
            let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
            return Err(Failure::Usage(format!(
                "--group-by {column}: no input has this column; the columns are {there}"
            )));
        }
    }
    let mut groups: BTreeMap<(usize, Vec<String>), Group> = BTreeMap::new();
    for (at, model) in models.iter().enumerate() {
        for input in inputs {
            let key: Vec<String> = args
                .group_by
                .iter()
                .map(|column| input.columns.get(&folded(column)).cloned().unwrap_or_default())
                .collect();
            let group = groups.entry((at, key.clone())).or_insert_with(|| Group {
                group: key,
                model: model.clone(),
                recordings: Vec::new(),
            });
            let tracks = requested(args, input);
            let plan = Plan { model: model.clone(), region, tracks, speech_share: args.speech_share };
            group.recordings.push(estimate(&input.recording, &plan, prices));
        }
    }
    Ok(groups.into_values().collect())
}

/// Notes recordings whose tracks are left out, missing, or possibly identical.
fn tracks(args: &Args, inputs: &[EstimateInput], console: &Console) {
    let count = |holds: &dyn Fn(&EstimateInput, u32) -> bool| {
        inputs.iter().filter(|input| input.recording.channels.is_some_and(|channels| holds(input, channels))).count()
            as u64
    };
    let uncompared = |input: &EstimateInput, channels| {
        args.channel.is_none() && input.path.is_some() && input.distinct.is_empty() && channels > 1
    };
    let all = count(&uncompared);
    if all > 0 {
        console.note(&format!(
            "{} with several tracks: all of them are counted; `transcribe` skips identical ones (--vad compares them)",
            counted(all, "recording")
        ));
    }
    // After a comparison the tracks left out are identical to one that is counted.
    let more = count(&|input, channels| {
        (input.distinct.is_empty() || args.channel.is_some()) && requested(args, input).len() < channels as usize
    });
    if more > 0 {
        console.note(&format!(
            "{} with more tracks than counted (--channel 0,1 counts two; each is billed)",
            counted(more, "recording")
        ));
    }
    let fewer = count(&|input, channels| requested(args, input).iter().any(|track| *track >= channels));
    if fewer > 0 {
        console.note(&format!(
            "{} with fewer tracks than requested; all requested tracks are counted",
            counted(fewer, "recording")
        ));
    }
}

/// Seconds left of the free allowance; `None` if there is none, or if it is unknown how much is used.
pub(in crate::cli) fn free_seconds(prices: &Prices, model: &str, region: Region, used: Option<u32>) -> Option<i64> {
    let allowance = prices.allowance(model, region).filter(|allowance| allowance.unit == AllowanceUnit::Seconds)?;
    Some(i64::try_from(allowance.quantity).unwrap_or(0).saturating_sub(used?.into()).max(0))
}

fn free(args: &Args, model: &str, region: Region, prices: &Prices, console: &Console) -> i64 {
    let Some(used) = args.quota_used else { return 0 };
    match (prices.allowance(model, region), free_seconds(prices, model, region, args.quota_used)) {
        (Some(allowance), Some(left)) => {
            console.note(&format!("{model} in {region}: {left} s left of {allowance} (as of {})", allowance.checked));
            left
        }
        _ => {
            console.note(&format!("{model} in {region}: no free seconds known, --quota-used {used} is ignored"));
            0
        }
    }
}

/// Checks the expected cost against the budget; every recording must be priced.
fn gate(budget: Option<Money>, sum: &Sum, console: &Console) -> Exit {
    let Some(budget) = budget else { return Exit::Done };
    let expected = sum.net().zip(sum.currency).filter(|(_, currency)| *currency == budget.currency);
    let Some((net, currency)) = expected.filter(|_| sum.is_whole()) else {
        console.error(&format!(
            "cannot tell whether {budget} is enough: some recordings have no cost in {}",
            budget.currency
        ));
        return Exit::Partly;
    };
    if net.expected > budget.amount {
        console.error(&format!("the expected cost of {} exceeds {budget}", money(Some((net.expected, currency)))));
        return Exit::Partly;
    }
    if net.high > budget.amount {
        console.note(&format!("the cost may be up to {}, more than {budget}", money(Some((net.high, currency)))));
    }
    Exit::Done
}

fn quantities(bounds: Option<Bounds<i64>>) -> [Value; 3] {
    let value = |of: fn(Bounds<i64>) -> i64| json!(bounds.map(of));
    [value(|b| b.low), value(|b| b.expected), value(|b| b.high)]
}

fn amounts(bounds: Option<Bounds<Decimal>>, people: bool) -> [Value; 3] {
    let amount = if people { shown } else { exact };
    [amount(bounds.map(|b| b.low)), amount(bounds.map(|b| b.expected)), amount(bounds.map(|b| b.high))]
}

fn print(
    args: &Args,
    groups: &[Group],
    (models, sums): (&[String], &[Sum]),
    (region, recordings): (Region, &Inputs),
    format: Format,
    console: &Console,
) -> Result<(), Failure> {
    if format == Format::Json {
        let report = as_json(args, groups, (models, sums), (region, recordings));
        console.data(format!("{report:#}\n").as_bytes())?;
    } else {
        let people = matches!(format, Format::Table | Format::Md);
        let side_by_side = !args.group_by.is_empty() || models.len() > 1;
        let listing = if side_by_side { sides(groups, people) } else { lines(groups, people) };
        listing.print(format, console)?;
    }
    for (model, sum) in models.iter().zip(sums) {
        let amount = |amount: Option<Decimal>| money(amount.zip(sum.currency));
        let net = sum.net();
        let free = if sum.free.high.is_zero() { "" } else { " after the free allowance" };
        console.note(&format!(
            "{model} in {region}: low {}, expected {}, high {}{free}",
            amount(net.map(|net| net.low)),
            amount(net.map(|net| net.expected)),
            amount(net.map(|net| net.high)),
        ));
    }
    if let (true, Some((sum, model))) = (args.vad, sums.iter().zip(models).next()) {
        let lines = groups.iter().filter(|group| group.model == *model).flat_map(Group::lines);
        measured(lines, model, sum, console);
    }
    if let Some(model) = models.first() {
        let own = groups.iter().filter(|group| group.model == *model);
        let (detected, priced, no_price, no_duration) = by_file(own);
        console.note(&format!(
            "{} found: {} priced, {} without a price, {} without a duration",
            counted(detected, "file"),
            count(priced as i64),
            count(no_price as i64),
            count(no_duration as i64),
        ));
    }
    Ok(())
}

/// Notes how many tracks were measured, and the upper bound beyond the band.
fn measured<'e>(lines: impl Iterator<Item = &'e Estimate>, model: &str, sum: &Sum, console: &Console) {
    let lines: Vec<&Estimate> = lines.filter(|line| line.meter == Meter::Speech).collect();
    if lines.is_empty() {
        console.note(&format!("{model} is billed in tokens for the whole length; measured speech does not matter"));
        return;
    }
    if lines.iter().all(|line| line.source == Some(SpeechSource::Length)) {
        console.note(&format!("{model} is billed by the length of the audio; measured speech does not matter"));
        return;
    }
    let measured = lines.iter().filter(|line| line.source == Some(SpeechSource::Measured)).count();
    let most = sum.upper_bound.filter(|_| measured > 0).zip(sum.currency);
    let most = most.map(|most| format!("; upper bound {}", money(Some(most))));
    console.note(&format!(
        "speech measured in {} of {}{}",
        count(measured as i64),
        counted(lines.len() as u64, "track"),
        most.unwrap_or_default(),
    ));
}

/// Counts files: all, priced, without a price, without a duration.
fn by_file<'g>(groups: impl Iterator<Item = &'g Group>) -> (u64, u64, u64, u64) {
    groups.flat_map(|group| &group.recordings).fold((0, 0, 0, 0), |(all, priced, no_price, no_duration), file| {
        let unknown = file.iter().any(|line| line.quantity.is_none());
        let free = file.iter().any(|line| line.unit.is_none());
        (
            all + 1,
            priced + u64::from(!unknown && !free),
            no_price + u64::from(!unknown && free),
            no_duration + u64::from(unknown),
        )
    })
}

/// One row per track and meter.
fn lines(groups: &[Group], people: bool) -> Listing {
    let head = vec![
        "file",
        "channel_id",
        "model",
        "region",
        "duration_ms",
        "unit",
        "low",
        "expected",
        "high",
        "unit_price",
        "currency",
        "cost_low",
        "cost_expected",
        "cost_high",
        "price_date",
        "speech_source",
    ];
    let row = |line: &Estimate| {
        let unit = if line.meter.unit() == "tokens" { line.meter.name() } else { "seconds" };
        let mut row = vec![
            json!(line.file),
            json!(line.channel_id),
            json!(line.model),
            json!(line.region.name()),
            json!(line.duration_ms),
            json!(unit),
        ];
        row.extend(quantities(line.quantity));
        row.push(exact(line.unit.map(|unit| unit.amount)));
        row.push(code(line.unit.map(|unit| unit.currency)));
        row.extend(amounts(line.cost(), people));
        row.push(json!(line.unit.map(|unit| unit.checked.to_string())));
        row.push(json!(line.source.map(SpeechSource::name)));
        row
    };
    Listing { head, rows: groups.iter().flat_map(Group::lines).map(row).collect() }
}

/// One row per group and model.
fn sides(groups: &[Group], people: bool) -> Listing {
    let head = vec!["group", "model", "files", "lines_without_cost", "currency", "low", "expected", "high"];
    let row = |group: &Group| {
        let sum = sum(group.lines(), 0);
        let mut row = vec![
            json!(group.group.join(" / ")),
            json!(group.model),
            json!(group.recordings.len()),
            json!(sum.without_price + sum.without_duration),
            code(sum.currency),
        ];
        row.extend(amounts(sum.cost, people));
        row
    };
    Listing { head, rows: groups.iter().map(row).collect() }
}

fn as_json(
    args: &Args,
    groups: &[Group],
    (models, sums): (&[String], &[Sum]),
    (region, recordings): (Region, &Inputs),
) -> Value {
    let bounds = |bounds: Option<Bounds<Decimal>>| {
        let [low, expected, high] = amounts(bounds, false);
        json!({"low": low, "expected": expected, "high": high})
    };
    let meter = |line: &Estimate| {
        let [low, expected, high] = quantities(line.quantity);
        json!({
            "channel_id": line.channel_id, "meter": line.meter.name(), "unit": line.meter.unit(),
            "quantity": {"low": low, "expected": expected, "high": high}, "cost": bounds(line.cost()),
            "unit_price": exact(line.unit.map(|unit| unit.amount)), "currency": code(line.unit.map(|unit| unit.currency)),
            "price_date": line.unit.map(|unit| unit.checked.to_string()),
            "speech_source": line.source.map(SpeechSource::name),
        })
    };
    let file = |lines: &Vec<Estimate>| {
        let first = lines.first();
        json!({
            "file": first.map(|line| &line.file), "duration_ms": first.and_then(|line| line.duration_ms),
            "meters": lines.iter().map(meter).collect::<Vec<_>>(),
        })
    };
    let project = |group: &Group| {
        let columns: serde_json::Map<String, Value> =
            args.group_by.iter().cloned().zip(group.group.iter().map(|cell| json!(cell))).collect();
        let files: Vec<Value> = group.recordings.iter().map(file).collect();
        let sum = sum(group.lines(), 0);
        json!({
            "model": group.model, "region": region.name(), "group": columns, "currency": code(sum.currency),
            "cost": bounds(sum.cost), "breakdown": files,
        })
    };
    let total = |(model, sum): (&String, &Sum)| {
        json!({
            "model": model, "region": region.name(), "currency": code(sum.currency), "cost": bounds(sum.cost),
            "most": exact(sum.upper_bound), "free_allowance": bounds(sum.cost.map(|_| sum.free)), "to_pay": bounds(sum.net()),
        })
    };
    let own = groups.iter().filter(|group| Some(&group.model) == models.first());
    let (detected, priced, no_price, no_duration) = by_file(own);
    json!({
        "version": VERSION, "kind": "estimate", "currency": code(currency(sums)),
        "totals": models.iter().zip(sums).map(total).collect::<Vec<_>>(),
        "projects": groups.iter().map(project).collect::<Vec<_>>(),
        "summary": {
            "totalDetected": detected, "totalSupported": priced, "totalNoPrice": no_price,
            "totalNoDuration": no_duration, "totalUnreadable": recordings.unreadable,
        },
    })
}

/// The currency of all sums; `None` if there are several, or none.
fn currency(sums: &[Sum]) -> Option<Currency> {
    let first = sums.first()?.currency;
    first.filter(|_| sums.iter().all(|sum| sum.currency == first))
}
