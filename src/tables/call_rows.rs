//! The rows of one call in the tables that pages of single calls are made of: from a measured call, or read back from disk.

use std::collections::HashMap;

use rayon::prelude::*;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::analysis::Options;
use super::frame::Rows;
use super::keyword_hits::are_of_rules;
use super::stored::Stored;
use crate::error::Result;
use crate::metrics::catalogue::{
    BURSTS, CALLS, Cells, EVENTS, HITS, PARTICIPANTS, RULES, SENTENCES, TURNS, Table, WARNINGS, WORDS,
};
use crate::metrics::{EventKind, Interval, Measured, TimeBasis, Wanted};
use crate::transcript::Input;

/// The tables that [`CallRows`] are read from.
pub(super) const TABLES_OF_CALL: [&Table; 10] =
    [&CALLS, &PARTICIPANTS, &BURSTS, &TURNS, &EVENTS, &HITS, &RULES, &SENTENCES, &WORDS, &WARNINGS];

/// Those that hold figures and times, but no text.
pub(super) const TABLES_OF_OUTLINE: [&Table; 4] = [&CALLS, &PARTICIPANTS, &BURSTS, &EVENTS];

/// A value in a [`Row`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Figure {
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// Text; money, too, as an exact decimal, and days as in ISO 8601.
    Text(String),
}

impl From<&Figure> for serde_json::Value {
    fn from(figure: &Figure) -> Self {
        match figure {
            Figure::Integer(number) => (*number).into(),
            Figure::Number(number) => (*number).into(),
            Figure::Boolean(truth) => (*truth).into(),
            Figure::Text(text) => text.clone().into(),
        }
    }
}

/// One row of a table, with its columns by name. Serialises as an object in the order of the columns.
#[derive(Debug, Clone)]
pub struct Row {
    table: &'static Table,
    cells: Vec<Option<Figure>>,
}

impl Row {
    /// The value in a column; `None` for null, and if there is no such column.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&Figure> {
        let at = self.table.columns.iter().position(|candidate| candidate.name == column)?;
        self.cells.get(at)?.as_ref()
    }

    /// A whole number.
    #[must_use]
    pub fn integer(&self, column: &str) -> Option<i64> {
        match self.get(column)? {
            Figure::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// A number, whole or not.
    #[must_use]
    pub fn number(&self, column: &str) -> Option<f64> {
        match self.get(column)? {
            Figure::Integer(number) => Some(*number as f64),
            Figure::Number(number) => Some(*number),
            Figure::Text(_) | Figure::Boolean(_) => None,
        }
    }

    /// A text.
    #[must_use]
    pub fn text(&self, column: &str) -> Option<&str> {
        match self.get(column)? {
            Figure::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.cells.len()))?;
        for (column, cell) in self.table.columns.iter().zip(&self.cells) {
            map.serialize_entry(column.name, cell)?;
        }
        map.end()
    }
}

/// The rows of one call. Participants are indices into `labels`.
///
/// ```
/// use talkmeter::metrics::{Settings, measure};
/// let transcript = talkmeter::transcript::read(br#"{"transcripts": [{"channel_id": 0, "sentences": [
///     {"begin_time": 0, "end_time": 1200, "text": "Good morning."}]}]}"#)?;
/// let measured = measure("a.json", &transcript, &Settings::default());
/// let rows = talkmeter::tables::CallRows::new(&measured).unwrap();
/// assert_eq!(rows.call().integer("speech_ms"), Some(1200));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct CallRows {
    pub(crate) file: String,
    pub(crate) call: Row,
    pub(crate) participants: Vec<Row>,
    pub(crate) labels: Vec<String>,
    /// `None` where the table was not written.
    pub(crate) bursts: Option<Vec<BurstRow>>,
    pub(crate) turns: Vec<TurnRow>,
    pub(crate) events: Vec<EventRow>,
    pub(crate) hits: Vec<HitRow>,
    /// The ids of the rules that were decided, and whether they matched.
    pub(crate) rules: Vec<(String, Option<bool>)>,
    /// `None` where `sentences` or `words` were not written.
    pub(crate) sentences: Option<Vec<SentenceRow>>,
    pub(crate) warnings: Vec<WarningRow>,
}

