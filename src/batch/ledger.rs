//! The journal of a batch: JSON lines that are only ever added to. Its first line is the version of the format.
//!
//! In format 2 each line carries a checksum of itself and of those before it ([`Checksum`]). A line that was changed, or a line
//! that is missing, is an error that names the line; nothing of such a ledger is believed. A ledger of format 1 has no checksums.
//! It is continued in format 1, not rewritten: what was written of paid work is never touched, and an earlier version can still
//! read it.
//!
//! A killed run leaves at most one torn line behind, at the end. The next start cuts it off, or completes it where only the
//! line break is missing. The writer holds the [`Lock`] of the folder.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::checksum::Checksum;
use super::event::Event;
use super::line::Line;
use super::lock::Lock;
use super::state::State;
use crate::error::{Error, Result};
use crate::time::Clock;

/// The file's name in the folder of a batch.
pub const FILE: &str = "ledger.jsonl";

/// The format of new ledgers. Newer ones are read as far as they are understood, never written.
const VERSION: u32 = 2;
/// The format without checksums.
const UNCHECKED: u32 = 1;

/// How the first line begins.
const BEGINNING: &[u8] = b"{\"talkmeter_ledger\":";

/// The longest line, in bytes: a hundred long addresses are a thousandth of it.
const LONGEST_LINE: u64 = 64 << 20;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    /// Of the format.
    talkmeter_ledger: u32,
    created: Timestamp,
    /// Its checksum, while it is read.
    #[serde(skip_serializing)]
    check: Option<String>,
}

/// What the lines of a ledger add up to.
pub(super) trait Fold: Default {
    /// Takes in a line.
    ///
    /// # Errors
    /// It does not follow from those before.
    fn apply(&mut self, line: Line<'_>) -> Result<(), String>;
}

/// A ledger that was read.
#[derive(Debug)]
pub(super) struct Read<F> {
    pub(super) state: F,
    version: u32,
    /// When the ledger was begun.
    created: Option<Timestamp>,
    checksum: Checksum,
    /// Where the last whole line ends.
    whole: u64,
    /// The last line is whole but for its line break.
    unbroken: bool,
    /// Bytes of a torn last line.
    torn: u64,
}

/// Reads the ledger at `path`, without writing or locking anything. `None` where there is none yet: no file, or a run was killed
/// while it wrote the very first line.
///
/// # Errors
/// It cannot be read, or a line is not what a ledger has, or not what was written.
pub(super) fn read<F: Fold>(path: &Path) -> Result<Option<Read<F>>> {
    let failed = |error| Error::io("read", path, error);
    match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => {
            return Err(Error::ledger(format!("{} is not a regular file", path.display())));
        }
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    }
    let mut reader = BufReader::with_capacity(1 << 20, File::open(path).map_err(failed)?);
    let mut read = Read {
        state: F::default(),
        version: 0,
        created: None,
        checksum: Checksum::default(),
        whole: 0,
        unbroken: false,
        torn: 0,
    };
    let (mut line, mut number) = (Vec::new(), 0u64);
    loop {
        line.clear();
        let length = reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(failed)?;
        if length == 0 {
            break;
        }
        number += 1;
        let whole = line.strip_suffix(b"\n");
        let at_line = |why: String| Error::ledger(format!("{} line {number}: {why}", path.display()));
        match read.parse(whole.unwrap_or(&line), number) {
            Ok(parsed) => {
                parsed.map_or(Ok(()), |parsed| read.state.apply(parsed)).map_err(at_line)?;
                read.whole += length as u64;
                read.unbroken = whole.is_none();
            }
            // The last line of a run that was killed.
            Err(_) if whole.is_none() && (length as u64) < LONGEST_LINE && (number > 1 || is_begun(&line)) => {
                read.torn = length as u64;
                break;
            }
            Err(why) => return Err(at_line(why)),
        }
    }
    Ok((number > u64::from(read.torn > 0)).then_some(read))
}

/// Whether this is how the first line of a ledger begins, as far as it goes.
fn is_begun(line: &[u8]) -> bool {
    line.iter().zip(BEGINNING).all(|(byte, expected)| byte == expected)
}

impl<F> Read<F> {
    /// A line, without its line break; `None` for the first.
    fn parse<'l>(&mut self, line: &'l [u8], number: u64) -> Result<Option<Line<'l>>, String> {
        if number == 1 {
            let header: Header =
                serde_json::from_slice(line).map_err(|_| "this is no ledger of talkmeter".to_owned())?;
            self.version = header.talkmeter_ledger;
            self.created = Some(header.created);
            let has_check = header.check.is_some();
            if self.version == 0 || (self.version == UNCHECKED && has_check) {
                return Err(format!("format {} is not what was written", self.version));
            }
        }
        if self.version == VERSION && !self.checksum.accepts(line) {
            return Err("its checksum is wrong: it was changed, or a line before it is missing".to_owned());
        }
        if number == 1 { Ok(None) } else { Line::read(line).map(Some) }
    }
}

/// The ledger of a batch, under its lock.
#[derive(Debug)]
pub(super) struct Ledger {
    sheet: Sheet,
    path: PathBuf,
    created: Timestamp,
    clock: Arc<dyn Clock>,
}

/// The file to which lines are added.
#[derive(Debug)]
struct Sheet {
    file: File,
    /// Of the last line; `None` = in the format without checksums.
    checksum: Option<Checksum>,
    _lock: Lock,
}

/// The thread that writes a ledger while its batch runs.
#[derive(Debug)]
pub(super) struct Thread(std::thread::JoinHandle<()>);

/// Hands lines to the thread that writes them. Clones write to the same file.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    lines: mpsc::Sender<Entry>,
    clock: Arc<dyn Clock>,
}

