//! Samples of a WAV stored as PCM or by ITU-T G.711. They are read here because demuxers refuse headers of telephone
//! recorders that are wrong in irrelevant fields.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::ControlFlow;

use super::MOST_CHANNELS;
use super::decode::Take;
use super::wav::Data;

/// Samples per channel read at once.
const SAMPLES: u64 = 8192;

/// Whether samples of this codec are read here.
pub(super) fn is_known(data: Data) -> bool {
    data.format.codec.is_some_and(|codec| sample(codec).is_some())
        && (1..=MOST_CHANNELS).contains(&data.format.channels)
        && data.format.rate_hz > 0
}

/// Passes all samples to `take` until it breaks off; returns whether there was any.
pub(super) fn decode(mut file: File, data: Data, take: &mut Take<'_>) -> io::Result<bool> {
    let Some((codec, (block, _))) = data.format.codec.zip(data.format.block) else { return Ok(false) };
    let Some(sample) = sample(codec) else { return Ok(false) };
    let channels = usize::from(data.format.channels);
    // A sample of 24 bits may be stored in four bytes.
    let width = usize::try_from(block).unwrap_or_default() / channels.max(1);
    if width == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::Start(data.at))?;
    let mut reader = BufReader::new(file).take(data.bytes());
    let (mut bytes, mut planes) = (Vec::new(), vec![Vec::new(); channels]);
    let mut any = false;
    loop {
        bytes.clear();
        reader.by_ref().take(SAMPLES * block).read_to_end(&mut bytes)?;
        let frames = bytes.len() / (width * channels);
        if frames == 0 {
            return Ok(any);
        }
        for (at, plane) in planes.iter_mut().enumerate() {
            let of_channel = bytes.chunks_exact(width).take(frames * channels).skip(at).step_by(channels);
            plane.clear();
            plane.extend(of_channel.map(|bytes| sample(bytes).unwrap_or(0.0)));
        }
        any = true;
        if matches!(take(data.format.rate_hz, &planes), ControlFlow::Break(())) {
            return Ok(true);
        }
    }
}

type Sample = fn(&[u8]) -> Option<f32>;

/// Reads one sample, -1 to 1.
fn sample(codec: &str) -> Option<Sample> {
    Some(match codec {
        "pcm_u8" => |bytes| Some((f32::from(*bytes.first()?) - 128.0) / 128.0),
        "pcm_s16le" => |bytes| Some(f32::from(i16::from_le_bytes(*bytes.last_chunk()?)) / 32_768.0),
        // The two highest bytes are enough.
        "pcm_s24le" | "pcm_s32le" => |bytes| Some(f32::from(i16::from_le_bytes(*bytes.last_chunk()?)) / 32_768.0),
        "pcm_f32le" => |bytes| Some(f32::from_le_bytes(*bytes.last_chunk()?)),
        "pcm_f64le" => |bytes| Some(f64::from_le_bytes(*bytes.last_chunk()?) as f32),
        "pcm_alaw" => |bytes| Some(f32::from(a_law(*bytes.first()?)) / 32_768.0),
        "pcm_mulaw" => |bytes| Some(f32::from(mu_law(*bytes.first()?)) / 32_768.0),
        _ => return None,
    })
}

/// G.711, table 1: every other bit is inverted; sign, three bits of segment, four of step.
fn a_law(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let (segment, step) = (byte >> 4 & 7, i16::from(byte & 15) << 4);
    let size = if segment == 0 { step + 8 } else { (step + 0x108) << (segment - 1) };
    if byte & 0x80 == 0 { -size } else { size }
}

/// G.711, table 2: all bits are inverted.
fn mu_law(byte: u8) -> i16 {
    let byte = !byte;
    let size = (((i16::from(byte & 15) << 3) + 0x84) << (byte >> 4 & 7)) - 0x84;
    if byte & 0x80 == 0 { size } else { -size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_laws_are_those_of_the_recommendation() {
        assert_eq!([0x2A, 0xAA, 0x55, 0xD5].map(a_law), [-32_256, 32_256, -8, 8]);
        assert_eq!([0x00, 0x80, 0x7F, 0xFF].map(mu_law), [-32_124, 32_124, 0, 0]);
    }

    #[test]
    fn samples_lie_between_minus_one_and_one() {
        for (codec, bytes, wanted) in [
            ("pcm_u8", &b"\x00"[..], -1.0),
            ("pcm_s16le", b"\x00\x40", 0.5),
            ("pcm_s24le", b"\xFF\x00\x40", 0.5),
            ("pcm_s24le", b"\0\0\x00\xC0", -0.5),
            ("pcm_f32le", b"\0\0\0\x3F", 0.5),
            ("pcm_f64le", b"\0\0\0\0\0\0\xE0\x3F", 0.5),
        ] {
            assert_eq!(sample(codec).and_then(|sample| sample(bytes)), Some(wanted), "{codec}");
        }
        assert!(sample("gsm_ms").is_none());
    }
}
