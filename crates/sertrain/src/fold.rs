//! Training and evaluating one fold.

use std::{ops::ControlFlow, path::Path, sync::Arc, time::Instant};

use serengine::{Engine, EngineError, StepOutcome, Weights, WeightsError, argmax, log_softmax, streams};
use serrun::{EpochRecord, Scored};

use crate::{
    checkpoint::{Checkpoint, CheckpointError, Trajectory},
    task::{FoldOutcome, FoldTask, Schedule, Selected},
};

impl Schedule {
    fn check(&self) -> Result<(), TrainError> {
        match (self.epochs, self.batch_size) {
            (0, _) => Err(TrainError::Zero("number of epochs")),
            (_, 0) => Err(TrainError::Zero("batch size")),
            _ if self.patience == Some(0) => Err(TrainError::Zero("patience")),
            _ if self.patience.is_some() && !self.test_every_epoch => Err(TrainError::Patience),
            _ => Ok(()),
        }
    }

    /// Whether a training that is at `run` ends there.
    fn is_over(&self, run: &Checkpoint) -> bool {
        let epoch = run.records.len() as u32;
        let waited = |validated: &Selected| epoch.saturating_sub(validated.scored.epoch);
        let tired = self.patience.zip(run.validated.as_ref()).is_some_and(|(most, v)| epoch > 0 && waited(v) >= most);
        epoch >= self.epochs || tired
    }
}

impl FoldTask<'_> {
    /// Looks for labels and utterances that there are not, and for utterances that were seen in training and are scored.
    fn check(&self) -> Result<(), TrainError> {
        if self.train.is_empty() {
            return Err(TrainError::Empty("training"));
        }
        if let Some((utterance, &label)) = self.labels.iter().enumerate().find(|(_, label)| **label >= self.classes) {
            return Err(TrainError::Label { utterance, label, classes: self.classes });
        }
        let mut parts = vec![None; self.labels.len()];
        for (part, utterances) in [("training", self.train), ("validation", self.validation), ("test", self.test)] {
            for &utterance in utterances {
                let (found, seen) = (self.labels.len(), parts.get_mut(utterance));
                let seen = seen.ok_or(TrainError::Index { part, utterance, utterances: found })?;
                if let Some(first) = seen.replace(part) {
                    return Err(TrainError::Shared { utterance, first, second: part });
                }
            }
        }
        Ok(())
    }
}

/// Why training stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A checkpoint could not be read or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Training produced a NaN or infinite loss.
    #[error("the loss of epoch {epoch}, step {step} is {loss}; lower the learning rate, or look at the features")]
    NotFinite {
        /// Counted from 1.
        epoch: u32,
        /// Counted from 1.
        step: usize,
        /// The loss.
        loss: f32,
    },
    /// Training produced weights, running statistics or moments that no network can compute with.
    #[error(
        "after epoch {epoch} the network cannot be used: {source}; lower the learning rate, or look at the features"
    )]
    Diverged {
        /// Counted from 1.
        epoch: u32,
        /// Which tensor, and where.
        source: WeightsError,
    },
    /// A setting that must not be 0.
    #[error("the {0} is 0; it must be at least 1")]
    Zero(&'static str),
    /// A label beyond the classes.
    #[error(
        "utterance {utterance} (counted from 0) has label {label}, and there are {classes} classes, counted from 0"
    )]
    Label {
        /// The utterance.
        utterance: usize,
        /// Its label.
        label: usize,
        /// Number of classes.
        classes: usize,
    },
    /// An utterance that is not there.
    #[error("the fold's {part} part names utterance {utterance} (counted from 0) of {utterances}")]
    Index {
        /// `training`, `validation` or `test`.
        part: &'static str,
        /// The utterance.
        utterance: usize,
        /// How many there are.
        utterances: usize,
    },
    /// An utterance in two parts of a fold, or twice in one.
    #[error(
        "utterance {utterance} (counted from 0) is in the fold's {first} part and again in its {second} part; what is scored must not \
         be trained on: divide the utterances again"
    )]
    Shared {
        /// The utterance.
        utterance: usize,
        /// The part it was found in first.
        first: &'static str,
        /// The part it was found in again.
        second: &'static str,
    },
    /// A part with nothing in it.
    #[error("the fold's {0} part is empty")]
    Empty(&'static str),
    /// Early stopping without what it looks at.
    #[error(
        "early stopping looks at the validation part after every epoch: give the fold one and have it scored every epoch, or leave \
         the patience out"
    )]
    Patience,
    /// The observer asked to stop; the checkpoint is written.
    #[error("stopped after epoch {0}; the same command goes on from there")]
    Stopped(u32),
}

