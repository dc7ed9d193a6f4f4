//! Lengths of time in a rule file, and the windows made of them.

use crate::metrics::Interval;

/// Longest length, about 30 years: sums of such numbers do not overflow.
const LONGEST_MS: i64 = 1_000_000_000_000;

/// A length as a rule gives it: `90s`, `500ms`, `2m`, or `25%` of the span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    Ms(i64),
    /// Numerator and denominator.
    Share(i64, i64),
}

impl Length {
    /// A number is ms.
    pub(crate) fn from_ms(ms: i64) -> Option<Self> {
        (0..=LONGEST_MS).contains(&ms).then_some(Self::Ms(ms))
    }

    /// `500ms`, `1.5s`, `2m`, `25%`; fractions of a ms are cut off.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("%", 0)];
        let (number, unit) =
            units.into_iter().find_map(|(unit, ms)| Some((text.strip_suffix(unit)?.trim_end(), ms)))?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || whole.len() > 12 || fraction.len() > 3 {
            return None;
        }
        let scale = 10_i64.pow(fraction.len() as u32);
        let number = whole.parse::<i64>().ok()?.checked_mul(scale)?.checked_add(fraction.parse().ok()?)?;
        if unit == 0 {
            return (number <= 100 * scale).then_some(Self::Share(number, 100 * scale));
        }
        Self::from_ms(number.checked_mul(unit)? / scale)
    }

    fn ms(self, span_ms: i64) -> i64 {
        match self {
            Self::Ms(ms) => ms,
            Self::Share(part, whole) => (i128::from(span_ms) * i128::from(part) / i128::from(whole.max(1))) as i64,
        }
    }
}

/// The part of a call in which a condition looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Window {
    /// Everything, text without a time included.
    #[default]
    Whole,
    First(Length),
    Last(Length),
    /// Without the second, to the end of the span.
    Between(Length, Option<Length>),
}

impl Window {
    /// Whether a hit is inside, by its begin; one without a time lies in no window.
    pub(crate) fn contains(self, span: Interval, begin_ms: Option<i64>) -> bool {
        let Some((from, to)) = self.bounds(span) else { return true };
        begin_ms.is_some_and(|begin| (from..to).contains(&begin))
    }

    /// The part of the span that is searched.
    pub(crate) fn within(self, span: Interval) -> Interval {
        let (from, to) = self.bounds(span).unwrap_or((span.begin, span.end));
        let begin = from.clamp(span.begin, span.end);
        Interval { begin, end: to.clamp(begin, span.end) }
    }

    /// Whether no call can have anything inside.
    pub(crate) fn is_empty(self) -> bool {
        let is_zero = |length: Length| matches!(length, Length::Ms(0) | Length::Share(0, _));
        match self {
            Self::Whole => false,
            Self::First(length) | Self::Last(length) => is_zero(length),
            Self::Between(from, to) => match (from, to) {
                (Length::Ms(from), Some(Length::Ms(to))) => from >= to,
                (Length::Share(part, whole), Some(Length::Share(of, all))) => {
                    i128::from(part) * i128::from(all) >= i128::from(of) * i128::from(whole)
                }
                (Length::Share(part, whole), None) => part >= whole,
                (_, Some(to)) => is_zero(to),
                (Length::Ms(_), None) => false,
            },
        }
    }

    fn bounds(self, span: Interval) -> Option<(i64, i64)> {
        let ms = |length: Length| length.ms(span.length());
        Some(match self {
            Self::Whole => return None,
            Self::First(length) => (span.begin, span.begin + ms(length)),
            Self::Last(length) => (span.end - ms(length), span.end),
            Self::Between(from, to) => (span.begin + ms(from), to.map_or(span.end, |to| span.begin + ms(to))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_exactly_or_not_at_all() {
        for (text, ms) in [("500ms", 500), ("90s", 90_000), ("2m", 120_000), ("1.5s", 1500), ("0.0s", 0), ("7 s", 7000)]
        {
            assert_eq!(Length::from_text(text), Some(Length::Ms(ms)), "{text}");
        }
        assert_eq!(Length::from_text("12.5%").map(|length| length.ms(1001)), Some(125));
        for text in ["", "s", "-1s", "1e3s", "101%", "1h", "90", "1.s", ".5s", "99999999999999s", "1,5s"] {
            assert_eq!(Length::from_text(text), None, "{text}");
        }
    }

    #[test]
    fn windows_are_counted_from_the_begin_of_the_span_and_half_open() {
        let span = Interval { begin: 1000, end: 11_000 };
        let inside =
            |window: Window| (0..12_000).filter(|&begin| window.contains(span, Some(begin))).collect::<Vec<i64>>();
        let reach = |window: Window| inside(window).first().copied().zip(inside(window).last().copied());
        let share = |percent| Length::Share(percent, 100);
        assert_eq!(reach(Window::First(Length::Ms(500))), Some((1000, 1499)));
        assert_eq!(reach(Window::Last(share(25))), Some((8500, 10_999)));
        assert_eq!(reach(Window::Between(share(50), None)), Some((6000, 10_999)));
        assert_eq!(reach(Window::Between(Length::Ms(0), Some(share(10)))), Some((1000, 1999)));
        assert!(!Window::First(Length::Ms(500)).contains(span, None) && Window::Whole.contains(span, None));
        assert_eq!(Window::Last(Length::Ms(60_000)).within(span), span);
        assert_eq!(Window::Between(Length::Ms(20_000), None).within(span), Interval { begin: 11_000, end: 11_000 });
    }

    #[test]
    fn a_window_that_is_always_empty_is_recognised() {
        let share = |percent| Length::Share(percent, 100);
        assert!(Window::First(Length::Ms(0)).is_empty());
        assert!(Window::Between(Length::Ms(5), Some(Length::Ms(5))).is_empty());
        assert!(Window::Between(share(50), Some(share(25))).is_empty() && Window::Between(share(100), None).is_empty());
        assert!(!Window::Between(share(50), Some(Length::Ms(1))).is_empty());
        assert!(!Window::Between(Length::Ms(500), None).is_empty());
    }
}
