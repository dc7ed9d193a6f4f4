//! When each character of a sentence is spoken.
//!
//! A sentence's words have times; its text has the punctuation and is what people read. Letters and digits of the two
//! are matched from both ends, and the letters of a word share its time. Where text and words differ, or without word
//! times, the time in between is divided evenly. No character begins before the previous one.

use crate::metrics::Interval;

/// The time of one character in ms, and the index of its word in the recogniser's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CharTime {
    pub(super) begin: i64,
    pub(super) end: i64,
    pub(super) word: Option<u32>,
}

/// A word with its time.
#[derive(Debug)]
pub(super) struct TimedWord {
    pub(super) text: String,
    /// `None` if missing, invalid or of zero length.
    pub(super) interval: Option<Interval>,
}

/// A time for each character of `text`; `own` is the sentence's interval. `None` if no interval has a length.
pub(super) fn char_times(text: &str, words: &[TimedWord], own: Option<Interval>) -> Option<Vec<CharTime>> {
    let timed = || words.iter().filter_map(|word| word.interval);
    let hull = match (timed().map(|word| word.begin).min(), timed().map(|word| word.end).max()) {
        (Some(begin), Some(end)) => Interval { begin, end },
        _ => own.filter(|own| own.end > own.begin)?,
    };
    // Words out of time order do not follow the order of the text.
    let spelt = if timed().is_sorted_by_key(|word| word.begin) { spell(words) } else { Vec::new() };
    let chars: Vec<char> = text.chars().collect();
    let mut spoken: Vec<usize> = indices(&chars, |c| c.is_alphanumeric());
    if spoken.is_empty() {
        spoken = indices(&chars, |c| !c.is_whitespace());
    }
    let same = |&(at, other): &(usize, &(char, CharTime))| chars.get(at).map(|&c| folded(c)) == Some(other.0);
    let front = spoken.iter().copied().zip(&spelt).take_while(same).count();
    let left = spoken.len().min(spelt.len()) - front;
    let back = spoken.iter().copied().rev().zip(spelt.iter().rev()).take(left).take_while(same).count();
    let between = Interval {
        begin: front.checked_sub(1).and_then(|last| spelt.get(last)).map_or(hull.begin, |spelt| spelt.1.end),
        end: spelt.get(spelt.len() - back).map_or(hull.end, |spelt| spelt.1.begin),
    };
    let unmatched = spoken.len() - front - back;
    let mut all = vec![None; chars.len()];
    for (number, &at) in spoken.iter().enumerate() {
        let time = if number < front {
            spelt.get(number).map(|spelt| spelt.1)
        } else if number < front + unmatched {
            Some(share(between, number - front, unmatched, None))
        } else {
            spelt.get(spelt.len() + number - spoken.len()).map(|spelt| spelt.1)
        };
        if let Some(place) = all.get_mut(at) {
            *place = time;
        }
    }
    // Punctuation and the like take no time.
    let first = all.iter().flatten().next().map_or(hull.begin, |time| time.begin);
    let mut before = CharTime { begin: first, end: first, word: None };
    let filled = all.into_iter().map(|time| {
        let time = time.unwrap_or(CharTime { begin: before.end, end: before.end, word: None });
        let begin = time.begin.max(before.begin);
        before = CharTime { begin, end: time.end.max(begin), word: time.word };
        before
    });
    Some(filled.collect())
}

fn indices(chars: &[char], which: impl Fn(char) -> bool) -> Vec<usize> {
    chars.iter().enumerate().filter(|(_, c)| which(**c)).map(|(at, _)| at).collect()
}

fn folded(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// The letters of the words with their times. Words without a time share that of the one in front, the first ones that
/// of the first with a time (definitions: piece).
fn spell(words: &[TimedWord]) -> Vec<(char, CharTime)> {
    let mut spelt = Vec::new();
    let mut letters: Vec<(char, u32)> = Vec::new();
    let mut interval: Option<Interval> = None;
    for (number, word) in (0..).zip(words) {
        if let Some(next) = word.interval {
            if let Some(interval) = interval {
                flush(&mut letters, interval, &mut spelt);
            }
            interval = Some(next);
        }
        letters.extend(word.text.chars().filter(|c| c.is_alphanumeric()).map(|c| (folded(c), number)));
    }
    if let Some(interval) = interval {
        flush(&mut letters, interval, &mut spelt);
    }
    spelt
}

fn flush(letters: &mut Vec<(char, u32)>, interval: Interval, spelt: &mut Vec<(char, CharTime)>) {
    let count = letters.len();
    let shared = letters.drain(..).enumerate();
    spelt.extend(shared.map(|(number, (c, word))| (c, share(interval, number, count, Some(word)))));
}

/// The part of an interval that is number `number` of `count`; nothing of one that ends before it begins.
fn share(interval: Interval, number: usize, count: usize, word: Option<u32>) -> CharTime {
    let length = i128::from((interval.end - interval.begin).max(0));
    let at = |number: usize| interval.begin + (length * number as i128 / count.max(1) as i128) as i64;
    CharTime { begin: at(number), end: at(number + 1), word }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str, begin: i64, end: i64) -> TimedWord {
        TimedWord { text: text.to_owned(), interval: (end > begin).then_some(Interval { begin, end }) }
    }

    fn begins(text: &str, words: &[TimedWord], own: Option<Interval>) -> Vec<i64> {
        char_times(text, words, own).unwrap().iter().map(|time| time.begin).collect()
    }

    #[test]
    fn letters_share_the_time_of_their_word() {
        let words = [word("Ok", 100, 200), word(" GO", 400, 600)];
        // The comma and the space begin where the k ends.
        assert_eq!(begins("OK, go", &words, None), [100, 150, 200, 200, 400, 500]);
    }

    #[test]
    fn a_sentence_without_word_times_is_shared_by_its_characters() {
        let own = Some(Interval { begin: 1000, end: 1400 });
        assert_eq!(begins("你好，世界", &[], own), [1000, 1100, 1200, 1200, 1300]);
        assert_eq!(begins("……", &[], own), [1000, 1200]);
        assert!(char_times("hello", &[], Some(Interval { begin: 5, end: 5 })).is_none());
        assert!(char_times("hello", &[], None).is_none());
    }

    #[test]
    fn words_without_a_time_go_with_the_one_in_front() {
        let words = [word("a", 0, 0), word("b", 0, 200), word("c", 0, 0), word("d", 300, 400)];
        assert_eq!(begins("abcd", &words, None), [0, 66, 133, 300]);
    }

    #[test]
    fn where_words_and_text_differ_the_time_between_is_shared() {
        let words = [word("at", 0, 200), word("five", 200, 800), word("pm", 800, 1000)];
        // 200 to 800 for `17`.
        assert_eq!(begins("at 17 pm", &words, None), [0, 100, 200, 200, 500, 800, 800, 900]);
        // The text says more than the words do.
        assert_eq!(begins("ab", &[word("a", 0, 100)], None), [0, 100]);
    }

    #[test]
    fn words_that_go_back_in_time_are_shared_as_a_whole() {
        assert_eq!(begins("ab", &[word("a", 500, 600), word("b", 0, 100)], None), [0, 300]);
    }

    #[test]
    fn words_of_the_recogniser_are_told_apart() {
        let words = [word("您好", 0, 200), word("请", 200, 300)];
        let of: Vec<_> = char_times("您好，请", &words, None).unwrap().iter().map(|time| time.word).collect();
        assert_eq!(of, [Some(0), Some(0), None, Some(1)]);
    }
}
