//! Whose fault it was, which is what the exit code says.

use std::{fmt::Display, process::ExitCode};

/// Why a command did not do what was asked.
#[derive(Debug)]
pub enum Failure {
    /// Wrong use or bad input: exit code 2.
    Input(String),
    /// The work failed: exit code 1.
    Work(String),
    /// All was said on stdout already: exit code 1.
    Told,
}

/// With [`Failure`].
pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// For `map_err`.
    pub fn input(e: impl Display) -> Self {
        Self::Input(e.to_string())
    }

    /// For `map_err`.
    pub fn work(e: impl Display) -> Self {
        Self::Work(e.to_string())
    }

    /// Says it on stderr and gives the exit code.
    pub fn report(self) -> ExitCode {
        let (message, code) = match self {
            Self::Input(message) => (message, 2),
            Self::Work(message) => (message, 1),
            Self::Told => return ExitCode::from(1),
        };
        // Red on a terminal, unless NO_COLOR says otherwise.
        anstream::eprintln!("\u{1b}[1;31merror:\u{1b}[0m {message}");
        ExitCode::from(code)
    }
}
