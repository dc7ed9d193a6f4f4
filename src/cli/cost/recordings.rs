//! The inputs of `cost estimate`: local files, folders, lists with durations, results.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use walkdir::WalkDir;

use super::super::output::{Console, Failure};
use crate::batch::AUDIO_EXTENSIONS;
use crate::billing::Recording;
use crate::error::{Error, Result};
use crate::metrics::{Settings, measure};
use crate::redact::without_query;
use crate::transcript::{self, read};

/// File name extensions of lists.
const LISTS: [&str; 5] = ["txt", "csv", "tsv", "jsonl", "ndjson"];

/// List columns with the length of a recording, and ms per unit of each.
const LENGTHS: [(&str, i64); 4] =
    [("duration_ms", 1), ("duration_seconds", 1000), ("duration_s", 1000), ("duration", 1000)];

/// A recording and the columns it can be grouped by.
#[derive(Debug, Default)]
pub(super) struct EstimateInput {
    pub(super) recording: Recording,
    /// The local audio file, if it could be opened.
    pub(super) path: Option<PathBuf>,
    /// Distinct tracks of that file; empty if they were not compared.
    pub(super) distinct: Vec<u32>,
    pub(super) columns: BTreeMap<String, String>,
}

/// All recordings to estimate.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    pub(super) inputs: Vec<EstimateInput>,
    /// Files that could not be read.
    pub(super) unreadable: u64,
}

impl Inputs {
    /// One argument: a URL, an audio file, a list, a folder of recordings or of results.
    pub(super) fn argument(&mut self, given: &OsStr, console: &Console) -> Result<(), Failure> {
        let text = given.to_string_lossy();
        if text.contains("://") {
            self.url(&text);
            return Ok(());
        }
        let path = Path::new(given);
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        if path.is_dir() {
            self.folder(path, console);
        } else if extension.as_deref().is_some_and(|extension| LISTS.contains(&extension)) {
            let file = std::fs::File::open(path).map_err(|error| Error::io("read", path, error))?;
            self.list(&text, file, console)?;
        } else if extension.as_deref() == Some("json") {
            self.results(path, console);
        } else {
            self.audio(path, path.file_name().map_or(text.clone(), OsStr::to_string_lossy).into_owned(), console);
        }
        Ok(())
    }

    fn url(&mut self, url: &str) {
        let recording = Recording { file: without_query(url), ..Recording::default() };
        self.inputs.push(EstimateInput { recording, ..EstimateInput::default() });
    }

    fn folder(&mut self, root: &Path, console: &Console) {
        if root.join(crate::batch::LEDGER).is_file() {
            return self.results(root, console);
        }
        let is_audio = |path: &Path| {
            let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
            extension.is_some_and(|extension| AUDIO_EXTENSIONS.contains(&&extension[..]))
        };
        let walk = WalkDir::new(root).sort_by_file_name().into_iter().filter_map(std::result::Result::ok);
        let audio: Vec<_> =
            walk.filter(|entry| !entry.file_type().is_dir() && is_audio(entry.path())).map(|e| e.into_path()).collect();
        if audio.is_empty() {
            return self.results(root, console);
        }
        for path in audio {
            let below = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            self.audio(&path, below, console);
        }
    }

    fn audio(&mut self, path: &Path, file: String, console: &Console) {
        let mut recording = Recording { file, ..Recording::default() };
        let mut is_readable = true;
        match crate::audio::probe(path) {
            Ok(Some(probe)) if let Some(problem) = probe.problem() => {
                console.say(&format!("{}: {problem}", path.display()));
                self.unreadable += 1;
                is_readable = false;
            }
            Ok(Some(probe)) => {
                if let Some(shortfall) = probe.shortfall() {
                    console.note(&format!("{}: {shortfall}", path.display()));
                }
                recording.duration_ms = probe.duration_ms.and_then(|ms| i64::try_from(ms).ok());
                recording.channels = probe.channels.map(u32::from);
                if probe.is_misnamed(path) {
                    console.note(&format!("{}: contains {}, despite its name", path.display(), probe.format));
                }
            }
            Ok(None) => console.note(&format!("{}: unknown length: the headers do not state it", path.display())),
            Err(error) => {
                let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
                console.say(&format!("{error}{cause}"));
                self.unreadable += 1;
                is_readable = false;
            }
        }
        let folder = path.parent().map(|folder| folder.to_string_lossy().into_owned()).unwrap_or_default();
        let columns = BTreeMap::from([("folder".to_owned(), folder)]);
        let path = is_readable.then(|| path.to_owned());
        self.inputs.push(EstimateInput { recording, path, columns, ..EstimateInput::default() });
    }

