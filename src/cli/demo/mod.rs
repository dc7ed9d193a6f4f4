//! `demo`: what becomes of recordings, from the estimate to the report, on calls that were invented for it.
//!
//! All is done by the code that does it for real calls; the service alone is a stand-in, on a port of this machine. Nothing of
//! the environment plays a role, and nothing is written outside one folder.

mod cost;
mod folder;
mod lots;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use futures_util::future::try_join_all;
use jiff::civil::Date;
use serde_json::json;
use tokio::sync::watch;

use super::analyze::{Done, Work};
use super::clip::quoted;
use super::flash::{listen, shown};
use super::output::{Failure, Format, Talk, printable};
use super::page::PageFlags;
use super::transcribe::{Progress, in_one_line};
use super::{Exit, block_on};
use crate::batch::{self, Batch, Clips, Counts, Draft, News, Order, Summary};
use crate::billing::Prices;
use crate::client::{ApiKey, Client, Clip, Flash, FlashAnswer, Recognition};
use crate::emulator::{Dialogue, Emulator, Scenario, Settings};
use crate::error::{Error, Result};
use crate::metrics;
use crate::metrics::keywords::Keywords;
use crate::report::number::counted;
use crate::tables::{self, Metadata};
use crate::transcript::Inputs;
use folder::Folder;
use lots::{CLIP, FLASH, LOST, Lot, REGION, clip_url, url};

const MORE: &str = "\
The emulator of this program stands in for the service, on a port of 127.0.0.1; no key is read and nobody else is asked.
Calls go through it as a batch, a message by flash; then come figures, cost and report. All of it lies in DIR, which the
next demo makes anew; a folder that holds anything else is refused. The service options play no role.";

/// A key as the emulator takes it.
const KEY: &str = "sk-of-the-demo";
/// The emulator's clock: nobody should wait for invented queues.
const SPEED: f64 = 20.0;
/// Between two pieces of the streamed text, so that it can be seen to grow.
const STREAM: &str = "frame_ms = 60";
const ROLES: &str = "ch0=agent,ch1=customer,spk0=agent,spk1=customer,spk2=supervisor";
const KEYWORDS: [&str; 4] = ["refund", "cancel", "退款", "取消"];
const META: &str = "calls-meta.csv";

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub(super) struct Args {
    /// Where everything goes: a new or empty folder, or that of an earlier demo, which is made anew
    #[arg(short, long, value_name = "DIR", default_value = "talkmeter-demo")]
    output: PathBuf,
}

/// Runs `demo`.
pub(super) fn run(args: &Args, today: Date, format: Format, talk: &Talk) -> std::result::Result<Exit, Failure> {
    if matches!(format, Format::Jsonl | Format::Csv | Format::Md) {
        return Err(Failure::Usage("`demo` prints a table or json; the tables it writes are files".to_owned()));
    }
    let folder = Folder::take(&args.output)?;
    let calls = Dialogue::builtin()?;
    let lots = lots::lots(&calls, folder.path());
    let prices = Prices::builtin();
    let estimates: Vec<cost::Estimated> = lots.iter().map(|lot| cost::estimated(lot, &prices)).collect();
    for (lot, estimate) in lots.iter().zip(&estimates) {
        talk.note(&format!("{}: {}", lot.what, estimate.in_words()));
    }
    let (exit, answer) = block_on(transcribed(&lots, talk))?;

    let Some(done) = analysed(&folder, &calls, &lots, today, talk)? else { return Ok(Exit::Failed) };
    let costs = cost::rows(&lots, estimates, &prices, talk)?;
    let next = next(folder.path());
    match format {
        Format::Json => {
            let told = json!({
                "folder": folder.path().to_string_lossy(), "cost": cost::as_json(&costs),
                "flash": {"file_url": clip_url(), "text": answer.text},
                "next": next.iter().map(|(_, command)| command).collect::<Vec<_>>(),
            });
            let report = done.report.to_json()?;
            talk.data(format!("{{\"demo\": {told:#},\n\"report\": {}}}\n", report.trim_end()).as_bytes())?;
        }
        _ => {
            let text = format!(
                "{}\n{}\n{}\ntry next\n{}",
                done.report.to_text(),
                cost::listing(&costs).table(),
                made(folder.path(), &lots),
                next.iter().map(|(what, command)| format!("  # {what}\n  {command}\n")).collect::<String>(),
            );
            talk.data(text.as_bytes())?;
        }
    }
    Ok(if done.failed > 0 { Exit::Partly } else { exit })
}

