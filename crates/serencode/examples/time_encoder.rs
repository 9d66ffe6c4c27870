//! Time and memory of an encoder: `time_encoder FILE SECONDS THREADS SIDE RUNS`, RUNS recordings of SECONDS, SIDE of them at a time, each on
//! THREADS threads.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serencode::{Encoder, Scaling, Settings};

/// Most memory that this process had, in MiB (Linux).
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) >> 10
}

/// Processor time of this process in seconds (Linux, 100 ticks a second).
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, seconds, threads, side, runs] = &arguments[..] else {
        return Err("time_encoder FILE SECONDS THREADS SIDE RUNS".into());
    };
    let (seconds, side, runs): (f64, usize, usize) = (seconds.parse()?, side.parse()?, runs.parse()?);
    let threads = threads.parse()?;
    let start = Instant::now();
    let encoder = Encoder::open(
        Path::new(file),
        &Settings::default().with(|s| (s.input, s.threads) = (Some(Scaling::None), threads)),
    )?;
    eprintln!(
        "open {:.2} s, weights {} MiB, peak {} MiB",
        start.elapsed().as_secs_f64(),
        encoder.weight_bytes() >> 20,
        peak()
    );
    let samples: Vec<f32> = (0..(seconds * 16_000.0) as usize).map(|n| (n as f32 * 0.05).sin() * 0.3).collect();
    let forecast = encoder.forecast(samples.len())?;
    eprintln!("foreseen for a run: {} MiB, {:.1} GFLOP", forecast.bytes >> 20, forecast.operations as f64 / 1e9);
    encoder.frames(&samples)?;
    let (start, used, next) = (Instant::now(), processor(), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..side {
            scope.spawn(|| {
                while next.fetch_add(1, Ordering::Relaxed) < runs {
                    if let Err(error) = encoder.frames(&samples) {
                        eprintln!("{error}");
                    }
                }
            });
        }
    });
    let (each, used) = (start.elapsed().as_secs_f64() / runs as f64, (processor() - used) / runs as f64);
    eprintln!(
        "{each:.3} s ({used:.3} s of processors) a recording of {seconds} s ({side} side by side, {threads} threads each), peak {} MiB",
        peak()
    );
    Ok(())
}
