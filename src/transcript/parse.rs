//! Bytes → [`Transcript`], in one pass and without a tree in between.
//!
//! The visitors are written by hand because serde's derive refuses a repeated key, where the rule here is that the
//! last value wins and is counted (F7). Every scalar is kept as it came ([`Raw`]) until its object ends, so that a
//! replaced value leaves no trace; what a replaced container had to say is taken back from the notices.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Channel, Code, Notices, Place, Refused, Sentence, Speaker, Transcript, Word};

/// Numbers beyond this are no times of a recording (30 years in ms) and are read as missing (F9).
const LARGEST: f64 = 1e12;

/// Reads one result file (F7–F10). A byte order mark is skipped.
///
/// # Errors
/// [`Refused`] when the bytes are no UTF-8, no JSON (NaN and Infinity included), more than one JSON value, or no
/// object with an array `transcripts`. Everything else is read, and counted in [`Transcript::notices`] where odd.
pub fn read(bytes: &[u8]) -> Result<Transcript<'_>, Refused> {
    let unmarked = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    // Checked once over the whole file: the parser then takes every string as it stands.
    let json = std::str::from_utf8(unmarked).map_err(|error| Refused::not_utf8(unmarked, error))?;
    let reader = Reader::default();
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let root = ObjectSeed::<Root<'_>>::new(&reader, 0)
        .deserialize(&mut deserializer)
        .and_then(|root| deserializer.end().map(|()| root))
        .map_err(|error| Refused::not_json(json, &error))?;
    let Shape::Is(root) = root else { return Err(Refused::no_result(json)) };
    let Shape::Is(entries) = root.transcripts else { return Err(Refused::no_result(json)) };
    Ok(root.transcript.with(entries, reader.notices.into_inner()))
}

/// What all visitors of one file share.
#[derive(Default)]
struct Reader {
    notices: RefCell<Notices>,
    place: Cell<Place>,
}

impl Reader {
    fn note(&self, code: Code, what: &'static str) {
        self.notices.borrow_mut().add(code, self.place.get(), what);
    }

    fn mark(&self) -> usize {
        self.notices.borrow().mark()
    }

    fn set_place(&self, set: impl FnOnce(&mut Place)) {
        let mut place = self.place.get();
        set(&mut place);
        self.place.set(place);
    }

    /// A number by F9: an integer, a fraction rounded half to even, or a string that spells one (counted).
    fn number(&self, raw: &Raw<'_>, field: &'static str) -> Option<i64> {
        self.number_with_fraction(raw, field).map(|(number, _)| number)
    }

    /// A time in ms: as [`Reader::number`], and a fraction is counted.
    fn time(&self, raw: &Raw<'_>, field: &'static str) -> Option<i64> {
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

    fn text<'de>(&self, raw: Raw<'de>, field: &'static str) -> Option<Cow<'de, str>> {
        match raw {
            Raw::Text(text) => Some(text),
            Raw::Missing => None,
            Raw::Integer(_) | Raw::Float(_) | Raw::Other => {
                self.note(Code::InvalidValue, field);
                None
            }
        }
    }

    /// F10: an integer from 0, or a string that spells no number.
    fn speaker<'de>(&self, raw: Raw<'de>) -> Option<Speaker<'de>> {
        const FIELD: &str = "speaker_id";
        if let Raw::Text(name) = &raw
            && spelt_number(name).is_none()
        {
            let name = trimmed(name);
            if name.is_empty() {
                self.note(Code::InvalidValue, FIELD);
                return None;
            }
            return Some(Speaker::Name(name));
        }
        self.id(&raw, FIELD, i64::MAX).map(Speaker::Number)
    }

    /// F10: an integer 0–255.
    fn channel_id(&self, raw: &Raw<'_>, field: &'static str) -> Option<u32> {
        self.id(raw, field, 255).and_then(|id| u32::try_from(id).ok())
    }

    /// An integer from 0 to `largest`; a fraction is no id.
    fn id(&self, raw: &Raw<'_>, field: &'static str, largest: i64) -> Option<i64> {
        let (number, fraction) = self.number_with_fraction(raw, field)?;
        let id = Some(number).filter(|number| !fraction && (0..=largest).contains(number));
        // A string that spells a number has been counted.
        if id.is_none() && !matches!(raw, Raw::Text(_)) {
            self.note(Code::InvalidValue, field);
        }
        id
    }
}

