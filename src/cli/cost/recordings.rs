//! The inputs of `cost estimate`: local files, folders, lists with durations, results.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use url::Url;
use walkdir::WalkDir;

use super::super::output::{Console, Failure};
use crate::audio::{self, Probe};
use crate::batch::{AUDIO_EXTENSIONS, Identities, Source};
use crate::billing::Recording;
use crate::error::{Error, Result};
use crate::metrics::{Settings, measure};
use crate::named_file::{FileKind, NamedFile};
use crate::redact::without_query;
use crate::sheet::{Column, ID, LIST, RECORDING, Row, Sheet, folded};
use crate::transcript::{self, OtherFiles};

/// File name extensions of lists.
const LISTS: [&str; 5] = ["txt", "csv", "tsv", "jsonl", "ndjson"];

/// The number of tracks.
const CHANNELS: Column = Column::new(&["channels"]);

/// How many notes of one kind are printed.
const SHOWN: u64 = 5;

/// Notes on recordings, the first of each kind, so that thousands alike are no thousand lines.
struct Notes<'c> {
    console: &'c Console,
    /// By what is said of each.
    counts: BTreeMap<&'static str, u64>,
}

impl<'c> Notes<'c> {
    fn new(console: &'c Console) -> Self {
        Self { console, counts: BTreeMap::new() }
    }

    fn add(&mut self, kind: &'static str, note: &str) {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        if *count <= SHOWN {
            self.console.note(note);
        }
    }

    /// Prints how many more there are.
    fn end(self, of: &str) {
        for (kind, count) in self.counts.into_iter().filter(|(_, count)| *count > SHOWN) {
            self.console.note(&format!("{of}and {} more {kind}", count - SHOWN));
        }
    }
}

/// A recording and the columns it can be grouped by.
#[derive(Debug, Default)]
pub(super) struct EstimateInput {
    pub(super) recording: Recording,
    /// Whether it is an address, of which the service fetches the first track unless told otherwise.
    pub(super) is_address: bool,
    /// A local file that cannot be read.
    pub(super) is_unreadable: bool,
    /// A local file whose headers have not been read.
    unread: Option<PathBuf>,
    /// The local audio file, if it could be read.
    pub(super) path: Option<PathBuf>,
    /// Distinct tracks of that file; empty if they were not compared.
    pub(super) distinct: Vec<u32>,
    /// Cells of a list by column, as [`folded`].
    pub(super) columns: BTreeMap<String, String>,
}

/// All recordings to estimate.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    pub(super) inputs: Vec<EstimateInput>,
    /// Files that could not be read.
    pub(super) unreadable: u64,
    /// How often a recording was given that had been given before.
    pub(super) repeated: u64,
    identities: Identities,
    /// Where each of them is in `inputs`.
    places: Vec<usize>,
}

impl Inputs {
    /// One argument: a URL, an audio file, a list, a folder of recordings or of results.
    pub(super) fn argument(&mut self, given: &OsStr, console: &Console) -> Result<(), Failure> {
        let text = given.to_string_lossy();
        if text.contains("://") {
            if self.known(None, &text).map_err(Failure::Usage)?.is_none() {
                self.url(&text);
            }
            return Ok(());
        }
        let path = Path::new(given);
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
        if path.is_dir() {
            self.folder(path, console);
        } else if extension.as_deref().is_some_and(|extension| LISTS.contains(&extension)) {
            let file = NamedFile::open(path, FileKind::List).map_err(|error| Error::io("read", path, error))?;
            self.list(&text, file, console)?;
        } else if extension.as_deref() == Some("json") {
            self.results(path, console);
        } else {
            self.audio(path, path.file_name().map_or(text.clone(), OsStr::to_string_lossy).into_owned());
        }
        Ok(())
    }

    fn url(&mut self, url: &str) {
        let recording = Recording { file: without_query(url), ..Recording::default() };
        let is_address = url.contains("://");
        self.inputs.push(EstimateInput { recording, is_address, ..EstimateInput::default() });
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
        let files = walk.filter(|entry| !entry.file_type().is_dir()).map(walkdir::DirEntry::into_path);
        let (audio, others): (Vec<_>, Vec<_>) = files.partition(|path| is_audio(path));
        if audio.is_empty() {
            return self.results(root, console);
        }
        let mut other_files = OtherFiles::default();
        others.iter().for_each(|path| other_files.add(path));
        if !other_files.is_empty() {
            console.note(&format!("{}: {other_files} left out", root.display()));
        }
        for path in audio {
            let below = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            self.audio(&path, below);
        }
    }

