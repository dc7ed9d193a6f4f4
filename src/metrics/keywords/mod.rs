//! Finding keywords in a text (definitions: keyword hit).
//!
//! One invariant: a match is a range of whole characters of the original text
//! that, folded by itself, equals the folded term. Which texts are searched, and
//! the time and participant of a match, are decided elsewhere.

mod reading;

use std::fmt;

use aho_corasick::AhoCorasick;
use regex::{Regex, RegexSet};
use unicode_normalization::UnicodeNormalization;

pub use self::reading::KeywordError;
use self::reading::Reading;
use crate::text::{FoldedText, Form, begins_with_word, ends_in_word};

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

/// Plain terms and exclusions that are searched in one form of the text.
#[derive(Clone)]
struct PlainTerms {
    form: Form,
    list: Vec<Plain>,
    /// Over `list`; `None` when it is empty.
    automaton: Option<AhoCorasick>,
}

/// A plain term or exclusion.
#[derive(Clone, Debug)]
struct Plain {
    folded: String,
    role: Role,
    /// Its first character must not follow a letter or digit.
    begins_at_boundary: bool,
    /// Its last character must not be followed by a letter or digit.
    ends_at_boundary: bool,
    /// It begins with a dot directly before a letter, which must be in the text: `.NET`.
    has_dot: bool,
    dulled: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Term(usize),
    /// Of the term with this index.
    Exclusion(usize),
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
        let mut reading = Reading::default();
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
        let mut reading = Reading::default();
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

impl PlainTerms {
    fn new(form: Form) -> Self {
        Self { form, list: Vec::new(), automaton: None }
    }

    /// `folded` is `text` in this form.
    fn find(&self, automaton: &AhoCorasick, text: &str, folded: &FoldedText, mut found: impl FnMut(Role, Match)) {
        let bytes = folded.as_bytes();
        // Most texts hold no term, which is faster to find out than which term.
        if !automaton.is_match(bytes) {
            return;
        }
        for place in automaton.try_find_overlapping_iter(bytes).into_iter().flatten() {
            let Some(plain) = self.list.get(place.pattern().as_usize()) else {
                continue;
            };
            let (before, after) = (bytes.get(..place.start()), bytes.get(place.end()..));
            if plain.begins_at_boundary && ends_in_word(before.unwrap_or_default())
                || plain.ends_at_boundary && begins_with_word(after.unwrap_or_default())
            {
                continue;
            }
            let Some(range) = folded.exactly(place.range()) else { continue };
            let dot = if plain.has_dot { dot_before(text, range.start) } else { Some(range.start) };
            if let Some(start) = dot {
                let (Role::Term(term) | Role::Exclusion(term)) = plain.role;
                found(plain.role, Match { term, start, end: range.end });
            }
        }
    }
}

/// Where the dot directly before a place begins.
fn dot_before(text: &str, at: usize) -> Option<usize> {
    let last = text.get(..at)?.chars().next_back()?;
    std::iter::once(last).nfkc().eq(['.']).then(|| at - last.len_utf8())
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
mod tests {
    use super::reading::EXCLUDING;
    use crate::text::{is_separator, is_sign};
    use proptest::prelude::*;
    use unicode_segmentation::UnicodeSegmentation;

    use super::*;
    use crate::text::folded_cluster;

    fn keywords(lines: &[&str]) -> Keywords {
        Keywords::new(lines).unwrap()
    }

    /// The matched texts of a single line.
    fn found<'a>(line: &str, text: &'a str) -> Vec<&'a str> {
        keywords(&[line]).find(text).into_iter().map(|found| &text[found.start..found.end]).collect()
    }

    fn hits(line: &str, text: &str) -> usize {
        found(line, text).len()
    }

    fn fold(text: &str, form: Form) -> String {
        let mut folded = FoldedText::default();
        folded.read(text, form);
        folded.as_str().to_owned()
    }

    /// The form in which a term is searched.
    fn form(term: &str) -> Form {
        if fold(term, Form::Signs).contains(is_sign) { Form::Signs } else { Form::Folded }
    }

