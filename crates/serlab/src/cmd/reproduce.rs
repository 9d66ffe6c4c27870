//! `reproduce`: from the command line to the table.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use sercorpus::{CorpusName, split::Fold};
use serengine::EngineFacts;
use sermfcc::FrontEnd;
use serrun::{
    Environments, FeatureKind, FeatureSettings, FoldsBy, Maker, OwnFeatures, RunCorpus, RunEngine, RunSystem, Session,
    Split, System,
};

use super::{emit, store};
use crate::{
    backend::Backend,
    cli::{self, Reproduce},
    config::{
        Configs, Experiment, Origin, Overrides, OwnFrontEnd, Published, RunConfig, RunExperiment, SystemConfig,
        TrainingSettings,
    },
    data::{
        Roster, Size, Sources, cache, features, folds,
        sources::{self, Given},
    },
    error::{LabError, Result},
    estimate,
    folder::{self, RunDir},
    machine,
    plan::{Material, Plan},
    shard,
    show::{print, show, tables},
    systems::published_epochs,
    workers::Work,
};

/// Runs the experiment.
///
/// # Errors
/// See [`LabError`].
pub fn run(args: &Reproduce, stop: &AtomicBool) -> Result<()> {
    let start = Instant::now();
    let shard = shard(args)?;
    let configs = Configs::of(args.configs.as_deref())?;
    let published: Published = configs.read("published.toml")?;
    let backend = Backend::choose(args.engine, &args.device)?;
    let mut setting = Setting::of(args, &configs, published.setting.training.epochs)?;
    let facts = backend.facts();
    let jobs = args.jobs.map_or_else(machine::cores, |n| n as usize);
    if args.dry_run || args.emit.is_some() {
        let config = setting.run_config(backend, &facts, &BTreeMap::new(), &BTreeMap::new())?;
        let plan = Plan::of(&config, setting.rosters())?;
        return match args.emit {
            Some(emit) => {
                let text = |word: std::ffi::OsString| {
                    word.into_string().map_err(|w| LabError::Input(format!("{}: --emit wants UTF-8", w.display())))
                };
                let words = std::env::args_os().skip(1).map(text).collect::<Result<Vec<String>>>()?;
                print(emit::job(args, emit, &words, plan.places().len())?.trim_end())
            }
            None => {
                let estimate = estimate::of(&plan, &config, backend, jobs, args.run_dir.as_deref())?;
                print(&format!("{}{}", estimate.trainings, estimate.total))
            }
        };
    }
    let folder = cache::open()?.join("features");
    let mut cache = features::Cache::new(&setting.front_end, &setting.features, folder, stop);
    let mut features = Vec::new();
    for source in &mut setting.sources.corpora {
        let roster = Roster::of(&source.name, &source.corpus);
        features.push(cache.corpus(&roster, source.files.take(), source.size)?);
    }
    let hashes = setting.sources.corpora.iter().zip(&features).map(|(s, f)| (s.name.clone(), f.hash.clone())).collect();
    // Systems with a front end of their own, in the order of the plan's materials.
    let mut own_hashes = BTreeMap::new();
    let own_front_ends = setting.own_front_ends()?;
    let own_caches: BTreeMap<&System, features::Cache> =
        own_front_ends.iter().map(|(system, own)| (system, cache.with(&own.front_end, &own.settings))).collect();
    for (system, own) in &own_front_ends {
        for source in &setting.sources.corpora {
            let roster = Roster::of(&source.name, &source.corpus);
            let all = [(source.name.clone(), 0..roster.rows.len())];
            let made = own_caches[system].features(&roster, &all, Size::Samples(own.length(&source.name)))?;
            own_hashes.insert((system.clone(), source.name.clone()), made.hash.clone());
            features.push(made);
        }
    }
    let config = setting.run_config(backend, &facts, &hashes, &own_hashes)?;
    let plan = Plan::of(&config, setting.rosters())?;
    for material in &plan.materials[features.len()..] {
        let name = &material.roster.name;
        features.push(match material.front_end_of.as_ref().and_then(|system| own_front_ends.get_key_value(system)) {
            Some((system, own)) => {
                let size = Size::Samples(own.length(name));
                own_caches[system].features(&material.roster, &material.ranges(), size)?
            }
            None => {
                let size = setting.sources.corpora.iter().find(|s| s.name == *name).map(|s| s.size);
                let size = size.ok_or_else(|| LabError::Work(format!("no features of {name}")))?;
                cache.features(&material.roster, &material.ranges(), size)?
            }
        });
    }
    let text = config.to_toml()?;
    let name = format!("runs/{}-{}", config.name(), &blake3::hash(text.as_bytes()).to_hex()[..12]);
    let path = args.run_dir.clone().unwrap_or_else(|| PathBuf::from(name));
    let dir = RunDir::open(&path, &config, &plan, shard)?;
    let maker = folder::maker(facts);
    if !Environments::file(&path).exists() {
        Environments::One(Box::new(folder::environment(&maker, &setting.sources, jobs))).write(&path)?;
    }
    tables::rosters(&dir, &plan)?;
    tracing::info!("run folder {}", path.display());
    let estimate = estimate::of(&plan, &config, backend, jobs, Some(&path))?;
    if estimate.unfinished > 0 {
        tracing::info!("{}", estimate.total);
    }
    let hop = |front_end: &FrontEnd| front_end.hop_length as f64 / f64::from(front_end.sample_rate);
    let own = |material: &Material| own_front_ends.get(material.front_end_of.as_ref()?).map(|own| &own.front_end);
    let hop_seconds: Vec<f64> = plan.materials.iter().map(|m| hop(own(m).unwrap_or(&setting.front_end))).collect();
    let checkpoint_every = args.checkpoint_every.into();
    let store = store::open(args.store.as_deref())?;
    let work = Work {
        plan: &plan,
        features: &features,
        hop_seconds: &hop_seconds,
        backend,
        dir: dir.path(),
        store: &store,
        shard,
        checkpoint_every,
        epochs: AtomicU64::new(0),
        stop,
    };
    let done = work.run(jobs);
    // A call that finds all folds finished adds nothing to what the run says of itself.
    if work.epochs.load(Ordering::Relaxed) > 0
        && let Err(e) = log_session(dir.path(), start, shard, &maker, done.is_ok())
    {
        tracing::warn!("{e}");
    }
    done?;
    let (finished, all) = tables::finished(dir.path(), &plan);
    if let Some(shard) = shard.filter(|_| finished < all) {
        return print(&format!(
            "part {shard} is done; {finished} of {all} folds are in {}. The part that ends last makes the tables, or \
             `merge` does where each has its own folder.",
            path.display()
        ));
    }
    tables::provenance(dir.path(), &plan)?;
    let metrics = tables::write(&dir, &config, &plan, &published)?;
    show(&metrics, args.json)?;
    tracing::info!("{} in this call; run folder {}", sercli::duration(start.elapsed().as_secs_f64()), path.display());
    if let Some(preview) = &setting.preview {
        tracing::info!("{preview}");
    }
    Ok(())
}

