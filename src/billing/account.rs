//! The account of what a row of a statement stands for, by a model that is billed by the second: estimate, recomputed cost,
//! reported usage and statement side by side, with why they differ (definitions: reconciliation).

use rust_decimal::Decimal;

use super::money::checked_sum;
use super::prices::UnitPrice;
use super::rounding::Rounding;
use super::verdict::Standing;

/// By what a bill is held against results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Terms {
    /// How the seconds of results are rounded.
    pub rounding: Rounding,
    /// The most seconds by which a row may differ, and as much as that many seconds cost its amount.
    pub tolerance_seconds: Decimal,
    /// How exactly the statement prints amounts: half its last decimal.
    pub half_decimal: Decimal,
    /// Whether there is a statement; without one the usage that the service reported stands for it.
    pub has_statement: bool,
}

/// The speech that one task is billed for; of a flash call the length of its clip.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct TaskSpeech {
    /// Each transcribed track, in ms.
    pub tracks_ms: Vec<i64>,
    /// List price of one second, as [`Account::unit`].
    pub unit: Option<UnitPrice>,
}

/// What is known about the bill of a recording, or of all those that one row of a statement counts, in seconds; `None` =
/// unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Account {
    /// A result file relative to the batch's results, or its name; a task, a day, a month.
    pub key: String,
    /// Number of recordings.
    pub recordings: usize,
    /// The high estimate: the stated length of the recordings.
    pub estimate_high: Option<i64>,
    /// The expected estimate.
    pub estimate: Option<i64>,
    /// List price of one second; `None` = amounts cannot be compared: unknown, in another currency than the statement, or not
    /// the same for all recordings.
    pub unit: Option<UnitPrice>,
    /// From the results.
    pub tasks: Vec<TaskSpeech>,
    /// Number of recordings with a result whose speech is known.
    pub results: usize,
    /// Number of requested tracks.
    pub tracks_asked: usize,
    /// As reported by the service.
    pub usage: Option<i64>,
    /// Whether the statement has a row for it.
    pub is_stated: bool,
    /// By the provider's statement.
    pub statement: Option<i64>,
    /// Amount on the statement.
    pub statement_cost: Option<Decimal>,
    /// Why recordings have no result and never will.
    pub failures: Vec<String>,
    /// Number of submits that may have been billed.
    pub submits: u32,
}

impl Account {
    /// Billed seconds recomputed from the results; `None` without any result.
    #[must_use]
    pub fn actual(&self, rounding: Rounding) -> Option<i64> {
        let seconds = self.tasks.iter().map(|task| rounding.seconds(&task.tracks_ms)).fold(0, i64::saturating_add);
        (self.results > 0).then_some(seconds)
    }

    /// The cost of [`Account::actual`] at list price; `None` if that or a price is unknown.
    #[must_use]
    pub fn actual_cost(&self, rounding: Rounding) -> Option<Decimal> {
        self.actual(rounding)?;
        checked_sum(self.tasks.iter().map(|task| task.unit?.cost(rounding.seconds(&task.tracks_ms))))
    }

    /// What should be billed: failures nothing. `None` = some results are not there yet, or cannot be read.
    #[must_use]
    pub fn due(&self, rounding: Rounding) -> Option<i64> {
        let is_known = self.results.saturating_add(self.failures.len()) >= self.recordings;
        is_known.then(|| self.actual(rounding).unwrap_or(0))
    }

    /// The seconds that are billed: by the statement, or without one as reported.
    fn billed(&self, terms: &Terms) -> Option<i64> {
        if terms.has_statement { self.statement } else { self.usage }
    }

    /// The tracks of a recording that is alone.
    fn tracks_ms(&self) -> &[i64] {
        match &self.tasks[..] {
            [task] if self.recordings == 1 => &task.tracks_ms,
            _ => &[],
        }
    }