/// Everything that needs the service: a batch for each lot, and the message by flash.
async fn transcribed(lots: &[Lot], talk: &Talk) -> std::result::Result<(Exit, FlashAnswer), Failure> {
    let dialogues = Dialogue::builtin()?;
    let scenario = Scenario::parse(STREAM)?;
    let settings = Settings { dialogues, scenario, clock_speed: Some(SPEED), ..Settings::default() };
    let emulator = Emulator::start(settings).await?;
    talk.note(&format!("the emulator stands in for the service: {}", emulator.base_url()));
    let client =
        Client::builder().region(REGION).base_url(emulator.base_url()).api_key(ApiKey::new(KEY)?).no_proxy().build()?;
    let exit = conclude(&carried(lots, &client, talk).await?, talk);
    let lot = lots.iter().find(|lot| lot.recognition.is_none());
    let heard = message(lot.ok_or_else(|| Error::invalid("the demo has no message"))?, &client, talk).await?;
    Ok((exit, heard))
}

/// The batches, side by side to their ends.
async fn carried(lots: &[Lot], client: &Client, talk: &Talk) -> Result<Vec<Summary>> {
    let mut batches = Vec::new();
    for lot in lots {
        let Some(recognition) = &lot.recognition else { continue };
        let mut draft = Draft::default();
        lot.recordings.iter().for_each(|recording| draft.argument(recording.file.as_ref()));
        let order = Order::new(recognition.clone(), draft.finish()?.items);
        batches.push(Batch::open(&lot.folder, client.clone(), order)?);
    }
    let counts: Vec<Counts> = batches.iter().map(Batch::counts).collect();
    let progress = Progress::new(counts.iter().copied().sum(), talk);
    let together = Mutex::new(Together { progress, counts });
    let run = |(at, batch): (usize, Batch)| {
        let together = &together;
        async move {
            let (_stop, never) = watch::channel(false);
            let mut observe = |news: News<'_>| together.lock().unwrap_or_else(PoisonError::into_inner).take(at, news);
            batch.run(never, &mut observe).await
        }
    };
    let summaries = try_join_all(batches.into_iter().enumerate().map(run)).await?;
    drop(together);
    for (lot, summary) in lots.iter().filter(|lot| lot.recognition.is_some()).zip(&summaries) {
        let Counts { stored, silent, failed, .. } = summary.counts;
        talk.note(&format!("{}: {stored} transcribed, {silent} silent, {failed} failed", lot.what));
    }
    Ok(summaries)
}

/// How far several batches are, as one.
struct Together<'t> {
    progress: Progress<'t>,
    counts: Vec<Counts>,
}

impl Together<'_> {
    fn take(&mut self, at: usize, news: News<'_>) {
        let News::Counts(counts) = news else { return self.progress.take(news) };
        if let Some(own) = self.counts.get_mut(at) {
            *own = counts;
        }
        self.progress.take(News::Counts(self.counts.iter().copied().sum()));
    }
}

/// The clip, by a stream whose text grows in place.
async fn message(lot: &Lot, client: &Client, talk: &Talk) -> Result<FlashAnswer> {
    let flash = Flash::new(Recognition::new(FLASH), Clip::url(clip_url()));
    let growing = talk.growing();
    let mut pieces = 0_u64;
    let mut grow = |text: &str| {
        pieces += 1;
        growing.set_message(shown(text));
    };
    let answer = listen(client, &flash, &mut grow).await?;
    growing.finish_and_clear();
    Clips::open(&lot.folder)?.save(&clip_url(), FLASH, REGION, &answer, None)?;
    talk.note(&format!("{CLIP}.wav to {FLASH}, a text that grew {}:", counted(pieces, "time")));
    talk.note(&format!("  {}", answer.text));
    Ok(answer)
}

