//! Which calls and groups need a look, and why: serious rules that matched, and figures far above those of the others.

use std::collections::BTreeMap;

use polars::prelude::*;
use serde::Serialize;

use super::Report;
use super::call::{CallView, EventView};
use super::number::{count, counted, figure};
use super::quantile::sorted;
use super::rates::{CallSet, Rate, RateValues, median, quantile};
use super::values::numbers;
use crate::error::{Error, Result};
use crate::metrics::EventKind;
use crate::metrics::catalogue::{CALLS, Column, Unit, Use};
use crate::tables::Analysis;

/// With fewer calls than this no quartiles are compared: the highest value is named instead.
const LEAST_CALLS: usize = 8;

/// Fewest calls of a group that is compared with the others, and of these.
const LEAST_CALLS_OF_GROUP: usize = 3;

/// A group needs a look if its rate is this many times that of the other calls, …
const FACTOR: f64 = 1.5;

/// … and if it has this many events more than as many of the other calls.
const LEAST_EXCESS: f64 = 2.0;

/// The severity of rules that a match of which needs a look.
const SERIOUS: &str = "serious";

/// A call that needs a look.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct CallAttention {
    /// Its row in the table `calls`.
    #[serde(skip)]
    pub(super) place: usize,
    /// Its name in the tables.
    pub file: String,
    /// The user's own columns: whose call it is.
    pub own: Vec<(String, String)>,
    /// At least one.
    pub reasons: Vec<Cause>,
    /// For each reason, where it shows in the call; null where that is no single place.
    pub places: Vec<Option<Place>>,
}

/// A place in a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Place {
    /// The id behind the call's own on a page: `e3` is event 3, `h0` the first hit, `l7` a line of the transcript.
    pub anchor: String,
    /// ms.
    pub begin_ms: Option<i64>,
}

impl CallAttention {
    /// Adds whose call it is, and where the reasons show.
    pub(super) fn complete(&mut self, view: &CallView) {
        self.own.clone_from(&view.own);
        self.places = self.reasons.iter().map(|cause| cause.place(view)).collect();
    }
}

/// Why a call needs a look.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "cause")]
#[non_exhaustive]
pub enum Cause {
    /// A serious rule matched.
    Rule {
        /// Its id.
        rule: String,
        /// What it means.
        name: String,
    },
    /// A figure is far above those of the other calls.
    High {
        /// A column of `calls` with [`Use::Attention`].
        metric: &'static str,
        /// The value.
        value: f64,
        /// The median of all calls.
        median: f64,
        /// Whether it is the highest of few calls, rather than above the fence of many.
        highest: bool,
    },
}

impl Cause {
    /// The longest silence, the longest overlap, or the first hit.
    fn place(&self, view: &CallView) -> Option<Place> {
        let longest = |is_wanted: &dyn Fn(EventKind) -> bool| {
            let events = view.events.iter().filter(|event| is_wanted(event.kind));
            let length = |event: &&EventView| event.overlap_ms.unwrap_or(event.end_ms - event.begin_ms);
            // Of equal ones the first.
            let event = events.rev().max_by_key(length)?;
            Some(Place { anchor: format!("e{}", event.index), begin_ms: Some(event.begin_ms) })
        };
        match self {
            Self::Rule { rule, .. } => {
                let mut hits = view.hits.iter().enumerate();
                let (at, hit) =
                    hits.find(|(_, hit)| hit.is_of_rule && hit.rule == *rule && hit.participant.is_some())?;
                Some(Place { anchor: view.hit_anchor(at), begin_ms: hit.begin_ms })
            }
            Self::High { metric: "interruption_count", .. } => longest(&|kind| kind == EventKind::Interruption),
            Self::High { metric: "overlap_ratio", .. } => longest(&|kind| kind != EventKind::DeadAir),
            Self::High { .. } => longest(&|kind| kind == EventKind::DeadAir),
        }
    }

    /// The reason in words: `1:12 of dead air, median 4.0 s`.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            Self::Rule { rule, name } => format!("rule {rule}: {name}"),
            Self::High { metric, value, median, highest } => {
                let unit = unit(metric);
                let shown = |value| if unit == Unit::Events { count(value as i64) } else { figure(Some(value), unit) };
                let number = shown(*value);
                let figure = match *metric {
                    "dead_air_ms" => format!("{number} of dead air"),
                    "longest_silence_ms" => format!("a silence of {number}"),
                    "interruption_count" => format!("{number} interruptions"),
                    "overlap_ratio" => format!("overlap in {number} of the speech"),
                    other => format!("{}: {number}", CALLS.label(other)),
                };
                if *highest { format!("{figure}, the highest") } else { format!("{figure}, median {}", shown(*median)) }
            }
        }
    }
}

