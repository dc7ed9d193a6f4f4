//! The journal of a batch: JSON lines that are only ever added to. Its first line is the version of the format.
//!
//! A killed run leaves at most one torn line behind, at the end. The next start cuts it off, or completes it where only the
//! line break is missing. The writer holds an operating-system lock on the file, which dies with it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::event::{Event, Line};
use super::state::State;
use crate::error::{Error, Result};
use crate::time::Clock;

/// The file's name in the folder of a batch.
pub const FILE: &str = "ledger.jsonl";

/// What this talkmeter writes. Newer ledgers are read as far as they are understood, never written.
const VERSION: u32 = 1;

/// How the first line begins.
const BEGINNING: &[u8] = b"{\"talkmeter_ledger\":";

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    /// Of the format.
    talkmeter_ledger: u32,
    created: Timestamp,
}

/// What reading a ledger brought.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) state: State,
    version: u32,
    /// Where the last whole line ends.
    whole: u64,
    /// The last line is whole but for its line break.
    unbroken: bool,
    /// Bytes of a torn last line.
    pub(super) torn: u64,
}

/// Reads the ledger of the batch in `dir`, without writing or locking anything. `None` where there is none yet: no file, or
/// a run was killed while it wrote the very first line.
///
/// # Errors
/// It cannot be read, or a line in its middle is not what a ledger has.
pub(super) fn read(path: &Path) -> Result<Option<Read>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", path, error)),
    };
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut read = Read { state: State::default(), version: 0, whole: 0, unbroken: false, torn: 0 };
    let (mut line, mut number) = (Vec::new(), 0u64);
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line).map_err(|error| Error::io("read", path, error))?;
        if length == 0 {
            break;
        }
        number += 1;
        let ended = line.last() == Some(&b'\n');
        match read.take(&line, number) {
            Ok(()) => {
                read.whole += length as u64;
                read.unbroken = !ended;
            }
            // The last line of a run that was killed.
            Err(_) if !ended && (number > 1 || is_begun(&line)) => {
                read.torn = length as u64;
                break;
            }
            Err(why) => return Err(Error::ledger(format!("{} line {number}: {why}", path.display()))),
        }
    }
    Ok((number > u64::from(read.torn > 0)).then_some(read))
}

/// Whether this is how the first line of a ledger begins, as far as it goes.
fn is_begun(line: &[u8]) -> bool {
    line.iter().zip(BEGINNING).all(|(byte, expected)| byte == expected)
}

impl Read {
    fn take(&mut self, line: &[u8], number: u64) -> Result<(), String> {
        if number == 1 {
            let header: Header =
                serde_json::from_slice(line).map_err(|_| "this is no ledger of talkmeter".to_owned())?;
            self.version = header.talkmeter_ledger;
            return Ok(());
        }
        let line = serde_json::from_slice(line).map_err(|error| format!("not a line of a ledger: {error}"))?;
        self.state.apply(line)
    }
}

/// A file under lock. Unlocked in so many words: a process that is just being started shares the lock until it has begun.
#[derive(Debug)]
struct Locked(File);

impl Drop for Locked {
    fn drop(&mut self) {
        // Closing it unlocks it as well, a little later at worst.
        let _ = self.0.unlock();
    }
}

/// The ledger of a batch that nobody else has open.
#[derive(Debug)]
pub(super) struct Ledger {
    file: Locked,
    path: PathBuf,
    clock: Arc<dyn Clock>,
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
    lines: Vec<Line>,
    durable: bool,
    done: oneshot::Sender<Result<()>>,
}

