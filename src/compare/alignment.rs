//! The cheapest way to turn one sequence into another: Levenshtein's, each step at a cost of 1.
//!
//! Costs of whole columns come from bit vectors, 64 cells in a few instructions (Myers 1999, in the block form of Hyyrö
//! 2003); the way is found by halving (Hirschberg 1975). Memory is linear in both lengths: the blocks of the first sequence
//! are taken one after the other, and between two of them only the steps along the second are kept.

/// Cells of a table that is kept whole, 2 MB: parts of about 500 words.
const SMALL: usize = 1 << 18;

/// The cost of an insertion or a deletion. Of equally cheap ways one with few substitutions, and so with many matches, is
/// taken: within a table that is kept whole, the one with the fewest.
const ERROR: u64 = 1 << 32;

/// The cost of a substitution.
const SUBSTITUTION: u64 = ERROR + 1;

/// A step: the position in the first sequence, and that in the second. A missing one is an insertion or a deletion.
pub(super) type Step = (Option<usize>, Option<usize>);

/// The steps of a cheapest alignment, in order. The same sequences always give the same alignment.
pub(super) fn align(a: &[u32], b: &[u32]) -> Vec<Step> {
    align_by(a, b, SMALL)
}

/// The same with another size of tables.
fn align_by(a: &[u32], b: &[u32], small: usize) -> Vec<Step> {
    let symbols = a.iter().chain(b).max().map_or(0, |symbol| *symbol as usize + 1);
    let mut aligner = Aligner { small, masks: vec![0; symbols], steps: Vec::with_capacity(a.len().max(b.len())) };
    aligner.align(a, b, (0, 0));
    aligner.steps
}

struct Aligner {
    small: usize,
    /// For each symbol the rows of the current block that hold it; all 0 between blocks.
    masks: Vec<u64>,
    steps: Vec<Step>,
}

impl Aligner {
    /// Appends the steps of two parts that begin at these positions.
    fn align(&mut self, a: &[u32], b: &[u32], at: (usize, usize)) {
        let before = a.iter().zip(b).take_while(|(one, two)| one == two).count();
        let (a, b) = (a.get(before..).unwrap_or_default(), b.get(before..).unwrap_or_default());
        let after = a.iter().rev().zip(b.iter().rev()).take_while(|(one, two)| one == two).count();
        let (a, same) = a.split_at(a.len() - after);
        let b = b.get(..b.len() - after).unwrap_or_default();
        self.matched(at, before);
        let at = (at.0 + before, at.1 + before);
        if a.is_empty() || b.is_empty() {
            self.steps.extend((at.0..at.0 + a.len()).map(|place| (Some(place), None)));
            self.steps.extend((at.1..at.1 + b.len()).map(|place| (None, Some(place))));
        } else if (a.len() + 1) * (b.len() + 1) <= self.small || b.len() == 1 {
            self.small(a, b, at);
        } else {
            let (left, right) = b.split_at(b.len() / 2);
            let middle = self.middle(a, left, right);
            let (above, below) = a.split_at(middle);
            self.align(above, left, at);
            self.align(below, right, (at.0 + middle, at.1 + left.len()));
        }
        self.matched((at.0 + a.len(), at.1 + b.len()), same.len());
    }

    fn matched(&mut self, at: (usize, usize), length: usize) {
        self.steps.extend((0..length).map(|step| (Some(at.0 + step), Some(at.1 + step))));
    }

    /// Where a cheapest way crosses from `left` to `right`: the first such row of `a`.
    fn middle(&mut self, a: &[u32], left: &[u32], right: &[u32]) -> usize {
        let forwards = self.costs(a, left);
        let reversed = |part: &[u32]| part.iter().rev().copied().collect::<Vec<u32>>();
        let backwards = self.costs(&reversed(a), &reversed(right));
        let sums = forwards.iter().zip(backwards.iter().rev()).map(|(one, two)| one + two);
        sums.enumerate().min_by_key(|&(row, sum)| (sum, row)).map_or(0, |(row, _)| row)
    }

