//! A bare stream of frames, each of which says how long it is: a walk from one to the next.

use super::window::Window;

/// Searched for the next frame where one does not follow the other, in bytes.
const MOST_SKIPPED: u64 = 64 * 1024;

/// What the header of one frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    /// Of header and body; more than zero.
    pub(super) bytes: u32,
    /// Of each channel.
    pub(super) samples: u32,
}

/// What was met on the way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Walked {
    /// Whole frames, but for the last.
    pub(super) bytes: u64,
    /// Of each channel.
    pub(super) samples: u64,
    /// Where it ended, in bytes of the file.
    pub(super) end: u64,
}

impl Walked {
    /// Samples of the whole: those met, and beyond `end` as many a byte as on the way.
    pub(super) fn extrapolated(self, length: u64) -> Option<u128> {
        let beyond = u128::from(length.saturating_sub(self.end));
        let further = (u128::from(self.samples) * beyond).checked_div(u128::from(self.bytes))?;
        Some(u128::from(self.samples) + further)
    }
}

/// From the frame at `place` to the last that is whole, or until `enough` says so; over damage, if it is short.
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

/// Whether a frame stands at `place`, and behind it another one or the end of the file.
pub(super) fn follows<const N: usize>(
    window: &mut Window,
    place: u64,
    header: &impl Fn([u8; N]) -> Option<Frame>,
) -> bool {
    let Some(frame) = window.array::<N>(place).and_then(header) else { return false };
    let next = place + u64::from(frame.bytes);
    next == window.length() || window.array::<N>(next).and_then(header).is_some()
}
