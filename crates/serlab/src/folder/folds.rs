//! Finished folds: scores, and the weights beside them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serengine::Weights;
use serrun::{FinishedFold, RunError, fold_file, put};
use sertrain::{FoldOutcome, Selected};
use timnet_core::{ModelConfig, Places};

use crate::{
    error::{LabError, Result},
    plan::Training,
};

/// Where a fold's scores are, in the run folder `dir`; its other files begin with the same name.
pub fn fold_path(dir: &Path, training: &Training, fold: usize) -> PathBuf {
    fold_file(&dir.join(training.name.to_string()), fold)
}

/// Writes the weights first and the scores last: where the scores are, the fold is whole.
///
/// # Errors
/// Those of the file system, with the file.
pub fn finish(path: &Path, outcome: FoldOutcome, metadata: &BTreeMap<String, String>) -> Result<FinishedFold> {
    let FoldOutcome { records, last, best, validated } = outcome;
    let save = |name: &str, selected: &Selected| -> Result<()> {
        let metadata = metadata
            .clone()
            .into_iter()
            .chain([("selected".to_owned(), name.to_owned()), ("epoch".to_owned(), selected.scored.epoch.to_string())]);
        let bytes = selected.weights.to_safetensors(&metadata.collect()).map_err(LabError::work)?;
        Ok(put(&path.with_extension(format!("{name}.safetensors")), &bytes)?)
    };
    save("last", &last)?;
    save("best", &best)?;
    if let Some(validated) = &validated {
        save("validated", validated)?;
    }
    let fold = FinishedFold::new(records, last.scored, best.scored, validated.map(|v| v.scored));
    fold.write(path)?;
    Ok(fold)
}

/// None where the fold is not finished.
///
/// # Errors
/// A file of another version or no fold at all, with what to do.
pub fn read_fold(path: &Path) -> Result<Option<FinishedFold>> {
    FinishedFold::read(path).map_err(|e| match e {
        RunError::Malformed { .. } => LabError::Work(format!("{e}; delete it to train the fold again")),
        RunError::Version { .. } => LabError::Work(format!("{e}; give another --run-dir")),
        e => e.into(),
    })
}

/// The learned w_j of a fold's last epoch; None for networks without them.
///
/// # Errors
/// Weights that can't be read.
pub fn fusion(fold_file: &Path) -> Result<Option<Vec<f32>>> {
    let (weights, _) =
        Weights::load::<ModelConfig>(&fold_file.with_extension("last.safetensors")).map_err(LabError::work)?;
    let places = Places::of(&weights.settings().map_err(LabError::work)?);
    Ok(places.fusion.map(|range| weights.parameters[range.all()].to_vec()))
}
