use std::path::PathBuf;

use seraudio::AudioError;

/// Why nothing can be augmented.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AugmentError {
    /// No such step.
    #[error("no augmentation named `{name}`; there are {known}")]
    UnknownStep {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A range that is none, or beyond what makes sense.
    #[error("`{step}={given}`: {step} takes LOW..HIGH within {low}..{high} {unit}, or one number")]
    Range {
        /// The step.
        step: &'static str,
        /// What was given.
        given: String,
        /// Least allowed.
        low: f64,
        /// Most allowed.
        high: f64,
        /// Unit of both.
        unit: &'static str,
    },
    /// A step named twice.
    #[error("augmentation `{0}` is named twice")]
    Twice(&'static str),
    /// A folder without a recording.
    #[error("{0}: no recording to be used as noise")]
    NoNoise(PathBuf),
    /// The folder can't be read.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A recording of noise can't be used, or a rate can't be made.
    #[error(transparent)]
    Audio(#[from] AudioError),
}
