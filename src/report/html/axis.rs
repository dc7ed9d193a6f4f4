//! The axis of a strip: round numbers around its values.

use super::super::number::figure;
use crate::metrics::catalogue::Unit;

/// Round steps of a length in ms, and their multiples by 60.
const STEPS_MS: [f64; 12] = [100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 1e4, 1.5e4, 3e4, 6e4, 1.2e5, 3e5];

/// Fewest and most labels.
const LEAST: f64 = 4.0;
const MOST_LABELS: usize = 4;

/// From the first tick to the last: every value lies between them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    low: f64,
    step: f64,
    steps: usize,
    unit: Unit,
}

impl Axis {
    /// The axis for values from `low` to `high`.
    pub(super) fn new(low: f64, high: f64, unit: Unit) -> Self {
        let candidates = steps(unit);
        let range = |step: f64| ((low / step).floor() * step, (high / step).ceil() * step);
        let ticks = |step: f64| {
            let (from, to) = range(step);
            ((to - from) / step).round() + 1.0
        };
        if high > low
            && let Some(step) = candidates.iter().copied().find(|step| ticks(*step) >= LEAST)
        {
            return Self { low: range(step).0, step, steps: ticks(step) as usize - 1, unit };
        }
        // One value: it lies in the middle, or at 0.
        let step = candidates.iter().copied().find(|step| *step <= high.abs() / 2.0);
        let step = step.or(candidates.last().copied()).unwrap_or(1.0);
        let before = low - step;
        Self { low: if low < 0.0 { before } else { before.max(0.0) }, step, steps: 2, unit }
    }

    /// Where a value lies: 0 at the first tick, 1 at the last.
    pub(super) fn share(&self, value: f64) -> f64 {
        ((value - self.low) / (self.step * self.steps as f64)).clamp(0.0, 1.0)
    }

    /// The labels, each with its share of the length; at least three.
    pub(super) fn labels(&self) -> impl Iterator<Item = (f64, String)> {
        let every = (self.steps + 1).div_ceil(MOST_LABELS);
        (0..=self.steps).step_by(every).map(move |at| {
            let value = self.low + at as f64 * self.step;
            (at as f64 / self.steps as f64, figure(Some(value), self.unit))
        })
    }
}

/// Round steps, the largest first.
fn steps(unit: Unit) -> Vec<f64> {
    let mut steps: Vec<f64> = if unit.is_ms() {
        let hours = STEPS_MS.iter().filter(|step| **step >= 1e4).map(|step| step * 60.0);
        STEPS_MS.into_iter().chain(hours).collect()
    } else {
        let least = if unit == Unit::Share { -2 } else { -1 };
        (least..9).flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10_f64.powi(power))).collect()
    };
    steps.sort_by(|one, two| two.total_cmp(one));
    steps
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(low: f64, high: f64, unit: Unit) -> Vec<String> {
        Axis::new(low, high, unit).labels().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(labels(0.31, 0.69, Unit::Share), ["20 %", "40 %", "60 %", "80 %"]);
        assert_eq!(labels(0.0, 33_000.0, Unit::Ms), ["0.0 s", "15.0 s", "30.0 s", "45.0 s"]);
        assert_eq!(labels(-900.0, 5000.0, Unit::OffsetMs), ["-2.00 s", "+2.00 s", "+6.00 s"]);
        assert_eq!(labels(0.5, 0.5, Unit::Share), ["30 %", "50 %", "70 %"]);
        assert_eq!(labels(0.0, 0.0, Unit::Ms).len(), 3);
    }

    proptest! {
        #[test]
        fn every_value_lies_on_the_axis_between_three_labels_at_least(
            one in -1e6..1e7_f64, two in -1e6..1e7_f64, share in any::<bool>(), ms in any::<bool>(),
        ) {
            let (unit, scale) = match (share, ms) {
                (true, _) => (Unit::Share, 1e-7),
                (false, true) => (Unit::Ms, 1.0),
                _ => (Unit::UnitsPerMinute, 1e-4),
            };
            let (low, high) = (one.min(two) * scale, one.max(two) * scale);
            let axis = Axis::new(low, high, unit);
            prop_assert!(axis.labels().count() >= 3);
            prop_assert!(axis.labels().count() <= 4, "{:?}", axis);
            prop_assert!(axis.share(low) >= 0.0 && axis.share(high) <= 1.0);
        }
    }
}
