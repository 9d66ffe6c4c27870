//! Programs find libtorch without LD_LIBRARY_PATH, and know the commit that they were built at.

#![allow(clippy::print_stdout)] // it is how cargo is told

use std::process::Command;

fn main() {
    #[cfg(feature = "libtorch")]
    libtorch_link::rpath();
    let git = |words: &[&str]| {
        let output = Command::new("git").args(words).output().ok().filter(|o| o.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    // Both are absent where the sources are not a git checkout.
    if let Some(head) = git(&["rev-parse", "--git-path", "logs/HEAD"]).filter(|h| std::path::Path::new(h).exists()) {
        println!("cargo:rerun-if-changed={head}");
    }
    if let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) {
        println!("cargo:rustc-env=SERLAB_COMMIT={commit}");
    }
}
