//! `merge`: run folders joined into one.

use std::{fs, io, path::Path};

use serrun::{Environments, Session, System, create_folder, difference, put, sync_folder};
use toml::Table;

use crate::{
    cli::{ExperimentName, Merge},
    config::{Configs, Published, RunConfig, RunExperiment},
    data::Roster,
    error::{LabError, Result},
    folder::{RunDir, run_dir},
    plan::Plan,
    show::{show, tables},
    tensorboard,
};

/// Joins the folders and makes the tables from what is there.
///
/// # Errors
/// Folders that do not fit together, by the first key in which they differ.
pub fn run(args: &Merge) -> Result<()> {
    let published: Published = Configs::of(args.configs.as_deref())?.read("published.toml")?;
    let mut config = run_dir::config(&args.parts[0])?;
    for folder in &args.parts[1..] {
        let other = run_dir::config(folder)?;
        join(&mut config, &other).map_err(|why| {
            LabError::Input(format!("{} does not fit {}: {why}", folder.display(), args.parts[0].display()))
        })?;
    }
    let rosters = config
        .corpora
        .iter()
        .map(|(name, corpus)| Roster::read(&args.parts, name, corpus))
        .collect::<Result<Vec<_>>>()?;
    let plan = Plan::of(&config, rosters)?;
    let dir = RunDir::open(&args.output, &config, &plan, None)?;
    let mut parts: Vec<&Path> = Vec::new();
    for part in &args.parts {
        if !same(part, &args.output) && !parts.iter().any(|p| same(p, part)) {
            parts.push(part);
        }
    }
    for training in &plan.trainings {
        for part in &parts {
            let name = training.name.to_string();
            take(&part.join(&name), &args.output.join(&name), training.folds.len())?;
        }
    }
    environments(&parts, &dir)?;
    sessions(&parts, &dir)?;
    tables::provenance(dir.path(), &plan)?;
    tables::rosters(&dir, &plan)?;
    let metrics = tables::write(&dir, &config, &plan, &published)?;
    show(&metrics, args.json)?;
    for (training, folds) in &metrics.missing {
        let folds: Vec<String> = folds.iter().map(usize::to_string).collect();
        tracing::warn!("missing: {training}, folds {}", folds.join(", "));
    }
    let (finished, all) = tables::finished(dir.path(), &plan);
    tracing::info!("{finished} of {all} folds; run folder {}", args.output.display());
    Ok(())
}

/// Adds `other`'s experiments to `config`.
fn join(config: &mut RunConfig, other: &RunConfig) -> std::result::Result<(), String> {
    // Everything but the experiments has to be the same; systems with settings of their own only where both runs have them.
    let both: Vec<&System> = config.system.keys().filter(|system| other.system.contains_key(system)).collect();
    let rest = |run: &RunConfig| {
        let system =
            both.iter().filter_map(|&system| Some((system.clone(), run.system.get(system)?.clone()))).collect();
        RunConfig { parts: Vec::new(), system, ..run.clone() }
    };
    if let Some(key) = rest(config).difference(&rest(other)).map_err(|e| e.to_string())? {
        return Err(key.to_string());
    }
    config.system.extend(other.system.clone());
    for new in &other.parts {
        if let Some(known) = config.parts.iter().find(|p| p.experiment == new.experiment) {
            let plain = |p: &RunExperiment| {
                let plain = RunExperiment {
                    protocols: vec![],
                    systems: vec![],
                    seeds: None,
                    training_seeds: None,
                    ..p.clone()
                };
                Table::try_from(plain).map_err(|e| e.to_string())
            };
            if let Some(key) = difference(&plain(known)?, &plain(new)?) {
                return Err(key.to_string());
            }
        }
        if !config.parts.contains(new) {
            config.parts.push(new.clone());
        }
    }
    // Two parts that differ in one list alone are one part with both lists.
    while let Some((i, j, both)) =
        pairs(config.parts.len()).find_map(|(i, j)| Some((i, j, union(&config.parts[i], &config.parts[j])?)))
    {
        config.parts[i] = both;
        config.parts.remove(j);
    }
    let order = |p: &RunExperiment| ExperimentName::PARTS.iter().position(|e| e.name() == p.experiment);
    config.parts.sort_by_key(order);
    Ok(())
}

fn pairs(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).flat_map(move |i| (i + 1..n).map(move |j| (i, j)))
}

