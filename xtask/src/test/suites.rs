//! The test suites: all of it, without optional features, and with checked arithmetic.

use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::project::{cargo, check, root};

/// Where the corpora and reference files are that some tests need, beside the repository.
const DATA: &str = "../shared/data";

/// Programs and what links libtorch: left out where only arithmetic is looked at.
const NOT_CHECKED: [&str; 8] =
    ["libtorch-link", "serpeers", "sertorch", "timnet", "serlab", "ser", "serreport", "xtask"];

/// The design is libtorch-backed: what is tested can compute with it, though the first command of the README does without.
pub const LIBTORCH: [&str; 2] = ["--features", "serlab/libtorch"];

/// The workspace as it is shipped; with the tests that need data, where the data is.
pub fn everything() -> Result<()> {
    let data = root().join(DATA);
    let mut test = cargo();
    test.args(["test", "--release", "--workspace", LIBTORCH[0], LIBTORCH[1]]);
    if data.is_dir() {
        eprintln!("with the tests that need data: it is in {}", data.display());
        return check(test.args(["--", "--include-ignored"]));
    }
    check(&mut test)?;
    let left_out = needing_data()?;
    eprintln!("{} tests were left out, since there is no {}:", left_out.len(), data.display());
    left_out.iter().for_each(|name| eprintln!("  {name}"));
    Ok(())
}

/// Names of the tests that are marked `#[ignore]`.
fn needing_data() -> Result<Vec<String>> {
    let mut list = cargo();
    list.args([
        "test",
        "--release",
        "--quiet",
        "--workspace",
        LIBTORCH[0],
        LIBTORCH[1],
        "--lib",
        "--bins",
        "--tests",
        "--",
        "--ignored",
        "--list",
    ]);
    let output = list.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("`cargo test -- --ignored --list` failed ({})", output.status);
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
}

/// Every crate that has optional features, without them.
pub fn without_features() -> Result<()> {
    // Without libtorch serlab has run already: see `smoke`.
    for package in with_features()?.into_iter().filter(|package| package != "serlab") {
        eprintln!("{package}:");
        check(cargo().args(["test", "--release", "--no-default-features", "--package", &package]))?;
    }
    Ok(())
}

/// Our crates with overflow checks and debug assertions. Dependencies are compiled as for every other suite, so they are not
/// compiled again.
pub fn checked(full: bool) -> Result<()> {
    let mut test = cargo();
    test.args(["test", "--release", "--config", "xtask/checked.toml", "--workspace", "--lib", "--tests"]);
    test.args(NOT_CHECKED.iter().flat_map(|name| ["--exclude", name]));
    if full {
        test.env("PROPTEST_CASES", "4096");
    }
    check(&mut test)
}

fn with_features() -> Result<Vec<String>> {
    let output = cargo().args(["metadata", "--no-deps", "--format-version", "1"]).stderr(Stdio::inherit()).output();
    let metadata: Value = serde_json::from_slice(&output.context("cannot start cargo")?.stdout)
        .context("`cargo metadata` did not print JSON")?;
    let packages = metadata["packages"].as_array().context("`cargo metadata` named no packages")?;
    let has = |package: &&Value| package["features"].as_object().is_some_and(|features| !features.is_empty());
    Ok(packages.iter().filter(has).filter_map(|package| package["name"].as_str()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A misspelt name would check nothing less, but a crate that is renamed would be checked that cannot be.
    #[test]
    fn what_is_not_checked_exists() {
        for name in NOT_CHECKED {
            let folder = if name == "xtask" { root().join(name) } else { root().join("crates").join(name) };
            assert!(folder.join("Cargo.toml").is_file(), "{name}");
        }
    }

    #[test]
    fn crates_with_features_are_found() {
        assert!(with_features().unwrap().iter().any(|name| name == "sermfcc"));
    }
}
