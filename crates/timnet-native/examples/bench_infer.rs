//! JSON lines on inference speed, one for each batch size, on one thread: the median of `repeat` answers.
#![allow(clippy::print_stdout)]

use std::time::Instant;

use clap::Parser;
use serengine::{
    Settings,
    streams::{self, Key},
};
use timnet_core::ModelConfig;
use timnet_native::{Network, Simd};

#[derive(Parser)]
struct Options {
    #[arg(long, default_value_t = 8)]
    blocks: usize,
    #[arg(long, default_value_t = 188)]
    frames: usize,
    #[arg(long, default_value_t = 101)]
    repeat: usize,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Options { blocks, frames, repeat } = Options::parse();
    let config = ModelConfig::timnet(blocks, 7);
    let network = Network::from_weights(&streams::initial(&config.layout()?.into(), Key { seed: 1, fold: 0 }))?;
    let features: Vec<f32> = (0..frames * config.coefficients).map(|i| (i as f32 * 0.7).sin()).collect();
    for batch in [1, 64] {
        let mut times = Vec::new();
        for _ in 0..repeat.max(1) {
            let start = Instant::now();
            for _ in 0..batch {
                std::hint::black_box(network.embed(std::hint::black_box(&features), frames)?);
            }
            times.push(start.elapsed().as_secs_f64());
        }
        times.sort_by(f64::total_cmp);
        println!(
            "{}",
            serde_json::json!({
                "engine": format!("native {}", Simd::detect().name()),
                "blocks": blocks, "frames": frames, "batch": batch, "seconds": times[times.len() / 2],
            })
        );
    }
    Ok(())
}
