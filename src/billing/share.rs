//! How much of a recording is speech, before it is transcribed (definitions: law of the shares).
//!
//! The share of speech of a recording is its source's mean, which is known only roughly, plus what is its own. The first error is
//! shared by all recordings and adds up; the second is independent and mostly cancels out.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive as _, ToPrimitive as _};

use super::estimate::{Bounds, Recording};

/// How many standard deviations the 10th and the 90th percentile of a normal distribution are from its mean.
const TO_P90: f64 = 1.2816;

/// Decimals of a share.
const DECIMALS: u32 = 4;

/// The law of the share of speech in a track: mean and standard deviations, each of the length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Share {
    /// The mean of the source.
    pub mean: Decimal,
    /// How far the mean may be off, which is the same for all recordings of a source.
    pub between_sources: Decimal,
    /// How far a recording is from the mean of its source.
    pub between_recordings: Decimal,
}

impl Share {
    /// A track that holds all participants. Mean: 393 s were billed for a published recording of 456.2 s. Between sources: their
    /// published means are 0.84 to 0.96. Between recordings: those of six earnings calls are 0.80 to 0.97.
    const ALL: Self = Self {
        mean: Decimal::from_parts(8600, 0, 0, false, DECIMALS),
        between_sources: Decimal::from_parts(800, 0, 0, false, DECIMALS),
        between_recordings: Decimal::from_parts(800, 0, 0, false, DECIMALS),
    };

    /// The track of one of two participants. Mean: in 173 h of phone calls both tracks together hold speech for 1.025 of the
    /// length. Between sources: support calls had 0.83, short bank calls 0.53. Between recordings: 0.14 to 0.41 in those.
    const ONE: Self = Self {
        mean: Decimal::from_parts(5125, 0, 0, false, DECIMALS),
        between_sources: Decimal::from_parts(1500, 0, 0, false, DECIMALS),
        between_recordings: Decimal::from_parts(1000, 0, 0, false, DECIMALS),
    };

    /// The usual share in a track that holds all participants, or one of several.
    #[must_use]
    pub fn usual(one_participant: bool) -> Self {
        if one_participant { Self::ONE } else { Self::ALL }
    }

    /// A mean that is known, with the usual spread between recordings.
    #[must_use]
    pub fn given(mean: Decimal, one_participant: bool) -> Self {
        let usual = Self::usual(one_participant);
        Self { mean, between_sources: Decimal::ZERO, ..usual }.within_bounds()
    }

    /// A share is between 0 and 1, so that no spread is larger than the distance of the mean to either.
    fn within_bounds(self) -> Self {
        let mean = self.mean.clamp(Decimal::ZERO, Decimal::ONE);
        let room = mean.min(Decimal::ONE.saturating_sub(mean));
        Self {
            mean,
            between_sources: self.between_sources.min(room),
            between_recordings: self.between_recordings.min(room),
        }
    }
}

/// The shares of speech in earlier results of the same source, by track.
///
/// ```
/// use talkmeter::billing::{EarlierShares, Recording};
///
/// // Two calls of 100 s, of which 40 and 60 s were speech: half of the length. Standard deviation: 0.1414, of the mean
/// // 0.1414 / √2 = 0.1.
/// let calls = [40_000, 60_000].map(|speech| Recording::new("call").duration_ms(100_000).channels(1).speech_ms(0, speech));
/// let share = EarlierShares::new(&calls).share(false, 0).ok_or("no calls")?;
/// let shares = [share.mean, share.between_sources, share.between_recordings].map(|share| share.to_string());
/// assert_eq!(shares, ["0.5000", "0.1000", "0.1414"]);
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct EarlierShares(BTreeMap<Option<u32>, Share>);

/// Sums over the recordings of one kind of track.
#[derive(Default)]
struct Sums {
    recordings: f64,
    length: f64,
    speech: f64,
    shares: f64,
    squares: f64,
}

