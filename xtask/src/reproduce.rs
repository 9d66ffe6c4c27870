//! `cargo xtask reproduce` and `ablation`: set libtorch up where it is missing, then become the program that does it.

use std::{ffi::OsString, os::unix::process::CommandExt};

use anyhow::{Context, Result};

use crate::{project, setup};

pub const RESULTS: [&str; 6] = ["table1", "table2", "table3", "fig2", "fig3", "all"];

pub const EXAMPLES: &str = "\
Examples:
  cargo xtask reproduce table1                                    synthetic corpora, minutes
  cargo xtask reproduce table1 --data emodb=PATH --seed 46,47     recordings, two seeds
  cargo xtask reproduce table1 --only emodb --protocol last-epoch,speaker-independent
  cargo xtask reproduce all --dry-run                             the plan and its time
  cargo xtask reproduce table1 --help                             every option";

/// Replaces this process, as `cargo run` itself does: signals reach the program and its exit code is ours.
pub fn run(result: &str, options: &[OsString]) -> Result<()> {
    setup::run(&setup::Options::default())?;
    let mut command = project::cargo();
    command
        .args(["run", "--release", "--package", "serlab", "--bin", "serlab", "--", "reproduce", result])
        .args(options);
    Err(command.exec()).context("cannot start cargo")
}
