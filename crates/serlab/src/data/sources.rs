//! Which corpora there are, and where.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use sercorpus::{Corpus, CorpusKind, FindingKind, synth};

use super::cache;
use crate::{
    cli::Reproduce,
    config::{Configs, CorpusConfig, Origin, Overrides},
    error::{LabError, Result},
    nearest,
};

/// A corpus to run on.
pub struct Source {
    /// The corpus.
    pub corpus: Corpus,
    /// Which it is.
    pub kind: CorpusKind,
    /// Its part of the configuration.
    pub config: CorpusConfig,
    /// [found, expected] number of utterances where recordings of the corpus are missing, or there are others. Synthetic corpora
    /// are not compared.
    pub partial: Option<[usize; 2]>,
}

/// The corpora of a run.
pub struct Sources {
    /// In the order of the paper's tables.
    pub corpora: Vec<Source>,
    /// Where they come from.
    pub origin: Origin,
}

/// Finds the corpora of `kinds`: the user's; where none is configured, those that come along; with `--synthetic`, ones that are
/// written into the cache with `synthetic_seed`.
///
/// # Errors
/// A name that is no corpus or none of this run's, a folder that is not there or holds something else.
pub fn find(
    args: &Reproduce,
    configs: &Configs,
    kinds: &BTreeSet<CorpusKind>,
    synthetic_seed: u64,
    overrides: &Overrides,
) -> Result<Sources> {
    let only = args.only.iter().map(|n| kind_of(n, "--only")).collect::<Result<Vec<CorpusKind>>>()?;
    let names = |kinds: &mut dyn Iterator<Item = &CorpusKind>| kinds.map(|k| k.name()).collect::<Vec<_>>().join(", ");
    if let Some(absent) = only.iter().find(|kind| !kinds.contains(kind)) {
        let experiment = args.experiment.name();
        let there = names(&mut kinds.iter());
        return Err(LabError::Input(format!("--only {absent}: {experiment} does not run on it; it runs on {there}")));
    }
    let mut settings = BTreeMap::new();
    for &kind in kinds {
        if only.is_empty() || only.contains(&kind) {
            settings.insert(kind, CorpusConfig::load(configs, kind, overrides)?);
        }
    }
    let mut roots: BTreeMap<CorpusKind, PathBuf> =
        settings.iter().filter_map(|(kind, c)| Some((*kind, c.path.clone()?))).collect();
    if args.synthetic {
        roots.clear();
    } else {
        roots.extend(from_environment()?);
    }
    let mut given = BTreeMap::new();
    for pair in &args.data {
        let (kind, path) = pair_of(pair, "--data")?;
        if let Some(other) = given.insert(kind, path.clone()) {
            let (a, b) = (other.display(), path.display());
            return Err(LabError::Input(format!("--data names two folders of {kind}, {a} and {b}; leave one out")));
        }
        if !kinds.contains(&kind) {
            tracing::warn!("--data {pair}: {} does not run on {kind}, so it is not used", args.experiment.name());
        }
    }
    roots.extend(given);
    let configured = !roots.is_empty();
    roots.retain(|kind, _| settings.contains_key(kind));
    if configured && roots.is_empty() {
        return Err(LabError::Input(format!(
            "no folder is given for any corpus of this run, {}; give --data CORPUS=PATH",
            names(&mut settings.keys())
        )));
    }
    if let Some(absent) = only.iter().find(|kind| configured && !roots.contains_key(kind)) {
        return Err(LabError::Input(format!(
            "--only {absent}: no folder is given for it, only for {}; give --data {absent}=PATH, or leave it out",
            names(&mut roots.keys())
        )));
    }
    let origin = match (args.synthetic, configured) {
        (true, _) => Origin::Synthetic,
        (false, true) => Origin::Given,
        (false, false) => Origin::Bundled,
    };
    match origin {
        Origin::Given => {}
        Origin::Synthetic => roots = synthesise(settings.keys(), synthetic_seed, &cache::open()?)?,
        Origin::Bundled => {
            roots = bundled(args.bundled.as_deref(), settings.keys());
            if roots.is_empty() {
                return Err(LabError::Input(format!(
                    "no corpus is configured; give --data CORPUS=PATH, set SER_DATA, or try --synthetic. {}",
                    where_to_obtain(settings.keys())
                )));
            }
        }
    }
    let corpora = roots
        .into_iter()
        .map(|(kind, root)| open(kind, &root, &settings[&kind], origin != Origin::Synthetic))
        .collect::<Result<_>>()?;
    Ok(Sources { corpora, origin })
}

