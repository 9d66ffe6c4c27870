//! Whose fault it was, which is what the exit code says.

use serrun::RunError;

/// Why an experiment did not finish.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// Wrong use or bad input: exit code 2.
    #[error("{0}")]
    Input(String),
    /// The work failed: exit code 1.
    #[error("{0}")]
    Work(String),
    /// Stopped on request, everything finished is saved: exit code 1.
    #[error("interrupted; run the same command again to go on from here")]
    Interrupted,
}

/// With [`LabError`].
pub type Result<T> = std::result::Result<T, LabError>;

impl From<RunError> for LabError {
    /// What can't be read or written is failed work; what does not hold what it should is bad input.
    fn from(e: RunError) -> Self {
        match e {
            RunError::Malformed { .. } | RunError::Version { .. } => Self::input(e),
            _ => Self::work(e),
        }
    }
}

impl LabError {
    /// For `map_err`: bad input.
    pub fn input(e: impl std::fmt::Display) -> Self {
        Self::Input(e.to_string())
    }

    /// For `map_err`: failed work.
    pub fn work(e: impl std::fmt::Display) -> Self {
        Self::Work(e.to_string())
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::Input(_) => 2,
            Self::Work(_) | Self::Interrupted => 1,
        }
    }
}
