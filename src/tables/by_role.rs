//! The table `calls_by_role`: a row per call, the figures of its roles side by side.

use std::collections::{BTreeSet, HashMap};

use polars::prelude::*;

use super::analysis::Analysis;
use super::distinct;
use super::figures::Figures;
use super::join::Joined;
use crate::error::{Error, Result};
use crate::metrics::catalogue::RoleColumn;

/// Most tracks that have columns in a run without roles. A call has two; a file may claim to have thousands.
const MOST_TRACKS: usize = 32;

/// The figures of each role in each call, from those of the participants.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CallsByRole {
    /// The roles of the run: those given to labels, in the order of the labels, then those that files alone give, in byte
    /// order. In a run without roles the first 32 labels of calls with several tracks, in order.
    pub roles: Vec<String>,
    /// Whether they are roles: false for labels.
    pub are_roles: bool,
    /// `file`, then the columns of each role; null where a call does not have the role.
    pub frame: DataFrame,
}

impl CallsByRole {
    /// Puts the participants of each call of an analysis into columns.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Table`] when its frames lack a column.
    pub fn new(analysis: &Analysis) -> Result<Self> {
        let of = || Self::of(analysis, Self::roles_of(analysis)?);
        of().map_err(|error| Error::table("cannot build the table calls_by_role", error))
    }

    /// The same; `None` in a run without roles.
    pub(crate) fn of_roles(analysis: &Analysis) -> PolarsResult<Option<Self>> {
        let roles = Self::roles_of(analysis)?;
        (!roles.is_empty()).then(|| Self::of(analysis, roles)).transpose()
    }

    /// The roles of the run, as in [`roles`](Self::roles); none in a run without roles.
    pub(crate) fn roles_of(analysis: &Analysis) -> PolarsResult<Vec<String>> {
        let given =
            analysis.settings.iter().flat_map(|settings| settings.roles.iter()).map(|(_, role)| role.to_owned());
        let mut found: BTreeSet<String> = BTreeSet::new();
        for part in analysis.participants.parts("role") {
            for role in part?.str()?.iter().flatten() {
                if !found.contains(role) {
                    found.insert(role.to_owned());
                }
            }
        }
        let roles: Vec<String> = given.chain(found).collect();
        Ok(distinct(&roles))
    }

    fn of(analysis: &Analysis, mut roles: Vec<String>) -> PolarsResult<Self> {
        let (calls, participants) = (&analysis.calls, &analysis.participants);
        let files = calls.texts("file")?;
        let call_of: HashMap<&str, usize> =
            files.iter().enumerate().filter_map(|(at, file)| Some((file?, at))).collect();
        let call_of: Vec<Option<usize>> =
            participants.texts("file")?.iter().map(|file| call_of.get(file?).copied()).collect();
        let are_roles = !roles.is_empty();
        let names = participants.texts(if are_roles { "role" } else { "participant" })?;
        if !are_roles {
            let channels = calls.column("channel_count")?;
            let channels = channels.i64()?;
            let has_several =
                |call: &Option<usize>| call.and_then(|call| channels.get(call)).is_some_and(|count| count > 1);
            let several = names.iter().zip(&call_of).filter(|(_, call)| has_several(call));
            let labels: BTreeSet<&str> = several.filter_map(|(label, _)| label).collect();
            roles = labels.into_iter().map(str::to_owned).collect();
            // `ch10` comes after `ch2`.
            roles.sort_by_key(String::len);
            roles.truncate(MOST_TRACKS);
        }
        let mut columns = vec![calls.column("file")?];
        for role in &roles {
            let mut rows: Vec<Option<IdxSize>> = vec![None; calls.height()];
            for (at, (name, call)) in names.iter().zip(&call_of).enumerate() {
                if let Some(row) = call.and_then(|call| rows.get_mut(call)).filter(|_| name == Some(role)) {
                    *row = row.or(IdxSize::try_from(at).ok());
                }
            }
            let rows: IdxCa = rows.into_iter().collect();
            for column in RoleColumn::of_roles(std::slice::from_ref(role)) {
                let cells = participants.column(column.figure.name)?.take(&rows)?;
                columns.push(cells.with_name(column.name().into()));
            }
        }
        Ok(Self { roles, are_roles, frame: DataFrame::new(calls.height(), columns)? })
    }

    /// The whole table: the user's columns stand between `file` and the roles. One with the name of a column of ours gets
    /// the suffix `_meta`. `calls` are those of the analysis.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Table`] when a column cannot be added.
    pub fn with_columns(&self, joined: Option<&Joined>, calls: &Figures) -> Result<DataFrame> {
        let Some(joined) = joined else { return Ok(self.frame.clone()) };
        let whole = || {
            let mut columns = self.frame.columns().to_vec();
            let roles = columns.split_off(1);
            for column in joined.columns_of(calls)? {
                let mut name = column.name().clone();
                while self.frame.get_column_names().contains(&&name) {
                    name = format!("{name}_meta").into();
                }
                columns.push(column.with_name(name));
            }
            columns.extend(roles);
            DataFrame::new(self.frame.height(), columns)
        };
        whole().map_err(|error| Error::table("cannot add the columns of the metadata", error))
    }
}

/// Columns of participants that the table is made from.
pub(super) fn columns() -> impl Iterator<Item = &'static str> {
    RoleColumn::figures().into_iter().map(|column| column.name)
}

#[cfg(test)]
mod tests {
    use super::columns;
    use crate::metrics::catalogue::PARTICIPANTS;

    #[test]
    fn its_columns_are_columns_of_participants() {
        assert!(columns().all(|name| PARTICIPANTS.column(name).is_some()));
        assert_eq!(columns().count(), 10);
    }
}
