//! What changes with another transcript (definitions: comparison), or with other thresholds (definitions: sensitivity).
//!
//! Side A is the reference. [`Pairs`] finds the files that belong together; [`compare`] measures both of each pair and
//! adds up word errors, diarisation errors, figures and costs.
//!
//! ```
//! use talkmeter::compare::word_errors;
//!
//! let errors = word_errors("I need a new card", "I need a new car please");
//! assert_eq!((errors.substitutions, errors.insertions, errors.rate()), (1, 1, Some(0.4)));
//! ```

mod alignment;
mod assignment;
mod cost;
mod diarisation;
mod figures;
mod pairs;
mod participants;
mod sensitivity;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::Serialize;

pub use cost::{ComparedCost, CostOfPair};
pub use diarisation::DiarisationError;
pub use figures::{ComparedColumn, ComparedFigure, ComparedRow, compared_columns};
pub use pairs::{Pairs, SideFiles};
pub use participants::ComparedParticipant;
pub use sensitivity::{Sensitivity, Variation, VariationTotal, VariedCall, sensitivity};
pub use words::{WordEdit, WordErrors, word_errors};

use crate::metrics::catalogue::{CALLS, PARTICIPANTS};
use crate::metrics::{DEFINITIONS_VERSION, Measured, Parameters, Preset, Wanted, percentile};
use crate::tables::{self, Outcome};
use crate::transcript::Input;
use cost::Costs;
use diarisation::{SharedTalk, diarisation_error, lanes};
use figures::{Side, over_rows};
use words::{ComparedWords, Edits, by_frequency};

/// The collar of [`Accuracy::der_collar_250`]: 125 ms before each begin and end of a burst of the reference, and 125 behind.
const COLLAR_MS: i64 = 250;

/// Files or pairs that are measured before their results are put in order.
const CHUNK: usize = 64;

/// How near the words and speakers of a transcript come to those of the reference.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct Accuracy {
    /// Word error rate; null if the reference has no words.
    pub wer: Option<f64>,
    /// What it is made of.
    #[serde(flatten)]
    pub words: WordErrors,
    /// Matched words whose transcripts both say when they begin.
    pub start_error_n: u64,
    /// How far apart these begin, in ms: the median; null if there are none.
    pub start_error_ms_p50: Option<i64>,
    /// The same for the 90th percentile.
    pub start_error_ms_p90: Option<i64>,
    /// Diarisation error rate; null if the reference has no timed talk, or the other side text without times.
    pub der: Option<f64>,
    /// The same without 125 ms on each side of the begins and ends of the reference.
    pub der_collar_250: Option<f64>,
    /// What `der` is made of.
    pub diarisation: Option<DiarisationError>,
    /// What `der_collar_250` is made of.
    pub diarisation_collar_250: Option<DiarisationError>,
}

/// One call of both sides.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ComparedCall {
    /// Its name on the side of the reference.
    pub file: String,
    /// Its name on the other side.
    pub file_b: String,
    /// Words and speakers.
    #[serde(flatten)]
    pub accuracy: Accuracy,
    /// What both cost; null where a side has no price, and if costs are not compared.
    pub cost: Option<CostOfPair>,
    /// The columns of `calls`.
    pub figures: ComparedRow,
    /// The participants, in the order of the reference; those of the other side alone come last.
    pub participants: Vec<ComparedParticipant>,
}

/// One side of a comparison.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct ComparedSide {
    /// What it is called.
    pub name: String,
    /// Models that made the transcripts, as far as they are known.
    pub models: BTreeSet<String>,
    /// The forms of the transcripts: `calls.source_format`.
    pub source_formats: BTreeSet<&'static str>,
}

