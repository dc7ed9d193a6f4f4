//! Parses the lines of a keyword list into terms, regexes and exclusions.

use std::collections::{HashMap, HashSet};
use std::fmt;

use aho_corasick::AhoCorasick;
use regex::{Regex, RegexSet};
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

use super::plain::{Plain, PlainTerms, Role};
use super::{Keywords, Searched};
use crate::text::{FoldedText, Form, begins_with_word, ends_at_boundary, is_separator, is_sign};

/// What separates a term from its exclusions.
pub(super) const EXCLUDING: &str = " ! ";

/// From this many regexes on, a set tells in one pass which of them match.
const FEW_REGEXES: usize = 4;

/// A list of keywords being parsed.
pub(crate) struct KeywordReader {
    known: HashSet<String>,
    lines: Vec<String>,
    terms: Vec<String>,
    /// For each line what is searched: the term, then its exclusions in order.
    forms: Vec<Vec<String>>,
    /// Without signs, then with signs.
    plain: [PlainTerms; 2],
    regexes: Vec<(Regex, Role)>,
    folded: FoldedText,
}

impl Default for KeywordReader {
    fn default() -> Self {
        Self {
            known: HashSet::new(),
            lines: Vec::new(),
            terms: Vec::new(),
            forms: Vec::new(),
            plain: [Form::Folded, Form::Signs].map(PlainTerms::new),
            regexes: Vec::new(),
            folded: FoldedText::default(),
        }
    }
}

impl KeywordReader {
    pub(crate) fn line(&mut self, line: &str, number: Option<usize>) -> Result<(), KeywordError> {
        if !self.known.insert(line.trim().to_owned()) {
            return Ok(());
        }
        self.lines.push(line.trim().to_owned());
        let number_of_term = self.terms.len();
        let mut role = Role::Term(number_of_term);
        let mut rest = Some(line.trim());
        let mut forms = Vec::new();
        while let Some(line) = rest {
            let failed = |term: &str, reason| KeywordError { line: number, term: term.to_owned(), reason };
            let (term, after) = split_term(line).map_err(|reason| failed(line, reason))?;
            forms.push(self.term(term, role).map_err(|reason| failed(term, reason))?);
            if let Role::Term(_) = role {
                self.terms.push(term.to_owned());
            }
            role = Role::Exclusion(number_of_term);
            rest = after;
        }
        let mut exclusions = forms.split_off(forms.len().min(1));
        exclusions.sort_unstable();
        exclusions.dedup();
        forms.append(&mut exclusions);
        self.forms.push(forms);
        Ok(())
    }

    /// What is searched for the line with this index: equal for two spellings of one keyword.
    pub(crate) fn form(&self, line: usize) -> Option<&[String]> {
        self.forms.get(line).map(Vec::as_slice)
    }

    /// Adds a term or exclusion; returns what is searched.
    fn term(&mut self, term: &str, role: Role) -> Result<String, Reason> {
        if let Some(pattern) = term.strip_prefix('/') {
            let pattern = pattern.strip_suffix('/').unwrap_or(pattern);
            let regex = Regex::new(pattern).map_err(|error| Reason::BadRegex(in_one_line(&error.to_string())))?;
            self.regexes.push((regex, role));
            return Ok(term.to_owned());
        }
        let normal: String = term.nfkc().collect();
        let behind_dot = normal.strip_prefix('.').and_then(|rest| rest.chars().next());
        let has_dot = behind_dot.is_some_and(|c| c.general_category_group() == GeneralCategoryGroup::Letter);
        self.folded.read(term, Form::Signs);
        let has_signs = self.folded.as_str().contains(is_sign);
        if !has_signs {
            self.folded.read(term, Form::Folded);
        }
        let folded = self.folded.as_str().to_owned();
        if folded.is_empty() {
            return Err(if term.is_empty() { Reason::Empty } else { Reason::PunctuationOnly });
        }
        let form = format!("{}{folded}", if has_dot { "." } else { "" });
        let edges = [normal.chars().next().filter(|_| !has_dot), normal.chars().next_back()];
        let [without, with] = &mut self.plain;
        let plain = if has_signs { with } else { without };
        plain.list.push(Plain {
            role,
            begins_at_boundary: begins_with_word(folded.as_bytes()),
            ends_at_boundary: ends_at_boundary(&folded),
            has_dot,
            dulled: edges.into_iter().flatten().any(|edge| is_separator(edge) && !is_sign(edge)),
            folded,
        });
        Ok(form)
    }

