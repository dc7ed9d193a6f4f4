//! FLAC that was cut off: where its last frame ends, by RFC 9639.

use super::window::Window;

/// Metadata blocks that are skipped at most.
const MOST_BLOCKS: usize = 200;
/// Frames are looked for in this many bytes at the end of the file, at most.
const TAIL: u64 = 1024 * 1024;
/// Bytes of these that are read at once.
const CHUNK: u64 = 64 * 1024;
/// The longest frame header.
const HEADER: u64 = 16;
/// In STREAMINFO: the least samples of a block.
const LEAST_BLOCK: u64 = 8;

/// Samples up to the end of the last frame that begins in the file; `None` if none is found.
pub(super) fn held_samples(window: &mut Window, place: u64) -> Option<u64> {
    let block_size = window.array(place + LEAST_BLOCK).map(u16::from_be_bytes)?;
    let first = first_frame(window, place)?;
    let pattern: [u8; 4] = window.array(first)?;
    let length = window.length();
    let (floor, mut end) = (first.max(length.saturating_sub(TAIL)), length);
    while end > floor {
        let begin = end.saturating_sub(CHUNK).max(floor);
        // With the rest of a header that begins at its end.
        let held = (end + HEADER).min(length) - begin;
        let bytes = window.bytes(begin, usize::try_from(held).ok()?)?;
        let own = usize::try_from(end - begin).ok()?;
        let mut frames = (0..own).rev().filter_map(|at| header(bytes.get(at..)?));
        if let Some(frame) = frames.find(|frame| frame.is_like(pattern)) {
            return frame.begins_at(block_size)?.checked_add(frame.samples);
        }
        end = begin;
    }
    None
}

/// Where the frames begin: behind the last metadata block.
fn first_frame(window: &mut Window, place: u64) -> Option<u64> {
    let mut at = place + 4;
    for _ in 0..MOST_BLOCKS {
        let [kind, high, middle, low] = window.array(at)?;
        at += 4 + u64::from(u32::from_be_bytes([0, high, middle, low]));
        if kind & 0x80 != 0 {
            return Some(at);
        }
    }
    None
}

struct Header {
    bytes: [u8; 4],
    /// Of the frame, or of its first sample where blocks differ in size.
    number: u64,
    samples: u64,
}

impl Header {
    /// Whether rate, sample size and kind of numbers are those of another frame: they do not change within a file.
    fn is_like(&self, [sync, strategy, sizes, layout]: [u8; 4]) -> bool {
        let [own_sync, own_strategy, own_sizes, own_layout] = self.bytes;
        (own_sync, own_strategy) == (sync, strategy)
            && own_sizes & 0x0F == sizes & 0x0F
            && own_layout & 0x0F == layout & 0x0F
    }

    fn begins_at(&self, block_size: u16) -> Option<u64> {
        let is_sample = self.bytes.get(1).is_some_and(|strategy| strategy & 1 == 1);
        if is_sample { Some(self.number) } else { self.number.checked_mul(block_size.into()) }
    }
}

/// The frame header at the beginning of these bytes, if its checksum holds.
fn header(all: &[u8]) -> Option<Header> {
    let bytes: [u8; 4] = all.get(..4)?.try_into().ok()?;
    let [0xFF, strategy, sizes, _] = bytes else { return None };
    if strategy & 0xFE != 0xF8 {
        return None;
    }
    // The number is coded as UTF-8 codes characters, in up to 7 bytes.
    let first = *all.get(4)?;
    let more = match first.leading_ones() {
        0 => 0,
        ones @ 2..=7 => ones as usize - 1,
        _ => return None,
    };
    let mut number = if more == 0 { u64::from(first) } else { u64::from(first & (0x7F_u8 >> (more + 1))) };
    for byte in all.get(5..5 + more)? {
        number = number << 6 | u64::from(byte & 0x3F);
    }
    let mut at = 5 + more;
    let mut taken = |count: usize| {
        let bytes = all.get(at..at + count)?;
        at += count;
        Some(bytes.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte)))
    };
    let samples = match sizes >> 4 {
        0 => return None,
        1 => 192,
        code @ 2..=5 => 576 << (code - 2),
        6 => taken(1)? + 1,
        7 => taken(2)? + 1,
        code => 256 << (code - 8),
    };
    match sizes & 0x0F {
        12 => drop(taken(1)?),
        13 | 14 => drop(taken(2)?),
        _ => {}
    }
    (crc8(all.get(..at)?) == *all.get(at)?).then_some(Header { bytes, number, samples })
}

/// With polynomial 0x07, from 0.
fn crc8(bytes: &[u8]) -> u8 {
    bytes
        .iter()
        .fold(0, |sum, byte| (0..8).fold(sum ^ byte, |sum, _| sum << 1 ^ if sum & 0x80 == 0 { 0 } else { 0x07 }))
}
