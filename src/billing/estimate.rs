//! Cost estimates for recordings that have not been sent yet: low, expected, high (definitions: estimate).

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::line::Meter;
use super::prices::{Prices, UnitPrice};
use crate::catalog::{BilledBy, Catalog, Currency, Region};

/// Usual share of speech in a track that holds all participants, in thousandths. From the one published bill: 393 s billed for a
/// 456.2 s recording.
const SHARE_OF_ALL: i64 = 860;

/// Usual share of speech in the track of one of two participants, in ten-thousandths: in phone calls both tracks together hold
/// speech for 1.025 of the length.
const SHARE_OF_ONE: i64 = 5125;

/// What is known about a recording before it is transcribed.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Recording {
    /// Its name in the estimate.
    pub file: String,
    /// Its length in ms; `None` = unknown.
    pub duration_ms: Option<i64>,
    /// Number of tracks; `None` = unknown.
    pub channels: Option<u32>,
    /// Speech in ms per track, from an earlier result.
    pub speech_ms: BTreeMap<u32, i64>,
    /// Speech per track, measured in the audio.
    pub measured_ms: BTreeMap<u32, MeasuredSpeech>,
}

impl Recording {
    /// A recording of which nothing else is known yet.
    #[must_use]
    pub fn new(file: impl Into<String>) -> Self {
        Self { file: file.into(), ..Self::default() }
    }

    /// Sets its length in ms.
    #[must_use]
    pub fn duration_ms(mut self, duration_ms: i64) -> Self {
        self.duration_ms = Some(duration_ms);
        self
    }

    /// Sets the number of its tracks.
    #[must_use]
    pub fn channels(mut self, channels: u32) -> Self {
        self.channels = Some(channels);
        self
    }
}

/// Speech that our detector found in a track, in ms. The service's detector mostly agrees within a band around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct MeasuredSpeech {
    /// Speech without tones.
    pub speech: i64,
    /// Speech and tones that a detector may mistake for speech.
    pub with_tones: i64,
}

/// Billed speech may be this much less than measured, in hundredths.
const BAND_BELOW: i64 = 5;

/// Billed speech may be this much more than measured, in hundredths.
const BAND_ABOVE: i64 = 10;

/// Where the speech figure of an estimate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SpeechSource {
    /// The usual share of the length.
    Usual,
    /// A share that the caller gave.
    Given,
    /// Measured in the recording.
    Measured,
    /// An earlier result of the same recording.
    Result,
    /// The length of the recording, by which the model is billed.
    Length,
}

impl SpeechSource {
    /// `usual`, `given`, `measured`, `result`, `length`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Usual => "usual",
            Self::Given => "given",
            Self::Measured => "measured",
            Self::Result => "result",
            Self::Length => "length",
        }
    }
}

/// What will be requested from the service.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// The model.
    pub model: String,
    /// The region.
    pub region: Region,
    /// The requested tracks: each is billed separately.
    pub tracks: Vec<u32>,
    /// Share of speech in each track, 0 to 1; `None` = the usual one: 0.86, or 0.5125 in one of several tracks.
    pub speech_share: Option<Decimal>,
}

impl Plan {
    /// These tracks of each recording, with the usual share of speech in each.
    #[must_use]
    pub fn new(model: impl Into<String>, region: Region, tracks: impl Into<Vec<u32>>) -> Self {
        Self { model: model.into(), region, tracks: tracks.into(), speech_share: None }
    }

    /// Sets the share of speech in each track, 0 to 1.
    #[must_use]
    pub fn speech_share(mut self, share: Decimal) -> Self {
        self.speech_share = Some(share);
        self
    }
}

/// Three quantities or amounts in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Bounds<T> {
    /// 0, because silence is not billed; for measured speech 5 % below it; the length, where that is billed.
    pub low: T,
    /// By the usual share of speech, or the measured speech.
    pub expected: T,
    /// All of the recording is speech. For measured speech, 10 % above speech and tones, which is not an upper bound: that is
    /// [`Estimate::upper_bound`]. For tokens no upper bound is documented.
    pub high: T,
}

impl<T> Bounds<T> {
    /// Applies `f` to each.
    pub fn map<U>(self, mut f: impl FnMut(T) -> U) -> Bounds<U> {
        Bounds { low: f(self.low), expected: f(self.expected), high: f(self.high) }
    }

