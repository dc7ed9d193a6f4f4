//! Why a file is no result file, in a line that helps.

use std::fmt;
use std::str::Utf8Error;

use serde::Deserialize;

/// A file that cannot be read as a result: what is wrong, where, and what to do about it.
///
/// `Display` is one lowercase clause; [`ParseError::hint`] says what a person can do next.
///
/// ```
/// let refused = talkmeter::transcript::read(b"<!DOCTYPE html><html></html>").unwrap_err();
/// assert_eq!(refused.to_string(), "this is HTML, not a result file");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    why: String,
    hint: Option<&'static str>,
}

const DOWNLOAD_AGAIN: &str = "download the result again: its link is good for 24 h";

impl ParseError {
    fn new(why: impl Into<String>, hint: Option<&'static str>) -> Self {
        Self { why: why.into(), hint }
    }

    /// What can be done about it, where something can.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        self.hint
    }

    pub(super) fn not_utf8(bytes: &[u8], error: Utf8Error) -> Self {
        if bytes.starts_with(&[0x1F, 0x8B]) {
            return Self::new("this is gzip data, not JSON", Some("unpack it first: gunzip"));
        }
        if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
            return Self::new("this is UTF-16, JSON is UTF-8", Some("convert it: iconv -f UTF-16 -t UTF-8"));
        }
        Self::new(format!("not valid UTF-8 at byte {}", error.valid_up_to()), Some(DOWNLOAD_AGAIN))
    }

    pub(super) fn not_json(json: &str, error: &serde_json::Error) -> Self {
        let start = json.trim_start();
        if start.is_empty() {
            return Self::new("the file is empty", Some(DOWNLOAD_AGAIN));
        }
        if start.starts_with('<') {
            let html = start.get(..500).unwrap_or(start).to_ascii_lowercase().contains("<html");
            let kind = if html { "HTML" } else { "XML or HTML" };
            return Self::new(format!("this is {kind}, not a result file"), Some(DOWNLOAD_AGAIN));
        }
        if error.is_eof() {
            let place = format!("incomplete JSON: the file stops at line {} column {}", error.line(), error.column());
            return Self::new(place, Some(DOWNLOAD_AGAIN));
        }
        let said = error.to_string();
        if said.starts_with("trailing characters") {
            let place =
                format!("more than one JSON value: another begins at line {} column {}", error.line(), error.column());
            return Self::new(place, Some("one result a file: split JSON lines first"));
        }
        Self::new(format!("invalid JSON: {said}"), None)
    }

    /// Valid JSON, but no object with an array `transcripts`.
    pub(super) fn no_result(json: &str) -> Self {
        let start = json.trim_start();
        let found = match start.bytes().next() {
            Some(b'[') => {
                let levels = nesting(start);
                if levels > 100 {
                    return Self::new(format!("not a transcription result: nested too deeply ({levels} levels)"), None);
                }
                "found an array"
            }
            Some(b'"') => "found a string",
            Some(b'{') => return Self::other_object(json),
            Some(b't' | b'f') => "found a boolean",
            Some(b'n') => "found null",
            _ => "found a number",
        };
        Self::new(format!("not a transcription result: expected an object, {found}"), None)
    }

    /// Answers of the service that people save by mistake are named.
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
                Self::new("this is a task answer, not a result file", Some("download what its transcription_url names"))
            }
            Ok(Answer { output: Some(Output { choices, text, .. }), .. }) if choices.is_some() || text.is_some() => {
                Self::new(
                    "this is a flash answer, not a result file",
                    Some("`talkmeter flash --save` keeps answers as result files"),
                )
            }
            Ok(Answer { code: Some(code), transcripts: None, .. }) => {
                let code: String = code.chars().take(80).collect();
                Self::new(format!("this is an error answer of the service (code {code}), not a result file"), None)
            }
            Ok(Answer { transcripts: Some(_), .. }) => {
                Self::new("not a transcription result: `transcripts` is no array", None)
            }
            _ => Self::new("not a transcription result: no array `transcripts`", None),
        }
    }
}

/// How deep brackets stand in each other, strings left out.
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
        f.write_str(&self.why)
    }
}

impl std::error::Error for ParseError {}
