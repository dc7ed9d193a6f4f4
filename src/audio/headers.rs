//! A file that may be read here and there, but not whole.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, OnceLock};

use symphonia::core::io::MediaSource;

/// The index of a twelve-hour MP4 has its place in it; in bytes.
const MOST_READ: u64 = 32 * 1024 * 1024;

/// Ends with an error once [`MOST_READ`] bytes have been read, wherever from.
#[derive(Debug)]
pub(super) struct Headers {
    file: File,
    length: u64,
    left: u64,
    /// Why the system refused, as far as it did.
    failure: Arc<OnceLock<io::Error>>,
}

impl Headers {
    /// `length` in bytes; `failure` takes the first error of the system, so that it is not taken for one of the format.
    pub(super) fn new(file: File, length: u64, failure: Arc<OnceLock<io::Error>>) -> Self {
        Self { file, length, left: MOST_READ, failure }
    }
}

impl Read for Headers {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bound = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(buffer) = buffer.get_mut(..bound).filter(|buffer| !buffer.is_empty()) else {
            return Err(io::ErrorKind::FileTooLarge.into());
        };
        match self.file.read(buffer) {
            Ok(read) => {
                self.left = self.left.saturating_sub(u64::try_from(read).unwrap_or(u64::MAX));
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
