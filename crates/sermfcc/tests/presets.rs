//! Presets, and single settings of them, against what the libraries themselves computed (fixtures/presets.py): the part in
//! `fixtures/presets.npz` everywhere, all of it where `../shared/data` is. Samples are int16 / 32768 in every case.
//!
//! `cargo test --release -p sermfcc --test presets -- --ignored --nocapture` prints the table of the README.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use ndarray::{Array1, Array2, Ix1, Ix2, OwnedRepr, s};
use ndarray_npy::NpzReader;
use sermfcc::{
    AminRule, C0, DctNorm, DeltaRule, Extractor, Float, Floor, Framing, FrontEnd, LogScale, MelBins, MelNorm, Output,
    PRESETS, PreEmphasis, Window, compare, light_sernet_samples,
};

/// The largest differences allowed, in f64 and in f32.
#[derive(Clone, Copy)]
struct Limits(f64, f64);

struct Case {
    file: &'static str,
    call: &'static str,
    preset: &'static str,
    change: fn(&mut FrontEnd),
    limits: Limits,
}

const fn case(
    file: &'static str,
    call: &'static str,
    preset: &'static str,
    limits: Limits,
    change: fn(&mut FrontEnd),
) -> Case {
    Case { file, call, preset, change, limits }
}

fn as_is(_: &mut FrontEnd) {}

/// Kaldi's and python_speech_features' lengths at another rate.
fn rate(f: &mut FrontEnd, rate: u32, window: usize, hop: usize, n_fft: usize) {
    (f.sample_rate, f.win_length, f.hop_length, f.n_fft) = (rate, Some(window), hop, n_fft);
}

/// Kaldi's htk_compat, with c0.
fn htk_compat(f: &mut FrontEnd) {
    (f.dct_norm, f.c0, f.c0_last) = (DctNorm::Htk, C0::Kept, true);
}

fn htk_mode(f: &mut FrontEnd) {
    htk_compat(f);
    (f.mel_bins, f.amin, f.remove_mean, f.window) = (MelBins::KaldiHtk, 1.0, false, Window::Hamming);
}

/// Of the recorded configurations of HTK: power and 23 bands.
fn htk(f: &mut FrontEnd) {
    (f.power, f.n_mels) = (2.0, 23);
}

fn no_emphasis(f: &mut FrontEnd) {
    f.pre_emphasis = PreEmphasis::None;
}

const LIBROSA: Limits = Limits(5e-4, 5e-3);
const LIFTER: Limits = Limits(1e-3, 2e-2);
const PLAIN: Limits = Limits(1e-2, 2e-2);
const TORCHAUDIO: Limits = Limits(2e-3, 5e-3);
const KALDI: Limits = Limits(1e-3, 2e-3);
const PSF: Limits = Limits(1e-9, 2e-3);
const HTK: Limits = Limits(3e-4, 1e-3);
const WHISPER: Limits = Limits(2e-6, 1e-5);
const LIGHT: Limits = Limits(1e-4, 1e-3);

