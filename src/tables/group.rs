//! What calls are grouped by: columns of the user's, or their times cut to hours, days, weeks, months, weekdays.

use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use jiff::fmt::{strtime, temporal::Pieces};
use polars::prelude::StringChunked;
use serde::{Deserialize, Serialize};

use crate::error::{Check, Error, Result};

/// What of a time makes a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Period {
    /// `2026-10-05T09`.
    Hour,
    /// `2026-10-05`.
    Day,
    /// `2026-W41`, by ISO 8601: from Monday, and the year is that of its Thursday.
    Week,
    /// `2026-10`.
    Month,
    /// `1` is Monday, `7` Sunday.
    Weekday,
}

impl Period {
    /// All of them, by name.
    pub const ALL: [(&'static str, Self); 5] = [
        ("hour", Self::Hour),
        ("day", Self::Day),
        ("week", Self::Week),
        ("month", Self::Month),
        ("weekday", Self::Weekday),
    ];

    /// `hour`, `day`, `week`, `month` or `weekday`.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, period)| *period == self).map_or("", |(name, _)| name)
    }

    /// The group of a moment; `None` for the hour of a date without a time.
    pub(crate) fn label(self, moment: &Moment) -> Option<String> {
        let time = moment.time;
        let date = time.date();
        Some(match self {
            Self::Hour if !moment.has_time => return None,
            Self::Hour => format!("{date}T{:02}", time.hour()),
            Self::Day => date.to_string(),
            Self::Week => {
                let week = date.iso_week_date();
                format!("{}-W{:02}", year(week.year()), week.week())
            }
            Self::Month => format!("{}-{:02}", year(date.year()), date.month()),
            Self::Weekday => date.weekday().to_monday_one_offset().to_string(),
        })
    }
}

impl FromStr for Period {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|(name, _)| *name == text).map(|(_, period)| period);
        let names = Self::ALL.map(|(name, _)| name).join(", ");
        known.ok_or_else(|| Error::invalid(format!("`{text}` is no part of a time to group by: {names}")))
    }
}

/// A year as dates have it: four digits, and six behind a minus.
fn year(year: i16) -> String {
    if year < 0 { format!("-{:06}", year.unsigned_abs()) } else { format!("{year:04}") }
}

/// A time as it is written; an offset from UTC is not applied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    time: DateTime,
    has_time: bool,
}

impl Moment {
    /// Reads a time by its format, else by ISO 8601: `2026-10-05T09:12:00+08:00`, `2026-10-05 09:12`, `2026-10-05`.
    pub(crate) fn read(text: &str, format: Option<&str>) -> Result<Self, jiff::Error> {
        let Some(format) = format else {
            let pieces = Pieces::parse(text)?;
            let time = pieces.time();
            return Ok(Self { time: pieces.date().to_datetime(time.unwrap_or_default()), has_time: time.is_some() });
        };
        let read = strtime::parse(format, text)?;
        let has_time = read.hour().is_some();
        let time =
            if has_time { read.to_datetime()? } else { read.to_date()?.to_datetime(jiff::civil::Time::midnight()) };
        Ok(Self { time, has_time })
    }

    /// Its day.
    pub(crate) fn date(&self) -> Date {
        self.time.date()
    }
}

/// A column to group by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GroupKey {
    /// The column.
    pub column: String,
    /// What of its times makes a group; `None` groups by the cells as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// How its times are written, as `strptime` has it; `None` is ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_format: Option<String>,
}

impl GroupKey {
    /// Groups by the cells of a column.
    #[must_use]
    pub fn new(column: impl Into<String>) -> Self {
        Self { column: column.into(), period: None, time_format: None }
    }

    /// The groups that these cells belong to.
    ///
    /// # Errors
    /// When none of the cells is a time.
    pub(super) fn groups(&self, cells: &StringChunked) -> Result<GroupCells> {
        let Some(period) = self.period else { return Ok(GroupCells { cells: cells.clone(), unreadable: None }) };
        let (mut count, mut first, mut read) = (0, None, false);
        let group = |cell: Option<&str>| {
            let text = cell?.trim();
            match Moment::read(text, self.time_format.as_deref()) {
                Ok(moment) => {
                    read = true;
                    period.label(&moment)
                }
                Err(error) => {
                    count += 1;
                    first.get_or_insert_with(|| (text.to_owned(), error.to_string()));
                    None
                }
            }
        };
        let groups: StringChunked = cells.iter().map(group).collect();
        match first {
            Some((cell, why)) if !read => {
                let column = &self.column;
                Err(Error::invalid(format!("column `{column}` has no time, but `{cell}`: {why}"))
                    .with_check(Check::TimeFormat))
            }
            first => {
                let unreadable =
                    first.map(|(example, _)| UnreadableTimes { column: self.column.clone(), count, example });
                Ok(GroupCells { cells: groups, unreadable })
            }
        }
    }
}

/// The groups of the cells of a column.
pub(super) struct GroupCells {
    pub(super) cells: StringChunked,
    pub(super) unreadable: Option<UnreadableTimes>,
}

/// Cells that are no times, whose calls are in a group of null.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnreadableTimes {
    /// Their column.
    pub column: String,
    /// Their number.
    pub count: usize,
    /// The first of them.
    pub example: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(text: &str, format: Option<&str>) -> Vec<String> {
        let moment = Moment::read(text, format).unwrap();
        Period::ALL.iter().map(|(_, period)| period.label(&moment).unwrap_or_default()).collect()
    }

    #[test]
    fn a_time_is_cut_as_it_is_written() {
        let monday = ["2026-10-05T09", "2026-10-05", "2026-W41", "2026-10", "1"];
        for text in ["2026-10-05T09:12:33.5+08:00", "2026-10-05 09:59", "2026-10-05T09:00:00Z", "20261005T091200"] {
            assert_eq!(groups(text, None), monday, "{text}");
        }
        assert_eq!(groups("5.10.2026 9:12", Some("%d.%m.%Y %H:%M")), monday);
        assert_eq!(groups("2026-10-05", None)[..2], ["", "2026-10-05"]);
        assert_eq!(groups("05/10/26", Some("%d/%m/%y"))[..2], ["", "2026-10-05"]);
        assert!(Moment::read("05.10.2026", None).is_err());
    }

    #[test]
    fn a_week_belongs_to_the_year_of_its_thursday() {
        assert_eq!(groups("2027-01-01", None)[2], "2026-W53");
        assert_eq!(groups("2025-12-29", None)[2], "2026-W01");
        assert_eq!(groups("2026-10-11", None)[4], "7");
    }

    #[test]
    fn a_year_has_four_digits() {
        assert_eq!(groups("0987-03-05", None)[1..4], ["0987-03-05", "0987-W10", "0987-03"]);
        assert_eq!(groups("-000044-03-15", None)[1..4], ["-000044-03-15", "-000044-W11", "-000044-03"]);
    }
}
