//! The values of one column over many calls.

use std::borrow::Cow;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::Kind;

/// The cells of one column, one after the other.
#[derive(Debug, Clone)]
pub(crate) enum Cells {
    /// Of [`Kind::Integer`].
    Integer(ValueCells<i64>),
    /// Of [`Kind::Number`].
    Number(ValueCells<f64>),
    /// Of [`Kind::Text`].
    Text(TextCells),
    /// Of [`Kind::Boolean`].
    Boolean(ValueCells<bool>),
    /// Of [`Kind::Decimal`].
    Decimal(ValueCells<Decimal>),
    /// Of [`Kind::Date`].
    Date(ValueCells<Date>),
}

impl Cells {
    /// No cell yet.
    pub(crate) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Integer => Self::Integer(ValueCells::default()),
            Kind::Number => Self::Number(ValueCells::default()),
            Kind::Text => Self::Text(TextCells::default()),
            Kind::Boolean => Self::Boolean(ValueCells::default()),
            Kind::Decimal => Self::Decimal(ValueCells::default()),
            Kind::Date => Self::Date(ValueCells::default()),
        }
    }

    #[cfg(feature = "analytics")]
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Integer(_) => Kind::Integer,
            Self::Number(_) => Kind::Number,
            Self::Text(_) => Kind::Text,
            Self::Boolean(_) => Kind::Boolean,
            Self::Decimal(_) => Kind::Decimal,
            Self::Date(_) => Kind::Date,
        }
    }

    pub(crate) fn push(&mut self, cell: impl Cell) {
        cell.push_to(self);
    }

    /// Appends the last cell this many times more.
    pub(crate) fn repeat(&mut self, times: usize) {
        match self {
            Self::Integer(cells) => cells.repeat(times),
            Self::Number(cells) => cells.repeat(times),
            Self::Text(cells) => repeat(&mut cells.places, times),
            Self::Boolean(cells) => cells.repeat(times),
            Self::Decimal(cells) => cells.repeat(times),
            Self::Date(cells) => cells.repeat(times),
        }
    }

    /// Bytes of memory they take.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Integer(cells) => cells.bytes(),
            Self::Number(cells) => cells.bytes(),
            Self::Text(cells) => cells.buffer.len() + size_of_val(&*cells.ends) + size_of_val(&*cells.places),
            Self::Boolean(cells) => cells.bytes(),
            Self::Decimal(cells) => cells.bytes(),
            Self::Date(cells) => cells.bytes(),
        }
    }

    /// Makes room for this many times the cells there are, so that further calls move none (a sixth of the time to fill them).
    #[cfg(feature = "analytics")]
    pub(crate) fn reserve(&mut self, times: usize) {
        match self {
            Self::Integer(cells) => cells.reserve(times),
            Self::Number(cells) => cells.reserve(times),
            Self::Text(cells) => {
                cells.buffer.reserve(cells.buffer.len() * times);
                cells.ends.reserve(cells.ends.len() * times);
                cells.places.reserve(cells.places.len() * times);
            }
            Self::Boolean(cells) => cells.reserve(times),
            Self::Decimal(cells) => cells.reserve(times),
            Self::Date(cells) => cells.reserve(times),
        }
    }

    /// Gives back the room for further cells.
    #[cfg(feature = "analytics")]
    pub(crate) fn shrink(&mut self) {
        match self {
            Self::Integer(cells) => cells.shrink(),
            Self::Number(cells) => cells.shrink(),
            Self::Text(cells) => {
                cells.buffer.shrink_to_fit();
                cells.ends.shrink_to_fit();
                cells.places.shrink_to_fit();
            }
            Self::Boolean(cells) => cells.shrink(),
            Self::Decimal(cells) => cells.shrink(),
            Self::Date(cells) => cells.shrink(),
        }
    }

    /// Appends the cells of `others`, which have the same kind.
    pub(crate) fn append(&mut self, others: Vec<Self>) {
        macro_rules! append {
            ($($kind:ident)+) => {
                match self {
                    $(Self::$kind(cells) => {
                        let others = others.iter().filter_map(|other| match other {
                            Self::$kind(other) => Some(other),
                            _ => None,
                        });
                        cells.append(others);
                    })+
                }
            };
        }
        append!(Integer Number Text Boolean Decimal Date);
    }
}

