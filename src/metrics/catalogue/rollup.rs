//! What is shown of a group of calls: figures that follow from columns of `calls`.

use super::{CALLS, Unit, Use};

/// A column of the table `rollup` as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupFigure {
    /// The column of the roll-up: `speech_ms`, `silence_ratio_p50`.
    pub name: String,
    /// Its heading, made from the column's own.
    pub label: String,
    /// As the column's own.
    pub unit: Unit,
}

impl GroupFigure {
    /// The figures shown for each group: the number of calls, sums, medians. The table `rollup` has more.
    ///
    /// ```
    /// use talkmeter::metrics::catalogue::GroupFigure;
    /// let figures = GroupFigure::all();
    /// let silence = figures.iter().find(|figure| figure.name == "silence_ratio_p50").unwrap();
    /// assert_eq!(silence.label, "Silence, median");
    /// ```
    #[must_use]
    pub fn all() -> Vec<Self> {
        let columns = CALLS.columns_for(Use::Group);
        let (sums, medians): (Vec<_>, Vec<_>) = columns.into_iter().partition(|column| column.is_for(Use::Summed));
        let calls = Self { name: "call_count".to_owned(), label: "Calls".to_owned(), unit: Unit::Calls };
        let sum = |column: &super::Column| Self {
            name: column.name.to_owned(),
            label: column.label().into_owned(),
            unit: column.unit,
        };
        let median = |column: &super::Column| Self {
            name: format!("{}_p50", column.name),
            label: format!("{}, median", column.label()),
            unit: column.unit,
        };
        std::iter::once(calls).chain(sums.into_iter().map(sum)).chain(medians.into_iter().map(median)).collect()
    }
}
