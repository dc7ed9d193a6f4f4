//! The one reader of tables that people write: lists of recordings, metadata, statements, hotwords, paths.
//!
//! A sheet is CSV with `,` `;` or tab, JSON lines, or plain text with an entry per line, in any [encoding](text). Rows come one by
//! one and lines are bounded, so that lists can be long. Columns are found by name, whatever its case and the blanks, `_` and `-` in
//! it. Every problem names its line.

mod column;
mod length;
mod lines;
mod record;
pub(crate) mod text;

pub(crate) use column::{Column, ID, Names, RECORDING, folded};

use column::LENGTHS;
pub(crate) use length::amount;
pub(crate) use text::decode;

use std::io::Read;

use lines::Lines;
use record::Record;

/// The longest line, or CSV record, that is read, in bytes.
const LONGEST_LINE: usize = 64 * 1024;

/// What a reader expects.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout<'a> {
    /// At least one of these columns must be there. They also tell a CSV header from plain text.
    pub(crate) needed: &'a [Column],
    /// Whether entries may stand alone, one per line, without columns.
    pub(crate) plain: bool,
    /// A header of fewer columns is an entry of a plain list.
    pub(crate) least_columns: usize,
}

/// A list of recordings.
pub(crate) const LIST: Layout<'static> = Layout { needed: &[RECORDING], plain: true, least_columns: 1 };

/// What a line holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Row {
    /// An entry of a plain list, or a JSON string; not empty, trimmed.
    Entry(String),
    /// The cells of a CSV record or JSON object.
    Cells(Cells),
}

/// Cells with their columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cells {
    names: Names,
    cells: Vec<String>,
}

impl Cells {
    /// The cell of a column, trimmed; `None` if it is empty or there is no such column.
    pub(crate) fn get(&self, column: &Column) -> Option<&str> {
        self.cells.get(self.names.position(column)?).map(|cell| &**cell).filter(|cell| !cell.is_empty())
    }

    /// The cell of a column of figures; `None` also if it says that the figure is not known: `n/a`, `unknown`, `-`.
    pub(crate) fn figure(&self, column: &Column) -> Option<&str> {
        self.get(column).filter(|cell| !length::is_unknown(cell))
    }

    /// The length of a recording in ms; `None` = not known.
    ///
    /// # Errors
    /// In one clause, a cell that is no length.
    pub(crate) fn length_ms(&self) -> Result<Option<i64>, String> {
        let Some((column, cell, unit_ms)) =
            LENGTHS.iter().find_map(|(column, unit_ms)| Some((column, self.figure(column)?, *unit_ms)))
        else {
            return Ok(None);
        };
        length::length_ms(cell, unit_ms).map(Some).ok_or_else(|| {
            format!("`{cell}` for `{}` is not a length such as {}: unknown", self.name(column), length::LENGTH_FORMS)
        })
    }

    /// The cell of a column that must not be empty.
    ///
    /// # Errors
    /// Which column is missing, or that its cell is empty.
    pub(crate) fn require(&self, column: &Column) -> Result<&str, String> {
        match (self.get(column), self.names.name(column)) {
            (Some(cell), _) => Ok(cell),
            (None, Some(name)) => Err(format!("`{name}` is empty")),
            (None, None) => Err(self.names.missing(&[*column])),
        }
    }

    /// The name of a column as the sheet writes it; the documented one if it has no such column.
    pub(crate) fn name(&self, column: &Column) -> &str {
        self.names.name(column).unwrap_or(column.name())
    }

    /// Whether one of these columns is there, be its cell empty.
    pub(crate) fn has_any(&self, columns: &[Column]) -> bool {
        columns.iter().any(|column| self.names.position(column).is_some())
    }

    /// That none of these columns is there: which there are, and which names would do.
    pub(crate) fn missing(&self, columns: &[Column]) -> String {
        self.names.missing(columns)
    }

    /// Names and cells, in order, empty ones included, but not those by which these columns are found.
    pub(crate) fn without(&self, columns: &[Column]) -> impl Iterator<Item = (&str, &str)> {
        let found: Vec<usize> = columns.iter().filter_map(|column| self.names.position(column)).collect();
        self.iter().enumerate().filter(move |(at, _)| !found.contains(at)).map(|(_, cell)| cell)
    }

    /// Names and cells, in order, empty ones included.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names.iter().zip(self.cells.iter().map(String::as_str))
    }
}