/// Which part of the folds is this process'. A job that is only planned or written has none yet.
fn shard(args: &Reproduce) -> Result<Option<shard::Part>> {
    let variable = |name: &str| std::env::var(name).ok();
    let scheduled = ["SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"].into_iter().find(|name| variable(name).is_some());
    match (args.shard, scheduled) {
        _ if args.dry_run || args.emit.is_some() => Ok(None),
        (Some(shard), _) => shard.part(&variable).map(Some),
        (None, scheduled) => {
            if let Some(name) = scheduled {
                tracing::warn!("{name} is set, but every task trains all folds without --shard auto");
            }
            Ok(None)
        }
    }
}

/// What is to be run on what, before anything is computed.
struct Setting {
    /// With their names.
    experiments: Vec<(&'static str, Experiment)>,
    /// Systems with settings of their own.
    systems: BTreeMap<System, SystemConfig>,
    front_end: FrontEnd,
    features: FeatureSettings,
    sources: Sources,
    /// The folds that corpora bring along, of those whose folds an experiment uses.
    folds: BTreeMap<CorpusName, Vec<Fold>>,
    /// Where the run is a preview: that it is, and the command for the whole.
    preview: Option<String>,
}

impl Setting {
    fn of(args: &Reproduce, configs: &Configs, full: u32) -> Result<Self> {
        let overrides = Overrides::of(args)?;
        let given = Given::of(args)?;
        let own = given.own();
        // A corpus of one's own takes part in every experiment, after those that its file names.
        let load = |origin| -> Result<Vec<(&'static str, Experiment)>> {
            let load = |name| -> Result<(&'static str, Experiment)> {
                let mut e = Experiment::load(configs, name, &overrides, origin, args.full)?;
                let more: Vec<CorpusName> = own.iter().filter(|name| !e.corpora.contains(name)).cloned().collect();
                e.corpora.extend(more);
                Ok((name, e))
            };
            args.experiment.parts().into_iter().map(|e| load(e.name())).collect()
        };
        let mut experiments = load(Origin::Given)?;
        let set = |e: &Experiment| !e.split.is_folds() || e.division.has_folds();
        if let Some(((_, e), folds)) = experiments.iter().find(|(_, e)| !set(e)).zip(args.folds) {
            let by = e.division.name();
            return Err(LabError::Input(format!(
                "--folds {folds}: the division {by} has as many folds as the corpus gives it; leave --folds out{}",
                if e.division.has_groups() { format!(", or say --set groups={folds}") } else { String::new() }
            )));
        }
        let corpora = experiments.iter().flat_map(|(_, e)| e.corpora.iter().cloned()).collect();
        let (first_name, first) = &experiments[0];
        for (name, other) in &experiments {
            for (key, differs) in [
                ("front_end", other.front_end != first.front_end),
                ("features", other.features != first.features),
                ("synthetic.seed", other.synthetic.seed != first.synthetic.seed),
            ] {
                if differs {
                    return Err(LabError::Input(format!(
                        "`{key}` of {first_name}.toml and {name}.toml differ: one run has one of them; run these apart"
                    )));
                }
            }
        }
        let features = first.features.clone();
        let made = (&first.front_end, &features);
        let sources = sources::find(args, configs, given, &corpora, first.synthetic.seed, made, &overrides)?;
        let names: Vec<&str> = experiments.iter().map(|(name, _)| *name).collect();
        let mut systems = BTreeMap::new();
        for system in experiments.iter().flat_map(|(_, e)| &e.systems) {
            if let Some(own) = SystemConfig::load(configs, system, &overrides, sources.origin, args.full)? {
                systems.insert(system.clone(), own);
            }
        }
        let corpora: BTreeSet<CorpusName> = sources.corpora.iter().map(|s| s.name.clone()).collect();
        overrides.check(&names, &corpora, &systems.keys().collect::<Vec<_>>())?;
        match sources.origin {
            Origin::Given => {}
            Origin::Synthetic => {
                tracing::warn!("running on small SYNTHETIC corpora: the figures say nothing of real speech")
            }
            Origin::Bundled => {
                let names: Vec<&str> = sources.corpora.iter().map(|s| s.name.as_str()).collect();
                tracing::info!("no corpus is configured: running on the one that comes along, {}", names.join(", "));
            }
        }
        if sources.origin != Origin::Given {
            experiments = load(sources.origin)?;
        }
        let epochs_of = |e: &Experiment, system: &System| {
            let own = systems.get(system).map(|own: &SystemConfig| own.training.epochs);
            (own.unwrap_or(e.training.epochs), published_epochs(system, full))
        };
        let mut all = experiments.iter().flat_map(|(_, e)| e.systems.iter().map(move |system| epochs_of(e, system)));
        let fewer = all.find(|(epochs, of)| sources.origin == Origin::Bundled && epochs < of);
        let preview = fewer.map(|(epochs, of)| {
            let words: Vec<_> = std::env::args_os().skip(1).map(|w| w.to_string_lossy().into_owned()).collect();
            format!(
                "this is a preview: {epochs} of {of} epochs. All epochs, in about {} times its time: {}",
                of.div_ceil(epochs.max(1)),
                full_command(&words)
            )
        });
        for (name, e) in experiments.iter_mut().filter(|(_, e)| e.split == Split::CrossCorpus) {
            share_classes(name, e, &sources);
        }
        let count = |e: &Experiment| sources.corpora.iter().filter(|s| e.corpora.contains(&s.name)).count();
        let needs = |e: &Experiment| if e.split == Split::CrossCorpus { 2 } else { 1 };
        let all = args.experiment == cli::ExperimentName::All;
        for (name, e) in experiments.iter().filter(|(_, e)| count(e) < needs(e)) {
            let absent = e.corpora.iter().filter(|k| !sources.corpora.iter().any(|s| s.name == **k));
            let said = format!("{name} needs {} of its corpora, {} of them is there", needs(e), count(e));
            let way_out = format!("Give one more with --data CORPUS=PATH. {}", sources::where_to_obtain(absent));
            if !all {
                return Err(LabError::Input(format!("{said}. {way_out} Or try --synthetic.")));
            }
            tracing::warn!("{said}, so it is left out. {way_out}");
        }
        experiments.retain(|(_, e)| count(e) >= needs(e));
        let folds = own_folds(&experiments, &sources)?;
        Ok(Self { experiments, systems, front_end: sources.front_end.clone(), features, sources, folds, preview })
    }