/// A group that needs a look.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct GroupAttention {
    /// Its place in the ranking.
    pub group: usize,
    /// The figure, per call.
    pub rate: Rate,
    /// Its value in the group.
    pub value: f64,
    /// Its value over all other calls.
    pub others: f64,
    /// Calls of the group in which it could be measured.
    pub calls: u64,
    /// All other calls in which it could be measured.
    pub other_calls: u64,
}

impl GroupAttention {
    /// The reason in words, as numbers of events: `Dead air: 9 in 4 calls; 12 in 31 others`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let events = |rate: f64, calls: u64| count((rate * calls as f64).round() as i64);
        let (here, there) = (events(self.value, self.calls), events(self.others, self.other_calls));
        let (label, calls) = (CALLS.label(self.rate.metric), counted(self.calls, "call"));
        format!("{label}: {here} in {calls}; {there} in {} others", count(self.other_calls as i64))
    }

    /// Events beyond those that as many of the other calls would have.
    fn excess(&self) -> f64 {
        (self.value - self.others) * self.calls as f64
    }
}

fn unit(metric: &str) -> Unit {
    CALLS.column(metric).map_or(Unit::None, |column| column.unit)
}

/// The calls that need a look: those with most serious rules first, then by how many figures are high, and how far.
///
/// A figure is high above Tukey's fence, the upper quartile + 1.5 × the distance of the quartiles, and at least 2 events, the
/// shortest dead air or 5 % above that quartile. Of fewer than 8 calls the highest value is named, under the same conditions
/// against the median.
pub(super) fn calls(analysis: &Analysis) -> Result<Vec<CallAttention>> {
    let failed = |error| Error::table("cannot compare calls", error);
    // By call: serious rules, how far its figures are above the limit, causes.
    let mut found: BTreeMap<usize, (usize, f64, Vec<Cause>)> = BTreeMap::new();
    for rule in analysis.rules.iter().flatten().filter(|rule| rule.severity == SERIOUS) {
        let verdicts =
            analysis.verdicts.iter().find(|(id, _)| *id == rule.rule).map_or(&[][..], |(_, verdicts)| verdicts);
        for (call, _) in verdicts.iter().enumerate().filter(|(_, verdict)| **verdict == Some(true)) {
            let (rules, _, causes) = found.entry(call).or_default();
            *rules += 1;
            causes.push(Cause::Rule { rule: rule.rule.clone(), name: rule.name.clone() });
        }
    }
    for column in CALLS.columns_for(Use::Attention) {
        for (call, distance, cause) in high(analysis, column).map_err(failed)? {
            let (_, sum, causes) = found.entry(call).or_default();
            *sum += distance;
            causes.push(cause);
        }
    }
    let mut order: Vec<_> = found.into_iter().collect();
    order.sort_by(|(_, one), (_, two)| two.0.cmp(&one.0).then(two.1.total_cmp(&one.1)));
    let places: Vec<usize> = order.iter().map(|(place, _)| *place).collect();
    let files = analysis.calls.texts_at("file", &places).map_err(failed)?;
    let call = |((place, (_, _, reasons)), file): ((usize, (_, _, Vec<Cause>)), Option<String>)| {
        Some(CallAttention { place, file: file?, own: Vec::new(), places: vec![None; reasons.len()], reasons })
    };
    Ok(order.into_iter().zip(files).filter_map(call).collect())
}

/// The calls in which a figure is high, and how far above its limit in units of that limit.
fn high(analysis: &Analysis, column: &'static Column) -> PolarsResult<Vec<(usize, f64, Cause)>> {
    let values = || analysis.calls.parts(column.name);
    let sorted = sorted(values(), analysis.calls.height())?;
    let (Some(middle), Some(lower), Some(upper)) = (median(&sorted), quantile(&sorted, 0.25), quantile(&sorted, 0.75))
    else {
        return Ok(Vec::new());
    };
    let least = match column.unit {
        Unit::Events => 2.0,
        Unit::Share => 0.05,
        _ => match &analysis.settings {
            Some(settings) => settings.parameters.dead_air_ms as f64,
            // Without the parameters it is unknown which silences are long.
            None => return Ok(Vec::new()),
        },
    };
    let few = sorted.len() < LEAST_CALLS;
    let limit = if few {
        sorted.last().copied().unwrap_or(0.0).max(middle + least)
    } else {
        upper + (1.5 * (upper - lower)).max(least)
    };
    let (mut above, mut call) = (Vec::new(), 0);
    for part in values() {
        for value in numbers(&part?)?.iter() {
            if let Some(value) = value.filter(|value| *value >= limit && *value > middle) {
                let cause = Cause::High { metric: column.name, value, median: middle, highest: few };
                above.push((call, 1.0 + (value - limit) / (limit - middle).max(f64::MIN_POSITIVE), cause));
            }
            call += 1;
        }
    }
    Ok(above)
}

