//! What a package that links [tch](https://docs.rs/tch) needs in its build script.
//!
//! ```toml
//! [dependencies]
//! tch = "0.24"
//! torch-sys = "0.24" # named, so that its DEP_TCH_LIBTORCH_LIB reaches the build script
//!
//! [build-dependencies]
//! libtorch-link = "0.1"
//! ```
//!
//! and `build.rs`:
//!
//! ```no_run
//! # #![allow(clippy::needless_doctest_main)]
//! fn main() {
//!     libtorch_link::rpath();
//! }
//! ```
//!
//! Depending on this crate is enough for the other half: its own build script stops within seconds where LIBTORCH names a
//! folder without libtorch.

use std::{env, io::Write};

/// Has cargo write libtorch's folder into the package's binaries, tests, examples and benches, which then run with no
/// `LD_LIBRARY_PATH`. Does nothing where the package does not depend on torch-sys directly.
pub fn rpath() {
    if let Some(lib) = env::var_os("DEP_TCH_LIBTORCH_LIB") {
        // A build script's standard output is cargo's input; where it is closed there is nobody to tell.
        let _ = writeln!(std::io::stdout(), "cargo:rustc-link-arg=-Wl,-rpath,{}", lib.display());
    }
}
