//! The model and its answers.

use std::{fs::File, io::Read, path::Path};

use seraudio::Resampler;
use serengine::{Weights, WeightsError, argmax, softmax};
use sermfcc::{Extractor, FrontEnd};
use timnet_core::ModelConfig;
use timnet_native::{Network, Output};

use crate::{Card, ModelError, Normalise};

/// The largest file that is read, in bytes: about twice the weights of the largest configuration.
const MOST_BYTES: u64 = 1 << 30;
/// The most values that the log-mel spectrum of a training utterance may have: 256 MiB, 2^28 samples of the presets.
const MOST_VALUES: usize = 1 << 26;

/// Samples of a frame, and from one frame to the next, where silence is looked for: librosa's.
const TRIM_FRAME: usize = 2048;
const TRIM_HOP: usize = 512;

/// A model ready to answer. It never changes, so threads may share it.
#[derive(Clone, Debug)]
pub struct Model {
    weights: Weights,
    card: Card,
    network: Network,
    extractor: Extractor<f32>,
    resampler: Resampler,
}

/// MFCCs together with how they were made.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    /// [frames, coefficients], row by row.
    pub values: Vec<f32>,
    /// Number of frames.
    pub frames: usize,
    /// What they were made with.
    pub front_end: FrontEnd,
}

/// What a model says of one utterance.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// One a class, calibrated: softmax of logits / temperature.
    pub probabilities: Vec<f32>,
    /// The most probable class, an index into [`Card::labels`].
    pub label: usize,
    /// Its probability.
    pub confidence: f32,
    /// Whether the confidence is below the model's threshold: better to say "unknown" than the label.
    pub abstained: bool,
    /// What the network said: logits, embedding, the blocks' features and attention. Its probabilities are uncalibrated.
    pub output: Output,
}

impl Model {
    /// # Errors
    /// A card that does not fit the weights, weights that do not fit their configuration or are not finite.
    pub fn new(weights: Weights, mut card: Card) -> Result<Self, ModelError> {
        finite("the weights", weights.parameters.iter().chain(&weights.statistics))?;
        let network = Network::from_weights(&weights)?;
        card.settle(network.config())?;
        let bad = |e: &dyn std::fmt::Display| ModelError::Card { key: "front_end", reason: e.to_string() };
        let (frames, bands) = (card.front_end.frames(card.length), card.front_end.n_mels);
        if frames.saturating_mul(bands) > MOST_VALUES {
            let reason =
                format!("{frames} frames of {bands} bands in a training utterance, at most {MOST_VALUES} values");
            return Err(ModelError::Card { key: "length", reason });
        }
        let extractor = Extractor::new(&card.front_end).map_err(|e| bad(&e))?;
        let resampler = card.front_end.resampler.parse().map_err(|e| bad(&e))?;
        Ok(Self { weights, card, network, extractor, resampler })
    }

