//! What is kept of all calls while they are measured: in memory, or beyond some thousand rows in a temporary file.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use polars::prelude::*;

use super::frame::{Rows, column_of};
use crate::error::Result;
use crate::metrics::catalogue::{Cells, Kind, ValueCells};

/// Some columns of a table, for all calls of an analysis.
///
/// Those of thousands of calls are in a temporary file (about 1 KB a call) that has no name and goes with the last copy of the
/// value: a column is in memory once it is asked for.
///
/// ```
/// use polars::prelude::*;
/// use talkmeter::tables::Figures;
/// let figures = Figures::from(df!("file" => ["a.json", "b.json"], "turn_count" => [4_i64, 9])?);
/// assert_eq!((figures.height(), figures.column("turn_count")?.i64()?.sum()), (2, Some(13)));
/// # Ok::<(), PolarsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Figures(Kept);

#[derive(Debug, Clone)]
enum Kept {
    Frame(DataFrame),
    Runs(Arc<Runs>),
}

impl From<DataFrame> for Figures {
    fn from(frame: DataFrame) -> Self {
        Self(Kept::Frame(frame))
    }
}

impl Figures {
    /// Number of rows.
    #[must_use]
    pub fn height(&self) -> usize {
        match &self.0 {
            Kept::Frame(frame) => frame.height(),
            Kept::Runs(runs) => runs.count(),
        }
    }

    /// One column.
    ///
    /// # Errors
    /// When there is no such column, or the temporary file cannot be read.
    pub fn column(&self, name: &str) -> PolarsResult<Column> {
        match &self.0 {
            Kept::Frame(frame) => frame.column(name).cloned(),
            Kept::Runs(runs) => runs.column(name),
        }
    }

    /// One column in parts, each in memory while it is needed.
    pub(crate) fn parts(&self, name: &str) -> impl Iterator<Item = PolarsResult<Column>> {
        let (frame, runs) = match &self.0 {
            Kept::Frame(frame) => (Some(frame.column(name).cloned()), None),
            Kept::Runs(runs) => (None, Some(runs.parts(name))),
        };
        frame.into_iter().chain(runs.into_iter().flatten())
    }

    /// Some cells of a column of texts.
    pub(crate) fn texts_at(&self, name: &str, rows: &[usize]) -> PolarsResult<Vec<Option<String>>> {
        let mut cells = vec![None; rows.len()];
        let mut before = 0;
        for part in self.parts(name) {
            let part = part?;
            let texts = part.str()?;
            for (cell, row) in cells.iter_mut().zip(rows) {
                // polars panics beyond the last one.
                let row = row.checked_sub(before).filter(|row| *row < texts.len());
                if let Some(text) = row.and_then(|row| texts.get(row)) {
                    *cell = Some(text.to_owned());
                }
            }
            before += part.len();
        }
        Ok(cells)
    }

    /// One column of texts.
    pub(crate) fn texts(&self, name: &str) -> PolarsResult<StringChunked> {
        self.column(name)?.str().cloned()
    }

    /// All columns.
    ///
    /// # Errors
    /// When the temporary file cannot be read.
    pub fn frame(&self) -> PolarsResult<DataFrame> {
        match &self.0 {
            Kept::Frame(frame) => Ok(frame.clone()),
            Kept::Runs(runs) => {
                let columns: PolarsResult<_> = runs.last.names().map(|name| runs.column(name)).collect();
                DataFrame::new(runs.count(), columns?)
            }
        }
    }
}

/// Rows of one table in the order of the calls, kept run by run.
#[derive(Debug)]
pub(super) struct Runs {
    full: Vec<Run>,
    /// Rows of the full runs.
    height: usize,
    /// Where columns of full runs are; `None` if none could be made.
    file: Option<Mutex<File>>,
    last: Rows,
}

/// Rows that follow each other.
#[derive(Debug)]
enum Run {
    /// Where the cells of each column are in the file.
    Stored(Vec<Range<u64>>),
    Memory(Rows),
}

impl Runs {
    /// Rows of a full run.
    const FULL: usize = 4096;

    /// Starts with these rows.
    pub(super) fn new(rows: Rows) -> Self {
        Self { full: Vec::new(), height: 0, file: None, last: rows }
    }

    pub(super) fn count(&self) -> usize {
        self.height + self.last.count
    }

    /// Appends rows with the same columns.
    pub(super) fn append(&mut self, rows: Rows) {
        if self.last.count >= Self::FULL {
            self.close();
        }
        self.last.append(vec![rows]);
    }

