//! A file that may be read here and there, but not whole.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use symphonia::core::io::MediaSource;

/// The index of a twelve-hour MP4 has its place in it; in bytes.
const MOST_READ: u64 = 32 * 1024 * 1024;

/// What may still be read, in bytes.
#[derive(Debug, Clone)]
pub(super) struct Allowance(Arc<AtomicU64>);

impl Allowance {
    /// So many bytes from now on.
    pub(super) fn raise(&self, bytes: u64) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    /// Whether there is nothing left.
    pub(super) fn is_spent(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

/// Ends with an error once [`MOST_READ`] bytes have been read, wherever from, unless more are allowed.
#[derive(Debug)]
pub(super) struct Headers {
    file: File,
    length: u64,
    left: Allowance,
    /// Why the system refused, as far as it did.
    failure: Arc<OnceLock<io::Error>>,
}

impl Headers {
    /// `length` in bytes; `failure` takes the first error of the system, so that it is not taken for one of the format.
    pub(super) fn new(file: File, length: u64, failure: Arc<OnceLock<io::Error>>) -> Self {
        Self { file, length, left: Allowance(Arc::new(AtomicU64::new(MOST_READ))), failure }
    }

    /// The bound, from outside.
    pub(super) fn allowance(&self) -> Allowance {
        self.left.clone()
    }
}

impl Read for Headers {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bound = usize::try_from(self.left.0.load(Ordering::Relaxed)).unwrap_or(usize::MAX).min(buffer.len());
        let Some(buffer) = buffer.get_mut(..bound).filter(|buffer| !buffer.is_empty()) else {
            return Err(io::ErrorKind::FileTooLarge.into());
        };
        match self.file.read(buffer) {
            Ok(read) => {
                self.left.0.fetch_sub(read as u64, Ordering::Relaxed);
                Ok(read)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let kind = error.kind();
                // Only the first is kept.
                let _ = self.failure.set(error);
                Err(kind.into())
            }
        }
    }
}

impl Seek for Headers {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        // Where to is the format's to say: a place before the beginning is its error.
        self.file.seek(to)
    }
}

impl MediaSource for Headers {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.length)
    }
}
