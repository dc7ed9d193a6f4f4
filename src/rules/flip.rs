//! Which rules decide a call otherwise in another rule file, and by which hit or figure.

use std::collections::{HashMap, HashSet};

use super::evidence::{ConditionEvidence, EvidenceLine, Explanation};
use super::facts::Facts;
use super::key::Kind;
use super::{FigureKey, Rule, Rules};
use crate::metrics::Measured;
use crate::metrics::catalogue::Cells;

/// A rule whose verdict in a call differs between two rule files.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Flip {
    /// The call.
    pub file: String,
    /// The rule's id.
    pub rule: String,
    /// Its verdict by the first file.
    pub before: Option<bool>,
    /// Its verdict by the second file.
    pub after: Option<bool>,
    /// The hit or figure that makes the difference.
    pub because: String,
}

impl Rules {
    /// Ids of rules that only `new` has, and of those that only these have, in the order of their files.
    #[must_use]
    pub fn added_and_removed<'r>(&'r self, new: &'r Self) -> (Vec<&'r str>, Vec<&'r str>) {
        let only = |list: &'r Self, other: &Self| {
            let known: HashSet<&str> = other.list.iter().map(Rule::id).collect();
            list.list.iter().map(Rule::id).filter(|id| !known.contains(id)).collect()
        };
        (only(new, self), only(self, new))
    }

    /// The rules of both files whose verdict differs in this call.
    #[cfg_attr(not(feature = "analytics"), allow(dead_code, reason = "asked by tables"))]
    pub(crate) fn flips(&self, new: &Self, measured: &Measured<'_>, figure: &dyn Fn(FigureKey) -> Cells) -> Vec<Flip> {
        let facts = [self, new].map(|rules| Facts::new(measured, &rules.phrases, &rules.figures, figure));
        let [old_facts, new_facts] = &facts;
        let known: HashMap<&str, &Rule> = self.list.iter().map(|rule| (rule.id(), rule)).collect();
        let flip = |rule: &Rule| {
            let old = known.get(rule.id())?;
            let (before, after) = (old.decide(old_facts), rule.decide(new_facts));
            if before.matched == after.matched {
                return None;
            }
            let explained = [
                self.explanation(old, old_facts, &before, measured, None),
                new.explanation(rule, new_facts, &after, measured, None),
            ];
            Some(Flip {
                file: measured.file.clone(),
                rule: rule.id().to_owned(),
                before: before.matched,
                after: after.matched,
                because: because(&explained, measured),
            })
        };
        new.list.iter().filter_map(flip).collect()
    }
}

/// What differs between two explanations, in words: hits that come or go, figures with their bounds, conditions.
fn because([old, new]: &[Explanation; 2], measured: &Measured<'_>) -> String {
    let mut reasons = Vec::new();
    let clause = |condition: &ConditionEvidence| words(condition, condition.lines.first(), measured);
    for condition in &new.conditions {
        let name = &condition.condition;
        match old.conditions.iter().find(|before| before.condition == *name) {
            None => reasons.push(format!("{name} is new: {}", clause(condition))),
            Some(before) if before.holds != condition.holds => {
                reasons.push(format!("{name} {}", change(before, condition, measured)));
            }
            Some(_) => {}
        }
    }
    for before in &old.conditions {
        if !new.conditions.iter().any(|condition| condition.condition == before.condition) {
            reasons.push(format!("{} is gone: {}", before.condition, clause(before)));
        }
    }
    if old.when != new.when {
        let no_other = reasons.is_empty();
        reasons.push(format!("when = {:?} → {:?}", old.when, new.when));
        if no_other {
            reasons.extend(
                new.conditions.iter().map(|condition| format!("{}: {}", condition.condition, clause(condition))),
            );
        }
    }
    reasons.join("; ")
}

