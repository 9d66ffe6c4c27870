//! Voice is found at any level, and not in noise, tones and silence.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod support;

use std::{
    f64::consts::TAU,
    path::{Path, PathBuf},
    time::Instant,
};

use sermodel::{Listener, Model, Window, Windows};
use support::model;

const RATE: u32 = 16_000;

/// Whether `ser predict` would answer, and seconds of voice in all windows.
fn speech(model: &Model, samples: &[f32], rate: u32) -> (bool, f64) {
    let mut listener = Listener::new(model, rate, Windows::of(model), true).unwrap();
    let mut windows: Vec<Window> = samples.chunks(16_384).flat_map(|piece| listener.push(piece)).collect();
    windows.extend(listener.finish());
    (windows.iter().any(Window::is_speech), windows.iter().filter_map(|w| w.speech).sum())
}

/// The same `decibels` louder, in steps of 16 bits.
fn louder(samples: &[f32], decibels: f32) -> Vec<f32> {
    let gain = 10f32.powf(decibels / 20.0);
    samples.iter().map(|v| (v * gain * 32_768.0).round() / 32_768.0).collect()
}

/// Uniform in -1..1, the same on every machine.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

/// A piece of three seconds with its root mean square, or its peak where it is mostly silent, at `decibels`.
fn piece(decibels: f64, by_peak: bool, mut at: impl FnMut(f64) -> f64) -> Vec<f32> {
    let raw: Vec<f64> = (0..3 * RATE).map(|i| at(f64::from(i) / f64::from(RATE))).collect();
    let peak = raw.iter().fold(0.0f64, |a, v| a.max(v.abs()));
    let rms = (raw.iter().map(|v| v * v).sum::<f64>() / raw.len() as f64).sqrt();
    let gain = 10f64.powf(decibels / 20.0) / if by_peak { peak } else { rms };
    raw.iter().map(|v| (v * gain).clamp(-1.0, 1.0) as f32).collect()
}

/// A hundred pieces that are no speech.
fn pieces() -> Vec<(String, Vec<f32>)> {
    let mut out: Vec<(String, Vec<f32>)> = Vec::new();
    let sin = |hz: f64, t: f64| (TAU * hz * t).sin();
    // White noise; pink by the filter of Paul Kellet; brown by a leaky sum.
    for decibels in [-10.0, -25.0, -35.0, -45.0, -55.0, -65.0, -75.0] {
        for seed in 0..2 {
            let mut draws = Draws(seed);
            out.push((format!("white {decibels} {seed}"), piece(decibels, false, |_| draws.next())));
            let (mut draws, mut b) = (Draws(seed + 10), [0.0; 3]);
            let pink = |_| {
                let white = draws.next();
                b[0] = 0.99765 * b[0] + white * 0.099_046;
                b[1] = 0.963 * b[1] + white * 0.296_516_4;
                b[2] = 0.57 * b[2] + white * 1.052_691_3;
                b.iter().sum::<f64>() + white * 0.1848
            };
            out.push((format!("pink {decibels} {seed}"), piece(decibels, false, pink)));
            let (mut draws, mut sum) = (Draws(seed + 20), 0.0);
            let brown = |_| {
                sum = 0.998 * sum + draws.next();
                sum
            };
            out.push((format!("brown {decibels} {seed}"), piece(decibels, false, brown)));
        }
    }
    for hz in [50.0, 60.0] {
        for decibels in [-15.0, -35.0, -55.0] {
            let hum = |t: f64| (1..8).map(|k| sin(hz * f64::from(k), t) / f64::from(k)).sum();
            out.push((format!("hum {hz} {decibels}"), piece(decibels, false, hum)));
        }
    }
    for hz in [80.0, 150.0, 300.0, 600.0, 1500.0, 3000.0, 6000.0] {
        for decibels in [-10.0, -45.0] {
            out.push((format!("tone {hz} {decibels}"), piece(decibels, false, |t| sin(hz, t))));
        }
    }
    for (from, to) in [(50.0f64, 6000.0f64), (6000.0, 50.0), (200.0, 2000.0)] {
        for decibels in [-12.0, -42.0] {
            let rate = (to / from).ln() / 3.0;
            let sweep = |t: f64| (TAU * from * ((rate * t).exp() - 1.0) / rate).sin();
            out.push((format!("sweep {from} {to} {decibels}"), piece(decibels, false, sweep)));
        }
    }
    for every in [0.07, 0.3, 0.9] {
        for decibels in [-3.0, -40.0] {
            let mut next = 0.0;
            let click = |t: f64| {
                let now = t >= next;
                next += if now { every } else { 0.0 };
                f64::from(u8::from(now))
            };
            out.push((format!("clicks {every} {decibels}"), piece(decibels, true, click)));
        }
    }
    for blades in [9.0, 17.0] {
        for decibels in [-20.0, -40.0, -60.0] {
            let (mut draws, mut low) = (Draws(7), 0.0);
            let fan = |t: f64| {
                low = 0.9 * low + draws.next();
                low * (1.0 + 0.4 * sin(blades, t)) + 0.5 * sin(120.0, t) + 0.3 * sin(240.0, t)
            };
            out.push((format!("fan {blades} {decibels}"), piece(decibels, false, fan)));
        }
    }
    out.push(("digital silence".into(), vec![0.0; 48_000]));
    for (name, step, share) in [("16 bits", 32_768.0, 1.0), ("8 bits", 128.0, 1.0), ("16 bits, rare", 32_768.0, 0.02)] {
        let mut draws = Draws(3);
        let noise = (0..48_000)
            .map(|_| if draws.next().abs() < share { (1.5 * draws.next()).round() as f32 / step } else { 0.0 });
        out.push((format!("quantisation noise of {name}"), noise.collect()));
    }
    // Chords of a piano's kind, I - IV - V - I, two a second.
    for root in [131.0, 262.0] {
        for decibels in [-15.0, -30.0, -50.0] {
            let chords = |t: f64| {
                let shift = [1.0, 4.0 / 3.0, 1.5, 1.0][(2.0 * t) as usize % 4];
                let notes = [1.0, 1.26, 1.498].map(|note| root * shift * note);
                let voice = |hz: f64| (1..5).map(|k| sin(hz * f64::from(k), t) / f64::from(k)).sum::<f64>();
                notes.map(voice).iter().sum::<f64>() * (-4.0 * (t % 0.5)).exp()
            };
            out.push((format!("chords {root} {decibels}"), piece(decibels, false, chords)));
        }
    }
    for hz in [110.0, 180.0, 440.0] {
        out.push((format!("sawtooth {hz}"), piece(-20.0, false, |t| 2.0 * (hz * t % 1.0) - 1.0)));
        out.push((format!("square {hz}"), piece(-20.0, false, |t| sin(hz, t).signum())));
    }
    out.push(("dial tone".into(), piece(-20.0, false, |t| sin(350.0, t) + sin(440.0, t))));
    for bursts in [2.0, 8.0] {
        let mut draws = Draws(4);
        let burst = |t: f64| if sin(bursts, t) > 0.0 { draws.next() } else { 0.0 };
        out.push((format!("bursts of noise {bursts}"), piece(-25.0, false, burst)));
    }
    let mut draws = Draws(5);
    out.push(("rain".into(), piece(-10.0, true, |_| draws.next().powi(9))));
    out.push(("beeps".into(), piece(-20.0, false, |t| if t % 1.0 < 0.2 { sin(1000.0, t) } else { 0.0 })));
    out
}