/// Half to even, and whether there was a fraction; `None` out of range.
fn rounded(float: f64) -> Option<(i64, bool)> {
    let whole = float.round_ties_even();
    // In range by the first condition, so that nothing is lost.
    (whole.abs() <= LARGEST).then_some((whole as i64, whole != float))
}

/// A string that spells a number: `-?[0-9]+(\.[0-9]+)?`, trimmed (F9).
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

/// A scalar as it came.
#[derive(Default)]
enum Raw<'de> {
    /// Absent or null.
    #[default]
    Missing,
    Integer(i64),
    Float(f64),
    Text(Cow<'de, str>),
    /// A boolean, an object, an array: read past.
    Other,
}

impl<'de> Deserialize<'de> for Raw<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

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

/// A container as it came.
enum Shape<T> {
    /// Absent or null.
    Missing,
    /// Not of the type expected: read past.
    Other,
    Is(T),
}

/// An object of the format, read from its keys.
trait Object<'de>: Sized {
    /// Says which level of [`Place`] an entry of this type stands at.
    fn enter(place: &mut Place, index: u32);

    fn read<A: MapAccess<'de>>(map: A, reader: &Reader, index: u32) -> Result<Self, A::Error>;
}

struct ObjectSeed<'r, T> {
    reader: &'r Reader,
    index: u32,
    object: PhantomData<T>,
}

impl<'r, T> ObjectSeed<'r, T> {
    fn new(reader: &'r Reader, index: u32) -> Self {
        Self { reader, index, object: PhantomData }
    }
}

/// Expects a container, reads past everything else. `$method` reads the container itself.
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

/// An array of objects; entries that are none are left out and counted.
struct ListSeed<'r, T> {
    reader: &'r Reader,
    field: &'static str,
    object: PhantomData<T>,
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
                        // Most lists hold a dozen entries: growing from 4 would move each of them twice.
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

/// The keys of one object that were met, so that a second one is noticed.
struct Keys<'r> {
    reader: &'r Reader,
    met: u16,
}

impl<'r> Keys<'r> {
    fn new(reader: &'r Reader) -> Self {
        Self { reader, met: 0 }
    }

    fn meet(&mut self, key: u16, name: &'static str) {
        if self.met & (1 << key) != 0 {
            self.reader.note(Code::DuplicateKey, name);
        }
        self.met |= 1 << key;
    }

