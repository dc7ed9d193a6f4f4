//! When the calls were: the first of the user's columns that holds times.

use jiff::civil::Date;
use serde::Serialize;

use crate::tables::{Moment, OwnColumns, Period};

/// Up to this many days, a trend has a row per day.
const MOST_DAYS: i32 = 14;

/// Up to this many days, it has a row per week; then per month.
const MOST_DAYS_OF_WEEKS: i32 = 26 * 7;

/// From the first call to the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DateRange {
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
    /// In the order of the calls.
    moments: Vec<Option<Moment>>,
    first: Date,
    last: Date,
}

impl CallTimes {
    /// The first column of which every cell is a date or a time of ISO 8601.
    pub(super) fn find(own: &OwnColumns, calls: usize) -> Option<Self> {
        own.names().enumerate().find_map(|(column, name)| {
            let mut moments = Vec::with_capacity(calls);
            for call in 0..calls {
                moments.push(match own.cell(column, call) {
                    Some(cell) => Some(moment(&cell)?),
                    None => None,
                });
            }
            let days = || moments.iter().flatten().map(Moment::date);
            let (first, last) = (days().min()?, days().max()?);
            Some(Self { column: name.to_owned(), moments, first, last })
        })
    }

    pub(super) fn range(&self) -> DateRange {
        DateRange { column: self.column.clone(), first: self.first.to_string(), last: self.last.to_string() }
    }

    /// The length of the periods of a trend.
    pub(super) fn bucket(&self) -> Period {
        let days = self.last.duration_since(self.first).as_hours() / 24 + 1;
        match i32::try_from(days).unwrap_or(i32::MAX) {
            days if days <= MOST_DAYS => Period::Day,
            days if days <= MOST_DAYS_OF_WEEKS => Period::Week,
            _ => Period::Month,
        }
    }

    /// The period of each call, in the order of the calls.
    pub(super) fn labels(&self) -> Vec<Option<String>> {
        let bucket = self.bucket();
        self.moments.iter().map(|moment| bucket.label(moment.as_ref()?)).collect()
    }

    /// What calls are filtered by to see those of a period: `started:week`.
    pub(super) fn filter(&self) -> String {
        format!("{}:{}", self.column, self.bucket().name())
    }

    pub(super) fn column(&self) -> &str {
        &self.column
    }
}

/// A time as written. What has no dashes may be a number.
fn moment(cell: &str) -> Option<Moment> {
    let has_dash = cell.as_bytes().get(4) == Some(&b'-');
    has_dash.then(|| Moment::read(cell, None).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_written() {
        let read = |cell: &str| moment(cell).map(|moment| moment.date().to_string()).unwrap_or_default();
        for cell in ["2026-03-05", "2026-03-05T23:41:19Z", "2026-03-05 23:41", "2026-03-05T23:41:19.5-08:00"] {
            assert_eq!(read(cell), "2026-03-05", "{cell}");
        }
        for cell in ["20260305", "7", "2026-13-05", "2026-03-05 o'clock", ""] {
            assert_eq!(read(cell), "", "{cell}");
        }
    }
}
