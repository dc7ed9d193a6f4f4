//! Documents that commands write: HTML, Markdown or JSON, by the extension of their file.

use std::path::Path;

use serde::Serialize;

use super::output::Failure;
use crate::error::Error;

/// The format of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Document {
    Html,
    Markdown,
    Json,
}

impl Document {
    /// By the extension of the file of `-o`.
    pub(super) fn of(path: &Path) -> Result<Self, Failure> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "html" | "htm" => Ok(Self::Html),
            "md" | "markdown" => Ok(Self::Markdown),
            "json" => Ok(Self::Json),
            _ => Err(Failure::Usage(format!("-o {}: the extension must be .html, .md or .json", path.display()))),
        }
    }
}

/// A value as indented JSON, its members in the order of its type.
pub(super) fn json(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value);
    Ok(text.map_err(|error| Error::invalid(format!("cannot write the JSON: {error}")))? + "\n")
}
