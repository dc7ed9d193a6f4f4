//! Cutting sentences into pieces, the smallest parts with a time.

use std::ops::Range;

use super::{Basis, Interval};

/// Cuts one sentence and passes each piece to `take`: a range of `words`, and its interval.
///
/// A piece is a timed word with the untimed words behind it; the first piece also has the untimed words before it. A sentence
/// without timed words is a single piece with its own interval. Returns where the times come from; `None` without a piece.
pub(crate) fn cut_sentence(
    words: &[Option<Interval>],
    own: Option<Interval>,
    mut take: impl FnMut(Range<u32>, Interval),
) -> Option<Basis> {
    let timed = |interval: Option<Interval>| interval.filter(|interval| interval.length() > 0);
    let end = words.len() as u32;
    let mut open: Option<(u32, Interval)> = None;
    for (number, word) in (0..).zip(words) {
        let Some(interval) = timed(*word) else { continue };
        let first = match open {
            Some((first, before)) => {
                take(first..number, before);
                number
            }
            None => 0,
        };
        open = Some((first, interval));
    }
    if let Some((first, interval)) = open {
        take(first..end, interval);
        return Some(Basis::Words);
    }
    let own = timed(own)?;
    take(0..end, own);
    Some(Basis::Sentences)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(words: &[Option<(i64, i64)>], own: Option<(i64, i64)>) -> (Vec<(u32, u32, i64)>, Option<Basis>) {
        let interval = |(begin, end)| Interval { begin, end };
        let words: Vec<Option<Interval>> = words.iter().map(|word| word.map(interval)).collect();
        let mut pieces = Vec::new();
        let basis =
            cut_sentence(&words, own.map(interval), |range, time| pieces.push((range.start, range.end, time.begin)));
        (pieces, basis)
    }

    #[test]
    fn untimed_words_join_a_timed_one() {
        let words = [None, Some((10, 20)), Some((20, 20)), Some((30, 40)), None];
        assert_eq!(cut(&words, Some((0, 50))), (vec![(0, 3, 10), (3, 5, 30)], Some(Basis::Words)));
    }

    #[test]
    fn a_sentence_without_timed_words_is_one_piece() {
        assert_eq!(cut(&[None, Some((5, 5))], Some((0, 50))), (vec![(0, 2, 0)], Some(Basis::Sentences)));
        assert_eq!(cut(&[None], Some((7, 7))), (vec![], None));
        assert_eq!(cut(&[], None), (vec![], None));
    }
}
