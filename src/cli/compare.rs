//! `compare`: two sets of transcripts of the same calls.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde_json::{Value, json};

use super::Exit;
use super::check::refusal;
use super::document::{self, Document};
use super::inputs::{FromFlag, reported};
use super::metadata::ledgers_of;
use super::output::{Console, Failure, Format, Listing};
use super::prices::{PriceFlags, warn_if_old_for};
use super::settings::SettingsFlags;
use super::stores;
use crate::batch::Ledgers;
use crate::compare::{self, ComparedCall, ComparedFigure, ComparedSide, Comparison, Pairs, SideFiles};
use crate::disk;
use crate::report::comparison_summary;
use crate::report::number::counted;
use crate::tables::{Options, tail};
use crate::transcript::{Inputs, SourceFormat, is_transcript};

const EXAMPLES: &str = "\
Examples:
  talkmeter compare human machine
  talkmeter compare fun-asr paraformer -o compared.html --cost
  talkmeter compare a.json b.vtt --list words --format csv

A is the reference. Files are paired by their paths below A and B, else by their names, with or without
ending, else by the recording that a ledger names. Two files are always a pair.";

/// Arguments of `compare`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The reference: a result file, or a folder of them
    a: PathBuf,
    /// The transcripts to compare with it
    b: PathBuf,
    /// Write to this file: .html, .md or .json [default: print the comparison]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print one list: of calls, of all figures of each call, of columns over all calls, of words
    #[arg(long, value_enum, value_name = "LIST", conflicts_with = "output")]
    list: Option<List>,
    /// Compare what both sides cost
    #[arg(long)]
    cost: bool,
    /// The model that made A, where no ledger says so
    #[arg(long, value_name = "MODEL", conflicts_with = "model")]
    model_a: Option<String>,
    /// The model that made B, where no ledger says so
    #[arg(long, value_name = "MODEL", conflicts_with = "model")]
    model_b: Option<String>,
    #[command(flatten)]
    from: FromFlag,
    #[command(flatten)]
    settings: SettingsFlags,
    #[command(flatten)]
    prices: PriceFlags,
}

/// What `--list` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum List {
    /// One row per call: errors and cost
    Calls,
    /// One row per call, participant and figure
    Figures,
    /// One row per column: sums and medians over all calls
    Columns,
    /// One row per substitution, deletion and insertion, with its frequency
    Words,
}

/// How the comparison is printed.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Text,
    Document(Document),
    List(List),
}

impl Shape {
    fn new(args: &Args, format: Format) -> Result<Self, Failure> {
        let Some(path) = &args.output else {
            return Ok(match (args.list, format) {
                (Some(list), _) => Self::List(list),
                (None, Format::Table) => Self::Text,
                (None, Format::Md) => Self::Document(Document::Markdown),
                (None, Format::Json) => Self::Document(Document::Json),
                (None, Format::Csv | Format::Jsonl) => Self::List(List::Calls),
            });
        };
        Document::of(path).map(Self::Document)
    }
}

/// Runs `compare`.
pub(super) fn run(args: Args, today: Date, format: Format, console: &Console) -> Result<Exit, Failure> {
    let shape = Shape::new(&args, format)?;
    let settings = args.settings.settings(console)?;
    let prices = args.prices.prices(None, console)?;
    let are_single = args.a.is_file() && args.b.is_file();
    let [name_a, name_b] = names(&args.a, &args.b);
    let side = |path: &Path, model: Option<String>| {
        let inputs = reported(Inputs::find_where(is_transcript, &[path], None, &stores::open), console)
            .in_format(args.from.from);
        let ledgers = ledgers_of(&inputs, console);
        let mut settings = settings.clone();
        settings.model = model.or(settings.model);
        let options = Options::default().settings(settings).prices(prices.clone()).origins(ledgers.origins());
        let excluded = inputs.excluded.len() as u64;
        (files(inputs, &ledgers), options, excluded)
    };
    let (files_a, options_a, excluded_a) = side(&args.a, args.model_a);
    let (files_b, options_b, excluded_b) = side(&args.b, args.model_b);
    if args.cost {
        let sides = [&options_a, &options_b];
        let asked = sides.iter().filter_map(|side| side.settings.model.as_deref().zip(side.settings.region));
        let ledgers = sides.iter().flat_map(|side| side.origins.values());
        let used = ledgers.filter_map(|(model, region)| Some((&**model, (*region)?))).chain(asked);
        warn_if_old_for(&prices, used, today, console);
    }
    let pairs = Pairs::new(files_a, files_b, are_single);
    if pairs.pairs.is_empty() {
        let first = |files: &[crate::transcript::Input]| {
            files.first().map_or_else(|| "no file".to_owned(), |input| format!("`{}`", input.file()))
        };
        let (a, b) = (first(&pairs.only_a), first(&pairs.only_b));
        console.error(&format!("no file of A has one of the same name in B: A has {a}, B has {b}"));
        return Ok(Exit::Failed);
    }
    alone(&pairs, console);
    let options = compare::Options::new((name_a, options_a), (name_b, options_b)).cost(args.cost);
    let bar = console.progress(pairs.pairs.len());
    let comparison = compare::compare(pairs, &options, &mut |failed| {
        bar.inc(1);
        if let Some((input, outcome)) = failed {
            bar.suspend(|| console.say(&refusal(&input.path, outcome)));
        }
    });
    bar.finish_and_clear();
    if comparison.calls.is_empty() {
        console.error("no pair could be compared");
        return Ok(Exit::Failed);
    }
    if comparison.cost.as_ref().is_some_and(|cost| cost.priced_calls == 0) {
        let own = SourceFormat::ModelStudio.name();
        let is_billed = |side: &ComparedSide| side.source_formats.contains(own);
        console.note(match is_billed(&comparison.a) && is_billed(&comparison.b) {
            true => "no call has a price on both sides: name the models with --model-a and --model-b, and --region",
            false => "no call has a price on both sides: the service does not bill transcripts of other recognisers",
        });
    }
    let text = match shape {
        Shape::Text => comparison_summary(&comparison).to_text(console.width()),
        Shape::Document(Document::Markdown) => comparison_summary(&comparison).to_markdown(),
        Shape::Document(Document::Html) => comparison_summary(&comparison).to_html()?,
        Shape::Document(Document::Json) => document::json(&comparison)?,
        Shape::List(list) => {
            listing(&comparison, list).print(format, console)?;
            String::new()
        }
    };
    match &args.output {
        Some(path) => {
            disk::write(path, text.as_bytes())?;
            console.note(&format!("{} written: {}", path.display(), counted(comparison.calls.len() as u64, "call")));
        }
        None => _ = console.data(text.as_bytes())?,
    }
    Ok(if comparison.failed + excluded_a + excluded_b > 0 { Exit::Partly } else { Exit::Done })
}

