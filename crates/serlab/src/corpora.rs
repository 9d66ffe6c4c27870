//! Which corpora there are, and where.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use sercorpus::{Corpus, CorpusKind, synth};

use crate::{
    cli::Reproduce,
    config::CorpusConfig,
    error::{LabError, Result},
    overrides::Overrides,
};

/// A corpus to run on.
pub struct Source {
    /// The corpus.
    pub corpus: Corpus,
    /// Which it is.
    pub kind: CorpusKind,
    /// Its part of the configuration.
    pub config: CorpusConfig,
}

/// The corpora of a run.
pub struct Sources {
    /// In the order of the paper's tables.
    pub corpora: Vec<Source>,
    /// Whether they are the synthetic stand-in.
    pub synthetic: bool,
}

/// Finds the corpora of `kinds`, or writes synthetic ones of `synthetic_seed` below `cache` where none is configured.
///
/// # Errors
/// A name that is no corpus, a folder that is not there or holds something else.
pub fn find(
    args: &Reproduce,
    kinds: &BTreeSet<CorpusKind>,
    synthetic_seed: u64,
    overrides: &Overrides,
    cache: &Path,
) -> Result<Sources> {
    let only = args.only.iter().map(|n| n.parse().map_err(LabError::input)).collect::<Result<Vec<CorpusKind>>>()?;
    let mut configs = BTreeMap::new();
    for &kind in kinds {
        if only.is_empty() || only.contains(&kind) {
            configs.insert(kind, CorpusConfig::load(&args.configs, kind, overrides)?);
        }
    }
    if configs.is_empty() {
        return Err(LabError::Input("no corpus is left after --only".into()));
    }
    let mut roots: BTreeMap<CorpusKind, PathBuf> =
        configs.iter().filter_map(|(kind, c)| Some((*kind, c.path.clone()?))).collect();
    roots.extend(from_environment()?);
    for pair in &args.data {
        let (kind, path) = pair_of(pair, "--data")?;
        roots.insert(kind, path);
    }
    let configured = !roots.is_empty();
    roots.retain(|kind, _| configs.contains_key(kind));
    if configured && roots.is_empty() {
        return Err(LabError::Input("none of the configured corpora is in this experiment (see --only)".into()));
    }
    if !configured {
        roots = synthesise(configs.keys(), synthetic_seed, cache)?;
    }
    let corpora =
        roots.into_iter().map(|(kind, root)| open(kind, &root, &configs[&kind], configured)).collect::<Result<_>>()?;
    Ok(Sources { corpora, synthetic: !configured })
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
    Ok(Source { corpus, kind, config: config.clone() })
}

/// SER_DATA: a folder with one folder a corpus, or CORPUS=PATH,CORPUS=PATH.
fn from_environment() -> Result<Vec<(CorpusKind, PathBuf)>> {
    let Some(value) = std::env::var_os("SER_DATA").filter(|v| !v.is_empty()) else { return Ok(Vec::new()) };
    if let Some(text) = value.to_str().filter(|t| t.contains('=')) {
        return text.split(',').map(|pair| pair_of(pair, "SER_DATA")).collect();
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
    Ok((name.trim().parse().map_err(LabError::input)?, PathBuf::from(path.trim())))
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
