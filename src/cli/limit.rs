//! `--max-cost` before the first submit: what is expected of a batch, and the most that each recording can cost.

use super::cost::free_seconds;
use super::output::{Console, Failure, chain};
use super::prices::PriceFlags;
use crate::batch::{self, TrackSelection};
use crate::billing::{Budget, Money, Plan, Recording, estimate, sum};
use crate::catalog::Region;
use crate::report::number::{counted, money};

/// The cost limit of a batch.
pub(super) struct Limit<'a> {
    pub(super) most: Money,
    /// Seconds of the free allowance that are used.
    pub(super) used: Option<u32>,
    pub(super) prices: &'a PriceFlags,
}

impl Limit<'_> {
    /// The budget of a batch of `recordings`. `None` if more than the limit is expected, or unknown (already reported).
    ///
    /// # Errors
    /// The prices cannot be read.
    pub(super) fn budget(
        &self,
        (model, region): (&str, Region),
        recordings: &[batch::Recording],
        selected: &[TrackSelection],
        console: &Console,
    ) -> Result<Option<Budget>, Failure> {
        let limit = self.most;
        let prices = self.prices.prices(Some(limit.currency), console)?;
        let mut budget = match Budget::new(limit, model, region, &prices) {
            Ok(budget) => budget,
            Err(error) => {
                console.error(&chain(&error));
                return Ok(None);
            }
        };
        let free = free_seconds(&prices, model, region, self.used).unwrap_or(0);
        if self.used.is_some() {
            console.note(&format!("{free} s of the free allowance of {model} in {region} are left"));
        }
        budget = budget.free_seconds(free);
        let (mut lines, mut unknown) = (Vec::new(), 0);
        for (recording, selected) in recordings.iter().zip(selected) {
            let plan = Plan { model: model.to_owned(), region, tracks: selected.tracks.clone(), speech_share: None };
            let duration_ms = recording.duration_ms.and_then(|duration| i64::try_from(duration).ok());
            let known = Recording { duration_ms, channels: selected.distinct_tracks, ..Recording::default() };
            let own = estimate(&known, &plan, &prices);
            let most: Option<i64> = own.iter().map(|line| line.quantity.map(|quantity| quantity.high)).sum();
            match most {
                Some(most) => budget.set_upper_bound(&recording.key, most),
                None => unknown += 1,
            }
            lines.extend(own);
        }
        let sum = sum(&lines, free);
        if let Some(net) = sum.net().filter(|net| net.expected > limit.amount) {
            let expected = money(Some((net.expected, limit.currency)));
            console.error(&format!("the expected cost of {expected} exceeds {limit}: nothing was sent"));
            return Ok(None);
        }
        if unknown > 0 {
            console.note(&format!(
                "{} of unknown length: one is sent first; the highest cost so far is assumed for the rest, to stay below {limit}",
                counted(unknown, "recording")
            ));
        }
        Ok(Some(budget))
    }
}
