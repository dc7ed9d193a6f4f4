//! `cost estimate`: the expected cost of recordings, before anything is sent.

mod details;
mod group;
mod notes;
mod row;
mod verdict;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::super::Exit;
use super::super::output::{Console, Failure, Format};
use super::super::prices::{PriceFlags, warn_if_old_for};
use super::recordings::{EstimateInput, Inputs, earlier_results};
use super::vad;
use crate::billing::{EarlierShares, Money, Prices, Shares};
use crate::catalog::{AllowanceUnit, Catalog, Model, Region};
use crate::named_file::{FileKind, NamedFile};
use crate::report::number::{count, counted, money};
use crate::time::span_of_seconds;
use group::groups;
use row::Row;
use verdict::Verdict;

const EXAMPLES: &str = "\
Examples:
  talkmeter cost estimate recordings
  talkmeter cost estimate recordings --channel 0,1 --vad
  talkmeter cost estimate recordings --like last-month
  talkmeter cost estimate calls.csv --group-by queue --format csv
  talkmeter cost estimate recordings --compare fun-asr,qwen3-asr-flash-filetrans
  talkmeter cost estimate calls.csv --max-cost 5usd || exit 1

Expected: the usual share of speech (0.86 for a track that holds all participants, 0.5125 each for one track per participant),
--speech-share, or the share of speech in earlier results. Low and high: four of five such estimates come true between them. The
usual share may be wrong for your calls, which makes the range wide; earlier results of the same source (--like DIR) or the
audio itself (--vad) narrow it. At most: every second of every requested track is speech. Flash models are billed by the length
of the clip, silence included, once whatever its tracks. Models billed in tokens have no such law: their tokens follow from the
length by a few published answers, low is 0, and high is 25 tokens in and 8 out per second.

--vad decodes local recordings and measures the speech in each track: expected is the measured speech, low is 5 % less, high is
10 % more and includes tones. Ringing, busy and dial tones are told apart from speech; music, loud noise and dialled digits are
not, so a call with long hold music may cost less than low. AMR, AVI, FLV, MPEG, WMA and WMV need ffmpeg on PATH. A recording
that cannot be decoded keeps the usual share and is reported.

A list may have the columns duration (205, 205.5, 3:25, 0:03:25 or 3m25s), duration_s or duration_ms, and channels. Recordings of
unknown length are not in the amounts; what they would add is printed. A file for --prices has [[price]] tables with models,
region, currency, second (or million_tokens_in and million_tokens_out) and checked, the day from which the price holds. Exit
code 3: --max-cost is exceeded, or cannot be determined.";

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
    /// Take the share of speech from these results, earlier ones of the same source
    #[arg(long, value_name = "PATH", conflicts_with = "speech_share")]
    like: Vec<PathBuf>,
    /// Decode local recordings and measure the speech in each requested track
    #[arg(long)]
    vad: bool,
    /// Compare with these models
    #[arg(long, value_name = "MODELS", value_delimiter = ',')]
    compare: Vec<String>,
    /// Group by columns of the list; `folder` for local files
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    group_by: Vec<String>,
    /// Print the rows behind the sums: each track of each recording
    #[arg(long)]
    details: bool,
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

