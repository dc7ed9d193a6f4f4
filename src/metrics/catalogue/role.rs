//! The columns of `calls_by_role`: figures of participants, behind the role that they are of.

use super::{Column, PARTICIPANTS, Use};

/// A column of the table `calls_by_role`: `agent_talk_ms`.
#[derive(Debug, Clone)]
pub struct RoleColumn {
    /// The role; in a run without roles the label of a participant.
    pub role: String,
    /// The column of `participants` with the same value, unit and null rule.
    pub figure: &'static Column,
}

impl RoleColumn {
    /// The columns of `participants` that `calls_by_role` has for each role, in order.
    #[must_use]
    pub fn figures() -> Vec<&'static Column> {
        PARTICIPANTS.columns_for(Use::ByRole)
    }

    /// The columns of these roles, in the order of the table.
    pub fn of_roles(roles: &[String]) -> impl Iterator<Item = Self> {
        let of_role = |role: &String| {
            let role = role.clone();
            Self::figures().into_iter().map(move |figure| Self { role: role.clone(), figure })
        };
        roles.iter().flat_map(of_role)
    }

    /// The column of this name.
    ///
    /// ```
    /// use talkmeter::metrics::catalogue::RoleColumn;
    /// let column = RoleColumn::from_name("sales agent_talk_ms").unwrap();
    /// assert_eq!((&*column.role, column.figure.name), ("sales agent", "talk_ms"));
    /// assert!(RoleColumn::from_name("talk_ms").is_none());
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let role = |figure: &'static Column| {
            let role = name.strip_suffix(figure.name)?.strip_suffix('_').filter(|role| !role.is_empty())?;
            Some(Self { role: role.to_owned(), figure })
        };
        Self::figures().into_iter().find_map(role)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}_{}", self.role, self.figure.name)
    }
}
