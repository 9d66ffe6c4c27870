//! Writes what `fixtures/onnx/check.py` checks: `cargo run --release -p timnet-onnx --example fixture -- fixtures/onnx`.

#![allow(clippy::unwrap_used)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::{env, fs, path::PathBuf};

fn main() {
    let folder = PathBuf::from(env::args().nth(1).expect("a folder"));
    for case in support::cases() {
        let path = folder.join(&case.name);
        fs::write(path.with_extension("onnx"), case.onnx).unwrap();
        ndarray_npy::write_npy(path.with_extension("mfcc.npy"), &case.mfcc).unwrap();
        ndarray_npy::write_npy(path.with_extension("probabilities.npy"), &case.probabilities).unwrap();
    }
}
