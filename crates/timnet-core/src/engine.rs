//! What an engine does, whatever computes it.

use serde::{Deserialize, Serialize};

use crate::{
    config::{ConfigError, ModelConfig},
    facts::{EngineFacts, TrainingInputs},
    layout::Layout,
    numbers::first_not_finite,
    weights::{Weights, WeightsError},
};

/// Features and labels of a corpus, resident for a run. At least one utterance, and every feature is finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    features: Vec<f32>,
    labels: Vec<usize>,
    frames: usize,
    coefficients: usize,
}

impl Dataset {
    /// `features` is [utterances, frames, coefficients], row-major; `labels` has the class of each utterance.
    ///
    /// # Errors
    /// [`EngineError::Shape`] where the lengths do not fit together or there is nothing, [`EngineError::NotFinite`] with the
    /// place of the first feature that is NaN or infinite.
    pub fn new(
        features: Vec<f32>,
        labels: Vec<usize>,
        frames: usize,
        coefficients: usize,
    ) -> Result<Self, EngineError> {
        let expected = labels.len().checked_mul(frames).and_then(|n| n.checked_mul(coefficients));
        if expected != Some(features.len()) || features.is_empty() {
            return Err(EngineError::Shape(format!(
                "{} feature values for {} utterances of {frames} frames x {coefficients} coefficients; none of the four may be 0",
                features.len(),
                labels.len()
            )));
        }
        if let Some(i) = first_not_finite(&features) {
            let (frame, coefficient) = (i / coefficients, i % coefficients);
            return Err(EngineError::NotFinite {
                place: format!("utterance {}, frame {}, coefficient {coefficient}", frame / frames, frame % frames),
                value: features[i],
                advice: "look at that recording and its features",
            });
        }
        Ok(Self { features, labels, frames, coefficients })
    }

    /// [utterances, frames, coefficients], row-major.
    pub fn features(&self) -> &[f32] {
        &self.features
    }

    /// Class of each utterance.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// Frames T of every utterance.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Coefficients of every frame.
    pub fn coefficients(&self) -> usize {
        self.coefficients
    }