    /// The cost of turning each prefix of `a`, from none to all of it, into the whole of `b`.
    fn costs(&mut self, a: &[u32], b: &[u32]) -> Vec<usize> {
        // The step from each column to the next in the row above the block: +1, 0 or -1.
        let mut steps = vec![1_i8; b.len()];
        let mut costs = Vec::with_capacity(a.len() + 1);
        let mut cost = b.len();
        costs.push(cost);
        for block in a.chunks(64) {
            for (row, symbol) in block.iter().enumerate() {
                if let Some(mask) = self.masks.get_mut(*symbol as usize) {
                    *mask |= 1 << row;
                }
            }
            let (mut plus, mut minus) = (u64::MAX, 0_u64);
            for (symbol, step) in b.iter().zip(&mut steps) {
                let mut equal = self.masks.get(*symbol as usize).copied().unwrap_or(0);
                let vertical = equal | minus;
                equal |= u64::from(*step < 0);
                let horizontal = ((equal & plus).wrapping_add(plus) ^ plus) | equal;
                let up = minus | !(horizontal | plus);
                let down = plus & horizontal;
                let (up_in, down_in) = (u64::from(*step > 0), u64::from(*step < 0));
                *step = (up >> 63) as i8 - (down >> 63) as i8;
                let (up, down) = (up << 1 | up_in, down << 1 | down_in);
                plus = down | !(vertical | up);
                minus = up & vertical;
            }
            for (row, symbol) in block.iter().enumerate() {
                cost += (plus >> row & 1) as usize;
                cost -= (minus >> row & 1) as usize;
                costs.push(cost);
                if let Some(mask) = self.masks.get_mut(*symbol as usize) {
                    *mask = 0;
                }
            }
        }
        costs
    }

