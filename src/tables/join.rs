//! Which row of the metadata belongs to which call.

use std::borrow::Cow;
use std::collections::HashMap;

use polars::prelude::*;

use super::analysis::Analysis;
use super::figures::Figures;
use super::frame::schema;
use super::group::{GroupCells, GroupKey};
use super::metadata::{KeyKind, Metadata};
use crate::error::{Error, Result};
use crate::metrics::Roles;
use crate::metrics::catalogue::{CALLS, Table};
use crate::recording_id::address_id;
use crate::sheet::folded;

/// The column that names the channel of the agent, as [`folded`].
const AGENT_CHANNEL: &str = "agentchannel";
/// The roles that it gives.
const AGENT: &str = "agent";
const CUSTOMER: &str = "customer";

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
pub struct Joined {
    metadata: Metadata,
    recordings: HashMap<String, RecordingNames>,
    keys: Keys,
    /// The column of each participant's role, by label; `None` is the column that names the agent.
    roles: Vec<(Option<String>, StringChunked)>,
    /// Columns for the table `calls`, under names of their own.
    columns: Vec<Column>,
}

/// The rows of the metadata by one of its columns.
#[derive(Debug)]
struct Keys {
    column: PlSmallStr,
    kind: KeyKind,
    /// The first row of each key.
    rows: HashMap<String, usize>,
    /// Rows without a key, or with the key of an earlier row.
    /// Rows without a key, and rows with the key of an earlier one.
    skipped_rows: (usize, usize),
}

impl Metadata {
    /// Joins calls by their names in the tables. `recordings` is what ledgers know of them, by the same names.
    ///
    /// If several rows have the same key, the first one counts.
    ///
    /// # Errors
    /// When a column cannot be read as text.
    pub fn join<'f>(
        self,
        files: impl Iterator<Item = &'f str> + Clone,
        recordings: HashMap<String, RecordingNames>,
    ) -> Result<Joined> {
        let failed = |error| Error::table("cannot read the metadata", error);
        let mut chosen = None;
        for (column, kind) in &self.keys {
            let keys = Keys::new(&self, column, *kind).map_err(failed)?;
            // Addresses of results are known only once they are read: they come last.
            let fits = keys.kind == KeyKind::Address
                || files.clone().any(|file| keys.row(file, None, recordings.get(file)).is_some());
            chosen = Some(keys);
            if fits {
                break;
            }
        }
        let keys = chosen.ok_or_else(|| Error::invalid("metadata without a column that names calls"))?;
        let roles = self.role_columns().map_err(failed)?;
        let columns = self.call_columns().map_err(failed)?;
        Ok(Joined { metadata: self, recordings, keys, roles, columns })
    }

    /// A column as text.
    fn text(&self, column: &str) -> PolarsResult<StringChunked> {
        Ok(self.frame.column(column)?.cast(&DataType::String)?.str()?.clone())
    }

    /// `agent_channel`, and `<label>_role` for any label.
    fn role_columns(&self) -> PolarsResult<Vec<(Option<String>, StringChunked)>> {
        let label = |name: &str| match name.to_ascii_lowercase().strip_suffix("_role") {
            Some(label) if !label.is_empty() => Some(name.get(..label.len()).map(str::to_owned)),
            _ => (folded(name) == AGENT_CHANNEL).then_some(None),
        };
        self.columns()
            .filter_map(|name| Some((label(name)?, name)))
            .map(|(label, name)| Ok((label, self.text(name)?)))
            .collect()
    }

    /// The columns for the table `calls`: a name of ours gets `_meta`; types that a table cannot have become text.
    fn call_columns(&self) -> PolarsResult<Vec<Column>> {
        let ours = schema(&CALLS);
        let mut columns: Vec<Column> = Vec::new();
        for name in self.columns() {
            let column = self.frame.column(name)?;
            let is_plain =
                column.dtype().is_primitive_numeric() || matches!(column.dtype(), DataType::Boolean | DataType::Date);
            let column = if is_plain { column.clone() } else { self.text(name)?.into_column() };
            let mut own = name.to_owned();
            while ours.contains(&own) || columns.iter().any(|column| column.name().as_str() == own) {
                own += "_meta";
            }
            columns.push(column.with_name(own.into()));
        }
        Ok(columns)
    }
}