/// The corpora that come along.
fn bundled<'a>(folder: Option<&Path>, kinds: impl Iterator<Item = &'a CorpusKind>) -> BTreeMap<CorpusKind, PathBuf> {
    let Some(folder) = folder else { return BTreeMap::new() };
    kinds.map(|&kind| (kind, folder.join(kind.name()))).filter(|(_, root)| root.is_dir()).collect()
}

/// One sentence a corpus.
pub fn where_to_obtain<'a>(kinds: impl Iterator<Item = &'a CorpusKind>) -> String {
    kinds.map(|kind| format!("{kind}: {}.", kind.source())).collect::<Vec<_>>().join(" ")
}

/// With `told`, what is odd about the corpus is said; the synthetic ones are odd on purpose.
fn open(kind: CorpusKind, root: &Path, config: &CorpusConfig, told: bool) -> Result<Source> {
    let corpus = sercorpus::open(kind, root, &config.options).map_err(LabError::input)?;
    if told && !corpus.is_complete() {
        tracing::warn!("{kind} at {} is not the complete corpus:", root.display());
        for finding in &corpus.findings {
            tracing::warn!("  {finding}");
        }
    }
    let differs = |f: &sercorpus::Finding| matches!(f.kind, FindingKind::Missing | FindingKind::Surplus);
    let partial =
        (told && corpus.findings.iter().any(differs)).then(|| [corpus.utterances.len(), kind.expected_total()]);
    Ok(Source { corpus, kind, config: config.clone(), partial })
}

/// SER_DATA: a folder with one folder a corpus, or CORPUS=PATH,CORPUS=PATH.
fn from_environment() -> Result<Vec<(CorpusKind, PathBuf)>> {
    let Some(value) = std::env::var_os("SER_DATA").filter(|v| !v.is_empty()) else { return Ok(Vec::new()) };
    if let Some(text) = value.to_str().filter(|t| t.contains('=')) {
        let pairs = text.split(',').map(|pair| pair_of(pair, "SER_DATA")).collect::<Result<Vec<_>>>()?;
        let twice = pairs.iter().enumerate().find(|(i, (kind, _))| pairs[..*i].iter().any(|(k, _)| k == kind));
        return match twice {
            Some((_, (kind, _))) => {
                Err(LabError::Input(format!("SER_DATA names two folders of {kind}; leave one out")))
            }
            None => Ok(pairs),
        };
    }
    let root = PathBuf::from(value);
    let failed = |e: std::io::Error| LabError::Input(format!("SER_DATA={}: {e}", root.display()));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&root).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_name().to_str().and_then(|n| n.parse::<CorpusKind>().ok());
        found.extend(kind.filter(|_| entry.path().is_dir()).map(|k| (k, entry.path())));
    }
    if found.is_empty() {
        return Err(LabError::Input(format!(
            "SER_DATA={}: no folder named after a corpus (casia, emodb, emovo, iemocap, ravdess, savee) in it",
            root.display()
        )));
    }
    Ok(found)
}

fn pair_of(pair: &str, from: &str) -> Result<(CorpusKind, PathBuf)> {
    let (name, path) = pair.split_once('=').ok_or_else(|| {
        LabError::Input(format!("{from} `{pair}`: expected CORPUS=PATH, for example emodb=/data/emodb"))
    })?;
    Ok((kind_of(name, from)?, PathBuf::from(path.trim())))
}

fn kind_of(name: &str, from: &str) -> Result<CorpusKind> {
    let hint = || nearest::hint(name.trim(), CorpusKind::ALL.map(CorpusKind::name));
    name.trim().parse().map_err(|e| LabError::Input(format!("{from}: {e}{}", hint())))
}

fn synthesise<'a>(
    kinds: impl Iterator<Item = &'a CorpusKind>,
    seed: u64,
    cache: &Path,
) -> Result<BTreeMap<CorpusKind, PathBuf>> {
    let options = synth::SynthOptions { seed, ..synth::SynthOptions::small() };
    let mut roots = BTreeMap::new();
    for &kind in kinds {
        let root = cache.join(format!("synthetic-{seed}/{kind}"));
        // A folder of that name is whole: it appears only when it is complete.
        if !root.is_dir() {
            let written = synth::write(kind, &root, &options).map_err(LabError::work);
            // Another process may have been faster; what it wrote is the same.
            if !root.is_dir() {
                written?;
            }
        }
        roots.insert(kind, root);
    }
    Ok(roots)
}
