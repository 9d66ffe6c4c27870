//! Folds trained side by side.

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use sertrain::{FoldTask, Schedule, TrainError, train_fold};
use timnet::{TorchEngine, tch};
use timnet_core::{Dataset, Engine, EngineError, Layout, Objective, TrainState, Weights, streams};
use timnet_native::NativeEngine;

use crate::{
    config,
    corpora::Source,
    error::{LabError, Result},
    features::Features,
    fold_file::FoldFile,
    plan::Training,
    progress::Progress,
};

/// Least time between two checkpoints of a fold.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);

/// What computes the networks, and where.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Backend {
    /// libtorch on a device.
    Libtorch(tch::Device),
    /// timnet-native.
    Native,
}

impl Backend {
    fn engine(
        self,
        weights: Weights,
        data: &Arc<Dataset>,
        objective: Objective,
    ) -> std::result::Result<Box<dyn Engine>, EngineError> {
        Ok(match self {
            Self::Libtorch(device) => Box::new(TorchEngine::new(&TrainState::start(weights), data, objective, device)?),
            Self::Native => Box::new(NativeEngine::new(Arc::clone(data), weights, objective)?),
        })
    }
}

/// What all folds of a run share.
pub struct Work<'a> {
    /// The corpora.
    pub sources: &'a [Source],
    /// Their features.
    pub features: &'a [Features],
    /// The trainings.
    pub trainings: &'a [Training],
    /// How they train.
    pub config: &'a config::Training,
    /// What computes the networks.
    pub backend: Backend,
    /// The run folder.
    pub dir: &'a Path,
    /// Set to stop after the epochs in hand.
    pub stop: &'a AtomicBool,
}

/// A fold's place: training and number.
#[derive(Clone, Copy)]
struct Place {
    training: usize,
    fold: usize,
}

impl Work<'_> {
    /// Trains every fold that is not finished, `jobs` at a time with one thread each, and returns all: folds of each
    /// training, in order.
    ///
    /// One thread a fold, whatever the number of cores: sums are then added in one order and a fold's bytes do not
    /// depend on the machine's size.
    ///
    /// # Errors
    /// The first failure; the other folds in hand are stopped and saved.
    pub fn run(&self, jobs: usize) -> Result<Vec<Vec<FoldFile>>> {
        let places: Vec<Place> = self
            .trainings
            .iter()
            .enumerate()
            .flat_map(|(training, t)| (0..t.folds.len()).map(move |fold| Place { training, fold }))
            .collect();
        let progress = Progress::new(places.len() as u64 * u64::from(self.config.epochs));
        let next = AtomicUsize::new(0);
        let done: Mutex<BTreeMap<usize, Result<FoldFile>>> = Mutex::new(BTreeMap::new());
        std::thread::scope(|scope| {
            for _ in 0..jobs.min(places.len()) {
                scope.spawn(|| {
                    tch::set_num_threads(1);
                    loop {
                        let i = next.fetch_add(1, Ordering::Relaxed);
                        let Some(&place) = places.get(i).filter(|_| !self.stop.load(Ordering::Relaxed)) else { break };
                        let result = self.fold(place, &progress);
                        if result.is_err() {
                            self.stop.store(true, Ordering::Relaxed);
                        }
                        if let Ok(mut done) = done.lock() {
                            done.insert(i, result);
                        }
                    }
                });
            }
        });
        progress.finish();
        let done = done.into_inner().map_err(|_| LabError::Work("a training thread panicked".into()))?;
        let finished = done.len() == places.len();
        let mut out: Vec<Vec<FoldFile>> = self.trainings.iter().map(|_| Vec::new()).collect();
        let mut interrupted = false;
        for (i, result) in done {
            match result {
                Ok(file) => out[places[i].training].push(file),
                Err(LabError::Interrupted) => interrupted = true,
                Err(e) => return Err(e),
            }
        }
        if finished && !interrupted { Ok(out) } else { Err(LabError::Interrupted) }
    }

    fn fold(&self, place: Place, progress: &Progress) -> Result<FoldFile> {
        let training = &self.trainings[place.training];
        let path = fold_path(self.dir, training, place.fold);
        if let Some(file) = FoldFile::read(&path)? {
            progress.skip(u64::from(self.config.epochs));
            return Ok(file);
        }
        let folder = path.parent().unwrap_or(self.dir);
        std::fs::create_dir_all(folder)
            .map_err(|e| LabError::Work(format!("cannot write {}: {e}", folder.display())))?;
        let data = &self.features[training.source].data;
        let key = streams::Key { seed: training.seed, fold: place.fold as u32 };
        let layout = Layout::new(&training.model);
        let (parameters, statistics) = streams::initial(&layout, key);
        let weights = Weights { config: training.model.clone(), parameters, statistics };
        let mut engine = self.backend.engine(weights, data, self.config.objective()).map_err(LabError::work)?;
        let fold = &training.folds[place.fold];
        let task = FoldTask {
            key,
            labels: &data.labels,
            classes: training.model.classes,
            train: &fold.train,
            validation: &fold.validation,
            test: &fold.test,
        };
        let schedule = Schedule {
            epochs: self.config.epochs,
            batch_size: self.config.batch_size,
            checkpoint_every: CHECKPOINT_EVERY,
        };
        let name = format!("{} fold {}", training.name(), place.fold);
        let checkpoint = path.with_extension("checkpoint");
        let mut counted = false;
        let mut observe = |record: &sertrain::EpochRecord| {
            if !std::mem::replace(&mut counted, true) {
                progress.skip(u64::from(record.epoch) - 1);
            }
            progress.epoch(&name, record);
            if self.stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let outcome = match train_fold(engine.as_mut(), &task, &schedule, Some(&checkpoint), &mut observe) {
            Err(TrainError::Stopped(_)) => return Err(LabError::Interrupted),
            other => other.map_err(|e| LabError::Work(format!("{name}: {e}")))?,
        };
        let file = FoldFile::write(&path, outcome, &self.metadata(training, place.fold))?;
        // What it held is in the fold's files now.
        let _ = std::fs::remove_file(&checkpoint);
        tracing::info!("{name}: finished, test accuracy {:.4}", file.last.accuracy);
        Ok(file)
    }

    fn metadata(&self, training: &Training, fold: usize) -> BTreeMap<String, String> {
        let source = &self.sources[training.source];
        [
            ("corpus", training.kind.to_string()),
            ("division", training.division.name().to_owned()),
            ("features", self.features[training.source].hash.clone()),
            ("fold", fold.to_string()),
            ("labels", source.corpus.labels.join(",")),
            ("seed", training.seed.to_string()),
        ]
        .map(|(k, v)| (k.to_owned(), v))
        .into()
    }
}

fn fold_path(dir: &Path, training: &Training, fold: usize) -> PathBuf {
    dir.join(training.name()).join(format!("fold-{fold:02}.json"))
}
