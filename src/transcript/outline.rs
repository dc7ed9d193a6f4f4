//! What must be known of a result to store it, read in one pass with bounded memory.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, BufReader, Read, Seek};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Longer strings are shortened while they are read, in bytes: no name or address is as long.
const LONGEST_STRING: usize = 16 * 1024;

/// Longer than the rest of a character or an escape, in bytes.
const MARGIN: usize = 8;

/// Further track numbers are ignored.
const MOST_TRACKS: usize = 1000;

/// A result file without its transcripts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outline {
    /// `file_url` as received, cut to 16 KiB.
    pub file_url: Option<String>,
    /// The tracks of the recording, by `properties.channels`, ascending.
    pub tracks: BTreeSet<i64>,
    /// The tracks with a transcript, by `transcripts[].channel_id`, ascending.
    pub transcribed: BTreeSet<i64>,
}

impl Outline {
    /// Reads a result to its end. What does not have the documented type is left out; [`read`](super::read) judges it.
    ///
    /// ```
    /// let json = br#"{"properties": {"channels": [0, 1]}, "transcripts": [{"channel_id": 0, "sentences": []}]}"#;
    /// let outline = talkmeter::transcript::Outline::read(&mut std::io::Cursor::new(json)).map_err(|error| error.to_string())?;
    /// assert_eq!(outline.untranscribed().collect::<Vec<_>>(), [1]);
    /// # Ok::<(), String>(())
    /// ```
    ///
    /// # Errors
    /// It is not JSON as a whole, so that something is missing; or it cannot be read.
    pub fn read(from: &mut (impl Read + Seek)) -> io::Result<Self> {
        from.rewind()?;
        let mut json = serde_json::Deserializer::from_reader(Shortened::new(&mut *from));
        if let Ok(outline) = Root.deserialize(&mut json)
            && json.end().is_ok()
        {
            return Ok(outline);
        }
        // A name that is not Unicode, say, is for the reader of transcripts. Here it counts that nothing is missing.
        from.rewind()?;
        serde_json::from_reader::<_, IgnoredAny>(Shortened::new(from)).map_err(io::Error::from)?;
        Ok(Self::default())
    }

    /// Tracks of the recording without a transcript; none where nothing was transcribed, which is silence.
    pub fn untranscribed(&self) -> impl Iterator<Item = i64> + '_ {
        let heard = !self.transcribed.is_empty();
        self.tracks.iter().copied().filter(move |track| heard && !self.transcribed.contains(track))
    }
}

/// JSON whose strings are no longer than [`LONGEST_STRING`], without a byte order mark.
struct Shortened<R> {
    reader: BufReader<R>,
    place: StringPlace,
    is_at_begin: bool,
}

/// Where the next byte belongs.
#[derive(Clone, Copy)]
enum StringPlace {
    Outside,
    Inside {
        /// Bytes of the string so far.
        length: usize,
        /// Bytes that an escape still has at least.
        of_escape: u8,
    },
}

impl<R: Read> Shortened<R> {
    fn new(reader: R) -> Self {
        Self { reader: BufReader::new(reader), place: StringPlace::Outside, is_at_begin: true }
    }

    /// Whether the parser sees this byte.
    fn keeps(&mut self, byte: u8) -> bool {
        let StringPlace::Inside { length, of_escape } = self.place else {
            if byte == b'"' {
                self.place = StringPlace::Inside { length: 0, of_escape: 0 };
            }
            return true;
        };
        if byte == b'"' && of_escape == 0 {
            self.place = StringPlace::Outside;
            return true;
        }
        // Neither a character nor an escape is cut; the margin is for bytes that are neither.
        let begins = of_escape == 0 && !(0x80..0xC0).contains(&byte);
        let is_over = length >= LONGEST_STRING && (begins || length >= LONGEST_STRING + MARGIN);
        let length = if is_over { LONGEST_STRING + MARGIN } else { length + 1 };
        let of_escape = match (of_escape, byte) {
            (0, b'\\') => 1,
            (1, b'u') => 4,
            (left, _) => left.saturating_sub(1),
        };
        self.place = StringPlace::Inside { length, of_escape };
        !is_over
    }
}