/// Trains a fold, from `checkpoint` on where there is one, calling `observe` after every epoch.
///
/// The engine must be fresh (or hold any state of the same configuration if a checkpoint exists). A checkpoint of the same task with
/// fewer epochs is gone on from, to the bytes of a training never stopped; one of another task is an error.
///
/// # Errors
/// See [`TrainError`]. On [`TrainError::Stopped`] all finished epochs are in `checkpoint`.
pub fn train_fold(
    engine: &mut dyn Engine,
    task: &FoldTask,
    schedule: &Schedule,
    checkpoint: Option<&Path>,
    observe: &mut dyn FnMut(&EpochRecord) -> ControlFlow<()>,
) -> Result<FoldOutcome, TrainError> {
    in_file(engine, task, schedule, checkpoint, |engine, start, save| {
        finish(engine, task, schedule, start, save, observe)
    })
}

/// Calls `train` with the state in `checkpoint`, if there is one, and with what saves a state there.
fn in_file<T>(
    engine: &mut dyn Engine,
    task: &FoldTask,
    schedule: &Schedule,
    checkpoint: Option<&Path>,
    train: impl FnOnce(&mut dyn Engine, Option<Checkpoint>, &Save) -> Result<T, TrainError>,
) -> Result<T, TrainError> {
    let Some(path) = checkpoint else { return train(engine, None, &|_| Ok(())) };
    let layout = engine.state()?.weights.layout;
    let trajectory = Trajectory::new(engine.describe(), engine.inputs(), &layout, task, schedule);
    let start = trajectory.load(path, schedule.epochs)?;
    train(engine, start, &|run| trajectory.save(path, run))
}

/// Keeps a state.
type Save<'a> = dyn Fn(&Checkpoint) -> Result<(), CheckpointError> + 'a;

/// Trains from `start` on, or from the engine's state, and scores the test part after the last epoch.
pub(crate) fn finish(
    engine: &mut dyn Engine,
    task: &FoldTask,
    schedule: &Schedule,
    start: Option<Checkpoint>,
    save: &Save,
    observe: &mut dyn FnMut(&EpochRecord) -> ControlFlow<()>,
) -> Result<FoldOutcome, TrainError> {
    if task.test.is_empty() {
        return Err(TrainError::Empty("test"));
    }
    if schedule.patience.is_some() && task.validation.is_empty() {
        return Err(TrainError::Patience);
    }
    let mut run = run(engine, task, schedule, start, save, observe)?;
    let last = Evaluation::of(engine, task, task.test)?;
    let epoch = run.records.len() as u32;
    run.last = Some(Scored { epoch, accuracy: last.accuracy, probabilities: last.probabilities });
    save(&run)?;
    run.outcome().ok_or(TrainError::Empty("test"))
}

/// Trains on the task's training part as [`train_fold`] does, and scores nothing: the network for use, of which other folds have said
/// how good such networks are. Validation and test part are left out.
///
/// # Errors
/// As [`train_fold`].
pub fn train_unscored(
    engine: &mut dyn Engine,
    task: &FoldTask,
    schedule: &Schedule,
    checkpoint: Option<&Path>,
    observe: &mut dyn FnMut(&EpochRecord) -> ControlFlow<()>,
) -> Result<Weights, TrainError> {
    let task = FoldTask { validation: &[], test: &[], ..task.clone() };
    if schedule.patience.is_some() {
        return Err(TrainError::Patience);
    }
    in_file(engine, &task, schedule, checkpoint, |engine, start, save| {
        let run = run(engine, &task, schedule, start, save, observe)?;
        save(&run)?;
        Ok(run.state.weights)
    })
}

