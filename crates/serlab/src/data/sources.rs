//! Which corpora there are, and where.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use sercorpus::{Corpus, CorpusKind, CorpusName, FindingKind, LabelMap, OwnOptions, synth};
use sermfcc::FrontEnd;

use serrun::{FeatureKind, FeatureSettings};

use super::{
    arrays::{self, Wanted},
    cache,
    features::Size,
    matrices::{Matrices, length_for},
};
use crate::{
    cli::Reproduce,
    config::{Configs, CorpusConfig, FrontEndChoice, Origin, Overrides},
    error::{LabError, Result},
    nearest,
};

/// A chosen length is a multiple of it, in samples.
const STEP: usize = 1000;
/// Letters in which a misspelt corpus differs from its name.
const MISSPELT: usize = 2;

/// A corpus to run on.
pub struct Source {
    /// The corpus.
    pub corpus: Corpus,
    /// Its name.
    pub name: CorpusName,
    /// Its part of the configuration.
    pub config: CorpusConfig,
    /// Size of the features after padding or cropping about the centre.
    pub size: Size,
    /// The features that another program made, where the run is on those.
    pub files: Option<Matrices>,
    /// [found, expected] number of utterances where recordings of the corpus are missing, or there are others. Synthetic corpora
    /// are not compared.
    pub partial: Option<[usize; 2]>,
}

/// The corpora of a run.
pub struct Sources {
    /// In the order of the paper's tables, then those of one's own by name.
    pub corpora: Vec<Source>,
    /// Where they come from.
    pub origin: Origin,
    /// Theirs, of all of them.
    pub front_end: FrontEnd,
}

/// The folders that the command line and SER_DATA name.
pub struct Given(BTreeMap<CorpusName, PathBuf>);

impl Given {
    /// Of a command line; what it names comes before what SER_DATA names.
    ///
    /// # Errors
    /// What is no CORPUS=PATH, a name that cannot be a corpus', a corpus named twice, a misspelt corpus.
    pub fn of(args: &Reproduce) -> Result<Self> {
        let mut roots = if args.synthetic { BTreeMap::new() } else { from_environment()? };
        let pairs = args.data.iter().map(|pair| pair_of(pair, "--data")).collect::<Result<Vec<_>>>()?;
        roots.extend(once(pairs, "--data")?);
        Ok(Self(roots))
    }

    /// The corpora of one's own.
    pub fn own(&self) -> Vec<CorpusName> {
        self.0.keys().filter(|name| name.kind().is_none()).cloned().collect()
    }
}

