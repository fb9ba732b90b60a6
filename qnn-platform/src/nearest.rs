//! "Did you mean": the known names closest to one that is not known.

/// The candidates closest to `word`, best first, at most `limit`; only those that are near enough to be a plausible
/// slip. Letter case and the separators `-`, `_`, `.` and space do not count as differences.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>, limit: usize) -> Vec<&'a str> {
    let word = fold(word);
    let mut scored: Vec<(usize, &str)> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let folded = fold(candidate);
            let distance = distance(&word, &folded);
            let longest = word.len().max(folded.len());
            let contained = word.len() >= 3 && contains(&folded, &word);
            (distance * 2 <= longest || contained).then_some((distance, candidate))
        })
        .collect();
    scored.sort();
    scored.dedup_by_key(|(_, name)| *name);
    scored.into_iter().take(limit).map(|(_, name)| name).collect()
}

/// Lower case without separators: the form in which names are compared.
pub(crate) fn fold(name: &str) -> Vec<char> {
    name.chars().filter(|c| !matches!(c, '-' | '_' | '.' | ' ')).flat_map(char::to_lowercase).collect()
}

fn contains(text: &[char], part: &[char]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours cost one each.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let mut cost = (above[j] + usize::from(ca != cb)).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *ca == b[j - 1] && a[i - 1] == *cb {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swapped_or_missing_letter_is_found() {
        let keys = ["precision", "source", "soc", "embed"];
        assert_eq!(nearest("percision", keys, 3), ["precision"]);
        assert_eq!(nearest("sorce", keys, 1), ["source"]);
    }

    #[test]
    fn case_and_separators_do_not_count() {
        assert_eq!(nearest("VTCM_MB", ["vtcm-mb", "hvx-threads"], 3), ["vtcm-mb"]);
    }

    #[test]
    fn unrelated_names_are_not_offered() {
        assert!(nearest("banana", ["precision", "soc"], 3).is_empty());
    }

    #[test]
    fn a_fragment_offers_what_contains_it() {
        assert_eq!(nearest("8650", ["SM8650", "SM7325"], 3), ["SM8650"]);
    }

    #[test]
    fn distance_counts_a_swap_once() {
        assert_eq!(distance(&fold("soc"), &fold("sco")), 1);
        assert_eq!(distance(&fold(""), &fold("abc")), 3);
        assert_eq!(distance(&fold("kitten"), &fold("sitting")), 3);
    }
}
