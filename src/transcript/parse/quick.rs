//! The same reading for ordinary files, in one pass over the bytes and several times faster.
//!
//! It stops at the first value that is odd in any way: a repeated key, another type, a fraction, anything that would be
//! counted in [`Notices`] or refused. Then the careful visitors read the file from its
//! start; only they count and explain. So this file has no rules of its own: what it returns, they would have returned.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memchr3};
use serde::de::{DeserializeSeed, IgnoredAny};

use super::container::{Object, ObjectSeed, Shape};
use super::objects::{AudioInfo, Entry, Properties, Root};
use super::scalar::{Raw, Reader};
use crate::transcript::{Channel, Notices, Place, Sentence, Speaker, Transcript, Word};

/// Reads an ordinary file; `None` for every other.
pub(super) fn read(json: &str) -> Option<Transcript<'_>> {
    let bytes = json.as_bytes();
    let is_plain = bytes.iter().fold(u8::MAX, |least, &byte| least.min(byte)) >= b' ' && memchr(b'\\', bytes).is_none();
    let mut quick = Quick { json, at: 0, is_plain, reader: Reader::default(), words: Vec::new() };
    let (mut transcript, entries) = quick.root()?;
    quick.blank();
    let is_whole = quick.at == json.len();
    let notices = quick.reader.notices.into_inner();
    // DEL, the first byte of the others, escapes; those below the space were refused.
    transcript.is_printable = memchr3(0x7F, 0xC2, b'\\', bytes).is_none();
    (is_whole && notices == Notices::default()).then(|| transcript.with(entries, notices))
}

struct Quick<'de> {
    json: &'de str,
    /// The next byte.
    at: usize,
    /// The file has neither escapes nor control characters, so that the next quote ends a string.
    is_plain: bool,
    /// Shared with the visitors that read the small objects.
    reader: Reader,
    /// The words of one sentence: a list is allocated once its length is known.
    words: Vec<Word<'de>>,
}

/// Up to 16 bytes that are expected next, as a number with the first byte lowest: compared at once, without a loop.
#[derive(Clone, Copy)]
struct Expected {
    bits: u128,
    mask: u128,
    len: usize,
}

const fn expected(text: &str) -> Expected {
    let text = text.as_bytes();
    let mut bytes = [0; 16];
    let mut at = 0;
    while at < text.len() {
        bytes[at] = text[at];
        at += 1;
    }
    Expected { bits: u128::from_le_bytes(bytes), mask: u128::MAX >> (128 - 8 * at), len: at }
}

/// The names of fields, each with the quote behind it.
const ROOT: [Expected; 4] =
    [expected("file_url\""), expected("properties\""), expected("audio_info\""), expected("transcripts\"")];
const ENTRY: [Expected; 4] =
    [expected("channel_id\""), expected("text\""), expected("transcript\""), expected("sentences\"")];
const SENTENCE: [Expected; 8] = [
    expected("begin_time\""),
    expected("end_time\""),
    expected("text\""),
    expected("sentence_id\""),
    expected("words\""),
    expected("speaker_id\""),
    expected("language\""),
    expected("emotion\""),
];
const WORD: [Expected; 4] =
    [expected("begin_time\""), expected("end_time\""), expected("text\""), expected("punctuation\"")];

/// What stands between the values of a word as the service writes it.
const WORD_BEGIN: Expected = expected("{\"begin_time\":");
const WORD_END: Expected = expected(",\"end_time\":");
const WORD_TEXT: Expected = expected(",\"text\":\"");
const WORD_PUNCTUATION: Expected = expected(",\"punctuation\":\"");

/// Sets a field that must not be set yet: a repeated key is counted elsewhere.
fn set<T>(field: &mut Option<T>, value: T) -> Option<()> {
    field.replace(value).is_none().then_some(())
}

