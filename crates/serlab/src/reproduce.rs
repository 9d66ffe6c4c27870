//! `reproduce`: from the command line to the table.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::Write,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use sercorpus::CorpusKind;
use serde::Serialize;
use sermfcc::FrontEnd;
use sertrain::Protocol;
use timnet::{
    Variant,
    tch::{self, Device},
};

use crate::{
    cli::{EngineKind, Reproduce},
    config::{self, CorpusConfig, Experiment},
    corpora::{self, Sources},
    environment::{self, Environment},
    error::{LabError, Result},
    features::{self, Features},
    fold_file::FoldFile,
    plan::{self, Training},
    results::{self, Metrics, Published},
    run_dir::RunDir,
    table,
    workers::{Backend, Work},
};

/// Features and synthetic corpora live here, below the working folder.
const CACHE: &str = ".cache";

/// Runs the experiment.
///
/// # Errors
/// See [`LabError`].
pub fn run(args: &Reproduce, stop: &AtomicBool) -> Result<()> {
    let mut experiment: Experiment = config::read(&args.configs.join(format!("{}.toml", args.experiment.name())))?;
    let published: Published = config::read(&args.configs.join("published.toml"))?;
    override_with(&mut experiment, args);
    experiment.validate()?;
    let (engine, backend) = backend(args)?;
    let cache = Path::new(CACHE);
    let sources = corpora::find(args, &experiment, cache)?;
    if sources.synthetic {
        tracing::warn!("no corpus is configured: running on small SYNTHETIC corpora");
        experiment.folds = args.folds.map_or(experiment.synthetic.folds, |n| n as usize);
        experiment.training.epochs = args.epochs.unwrap_or(experiment.synthetic.epochs);
        experiment.training.batch_size = experiment.synthetic.batch_size;
    }
    let trainings = plan::trainings(&experiment, &sources.corpora)?;
    let jobs = args.jobs.map_or_else(environment::cores, |n| n as usize);
    if args.dry_run {
        return print(&plan_text(&trainings, &experiment, jobs));
    }
    let front_end = front_end(&experiment)?;
    let features = sources
        .corpora
        .iter()
        .map(|s| features::of(&s.corpus, &front_end, s.config.length, &cache.join("features")))
        .collect::<Result<Vec<_>>>()?;
    let resolved = resolve(args, engine, &experiment, &front_end, &sources, &features)?;
    let hash = blake3::hash(resolved.as_bytes()).to_hex();
    let path = args
        .run_dir
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("runs/{}-{}", args.experiment.name(), &hash[..12])));
    let dir = RunDir::open(&path, &hash, &resolved)?;
    dir.json("environment.json", &Environment::of(args, engine, &sources, jobs))?;
    tracing::info!("run folder {}", path.display());
    let start = Instant::now();
    let folds = Work {
        sources: &sources.corpora,
        features: &features,
        trainings: &trainings,
        config: &experiment.training,
        backend,
        dir: dir.path(),
        stop,
    }
    .run(jobs);
    log_session(dir.path(), start, folds.is_ok())?;
    let metrics = report(args, &experiment, &sources, &trainings, &folds?, &published, &dir)?;
    if args.json {
        return print(&serde_json::to_string_pretty(&metrics).map_err(LabError::work)?);
    }
    print(&format!(
        "{}{:.1} min in this call; run folder {}",
        table::render(&metrics),
        start.elapsed().as_secs_f64() / 60.0,
        path.display()
    ))
}

fn override_with(experiment: &mut Experiment, args: &Reproduce) {
    if !args.protocol.is_empty() {
        experiment.protocols.clone_from(&args.protocol);
    }
    if !args.variant.is_empty() {
        experiment.variants.clone_from(&args.variant);
    }
    if !args.seed.is_empty() {
        experiment.seeds = Some(args.seed.clone());
    }
    experiment.folds = args.folds.map_or(experiment.folds, |n| n as usize);
    experiment.training.epochs = args.epochs.unwrap_or(experiment.training.epochs);
}

/// Which engine, and where: native on a CPU and libtorch on CUDA, unless one is asked for.
fn backend(args: &Reproduce) -> Result<(EngineKind, Backend)> {
    let device = match args.device.as_str() {
        "auto" if args.engine == Some(EngineKind::Native) => Device::Cpu,
        "auto" => Device::cuda_if_available(),
        "cpu" => Device::Cpu,
        name => cuda(name)?,
    };
    match (args.engine, device) {
        (Some(EngineKind::Native), Device::Cuda(_)) => {
            Err(LabError::Input(format!("--engine native computes on the CPU, not on {}", args.device)))
        }
        (Some(EngineKind::Native) | None, Device::Cpu) => Ok((EngineKind::Native, Backend::Native)),
        _ => Ok((EngineKind::Libtorch, Backend::Libtorch(device))),
    }
}

