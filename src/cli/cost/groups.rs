//! `cost actual --group-by`: what sums are kept apart by.

use std::cell::RefCell;
use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::output::Failure;
use crate::billing::{Line, month_of};
use crate::sheet::folded;

/// What a sum is kept apart by where nothing is asked for.
const DEFAULT: [&str; 2] = ["model", "region"];

/// One column.
#[derive(Debug, PartialEq, Eq)]
enum Column {
    Month,
    Day,
    Model,
    Region,
    Batch,
    /// Of the list that was transcribed, by its folded name.
    Own(String),
}

/// The columns by which sums are kept apart.
#[derive(Debug)]
pub(super) struct GroupBy {
    columns: Vec<Column>,
    given: Vec<String>,
    /// Names of the columns that lists have.
    seen: RefCell<BTreeSet<String>>,
}

/// The cells of a result or task, as far as its lines do not say them.
pub(super) type Facts = Vec<Option<String>>;

impl GroupBy {
    pub(super) fn new(given: &[String]) -> Self {
        let column = |name: &str| match &*folded(name) {
            "month" => Column::Month,
            "day" => Column::Day,
            "model" => Column::Model,
            "region" => Column::Region,
            "batch" => Column::Batch,
            own => Column::Own(own.to_owned()),
        };
        let columns = Self::names(given).into_iter().map(column).collect();
        Self { columns, given: given.to_vec(), seen: RefCell::default() }
    }

    /// The names of the columns.
    pub(super) fn names(given: &[String]) -> Vec<&str> {
        if given.is_empty() { DEFAULT.to_vec() } else { given.iter().map(String::as_str).collect() }
    }

    /// Whether a result must be looked up in its ledger.
    pub(super) fn needs_ledger(&self) -> bool {
        self.columns.iter().any(|column| !matches!(column, Column::Model | Column::Region))
    }

    pub(super) fn facts(&self, batch: &str, submitted: Option<Timestamp>, columns: &[(String, String)]) -> Facts {
        if self.columns.iter().any(|column| matches!(column, Column::Own(_))) {
            let mut seen = self.seen.borrow_mut();
            for (name, _) in columns {
                if !seen.contains(name) {
                    seen.insert(name.clone());
                }
            }
        }
        let cell = |column: &Column| match column {
            Column::Month => submitted.map(|at| month_of(at).to_string()),
            Column::Day => submitted.map(|at| at.to_zoned_datetime(TimeZone::UTC).date().to_string()),
            Column::Batch => Some(batch.to_owned()),
            Column::Own(own) => columns.iter().find(|(name, _)| folded(name) == *own).map(|(_, cell)| cell.clone()),
            Column::Model | Column::Region => None,
        };
        self.columns.iter().map(cell).collect()
    }

    /// The group of a line.
    pub(super) fn key(&self, facts: &Facts, line: &Line) -> Vec<Option<String>> {
        let cell = |(column, fact): (&Column, &Option<String>)| match column {
            Column::Model => line.model.clone(),
            Column::Region => line.region.map(|region| region.name().to_owned()),
            _ => fact.clone(),
        };
        self.columns.iter().zip(facts).map(cell).collect()
    }

    /// Refuses a column that nothing has.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let seen = self.seen.borrow();
        for (column, name) in self.columns.iter().zip(&self.given) {
            if let Column::Own(own) = column
                && !seen.iter().any(|name| folded(name) == *own)
            {
                let own = ["month", "day", "model", "region", "batch"].into_iter();
                let there: Vec<String> =
                    own.chain(seen.iter().map(String::as_str)).map(|name| format!("`{name}`")).collect();
                return Err(Failure::Usage(format!(
                    "--group-by {name}: no input has this column; there are {}",
                    there.join(", ")
                )));
            }
        }
        Ok(())
    }
}
