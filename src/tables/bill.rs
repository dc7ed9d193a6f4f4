//! What the transcription of many calls came to, by model, region and price.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use rust_decimal::Decimal;
use serde::Serialize;

use crate::catalog::Currency;

/// One track of one call as the table `costs` has it.
#[derive(Debug, Clone, Default)]
pub(super) struct Charge<'a> {
    pub(super) model: Option<&'a str>,
    pub(super) region: Option<&'a str>,
    pub(super) billable_ms: Option<i64>,
    pub(super) billed_seconds: Option<i64>,
    pub(super) price: Option<Price>,
    pub(super) cost: Option<Decimal>,
}

/// What a second costs, and what the page said when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Price {
    pub(super) currency: Currency,
    pub(super) unit_price: Decimal,
    pub(super) price_date: String,
}

impl Price {
    /// By the code of the currency first.
    fn key(&self) -> PriceKey {
        (self.currency.code(), self.unit_price, self.price_date.clone())
    }
}

type PriceKey = (&'static str, Decimal, String);

/// Tracks that were billed alike, added up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BillLine {
    /// The model; null when not known.
    pub model: Option<String>,
    /// The region; null when not known.
    pub region: Option<String>,
    /// Calls that have such a track.
    pub calls: u64,
    /// Transcribed tracks: each is billed by itself.
    pub tracks: u64,
    /// Tracks whose speech could not be measured; they are in none of the sums.
    pub tracks_without_speech_time: u64,
    /// Speech in ms.
    pub billable_ms: i64,
    /// Begun seconds, counted for each track.
    pub billed_seconds: i64,
    /// Of one second; null when not known: then nothing is priced, which is not free.
    pub unit_price: Option<Decimal>,
    /// USD or CNY; follows `unit_price`.
    pub currency: Option<Currency>,
    /// The day the price was looked up; follows `unit_price`.
    pub price_date: Option<String>,
    /// `billed_seconds` × `unit_price`, exactly; follows `unit_price`.
    pub cost: Option<Decimal>,
}

type Key = (Option<PriceKey>, Option<String>, Option<String>);

/// The table `costs` added up, call by call.
#[derive(Debug, Clone, Default)]
pub(super) struct Bill(BTreeMap<Key, BillLine>);

impl BillLine {
    /// One track of a call.
    fn of(track: &Charge<'_>) -> Self {
        let price = track.price.as_ref();
        Self {
            model: track.model.map(str::to_owned),
            region: track.region.map(str::to_owned),
            calls: 1,
            tracks: 1,
            tracks_without_speech_time: u64::from(track.billable_ms.is_none()),
            billable_ms: track.billable_ms.unwrap_or(0),
            billed_seconds: track.billed_seconds.unwrap_or(0),
            unit_price: price.map(|price| price.unit_price),
            currency: price.map(|price| price.currency),
            price_date: price.map(|price| price.price_date.clone()),
            cost: track.cost.filter(|_| price.is_some()),
        }
    }

    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.tracks += other.tracks;
        self.tracks_without_speech_time += other.tracks_without_speech_time;
        self.billable_ms = self.billable_ms.saturating_add(other.billable_ms);
        self.billed_seconds = self.billed_seconds.saturating_add(other.billed_seconds);
        self.cost = self.cost.zip(other.cost).and_then(|(sum, cost)| sum.checked_add(cost));
    }
}

impl Bill {
    /// Adds the tracks of one call.
    pub(super) fn add(&mut self, tracks: &[Charge<'_>]) {
        let mut counted: Vec<Key> = Vec::new();
        for track in tracks {
            let mut line = BillLine::of(track);
            let key = (track.price.as_ref().map(Price::key), line.model.clone(), line.region.clone());
            if counted.contains(&key) {
                line.calls = 0;
            } else {
                counted.push(key.clone());
            }
            self.put(key, line);
        }
    }

    pub(super) fn append(&mut self, other: Self) {
        other.0.into_iter().for_each(|(key, line)| self.put(key, line));
    }

    fn put(&mut self, key: Key, line: BillLine) {
        match self.0.entry(key) {
            Entry::Vacant(slot) => _ = slot.insert(line),
            Entry::Occupied(mut slot) => slot.get_mut().add(&line),
        }
    }

    /// By price, model and region; what is not priced stands first.
    pub(super) fn into_lines(self) -> Vec<BillLine> {
        self.0.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(amount: &str) -> Option<Price> {
        Some(Price {
            currency: Currency::Usd,
            unit_price: amount.parse().unwrap(),
            price_date: "2026-10-01".to_owned(),
        })
    }

    #[test]
    fn tracks_billed_alike_are_one_line_and_nothing_unpriced_is_free() {
        let cost =
            |seconds: i64, price: &Option<Price>| price.as_ref().map(|price| price.unit_price * Decimal::from(seconds));
        let dear = price("0.000035");
        let track = |seconds, price: &Option<Price>| Charge {
            model: Some("fun-asr"),
            region: Some("intl"),
            billable_ms: Some(seconds * 1000 - 400),
            billed_seconds: Some(seconds),
            cost: cost(seconds, price),
            price: price.clone(),
        };
        let (mut one, mut two) = (Bill::default(), Bill::default());
        one.add(&[track(10, &dear), track(20, &dear)]);
        two.add(&[track(5, &dear), Charge { price: None, cost: None, ..track(7, &None) }]);
        two.add(&[Charge::default()]);
        one.append(two);
        let lines = one.into_lines();
        let shown: Vec<_> = lines
            .iter()
            .map(|line| {
                (
                    line.model.as_deref(),
                    line.calls,
                    line.tracks,
                    line.billed_seconds,
                    line.cost.map(|cost| cost.to_string()),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                (None, 1, 1, 0, None),
                (Some("fun-asr"), 1, 1, 7, None),
                (Some("fun-asr"), 2, 3, 35, Some("0.001225".to_owned())),
            ]
        );
        assert_eq!(lines[0].tracks_without_speech_time, 1);
        assert_eq!(lines[2].billable_ms, 33_800);
    }
}
