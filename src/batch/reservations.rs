//! What a batch has cost so far, what is under way, and whether another submit fits into its budget.

use std::collections::{BTreeMap, HashSet};

use super::event::RecordingNo;
use super::state::{OwnTask, Phase, State};
use crate::billing::{Budget, Usage};

/// Kept up with the state; does nothing where there is no budget.
#[derive(Debug, Default)]
pub(super) struct Reservations {
    budget: Option<Budget>,
    /// By the usage of tasks that have ended.
    spent: Usage,
    /// Recordings whose bill is still to come.
    open: HashSet<RecordingNo>,
    /// Most that can come of those of which it is known …
    bound: Usage,
    /// … and how many others there are, by the number of their tracks.
    unknown: BTreeMap<i64, i64>,
    /// The highest cost of a recording so far, assumed for those of unknown length …
    dearest: Option<Usage>,
    /// … and of a track, for each track of those that have more.
    dearest_track: Usage,
    /// Tracks that are requested where a recording has none of its own.
    tracks: usize,
}

impl Reservations {
    /// `tracks` are requested where a recording has none of its own.
    pub(super) fn new(state: &State, budget: Option<Budget>, tracks: usize) -> Self {
        let mut reservations = Self { budget, tracks, ..Self::default() };
        if reservations.budget.is_some() {
            for owned in state.tasks.values() {
                reservations.spend(state, owned);
            }
            let open = |phase: &Phase| match phase {
                Phase::Attempted(_) => true,
                Phase::InTask(task) => state.tasks.get(task).is_none_or(|owned| !owned.is_settled()),
                _ => false,
            };
            for recording in state.recordings.iter().filter(|recording| open(&recording.phase)) {
                reservations.hold(state, recording.n);
            }
        }
        reservations
    }

    /// The bill of a recording is to come.
    pub(super) fn hold(&mut self, state: &State, n: RecordingNo) {
        let tracks = self.tracks_of(state, n);
        if let Some(budget) = self.budget.as_ref().filter(|_| self.open.insert(n)) {
            match state.get(n).and_then(|recording| budget.upper_bound(&recording.key())) {
                Some(most) => self.bound += most,
                None => *self.unknown.entry(tracks).or_default() += 1,
            }
        }
    }

    /// Its bill came, or will not come.
    pub(super) fn release(&mut self, state: &State, n: RecordingNo) {
        let tracks = self.tracks_of(state, n);
        if let Some(budget) = self.budget.as_ref().filter(|_| self.open.remove(&n)) {
            match state.get(n).and_then(|recording| budget.upper_bound(&recording.key())) {
                Some(most) => self.bound += most.times(-1),
                None => *self.unknown.entry(tracks).or_default() -= 1,
            }
        }
    }

    /// A task has ended.
    pub(super) fn settle(&mut self, state: &State, owned: &OwnTask) {
        // The end of a task is reported again with a fresh link; it is billed once.
        let due = owned.recordings().any(|n| self.open.contains(&n));
        if self.budget.is_some() && due && owned.is_settled() {
            self.spend(state, owned);
            owned.recordings().for_each(|n| self.release(state, n));
        }
    }

    fn spend(&mut self, state: &State, owned: &OwnTask) {
        if let Some(usage) = owned.usage().as_ref().map(Usage::from_json) {
            self.spent += usage;
            self.dearest = Some(self.dearest.map_or(usage, |dearest| dearest.max(usage)));
            let tracks: i64 = owned.recordings().map(|n| self.tracks_of(state, n)).sum();
            self.dearest_track = self.dearest_track.max(usage.divided_by(tracks));
        }
    }

    fn tracks_of(&self, state: &State, n: RecordingNo) -> i64 {
        let own = state.get(n).and_then(|recording| recording.channels()).map(<[u32]>::len);
        i64::try_from(own.unwrap_or(self.tracks)).unwrap_or(i64::MAX)
    }

