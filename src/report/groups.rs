//! The roll-up as reports show it: its rows, and which of its columns people see.

use std::cmp::Ordering;

use polars::prelude::*;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::metrics::catalogue::GroupFigure;
use crate::tables::{GroupKey, Order, Rollup};

/// A roll-up.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Groups {
    /// Names of the group columns in the rows.
    pub by: Vec<String>,
    /// What the rows are grouped by, in the same order.
    #[serde(default)]
    pub keys: Vec<GroupKey>,
    /// The column that the rows are sorted by; left out if they are in the order of the groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sorted_by: Option<String>,
    /// One object per group, in order, with the columns of the table `rollup`.
    pub rows: Vec<GroupRow>,
    /// Groups behind the last of the rows; left out if there are none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub further: usize,
}

/// A row of the table `rollup`. Serialises as an object in the order of the columns.
#[derive(Debug, Clone, Default)]
pub struct GroupRow(Vec<(String, Value)>);

impl GroupRow {
    /// The cell of a column.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| name == column).map(|(_, cell)| cell)
    }

    /// The names of the columns.
    pub fn columns(&self) -> impl Iterator<Item = &String> {
        self.0.iter().map(|(name, _)| name)
    }
}

impl Serialize for GroupRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, cell)| (name, cell)))
    }
}

impl<'de> Deserialize<'de> for GroupRow {
    fn deserialize<D: Deserializer<'de>>(object: D) -> std::result::Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = GroupRow;

            fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                to.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> std::result::Result<GroupRow, A::Error> {
                let mut row = GroupRow::default();
                while let Some(cell) = object.next_entry()? {
                    row.0.push(cell);
                }
                Ok(row)
            }
        }
        object.deserialize_map(InOrder)
    }
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Groups {
    /// The first `top` groups of a roll-up that is in this order.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Table`] when the frame cannot be read.
    pub fn new(rollup: &Rollup, order: Option<&Order>, top: Option<usize>) -> Result<Self> {
        let rows = objects(&rollup.frame).map_err(|error| Error::table("cannot build the report", error))?;
        let sorted_by = order.and_then(|order| rollup.column_of(order));
        let mut groups = Self { by: rollup.by.clone(), keys: rollup.keys.clone(), sorted_by, rows, further: 0 };
        groups.cut(top);
        Ok(groups)
    }

    /// Sorts by a column as [`Rollup::sort`] does, and keeps the first `top` groups. False if there is no such column.
    pub fn reorder(&mut self, order: Option<&Order>, top: Option<usize>) -> bool {
        let mut is_known = true;
        if let Some(order) = order {
            let names = [order.column.clone(), format!("{}_p50", order.column)];
            let has = |name: &String| self.rows.first().is_some_and(|row| row.get(name).is_some());
            self.sorted_by = names.into_iter().find(has);
            is_known = self.sorted_by.is_some();
        }
        if let (Some(order), Some(column)) = (order, &self.sorted_by) {
            let by = &self.by;
            self.rows.sort_by(|one, two| {
                let is_nameless = |row: &GroupRow| by.iter().all(|name| row.get(name).is_none_or(Value::is_null));
                let values = compared(one.get(column), two.get(column), order.ascending);
                is_nameless(one).cmp(&is_nameless(two)).then(values)
            });
        }
        self.cut(top);
        is_known
    }

    fn cut(&mut self, top: Option<usize>) {
        let kept = top.unwrap_or(usize::MAX).min(self.rows.len());
        self.further += self.rows.len() - kept;
        self.rows.truncate(kept);
    }

    /// The columns that people see: those of every roll-up, and the one that the rows are sorted by.
    #[must_use]
    pub fn figures(&self) -> Vec<GroupFigure> {
        let mut figures = GroupFigure::all();
        let own = self.sorted_by.as_deref().and_then(GroupFigure::from_name);
        if let Some(own) = own.filter(|own| !figures.contains(own)) {
            figures.insert(1, own);
        }
        figures
    }
}

/// Numbers by value, texts by bytes, nothing last.
fn compared(one: Option<&Value>, two: Option<&Value>, ascending: bool) -> Ordering {
    let turned = |order: Ordering| if ascending { order } else { order.reverse() };
    match (one.filter(|value| !value.is_null()), two.filter(|value| !value.is_null())) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(one), Some(two)) => turned(match (one.as_f64(), two.as_f64()) {
            (Some(one), Some(two)) => one.total_cmp(&two),
            _ => one.as_str().cmp(&two.as_str()),
        }),
    }
}

/// The rows of a frame.
fn objects(frame: &DataFrame) -> PolarsResult<Vec<GroupRow>> {
    let mut json = Vec::new();
    JsonWriter::new(&mut json).with_json_format(JsonFormat::Json).finish(&mut frame.clone())?;
    serde_json::from_slice(&json).map_err(|error| polars_err!(ComputeError: "{error}"))
}