/// Two sets of transcripts, compared. Serialises as the content of the command's JSON; holds no clock time and no path.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Comparison {
    /// [`DEFINITIONS_VERSION`].
    pub definitions_version: u32,
    /// The version of talkmeter.
    pub version: &'static str,
    /// The reference.
    pub a: ComparedSide,
    /// The other side.
    pub b: ComparedSide,
    /// How onsets are classified.
    pub definition: Preset,
    /// The thresholds behind the figures of both sides.
    pub parameters: Parameters,
    /// Over all calls: rates of sums, percentiles of all words.
    pub total: Accuracy,
    /// What both sides cost; null if costs are not compared.
    pub cost: Option<ComparedCost>,
    /// Every column of `calls` and `participants` over all rows.
    pub columns: Vec<ComparedColumn>,
    /// Substitutions, deletions and insertions, the most frequent first.
    pub edits: Vec<WordEdit>,
    /// In the order of the reference.
    pub calls: Vec<ComparedCall>,
    /// Files of the reference without one on the other side.
    pub only_in_a: Vec<String>,
    /// Files of the other side without one in the reference.
    pub only_in_b: Vec<String>,
    /// Pairs of which a file could not be read or is not a transcript.
    pub failed: u64,
}

impl Comparison {
    /// The column of `calls` over all calls.
    #[must_use]
    pub fn column_of_calls(&self, name: &str) -> Option<&ComparedColumn> {
        self.columns.iter().find(|column| column.table == CALLS.name && column.column == name)
    }
}

/// How each side is measured.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The reference: its name, settings, prices and ledgers.
    pub a: (String, tables::Options),
    /// The other side.
    pub b: (String, tables::Options),
    /// Whether to compare what the sides cost.
    pub cost: bool,
}

impl Options {
    /// Names and settings of both sides; without costs.
    #[must_use]
    pub fn new(a: (String, tables::Options), b: (String, tables::Options)) -> Self {
        Self { a, b, cost: false }
    }

    /// Whether to compare what the sides cost.
    #[must_use]
    pub fn cost(mut self, cost: bool) -> Self {
        self.cost = cost;
        self
    }
}

/// A file that could not be read, with the outcome; `None` where nothing failed.
pub type Failed<'f> = Option<(&'f Input, &'f Outcome)>;

