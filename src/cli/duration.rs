//! Durations on the command line.

use std::time::Duration;

/// Parses `90`, `60s`, `30m`, `2h`: whole numbers, seconds by default, up to a week.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let units = [("s", 1), ("m", 60), ("h", 3600)];
    let known = units.into_iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)));
    let (number, factor) = known.unwrap_or((text, 1));
    let seconds = number.trim().parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    let seconds = seconds.filter(|seconds| *seconds <= 7 * 86_400);
    seconds.map(Duration::from_secs).ok_or_else(|| "must be a length such as 60s, 30m or 2h, up to a week".to_owned())
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn a_length_is_a_whole_number_with_a_unit() {
        for (text, seconds) in [("90", 90), ("60s", 60), ("30m", 1800), ("2h", 7200), ("0", 0)] {
            assert_eq!(duration(text).unwrap().as_secs(), seconds, "{text}");
        }
        for text in ["", "s", "-1s", "1.5h", "1d", "1 week", "169h", "99999999999999999999h", "18446744073709551615h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
