//! `talkmeter flash`: the text of short clips, now.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::budget::{BudgetFlags, FlashBudget};
use super::clip::{Input, Intake};
use super::connection::Connection;
use super::inputs::read_text;
use super::output::{Console, Failure, Format, Listing, chain, printable};
use super::parameters::RecognitionOptions;
use super::prices::PriceFlags;
use super::vocab::check_vocabulary_of;
use super::{Exit, advice, block_on, export};
use crate::batch::Clips;
use crate::catalog::{Catalog, Region};
use crate::client::{Client, Clip, Flash, FlashAnswer, FlashEvent, Message, Recognition};
use crate::error::{Error, ErrorKind, Result};
use crate::named_file::FileKind;

const EXAMPLES: &str = "\
Examples:
  talkmeter flash clip.wav
  talkmeter flash clip.mp3 --context Acme --context @terms.txt --save out
  arecord -d 5 -f cd | talkmeter flash - --format json

Only the text goes to stdout. For audio over 5 minutes use `talkmeter transcribe`.
A stream that breaks off is an error; the text so far goes to stderr.";
/// How much of a growing text is shown, in characters: a few lines of a terminal.
const SHOWN: usize = 600;

/// Short clips → text, now.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// http, https or oss URLs, local files, or `-` for audio on stdin
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<OsString>,
    /// The model; `talkmeter models` lists them
    #[arg(long, default_value = "fun-asr-flash-2026-06-15", value_name = "NAME")]
    model: String,
    #[command(flatten)]
    options: RecognitionOptions,
    /// Earlier turns of the dialogue, oldest first: a JSON array of {"role": "user" or "assistant", "text": "…"}
    #[arg(long, value_name = "FILE")]
    dialog: Option<PathBuf>,
    /// Instruction for models that follow instructions (Qwen-Omni)
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
    /// Call Qwen3-ASR through the `OpenAI`-compatible endpoint
    #[arg(long)]
    compatible: bool,
    /// Wait for the whole answer instead of streaming it
    #[arg(long)]
    no_stream: bool,
    /// Keep result files, the answers as received, and a ledger in this folder, for `analyze` and `cost`
    #[arg(long, value_name = "DIR", value_parser = super::stores::local_path())]
    save: Option<PathBuf>,
    /// Write each result as text as well, to the folder `text` beside `results`
    #[arg(long, requires = "save")]
    text: bool,
    /// Number of clips to send at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=32))]
    jobs: u8,
    /// Send it even if the catalogue says that the service will refuse it
    #[arg(long)]
    no_check: bool,
    #[command(flatten)]
    budget: BudgetFlags,
    #[command(flatten)]
    prices: PriceFlags,
}

impl Args {
    /// Model, parameters, and the context in its order: terms, then the dialogue.
    fn recognition(&self, note: &dyn Fn(&str)) -> Result<Recognition> {
        let mut asked = self.options.recognition(&self.model, note)?;
        if let Some(path) = &self.dialog {
            let text = read_text(path, FileKind::Dialogue, note)?;
            let wrong = |why: String| Error::invalid(format!("the dialogue {} cannot be read: {why}", path.display()));
            let turns: Vec<Value> =
                serde_json::from_str(&text).map_err(|error| wrong(format!("not a JSON array: {error}")))?;
            for turn in &turns {
                asked = asked.context(Message::from_json(turn).map_err(|error| wrong(error.to_string()))?);
            }
        }
        Ok(asked)
    }

    fn flash(&self, asked: &Recognition, clip: Clip) -> Flash {
        let flash = Flash::new(asked.clone(), clip).compatible(self.compatible);
        match &self.prompt {
            Some(prompt) => flash.prompt(prompt),
            None => flash,
        }
    }
}

