//! Everything that is wrong with a request, said at once.

use std::fmt;

use crate::error::Error;

/// How many are kept; the others are counted.
const SHOWN: usize = 20;

/// Why a manifest is refused: a line each, the first twenty of them, the others counted.
///
/// Lines name file and line of a list, or the argument; text in them is as received, so that a printer must escape
/// control characters.
#[derive(Debug, Default)]
pub struct Problems {
    lines: Vec<String>,
    further: usize,
}

impl Problems {
    /// One lowercase line each, in the order of the input; twenty at most.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// How many there are beyond [`Problems::lines`].
    #[must_use]
    pub fn further(&self) -> usize {
        self.further
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(super) fn add(&mut self, line: impl FnOnce() -> String) {
        if self.lines.len() < SHOWN {
            self.lines.push(line());
        } else {
            self.further += 1;
        }
    }
}

impl fmt::Display for Problems {
    /// The first line, and how many there are beyond it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.lines.first().map_or("nothing is wrong", |line| line))?;
        match self.lines.len().saturating_sub(1) + self.further {
            0 => Ok(()),
            1 => f.write_str("; and 1 further problem"),
            more => write!(f, "; and {more} further problems"),
        }
    }
}

impl std::error::Error for Problems {}

impl From<Problems> for Error {
    /// In one clause: the first problem and the number of the others.
    fn from(problems: Problems) -> Self {
        Self::invalid(problems.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_are_said_and_all_are_counted() {
        let mut problems = Problems::default();
        problems.add(|| "list.txt line 1: no such file".to_owned());
        assert_eq!(problems.to_string(), "list.txt line 1: no such file");
        problems.add(|| "other".to_owned());
        assert_eq!(problems.to_string(), "list.txt line 1: no such file; and 1 further problem");
        for _ in 0..40 {
            problems.add(|| "other".to_owned());
        }
        assert_eq!((problems.lines().len(), problems.further()), (20, 22));
        assert_eq!(Error::from(problems).to_string(), "list.txt line 1: no such file; and 41 further problems");
    }
}
