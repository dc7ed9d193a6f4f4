//! The columns of the table `rollup`: what follows for a group of calls from columns of `calls` and `calls_by_role`.

use super::{CALLS, RoleColumn, Unit, Use};

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
    /// The formula in words.
    pub meaning: String,
    /// When it is null; empty where it never is.
    pub null_rule: &'static str,
}

/// What the roll-up makes of a column: what stands behind its name, behind its label, and in front of its meaning.
const MADE: [(&str, &str, &str); 4] = [
    ("_per_call", " per call", "mean of"),
    ("_p50", ", median", "median of"),
    ("_p90", ", 90th percentile", "90th percentile of"),
    ("", "", "sum of"),
];

/// When a figure of a group is null.
const UNMEASURED: &str = "measured in no call of the group";

impl GroupFigure {
    /// The figures shown for each group: the number of calls, sums, means, medians. The table `rollup` has more.
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
        let (means, others): (Vec<_>, Vec<_>) = columns.into_iter().partition(|column| column.is_for(Use::PerCall));
        let (sums, medians): (Vec<_>, Vec<_>) = others.into_iter().partition(|column| column.is_for(Use::Summed));
        let names = sums.into_iter().map(|column| column.name.to_owned());
        let names = names.chain(means.into_iter().map(|column| format!("{}_per_call", column.name)));
        let names = names.chain(medians.into_iter().map(|column| format!("{}_p50", column.name)));
        std::iter::once("call_count".to_owned()).chain(names).filter_map(|name| Self::from_name(&name)).collect()
    }

    /// The column of this name; `None` for a group column.
    ///
    /// ```
    /// use talkmeter::metrics::catalogue::GroupFigure;
    /// let label = |name| GroupFigure::from_name(name).map(|figure| figure.label);
    /// assert_eq!(label("dead_air_ms_per_call").as_deref(), Some("Dead air, time per call"));
    /// assert_eq!(label("agent_talk_share_p50").as_deref(), Some("agent: Share of talk, median"));
    /// assert_eq!(label("team"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let of = |label: String, unit, meaning: String, null_rule| {
            Some(Self { name: name.to_owned(), label, unit, meaning, null_rule })
        };
        if name == "call_count" {
            return of("Calls".to_owned(), Unit::Calls, "calls in the group".to_owned(), "");
        }
        for (suffix, made, how) in MADE {
            let Some(base) = name.strip_suffix(suffix) else { continue };
            let meaning = format!("{how} {base} over the calls in which it could be measured");
            if let Some(column) = CALLS.column(base) {
                return of(format!("{}{made}", column.label()), column.unit, meaning, UNMEASURED);
            }
            if let Some(column) = RoleColumn::from_name(base) {
                let label = format!("{}: {}{made}", column.role, column.figure.label());
                return of(label, column.figure.unit, meaning, UNMEASURED);
            }
        }
        if let Some(column) = name.strip_suffix("_n").and_then(|base| CALLS.column(base)) {
            let meaning = format!("calls in which {} could be measured", column.name);
            return of(format!("{}, calls", column.label()), Unit::Calls, meaning, "");
        }
        name.strip_suffix("_calls")
            .and_then(|rule| of(rule.to_owned(), Unit::Calls, format!("calls that the rule {rule} matched"), ""))
    }
}
