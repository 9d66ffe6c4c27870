//! One JSON line on training speed: `bench_train [blocks frames utterances batch epochs]`. One engine, one thread.
//!
//! With epochs 0 it trains an epoch and prints a line for every line on stdin, so that a benchmark can alternate it with a peer.
#![allow(clippy::print_stdout)]

use std::{io::BufRead, sync::Arc, time::Instant};

use timnet_core::{
    Dataset, Engine, Layout, ModelConfig, Objective, Weights,
    streams::{self, Key},
};
use timnet_native::{NativeEngine, Simd};

/// CPU seconds of this process and its peak memory in bytes.
fn usage() -> (f64, u64) {
    // SAFETY: getrusage fills the struct it is given.
    let usage = unsafe {
        let mut usage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 * 1e-6;
    (seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss as u64 * 1024)
}

/// Multiply-adds of the convolutions of one utterance forward; training takes three times that.
fn macs(config: &ModelConfig, frames: usize) -> f64 {
    let c = config.coefficients * config.coefficients;
    (config.directions() * frames * c * (1 + config.blocks * 4)) as f64
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<usize> = std::env::args().skip(1).map(|a| a.parse()).collect::<Result<_, _>>()?;
    let arg = |i: usize, default| args.get(i).copied().unwrap_or(default);
    let (blocks, frames, utterances, batch, epochs) = (arg(0, 8), arg(1, 188), arg(2, 482), arg(3, 64), arg(4, 5));
    let config = ModelConfig::timnet(blocks, 7);
    let key = Key { seed: 1, fold: 0 };
    let (parameters, statistics) = streams::initial(&Layout::new(&config), key);
    let values = utterances * frames * config.coefficients;
    let features = (0..values).map(|i| ((i as f32 * 0.7).sin() * 43_758.547).fract()).collect();
    let dataset = Dataset::new(features, (0..utterances).map(|i| i % 7).collect(), frames, config.coefficients)?;
    let weights = Weights { config: config.clone(), parameters, statistics };
    let mut engine = NativeEngine::new(Arc::new(dataset), weights, Objective::default())?;
    let all: Vec<usize> = (0..utterances).collect();
    let mut epoch = |i: usize| -> Result<(f64, f64), Box<dyn std::error::Error>> {
        let batches = streams::epoch(&config, key, i as u32, &all, batch);
        let (wall, cpu) = (Instant::now(), usage().0);
        engine.train(&batches)?;
        Ok((wall.elapsed().as_secs_f64(), usage().0 - cpu))
    };
    epoch(0)?;
    let report = |mut times: Vec<(f64, f64)>| {
        let middle = times.len() / 2;
        times.sort_by(|a, b| a.0.total_cmp(&b.0));
        let wall = times[middle].0;
        times.sort_by(|a, b| a.1.total_cmp(&b.1));
        let cpu = times[middle].1;
        let gflop = 6e-9 * macs(&config, frames) * utterances as f64;
        println!(
            "{}",
            serde_json::json!({
                "peer": "native", "simd": Simd::detect().name(), "blocks": blocks, "frames": frames,
                "utterances": utterances, "batch": batch, "threads": 1, "epochs": times.len(),
                "seconds_per_epoch": wall, "cpu_seconds_per_epoch": cpu,
                "gflops": gflop / cpu, "peak_rss": usage().1,
            })
        );
    };
    if epochs == 0 {
        for (i, line) in std::io::stdin().lock().lines().enumerate() {
            line?;
            report(vec![epoch(i + 1)?]);
        }
    } else {
        report((1..=epochs).map(&mut epoch).collect::<Result<_, _>>()?);
    }
    Ok(())
}
