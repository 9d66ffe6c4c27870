//! Timings of the front end, one JSON object a line: {"name": .., "seconds": the median of some repetitions}.
//!
//! `bench_features [--emodb FOLDER] [--repeat N] [--only SUBSTRING]`; benches/features_peer.py measures the same with
//! librosa, under the same names. `cargo xtask bench features` runs both.

use std::error::Error;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ndarray::Array2;
use rustfft::FftPlanner;
use rustfft::num_complex::Complex;
use serde_json::json;
use sermfcc::{Extractor, Float, Floor, FrontEnd, Output};

const RATE: usize = 22_050;
/// EMODB's fixed length.
const LENGTH: usize = 96_000;

struct Bench {
    repeat: usize,
    only: String,
}

impl Bench {
    /// Times `work`, once to warm up and then `repeat` times. Long work says its own number.
    #[allow(clippy::print_stdout)]
    fn time(&self, name: &str, repeat: usize, work: impl FnMut()) {
        if let Some(median) = self.median(name, repeat, work) {
            println!("{}", json!({ "name": name, "seconds": median }));
        }
    }

    fn median(&self, name: &str, repeat: usize, mut work: impl FnMut()) -> Option<f64> {
        if !name.contains(&self.only) {
            return None;
        }
        work();
        let time = |_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        };
        let mut seconds: Vec<f64> = (0..repeat.min(self.repeat)).map(time).collect();
        seconds.sort_by(f64::total_cmp);
        seconds.get(seconds.len() / 2).copied()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut bench = Bench { repeat: 50, only: String::new() };
    let mut emodb: Option<PathBuf> = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{argument} needs a value"))?;
        match argument.as_str() {
            "--emodb" => emodb = Some(value.into()),
            "--repeat" => bench.repeat = value.parse()?,
            "--only" => bench.only = value,
            _ => return Err(format!("unknown argument {argument}").into()),
        }
    }
    // Growth first: its peak memory is this process' own.
    growth(&bench)?;
    samples(&bench)?;
    match emodb {
        Some(folder) => files(&bench, &folder)?,
        None => eprintln!("skipped: from files (no --emodb)"),
    }
    Ok(())
}

fn signal(samples: usize) -> Vec<f32> {
    let noise = |n: usize| ((n.wrapping_mul(2_654_435_761) >> 7) % 1000) as f32 / 1e5;
    (0..samples).map(|n| (n as f32 * 0.03).sin() * 0.3 + noise(n)).collect()
}

/// MFCCs of one utterance from samples, and what the transform alone takes of that.
fn samples(bench: &Bench) -> Result<(), Box<dyn Error>> {
    fn both<F: Float>(bench: &Bench, precision: &str) -> Result<(), Box<dyn Error>> {
        let extractor = Extractor::<F>::new(&FrontEnd::timnet_0_10())?;
        let (signal, mut workspace) = (signal(LENGTH), extractor.workspace());
        for (stage, output) in
            [("power", Output::Power), ("mel", Output::Mel), ("log-mel", Output::LogMel), ("mfcc", Output::Mfcc)]
        {
            let shape = (extractor.front_end().frames(LENGTH), extractor.width(output));
            let mut out = Array2::from_elem(shape, F::default());
            bench.time(&format!("{stage} {precision}"), usize::MAX, || {
                let done = workspace.compute_into(output, black_box(&signal), out.view_mut());
                assert!(done.is_ok());
            });
        }
        // What the packed transform of 188 frames takes with nothing around it.
        let fft = FftPlanner::<F>::new().plan_fft_forward(1024);
        let mut frame = vec![Complex::new(F::default(), F::default()); 1024];
        let mut scratch = frame.clone();
        bench.time(&format!("fft alone {precision}"), usize::MAX, || {
            for _ in 0..188 {
                fft.process_with_scratch(black_box(&mut frame), &mut scratch);
            }
        });
        Ok(())
    }
    both::<f32>(bench, "f32")?;
    both::<f64>(bench, "f64")
}

/// How time grows with the length of the signal, as a stream, with the most memory that this process has had, and at once.
#[allow(clippy::print_stdout)]
fn growth(bench: &Bench) -> Result<(), Box<dyn Error>> {
    const SECONDS: [usize; 5] = [1, 10, 60, 600, 3600];
    const CHUNK: usize = 1024;
    let front_end = FrontEnd::timnet_0_10();
    let streamed = front_end.clone().with(|f| f.top_db = Floor::None);
    let streamed = Extractor::<f32>::new(&streamed)?;
    let chunk = signal(CHUNK);
    for seconds in SECONDS {
        let (name, samples) = (format!("stream {seconds} s"), seconds * RATE);
        let median = bench.median(&name, 3, || {
            let mut frames = 0;
            let Ok(mut stream) = streamed.stream(Output::Mfcc) else { return };
            for start in (0..samples).step_by(CHUNK) {
                let chunk = &chunk[..CHUNK.min(samples - start)];
                frames += stream.push(black_box(chunk), |frame| _ = black_box(frame)).unwrap_or(0);
            }
            frames += stream.finish(|_| ()).unwrap_or(0);
            assert_eq!(frames, streamed.front_end().frames(samples));
        });
        if let Some(median) = median {
            println!("{}", json!({ "name": name, "seconds": median, "peak_rss": peak_memory() }));
        }
    }
    let extractor = Extractor::<f32>::new(&front_end)?;
    for seconds in SECONDS {
        let signal = signal(seconds * RATE);
        bench.time(&format!("growth {seconds} s"), 3, || assert!(extractor.mfcc(black_box(&signal)).is_ok()));
    }
    Ok(())
}

/// In bytes; null where the system has no /proc.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(1024 * line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?)
}

/// Decoding, resampling and MFCCs of a folder, on one thread and on all.
fn files(bench: &Bench, folder: &Path) -> Result<(), Box<dyn Error>> {
    use rayon::prelude::*;
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder.join("wav"))?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "wav"));
    for preset in ["timnet-0.8.1", "timnet-0.9", "timnet-0.10"] {
        let front_end = FrontEnd::preset(preset)?;
        let extractor = Extractor::<f32>::new(&front_end)?;
        let options = seraudio::LoadOptions {
            rate: Some(front_end.sample_rate),
            resampler: front_end.resampler.parse()?,
            ..Default::default()
        };
        let one = |file: &PathBuf| -> usize {
            let Ok(audio) = seraudio::load(file, &options) else { return 0 };
            extractor.mfcc(&seraudio::fit_length(&audio.samples, LENGTH)).map_or(0, |mfcc| mfcc.nrows())
        };
        let expected = files.len() * front_end.frames(LENGTH);
        bench.time(&format!("files {preset} one thread"), 1, || {
            assert_eq!(files.iter().map(one).sum::<usize>(), expected)
        });
        bench.time(&format!("files {preset} all cores"), 1, || {
            assert_eq!(files.par_iter().map(one).sum::<usize>(), expected)
        });
    }
    Ok(())
}
