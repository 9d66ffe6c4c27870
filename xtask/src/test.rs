//! `cargo xtask test`: everything that CI checks, cheapest first, tests last.

use anyhow::{Context, Result};

use crate::{
    project::{cargo, check, root},
    setup, tidy,
};

/// One profile only: the release build of libtorch's glue serves clippy, the tests and the smoke run alike.
pub fn run() -> Result<()> {
    headline("libtorch");
    setup::run(&setup::Options::default())?;
    headline("formatting");
    check(cargo().args(["fmt", "--all", "--check"]))?;
    headline("the repository itself");
    tidy::run()?;
    headline("lints");
    check(cargo().args(["clippy", "--release", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    headline("Table 1 on synthetic corpora");
    smoke()?;
    headline("tests");
    check(cargo().args(["test", "--release", "--workspace"]))
}

/// The smallest `reproduce table1` that goes from samples to the table.
fn smoke() -> Result<()> {
    let runs = root().join("target/smoke");
    if runs.exists() {
        std::fs::remove_dir_all(&runs).with_context(|| format!("cannot remove {}", runs.display()))?;
    }
    check(
        cargo()
            .env_remove("SER_DATA")
            .args(["run", "--release", "--package", "serlab", "--bin", "serlab", "--", "reproduce", "table1"])
            .args(["--only", "emodb", "--folds", "2", "--epochs", "2", "--run-dir"])
            .arg(runs),
    )
}

fn headline(what: &str) {
    eprintln!("\n=== {what} ===");
}
