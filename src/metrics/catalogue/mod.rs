//! Every table and every column, declared once: name, type, unit, null rule, meaning, source, and where its value is.
//!
//! Tables on disk, `talkmeter metrics`, the schema test and the documentation are all made from these rows. To add a
//! figure: measure it, add its row here.

mod call_rows;
mod detail_rows;
mod participant_rows;

pub use call_rows::{CALLS, COSTS, WARNINGS};
pub use detail_rows::{EVENTS, HITS, SENTENCES, TURNS, WINDOWS, WORDS};
pub use participant_rows::PARTICIPANTS;

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::Measured;

/// The tables in the order in which they are written and listed.
pub const TABLES: [&Table; 10] =
    [&CALLS, &PARTICIPANTS, &TURNS, &EVENTS, &HITS, &WINDOWS, &COSTS, &SENTENCES, &WORDS, &WARNINGS];

/// One table: `calls`, `turns`, …
#[derive(Debug)]
pub struct Table {
    /// Also the name of its files.
    pub name: &'static str,
    /// What one row stands for.
    pub grain: &'static str,
    /// In the order of the files.
    pub columns: &'static [Column],
    /// How many rows a call has.
    pub rows: fn(&Measured<'_>) -> usize,
}

impl Table {
    /// The table of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<&'static Self> {
        TABLES.into_iter().find(|table| table.name == name)
    }
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A whole number.
    Integer,
    /// A number with a fraction.
    Number,
    /// Text as received or a name of ours.
    Text,
    /// Money: a decimal, never binary.
    Decimal,
}

impl Kind {
    /// For people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Text => "text",
            Self::Decimal => "decimal",
        }
    }
}

/// One column of one table.
pub struct Column {
    /// As in the files.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// `ms`, `units/min`, `0–1`, …; empty for names and texts.
    pub unit: &'static str,
    /// When it is null; empty when it never is.
    pub null: &'static str,
    /// The formula in words.
    pub meaning: &'static str,
    /// The section of [definitions](crate::definitions) that defines it; empty for keys and labels.
    pub source: &'static str,
    /// Appends the column of one call.
    pub fill: fn(&Measured<'_>, &mut Cells),
}

impl std::fmt::Debug for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Column").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// The cells of one column of many calls, one after the other.
#[derive(Debug, Clone)]
pub enum Cells {
    /// Of [`Kind::Integer`].
    Integer(Vec<Option<i64>>),
    /// Of [`Kind::Number`].
    Number(Vec<Option<f64>>),
    /// Of [`Kind::Text`].
    Text(TextCells),
    /// Of [`Kind::Decimal`].
    Decimal(Vec<Option<Decimal>>),
}

impl Cells {
    /// No cell yet.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        match kind {
            Kind::Integer => Self::Integer(Vec::new()),
            Kind::Number => Self::Number(Vec::new()),
            Kind::Text => Self::Text(TextCells::default()),
            Kind::Decimal => Self::Decimal(Vec::new()),
        }
    }

    fn push(&mut self, cell: impl Cell) {
        cell.push_to(self);
    }

    /// Bytes of memory that they take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Integer(cells) => size_of_val(&**cells),
            Self::Number(cells) => size_of_val(&**cells),
            Self::Text(cells) => cells.buffer.len() + size_of_val(&*cells.cells),
            Self::Decimal(cells) => size_of_val(&**cells),
        }
    }

    /// Moves the cells of `other`, which is of the same kind, behind these.
    pub fn append(&mut self, other: Self) {
        match (self, other) {
            (Self::Integer(cells), Self::Integer(other)) => cells.extend(other),
            (Self::Number(cells), Self::Number(other)) => cells.extend(other),
            (Self::Text(cells), Self::Text(other)) => cells.append(&other),
            (Self::Decimal(cells), Self::Decimal(other)) => cells.extend(other),
            _ => {}
        }
    }
}

