use std::collections::HashMap;
use std::hash::Hash;

use super::numpy::RandomState;
use super::{Fold, SplitError};

/// `KFold(k, shuffle=True, random_state=seed)` over `0..n`: the folds of the official protocol.
///
/// # Errors
/// `k` below 2 or above `n`.
pub fn kfold(n: usize, k: usize, seed: u32) -> Result<Vec<Fold>, SplitError> {
    repeated_kfold(n, k, 1, seed)
}

/// `RepeatedKFold(n_splits=k, n_repeats=repeats, random_state=seed)`: shuffled k-fold several times, `k * repeats` folds. Those of the first
/// repeat are [`kfold`]'s.
///
/// # Errors
/// As [`kfold`].
pub fn repeated_kfold(n: usize, k: usize, repeats: usize, seed: u32) -> Result<Vec<Fold>, SplitError> {
    check_k(k, n, "utterances")?;
    let mut random = RandomState::new(seed);
    Ok((0..repeats).flat_map(|_| cut(&random.permutation(n), k)).collect())
}

/// The folds of consecutive pieces of `shuffled`.
fn cut(shuffled: &[usize], k: usize) -> Vec<Fold> {
    let n = shuffled.len();
    let mut fold_of = vec![0; n];
    let mut start = 0;
    for fold in 0..k {
        // The first n mod k folds are one longer.
        let end = start + n / k + usize::from(fold < n % k);
        shuffled[start..end].iter().for_each(|&i| fold_of[i] = fold);
        start = end;
    }
    folds_of(&fold_of, k)
}

/// `StratifiedKFold(k, shuffle=True, random_state=seed)`: each fold has nearly the same share of each class.
///
/// # Errors
/// `k` below 2, or above the size of the largest class. A class smaller than `k` is missing from some folds, as
/// in scikit-learn, which warns of it.
pub fn stratified_kfold<L: Eq + Hash>(labels: &[L], k: usize, seed: u32) -> Result<Vec<Fold>, SplitError> {
    let (classes, counts) = encode(labels);
    check_k(k, counts.iter().copied().max().unwrap_or(0), "utterances of the largest class")?;
    // Deal the sorted labels out to the folds round robin: that fixes how many of each class a fold gets.
    let mut allocation = vec![vec![0usize; k]; counts.len()];
    let sorted = counts.iter().enumerate().flat_map(|(class, &count)| std::iter::repeat_n(class, count));
    for (position, class) in sorted.enumerate() {
        allocation[class][position % k] += 1;
    }
    let mut random = RandomState::new(seed);
    let mut fold_of = vec![0; labels.len()];
    for (class, shares) in allocation.iter().enumerate() {
        let mut folds: Vec<usize> =
            shares.iter().enumerate().flat_map(|(fold, &share)| std::iter::repeat_n(fold, share)).collect();
        random.shuffle(&mut folds);
        let members = (0..labels.len()).filter(|&i| classes[i] == class);
        members.zip(folds).for_each(|(i, fold)| fold_of[i] = fold);
    }
    Ok(folds_of(&fold_of, k))
}

/// Class numbers in order of first appearance, and the size of each class.
pub(super) fn encode<L: Eq + Hash>(labels: &[L]) -> (Vec<usize>, Vec<usize>) {
    let mut numbers = HashMap::new();
    let mut counts = Vec::new();
    let classes = labels
        .iter()
        .map(|label| {
            let class = *numbers.entry(label).or_insert(counts.len());
            if class == counts.len() {
                counts.push(0);
            }
            counts[class] += 1;
            class
        })
        .collect();
    (classes, counts)
}

pub(super) fn check_k(k: usize, available: usize, what: &'static str) -> Result<(), SplitError> {
    if (2..=available).contains(&k) { Ok(()) } else { Err(SplitError::TooManyFolds { k, available, what }) }
}

pub(super) fn folds_of(fold_of: &[usize], k: usize) -> Vec<Fold> {
    (0..k).map(|fold| Fold::by_test(fold_of.len(), |i| fold_of[i] == fold)).collect()
}
