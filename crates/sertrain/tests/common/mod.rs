//! An engine whose answers are known.

#![allow(dead_code, clippy::unwrap_used)] // no test file uses all of it

use std::{ops::ControlFlow, sync::Arc, time::Duration};

use serengine::{
    Batch, Engine, EngineError, EngineFacts, Objective, Predictions, Settings, StepOutcome, TrainState, TrainingInputs,
    streams::{self, Key},
};
use sertrain::{EpochRecord, FoldTask, Schedule};
use timnet_core::ModelConfig;

/// Right about as many test utterances as `ACCURACY` says of the epoch, in order of their index; its parameters count steps and
/// add up the indices it has seen, in the order it saw them.
pub struct Scripted {
    pub state: TrainState,
    pub nan_at: Option<u64>,
    /// The step from which on a running variance is infinite, though the loss is a number.
    pub spoiled_at: Option<u64>,
    /// The step from which on logits are NaN.
    pub silent_at: Option<u64>,
    pub facts: EngineFacts,
    pub inputs: TrainingInputs,
}

pub const LABELS: [usize; 15] = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0];
pub const TRAIN: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 7];
pub const TEST: [usize; 4] = [8, 9, 10, 11];
pub const VALIDATION: [usize; 3] = [12, 13, 14];
/// Of 4 test utterances, right after each epoch.
pub const RIGHT: [usize; 6] = [1, 3, 2, 3, 4, 2];
pub const KEY: Key = Key { seed: 1, fold: 0 };

pub fn fresh(config: &ModelConfig) -> TrainState {
    TrainState::start(streams::initial(&Arc::new(config.layout().unwrap()), KEY))
}

impl Scripted {
    pub fn new() -> Self {
        Self {
            state: fresh(&ModelConfig::timnet(1, 2)),
            nan_at: None,
            spoiled_at: None,
            silent_at: None,
            facts: EngineFacts { name: "scripted".into(), numerics: 1, device: "cpu".into(), simd: None },
            inputs: TrainingInputs { data: "none".into(), objective: Objective::default() },
        }
    }

    pub fn epoch(&self) -> usize {
        self.state.steps as usize / 2
    }
}

impl Engine for Scripted {
    fn describe(&self) -> EngineFacts {
        self.facts.clone()
    }

    fn inputs(&self) -> TrainingInputs {
        self.inputs.clone()
    }

    fn train(&mut self, batches: &[Batch]) -> Result<Vec<StepOutcome>, EngineError> {
        Ok(batches
            .iter()
            .map(|batch| {
                self.state.steps += 1;
                let p = &mut self.state.weights.parameters[0];
                *p = batch.indices.iter().fold(*p, |p, &i| p * 0.7 + i as f32) + batch.dropout[..5].iter().sum::<f32>();
                self.state.first_moment[1] = *p;
                let p = *p;
                if self.spoiled_at.is_some_and(|at| self.state.steps >= at) {
                    *self.state.weights.statistics.last_mut().unwrap() = f32::INFINITY;
                }
                let loss = if self.nan_at == Some(self.state.steps) { f32::NAN } else { p };
                StepOutcome { loss, correct: 1 }
            })
            .collect())
    }

    fn predict(&mut self, indices: &[usize]) -> Result<Predictions, EngineError> {
        let right = RIGHT[self.epoch() - 1];
        let logits = indices.iter().enumerate().flat_map(|(k, &i)| {
            let answer = if k < right { LABELS[i] } else { 1 - LABELS[i] };
            let right = if self.silent_at.is_some_and(|at| self.state.steps >= at) { f32::NAN } else { 1.0 };
            [if answer == 0 { right } else { 0.0 }, if answer == 1 { right } else { 0.0 }]
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

pub fn task(validation: &[usize]) -> FoldTask<'_> {
    FoldTask { key: KEY, labels: &LABELS, classes: 2, train: &TRAIN, validation, test: &TEST }
}

pub fn schedule(epochs: u32) -> Schedule {
    Schedule { epochs, batch_size: 4, checkpoint_every: Duration::ZERO, test_every_epoch: true, patience: None }
}

pub fn go_on(_: &EpochRecord) -> ControlFlow<()> {
    ControlFlow::Continue(())
}
