//! Folds trained side by side.

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    path::Path,
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
    error::{LabError, Result},
    explain,
    features::Features,
    fold_file::{FoldFile, fold_path},
    plan::{Division, Place, Plan, Training},
    progress::Progress,
    shard, tensorboard,
};

/// What computes the networks, and where.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Backend {
    /// libtorch on a device.
    Libtorch(tch::Device),
    /// timnet-native.
    Native,
}

impl Backend {
    /// One network's engine.
    ///
    /// # Errors
    /// Shapes that do not fit; a failure of the backend.
    pub fn engine(
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
    /// What is to be trained.
    pub plan: &'a Plan,
    /// The features of each of the plan's materials.
    pub features: &'a [Features],
    /// From one frame to the next, in seconds.
    pub hop_seconds: f64,
    /// What computes the networks.
    pub backend: Backend,
    /// The run folder.
    pub dir: &'a Path,
    /// Which folds are this process'; all if None.
    pub shard: Option<shard::Part>,
    /// Least time between two checkpoints of a fold.
    pub checkpoint_every: Duration,
    /// Set to stop after the epochs in hand.
    pub stop: &'a AtomicBool,
}

impl Work<'_> {
    /// Trains every fold of this process that is not finished, `jobs` at a time with one thread each.
    ///
    /// One thread a fold, whatever the number of cores: sums are then added in one order and a fold's bytes do not
    /// depend on the machine's size.
    ///
    /// # Errors
    /// The first failure; the other folds in hand are stopped and saved.
    pub fn run(&self, jobs: usize) -> Result<()> {
        let mut places = self.plan.places();
        if let Some(shard) = self.shard {
            let mut i = 0..places.len();
            places.retain(|_| i.next().is_some_and(|i| shard.has(i)));
        }
        let frames: Vec<usize> = self.features.iter().map(|f| f.data.frames).collect();
        let progress = Progress::new(self.plan, &frames, &places);
        let next = AtomicUsize::new(0);
        let done: Mutex<BTreeMap<usize, Result<()>>> = Mutex::new(BTreeMap::new());
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
        let failed: Vec<LabError> = done.into_values().filter_map(Result::err).collect();
        let interrupted = !failed.is_empty() || !finished;
        match failed.into_iter().find(|e| !matches!(e, LabError::Interrupted)) {
            Some(e) => Err(e),
            None if interrupted => Err(LabError::Interrupted),
            None => Ok(()),
        }
    }

    fn fold(&self, place: Place, progress: &Progress) -> Result<()> {
        let training = &self.plan.trainings[place.training];
        let fold = &training.folds[place.fold];
        let path = fold_path(self.dir, training, place.fold);
        let file = match FoldFile::read(&path)? {
            Some(file) => {
                progress.skip(place, training.settings.epochs);
                file
            }
            None => self.train(place, &path, progress)?,
        };
        tensorboard::write(&path, training, place.fold, &file)?;
        if place.fold == 0 {
            let roster = &self.plan.material(training).roster;
            let data = &self.features[training.material].data;
            explain::write(&path, roster, data, &fold.test, self.hop_seconds, &file)?;
        }
        progress.finished(place);
        Ok(())
    }

    fn train(&self, place: Place, path: &Path, progress: &Progress) -> Result<FoldFile> {
        let training = &self.plan.trainings[place.training];
        let settings = &training.settings;
        // The checkpoint's folder.
        let folder = self.dir.join(training.name());
        std::fs::create_dir_all(&folder)
            .map_err(|e| LabError::Work(format!("cannot write {}: {e}", folder.display())))?;
        let data = &self.features[training.material].data;
        let key = streams::Key { seed: training.seed, fold: place.fold as u32 };
        let layout = Layout::new(&training.model);
        let (parameters, statistics) = streams::initial(&layout, key);
        let weights = Weights { config: training.model.clone(), parameters, statistics };
        let mut engine = self.backend.engine(weights, data, settings.objective()).map_err(LabError::work)?;
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
            epochs: settings.epochs,
            batch_size: settings.batch_size,
            checkpoint_every: self.checkpoint_every,
            test_every_epoch: training.division != Division::CrossCorpus,
        };
        let name = format!("{} fold {}", training.name(), place.fold);
        let checkpoint = path.with_extension("checkpoint");
        let mut counted = false;
        let mut observe = |record: &sertrain::EpochRecord| {
            if !std::mem::replace(&mut counted, true) {
                progress.skip(place, record.epoch - 1);
            }
            progress.epoch(place, &name, record);
            if self.stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let outcome = match train_fold(engine.as_mut(), &task, &schedule, Some(&checkpoint), &mut observe) {
            Err(TrainError::Stopped(_)) => return Err(LabError::Interrupted),
            other => other.map_err(|e| LabError::Work(format!("{name}: {e}")))?,
        };
        let file = FoldFile::write(path, outcome, &self.metadata(training, place.fold))?;
        // What it held is in the fold's files now.
        let _ = std::fs::remove_file(&checkpoint);
        tracing::info!("{name}: finished, test accuracy {:.4}", file.last.accuracy);
        Ok(file)
    }

    fn metadata(&self, training: &Training, fold: usize) -> BTreeMap<String, String> {
        [
            ("corpus", training.kind.to_string()),
            ("division", training.division.name().to_owned()),
            ("features", self.features[training.material].hash.clone()),
            ("fold", fold.to_string()),
            ("labels", self.plan.material(training).roster.labels.join(",")),
            ("seed", training.seed.to_string()),
        ]
        .map(|(k, v)| (k.to_owned(), v))
        .into()
    }
}
