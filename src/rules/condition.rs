//! Compiled conditions, and how each is decided in one call.

use super::facts::Facts;
use super::key::Kind;
use super::truth;
use super::window::Window;
use crate::metrics::Interval;

/// A named condition of a rule.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub(crate) name: String,
    pub(crate) test: Test,
}

/// What a condition asks.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    Phrases(Search),
    /// That the same search finds too little.
    Absent(Search),
    Metric(Metric),
    Near(Near),
    Repeated(Search, Within),
}

/// Phrases that are looked for.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    /// As given, each once, whatever its spelling.
    pub(crate) given: Vec<String>,
    /// Those that are other spellings of one before.
    pub(crate) repeats: Vec<String>,
    /// Their terms, indices into the list of all rules.
    pub(crate) terms: Vec<usize>,
    /// How many of them must be found.
    pub(crate) least: usize,
    /// How many hits there must be.
    pub(crate) times: usize,
    pub(crate) speaker: Speaker,
    pub(crate) window: Window,
}

/// A figure and its bounds.
#[derive(Debug, Clone)]
pub(crate) struct Metric {
    /// `table.column` as given.
    pub(crate) given: String,
    /// Index into the figures of all rules.
    pub(crate) figure: usize,
    pub(crate) speaker: Speaker,
    pub(crate) bounds: Vec<(Bound, f64)>,
}

/// How a figure is compared with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    Above,
    Below,
    AtLeast,
    AtMost,
}

/// Hits of two other conditions of the rule, close to each other.
#[derive(Debug, Clone)]
pub(crate) struct Near {
    /// Indices of conditions.
    pub(crate) pair: [usize; 2],
    pub(crate) within_ms: i64,
    pub(crate) order: Order,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The first ends before the second begins.
    Before,
    After,
    Any,
}

/// How close repeated hits must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Within {
    Ms(i64),
    Turns(usize),
}

/// Who a condition is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Speaker {
    Anybody,
    Role(String),
    /// A participant's label.
    Label(String),
    /// The prefix of a column of `calls_by_role`: a role, or a label.
    RoleOrLabel(String),
}

/// What became of one condition in one call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Finding {
    /// `None` is unknown.
    pub(crate) holds: Option<bool>,
    /// Indices into [`Facts::occurrences`], in order, each once. They count only if it holds.
    pub(crate) hits: Vec<usize>,
}

impl Bound {
    pub(crate) const ALL: [Self; 4] = [Self::Above, Self::Below, Self::AtLeast, Self::AtMost];

    /// The key in a rule file.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Above => "above",
            Self::Below => "below",
            Self::AtLeast => "at_least",
            Self::AtMost => "at_most",
        }
    }

    pub(crate) fn allows(self, value: f64, number: f64) -> bool {
        match self {
            Self::Above => value > number,
            Self::Below => value < number,
            Self::AtLeast => value >= number,
            Self::AtMost => value <= number,
        }
    }

    pub(crate) fn is_lower(self) -> bool {
        matches!(self, Self::Above | Self::AtLeast)
    }
}

impl Speaker {
    /// The participants it means, or `None` where no participant has this role or label.
    pub(crate) fn participants(&self, facts: &Facts) -> Option<Vec<usize>> {
        let has_label = |label: &str, wanted: &str| label.split('+').any(|part| part == wanted);
        let is_meant = |(label, role): &(String, Option<String>)| match self {
            Self::Anybody => true,
            Self::Role(wanted) => role.as_ref() == Some(wanted),
            Self::Label(wanted) => has_label(label, wanted),
            Self::RoleOrLabel(wanted) => role.as_ref() == Some(wanted) || has_label(label, wanted),
        };
        let numbered = facts.participants.iter().enumerate();
        let meant: Vec<usize> = numbered.filter(|(_, party)| is_meant(party)).map(|(index, _)| index).collect();
        (!meant.is_empty() || *self == Self::Anybody).then_some(meant)
    }
}

