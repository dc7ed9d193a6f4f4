//! WAV (RIFF), and RF64 and BW64 for more than 4 GB, by EBU Tech 3306 and ITU-R BS.2088.
//!
//! Only the chunk headers before the samples are read. The size that RIFF states for the whole file is ignored: many
//! recorders get it wrong.

use super::wave_format::WaveFormat;
use super::window::Window;
use super::{Probe, rounded_ms};

/// Most chunks before the samples.
const MOST_CHUNKS: usize = 1000;
/// Most bytes of a format description.
const MOST_FORMAT: u32 = 64;

/// Streaming recorders state about this many bytes or more: 2³¹ less a little, or 2³²-1.
const STREAMED: u64 = 0x7FFF_0000;

/// Where the samples are, and their format.
#[derive(Debug, Clone, Copy)]
pub(super) struct Data {
    pub(super) format: WaveFormat,
    /// Where they begin, in bytes.
    pub(super) at: u64,
    /// Bytes that the header states.
    stated: u64,
    /// Bytes that the file holds.
    held: u64,
    /// Samples per channel by the chunk `fact`; `None` if it is missing or 0.
    samples: Option<u32>,
}

impl Data {
    /// Bytes that can be read.
    pub(super) fn bytes(self) -> u64 {
        self.stated.min(self.held)
    }
}

/// Finds the samples of the WAV that begins at `place`.
pub(super) fn data(window: &mut Window, place: u64) -> Option<Data> {
    let mut at = place + 12;
    let (mut format, mut samples, mut stated_bytes) = (None, None, None);
    for _ in 0..MOST_CHUNKS {
        let size = u32::from_le_bytes(window.array(at + 4)?);
        match &window.array(at)? {
            b"fmt " => format = WaveFormat::new(window.bytes(at + 8, size.min(MOST_FORMAT) as usize)?),
            b"fact" => samples = window.array(at + 8).map(u32::from_le_bytes).filter(|samples| *samples > 0),
            b"ds64" => stated_bytes = window.array(at + 16).map(u64::from_le_bytes),
            b"data" => {
                let held = window.length() - (at + 8);
                let stated = if size == u32::MAX { stated_bytes.unwrap_or(u64::MAX) } else { u64::from(size) };
                return Some(Data { format: format?, at: at + 8, stated, held, samples });
            }
            _ => {}
        }
        at = at.checked_add(8 + u64::from(size) + u64::from(size & 1))?;
    }
    None
}

pub(super) fn probe(window: &mut Window, place: u64) -> Option<Probe> {
    let data = data(window, place)?;
    Some(Probe {
        format: "wav",
        codec: data.format.codec,
        sample_rate_hz: Some(data.format.rate_hz),
        channels: Some(data.format.channels),
        duration_ms: duration_ms(data),
        promised_ms: promised_ms(data),
        audio_tracks: 1,
    })
}

/// Duration by the header, or by the `held` bytes if they are fewer.
///
/// A recorder that was cut off leaves the planned length in the header; one that streams writes 2³²-1 (unknown) or 0. A 0
/// before samples is unknown.
fn duration_ms(data: Data) -> Option<u64> {
    let Data { format, stated, held, samples, .. } = data;
    if stated == 0 && held > 0 {
        return None;
    }
    let rate = u128::from(format.rate_hz);
    let bytes = data.bytes();
    if let Some((size, each)) = format.block {
        let blocks = u128::from(bytes.checked_div(size)?);
        let fitting = blocks * u128::from(each);
        // The last block may be padded; PCM does not need the chunk `fact`, and some recorders write nonsense there.
        let fewer = samples.map(u128::from).filter(|samples| each > 1 && *samples < fitting);
        return rounded_ms(fewer.unwrap_or(fitting), 1, rate);
    }
    match samples {
        Some(samples) if stated <= held => rounded_ms(u128::from(samples), 1, rate),
        _ => rounded_ms(u128::from(bytes), 1, u128::from(format.bytes_per_second)),
    }
}

/// Duration of the stated bytes, if the file holds fewer and the number was not left open by a recorder that streams.
fn promised_ms(data: Data) -> Option<u64> {
    if data.stated <= data.held || data.stated >= STREAMED {
        return None;
    }
    rounded_ms(u128::from(data.stated), 1, u128::from(data.format.bytes_per_second))
}
