//! `merge`: run folders joined into one.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use sercorpus::CorpusKind;
use serde_json::Value as Json;
use toml::Value;

use crate::{
    cli::{Experiment, Merge},
    config,
    error::{LabError, Result},
    fold_file::put,
    plan::Plan,
    published::Published,
    reproduce,
    roster::Roster,
    run_config::{Part, RunConfig, difference},
    run_dir::{self, RunDir},
    tables,
};

/// Joins the folders and makes the tables from what is there.
///
/// # Errors
/// Folders that do not fit together, by the first key in which they differ.
pub fn run(args: &Merge) -> Result<()> {
    let published: Published = config::read(&args.configs.join("published.toml"))?;
    let mut config = run_dir::config(&args.parts[0])?;
    for folder in &args.parts[1..] {
        let other = run_dir::config(folder)?;
        join(&mut config, &other).map_err(|why| {
            LabError::Input(format!("{} does not fit {}: {why}", folder.display(), args.parts[0].display()))
        })?;
    }
    let rosters = config.corpora.keys().map(|&kind| roster(&args.parts, kind)).collect::<Result<Vec<_>>>()?;
    let plan = Plan::of(&config, rosters)?;
    let dir = RunDir::open(&args.output, &config, None)?;
    for training in &plan.trainings {
        for part in args.parts.iter().filter(|p| !same(p, &args.output)) {
            take(&part.join(training.name()), &args.output.join(training.name()))?;
        }
    }
    environments(&args.parts, &dir)?;
    tables::rosters(&dir, &plan)?;
    let metrics = tables::write(&dir, &config, &plan, &published)?;
    reproduce::show(&metrics, args.json)?;
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
    let value = |v: std::result::Result<Value, toml::ser::Error>| v.map_err(|e| e.to_string());
    // Everything but the experiments has to be the same.
    let rest = |run: &RunConfig| RunConfig { parts: Vec::new(), ..run.clone() };
    if let Some(key) = rest(config).difference(&rest(other)).map_err(|e| e.to_string())? {
        return Err(key);
    }
    for new in &other.parts {
        if let Some(known) = config.parts.iter().find(|p| p.experiment == new.experiment) {
            let plain = |p: &Part| {
                value(Value::try_from(Part { protocols: vec![], variants: vec![], seeds: None, ..p.clone() }))
            };
            if let Some(key) = difference(&plain(known)?, &plain(new)?) {
                return Err(key);
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
    let order = |p: &Part| Experiment::PARTS.iter().position(|e| e.name() == p.experiment);
    config.parts.sort_by_key(order);
    Ok(())
}

fn pairs(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).flat_map(move |i| (i + 1..n).map(move |j| (i, j)))
}

fn union(a: &Part, b: &Part) -> Option<Part> {
    fn all<T: PartialEq + Clone + Ord>(a: &[T], b: &[T]) -> Vec<T> {
        let mut out = [a, b].concat();
        out.sort();
        out.dedup();
        out
    }
    let both = Part {
        protocols: all(&a.protocols, &b.protocols),
        variants: all(&a.variants, &b.variants),
        seeds: a.seeds.as_ref().zip(b.seeds.as_ref()).map(|(a, b)| all(a, b)),
        ..a.clone()
    };
    let differing = [a.protocols != b.protocols, a.variants != b.variants, a.seeds != b.seeds];
    let seeds_mix = a.seeds.is_some() != b.seeds.is_some();
    let rest =
        Part { protocols: b.protocols.clone(), variants: b.variants.clone(), seeds: b.seeds.clone(), ..a.clone() };
    let one = differing.into_iter().filter(|&d| d).count() == 1;
    (one && !seeds_mix && rest == *b).then_some(both)
}

/// The utterances of a corpus, which have to be the same in all folders that name them.
fn roster(parts: &[PathBuf], kind: CorpusKind) -> Result<Roster> {
    // Equal hashes of features (see `join`) are equal ids and recordings; the first folder that has the file will do.
    let mut found = parts.iter().map(|part| Roster::read(part, kind));
    let first = found.next().unwrap_or_else(|| Err(LabError::Input("no folder".into())));
    first.or_else(|e| found.find_map(Result::ok).ok_or(e))
}

fn same(a: &Path, b: &Path) -> bool {
    fs::canonicalize(a).ok().zip(fs::canonicalize(b).ok()).is_some_and(|(a, b)| a == b)
}

/// Takes a training's finished folds, and what was drawn from them, into the new folder: as hard links where that
/// is possible, since no file of a run is ever changed in place.
fn take(from: &Path, to: &Path) -> Result<()> {
    let failed = |path: &Path, e: io::Error| LabError::Work(format!("cannot copy {}: {e}", path.display()));
    if !from.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(to).map_err(|e| failed(to, e))?;
    let mut names: Vec<String> = Vec::new();
    for entry in fs::read_dir(from).map_err(|e| failed(from, e))? {
        names.push(entry.map_err(|e| failed(from, e))?.file_name().to_string_lossy().into_owned());
    }
    // Scores last: where they are, the fold is whole.
    names.sort_by_key(|name| (name.ends_with(".json") && name.starts_with("fold-"), name.clone()));
    for name in names {
        let (from, to) = (from.join(&name), to.join(&name));
        let fold = name.split('.').next().unwrap_or_default();
        let finished = from.with_file_name(format!("{fold}.json")).is_file();
        let wanted = match name.strip_prefix("fold-") {
            Some(_) => finished && !name.ends_with(".checkpoint"),
            None => name.starts_with("events.out.") || name == "embeddings.csv" || name == "attention.json",
        };
        if !wanted {
            continue;
        }
        if !to.exists() {
            fs::hard_link(&from, &to).or_else(|_| {
                let bytes = fs::read(&from).map_err(|e| failed(&from, e))?;
                put(&to, &bytes)
            })?;
        } else if name.ends_with(".json") && fs::read(&from).ok() != fs::read(&to).ok() {
            tracing::warn!("{} differs from the one taken before it, which stays", from.display());
        }
    }
    Ok(())
}

/// `environment.json`: those of the parts.
fn environments(parts: &[PathBuf], dir: &RunDir) -> Result<()> {
    let read = |part: &PathBuf| serde_json::from_slice::<Json>(&fs::read(part.join("environment.json")).ok()?).ok();
    let parts: Vec<Json> = parts.iter().filter_map(read).collect();
    dir.json("environment.json", &serde_json::json!({ "version": 1, "merged_from": parts }))
}
