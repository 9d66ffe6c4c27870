//! Class probabilities of a recording's features with a trained network.
//!
//! ```text
//! cargo run --release -p timnet --example classify -- runs/.../fold-00.last.safetensors FEATURES.f32
//! ```
//!
//! FEATURES.f32 holds little-endian float32, [frames, coefficients].

use std::{error::Error, fs, path::Path};

use serengine::Weights;
use sertorch::tch::{Device, Kind, Tensor};
use timnet::Classifier;
use timnet_core::ModelConfig;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(weights), Some(features)) = (arguments.next(), arguments.next()) else {
        return Err("usage: classify WEIGHTS.safetensors FEATURES.f32".into());
    };
    let (weights, metadata) = Weights::load::<ModelConfig>(Path::new(&weights))?;
    let values: Vec<f32> = fs::read(&features)?.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let coefficients = weights.layout.coefficients();
    if values.is_empty() || !values.len().is_multiple_of(coefficients) {
        return Err(format!("{features}: {} values are no frames of {coefficients} coefficients", values.len()).into());
    }
    let network = Classifier::new(&weights, Device::Cpu, Kind::Float)?;
    let x = Tensor::from_slice(&values).view([1, -1, coefficients as i64]);
    let probabilities: Vec<f32> = Vec::try_from(network.forward(&x)?.logits.softmax(1, None).view([-1]))?;
    let labels = metadata.get("labels").map_or("", String::as_str);
    for (label, p) in labels.split(',').zip(probabilities) {
        eprintln!("{label}: {p:.4}");
    }
    Ok(())
}
