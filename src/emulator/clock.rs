//! The emulator's clock: starts at the machine's time, can run faster and be moved forward. Times in the service's formats.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

/// Milliseconds since 1970 on the emulator's clock.
pub(super) type Millis = i64;

/// Lifetimes of ids, links, policies and tasks are multiples of this.
pub(super) const HOUR: Millis = 3_600_000;

/// It stops at the end of the year 9998: every lifetime added to it can still be written as a date.
const LAST: Millis = 253_370_764_799_999;

/// A clock that runs at a multiple of real time.
#[derive(Debug)]
pub(super) struct Clock {
    origin: Millis,
    started: Instant,
    speed: f64,
    moved: AtomicI64,
}

impl Clock {
    pub(super) fn new(speed: f64) -> Self {
        let origin = Timestamp::now().as_millisecond();
        Self { origin, started: Instant::now(), speed, moved: AtomicI64::new(0) }
    }

    pub(super) fn now(&self) -> Millis {
        let elapsed = self.started.elapsed().as_secs_f64() * 1000.0 * self.speed;
        #[expect(clippy::cast_possible_truncation, reason = "saturates, centuries from now")]
        let elapsed = elapsed as i64;
        self.origin.saturating_add(elapsed).saturating_add(self.moved.load(Ordering::Relaxed)).min(LAST)
    }

    /// Moves the clock forward at once.
    pub(super) fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        let _ = self.moved.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |moved| Some(moved.saturating_add(by)));
    }
}

fn timestamp(at: Millis) -> Timestamp {
    Timestamp::from_millisecond(at).unwrap_or_default()
}

/// The service uses Beijing time, which has no daylight saving.
fn beijing() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(8))
}

/// `2026-03-02 14:05:11.201`, UTC+8.
pub(super) fn wall(at: Millis) -> String {
    timestamp(at).to_zoned_datetime(beijing()).strftime("%Y-%m-%d %H:%M:%S.%3f").to_string()
}

/// `2026-03-02 14:05:11`, UTC+8.
pub(super) fn wall_seconds(at: Millis) -> String {
    timestamp(at).to_zoned_datetime(beijing()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `2026-03-02`, UTC+8.
pub(super) fn wall_date(at: Millis) -> String {
    timestamp(at).to_zoned_datetime(beijing()).strftime("%Y-%m-%d").to_string()
}

/// The `Date` header.
pub(super) fn http_date(at: Millis) -> String {
    timestamp(at).to_zoned_datetime(TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// `2026-03-02T06:05:11.201Z`, as upload policies have it.
pub(super) fn zulu(at: Millis) -> String {
    timestamp(at).to_zoned_datetime(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// Parses `YYYYMMDDhhmmss`. Its time zone is undocumented; the service's other times are UTC+8.
pub(super) fn compact(text: &str) -> Option<Millis> {
    if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let time = civil::DateTime::strptime("%Y%m%d%H%M%S", text).ok()?;
    Some(time.to_zoned_datetime(beijing()).ok()?.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_the_service_writes_them() {
        let at = 1_772_431_511_201;
        assert_eq!(wall(at), "2026-03-02 14:05:11.201");
        assert_eq!(http_date(at), "Mon, 02 Mar 2026 06:05:11 GMT");
        assert_eq!(compact("20260302140511"), Some(1_772_431_511_000));
        assert_eq!(compact("2026030214051"), None);
        assert_eq!(compact("20261302140511"), None);
    }

    #[test]
    fn the_clock_can_be_moved() {
        let clock = Clock::new(1.0);
        let before = clock.now();
        clock.advance(Duration::from_secs(86_400));
        assert!(clock.now() - before >= 86_400_000);
        clock.advance(Duration::MAX);
        clock.advance(Duration::MAX);
        assert_eq!(http_date(clock.now()), "Thu, 31 Dec 9998 23:59:59 GMT");
    }
}
