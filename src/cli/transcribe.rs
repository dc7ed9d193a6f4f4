//! `talkmeter transcribe`: runs a batch.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use serde_json::json;

use super::budget::BudgetFlags;
use super::connection::Connection;
use super::duration::duration;
use super::limit::Limit;
use super::max_result::MaxResult;
use super::output::{Console, Failure, Format, Listing};
use super::parameters::RecognitionArgs;
use super::prices::PriceFlags;
use super::vocab::check_vocabulary_of;
use super::{Exit, advice, block_on, expected_cost, export, interrupt, stage, stores, tracks};
use crate::batch::{
    self, Batch, BatchRequest, Counts, ManifestBuilder, Progress, RunOptions, Summary, TrackSelection, Waiting,
};
use crate::billing::Money;
use crate::catalog::Catalog;
use crate::disk;
use crate::error::{ErrorKind, Result};
use crate::redact::{without_queries, without_query};
use crate::report::number::counted;
use crate::stores::StoreUrl;
use crate::time::span_of_seconds;

/// Printed before the first upload; the vendor's own words.
pub(super) const TEMPORARY: &str = "local files are uploaded to the service's temporary storage for 48 hours, which the vendor does not recommend \
                         for production or high concurrency; for nightly batches use https URLs of your own bucket, or \
                         `talkmeter transcribe --stage`";
/// Failures named on stderr; `failures.csv` has all.
const NAMED: usize = 10;
/// Interval between progress lines without a terminal.
const REPORT: Duration = Duration::from_secs(60);

/// Transcribe recordings in a batch that survives interruptions
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Re-run the same command on DIR to resume: recordings are never billed twice, and no paid result
is lost. Kill a run at any point; if an answer was lost, the next run checks whether the job was
accepted before it submits again. DIR/failures.csv lists what failed and why.

Without --channel, all tracks of a local file that sound different are requested, and each is
billed: a call with one track per participant is two charges, identical tracks are one. Of a URL
track 0 is requested, the service's default. --channel sets the tracks of all recordings.

For production, put local files into a bucket of your own instead of temporary storage:
  talkmeter transcribe calls -o may --stage s3://calls/may --unstage")]
pub(super) struct Args {
    /// http, https or oss URLs, local files (uploaded), or folders of local files
    #[arg(value_name = "INPUT")]
    inputs: Vec<OsString>,
    /// List of inputs: text, CSV with a column `url`, or JSON lines; `-` for stdin
    #[arg(long, value_name = "FILE|-")]
    files_from: Vec<PathBuf>,
    /// Folder for the ledger, results/ and failures.csv
    #[arg(short, long, value_name = "DIR", value_parser = super::stores::local_path())]
    output: PathBuf,
    #[command(flatten)]
    recognition: RecognitionArgs,
    /// Recordings per task, 1 to 100; current pages of the service allow one
    #[arg(long, value_name = "N", default_value_t = 1)]
    files_per_task: usize,
    /// Submit only; run again without it within 24 hours to collect the results
    #[arg(long)]
    detach: bool,
    /// Submit even if the catalogue says that the service will refuse it
    #[arg(long)]
    no_check: bool,
    /// Put local files into your own bucket; the service reads signed links
    #[arg(long, value_name = "s3://BUCKET/PREFIX", value_parser = str::parse::<StoreUrl>)]
    stage: Option<StoreUrl>,
    /// Delete the files that --stage put into a bucket, once they are done
    #[arg(long)]
    unstage: bool,
    /// Resubmit recordings whose last submit may have been accepted (may bill twice)
    #[arg(long)]
    resubmit_uncertain: bool,
    /// Resubmit recordings that failed in an earlier run
    #[arg(long)]
    retry_failed: bool,
    /// Compare every stored result with its hash, not only a sample
    #[arg(long)]
    verify: bool,
    /// Submit nothing that could cost more than this in total: 5usd, 12.50cny
    #[arg(long, value_name = "AMOUNT")]
    max_cost: Option<Money>,
    /// Deduct the free allowance, of which SECONDS are already used
    #[arg(long, value_name = "SECONDS", requires = "max_cost")]
    quota_used: Option<u32>,
    #[command(flatten)]
    budget: BudgetFlags,
    /// Interval between queries of a task; default 2s, growing to 20s
    #[arg(long, value_name = "LENGTH", value_parser = super::duration::duration)]
    poll_interval: Option<std::time::Duration>,
    /// Write each result as text as well, to the folder `text` beside `results`
    #[arg(long)]
    text: bool,
    /// Time after which the service's list shows a task that was accepted
    #[arg(long, value_name = "LENGTH", value_parser = duration, hide = true)]
    list_lag: Option<Duration>,
    /// End after this time with exit code 3; unfinished tasks stay at the service
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = duration)]
    within: Duration,
    #[command(flatten)]
    max_result: MaxResult,
    #[command(flatten)]
    prices: PriceFlags,
}

