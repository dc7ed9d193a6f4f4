//! Tokens: where a text may be broken, and how good each break is.
//!
//! A token is never broken. In scripts with spaces it is everything between two spaces, so no word or number is cut; in
//! scripts without, a character with its punctuation (kinsoku: closing marks never begin a line, opening marks never end
//! one).

use unicode_segmentation::UnicodeSegmentation;

use super::char_times::CharTime;
use super::script::Script;
use crate::text::is_unspaced;

/// How good a break in front of a token is, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Break {
    /// After a sentence.
    Sentence,
    /// After a clause.
    Clause,
    /// At a silence.
    Pause,
    /// Before a conjunction.
    Conjunction,
    /// Between words.
    Word,
    /// Between characters of one word of the recogniser.
    Character,
}

impl Break {
    /// Cost of breaking here: far enough apart that a better kind nearby wins.
    pub(super) fn cost(self) -> i64 {
        match self {
            Self::Sentence => 0,
            Self::Clause => 1000,
            Self::Pause => 1600,
            Self::Conjunction => 2200,
            Self::Word => 7000,
            Self::Character => 12_000,
        }
    }
}

/// A piece of text that is never broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    /// Whether a space separates it from the previous token on the same line.
    pub(super) spaced: bool,
    pub(super) columns: u32,
    pub(super) begin: i64,
    pub(super) end: i64,
    /// The break in front of it.
    pub(super) before: Break,
}

/// Characters that never begin a line.
const CLOSING: &str = "，。、；：？！）】》」』〉］｝〕〗〙〛＞’”…—～・·ー々〻ゝゞヽヾぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ％‰℃!?,.;:)]}%";
/// The same after a space, where a quote or a dash may be an opening one.
const CLOSING_SPACED: &str = "，。、；：？！）】》」』〉］｝〕!?,.;:)]}%";
/// Characters that never end a line.
const OPENING: &str = "（【《「『〈［｛〔〖〘〚＜‘“([{$¥￥€£#";
/// Spaces and joiners that do not allow a break.
const NO_BREAK: &str = "\u{A0}\u{202F}\u{2007}\u{2060}\u{FEFF}";

const SENTENCE_END: &str = ".?!。？！．｡";
const CLAUSE_END: &str = ",;:，、；：､—–…";
const CLOSERS: &str = "”’\"'）)」』】》〉]］}｝";

/// Lower case, without the dot. A dot after one of these, or after a single letter, does not end a sentence.
const ABBREVIATIONS: [&str; 14] =
    ["mr", "mrs", "ms", "dr", "prof", "st", "sr", "jr", "vs", "etc", "e.g", "i.e", "approx", "no"];

const CONJUNCTIONS: [&str; 24] = [
    "and", "but", "or", "nor", "so", "because", "if", "when", "while", "although", "though", "unless", "until",
    "since", "which", "who", "that", "where", "whether", "whereas", "then", "before", "after", "however",
];

/// Of scripts without spaces, and of Korean.
const EASTERN_CONJUNCTIONS: [&str; 37] = [
    "但是",
    "不过",
    "不過",
    "可是",
    "因为",
    "因為",
    "所以",
    "因此",
    "于是",
    "於是",
    "而且",
    "并且",
    "並且",
    "然后",
    "然後",
    "如果",
    "虽然",
    "雖然",
    "或者",
    "还是",
    "還是",
    "以及",
    "那么",
    "那麼",
    "只是",
    "しかし",
    "だから",
    "でも",
    "そして",
    "それで",
    "または",
    "けれども",
    "그리고",
    "그러나",
    "하지만",
    "그래서",
    "또는",
];

