//! Calls counted by rule.

use serde::{Deserialize, Serialize};

use crate::metrics::RuleRow;
use crate::rules::Rules;

/// How many calls a rule matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RuleCalls {
    /// The rule's id.
    pub rule: String,
    /// What it means, for people.
    pub name: String,
    /// `info`, `notice` or `serious`.
    pub severity: String,
    /// Number of calls that it matched.
    pub calls: u64,
    /// Number of calls in which it is not known.
    pub unknown: u64,
    /// Number of hits.
    pub hits: u64,
}

impl RuleCalls {
    /// Adds the numbers of the same rule over other calls.
    pub(crate) fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.unknown += other.unknown;
        self.hits += other.hits;
    }
}

/// What became of each rule in each call: by rule, a verdict per call in the order of `calls`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verdicts(Vec<(String, Vec<Option<bool>>)>);

impl Verdicts {
    /// The verdicts in `calls` calls, each given as rule, row of the call, and verdict.
    pub(super) fn new<'r>(calls: usize, rows: impl Iterator<Item = (&'r str, usize, Option<bool>)>) -> Self {
        let mut verdicts: Vec<(String, Vec<Option<bool>>)> = Vec::new();
        for (rule, call, matched) in rows {
            let at = verdicts.iter().position(|(known, _)| known == rule).unwrap_or_else(|| {
                verdicts.push((rule.to_owned(), vec![None; calls]));
                verdicts.len() - 1
            });
            if let Some(verdict) = verdicts.get_mut(at).and_then(|(_, verdicts)| verdicts.get_mut(call)) {
                *verdict = matched;
            }
        }
        Self(verdicts)
    }

    /// Rules and their verdicts.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[Option<bool>])> {
        self.0.iter().map(|(rule, verdicts)| (&**rule, &**verdicts))
    }
}

/// The table `rules` added up, call by call, in the order of the rules.
#[derive(Debug, Clone, Default)]
pub(super) struct RuleCounts(Vec<RuleCount>);

/// One rule over some calls.
#[derive(Debug, Clone, Default)]
struct RuleCount {
    verdicts: Vec<Option<bool>>,
    hits: u64,
}

impl RuleCounts {
    /// Adds the rows of one call.
    pub(super) fn add(&mut self, rows: &[RuleRow]) {
        self.0.resize_with(self.0.len().max(rows.len()), RuleCount::default);
        for (count, row) in self.0.iter_mut().zip(rows) {
            count.verdicts.push(row.matched);
            count.hits += row.count.unsigned_abs();
        }
    }

    pub(super) fn append(&mut self, other: Self) {
        self.0.resize_with(self.0.len().max(other.0.len()), RuleCount::default);
        for (count, other) in self.0.iter_mut().zip(other.0) {
            count.verdicts.extend(other.verdicts);
            count.hits += other.hits;
        }
    }

    pub(super) fn into_list(self, rules: &Rules) -> (Vec<RuleCalls>, Verdicts) {
        let counts = self.0.into_iter().chain(std::iter::repeat_with(RuleCount::default));
        let (mut list, mut verdicts) = (Vec::new(), Vec::new());
        for (rule, count) in rules.list().iter().zip(counts) {
            let with =
                |wanted: Option<bool>| count.verdicts.iter().filter(|verdict| **verdict == wanted).count() as u64;
            list.push(RuleCalls {
                rule: rule.id().to_owned(),
                name: rule.name().to_owned(),
                severity: rule.severity().name().to_owned(),
                calls: with(Some(true)),
                unknown: with(None),
                hits: count.hits,
            });
            verdicts.push((rule.id().to_owned(), count.verdicts));
        }
        (list, Verdicts(verdicts))
    }
}
