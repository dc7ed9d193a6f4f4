//! Cost estimates for recordings that have not been sent yet: low, expected, high (definitions: estimate).

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::line::Meter;
use super::prices::{Prices, UnitPrice};
use super::share::{EarlierShares, Share, Spread};
use crate::catalog::{BilledBy, Catalog, Region};

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

    /// Sets the speech in a track in ms, from an earlier result.
    #[must_use]
    pub fn speech_ms(mut self, track: u32, speech_ms: i64) -> Self {
        self.speech_ms.insert(track, speech_ms);
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

/// Billed speech may be this much less or more than in an earlier result, in hundredths: the service's pages speak of minor
/// differences.
const RESULT_BAND: i64 = 5;

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
    /// The share in earlier results of the same source.
    Earlier,
    /// Measured in the recording.
    Measured,
    /// An earlier result of the same recording.
    Result,
    /// The length of the recording, by which the model is billed.
    Length,
}

impl SpeechSource {
    /// `usual`, `given`, `earlier`, `measured`, `result`, `length`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Usual => "usual",
            Self::Given => "given",
            Self::Earlier => "earlier",
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
    /// The share of speech in each track.
    pub shares: Shares,
    /// The most tokens that go with the audio of each track: context and parameters.
    pub prompt_tokens: i64,
}

/// The share of speech that an estimate assumes where none is measured.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Shares {
    /// The usual one.
    #[default]
    Usual,
    /// This mean, 0 to 1.
    Given(Decimal),
    /// That of earlier results; the usual one for tracks that they do not have.
    Earlier(EarlierShares),
}

impl Shares {
    fn share(&self, one_participant: bool, track: u32) -> (Share, SpeechSource) {
        let usual = || (Share::usual(one_participant), SpeechSource::Usual);
        match self {
            Self::Usual => usual(),
            Self::Given(mean) => (Share::given(*mean, one_participant), SpeechSource::Given),
            Self::Earlier(earlier) => {
                earlier.share(one_participant, track).map_or_else(usual, |share| (share, SpeechSource::Earlier))
            }
        }
    }
}

impl Plan {
    /// These tracks of each recording, with the usual share of speech in each.
    #[must_use]
    pub fn new(model: impl Into<String>, region: Region, tracks: impl Into<Vec<u32>>) -> Self {
        Self { model: model.into(), region, tracks: tracks.into(), shares: Shares::Usual, prompt_tokens: 0 }
    }

    /// Sets the most tokens that go with the audio of each track.
    #[must_use]
    pub fn prompt_tokens(mut self, tokens: usize) -> Self {
        self.prompt_tokens = i64::try_from(tokens).unwrap_or(i64::MAX);
        self
    }

    /// Sets the share of speech in each track.
    #[must_use]
    pub fn shares(mut self, shares: Shares) -> Self {
        self.shares = shares;
        self
    }
}

/// Four quantities or amounts in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Bounds<T> {
    /// The 10th percentile by the law of the shares. For measured speech 5 % below it, for that of an earlier result 5 %; where
    /// the length is billed, the length; for tokens 0.
    pub low: T,
    /// By the mean share of speech, or the measured speech.
    pub expected: T,
    /// The 90th percentile by the law of the shares. For measured speech 10 % above speech and tones.
    pub high: T,
    /// The upper bound: every second is speech. For tokens none is documented; what is assumed: definitions, token estimate.
    pub most: T,
}

impl<T> Bounds<T> {
    /// Applies `f` to each.
    pub fn map<U>(self, mut f: impl FnMut(T) -> U) -> Bounds<U> {
        Bounds { low: f(self.low), expected: f(self.expected), high: f(self.high), most: f(self.most) }
    }

