//! Rules over calls: phrases and their absence, by speaker and time, and figures, joined by `and`, `or` and `not`.
//!
//! [`Rules::parse`] reads a rule file; [`Rules::apply`] decides every rule in one measured call and adds the rows of the
//! tables `rules` and `hits`. All phrases of all rules are found in one pass over the text. A condition is true, false or
//! unknown: a role that no participant has, a call without speech and a figure that is null are not a "no" (definitions: rule).
//!
//! ```
//! use talkmeter::metrics::{Settings, measure};
//! use talkmeter::rules::Rules;
//!
//! let rules = Rules::parse(r#"
//!     [[rule]]
//!     id = "refund-refused"
//!     severity = "serious"
//!     when = "asked and not offered"
//!     [rule.conditions.asked]
//!     phrases = ["refund", "money back"]
//!     [rule.conditions.offered]
//!     phrases = ["I can offer"]
//! "#).unwrap();
//! let transcript = talkmeter::transcript::read(br#"{"transcripts": [{"channel_id": 0, "sentences": [
//!     {"begin_time": 0, "end_time": 1200, "text": "I want a refund."}]}]}"#)?;
//! let mut measured = measure("a.json", &transcript, &Settings::default());
//! rules.apply(&mut measured);
//! assert_eq!(measured.rules[0].matched, Some(true));
//! assert_eq!(measured.rule_hits[0].matched, "refund");
//! # Ok::<(), talkmeter::transcript::ParseError>(())
//! ```

mod amazon;
mod condition;
mod evidence;
mod expression;
mod facts;
mod fault;
mod file;
mod flip;
mod key;
mod schema;
mod truth;
mod verdict;
mod warnings;
mod window;
mod writing;

pub use amazon::{ImportedCategories, from_amazon_categories};
pub use evidence::{ConditionEvidence, EvidenceLine, Explanation, OtherHit};
pub use fault::Fault;
pub use flip::Flip;
pub use schema::schema;
pub use verdict::Severity;

use std::sync::Arc;

use crate::metrics::catalogue::{Cells, Column, Table};
use crate::metrics::keywords::Keywords;
use crate::metrics::{Hit, Measured, RuleRow};
use condition::{Condition, Finding};
use expression::Expression;
use facts::Facts;

/// A compiled rule file.
#[derive(Debug, Clone)]
pub struct Rules {
    list: Vec<Rule>,
    /// The phrases of all rules, each line once.
    phrases: Keywords,
    /// The figures of all rules, each once.
    figures: Vec<FigureKey>,
}

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    id: Arc<str>,
    name: String,
    severity: Severity,
    when: Expression,
    /// `when` as given.
    text: String,
    conditions: Vec<Condition>,
    /// Indices of the conditions, each behind those it refers to.
    order: Vec<usize>,
}

/// A column that a condition reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FigureKey {
    pub(crate) table: &'static Table,
    pub(crate) column: &'static Column,
}

impl Rule {
    /// Unique in its file.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it means, for people; its id where the file gives no name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How much it matters.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }
}

impl Rules {
    /// Reads the text of a rule file.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    ///
    /// ```
    /// use talkmeter::rules::Rules;
    /// let text = "[[rule]]\nid = \"a\"\nwhen = \"b\"\n[rule.conditions.c]\nphrases = [\"refund\"]\n";
    /// let faults = Rules::parse(text).unwrap_err();
    /// assert_eq!(faults[0].to_string(), "3:9: rule a: `b` is no condition of this rule");
    /// ```
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        file::parse(text)
    }

    /// The rules in the order of the file.
    #[must_use]
    pub fn list(&self) -> &[Rule] {
        &self.list
    }

    /// The number of conditions of all rules.
    #[must_use]
    pub fn condition_count(&self) -> usize {
        self.list.iter().map(|rule| rule.conditions.len()).sum()
    }

    /// The number of different phrases of all rules.
    #[must_use]
    pub fn phrase_count(&self) -> usize {
        self.phrases.len()
    }

    /// Decides every rule in a measured call, and fills [`Measured::rules`] and [`Measured::rule_hits`].
    pub fn apply(&self, measured: &mut Measured<'_>) {
        let facts = self.facts(measured);
        (measured.rules, measured.rule_hits) = self.rows(&facts);
    }

    /// The same with figures from elsewhere.
    #[cfg(feature = "analytics")]
    pub(crate) fn apply_with(&self, measured: &mut Measured<'_>, figure: &dyn Fn(FigureKey) -> Cells) {
        let facts = Facts::new(measured, &self.phrases, &self.figures, figure);
        (measured.rules, measured.rule_hits) = self.rows(&facts);
    }

    pub(crate) fn facts(&self, measured: &Measured<'_>) -> Facts {
        Facts::new(measured, &self.phrases, &self.figures, &|key| {
            let mut columns = key.table.no_cells(|column| column.name == key.column.name);
            (key.table.fill)(measured, &mut columns);
            columns.into_iter().flatten().next().unwrap_or_else(|| Cells::new(key.column.kind))
        })
    }

    /// The rows of `rules` and `hits` of one call.
    pub(crate) fn rows(&self, facts: &Facts) -> (Vec<RuleRow>, Vec<Hit>) {
        let mut hits = Vec::new();
        let rows = self.list.iter().map(|rule| {
            let verdict = rule.decide(facts);
            let before = hits.len();
            hits.extend(rule.hits(&verdict, facts, &self.phrases));
            let own = hits.get(before..).unwrap_or_default();
            let said = || own.iter().filter(|hit| hit.participant.is_some());
            RuleRow {
                rule: Arc::clone(&rule.id),
                severity: rule.severity.name(),
                matched: verdict.matched,
                count: said().count() as i64,
                first_ms: said().filter_map(|hit| hit.begin_ms).min(),
            }
        });
        (rows.collect(), hits)
    }
}

/// What became of one rule in one call.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// `None` is unknown.
    pub(crate) matched: Option<bool>,
    /// In the order of the rule's conditions.
    pub(crate) findings: Vec<Finding>,
}

#[cfg(test)]
mod tests;
