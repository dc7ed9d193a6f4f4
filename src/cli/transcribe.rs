//! `talkmeter transcribe`: a batch, carried as far as it goes.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use serde_json::json;
use tokio::sync::watch;

use super::connection::Connection;
use super::limit::Limit;
use super::output::{Console, Failure, Format, Listing};
use super::parameters::RecognitionArgs;
use super::prices::PriceFlags;
use super::tracks::TrackSelector;
use super::{Exit, advice, block_on};
use crate::batch::{self, Batch, BatchRequest, Counts, ManifestBuilder, Progress, Summary, Waiting};
use crate::billing::Money;
use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::redact::{without_queries, without_query};
use crate::report::number::counted;

/// Said before the first upload; the vendor's own words.
pub(super) const TEMPORARY: &str = "local files go to the service's temporary storage for 48 hours, which by the vendor's word is not for \
                         production or high concurrency; for nightly batches use https URLs of your own bucket";
/// Failures that are named on stderr; `failures.csv` has them all.
const NAMED: usize = 10;
/// Between two lines about progress where there is no terminal.
const REPORT: Duration = Duration::from_secs(60);

/// Recordings → result files, safely.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The ledger in DIR makes the same command on the same DIR go on where an earlier one was ended, however it was ended.
Nothing is billed twice and no paid result is lost. DIR/failures.csv names what failed, and why.

Without --channel every track of a local file that sounds different is requested, and each is
billed: a call with a track for each party is two charges, one sound in both tracks is one. Of a
URL track 0 is requested, the service's default. --channel decides for all.")]
pub(super) struct Args {
    /// http, https or oss URLs, local files (uploaded), or folders of local files
    #[arg(value_name = "INPUT")]
    inputs: Vec<OsString>,
    /// A list of inputs: text, CSV with a column `url`, or JSON lines; `-` for stdin
    #[arg(long, value_name = "FILE|-")]
    files_from: Vec<PathBuf>,
    /// Where the ledger, results/ and failures.csv go
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    #[command(flatten)]
    recognition: RecognitionArgs,
    /// Recordings in one task, 1 to 100; current pages of the service allow one
    #[arg(long, value_name = "N", default_value_t = 1)]
    files_per_task: usize,
    /// Submit only; the same command without it collects the results, within 24 hours of their end
    #[arg(long)]
    detach: bool,
    /// Send it even where the catalogue says that the service will refuse it
    #[arg(long)]
    no_check: bool,
    /// Submit again what nobody can tell whether the service took; it may be billed twice
    #[arg(long)]
    resubmit_uncertain: bool,
    /// Submit again what failed in an earlier run
    #[arg(long)]
    retry_failed: bool,
    /// Submit nothing when more is expected than this, and nothing that could pass it: 5usd, 12.50cny
    #[arg(long, value_name = "AMOUNT")]
    max_cost: Option<Money>,
    /// Count what is left of the free allowance when so many seconds of it are used
    #[arg(long, value_name = "SECONDS", requires = "max_cost")]
    quota_used: Option<u32>,
    #[command(flatten)]
    prices: PriceFlags,
}

pub(super) fn run(args: Args, connection: &Connection, format: Format, console: &Console) -> Result<Exit, Failure> {
    let recognition = args.recognition.recognition()?;
    let Some(recordings) = recordings(&args, console)? else { return Ok(Exit::Usage) };
    let region = connection.region()?;
    let model = recognition.model().to_owned();
    let mut request = BatchRequest::new(recognition.clone(), recordings)
        .files_per_task(args.files_per_task)
        .detach(args.detach)
        .resubmit_uncertain(args.resubmit_uncertain)
        .retry_failed(args.retry_failed)
        .hints(advice::for_failure);
    if !args.no_check {
        let rate = |path: &Path| crate::audio::probe(path).ok().flatten()?.sample_rate_hz;
        match request.check(Catalog::builtin(), region, &rate) {
            Ok(warnings) => warnings.iter().for_each(|warning| console.note(&advice::warning(warning))),
            Err(problems) => {
                problems.list().iter().for_each(|one| console.error(&advice::line(&one.message, one.check)));
                if problems.further() > 0 {
                    console.say(&format!(
                        "and {} more; nothing was sent (--no-check sends it all the same)",
                        problems.further()
                    ));
                } else {
                    console.say("nothing was sent; --no-check sends it all the same");
                }
                return Ok(Exit::Usage);
            }
        }
    }
    let client = connection.client()?;
    let selector = TrackSelector { recognition: &recognition, dir: &args.output, lengths: args.max_cost.is_some() };
    let selected = selector.select(request.recordings_mut(), console)?;
    if let Some(most) = args.max_cost {
        let limit = Limit { most, used: args.quota_used, prices: &args.prices };
        match limit.budget((&model, region), request.recordings_mut(), &selected, console)? {
            Some(budget) => request = request.budget(Some(budget)),
            None => return Ok(Exit::Partly),
        }
    }
    let batch = Batch::open(&args.output, client, request)?;
    batch.notes().iter().for_each(|note| console.note(note));
    announce(&batch, &model, &selector, console);
    let summary = block_on(async {
        let (stop, stopped) = watch::channel(false);
        let mut display = ProgressDisplay::new(batch.counts(), console);
        let mut observe = |progress: Progress<'_>| display.take(progress);
        let run = batch.run(stopped, &mut observe);
        let interrupted = async {
            interrupt().await;
            console.say("stopping: what is under way is brought to its end; once more stops at once");
            // Nobody is left to be told when the batch has just ended.
            let _ = stop.send(true);
            interrupt().await;
        };
        tokio::select! {
            summary = run => Ok(summary?),
            () = interrupted => Err(Error::cancelled("stopped at once").into()),
        }
    });
    let mut summary = match summary {
        Ok(summary) => summary,
        Err(failure) => {
            let exit = console.failed(&failure);
            console.say("what was reached is kept; the same command goes on");
            return Ok(exit);
        }
    };
    let halted = summary.halted.take();
    let exit = conclude(&summary, &args, &model, format, console)?;
    Ok(match halted {
        Some(error) => {
            let exit = console.failed(&error.into());
            console.say("what was reached is kept; the same command goes on");
            exit
        }
        None => exit,
    })
}