/// Finds the corpora of `names`: the user's; where none is configured, those that come along; with `--synthetic`, ones that are
/// written into the cache with `synthetic_seed`.
///
/// # Errors
/// A name that is none of this run's corpora, a folder that is not there or holds something else.
pub fn find(
    args: &Reproduce,
    configs: &Configs,
    given: Given,
    names: &BTreeSet<CorpusName>,
    synthetic_seed: u64,
    (front_end, features): (&FrontEndChoice, &FeatureSettings),
    overrides: &Overrides,
) -> Result<Sources> {
    let only = args.only.iter().map(|n| name_of(n, "--only")).collect::<Result<Vec<CorpusName>>>()?;
    let list = |names: &mut dyn Iterator<Item = &CorpusName>| names.map(|n| n.as_str()).collect::<Vec<_>>().join(", ");
    let experiment = args.experiment.name();
    if let Some(absent) = only.iter().find(|name| !names.contains(name)) {
        let hint = nearest::hint(absent.as_str(), names.iter().map(CorpusName::as_str));
        let there = list(&mut names.iter());
        return Err(LabError::Input(format!(
            "--only {absent}{hint}: {experiment} does not run on it; it runs on {there}"
        )));
    }
    let mut settings = BTreeMap::new();
    for name in names.iter().filter(|name| only.is_empty() || only.contains(name)) {
        settings.insert(name.clone(), CorpusConfig::load(configs, name, overrides)?);
    }
    for name in given.0.keys().filter(|name| !names.contains(name)) {
        tracing::warn!("{experiment} does not run on {name}, so its folder is not used");
    }
    let mut roots: BTreeMap<CorpusName, PathBuf> = match args.synthetic {
        true => BTreeMap::new(),
        false => settings.iter().filter_map(|(name, c)| Some((name.clone(), c.path.clone()?))).collect(),
    };
    roots.extend(given.0);
    let configured = !roots.is_empty();
    let all = list(&mut roots.keys());
    roots.retain(|name, _| settings.contains_key(name));
    if configured && roots.is_empty() {
        return Err(LabError::Input(format!(
            "no folder is given for any corpus of this run, {}, only for {all}; give --data CORPUS=PATH",
            list(&mut settings.keys())
        )));
    }
    if let Some(absent) = only.iter().find(|name| configured && !roots.contains_key(name)) {
        return Err(LabError::Input(format!(
            "--only {absent}: no folder is given for it, only for {}; give --data {absent}=PATH, or leave it out",
            list(&mut roots.keys())
        )));
    }
    let origin = match (args.synthetic, configured) {
        (true, _) => Origin::Synthetic,
        (false, true) => Origin::Given,
        (false, false) => Origin::Bundled,
    };
    let known = || settings.keys().filter_map(CorpusName::kind);
    match origin {
        Origin::Given => {}
        Origin::Synthetic => roots = synthesise(known(), synthetic_seed, &cache::open()?)?,
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
    let front_end = front_end_of(front_end, roots.keys().map(|name| (name, &settings[name])))?;
    let open = |(name, root): (CorpusName, PathBuf)| {
        let config = settings[&name].clone();
        let mut source = match name.kind() {
            Some(kind) => open_known(name, kind, &root, config, origin != Origin::Synthetic)?,
            None => open_own(name, &root, config, &front_end, features.kind)?,
        };
        if features.kind == FeatureKind::Files {
            let (matrices, frames) = read_files(&source, &root)?;
            (source.size, source.files) = (Size::Given([frames, matrices.coefficients]), Some(matrices));
        }
        Ok(source)
    };
    let corpora = roots.into_iter().map(open).collect::<Result<_>>()?;
    Ok(Sources { corpora, origin, front_end })
}

/// The front end of an experiment with what the corpora's files have over it, which has to be the same for all: a run has one.
fn front_end_of<'a>(
    experiment: &FrontEndChoice,
    corpora: impl Iterator<Item = (&'a CorpusName, &'a CorpusConfig)>,
) -> Result<FrontEnd> {
    let mut first: Option<(&CorpusName, FrontEnd)> = None;
    for (name, config) in corpora {
        let own = experiment.with(&config.front_end).resolve().map_err(|e| LabError::Input(format!("{name}: {e}")))?;
        match &first {
            None => first = Some((name, own)),
            Some((other, there)) => {
                if let Some(d) = there.differences(&own).into_iter().next() {
                    return Err(LabError::Input(format!(
                        "`front_end.{}` is {} for {other} and {} for {name}: one run has one front end; run them apart (--only), or set it in the \
                         experiment's file",
                        d.key, d.a, d.b
                    )));
                }
            }
        }
    }
    first.map_or_else(|| experiment.resolve(), |(_, front_end)| Ok(front_end))
}

/// The corpora that come along.
fn bundled<'a>(folder: Option<&Path>, names: impl Iterator<Item = &'a CorpusName>) -> BTreeMap<CorpusName, PathBuf> {
    let Some(folder) = folder else { return BTreeMap::new() };
    names.map(|name| (name.clone(), folder.join(name.as_str()))).filter(|(_, root)| root.is_dir()).collect()
}

/// One sentence a known corpus.
pub fn where_to_obtain<'a>(names: impl Iterator<Item = &'a CorpusName>) -> String {
    names.filter_map(|name| Some(format!("{name}: {}.", name.kind()?.source()))).collect::<Vec<_>>().join(" ")
}