fn cuda(name: &str) -> Result<Device> {
    let n: usize = name
        .strip_prefix("cuda:")
        .and_then(|n| n.parse().ok())
        .ok_or_else(|| LabError::Input(format!("--device {name}: expected auto, cpu or cuda:N")))?;
    let seen = tch::Cuda::device_count().max(0) as usize;
    if n < seen {
        Ok(Device::Cuda(n))
    } else {
        Err(LabError::Input(format!("--device {name}: libtorch sees {seen} CUDA devices")))
    }
}

fn front_end(experiment: &Experiment) -> Result<FrontEnd> {
    let choice = &experiment.front_end;
    let mut front_end = FrontEnd::preset(&choice.preset).map_err(LabError::input)?;
    if let Some(resampler) = &choice.resampler {
        front_end.resampler.clone_from(resampler);
    }
    Ok(front_end)
}

/// `config.toml`: all that a run's figures depend on, and nothing else. Its hash names the run.
fn resolve(
    args: &Reproduce,
    engine: EngineKind,
    experiment: &Experiment,
    front_end: &FrontEnd,
    sources: &Sources,
    features: &[Features],
) -> Result<String> {
    #[derive(Serialize)]
    struct Resolved<'a> {
        experiment: &'a str,
        engine: &'a str,
        synthetic: bool,
        protocols: &'a [Protocol],
        variants: &'a [Variant],
        folds: usize,
        #[serde(skip_serializing_if = "Option::is_none")]
        seeds: Option<&'a [u64]>,
        training: &'a config::Training,
        front_end: &'a FrontEnd,
        corpora: BTreeMap<CorpusKind, ResolvedCorpus<'a>>,
    }
    #[derive(Serialize)]
    struct ResolvedCorpus<'a> {
        length: usize,
        blocks: usize,
        seed: u64,
        utterances: usize,
        features: &'a str,
    }
    let corpora = sources.corpora.iter().zip(features).map(|(source, features)| {
        let CorpusConfig { length, blocks, seed, .. } = source.config;
        let utterances = source.corpus.utterances.len();
        (source.kind, ResolvedCorpus { length, blocks, seed, utterances, features: &features.hash })
    });
    let resolved = Resolved {
        experiment: args.experiment.name(),
        engine: engine.name(),
        synthetic: sources.synthetic,
        protocols: &experiment.protocols,
        variants: &experiment.variants,
        folds: experiment.folds,
        seeds: experiment.seeds.as_deref(),
        training: &experiment.training,
        front_end,
        corpora: corpora.collect(),
    };
    toml::to_string(&resolved).map_err(LabError::work)
}

fn plan_text(trainings: &[Training], experiment: &Experiment, jobs: usize) -> String {
    let epochs = experiment.training.epochs;
    let mut text: String = trainings
        .iter()
        .map(|t| {
            format!(
                "{}: {} folds x {epochs} epochs, {} utterances\n",
                t.name(),
                t.folds.len(),
                t.folds.first().map_or(0, |f| f.train.len() + f.validation.len() + f.test.len())
            )
        })
        .collect();
    let total: usize = trainings.iter().map(|t| t.folds.len()).sum();
    text.push_str(&format!("{} epochs in all, {jobs} folds at a time", total as u64 * u64::from(epochs)));
    text
}

fn report(
    args: &Reproduce,
    experiment: &Experiment,
    sources: &Sources,
    trainings: &[Training],
    folds: &[Vec<FoldFile>],
    published: &Published,
    dir: &RunDir,
) -> Result<Metrics> {
    let mut cells = Vec::new();
    let alone = trainings.iter().map(|t| results::protocols(experiment, t).count()).sum::<usize>() == 1;
    for (training, folds) in trainings.iter().zip(folds) {
        let source = &sources.corpora[training.source];
        dir.epochs(training, folds)?;
        for protocol in results::protocols(experiment, training) {
            cells.push(results::cell(protocol, training, source, folds, published)?);
            let rows = results::predictions(protocol, training, source, folds)?;
            let labels = &source.corpus.labels;
            dir.predictions(&format!("{}/{protocol}", training.name()), labels, &rows)?;
            if alone {
                dir.predictions("", labels, &rows)?;
            }
        }
    }
    let metrics =
        Metrics { version: 1, experiment: args.experiment.name().to_owned(), synthetic: sources.synthetic, cells };
    dir.metrics(&metrics)?;
    Ok(metrics)
}

/// One line a call in `sessions.jsonl`: how long it worked, on how much CPU time.
fn log_session(dir: &Path, start: Instant, finished: bool) -> Result<()> {
    let path = dir.join("sessions.jsonl");
    let ended = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let line = serde_json::json!({
        "ended_unix": ended,
        "wall_seconds": start.elapsed().as_secs_f64(),
        "cpu_seconds": environment::cpu_seconds(),
        "finished": finished,
    });
    let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(LabError::work)?;
    writeln!(file, "{line}").map_err(LabError::work)
}

/// Data goes to stdout; a closed pipe is the reader's choice, not a failure.
fn print(text: &str) -> Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(LabError::work(e)),
        _ => Ok(()),
    }
}
