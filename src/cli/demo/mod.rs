//! `demo`: the whole pipeline on built-in calls, from the cost estimate to the report.
//!
//! It runs the same code as real calls; only the service is replaced, by the emulator on a local port. It reads nothing from
//! the environment and writes to one folder only.

mod batches;
mod cost;
mod folder;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use futures_util::future::try_join_all;
use jiff::civil::Date;
use serde_json::json;

use super::analyze::{AnalyzeJob, AnalyzeResult};
use super::clip::quoted;
use super::condition::ConditionFlag;
use super::flash::{listen, shown};
use super::order::OrderFlags;
use super::output::{Console, Failure, Format, printable};
use super::page::PageFlags;
use super::stores::Destination;
use super::transcribe::{ProgressDisplay, in_one_line};
use super::{Exit, advice, block_on};
use crate::batch::{self, Batch, BatchRequest, Clips, Counts, ManifestBuilder, Progress, RunOptions, Summary};
use crate::billing::Prices;
use crate::client::{ApiKey, Client, Clip, Flash, FlashAnswer, Recognition};
use crate::emulator::{Dialogue, Emulator, Scenario, Settings};
use crate::error::{Error, Result};
use crate::metrics;
use crate::metrics::keywords::Keywords;
use crate::report::number::counted;
use crate::tables::{self, Metadata};
use crate::transcript::Inputs;
use batches::{CLIP, DemoBatch, FLASH, LOST, REGION, clip_url, url};
use folder::Folder;

const MORE: &str = "\
The service is replaced by the built-in emulator on 127.0.0.1: no key, no network. Calls are transcribed as a batch and one
message with flash, then measured, priced and reported. Everything is written to DIR, which the next demo replaces; a folder
with other files in it is refused.";

/// A key that the emulator accepts.
const KEY: &str = "sk-of-the-demo";
/// Speed of the emulator's clock, so that simulated queues take no time.
const SPEED: f64 = 20.0;
/// Pause between partial results, so that the text visibly grows.
const STREAM: &str = "frame_ms = 60";
const ROLES: &str = "ch0=agent,ch1=customer,spk0=agent,spk1=customer,spk2=supervisor";
const KEYWORDS: [&str; 4] = ["refund", "cancel", "退款", "取消"];
const META: &str = "calls-meta.csv";

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub(super) struct Args {
    /// Output folder: new, empty, or from an earlier demo (replaced)
    #[arg(short, long, value_name = "DIR", value_parser = crate::cli::stores::local_path(), default_value = "talkmeter-demo")]
    output: PathBuf,
}

/// Runs `demo`.
pub(super) fn run(args: &Args, today: Date, format: Format, console: &Console) -> std::result::Result<Exit, Failure> {
    if matches!(format, Format::Jsonl | Format::Csv | Format::Md) {
        return Err(Failure::Usage("`demo` prints a table or json; it writes its tables as files".to_owned()));
    }
    let folder = Folder::open(&args.output)?;
    let calls = Dialogue::builtin()?;
    let batches = batches::batches(&calls, folder.path());
    let prices = Prices::builtin();
    let estimates: Vec<cost::Estimated> = batches.iter().map(|batch| cost::estimated(batch, &prices)).collect();
    for (batch, estimate) in batches.iter().zip(&estimates) {
        console.note(&format!("{}: {}", batch.what, estimate.in_words()));
    }
    let (exit, answer) = block_on(transcribe(&batches, console))?;

    let Some(done) = analyze(&folder, &calls, &batches, today, console)? else { return Ok(Exit::Failed) };
    let costs = cost::rows(&batches, estimates, &prices, console)?;
    let next = next_commands(folder.path());
    match format {
        Format::Json => {
            let demo = json!({
                "folder": folder.path().to_string_lossy(), "cost": cost::as_json(&costs),
                "flash": {"file_url": clip_url(), "text": answer.text},
                "next": next.iter().map(|(_, command)| command).collect::<Vec<_>>(),
            });
            let report = done.report.to_json()?;
            console.data(format!("{{\"demo\": {demo:#},\n\"report\": {}}}\n", report.trim_end()).as_bytes())?;
        }
        _ => {
            let text = format!(
                "{}\n{}\n{}\ntry next\n{}",
                done.report.to_text(console.width()),
                cost::listing(&costs).table(console),
                written(folder.path(), &batches),
                next.iter().map(|(what, command)| format!("  # {what}\n  {command}\n")).collect::<String>(),
            );
            console.data(text.as_bytes())?;
        }
    }
    Ok(if done.failed > 0 { Exit::Partly } else { exit })
}