/// With `told`, what is odd about the corpus is said; the synthetic ones are odd on purpose.
fn open_known(name: CorpusName, kind: CorpusKind, root: &Path, config: CorpusConfig, told: bool) -> Result<Source> {
    let corpus = sercorpus::open(kind, root, &config.options).map_err(LabError::input)?;
    if told && !corpus.is_complete() {
        tracing::warn!("{name} at {} is not the complete corpus:", root.display());
        for finding in &corpus.findings {
            tracing::warn!("  {finding}");
        }
    }
    let differs = |f: &sercorpus::Finding| matches!(f.kind, FindingKind::Missing | FindingKind::Surplus);
    let partial =
        (told && corpus.findings.iter().any(differs)).then(|| [corpus.utterances.len(), kind.expected_total()]);
    let length = config.length.unwrap_or_else(|| kind.length_samples());
    Ok(Source { corpus, name, config, size: Size::Samples(length), files: None, partial })
}

/// The features of a corpus that another program made, and their number of frames.
fn read_files(source: &Source, root: &Path) -> Result<(Matrices, usize)> {
    let name = &source.name;
    let Some(path) = &source.config.features else {
        return Err(LabError::Input(format!(
            "{name}: the features are files, and none are given for it; give --set corpora.{name}.features=PATH: a folder of .npy files, or one file"
        )));
    };
    let wanted: Vec<Wanted> = source
        .corpus
        .utterances
        .iter()
        .map(|u| Wanted { id: &u.id, relative: u.path.strip_prefix(root).ok() })
        .collect();
    let matrices = arrays::read(path, &wanted)?;
    let frames = source.config.frames.unwrap_or_else(|| {
        let frames = length_for(matrices.frames(), 1);
        let (held, n) = (matrices.frames().filter(|f| *f <= frames).count(), matrices.each.len());
        tracing::info!(
            "{name}: {frames} frames of {} coefficients, which holds {held} of {n} utterances whole; --set corpora.{name}.frames=N sets another \
             number",
            matrices.coefficients
        );
        frames
    });
    Ok((matrices, frames))
}

/// A folder of label folders, or a manifest. Its length is chosen from the recordings where its file does not say.
fn open_own(
    name: CorpusName,
    root: &Path,
    config: CorpusConfig,
    front_end: &FrontEnd,
    kind: FeatureKind,
) -> Result<Source> {
    let labels = config.label_map.as_deref().map(LabelMap::read).transpose().map_err(LabError::input)?;
    let own = OwnOptions { name: Some(name.to_string()), labels, ..OwnOptions::default() };
    let corpus = sercorpus::open_any(root, None, &config.options, &own).map_err(LabError::input)?;
    for finding in corpus.findings.iter().filter(|f| f.is_told()) {
        tracing::warn!("{name}: {finding}");
    }
    if corpus.labels.len() < 2 {
        let found = corpus.labels.join(", ");
        return Err(LabError::Input(format!(
            "{name}: {}: a corpus needs at least two classes, it has {found}",
            root.display()
        )));
    }
    if corpus.is_split() {
        tracing::warn!("{name}: its column `split` is used by the division `split` alone (--division split)");
    }
    let length = match config.length {
        Some(length) => length,
        // The number of frames counts there.
        None if kind == FeatureKind::Files => 0,
        None => chosen_length(&name, &corpus, front_end)?,
    };
    Ok(Source { corpus, name, config, size: Size::Samples(length), files: None, partial: None })
}

/// The smallest multiple of [`STEP`] samples that holds 95 % of the utterances whole.
fn chosen_length(name: &CorpusName, corpus: &Corpus, front_end: &FrontEnd) -> Result<usize> {
    let infos = sercorpus::probe_all(corpus, &|_, _| {});
    let mut lengths = Vec::with_capacity(infos.len());
    for (utterance, info) in corpus.utterances.iter().zip(infos) {
        let whole = info.and_then(|info| info.seconds()).ok_or_else(|| {
            LabError::Input(format!(
                "{}: its duration cannot be read; mend or leave out the recording, or give the corpus' length: --set \
                 corpora.{name}.length=SAMPLES",
                utterance.path.display()
            ))
        })?;
        let seconds = utterance.end.map_or(whole, |end| end.min(whole)) - utterance.start.unwrap_or(0.0);
        lengths.push((seconds.max(0.0) * f64::from(front_end.sample_rate)).ceil() as usize);
    }
    let (length, n) = (length_for(lengths.iter().copied(), STEP), lengths.len());
    let held = lengths.iter().filter(|l| **l <= length).count();
    tracing::info!(
        "{name}: length {length} samples at {} Hz ({:.2} s), which holds {held} of {n} utterances whole; --set corpora.{name}.length=SAMPLES sets \
         another",
        front_end.sample_rate,
        length as f64 / f64::from(front_end.sample_rate)
    );
    Ok(length)
}