/// One failure is part of the show.
fn conclude(summaries: &[Summary], talk: &Talk) -> Exit {
    let mut exit = Exit::Done;
    for summary in summaries {
        for failure in &summary.failures {
            if failure.url == LOST {
                talk.note(&format!("as it should: {}", in_one_line(failure)));
                talk.note(&format!("  it is part of the show; {} has it", summary.dir.join(batch::FAILURES).display()));
            } else {
                talk.error(&in_one_line(failure));
                exit = Exit::Partly;
            }
        }
        if summary.counts.open() > 0 || summary.halted.is_some() {
            talk.error(&format!("{} did not come to its end", summary.dir.display()));
            exit = Exit::Failed;
        }
    }
    exit
}

/// Tables and report of the batches, by what `analyze` does. `None`: nothing could be measured, which was said.
fn analysed(
    folder: &Folder,
    calls: &[Dialogue],
    lots: &[Lot],
    today: Date,
    talk: &Talk,
) -> std::result::Result<Option<Done>, Failure> {
    let meta = folder.path().join(META);
    let mut rows = "file_url,agent,queue\n".to_owned();
    for call in calls.iter().filter(|call| call.name() != CLIP) {
        let note = |name| call.note(name).unwrap_or_default();
        rows += &format!("{},{},{}\n", url(call.name()), note("agent"), note("queue"));
    }
    folder.write(META, &rows)?;
    let batches: Vec<&Path> =
        lots.iter().filter(|lot| lot.recognition.is_some()).map(|lot| lot.folder.as_path()).collect();
    let keywords = Keywords::new(KEYWORDS).map_err(|error| Failure::Usage(error.to_string()))?;
    let work = Work {
        inputs: Inputs::find(&batches, Some(folder.path())),
        output: Some(folder.path().to_owned()),
        tables: vec![tables::Format::Parquet, tables::Format::Csv],
        only: None,
        metadata: Some(Metadata::read(&meta)?),
        group_by: vec!["queue".to_owned()],
        settings: metrics::Settings {
            roles: ROLES.parse().map_err(Failure::Usage)?,
            keywords: Some(keywords),
            ..metrics::Settings::default()
        },
        prices: Prices::builtin(),
        page: PageFlags::default(),
    };
    work.carry_out(today, talk)
}

/// What lies where.
fn made(folder: &Path, lots: &[Lot]) -> String {
    let at = |name: &str| folder.join(name).display().to_string();
    let mut rows: Vec<(String, String)> = Vec::new();
    rows.push((at("report.html"), "the report: open it in a browser".to_owned()));
    rows.push((at("report.json"), "its figures".to_owned()));
    rows.push((at("calls.csv"), "a row a call; participants, turns, events, hits and more beside it".to_owned()));
    rows.extend(lots.iter().map(|lot| (lot.folder.display().to_string(), lot.holds.to_owned())));
    let width = rows.iter().map(|(path, _)| path.chars().count()).max().unwrap_or(0);
    let line = |(path, what): &(String, String)| format!("  {}  {what}\n", printable(&format!("{path:width$}")));
    format!("made\n{}", rows.iter().map(line).collect::<String>())
}

/// What can be seen next, and the command for it, to be copied as it is.
fn next(folder: &Path) -> Vec<(&'static str, String)> {
    let program = program();
    let at = |way: &str| quoted(&folder.join(way).to_string_lossy());
    let (calls, mono) = (at("calls"), at("mono"));
    vec![
        (
            "a customer cuts in: the words of both",
            format!("{program} explain {} --event 2", at("calls/results/000002-late-parcel.json")),
        ),
        (
            "other questions to the same results, as often as you like",
            format!("{program} analyze {calls} {mono} --meta {} --group-by agent --keyword refund", at(META)),
        ),
        ("what each track comes to, and what the service reported", format!("{program} cost actual {calls}")),
    ]
}

/// How this program is called from here: by cargo inside its own repository, else as it was.
fn program() -> String {
    let called = std::env::args_os().next().unwrap_or_default();
    let by_cargo = || {
        let program = std::env::current_exe().ok()?;
        let profile = program.parent()?;
        let root = profile.parent().filter(|target| target.ends_with("target"))?.parent()?;
        if !std::env::current_dir().ok()?.starts_with(root) || !root.join("Cargo.toml").is_file() {
            return None;
        }
        match profile.file_name()?.to_str()? {
            "debug" => Some("cargo run -q --"),
            "release" => Some("cargo run -q --release --"),
            _ => None,
        }
    };
    by_cargo().map_or_else(|| quoted(&called.to_string_lossy()), str::to_owned)
}
