//! Which file of one side is of the same call as which of the other (definitions: comparison).

use std::collections::{BTreeMap, HashMap};

use crate::recording_id::address_id;
use crate::transcript::Input;

/// The files of one side, and what ledgers know of their recordings: ids and addresses, by file.
#[derive(Debug, Clone, Default)]
pub struct SideFiles {
    /// In the order of their names.
    pub files: Vec<Input>,
    /// Names of the recordings behind them.
    pub recordings: HashMap<String, Vec<String>>,
}

/// Files that belong together, and files alone.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Pairs {
    /// A file of each side.
    pub pairs: Vec<(Input, Input)>,
    /// Files of the reference without one.
    pub only_a: Vec<Input>,
    /// Files of the other side without one.
    pub only_b: Vec<Input>,
}

/// Ways in which two files can have one name, in the order in which they are tried.
const WAYS: [fn(&SideFiles, &Input) -> Vec<String>; 5] = [
    |_, input| vec![input.file().to_owned()],
    |_, input| vec![stem(input.file()).to_owned()],
    |_, input| vec![name(input.file()).to_owned()],
    |_, input| vec![stem(name(input.file())).to_owned()],
    |side, input| {
        let recordings = side.recordings.get(input.file()).into_iter().flatten();
        recordings.map(|place| if place.contains("://") { address_id(place) } else { place.clone() }).collect()
    },
];

impl Pairs {
    /// Pairs files with the same path below their folder; else with the same path without ending, the same name, the same
    /// name without ending, or of the same recording, in this order, as long as only one file on each side has that name.
    /// One file on each side are a pair if both were named as such.
    #[must_use]
    pub fn new(a: SideFiles, b: SideFiles, are_single: bool) -> Self {
        let mut pairs = Self::default();
        let (mut left, mut right) = (Remaining::new(&a), Remaining::new(&b));
        let mut of_a: Vec<Option<usize>> = vec![None; a.files.len()];
        for way in WAYS {
            let (by_a, by_b) = (left.by_name(way), right.by_name(way));
            for (name, one) in by_a {
                if let (Some(one), Some(Some(two))) = (one, by_b.get(&name))
                    && left.is_free(one)
                    && right.is_free(*two)
                {
                    left.take(one);
                    right.take(*two);
                    if let Some(slot) = of_a.get_mut(one) {
                        *slot = Some(*two);
                    }
                }
            }
        }
        if let (true, [slot @ None]) = (are_single && b.files.len() == 1, &mut of_a[..]) {
            *slot = Some(0);
            right.take(0);
        }
        for (input, two) in a.files.iter().zip(&of_a) {
            match two.and_then(|two| b.files.get(two)) {
                Some(two) => pairs.pairs.push((input.clone(), two.clone())),
                None => pairs.only_a.push(input.clone()),
            }
        }
        let alone = (0..).zip(&b.files).filter(|(at, _)| right.is_free(*at));
        pairs.only_b = alone.map(|(_, input)| input.clone()).collect();
        pairs
    }
}

/// Files of one side that have no partner yet.
struct Remaining<'s> {
    side: &'s SideFiles,
    free: Vec<bool>,
}

impl<'s> Remaining<'s> {
    fn new(side: &'s SideFiles) -> Self {
        Self { side, free: vec![true; side.files.len()] }
    }

    fn is_free(&self, at: usize) -> bool {
        self.free.get(at).copied().unwrap_or(false)
    }

    fn take(&mut self, at: usize) {
        if let Some(free) = self.free.get_mut(at) {
            *free = false;
        }
    }

    /// The file of each name; `None` if several have it. By name, so that pairs do not depend on the order of hashing.
    fn by_name(&self, way: fn(&SideFiles, &Input) -> Vec<String>) -> BTreeMap<String, Option<usize>> {
        let mut named = BTreeMap::new();
        for (at, input) in self.side.files.iter().enumerate().filter(|(at, _)| self.is_free(*at)) {
            for name in way(self.side, input) {
                named
                    .entry(name)
                    .and_modify(|one: &mut Option<usize>| *one = one.filter(|one| *one == at))
                    .or_insert(Some(at));
            }
        }
        named
    }
}

/// The last part of a path.
fn name(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or(file)
}

/// A path without its ending.
fn stem(file: &str) -> &str {
    match file.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && !stem.ends_with('/') && !ending.contains('/') => stem,
        _ => file,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(files: &[&str]) -> SideFiles {
        let files = files.iter().map(|file| Input::local(file, (*file).into())).collect();
        SideFiles { files, recordings: HashMap::new() }
    }

    fn paired(pairs: &Pairs) -> (Vec<(&str, &str)>, Vec<&str>, Vec<&str>) {
        (
            pairs.pairs.iter().map(|(a, b)| (a.file(), b.file())).collect(),
            pairs.only_a.iter().map(|input| input.file()).collect(),
            pairs.only_b.iter().map(|input| input.file()).collect(),
        )
    }

    #[test]
    fn a_path_is_a_better_name_than_the_end_of_one() {
        let (a, b) = (side(&["may/1.json", "may/2.json", "x.json"]), side(&["1.json", "may/2.json", "y/x.vtt"]));
        let pairs = Pairs::new(a, b, false);
        let expected = vec![("may/1.json", "1.json"), ("may/2.json", "may/2.json"), ("x.json", "y/x.vtt")];
        assert_eq!(paired(&pairs), (expected, vec![], vec![]));
    }

    #[test]
    fn a_name_that_two_files_have_pairs_neither() {
        let pairs = Pairs::new(side(&["a/1.json", "b/1.json"]), side(&["1.json", "b/1.json", "2.json"]), false);
        // Once `b/1.json` has its partner, one file is left on each side.
        assert_eq!(paired(&pairs), (vec![("a/1.json", "1.json"), ("b/1.json", "b/1.json")], vec![], vec!["2.json"]));
        let pairs = Pairs::new(side(&["a/1.json", "b/1.json"]), side(&["c/1.json"]), false);
        assert_eq!(paired(&pairs), (vec![], vec!["a/1.json", "b/1.json"], vec!["c/1.json"]));
    }

    #[test]
    fn two_files_that_were_named_are_a_pair_whatever_their_names() {
        let pairs = Pairs::new(side(&["a.json"]), side(&["b.vtt"]), true);
        assert_eq!(paired(&pairs).0, [("a.json", "b.vtt")]);
        let pairs = Pairs::new(side(&["a.json"]), side(&["b.vtt"]), false);
        assert_eq!(paired(&pairs), (vec![], vec!["a.json"], vec!["b.vtt"]));
    }

    #[test]
    fn files_of_one_recording_are_a_pair_under_any_name() {
        let with = |file: &str, place: &str| SideFiles {
            recordings: HashMap::from([(file.to_owned(), vec![place.to_owned()])]),
            ..side(&[file])
        };
        let a = with("1-a.json", "https://example.org/call.wav");
        let b = with("000002-x.json", "https://EXAMPLE.org/call.wav#t");
        assert_eq!(paired(&Pairs::new(a, b, false)).0, [("1-a.json", "000002-x.json")]);
    }
}