impl<R: Read> Read for Shortened<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        use io::BufRead as _;
        if std::mem::take(&mut self.is_at_begin) && self.reader.fill_buf()?.starts_with(b"\xEF\xBB\xBF") {
            self.reader.consume(3);
        }
        loop {
            let read = self.reader.read(buffer)?;
            if read == 0 {
                return Ok(0);
            }
            let mut kept = 0;
            for at in 0..read {
                let Some(&byte) = buffer.get(at) else { break };
                if self.keeps(byte)
                    && let Some(place) = buffer.get_mut(kept)
                {
                    *place = byte;
                    kept += 1;
                }
            }
            if kept > 0 {
                return Ok(kept);
            }
        }
    }
}

/// Defines a seed that reads one shape and passes over every other.
macro_rules! lenient {
    ($(#[$about:meta])* $name:ident -> $value:ty { $($visit:item)* }) => {
        $(#[$about])*
        struct $name;

        impl<'de> DeserializeSeed<'de> for $name {
            type Value = $value;

            fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<$value, D::Error> {
                json.deserialize_any(self)
            }
        }

        impl<'de> Visitor<'de> for $name {
            type Value = $value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            $($visit)*
        }
    };
}

/// The visits of all shapes but the one that is read.
macro_rules! pass_over {
    ($value:ty: $($shape:ident)*) => { $(pass_over!(@ $shape $value);)* };
    (@ unit $value:ty) => { fn visit_unit<E>(self) -> Result<$value, E> { Ok(<$value>::default()) } };
    (@ bool $value:ty) => { fn visit_bool<E>(self, _: bool) -> Result<$value, E> { Ok(<$value>::default()) } };
    (@ i64 $value:ty) => { fn visit_i64<E>(self, _: i64) -> Result<$value, E> { Ok(<$value>::default()) } };
    (@ u64 $value:ty) => { fn visit_u64<E>(self, _: u64) -> Result<$value, E> { Ok(<$value>::default()) } };
    (@ f64 $value:ty) => { fn visit_f64<E>(self, _: f64) -> Result<$value, E> { Ok(<$value>::default()) } };
    (@ str $value:ty) => { fn visit_str<E>(self, _: &str) -> Result<$value, E> { Ok(<$value>::default()) } };
    (@ seq $value:ty) => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<$value, A::Error> {
            while all.next_element::<IgnoredAny>()?.is_some() {}
            Ok(<$value>::default())
        }
    };
    (@ map $value:ty) => {
        fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<$value, A::Error> {
            while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(<$value>::default())
        }
    };
}

lenient! {
    /// The whole file.
    Root -> Outline {
        pass_over!(Outline: unit bool i64 u64 f64 str seq);

        fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Outline, A::Error> {
            let mut outline = Outline::default();
            while let Some(name) = fields.next_key::<String>()? {
                match &*name {
                    "file_url" => outline.file_url = fields.next_value_seed(Text)?,
                    "properties" => outline.tracks = fields.next_value_seed(Properties)?,
                    "transcripts" => outline.transcribed = fields.next_value_seed(Transcripts)?,
                    _ => drop(fields.next_value::<IgnoredAny>()?),
                }
            }
            Ok(outline)
        }
    }
}

lenient! {
    Text -> Option<String> {
        pass_over!(Option<String>: unit bool i64 u64 f64 seq map);

        fn visit_str<E>(self, text: &str) -> Result<Option<String>, E> {
            Ok(Some(text.to_owned()))
        }
    }
}

lenient! {
    Number -> Option<i64> {
        pass_over!(Option<i64>: unit bool f64 str seq map);

        fn visit_i64<E>(self, number: i64) -> Result<Option<i64>, E> {
            Ok(Some(number))
        }

        fn visit_u64<E>(self, number: u64) -> Result<Option<i64>, E> {
            Ok(i64::try_from(number).ok())
        }
    }
}

lenient! {
    /// A list of track numbers.
    Tracks -> BTreeSet<i64> {
        pass_over!(BTreeSet<i64>: unit bool i64 u64 f64 str map);

        fn visit_seq<A: SeqAccess<'de>>(self, all: A) -> Result<BTreeSet<i64>, A::Error> {
            numbers(all, || Number)
        }
    }
}

lenient! {
    /// `properties`, of which the list of channels is read.
    Properties -> BTreeSet<i64> {
        pass_over!(BTreeSet<i64>: unit bool i64 u64 f64 str seq);

        fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<BTreeSet<i64>, A::Error> {
            member(fields, "channels", || Tracks)
        }
    }
}