    /// Applies `f` to each of both; `None` if it is that for one of them.
    pub(crate) fn try_zip<U, V>(self, other: Bounds<U>, mut f: impl FnMut(T, U) -> Option<V>) -> Option<Bounds<V>> {
        Some(Bounds {
            low: f(self.low, other.low)?,
            expected: f(self.expected, other.expected)?,
            high: f(self.high, other.high)?,
        })
    }
}

/// The estimate of one meter of one track.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Estimate {
    /// The recording.
    pub file: String,
    /// The track.
    pub channel_id: u32,
    /// The model.
    pub model: String,
    /// The region.
    pub region: Region,
    /// Length of the recording in ms; `None` = unknown.
    pub duration_ms: Option<i64>,
    /// What is billed.
    pub meter: Meter,
    /// Quantity in the meter's unit; `None` = the length is unknown.
    pub quantity: Option<Bounds<i64>>,
    /// The quantity if every second is speech; `None` = the length is unknown, or the model is billed in tokens.
    pub upper_bound: Option<i64>,
    /// Where the speech figure comes from; `None` = the length is unknown, or the model is billed in tokens.
    pub source: Option<SpeechSource>,
    /// Price of one unit; `None` = unknown.
    pub unit: Option<UnitPrice>,
}

impl Estimate {
    /// Quantity × price, unrounded; `None` if either is unknown, or the product exceeds what a decimal holds.
    #[must_use]
    pub fn cost(&self) -> Option<Bounds<Decimal>> {
        let unit = self.unit?;
        let Bounds { low, expected, high } = self.quantity?.map(|quantity| unit.cost(quantity));
        Some(Bounds { low: low?, expected: expected?, high: high? })
    }
}

/// The estimates of one recording: one per requested track and meter; of a model that is billed by the length of the audio, one
/// (definitions: estimate).
///
/// ```
/// use talkmeter::billing::{Plan, Prices, Recording, estimate};
/// use talkmeter::catalog::Region;
///
/// // A one-minute call with a track per participant: 60 s × 0.5125 = 30.75 s expected per track, rounded up to 31.
/// let call = Recording::new("a.wav").duration_ms(60_000).channels(2);
/// let plan = Plan::new("fun-asr", Region::Intl, [0, 1]);
/// let lines = estimate(&call, &plan, &Prices::builtin());
/// let quantity = lines[0].quantity.ok_or("no length")?;
/// assert_eq!((quantity.low, quantity.expected, quantity.high), (0, 31, 60));
/// assert_eq!(lines[1].cost().ok_or("no price")?.high.to_string(), "0.002100");
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn estimate(recording: &Recording, plan: &Plan, prices: &Prices) -> Vec<Estimate> {
    let mut lines = Vec::new();
    let by_length = Catalog::builtin().model(&plan.model).is_some_and(|model| model.billed_by == BilledBy::Length);
    let charges = if by_length { plan.tracks.get(..1).unwrap_or_default() } else { &plan.tracks };
    for &track in charges {
        let speech = recording.duration_ms.map(|duration| match duration.max(0) {
            duration if by_length => whole(duration),
            duration => speech(recording, plan, track, duration),
        });
        for &meter in prices.meters(&plan.model, plan.region) {
            let speech_only = speech.filter(|_| meter == Meter::Speech);
            let quantity = match meter {
                Meter::Speech => speech.map(|(quantity, ..)| quantity),
                Meter::TokensIn => recording.duration_ms.map(tokens_in),
                Meter::TokensOut => recording.duration_ms.map(tokens_out),
            };
            lines.push(Estimate {
                file: recording.file.clone(),
                channel_id: track,
                model: plan.model.clone(),
                region: plan.region,
                duration_ms: recording.duration_ms,
                meter,
                quantity,
                upper_bound: speech_only.map(|(_, most, _)| most),
                source: speech_only.map(|(.., source)| source),
                unit: prices.unit(&plan.model, plan.region, meter),
            });
        }
    }
    lines
}

/// The same as [`speech`] if every second is billed, with or without speech.
fn whole(duration: i64) -> (Bounds<i64>, i64, SpeechSource) {
    let seconds = seconds_up(Decimal::from(duration), Decimal::ONE);
    (Bounds { low: seconds, expected: seconds, high: seconds }, seconds, SpeechSource::Length)
}

