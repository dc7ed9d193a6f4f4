//! Results of flash calls on disk: in the folder of a batch, or in one of their own.
//!
//! There is no task to ask again: the answer is written as it came, beside its result file, before anybody sees it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::event::Event;
use super::ledger::Ledger;
use super::results::{self, FOLDER};
use super::source::Source;
use crate::catalog::Region;
use crate::client::FlashAnswer;
use crate::disk;
use crate::error::{Error, Result};
use crate::time::{Clock, SystemClock};

/// A folder that takes results of flash calls. Its lock is held meanwhile.
#[derive(Debug)]
pub struct Clips {
    dir: PathBuf,
    ledger: Ledger,
    /// The number of the last result.
    saved: usize,
}

/// Where a result was put.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct SavedClip {
    /// The result file: `results/flash-<n>-<name>.json`.
    pub result: PathBuf,
    /// The answer as it came: the same name with `.answer`, so that it is not read as a result.
    pub answer: PathBuf,
}

impl Clips {
    /// Opens the folder, or makes it.
    ///
    /// # Errors
    /// Another talkmeter has it open; its ledger cannot be read or written.
    pub fn open(dir: &Path) -> Result<Self> {
        Self::open_at(dir, Arc::new(SystemClock))
    }

    /// Like [`Clips::open`], with another clock.
    ///
    /// # Errors
    /// As [`Clips::open`].
    pub fn open_at(dir: &Path, clock: Arc<dyn Clock>) -> Result<Self> {
        std::fs::create_dir_all(dir).map_err(|error| Error::io("make", dir, error))?;
        let (ledger, state, _) = Ledger::open(dir, clock)?;
        results::prepare(dir)?;
        Ok(Self { dir: dir.to_owned(), ledger, saved: state.clips.len() })
    }

    /// Writes the answer, the result file and the line of the ledger. `url` is the input as given; `properties` are those of
    /// its file, where it is at hand.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn save(
        &mut self,
        url: &str,
        model: &str,
        region: Region,
        answer: &FlashAnswer,
        properties: Option<&Map<String, Value>>,
    ) -> Result<SavedClip> {
        let name = match url {
            "-" => "stdin".to_owned(),
            _ => Source::parse(url).map_or_else(|_| "audio".to_owned(), |source| source.name()),
        };
        let stem = loop {
            self.saved += 1;
            let stem = format!("{FOLDER}/flash-{:06}-{name}", self.saved);
            // A run that was killed may have written an answer and not its line.
            if !self.dir.join(format!("{stem}.answer")).exists() {
                break stem;
            }
        };
        let (file, raw) = (format!("{stem}.json"), format!("{stem}.answer"));
        disk::write(&self.dir.join(&raw), answer.raw.as_bytes())?;
        let text = answer.to_result(Some(url), properties).to_string() + "\n";
        disk::write(&self.dir.join(&file), text.as_bytes())?;
        let saved = SavedClip { result: self.dir.join(&file), answer: self.dir.join(&raw) };
        self.ledger.add(vec![Event::Recognized {
            url: url.to_owned().into(),
            model: model.to_owned().into(),
            region: region.to_string().into(),
            request_id: answer.request_id.clone().map(Into::into),
            usage: answer.usage.as_ref().map(|usage| usage.raw.clone()),
            file: file.into(),
            answer: raw.into(),
            bytes: text.len() as u64,
            blake3: blake3::hash(text.as_bytes()).to_hex().to_string().into(),
            silent: answer.is_silent(),
        }])?;
        Ok(saved)
    }
}
