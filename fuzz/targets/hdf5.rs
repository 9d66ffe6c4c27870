//! Any bytes as a Keras weights file, and a good one with some bytes changed: weights or an error, in bounded time and memory.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../patched.rs"]
mod patched;

const GOOD: &[u8] = include_bytes!("../../fixtures/keras/forward_n1.hdf5");

fuzz_target!(|data: &[u8]| {
    let Some(bytes) = patched::bytes(data, GOOD) else { return };
    let Ok(weights) = timnet_keras::from_bytes(&bytes) else { return };
    let written = weights.to_safetensors(&Default::default()).expect("weights that were read can be written");
    // Compared as bytes: a file may hold NaN.
    let (again, _) = serengine::Weights::from_safetensors::<timnet_core::ModelConfig>(&written).expect("what was written can be read");
    assert_eq!(again.to_safetensors(&Default::default()).expect("and written again"), written);
});
