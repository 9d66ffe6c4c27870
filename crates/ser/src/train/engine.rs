//! The native engine, learning from other variations of the recordings in every epoch.

use std::sync::Arc;

use serengine::{
    Batch, Dataset, Engine, EngineError, EngineFacts, Objective, Predictions, StepOutcome, TrainState, TrainingInputs,
    Weights,
};
use timnet_native::NativeEngine;

use super::features::{Data, Varied};

/// Trains on what an epoch makes of the recordings; predicts on the recordings as they are.
pub struct VariedEngine<'a> {
    inner: NativeEngine,
    plain: Arc<Dataset>,
    varied: &'a Varied,
}

/// An engine for `data`: the native one, or a [`VariedEngine`] where there are variations.
///
/// # Errors
/// Shapes that do not fit.
pub fn engine(data: &Data, weights: Weights, objective: Objective) -> Result<Box<dyn Engine + '_>, EngineError> {
    let inner = NativeEngine::new(Arc::clone(&data.plain), weights, objective)?;
    Ok(match &data.varied {
        None => Box::new(inner),
        Some(varied) => Box::new(VariedEngine { inner, plain: Arc::clone(&data.plain), varied }),
    })
}

impl Engine for VariedEngine<'_> {
    fn describe(&self) -> EngineFacts {
        self.inner.describe()
    }

    /// Of the recordings as they are; `identity.json` beside the checkpoint holds what their variations depend on.
    fn inputs(&self) -> TrainingInputs {
        self.inner.inputs()
    }

    /// One epoch: all epochs have as many steps, so the steps taken tell which one it is, after a restart too.
    fn train(&mut self, batches: &[Batch]) -> Result<Vec<StepOutcome>, EngineError> {
        let epoch = (self.inner.steps() / batches.len().max(1) as u64) as u32 + 1;
        let utterances: Vec<u32> = batches.iter().flat_map(|b| &b.indices).copied().collect();
        let features = self
            .varied
            .epoch(&self.plain, epoch, &utterances)
            .map_err(|e| EngineError::Backend { backend: "varied copies", message: e.to_string() })?;
        let labels = utterances.iter().map(|&i| self.plain.labels()[i as usize]).collect();
        let epoch = Dataset::new(features, labels, self.plain.frames(), self.plain.coefficients())?;
        let mut next = 0;
        let batches: Vec<Batch> = batches
            .iter()
            .map(|batch| {
                let start = next;
                next += batch.indices.len() as u32;
                Batch { indices: (start..next).collect(), dropout: batch.dropout.clone() }
            })
            .collect();
        self.inner.set_dataset(Arc::new(epoch))?;
        let outcomes = self.inner.train(&batches);
        self.inner.set_dataset(Arc::clone(&self.plain))?;
        outcomes
    }

    fn predict(&mut self, indices: &[usize]) -> Result<Predictions, EngineError> {
        self.inner.predict(indices)
    }

    fn state(&self) -> Result<TrainState, EngineError> {
        self.inner.state()
    }

    fn restore(&mut self, state: &TrainState) -> Result<(), EngineError> {
        self.inner.restore(state)
    }
}
