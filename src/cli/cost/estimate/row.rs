//! A row of the verdict: the sum of some groups of one model, and what it is counted from.

use rust_decimal::Decimal;

use super::group::Group;
use crate::billing::{Bounds, Estimate, Meter, Sum, sum};
use crate::report::number::{NOT_PRICED, cents, length};

/// Shown for what depends on lengths of which none is known.
const UNKNOWN: &str = "unknown";

/// The sum of some groups of one model.
pub(super) struct Row<'g> {
    pub(super) model: &'g str,
    /// The cells of its group; `None` = all groups.
    pub(super) group: Option<&'g Group>,
    pub(super) recordings: u64,
    pub(super) without_price: u64,
    pub(super) without_duration: u64,
    /// Of the recordings whose length is known.
    pub(super) duration_ms: i64,
    pub(super) charges: u64,
    /// Whether anything has a price.
    pub(super) has_price: bool,
    pub(super) sum: Sum,
    /// Recordings that have a cost, and their length.
    pub(super) priced: u64,
    pub(super) priced_ms: i64,
    /// Recordings of unknown length, and what they would add at the mean length of the others.
    pub(super) unknown: (u64, Option<Decimal>),
    /// Addresses whose first track alone is assumed, with it and with two.
    pub(super) addresses: (u64, [Option<Bounds<Decimal>>; 2]),
}

impl<'g> Row<'g> {
    pub(super) fn new(model: &'g str, group: Option<&'g Group>, groups: &[&'g Group], free: i64) -> Self {
        let recordings = || groups.iter().flat_map(|group| &group.recordings);
        let duration = |lines: &Vec<Estimate>| lines.first().and_then(|line| line.duration_ms).unwrap_or(0);
        let total = |durations: &mut dyn Iterator<Item = i64>| durations.fold(0, i64::saturating_add);
        let is_unknown = |lines: &&Vec<Estimate>| lines.iter().any(|line| line.quantity.is_none());
        let is_unpriced = |lines: &&Vec<Estimate>| lines.iter().any(|line| line.unit.is_none());
        let priced = || recordings().filter(|lines| !is_unknown(lines) && !is_unpriced(lines));
        let unknown: Vec<&Estimate> = groups.iter().flat_map(|group| group.unknown.iter().flatten()).collect();
        let addresses = || groups.iter().flat_map(|group| &group.addresses);
        let with = |tracks: usize| sum(addresses().filter_map(|both| both.get(tracks)).flatten(), 0).cost;
        Self {
            model,
            group,
            recordings: recordings().count() as u64,
            without_price: recordings().filter(|lines| !is_unknown(lines) && is_unpriced(lines)).count() as u64,
            without_duration: recordings().filter(is_unknown).count() as u64,
            duration_ms: total(&mut recordings().map(duration)),
            charges: recordings().flatten().filter(|line| line.meter != Meter::TokensOut).count() as u64,
            has_price: recordings().flatten().any(|line| line.unit.is_some()),
            sum: sum(groups.iter().flat_map(|group| group.lines()), free),
            priced: priced().count() as u64,
            priced_ms: total(&mut priced().map(duration)),
            unknown: (
                groups.iter().map(|group| group.unknown.len() as u64).sum(),
                sum(unknown, 0).cost.map(|cost| cost.expected),
            ),
            addresses: (addresses().count() as u64, [with(0), with(1)]),
        }
    }

    /// What is expected, divided by a number of units of which `times` are one of those asked for.
    fn expected_per(&self, units: i64, times: i64) -> Option<Decimal> {
        let expected = self.sum.net()?.expected.checked_mul(Decimal::from(times))?;
        expected.checked_div(Decimal::from(units)).map(|amount| amount.round_dp(6))
    }

    pub(super) fn per_hour(&self) -> Option<Decimal> {
        self.expected_per(self.priced_ms, 3_600_000)
    }

    pub(super) fn per_call(&self) -> Option<Decimal> {
        self.expected_per(i64::try_from(self.priced).ok()?, 1)
    }

    /// An amount for people, in the currency of the row.
    pub(super) fn money(&self, amount: Option<Decimal>) -> String {
        match amount.zip(self.sum.currency) {
            Some((amount, currency)) => format!("{} {currency}", cents(amount)),
            None if self.has_price && !self.has_length() => UNKNOWN.to_owned(),
            None => NOT_PRICED.to_owned(),
        }
    }

    /// Whether the length of a recording is known.
    pub(super) fn has_length(&self) -> bool {
        self.without_duration < self.recordings
    }

    /// The length of all recordings whose length is known, for people.
    pub(super) fn length(&self) -> String {
        if self.has_length() { length(self.duration_ms) } else { UNKNOWN.to_owned() }
    }

    /// Low, expected, high and the most, after the free allowance.
    pub(super) fn amounts(&self) -> [Option<Decimal>; 4] {
        let net = self.sum.net();
        [net.map(|net| net.low), net.map(|net| net.expected), net.map(|net| net.high), net.map(|net| net.most)]
    }

    /// The cells of its group as one text.
    pub(super) fn cells(&self) -> String {
        let columns = self.group.map(|group| &group.columns[..]).unwrap_or_default();
        columns.iter().map(|(_, cell)| &**cell).collect::<Vec<_>>().join(" / ")
    }
}
