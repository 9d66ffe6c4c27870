//! What can go wrong in an engine.

use crate::{setting::SettingError, weights::WeightsError};

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
    Setting(#[from] SettingError),
    /// The backend failed.
    #[error("{backend}: {message}")]
    Backend {
        /// Which backend.
        backend: &'static str,
        /// Its words.
        message: String,
    },
}