impl Keys {
    fn new(metadata: &Metadata, column: &PlSmallStr, kind: KeyKind) -> PolarsResult<Self> {
        let cells = metadata.text(column)?;
        let (mut rows, mut unnamed) = (HashMap::new(), 0);
        for (at, cell) in cells.iter().enumerate() {
            let Some(cell) = cell.map(str::trim).filter(|cell| !cell.is_empty()) else {
                unnamed += 1;
                continue;
            };
            let cell = if kind == KeyKind::Id { cell.into() } else { location(cell) };
            rows.entry(cell.into_owned()).or_insert(at);
        }
        let skipped_rows = (unnamed, cells.len() - rows.len() - unnamed);
        Ok(Self { column: column.clone(), kind, rows, skipped_rows })
    }

    fn row(&self, file: &str, file_url: Option<&str>, recording: Option<&RecordingNames>) -> Option<usize> {
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
}

impl Joined {
    /// The row of a call, by its cells in the table `calls`.
    #[must_use]
    pub fn row(&self, file: &str, file_url: Option<&str>) -> Option<usize> {
        self.keys.row(file, file_url, self.recordings.get(file))
    }

    /// The roles that its row gives to the participants of a call; `None` without any.
    pub(crate) fn roles(&self, file: &str, file_url: Option<&str>) -> Option<Roles> {
        if self.roles.is_empty() {
            return None;
        }
        let row = self.row(file, file_url)?;
        let mut roles = Roles::default();
        let cell = |cells: &'_ StringChunked| {
            cells.get(row).map(|cell| cell.trim().to_owned()).filter(|cell| !cell.is_empty())
        };
        for (label, cells) in &self.roles {
            if let (Some(label), Some(role)) = (label, cell(cells)) {
                // Of two columns for one label the first counts.
                let _ = roles.insert(label.clone(), role);
            }
        }
        for cells in self.roles.iter().filter(|(label, _)| label.is_none()).map(|(_, cells)| cells) {
            let Some(channel) = cell(cells) else { continue };
            let label = channel_label(&channel).into_owned();
            if roles.role(&label).is_none() {
                let _ = roles.insert(label.clone(), AGENT);
                roles.set_other(label, CUSTOMER);
            }
        }
        Some(roles)
    }

    /// The schema of a table, with the user's columns where there are any.
    pub(super) fn schema_of(table: &Table, joined: Option<&Self>) -> Schema {
        let mut schema = schema(table);
        for column in joined.into_iter().flat_map(|joined| &joined.columns) {
            schema.with_column(column.name().clone(), column.dtype().clone());
        }
        schema
    }

    /// Adds the user's columns to these rows of `calls`.
    pub(super) fn add_columns(&self, calls: &mut DataFrame) -> PolarsResult<()> {
        let (files, addresses) = (calls.column("file")?.str()?, calls.column("file_url")?.str()?);
        for column in self.columns_for(files.iter().zip(addresses.iter()))? {
            calls.with_column(column)?;
        }
        Ok(())
    }

    /// The user's columns for these rows of `calls`, as that table names them.
    pub(super) fn columns_of(&self, calls: &Figures) -> PolarsResult<Vec<Column>> {
        let (files, addresses) = (calls.texts("file")?, calls.texts("file_url")?);
        self.columns_for(files.iter().zip(addresses.iter()))
    }