const CASES: &[Case] = &[
    case("librosa-0.8.1", "default", "librosa-0.8.1", LIBROSA, |f| f.sample_rate = 16_000),
    case("librosa-0.8.1", "default_22050", "librosa-0.8.1", LIBROSA, as_is),
    case("librosa-0.9.2", "default_22050", "librosa-0.9", LIBROSA, as_is),
    case("librosa-0.11.0", "default_22050", "librosa-0.10", LIBROSA, as_is),
    case("librosa-0.11.0", "default", "librosa-0.10", LIBROSA, |f| f.sample_rate = 16_000),
    case("librosa-1.0.0", "default", "librosa-0.10", LIBROSA, |f| f.sample_rate = 16_000),
    case("librosa-0.11.0", "htk", "librosa-0.10-htk", LIBROSA, |f| f.sample_rate = 16_000),
    case("librosa-1.0.0", "htk", "librosa-0.10-htk", LIBROSA, |f| f.sample_rate = 16_000),
    case("librosa-0.11.0", "lifter22", "librosa-0.10", LIFTER, |f| (f.sample_rate, f.lifter) = (16_000, 22.0)),
    case("librosa-0.11.0", "no_mel_norm", "librosa-0.10", LIBROSA, |f| {
        (f.sample_rate, f.mel_norm) = (16_000, MelNorm::None)
    }),
    case("librosa-0.11.0", "dct1_None", "librosa-0.10", PLAIN, |f| {
        (f.sample_rate, f.dct_type, f.dct_norm) = (16_000, 1, DctNorm::None);
    }),
    case("librosa-0.11.0", "dct3_ortho", "librosa-0.10", LIBROSA, |f| (f.sample_rate, f.dct_type) = (16_000, 3)),
    case("librosa-0.11.0", "speech", "librosa-0.10", LIBROSA, |f| {
        (f.sample_rate, f.n_mfcc, f.n_fft, f.hop_length) = (16_000, 13, 400, 160);
        (f.n_mels, f.fmin, f.fmax, f.window) = (40, 20.0, Some(7600.0), Window::Hamming);
    }),
    case("torchaudio", "mfcc/default", "torchaudio-mfcc", TORCHAUDIO, as_is),
    case("torchaudio", "mfcc/log_mels", "torchaudio-mfcc", TORCHAUDIO, |f| {
        (f.log_scale, f.amin, f.amin_rule, f.top_db) = (LogScale::Natural, 1e-6, AminRule::Add, Floor::None);
    }),
    case("torchaudio", "mfcc/doc", "torchaudio-mfcc", TORCHAUDIO, |f| {
        (f.n_mfcc, f.hop_length, f.n_mels, f.center) = (13, 160, 23, false);
    }),
    case("torchaudio", "mfcc/like_librosa", "librosa-0.8.1", TORCHAUDIO, |f| f.sample_rate = 16_000),
    case("torchaudio", "mfcc/rate_8000", "torchaudio-mfcc", TORCHAUDIO, |f| f.sample_rate = 8000),
    case("torchaudio", "mfcc/rate_44100", "torchaudio-mfcc", TORCHAUDIO, |f| f.sample_rate = 44_100),
    case("torchaudio", "kaldi/default_float", "torchaudio-kaldi", KALDI, as_is),
    case("torchaudio", "kaldi/energy_float", "torchaudio-kaldi", KALDI, |f| {
        (f.c0, f.energy_floor) = (C0::RawEnergy, 1.0)
    }),
    case("torchaudio", "kaldi/default_int16", "kaldi-mfcc-no-energy", KALDI, as_is),
    case("torchaudio", "kaldi/default_int16_float64", "kaldi-mfcc-no-energy", KALDI, as_is),
    case("torchaudio", "kaldi/energy_int16", "kaldi-mfcc", KALDI, |f| f.energy_floor = 1.0),
    // torchaudio's energy_floor of 1 does not reach this energy: it gives -15.9 for silence.
    case("torchaudio", "kaldi/energy_window", "kaldi-mfcc", KALDI, |f| f.c0 = C0::WindowedEnergy),
    case("torchaudio", "kaldi/no_snip", "kaldi-mfcc-no-energy", KALDI, |f| f.framing = Framing::Rounded),
    case("torchaudio", "kaldi/htk_compat", "kaldi-mfcc", KALDI, htk_compat),
    case("torchaudio", "kaldi/rate_8000", "kaldi-mfcc-no-energy", KALDI, |f| rate(f, 8000, 200, 80, 256)),
    case("torchaudio", "kaldi/rate_44100", "kaldi-mfcc-no-energy", KALDI, |f| rate(f, 44_100, 1102, 441, 2048)),
    case("kaldi", "default_int16", "kaldi-mfcc", KALDI, as_is),
    case("kaldi", "default_float", "kaldi-mfcc", KALDI, |f| f.sample_scale = 1.0),
    case("kaldi", "no_energy", "kaldi-mfcc-no-energy", KALDI, as_is),
    case("kaldi", "hires", "kaldi-mfcc-hires", KALDI, as_is),
    case("kaldi", "energy_floor_1", "kaldi-mfcc", KALDI, |f| f.energy_floor = 1.0),
    case("kaldi", "energy_window", "kaldi-mfcc", KALDI, |f| f.c0 = C0::WindowedEnergy),
    case("kaldi", "no_snip", "kaldi-mfcc", KALDI, |f| f.framing = Framing::Rounded),
    case("kaldi", "hamming", "kaldi-mfcc", KALDI, |f| f.window = Window::Hamming),
    case("kaldi", "blackman", "kaldi-mfcc", KALDI, |f| f.window = Window::Blackman),
    case("kaldi", "no_pow2", "kaldi-mfcc", KALDI, |f| f.n_fft = 400),
    case("kaldi", "htk_mode", "kaldi-mfcc", KALDI, |f| {
        htk_mode(f);
        f.fmin = 0.0;
    }),
    case("kaldi", "htk_mode_20hz", "kaldi-mfcc", KALDI, htk_mode),
    case("kaldi", "rate_8000", "kaldi-mfcc", KALDI, |f| rate(f, 8000, 200, 80, 256)),
    case("kaldi", "rate_22050", "kaldi-mfcc", KALDI, |f| rate(f, 22_050, 551, 220, 1024)),
    case("kaldi", "rate_44100", "kaldi-mfcc", KALDI, |f| rate(f, 44_100, 1102, 441, 2048)),
    case("htk", "config1", "htk-mfcc-0", HTK, |f| {
        htk(f);
        no_emphasis(f);
    }),
    case("htk", "config2", "htk-mfcc-e", HTK, |f| {
        htk(f);
        no_emphasis(f);
    }),
    case("htk", "config3", "htk-mfcc-e", HTK, |f| {
        htk(f);
        no_emphasis(f);
        f.fmin = 20.0;
    }),
    case("htk", "config4", "htk-mfcc-e", HTK, htk),
    case("htk", "config6", "htk-mfcc-0", HTK, |f| (f.power, f.n_mels, f.fmin, f.fmax) = (2.0, 24, 125.0, Some(7800.0))),
    case("python_speech_features", "default_int16", "python_speech_features-0.6", PSF, as_is),
    case("python_speech_features", "default_float", "python_speech_features-0.6", Limits(2e-4, 2e-3), |f| {
        f.sample_scale = 1.0
    }),
    case("python_speech_features", "no_energy", "python_speech_features-0.6", PSF, |f| f.c0 = C0::Kept),
    case("python_speech_features", "hamming", "python_speech_features-0.6", PSF, |f| {
        (f.window, f.periodic) = (Window::Hamming, false);
    }),
    case("python_speech_features", "delta2", "python_speech_features-0.6", PSF, |f| {
        (f.delta_order, f.delta_rule, f.delta_width) = (1, DeltaRule::Regression, 5);
    }),
    case("python_speech_features", "rate_8000", "python_speech_features-0.6", PSF, |f| rate(f, 8000, 200, 80, 512)),
    case("whisper", "longest_80", "whisper-80", WHISPER, as_is),
    case("whisper", "longest_128", "whisper-128", WHISPER, as_is),
    case("whisper", "padded_80", "whisper-80", WHISPER, as_is),
    case("whisper", "padded_128", "whisper-128", WHISPER, as_is),
    case("lightsernet_frontend", "mfcc", "light-sernet", LIGHT, as_is),
    case("lightsernet_frontend", "mfcc_fused", "light-sernet-fused", LIGHT, as_is),
    case("essentia", "default", "essentia-2.1b6", Limits(5e-3, 1e-2), as_is),
];

