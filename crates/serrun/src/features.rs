//! What the features of a run are.

use serde::{Deserialize, Serialize};

/// What the features of a run are: `[features]` of an experiment and of `config.toml`, there only where it is not the default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct FeatureSettings {
    /// Where they come from.
    #[serde(skip_serializing_if = "is_default")]
    pub kind: FeatureKind,
    /// Over which frames mean and variance of each coefficient are made 0 and 1.
    #[serde(skip_serializing_if = "is_default")]
    pub normalise: Normalise,
    /// Silence at both ends of a recording is cut off: frames that are more than so many decibels softer than the loudest one
    /// (`librosa.effects.trim`). None: recordings as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trim: Option<f64>,
    /// What is done with the samples beside padding and cropping; nothing where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prepare: Option<Preparation>,
}

/// What is done with the samples of a fixed length, in place of zeros about them or a crop about their centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Preparation {
    /// Cropped, divided by the 99.9th percentile of their magnitudes, clipped, padded, and rounded to 16 bits.
    LightSernet,
}

/// Where features come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeatureKind {
    /// MFCCs of the recordings by the front end.
    #[default]
    Mfcc,
    /// `.npy` files that another program made.
    Files,
}

/// Over which frames features are normalised. With anything but `None`, features are taken of the whole recording, and zero frames pad
/// them or frames are cropped about the centre, where otherwise samples are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalise {
    /// Not at all, as in the paper.
    #[default]
    None,
    /// Those of the utterance.
    Utterance,
    /// Those of all utterances of its speaker in the corpus, those that are tested included.
    Speaker,
    /// Those of its corpus, those that are tested included.
    Corpus,
}

impl FeatureSettings {
    /// MFCCs of recordings as they are, without normalisation.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Normalise {
    /// Whether the frames of a test utterance are normalised together with those of others: features of test recordings then enter the
    /// system.
    pub fn sees_other_utterances(self) -> bool {
        matches!(self, Self::Speaker | Self::Corpus)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
