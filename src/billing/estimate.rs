//! What a recording will cost, before it is sent: low, expected, high (definitions: estimate).

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::line::Meter;
use super::prices::{Prices, UnitPrice};
use crate::catalog::{Currency, Region};

/// Speech in a track that holds everybody, as a share of its length, in thousandths: the one receipt of this service that is
/// known, 393 s billed of 456.2 s.
pub const SHARE_OF_ALL: i64 = 860;

/// Speech in the track of one of two parties, in ten-thousandths: over both tracks of phone calls 1.025 of the length.
pub const SHARE_OF_ONE: i64 = 5125;

/// What is known of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recording {
    /// Its name in the estimate.
    pub file: String,
    /// Its length in ms; `None` = not known, which is not 0.
    pub duration_ms: Option<i64>,
    /// How many tracks it has; `None` = not known.
    pub channels: Option<u32>,
    /// Speech in ms of tracks that were transcribed before.
    pub speech_ms: BTreeMap<u32, i64>,
    /// Speech in ms of tracks in which it was measured.
    pub measured_ms: BTreeMap<u32, Measure>,
}

/// Speech that a detector found in a track, in ms. What another detector finds lies mostly within a band around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measure {
    /// Without tones.
    pub speech: i64,
    /// With the tones that a detector may take for speech.
    pub with_tones: i64,
}

/// How much a measured track may fall short of what was measured, in hundredths.
const BAND_BELOW: i64 = 5;

/// How much it may exceed it, in hundredths.
const BAND_ABOVE: i64 = 10;

/// Where the speech of a line comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SpeechSource {
    /// The usual share of the length.
    Usual,
    /// A share that somebody gave.
    Given,
    /// Measured in the recording.
    Measured,
    /// An earlier result.
    Result,
}

impl SpeechSource {
    /// `usual`, `given`, `measured`, `result`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Usual => "usual",
            Self::Given => "given",
            Self::Measured => "measured",
            Self::Result => "result",
        }
    }
}

/// What is going to be asked of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The model.
    pub model: String,
    /// Where.
    pub region: Region,
    /// The tracks that are asked for: each is billed by itself.
    pub tracks: Vec<u32>,
    /// Share of speech in each track, 0 to 1; `None` = by the tracks: [`SHARE_OF_ALL`] or [`SHARE_OF_ONE`].
    pub speech_share: Option<Decimal>,
}

/// Three quantities or amounts, ascending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bounds<T> {
    /// It may be as little: silence is not billed. Of measured speech 5 % less than it.
    pub low: T,
    /// By the usual share of speech, or by what was measured.
    pub expected: T,
    /// Of speech it cannot be more: every second is speech. Of measured speech 10 % more than it and its tones, which is no
    /// bound: that is [`Estimate::most`]. Of tokens no bound is documented.
    pub high: T,
}

impl<T> Bounds<T> {
    /// The same of each.
    pub fn map<U>(self, mut f: impl FnMut(T) -> U) -> Bounds<U> {
        Bounds { low: f(self.low), expected: f(self.expected), high: f(self.high) }
    }
}

/// One meter of one track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimate {
    /// The recording.
    pub file: String,
    /// The track.
    pub channel_id: u32,
    /// The model that is going to be asked.
    pub model: String,
    /// Where.
    pub region: Region,
    /// Length of the recording in ms; `None` = not known.
    pub duration_ms: Option<i64>,
    /// What is counted.
    pub meter: Meter,
    /// How much, in the meter's unit; `None` = the length is not known.
    pub quantity: Option<Bounds<i64>>,
    /// What it cannot pass, every second being speech; `None` = the length is not known, or tokens are counted.
    pub most: Option<i64>,
    /// Where the speech comes from; `None` = the length is not known, or tokens are counted.
    pub source: Option<SpeechSource>,
    /// Of one unit; `None` = not known.
    pub unit: Option<UnitPrice>,
}

impl Estimate {
    /// Quantity × price, exactly; `None` when either is not known.
    #[must_use]
    pub fn cost(&self) -> Option<Bounds<Decimal>> {
        let unit = self.unit?;
        Some(self.quantity?.map(|quantity| unit.cost(quantity)))
    }
}

