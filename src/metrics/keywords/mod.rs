//! Finding keywords in a text (definitions: keyword hit).
//!
//! One invariant: a match is a range of whole characters of the original text
//! that, folded by itself, equals the folded term. Which texts are searched, and
//! the time and participant of a match, are decided elsewhere.

mod plain;
mod reading;

use std::fmt;

use regex::{Regex, RegexSet};

use self::plain::{PlainTerms, Role};
pub use self::reading::KeywordError;
pub(crate) use self::reading::KeywordReader;
use crate::text::{FoldedText, Form};

/// A list of terms, compiled to search any number of texts (definitions: keyword hit).
///
/// Terms and text are compared after NFKC, ignoring case, punctuation and white
/// space, so `don't` is found in `DON’T` and a phrase may cross the end of a
/// sentence. A term that begins or ends with a letter or digit must not touch
/// another one there, except in scripts without spaces, where it matches
/// anywhere, and behind Hangul. Signs of a term, as in `C#`, `AT&T`, `50%` and
/// `.NET`, must be in the text; a term without signs ignores those of the text. `/regex/` searches the NFKC text and is case-sensitive.
/// ` ! exclusion`, repeatable, drops matches inside an exclusion.
///
/// ```
/// use talkmeter::metrics::keywords::Keywords;
///
/// let keywords = Keywords::new(["refund", "程序 ! 排程序", "取消服务", r"/\d{4}年/"])?;
/// let text = "我要refund。排程序，换程序，取消，服务。２０２６年";
/// let found: Vec<(usize, &str)> =
///     keywords.find(text).into_iter().map(|found| (found.term, &text[found.start..found.end])).collect();
/// assert_eq!(found, [(0, "refund"), (1, "程序"), (2, "取消，服务"), (3, "２０２６年")]);
/// assert!(keywords.find("refunds, reconsidered").is_empty());
/// # Ok::<(), talkmeter::metrics::keywords::KeywordError>(())
/// ```
#[derive(Clone)]
pub struct Keywords {
    /// As given, without exclusions.
    terms: Vec<String>,
    /// As given, in the same order.
    lines: Vec<String>,
    /// In the order of the terms.
    searched: Vec<Searched>,
    /// Without signs, then with signs.
    plain: [PlainTerms; 2],
    regexes: Vec<(Regex, Role)>,
    /// Which of many regexes match at all, in one pass; `None` for a few.
    regex_set: Option<RegexSet>,
}

/// A match: a byte range of the original text.
///
/// ```
/// use talkmeter::metrics::keywords::{Keywords, Match};
///
/// let found = Keywords::new(["好"])?.find("你好！");
/// assert_eq!(found, [Match { term: 0, start: 3, end: 6 }]);
/// # Ok::<(), talkmeter::metrics::keywords::KeywordError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Match {
    /// Index into [`Keywords::terms`].
    pub term: usize,
    /// Where its first character begins.
    pub start: usize,
    /// Where its last character ends, without punctuation that follows.
    pub end: usize,
}

/// What a keyword is searched as: spellings that differ in case, width or punctuation are one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Searched {
    /// The first keyword with the same term, whatever its exclusions.
    pub(crate) term: usize,
    /// The first keyword with the same term and the same exclusions.
    pub(crate) keyword: usize,
    /// An exclusion is the term itself, and leaves out every hit.
    pub(crate) is_dead: bool,
}

/// Buffers that [`Keywords::find_into`] reuses for every text.
///
/// ```
/// use talkmeter::metrics::keywords::{Keywords, Scratch};
///
/// let keywords = Keywords::new(["hello"])?;
/// let (mut scratch, mut found) = (Scratch::default(), Vec::new());
/// let mut hits = 0;
/// for text in ["Hello, hello!", "Goodbye."] {
///     keywords.find_into(text, &mut scratch, &mut found);
///     hits += found.len();
/// }
/// assert_eq!(hits, 2);
/// # Ok::<(), talkmeter::metrics::keywords::KeywordError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    folded: FoldedText,
    normal: FoldedText,
    excluded: Vec<Match>,
}

