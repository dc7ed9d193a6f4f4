//! Recordings that can be submitted, a queue for each set of tracks: a task requests the same tracks of all its files.

use std::collections::{BTreeMap, VecDeque};

use super::event::N;

/// A recording and the address it is sent by.
type Addressed = (N, String);
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

    pub(super) fn push_back(&mut self, channels: Option<&[u32]>, item: Addressed) {
        self.queues.entry(channels.map(<[u32]>::to_vec)).or_default().push_back(item);
    }

    /// What was taken together is the next again.
    pub(super) fn put_back(&mut self, channels: Option<&[u32]>, items: Vec<Addressed>) {
        let queue = self.queues.entry(channels.map(<[u32]>::to_vec)).or_default();
        items.into_iter().rev().for_each(|item| queue.push_front(item));
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
        let mut sets: Vec<(N, Channels)> =
            filled.filter_map(|(set, queue)| Some((queue.front()?.0, set.clone()))).collect();
        sets.sort();
        for (_, set) in sets {
            let Some(queue) = self.queues.get_mut(&set) else { continue };
            let mut items: Vec<Addressed> = Vec::new();
            // One round, so that it ends.
            for _ in 0..queue.len() {
                if items.len() == size {
                    break;
                }
                match queue.pop_front() {
                    Some((n, url)) if in_the_way(&url) || items.iter().any(|(_, other)| *other == url) => {
                        queue.push_back((n, url));
                    }
                    Some(item) => items.push(item),
                    None => break,
                }
            }
            if queue.is_empty() {
                self.queues.remove(&set);
            }
            if !items.is_empty() {
                return Some((set, items));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(items: &[(N, &str, Option<&[u32]>)]) -> Ready {
        let mut ready = Ready::default();
        items.iter().for_each(|(n, url, channels)| ready.push_back(*channels, (*n, (*url).to_owned())));
        ready
    }

    fn taken(ready: &mut Ready, size: usize, coming: bool, held: &str) -> Option<(Channels, Vec<N>)> {
        let (channels, items) = ready.take(size, coming, |url| url == held)?;
        Some((channels, items.into_iter().map(|(n, _)| n).collect()))
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
        let (channels, items) = ready.take(3, false, |_| false).unwrap();
        assert_eq!(items.iter().map(|(n, _)| *n).collect::<Vec<_>>(), [1, 3]);
        ready.put_back(channels.as_deref(), items);
        // Held back, a set does not hold up the others.
        assert_eq!(taken(&mut ready, 1, false, "a"), Some((None, vec![3])));
        assert_eq!(taken(&mut ready, 1, false, "a"), Some((Some(vec![0, 1]), vec![4])));
        assert_eq!(taken(&mut ready, 1, false, "a"), None);
        assert!(!ready.is_empty());
    }
}