pub(super) fn run(args: Args, connection: &Connection, format: Format, console: &Console) -> Result<Exit, Failure> {
    let recognition = args.recognition.recognition(&|note| console.note(note))?;
    let Some(recordings) = recordings(&args, console)? else { return Ok(Exit::Usage) };
    let region = connection.region()?;
    let model = recognition.model().to_owned();
    let mut request = BatchRequest::new(recognition.clone(), recordings)
        .files_per_task(args.files_per_task)
        .detach(args.detach)
        .resubmit_uncertain(args.resubmit_uncertain)
        .retry_failed(args.retry_failed)
        .verify(args.verify)
        .poll_interval(args.poll_interval)
        .staging(stage::staging(args.stage.as_ref(), args.unstage)?)
        .hints(advice::for_failure);
    if let Some(lag) = args.list_lag {
        request = request.list_lag(lag);
    }
    let mut selected = select_tracks(&mut request, &args, console)?;
    if !args.no_check {
        match request.check(Catalog::builtin(), region) {
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
    let client = connection.client_for_results(args.max_result, console)?;
    if !args.no_check {
        check_vocabulary_of(&client, &recognition, console)?;
    }
    let one_track = recognition.one_track(Catalog::builtin());
    tracks::lines(&selected, one_track.as_deref()).iter().for_each(|line| console.note(line));
    let mut left_out = HashSet::new();
    if let Some(most) = args.max_cost {
        let limit =
            Limit { most, used: args.quota_used, prices: &args.prices, prompt_bytes: recognition.prompt_bytes() };
        let Some(admitted) = limit.budget((&model, region), request.recordings(), &selected, console)? else {
            return Ok(Exit::Partly);
        };
        left_out = admitted.left_out;
        let mut recordings = request.recordings().iter();
        selected.retain(|_| recordings.next().is_none_or(|recording| !left_out.contains(&recording.key)));
        request = request.budget(Some(admitted.budget)).without(&left_out);
    }
    let prompt_bytes = recognition.prompt_bytes();
    if let Some(mut budget) = args.budget.open((&model, region), prompt_bytes, &args.prices, console)? {
        let mut unknown = 0;
        for (recording, selected) in request.recordings().iter().zip(&selected) {
            match budget.most(recording.duration_ms, &selected.tracks, selected.distinct_tracks) {
                Some(most) => budget.shared.set_most(&recording.key, most),
                None => unknown += 1,
            }
        }
        if unknown > 0 {
            console.note(&format!(
                "{} of unknown length: each track is reserved in the budget as {} long, until its bill is known",
                counted(unknown, "recording"),
                span_of_seconds(budget.longest),
            ));
        }
        request = request.shared_budget(Some(budget.shared));
    }
    let names_tracks = request.names_tracks();
    let batch = Batch::open(&args.output, client, request)?;
    batch.notes().iter().for_each(|note| console.note(note));
    announce(&batch, (&model, args.stage.as_ref()), names_tracks, console);
    expected_cost::announce(&batch, (&model, region), &args.prices, args.quota_used, console)?;
    let summary = block_on(async {
        let mut display = ProgressDisplay::new(batch.counts(), console);
        let options = RunOptions::new()
            .within(args.within)
            .cancel(interrupt::requested())
            .observer(|progress| display.take(progress));
        Ok(batch.run(options).await?)
    });
    let mut summary = match summary {
        Ok(summary) => summary,
        Err(failure) => {
            let exit = console.failed(&failure);
            stage::say_what_is_left_in(&args.output, args.unstage, console);
            console.say("progress is saved; run the same command to resume");
            return Ok(exit);
        }
    };
    let halted = summary.halted.take();
    let exit = match conclude(&summary, &args, &model, format, console)? {
        Exit::Done if !left_out.is_empty() => Exit::Partly,
        exit => exit,
    };
    let has_texts =
        !args.text || summary.counts.stored == 0 || export::write_texts(&args.output, console)? == Exit::Done;
    let is_unstaged = stage::say_what_is_left(&summary.staged, args.unstage, console);
    let exit = if exit == Exit::Done && !(has_texts && is_unstaged) { Exit::Partly } else { exit };
    Ok(match halted {
        Some(error) => {
            let exit = match error.kind() {
                // Only what is put into a store stops a run by such an error.
                ErrorKind::Io => console.failed(&stores::failed(&error, console)),
                _ => console.failed(&error.into()),
            };
            console.say("progress is saved; run the same command to resume");
            exit
        }
        None => exit,
    })
}

/// Reads local files and selects their tracks.
fn select_tracks(request: &mut BatchRequest, args: &Args, console: &Console) -> Result<Vec<TrackSelection>, Failure> {
    let bar = OnceLock::new();
    let observe = |done: usize, files: usize| {
        let bar = bar.get_or_init(|| {
            let bar = console.progress(files);
            bar.set_message("reading local files");
            bar
        });
        bar.set_position(done as u64);
    };
    let selected = request.select_tracks(&args.output, args.max_cost.is_some() || args.budget.is_given(), &observe);
    if let Some(bar) = bar.get() {
        bar.finish_and_clear();
    }
    Ok(selected?)
}

/// The recordings to transcribe; `None` if something is wrong with them, which was reported.
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

/// Prints what is about to be submitted, and the number of charges.
fn announce(batch: &Batch, (model, stage): (&str, Option<&StoreUrl>), names_tracks: bool, console: &Console) {
    let counts = batch.counts();
    if counts.done() > 0 || counts.in_flight + counts.uncertain > 0 {
        let Counts { stored, silent, failed, in_flight, uncertain, waiting, .. } = counts;
        console.note(&format!(
            "resuming: {} of {} files have results, {failed} failed, {in_flight} are at the service, {uncertain} uncertain, {waiting} \
             to submit",
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
    if !names_tracks && waiting.addresses > 0 {
        console.note(&format!(
            "only track 0 of {} is transcribed, the service's default; if each participant has a track, add --channel 0,1",
            counted(waiting.addresses as u64, "URL"),
        ));
    }
    match stage {
        _ if waiting.files == 0 => {}
        Some(folder) => console.note(&stage::announced(waiting.files, folder)),
        None => console.say(TEMPORARY),
    }
}

/// The requested tracks, as in "track 0 of 3, tracks 0, 1 of 2".
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

/// Shows progress: a bar on a terminal, one line per minute elsewhere.
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
        // The rate counts this run only.
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
    let listed: Vec<String> = named.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    listed.join(", ")
}

/// Prints the outcome: one row on stdout, everything to act on to stderr.
fn conclude(summary: &Summary, args: &Args, model: &str, format: Format, console: &Console) -> Result<Exit, Failure> {
    let counts = summary.counts;
    // What could exceed the limit alone was named before the first submit.
    let unnamed = summary.failures.iter().filter(|failure| failure.code != batch::OVER_LIMIT);
    for failure in unnamed.take(NAMED) {
        console.error(&in_one_line(failure));
    }
    if !summary.failures.is_empty() {
        let all = summary.dir.join(batch::FAILURES);
        console.say(&format!("no result for {}: {}", counted(summary.failures.len() as u64, "file"), all.display()));
    }
    if counts.silent > 0 {
        console.note(&format!("warning: {} without speech: empty transcript", counted(counts.silent as u64, "file")));
    }
    for (track, recordings) in &summary.unheard {
        let recordings = counted(recordings.len() as u64, "recording");
        console.note(&format!("warning: {recordings} without a transcript of track {track}, though it was requested"));
    }
    other_tracks(&summary.untranscribed, args, model, console)?;
    if let Some(why) = &summary.over_budget {
        console.error(&format!("{why}; to continue, run again with a higher --max-cost"));
    }
    if let Some(why) = &summary.over_shared_budget {
        console.error(&format!("{why}; to continue, run again with a higher limit in the budget"));
    }
    if summary.timed_out && counts.open() > 0 {
        console.say(&format!(
            "time is up (--within): {} not done, {} of them at the service; run the same command to resume",
            counted(counts.open() as u64, "file"),
            counts.in_flight
        ));
    } else if summary.stopped && counts.open() > 0 {
        console.say("stopped; run the same command to resume");
    } else if args.detach && counts.open() > 0 {
        console.note(&format!(
            "{} at the service; to collect the results, run the same command without --detach within 24 hours",
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
        () if summary.stopped && counts.open() > 0 => Exit::Interrupted,
        () if !summary.failures.is_empty() => Exit::Partly,
        () if summary.over_budget.is_some() || summary.over_shared_budget.is_some() => Exit::Partly,
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

/// Prints how many recordings have tracks that were not requested, and the command that transcribes them.
fn other_tracks(tracks: &BTreeMap<i64, Vec<String>>, args: &Args, model: &str, console: &Console) -> Result<()> {
    for (track, urls) in tracks {
        let list = args.output.join(format!("track-{track}.txt"));
        // Addresses may be signed, so they go to a file and not to the terminal.
        disk::write(&list, (urls.join("\n") + "\n").as_bytes())?;
        console.say(&format!(
            "track {track} of {} was not transcribed; to add it: talkmeter transcribe --model {model} --channel {track} \
             --files-from {} -o {}-track-{track}",
            counted(urls.len() as u64, "recording"),
            list.display(),
            args.output.display(),
        ));
    }
    Ok(())
}