impl EarlierShares {
    /// Of the recordings whose length is known.
    pub fn new<'r>(recordings: impl IntoIterator<Item = &'r Recording>) -> Self {
        let mut sums: BTreeMap<Option<u32>, Sums> = BTreeMap::new();
        for recording in recordings {
            let Some(length) = recording.duration_ms.filter(|length| *length > 0) else { continue };
            let one_participant = recording.channels.is_some_and(|channels| channels > 1);
            for (track, speech) in &recording.speech_ms {
                let sums = sums.entry(Some(*track).filter(|_| one_participant)).or_default();
                let (length, speech) = (length as f64, (*speech).clamp(0, length) as f64);
                let share = speech / length;
                sums.recordings += 1.0;
                sums.length += length;
                sums.speech += speech;
                sums.shares += share;
                sums.squares += share * share;
            }
        }
        Self(sums.into_iter().filter_map(|(track, sums)| Some((track, sums.share(track.is_some())?))).collect())
    }

    /// The share in a track that holds all participants, or in this one of several; `None` = there was no such track.
    #[must_use]
    pub fn share(&self, one_participant: bool, track: u32) -> Option<Share> {
        self.0.get(&Some(track).filter(|_| one_participant)).copied()
    }

    /// Whether there was no track of known length.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Sums {
    /// By total speech and total length. The mean of one recording is as uncertain as a recording usually is.
    fn share(&self, one_participant: bool) -> Option<Share> {
        let Self { recordings, length, speech, shares, squares } = *self;
        let decimal = |share: f64| {
            let mut share = Decimal::from_f64(share)?.round_dp(DECIMALS);
            share.rescale(DECIMALS);
            Some(share)
        };
        let usual = Share::usual(one_participant).between_recordings;
        let own = if recordings > 1.0 {
            let variance = (squares - shares * shares / recordings) / (recordings - 1.0);
            decimal(variance.max(0.0).sqrt())?
        } else {
            usual
        };
        let of_mean = decimal(own.to_f64()? / recordings.sqrt())?;
        let share = Share { mean: decimal(speech / length)?, between_sources: of_mean, between_recordings: own };
        Some(share.within_bounds())
    }
}

/// How far a quantity may be from what is expected, from the 10th to the 90th percentile, in its unit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Spread {
    /// Below, by an error that is the same for all recordings …
    below: f64,
    /// … and above.
    above: f64,
    /// The square of what is each recording's own.
    own_squared: f64,
}

impl Spread {
    /// Of a track of this many seconds.
    pub(super) fn new(share: Share, seconds: i64) -> Self {
        let width = |share: Decimal| TO_P90 * seconds as f64 * share.to_f64().unwrap_or(0.0);
        let (common, own) = (width(share.between_sources), width(share.between_recordings));
        Self { below: common, above: common, own_squared: own * own }
    }

    /// Of a band whose error is the same for all recordings.
    pub(super) fn band(bounds: Bounds<i64>) -> Self {
        let width = |from: i64, to: i64| to.saturating_sub(from) as f64;
        Self { below: width(bounds.low, bounds.expected), above: width(bounds.expected, bounds.high), own_squared: 0.0 }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.below += other.below;
        self.above += other.above;
        self.own_squared += other.own_squared;
    }

