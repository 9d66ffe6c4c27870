//! From a run folder's finished folds to its tables.

use std::path::Path;

use serrun::{FinishedFold, METRICS_VERSION, Metrics, Predictions, Provenance};

use super::{cells, summary};
use crate::{
    config::{Published, RunConfig},
    error::{LabError, Result},
    folder::{RunDir, fold_path, read_fold},
    plan::{Place, Plan, Training},
};

/// The folds of `training` in the run folder, None where they are not finished.
///
/// # Errors
/// A file that is no finished fold.
pub fn folds(dir: &Path, training: &Training) -> Result<Vec<Option<FinishedFold>>> {
    (0..training.folds.len()).map(|fold| read_fold(&fold_path(dir, training, fold))).collect()
}

/// Finished folds, and all.
pub fn finished(dir: &Path, plan: &Plan) -> (usize, usize) {
    let places = plan.places();
    let there = |p: &&Place| fold_path(dir, &plan.trainings[p.training], p.fold).is_file();
    (places.iter().filter(there).count(), places.len())
}

/// Writes the corpora's utterances, from which `merge` makes the plan again where the recordings are not.
///
/// # Errors
/// Those of the file system.
pub fn rosters(dir: &RunDir, plan: &Plan) -> Result<()> {
    let divided = plan.has_other_folds();
    plan.materials.iter().filter(|m| m.targets.is_empty()).try_for_each(|m| m.roster.write(divided, dir.path()))
}

/// Writes `provenance.json`, of what trained the finished folds.
///
/// # Errors
/// A finished fold whose provenance is not there or is of another version; those of the file system.
pub fn provenance(dir: &Path, plan: &Plan) -> Result<()> {
    let places = plan.places().into_iter().map(|place| {
        let training = &plan.trainings[place.training];
        (format!("{}/fold-{:02}", training.name, place.fold), fold_path(dir, training, place.fold))
    });
    let finished = places.filter(|(_, path)| path.is_file());
    Provenance::write_of(finished, dir).map_err(|e| LabError::Work(format!("{e}; or give another --run-dir")))
}

/// Writes `metrics.json` and all files beside it, from what is there.
///
/// # Errors
/// Files that do not fit the plan; those of the file system.
pub fn write(dir: &RunDir, config: &RunConfig, plan: &Plan, published: &Published) -> Result<Metrics> {
    let metrics = collect(dir.path(), config, plan, published, Some(dir))?;
    published.write(dir.path())?;
    metrics.write(dir.path())?;
    let report = dir.path().join("report");
    serreport::write(&[dir.path()], &report, &serreport::Options::default()).map_err(LabError::work)?;
    tracing::info!("report: {}", report.join("report.html").display());
    Ok(metrics)
}

/// The figures of what is there; nothing is written.
///
/// # Errors
/// Files that do not fit the plan.
pub fn metrics(dir: &Path, config: &RunConfig, plan: &Plan, published: &Published) -> Result<Metrics> {
    collect(dir, config, plan, published, None)
}

/// The figures of the finished folds in `dir`; curves and predictions are written into `out`, if given.
fn collect(
    dir: &Path,
    config: &RunConfig,
    plan: &Plan,
    published: &Published,
    out: Option<&RunDir>,
) -> Result<Metrics> {
    let mut metrics = Metrics {
        version: METRICS_VERSION,
        experiment: config.name().to_owned(),
        synthetic: config.synthetic,
        cells: Vec::new(),
        summaries: Vec::new(),
        paired: Vec::new(),
        missing: Default::default(),
    };
    let alone = plan.trainings.iter().map(|t| t.protocols.len()).sum::<usize>() == 1;
    for training in &plan.trainings {
        let material = plan.material(training);
        let folds = folds(dir, training)?;
        let missing: Vec<usize> = (0..folds.len()).filter(|&i| folds[i].is_none()).collect();
        if let Some(out) = out.filter(|_| missing.len() < folds.len()) {
            out.training(training, &folds)?;
        }
        if !missing.is_empty() {
            metrics.missing.insert(training.name.to_string(), missing);
        }
        for &protocol in &training.protocols {
            let of_run = (config.synthetic, config.features.normalise.sees_other_utterances());
            for (cell, rows) in cells::cells(protocol, training, material, &folds, of_run, published)? {
                if let Some(out) = out {
                    let predictions = Predictions { labels: material.roster.labels.clone(), rows };
                    let folder = out.path().join(format!("{}/{protocol}", training.name));
                    predictions
                        .write(&cell.target.as_ref().map_or(folder.clone(), |target| folder.join(target.as_str())))?;
                    if alone && cell.target.is_none() {
                        predictions.write(out.path())?;
                    }
                }
                metrics.cells.push(cell);
            }
        }
    }
    metrics.summaries = summary::summaries(&metrics.cells, published)?;
    metrics.paired = summary::paired(&metrics.cells)?;
    Ok(metrics)
}
