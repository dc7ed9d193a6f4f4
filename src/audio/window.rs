//! Random access to a file within a bound.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// Bytes read after a jump: headers are short.
const GLANCE: usize = 4 * 1024;
/// Bytes read when reading continues.
const STRIDE: usize = 256 * 1024;
/// Most bytes that can be asked for at once.
const MOST_AT_ONCE: usize = 2 * 1024 * 1024;

/// Bytes of a file by offset, until the bound has been read.
#[derive(Debug)]
pub(super) struct Window {
    file: File,
    length: u64,
    /// Bytes that may still be read.
    left: u64,
    /// Offset of `held`.
    start: u64,
    held: Vec<u8>,
    failure: Option<io::Error>,
}

impl Window {
    /// `length` and `bound` in bytes.
    pub(super) fn new(file: File, length: u64, bound: u64) -> Self {
        Self { file, length, left: bound, start: 0, held: Vec::new(), failure: None }
    }

    /// Length of the file in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The first error of the operating system.
    pub(super) fn failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    /// Whether the bound was reached: what lies beyond it is unknown.
    pub(super) fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// Exactly `count` bytes at `place`; `None` if the file or the bound ends earlier, or reading fails.
    pub(super) fn bytes(&mut self, place: u64, count: usize) -> Option<&[u8]> {
        let end = place.checked_add(u64::try_from(count).ok()?)?;
        if end > self.length || count > MOST_AT_ONCE {
            return None;
        }
        let held_end = self.start + self.held.len() as u64;
        if place < self.start || end > held_end {
            let goes_on = (self.start..=held_end).contains(&place) && !self.held.is_empty();
            self.load(place, count.max(if goes_on { STRIDE } else { GLANCE }));
        }
        let from = usize::try_from(place.checked_sub(self.start)?).ok()?;
        self.held.get(from..from.checked_add(count)?)
    }

    /// `N` bytes at `place`.
    pub(super) fn array<const N: usize>(&mut self, place: u64) -> Option<[u8; N]> {
        self.bytes(place, N)?.try_into().ok()
    }

    fn load(&mut self, place: u64, count: usize) {
        self.held.clear();
        self.start = place;
        let most = self.left.min(count as u64);
        // Room for all of it, so that it is read at once.
        self.held.reserve(usize::try_from(most.min(self.length.saturating_sub(place))).unwrap_or(0));
        let read = self
            .file
            .seek(SeekFrom::Start(place))
            .and_then(|_| Read::by_ref(&mut self.file).take(most).read_to_end(&mut self.held));
        self.left -= most.min(self.held.len() as u64);
        if let Err(error) = read {
            self.left = 0;
            self.failure.get_or_insert(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn nothing_is_given_beyond_file_and_bound() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[7; 10_000]).unwrap();
        let mut window = Window::new(file, 10_000, 9000);
        assert_eq!(window.array::<4>(9996), Some([7; 4]));
        assert_eq!(window.array::<4>(9997), None);
        assert_eq!(window.bytes(u64::MAX, 4), None);
        assert_eq!(window.array::<2>(0), Some([7; 2]));
        assert_eq!(window.bytes(4096, 5000), None, "4,100 bytes have been read, 4,900 may be");
        assert!(window.is_spent());
        assert!(window.failure().is_none());
    }
}
