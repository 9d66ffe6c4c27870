use std::hash::Hash;

use super::kfold::encode;
use super::numpy::RandomState;
use super::{Fold, SplitError};

/// A random hold-out, `test_share` of `0..n` (rounded up) for testing; 0.2 is the usual 8:2.
///
/// # Errors
/// A share that leaves either part empty.
pub fn hold_out(n: usize, test_share: f64, seed: u32) -> Result<Fold, SplitError> {
    let test_count = part_size(n, test_share)?;
    let order = RandomState::new(seed).permutation(n);
    Ok(sorted(order[test_count..].to_vec(), order[..test_count].to_vec()))
}

/// A random hold-out in which both parts have nearly the same share of each class.
///
/// # Errors
/// As [`hold_out`]; a class with fewer than two utterances, or more classes than a part has room for.
pub fn stratified_hold_out<L: Eq + Hash + Ord>(labels: &[L], test_share: f64, seed: u32) -> Result<Fold, SplitError> {
    stratified(labels, part_size(labels.len(), test_share)?, seed)
}

/// [`stratified_hold_out`] of a number of utterances.
fn stratified<L: Eq + Hash + Ord>(labels: &[L], test_count: usize, seed: u32) -> Result<Fold, SplitError> {
    let n = labels.len();
    let (members, first_seen) = classes(labels);
    if let Some(class) = members.iter().position(|m| m.len() < 2) {
        return Err(SplitError::ClassTooSmall { class: first_seen[class], count: members[class].len(), needed: 2 });
    }
    for (count, part) in [(test_count, "test"), (n - test_count, "train")] {
        if count < members.len() {
            return Err(SplitError::TooSmall { part, count, n, classes: members.len() });
        }
    }
    let mut random = RandomState::new(seed);
    let sizes: Vec<usize> = members.iter().map(Vec::len).collect();
    let train_sizes = approximate_mode(&sizes, n - test_count, &mut random);
    let left: Vec<usize> = sizes.iter().zip(&train_sizes).map(|(all, train)| all - train).collect();
    let test_sizes = approximate_mode(&left, test_count, &mut random);
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for (class, indices) in members.iter().enumerate() {
        let order = random.permutation(indices.len());
        let pick = |range: &[usize]| range.iter().map(|&i| indices[i]).collect::<Vec<_>>();
        let (for_train, rest) = order.split_at(train_sizes[class]);
        train.extend(pick(for_train));
        test.extend(pick(&rest[..test_sizes[class]]));
    }
    Ok(sorted(train, test))
}

/// Train, validation and test parts, stratified; shares are of all utterances, each rounded up.
///
/// # Errors
/// As [`stratified_hold_out`]; shares that leave no train part.
pub fn train_validation_test<L: Eq + Hash + Ord>(
    labels: &[L],
    validation_share: f64,
    test_share: f64,
    seed: u32,
) -> Result<Fold, SplitError> {
    let n = labels.len();
    let validation_count = part_size(n, validation_share)?;
    let fold = stratified_hold_out(labels, test_share, seed)?;
    if validation_count >= fold.train.len() {
        return Err(SplitError::EmptyPart { share: format!("{validation_share} and {test_share}"), n, part: "train" });
    }
    divide_train(fold, labels, validation_count, seed)
}

/// Split the train part of a fold again, stratified, into train and validation: what the protocol `validated` does.
///
/// # Errors
/// As [`stratified_hold_out`], for the train part.
pub fn with_validation<L: Eq + Hash + Ord>(
    fold: Fold,
    labels: &[L],
    share: f64,
    seed: u32,
) -> Result<Fold, SplitError> {
    let validation_count = part_size(fold.train.len(), share)?;
    divide_train(fold, labels, validation_count, seed)
}

fn divide_train<L: Eq + Hash + Ord>(
    fold: Fold,
    labels: &[L],
    validation_count: usize,
    seed: u32,
) -> Result<Fold, SplitError> {
    let train_labels: Vec<&L> = fold.train.iter().filter_map(|&i| labels.get(i)).collect();
    let inner = stratified(&train_labels, validation_count, seed)?;
    let pick = |positions: Vec<usize>| positions.into_iter().map(|p| fold.train[p]).collect();
    Ok(Fold { train: pick(inner.train), validation: pick(inner.test), test: fold.test })
}

fn sorted(mut train: Vec<usize>, mut test: Vec<usize>) -> Fold {
    train.sort_unstable();
    test.sort_unstable();
    Fold { train, validation: Vec::new(), test }
}

fn part_size(n: usize, test_share: f64) -> Result<usize, SplitError> {
    let empty = |part| Err(SplitError::EmptyPart { share: test_share.to_string(), n, part });
    // A float cast saturates, and NaN becomes 0.
    let count = (test_share * n as f64).ceil() as usize;
    if count == 0 {
        return empty("test");
    }
    if count >= n {
        return empty("train");
    }
    Ok(count)
}

/// Members of each class, classes in sorted order as in scikit-learn; and each class' number by first appearance.
fn classes<L: Eq + Hash + Ord>(labels: &[L]) -> (Vec<Vec<usize>>, Vec<usize>) {
    let (numbers, counts) = encode(labels);
    let mut members = vec![Vec::new(); counts.len()];
    numbers.iter().enumerate().for_each(|(i, &class)| members[class].push(i));
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|&class| &labels[members[class][0]]);
    (order.iter().map(|&class| std::mem::take(&mut members[class])).collect(), order)
}

/// The most likely counts when `draws` are taken without replacement from classes of these sizes: rounded down,
/// the largest remainders first get one more, ties at random (scikit-learn's `_approximate_mode`).
fn approximate_mode(sizes: &[usize], draws: usize, random: &mut RandomState) -> Vec<usize> {
    let total: usize = sizes.iter().sum();
    let exact: Vec<f64> = sizes.iter().map(|&s| s as f64 / total as f64 * draws as f64).collect();
    let mut counts: Vec<usize> = exact.iter().map(|e| e.floor() as usize).collect();
    let remainders: Vec<f64> = exact.iter().map(|e| e - e.floor()).collect();
    let mut distinct = remainders.clone();
    distinct.sort_by(|a, b| b.total_cmp(a));
    distinct.dedup();
    let mut missing = draws.saturating_sub(counts.iter().sum());
    for value in distinct {
        if missing == 0 {
            break;
        }
        let tied: Vec<usize> = (0..sizes.len()).filter(|&class| remainders[class] == value).collect();
        let take = missing.min(tied.len());
        random.permutation(tied.len())[..take].iter().for_each(|&i| counts[tied[i]] += 1);
        missing -= take;
    }
    counts
}
