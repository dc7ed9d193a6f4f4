//! What each role did over all calls: agent beside customer.

use polars::prelude::*;
use serde::Serialize;

use super::Report;
use super::number::{NOT_MEASURED, count, figure as shown};
use super::quantile::{quantile, sorted};
use crate::error::{Error, Result};
use crate::metrics::catalogue::{Column, RoleColumn, Unit};
use crate::tables::{Analysis, CallsByRole};

/// The figures of one role over all calls that have it.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct RoleSummary {
    /// The role.
    pub role: String,
    /// Those of `calls_by_role`.
    pub figures: Vec<RoleFigure>,
}

/// One figure of a role over all calls in which it could be measured.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct RoleFigure {
    /// A column of `participants`.
    pub metric: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// Number of values; the others are null.
    pub n: u64,
    /// Median.
    pub p50: Option<f64>,
    /// Sum; null of what is no count.
    pub sum: Option<i64>,
}

/// `None` without roles.
pub(super) fn summaries(analysis: &Analysis) -> Result<Option<Vec<RoleSummary>>> {
    let failed = |error| Error::table("cannot build the report", error);
    let Some(by_role) = CallsByRole::of_roles(analysis).map_err(failed)? else { return Ok(None) };
    let mut figures = RoleColumn::figures();
    if !analysis.has_keywords() {
        figures.retain(|figure| figure.name != "keyword_hit_count");
    }
    let figure = |role: &String, figure: &'static Column| {
        let name = RoleColumn { role: role.clone(), figure }.name();
        let column = by_role.frame.column(&name)?;
        let p50 = quantile(&sorted([Ok(column.clone())], column.len())?, 0.5, figure.unit);
        let n = (column.len() - column.null_count()) as u64;
        let sum = if figure.is_count() && n > 0 { column.i64()?.sum() } else { None };
        Ok::<_, PolarsError>(RoleFigure { metric: figure.name, unit: figure.unit, n, p50, sum })
    };
    let role = |role: &String| {
        let figures = figures.iter().map(|column| figure(role, column)).collect::<PolarsResult<_>>()?;
        Ok::<_, PolarsError>(RoleSummary { role: role.clone(), figures })
    };
    let all: PolarsResult<_> = by_role.roles.iter().map(role).collect();
    all.map(Some).map_err(failed)
}

/// A table with a column a role.
pub(super) struct RoleRows {
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Report {
    /// Counts as totals, all else as the median call; `None` without roles.
    pub(super) fn roles_as_rows(&self) -> Option<RoleRows> {
        let roles = self.roles.as_ref()?;
        let first = roles.first()?;
        let row = |at: usize| {
            let of_role = |role: &RoleSummary| {
                let cell = role.figures.get(at).map(|figure| match figure.sum {
                    Some(sum) => count(sum),
                    None => shown(figure.p50, figure.unit),
                });
                cell.unwrap_or_else(|| NOT_MEASURED.to_owned())
            };
            let metric = first.figures.get(at).map_or("", |figure| figure.metric).to_owned();
            std::iter::once(metric).chain(roles.iter().map(of_role)).collect()
        };
        let head = "median, or total of counts".to_owned();
        Some(RoleRows {
            head: std::iter::once(head).chain(roles.iter().map(|role| role.role.clone())).collect(),
            rows: (0..first.figures.len()).map(row).collect(),
        })
    }
}
