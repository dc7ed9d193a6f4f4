//! Lists of recordings: plain text, CSV, JSON lines. Entries come one by one; nothing is kept.

use std::io::{BufRead, BufReader, Read};

use csv_core::ReadRecordResult;
use serde::Deserialize;

use crate::error::reason;

/// The longest line, or CSV record, that is read, in bytes.
const LONGEST_LINE: usize = 64 * 1024;

/// The column, and the member of a JSON object, that is read.
const COLUMN: &str = "url";

/// One entry, or in one clause why there is none. After [`Entry::Broken`] the list is read no further.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry<'a> {
    /// What stands there, not empty.
    Text(&'a str),
    /// This line makes no sense; the next may.
    Wrong(String),
    /// This is no list of the kind it seems to be.
    Broken(String),
}

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// One a line; blank lines and lines that begin with `#` say nothing.
    Text,
    /// Delimiter and the index of the column, by the header.
    Csv(u8, usize, usize),
    /// A string, or an object with `url`, a line.
    JsonLines,
}

/// Reads a list to its end; `each` gets the number of the line, from 1, with what stands there.
///
/// `name` decides by its extension how the list is written (`.txt`, `.csv`, `.tsv`, `.jsonl`, `.ndjson`); else the
/// first line that is not blank does: a CSV header has a column `url`, JSON begins with `{` or `"`, all else is text.
pub(super) fn read(name: &str, reader: impl Read, mut each: impl FnMut(u64, Entry<'_>)) {
    let mut lines = Lines::new(reader);
    let format = loop {
        match lines.next() {
            Ok(true) if lines.is_blank() => {}
            Ok(true) => break format_of(name, &lines.line),
            Ok(false) => return,
            Err(why) => return each(lines.number, Entry::Broken(why)),
        }
    };
    match format {
        Err(why) => each(lines.number, Entry::Broken(why)),
        Ok(Format::Csv(delimiter, column, columns)) => records(lines, delimiter, column, columns, each),
        Ok(Format::Text) => entries(lines, each, |line| {
            let line = line.trim();
            if line.starts_with('#') { Ok(None) } else { Ok(Some(line.to_owned())) }
        }),
        Ok(Format::JsonLines) => entries(lines, each, |line| json(line).map(Some)),
    }
}

/// Lines of text, the first of which has been read.
fn entries<R: Read>(
    mut lines: Lines<R>,
    mut each: impl FnMut(u64, Entry<'_>),
    entry: impl Fn(&str) -> Result<Option<String>, String>,
) {
    loop {
        if !lines.is_blank() {
            match std::str::from_utf8(&lines.line).map(&entry) {
                Err(_) => return each(lines.number, Entry::Broken("not UTF-8".to_owned())),
                Ok(Err(why)) => each(lines.number, Entry::Wrong(why)),
                Ok(Ok(Some(text))) => each(lines.number, Entry::Text(&text)),
                Ok(Ok(None)) => {}
            }
        }
        match lines.next() {
            Ok(true) => {}
            Ok(false) => return,
            Err(why) => return each(lines.number, Entry::Broken(why)),
        }
    }
}

#[derive(Deserialize)]
struct Object {
    url: String,
}

fn json(line: &str) -> Result<String, String> {
    let line = line.trim();
    let read = match line.as_bytes().first() {
        Some(b'"') => serde_json::from_str(line),
        Some(b'{') => serde_json::from_str(line).map(|object: Object| object.url),
        _ => return Err("neither a JSON object nor a JSON string".to_owned()),
    };
    match read {
        Ok(url) if url.trim().is_empty() => Err(format!("`{COLUMN}` is empty")),
        Ok(url) => Ok(url),
        Err(error) => {
            // Its line is always the first of one; the caller knows better.
            let said = error.to_string();
            let what = said.rsplit_once(" at line ").map_or(&*said, |(what, _)| what);
            Err(format!("{what} (column {})", error.column()))
        }
    }
}

/// CSV records after the header, which has been read.
fn records<R: Read>(
    mut lines: Lines<R>,
    delimiter: u8,
    column: usize,
    columns: usize,
    mut each: impl FnMut(u64, Entry<'_>),
) {
    let mut record = Record::new(delimiter);
    let mut begin = None;
    loop {
        match lines.next() {
            Ok(true) if begin.is_none() && lines.is_blank() => continue,
            Ok(true) => {}
            Ok(false) => match begin {
                Some(begin) => return each(begin, Entry::Broken("a quote is never closed".to_owned())),
                None => return,
            },
            Err(why) => return each(lines.number, Entry::Broken(why)),
        }
        let number = *begin.get_or_insert(lines.number);
        lines.line.push(b'\n');
        match record.read(&lines.line) {
            Some(true) => begin = None,
            Some(false) => continue,
            None => {
                let why = format!("a record over {LONGEST_LINE} bytes; is a quote never closed?");
                return each(number, Entry::Broken(why));
            }
        }
        if record.fields().all(|field| field.trim_ascii().is_empty()) {
            continue;
        }
        if record.fields().skip(columns).any(|field| !field.trim_ascii().is_empty()) {
            // An unquoted comma inside a URL would cut it short.
            let fields = record.fields().count();
            let why = format!("{fields} fields, but the header has {columns}; quote a field that holds the delimiter");
            each(number, Entry::Wrong(why));
            continue;
        }
        match record.fields().nth(column).map(|field| std::str::from_utf8(field).map(str::trim)) {
            Some(Err(_)) => return each(number, Entry::Broken("not UTF-8".to_owned())),
            None | Some(Ok("")) => each(number, Entry::Wrong(format!("`{COLUMN}` is empty"))),
            Some(Ok(text)) => each(number, Entry::Text(text)),
        }
    }
}

/// One CSV record, read line by line, so that its first line is known and its length is bounded.
struct Record {
    machine: csv_core::Reader,
    bytes: Vec<u8>,
    used: usize,
    /// Where each field ends in `bytes`.
    ends: Vec<usize>,
    count: usize,
    is_whole: bool,
}

impl Record {
    fn new(delimiter: u8) -> Self {
        let machine = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        Self { machine, bytes: vec![0; LONGEST_LINE], used: 0, ends: vec![0; 64], count: 0, is_whole: true }
    }

    /// Takes a line with its end: true where it completes the record, `None` where the record is too long.
    fn read(&mut self, mut line: &[u8]) -> Option<bool> {
        if self.is_whole {
            (self.used, self.count, self.is_whole) = (0, 0, false);
        }
        loop {
            let (result, taken, written, ended) =
                self.machine.read_record(line, self.bytes.get_mut(self.used..)?, self.ends.get_mut(self.count..)?);
            line = line.get(taken..)?;
            self.used += written;
            self.count += ended;
            match result {
                ReadRecordResult::InputEmpty => return Some(false),
                ReadRecordResult::OutputFull => return None,
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record | ReadRecordResult::End => {
                    self.is_whole = true;
                    return Some(true);
                }
            }
        }
    }

    fn fields(&self) -> impl Iterator<Item = &[u8]> {
        let ends = self.ends.iter().take(self.count);
        ends.scan(0, |begin, end| self.bytes.get(std::mem::replace(begin, *end)..*end))
    }
}

/// By the name's extension, else by the first line.
fn format_of(name: &str, line: &[u8]) -> Result<Format, String> {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref() {
        Some("txt") => return Ok(Format::Text),
        Some("jsonl" | "ndjson") => return Ok(Format::JsonLines),
        _ => {}
    }
    for delimiter in [b',', b';', b'\t'] {
        let header = header(line, delimiter);
        let mut found = header.iter().enumerate().filter(|(_, name)| name.eq_ignore_ascii_case(COLUMN));
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => return Err(format!("two columns `{COLUMN}`")),
            (Some((column, _)), None) => return Ok(Format::Csv(delimiter, column, header.len())),
            (None, _) => {}
        }
    }
    match extension.as_deref() {
        Some("csv" | "tsv") => {
            let delimiter = if extension.as_deref() == Some("tsv") { b'\t' } else { b',' };
            let has = header(line, delimiter).join(", ");
            let has: String = has.chars().take(120).collect();
            Err(format!("no column `{COLUMN}`; the header has {has}"))
        }
        _ => match line.trim_ascii_start().first() {
            Some(b'{' | b'"') => Ok(Format::JsonLines),
            Some(b'[') => Err("a JSON array; give one object or string a line".to_owned()),
            _ => Ok(Format::Text),
        },
    }
}

/// The names in a CSV header, trimmed; what is no UTF-8 with U+FFFD.
fn header(line: &[u8], delimiter: u8) -> Vec<String> {
    let mut record = Record::new(delimiter);
    match record.read(&[line, b"\n"].concat()) {
        Some(true) => record.fields().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect(),
        _ => Vec::new(),
    }
}

/// Lines of bounded length, numbered from 1, without their ends and without a byte order mark.
struct Lines<R> {
    reader: BufReader<R>,
    number: u64,
    line: Vec<u8>,
}

impl<R: Read> Lines<R> {
    fn new(reader: R) -> Self {
        Self { reader: BufReader::with_capacity(LONGEST_LINE, reader), number: 0, line: Vec::new() }
    }

    /// Reads the next line; false at the end.
    fn next(&mut self) -> Result<bool, String> {
        self.line.clear();
        self.number += 1;
        let bound = u64::try_from(LONGEST_LINE + 2).unwrap_or(u64::MAX);
        let read = self.reader.by_ref().take(bound).read_until(b'\n', &mut self.line);
        if read.map_err(|error| reason(&error))? == 0 {
            return Ok(false);
        }
        if self.number == 1 {
            if self.line.starts_with(&[0xFF, 0xFE]) || self.line.starts_with(&[0xFE, 0xFF]) {
                return Err("UTF-16; save the list as UTF-8".to_owned());
            }
            if self.line.starts_with("\u{FEFF}".as_bytes()) {
                self.line.drain(..3);
            }
        }
        if self.line.contains(&0) {
            return Err("a NUL byte: no text file".to_owned());
        }
        for end in *b"\n\r" {
            self.line.pop_if(|last| *last == end);
        }
        if self.line.len() > LONGEST_LINE {
            return Err(format!("a line over {LONGEST_LINE} bytes"));
        }
        Ok(true)
    }

    fn is_blank(&self) -> bool {
        self.line.trim_ascii().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use proptest::prelude::*;

    use super::*;

    /// A line each: its number, then the text, or what is wrong.
    fn said(name: &str, list: impl AsRef<[u8]>) -> Vec<String> {
        let mut said = Vec::new();
        read(name, list.as_ref(), |number, entry| {
            said.push(match entry {
                Entry::Text(text) => format!("{number} {text}"),
                Entry::Wrong(why) => format!("{number} wrong: {why}"),
                Entry::Broken(why) => format!("{number} broken: {why}"),
            });
        });
        said
    }

    #[test]
    fn text_has_one_a_line() {
        let list = "\u{FEFF}# from the recorder\r\n\r\nhttps://h/a.wav\r\n  calls/b c.wav \n\t#off\nlast.wav";
        assert_eq!(said("-", list), ["3 https://h/a.wav", "4 calls/b c.wav", "6 last.wav"]);
        assert_eq!(said("list.txt", "url\n{\"url\": 1}"), ["1 url", "2 {\"url\": 1}"]);
        assert_eq!(said("empty.txt", ""), Vec::<String>::new());
        assert_eq!(said("-", "\n \n"), Vec::<String>::new());
    }

    #[test]
    fn csv_has_a_column_url_wherever_it_stands() {
        let list = "\nagent,\"URL\",note\r\nAda,\"https://h/a,b.wav\",\"said \"\"no\"\",\ntwice\"\r\n,,\r\nBo,c.wav\n";
        assert_eq!(said("-", list), ["3 https://h/a,b.wav", "6 c.wav"]);
        assert_eq!(said("list.csv", "id;url\n1;https://h/a,b.wav\n"), ["2 https://h/a,b.wav"]);
        assert_eq!(said("list.tsv", "url\tid\nhttps://h/a.wav\t1\n"), ["2 https://h/a.wav"]);
        assert_eq!(said("-", "url\nhttps://h/a.wav\n\na.wav\n"), ["2 https://h/a.wav", "4 a.wav"]);
        // Other columns may be written in anything.
        assert_eq!(said("-", b"url,agent\na.wav,\xc4\xe3\n"), ["2 a.wav"]);
        assert_eq!(said("-", "url,\na.wav,,,\n"), ["2 a.wav"]);
    }

    #[test]
    fn csv_that_would_name_another_file_is_refused() {
        assert_eq!(
            said("-", "url\nhttps://h/a,b.wav\nc.wav"),
            ["2 wrong: 2 fields, but the header has 1; quote a field that holds the delimiter", "3 c.wav"]
        );
        assert_eq!(
            said("-", "id,url\n1\n2, \n3,a.wav"),
            ["2 wrong: `url` is empty", "3 wrong: `url` is empty", "4 a.wav"]
        );
        assert_eq!(said("list.csv", "id,link\n1,a"), ["1 broken: no column `url`; the header has id, link"]);
        assert_eq!(said("list.csv", "url,URL\n1,a"), ["1 broken: two columns `url`"]);
        assert_eq!(said("-", b"url\na.wav\n\xff\nb.wav"), ["2 a.wav", "3 broken: not UTF-8"]);
        assert_eq!(said("-", "url\na\0.wav\n"), ["2 broken: a NUL byte: no text file"]);
        assert_eq!(said("-", "url\na.wav\n\"b.wav\nc.wav\n"), ["2 a.wav", "3 broken: a quote is never closed"]);
        // A quote inside a field is a quote.
        assert_eq!(said("-", "note,url\n5\" pipe,a.wav\nx,b.wav"), ["2 a.wav", "3 b.wav"]);
        let wide = format!("{}url\n{}a.wav\n", "x,".repeat(300), "1,".repeat(300));
        assert_eq!(said("-", wide), ["2 a.wav"]);
    }

    #[test]
    fn json_lines_are_strings_or_objects() {
        let list = "{\"id\": 7, \"url\": \"https://h/a.wav\"}\r\n\n\"b \\u5ba2.wav\"\n";
        assert_eq!(said("-", list), ["1 https://h/a.wav", "3 b 客.wav"]);
        assert_eq!(
            said("list.ndjson", "{}\n[1]\n{\"url\": 3}\n{\"url\": \" \"}\n\"a\" \"b\"\n\"a\""),
            [
                "1 wrong: missing field `url` (column 2)",
                "2 wrong: neither a JSON object nor a JSON string",
                "3 wrong: invalid type: integer `3`, expected a string (column 9)",
                "4 wrong: `url` is empty",
                "5 wrong: trailing characters (column 5)",
                "6 a"
            ]
        );
        assert_eq!(said("list.json", "[\n\"a\"]"), ["1 broken: a JSON array; give one object or string a line"]);
        // A column of one name is CSV, though it is a JSON string too.
        assert_eq!(said("-", "\"url\"\na.wav"), ["2 a.wav"]);
    }

    #[test]
    fn what_is_no_list_says_so_once() {
        assert_eq!(said("a.wav", b"RIFF\x24\0\0\0WAVE\n\0\0\n"), ["1 broken: a NUL byte: no text file"]);
        assert_eq!(said("-", b"\xff\xfeu\0r\0l\0"), ["1 broken: UTF-16; save the list as UTF-8"]);
        assert_eq!(said("-", b"a.wav\n\xc4\xe3\n\xc4\xe3\n"), ["1 a.wav", "2 broken: not UTF-8"]);
        let longest = "a".repeat(LONGEST_LINE);
        assert_eq!(said("-", format!("{longest}\r\nb"))[1], "2 b");
        assert_eq!(said("-", format!("b\n{longest}a\nc")), ["1 b", "2 broken: a line over 65536 bytes"]);
    }

    #[test]
    fn a_gigabyte_in_one_line_is_not_read() {
        for head in ["", "\"", "{\"url\":\"", "url\na.wav\n\""] {
            let mut read_bytes = 0;
            let counted =
                Counted { reader: head.as_bytes().chain(io::repeat(b'x').take(1 << 30)), read: &mut read_bytes };
            let mut last = String::new();
            read("-", counted, |number, entry| last = format!("{number} {entry:?}"));
            assert!(last.contains("over 65536 bytes"), "{last}");
            assert!(last.starts_with(if head.starts_with("url") { "3" } else { "1" }), "{last}");
            assert!(read_bytes < 300_000, "{read_bytes}");
        }
    }

    struct Counted<'a, R> {
        reader: R,
        read: &'a mut usize,
    }

    impl<R: Read> Read for Counted<'_, R> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let read = self.reader.read(buffer)?;
            *self.read += read;
            Ok(read)
        }
    }

    #[test]
    fn a_list_that_cannot_be_read_on_says_where() {
        struct Failing;
        impl Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::PermissionDenied.into())
            }
        }
        for (head, said) in [("a.wav\n", "2"), ("url\nb.wav\n", "3")] {
            let mut last = (0, String::new());
            read("-", head.as_bytes().chain(Failing), |number, entry| last = (number, format!("{entry:?}")));
            assert_eq!(format!("{} {}", last.0, last.1), format!("{said} Broken(\"permission denied\")"));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_list_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..200), name in "(-|a\\.(txt|csv|jsonl))") {
            said(&name, bytes);
        }

        #[test]
        fn what_was_quoted_comes_back(urls in proptest::collection::vec("[^\\s\0][^\r\n\0]{0,20}[^\\s\0]", 1..20)) {
            let mut list = csv::Writer::from_writer(Vec::new());
            list.write_record(["id", "url"]).unwrap();
            for url in &urls {
                list.write_record(["1", url]).unwrap();
            }
            let list = list.into_inner().unwrap();
            let expected: Vec<String> = urls.iter().enumerate().map(|(at, url)| format!("{} {}", at + 2, url.trim())).collect();
            prop_assert_eq!(said("-", list), expected);
        }
    }
}