/// Transcribes the batches, and the message with flash.
async fn transcribe(batches: &[DemoBatch], console: &Console) -> std::result::Result<(Exit, FlashAnswer), Failure> {
    let dialogues = Dialogue::builtin()?;
    let scenario = Scenario::parse(STREAM)?;
    let settings = Settings { dialogues, scenario, clock_speed: Some(SPEED), ..Settings::default() };
    let emulator = Emulator::start(settings).await?;
    console.note(&format!("emulator started instead of the service: {}", emulator.base_url()));
    let client =
        Client::builder().region(REGION).base_url(emulator.base_url()).api_key(ApiKey::new(KEY)?).no_proxy().build()?;
    let exit = report_failures(&run_batches(batches, &client, console).await?, console);
    let batch = batches.iter().find(|batch| batch.recognition.is_none());
    let batch = batch.ok_or_else(|| Error::invalid("the demo has no message"))?;
    Ok((exit, transcribe_clip(batch, &client, console).await?))
}

/// Runs the batches concurrently.
async fn run_batches(batches: &[DemoBatch], client: &Client, console: &Console) -> Result<Vec<Summary>> {
    let mut opened = Vec::new();
    for batch in batches {
        let Some(recognition) = &batch.recognition else { continue };
        let mut draft = ManifestBuilder::default();
        batch.recordings.iter().for_each(|recording| draft.argument(recording.file.as_ref()));
        let order = BatchRequest::new(recognition.clone(), draft.finish()?.recordings).hints(advice::for_failure);
        opened.push(Batch::open(&batch.folder, client.clone(), order)?);
    }
    let counts: Vec<Counts> = opened.iter().map(Batch::counts).collect();
    let progress = ProgressDisplay::new(counts.iter().copied().sum(), console);
    let combined = Mutex::new(CombinedProgress { progress, counts });
    let run = |(at, batch): (usize, Batch)| {
        let combined = &combined;
        async move {
            let observer =
                |progress: Progress<'_>| combined.lock().unwrap_or_else(PoisonError::into_inner).take(at, progress);
            batch.run(RunOptions::new().observer(observer)).await
        }
    };
    let summaries = try_join_all(opened.into_iter().enumerate().map(run)).await?;
    drop(combined);
    for (batch, summary) in batches.iter().filter(|batch| batch.recognition.is_some()).zip(&summaries) {
        let Counts { stored, silent, failed, .. } = summary.counts;
        console.note(&format!("{}: {stored} transcribed, {silent} silent, {failed} failed", batch.what));
    }
    Ok(summaries)
}

/// The progress of several batches on one bar.
struct CombinedProgress<'t> {
    progress: ProgressDisplay<'t>,
    counts: Vec<Counts>,
}

impl CombinedProgress<'_> {
    fn take(&mut self, at: usize, progress: Progress<'_>) {
        let Progress::Counts(counts) = progress else { return self.progress.take(progress) };
        if let Some(own) = self.counts.get_mut(at) {
            *own = counts;
        }
        self.progress.take(Progress::Counts(self.counts.iter().copied().sum()));
    }
}

/// Transcribes the message with flash; the streamed text grows in place.
async fn transcribe_clip(batch: &DemoBatch, client: &Client, console: &Console) -> Result<FlashAnswer> {
    let flash = Flash::new(Recognition::new(FLASH), Clip::url(clip_url()));
    let growing = console.growing();
    let mut partial_results = 0_u64;
    let mut grow = |text: &str| {
        partial_results += 1;
        growing.set_message(shown(text));
    };
    let answer = listen(client, &flash, &mut grow).await?;
    growing.finish_and_clear();
    Clips::open(&batch.folder)?.save(&clip_url(), FLASH, REGION, &answer, None)?;
    console.note(&format!("{CLIP}.wav with {FLASH}, {}:", counted(partial_results, "partial result")));
    console.note(&format!("  {}", answer.text));
    Ok(answer)
}

/// Prints the failures. That of [`LOST`] is part of the demo.
fn report_failures(summaries: &[Summary], console: &Console) -> Exit {
    let mut exit = Exit::Done;
    for summary in summaries {
        for failure in &summary.failures {
            if failure.url == LOST {
                console.note(&format!("expected: {}", in_one_line(failure)));
                let list = summary.dir.join(batch::FAILURES);
                console.note(&format!("  this recording is missing on purpose; it is listed in {}", list.display()));
            } else {
                console.error(&in_one_line(failure));
                exit = Exit::Partly;
            }
        }
        if summary.counts.open() > 0 || summary.halted.is_some() {
            console.error(&format!("the batch in {} did not finish", summary.dir.display()));
            exit = Exit::Failed;
        }
    }
    exit
}

