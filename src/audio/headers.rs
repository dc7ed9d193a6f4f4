//! A file of which only a bounded number of bytes may be read.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use symphonia::core::io::MediaSource;

/// Most bytes read; enough for the index of a twelve-hour MP4.
const MOST_READ: u64 = 32 * 1024 * 1024;

/// Bytes that may still be read.
#[derive(Debug, Clone)]
pub(super) struct Allowance(Arc<AtomicU64>);

impl Allowance {
    /// Allows this many bytes from now on.
    pub(super) fn raise(&self, bytes: u64) {
        self.0.store(bytes, Ordering::Relaxed);
    }

    /// Whether nothing is left.
    pub(super) fn is_spent(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

/// Fails once [`MOST_READ`] bytes have been read, unless more are allowed.
#[derive(Debug)]
pub(super) struct Headers {
    file: File,
    length: u64,
    left: Allowance,
    /// The first error of the operating system.
    failure: Arc<OnceLock<io::Error>>,
}

impl Headers {
    /// `length` in bytes; `failure` receives the first error of the operating system, so that it is not mistaken for a damaged file.
    pub(super) fn new(file: File, length: u64, failure: Arc<OnceLock<io::Error>>) -> Self {
        Self { file, length, left: Allowance(Arc::new(AtomicU64::new(MOST_READ))), failure }
    }

    /// A handle on the bound.
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
        // The demuxer decides where to: a position before the start is its error.
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