#[derive(Debug, Clone)]
pub(crate) struct BurstRow {
    pub(crate) participant: usize,
    pub(crate) interval: Interval,
}

#[derive(Debug, Clone)]
pub(crate) struct TurnRow {
    pub(crate) participant: usize,
    pub(crate) interval: Interval,
    pub(crate) text: String,
}

#[derive(Debug, Clone)]
pub(crate) struct EventRow {
    pub(crate) index: i64,
    pub(crate) kind: EventKind,
    pub(crate) participant: usize,
    pub(crate) other: usize,
    pub(crate) interval: Interval,
    pub(crate) overlap_ms: Option<i64>,
    pub(crate) held_ms: Option<i64>,
    pub(crate) text: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct HitRow {
    pub(crate) rule: String,
    /// `None` for an absence.
    pub(crate) participant: Option<usize>,
    /// The term that matched; of an absence, all phrases that were searched.
    pub(crate) term: String,
    pub(crate) begin_ms: Option<i64>,
    pub(crate) end_ms: Option<i64>,
    pub(crate) matched: String,
    /// Whether it is evidence of a rule, and not the hit of a keyword.
    pub(crate) is_of_rule: bool,
}

/// A sentence with its words.
#[derive(Debug, Clone)]
pub(crate) struct SentenceRow {
    pub(crate) participant: usize,
    pub(crate) interval: Option<Interval>,
    pub(crate) text: String,
    pub(crate) words: Vec<WordRow>,
}

/// A word with its punctuation.
#[derive(Debug, Clone)]
pub(crate) struct WordRow {
    pub(crate) interval: Option<Interval>,
    pub(crate) text: String,
}

/// A row of `warnings`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WarningRow {
    /// The name of a [`Code`](crate::transcript::Code); tables of a newer version may have others.
    pub code: String,
    /// How often.
    pub count: i64,
    /// The first place, in words.
    pub detail: Option<String>,
}

impl CallRows {
    /// The rows of a measured call.
    #[must_use]
    pub fn new(measured: &Measured<'_>) -> Option<Self> {
        Self::with_tables(measured, &TABLES_OF_CALL)
    }

    fn with_tables(measured: &Measured<'_>, tables: &[&'static Table]) -> Option<Self> {
        let rows = |&table: &&'static Table| {
            let mut rows = Rows::new(table);
            rows.add(measured, &[]);
            rows
        };
        Self::from_tables(measured.file.clone(), &tables.iter().map(rows).collect::<Vec<_>>())
    }

    /// Reads the rows of one call, from any source. `None` without a row in `calls`.
    pub(super) fn from_tables(file: String, tables: &[Rows]) -> Option<Self> {
        let find = |table: &Table| tables.iter().find(|rows| rows.table.name == table.name);
        let rows = |table: &Table| find(table).map(Rows::to_rows).unwrap_or_default();
        let call = rows(&CALLS).into_iter().next()?;
        let participants = rows(&PARTICIPANTS);
        let labels = labels(&participants, [&SENTENCES, &TURNS].into_iter().filter_map(find));
        let reader = Reader::new(&labels);
        let sentences = find(&SENTENCES).zip(find(&WORDS));
        Some(Self {
            bursts: find(&BURSTS).map(|rows| reader.bursts(rows)),
            turns: find(&TURNS).map(|rows| reader.turns(rows)).unwrap_or_default(),
            events: find(&EVENTS).map(|rows| reader.events(rows)).unwrap_or_default(),
            hits: find(&HITS).map(|rows| reader.hits(rows, find(&RULES))).unwrap_or_default(),
            rules: find(&RULES).map(rules).unwrap_or_default(),
            sentences: sentences.map(|(sentences, words)| reader.sentences(sentences, words)),
            warnings: find(&WARNINGS).map(warnings).unwrap_or_default(),
            file,
            call,
            participants,
            labels,
        })
    }

    /// Its row in `calls`.
    #[must_use]
    pub fn call(&self) -> &Row {
        &self.call
    }

    /// Reads and measures one result file; `None` if it can no longer be read.
    fn measure(input: &Input, options: &Options, in_full: bool) -> Option<Self> {
        let bytes = input.read().ok()?;
        let transcript = input.parse(&bytes).ok()?;
        let wanted = if in_full { Wanted::ALL } else { Wanted::NONE };
        let measured = options.measure(input.file(), &input.path, &transcript, wanted);
        Self::with_tables(&measured, if in_full { &TABLES_OF_CALL } else { &TABLES_OF_OUTLINE })
    }
}

