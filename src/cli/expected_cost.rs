//! What a batch is expected to cost, said before its first submit.

use super::cost::free_seconds;
use super::output::{Console, Failure};
use super::prices::PriceFlags;
use crate::batch::Batch;
use crate::billing::{Estimate, Plan, Recording, estimate, sum};
use crate::catalog::Region;
use crate::report::number::{cents, counted};

/// Prints the expected cost of what is still to be submitted. `used`: seconds of the free allowance that are used.
pub(super) fn announce(
    batch: &Batch,
    (model, region): (&str, Region),
    prices: &PriceFlags,
    used: Option<u32>,
    console: &Console,
) -> Result<(), Failure> {
    let prices = prices.prices(None, console)?;
    let mut lines: Vec<Estimate> = Vec::new();
    let (mut files, mut unknown) = (0, 0);
    for (recording, tracks) in batch.waiting_recordings() {
        let duration_ms = recording.and_then(|recording| i64::try_from(recording.duration_ms?).ok());
        files += 1;
        unknown += u64::from(duration_ms.is_none());
        let plan = Plan::new(model, region, tracks);
        lines.extend(estimate(&Recording { duration_ms, ..Recording::default() }, &plan, &prices));
    }
    if files == 0 {
        return Ok(());
    }
    let free = free_seconds(&prices, model, region, used).unwrap_or(0);
    let sum = sum(&lines, free);
    let Some((net, currency)) = sum.net().zip(sum.currency) else {
        let why = if lines.is_empty() || lines.iter().any(|line| line.quantity.is_some()) {
            format!("no price of {model} in {region}")
        } else {
            "no length is known".to_owned()
        };
        console.note(&format!("expected cost: not known, {why}"));
        return Ok(());
    };
    let [expected, most] = [net.expected, net.most].map(cents);
    let mut line = format!("expected cost: {expected} {currency}, at most {most} {currency}");
    if unknown > 0 {
        line += &format!("; {} of unknown length not counted", counted(unknown, "file"));
    }
    console.note(&line);
    Ok(())
}
