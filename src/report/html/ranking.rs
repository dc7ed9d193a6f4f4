//! What needs a look, groups side by side, and the trend.

use serde::Serialize;

use super::super::attention::{not_compared, summary};
use super::super::number::{NOT_MEASURED, clock, count, figure};
use super::super::{CallAttention, CallSet, GroupRow, Page, Ranking, Rate, Report};
use super::cell::{Cell, Grid, calls_with};
use super::short;

/// Groups on the page; the table `rollup` has them all.
pub(super) const MOST_GROUPS: usize = 500;

/// Most groups that need a look, on the page.
const MOST_ATTENTION: usize = 5;

/// What needs a look.
#[derive(Serialize)]
pub(super) struct Attention {
    summary: Option<String>,
    calls: Vec<AttentionCall>,
    /// Without calls.
    none: &'static str,
    groups: Vec<AttentionGroup>,
}

#[derive(Serialize)]
struct AttentionCall {
    name: String,
    href: String,
    own: String,
    causes: Vec<AttentionCause>,
}

#[derive(Serialize)]
struct AttentionCause {
    text: String,
    href: String,
    time: String,
}

#[derive(Serialize)]
struct AttentionGroup {
    name: String,
    href: String,
    text: String,
}

/// `address` gives where a part of a call is shown, by the call and the anchor of the part.
pub(super) fn attention(report: &Report, page: &Page, address: &dyn Fn(&str, &str) -> String) -> Attention {
    let call = |call: &CallAttention| AttentionCall {
        name: short(&call.file).to_owned(),
        href: address(&call.file, ""),
        own: call.own.iter().map(|(name, cell)| format!("{name} {cell}")).collect::<Vec<_>>().join(", "),
        causes: call
            .reasons
            .iter()
            .zip(&call.places)
            .map(|(cause, place)| AttentionCause {
                text: cause.in_words(),
                href: place.as_ref().map(|place| address(&call.file, &place.anchor)).unwrap_or_default(),
                time: place.as_ref().and_then(|place| place.begin_ms).map(clock).unwrap_or_default(),
            })
            .collect(),
    };
    let group = |ranking: &Ranking| {
        let found = ranking.attention.iter().take(MOST_ATTENTION).filter_map(|found| {
            let set = ranking.groups.get(found.group)?;
            Some(AttentionGroup {
                name: name_of(set),
                href: calls_with(&pairs(&ranking.by, set)),
                text: found.in_words(),
            })
        });
        found.collect()
    };
    Attention {
        summary: summary(page.attention_calls, report),
        calls: page.attention.iter().map(call).collect(),
        none: not_compared(report).unwrap_or("No serious rule matched, and no call is far above the others."),
        groups: page.ranking.as_ref().map(group).unwrap_or_default(),
    }
}

/// The labels of a group in one line.
fn name_of(set: &CallSet) -> String {
    set.labels.iter().map(|label| label.as_deref().unwrap_or(NOT_MEASURED)).collect::<Vec<_>>().join(", ")
}

/// The filters that show the calls of a group.
fn pairs<'s>(by: &[String], set: &'s CallSet) -> Vec<(String, &'s str)> {
    let cells = by.iter().zip(&set.labels);
    cells.map(|(name, label)| (format!("is.{name}"), label.as_deref().unwrap_or(NOT_MEASURED))).collect()
}

/// The groups in the order that was asked for, and as many.
fn in_order<'p>(report: &Report, ranking: &'p Ranking) -> Vec<&'p CallSet> {
    let mut sets: Vec<&CallSet> = ranking.groups.iter().collect();
    let Some(rollup) = &report.rollup else { return sets };
    if rollup.sorted_by.is_some() {
        let place = |set: &CallSet| {
            let is_it = |row: &GroupRow| {
                let mut cells = rollup.by.iter().zip(&set.labels);
                cells.all(|(name, label)| row.get(name).and_then(serde_json::Value::as_str) == label.as_deref())
            };
            rollup.rows.iter().position(is_it).unwrap_or(usize::MAX)
        };
        sets.sort_by_cached_key(|set| place(set));
    }
    sets.truncate(rollup.rows.len());
    sets
}

