use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::kfold::{check_k, folds_of};
use super::{Fold, SplitError};

/// `GroupKFold(k)`: no group on both sides; the largest group goes to the lightest fold, and so on down.
///
/// # Errors
/// `k` below 2 or above the number of groups.
pub fn group_kfold<G: Ord>(groups: &[G], k: usize) -> Result<Vec<Fold>, SplitError> {
    let mut sizes = BTreeMap::new();
    groups.iter().for_each(|group| *sizes.entry(group).or_insert(0usize) += 1);
    check_k(k, sizes.len(), "groups")?;
    let mut by_size: Vec<(&G, usize)> = sizes.into_iter().collect();
    by_size.reverse(); // of equal groups the last comes first
    by_size.sort_by_key(|&(_, size)| Reverse(size));
    let mut weights = vec![0; k];
    let mut fold_of_group = BTreeMap::new();
    for (group, size) in by_size {
        let lightest = (0..k).min_by_key(|&fold| weights[fold]).unwrap_or(0);
        weights[lightest] += size;
        fold_of_group.insert(group, lightest);
    }
    let fold_of: Vec<usize> = groups.iter().map(|group| fold_of_group[group]).collect();
    Ok(folds_of(&fold_of, k))
}

/// `LeaveOneGroupOut()`: one fold a group, in the groups' order.
///
/// # Errors
/// Fewer than two groups.
pub fn leave_one_group_out<G: Ord>(groups: &[G]) -> Result<Vec<Fold>, SplitError> {
    let distinct: BTreeSet<&G> = groups.iter().collect();
    check_k(distinct.len(), distinct.len(), "groups")?;
    Ok(distinct.into_iter().map(|left_out| Fold::by_test(groups.len(), |i| &groups[i] == left_out)).collect())
}