/// Labels of the participants; where their table was not written, those that other tables name.
fn labels<'r>(participants: &[Row], others: impl Iterator<Item = &'r Rows>) -> Vec<String> {
    let labels: Vec<String> =
        participants.iter().map(|row| row.text("participant").unwrap_or_default().to_owned()).collect();
    if !labels.is_empty() {
        return labels;
    }
    let mut labels: Vec<String> = Vec::new();
    for label in others.flat_map(|rows| rows.texts("participant")).flatten() {
        if !labels.iter().any(|known| known == label) {
            labels.push(label.to_owned());
        }
    }
    labels
}

/// Reads typed rows. Rows without a value that their table always has are skipped: the files may come from elsewhere.
pub(super) struct Reader<'l> {
    participants: HashMap<&'l str, usize>,
}

impl<'l> Reader<'l> {
    pub(super) fn new(labels: &'l [String]) -> Self {
        let mut participants = HashMap::with_capacity(labels.len());
        for (at, label) in labels.iter().enumerate() {
            participants.entry(&**label).or_insert(at);
        }
        Self { participants }
    }

    pub(super) fn participants(&self, rows: &Rows, column: &str) -> Vec<Option<usize>> {
        let index = |label: Option<&str>| self.participants.get(label?).copied();
        rows.texts(column).into_iter().map(index).collect()
    }

    pub(super) fn bursts(&self, rows: &Rows) -> Vec<BurstRow> {
        let bursts = self.participants(rows, "participant").into_iter().zip(intervals(rows));
        bursts
            .filter_map(|(participant, interval)| {
                Some(BurstRow { participant: participant?, interval: interval.filter(|time| time.length() > 0)? })
            })
            .collect()
    }

    pub(super) fn turns(&self, rows: &Rows) -> Vec<TurnRow> {
        let turns = self.participants(rows, "participant").into_iter().zip(intervals(rows)).zip(rows.texts("text"));
        turns
            .filter_map(|((participant, interval), text)| {
                Some(TurnRow { participant: participant?, interval: interval?, text: text?.to_owned() })
            })
            .collect()
    }

