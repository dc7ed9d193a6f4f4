//! Matroska and `WebM`: whether they were cut off, samples that are not played, and a walk over the block headers of those that
//! do not state their length, by RFC 8794 and RFC 9559.

use super::demux::NANOSECONDS;
use super::rounded_ms;
use super::window::Window;

const SEGMENT: u64 = 0x1853_8067;
const INFO: u64 = 0x1549_A966;
const TIMESTAMP_SCALE: u64 = 0x2A_D7B1;
const TRACKS: u64 = 0x1654_AE6B;
const TRACK_ENTRY: u64 = 0xAE;
const TRACK_NUMBER: u64 = 0xD7;
const CODEC_DELAY: u64 = 0x56AA;
const DISCARD_PADDING: u64 = 0x75A2;
const CLUSTER: u64 = 0x1F43_B675;
const TIMESTAMP: u64 = 0xE7;
const BLOCK_GROUP: u64 = 0xA0;
const BLOCK: u64 = 0xA1;
const SIMPLE_BLOCK: u64 = 0xA3;
/// Nanoseconds per tick unless the file states it.
const DEFAULT_SCALE: u64 = 1_000_000;

/// From the first block of that track to the end of its last, without what the codec discards; the last block lasts as long as
/// the one before it. `None` without a block, or if the bound ends the walk.
pub(super) fn duration_ms(window: &mut Window, mut at: u64, track: u64) -> Option<u64> {
    let delay = codec_delay_ns(window, at, track).unwrap_or(0);
    let (mut scale, mut cluster, mut padding, mut is_own) = (DEFAULT_SCALE, 0, 0, false);
    let mut times: Option<(i128, i128, i128)> = None;
    while let Some((id, id_bytes)) = number(window, at, true)
        && let Some((size, size_bytes)) = number(window, at + id_bytes, false)
    {
        let body = at + id_bytes + size_bytes;
        // Containers of other elements are entered; their size may be unknown.
        at = match id {
            SEGMENT | INFO | CLUSTER | BLOCK_GROUP => body,
            _ => match body.checked_add(size) {
                Some(end) if end <= window.length() => end,
                _ => break,
            },
        };
        match id {
            TIMESTAMP_SCALE => scale = unsigned(window, body, size)?,
            TIMESTAMP => cluster = unsigned(window, body, size)?,
            // Follows the block that it belongs to; negative where samples are discarded at its beginning.
            DISCARD_PADDING if is_own => {
                let ns = unsigned(window, body, size).filter(|ns| size > 0 && ns >> (8 * size - 1) == 0);
                padding = ns.unwrap_or(0);
            }
            BLOCK | SIMPLE_BLOCK => {
                let Some((of, of_bytes)) = number(window, body, false) else { break };
                let Some(time) = window.array(body + of_bytes).map(i16::from_be_bytes) else { break };
                is_own = of == track;
                if is_own {
                    padding = 0;
                    let time = i128::from(cluster) + i128::from(time);
                    times = Some(times.map_or((time, time, time), |(first, _, last)| (first, last, time)));
                }
            }
            _ => {}
        }
    }
    let (first, before, last) = times.filter(|_| !window.is_spent())?;
    let ticks = u128::try_from(last - first + (last - before).max(0)).ok()?;
    let ns = ticks.checked_mul(u128::from(scale))?;
    rounded_ms(ns.saturating_sub(u128::from(delay) + u128::from(padding)), 1, NANOSECONDS)
}

/// Whether the segment is larger than the file.
pub(super) fn is_cut_off(window: &mut Window, mut at: u64) -> bool {
    while let Some((id, id_bytes)) = number(window, at, true)
        && let Some((size, size_bytes)) = number(window, at + id_bytes, false)
    {
        let body = at + id_bytes + size_bytes;
        let Some(end) = body.checked_add(size) else { return false };
        if id == SEGMENT {
            // A segment of unknown size has all bits set.
            return end > window.length() && size.count_ones() != 7 * u32::try_from(size_bytes).unwrap_or(0);
        }
        at = end;
    }
    false
}

/// Nanoseconds at the beginning of a track that are not played; `None` if it states none.
pub(super) fn codec_delay_ns(window: &mut Window, mut at: u64, track: u64) -> Option<u64> {
    let (mut own, mut delay) = (0, None);
    while let Some((id, id_bytes)) = number(window, at, true)
        && let Some((size, size_bytes)) = number(window, at + id_bytes, false)
    {
        let body = at + id_bytes + size_bytes;
        at = match id {
            SEGMENT | TRACKS | TRACK_ENTRY => body,
            _ => body.checked_add(size)?,
        };
        match id {
            CLUSTER => break,
            // The tracks before this one are done.
            TRACK_ENTRY if own == track => break,
            TRACK_ENTRY => (own, delay) = (0, None),
            TRACK_NUMBER => own = unsigned(window, body, size)?,
            CODEC_DELAY => delay = unsigned(window, body, size),
            _ => {}
        }
    }
    delay.filter(|_| own == track)
}

/// A number of variable length and its bytes; an id keeps the bit that marks its length.
fn number(window: &mut Window, at: u64, is_id: bool) -> Option<(u64, u64)> {
    let [first] = window.array(at)?;
    let bytes = first.leading_zeros() + 1;
    let mut value = match bytes {
        9 => return None,
        8 => 0,
        _ if is_id => u64::from(first),
        _ => u64::from(first & (0xFF >> bytes)),
    };
    for byte in window.bytes(at + 1, bytes as usize - 1)? {
        value = value << 8 | u64::from(*byte);
    }
    Some((value, u64::from(bytes)))
}

fn unsigned(window: &mut Window, at: u64, size: u64) -> Option<u64> {
    let bytes = window.bytes(at, usize::try_from(size).ok().filter(|size| *size <= 8)?)?;
    Some(bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}
