//! Scalars as received, and the rules by which they become numbers, texts and ids (definitions: fields, identifiers).

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::transcript::{Code, Notices, Place, Speaker};

/// Numbers above this (30 years in ms) cannot be times of a recording and are read as missing (definitions: fields).
const LARGEST: f64 = 1e12;

/// Longer names are ignored: every row of a speaker repeats the name.
const LONGEST_NAME: usize = 256;

/// State shared by all visitors of one file.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) notices: RefCell<Notices>,
    pub(super) place: Cell<Place>,
}

impl Reader {
    pub(super) fn note(&self, code: Code, what: &'static str) {
        self.notices.borrow_mut().add(code, self.place.get(), what);
    }

    pub(super) fn mark(&self) -> usize {
        self.notices.borrow_mut().mark()
    }

    pub(super) fn set_place(&self, set: impl FnOnce(&mut Place)) {
        let mut place = self.place.get();
        set(&mut place);
        self.place.set(place);
    }

    /// A number (definitions: fields): an integer, a fraction rounded half to even, or a string that spells one
    /// (counted).
    pub(super) fn number(&self, raw: &Raw<'_>, field: &'static str) -> Option<i64> {
        self.number_with_fraction(raw, field).map(|(number, _)| number)
    }

    /// A time in ms, as [`Reader::number`]; fractions are counted.
    pub(super) fn time(&self, raw: &Raw<'_>, field: &'static str) -> Option<i64> {
        let (time, fraction) = self.number_with_fraction(raw, field)?;
        if fraction {
            self.note(Code::FractionalTime, field);
        }
        Some(time)
    }

    fn number_with_fraction(&self, raw: &Raw<'_>, field: &'static str) -> Option<(i64, bool)> {
        let number = match raw {
            Raw::Missing => return None,
            Raw::Integer(integer) if integer.unsigned_abs() <= LARGEST as u64 => return Some((*integer, false)),
            Raw::Float(float) => rounded(*float),
            Raw::Text(text) => {
                self.note(Code::InvalidValue, field);
                return spelt_number(text).and_then(rounded);
            }
            Raw::Integer(_) | Raw::Other => None,
        };
        if number.is_none() {
            self.note(Code::InvalidValue, field);
        }
        number
    }

    pub(super) fn text<'de>(&self, raw: Raw<'de>, field: &'static str) -> Option<Cow<'de, str>> {
        match raw {
            Raw::Text(text) => Some(text),
            Raw::Missing => None,
            Raw::Integer(_) | Raw::Float(_) | Raw::Other => {
                self.note(Code::InvalidValue, field);
                None
            }
        }
    }

    /// A speaker (definitions: identifiers): an integer from 0, or a string other than a number.
    pub(super) fn speaker<'de>(&self, raw: Raw<'de>) -> Option<Speaker<'de>> {
        const FIELD: &str = "speaker_id";
        if let Raw::Text(name) = &raw
            && spelt_number(name).is_none()
        {
            let name = trimmed(name);
            if name.is_empty() || name.len() > LONGEST_NAME {
                self.note(Code::InvalidValue, FIELD);
                return None;
            }
            return Some(Speaker::Name(name));
        }
        self.id(&raw, FIELD, i64::MAX).map(Speaker::Number)
    }

    /// A channel id (definitions: identifiers): an integer from 0 to 255.
    pub(super) fn channel_id(&self, raw: &Raw<'_>, field: &'static str) -> Option<u32> {
        self.id(raw, field, 255).and_then(|id| u32::try_from(id).ok())
    }

    /// An integer from 0 to `largest`, without a fraction.
    fn id(&self, raw: &Raw<'_>, field: &'static str, largest: i64) -> Option<i64> {
        let (number, fraction) = self.number_with_fraction(raw, field)?;
        let id = Some(number).filter(|number| !fraction && (0..=largest).contains(number));
        // Strings that spell a number are counted already.
        if id.is_none() && !matches!(raw, Raw::Text(_)) {
            self.note(Code::InvalidValue, field);
        }
        id
    }
}

/// Rounds half to even, and returns whether there was a fraction; `None` if out of range.
fn rounded(float: f64) -> Option<(i64, bool)> {
    let whole = float.round_ties_even();
    // In range, so the cast is exact.
    (whole.abs() <= LARGEST).then_some((whole as i64, whole != float))
}

/// A string that spells a number: `-?[0-9]+(\.[0-9]+)?`, trimmed (definitions: fields).
fn spelt_number(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let spelt = match unsigned.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(unsigned),
    };
    if spelt { text.parse().ok() } else { None }
}

fn trimmed<'de>(text: &Cow<'de, str>) -> Cow<'de, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// A scalar as received.
#[derive(Default)]
pub(super) enum Raw<'de> {
    /// Absent or null.
    #[default]
    Missing,
    Integer(i64),
    Float(f64),
    Text(Cow<'de, str>),
    /// A boolean, an object or an array: skipped.
    Other,
}

impl<'de> Deserialize<'de> for Raw<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

pub(super) struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Raw<'de>, E> {
        Ok(Raw::Missing)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Raw<'de>, E> {
        Ok(Raw::Other)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw<'de>, E> {
        Ok(Raw::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw<'de>, E> {
        Ok(i64::try_from(value).map_or(Raw::Float(value as f64), Raw::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw<'de>, E> {
        Ok(Raw::Float(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Raw<'de>, E> {
        Ok(Raw::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw<'de>, E> {
        Ok(Raw::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Raw::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Raw::Other)
    }
}
/// `properties.channels`.
#[derive(Default)]
pub(super) enum Raws<'de> {
    #[default]
    Missing,
    Other,
    List(Vec<Raw<'de>>),
}

impl<'de> Deserialize<'de> for Raws<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Like [`RawVisitor`], but expects an array.
        struct RawsVisitor;
        macro_rules! other {
            ($($method:ident: $type:ty),+) => {
                $(fn $method<E>(self, _: $type) -> Result<Raws<'de>, E> { Ok(Raws::Other) })+
            };
        }
        impl<'de> Visitor<'de> for RawsVisitor {
            type Value = Raws<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            other!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

            fn visit_unit<E>(self) -> Result<Raws<'de>, E> {
                Ok(Raws::Missing)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raws<'de>, A::Error> {
                let mut list = Vec::new();
                while let Some(raw) = seq.next_element()? {
                    list.push(raw);
                }
                Ok(Raws::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Raws<'de>, A::Error> {
                RawVisitor.visit_map(map).map(|_| Raws::Other)
            }
        }
        deserializer.deserialize_any(RawsVisitor)
    }
}