    /// Reads a scalar; a repeated key replaces it.
    fn scalar<'de, A: MapAccess<'de>>(
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

/// A container field: its value, and where in the notices its own stand.
struct Slot<T> {
    value: Shape<T>,
    notices: std::ops::Range<usize>,
}

impl<T> Slot<T> {
    fn empty() -> Self {
        Self { value: Shape::Missing, notices: 0..0 }
    }

    fn fill<'de, A: MapAccess<'de>, S: DeserializeSeed<'de, Value = Shape<T>>>(
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

/// The known keys of an object; anything else is `Unknown` and read past.
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

keys!(WordKey { Begin = 0 "begin_time", End = 1 "end_time", Text = 2 "text", Punctuation = 3 "punctuation", });

impl<'de> Object<'de> for Word<'de> {
    fn enter(place: &mut Place, index: u32) {
        place.word = Some(index);
    }

    fn read<A: MapAccess<'de>>(mut map: A, reader: &Reader, index: u32) -> Result<Self, A::Error> {
        let mut keys = Keys::new(reader);
        let (mut begin, mut end, mut text, mut punctuation) = Default::default();
        while let Some(key) = map.next_key::<WordKey>()? {
            let slot = match key {
                WordKey::Begin => &mut begin,
                WordKey::End => &mut end,
                WordKey::Text => &mut text,
                WordKey::Punctuation => &mut punctuation,
                WordKey::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            keys.scalar(key.describe(), slot, &mut map)?;
        }
        Ok(Word {
            index,
            begin_ms: reader.time(&begin, "begin_time"),
            end_ms: reader.time(&end, "end_time"),
            text: reader.text(text, "text").unwrap_or_default(),
            punctuation: reader.text(punctuation, "punctuation").unwrap_or_default(),
        })
    }
}

keys!(SentenceKey {
    Begin = 0 "begin_time", End = 1 "end_time", Text = 2 "text", Id = 3 "sentence_id", Speaker = 4 "speaker_id", Words = 5 "words",
    Language = 6 "language", Emotion = 7 "emotion",
});

impl<'de> Object<'de> for Sentence<'de> {
    fn enter(place: &mut Place, index: u32) {
        place.sentence = Some(index);
    }

    fn read<A: MapAccess<'de>>(mut map: A, reader: &Reader, _: u32) -> Result<Self, A::Error> {
        let mut keys = Keys::new(reader);
        let (mut begin, mut end, mut text, mut id, mut speaker) = Default::default();
        // Qwen3's own two fields are kept as they come: they are no fields of F9, so nothing is said about them.
        let (mut language, mut emotion) = (Raw::Missing, Raw::Missing);
        let mut words = Slot::<Vec<Word<'de>>>::empty();
        while let Some(key) = map.next_key::<SentenceKey>()? {
            let slot = match key {
                SentenceKey::Begin => &mut begin,
                SentenceKey::End => &mut end,
                SentenceKey::Text => &mut text,
                SentenceKey::Id => &mut id,
                SentenceKey::Speaker => &mut speaker,
                SentenceKey::Language => {
                    language = map.next_value()?;
                    continue;
                }
                SentenceKey::Emotion => {
                    emotion = map.next_value()?;
                    continue;
                }
                SentenceKey::Words => {
                    let seed = ListSeed { reader, field: "words", object: PhantomData };
                    words.fill(key.describe(), &mut keys, &mut map, seed)?;
                    continue;
                }
                SentenceKey::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            keys.scalar(key.describe(), slot, &mut map)?;
        }
        Ok(Sentence {
            begin_ms: reader.time(&begin, "begin_time"),
            end_ms: reader.time(&end, "end_time"),
            text: reader.text(text, "text").unwrap_or_default(),
            sentence_id: reader.number(&id, "sentence_id"),
            speaker: reader.speaker(speaker),
            language: string(language),
            emotion: string(emotion),
            words: list(words.value),
        })
    }
}

fn string(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    if let Raw::Text(text) = raw { Some(text) } else { None }
}

fn list<T>(shape: Shape<Vec<T>>) -> Vec<T> {
    if let Shape::Is(list) = shape { list } else { Vec::new() }
}

/// One entry of `transcripts`; entries of one channel are merged later.
struct Entry<'de> {
    place: Place,
    channel: Channel<'de>,
}

keys!(EntryKey {
    Channel = 0 "channel_id", ContentLong = 1 "content_duration_in_milliseconds", ContentShort = 2 "content_duration",
    Text = 3 "text", Transcript = 4 "transcript", Sentences = 5 "sentences",
});

impl<'de> Object<'de> for Entry<'de> {
    fn enter(place: &mut Place, index: u32) {
        place.entry = Some(index);
    }

    fn read<A: MapAccess<'de>>(mut map: A, reader: &Reader, index: u32) -> Result<Self, A::Error> {
        let mut keys = Keys::new(reader);
        let (mut id, mut content_long, mut content_short, mut text, mut transcript) = Default::default();
        let mut sentences = Slot::<Vec<Sentence<'de>>>::empty();
        while let Some(key) = map.next_key::<EntryKey>()? {
            let slot = match key {
                EntryKey::Channel => &mut id,
                EntryKey::ContentLong => &mut content_long,
                EntryKey::ContentShort => &mut content_short,
                EntryKey::Text => &mut text,
                EntryKey::Transcript => &mut transcript,
                EntryKey::Sentences => {
                    let seed = ListSeed { reader, field: "sentences", object: PhantomData };
                    sentences.fill(key.describe(), &mut keys, &mut map, seed)?;
                    continue;
                }
                EntryKey::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            keys.scalar(key.describe(), slot, &mut map)?;
        }
        if matches!(id, Raw::Missing) {
            reader.note(Code::MissingChannelId, "channel_id");
        }
        let content_long = content_duration(reader, &content_long, "content_duration_in_milliseconds");
        let content_short = content_duration(reader, &content_short, "content_duration");
        let (text, transcript) = (reader.text(text, "text"), reader.text(transcript, "transcript"));
        let durations_differ = matches!((content_long, content_short), (Some(long), Some(short)) if long != short);
        let texts_differ = matches!((&text, &transcript), (Some(text), Some(transcript)) if text != transcript);
        if durations_differ || texts_differ {
            reader.note(Code::ConflictingFields, if texts_differ { "text and transcript" } else { "content_duration" });
        }
        let text = text.or(transcript);
        let mut sentences = list(sentences.value);
        if sentences.is_empty()
            && let Some(text) = text.as_ref().filter(|text| !text.trim().is_empty())
        {
            reader.note(Code::TextWithoutSentences, "");
            sentences.push(Sentence { text: text.clone(), ..Sentence::default() });
        }
        Ok(Entry {
            place: reader.place.get(),
            channel: Channel {
                id: reader.channel_id(&id, "channel_id").unwrap_or(index),
                content_duration_ms: content_long.or(content_short),
                text,
                sentences,
            },
        })
    }
}