    fn events(&self, rows: &Rows) -> Vec<EventRow> {
        let (kinds, texts, times) = (rows.texts("kind"), rows.texts("text"), intervals(rows));
        let (participants, others) = (self.participants(rows, "participant"), self.participants(rows, "other"));
        let integer = |column: &'static str| {
            let numbers = rows.integers(column);
            move |at: usize| numbers.get(at).copied().flatten()
        };
        let (index, overlap, held) = (integer("event_index"), integer("overlap_ms"), integer("held_ms"));
        let event = |at: usize| {
            Some(EventRow {
                index: index(at)?,
                kind: EventKind::from_name(kinds.get(at).copied().flatten()?)?,
                participant: participants.get(at).copied().flatten()?,
                other: others.get(at).copied().flatten()?,
                interval: times.get(at).copied().flatten()?,
                overlap_ms: overlap(at),
                held_ms: held(at),
                text: texts.get(at).copied().flatten().map(str::to_owned),
            })
        };
        (0..rows.count).filter_map(event).collect()
    }

    fn hits(&self, rows: &Rows, rules: Option<&Rows>) -> Vec<HitRow> {
        let of_rules = of_rules(rows, rules);
        let (rules, terms, matched) = (rows.texts("rule"), rows.texts("term"), rows.texts("matched"));
        let (begins, ends) = (rows.integers("begin_ms"), rows.integers("end_ms"));
        let participants = self.participants(rows, "participant");
        let text = |cells: &[Option<&str>], at: usize| cells.get(at).copied().flatten().map(str::to_owned);
        let hit = |at: usize| {
            Some(HitRow {
                rule: text(&rules, at)?,
                participant: participants.get(at).copied().flatten(),
                term: text(&terms, at).unwrap_or_default(),
                begin_ms: begins.get(at).copied().flatten(),
                end_ms: ends.get(at).copied().flatten(),
                matched: text(&matched, at).unwrap_or_default(),
                is_of_rule: of_rules.get(at).copied().unwrap_or_default(),
            })
        };
        (0..rows.count).filter_map(hit).collect()
    }

    fn sentences(&self, sentences: &Rows, words: &Rows) -> Vec<SentenceRow> {
        let keys = |rows: &Rows| {
            let keys = rows.integers("channel_id").into_iter().zip(rows.integers("sentence_index"));
            keys.map(|(channel, index)| channel.zip(index)).collect::<Vec<_>>()
        };
        let mut words_of: HashMap<(i64, i64), Vec<WordRow>> = HashMap::new();
        let texts = words.texts("text").into_iter().zip(words.texts("punctuation"));
        for ((key, interval), (text, punctuation)) in keys(words).into_iter().zip(intervals(words)).zip(texts) {
            let Some(key) = key else { continue };
            let text = format!("{}{}", text.unwrap_or_default(), punctuation.unwrap_or_default());
            words_of.entry(key).or_default().push(WordRow { interval, text });
        }
        let participants = self.participants(sentences, "participant").into_iter().zip(keys(sentences));
        let rows = participants.zip(intervals(sentences)).zip(sentences.texts("text"));
        rows.filter_map(|(((participant, key), interval), text)| {
            Some(SentenceRow {
                participant: participant?,
                interval,
                text: text.unwrap_or_default().to_owned(),
                words: words_of.remove(&key?).unwrap_or_default(),
            })
        })
        .collect()
    }
}

/// Which of the rows of `hits` of one call are evidence of rules, by its rows of `rules`.
pub(super) fn of_rules(hits: &Rows, rules: Option<&Rows>) -> Vec<bool> {
    let counts = rules.map(|rows| rows.texts("rule").into_iter().zip(rows.integers("count")));
    let counts = counts.into_iter().flatten().filter_map(|(rule, count)| rule.zip(count)).collect();
    let said = hits.texts("time_basis").into_iter().map(|basis| basis != Some(TimeBasis::Window.name()));
    let names = hits.texts("rule").into_iter().map(Option::unwrap_or_default);
    are_of_rules(names.zip(said), counts)
}

fn rules(rows: &Rows) -> Vec<(String, Option<bool>)> {
    let matched: Vec<Option<bool>> = match rows.column("matched") {
        Some(Cells::Boolean(cells)) => cells.iter().collect(),
        _ => Vec::new(),
    };
    let rules = rows.texts("rule").into_iter().zip(matched);
    rules.filter_map(|(rule, matched)| Some((rule?.to_owned(), matched))).collect()
}

fn warnings(rows: &Rows) -> Vec<WarningRow> {
    let warnings = rows.texts("code").into_iter().zip(rows.integers("count")).zip(rows.texts("detail"));
    warnings
        .filter_map(|((code, count), detail)| {
            Some(WarningRow { code: code?.to_owned(), count: count?, detail: detail.map(str::to_owned) })
        })
        .collect()
}