/// All epochs that are not in `start` yet, saved now and then; the engine then holds the last one's state, which is not saved.
fn run(
    engine: &mut dyn Engine,
    task: &FoldTask,
    schedule: &Schedule,
    start: Option<Checkpoint>,
    save: &Save,
    observe: &mut dyn FnMut(&EpochRecord) -> ControlFlow<()>,
) -> Result<Checkpoint, TrainError> {
    schedule.check()?;
    task.check()?;
    let mut run = match start {
        Some(mut start) => {
            engine.restore(&start.state)?;
            if !schedule.is_over(&start) {
                start.last = None;
                if !schedule.test_every_epoch {
                    start.forget_scores();
                }
            }
            start
        }
        None => Checkpoint::start(engine.state()?, !task.validation.is_empty()),
    };
    let layout = Arc::clone(&run.state.weights.layout);
    let mut saved_at = Instant::now();
    while !schedule.is_over(&run) {
        let epoch = run.records.len() as u32 + 1;
        let batches = streams::epoch(&layout, task.key, epoch, task.train, schedule.batch_size);
        let outcomes = engine.train(&batches)?;
        if let Some((step, bad)) = outcomes.iter().enumerate().find(|(_, o)| !o.loss.is_finite()) {
            return Err(TrainError::NotFinite { epoch, step: step + 1, loss: bad.loss });
        }
        run.state = engine.state()?;
        run.state.check().map_err(|source| TrainError::Diverged { epoch, source })?;
        let mut record = EpochRecord { epoch, ..mean(&outcomes, batches.iter().map(|b| b.indices.len())) };
        if !task.test.is_empty() && (schedule.test_every_epoch || epoch == schedule.epochs) {
            let test = Evaluation::of(engine, task, task.test)?;
            (record.test_loss, record.test_accuracy) = (Some(test.loss), Some(test.accuracy));
            if let Some(validated) = &mut run.validated {
                let validation = Evaluation::of(engine, task, task.validation)?;
                (record.validation_loss, record.validation_accuracy) =
                    (Some(validation.loss), Some(validation.accuracy));
                select(validated, &run.state.weights, epoch, validation.accuracy, &test);
            }
            select(&mut run.best, &run.state.weights, epoch, test.accuracy, &test);
        }
        run.records.push(record);
        let stop = observe(&record).is_break();
        if schedule.is_over(&run) {
            break;
        }
        if stop || saved_at.elapsed() >= schedule.checkpoint_every {
            save(&run)?;
            saved_at = Instant::now();
        }
        if stop {
            return Err(TrainError::Stopped(epoch));
        }
    }
    Ok(run)
}

/// Keeps this epoch if its selecting accuracy beats all before it.
fn select(slot: &mut Selected, weights: &Weights, epoch: u32, accuracy: f64, test: &Evaluation) {
    if slot.scored.epoch == 0 || accuracy > slot.scored.accuracy {
        slot.scored = Scored { epoch, accuracy, probabilities: test.probabilities.clone() };
        slot.weights = weights.clone();
    }
}

/// Means over an epoch's utterances.
fn mean(outcomes: &[StepOutcome], sizes: impl Iterator<Item = usize>) -> EpochRecord {
    let (mut loss, mut correct, mut n) = (0.0, 0u32, 0);
    for (outcome, size) in outcomes.iter().zip(sizes) {
        loss += f64::from(outcome.loss) * size as f64;
        correct += outcome.correct;
        n += size;
    }
    EpochRecord { train_loss: loss / n as f64, train_accuracy: f64::from(correct) / n as f64, ..EpochRecord::default() }
}

struct Evaluation {
    loss: f64,
    accuracy: f64,
    probabilities: Vec<Vec<f32>>,
}

impl Evaluation {
    fn of(engine: &mut dyn Engine, task: &FoldTask, part: &[usize]) -> Result<Self, EngineError> {
        let predictions = engine.predict(part)?;
        predictions.check()?;
        let (found, expected) = (predictions.logits.len(), part.len() * task.classes);
        if found != expected {
            let classes = task.classes;
            let why = format!("{found} logits for {} utterances and {classes} classes", part.len());
            return Err(EngineError::Shape(why));
        }
        let probabilities = predictions.probabilities(task.classes);
        let (mut loss, mut correct) = (0.0, 0usize);
        for ((row, logits), &i) in probabilities.iter().zip(predictions.logits.chunks_exact(task.classes)).zip(part) {
            let truth = task.labels[i];
            loss -= log_softmax(logits, 1.0)[truth];
            correct += usize::from(argmax(row) == truth);
        }
        let n = part.len() as f64;
        Ok(Self { loss: loss / n, accuracy: correct as f64 / n, probabilities })
    }
}