fn content_duration(reader: &Reader, raw: &Raw<'_>, field: &'static str) -> Option<i64> {
    let duration = reader.number(raw, field)?;
    if duration < 0 && !matches!(raw, Raw::Text(_)) {
        reader.note(Code::InvalidValue, field);
    }
    (duration >= 0).then_some(duration)
}

struct Properties<'de> {
    audio_format: Option<Cow<'de, str>>,
    sampling_rate_hz: Option<i64>,
    duration_ms: Option<i64>,
    channels: Vec<u32>,
}

keys!(PropertiesKey {
    Format = 0 "audio_format", Channels = 1 "channels", Rate = 2 "original_sampling_rate",
    Duration = 3 "original_duration_in_milliseconds",
});

impl<'de> Object<'de> for Properties<'de> {
    fn enter(_: &mut Place, _: u32) {}

    fn read<A: MapAccess<'de>>(mut map: A, reader: &Reader, _: u32) -> Result<Self, A::Error> {
        let mut keys = Keys::new(reader);
        let (mut format, mut rate, mut duration) = Default::default();
        let mut channels = Raws::Missing;
        while let Some(key) = map.next_key::<PropertiesKey>()? {
            let slot = match key {
                PropertiesKey::Format => &mut format,
                PropertiesKey::Rate => &mut rate,
                PropertiesKey::Duration => &mut duration,
                PropertiesKey::Channels => {
                    let (number, name) = key.describe();
                    keys.meet(number, name);
                    channels = map.next_value()?;
                    continue;
                }
                PropertiesKey::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            keys.scalar(key.describe(), slot, &mut map)?;
        }
        let duration_ms = reader.number(&duration, "original_duration_in_milliseconds");
        if duration_ms.is_some_and(|duration| duration <= 0) && !matches!(duration, Raw::Text(_)) {
            reader.note(Code::InvalidValue, "original_duration_in_milliseconds");
        }
        let mut ids: Vec<u32> = match channels {
            Raws::Missing => Vec::new(),
            Raws::Other => {
                reader.note(Code::InvalidValue, "channels");
                Vec::new()
            }
            Raws::List(list) => list.iter().filter_map(|raw| stated_channel(reader, raw)).collect(),
        };
        ids.sort_unstable();
        ids.dedup();
        Ok(Properties {
            audio_format: reader.text(format, "audio_format"),
            sampling_rate_hz: reader.number(&rate, "original_sampling_rate"),
            duration_ms: duration_ms.filter(|&duration| duration > 0),
            channels: ids,
        })
    }
}

fn stated_channel(reader: &Reader, raw: &Raw<'_>) -> Option<u32> {
    if matches!(raw, Raw::Missing) {
        // A null among the ids stands for no track.
        reader.note(Code::InvalidValue, "channels");
    }
    reader.channel_id(raw, "channels")
}

/// `properties.channels`.
#[derive(Default)]
enum Raws<'de> {
    #[default]
    Missing,
    Other,
    List(Vec<Raw<'de>>),
}

impl<'de> Deserialize<'de> for Raws<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// As [`RawVisitor`], but an array is what is wanted.
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

/// Qwen3's stand-in for `properties`.
struct AudioInfo<'de> {
    format: Option<Cow<'de, str>>,
    sample_rate_hz: Option<i64>,
}