    /// The rule tried on every stretch of whole characters.
    fn found_slowly(term: &str, text: &str) -> Vec<Match> {
        let raw = |text: &str| text.graphemes(true).map(folded_cluster).collect::<String>();
        let touch = |left: &str, right: &str| {
            let (left, right) = (raw(left), raw(right));
            !left.ends_with(is_separator)
                && !right.starts_with(is_separator)
                && ends_in_word(left.as_bytes())
                && begins_with_word(right.as_bytes())
        };
        let form = form(term);
        let particles = raw(term).ends_with('가');
        let mut cuts: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
        cuts.push(text.len());
        let kept = |from: usize, to: usize| !fold(&text[cuts[from]..cuts[to]], form).is_empty();
        let mut out: Vec<Match> = Vec::new();
        for first in 0..cuts.len() {
            for last in first + 1..cuts.len() {
                let (start, end) = (cuts[first], cuts[last]);
                if fold(&text[start..end], form) == fold(term, form)
                    && kept(first, first + 1)
                    && kept(last - 1, last)
                    && !touch(&text[..start], &text[start..end])
                    && (particles || !touch(&text[start..end], &text[end..]))
                    && out.last().is_none_or(|before| before.end <= start)
                {
                    out.push(Match { term: 0, start, end });
                }
            }
        }
        out
    }

    fn fails(line: &str) -> String {
        Keywords::new([line]).unwrap_err().to_string()
    }

    #[test]
    fn words_have_edges() {
        assert_eq!(hits("phone", "iPhone phones phone5 phone_ phone’s"), 2);
        assert_eq!(found("refund", "我要Refund，谢谢"), ["Refund"]);
        assert_eq!(found("iphone15", "买iphone15吗"), ["iphone15"]);
        assert_eq!(found("iphone15", "买 iPhone15, 吗"), ["iPhone15"]);
        assert_eq!(hits("iphone15", "iphone155"), 0);
        assert_eq!(hits("15", "iphone15 15 15.5 年15月"), 3);
        assert_eq!(hits("c++", "C++11 c++ objc++"), 2);
        assert_eq!(hits("caf", "café cafe\u{301} caf\u{E9}"), 0);
        assert_eq!(hits("x", "x\u{304} x"), 1);
        assert_eq!(hits("b", "x\u{304}b ábc b"), 1);
        assert_eq!(hits("дом", "Дом, домик"), 1);
    }

    #[test]
    fn scripts_without_spaces_have_none() {
        assert_eq!(hits("退款", "我要退款吗？不退款。"), 2);
        assert_eq!(hits("アイス", "アイスクリーム"), 1);
        assert_eq!(hits("ครับ", "สวัสดีครับ"), 1);
        assert_eq!(hits("お願い", "お願いします"), 1);
        // A mixed term has an edge where it is Latin.
        assert_eq!(hits("买iphone", "买iPhone。买iPhones"), 1);
        assert_eq!(hits("vip客户", "VIP客户们 xvip客户"), 1);
    }

    #[test]
    fn punctuation_and_white_space_play_no_role() {
        assert_eq!(found("don't", "I DON’T, don t, dont"), ["DON’T", "don t"]);
        assert_eq!(found("thank you", "Thank. “You!” thank-you"), ["Thank. “You", "thank-you"]);
        assert_eq!(found("取消服务", "取消。服务，取 消 服\n务！"), ["取消。服务", "取 消 服\n务"]);
        assert_eq!(found("取消, 服务", "（取消服务）"), ["取消服务"]);
        assert_eq!(hits("thank you", "thankyou"), 0);
        assert_eq!(hits("$20", "$20 20"), 1);
        assert_eq!(found("“hello”", "«Hello»"), ["Hello"]);
    }

    #[test]
    fn hangul_has_a_boundary_in_front_only() {
        // Particles are written onto nouns; 전액환불 is another word.
        assert_eq!(found("환불", "환불은 언제? 환불을 원해요. 환불! 전액환불이요"), ["환불", "환불", "환불"]);
        assert_eq!(hits("안녕", "안녕하세요 안녕"), 2);
        assert_eq!(hits("a환불", "a환불은 xa환불"), 1);
        assert_eq!(hits("환불a", "환불ab 환불a"), 1);
        // Only the term's own end counts.
        assert_eq!(hits("refund", "refund를 refund"), 1);
    }