/// `[begin_ms, end_ms)`; `None` where one is missing, or they are not in order.
pub(super) fn intervals(rows: &Rows) -> Vec<Option<Interval>> {
    let interval = |(begin, end): (Option<i64>, Option<i64>)| {
        let (begin, end) = (begin?, end?);
        (begin <= end).then_some(Interval { begin, end })
    };
    rows.integers("begin_ms").into_iter().zip(rows.integers("end_ms")).map(interval).collect()
}

impl Rows {
    /// A column of whole numbers; empty for another one.
    pub(super) fn integers(&self, column: &str) -> Vec<Option<i64>> {
        match self.column(column) {
            Some(Cells::Integer(cells)) => cells.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// A column of texts; empty for another one.
    pub(super) fn texts(&self, column: &str) -> Vec<Option<&str>> {
        match self.column(column) {
            Some(Cells::Text(cells)) => cells.iter().collect(),
            _ => Vec::new(),
        }
    }

    fn to_rows(&self) -> Vec<Row> {
        let mut rows = vec![Row { table: self.table, cells: Vec::with_capacity(self.table.columns.len()) }; self.count];
        for cells in self.cells() {
            let figures: Vec<Option<Figure>> = match cells {
                Cells::Integer(cells) => cells.iter().map(|cell| cell.map(Figure::Integer)).collect(),
                Cells::Number(cells) => cells.iter().map(|cell| cell.map(Figure::Number)).collect(),
                Cells::Text(cells) => cells.iter().map(|cell| Some(Figure::Text(cell?.to_owned()))).collect(),
                Cells::Boolean(cells) => cells.iter().map(|cell| cell.map(Figure::Boolean)).collect(),
                Cells::Decimal(cells) => cells.iter().map(|cell| Some(Figure::Text(cell?.to_string()))).collect(),
                Cells::Date(cells) => cells.iter().map(|cell| Some(Figure::Text(cell?.to_string()))).collect(),
            };
            for (row, figure) in rows.iter_mut().zip(figures) {
                row.cells.push(figure);
            }
        }
        rows
    }
}

/// Where the rows of single calls come from.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum CallSource<'a> {
    /// Result files, which are measured again: keeping the rows of every call would take too much memory.
    Results {
        /// Ascending by the bytes of `file`.
        files: &'a [Input],
        /// How they were measured.
        options: &'a Options,
    },
    /// Tables on disk.
    Tables(&'a Stored),
}

impl CallSource<'_> {
    /// How many calls to ask for together: few enough for memory, and for tables, which are read through each time, enough
    /// to read them seldom.
    #[must_use]
    pub fn batch_size(&self) -> usize {
        match self {
            Self::Results { .. } => 32,
            Self::Tables(_) => 512,
        }
    }

    /// These calls, in this order; `None` for a call that can no longer be read.
    ///
    /// # Errors
    /// When a table cannot be read.
    pub fn get(&self, files: &[String]) -> Result<Vec<Option<CallRows>>> {
        self.read(files, true)
    }

    /// The same without their text.
    pub(crate) fn outlines(&self, files: &[String]) -> Result<Vec<Option<CallRows>>> {
        self.read(files, false)
    }

    fn read(&self, files: &[String], in_full: bool) -> Result<Vec<Option<CallRows>>> {
        match self {
            Self::Results { files: inputs, options } => {
                let input = |file: &String| {
                    let at = inputs.binary_search_by(|input| input.file().as_bytes().cmp(file.as_bytes())).ok()?;
                    inputs.get(at)
                };
                let found: Vec<Option<&Input>> = files.iter().map(input).collect();
                Input::expect(found.iter().copied().flatten());
                Ok(found.into_par_iter().map(|input| CallRows::measure(input?, options, in_full)).collect())
            }
            Self::Tables(stored) => stored.calls(files, in_full),
        }
    }
}