/// Names the first files without a partner, and counts them.
fn alone(pairs: &Pairs, console: &Console) {
    for (side, other, files) in [("A", "B", &pairs.only_a), ("B", "A", &pairs.only_b)] {
        if let Some(first) = files.first() {
            let files = counted(files.len() as u64, "file");
            console.note(&format!("{files} of {side} without one in {other}, such as {}", first.file()));
        }
    }
}

/// The last parts of two paths, as many as it takes to tell them apart.
fn names(a: &Path, b: &Path) -> [String; 2] {
    let same = a.components().rev().zip(b.components().rev()).take_while(|(one, two)| one == two).count();
    [a, b].map(|path| tail(path, same + 1))
}

/// The files of one side, with the ids and addresses of their recordings.
fn files(inputs: Inputs, ledgers: &Ledgers) -> SideFiles {
    let names = ledgers.recordings(&inputs.files).into_iter();
    let names = names.map(|names| (names.file, names.id.into_iter().chain(names.locations).collect()));
    SideFiles { recordings: names.collect(), files: inputs.files }
}

fn listing(comparison: &Comparison, list: List) -> Listing {
    let (head, rows) = match list {
        List::Calls => (
            vec![
                "file",
                "file_b",
                "wer",
                "reference_words",
                "matches",
                "substitutions",
                "deletions",
                "insertions",
                "start_error_n",
                "start_error_ms_p50",
                "start_error_ms_p90",
                "der",
                "der_collar_250",
                "currency",
                "cost_a",
                "cost_b",
            ],
            comparison.calls.iter().map(call_row).collect(),
        ),
        List::Figures => (
            vec!["file", "participant_a", "participant_b", "figure", "a", "b", "difference"],
            comparison.calls.iter().flat_map(figure_rows).collect(),
        ),
        List::Columns => (
            vec!["table", "column", "n", "differs", "of", "a", "b", "difference", "most_in"],
            comparison
                .columns
                .iter()
                .map(|column| {
                    vec![
                        json!(column.table),
                        json!(column.column),
                        json!(column.n),
                        json!(column.differs),
                        json!(column.of),
                        json!(column.a),
                        json!(column.b),
                        json!(column.difference),
                        json!(column.most_in),
                    ]
                })
                .collect(),
        ),
        List::Words => (
            vec!["reference", "word", "count"],
            comparison
                .edits
                .iter()
                .map(|edit| vec![json!(edit.reference), json!(edit.word), json!(edit.count)])
                .collect(),
        ),
    };
    Listing { head, rows }
}

fn call_row(call: &ComparedCall) -> Vec<Value> {
    let (accuracy, words, cost) = (&call.accuracy, &call.accuracy.words, call.cost.as_ref());
    vec![
        json!(call.file),
        json!(call.file_b),
        json!(accuracy.wer),
        json!(words.reference_words),
        json!(words.matches),
        json!(words.substitutions),
        json!(words.deletions),
        json!(words.insertions),
        json!(accuracy.start_error_n),
        json!(accuracy.start_error_ms_p50),
        json!(accuracy.start_error_ms_p90),
        json!(accuracy.der),
        json!(accuracy.der_collar_250),
        json!(cost.map(|cost| cost.currency)),
        json!(cost.map(|cost| cost.a)),
        json!(cost.map(|cost| cost.b)),
    ]
}

/// The figures of a call, then those of its participants.
fn figure_rows(call: &ComparedCall) -> Vec<Vec<Value>> {
    let row = |labels: [&Option<String>; 2], name: &str, figure: &ComparedFigure| {
        let [a, b] = labels;
        vec![json!(call.file), json!(a), json!(b), json!(name), figure.a.clone(), figure.b.clone(), figure.difference()]
    };
    let own = call.figures.figures().map(|(column, figure)| row([&None, &None], column.name, figure));
    let of_participants = call.participants.iter().flat_map(|participant| {
        let labels = [&participant.a, &participant.b];
        participant.figures.figures().map(move |(column, figure)| row(labels, column.name, figure))
    });
    own.chain(of_participants).collect()
}