    /// The whole table, and the way back through it: a match or substitution where there is one, else a deletion.
    fn small(&mut self, a: &[u32], b: &[u32], at: (usize, usize)) {
        let width = b.len() + 1;
        let aside = |one: Option<&u32>, two: Option<&u32>| if one == two { 0 } else { SUBSTITUTION };
        let mut table: Vec<u64> = Vec::with_capacity(width * (a.len() + 1));
        table.extend((0..width as u64).map(|column| column * ERROR));
        for (row, one) in (1..).zip(a) {
            table.push(row * ERROR);
            for two in b {
                let cell = |back: usize| table.get(table.len() - back).copied().unwrap_or(u64::MAX / 2);
                let cost =
                    (cell(width + 1) + aside(Some(one), Some(two))).min(cell(width) + ERROR).min(cell(1) + ERROR);
                table.push(cost);
            }
        }
        let (mut row, mut column) = (a.len(), b.len());
        let mut back = Vec::with_capacity(row.max(column));
        while row > 0 || column > 0 {
            let cell = |row: usize, column: usize| table.get(row * width + column).copied();
            let here = cell(row, column);
            let both = row.checked_sub(1).zip(column.checked_sub(1));
            let both =
                both.filter(|&(one, two)| here == cell(one, two).map(|cost| cost + aside(a.get(one), b.get(two))));
            if let Some((one, two)) = both {
                back.push((Some(at.0 + one), Some(at.1 + two)));
                (row, column) = (one, two);
            } else if row > 0 && here == cell(row - 1, column).map(|cost| cost + ERROR) {
                row -= 1;
                back.push((Some(at.0 + row), None));
            } else {
                column = column.saturating_sub(1);
                back.push((None, Some(at.1 + column)));
            }
        }
        self.steps.extend(back.into_iter().rev());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, row by row: the least number of errors, and of these the least of substitutions.
    fn definition(a: &[u32], b: &[u32]) -> (usize, usize) {
        let mut row: Vec<(usize, usize)> = (0..=b.len()).map(|errors| (errors, 0)).collect();
        for (at, one) in a.iter().enumerate() {
            let mut aside = std::mem::replace(&mut row[0], (at + 1, 0));
            for (column, two) in b.iter().enumerate() {
                let differs = usize::from(one != two);
                let more = |(errors, substitutions): (usize, usize)| (errors + 1, substitutions);
                let both = (aside.0 + differs, aside.1 + differs);
                let cost = both.min(more(row[column])).min(more(row[column + 1]));
                aside = std::mem::replace(&mut row[column + 1], cost);
            }
        }
        row[b.len()]
    }

    /// Errors and substitutions of an alignment, which goes through both sequences in order.
    fn costs(a: &[u32], b: &[u32], small: usize) -> (usize, usize) {
        let steps = align_by(a, b, small);
        assert!(steps.iter().filter_map(|step| step.0).eq(0..a.len()), "{steps:?}");
        assert!(steps.iter().filter_map(|step| step.1).eq(0..b.len()), "{steps:?}");
        let differs = |step: &&Step| step.0.zip(step.1).is_none_or(|(one, two)| a[one] != b[two]);
        let errors: Vec<&Step> = steps.iter().filter(differs).collect();
        (errors.len(), errors.iter().filter(|(one, two)| one.is_some() && two.is_some()).count())
    }

    fn cost(a: &[u32], b: &[u32]) -> usize {
        costs(a, b, SMALL).0
    }

    #[test]
    fn small_ones_by_hand() {
        assert_eq!(cost(&[], &[]), 0);
        assert_eq!(cost(&[1, 2], &[]), 2);
        assert_eq!(cost(&[], &[1]), 1);
        assert_eq!(cost(&[1, 2, 3], &[1, 9, 3]), 1);
        // Like, a and refund stay where they are: no three substitutions in a row.
        assert_eq!(costs(&[1, 2, 3, 4, 5], &[6, 3, 4, 4, 5], SMALL), (3, 1));
        // kitten, sitting
        assert_eq!(cost(&[11, 9, 20, 20, 5, 14], &[19, 9, 20, 20, 9, 14, 7]), 3);
        assert_eq!(align(&[1, 2, 3], &[1, 3]), [(Some(0), Some(0)), (Some(1), None), (Some(2), Some(1))]);
    }

    #[test]
    fn one_word_against_very_many() {
        let many: Vec<u32> = (0..20_000).collect();
        assert_eq!(cost(&[7777], &many), 19_999);
        assert_eq!(cost(&many, &[7777]), 19_999);
        assert_eq!(cost(&[30_000, 30_001], &many), 20_000);
    }

    #[test]
    fn an_hour_of_speech_takes_memory_in_proportion() {
        // Ten thousand words on each side, of which every tenth differs, and a stretch is missing.
        let a: Vec<u32> = (0..10_000_u32).map(|at| at.wrapping_mul(2_654_435_761) >> 22).collect();
        let mut b: Vec<u32> = a.iter().enumerate().map(|(at, word)| if at % 10 == 3 { 5000 } else { *word }).collect();
        b.drain(4000..4200);
        assert_eq!(cost(&a, &b), 200 + 980);
    }

    proptest! {
        #[test]
        fn as_cheap_as_the_definition(
            a in proptest::collection::vec(0_u32..6, 0..300),
            b in proptest::collection::vec(0_u32..6, 0..300),
        ) {
            prop_assert_eq!(costs(&a, &b, SMALL), definition(&a, &b));
            prop_assert_eq!(costs(&a, &b, 64).0, definition(&a, &b).0);
        }

        #[test]
        fn as_cheap_where_much_is_alike(
            a in proptest::collection::vec(0_u32..40, 0..400),
            edits in proptest::collection::vec((0_usize..400, 0_u32..50, 0..3), 0..40),
        ) {
            let mut b = a.clone();
            for (at, word, edit) in edits {
                let at = at.min(b.len());
                match edit {
                    0 => b.insert(at, word),
                    1 if at < b.len() => b[at] = word,
                    _ if at < b.len() => _ = b.remove(at),
                    _ => {}
                }
            }
            prop_assert_eq!(costs(&a, &b, SMALL), definition(&a, &b));
            prop_assert_eq!(costs(&a, &b, 64).0, definition(&a, &b).0);
        }
    }
}
