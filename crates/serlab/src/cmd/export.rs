//! `export`: a run as a folder that can be published and cited.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serrun::{Metrics, Protocol, Provenance, put};

use crate::{
    cli::Export,
    config::RunConfig,
    data::folds,
    disk::claim_empty,
    error::{LabError, Result},
    plan::Plan,
};

/// How the software is cited.
const CITATION: &str = include_str!("../../../../CITATION.cff");

/// Writes the folder. The same run gives the same bytes.
///
/// # Errors
/// A folder that is no run folder, or whose run is not finished; one that holds something already or can't be written.
pub fn run(args: &Export) -> Result<()> {
    let (config, plan) = super::show::read(&args.run)?;
    let mut files = Vec::new();
    let (metrics, provenance) = (Metrics::file(&args.run), Provenance::file(&args.run));
    for path in [args.run.join(RunConfig::FILE), metrics, provenance] {
        files.push((name(&args.run, &path), read(&path)?.ok_or_else(|| unfinished(&args.run, &path))?));
    }
    for training in &plan.trainings {
        let (own, material) = (PathBuf::from(training.name.to_string()), plan.material(training));
        files.push((own.join("folds.csv"), folds::csv(&material.roster.corpus(), &training.folds)?));
        for &protocol in &training.protocols {
            let of = |target: &str| own.join(protocol.name()).join(target).join("predictions.csv");
            let tested: Vec<PathBuf> = match &material.targets[..] {
                [] => vec![of("")],
                targets => targets.iter().map(|(target, _)| of(target.as_str())).collect(),
            };
            for path in tested {
                let bytes = read(&args.run.join(&path))?;
                files.push((path.clone(), bytes.ok_or_else(|| unfinished(&args.run, &path))?));
            }
        }
    }
    files.push(("CITATION.cff".into(), CITATION.as_bytes().to_vec()));
    files.push(("README.md".into(), readme(&config, &plan).into_bytes()));
    claim_empty(&args.output)?;
    for (path, bytes) in &files {
        put(&args.output.join(path), bytes)?;
    }
    tracing::info!("{} files in {}", files.len(), args.output.display());
    Ok(())
}

/// The path below the run folder.
fn name(run: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(run).unwrap_or(path).to_owned()
}

/// None where there is no such file.
fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(LabError::Work(format!("cannot read {}: {e}", path.display()))),
    }
}

fn unfinished(run: &Path, path: &Path) -> LabError {
    LabError::Input(format!(
        "{}: the run is not finished: {} is not there; run its command again first, which goes on where it stopped",
        run.display(),
        name(run, path).display()
    ))
}

/// What each file is.
fn readme(config: &RunConfig, plan: &Plan) -> String {
    let synthetic = match config.synthetic {
        true => "\nThe recordings are synthetic: the figures say nothing about any corpus.\n",
        false => "",
    };
    let caveat = |p: Protocol| p.caveat().map_or_else(String::new, |caveat| format!(" ({caveat})"));
    let training = |t: &crate::plan::Training| {
        let protocols: Vec<String> = t.protocols.iter().map(|&p| format!("{p}{}", caveat(p))).collect();
        let (n, division) = (t.folds.len(), t.division().title());
        format!("- `{}`: {division}, {n} fold{}; {}\n", t.name, if n == 1 { "" } else { "s" }, protocols.join(", "))
    };
    let trainings: String = plan.trainings.iter().map(training).collect();
    format!(
        "# Folds, predictions and figures of `{}`\n{synthetic}\n\
         | file | what |\n|---|---|\n\
         | `TRAINING/folds.csv` | id, fold (from 0), part (train, validation, test): which utterances each fold learns from, chooses its epoch on, and is scored on |\n\
         | `TRAINING/PROTOCOL/predictions.csv` | id, fold, truth, predicted, and a probability of each class; across corpora in a folder for each corpus scored |\n\
         | `metrics.json` | the figures, as shares, with their spreads, intervals and confusion matrices |\n\
         | `config.toml` | all that the figures depend on |\n\
         | `provenance.json` | which program on which machine trained the folds, and when |\n\
         | `CITATION.cff` | how to cite the software and the paper that it reproduces |\n\n\
         Trainings:\n\n{trainings}\n\
         Ids are those that `ser corpus list` prints; recordings are not here. The folds can be trained on again:\n\n\
         ```text\n\
         serlab reproduce table1 --data CORPUS=PATH --division file --set corpora.CORPUS.folds=TRAINING/folds.csv\n\
         ```\n",
        config.name()
    )
}