    /// Low and high around what is expected, rounded up, between 0 and the most.
    pub(super) fn bounds(self, expected: i64, most: i64) -> Bounds<i64> {
        let width = |common: f64| (common * common + self.own_squared).sqrt();
        let at = |quantity: f64| Decimal::from_f64(quantity.ceil()).and_then(|quantity| quantity.to_i64());
        let low = at(expected as f64 - width(self.below)).unwrap_or(0).clamp(0, expected);
        let high = at(expected as f64 + width(self.above)).unwrap_or(most).clamp(expected, most.max(expected));
        Bounds { low, expected, high, most }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spread(tracks: &[(Share, i64)]) -> Spread {
        let mut sum = Spread::default();
        tracks.iter().for_each(|(share, seconds)| sum.add(Spread::new(*share, *seconds)));
        sum
    }

    fn range(bounds: Bounds<i64>) -> (i64, i64, i64, i64) {
        (bounds.low, bounds.expected, bounds.high, bounds.most)
    }

    #[test]
    fn ranges_by_hand() {
        // One track of 1000 s, 860 expected: 1.2816 × 1000 × √(0.08² + 0.08²) = 145.0.
        assert_eq!(range(spread(&[(Share::ALL, 1000)]).bounds(860, 1000)), (716, 860, 1000, 1000));
        // A hundred of them: 1.2816 × √((100 × 80)² + 100 × 80²) = 10,304.
        assert_eq!(
            range(spread(&[(Share::ALL, 1000); 100]).bounds(86_000, 100_000)),
            (75_697, 86_000, 96_304, 100_000)
        );
        // Both tracks of a minute: 1.2816 × √((2 × 60 × 0.15)² + 2 × (60 × 0.1)²) = 25.5.
        assert_eq!(range(spread(&[(Share::ONE, 60); 2]).bounds(62, 120)), (37, 62, 88, 120));
        // A known mean: what is each call's own cancels out. 1.2816 × 80 × √100 = 1025.3.
        let known = Share::given(Decimal::new(6, 1), false);
        assert_eq!(range(spread(&[(known, 1000); 100]).bounds(60_000, 100_000)), (58_975, 60_000, 61_026, 100_000));
        // All of it is speech.
        assert_eq!(
            range(spread(&[(Share::given(Decimal::ONE, false), 1000)]).bounds(1000, 1000)),
            (1000, 1000, 1000, 1000)
        );
    }

    #[test]
    fn more_earlier_results_narrow_the_range() {
        let width = |calls: usize| {
            let calls: Vec<Recording> = (0..calls)
                .map(|at| Recording::new("a").duration_ms(100_000).channels(2).speech_ms(1, [20_000, 30_000][at % 2]))
                .collect();
            let share = EarlierShares::new(&calls).share(true, 1).unwrap();
            assert_eq!(share.mean.to_string(), "0.2500");
            let bounds = spread(&[(share, 1000); 1000]).bounds(250_000, 1_000_000);
            bounds.high - bounds.low
        };
        let widths = [2, 8, 32, 128].map(width);
        assert!(widths.is_sorted_by(|wide, narrow| wide > &(narrow + narrow / 2)), "{widths:?}");
        let none = EarlierShares::new(&[Recording::new("a").channels(2).speech_ms(0, 7)]);
        assert!(none.is_empty() && none.share(true, 0).is_none());
        // One call says little of its source.
        let one = EarlierShares::new(&[Recording::new("a").duration_ms(1000).channels(1).speech_ms(0, 600)]);
        let share = one.share(false, 0).unwrap();
        assert_eq!((share.between_sources, share.between_recordings), (Decimal::new(8, 2), Decimal::new(8, 2)));
    }

    /// Numbers of a standard normal distribution, from a linear congruential generator.
    fn normal(state: &mut u64) -> f64 {
        let mut uniform = || {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (*state >> 11) as f64 / (1_u64 << 53) as f64
        };
        (0..12).map(|_| uniform()).sum::<f64>() - 6.0
    }

    #[test]
    fn eight_of_ten_sources_that_follow_the_law_lie_in_the_range() {
        let mut state = 7;
        for (share, recordings) in
            [(Share::ONE, 1), (Share::ONE, 5), (Share::ONE, 200), (Share::given(Decimal::new(5, 1), true), 50)]
        {
            let lengths: Vec<i64> = (0..recordings).map(|at| 60 + at * 37 % 600).collect();
            let tracks: Vec<(Share, i64)> = lengths.iter().map(|length| (share, *length)).collect();
            let seconds = |share: f64| lengths.iter().map(|length| *length as f64 * share).sum::<f64>();
            let [mean, common, own] =
                [share.mean, share.between_sources, share.between_recordings].map(|part| part.to_f64().unwrap());
            let bounds = spread(&tracks).bounds(seconds(mean) as i64, seconds(1.0) as i64);
            let mut inside = 0;
            for _ in 0..2000 {
                let source = mean + common * normal(&mut state);
                let billed: f64 =
                    lengths.iter().map(|length| *length as f64 * (source + own * normal(&mut state))).sum();
                inside += i32::from((bounds.low as f64..=bounds.high as f64).contains(&billed));
            }
            assert!((1540..=1680).contains(&inside), "{recordings}: {inside} of 2000");
        }
    }

    proptest! {
        #[test]
        fn a_sum_is_no_wider_than_its_parts(
            tracks in proptest::collection::vec((any::<bool>(), 0_i64..50_000), 1..60), shift in 0_u32..1000,
        ) {
            let parts: Vec<(Share, i64)> = tracks
                .iter()
                .map(|(one, seconds)| match shift % 3 {
                    0 => (Share::usual(*one), *seconds),
                    _ => (Share::given(Decimal::new(shift.into(), 3), *one), *seconds),
                })
                .collect();
            let expected = |(share, seconds): &(Share, i64)| {
                (Decimal::from(*seconds) * share.mean).ceil().to_i64().unwrap().min(*seconds)
            };
            let (all, most): (i64, i64) = (parts.iter().map(expected).sum(), tracks.iter().map(|(_, seconds)| seconds).sum());
            let sum = spread(&parts).bounds(all, most);
            prop_assert!(0 <= sum.low && sum.low <= sum.expected && sum.expected <= sum.high && sum.high <= sum.most);
            // Where nothing is cut off at 0 or at the length.
            const MIDDLE: i64 = 1 << 40;
            let widths = |parts: &[(Share, i64)]| {
                let bounds = spread(parts).bounds(MIDDLE, i64::MAX);
                (MIDDLE - bounds.low, bounds.high - MIDDLE)
            };
            let (below, above) = widths(&parts);
            let each = parts.iter().map(|part| widths(&[*part]));
            let (all_below, all_above) = each.fold((0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
            prop_assert!(below <= all_below + parts.len() as i64 && above <= all_above);
        }
    }
}