/// Why a line is not a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The line, from 1; of a record over several lines the first.
    pub(crate) line: u64,
    /// One clause.
    pub(crate) why: String,
    /// Whether nothing can be read after it.
    pub(crate) is_fatal: bool,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

/// Reads a sheet row by row.
pub(crate) struct Sheet<R> {
    lines: Lines<R>,
    format: Format,
    empty_rows: u64,
}

enum Format {
    /// The first line has not been read.
    Unknown {
        extension: Option<String>,
        needed: Vec<Column>,
        plain: bool,
        least_columns: usize,
    },
    /// A line has been read that is the next row.
    Text {
        is_read: bool,
    },
    JsonLines {
        is_read: bool,
    },
    Csv {
        record: Box<Record>,
        names: Names,
    },
    /// At the end, or after a fatal fault.
    Ended,
}

impl<R: Read> Sheet<R> {
    /// `name` tells the format by its extension (`.txt`, `.csv`, `.tsv`, `.jsonl`, `.ndjson`), else the first line does: a CSV
    /// header has a needed column, JSON begins with `{` or `"`, all else is plain text.
    pub(crate) fn new(name: &str, reader: R, layout: &Layout<'_>) -> Self {
        let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        let format = Format::Unknown {
            extension,
            needed: layout.needed.to_vec(),
            plain: layout.plain,
            least_columns: layout.least_columns,
        };
        Self { lines: Lines::new(reader), format, empty_rows: 0 }
    }

