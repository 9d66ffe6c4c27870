//! Against librosa and NumPy, on the golden files that fixtures/mfcc/generate.py made.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use ndarray::{Array1, Array2};
use sermfcc::{DctNorm, Extractor, Floor, FrontEnd, MelNorm, MelScale, Output, PadMode, Window, compare, delta};

/// Identical samples in: the tolerances promised for the two precisions.
const DOUBLE: f64 = 2e-4;
const SINGLE: f64 = 5e-3;

fn path(name: &str) -> PathBuf {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/mfcc/golden");
    PathBuf::from(golden).join(format!("{name}.npy"))
}

fn golden(name: &str) -> Array2<f32> {
    ndarray_npy::read_npy(path(name)).unwrap()
}

fn golden_f64(name: &str) -> Array2<f64> {
    ndarray_npy::read_npy(path(name)).unwrap()
}

fn samples(signal: &str) -> Vec<f32> {
    let samples: Array1<f32> = ndarray_npy::read_npy(path(&format!("samples-{signal}"))).unwrap();
    samples.to_vec()
}

#[track_caller]
fn assert_near<A: sermfcc::Float, B: sermfcc::Float>(found: &Array2<A>, expected: &Array2<B>, tolerance: f64) {
    assert_eq!(found.dim(), expected.dim());
    let comparison = compare::features(expected.view(), found.view()).unwrap();
    assert!(comparison.max <= tolerance, "more than {tolerance:e} apart: {comparison}");
}

/// generate.py: librosa.feature.mfcc(y=signal) of each version, every argument left to it, and the same with n_mfcc=39.
#[test]
fn presets_equal_their_librosa() {
    for version in ["0.8.1", "0.9", "0.10"] {
        for (preset, file) in [("librosa", "defaults"), ("timnet", "mfcc")] {
            let front_end = FrontEnd::preset(&format!("{preset}-{version}")).unwrap();
            let double = Extractor::<f64>::new(&front_end).unwrap();
            let single = Extractor::<f32>::new(&front_end).unwrap();
            for signal in ["silence", "impulse", "clipping", "one-sample", "1024-samples", "voice"] {
                let expected = golden(&format!("{file}-librosa-{version}-{signal}"));
                let samples = samples(signal);
                assert_near(&double.mfcc(&samples).unwrap(), &expected, DOUBLE);
                assert_near(&single.mfcc(&samples).unwrap(), &expected, SINGLE);
            }
        }
    }
}

#[test]
fn paper_equals_numpy_from_the_formulas() {
    let front_end = FrontEnd::timnet_paper();
    let expected = golden_f64("paper-voice");
    assert_near(&Extractor::<f64>::new(&front_end).unwrap().mfcc(&samples("voice")).unwrap(), &expected, 1e-9);
    assert_near(&Extractor::<f32>::new(&front_end).unwrap().mfcc(&samples("voice")).unwrap(), &expected, SINGLE);
}

#[test]
fn deltas_equal_librosa() {
    let mfcc = golden("mfcc-librosa-0.10-voice").mapv(f64::from);
    for order in [1, 2] {
        let expected = golden_f64(&format!("delta-{order}-voice"));
        assert_near(&delta(mfcc.view(), 9, order).unwrap(), &expected, 1e-9);
    }
}

/// generate.py, the files free-*: each in librosa's own words.
#[test]
fn free_settings_equal_librosa() {
    let with = |n_mfcc, change: fn(&mut FrontEnd)| FrontEnd::librosa_0_10().with(|f| f.n_mfcc = n_mfcc).with(change);
    fn short(f: &mut FrontEnd) {
        (f.n_fft, f.hop_length, f.win_length, f.n_mels) = (512, 160, Some(400), 40);
    }
    let short_edge = with(13, short).with(|f| (f.window, f.pad_mode) = (Window::Hamming, PadMode::Edge));
    let uncentred = with(13, short).with(|f| (f.window, f.center) = (Window::Blackman, false));
    let htk = |f: &mut FrontEnd| (f.mel_scale, f.n_mels, f.fmin, f.fmax) = (MelScale::Htk, 40, 50.0, Some(8000.0));
    let narrow = |f: &mut FrontEnd| (f.sample_rate, f.n_fft, f.hop_length, f.n_mels) = (16_000, 400, 160, 40);
    for (name, front_end) in [
        ("htk", with(13, htk)),
        ("dct3-lifter", with(20, |f| (f.dct_type, f.lifter) = (3, 22.0))),
        ("dct1", with(20, |f| f.dct_type = 1)),
        ("dct2-plain", with(20, |f| f.dct_norm = DctNorm::None)),
        ("magnitude", with(20, |f| (f.power, f.mel_norm) = (1.0, MelNorm::None))),
        ("short-edge", short_edge),
        ("uncentred", uncentred),
        ("16k", with(13, narrow)),
        ("no-floor", with(20, |f| (f.amin, f.top_db) = (1e-6, Floor::None))),
    ] {
        let found = Extractor::<f64>::new(&front_end).unwrap().mfcc(&samples("voice")).unwrap();
        let expected = golden(&format!("free-{name}"));
        // The plain transform has values 16 times as large, the lifter 12 times.
        let scale = if matches!(name, "dct2-plain" | "dct3-lifter") { 16.0 } else { 1.0 };
        let comparison = compare::features(expected.view(), found.view()).unwrap();
        assert_eq!(found.dim(), expected.dim(), "{name}");
        assert!(comparison.max <= scale * DOUBLE, "{name}: {comparison}");
    }
}

#[test]
fn mel_spectrogram_equals_librosa() {
    let found =
        Extractor::<f64>::new(&FrontEnd::librosa_0_10()).unwrap().compute(Output::Mel, &samples("voice")).unwrap();
    let expected = golden_f64("mel-voice");
    // librosa keeps the filters in float32, so six digits agree.
    let relative = (&found - &expected).mapv(f64::abs) / expected.mapv(|x| x.max(1e-12));
    let worst = relative.iter().copied().fold(0.0, f64::max);
    assert!(worst < 1e-5, "relative difference {worst:e}");
}

/// generate.py: np.abs(librosa.stft(voice in float64, n_fft, hop, center=True))**power, for the even length of the presets and for
/// an odd one, which is transformed by other code.
#[test]
fn power_equals_librosa() {
    let preset = FrontEnd::librosa_0_10();
    let odd = preset.clone().with(|f| (f.n_fft, f.hop_length, f.power) = (601, 1500, 1.0));
    for (name, front_end) in [("power-voice", preset), ("magnitude-odd-voice", odd)] {
        let expected = golden_f64(name);
        let largest = expected.iter().copied().fold(0.0, f64::max);
        let double = Extractor::<f64>::new(&front_end).unwrap().compute(Output::Power, &samples("voice")).unwrap();
        assert_near(&double, &expected, 1e-13 * largest);
        let single = Extractor::<f32>::new(&front_end).unwrap().compute(Output::Power, &samples("voice")).unwrap();
        assert_near(&single, &expected, 1e-6 * largest);
    }
}

#[test]
fn outputs_belong_together() {
    let front_end = FrontEnd::default().with(|f| f.top_db = Floor::None);
    let extractor = Extractor::<f64>::new(&front_end).unwrap();
    let samples = samples("voice");
    let mel = extractor.compute(Output::Mel, &samples).unwrap();
    let log_mel = extractor.compute(Output::LogMel, &samples).unwrap();
    assert_near(&mel.mapv(|x| 10.0 * x.max(1e-10).log10()), &log_mel, 1e-9);
}
