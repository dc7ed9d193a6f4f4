//! Which channels of a file are worth a request: each track is billed, and some recorders write the same sound twice.

use std::ops::ControlFlow;
use std::path::Path;

use super::{Probe, decode, probe};
use crate::error::Result;

/// Largest difference of two samples that differ by rounding alone: two 16-bit steps.
const SAME: f32 = 2.0 / 32_768.0;
/// A lossy codec may encode two equal channels differently. Their difference is fainter than this share of the sound's power
/// (-9 dB) in every fifth of a second: the worst measured was -12.3 dB, at the start of a voice in AAC at 48 kbit/s. If each
/// participant has a channel, the difference is as loud as the one who speaks.
const ADDED: f64 = 1.0 / 8.0;
/// Or it is fainter than this power (-60 dB of full scale), too faint to be understood.
const INAUDIBLE: f64 = 1e-6;
/// Most seconds compared: channels that were alike until then are alike.
const MOST_COMPARED: u64 = 60 * 60;

/// The channels of one file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Tracks {
    /// Number of channels, 1 to 64.
    pub channels: u16,
    /// Channels, from 0, that differ from every one before them; all channels if they could not be compared.
    pub distinct: Vec<u16>,
    /// Whether they could be decoded here and compared.
    pub compared: bool,
}

/// The channels of the audio track that players choose; `None` if their number is unknown.
///
/// If there are several, the file is decoded until all are known to differ: usually some seconds, at most the first hour.
/// In PCM, FLAC and ALAC any different sample counts; in other codecs two channels are the same if they differ by no more
/// than such a codec adds. Files that cannot be decoded here (AMR, AVI, FLV, MPEG, WMA, WMV) are not compared.
///
/// # Errors
///
/// The file cannot be read.
pub fn tracks(path: &Path) -> Result<Option<Tracks>> {
    probe(path)?.map_or(Ok(None), |probe| compare(path, &probe))
}

/// The same for a file that was probed already.
pub(crate) fn compare(path: &Path, probe: &Probe) -> Result<Option<Tracks>> {
    let Some(channels) = probe.channels else { return Ok(None) };
    if channels == 1 {
        return Ok(Some(Tracks { channels, distinct: vec![0], compared: true }));
    }
    let exact = probe.codec.is_some_and(|codec| codec.starts_with("pcm_") || matches!(codec, "flac" | "alac"));
    let count = usize::from(channels);
    // For each channel the earlier ones that have been equal to it so far.
    let mut like: Vec<Vec<Pair>> = (0..count).map(|at| (0..at).map(Pair::with).collect()).collect();
    let mut compared = 0;
    let mut is_as_said = true;
    let decoded = decode::decode(path, &mut |rate, planes| {
        is_as_said = planes.len() == count;
        for (at, likes) in like.iter_mut().enumerate() {
            likes.retain_mut(|pair| match (planes.get(at), planes.get(pair.other)) {
                (Some(one), Some(other)) if exact => is_same(one, other),
                (Some(one), Some(other)) => pair.is_alike(one, other, rate),
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
    Ok(Some(Tracks { channels, distinct, compared }))
}

fn is_same(one: &[f32], other: &[f32]) -> bool {
    one.iter().zip(other).all(|(one, other)| (one - other).abs() <= SAME)
}

/// A channel and an earlier one in the current fifth of a second: sums of squares.
#[derive(Debug)]
struct Pair {
    other: usize,
    samples: u32,
    difference: f64,
    one: f64,
    two: f64,
}

impl Pair {
    fn with(other: usize) -> Self {
        Self { other, samples: 0, difference: 0.0, one: 0.0, two: 0.0 }
    }

    /// Takes the next samples; whether both can still be one sound that a codec encoded twice.
    fn is_alike(&mut self, one: &[f32], two: &[f32], rate: u32) -> bool {
        for (&one, &two) in one.iter().zip(two) {
            let (one, two) = (f64::from(one), f64::from(two));
            self.difference += (one - two).powi(2);
            self.one += one * one;
            self.two += two * two;
            self.samples += 1;
            if self.samples >= rate / 5 {
                let audible = INAUDIBLE * f64::from(self.samples);
                if self.difference > audible.max(ADDED * self.one.max(self.two)) {
                    return false;
                }
                *self = Self::with(self.other);
            }
        }
        true
    }
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
    fn what_a_codec_adds_is_no_other_sound_and_a_short_word_is() {
        // One second of a voice at 8 kHz, in blocks that do not divide a fifth of a second.
        let voice: Vec<f32> = (0..8000_u16).map(|at| (f32::from(at) * 0.3).sin() * 0.2).collect();
        let alike = |change: &dyn Fn(usize, f32) -> f32| {
            let other: Vec<f32> = voice.iter().enumerate().map(|(at, sample)| change(at, *sample)).collect();
            let mut pair = Pair::with(0);
            voice.chunks(300).zip(other.chunks(300)).all(|(one, other)| pair.is_alike(one, other, 8000))
        };
        let noise = |at: usize| if at.wrapping_mul(2_654_435_761) & 64 == 0 { 0.02_f32 } else { -0.02 };
        assert!(alike(&|_, sample| sample));
        // 17 dB below the voice.
        assert!(alike(&|at, sample| sample + noise(at)));
        assert!(!alike(&|_, _| 0.0));
        // For a fifth of a second someone else speaks, too.
        assert!(!alike(&|at, sample| if (4000..5600).contains(&at) { sample + 8.0 * noise(at) } else { sample }));
        assert!(!alike(&|_, sample| 0.5 * sample));
    }

    #[test]
    fn a_voice_saved_twice_by_a_codec_is_one() {
        let of = |name: &str| {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/audio");
            tracks(&folder.join(name)).unwrap().unwrap()
        };
        let alike = of("alike.m4a");
        assert_eq!((alike.channels, alike.distinct, alike.compared), (2, vec![0], true));
        let parties = of("parties.m4a");
        assert_eq!((parties.channels, parties.distinct, parties.compared), (2, vec![0, 1], true));
    }

    #[test]
    fn what_cannot_be_decoded_is_not_compared() {
        // GSM, which is not decoded here, with two channels by its header.
        let mut bytes = std::fs::read(wav(&[&[0_i16, 0][..]; 400]).path()).unwrap();
        bytes[20] = 0x31;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let tracks = tracks(file.path()).unwrap().unwrap();
        assert_eq!((tracks.channels, tracks.distinct, tracks.compared), (2, vec![0, 1], false));
    }
}