    /// Applies `f` to each of both; `None` if it is that for one of them.
    pub(crate) fn try_zip<U, V>(self, other: Bounds<U>, mut f: impl FnMut(T, U) -> Option<V>) -> Option<Bounds<V>> {
        Some(Bounds {
            low: f(self.low, other.low)?,
            expected: f(self.expected, other.expected)?,
            high: f(self.high, other.high)?,
            most: f(self.most, other.most)?,
        })
    }
}

impl<T> Bounds<Option<T>> {
    /// All four; `None` if one is.
    pub(crate) fn all(self) -> Option<Bounds<T>> {
        Some(Bounds { low: self.low?, expected: self.expected?, high: self.high?, most: self.most? })
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
    /// Where the speech figure comes from; `None` = the length is unknown, or the model is billed in tokens.
    pub source: Option<SpeechSource>,
    /// The law that low and high are by; `None` = they are by no law of shares.
    pub share: Option<Share>,
    /// Price of one unit; `None` = unknown.
    pub unit: Option<UnitPrice>,
}

impl Estimate {
    /// Quantity × price, unrounded; `None` if either is unknown, or the product exceeds what a decimal holds.
    #[must_use]
    pub fn cost(&self) -> Option<Bounds<Decimal>> {
        let unit = self.unit?;
        self.quantity?.map(|quantity| unit.cost(quantity)).all()
    }

    /// How far the quantity may be from what is expected.
    pub(super) fn spread(&self) -> Option<Spread> {
        let quantity = self.quantity?;
        Some(self.share.map_or_else(|| Spread::band(quantity), |share| Spread::new(share, quantity.most)))
    }
}

/// The estimates of one recording: one per requested track and meter; of a model that is billed by the length of the audio, one
/// (definitions: estimate).
///
/// ```
/// use talkmeter::billing::{Plan, Prices, Recording, estimate};
/// use talkmeter::catalog::Region;
///
/// // A one-minute call with a track per participant: 60 s × 0.5125 = 30.75 s expected per track, rounded up to 31, and
/// // 1.2816 × 60 × √(0.15² + 0.1²) = 13.9 s more or less in four of five calls.
/// let call = Recording::new("a.wav").duration_ms(60_000).channels(2);
/// let plan = Plan::new("fun-asr", Region::Intl, [0, 1]);
/// let lines = estimate(&call, &plan, &Prices::builtin());
/// let quantity = lines[0].quantity.ok_or("no length")?;
/// assert_eq!((quantity.low, quantity.expected, quantity.high, quantity.most), (18, 31, 45, 60));
/// assert_eq!(lines[1].cost().ok_or("no price")?.most.to_string(), "0.002100");
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
                Meter::Speech => speech.map(|speech| speech.quantity),
                Meter::TokensIn => recording.duration_ms.map(|duration| tokens_in(duration, plan.prompt_tokens)),
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
                source: speech_only.map(|speech| speech.source),
                share: speech_only.and_then(|speech| speech.share),
                unit: prices.unit(&plan.model, plan.region, meter),
            });
        }
    }
    lines
}

/// Seconds to be billed, and what they are based on.
#[derive(Clone, Copy)]
struct Speech {
    quantity: Bounds<i64>,
    share: Option<Share>,
    source: SpeechSource,
}

/// Every second is billed, with or without speech.
fn whole(duration: i64) -> Speech {
    let seconds = seconds_up(Decimal::from(duration), Decimal::ONE);
    let quantity = Bounds { low: seconds, expected: seconds, high: seconds, most: seconds };
    Speech { quantity, share: None, source: SpeechSource::Length }
}