    fn rosters(&self) -> Vec<Roster> {
        let folds = |name| self.folds.get(name).cloned();
        let corpora = self.sources.corpora.iter();
        corpora.map(|s| Roster { folds: folds(&s.name), ..Roster::of(&s.name, &s.corpus) }).collect()
    }

    /// With the hashes of the corpora's features.
    fn run_config(
        &self,
        backend: Backend,
        facts: &EngineFacts,
        hashes: &BTreeMap<CorpusName, String>,
        own_hashes: &BTreeMap<(System, CorpusName), String>,
    ) -> Result<RunConfig> {
        let by_texts = self.experiments.iter().any(|(_, e)| e.division.needs_texts_or_split());
        let corpora = self.sources.corpora.iter().map(|source| {
            let folds = self.folds.get(&source.name).map(|folds| folds::hash(&source.corpus, folds)).transpose()?;
            let corpus = RunCorpus {
                length: if let Size::Samples(length) = source.size { length } else { 0 },
                shape: if let Size::Given(shape) = source.size { Some(shape) } else { None },
                blocks: source.config.blocks,
                seed: source.config.seed,
                utterances: source.corpus.utterances.len(),
                partial: source.partial,
                // Those of a known corpus are known.
                classes: if source.name.kind().is_none() { source.corpus.labels.clone() } else { Vec::new() },
                folds,
                texts: by_texts.then(|| Roster::of(&source.name, &source.corpus).texts_hash()),
                features: hashes.get(&source.name).cloned().unwrap_or_default(),
            };
            Ok((source.name.clone(), corpus))
        });
        Ok(RunConfig {
            engine: facts.name.clone(),
            numerics: facts.numerics,
            device: facts.device_kind().to_owned(),
            synthetic: self.sources.origin == Origin::Synthetic,
            parts: self.experiments.iter().map(|(name, e)| self.part(name, e)).collect::<Result<_>>()?,
            features: self.features.clone(),
            front_end: (self.features.kind == FeatureKind::Mfcc).then(|| self.front_end.clone()),
            system: self
                .systems
                .iter()
                .map(|(s, own)| Ok((s.clone(), self.own(s, own, backend, facts, own_hashes)?)))
                .collect::<Result<_>>()?,
            corpora: corpora.collect::<Result<_>>()?,
        })
    }