/// Expected seconds of speech, rounded up; the upper bound; the source.
fn speech(recording: &Recording, plan: &Plan, track: u32, duration: i64) -> (Bounds<i64>, i64, SpeechSource) {
    let most = seconds_up(Decimal::from(duration), Decimal::ONE);
    let (result, measured) = (recording.speech_ms.get(&track), recording.measured_ms.get(&track));
    let (bounds, source) = match (result, measured, plan.speech_share) {
        (Some(&speech), ..) => {
            let expected = seconds_up(Decimal::from(speech), Decimal::ONE);
            (Bounds { low: 0, expected, high: most }, SpeechSource::Result)
        }
        (None, Some(measure), _) => {
            let share = |hundredths: i64| Decimal::new(hundredths, 2);
            let bounds = Bounds {
                low: seconds_up(Decimal::from(measure.speech), share(100_i64.saturating_sub(BAND_BELOW))),
                expected: seconds_up(Decimal::from(measure.speech), Decimal::ONE),
                high: seconds_up(
                    Decimal::from(measure.with_tones.max(measure.speech)),
                    share(100_i64.saturating_add(BAND_ABOVE)),
                ),
            };
            (bounds, SpeechSource::Measured)
        }
        (None, None, Some(share)) => {
            let expected = seconds_up(Decimal::from(duration), share);
            (Bounds { low: 0, expected, high: most }, SpeechSource::Given)
        }
        (None, None, None) => {
            let one_participant = plan.tracks.len() > 1 || recording.channels.is_some_and(|channels| channels > 1);
            let share = if one_participant { Decimal::new(SHARE_OF_ONE, 4) } else { Decimal::new(SHARE_OF_ALL, 3) };
            let expected = seconds_up(Decimal::from(duration), share);
            (Bounds { low: 0, expected, high: most }, SpeechSource::Usual)
        }
    };
    (bounds.map(|seconds| seconds.clamp(0, most)), most, source)
}

fn seconds_up(ms: Decimal, share: Decimal) -> i64 {
    let seconds = ms.checked_mul(share).and_then(|ms| ms.checked_div(Decimal::ONE_THOUSAND));
    seconds.and_then(|seconds| seconds.ceil().to_i64()).unwrap_or(i64::MAX)
}

/// Input tokens for a length of audio. Undocumented; three published Qwen-Audio 3.1 responses report 182 tokens for 7 s, 238 for
/// 15 s, 530 for 38 s. Expected: the line through the first and the last. High: 25 per second, as documented for a related
/// model, plus 182 for the prompt (definitions: token estimate).
fn tokens_in(duration_ms: i64) -> Bounds<i64> {
    let seconds = seconds_up(Decimal::from(duration_ms.max(0)), Decimal::ONE);
    let beyond = Decimal::from(seconds.saturating_sub(7));
    let slope = Decimal::from(348).checked_div(Decimal::from(31));
    let expected = slope.and_then(|slope| beyond.checked_mul(slope)?.checked_add(Decimal::from(182)));
    Bounds {
        low: 0,
        expected: expected.and_then(|tokens| tokens.ceil().to_i64()).unwrap_or(i64::MAX),
        high: seconds.saturating_mul(25).saturating_add(182),
    }
}

/// Output tokens: 19, 80 and 109 in the same responses, and 208 for 60 s. High: 8 per second, 1.5 times the fastest of them.
fn tokens_out(duration_ms: i64) -> Bounds<i64> {
    let seconds = seconds_up(Decimal::from(duration_ms.max(0)), Decimal::ONE);
    let expected = seconds.saturating_mul(208).saturating_add(59).div_euclid(60);
    Bounds { low: 0, expected, high: seconds.saturating_mul(8) }
}