/// Values that can be null, in less memory than a `Vec<Option<T>>`.
#[derive(Debug, Clone)]
pub(crate) struct ValueCells<T> {
    /// That of a null has no meaning.
    values: Vec<T>,
    /// Which are no nulls; empty if there are none.
    valid: Vec<bool>,
}

impl<T> Default for ValueCells<T> {
    fn default() -> Self {
        Self { values: Vec::new(), valid: Vec::new() }
    }
}

impl<T: Copy + Default> FromIterator<Option<T>> for ValueCells<T> {
    fn from_iter<I: IntoIterator<Item = Option<T>>>(values: I) -> Self {
        let mut cells = Self::default();
        values.into_iter().for_each(|value| cells.push(value));
        cells
    }
}

impl<T: Copy + Default> ValueCells<T> {
    fn push(&mut self, value: Option<T>) {
        if value.is_none() && self.valid.is_empty() {
            self.valid = vec![true; self.values.len()];
        }
        if value.is_none() || !self.valid.is_empty() {
            self.valid.push(value.is_some());
        }
        self.values.push(value.unwrap_or_default());
    }

    fn repeat(&mut self, times: usize) {
        repeat(&mut self.values, times);
        repeat(&mut self.valid, times);
    }

    /// The values in order; `None` for null.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Option<T>> {
        // Missing bits are valid.
        let valid = self.valid.iter().copied().chain(std::iter::repeat(true));
        self.values.iter().zip(valid).map(|(value, valid)| valid.then_some(*value))
    }

    /// The values, and which are no nulls: nothing if there are none.
    #[cfg(feature = "analytics")]
    pub(crate) fn into_parts(self) -> (Vec<T>, Vec<bool>) {
        (self.values, self.valid)
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.values) + self.valid.len()
    }

    #[cfg(feature = "analytics")]
    fn reserve(&mut self, times: usize) {
        self.values.reserve(self.values.len() * times);
        self.valid.reserve(self.valid.len() * times);
    }

    #[cfg(feature = "analytics")]
    fn shrink(&mut self) {
        self.values.shrink_to_fit();
        self.valid.shrink_to_fit();
    }

    fn append<'c>(&mut self, others: impl Iterator<Item = &'c Self> + Clone)
    where
        T: 'c,
    {
        self.values.reserve(others.clone().map(|other| other.values.len()).sum());
        for other in others {
            if !self.valid.is_empty() || !other.valid.is_empty() {
                self.valid.resize(self.values.len(), true);
                self.valid.extend(&other.valid);
            }
            self.values.extend(&other.values);
            if !self.valid.is_empty() {
                self.valid.resize(self.values.len(), true);
            }
        }
    }
}

/// Appends the last of a list this many times more; nothing to an empty one.
fn repeat<T: Copy>(list: &mut Vec<T>, times: usize) {
    if let Some(last) = list.last().copied() {
        list.resize(list.len() + times, last);
    }
}

