//! Who speaks when, on two sides: talk that participants share, and the diarisation error (definitions: diarisation error).

use std::collections::BTreeMap;

use serde::Serialize;

use super::assignment::{MOST, assign};
use crate::metrics::Measured;

/// Time of the reference that is missed, invented or given to another, in ms of talk: two people who talk at once for a
/// second are two seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DiarisationError {
    /// Talk of the reference.
    pub reference_ms: i64,
    /// Talk of the reference without talk of the other side.
    pub missed_ms: i64,
    /// Talk of the other side without talk of the reference.
    pub false_alarm_ms: i64,
    /// Talk of both sides, by participants that do not belong together.
    pub confused_ms: i64,
}

impl DiarisationError {
    /// The three errors over the talk of the reference; `None` if it has none.
    ///
    /// ```
    /// assert_eq!(talkmeter::compare::DiarisationError::default().rate(), None);
    /// ```
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        let errors = self.missed_ms.checked_add(self.false_alarm_ms)?.checked_add(self.confused_ms)?;
        (self.reference_ms > 0).then(|| errors as f64 / self.reference_ms as f64)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.reference_ms = self.reference_ms.saturating_add(other.reference_ms);
        self.missed_ms = self.missed_ms.saturating_add(other.missed_ms);
        self.false_alarm_ms = self.false_alarm_ms.saturating_add(other.false_alarm_ms);
        self.confused_ms = self.confused_ms.saturating_add(other.confused_ms);
    }
}

/// One side: when each participant talks.
pub(super) type Lanes = Vec<Vec<(i64, i64)>>;

/// The bursts of each participant.
pub(super) fn lanes(measured: &Measured<'_>) -> Lanes {
    let mut lanes = vec![Vec::new(); measured.participants.len()];
    for burst in measured.bursts() {
        if let Some(lane) = lanes.get_mut(burst.participant) {
            lane.push((burst.interval.begin, burst.interval.end));
        }
    }
    lanes
}

/// The error of `b` against the reference `a`, without the time around each begin and end of a burst of the reference:
/// half of `collar_ms` before it, and half behind. `None` with more participants than can be assigned.
pub(super) fn diarisation_error(a: &Lanes, b: &Lanes, collar_ms: i64) -> Option<DiarisationError> {
    let talk = SharedTalk::new(a, b, collar_ms);
    let matched = talk.matched()?;
    Some(DiarisationError { confused_ms: talk.both_ms - matched, ..talk.error })
}

/// The talk that each participant of one side shares with each of the other.
#[derive(Debug, Default)]
pub(super) struct SharedTalk {
    /// By participants of both sides; those that share none are not there.
    pub(super) pairs: BTreeMap<(usize, usize), i64>,
    /// What can be said without pairing participants: confused talk is 0 here.
    error: DiarisationError,
    /// Talk of both sides at once.
    both_ms: i64,
}

/// What an edge in time belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    A(usize),
    B(usize),
    Collar,
}

impl SharedTalk {
    pub(super) fn new(a: &Lanes, b: &Lanes, collar_ms: i64) -> Self {
        let mut edges: Vec<(i64, i64, Owner)> = Vec::new();
        let mut span = |(begin, end): (i64, i64), owner| edges.extend([(begin, 1, owner), (end, -1, owner)]);
        for (participant, lane) in a.iter().enumerate() {
            for &(begin, end) in lane {
                span((begin, end), Owner::A(participant));
                if collar_ms > 0 {
                    let half = collar_ms / 2;
                    span((begin - half, begin + half), Owner::Collar);
                    span((end - half, end + half), Owner::Collar);
                }
            }
        }
        for (participant, lane) in b.iter().enumerate() {
            lane.iter().for_each(|&burst| span(burst, Owner::B(participant)));
        }
        edges.sort_unstable();
        let mut talk = Self::default();
        let (mut in_a, mut in_b, mut collars) = (Vec::<usize>::new(), Vec::<usize>::new(), 0_i64);
        let mut since = 0;
        for (at, step, owner) in edges {
            if at > since && collars == 0 {
                talk.add(&in_a, &in_b, at - since);
            }
            since = at;
            let (active, participant) = match owner {
                Owner::A(participant) => (&mut in_a, participant),
                Owner::B(participant) => (&mut in_b, participant),
                Owner::Collar => {
                    collars += step;
                    continue;
                }
            };
            if step > 0 {
                active.push(participant);
            } else if let Some(place) = active.iter().position(|one| *one == participant) {
                active.swap_remove(place);
            }
        }
        talk
    }

    fn add(&mut self, a: &[usize], b: &[usize], length: i64) {
        let (of_a, of_b) = (a.len() as i64, b.len() as i64);
        self.error.reference_ms += of_a * length;
        self.error.missed_ms += (of_a - of_b).max(0) * length;
        self.error.false_alarm_ms += (of_b - of_a).max(0) * length;
        self.both_ms += of_a.min(of_b) * length;
        for one in a {
            for two in b {
                *self.pairs.entry((*one, *two)).or_default() += length;
            }
        }
    }

    /// The talk shared by pairs of participants, paired so that it is the most.
    fn matched(&self) -> Option<i64> {
        let mut rows: Vec<usize> = self.pairs.keys().map(|pair| pair.0).collect();
        let mut columns: Vec<usize> = self.pairs.keys().map(|pair| pair.1).collect();
        rows.dedup();
        columns.sort_unstable();
        columns.dedup();
        let pairs = self.pair(&rows, &columns, |_, _| 0)?;
        Some(pairs.iter().filter_map(|pair| self.pairs.get(pair)).sum())
    }

