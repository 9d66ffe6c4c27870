//! Classifies one utterance: `infer MODEL.safetensors [FRAMES.f32]`, the features being raw little-endian
//! f32 [frames, 39] from a file or standard input.
#![allow(clippy::print_stdout)]

use std::{io::Read, path::Path};

use serengine::Weights;
use timnet_core::ModelConfig;
use timnet_native::Network;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let model = args.next().ok_or("usage: infer MODEL.safetensors [FRAMES.f32]")?;
    let (weights, metadata) = Weights::load::<ModelConfig>(Path::new(&model))?;
    let mut bytes = Vec::new();
    match args.next() {
        Some(path) => bytes = std::fs::read(path)?,
        None => _ = std::io::stdin().read_to_end(&mut bytes)?,
    }
    let features: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let output = Network::from_weights(&weights)?.forward(&features, features.len() / weights.layout.coefficients())?;
    let labels: Vec<&str> = metadata.get("labels").map_or(vec![], |l| l.split(',').collect());
    for (k, p) in output.probabilities.iter().enumerate() {
        println!("{}\t{p:.4}", labels.get(k).map_or_else(|| k.to_string(), |l| (*l).to_owned()));
    }
    Ok(())
}
