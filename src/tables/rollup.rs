//! Calls grouped by the user's own columns: counts, sums, means, medians and 90th percentiles per group.

use std::collections::HashSet;
use std::str::FromStr;

use polars::prelude::*;

use super::analysis::Analysis;
use super::by_role::CallsByRole;
use super::distinct;
use super::group::{GroupKey, UnreadableTimes};
use super::join::Joined;
use crate::error::{Error, Result};
use crate::metrics::catalogue::{self, Aggregate, CALLS, Kind, RoleColumn, Use};

/// A roll-up, and how many rows could not be joined.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Rollup {
    /// The group columns as text, `call_count`, the sums, the means (`_per_call`), three columns for each with
    /// [`Use::Spread`], those of each role, and `<rule>_calls` for each rule. Groups in byte order, nulls last.
    pub frame: DataFrame,
    /// Names of the group columns in `frame`.
    pub by: Vec<String>,
    /// What it groups by, in the same order.
    pub keys: Vec<GroupKey>,
    /// For each group column, the group of each call, in the order of the calls.
    pub labels: Vec<StringChunked>,
    /// Calls without a row in the metadata, which are in the group of nulls.
    pub calls_without_row: usize,
    /// Rows of the metadata without a call.
    pub rows_without_call: usize,
    /// Columns with cells that are no times, whose calls are in a group of null.
    pub unreadable_times: Vec<UnreadableTimes>,
}

/// How to order groups and calls: by a column, the largest first unless said otherwise, nulls last.
///
/// ```
/// use talkmeter::tables::Order;
/// assert_eq!("dead_air_ms".parse::<Order>()?, Order { column: "dead_air_ms".into(), ascending: false });
/// assert!("dead_air_ms:asc".parse::<Order>()?.ascending);
/// # Ok::<(), talkmeter::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// A column of the table `rollup`, or of `calls`.
    pub column: String,
    /// Whether the smallest comes first.
    pub ascending: bool,
}

impl FromStr for Order {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (column, ascending) = match text.rsplit_once(':') {
            Some((column, "asc")) => (column, true),
            Some((column, "desc")) => (column, false),
            _ => (text, false),
        };
        if column.is_empty() {
            return Err(Error::invalid(format!("`{text}` names no column")));
        }
        Ok(Self { column: column.to_owned(), ascending })
    }
}

impl Order {
    /// The column of `calls` behind it, if calls can be ranked by one: of `dead_air_ms_per_call` it is `dead_air_ms`.
    #[must_use]
    pub fn column_of_calls(&self) -> Option<&'static str> {
        let mut names = Aggregate::ALL.into_iter().rev().filter_map(|made| self.column.strip_suffix(made.suffix()));
        let ranked = |name: &str| CALLS.column(name).filter(|column| column.is_for(Use::Ranked));
        names.find_map(ranked).map(|column| column.name)
    }
}

impl Rollup {
    /// Groups the calls of an analysis by columns of the metadata.
    ///
    /// A group column with the name of one of our columns becomes `NAME_group`. Without group columns the frame is one row
    /// for all calls.
    ///
    /// # Errors
    /// For a group column that the metadata does not have, or that has no times where it should.
    pub fn new(analysis: &Analysis, joined: &Joined, group_by: &[GroupKey]) -> Result<Self> {
        let group_by = distinct(group_by);
        let (mut columns, mut unreadable_times) = (Vec::new(), Vec::new());
        for key in &group_by {
            let groups = joined.groups(key)?;
            columns.push(groups.cells);
            let is_new = |times: &UnreadableTimes| {
                unreadable_times.iter().all(|known: &UnreadableTimes| known.column != times.column)
            };
            unreadable_times.extend(groups.unreadable.filter(is_new));
        }
        let by_role = CallsByRole::new(analysis)?;
        let mut rollup = Self::group(analysis, &by_role, joined, &group_by, &columns)
            .map_err(|error| Error::table("cannot roll up", error))?;
        rollup.unreadable_times = unreadable_times;
        Ok(rollup)
    }