/// Runs `flash`.
pub(super) fn run(args: &Args, connection: &Connection, format: Format, console: &Console) -> Result<Exit, Failure> {
    let asked = args.recognition(&|note| console.note(note))?;
    let region = connection.region()?;
    if !args.no_check {
        let warnings = match args.flash(&asked, Clip::url("https://clip.example")).check(Catalog::builtin(), region) {
            Ok(warnings) => warnings,
            Err(error) => {
                let exit = console.failed(&error.into());
                console.say("nothing was sent; --no-check sends it all the same");
                return Ok(exit);
            }
        };
        warnings.iter().for_each(|warning| console.note(&advice::warning(warning)));
    }
    let intake = Intake { model: &args.model, check: !args.no_check };
    let single = args.inputs.len() == 1;
    let mut results = Results { format, single, console, heard: 0, failed: Vec::new(), rows: Vec::new() };
    let mut inputs = Vec::new();
    for given in &args.inputs {
        match intake.input(given) {
            Ok(input) => inputs.push(input),
            Err(error) => results.fail(&given.to_string_lossy(), error)?,
        }
    }
    if inputs.is_empty() {
        return results.end();
    }
    if inputs.iter().any(Input::is_uploaded) {
        console.say(super::transcribe::TEMPORARY);
    }
    let client = connection.client(console)?;
    if !args.no_check {
        check_vocabulary_of(&client, args.flash(&asked, Clip::url("")).recognition(), console)?;
    }
    let budget = args
        .budget
        .open(
            (&args.model, region),
            asked.prompt_bytes() + args.prompt.as_deref().map_or(0, str::len),
            &args.prices,
            console,
        )?
        .map(FlashBudget::new);
    let mut clips = args.save.as_deref().map(Clips::open).transpose()?;
    let growing = if single { console.growing() } else { console.progress(inputs.len()) };
    block_on(async {
        let calls = stream::iter(inputs).map(|input| {
            let (client, asked, growing, budget) = (&client, &asked, &growing, &budget);
            async move {
                let begun = Instant::now();
                let mut first = None;
                let mut grow = |text: &str| {
                    first = first.or_else(|| Some(begun.elapsed()));
                    if single {
                        growing.set_message(shown(text));
                    }
                };
                let call = hear(args, client, asked, &input, &mut grow);
                let outcome = match budget {
                    Some(budget) => budget.within(input.duration_ms(), call).await,
                    None => call.await,
                };
                (input, outcome, first, begun.elapsed())
            }
        });
        let mut calls = calls.buffered(args.jobs.into());
        while let Some((input, outcome, first, total)) = calls.next().await {
            // A paid answer is on disk before it is shown.
            let outcome = outcome.map(|answer| {
                let saved = clips
                    .as_mut()
                    .map(|clips| clips.save(&input.given, &args.model, region, &answer, input.properties.as_ref()));
                (answer, saved)
            });
            if single {
                // The final text replaces the growing one.
                growing.finish_and_clear();
            }
            growing.suspend(|| {
                if console.verbose() {
                    console.say(&timing(&input.label, first, total));
                }
                match outcome {
                    Ok((answer, saved)) => results.take(&input, &args.model, region, &answer, saved),
                    Err(error) => results.fail(&input.label, error),
                }
            })?;
            growing.inc(1);
            if results.is_hopeless() {
                break;
            }
        }
        growing.finish_and_clear();
        Ok(())
    })?;
    let is_refused = budget.map_or(Ok(false), FlashBudget::end)?;
    let heard = results.heard > 0;
    let mut exit = results.end()?;
    if let Some(folder) = args.save.as_deref().filter(|_| args.text && heard)
        && export::write_texts(folder, console)? != Exit::Done
        && exit == Exit::Done
    {
        exit = Exit::Partly;
    }
    Ok(if is_refused && exit != Exit::Denied { Exit::Partly } else { exit })
}

/// One call: text as it grows, then the answer.
async fn hear(
    args: &Args,
    client: &Client,
    asked: &Recognition,
    input: &Input,
    grow: &mut (dyn FnMut(&str) + Send),
) -> Result<FlashAnswer> {
    let flash = args.flash(asked, input.clip(client, &args.model).await?);
    if args.no_stream { client.flash().recognize(&flash).await } else { listen(client, &flash, grow).await }
}

/// Streams the answer; `grow` gets the whole text so far.
pub(super) async fn listen(client: &Client, flash: &Flash, grow: &mut (dyn FnMut(&str) + Send)) -> Result<FlashAnswer> {
    let mut events = client.flash().stream(flash).await?;
    while let Some(event) = events.next().await {
        match event? {
            FlashEvent::Text(text) => grow(&text),
            FlashEvent::Done(answer) => return Ok(*answer),
        }
    }
    Err(Error::protocol("the stream ended without an answer"))
}

/// The end of a text, on one line.
pub(super) fn shown(text: &str) -> String {
    let length = text.chars().count();
    let end: String = text.chars().skip(length.saturating_sub(SHOWN)).collect();
    printable(&if length > SHOWN { format!("…{end}") } else { end })
}

fn timing(label: &str, first: Option<Duration>, total: Duration) -> String {
    let first = first.map_or_else(String::new, |first| format!("first text after {:.2} s, ", first.as_secs_f64()));
    format!("{label}: {first}the answer after {:.2} s", total.as_secs_f64())
}