/// The groups whose events per call are at least 1.5 times those of all other calls, the highest first, and which have at
/// least 2 events more than as many of these; both have at least 3 calls. `members` are the calls of each group.
pub(super) fn groups(
    sets: &[CallSet],
    members: &[Vec<usize>],
    rates: &[Rate],
    values: &RateValues,
) -> Vec<GroupAttention> {
    let mut found = Vec::new();
    let is_large = |calls: &[usize]| calls.len() >= LEAST_CALLS_OF_GROUP;
    let is_named = |set: &CallSet| set.labels.iter().any(Option::is_some);
    let named = sets.iter().zip(members).enumerate().filter(|(_, (set, calls))| is_named(set) && is_large(calls));
    for (group, (set, calls)) in named {
        let others: Vec<usize> = members
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != group)
            .flat_map(|(_, calls)| calls)
            .copied()
            .collect();
        if !is_large(&others) {
            continue;
        }
        let measured = values.measured(calls).into_iter().zip(values.measured(&others));
        for (((rate, value), others), measured) in rates.iter().zip(&set.rates).zip(values.of(&others)).zip(measured) {
            let (Some(value), Some(others)) = (*value, others) else { continue };
            let (calls, other_calls) = measured;
            let one = GroupAttention { group, rate: rate.clone(), value, others, calls, other_calls };
            let is_of_events = rate.per_call && rate.unit == Unit::Events;
            if is_of_events && value >= FACTOR * others && one.excess() >= LEAST_EXCESS {
                found.push(one);
            }
        }
    }
    let factor = |one: &GroupAttention| one.value / one.others.max(0.01);
    found.sort_by(|one, two| factor(two).total_cmp(&factor(one)));
    found
}

/// `3 of 12 calls need a look`; `None` if none does and they were not all compared.
pub(super) fn summary(flagged: usize, report: &Report) -> Option<String> {
    let verb = if flagged == 1 { "needs" } else { "need" };
    let calls = counted(report.inputs.measured, "call");
    (flagged > 0 || not_compared(report).is_none())
        .then(|| format!("{} of {calls} {verb} a look", count(flagged as i64)))
}

/// Why calls were not all compared; `None` if they were.
pub(super) fn not_compared(report: &Report) -> Option<&'static str> {
    if report.inputs.measured < 2 {
        Some("A single call has nothing to be compared with.")
    } else if report.parameters.figures.is_none() {
        Some("Silences are not compared: the tables do not record which are long.")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_in_words() {
        let high = |metric, value, median, highest| Cause::High { metric, value, median, highest }.in_words();
        assert_eq!(high("dead_air_ms", 72_000.0, 4000.0, false), "1:12 of dead air, median 4.0 s");
        assert_eq!(high("longest_silence_ms", 5200.0, 4000.0, true), "a silence of 5.2 s, the highest");
        assert_eq!(high("interruption_count", 7.0, 1.0, true), "7 interruptions, the highest");
        assert_eq!(high("overlap_ratio", 0.21, 0.04, false), "overlap in 21 % of the speech, median 4 %");
    }

    #[test]
    fn a_group_is_not_named_for_a_single_event() {
        let rate = Rate { metric: "interruption_count", unit: Unit::Events, per_call: true };
        let set = |labels: &str, calls: usize, rate| CallSet {
            labels: vec![Some(labels.to_owned())],
            calls: calls as u64,
            rates: vec![Some(rate)],
        };
        // Ten interruptions in 2,000 calls, `few` of them in 29 of these.
        let found = |few: usize| {
            let values = (0..2000).map(|call| Some(f64::from(u8::from(call < few || (29..39 - few).contains(&call)))));
            let values = RateValues::of_values(true, values.collect());
            let members = [(0..29).collect(), (29..2000).collect::<Vec<_>>()];
            let sets = [set("one", 29, few as f64 / 29.0), set("two", 1971, (10 - few) as f64 / 1971.0)];
            groups(&sets, &members, std::slice::from_ref(&rate), &values)
        };
        assert!(found(1).is_empty() && found(2).is_empty());
        let of_three = found(3);
        assert_eq!((of_three.len(), of_three[0].group), (1, 0));
        assert_eq!(of_three[0].in_words(), "Interruptions: 3 in 29 calls; 7 in 1,971 others");
    }
}