/// The lines of one recording: one a requested track and meter.
///
/// ```
/// use talkmeter::billing::{Plan, Prices, Recording, estimate};
/// use talkmeter::catalog::Region;
///
/// // A call of a minute, a track for each party: 60 s × 0.5125 = 30.75 s of each are expected, 31 when begun ones count.
/// let call = Recording { file: "a.wav".into(), duration_ms: Some(60_000), channels: Some(2), ..Recording::default() };
/// let plan = Plan { model: "fun-asr".into(), region: Region::Intl, tracks: vec![0, 1], speech_share: None };
/// let lines = estimate(&call, &plan, &Prices::builtin());
/// let quantity = lines[0].quantity.ok_or("no length")?;
/// assert_eq!((quantity.low, quantity.expected, quantity.high), (0, 31, 60));
/// assert_eq!(lines[1].cost().ok_or("no price")?.high.to_string(), "0.002100");
/// # Ok::<(), &str>(())
/// ```
#[must_use]
pub fn estimate(recording: &Recording, plan: &Plan, prices: &Prices) -> Vec<Estimate> {
    let mut lines = Vec::new();
    for &track in &plan.tracks {
        let speech = recording.duration_ms.map(|duration| speech(recording, plan, track, duration.max(0)));
        for &meter in prices.meters(&plan.model, plan.region) {
            let of_speech = speech.filter(|_| meter == Meter::Speech);
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
                most: of_speech.map(|(_, most, _)| most),
                source: of_speech.map(|(.., source)| source),
                unit: prices.unit(&plan.model, plan.region, meter),
            });
        }
    }
    lines
}

/// Whole seconds of speech, begun ones counted, so that what is billed is never more; the most it can be; its source.
fn speech(recording: &Recording, plan: &Plan, track: u32, duration: i64) -> (Bounds<i64>, i64, SpeechSource) {
    let most = begun(Decimal::from(duration), Decimal::ONE);
    let (result, measured) = (recording.speech_ms.get(&track), recording.measured_ms.get(&track));
    let (bounds, source) = match (result, measured, plan.speech_share) {
        (Some(&speech), ..) => {
            let expected = begun(Decimal::from(speech), Decimal::ONE);
            (Bounds { low: 0, expected, high: most }, SpeechSource::Result)
        }
        (None, Some(measure), _) => {
            let share = |hundredths: i64| Decimal::new(hundredths, 2);
            let bounds = Bounds {
                low: begun(Decimal::from(measure.speech), share(100 - BAND_BELOW)),
                expected: begun(Decimal::from(measure.speech), Decimal::ONE),
                high: begun(Decimal::from(measure.with_tones.max(measure.speech)), share(100 + BAND_ABOVE)),
            };
            (bounds, SpeechSource::Measured)
        }
        (None, None, Some(share)) => {
            let expected = begun(Decimal::from(duration), share);
            (Bounds { low: 0, expected, high: most }, SpeechSource::Given)
        }
        (None, None, None) => {
            let one_party = plan.tracks.len() > 1 || recording.channels.is_some_and(|channels| channels > 1);
            let share = if one_party { Decimal::new(SHARE_OF_ONE, 4) } else { Decimal::new(SHARE_OF_ALL, 3) };
            let expected = begun(Decimal::from(duration), share);
            (Bounds { low: 0, expected, high: most }, SpeechSource::Usual)
        }
    };
    (bounds.map(|seconds| seconds.clamp(0, most)), most, source)
}

fn begun(ms: Decimal, share: Decimal) -> i64 {
    (ms * share / Decimal::from(1000)).ceil().to_i64().unwrap_or(i64::MAX)
}

/// Input tokens of so much audio. No page says how many there are; of Qwen-Audio 3.1 three answers are known, 7 s with
/// 182, 15 s with 238, 38 s with 530 (definitions: token estimate). Expected: the line through the first and the last.
/// High: the 25 a second of a sibling's page, and as much again for the prompt as the shortest answer leaves.
fn tokens_in(duration_ms: i64) -> Bounds<i64> {
    let seconds = begun(Decimal::from(duration_ms.max(0)), Decimal::ONE);
    let slope = Decimal::from(348) / Decimal::from(31);
    let expected = Decimal::from(182) + Decimal::from(seconds - 7) * slope;
    Bounds {
        low: 0,
        expected: expected.ceil().to_i64().unwrap_or(i64::MAX),
        high: seconds.saturating_mul(25).saturating_add(182),
    }
}

/// Output tokens: in the same answers 19, 80 and 109, 208 in 60 s. High: 8 a second, half as much again as the fastest of
/// them.
fn tokens_out(duration_ms: i64) -> Bounds<i64> {
    let seconds = begun(Decimal::from(duration_ms.max(0)), Decimal::ONE);
    let expected = begun(Decimal::from(seconds), Decimal::from(208) / Decimal::from(60) * Decimal::from(1000));
    Bounds { low: 0, expected, high: seconds.saturating_mul(8) }
}

/// What some lines of one model come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// Lines with a cost.
    pub priced: u64,
    /// Lines without a price.
    pub without_price: u64,
    /// Lines without a length.
    pub without_duration: u64,
    /// What is charged in; `None` = nothing is priced.
    pub currency: Option<Currency>,
    /// Seconds of speech of the lines that are billed by them.
    pub seconds: Bounds<i64>,
    /// Of the priced lines, to the last digit; `None` = nothing is priced.
    pub cost: Option<Bounds<Decimal>>,
    /// What they cannot pass before any allowance, every second being speech; of tokens as `high`. `None` = nothing is priced.
    pub most: Option<Decimal>,
    /// What a free allowance takes off; 0 where none is counted.
    pub free: Bounds<Decimal>,
}

