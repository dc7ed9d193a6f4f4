//! The cost of a transcription, recomputed from its result file.

use super::line::{Basis, Line, Meter};
use super::prices::Prices;
use crate::metrics::Measured;

/// The lines of one measured call, one per transcribed track; none if nothing was recognised, because silence is not billed.
///
/// A line has no price where model, region or price are not known, or where the model is billed by tokens, which a result file
/// does not count (definitions: price).
#[must_use]
pub fn result_lines(measured: &Measured<'_>, prices: &Prices) -> Vec<Line> {
    let line = |track: &crate::metrics::BillableTrack| {
        let line = Line {
            file: measured.file.clone(),
            channel_id: Some(track.channel_id),
            basis: Basis::Result,
            model: measured.call.model.clone(),
            region: measured.region,
            meter: Meter::Speech,
            speech_ms: track.billable_ms,
            quantity: track.billed_seconds,
            unit: None,
        };
        line.priced(prices)
    };
    measured.billable.iter().map(line).collect()
}
