//! `fold-NN.json`: a finished fold. Its weights stand beside it, in files of the engine's.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{
    error::{Result, RunError},
    file::{put, versioned_json},
    protocol::Protocol,
};

/// Raised when the file's meaning changes.
const VERSION: u32 = 1;

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
    /// Loss on the validation part; None where it was not scored after this epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_loss: Option<f64>,
    /// Accuracy on the validation part; None where it was not scored after this epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_accuracy: Option<f64>,
    /// Loss on the test part; None where it was not scored after this epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_loss: Option<f64>,
    /// Accuracy on the test part; None where it was not scored after this epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_accuracy: Option<f64>,
}

/// The test part as some epoch scores it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// Counted from 1; 0 before any epoch.
    pub epoch: u32,
    /// Accuracy that selected the epoch.
    pub accuracy: f64,
    /// Class probabilities, `[test utterances, classes]`.
    pub probabilities: Vec<Vec<f32>>,
}

/// Scores of a finished fold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FinishedFold {
    version: u32,
    /// One record an epoch.
    pub records: Vec<EpochRecord>,
    /// The last epoch.
    pub last: Scored,
    /// The best epoch on the test part.
    pub best: Scored,
    /// The best epoch on the validation part, if there is one.
    pub validated: Option<Scored>,
}

impl FinishedFold {
    /// Of what a training gave.
    pub fn new(records: Vec<EpochRecord>, last: Scored, best: Scored, validated: Option<Scored>) -> Self {
        Self { version: VERSION, records, last, best, validated }
    }

    /// Writes it. Where it is, the fold is whole, so everything else of the fold is written before.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, path: &Path) -> Result<()> {
        put(path, &serde_json::to_vec(self).map_err(|e| RunError::value(path, e))?)
    }

    /// None where the fold is not finished.
    ///
    /// # Errors
    /// A file of another version or no fold at all.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        versioned_json(path, VERSION)
    }

    /// What a protocol reports; None where the fold has no validation part and the protocol chooses the epoch on one.
    pub fn scored(&self, protocol: Protocol) -> Option<&Scored> {
        match protocol {
            Protocol::LastEpoch | Protocol::SpeakerIndependent => Some(&self.last),
            Protocol::BestEpoch => Some(&self.best),
            Protocol::Validated => self.validated.as_ref(),
        }
    }
}

/// Where a fold's scores are, in the folder of its training; its other files begin with the same name.
pub fn fold_file(training: &Path, fold: usize) -> PathBuf {
    training.join(format!("fold-{fold:02}.json"))
}
