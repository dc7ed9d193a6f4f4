//! Estimate, recomputed actual, reported usage and a statement side by side, for each recording, with why they differ
//! (definitions: reconciliation):
//! of models that are billed by the second.

use rust_decimal::Decimal;

/// How parts of a second are counted. The service does not document it; published pairs fit several (definitions:
/// billed seconds).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Rounding {
    /// Begun seconds of each track: the upper bound of the readings.
    #[default]
    UpPerTrack,
    /// Half seconds and more of each track.
    NearestPerTrack,
    /// Begun seconds of all tracks of a recording together.
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

    /// Whole seconds of the tracks of one recording, in ms each.
    ///
    /// ```
    /// use talkmeter::billing::Rounding;
    /// // The published pairs: 5.57 s → 6, 3.72 s + 4.72 s → 9. All three rules give both.
    /// for rule in Rounding::ALL {
    ///     assert_eq!((rule.seconds(&[5570]), rule.seconds(&[3720, 4720])), (6, 9));
    /// }
    /// // They part where little is left over.
    /// assert_eq!(Rounding::ALL.map(|rule| rule.seconds(&[3100, 4100])), [9, 7, 8]);
    /// ```
    #[must_use]
    pub fn seconds(self, tracks_ms: &[i64]) -> i64 {
        let up = |ms: i64| ms.div_euclid(1000) + i64::from(ms.rem_euclid(1000) > 0);
        match self {
            Self::UpPerTrack => tracks_ms.iter().map(|ms| up(*ms)).sum(),
            Self::NearestPerTrack => tracks_ms.iter().map(|ms| (ms + 500).div_euclid(1000)).sum(),
            Self::UpOnSum => up(tracks_ms.iter().sum()),
        }
    }
}

/// What is known of the bill of one recording, in seconds; `None` = not known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// Its result file below the batch's results, or its name.
    pub file: String,
    /// The most it could be by the recording's stated length: the high estimate.
    pub estimate_high: Option<i64>,
    /// What is expected of its length.
    pub estimate: Option<i64>,
    /// Speech of each transcribed track in ms, by its result.
    pub tracks_ms: Vec<i64>,
    /// Whether there is a result.
    pub has_result: bool,
    /// Tracks that were asked for.
    pub tracks_asked: usize,
    /// As the service reported.
    pub usage: Option<i64>,
    /// As the provider's statement has it.
    pub statement: Option<i64>,
    /// Amount of the statement.
    pub statement_cost: Option<Decimal>,
    /// Why it has no result.
    pub failure: Option<String>,
    /// Submits that may have been billed.
    pub submits: u32,
}

impl Account {
    /// Recomputed from the result; `None` where there is none.
    #[must_use]
    pub fn actual(&self, rounding: Rounding) -> Option<i64> {
        self.has_result.then(|| rounding.seconds(&self.tracks_ms))
    }

    /// Why the figures differ: codes with what they mean, empty where they agree within a second (definitions:
    /// reconciliation).
    #[must_use]
    pub fn differences(&self, rounding: Rounding) -> Vec<String> {
        let mut why = Vec::new();
        let billed = self.statement.or(self.usage);
        let actual = self.actual(rounding);
        if let Some(code) = &self.failure {
            match billed {
                Some(seconds) if seconds > 0 => why.push(format!("failed subtask: {code}, but {seconds} s are billed")),
                _ => why.push(format!("failed subtask: {code}, not billed as far as is known")),
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
                why.push(format!("{billed} s are those of every submit"));
            } else if let Some(rule) = other {
                why.push(format!("rounding: {billed} s by the rule `{}`", rule.name()));
            } else if one_track {
                why.push(format!("channel: {billed} s are those of one of {} tracks", self.tracks_ms.len()));
            } else if self.tracks_asked != self.tracks_ms.len() {
                why.push(format!(
                    "channel: {} tracks were asked for, {} are in the result",
                    self.tracks_asked,
                    self.tracks_ms.len()
                ));
            } else if (billed - actual).abs() > 1 {
                why.push(format!("unexplained: {billed} s are billed, {actual} s are in the result"));
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
            why.push(format!("estimate: {billed} s are more than the {high} s that the length allows"));
        }
        why
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
        assert_eq!(why(&account(&[3100, 4100], 8)), "rounding: 8 s by the rule `up-on-sum`");
        assert_eq!(why(&account(&[3720, 14_720], 4)), "channel: 4 s are those of one of 2 tracks");
        assert_eq!(why(&account(&[3720], 12)), "unexplained: 12 s are billed, 4 s are in the result");
        let twice = Account { submits: 2, ..account(&[3720], 8) };
        assert_eq!(why(&twice), "duplicate submit: 2 submits may have been billed; 8 s are those of every submit");
        let failed = Account { failure: Some("DOWNLOAD_FAILED".into()), ..Account::default() };
        assert_eq!(why(&failed), "failed subtask: DOWNLOAD_FAILED, not billed as far as is known");
        let stated = Account { statement: Some(10), ..account(&[3720, 4720], 9) };
        assert_eq!(why(&stated), "rounding: within a second; statement: 10 s, the service reported 9 s");
    }
}
