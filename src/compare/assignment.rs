//! Pairs of two sets with the greatest sum of weights: the Hungarian method, O(n³).

/// More than this on one side are not assigned: it would take minutes.
pub(super) const MOST: usize = 1000;

/// For each row of `weights` (all of one length) its column, or `None` if there are fewer columns; each column once. The sum of
/// the weights is the greatest there is. `None` when there are more than [`MOST`] rows or columns.
pub(super) fn assign(weights: &[Vec<i128>]) -> Option<Vec<Option<usize>>> {
    let (rows, columns) = (weights.len(), weights.first().map_or(0, Vec::len));
    if rows > MOST || columns > MOST {
        return None;
    }
    if rows <= columns {
        let weight = |row: usize, column: usize| weights.get(row).and_then(|row| row.get(column)).copied().unwrap_or(0);
        return Some(greatest(rows, columns, weight).into_iter().map(Some).collect());
    }
    let weight = |row: usize, column: usize| weights.get(column).and_then(|row2| row2.get(row)).copied().unwrap_or(0);
    let mut found = vec![None; rows];
    for (column, row) in greatest(columns, rows, weight).into_iter().enumerate() {
        if let Some(slot) = found.get_mut(row) {
            *slot = Some(column);
        }
    }
    Some(found)
}

/// A column for each row; at least as many columns as rows.
///
/// Rows are added one by one. Each looks for the cheapest alternating path to a free column, by potentials that keep
/// reduced costs from being negative. Row and column 0 stand for none.
fn greatest(rows: usize, columns: usize, weight: impl Fn(usize, usize) -> i128) -> Vec<usize> {
    let (mut of_row, mut of_column) = (vec![0_i128; rows + 1], vec![0_i128; columns + 1]);
    let mut row_of = vec![0_usize; columns + 1];
    for row in 1..=rows {
        row_of[0] = row;
        let mut column = 0;
        let mut least = vec![i128::MAX; columns + 1];
        let mut came_from = vec![0_usize; columns + 1];
        let mut done = vec![false; columns + 1];
        while row_of[column] != 0 {
            done[column] = true;
            let here = row_of[column];
            let (mut delta, mut next) = (i128::MAX, 0);
            for other in 1..=columns {
                if done[other] {
                    continue;
                }
                let cost = -weight(here - 1, other - 1) - of_row[here] - of_column[other];
                if cost < least[other] {
                    least[other] = cost;
                    came_from[other] = column;
                }
                if least[other] < delta {
                    delta = least[other];
                    next = other;
                }
            }
            for other in 0..=columns {
                if done[other] {
                    of_row[row_of[other]] += delta;
                    of_column[other] -= delta;
                } else if least[other] != i128::MAX {
                    least[other] -= delta;
                }
            }
            column = next;
        }
        while column != 0 {
            let before = came_from[column];
            row_of[column] = row_of[before];
            column = before;
        }
    }
    let mut found = vec![0; rows];
    for column in 1..=columns {
        if row_of[column] != 0 {
            found[row_of[column] - 1] = column - 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(weights: &[Vec<i128>], found: &[Option<usize>]) -> i128 {
        found.iter().enumerate().filter_map(|(row, column)| Some(weights[row][(*column)?])).sum()
    }

    /// The greatest sum over all ways: rows from `row` on, columns not yet `taken`.
    fn best(weights: &[Vec<i128>], row: usize, taken: u32) -> i128 {
        let Some(own) = weights.get(row) else { return 0 };
        let free = own.iter().enumerate().filter(|(column, _)| taken >> column & 1 == 0);
        let with = free.map(|(column, weight)| weight + best(weights, row + 1, taken | 1 << column)).max();
        let without = best(weights, row + 1, taken);
        with.map_or(without, |with| with.max(without))
    }

    #[test]
    fn the_best_pairs_are_not_always_the_greatest_ones() {
        let weights = vec![vec![10, 9], vec![9, 1]];
        assert_eq!(assign(&weights), Some(vec![Some(1), Some(0)]));
        assert_eq!(assign(&[vec![1], vec![5], vec![2]]), Some(vec![None, Some(0), None]));
        assert_eq!(assign(&[]), Some(vec![]));
        assert_eq!(assign(&[vec![], vec![]]), Some(vec![None, None]));
        assert_eq!(assign(&vec![vec![0]; MOST + 1]), None);
    }

    proptest! {
        #[test]
        fn no_other_assignment_is_better(rows in 0_usize..6, columns in 0_usize..6, cells in proptest::collection::vec(0_i128..20, 36)) {
            let weights: Vec<Vec<i128>> = cells.chunks(6).take(rows).map(|row| row[..columns].to_vec()).collect();
            let found = assign(&weights).unwrap();
            prop_assert_eq!(found.len(), rows);
            prop_assert_eq!(found.iter().flatten().count(), rows.min(columns));
            let mut used: Vec<usize> = found.iter().flatten().copied().collect();
            used.sort_unstable();
            used.dedup();
            prop_assert_eq!(used.len(), rows.min(columns));
            prop_assert_eq!(sum(&weights, &found), best(&weights, 0, 0));
        }
    }
}