    fn group(
        analysis: &Analysis,
        by_role: &CallsByRole,
        joined: &Joined,
        group_by: &[GroupKey],
        columns: &[StringChunked],
    ) -> PolarsResult<Self> {
        let rows = joined.rows_of(&analysis.calls)?;
        // Calls that are left out are calls all the same.
        let named: HashSet<usize> = rows.iter().flatten().chain(&analysis.left_out.rows).copied().collect();
        // Internal names avoid clashes between the user's columns and ours.
        let inner: Vec<PlSmallStr> = (0..columns.len()).map(|index| format!("__group{index}").into()).collect();
        let mut grouped = analysis.calls.frame()?;
        let mut labels = Vec::with_capacity(columns.len());
        for (name, column) in inner.iter().zip(columns) {
            let cells: StringChunked = rows.iter().map(|row| column.get((*row)?)).collect();
            labels.push(cells.clone());
            grouped.with_column(cells.with_name(name.clone()).into_column())?;
        }
        let mut figures = vec![len().cast(DataType::Int64).alias("call_count")];
        let figure = |from: &str, name: &str, column, made: Aggregate| {
            aggregate(from, column, made).alias(format!("{name}{}", made.suffix()))
        };
        figures.extend(Aggregate::of_calls().map(|(column, made)| figure(column.name, column.name, column, made)));
        for (index, role) in by_role.roles.iter().enumerate() {
            let from = |column: &catalogue::Column| format!("__role{index}_{}", column.name);
            for column in RoleColumn::of_roles(std::slice::from_ref(role)) {
                let cells = by_role.frame.column(&column.name())?.clone();
                grouped.with_column(cells.with_name(from(column.figure).into()))?;
            }
            figures.extend(Aggregate::of_role().map(|(column, made)| {
                let name = RoleColumn { role: role.clone(), figure: column }.name();
                figure(&from(column), &name, column, made)
            }));
        }
        for (index, (rule, verdicts)) in analysis.verdicts.iter().enumerate() {
            let from = format!("__rule{index}");
            let matched = verdicts.iter().map(|verdict| verdict.map(i64::from));
            grouped.with_column(Int64Chunked::from_iter_options((&*from).into(), matched).into_column())?;
            figures.push(sum(&from).alias(format!("{rule}_calls")));
        }
        let mut frame = if inner.is_empty() {
            grouped.lazy().select(figures).collect()?
        } else {
            let keys: Vec<Expr> = inner.iter().map(|name| col(name.clone())).collect();
            let order = SortMultipleOptions::default().with_nulls_last(true).with_maintain_order(true);
            grouped.lazy().group_by_stable(keys).agg(figures).sort(inner.clone(), order).collect()?
        };
        let mut by = Vec::with_capacity(group_by.len());
        for (key, inner) in group_by.iter().zip(inner) {
            let outer = free_name(&key.column, &frame);
            frame.rename(&inner, outer.clone().into())?;
            by.push(outer);
        }
        let calls_without_row = rows.iter().filter(|row| row.is_none()).count();
        let rows_without_call = joined.height() - named.len();
        let keys = group_by.to_vec();
        Ok(Self { frame, by, keys, labels, calls_without_row, rows_without_call, unreadable_times: Vec::new() })
    }

    /// The column that an order means: this one, else its median. `None` if there is none.
    #[must_use]
    pub fn column_of(&self, order: &Order) -> Option<String> {
        let has = |name: &String| self.frame.get_column_names().iter().any(|column| column.as_str() == name);
        [order.column.clone(), format!("{}_p50", order.column)].into_iter().find(has)
    }

    /// Orders the groups; without such a column they stay as they are. Groups without a value come last, the group of nulls
    /// last of all.
    ///
    /// # Errors
    /// When the frame cannot be sorted.
    pub fn sort(&mut self, order: &Order) -> Result<()> {
        let Some(column) = self.column_of(order) else { return Ok(()) };
        let is_nameless = self.by.iter().map(|name| col(&**name).is_null()).reduce(Expr::and);
        let by = [is_nameless.unwrap_or_else(|| lit(false)), col(&*column)];
        let options = SortMultipleOptions::default()
            .with_order_descending_multi([false, !order.ascending])
            .with_nulls_last(true)
            .with_maintain_order(true);
        let sorted = self.frame.clone().lazy().sort_by_exprs(by, options).collect();
        self.frame = sorted.map_err(|error| Error::table("cannot sort the roll-up", error))?;
        Ok(())
    }
}

/// The name, with `_group` appended until it is unique.
fn free_name(name: &str, frame: &DataFrame) -> String {
    let mut free = name.to_owned();
    while frame.get_column_names().iter().any(|taken| taken.as_str() == free) {
        free += "_group";
    }
    free
}

/// What is made of the values of a column in a group.
fn aggregate(name: &str, column: &catalogue::Column, made: Aggregate) -> Expr {
    match made {
        Aggregate::Sum => sum(name),
        Aggregate::PerCall => col(name).mean(),
        Aggregate::Median => quantile(name, column, 0.5),
        Aggregate::Percentile90 => quantile(name, column, 0.9),
        Aggregate::Measured => col(name).count().cast(DataType::Int64),
    }
}

/// A sum over calls in which nothing could be measured is null, not 0.
fn sum(name: &str) -> Expr {
    when(col(name).count().gt(lit(0))).then(col(name).sum()).otherwise(lit(NULL)).alias(name)
}

/// A percentile; of whole ms it is whole, too.
fn quantile(name: &str, column: &catalogue::Column, q: f64) -> Expr {
    let quantile = col(name).quantile(lit(q), QuantileMethod::Linear);
    if column.kind == Kind::Integer && column.unit.is_ms() {
        quantile.map(whole_ms, |_, field| Ok(Field::new(field.name().clone(), DataType::Int64)))
    } else {
        quantile
    }
}

/// Rounds to whole ms, half to even (definitions: percentile).
fn whole_ms(column: Column) -> PolarsResult<Column> {
    let rounded = column.f64()?.apply_values(f64::round_ties_even).cast(&DataType::Int64)?;
    Ok(rounded.into_column())
}