    /// Pairs of these participants that share the most talk, and of such pairs those with the most of `order`.
    pub(super) fn pair(
        &self,
        rows: &[usize],
        columns: &[usize],
        order: impl Fn(usize, usize) -> i128,
    ) -> Option<Vec<(usize, usize)>> {
        // No sum of orders outweighs a ms.
        const MS: i128 = (MOST * MOST * MOST) as i128;
        if rows.len().max(columns.len()) > MOST {
            return None;
        }
        let shared = |row: usize, column: usize| i128::from(self.pairs.get(&(row, column)).copied().unwrap_or(0));
        let weights: Vec<Vec<i128>> = (0..)
            .zip(rows)
            .map(|(at, row)| {
                (0..).zip(columns).map(|(to, column)| shared(*row, *column) * MS + order(at, to)).collect()
            })
            .collect();
        let found = assign(&weights)?;
        let pair = |(row, column): (&usize, Option<usize>)| Some((*row, *columns.get(column?)?));
        Some(rows.iter().zip(found).filter_map(pair).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn error(a: &[&[(i64, i64)]], b: &[&[(i64, i64)]], collar: i64) -> (i64, i64, i64, i64) {
        let lanes = |lanes: &[&[(i64, i64)]]| lanes.iter().map(|lane| lane.to_vec()).collect::<Lanes>();
        let error = diarisation_error(&lanes(a), &lanes(b), collar).unwrap();
        (error.reference_ms, error.missed_ms, error.false_alarm_ms, error.confused_ms)
    }

    #[test]
    fn by_hand() {
        // Two speakers who swap names are no error.
        assert_eq!(error(&[&[(0, 10)], &[(10, 20)]], &[&[(10, 20)], &[(0, 10)]], 0), (20, 0, 0, 0));
        // One who speaks for both is right for the longer part.
        assert_eq!(error(&[&[(0, 10)], &[(10, 16)]], &[&[(0, 16)]], 0), (16, 0, 0, 6));
        // 4 missed, 5 invented.
        assert_eq!(error(&[&[(0, 10)]], &[&[(4, 15)]], 0), (10, 4, 5, 0));
        // Two at once, of whom one is heard.
        assert_eq!(error(&[&[(0, 10)], &[(0, 10)]], &[&[(0, 10)]], 0), (20, 10, 0, 0));
        assert_eq!(error(&[], &[&[(0, 10)]], 0), (0, 0, 10, 0));
        assert_eq!(error(&[], &[], 0), (0, 0, 0, 0));
    }

    #[test]
    fn a_collar_leaves_out_half_of_it_on_both_sides() {
        // Of 1000–3000 is left 1125–2875, and of the false alarm 3000–3500 the end from 3125.
        assert_eq!(error(&[&[(1000, 3000)]], &[&[(1100, 3500)]], 250), (1750, 0, 375, 0));
        assert_eq!(error(&[&[(0, 200)]], &[&[(0, 100)]], 250), (0, 0, 0, 0));
    }

    /// The definition, ms by ms, over all ways to pair.
    fn slow(a: &Lanes, b: &Lanes, collar: i64) -> (i64, i64) {
        let is_in = |lane: &Vec<(i64, i64)>, at: i64| lane.iter().any(|&(begin, end)| begin <= at && at < end);
        let left_out = |at: i64| {
            let edges = a.iter().flatten().flat_map(|&(begin, end)| [begin, end]);
            edges.into_iter().any(|edge| edge - collar / 2 <= at && at < edge + collar / 2)
        };
        let (mut reference, mut wrong, mut both) = (0, 0, vec![vec![0; b.len()]; a.len()]);
        for at in (-50..200).filter(|at| !left_out(*at)) {
            let heard = |lanes: &Lanes| (0..lanes.len()).filter(|one| is_in(&lanes[*one], at)).collect::<Vec<_>>();
            let (one, two) = (heard(a), heard(b));
            reference += one.len() as i64;
            wrong += one.len().max(two.len()) as i64;
            one.iter().for_each(|row| two.iter().for_each(|column| both[*row][*column] += 1));
        }
        fn best(both: &[Vec<i64>], row: usize, taken: u32) -> i64 {
            let Some(own) = both.get(row) else { return 0 };
            let free = own.iter().enumerate().filter(|(column, _)| taken >> column & 1 == 0);
            let with = free.map(|(column, shared)| shared + best(both, row + 1, taken | 1 << column));
            with.max().unwrap_or(0).max(best(both, row + 1, taken))
        }
        (reference, wrong - best(&both, 0, 0))
    }

    /// Bursts of a participant: in order, apart.
    fn lane() -> impl Strategy<Value = Vec<(i64, i64)>> {
        proptest::collection::vec((1_i64..30, 1_i64..30), 0..4).prop_map(|parts| {
            let mut at = 0;
            let burst = |(pause, length)| {
                at += pause + length;
                (at - length, at)
            };
            parts.into_iter().map(burst).collect()
        })
    }

    proptest! {
        #[test]
        fn as_the_definition_says(
            a in proptest::collection::vec(lane(), 0..4),
            b in proptest::collection::vec(lane(), 0..4),
            collar in 0_i64..20,
        ) {
            let collar = collar * 2;
            let error = diarisation_error(&a, &b, collar).unwrap();
            let wrong = error.missed_ms + error.false_alarm_ms + error.confused_ms;
            prop_assert_eq!((error.reference_ms, wrong), slow(&a, &b, collar));
        }

        #[test]
        fn against_itself_nothing_is_wrong(a in proptest::collection::vec(lane(), 0..5)) {
            let error = diarisation_error(&a, &a, 0).unwrap();
            prop_assert_eq!((error.missed_ms, error.false_alarm_ms, error.confused_ms), (0, 0, 0));
        }
    }
}
