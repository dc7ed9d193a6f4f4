//! `--max-cost` before the first submit: what is expected of a batch, the most that each recording can cost, and which of them
//! could exceed the limit alone.

use std::collections::HashSet;
use std::sync::Arc;

use super::cost::free_seconds;
use super::output::{Console, Failure, chain};
use super::prices::PriceFlags;
use crate::batch::{self, TrackSelection};
use crate::billing::{Budget, Money, Plan, Recording, Usage, estimate, sum};
use crate::catalog::Region;
use crate::report::number::{count, counted, money};

/// How many recordings that could exceed the limit alone are named.
const NAMED: usize = 10;

/// The cost limit of a batch.
pub(super) struct Limit<'a> {
    pub(super) most: Money,
    /// Seconds of the free allowance that are used.
    pub(super) used: Option<u32>,
    pub(super) prices: &'a PriceFlags,
    /// Bytes that go with the audio of each recording.
    pub(super) prompt_bytes: usize,
}

/// What a limit lets through.
pub(super) struct Admitted {
    pub(super) budget: Budget,
    /// The keys of recordings that could exceed the limit alone (already reported). They are not sent.
    pub(super) left_out: HashSet<Arc<str>>,
}

impl Limit<'_> {
    /// The budget of a batch of `recordings`. `None` if more than the limit is expected, it cannot be enforced, or each recording
    /// could exceed it (already reported).
    ///
    /// # Errors
    /// The prices cannot be read.
    pub(super) fn budget(
        &self,
        (model, region): (&str, Region),
        recordings: &[batch::Recording],
        selected: &[TrackSelection],
        console: &Console,
    ) -> Result<Option<Admitted>, Failure> {
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
            console.note(&format!("{} s of the free allowance of {model} in {region} are left", count(free)));
        }
        budget = budget.free_seconds(free);
        let (mut lines, mut unknown, mut dear) = (Vec::new(), 0, Vec::new());
        for (recording, selected) in recordings.iter().zip(selected) {
            let plan = Plan::new(model, region, selected.tracks.clone()).prompt_tokens(self.prompt_bytes);
            let duration_ms = recording.duration_ms.and_then(|duration| i64::try_from(duration).ok());
            let known = Recording { duration_ms, channels: selected.distinct_tracks, ..Recording::default() };
            let own = estimate(&known, &plan, &prices);
            match Usage::most(&own) {
                Some(most) => budget.set_upper_bound(&recording.key, most),
                None => unknown += 1,
            }
            if let Some(cost) = budget.upper_bound(&recording.key).map(|most| budget.cost(&most))
                && cost > limit.amount
            {
                dear.push((recording, cost));
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
        for (recording, cost) in dear.iter().take(NAMED) {
            let (name, cost) = (recording.source.printable(), money(Some((*cost, limit.currency))));
            console.error(&format!("{name}: may cost up to {cost} alone, more than {limit}: not sent"));
        }
        if dear.len() > NAMED {
            let more = counted((dear.len() - NAMED) as u64, "more recording");
            console.say(&format!("and {more} that may each cost more than {limit}: not sent"));
        }
        if !dear.is_empty() && dear.len() == recordings.len() {
            return Ok(None);
        }
        let left_out = dear.into_iter().map(|(recording, _)| Arc::clone(&recording.key)).collect();
        Ok(Some(Admitted { budget, left_out }))
    }
}
