//! Which calls an analysis is about: an SQL expression over the columns of `calls`.

use polars::prelude::*;

use super::frame::Rows;
use super::join::Joined;
#[cfg(feature = "sql")]
use crate::error::Check;
use crate::error::{Error, Result};
use crate::metrics::catalogue::CALLS;

/// An SQL expression that is true or false of a call by its row in `calls`, with the user's columns.
#[derive(Debug, Clone)]
pub struct Condition {
    text: String,
    expression: Expr,
    columns: Vec<PlSmallStr>,
}

impl Condition {
    /// Reads an expression such as `dead_air_count > 2 AND agent IN ('Ann', 'Bob')`. `joined` has the user's columns.
    ///
    /// # Errors
    /// When it is no SQL expression, names no column of `calls` or one that is not there, is neither true nor false, or
    /// depends on other calls, as averages do.
    #[cfg(feature = "sql")]
    pub fn read(text: &str, joined: Option<&Joined>) -> Result<Self> {
        let wrong = |why: &str| Error::invalid(format!("`{text}`: {}", why.lines().next().unwrap_or_default()));
        let expression = polars::sql::sql_expr(text).map_err(|error| wrong(&error.to_string()))?;
        let whole = Joined::schema_of(&CALLS, joined);
        let columns = super::distinct(&expression.clone().meta().root_names());
        if let Some(unknown) = columns.iter().find(|column| !whole.contains(column)) {
            let mut message = format!("`calls` has no column `{unknown}`");
            let ours = CALLS.columns.iter().map(|column| column.name);
            let own = || whole.iter_names().map(PlSmallStr::as_str).filter(|name| CALLS.column(name).is_none());
            let alike: Vec<&str> = ours.chain(own()).filter(|name| is_alike(name, unknown)).collect();
            let own: Vec<&str> = own().collect();
            if !alike.is_empty() {
                message += &format!(", but {}", alike.join(", "));
            } else if !own.is_empty() {
                message += &format!("; yours are {}", own.join(", "));
            }
            return Err(wrong(&message).with_check(Check::ColumnOfCalls));
        }
        if columns.is_empty() {
            return Err(wrong("names no column of `calls`").with_check(Check::ColumnOfCalls));
        }
        if let Some(part) = (&expression).into_iter().find(|part| is_about_others(part)) {
            return Err(wrong(&format!("depends on other calls ({part:?}), but decides call by call")));
        }
        // It is shown wherever figures are: in one line.
        let text = text.replace(char::is_control, " ");
        let condition = Self { text, expression, columns };
        let none = DataFrame::empty_with_schema(&whole);
        condition.decide(none).map_err(|error| wrong(&error.to_string()))?;
        Ok(condition)
    }

    /// As it was written, in one line.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it needs this column of `calls`. By its file and address a call finds its row of the metadata.
    fn needs(&self, name: &str) -> bool {
        ["file", "file_url"].contains(&name) || self.columns.iter().any(|column| column == name)
    }

    /// The columns of `calls` that it needs.
    pub(super) fn columns_of_calls(&self) -> Vec<&'static str> {
        CALLS.columns.iter().map(|column| column.name).filter(|name| self.needs(name)).collect()
    }

    /// No row yet, of the columns of `calls` that it needs.
    pub(super) fn rows(&self) -> Rows {
        Rows::with_columns(&CALLS, |name| self.needs(name))
    }

    /// Whether it holds for each of these rows of `calls`. Neither true nor false is false.
    pub(super) fn holds(&self, mut calls: DataFrame, joined: Option<&Joined>) -> Result<Vec<bool>> {
        let decided = joined.map_or(Ok(()), |joined| joined.add_columns(&mut calls)).and_then(|()| self.decide(calls));
        let decided = decided.map_err(|error| Error::table(format!("cannot decide `{}`", self.text), error))?;
        Ok(decided.iter().map(|holds| holds == Some(true)).collect())
    }

    fn decide(&self, calls: DataFrame) -> PolarsResult<BooleanChunked> {
        let decided = calls.lazy().select([self.expression.clone().alias("holds")]).collect()?;
        let decided = decided.column("holds")?;
        let what = match decided.dtype() {
            DataType::String => "a text",
            dtype if dtype.is_numeric() => "a number",
            _ => "something else",
        };
        decided.bool().cloned().map_err(|_| polars_err!(ComputeError: "is {what}, not true or false"))
    }
}

/// Whether one name is in the other, in any case.
#[cfg(feature = "sql")]
fn is_alike(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_lowercase(), other.to_lowercase());
    !other.is_empty() && (one.contains(&other) || other.contains(&one))
}

/// Whether this part of an expression depends on other rows.
#[cfg(feature = "sql")]
fn is_about_others(part: &Expr) -> bool {
    match part {
        Expr::Len | Expr::SubPlan(..) => true,
        // A list of constants is an aggregate of nothing.
        Expr::Agg(_)
        | Expr::Over { .. }
        | Expr::Slice { .. }
        | Expr::Sort { .. }
        | Expr::SortBy { .. }
        | Expr::Gather { .. }
        | Expr::Filter { .. }
        | Expr::Explode { .. } => !part.clone().meta().root_names().is_empty(),
        Expr::Function { function, .. } => {
            let name = function.to_string();
            ACROSS_ROWS.iter().any(|across| name.contains(across))
        }
        _ => false,
    }
}

/// Functions of a whole column, by the names that polars gives them.
#[cfg(feature = "sql")]
const ACROSS_ROWS: [&str; 8] = ["cum_", "rank", "shift", "correlation", "n_unique", "quantile", "mode", "diff"];