    /// A local file, unless it was given before.
    fn audio(&mut self, path: &Path, file: String) {
        if let Ok(None) = self.known(None, &path.to_string_lossy()) {
            self.file(path, file);
        }
    }

    /// A local file whose headers are still to be read.
    fn file(&mut self, path: &Path, file: String) {
        let folder = path.parent().map(|folder| folder.to_string_lossy().into_owned()).unwrap_or_default();
        let columns = BTreeMap::from([("folder".to_owned(), folder)]);
        let recording = Recording { file, ..Recording::default() };
        self.inputs.push(EstimateInput {
            recording,
            unread: Some(path.to_owned()),
            columns,
            ..EstimateInput::default()
        });
    }

    /// Reads the headers of the local files, in parallel; what a list says of a file holds where they say nothing.
    pub(super) fn read_headers(&mut self, console: &Console) {
        let unread = self.inputs.iter().filter(|input| input.unread.is_some()).count();
        let bar = console.progress(unread);
        let probes: Vec<Option<Result<Option<Probe>>>> = self
            .inputs
            .par_iter()
            .map(|input| {
                let probe = audio::probe(input.unread.as_deref()?);
                bar.inc(1);
                Some(probe)
            })
            .collect();
        bar.finish_and_clear();
        let mut notes = Notes::new(console);
        for (input, probe) in self.inputs.iter_mut().zip(probes) {
            let (Some(path), Some(probe)) = (input.unread.take(), probe) else { continue };
            match probe {
                Ok(Some(probe)) if let Some(problem) = probe.problem() => {
                    console.say(&format!("{}: {problem}", path.display()));
                    self.unreadable += 1;
                    input.is_unreadable = true;
                    continue;
                }
                Ok(Some(probe)) => {
                    if let Some(shortfall) = probe.shortfall() {
                        notes.add(
                            "that hold less than their headers state",
                            &format!("{}: {shortfall}", path.display()),
                        );
                    }
                    let Recording { duration_ms, channels, .. } = &mut input.recording;
                    *duration_ms = probe.duration_ms.and_then(|ms| i64::try_from(ms).ok()).or(*duration_ms);
                    *channels = channels.or(probe.channels.map(u32::from));
                    if probe.is_misnamed(&path) {
                        let note = format!("{}: contains {}, despite its name", path.display(), probe.format);
                        notes.add("of another format than their name says", &note);
                    }
                }
                Ok(None) => {
                    let note = format!("{}: unknown length: the headers do not state it", path.display());
                    notes.add("of unknown length", &note);
                }
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
                    console.say(&format!("{error}{cause}"));
                    self.unreadable += 1;
                    input.is_unreadable = true;
                    continue;
                }
            }
            input.path = Some(path);
        }
        notes.end("");
    }

    /// Result files: as if their recordings were transcribed again, with the speech found in them.
    fn results(&mut self, path: &Path, console: &Console) {
        let (recordings, unreadable) = earlier_results(&[path], console);
        self.unreadable += unreadable;
        self.inputs
            .extend(recordings.into_iter().map(|recording| EstimateInput { recording, ..EstimateInput::default() }));
    }

    /// A list, as `transcribe` reads it, with columns for the length. Local files without a length are probed.
    pub(super) fn list(&mut self, name: &str, from: impl Read, console: &Console) -> Result<(), Failure> {
        let mut sheet = Sheet::new(name, from, &LIST);
        let mut notes = Notes::new(console);
        while let Some(row) = sheet.next_row() {
            let (line, row) = row.map_err(|fault| Failure::Usage(format!("{name} {fault}")))?;
            let cells = match row {
                Row::Entry(entry) => {
                    let added = self.entry(None, &entry, None).map(drop);
                    added.map_err(|why| Failure::Usage(format!("{name} line {line}: {why}")))?;
                    continue;
                }
                Row::Cells(cells) => cells,
            };
            let address =
                cells.require(&RECORDING).map_err(|why| Failure::Usage(format!("{name} line {line}: {why}")))?;
            let duration_ms = cells.length_ms().unwrap_or_else(|why| {
                notes.add("that are not lengths", &format!("{name} line {line}: {why}"));
                None
            });
            let added = self.entry(cells.get(&ID), address, duration_ms);
            let added = added.map_err(|why| Failure::Usage(format!("{name} line {line}: {why}")))?;
            let Some(input) = added else { continue };
            let channels = cells.get(&CHANNELS).and_then(|cell| cell.parse().ok());
            input.recording.channels = channels.or(input.recording.channels);
            input.columns.extend(cells.iter().map(|(name, cell)| (folded(name), cell.to_owned())));
        }
        notes.end(&format!("{name}: "));
        sheet.notes().iter().for_each(|note| console.note(&format!("{name}: {note}")));
        Ok(())
    }

    /// Adds a recording of a list; `None` if it was given before.
    fn entry(
        &mut self,
        id: Option<&str>,
        given: &str,
        duration_ms: Option<i64>,
    ) -> Result<Option<&mut EstimateInput>, String> {
        let known = self.known(id, given)?;
        let at = known.unwrap_or(self.inputs.len());
        match known {
            Some(_) => {}
            None if duration_ms.is_none() && !given.contains("://") => self.file(Path::new(given), given.to_owned()),
            None => self.url(given),
        }
        let Some(input) = self.inputs.get_mut(at) else { return Ok(None) };
        input.recording.duration_ms = input.recording.duration_ms.or(duration_ms);
        Ok(Some(input).filter(|_| known.is_none()))
    }

    /// Where the recording is in `inputs` if it was given before, which is counted. A new one must be added next.
    ///
    /// # Errors
    /// Its id names another recording.
    fn known(&mut self, id: Option<&str>, given: &str) -> Result<Option<usize>, String> {
        let location = match Source::parse(given) {
            Ok(Source::File(path)) => {
                let url = std::fs::canonicalize(path).ok().and_then(|path| Url::from_file_path(path).ok());
                url.map_or_else(|| given.to_owned(), String::from)
            }
            Ok(source) => source.sent().unwrap_or(given).to_owned(),
            // `transcribe` will refuse it.
            Err(_) => given.to_owned(),
        };
        let named = |why| format!("{why}: {}", without_query(given));
        let Some(known) = self.identities.add(id, &location).map_err(named)? else {
            self.places.push(self.inputs.len());
            return Ok(None);
        };
        self.repeated += 1;
        Ok(self.places.get(known).copied())
    }
}

