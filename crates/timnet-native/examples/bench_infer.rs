//! JSON lines on inference speed, one for each batch size: `bench_infer [blocks frames repeat]`. One thread.
#![allow(clippy::print_stdout)]

use std::time::Instant;

use timnet_core::{
    Layout, ModelConfig, Weights,
    streams::{self, Key},
};
use timnet_native::{Network, Simd};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<usize> = std::env::args().skip(1).map(|a| a.parse()).collect::<Result<_, _>>()?;
    let arg = |i: usize, default| args.get(i).copied().unwrap_or(default);
    let (blocks, frames, repeat) = (arg(0, 8), arg(1, 188), arg(2, 101));
    let config = ModelConfig::timnet(blocks, 7);
    let (parameters, statistics) = streams::initial(&Layout::new(&config), Key { seed: 1, fold: 0 });
    let network = Network::from_weights(&Weights { config: config.clone(), parameters, statistics })?;
    let features: Vec<f32> = (0..frames * config.coefficients).map(|i| (i as f32 * 0.7).sin()).collect();
    for batch in [1, 64] {
        let mut times = Vec::new();
        for _ in 0..repeat {
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
                "peer": "native", "simd": Simd::detect().name(), "blocks": blocks, "frames": frames, "batch": batch,
                "threads": 1, "seconds": times[repeat / 2], "fastest": times[0],
            })
        );
    }
    Ok(())
}