impl Sum {
    /// What is left to pay.
    #[must_use]
    pub fn net(&self) -> Option<Bounds<Decimal>> {
        let Bounds { low, expected, high } = self.cost?;
        Some(Bounds { low: low - self.free.low, expected: expected - self.free.expected, high: high - self.free.high })
    }

    /// Whether all of it is known.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.without_price == 0 && self.without_duration == 0
    }
}

/// Adds lines of one model in one region. `free_seconds` are left of an allowance.
#[must_use]
pub fn sum<'e>(lines: impl IntoIterator<Item = &'e Estimate>, free_seconds: i64) -> Sum {
    let mut sum = Sum {
        priced: 0,
        without_price: 0,
        without_duration: 0,
        currency: None,
        seconds: Bounds::default(),
        cost: None,
        most: None,
        free: Bounds::default(),
    };
    let mut second = None;
    for line in lines {
        let Some(cost) = line.cost() else {
            let missing = if line.quantity.is_none() { &mut sum.without_duration } else { &mut sum.without_price };
            *missing += 1;
            continue;
        };
        sum.priced += 1;
        sum.currency = line.unit.map(|unit| unit.currency);
        let so_far = sum.cost.unwrap_or_default();
        sum.cost = Some(Bounds {
            low: so_far.low + cost.low,
            expected: so_far.expected + cost.expected,
            high: so_far.high + cost.high,
        });
        let most = line.unit.zip(line.most).map_or(cost.high, |(unit, most)| unit.cost(most));
        sum.most = Some(sum.most.unwrap_or_default() + most);
        if let (Meter::Speech, Some(quantity)) = (line.meter, line.quantity) {
            sum.seconds.low += quantity.low;
            sum.seconds.expected += quantity.expected;
            sum.seconds.high += quantity.high;
            second = line.unit;
        }
    }
    if let Some(unit) = second {
        sum.free = sum.seconds.map(|seconds| unit.cost(seconds.min(free_seconds.max(0))));
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
                        call.measured_ms.insert(0, Measure { speech, with_tones: speech + tones });
                    }
                    None => {}
                }
                lines.extend(estimate(&call, &plan, &Prices::builtin()));
            }
            for line in &lines {
                let Bounds { low, expected, high } = line.quantity.unwrap();
                prop_assert!(low <= expected && expected <= high, "{:?}", line);
                prop_assert!(line.most.is_none_or(|most| high <= most), "{:?}", line);
                prop_assert_eq!(line.source.is_none(), tokens);
            }
            let sum = sum(&lines, free);
            let added: Decimal = lines.iter().map(|line| line.cost().unwrap().expected).sum();
            prop_assert_eq!(sum.cost.unwrap().expected, added);
            prop_assert!(sum.cost.unwrap().high <= sum.most.unwrap());
            let net = sum.net().unwrap();
            prop_assert!(net.low >= Decimal::ZERO && net.low <= net.expected && net.expected <= net.high);
        }
    }

    #[test]
    fn the_receipt_of_the_definitions_is_what_is_expected_of_it() {
        // 456.2 s, billed 393 (86 %): 392.332 and a begun second.
        let call = Recording { duration_ms: Some(456_200), channels: Some(1), ..Recording::default() };
        let plan = Plan { model: "fun-asr".into(), region: Region::Cn, tracks: vec![0], speech_share: None };
        let line = &estimate(&call, &plan, &Prices::builtin())[0];
        assert_eq!(line.quantity, Some(Bounds { low: 0, expected: 393, high: 457 }));
        assert_eq!(line.cost().unwrap().expected.to_string(), "0.08646");
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
        let known = |line: &Estimate| (line.quantity.unwrap(), line.most.unwrap(), line.source.unwrap().name());
        let bounds = |low, expected, high| Bounds { low, expected, high };
        // 20 s of speech in a minute: 19 and 22; with 2 s of ringing 24.2. The other track is not measured: a half, as given.
        let measure = Measure { speech: 20_000, with_tones: 22_000 };
        let both = lines(measure, 60_000, &[]);
        assert_eq!(known(&both[0]), (bounds(19, 20, 25), 60, "measured"));
        assert_eq!(known(&both[1]), (bounds(0, 30, 60), 60, "given"));
        // No more than the recording is long.
        assert_eq!(known(&lines(measure, 21_500, &[])[0]), (bounds(19, 20, 22), 22, "measured"));
        assert_eq!(known(&lines(Measure::default(), 60_000, &[])[0]), (bounds(0, 0, 0), 60, "measured"));
        // What was transcribed before is known better.
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