/// Texts in one buffer; a text that repeats the one before it is stored once.
#[derive(Debug, Clone, Default)]
pub struct TextCells {
    buffer: String,
    cells: Vec<Place>,
    last: Place,
}

/// Where a text stands in the buffer.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    start: usize,
    /// [`NULL`] for none.
    length: u32,
}

const NULL: u32 = u32::MAX;

impl TextCells {
    fn push(&mut self, text: Option<&str>) {
        let Some(text) = text else { return self.cells.push(Place { start: 0, length: NULL }) };
        if self.get(self.last) != Some(text) {
            // No cell holds more than 4 GiB less a byte.
            let text = text.get(..text.floor_char_boundary(NULL as usize - 1)).unwrap_or(text);
            self.last = Place { start: self.buffer.len(), length: text.len() as u32 };
            self.buffer.push_str(text);
        }
        self.cells.push(self.last);
    }

    fn get(&self, place: Place) -> Option<&str> {
        if place.length == NULL { None } else { self.buffer.get(place.start..place.start + place.length as usize) }
    }

    /// The texts in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<&str>> {
        self.cells.iter().map(|&place| self.get(place))
    }

    /// Texts that are stored, and for each cell which of them it holds; one that comes again later is stored again.
    #[must_use]
    pub fn runs(&self) -> (Vec<&str>, Vec<Option<u32>>) {
        let mut texts = Vec::new();
        let mut last = None;
        let cells = self.cells.iter().map(|place| {
            let text = self.get(*place)?;
            if last != Some((place.start, place.length)) {
                texts.push(text);
                last = Some((place.start, place.length));
            }
            u32::try_from(texts.len() - 1).ok()
        });
        let cells = cells.collect();
        (texts, cells)
    }

    fn append(&mut self, other: &Self) {
        let shift = self.buffer.len();
        let moved = |place: &Place| Place { start: place.start + shift, ..*place };
        self.buffer.push_str(&other.buffer);
        self.cells.extend(other.cells.iter().map(moved));
        self.last = moved(&other.last);
    }
}

/// A value that a column can hold.
trait Cell {
    fn push_to(self, cells: &mut Cells);
}

macro_rules! cells {
    ($($type:ty => $variant:ident $value:ident $cell:expr;)+) => {
        $(impl Cell for $type {
            fn push_to(self, cells: &mut Cells) {
                let $value = self;
                if let Cells::$variant(cells) = cells {
                    cells.push($cell);
                }
            }
        })+
    };
}

cells! {
    i64 => Integer value Some(value);
    u32 => Integer value Some(i64::from(value));
    Option<i64> => Integer value value;
    Option<u32> => Integer value value.map(i64::from);
    Option<f64> => Number value value;
    Option<Decimal> => Decimal value value;
    &str => Text value Some(value);
    Cow<'_, str> => Text value Some(&value);
    Option<&str> => Text value value;
    Option<String> => Text value value.as_deref();
}

/// Declares a table: its rows of one call, and a line for each column,
/// `name Kind "unit" null "rule" "meaning" "source" => cell of the row`.
macro_rules! table {
    (
        $(#[$doc:meta])*
        $table:ident $name:literal $grain:literal, |$measured:ident, $row:ident| $rows:expr;
        $($column:ident $kind:ident $unit:literal null $null:literal $meaning:literal $source:literal => $cell:expr;)+
    ) => {
        $(#[$doc])*
        pub static $table: Table = Table {
            name: $name,
            grain: $grain,
            rows: |$measured| $rows.count(),
            columns: &[$(Column {
                name: stringify!($column),
                kind: Kind::$kind,
                unit: $unit,
                null: $null,
                meaning: $meaning,
                source: $source,
                fill: |$measured, cells| {
                    // Inner iteration: rows of words are nested, and a loop from outside would ask for each level anew.
                    $rows.for_each(|$row| {
                        // The key columns look at the call alone.
                        let _ = &$row;
                        cells.push($cell);
                    });
                },
            },)+],
        };
    };
}
use table;