/// Why a condition of the same name holds in one file and not in the other.
fn change(before: &ConditionEvidence, after: &ConditionEvidence, measured: &Measured<'_>) -> String {
    let is_unknown = |condition: &ConditionEvidence| condition.holds.is_none();
    if is_unknown(before) || is_unknown(after) {
        return arrow(
            [before, after].map(|condition| words(condition, condition.lines.first(), measured)),
            before,
            after,
        );
    }
    // What came is the reason why something was said enough, and what went why it was not.
    let is_more = (after.holds == Some(true)) != (after.kind == Kind::Absent.name());
    let (comes, goes) = (only(&after.lines, &before.lines), only(&before.lines, &after.lines));
    match (comes, goes) {
        (Some(line), None) => return format!("now hits {}", words(after, Some(line), measured)),
        (Some(line), Some(_)) if is_more => return format!("now hits {}", words(after, Some(line), measured)),
        (_, Some(line)) => return format!("no longer hits {}", words(before, Some(line), measured)),
        (None, None) => {}
    }
    // A figure or a pair that is now inside its bounds, or was.
    let meets = |line: &EvidenceLine, lines: &[EvidenceLine]| {
        lines.iter().find(|other| key(other) == key(line)).is_some_and(|other| other.meets != line.meets)
    };
    if let Some(line) = after.lines.iter().find(|line| meets(line, &before.lines)) {
        let old = before.lines.iter().find(|other| key(other) == key(line));
        return arrow([words(before, old, measured), words(after, Some(line), measured)], before, after);
    }
    let hits = after.lines.iter().filter(|line| line.matched.is_some()).count();
    if hits > 0 && before.wanted != after.wanted {
        let hits = if hits == 1 { "1 hit".to_owned() } else { format!("{hits} hits") };
        let first = words(after, after.lines.first(), measured);
        return format!("{hits} ({} → {}), the first {first}", before.wanted, after.wanted);
    }
    arrow([before, after].map(|condition| words(condition, condition.lines.first(), measured)), before, after)
}

/// Both sides, or what they are decided as where they read the same.
fn arrow([old, new]: [String; 2], before: &ConditionEvidence, after: &ConditionEvidence) -> String {
    if old == new { format!("{} → {}", truth(before.holds), truth(after.holds)) } else { format!("{old} → {new}") }
}

/// What tells a line from the others of its condition.
fn key(line: &EvidenceLine) -> (Option<usize>, Option<i64>, &str, Option<&str>) {
    (line.participant, line.begin_ms, &line.term, line.matched.as_deref())
}

/// The first hit that `others` lack.
fn only<'l>(list: &'l [EvidenceLine], others: &[EvidenceLine]) -> Option<&'l EvidenceLine> {
    let others: HashSet<_> = others.iter().map(key).collect();
    list.iter().find(|line| line.matched.is_some() && !others.contains(&key(line)))
}

fn truth(holds: Option<bool>) -> &'static str {
    match holds {
        Some(true) => "true",
        Some(false) => "false",
        None => "unknown",
    }
}

/// A line of evidence as a clause.
fn words(condition: &ConditionEvidence, line: Option<&EvidenceLine>, measured: &Measured<'_>) -> String {
    let Some(line) = line else { return truth(condition.holds).to_owned() };
    if let (None, Some(note)) = (condition.holds, &line.note) {
        return format!("unknown: {note}");
    }
    let name = |index: usize| measured.role(index).unwrap_or_else(|| measured.label(index));
    let who = |word: &str| line.participant.map_or_else(String::new, |index| format!(" {word} {}", name(index)));
    let at = line.begin_ms.map_or_else(String::new, |begin| format!(" at {begin} ms"));
    match (&line.matched, line.value) {
        (Some(matched), Some(apart)) => format!("\"{matched}\"{at}{}, {apart} ms apart ({})", who("by"), line.wanted),
        (Some(matched), _) => format!("\"{matched}\"{at}{} (term `{}`)", who("by"), line.term),
        (None, Some(value)) => format!("{} is {value}{} ({})", line.term, who("for"), line.wanted),
        (None, None) => {
            let parts = [&*line.wanted, line.note.as_deref().unwrap_or_default()];
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            let term = if line.term.is_empty() { String::new() } else { format!(": {}", line.term) };
            format!("{} ({}{term})", truth(condition.holds), parts.join("; "))
        }
    }
}