/// Writes tables and report of the batches, as `analyze` does. `None`: nothing could be measured (already reported).
fn analyze(
    folder: &Folder,
    calls: &[Dialogue],
    batches: &[DemoBatch],
    today: Date,
    console: &Console,
) -> std::result::Result<Option<AnalyzeResult>, Failure> {
    let meta = folder.path().join(META);
    let mut rows = "file_url,agent,queue\n".to_owned();
    for call in calls.iter().filter(|call| call.name() != CLIP) {
        let note = |name| call.note(name).unwrap_or_default();
        rows += &format!("{},{},{}\n", url(call.name()), note("agent"), note("queue"));
    }
    folder.write(META, &rows)?;
    let batches: Vec<&Path> =
        batches.iter().filter(|batch| batch.recognition.is_some()).map(|batch| batch.folder.as_path()).collect();
    let keywords = Keywords::new(KEYWORDS).map_err(|error| Failure::Usage(error.to_string()))?;
    let job = AnalyzeJob {
        inputs: Inputs::find(&batches, Some(folder.path())),
        destination: Some(Destination::new(folder.path().to_owned(), console)?),
        tables: vec![tables::Format::Parquet, tables::Format::Csv],
        only: None,
        metadata: Some(Metadata::read(&meta, None)?),
        group_by: vec!["queue".to_owned()],
        time_format: None,
        condition: ConditionFlag::default(),
        order: OrderFlags::default(),
        rules: None,
        settings: metrics::Settings {
            roles: ROLES.parse().map_err(Failure::refused)?,
            keywords: Some(keywords),
            ..metrics::Settings::default()
        },
        prices: Prices::builtin(),
        page: PageFlags::default(),
        prints_report: false,
        shard: None,
    };
    job.run(today, console)
}

/// Lists what was written where.
fn written(folder: &Path, batches: &[DemoBatch]) -> String {
    let at = |name: &str| folder.join(name).display().to_string();
    let mut rows: Vec<(String, String)> = Vec::new();
    rows.push((at("report.html"), "the report; open it in a browser".to_owned()));
    rows.push((at("report.json"), "its figures".to_owned()));
    rows.push((at("calls.csv"), "one row per call; more tables beside it".to_owned()));
    rows.extend(batches.iter().map(|batch| (batch.folder.display().to_string(), batch.contents.to_owned())));
    let width = rows.iter().map(|(path, _)| path.chars().count()).max().unwrap_or(0);
    let line = |(path, what): &(String, String)| format!("  {}  {what}\n", printable(&format!("{path:width$}")));
    format!("written\n{}", rows.iter().map(line).collect::<String>())
}

/// Commands to try next, ready to copy, each with what it shows.
fn next_commands(folder: &Path) -> Vec<(&'static str, String)> {
    let program = program();
    let at = |path: &str| quoted(&folder.join(path).to_string_lossy());
    let (calls, mono) = (at("calls"), at("mono"));
    vec![
        (
            "a customer cuts in: what both were saying",
            format!("{program} explain {} --event 2", at("calls/results/000002-late-parcel.json")),
        ),
        (
            "ask something else of the same results, at no cost",
            format!("{program} analyze {calls} {mono} --meta {} --group-by agent --keyword refund", at(META)),
        ),
        ("the cost of each track, and what the service reported", format!("{program} cost actual {calls}")),
    ]
}

/// How to call this program from here: through cargo in the repository it was started from, else as it was called.
fn program() -> String {
    let called = std::env::args_os().next().unwrap_or_default();
    let by_cargo = || {
        // Set by `cargo run`, wherever it keeps what it builds.
        let repository = std::env::var_os("CARGO_MANIFEST_DIR")?;
        if !std::env::current_dir().ok()?.starts_with(repository) {
            return None;
        }
        match std::env::current_exe().ok()?.parent()?.file_name()?.to_str()? {
            "debug" => Some("cargo run -q --"),
            "release" => Some("cargo run -q --release --"),
            _ => None,
        }
    };
    by_cargo().map_or_else(|| quoted(&called.to_string_lossy()), str::to_owned)
}