    /// What is assumed for a recording of unknown length with this number of tracks.
    fn dearest(&self, tracks: i64) -> Usage {
        self.dearest.unwrap_or_default().max(self.dearest_track.times(tracks))
    }

    /// Why a recording can never be submitted under this limit; `None` = it may fit, now or later.
    pub(super) fn never_fits(&self, state: &State, n: RecordingNo) -> Option<String> {
        let budget = self.budget.as_ref()?;
        let cost = budget.cost(&budget.upper_bound(&state.get(n)?.key())?);
        let limit = budget.limit();
        (cost > limit.amount).then(|| {
            format!("may cost up to {} {} alone, more than {limit}: not sent", cost.normalize(), limit.currency)
        })
    }

    /// Why these may not be submitted now; `None` = they may.
    ///
    /// If lengths are unknown, one recording is sent first, and shows what the others may cost.
    pub(super) fn refuses(&self, state: &State, recordings: &[RecordingNo]) -> Option<String> {
        let budget = self.budget.as_ref()?;
        let mut total = self.spent;
        total += self.bound;
        let mut unknown = self.unknown.clone();
        for n in recordings {
            match state.get(*n).and_then(|recording| budget.upper_bound(&recording.key())) {
                Some(most) => total += most,
                None => *unknown.entry(self.tracks_of(state, *n)).or_default() += 1,
            }
        }
        let alone = self.dearest.is_none() && unknown.values().any(|recordings| *recordings > 0);
        unknown.iter().for_each(|(tracks, recordings)| total += self.dearest(*tracks).times(*recordings));
        let (spent, cost, limit) = (budget.cost(&self.spent), budget.cost(&total), budget.limit());
        let fits = if alone { self.open.is_empty() && cost < limit.amount } else { cost <= limit.amount };
        (!fits).then(|| {
            format!(
                "the budget of {limit} is reached: {} {} spent, the next submit could pass it",
                spent.normalize(),
                limit.currency
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::batch::ledger::Fold as _;
    use crate::batch::line::Line;
    use crate::billing::Prices;
    use crate::catalog::Region;

    /// A batch whose first recording, of one track, came to ten seconds; two others of unknown length wait.
    fn state() -> State {
        let recording = |n: u32, channels: serde_json::Value| json!({"event": "item", "n": n, "url": format!("https://h/{n}"), "key": format!("https://h/{n}"), "name": "u", "channels": channels});
        let mut state = State::default();
        for mut line in [
            recording(1, json!(null)),
            recording(2, json!(null)),
            recording(3, json!([0, 1])),
            json!({"event": "intent", "attempt": 1, "items": [1], "urls": ["https://h/1"]}),
            json!({"event": "accepted", "attempt": 1, "task_id": "t"}),
            json!({"event": "ended", "task_id": "t", "status": "SUCCEEDED", "usage": {"duration": 10}}),
        ] {
            line["at"] = json!("2026-11-01T00:00:00Z");
            state.apply(Line::read(line.to_string().as_bytes()).unwrap()).unwrap();
        }
        state
    }

    #[test]
    fn what_is_not_known_is_reckoned_by_the_dearest_track() {
        let state = state();
        let refuses = |limit: &str, recordings: &[u32]| {
            let recordings: Vec<RecordingNo> = recordings.iter().copied().map(RecordingNo::new).collect();
            let budget = Budget::new(limit.parse().unwrap(), "paraformer-v2", Region::Cn, &Prices::builtin()).unwrap();
            Reservations::new(&state, Some(budget), 1).refuses(&state, &recordings).is_some()
        };
        // 0.00008 a second: ten are spent, one track is ten more, two tracks are twenty.
        assert_eq!([refuses("0.0015cny", &[2]), refuses("0.0016cny", &[2])], [true, false]);
        assert_eq!([refuses("0.0023cny", &[3]), refuses("0.0024cny", &[3])], [true, false]);
        assert_eq!([refuses("0.0031cny", &[2, 3]), refuses("0.0032cny", &[2, 3])], [true, false]);
    }
}