fn union(a: &RunExperiment, b: &RunExperiment) -> Option<RunExperiment> {
    fn all<T: PartialEq + Clone + Ord>(a: &[T], b: &[T]) -> Vec<T> {
        let mut out = [a, b].concat();
        out.sort();
        out.dedup();
        out
    }
    let both = RunExperiment {
        protocols: all(&a.protocols, &b.protocols),
        systems: all(&a.systems, &b.systems),
        seeds: a.seeds.as_ref().zip(b.seeds.as_ref()).map(|(a, b)| all(a, b)),
        training_seeds: a.training_seeds.as_ref().zip(b.training_seeds.as_ref()).map(|(a, b)| all(a, b)),
        ..a.clone()
    };
    let differing =
        [a.protocols != b.protocols, a.systems != b.systems, a.seeds != b.seeds, a.training_seeds != b.training_seeds];
    let seeds_mix = a.seeds.is_some() != b.seeds.is_some() || a.training_seeds.is_some() != b.training_seeds.is_some();
    let rest = RunExperiment {
        protocols: b.protocols.clone(),
        systems: b.systems.clone(),
        seeds: b.seeds.clone(),
        training_seeds: b.training_seeds.clone(),
        ..a.clone()
    };
    let one = differing.into_iter().filter(|&d| d).count() == 1;
    (one && !seeds_mix && rest == *b).then_some(both)
}

fn same(a: &Path, b: &Path) -> bool {
    fs::canonicalize(a).ok().zip(fs::canonicalize(b).ok()).is_some_and(|(a, b)| a == b)
}

/// Takes a training's finished folds that the new folder does not have, and what was drawn from them: as hard links where that
/// is possible, since no file of a run is ever changed in place.
fn take(from: &Path, to: &Path, folds: usize) -> Result<()> {
    let failed = |path: &Path, e: io::Error| LabError::Work(format!("cannot copy {}: {e}", path.display()));
    if !from.is_dir() {
        return Ok(());
    }
    create_folder(to).map_err(|e| failed(to, e))?;
    let drawn = ["embeddings.csv", "attention.json"].map(str::to_owned);
    for name in drawn.iter().filter(|name| from.join("fold-00.json").is_file() && !to.join(name).exists()) {
        link(&from.join(name), &to.join(name))?;
    }
    for fold in 0..folds {
        // Scores last: where they are, the fold is whole.
        let scores = format!("fold-{fold:02}.json");
        let own = ["last", "best", "validated"].map(|w| format!("fold-{fold:02}.{w}.safetensors"));
        let events = tensorboard::file(fold);
        let provenance = format!("fold-{fold:02}.provenance.json");
        if !from.join(&scores).is_file() {
            continue;
        }
        if to.join(&scores).is_file() {
            if fs::read(from.join(&scores)).ok() != fs::read(to.join(&scores)).ok() {
                tracing::warn!("{} differs from the one taken before it, which stays", from.join(&scores).display());
            }
            continue;
        }
        if let Some(folder) = to.join(&events).parent() {
            create_folder(folder).map_err(|e| failed(folder, e))?;
        }
        link(&from.join(&events), &to.join(&events))?;
        for name in own.into_iter().chain([provenance, scores]) {
            link(&from.join(&name), &to.join(&name))?;
        }
        // An unfinished fold of the new folder is finished now.
        let _ = fs::remove_file(to.join(format!("fold-{fold:02}.checkpoint")));
    }
    sync_folder(to).map_err(|e| failed(to, e))
}

/// `from` as `to`, whatever was there before; nothing where there is no such file.
fn link(from: &Path, to: &Path) -> Result<()> {
    let failed = |e: io::Error| LabError::Work(format!("cannot copy {}: {e}", from.display()));
    match fs::symlink_metadata(from) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        // A hard link to a symbolic link would be one itself.
        Ok(m) if m.is_file() && fs::hard_link(from, to).is_ok() => return Ok(()),
        _ => {}
    }
    Ok(put(to, &fs::read(from).map_err(failed)?)?)
}

/// `environment.json`: those of the folder as it was, if it was there, and of the parts; of merged parts, those that they were
/// merged from.
fn environments(parts: &[&Path], dir: &RunDir) -> Result<()> {
    let mut all = Vec::new();
    for folder in std::iter::once(dir.path()).chain(parts.iter().copied()) {
        for one in Environments::read(folder)?.iter().flat_map(Environments::all) {
            if !all.contains(one) {
                all.push(one.clone());
            }
        }
    }
    Ok(Environments::Merged(all).write(dir.path())?)
}

/// `sessions.jsonl`: the lines of the folder as it was and of the parts.
fn sessions(parts: &[&Path], dir: &RunDir) -> Result<()> {
    let mut all = Vec::new();
    for folder in std::iter::once(dir.path()).chain(parts.iter().copied()) {
        for session in Session::read_all(folder)? {
            if !all.contains(&session) {
                all.push(session);
            }
        }
    }
    let lines = all.iter().map(Session::line).collect::<serrun::Result<String>>()?;
    Ok(put(&Session::file(dir.path()), lines.as_bytes())?)
}
