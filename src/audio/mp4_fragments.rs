//! Fragmented MP4, whose index is spread over the file, by ISO/IEC 14496-12, 8.8. Only the boxes of the index are read.

use super::window::Window;

/// Most boxes of a file.
const MOST_BOXES: usize = 2_000_000;
/// Most boxes before the first fragment.
const MOST_BEFORE: usize = 16;

/// A box: its name, and where its body begins and ends.
fn open(window: &mut Window, at: u64, end: u64) -> Option<([u8; 4], u64, u64)> {
    let name = window.array(at + 4)?;
    let (head, size) = match u32::from_be_bytes(window.array(at)?) {
        0 => (8, end.checked_sub(at)?),
        1 => (16, u64::from_be_bytes(window.array(at + 8)?)),
        size => (8, u64::from(size)),
    };
    let next = at.checked_add(size).filter(|_| size >= head)?;
    Some((name, at + head, next))
}

/// Whether the file is fragmented: then its header describes the first fragment at most.
pub(super) fn is_fragmented(window: &mut Window, mut at: u64) -> bool {
    let end = window.length();
    for _ in 0..MOST_BEFORE {
        match open(window, at, end) {
            Some((name, _, _)) if &name == b"moof" => return true,
            Some((_, _, next)) => at = next,
            None => return false,
        }
    }
    false
}

/// The end of the last fragment of that track, in ticks of the track; `None` without one, or if the bound ends the walk.
pub(super) fn ticks(window: &mut Window, mut at: u64, track: u32) -> Option<u64> {
    let length = window.length();
    let (mut default, mut of_piece) = (0, 0);
    let (mut is_track, mut ticks) = (false, None::<u64>);
    for _ in 0..MOST_BOXES {
        let Some((name, body, next)) = open(window, at, length) else { break };
        at = next;
        let mut long = |offset| window.array(body + offset).map(u32::from_be_bytes);
        match &name {
            b"moov" | b"mvex" | b"moof" | b"traf" => at = body,
            // Version and flags precede it.
            b"trex" if long(4) == Some(track) => default = long(12)?,
            b"tfhd" => {
                is_track = long(4) == Some(track);
                let flags = long(0)?;
                let before = 8 + u64::from(flags & 1) * 8 + u64::from(flags >> 1 & 1) * 4;
                of_piece = if flags & 8 == 0 { default } else { long(before)? };
            }
            b"tfdt" if is_track => {
                ticks = Some(match long(0)? >> 24 {
                    0 => u64::from(long(4)?),
                    _ => u64::from_be_bytes(window.array(body + 4)?),
                });
            }
            b"trun" if is_track => {
                let (flags, count) = (long(0)?, long(4)?);
                let sum = samples(window, body, next, flags, count, of_piece);
                let Some(sum) = sum else { break };
                ticks = Some(ticks.unwrap_or(0).checked_add(sum)?);
            }
            _ => {}
        }
    }
    ticks.filter(|_| !window.is_spent())
}

/// Length of all samples of a run, which have lengths of their own or a common one.
fn samples(window: &mut Window, body: u64, end: u64, flags: u32, count: u32, each: u32) -> Option<u64> {
    if flags & 0x100 == 0 {
        return u64::from(count).checked_mul(u64::from(each));
    }
    let first = body + 8 + u64::from(flags & 1) * 4 + u64::from(flags >> 2 & 1) * 4;
    let row = 4 * (flags >> 8 & 15).count_ones() as usize;
    let rows = window.bytes(first, usize::try_from(end.checked_sub(first)?).ok()?)?.chunks_exact(row);
    let first_of = |row: &[u8]| row.first_chunk().map(|bytes| u64::from(u32::from_be_bytes(*bytes)));
    rows.take(count as usize).map(first_of).sum()
}
