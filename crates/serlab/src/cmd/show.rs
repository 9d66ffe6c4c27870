//! `show` and `config`: what is there already, without recordings and without training.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use serde::Serialize;

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
        return list(&folders, args.json);
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

/// A line, or an object of a JSON array, for each run folder that is in `folders`, or is one of them.
fn list(folders: &[PathBuf], json: bool) -> Result<()> {
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
    // One folder that can't be read does not hide the others.
    let rows: Vec<Row> = runs.iter().map(|folder| Row::of(folder)).collect();
    if json {
        return print(&serde_json::to_string_pretty(&rows).map_err(LabError::work)?);
    }
    rows.iter().try_for_each(|row| print(&row.to_string()))
}

/// What is listed of a run folder.
#[derive(Serialize)]
struct Row {
    folder: PathBuf,
    #[serde(flatten)]
    what: What,
}

#[derive(Serialize)]
#[serde(untagged)]
enum What {
    Run {
        experiment: String,
        corpora: Vec<String>,
        synthetic: bool,
        systems: Vec<String>,
        protocols: Vec<String>,
        seeds: Vec<u64>,
        epochs: Vec<u32>,
        /// Finished folds.
        finished: usize,
        folds: usize,
    },
    Unreadable {
        error: String,
    },
}

impl Row {
    fn of(folder: &Path) -> Self {
        let what = match read(folder) {
            Err(e) => What::Unreadable { error: e.to_string() },
            Ok((config, plan)) => {
                let trainings = || plan.trainings.iter();
                let (finished, folds) = tables::finished(folder, &plan);
                What::Run {
                    experiment: config.name().to_owned(),
                    corpora: once(trainings().map(|t| t.corpus().to_string())),
                    synthetic: config.synthetic,
                    systems: once(trainings().map(|t| t.system().to_string())),
                    protocols: once(trainings().flat_map(|t| t.protocols.iter().map(ToString::to_string))),
                    seeds: once(trainings().map(|t| t.name.seed)),
                    epochs: once(trainings().map(|t| t.settings.epochs)),
                    finished,
                    folds,
                }
            }
        };
        Self { folder: folder.to_owned(), what }
    }
}

/// Each once, in the order of their first.
fn once<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    all.fold(Vec::new(), |mut once, value| {
        if !once.contains(&value) {
            once.push(value);
        }
        once
    })
}

/// `runs/table1-0123: table1 on emodb, synthetic; tim-net; last-epoch, best-epoch; seed 46; 100 epochs; 7 of 10 folds`.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = |all: Vec<String>| all.join(", ");
        write!(f, "{}: ", self.folder.display())?;
        match &self.what {
            What::Unreadable { error } => f.write_str(error),
            What::Run { experiment, corpora, synthetic, systems, protocols, seeds, epochs, finished, folds } => write!(
                f,
                "{experiment} on {}{}; {}; {}; seed {}; {} epochs; {finished} of {folds} folds",
                corpora.join(", "),
                if *synthetic { ", synthetic" } else { "" },
                systems.join(", "),
                protocols.join(", "),
                numbers(seeds.iter().map(ToString::to_string).collect()),
                numbers(epochs.iter().map(ToString::to_string).collect()),
            ),
        }
    }
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
