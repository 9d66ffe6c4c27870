//! What can go wrong with a file of a run folder.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a file can't be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A file that is there but can't be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that can't be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that does not hold what it should.
    #[error("{}: {what}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its place.
        what: String,
    },
    /// A file of a later or earlier program.
    #[error("{}: version {found}, this program reads {expected}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version that is read.
        expected: u32,
    },
    /// A value that can't be put into a file.
    #[error("cannot write {}: {what}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

impl RunError {
    /// A file that does not hold what it should.
    pub fn malformed(path: &Path, what: impl ToString) -> Self {
        Self::Malformed { path: path.to_owned(), what: what.to_string() }
    }

    pub(crate) fn value(path: &Path, what: impl ToString) -> Self {
        Self::Value { path: path.to_owned(), what: what.to_string() }
    }
}

/// The crate's results.
pub type Result<T> = std::result::Result<T, RunError>;