/// Seconds of speech in a track.
fn speech(recording: &Recording, plan: &Plan, track: u32, duration: i64) -> Speech {
    let most = seconds_up(Decimal::from(duration), Decimal::ONE);
    let band = |speech: i64, below: i64, loudest: i64, above: i64| {
        let share = |hundredths: i64| Decimal::new(hundredths, 2);
        let quantity = Bounds {
            low: seconds_up(Decimal::from(speech), share(100_i64.saturating_sub(below))),
            expected: seconds_up(Decimal::from(speech), Decimal::ONE),
            high: seconds_up(Decimal::from(loudest.max(speech)), share(100_i64.saturating_add(above))),
            most,
        };
        quantity.map(|seconds| seconds.clamp(0, most))
    };
    if let Some(&speech) = recording.speech_ms.get(&track) {
        let quantity = band(speech, RESULT_BAND, speech, RESULT_BAND);
        return Speech { quantity, share: None, source: SpeechSource::Result };
    }
    if let Some(measured) = recording.measured_ms.get(&track) {
        let quantity = band(measured.speech, BAND_BELOW, measured.with_tones, BAND_ABOVE);
        return Speech { quantity, share: None, source: SpeechSource::Measured };
    }
    let one_participant = plan.tracks.len() > 1 || recording.channels.is_some_and(|channels| channels > 1);
    let (share, source) = plan.shares.share(one_participant, track);
    let expected = seconds_up(Decimal::from(duration), share.mean).clamp(0, most);
    Speech { quantity: Spread::new(share, most).bounds(expected, most), share: Some(share), source }
}

fn seconds_up(ms: Decimal, share: Decimal) -> i64 {
    let seconds = ms.checked_mul(share).and_then(|ms| ms.checked_div(Decimal::ONE_THOUSAND));
    seconds.and_then(|seconds| seconds.ceil().to_i64()).unwrap_or(i64::MAX)
}

/// Tokens of a second of audio, as documented for a related model.
const TOKENS_PER_SECOND: i64 = 25;

/// Input tokens for a length of audio. Undocumented; three published Qwen-Audio 3.1 responses report 182 tokens for 7 s, 238 for
/// 15 s, 530 for 38 s. Expected: the line through the first and the last. High: 25 per second, as documented for a related
/// model, plus 182 for the prompt. Most: with the context of the request (definitions: token estimate).
fn tokens_in(duration_ms: i64, prompt_tokens: i64) -> Bounds<i64> {
    let seconds = seconds_up(Decimal::from(duration_ms.max(0)), Decimal::ONE);
    let beyond = Decimal::from(seconds.saturating_sub(7));
    let slope = Decimal::from(348).checked_div(Decimal::from(31));
    let expected = slope.and_then(|slope| beyond.checked_mul(slope)?.checked_add(Decimal::from(182)));
    let high = seconds.saturating_mul(TOKENS_PER_SECOND).saturating_add(182);
    let expected = expected.and_then(|tokens| tokens.ceil().to_i64()).unwrap_or(i64::MAX);
    Bounds { low: 0, expected, high, most: high.saturating_add(prompt_tokens) }
}

