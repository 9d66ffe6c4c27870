//! What can go wrong.

use std::path::{Path, PathBuf};

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
    /// A file that is there but can't be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that does not hold what it should.
    #[error("{}: {what}; make the run again, or leave the folder out", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its place.
        what: String,
    },
    /// A file of a later or earlier program.
    #[error(
        "{}: version {found}, this program reads {expected}; start the run's own command (or `merge`) again, which keeps finished \
         folds and makes the tables anew, or report with the program that made the run",
        path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version that is read.
        expected: u32,
    },
    /// A margin that is no margin.
    #[error("margin {0}: a number of points above 0 is wanted, such as 2")]
    Margin(f64),
    /// The report can't be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl ReportError {
    /// Exit code of a program that ends with it: 1 where the work failed, 2 where the input was wrong.
    #[must_use]
    pub fn code(&self) -> u8 {
        if matches!(self, Self::Write { .. }) { 1 } else { 2 }
    }

    pub(crate) fn malformed(path: &Path, what: impl ToString) -> Self {
        Self::Malformed { path: path.to_owned(), what: what.to_string() }
    }
}

/// The crate's results.
pub type Result<T> = std::result::Result<T, ReportError>;
