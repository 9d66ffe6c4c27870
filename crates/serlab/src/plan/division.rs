//! Utterances into folds.

use std::collections::BTreeSet;

use sercorpus::split::{self, Fold, Scheme, SplitError};
use serrun::{Division, OtherFolds};

use super::training::Material;
use crate::{
    config::RunExperiment,
    error::{LabError, Result},
};

/// Share of the utterances that a hold-out tests on.
const HELD_OUT: f64 = 0.2;

/// The folds of one division of a material.
///
/// # Errors
/// A corpus that cannot be divided so.
pub fn divide(part: &RunExperiment, material: &Material, division: Division, seed: u64) -> Result<Vec<Fold>> {
    let name = &material.roster.name;
    let wrong = |e: SplitError| LabError::Input(format!("{name}: {}: {e}", division.title()));
    let labels = material.roster.label_indices();
    // `Experiment::load` and `CorpusConfig::load` keep seeds below 2^32.
    let (n, numpy_seed) = (labels.len(), seed as u32);
    let folds = match division {
        Division::Random | Division::RandomValidated => split::kfold(n, part.folds, numpy_seed),
        Division::SpeakerOut => material.roster.corpus().speaker_independent_folds(),
        Division::HoldOut => split::stratified_hold_out(&labels, HELD_OUT, numpy_seed).map(|fold| vec![fold]),
        Division::CrossCorpus => {
            let start = material.targets.first().map_or(n, |(_, range)| range.start);
            Ok(vec![Fold { train: (0..start).collect(), validation: Vec::new(), test: (start..n).collect() }])
        }
        Division::Other { folds: OtherFolds::File(_), .. } => {
            let missing = || LabError::Input(format!("{name}: no folds; give --set corpora.{name}.folds=PATH"));
            Ok(material.roster.folds.clone().ok_or_else(missing)?)
        }
        Division::Other { folds, .. } => other(part, material, folds, numpy_seed),
    };
    let folds = folds.map_err(wrong)?.into_iter();
    if !division.is_validated() {
        return Ok(folds.map(|fold| Fold { validation: Vec::new(), ..fold }).collect());
    }
    let share = part.training.validation_share;
    let validated = folds.map(|fold| match fold.validation.is_empty() {
        true => split::with_validation(fold, &labels, share, numpy_seed),
        false => Ok(fold),
    });
    validated.collect::<std::result::Result<_, _>>().map_err(wrong)
}

/// Folds that are not the paper's, and not a file's.
fn other(
    part: &RunExperiment,
    material: &Material,
    folds: OtherFolds,
    seed: u32,
) -> std::result::Result<Vec<Fold>, SplitError> {
    let corpus = material.roster.corpus();
    let few = |groups: &[&str]| OtherFolds::GROUPS.min(groups.iter().collect::<BTreeSet<_>>().len());
    match folds {
        OtherFolds::Repeated(repeats) => split::repeated_kfold(corpus.utterances.len(), part.folds, repeats, seed),
        OtherFolds::Stratified => split::stratified_kfold(&corpus.label_indices(), part.folds, seed),
        OtherFolds::Speakers(None) => split::leave_one_group_out(&corpus.speakers()?),
        OtherFolds::Speakers(Some(k)) => split::group_kfold(&corpus.speakers()?, k),
        OtherFolds::Texts(k) => {
            let texts = corpus.texts()?;
            split::group_kfold(&texts, k.unwrap_or_else(|| few(&texts)))
        }
        OtherFolds::TextsAndSpeakers(k) => {
            let (texts, speakers) = (corpus.texts()?, corpus.speakers()?);
            let k = (k.unwrap_or_else(|| few(&texts)), k.unwrap_or_else(|| few(&speakers)));
            split::crossed_group_kfold(&texts, &speakers, k)
        }
        OtherFolds::Split | OtherFolds::File(_) => Scheme::Manifest.split(&corpus, 0, seed),
    }
}
