//! Work without the interpreter's lock, which Ctrl-C ends.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use pyo3::prelude::*;

use crate::error::{Error, Result};
use crate::tables::ResultFile;
use crate::transcript::SourceFormat;

/// How often signals and progress are looked after.
const TICK: Duration = Duration::from_millis(50);

/// What the work and the thread that waits for it tell each other.
#[derive(Debug, Default)]
pub(super) struct Watch {
    done: AtomicUsize,
    is_stopped: AtomicBool,
}

impl Watch {
    /// One file is done.
    ///
    /// # Errors
    /// The work is to end.
    pub(super) fn count(&self) -> Result<()> {
        self.done.fetch_add(1, Ordering::Relaxed);
        if self.is_stopped.load(Ordering::Relaxed) { Err(Error::invalid("interrupted")) } else { Ok(()) }
    }
}

/// A file that is not read once the work is to end.
pub(super) struct Watched<'a, F> {
    pub(super) file: &'a F,
    pub(super) watch: &'a Watch,
}

impl<F: ResultFile> ResultFile for Watched<'_, F> {
    fn file(&self) -> &str {
        self.file.file()
    }

    fn path(&self) -> &Path {
        self.file.path()
    }

    fn format(&self) -> Option<SourceFormat> {
        self.file.format()
    }

    fn size(&self) -> u64 {
        self.file.size()
    }

    fn bytes<'b>(&'b self, buffer: &'b mut Vec<u8>) -> std::io::Result<&'b [u8]> {
        if self.watch.is_stopped.load(Ordering::Relaxed) {
            return Err(std::io::ErrorKind::Interrupted.into());
        }
        self.file.bytes(buffer)
    }
}

/// Ends the wait for the work, however it ends.
struct End<'a>(&'a AtomicBool, Thread);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
        self.1.unpark();
    }
}

/// Runs work in a pool of its own, which ends with it: a fork copies no threads, so that a pool that stays would keep a forked
/// process waiting for ever. `progress` is called with the numbers of files done and of all.
///
/// # Errors
/// Those of the work, of `progress`, and `KeyboardInterrupt`.
pub(super) fn run<T: Send>(
    py: Python<'_>,
    threads: Option<usize>,
    progress: Option<(&Bound<'_, PyAny>, usize)>,
    work: impl FnOnce(&Watch) -> Result<T> + Send,
) -> PyResult<T> {
    let failed = |why: &dyn std::fmt::Display| Error::invalid(format!("cannot start threads: {why}"));
    let threads = rayon::ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0));
    let pool = threads.build().map_err(|error| failed(&error))?;
    let (watch, is_ended) = (Watch::default(), AtomicBool::new(false));
    let (watch, is_ended) = (&watch, &is_ended);
    let end = End(is_ended, thread::current());
    thread::scope(|scope| {
        let worker = thread::Builder::new().spawn_scoped(scope, move || {
            let _end = end;
            pool.install(|| work(watch))
        });
        let worker = worker.map_err(|error| failed(&error))?;
        let (mut outcome, mut told) = (Ok(()), 0);
        loop {
            py.detach(|| thread::park_timeout(TICK));
            let is_last = is_ended.load(Ordering::Acquire);
            let done = watch.done.load(Ordering::Relaxed);
            outcome = outcome.and_then(|()| {
                py.check_signals()?;
                match progress.filter(|_| done > told) {
                    Some((call, all)) => call.call1((done, all)).map(drop),
                    None => Ok(()),
                }
            });
            told = done;
            if outcome.is_err() {
                watch.is_stopped.store(true, Ordering::Relaxed);
            }
            if is_last {
                break;
            }
        }
        let result = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        outcome.and(result.map_err(PyErr::from))
    })
}