    /// Number of utterances.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// False: there is at least one utterance.
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

/// # Errors
/// [`EngineError::Shape`] for an index beyond a data set of so many utterances.
pub fn check_indices(indices: impl IntoIterator<Item = usize>, utterances: usize) -> Result<(), EngineError> {
    match indices.into_iter().find(|&i| i >= utterances) {
        Some(i) => Err(EngineError::Shape(format!("utterance {i} of a data set of {utterances}"))),
        None => Ok(()),
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

impl Batch {
    /// # Errors
    /// [`EngineError::Shape`] for no utterance, one beyond a data set of `utterances`, or another number of dropout factors than the network
    /// needs; [`EngineError::NotFinite`] for a factor that is NaN or infinite.
    pub fn check(&self, config: &ModelConfig, utterances: usize) -> Result<(), EngineError> {
        if self.indices.is_empty() {
            return Err(EngineError::Shape("a batch without utterances".into()));
        }
        check_indices(self.indices.iter().map(|&i| i as usize), utterances)?;
        let factors = config.sites() * self.indices.len() * config.coefficients;
        if !self.dropout.is_empty() && self.dropout.len() != factors {
            let found = self.dropout.len();
            return Err(EngineError::Shape(format!("{found} dropout factors where {factors} are needed")));
        }
        match first_not_finite(&self.dropout) {
            None => Ok(()),
            Some(i) => Err(EngineError::NotFinite {
                place: format!("dropout factor {i} of a batch"),
                value: self.dropout[i],
                advice: "factors are 0 or 1 / (1 - p)",
            }),
        }
    }
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
    /// # Errors
    /// [`ConfigError::Setting`] for a value that is not finite or out of its range, by name.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let decay = "at least 0 and below 1";
        setting(
            "learning_rate",
            self.learning_rate,
            0.0 < self.learning_rate && self.learning_rate <= 1e3,
            "above 0 and at most 1000",
        )?;
        setting("beta1", self.beta1, (0.0..1.0).contains(&self.beta1), decay)?;
        setting("beta2", self.beta2, (0.0..1.0).contains(&self.beta2), decay)?;
        // Below that, eps is 0 in single precision, and a parameter without a gradient becomes 0 / 0.
        setting("eps", self.eps, (1e-30..=1.0).contains(&self.eps), "at least 1e-30 and at most 1")
    }

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

impl Objective {
    /// # Errors
    /// [`ConfigError::Setting`] for a value that is not finite or out of its range, by name.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let s = self.label_smoothing;
        setting("label_smoothing", s, (0.0..1.0).contains(&s), "at least 0 and below 1")?;
        self.adam.validate()
    }
}

fn setting(key: &'static str, value: f64, fine: bool, must: &'static str) -> Result<(), ConfigError> {
    if fine { Ok(()) } else { Err(ConfigError::Setting { key, value, must }) }
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

    /// Softmax of the logits, `[utterances][classes]`.
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

    /// # Errors
    /// As [`Weights::check`]; moments of another length than the parameters', or which are NaN, infinite or (the second) negative, by
    /// the tensor that they belong to.
    pub fn check(&self) -> Result<(), WeightsError> {
        self.weights.check()?;
        let expected = self.weights.parameters.len();
        let found = (self.first_moment.len(), self.second_moment.len());
        if found != (expected, expected) {
            return Err(WeightsError::Moments { found, expected });
        }
        let tensors = Layout::new(&self.weights.config).tensors;
        crate::weights::check_values("first moment of ", &tensors, &self.first_moment, |_| false)?;
        crate::weights::check_values("second moment of ", &tensors, &self.second_moment, |_| true)
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

/// Why an engine stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// Shapes that do not fit together.
    #[error("shapes do not fit: {0}")]
    Shape(String),
    /// A NaN or an infinity.
    #[error("{place} (counted from 0) is {value}, which is no finite number; {advice}")]
    NotFinite {
        /// Where it stands.
        place: String,
        /// NaN or an infinity.
        value: f32,
        /// What to do.
        advice: &'static str,
    },
    /// Weights or moments that can't be used.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// Settings that can't be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The backend failed.
    #[error("{backend}: {message}")]
    Backend {
        /// Which backend.
        backend: &'static str,
        /// Its words.
        message: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::{Key, initial};

    #[test]
    fn features_that_are_no_numbers_are_named() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut features = vec![0.5; 3 * 4 * 5];
            features[2 * 20 + 3 * 5 + 1] = bad;
            let text = Dataset::new(features, vec![0; 3], 4, 5).unwrap_err().to_string();
            assert!(
                text.starts_with(&format!("utterance 2, frame 3, coefficient 1 (counted from 0) is {bad}")),
                "{text}"
            );
        }
    }

    /// Nothing, or lengths whose product wraps round to the number of values.
    #[test]
    fn a_data_set_without_values_is_an_error() {
        for (labels, frames, coefficients) in [(0, 1, 1), (1, 0, 1), (1, 1, 0), (4, 1 << 62, 4), (0, 0, 0)] {
            let data = Dataset::new(Vec::new(), vec![0; labels], frames, coefficients);
            assert!(matches!(data, Err(EngineError::Shape(_))), "{labels} {frames} {coefficients}");
        }
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let fine = Objective::default();
        fine.validate().unwrap();
        let with = |change: &dyn Fn(&mut Objective)| {
            let mut objective = fine;
            change(&mut objective);
            objective.validate().unwrap_err().to_string()
        };
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
            let named = [
                ("label_smoothing", with(&|o| o.label_smoothing = bad)),
                ("learning_rate", with(&|o| o.adam.learning_rate = bad)),
                ("beta1", with(&|o| o.adam.beta1 = bad)),
                ("beta2", with(&|o| o.adam.beta2 = bad)),
                ("eps", with(&|o| o.adam.eps = bad)),
            ];
            for (key, text) in named {
                assert!(text.starts_with(&format!("training setting `{key}` is {bad}; it must be")), "{text}");
            }
        }
        with(&|o| o.adam.learning_rate = 0.0);
        with(&|o| o.adam.eps = 0.0);
        with(&|o| o.adam.beta1 = 1.0);
        let config = ModelConfig { dropout: 0.999_999_999, ..ModelConfig::timnet(1, 2) };
        assert!(config.validate().is_err());
    }

    #[test]
    fn moments_that_are_no_numbers_are_named() {
        let state = TrainState::start(initial(&ModelConfig::timnet(1, 2), Key { seed: 1, fold: 0 }));
        let mut bad = state.clone();
        bad.first_moment[0] = f32::NAN;
        assert!(bad.check().unwrap_err().to_string().starts_with("first moment of `forward.stem.weight` has NaN"));
        let mut bad = state.clone();
        bad.second_moment[1] = -1.0;
        assert!(bad.check().unwrap_err().to_string().starts_with("second moment of `forward.stem.weight` has -1"));
        let short = TrainState { first_moment: Vec::new(), ..state };
        assert!(matches!(short.check(), Err(WeightsError::Moments { .. })));
    }
}
