//! The built-in model is in the program where its file is in `models/`.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=models");
    println!("cargo::rustc-check-cfg=cfg(built_in_model)");
    if Path::new("models/emodb.safetensors").is_file() {
        println!("cargo::rustc-cfg=built_in_model");
    }
}
