//! Columns by name.

use std::sync::Arc;

/// A column, by the names that it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column(&'static [&'static str]);

impl Column {
    /// The first name is the one that is documented.
    pub(crate) const fn new(names: &'static [&'static str]) -> Self {
        Self(names)
    }

    /// The documented name.
    pub(crate) fn name(&self) -> &'static str {
        self.0.first().copied().unwrap_or_default()
    }
}

/// The address or path of a recording.
pub(crate) const RECORDING: Column = Column::new(&["url", "file_url", "file"]);

/// Identifies a recording whatever its address.
pub(crate) const ID: Column = Column::new(&["id"]);

/// The length of a recording, and the unit of a bare number in ms.
pub(super) const LENGTHS: [(Column, i64); 4] = [
    (Column::new(&["duration_ms"]), 1),
    (Column::new(&["duration_seconds"]), 1000),
    (Column::new(&["duration_s"]), 1000),
    (Column::new(&["duration"]), 1000),
];

/// The names of a header, as written, without blanks around them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    names: Arc<[String]>,
    folded: Arc<[String]>,
}

impl Names {
    pub(crate) fn new(names: Vec<String>) -> Self {
        let names: Vec<String> = names.iter().map(|name| name.trim().to_owned()).collect();
        Self { folded: names.iter().map(|name| folded(name)).collect(), names: names.into() }
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Where a column is: by the first of its names that is there.
    pub(crate) fn position(&self, column: &Column) -> Option<usize> {
        column.0.iter().find_map(|name| {
            let name = folded(name);
            self.folded.iter().position(|folded| *folded == name)
        })
    }

    /// How often the name is there by which a column is found.
    pub(crate) fn count(&self, column: &Column) -> usize {
        let name = self.position(column).and_then(|at| self.folded.get(at));
        name.map_or(0, |name| self.folded.iter().filter(|folded| *folded == name).count())
    }

    /// The name of a column as written.
    pub(crate) fn name(&self, column: &Column) -> Option<&str> {
        self.names.get(self.position(column)?).map(String::as_str)
    }

    /// That none of these columns is there: which there are, and which names would do.
    pub(crate) fn missing(&self, columns: &[Column]) -> String {
        if self.names.is_empty() {
            return "there are no rows".to_owned();
        }
        let quoted = |name: &str| format!("`{}`", name.chars().take(40).collect::<String>());
        let wanted: Vec<String> = columns.iter().flat_map(|column| column.0).map(|name| quoted(name)).collect();
        let (first, others) = wanted.split_first().map_or(("", &[][..]), |(first, others)| (&**first, others));
        let others = if others.is_empty() { String::new() } else { format!(" (or {})", others.join(", ")) };
        let mut there: Vec<String> = self.names.iter().take(12).map(|name| quoted(name)).collect();
        if self.names.len() > there.len() {
            there.push("…".to_owned());
        }
        format!("no column {first}{others}; the header has {}", there.join(", "))
    }
}

/// The name of a column without case, blanks, `_` and `-`.
pub(crate) fn folded(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
}
