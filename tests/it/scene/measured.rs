//! One call measured in this process, by the library alone.

use talkmeter::metrics::catalogue::Table;
use talkmeter::metrics::{Settings, measure};
use talkmeter::tables::frame;
use talkmeter::transcript::read;

use super::call::Content;
use super::tables::{Row, only, row_where, rows_of_frame, warnings};

/// A result file and how it is measured; each question reads and measures it.
pub(crate) struct Measured {
    json: Vec<u8>,
    settings: Settings,
}

/// Measures a call with the default settings.
pub(crate) fn measured(call: impl Content) -> Measured {
    measured_with(call, |_| ())
}

/// Measures a call with other settings.
pub(crate) fn measured_with(call: impl Content, set: impl FnOnce(&mut Settings)) -> Measured {
    let mut settings = Settings::default();
    set(&mut settings);
    Measured { json: call.bytes(), settings }
}

impl Measured {
    /// All rows of a table.
    pub(crate) fn table(&self, name: &str) -> Vec<Row> {
        let transcript = read(&self.json).unwrap();
        let measured = measure("a.json", &transcript, &self.settings);
        let table = Table::from_name(name).unwrap_or_else(|| panic!("no table {name}"));
        rows_of_frame(frame(table, [&measured]).unwrap())
    }

    /// The one row of a table that has one.
    pub(crate) fn row(&self, table: &str) -> Row {
        only(table, self.table(table))
    }

    pub(crate) fn participant(&self, label: &str) -> Row {
        row_where(&self.table("participants"), "participant", label)
    }

    /// The codes of the table `warnings`, with their counts.
    pub(crate) fn warnings(&self) -> Vec<(String, i64)> {
        warnings(&self.table("warnings"))
    }
}
