//! The bill of many calls, by model, region and price.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;

use super::line::Line;
use crate::catalog::{Currency, Region};

/// The total of lines with the same model, region and price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BillTotal {
    /// The model; null if unknown.
    pub model: Option<String>,
    /// The region; null if unknown.
    pub region: Option<Region>,
    /// Calls that have such a track.
    pub calls: u64,
    /// Transcribed tracks; each is billed by itself.
    pub tracks: u64,
    /// Tracks whose speech could not be measured; they are in none of the sums.
    pub tracks_without_speech_time: u64,
    /// Speech in ms.
    pub billable_ms: i64,
    /// Speech in seconds, rounded up for each track.
    pub billed_seconds: i64,
    /// Price of one second; null if unknown, which does not mean free.
    pub unit_price: Option<Decimal>,
    /// USD or CNY; follows `unit_price`.
    pub currency: Option<Currency>,
    /// The day the price was looked up; follows `unit_price`.
    pub price_date: Option<Date>,
    /// `billed_seconds` × `unit_price`, unrounded; follows `unit_price`.
    pub cost: Option<Decimal>,
}

/// The cost in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CurrencyTotal {
    /// USD or CNY; null for tracks without a known price, which are not free.
    pub currency: Option<Currency>,
    /// Number of transcribed tracks.
    pub tracks: u64,
    /// Seconds of speech, rounded up for each track.
    pub billed_seconds: i64,
    /// The exact sum; null without a price.
    pub cost: Option<Decimal>,
}

impl CurrencyTotal {
    /// Adds up totals by currency, in order of first occurrence.
    #[must_use]
    pub fn from_totals(bill: &[BillTotal]) -> Vec<Self> {
        let mut totals: Vec<Self> = Vec::new();
        for own in bill {
            let BillTotal { currency, tracks, billed_seconds, cost, .. } = *own;
            match totals.iter_mut().find(|total| total.currency == currency) {
                None => totals.push(Self { currency, tracks, billed_seconds, cost }),
                Some(total) => {
                    total.tracks = total.tracks.saturating_add(tracks);
                    total.billed_seconds = total.billed_seconds.saturating_add(billed_seconds);
                    total.cost = total.cost.zip(cost).and_then(|(sum, cost)| sum.checked_add(cost));
                }
            }
        }
        totals
    }
}

/// Currency code, price and date first: lines without a price come first.
type Key = (Option<(&'static str, Decimal, Date)>, Option<String>, Option<&'static str>);

/// Lines added up, call by call.
#[derive(Debug, Clone, Default)]
pub struct Bill(BTreeMap<Key, BillTotal>);

impl BillTotal {
    fn new(line: &Line) -> Self {
        let unit = line.unit.filter(|_| line.quantity.is_some());
        Self {
            model: line.model.clone(),
            region: line.region,
            calls: 1,
            tracks: 1,
            tracks_without_speech_time: u64::from(line.speech_ms.is_none()),
            billable_ms: line.speech_ms.unwrap_or(0),
            billed_seconds: line.quantity.unwrap_or(0),
            unit_price: unit.map(|unit| unit.amount),
            currency: unit.map(|unit| unit.currency),
            price_date: unit.map(|unit| unit.checked),
            cost: line.cost(),
        }
    }

    fn key(&self) -> Key {
        let price = self.currency.zip(self.unit_price).zip(self.price_date);
        let price = price.map(|((currency, amount), date)| (currency.code(), amount, date));
        (price, self.model.clone(), self.region.map(Region::name))
    }

    fn add(&mut self, other: &Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.tracks = self.tracks.saturating_add(other.tracks);
        self.tracks_without_speech_time =
            self.tracks_without_speech_time.saturating_add(other.tracks_without_speech_time);
        self.billable_ms = self.billable_ms.saturating_add(other.billable_ms);
        self.billed_seconds = self.billed_seconds.saturating_add(other.billed_seconds);
        self.cost = self.cost.zip(other.cost).and_then(|(sum, cost)| sum.checked_add(cost));
    }
}

impl Bill {
    /// Adds the lines of one call.
    pub fn add(&mut self, lines: &[Line]) {
        let mut counted: Vec<Key> = Vec::new();
        for line in lines {
            let mut total = BillTotal::new(line);
            let key = total.key();
            if counted.contains(&key) {
                total.calls = 0;
            } else {
                counted.push(key.clone());
            }
            self.put(key, total);
        }
    }

    /// Adds the bill of other calls.
    pub fn append(&mut self, other: Self) {
        other.0.into_iter().for_each(|(key, total)| self.put(key, total));
    }

    fn put(&mut self, key: Key, total: BillTotal) {
        match self.0.entry(key) {
            Entry::Vacant(slot) => _ = slot.insert(total),
            Entry::Occupied(mut slot) => slot.get_mut().add(&total),
        }
    }

    /// By price, model and region; what is not priced comes first.
    #[must_use]
    pub fn into_totals(self) -> Vec<BillTotal> {
        self.0.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::{Basis, Meter, UnitPrice};

    fn line(model: Option<&str>, seconds: Option<i64>, price: Option<&str>) -> Line {
        Line {
            file: "a.json".to_owned(),
            channel_id: Some(0),
            basis: Basis::Result,
            model: model.map(str::to_owned),
            region: model.map(|_| Region::Intl),
            meter: Meter::Speech,
            speech_ms: seconds.map(|seconds| seconds * 1000 - 400),
            quantity: seconds,
            unit: price.map(|price| UnitPrice {
                amount: price.parse().unwrap(),
                currency: Currency::Usd,
                checked: "2026-10-01".parse().unwrap(),
            }),
        }
    }

    #[test]
    fn tracks_billed_alike_are_one_line_and_nothing_unpriced_is_free() {
        let (price, fun) = (Some("0.000035"), Some("fun-asr"));
        let (mut one, mut two) = (Bill::default(), Bill::default());
        one.add(&[line(fun, Some(10), price), line(fun, Some(20), price)]);
        two.add(&[line(fun, Some(5), price), line(fun, Some(7), None)]);
        two.add(&[line(None, None, None)]);
        one.append(two);
        let lines = one.into_totals();
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