impl Keywords {
    /// Reads one term per line, ignoring repeated lines. Each line is a `term` or a `/regex/`, either with exclusions:
    /// `程序 ! 排程序 ! /程序[员猿]/` (definitions: keyword hit).
    ///
    /// ```
    /// use talkmeter::metrics::keywords::Keywords;
    ///
    /// assert_eq!(Keywords::new(["程序 ! 排程序"])?.terms(), ["程序"]);
    /// let error = Keywords::new(["/(/"]).unwrap_err();
    /// assert_eq!(error.to_string(), r#"keyword "/(/" is not a valid regex: unclosed group"#);
    /// # Ok::<(), talkmeter::metrics::keywords::KeywordError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// For a term or exclusion that is an invalid regex, or that holds nothing but punctuation.
    pub fn new<I, S>(lines: I) -> Result<Self, KeywordError>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<str>,
    {
        let mut reading = KeywordReader::default();
        for line in lines {
            reading.line(line.as_ref(), None)?;
        }
        reading.finish()
    }

    /// Reads the text of a keyword file: as [`new`](Self::new), skipping blank lines and
    /// lines that begin with `#` (definitions: keyword hit).
    ///
    /// ```
    /// use talkmeter::metrics::keywords::Keywords;
    ///
    /// let keywords = Keywords::from_file_text("# what customers ask for\n\nrefund\n退款\n")?;
    /// assert_eq!(keywords.terms(), ["refund", "退款"]);
    /// let error = Keywords::from_file_text("refund\n!?\n").unwrap_err();
    /// assert_eq!(error.to_string(), r#"keyword "!?" in line 2 holds nothing but punctuation"#);
    /// # Ok::<(), talkmeter::metrics::keywords::KeywordError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), with the line.
    pub fn from_file_text(text: &str) -> Result<Self, KeywordError> {
        Self::read([""; 0], text)
    }