    fn own_front_ends(&self) -> Result<BTreeMap<System, OwnFrontEnd<'_>>> {
        let mut out = BTreeMap::new();
        for (system, config) in &self.systems {
            out.extend(config.own_front_end()?.map(|own| (system.clone(), own)));
        }
        Ok(out)
    }

    fn own(
        &self,
        system: &System,
        config: &SystemConfig,
        backend: Backend,
        facts: &EngineFacts,
        hashes: &BTreeMap<(System, CorpusName), String>,
    ) -> Result<RunSystem<TrainingSettings, FrontEnd>> {
        let engine = backend.of(system)?.facts();
        let front_end = config.own_front_end()?;
        let features = |own: &OwnFrontEnd| {
            let of = |name: &CorpusName| OwnFeatures {
                length: own.length(name),
                features: hashes.get(&(system.clone(), name.clone())).cloned().unwrap_or_default(),
            };
            self.sources.corpora.iter().map(|s| (s.name.clone(), of(&s.name))).collect()
        };
        Ok(RunSystem {
            engine: (engine.name != facts.name).then_some(RunEngine { name: engine.name, numerics: engine.numerics }),
            training: config.training.clone(),
            corpora: front_end.as_ref().map(features).unwrap_or_default(),
            front_end: front_end.map(|own| own.front_end),
            prepare: config.prepare,
        })
    }

