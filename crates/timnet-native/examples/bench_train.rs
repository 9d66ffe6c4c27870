//! One JSON line on training speed: folds trained side by side, one thread each, as experiments do.
//!
//! `seconds_per_epoch` is the wall time of one fold's epoch, that is of all folds' epochs divided by their number.
#![allow(clippy::print_stdout)]

use std::{
    sync::{Arc, Barrier},
    time::Instant,
};

use clap::Parser;
use serengine::{
    Dataset, Engine, Objective, Settings,
    streams::{self, Key},
};
use timnet_core::ModelConfig;
use timnet_native::{NativeEngine, Simd};

#[derive(Parser)]
struct Options {
    #[arg(long, default_value_t = 8)]
    blocks: usize,
    #[arg(long, default_value_t = 188)]
    frames: usize,
    #[arg(long, default_value_t = 482)]
    utterances: usize,
    #[arg(long, default_value_t = 64)]
    batch: usize,
    #[arg(long, default_value_t = 5)]
    epochs: usize,
    /// Folds side by side [default: one a core].
    #[arg(long)]
    folds: Option<usize>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let o = Options::parse();
    let folds = o.folds.unwrap_or(std::thread::available_parallelism()?.get()).max(1);
    let config = ModelConfig::timnet(o.blocks, 7);
    let layout = Arc::new(config.layout()?);
    let values = o.utterances * o.frames * config.coefficients;
    let features = (0..values).map(|i| ((i as f32 * 0.7).sin() * 43_758.547).fract()).collect();
    let labels = (0..o.utterances).map(|i| i % 7).collect();
    let data = Arc::new(Dataset::new(features, labels, o.frames, config.coefficients)?);
    let all: Vec<usize> = (0..o.utterances).collect();
    let mut engines = (0..folds)
        .map(|fold| {
            let key = Key { seed: 1, fold: fold as u32 };
            let weights = streams::initial(&layout, key);
            Ok((key, NativeEngine::new(Arc::clone(&data), weights, Objective::default())?))
        })
        .collect::<Result<Vec<_>, serengine::EngineError>>()?;
    let warm = Barrier::new(folds + 1);
    let (wall, cpu) = std::thread::scope(|scope| {
        let threads: Vec<_> = engines
            .iter_mut()
            .map(|(key, engine)| {
                scope.spawn(|| {
                    let mut epoch =
                        |i: usize| engine.train(&streams::epoch(&layout, *key, i as u32, &all, o.batch)).map(drop);
                    let first = epoch(0);
                    warm.wait();
                    first.and_then(|()| (1..=o.epochs).try_for_each(&mut epoch))
                })
            })
            .collect();
        warm.wait();
        let (wall, cpu) = (Instant::now(), usage().0);
        for thread in threads {
            thread.join().map_err(|_| "a training thread panicked")??;
        }
        Ok::<_, Box<dyn std::error::Error>>((wall.elapsed().as_secs_f64(), usage().0 - cpu))
    })?;
    let epochs = (o.epochs * folds) as f64;
    println!(
        "{}",
        serde_json::json!({
            "engine": format!("native {}, {folds} folds side by side", Simd::detect().name()),
            "blocks": o.blocks, "frames": o.frames, "utterances": o.utterances, "batch": o.batch,
            "seconds_per_epoch": wall / epochs, "cpu_seconds_per_epoch": cpu / epochs,
            "gflops": 6e-9 * macs(&config, o.frames) * o.utterances as f64 * epochs / wall, "peak_rss": usage().1,
        })
    );
    Ok(())
}

/// Multiply-adds of the convolutions of one utterance forward; training takes three times that.
fn macs(config: &ModelConfig, frames: usize) -> f64 {
    let (inputs, f) = (config.coefficients, config.filters);
    (config.directions() * frames * (inputs * f + f * f * config.blocks * 4)) as f64
}

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