    /// Whether a rule explains what is billed exactly; `None` = nothing to explain.
    #[must_use]
    pub fn is_explained(&self, terms: &Terms, rounding: Rounding) -> Option<bool> {
        let due = self.due(rounding).filter(|_| self.results > 0)?;
        match (self.billed(terms), self.statement_cost.zip(self.actual_cost(rounding))) {
            (Some(billed), _) => Some(billed == due),
            (None, Some((cost, due))) => Some(within(cost, Some(due), terms.half_decimal)),
            _ => None,
        }
    }

    /// Whether the bill agrees with the results.
    #[must_use]
    pub fn standing(&self, terms: &Terms) -> Standing {
        let due = self.due(terms.rounding);
        let is_off = |seconds: i64| match due {
            Some(due) => Decimal::from(seconds.abs_diff(due)) > terms.tolerance_seconds,
            None => true,
        };
        let differs = if !terms.has_statement {
            self.results > 0 && self.usage.is_some_and(is_off) || self.recordings == 1 && self.submits > 1
        } else if self.is_stated {
            let is_empty = self.statement.is_none() && self.statement_cost.is_none();
            is_empty || self.statement.is_some_and(is_off) || self.is_price_off(terms)
        } else if due.is_some_and(|seconds| seconds > 0) {
            return Standing::NotBilled;
        } else {
            false
        };
        match differs {
            true => Standing::Differs,
            false if self.is_not_priced(terms) => Standing::NotCompared,
            false => Standing::Agrees,
        }
    }

    /// Whether it has an amount, and no list price to compare it with.
    fn is_not_priced(&self, terms: &Terms) -> bool {
        self.statement_cost.is_some() && self.list_cost(terms).is_none()
    }

    /// The amount for its own seconds at list price, or for its results if it states none or they have several prices.
    fn list_cost(&self, terms: &Terms) -> Option<Decimal> {
        match self.unit {
            Some(unit) => unit.cost(self.statement.or_else(|| self.due(terms.rounding))?),
            None => self.due(terms.rounding).and_then(|_| self.actual_cost(terms.rounding)),
        }
    }

    /// Whether its amount is not that of its own seconds, or of its results if it states none; an amount alone without a
    /// price to compare it with agrees with nothing.
    fn is_price_off(&self, terms: &Terms) -> bool {
        let Some(cost) = self.statement_cost else { return false };
        let Some(list) = self.list_cost(terms) else { return self.statement.is_none() };
        let units = self.unit.into_iter().chain(self.tasks.iter().filter_map(|task| task.unit));
        let dearest = units.map(|unit| unit.amount).max().unwrap_or_default();
        let tolerance = terms.tolerance_seconds.checked_mul(dearest);
        let tolerance = tolerance.and_then(|tolerance| tolerance.checked_add(terms.half_decimal));
        tolerance.is_none_or(|tolerance| !within(cost, Some(list), tolerance))
    }