    /// Reads a model file from memory.
    ///
    /// # Errors
    /// Bytes that are no model file, by what is wrong with them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let (weights, metadata) = Weights::from_safetensors::<ModelConfig>(bytes)?;
        Self::new(weights, Card::from_metadata(&metadata)?)
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// As [`Self::from_bytes`], and a file that can't be read or is larger than any model.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        let unreadable = |source| WeightsError::Read { path: path.display().to_string(), source };
        let file = File::open(path).map_err(unreadable)?;
        let mut bytes = Vec::new();
        // A device has no length, so both are looked at.
        let length = file.metadata().map_err(unreadable)?.len();
        if length <= MOST_BYTES {
            file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        }
        if length.max(bytes.len() as u64) > MOST_BYTES {
            return Err(ModelError::TooLarge { path: path.display().to_string(), most: MOST_BYTES });
        }
        Self::from_bytes(&bytes)
    }

    /// The model file: safetensors with the card in its metadata. Equal models, equal bytes.
    ///
    /// # Errors
    /// None that a model once made can have.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        Ok(self.weights.to_safetensors(&self.card.to_metadata()?)?)
    }

    /// What the file says about its weights.
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// Names of the classes.
    pub fn labels(&self) -> &[String] {
        &self.card.labels
    }

    /// Parameters and running statistics.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// The network itself, with its configuration.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The filter that brings recordings to the front end's rate.
    pub fn resampler(&self) -> Resampler {
        self.resampler
    }

    /// One utterance's samples as in training: resampled, trimmed, padded or cut to the training length. `samples` are mono in
    /// [-1, 1] at `rate` Hz; `seraudio` reads them from any recording.
    ///
    /// # Errors
    /// A rate of 0.
    pub fn fitted(&self, samples: &[f32], rate: u32) -> Result<Vec<f32>, ModelError> {
        Ok(seraudio::fit_length(&self.trimmed(samples, rate)?, self.card.length))
    }

    /// At the front end's rate, without the silence at both ends that the card cuts off.
    fn trimmed(&self, samples: &[f32], rate: u32) -> Result<Vec<f32>, ModelError> {
        let to = self.card.front_end.sample_rate;
        let mut samples = match rate == to {
            true => samples.to_vec(),
            false => seraudio::resample(samples, rate, to, self.resampler)?,
        };
        if let Some(decibels) = self.card.trim {
            let sound = sermfcc::trim(&samples, decibels, TRIM_FRAME, TRIM_HOP);
            samples.truncate(sound.end);
            samples.drain(..sound.start);
        }
        Ok(samples)
    }

    /// The features of one utterance as in training: MFCCs of [`Self::fitted`], or where the card normalises them those of all of
    /// its samples, normalised, and then padded or cut to as many frames.
    ///
    /// # Errors
    /// A rate of 0, samples that are not finite.
    pub fn features(&self, samples: &[f32], rate: u32) -> Result<Features, ModelError> {
        let (frames, front_end) = (self.card.front_end.frames(self.card.length), self.card.front_end.clone());
        let values = match self.card.normalise {
            Normalise::None => self.extractor.mfcc(&self.fitted(samples, rate)?)?.into_raw_vec_and_offset().0,
            Normalise::Utterance => {
                let samples = self.trimmed(samples, rate)?;
                let least = samples.len().max(front_end.shortest());
                let mut values = self.extractor.mfcc(&seraudio::fit_length(&samples, least))?;
                sermfcc::normalise(values.view_mut(), true);
                let coefficients = front_end.n_mfcc;
                fit_frames(&values.into_raw_vec_and_offset().0, coefficients, frames)
            }
        };
        Ok(Features { values, frames, front_end })
    }

    /// [`Self::features`] and [`Self::predict_features`].
    ///
    /// # Errors
    /// As there.
    pub fn predict(&self, samples: &[f32], rate: u32) -> Result<Prediction, ModelError> {
        self.predict_features(&self.features(samples, rate)?)
    }

    /// What the model says of features of any number of frames.
    ///
    /// # Errors
    /// [`ModelError::OtherFrontEnd`] for features of another front end; values that do not make `frames` rows or are not
    /// finite; [`ModelError::NotFinite`] where the network's logits overflow.
    pub fn predict_features(&self, features: &Features) -> Result<Prediction, ModelError> {
        let (found, expected) = (&features.front_end, &self.card.front_end);
        if found != expected {
            let differences = found.differences(expected).into_iter();
            let differences: Vec<_> = differences.map(|d| format!("{} = {}, not {}", d.key, d.a, d.b)).collect();
            return Err(ModelError::OtherFrontEnd {
                found: found.fingerprint(),
                expected: expected.fingerprint(),
                differences: differences.join("; "),
            });
        }
        finite("the features", features.values.iter())?;
        let output = self.network.forward(&features.values, features.frames)?;
        finite("the logits", output.logits.iter())?;
        Ok(self.judge(output))
    }

    /// Whether an answer of that confidence had better be "unknown"; always where it is not a number.
    pub fn abstains(&self, confidence: f32) -> bool {
        confidence.is_nan() || self.card.threshold.is_some_and(|threshold| f64::from(confidence) < threshold)
    }

    fn judge(&self, output: Output) -> Prediction {
        let probabilities = softmax(&output.logits, self.card.temperature.unwrap_or(1.0));
        let probabilities: Vec<f32> = probabilities.into_iter().map(|p| p as f32).collect();
        let label = argmax(&probabilities);
        let confidence = probabilities[label];
        Prediction { probabilities, label, confidence, abstained: self.abstains(confidence), output }
    }
}

/// Zero frames before and behind, the odd one behind, or cropped about the centre, as [`seraudio::fit_length`] does it with samples.
fn fit_frames(values: &[f32], coefficients: usize, frames: usize) -> Vec<f32> {
    let found = values.len() / coefficients;
    if found >= frames {
        return values[(found - frames) / 2 * coefficients..][..frames * coefficients].to_vec();
    }
    let mut out = vec![0.0; frames * coefficients];
    out[(frames - found) / 2 * coefficients..][..values.len()].copy_from_slice(values);
    out
}

/// # Errors
/// [`ModelError::NotFinite`] with the first value that is none.
fn finite<'a>(what: &'static str, values: impl Iterator<Item = &'a f32>) -> Result<(), ModelError> {
    match values.enumerate().find(|(_, value)| !value.is_finite()) {
        Some((index, &value)) => Err(ModelError::NotFinite { what, index, value }),
        None => Ok(()),
    }
}