    /// The user's columns for calls with these cells of `file` and `file_url`.
    pub(super) fn columns_for<'c>(
        &self,
        calls: impl Iterator<Item = (Option<&'c str>, Option<&'c str>)>,
    ) -> PolarsResult<Vec<Column>> {
        let rows: IdxCa = calls.map(|(file, address)| self.row(file?, address)?.try_into().ok()).collect();
        self.columns.iter().map(|column| column.take(&rows)).collect()
    }

    /// The row of each of these calls, which have `file` and `file_url`.
    pub(super) fn rows_of(&self, calls: &Figures) -> PolarsResult<Vec<Option<usize>>> {
        let (files, addresses) = (calls.texts("file")?, calls.texts("file_url")?);
        Ok(files.iter().zip(addresses.iter()).map(|(file, address)| self.row(file?, address)).collect())
    }

    /// The rows there are.
    pub(super) fn height(&self) -> usize {
        self.keys.rows.len()
    }

    /// The group that each row of [`Joined::row`] belongs to.
    ///
    /// # Errors
    /// When there is no such column, or none of its cells is a time where one is needed.
    pub(super) fn groups(&self, key: &GroupKey) -> Result<GroupCells> {
        let cells = self.metadata.text(&key.column);
        key.groups(&cells.map_err(|error| Error::table("cannot read the metadata", error))?)
    }

    /// The groups as text, by the rows of [`Joined::row`].
    ///
    /// # Errors
    /// As the roll-up by this column.
    pub fn column(&self, key: &GroupKey) -> Result<StringChunked> {
        Ok(self.groups(key)?.cells)
    }

    /// A hash of the metadata.
    pub(super) fn hash(&self) -> String {
        self.metadata.hash()
    }

    /// How many calls of an analysis have a row, left out or not.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Table`] when its frames lack a column.
    pub fn matched(&self, analysis: &Analysis) -> Result<u64> {
        let rows = self.rows_of(&analysis.calls).map_err(|error| Error::table("cannot read calls", error))?;
        Ok(rows.iter().flatten().count() as u64 + analysis.left_out.rows.len() as u64)
    }

    /// The column that names the calls.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.keys.column
    }

    /// The first key, as written.
    #[must_use]
    pub fn first_key(&self) -> Option<String> {
        let cells = self.metadata.text(&self.keys.column).ok()?;
        cells.iter().flatten().find(|cell| !cell.trim().is_empty()).map(str::to_owned)
    }

    /// Rows that were skipped: those without a key, and those with the key of an earlier row.
    #[must_use]
    pub fn skipped_rows(&self) -> (usize, usize) {
        self.keys.skipped_rows
    }

    /// Columns of roles that give a role to no participant of these calls.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Table`] when its frames lack a column.
    pub fn unused_role_columns(&self, analysis: &Analysis) -> Result<Vec<String>> {
        let unused = || {
            let calls = &analysis.calls;
            let names = calls.texts("file")?;
            let rows = names.iter().zip(self.rows_of(calls)?);
            let row_of: HashMap<&str, usize> = rows.filter_map(|(file, row)| Some((file?, row?))).collect();
            let (files, participants) =
                (analysis.participants.texts("file")?, analysis.participants.texts("participant")?);
            let is_used = |label: &Option<String>, cells: &StringChunked| {
                files.iter().zip(participants.iter()).any(|(file, participant)| {
                    let cell = file.and_then(|file| cells.get(*row_of.get(file)?)).map_or("", str::trim);
                    let wanted = label.as_deref().map_or_else(|| channel_label(cell), Cow::Borrowed);
                    // Participants of one role are one: `spk0+spk3`.
                    !cell.is_empty() && participant.is_some_and(|labels| labels.split('+').any(|label| label == wanted))
                })
            };
            let has_cells = |cells: &StringChunked| cells.iter().flatten().any(|cell| !cell.trim().is_empty());
            let unused = self.roles.iter().filter(|(label, cells)| has_cells(cells) && !is_used(label, cells));
            Ok(unused.map(|(_, cells)| cells.name().to_string()).collect())
        };
        unused().map_err(|error: PolarsError| Error::table("cannot read roles", error))
    }

    /// A key of the metadata as written, and what it would have to be for the first of these calls.
    #[must_use]
    pub fn examples(&self, calls: &Figures) -> (Option<String>, Option<String>) {
        let first = |column: &str| calls.texts(column).ok()?.iter().flatten().next().map(str::to_owned);
        let call = match self.keys.kind {
            KeyKind::Id => {
                let id = |file: &str| self.recordings.get(file)?.id.clone();
                let ids = calls.texts("file").map(|files| files.iter().flatten().find_map(id));
                ids.ok().flatten().or_else(|| first("file"))
            }
            KeyKind::Name => first("file"),
            KeyKind::Address => first("file_url").or_else(|| first("file")),
        };
        (self.first_key(), call)
    }
}

/// The label of a channel, which may be given by its number.
fn channel_label(channel: &str) -> Cow<'_, str> {
    if channel.bytes().all(|byte| byte.is_ascii_digit()) { format!("ch{channel}").into() } else { channel.into() }
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
