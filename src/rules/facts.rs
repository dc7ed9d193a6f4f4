//! What the rules are decided by in one call: participants, span, where phrases occur, and figures.

use std::collections::HashMap;
use std::ops::Range;

use super::FigureKey;
use crate::metrics::catalogue::{Cells, PARTICIPANTS};
use crate::metrics::keywords::Keywords;
use crate::metrics::{Interval, Measured, Occurrence};

/// What the rules are decided by in one call.
#[derive(Debug)]
pub(crate) struct Facts {
    /// Labels and roles.
    pub(crate) participants: Vec<(String, Option<String>)>,
    /// `None` in a call without speech, in which everything is unknown.
    pub(crate) span: Option<Interval>,
    /// By term, then time.
    pub(crate) occurrences: Vec<Occurrence>,
    /// The occurrences of each term.
    terms: Vec<Range<usize>>,
    /// For each occurrence the first one of the same term at the same place: two spellings of a term, and a term with and
    /// without an exclusion, find one hit.
    same: Option<Vec<usize>>,
    /// In the order of the rules' figures.
    pub(crate) figures: Vec<Values>,
}

/// The values of one figure.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    pub(crate) by_participant: bool,
    /// One for the call, or one for each participant.
    pub(crate) values: Vec<Option<f64>>,
}

impl Facts {
    /// Of a measured call. `figure` reads the values of a column, if they are not the call's own.
    pub(crate) fn new(
        measured: &Measured<'_>,
        phrases: &Keywords,
        figures: &[FigureKey],
        figure: &dyn Fn(FigureKey) -> Cells,
    ) -> Self {
        let occurrences = measured.search(phrases);
        let mut terms = vec![0..0; phrases.len()];
        let mut start = 0;
        for group in occurrences.chunk_by(|one, two| one.term == two.term) {
            let end = start + group.len();
            if let Some(range) = group.first().and_then(|first| terms.get_mut(first.term)) {
                *range = start..end;
            }
            start = end;
        }
        let participants = measured.participants.iter();
        let (begin, end) = (measured.call.span_start_ms, measured.call.span_end_ms);
        Self {
            participants: participants.map(|party| (party.participant.clone(), party.role.clone())).collect(),
            span: begin.zip(end).map(|(begin, end)| Interval { begin, end }),
            same: same(&occurrences, phrases),
            occurrences,
            terms,
            figures: figures.iter().map(|&key| Values::new(key, &figure(key))).collect(),
        }
    }

    /// The occurrences of one term.
    pub(crate) fn of_term(&self, term: usize) -> Range<usize> {
        self.terms.get(term).cloned().unwrap_or_default()
    }

    /// The same number for occurrences that are one hit.
    pub(crate) fn hit(&self, index: usize) -> usize {
        self.same.as_ref().and_then(|same| same.get(index).copied()).unwrap_or(index)
    }

    pub(crate) fn time(&self, index: usize) -> Option<Interval> {
        self.occurrences.get(index)?.interval
    }

    /// Sorts hits by begin, end and participant, then term; each once, by the first term that found it.
    pub(crate) fn in_order(&self, hits: &mut Vec<usize>) {
        let order = |index: usize| self.occurrences.get(index).map(Occurrence::order);
        hits.sort_unstable_by_key(|&index| (order(index), self.hit(index), index));
        hits.dedup_by_key(|index| self.hit(*index));
    }
}

/// Occurrences of the same term at the same place; `None` where every term is there once.
fn same(occurrences: &[Occurrence], phrases: &Keywords) -> Option<Vec<usize>> {
    let searched = phrases.searched();
    if searched.iter().enumerate().all(|(index, searched)| index == searched.term) {
        return None;
    }
    let mut first = HashMap::with_capacity(occurrences.len());
    let numbered = occurrences.iter().enumerate();
    let hit = numbered.map(|(index, found)| {
        let term = searched.get(found.term).map(|searched| searched.term);
        *first.entry((term, found.place, found.matched.len())).or_insert(index)
    });
    Some(hit.collect())
}

impl Values {
    fn new(key: FigureKey, cells: &Cells) -> Self {
        let values = match cells {
            Cells::Integer(cells) => cells.iter().map(|cell| cell.map(|number| number as f64)).collect(),
            Cells::Number(cells) => cells.iter().collect(),
            _ => Vec::new(),
        };
        Self { by_participant: key.table.name == PARTICIPANTS.name, values }
    }
}
