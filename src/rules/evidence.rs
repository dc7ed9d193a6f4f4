//! Why a rule has its verdict in a call: what each condition found, or where it looked.

use std::sync::Arc;

use super::condition::{Bound, Condition, Finding, Metric, Near, Search, Speaker, Test, Within};
use super::facts::Facts;
use super::{FigureKey, Rule, Rules, Verdict};
use crate::metrics::{Interval, Measured, Parameters};

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
    /// What it asks, in words.
    pub wanted: String,
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
    /// The figure; of a pair the time between the two hits, in ms.
    pub value: Option<f64>,
    /// Whether the figure is within its bounds, or the pair near enough; `None` for other lines and for a figure that is
    /// null.
    pub meets: Option<bool>,
    /// What was wanted, in words.
    pub wanted: String,
    /// The turn.
    pub text: Option<Arc<str>>,
    /// Of a pair, the second hit; participant, times, term and `matched` above are those of both.
    pub other: Option<OtherHit>,
    /// Why it is not known, or how much was searched without a hit.
    pub note: Option<String>,
}

/// The second hit of a pair.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct OtherHit {
    /// Index into [`Measured::participants`].
    pub participant: usize,
    /// In ms.
    pub begin_ms: Option<i64>,
    /// In ms.
    pub end_ms: Option<i64>,
    /// The turn.
    pub text: Arc<str>,
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
        Some(self.explanation(rule, &facts, &rule.decide(&facts), measured, Some(parameters)))
    }

    pub(super) fn explanation(
        &self,
        rule: &Rule,
        facts: &Facts,
        verdict: &Verdict,
        measured: &Measured<'_>,
        parameters: Option<&Parameters>,
    ) -> Explanation {
        let evidence = |(condition, finding): (&Condition, &Finding)| {
            let wanted = condition.test.wanted();
            let found = Evidence { rules: self, facts, measured, wanted: &wanted };
            let lines = match &condition.test {
                Test::Phrases(search) | Test::Repeated(search, _) => found.hits(search, &finding.hits),
                Test::Absent(search) => {
                    let hits = facts.span.map(|span| search.find(facts, span).hits);
                    found.hits(search, &hits.unwrap_or_default())
                }
                Test::Metric(metric) => found.figures(metric, parameters),
                Test::Near(near) => found.pairs(near, rule, &verdict.findings),
            };
            let (condition, kind) = (condition.name.clone(), condition.test.kind().name());
            ConditionEvidence { condition, kind, holds: finding.holds, wanted, lines }
        };
        Explanation {
            matched: verdict.matched,
            when: rule.text.clone(),
            conditions: rule.conditions.iter().zip(&verdict.findings).map(evidence).collect(),
        }
    }
}

/// The evidence of one condition.
struct Evidence<'e> {
    rules: &'e Rules,
    facts: &'e Facts,
    measured: &'e Measured<'e>,
    wanted: &'e str,
}

