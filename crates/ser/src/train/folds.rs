//! How the recordings are divided for the evaluation.

use std::collections::BTreeSet;

use sercorpus::split::{self, Fold, SplitError};

use super::{Train, source::Source};
use crate::failure::{Failure, Result};

/// Folds unless asked otherwise, and where they are as many as the classes allow.
const FOLDS: usize = 10;

/// What the folds have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Division {
    /// No speaker is on both sides.
    Speakers,
    /// Speakers may be on both sides.
    Random,
    /// No evaluation.
    None,
}

impl Division {
    /// In words.
    pub fn describe(self, folds: usize) -> String {
        match self {
            Self::Speakers => format!("{folds} folds that share no speaker"),
            Self::Random => format!("{folds} random folds, speakers on both sides"),
            Self::None => "no evaluation".to_owned(),
        }
    }
}

/// The folds of the evaluation, each with its validation part if asked for.
///
/// # Errors
/// More folds than can be made; a validation part that would be empty.
pub fn divide(args: &Train, source: &Source) -> Result<(Division, Vec<Fold>)> {
    let asked = args.folds.map(|k| k as usize);
    let (division, folds) = folds(source, asked, args.seed).map_err(Failure::input)?;
    let Some(share) = args.validation else { return Ok((division, folds)) };
    let groups = source.groups.as_deref().filter(|_| division == Division::Speakers);
    let validated = folds.into_iter().map(|fold| match groups {
        Some(groups) => by_groups(fold, groups, share),
        None => split::with_validation(fold, &source.classes, share, args.seed),
    });
    let folds =
        validated.collect::<std::result::Result<_, _>>().map_err(|e| Failure::Input(format!("--validation: {e}")))?;
    Ok((division, folds))
}

fn folds(source: &Source, asked: Option<usize>, seed: u32) -> std::result::Result<(Division, Vec<Fold>), SplitError> {
    if let Some(groups) = &source.groups {
        let distinct = groups.iter().collect::<BTreeSet<_>>().len();
        if distinct > 1 {
            let k = asked.unwrap_or(FOLDS.min(distinct));
            // Leave-one-out has the folds in the order of the speakers' names.
            let folds = if k == distinct { split::leave_one_group_out(groups) } else { split::group_kfold(groups, k) };
            return Ok((Division::Speakers, folds?));
        }
    }
    let smallest = (0..source.labels.len()).map(|c| source.classes.iter().filter(|&&of| of == c).count()).min();
    let k = asked.unwrap_or(FOLDS.min(smallest.unwrap_or(FOLDS)));
    Ok((Division::Random, split::stratified_kfold(&source.classes, k, seed)?))
}

/// Moves whole speakers, about `share` of the training part, to the validation part.
fn by_groups(fold: Fold, groups: &[String], share: f64) -> std::result::Result<Fold, SplitError> {
    let of: Vec<&String> = fold.train.iter().map(|&i| &groups[i]).collect();
    let distinct = of.iter().collect::<BTreeSet<_>>().len();
    let parts = ((1.0 / share).round() as usize).clamp(2, distinct.max(2));
    let inner = split::group_kfold(&of, parts)?.swap_remove(0);
    let pick = |positions: Vec<usize>| positions.into_iter().map(|p| fold.train[p]).collect();
    Ok(Fold { train: pick(inner.train), validation: pick(inner.test), test: fold.test })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_validation_part_is_of_speakers_that_are_nowhere_else() {
        let groups: Vec<String> = (0..60).map(|i| format!("s{}", i % 6)).collect();
        for fold in split::leave_one_group_out(&groups).unwrap() {
            let test = fold.test.clone();
            let fold = by_groups(fold, &groups, 0.2).unwrap();
            assert_eq!((fold.train.len(), fold.validation.len(), &fold.test), (40, 10, &test));
            let of = |part: &[usize]| part.iter().map(|&i| groups[i].clone()).collect::<BTreeSet<_>>();
            let (train, validation, test) = (of(&fold.train), of(&fold.validation), of(&fold.test));
            assert!(train.is_disjoint(&validation) && train.is_disjoint(&test) && validation.is_disjoint(&test));
            assert_eq!(train.len() + validation.len() + test.len(), 6);
        }
        let two = split::leave_one_group_out(&groups[..2]).unwrap().remove(0);
        assert!(by_groups(two, &groups, 0.2).is_err(), "nobody is left to validate on");
    }
}
