//! Why a rule has its verdict in a call: what each condition found, or where it looked.

use std::sync::Arc;

use super::condition::{Condition, Finding, Metric, Near, Search, Speaker, Test, Within};
use super::facts::Facts;
use super::{FigureKey, Rule, Rules, Verdict};
use crate::metrics::catalogue::Cells;
use crate::metrics::{Measured, Parameters};

/// More hits of a condition are counted, but not compared with those of another.
const MOST_PAIRED: usize = 1_000;

/// Why a rule has its verdict in a call.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Explanation {
    /// Whether the rule matched; `None` where that is not known.
    pub matched: Option<bool>,
    /// `when` as given.
    pub when: String,
    /// In the order of the file.
    pub conditions: Vec<ConditionEvidence>,
}

/// What one condition found, or where it looked.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ConditionEvidence {
    /// Its name.
    pub condition: String,
    /// `phrases`, `absent`, `metric`, `near` or `repeated`.
    pub kind: &'static str,
    /// `None` where it is not known.
    pub holds: Option<bool>,
    /// At least one.
    pub lines: Vec<EvidenceLine>,
}

/// A hit, a figure, a pair of hits, or the part of a call in which nothing was found.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct EvidenceLine {
    /// Index into [`Measured::participants`].
    pub participant: Option<usize>,
    /// In ms.
    pub begin_ms: Option<i64>,
    /// In ms.
    pub end_ms: Option<i64>,
    /// The term, all phrases that were searched, or the figure's name.
    pub term: String,
    /// The text as in the transcript.
    pub matched: Option<String>,
    /// The figure.
    pub value: Option<f64>,
    /// What was wanted, in words.
    pub wanted: String,
    /// The turn.
    pub text: Option<Arc<str>>,
}

impl Rules {
    /// Why a rule has its verdict in a measured call; `None` without a rule of this id. `parameters` are those of the
    /// measurement.
    ///
    /// ```
    /// use talkmeter::metrics::{Settings, measure};
    /// # let rules = talkmeter::rules::Rules::parse(
    /// #     "[[rule]]\nid = \"a\"\nwhen = \"b\"\n[rule.conditions.b]\nphrases = [\"hello\"]").unwrap();
    /// let transcript = talkmeter::transcript::read(br#"{"transcripts": [{"channel_id": 0, "sentences": [
    ///     {"begin_time": 0, "end_time": 900, "text": "Hello!"}]}]}"#)?;
    /// let settings = Settings::default();
    /// let measured = measure("a.json", &transcript, &settings);
    /// let explained = rules.explain(&measured, "a", &settings.parameters).unwrap();
    /// assert_eq!(explained.conditions[0].lines[0].matched.as_deref(), Some("Hello"));
    /// # Ok::<(), talkmeter::transcript::ParseError>(())
    /// ```
    #[must_use]
    pub fn explain(&self, measured: &Measured<'_>, id: &str, parameters: &Parameters) -> Option<Explanation> {
        let rule = self.list.iter().find(|rule| &*rule.id == id)?;
        let facts = self.facts(measured);
        Some(self.explanation(rule, &facts, &rule.decide(&facts), Some(parameters)))
    }

    pub(crate) fn explanation(
        &self,
        rule: &Rule,
        facts: &Facts,
        verdict: &Verdict,
        parameters: Option<&Parameters>,
    ) -> Explanation {
        let evidence = |(condition, finding): (&Condition, &Finding)| ConditionEvidence {
            condition: condition.name.clone(),
            kind: condition.test.kind().name(),
            holds: finding.holds,
            lines: self.lines(&condition.test, facts, finding, &verdict.findings, parameters),
        };
        Explanation {
            matched: verdict.matched,
            when: rule.text.clone(),
            conditions: rule.conditions.iter().zip(&verdict.findings).map(evidence).collect(),
        }
    }

    fn lines(
        &self,
        test: &Test,
        facts: &Facts,
        finding: &Finding,
        others: &[Finding],
        parameters: Option<&Parameters>,
    ) -> Vec<EvidenceLine> {
        match test {
            Test::Phrases(search) | Test::Repeated(search, _) | Test::Absent(search) => {
                let found = match (test, facts.span) {
                    (Test::Absent(search), Some(span)) => search.find(facts, span).hits,
                    _ => finding.hits.clone(),
                };
                let wanted = test.wanted();
                if found.is_empty() {
                    return vec![search.nothing(facts, wanted)];
                }
                found.iter().filter_map(|&index| self.hit(facts, index, &wanted)).collect()
            }
            Test::Metric(metric) => self.figure_lines(metric, facts, parameters),
            Test::Near(near) => self.pairs(near, facts, others),
        }
    }

