//! How much of each channel is speech.
//!
//! A detector scores 16 ms at a time. Gaps under 300 ms between speech count as speech, because the service's own detector
//! bridges pauses; bursts under 100 ms do not count. On hand-labelled clips the sum is about 4 % above the labels, so a
//! measured share is an estimate with a band of -5 % to +10 %.
//!
//! The detector takes ringing tones for speech, and most loud noise and music. Steady tones are taken out again; noise,
//! music and dialled digits stay, and it is unknown whether the service bills them.

use std::ops::ControlFlow;
use std::path::Path;

use earshot::Detector;

use super::decode;
use super::ffmpeg::Ffmpeg;
use super::magic::Container;
use super::resample::{RATE_HZ, Resampler};
use super::tone::ToneGate;
use crate::error::Result;

/// Samples per frame of the detector: 16 ms.
const FRAME: usize = 256;
const FRAME_MS: u64 = 16;
/// Lowest score that is speech.
const SPEECH: f32 = 0.5;
/// Shorter gaps are filled, in milliseconds.
const GAP_MS: u64 = 300;
/// Shorter bursts are dropped, in milliseconds.
const BURST_MS: u64 = 100;
/// Longest sound measured, in milliseconds: a day.
const LONGEST_MS: u64 = 24 * 60 * 60 * 1000;

/// The speech of one file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Speech {
    /// Milliseconds of speech of each channel, in order.
    pub channels_ms: Vec<u64>,
    /// The same with ringing, busy and dialling tones: what a detector that does not remove tones finds.
    pub with_tones_ms: Vec<u64>,
    /// Decoded length, in milliseconds.
    pub duration_ms: u64,
}

/// Measures the speech in each channel of the audio track that players choose; the whole file is decoded.
///
/// PCM, ADPCM, FLAC, ALAC, MP3, AAC-LC, Vorbis and Opus are decoded here; anything else by `ffmpeg`, the path of that
/// program, if given, which reads that file as the format its first bytes show and nothing else. `None` if it cannot be
/// measured (no decoder, no sound, over 24 hours, longer than a second per 64 KiB of the file and a minute).
///
/// # Errors
///
/// The file cannot be read, or the program cannot be started.
pub fn speech(path: &Path, ffmpeg: Option<&Path>) -> Result<Option<Speech>> {
    let mut meter = Meter::default();
    let decoded = decode::decode(path, &mut |rate, planes| meter.add(rate, planes))?;
    if decoded || meter.is_over {
        return Ok(meter.finish());
    }
    let Some(program) = ffmpeg else { return Ok(None) };
    let Some(demuxer) = decode::container(path)?.and_then(Container::demuxer_of_ffmpeg) else { return Ok(None) };
    let decoded = Ffmpeg::new(program, demuxer).decode(path, Meter::default(), Meter::add)?;
    Ok(decoded.and_then(Meter::finish))
}

/// Measures the samples it is given.
#[derive(Default)]
struct Meter {
    rate: u32,
    channels: Vec<Channel>,
    /// Whether the sound is too long, of a rate that cannot be resampled, or changes its number of channels.
    is_over: bool,
}

struct Channel {
    detector: Box<Detector>,
    resampler: Resampler,
    /// Samples at 16 kHz that do not fill a frame yet.
    rest: Vec<f32>,
    tones: ToneGate,
    tally: Tally,
    with_tones: Tally,
}

impl Meter {
    fn add(&mut self, rate: u32, planes: &[Vec<f32>]) -> ControlFlow<()> {
        if self.channels.is_empty() {
            self.rate = rate;
            let channels = planes.iter().map(|_| Channel::new(rate));
            self.channels = channels.collect::<Option<_>>().unwrap_or_default();
        }
        let is_long = self.channels.first().is_some_and(|channel| channel.with_tones.frames * FRAME_MS > LONGEST_MS);
        if is_long || self.rate != rate || self.channels.len() != planes.len() {
            self.is_over = true;
            return ControlFlow::Break(());
        }
        for (channel, samples) in self.channels.iter_mut().zip(planes) {
            channel.add(samples);
        }
        ControlFlow::Continue(())
    }

    fn finish(self) -> Option<Speech> {
        if self.is_over {
            return None;
        }
        let first = self.channels.first()?;
        let rest_ms = first.rest.len() as u64 * 1000 / u64::from(RATE_HZ);
        let duration_ms = first.with_tones.frames * FRAME_MS + rest_ms;
        let (channels_ms, with_tones_ms) = self.channels.into_iter().map(Channel::finish).unzip();
        Some(Speech { channels_ms, with_tones_ms, duration_ms })
    }
}

