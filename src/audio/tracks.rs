//! Which channels of a file are worth a request: each is billed by itself, and recorders write the same one twice.

use std::ops::ControlFlow;
use std::path::Path;

use super::{decode, probe};
use crate::error::Result;

/// Difference of two samples that are the same but for rounding: two steps of 16 bits.
const SAME: f32 = 2.0 / 32_768.0;
/// Compared at most, in seconds: channels that were alike for so long are alike.
const MOST_COMPARED: u64 = 60 * 60;

/// The channels of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tracks {
    /// All, 1 to 64.
    pub channels: u16,
    /// Those that differ from each before them, from 0 on; all of them where they could not be compared.
    pub distinct: Vec<u16>,
    /// Whether they could be decoded here, and so compared.
    pub compared: bool,
}

/// The channels of the audio track that players take; `None` where their number cannot be told.
///
/// Of a file with more than one, sound is decoded until all are known to differ: mostly some seconds, at most the first
/// hour. What cannot be decoded here (AMR, AVI, FLV, MPEG, WMA, WMV) is not compared.
///
/// # Errors
///
/// The file cannot be read.
pub fn tracks(path: &Path) -> Result<Option<Tracks>> {
    match probe(path)?.and_then(|probe| probe.channels) {
        Some(channels) => compare(path, channels).map(Some),
        None => Ok(None),
    }
}

/// The same where a probe has told already how many channels there are.
pub(crate) fn compare(path: &Path, channels: u16) -> Result<Tracks> {
    if channels == 1 {
        return Ok(Tracks { channels, distinct: vec![0], compared: true });
    }
    let count = usize::from(channels);
    // For each channel the one before it that it has been like so far.
    let mut like: Vec<Vec<usize>> = (0..count).map(|at| (0..at).collect()).collect();
    let mut compared = 0;
    let mut is_as_said = true;
    let decoded = decode::decode(path, &mut |rate, planes| {
        is_as_said = planes.len() == count;
        for (at, likes) in like.iter_mut().enumerate() {
            likes.retain(|other| match (planes.get(at), planes.get(*other)) {
                (Some(one), Some(other)) => one.iter().zip(other).all(|(one, other)| (one - other).abs() <= SAME),
                _ => false,
            });
        }
        compared += planes.first().map_or(0, |plane| plane.len() as u64);
        let is_enough = like.iter().all(Vec::is_empty) || compared / u64::from(rate) >= MOST_COMPARED;
        if is_enough || !is_as_said { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    let compared = decoded && is_as_said;
    let distinct =
        (0..channels).filter(|at| !compared || like.get(usize::from(*at)).is_none_or(Vec::is_empty)).collect();
    Ok(Tracks { channels, distinct, compared })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A WAV of 16-bit samples at 8 kHz.
    fn wav(frames: &[&[i16]]) -> tempfile::NamedTempFile {
        let channels = frames[0].len() as u16;
        let bytes = frames.len() as u32 * u32::from(channels) * 2;
        let mut wav = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0".to_vec();
        wav.extend(channels.to_le_bytes());
        wav.extend(8000_u32.to_le_bytes());
        wav.extend((8000 * u32::from(channels) * 2).to_le_bytes());
        wav.extend((channels * 2).to_le_bytes());
        wav.extend(b"\x10\0data");
        wav.extend(bytes.to_le_bytes());
        frames.iter().for_each(|frame| frame.iter().for_each(|sample| wav.extend(sample.to_le_bytes())));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), wav).unwrap();
        file
    }

    fn distinct(frame: &[i16], last: &[i16]) -> Vec<u16> {
        let mut frames = vec![frame; 4000];
        frames.push(last);
        let tracks = tracks(wav(&frames).path()).unwrap().unwrap();
        assert!(tracks.compared);
        tracks.distinct
    }

    #[test]
    fn what_is_the_same_is_requested_once() {
        assert_eq!(distinct(&[5], &[5]), [0]);
        assert_eq!(distinct(&[500, 501], &[9, 9]), [0]);
        assert_eq!(distinct(&[500, 501], &[9, 900]), [0, 1]);
        assert_eq!(distinct(&[500, 700, 500, 700], &[0, 0, 0, 0]), [0, 1]);
        assert_eq!(distinct(&[0, 0, 0], &[0, 0, 50]), [0, 2]);
    }

    #[test]
    fn what_cannot_be_decoded_is_not_compared() {
        // GSM: eight samples of nothing, said to have two channels.
        let mut bytes = std::fs::read(wav(&[&[0_i16, 0][..]; 400]).path()).unwrap();
        bytes[20] = 0x31;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let tracks = tracks(file.path()).unwrap().unwrap();
        assert_eq!((tracks.channels, tracks.distinct, tracks.compared), (2, vec![0, 1], false));
    }
}
