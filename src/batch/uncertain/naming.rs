//! Whether the name that the service gives a file is the address that was sent.
//!
//! It may spell it its own way: another percent-encoding, `http` for `https`, without the query, or undone escapes. Names that
//! may be the same but need not be are told apart from names that are another file's: only the latter prove anything.

use std::collections::HashSet;

use url::Url;

use crate::recording_id::address_id;

/// How much a name resembles an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::batch) enum Likeness {
    /// Another recording.
    Different,
    /// Perhaps the same: the same path, with parameters missing on one side.
    Alike,
    /// The same recording, perhaps under another signature.
    SameRecording,
    /// The same address.
    Same,
}

impl Likeness {
    /// Of a name to the address that was sent.
    pub(in crate::batch) fn new(named: &str, sent: &str) -> Self {
        if is_same_address(named, sent) {
            return Self::Same;
        }
        let (named, sent) = (address_id(named), address_id(sent));
        let (named, sent) = (without_scheme(&named), without_scheme(&sent));
        if named == sent {
            return Self::SameRecording;
        }
        let (named, sent) = (PathAndParameters::new(named), PathAndParameters::new(sent));
        let is_subset = named.parameters.is_subset(&sent.parameters) || sent.parameters.is_subset(&named.parameters);
        if named.path == sent.path && is_subset { Self::Alike } else { Self::Different }
    }

    /// Of the files of a task to those that were sent together; `unnamed` files of it have no name.
    pub(super) fn of_all<S: AsRef<str>>(names: &[String], unnamed: usize, sent: &[S]) -> Self {
        let closest = |name: &String| sent.iter().map(|sent| Self::new(name, sent.as_ref())).max();
        let least = names.iter().filter_map(closest).min();
        match least {
            Some(Self::Different) => Self::Different,
            _ if names.len() > sent.len() => Self::Different,
            Some(least) if unnamed == 0 && names.len() == sent.len() => {
                let missed = |sent: &S| names.iter().all(|name| Self::new(name, sent.as_ref()) == Self::Different);
                if sent.iter().any(missed) { Self::Alike } else { least }
            }
            _ => Self::Alike,
        }
    }
}

/// Whether a file that the service names is the recording that was sent, perhaps under another signature.
pub(in crate::batch) fn is_same_recording(named: &str, sent: &str) -> bool {
    Likeness::new(named, sent) >= Likeness::SameRecording
}

/// Whether the service means the address that was sent. A file of temporary storage is shown by its address there.
fn is_same_address(named: &str, sent: &str) -> bool {
    named == sent
        || match sent.strip_prefix("oss://") {
            Some(key) => named.split('?').next().is_some_and(|path| path.ends_with(key)),
            None => match (Url::parse(named), Url::parse(sent)) {
                (Ok(named), Ok(sent)) => named == sent,
                _ => false,
            },
        }
}

fn without_scheme(id: &str) -> &str {
    id.strip_prefix("https://").or_else(|| id.strip_prefix("http://")).unwrap_or(id)
}

struct PathAndParameters<'a> {
    path: &'a str,
    parameters: HashSet<&'a str>,
}

impl<'a> PathAndParameters<'a> {
    fn new(id: &'a str) -> Self {
        let (path, query) = id.split_once('?').unwrap_or((id, ""));
        Self { path, parameters: query.split('&').filter(|parameter| !parameter.is_empty()).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::Likeness::{Alike, Different, Same, SameRecording};
    use super::*;

    #[test]
    fn a_name_that_is_spelled_otherwise_is_never_another_file() {
        for (sent, named, likeness) in [
            ("https://e.org/a.wav", "https://e.org/a.wav", Same),
            ("https://e.org/%E5/a.wav", "https://e.org/%e5/a.wav", SameRecording),
            ("https://e.org/a.wav", "http://e.org/a.wav", SameRecording),
            ("https://e.org/a.wav?Signature=abc", "https://e.org/a.wav", Alike),
            ("https://e.org/a.wav?id=7&token=x", "https://e.org/a.wav?id=7", Alike),
            ("https://e.org/a.wav?id=7", "https://e.org/a.wav?id=8", Different),
            ("https://e.org/a.wav?OSSAccessKeyId=a&Signature=b", "https://e.org/a.wav", SameRecording),
            ("https://e.org/%E5%AE%A2%20a%2Bb%2Fc.wav", "https://e.org/客 a+b/c.wav", SameRecording),
            ("oss://dashscope-instant/x/a.wav", "https://b.oss.example/dashscope-instant/x/a.wav?Expires=1", Same),
            ("https://e.org/a.wav", "https://e.org/b.wav", Different),
            ("https://e.org/a.wav", "https://f.org/a.wav", Different),
            ("https://e.org/a.wav", "", Different),
        ] {
            assert_eq!(Likeness::new(named, sent), likeness, "{named} for {sent}");
        }
    }

    #[test]
    fn a_task_is_known_by_the_set_of_its_files() {
        let urls = |names: &[&str]| names.iter().map(|name| format!("https://h/{name}.wav")).collect::<Vec<_>>();
        let sent = urls(&["a", "b"]);
        for (names, unnamed, likeness) in [
            (&["b", "a"][..], 0, Same),
            (&["a", "a"], 0, Alike),
            (&["a", "c"], 0, Different),
            (&["a"], 1, Alike),
            (&["a"], 0, Alike),
            (&["c"], 1, Different),
            (&[], 2, Alike),
            (&["a", "b", "b"], 0, Different),
        ] {
            assert_eq!(Likeness::of_all(&urls(names), unnamed, &sent), likeness, "{names:?} and {unnamed}");
        }
    }
}