impl Test {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Phrases(_) => Kind::Phrases,
            Self::Absent(_) => Kind::Absent,
            Self::Metric(_) => Kind::Metric,
            Self::Near(_) => Kind::Near,
            Self::Repeated(..) => Kind::Repeated,
        }
    }

    /// Decides the condition; `others` are those of the rule that were decided before.
    pub(crate) fn decide(&self, facts: &Facts, others: &[Finding]) -> Finding {
        let Some(span) = facts.span else { return Finding::default() };
        match self {
            Self::Phrases(search) => search.find(facts, span),
            Self::Absent(search) => Finding { holds: truth::not(search.find(facts, span).holds), hits: Vec::new() },
            Self::Metric(metric) => Finding { holds: metric.holds(facts), hits: Vec::new() },
            Self::Near(near) => near.find(facts, others),
            Self::Repeated(search, within) => {
                let mut found = search.find(facts, span);
                if found.holds == Some(true) {
                    found.holds = Some(within.has_run(facts, &found.hits, search.times));
                }
                found
            }
        }
    }
}

impl Search {
    /// All hits inside window and role, and whether they are enough.
    pub(crate) fn find(&self, facts: &Facts, span: Interval) -> Finding {
        let Some(meant) = self.speaker.participants(facts) else { return Finding::default() };
        let (mut hits, mut terms) = (Vec::new(), 0);
        for &term in &self.terms {
            let before = hits.len();
            hits.extend(facts.of_term(term).filter(|&index| {
                facts.occurrences.get(index).is_some_and(|found| {
                    meant.contains(&found.participant)
                        && self.window.contains(span, found.interval.map(|interval| interval.begin))
                })
            }));
            terms += usize::from(hits.len() > before);
        }
        facts.in_order(&mut hits);
        Finding { holds: Some(terms >= self.least && hits.len() >= self.times), hits }
    }
}

impl Metric {
    fn holds(&self, facts: &Facts) -> Option<bool> {
        let values = self.values(facts)?;
        let mut any = Some(false);
        for (_, value) in values {
            any = truth::or(any, value.map(|value| self.allows(value)));
        }
        any
    }

    /// Whether a value is within the bounds.
    pub(crate) fn allows(&self, value: f64) -> bool {
        self.bounds.iter().all(|(bound, number)| bound.allows(value, *number))
    }

    /// The figure of the call, or of each participant it is about; `None` where it is about no participant.
    pub(crate) fn values(&self, facts: &Facts) -> Option<Vec<(Option<usize>, Option<f64>)>> {
        let figure = facts.figures.get(self.figure)?;
        if !figure.by_participant {
            return Some(vec![(None, figure.values.first().copied().flatten())]);
        }
        let meant = self.speaker.participants(facts)?;
        Some(meant.into_iter().map(|index| (Some(index), figure.values.get(index).copied().flatten())).collect())
    }
}

impl Near {
    fn find(&self, facts: &Facts, others: &[Finding]) -> Finding {
        let [Some(one), Some(two)] = self.pair.map(|index| others.get(index)) else { return Finding::default() };
        if one.holds.is_none() || two.holds.is_none() {
            return Finding::default();
        }
        if truth::and(one.holds, two.holds) != Some(true) {
            return Finding { holds: Some(false), hits: Vec::new() };
        }
        let (before, after) = match self.order {
            Order::Before => (true, false),
            Order::After => (false, true),
            Order::Any => (true, true),
        };
        let mut hits = self.beside(facts, &one.hits, &two.hits, before, after);
        hits.extend(self.beside(facts, &two.hits, &one.hits, after, before));
        facts.in_order(&mut hits);
        Finding { holds: Some(!hits.is_empty()), hits }
    }

    /// The hits of `list` that have one of `others` near: behind them if `before`, in front of them if `after`, or
    /// overlapping them if both.
    fn beside(&self, facts: &Facts, list: &[usize], others: &[usize], before: bool, after: bool) -> Vec<usize> {
        let others = Timeline::new(facts, others);
        let has_near = |index: &usize| {
            let Some(time) = facts.time(*index) else { return false };
            let (own, within) = (facts.hit(*index), self.within_ms);
            match (before, after) {
                (true, true) => others.reaches(own, time.begin.saturating_sub(within), time.end.saturating_add(within)),
                (true, false) => others.begins(own, time.end, time.end.saturating_add(within)),
                _ => others.ends(own, time.begin.saturating_sub(within), time.begin),
            }
        };
        list.iter().copied().filter(has_near).collect()
    }