    pub(crate) fn finish(self) -> Result<Keywords, KeywordError> {
        let Self { terms, lines, forms, mut plain, regexes, .. } = self;
        for plain in plain.iter_mut().filter(|plain| !plain.list.is_empty()) {
            let automaton = AhoCorasick::new(plain.list.iter().map(|plain| &plain.folded));
            plain.automaton = Some(automaton.map_err(|error| KeywordError {
                line: None,
                term: terms.first().cloned().unwrap_or_default(),
                reason: Reason::TooMany(in_one_line(&error.to_string())),
            })?);
        }
        // Above its size limit the set is left out, and each regex is tried on its own.
        let regex_set = (regexes.len() >= FEW_REGEXES)
            .then(|| RegexSet::new(regexes.iter().map(|(regex, _)| regex.as_str())).ok())
            .flatten();
        let (mut first, mut first_line) = (HashMap::new(), HashMap::new());
        let searched = forms.iter().enumerate().map(|(at, form)| {
            let term = form.first();
            Searched {
                term: *first.entry(term).or_insert(at),
                keyword: *first_line.entry(form).or_insert(at),
                is_dead: form.iter().skip(1).any(|exclusion| Some(exclusion) == term),
            }
        });
        Ok(Keywords { terms, lines, searched: searched.collect(), plain, regexes, regex_set })
    }
}

/// Splits a line into its first term and what follows the ` ! `. A regex may contain ` ! `.
fn split_term(line: &str) -> Result<(&str, Option<&str>), Reason> {
    if let Some(pattern) = line.strip_prefix('/') {
        for (at, _) in pattern.match_indices('/') {
            let (Some(term), Some(after)) = (line.get(..at + 2), line.get(at + 2..)) else {
                continue;
            };
            let after = after.trim_start();
            if at > 0 && after.is_empty() {
                return Ok((term, None));
            }
            if at > 0
                && let Some(after) = after.strip_prefix("! ")
            {
                return Ok((term, Some(after.trim_start())));
            }
        }
        return Err(Reason::OpenRegex);
    }
    if line.starts_with(EXCLUDING.trim_start()) {
        return Err(Reason::NothingInFront);
    }
    Ok(match line.split_once(EXCLUDING) {
        Some((term, after)) => (term.trim_end(), Some(after.trim_start())),
        None => (line, None),
    })
}

/// The last part of a message, which states the fault, to be embedded in another message.
fn in_one_line(message: &str) -> String {
    let message = message.rsplit("error: ").next().unwrap_or(message);
    let words: Vec<&str> = message.split_whitespace().collect();
    let clause = words.join(" ");
    let mut chars = clause.trim_end_matches('.').chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => clause,
    }
}

/// Why a keyword cannot be searched.
///
/// ```
/// use talkmeter::metrics::keywords::Keywords;
///
/// let error = Keywords::from_file_text("refund\n\n/refund\n").unwrap_err();
/// assert_eq!(error.to_string(), r#"keyword "/refund" in line 3 begins as a regex but does not end with a slash"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeywordError {
    line: Option<usize>,
    term: String,
    reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    Empty,
    NothingInFront,
    PunctuationOnly,
    OpenRegex,
    BadRegex(String),
    TooMany(String),
}

impl KeywordError {
    /// The line of the file, from 1, where a file was read.
    ///
    /// ```
    /// use talkmeter::metrics::keywords::Keywords;
    ///
    /// assert_eq!(Keywords::from_file_text("a\n?").unwrap_err().line(), Some(2));
    /// assert_eq!(Keywords::new(["a", "?"]).unwrap_err().line(), None);
    /// ```
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// The term or exclusion as given.
    ///
    /// ```
    /// use talkmeter::metrics::keywords::Keywords;
    ///
    /// assert_eq!(Keywords::new(["a ! ?"]).unwrap_err().term(), "?");
    /// ```
    #[must_use]
    pub fn term(&self) -> &str {
        &self.term
    }
}

impl KeywordError {
    /// The fault, in words that follow the term.
    pub(crate) fn reason(&self) -> impl fmt::Display {
        fmt::from_fn(|f| match &self.reason {
            Reason::Empty => f.write_str("is empty"),
            Reason::NothingInFront => f.write_str("has nothing in front of its exclusion"),
            Reason::PunctuationOnly => f.write_str("holds nothing but punctuation"),
            Reason::OpenRegex => f.write_str("begins as a regex but does not end with a slash"),
            Reason::BadRegex(why) => write!(f, "is not a valid regex: {why}"),
            Reason::TooMany(why) => write!(f, "and the others are too many: {why}"),
        })
    }
}

impl fmt::Display for KeywordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keyword {:?}", self.term)?;
        if let Some(line) = self.line {
            write!(f, " in line {line}")?;
        }
        write!(f, " {}", self.reason())
    }
}

impl std::error::Error for KeywordError {}

impl From<KeywordError> for crate::Error {
    fn from(error: KeywordError) -> Self {
        Self::invalid(error.to_string())
    }
}
