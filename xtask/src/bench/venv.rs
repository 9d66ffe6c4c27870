//! The Python that peers run in: `.venv/bench/`, made when first needed.

use std::{collections::BTreeSet, io, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::project::{self, BadInput, check};

/// A Python that has the `requirements`, all of them pinned.
pub fn ready<'a>(requirements: impl Iterator<Item = &'a &'static str>) -> Result<PathBuf> {
    let folder = project::root().join(".venv/bench");
    let python = folder.join("bin/python");
    if !python.is_file() {
        eprintln!("bench: making {}", folder.display());
        let mut make = Command::new("python3");
        make.args(["-m", "venv", "--clear"]).arg(&folder).stdout(io::stderr());
        check(&mut make).map_err(|e| {
            BadInput(format!(
                "{e:#}; benchmarks against Python need its venv module (Debian: apt-get install python3-venv)"
            ))
        })?;
    }
    let freeze = Command::new(&python).args(["-m", "pip", "freeze"]).output();
    let freeze = freeze.with_context(|| format!("cannot start {}", python.display()))?;
    let present: BTreeSet<String> = String::from_utf8_lossy(&freeze.stdout).lines().map(canonical).collect();
    let missing: Vec<&str> = requirements.copied().filter(|r| !present.contains(&canonical(r))).collect();
    if !missing.is_empty() {
        eprintln!("bench: installing {} into {}", missing.join(" "), folder.display());
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(missing).stdout(io::stderr());
        check(&mut pip)?;
    }
    Ok(python)
}

/// pip writes names with either sign and in either case.
fn canonical(requirement: &str) -> String {
    requirement.to_lowercase().replace('_', "-")
}