    /// Ends the run. It stays in memory where there is no room for it in a temporary file.
    fn close(&mut self) {
        let none = self.last.none();
        let mut run = std::mem::replace(&mut self.last, none);
        self.height += run.count;
        if self.file.is_none() {
            self.file = tempfile::tempfile().ok().map(Mutex::new);
        }
        let stored = self.file.as_ref().and_then(|file| store(&run, file).ok());
        self.full.push(stored.map_or_else(
            || {
                run.shrink();
                Run::Memory(run)
            },
            Run::Stored,
        ));
    }

    fn column(&self, name: &str) -> PolarsResult<Column> {
        let mut runs = self.cells(name);
        let mut whole = runs.next().unwrap_or_else(|| Err(io::ErrorKind::NotFound.into()))?;
        runs.try_for_each(|run| run.map(|run| whole.append(vec![run])))?;
        column_of(PlSmallStr::from_str(name), whole)
    }

    fn parts(&self, name: &str) -> impl Iterator<Item = PolarsResult<Column>> {
        self.cells(name).map(move |run| column_of(PlSmallStr::from_str(name), run?))
    }

    /// The cells of a column in each run.
    fn cells(&self, name: &str) -> impl Iterator<Item = io::Result<Cells>> {
        let unknown = move || io::Error::new(io::ErrorKind::NotFound, format!("no column `{name}`"));
        let at = self.last.names().position(|known| known == name);
        let in_memory = move |rows: &Rows| rows.column(name).cloned().ok_or_else(unknown);
        let full = self.full.iter().map(move |run| match run {
            Run::Stored(places) => {
                let place = at.and_then(|at| places.get(at)).ok_or_else(unknown)?;
                self.read(place, self.last.column(name).ok_or_else(unknown)?.kind())
            }
            Run::Memory(rows) => in_memory(rows),
        });
        full.chain(std::iter::once_with(move || in_memory(&self.last)))
    }

    fn read(&self, place: &Range<u64>, kind: Kind) -> io::Result<Cells> {
        let length = usize::try_from(place.end - place.start).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        if let Some(file) = &self.file {
            read_at(&file.lock().unwrap_or_else(PoisonError::into_inner), &mut bytes, place.start)?;
        }
        decode(&bytes, kind)
    }

    pub(super) fn into_figures(self) -> Result<Figures> {
        if self.full.is_empty() {
            self.last.into_frame().map(Figures::from)
        } else {
            Ok(Figures(Kept::Runs(Arc::new(self))))
        }
    }
}

/// Appends the cells of each column to the file; returns their places.
fn store(rows: &Rows, file: &Mutex<File>) -> io::Result<Vec<Range<u64>>> {
    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
    let mut place = file.seek(SeekFrom::End(0))?;
    let mut bytes = Vec::new();
    let column = |cells| {
        bytes.clear();
        encode(cells, &mut bytes)?;
        file.write_all(&bytes)?;
        let start = place;
        place += bytes.len() as u64;
        Ok(start..place)
    };
    rows.cells().map(column).collect()
}

/// Fills the buffer from this place on. A forked process shares the position in the file, so that none is set where it can do
/// without.
fn read_at(file: &File, buffer: &mut [u8], place: u64) -> io::Result<()> {
    #[cfg(unix)]
    return std::os::unix::fs::FileExt::read_exact_at(file, buffer, place);
    #[cfg(not(unix))]
    {
        let mut file = file;
        file.seek(SeekFrom::Start(place))?;
        io::Read::read_exact(&mut file, buffer)
    }
}

/// A byte for each cell, 0 for null, and its value behind it.
fn encode(cells: &Cells, bytes: &mut Vec<u8>) -> io::Result<()> {
    match cells {
        Cells::Integer(cells) => encode_values(cells, bytes, i64::to_le_bytes),
        Cells::Number(cells) => encode_values(cells, bytes, f64::to_le_bytes),
        Cells::Boolean(cells) => encode_values(cells, bytes, |value| [u8::from(value)]),
        Cells::Text(cells) => {
            for cell in cells.iter() {
                bytes.push(cell.is_some().into());
                let text = cell.unwrap_or_default();
                bytes.extend((text.len() as u64).to_le_bytes());
                bytes.extend(text.as_bytes());
            }
        }
        // No such figure is kept of all calls.
        Cells::Decimal(_) | Cells::Date(_) => return Err(io::ErrorKind::Unsupported.into()),
    }
    Ok(())
}

