//! Shell completions and man pages, both made from the command line's own definition.

use std::path::PathBuf;

use clap::Command;

use crate::{
    failure::{Failure, Result},
    output::{self, Target},
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ser completions bash > ~/.local/share/bash-completion/completions/ser
  ser completions zsh > ~/.zfunc/_ser
  ser completions fish > ~/.config/fish/completions/ser.fish")]
pub struct Completions {
    /// bash, elvish, fish, powershell or zsh.
    pub shell: sercli::Shell,
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

/// Prints or writes man pages.
///
/// # Errors
/// A folder that can't be written, a file of a page's name that is no page.
pub fn man(args: &Man, command: Command) -> Result<()> {
    match &args.output {
        Some(folder) => {
            std::fs::create_dir_all(folder).map_err(Failure::work)?;
            let mut command = command.disable_help_subcommand(true);
            command.build();
            let mut pages = Vec::new();
            collect(&command, &mut pages);
            for page in pages {
                let mut bytes = Vec::new();
                page.render(&mut bytes).map_err(Failure::work)?;
                Target::file(&folder.join(page.get_filename()), output::MAN, [])?.write(&bytes)?;
            }
            Ok(())
        }
        None => {
            let mut bytes = Vec::new();
            clap_mangen::Man::new(command).render(&mut bytes).map_err(Failure::work)?;
            output::print_bytes(&bytes)
        }
    }
}

/// A page for the command and for each command below it.
fn collect(command: &Command, pages: &mut Vec<clap_mangen::Man>) {
    command.get_subcommands().filter(|c| !c.is_hide_set()).for_each(|c| collect(c, pages));
    pages.push(clap_mangen::Man::new(command.clone()));
}
