//! Objects and arrays. Values of other types are skipped; repeated keys are counted, and the last value wins (definitions:
//! result file).

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::scalar::{Raw, RawVisitor, Reader};
use crate::transcript::{Code, Place};

/// A container as received.
pub(super) enum Shape<T> {
    /// Absent or null.
    Missing,
    /// Of another type: skipped.
    Other,
    Is(T),
}

impl<T> Shape<T> {
    pub(super) fn into_value(self) -> Option<T> {
        if let Self::Is(value) = self { Some(value) } else { None }
    }
}

/// An object of the format, read from its keys.
pub(super) trait Object<'de>: Sized {
    /// Sets the level of [`Place`] for an entry of this type.
    fn enter(place: &mut Place, index: u32);

    fn read<A: MapAccess<'de>>(map: A, reader: &Reader, index: u32) -> Result<Self, A::Error>;
}

pub(super) struct ObjectSeed<'r, T> {
    reader: &'r Reader,
    index: u32,
    object: PhantomData<T>,
}

impl<'r, T> ObjectSeed<'r, T> {
    pub(super) fn new(reader: &'r Reader, index: u32) -> Self {
        Self { reader, index, object: PhantomData }
    }
}

/// Expects a container, skips everything else. `$method` reads the container.
macro_rules! container_visitor {
    ($seed:ident, $value:ty, $($method:tt)+) => {
        impl<'de, T: Object<'de>> DeserializeSeed<'de> for $seed<'_, T> {
            type Value = Shape<$value>;

            fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
                deserializer.deserialize_any(self)
            }
        }

        impl<'de, T: Object<'de>> Visitor<'de> for $seed<'_, T> {
            type Value = Shape<$value>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Shape::Missing)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Shape::Other)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Shape::Other)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
                Ok(Shape::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Shape::Other)
            }

            fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
                Ok(Shape::Other)
            }

            $($method)+
        }
    };
}

container_visitor! { ObjectSeed, T,
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::read(map, self.reader, self.index).map(Shape::Is)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        RawVisitor.visit_seq(seq).map(|_| Shape::Other)
    }
}

/// An array of objects; other entries are skipped and counted.
pub(super) struct ListSeed<'r, T> {
    reader: &'r Reader,
    field: &'static str,
    object: PhantomData<T>,
}

impl<'r, T> ListSeed<'r, T> {
    pub(super) fn new(reader: &'r Reader, field: &'static str) -> Self {
        Self { reader, field, object: PhantomData }
    }
}

container_visitor! { ListSeed, Vec<T>,
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let before = self.reader.place.get();
        let mut list = Vec::new();
        for index in 0.. {
            self.reader.set_place(|place| T::enter(place, index));
            match seq.next_element_seed(ObjectSeed::<T>::new(self.reader, index))? {
                Some(Shape::Is(object)) => {
                    if list.is_empty() {
                        // Most lists have a dozen entries; growing from 4 would copy each of them twice.
                        list.reserve(16);
                    }
                    list.push(object);
                }
                Some(Shape::Missing | Shape::Other) => self.reader.note(Code::InvalidValue, self.field),
                None => break,
            }
        }
        self.reader.place.set(before);
        Ok(Shape::Is(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        RawVisitor.visit_map(map).map(|_| Shape::Other)
    }
}

/// The keys of one object so far, to detect repeated ones.
pub(super) struct Keys<'r> {
    pub(super) reader: &'r Reader,
    met: u16,
}

impl<'r> Keys<'r> {
    pub(super) fn new(reader: &'r Reader) -> Self {
        Self { reader, met: 0 }
    }

    pub(super) fn meet(&mut self, key: u16, name: &'static str) {
        if self.met & (1 << key) != 0 {
            self.reader.note(Code::DuplicateKey, name);
        }
        self.met |= 1 << key;
    }

    /// Reads a scalar; a repeated key replaces it.
    pub(super) fn scalar<'de, A: MapAccess<'de>>(
        &mut self,
        (key, name): (u16, &'static str),
        slot: &mut Raw<'de>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        self.meet(key, name);
        *slot = map.next_value()?;
        Ok(())
    }
}

/// A container field: its value, and the range of its notices.
pub(super) struct Slot<T> {
    pub(super) value: Shape<T>,
    notices: std::ops::Range<usize>,
}

impl<T> Slot<T> {
    pub(super) fn empty() -> Self {
        Self { value: Shape::Missing, notices: 0..0 }
    }

    pub(super) fn fill<'de, A: MapAccess<'de>, S: DeserializeSeed<'de, Value = Shape<T>>>(
        &mut self,
        (key, name): (u16, &'static str),
        keys: &mut Keys<'_>,
        map: &mut A,
        seed: S,
    ) -> Result<(), A::Error> {
        keys.meet(key, name);
        keys.reader.notices.borrow_mut().forget(self.notices.clone());
        let begin = keys.reader.mark();
        self.value = map.next_value_seed(seed)?;
        if matches!(self.value, Shape::Other) {
            keys.reader.note(Code::InvalidValue, name);
        }
        self.notices = begin..keys.reader.mark();
        Ok(())
    }
}

/// The known keys of an object; others are `Unknown` and skipped.
macro_rules! keys {
    ($name:ident { $($variant:ident = $number:literal $key:literal,)+ }) => {
        #[derive(Clone, Copy)]
        enum $name { $($variant,)+ Unknown }

        impl $name {
            fn describe(self) -> (u16, &'static str) {
                match self { $(Self::$variant => ($number, $key),)+ Self::Unknown => (15, "") }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct KeyVisitor;
                impl Visitor<'_> for KeyVisitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a key")
                    }

                    fn visit_str<E>(self, key: &str) -> Result<$name, E> {
                        Ok(match key { $($key => $name::$variant,)+ _ => $name::Unknown })
                    }
                }
                deserializer.deserialize_identifier(KeyVisitor)
            }
        }
    };
}
pub(super) use keys;