impl Channel {
    fn new(rate: u32) -> Option<Self> {
        let resampler = Resampler::new(rate)?;
        Some(Self {
            detector: Detector::default_boxed(),
            resampler,
            rest: Vec::new(),
            tones: ToneGate::new(),
            tally: Tally::default(),
            with_tones: Tally::default(),
        })
    }

    fn add(&mut self, samples: &[f32]) {
        self.resampler.add(samples, &mut self.rest);
        let mut frames = self.rest.chunks_exact(FRAME);
        for frame in &mut frames {
            let mut within = [0.0; FRAME];
            for (to, from) in within.iter_mut().zip(frame) {
                // A damaged sample may be NaN.
                *to = if from.is_finite() { from.clamp(-1.0, 1.0) } else { 0.0 };
            }
            let is_speech = self.detector.predict_f32(&within) >= SPEECH;
            self.with_tones.add(is_speech);
            if let Some(is_speech) = self.tones.add(&within, is_speech) {
                self.tally.add(is_speech);
            }
        }
        let kept = frames.remainder().len();
        self.rest.drain(..self.rest.len() - kept);
    }

    /// Speech without tones and with them, in milliseconds.
    fn finish(self) -> (u64, u64) {
        let Self { tones, mut tally, with_tones, .. } = self;
        tones.finish().for_each(|is_speech| tally.add(is_speech));
        (tally.finish(), with_tones.finish())
    }
}

/// Speech of one channel, frame by frame.
#[derive(Debug, Default)]
struct Tally {
    frames: u64,
    /// First frame and end of the stretch that may still grow.
    open: Option<(u64, u64)>,
    /// Milliseconds of the stretches that have ended.
    speech_ms: u64,
}

impl Tally {
    fn add(&mut self, is_speech: bool) {
        if is_speech {
            let at = self.frames;
            self.open = Some(match self.open {
                Some((from, to)) if (at - to) * FRAME_MS < GAP_MS => (from, at + 1),
                _ => {
                    self.close();
                    (at, at + 1)
                }
            });
        }
        self.frames += 1;
    }

    fn close(&mut self) {
        if let Some((from, to)) = self.open.take() {
            let ms = (to - from) * FRAME_MS;
            self.speech_ms += if ms < BURST_MS { 0 } else { ms };
        }
    }

    fn finish(mut self) -> u64 {
        self.close();
        self.speech_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of frames, alternately of speech and of others.
    fn tallied(runs: &[u64]) -> u64 {
        let mut tally = Tally::default();
        for (at, run) in runs.iter().enumerate() {
            (0..*run).for_each(|_| tally.add(at % 2 == 0));
        }
        tally.finish()
    }

    #[test]
    fn short_gaps_are_filled_and_short_bursts_dropped() {
        // 18 frames are 288 ms, 19 are 304.
        assert_eq!(tallied(&[10, 18, 10]), 38 * 16);
        assert_eq!(tallied(&[10, 19, 10]), 20 * 16);
        // 6 frames are 96 ms, 7 are 112.
        assert_eq!(tallied(&[6, 50, 7, 50]), 7 * 16);
        // Gaps are filled before bursts are dropped: two bursts make a stretch.
        assert_eq!(tallied(&[4, 4, 4]), 12 * 16);
        assert_eq!(tallied(&[0, 100]), 0);
        assert_eq!(tallied(&[]), 0);
    }

    #[test]
    fn what_can_be_decoded_is_measured() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/audio");
        for (name, channels) in [
            ("stereo.wav", 2),
            ("mulaw.wav", 1),
            ("rf64.wav", 1),
            ("tone.flac", 2),
            ("fragments.mp4", 1),
            ("live.webm", 1),
            ("tone.opus", 1),
            ("tone.mka", 2),
            ("tone.m4a", 1),
            ("tone.mp3", 1),
            ("tone.aac", 2),
            ("tone.aiff", 1),
        ] {
            let measured = speech(&folder.join(name), None).unwrap().unwrap();
            assert_eq!(measured.channels_ms.len(), channels, "{name}");
            assert!(measured.channels_ms.iter().all(|ms| *ms <= measured.duration_ms), "{name}");
            assert!((80..=600).contains(&measured.duration_ms), "{name}: {}", measured.duration_ms);
        }
        assert_eq!(speech(&folder.join("README.md"), None).unwrap(), None);
        assert_eq!(speech(&folder.join("tone.flv"), None).unwrap(), None);
    }
}