impl<'de> Quick<'de> {
    fn root(&mut self) -> Option<(Transcript<'de>, Vec<Entry<'de>>)> {
        let (mut file_url, mut properties, mut audio_info, mut entries) = (None, None, None, None);
        self.object(ROOT, |quick, number, _| match number {
            0 => set(&mut file_url, quick.text()?),
            1 => set(&mut properties, quick.visited::<Properties<'de>>()?),
            2 => set(&mut audio_info, quick.visited::<AudioInfo<'de>>()?),
            3 => {
                let mut list = Vec::new();
                quick.array(|quick, index| {
                    list.push(quick.entry(index)?);
                    Some(())
                })?;
                set(&mut entries, list)
            }
            _ => quick.skip(),
        })?;
        let transcript = Root::transcript(file_url.flatten(), properties.flatten(), audio_info.flatten());
        Some((transcript, entries?))
    }

    fn entry(&mut self, index: u32) -> Option<Entry<'de>> {
        let (mut id, mut content, mut text, mut sentences) = (None, None, None, None);
        self.object(ENTRY, |quick, number, name| match number {
            0 => set(&mut id, quick.integer()??),
            1 | 2 => set(&mut text, quick.text()?),
            3 => {
                let mut list = Vec::with_capacity(32);
                quick.array(|quick, _| {
                    list.push(quick.sentence()?);
                    Some(())
                })?;
                set(&mut sentences, list)
            }
            _ => match name {
                b"content_duration_in_milliseconds" | b"content_duration" => set(&mut content, quick.integer()?),
                _ => quick.skip(),
            },
        })?;
        let (id, content, text) = (id?, content.flatten(), text.flatten());
        let sentences: Vec<Sentence<'de>> = sentences?;
        let is_odd = !(0..=255).contains(&id) || content.is_some_and(|content| content < 0) || sentences.is_empty();
        let channel = Channel { id: u32::try_from(id).ok()?, content_duration_ms: content, text, sentences };
        (!is_odd).then(|| Entry { place: Place { entry: Some(index), ..Place::default() }, channel })
    }

    fn sentence(&mut self) -> Option<Sentence<'de>> {
        let (mut begin, mut end, mut text, mut id, mut words) = (None, None, None, None, None);
        let (mut speaker, mut language, mut emotion) = (None, None, None);
        self.object(SENTENCE, |quick, number, _| match number {
            0 => set(&mut begin, quick.integer()?),
            1 => set(&mut end, quick.integer()?),
            2 => set(&mut text, quick.text()?),
            3 => set(&mut id, quick.integer()?),
            4 => set(&mut words, quick.words()?),
            5 => set(&mut speaker, quick.speaker()?),
            6 => set(&mut language, quick.text()?),
            7 => set(&mut emotion, quick.text()?),
            _ => quick.skip(),
        })?;
        Some(Sentence {
            begin_ms: begin.flatten(),
            end_ms: end.flatten(),
            text: text.flatten().unwrap_or_default(),
            sentence_id: id.flatten(),
            speaker: speaker.flatten(),
            language: language.flatten(),
            emotion: emotion.flatten(),
            words: words.unwrap_or_default(),
        })
    }

