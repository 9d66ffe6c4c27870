//! The loop, its selections and its checkpoints, on an engine whose answers are known.

#![allow(clippy::unwrap_used)]

use std::{fs, ops::ControlFlow, time::Duration};

use sertrain::{EpochRecord, FoldTask, Schedule, TrainError, train_fold};
use timnet_core::{
    Batch, Engine, EngineError, EngineFacts, ModelConfig, Objective, Predictions, StepOutcome, TrainState,
    TrainingInputs,
    streams::{self, Key},
};

/// Right about as many test utterances as `ACCURACY` says of the epoch, in order of their index; its parameters count steps and
/// add up the indices it has seen, in the order it saw them.
struct Scripted {
    state: TrainState,
    nan_at: Option<u64>,
}

const LABELS: [usize; 12] = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1];
const TRAIN: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 7];
const TEST: [usize; 4] = [8, 9, 10, 11];
/// Of 4 test utterances, right after each epoch.
const RIGHT: [usize; 6] = [1, 3, 2, 3, 4, 2];
const KEY: Key = Key { seed: 1, fold: 0 };

impl Scripted {
    fn new() -> Self {
        let config = ModelConfig::timnet(1, 2);
        Self { state: TrainState::start(streams::initial(&config, KEY)), nan_at: None }
    }

    fn epoch(&self) -> usize {
        self.state.steps as usize / 2
    }
}

impl Engine for Scripted {
    fn describe(&self) -> EngineFacts {
        EngineFacts { name: "scripted".into(), numerics: 1, device: "cpu".into(), simd: None }
    }

    fn inputs(&self) -> TrainingInputs {
        TrainingInputs { data: "none".into(), objective: Objective::default() }
    }

    fn train(&mut self, batches: &[Batch]) -> Result<Vec<StepOutcome>, EngineError> {
        Ok(batches
            .iter()
            .map(|batch| {
                self.state.steps += 1;
                let p = &mut self.state.weights.parameters[0];
                *p = batch.indices.iter().fold(*p, |p, &i| p * 0.7 + i as f32) + batch.dropout[..5].iter().sum::<f32>();
                self.state.first_moment[1] = *p;
                let loss = if self.nan_at == Some(self.state.steps) { f32::NAN } else { *p };
                StepOutcome { loss, correct: 1 }
            })
            .collect())
    }

    fn predict(&mut self, indices: &[usize]) -> Result<Predictions, EngineError> {
        let right = RIGHT[self.epoch() - 1];
        let logits = indices.iter().enumerate().flat_map(|(k, &i)| {
            let answer = if k < right { LABELS[i] } else { 1 - LABELS[i] };
            [if answer == 0 { 1.0 } else { 0.0 }, if answer == 1 { 1.0 } else { 0.0 }]
        });
        Ok(Predictions { logits: logits.collect(), embeddings: Vec::new() })
    }

    fn state(&self) -> Result<TrainState, EngineError> {
        Ok(self.state.clone())
    }

    fn restore(&mut self, state: &TrainState) -> Result<(), EngineError> {
        self.state = state.clone();
        Ok(())
    }
}

fn task(validation: &[usize]) -> FoldTask<'_> {
    FoldTask { key: KEY, labels: &LABELS, classes: 2, train: &TRAIN, validation, test: &TEST }
}

fn schedule(epochs: u32) -> Schedule {
    Schedule { epochs, batch_size: 4, checkpoint_every: Duration::ZERO, test_every_epoch: true }
}

fn go_on(_: &EpochRecord) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[test]
fn each_protocol_gets_its_epoch() {
    let outcome = train_fold(&mut Scripted::new(), &task(&[0, 1, 2]), &schedule(6), None, &mut go_on).unwrap();
    assert_eq!((outcome.last.scored.epoch, outcome.last.scored.accuracy), (6, 0.5));
    assert_eq!((outcome.best.scored.epoch, outcome.best.scored.accuracy), (5, 1.0));
    // On validation: 1/3, 3/3, 2/3, 3/3, 3/3, 2/3; the earliest of equals.
    let validated = outcome.validated.unwrap();
    assert_eq!((validated.scored.epoch, validated.scored.accuracy), (2, 1.0));
    assert_eq!(validated.scored.probabilities.len(), 4);
    let accuracies: Vec<f64> = outcome.records.iter().map(|r| r.test_accuracy).collect();
    assert_eq!(accuracies, [0.25, 0.75, 0.5, 0.75, 1.0, 0.5]);
    // ln(1 + e^-1) where right, ln(1 + e) where wrong.
    let loss = 0.75f64.mul_add((1.0 + (1f64).exp()).ln(), 0.25 * (1.0 + (-1f64).exp()).ln());
    assert!((outcome.records[0].test_loss - loss).abs() < 1e-6);
}

#[test]
fn a_stopped_fold_goes_on_to_the_same_outcome() {
    let whole = train_fold(&mut Scripted::new(), &task(&[0, 1]), &schedule(6), None, &mut go_on).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fold.checkpoint");
    for stop in [1, 3, 4] {
        let mut until =
            |r: &EpochRecord| if r.epoch == stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let stopped = train_fold(&mut Scripted::new(), &task(&[0, 1]), &schedule(6), Some(&path), &mut until);
        assert!(matches!(stopped, Err(TrainError::Stopped(e)) if e == stop));
    }
    let resumed = train_fold(&mut Scripted::new(), &task(&[0, 1]), &schedule(6), Some(&path), &mut go_on).unwrap();
    assert_eq!(resumed, whole);
}

#[test]
fn a_damaged_checkpoint_is_named_and_explained() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fold.checkpoint");
    train_fold(&mut Scripted::new(), &task(&[]), &schedule(2), Some(&path), &mut go_on).unwrap();
    let bytes = fs::read(&path).unwrap();
    for n in [0, 9, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..n]).unwrap();
        let error = train_fold(&mut Scripted::new(), &task(&[]), &schedule(2), Some(&path), &mut go_on).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("fold.checkpoint cannot be used") && text.contains("delete it"), "{text}");
    }
}

#[test]
fn a_loss_that_is_no_number_is_an_error() {
    let mut engine = Scripted { nan_at: Some(4), ..Scripted::new() };
    let error = train_fold(&mut engine, &task(&[]), &schedule(3), None, &mut go_on).unwrap_err();
    assert!(matches!(error, TrainError::NotFinite { epoch: 2, step: 2, .. }), "{error}");
}

#[test]
fn empty_parts_are_errors() {
    let mut no_test = task(&[]);
    no_test.test = &[];
    let error = train_fold(&mut Scripted::new(), &no_test, &schedule(1), None, &mut go_on).unwrap_err();
    assert_eq!(error.to_string(), "the fold's test part is empty");
}

#[test]
fn a_test_part_scored_once_gives_the_same_last_epoch() {
    let whole = train_fold(&mut Scripted::new(), &task(&[0, 1]), &schedule(6), None, &mut go_on).unwrap();
    let once = Schedule { test_every_epoch: false, ..schedule(6) };
    let outcome = train_fold(&mut Scripted::new(), &task(&[0, 1]), &once, None, &mut go_on).unwrap();
    assert_eq!(outcome.last, whole.last);
    assert_eq!(outcome.best, whole.last);
    assert_eq!(outcome.validated.unwrap().scored.epoch, 6);
    let accuracies: Vec<f64> = outcome.records.iter().map(|r| r.test_accuracy).collect();
    assert_eq!(accuracies, [0.0, 0.0, 0.0, 0.0, 0.0, 0.5]);
    assert_eq!(outcome.records[2].train_loss, whole.records[2].train_loss);
}
