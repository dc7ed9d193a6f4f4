//! Text in whatever encoding people save it: UTF-8, UTF-16 with a byte order mark, else what a detector finds.

use std::borrow::Cow;
use std::io::{self, Read};
use std::path::Path;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{GB18030, GBK, UTF_8};

use crate::error::Result;
use crate::named_file::{self, FileKind};

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;

/// Bytes that an encoding is detected from, starting at the first one that is not ASCII.
const LOOKAHEAD: usize = 64 * 1024;

/// How a text was encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// UTF-8, with or without a byte order mark, or ASCII.
    Utf8,
    /// By its byte order mark.
    Marked(&'static encoding_rs::Encoding),
    /// Found by a detector, which can be wrong: to be reported.
    Detected(&'static encoding_rs::Encoding),
}

impl Encoding {
    /// The name of a detected encoding.
    pub(crate) fn detected(self) -> Option<&'static str> {
        match self {
            // The names of the standard are older than what they stand for.
            Self::Detected(encoding) if encoding == GBK => Some(GB18030.name()),
            Self::Detected(encoding) => Some(encoding.name()),
            _ => None,
        }
    }

    fn detect(bytes: &[u8], is_all: bool) -> Self {
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(bytes, is_all);
        Self::Detected(detector.guess(None, Utf8Detection::Deny))
    }
}

/// Decodes a text as a whole. The byte order mark is dropped; bytes that are invalid in a detected encoding become U+FFFD.
pub(crate) fn decode(bytes: &[u8]) -> (Cow<'_, str>, Encoding) {
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        let text = bytes.get(mark..).unwrap_or_default();
        let (text, _) = encoding.decode_without_bom_handling(text);
        return (text, if encoding == UTF_8 { Encoding::Utf8 } else { Encoding::Marked(encoding) });
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (Cow::Borrowed(text), Encoding::Utf8);
    }
    let found = Encoding::detect(bytes, true);
    let Encoding::Detected(encoding) = found else { return (String::from_utf8_lossy(bytes), Encoding::Utf8) };
    (encoding.decode_without_bom_handling(bytes).0, found)
}

/// Reads and decodes a file.
pub(crate) fn read(path: &Path, kind: FileKind) -> Result<(String, Encoding)> {
    let bytes = named_file::read(path, kind)?;
    let (text, encoding) = decode(&bytes);
    Ok((text.into_owned(), encoding))
}

/// Decodes a stream to UTF-8. Where it is taken for UTF-8, bytes pass as they are and may still turn out to be invalid.
pub(crate) struct Decoder<R> {
    reader: R,
    state: State,
    encoding: Encoding,
    /// Read, not decoded yet.
    raw: Vec<u8>,
    is_at_end: bool,
    /// Decoded, not handed out yet, from `at`.
    decoded: Vec<u8>,
    at: usize,
}

enum State {
    Begin,
    Ascii,
    Utf8,
    Other(encoding_rs::Decoder),
}