    /// Result files: as if their recordings were transcribed again, with the speech found in them.
    fn results(&mut self, path: &Path, console: &Console) {
        let inputs = transcript::Inputs::find(&[path], None);
        for excluded in &inputs.excluded {
            console.say(&format!("{}: {}", excluded.path.display(), excluded.why));
            self.unreadable += 1;
        }
        for input in inputs.files {
            let bytes = std::fs::read(&input.path).map_err(|error| error.to_string());
            let read = bytes.and_then(|bytes| {
                let transcript = read(&bytes).map_err(|refused| refused.to_string())?;
                let measured = measure(&input.file, &transcript, &Settings::default());
                let stated = measured.call.duration_source == Some("properties");
                let tracks = transcript.stated_channels.len().max(transcript.channels.len());
                Ok(Recording {
                    file: input.file.clone(),
                    duration_ms: measured.call.duration_ms.filter(|_| stated),
                    channels: u32::try_from(tracks).ok().filter(|tracks| *tracks > 0),
                    speech_ms: measured.costs.iter().filter_map(|c| Some((c.channel_id, c.billable_ms?))).collect(),
                    ..Recording::default()
                })
            });
            match read {
                Ok(recording) => self.inputs.push(EstimateInput { recording, ..EstimateInput::default() }),
                Err(why) => {
                    console.say(&format!("{}: {why}", input.path.display()));
                    self.unreadable += 1;
                }
            }
        }
    }

    /// A list: text, CSV with a header, or JSON lines. Local files without a length are probed.
    pub(super) fn list(&mut self, name: &str, mut from: impl Read, console: &Console) -> Result<(), Failure> {
        let mut text = String::new();
        from.read_to_string(&mut text).map_err(|error| Error::io("read", Path::new(name), error))?;
        let wrong = |line: usize, why: &str| Failure::Usage(format!("{name} line {line}: {why}"));
        let text = text.trim_start_matches('\u{feff}');
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned();
        let extension = Path::new(name).extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        let is_json = first.trim_start().starts_with(['{', '"']);
        if is_json {
            for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
                match serde_json::from_str(line) {
                    Ok(Value::String(url)) => {
                        self.entry(&url, &BTreeMap::new(), console).map_err(|e| wrong(number, &e))?
                    }
                    Ok(Value::Object(object)) => {
                        let columns = columns(&object);
                        let url = columns.get("url").or_else(|| columns.get("file"));
                        let url = url.ok_or_else(|| wrong(number, "neither `url` nor `file`"))?;
                        self.entry(url, &columns, console).map_err(|e| wrong(number, &e))?;
                    }
                    _ => return Err(wrong(number, "neither a JSON object nor a JSON string")),
                }
            }
            return Ok(());
        }
        let delimiter = [b',', b';', b'\t'].into_iter().find(|delimiter| {
            first.split(char::from(*delimiter)).any(|name| matches!(name.trim().trim_matches('"'), "url" | "file"))
        });
        match delimiter {
            Some(delimiter) if extension.as_deref() != Some("txt") => {
                let mut csv =
                    csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_reader(text.as_bytes());
                let broken = |error: csv::Error| Failure::Usage(format!("{name}: {error}"));
                let head = csv.headers().map_err(broken)?.clone();
                for (number, record) in (2..).zip(csv.records()) {
                    let record = record.map_err(broken)?;
                    let columns: BTreeMap<String, String> =
                        head.iter().map(str::to_owned).zip(record.iter().map(str::to_owned)).collect();
                    let url = columns.get("url").or_else(|| columns.get("file")).cloned().unwrap_or_default();
                    self.entry(&url, &columns, console).map_err(|e| wrong(number, &e))?;
                }
            }
            _ => {
                for (number, line) in (1..).zip(text.lines()) {
                    let line = line.trim();
                    if !line.is_empty() && !line.starts_with('#') {
                        self.entry(line, &BTreeMap::new(), console).map_err(|e| wrong(number, &e))?;
                    }
                }
            }
        }
        Ok(())
    }

    fn entry(&mut self, url: &str, columns: &BTreeMap<String, String>, console: &Console) -> Result<(), String> {
        if url.is_empty() {
            return Err("`url` is empty".to_owned());
        }
        let said = LENGTHS.iter().find_map(|(name, unit)| {
            columns.get(*name).filter(|cell| !cell.is_empty()).map(|cell| (name, cell, *unit))
        });
        let duration_ms = match said {
            Some((name, cell, unit)) => Some(length(cell, unit).ok_or(format!("`{cell}` for `{name}` is no length"))?),
            None => None,
        };
        let at = self.inputs.len();
        if duration_ms.is_none() && !url.contains("://") {
            self.audio(Path::new(url), url.to_owned(), console);
        } else {
            self.url(url);
        }
        if let Some(found) = self.inputs.get_mut(at) {
            found.columns.extend(columns.clone());
            found.recording.duration_ms = duration_ms.or(found.recording.duration_ms);
            let channels = columns.get("channels").and_then(|cell| cell.parse().ok());
            found.recording.channels = channels.or(found.recording.channels);
        }
        Ok(())
    }
}

/// The cells of an object, as text.
fn columns(object: &Map<String, Value>) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    object.iter().filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect()
}

/// A number of units, or `1:02:03`, in ms; begun ones counted.
fn length(cell: &str, unit: i64) -> Option<i64> {
    use rust_decimal::prelude::ToPrimitive as _;
    let mut seconds = rust_decimal::Decimal::ZERO;
    let parts: Vec<&str> = cell.split(':').collect();
    for part in &parts {
        seconds = seconds * rust_decimal::Decimal::from(60) + part.trim().parse::<rust_decimal::Decimal>().ok()?;
    }
    let unit = if parts.len() > 1 { 1000 } else { unit };
    let ms = seconds.checked_mul(unit.into())?.ceil().to_i64()?;
    (ms >= 0 && !cell.contains('-') && parts.len() <= 3).then_some(ms)
}
