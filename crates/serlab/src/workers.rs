//! Folds trained side by side.

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    path::Path,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use serengine::{Engine, Objective, TrainingInputs, Weights, argmax, streams};
use serrun::{EpochRecord, FinishedFold, FoldLog, Protocol};
use sertrain::{FoldOutcome, FoldStore, FoldTask, PoolError, Schedule, TrainError, Trajectory, side_by_side};

use crate::{
    backend::Backend,
    data::Features,
    error::{LabError, Result},
    explain,
    folder::{finish, fold_path, maker, read_fold},
    plan::{Place, Plan, Training},
    progress::Progress,
    shard,
    show::scored,
    tensorboard,
};

/// What all folds of a run share.
pub struct Work<'a> {
    /// What is to be trained.
    pub plan: &'a Plan,
    /// The features of each of the plan's materials.
    pub features: &'a [Features],
    /// From one frame to the next, in seconds, of each of the plan's materials.
    pub hop_seconds: &'a [f64],
    /// What computes the networks.
    pub backend: Backend,
    /// The run folder.
    pub dir: &'a Path,
    /// Where finished and unfinished folds are kept for this and other runs.
    pub store: &'a FoldStore,
    /// Which folds are this process'; all if None.
    pub shard: Option<shard::Part>,
    /// Least time between two checkpoints of a fold.
    pub checkpoint_every: Duration,
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
            .map(|places| Ok((places, self.backend_of(places[0])?)))
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .flat_map(|(places, backend)| places.chunks(backend.stacked()))
            .collect();
        let done = side_by_side(&groups, jobs, self.stop, |group| self.group(group, &progress));
        progress.finish();
        match done {
            Ok(ControlFlow::Continue(())) => Ok(()),
            Ok(ControlFlow::Break(())) => Err(LabError::Interrupted),
            Err(PoolError::Work(e)) => Err(e),
            Err(PoolError::Panicked) => Err(LabError::Work("a training thread panicked".into())),
        }
    }

    /// Trains a fold, or several side by side on one device. Break where one of them was stopped.
    fn group(&self, places: &[Place], progress: &Progress) -> Result<ControlFlow<()>> {
        let fold = |place: Place, engine: Option<Box<dyn Engine>>| {
            self.backend_of(place)?.enter_thread();
            let result = self.fold(place, engine, progress);
            if result.is_err() {
                self.stop.store(true, Ordering::Relaxed);
            }
            result
        };
        if let [place] = places {
            return fold(*place, None);
        }
        let engines = self.stack(places)?;
        // Every engine of a stack goes into a thread at once: the others wait for it until it calls or is dropped.
        std::thread::scope(|scope| {
            let fold = &fold;
            let folds: Vec<_> =
                places.iter().zip(engines).map(|(&p, engine)| scope.spawn(move || fold(p, engine))).collect();
            let panicked = |_| {
                self.stop.store(true, Ordering::Relaxed);
                Err(LabError::Work("a training thread panicked".into()))
            };
            let flows: Vec<Result<ControlFlow<()>>> =
                folds.into_iter().map(|fold| fold.join().unwrap_or_else(panicked)).collect();
            flows.into_iter().try_fold(ControlFlow::Continue(()), |all, flow| {
                Ok(if flow?.is_break() { ControlFlow::Break(()) } else { all })
            })
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
        let (data, objective) = (&self.features[first.material].data, self.objective(first)?);
        let backend = self.backend.of(first.system())?;
        let mut stack = backend.stack(weights, data, objective).map_err(LabError::work)?.into_iter();
        Ok(open.into_iter().map(|open| if open { stack.next() } else { None }).collect())
    }

    /// What computes a fold.
    fn backend_of(&self, place: Place) -> Result<Backend> {
        self.backend.of(self.plan.trainings[place.training].system())
    }

    fn initial(&self, place: Place) -> Result<Weights> {
        let training = &self.plan.trainings[place.training];
        let layout = training.network.layout()?;
        Ok(streams::initial(&layout.into(), training.key(place.fold)))
    }

    fn objective(&self, training: &Training) -> Result<Objective> {
        let labels = &self.plan.material(training).roster.labels;
        match training.settings.class_weights.keys().find(|label| !labels.contains(label)) {
            Some(other) => Err(LabError::Input(format!(
                "`training.class_weights` has a weight of {other}, and the classes of {} are {}",
                training.corpus(),
                labels.join(", ")
            ))),
            None => Ok(training.settings.objective(labels, training.steps_an_epoch())),
        }
    }

    /// Break where it was stopped before its end.
    fn fold(&self, place: Place, engine: Option<Box<dyn Engine>>, progress: &Progress) -> Result<ControlFlow<()>> {
        let training = &self.plan.trainings[place.training];
        let fold = &training.folds[place.fold];
        let path = fold_path(self.dir, training, place.fold);
        let file = match read_fold(&path)? {
            Some(file) => {
                progress.skip(place, training.settings.epochs);
                file
            }
            None => match self.obtain(place, &path, engine, progress)? {
                Some(file) => file,
                None => return Ok(ControlFlow::Break(())),
            },
        };
        tensorboard::write(&path, training, place.fold, &file)?;
        if place.fold == 0 {
            let network = (&training.network, self.backend_of(place)?);
            let on = (self.plan.material(training), &self.features[training.material].data);
            explain::write(&path, network, on, &fold.test, self.hop_seconds[training.material], &file)?;
        }
        progress.finished(place);
        Ok(ControlFlow::Continue(()))
    }

    /// Takes the fold from the store, or trains it there, and writes it into the run folder. None where it was stopped.
    fn obtain(
        &self,
        place: Place,
        path: &Path,
        mut engine: Option<Box<dyn Engine>>,
        progress: &Progress,
    ) -> Result<Option<FinishedFold>> {
        let training = &self.plan.trainings[place.training];
        let settings = &training.settings;
        let Features { data, sha256, .. } = &self.features[training.material];
        let objective = self.objective(training)?;
        let fold = &training.folds[place.fold];
        let task = FoldTask {
            key: training.key(place.fold),
            labels: data.labels(),
            classes: training.network.classes(),
            train: &fold.train,
            validation: &fold.validation,
            test: &fold.test,
        };
        let schedule = Schedule {
            epochs: settings.epochs,
            batch_size: settings.batch_size,
            checkpoint_every: self.checkpoint_every,
            test_every_epoch: training.division().is_tested_every_epoch(),
            patience: settings.patience,
        };
        let inputs = TrainingInputs { data: sha256.clone(), objective: objective.clone() };
        let layout = training.network.layout()?.into();
        let backend = self.backend_of(place)?;
        let trajectory = Trajectory::new(backend.facts(), inputs, &layout, &task, &schedule);
        let name = format!("{} fold {}", training.name, place.fold);
        let mut told = false;
        let mut wait = || {
            if !std::mem::replace(&mut told, true) {
                tracing::info!("{name}: another process trains it; waiting for it to end");
                // Nor may those of its stack wait for it: that process may wait for one of them.
                engine = None;
            }
            if self.stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let Some(claim) = self.store.claim(&trajectory, &mut wait).map_err(LabError::work)? else { return Ok(None) };
        let notes = claim.notes(settings.epochs);
        let (outcome, how): (FoldOutcome, _) = match claim.finished(settings.epochs).map_err(LabError::work)? {
            Some(outcome) => {
                progress.skip(place, settings.epochs);
                (outcome, "was in the fold store")
            }
            None => {
                let mut engine = match engine {
                    Some(engine) => engine,
                    None => backend.engine(self.initial(place)?, data, objective).map_err(LabError::work)?,
                };
                let mut log = None;
                let begin = |epochs| {
                    tracing::debug!(
                        "{name}: {epochs} of {} epochs are in the fold store; the others are trained",
                        settings.epochs
                    );
                    progress.skip(place, epochs);
                    let maker = maker(backend.facts());
                    log = Some(FoldLog::start(&notes, &maker).map_err(LabError::from)?);
                    Ok::<(), Stopped>(())
                };
                let mut observe = |record: &EpochRecord| {
                    self.epochs.fetch_add(1, Ordering::Relaxed);
                    progress.epoch(place, &name, record);
                    if self.stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                };
                match claim.train(engine.as_mut(), &task, &schedule, begin, &mut observe) {
                    Ok(outcome) => {
                        log.map_or(Ok(()), FoldLog::end)?;
                        (outcome, "finished")
                    }
                    Err(Stopped::Train(TrainError::Stopped(_))) => return Ok(None),
                    Err(Stopped::Train(e)) => return Err(LabError::Work(format!("{name}: {e}"))),
                    Err(Stopped::Lab(e)) => return Err(e),
                }
            }
        };
        FoldLog::copy(&notes, path)?;
        let file = finish(path, outcome, &self.metadata(training, place.fold))?;
        tracing::info!("{name}: {how}; {}", self.figures(training, place.fold, &file)?);
        Ok(Some(file))
    }

    /// What a finished fold scores: `last-epoch UAR / WAR 88.34 / 90.74 %`, for every protocol.
    fn figures(&self, training: &Training, fold: usize, file: &FinishedFold) -> Result<String> {
        let labels = self.features[training.material].data.labels();
        let truth: Vec<usize> = training.folds[fold].test.iter().map(|&i| labels[i]).collect();
        let figure = |&protocol: &Protocol| -> Result<String> {
            let predicted: Vec<usize> = scored(file, protocol)?.probabilities.iter().map(|row| argmax(row)).collect();
            let c = sermetrics::confusion(&truth, &predicted, training.network.classes()).map_err(LabError::work)?;
            let optimistic = if protocol == Protocol::BestEpoch { " (optimistic)" } else { "" };
            Ok(format!("{protocol}{optimistic} UAR / WAR {:.2} / {:.2} %", 100.0 * c.uar(), 100.0 * c.war()))
        };
        Ok(training.protocols.iter().map(figure).collect::<Result<Vec<_>>>()?.join(", "))
    }

    fn metadata(&self, training: &Training, fold: usize) -> BTreeMap<String, String> {
        [
            ("corpus", training.corpus().to_string()),
            ("division", training.division().name()),
            ("features", self.features[training.material].hash.clone()),
            ("fold", fold.to_string()),
            ("labels", self.plan.material(training).roster.labels.join(",")),
            ("seed", training.name.seed.to_string()),
        ]
        .into_iter()
        .chain(training.name.training_seed.map(|seed| ("training_seed", seed.to_string())))
        .map(|(k, v)| (k.to_owned(), v))
        .collect()
    }
}

/// Why a training ended early.
enum Stopped {
    Train(TrainError),
    Lab(LabError),
}

impl From<TrainError> for Stopped {
    fn from(e: TrainError) -> Self {
        Self::Train(e)
    }
}

impl From<LabError> for Stopped {
    fn from(e: LabError) -> Self {
        Self::Lab(e)
    }
}
