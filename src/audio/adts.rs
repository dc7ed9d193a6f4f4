//! Bare AAC: ADTS frames, by ISO/IEC 13818-7, 6.2. Every frame header is read, up to the bound of the walk; beyond it
//! the duration is extrapolated.

use super::frames::{self, Frame};
use super::window::Window;
use super::{Probe, rounded_ms};

/// Rates in hertz by `sampling_frequency_index`.
const RATES_HZ: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000, 7350];

/// The rate of an index in hertz; `None` if it is reserved.
pub(super) fn rate(index: u8) -> Option<u32> {
    RATES_HZ.get(usize::from(index)).copied()
}

/// Channels of a `channel_configuration`; `None` if the stream states them elsewhere.
pub(super) fn channels(configuration: u8) -> Option<u16> {
    match configuration {
        1..=6 => Some(u16::from(configuration)),
        7 => Some(8),
        _ => None,
    }
}

fn header([sync, second, third, fourth, fifth, sixth, seventh]: [u8; 7]) -> Option<Frame> {
    // Twelve bits of sync, and layer 0; other MPEG audio has layers 1 to 3.
    if sync != 0xFF || second & 0xF6 != 0xF0 {
        return None;
    }
    rate(third >> 2 & 15)?;
    let bytes = u32::from(fourth & 3) << 11 | u32::from(fifth) << 3 | u32::from(sixth >> 5);
    let blocks = u32::from(seventh & 3) + 1;
    (bytes >= 7).then_some(Frame { bytes, samples: blocks * 1024 })
}

/// Whether an ADTS stream begins at `place`.
pub(super) fn begins(window: &mut Window, place: u64) -> bool {
    frames::follows(window, place, &header)
}

pub(super) fn probe(window: &mut Window, place: u64) -> Option<Probe> {
    let [_, _, third, fourth] = window.array(place)?;
    let rate = rate(third >> 2 & 15)?;
    let walked = frames::walk(window, place, header, |_, _| false);
    let samples = if window.is_spent() { walked.extrapolated(window.length())? } else { u128::from(walked.samples) };
    Some(Probe {
        format: "aac",
        codec: Some("aac"),
        sample_rate_hz: Some(rate),
        channels: channels((third & 1) << 2 | fourth >> 6),
        duration_ms: rounded_ms(samples, 1, u128::from(rate)),
        promised_ms: None,
        audio_tracks: 1,
    })
}