/// The recordings of result files, with the speech found in each track; how many files could not be read, which are reported.
pub(super) fn earlier_results(paths: &[&Path], console: &Console) -> (Vec<Recording>, u64) {
    let inputs = transcript::Inputs::find(paths, None);
    for excluded in &inputs.excluded {
        console.say(&format!("{}: {}", excluded.path.display(), excluded.why));
    }
    let mut unreadable = inputs.excluded.len() as u64;
    let read: Vec<std::result::Result<Recording, String>> = inputs.files.par_iter().map(earlier_result).collect();
    let mut recordings = Vec::new();
    for (input, read) in inputs.files.iter().zip(read) {
        match read {
            Ok(recording) => recordings.push(recording),
            Err(why) => {
                console.say(&format!("{}: {why}", input.path.display()));
                unreadable += 1;
            }
        }
    }
    (recordings, unreadable)
}

fn earlier_result(input: &transcript::Input) -> std::result::Result<Recording, String> {
    let bytes = input.read().map_err(|error| error.to_string())?;
    let transcript = input.parse(&bytes).map_err(|refused| refused.to_string())?;
    let measured = measure(input.file(), &transcript, &Settings::default());
    let stated = measured.call.duration_source == Some("properties");
    let tracks = transcript.stated_channels.len().max(transcript.channels.len());
    let speech = measured.billable.iter().filter_map(|track| Some((track.channel_id, track.billable_ms?)));
    Ok(Recording {
        file: input.file().to_owned(),
        duration_ms: measured.call.duration_ms.filter(|_| stated),
        channels: u32::try_from(tracks).ok().filter(|tracks| *tracks > 0),
        speech_ms: speech.collect(),
        ..Recording::default()
    })
}
