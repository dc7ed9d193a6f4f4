//! What became of a rule in a call, and the hits that prove it.

use std::fmt;
use std::sync::Arc;

use super::condition::{Finding, Test};
use super::facts::Facts;
use super::{Rule, Verdict};
use crate::metrics::keywords::Keywords;
use crate::metrics::{Hit, TimeBasis};

/// How much a rule matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// Worth counting.
    Info,
    /// Worth a look.
    Notice,
    /// Worth acting on.
    Serious,
}

impl Severity {
    /// Every severity, rising.
    pub const ALL: [Self; 3] = [Self::Info, Self::Notice, Self::Serious];

    /// As in a rule file and in the column `severity`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Serious => "serious",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Rule {
    /// Decides the rule in one call.
    pub(crate) fn decide(&self, facts: &Facts) -> Verdict {
        let mut findings = vec![Finding::default(); self.conditions.len()];
        for &index in &self.order {
            let Some(condition) = self.conditions.get(index) else { continue };
            let found = condition.test.decide(facts, &findings);
            if let Some(finding) = findings.get_mut(index) {
                *finding = found;
            }
        }
        let matched = self.when.value(|index| findings.get(index).and_then(|finding| finding.holds));
        Verdict { matched, findings }
    }

    /// The conditions that hold and speak for the rule, each once.
    fn reasons(&self, verdict: &Verdict) -> Vec<usize> {
        let holds = |index: usize| verdict.findings.get(index).is_some_and(|finding| finding.holds == Some(true));
        let speaking = self.when.names.iter().filter(|named| named.speaks_for && holds(named.condition));
        let mut reasons: Vec<usize> = speaking.map(|named| named.condition).collect();
        reasons.sort_unstable();
        reasons.dedup();
        reasons
    }

    /// The rows of `hits` of one call; none unless the rule matched.
    pub(crate) fn hits(&self, verdict: &Verdict, facts: &Facts, phrases: &Keywords) -> Vec<Hit> {
        if verdict.matched != Some(true) {
            return Vec::new();
        }
        let (mut found, mut hits) = (Vec::new(), Vec::new());
        for index in self.reasons(verdict) {
            if let Some(finding) = verdict.findings.get(index) {
                found.extend(&finding.hits);
            }
            if let Some(Test::Absent(search)) = self.conditions.get(index).map(|condition| &condition.test)
                && let Some(span) = facts.span
            {
                let searched = search.window.within(span);
                hits.push(Hit {
                    rule: Arc::clone(&self.id),
                    hit_index: 0,
                    participant: None,
                    term: Arc::from(search.given.join(" | ")),
                    begin_ms: Some(searched.begin),
                    end_ms: Some(searched.end),
                    time_basis: TimeBasis::Window,
                    matched: String::new(),
                    text: Arc::from(""),
                });
            }
        }
        facts.in_order(&mut found);
        hits.extend(found.into_iter().filter_map(|index| {
            let occurrence = facts.occurrences.get(index)?.clone();
            let term = Arc::from(phrases.terms().get(occurrence.term)?.as_str());
            Some(Hit::new(Arc::clone(&self.id), 0, term, occurrence))
        }));
        let last = |time: Option<i64>| time.unwrap_or(i64::MAX);
        hits.sort_by_key(|hit| (last(hit.begin_ms), last(hit.end_ms), hit.participant.unwrap_or(usize::MAX)));
        for (number, hit) in (0..).zip(&mut hits) {
            hit.hit_index = number;
        }
        hits
    }
}