impl Evidence<'_> {
    fn hits(&self, search: &Search, hits: &[usize]) -> Vec<EvidenceLine> {
        if hits.is_empty() {
            return vec![self.nothing(search)];
        }
        hits.iter().filter_map(|&index| self.hit(index)).collect()
    }

    fn hit(&self, index: usize) -> Option<EvidenceLine> {
        let found = self.facts.occurrences.get(index)?;
        Some(EvidenceLine {
            participant: Some(found.participant),
            begin_ms: found.interval.map(|interval| interval.begin),
            end_ms: found.interval.map(|interval| interval.end),
            term: self.rules.phrases.terms().get(found.term)?.clone(),
            matched: Some(found.matched.clone()),
            wanted: self.wanted.to_owned(),
            text: Some(Arc::clone(&found.text)),
            ..EvidenceLine::default()
        })
    }

    /// What was searched without a hit, or why nothing was.
    fn nothing(&self, search: &Search) -> EvidenceLine {
        let line = EvidenceLine {
            term: search.given.join(" | "),
            wanted: self.wanted.to_owned(),
            note: self.unknown(&search.speaker),
            ..EvidenceLine::default()
        };
        let (None, Some(span)) = (&line.note, self.facts.span) else { return line };
        let Interval { begin, end } = search.window.within(span);
        let meant = search.speaker.participants(self.facts).unwrap_or_default();
        let turns = self.measured.turns.iter().filter(|turn| meant.contains(&turn.participant));
        let count = turns.filter(|turn| turn.begin_ms < end && turn.end_ms > begin).count();
        // Without turns: they were not measured.
        let note = (!self.measured.turns.is_empty()).then(|| {
            let turns = if count == 1 { "1 turn".to_owned() } else { format!("{count} turns") };
            format!("{turns} searched")
        });
        EvidenceLine { begin_ms: Some(begin), end_ms: Some(end), note, ..line }
    }

    /// Why nothing can be known of these participants.
    fn unknown(&self, speaker: &Speaker) -> Option<String> {
        if self.facts.span.is_none() {
            return Some("the call has no speech".to_owned());
        }
        speaker.participants(self.facts).is_none().then(|| match speaker {
            Speaker::Anybody => "the call has no participant".to_owned(),
            Speaker::Role(role) => format!("no participant has the role {role}"),
            Speaker::Label(label) => format!("no participant is {label}"),
            Speaker::RoleOrLabel(name) => format!("no participant is {name} or has this role"),
        })
    }

    fn figures(&self, metric: &Metric, parameters: Option<&Parameters>) -> Vec<EvidenceLine> {
        let mut wanted = self.wanted.to_owned();
        if let (Some(FigureKey { column, .. }), Some(parameters)) = (self.rules.figures.get(metric.figure), parameters)
        {
            wanted.extend(column.parameters_of(parameters).map(|(name, value)| format!("; {name} {value}")));
        }
        let unknown = self.unknown(&metric.speaker);
        let line = |(participant, value): (Option<usize>, Option<f64>)| EvidenceLine {
            participant,
            value,
            meets: value.map(|value| metric.allows(value)),
            term: metric.given.clone(),
            wanted: wanted.clone(),
            note: unknown.clone().or_else(|| value.is_none().then(|| "the figure is null".to_owned())),
            ..EvidenceLine::default()
        };
        match metric.values(self.facts) {
            Some(values) if !values.is_empty() => values.into_iter().map(line).collect(),
            _ => vec![line((None, None))],
        }
    }

    /// For each hit of the first condition the nearest of the second, near enough or not.
    fn pairs(&self, near: &Near, rule: &Rule, findings: &[Finding]) -> Vec<EvidenceLine> {
        let [Some(one), Some(two)] = near.pair.map(|index| findings.get(index)) else { return Vec::new() };
        let facts = self.facts;
        let nearest = |&first: &usize| {
            let time = facts.time(first)?;
            let seconds = two.hits.iter().take(MOST_PAIRED).filter(|&&second| facts.hit(second) != facts.hit(first));
            let apart = seconds.filter_map(|&second| Some((near.distance(time, facts.time(second)?)?, second)));
            let (distance, second) = apart.min()?;
            let (one, two) = (self.hit(first)?, self.hit(second)?);
            let other =
                OtherHit { participant: two.participant?, begin_ms: two.begin_ms, end_ms: two.end_ms, text: two.text? };
            Some(EvidenceLine {
                end_ms: one.end_ms.max(two.end_ms),
                begin_ms: one.begin_ms.min(two.begin_ms),
                term: format!("{} … {}", one.term, two.term),
                matched: one.matched.zip(two.matched).map(|(one, two)| format!("{one} … {two}")),
                value: Some(distance as f64),
                meets: Some(distance <= near.within_ms),
                other: Some(other),
                ..one
            })
        };
        let lines: Vec<EvidenceLine> = one.hits.iter().take(MOST_PAIRED).filter_map(nearest).collect();
        if !lines.is_empty() {
            return lines;
        }
        let of = |index: usize, finding: &Finding| {
            let name = rule.conditions.get(index).map_or("", |condition| &condition.name);
            match (finding.holds, finding.hits.len()) {
                (None, _) => format!("{name} is not known"),
                (_, 1) => format!("{name} has 1 hit"),
                (_, count) => format!("{name} has {count} hits"),
            }
        };
        let [first, second] = near.pair;
        vec![EvidenceLine {
            wanted: self.wanted.to_owned(),
            note: Some(format!("{}, {}", of(first, one), of(second, two))),
            ..EvidenceLine::default()
        }]
    }
}

impl Search {
    /// How much is enough.
    fn enough(&self) -> String {
        let phrases = if self.least > 1 { format!("{} different phrases, ", self.least) } else { String::new() };
        let hits = if self.times == 1 { "1 hit".to_owned() } else { format!("{} hits", self.times) };
        format!("{phrases}at least {hits}")
    }
}

impl Test {
    /// What the condition asks, in words.
    fn wanted(&self) -> String {
        match self {
            Self::Phrases(search) => format!("{}{}", search.enough(), search.speaker.words()),
            Self::Absent(search) if search.least == 1 && search.times == 1 => {
                format!("no hit{}", search.speaker.words())
            }
            Self::Absent(search) => format!("not {}{}", search.enough(), search.speaker.words()),
            Self::Repeated(search, within) => {
                let within = match within {
                    Within::Ms(ms) => format!("{ms} ms"),
                    Within::Turns(1) => "1 turn".to_owned(),
                    Within::Turns(turns) => format!("{turns} turns"),
                };
                format!("{} within {within}{}", search.enough(), search.speaker.words())
            }
            Self::Metric(metric) => {
                let bound = |(bound, number): &(Bound, f64)| format!("{} {number}", bound.name());
                let bounds: Vec<String> = metric.bounds.iter().map(bound).collect();
                bounds.join(", ")
            }
            Self::Near(near) => format!("at most {} ms between, order {}", near.within_ms, near.order.name()),
        }
    }
}

impl Speaker {
    /// For the end of a clause.
    fn words(&self) -> String {
        match self {
            Self::Anybody => String::new(),
            Self::Role(role) => format!(", by the role {role}"),
            Self::Label(label) | Self::RoleOrLabel(label) => format!(", by {label}"),
        }
    }
}