impl Ledger {
    /// Opens the ledger in `dir` for writing, or begins one; mends a torn end. Nobody else can until it is dropped.
    pub(super) fn open(dir: &Path, clock: Arc<dyn Clock>) -> Result<(Self, State, Option<String>)> {
        let path = dir.join(FILE);
        let failed = |doing: &'static str| {
            let path = path.clone();
            move |error| Error::io(doing, &path, error)
        };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed("open"))?;
        let mut locked = match file.try_lock() {
            Ok(()) => Locked(file),
            Err(TryLockError::WouldBlock) => {
                return Err(Error::ledger(format!("{} is in use by another talkmeter", dir.display())));
            }
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path, error)),
        };
        let file = &mut locked.0;
        let mut mended = None;
        let state = match read(&path)? {
            Some(read) if read.version > VERSION => {
                let newer = format!("{} was written by a newer talkmeter (format {})", path.display(), read.version);
                return Err(Error::ledger(newer));
            }
            Some(read) => {
                if read.torn > 0 {
                    file.set_len(read.whole).map_err(failed("mend"))?;
                    mended = Some(format!("cut off {} bytes of a line that a killed run left torn", read.torn));
                }
                file.seek(SeekFrom::End(0)).map_err(failed("write"))?;
                if read.unbroken {
                    file.write_all(b"\n").map_err(failed("mend"))?;
                    mended = Some("completed a line that a killed run left without its end".to_owned());
                }
                read.state
            }
            None => {
                file.set_len(0).map_err(failed("write"))?;
                let header = Header { talkmeter_ledger: VERSION, created: clock.now() };
                let line = serde_json::to_string(&header).map_err(|error| Error::ledger(error.to_string()))?;
                file.write_all((line + "\n").as_bytes()).map_err(failed("write"))?;
                State::default()
            }
        };
        file.sync_all().map_err(failed("write"))?;
        // The folder too, or the file itself may be gone after a power cut.
        if let Ok(dir) = File::open(dir) {
            let _ = dir.sync_all();
        }
        Ok((Self { file: locked, path, clock }, state, mended))
    }

    /// Adds lines and waits until they are on the disk: before a batch runs, when nothing else waits.
    pub(super) fn add(&mut self, events: Vec<Event>) -> Result<Vec<Line>> {
        let at = self.clock.now();
        let lines: Vec<Line> = events.into_iter().map(|event| Line { at, event }).collect();
        append(&mut self.file.0, lines.iter(), true).map_err(|error| Error::io("write", &self.path, error))?;
        Ok(lines)
    }

    /// Hands the file over to a thread, so that a flush holds up nobody.
    pub(super) fn start(self) -> Result<(Writer, Thread)> {
        let Self { mut file, path, clock } = self;
        let (lines, entries) = mpsc::channel();
        let shown = path.clone();
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || write(&mut file.0, &path, &entries))
            .map_err(|error| Error::io("start a thread for", &shown, error))?;
        Ok((Writer { lines, clock }, Thread(thread)))
    }
}

impl Thread {
    /// Waits until all is written and the lock is free. Every writer must be gone.
    pub(super) fn join(self) {
        // A writer that panicked has answered nobody, which was noticed.
        let _ = self.0.join();
    }
}

impl Writer {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Adds lines, and returns them with their time once they are written; `durable`: once they are on the disk itself.
    pub(super) async fn add(&self, events: Vec<Event>, durable: bool) -> Result<Vec<Line>> {
        let at = self.clock.now();
        let lines: Vec<Line> = events.into_iter().map(|event| Line { at, event }).collect();
        let (done, written) = oneshot::channel();
        let gone = || Error::ledger("the ledger's writer has stopped");
        self.lines.send(Entry { lines: lines.clone(), durable, done }).map_err(|_| gone())?;
        written.await.map_err(|_| gone())??;
        Ok(lines)
    }
}

/// Writes what comes; one flush serves everything that came in the meantime. After a failure nothing is written any more:
/// a line may be torn, and another after it would make the ledger unreadable.
fn write(file: &mut File, path: &Path, entries: &mpsc::Receiver<Entry>) {
    let mut broken = None;
    while let Ok(first) = entries.recv() {
        let batch: Vec<Entry> = std::iter::once(first).chain(std::iter::from_fn(|| entries.try_recv().ok())).collect();
        if broken.is_none() {
            let durable = batch.iter().any(|entry| entry.durable);
            broken = append(file, batch.iter().flat_map(|entry| &entry.lines), durable).err();
        }
        for entry in batch {
            let outcome = match &broken {
                None => Ok(()),
                Some(error) => Err(Error::io("write", path, std::io::Error::new(error.kind(), error.to_string()))),
            };
            // Whoever asked may have gone.
            let _ = entry.done.send(outcome);
        }
    }
}

fn append<'l>(file: &mut File, lines: impl Iterator<Item = &'l Line>, durable: bool) -> std::io::Result<()> {
    let mut text = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut text, line)?;
        text.push(b'\n');
    }
    file.write_all(&text)?;
    if durable {
        file.sync_data()?;
    }
    Ok(())
}
