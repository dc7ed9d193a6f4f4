//! The account of one recording by a model that is billed by the second: estimate, recomputed cost, reported usage and statement
//! side by side, with why they differ (definitions: reconciliation).

use rust_decimal::Decimal;

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
    /// Round the sum over all tracks of a recording up.
    #[serde(rename = "up-on-sum")]
    UpOnSum,
}

impl Rounding {
    /// Every rule.
    pub const ALL: [Self; 3] = [Self::UpPerTrack, Self::NearestPerTrack, Self::UpOnSum];

    /// `up`, `nearest`, `up-on-sum`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UpPerTrack => "up",
            Self::NearestPerTrack => "nearest",
            Self::UpOnSum => "up-on-sum",
        }
    }

    /// Billed seconds of one recording, from the speech of each track in ms.
    ///
    /// ```
    /// use talkmeter::billing::Rounding;
    /// // The published examples: 5.57 s → 6, 3.72 s + 4.72 s → 9. All three rules agree on both.
    /// for rule in Rounding::ALL {
    ///     assert_eq!((rule.seconds(&[5570]), rule.seconds(&[3720, 4720])), (6, 9));
    /// }
    /// // They differ for small fractions.
    /// assert_eq!(Rounding::ALL.map(|rule| rule.seconds(&[3100, 4100])), [9, 7, 8]);
    /// ```
    #[must_use]
    pub fn seconds(self, tracks_ms: &[i64]) -> i64 {
        let sum = |parts: &mut dyn Iterator<Item = i64>| parts.fold(0, i64::saturating_add);
        let up = |ms: i64| ms.div_euclid(1000).saturating_add(i64::from(ms.rem_euclid(1000) > 0));
        match self {
            Self::UpPerTrack => sum(&mut tracks_ms.iter().map(|ms| up(*ms))),
            Self::NearestPerTrack => sum(&mut tracks_ms.iter().map(|ms| ms.saturating_add(500).div_euclid(1000))),
            Self::UpOnSum => up(sum(&mut tracks_ms.iter().copied())),
        }
    }
}

/// What is known about the bill of one recording, in seconds; `None` = unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Account {
    /// Its result file relative to the batch's results, or its name.
    pub file: String,
    /// The high estimate: the stated length of the recording.
    pub estimate_high: Option<i64>,
    /// The expected estimate.
    pub estimate: Option<i64>,
    /// Speech of each transcribed track in ms, from the result.
    pub tracks_ms: Vec<i64>,
    /// Whether there is a result.
    pub has_result: bool,
    /// Number of requested tracks.
    pub tracks_asked: usize,
    /// As reported by the service.
    pub usage: Option<i64>,
    /// By the provider's statement.
    pub statement: Option<i64>,
    /// Amount on the statement.
    pub statement_cost: Option<Decimal>,
    /// Why it has no result.
    pub failure: Option<String>,
    /// Number of submits that may have been billed.
    pub submits: u32,
}

impl Account {
    /// Billed seconds recomputed from the result; `None` without a result.
    #[must_use]
    pub fn actual(&self, rounding: Rounding) -> Option<i64> {
        self.has_result.then(|| rounding.seconds(&self.tracks_ms))
    }

    /// Why the figures differ, as codes with explanations; empty if they agree within a second.
    #[must_use]
    pub fn differences(&self, rounding: Rounding) -> Vec<String> {
        let mut why = Vec::new();
        let billed = self.statement.or(self.usage);
        let actual = self.actual(rounding);
        if let Some(code) = &self.failure {
            match billed {
                Some(seconds) if seconds > 0 => why.push(format!("failed subtask: {code}, but {seconds} s are billed")),
                _ => why.push(format!("failed subtask: {code}, no charge known")),
            }
        }
        if self.submits > 1 {
            why.push(format!("duplicate submit: {} submits may have been billed", self.submits));
        }
        if let (Some(actual), Some(billed)) = (actual, billed)
            && actual != billed
        {
            let other = Rounding::ALL.into_iter().find(|rule| *rule != rounding && self.actual(*rule) == Some(billed));
            let twice = self.submits > 1 && billed == actual.saturating_mul(self.submits.into());
            let one_track =
                self.tracks_ms.len() > 1 && self.tracks_ms.iter().any(|ms| rounding.seconds(&[*ms]) == billed);
            if twice {
                why.push(format!("{billed} s are the sum over all submits"));
            } else if let Some(rule) = other {
                why.push(format!("rounding: {billed} s by rule `{}`", rule.name()));
            } else if one_track {
                why.push(format!("track: {billed} s match one of {} tracks", self.tracks_ms.len()));
            } else if self.tracks_asked != self.tracks_ms.len() {
                why.push(format!(
                    "track: {} tracks were requested, {} are in the result",
                    self.tracks_asked,
                    self.tracks_ms.len()
                ));
            } else if billed.abs_diff(actual) > 1 {
                why.push(format!("unexplained: {billed} s are billed, the result has {actual} s"));
            } else {
                why.push("rounding: within a second".to_owned());
            }
        }
        if let (Some(usage), Some(statement)) = (self.usage, self.statement)
            && usage != statement
        {
            why.push(format!("statement: {statement} s, the service reported {usage} s"));
        }
        if let (Some(high), Some(billed)) = (self.estimate_high, billed)
            && billed > high
        {
            why.push(format!("estimate: {billed} s exceed the upper bound of {high} s"));
        }
        why
    }

    /// Whether the bill differs from the result by more than a second, or may have been paid twice.
    #[must_use]
    pub fn is_different(&self, rounding: Rounding) -> bool {
        let billed = self.statement.or(self.usage).zip(self.actual(rounding));
        billed.is_some_and(|(billed, actual)| billed.abs_diff(actual) > 1) || self.submits > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(tracks_ms: &[i64], usage: i64) -> Account {
        Account {
            tracks_ms: tracks_ms.to_vec(),
            has_result: true,
            tracks_asked: tracks_ms.len(),
            usage: Some(usage),
            submits: 1,
            ..Account::default()
        }
    }

    #[test]
    fn each_difference_has_its_reason() {
        let why = |account: &Account| account.differences(Rounding::UpPerTrack).join("; ");
        assert_eq!(why(&account(&[3720, 4720], 9)), "");
        assert_eq!(why(&account(&[3100, 4100], 8)), "rounding: 8 s by rule `up-on-sum`");
        assert_eq!(why(&account(&[3720, 14_720], 4)), "track: 4 s match one of 2 tracks");
        assert_eq!(why(&account(&[3720], 12)), "unexplained: 12 s are billed, the result has 4 s");
        let twice = Account { submits: 2, ..account(&[3720], 8) };
        assert_eq!(why(&twice), "duplicate submit: 2 submits may have been billed; 8 s are the sum over all submits");
        let failed = Account { failure: Some("DOWNLOAD_FAILED".into()), ..Account::default() };
        assert_eq!(why(&failed), "failed subtask: DOWNLOAD_FAILED, no charge known");
        let stated = Account { statement: Some(10), ..account(&[3720, 4720], 9) };
        assert_eq!(why(&stated), "rounding: within a second; statement: 10 s, the service reported 9 s");
    }
}