/// What is to be transcribed; `None` where something is wrong with it, which was said.
fn recordings(args: &Args, console: &Console) -> Result<Option<Vec<batch::Recording>>, Failure> {
    if args.inputs.is_empty() && args.files_from.is_empty() {
        if args.output.join(batch::LEDGER).is_file() {
            return Ok(Some(Vec::new()));
        }
        return Err(Failure::Usage(
            "nothing to transcribe: name URLs or files, or a list with --files-from".to_owned(),
        ));
    }
    let mut builder = ManifestBuilder::default();
    args.inputs.iter().for_each(|input| builder.argument(input));
    for list in &args.files_from {
        if list.as_os_str() == "-" {
            builder.list("-", std::io::stdin().lock());
        } else {
            builder.list_file(list);
        }
    }
    match builder.finish() {
        Ok(manifest) => {
            manifest.notes.iter().for_each(|note| console.note(note));
            Ok(Some(manifest.recordings))
        }
        Err(problems) => {
            problems.list().iter().for_each(|one| console.error(&advice::line(&one.message, one.check)));
            if problems.further() > 0 {
                console.say(&format!("and {} more", problems.further()));
            }
            Ok(None)
        }
    }
}

/// What is about to happen, and how often it is charged.
fn announce(batch: &Batch, model: &str, selector: &TrackSelector<'_>, console: &Console) {
    let counts = batch.counts();
    if counts.done() > 0 || counts.in_flight + counts.uncertain > 0 {
        let Counts { stored, silent, failed, in_flight, uncertain, waiting, .. } = counts;
        console.note(&format!(
            "going on: {} of {} files have results, {failed} failed, {in_flight} are at the service, {uncertain} uncertain, {waiting} \
             to be submitted",
            stored + silent,
            counts.total(),
        ));
    }
    if counts.waiting == 0 {
        return;
    }
    let waiting = batch.waiting();
    console.note(&format!(
        "{} to submit to {model}, {}: {} by the length of speech",
        counted(counts.waiting as u64, "file"),
        tracks_of(&waiting),
        counted(waiting.charges() as u64, "charge"),
    ));
    if !selector.is_chosen() && waiting.addresses > 0 {
        console.note(&format!(
            "of {} only track 0 is transcribed, the service's default: where each party has a track, give --channel 0,1",
            counted(waiting.addresses as u64, "URL"),
        ));
    }
    if waiting.files > 0 {
        console.say(TEMPORARY);
    }
}

/// What is requested, as in "track 0 of 3, tracks 0, 1 of 2".
fn tracks_of(waiting: &Waiting) -> String {
    let named = |tracks: &[u32]| {
        let listed: Vec<String> = tracks.iter().map(u32::to_string).collect();
        format!("{} {}", if tracks.len() == 1 { "track" } else { "tracks" }, listed.join(", "))
    };
    let numbers = || waiting.by_tracks.keys().map(Vec::len);
    match waiting.by_tracks.len() {
        1 => waiting.by_tracks.keys().map(|tracks| format!("{} of each", named(tracks))).collect(),
        2 | 3 => {
            let sets = waiting.by_tracks.iter().map(|(tracks, files)| format!("{} of {files}", named(tracks)));
            sets.collect::<Vec<_>>().join(", ")
        }
        _ => format!("{} to {} tracks of each", numbers().min().unwrap_or(1), numbers().max().unwrap_or(1)),
    }
}

/// Shows how far a batch is: a bar on a terminal, a line a minute elsewhere.
pub(super) struct ProgressDisplay<'t> {
    console: &'t Console,
    bar: ProgressBar,
    reported: Instant,
    last: Counts,
}

