//! AMR and AMR-WB files, by RFC 4867, section 5. The first byte of every frame is read, up to the bound of the walk;
//! beyond it the duration is extrapolated.

use super::frames::{self, Frame};
use super::window::Window;
use super::{Probe, rounded_ms};

/// Bytes of speech by frame type, without the byte that states the type; a reserved type ends the sound.
const NARROW: [Option<u32>; 16] = sizes([12, 13, 15, 17, 19, 20, 26, 31, 5, 6, 5, 5]);
/// The same for AMR-WB; 14 is a lost frame.
const WIDE: [Option<u32>; 16] = sizes([17, 23, 32, 36, 40, 46, 50, 58, 60, 5]);
/// Frames per second.
const FRAMES: u128 = 50;

const fn sizes<const N: usize>(known: [u32; N]) -> [Option<u32>; 16] {
    let mut sizes = [None; 16];
    let mut at = 0;
    while at < N {
        sizes[at] = Some(known[at]);
        at += 1;
    }
    if N == 10 {
        sizes[14] = Some(0);
    }
    // No data was sent.
    sizes[15] = Some(0);
    sizes
}

pub(super) fn probe(window: &mut Window, place: u64) -> Option<Probe> {
    let (codec, rate, sizes, channels, head) = match window.array::<6>(place)? {
        [.., b'\n'] => ("amr_nb", 8000, NARROW, 1, 6),
        [.., b'-'] if window.array(place) == Some(*b"#!AMR-WB\n") => ("amr_wb", 16_000, WIDE, 1, 9),
        [.., b'_'] if window.array(place) == Some(*b"#!AMR_MC1.0\n") => {
            ("amr_nb", 8000, NARROW, window.array::<4>(place + 12)?[3] & 15, 16)
        }
        [.., b'-'] if window.array(place) == Some(*b"#!AMR-WB_MC1.0\n") => {
            ("amr_wb", 16_000, WIDE, window.array::<4>(place + 15)?[3] & 15, 19)
        }
        _ => return None,
    };
    let header = |[first]: [u8; 1]| {
        let size = (*sizes.get(usize::from(first >> 3 & 15))?)?;
        Some(Frame { bytes: 1 + size, samples: 1 })
    };
    let walked = frames::walk(window, place + head, header, |_, _| false);
    let frames = if window.is_spent() { walked.extrapolated(window.length())? } else { u128::from(walked.samples) };
    Some(Probe {
        format: "amr",
        codec: Some(codec),
        sample_rate_hz: Some(rate),
        channels: Some(u16::from(channels)),
        duration_ms: rounded_ms(frames.checked_div(u128::from(channels))?, 1, FRAMES),
        promised_ms: None,
        audio_tracks: 1,
    })
}
