//! CSV records, line by line.

use std::io::Read;
use std::str::Utf8Error;

use csv_core::ReadRecordResult;

use super::lines::Lines;
use super::{Fault, LONGEST_LINE};

/// One CSV record, read line by line, so that its first line is known and its length is bounded.
pub(super) struct Record {
    machine: csv_core::Reader,
    delimiter: u8,
    bytes: Vec<u8>,
    used: usize,
    /// Where each field ends in `bytes`.
    ends: Vec<usize>,
    count: usize,
    is_whole: bool,
}

impl Record {
    pub(super) fn new(delimiter: u8) -> Self {
        let machine = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        let bytes = vec![0; LONGEST_LINE];
        Self { machine, delimiter, bytes, used: 0, ends: vec![0; 64], count: 0, is_whole: true }
    }

    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Reads the next record; its first line, `None` at the end. Blank lines are skipped.
    pub(super) fn read<R: Read>(&mut self, lines: &mut Lines<R>) -> Result<Option<u64>, Fault> {
        loop {
            if !lines.read()? {
                return Ok(None);
            }
            if !lines.is_blank() {
                return self.read_on(lines).map(Some);
            }
        }
    }

    /// Reads the record that begins with the current line; its first line.
    pub(super) fn read_on<R: Read>(&mut self, lines: &mut Lines<R>) -> Result<u64, Fault> {
        let line = lines.number();
        let fatal = |why: String| Fault { line, why, is_fatal: true };
        loop {
            match self.take(lines.line()).and_then(|_| self.take(b"\n")) {
                Some(true) => return Ok(line),
                Some(false) => {}
                None => return Err(fatal(format!("a record over {LONGEST_LINE} bytes; is a quote never closed?"))),
            }
            if !lines.read()? {
                return Err(fatal("a quote is never closed".to_owned()));
            }
        }
    }

    /// Takes bytes: true where they complete the record, `None` where the record is too long.
    fn take(&mut self, mut line: &[u8]) -> Option<bool> {
        if self.is_whole {
            (self.used, self.count, self.is_whole) = (0, 0, false);
        }
        loop {
            // No bytes would tell the machine that there are no more.
            if line.is_empty() {
                return Some(false);
            }
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

    /// Whether no field has anything in it.
    pub(super) fn is_empty(&self) -> bool {
        self.fields().all(|field| field.trim_ascii().is_empty())
    }

    /// The fields, trimmed.
    pub(super) fn cells(&self) -> Result<Vec<String>, Utf8Error> {
        self.fields().map(|field| std::str::from_utf8(field).map(|cell| cell.trim().to_owned())).collect()
    }
}

/// The fields of a line; none if a quote is open at its end.
pub(super) fn fields(line: &[u8], delimiter: u8) -> Vec<String> {
    let mut record = Record::new(delimiter);
    let is_whole = record.take(line).and_then(|_| record.take(b"\n"));
    if is_whole != Some(true) {
        // A quoted name may go on in the next line: what is before it tells enough.
        let text = String::from_utf8_lossy(line);
        return text.split(char::from(delimiter)).map(|name| name.trim().trim_matches('"').to_owned()).collect();
    }
    record.fields().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect()
}