fn encode_values<T: Copy + Default, const N: usize>(
    cells: &ValueCells<T>,
    bytes: &mut Vec<u8>,
    value: fn(T) -> [u8; N],
) {
    for cell in cells.iter() {
        bytes.push(cell.is_some().into());
        bytes.extend(value(cell.unwrap_or_default()));
    }
}

fn decode(mut bytes: &[u8], kind: Kind) -> io::Result<Cells> {
    Ok(match kind {
        Kind::Integer => Cells::Integer(decode_values(bytes, i64::from_le_bytes)),
        Kind::Number => Cells::Number(decode_values(bytes, f64::from_le_bytes)),
        Kind::Boolean => Cells::Boolean(decode_values(bytes, |[value]| value != 0)),
        Kind::Text => {
            let texts = std::iter::from_fn(|| {
                let (is_some, rest) = bytes.split_first()?;
                let (length, rest) = rest.split_first_chunk()?;
                let (text, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
                bytes = rest;
                Some(std::str::from_utf8(text).ok().filter(|_| *is_some != 0))
            });
            Cells::Text(texts.collect())
        }
        Kind::Decimal | Kind::Date => return Err(io::ErrorKind::Unsupported.into()),
    })
}

fn decode_values<T: Copy + Default, const N: usize>(bytes: &[u8], value: fn([u8; N]) -> T) -> ValueCells<T> {
    let cell = |cell: &[u8]| {
        let (is_some, bytes) = cell.split_first()?;
        bytes.first_chunk().filter(|_| *is_some != 0).map(|bytes| value(*bytes))
    };
    bytes.chunks_exact(N + 1).map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::catalogue::PARTICIPANTS;
    use crate::metrics::{Settings, measure};
    use crate::transcript::read;

    #[test]
    fn rows_kept_in_runs_are_the_same_rows() {
        let talk = |text| {
            format!(
                r#"{{"transcripts": [{{"channel_id": 0, "sentences": [{{"begin_time": 0, "end_time": 1200, {text}}}]}}]}}"#
            )
        };
        let (some, none) = (talk(r#""text": "Good morning.""#), talk(r#""text": """#));
        let transcripts = [read(some.as_bytes()).unwrap(), read(none.as_bytes()).unwrap()];
        let measured: Vec<_> = (0..61)
            .map(|call| measure(&format!("{call}.json"), &transcripts[call % 2], &Settings::default()))
            .collect();
        let batch = |from: usize| {
            let mut batch = Rows::new(&PARTICIPANTS);
            (0..16).for_each(|call| batch.add(&measured[(from + call) % measured.len()], &[]));
            batch
        };
        let (mut rows, mut runs) = (Rows::new(&PARTICIPANTS), Runs::new(Rows::new(&PARTICIPANTS)));
        for from in 0..2500 {
            rows.append(vec![batch(from)]);
            runs.append(batch(from));
        }
        let stored = |run: &&Run| matches!(run, Run::Stored(_));
        assert_eq!((runs.count(), runs.full.iter().filter(stored).count()), (rows.count, runs.full.len()));
        assert!(runs.full.len() > 1);
        let figures = runs.into_figures().unwrap();
        let rows = rows.into_frame().unwrap();
        assert!(figures.frame().unwrap().equals_missing(&rows));
        assert!(figures.column("talk_ms").unwrap().equals_missing(rows.column("talk_ms").unwrap()));
        assert!(figures.column("nothing").is_err());
        let files = rows.column("file").unwrap().str().unwrap();
        let places = [0, Runs::FULL + 50, 17, rows.height() - 1, rows.height()];
        let expected = places.map(|row| (row < files.len()).then(|| files.get(row).unwrap().to_owned()));
        assert_eq!(figures.texts_at("file", &places).unwrap(), expected);
    }

    #[test]
    fn runs_for_which_there_is_no_room_stay_in_memory() {
        let transcript = read(br#"{"transcripts": []}"#).unwrap();
        let measured = measure("a.json", &transcript, &Settings::default());
        let mut runs = Runs::new(Rows::new(&crate::metrics::catalogue::CALLS));
        let mut batch = runs.last.none();
        (0..Runs::FULL).for_each(|_| batch.add(&measured, &[]));
        runs.append(batch.clone());
        runs.append(batch.clone());
        // A file that cannot be written to is as a full disk.
        let full = File::open(std::env::current_exe().unwrap()).unwrap();
        let before = runs.file.replace(Mutex::new(full));
        runs.append(batch);
        assert!(matches!(runs.full[..], [Run::Stored(_), Run::Memory(_)]));
        runs.file = before;
        assert_eq!(runs.column("file").unwrap().str().unwrap().iter().flatten().count(), 3 * Runs::FULL);
    }
}
