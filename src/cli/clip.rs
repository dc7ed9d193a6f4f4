//! Inputs of `flash`: addresses, files, bytes on stdin.

use std::ffi::{OsStr, OsString};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::audio::{self, Probe};
use crate::batch::Source;
use crate::catalog::Catalog;
use crate::client::{Client, Clip};
use crate::error::{Error, Result};
use crate::time::span_of_seconds;

/// The most that a request may carry as base64, in bytes, by the pages. The service has accepted twice that.
const MOST_ENCODED: u64 = 10 << 20;
/// The most that is read from stdin, in bytes: no model takes more.
const MOST_READ: u64 = 2 << 30;

/// Reads and checks inputs.
#[derive(Debug)]
pub(super) struct Intake<'a> {
    pub(super) model: &'a str,
    /// Whether to check against the catalogue's row of the model.
    pub(super) check: bool,
}

/// A clip that can be sent.
#[derive(Debug)]
pub(super) struct Input {
    /// As given.
    pub(super) given: String,
    /// As printed: without the query of a signed URL.
    pub(super) label: String,
    /// Facts from the file's header, as in a result file; `None` for an address.
    pub(super) properties: Option<Map<String, Value>>,
    audio: Audio,
}

#[derive(Debug)]
enum Audio {
    Address(String),
    File {
        path: PathBuf,
        bytes: u64,
        probe: Option<Probe>,
    },
    /// Bytes of stdin in a temporary file, which is removed when dropped.
    Piped {
        file: tempfile::NamedTempFile,
        bytes: u64,
        probe: Option<Probe>,
    },
}

impl Intake<'_> {
    /// Reads an input. Nothing is sent, and of a file only the header is read.
    ///
    /// # Errors
    /// It is neither an address nor a file, or the model does not take it, by the file's header.
    pub(super) fn input(&self, given: &OsString) -> Result<Input> {
        if given == "-" {
            return self.piped();
        }
        let text = given.to_string_lossy().into_owned();
        let (label, audio) = match given.to_str().map(Source::parse).transpose()? {
            Some(source) if source.sent().is_some() => {
                (source.printable(), Audio::Address(source.sent().unwrap_or_default().to_owned()))
            }
            Some(Source::File(path)) => (text.clone(), self.file(path, &text)?),
            _ => (text.clone(), self.file(PathBuf::from(given), &text)?),
        };
        let properties = match &audio {
            Audio::File { probe: Some(probe), .. } => Some(properties(probe)),
            _ => None,
        };
        Ok(Input { given: text, label, properties, audio })
    }

    fn file(&self, path: PathBuf, label: &str) -> Result<Audio> {
        let metadata = std::fs::metadata(&path).map_err(|error| Error::io("read", &path, error))?;
        if !metadata.is_file() {
            return Err(Error::invalid(format!("{label}: not a regular file")));
        }
        let (bytes, probe) = (metadata.len(), audio::probe(&path)?);
        self.examine(label, bytes, probe.as_ref())?;
        Ok(Audio::File { path, bytes, probe })
    }

    fn piped(&self) -> Result<Input> {
        let failed = |error| Error::io("read", Path::new("stdin"), error);
        let mut file = crate::disk::create_private()?;
        let bytes = std::io::copy(&mut std::io::stdin().lock().take(MOST_READ + 1), &mut file).map_err(failed)?;
        let probe = audio::probe(file.path())?;
        self.examine("-", bytes, probe.as_ref())?;
        let properties = probe.as_ref().map(properties);
        Ok(Input {
            given: "-".to_owned(),
            label: "-".to_owned(),
            properties,
            audio: Audio::Piped { file, bytes, probe },
        })
    }

    /// Checks whether the model takes it, by what is known of it.
    fn examine(&self, label: &str, bytes: u64, probe: Option<&Probe>) -> Result<()> {
        if bytes == 0 {
            return Err(Error::invalid(format!("{label} is empty: no audio")));
        }
        if let Some(problem) = probe.filter(|_| self.check).and_then(Probe::problem) {
            return Err(Error::invalid(format!("{label}: {problem}")));
        }
        let Some(model) = Catalog::builtin().model(self.model).filter(|_| self.check) else { return Ok(()) };
        let duration = probe.and_then(|probe| probe.duration_ms).map(Duration::from_millis);
        if let (Some(given), Some(most)) = (duration, model.limits.seconds)
            && given > Duration::from_secs(most)
        {
            let lasts = span_of_seconds(given.as_secs() + u64::from(given.subsec_nanos() > 0));
            let name = if label == "-" { "FILE".to_owned() } else { quoted(label) };
            return Err(Error::invalid(format!(
                "{label} lasts {lasts}, {} takes up to {}: talkmeter transcribe {name} -o DIR",
                model.name,
                span_of_seconds(most),
            )));
        }
        let rate = probe.and_then(|probe| probe.sample_rate_hz);
        model.check_file(None, Some(bytes), rate, None).map_err(|error| Error::invalid(format!("{label}: {error}")))
    }
}

