//! The name that was probably meant.

/// ` (did you mean NAME?)` with the nearest of `known`, or nothing where all are far from `name`.
pub fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let distance = |known: &'a str| (distance(&name.to_lowercase(), known), known);
    let nearest = known.into_iter().map(distance).min();
    match nearest {
        Some((n, known)) if n > 0 && n <= 1 + name.len() / 4 => format!(" (did you mean `{known}`?)"),
        _ => String::new(),
    }
}

/// Levenshtein's: fewest letters to insert, delete or replace.
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distances of `Levenshtein.distance` (PyPI, python-Levenshtein).
    #[test]
    fn the_nearest_is_named() {
        for (a, b, wanted) in [
            ("kitten", "sitting", 3),
            ("", "abc", 3),
            ("emodb", "emodb", 0),
            ("emod", "emodb", 1),
            ("table12", "table2", 1),
        ] {
            assert_eq!((distance(a, b), distance(b, a)), (wanted, wanted), "{a} {b}");
        }
        let corpora = ["casia", "emodb", "emovo"];
        assert_eq!(hint("emdb", corpora), " (did you mean `emodb`?)");
        assert_eq!(hint("klingon", corpora), "");
        assert_eq!(hint("x", []), "");
    }
}
