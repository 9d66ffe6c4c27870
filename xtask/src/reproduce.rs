//! `cargo xtask reproduce` and `ablation`: set libtorch up where it is missing, then become the program that does it.

use std::{ffi::OsString, os::unix::process::CommandExt};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};

use crate::{project, setup};

/// What can be reproduced. Everything after it is handed on as it is, `--help` too.
#[derive(Subcommand)]
pub enum Target {
    /// Six corpora, by protocol
    #[command(disable_help_flag = true)]
    Table1(Options),
    /// Between corpora, TIM-Net and TCN
    #[command(disable_help_flag = true)]
    Table2(Options),
    /// The ablations
    #[command(disable_help_flag = true)]
    Table3(Options),
    /// Accuracy and loss over epochs
    #[command(disable_help_flag = true)]
    Fig2(Options),
    /// t-SNE of the embeddings
    #[command(disable_help_flag = true)]
    Fig3(Options),
    /// All of these
    #[command(disable_help_flag = true)]
    All(Options),
}

#[derive(Args)]
pub struct Options {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    options: Vec<OsString>,
}

pub const EXAMPLES: &str = "\
Examples:
  cargo xtask reproduce table1                                    synthetic corpora, minutes
  cargo xtask reproduce table1 --data emodb=PATH --seed 46,47     recordings, two seeds
  cargo xtask reproduce table1 --only emodb --protocol last-epoch,speaker-independent
  cargo xtask reproduce all --dry-run                             the plan and its time
  cargo xtask reproduce table1 --help                             every option";

/// Replaces this process, as `cargo run` itself does: signals reach the program and its exit code is ours.
pub fn run(target: Target) -> Result<()> {
    let (name, Options { options }) = match target {
        Target::Table1(options) => ("table1", options),
        Target::Table2(options) => ("table2", options),
        Target::Table3(options) => ("table3", options),
        Target::Fig2(options) => ("fig2", options),
        Target::Fig3(options) => ("fig3", options),
        Target::All(options) => ("all", options),
    };
    serlab(&["reproduce", name], options)
}

/// `serlab merge`.
pub fn merge(Options { options }: Options) -> Result<()> {
    serlab(&["merge"], options)
}

fn serlab(command: &[&str], options: Vec<OsString>) -> Result<()> {
    setup::run(&setup::Options::default())?;
    let mut cargo = project::cargo();
    cargo.args(["run", "--release", "--package", "serlab", "--"]).args(command).args(options);
    Err(cargo.exec()).context("cannot start cargo")
}
