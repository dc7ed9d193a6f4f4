//! Lines of bounded length, ended by LF, CRLF or CR.

use std::io::{BufRead, BufReader, Read};

use super::text::{Decoder, Encoding};
use super::{Fault, LONGEST_LINE};
use crate::error::reason;

/// Lines, numbered from 1, without their ends.
pub(super) struct Lines<R> {
    reader: BufReader<Decoder<R>>,
    number: u64,
    line: Vec<u8>,
    /// The last line ended with a carriage return, whose line feed may follow.
    is_after_return: bool,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader: BufReader::with_capacity(LONGEST_LINE, Decoder::new(reader)),
            number: 0,
            line: Vec::new(),
            is_after_return: false,
        }
    }

    /// Reads the next line; false at the end.
    pub(super) fn read(&mut self) -> Result<bool, Fault> {
        self.line.clear();
        self.number += 1;
        let mut is_at_end = true;
        loop {
            let buffer = match self.reader.fill_buf() {
                Ok([]) => break,
                Ok(buffer) => buffer,
                Err(error) => {
                    let why = reason(&error);
                    return Err(self.fatal(why));
                }
            };
            if std::mem::take(&mut self.is_after_return) && buffer.first() == Some(&b'\n') {
                self.reader.consume(1);
                continue;
            }
            is_at_end = false;
            let end = buffer.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
            self.line.extend_from_slice(part);
            self.is_after_return = end.and_then(|end| buffer.get(end)) == Some(&b'\r');
            let taken = part.len() + usize::from(end.is_some());
            self.reader.consume(taken);
            if self.line.len() > LONGEST_LINE {
                return Err(self.fatal(format!("a line over {LONGEST_LINE} bytes")));
            }
            if end.is_some() {
                break;
            }
        }
        if is_at_end {
            return Ok(false);
        }
        if self.line.contains(&0) {
            return Err(self.fatal("a NUL byte: not a text file".to_owned()));
        }
        Ok(true)
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }

    pub(super) fn text(&self) -> Result<&str, Fault> {
        std::str::from_utf8(&self.line).map_err(|_| self.fatal("not UTF-8".to_owned()))
    }

    pub(super) fn is_blank(&self) -> bool {
        self.line.trim_ascii().is_empty()
    }

    pub(super) fn encoding(&self) -> Encoding {
        self.reader.get_ref().encoding()
    }

    fn fatal(&self, why: String) -> Fault {
        Fault { line: self.number, why, is_fatal: true }
    }
}
