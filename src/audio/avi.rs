//! AVI, by Microsoft's "AVI RIFF file reference". Only the list `hdrl` is read, and where `movi` ends.

use super::wave_format::WaveFormat;
use super::window::Window;
use super::{Probe, rounded_ms};

/// Most chunks and lists of a header.
const MOST_CHUNKS: usize = 1000;
/// Most bytes of a format description.
const MOST_FORMAT: u32 = 64;

/// The first stream of sound: its length by `strh` in ticks, and a tick as a fraction of a second.
#[derive(Debug, Clone, Copy, Default)]
struct Stream {
    ticks: u32,
    scale: u32,
    rate: u32,
    format: Option<WaveFormat>,
}

pub(super) fn probe(window: &mut Window, place: u64) -> Option<Probe> {
    let mut at = place + 12;
    let mut streams: Vec<Stream> = Vec::new();
    let mut is_sound = false;
    let mut is_whole = false;
    for _ in 0..MOST_CHUNKS {
        let (Some(name), Some(size)) = (window.array::<4>(at), window.array(at + 4).map(u32::from_le_bytes)) else {
            break;
        };
        match &name {
            b"LIST" if window.array(at + 8) == Some(*b"movi") => {
                // A writer that was cut off leaves 0 or the planned length.
                is_whole = size > 4 && at + 8 + u64::from(size) <= window.length();
                break;
            }
            // Streams are in nested lists.
            b"LIST" if matches!(&window.array(at + 8)?, b"hdrl" | b"strl") => {
                at += 12;
                continue;
            }
            b"strh" => {
                is_sound = window.array(at + 8) == Some(*b"auds");
                if is_sound {
                    let mut long = |offset| window.array(at + 8 + offset).map(u32::from_le_bytes);
                    streams.push(Stream { scale: long(20)?, rate: long(24)?, ticks: long(32)?, format: None });
                }
            }
            b"strf" if is_sound => {
                let format = WaveFormat::new(window.bytes(at + 8, size.min(MOST_FORMAT) as usize)?);
                if let Some(stream) = streams.last_mut() {
                    stream.format = format;
                }
            }
            _ => {}
        }
        at = at.checked_add(8 + u64::from(size) + u64::from(size & 1))?;
    }
    let first = *streams.first()?;
    let ticks = Some(u128::from(first.ticks)).filter(|ticks| *ticks > 0 && is_whole);
    Some(Probe {
        format: "avi",
        codec: first.format.and_then(|format| format.codec),
        sample_rate_hz: first.format.map(|format| format.rate_hz),
        channels: first.format.map(|format| format.channels),
        duration_ms: ticks.and_then(|ticks| rounded_ms(ticks, u128::from(first.scale), u128::from(first.rate))),
        promised_ms: None,
        audio_tracks: streams.len(),
    })
}
