//! When the calls were: the first of the user's columns that holds times.

use jiff::civil::{Date, DateTime};
use serde::Serialize;

use crate::tables::OwnColumns;

/// Up to this many days, a trend has a row per day.
const MOST_DAYS: i32 = 14;

/// Up to this many days, it has a row per week; then per month.
const MOST_DAYS_OF_WEEKS: i32 = 26 * 7;

/// From the first call to the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Period {
    /// The user's column.
    pub column: String,
    /// The first day, as `2026-10-05`.
    pub first: String,
    /// The last day.
    pub last: String,
}

/// The time of each call.
pub(super) struct CallTimes {
    column: String,
    /// The day of each call, in the order of the calls.
    days: Vec<Option<Date>>,
    first: Date,
    last: Date,
}

/// The length of the periods of a trend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Bucket {
    /// A day: `2026-10-05`.
    Day,
    /// A week by ISO 8601, from Monday: `2026-W41`.
    Week,
    /// A month: `2026-10`.
    Month,
}

impl Bucket {
    /// `day`, `week` or `month`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    fn label(self, day: Date) -> String {
        match self {
            Self::Day => day.to_string(),
            Self::Week => {
                let week = day.iso_week_date();
                format!("{}-W{:02}", week.year(), week.week())
            }
            Self::Month => format!("{}-{:02}", day.year(), day.month()),
        }
    }
}

impl CallTimes {
    /// The first column of which every cell is a date or a time of ISO 8601.
    pub(super) fn find(own: &OwnColumns, calls: usize) -> Option<Self> {
        own.names().enumerate().find_map(|(column, name)| {
            let mut days = Vec::with_capacity(calls);
            for call in 0..calls {
                days.push(match own.cell(column, call) {
                    Some(cell) => Some(day(&cell)?),
                    None => None,
                });
            }
            let (first, last) = (*days.iter().flatten().min()?, *days.iter().flatten().max()?);
            Some(Self { column: name.to_owned(), days, first, last })
        })
    }

    pub(super) fn period(&self) -> Period {
        Period { column: self.column.clone(), first: self.first.to_string(), last: self.last.to_string() }
    }

    /// The length of the periods of a trend.
    pub(super) fn bucket(&self) -> Bucket {
        let days = self.last.duration_since(self.first).as_hours() / 24 + 1;
        match i32::try_from(days).unwrap_or(i32::MAX) {
            days if days <= MOST_DAYS => Bucket::Day,
            days if days <= MOST_DAYS_OF_WEEKS => Bucket::Week,
            _ => Bucket::Month,
        }
    }

    /// The period of each call, in the order of the calls.
    pub(super) fn labels(&self) -> Vec<Option<String>> {
        let bucket = self.bucket();
        self.days.iter().map(|day| Some(bucket.label((*day)?))).collect()
    }

    /// What calls are filtered by to see those of a period: `started:week`.
    pub(super) fn filter(&self) -> String {
        format!("{}:{}", self.column, self.bucket().name())
    }

    pub(super) fn column(&self) -> &str {
        &self.column
    }
}

/// The day of a time as written; an offset is not converted.
fn day(cell: &str) -> Option<Date> {
    let bytes = cell.as_bytes();
    if bytes.get(4) != Some(&b'-') {
        return None;
    }
    let local = cell.strip_suffix(['Z', 'z']).unwrap_or(cell);
    local.parse::<DateTime>().ok().map(DateTime::date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_written() {
        let read = |cell: &str| day(cell).map(|day| day.to_string()).unwrap_or_default();
        for cell in ["2026-03-05", "2026-03-05T23:41:19Z", "2026-03-05 23:41", "2026-03-05T23:41:19.5-08:00"] {
            assert_eq!(read(cell), "2026-03-05", "{cell}");
        }
        for cell in ["20260305", "7", "2026-13-05", "2026-03-05 o'clock", ""] {
            assert_eq!(read(cell), "", "{cell}");
        }
    }

    #[test]
    fn weeks_are_those_of_the_calendar() {
        let label = |bucket: Bucket, cell: &str| bucket.label(day(cell).unwrap());
        assert_eq!(label(Bucket::Week, "2026-10-05"), "2026-W41");
        assert_eq!(label(Bucket::Week, "2027-01-03"), "2026-W53", "the Sunday after New Year");
        assert_eq!(label(Bucket::Month, "2026-10-05"), "2026-10");
    }
}
