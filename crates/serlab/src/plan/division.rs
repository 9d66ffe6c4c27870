//! Utterances into folds.

use sercorpus::split::{self, Fold};
use serrun::Division;

use super::training::Material;
use crate::config::RunExperiment;

/// Share of the utterances that a hold-out tests on.
const HELD_OUT: f64 = 0.2;

/// The folds of one division of a material.
///
/// # Errors
/// A corpus that cannot be divided so.
pub fn divide(
    part: &RunExperiment,
    material: &Material,
    division: Division,
    seed: u64,
) -> std::result::Result<Vec<Fold>, split::SplitError> {
    let roster = &material.roster;
    let n = roster.rows.len();
    // `Experiment::load` and `CorpusConfig::load` keep seeds below 2^32.
    let numpy_seed = seed as u32;
    let random = || split::kfold(n, part.folds, numpy_seed);
    match division {
        Division::Random => random(),
        Division::RandomValidated => {
            let labels = roster.label_indices();
            let share = part.training.validation_share;
            random()?.into_iter().map(|f| split::with_validation(f, &labels, share, numpy_seed)).collect()
        }
        Division::SpeakerOut => roster.speaker_independent_folds(),
        Division::HoldOut => Ok(vec![split::stratified_hold_out(&roster.label_indices(), HELD_OUT, numpy_seed)?]),
        Division::CrossCorpus => {
            let start = material.targets.first().map_or(n, |(_, range)| range.start);
            Ok(vec![Fold { train: (0..start).collect(), validation: Vec::new(), test: (start..n).collect() }])
        }
    }
}