/// Cuts a sentence. `times` has a time for each character; `pause_ms` is the silence that makes a [`Break::Pause`]. The
/// first token's break is [`Break::Sentence`].
pub(super) fn tokens(text: &str, times: &[CharTime], script: Script, pause_ms: i64) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut spaced = false;
    // The previous character and its index.
    let mut left: Option<(char, usize)> = None;
    let mut number = 0;
    for (at, segment) in text.split_word_bound_indices().flat_map(parted) {
        // A combining mark without a letter forms a segment with the preceding space.
        let bare = segment.trim_start_matches(' ');
        let spaces = segment.len() - bare.len();
        spaced |= spaces > 0;
        let (at, segment) = (at + spaces, bare);
        let first = number + spaces;
        number = first + segment.chars().count();
        let Some(head) = segment.chars().next() else { continue };
        let own = times.get(first..number).unwrap_or(&[]);
        let (Some(begin), Some(end)) = (own.first(), own.last()) else { continue };
        let glued = left.is_some_and(|(left, _)| clings(left, head, spaced))
            || (!spaced && head.is_ascii_digit() && tokens.last().is_some_and(|token| is_half_a_number(&token.text)));
        if let (true, Some(token)) = (glued, tokens.last_mut()) {
            if spaced {
                token.text.push(' ');
            }
            token.text.push_str(segment);
            token.end = token.end.max(end.end);
        } else {
            let word = |at: Option<usize>| at.and_then(|at| times.get(at)).and_then(|time| time.word);
            let same_word =
                !spaced && word(Some(first)).is_some() && word(Some(first)) == word(left.map(|left| left.1));
            let rest = text.get(at..).unwrap_or_default();
            let before = match tokens.last() {
                None => Break::Sentence,
                Some(_) if same_word => Break::Character,
                Some(token) => {
                    let parted = spaced && left.is_some_and(|(left, _)| is_unspaced(left)) && is_unspaced(head);
                    between(token, rest, segment, parted, begin.begin - token.end >= pause_ms)
                }
            };
            tokens.push(Token {
                text: segment.to_owned(),
                spaced: spaced && !tokens.is_empty(),
                columns: 0,
                begin: begin.begin,
                end: end.end,
                before,
            });
        }
        spaced = false;
        left = segment.chars().next_back().map(|c| (c, number - 1));
    }
    for token in &mut tokens {
        // At least one, so that what fits a line is bounded whatever the text is.
        token.columns = script.columns(&token.text).max(1);
    }
    tokens
}

/// Splits a segment after fullwidth marks, which UAX #29 lets join letters and numbers.
fn parted((at, segment): (usize, &str)) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = Some(segment);
    std::iter::from_fn(move || {
        let all = rest?;
        let mark = all.char_indices().find(|(_, c)| matches!(c, '＇' | '，' | '．' | '：' | '；'));
        let end = mark.map(|(index, c)| index + c.len_utf8()).filter(|&end| end < all.len());
        let (part, left) = all.split_at(end.unwrap_or(all.len()));
        rest = end.map(|_| left);
        Some((at + segment.len() - left.len() - part.len(), part))
    })
}

/// Whether a break between two characters is forbidden.
fn clings(left: char, right: char, spaced: bool) -> bool {
    if NO_BREAK.contains([left, right]) {
        return true;
    }
    if spaced {
        return CLOSING_SPACED.contains(right);
    }
    CLOSING.contains(right) || OPENING.contains(left) || (!is_unspaced(left) && !is_unspaced(right))
}

/// `3：` of `3：30`.
fn is_half_a_number(token: &str) -> bool {
    token.strip_suffix(['：', '．']).is_some_and(|number| number.ends_with(|c: char| c.is_ascii_digit()))
}

/// The kind of break between a token and what follows. A space in a script written without spaces separates clauses.
fn between(token: &Token, rest: &str, next: &str, parted: bool, pause: bool) -> Break {
    let bare = token.text.trim_end_matches(|c| CLOSERS.contains(c));
    match bare.chars().next_back() {
        Some('.') if abbreviates(bare, rest) => {}
        Some(last) if SENTENCE_END.contains(last) => return Break::Sentence,
        Some(last) if CLAUSE_END.contains(last) => return Break::Clause,
        _ if parted => return Break::Clause,
        _ => {}
    }
    if pause {
        return Break::Pause;
    }
    let conjunction = CONJUNCTIONS.iter().any(|word| next.eq_ignore_ascii_case(word))
        || EASTERN_CONJUNCTIONS.iter().any(|word| rest.starts_with(word));
    if conjunction { Break::Conjunction } else { Break::Word }
}

