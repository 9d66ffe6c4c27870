//! Stops a build without libtorch. This package depends on nothing, so cargo comes here within the first seconds;
//! torch-sys would fail only after half a minute, with `torch/torch.h: No such file`.

use std::{env, path::Path, process::exit};

fn main() {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    println!("cargo:rerun-if-env-changed=LIBTORCH_USE_PYTORCH");
    if env::var_os("LIBTORCH_USE_PYTORCH").is_some() || env::var_os("DOCS_RS").is_some() {
        return; // torch-sys asks Python, or builds nothing
    }
    let Some(libtorch) = env::var_os("LIBTORCH") else { return }; // torch-sys says what can be done
    let header = Path::new(&libtorch).join("include/torch/csrc/api/include/torch/torch.h");
    println!("cargo:rerun-if-changed={}", header.display());
    if !header.is_file() {
        println!(
            "cargo:error=there is no libtorch in {}; run `cargo xtask setup` first",
            Path::new(&libtorch).display()
        );
        exit(1);
    }
}