struct Entry {
    lines: Vec<Line<'static>>,
    durable: bool,
    done: oneshot::Sender<Result<()>>,
}

impl Ledger {
    /// Opens the ledger in `dir` for writing, or begins one; mends a torn end. It is locked until it is dropped.
    pub(super) fn open(dir: &Path, clock: Arc<dyn Clock>) -> Result<(Self, State, Option<String>)> {
        let path = dir.join(FILE);
        let failed = |doing: &'static str| {
            let path = path.clone();
            move |error| Error::io(doing, &path, error)
        };
        let mut lock = Lock::take(dir)?;
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(failed("open"))?;
        lock.add_ledger(dir, &path, &file)?;
        let mut sheet = Sheet { file, checksum: None, _lock: lock };
        let mut mended = None;
        let mut created = clock.now();
        let state = match read::<State>(&path)? {
            Some(read) if read.version > VERSION => {
                let newer = format!("{} was written by a newer talkmeter (format {})", path.display(), read.version);
                return Err(Error::ledger(newer));
            }
            Some(read) => {
                if read.torn > 0 {
                    sheet.file.set_len(read.whole).map_err(failed("mend"))?;
                    mended = Some(format!("cut off {} bytes of a line that a killed run left torn", read.torn));
                }
                sheet.file.seek(SeekFrom::End(0)).map_err(failed("write"))?;
                if read.unbroken {
                    sheet.file.write_all(b"\n").map_err(failed("mend"))?;
                    mended = Some("completed a line that a killed run left without its end".to_owned());
                }
                sheet.checksum = (read.version != UNCHECKED).then_some(read.checksum);
                created = read.created.unwrap_or(created);
                read.state
            }
            None => {
                sheet.file.set_len(0).map_err(failed("write"))?;
                sheet.checksum = Some(Checksum::default());
                let header = Header { talkmeter_ledger: VERSION, created, check: None };
                sheet.append(std::iter::once(&header), false).map_err(failed("write"))?;
                State::default()
            }
        };
        sheet.file.sync_all().map_err(failed("write"))?;
        // The folder too, or the file itself may be gone after a power cut.
        if let Ok(dir) = File::open(dir) {
            let _ = dir.sync_all();
        }
        Ok((Self { sheet, path, created, clock }, state, mended))
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// When it was begun: what tells it from every other.
    pub(super) fn created(&self) -> Timestamp {
        self.created
    }

    /// Adds lines and waits until they are on the disk: before a batch runs, when nothing else waits.
    pub(super) fn add(&mut self, events: Vec<Event<'static>>) -> Result<Vec<Line<'static>>> {
        let at = self.clock.now();
        let lines: Vec<Line<'static>> = events.into_iter().map(|event| Line { at, event }).collect();
        self.sheet.append(lines.iter(), true).map_err(|error| Error::io("write", &self.path, error))?;
        Ok(lines)
    }

    /// Hands the file over to a thread, so that a flush delays nothing else.
    pub(super) fn start(self) -> Result<(Writer, Thread)> {
        let Self { mut sheet, path, clock, .. } = self;
        let (lines, entries) = mpsc::channel();
        let shown = path.clone();
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || write(&mut sheet, &path, &entries))
            .map_err(|error| Error::io("start a thread for", &shown, error))?;
        Ok((Writer { lines, clock }, Thread(thread)))
    }
}

impl Thread {
    /// Waits until all is written and the lock is free. Every writer must be gone.
    pub(super) fn join(self) {
        // If the thread panicked, its callers had an error for want of an answer.
        let _ = self.0.join();
    }
}

impl Writer {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Adds lines, and returns them with their time once they are written; `durable`: once they are on the disk itself.
    pub(super) async fn add(&self, events: Vec<Event<'static>>, durable: bool) -> Result<Vec<Line<'static>>> {
        let at = self.clock.now();
        let lines: Vec<Line<'static>> = events.into_iter().map(|event| Line { at, event }).collect();
        let (done, written) = oneshot::channel();
        let gone = || Error::ledger("the ledger's writer has stopped");
        self.lines.send(Entry { lines: lines.clone(), durable, done }).map_err(|_| gone())?;
        written.await.map_err(|_| gone())??;
        Ok(lines)
    }
}

/// Writes what comes; one flush serves everything that came in the meantime. After a failure nothing is written any more:
/// a line may be torn, and another after it would make the ledger unreadable.
fn write(sheet: &mut Sheet, path: &Path, entries: &mpsc::Receiver<Entry>) {
    let mut broken = None;
    while let Ok(first) = entries.recv() {
        let batch: Vec<Entry> = std::iter::once(first).chain(std::iter::from_fn(|| entries.try_recv().ok())).collect();
        if broken.is_none() {
            let durable = batch.iter().any(|entry| entry.durable);
            broken = sheet.append(batch.iter().flat_map(|entry| &entry.lines), durable).err();
        }
        for entry in batch {
            let outcome = match &broken {
                None => Ok(()),
                Some(error) => Err(Error::io("write", path, std::io::Error::new(error.kind(), error.to_string()))),
            };
            // The sender may have been dropped.
            let _ = entry.done.send(outcome);
        }
    }
}

impl Sheet {
    fn append<'l, L: Serialize + 'l>(
        &mut self,
        lines: impl Iterator<Item = &'l L>,
        durable: bool,
    ) -> std::io::Result<()> {
        let mut text = Vec::new();
        for line in lines {
            let start = text.len();
            serde_json::to_writer(&mut text, line)?;
            if let Some(checksum) = &mut self.checksum {
                checksum.seal(&mut text, start);
            }
            text.push(b'\n');
        }
        self.file.write_all(&text)?;
        if durable {
            self.file.sync_data()?;
        }
        Ok(())
    }
}