    fn hit(&self, facts: &Facts, index: usize, wanted: &str) -> Option<EvidenceLine> {
        let found = facts.occurrences.get(index)?;
        Some(EvidenceLine {
            participant: Some(found.participant),
            begin_ms: found.interval.map(|interval| interval.begin),
            end_ms: found.interval.map(|interval| interval.end),
            term: self.phrases.terms().get(found.term)?.clone(),
            matched: Some(found.matched.clone()),
            value: None,
            wanted: wanted.to_owned(),
            text: Some(Arc::clone(&found.text)),
        })
    }

    fn figure_lines(&self, metric: &Metric, facts: &Facts, parameters: Option<&Parameters>) -> Vec<EvidenceLine> {
        let bounds: Vec<String> =
            metric.bounds.iter().map(|(bound, number)| format!("{} {number}", bound.name())).collect();
        let mut wanted = bounds.join(", ");
        if let Some(FigureKey { column, .. }) = self.figures.get(metric.figure)
            && let Some(parameters) = parameters
        {
            wanted.extend(column.parameters_of(parameters).map(|(name, value)| format!("; {name} {value}")));
        }
        let line = |participant, value| EvidenceLine {
            participant,
            value,
            term: metric.given.clone(),
            wanted: wanted.clone(),
            ..EvidenceLine::default()
        };
        match metric.values(facts) {
            Some(values) if !values.is_empty() => {
                values.into_iter().map(|(participant, value)| line(participant, value)).collect()
            }
            _ => vec![EvidenceLine { wanted: format!("{wanted}{}", metric.speaker.words()), ..line(None, None) }],
        }
    }

    /// For each hit of the first condition the nearest of the second, near enough or not.
    fn pairs(&self, near: &Near, facts: &Facts, others: &[Finding]) -> Vec<EvidenceLine> {
        let wanted = format!("at most {} ms between, order {}", near.within_ms, near.order.name());
        let [Some(one), Some(two)] = near.pair.map(|index| others.get(index)) else { return Vec::new() };
        let nearest = |&first: &usize| {
            let time = facts.time(first)?;
            let seconds = two.hits.iter().take(MOST_PAIRED).filter(|&&second| second != first);
            let apart = seconds.filter_map(|&second| Some((near.distance(time, facts.time(second)?)?, second)));
            let (distance, second) = apart.min()?;
            let (one, two) = (self.hit(facts, first, &wanted)?, self.hit(facts, second, &wanted)?);
            Some(EvidenceLine {
                end_ms: one.end_ms.max(two.end_ms),
                begin_ms: one.begin_ms.min(two.begin_ms),
                term: format!("{} … {}", one.term, two.term),
                matched: one.matched.zip(two.matched).map(|(one, two)| format!("{one} … {two}")),
                value: Some(distance as f64),
                ..one
            })
        };
        let lines: Vec<EvidenceLine> = one.hits.iter().take(MOST_PAIRED).filter_map(nearest).collect();
        if !lines.is_empty() {
            return lines;
        }
        let count = |finding: &Finding| finding.hits.len();
        vec![EvidenceLine {
            wanted: format!("{wanted}; {} and {} hits", count(one), count(two)),
            ..EvidenceLine::default()
        }]
    }
}

impl Search {
    /// Where nothing was found.
    fn nothing(&self, facts: &Facts, wanted: String) -> EvidenceLine {
        let searched = facts.span.map(|span| self.window.within(span));
        EvidenceLine {
            begin_ms: searched.map(|searched| searched.begin),
            end_ms: searched.map(|searched| searched.end),
            term: self.given.join(" | "),
            wanted: format!("{wanted}{}", self.speaker.words()),
            ..EvidenceLine::default()
        }
    }

    /// How much is enough.
    fn enough(&self) -> String {
        let phrases = if self.least > 1 { format!("{} different phrases, ", self.least) } else { String::new() };
        let hits = if self.times == 1 { "1 hit".to_owned() } else { format!("{} hits", self.times) };
        format!("{phrases}at least {hits}")
    }
}

impl Test {
    /// What the condition wants of its phrases, in words.
    fn wanted(&self) -> String {
        match self {
            Self::Phrases(search) => search.enough(),
            Self::Absent(search) if search.least == 1 && search.times == 1 => "no hit".to_owned(),
            Self::Absent(search) => format!("not {}", search.enough()),
            Self::Repeated(search, Within::Ms(ms)) => format!("{} within {ms} ms", search.enough()),
            Self::Repeated(search, Within::Turns(turns)) => format!("{} within {turns} turns", search.enough()),
            Self::Metric(_) | Self::Near(_) => String::new(),
        }
    }
}