/// The first number that is given before.
fn first_twice(channels: &[u32]) -> Option<u32> {
    let is_before = |(at, channel): &(usize, &u32)| channels.iter().take(*at).any(|before| before == *channel);
    channels.iter().enumerate().find(is_before).map(|(_, channel)| *channel)
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
    if let Some(twice) = args.channel.as_ref().and_then(|channels| first_twice(channels)) {
        return Err(Failure::Usage(format!("--channel: track {twice} is given twice")));
    }
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
    recordings.read_headers(console);
    // A table would have nothing but what is unknown.
    if matches!(format, Format::Table | Format::Md) && recordings.inputs.iter().all(|input| input.is_unreadable) {
        let all = recordings.inputs.len() as u64;
        console.error("nothing to estimate: no recording could be read");
        console.note(&format!("{} found: 0 priced, 0 without a price, {all} without a duration", counted(all, "file")));
        return Ok(Exit::Partly);
    }
    let Some(shares) = shares(args, console) else { return Ok(Exit::Failed) };
    if args.vad {
        let otherwise = match shares {
            Shares::Given(_) => "assuming the given share of speech",
            Shares::Earlier(_) => "assuming the share of speech in earlier results",
            _ => "assuming the usual share of speech",
        };
        vad::measure(&mut recordings.inputs, std::env::var_os("PATH").as_deref(), otherwise, console);
    }
    let mut models = vec![args.model.clone()];
    models.extend(args.compare.iter().filter(|model| **model != args.model).cloned());
    for model in &models {
        match Catalog::builtin().require(model) {
            Ok(model) => {
                too_long(model, &recordings.inputs, console);
                if !model.regions.contains(&region) {
                    let regions: Vec<&str> = model.regions.iter().map(|region| region.name()).collect();
                    console.note(&format!("{} is not offered in {region}, only in {}", model.name, regions.join(", ")));
                }
            }
            Err(error) => console.note(&error.to_string()),
        }
    }
    let groups = groups(args, &recordings.inputs, (&models, region), &shares, &prices)?;
    warn_if_old_for(&prices, models.iter().map(|model| (&model[..], region)), today, console);
    match recordings.repeated {
        0 => {}
        1 => console.note("1 recording given twice is counted once"),
        times => console.note(&format!("recordings were given again {times} times: each is counted once")),
    }
    tracks(args, &recordings.inputs, console);
    let free = |model: &String| free(args, model, region, &prices, console);
    let advises = args.like.is_empty() && !args.vad;
    let verdict = Verdict::new(&groups, (&models, region), free, (recordings.unreadable, advises));
    verdict.print(args, format, console)?;
    let gate = verdict.first().map_or(Exit::Done, |row| gate(args.max_cost, row, console));
    Ok(if recordings.unreadable > 0 && gate == Exit::Done { Exit::Partly } else { gate })
}

/// The share of speech to assume; `None` if there is no result to take it from (reported).
fn shares(args: &Args, console: &Console) -> Option<Shares> {
    if let Some(share) = args.speech_share {
        return Some(Shares::Given(share));
    }
    if args.like.is_empty() {
        return Some(Shares::Usual);
    }
    let paths: Vec<&Path> = args.like.iter().map(PathBuf::as_path).collect();
    let (recordings, _) = earlier_results(&paths, console);
    let shares = EarlierShares::new(&recordings);
    if shares.is_empty() {
        console.error("--like: no result that states its length, so that there is no share of speech to take");
        return None;
    }
    Some(Shares::Earlier(shares))
}

/// Notes recordings that the model does not take.
fn too_long(model: &Model, inputs: &[EstimateInput], console: &Console) {
    let Some(most) = model.limits.seconds else { return };
    let is_longer = |input: &&EstimateInput| {
        input
            .recording
            .duration_ms
            .and_then(|ms| u64::try_from(ms).ok())
            .is_some_and(|ms| ms > most.saturating_mul(1000))
    };
    let longer = inputs.iter().filter(is_longer).count() as u64;
    if longer > 0 {
        let (name, most) = (&model.name, span_of_seconds(most));
        console.note(&format!("{} longer than {name} takes ({most}): split them", counted(longer, "recording")));
    }
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
            console.note(&format!(
                "{model} in {region}: {} s left of {allowance} (as of {})",
                count(left),
                allowance.checked
            ));
            left
        }
        _ => {
            console.note(&format!("{model} in {region}: no free seconds known, --quota-used {used} is ignored"));
            0
        }
    }
}

/// Checks the expected cost against the budget; what is known to exceed it does, whatever is not known.
fn gate(budget: Option<Money>, row: &Row<'_>, console: &Console) -> Exit {
    let Some(budget) = budget else { return Exit::Done };
    let sum = &row.sum;
    let net = sum.net().filter(|_| sum.currency == Some(budget.currency));
    let shown = |amount: Decimal| money(Some((amount, budget.currency)));
    if let Some(net) = net.filter(|net| net.expected > budget.amount) {
        let of = if sum.is_whole() { "" } else { " of the recordings whose cost is known alone" };
        console.error(&format!("the expected cost of {}{of} exceeds {budget}", shown(net.expected)));
        return Exit::Partly;
    }
    let Some(net) = net.filter(|_| sum.is_whole()) else {
        let why = if row.without_duration > 0 && row.has_price {
            let unknown = counted(row.without_duration, "recording");
            format!("{unknown} of unknown length (a list gives lengths in a column `duration`)")
        } else {
            format!("{} has no price in {} here", row.model, budget.currency)
        };
        console.error(&format!("cannot tell whether {budget} is enough: {why}"));
        return Exit::Partly;
    };
    if net.most > budget.amount {
        console.note(&format!("the cost may be up to {}, more than {budget}", shown(net.most)));
    }
    Exit::Done
}
