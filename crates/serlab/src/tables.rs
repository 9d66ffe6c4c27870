//! From a run folder's finished folds to its tables.

use std::{collections::BTreeMap, path::Path};

use sercorpus::CorpusKind;

use crate::{
    error::{LabError, Result},
    fold_file::{FoldFile, fold_path},
    plan::{Plan, Training},
    published::Published,
    results::{self, Metrics},
    run_config::RunConfig,
    run_dir::RunDir,
    summary,
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
        let folds = folds(dir.path(), training)?;
        let missing: Vec<usize> = (0..folds.len()).filter(|&i| folds[i].is_none()).collect();
        if missing.len() < folds.len() {
            dir.training(training, &folds)?;
        }
        if !missing.is_empty() {
            metrics.missing.insert(training.name(), missing);
        }
        for &protocol in &training.protocols {
            for (cell, rows) in
                results::cells(protocol, training, material, &folds, config.synthetic, published)?
            {
                let labels = &material.roster.labels;
                let folder = format!("{}/{protocol}", training.name());
                match cell.target {
                    Some(target) => dir.predictions(&format!("{folder}/{target}"), labels, &rows)?,
                    None => dir.predictions(&folder, labels, &rows)?,
                }
                if alone && cell.target.is_none() {
                    dir.predictions("", labels, &rows)?;
                }
                metrics.cells.push(cell);
            }
        }
    }
    metrics.summaries = summary::summaries(&metrics.cells, published)?;
    metrics.paired = summary::paired(&metrics.cells)?;
    dir.json("published.json", published)?;
    dir.json("metrics.json", &metrics)?;
    let report = dir.path().join("report");
    serreport::write(&[dir.path()], &report, &serreport::Options::default()).map_err(LabError::work)?;
    tracing::info!("report: {}", report.join("report.html").display());
    Ok(metrics)
}