    /// Joins terms given one by one and those of a keyword file into one list.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new); a term of the file with its line.
    pub fn read<I, S>(terms: I, text: &str) -> Result<Self, KeywordError>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<str>,
    {
        let mut reading = KeywordReader::default();
        for term in terms {
            reading.line(term.as_ref(), None)?;
        }
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                reading.line(line, Some(index + 1))?;
            }
        }
        reading.finish()
    }

    /// The terms as given, trimmed and without their exclusions, in order.
    ///
    /// ```
    /// use talkmeter::metrics::keywords::Keywords;
    ///
    /// assert_eq!(Keywords::new([" C++ ", "/a|b/ ! b"])?.terms(), ["C++", "/a|b/"]);
    /// # Ok::<(), talkmeter::metrics::keywords::KeywordError>(())
    /// ```
    #[must_use]
    pub fn terms(&self) -> &[String] {
        &self.terms
    }

    /// The lines as given, trimmed, with exclusions, in the order of the terms.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// What each term is searched as.
    pub(crate) fn searched(&self) -> &[Searched] {
        &self.searched
    }

    /// The number of terms.
    ///
    /// ```
    /// use talkmeter::metrics::keywords::Keywords;
    ///
    /// assert_eq!(Keywords::new(["a", "b ! c"])?.len(), 2);
    /// # Ok::<(), talkmeter::metrics::keywords::KeywordError>(())
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Whether there are no terms.
    ///
    /// ```
    /// use talkmeter::metrics::keywords::Keywords;
    ///
    /// assert!(Keywords::from_file_text("# later\n")?.is_empty());
    /// # Ok::<(), talkmeter::metrics::keywords::KeywordError>(())
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The terms that are searched with less than was given, as punctuation at
    /// their ends plays no role, and what is searched instead.
    ///
    /// ```
    /// use talkmeter::metrics::keywords::Keywords;
    ///
    /// let keywords = Keywords::new(["C#", "wow!", "don't"])?;
    /// assert_eq!(keywords.dulled().collect::<Vec<_>>(), [("wow!", "wow")]);
    /// # Ok::<(), talkmeter::metrics::keywords::KeywordError>(())
    /// ```
    pub fn dulled(&self) -> impl Iterator<Item = (&str, &str)> {
        let plain = self.plain.iter().flat_map(|plain| &plain.list);
        plain.filter(|plain| plain.dulled).filter_map(|plain| match plain.role {
            Role::Term(term) => Some((self.terms.get(term)?.as_str(), plain.folded.as_str())),
            Role::Exclusion(_) => None,
        })
    }

    /// All matches in a text, by term, then by place. Matches of one term do not
    /// overlap: the leftmost wins (definitions: keyword hit).
    ///
    /// ```
    /// use talkmeter::metrics::keywords::Keywords;
    ///
    /// let keywords = Keywords::new(["哈哈", "iphone15"])?;
    /// let text = "哈哈哈！买iPhone15吗";
    /// let found: Vec<&str> = keywords.find(text).into_iter().map(|found| &text[found.start..found.end]).collect();
    /// assert_eq!(found, ["哈哈", "iPhone15"]);
    /// # Ok::<(), talkmeter::metrics::keywords::KeywordError>(())
    /// ```
    #[must_use]
    pub fn find(&self, text: &str) -> Vec<Match> {
        let mut out = Vec::new();
        self.find_into(text, &mut Scratch::default(), &mut out);
        out
    }

    /// As [`find`](Self::find), reusing buffers: `out` is cleared, then holds the
    /// matches of this text.
    ///
    /// ```
    /// use talkmeter::metrics::keywords::{Keywords, Match, Scratch};
    ///
    /// let mut found = vec![Match { term: 9, start: 9, end: 9 }];
    /// Keywords::new(["a"])?.find_into("b a", &mut Scratch::default(), &mut found);
    /// assert_eq!(found, [Match { term: 0, start: 2, end: 3 }]);
    /// # Ok::<(), talkmeter::metrics::keywords::KeywordError>(())
    /// ```
    pub fn find_into(&self, text: &str, scratch: &mut Scratch, out: &mut Vec<Match>) {
        out.clear();
        let Scratch { folded, normal, excluded } = scratch;
        excluded.clear();
        for plain in &self.plain {
            if let Some(automaton) = &plain.automaton {
                folded.read(text, plain.form);
                plain.find(automaton, text, folded, |role, found| match role {
                    Role::Term(_) => out.push(found),
                    Role::Exclusion(_) => excluded.push(found),
                });
            }
        }
        if !self.regexes.is_empty() {
            normal.read(text, Form::Nfkc);
        }
        let matching = self.regex_set.as_ref().map(|set| set.matches(normal.as_str()));
        for (number, (regex, role)) in self.regexes.iter().enumerate() {
            if matching.as_ref().is_some_and(|matching| !matching.matched(number)) {
                continue;
            }
            let (into, term) = match *role {
                Role::Term(term) => (&mut *out, term),
                Role::Exclusion(term) => (&mut *excluded, term),
            };
            let places = regex.find_iter(normal.as_str()).filter(|place| !place.is_empty());
            into.extend(places.filter_map(|place| {
                let range = normal.around(place.range())?;
                Some(Match { term, start: range.start, end: range.end })
            }));
        }
        if out.is_empty() {
            return;
        }
        out.sort_unstable();
        leave_out(out, excluded);
        let mut last = None;
        out.retain(|found| {
            let overlaps = last.is_some_and(|(term, end)| term == found.term && found.start < end);
            if !overlaps {
                last = Some((found.term, found.end));
            }
            !overlaps
        });
    }
}

/// The lines as given.
impl serde::Serialize for Keywords {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.lines.serialize(serializer)
    }
}

/// Prints the terms only: the automaton would fill pages.
impl fmt::Debug for Keywords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keywords").field("terms", &self.terms).finish_non_exhaustive()
    }
}

/// Drops the matches that lie within an exclusion of their term.
fn leave_out(found: &mut Vec<Match>, excluded: &mut [Match]) {
    excluded.sort_unstable();
    let mut excluded = excluded.iter().peekable();
    // For each term, how far the exclusions that begin no later reach.
    let mut reach = (0, 0);
    found.retain(|found| {
        while let Some(next) = excluded.next_if(|next| (next.term, next.start) <= (found.term, found.start)) {
            reach = reach.max((next.term, next.end));
        }
        reach.0 != found.term || reach.1 < found.end
    });
}

#[cfg(test)]
mod tests;
