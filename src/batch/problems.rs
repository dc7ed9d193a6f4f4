//! Everything that is wrong with a request, reported at once.

use std::fmt;

use crate::error::{Check, Error};

/// How many are kept; the rest are counted.
const SHOWN: usize = 20;

/// Why a manifest or request is refused: the first twenty problems, and how many there are beyond them.
#[derive(Debug, Default)]
pub struct Problems {
    list: Vec<Problem>,
    further: usize,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// One lowercase line. It names file and line of a list, or the argument; text in it is as received, so a printer must
    /// escape control characters.
    pub message: String,
    /// The rule of the request that was broken; `None` for problems of a list or file.
    pub check: Option<Check>,
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        Self { message: error.to_string(), check: error.check() }
    }
}

impl From<String> for Problem {
    fn from(message: String) -> Self {
        Self { message, check: None }
    }
}

impl Problems {
    /// In the order of the input; twenty at most.
    #[must_use]
    pub fn list(&self) -> &[Problem] {
        &self.list
    }

    /// How many there are beyond [`Problems::list`].
    #[must_use]
    pub fn further(&self) -> usize {
        self.further
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn add<P: Into<Problem>>(&mut self, problem: impl FnOnce() -> P) {
        if self.list.len() < SHOWN {
            self.list.push(problem().into());
        } else {
            self.further += 1;
        }
    }
}

impl fmt::Display for Problems {
    /// The first line, and how many there are beyond it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.list.first().map_or("no problem", |problem| &problem.message))?;
        match self.list.len().saturating_sub(1) + self.further {
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
        assert_eq!((problems.list().len(), problems.further()), (20, 22));
        assert_eq!(Error::from(problems).to_string(), "list.txt line 1: no such file; and 41 further problems");
    }
}
