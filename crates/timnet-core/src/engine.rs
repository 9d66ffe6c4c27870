//! What an engine does, whatever computes it.

use serde::{Deserialize, Serialize};

use crate::{
    config::ModelConfig,
    facts::{EngineFacts, TrainingInputs},
    weights::Weights,
};

/// Features and labels of a corpus, resident for a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// [utterances, frames, coefficients], row-major.
    pub features: Vec<f32>,
    /// Class of each utterance.
    pub labels: Vec<usize>,
    /// Frames T of every utterance.
    pub frames: usize,
    /// Coefficients of every frame.
    pub coefficients: usize,
}

impl Dataset {
    /// # Errors
    /// [`EngineError::Shape`] where the lengths do not fit together.
    pub fn new(
        features: Vec<f32>,
        labels: Vec<usize>,
        frames: usize,
        coefficients: usize,
    ) -> Result<Self, EngineError> {
        let expected = labels.len() * frames * coefficients;
        if features.len() != expected || frames == 0 {
            return Err(EngineError::Shape(format!(
                "{} feature values for {} utterances of {frames} frames x {coefficients} coefficients",
                features.len(),
                labels.len()
            )));
        }
        Ok(Self { features, labels, frames, coefficients })
    }

    /// Number of utterances.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no utterance.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// [frames, coefficients] of utterance `i`.
    pub fn utterance(&self, i: usize) -> &[f32] {
        let size = self.frames * self.coefficients;
        &self.features[i * size..(i + 1) * size]
    }

    /// # Errors
    /// [`EngineError::Shape`] where the data does not fit the network.
    pub fn check(&self, config: &ModelConfig) -> Result<(), EngineError> {
        if self.coefficients != config.coefficients {
            return Err(EngineError::Shape(format!(
                "features have {} coefficients, the network takes {}",
                self.coefficients, config.coefficients
            )));
        }
        match self.labels.iter().find(|&&label| label >= config.classes) {
            Some(label) => Err(EngineError::Shape(format!("label {label} of a network of {} classes", config.classes))),
            None => Ok(()),
        }
    }
}

/// One optimiser step's input.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Utterances of the [`Dataset`].
    pub indices: Vec<u32>,
    /// [sites, batch, channels] factors of spatial dropout (see [`crate::streams::epoch`]); empty without dropout.
    pub dropout: Vec<f32>,
}

/// Adam (Kingma and Ba 2015) in Keras' form:
/// p -= lr sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + eps).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Adam {
    /// Step size.
    pub learning_rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Self { learning_rate: 1e-3, beta1: 0.93, beta2: 0.98, eps: 1e-8 }
    }
}

impl Adam {
    /// The factor on m / (sqrt(v) + eps) at step `t`, counted from 1.
    pub fn rate(&self, t: u64) -> f64 {
        self.learning_rate * (1.0 - self.beta2.powf(t as f64)).sqrt() / (1.0 - self.beta1.powf(t as f64))
    }
}

/// What training minimises and how.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Objective {
    /// Cross entropy is taken against (1 - s) onehot + s / classes.
    pub label_smoothing: f64,
    /// The optimiser.
    pub adam: Adam,
}

impl Default for Objective {
    fn default() -> Self {
        Self { label_smoothing: 0.1, adam: Adam::default() }
    }
}

/// What one optimiser step saw, before its update.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepOutcome {
    /// Mean loss of the batch.
    pub loss: f32,
    /// Utterances whose largest logit was the true class.
    pub correct: u32,
}

/// Inference results for some utterances.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Predictions {
    /// [utterances, classes]
    pub logits: Vec<f32>,
    /// g_drf, [utterances, coefficients]
    pub embeddings: Vec<f32>,
}

impl Predictions {
    /// Softmax of the logits, [utterances][classes].
    pub fn probabilities(&self, classes: usize) -> Vec<Vec<f32>> {
        self.logits
            .chunks_exact(classes)
            .map(|row| {
                let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let exp: Vec<f32> = row.iter().map(|v| (v - max).exp()).collect();
                let sum: f32 = exp.iter().sum();
                exp.into_iter().map(|v| v / sum).collect()
            })
            .collect()
    }
}

/// All that training changes; what a checkpoint holds.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainState {
    /// Parameters and running statistics.
    pub weights: Weights,
    /// Adam's first moment, laid out as the parameters.
    pub first_moment: Vec<f32>,
    /// Adam's second moment.
    pub second_moment: Vec<f32>,
    /// Optimiser steps taken.
    pub steps: u64,
}

impl TrainState {
    /// Before the first step.
    pub fn start(weights: Weights) -> Self {
        let zeros = vec![0.0; weights.parameters.len()];
        Self { weights, first_moment: zeros.clone(), second_moment: zeros, steps: 0 }
    }
}

/// A network in training or use. Implemented on libtorch by `timnet` and in plain Rust by `timnet-native`.
pub trait Engine: Send {
    /// Name, numerics version, device and SIMD level.
    fn describe(&self) -> EngineFacts;

    /// Hash of the data set, and the objective: what a checkpoint has to have in common with the engine that goes on from it.
    fn inputs(&self) -> TrainingInputs;

    /// Takes one optimiser step for each batch, in order.
    ///
    /// # Errors
    /// Shapes that do not fit; a failure of the backend.
    fn train(&mut self, batches: &[Batch]) -> Result<Vec<StepOutcome>, EngineError>;

    /// Inference (running statistics, no dropout) for utterances of the engine's data set.
    ///
    /// # Errors
    /// An index out of range; a failure of the backend.
    fn predict(&mut self, indices: &[usize]) -> Result<Predictions, EngineError>;

    /// A copy of all that training changes.
    ///
    /// # Errors
    /// A failure of the backend.
    fn state(&self) -> Result<TrainState, EngineError>;

    /// Goes on from `state`.
    ///
    /// # Errors
    /// A state of another configuration; a failure of the backend.
    fn restore(&mut self, state: &TrainState) -> Result<(), EngineError>;
}

/// Why an engine stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// Shapes that do not fit together.
    #[error("shapes do not fit: {0}")]
    Shape(String),
    /// The backend failed.
    #[error("{backend}: {message}")]
    Backend {
        /// Which backend.
        backend: &'static str,
        /// Its words.
        message: String,
    },
}