    #[test]
    fn signs_of_a_term_must_be_there() {
        assert_eq!(found("C#", "vitamin C, in C# and Ｃ＃"), ["C#", "Ｃ＃"]);
        assert_eq!(found(".NET", "the net, .NET and ASP.NET but not . net"), [".NET", ".NET"]);
        assert_eq!(found("AT&T", "at t, AT&T, AT & T"), ["AT&T", "AT & T"]);
        assert_eq!(found("50%", "50 euro, 50% or 50 %, 250%"), ["50%", "50 %"]);
        assert_eq!(found("$20", "$20 20 $200"), ["$20"]);
        assert_eq!(found("%", "50% of it"), ["%"]);
        assert_eq!(found("20 °C", "20 ℃, 20 C"), ["20 ℃"]);
        assert_eq!(found("c++", "C++11 c++ objc++ c"), ["C++", "c++"]);
        // Without signs those of the text play no role.
        assert_eq!(found("at t", "AT&T"), ["AT&T"]);
        assert_eq!(found("costs 20", "costs $20"), ["costs $20"]);
        // A dot not directly before a letter is punctuation.
        assert_eq!(hits(".5", "5"), 1);
        // Exclusions are read alike.
        assert_eq!(found("c ! C#", "c, C#, C"), ["c", "C"]);
        // Hits of terms with and without signs keep the order of the terms.
        let terms: Vec<usize> = keywords(&["C#", "c"]).find("c C#").into_iter().map(|found| found.term).collect();
        assert_eq!(terms, [0, 1, 1]);
    }

    #[test]
    fn case_and_width_play_no_role() {
        assert_eq!(found("strasse", "Straße STRASSE ſtraße"), ["Straße", "STRASSE", "ſtraße"]);
        assert_eq!(found("STRAẞE", "strasse"), ["strasse"]);
        assert_eq!(found("abc", "（ＡＢＣ）"), ["ＡＢＣ"]);
        assert_eq!(found("ＡＢＣ１", "abc1"), ["abc1"]);
        assert_eq!(found("fine", "ﬁne"), ["ﬁne"]);
        assert_eq!(hits("ne", "ﬁne"), 0);
        assert_eq!(found("i\u{307}stanbul", "İstanbul"), ["İstanbul"]);
        assert_eq!(hits("istanbul", "İstanbul"), 0);
        assert_eq!(found("σίσυφος", "ΣΊΣΥΦΟΣ"), ["ΣΊΣΥΦΟΣ"]);
        assert_eq!(found("café", "CAFE\u{301}!"), ["CAFE\u{301}"]);
        assert_eq!(found("ガス", "ｶﾞｽ"), ["ｶﾞｽ"]);
    }

    #[test]
    fn part_of_a_character_is_no_match() {
        assert_eq!(found("株式会社", "㍿"), ["㍿"]);
        assert_eq!(hits("会社", "㍿"), 0);
        assert_eq!(found("/会社/", "㍿"), ["㍿"]);
        assert_eq!(found("/f|i/", "ﬁ"), ["ﬁ"]);
    }

    #[test]
    fn exclusions_take_hits_away() {
        assert_eq!(hits("程序 ! 排程序", "排程序列"), 0);
        assert_eq!(hits("程序 ! 排程序", "程序，排程序，程序"), 2);
        assert_eq!(hits("程序 ! 排程序 ! 程序员", "程序员 排程序 程序"), 1);
        assert_eq!(hits("程序 ! /程序[员猿]/", "程序员程序猿程序"), 1);
        // Punctuation inside an exclusion plays no role either.
        assert_eq!(hits("程序 ! 排程序", "排，程序"), 0);
        // Overlapping is not containing.
        assert_eq!(hits("程序 ! 序员", "程序员"), 1);
        assert_eq!(hits("cancel ! cancel culture", "Cancel culture? Cancel!"), 1);
        // An exclusion belongs to its own term.
        let both = keywords(&["程序 ! 排程序", "排程序 ! 程", "序"]);
        let terms: Vec<usize> = both.find("排程序").into_iter().map(|found| found.term).collect();
        assert_eq!(terms, [1, 2]);
        // One term with different exclusions is several keywords.
        let numbers = keywords(&["程序 ! 排程序", "程序"]).find("排程序").into_iter().map(|found| found.term);
        assert_eq!(numbers.collect::<Vec<_>>(), [1]);
        // A hit taken away hides none that overlaps it.
        assert_eq!(found("哈哈 ! 哎哈哈", "哎哈哈哈"), ["哈哈"]);
        assert_eq!(keywords(&["哈哈 ! 哎哈哈"]).find("哎哈哈哈")[0].start, 6);
    }