    fn words(&mut self) -> Option<Vec<Word<'de>>> {
        self.array(|quick, index| {
            let start = quick.at;
            if quick.usual_word(index).is_none() {
                quick.at = start;
                let word = quick.word(index)?;
                quick.words.push(word);
            }
            Some(())
        })?;
        Some(self.words.drain(..).collect())
    }

    /// Adds a word as the service writes it: four fields in this order, without white space. Words are two thirds of a file;
    /// this and [`Self::plain_end`] halve the instructions of this reader.
    #[inline(always)]
    fn usual_word(&mut self, index: u32) -> Option<()> {
        self.pass(WORD_BEGIN)?;
        let begin = self.eight_digits()?;
        self.pass(WORD_END)?;
        let end = self.eight_digits()?;
        self.pass(WORD_TEXT)?;
        let text = self.rest_of_text()?;
        self.pass(WORD_PUNCTUATION)?;
        let punctuation = self.rest_of_text()?;
        if self.json.as_bytes().get(self.at) != Some(&b'}') {
            return None;
        }
        self.at += 1;
        self.words.push(Word {
            index,
            begin_ms: Some(begin),
            end_ms: Some(end),
            text: Cow::Borrowed(text),
            punctuation: Cow::Borrowed(punctuation),
        });
        Some(())
    }

    fn word(&mut self, index: u32) -> Option<Word<'de>> {
        let (mut begin, mut end, mut text, mut punctuation) = (None, None, None, None);
        self.object(WORD, |quick, number, _| match number {
            0 => set(&mut begin, quick.integer()?),
            1 => set(&mut end, quick.integer()?),
            2 => set(&mut text, quick.text()?),
            3 => set(&mut punctuation, quick.text()?),
            _ => quick.skip(),
        })?;
        Some(Word {
            index,
            begin_ms: begin.flatten(),
            end_ms: end.flatten(),
            text: text.flatten().unwrap_or_default(),
            punctuation: punctuation.flatten().unwrap_or_default(),
        })
    }

    fn speaker(&mut self) -> Option<Option<Speaker<'de>>> {
        let raw = match self.peek()? {
            b'"' | b'n' => self.text()?.map_or(Raw::Missing, Raw::Text),
            _ => self.integer()?.map_or(Raw::Missing, Raw::Integer),
        };
        Some(self.reader.speaker(raw))
    }

    /// An object; `field` reads the value of each key by its number in `names`, or else by the key itself.
    #[inline(always)]
    fn object<const N: usize>(
        &mut self,
        names: [Expected; N],
        mut field: impl FnMut(&mut Self, usize, &'de [u8]) -> Option<()>,
    ) -> Option<()> {
        self.take(b'{')?;
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        // Nearly always fields come in order.
        let mut follows = 0;
        loop {
            self.take(b'"')?;
            let start = self.at;
            let next = self.next_sixteen();
            let is_next = |name: &Expected| next & name.mask == name.bits;
            let found = names.get(follows).filter(|name| is_next(name)).map(|name| (follows, name));
            let found = found.or_else(|| names.iter().enumerate().find(|(_, name)| is_next(name)));
            let (number, other): (usize, &[u8]) = match found {
                Some((number, name)) => {
                    self.at += name.len;
                    (number, &[])
                }
                None => (N, self.json.as_bytes().get(start..self.plain_end()?)?),
            };
            follows = number + 1;
            self.take(b':')?;
            field(self, number, other)?;
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// An array or null; `element` reads the element with each index.
    #[inline(always)]
    fn array(&mut self, mut element: impl FnMut(&mut Self, u32) -> Option<()>) -> Option<()> {
        if self.peek()? == b'n' {
            return self.null();
        }
        self.take(b'[')?;
        if self.peek()? == b']' {
            self.at += 1;
            return Some(());
        }
        for index in 0.. {
            element(self, index)?;
            match self.peek()? {
                b',' => self.at += 1,
                b']' => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some(())
    }

    /// A string or null.
    #[inline(always)]
    fn text(&mut self) -> Option<Option<Cow<'de, str>>> {
        if self.peek()? != b'"' {
            return self.null().map(|()| None);
        }
        let start = self.at + 1;
        self.at = start;
        match self.plain_end() {
            Some(end) => self.json.get(start..end).map(|text| Some(Cow::Borrowed(text))),
            None => self.escaped(start - 1),
        }
    }

    /// The rest of a string without an escape, behind its first quote.
    #[inline(always)]
    fn rest_of_text(&mut self) -> Option<&'de str> {
        let start = self.at;
        let end = self.plain_end()?;
        self.json.get(start..end)
    }

    /// A string with an escape, which begins at `start`.
    #[cold]
    fn escaped(&mut self, start: usize) -> Option<Option<Cow<'de, str>>> {
        let bytes = self.json.as_bytes();
        let mut end = start + 1;
        while *bytes.get(end)? != b'"' {
            end += if bytes.get(end) == Some(&b'\\') { 2 } else { 1 };
        }
        self.at = end + 1;
        let text: String = serde_json::from_str(self.json.get(start..self.at)?).ok()?;
        Some(Some(Cow::Owned(text)))
    }

    /// Moves behind the quote that ends a string, and returns its place; `None` at an escape or a control character.
    #[inline(always)]
    fn plain_end(&mut self) -> Option<usize> {
        const EACH: u64 = u64::MAX / 255;
        if !self.is_plain {
            return self.careful_end();
        }
        let rest = self.json.as_bytes().get(self.at..)?;
        // Most strings are words: the high bit of the lowest byte that is zero after subtraction is exact.
        let found = rest.first_chunk().map_or(0, |eight| {
            let other = u64::from_le_bytes(*eight) ^ (EACH * u64::from(b'"'));
            other.wrapping_sub(EACH) & !other & (EACH << 7)
        });
        let length = if found == 0 { memchr(b'"', rest)? } else { found.trailing_zeros() as usize / 8 };
        let end = self.at + length;
        self.at = end + 1;
        Some(end)
    }

    /// The same in a file with white space or escapes.
    fn careful_end(&mut self) -> Option<usize> {
        let rest = self.json.as_bytes().get(self.at..)?;
        let length = memchr2(b'"', b'\\', rest)?;
        let has_control = rest.get(..length)?.iter().fold(u8::MAX, |least, &byte| least.min(byte)) < b' ';
        let end = self.at + length;
        self.at = end + 1;
        (rest.get(length) == Some(&b'"') && !has_control).then_some(end)
    }

    /// A whole number that any field may have, or null.
    #[inline(always)]
    fn integer(&mut self) -> Option<Option<i64>> {
        let first = self.peek()?;
        if first == b'n' {
            return self.null().map(|()| None);
        }
        let bytes = self.json.as_bytes();
        let negative = first == b'-';
        self.at += usize::from(negative);
        let start = self.at;
        let mut number = 0_i64;
        while let Some(digit) = bytes.get(self.at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
            number = number.wrapping_mul(10).wrapping_add(i64::from(digit));
            self.at += 1;
        }
        // 12 digits stay below the limit of the fields; `-0` and a leading zero are left to the visitors.
        let digits = self.at - start;
        let is_plain = (1..=12).contains(&digits) && (bytes.get(start) != Some(&b'0') || (digits == 1 && !negative));
        let is_fraction = matches!(bytes.get(self.at), Some(b'.' | b'e' | b'E'));
        (is_plain && !is_fraction).then(|| Some(if negative { -number } else { number }))
    }

    /// A number of up to eight digits, without a loop. What follows it is for the caller to check.
    #[inline(always)]
    fn eight_digits(&mut self) -> Option<i64> {
        const EACH: u64 = u64::MAX / 255;
        let bytes: [u8; 8] = *self.json.as_bytes().get(self.at..)?.first_chunk()?;
        let digits = u64::from_le_bytes(bytes) ^ (EACH * u64::from(b'0'));
        // The high bit of the lowest byte above 9 is exact.
        let others = (digits.wrapping_add(EACH * 0x76) | digits) & (EACH << 7);
        let count = others.trailing_zeros() / 8;
        if count == 0 || (count > 1 && bytes[0] == b'0') {
            return None;
        }
        self.at += count as usize;
        // Leading zeros up to eight digits, then pairs of digits, pairs of pairs, and the two halves are joined.
        let pairs = (digits << (64 - 8 * count)).wrapping_mul(10 * 0x100 + 1) >> 8 & 0x00FF_00FF_00FF_00FF;
        let fours = pairs.wrapping_mul(100 * 0x1_0000 + 1) >> 16 & 0x0000_FFFF_0000_FFFF;
        let all = fours.wrapping_mul(10_000 * 0x1_0000_0000 + 1) >> 32;
        Some(all as i64)
    }

    /// Moves behind what is expected next.
    #[inline(always)]
    fn pass(&mut self, expected: Expected) -> Option<()> {
        if self.next_sixteen() & expected.mask != expected.bits {
            return None;
        }
        self.at += expected.len;
        Some(())
    }

    fn null(&mut self) -> Option<()> {
        let rest = self.json.as_bytes().get(self.at..)?;
        self.at += 4;
        rest.starts_with(b"null").then_some(())
    }

    /// A small object, or null, that the careful visitors read.
    fn visited<T: Object<'de>>(&mut self) -> Option<Option<T>> {
        self.blank();
        let start = self.at;
        self.skip()?;
        let value = self.json.get(start..self.at)?;
        let seed = ObjectSeed::<T>::new(&self.reader, 0);
        match seed.deserialize(&mut serde_json::Deserializer::from_str(value)).ok()? {
            Shape::Is(object) => Some(Some(object)),
            Shape::Missing => Some(None),
            Shape::Other => None,
        }
    }

    /// The value of a key that plays no role.
    fn skip(&mut self) -> Option<()> {
        let mut values = serde_json::Deserializer::from_str(self.json.get(self.at..)?).into_iter::<IgnoredAny>();
        values.next()?.ok()?;
        self.at += values.byte_offset();
        Some(())
    }

    /// The next 16 bytes as a number, the first one lowest; zeros behind the end.
    #[inline(always)]
    fn next_sixteen(&self) -> u128 {
        let rest = self.json.as_bytes().get(self.at..).unwrap_or_default();
        let bytes = rest.first_chunk().copied().unwrap_or_else(|| {
            let mut padded = [0; 16];
            padded.iter_mut().zip(rest).for_each(|(padded, byte)| *padded = *byte);
            padded
        });
        u128::from_le_bytes(bytes)
    }

    /// The next byte that is no white space.
    #[inline(always)]
    fn peek(&mut self) -> Option<u8> {
        let byte = *self.json.as_bytes().get(self.at)?;
        if byte > b' ' {
            return Some(byte);
        }
        self.blank();
        self.json.as_bytes().get(self.at).copied()
    }

    #[inline(always)]
    fn take(&mut self, expected: u8) -> Option<()> {
        let found = self.peek()? == expected;
        self.at += 1;
        found.then_some(())
    }

    fn blank(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.json.as_bytes().get(self.at) {
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::read_carefully;
    use super::*;

    /// Every field of each object, one escape, nulls, keys that play no role; without and with white space.
    const ORDINARY: [&str; 4] = [
        r#"{"file_url":"https://example.org/a.wav","properties":{"audio_format":"mp3","channels":[0,1],
            "original_sampling_rate":8000,"original_duration_in_milliseconds":9000},"transcripts":[
            {"channel_id":1,"content_duration_in_milliseconds":900,"text":"Hi. 你好。","sentences":[
            {"begin_time":100,"end_time":900,"text":"Hi. 你好。","sentence_id":1,"speaker_id":0,"words":[
            {"begin_time":100,"end_time":300,"text":"Hi","punctuation":". "},
            {"begin_time":-5,"end_time":900,"text":"你好","punctuation":"。"}]}]},
            {"channel_id":0,"content_duration":0,"transcript":"x","sentences":[{"text":"x"}]}]}"#,
        "{\r\n\t\"audio_info\": {\"format\": \"wav\", \"sample_rate\": 16000}, \"extra\": [1.5, {\"a\": null}], \"transcripts\": [
            { \"channel_id\" : 0, \"sentences\" : [ { \"sentence_id\" : 0, \"begin_time\" : 1, \"end_time\" : 999999999999 ,
            \"language\": \"zh\", \"emotion\": \"neutral\", \"speaker_id\": \" Ann \", \"text\": \"A \\\"b\\\" \\u4f60\\ud83d\\ude00\\n\",
            \"words\": null, \"confidence\": 0.5 } ] } ] }\n",
        r#"{"file_url":null,"properties":null,"transcripts":[{"channel_id":255,"text":null,"sentences":[
            {"begin_time":null,"end_time":0,"text":null,"speaker_id":null,"words":[]},{"words":[{},{"text":"a","x":"y"}]}]}]}"#,
        concat!(
            r#"{"transcripts":[{"channel_id":0,"content_duration_in_milliseconds":900,"text":"Hi. 你好。","sentences":["#,
            r#"{"begin_time":100,"end_time":900,"text":"Hi. 你好。","sentence_id":1,"speaker_id":0,"words":["#,
            r#"{"begin_time":100,"end_time":300,"text":" Hi","punctuation":". "},"#,
            r#"{"begin_time":300,"end_time":12345678,"text":"你好","punctuation":""}]}]}]}"#,
        ),
    ];

    /// What is put into an ordinary file to make it odd.
    const ODD: [&str; 35] = [
        "",
        " ",
        "\n",
        "\"",
        "\\",
        "\\u",
        "\\ud800",
        "\u{1}",
        "\u{7f}",
        "\u{85}",
        "0",
        "-",
        "-0",
        "1.5",
        "1e3",
        "1000000000000",
        "12345678",
        "123456789",
        "00",
        "\"7\"",
        "null",
        "true",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "[[]]",
        "{}",
        "\"text\":\"b\",",
        "\"words\":[],",
        "\"channel_id\":0,",
        "NaN",
        "é",
    ];

    fn same(json: &str) -> Result<bool, TestCaseError> {
        let Some(quick) = read(json) else { return Ok(false) };
        let careful = read_carefully(json);
        // Only the quick reader looks for control characters.
        let careful =
            careful.map(|careful| format!("{:?}", Transcript { is_printable: quick.is_printable, ..careful }));
        prop_assert_eq!(careful, Ok(format!("{quick:?}")), "{}", json);
        let controls = json.contains(|c: char| c == '\u{7F}' || ('\u{80}'..'\u{A0}').contains(&c) || c == '\\');
        prop_assert!(!quick.is_printable || !controls, "{}", json);
        Ok(true)
    }

    #[test]
    fn ordinary_files_are_read_quickly() {
        for json in ORDINARY {
            assert!(same(json).unwrap(), "{json}");
        }
    }

    #[test]
    fn words_are_read_whatever_surrounds_them() {
        // The usual form of a word, with times of each length, in files with and without white space and escapes.
        for (spaces, first) in [("", "a"), ("\n", "a"), ("", "\\n"), ("\n", "\\u4f60")] {
            for time in (0..13).map(|digits| 10_i64.pow(digits) - 1) {
                let text = "é你".repeat(usize::try_from(time % 7).unwrap());
                let word = format!(r#"{{"begin_time":0,"end_time":{time},"text":"{text}","punctuation":"{text}"}}"#);
                let file = format!(
                    r#"{{{spaces}"transcripts":[{{"channel_id":0,"sentences":[{{"text":"{first}","words":[{word},{word}]}}]}}]}}"#
                );
                assert!(same(&file).unwrap(), "{file}");
            }
        }
    }

    #[test]
    fn odd_files_are_left_to_the_careful_reader() {
        let word = r#"{"begin_time":1,"end_time":2,"text":"a","punctuation":""}"#;
        let file = |word: &str| {
            format!(r#"{{"transcripts":[{{"channel_id":0,"sentences":[{{"text":"a","words":[{word}]}}]}}]}}"#)
        };
        assert!(same(&file(word)).unwrap());
        for odd in [
            r#"{"begin_time":1,"begin_time":1}"#,
            r#"{"begin_time":1.0}"#,
            r#"{"begin_time":"1"}"#,
            r#"{"begin_time":01}"#,
            r#"{"begin_time":-}"#,
            r#"{"begin_time":1000000000000}"#,
            r#"{"text":7}"#,
            r#"{"text":"\ud800"}"#,
            r#"{"text":"\q"}"#,
            r#"{"t\u0065xt":"a"}"#,
            r#"{"other":tru}"#,
            "{\"text\":\"a\u{1f}\"}",
            r#"{"text":"a",}"#,
            r#""word""#,
            "null",
        ] {
            assert!(read(&file(odd)).is_none(), "{odd}");
        }
        for odd in ["", "[]", "{}", r#"{"transcripts":null"#, r#"{"transcripts":[]}]"#] {
            assert!(read(odd).is_none(), "{odd}");
        }
        assert!(read(&(file(word) + " {}")).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn both_readers_agree(
            base in prop::sample::select(&ORDINARY[..]),
            changes in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..6, prop::sample::select(&ODD[..])), 1..3),
        ) {
            let mut json = base.to_owned();
            for (place, removed, inserted) in changes {
                let start = json.floor_char_boundary(place.index(json.len()));
                let end = json.ceil_char_boundary((start + removed).min(json.len()));
                json.replace_range(start..end, inserted);
            }
            same(&json)?;
        }
    }
}