/// Outcomes of the inputs.
struct Results<'t> {
    format: Format,
    single: bool,
    console: &'t Console,
    heard: usize,
    failed: Vec<(ErrorKind, Exit)>,
    /// For formats that are printed as a whole.
    rows: Vec<Value>,
}

impl Results<'_> {
    fn take(
        &mut self,
        input: &Input,
        model: &str,
        region: Region,
        answer: &FlashAnswer,
        saved: Option<Result<crate::batch::SavedClip>>,
    ) -> Result<(), Failure> {
        let label = &input.label;
        answer.warnings.iter().for_each(|warning| self.console.note(&format!("warning: {label}: {warning}")));
        let saved = match saved.transpose() {
            Ok(saved) => saved.map(|saved| saved.result.to_string_lossy().into_owned()),
            Err(error) => {
                // The text is paid for, so it is shown all the same.
                self.console.error(&format!("{label}: {}", chain(&error)));
                self.failed.push((error.kind(), Exit::Failed));
                None
            }
        };
        self.heard += 1;
        match self.format {
            Format::Table => self.text(label, answer),
            _ => self.row(json!({
                "input": input.given, "model": model, "region": region.name(), "request_id": answer.request_id,
                "text": answer.text, "silent": answer.is_silent(), "language": answer.language, "emotion": answer.emotion,
                "usage": answer.usage.as_ref().map(|usage| &usage.raw), "sentences": answer.sentences, "saved": saved,
                "error": null,
            })),
        }
    }

    fn text(&self, label: &str, answer: &FlashAnswer) -> Result<(), Failure> {
        let mut text = answer.text.clone();
        if std::io::stdout().is_terminal() {
            text = text.lines().map(printable).collect::<Vec<_>>().join("\n");
        }
        if !text.is_empty() {
            text.push('\n');
        }
        if !self.single {
            let gap = if self.heard > 1 { "\n" } else { "" };
            text = format!("{gap}==> {} <==\n{text}", printable(label));
        }
        self.console.data(text.as_bytes()).map(drop)
    }

    fn row(&mut self, row: Value) -> Result<(), Failure> {
        if self.format == Format::Jsonl {
            return self.console.data(format!("{row}\n").as_bytes()).map(drop);
        }
        self.rows.push(row);
        Ok(())
    }

    fn fail(&mut self, label: &str, error: Error) -> Result<(), Failure> {
        let (kind, said, so_far) = (error.kind(), chain(&error), error.text_so_far().map(str::to_owned));
        let hint = advice::for_error(&error);
        let exit = if self.single {
            self.console.failed(&error.into())
        } else {
            self.console.error(&format!("{label}: {said}"));
            if let Some(hint) = hint {
                self.console.say(&format!("hint: {hint}"));
            }
            if matches!(kind, ErrorKind::Auth | ErrorKind::Quota) { Exit::Denied } else { Exit::Failed }
        };
        if let Some(text) = so_far.as_deref().filter(|text| !text.trim().is_empty()) {
            self.console.say(&format!("incomplete, heard until then: {text}"));
        }
        self.failed.push((kind, exit));
        if self.format == Format::Table {
            return Ok(());
        }
        self.row(json!({"input": label, "error": said, "text_so_far": so_far}))
    }

    /// An error of the key or account: every further call would end the same way.
    fn is_hopeless(&self) -> bool {
        self.failed.iter().any(|(kind, _)| matches!(kind, ErrorKind::Auth | ErrorKind::Quota))
    }

    fn end(self) -> Result<Exit, Failure> {
        match self.format {
            Format::Json => {
                let rows: Vec<String> = self.rows.iter().map(Value::to_string).collect();
                self.console.data(format!("[\n  {}\n]\n", rows.join(",\n  ")).as_bytes())?;
            }
            Format::Csv | Format::Md => {
                let head =
                    vec!["input", "model", "region", "request_id", "text", "silent", "language", "saved", "error"];
                let row = |row: &Value| head.iter().map(|name| row.get(name).cloned().unwrap_or_default()).collect();
                let rows = self.rows.iter().map(row).collect();
                Listing { head: head.clone(), rows }.print(self.format, self.console)?;
            }
            Format::Table | Format::Jsonl => {}
        }
        Ok(match &self.failed[..] {
            [] => Exit::Done,
            [(_, exit)] if self.single => *exit,
            _ if self.is_hopeless() => Exit::Denied,
            _ if self.heard > 0 => Exit::Partly,
            _ => Exit::Failed,
        })
    }
}