/// Where the arrays are: one file with names FILE/KEY, or a folder of files with names KEY.
enum Source {
    Fixture(Box<NpzReader<File>>),
    Data,
}

impl Source {
    fn fixture() -> Source {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/presets.npz");
        Source::Fixture(Box::new(NpzReader::new(File::open(path).unwrap()).unwrap()))
    }

    fn with<T>(&mut self, file: &str, key: &str, read: impl Fn(&mut NpzReader<File>, &str) -> Option<T>) -> Option<T> {
        match self {
            Source::Fixture(reader) => read(reader, &format!("{file}/{key}")),
            Source::Data => {
                let folder = if file == "lightsernet_frontend" { "peers" } else { "presets" };
                let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(folder);
                let file = File::open(data.join(format!("{file}.npz"))).unwrap();
                read(&mut NpzReader::new(file).unwrap(), key)
            }
        }
    }

    fn features(&mut self, file: &str, key: &str) -> Option<Array2<f64>> {
        self.with(file, key, |reader, key| {
            let single = reader.by_name::<OwnedRepr<f32>, Ix2>(key).ok().map(|array| array.mapv(f64::from));
            single.or_else(|| reader.by_name::<OwnedRepr<f64>, Ix2>(key).ok())
        })
    }

    fn samples(&mut self, file: &str, key: &str) -> Option<Vec<f32>> {
        let int16: Array1<i16> = self.with(file, key, |reader, key| reader.by_name::<OwnedRepr<i16>, Ix1>(key).ok())?;
        Some(int16.iter().map(|&sample| f32::from(sample) / 32_768.0).collect())
    }

    /// Samples and what the library made of them, as [frames, coefficients].
    fn load(&mut self, case: &Case, signal: &str) -> Option<(Vec<f32>, Array2<f64>)> {
        let (file, key) = match case.file {
            "htk" => ("htk", "test"),
            "lightsernet_frontend" => (case.file, &*format!("{signal}/prepared_pcm16")),
            _ => ("signals", signal),
        };
        let mut samples = self.samples(file, key)?;
        if case.call.starts_with("padded") {
            samples.resize(480_000, 0.0);
        }
        let key = if case.file == "htk" { case.call.to_owned() } else { format!("{signal}/{}", case.call) };
        let expected = self.features(case.file, &key)?;
        let by_columns = case.file.starts_with("librosa") || case.file == "whisper" || case.call.starts_with("mfcc/");
        Some((samples, if by_columns { expected.reversed_axes() } else { expected }))
    }
}

