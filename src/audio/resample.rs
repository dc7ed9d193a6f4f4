//! Any rate → 16 kHz by a polyphase filter (windowed sinc). Forty lines are enough for speech detection; the crates for it
//! aim at listening quality.

use std::f64::consts::PI;

/// Output rate in hertz.
pub(super) const RATE_HZ: u32 = 16_000;
/// Highest input rate in hertz; above it the filter table grows too large.
const HIGHEST_HZ: u32 = 192_000;
/// Zero crossings of the sinc on either side.
const ZEROS: f64 = 12.0;
/// Cut-off as a share of the lower Nyquist frequency.
const PASS: f64 = 0.94;

/// Resamples one channel of one file.
#[derive(Debug)]
pub(super) struct Resampler {
    /// The filter at each phase, consecutively.
    taps: Vec<f32>,
    length: usize,
    phases: usize,
    /// Phases from one sample to the next.
    step: usize,
    phase: usize,
    held: Vec<f32>,
}

impl Resampler {
    /// From `rate_hz`; `None` if it is 0 or above 192 kHz.
    pub(super) fn new(rate_hz: u32) -> Option<Self> {
        if !(1..=HIGHEST_HZ).contains(&rate_hz) {
            return None;
        }
        let shared = shared_divisor(rate_hz, RATE_HZ);
        let (phases, step) = ((RATE_HZ / shared) as usize, (rate_hz / shared) as usize);
        if phases == 1 && step == 1 {
            return Some(Self { taps: vec![1.0], length: 1, phases, step, phase: 0, held: Vec::new() });
        }
        let cutoff = PASS * (f64::from(RATE_HZ) / f64::from(rate_hz)).min(1.0);
        let half = (ZEROS / cutoff).ceil();
        let length = 2 * half as usize;
        let mut taps = Vec::with_capacity(length * phases);
        for phase in 0..phases {
            let between = phase as f64 / phases as f64;
            for tap in 0..length {
                let at = tap as f64 - (half - 1.0) - between;
                let window = 0.5 + 0.5 * (PI * at / half).cos();
                let angle = PI * cutoff * at;
                let sinc = if angle.abs() < 1e-9 { 1.0 } else { angle.sin() / angle };
                taps.push((cutoff * sinc * window) as f32);
            }
        }
        let held = vec![0.0; half as usize - 1];
        Some(Self { taps, length, phases, step, phase: 0, held })
    }

    /// Takes samples and appends the resampled ones to `out`.
    pub(super) fn add(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        self.held.extend_from_slice(samples);
        let mut from = 0;
        while let Some(input) = self.held.get(from..from + self.length) {
            let filter = self.taps.iter().skip(self.phase * self.length);
            out.push(input.iter().zip(filter).map(|(sample, tap)| sample * tap).sum());
            self.phase += self.step;
            from += self.phase / self.phases;
            self.phase %= self.phases;
        }
        self.held.drain(..from.min(self.held.len()));
    }
}

fn shared_divisor(one: u32, other: u32) -> u32 {
    if other == 0 { one } else { shared_divisor(other, one % other) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tone of one second, in blocks of 77 samples.
    fn resampled(rate_hz: u32, tone_hz: f64) -> Vec<f32> {
        let tone: Vec<f32> =
            (0..rate_hz).map(|at| (2.0 * PI * tone_hz * f64::from(at) / f64::from(rate_hz)).sin() as f32).collect();
        let mut resampler = Resampler::new(rate_hz).unwrap();
        let mut out = Vec::new();
        tone.chunks(77).for_each(|block| resampler.add(block, &mut out));
        out
    }

    #[test]
    fn a_tone_stays_what_it_is_and_what_is_too_high_is_gone() {
        for rate_hz in [8000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 7999] {
            let out = resampled(rate_hz, 1000.0);
            assert!((15_900..=16_000).contains(&out.len()), "{rate_hz}: {}", out.len());
            let wanted = |at: usize| (2.0 * PI * 1000.0 * at as f64 / 16_000.0).sin() as f32;
            let worst = (200..15_800).map(|at| (out[at] - wanted(at)).abs()).fold(0.0, f32::max);
            assert!(worst < 0.02, "{rate_hz}: {worst}");
        }
        let worst = resampled(48_000, 12_000.0)[200..15_800].iter().fold(0.0_f32, |worst, at| worst.max(at.abs()));
        assert!(worst < 0.02, "{worst}");
        assert!(Resampler::new(0).is_none() && Resampler::new(192_001).is_none());
    }
}