    fn part(&self, name: &str, e: &Experiment) -> Result<RunExperiment> {
        let there = |name: &&CorpusName| self.sources.corpora.iter().any(|s| s.name == **name);
        let some = if e.one_corpus { 1 } else { usize::MAX };
        let on: Vec<CorpusName> = e.corpora.iter().filter(there).take(some).cloned().collect();
        Ok(RunExperiment {
            experiment: name.to_owned(),
            protocols: e.protocols.clone(),
            systems: e.systems.clone(),
            split: e.split,
            classes: e.classes.clone(),
            on: (on.len() < self.sources.corpora.len()).then_some(on),
            folds: if e.split.is_folds() && e.division.has_folds() { e.folds } else { 0 },
            division: e.division,
            groups: e.groups,
            // Once is what an absent number means.
            repeats: e.repeats.filter(|n| *n > 1),
            seeds: e.seeds.clone(),
            training_seeds: e.training_seeds.clone(),
            training: e.training.clone(),
        })
    }
}

/// The folds of the corpora that bring some along and whose experiments use them.
fn own_folds(experiments: &[(&str, Experiment)], sources: &Sources) -> Result<BTreeMap<CorpusName, Vec<Fold>>> {
    let mut out = BTreeMap::new();
    for source in &sources.corpora {
        let name = &source.name;
        let on = || experiments.iter().filter(|(_, e)| e.corpora.contains(name));
        let Some(path) = &source.config.folds else {
            if let Some((experiment, _)) = on().find(|(_, e)| e.division == FoldsBy::File) {
                return Err(LabError::Input(format!(
                    "{experiment}.toml: `division` is file, and {name} has no file of folds; give --set corpora.{name}.folds=PATH (a CSV of id, \
                     fold, part, or a corpus' folder of EmoBox), or leave {name} out with --only"
                )));
            }
            continue;
        };
        let users: Vec<_> = on().filter(|(_, e)| e.takes_a_corpus_folds()).collect();
        let shown = path.display();
        if users.is_empty() {
            tracing::warn!(
                "{name}: the folds of {shown} are not used: the experiment divides the corpus in another way"
            );
            continue;
        }
        if let Some((experiment, _)) = users.iter().find(|(_, e)| e.repeats.is_some()) {
            return Err(LabError::Input(format!(
                "{experiment}.toml: `repeats` is for random folds, and {name} has folds of its own in {shown}; leave one of them out"
            )));
        }
        let folds = folds::read(&source.corpus, path)?;
        tracing::info!("{name}: {} folds of {shown}, in place of random ones", folds.len());
        out.insert(name.clone(), folds);
    }
    Ok(out)
}

/// The classes of a cross-corpus experiment that the corpora of one's own have as well. One that has fewer than two of them is left out.
fn share_classes(name: &str, e: &mut Experiment, sources: &Sources) {
    let before = e.classes.clone();
    for source in sources.corpora.iter().filter(|s| s.name.kind().is_none()) {
        let shared: Vec<String> = e.classes.iter().filter(|c| source.corpus.labels.contains(c)).cloned().collect();
        if shared.len() < 2 {
            tracing::warn!(
                "{name} leaves {} out: of the shared classes, {}, it has {}; its own are {}. A label_map in configs/corpora/{}.toml translates them",
                source.name,
                e.classes.join(", "),
                if shared.is_empty() { "none".to_owned() } else { shared.join(", ") + " alone" },
                source.corpus.labels.join(", "),
                source.name
            );
            e.corpora.retain(|corpus| *corpus != source.name);
        } else {
            e.classes = shared;
        }
    }
    if e.classes != before {
        tracing::info!(
            "{name}: all corpora share the classes {}, in place of {}",
            e.classes.join(", "),
            before.join(", ")
        );
    }
}

/// The words of this call as the user gives them to `cargo xtask`, for all epochs.
fn full_command(words: &[String]) -> String {
    let mut given = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            // What `cargo xtask` adds.
            "--bundled" | "--configs" => drop(words.next()),
            "--epochs" => drop(words.next()),
            other if other.starts_with("--epochs=") => {}
            other => given.push(other),
        }
    }
    format!("cargo xtask {} --full", given.join(" "))
}

/// One line for each call that trained, in `sessions.jsonl`: where it ran, how long and on how much CPU time, both from its start
/// on, the computing of features included.
fn log_session(dir: &Path, start: Instant, shard: Option<shard::Part>, maker: &Maker, finished: bool) -> Result<()> {
    let session = Session {
        ended_unix: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs()),
        wall_seconds: start.elapsed().as_secs_f64(),
        cpu_seconds: machine::cpu_seconds(),
        shard: shard.map(|s| s.to_string()),
        finished,
        command: cli::words(),
        by: maker.clone(),
    };
    Ok(session.append(dir)?)
}
