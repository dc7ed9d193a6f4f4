//! Which row of the metadata belongs to which call.

use std::borrow::Cow;
use std::collections::HashMap;

use polars::prelude::*;

use super::metadata::{KeyKind, Metadata};
use crate::error::{Error, Result};
use crate::recording_id::address_id;

/// What a ledger knows of the recording behind a result file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordingNames {
    /// The id that its list gives it.
    pub id: Option<String>,
    /// Its addresses and paths.
    pub locations: Vec<String>,
}

/// Metadata joined to calls by the first of its keys that fits one of them.
#[derive(Debug)]
pub struct Joined<'m> {
    metadata: &'m Metadata,
    recordings: &'m HashMap<String, RecordingNames>,
    key: PlSmallStr,
    kind: KeyKind,
    /// The first row of each key.
    rows: HashMap<String, usize>,
    /// Rows without a key, or with the key of an earlier row.
    skipped_rows: usize,
}

impl Metadata {
    /// Joins calls by their names in the tables. `recordings` is what ledgers know of them, by the same names.
    ///
    /// If several rows have the same key, the first one counts.
    ///
    /// # Errors
    /// When a key column cannot be read as text.
    pub fn join<'m, 'f>(
        &'m self,
        files: impl Iterator<Item = &'f str> + Clone,
        recordings: &'m HashMap<String, RecordingNames>,
    ) -> Result<Joined<'m>> {
        let mut last = None;
        for (key, kind) in &self.keys {
            let joined = Joined::new(self, recordings, key, *kind)?;
            // Addresses of results are known only once they are read: they come last.
            if *kind == KeyKind::Address || files.clone().any(|file| joined.row(file, None).is_some()) {
                return Ok(joined);
            }
            last = Some(joined);
        }
        last.ok_or_else(|| Error::invalid("metadata without a column that names calls"))
    }

    /// A column as text.
    fn text(&self, column: &str) -> PolarsResult<StringChunked> {
        Ok(self.frame.column(column)?.cast(&DataType::String)?.str()?.clone())
    }
}

impl<'m> Joined<'m> {
    fn new(
        metadata: &'m Metadata,
        recordings: &'m HashMap<String, RecordingNames>,
        key: &PlSmallStr,
        kind: KeyKind,
    ) -> Result<Self> {
        let cells = metadata.text(key).map_err(|error| Error::table("cannot read the metadata", error))?;
        let mut rows = HashMap::new();
        for (at, cell) in cells.iter().enumerate() {
            let Some(cell) = cell.map(str::trim).filter(|cell| !cell.is_empty()) else { continue };
            let cell = if kind == KeyKind::Id { cell.into() } else { location(cell) };
            rows.entry(cell.into_owned()).or_insert(at);
        }
        let skipped_rows = cells.len() - rows.len();
        Ok(Self { metadata, recordings, key: key.clone(), kind, rows, skipped_rows })
    }

    /// The row of a call, by its cells in the table `calls`.
    #[must_use]
    pub fn row(&self, file: &str, file_url: Option<&str>) -> Option<usize> {
        let recording = self.recordings.get(file);
        let locations = || recording.into_iter().flat_map(|recording| &recording.locations).map(String::as_str);
        match self.kind {
            KeyKind::Id => self.rows.get(recording?.id.as_deref()?).copied(),
            KeyKind::Address => {
                file_url.into_iter().chain(locations()).find_map(|place| self.rows.get(&*location(place)).copied())
            }
            KeyKind::Name => {
                [file].into_iter().chain(locations()).chain(file_url).find_map(|place| self.by_name(place))
            }
        }
    }

    /// The row that names a file or an address: whole, or the end of its path, each with and without extension.
    fn by_name(&self, place: &str) -> Option<usize> {
        let place = location(place);
        if let Some(row) = self.rows.get(&*place) {
            return Some(*row);
        }
        let path = match place.split_once("://") {
            Some((_, address)) => {
                let path = address.split('?').next().unwrap_or_default();
                Cow::Owned(percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned())
            }
            None => place,
        };
        let mut tail = &*path;
        loop {
            let stem = tail.rsplit_once('.').map(|(stem, _)| stem).filter(|stem| !stem.is_empty());
            if let Some(row) = [Some(tail), stem].into_iter().flatten().find_map(|name| self.rows.get(name)) {
                return Some(*row);
            }
            tail = tail.split_once('/')?.1;
        }
    }

    /// The row of each of these calls, which have `file` and `file_url`.
    pub(super) fn rows_of(&self, calls: &DataFrame) -> PolarsResult<Vec<Option<usize>>> {
        let (files, addresses) = (calls.column("file")?.str()?, calls.column("file_url")?.str()?);
        Ok(files.iter().zip(addresses.iter()).map(|(file, address)| self.row(file?, address)).collect())
    }

    /// The rows there are.
    pub(super) fn height(&self) -> usize {
        self.rows.len()
    }

    /// A column as text, by the rows of [`Joined::row`].
    ///
    /// # Errors
    /// When there is no such column.
    pub fn column(&self, name: &str) -> Result<StringChunked> {
        self.metadata.text(name).map_err(|error| Error::table("cannot read the metadata", error))
    }

    /// The column that names the calls.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Rows that were skipped: without a key, or with the key of an earlier row.
    #[must_use]
    pub fn skipped_rows(&self) -> usize {
        self.skipped_rows
    }

    /// A key of the metadata as written, and what it would have to be for the first of these calls.
    #[must_use]
    pub fn examples(&self, calls: &DataFrame) -> (Option<String>, Option<String>) {
        let cells = self.metadata.text(&self.key).ok();
        let cell = cells.as_ref().and_then(|cells| cells.iter().flatten().find(|cell| !cell.trim().is_empty()));
        let first = |column: &str| calls.column(column).ok()?.str().ok()?.iter().flatten().next();
        let call = match self.kind {
            KeyKind::Id => {
                let files = calls.column("file").and_then(|files| files.str()).ok();
                let ids = files.into_iter().flat_map(|files| files.iter().flatten());
                ids.filter_map(|file| self.recordings.get(file)?.id.as_deref()).next().or_else(|| first("file"))
            }
            KeyKind::Name => first("file"),
            KeyKind::Address => first("file_url").or_else(|| first("file")),
        };
        (cell.map(str::to_owned), call.map(str::to_owned))
    }
}

/// An address by its id; a path with `/`, without `./` in front.
fn location(place: &str) -> Cow<'_, str> {
    let place = place.trim();
    if place.contains("://") {
        return Cow::Owned(address_id(place));
    }
    let place = if place.contains('\\') { Cow::Owned(place.replace('\\', "/")) } else { Cow::Borrowed(place) };
    match place {
        Cow::Borrowed(place) => place.strip_prefix("./").unwrap_or(place).into(),
        Cow::Owned(place) => place.strip_prefix("./").unwrap_or(&place).to_owned().into(),
    }
}
