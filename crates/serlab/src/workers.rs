//! Folds trained side by side.

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use serengine::{Engine, Settings, Weights, argmax, streams};
use sertrain::{FoldTask, Schedule, TrainError, train_fold};

use crate::{
    backend::Backend,
    error::{LabError, Result},
    explain,
    features::Features,
    fold_file::{FoldFile, fold_path},
    plan::{Place, Plan, Training},
    progress::Progress,
    provenance::{Log, Maker},
    results::scored,
    shard, tensorboard,
};

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
    /// What the folds' provenance says of this process.
    pub maker: &'a Maker,
    /// Epochs that this process trained.
    pub epochs: AtomicU64,
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
        let frames: Vec<usize> = self.features.iter().map(|f| f.data.frames()).collect();
        let progress = Progress::new(self.plan, &frames, &places);
        let groups: Vec<&[Place]> = places
            .chunk_by(|a, b| self.plan.trainings[a.training].may_stack_with(&self.plan.trainings[b.training]))
            .flat_map(|places| places.chunks(self.backend.stacked()))
            .collect();
        let next = AtomicUsize::new(0);
        let done: Mutex<Vec<Result<()>>> = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..jobs.min(groups.len()) {
                scope.spawn(|| {
                    loop {
                        let i = next.fetch_add(1, Ordering::Relaxed);
                        let Some(group) = groups.get(i).filter(|_| !self.stop.load(Ordering::Relaxed)) else { break };
                        let results = self.group(group, &progress);
                        if let Ok(mut done) = done.lock() {
                            done.extend(results);
                        }
                    }
                });
            }
        });
        progress.finish();
        let done = done.into_inner().map_err(|_| LabError::Work("a training thread panicked".into()))?;
        let finished = done.len() == places.len();
        let failed: Vec<LabError> = done.into_iter().filter_map(Result::err).collect();
        let interrupted = !failed.is_empty() || !finished;
        match failed.into_iter().find(|e| !matches!(e, LabError::Interrupted)) {
            Some(e) => Err(e),
            None if interrupted => Err(LabError::Interrupted),
            None => Ok(()),
        }
    }

    /// Trains some folds, side by side on one device where they are several.
    fn group(&self, places: &[Place], progress: &Progress) -> Vec<Result<()>> {
        let mut engines: Vec<Option<Box<dyn Engine>>> = places.iter().map(|_| None).collect();
        if places.len() > 1 {
            match self.stack(places) {
                Ok(stacked) => engines = stacked,
                Err(e) => {
                    self.stop.store(true, Ordering::Relaxed);
                    return vec![Err(e)];
                }
            }
        }
        let fold = |place: Place, engine: Option<Box<dyn Engine>>| {
            self.backend.enter_thread();
            let result = self.fold(place, engine, progress);
            if result.is_err() {
                self.stop.store(true, Ordering::Relaxed);
            }
            result
        };
        std::thread::scope(|scope| {
            let fold = &fold;
            let folds: Vec<_> =
                places.iter().zip(engines).map(|(&p, engine)| scope.spawn(move || fold(p, engine))).collect();
            let panicked = |_| {
                self.stop.store(true, Ordering::Relaxed);
                Err(LabError::Work("a training thread panicked".into()))
            };
            folds.into_iter().map(|fold| fold.join().unwrap_or_else(panicked)).collect()
        })
    }

    /// An engine of one stack for each fold that is not finished.
    fn stack(&self, places: &[Place]) -> Result<Vec<Option<Box<dyn Engine>>>> {
        let training = |place: &Place| &self.plan.trainings[place.training];
        let unfinished = |place: &Place| !fold_path(self.dir, training(place), place.fold).is_file();
        let open: Vec<bool> = places.iter().map(unfinished).collect();
        let weights: Vec<Weights> = places
            .iter()
            .zip(&open)
            .filter(|(_, open)| **open)
            .map(|(p, _)| self.initial(*p))
            .collect::<Result<_>>()?;
        let Some(first) = places.first().map(training).filter(|_| !weights.is_empty()) else {
            return Ok(places.iter().map(|_| None).collect());
        };
        let (data, objective) = (&self.features[first.material].data, first.settings.objective());
        let mut stack = self.backend.stack(weights, data, objective).map_err(LabError::work)?.into_iter();
        Ok(open.into_iter().map(|open| if open { stack.next() } else { None }).collect())
    }

    fn initial(&self, place: Place) -> Result<Weights> {
        let training = &self.plan.trainings[place.training];
        let layout = training.model.layout().map_err(LabError::input)?;
        Ok(streams::initial(&layout.into(), key(training, place)))
    }

    fn fold(&self, place: Place, engine: Option<Box<dyn Engine>>, progress: &Progress) -> Result<()> {
        let training = &self.plan.trainings[place.training];
        let fold = &training.folds[place.fold];
        let path = fold_path(self.dir, training, place.fold);
        let file = match FoldFile::read(&path)? {
            Some(file) => {
                progress.skip(place, training.settings.epochs);
                file
            }
            None => self.train(place, &path, engine, progress)?,
        };
        tensorboard::write(&path, training, place.fold, &file)?;
        if place.fold == 0 {
            let roster = &self.plan.material(training).roster;
            let data = &self.features[training.material].data;
            explain::write(&path, &training.model, roster, data, &fold.test, self.hop_seconds, &file)?;
        }
        progress.finished(place);
        Ok(())
    }

    fn train(
        &self,
        place: Place,
        path: &Path,
        engine: Option<Box<dyn Engine>>,
        progress: &Progress,
    ) -> Result<FoldFile> {
        let training = &self.plan.trainings[place.training];
        let settings = &training.settings;
        let checkpoint = path.with_extension("checkpoint");
        let log = Log::start(path, self.maker, checkpoint.is_file())?;
        let data = &self.features[training.material].data;
        let mut engine = match engine {
            Some(engine) => engine,
            None => self.backend.engine(self.initial(place)?, data, settings.objective()).map_err(LabError::work)?,
        };
        let fold = &training.folds[place.fold];
        let task = FoldTask {
            key: key(training, place),
            labels: data.labels(),
            classes: training.model.classes,
            train: &fold.train,
            validation: &fold.validation,
            test: &fold.test,
        };
        let schedule = Schedule {
            epochs: settings.epochs,
            batch_size: settings.batch_size,
            checkpoint_every: self.checkpoint_every,
            test_every_epoch: training.division.is_tested_every_epoch(),
        };
        let name = format!("{} fold {}", training.name(), place.fold);
        let mut counted = false;
        let mut observe = |record: &sertrain::EpochRecord| {
            if !std::mem::replace(&mut counted, true) {
                progress.skip(place, record.epoch - 1);
            }
            self.epochs.fetch_add(1, Ordering::Relaxed);
            progress.epoch(place, &name, record);
            if self.stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let outcome = match train_fold(engine.as_mut(), &task, &schedule, Some(&checkpoint), &mut observe) {
            Err(TrainError::Stopped(_)) => return Err(LabError::Interrupted),
            other => other.map_err(|e| LabError::Work(format!("{name}: {e}")))?,
        };
        log.end()?;
        let file = FoldFile::write(path, outcome, &self.metadata(training, place.fold))?;
        // What it held is in the fold's files now.
        let _ = std::fs::remove_file(&checkpoint);
        tracing::info!("{name}: finished; {}", self.figures(training, place.fold, &file)?);
        Ok(file)
    }

    /// What a finished fold scores: `last-epoch UAR / WAR 88.34 / 90.74 %`, for every protocol.
    fn figures(&self, training: &Training, fold: usize, file: &FoldFile) -> Result<String> {
        let labels = self.features[training.material].data.labels();
        let truth: Vec<usize> = training.folds[fold].test.iter().map(|&i| labels[i]).collect();
        let figure = |&protocol: &sertrain::Protocol| -> Result<String> {
            let predicted: Vec<usize> = scored(protocol, file)?.probabilities.iter().map(|row| argmax(row)).collect();
            let c = sermetrics::confusion(&truth, &predicted, training.model.classes).map_err(LabError::work)?;
            let optimistic = if protocol == sertrain::Protocol::BestEpoch { " (optimistic)" } else { "" };
            Ok(format!("{protocol}{optimistic} UAR / WAR {:.2} / {:.2} %", 100.0 * c.uar(), 100.0 * c.war()))
        };
        Ok(training.protocols.iter().map(figure).collect::<Result<Vec<_>>>()?.join(", "))
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

/// What a fold's random draws depend on.
fn key(training: &Training, place: Place) -> streams::Key {
    streams::Key { seed: training.seed, fold: place.fold as u32 }
}
