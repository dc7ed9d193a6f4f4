//! Files that a walk over a folder does not read, counted by ending.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// Endings that are named; further ones are only counted.
const MOST_ENDINGS: usize = 5;

/// Files that were found but not read. Hidden files are not counted.
///
/// ```
/// let mut others = talkmeter::transcript::OtherFiles::default();
/// for name in ["a.wav", "b.wav", "notes.txt", ".DS_Store"] {
///     others.add(name.as_ref());
/// }
/// assert_eq!(others.to_string(), "3 other files (2 .wav, 1 .txt)");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OtherFiles(BTreeMap<String, u64>);

impl OtherFiles {
    /// Counts a file by the ending of its name.
    pub fn add(&mut self, path: &Path) {
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !is_hidden {
            let ending = path.extension().map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
            *self.0.entry(ending).or_default() += 1;
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for OtherFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: u64 = self.0.values().sum();
        let mut endings: Vec<(&str, u64)> = self.0.iter().map(|(ending, count)| (&**ending, *count)).collect();
        endings.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        write!(f, "{all} other {} (", if all == 1 { "file" } else { "files" })?;
        for (at, (ending, count)) in endings.iter().take(MOST_ENDINGS).enumerate() {
            let between = if at > 0 { ", " } else { "" };
            let ending = if ending.is_empty() { "without an ending" } else { ending };
            write!(f, "{between}{count} {ending}")?;
        }
        match endings.iter().skip(MOST_ENDINGS).map(|(_, count)| count).sum::<u64>() {
            0 => write!(f, ")"),
            rest => write!(f, ", {rest} with further endings)"),
        }
    }
}
