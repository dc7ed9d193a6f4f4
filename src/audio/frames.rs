//! Walks a bare stream of frames, each of which states its length.

use super::window::Window;

/// Bytes searched for the next frame after damage.
const MOST_SKIPPED: u64 = 64 * 1024;

/// The header of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    /// Bytes of header and body; more than zero.
    pub(super) bytes: u32,
    /// Samples per channel.
    pub(super) samples: u32,
}

/// The frames of a walk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Walked {
    /// Bytes of whole frames, without the last.
    pub(super) bytes: u64,
    /// Samples per channel.
    pub(super) samples: u64,
    /// Offset at which the walk ended.
    pub(super) end: u64,
}

impl Walked {
    /// Samples of the whole file: those counted, and beyond `end` as many per byte as before it.
    pub(super) fn extrapolated(self, length: u64) -> Option<u128> {
        let beyond = u128::from(length.saturating_sub(self.end));
        let further = (u128::from(self.samples) * beyond).checked_div(u128::from(self.bytes))?;
        Some(u128::from(self.samples) + further)
    }
}

/// Walks from the frame at `place` to the last whole one, or until `enough`; short damage is skipped.
pub(super) fn walk<const N: usize>(
    window: &mut Window,
    mut place: u64,
    header: impl Fn([u8; N]) -> Option<Frame>,
    mut enough: impl FnMut([u8; N], Walked) -> bool,
) -> Walked {
    let mut walked = Walked { end: place, ..Walked::default() };
    while let Some(bytes) = window.array::<N>(place) {
        match header(bytes) {
            Some(frame) if place + u64::from(frame.bytes) <= window.length() => {
                walked.bytes += u64::from(frame.bytes);
                walked.samples += u64::from(frame.samples);
                place += u64::from(frame.bytes);
                walked.end = place;
                if enough(bytes, walked) {
                    break;
                }
            }
            Some(_) => break,
            None => {
                let Some(next) = (place + 1..place + MOST_SKIPPED).find(|at| follows(window, *at, &header)) else {
                    break;
                };
                place = next;
            }
        }
    }
    walked
}

/// Whether a frame begins at `place` and is followed by another or by the end of the file.
pub(super) fn follows<const N: usize>(
    window: &mut Window,
    place: u64,
    header: &impl Fn([u8; N]) -> Option<Frame>,
) -> bool {
    let Some(frame) = window.array::<N>(place).and_then(header) else { return false };
    let next = place + u64::from(frame.bytes);
    next == window.length() || window.array::<N>(next).and_then(header).is_some()
}