#[test]
fn noise_tones_and_silence_are_no_speech() {
    let (model, pieces) = (model(), pieces());
    assert!(pieces.len() >= 100, "{}", pieces.len());
    let wrong: Vec<String> = pieces
        .iter()
        .map(|(name, samples)| (name, speech(&model, samples, RATE)))
        .filter(|(_, (is_speech, _))| *is_speech)
        .map(|(name, (_, seconds))| format!("{name} ({seconds:.2} s)"))
        .collect();
    println!("{} of {} pieces are taken for speech: {wrong:?}", wrong.len(), pieces.len());
    assert!(20 * wrong.len() <= pieces.len(), "{wrong:?}");
}

fn recordings(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for path in entries.map(|entry| entry.unwrap().path()) {
        match path.extension().and_then(|e| e.to_str()) {
            _ if path.is_dir() => found.extend(recordings(&path)),
            Some("wav" | "flac") => found.push(path),
            _ => {}
        }
    }
    found.sort();
    found
}

/// Recordings without speech, and the least seconds of voice in any.
fn missed(model: &Model, paths: &[PathBuf], decibels: f32) -> (Vec<String>, f64) {
    let (mut missed, mut least) = (Vec::new(), f64::INFINITY);
    for path in paths {
        let audio = seraudio::load(path, &Default::default()).unwrap();
        let samples = if decibels == 0.0 { audio.samples } else { louder(&audio.samples, decibels) };
        let (is_speech, seconds) = speech(model, &samples, audio.rate);
        least = least.min(seconds);
        if !is_speech {
            missed.push(format!("{} ({seconds:.2} s)", path.display()));
        }
    }
    (missed, least)
}

#[test]
fn speech_is_found_at_any_level() {
    let model = model();
    let all = recordings(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/emodb"));
    let some: Vec<PathBuf> = all.into_iter().step_by(20).collect();
    assert!(some.len() >= 20, "{}", some.len());
    for decibels in [0.0, -20.0, -40.0, -50.0] {
        let (missed, least) = missed(&model, &some, decibels);
        println!("{decibels} dB: {} of {} are no-speech; least voice {least:.2} s", missed.len(), some.len());
        assert!(missed.is_empty(), "{decibels} dB: {missed:?}");
    }
}

/// Run by hand: prints the figures of the README.
#[test]
#[ignore = "needs EMODB and RAVDESS: shared/data beside the repository, or SER_DATA_FOLDER"]
fn all_of_emodb_and_ravdess() {
    let model = model();
    let data = std::env::var_os("SER_DATA_FOLDER")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    for (corpus, expected, levels) in
        [("emodb", 535, &[0.0, -20.0, -40.0, -50.0][..]), ("ravdess", 1440, &[0.0, -20.0])]
    {
        let paths = recordings(&data.join(corpus));
        assert_eq!(paths.len(), expected, "{corpus}");
        for &decibels in levels {
            let start = Instant::now();
            let (missed, least) = missed(&model, &paths, decibels);
            let seconds = start.elapsed().as_secs_f64();
            println!(
                "{corpus} {decibels} dB: {} of {expected} are no-speech; least voice {least:.2} s; {seconds:.0} s",
                missed.len()
            );
            assert!(missed.is_empty(), "{corpus} {decibels} dB: {missed:?}");
        }
    }
}
