//! The values of one column over many calls.

use std::borrow::Cow;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::Kind;

/// The cells of one column, one after the other.
#[derive(Debug, Clone)]
pub(crate) enum Cells {
    /// Of [`Kind::Integer`].
    Integer(Vec<Option<i64>>),
    /// Of [`Kind::Number`].
    Number(Vec<Option<f64>>),
    /// Of [`Kind::Text`].
    Text(TextCells),
    /// Of [`Kind::Boolean`].
    Boolean(Vec<Option<bool>>),
    /// Of [`Kind::Decimal`].
    Decimal(Vec<Option<Decimal>>),
    /// Of [`Kind::Date`].
    Date(Vec<Option<Date>>),
}

impl Cells {
    /// No cell yet.
    pub(crate) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Integer => Self::Integer(Vec::new()),
            Kind::Number => Self::Number(Vec::new()),
            Kind::Text => Self::Text(TextCells::default()),
            Kind::Boolean => Self::Boolean(Vec::new()),
            Kind::Decimal => Self::Decimal(Vec::new()),
            Kind::Date => Self::Date(Vec::new()),
        }
    }

    pub(crate) fn push(&mut self, cell: impl Cell) {
        cell.push_to(self);
    }

    /// Bytes of memory they take.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Integer(cells) => size_of_val(&**cells),
            Self::Number(cells) => size_of_val(&**cells),
            Self::Text(cells) => cells.buffer.len() + size_of_val(&*cells.cells),
            Self::Boolean(cells) => size_of_val(&**cells),
            Self::Decimal(cells) => size_of_val(&**cells),
            Self::Date(cells) => size_of_val(&**cells),
        }
    }

    /// Appends the cells of `other`, which has the same kind.
    pub(crate) fn append(&mut self, other: Self) {
        match (self, other) {
            (Self::Integer(cells), Self::Integer(other)) => cells.extend(other),
            (Self::Number(cells), Self::Number(other)) => cells.extend(other),
            (Self::Text(cells), Self::Text(other)) => cells.append(&other),
            (Self::Boolean(cells), Self::Boolean(other)) => cells.extend(other),
            (Self::Decimal(cells), Self::Decimal(other)) => cells.extend(other),
            (Self::Date(cells), Self::Date(other)) => cells.extend(other),
            _ => {}
        }
    }
}

/// Texts in one buffer. A text equal to the one before it is stored once.
#[derive(Debug, Clone, Default)]
pub(crate) struct TextCells {
    buffer: String,
    cells: Vec<Place>,
    last: Place,
}

/// Where a text lies in the buffer.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    start: usize,
    /// [`NULL`] for none.
    length: u32,
}

const NULL: u32 = u32::MAX;

impl<'t> FromIterator<Option<&'t str>> for TextCells {
    fn from_iter<I: IntoIterator<Item = Option<&'t str>>>(texts: I) -> Self {
        let mut cells = Self::default();
        texts.into_iter().for_each(|text| cells.push(text));
        cells
    }
}

impl TextCells {
    fn push(&mut self, text: Option<&str>) {
        let Some(text) = text else { return self.cells.push(Place { start: 0, length: NULL }) };
        if self.get(self.last) != Some(text) {
            // Lengths are 32 bits: a cell holds less than 4 GiB.
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
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = Option<&str>> {
        self.cells.iter().map(|&place| self.get(place))
    }

    /// The stored texts, and for each cell the index of its text. A text that recurs later is stored again.
    pub(crate) fn runs(&self) -> (Vec<&str>, Vec<Option<u32>>) {
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
pub(crate) trait Cell {
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
    Option<bool> => Boolean value value;
    Option<Decimal> => Decimal value value;
    Option<Date> => Date value value;
    &str => Text value Some(value);
    Cow<'_, str> => Text value Some(&value);
    Option<&str> => Text value value;
    Option<String> => Text value value.as_deref();
}
