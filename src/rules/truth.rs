//! Kleene's three values: `None` is unknown.

/// Both hold.
pub(crate) fn and(one: Option<bool>, two: Option<bool>) -> Option<bool> {
    match (one, two) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// At least one holds.
pub(crate) fn or(one: Option<bool>, two: Option<bool>) -> Option<bool> {
    not(and(not(one), not(two)))
}

/// The opposite; of unknown, unknown.
pub(crate) fn not(truth: Option<bool>) -> Option<bool> {
    truth.map(|truth| !truth)
}