    /// What should be reported about the sheet as a whole after reading it, as clauses.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(encoding) = self.lines.encoding().detected() {
            notes.push(format!("not UTF-8, read as {encoding}"));
        }
        match self.empty_rows {
            0 => {}
            1 => notes.push("1 empty row skipped".to_owned()),
            rows => notes.push(format!("{rows} empty rows skipped")),
        }
        notes
    }

    /// After the last row: whether there was no line at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.number() <= 1
    }

    /// Whether columns are separated by something else than commas, so that a comma in a number is a decimal one.
    pub(crate) fn has_decimal_commas(&self) -> bool {
        matches!(&self.format, Format::Csv { record, .. } if record.delimiter() == b';')
    }

    /// The next row with its line; `None` at the end.
    pub(crate) fn next_row(&mut self) -> Option<Result<(u64, Row), Fault>> {
        let row = self.row();
        match &row {
            Ok(Some(_)) => {}
            Ok(None) => self.format = Format::Ended,
            Err(fault) if fault.is_fatal => self.format = Format::Ended,
            Err(_) => {}
        }
        row.transpose()
    }

    fn row(&mut self) -> Result<Option<(u64, Row)>, Fault> {
        if let Format::Unknown { .. } = self.format {
            self.begin()?;
        }
        match &mut self.format {
            Format::Ended | Format::Unknown { .. } => Ok(None),
            Format::Text { is_read } => loop {
                if !std::mem::take(is_read) && !self.lines.read()? {
                    return Ok(None);
                }
                let line = self.lines.text()?.trim();
                if !line.is_empty() && !line.starts_with('#') {
                    return Ok(Some((self.lines.number(), Row::Entry(line.to_owned()))));
                }
            },
            Format::JsonLines { is_read } => loop {
                if !std::mem::take(is_read) && !self.lines.read()? {
                    return Ok(None);
                }
                if self.lines.is_blank() {
                    continue;
                }
                let line = self.lines.number();
                let row = json_row(self.lines.text()?.trim());
                return row.map(|row| Some((line, row))).map_err(|why| Fault { line, why, is_fatal: false });
            },
            Format::Csv { record, names } => loop {
                let Some(line) = record.read(&mut self.lines)? else { return Ok(None) };
                if record.is_empty() {
                    self.empty_rows += 1;
                    continue;
                }
                let fatal = |why: &str| Fault { line, why: why.to_owned(), is_fatal: true };
                let cells = record.cells().map_err(|_| fatal("not UTF-8"))?;
                if cells.len() > names.len() && cells.iter().skip(names.len()).any(|cell| !cell.is_empty()) {
                    // An unquoted delimiter in an address would cut it short.
                    let (fields, columns) = (cells.len(), names.len());
                    let why = format!(
                        "{fields} fields, but the header has {columns}; quote a field that holds the delimiter"
                    );
                    return Err(Fault { line, why, is_fatal: false });
                }
                return Ok(Some((line, Row::Cells(Cells { names: names.clone(), cells }))));
            },
        }
    }

    /// Finds out the format by the name and the first line.
    fn begin(&mut self) -> Result<(), Fault> {
        let Format::Unknown { extension, needed, plain, least_columns } = &self.format else { return Ok(()) };
        loop {
            if !self.lines.read()? {
                self.format = Format::Ended;
                return Ok(());
            }
            if !self.lines.is_blank() {
                break;
            }
        }
        let line = self.lines.number();
        let fatal = |why: String| Fault { line, why, is_fatal: true };
        let is = |extensions: &[&str]| extension.as_deref().is_some_and(|extension| extensions.contains(&extension));
        if is(&["txt"]) && *plain {
            self.format = Format::Text { is_read: true };
            return Ok(());
        }
        if is(&["jsonl", "ndjson"]) {
            self.format = Format::JsonLines { is_read: true };
            return Ok(());
        }
        let first = String::from_utf8_lossy(self.lines.line()).into_owned();
        // Spreadsheets write and read such a line before the header.
        let told = first.trim().strip_prefix("sep=").and_then(|rest| rest.as_bytes().first().copied());
        if told.is_some() && !self.lines.read()? {
            return Err(fatal("no header".to_owned()));
        }
        let delimiters = told.map_or_else(|| vec![b',', b';', b'\t'], |delimiter| vec![delimiter]);
        let headers = delimiters.into_iter().map(|delimiter| (delimiter, record::fields(self.lines.line(), delimiter)));
        let fitness = |(_, names): &(u8, Vec<String>)| {
            let names = Names::new(names.clone());
            (needed.iter().filter(|column| names.position(column).is_some()).count(), names.len())
        };
        // Of equals the first.
        let best = headers.rev().max_by_key(fitness);
        let Some((delimiter, _)) = best else { return Err(fatal("no header".to_owned())) };
        let fits = best.as_ref().map(fitness).is_some_and(|(found, columns)| found > 0 && columns >= *least_columns);
        match self.lines.line().trim_ascii_start().first() {
            _ if fits => {}
            Some(b'{' | b'"') if !is(&["csv", "tsv"]) => {
                self.format = Format::JsonLines { is_read: true };
                return Ok(());
            }
            Some(b'[') if !is(&["csv", "tsv"]) => {
                return Err(fatal("a JSON array; give one object or string per line".to_owned()));
            }
            _ if *plain && !is(&["csv", "tsv"]) => {
                self.format = Format::Text { is_read: true };
                return Ok(());
            }
            _ => {}
        }
        // The header may itself go over several lines.
        let needed = needed.clone();
        let mut record = Box::new(Record::new(delimiter));
        record.read_on(&mut self.lines)?;
        let names = Names::new(record.cells().map_err(|_| fatal("not UTF-8".to_owned()))?);
        if let Some(column) = needed.iter().find(|column| names.count(column) > 1) {
            return Err(fatal(format!("two columns `{}`", names.name(column).unwrap_or(column.name()))));
        }
        if !needed.is_empty() && needed.iter().all(|column| names.position(column).is_none()) {
            return Err(fatal(names.missing(&needed)));
        }
        self.format = Format::Csv { record, names };
        Ok(())
    }
}

/// A JSON string or object.
fn json_row(line: &str) -> Result<Row, String> {
    use serde_json::Value;
    let value: Value = serde_json::from_str(line).map_err(|error| {
        // Its line is always the first of one; the caller knows better.
        let text = error.to_string();
        let what = text.rsplit_once(" at line ").map_or(&*text, |(what, _)| what);
        format!("{what} (column {})", error.column())
    })?;
    match value {
        Value::String(text) if text.trim().is_empty() => Err("the entry is empty".to_owned()),
        Value::String(text) => Ok(Row::Entry(text)),
        Value::Object(object) => {
            let (names, cells) = object
                .into_iter()
                .map(|(name, value)| {
                    let cell = match value {
                        Value::Null => String::new(),
                        Value::String(text) => text.trim().to_owned(),
                        other => other.to_string(),
                    };
                    (name, cell)
                })
                .unzip();
            Ok(Row::Cells(Cells { names: Names::new(names), cells }))
        }
        _ => Err("neither a JSON object nor a JSON string".to_owned()),
    }
}

#[cfg(test)]
mod tests;