    /// The time between two hits in this order; `None` when they are in the other one.
    pub(crate) fn distance(&self, one: Interval, two: Interval) -> Option<i64> {
        let (gap_behind, gap_before) = (two.begin - one.end, one.begin - two.end);
        let distance = match self.order {
            Order::Before => gap_behind,
            Order::After => gap_before,
            Order::Any => gap_behind.max(gap_before).max(0),
        };
        (distance >= 0).then_some(distance)
    }
}

/// The hits of a condition by time.
struct Timeline {
    /// (begin, index).
    begins: Vec<(i64, usize)>,
    /// (end, index).
    ends: Vec<(i64, usize)>,
    /// Over `begins` up to each place, the two latest ends, of different hits.
    latest: Vec<[(i64, usize); 2]>,
}

impl Timeline {
    fn new(facts: &Facts, hits: &[usize]) -> Self {
        let times = || hits.iter().filter_map(|&index| Some((facts.time(index)?, facts.hit(index))));
        let mut by_begin: Vec<(Interval, usize)> = times().collect();
        by_begin.sort_unstable_by_key(|(time, index)| (time.begin, *index));
        let mut ends: Vec<(i64, usize)> = times().map(|(time, index)| (time.end, index)).collect();
        ends.sort_unstable();
        let mut latest = [(i64::MIN, usize::MAX); 2];
        let latest = by_begin.iter().map(|&(time, index)| {
            let [first, second] = latest;
            if time.end > first.0 {
                latest = [(time.end, index), first];
            } else if time.end > second.0 {
                latest = [first, (time.end, index)];
            }
            latest
        });
        let latest = latest.collect();
        Self { latest, begins: by_begin.iter().map(|&(time, index)| (time.begin, index)).collect(), ends }
    }

    /// Whether another hit than `own` begins in `[from, to]`.
    fn begins(&self, own: usize, from: i64, to: i64) -> bool {
        any_other(&self.begins, own, from, to)
    }

    /// Whether another hit than `own` ends in `[from, to]`.
    fn ends(&self, own: usize, from: i64, to: i64) -> bool {
        any_other(&self.ends, own, from, to)
    }

    /// Whether another hit than `own` has a point in `[from, to]`.
    fn reaches(&self, own: usize, from: i64, to: i64) -> bool {
        let count = self.begins.partition_point(|&(begin, _)| begin <= to);
        let latest = count.checked_sub(1).and_then(|last| self.latest.get(last));
        latest
            .is_some_and(|latest| latest.iter().any(|&(end, index)| index != own && index != usize::MAX && end >= from))
    }
}

/// Whether a sorted list has an entry in `[from, to]` that is not `own`'s.
fn any_other(list: &[(i64, usize)], own: usize, from: i64, to: i64) -> bool {
    let start = list.partition_point(|&(time, _)| time < from);
    // `own` is there at most once.
    list.iter().skip(start).take(2).any(|&(time, index)| time <= to && index != own)
}

impl Within {
    /// Whether this many hits follow each other closely.
    fn has_run(self, facts: &Facts, hits: &[usize], times: usize) -> bool {
        let times = times.max(1);
        match self {
            Self::Ms(within) => {
                let list: Vec<Interval> = hits.iter().filter_map(|&index| facts.time(index)).collect();
                runs_within(&list, times, within)
            }
            Self::Turns(within) => {
                let turn = |index: &usize| facts.occurrences.get(*index)?.turn_index;
                let mut turns: Vec<usize> = hits.iter().filter_map(turn).collect();
                turns.sort_unstable();
                turns.windows(times).any(|run| match run {
                    [first, .., last] => last - first < within,
                    _ => within > 0,
                })
            }
        }
    }
}

/// Whether `times` neighbours in order of begin take at most `within` from the first begin to the latest end.
fn runs_within(list: &[Interval], times: usize, within: i64) -> bool {
    // Candidates for the latest end of the run, ends falling.
    let mut latest: std::collections::VecDeque<(usize, i64)> = std::collections::VecDeque::new();
    for (at, time) in list.iter().enumerate() {
        while latest.back().is_some_and(|&(_, end)| end <= time.end) {
            latest.pop_back();
        }
        latest.push_back((at, time.end));
        let Some(start) = (at + 1).checked_sub(times) else { continue };
        while latest.front().is_some_and(|&(index, _)| index < start) {
            latest.pop_front();
        }
        let (Some(first), Some(&(_, end))) = (list.get(start), latest.front()) else { continue };
        if end - first.begin <= within {
            return true;
        }
    }
    false
}