    #[test]
    fn leftmost_and_not_overlapping() {
        assert_eq!(hits("哈哈", "哈哈哈哈哈"), 2);
        assert_eq!(hits("a b a", "a b a b a b a"), 2);
        // Different terms may overlap; order is that of the terms, then of the places.
        let found = keywords(&["b c", "a b", "哈", "a b"]).find("a b c 哈哈");
        let places: Vec<_> = found.iter().map(|found| (found.term, found.start, found.end)).collect();
        // The second `a b` is the first: a line counts once.
        assert_eq!(places, [(0, 2, 5), (1, 0, 3), (2, 6, 9), (2, 9, 12)]);
    }

    #[test]
    fn regexes_read_the_nfkc_text() {
        assert_eq!(found(r"/\d{3}/", "１２３ 1234"), ["１２３", "123"]);
        assert_eq!(found("/[A-Z]+/", "abc ＤＥＦ"), ["ＤＥＦ"]);
        assert_eq!(found("/(?i)refund/", "REFUNDS"), ["REFUND"]);
        assert_eq!(found("/好.吗/", "好,吗 好，吗"), ["好,吗", "好，吗"]);
        assert_eq!(hits("/x*/", "abc"), 0);
        assert_eq!(found("/x*/", "abxxc"), ["xx"]);
        assert_eq!(found("/a ! b/ ! c", "a ! b"), ["a ! b"]);
        assert_eq!(found("/1/2/", "1/2"), ["1/2"]);
        assert_eq!(found("/e\u{301}|\u{E9}/", "cafe\u{301}"), ["e\u{301}"]);
        assert_eq!(keywords(&["/1/2/ ! /3/ "]).terms(), ["/1/2/"]);
    }

    #[test]
    fn lines_are_read() {
        let keywords =
            Keywords::from_file_text("\u{FEFF}# list\r\n  refund \r\n\r\n程序 ! 排程序\r\n\t# end\n/a/").unwrap();
        assert_eq!(keywords.terms(), ["refund", "程序", "/a/"]);
        assert_eq!((keywords.len(), keywords.is_empty()), (3, false));
        let none = Keywords::new([""; 0]).unwrap();
        assert!(none.is_empty() && none.find("anything").is_empty());
        // Not the separator: no space, or nothing behind it.
        assert_eq!(self::keywords(&["wow!", "a!b", "quoi !"]).terms(), ["wow!", "a!b", "quoi !"]);
    }

    #[test]
    fn dulled_terms() {
        let keywords = keywords(&["C#", "＃1", ".NET", ".5", "C++", "don't", "/a./", "ok ! ok?", "？吗", "C#?"]);
        let dulled: Vec<_> = keywords.dulled().collect();
        assert_eq!(dulled, [(".5", "5"), ("？吗", "吗"), ("C#?", "c#")]);
    }

