//! Files that people name, opened in one place: only regular ones, each kind up to a size.
//!
//! A pipe or a device may never end, or never begin; a file may be a thousand times what was meant. Both are one line, at once.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::error::{Error, Result};

/// What a file is named for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// The API key.
    Key,
    /// Context of a recognition.
    Context,
    /// Earlier turns of a dialogue.
    Dialogue,
    /// A price file.
    Prices,
    /// Limits, and what was spent of them.
    Budget,
    /// Keywords to find.
    Keywords,
    /// Rules.
    Rules,
    /// Categories to make rules of.
    Categories,
    /// Words to recognise.
    Hotwords,
    /// A list of recordings, read line by line.
    List,
    /// The provider's statement, read line by line.
    Statement,
    /// A table of columns of calls.
    Metadata,
    /// A result file, or captions.
    Transcript,
    /// The content of a report, as JSON.
    Report,
}

impl FileKind {
    /// Completes `cannot …` in errors.
    fn reading(self) -> &'static str {
        match self {
            Self::Key => "read the API key from",
            Self::Context => "read the context",
            Self::Dialogue => "read the dialogue",
            Self::Prices => "read the price file",
            Self::Budget => "read the budget",
            Self::Keywords => "read the keywords",
            Self::Rules => "read the rules",
            Self::Categories => "read the categories",
            Self::Hotwords => "read the words from",
            Self::Metadata => "open the metadata",
            Self::List | Self::Statement | Self::Transcript | Self::Report => "read",
        }
    }

    /// Refuses a size, in bytes, that such a file does not have.
    pub(crate) fn check_size(self, size: u64) -> io::Result<()> {
        if size > self.most() { Err(too_large(self.most())) } else { Ok(()) }
    }

    /// The largest size, in bytes: far more than such a file has, far less than hurts.
    const fn most(self) -> u64 {
        match self {
            Self::Key => 64 << 10,
            Self::Context | Self::Dialogue | Self::Prices => 4 << 20,
            Self::Keywords | Self::Rules | Self::Categories | Self::Hotwords | Self::Budget => 16 << 20,
            Self::List | Self::Statement => 4 << 30,
            Self::Metadata | Self::Report => 256 << 20,
            Self::Transcript => 1 << 30,
        }
    }
}

/// An open file that ends with an error beyond the size of its kind.
#[derive(Debug)]
pub(crate) struct NamedFile {
    file: File,
    kind: FileKind,
    left: u64,
    /// When it was opened.
    length: usize,
}

impl NamedFile {
    /// Opens a file.
    ///
    /// # Errors
    /// It is missing, not regular, larger than its kind, or cannot be opened.
    pub(crate) fn open(path: &Path, kind: FileKind) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        if metadata.is_dir() {
            return Err(io::Error::other("it is a folder"));
        }
        if !metadata.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        kind.check_size(metadata.len())?;
        Ok(Self { file: File::open(path)?, kind, left: kind.most(), length: metadata.len() as usize })
    }

    /// For a reader that seeks.
    pub(crate) fn into_file(self) -> File {
        self.file
    }
}

impl Read for NamedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        // What grows, or has no length, such as a file of the system.
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| too_large(self.kind.most()))?;
        Ok(read)
    }

    /// One call for a file of the length that it had, instead of one for each doubling from 8 KiB.
    fn read_to_end(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let start = buffer.len();
        let mut end = start;
        buffer.resize(start + self.length, 0);
        while let Some(rest) = buffer.get_mut(end..).filter(|rest| !rest.is_empty()) {
            match self.read(rest) {
                Ok(0) => break,
                Ok(read) => end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        buffer.truncate(end);
        // What it has grown by.
        let more = self.by_ref().take(u64::MAX).read_to_end(buffer)?;
        Ok(end - start + more)
    }
}

fn too_large(most: u64) -> io::Error {
    let size = match most {
        0..1_048_576 => format!("{} KB", most >> 10),
        1_048_576..1_073_741_824 => format!("{} MB", most >> 20),
        _ => format!("{} GB", most >> 30),
    };
    io::Error::other(format!("it is larger than {size}"))
}

/// Reads a whole file.
///
/// # Errors
/// [`crate::ErrorKind::Io`] as [`NamedFile::open`].
pub(crate) fn read(path: &Path, kind: FileKind) -> Result<Vec<u8>> {
    read_bytes(path, kind).map_err(|error| Error::io(kind.reading(), path, error))
}

/// The same, with an error that does not name the file.
///
/// # Errors
/// As [`NamedFile::open`].
pub(crate) fn read_bytes(path: &Path, kind: FileKind) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    NamedFile::open(path, kind)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_up_to_their_size_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        fs::write(&path, "sk-x").unwrap();
        assert_eq!(read(&path, FileKind::Key).unwrap(), b"sk-x");
        fs::write(&path, vec![b'x'; (64 << 10) + 1]).unwrap();
        let error = read_bytes(&path, FileKind::Key).unwrap_err();
        assert_eq!(error.to_string(), "it is larger than 64 KB");
        assert!(read_bytes(&path, FileKind::Prices).is_ok());
        assert_eq!(read_bytes(dir.path(), FileKind::Key).unwrap_err().to_string(), "it is a folder");
        // It grows while it is read.
        fs::write(&path, "").unwrap();
        let mut open = NamedFile::open(&path, FileKind::Key).unwrap();
        fs::write(&path, vec![b'x'; 100 << 10]).unwrap();
        assert!(open.read_to_end(&mut Vec::new()).is_err());
        if cfg!(unix) {
            let error = read_bytes(Path::new("/dev/zero"), FileKind::Keywords).unwrap_err();
            assert_eq!(error.to_string(), "not a regular file");
        }
    }
}
