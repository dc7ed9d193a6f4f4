//! How fractions of a second are rounded (definitions: reconciliation).

/// How fractions of a second are rounded. The service does not document it, and published examples fit several rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub enum Rounding {
    /// Round each track up: the upper bound of the rules.
    #[default]
    #[serde(rename = "up")]
    UpPerTrack,
    /// Round each track to the nearest second, halves up.
    #[serde(rename = "nearest")]
    NearestPerTrack,
    /// Round the sum over all tracks of a task up.
    #[serde(rename = "up-on-sum")]
    UpOnSum,
    /// Round the sum over all tracks of a task to the nearest second, halves up.
    #[serde(rename = "nearest-on-sum")]
    NearestOnSum,
}

impl Rounding {
    /// Every rule, the first of those that fit being preferred.
    pub const ALL: [Self; 4] = [Self::UpPerTrack, Self::NearestPerTrack, Self::UpOnSum, Self::NearestOnSum];

    /// `up`, `nearest`, `up-on-sum`, `nearest-on-sum`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UpPerTrack => "up",
            Self::NearestPerTrack => "nearest",
            Self::UpOnSum => "up-on-sum",
            Self::NearestOnSum => "nearest-on-sum",
        }
    }

    /// Billed seconds of one task, from the speech of each of its tracks in ms.
    ///
    /// ```
    /// use talkmeter::billing::Rounding;
    /// // The published examples: 5.57 s → 6, 3.72 s + 4.72 s → 9. All rules agree on the first, the last fails the second.
    /// assert_eq!(Rounding::ALL.map(|rule| rule.seconds(&[5570])), [6, 6, 6, 6]);
    /// assert_eq!(Rounding::ALL.map(|rule| rule.seconds(&[3720, 4720])), [9, 9, 9, 8]);
    /// // They differ for small fractions.
    /// assert_eq!(Rounding::ALL.map(|rule| rule.seconds(&[3100, 4300])), [9, 7, 8, 7]);
    /// ```
    #[must_use]
    pub fn seconds(self, tracks_ms: &[i64]) -> i64 {
        let sum = |parts: &mut dyn Iterator<Item = i64>| parts.fold(0, i64::saturating_add);
        let up = |ms: i64| ms.div_euclid(1000).saturating_add(i64::from(ms.rem_euclid(1000) > 0));
        let nearest = |ms: i64| ms.saturating_add(500).div_euclid(1000);
        let mut tracks = tracks_ms.iter().copied();
        match self {
            Self::UpPerTrack => sum(&mut tracks.map(up)),
            Self::NearestPerTrack => sum(&mut tracks.map(nearest)),
            Self::UpOnSum => up(sum(&mut tracks)),
            Self::NearestOnSum => nearest(sum(&mut tracks)),
        }
    }
}
