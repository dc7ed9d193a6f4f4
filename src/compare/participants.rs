//! Which participant of one side is which of the other (definitions: comparison).

use serde::Serialize;

use super::diarisation::SharedTalk;
use super::figures::{ComparedRow, Side};
use super::grouped;
use crate::metrics::Measured;

/// A participant of both sides, or of one.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ComparedParticipant {
    /// Its label on the side of the reference; null if it is not there.
    pub a: Option<String>,
    /// Its label on the other side.
    pub b: Option<String>,
    /// The columns of `participants`.
    pub figures: ComparedRow,
}

/// The participants of both sides, paired; those without a partner as well.
pub(super) fn compared(a: &Measured<'_>, b: &Measured<'_>, talk: &SharedTalk) -> Vec<ComparedParticipant> {
    let mut of_a: Vec<Option<usize>> = vec![None; a.participants.len()];
    for (one, two) in pairs(a, b, talk) {
        if let Some(slot) = of_a.get_mut(one) {
            *slot = Some(two);
        }
    }
    let alone = (0..b.participants.len()).filter(|two| !of_a.contains(&Some(*two)));
    let rows = of_a.iter().enumerate().map(|(one, two)| (Some(one), *two)).chain(alone.map(|two| (None, Some(two))));
    let (side_a, side_b) = (Side::participants(a), Side::participants(b));
    let label = |side: &Measured<'_>, at: Option<usize>| at.map(|at| side.label(at).to_owned());
    let row = |(one, two)| ComparedParticipant {
        a: label(a, one),
        b: label(b, two),
        figures: side_a.beside(&side_b, one, two),
    };
    rows.map(row).collect()
}

/// Within each channel where both sides have the same ones, else among all: the pairs that share the most talk, and of
/// equals those in the order of the labels.
fn pairs(a: &Measured<'_>, b: &Measured<'_>, talk: &SharedTalk) -> Vec<(usize, usize)> {
    let channels = |side: &Measured<'_>| grouped(side.participants.iter().map(|participant| participant.channel_id));
    let (mut of_a, mut of_b) = (channels(a), channels(b));
    if of_a.len() < 2 || !of_a.keys().eq(of_b.keys()) {
        of_a = [(None, (0..a.participants.len()).collect())].into();
        of_b = [(None, (0..b.participants.len()).collect())].into();
    }
    let mut pairs = Vec::new();
    for (rows, columns) in of_a.values().zip(of_b.values()) {
        let (height, width) = (rows.len(), columns.len());
        let order = |at: usize, to: usize| ((height - at) * (width - to)) as i128;
        // With more than can be assigned, the labels decide.
        let found = talk.pair(rows, columns, order);
        pairs.extend(found.unwrap_or_else(|| rows.iter().copied().zip(columns.iter().copied()).collect()));
    }
    pairs
}
