//! Times: the clock as a trait, so that batches and tests can bring their own, and lengths in words.

use jiff::Timestamp;

/// A source of the current time.
pub trait Clock: std::fmt::Debug + Send + Sync {
    /// The current time.
    fn now(&self) -> Timestamp;
}

/// The clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A length in a sentence, to the second from a minute on: `250 ms`, `3 s`, `2.5 s`, `17 min 45 s`, `12 h 1 s`.
///
/// ```
/// use talkmeter::time::span;
/// assert_eq!([span(0), span(250), span(3000), span(2520)], ["0 s", "250 ms", "3 s", "2.5 s"]);
/// assert_eq!([span(59_990), span(1_065_000), span(3_720_000)], ["1 min", "17 min 45 s", "1 h 2 min"]);
/// assert_eq!(span(43_201_000), "12 h 1 s");
/// ```
#[must_use]
pub fn span(ms: i64) -> String {
    match ms {
        1..1000 => format!("{ms} ms"),
        ..60_000 if ms % 1000 == 0 => format!("{} s", ms / 1000),
        ..59_950 => format!("{:.1} s", ms as f64 / 1000.0),
        _ => {
            let seconds = ms.saturating_add(500) / 1000;
            let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
            let parts = parts.into_iter().filter(|(number, _)| *number > 0);
            parts.map(|(number, unit)| format!("{number} {unit}")).collect::<Vec<_>>().join(" ")
        }
    }
}

/// The same for whole seconds.
pub(crate) fn span_of_seconds(seconds: u64) -> String {
    span(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000))
}
