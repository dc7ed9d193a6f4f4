//! The cost of a transcription, recomputed from its result file.

use super::line::{Basis, Line, Meter};
use super::prices::Prices;
use crate::metrics::{Cost, Measured, Priced};

impl Prices {
    /// Fills the price columns of the table `costs` (definitions: price): billed seconds × the price of a second. Null
    /// where model, region or price are not known, or where the model is billed by tokens, which a result file does not
    /// count. Returns the lines they are filled from.
    pub fn apply(&self, measured: &mut Measured<'_>) -> Vec<Line> {
        let lines = result_lines(measured, self);
        for (cost, line) in measured.costs.iter_mut().zip(&lines) {
            cost.priced = line.unit.zip(line.cost()).map(|(unit, cost)| Priced {
                unit_price: unit.amount,
                currency: unit.currency,
                cost,
                price_date: unit.checked,
            });
        }
        lines
    }
}

fn line(file: &str, cost: &Cost) -> Line {
    Line {
        file: file.to_owned(),
        channel_id: Some(cost.channel_id),
        basis: Basis::Result,
        model: cost.model.clone(),
        region: cost.region,
        meter: Meter::Speech,
        speech_ms: cost.billable_ms,
        quantity: cost.billed_seconds,
        unit: None,
    }
}

/// The lines of one measured call, one per transcribed track; none if nothing was recognised, because silence is not billed.
#[must_use]
pub fn result_lines(measured: &Measured<'_>, prices: &Prices) -> Vec<Line> {
    measured.costs.iter().map(|cost| line(&measured.file, cost).priced(prices)).collect()
}