/// A call, and what is added up over all calls.
struct Pair {
    call: ComparedCall,
    words: ComparedWords,
    costs: Option<Costs>,
    models: [Option<String>; 2],
    source_formats: [Option<&'static str>; 2],
}

/// Reads, measures and compares the pairs. `observe` is called for each, in order, with the file that could not be read.
pub fn compare(pairs: Pairs, options: &Options, observe: &mut dyn FnMut(Failed<'_>)) -> Comparison {
    let settings = &options.a.1.settings;
    let side = |name: &str| ComparedSide { name: name.to_owned(), ..ComparedSide::default() };
    let names = |files: Vec<Input>| files.iter().map(|input| input.file().to_owned()).collect();
    let mut comparison = Comparison {
        definitions_version: DEFINITIONS_VERSION,
        version: env!("CARGO_PKG_VERSION"),
        a: side(&options.a.0),
        b: side(&options.b.0),
        definition: settings.preset,
        parameters: settings.parameters,
        total: Accuracy::default(),
        cost: None,
        columns: Vec::new(),
        edits: Vec::new(),
        calls: Vec::new(),
        only_in_a: names(pairs.only_a),
        only_in_b: names(pairs.only_b),
        failed: 0,
    };
    let (mut words, mut costs) = (ComparedWords::default(), options.cost.then(Costs::default));
    for chunk in pairs.pairs.chunks(CHUNK) {
        let compared: Vec<_> = chunk.par_iter().map(|(a, b)| of_pair(a, b, options)).collect();
        for pair in compared {
            let pair = match pair {
                Ok(pair) => pair,
                Err((input, outcome)) => {
                    comparison.failed += 1;
                    observe(Some((input, &outcome)));
                    continue;
                }
            };
            observe(None);
            let [a, b] = pair.models;
            comparison.a.models.extend(a);
            comparison.b.models.extend(b);
            let [a, b] = pair.source_formats;
            comparison.a.source_formats.extend(a);
            comparison.b.source_formats.extend(b);
            words.append(pair.words);
            if let (Some(costs), Some(own)) = (&mut costs, pair.costs) {
                costs.append(own);
            }
            comparison.calls.push(pair.call);
        }
    }
    comparison.finish(words, costs);
    comparison
}

impl Comparison {
    fn finish(&mut self, words: ComparedWords, costs: Option<Costs>) {
        let sum = |of: fn(&Accuracy) -> Option<DiarisationError>| {
            let errors = self.calls.iter().filter_map(|call| of(&call.accuracy));
            errors.reduce(|mut sum, error| {
                sum.add(error);
                sum
            })
        };
        let errors = [sum(|accuracy| accuracy.diarisation), sum(|accuracy| accuracy.diarisation_collar_250)];
        let edits: Edits;
        (self.total, edits) = Accuracy::new(words, errors);
        self.edits = by_frequency(edits);
        self.cost = costs.map(Costs::compared);
        for column in compared_columns(&CALLS) {
            let rows = self.calls.iter().filter_map(|call| Some((&*call.file, call.figures.get(column.name)?)));
            self.columns.push(over_rows(column, &CALLS, rows));
        }
        for column in compared_columns(&PARTICIPANTS) {
            let rows = self.calls.iter().flat_map(|call| {
                let own = call.participants.iter().filter_map(|row| row.figures.get(column.name));
                own.map(|figure| (&*call.file, figure))
            });
            self.columns.push(over_rows(column, &PARTICIPANTS, rows));
        }
    }
}

impl Accuracy {
    fn new(words: ComparedWords, [exact, collar]: [Option<DiarisationError>; 2]) -> (Self, Edits) {
        let ComparedWords { errors, edits, mut start_errors } = words;
        let rate = |error: &Option<DiarisationError>| error.as_ref().and_then(DiarisationError::rate);
        let accuracy = Self {
            wer: errors.rate(),
            words: errors,
            start_error_n: start_errors.len() as u64,
            start_error_ms_p50: percentile(&mut start_errors, 50),
            start_error_ms_p90: percentile(&mut start_errors, 90),
            der: rate(&exact),
            der_collar_250: rate(&collar),
            diarisation: exact,
            diarisation_collar_250: collar,
        };
        (accuracy, edits)
    }
}

fn of_pair<'i>(a: &'i Input, b: &'i Input, options: &Options) -> Result<Pair, (&'i Input, Outcome)> {
    let mut buffers = [Vec::new(), Vec::new()];
    let [of_a, of_b] = &mut buffers;
    for (input, buffer) in [(a, &mut *of_a), (b, &mut *of_b)] {
        input.read_into(buffer).map_err(|error| (input, Outcome::Unreadable(error)))?;
    }
    let refused = |input| move |error| (input, Outcome::ParseError(error));
    let (one, two) = (a.parse(of_a).map_err(refused(a))?, b.parse(of_b).map_err(refused(b))?);
    let wanted = Wanted { turns: false, event_texts: false, windows: false };
    let one = options.a.1.measure(a.file(), &a.path, &one, wanted);
    let two = options.b.1.measure(b.file(), &b.path, &two, wanted);
    let costs = options.cost.then(|| Costs::new([(&one, &options.a.1.prices), (&two, &options.b.1.prices)]));
    let (mut call, words) = compare_call(&one, &two);
    call.cost = costs.as_ref().and_then(Costs::of_pair);
    let source_formats = [one.call.source_format, two.call.source_format];
    Ok(Pair { call, words, costs, models: [one.call.model, two.call.model], source_formats })
}

fn compare_call(a: &Measured<'_>, b: &Measured<'_>) -> (ComparedCall, ComparedWords) {
    let words = ComparedWords::new(a, b);
    let (of_a, of_b) = (lanes(a), lanes(b));
    // Null where a side has text without times.
    let is_timed = a.call.speech_ms.is_some() && b.call.speech_ms.is_some();
    let error = |collar| diarisation_error(&of_a, &of_b, collar).filter(|_| is_timed);
    let own = ComparedWords { errors: words.errors, edits: Edits::new(), start_errors: words.start_errors.clone() };
    let (accuracy, _) = Accuracy::new(own, [error(0), error(COLLAR_MS)]);
    let call = ComparedCall {
        file: a.file.clone(),
        file_b: b.file.clone(),
        accuracy,
        cost: None,
        figures: Side::calls(a).beside(&Side::calls(b), Some(0), Some(0)),
        participants: participants::compared(a, b, &SharedTalk::new(&of_a, &of_b, 0)),
    };
    (call, words)
}

/// Positions by key, in order.
fn grouped<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, Vec<usize>> {
    let mut groups: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for (at, key) in keys.enumerate() {
        groups.entry(key).or_default().push(at);
    }
    groups
}
