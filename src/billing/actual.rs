//! What a result file says that its transcription cost: a line a transcribed track.

use super::line::{Basis, Line, Meter};
use super::prices::Prices;
use crate::catalog::Region;
use crate::metrics::{Cost, Measured, Priced};

impl Prices {
    /// Fills the price columns of the table `costs` (definitions: price): billed seconds × the price of a second. Null
    /// where model, region or price are not known, or where the model is billed by tokens, which a result file does not
    /// count.
    pub fn apply(&self, measured: &mut Measured<'_>) {
        let file = measured.file.clone();
        for cost in &mut measured.costs {
            let line = line(&file, cost).priced(self);
            cost.priced = line.unit.zip(line.cost()).map(|(unit, cost)| Priced {
                unit_price: unit.amount,
                currency: unit.currency,
                cost,
                price_date: unit.checked,
            });
        }
    }
}

fn line(file: &str, cost: &Cost) -> Line {
    Line {
        file: file.to_owned(),
        channel_id: Some(cost.channel_id),
        basis: Basis::Result,
        model: cost.model.clone(),
        region: cost.region.as_deref().and_then(|region| region.parse::<Region>().ok()),
        meter: Meter::Speech,
        quantity: cost.billed_seconds,
        unit: None,
    }
}

/// The lines of one measured call, a track each; no line where nothing was recognised, as silence is not billed.
#[must_use]
pub fn of_result(measured: &Measured<'_>, prices: &Prices) -> Vec<Line> {
    measured.costs.iter().map(|cost| line(&measured.file, cost).priced(prices)).collect()
}
