//! Suggestions for misspelt names.

/// Up to three of `names` that are similar to `given`, the most similar first.
pub(crate) fn nearest<'a>(given: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let given = given.to_ascii_lowercase();
    // Cut, because the distance takes quadratic time.
    let given: Vec<char> = given.chars().take(80).collect();
    let allowed = (given.len() / 4).max(2);
    let near = |name: &'a str| {
        let distance = distance(&given, name);
        (distance <= allowed).then_some((distance, name))
    };
    let mut near: Vec<(usize, &str)> = names.filter_map(near).collect();
    near.sort_unstable();
    near.into_iter().map(|(_, name)| name).take(3).collect()
}

/// Insertions, deletions and substitutions from one to the other.
fn distance(one: &[char], other: &str) -> usize {
    let mut row: Vec<usize> = (0..=one.len()).collect();
    for (at, there) in other.chars().enumerate() {
        let mut left = at + 1;
        let mut diagonal = std::mem::replace(row.first_mut().unwrap_or(&mut 0), left);
        for (here, cell) in one.iter().zip(row.iter_mut().skip(1)) {
            let best = (diagonal + usize::from(*here != there)).min(left + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, best);
            left = best;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_name_that_was_meant() {
        let names = || ["fun-asr", "fun-asr-mtl", "paraformer-v2", "paraformer-v1"].into_iter();
        assert_eq!(nearest("funasr", names()), ["fun-asr"]);
        assert_eq!(nearest("Paraformer-V2", names()), ["paraformer-v2", "paraformer-v1"]);
        assert_eq!(nearest("whisper-1", names()), Vec::<&str>::new());
        assert_eq!(distance(&['a', 'b'], "ba"), 2);
        assert_eq!(distance(&[], "abc"), 3);
    }
}
