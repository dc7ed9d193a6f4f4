//! Finds call progress tones (ringing, busy, dial tone): one or two sines, steadier and longer than any voice. The speech
//! detector takes them for speech.
//!
//! A frame is tonal when the two strongest lines of its spectrum hold nearly all of its power. Twelve tonal frames in a row
//! whose strongest line does not move are a tone. A sung note counts as a tone; music of more than two sines does not.

use std::collections::VecDeque;
use std::f32::consts::PI;
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

/// Samples of a spectrum at 16 kHz: 64 ms, lines 15.6 Hz apart.
const SPECTRUM: usize = 1024;
/// Lines below this are mains hum.
const LOWEST: usize = 4;
/// Lines on either side over which a Hann window spreads a sine.
const LOBE: usize = 3;
/// Least share of the power in two sines.
const PURE: f32 = 0.97;
/// Most lines that a tone moves: 5.5 Hz.
const STILL: f32 = 0.35;
/// Least number of tonal frames (16 ms each) in a row.
const RUN: usize = 12;
/// Frames at either edge, in which a tone fades in or out.
const EDGE: usize = 7;

/// A gate with a delay: the verdict on a frame comes some frames later.
pub(super) struct ToneGate {
    hann: Vec<f32>,
    transform: Arc<dyn RealToComplex<f32>>,
    /// The samples of a spectrum under the window, the spectrum, and what its transform needs meanwhile.
    wave: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    held: VecDeque<f32>,
    /// Whether each frame is speech.
    pending: VecDeque<bool>,
    run: usize,
    lowest: f32,
    highest: f32,
    /// Frames that belong to a tone that has ended.
    after: usize,
}

impl ToneGate {
    pub(super) fn new() -> Self {
        let transform = RealFftPlanner::new().plan_fft_forward(SPECTRUM);
        Self {
            hann: (0..SPECTRUM).map(|at| 0.5 - 0.5 * (2.0 * PI * at as f32 / SPECTRUM as f32).cos()).collect(),
            wave: transform.make_input_vec(),
            spectrum: transform.make_output_vec(),
            scratch: transform.make_scratch_vec(),
            transform,
            held: std::iter::repeat_n(0.0, SPECTRUM).collect(),
            pending: VecDeque::with_capacity(RUN + EDGE + 1),
            run: 0,
            lowest: 0.0,
            highest: 0.0,
            after: 0,
        }
    }

    /// Takes a frame and whether it scored as speech; returns an earlier one and whether it is speech and not a tone.
    pub(super) fn add(&mut self, frame: &[f32], is_speech: bool) -> Option<bool> {
        self.held.extend(frame);
        self.held.drain(..self.held.len().saturating_sub(SPECTRUM));
        self.pending.push_back(is_speech);
        // Without speech there is nothing to correct.
        let line = if self.pending.contains(&true) { self.line() } else { None };
        match line {
            Some(line) if self.run > 0 && self.highest.max(line) - self.lowest.min(line) <= STILL => {
                (self.lowest, self.highest) = (self.lowest.min(line), self.highest.max(line));
                self.run += 1;
            }
            _ => {
                if self.run >= RUN {
                    self.after = EDGE;
                }
                self.run = usize::from(line.is_some());
                (self.lowest, self.highest) = (line.unwrap_or(0.0), line.unwrap_or(0.0));
            }
        }
        let taken_back = if self.run == RUN {
            RUN + EDGE
        } else if self.run > RUN || self.after > 0 {
            1
        } else {
            0
        };
        if self.run < RUN {
            self.after = self.after.saturating_sub(1);
        }
        self.pending.iter_mut().rev().take(taken_back).for_each(|speech| *speech = false);
        if self.pending.len() > RUN + EDGE { self.pending.pop_front() } else { None }
    }

    /// The remaining frames.
    pub(super) fn finish(self) -> impl Iterator<Item = bool> {
        self.pending.into_iter()
    }