    #[test]
    fn errors_name_the_term() {
        assert_eq!(fails(" "), r#"keyword "" is empty"#);
        assert_eq!(fails("a !  ! b"), r#"keyword "! b" has nothing in front of its exclusion"#);
        assert_eq!(fails(" ! b"), r#"keyword "! b" has nothing in front of its exclusion"#);
        assert_eq!(fails("。…"), r#"keyword "。…" holds nothing but punctuation"#);
        assert_eq!(fails("a ! ?"), r#"keyword "?" holds nothing but punctuation"#);
        assert_eq!(fails("/a\t/b"), r#"keyword "/a\t/b" begins as a regex but does not end with a slash"#);
        assert_eq!(fails("/"), r#"keyword "/" begins as a regex but does not end with a slash"#);
        assert_eq!(fails("//"), r#"keyword "//" begins as a regex but does not end with a slash"#);
        assert_eq!(fails("a ! /[b/"), r#"keyword "/[b/" is not a valid regex: unclosed character class"#);
        let large = fails(r"/(\w{1000}){1000}/");
        assert_eq!(
            large,
            r#"keyword "/(\\w{1000}){1000}/" is not a valid regex: compiled regex exceeds size limit of 10485760 bytes"#
        );
        let error = Keywords::from_file_text("# a\r\nb\r\n/(?<x/\r\n").unwrap_err();
        assert_eq!((error.line(), error.term(), error.to_string().lines().count()), (Some(3), "/(?<x/", 1));
    }

    #[test]
    fn many_regexes_find_what_each_finds_alone() {
        let lines: Vec<String> = (0..20).map(|number| format!("/{number}[a-c]+/")).collect();
        let text = "1a 12bb 3c, 7abc 7 19c";
        let alone = |(term, line): (usize, &String)| {
            let found = keywords(&[line]).find(text);
            found.into_iter().map(move |found| Match { term, ..found }).collect::<Vec<_>>()
        };
        let expected: Vec<Match> = lines.iter().enumerate().flat_map(alone).collect();
        assert_eq!(expected.len(), 7);
        assert_eq!(Keywords::new(&lines).unwrap().find(text), expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn matches_are_whole_characters(text in "\\PC{0,40}", lines in proptest::collection::vec("[a-z你好 !]{1,4}|/[a-z.]{1,3}/|\\PC{1,3}", 0..5)) {
            if let Ok(keywords) = Keywords::new(&lines) {
                for found in keywords.find(&text) {
                    prop_assert!(found.start < found.end && found.term < keywords.len());
                    prop_assert!(text.get(found.start..found.end).is_some());
                }
            }
        }

        #[test]
        fn matched_text_folds_to_the_term(
            text in "[#%＃aAbB1 ,.'+ß你好。，Ａａﬁfiſsé e\u{301}がｶﾞ㈱株ก]{0,24}",
            terms in proptest::collection::vec("[#%aAbB1 'ß你好，Ａﬁfisé株e\u{301}]{1,3}", 1..6),
        ) {
            let terms: Vec<&String> = terms.iter().filter(|term| !fold(term, form(term)).is_empty()).collect();
            let keywords = Keywords::new(&terms).unwrap();
            let all = keywords.find(&text);
            prop_assert!(all.is_sorted());
            for found in &all {
                let matched = &text[found.start..found.end];
                let term = &keywords.terms()[found.term];
                let form = form(term);
                prop_assert_eq!(fold(matched, form), fold(term, form));
                let mut edges = matched.graphemes(true);
                let mut edges = [edges.next(), edges.next_back()].into_iter().flatten();
                prop_assert!(edges.all(|edge| !fold(edge, form).is_empty()));
            }
            for pair in all.windows(2).filter(|pair| pair[0].term == pair[1].term) {
                prop_assert!(pair[0].end <= pair[1].start);
            }
        }

        #[test]
        fn nothing_is_missed(
            text in "[#%＃abA1 ,'+ß你好。，ｂﬁiſs é\u{301}がｶﾞ株⒜가]{0,14}",
            term in "[#%abA1 'ß你好，ﬁis株\u{301}]{1,3}",
        ) {
            if let Ok(keywords) = Keywords::new([&term]) {
                prop_assert_eq!(keywords.find(&text), found_slowly(&term, &text));
            }
        }

        #[test]
        fn a_term_is_found_in_itself(term in "\\PC{1,8}") {
            let plain = !term.contains(EXCLUDING) && !term.trim().starts_with('/');
            if plain && let Ok(keywords) = Keywords::new([&term]) {
                prop_assert_eq!(keywords.find(term.trim()).len(), 1);
            }
        }
    }
}