/// Output tokens: 19, 80 and 109 in the same responses, and 208 for 60 s. High: 8 per second, 1.5 times the fastest of them.
/// Most: as many as the audio has, and at least as many as the prompt of a short clip.
fn tokens_out(duration_ms: i64) -> Bounds<i64> {
    let seconds = seconds_up(Decimal::from(duration_ms.max(0)), Decimal::ONE);
    let expected = seconds.saturating_mul(208).saturating_add(59).div_euclid(60);
    let high = seconds.saturating_mul(8);
    let most = seconds.saturating_mul(TOKENS_PER_SECOND).saturating_add(182);
    Bounds { low: 0, expected, high, most }
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
            let plan = Plan::new(model, Region::Intl, [0, 1]);
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
                let Bounds { low, expected, high, most } = line.quantity.unwrap();
                prop_assert!(0 <= low && low <= expected && expected <= high && high <= most, "{:?}", line);
                let alone = super::super::sum(std::slice::from_ref(line), 0);
                prop_assert_eq!(alone.cost, line.cost());
                prop_assert_eq!(line.source.is_none(), tokens);
            }
            let sum = super::super::sum(&lines, free);
            let added: Decimal = lines.iter().map(|line| line.cost().unwrap().expected).sum();
            prop_assert_eq!(sum.cost.unwrap().expected, added);
            let most: Decimal = lines.iter().map(|line| line.cost().unwrap().most).sum();
            prop_assert_eq!(sum.cost.unwrap().most, most);
            let net = sum.net().unwrap();
            prop_assert!(net.low >= Decimal::ZERO && net.low <= net.expected);
            prop_assert!(net.expected <= net.high && net.high <= net.most);
        }
    }

    #[test]
    fn the_receipt_of_the_definitions_is_what_is_expected_of_it() {
        // 456.2 s, billed 393 (86 %): 392.332, rounded up.
        let call = Recording { duration_ms: Some(456_200), channels: Some(1), ..Recording::default() };
        let plan = Plan::new("fun-asr", Region::Cn, [0]);
        let line = &estimate(&call, &plan, &Prices::builtin())[0];
        // 1.2816 × 457 × √(0.08² + 0.08²) = 66.3
        assert_eq!(line.quantity, Some(Bounds { low: 327, expected: 393, high: 457, most: 457 }));
        assert_eq!(line.cost().unwrap().expected.to_string(), "0.08646");
    }

    #[test]
    fn a_clip_is_billed_by_its_length_once() {
        let clip = Recording::new("a.wav").duration_ms(80_400).channels(2);
        let plan =
            Plan::new("fun-asr-flash-2026-06-15", Region::Intl, [0, 1]).shares(Shares::Given(Decimal::new(5, 1)));
        let [line] = &estimate(&clip, &plan, &Prices::builtin())[..] else { panic!("one charge a clip") };
        assert_eq!(line.quantity, Some(Bounds { low: 81, expected: 81, high: 81, most: 81 }));
        assert_eq!((line.source, line.share), (Some(SpeechSource::Length), None));
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
            let plan = Plan::new("fun-asr", Region::Cn, [0, 1]).shares(Shares::Given(Decimal::new(5, 1)));
            estimate(&call, &plan, &Prices::builtin())
        };
        let known = |line: &Estimate| (line.quantity.unwrap(), line.source.unwrap().name());
        let bounds = |low, expected, high, most| Bounds { low, expected, high, most };
        // 20 s of speech in a minute: 19 and 22; with 2 s of ringing 24.2. The other track is not measured: half of it, as given.
        let measure = MeasuredSpeech { speech: 20_000, with_tones: 22_000 };
        let both = lines(measure, 60_000, &[]);
        assert_eq!(known(&both[0]), (bounds(19, 20, 25, 60), "measured"));
        // 1.2816 × 60 × 0.1 = 7.7
        assert_eq!(known(&both[1]), (bounds(23, 30, 38, 60), "given"));
        // Never more than the length of the recording.
        assert_eq!(known(&lines(measure, 21_500, &[])[0]), (bounds(19, 20, 22, 22), "measured"));
        assert_eq!(known(&lines(MeasuredSpeech::default(), 60_000, &[])[0]), (bounds(0, 0, 0, 60), "measured"));
        // An earlier result takes precedence.
        assert_eq!(known(&lines(measure, 60_000, &[(0, 18_300)])[0]), (bounds(18, 19, 20, 60), "result"));
    }

    #[test]
    fn the_known_answers_lie_within_the_estimate_of_tokens() {
        for (seconds, tokens_in_known, tokens_out_known) in [(7, 182, 19), (15, 238, 80), (38, 530, 109)] {
            let (input, output) = (tokens_in(seconds * 1000, 0), tokens_out(seconds * 1000));
            assert!(input.low <= tokens_in_known && tokens_in_known <= input.high, "{seconds}: {input:?}");
            assert!(output.low <= tokens_out_known && tokens_out_known <= output.high, "{seconds}: {output:?}");
        }
        assert_eq!(
            (tokens_in(7000, 0).expected, tokens_in(38_000, 0).expected, tokens_out(60_000).expected),
            (182, 530, 208)
        );
    }
}