    /// Why the figures differ, as codes with explanations; empty if they agree exactly.
    #[must_use]
    pub fn differences(&self, terms: &Terms) -> Vec<String> {
        let rounding = terms.rounding;
        let mut why = Vec::new();
        let billed = self.billed(terms);
        let due = self.actual(rounding);
        match &self.failures[..] {
            [code] if self.recordings == 1 => match billed {
                Some(seconds) if seconds > 0 => why.push(format!("failed subtask: {code}, but {seconds} s are billed")),
                _ => why.push(format!("failed subtask: {code}, no charge known")),
            },
            [] => {}
            failures => why.push(format!("failed: {} of {} recordings", failures.len(), self.recordings)),
        }
        if self.recordings == 1 && self.submits > 1 {
            why.push(format!("duplicate submit: {} submits may have been billed", self.submits));
        }
        let missing = self.recordings.saturating_sub(self.results).saturating_sub(self.failures.len());
        if missing > 0 && billed.is_some() {
            why.push(format!("result: {missing} of {} missing", self.recordings));
        }
        if let (Some(due), Some(billed)) = (due, billed)
            && due != billed
        {
            why.push(self.difference(rounding, due, billed));
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
        let seconds = self.statement.or_else(|| self.due(rounding));
        if let Some(cost) = self.statement_cost.map(|cost| cost.normalize()) {
            match (self.list_cost(terms), seconds) {
                (None, None) => why.push(format!("price: {cost} billed, nothing to compare it with")),
                (None, Some(_)) => why.push(format!("price: {cost} billed, no price to compare it with")),
                (Some(list), Some(seconds)) if self.is_price_off(terms) => {
                    why.push(format!("price: {cost} billed for {seconds} s, {} at list price", list.normalize()));
                }
                _ => {}
            }
        } else if self.is_stated && self.statement.is_none() {
            why.push("statement: neither seconds nor an amount".to_owned());
        }
        if terms.has_statement && !self.is_stated && self.due(rounding).is_some_and(|due| due > 0) {
            why.push("not billed: no row of the statement".to_owned());
        }
        why
    }

    /// Why the seconds billed are not those that the results come to.
    fn difference(&self, rounding: Rounding, due: i64, billed: i64) -> String {
        let tracks = self.tracks_ms();
        let other = Rounding::ALL.into_iter().find(|rule| *rule != rounding && self.actual(*rule) == Some(billed));
        if self.recordings == 1 && self.submits > 1 && billed == due.saturating_mul(self.submits.into()) {
            format!("{billed} s are the sum over all submits")
        } else if let Some(rule) = other {
            format!("rounding: {billed} s by rule `{}`", rule.name())
        } else if tracks.len() > 1 && tracks.iter().any(|ms| rounding.seconds(&[*ms]) == billed) {
            format!("track: {billed} s match one of {} tracks", tracks.len())
        } else if self.recordings == 1 && self.tracks_asked != tracks.len() {
            format!("track: {} tracks were requested, {} are in the result", self.tracks_asked, tracks.len())
        } else if billed.abs_diff(due) > 1 {
            let results = if self.recordings == 1 { "the result has" } else { "the results have" };
            format!("unexplained: {billed} s are billed, {results} {due} s")
        } else {
            "rounding: within a second".to_owned()
        }
    }
}

/// Whether a billed amount is a computed one, give or take so much; not if that exceeds what a decimal holds.
fn within(billed: Decimal, computed: Option<Decimal>, tolerance: Decimal) -> bool {
    computed.and_then(|computed| billed.checked_sub(computed)).is_some_and(|off| off.abs() <= tolerance)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::billing::{Meter, Prices};
    use crate::catalog::Region;

    pub(in crate::billing) fn terms(has_statement: bool) -> Terms {
        Terms {
            rounding: Rounding::UpPerTrack,
            tolerance_seconds: Decimal::ONE,
            half_decimal: Decimal::new(5, 6),
            has_statement,
        }
    }

    fn account(tracks_ms: &[i64], usage: i64) -> Account {
        // 0.00022 CNY
        let unit = Prices::builtin().unit("fun-asr", Region::Cn, Meter::Speech);
        Account {
            recordings: 1,
            unit,
            tasks: vec![TaskSpeech { tracks_ms: tracks_ms.to_vec(), unit }],
            results: 1,
            tracks_asked: tracks_ms.len(),
            usage: Some(usage),
            submits: 1,
            ..Account::default()
        }
    }

    fn without_price(tasks: Vec<TaskSpeech>) -> Vec<TaskSpeech> {
        tasks.into_iter().map(|task| TaskSpeech { unit: None, ..task }).collect()
    }

    #[test]
    fn each_difference_has_its_reason() {
        let why = |account: &Account| account.differences(&terms(account.is_stated)).join("; ");
        assert_eq!(why(&account(&[3720, 4720], 9)), "");
        assert_eq!(why(&account(&[3100, 4100], 8)), "rounding: 8 s by rule `up-on-sum`");
        assert_eq!(why(&account(&[3720, 14_720], 4)), "track: 4 s match one of 2 tracks");
        assert_eq!(why(&account(&[3720], 12)), "unexplained: 12 s are billed, the result has 4 s");
        let twice = Account { submits: 2, ..account(&[3720], 8) };
        assert_eq!(why(&twice), "duplicate submit: 2 submits may have been billed; 8 s are the sum over all submits");
        let failed = Account { recordings: 1, failures: vec!["DOWNLOAD_FAILED".into()], ..Account::default() };
        assert_eq!(why(&failed), "failed subtask: DOWNLOAD_FAILED, no charge known");
        let stated = Account { is_stated: true, statement: Some(10), ..account(&[3720, 4720], 9) };
        assert_eq!(why(&stated), "rounding: within a second; statement: 10 s, the service reported 9 s");
    }

    #[test]
    fn seconds_and_amount_are_held_against_the_results_each_by_itself() {
        let row = |statement: Option<i64>, cost: Option<&str>| Account {
            is_stated: true,
            statement,
            statement_cost: cost.map(|cost| cost.parse().unwrap()),
            ..account(&[3720, 4720], 9)
        };
        let standing = |row: Account| row.standing(&terms(true));
        for (seconds, cost) in [(Some(9), None), (Some(10), None), (Some(9), Some("0.00198")), (None, Some("0.00198"))]
        {
            assert_eq!(standing(row(seconds, cost)), Standing::Agrees, "{seconds:?} {cost:?}");
        }
        // At twice the price; eleven seconds; the price of eleven; no figure at all.
        for (seconds, cost) in [
            (Some(9), Some("0.00396")),
            (Some(11), None),
            (None, Some("0.00242")),
            (Some(9), Some("-0.00198")),
            (None, None),
        ] {
            assert_eq!(standing(row(seconds, cost)), Standing::Differs, "{seconds:?} {cost:?}");
        }
        // Printed to the cent, it can only agree to the cent.
        let cents = Terms { half_decimal: Decimal::new(5, 3), ..terms(true) };
        assert_eq!(row(Some(9), Some("0.00")).standing(&cents), Standing::Agrees);
        assert_eq!(row(Some(9), Some("0.01")).standing(&cents), Standing::Differs);
        // Without a price, an amount agrees with nothing.
        let unpriced = |row: Account| Account { unit: None, tasks: without_price(row.tasks), ..row };
        assert_eq!(standing(unpriced(row(Some(9), None))), Standing::Agrees);
        assert_eq!(standing(unpriced(row(Some(9), Some("5")))), Standing::NotCompared);
        assert_eq!(standing(unpriced(row(Some(99), Some("5")))), Standing::Differs);
        assert_eq!(standing(unpriced(row(None, Some("0.00198")))), Standing::Differs);
        // Of two prices, the amount is that of the results: 9 s at 0.00022 and 10 s at 0.0001.
        let mixed = |cost: &str| {
            let mut row = Account { unit: None, recordings: 2, results: 2, ..row(Some(19), Some(cost)) };
            let unit = row.tasks[0].unit.map(|unit| UnitPrice { amount: Decimal::new(1, 4), ..unit });
            row.tasks.push(TaskSpeech { tracks_ms: vec![9_400], unit });
            row
        };
        assert_eq!(standing(mixed("0.00298")), Standing::Agrees);
        assert_eq!(standing(mixed("0.00596")), Standing::Differs);
        assert_eq!(standing(Account { is_stated: false, ..row(None, None) }), Standing::NotBilled);
        // Nothing is due for a failure, and nothing can be said before there is a result.
        let failed = Account { results: 0, tasks: Vec::new(), failures: vec!["GONE".into()], ..row(Some(0), None) };
        assert_eq!(standing(failed.clone()), Standing::Agrees);
        assert_eq!(standing(Account { statement: Some(9), ..failed.clone() }), Standing::Differs);
        assert_eq!(standing(Account { failures: Vec::new(), ..failed }), Standing::Differs);
    }
}
