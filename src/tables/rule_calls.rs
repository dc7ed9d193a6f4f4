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

/// The table `rules` added up, call by call, in the order of the rules.
#[derive(Debug, Clone, Default)]
pub(super) struct RuleCounts(Vec<[u64; 3]>);

impl RuleCounts {
    /// Adds the rows of one call.
    pub(super) fn add(&mut self, rows: &[RuleRow]) {
        self.0.resize(self.0.len().max(rows.len()), [0; 3]);
        for ([calls, unknown, hits], row) in self.0.iter_mut().zip(rows) {
            *calls += u64::from(row.matched == Some(true));
            *unknown += u64::from(row.matched.is_none());
            *hits += row.count.unsigned_abs();
        }
    }

    pub(super) fn append(&mut self, other: &Self) {
        self.0.resize(self.0.len().max(other.0.len()), [0; 3]);
        for (sums, other) in self.0.iter_mut().zip(&other.0) {
            for (sum, other) in sums.iter_mut().zip(other) {
                *sum += other;
            }
        }
    }

    pub(super) fn into_list(self, rules: &Rules) -> Vec<RuleCalls> {
        let counts = self.0.into_iter().chain(std::iter::repeat([0; 3]));
        let rules = rules.list().iter().zip(counts);
        rules
            .map(|(rule, [calls, unknown, hits])| RuleCalls {
                rule: rule.id().to_owned(),
                name: rule.name().to_owned(),
                severity: rule.severity().name().to_owned(),
                calls,
                unknown,
                hits,
            })
            .collect()
    }
}
