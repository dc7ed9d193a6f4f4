//! The columns of the table `rollup`: what follows for a group of calls from columns of `calls` and `calls_by_role`.

use super::{CALLS, Column, Kind, RoleColumn, Unit, Use};

/// What a roll-up makes of the values of a column in the calls of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Aggregate {
    /// Their mean.
    PerCall,
    /// Their median.
    Median,
    /// Their 90th percentile.
    Percentile90,
    /// Their number.
    Measured,
    /// Their sum.
    Sum,
}

impl Aggregate {
    /// All of them. A sum is last: its columns are named as those that it is made of.
    pub const ALL: [Self; 5] = [Self::PerCall, Self::Median, Self::Percentile90, Self::Measured, Self::Sum];

    /// What stands behind the name of the column: `_per_call`, `_p50`, `_p90`, `_n`, or nothing.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::PerCall => "_per_call",
            Self::Median => "_p50",
            Self::Percentile90 => "_p90",
            Self::Measured => "_n",
            Self::Sum => "",
        }
    }

    /// What stands behind its label.
    fn label(self) -> &'static str {
        match self {
            Self::PerCall => " per call",
            Self::Median => ", median",
            Self::Percentile90 => ", 90th percentile",
            Self::Measured => ", calls",
            Self::Sum => "",
        }
    }

    fn meaning(self, base: &str) -> String {
        let what = match self {
            Self::PerCall => "mean of",
            Self::Median => "median of",
            Self::Percentile90 => "90th percentile of",
            Self::Sum => "sum of",
            Self::Measured => return format!("calls in which {base} could be measured"),
        };
        format!("{what} {base} over the calls in which it could be measured")
    }

    fn null_rule(self) -> &'static str {
        if self == Self::Measured { "" } else { "measured in no call of the group" }
    }

    /// What a roll-up makes of columns of `calls`, in the order of its columns.
    pub fn of_calls() -> impl Iterator<Item = (&'static Column, Self)> {
        let with = |wanted, made: &'static [Self]| {
            let columns = CALLS.columns_for(wanted).into_iter();
            columns.flat_map(move |column| made.iter().map(move |made| (column, *made)))
        };
        with(Use::Summed, &[Self::Sum])
            .chain(with(Use::PerCall, &[Self::PerCall]))
            .chain(with(Use::Spread, &[Self::Median, Self::Percentile90, Self::Measured]))
    }

    /// What a roll-up makes of the columns of one role in `calls_by_role`, in the order of its columns: medians, then sums of
    /// what is counted. Columns are those of `participants`.
    pub fn of_role() -> impl Iterator<Item = (&'static Column, Self)> {
        let figures = RoleColumn::figures();
        let counts: Vec<_> = figures.iter().copied().filter(|column| column.is_count()).collect();
        let medians = figures.into_iter().map(|column| (column, Self::Median));
        medians.chain(counts.into_iter().map(|column| (column, Self::Sum)))
    }
}

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
    /// The type of its values.
    pub kind: Kind,
    /// The formula in words.
    pub meaning: String,
    /// When it is null; empty where it never is.
    pub null_rule: &'static str,
}

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
        let made = |columns: Vec<&'static Column>, made| columns.into_iter().map(move |column| (column, made));
        let sums = made(sums, Aggregate::Sum);
        let shown = sums.chain(made(means, Aggregate::PerCall)).chain(made(medians, Aggregate::Median));
        std::iter::once(Self::calls()).chain(shown.map(|(column, made)| Self::of_column(column, made))).collect()
    }

    /// The columns of the table behind those that it groups by, in order. Those of roles and rules stand there once, behind
    /// `role` and `rule`.
    #[must_use]
    pub fn of_table(role: &str, rule: &str) -> Vec<Self> {
        let of_calls = Aggregate::of_calls().map(|(column, made)| Self::of_column(column, made));
        let of_role = Aggregate::of_role().map(|(figure, made)| {
            let column = RoleColumn { role: role.to_owned(), figure };
            Self::of_role(&column, made)
        });
        std::iter::once(Self::calls()).chain(of_calls).chain(of_role).chain([Self::of_rule(rule)]).collect()
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
        if name == "call_count" {
            return Some(Self::calls());
        }
        for made in Aggregate::ALL {
            let Some(base) = name.strip_suffix(made.suffix()) else { continue };
            if let Some(column) = CALLS.column(base) {
                return Some(Self::of_column(column, made));
            }
            if let Some(column) = RoleColumn::from_name(base) {
                return Some(Self::of_role(&column, made));
            }
        }
        name.strip_suffix("_calls").map(Self::of_rule)
    }

    fn calls() -> Self {
        Self {
            name: "call_count".to_owned(),
            label: "Calls".to_owned(),
            unit: Unit::Calls,
            kind: Kind::Integer,
            meaning: "calls in the group".to_owned(),
            null_rule: "",
        }
    }

    fn of_column(column: &Column, made: Aggregate) -> Self {
        let label = format!("{}{}", column.label(), made.label());
        Self::made(column.name, label, column, made)
    }

    fn of_role(column: &RoleColumn, made: Aggregate) -> Self {
        let label = format!("{}: {}{}", column.role, column.figure.label(), made.label());
        Self::made(&column.name(), label, column.figure, made)
    }

    fn made(base: &str, label: String, column: &Column, made: Aggregate) -> Self {
        // The median of two events is a fraction, that of lengths is rounded to whole ms.
        let is_whole = made == Aggregate::Sum || (made != Aggregate::PerCall && column.unit.is_ms());
        let (unit, kind) = match made {
            Aggregate::Measured => (Unit::Calls, Kind::Integer),
            _ if is_whole => (column.unit, column.kind),
            _ => (column.unit, Kind::Number),
        };
        Self {
            name: format!("{base}{}", made.suffix()),
            label,
            unit,
            kind,
            meaning: made.meaning(base),
            null_rule: made.null_rule(),
        }
    }

    fn of_rule(rule: &str) -> Self {
        Self {
            name: format!("{rule}_calls"),
            label: rule.to_owned(),
            unit: Unit::Calls,
            kind: Kind::Integer,
            meaning: format!("calls that the rule {rule} matched"),
            null_rule: "not known in any call of the group",
        }
    }
}
