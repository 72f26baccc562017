// SPDX-License-Identifier: Apache-2.0

//! The accepted word that was probably meant.

/// The word of `words` that is nearest to `word`, if it is near enough to be a typing mistake.
pub(crate) fn nearest<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let bound = (word.chars().count() / 3).max(1);
    words
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= bound)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Letters to insert, delete, replace or exchange with the next to get from one word to the other (optimal string
/// alignment).
fn distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().collect();
    let to: Vec<char> = to.chars().collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=to.len()).collect()];
    let cell = |rows: &[Vec<usize>], row: usize, column: usize| rows[row][column];
    for row in 1..=from.len() {
        let mut cells = vec![row];
        for column in 1..=to.len() {
            let is_same = from[row - 1] == to[column - 1];
            let replaced = cell(&rows, row - 1, column - 1) + usize::from(!is_same);
            let deleted = cell(&rows, row - 1, column) + 1;
            let mut least = replaced.min(deleted).min(cells[column - 1] + 1);
            if row > 1
                && column > 1
                && from[row - 1] == to[column - 2]
                && from[row - 2] == to[column - 1]
            {
                least = least.min(cell(&rows, row - 2, column - 2) + 1);
            }
            cells.push(least);
        }
        rows.push(cells);
    }
    cell(&rows, from.len(), to.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("bnod", "bond"), 1);
        let words = ["name", "mtu", "min-mtu", "state"];
        for (word, expected) in [
            ("mtv", Some("mtu")),
            ("nmae", Some("name")),
            ("sate", Some("state")),
            ("zzz", None),
        ] {
            assert_eq!(nearest(word, words.into_iter()), expected, "{word}");
        }
    }
}
