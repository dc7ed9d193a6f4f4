//! The distribution of a figure: one dot per call or speaker, or a density if there are too many dots.

use polars::prelude::*;
use serde::Serialize;

use super::quantile::quantile;
use super::values::numbers;
use crate::error::{Error, Result};
use crate::metrics::catalogue::{CALLS, Column, PARTICIPANTS, Table, Unit, Use};
use crate::tables::{Analysis, CallsByRole};

/// Above this number of values, a density replaces the dots.
pub(super) const MOST_DOTS: usize = 300;

/// Number of steps of a density, from the smallest value to the largest.
const STEPS: usize = 60;

/// What a value of a strip belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StripScope {
    /// A call.
    Calls,
    /// A participant.
    Participants,
    /// One participant of each call: the one in [`Strip::role`], without roles the first.
    FirstParticipants,
}

impl StripScope {
    /// Every kind of strip, in the order in which a page shows them.
    const ALL: [Self; 3] = [Self::FirstParticipants, Self::Participants, Self::Calls];

    /// The table that holds its columns.
    pub(super) fn table(self) -> &'static Table {
        match self {
            Self::Calls => &CALLS,
            Self::Participants | Self::FirstParticipants => &PARTICIPANTS,
        }
    }

    fn columns(self) -> Vec<&'static Column> {
        self.table().columns_for(if self == Self::FirstParticipants { Use::StripOfFirst } else { Use::Strip })
    }
}

/// One figure over all calls or speakers.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Strip {
    /// A column of `calls` or `participants`.
    pub metric: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// What one value belongs to.
    pub scope: StripScope,
    /// The role of the participants that stand for their calls; null without roles, and for other scopes.
    pub role: Option<String>,
    /// Number of values.
    pub n: usize,
    /// Number of rows without a value.
    pub nulls: usize,
    /// The smallest, quartiles and the largest, by linear interpolation; ms are whole. Empty without a value.
    pub quartiles: Vec<f64>,
    /// Each value, ascending; empty if there are more than 300.
    pub dots: Vec<Dot>,
    /// Number of values in each of equal steps from the smallest to the largest; empty if there are dots.
    pub density: Vec<u32>,
}

/// A value and what it belongs to.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Dot {
    /// In the unit of the strip.
    pub value: f64,
    /// The call.
    pub file: String,
    /// The participant's role, else its label; null for a figure of the call.
    pub participant: Option<String>,
}

/// All strips of an analysis.
pub(super) fn strips(analysis: &Analysis) -> Result<Vec<Strip>> {
    let failed = |error| Error::table("cannot draw", error);
    let role = first_role(analysis).map_err(failed)?;
    let strip = |scope: StripScope| {
        let role = role.clone().filter(|_| scope == StripScope::FirstParticipants);
        scope.columns().into_iter().map(move |column| strip(analysis, scope, role.clone(), column))
    };
    StripScope::ALL.into_iter().flat_map(strip).collect::<PolarsResult<_>>().map_err(failed)
}

/// The first role of the run that somebody has.
fn first_role(analysis: &Analysis) -> PolarsResult<Option<String>> {
    let roles = analysis.participants.texts("role")?;
    let is_here = |role: &String| roles.iter().any(|other| other == Some(role));
    Ok(CallsByRole::roles_of(analysis)?.into_iter().find(is_here))
}

fn strip(analysis: &Analysis, scope: StripScope, role: Option<String>, column: &'static Column) -> PolarsResult<Strip> {
    let figures = if scope == StripScope::Calls { &analysis.calls } else { &analysis.participants };
    let (metric, unit) = (column.name, column.unit);
    let files = figures.texts("file")?;
    let values = numbers(&figures.column(metric)?)?;
    let mut rows: Vec<usize> = (0..figures.height()).collect();
    if let Some(role) = &role {
        let roles = figures.texts("role")?;
        rows.retain(|row| roles.get(*row) == Some(role));
    }
    if scope == StripScope::FirstParticipants {
        rows.dedup_by_key(|row| files.get(*row));
    }
    let mut found: Vec<(f64, usize)> = rows.iter().filter_map(|&row| Some((values.get(row)?, row))).collect();
    found.sort_by(|one, two| one.0.total_cmp(&two.0).then(one.1.cmp(&two.1)));
    let sorted: Vec<f64> = found.iter().map(|(value, _)| *value).collect();
    let quartiles = [0.0, 0.25, 0.5, 0.75, 1.0].into_iter().filter_map(|q| quantile(&sorted, q, unit)).collect();
    let mut strip = Strip {
        metric,
        unit,
        scope,
        role,
        n: sorted.len(),
        nulls: rows.len() - sorted.len(),
        quartiles,
        dots: Vec::new(),
        density: Vec::new(),
    };
    if found.len() > MOST_DOTS {
        strip.density = density(&sorted);
        return Ok(strip);
    }
    let named = if scope == StripScope::Calls { &[][..] } else { &["role", "participant"] };
    let named: Vec<StringChunked> = named.iter().map(|name| figures.texts(name)).collect::<PolarsResult<_>>()?;
    let participant = |row: usize| named.iter().find_map(|names| names.get(row)).map(str::to_owned);
    for (value, row) in found {
        let file = files.get(row).unwrap_or_default().to_owned();
        strip.dots.push(Dot { value, file, participant: participant(row) });
    }
    Ok(strip)
}

/// Number of values in each of [`STEPS`] equal steps. `sorted` is ascending.
fn density(sorted: &[f64]) -> Vec<u32> {
    let (Some(&low), Some(&high)) = (sorted.first(), sorted.last()) else { return Vec::new() };
    let mut steps = vec![0; STEPS];
    for value in sorted {
        let share = if high > low { (value - low) / (high - low) } else { 0.5 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to the number of steps")]
        let at = ((share * STEPS as f64) as usize).min(STEPS - 1);
        if let Some(step) = steps.get_mut(at) {
            *step += 1;
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_density_holds_every_value_once() {
        let sorted: Vec<f64> = (0..=1200).map(f64::from).collect();
        let steps = density(&sorted);
        assert_eq!((steps.len(), steps.iter().sum::<u32>()), (60, 1201));
        // 20 a step: 0–19, 20–39, …; the last holds the largest value, too.
        assert_eq!((steps[0], steps[1], steps[59]), (20, 20, 21));
        assert_eq!(density(&[7.0, 7.0]).iter().sum::<u32>(), 2);
        assert_eq!(density(&[]), Vec::<u32>::new());
    }
}
