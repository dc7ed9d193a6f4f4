//! Where in a batch what a row of a statement names is.

use std::collections::HashMap;

#[cfg(any(feature = "analytics", feature = "client"))]
use crate::recording_id::address_id;

/// Where what a row may name is, apart by whether it is billed in tokens.
#[derive(Debug, Default)]
pub(super) struct Places {
    exact: HashMap<(bool, String), usize>,
    /// Paths by their last part, as a statement may shorten or lengthen them.
    by_last_part: HashMap<(bool, String), Vec<(String, usize)>>,
}

impl Places {
    pub(super) fn add(&mut self, by_tokens: bool, name: &str, place: usize) {
        let id = address_id(name);
        let path = path(&id);
        self.by_last_part.entry((by_tokens, last_part(&path).to_owned())).or_default().push((path, place));
        self.exact.entry((by_tokens, name.to_owned())).or_insert(place);
        self.exact.entry((by_tokens, id)).or_insert(place);
    }

    /// Where exactly this name is.
    pub(super) fn exact(&self, by_tokens: bool, name: &str) -> Option<usize> {
        self.exact.get(&(by_tokens, name.to_owned())).copied()
    }

    /// Where this name, this address or the end of it, or this path is; `None` also if it may be several.
    pub(super) fn find(&self, by_tokens: bool, name: &str) -> Option<usize> {
        let exact = self.exact(by_tokens, name).or_else(|| self.exact(by_tokens, &address_id(name)));
        exact.or_else(|| self.by_path(by_tokens, name))
    }

    /// Where the path is that ends as this one, or as which this one ends.
    fn by_path(&self, by_tokens: bool, name: &str) -> Option<usize> {
        // A whole address is that of another recording if it is not one of ours.
        let path = path(name);
        if path.contains("://") || last_part(&path).is_empty() {
            return None;
        }
        let ends = |long: &str, short: &str| {
            long.strip_suffix(short).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
        };
        let known = self.by_last_part.get(&(by_tokens, last_part(&path).to_owned()))?;
        let mut fitting = known.iter().filter(|(known, _)| ends(known, &path) || ends(&path, known)).map(|(_, at)| *at);
        let first = fitting.next()?;
        fitting.all(|at| at == first).then_some(first)
    }
}

/// With `/`, without a leading `./`.
fn path(name: &str) -> String {
    let name = name.trim().replace('\\', "/");
    name.strip_prefix("./").map_or(name.clone(), str::to_owned)
}

fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Without what else knows addresses, each is its own identity.
#[cfg(not(any(feature = "analytics", feature = "client")))]
fn address_id(address: &str) -> String {
    address.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_be_shorter_or_longer_than_ours_but_not_two() {
        let mut places = Places::default();
        for (at, name) in
            ["https://calls.example/may/a.wav", "calls/b.wav", "x/c.wav", "y/c.wav", "https://h/"].iter().enumerate()
        {
            places.add(false, name, at);
        }
        let found = |name: &str| places.find(false, name);
        for name in ["a.wav", "./a.wav", "may/a.wav", "calls.example/may/a.wav"] {
            assert_eq!(found(name), Some(0), "{name}");
        }
        for name in ["b.wav", "./calls/b.wav", "/data/calls/b.wav", "C:\\calls\\b.wav"] {
            assert_eq!(found(name), Some(1), "{name}");
        }
        assert_eq!((found("y/c.wav"), found("c.wav")), (Some(3), None));
        for name in ["https://others.example/may/a.wav", "june/a.wav", "wav", "ba.wav", ""] {
            assert_eq!(found(name), None, "{name}");
        }
        assert_eq!(places.find(true, "a.wav"), None);
    }
}