lenient! {
    /// `transcripts`, of which the channel ids are read.
    Transcripts -> BTreeSet<i64> {
        pass_over!(BTreeSet<i64>: unit bool i64 u64 f64 str map);

        fn visit_seq<A: SeqAccess<'de>>(self, all: A) -> Result<BTreeSet<i64>, A::Error> {
            numbers(all, || Channel)
        }
    }
}

lenient! {
    /// One of `transcripts`, of which the channel id is read.
    Channel -> Option<i64> {
        pass_over!(Option<i64>: unit bool i64 u64 f64 str seq);

        fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Option<i64>, A::Error> {
            member(fields, "channel_id", || Number)
        }
    }
}

/// The numbers of a list, each read with a seed; at most [`MOST_TRACKS`].
fn numbers<'de, A, S>(mut all: A, seed: impl Fn() -> S) -> Result<BTreeSet<i64>, A::Error>
where
    A: SeqAccess<'de>,
    S: DeserializeSeed<'de, Value = Option<i64>>,
{
    let mut tracks = BTreeSet::new();
    while let Some(number) = all.next_element_seed(seed())? {
        tracks.extend(number.filter(|_| tracks.len() < MOST_TRACKS));
    }
    Ok(tracks)
}

/// One member of an object, read with a seed: the last one of that name.
fn member<'de, A, S>(mut fields: A, wanted: &str, seed: impl Fn() -> S) -> Result<S::Value, A::Error>
where
    A: MapAccess<'de>,
    S: DeserializeSeed<'de, Value: Default>,
{
    let mut value = S::Value::default();
    while let Some(name) = fields.next_key::<String>()? {
        if name == wanted {
            value = fields.next_value_seed(seed())?;
        } else {
            fields.next_value::<IgnoredAny>()?;
        }
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn outline(json: &str) -> io::Result<Outline> {
        Outline::read(&mut Cursor::new(json))
    }

    #[test]
    fn tracks_without_a_transcript_are_named() {
        let of = |json: &str| outline(json).unwrap().untranscribed().collect::<Vec<_>>();
        assert_eq!(of(r#"{"properties":{"channels":[2,0,1,"x"]},"transcripts":[7,{"channel_id":1}]}"#), [0, 2]);
        assert_eq!(of(r#"{"properties":{"channels":[0,1]},"transcripts":[]}"#), Vec::<i64>::new(), "silence");
        for odd in
            ["[1, 2]", "7", "null", r#"{"properties": 7, "transcripts": "x", "file_url": {}}"#, r#"{"\ud800":1}"#]
        {
            assert_eq!(of(odd), Vec::<i64>::new(), "{odd}");
        }
        let json = "\u{feff}{\"file_url\": \"https://h/\\u4f60.wav\", \"more\": {\"file_url\": \"no\"}}";
        assert_eq!(outline(json).unwrap().file_url.as_deref(), Some("https://h/你.wav"));
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        for cut in ["", "{", r#"{"a":"#, r#"{"a":"b"#, "{} {}", "<html>", r#"{"a":1,}"#] {
            assert!(outline(cut).is_err(), "{cut}");
        }
    }

    #[test]
    fn long_strings_are_shortened_and_change_nothing_else() {
        for long in ["x", "é", "你", "\\u4f60", "\\\\", "\\\"", "\u{1f600}", " "] {
            let long = long.repeat(LONGEST_STRING);
            let json = format!(
                r#"{{"{long}":"{long}","properties":{{"channels":[3]}},"text":["{long}"],"transcripts":[{{"channel_id":4}}]}}"#
            );
            let found = outline(&json).unwrap();
            assert_eq!((found.tracks.first(), found.transcribed.first()), (Some(&3), Some(&4)));
            let mut shortened = String::new();
            Shortened::new(json.as_bytes()).read_to_string(&mut shortened).unwrap();
            assert!(shortened.len() < 4 * LONGEST_STRING, "{}", shortened.len());
            assert!(serde_json::from_str::<serde_json::Value>(&shortened).is_ok());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let whole = serde_json::from_slice::<IgnoredAny>(&bytes).is_ok();
            prop_assert_eq!(Outline::read(&mut Cursor::new(&bytes)).is_ok(), whole);
        }
    }
}
