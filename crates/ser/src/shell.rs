//! Shell completions and man pages, both made from the command line's own definition.

use std::path::PathBuf;

use clap::Command;

use crate::{
    failure::{Failure, Result},
    output,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ser completions bash > ~/.local/share/bash-completion/completions/ser
  ser completions zsh > ~/.zfunc/_ser
  ser completions fish > ~/.config/fish/completions/ser.fish")]
pub struct Completions {
    /// bash, elvish, fish, powershell or zsh.
    shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ser man | man -l -
  ser man -o ~/.local/share/man/man1")]
pub struct Man {
    /// Write a page for each command into this folder, in place of the main page to stdout.
    #[arg(short, long, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

/// Prints a completion script.
///
/// # Errors
/// Those of stdout.
pub fn completions(args: &Completions, mut command: Command) -> Result<()> {
    let mut bytes = Vec::new();
    clap_complete::generate(args.shell, &mut command, "ser", &mut bytes);
    output::write(None, &bytes)
}

/// Prints or writes man pages.
///
/// # Errors
/// A folder that can't be written.
pub fn man(args: &Man, command: Command) -> Result<()> {
    match &args.output {
        Some(folder) => {
            std::fs::create_dir_all(folder).map_err(Failure::work)?;
            clap_mangen::generate_to(command, folder).map_err(Failure::work)
        }
        None => {
            let mut bytes = Vec::new();
            clap_mangen::Man::new(command).render(&mut bytes).map_err(Failure::work)?;
            output::write(None, &bytes)
        }
    }
}
