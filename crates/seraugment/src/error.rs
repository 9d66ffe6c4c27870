use std::path::PathBuf;

use seraudio::AudioError;

/// # Errors
/// [`AugmentError::Parameter`] where the value is not in `low..=high`.
pub(crate) fn parameter(what: &'static str, given: f64, low: f64, high: f64) -> Result<(), AugmentError> {
    if (low..=high).contains(&given) { Ok(()) } else { Err(AugmentError::Parameter { what, given, low, high }) }
}

/// # Errors
/// [`AugmentError::NotFinite`] with the first sample that is not.
pub(crate) fn finite(samples: &[f32]) -> Result<(), AugmentError> {
    match samples.iter().position(|x| !x.is_finite()) {
        Some(index) => Err(AugmentError::NotFinite { index, value: samples[index] }),
        None => Ok(()),
    }
}

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
    /// A parameter that is not a number or beyond what makes sense.
    #[error("{what} = {given}: from {low} to {high} wanted")]
    Parameter {
        /// Name and unit.
        what: &'static str,
        /// What was given.
        given: f64,
        /// Least allowed.
        low: f64,
        /// Most allowed.
        high: f64,
    },
    /// A sample that is not a number, which some steps would make one of.
    #[error("sample {index} is {value}; only finite samples can be augmented")]
    NotFinite {
        /// Index of the first such sample.
        index: usize,
        /// Its value.
        value: f32,
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