/// The sum of estimates of one model.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Sum {
    /// Estimates with a cost.
    pub priced: u64,
    /// Estimates without a price.
    pub without_price: u64,
    /// Estimates of recordings of unknown length.
    pub without_duration: u64,
    /// The currency; `None` = nothing is priced.
    pub currency: Option<Currency>,
    /// Seconds of speech, where speech is billed.
    pub seconds: Bounds<i64>,
    /// Cost of the priced estimates, unrounded; `None` = nothing is priced, or the sum exceeds what a decimal holds.
    pub cost: Option<Bounds<Decimal>>,
    /// Cost before any allowance if every second is speech; for tokens the same as `high`. `None` = nothing is priced.
    pub upper_bound: Option<Decimal>,
    /// Deducted for the free allowance.
    pub free: Bounds<Decimal>,
}

impl Sum {
    /// Cost after the free allowance.
    #[must_use]
    pub fn net(&self) -> Option<Bounds<Decimal>> {
        self.cost?.try_zip(self.free, Decimal::checked_sub)
    }

    /// Whether every estimate has a cost.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.without_price == 0 && self.without_duration == 0
    }
}

/// Adds up estimates of one model in one region, of which `free_seconds` are covered by the free allowance.
#[must_use]
pub fn sum<'e>(lines: impl IntoIterator<Item = &'e Estimate>, free_seconds: i64) -> Sum {
    let mut sum = Sum {
        priced: 0,
        without_price: 0,
        without_duration: 0,
        currency: None,
        seconds: Bounds::default(),
        cost: None,
        upper_bound: None,
        free: Bounds::default(),
    };
    let mut second = None;
    for line in lines {
        let Some(cost) = line.cost() else {
            let missing = if line.quantity.is_none() { &mut sum.without_duration } else { &mut sum.without_price };
            *missing = missing.saturating_add(1);
            continue;
        };
        let is_first = sum.priced == 0;
        sum.priced = sum.priced.saturating_add(1);
        sum.currency = line.unit.map(|unit| unit.currency);
        let so_far = if is_first { Some(Bounds::default()) } else { sum.cost };
        sum.cost = so_far.and_then(|so_far| so_far.try_zip(cost, Decimal::checked_add));
        let most = line.unit.zip(line.upper_bound).map_or(Some(cost.high), |(unit, most)| unit.cost(most));
        let so_far = if is_first { Some(Decimal::ZERO) } else { sum.upper_bound };
        sum.upper_bound = so_far.zip(most).and_then(|(so_far, most)| so_far.checked_add(most));
        if let (Meter::Speech, Some(quantity)) = (line.meter, line.quantity) {
            sum.seconds = Bounds {
                low: sum.seconds.low.saturating_add(quantity.low),
                expected: sum.seconds.expected.saturating_add(quantity.expected),
                high: sum.seconds.high.saturating_add(quantity.high),
            };
            second = line.unit;
        }
    }
    if let Some(unit) = second {
        // Never more than the cost, which is known: unknown products stand for none.
        let free = |seconds: i64| unit.cost(seconds.min(free_seconds.max(0))).unwrap_or_default();
        sum.free = sum.seconds.map(free);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_expected_lies_between_and_sums_are_of_the_lines(
            calls in proptest::collection::vec(
                (0_i64..50_000_000, 1_u32..3, proptest::option::of((proptest::bool::ANY, 0_i64..60_000_000, 0_i64..9000))),
                1..40,
            ),
            free in 0_i64..100_000,
            tokens in proptest::bool::ANY,
        ) {
            let model = if tokens { "qwen-audio-3.1-asr-flash-filetrans" } else { "fun-asr" }.to_owned();
            let plan = Plan { model, region: Region::Intl, tracks: vec![0, 1], speech_share: None };
            let mut lines = Vec::new();
            for (ms, channels, speech) in calls {
                let mut call = Recording { duration_ms: Some(ms), channels: Some(channels), ..Recording::default() };
                match speech {
                    Some((true, speech, _)) => drop(call.speech_ms.insert(0, speech)),
                    Some((false, speech, tones)) => {
                        call.measured_ms.insert(0, MeasuredSpeech { speech, with_tones: speech + tones });
                    }
                    None => {}
                }
                lines.extend(estimate(&call, &plan, &Prices::builtin()));
            }
            for line in &lines {
                let Bounds { low, expected, high } = line.quantity.unwrap();
                prop_assert!(low <= expected && expected <= high, "{:?}", line);
                prop_assert!(line.upper_bound.is_none_or(|most| high <= most), "{:?}", line);
                prop_assert_eq!(line.source.is_none(), tokens);
            }
            let sum = sum(&lines, free);
            let added: Decimal = lines.iter().map(|line| line.cost().unwrap().expected).sum();
            prop_assert_eq!(sum.cost.unwrap().expected, added);
            prop_assert!(sum.cost.unwrap().high <= sum.upper_bound.unwrap());
            let net = sum.net().unwrap();
            prop_assert!(net.low >= Decimal::ZERO && net.low <= net.expected && net.expected <= net.high);
        }
    }

    #[test]
    fn the_receipt_of_the_definitions_is_what_is_expected_of_it() {
        // 456.2 s, billed 393 (86 %): 392.332, rounded up.
        let call = Recording { duration_ms: Some(456_200), channels: Some(1), ..Recording::default() };
        let plan = Plan { model: "fun-asr".into(), region: Region::Cn, tracks: vec![0], speech_share: None };
        let line = &estimate(&call, &plan, &Prices::builtin())[0];
        assert_eq!(line.quantity, Some(Bounds { low: 0, expected: 393, high: 457 }));
        assert_eq!(line.cost().unwrap().expected.to_string(), "0.08646");
    }

    #[test]
    fn a_clip_is_billed_by_its_length_once() {
        let clip = Recording::new("a.wav").duration_ms(80_400).channels(2);
        let plan = Plan::new("fun-asr-flash-2026-06-15", Region::Intl, [0, 1]).speech_share(Decimal::new(5, 1));
        let [line] = &estimate(&clip, &plan, &Prices::builtin())[..] else { panic!("one charge a clip") };
        assert_eq!(line.quantity, Some(Bounds { low: 81, expected: 81, high: 81 }));
        assert_eq!((line.upper_bound, line.source), (Some(81), Some(SpeechSource::Length)));
    }

    #[test]
    fn measured_speech_has_a_band_and_a_bound() {
        let lines = |measure, duration: i64, speech_ms: &[(u32, i64)]| {
            let call = Recording {
                duration_ms: Some(duration),
                measured_ms: [(0, measure)].into(),
                speech_ms: speech_ms.iter().copied().collect(),
                ..Recording::default()
            };
            let plan = Plan {
                model: "fun-asr".into(),
                region: Region::Cn,
                tracks: vec![0, 1],
                speech_share: Some(Decimal::new(5, 1)),
            };
            estimate(&call, &plan, &Prices::builtin())
        };
        let known = |line: &Estimate| (line.quantity.unwrap(), line.upper_bound.unwrap(), line.source.unwrap().name());
        let bounds = |low, expected, high| Bounds { low, expected, high };
        // 20 s of speech in a minute: 19 and 22; with 2 s of ringing 24.2. The other track is not measured: half of it, as given.
        let measure = MeasuredSpeech { speech: 20_000, with_tones: 22_000 };
        let both = lines(measure, 60_000, &[]);
        assert_eq!(known(&both[0]), (bounds(19, 20, 25), 60, "measured"));
        assert_eq!(known(&both[1]), (bounds(0, 30, 60), 60, "given"));
        // Never more than the length of the recording.
        assert_eq!(known(&lines(measure, 21_500, &[])[0]), (bounds(19, 20, 22), 22, "measured"));
        assert_eq!(known(&lines(MeasuredSpeech::default(), 60_000, &[])[0]), (bounds(0, 0, 0), 60, "measured"));
        // An earlier result takes precedence.
        assert_eq!(known(&lines(measure, 60_000, &[(0, 18_300)])[0]), (bounds(0, 19, 60), 60, "result"));
    }

    #[test]
    fn the_known_answers_lie_within_the_estimate_of_tokens() {
        for (seconds, tokens_in_known, tokens_out_known) in [(7, 182, 19), (15, 238, 80), (38, 530, 109)] {
            let (input, output) = (tokens_in(seconds * 1000), tokens_out(seconds * 1000));
            assert!(input.low <= tokens_in_known && tokens_in_known <= input.high, "{seconds}: {input:?}");
            assert!(output.low <= tokens_out_known && tokens_out_known <= output.high, "{seconds}: {output:?}");
        }
        assert_eq!(
            (tokens_in(7000).expected, tokens_in(38_000).expected, tokens_out(60_000).expected),
            (182, 530, 208)
        );
    }
}
