//! Bytes → [`Transcript`] in one pass, without an intermediate tree.
//!
//! [`quick`] reads ordinary files; every other is read by the visitors, which decide what a file means.
//!
//! The visitors are written by hand because serde's derive rejects repeated keys; here the last value wins and the
//! repetition is counted (definitions: result file). Scalars are kept as received (`Raw`) until their object ends, so a
//! replaced value leaves no trace; the notices of a replaced container are removed.

mod container;
mod objects;
mod quick;
mod scalar;

use std::collections::HashMap;

use serde::de::DeserializeSeed;

use super::foreign::{self, Format};
use super::{Channel, Code, Notices, ParseError, ParseErrorKind, Transcript};
use container::{ObjectSeed, Shape};
use objects::{Entry, Root};
use scalar::Reader;

/// Reads one result file (definitions: result file, fields, identifiers), or a transcript of another recogniser
/// ([`foreign`]). A byte order mark is skipped.
///
/// # Errors
/// [`ParseError`] if the bytes are not UTF-8, not JSON (NaN and Infinity are not), more than one JSON value, or not an
/// object with an array `transcripts`, and no transcript of another recogniser either. Everything else is read; odd values are counted in [`Transcript::notices`].
pub fn read(bytes: &[u8]) -> Result<Transcript<'_>, ParseError> {
    let json = match text(bytes) {
        Ok(json) => json,
        Err(error) => return foreign::read(bytes).unwrap_or(Err(error)),
    };
    let quick = quick::read(json);
    // Without a sentence it may be another recogniser's.
    if let Some(transcript) = quick.filter(|read| read.channels.iter().any(|channel| !channel.sentences.is_empty())) {
        return Ok(transcript);
    }
    // Results of the service do not have these keys; transcripts of others have, under a key `transcripts` as well.
    let has_others = || ["\"type\"", "\"language_code\"", "\"channel_index\""].iter().any(|key| json.contains(key));
    let is_plain = json.contains("\"transcripts\"") && !has_others();
    if !is_plain && let Some(read) = foreign::read_text(json) {
        return read;
    }
    let tried = |error: ParseError| match (error.kind(), foreign::syntax_error(json)) {
        (ParseErrorKind::NotAResult, Some(error)) => ParseError::not_json(json, &error),
        (ParseErrorKind::NotAResult, None) => error.tried(Format::ALL.into_iter().filter(|format| format.is_json())),
        (ParseErrorKind::NotJson, _) => error.tried(Format::ALL.into_iter().filter(|format| !format.is_json())),
        _ => error,
    };
    read_carefully(json).or_else(|error| {
        let other = is_plain.then(|| foreign::read_text(json)).flatten();
        other.unwrap_or_else(|| Err(tried(error)))
    })
}

/// Reads one result file of the service.
pub(super) fn read_result(bytes: &[u8]) -> Result<Transcript<'_>, ParseError> {
    let json = text(bytes)?;
    quick::read(json).map_or_else(|| read_carefully(json), Ok)
}

/// Checked once for the whole file, so the parser can take every string as it is.
fn text(bytes: &[u8]) -> Result<&str, ParseError> {
    let unmarked = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(unmarked).map_err(|error| ParseError::not_utf8(unmarked, error))
}

/// Reads any file: counts odd values, and explains why a file is refused.
fn read_carefully(json: &str) -> Result<Transcript<'_>, ParseError> {
    let reader = Reader::default();
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let root = ObjectSeed::<Root<'_>>::new(&reader, 0)
        .deserialize(&mut deserializer)
        .and_then(|root| deserializer.end().map(|()| root))
        .map_err(|error| ParseError::not_json(json, &error))?;
    let Shape::Is(root) = root else { return Err(ParseError::no_result(json)) };
    let Shape::Is(entries) = root.transcripts else { return Err(ParseError::no_result(json)) };
    Ok(root.transcript.with(entries, reader.notices.into_inner()))
}

impl<'de> Transcript<'de> {
    /// Adds the entries of `transcripts` as channels: one per channel id, ascending (definitions: identifiers).
    fn with(mut self, entries: Vec<Entry<'de>>, mut notices: Notices) -> Self {
        let mut known: HashMap<u32, usize> = HashMap::with_capacity(entries.len());
        for Entry { place, channel } in entries {
            let index = *known.entry(channel.id).or_insert(self.channels.len());
            match self.channels.get_mut(index) {
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
            (Some(one), Some(two)) => Some(one.saturating_add(two)),
            (one, two) => one.or(two),
        };
        if let Some(text) = other.text {
            self.text.get_or_insert_default().to_mut().push_str(&text);
        }
        self.sentences.extend(other.sentences);
    }
}
