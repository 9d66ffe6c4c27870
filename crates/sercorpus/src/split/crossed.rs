use std::collections::BTreeSet;

use super::{Fold, SplitError, group_kfold};

/// Folds whose test part shares neither of two groupings with its training part: no speaker and no text, for instance.
///
/// The groups of each kind are divided into folds as [`group_kfold`] does it, `k.0` of the first and `k.1` of the second. There is a fold
/// for each pair: its test part is what lies in both test parts, its training part what lies in both training parts, and the rest,
/// which shares one grouping with the test part, is in neither. A pair that has nothing in common gives no fold.
///
/// # Errors
/// A number of folds below 2 or above the number of groups; a fold with nothing to train on.
pub fn crossed_group_kfold<A: Ord, B: Ord>(
    first: &[A],
    second: &[B],
    k: (usize, usize),
) -> Result<Vec<Fold>, SplitError> {
    let (rows, columns) = (group_kfold(first, k.0)?, group_kfold(second, k.1)?);
    let common = |a: &[usize], b: &[usize]| {
        let b: BTreeSet<usize> = b.iter().copied().collect();
        a.iter().copied().filter(|i| b.contains(i)).collect::<Vec<_>>()
    };
    let mut folds = Vec::new();
    for row in &rows {
        for column in &columns {
            let (train, test) = (common(&row.train, &column.train), common(&row.test, &column.test));
            if test.is_empty() {
                continue;
            }
            if train.is_empty() {
                let share = format!("1/{} x 1/{}", k.0, k.1);
                return Err(SplitError::EmptyPart { share, n: first.len(), part: "train" });
            }
            folds.push(Fold { train, validation: Vec::new(), test });
        }
    }
    Ok(folds)
}