/// Texts in one buffer. A text equal to the one before it is stored once.
#[derive(Debug, Clone, Default)]
pub(crate) struct TextCells {
    buffer: String,
    /// Where each stored text ends in the buffer.
    ends: Vec<usize>,
    /// The stored text of each cell; [`NULL`] for none.
    places: Vec<u32>,
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
        let Some(text) = text else { return self.places.push(NULL) };
        let last = match *self.ends {
            [.., start, _] => self.buffer.as_bytes().get(start..),
            [_] => Some(self.buffer.as_bytes()),
            [] => None,
        };
        if last != Some(text.as_bytes()) {
            self.buffer.push_str(text);
            self.ends.push(self.buffer.len());
        }
        self.places.push(u32::try_from(self.ends.len() - 1).unwrap_or(NULL));
    }

    /// A stored text.
    fn text(&self, place: usize) -> Option<&str> {
        let start = place.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.buffer.get(start..*self.ends.get(place)?)
    }

    /// The texts in order.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = Option<&str>> {
        self.places.iter().map(|&place| if place == NULL { None } else { self.text(place as usize) })
    }

    /// The stored texts in order. A text that recurs later is stored again.
    #[cfg(feature = "analytics")]
    pub(crate) fn stored(&self) -> impl ExactSizeIterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let text = self.buffer.get(start..end).unwrap_or_default();
            start = end;
            text
        })
    }

    /// For each cell the number of its stored text.
    #[cfg(feature = "analytics")]
    pub(crate) fn places(&self) -> impl ExactSizeIterator<Item = Option<u32>> {
        self.places.iter().map(|&place| (place != NULL).then_some(place))
    }

    fn append<'c>(&mut self, others: impl Iterator<Item = &'c Self> + Clone) {
        let sum = |length: fn(&Self) -> usize| others.clone().map(length).sum();
        self.buffer.reserve(sum(|other| other.buffer.len()));
        self.ends.reserve(sum(|other| other.ends.len()));
        self.places.reserve(sum(|other| other.places.len()));
        for other in others {
            let (bytes, texts) = (self.buffer.len(), u32::try_from(self.ends.len()).unwrap_or(NULL));
            self.buffer.push_str(&other.buffer);
            self.ends.extend(other.ends.iter().map(|end| end + bytes));
            // A null stays one.
            self.places.extend(other.places.iter().map(|place| place.saturating_add(texts)));
        }
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

#[cfg(all(test, feature = "analytics"))]
mod tests {
    use super::*;

    #[test]
    fn appended_values_keep_their_nulls() {
        let lists: [&[Option<i64>]; 6] =
            [&[], &[Some(1), Some(2)], &[None, Some(3)], &[], &[Some(4)], &[None, None, Some(5)]];
        for first in 0..lists.len() {
            // Each list in front once: what is appended to may be empty, or have no null yet.
            let lists: Vec<_> = lists.iter().cycle().skip(first).take(lists.len()).collect();
            let cells = |list: &&&[Option<i64>]| Cells::Integer(list.iter().copied().collect());
            let (mut whole, rest) = (cells(&lists[0]), lists[1..].iter().map(cells).collect());
            whole.reserve(3);
            whole.append(rest);
            let Cells::Integer(whole) = whole else { panic!("of one kind") };
            assert_eq!(
                whole.iter().collect::<Vec<_>>(),
                lists.into_iter().copied().flatten().copied().collect::<Vec<_>>()
            );
            let (values, valid) = whole.into_parts();
            assert_eq!((values.len(), valid.len()), (8, 8));
        }
    }

    #[test]
    fn a_text_that_recurs_at_once_is_stored_once() {
        let texts = [Some("a"), Some("a"), None, Some("a"), Some(""), Some(""), Some("bc")];
        let mut whole = Cells::new(Kind::Text);
        whole.append(vec![
            Cells::Text(texts.into_iter().collect()),
            Cells::Text([None, Some("bc")].into_iter().collect()),
        ]);
        whole.push("bc");
        let Cells::Text(whole) = whole else { panic!("of one kind") };
        assert_eq!(whole.iter().collect::<Vec<_>>(), [&texts[..], &[None, Some("bc"), Some("bc")]].concat());
        assert_eq!(whole.stored().collect::<Vec<_>>(), ["a", "", "bc", "bc"]);
        let places = [Some(0), Some(0), None, Some(0), Some(1), Some(1), Some(2), None, Some(3), Some(3)];
        assert_eq!(whole.places().collect::<Vec<_>>(), places);
    }
}
