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
    /// A rule of which nothing is known but its id, and no call yet.
    pub(super) fn new(rule: &str, severity: &str) -> Self {
        let (rule, name, severity) = (rule.to_owned(), rule.to_owned(), severity.to_owned());
        Self { rule, name, severity, calls: 0, unknown: 0, hits: 0 }
    }

    /// Adds the numbers of the same rule over other calls.
    pub(crate) fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.unknown += other.unknown;
        self.hits += other.hits;
    }
}

/// What became of each rule in each call, in the order of `calls`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verdicts(Vec<(String, RuleCount)>);

impl Verdicts {
    /// The verdicts in `calls` calls, each given as rule, row of the call, verdict, and number of hits.
    pub(super) fn new<'r>(calls: usize, rows: impl Iterator<Item = (&'r str, usize, Option<bool>, i64)>) -> Self {
        let mut rules: Vec<(String, RuleCount)> = Vec::new();
        for (rule, call, matched, hits) in rows {
            let at = rules.iter().position(|(known, _)| known == rule).unwrap_or_else(|| {
                rules.push((rule.to_owned(), RuleCount { verdicts: vec![None; calls], hits: 0 }));
                rules.len() - 1
            });
            let Some((_, count)) = rules.get_mut(at) else { continue };
            if let Some(verdict) = count.verdicts.get_mut(call) {
                *verdict = matched;
                count.hits += hits.unsigned_abs();
            }
        }
        Self(rules)
    }

    /// Rules and their verdicts.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[Option<bool>])> {
        self.0.iter().map(|(rule, count)| (&**rule, &*count.verdicts))
    }

    /// The same rules with the numbers of these calls; those of which nothing is known are left out.
    pub(crate) fn count(&self, rules: &[RuleCalls]) -> Vec<RuleCalls> {
        let counted = |rule: &RuleCalls| {
            let (_, count) = self.0.iter().find(|(known, _)| *known == rule.rule)?;
            Some(count.of(rule.rule.clone(), rule.name.clone(), rule.severity.clone()))
        };
        rules.iter().filter_map(counted).collect()
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

impl RuleCount {
    fn of(&self, rule: String, name: String, severity: String) -> RuleCalls {
        let with = |wanted: Option<bool>| self.verdicts.iter().filter(|verdict| **verdict == wanted).count() as u64;
        RuleCalls { rule, name, severity, calls: with(Some(true)), unknown: with(None), hits: self.hits }
    }
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
        let rules = rules.list().iter().zip(counts);
        let (list, verdicts) = rules
            .map(|(rule, count)| {
                let calls = count.of(rule.id().to_owned(), rule.name().to_owned(), rule.severity().name().to_owned());
                (calls, (rule.id().to_owned(), count))
            })
            .unzip();
        (list, Verdicts(verdicts))
    }
}