impl<R: Read> Decoder<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            state: State::Begin,
            encoding: Encoding::Utf8,
            raw: Vec::new(),
            is_at_end: false,
            decoded: Vec::new(),
            at: 0,
        }
    }

    /// The encoding, as far as it is known by now.
    pub(crate) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Reads until there are `wanted` raw bytes, or no more.
    fn read_raw(&mut self, wanted: usize) -> io::Result<()> {
        while self.raw.len() < wanted && !self.is_at_end {
            let had = self.raw.len();
            self.raw.resize(had + CHUNK, 0);
            let read = match self.reader.read(self.raw.get_mut(had..).unwrap_or_default()) {
                Ok(read) => read,
                Err(error) => {
                    self.raw.truncate(had);
                    if error.kind() == io::ErrorKind::Interrupted {
                        continue;
                    }
                    return Err(error);
                }
            };
            self.raw.truncate(had + read);
            self.is_at_end = read == 0;
        }
        Ok(())
    }

    /// Decodes the next bytes; none are left where it decodes nothing.
    fn fill(&mut self) -> io::Result<()> {
        self.decoded.clear();
        self.at = 0;
        while self.decoded.is_empty() && !(self.is_at_end && self.raw.is_empty()) {
            match &mut self.state {
                State::Begin => {
                    self.read_raw(3)?;
                    self.state = State::Ascii;
                    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(&self.raw) {
                        self.raw.drain(..mark);
                        self.state =
                            if encoding == UTF_8 { State::Utf8 } else { self.other(Encoding::Marked(encoding)) };
                    }
                }
                State::Ascii => {
                    self.read_raw(1)?;
                    match self.raw.iter().position(|byte| !byte.is_ascii()) {
                        None => std::mem::swap(&mut self.decoded, &mut self.raw),
                        Some(0) => {
                            // A failure further on is met again when the text before it has been read.
                            let _ = self.read_raw(LOOKAHEAD);
                            self.state = match std::str::from_utf8(&self.raw) {
                                Ok(_) => State::Utf8,
                                Err(error) if error.error_len().is_none() && !self.is_at_end => State::Utf8,
                                Err(_) => self.other(Encoding::detect(&self.raw, self.is_at_end)),
                            };
                        }
                        Some(at) => self.decoded.extend(self.raw.drain(..at)),
                    }
                }
                State::Utf8 => {
                    self.read_raw(1)?;
                    std::mem::swap(&mut self.decoded, &mut self.raw);
                }
                State::Other(decoder) => {
                    let is_last = self.is_at_end;
                    let mut text = String::with_capacity(
                        decoder.max_utf8_buffer_length(self.raw.len()).unwrap_or(self.raw.len().saturating_mul(3)),
                    );
                    let (_, taken, _) = decoder.decode_to_string(&self.raw, &mut text, is_last);
                    self.raw.drain(..taken);
                    self.decoded = text.into_bytes();
                    if self.decoded.is_empty() && !is_last {
                        let wanted = self.raw.len() + 1;
                        self.read_raw(wanted)?;
                        // The end is told to the decoder once more, for a character that was cut.
                        if self.is_at_end && self.raw.is_empty() {
                            let State::Other(decoder) = &mut self.state else { return Ok(()) };
                            let mut rest = String::with_capacity(16);
                            let _ = decoder.decode_to_string(&[], &mut rest, true);
                            self.decoded = rest.into_bytes();
                            return Ok(());
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn other(&mut self, encoding: Encoding) -> State {
        self.encoding = encoding;
        match encoding {
            Encoding::Marked(encoding) | Encoding::Detected(encoding) => {
                State::Other(encoding.new_decoder_without_bom_handling())
            }
            Encoding::Utf8 => State::Utf8,
        }
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.decoded.len() {
            self.fill()?;
        }
        let rest = self.decoded.get(self.at..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(from), Some(to)) = (rest.get(..count), buffer.get_mut(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}

/// Whether the bytes begin with a byte order mark.
pub(crate) fn has_mark(bytes: &[u8]) -> bool {
    encoding_rs::Encoding::for_bom(bytes).is_some()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(text: &str, encoding: &'static encoding_rs::Encoding) -> Vec<u8> {
        encoding.encode(text).0.into_owned()
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().fold(vec![0xFF, 0xFE], |mut bytes, unit| {
            bytes.extend(unit.to_le_bytes());
            bytes
        })
    }

    fn streamed(bytes: &[u8]) -> (String, Encoding) {
        let mut decoder = Decoder::new(bytes);
        let mut text = String::new();
        decoder.read_to_string(&mut text).unwrap();
        (text, decoder.encoding())
    }

    #[test]
    fn a_text_is_read_in_the_encodings_that_people_save() {
        for (bytes, text, detected) in [
            ("café 退款".as_bytes().to_vec(), "café 退款", None),
            (b"\xEF\xBB\xBFcaf\xC3\xA9".to_vec(), "café", None),
            (utf16("refund\r\n退款\r\n"), "refund\r\n退款\r\n", None),
            (encoded("refund\r\n退款\r\n", GB18030), "refund\r\n退款\r\n", Some("gb18030")),
            (encoded("file,team\r\n0041.json,华北\r\n", GB18030), "file,team\r\n0041.json,华北\r\n", Some("gb18030")),
            (
                encoded("url;queue\r\na.wav;Rückgabe\r\n", encoding_rs::WINDOWS_1252),
                "url;queue\r\na.wav;Rückgabe\r\n",
                Some("windows-1252"),
            ),
            (encoded("担当者,通話", encoding_rs::SHIFT_JIS), "担当者,通話", Some("Shift_JIS")),
            (encoded("Очередь;Возврат", encoding_rs::WINDOWS_1251), "Очередь;Возврат", Some("windows-1251")),
            (Vec::new(), "", None),
        ] {
            let (whole, encoding) = decode(&bytes);
            assert_eq!((&*whole, encoding.detected()), (text, detected));
            let (stream, encoding) = streamed(&bytes);
            assert_eq!((&*stream, encoding.detected()), (text, detected));
        }
    }

    #[test]
    fn what_is_not_ascii_may_come_late() {
        let long = "https://calls.example/a.wav,1\n".repeat(20_000);
        for (late, encoding) in [("华北,退款\n", GB18030), ("Rückgabe über Größe\n", encoding_rs::WINDOWS_1252)]
        {
            let bytes = [long.as_bytes(), &encoded(late, encoding)].concat();
            let (text, found) = streamed(&bytes);
            assert!(text.ends_with(late) && text.len() == long.len() + late.len());
            assert!(found.detected().is_some());
        }
        let text = format!("{long}é{long}");
        assert_eq!(streamed(text.as_bytes()), (text, Encoding::Utf8));
    }

    proptest! {
        #[test]
        fn a_stream_is_decoded_as_the_whole(text in "[a-zA-Z0-9 ,\n\u{e9}\u{4e2d}\u{6587}\u{1f600}]{0,300}", bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            for bytes in [text.clone().into_bytes(), utf16(&text), [b"\xFF\xFE", &bytes[..]].concat()] {
                let mut stream = Vec::new();
                Decoder::new(&bytes[..]).read_to_end(&mut stream).unwrap();
                prop_assert_eq!(String::from_utf8_lossy(&stream), decode(&bytes).0);
            }
        }
    }
}
