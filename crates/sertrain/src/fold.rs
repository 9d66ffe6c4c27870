//! Training and evaluating one fold.

use std::{
    ops::ControlFlow,
    path::Path,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use timnet_core::{Engine, EngineError, Predictions, StepOutcome, Weights, streams};

use crate::checkpoint::{self, Checkpoint, CheckpointError};

/// How long and in what steps a fold trains.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Passes over the training part.
    pub epochs: u32,
    /// Utterances a step; the last step of an epoch takes what is left.
    pub batch_size: usize,
    /// Least time between two checkpoints.
    pub checkpoint_every: Duration,
    /// Whether the test and validation parts are scored after every epoch, for curves and the selection of an epoch, or after
    /// the last alone: then their figures are 0 in the records before, and the selected epoch is the last.
    pub test_every_epoch: bool,
}

/// One fold: what to train on and what to score.
#[derive(Clone, Debug, PartialEq)]
pub struct FoldTask<'a> {
    /// What the fold's random draws depend on.
    pub key: streams::Key,
    /// Class of every utterance of the engine's data set.
    pub labels: &'a [usize],
    /// Number of classes.
    pub classes: usize,
    /// Utterances to train on.
    pub train: &'a [usize],
    /// Utterances to choose an epoch on; may be empty.
    pub validation: &'a [usize],
    /// Utterances to score.
    pub test: &'a [usize],
}

/// What one epoch showed. Losses are cross entropies: the training one against smoothed targets with dropout, averaged
/// over the epoch's steps as it went (as Keras prints it), the others against one-hot targets after the epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Counted from 1.
    pub epoch: u32,
    /// Mean training loss.
    pub train_loss: f64,
    /// Training accuracy.
    pub train_accuracy: f64,
    /// Loss on the validation part; 0 if there is none.
    pub validation_loss: f64,
    /// Accuracy on the validation part; 0 if there is none.
    pub validation_accuracy: f64,
    /// Loss on the test part.
    pub test_loss: f64,
    /// Accuracy on the test part.
    pub test_accuracy: f64,
}

/// The test part as some epoch scores it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// Counted from 1; 0 before any epoch.
    pub epoch: u32,
    /// Accuracy that selected the epoch.
    pub accuracy: f64,
    /// Class probabilities, [test utterances][classes].
    pub probabilities: Vec<Vec<f32>>,
}

/// An epoch that a protocol selected, with the network as it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Selected {
    /// Its scores.
    pub scored: Scored,
    /// Its weights.
    pub weights: Weights,
}

/// A finished fold.
#[derive(Clone, Debug, PartialEq)]
pub struct FoldOutcome {
    /// One record an epoch.
    pub records: Vec<EpochRecord>,
    /// The last epoch.
    pub last: Selected,
    /// The earliest epoch with the best accuracy on the TEST part.
    pub best: Selected,
    /// The earliest epoch with the best accuracy on the validation part, if there is one.
    pub validated: Option<Selected>,
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
    /// The loss left the real numbers.
    #[error("the loss of epoch {epoch}, step {step} is {loss}; the features or the learning rate are not usable")]
    NotFinite {
        /// Counted from 1.
        epoch: u32,
        /// Counted from 1.
        step: usize,
        /// The loss.
        loss: f32,
    },
    /// A part with nothing in it.
    #[error("the fold's {0} part is empty")]
    Empty(&'static str),
    /// The observer asked to stop; the checkpoint is written.
    #[error("stopped after epoch {0}; the same command goes on from there")]
    Stopped(u32),
}

/// Trains a fold, from `checkpoint` on where there is one, calling `observe` after every epoch.
///
/// The engine must be fresh (or hold any state of the same configuration if a checkpoint exists).
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
    for (name, part) in [("training", task.train), ("test", task.test)] {
        if part.is_empty() {
            return Err(TrainError::Empty(name));
        }
    }
    let start = engine.state()?;
    let mut run = match checkpoint.map(checkpoint::load).transpose()?.flatten() {
        Some(saved) => {
            engine.restore(&saved.state)?;
            saved
        }
        None => Checkpoint::start(start, !task.validation.is_empty()),
    };
    let mut saved_at = Instant::now();
    let config = run.state.weights.config.clone();
    for epoch in run.records.len() as u32 + 1..=schedule.epochs {
        let batches = streams::epoch(&config, task.key, epoch, task.train, schedule.batch_size);
        let outcomes = engine.train(&batches)?;
        if let Some((step, bad)) = outcomes.iter().enumerate().find(|(_, o)| !o.loss.is_finite()) {
            return Err(TrainError::NotFinite { epoch, step: step + 1, loss: bad.loss });
        }
        let mut record = EpochRecord { epoch, ..mean(&outcomes, batches.iter().map(|b| b.indices.len())) };
        if schedule.test_every_epoch || epoch == schedule.epochs {
            let test = Evaluation::of(engine, task, task.test)?;
            (record.test_loss, record.test_accuracy) = (test.loss, test.accuracy);
            if let Some(validated) = &mut run.validated {
                let validation = Evaluation::of(engine, task, task.validation)?;
                (record.validation_loss, record.validation_accuracy) = (validation.loss, validation.accuracy);
                select(validated, engine, epoch, validation.accuracy, &test)?;
            }
            select(&mut run.best, engine, epoch, test.accuracy, &test)?;
        }
        run.records.push(record);
        let stop = observe(&record).is_break() && epoch < schedule.epochs;
        if stop || epoch == schedule.epochs || saved_at.elapsed() >= schedule.checkpoint_every {
            run.state = engine.state()?;
            if let Some(path) = checkpoint {
                checkpoint::save(path, &run)?;
            }
            saved_at = Instant::now();
        }
        if stop {
            return Err(TrainError::Stopped(epoch));
        }
    }
    let last = Evaluation::of(engine, task, task.test)?;
    let scored = Scored { epoch: run.records.len() as u32, accuracy: last.accuracy, probabilities: last.probabilities };
    Ok(FoldOutcome {
        records: run.records,
        last: Selected { scored, weights: engine.state()?.weights },
        best: run.best,
        validated: run.validated,
    })
}

/// Keeps this epoch if its selecting accuracy beats all before it.
fn select(
    slot: &mut Selected,
    engine: &dyn Engine,
    epoch: u32,
    accuracy: f64,
    test: &Evaluation,
) -> Result<(), EngineError> {
    if slot.scored.epoch == 0 || accuracy > slot.scored.accuracy {
        slot.scored = Scored { epoch, accuracy, probabilities: test.probabilities.clone() };
        slot.weights = engine.state()?.weights;
    }
    Ok(())
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
        let predictions: Predictions = engine.predict(part)?;
        let probabilities = predictions.probabilities(task.classes);
        let (mut loss, mut correct) = (0.0, 0usize);
        for (row, &i) in probabilities.iter().zip(part) {
            let truth = task.labels[i];
            loss -= f64::from(row[truth].max(f32::MIN_POSITIVE)).ln();
            correct += usize::from(argmax(row) == truth);
        }
        let n = part.len() as f64;
        Ok(Self { loss: loss / n, accuracy: correct as f64 / n, probabilities })
    }
}

/// The first of the largest, as NumPy's argmax; 0 of nothing.
pub fn argmax(row: &[f32]) -> usize {
    row.iter().enumerate().fold(0, |best, (i, v)| if *v > row[best] { i } else { best })
}
