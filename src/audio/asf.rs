//! ASF (WMA, WMV), by Microsoft's "Advanced Systems Format specification", 3.1 to 3.3. Only the header object is read.

use super::wave_format::WaveFormat;
use super::window::Window;
use super::{Probe, rounded_ms};

/// Most objects in a header.
const MOST_OBJECTS: usize = 1000;
const FILE_PROPERTIES: [u8; 16] = *b"\xA1\xDC\xAB\x8C\x47\xA9\xCF\x11\x8E\xE4\x00\xC0\x0C\x20\x53\x65";
const STREAM_PROPERTIES: [u8; 16] = *b"\x91\x07\xDC\xB7\xB7\xA9\xCF\x11\x8E\xE6\x00\xC0\x0C\x20\x53\x65";
const AUDIO: [u8; 16] = *b"\x40\x9E\x69\xF8\x4D\x5B\xCF\x11\xA8\xFD\x00\x80\x5F\x5C\x44\x2B";
/// Most bytes of a format description.
const MOST_FORMAT: u32 = 64;
/// Ticks per second of the play duration.
const TICKS: u128 = 10_000_000;

pub(super) fn probe(window: &mut Window, place: u64) -> Option<Probe> {
    let end = place.checked_add(u64::from_le_bytes(window.array(place + 16)?))?;
    let mut at = place + 30;
    let mut duration_ms = None;
    let mut formats = Vec::new();
    for _ in 0..MOST_OBJECTS {
        let (Some(guid), Some(size)) = (window.array::<16>(at), window.array(at + 16).map(u64::from_le_bytes)) else {
            break;
        };
        if at >= end || size < 24 {
            break;
        }
        match guid {
            FILE_PROPERTIES => {
                let mut long = |offset| window.array(at + offset).map(u64::from_le_bytes);
                let (file, play, before_ms) = (long(40)?, long(64)?, long(80)?);
                let is_broadcast = window.array(at + 88).map(u32::from_le_bytes)? & 1 == 1;
                // A live stream, or a file that was cut off, does not state its length.
                let is_told = !is_broadcast && play > 0 && file <= window.length();
                let whole = rounded_ms(u128::from(play), 1, TICKS).filter(|_| is_told);
                duration_ms = whole.map(|whole| whole.saturating_sub(before_ms));
            }
            STREAM_PROPERTIES if window.array(at + 24) == Some(AUDIO) => {
                let size = u32::from_le_bytes(window.array(at + 64)?).min(MOST_FORMAT);
                formats.push(WaveFormat::new(window.bytes(at + 78, size as usize)?));
            }
            _ => {}
        }
        at = at.checked_add(size)?;
    }
    let first = *formats.first()?;
    Some(Probe {
        format: "asf",
        codec: first.and_then(|format| format.codec),
        sample_rate_hz: first.map(|format| format.rate_hz),
        channels: first.map(|format| format.channels),
        duration_ms,
        promised_ms: None,
        audio_tracks: formats.len(),
    })
}