keys!(AudioInfoKey { Format = 0 "format", Rate = 1 "sample_rate", });

impl<'de> Object<'de> for AudioInfo<'de> {
    fn enter(_: &mut Place, _: u32) {}

    fn read<A: MapAccess<'de>>(mut map: A, reader: &Reader, _: u32) -> Result<Self, A::Error> {
        let mut keys = Keys::new(reader);
        let (mut format, mut rate) = Default::default();
        while let Some(key) = map.next_key::<AudioInfoKey>()? {
            let slot = match key {
                AudioInfoKey::Format => &mut format,
                AudioInfoKey::Rate => &mut rate,
                AudioInfoKey::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            keys.scalar(key.describe(), slot, &mut map)?;
        }
        Ok(AudioInfo { format: reader.text(format, "format"), sample_rate_hz: reader.number(&rate, "sample_rate") })
    }
}

struct Root<'de> {
    transcript: Transcript<'de>,
    transcripts: Shape<Vec<Entry<'de>>>,
}

keys!(RootKey { FileUrl = 0 "file_url", Properties = 1 "properties", AudioInfo = 2 "audio_info", Transcripts = 3 "transcripts", });

impl<'de> Object<'de> for Root<'de> {
    fn enter(_: &mut Place, _: u32) {}

    fn read<A: MapAccess<'de>>(mut map: A, reader: &Reader, _: u32) -> Result<Self, A::Error> {
        let mut keys = Keys::new(reader);
        let mut file_url = Raw::Missing;
        let (mut properties, mut audio_info) = (Slot::<Properties<'de>>::empty(), Slot::<AudioInfo<'de>>::empty());
        let mut transcripts = Slot::<Vec<Entry<'de>>>::empty();
        while let Some(key) = map.next_key::<RootKey>()? {
            let described = key.describe();
            match key {
                RootKey::FileUrl => keys.scalar(described, &mut file_url, &mut map)?,
                RootKey::Properties => properties.fill(described, &mut keys, &mut map, ObjectSeed::new(reader, 0))?,
                RootKey::AudioInfo => audio_info.fill(described, &mut keys, &mut map, ObjectSeed::new(reader, 0))?,
                RootKey::Transcripts => {
                    let seed = ListSeed { reader, field: "transcripts", object: PhantomData };
                    transcripts.fill(described, &mut keys, &mut map, seed)?;
                }
                RootKey::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let mut transcript = Transcript { file_url: reader.text(file_url, "file_url"), ..Transcript::default() };
        if let Shape::Is(properties) = properties.value {
            transcript.audio_format = properties.audio_format;
            transcript.sampling_rate_hz = properties.sampling_rate_hz;
            transcript.duration_ms = properties.duration_ms;
            transcript.stated_channels = properties.channels;
        }
        if let Shape::Is(audio_info) = audio_info.value {
            transcript.audio_format = transcript.audio_format.or(audio_info.format);
            transcript.sampling_rate_hz = transcript.sampling_rate_hz.or(audio_info.sample_rate_hz);
        }
        Ok(Root { transcript, transcripts: transcripts.value })
    }
}

impl<'de> Transcript<'de> {
    /// Adds the entries of `transcripts` as channels: one a channel id, ascending (F10).
    fn with(mut self, entries: Vec<Entry<'de>>, mut notices: Notices) -> Self {
        for Entry { place, channel } in entries {
            match self.channels.iter_mut().find(|known| known.id == channel.id) {
                Some(known) => {
                    notices.add(Code::DuplicateChannelId, place, "channel_id");
                    known.append(channel);
                }
                None => self.channels.push(channel),
            }
        }
        self.channels.sort_by_key(|channel| channel.id);
        self.notices = notices;
        self
    }
}

impl<'de> Channel<'de> {
    fn append(&mut self, other: Self) {
        self.content_duration_ms = match (self.content_duration_ms, other.content_duration_ms) {
            (Some(one), Some(two)) => Some(one + two),
            (one, two) => one.or(two),
        };
        if let Some(text) = other.text {
            self.text.get_or_insert_default().to_mut().push_str(&text);
        }
        self.sentences.extend(other.sentences);
    }
}