/// Whether the dot at the end of a token is that of an abbreviation: of `Mr.`, or if the text continues in lower case.
fn abbreviates(token: &str, rest: &str) -> bool {
    let word = token.trim_end_matches('.').trim_start_matches(|c: char| !c.is_alphanumeric());
    let letter = word.chars().count() == 1 && word.chars().all(char::is_alphabetic) && word != "I";
    letter
        || ABBREVIATIONS.iter().any(|known| word.eq_ignore_ascii_case(known))
        || rest.chars().next().is_some_and(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use super::super::char_times::char_times;
    use super::*;
    use crate::metrics::Interval;

    fn cut(text: &str) -> Vec<(String, Break)> {
        let length = text.chars().count() as i64 * 100;
        let times = char_times(text, &[], Some(Interval { begin: 0, end: length })).unwrap();
        let tokens = tokens(text, &times, Script::from_text(text, false), 250);
        tokens.into_iter().map(|token| (token.text, token.before)).collect()
    }

    fn texts(text: &str) -> Vec<String> {
        cut(text).into_iter().map(|token| token.0).collect()
    }

    #[test]
    fn a_latin_word_and_a_number_are_whole() {
        assert_eq!(
            texts("It's AI-driven, costs $1,299.50 (or 10%) at www.example.org."),
            ["It's", "AI-driven,", "costs", "$1,299.50", "(or", "10%)", "at", "www.example.org."]
        );
        assert_eq!(texts("12\u{A0}000 people"), ["12\u{A0}000", "people"]);
        assert_eq!(texts("really ?"), ["really ?"]);
    }

    #[test]
    fn chinese_punctuation_begins_no_line_and_ends_none_where_it_opens() {
        assert_eq!(texts("他说：“你好！”（笑）"), ["他", "说：", "“你", "好！”", "（笑）"]);
        assert_eq!(texts("用iPhone15，100块"), ["用", "iPhone15，", "100", "块"]);
        assert_eq!(texts("A：3：30见"), ["A：", "3：30", "见"]);
        assert_eq!(texts("这是Acme Cloud的"), ["这", "是", "Acme", "Cloud", "的"]);
        // A small kana and the long sign belong to what is in front of them.
        assert_eq!(texts("ちょっと"), ["ちょっ", "と"]);
        assert_eq!(texts("スーパーに"), ["スーパー", "に"]);
        assert_eq!(texts("네, 안녕하세요"), ["네,", "안녕하세요"]);
    }

    #[test]
    fn breaks_are_told_apart() {
        let of = |text: &str| cut(text).into_iter().map(|token| token.1).collect::<Vec<_>>();
        use Break::{Clause, Conjunction, Sentence, Word};
        assert_eq!(of("Yes. I see, but why"), [Sentence, Sentence, Word, Clause, Word]);
        assert_eq!(of("wait and see"), [Sentence, Conjunction, Word]);
        assert_eq!(of("Ask Mr. Lin at 5 p.m. tomorrow"), [Sentence, Word, Word, Word, Word, Word, Word]);
        assert_eq!(of("好。我来但是"), [Sentence, Sentence, Word, Conjunction, Word]);
        assert_eq!(of("“Go!” he"), [Sentence, Sentence]);
        assert_eq!(of("競賽 那"), [Sentence, Word, Clause]);
    }

    #[test]
    fn a_silence_is_a_break_and_a_word_of_the_recogniser_a_bad_one() {
        use super::super::char_times::TimedWord;
        let word =
            |text: &str, begin, end| TimedWord { text: text.to_owned(), interval: Some(Interval { begin, end }) };
        let words = [word("我们", 0, 300), word("知道", 549, 800), word("他", 1050, 1200)];
        let times = char_times("我们知道他", &words, None).unwrap();
        let tokens = tokens("我们知道他", &times, Script::Chinese, 250);
        let breaks: Vec<Break> = tokens.iter().map(|token| token.before).collect();
        use Break::{Character, Pause, Sentence, Word};
        // 249 ms are no pause, 250 are one.
        assert_eq!(breaks, [Sentence, Character, Word, Character, Pause]);
        assert_eq!((tokens[4].begin, tokens[4].end), (1050, 1200));
    }
}
