//! One fold with an engine that learns nothing: what `train_fold` asks of an engine, and what it gives back.

use std::{ops::ControlFlow, sync::Arc, time::Duration};

use serengine::{
    Batch, Engine, EngineError, EngineFacts, Objective, Predictions, Settings, StepOutcome, TrainState, TrainingInputs,
    streams::{self, Key},
};
use sertrain::{FoldTask, Schedule, train_fold};
use timnet_core::ModelConfig;

/// Always answers class 0.
struct Constant(TrainState);

impl Engine for Constant {
    fn describe(&self) -> EngineFacts {
        EngineFacts { name: "constant".into(), numerics: 1, device: "cpu".into(), simd: None }
    }

    fn inputs(&self) -> TrainingInputs {
        TrainingInputs { data: "none".into(), objective: Objective::default() }
    }

    fn train(&mut self, batches: &[Batch]) -> Result<Vec<StepOutcome>, EngineError> {
        Ok(batches.iter().map(|_| StepOutcome { loss: 2f32.ln(), correct: 0 }).collect())
    }

    fn predict(&mut self, indices: &[usize]) -> Result<Predictions, EngineError> {
        Ok(Predictions { logits: [1.0, 0.0].repeat(indices.len()), embeddings: Vec::new() })
    }

    fn state(&self) -> Result<TrainState, EngineError> {
        Ok(self.0.clone())
    }

    fn restore(&mut self, state: &TrainState) -> Result<(), EngineError> {
        self.0 = state.clone();
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let key = Key { seed: 46, fold: 0 };
    let layout = Arc::new(ModelConfig::timnet(1, 2).layout()?);
    let mut engine = Constant(TrainState::start(streams::initial(&layout, key)));
    let labels = [0, 1, 0, 1, 0, 0];
    let task = FoldTask { key, labels: &labels, classes: 2, train: &[0, 1, 2], validation: &[], test: &[3, 4, 5] };
    let schedule = Schedule {
        epochs: 2,
        batch_size: 2,
        checkpoint_every: Duration::from_secs(10),
        test_every_epoch: true,
        patience: None,
    };
    let outcome = train_fold(&mut engine, &task, &schedule, None, &mut |record| {
        if let Some(accuracy) = record.test_accuracy {
            eprintln!("epoch {}: test accuracy {accuracy:.2}", record.epoch);
        }
        ControlFlow::Continue(())
    })?;
    eprintln!("last epoch {}, best epoch {}", outcome.last.scored.epoch, outcome.best.scored.epoch);
    Ok(())
}
