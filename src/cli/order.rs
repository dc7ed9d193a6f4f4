//! Flags that order and cut groups and calls.

use std::num::NonZeroUsize;

use super::output::Failure;
use crate::metrics::catalogue::{CALLS, GroupFigure, Use};
use crate::tables::{GroupKey, Order, Rollup};

/// How groups and calls are ordered, and how many are shown.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct OrderFlags {
    /// Order groups by a column of `rollup`, and calls by a column that --by takes, largest first unless `:asc` follows
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
        if !keys.is_empty() && (is_figure() || is_key()) {
            return Ok(());
        }
        self.check_against(None, keys.iter().map(|key| &*key.column).collect())
    }

    /// Refuses a column that neither the roll-up nor the list of calls can be ordered by.
    pub(super) fn check(&self, rollup: Option<&Rollup>) -> Result<(), Failure> {
        self.check_against(
            rollup,
            rollup.map_or_else(Vec::new, |rollup| rollup.by.iter().map(|name| &**name).collect()),
        )
    }

    /// `groups` are the columns of groups, if there are any.
    fn check_against(&self, rollup: Option<&Rollup>, groups: Vec<&str>) -> Result<(), Failure> {
        let Some(order) = &self.sort else { return Ok(()) };
        if order.column_of_calls().is_some() || rollup.is_some_and(|rollup| rollup.column_of(order).is_some()) {
            return Ok(());
        }
        let ranked: Vec<&str> = CALLS.columns_for(Use::Ranked).into_iter().map(|column| column.name).collect();
        let mut message = format!("--sort {}: calls are ordered by {}", order.column, ranked.join(", "));
        if !groups.is_empty() {
            message += &format!("; groups by {} and the columns of the table `rollup`", groups.join(", "));
        }
        Err(Failure::Usage(message))
    }
}
