//! Each fuzz target for a while (`fuzz/run.sh`), where there is a C++ compiler for libFuzzer.

use std::process::{Command, Stdio};

use anyhow::Result;

use crate::project::{check, root};

pub fn run(seconds: u32) -> Result<()> {
    let compiler = Command::new("c++").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !compiler.is_ok_and(|status| status.success()) {
        eprintln!("left out: libFuzzer needs a C++ compiler (`c++`), and there is none");
        return Ok(());
    }
    check(Command::new(root().join("fuzz/run.sh")).arg(seconds.to_string()))
}
