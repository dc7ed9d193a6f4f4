//! The form of a transcript: that of the service, or of another recogniser.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use super::foreign::{self, Format};
use super::{ParseError, Transcript, parse};
use crate::error::{Error, Result};

/// The name of the service's own form.
const MODEL_STUDIO: &str = "model_studio";

/// Who writes transcripts of this form.
///
/// ```
/// use talkmeter::transcript::SourceFormat;
/// let format: SourceFormat = "webvtt".parse()?;
/// let transcript = format.read(b"WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>Hello.\n")?;
/// assert_eq!(transcript.source_format(), format);
/// assert!("word".parse::<SourceFormat>().is_err());
/// # Ok::<(), talkmeter::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceFormat {
    /// Fun-ASR, Paraformer and Qwen-ASR in the service.
    ModelStudio,
    /// Another recogniser, or a format of exchange.
    Other(Format),
}

impl SourceFormat {
    /// Every form, the service's own first.
    pub fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::ModelStudio).chain(Format::ALL.into_iter().map(Self::Other))
    }

    /// Its name: `model_studio`, `whisper`, `aws`, …
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ModelStudio => MODEL_STUDIO,
            Self::Other(format) => format.name(),
        }
    }

    /// Reads a file of this form.
    ///
    /// # Errors
    /// It does not have this form; [`read`](super::read) tells them apart.
    pub fn read(self, bytes: &[u8]) -> std::result::Result<Transcript<'_>, ParseError> {
        match self {
            Self::ModelStudio => parse::read_result(bytes),
            Self::Other(format) => format.read(bytes),
        }
    }
}

/// Reads a file of the format that is named; without one, the structure of the file tells it, or the ending of a file
/// without speech, which may have no structure.
pub(crate) fn read_as<'b>(
    format: Option<SourceFormat>,
    path: &Path,
    bytes: &'b [u8],
) -> std::result::Result<Transcript<'b>, ParseError> {
    match format {
        Some(format) => format.read(bytes),
        None => super::read(bytes).or_else(|error| foreign::without_speech(path, bytes).ok_or(error)),
    }
}

impl fmt::Display for SourceFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for SourceFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let name = text.trim().to_ascii_lowercase().replace('-', "_");
        Self::all().find(|format| format.name() == name).ok_or_else(|| {
            let names: Vec<&str> = Self::all().map(Self::name).collect();
            Error::invalid(format!("{text:?} is not one of {}", names.join(", ")))
        })
    }
}

impl Transcript<'_> {
    /// The form in which it was written.
    #[must_use]
    pub fn source_format(&self) -> SourceFormat {
        self.foreign.map_or(SourceFormat::ModelStudio, SourceFormat::Other)
    }
}
