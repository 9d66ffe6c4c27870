//! What can go wrong.

use std::path::PathBuf;

use serrun::RunError;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// Nothing to report on.
    #[error("no run folder given; name at least one, such as runs/table1-0123456789ab")]
    NoRuns,
    /// A folder without `metrics.json`.
    #[error("{}: not a finished run, it has no metrics.json; finish it with the command it was started with", .0.display())]
    Unfinished(PathBuf),
    /// A file of a run, or of the report.
    #[error("{}{}", .0, advice(.0))]
    File(#[from] RunError),
    /// A margin that is no margin.
    #[error("margin {0}: a number of points above 0 is wanted, such as 2")]
    Margin(f64),
}

/// What to do about a file of a run.
fn advice(e: &RunError) -> &'static str {
    match e {
        RunError::Malformed { .. } => "; make the run again, or leave the folder out",
        RunError::Version { .. } => {
            "; start the run's own command (or `merge`) again, which keeps finished folds and makes the tables anew, or report with the \
             program that made the run"
        }
        _ => "",
    }
}

impl ReportError {
    /// Exit code of a program that ends with it: 1 where the work failed, 2 where the input was wrong.
    #[must_use]
    pub fn code(&self) -> u8 {
        if matches!(self, Self::File(RunError::Write { .. } | RunError::Value { .. })) { 1 } else { 2 }
    }
}

/// The crate's results.
pub type Result<T> = std::result::Result<T, ReportError>;
