//! Percentiles in whole ms, without floats (definitions: percentile).

/// The `q`-th percentile (0–100) by linear interpolation between closest ranks, rounded half to even; `None` without
/// values.
///
/// ```
/// use talkmeter::metrics::percentile;
/// assert_eq!(percentile(&mut [200, -1700], 50), Some(-750));
/// assert_eq!(percentile(&mut [1, 2], 50), Some(2));
/// assert_eq!(percentile(&mut [], 50), None);
/// ```
#[must_use]
pub fn percentile(values: &mut [i64], q: usize) -> Option<i64> {
    values.sort_unstable();
    let rank = values.len().checked_sub(1)? * q;
    let (low, rest) = (rank / 100, (rank % 100) as i64);
    let below = *values.get(low)?;
    let above = values.get(low + 1).copied().unwrap_or(below);
    Some(divide_half_even(below * (100 - rest) + above * rest, 100))
}

/// `numerator / denominator` for a positive denominator, rounded half to even.
fn divide_half_even(numerator: i64, denominator: i64) -> i64 {
    let (whole, rest) = (numerator.div_euclid(denominator), numerator.rem_euclid(denominator));
    match (2 * rest).cmp(&denominator) {
        std::cmp::Ordering::Less => whole,
        std::cmp::Ordering::Greater => whole + 1,
        std::cmp::Ordering::Equal => whole + (whole & 1),
    }
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn ranks_between_values_are_interpolated_and_halves_go_to_even() {
        // 1, 2, 3, 4: the median lies half way between 2 and 3; the 90th at rank 2.7.
        assert_eq!(percentile(&mut [4, 1, 3, 2], 50), Some(2));
        assert_eq!(percentile(&mut [10, 20, 30, 40], 90), Some(37));
        assert_eq!(percentile(&mut [-1, -2], 50), Some(-2));
        assert_eq!(percentile(&mut [7], 90), Some(7));
    }
}