    /// The strongest line of the spectrum, if it and another hold nearly all of the power.
    fn line(&mut self) -> Option<f32> {
        for (out, (sample, hann)) in self.wave.iter_mut().zip(self.held.iter().zip(&self.hann)) {
            *out = sample * hann;
        }
        self.transform.process_with_scratch(&mut self.wave, &mut self.spectrum, &mut self.scratch).ok()?;
        let mut power: Vec<f32> = self.spectrum.iter().take(SPECTRUM / 2).skip(LOWEST).map(Complex::norm_sqr).collect();
        let whole: f32 = power.iter().sum();
        let mut strongest = || {
            let peak = (0..power.len()).max_by(|one, other| power[*one].total_cmp(&power[*other]))?;
            let lobe = power.get_mut(peak.saturating_sub(LOBE)..(peak + LOBE + 1).min(SPECTRUM / 2 - LOWEST))?;
            let held: f32 = lobe.iter().sum();
            let weighted: f32 = (peak.saturating_sub(LOBE)..).zip(&*lobe).map(|(at, power)| at as f32 * power).sum();
            lobe.fill(0.0);
            Some((held, weighted / held))
        };
        let ((first, line), (second, _)) = (strongest()?, strongest()?);
        (whole > 0.0 && first + second >= PURE * whole).then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: usize = 256;

    /// Frames that remain speech when every frame of these samples at 16 kHz scored as speech.
    fn left(samples: &[f32]) -> Vec<bool> {
        let mut gate = ToneGate::new();
        let mut left: Vec<bool> = samples.chunks_exact(FRAME).filter_map(|frame| gate.add(frame, true)).collect();
        left.extend(gate.finish());
        left
    }

    /// `on` of every `period` ms, 2.8 s of it.
    fn gated(lines: &[f32], on: usize, period: usize) -> Vec<f32> {
        let sample = |at: usize| {
            let is_on = (at / 16) % period < on;
            let sum: f32 = lines.iter().map(|hertz| (2.0 * PI * hertz * at as f32 / 16_000.0).sin()).sum();
            if is_on { 0.1 * sum } else { 0.0 }
        };
        (0..44_800).map(sample).collect()
    }

    #[test]
    fn every_frame_comes_out_once_and_in_order() {
        for frames in [0, 1, 18, 19, 20, 100] {
            assert_eq!(left(&vec![0.0; frames * FRAME]).len(), frames);
        }
    }

    #[test]
    fn the_tones_of_an_exchange_are_taken_back() {
        // Ringing in America, China and Britain, busy in China, a dial tone.
        for (lines, on, period) in [
            (&[440.0, 480.0][..], 2000, 6000),
            (&[425.0], 1000, 5000),
            (&[400.0, 450.0], 400, 600),
            (&[425.0], 350, 700),
            (&[350.0, 440.0], 1, 1),
        ] {
            let tone = gated(lines, on, period);
            let during =
                left(&tone).iter().enumerate().filter(|(at, is_left)| **is_left && at * 16 % period < on).count();
            assert_eq!(during, 0, "{lines:?}");
        }
    }

    #[test]
    fn what_moves_or_is_more_than_two_sines_stays() {
        let steady = |lines: &[f32]| left(&gated(lines, 1, 1)).iter().filter(|left| !**left).count();
        assert_eq!(steady(&[220.0, 440.0, 660.0]), 0);
        // A second of a voice that rises by a fifth.
        let glide: Vec<f32> = (0..16_000)
            .map(|at| at as f32 / 16_000.0)
            .map(|second| 0.2 * (2.0 * PI * (200.0 * second + 50.0 * second * second)).sin())
            .collect();
        assert!(left(&glide).iter().skip(20).take(30).all(|left| *left), "{:?}", left(&glide));
        // A tone shorter than a run.
        assert!(left(&gated(&[440.0], 100, 1000)).iter().all(|left| *left));
    }

    #[test]
    fn silence_is_no_tone() {
        assert!(left(&vec![0.0; 100 * FRAME]).iter().all(|left| *left));
    }
}
