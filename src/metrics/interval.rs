//! Half-open intervals `[begin, end)` in whole ms, and unions of sorted ones.

/// A span of time, `begin <= end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Interval {
    /// ms from the start of the recording.
    pub begin: i64,
    /// The first ms after it.
    pub end: i64,
}

impl Interval {
    pub(crate) fn length(self) -> i64 {
        self.end - self.begin
    }

    /// The length of the part inside `[begin, end)`.
    pub(crate) fn length_within(self, begin: i64, end: i64) -> i64 {
        (self.end.min(end) - self.begin.max(begin)).max(0)
    }
}

/// The length of the union. `intervals` must be sorted by `begin`.
pub(crate) fn union_length(intervals: impl Iterator<Item = Interval>) -> i64 {
    let (mut length, mut reached) = (0, i64::MIN);
    for interval in intervals {
        if interval.end > reached {
            length += interval.end - interval.begin.max(reached);
            reached = interval.end;
        }
    }
    length
}

/// The union with gaps up to `gap` closed (definitions: burst). `intervals` must be sorted by `begin`.
#[cfg(feature = "analytics")]
pub(crate) fn joined(intervals: impl Iterator<Item = Interval>, gap: i64) -> Vec<Interval> {
    let mut bursts: Vec<Interval> = Vec::new();
    for interval in intervals {
        match bursts.last_mut() {
            Some(burst) if interval.begin - burst.end <= gap => burst.end = burst.end.max(interval.end),
            _ => bursts.push(interval),
        }
    }
    bursts
}

/// Why a pair of times is not an interval (definitions: time).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// One of the two is missing or not a number.
    Missing,
    /// The end is before the begin.
    Negative,
}

/// The interval clipped to `[0, limit]`. Both times are required, in order.
pub(crate) fn clean(begin: Option<i64>, end: Option<i64>, limit: i64) -> Result<Interval, Unusable> {
    let (Some(begin), Some(end)) = (begin, end) else { return Err(Unusable::Missing) };
    if end < begin {
        return Err(Unusable::Negative);
    }
    Ok(Interval { begin: begin.clamp(0, limit), end: end.clamp(0, limit) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_clipped_to_the_recording() {
        assert_eq!(clean(Some(-500), Some(200), 1000), Ok(Interval { begin: 0, end: 200 }));
        assert_eq!(clean(Some(900), Some(1500), 1000), Ok(Interval { begin: 900, end: 1000 }));
        assert_eq!(clean(Some(2000), Some(2500), 1000), Ok(Interval { begin: 1000, end: 1000 }));
        assert_eq!(clean(Some(2), Some(1), 1000), Err(Unusable::Negative));
        assert_eq!(clean(None, Some(1), 1000), Err(Unusable::Missing));
    }

    #[test]
    fn a_union_counts_nothing_twice() {
        let list = [(0, 10), (2, 5), (8, 12), (20, 21)].map(|(begin, end)| Interval { begin, end });
        assert_eq!(union_length(list.into_iter()), 13);
    }
}
