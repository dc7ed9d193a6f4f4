//! What a recording will cost, before it is sent: low, expected, high (2.12, F32b).

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
    /// Speech in ms of tracks on which it was measured, as by an earlier transcription.
    pub speech_ms: BTreeMap<u32, i64>,
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
    /// It may be as little: silence is not billed.
    pub low: T,
    /// By the usual share of speech, or by what was measured.
    pub expected: T,
    /// Of speech it cannot be more: every second is speech. Of tokens no bound is documented.
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
            let quantity = match meter {
                Meter::Speech => speech,
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
                unit: prices.unit(&plan.model, plan.region, meter),
            });
        }
    }
    lines
}

/// Whole seconds of speech, begun ones counted, so that what is billed is never more than `high`.
fn speech(recording: &Recording, plan: &Plan, track: u32, duration: i64) -> Bounds<i64> {
    let high = begun(Decimal::from(duration), Decimal::ONE);
    let expected = match (recording.speech_ms.get(&track), plan.speech_share) {
        (Some(&speech), _) => begun(Decimal::from(speech), Decimal::ONE),
        (None, Some(share)) => begun(Decimal::from(duration), share),
        (None, None) => {
            let one_party = plan.tracks.len() > 1 || recording.channels.is_some_and(|channels| channels > 1);
            let share = if one_party { Decimal::new(SHARE_OF_ONE, 4) } else { Decimal::new(SHARE_OF_ALL, 3) };
            begun(Decimal::from(duration), share)
        }
    };
    Bounds { low: 0, expected: expected.clamp(0, high), high }
}

fn begun(ms: Decimal, share: Decimal) -> i64 {
    (ms * share / Decimal::from(1000)).ceil().to_i64().unwrap_or(i64::MAX)
}

/// Input tokens of so much audio. No page says how many there are; of Qwen-Audio 3.1 three answers are known, 7 s with 182,
/// 15 s with 238, 38 s with 530 (service-api.md 1.2). Expected: the line through the first and the last. High: the 25 a second
/// of a sibling's page, and as much again for the prompt as the shortest answer leaves.
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
            calls in proptest::collection::vec((0_i64..50_000_000, 1_u32..3, proptest::option::of(0_i64..60_000_000)), 1..40),
            free in 0_i64..100_000,
            tokens in proptest::bool::ANY,
        ) {
            let model = if tokens { "qwen-audio-3.1-asr-flash-filetrans" } else { "fun-asr" }.to_owned();
            let plan = Plan { model, region: Region::Intl, tracks: vec![0, 1], speech_share: None };
            let mut lines = Vec::new();
            for (ms, channels, speech) in calls {
                let speech_ms = speech.map(|ms| (0, ms)).into_iter().collect();
                let call = Recording { file: String::new(), duration_ms: Some(ms), channels: Some(channels), speech_ms };
                lines.extend(estimate(&call, &plan, &Prices::builtin()));
            }
            for line in &lines {
                let Bounds { low, expected, high } = line.quantity.unwrap();
                prop_assert!(low <= expected && expected <= high, "{:?}", line);
            }
            let sum = sum(&lines, free);
            let added: Decimal = lines.iter().map(|line| line.cost().unwrap().expected).sum();
            prop_assert_eq!(sum.cost.unwrap().expected, added);
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
