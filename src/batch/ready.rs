//! Recordings that can be submitted, a queue for each set of tracks: a task requests the same tracks of all its files.

use std::collections::{BTreeMap, VecDeque};

use super::event::RecordingNo;
use super::uncertain::is_same_recording;

/// A recording and the address it is sent by.
pub(super) type Addressed = (RecordingNo, String);
/// Tracks; `None` = those that are requested where nothing else is said.
type Channels = Option<Vec<u32>>;

/// In the order in which they came, apart by their tracks. No queue is empty.
#[derive(Debug, Default)]
pub(super) struct Ready {
    queues: BTreeMap<Channels, VecDeque<Addressed>>,
}

impl Ready {
    pub(super) fn is_empty(&self) -> bool {
        self.queues.is_empty()
    }

    pub(super) fn push_back(&mut self, channels: Option<&[u32]>, recording: Addressed) {
        self.queues.entry(channels.map(<[u32]>::to_vec)).or_default().push_back(recording);
    }

    /// What was taken together is the next again.
    pub(super) fn put_back(&mut self, channels: Option<&[u32]>, recordings: Vec<Addressed>) {
        let queue = self.queues.entry(channels.map(<[u32]>::to_vec)).or_default();
        recordings.into_iter().rev().for_each(|recording| queue.push_front(recording));
    }

    /// The files of one task: up to `size` of one set of tracks, no address twice. While others are `coming`, a set waits until
    /// it fills a task. What is `in_the_way` stays, at the back.
    pub(super) fn take(
        &mut self,
        size: usize,
        coming: bool,
        in_the_way: impl Fn(&str) -> bool,
    ) -> Option<(Channels, Vec<Addressed>)> {
        let filled = self.queues.iter().filter(|(_, queue)| queue.len() >= size || !coming);
        let mut sets: Vec<(RecordingNo, Channels)> =
            filled.filter_map(|(set, queue)| Some((queue.front()?.0, set.clone()))).collect();
        sets.sort();
        for (_, set) in sets {
            let Some(queue) = self.queues.get_mut(&set) else { continue };
            let mut recordings: Vec<Addressed> = Vec::new();
            // One round, so that it ends.
            for _ in 0..queue.len() {
                if recordings.len() == size {
                    break;
                }
                match queue.pop_front() {
                    Some((n, url))
                        if in_the_way(&url) || recordings.iter().any(|(_, other)| is_same_recording(other, &url)) =>
                    {
                        queue.push_back((n, url));
                    }
                    Some(recording) => recordings.push(recording),
                    None => break,
                }
            }
            if queue.is_empty() {
                self.queues.remove(&set);
            }
            if !recordings.is_empty() {
                return Some((set, recordings));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(recordings: &[(u32, &str, Option<&[u32]>)]) -> Ready {
        let mut ready = Ready::default();
        recordings
            .iter()
            .for_each(|(n, url, channels)| ready.push_back(*channels, (RecordingNo::new(*n), (*url).to_owned())));
        ready
    }

    fn taken(ready: &mut Ready, size: usize, coming: bool, held: &str) -> Option<(Channels, Vec<u32>)> {
        let (channels, recordings) = ready.take(size, coming, |url| url == held)?;
        Some((channels, recordings.into_iter().map(|(n, _)| n.get()).collect()))
    }

    const BOTH: Option<&[u32]> = Some(&[0, 1]);

    #[test]
    fn a_task_has_files_of_one_set_of_tracks() {
        let mut ready = ready(&[(1, "a", None), (2, "b", BOTH), (3, "c", None), (4, "d", BOTH), (5, "e", None)]);
        // Neither fills a task yet.
        assert_eq!(taken(&mut ready, 4, true, ""), None);
        assert_eq!(taken(&mut ready, 2, true, ""), Some((None, vec![1, 3])));
        assert_eq!(taken(&mut ready, 2, true, ""), Some((Some(vec![0, 1]), vec![2, 4])));
        assert_eq!(taken(&mut ready, 2, true, ""), None);
        assert_eq!(taken(&mut ready, 2, false, ""), Some((None, vec![5])));
        assert!(ready.is_empty());
    }

    #[test]
    fn one_address_is_in_one_task_at_a_time_and_what_is_put_back_comes_first() {
        let mut ready = ready(&[(1, "a", None), (2, "a", None), (3, "b", None), (4, "c", BOTH)]);
        let (channels, recordings) = ready.take(3, false, |_| false).unwrap();
        assert_eq!(recordings.iter().map(|(n, _)| n.get()).collect::<Vec<_>>(), [1, 3]);
        ready.put_back(channels.as_deref(), recordings);
        // Held back, a set does not hold up the others.
        assert_eq!(taken(&mut ready, 1, false, "a"), Some((None, vec![3])));
        assert_eq!(taken(&mut ready, 1, false, "a"), Some((Some(vec![0, 1]), vec![4])));
        assert_eq!(taken(&mut ready, 1, false, "a"), None);
        assert!(!ready.is_empty());
    }
}
