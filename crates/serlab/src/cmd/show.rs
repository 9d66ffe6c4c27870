//! `show` and `config`: what is there already, without recordings and without training.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    cli::{Config, Show},
    config::{Configs, Published, RunConfig, files},
    data::Roster,
    error::{LabError, Result},
    folder::run_dir,
    plan::Plan,
    show::{print, show, tables},
};

/// Where run folders lie if nothing else is said.
const RUNS: &str = "runs";

/// The tables of run folders, made from their finished folds; nothing is written.
///
/// # Errors
/// A folder that is no run folder.
pub fn run(args: &Show) -> Result<()> {
    if args.list {
        let folders = if args.runs.is_empty() { vec![PathBuf::from(RUNS)] } else { args.runs.clone() };
        return list(&folders);
    }
    for folder in &args.runs {
        let (config, plan) = read(folder)?;
        let published = match Published::read(folder)? {
            Some(published) => published,
            // An unfinished run has none yet.
            None => Configs::of(None)?.read("published.toml")?,
        };
        let metrics = tables::metrics(folder, &config, &plan, &published)?;
        show(&metrics, args.json)?;
        let (finished, all) = tables::finished(folder, &plan);
        if finished < all {
            tracing::warn!("{finished} of {all} folds are finished in {}", folder.display());
        }
    }
    Ok(())
}

/// The configuration of a run folder, and what it trains.
///
/// # Errors
/// A folder that is no run folder.
pub fn read(folder: &Path) -> Result<(RunConfig, Plan)> {
    let config = run_dir::config(folder)?;
    let parts = [folder.to_owned()];
    let rosters =
        config.corpora.iter().map(|(name, corpus)| Roster::read(&parts, name, corpus)).collect::<Result<Vec<_>>>()?;
    let plan = Plan::of(&config, rosters)?;
    Ok((config, plan))
}

/// A line for each run folder that is in `folders`, or is one of them.
fn list(folders: &[PathBuf]) -> Result<()> {
    let mut runs = Vec::new();
    for folder in folders {
        if folder.join("run.json").is_file() {
            runs.push(folder.clone());
            continue;
        }
        let entries =
            fs::read_dir(folder).map_err(|e| LabError::Input(format!("{}: {e}; give a folder", folder.display())))?;
        let below = entries.flatten().map(|e| e.path()).filter(|p| p.join("run.json").is_file());
        runs.extend(below);
    }
    runs.sort();
    if runs.is_empty() {
        tracing::info!("no run folder is there");
    }
    for folder in &runs {
        // One folder that can't be read does not hide the others.
        match read(folder) {
            Ok((config, plan)) => print(&line(folder, &config, &plan))?,
            Err(e) => print(&format!("{}: {e}", folder.display()))?,
        }
    }
    Ok(())
}

/// `runs/table1-0123: table1 on emodb, synthetic; tim-net; last-epoch, best-epoch; 100 epochs; 7 of 10 folds`.
fn line(folder: &Path, config: &RunConfig, plan: &Plan) -> String {
    let names = |all: Vec<String>| {
        let mut once: Vec<String> = Vec::new();
        for name in all {
            if !once.contains(&name) {
                once.push(name);
            }
        }
        once.join(", ")
    };
    let (finished, all) = tables::finished(folder, plan);
    let trainings = || plan.trainings.iter();
    format!(
        "{}: {} on {}{}; {}; {}; seed {}; {} epochs; {finished} of {all} folds",
        folder.display(),
        config.name(),
        names(trainings().map(|t| t.corpus().to_string()).collect()),
        if config.synthetic { ", synthetic" } else { "" },
        names(trainings().map(|t| t.system().to_string()).collect()),
        names(trainings().flat_map(|t| t.protocols.iter().map(ToString::to_string)).collect()),
        names(trainings().map(|t| t.name.seed.to_string()).collect()),
        names(trainings().map(|t| t.settings.epochs.to_string()).collect()),
    )
}

/// `config show` and `config init`.
///
/// # Errors
/// A name that is no file's; a folder that can't be written.
pub fn config(command: &Config) -> Result<()> {
    match command {
        Config::Show { name: None, .. } => print(&files::names().collect::<Vec<_>>().join("\n")),
        Config::Show { name: Some(name), configs } => {
            let name = name.trim_end_matches(".toml");
            print(Configs::of(configs.as_deref())?.file(&format!("{name}.toml"))?.text.trim_end())
        }
        Config::Init { folder } => {
            files::init(folder)?;
            tracing::info!("{}: change what you like, then give --configs {0}", folder.display());
            Ok(())
        }
    }
}