impl Speaker {
    /// For the end of a sentence.
    fn words(&self) -> String {
        match self {
            Self::Anybody => String::new(),
            Self::Role(role) => format!(", by the role {role}"),
            Self::Label(label) => format!(", by {label}"),
            Self::RoleOrLabel(name) => format!(", of {name}"),
        }
    }
}

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
            let known: std::collections::HashSet<&str> = other.list.iter().map(Rule::id).collect();
            list.list.iter().map(Rule::id).filter(|id| !known.contains(id)).collect()
        };
        (only(new, self), only(self, new))
    }

    /// The rules of both files whose verdict differs in this call.
    #[cfg_attr(not(feature = "analytics"), allow(dead_code, reason = "asked by tables"))]
    pub(crate) fn flips(&self, new: &Self, measured: &Measured<'_>, figure: &dyn Fn(FigureKey) -> Cells) -> Vec<Flip> {
        let facts = [self, new].map(|rules| Facts::new(measured, &rules.phrases, &rules.figures, figure));
        let [old_facts, new_facts] = &facts;
        let known: std::collections::HashMap<&str, &Rule> = self.list.iter().map(|rule| (rule.id(), rule)).collect();
        let flip = |rule: &Rule| {
            let old = known.get(rule.id())?;
            let (before, after) = (old.decide(old_facts), rule.decide(new_facts));
            if before.matched == after.matched {
                return None;
            }
            let explained =
                [self.explanation(old, old_facts, &before, None), new.explanation(rule, new_facts, &after, None)];
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
    for condition in &new.conditions {
        let Some(before) = old.conditions.iter().find(|before| before.condition == condition.condition) else {
            reasons.push(format!(
                "{} is new: {}",
                condition.condition,
                words(condition, condition.lines.first(), measured)
            ));
            continue;
        };
        if before.holds == condition.holds {
            continue;
        }
        let key = |line: &EvidenceLine| (line.participant, line.begin_ms, line.term.clone(), line.matched.clone());
        let only = |list: &[EvidenceLine], others: &[EvidenceLine]| {
            list.iter()
                .find(|line| line.matched.is_some() && !others.iter().any(|other| key(other) == key(line)))
                .cloned()
        };
        let (comes, goes) = (only(&condition.lines, &before.lines), only(&before.lines, &condition.lines));
        let what = match (comes, goes) {
            (Some(line), _) => format!("now hits {}", words(condition, Some(&line), measured)),
            (None, Some(line)) => format!("no longer hits {}", words(before, Some(&line), measured)),
            (None, None) => {
                let [old, new] = [before, condition].map(|one| words(one, one.lines.first(), measured));
                if old == new {
                    format!("{} → {}", truth(before.holds), truth(condition.holds))
                } else {
                    format!("{old} → {new}")
                }
            }
        };
        reasons.push(format!("{} {what}", condition.condition));
    }
    for before in &old.conditions {
        if !new.conditions.iter().any(|condition| condition.condition == before.condition) {
            reasons.push(format!("{} is gone: {}", before.condition, words(before, before.lines.first(), measured)));
        }
    }
    if old.when != new.when {
        reasons.push(format!("when = {:?} → {:?}", old.when, new.when));
    }
    reasons.join("; ")
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
    let who =
        line.participant.map(|index| format!(" by {}", measured.role(index).unwrap_or_else(|| measured.label(index))));
    let who = who.unwrap_or_default();
    match (&line.matched, line.value) {
        (Some(matched), Some(apart)) => {
            let at = line.begin_ms.map_or_else(String::new, |begin| format!(" at {begin} ms"));
            format!("\"{matched}\"{at}{who}, {apart} ms apart ({})", line.wanted)
        }
        (Some(matched), _) => {
            let at = line.begin_ms.map_or_else(String::new, |begin| format!(" at {begin} ms"));
            format!("\"{matched}\"{at}{who} (term `{}`)", line.term)
        }
        (None, Some(value)) => format!("{} is {value}{} ({})", line.term, who.replace(" by ", " for "), line.wanted),
        (None, None) => format!(
            "{} ({}{})",
            truth(condition.holds),
            line.wanted,
            if line.term.is_empty() { String::new() } else { format!(": {}", line.term) }
        ),
    }
}