impl<'t> ProgressDisplay<'t> {
    pub(super) fn new(counts: Counts, console: &'t Console) -> Self {
        let bar = console.progress(counts.total());
        bar.set_position(counts.done() as u64);
        // The rate is of this run alone.
        bar.reset_eta();
        Self { console, bar, reported: Instant::now(), last: counts }
    }

    pub(super) fn take(&mut self, progress: Progress<'_>) {
        match progress {
            Progress::Note(line) => self.bar.suspend(|| self.console.note(line)),
            Progress::Counts(counts) if counts != self.last => {
                self.last = counts;
                self.bar.set_position(counts.done() as u64);
                self.bar.set_message(in_words(&counts));
                if self.bar.is_hidden() && self.reported.elapsed() > REPORT {
                    self.reported = Instant::now();
                    self.console.note(&format!(
                        "{} of {} files done; {}",
                        counts.done(),
                        counts.total(),
                        in_words(&counts)
                    ));
                }
            }
            Progress::Counts(_) => {}
        }
    }
}

impl Drop for ProgressDisplay<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn in_words(counts: &Counts) -> String {
    let named = [
        (counts.waiting + counts.submitting, "waiting"),
        (counts.uploading, "uploading"),
        (counts.in_flight, "at the service"),
        (counts.uncertain, "uncertain"),
        (counts.silent, "silent"),
        (counts.failed, "failed"),
    ];
    let said: Vec<String> = named.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    said.join(", ")
}

/// What came of it: one row on stdout, everything to act upon on stderr.
fn conclude(summary: &Summary, args: &Args, model: &str, format: Format, console: &Console) -> Result<Exit, Failure> {
    let counts = summary.counts;
    for failure in summary.failures.iter().take(NAMED) {
        console.error(&in_one_line(failure));
    }
    if !summary.failures.is_empty() {
        let all = summary.dir.join(batch::FAILURES);
        console.say(&format!("{} without a result: {}", counted(summary.failures.len() as u64, "file"), all.display()));
    }
    if counts.silent > 0 {
        console
            .note(&format!("warning: {} without speech: an empty transcript", counted(counts.silent as u64, "file")));
    }
    for (track, recordings) in &summary.unheard {
        let recordings = counted(recordings.len() as u64, "recording");
        console.note(&format!("warning: {recordings} without a transcript of track {track}, though it was requested"));
    }
    other_tracks(&summary.untranscribed, args, model, console)?;
    if let Some(why) = &summary.over_budget {
        console.error(&format!("{why}; the same command with a higher --max-cost goes on"));
    }
    if summary.stopped && counts.open() > 0 {
        console.say("stopped; the same command goes on");
    } else if args.detach && counts.open() > 0 {
        console.note(&format!(
            "{} at the service; the same command without --detach collects the results, within 24 hours",
            counted(counts.in_flight as u64, "file")
        ));
    }
    let row = [
        ("files", json!(counts.total())),
        ("transcribed", json!(counts.stored)),
        ("silent", json!(counts.silent)),
        ("failed", json!(counts.failed)),
        ("at_service", json!(counts.in_flight)),
        ("uncertain", json!(counts.uncertain)),
        ("waiting", json!(counts.waiting)),
        ("results", json!(summary.dir.join(batch::RESULTS).to_string_lossy())),
    ];
    let (head, cells) = row.into_iter().unzip();
    Listing { head, rows: vec![cells] }.print(format, console)?;
    Ok(match () {
        () if summary.stopped && counts.open() > 0 => Exit::Failed,
        () if !summary.failures.is_empty() => Exit::Partly,
        () if summary.over_budget.is_some() => Exit::Partly,
        () if counts.open() > 0 && !args.detach => Exit::Partly,
        () => Exit::Done,
    })
}

/// A failure for people, without the query of a signed address.
pub(super) fn in_one_line(failure: &batch::Failure) -> String {
    let hint = if failure.hint.is_empty() { String::new() } else { format!("; {}", failure.hint) };
    let code = if failure.code == failure.message { "" } else { &failure.code };
    let colon = if code.is_empty() { "" } else { ": " };
    format!("{}: {code}{colon}{}{hint}", without_query(&failure.url), without_queries(&failure.message))
}

/// Tracks that recordings have and nobody asked for: how many, and how to get them.
fn other_tracks(tracks: &BTreeMap<i64, Vec<String>>, args: &Args, model: &str, console: &Console) -> Result<()> {
    for (track, urls) in tracks {
        let list = args.output.join(format!("track-{track}.txt"));
        // Addresses may be signed, so they go to a file and not to the terminal.
        std::fs::write(&list, urls.join("\n") + "\n").map_err(|error| Error::io("write", &list, error))?;
        console.say(&format!(
            "{} with a track {track} that was not transcribed: talkmeter transcribe --model {model} --channel {track} \
             --files-from {} -o {}-track-{track}",
            counted(urls.len() as u64, "recording"),
            list.display(),
            args.output.display(),
        ));
    }
    Ok(())
}

/// Until somebody wants an end: Ctrl-C, or what a supervisor sends.
async fn interrupt() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Where signals are not to be had nothing can be waited for.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
