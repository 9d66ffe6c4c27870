//! `cargo xtask test`: everything that CI checks, cheapest first.

mod deny;
mod fuzz;
mod suites;

use anyhow::{Context, Result};
use clap::Args;

use crate::{
    project::{cargo, check, root},
    setup, tidy,
};

#[derive(Args)]
#[command(after_help = "\
Tests that need recordings or reference files from outside the repository are run where ../shared/data has them, and named \
where it does not.")]
pub struct Options {
    /// Also what takes long: more cases of every property, five minutes of every fuzz target
    #[arg(long)]
    full: bool,
}

/// The release profile only: what is compiled for the lints, the smoke run and one suite serves the others.
pub fn run(options: &Options) -> Result<()> {
    headline("libtorch");
    setup::run(&setup::Options::default())?;
    headline("formatting");
    check(cargo().args(["fmt", "--all", "--check"]))?;
    headline("the repository itself");
    tidy::run()?;
    headline("licences and sources of dependencies");
    deny::run()?;
    headline("lints");
    check(cargo().args([
        "clippy",
        "--release",
        "--workspace",
        "--all-features",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    headline("documentation");
    let mut doc = cargo();
    doc.env("RUSTDOCFLAGS", "-D warnings").args(["doc", "--release", "--workspace", "--all-features", "--no-deps"]);
    check(&mut doc)?;
    headline("Table 1 without libtorch");
    smoke()?;
    headline("tests");
    suites::everything()?;
    headline("tests without optional features");
    suites::without_features()?;
    headline("tests with overflow checks and debug assertions");
    suites::checked(options.full)?;
    headline("fuzz targets");
    fuzz::run(if options.full { 300 } else { 20 })
}

/// The smallest `reproduce table1` that goes from real recordings to the table, in a program that does not link libtorch.
fn smoke() -> Result<()> {
    let runs = root().join("target/smoke");
    if runs.exists() {
        std::fs::remove_dir_all(&runs).with_context(|| format!("cannot remove {}", runs.display()))?;
    }
    check(
        cargo()
            .env_remove("SER_DATA")
            .env("SER_STORE", runs.join("folds"))
            .args(["run", "--release", "--package", "serlab", "--bin", "serlab", "--", "reproduce", "table1"])
            .args(["--folds", "2", "--epochs", "2", "--bundled", "fixtures", "--run-dir"])
            .arg(runs.join("run")),
    )
}

fn headline(what: &str) {
    eprintln!("\n=== {what} ===");
}