impl Input {
    /// Whether it is uploaded to temporary storage.
    pub(super) fn is_uploaded(&self) -> bool {
        match &self.audio {
            Audio::Address(_) => false,
            Audio::File { bytes, .. } | Audio::Piped { bytes, .. } => encoded(*bytes) > MOST_ENCODED,
        }
    }

    /// Its length by the file's header; `None` = unknown.
    pub(super) fn duration_ms(&self) -> Option<u64> {
        match &self.audio {
            Audio::Address(_) => None,
            Audio::File { probe, .. } | Audio::Piped { probe, .. } => probe.as_ref()?.duration_ms,
        }
    }

    /// The clip to send; uploads it first if it is too large for a request.
    pub(super) async fn clip(&self, client: &Client, model: &str) -> Result<Clip> {
        let (path, probe) = match &self.audio {
            Audio::Address(url) => return Ok(Clip::url(url)),
            Audio::File { path, probe, .. } => (path.as_path(), probe),
            Audio::Piped { file, probe, .. } => (file.path(), probe),
        };
        let rate = probe.as_ref().and_then(|probe| probe.sample_rate_hz);
        let mut clip = if self.is_uploaded() {
            let clip = Clip::uploaded(&client.uploads().upload(model, path).await?);
            // Some containers have several names: the file's extension says which.
            match probe.as_ref().map(|probe| probe.format).filter(|format| !matches!(*format, "mkv" | "mp4" | "ogg")) {
                Some(format) => clip.format(format),
                None => clip,
            }
        } else {
            Clip::bytes(&std::fs::read(path).map_err(|error| Error::io("read", path, error))?)
        };
        if let Some(rate) = rate {
            clip = clip.sample_rate_hz(rate);
        }
        if let Some(length) = probe.as_ref().and_then(|probe| probe.duration_ms) {
            clip = clip.lasting(Duration::from_millis(length));
        }
        Ok(clip)
    }
}

/// The length of this many bytes in base64.
fn encoded(bytes: u64) -> u64 {
    bytes.div_ceil(3).saturating_mul(4)
}

/// As in a result file, without what the header does not say.
fn properties(probe: &Probe) -> Map<String, Value> {
    let mut properties = Map::new();
    properties.insert("audio_format".to_owned(), json!(probe.codec.unwrap_or(probe.format)));
    if let Some(channels) = probe.channels {
        properties.insert("channels".to_owned(), (0..channels).collect());
    }
    if let Some(rate) = probe.sample_rate_hz {
        properties.insert("original_sampling_rate".to_owned(), rate.into());
    }
    if let Some(duration) = probe.duration_ms {
        properties.insert("original_duration_in_milliseconds".to_owned(), duration.into());
    }
    properties
}

/// Quoted for a shell where needed.
pub(super) fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    if OsStr::new(name).is_empty() || !name.chars().all(plain) {
        format!("'{}'", name.replace('\'', "'\\''"))
    } else {
        name.to_owned()
    }
}
