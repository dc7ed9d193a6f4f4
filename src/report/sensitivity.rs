//! A [`Sensitivity`] for people.

use std::ops::Range;

use super::number::{NOT_MEASURED, cell, count, counted};
use super::summary::{Summary, SummaryCell, SummaryTable};
use crate::compare::Sensitivity;
use crate::metrics::Counts;
use crate::metrics::catalogue::{CALLS, PARTICIPANTS, Unit};

/// The first counts are of onsets; the others of silence and turns.
const ONSETS: usize = 5;

/// Calls that move furthest, as many as are shown.
const MOVES: usize = 10;

/// The grid of sums, and the calls that move furthest.
#[must_use]
pub fn sensitivity_summary(sensitivity: &Sensitivity) -> Summary {
    let calls = counted(sensitivity.calls.len() as u64, "call");
    let settings = counted(sensitivity.grid.len() as u64, "setting");
    let mut summary = Summary { title: format!("{calls} under {settings}"), ..Summary::default() };
    summary.line("Sums over the calls in which each count can be measured; in brackets the calls that change rank");
    summary.table(grid(sensitivity, "Onsets (overlap: at a turn change; start: simultaneous)", 0..ONSETS));
    summary.table(grid(sensitivity, "Silence and turns", ONSETS..Counts::NAMES.len()));
    summary.table(moves(sensitivity));
    summary
}

/// A count in words.
fn in_words(name: &str) -> String {
    name.trim_end_matches("_count").replace('_', " ")
}

/// A count in a word that leaves room for the others on 80 columns, and its unit.
fn column(name: &str) -> (String, Unit) {
    let column = CALLS.column(name).or_else(|| PARTICIPANTS.column(name));
    let head = match name {
        "terminal_overlap_count" => "overlap".to_owned(),
        "simultaneous_start_count" => "start".to_owned(),
        name => in_words(name),
    };
    (head, column.map_or(Unit::None, |column| column.unit))
}

/// Some of the counts under each setting.
fn grid(sensitivity: &Sensitivity, title: &str, counts: Range<usize>) -> SummaryTable {
    let some = |at: &usize| counts.contains(at);
    let columns = Counts::NAMES.map(column);
    let names = columns.iter().enumerate().filter(|(at, _)| some(at)).map(|(_, column)| &*column.0);
    let head: Vec<&str> = std::iter::once("setting").chain(names).collect();
    let mut table = SummaryTable::new(title, &head, 1);
    for (at, total) in sensitivity.grid.iter().enumerate() {
        let mut row = vec![SummaryCell::text(total.variation.name(at == 0))];
        let cells = Counts::NAMES.iter().zip(total.sum.values()).zip(&columns).enumerate();
        for (_, ((name, sum), (_, unit))) in cells.filter(|(at, _)| some(at)) {
            let mut text = cell(sum.map(serde_json::Value::from).as_ref(), *unit);
            let moved = total.rank_changes.get(name).map_or(0, Vec::len);
            if moved > 0 {
                text += &format!(" ({})", count(moved as i64));
            }
            row.push(SummaryCell::number(text, sum.map(|sum| sum as f64)));
        }
        table.rows.push(row);
    }
    table
}

/// Of each call and count the setting under which it moves furthest.
fn moves(sensitivity: &Sensitivity) -> SummaryTable {
    let head = ["call", "by", "most under", "rank", "there"];
    let mut table = SummaryTable::new("Calls that change rank most", &head, 3);
    let mut found = Vec::new();
    for call in &sensitivity.calls {
        for (place, name) in Counts::NAMES.iter().enumerate() {
            let rank = |counts: &Counts| counts.values().get(place).copied().flatten();
            let Some(before) = call.ranks.first().and_then(rank) else { continue };
            let moved = call.ranks.iter().enumerate().filter_map(|(at, ranks)| Some((at, rank(ranks)?)));
            // The first of equals.
            let furthest = moved.min_by_key(|(_, after)| -(after - before).abs());
            if let Some((at, after)) = furthest.filter(|(_, after)| *after != before) {
                found.push(((after - before).abs(), &call.file, *name, at, before, after));
            }
        }
    }
    found.sort_by_key(|moved| -moved.0);
    for (_, file, name, at, before, after) in found.iter().take(MOVES) {
        let setting =
            sensitivity.grid.get(*at).map_or_else(|| NOT_MEASURED.to_owned(), |total| total.variation.name(false));
        table.rows.push(vec![
            SummaryCell::text((*file).clone()),
            SummaryCell::text(in_words(name)),
            SummaryCell::text(setting),
            SummaryCell::whole(Some(*before)),
            SummaryCell::whole(Some(*after)),
        ]);
    }
    table
}
