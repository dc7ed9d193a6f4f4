//! Why a file is not a result file.

use std::fmt;
use std::str::Utf8Error;

use serde::Deserialize;

use super::foreign::Format;

/// What was found instead of a result file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// Nothing, or white space.
    Empty,
    /// JSON that stops in the middle.
    Incomplete,
    /// Text that is not JSON.
    NotJson,
    /// Bytes that are not text.
    NotUtf8,
    /// HTML or XML, such as the error page of an expired link.
    Html,
    /// Compressed data.
    Gzip,
    /// UTF-16 text.
    Utf16,
    /// More than one JSON value, such as JSON lines.
    SeveralValues,
    /// The service's answer about a task.
    TaskAnswer,
    /// The service's answer to a synchronous call.
    FlashAnswer,
    /// An error answer of the service.
    ErrorAnswer,
    /// Transcripts of several recordings in one file.
    SeveralRecordings,
    /// Other JSON.
    NotAResult,
}

/// Why a file cannot be read as a result.
///
/// `Display` is one lowercase clause with the place, if there is one.
///
/// ```
/// use talkmeter::transcript::{ParseErrorKind, read};
///
/// let error = read(b"<!DOCTYPE html><html></html>").unwrap_err();
/// assert_eq!(error.kind(), ParseErrorKind::Html);
/// assert_eq!(error.to_string(), "this is HTML, not a result file");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    kind: ParseErrorKind,
    message: String,
}

impl ParseError {
    fn new(kind: ParseErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// What was found instead of a result file.
    #[must_use]
    pub fn kind(&self) -> ParseErrorKind {
        self.kind
    }

    pub(super) fn not_utf8(bytes: &[u8], error: Utf8Error) -> Self {
        if bytes.starts_with(&[0x1F, 0x8B]) {
            return Self::new(ParseErrorKind::Gzip, "this is gzip data, not JSON");
        }
        if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
            return Self::new(ParseErrorKind::Utf16, "this is UTF-16, JSON is UTF-8");
        }
        Self::new(ParseErrorKind::NotUtf8, format!("not valid UTF-8 at byte {}", error.valid_up_to()))
    }

    pub(super) fn not_json(json: &str, error: &serde_json::Error) -> Self {
        let start = json.trim_start();
        if start.is_empty() {
            return Self::new(ParseErrorKind::Empty, "the file is empty");
        }
        if start.starts_with('<') {
            let html = start.get(..500).unwrap_or(start).to_ascii_lowercase().contains("<html");
            let kind = if html { "HTML" } else { "XML or HTML" };
            return Self::new(ParseErrorKind::Html, format!("this is {kind}, not a result file"));
        }
        if !start.starts_with(['{', '[', '"']) {
            return Self::new(ParseErrorKind::NotJson, "this is not JSON");
        }
        let place = format!("line {} column {}", error.line(), error.column());
        if error.is_eof() {
            return Self::new(ParseErrorKind::Incomplete, format!("incomplete JSON: the file ends at {place}"));
        }
        let message = error.to_string();
        if message.starts_with("trailing characters") {
            let message = format!("more than one JSON value: another begins at {place}");
            return Self::new(ParseErrorKind::SeveralValues, message);
        }
        Self::new(ParseErrorKind::NotJson, format!("invalid JSON: {message}"))
    }

    /// For a file without the structure of the format that the caller named; of a file of lines with the first that differs.
    pub(super) fn no_shape(format: Format, line: Option<u32>) -> Self {
        let place = line.map(|line| format!(" (line {line})")).unwrap_or_default();
        Self::new(ParseErrorKind::NotAResult, format!("this does not have the structure of {}{place}", format.name()))
    }

    /// Names the formats of other recognisers whose structure was looked for.
    pub(super) fn tried(mut self, formats: impl Iterator<Item = Format>) -> Self {
        let names: Vec<&str> = formats.map(Format::name).collect();
        self.message += &format!("; nor is it any of {}", names.join(", "));
        self
    }

    /// For a file that holds several recordings; names the first ones, those without a name by their place.
    pub(super) fn recordings<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let names: Vec<&str> = names.collect();
        let label = |(name, number): (&&str, u32)| match name.is_empty() {
            true => format!("no. {number}"),
            false => name.chars().take(80).collect(),
        };
        let shown = names.iter().zip(1..).take(5).map(label).collect::<Vec<String>>().join(", ");
        let more = if names.len() > 5 { ", …" } else { "" };
        let shown = if names.iter().any(|name| !name.is_empty()) { format!(": {shown}{more}") } else { String::new() };
        let message = format!("{} recordings in one file{shown}; one file per recording is needed", names.len());
        Self::new(ParseErrorKind::SeveralRecordings, message)
    }

    /// For valid JSON that is not an object with an array `transcripts`.
    pub(super) fn no_result(json: &str) -> Self {
        let start = json.trim_start();
        let found = match start.bytes().next() {
            Some(b'[') => {
                let levels = nesting(start);
                if levels > 100 {
                    let message = format!("not a transcription result: nested too deeply ({levels} levels)");
                    return Self::new(ParseErrorKind::NotAResult, message);
                }
                "found an array"
            }
            Some(b'"') => "found a string",
            Some(b'{') => return Self::other_object(json),
            Some(b't' | b'f') => "found a boolean",
            Some(b'n') => "found null",
            _ => "found a number",
        };
        let message = format!("not a transcription result: expected an object, {found}");
        Self::new(ParseErrorKind::NotAResult, message)
    }

    /// Recognises answers of the service that are saved by mistake.
    fn other_object(json: &str) -> Self {
        #[derive(Deserialize)]
        struct Answer {
            output: Option<Output>,
            code: Option<String>,
            transcripts: Option<serde::de::IgnoredAny>,
        }
        #[derive(Deserialize)]
        struct Output {
            task_id: Option<serde::de::IgnoredAny>,
            choices: Option<serde::de::IgnoredAny>,
            text: Option<serde::de::IgnoredAny>,
        }
        match serde_json::from_str::<Answer>(json) {
            Ok(Answer { output: Some(Output { task_id: Some(_), .. }), .. }) => {
                Self::new(ParseErrorKind::TaskAnswer, "this is a task answer, not a result file")
            }
            Ok(Answer { output: Some(Output { choices, text, .. }), .. }) if choices.is_some() || text.is_some() => {
                Self::new(ParseErrorKind::FlashAnswer, "this is a flash answer, not a result file")
            }
            Ok(Answer { code: Some(code), transcripts: None, .. }) => {
                let code: String = code.chars().take(80).collect();
                let message = format!("this is an error answer of the service (code {code}), not a result file");
                Self::new(ParseErrorKind::ErrorAnswer, message)
            }
            Ok(Answer { transcripts: Some(_), .. }) => {
                Self::new(ParseErrorKind::NotAResult, "not a transcription result: `transcripts` is not an array")
            }
            _ => Self::new(ParseErrorKind::NotAResult, "not a transcription result: no array `transcripts`"),
        }
    }
}

/// Depth of nested brackets outside of strings.
fn nesting(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ParseError {}

impl From<ParseError> for crate::Error {
    fn from(error: ParseError) -> Self {
        Self::invalid(error.message)
    }
}