/// SER_DATA: a folder with one folder a corpus, or CORPUS=PATH,CORPUS=PATH.
fn from_environment() -> Result<BTreeMap<CorpusName, PathBuf>> {
    let Some(value) = std::env::var_os("SER_DATA").filter(|v| !v.is_empty()) else { return Ok(BTreeMap::new()) };
    if let Some(text) = value.to_str().filter(|t| t.contains('=')) {
        let pairs = text.split(',').map(|pair| pair_of(pair, "SER_DATA")).collect::<Result<Vec<_>>>()?;
        return once(pairs, "SER_DATA");
    }
    let root = PathBuf::from(value);
    let failed = |e: std::io::Error| LabError::Input(format!("SER_DATA={}: {e}", root.display()));
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(&root).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_name().to_str().and_then(|n| n.parse::<CorpusKind>().ok());
        found.extend(kind.filter(|_| entry.path().is_dir()).map(|k| (k.into(), entry.path())));
    }
    if found.is_empty() {
        return Err(LabError::Input(format!(
            "SER_DATA={}: no folder named after a corpus (casia, emodb, emovo, iemocap, ravdess, savee) in it",
            root.display()
        )));
    }
    Ok(found)
}

fn once(pairs: Vec<(CorpusName, PathBuf)>, from: &str) -> Result<BTreeMap<CorpusName, PathBuf>> {
    let mut out = BTreeMap::new();
    for (name, path) in pairs {
        if let Some(other) = out.insert(name.clone(), path.clone()) {
            let (a, b) = (other.display(), path.display());
            return Err(LabError::Input(format!("{from} names two folders of {name}, {a} and {b}; leave one out")));
        }
    }
    Ok(out)
}

fn pair_of(pair: &str, from: &str) -> Result<(CorpusName, PathBuf)> {
    let (name, path) = pair.split_once('=').ok_or_else(|| {
        LabError::Input(format!("{from} `{pair}`: expected CORPUS=PATH, for example emodb=/data/emodb"))
    })?;
    let (name, path) = (name_of(name, from)?, PathBuf::from(path.trim()));
    let near = |kind: &CorpusKind| nearest::distance(name.as_str(), kind.name()) <= MISSPELT;
    if name.kind().is_none()
        && let Some(meant) = CorpusKind::ALL.iter().find(|kind| near(kind))
        && sercorpus::detect(&path).is_ok_and(|found| found == *meant)
    {
        return Err(LabError::Input(format!(
            "{from} {pair}: {} holds {meant}, and `{name}` looks like a misspelt `{meant}`; say {meant}={}, or take a name that is further \
             away",
            path.display(),
            path.display()
        )));
    }
    Ok((name, path))
}

fn name_of(name: &str, from: &str) -> Result<CorpusName> {
    name.trim().parse().map_err(|e| LabError::Input(format!("{from}: {e}")))
}

fn synthesise(
    kinds: impl Iterator<Item = CorpusKind>,
    seed: u64,
    cache: &Path,
) -> Result<BTreeMap<CorpusName, PathBuf>> {
    let options = synth::SynthOptions { seed, ..synth::SynthOptions::small() };
    let mut roots = BTreeMap::new();
    for kind in kinds {
        let root = cache.join(format!("synthetic-{seed}/{kind}"));
        // A folder of that name is whole: it appears only when it is complete.
        if !root.is_dir() {
            let written = synth::write(kind, &root, &options).map_err(LabError::work);
            // Another process may have been faster; what it wrote is the same.
            if !root.is_dir() {
                written?;
            }
        }
        roots.insert(kind.into(), root);
    }
    Ok(roots)
}
