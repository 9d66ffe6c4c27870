//! From a run folder's finished folds to its tables.

use std::path::Path;

use super::{cells, metrics::Metrics, published::Published, summary};
use crate::{
    config::RunConfig,
    error::{LabError, Result},
    folder::{FoldFile, RunDir, fold_path},
    plan::{Plan, Training},
};

/// The folds of `training` in the run folder, None where they are not finished.
///
/// # Errors
/// A file that is no finished fold.
pub fn folds(dir: &Path, training: &Training) -> Result<Vec<Option<FoldFile>>> {
    (0..training.folds.len()).map(|fold| FoldFile::read(&fold_path(dir, training, fold))).collect()
}

/// Finished folds, and all.
pub fn finished(dir: &Path, plan: &Plan) -> (usize, usize) {
    let places = plan.places();
    let there = |p: &&crate::plan::Place| fold_path(dir, &plan.trainings[p.training], p.fold).is_file();
    (places.iter().filter(there).count(), places.len())
}

/// Writes the corpora's utterances, from which `merge` makes the plan again where the recordings are not.
///
/// # Errors
/// Those of the file system.
pub fn rosters(dir: &RunDir, plan: &Plan) -> Result<()> {
    plan.materials.iter().filter(|m| m.targets.is_empty()).try_for_each(|m| m.roster.write(dir.path()))
}

/// Writes `metrics.json` and all files beside it, from what is there.
///
/// # Errors
/// Files that do not fit the plan; those of the file system.
pub fn write(dir: &RunDir, config: &RunConfig, plan: &Plan, published: &Published) -> Result<Metrics> {
    let metrics = collect(dir.path(), config, plan, published, Some(dir))?;
    dir.json("published.json", published)?;
    dir.json("metrics.json", &metrics)?;
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
        version: serreport::METRICS_VERSION,
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
            metrics.missing.insert(training.name(), missing);
        }
        for &protocol in &training.protocols {
            for (cell, rows) in cells::cells(protocol, training, material, &folds, config.synthetic, published)? {
                if let Some(out) = out {
                    let labels = &material.roster.labels;
                    let folder = format!("{}/{protocol}", training.name());
                    match cell.target {
                        Some(target) => out.predictions(&format!("{folder}/{target}"), labels, &rows)?,
                        None => out.predictions(&folder, labels, &rows)?,
                    }
                    if alone && cell.target.is_none() {
                        out.predictions("", labels, &rows)?;
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
