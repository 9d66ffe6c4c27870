//! The shape of an `Einsum`.

/// Shape and number of products of an equation, for example `bhqd,bhkd->bhqk`. None where it does not fit the shapes, or has an ellipsis.
pub(super) fn shape(equation: &str, inputs: &[&[u64]]) -> Option<(Vec<u64>, u64)> {
    let equation: String = equation.chars().filter(|c| !c.is_whitespace()).collect();
    let (left, right) = equation.split_once("->")?;
    let mut sizes: Vec<(char, u64)> = Vec::new();
    let terms: Vec<&str> = left.split(',').collect();
    if terms.len() != inputs.len() {
        return None;
    }
    for (term, dims) in terms.iter().zip(inputs) {
        if term.chars().count() != dims.len() {
            return None;
        }
        for (letter, &dim) in term.chars().zip(*dims) {
            match sizes.iter_mut().find(|(known, _)| *known == letter) {
                _ if !letter.is_ascii_alphabetic() => return None,
                None => sizes.push((letter, dim)),
                Some((_, size)) if *size == 1 => *size = dim,
                Some((_, size)) if *size == dim || dim == 1 => {}
                Some(_) => return None,
            }
        }
    }
    let size = |letter| sizes.iter().find(|(known, _)| *known == letter).map(|(_, size)| *size);
    let out = right.chars().map(size).collect::<Option<_>>()?;
    Some((out, sizes.iter().fold(1, |product, (_, size)| product.saturating_mul(*size))))
}
