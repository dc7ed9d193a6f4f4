//! Flags that order and cut groups and calls.

use std::num::NonZeroUsize;

use super::output::Failure;
use crate::metrics::catalogue::{CALLS, GroupFigure, Use};
use crate::tables::{GroupKey, Order, Rollup};

/// How groups and calls are ordered, and how many are shown.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct OrderFlags {
    /// Order groups and the list of calls by a column of `rollup` or `calls`, largest first unless `:asc` follows
    #[arg(long, value_name = "COLUMN[:asc]")]
    sort: Option<Order>,
    /// Show only the first N groups and calls; tables have all of them
    #[arg(long, value_name = "N")]
    top: Option<NonZeroUsize>,
}

impl OrderFlags {
    /// The order, if one was asked for.
    pub(super) fn order(&self) -> Option<&Order> {
        self.sort.as_ref()
    }

    /// How many are shown.
    pub(super) fn top(&self) -> Option<usize> {
        self.top.map(NonZeroUsize::get)
    }

    /// Orders a roll-up.
    pub(super) fn apply(&self, rollup: &mut Rollup) -> Result<(), Failure> {
        self.sort.as_ref().map_or(Ok(()), |order| Ok(rollup.sort(order)?))
    }

    /// Refuses a column that no roll-up by these keys can have, before anything is measured.
    pub(super) fn check_name(&self, keys: &[GroupKey]) -> Result<(), Failure> {
        let Some(Order { column, .. }) = &self.sort else { return Ok(()) };
        let is_figure =
            || GroupFigure::from_name(column).or_else(|| GroupFigure::from_name(&format!("{column}_p50"))).is_some();
        let is_key = || keys.iter().any(|key| key.column == column.trim_end_matches("_group"));
        if !keys.is_empty() && (is_figure() || is_key()) { Ok(()) } else { self.check(None) }
    }

    /// Refuses a column that neither the roll-up nor the list of calls can be ordered by.
    pub(super) fn check(&self, rollup: Option<&Rollup>) -> Result<(), Failure> {
        let Some(order) = &self.sort else { return Ok(()) };
        if order.column_of_calls().is_some() || rollup.is_some_and(|rollup| rollup.column_of(order).is_some()) {
            return Ok(());
        }
        let ranked = CALLS.columns_for(Use::Ranked).into_iter().map(|column| column.name.to_owned());
        let columns: Vec<String> = match rollup {
            Some(rollup) => rollup.frame.get_column_names().into_iter().map(ToString::to_string).collect(),
            None => ranked.collect(),
        };
        let (column, columns) = (&order.column, columns.join(", "));
        Err(Failure::Usage(format!("--sort {column}: no such column; there are {columns}")))
    }
}
