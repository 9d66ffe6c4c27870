//! What an engine does, whatever computes it.

use crate::{
    data::Batch,
    error::EngineError,
    facts::{EngineFacts, TrainingInputs},
    numbers::first_not_finite,
    state::TrainState,
};

/// What one optimiser step saw, before its update.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepOutcome {
    /// Mean loss of the batch, class weights included.
    pub loss: f32,
    /// Utterances whose largest logit was the true class.
    pub correct: u32,
}

/// Inference results for some utterances.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Predictions {
    /// [utterances, classes]
    pub logits: Vec<f32>,
    /// What the last layer reads, [utterances, width].
    pub embeddings: Vec<f32>,
}

impl Predictions {
    /// # Errors
    /// [`EngineError::NotFinite`] for a logit or an embedding that is NaN or infinite: a softmax or an arg max of it says nothing.
    pub fn check(&self) -> Result<(), EngineError> {
        for (name, values) in [("logit", &self.logits), ("embedding value", &self.embeddings)] {
            if let Some(i) = first_not_finite(values) {
                return Err(EngineError::NotFinite {
                    place: format!("{name} {i} of the network's answer"),
                    value: values[i],
                    advice: "weights or features are too large for single precision",
                });
            }
        }
        Ok(())
    }

    /// Softmax of the logits, `[utterances][classes]`, in single precision, in which finished folds hold it.
    pub fn probabilities(&self, classes: usize) -> Vec<Vec<f32>> {
        self.logits
            .chunks_exact(classes.max(1))
            .map(|row| {
                let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let exp: Vec<f32> = row.iter().map(|v| (v - max).exp()).collect();
                let sum: f32 = exp.iter().sum();
                exp.into_iter().map(|v| v / sum).collect()
            })
            .collect()
    }
}

/// A network in training or use.
pub trait Engine: Send {
    /// Name, numerics version, device and SIMD level.
    fn describe(&self) -> EngineFacts;

    /// Hash of the data set, and the objective: what a checkpoint has to have in common with the engine that goes on from it.
    fn inputs(&self) -> TrainingInputs;

    /// Takes one optimiser step for each batch, in order.
    ///
    /// # Errors
    /// Shapes that do not fit; a failure of the backend. A loss that is NaN or infinite is returned as it is.
    fn train(&mut self, batches: &[Batch]) -> Result<Vec<StepOutcome>, EngineError>;

    /// Inference (running statistics, no dropout) for utterances of the engine's data set.
    ///
    /// # Errors
    /// An index out of range; weights, statistics or logits that are NaN or infinite; a failure of the backend.
    fn predict(&mut self, indices: &[usize]) -> Result<Predictions, EngineError>;

    /// A copy of all that training changes.
    ///
    /// # Errors
    /// A failure of the backend.
    fn state(&self) -> Result<TrainState, EngineError>;

    /// Goes on from `state`.
    ///
    /// # Errors
    /// A state of another configuration or with values that are NaN or infinite; a failure of the backend.
    fn restore(&mut self, state: &TrainState) -> Result<(), EngineError>;
}