/// The groups with bars, their calls one click away.
pub(super) fn groups(report: &Report, page: &Page) -> Option<Grid> {
    let ranking = page.ranking.as_ref()?;
    let bars = Bars::new(&ranking.rates, &ranking.groups);
    let row = |set: &CallSet| {
        let texts = set.labels.iter().map(|label| match label {
            Some(label) => Cell::text(label),
            None => Cell::none("the metadata has no value, or no row for the call"),
        });
        let calls = Cell::number(count(set.calls as i64), set.calls).linked(calls_with(&pairs(&ranking.by, set)));
        texts.chain([calls]).chain(bars.cells(set)).collect()
    };
    let head = ranking.by.iter().cloned().chain(["Calls".to_owned()]).chain(ranking.rates.iter().map(Rate::label));
    let rows = in_order(report, ranking).into_iter().take(MOST_GROUPS).map(row).collect();
    Some(Grid { head: head.collect(), texts: ranking.by.len(), notes: 0, rows })
}

/// The periods with bars, and the change against the period before.
pub(super) fn trend(page: &Page) -> Option<Grid> {
    let trend = page.trend.as_ref()?;
    let bars = Bars::new(&trend.rates, &trend.periods);
    let column = format!("is.{}", trend.filter());
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut before: Option<&CallSet> = None;
    for set in &trend.periods {
        let label = name_of(set);
        let link = calls_with(&[(column.clone(), &label)]);
        let calls = Cell::number(count(set.calls as i64), set.calls).linked(link);
        let change = |at: usize| Some(change(before?.rates.get(at).copied()??, set.rates.get(at).copied()??));
        let cells = bars.cells(set).enumerate();
        let cells = cells.map(|(at, cell)| cell.noted(change(at).unwrap_or_default()));
        rows.push([Cell::text(&*label), calls].into_iter().chain(cells).collect());
        before = Some(set);
    }
    let head = [trend.column.clone(), "Calls".to_owned()].into_iter().chain(trend.rates.iter().map(Rate::label));
    Some(Grid { head: head.collect(), texts: 1, notes: 0, rows })
}

/// `+12 %`; empty where the value before is 0.
fn change(before: f64, now: f64) -> String {
    if before == 0.0 {
        return String::new();
    }
    let change = ((now - before) / before.abs() * 100.0).round();
    if change == 0.0 { "±0 %".to_owned() } else { format!("{change:+.0} %") }
}

/// Bars of rates, each as long as its share of the highest in its column.
struct Bars<'a> {
    rates: &'a [Rate],
    highest: Vec<f64>,
}

impl<'a> Bars<'a> {
    fn new(rates: &'a [Rate], sets: &[CallSet]) -> Self {
        let highest = |at: usize| sets.iter().filter_map(|set| *set.rates.get(at)?).fold(0.0, f64::max);
        Self { rates, highest: (0..rates.len()).map(highest).collect() }
    }

    fn cells(&self, set: &CallSet) -> impl Iterator<Item = Cell> {
        let rates = self.rates.iter().zip(&self.highest).zip(set.rates.clone());
        rates.map(|((rate, highest), value)| match value {
            None => Cell::none("not measurable in any of the calls"),
            Some(value) => {
                let cell = Cell::number(figure(Some(value), rate.unit), value);
                if *highest > 0.0 { cell.barred(value / highest) } else { cell }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::change;

    #[test]
    fn a_change_is_relative_to_the_period_before() {
        assert_eq!([change(4.0, 5.0), change(5.0, 4.0), change(4.0, 4.001)], ["+25 %", "-20 %", "±0 %"]);
        assert_eq!(change(0.0, 4.0), "");
    }
}
