#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod log;
mod seconds;

use std::{
    fmt::Display,
    io::{self, ErrorKind, Write},
    str::FromStr,
};

use clap::builder::{PossibleValuesParser, TypedValueParser};
pub use clap_complete::Shell;

pub use log::{Lines, Verbosity, shows_progress};
pub use seconds::{Seconds, duration};

/// Value parser of the names `known`. Shells complete them; a wrong name is an error that lists them and says the nearest.
pub fn names<T>(known: impl IntoIterator<Item = &'static str>) -> impl TypedValueParser<Value = T>
where
    T: FromStr + Clone + Send + Sync + 'static,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    PossibleValuesParser::new(known).try_map(|name| name.parse::<T>())
}

/// Prints the completion script of `command` for `shell` to stdout.
///
/// # Errors
/// Those of stdout.
pub fn completions(shell: Shell, mut command: clap::Command) -> io::Result<()> {
    let mut bytes = Vec::new();
    let name = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, name, &mut bytes);
    print_bytes(&bytes)
}

/// Bytes to stdout. A closed pipe is the reader's choice, not a failure.
///
/// # Errors
/// Those of stdout.
pub fn print_bytes(bytes: &[u8]) -> io::Result<()> {
    match io::stdout().write_all(bytes) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(e),
        _ => Ok(()),
    }
}

/// A line of text to stdout, as [`print_bytes`].
///
/// # Errors
/// Those of stdout.
pub fn print(text: &(impl Display + ?Sized)) -> io::Result<()> {
    print_bytes(format!("{text}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[arg(long, value_parser = names::<String>(["last-epoch", "best-epoch"]))]
        protocol: String,
    }

    #[test]
    fn a_name_completes_and_a_wrong_one_says_the_nearest() {
        assert_eq!(Program::try_parse_from(["p", "--protocol", "best-epoch"]).unwrap().protocol, "best-epoch");
        let said = Program::try_parse_from(["p", "--protocol", "last-epok"]).unwrap_err().to_string();
        assert!(said.contains("similar value exists: 'last-epoch'") && said.contains("best-epoch"), "{said}");
    }
}