fn found<F: Float>(case: &Case, front_end: &FrontEnd, samples: &[f32]) -> Array2<f64> {
    let extractor = Extractor::<F>::new(front_end).unwrap();
    let output = if front_end.delta_order > 0 { Output::Deltas } else { Output::Mfcc };
    let found = extractor.compute(output, samples).unwrap().mapv(Into::into);
    match case.call {
        "delta2" => found.slice(s![.., 13..]).to_owned(),
        // The file has the frames of the recording and four more; the rest is constant.
        "padded_80" | "padded_128" => {
            assert_eq!(found.nrows(), 3000);
            found
        }
        _ => found,
    }
}

/// (largest, mean) over all signals.
#[derive(Default, Clone, Copy)]
struct Distance {
    largest: f64,
    sum: f64,
    values: f64,
}

impl Distance {
    fn add(&mut self, expected: &Array2<f64>, found: &Array2<f64>) -> f64 {
        let frames = expected.nrows();
        assert_eq!(found.ncols(), expected.ncols());
        let found = found.slice(s![..frames.min(found.nrows()), ..]);
        assert_eq!(found.nrows(), frames);
        let comparison = compare::features(expected.view(), found).unwrap();
        self.largest = self.largest.max(comparison.max);
        self.sum += comparison.mean * expected.len() as f64;
        self.values += expected.len() as f64;
        comparison.max
    }
}

impl std::fmt::Display for Distance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.values {
            0.0 => f.write_str("|"),
            values => write!(f, "{:.1e} | {:.1e}", self.largest, self.sum / values),
        }
    }
}

/// Checks every case that the source has, and prints a line for each. Returns the presets that were checked as they are.
fn check(source: &mut Source) -> BTreeSet<&'static str> {
    println!(
        "| preset | equals | f64 largest | mean | f32 largest | mean | chirp, f64 largest | mean |\n|---|---|---|---|---|---|---|---|"
    );
    let (mut checked, mut wrong) = (BTreeSet::new(), Vec::new());
    for case in CASES {
        let preset = FrontEnd::preset(case.preset).unwrap();
        let front_end = preset.clone().with(case.change);
        let [mut double, mut single, mut chirp] = [Distance::default(); 3];
        let signals: &[&str] = match case.file {
            "htk" => &["test"],
            "lightsernet_frontend" => &["short", "long"],
            _ => &["speech", "silence", "noise", "chirp"],
        };
        for signal in signals {
            let Some((samples, expected)) = source.load(case, signal) else { continue };
            let in_double = found::<f64>(case, &front_end, &samples);
            if !case.call.starts_with("padded") {
                assert_eq!(in_double.dim(), expected.dim(), "{} {signal}/{}", case.file, case.call);
            }
            let name = format!("{} {signal}/{}", case.file, case.call);
            if *signal == "chirp" {
                let largest = chirp.add(&expected, &in_double);
                // Rounding noise of a single-precision FFT in bands 138 dB below others: the libraries' own.
                let mean = chirp.sum / chirp.values;
                if mean > 0.1 || (case.limits.0 > 2e-3 && largest > 10.0 * case.limits.0) {
                    wrong.push(format!("{name}: {chirp}"));
                }
                continue;
            }
            let largest = double.add(&expected, &in_double);
            let in_single = single.add(&expected, &found::<f32>(case, &front_end, &samples));
            if largest.is_nan() || largest > case.limits.0 || in_single.is_nan() || in_single > case.limits.1 {
                wrong.push(format!("{name}: {largest:e} in f64, {in_single:e} in f32"));
            }
        }
        if double.values > 0.0 {
            let changed: Vec<&str> = preset.differences(&front_end).iter().map(|d| d.key).collect();
            let changed = if changed.is_empty() { String::new() } else { format!(" with {}", changed.join(", ")) };
            println!("| {}{changed} | {} {} | {double} | {single} | {chirp} |", case.preset, case.file, case.call);
            checked.insert(case.preset);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    checked
}

#[test]
fn presets_equal_their_libraries() {
    let checked = check(&mut Source::fixture());
    let beyond_librosa = PRESETS.iter().map(|preset| preset.name).filter(|name| !name.starts_with("timnet"));
    let missing: Vec<&str> = beyond_librosa.filter(|name| !checked.contains(name)).collect();
    // tests/golden.rs has these.
    assert_eq!(missing, ["librosa-0.8.1", "librosa-0.9"]);
}

#[test]
#[ignore = "needs ../shared/data"]
fn presets_equal_all_that_their_libraries_computed() {
    check(&mut Source::Data);
}

/// The recording of `short` is the signal `speech`.
#[test]
fn samples_are_prepared_as_light_sernets() {
    let mut source = Source::fixture();
    let samples = source.samples("signals", "speech").unwrap();
    let expected = source.samples("lightsernet_frontend", "short/prepared_pcm16").unwrap();
    assert!(light_sernet_samples(&samples, 48_000) == expected);
}
